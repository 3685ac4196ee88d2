"""Logging: one JSON line a request with route template, status, duration, request id; never an address or content."""

from __future__ import annotations

import time
import uuid

import structlog
from flask import Flask, Response, g, request

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def register(app: Flask) -> None:
    """Give every request an id and write its line when it is answered."""
    log = structlog.stdlib.get_logger("csfinterp.web")

    @app.before_request
    def begin() -> None:
        g.request_id, g.began = uuid.uuid4().hex, time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers["X-Request-ID"] = g.request_id
        log.info(
            "request",
            method=request.method if request.method in METHODS else "other",
            route=request.url_rule.rule if request.url_rule else None,
            status=response.status_code,
            duration_ms=round((time.perf_counter() - g.began) * 1000, 1),
        )
        return response
