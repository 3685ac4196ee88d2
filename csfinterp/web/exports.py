"""Exports of what is stored: /api/v1/exports/…, streamed. De-identified unless the reader's role allows more."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import marshmallow as ma
from flask import Response
from flask_smorest import Blueprint
from marshmallow import fields, validate

from csfinterp.errors import DocumentError, Fault
from csfinterp.exports.exporter import OBSERVATIONS, PANELS, IdentifiedError, Wanted, check_identified
from csfinterp.service import PanelFilter
from csfinterp.web import access, auth, describe
from csfinterp.web.answers import json_answer, json_text
from csfinterp.web.api import PLAIN, SearchQuery
from csfinterp.web.hall import hall
from csfinterp.web.problems import Problem

blueprint = Blueprint("exports", __name__, url_prefix="/api/v1/exports", description="The researcher's table.")
CSV, PARQUET = "text/csv; charset=utf-8", "application/vnd.apache.parquet"


class ExportQuery(SearchQuery):
    class Meta:
        exclude = ("limit", "after", "search")

    columns = fields.String(metadata={"description": "names with commas between, see dictionary.csv; default: all"})
    identified = fields.Boolean(load_default=False, metadata={"description": "ids and dates as stored, by role"})
    project = fields.String(
        load_default="default", validate=PLAIN, metadata={"description": "its name; each has pseudonyms of its own"}
    )


class DictionaryQuery(ma.Schema):
    table = fields.String(load_default=PANELS, validate=validate.OneOf((PANELS, OBSERVATIONS)))


class ManifestQuery(ExportQuery):
    table = fields.String(load_default=PANELS, validate=validate.OneOf((PANELS, OBSERVATIONS)))


def may_identify() -> bool:
    """Whether a role of this reader allows identified exports: whoever may read panels may have them as they are."""
    found = auth.identity()
    return found is not None and bool(access.READS & found.roles)


@blueprint.route("/panels.csv", methods=["GET"])
@blueprint.doc(operationId="exportPanels")
@blueprint.arguments(ExportQuery, location="query", unknown=ma.RAISE)
@describe.errors(blueprint, 403, 422)
@blueprint.alt_response(200, schema={"type": "string"}, content_type="text/csv")
def panels(query: dict[str, Any]) -> Response:
    """One row a panel: the newest version of each, with the columns of `csfinterp cohort`

    The filters are those of the search. De-identified: keyed pseudonyms, dates shifted for each patient, ages of 90 and
    over are 90; manifest.json names what was left out.
    """
    wanted = _wanted(query, PANELS)
    return _streamed(hall().exporter().csv(wanted), CSV, "panels.csv")


@blueprint.route("/observations.csv", methods=["GET"])
@blueprint.doc(operationId="exportObservations")
@blueprint.arguments(ExportQuery, location="query", unknown=ma.RAISE)
@describe.errors(blueprint, 403, 422)
@blueprint.alt_response(200, schema={"type": "string"}, content_type="text/csv")
def observations(query: dict[str, Any]) -> Response:
    """One row a result"""
    return _streamed(hall().exporter().csv(_wanted(query, OBSERVATIONS)), CSV, "observations.csv")


@blueprint.route("/panels.parquet", methods=["GET"])
@blueprint.doc(operationId="exportParquet")
@blueprint.arguments(ExportQuery, location="query", unknown=ma.RAISE)
@describe.errors(blueprint, 403, 422)
@blueprint.alt_response(200, schema={"type": "string", "format": "binary"}, content_type=PARQUET)
def parquet(query: dict[str, Any]) -> Response:
    """panels.csv as Parquet"""
    return _streamed(hall().exporter().parquet(_wanted(query, PANELS)), PARQUET, "panels.parquet")


@blueprint.route("/dictionary.csv", methods=["GET"])
@blueprint.doc(operationId="exportDictionary")
@blueprint.arguments(DictionaryQuery, location="query", unknown=ma.RAISE)
@describe.errors(blueprint, 403, 422)
@blueprint.alt_response(200, schema={"type": "string"}, content_type="text/csv")
def dictionary(query: dict[str, Any]) -> Response:
    """What every column of a table means, in which unit, and where it comes from"""
    text = hall().exporter().dictionary(Wanted(query["table"]))
    return Response(text, content_type=CSV, headers=_attached("dictionary.csv"))


@blueprint.route("/manifest.json", methods=["GET"])
@blueprint.doc(operationId="exportManifest")
@blueprint.arguments(ManifestQuery, location="query", unknown=ma.RAISE)
@describe.errors(blueprint, 403, 422)
@blueprint.alt_response(200, schema={"type": "object"})
def manifest(query: dict[str, Any]) -> Response:
    """What an export with the same parameters holds: edition, software, filters, counts, what was left out

    It warns where few patients share sex, decade of age and site.
    """
    wanted = _wanted(query, query.pop("table"))
    try:
        return json_answer(json_text(hall().exporter().manifest(wanted)))
    except DocumentError as error:
        raise Problem("parameter-refused", error.message, error.faults) from None


def _wanted(query: dict[str, Any], table: str) -> Wanted:
    names, identified, project = (query.pop(name, None) for name in ("columns", "identified", "project"))
    columns = tuple(name.strip() for name in (names or "").split(",") if name.strip())
    wanted = Wanted(table, PanelFilter(**query), columns, bool(identified), str(project))
    try:
        check_identified(wanted, may_identify())
    except IdentifiedError as error:
        raise Problem("not-allowed", str(error), [Fault("/identified", str(error))]) from None
    except DocumentError as error:
        raise Problem("parameter-refused", error.message, error.faults) from None
    return wanted


def _streamed(pieces: Iterator[bytes], content_type: str, name: str) -> Response:
    """What is wrong with the wish is a problem document, not half a file."""
    try:
        first = next(pieces, b"")
    except DocumentError as error:
        raise Problem("parameter-refused", error.message, error.faults) from None
    return Response(itertools.chain([first], pieces), content_type=content_type, headers=_attached(name))


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
