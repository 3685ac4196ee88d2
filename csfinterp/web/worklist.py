"""The worklist: newest panels, filters in the address, and the search by patient or specimen, which is never in one.

An address stands in logs, histories and on screens behind the reader, so an id of a patient or specimen travels only in
the body of a form; the answer leads to an address that is made of a panel's own random id.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import cast

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from csfinterp.errors import DocumentError
from csfinterp.model.context import ABNORMAL_FLAGS, STATUSES
from csfinterp.service import Page, PanelFilter
from csfinterp.web.describe import CERTAINTIES
from csfinterp.web.hall import hall, settings
from csfinterp.web.problems import Problem

blueprint = Blueprint("worklist", __name__)
FILTERS = (
    "critical",
    "provisional",
    "certainty",
    "flag",
    "analyte",
    "finding",
    "status",
    "collected_from",
    "collected_to",
)
log = logging.getLogger(__name__)
MOST_FOUND = 50
MOST_LENGTH = 200


def page() -> str:
    """The newest panels that pass the filters of the address."""
    chosen = {name: text for name in FILTERS if (text := request.args.get(name, "").strip())}
    try:
        found = hall().search(_filter(chosen), settings().page_size, request.args.get("after"))
    except DocumentError as error:
        raise Problem("parameter-refused", error.message, error.faults) from None
    return render_template("worklist.html", page=found, later="after" in request.args, **_shown(chosen))


@blueprint.post("/find")
def find() -> Response:
    """The patient or specimen with exactly this id: one specimen opens, a patient opens, several are listed."""
    wanted = request.form.get("id", "").strip()
    if not wanted:
        return _not_found("Write the id of a patient or of a specimen.", 422)
    if len(wanted) > MOST_LENGTH or "\0" in wanted:
        return _not_found("No panel has this id.", 404)
    specimens = hall().search(PanelFilter(specimen=wanted), MOST_FOUND).items
    patients = hall().search(PanelFilter(patient=wanted), 1).items
    if len(specimens) == 1 and not patients:
        return _to(url_for("pages.panel", panel_id=specimens[0].panel_id))
    if patients and not specimens:
        return _to(url_for("patient.page", panel_id=patients[0].panel_id))
    if not specimens:
        return _not_found("No panel has this id. It must be written exactly as the laboratory sends it.", 404)
    return make_response(render_template("found.html", specimens=specimens, patients=patients))


def open_calls() -> tuple[int, int] | None:
    """(panels with open calls, open calls) for the line on every page; None where it cannot be read now."""
    try:
        return hall().open_calls()
    except Exception as error:  # whatever the store says: a page must not fail for this line
        log.error("open calls cannot be counted", extra={"error": type(error).__name__})
        return None


def _filter(chosen: Mapping[str, str]) -> PanelFilter:
    flag, status = chosen.get("flag"), chosen.get("status")
    if flag is not None and "analyte" in chosen:
        flag = f"{chosen['analyte']}:{flag}"
    if status is not None and status not in STATUSES:
        raise Problem("parameter-refused", f"status is one of {', '.join(STATUSES)}.")
    if chosen.get("certainty") not in (None, *CERTAINTIES):
        raise Problem("parameter-refused", f"certainty is one of {', '.join(CERTAINTIES)}.")
    names = ("critical", "provisional", "certainty", "finding", "collected_from", "collected_to")
    return PanelFilter(
        flag=flag, statuses=None if status is None else (status,), **{name: chosen.get(name) for name in names}
    )


def _shown(chosen: Mapping[str, str]) -> dict[str, object]:
    """What the template needs for the form and the links: the filters in force and what may be chosen."""
    return {
        "chosen": chosen,
        "filtered": [name for name in chosen if name not in ("critical", "provisional")],
        "certainties": CERTAINTIES,
        "flags": ABNORMAL_FLAGS,
        "statuses": STATUSES,
        "findings": hall().catalog.finding_names(),
        "analytes": hall().catalog.analyte_names(),
    }


def _not_found(problem: str, status: int) -> Response:
    """The worklist again, with what is wrong; what was written stands in the field, not in an address."""
    newest: Page = hall().search(PanelFilter(), settings().page_size)
    shown = render_template(
        "worklist.html", page=newest, later=False, problem=problem, wanted=request.form.get("id", "")[:MOST_LENGTH],
        **_shown({}),
    )  # fmt: skip
    return make_response(shown, status)


def _to(address: str) -> Response:
    return cast(Response, redirect(address, 303))
