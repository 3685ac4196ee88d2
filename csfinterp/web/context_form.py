"""The form of the clinical context: saved as a new version, never over one that its reader has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from csfinterp.errors import DocumentError, PreconditionError
from csfinterp.service import StoredPanel
from csfinterp.web.context_fields import filled, groups
from csfinterp.web.hall import hall

blueprint = Blueprint("context_form", __name__)
CONTEXT = "context"


@blueprint.get("/panels/<panel_id>/context")
def page(panel_id: str) -> Response:
    """The context in force of the newest version, to be changed."""
    stored = hall().panel(panel_id)
    return _form(stored, _context(stored))


@blueprint.post("/panels/<panel_id>/context")
def save(panel_id: str) -> Response:
    """Save a new version and show what it changed.

    If a newer version came since the form was opened (412), nothing is saved: the form comes back with what was
    written, what changed meanwhile, and the newer version as the one to be changed.
    """
    seen = _number(request.form.get("version", ""))
    stored = hall().panel(panel_id, seen)
    context, problems = filled(_context(stored), request.form, request.form.getlist("stated"))
    if problems:
        return _form(stored, context, problems, 422)
    if context == _context(stored) and stored.version == stored.versions:
        return _to(panel_id, "nothing")
    try:
        hall().amend_context(panel_id, context, f'"{stored.tag}"')
    except PreconditionError:
        return _outdated(stored, context)
    except DocumentError as error:
        wrong = {_name(fault.pointer): fault.message for fault in error.faults}
        return _form(stored, context, wrong, 422)
    return _to(panel_id, CONTEXT)


@blueprint.post("/panels/<panel_id>/context/again")
def again(panel_id: str) -> Response:
    """Interpret once more with the same context: a new version that counts what came of the patient meanwhile."""
    stored = hall().panel(panel_id)
    hall().amend_context(panel_id, _context(stored), f'"{stored.tag}"')
    return _to(panel_id, "again")


def _outdated(seen: StoredPanel, context: Mapping[str, Any]) -> Response:
    """What the reader wrote, put over the newest context, with what came meanwhile."""
    newest = hall().panel(seen.panel_id)
    before, now = _context(seen), _context(newest)
    written = {name: value for name, value in context.items() if value != before.get(name)}
    gone = [name for name in before if name not in context]
    merged = {name: value for name, value in {**now, **written}.items() if name not in gone}
    meanwhile = hall().changes(seen.panel_id, seen.version, newest.version)
    both = sorted({*written, *gone} & {name for name in {*before, *now} if before.get(name) != now.get(name)})
    return _form(newest, merged, {}, 412, meanwhile=meanwhile, both=both, theirs=now)


def _form(
    stored: StoredPanel, context: Mapping[str, Any], problems: Mapping[str, str] | None = None, status: int = 200,
    **more: object,
) -> Response:  # fmt: skip
    sent = request.form if problems else {}
    shown = render_template(
        "context.html", stored=stored, doc=stored.document, groups=groups(context), problems=problems or {}, sent=sent,
        **more,
    )  # fmt: skip
    return make_response(shown, status)


def _context(stored: StoredPanel) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", stored.panel_document.get(CONTEXT) or {})


def _name(pointer: str) -> str:
    """The field that a pointer into the context means."""
    parts = pointer.strip("/").split("/")
    return f"tumor_{parts[1]}" if parts[0] == "tumor" and len(parts) > 1 else parts[0]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else None


def _to(panel_id: str, saved: str) -> Response:
    return cast(Response, redirect(url_for("pages.panel", panel_id=panel_id, saved=saved), 303))
