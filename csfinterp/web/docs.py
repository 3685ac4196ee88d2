"""/docs: Swagger UI on our own /openapi.json; its files come from the package swagger-ui-bundle, not from a network."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, send_from_directory
from swagger_ui_bundle import swagger_ui_path
from werkzeug.exceptions import NotFound

blueprint = Blueprint("docs", __name__, url_prefix="/docs")
ASSETS = ("swagger-ui.css", "swagger-ui-bundle.js")


@blueprint.get("")
def page() -> str:
    """The page that describes every operation and lets a developer try it."""
    return render_template("docs.html")


@blueprint.get("/assets/<name>")
def asset(name: str) -> Response:
    """One of Swagger UI's two files."""
    if name not in ASSETS:
        raise NotFound
    return send_from_directory(str(swagger_ui_path), name, max_age=86400)
