"""The guard of every route: who asks (bearer token or browser session), whether the table allows it, and the audit.

With `access: open` there are no accounts: whoever is on this machine may do everything, nobody else anything.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
from pathlib import Path
from typing import Any, cast

import limits as rates
from flask import Flask, Response, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, UserMixin, current_user
from flask_wtf.csrf import CSRFError, CSRFProtect

from csfinterp.accounts import Identity, Role
from csfinterp.acting import Act, begin, current
from csfinterp.errors import CsfinterpError
from csfinterp.settings import Settings, SettingsError
from csfinterp.web.access import PUBLIC, SIGNED_IN, allowed
from csfinterp.web.attempts import URI
from csfinterp.web.hall import hall, settings
from csfinterp.web.problems import KINDS, Problem, respond, wants_page

SAFE = ("GET", "HEAD", "OPTIONS")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
# What one address may get wrong: then 429, until the minute is over. A right token is never counted.
WRONG_TOKENS = rates.parse("30 per minute")
_QUIET = (
    "static",
    "docs.page",
    "docs.asset",
    "operations.healthz",
    "operations.readyz",
    "metrics.metrics",
    "api-docs.openapi_json",
)
_EVERYBODY = Identity("open", frozenset(Role))

login_manager = LoginManager()
csrf = CSRFProtect()
limiter = Limiter(key_func=get_remote_address, storage_uri=URI, strategy="fixed-window")


class SignedIn(UserMixin):
    """Flask-Login's user: an identity, and the secret of its session if it has one."""

    def __init__(self, identity: Identity, session_secret: str | None = None) -> None:
        self.identity, self.session_secret = identity, session_secret

    def get_id(self) -> str | None:
        return self.session_secret


