"""The pages for people: newest panels, one interpretation, what an error means. Rendered on the server, no script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, render_template

from csfinterp.service import StoredPanel
from csfinterp.web import words, worklist
from csfinterp.web.answers import conditional
from csfinterp.web.asked import asked_version
from csfinterp.web.hall import hall
from csfinterp.web.problems import KINDS, Problem

blueprint = Blueprint("pages", __name__)


@blueprint.app_context_processor
def _words() -> dict[str, object]:
    return {"words": words, "open_calls": worklist.open_calls}


@blueprint.get("/")
def index() -> str:
    """The worklist: newest panels, filters in the address."""
    return worklist.page()


@blueprint.get("/panels/<panel_id>")
def panel(panel_id: str) -> Response:
    """One interpretation as a page; `?version=` shows an earlier one."""
    stored = hall().panel(panel_id, asked_version())
    response = Response(interpretation_page(stored), content_type="text/html; charset=utf-8")
    return conditional(response, tag_with_count(stored), "-html")


@blueprint.get("/problems/<name>")
def problem(name: str) -> str:
    """What a problem type means and what to do; the address is the `type` of the error document."""
    if name not in KINDS:
        raise Problem("not-found", KINDS["not-found"].advice)
    return render_template("problem.html", kind=KINDS[name])


def tag_with_count(stored: StoredPanel) -> str:
    """The ETag of what also tells how many versions there are: that of an older version changes with the count.

    The newest version keeps its plain tag, which If-Match takes.
    """
    return stored.etag if stored.version == stored.versions else f"{stored.etag}-of-{stored.versions}"


def change_of(stored: StoredPanel) -> dict[str, object] | None:
    """What this version says otherwise than the one before it; None for version 1."""
    return None if stored.version == 1 else hall().changes(stored.panel_id, stored.version - 1, stored.version)


def interpretation_page(stored: StoredPanel) -> str:
    """The page of one stored version."""
    document = stored.document
    results = _rows(document, "results")
    numbers = {str(entry["id"]): place for place, entry in enumerate(_rows(document, "citations"), 1)}
    return render_template(
        "interpretation.html",
        doc=document,
        changed=change_of(stored),
        stored=stored,
        numbers=numbers,
        measured=[row for row in results if row["flag"] and not row["derived"]],
        derived=[row for row in results if row["derived"] and row["value"] is not None],
        not_judged=[row for row in results if not row["flag"] and (row["value"] is None or not row["derived"])],
        findings={truth: _with_truth(document, "findings", truth) for truth in ("true", "unknown", "false")},
        quality={truth: _with_truth(document, "quality", truth) for truth in ("true", "unknown")},
    )


def _rows(document: Mapping[str, Any], part: str) -> list[Mapping[str, Any]]:
    return list(document.get(part) or ())


def _with_truth(document: Mapping[str, Any], part: str, truth: str) -> list[Mapping[str, Any]]:
    return [row for row in _rows(document, part) if row["truth"] == truth]
