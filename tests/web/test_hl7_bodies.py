"""HL7 v2 through the panel addresses: posted like JSON, read back as ORU^R01."""

from __future__ import annotations

import itertools

import hl7
import pytest
from flask.testing import FlaskClient

from csfinterp.samples import hl7_sample

PANELS = "/api/v1/panels"
HL7 = "application/hl7-v2"
_numbers = itertools.count(1)


@pytest.fixture
def message() -> str:
    """The sample message as nobody has sent it yet."""
    number = next(_numbers)
    return hl7_sample().replace("DEMO-", f"HL7-{number}-")


@pytest.mark.parametrize("media_type", [HL7, "x-application/hl7-v2+er7", HL7 + "; charset=utf-8"])
def test_a_message_is_stored_and_interpreted_once(client: FlaskClient, message: str, media_type: str) -> None:
    first = client.post(PANELS, data=message, content_type=media_type)
    assert first.status_code == 201, first.get_json()
    assert first.get_json()["lm"]["certainty"] == "probable"
    again = client.post(PANELS, data=message.replace("20260303120000", "20260303130000"), content_type=media_type)
    assert (again.status_code, again.headers["Location"]) == (200, first.headers["Location"])


def test_a_correction_is_the_next_version(client: FlaskClient, message: str) -> None:
    first = client.post(PANELS, data=message, content_type=HL7).get_json()
    changed = message.replace("|680|mg/L|<500|H|||F", "|390|mg/L|<500|N|||C").replace("HL7-1|P", "HL7-1-C|P")
    second = client.post(PANELS, data=changed, content_type=HL7)
    assert (second.status_code, second.get_json()["version"]) == (201, 2)
    assert second.get_json()["panel_id"] == first["panel_id"]
    assert second.get_json()["status"] == "corrected"


def test_the_message_is_interpreted_without_being_stored(client: FlaskClient, message: str) -> None:
    answer = client.post("/api/v1/interpret", data=message, content_type=HL7)
    assert (answer.status_code, answer.get_json()["panel_id"]) == (200, None)


@pytest.mark.parametrize(
    ("pointer", "change"),
    [("/MSH/1/11", ("|P|2.5.1", "|T|2.5.1")), ("/MSH/1/9", ("ORU^R01", "ADT^A01")), ("/PID/1/7", ("19580621", "1958"))],
)
def test_a_message_that_is_refused_says_where(
    client: FlaskClient, message: str, pointer: str, change: tuple[str, str]
) -> None:
    answer = client.post(PANELS, data=message.replace(*change).replace("|1958|", "|19581399|"), content_type=HL7)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]


def test_several_panels_are_sent_elsewhere(client: FlaskClient, message: str) -> None:
    second = "\n".join(message.splitlines()[1:]).replace("-CSF-004", "-CSF-005").replace("PID|1", "PID|2")
    answer = client.post(PANELS, data=message + second, content_type=HL7)
    assert answer.status_code == 422
    assert "/hl7/v2" in answer.get_json()["detail"]


def test_the_interpretation_is_read_as_a_message(client: FlaskClient, message: str) -> None:
    stored = client.post(PANELS, data=message, content_type=HL7)
    answer = client.get(stored.headers["Location"] + "/interpretation", headers={"Accept": HL7})
    assert (answer.status_code, answer.mimetype) == (200, HL7)
    read = hl7.parse(answer.text)
    assert str(read.segment("ORC")[3][0][0]) == stored.get_json()["panel_id"]
    other = client.get(stored.headers["Location"] + "/interpretation", headers={"Accept": "application/json"})
    assert answer.headers["ETag"] != other.headers["ETag"]


def test_no_value_of_the_patient_stands_in_a_refusal(client: FlaskClient, message: str) -> None:
    bad = message.replace("19580621", "19581399").replace("Demo^Anton", "Secret^Name")
    answer = client.post(PANELS, data=bad, content_type=HL7)
    assert answer.status_code == 422
    assert not any(word in answer.text for word in ("19581399", "Secret", "DEMO-004"))
