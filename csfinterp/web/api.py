"""The JSON door for panels: /api/v1/panels and /api/v1/interpret. Bytes in, one call of the service, bytes out."""

from __future__ import annotations

import re
from dataclasses import asdict
from functools import partial
from typing import Any

import marshmallow as ma
from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import fields, validate

from csfinterp.errors import DocumentError, Fault
from csfinterp.formats import FORMATS, acknowledgement, fhir_r4, report_changes, report_text
from csfinterp.printed import report_pdf
from csfinterp.service import PanelFilter, StoredPanel, Submission
from csfinterp.web import auth, describe, pages
from csfinterp.web.answers import JSON, PDF, json_answer, json_text, negotiated
from csfinterp.web.bodies import read_object, read_panel
from csfinterp.web.hall import hall, settings
from csfinterp.web.paging import ExpiredError, Pages
from csfinterp.web.problems import Problem

blueprint = Blueprint("panels", __name__, url_prefix="/api/v1", description="Send panels, read interpretations.")
# Beside JSON and the page: every format of the registry that can be written.
WRITERS = {
    name: form.write
    for form in FORMATS.values()
    if form.write is not None and JSON not in form.media_types
    for name in form.media_types
}
PLAIN = [validate.Length(min=1, max=200), validate.Regexp(r"[^\x00]*\Z", error="Must not hold a NUL character.")]


