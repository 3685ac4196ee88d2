"""The HTTP door: create_app builds the Flask application. Bytes in, bytes out; no medicine."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

import csfinterp
from csfinterp.logs import configure as configure_logs
from csfinterp.operations import open_service
from csfinterp.receiving import Receiver
from csfinterp.service import Service
from csfinterp.settings import Settings
from csfinterp.web import (
    api,
    auth,
    batch,
    bodies,
    callback,
    cds_hooks,
    context_form,
    describe,
    docs,
    editions,
    exports,
    fhir,
    headers,
    health,
    held,
    help,
    hl7,
    knowledge,
    login,
    logs,
    metrics,
    pages,
    patient,
    plots,
    problems,
    versions,
    words,
    worklist,
)  # fmt: skip
from csfinterp.web.hall import RECEIVER, SERVICE, SETTINGS


def create_app(settings: Settings | None = None, service: Service | None = None) -> Flask:
    """The application; `settings` None: those of config/ and the environment, `service` None: opened on their database.

    Raises SettingsError, EditionError, NotFoundError or StoreError with a sentence for the operator.
    """
    settings = settings or Settings.load()
    configure_logs(settings)
    app = Flask(__name__)
    app.jinja_options = {**app.jinja_options, "finalize": words.printable}
    app.config.update(
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        API_TITLE="csfinterp",
        API_VERSION=csfinterp.__version__,
        OPENAPI_VERSION="3.0.3",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
    )
    service = service or open_service(settings)
    app.extensions.update({SETTINGS: settings, SERVICE: service, RECEIVER: Receiver(service, settings)})
    for part in (logs, metrics, headers, bodies, problems):
        part.register(app)
    auth.register(app, settings)
    _register_api(app)
    for blueprint in (
        pages.blueprint, metrics.blueprint, plots.blueprint, login.blueprint, docs.blueprint, fhir.blueprint,
        cds_hooks.blueprint,
    ):  # fmt: skip
        app.register_blueprint(blueprint)
    for room in (worklist, callback, context_form, versions, patient, editions, help):
        app.register_blueprint(room.blueprint)
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count, x_prefix=count)  # type: ignore[method-assign]
    return app


def _register_api(app: Flask) -> None:
    info = {"description": describe.INTRODUCTION, "license": {"name": "MIT"}}
    door = problems.Api(app, spec_kwargs={"info": info})
    describe.add_components(door.spec)
    for blueprint in (
        api.blueprint,
        batch.blueprint,
        hl7.blueprint,
        held.blueprint,
        knowledge.blueprint,
        exports.blueprint,
        health.blueprint,
    ):
        door.register_blueprint(blueprint)
