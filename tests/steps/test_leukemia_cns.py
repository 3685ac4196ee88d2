"""CNS1 to CNS3 with Steinherz-Bleyer: every vector of scores.md S7, its refusals and its open rows."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.steps.reading import sent, spoken

ALL = {"class": "hematologic", "diagnosis": "acute_lymphoblastic_leukemia"}
YES_NO = {"yes": True, "no": False, None: None}
BLASTS = {"yes": 20, "no": 0}


def status(interpret, blasts: str | None, signs: str | None, wbc: float | None, rbc: float | None,
           blood_wbc: float | None = None, blood_rbc: float | None = None, blood_blasts: str | None = None,
           tumor: Any = ALL, **more: Any) -> dict:  # fmt: skip
    """The answer to one row of the table; None = missing, unknown or not stated."""
    counts = {"leukocytes": wbc, "erythrocytes": rbc, "blood_leukocytes": blood_wbc, "blood_erythrocytes": blood_rbc,
              "blasts": BLASTS.get(blasts or "")}  # fmt: skip
    context = {"tumor": tumor, "cns_leukemia_signs": YES_NO[signs], "blood_blasts_present": YES_NO[blood_blasts]}
    values = {name: value for name, value in counts.items() if value is not None}
    return interpret(sent(**values, **({} if values else {"protein": 300}), **more, context=context))


VECTORS = [
    ("no", "no", 0, 0, None, None, None, "CNS1"),
    ("no", "no", 40, 5, None, None, None, "CNS1"),
    ("yes", "no", 4, 9, None, None, None, "CNS2a"),
    ("yes", "no", 4, 10, None, None, None, "CNS2b"),
    ("yes", "no", 5, 9, None, None, None, "CNS3a"),
    ("yes", "no", 20, 500, 8000, 4_000_000, "yes", "CNS3b"),
    ("yes", "no", 20, 5000, 8000, 4_000_000, "yes", "CNS2c"),
    ("yes", "no", 20, 500, None, 4_000_000, "yes", "not_classifiable"),
    (None, "no", 20, 0, None, None, None, "not_classifiable"),
    ("yes", "yes", 2, 0, None, None, None, "CNS3c"),
    (None, "yes", 2, 0, None, None, None, "CNS3c"),
    ("yes", "no", 20, 500, 8000, 4_000_000, "no", "not_classifiable"),
]


@pytest.mark.parametrize("vector", VECTORS, ids=[f"{n}-{one[-1]}" for n, one in enumerate(VECTORS, 1)])
def test_vector(interpret, vector):
    found = status(interpret, *vector[:-1])["leukemia_cns"]
    assert (found["status"], found["provisional"]) == (vector[-1], False)


def test_pleocytosis_without_blasts_is_said(interpret):
    assert re.search("pleocytosis without blasts", spoken(status(interpret, "no", "no", 40, 5)), re.I)


def test_missing_blood_count_leaves_two_classes_open(interpret):
    """Row 10."""
    answer = status(interpret, "yes", "no", 20, 500, None, 4_000_000, "yes")
    assert re.search("CNS2c or CNS3b", str(answer["leukemia_cns"]))
    assert "R-H08" in {one["rule"] for one in answer["recommendations"]}


def test_blood_without_blasts_is_left_to_hematology(interpret):
    answer = status(interpret, "yes", "no", 20, 500, 8000, 4_000_000, "no")
    text = str(answer["leukemia_cns"])
    assert "contamination is not an explanation" in text
    assert re.search("hematology decides between CNS2c and CNS3b", text)


def test_flow_alone_is_reported_apart(interpret):
    """Last row: CNS1 by cytospin and the separate flow statement (H2)."""
    answer = status(interpret, "no", "no", 2, 0, flow="positive")
    assert (answer["leukemia_cns"]["status"], answer["hematologic_cns"]["status"]) == ("CNS1", "shown_by_flow_only")
    assert answer["hematologic_cns"]["row"] == "H2"


@pytest.mark.parametrize(("wbc", "rbc"), [(None, 5), (4, None), (None, None)])
def test_blasts_without_both_counts_are_cns2_or_cns3(interpret, wbc, rbc):
    """Row 4."""
    found = status(interpret, "yes", "no", wbc, rbc)["leukemia_cns"]
    assert found["status"] == "not_classifiable"
    assert re.search("CNS2 or CNS3", str(found))


@pytest.mark.parametrize(("blasts", "answer"), [("no", "CNS1"), ("yes", "CNS2a")])
def test_signs_not_stated_make_the_class_provisional(interpret, blasts, answer):
    found = status(interpret, blasts, None, 4, 9)["leukemia_cns"]
    assert (found["status"], found["provisional"]) == (answer, True)
    assert "cns_leukemia_signs" in found["missing"]


def test_positive_cytology_counts_as_blasts(interpret):
    assert status(interpret, None, "no", 4, 9, cytology="positive")["leukemia_cns"]["status"] == "CNS2a"


@pytest.mark.parametrize("cytology", ["negative", "suspicious", "atypical", "nondiagnostic"])
def test_cytology_that_is_not_positive_says_nothing_about_blasts(interpret, cytology):
    """ "`csf_blasts_pct` 0 = none; everything else = not known" (SL56)."""
    found = status(interpret, None, "no", 4, 9, cytology=cytology)["leukemia_cns"]
    assert found["status"] == "not_classifiable"


def test_five_leukocytes_are_five_or_more(interpret):
    """Trap of the parent terms: default >= 5."""
    assert status(interpret, "yes", "no", 5, 0)["leukemia_cns"]["status"] == "CNS3a"
    assert status(interpret, "yes", "no", 4.9, 0)["leukemia_cns"]["status"] == "CNS2a"


@pytest.mark.parametrize(
    "tumor",
    [{"class": "hematologic"}, {"class": "hematologic", "diagnosis": "lymphoma"}, {"class": "solid"}, "none", "unknown",
     {"class": "hematologic", "diagnosis": "acute_myeloid_leukemia"}],
)  # fmt: skip
def test_other_diagnoses_are_not_applicable(interpret, tumor):
    found = status(interpret, "yes", "no", 20, 0, tumor=tumor)["leukemia_cns"]
    assert found["status"] == "not_applicable"


@pytest.mark.parametrize("site", ["ventricular", "cisternal"])
def test_nonlumbar_samples_are_not_applicable(interpret, site):
    assert status(interpret, "yes", "no", 20, 0, site=site)["leukemia_cns"]["status"] == "not_applicable"


def test_the_same_unit_on_both_sides(interpret):
    """Blood counts in 10*9/L and 10*12/L give the same ratio as per microliter."""
    from tests.making import quantity

    blood = (quantity("blood_leukocytes", 8, "10*9/L"), quantity("blood_erythrocytes", 4, "10*12/L"))
    context = {"tumor": ALL, "cns_leukemia_signs": False, "blood_blasts_present": True}
    for rbc, expected in ((500, "CNS3b"), (5000, "CNS2c")):
        answer = interpret(sent(*blood, blasts=20, leukocytes=20, erythrocytes=rbc, context=context))
        assert answer["leukemia_cns"]["status"] == expected
