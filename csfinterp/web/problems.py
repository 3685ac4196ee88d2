"""Errors as RFC 9457 problem documents: a stable type with a readable page, a pointer to the field, and what to do."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import flask_smorest
from flask import Flask, Response, g, render_template, request
from werkzeug.exceptions import HTTPException

from csfinterp.errors import ConflictError, DocumentError, EditionError, Fault, NotFoundError, PreconditionError
from csfinterp.printed import PdfMissingError
from csfinterp.web import fhir_answers

MEDIA_TYPE = "application/problem+json"
HTML = "text/html; charset=utf-8"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    """One stable problem type; its page /problems/<name> tells the reader what happened and what to do."""

    name: str
    status: int
    title: str
    advice: str

    @property
    def type(self) -> str:
        return f"/problems/{self.name}"


_KINDS = (
    Kind("request-unreadable", 400, "The request cannot be read", "Check the request line and the headers."),
    Kind(
        "form-expired",
        400,
        "The form is no longer valid",
        "Nothing was changed. Go back, load the page again and send the form once more.",
    ),
    Kind(
        "not-signed-in",
        401,
        "Nobody is signed in",
        "Send Authorization: Bearer and a valid token (csfinterp token add makes one), or sign in at /login.",
    ),
    Kind("not-allowed", 403, "This is not allowed to you", "Ask an administrator of the service for the role."),
    Kind("not-found", 404, "There is nothing at this address", "Check the address; /docs lists all of them."),
    Kind("panel-not-found", 404, "No such panel, version or edition", "Check the id; search with GET /api/v1/panels."),
    Kind("method-not-allowed", 405, "This address does not take this method", "Use a method of the Allow header."),
    Kind("not-acceptable", 406, "None of the accepted media types can be produced", "Send an Accept header of /docs."),
    Kind(
        "message-id-reused",
        409,
        "This message id came before with other content",
        "Nothing was stored. Send a correction under a new source.message_id and the same specimen.id.",
    ),
    Kind(
        "other-patient",
        409,
        "This specimen belongs to another patient",
        "The message is held and joined to no patient. Check specimen.id and patient.id with the laboratory.",
    ),
    Kind(
        "acknowledged-before",
        409,
        "Another call-back is noted for this result",
        "A call-back is written once. Read critical[].acknowledged of the interpretation; nothing was changed.",
    ),
    Kind(
        "held-decided",
        409,
        "This held message is decided already",
        "Read it with GET /api/v1/held/{id}: it names who decided, when and why.",
    ),
    Kind("conflict", 409, "What was sent contradicts what is stored", "Read the panel again, then decide."),
    Kind(
        "version-outdated",
        412,
        "The panel has a newer version",
        "Read the newest version and send its ETag in If-Match.",
    ),
    Kind("too-large", 413, "The request is too large", "Send one panel per request, without attachments."),
    Kind(
        "media-type-unsupported",
        415,
        "The content type is not read here",
        "Send Content-Type: application/json or application/fhir+json, UTF-8, not compressed.",
    ),
    Kind(
        "document-refused",
        422,
        "The document cannot be interpreted",
        "Nothing was stored. Mend every entry of errors and send the whole document again.",
    ),
    Kind("parameter-refused", 422, "A query parameter is not valid", "See the parameters of the operation in /docs."),
    Kind("edition-refused", 422, "This edition cannot be used", "GET /api/v1/editions lists the usable editions."),
    Kind(
        "precondition-required",
        428,
        "This change needs an If-Match header",
        "Read the panel, send its ETag in If-Match, so that no newer version is overwritten unseen.",
    ),
    Kind(
        "too-many-requests",
        429,
        "Too many attempts",
        "Nothing was done. Wait a minute, then try again with a valid password or token.",
    ),
    Kind(
        "internal-error",
        500,
        "The service failed",
        "Nothing was lost: send the same content again. If it fails again, give the operator the request id.",
    ),
    Kind(
        "pdf-not-installed",
        501,
        "This installation makes no PDF",
        "Print the page instead. The operator adds PDF with: pip install 'csfinterp[pdf]'.",
    ),
    Kind("busy", 503, "Too many write at once", "Nothing was stored. Send the same content again in a second."),
    Kind("not-ready", 503, "The service is not ready", "Try again in a minute; the log has the cause."),
)
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _KINDS}
_BY_CONFLICT = {
    "message_id_reused": "message-id-reused",
    "other_patient": "other-patient",
    "acknowledged_before": "acknowledged-before",
    "held_decided": "held-decided",
    "version_outdated": "version-outdated",
    "if_match_missing": "precondition-required",
    "busy": "busy",
}
_BY_STATUS = {
    400: "request-unreadable",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    429: "too-many-requests",
}


class Problem(Exception):
    """Raised by a view: answers with the problem document of `name`. `faults` point into the body or the query."""

    def __init__(self, name: str, detail: str, faults: Iterable[Fault] = ()) -> None:
        super().__init__(name)
        self.kind, self.detail, self.faults = KINDS[name], detail, tuple(faults)


def respond(
    kind: Kind, detail: str, faults: Iterable[Fault] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """The problem as a document (a page for a browser that asks for a page); `errors` only where there are any."""
    if request.path.startswith(fhir_answers.PREFIX):
        return fhir_answers.error(kind.status, detail, faults, headers)
    if wants_page():
        page = render_template("problem.html", kind=kind, detail=detail)
        return Response(page, kind.status, content_type=HTML, headers=dict(headers or {}))
    body = json.dumps(document(kind, detail, faults), ensure_ascii=True)
    return Response(body, kind.status, content_type=MEDIA_TYPE, headers=dict(headers or {}))


def wants_page() -> bool:
    """True if a person is reading: a browser that asks for a page outside of the interfaces."""
    if request.path.startswith(("/api/", fhir_answers.PREFIX, "/hl7/", "/cds-services")):
        return False
    return request.accept_mimetypes.best_match([MEDIA_TYPE, "text/html"]) == "text/html"


def document(kind: Kind, detail: str, faults: Iterable[Fault] = ()) -> dict[str, object]:
    """The problem as RFC 9457 members; `errors` only where there are any."""
    found: dict[str, object] = {"type": kind.type, "title": kind.title, "status": kind.status, "detail": detail}
    errors = [{"pointer": fault.pointer, "detail": fault.message} for fault in faults]
    if errors:
        found["errors"] = errors
    found["request_id"] = g.get("request_id")
    return found


def document_of(error: Exception) -> dict[str, object]:
    """The problem document of an error that answers one item of many; what is not ours is logged without content."""
    if isinstance(error, DocumentError):
        return document(_document_kind(error), error.message, error.faults)
    if isinstance(error, ConflictError):
        return document(kind_of(error), error.message)
    return document(*_internal(error))


class Api(flask_smorest.Api):
    """flask-smorest with problem documents instead of its own error form."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def handle_http_exception(self, error: HTTPException) -> Response:
        return _http_problem(error)


