"""FHIR answers: resources as application/fhir+json with versions as ETags, and OperationOutcome for every error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from flask import Response, request

from csfinterp.errors import Fault
from csfinterp.formats.fhir_r4 import MEDIA_TYPE
from csfinterp.formats.panel_json import dumps

PREFIX = "/fhir/"
CONTENT_TYPE = MEDIA_TYPE + "; charset=utf-8"
READ = (MEDIA_TYPE, "application/json")
Resource = dict[str, object]
_CODES = {
    400: "invalid", 404: "not-found", 405: "not-supported", 406: "not-supported", 409: "conflict", 412: "conflict",
    413: "too-long", 415: "not-supported", 422: "processing", 428: "required", 500: "exception", 503: "transient",
}  # fmt: skip
_CHOICE = re.compile(r"(value|effective|collected)[A-Z]\w*")


def answer(resource: Resource, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """One resource."""
    return Response(dumps(resource), status, content_type=CONTENT_TYPE, headers=dict(headers or {}))


def versioned(resource: Resource, version: int) -> Response:
    """A resource that is stored: its version is its ETag, and 304 if the reader has it."""
    response = answer(resource)
    response.set_etag(str(version), weak=True)
    response.make_conditional(request)
    return response


def error(status: int, detail: str, faults: Iterable[Fault] = (), headers: Mapping[str, str] | None = None) -> Response:
    """An OperationOutcome; every fault is an issue that names the place in what was sent."""
    return answer(outcome(status, detail, faults), status, headers)


def outcome(status: int, detail: str, faults: Iterable[Fault] = ()) -> Resource:
    """The OperationOutcome of an error."""
    code = _CODES.get(status, "processing")
    issues = [issue("error", code, fault.message, fault.pointer) for fault in faults]
    return {"resourceType": "OperationOutcome", "issue": issues or [issue("error", code, detail)]}


def information(message: str) -> Resource:
    """The OperationOutcome that tells what was done with an entry."""
    return {"resourceType": "OperationOutcome", "issue": [issue("information", "informational", message)]}


def issue(severity: str, code: str, message: str, pointer: str = "") -> Resource:
    expression = _expression(pointer)
    found: Resource = {"severity": severity, "code": code, "diagnostics": message}
    return found | ({"expression": [expression]} if expression else {})


def _expression(pointer: str) -> str:
    """A JSON pointer as FHIRPath: /entry/0/resource/valueQuantity/value -> entry[0].resource.value.value."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    said = ""
    for step in steps:
        if step.isdecimal():
            said += f"[{step}]"
        else:
            choice = _CHOICE.fullmatch(step)
            said += "." + (choice[1] if choice else step)
    return said.lstrip(".")
