"""What we write is FHIR R4, says what the interpretation says, and nothing more."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from csfinterp.formats import FORMATS, fhir_r4, panel_json
from tests.formats.contract_panels import ALL as PANELS
from tests.formats.fhir_checking import assert_valid, loads, references
from tests.making import albumin_pair, panel, quantity, word

Document = dict[str, Any]
Interpret = Callable[[Mapping[str, Any]], dict[str, Any]]
SOME = [name for number, name in enumerate(PANELS) if number < 10 or number % 7 == 0]


def written(document: Document) -> Document:
    return loads(fhir_r4.write(document))


def resources(bundle: Document, kind: str) -> list[Document]:
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def one(bundle: Document, analyte: str) -> Document:
    """The Observation of this analyte."""
    return next(found for found in resources(bundle, "Observation")
                if analyte in [coding["code"] for coding in found["code"]["coding"]])  # fmt: skip


@pytest.mark.parametrize("name", SOME)
def test_every_resource_is_valid_and_every_reference_leads_to_an_entry(interpret: Interpret, name: str) -> None:
    bundle = written(interpret(PANELS[name]))
    assert_valid(bundle)
    assert set(references(bundle)) <= {entry["fullUrl"] for entry in bundle["entry"]}


@pytest.mark.parametrize("name", ["solid_lm_positive_cytology", "with_gaps", "ms_like"])
def test_what_the_server_gives_is_valid_alone(interpret: Interpret, name: str) -> None:
    document = interpret(PANELS[name]) | {"panel_id": "0f" * 16}
    for resource in (fhir_r4.served_report(document), *fhir_r4.served_observations(document)):
        assert_valid(loads(panel_json.dumps(resource)))


def test_at_least_thirty_panels_are_checked() -> None:
    assert len(SOME) >= 30


def test_an_observation_says_what_the_result_says(interpret: Interpret) -> None:
    csf, serum = albumin_pair(17.5)
    document = interpret(panel(quantity("csf_protein", "812.0", "mg/L"), csf, serum, age="60 a"))
    bundle = written(document)
    protein = one(bundle, "csf_protein")
    assert protein["code"]["coding"][0] == {"system": "http://loinc.org", "code": "2880-3"}
    assert '"value": 812.0,' in fhir_r4.write(document)
    assert protein["valueQuantity"]["code"] == "mg/L"
    assert [coding["code"] for coding in protein["interpretation"][0]["coding"]] == ["H"]
    [limit] = protein["referenceRange"]
    assert "high" not in limit, "a limit that is not inclusive has no high: FHIR's high is inclusive"
    assert limit["text"].startswith("< 500 mg/L (")
    assert "csf_protein/" in limit["text"] and "edition 2026.1" in limit["text"]
    quotient = one(bundle, "albumin_quotient")
    addresses = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    inputs = [addresses[reference["reference"]] for reference in quotient["derivedFrom"]]
    assert inputs == [one(bundle, "csf_albumin"), one(bundle, "serum_albumin")]
    assert "specimen" not in one(bundle, "serum_albumin"), "the CSF specimen is not the specimen of a serum result"


def test_an_inclusive_limit_is_a_number(interpret: Interpret) -> None:
    bundle = written(interpret(panel(quantity("csf_leukocytes", 21, "/uL"), age="60 a")))
    [limit] = one(bundle, "csf_leukocytes")["referenceRange"]
    assert limit["high"]["value"] == 4


def test_what_was_not_judged_has_no_interpretation_and_says_why(interpret: Interpret) -> None:
    bundle = written(interpret(panel(quantity("csf_leukocytes", 21, None), word("csf_cytology", "nondiagnostic"))))
    leukocytes, cytology = one(bundle, "csf_leukocytes"), one(bundle, "csf_cytology")
    assert "interpretation" not in leukocytes and "interpretation" not in cytology
    assert leukocytes["valueString"] == "21"
    assert "unit_missing" in leukocytes["note"][0]["text"] and "nondiagnostic" in cytology["note"][0]["text"]
    [outcome] = resources(bundle, "OperationOutcome")
    assert [issue["details"]["coding"][0]["code"] for issue in outcome["issue"]] == ["unit_missing"]


def test_the_report_concludes_and_says_where_the_answer_comes_from(interpret: Interpret) -> None:
    document = interpret(PANELS["solid_lm_positive_cytology"])
    bundle = written(document)
    [report], [provenance] = resources(bundle, "DiagnosticReport"), resources(bundle, "Provenance")
    lines = report["conclusion"].split("\n")
    assert lines[0] == document["summary"]["headline"]
    for sentence in document["summary"]["sentences"]:
        assert any(line.startswith(sentence["text"]) for line in lines), sentence
    codes = {(one["coding"][0]["system"], one["coding"][0]["code"]) for one in report["conclusionCode"]}
    assert ("urn:csfinterp:lm-certainty", document["lm"]["certainty"]) in codes
    true = {("urn:csfinterp:finding", entry["id"]) for entry in document["findings"] if entry["truth"] == "true"}
    assert {code for code in codes if code[0] == "urn:csfinterp:finding"} == true
    values = [entity["what"]["identifier"]["value"] for entity in provenance["entity"]]
    assert {document["edition"]["id"], document["edition"]["digest"]} <= set(values)


def test_markup_of_a_sender_stays_text(interpret: Interpret) -> None:
    evil = "<script>alert(1)</script>&\x01\u202e"
    sent = panel(word("csf_culture", "positive", organism=evil), quantity("csf_glucose", 2.2, "mmol/L", method=evil))
    sent["patient"]["id"] = evil
    bundle = written(interpret(sent))
    [report] = resources(bundle, "DiagnosticReport")
    tree = ET.fromstring(report["text"]["div"])  # well-formed
    assert {element.tag.rpartition("}")[2] for element in tree.iter()} <= {
        "div", "p", "b", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"}  # fmt: skip
    assert "<script>alert(1)</script>" in "".join(tree.itertext())
    assert_valid(bundle, invariants=False)


def test_variants_are_observations_of_the_genomics_guide(interpret: Interpret) -> None:
    bundle = written(interpret(PANELS["tumor_dna_without_cells"]))
    result, variant = one(bundle, "csf_ctdna"), one(bundle, "69548-6")
    told = {part["code"]["coding"][0]["code"]: part for part in variant["component"]}
    assert told["48018-6"]["valueCodeableConcept"]["text"] == "ERBB2"
    assert told["48005-3"]["valueCodeableConcept"]["text"] == "p.V777L"
    assert str(told["81258-6"]["valueQuantity"]["value"]) == "12.5"
    assert len(result["hasMember"]) == 1


def test_the_registry_reads_and_writes_fhir() -> None:
    form = FORMATS["fhir"]
    assert form.media_types == ("application/fhir+json",)
    assert form.read is not None and form.write is not None


def test_the_same_answer_is_the_same_text(interpret: Interpret) -> None:
    first, second = (fhir_r4.write(interpret(PANELS["ms_like"])) for _ in range(2))
    assert first == second
    assert json.loads(first)["type"] == "collection"
