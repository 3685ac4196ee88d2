"""HL7 v2 over HTTP: POST /hl7/v2."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from csfinterp.web.describe import HL7_TYPES
from tests.mllp.messages import Ack, oru


def post(client: FlaskClient, data: bytes, content_type: str = HL7_TYPES[0]) -> Ack:
    answer = client.post("/hl7/v2", data=data, content_type=content_type)
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == content_type.partition(";")[0]
    return Ack.of(answer.data)


@pytest.mark.parametrize("content_type", [*HL7_TYPES, "application/hl7-v2; charset=utf-8"])
def test_a_message_is_stored_and_acknowledged(client: FlaskClient, content_type: str) -> None:
    name = "WEB" + str(abs(hash(content_type)) % 10**6)
    answer = post(client, oru(name), content_type)
    assert (answer.code, answer.control_id) == ("AA", name)
    found = client.get(f"/api/v1/panels?specimen=ACC-{name}").get_json()["items"]
    assert [(item["source"], item["version"]) for item in found] == [("LIS/LAB", 1)]
    assert post(client, oru(name), content_type).raw == answer.raw


def test_what_cannot_be_stored_is_200_with_ae_or_ar(client: FlaskClient) -> None:
    assert post(client, b"garbage").code == "AR"
    assert post(client, b"").code == "AR"
    assert post(client, oru("WEB-T", processing="T")).code == "AR"
    assert post(client, oru("WEB-1")).code == "AA"
    assert post(client, oru("WEB-1", lactate="9.9")).code == "AE"


def test_line_ends_of_curl_are_read(client: FlaskClient) -> None:
    assert post(client, oru("WEB-LF").replace(b"\r", b"\n"), "text/plain").code == "AA"


def test_other_types_and_sizes_are_problems(client: FlaskClient) -> None:
    wrong = client.post("/hl7/v2", data=oru("WEB-2"), content_type="application/json")
    assert (wrong.status_code, wrong.get_json()["type"]) == (415, "/problems/media-type-unsupported")
    assert "application/hl7-v2" in wrong.get_json()["detail"]
    large = client.post("/hl7/v2", data=b"x" * 100_001, content_type=HL7_TYPES[0])
    assert (large.status_code, large.get_json()["type"]) == (413, "/problems/too-large")
