"""One OBX as an observation: value types, comparators, codes, units, states, comments (codes.md sections 1 to 4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Interpret
from tests.formats.hl7.making import (
    PID,
    PROTEIN,
    SPM,
    Document,
    document,
    message,
    obr,
    observation,
    obx,
    read,
    sample,
)

LOCAL = "T^Test^99LAB"


@pytest.mark.parametrize(
    ("expected", "kind", "sent"),
    [
        ({"value": "21.0"}, "NM", "21.0"),
        ({"value": "+7"}, "NM", "+7"),
        ({"value": "<5"}, "NM", "<5"),
        ({"value": "10,5"}, "NM", "10,5"),
        ({"value": "1.8\n1.9"}, "NM", "1.8~1.9"),  # repetitions are never averaged
        ({"value": "5", "comparator": "<"}, "SN", "<^5"),
        ({"value": "500", "comparator": ">"}, "SN", ">^500"),
        ({"value": "0.31"}, "SN", "=^0.31"),
        ({"value": "182"}, "SN", "^182"),
        ({"value": "1:8"}, "SN", "^1^:^8"),
        ({"value": "10-20"}, "SN", "^10^-^20"),
        ({"value": "1+"}, "SN", "^1^+"),
        ({"value": "<>5"}, "SN", "<>^5"),
        ({"value": "<150"}, "ST", "<150"),
        ({"value": "a^b"}, "ST", "a^b"),
        ({"value": "one\ntwo"}, "TX", "one~two"),
        ({"value": "one\ntwo"}, "FT", "one\\.br\\two"),
        ({"value": "negative"}, "CWE", "260385009^negative^SCT"),
        ({"value": "negative"}, "CNE", "N^negative^L"),
        ({"value": "negative"}, "CE", "negative"),
        ({"value": "negative"}, "CE", "^negative^L"),
        ({"value": "negative"}, "IS", "negative"),
        ({"value": "positive"}, "CWE", "POS^Nachweis^L^positive^Positive^99CSFI"),
        ({"value": "found"}, "CWE", "^^^^^^^^found"),
        ({"value": "20260301"}, "DT", "20260301"),
        ({}, "NM", ""),
        ({}, "NM", '""'),
    ],
)
def test_value_types(expected: Document, kind: str, sent: str) -> None:
    found = observation(obx(LOCAL, sent, kind=kind))
    assert {key: str(found[key]) for key in ("value", "comparator") if key in found} == expected


def test_a_number_keeps_its_digits_and_is_a_json_number(interpret: Interpret) -> None:
    data = document(PID, obr(), obx("2880-3^Protein^LN", "812.0"), SPM)
    assert interpret(data)["results"][0]["reported"]["value"] == "812.0"


@pytest.mark.parametrize(
    ("word", "flag"), [("positive", "POS"), ("detected", "DET"), ("negative", "NEG"), ("not_detected", "ND")]
)
def test_a_detection_flag_is_the_value_where_there_is_no_other(word: str, flag: str) -> None:
    found = observation(obx(LOCAL, "", kind="ST", flag=flag))
    assert (found["value"], found.get("absent_reason")) == (word, None)
    assert observation(obx(LOCAL, "atypical", kind="ST", flag=flag))["value"] == "atypical"


def test_a_text_too_long_for_a_value_is_kept_in_the_note() -> None:
    text = "Cytology report. " * 20
    found = observation(obx(LOCAL, text.strip(), kind="TX"))
    assert len(found["value"]) == 200
    assert found["note"] == text.strip()


def test_lines_of_a_report_are_one_text_but_numbers_stay_apart() -> None:
    lines = document(
        PID, obr(), obx(LOCAL, "First", kind="TX", sub_id="1"), obx(LOCAL, "Second", kind="TX", sub_id="2"), SPM
    )
    assert [one["value"] for one in lines["observations"]] == ["First\nSecond"]
    counts = document(PID, obr(), obx(LOCAL, "5"), obx(LOCAL, "6"), SPM)
    assert [str(one["value"]) for one in counts["observations"]] == ["5", "6"]


@pytest.mark.parametrize(
    ("expected", "sent"),
    [
        ({"system": "http://loinc.org", "code": "2880-3", "display": "Protein"}, "2880-3^Protein^LN"),
        ({"system": "http://loinc.org", "code": "2880-3"}, "LEIW^Eiweiss^99LAB^2880-3^^LN"),
        ({"system": "99LAB", "code": "LEIW", "display": "Eiweiss"}, "LEIW^Eiweiss^99LAB"),
        ({"code": "LEIW", "display": "Eiweiss"}, "LEIW^Eiweiss^L"),
        ({"code": "LEIW", "display": "Eiweiss"}, "^^^LEIW^Eiweiss^L"),
        ("csf_protein", "csf_protein^^99CSFI"),
        ("csf_protein", "csf_protein"),
        ({"code": "a&b", "display": "c^d"}, "a\\T\\b^c\\S\\d^L"),
        ("", "^^"),
    ],
)
def test_codes(expected: Any, sent: str) -> None:
    assert observation(obx(sent))["code"] == expected


@pytest.mark.parametrize(
    ("expected", "sent"),
    [
        ("mg/L", "mg/L"),
        ("mg/L", "mg/L^milligram per liter^UCUM"),
        ("mg/dL", "MGDL^mg per dl^L^mg/dL^^UCUM"),
        ("10^6/L", "10\\S\\6/L"),
        ("10^3/uL", "10^3/uL"),  # the power sent without its escape
        ("mg per l", "^mg per l^L"),
        ("/µL", "/µL"),
        (None, ""),
    ],
)
def test_units(expected: str | None, sent: str) -> None:
    assert observation(obx(LOCAL, unit=sent)).get("unit") == expected


@pytest.mark.parametrize(
    ("expected", "code"),
    [
        (("final", None, "812", None), "F"),
        (("final", None, "812", None), "B"),
        (("final", None, "812", None), "V"),
        (("final", None, "812", None), "U"),
        (("preliminary", None, "812", None), "P"),
        (("preliminary", None, "812", None), "R"),
        (("preliminary", None, "812", None), "S"),
        (("preliminary", None, "812", None), "?"),
        (("corrected", None, "812", None), "C"),
        (("corrected", None, "812", None), "A"),
        (("cancelled", None, "812", "cannot be obtained"), "X"),
        (("cancelled", None, "812", "not asked"), "N"),
        (("cancelled", "entered_in_error", "812", None), "D"),
        (("cancelled", "entered_in_error", "812", "reported as wrong"), "W"),
    ],
)
def test_states_of_a_result_and_of_its_panel(expected: tuple[str | None, ...], code: str) -> None:
    panel = document(PID, obr(), obx(LOCAL, status=code), SPM)
    found = panel["observations"][0]
    assert (panel["status"], found.get("status"), str(found["value"]), found.get("absent_reason")) == expected


@pytest.mark.parametrize(
    ("expected", "code"),
    [("pending", "I"), ("cannot be obtained", "X"), (None, "U"), ("no value sent", "F"), ("no value sent", "C")],
)
def test_why_there_is_no_value(expected: str | None, code: str) -> None:
    assert observation(obx(LOCAL, "", status=code)).get("absent_reason") == expected


def test_order_details_are_no_results_and_a_blank_state_is_that_of_the_order() -> None:
    found = sample("states")
    assert [one.get("status") for one in found[0]["observations"]] == [
        "final", "preliminary", None, "preliminary", "cancelled", "entered_in_error", "entered_in_error", "cancelled",
        None, "final",
    ]  # fmt: skip
    assert found[0]["status"] == "corrected"
    assert len(found[0]["observations"]) == 10  # of 11: O is not a result


def test_a_blank_state_without_help_is_preliminary_and_said() -> None:
    told = read(message(PID, obr(status=""), obx(LOCAL, status=""), SPM))
    assert told.panels[0].status == "preliminary"
    assert [(fault.pointer, "preliminary" in fault.message) for fault in told.warnings] == [("/OBX/1/11", True)]


def test_results_that_were_withdrawn_are_not_judged(interpret: Interpret) -> None:
    answer = interpret(sample("states")[0])
    judged = {entry["analyte"] for entry in answer["results"] if entry["flag"]}
    assert "csf_protein" in judged
    assert not {"csf_albumin", "csf_igg", "csf_lactate", "csf_glucose"} & judged


def test_what_the_laboratory_says_is_kept_beside() -> None:
    found = sample("codes_and_units")[0]["observations"][-1]
    assert found["laboratory_flag"] == "H, *"
    assert found["laboratory_range"] == "0-0"
    assert found["method"] == "chamber"
    assert found["collected_at"] == "2026-03-01T09:21:00+01:00"
    assert found["analyzed_at"] == "2026-03-01T10:15:00+01:00"
    assert "note" not in found  # the comment stands behind a Z segment


def test_a_critical_flag_among_others_is_the_one_that_is_called(interpret: Interpret) -> None:
    answer = interpret(document(PID, obr(), obx("2880-3^Protein^LN", "400", flag="W~HH"), SPM))
    assert [call["source"] for call in answer["critical"]] == ["laboratory"]


def test_comments_are_shown_and_never_read(interpret: Interpret) -> None:
    (panel,) = sample("comments_and_escapes")
    assert panel["observations"][0]["note"].split("\n") == [
        "(of the order) sample late", "Repeat \\ tested & confirmed", "second line", "third", "a|b A C:\\temp",
    ]  # fmt: skip
    assert panel["observations"][1]["value"] == "First line of the report.\nSecond line."
    value = interpret(document(PID, obr(), PROTEIN, "NTE|1||8120 mg/L", SPM))["results"][0]["value"]
    assert value == 812.0


def test_a_wrong_specimen_code_reaches_the_core_and_is_warned_of(interpret: Interpret) -> None:
    answer = interpret(sample("codes_and_units")[0])
    assert ("wrong_specimen_code", 4) in [(issue["code"], issue["observation"]) for issue in answer["issues"]]


@pytest.mark.parametrize(
    ("told", "kind", "sent"),
    [(True, "ST", "812"), (True, "TX", "<5"), (False, "NM", "812"), (False, "ST", "negative"), (False, "ST", "12/3")],
)
def test_a_number_sent_as_text_is_read_and_told(told: bool, kind: str, sent: str) -> None:
    found = read(message(PID, obr(), obx(LOCAL, sent, kind=kind), SPM))
    assert [fault.pointer for fault in found.warnings] == (["/OBX/1/2"] if told else [])


def test_the_answer_says_so_too_and_the_value_counts(interpret: Interpret) -> None:
    protein = PROTEIN.replace("|NM|", "|ST|")
    answer = interpret(document(PID, obr(), protein, SPM))
    assert [(one["code"], one["severity"]) for one in answer["issues"]] == [("number_sent_as_text", "info")]
    result = answer["results"][0]
    assert (result["value"], result["reported"]["value"], result["flag"]) == (812.0, "812", "H")


def test_attachments_are_left_out_and_told() -> None:
    told = read(message(PID, obr(), PROTEIN, "OBX|2|ED|PDF^Report^L||^application^pdf^Base64^JVBERi0=||||||F", SPM))
    assert len(told.panels[0].observations) == 1
    assert [fault.pointer for fault in told.warnings] == ["/OBX/2/5"]


def test_all_value_types_in_one_message(interpret: Interpret) -> None:
    (panel,) = sample("value_types")
    answer = interpret(panel)
    unread = {
        panel["observations"][issue["observation"]]["code"]["code"]
        for issue in answer["issues"]
        if issue["code"] == "value_unreadable"
    }
    assert unread == {"csf_cxcl13", "2520-5"}  # the range and the two values for one test
    assert panel["observations"][12]["value"] == "negative"  # from the flag
