"""The way from a request to the service and the settings of this app."""

from __future__ import annotations

from typing import cast

from flask import current_app

from csfinterp.receiving import Receiver
from csfinterp.service import Service
from csfinterp.settings import Settings

SERVICE, SETTINGS, RECEIVER = "csfinterp.service", "csfinterp.settings", "csfinterp.receiver"


def hall() -> Service:
    """The service of the current app."""
    return cast(Service, current_app.extensions[SERVICE])


def settings() -> Settings:
    """The settings of the current app."""
    return cast(Settings, current_app.extensions[SETTINGS])


def receiver() -> Receiver:
    """What takes HL7 messages in the current app."""
    return cast(Receiver, current_app.extensions[RECEIVER])
