"""Critical call-backs by HTTP: written once, shown with their call, carried on only while the call says the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import PanelMaker

TOLD = {"told": "Dr. Example, ward 3", "by": "A. Sample", "at": "2026-03-01T10:05:00+01:00", "read_back": True}
GRAM = {"analyte": "csf_gram_stain", "rule": "CR-ORG"}


def posted(client: FlaskClient, document: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/api/v1/panels", json=document)
    assert answer.status_code == 201
    return dict(answer.get_json())


def tell(client: FlaskClient, panel_id: str, **changes: Any) -> Any:
    body = {"version": 1, **TOLD, **changes}
    return client.post(f"/api/v1/panels/{panel_id}/acknowledgements", json=body)


def read(client: FlaskClient, panel_id: str, version: int | None = None) -> Any:
    query = {} if version is None else {"version": version}
    return client.get(f"/api/v1/panels/{panel_id}/interpretation", query_string=query)


def summary(client: FlaskClient, document: dict[str, Any]) -> dict[str, Any]:
    (item,) = client.get("/api/v1/panels", query_string={"patient": document["patient"]["id"]}).get_json()["items"]
    return dict(item)


def test_every_open_call_is_acknowledged_at_once_and_shown_with_its_call(
    client: FlaskClient, panel: PanelMaker
) -> None:
    document = panel("bacterial")
    stored = posted(client, document)
    assert len(stored["critical"]) > 1
    assert all(call["acknowledged"] is None for call in stored["critical"])
    answer = tell(client, stored["panel_id"])
    assert answer.status_code == 201
    shown = read(client, stored["panel_id"]).get_json()["critical"]
    assert shown == answer.get_json()["critical"]
    assert client.get(answer.headers["Location"]).get_json()["critical"] == shown
    for call in shown:
        assert {name: call["acknowledged"][name] for name in TOLD} == TOLD
        assert call["acknowledged"]["recorded_at"].endswith("Z")
    assert [{**call, "acknowledged": None} for call in shown] == stored["critical"]
    assert summary(client, document)["critical_open"] == 0
    again = client.post("/api/v1/panels", json=document)
    assert (again.status_code, again.get_json()["critical"]) == (200, shown)


def test_one_call_leaves_the_others_open(client: FlaskClient, panel: PanelMaker) -> None:
    document = panel("bacterial")
    stored = posted(client, document)
    assert tell(client, stored["panel_id"], calls=[GRAM]).status_code == 201
    shown = read(client, stored["panel_id"]).get_json()["critical"]
    assert [(call["analyte"], call["rule"]) for call in shown if call["acknowledged"]] == [tuple(GRAM.values())]
    assert summary(client, document)["critical_open"] == len(stored["critical"]) - 1
    assert tell(client, stored["panel_id"], by="B. Sample").status_code == 201, "the rest, by somebody else"
    assert summary(client, document)["critical_open"] == 0


def test_it_is_written_once(client: FlaskClient, panel: PanelMaker) -> None:
    panel_id = posted(client, panel("bacterial"))["panel_id"]
    first = tell(client, panel_id, calls=[GRAM]).get_json()
    again = tell(client, panel_id, calls=[GRAM])
    assert (again.status_code, again.get_json()) == (200, first)
    other = tell(client, panel_id, calls=[GRAM], told="Dr. Other")
    assert (other.status_code, other.get_json()["type"]) == (409, "/problems/acknowledged-before")
    assert read(client, panel_id).get_json()["critical"] == first["critical"]
    assert client.put(f"/api/v1/panels/{panel_id}/acknowledgements", json={}).status_code == 405


def test_a_reader_with_an_older_copy_gets_the_call_back(client: FlaskClient, panel: PanelMaker) -> None:
    panel_id = posted(client, panel("bacterial"))["panel_id"]
    before = read(client, panel_id).headers["ETag"]
    tell(client, panel_id)
    fresh = client.get(f"/api/v1/panels/{panel_id}/interpretation", headers={"If-None-Match": before})
    assert fresh.status_code == 200
    assert fresh.headers["ETag"] != before
    for tag in (before, fresh.headers["ETag"]):  # the call changed nothing of the panel: neither tag is outdated
        context = {"episode": tag}
        done = client.put(f"/api/v1/panels/{panel_id}/context", json=context, headers={"If-Match": tag})
        assert done.status_code == (200 if tag == before else 412), "the second one meets the new version"


def test_a_context_does_not_reopen_what_was_told(client: FlaskClient, panel: PanelMaker) -> None:
    document = panel("bacterial")
    stored = posted(client, document)
    tell(client, stored["panel_id"])
    address = f"/api/v1/panels/{stored['panel_id']}/context"
    amended = client.put(address, json={"immunosuppressed": True}, headers={"If-Match": "*"}).get_json()
    assert amended["version"] == 2
    assert all(call["acknowledged"]["told"] == TOLD["told"] for call in amended["critical"])
    assert read(client, stored["panel_id"]).get_json() == amended
    assert summary(client, document)["critical_open"] == 0


def test_a_corrected_value_is_called_again(client: FlaskClient, panel: PanelMaker) -> None:
    document = panel("bacterial")
    stored = posted(client, document)
    tell(client, stored["panel_id"])
    glucose = next(row for row in document["observations"] if row["code"] == "csf_glucose")
    glucose["value"] = float(glucose["value"]) / 2
    document["source"]["message_id"] += "-2"
    corrected = posted(client, document)
    still_open = [call for call in corrected["critical"] if call["acknowledged"] is None]
    assert still_open
    assert {call["analyte"] for call in still_open} == {"csf_glucose"}
    assert summary(client, document)["critical_open"] == len(still_open)
    assert all(call["acknowledged"] for call in read(client, stored["panel_id"], 1).get_json()["critical"])


def test_a_call_about_an_earlier_version_is_kept_and_counts_as_far_as_it_is_true(
    client: FlaskClient, panel: PanelMaker
) -> None:
    document = panel("bacterial")
    panel_id = posted(client, document)["panel_id"]
    client.put(f"/api/v1/panels/{panel_id}/context", json={"episode": "E1"}, headers={"If-Match": "*"})
    document["source"]["message_id"] += "-2"
    document["context"] = {"episode": "E1"}
    document["observations"] = [row for row in document["observations"] if row["code"] != "csf_gram_stain"]
    withdrawn = posted(client, document)
    assert withdrawn["version"] == 3
    assert tell(client, panel_id, version=1).status_code == 201
    assert all(
        call["acknowledged"] for number in (1, 2) for call in read(client, panel_id, number).get_json()["critical"]
    )
    change = client.get(f"/api/v1/panels/{panel_id}/changes", query_string={"from": 2, "to": 3}).get_json()
    gone = [call for call in change["critical"]["withdrawn"] if call["analyte"] == "csf_gram_stain"]
    assert gone[0]["acknowledged"]["told"] == TOLD["told"], "so that somebody tells them of the withdrawal"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"told": " "}, "/told"),
        ({"by": None}, "/by"),
        ({"at": "2026-03-01T10:05:00"}, "/at"),
        ({"at": "2026-03-01"}, "/at"),
        ({"at": None}, "/at"),
        ({"at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}, "/at"),
        ({"read_back": None}, "/read_back"),
        ({"read_back": "yes"}, "/read_back"),
        ({"version": 0}, "/version"),
        ({"version": None}, "/version"),
        ({"note": "x"}, "/note"),
        ({"told": "x" * 201}, "/told"),
        ({"calls": [{"analyte": "csf_lactate", "rule": "CR-NONE"}]}, "/calls/0"),
        ({"calls": [{"analyte": "csf_gram_stain"}]}, "/calls/0/rule"),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_named_and_nothing_is_noted(
    client: FlaskClient, panel: PanelMaker, changes: dict[str, Any], pointer: str
) -> None:
    panel_id = posted(client, panel("bacterial"))["panel_id"]
    answer = tell(client, panel_id, **changes)
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.get_json()["errors"]]
    assert all(call["acknowledged"] is None for call in read(client, panel_id).get_json()["critical"])


def test_there_must_be_such_a_panel_version_and_call(client: FlaskClient, panel: PanelMaker) -> None:
    panel_id = posted(client, panel("bacterial"))["panel_id"]
    assert tell(client, "0" * 32).status_code == 404
    assert tell(client, panel_id, version=2).status_code == 404
    nothing = tell(client, posted(client, panel("normal"))["panel_id"])
    assert (nothing.status_code, nothing.get_json()["errors"][0]["pointer"]) == (422, "/version")


def test_a_cancelled_panel_waits_for_no_call(client: FlaskClient, panel: PanelMaker) -> None:
    document = panel("bacterial")
    posted(client, document)
    document["source"]["message_id"] += "-2"
    document["status"] = "cancelled"
    posted(client, document)
    assert summary(client, document)["critical_open"] == 0