class Whole(fields.Integer):
    """A whole number from 1 in plain digits (int() would also take "1_0", " 1" and digits of other scripts)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not re.fullmatch(r"[1-9][0-9]{0,5}", str(value), re.ASCII):
            raise ma.ValidationError("Send a whole number from 1 to 999999.")
        return int(value)


class VersionQuery(ma.Schema):
    version = Whole(validate=validate.Range(1, 999_999), metadata={"description": "Default: the newest."})


class ChangesQuery(ma.Schema):
    older = Whole(data_key="from", metadata={"description": "Default: the version before `to`."})
    newer = Whole(data_key="to", metadata={"description": "Default: the newest."})


class SearchQuery(ma.Schema):
    patient = fields.String(validate=PLAIN)
    specimen = fields.String(validate=PLAIN)
    source = fields.String(validate=PLAIN, metadata={"description": "source.system of the sender"})
    collected_from = fields.String(validate=PLAIN, metadata={"description": "date or time with offset, included"})
    collected_to = fields.String(validate=PLAIN, metadata={"description": "date or time with offset, included"})
    certainty = fields.String(validate=validate.OneOf(describe.CERTAINTIES), metadata={"description": "of LM"})
    flag = fields.String(validate=PLAIN, metadata={"description": "a flag (HH), or analyte:flag (csf_lactate:H)"})
    finding = fields.String(validate=PLAIN, metadata={"description": "a finding that is true, or id:false, id:unknown"})
    critical = fields.String(validate=validate.OneOf(["open"]), metadata={"description": "open: not yet acknowledged"})
    provisional = fields.String(
        validate=validate.OneOf(["true"]), metadata={"description": "the LM certainty or the panel is provisional"}
    )
    limit = Whole(validate=validate.Range(1, 999_999), metadata={"description": "rows per page"})
    after = fields.String(validate=PLAIN, metadata={"description": "taken from `next`"})
    search = fields.String(
        validate=PLAIN, metadata={"description": "taken from `next`; for a day it stands for the filters"}
    )


@blueprint.route("/panels", methods=["POST"])
@blueprint.doc(requestBody=describe.PANEL_BODY, operationId="submitPanel")
@describe.errors(blueprint, 409, 413, 415, 422)
@blueprint.alt_response(201, schema="Interpretation", headers=describe.STORED_HEADERS, description="Stored")
@blueprint.alt_response(200, schema="Interpretation", headers=describe.STORED_HEADERS, description="Came before")
def submit() -> Response:
    """Store and interpret one panel

    The same content again answers 200 with the same ids. The same specimen with new content makes the next version;
    JSON then replaces the whole panel, an HL7 v2 message only the results that it names.
    """
    # An HL7 message names what is new; what is stored of the specimen besides stays.
    submission = hall().submit(read_panel(), partial=request.mimetype in FORMATS["hl7"].media_types)
    return _stored(submission, 201 if submission.created else 200)


@blueprint.route("/interpret", methods=["POST"])
@blueprint.doc(requestBody=describe.PANEL_BODY, operationId="interpretPanel")
@describe.errors(blueprint, 413, 415, 422)
@blueprint.alt_response(200, schema="Interpretation")
def interpret() -> Response:
    """Interpret one panel and store nothing"""
    return json_answer(json_text(hall().interpret(read_panel())))


@blueprint.route("/panels", methods=["GET"])
@blueprint.doc(operationId="searchPanels")
@blueprint.arguments(SearchQuery, location="query", unknown=ma.RAISE)
@describe.errors(blueprint, 422)
@blueprint.alt_response(200, schema="PanelPage")
def search(query: dict[str, Any]) -> Response:
    """Search panels, newest first

    Follow `next` until it is null. All filters must hold.
    """
    links = _links()
    if query.pop("search", None) is not None:
        query = SearchQuery().load(dict(links.asked))
    limit, after = query.pop("limit", settings().page_size), links.after
    query.pop("after", None)
    if limit > settings().page_size_max:
        fault = Fault("/limit", f"Must be at most {settings().page_size_max}.")
        raise Problem("parameter-refused", "One or more query parameters are not valid.", [fault])
    try:
        page = hall().search(PanelFilter(**query), limit, after)
    except DocumentError as error:
        raise Problem("parameter-refused", error.message, error.faults) from None
    following = None if page.next is None else links.address(page.next)
    return json_answer(json_text({"items": page.items, "next": following}))


def _links() -> Pages:
    try:
        return Pages(request.base_url, list(request.args.items()), "search", "after", ("patient", "specimen"))
    except ExpiredError as error:
        raise Problem("parameter-refused", error.advice, [Fault("/search", error.advice)]) from None


@blueprint.route("/panels/<panel_id>", methods=["GET"])
@blueprint.doc(operationId="readPanel")
@blueprint.arguments(VersionQuery, location="query", unknown=ma.RAISE)
@describe.errors(blueprint, 404, 422)
@blueprint.alt_response(304, description="The reader has this version")
@blueprint.alt_response(200, schema="StoredPanel", headers=describe.ETAG_HEADER)
def read(query: dict[str, Any], panel_id: str) -> Response:
    """The panel as it was received, and where it stands"""
    stored = hall().panel(panel_id, query.get("version"))
    names = ("panel_id", "version", "versions", "status", "reason", "created_at", "edition")
    about = json_text({name: getattr(stored, name) for name in names})
    # The panel goes out as text, so that every number stays exactly as it was sent.
    return json_answer(f'{about[:-1]},"panel":{stored.panel_text}}}', etag=pages.tag_with_count(stored))


@blueprint.route("/panels/<panel_id>/versions", methods=["GET"])
@blueprint.doc(operationId="listVersions")
@describe.errors(blueprint, 404)
@blueprint.alt_response(200, schema="VersionList")
def versions(panel_id: str) -> Response:
    """Every version of a panel, oldest first; none is ever changed or deleted

    `change` counts what differs from the version before; a critical result that was withdrawn is counted there, too.
    """
    found, changed = hall().versions(panel_id), hall().version_changes(panel_id)
    items = [{**asdict(info), "change": change} for info, change in zip(found, changed, strict=False)]
    return json_answer(json_text({"items": items}))


@blueprint.route("/panels/<panel_id>/changes", methods=["GET"])
@blueprint.doc(operationId="readChanges")
@blueprint.arguments(ChangesQuery, location="query", unknown=ma.RAISE)
@describe.errors(blueprint, 404, 422)
@blueprint.alt_response(200, schema="Change")
def changes(query: dict[str, Any], panel_id: str) -> Response:
    """What one version says otherwise than another, by default the newest against the one before it

    `critical.withdrawn` lists the critical calls that no longer hold: tell whoever was called.
    """
    try:
        return json_answer(json_text(hall().changes(panel_id, query.get("older"), query.get("newer"))))
    except DocumentError as error:
        raise Problem("parameter-refused", error.message, error.faults) from None


@blueprint.route("/panels/<panel_id>/interpretation", methods=["GET"])
@blueprint.doc(operationId="readInterpretation")
@blueprint.arguments(VersionQuery, location="query", unknown=ma.RAISE)
@describe.errors(blueprint, 404, 406, 422)
@blueprint.alt_response(304, description="The reader has this version")
@blueprint.alt_response(200, schema={"type": "string"}, content_type="text/html")
@blueprint.alt_response(200, schema={"type": "object"}, content_type=fhir_r4.MEDIA_TYPE)
@blueprint.alt_response(200, schema={"type": "string", "format": "binary"}, content_type=PDF)
@blueprint.alt_response(200, schema={"type": "string"}, content_type="application/hl7-v2")
@blueprint.alt_response(200, schema={"type": "string"}, content_type="text/plain")
@blueprint.alt_response(200, schema="Interpretation", headers=describe.ETAG_HEADER)
def interpretation(query: dict[str, Any], panel_id: str) -> Response:
    """The interpretation of a panel: JSON, HL7 v2 (ORU^R01), FHIR R4, text for a terminal, PDF for paper, or a page"""
    stored = hall().panel(panel_id, query.get("version"))
    return negotiated(
        pages.tag_with_count(stored),
        {
            JSON: lambda: json_text(stored.document),
            **{name: partial(write, stored.document) for name, write in WRITERS.items()},
            "text/plain": lambda: _text(stored),
            "text/html": lambda: pages.interpretation_page(stored),
            PDF: lambda: report_pdf(hall(), stored),
        },
    )


@blueprint.route("/panels/<panel_id>/context", methods=["PUT"])
@blueprint.doc(requestBody=describe.CONTEXT_BODY, operationId="putContext", parameters=[describe.IF_MATCH])
@describe.errors(blueprint, 404, 412, 413, 415, 422, 428)
@blueprint.alt_response(200, schema="Interpretation", headers=describe.STORED_HEADERS)
def put_context(panel_id: str) -> Response:
    """Replace the clinical context and interpret again

    Needs the ETag of the newest version in If-Match, so that nobody overwrites what they have not seen.
    """
    return _stored(hall().amend_context(panel_id, read_object(), request.headers.get("If-Match")))


@blueprint.route("/panels/<panel_id>/acknowledgements", methods=["POST"])
@blueprint.doc(requestBody=describe.CALL_BODY, operationId="acknowledgeCalls")
@describe.errors(blueprint, 404, 409, 413, 415, 422)
@blueprint.alt_response(201, schema="CallBackNoted", description="Noted")
@blueprint.alt_response(200, schema="CallBackNoted", description="The same came before")
def acknowledge(panel_id: str) -> Response:
    """Note a critical call-back: who was told, by whom, when, read back or not

    Written once and never changed. `calls` names the calls of that version; without it all that are open. It holds for
    later versions as long as they make the call in the same words; a changed call is open again.
    """
    told = hall().calls.record(panel_id, acknowledgement.read(read_object()), auth.signed_in_name())
    answer = {"panel_id": told.panel_id, "version": told.version, "critical": told.calls}
    location = f"{blueprint.url_prefix}/panels/{panel_id}/interpretation?version={told.version}"
    return json_answer(json_text(answer), 201 if told.created else 200, location=location)


@blueprint.route("/panels/<panel_id>/reinterpret", methods=["POST"])
@blueprint.doc(requestBody=describe.REINTERPRET_BODY, operationId="reinterpretPanel")
@describe.errors(blueprint, 404, 413, 415, 422)
@blueprint.alt_response(200, schema="Interpretation", headers=describe.STORED_HEADERS)
def reinterpret(panel_id: str) -> Response:
    """Interpret a stored panel with another edition; the old version stays readable"""
    body = read_object(("edition",))
    edition = body.get("edition")
    if type(edition) is not str or edition not in {info.id for info in hall().editions()}:
        fault = Fault("/edition", "Send the id of an edition as text; GET /api/v1/editions lists them.")
        raise DocumentError("The edition is missing or not known.", (fault,))
    return _stored(hall().reinterpret(panel_id, edition))


def _text(stored: StoredPanel) -> str:
    """The report, behind what changed since the version before."""
    report = report_text.write(stored.document)
    changed = pages.change_of(stored)
    return report if changed is None else report_changes.write(changed) + report


def _stored(submission: Submission, status: int = 200) -> Response:
    location = f"{blueprint.url_prefix}/panels/{submission.panel_id}"
    return json_answer(submission.text, status, submission.etag, location)
