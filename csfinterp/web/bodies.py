"""Reading request bodies: the media type must be one we read, numbers stay as the sender wrote them."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask, Response, request

from csfinterp.errors import DocumentError, Fault
from csfinterp.formats import FORMATS, ReadLimits, panel_json
from csfinterp.model.panel import Panel
from csfinterp.web.hall import settings
from csfinterp.web.problems import KINDS, Problem

JSON = "application/json"
DRAINED_BYTES = 100_000_000
CHUNK_BYTES = 65_536


def limits() -> ReadLimits:
    """What the settings allow a sender."""
    chosen = settings()
    return ReadLimits(chosen.max_body_bytes, chosen.max_observations, chosen.max_depth)


def read_panel() -> Panel:
    """The one panel of the request, in any format that is read. Raises Problem (415) or DocumentError (413, 422)."""
    form = next((form for form in FORMATS.values() if form.read and request.mimetype in form.media_types), None)
    if form is None or form.read is None:
        raise Problem("media-type-unsupported", KINDS["media-type-unsupported"].advice)
    panels = form.read(read_bytes(form.media_types), limits())
    if len(panels) != 1:
        message = f"This message holds {len(panels)} panels. Send one panel here, Bundles of several to /fhir/r4."
        raise DocumentError(message, (Fault("", message),))
    return panels[0]


def read_object(known: tuple[str, ...] | None = None) -> Mapping[str, object]:
    """The JSON object of the request; with `known`, other keys are refused. Raises Problem or DocumentError."""
    document = panel_json.parse(read_bytes((JSON,)), limits())
    if not isinstance(document, dict):
        raise DocumentError("The body must be a JSON object.", (Fault("", "Send a JSON object: { … }."),))
    unknown = [key for key in document if known is not None and key not in known]
    if unknown:
        faults = tuple(Fault(pointer(key), f"Unknown key; known are: {', '.join(known or ())}.") for key in unknown)
        raise DocumentError("The body has unknown keys.", faults)
    return document


def pointer(key: str) -> str:
    """The RFC 6901 pointer to a key of the top level."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def read_bytes(media_types: tuple[str, ...]) -> bytes:
    """The body as sent. Raises Problem (415) for another media type or encoding, DocumentError if it is too large."""
    if request.mimetype not in media_types or request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem("media-type-unsupported", KINDS["media-type-unsupported"].advice)
    most = settings().max_body_bytes
    body = request.stream.read(most + 1)  # chunked bodies tell no length, so it is measured while reading
    if len(body) > most:
        message = f"The body is larger than {most} bytes."
        raise DocumentError(message, (Fault("", f"Send one panel of at most {most} bytes."),), too_large=True)
    return body


def register(app: Flask) -> None:
    """Read on what a refused sender is still sending: a server that closes too early cuts off its own answer."""

    @app.after_request
    def drain(response: Response) -> Response:
        stream, left = request.environ["wsgi.input"], DRAINED_BYTES
        if request.environ.get("wsgi.input_terminated") and request.method in ("POST", "PUT", "PATCH", "DELETE"):
            while left > 0 and (read := len(stream.read(CHUNK_BYTES))):
                left -= read
        return response
