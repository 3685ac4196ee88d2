"""Vignettes of tests/cases: constructed panels that name the table or rule they are built from, each read 3 ways.

Keys of `expect` with an exact answer: see `EXACT`; "at least" and "never" keys: see `MEMBERS` and `SENTENCES`.
A grade may be a word, a list of words that the texts leave open, or the parts of the pattern to compare.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from csfinterp.formats import panel_json
from csfinterp.model.edition import Edition
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
EXACT = (
    "flags", "not_judged", "values", "findings", "severity", "lm", "hematologic_cns", "leukemia_cns", "profiles",
    "critical", "quality", "issues", "advisory", "notes", "absent", "patterns", "items", "alarms", "missing", "scores",
    "differential", "variants", "first_recommendation",
)  # fmt: skip
# At least these ids, and (no_...) never these.
MEMBERS: dict[str, Callable[[dict[str, Any]], set[str]]] = {
    "cautions": lambda answer: {one["id"] for one in answer["cautions"]},
    # Named by id or by the printed number (R-I02).
    "recommendations": lambda answer: {one[key] for one in answer["recommendations"] for key in ("id", "rule")},
    "context_only": lambda answer: {one["id"] for one in answer["recommendations"] if one["context_only"]},
    # What the sentences of the summary rest on, without the one that only counts the rest.
    "summary": lambda answer: {
        name
        for one in answer["summary"]["sentences"]
        if "in the other parts of this report" not in one["text"]
        for name in one["because"]
    },
}
# Phrases (without regard to case; "a|b" is either) that stand, or never stand, in a printed sentence.
SENTENCES = ("says", "never_says", "liquid_biopsy")
CHECKS = {*EXACT, *MEMBERS, *(f"no_{name}" for name in MEMBERS), *SENTENCES}

PATTERNS = (
    "bacterial_meningitis", "fungal_meningitis", "tuberculous_meningitis", "viral_meningitis", "subarachnoid_blood",
    "leptomeningeal_metastasis_csf", "cns_lymphoma_leukemia", "neurosarcoidosis", "chronic_inflammatory_ms_type",
    "albuminocytologic_dissociation", "isolated_barrier_dysfunction", "blood_contamination", "no_abnormality_measured",
)  # fmt: skip
GRADES = ("established", "fits", "partly_fits", "does_not_fit", "not_evaluable")
SITES = ("lumbar", "ventricular", "cisternal", "not stated")
# From 29 d on by the band of completed days; from 1 a on by years.
DAY_BANDS = (("0-28 d", 29), ("29-60 d", 61), ("61 d to 1 a", 366))
YEAR_BANDS = (("1-11 a", 12), ("12-18 a", 19), ("19-59 a", 60), ("60-79 a", 80), ("80-90 a", 91))
AGE_BANDS = ("preterm", *(name for name, _ in (*DAY_BANDS, *YEAR_BANDS)), "not stated")


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
        sent = document(case)
        # The storing door takes the history from the store, the stateless one from the document (interfaces.md 1).
        door, status = ("interpret", 200) if "history" in sent.get("context", {}) else ("panels", 201)
        # As text of our own: the test client would sort the keys, and the specimen is printed back as received.
        answer = client.post(f"/api/v1/{door}", data=json.dumps(sent), content_type="application/json")
        assert answer.status_code == status, (case["id"], answer.get_json())
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
    assert set(expected) <= CHECKS
    assert _broken(answer, expected) == []
    assert _values(answer, expected) == {
        name: pytest.approx(one, abs=5e-5) for name, one in expected.get("values", {}).items()
    }
    wanted = {name: part for name, part in expected.items() if name in EXACT and name != "values"}
    if "critical" in wanted:
        wanted["critical"] = sorted(wanted["critical"])
    assert _read(answer, expected) == wanted


def _broken(answer: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """What of the "at least" and "never" keys does not hold."""
    found = []
    for name, ids in MEMBERS.items():
        there = ids(answer)
        found += [f"{name}: {one} is missing" for one in expected.get(name, ()) if one not in there]
        found += [f"{name}: {one} stands there" for one in expected.get(f"no_{name}", ()) if one in there]
    printed = [text.lower() for text in _sentences(answer)]
    liquid = [one["text"].lower() for one in answer["liquid_biopsy"]["statements"]]
    for name, texts in (("says", printed), ("liquid_biopsy", liquid)):
        found += [f"{name}: {one} is missing" for one in expected.get(name, ()) if not _said(one, texts)]
    found += [f"says {one}" for one in expected.get("never_says", ()) if _said(one, printed)]
    return found


def _said(phrase: str, texts: Iterable[str]) -> bool:
    return any(one in text for one in phrase.lower().split("|") for text in texts)


def _sentences(answer: dict[str, Any]) -> Iterator[str]:
    """Every sentence that interprets: what a reader of the report sees, apart from values and limits.

    Patterns that are not shown are left out; so is the name of a quality rule. "blood_contamination" is a name of the
    contract, not a sentence.
    """
    yield answer["summary"]["headline"]
    yield answer["leukemia_cns"]["text"]
    yield answer["hematologic_cns"]["text"]
    texts = (answer["summary"]["sentences"], answer["cautions"], answer["recommendations"], answer["scores"],
             answer["liquid_biopsy"]["statements"], answer["lm"]["cautions"])  # fmt: skip
    for entries in texts:
        yield from (one["text"] for one in entries)
    for one in answer["patterns"]:
        if one["shown"]:
            yield from (one["text"], *one["support"], *one["against"], *(line["text"] for line in one["lines"]))
    for one in answer["quality"]:
        if one["truth"] == "true":
            yield from (one["name"], one["text"], *one["because"])


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
        "patterns": {name: _grade(answer, name, wanted) for name, wanted in expected.get("patterns", {}).items()},
        "items": {name: _item(answer, name, wanted) for name, wanted in expected.get("items", {}).items()},
        # The quantities, sorted, that the alarm lines of the pattern name.
        "alarms": {
            name: sorted({line.split()[0] for line in _pattern(answer, name)["alarms"]})
            for name in expected.get("alarms", {})
        },
        "missing": {
            name: [one for one in wanted if one in _pattern(answer, name)["missing"]]
            for name, wanted in expected.get("missing", {}).items()
        },
        "scores": {name: _score(answer, name, wanted) for name, wanted in expected.get("scores", {}).items()},
        "differential": answer["differential"] is not None,
        "variants": [one["gene"] for one in answer["liquid_biopsy"]["variants"]],
        "first_recommendation": next((one["id"] for one in answer["recommendations"]), None),
        "profiles": {
            name: {key: profile(answer, name)[key] for key in wanted}
            for name, wanted in expected.get("profiles", {}).items()
        },
    }
    for name in ("lm", "hematologic_cns", "leukemia_cns"):
        if name in expected:
            found[name] = part(answer[name], name)
    return {name: found[name] for name in expected if name in EXACT and name != "values"}


def _pattern(answer: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in answer["patterns"] if one["id"] == name)


def _grade(answer: dict[str, Any], name: str, wanted: Any) -> Any:
    """The grade, or the parts of the pattern that are asked for, in the form in which they are asked for."""
    found = _pattern(answer, name)
    if isinstance(wanted, dict):
        return {key: found[key] for key in wanted}
    return wanted if isinstance(wanted, list) and found["grade"] in wanted else found["grade"]


def _item(answer: dict[str, Any], name: str, wanted: str) -> str:
    """The truth of a pattern item; `not true` stands for false or unknown."""
    found = next(one["truth"] for patterns in answer["patterns"] for one in patterns["items"] if one["id"] == name)
    return wanted if wanted == "not true" and found != "true" else found


def _score(answer: dict[str, Any], name: str, wanted: Any) -> Any:
    """The status of a score, or its parts that are asked for; `says` is a phrase of its text."""
    found = next(one for one in answer["scores"] if one["id"] == name)
    if not isinstance(wanted, dict):
        return found["status"]
    parts = {key: found[key] for key in wanted if key != "says"}
    if "says" in wanted:
        parts["says"] = wanted["says"] if _said(wanted["says"], [found["text"].lower()]) else found["text"]
    return parts


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
    assert len(VIGNETTES) >= 90
    assert len({case["id"] for case in VIGNETTES}) == len(VIGNETTES)
    assert all(len(case["built_from"]) > 20 and case["expect"] for case in VIGNETTES)


def test_each_names_sources_of_the_edition(edition: Edition):
    named = {(case["id"], source) for case in VIGNETTES for source in case["sources"]}
    known = {citation.id for citation in edition.citations}
    assert all(case["sources"] for case in VIGNETTES)
    assert {one for one in named if one[1] not in known} == set()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_has_four_vignettes_and_a_negative_one(pattern):
    grades = [grade for case in VIGNETTES if (grade := _expected_grade(case, pattern))]
    assert len(grades) >= 4
    assert set(grades) & {"established", "fits", "partly_fits"}
    assert "does_not_fit" in grades


def test_they_span_ages_and_sites():
    ages = {case.get("age") for case in VIGNETTES}
    assert {"2 d", "91 d", "8 a", "35 a", "90 a", None} <= ages
    assert {_age_band(case) for case in VIGNETTES} == set(AGE_BANDS)
    assert {_site(case) for case in VIGNETTES} == set(SITES)


# --- the table at the end of the run ---


def _expected_grade(case: dict[str, Any], pattern: str) -> str | None:
    """The grade that the vignette expects; None if it does not speak of one."""
    wanted = case["expect"].get("patterns", {}).get(pattern)
    grade = wanted.get("grade") if isinstance(wanted, dict) else wanted
    return grade[0] if isinstance(grade, list) else grade


def _site(case: dict[str, Any]) -> str:
    return str(case.get("site", "not stated"))


def _age_band(case: dict[str, Any]) -> str:
    if case.get("context", {}).get("preterm"):
        return "preterm"
    if "age" not in case:
        return "not stated"
    number, unit = case["age"].split()
    bands = YEAR_BANDS if unit == "a" else DAY_BANDS
    return next(name for name, before in bands if int(number) < before)


def vignette_table() -> list[str]:
    """Lines: vignettes per pattern and expected grade, per site, per age band."""
    lines = [f"{len(VIGNETTES)} vignettes", f"{'pattern':32}{'all':>5}" + "".join(f"{grade:>15}" for grade in GRADES)]
    for pattern in PATTERNS:
        grades = Counter(_expected_grade(case, pattern) for case in VIGNETTES)
        lines.append(
            f"{pattern:32}{grades.total() - grades[None]:>5}" + "".join(f"{grades[one]:>15}" for one in GRADES)
        )
    for title, names, key in (("site", SITES, _site), ("age", AGE_BANDS, _age_band)):
        counts = Counter(map(key, VIGNETTES))
        lines.append(f"{title}: " + ", ".join(f"{name} {counts[name]}" for name in names))
    return lines


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
