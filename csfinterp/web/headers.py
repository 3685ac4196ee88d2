"""Security headers of every answer: nothing from elsewhere, no frames, no guessed types, no copies of patient pages."""

from __future__ import annotations

from flask import Flask, Response, request

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# Swagger UI is a script that writes style attributes and asks this service only.
_DOCS_STYLE = "style-src 'self' 'unsafe-inline'; script-src 'self'; connect-src 'self'"
DOCS_POLICY = POLICY.replace("style-src 'self'", _DOCS_STYLE)
PUBLIC = ("static", "docs.", "api-docs.")


def register(app: Flask) -> None:
    """Add the headers to every answer of the app."""

    @app.after_request
    def protect(response: Response) -> Response:
        endpoint = request.endpoint or ""
        headers = response.headers
        headers.setdefault("Content-Security-Policy", DOCS_POLICY if endpoint.startswith("docs.") else POLICY)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("X-Frame-Options", "DENY")
        headers.setdefault("Referrer-Policy", "no-referrer")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if not endpoint.startswith(PUBLIC):
            headers["Cache-Control"] = "no-store"
        return response
