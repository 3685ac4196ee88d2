"""Every version of a panel with what it changed, newest first: who reads a report later sees what was said when."""

from __future__ import annotations

from flask import Blueprint, render_template

from csfinterp.web.hall import hall

blueprint = Blueprint("versions", __name__)
MOST = 30
REASONS = {
    "posted": "first report",
    "completed": "results completed by the laboratory",
    "corrected": "corrected by the laboratory",
    "context": "clinical context changed",
    "reinterpreted": "interpreted with another edition",
}


@blueprint.get("/panels/<panel_id>/versions")
def page(panel_id: str) -> str:
    """The versions of a panel, of very many the latest."""
    stored = hall().panel(panel_id)
    found = hall().versions(panel_id)
    shown = [
        (info, hall().changes(panel_id, info.version - 1, info.version) if info.version > 1 else None)
        for info in reversed(found[-MOST:])
    ]
    return render_template(
        "versions.html", stored=stored, doc=stored.document, shown=shown, count=len(found), reasons=REASONS
    )
