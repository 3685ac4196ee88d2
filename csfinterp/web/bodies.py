"""Reading request bodies: the media type must be one we read, numbers stay as the sender wrote them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flask import Flask, Response, request

from csfinterp.errors import DocumentError, Fault
from csfinterp.formats import FORMATS, ReadLimits, panel_json
from csfinterp.model.panel import Panel
from csfinterp.web.hall import settings
from csfinterp.web.problems import KINDS, Problem

JSON, JSON_LINES = "application/json", "application/x-ndjson"
DRAINED_BYTES = 100_000_000
CHUNK_BYTES = 65_536


def limits() -> ReadLimits:
    """What the settings allow a sender."""
    chosen = settings()
    return ReadLimits(chosen.max_body_bytes, chosen.max_observations, chosen.max_depth)


def read_panel() -> Panel:
    """The panel of the request, in any format that is read here. Raises Problem (415) or DocumentError (413, 422)."""
    read = next((form.read for form in FORMATS.values() if request.mimetype in form.media_types), None)
    if read is None:
        raise Problem("media-type-unsupported", f"{KINDS['media-type-unsupported'].advice} Also read: {_also_read()}.")
    most = settings().max_body_bytes
    advice = KINDS["media-type-unsupported"].advice
    data = _bytes((request.mimetype,), advice, most, f"Send one panel of at most {most} bytes.")
    panels = read(data, limits())
    if len(panels) != 1:
        text = f"The body holds {len(panels)} panels. Send one; several: POST /hl7/v2 or /fhir/r4."
        raise DocumentError(text, (Fault("", text),))
    return panels[0]


def _also_read() -> str:
    readable = (form.media_types for form in FORMATS.values() if form.read is not None)
    return ", ".join(name for names in readable for name in names if name != JSON)


def read_object(known: tuple[str, ...] | None = None) -> Mapping[str, object]:
    """The JSON object of the request; with `known`, other keys are refused. Raises Problem or DocumentError."""
    document = panel_json.parse(_json_bytes(), limits())
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


def read_batch() -> Iterator[Panel | DocumentError]:
    """The panels of a batch one by one; a bad one is its error. Raises Problem (415) or DocumentError (413)."""
    advice = f"Send Content-Type: {JSON} (an array) or {JSON_LINES} (one panel a line), UTF-8, not compressed."
    data = _bytes((JSON, JSON_LINES), advice, settings().batch_bytes, "Send the panels in several batches.")
    return panel_json.read_many(data, limits())


def read_bytes(media_types: tuple[str, ...]) -> bytes:
    """The body as sent, if its type is one of these. Raises Problem (415) or DocumentError (413)."""
    most, advice = settings().max_body_bytes, f"Send Content-Type: {' or '.join(media_types)}, not compressed."
    return _bytes(media_types, advice, most, f"Send one message of at most {most} bytes.")


def _json_bytes() -> bytes:
    most = settings().max_body_bytes
    return _bytes((JSON,), KINDS["media-type-unsupported"].advice, most, f"Send one panel of at most {most} bytes.")


def _bytes(media_types: tuple[str, ...], advice: str, most: int, smaller: str) -> bytes:
    if request.mimetype not in media_types or request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem("media-type-unsupported", advice)
    body = request.stream.read(most + 1)  # chunked bodies tell no length, so it is measured while reading
    if len(body) > most:
        raise DocumentError(f"The body is larger than {most} bytes.", (Fault("", smaller),), too_large=True)
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
