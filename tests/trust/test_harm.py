"""What an attacker or a broken sender tries: each is refused, and nothing of a patient shows up where it should not."""

from __future__ import annotations

import gzip
import json
import logging

import pytest

from tests.making import Document, sample_panel
from tests.making_accounts import Trusted

MARK = "ZZ-MARKED-PATIENT"


def test_marked_names_are_in_no_log_no_error_and_no_audit(
    trust: Trusted, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    laboratory, document = trust.client("laboratory"), sample_panel("bacterial")
    document["patient"]["id"] = f"{MARK}-ID"
    document["observations"].append({"code": f"{MARK}-CODE", "value": f"{MARK}-VALUE", "unit": f"{MARK}-UNIT"})
    answers = [laboratory.post("/api/v1/panels", json=document)]
    broken = json.dumps({**document, "specimen": {"id": f"{MARK}-SPECIMEN", "type": MARK}})
    answers.append(laboratory.post("/api/v1/panels", data=broken, content_type="application/json"))
    answers.append(laboratory.post("/api/v1/panels", data=broken[:-9], content_type="application/json"))
    answers.append(laboratory.post("/hl7/v2", data=f"MSH|^~\\&|{MARK}\rPID|{MARK}", content_type="application/hl7-v2"))
    answers.append(laboratory.get(f"/api/v1/panels?patient={MARK}-ID&certainty={MARK}"))
    answers.append(laboratory.get(f"/panels/{MARK}", headers={"Accept": "text/html"}))
    assert [answer.status_code for answer in answers[:2]] == [201, 422]
    assert all(answer.status_code < 500 for answer in answers)
    assert not any(MARK in answer.text for answer in answers[1:3])
    written = capfd.readouterr()
    assert MARK not in written.out + written.err + caplog.text
    rows = list(trust.service._store.audit.rows())
    assert len(rows) > 3
    assert MARK not in json.dumps(rows)


def test_a_compressed_body_is_refused_before_it_is_unpacked(trust: Trusted) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    for address in ("/api/v1/panels", "/api/v1/panels/batch", "/api/v1/interpret"):
        assert trust.client("laboratory").post(address, data=bomb, headers=headers).status_code == 415


@pytest.mark.parametrize("depth", [40, 100_000])
def test_nesting_is_bounded(trust: Trusted, depth: int) -> None:
    body = b'{"observations":' + b"[" * depth + b"]" * depth + b"}"
    answer = trust.client("laboratory").post("/api/v1/panels", data=body, content_type="application/json")
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "address",
    ["/static/../../../etc/passwd", "/static/%2e%2e/%2e%2e/settings.py", "/docs/assets/..%2f..%2fetc%2fpasswd",
     "/help/..%2f..%2fsettings", "/api/v1/editions/..%2f..%2f..%2fetc", "/editions/..%2f..", "/static//etc/passwd"],
)  # fmt: skip
def test_no_path_leads_out_of_its_folder(trust: Trusted, address: str) -> None:
    for client in (trust.client("steward"), trust.client()):
        answer = client.get(address)
        assert answer.status_code in (303, 308, 401, 404, 422), answer.status_code
        assert "root:" not in answer.text


@pytest.mark.parametrize("text", ["x\r\nSet-Cookie: a=b", "x\nY: z", "x%0d%0aSet-Cookie: a=b"])
def test_no_value_becomes_a_header(trust: Trusted, stored: Document, text: str) -> None:
    laboratory = trust.client("laboratory")
    for address in ("/api/v1/panels", f"/api/v1/panels/{stored['panel_id']}", "/login"):
        answer = laboratory.get(address, query_string={"after": text, "next": text, "version": text})
        assert "a=b" not in " ".join(answer.headers.getlist("Set-Cookie"))
        assert "Y" not in answer.headers


def test_every_answer_carries_the_headers_of_protection(trust: Trusted, stored: Document) -> None:
    for address in ("/login", "/", f"/panels/{stored['panel_id']}", "/nowhere", "/api/v1/panels"):
        for client in (trust.client("clinician"), trust.client()):
            headers = client.get(address).headers
            assert "default-src 'none'" in headers["Content-Security-Policy"]
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["X-Frame-Options"] == "DENY"
            assert headers["Cache-Control"] == "no-store"


def test_reads_are_audited_with_the_panel_who_and_from_where(trust: Trusted, stored: Document) -> None:
    panel_id = stored["panel_id"]
    trust.client("clinician").get(
        f"/api/v1/panels/{panel_id}/interpretation", environ_base={"REMOTE_ADDR": "192.0.2.9"}
    )
    trust.client("researcher").get(f"/api/v1/panels/{panel_id}")
    trust.client("clinician").get("/api/v1/panels")
    *_, read, refused, search = trust.service._store.audit.rows()
    assert (read["what"], read["panel_id"], read["outcome"], read["origin"]) == (
        "panels.interpretation", panel_id, "200", "192.0.2.9",
    )  # fmt: skip
    assert read["who"].startswith("clinician/")
    assert (refused["who"].partition("/")[0], refused["outcome"], refused["panel_id"]) == (
        "researcher", "refused 403", None,
    )  # fmt: skip
    assert panel_id in json.loads(search["details"])["panels"]
