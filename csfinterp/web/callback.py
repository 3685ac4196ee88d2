"""The form of a critical call-back: which calls were told, to whom, by whom, when, read back or not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from csfinterp.errors import ConflictError, DocumentError
from csfinterp.formats import acknowledgement
from csfinterp.service import StoredPanel
from csfinterp.web.auth import signed_in_name
from csfinterp.web.hall import hall
from csfinterp.web.words import offset

blueprint = Blueprint("callback", __name__)
_BETWEEN = "|"
_TIME = "%Y-%m-%d %H:%M"
_WHAT = {
    "/told": "Name the person who was told.",
    "/by": "Name the person who called.",
    "/read_back": "Choose whether the person repeated the result.",
    "/calls": "Choose at least one result that was told.",
}


@blueprint.get("/panels/<panel_id>/calls")
def page(panel_id: str) -> Response:
    """The calls of the newest version: what is noted, and the form for those that are open."""
    return _form(hall().panel(panel_id))


@blueprint.post("/panels/<panel_id>/calls")
def save(panel_id: str) -> Response:
    """Note the call-back, then show the panel; what is wrong stands beside its field, and nothing is noted."""
    stored = hall().panel(panel_id, _version())
    problems: dict[str, str] = {}
    try:
        body = _body(stored.version, problems)
        if not problems:
            hall().calls.record(panel_id, acknowledgement.read(body), signed_in_name())
            return cast(Response, redirect(url_for("pages.panel", panel_id=panel_id, saved="call"), 303))
    except DocumentError as error:
        problems = {fault.pointer: fault.message for fault in error.faults}
    except ConflictError as error:
        return _form(hall().panel(panel_id), {"": error.message}, 409)
    return _form(stored, problems, 422)


def _version() -> int | None:
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else None


def _body(version: int, problems: dict[str, str]) -> dict[str, object]:
    """The form as the document of the HTTP interface; what the form alone can get wrong goes to `problems`."""
    form = request.form
    calls = [
        dict(zip(("analyte", "rule", "source"), text.split(_BETWEEN), strict=False)) for text in form.getlist("call")
    ]
    body: dict[str, object] = {
        "version": version,
        "told": form.get("told", ""),
        "by": form.get("by", ""),
        "calls": calls,
    }
    if not calls:
        problems["/calls"] = _WHAT["/calls"]
    for name in ("told", "by"):
        if not form.get(name, "").strip():
            problems[f"/{name}"] = _WHAT[f"/{name}"]
    if form.get("read_back") not in ("yes", "no"):
        problems["/read_back"] = _WHAT["/read_back"]
    body["read_back"] = form.get("read_back") == "yes"
    at = _moment(form)
    if at is None:
        problems["/at"] = "Write date and time of the call as year-month-day hour:minute, 2026-03-01 10:05."
    else:
        body["at"] = at.isoformat(timespec="seconds")
    return body


def _moment(form: MultiDict[str, str]) -> datetime | None:
    """When the call was made, with the offset of the server's zone; None if it is not readable."""
    if form.get("when", "now") == "now":
        return hall().now().astimezone()
    try:
        return datetime.strptime(form.get("at", "").strip(), _TIME).astimezone()
    except (ValueError, OverflowError):
        return None


def _form(stored: StoredPanel, problems: Mapping[str, str] | None = None, status: int = 200) -> Response:
    now = hall().now().astimezone()
    shown = render_template(
        "call.html", stored=stored, doc=stored.document, problems=problems or {}, form=request.form,
        now=now.strftime(_TIME), zone=offset(now.isoformat()), between=_BETWEEN,
    )  # fmt: skip
    return make_response(shown, status)
