"""For the machine that watches the service: /healthz (the process answers), /readyz (database and edition answer)."""

from __future__ import annotations

import logging

from flask import Response
from flask_smorest import Blueprint

from csfinterp.service import PanelFilter
from csfinterp.web import describe
from csfinterp.web.answers import json_answer, json_text
from csfinterp.web.hall import hall
from csfinterp.web.problems import KINDS, Problem

blueprint = Blueprint("operations", __name__, description="For operators.")
log = logging.getLogger(__name__)


@blueprint.route("/healthz", methods=["GET"])
@blueprint.doc(operationId="health")
@blueprint.alt_response(200, schema="Health")
def healthz() -> Response:
    """The process is alive"""
    return json_answer(json_text({"status": "alive"}))


@blueprint.route("/readyz", methods=["GET"])
@blueprint.doc(operationId="readiness")
@describe.errors(blueprint, 503, public=True)
@blueprint.alt_response(200, schema="Health")
def readyz() -> Response:
    """The database answers and the edition in force is loaded"""
    try:
        hall().search(PanelFilter(), 1)
        core = hall().core()
    except Exception as error:
        log.error("not ready", extra={"error": type(error).__name__})
        raise Problem("not-ready", KINDS["not-ready"].advice) from None
    edition = core.edition
    return json_answer(
        json_text({"status": "ready", "database": "answers", "edition": {"id": edition.id, "digest": edition.digest}})
    )
