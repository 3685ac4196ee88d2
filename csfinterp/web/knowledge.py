"""What is in force, as data: /api/v1/editions, /api/v1/editions/{id}, /api/v1/analytes."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response
from flask_smorest import Blueprint
from marshmallow import fields

from csfinterp.web import describe
from csfinterp.web.answers import json_answer, json_text
from csfinterp.web.hall import hall, settings

blueprint = Blueprint("knowledge", __name__, url_prefix="/api/v1", description="The editions behind the answers.")


class EditionQuery(ma.Schema):
    edition = fields.String(metadata={"description": "Default: the edition in force."})


@blueprint.route("/editions", methods=["GET"])
@blueprint.doc(operationId="listEditions")
@describe.errors(blueprint)
@blueprint.alt_response(200, schema="EditionList")
def editions() -> Response:
    """The editions of this site and the one in force

    `status`: released, draft or broken (cannot be used). `problem` says why, or that a loaded edition changed on disk.
    """
    items = [
        {
            **{name: getattr(info, name) for name in ("id", "status", "digest", "title")},
            "problem": info.problem.message if info.problem else None,
        }
        for info in hall().editions()
    ]
    return json_answer(json_text({"in_force": settings().edition, "items": items}))


@blueprint.route("/editions/<edition_id>", methods=["GET"])
@blueprint.doc(operationId="readEdition")
@describe.errors(blueprint, 404, 422)
@blueprint.alt_response(200, schema="Edition")
def edition(edition_id: str) -> Response:
    """One edition whole, with the site's options applied"""
    return json_answer(json_text(hall().edition_document(edition_id)))


@blueprint.route("/analytes", methods=["GET"])
@blueprint.doc(operationId="listAnalytes")
@blueprint.arguments(EditionQuery, location="query", unknown=ma.RAISE)
@describe.errors(blueprint, 404, 422)
@blueprint.alt_response(200, schema="AnalyteList")
def analytes(query: dict[str, Any]) -> Response:
    """Every analyte: codes, units, bounds, reference intervals by age and site, sources"""
    return json_answer(json_text({"items": hall().analytes(query.get("edition"))}))
