"""CDS Hooks 2.0: cards from the stored panels of the right patient, none otherwise, feedback kept."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import create_engine, select
from werkzeug.test import TestResponse

from csfinterp.settings import Settings
from csfinterp.store.schema import card_feedback
from tests.web.conftest import PanelMaker

SERVICES = "/cds-services"
Document = dict[str, Any]


def asked(patient: Document | None = None, patient_id: str = "ehr-1") -> Document:
    request: Document = {
        "hook": "patient-view", "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/1", "patientId": patient_id},
    }  # fmt: skip
    return request | ({"prefetch": {"patient": patient}} if patient else {})


def patient_of(panel: Document, **changes: Any) -> Document:
    sent = panel["patient"]
    return {
        "resourceType": "Patient", "id": "ehr-1", "birthDate": sent["birth_date"],
        "identifier": [{"value": "INSURANCE-1"},
                       {"type": {"coding": [{"code": "MR"}]}, "value": sent["id"]}], **changes,
    }  # fmt: skip


def cards(client: FlaskClient, request: Document) -> list[Document]:
    answer = client.post(f"{SERVICES}/csf-panels", json=request)
    assert answer.status_code == 200, answer.text
    return list(answer.get_json()["cards"])


def test_discovery_names_the_service(client: FlaskClient) -> None:
    [service] = client.get(SERVICES).get_json()["services"]
    assert (service["hook"], service["id"]) == ("patient-view", "csf-panels")
    assert service["prefetch"] == {"patient": "Patient/{{context.patientId}}"}
    assert client.post(f"{SERVICES}/{service['id']}", json=asked()).status_code == 200


def test_a_card_says_the_headline_and_leads_to_the_report(client: FlaskClient, panel: PanelMaker) -> None:
    sent = panel("bacterial")
    interpretation = client.post("/api/v1/panels", json=sent).get_json()
    [card] = cards(client, asked(patient_of(sent)))
    assert len(card["summary"]) <= 140
    assert card["indicator"] == "critical"
    assert card["source"]["label"] == "csfinterp, edition 2026.1"
    first = interpretation["summary"]["sentences"][0]["text"]
    assert first.partition("(")[0].strip() in card["detail"].replace("\\", "")
    assert interpretation["disclaimer"] in card["detail"]
    page = client.get(urlsplit(card["links"][0]["url"]).path)
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert card["uuid"] == cards(client, asked(patient_of(sent)))[0]["uuid"], "feedback must find its card"


def test_a_normal_panel_is_information(client: FlaskClient, panel: PanelMaker) -> None:
    sent = panel("normal")
    client.post("/api/v1/panels", json=sent)
    assert [card["indicator"] for card in cards(client, asked(patient_of(sent)))] == ["info"]


def test_nothing_stored_gives_no_cards(client: FlaskClient) -> None:
    assert cards(client, asked(patient_id=f"nobody-{uuid.uuid4().hex}")) == []


def test_another_birth_date_is_another_patient(client: FlaskClient, panel: PanelMaker) -> None:
    sent = panel("normal")
    client.post("/api/v1/panels", json=sent)
    assert cards(client, asked(patient_of(sent, birthDate="1950-01-01"))) == []
    assert len(cards(client, asked(patient_of(sent, birthDate=sent["patient"]["birth_date"][:4])))) == 1


def test_an_identifier_of_another_kind_is_not_the_record_number(client: FlaskClient, panel: PanelMaker) -> None:
    sent = panel("normal")
    client.post("/api/v1/panels", json=sent)
    swapped = [{"value": sent["patient"]["id"]}, {"type": {"coding": [{"code": "MR"}]}, "value": "OTHER"}]
    assert cards(client, asked(patient_of(sent, identifier=swapped))) == []


def test_the_newest_panels_come_first_and_not_all(client: FlaskClient, panel: PanelMaker) -> None:
    name = f"MRN-{uuid.uuid4().hex}"
    for day in range(1, 6):
        sent = panel("normal")
        sent["patient"]["id"] = name
        sent["specimen"]["collected_at"] = f"2026-06-0{day}T08:00:00+02:00"
        client.post("/api/v1/panels", json=sent)
    found = cards(client, asked(patient_id=name))
    assert [card["summary"][7:17] for card in found] == ["2026-06-05", "2026-06-04", "2026-06-03"]


def test_signs_of_a_sender_stay_text(client: FlaskClient, panel: PanelMaker) -> None:
    sent = panel("bacterial")
    sent["observations"].append({"code": "csf_culture", "value": "positive", "organism": "[x](http://evil) <b>"})
    client.post("/api/v1/panels", json=sent)
    [card] = cards(client, asked(patient_of(sent)))
    assert "[x](" not in card["detail"] and "<b>" not in card["detail"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"hook": "order-sign"}, "/hook"),
        ({"hook": None}, "/hook"),
        ({"hookInstance": "1"}, "/hookInstance"),
        ({"context": {"userId": "x"}}, "/context"),
        ({"context": []}, "/context"),
        ({"prefetch": []}, "/prefetch"),
    ],
)
def test_a_wrong_request_is_refused(client: FlaskClient, change: Document, pointer: str) -> None:
    answer = client.post(f"{SERVICES}/csf-panels", json={**asked(), **change})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]


def test_an_unknown_service_is_not_found(client: FlaskClient) -> None:
    for path in ("/other", "/other/feedback"):
        assert client.post(SERVICES + path, json=asked()).status_code == 404


def feedback(client: FlaskClient, *entries: Document) -> TestResponse:
    return client.post(f"{SERVICES}/csf-panels/feedback", json={"feedback": list(entries)})


def test_feedback_is_kept_as_sent(client: FlaskClient, settings: Settings) -> None:
    card = str(uuid.uuid4())
    sent = {"card": card, "outcome": "overridden", "overrideReason": {"userComment": "seen"},
            "outcomeTimestamp": "2026-03-01T10:00:00Z"}  # fmt: skip
    assert feedback(client, sent).status_code == 200
    with create_engine(settings.database_url).connect() as connection:
        [row] = connection.execute(select(card_feedback).where(card_feedback.c.card == card)).mappings()
    assert (row["service"], row["outcome"], json.loads(row["details"])) == ("csf-panels", "overridden", sent)


@pytest.mark.parametrize(
    "entries", [[], [{}], [{"card": "x", "outcome": "accepted"}], [{"card": str(uuid.uuid4()), "outcome": "liked"}]]
)
def test_wrong_feedback_is_refused(client: FlaskClient, entries: list[Document]) -> None:
    assert feedback(client, *entries).status_code == 422
