"""The interpretation document: keys, order and contents as the contract prints them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from csfinterp.formats.panel_json import Envelope, dumps, write
from csfinterp.model.interpretation import Interpretation, Result
from csfinterp.model.panel import Variant

AT = "2026-03-01T10:00:00+01:00"
TOP = [
    "panel_id", "version", "status", "generated_at", "edition", "site_rules", "software", "patient", "specimen",
    "context", "results", "issues", "quality", "findings", "profiles", "lm", "hematologic_cns", "leukemia_cns",
    "liquid_biopsy", "patterns", "cautions", "differential", "scores", "recommendations", "summary", "critical",
    "citations", "disclaimer",
]  # fmt: skip
RESULT = [
    "analyte", "name", "loinc", "kind", "reported", "value", "comparator", "unit", "derived", "inputs", "flag",
    "critical", "not_judged", "reference", "times_limit", "advisory", "notes", "laboratory_flag", "laboratory_range",
    "organism", "organism_class", "decimals", "citations", "status",
]  # fmt: skip


def _written(interpretation: Interpretation, **envelope: Any) -> dict[str, Any]:
    document = write(interpretation, Envelope("p1", 2, AT, **envelope))
    again: dict[str, Any] = json.loads(dumps(document))
    assert again == document
    return again


def test_keys_stand_in_the_order_of_the_contract(interpretation: Interpretation) -> None:
    document = _written(interpretation)
    assert list(document) == TOP
    assert list(document["results"][0]) == RESULT
    assert list(document["quality"][0]) == [
        "id", "rule", "name", "truth", "severity", "suppresses", "because", "text", "citations", "status",
    ]  # fmt: skip


def test_a_result_is_written_as_the_contract_prints_it(interpretation: Interpretation) -> None:
    assert _written(interpretation)["results"][0] == {
        "analyte": "csf_leukocytes", "name": "Leukocytes in CSF", "loinc": "26465-5", "kind": "quantity",
        "reported": {"value": "21", "comparator": None, "unit": "/uL", "code": "csf_leukocytes"},
        "value": 21.0, "comparator": None, "unit": "/uL", "derived": False, "inputs": [],
        "flag": "H", "critical": False, "not_judged": None,
        "reference": {
            "low": None, "high": 4.0, "low_inclusive": None, "high_inclusive": True, "text": "≤ 4", "unit": "/uL",
            "partition": "age >= 12 a, any site", "citations": ["bonig2019"], "status": "primary",
            "rule": "csf_leukocytes/L5",
        },
        "times_limit": 5.25, "advisory": None,
        "notes": [{"code": "site_not_stated", "text": "A normal count excludes nothing."}],
        "laboratory_flag": None, "laboratory_range": None, "organism": None, "organism_class": None,
        "decimals": 0, "citations": ["csfinterp_rule"], "status": "ours",
    }  # fmt: skip


def test_the_same_interpretation_is_written_byte_for_byte_the_same(interpretation: Interpretation) -> None:
    texts = {dumps(write(interpretation, Envelope(None, 1, AT))) for _ in range(3)}
    assert len(texts) == 1


def test_time_may_be_a_datetime(interpretation: Interpretation) -> None:
    at = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
    assert write(interpretation, Envelope(None, 1, at))["generated_at"] == "2026-03-01T09:00:00+00:00"


def test_an_acknowledged_call_is_written_with_its_item(interpretation: Interpretation) -> None:
    told = {"by": "MTA 3", "at": AT}
    critical = _written(interpretation, acknowledged={("csf_gram_stain", "CR-ORG"): told})["critical"]
    assert [item["acknowledged"] for item in critical] == [told]
    assert [item["acknowledged"] for item in _written(interpretation)["critical"]] == [None]


# Keys of each part as interfaces.md section 2 prints them; keys of ours may stand behind them.
PARTS = {
    "leukemia_cns": ["status", "row", "provisional", "reason", "because", "missing", "would_settle", "citations"],
    "liquid_biopsy": ["statements", "variants"],
    "differential": ["trigger", "groups"],
}
ENTRIES = {
    ("liquid_biopsy", "statements"): ["id", "text", "because", "citations", "status"],
    ("liquid_biopsy", "variants"): ["analyte", "gene", "hgvs", "vaf_pct", "also_in_plasma"],
    ("patterns",): [
        "id", "rule", "name", "truth", "grade", "reason", "shown", "emergency", "discordant", "alarms", "items",
        "support", "against", "missing", "text", "citations",
    ],
    ("patterns", "items"): ["id", "kind", "truth", "text", "citations", "status"],
    ("cautions",): ["id", "text", "because", "citations", "status"],
    ("differential", "groups"): ["id", "leptomeningeal", "pachymeningeal", "tests", "citations", "status"],
    ("scores",): [
        "id", "name", "status", "value", "range", "class", "text", "reason", "missing", "population", "citations",
        "source_status",
    ],
    ("recommendations",): [
        "id", "rule", "text", "audience", "context_only", "priority", "folded", "because", "citations", "status",
    ],
}  # fmt: skip


def _entries(document: dict[str, Any], path: tuple[str, ...]) -> list[dict[str, object]]:
    found: list[Any] = [document]
    for key in path:
        inner = [item[key] for item in found]
        found = [item for value in inner for item in (value if isinstance(value, list) else [value])]
    return found


def test_the_parts_of_the_reading_have_the_keys_of_the_contract_in_order(interpretation: Interpretation) -> None:
    document = _written(interpretation)
    for part, keys in PARTS.items():
        assert list(document[part])[: len(keys)] == keys, part
    for path, keys in ENTRIES.items():
        entries = _entries(document, path)
        assert entries, path
        assert {tuple(entry)[: len(keys)] for entry in entries} == {tuple(keys)}, path


def test_names_of_ours_are_written_as_the_contract_names_them(interpretation: Interpretation) -> None:
    document = _written(interpretation)
    assert [score["class"] for score in _entries(document, ("scores",))] == ["possible", None]
    assert document["leukemia_cns"]["source_status"] == "recalled"
    text = dumps(document)
    assert "class_word" not in text
    assert "status_of_source" not in text


def test_a_panel_without_enhancement_has_a_null_differential(interpretation: Interpretation) -> None:
    document = _written(replace(interpretation, differential=None, scores=(), cautions=(), recommendations=()))
    assert [document[key] for key in ("differential", "scores", "cautions", "recommendations")] == [None, [], [], []]


def _plasma(like: Result, value: str, *variants: Variant) -> Result:
    return replace(like, analyte="plasma_ctdna", value=value, variants=variants)


@pytest.mark.parametrize(
    ("plasma", "expected"),
    [
        (None, [None, None]),
        (("not_detected",), [False, None]),
        (("failed",), [None, None]),
        (("detected",), [None, None]),
        (("detected", Variant("ERBB2", "p.V777L")), [True, None, None]),
        (("detected", Variant("ERBB2")), [None, None, None]),
        (("detected", Variant("EGFR", "p.L858R")), [False, None, None]),
    ],
)
def test_variants_are_listed_and_compared_with_plasma(
    interpretation: Interpretation, plasma: tuple[Any, ...] | None, expected: list[bool | None]
) -> None:
    ctdna = next(result for result in interpretation.results if result.analyte == "csf_ctdna")
    more = () if plasma is None else (_plasma(ctdna, *plasma),)
    document = _written(replace(interpretation, results=(ctdna, *more)))
    variants = document["liquid_biopsy"]["variants"]
    assert variants[0] == {
        "analyte": "csf_ctdna", "gene": "ERBB2", "hgvs": "p.V777L", "vaf_pct": 12.5, "also_in_plasma": expected[0],
    }  # fmt: skip
    assert [variant["also_in_plasma"] for variant in variants] == expected
