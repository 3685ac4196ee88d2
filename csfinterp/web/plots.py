"""The plots of a panel as images: /panels/<id>/plots/<name>.svg; names in csfinterp/plotting/panel.py."""

from __future__ import annotations

from flask import Blueprint, Response, request

from csfinterp.plotting.panel import POLICY, panel_plots
from csfinterp.web.answers import conditional
from csfinterp.web.asked import asked_version
from csfinterp.web.hall import hall

blueprint = Blueprint("plots", __name__)


@blueprint.get("/panels/<panel_id>/plots/<name>.svg")
def svg(panel_id: str, name: str) -> Response:
    """One plot; `?version=` of an earlier version. The ETag names the content, so an unchanged plot is sent once."""
    plot = panel_plots(hall(), hall().panel(panel_id, asked_version())).plot(name)
    known = plot.digest in request.if_none_match
    response = Response("" if known else plot.svg, content_type="image/svg+xml; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    return conditional(response, plot.digest)
