"""Accounts for tests: an application that asks who you are, and a client for every role."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from csfinterp.accounts import Role
from csfinterp.operations import open_service
from csfinterp.service import Service
from csfinterp.settings import Settings
from csfinterp.web import create_app

PASSWORD = "correct horse battery staple"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@dataclass
class Trusted:
    """An application with access by accounts; account and token of each role bear the role's name."""

    settings: Settings
    service: Service
    app: Flask
    tokens: dict[str, str]

    def client(self, role: str | None = None) -> FlaskClient:
        """A program with the token of a role, or with none."""
        client = self.app.test_client()
        if role is not None:
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {self.tokens[role]}"
        return client

    def browser(self, name: str | None = None) -> FlaskClient:
        """A browser, signed in if a name is given."""
        client = self.app.test_client()
        client.environ_base["HTTP_ACCEPT"] = BROWSER["Accept"]
        if name is not None:
            answer = sign_in(client, name, PASSWORD)
            assert answer.status_code == 303, answer.text
        return client


def csrf_token(client: FlaskClient, address: str = "/login") -> str:
    """The token in the first form of a page."""
    text = client.get(address).text
    return text.partition('name="csrf_token" value="')[2].partition('"')[0]


def sign_in(client: FlaskClient, name: str, password: str, **more: str) -> TestResponse:
    """Post the login form as the page has it."""
    form = {"csrf_token": csrf_token(client), "name": name, "password": password, **more}
    return client.post("/login", data=form)


def trusted(folder: Path, **changed: str) -> Trusted:
    """A service on a database of its own with an account, a password and a token for each role."""
    values = {
        "DATABASE_URL": f"sqlite:///{folder / 'csf.sqlite'}",
        "ALLOW_DRAFT": "true",
        "ACCESS": "accounts",
        **changed,
    }
    settings = Settings.load({f"CSFINTERP_{name}": value for name, value in values.items()})
    service = open_service(settings)
    tokens = {}
    for role in Role:
        service.accounts.add(role.value, [role], PASSWORD)
        tokens[role.value] = service.accounts.add_token(role.value, [], "tests", 1).secret
    return Trusted(settings, service, create_app(settings, service), tokens)
