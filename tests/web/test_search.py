"""Search: every filter, pages that miss and repeat nothing, and no guess at what a reader meant."""

from __future__ import annotations

import uuid
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from csfinterp.service import Service
from csfinterp.settings import Settings
from csfinterp.web import create_app
from tests.web.conftest import PanelMaker

PANELS = "/api/v1/panels"


@pytest.fixture
def source(client: FlaskClient, panel: PanelMaker) -> str:
    """A sender of its own with three panels: normal, bacterial, solid LM."""
    name = f"LIS-{uuid.uuid4().hex}"
    for day, sample in enumerate(("normal", "bacterial", "solid_lm_positive_cytology"), 1):
        document = panel(sample)
        document["source"] = {"system": name}
        document["specimen"].update(id=sample, collected_at=f"2026-04-0{day}T08:00:00+02:00")
        assert client.post(PANELS, json=document).status_code == 201
    return name


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["solid_lm_positive_cytology", "bacterial", "normal"]),
        ({"specimen": "bacterial"}, ["bacterial"]),
        ({"certainty": "confirmed"}, ["solid_lm_positive_cytology"]),
        ({"flag": "csf_lactate:H"}, ["solid_lm_positive_cytology", "bacterial"]),
        ({"finding": "tumor_cells_in_csf"}, ["solid_lm_positive_cytology"]),
        ({"finding": "organism_found"}, ["bacterial"]),
        ({"critical": "open"}, ["solid_lm_positive_cytology", "bacterial"]),
        ({"collected_from": "2026-04-02"}, ["solid_lm_positive_cytology", "bacterial"]),
        ({"collected_to": "2026-04-02T08:00:00+02:00"}, ["bacterial", "normal"]),
        ({"collected_to": "2026-04-02T07:59:59+02:00"}, ["normal"]),
        ({"patient": "nobody"}, []),
    ],
)
def test_filters(client: FlaskClient, source: str, query: dict[str, str], expected: list[str]) -> None:
    answer = client.get(PANELS, query_string={"source": source, **query})
    assert [item["specimen_id"] for item in answer.get_json()["items"]] == expected


def test_a_line_says_what_a_reader_needs(client: FlaskClient, source: str) -> None:
    item = client.get(PANELS, query_string={"source": source, "specimen": "bacterial"}).get_json()["items"][0]
    assert (item["version"], item["status"], item["edition"]) == (1, "final", "2026.1")
    assert item["critical_open"] >= 1
    assert item["headline"]


def test_pages_are_complete(client: FlaskClient, source: str) -> None:
    seen, address = [], f"{PANELS}?source={source}&limit=1"
    while address:
        page = client.get(address).get_json()
        seen += [item["specimen_id"] for item in page["items"]]
        following = page["next"] and urlsplit(page["next"])
        address = following and f"{following.path}?{following.query}"
    assert seen == ["solid_lm_positive_cytology", "bacterial", "normal"]


def test_next_is_a_whole_address(client: FlaskClient, source: str) -> None:
    page = client.get(f"{PANELS}?source={source}&limit=2").get_json()
    assert page["next"].startswith("http://localhost/api/v1/panels?")
    assert [item["specimen_id"] for item in client.get(page["next"]).get_json()["items"]] == ["normal"]


def test_next_carries_no_patient_and_no_specimen(client: FlaskClient, source: str, panel: PanelMaker) -> None:
    patient = f"MRN-PAGES-{source}"
    for _ in range(3):
        sent = panel()
        sent["patient"]["id"] = patient
        assert client.post(PANELS, json=sent).status_code == 201
    seen, address = [], f"{PANELS}?patient={patient}&limit=2"
    while address:
        page = client.get(address).get_json()
        seen += [item["specimen_id"] for item in page["items"]]
        address = page["next"]
        assert address is None or (patient not in address and "search=" in address)
    assert len(seen) == len(set(seen)) == 3
    answer = client.get(f"{PANELS}?search=unknown")
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/search")


def test_addresses_carry_the_name_of_a_trusted_proxy_only(settings: Settings, service: Service, source: str) -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "csf.hospital.example"}
    for count, start in ((0, "http://localhost/"), (1, "https://csf.hospital.example/")):
        client = create_app(replace(settings, trusted_proxies=count), service).test_client()
        page = client.get(f"{PANELS}?source={source}&limit=1", headers=headers).get_json()
        assert page["next"].startswith(start)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("certainty=maybe", "/certainty"),
        ("flag=HHH", "/flag"),
        ("critical=all", "/critical"),
        ("collected_from=yesterday", "/collected_from"),
        ("limit=0", "/limit"),
        ("limit=100000", "/limit"),
        ("limit=ten", "/limit"),
        ("after=%3Cscript%3E", "/after"),
        ("patient=", "/patient"),
        ("patient=a%00b", "/patient"),
        ("certanty=confirmed", "/certanty"),
    ],
)
def test_what_is_not_understood_is_refused(client: FlaskClient, query: str, pointer: str) -> None:
    answer = client.get(f"{PANELS}?{query}")
    assert (answer.status_code, answer.get_json()["type"]) == (422, "/problems/parameter-refused")
    assert [entry["pointer"] for entry in answer.get_json()["errors"]] == [pointer]
