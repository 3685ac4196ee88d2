"""Errors: always a problem document with a stable type and a readable page, never a trace, never what was sent."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest
from flask import Flask
from flask.testing import FlaskClient

from csfinterp.errors import ConflictError
from csfinterp.service import Service
from csfinterp.settings import Settings
from csfinterp.web import create_app
from csfinterp.web.problems import KINDS
from tests.web.conftest import PanelMaker

SECRET = "MRN-SECRET-PATIENT"


@pytest.mark.parametrize("address", ["/nothing", "/api/v1/nothing", "/problems/nothing", "/docs/assets/index.html"])
def test_an_unknown_address(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    problem = answer.get_json()
    assert (problem["type"], problem["status"]) == ("/problems/not-found", 404)
    assert problem["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("method", "address"),
    [("DELETE", "/api/v1/panels"), ("PATCH", "/api/v1/panels/x"), ("GET", "/api/v1/interpret"), ("PUT", "/healthz")],
)
def test_a_wrong_method_names_the_right_ones(client: FlaskClient, method: str, address: str) -> None:
    answer = client.open(address, method=method)
    assert (answer.status_code, answer.content_type) == (405, "application/problem+json")
    assert answer.headers["Allow"]


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_type_has_a_readable_page(client: FlaskClient, name: str) -> None:
    answer = client.get(KINDS[name].type)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert KINDS[name].title in answer.text


def test_a_browser_gets_a_page_and_the_interface_a_document(client: FlaskClient) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = client.get("/panels/unknown", headers=browser)
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert client.get("/api/v1/panels/unknown", headers=browser).mimetype == "application/problem+json"


class Broken:
    """A service in which everything fails with a message that quotes the patient."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> object:
        def fail(*_: object, **__: object) -> object:
            raise self.error

        return fail


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """Everything that is logged inside, through the formatter of the process."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.getLogger().handlers[0].formatter)
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def broken_app(settings: Settings, error: Exception) -> Flask:
    return create_app(settings, cast(Service, Broken(error)))


def test_a_bug_is_a_500_without_trace_or_content(settings: Settings, app: Flask, panel: PanelMaker) -> None:
    client = broken_app(settings, RuntimeError(f"row of {SECRET}")).test_client()
    with logged() as stream:
        answers = (
            client.post("/api/v1/panels", json=panel()),
            client.get("/api/v1/panels", query_string={"patient": SECRET}),
            client.get(f"/panels/{SECRET}"),
        )
    for answer in answers:
        assert (answer.status_code, answer.get_json()["type"]) == (500, "/problems/internal-error")
        assert SECRET not in answer.text
        assert "Traceback" not in answer.text
    assert SECRET not in stream.getvalue()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    failures = [line for line in lines if line["event"] == "unexpected error"]
    assert {failure["error"] for failure in failures} == {"RuntimeError"}
    assert all(any("test_problems.py" in place for place in failure["where"]) for failure in failures)


def test_too_many_writers_are_asked_to_come_again(settings: Settings, app: Flask, panel: PanelMaker) -> None:
    answer = broken_app(settings, ConflictError("Too many.", "busy")).test_client().post("/api/v1/panels", json=panel())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_not_ready_while_the_database_fails(settings: Settings, app: Flask) -> None:
    client = broken_app(settings, OSError(SECRET)).test_client()
    assert client.get("/healthz").get_json() == {"status": "alive"}
    with logged() as stream:
        answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["type"]) == (503, "/problems/not-ready")
    assert SECRET not in answer.text + stream.getvalue()
    assert '"OSError"' in stream.getvalue()


def test_ready_names_the_edition(client: FlaskClient, service: Service) -> None:
    answer = client.get("/readyz")
    edition = service.core().edition
    assert answer.status_code == 200
    assert answer.get_json()["edition"] == {"id": edition.id, "digest": edition.digest}


def test_the_log_has_templates_not_addresses(client: FlaskClient, panel: PanelMaker) -> None:
    document = panel()
    with logged() as stream:
        answer = client.post("/api/v1/panels", json=document)
        client.get("/api/v1/panels", query_string={"patient": document["patient"]["id"], "certanty": SECRET})
        client.get(f"/{SECRET}")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("POST", "/api/v1/panels", 201),
        ("GET", "/api/v1/panels", 422),
        ("GET", None, 404),
    ]
    assert lines[0]["request_id"] == answer.headers["X-Request-ID"]
    for word in (document["patient"]["id"], document["specimen"]["id"], SECRET):
        assert word not in stream.getvalue()


@pytest.mark.parametrize("address", ["/", "/api/v1/panels", "/api/v1/analytes", "/nothing", "/healthz"])
def test_every_answer_protects_itself(client: FlaskClient, address: str) -> None:
    headers = client.get(address).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "script-src" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
