"""What is drawn of a panel: plots as images (names in csfinterp/plotting/panel.py), and the report on paper."""

from __future__ import annotations

from flask import Blueprint, Response, request

from csfinterp.plotting.panel import POLICY, panel_plots
from csfinterp.printed import report_pdf
from csfinterp.web.answers import PDF, conditional
from csfinterp.web.asked import asked_version
from csfinterp.web.hall import hall
from csfinterp.web.pages import tag_with_count

blueprint = Blueprint("plots", __name__)


@blueprint.get("/panels/<panel_id>/plots/<name>.svg")
def svg(panel_id: str, name: str) -> Response:
    """One plot; `?version=` of an earlier version. The ETag names the content, so an unchanged plot is sent once."""
    plot = panel_plots(hall(), hall().panel(panel_id, asked_version())).plot(name)
    known = plot.digest in request.if_none_match
    response = Response("" if known else plot.svg, content_type="image/svg+xml; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    return conditional(response, plot.digest)


@blueprint.get("/panels/<panel_id>/report.pdf")
def report(panel_id: str) -> Response:
    """The report on A4, for links and for the printer; the same as GET /api/v1/panels/<id>/interpretation as PDF."""
    stored = hall().panel(panel_id, asked_version())
    response = Response(report_pdf(hall(), stored), content_type=PDF)
    response.headers["Content-Disposition"] = f'inline; filename="csf-{panel_id}-{stored.version}.pdf"'
    return conditional(response, tag_with_count(stored), "-pdf")
