"""What /openapi.json says beyond the routes: shapes from components.yaml, request bodies with real examples, errors."""

from __future__ import annotations

import http
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import apispec
import yaml
from flask_smorest import Blueprint

from csfinterp.samples import SAMPLES, hl7_sample
from csfinterp.web.problems import MEDIA_TYPE

View = TypeVar("View", bound=Callable[..., Any])
CERTAINTIES = ("confirmed", "probable", "possible", "lack_of_evidence", "not_classifiable", "not_applicable")

INTRODUCTION = """Send a cerebrospinal fluid (CSF) panel, get one structured, explained and cited interpretation.

* `POST /api/v1/interpret` answers and stores nothing; `POST /api/v1/panels` stores every version.
* Cells have issues, documents have errors: an odd unit or value is an entry of `issues`, the rest is interpreted. Only
  an unreadable document, one that breaks the schema or one without any known CSF analyte is refused.
* Missing is never normal: what could not be judged is named, with what it would settle.
* Errors are RFC 9457 problem documents; `errors[].pointer` is the JSON pointer of the field.

Decision support for laboratories and clinicians, not a diagnosis."""

ETAG_HEADER = {"ETag": {"schema": {"type": "string"}, "description": "The version read; for If-None-Match, If-Match."}}
STORED_HEADERS = ETAG_HEADER | {"Location": {"schema": {"type": "string"}, "description": "Where the panel is read."}}
IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "required": True,
    "schema": {"type": "string"},
    "description": "The ETag of the newest version, or * for any. Without it: 428.",
}


def _body(schema: str, examples: dict[str, Any]) -> dict[str, Any]:
    shown = {name: {"summary": summary, "value": value} for name, (summary, value) in examples.items()}
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {"required": True, "content": {"application/json": {"schema": reference, "examples": shown}}}


PANEL_BODY = _body("Panel", {sample.name: (sample.title, sample.document()) for sample in SAMPLES})
_TWO = [sample.document() for sample in SAMPLES[:2]]
_LINES = "".join(json.dumps(document) + "\n" for document in _TWO)
_PANELS = {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Panel"}}
BATCH_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {"schema": _PANELS, "examples": {"two": {"summary": "Two panels", "value": _TWO}}},
        "application/x-ndjson": {
            "schema": {"type": "string"},
            "examples": {"two": {"summary": "One panel a line", "value": _LINES}},
        },
    },
}
PANEL_BODY["content"]["application/hl7-v2"] = {"schema": {"type": "string"}, "example": hl7_sample()}
PANEL_BODY["content"]["application/fhir+json"] = {
    "schema": {"type": "object", "description": "A FHIR R4 Bundle or DiagnosticReport that holds one panel of CSF."}
}
_MRI_LATER = {"tumor": {"class": "solid", "primary": "lung"}, "clinical_signs": "typical", "mri": "linear"}
CONTEXT_BODY = _body("Context", {"mri_later": ("MRI reported after the puncture", _MRI_LATER)})
REINTERPRET_BODY = _body("Reinterpretation", {"edition": ("Another edition", {"edition": "2026.1"})})
_TOLD = {
    "version": 1, "told": "Dr. Example, ward 3", "by": "A. Sample, laboratory", "at": "2026-03-01T10:05:00+01:00",
    "read_back": True,
}  # fmt: skip
_ONE_CALL = {"calls": [{"analyte": "csf_gram_stain", "rule": "CR-ORG"}]}
CALL_BODY = _body(
    "CallBack", {"all": ("All open calls of the version", _TOLD), "one": ("One of them", _TOLD | _ONE_CALL)}
)
_DECIDED = {"by": "Dr. Example", "note": "Same patient, registered twice."}
RELEASE_BODY = _body("Decision", {"join": ("Same patient: take the stored patient id", {**_DECIDED, "join": True})})
DISCARD_BODY = _body("Decision", {"discard": ("Not to be stored", _DECIDED)})
_HL7_CONTENT = {"schema": {"type": "string"}, "example": hl7_sample()}
HL7_TYPES = ("application/hl7-v2", "x-application/hl7-v2+er7", "text/plain")
HL7_BODY = {"required": True, "content": {name: _HL7_CONTENT for name in HL7_TYPES}}


def add_components(spec: apispec.APISpec) -> None:
    """Register every shape of components.yaml, and the token that requests carry."""
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    shapes = yaml.safe_load((Path(__file__).parent / "components.yaml").read_text(encoding="utf-8"))
    for name, shape in shapes.items():
        spec.components.schema(name, shape)


def errors(blueprint: Blueprint, *statuses: int, public: bool = False) -> Callable[[View], View]:
    """Document the problem answers of an operation, those of the guard too unless it answers anybody (`public`)."""
    guard = () if public else (401, 403, 429)

    def decorate(view: View) -> View:
        if not public:
            view = blueprint.doc(security=[{"token": []}])(view)
        for status in sorted({*statuses, *guard, 500}):
            phrase = http.HTTPStatus(status).phrase
            view = blueprint.alt_response(status, schema="Problem", content_type=MEDIA_TYPE, description=phrase)(view)
        return view

    return decorate


def hl7_answers(blueprint: Blueprint) -> Callable[[View], View]:
    """Document the acknowledgment: text in the media type of the message."""

    def decorate(view: View) -> View:
        for name in HL7_TYPES:
            view = blueprint.alt_response(
                200, schema={"type": "string"}, content_type=name, description="The acknowledgment"
            )(view)
        return view

    return decorate
