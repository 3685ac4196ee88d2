"""What the addresses of pages and images ask for."""

from __future__ import annotations

from flask import request

from csfinterp.web.problems import Problem


def asked_version() -> int | None:
    """The version of `?version=`; None: the newest. A problem document for anything but a whole number from 1."""
    asked = request.args.get("version")
    if asked is not None and not (asked.isascii() and asked.isdigit() and 0 < len(asked) < 7):
        raise Problem("panel-not-found", "A version is a whole number from 1.")
    return int(asked) if asked else None