def register(app: Flask) -> None:
    """Teach the app every error: ours, HTTP's, and the unexpected one, which is logged without any content."""
    app.register_error_handler(Problem, lambda error: respond(error.kind, error.detail, error.faults))
    app.register_error_handler(DocumentError, _document_problem)
    app.register_error_handler(PreconditionError, _conflict_problem)
    app.register_error_handler(ConflictError, _conflict_problem)
    app.register_error_handler(PdfMissingError, lambda error: respond(KINDS["pdf-not-installed"], str(error)))
    app.register_error_handler(NotFoundError, lambda error: respond(KINDS["panel-not-found"], str(error)))
    app.register_error_handler(EditionError, lambda error: respond(KINDS["edition-refused"], error.message))
    app.register_error_handler(Exception, _unexpected)


def _document_problem(error: DocumentError) -> Response:
    return respond(_document_kind(error), error.message, error.faults)


def _document_kind(error: DocumentError) -> Kind:
    return KINDS["too-large" if error.too_large else "document-refused"]


def kind_of(error: ConflictError) -> Kind:
    """The problem type of a conflict."""
    return KINDS[_BY_CONFLICT.get(error.kind, "conflict")]


def _conflict_problem(error: ConflictError) -> Response:
    kind = kind_of(error)
    return respond(kind, error.message, headers={"Retry-After": "1"} if kind.name == "busy" else None)


def _http_problem(error: HTTPException) -> Response:
    """Errors of Flask, Werkzeug and webargs. Headers that HTTP asks for (Allow, Retry-After) are kept."""
    if error.code == 422:
        faults = query_faults(getattr(error, "data", {}).get("messages", {}).get("query", {}))
        return respond(KINDS["parameter-refused"], "One or more query parameters are not valid.", faults)
    status = error.code or 500
    kind = KINDS[_BY_STATUS.get(status, "internal-error" if status >= 500 else "request-unreadable")]
    if kind.status != status:
        kind = Kind(kind.name, status, kind.title, kind.advice)
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Location", "Retry-After")}
    return respond(kind, kind.advice, headers=headers)


def query_faults(messages: Mapping[str, list[str]]) -> list[Fault]:
    """webargs' messages as faults; the pointer is the parameter's name behind a slash."""
    return [
        Fault("/" + str(name).replace("~", "~0").replace("/", "~1"), " ".join(map(str, texts)))
        for name, texts in messages.items()
    ]


def _unexpected(error: Exception) -> Response:
    """500 for a bug. The log gets the kind of error and the places in the code, not the message: it may hold values."""
    return _http_problem(error) if isinstance(error, HTTPException) else respond(*_internal(error))


def _internal(error: Exception) -> tuple[Kind, str]:
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
    log.error("unexpected error", extra={"error": type(error).__name__, "where": where})
    kind = KINDS["internal-error"]
    return kind, kind.advice
