"""/openapi.json is true: generated requests never break the service, answers have the described shape, names agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
import yaml
from flask import Flask
from flask.testing import FlaskClient
from marshmallow import Schema, fields
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import csfinterp.web
from csfinterp.formats.panel_schema import PanelSchema
from csfinterp.samples import SAMPLES
from tests.web.conftest import PanelMaker

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SLOW = [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.filter_too_much, hypothesis.HealthCheck.data_too_large]
OPERATIONS = [
    "POST /api/v1/panels",
    "POST /api/v1/panels/batch",
    "GET /api/v1/panels",
    "POST /api/v1/interpret",
    "GET /api/v1/panels/{panel_id}",
    "GET /api/v1/panels/{panel_id}/versions",
    "GET /api/v1/panels/{panel_id}/changes",
    "GET /api/v1/panels/{panel_id}/interpretation",
    "PUT /api/v1/panels/{panel_id}/context",
    "POST /api/v1/panels/{panel_id}/acknowledgements",
    "POST /api/v1/panels/{panel_id}/reinterpret",
    "GET /api/v1/held",
    "GET /api/v1/held/{number}",
    "POST /api/v1/held/{number}/release",
    "POST /api/v1/held/{number}/discard",
    "GET /api/v1/editions",
    "GET /api/v1/editions/{edition_id}",
    "GET /api/v1/analytes",
    "GET /api/v1/exports/panels.csv",
    "GET /api/v1/exports/observations.csv",
    "GET /api/v1/exports/panels.parquet",
    "GET /api/v1/exports/dictionary.csv",
    "GET /api/v1/exports/manifest.json",
    "POST /hl7/v2",
    "GET /healthz",
    "GET /readyz",
]
# Operations with a body or parameters of which generated values can be wrong; an id in the path is any text, and so is
# an HL7 message: whatever it is, the answer is 200 with an acknowledgment.
CAN_BE_WRONG = [
    operation
    for operation in OPERATIONS
    if (not operation.startswith("GET") and operation != "POST /hl7/v2")
    or operation.endswith(("/panels", "{panel_id}", "/held", "/changes", "/interpretation", "/analytes"))
    or "/exports/" in operation
]


@pytest.fixture(scope="session")
def description(app: Flask) -> Any:
    def from_this_machine(environ: dict[str, Any], start_response: Any) -> Any:
        return app.wsgi_app({"REMOTE_ADDR": "127.0.0.1"} | environ, start_response)

    return schemathesis.openapi.from_wsgi("/openapi.json", from_this_machine)


@pytest.mark.parametrize(
    ("operation", "mode"),
    [(operation, GenerationMode.POSITIVE) for operation in OPERATIONS]
    + [(operation, GenerationMode.NEGATIVE) for operation in CAN_BE_WRONG],
)
def test_generated_requests_get_described_answers(description: Any, operation: str, mode: GenerationMode) -> None:
    method, path = operation.split()

    @hypothesis.given(case=description[path][method].as_strategy(generation_mode=mode))
    @hypothesis.settings(max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=SLOW)
    def check(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKS)

    check()


def test_every_operation_of_this_version_is_described(client: FlaskClient) -> None:
    described = {
        f"{method.upper()} {path}"
        for path, item in client.get("/openapi.json").get_json()["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert described == set(OPERATIONS)


def _components() -> dict[str, Any]:
    path = Path(csfinterp.web.__file__).parent / "components.yaml"
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def _names(schema: Schema) -> Iterator[tuple[str, set[str]]]:
    """The component of each part of the panel document and the keys that the reader takes there."""
    yield "Panel", set(schema.fields)
    for key, component in (("source", "Source"), ("patient", "Patient"), ("specimen", "Specimen")):
        part = schema.fields[key]
        assert isinstance(part, fields.Nested)
        yield component, set(part.schema.fields)


@pytest.mark.parametrize(("component", "known"), list(_names(PanelSchema())))
def test_the_described_panel_has_the_keys_that_are_read(component: str, known: set[str]) -> None:
    assert set(_components()[component]["properties"]) == known


def test_every_described_context_word_is_accepted(client: FlaskClient, panel: PanelMaker) -> None:
    for name, shape in _components()["Context"]["properties"].items():
        for word in shape.get("enum", []):
            answer = client.post("/api/v1/interpret", json=panel(context={name: word}))
            assert answer.status_code == 200, (name, word)


@pytest.mark.parametrize("sample", [sample.name for sample in SAMPLES])
def test_the_examples_are_the_samples_and_work(client: FlaskClient, sample: str) -> None:
    operation = client.get("/openapi.json").get_json()["paths"]["/api/v1/interpret"]["post"]
    example = operation["requestBody"]["content"]["application/json"]["examples"][sample]["value"]
    assert client.post("/api/v1/interpret", json=example).status_code == 200


def test_docs_come_from_this_service_alone(client: FlaskClient) -> None:
    answer = client.get("/docs")
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    for address in re.findall(r'(?:src|href)="([^"]+)"', answer.text):
        if not address.startswith("data:"):
            assert client.get(address).status_code == 200, address
