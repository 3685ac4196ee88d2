"""Xanthochromia and subarachnoid hemorrhage: preanalytics_and_blood.md section 5, through the whole core."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.steps.reading import advice, item, pattern, said, sent, spoken

SAH = r"(SAH|subarachnoid hemorrhage)"
SA1 = re.compile(rf"no evidence to support {SAH}", re.I)
SA2 = re.compile(rf"consistent with {SAH}", re.I)
SA3 = re.compile(rf"{SAH}( is)? not excluded, urgent; serum bilirubin( is)? needed", re.I)
SA4 = re.compile(rf"a low (bilirubin )?value does not speak against {SAH}", re.I)
SA4B = re.compile(rf"oxyhemoglobin can hide it: {SAH}( is)? not excluded", re.I)
ALL = {"SA1": SA1, "SA2": SA2, "SA3": SA3, "SA4": SA4, "SA4b": SA4B}


def bilirubin(interpret, value: float, oxyhemoglobin: bool | None, corrected: bool | None, hours: float | None,
              question: str | None = "sah", **more: Any) -> dict:  # fmt: skip
    context = {"oxyhemoglobin_present": oxyhemoglobin, "bilirubin_serum_corrected": corrected}
    context |= {"days_since_onset": hours / 24} if hours is not None else {}
    context |= {"question": question} if question else {}
    return interpret(sent(bilirubin=value, **more, context=context))


def rules_said(answer: dict) -> set[str]:
    """Which of the printed texts stand in the pattern or in the score."""
    text = said(answer, "subarachnoid_blood") + " ".join(one["text"] for one in answer["scores"])
    return {name for name, form in ALL.items() if form.search(text)}


VECTORS = [
    (0.007, False, True, 24, {"SA1"}),
    (0.0071, False, True, 24, {"SA2"}),
    (0.015, False, False, 24, {"SA3"}),
    (0.012, False, True, 8, {"SA2", "SA4"}),
    (0.004, False, True, 8, {"SA4"}),
    (0.012, True, True, 24, {"SA2"}),
    (0.005, True, True, 24, {"SA4b"}),
]


@pytest.mark.parametrize(("value", "oxyhemoglobin", "corrected", "hours", "expected"), VECTORS)
def test_vector(interpret, value, oxyhemoglobin, corrected, hours, expected):
    assert rules_said(bilirubin(interpret, value, oxyhemoglobin, corrected, hours)) == expected


@pytest.mark.parametrize("question", [None, "infection", "other", "sah"])
@pytest.mark.parametrize("corrected", [True, False, None])
@pytest.mark.parametrize("hours", [None, 8, 24])
def test_raised_bilirubin_is_urgent_whatever_is_missing(interpret, question, corrected, hours):
    """SA3, SA4, SA7; SL48."""
    answer = bilirubin(interpret, 0.012, None, corrected, hours, question)
    assert item(answer, "SH2") == "true"
    assert "R-B01" in advice(answer)
    assert re.search(r"not excluded.{0,3} urgent", said(answer, "subarachnoid_blood"), re.I)
    assert not rules_said(answer) & {"SA1"}
    assert ("SA2" in rules_said(answer)) is (corrected is True)
    assert ("SA3" in rules_said(answer)) is (corrected is not True)


@pytest.mark.parametrize("hours", [None, 0, 8, 12])
def test_a_low_value_says_nothing_up_to_12_hours_or_at_an_unknown_time(interpret, hours):
    """SA4: puncture <= 12 h, or onset unknown."""
    found = rules_said(bilirubin(interpret, 0.003, False, True, hours))
    assert "SA1" not in found
    assert "SA4" in found


def test_a_low_value_after_more_than_12_hours(interpret):
    assert rules_said(bilirubin(interpret, 0.003, False, True, 12.5)) == {"SA1"}


def test_oxyhemoglobin_not_stated_is_not_none(interpret):
    """SA1 needs "no oxyhemoglobin"; missing is not normal (SL20)."""
    assert "SA1" not in rules_said(bilirubin(interpret, 0.003, None, True, 24))


@pytest.mark.parametrize(("first", "last"), [(5000, 1500), (100_000, 2), (5000, 4900)])
def test_a_fall_between_tubes_says_nothing(interpret, first, last):
    """SA5."""
    from tests.making import quantity

    tubes = (
        quantity("csf_erythrocytes", first, "/uL", tube=1),
        quantity("csf_erythrocytes", last, "/uL", tube=4),
    )
    document = sent(*tubes, context={"question": "sah"})
    answer = interpret(document)
    spoken_of = {name: answer[name] for name in answer if name not in ("profiles", "citations")}
    assert not re.search(r"\b(fall|falls|fell|clearing|decreas\w*)\b", spoken(spoken_of), re.I)


@pytest.mark.parametrize(("count", "question", "urgent"), [(2000, "sah", True), (1999, "sah", False),
                         (2000, "infection", False), (50_000, None, False)])  # fmt: skip
def test_erythrocytes_are_an_alarm_only_with_the_question(interpret, count, question, urgent):
    """SA7, H1."""
    context = {"question": question} if question else {}
    answer = interpret(sent(erythrocytes=count, appearance="bloody", context=context))
    assert ("R-B01" in advice(answer)) is urgent
    shown = pattern(answer, "subarachnoid_blood")["shown"]
    assert shown is (question == "sah")
    if question != "sah":
        assert re.search("traumatic puncture or hemorrhage", spoken(answer), re.I)
        assert "R-B03" in advice(answer)


def test_xanthochromia_whatever_the_question(interpret):
    """SA7."""
    for question in ("sah", "lm", "infection", "other", None):
        context = {"question": question} if question else {}
        answer = interpret(sent(erythrocytes=10, appearance="xanthochromic", context=context))
        assert "R-B01" in advice(answer)
        assert "R-B03" not in advice(answer)


def test_an_absorbance_of_oxyhemoglobin_is_not_encoded(edition):
    """SA8."""
    assert not any("oxyhemoglobin" in analyte.id for analyte in edition.analytes)
