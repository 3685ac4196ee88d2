"""Forms of pages carry a token, so that no other site can send them. Machines with a bearer token send none."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from flask import Flask, Response, request
from flask_wtf.csrf import CSRFError, CSRFProtect

from csfinterp.settings import Settings, SettingsError
from csfinterp.web.problems import KINDS, respond

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
csrf = CSRFProtect()


def register(app: Flask, chosen: Settings) -> None:
    """Check the token of every form that a browser sends. Raises SettingsError."""
    app.secret_key = _kept_key(chosen.data_folder)
    app.config.update(
        SESSION_COOKIE_NAME="csfinterp",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,  # it reads Referer, which our pages don't send
    )
    csrf.init_app(app)
    app.before_request(_check)
    app.register_error_handler(CSRFError, _expired)


def _check() -> None:
    if request.method == "POST" and request.mimetype in FORMS and request.blueprint != "fhir" and request.endpoint:
        csrf.protect()


def _expired(_: CSRFError) -> Response:
    return respond(KINDS["form-expired"], KINDS["form-expired"].advice)


def _kept_key(folder: Path) -> str:
    """The key in the file secret_key of the data folder, made by whichever worker comes first. Raises SettingsError."""
    path = folder / "secret_key"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = folder / f"secret_key.{secrets.token_hex(8)}"
        if not path.exists():
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32))
            with contextlib.suppress(FileExistsError):
                os.link(part, path)  # whole or not at all; the first one stays
            part.unlink()
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise SettingsError(
            f"The key of browser sessions cannot be kept in {path} ({error.strerror}); set a CSFINTERP_DATA_FOLDER"
            " that can be written."
        ) from None
