"""Vignettes of tests/cases: constructed panels that name the table or rule they are built from, each read 3 ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from csfinterp.formats import panel_json
from csfinterp.operations import open_service
from csfinterp.settings import Settings
from csfinterp.web import create_app
from tests.making import finding, flag, has_result, loinc, panel, profile, quantity, result, rules, truth, value

FOLDER = Path(__file__).parent / "cases"
VIGNETTES: list[dict[str, Any]] = [
    {**case, "topic": file.stem}
    for file in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(file.read_text(encoding="utf-8"))
]
WAYS = ("http", "alone", "stacked")
# Given by the way in, not by the medicine.
ENVELOPE = ("panel_id", "generated_at", "site_rules", "version")
CHECKS = ("flags", "not_judged", "values", "findings", "severity", "lm", "hematologic_cns", "profiles", "critical",
    "quality",
          "issues", "advisory", "notes", "absent")  # fmt: skip


def observation(sent: str | dict[str, Any]) -> dict[str, Any]:
    """`csf_leukocytes 21 /uL`, `csf_cytology positive`, or the observation as it is sent."""
    if isinstance(sent, dict):
        return sent
    code, number, *unit = sent.split()
    return {"code": code, "value": number, **({"unit": unit[0]} if unit else {})}


def document(case: dict[str, Any]) -> dict[str, Any]:
    sent = panel(
        *map(observation, case["observations"]),
        age=case.get("age"),
        site=case.get("site"),
        specimen=case.get("specimen", {}),
        context=case.get("context", {}),
    )
    sent["patient"]["id"] = f"CASE-{case['id']}"
    sent["specimen"]["id"] = f"CASE-{case['id']}"
    sent["source"] = {"system": "CASES", "message_id": f"CASE-{case['id']}"}
    return sent


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """The real application on a database of its own."""
    database = tmp_path_factory.mktemp("cases") / "csf.sqlite"
    settings = Settings.load({"CSFINTERP_DATABASE_URL": f"sqlite:///{database}", "CSFINTERP_ALLOW_DRAFT": "true"})
    return create_app(settings, open_service(settings)).test_client()


@pytest.fixture(scope="module")
def posted(client: FlaskClient) -> dict[str, dict[str, Any]]:
    found = {}
    for case in VIGNETTES:
        # As text of our own: the test client would sort the keys, and the specimen is printed back as received.
        answer = client.post("/api/v1/panels", data=json.dumps(document(case)), content_type="application/json")
        assert answer.status_code == 201, (case["id"], answer.get_json())
        found[case["id"]] = answer.get_json()
    return found


@pytest.fixture(scope="module")
def stacked(core: Any) -> dict[str, dict[str, Any]]:
    """All vignettes as one cohort."""
    read = [panel_json.read_document(document(case)) for case in VIGNETTES]
    answers = [panel_json.write(one, panel_json.Envelope(None, 1, None)) for one in core.interpret_many(read)]
    return {case["id"]: answer for case, answer in zip(VIGNETTES, answers, strict=True)}


@pytest.fixture(scope="module")
def alone(core: Any) -> dict[str, dict[str, Any]]:
    return {
        case["id"]: panel_json.write(
            core.interpret(panel_json.read_document(document(case))), panel_json.Envelope(None, 1, None)
        )
        for case in VIGNETTES
    }


@pytest.fixture
def answers(posted, alone, stacked) -> dict[str, dict[str, dict[str, Any]]]:
    return {"http": posted, "alone": alone, "stacked": stacked}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", VIGNETTES, ids=lambda case: case["id"])
def test_vignette(answers, case, way, record_property):
    record_property("vignette_topic", case["topic"])
    answer, expected = answers[way][case["id"]], case["expect"]
    assert set(expected) <= set(CHECKS)
    assert _values(answer, expected) == {
        name: pytest.approx(one, abs=5e-5) for name, one in expected.get("values", {}).items()
    }
    wanted = {name: part for name, part in expected.items() if name != "values"}
    if "critical" in wanted:
        wanted["critical"] = sorted(wanted["critical"])
    assert _read(answer, expected) == wanted


def _values(answer: dict[str, Any], expected: dict[str, Any]) -> dict[str, float]:
    return {name: value(answer, name) for name in expected.get("values", {})}


def _read(answer: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """The parts of the answer that the vignette speaks of, in the vignette's own form."""

    def part(block: dict[str, Any], name: str) -> dict[str, Any]:
        return {key: block[key] for key in expected[name]}

    found = {
        "flags": {name: _any_flag(answer, name) for name in expected.get("flags", {})},
        "not_judged": {name: flag(answer, name)[1] for name in expected.get("not_judged", {})},
        "findings": {name: truth(answer, name) for name in expected.get("findings", {})},
        "critical": sorted(f"{one['analyte']} {one['rule']} {one['level']}" for one in answer["critical"]),
        "severity": finding(answer, "barrier_dysfunction")["severity"],
        "quality": sorted(rules(answer) & set(expected.get("quality", ()))),
        "issues": [f"{one['code']} {one['observation']}" for one in answer["issues"] if one["severity"] == "error"],
        "advisory": {
            name: wanted if wanted in (result(answer, name)["advisory"] or "") else result(answer, name)["advisory"]
            for name, wanted in expected.get("advisory", {}).items()
        },
        "notes": {
            name: wanted if wanted in {note["code"] for note in result(answer, name)["notes"]} else None
            for name, wanted in expected.get("notes", {}).items()
        },
        "absent": [name for name in expected.get("absent", ()) if not has_result(answer, name)],
        "profiles": {
            name: {key: profile(answer, name)[key] for key in wanted}
            for name, wanted in expected.get("profiles", {}).items()
        },
    }
    for name in ("lm", "hematologic_cns"):
        if name in expected:
            found[name] = part(answer[name], name)
    return {name: found[name] for name in expected if name != "values"}


