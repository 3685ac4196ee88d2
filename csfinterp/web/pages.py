"""The pages for people: newest panels, one interpretation, what an error means. Rendered on the server, no script."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from csfinterp.errors import DocumentError, EditionError, NotFoundError
from csfinterp.service import Grid, PanelFilter, StoredPanel
from csfinterp.web import words
from csfinterp.web.answers import conditional
from csfinterp.web.hall import hall, settings
from csfinterp.web.page.results import MOST_EARLIER
from csfinterp.web.page.view import view
from csfinterp.web.problems import KINDS, Problem

blueprint = Blueprint("pages", __name__)


@blueprint.app_context_processor
def _words() -> dict[str, object]:
    return {"words": words}


@blueprint.get("/")
def index() -> str:
    """The newest panels, with links to their interpretations."""
    try:
        page = hall().search(PanelFilter(), settings().page_size, request.args.get("after"))
    except DocumentError as error:
        raise Problem("parameter-refused", error.message, error.faults) from None
    return render_template("index.html", page=page, edition=settings().edition, later="after" in request.args)


@blueprint.get("/panels/<panel_id>")
def panel(panel_id: str) -> Response:
    """One interpretation as a page; `?version=` shows an earlier one."""
    asked = request.args.get("version")
    if asked is not None and not (asked.isascii() and asked.isdigit() and 0 < len(asked) < 7):
        raise Problem("panel-not-found", "A version is a whole number from 1.")
    stored = hall().panel(panel_id, int(asked) if asked else None)
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
    service = hall()
    shown = view(
        stored,
        service.course.before(stored.panel_id, MOST_EARLIER),
        _grid_of(stored),
        service.versions(stored.panel_id),
        change_of(stored),
    )
    return render_template("interpretation.html", view=shown)


def _grid_of(stored: StoredPanel) -> Grid | None:
    """The grid of the edition that the version was made with; None if this site no longer has it."""
    try:
        return hall().lm_grid(stored.edition)
    except (NotFoundError, EditionError):
        return None
