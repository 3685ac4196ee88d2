"""Many panels in one request: each is answered as if it came alone, and none stops another."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from csfinterp.service import Service
from csfinterp.settings import Settings
from csfinterp.store import RaceError
from csfinterp.web import create_app
from tests.web.conftest import PanelMaker

ADDRESS = "/api/v1/panels/batch"
LINES = {"Content-Type": "application/x-ndjson"}
BAD: dict[str, Any] = {"specimen": {"id": "ACC-BAD"}}


def lines(*documents: object) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def answers(response: TestResponse) -> list[dict[str, Any]]:
    assert response.status_code == 207
    if response.content_type == "application/json":
        return list(response.get_json())
    return [json.loads(line) for line in response.data.splitlines()]


@pytest.fixture(params=["array", "lines"])
def send(request: pytest.FixtureRequest, client: FlaskClient) -> Any:
    if request.param == "array":
        return lambda *documents: answers(client.post(ADDRESS, json=list(documents)))
    return lambda *documents: answers(client.post(ADDRESS, data=lines(*documents), headers=LINES))


def test_every_panel_is_stored_and_answered_in_order(send: Any, panel: PanelMaker, client: FlaskClient) -> None:
    documents = [panel() for _ in range(5)]
    found = send(*documents)
    assert [(one["index"], one["status"], one["version"]) for one in found] == [(n, 201, 1) for n in range(5)]
    for document, one in zip(documents, found, strict=True):
        stored = client.get(one["location"]).get_json()
        assert stored["panel"]["specimen"]["id"] == document["specimen"]["id"]


def test_the_interpretation_is_that_of_a_single_post(send: Any, panel: PanelMaker, client: FlaskClient) -> None:
    document = panel("hematologic_lm")
    one, _ = send(document, panel())
    batch = client.get(f"{one['location']}/interpretation").get_json()
    single = client.post("/api/v1/interpret", json=document).get_json()
    differ = {"panel_id": None, "generated_at": None}
    assert batch | differ == single | differ
    assert one["critical_open"] == len(batch["critical"])


def test_a_bad_panel_stops_no_other(send: Any, panel: PanelMaker) -> None:
    unknown = panel(observations=[{"code": "shoe_size", "value": 43}])
    found = send(panel(), BAD, unknown, panel())
    assert [one["status"] for one in found] == [201, 422, 422, 201]
    assert found[1]["problem"]["errors"][0]["pointer"] == "/observations"
    assert found[1]["problem"]["type"] == "/problems/document-refused"


def test_a_line_that_is_no_json_stops_no_other(client: FlaskClient, panel: PanelMaker) -> None:
    data = lines(panel()) + b'{"specimen": \n' + lines(panel())
    assert [one["status"] for one in answers(client.post(ADDRESS, data=data, headers=LINES))] == [201, 422, 201]


def test_the_same_batch_again_is_known(send: Any, panel: PanelMaker) -> None:
    documents = [panel(), panel()]
    first, again = send(*documents), send(*documents)
    assert [one["status"] for one in again] == [200, 200]
    assert [one["panel_id"] for one in again] == [one["panel_id"] for one in first]


def test_panels_that_have_to_do_with_each_other_see_each_other(
    send: Any, panel: PanelMaker, client: FlaskClient
) -> None:
    """One specimen twice, one message twice, and two samples of one patient, of which the first was positive."""
    first = panel()
    corrected = json.loads(json.dumps(first))
    corrected["source"]["message_id"] += "-2"
    corrected["observations"][0]["value"] = "999"
    reused = json.loads(json.dumps(panel()))
    reused["source"] = first["source"]
    later = panel()
    later["patient"]["id"] = first["patient"]["id"]
    later["specimen"]["collected_at"] = "2026-12-31T10:00:00+01:00"
    found = send(first, first, corrected, reused, later)
    assert [one["status"] for one in found] == [201, 200, 201, 409, 201]
    assert [one.get("version") for one in found] == [1, 1, 2, None, 1]
    history = client.get(f"{found[4]['location']}/interpretation").get_json()["context"]["history"]
    assert history["csf_cytology"]["panel_id"] == found[0]["panel_id"]


def test_what_is_beyond_the_limit_is_told_and_not_stored(
    service: Service, settings: Settings, panel: PanelMaker
) -> None:
    client = create_app(replace(settings, batch_panels=2), service).test_client()
    found = answers(client.post(ADDRESS, json=[panel(), BAD, panel()]))
    assert [one["status"] for one in found] == [201, 422, 413]


def test_a_batch_that_is_too_large_is_refused_whole(service: Service, settings: Settings, panel: PanelMaker) -> None:
    client = create_app(replace(settings, batch_bytes=1000), service).test_client()
    response = client.post(ADDRESS, json=[panel(), panel()])
    assert (response.status_code, response.get_json()["type"]) == (413, "/problems/too-large")


@pytest.mark.parametrize("media_type", ["text/plain", "application/fhir+json", ""])
def test_other_media_types_are_refused(client: FlaskClient, media_type: str) -> None:
    assert client.post(ADDRESS, data=b"[]", headers={"Content-Type": media_type}).status_code == 415


def test_an_empty_batch_is_answered_with_one_problem(client: FlaskClient) -> None:
    assert [one["status"] for one in answers(client.post(ADDRESS, data=b"[]", content_type="application/json"))] == [
        422
    ]


def test_answers_stream_chunk_by_chunk(client: FlaskClient, panel: PanelMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first answers are there before the last panels are stored."""
    monkeypatch.setattr("csfinterp.web.batch.CHUNK", 2)
    documents = [panel() for _ in range(5)]
    response = client.post(ADDRESS, data=lines(*documents), headers=LINES, buffered=False)
    stream = iter(response.response)
    first = json.loads(next(stream))
    last = f"/api/v1/panels?specimen={documents[-1]['specimen']['id']}"
    assert client.application.test_client().get(last).get_json()["items"] == []
    assert client.application.test_client().get(first["location"]).status_code == 200
    assert len(list(stream)) == 4
    assert len(client.application.test_client().get(last).get_json()["items"]) == 1


def test_a_lost_race_sends_every_panel_its_own_way(
    client: FlaskClient, service: Service, panel: PanelMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, real = service._store, service._store.add_many
    monkeypatch.setattr(store, "add_many", lambda rows: real(rows) if len(rows) == 1 else _lose())
    assert [one["status"] for one in answers(client.post(ADDRESS, json=[panel(), panel()]))] == [201, 201]


def _lose() -> None:
    raise RaceError("always second")


def test_a_fault_of_ours_is_told_for_its_panels_and_the_batch_goes_on(
    client: FlaskClient, service: Service, panel: PanelMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("csfinterp.web.batch.CHUNK", 1)
    real, calls = service.submit_many, iter([False, True])
    monkeypatch.setattr(service, "submit_many", lambda panels: real(panels) if next(calls) else 1 / 0)
    found = answers(client.post(ADDRESS, json=[panel(), panel()]))
    assert [one["status"] for one in found] == [500, 201]
    assert "ZeroDivision" not in json.dumps(found)


def test_parallel_batches_of_the_same_panels_store_each_once(app: Flask, panel: PanelMaker) -> None:
    documents = [panel() for _ in range(6)]
    with ThreadPoolExecutor(4) as pool:
        every = list(pool.map(lambda _: answers(app.test_client().post(ADDRESS, json=documents)), range(4)))
    for place in range(6):
        assert sorted(found[place]["status"] for found in every) == [200, 200, 200, 201]
        assert len({found[place]["panel_id"] for found in every}) == 1