def _any_flag(answer: dict[str, Any], name: str) -> str | None:
    """The flag of the analyte; where it repeats, the weightiest one is the leading result's."""
    flags = [one["flag"] for one in answer["results"] if one["analyte"] == name]
    return next((one for one in flags if one), None)


@pytest.mark.parametrize("case", VIGNETTES, ids=lambda case: case["id"])
def test_three_ways_give_the_same_answer(answers, case):
    def bare(way: str) -> dict[str, Any]:
        return {name: part for name, part in answers[way][case["id"]].items() if name not in ENVELOPE}

    assert bare("alone") == bare("stacked")
    # Through JSON once: the answer over HTTP has been text.
    assert panel_json.dumps(bare("http")) == panel_json.dumps(bare("alone"))


def test_there_are_enough_vignettes_and_each_names_its_source():
    assert len(VIGNETTES) >= 24
    assert len({case["id"] for case in VIGNETTES}) == len(VIGNETTES)
    assert all(len(case["built_from"]) > 20 and case["expect"] for case in VIGNETTES)


def test_they_span_ages_and_sites():
    ages = {case.get("age") for case in VIGNETTES}
    assert {"2 d", "91 d", "8 a", "35 a", "90 a", None} <= ages
    assert any(case.get("context", {}).get("preterm") for case in VIGNETTES)
    assert {case.get("site") for case in VIGNETTES} == {"lumbar", "ventricular", "cisternal", None}


NO_CSF = [quantity("serum_albumin", 41, "g/L"), {"code": "XYZ-1", "value": 3, "unit": "mg/L"}]


@pytest.mark.parametrize("sent", NO_CSF, ids=lambda sent: sent["code"])
def test_a_panel_without_a_known_csf_analyte_is_refused_and_not_stored(client, sent):
    refused = panel(sent)
    refused["specimen"]["id"] = "CASE-NO-CSF"
    refused["patient"]["id"] = "CASE-NO-CSF"
    answer = client.post("/api/v1/panels", json=refused)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert client.get("/api/v1/panels", query_string={"patient": "CASE-NO-CSF"}).get_json()["items"] == []


def test_a_panel_of_wrong_specimen_codes_only_is_stored(client):
    """RU12: it names CSF analytes: stored and answered 201 with issues, nothing judged."""
    sent = panel(loinc("26464-8", value=300, unit="/uL"))
    sent["specimen"]["id"] = "CASE-WRONG-CODES"
    sent["source"]["message_id"] = "CASE-WRONG-CODES"
    answer = client.post("/api/v1/panels", json=sent)
    assert answer.status_code == 201
    assert [one["code"] for one in answer.get_json()["issues"]] == ["wrong_specimen_code"]
    assert not any(one["flag"] for one in answer.get_json()["results"])
