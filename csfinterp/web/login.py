"""Signing in and out with a browser, and the page of one's own account. No script is needed."""

from __future__ import annotations

from typing import cast
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request, session, url_for
from flask_login import current_user, login_user

from csfinterp.accounts import AccountError
from csfinterp.acting import current
from csfinterp.web import access
from csfinterp.web.auth import SignedIn, identity, limiter, may
from csfinterp.web.hall import hall, settings

blueprint = Blueprint("login", __name__)
# Where somebody is led after signing in: the first of these that the roles allow.
LANDINGS = ("pages.index", "editions.index", "login.account")


@blueprint.get("/login")
def page() -> Response:
    """The form; somebody who is signed in goes on."""
    if identity() is not None:
        return _to(_wanted())
    return _form()


@blueprint.post("/login")
@limiter.limit("20 per minute;200 per hour")
def sign_in() -> Response:
    """Begin a session of its own, whatever cookie the browser came with."""
    name, password = request.form.get("name", "").strip().lower(), request.form.get("password", "")
    secret = hall().accounts.sign_in(name, password) if settings().access == "accounts" else None
    user = None if secret is None else hall().accounts.by_session(secret)
    if user is None:
        return _form("The name or the password is not right, or the account is locked for now.", 401)
    session.clear()
    login_user(SignedIn(user, secret))
    current().who = user.who
    return _to(_wanted(user.roles))


@blueprint.post("/logout")
def sign_out() -> Response:
    """End the session on every worker."""
    secret = getattr(current_user, "session_secret", None)
    if secret is not None:
        hall().accounts.sign_out(secret)
    session.clear()
    return _to(url_for("login.page"))


@blueprint.get("/account")
def account() -> Response:
    """Who is signed in, what the roles allow, and a new password."""
    return _account()


@blueprint.post("/account/password")
@limiter.limit("20 per minute")
def new_password() -> Response:
    """Change one's own password; all other sessions end, too."""
    found = identity()
    old, new, again = (request.form.get(name, "") for name in ("old", "new", "again"))
    if found is None or found.token or not hall().accounts.confirmed(found.name, old):
        return _account("The current password is not right.", 400)
    if new != again:
        return _account("The two new passwords are not the same.", 400)
    try:
        hall().accounts.set_password(found.name, new)
    except AccountError as error:
        return _account(str(error), 400)
    secret = hall().accounts.sign_in(found.name, new)
    session.clear()
    login_user(SignedIn(found, secret))
    return _account(done="The password is changed. Every other session of this account has ended.")


def _form(problem: str | None = None, status: int = 200) -> Response:
    shown = {"problem": problem, "name": request.form.get("name", ""), "next": _asked()}
    return make_response(render_template("login.html", **shown), status)


def _account(problem: str | None = None, status: int = 200, done: str | None = None) -> Response:
    return make_response(render_template("account.html", problem=problem, done=done), status)


def _asked() -> str:
    """The address to go on to, if it is one of ours: a path, nothing that a browser reads as another host."""
    text = request.values.get("next", "")
    parts = urlsplit(text)
    ours = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and "\\" not in text
    return text if ours and not parts.scheme and not parts.netloc else ""


def _wanted(roles: frozenset[access.Role] | None = None) -> str:
    if asked := _asked():
        return asked
    for endpoint in LANDINGS:
        needed = access.allowed(endpoint, "GET")
        if may(endpoint) or (roles and needed and roles & needed):
            return url_for(endpoint)
    return url_for("login.account")


def _to(address: str) -> Response:
    return cast(Response, redirect(address, 303))
