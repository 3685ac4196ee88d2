"""The interpretation as ORU^R01 2.5.1: other readers take it, and what it must never say it does not say."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import hl7
import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message

from csfinterp.formats import hl7_v2
from csfinterp.samples import SAMPLES
from tests.conftest import Interpret
from tests.making import loinc, panel, quantity, result, word

Document = dict[str, Any]


def segments(message: str, name: str) -> list[list[str]]:
    """Segments of a name as fields, with the field numbers of the standard."""
    return [line.split("|") for line in message.split("\r") if line.startswith(name)]


def named(fields: list[str], code: str) -> bool:
    """True for an OBX with this code in one of its two triplets."""
    return code in fields[3].split("^")[::3]


def obx(message: str, code: str) -> list[list[str]]:
    return [fields for fields in segments(message, "OBX") if named(fields, code)]


def notes(message: str, code: str) -> list[str]:
    """Comments behind the first OBX of this code."""
    lines = message.split("\r")
    start = next(at for at, line in enumerate(lines) if line.startswith("OBX") and named(line.split("|"), code))
    found = []
    for line in lines[start + 1 :]:
        if not line.startswith("NTE"):
            break
        found.append(line.split("|")[3])
    return found


@pytest.fixture(scope="module")
def answers(request: pytest.FixtureRequest) -> dict[str, Document]:
    interpret: Interpret = request.getfixturevalue("interpret")
    return {sample.name: interpret(sample.document()) for sample in SAMPLES}


@pytest.mark.parametrize("name", [sample.name for sample in SAMPLES])
def test_other_readers_take_it(name: str, answers: dict[str, Document]) -> None:
    message = hl7_v2.write(answers[name])
    strict = parse_message(message, validation_level=VALIDATION_LEVEL.STRICT)
    assert strict.validate()
    assert strict.version == "2.5.1"
    assert len(hl7.parse(message).segments("OBX")) == len(segments(message, "OBX"))


def test_every_kind_of_entry_can_be_written(make_document: Callable[[], Document]) -> None:
    message = hl7_v2.write(make_document())
    assert parse_message(message, validation_level=VALIDATION_LEVEL.STRICT).validate()


@pytest.mark.parametrize("name", [sample.name for sample in SAMPLES])
def test_every_result_has_its_flag_and_no_other(name: str, answers: dict[str, Document]) -> None:
    message = hl7_v2.write(answers[name])
    results = answers[name]["results"]
    for analyte in {entry["analyte"] for entry in results}:
        entries = [entry for entry in results if entry["analyte"] == analyte]
        written = obx(message, analyte)
        assert [fields[8] for fields in written] == [entry["flag"] or "" for entry in entries]
        assert [fields[7] for fields in written] == [(entry["reference"] or {}).get("text") or "" for entry in entries]
        if entries[0]["not_judged"]:
            assert any(f"Not judged ({entries[0]['not_judged']})" in note for note in notes(message, analyte))


def test_local_codes_are_marked_and_loinc_stands_first(answers: dict[str, Document]) -> None:
    message = hl7_v2.write(answers["suspected_lm_negative_cytology"])
    (leukocytes,), (certainty,) = obx(message, "csf_leukocytes"), obx(message, "lm_certainty")
    assert leukocytes[3] == "26465-5^Leukocytes in CSF^LN^csf_leukocytes^Leukocytes in CSF^99CSFI"
    assert leukocytes[2:3] + leukocytes[5:9] == ["NM", "6", "/uL^^UCUM", "≤ 4", "H"]
    assert certainty[5] == "probable^probable^99CSFI"
    for fields in segments(message, "OBX"):
        assert re.search(r"\^(LN|99CSFI)$", fields[3])


@pytest.mark.parametrize(
    ("expected", "sent", "amount", "unit"),
    [
        ("14744-7", "2342-4", "54", "mg/dL"),  # mass sent, given in mmol/L
        ("14744-7", "14744-7", "3.0", "mmol/L"),
        ("14744-7", "csf_glucose", "54", "mg/dL"),
        ("2342-4", "2342-4", "hemolyzed", "mg/dL"),  # no value of ours stands beside it
        (None, "csf_glucose", "hemolyzed", "mg/dL"),
        ("1746-7", "76480-3", "3", "umol/L"),  # moles sent, given in mg/L
        ("2520-5", "27941-4", "20", "mg/dL"),
        ("2880-3", "2880-3", "0.8", "g/L"),
        ("806-0", "806-0", "3", "/uL"),
    ],
)
def test_the_loinc_code_has_the_property_of_the_unit_that_stands_beside_it(
    expected: str | None, sent: str, amount: str, unit: str, interpret: Interpret
) -> None:
    observation = loinc(sent, value=amount, unit=unit) if "-" in sent else quantity(sent, amount, unit)
    answer = interpret(panel(observation, word("csf_appearance", "clear")))
    assert (answer["results"][0]["loinc"], answer["results"][0]["reported"]["code"]) == (expected, sent)
    written = next(fields for fields in segments(hl7_v2.write(answer), "OBX") if fields[4] == "1" and fields[5])
    assert written[3].split("^")[0] == (expected or sent)


def test_numbers_are_those_of_the_document(answers: dict[str, Document]) -> None:
    for answer in answers.values():
        message = hl7_v2.write(answer)
        for entry in answer["results"]:
            if isinstance(entry["value"], float) and not entry["comparator"]:
                written = [fields[5] for fields in obx(message, entry["analyte"]) if fields[2] == "NM"]
                assert any(float(text) == pytest.approx(entry["value"], rel=0.06) for text in written)


def test_the_edition_and_its_digest_stand_in_it(answers: dict[str, Document]) -> None:
    answer = answers["normal"]
    message = hl7_v2.write(answer)
    assert obx(message, "edition")[0][5] == answer["edition"]["id"]
    assert obx(message, "edition_digest")[0][5] == answer["edition"]["digest"]


def test_critical_values_are_told_with_their_rule(interpret: Interpret) -> None:
    answer = interpret(panel(quantity("csf_leukocytes", 1200, "/uL"), word("csf_gram_stain", "positive")))
    message = hl7_v2.write(answer)
    assert [fields[5].split("^")[0] for fields in obx(message, "critical_value")] == [
        call["rule"] for call in answer["critical"]
    ]
    assert obx(message, "csf_leukocytes")[0][8] == "HH"


def test_a_comparator_travels_as_structured_number(interpret: Interpret) -> None:
    message = hl7_v2.write(interpret(panel(quantity("csf_protein", "<150", "mg/L"))))
    assert obx(message, "csf_protein")[0][2:6:3] == ["SN", "<^150"]


def test_a_value_that_could_not_be_read_is_shown_without_a_flag(interpret: Interpret) -> None:
    answer = interpret(panel(quantity("csf_leukocytes", 21, None), quantity("csf_protein", 400, "mg/L")))
    message = hl7_v2.write(answer)
    assert result(answer, "csf_leukocytes")["value"] is None
    assert obx(message, "csf_leukocytes")[0][5] == "21"
    assert obx(message, "csf_leukocytes")[0][8] == ""


def test_the_same_document_gives_the_same_message_and_names_who_receives_it(answers: dict[str, Document]) -> None:
    answer = answers["normal"]
    assert hl7_v2.write(answer) == hl7_v2.write(answer)
    message = hl7_v2.write(answer, receiving_application="LIS", receiving_facility="LAB|A", control_id="X1")
    assert segments(message, "MSH")[0][4:6] == ["LIS", "LAB\\F\\A"]
    assert segments(message, "MSH")[0][9] == "X1"


@pytest.mark.parametrize(("status", "code"), [("preliminary", "P"), ("corrected", "C"), ("final", "F")])
def test_the_status_of_the_panel_is_that_of_report_and_results(status: str, code: str, interpret: Interpret) -> None:
    message = hl7_v2.write(interpret(panel(quantity("csf_protein", 400, "mg/L"), status=status)))
    assert segments(message, "OBR")[0][25] == code
    assert obx(message, "csf_protein")[0][11] == code
