"""The contract of the panel addresses: status, headers and bodies of design/interfaces.md section 3."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.conftest import PanelMaker

PANELS = "/api/v1/panels"


def post(client: FlaskClient, document: object, address: str = PANELS) -> TestResponse:
    return client.post(address, json=document)


def faults(answer: TestResponse) -> dict[str, str]:
    assert answer.content_type == "application/problem+json"
    return {entry["pointer"]: entry["detail"] for entry in answer.get_json()["errors"]}


def test_a_new_panel_is_stored_and_answered_with_its_interpretation(client: FlaskClient, panel: PanelMaker) -> None:
    answer = post(client, panel())
    document = answer.get_json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{PANELS}/{document['panel_id']}"
    assert answer.headers["ETag"]
    assert (document["version"], document["lm"]["certainty"]) == (1, "confirmed")
    assert client.get(answer.headers["Location"] + "/interpretation").get_json() == document


def test_the_same_content_again_answers_the_same(client: FlaskClient, panel: PanelMaker) -> None:
    document = panel()
    first, again = post(client, document), post(client, document)
    assert (again.status_code, again.data) == (200, first.data)
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Location"] == first.headers["Location"]


def test_new_content_of_the_same_specimen_is_the_next_version(client: FlaskClient, panel: PanelMaker) -> None:
    document = panel()
    first = post(client, document).get_json()
    document["source"]["message_id"] += "-2"
    document["observations"][1]["value"] = 22
    second = post(client, document)
    assert second.status_code == 201
    assert second.get_json()["panel_id"] == first["panel_id"]
    assert (second.get_json()["version"], second.get_json()["status"]) == (2, "corrected")
    versions = client.get(f"{PANELS}/{first['panel_id']}/versions").get_json()["items"]
    assert [item["version"] for item in versions] == [1, 2]
    old = client.get(f"{PANELS}/{first['panel_id']}/interpretation?version=1").get_json()
    assert old == first


def test_the_same_message_id_with_other_content_is_a_conflict(client: FlaskClient, panel: PanelMaker) -> None:
    document = panel()
    post(client, document)
    document["observations"][1]["value"] = 999
    answer = post(client, document)
    assert (answer.status_code, answer.get_json()["type"]) == (409, "/problems/message-id-reused")


def test_the_specimen_of_another_patient_is_held(client: FlaskClient, panel: PanelMaker) -> None:
    document = panel()
    post(client, document)
    document["source"]["message_id"] += "-2"
    document["patient"]["id"] = "MRN-SOMEBODY-ELSE"
    answer = post(client, document)
    assert (answer.status_code, answer.get_json()["type"]) == (409, "/problems/other-patient")
    assert "MRN-SOMEBODY-ELSE" not in answer.text


def test_interpret_answers_and_stores_nothing(client: FlaskClient, panel: PanelMaker) -> None:
    document = panel()
    answer = post(client, document, "/api/v1/interpret")
    assert (answer.status_code, answer.get_json()["panel_id"]) == (200, None)
    found = client.get(PANELS, query_string={"specimen": document["specimen"]["id"]}).get_json()
    assert found == {"items": [], "next": None}


@pytest.mark.parametrize("address", [PANELS, "/api/v1/interpret"])
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b"{}"),
        ({"Content-Type": "text/csv"}, b"a,b"),
        ({"Content-Type": "application/fhir+xml"}, b"<Bundle/>"),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, gzip.compress(b"{}", mtime=0)),
    ],
    ids=["none", "csv", "xml", "gzip"],
)
def test_other_content_types_are_not_read(
    client: FlaskClient, address: str, headers: dict[str, str], body: bytes
) -> None:
    answer = client.post(address, data=body, headers=headers)
    assert (answer.status_code, answer.get_json()["type"]) == (415, "/problems/media-type-unsupported")
    assert "application/json" in answer.get_json()["detail"]


def test_a_body_over_the_limit_is_refused(client: FlaskClient, panel: PanelMaker) -> None:
    document = panel()
    document["observations"][0]["note"] = "x" * 100_001
    answer = post(client, document)
    assert (answer.status_code, answer.get_json()["type"]) == (413, "/problems/too-large")


def _changed(document: dict[str, Any], path: list[str | int], value: object) -> dict[str, Any]:
    part: Any = document
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        (["observations"], [], "/observations"),
        (["observations"], "none", "/observations"),
        (["specimen", "id"], 7, "/specimen/id"),
        (["specimen", "site"], "knee", "/specimen/site"),
        (["patient", "birth_date"], "02.04.1961", "/patient/birth_date"),
        (["context", "mri"], "bright", "/context/mri"),
        (["observations", 2, "tube"], "first", "/observations/2/tube"),
        (["observations", 0, "surprise"], 1, "/observations/0/surprise"),
        (["surprise"], 1, "/surprise"),
    ],
)
def test_a_broken_document_is_refused_with_a_pointer(
    client: FlaskClient, panel: PanelMaker, path: list[str | int], value: object, pointer: str
) -> None:
    answer = post(client, _changed(panel(), path, value))
    assert (answer.status_code, answer.get_json()["type"]) == (422, "/problems/document-refused")
    assert pointer in faults(answer)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'{"specimen": {"id": "1"}, "specimen": {"id": "2"}}',
        b'{"specimen": {"id": "1"}, "observations": [{"code": "csf_lactate", "value": NaN}]}',
        b"\xff\xfe",
        b"[" * 5000,
        b'{"specimen": {"id": "\\ud800"}, "observations": [{"code": "csf_lactate"}]}',
        b'{"specimen": {"id": "1"}, "observations": [{"code": "nothing_known", "value": 1, "unit": "mg/L"}]}',
    ],
)
def test_hostile_bodies_are_refused_and_nothing_is_stored(client: FlaskClient, body: bytes) -> None:
    for address in (PANELS, "/api/v1/interpret"):
        answer = client.post(address, data=body, content_type="application/json")
        assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
        assert answer.get_json()["detail"]


def test_cells_have_issues_and_the_rest_is_interpreted(client: FlaskClient, panel: PanelMaker) -> None:
    document = panel("with_gaps")
    answer = post(client, document)
    assert answer.status_code == 201
    codes = {issue["code"] for issue in answer.get_json()["issues"]}
    assert {"unit_missing", "code_unknown"} <= codes


def test_a_panel_is_given_back_as_received(client: FlaskClient, panel: PanelMaker) -> None:
    document = panel()
    text = json.dumps(document).replace('"value": 21', '"value": 21.00')
    location = client.post(PANELS, data=text, content_type="application/json").headers["Location"]
    answer = client.get(location)
    assert answer.status_code == 200
    assert answer.get_json()["panel"] == document
    assert '"value": 21.00' in answer.text
    stored = answer.get_json()
    assert (stored["version"], stored["versions"], stored["status"]) == (1, 1, "final")


@pytest.mark.parametrize("part", ["", "/interpretation"])
def test_a_reader_who_has_the_version_gets_304(client: FlaskClient, panel: PanelMaker, part: str) -> None:
    address = post(client, panel()).headers["Location"] + part
    first = client.get(address)
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("address", ["", "/interpretation", "page"])
def test_the_count_of_versions_is_never_a_stale_304(client: FlaskClient, panel: PanelMaker, address: str) -> None:
    document = panel()
    location = post(client, document).headers["Location"]
    old = (f"/panels/{location.rpartition('/')[2]}" if address == "page" else location + address) + "?version=1"
    accept = {} if address == "" else {"Accept": "text/html"}
    tags = [client.get(old, headers=accept).headers["ETag"]]
    for number in (2, 3):
        change = {"mri": "linear" if number == 2 else "nodular"}
        newest = client.get(location).headers["ETag"]
        assert client.put(location + "/context", json=change, headers={"If-Match": newest}).status_code == 200
        answer = client.get(old, headers={"If-None-Match": ", ".join(tags)} | accept)
        assert answer.status_code == 200
        assert f'"versions":{number}' in answer.text or f"version 1 of {number}" in answer.text
        tags.append(answer.headers["ETag"])
        assert client.get(old, headers={"If-None-Match": tags[-1]} | accept).status_code == 304


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/html", "text/html; charset=utf-8"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("text/plain;q=0.5, application/json;q=0.4", "text/plain; charset=utf-8"),
    ],
)
def test_the_interpretation_comes_as_accepted(
    client: FlaskClient, panel: PanelMaker, accept: str | None, content_type: str
) -> None:
    address = post(client, panel()).headers["Location"] + "/interpretation"
    answer = client.get(address, headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.content_type) == (200, content_type)
    assert "Accept" in answer.headers["Vary"]


def test_representations_do_not_share_an_etag(client: FlaskClient, panel: PanelMaker) -> None:
    address = post(client, panel()).headers["Location"] + "/interpretation"
    kinds = ("application/json", "text/plain", "text/html")
    assert len({client.get(address, headers={"Accept": kind}).headers["ETag"] for kind in kinds}) == 3


def test_a_type_that_cannot_be_made_is_refused(client: FlaskClient, panel: PanelMaker) -> None:
    address = post(client, panel()).headers["Location"] + "/interpretation"
    answer = client.get(address, headers={"Accept": "application/zip"})
    assert (answer.status_code, answer.get_json()["type"]) == (406, "/problems/not-acceptable")
    assert "text/plain" in answer.get_json()["detail"]


@pytest.mark.parametrize("part", ["", "/versions", "/interpretation"])
@pytest.mark.parametrize("panel_id", ["unknown", "0" * 32, "%00", "a" * 500, "ä"])
def test_an_unknown_panel_is_not_found(client: FlaskClient, panel_id: str, part: str) -> None:
    answer = client.get(f"{PANELS}/{panel_id}{part}")
    assert (answer.status_code, answer.get_json()["type"]) == (404, "/problems/panel-not-found")


def test_an_unknown_version_is_not_found(client: FlaskClient, panel: PanelMaker) -> None:
    address = post(client, panel()).headers["Location"]
    assert client.get(f"{address}?version=2").status_code == 404
    for wrong in ("0", "-1", "one", "1.5", "99999999999999999999"):
        answer = client.get(f"{address}?version={wrong}")
        assert (answer.status_code, list(faults(answer))) == (422, ["/version"])


def test_context_can_arrive_later(client: FlaskClient, panel: PanelMaker) -> None:
    first = post(client, panel("suspected_lm_negative_cytology", context={}))
    assert first.get_json()["lm"]["certainty"] == "not_classifiable"
    address = first.headers["Location"] + "/context"
    context = {"tumor": {"class": "solid", "primary": "lung"}, "clinical_signs": "typical", "mri": "nodular"}
    answer = client.put(address, json=context, headers={"If-Match": first.headers["ETag"]})
    assert (answer.status_code, answer.get_json()["version"]) == (200, 2)
    assert answer.get_json()["lm"]["certainty"] == "probable"
    assert answer.headers["ETag"] != first.headers["ETag"]
    assert client.get(first.headers["Location"]).get_json()["panel"]["context"] == context


def test_a_change_needs_the_newest_version(client: FlaskClient, panel: PanelMaker) -> None:
    first = post(client, panel())
    address, etag = first.headers["Location"] + "/context", first.headers["ETag"]
    missing = client.put(address, json={"mri": "normal"})
    assert (missing.status_code, missing.get_json()["type"]) == (428, "/problems/precondition-required")
    assert client.put(address, json={"mri": "normal"}, headers={"If-Match": etag}).status_code == 200
    late = client.put(address, json={"mri": "linear"}, headers={"If-Match": etag})
    assert (late.status_code, late.get_json()["type"]) == (412, "/problems/version-outdated")
    assert client.put(address, json={"mri": "linear"}, headers={"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize(("context", "pointer"), [({"mri": "bright"}, "/mri"), ({"x": 1}, "/x"), ([], "")])
def test_a_broken_context_is_refused(client: FlaskClient, panel: PanelMaker, context: object, pointer: str) -> None:
    first = post(client, panel())
    headers = {"If-Match": first.headers["ETag"]}
    answer = client.put(first.headers["Location"] + "/context", json=context, headers=headers)
    assert answer.status_code == 422
    assert pointer in faults(answer)
    assert client.get(first.headers["Location"]).get_json()["versions"] == 1


def test_context_of_an_unknown_panel(client: FlaskClient) -> None:
    assert client.put(f"{PANELS}/unknown/context", json={}, headers={"If-Match": "*"}).status_code == 404


def test_a_panel_is_interpreted_again_with_an_edition(client: FlaskClient, panel: PanelMaker) -> None:
    first = post(client, panel())
    answer = client.post(first.headers["Location"] + "/reinterpret", json={"edition": "2026.1"})
    again = answer.get_json()
    assert (answer.status_code, again["version"], again["edition"]["id"]) == (200, 2, "2026.1")
    same = ("results", "findings", "lm", "summary")
    assert {name: again[name] for name in same} == {name: first.get_json()[name] for name in same}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/edition"), ({"edition": "1999.9"}, "/edition"), ({"edition": 2026.1}, "/edition"),
     ({"edition": "2026.1", "force": True}, "/force")],
)  # fmt: skip
def test_an_unknown_edition_is_refused(client: FlaskClient, panel: PanelMaker, body: object, pointer: str) -> None:
    address = post(client, panel()).headers["Location"] + "/reinterpret"
    answer = client.post(address, json=body)
    assert answer.status_code == 422
    assert pointer in faults(answer)


def test_reinterpreting_an_unknown_panel(client: FlaskClient) -> None:
    assert client.post(f"{PANELS}/unknown/reinterpret", json={"edition": "2026.1"}).status_code == 404
