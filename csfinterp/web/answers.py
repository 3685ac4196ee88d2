"""Answers: one way to turn a document into JSON bytes, text or a page, with ETag, 304 and content negotiation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import orjson
from flask import Response, request

from csfinterp.web.problems import KINDS, Problem

JSON = "application/json"
PDF = "application/pdf"


def json_answer(text: str, status: int = 200, etag: str | None = None, location: str | None = None) -> Response:
    """JSON text as a response; 304 where the reader's If-None-Match names `etag`."""
    response = Response(text, status, content_type=JSON)
    if location is not None:
        response.headers["Location"] = location
    return conditional(response, etag)


def conditional(response: Response, etag: str | None, variant: str = "") -> Response:
    """Set the ETag of this representation and answer 304 if the reader has it already."""
    if etag is None:
        return response
    response.set_etag(etag + variant)
    if request.method in ("GET", "HEAD"):
        response.make_conditional(request)  # changes the response in place
    return response


def negotiated(etag: str, writers: Mapping[str, Callable[[], str | bytes]], default: str = JSON) -> Response:
    """The representation that Accept prefers; `writers`: media type -> text or bytes.

    No Accept header: `default`; none of them accepted: 406.
    """
    accepted = request.accept_mimetypes
    chosen = accepted.best_match(list(writers)) if accepted else default
    if chosen is None:
        raise Problem("not-acceptable", f"{KINDS['not-acceptable'].advice} Here: {', '.join(writers)}.")
    content_type = chosen if chosen in (JSON, PDF) else f"{chosen}; charset=utf-8"
    response = Response(writers[chosen](), content_type=content_type)
    response.vary.add("Accept")
    variant = "" if chosen == JSON else "-" + chosen.rpartition("/")[2]
    return conditional(response, etag, variant)


def json_text(document: object) -> str:
    """`document` (plain values, dataclasses, dates) as JSON text in its own key order."""
    return orjson.dumps(document).decode()
