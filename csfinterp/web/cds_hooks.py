"""CDS Hooks 2.0: one service for `patient-view` that tells what stands in the newest CSF panels of the patient.

The patient is found by the identifier of the prefetched Patient, as FHIR bundles are read; a panel with another birth
date is not shown.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import marshmallow as ma
from flask import Blueprint, Response, request
from marshmallow import fields, validate

from csfinterp.errors import DocumentError, Fault
from csfinterp.formats import panel_json
from csfinterp.formats.fhir_body import Resource
from csfinterp.formats.fhir_subject import patient_id
from csfinterp.formats.report_document import Report
from csfinterp.formats.report_layout import clean
from csfinterp.formats.report_words import part, parts, text
from csfinterp.service import PanelFilter, StoredPanel
from csfinterp.web.answers import json_answer, json_text
from csfinterp.web.bodies import limits, pointer, read_bytes
from csfinterp.web.hall import hall
from csfinterp.web.problems import Problem

blueprint = Blueprint("cds_hooks", __name__, url_prefix="/cds-services")
SERVICE = "csf-panels"
MOST_CARDS, MOST_SENTENCES, LONGEST_SUMMARY = 3, 8, 140
# Any constant: the same version of a panel is the same card, so that feedback names it.
_SPACE = uuid.UUID("1c0d9a52-8f0e-4f0b-9d3e-0a4d2b7c9e11")
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|])")


class ContextSchema(ma.Schema):
    class Meta:
        unknown = ma.EXCLUDE

    userId = fields.String(required=True)
    patientId = fields.String(required=True, validate=validate.Length(1, 200))


class RequestSchema(ma.Schema):
    """What a client must send; further fields (fhirServer, fhirAuthorization ...) are not read."""

    class Meta:
        unknown = ma.EXCLUDE

    hook = fields.String(required=True, validate=validate.Equal("patient-view"))
    hookInstance = fields.UUID(required=True)
    context = fields.Nested(ContextSchema, required=True)
    prefetch = fields.Dict(keys=fields.String(), allow_none=True)


class AnswerSchema(ma.Schema):
    class Meta:
        unknown = ma.INCLUDE

    card = fields.UUID(required=True)
    outcome = fields.String(required=True, validate=validate.OneOf(["accepted", "overridden"]))


class FeedbackSchema(ma.Schema):
    class Meta:
        unknown = ma.EXCLUDE

    feedback = fields.List(fields.Nested(AnswerSchema), required=True, validate=validate.Length(1, 100))


@blueprint.get("")
def discovery() -> Response:
    """The services of this server."""
    service = {
        "hook": "patient-view",
        "id": SERVICE,
        "title": "Cerebrospinal fluid panels",
        "description": "Headline and key statements of the patient's newest CSF panels, with links to the reports.",
        "prefetch": {"patient": "Patient/{{context.patientId}}"},
    }
    return json_answer(json_text({"services": [service]}))


@blueprint.post("/<service>")
def cards(service: str) -> Response:
    """Cards for the patient; none where nothing is stored."""
    asked = _body(service, RequestSchema())
    person, born = _patient(asked)
    found = [] if person is None else list(_stored(person, born))
    return json_answer(json_text({"cards": list(map(_card, found))}))


@blueprint.post("/<service>/feedback")
def feedback(service: str) -> Response:
    """Keep what clinicians answered to cards."""
    sent = _body(service, FeedbackSchema())
    hall().keep_feedback(service, [{**one, "card": str(one["card"])} for one in sent["feedback"]])
    return Response(status=200)


def _body(service: str, schema: ma.Schema) -> dict[str, Any]:
    if service != SERVICE:
        raise Problem("not-found", "There is no such service; GET /cds-services lists them.")
    document = panel_json.parse(read_bytes(("application/json",)), limits())
    try:
        if not isinstance(document, dict):
            raise ma.ValidationError("Send a JSON object.", "_schema")
        found: dict[str, Any] = schema.load(document)
    except ma.ValidationError as error:
        faults = [Fault("" if key == "_schema" else pointer(str(key)), _said(why)) for key, why in _told(error)]
        raise DocumentError("The request is not one of CDS Hooks 2.0.", tuple(faults)) from None
    return found


def _told(error: ma.ValidationError) -> Iterator[tuple[object, object]]:
    messages = error.messages
    yield from messages.items() if isinstance(messages, dict) else [("_schema", messages)]


def _said(messages: object) -> str:
    """The first message, whatever it is nested in; marshmallow's own words hold no value."""
    while isinstance(messages, dict | list) and messages:
        messages = next(iter(messages.values())) if isinstance(messages, dict) else messages[0]
    return str(messages)


def _patient(asked: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The record number and birth date of the prefetched Patient; without one the id of the context is the number."""
    resource = part(asked.get("prefetch"), "patient")
    if resource.get("resourceType") != "Patient":
        return asked["context"]["patientId"], None
    return patient_id(Resource("Patient", dict(resource), ())), text(resource, "birthDate") or None


def _stored(person: str, born: str | None) -> Iterator[StoredPanel]:
    page = hall().search(PanelFilter(patient=person), MOST_CARDS)
    for item in page.items:
        stored = hall().panel(item.panel_id)
        known = text(part(stored.panel_document, "patient"), "birth_date")
        if born is None or not known or known.startswith(born):
            yield stored


def _card(stored: StoredPanel) -> dict[str, object]:
    document = stored.document
    summary, specimen = part(document, "summary"), part(document, "specimen")
    page = f"{request.url_root.rstrip('/')}/panels/{stored.panel_id}"
    collected = text(specimen, "collected_at").partition("T")[0]
    return {
        "uuid": str(uuid.uuid5(_SPACE, stored.etag)),
        "summary": _short(f"CSF{f' of {collected}' if collected else ''}: {clean(text(summary, 'headline'))}"),
        "indicator": _indicator(document),
        "detail": "\n\n".join(_detail(document)),
        "source": {"label": f"csfinterp, edition {text(part(document, 'edition'), 'id')}", "url": page},
        "links": [{"label": "Whole report with sources", "url": page, "type": "absolute"}],
    }


def _short(line: str) -> str:
    return line if len(line) <= LONGEST_SUMMARY else line[: LONGEST_SUMMARY - 1].rstrip() + "…"


def _indicator(document: Mapping[str, object]) -> str:
    """critical: a call is not acknowledged; warning: only urgent ones are not."""
    waiting = {text(call, "level") for call in parts(document, "critical") if call.get("acknowledged") is None}
    return "critical" if "critical" in waiting else "warning" if waiting else "info"


def _detail(document: Mapping[str, object]) -> Iterator[str]:
    """Headline, status and the first sentences as Markdown; signs of a sender stay text."""
    report = Report(document)
    summary = part(document, "summary")
    yield f"**{_plain(text(summary, 'headline'))}** ({_plain(text(document, 'status'))})"
    sentences = parts(summary, "sentences")
    told = [f"* {_plain(text(one, 'text') + _weak(one))}" for one in sentences[:MOST_SENTENCES]]
    if told:
        yield "\n".join(told)
    if len(sentences) > MOST_SENTENCES:
        more = len(sentences) - MOST_SENTENCES
        yield f"{more} more statements, and the {len(report.sources)} sources, stand in the report."
    yield _plain(text(document, "disclaimer"))


def _weak(sentence: Mapping[str, object]) -> str:
    status = text(sentence, "status")
    return f" ({status})" if status not in ("", "primary") else ""


def _plain(line: str) -> str:
    return _MARKUP.sub(r"\\\1", clean(line))
