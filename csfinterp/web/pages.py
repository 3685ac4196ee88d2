"""The pages for people: newest panels, one interpretation, what an error means. Rendered on the server, no script."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, render_template, request, url_for
from markupsafe import Markup

from csfinterp.errors import EditionError, NotFoundError
from csfinterp.plotting.panel import panel_plots
from csfinterp.service import CoursePanel, Grid, StoredPanel
from csfinterp.web import words, worklist
from csfinterp.web.answers import conditional
from csfinterp.web.asked import asked_version
from csfinterp.web.auth import identity
from csfinterp.web.hall import hall
from csfinterp.web.page.kept import Kept
from csfinterp.web.page.results import MOST_EARLIER
from csfinterp.web.page.view import Plot, view
from csfinterp.web.problems import KINDS, Problem

blueprint = Blueprint("pages", __name__)
_KEPT = Kept(128)  # about 100 kB each


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
    """The page of one stored version. What it shows to readers of the same roles is kept: it never changes, and its key
    names all that it depends on."""
    service = hall()
    before = service.course.before(stored.panel_id, MOST_EARLIER)
    saved = request.args.get("saved", "")[:20]
    reader = identity()
    roles = frozenset() if reader is None else reader.roles  # links stand only where the reader may follow them
    key = (tag_with_count(stored), tuple((panel.panel_id, panel.version) for panel in before), saved, roles)

    def make() -> str:
        shown = view(stored, before, _grid_of(stored), change_of(stored), _plots(stored, before))
        return render_template("panel/body.html", view=shown)

    body = Markup(_KEPT.get(key, make))  # rendered by a template, so escaped already
    return render_template("interpretation.html", stored=stored, body=body)


def _plots(stored: StoredPanel, before: Sequence[CoursePanel]) -> list[Plot]:
    """The Reibergrams; the image itself is drawn when it is asked for."""
    found = panel_plots(hall(), stored, before).reibergrams()
    panel_id, version = stored.panel_id, stored.version
    return [
        Plot(
            url_for("plots.svg", panel_id=panel_id, name=plot.name, version=version),
            plot.description,
            plot.frame,
        )
        for plot in found
    ]


def _grid_of(stored: StoredPanel) -> Grid | None:
    """The grid of the edition that the version was made with; None if this site no longer has it."""
    try:
        return hall().lm_grid(stored.edition)
    except (NotFoundError, EditionError):
        return None
