"""The editions for readers: all ranges, rules and sources as tables on one page, and the difference between two."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template, request
from markupsafe import Markup

from csfinterp.catalog import Comparison
from csfinterp.web.edition_tables import tables
from csfinterp.web.hall import hall, settings
from csfinterp.web.problems import KINDS, Problem

blueprint = Blueprint("editions", __name__)
_PRINTED = "csfinterp.editions.printed"


@blueprint.get("/editions")
def index() -> str:
    """The editions of this site, and two of them to compare."""
    return render_template("editions.html", editions=hall().editions(), in_force=settings().edition)


@blueprint.get("/editions/<edition_id>")
def page(edition_id: str) -> str:
    """One edition whole: made once, because an edition never changes."""
    document = hall().catalog.document(edition_id)
    printed: dict[str, Markup] = current_app.extensions.setdefault(_PRINTED, {})
    if edition_id not in printed:
        printed[edition_id] = Markup(render_template("edition_tables.html", edition=document, tables=tables(document)))
    return render_template(
        "edition.html", edition=document, body=printed[edition_id], in_force=settings().edition == edition_id
    )


@blueprint.get("/editions/compare")
def compare() -> str:
    """What a newer edition states otherwise than an older one."""
    older, newer = (request.args.get(name, "") for name in ("older", "newer"))
    if not {older, newer} <= {info.id for info in hall().editions()}:
        raise Problem("not-found", f"{KINDS['not-found'].advice} /editions lists the editions that can be compared.")
    found: Comparison = hall().catalog.comparison(older, newer)
    return render_template("compare.html", older=older, newer=newer, found=found, editions=hall().editions())
