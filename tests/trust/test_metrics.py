"""/metrics: numbers for the machine that watches, over all workers, and never an id, an address or a value."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from tests.making import sample_panel
from tests.making_accounts import Trusted, trusted
from tests.serving import serving

MARK = "MARKED-NAME"


def test_every_number_is_there_and_nothing_of_a_patient(trust: Trusted) -> None:
    document = sample_panel("bacterial")
    document["patient"]["id"] = f"{MARK}-1"
    document["specimen"]["id"] = f"{MARK}-2"
    assert trust.client("laboratory").post("/api/v1/panels", json=document).status_code == 201
    trust.client("laboratory").get(f"/{MARK}")
    trust.client("laboratory").get(f"/api/v1/panels?patient={MARK}-1")
    text = trust.client("monitor").get("/metrics").text
    assert 'csfinterp_requests_total{method="POST",route="/api/v1/panels",status="201"}' in text
    assert 'csfinterp_request_seconds_count{method="GET",route="none"}' in text
    for name in ("critical_open_calls", "audit_rows", "outbox_oldest_seconds", 'edition{digest="sha256:'):
        assert f"csfinterp_{name}" in text
    assert MARK not in text


def test_the_numbers_of_all_workers_are_added_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "metrics").mkdir()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "metrics"))
    made = trusted(tmp_path)
    with serving(tmp_path, 2, ACCESS="accounts") as server:
        for _ in range(20):
            server.ask("GET", "/healthz")
        headers = {"Authorization": f"Bearer {made.tokens['monitor']}"}
        with urllib.request.urlopen(urllib.request.Request(f"{server.url}/metrics", headers=headers)) as answer:
            text = answer.read().decode()
    line = next(line for line in text.splitlines() if 'route="/healthz"' in line and "requests_total" in line)
    assert float(line.split()[-1]) == 20
