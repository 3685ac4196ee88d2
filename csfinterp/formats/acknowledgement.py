"""A critical call-back as it is sent: who was told, by whom, when, and whether it was read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marshmallow import ValidationError

from csfinterp.formats.panel_fields import Moment, Parts, Text, Whole, YesNo
from csfinterp.formats.panel_json import faults_of
from csfinterp.formats.panel_schema import Strict
from csfinterp.formats.strict_json import refuse

_AT = "Send the date and time of the call with its offset, 2026-03-01T10:05:00+01:00."


@dataclass(frozen=True)
class CallName:
    """Which call: analyte and rule; `source` (service, laboratory) only where both called for the same."""

    analyte: str
    rule: str
    source: str | None = None


@dataclass(frozen=True)
class CallBack:
    """One call-back. `version`: the version whose calls were told. `calls` empty: all of them that are open."""

    version: int
    told: str
    by: str
    at: datetime
    read_back: bool
    calls: tuple[CallName, ...]


class _CallSchema(Strict):
    analyte = Text(filled=True, required=True)
    rule = Text(filled=True, required=True)
    source = Text(filled=True)


class _CallBackSchema(Strict):
    version = Whole(1, 999_999)
    told = Text(filled=True, required=True)
    by = Text(filled=True, required=True)
    at = Moment()
    read_back = YesNo()
    calls = Parts(_CallSchema)


def read(document: Mapping[str, Any]) -> CallBack:
    """The call-back of a JSON object. Raises DocumentError with a pointer to each field that is missing or wrong."""
    try:
        loaded = _CallBackSchema().load(dict(document))
    except ValidationError as error:
        raise refuse(list(faults_of(error.messages))) from None
    missing = {
        "version": "Send the version whose calls were told.",
        "at": _AT,
        "read_back": "Send true if the person repeated the result, else false.",
    }
    wrong = {name: [text] for name, text in missing.items() if loaded.get(name) is None}
    at = loaded.get("at")
    if not isinstance(at, datetime) or at.tzinfo is None:
        wrong["at"] = [_AT]
    if wrong:
        raise refuse(list(faults_of(wrong)))
    calls = tuple(
        CallName(**{key: value for key, value in call.items() if value}) for call in loaded.get("calls") or ()
    )
    return CallBack(loaded["version"], loaded["told"].strip(), loaded["by"].strip(), at, loaded["read_back"], calls)