class CookieSession(SecureCookieSessionInterface):
    """The cookie goes only over TLS where the request came over TLS."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure or settings().public_url.startswith("https://")


def identity() -> Identity | None:
    """Who asks; None: nobody."""
    if settings().access == "open":
        return _EVERYBODY if is_this_machine() else None
    found: Identity | None = getattr(current_user, "identity", None)
    return None if found is None or (found.demo and not is_this_machine()) else found


def signed_in_name() -> str | None:
    """Who is noted as the one who wrote something down; None where there are no accounts."""
    found = identity()
    return None if found is None or settings().access == "open" else found.name


def may(endpoint: str, method: str = "GET") -> bool:
    """True if whoever asks may use that endpoint; for links in pages."""
    roles, found = allowed(endpoint, method), identity()
    return roles is None or (found is not None and bool(roles & found.roles))


def is_this_machine() -> bool:
    """True if the request comes from loopback."""
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def register(app: Flask, chosen: Settings) -> None:
    """Teach the app who asks, before anything else is done with a request. Raises SettingsError."""
    app.secret_key = chosen.secret_key or _kept_key(chosen.data_folder)
    app.config.update(
        SESSION_COOKIE_NAME="csfinterp",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_CHECK_DEFAULT=False,  # the guard decides where it is needed
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        WTF_CSRF_SSL_STRICT=False,  # it reads Referer, which our pages don't send
    )
    app.session_interface = CookieSession()
    app.before_request(_guard)  # before the limiter's, which answers by itself
    for extension in (login_manager, csrf, limiter):
        extension.init_app(app)
    app.after_request(_audited)
    app.register_error_handler(CSRFError, lambda error: respond(KINDS["form-expired"], KINDS["form-expired"].advice))
    app.context_processor(lambda: {"identity": identity, "may": may, "open_access": chosen.access == "open"})


@login_manager.user_loader
def _by_session(secret: str) -> SignedIn | None:
    found = hall().accounts.by_session(secret) if settings().access == "accounts" else None
    return None if found is None else SignedIn(found, secret)


@login_manager.request_loader
def _by_token(_: object) -> SignedIn | None:
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or settings().access != "accounts":
        return None
    found = hall().accounts.by_token(text.strip())
    return None if found is None else SignedIn(found)


def _guard() -> Response | None:
    endpoint = request.endpoint
    asks_with_token = "Authorization" in request.headers
    if asks_with_token:  # a token speaks for itself; the cookie of a browser doesn't add to it
        session.clear()
    begin(Act("nobody", endpoint or "no such address", (), request.remote_addr or "unknown", g.get("request_id")))
    if endpoint is None:
        return None
    roles = allowed(endpoint, request.method)
    if roles is PUBLIC and request.method in SAFE:
        return None
    found = identity()
    if found is not None:
        act = current()
        act.who, act.roles = found.who, tuple(sorted(found.roles))
    if not asks_with_token and request.method not in SAFE and _by_browser():
        csrf.protect()
    if roles is None:
        return None
    if found is None:
        return _not_signed_in(asks_with_token)
    if not roles & found.roles:
        raise Problem("not-allowed", _not_allowed(found, roles))
    return None


def _by_browser() -> bool:
    """A browser sends these for any page that asks it to; other media types it asks us about first (CORS)."""
    if settings().access == "open":
        return request.mimetype in FORMS[:2] and request.blueprint != "fhir"
    return "_user_id" in session or request.mimetype in FORMS[:2]


def _not_signed_in(asks_with_token: bool) -> Response:
    if settings().access == "open":
        raise Problem("not-allowed", "access is open, so only this machine is answered. Set CSFINTERP_ACCESS=accounts.")
    if asks_with_token and not limiter.limiter.hit(WRONG_TOKENS, "bearer", get_remote_address()):
        raise Problem("too-many-requests", KINDS["too-many-requests"].advice)
    if wants_page() and request.method in ("GET", "HEAD"):
        return cast(Response, redirect(url_for("login.page", next=_here()), 303))
    kind = KINDS["not-signed-in"]
    return respond(kind, kind.advice, headers={"WWW-Authenticate": 'Bearer realm="csfinterp"'})


def _not_allowed(found: Identity, roles: frozenset[Role]) -> str:
    has = ", ".join(sorted(found.roles))
    needed = " or ".join(sorted(roles)) if roles and roles != SIGNED_IN else "none that exists"
    return f"This needs the role {needed}; {found.name} is {has}. Ask an administrator, or use another token."


def _here() -> str:
    """The address asked for, without what may carry ids of patients (searches); versions are kept."""
    version = request.args.get("version", "")
    return request.path + (f"?version={version}" if version.isascii() and version.isdecimal() else "")


def _audited(response: Response) -> Response:
    """One row for what stored nothing itself: reads, exports, refusals. It is written before the answer goes out."""
    act = current()
    if settings().access == "open" or request.endpoint in (*_QUIET, None):
        return response
    refused = response.status_code >= 400
    if response.status_code == 429:  # the refusals before it are audited; a flood must not fill the disk
        return response
    if not refused and (act.written or act.who == "nobody"):  # nobody: a public address
        return response
    panel_id = (request.view_args or {}).get("panel_id") or (request.view_args or {}).get("report_id")
    seen = [] if refused else list(act.seen)
    details: dict[str, Any] = {"panels": seen} if seen and seen != [panel_id] else {}
    shown = panel_id if panel_id in act.seen else None
    try:
        hall().note(f"{'refused ' if refused else ''}{response.status_code}", shown, details)
    except CsfinterpError:
        if not refused:  # what cannot be audited is not shown
            return respond(KINDS["busy"], KINDS["busy"].advice, headers={"Retry-After": "1"})
    return response


def _kept_key(folder: Path) -> str:
    """The key in the file secret_key of the data folder, made by whichever worker comes first. Raises SettingsError."""
    path = folder / "secret_key"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = folder / f"secret_key.{secrets.token_hex(8)}"
        if not path.exists():
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32))
            try:
                os.link(part, path)  # whole or not at all; the first one stays
            except FileExistsError:
                pass
            finally:
                part.unlink()
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise SettingsError(
            f"The key of browser sessions cannot be kept in {path} ({error.strerror}); set CSFINTERP_SECRET_KEY or a"
            " CSFINTERP_DATA_FOLDER that can be written."
        ) from None
