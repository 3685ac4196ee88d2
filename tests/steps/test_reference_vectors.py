"""reference_intervals.md: boundary vectors of section 7, 'More vectors', rows, ages and sites of sections 1 and 2."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.making import (
    COLLECTED,
    critical,
    flag,
    issues,
    panel,
    quantity,
    result,
    truth,
    value,
    word,
)

VECTORS = list(csv.DictReader((Path(__file__).parents[1] / "data" / "boundary_vectors.csv").open(encoding="utf-8")))


def judged(row: dict[str, str]) -> list:
    count = [quantity("csf_leukocytes", row["leukocytes"], "/uL")] if row["leukocytes"] else []
    return [quantity(row["analyte"], row["value"], row["unit"]), word("csf_appearance", "clear"), *count]


def name(row: dict[str, str]) -> str:
    return f"{row['analyte']}-{row['age']}-{row['value']}{row['unit']}"


@pytest.mark.parametrize("row", VECTORS, ids=name)
def test_boundary_vector_by_birth_date(interpret, row):
    answer = interpret(panel(*judged(row), age=row["age"]))
    assert flag(answer, row["analyte"]) == (row["flag"] or None, row["reason"] or None)


@pytest.mark.parametrize("row", VECTORS, ids=name)
def test_boundary_vector_by_age_sent_as_a_number(interpret, row):
    number, unit = row["age"].split()
    patient = {"age": {"value": int(number), "unit": unit}}
    answer = interpret(panel(*judged(row), age=None, patient=patient))
    assert flag(answer, row["analyte"]) == (row["flag"] or None, row["reason"] or None)


def test_every_printed_vector_is_here():
    assert len(VECTORS) == 81
    assert {row["analyte"] for row in VECTORS} == {
        "csf_leukocytes", "csf_protein", "csf_glucose", "csf_lactate", "albumin_quotient", "csf_opening_pressure",
        "csf_lymphocytes_pct", "csf_monocytes_pct", "igg_index", "csf_neutrophils_pct", "csf_eosinophils_pct",
        "csf_albumin",
    }  # fmt: skip


@pytest.mark.parametrize(("thirds", "wanted"), [("12/3", "N"), ("13/3", "H")])
def test_leukocytes_counted_in_thirds(interpret, thirds, wanted):
    assert flag(interpret(panel(quantity("csf_leukocytes", thirds, "/uL"))), "csf_leukocytes") == (wanted, None)


def test_protein_of_a_65_year_old_carries_the_advisory(interpret):
    found = result(interpret(panel(quantity("csf_protein", 600, "mg/L"), age="65 a")), "csf_protein")
    assert found["flag"] == "H"
    assert "790" in found["advisory"]


# Section 3: the advisory age table. (age, protein mg/L, printed upper limit or None where no advisory is printed)
ADVISORY = [
    ("40 a", 500, None), ("41 a", 600, "600"), ("41 a", 601, None), ("50 a", 550, "600"), ("51 a", 670, "670"),
    ("51 a", 671, None), ("61 a", 790, "790"), ("61 a", 791, None), ("71 a", 790, "790"), ("85 a", 700, "790"),
    ("65 a", 499, None), ("18 a", 420, None),
]  # fmt: skip


@pytest.mark.parametrize(("age", "protein", "limit"), ADVISORY)
def test_advisory_age_table(interpret, age, protein, limit):
    advisory = result(interpret(panel(quantity("csf_protein", protein, "mg/L"), age=age)), "csf_protein")["advisory"]
    assert (advisory is None) if limit is None else (limit in advisory)


def test_advisory_from_71_years_says_extrapolated(interpret):
    advisory = result(interpret(panel(quantity("csf_protein", 700, "mg/L"), age="72 a")), "csf_protein")["advisory"]
    assert "extrapolated" in advisory


# 'More vectors'
RATIOS = [
    ("45", "90", "lumbar", 0.50, "N"), ("44.9", "90", "lumbar", 0.4989, "L"), ("40", "100", "lumbar", 0.40, "N"),
    ("39", "100", "lumbar", 0.39, "L"), ("59.9", "149.5", "lumbar", 0.4007, "N"), ("45", "150", "lumbar", 0.30, "N"),
    ("44", "150", "lumbar", 0.2933, "L"), ("45", "90", "ventricular", 0.50, "L"),
    ("45.9", "90", "ventricular", 0.51, "N"), ("45", "100", "ventricular", 0.45, "N"),
    ("44.9", "100", "ventricular", 0.449, "L"), ("54", "150", "ventricular", 0.36, "N"),
    ("53.9", "150", "ventricular", 0.3593, "L"), ("45", "90", "unknown", 0.50, "N"),
]  # fmt: skip


@pytest.mark.parametrize(("csf", "serum", "site", "ratio", "wanted"), RATIOS)
def test_glucose_ratio(interpret, csf, serum, site, ratio, wanted):
    pair = (quantity("csf_glucose", csf, "mg/dL"), quantity("serum_glucose", serum, "mg/dL"))
    answer = interpret(panel(*pair, site=site))
    assert value(answer, "glucose_ratio") == pytest.approx(ratio, abs=5e-5)
    assert flag(answer, "glucose_ratio") == (wanted, None)


@pytest.mark.parametrize(("csf", "serum"), [("2.5", "5"), ("0.5", "9"), ("6", "7")])
def test_cisternal_ratio_is_never_judged(interpret, csf, serum):
    pair = (quantity("csf_glucose", csf, "mmol/L"), quantity("serum_glucose", serum, "mmol/L"))
    assert flag(interpret(panel(*pair, site="cisternal")), "glucose_ratio") == (None, "no_interval_for_site")


@pytest.mark.parametrize("age", ["0 d", "60 d"])
def test_glucose_ratio_below_61_days_is_not_judged(interpret, age):
    pair = (quantity("csf_glucose", "2.5", "mmol/L"), quantity("serum_glucose", "5", "mmol/L"))
    assert flag(interpret(panel(*pair, age=age)), "glucose_ratio") == (None, "no_interval_for_age")


def test_glucose_ratio_from_61_days_is_judged(interpret):
    pair = (quantity("csf_glucose", "2.5", "mmol/L"), quantity("serum_glucose", "5", "mmol/L"))
    assert flag(interpret(panel(*pair, age="61 d")), "glucose_ratio") == ("N", None)


def test_ventricular_protein_is_not_judged(interpret):
    answer = interpret(panel(quantity("csf_protein", 620, "mg/L"), site="ventricular"))
    assert flag(answer, "csf_protein") == (None, "no_interval_for_site")


def test_ventricular_critical_count(interpret):
    answer = interpret(panel(quantity("csf_leukocytes", 32, "/uL"), site="ventricular"))
    assert flag(answer, "csf_leukocytes") == ("HH", None)
    assert critical(answer) == [("csf_leukocytes", "CR-WBC", "critical")]


@pytest.mark.parametrize(
    ("count", "wanted"), [(5, (None, "age_missing")), (30, ("HH", None)), (29, (None, "age_missing"))]
)
def test_leukocytes_without_an_age(interpret, count, wanted):
    assert flag(interpret(panel(quantity("csf_leukocytes", count, "/uL"), age=None)), "csf_leukocytes") == wanted


# S9: comparators, adult leukocytes (upper limit 4, critical from 30). The first two are printed in 'More vectors'.
COMPARATORS = [
    ("<5", (None, "comparator_undecided")), ("<4", ("N", None)), (">1000", ("HH", None)), (">10", ("H", None)),
    ("<=4", ("N", None)), (">=5", ("H", None)), (">4", ("H", None)), (">=4", (None, "comparator_undecided")),
    (">29", ("H", None)), (">30", ("HH", None)), (">=30", ("HH", None)), ("<1", ("N", None)),
    ("<30", (None, "comparator_undecided")), ("<=5", (None, "comparator_undecided")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), COMPARATORS)
def test_comparator_in_the_text(interpret, text, wanted):
    assert flag(interpret(panel(quantity("csf_leukocytes", text, "/uL"))), "csf_leukocytes") == wanted


@pytest.mark.parametrize(("text", "wanted"), COMPARATORS)
def test_comparator_in_its_own_field(interpret, text, wanted):
    sign = text.rstrip("0123456789")
    sent = quantity("csf_leukocytes", int(text.removeprefix(sign)), "/uL", comparator=sign)
    assert flag(interpret(panel(sent)), "csf_leukocytes") == wanted


def test_milder_of_two_letters_says_at_least(interpret):
    notes = result(interpret(panel(quantity("csf_leukocytes", ">10", "/uL"))), "csf_leukocytes")["notes"]
    assert any("at least" in note["text"] for note in notes)


GLUCOSE_COMPARATORS = [("<40", "LL"), (">70", "H"), (">300", "HH"), ("<70", None), (">40", None), (">69", None)]


@pytest.mark.parametrize(("text", "wanted"), GLUCOSE_COMPARATORS)
def test_comparator_at_two_sided_limits(interpret, text, wanted):
    found = flag(interpret(panel(quantity("csf_glucose", text, "mg/dL"))), "csf_glucose")
    assert found == (wanted, None if wanted else "comparator_undecided")


def test_unit_missing(interpret):
    answer = interpret(panel(quantity("csf_leukocytes", 31, None)))
    assert flag(answer, "csf_leukocytes") == (None, "unit_missing")
    assert critical(answer) == []


ERYTHROCYTES = [(0, ("N", None)), (3, (None, "blood_trace")), (500, (None, "blood_trace")), (501, ("A", None)),
                (999, ("A", None)), (1000, ("A", None)), (200_000, ("A", None))]  # fmt: skip


@pytest.mark.parametrize(("count", "wanted"), ERYTHROCYTES)
@pytest.mark.parametrize(("age", "site"), [("3 d", "lumbar"), ("35 a", "ventricular"), (None, "unknown")])
def test_erythrocytes_are_graded_never_high(interpret, count, wanted, age, site):
    assert (
        flag(interpret(panel(quantity("csf_erythrocytes", count, "/uL"), age=age, site=site)), "csf_erythrocytes")
        == wanted
    )


def test_erythrocyte_levels_are_worded(interpret):
    def texts(count):
        notes = result(interpret(panel(quantity("csf_erythrocytes", count, "/uL"))), "csf_erythrocytes")["notes"]
        return " ".join(note["text"] for note in notes)

    assert "traces" in texts(3)
    assert "blood present" in texts(501)
    assert "traumatic puncture or hemorrhage" in texts(1000)


POSITIONS = [("lateral", ("H", None)), ("unknown", ("H", None)), ("sitting", (None, "position_not_lateral")),
             ("supine", (None, "position_not_lateral")), (None, ("H", None))]  # fmt: skip


@pytest.mark.parametrize(("position", "wanted"), POSITIONS)
def test_opening_pressure_needs_the_lateral_position(interpret, position, wanted):
    specimen = {"position": position} if position else {}
    answer = interpret(panel(quantity("csf_opening_pressure", 30, "cm[H2O]"), specimen=specimen))
    assert flag(answer, "csf_opening_pressure") == wanted


def test_opening_pressure_with_unknown_position_carries_a_note(interpret):
    answer = interpret(panel(quantity("csf_opening_pressure", 30, "cm[H2O]")))
    assert any("position" in note["text"] for note in result(answer, "csf_opening_pressure")["notes"])


LACTATES = [("31.5273", "mg/dL", 3.5, "true"), ("31.5", "mg/dL", 3.496969293, "false"),
            ("35", "mg/dL", 3.885521437, "true"), ("3.5", "mmol/L", 3.5, "true"),
            ("3.49", "mmol/L", 3.49, "false")]  # fmt: skip


@pytest.mark.parametrize(("number", "unit", "canonical", "alarm"), LACTATES)
def test_lactate_decision_value(interpret, number, unit, canonical, alarm):
    answer = interpret(panel(quantity("csf_lactate", number, unit)))
    assert value(answer, "csf_lactate") == canonical
    assert truth(answer, "lactate_bacterial_range") == alarm
    assert truth(answer, "bacterial_alarm_value") == ("true" if alarm == "true" else "unknown")


# Both ends of every row of section 2, inside the band and at its edges: analyte, unit, age, still N, already H.
UPPER = [
    ("csf_leukocytes", "/uL", "0 d", 15, 16), ("csf_leukocytes", "/uL", "28 d", 15, 16),
    ("csf_leukocytes", "/uL", "29 d", 9, 10), ("csf_leukocytes", "/uL", "60 d", 9, 10),
    ("csf_leukocytes", "/uL", "61 d", 9, 10), ("csf_leukocytes", "/uL", "90 d", 9, 10),
    ("csf_leukocytes", "/uL", "91 d", 5, 6), ("csf_leukocytes", "/uL", "11 a", 5, 6),
    ("csf_leukocytes", "/uL", "12 a", 4, 5), ("csf_leukocytes", "/uL", "90 a", 4, 5),
    ("csf_nucleated_cells", "/uL", "28 d", 15, 16), ("csf_nucleated_cells", "/uL", "40 a", 4, 5),
    ("csf_protein", "mg/L", "0 d", 1320, 1320.1), ("csf_protein", "mg/L", "14 d", 1320, 1321),
    ("csf_protein", "mg/L", "15 d", 1000, 1001), ("csf_protein", "mg/L", "28 d", 1000, 1001),
    ("csf_protein", "mg/L", "29 d", 890, 891), ("csf_protein", "mg/L", "42 d", 890, 891),
    ("csf_protein", "mg/L", "43 d", 830, 831), ("csf_protein", "mg/L", "56 d", 830, 831),
    ("csf_protein", "mg/L", "57 d", 650, 651), ("csf_protein", "mg/L", "90 d", 650, 651),
    ("csf_protein", "mg/L", "91 d", 400, 401), ("csf_protein", "mg/L", "182 d", 400, 401),
    ("csf_protein", "mg/L", "183 d", 350, 351), ("csf_protein", "mg/L", "364 d", 350, 351),
    ("csf_protein", "mg/L", "1 a", 320, 321), ("csf_protein", "mg/L", "9 a", 320, 321),
    ("csf_protein", "mg/L", "10 a", 410, 411), ("csf_protein", "mg/L", "18 a", 410, 411),
    ("csf_protein", "mg/L", "19 a", 499.9, 500), ("csf_protein", "mg/L", "90 a", 499.999999, 500),
    ("csf_glucose", "mg/dL", "61 d", 80, 80.1), ("csf_glucose", "mg/dL", "11 a", 80, 80.1),
    ("csf_glucose", "mg/dL", "12 a", 70, 70.1),
    ("csf_lactate", "mmol/L", "0 d", 6.7, 6.71), ("csf_lactate", "mmol/L", "2 d", 6.7, 6.71),
    ("csf_lactate", "mmol/L", "3 d", 4.4, 4.41), ("csf_lactate", "mmol/L", "10 d", 4.4, 4.41),
    ("csf_lactate", "mmol/L", "11 d", 2.8, 2.81), ("csf_lactate", "mmol/L", "18 a", 2.8, 2.81),
    ("csf_lactate", "mmol/L", "19 a", 2.4, 2.41),
    ("csf_albumin", "mg/L", "19 a", 350, 351),
    ("albumin_quotient", "10*-3", "0 d", 28, 28.1), ("albumin_quotient", "10*-3", "6 d", 28, 28.1),
    ("albumin_quotient", "10*-3", "7 d", 15, 15.1), ("albumin_quotient", "10*-3", "29 d", 15, 15.1),
    ("albumin_quotient", "10*-3", "30 d", 10, 10.1), ("albumin_quotient", "10*-3", "59 d", 10, 10.1),
    ("albumin_quotient", "10*-3", "60 d", 5, 5.1), ("albumin_quotient", "10*-3", "119 d", 5, 5.1),
    ("albumin_quotient", "10*-3", "120 d", 3.5, 3.6), ("albumin_quotient", "10*-3", "4 a", 3.5, 3.6),
    ("albumin_quotient", "10*-3", "15 a", 5.0, 5.01), ("albumin_quotient", "10*-3", "75 a", 9.0, 9.01),
    ("csf_neutrophils_pct", "%", "0 d", 8, 9), ("csf_neutrophils_pct", "%", "29 d", 8, 9),
    ("csf_neutrophils_pct", "%", "60 d", 6, 7),
    ("csf_eosinophils_pct", "%", "60 d", 0, 1), ("csf_opening_pressure", "cm[H2O]", "1 a", 28, 28.1),
    ("csf_opening_pressure", "cm[H2O]", "18 a", 28, 28.1), ("csf_opening_pressure", "cm[H2O]", "19 a", 24.9, 25),
    ("igg_index", "1", "0 d", 0.7, 0.71), ("igg_index", "1", "80 a", 0.7, 0.71),
]  # fmt: skip


@pytest.mark.parametrize(("analyte", "unit", "age", "normal", "high"), UPPER)
def test_upper_limit_of_every_band(interpret, analyte, unit, age, normal, high):
    def found(number):
        return flag(
            interpret(panel(quantity(analyte, number, unit), word("csf_appearance", "clear"), age=age)), analyte
        )

    assert (found(normal), found(high)) == (("N", None), ("H", None))


LOWER = [
    ("csf_lactate", "mmol/L", "0 d", 1.1, 1.09, "L"), ("csf_lactate", "mmol/L", "18 a", 1.1, 1.09, "L"),
    ("csf_albumin", "mg/L", "19 a", 110, 109, "L"), ("csf_opening_pressure", "cm[H2O]", "19 a", 6, 5.9, "L"),
    ("csf_glucose", "mg/dL", "28 d", 25, 24.9, "LL"), ("csf_glucose", "mg/dL", "29 d", 27, 26.9, "LL"),
    ("csf_glucose", "mg/dL", "60 d", 27, 26.9, "LL"), ("csf_glucose", "mg/dL", "61 d", 40.1, 40, "LL"),
    ("csf_glucose", "mg/dL", "12 a", 40.1, 40, "LL"),
]  # fmt: skip


@pytest.mark.parametrize(("analyte", "unit", "age", "normal", "low", "letter"), LOWER)
def test_lower_limit(interpret, analyte, unit, age, normal, low, letter):
    def found(number):
        return flag(interpret(panel(quantity(analyte, number, unit), age=age)), analyte)

    assert (found(normal), found(low)) == (("N", None), (letter, None))


# D3 to D6: lymphocytes and monocytes are flagged only when the leukocyte count is high. (class, age, normal, high, low)
GATED = [
    ("csf_lymphocytes_pct", "29 d", (5, 35), (36, "H"), (4, "L")), ("csf_monocytes_pct", "29 d", (50, 90),
    (91, "H"), (49, "L")),
    ("csf_lymphocytes_pct", "60 d", (40, 80), (81, "H"), (39, "L")), ("csf_monocytes_pct", "35 a", (15, 45),
    (46, "H"), (14, "L")),
]  # fmt: skip


@pytest.mark.parametrize(("analyte", "age", "normal", "high", "low"), GATED)
def test_differential_with_a_high_count(interpret, analyte, age, normal, high, low):
    def found(percent, count=40):
        sent = [
            quantity(analyte, percent, "%"),
            *([quantity("csf_leukocytes", count, "/uL")] if count is not None else []),
        ]
        return flag(interpret(panel(*sent, age=age)), analyte)

    assert [found(percent) for percent in normal] == [("N", None), ("N", None)]
    assert [found(high[0]), found(low[0])] == [(high[1], None), (low[1], None)]
    assert found(high[0], 2) == (None, "info_only")
    assert found(high[0], None) == (None, "info_only")


@pytest.mark.parametrize("age", ["30 d", "59 d"])
@pytest.mark.parametrize(
    "analyte", ["csf_neutrophils_pct", "csf_lymphocytes_pct", "csf_monocytes_pct", "csf_eosinophils_pct"]
)
def test_intended_gap_of_the_differential(interpret, analyte, age):
    sent = (quantity(analyte, 7, "%"), quantity("csf_leukocytes", 40, "/uL"))
    assert flag(interpret(panel(*sent, age=age)), analyte) == (None, "no_interval_for_age")


GAPS = [("csf_albumin", 200, "mg/L", "18 a"), ("csf_opening_pressure", 10, "cm[H2O]", "364 d"),
        ("csf_eosinophils_pct", 1, "%", "29 d")]  # fmt: skip


@pytest.mark.parametrize(("analyte", "number", "unit", "age"), GAPS)
def test_other_intended_gaps(interpret, analyte, number, unit, age):
    assert flag(interpret(panel(quantity(analyte, number, unit), age=age)), analyte) == (None, "no_interval_for_age")


# Site rules of section 1.
LUMBAR_ONLY = [("csf_protein", 300, "mg/L"), ("csf_glucose", 3.3, "mmol/L"), ("csf_albumin", 200, "mg/L"),
               ("albumin_quotient", 5, "10*-3"), ("igg_index", 0.5, "1"),
               ("csf_opening_pressure", 15, "cm[H2O]")]  # fmt: skip
ANY_SITE = [("csf_leukocytes", 3, "/uL"), ("csf_lactate", 1.9, "mmol/L"), ("csf_neutrophils_pct", 2, "%")]


@pytest.mark.parametrize("site", ["ventricular", "cisternal"])
@pytest.mark.parametrize(("analyte", "number", "unit"), LUMBAR_ONLY)
def test_lumbar_limits_do_not_hold_elsewhere(interpret, analyte, number, unit, site):
    sent = (quantity(analyte, number, unit), word("csf_appearance", "clear"))
    assert flag(interpret(panel(*sent, site=site)), analyte) == (None, "no_interval_for_site")


@pytest.mark.parametrize(("site", "code"), [("unknown", "site_not_stated"), (None, "site_not_stated")])
@pytest.mark.parametrize(("analyte", "number", "unit"), LUMBAR_ONLY + ANY_SITE)
def test_unknown_site_uses_lumbar_limits_and_says_so(interpret, analyte, number, unit, site, code):
    found = result(
        interpret(panel(quantity(analyte, number, unit), word("csf_appearance", "clear"), site=site)), analyte
    )
    assert found["flag"] == "N"
    assert code in {note["code"] for note in found["notes"]}


@pytest.mark.parametrize("site", ["ventricular", "cisternal"])
@pytest.mark.parametrize(("analyte", "number", "unit"), ANY_SITE)
def test_rows_of_all_sites_hold_everywhere(interpret, analyte, number, unit, site):
    assert flag(interpret(panel(quantity(analyte, number, unit), site=site)), analyte) == ("N", None)


@pytest.mark.parametrize("site", ["ventricular", "cisternal"])
def test_nonlumbar_count_says_that_a_normal_one_excludes_nothing(interpret, site):
    found = result(interpret(panel(quantity("csf_leukocytes", 3, "/uL"), site=site)), "csf_leukocytes")
    assert any("exclude" in note["text"] for note in found["notes"])


# Coded results of section 2.
CODED = [
    ("csf_cytology", "negative", "N", None), ("csf_cytology", "positive", "A", None),
    ("csf_cytology", "suspicious", "A", None), ("csf_cytology", "atypical", "A", None),
    ("csf_cytology", "nondiagnostic", None, "nondiagnostic"),
    ("csf_flow_cytometry", "negative", "N", None), ("csf_flow_cytometry", "positive", "A", None),
    ("csf_flow_cytometry", "indeterminate", None, "indeterminate"),
    *((dna, sent, letter, why) for dna in ("csf_ctdna", "plasma_ctdna")
      for sent, letter, why in (("not_detected", "N", None), ("detected", "A", None), ("failed", None, "failed"))),
    ("csf_oligoclonal_bands", "type_1", "N", None),
    *(("csf_oligoclonal_bands", f"type_{number}", "A", None) for number in (2, 3, 4, 5)),
    ("csf_appearance", "clear", "N", None), ("csf_appearance", "turbid", "A", None),
    ("csf_appearance", "bloody", "A", None), ("csf_appearance", "xanthochromic", "A", None),
]  # fmt: skip
ORGANISM_TESTS = ("csf_gram_stain", "csf_culture", "csf_pathogen_pcr", "csf_cryptococcal_antigen",
                  "csf_acid_fast_smear", "csf_india_ink")  # fmt: skip


@pytest.mark.parametrize(("analyte", "sent", "letter", "why"), CODED)
@pytest.mark.parametrize("age", ["1 d", "70 a", None])
def test_coded_result(interpret, analyte, sent, letter, why, age):
    sample = (word(analyte, sent), quantity("csf_leukocytes", 1, "/uL"))
    assert flag(interpret(panel(*sample, age=age)), analyte) == (letter, why)


@pytest.mark.parametrize("analyte", ORGANISM_TESTS)
@pytest.mark.parametrize("site", ["lumbar", "ventricular", "cisternal", "unknown"])
def test_organism_test(interpret, analyte, site):
    negative = interpret(panel(word(analyte, "negative"), site=site))
    positive = interpret(panel(word(analyte, "positive", organism="Listeria monocytogenes"), site=site))
    assert (flag(negative, analyte), critical(negative)) == (("N", None), [])
    assert (flag(positive, analyte), critical(positive)) == (("AA", None), [(analyte, "CR-ORG", "critical")])


@pytest.mark.parametrize("kind", ["type_4", "type_5"])
def test_systemic_bands_say_not_intrathecal(interpret, kind):
    notes = result(interpret(panel(word("csf_oligoclonal_bands", kind))), "csf_oligoclonal_bands")["notes"]
    assert any("not intrathecal" in note["text"] for note in notes)


@pytest.mark.parametrize(("percent", "wanted"), [(0, None), (1, "A"), (60, "A")])
def test_blasts(interpret, percent, wanted):
    answer = interpret(panel(quantity("csf_blasts_pct", percent, "%"), quantity("csf_leukocytes", 3, "/uL")))
    assert flag(answer, "csf_blasts_pct")[0] in ({"A"} if wanted else {None, "N"})
    assert (("csf_blasts_pct", "CR-CELL", "urgent") in critical(answer)) is (wanted is not None)


INFO_ONLY = [
    ("csf_igg", 25, "mg/L"), ("csf_iga", 2, "mg/L"), ("csf_igm", 0.5, "mg/L"), ("csf_chloride", 120, "mmol/L"),
]  # fmt: skip
NO_FLAG = [("csf_ldh", 30, "U/L"), ("csf_ferritin", 5, "ug/L"), ("csf_cea", 9, "ng/mL"), ("csf_cxcl13", 500, "pg/mL"),
           ("csf_il10", 50, "pg/mL"), ("csf_il6", 5, "pg/mL"), ("csf_ada", 12, "U/L"), ("csf_ctc", 4, "/mL"),
           ("csf_kappa_flc", 1, "mg/L"), ("csf_neutrophils", 30, "/uL"), ("csf_lymphocytes", 30, "/uL"),
           ("csf_plasma_cells_pct", 3, "%"), ("serum_glucose", 5, "mmol/L"), ("serum_albumin", 20, "g/L"),
           ("serum_igg", 30, "g/L"), ("serum_cea", 90, "ng/mL"), ("blood_leukocytes", 30000, "/uL"),
           ("blood_erythrocytes", 4.5e6, "/uL"), ("blood_neutrophils", 9000, "/uL")]  # fmt: skip


@pytest.mark.parametrize(("analyte", "number", "unit"), INFO_ONLY)
def test_info_rows_have_no_flag(interpret, analyte, number, unit):
    assert flag(interpret(panel(quantity(analyte, number, unit))), analyte) == (None, "info_only")


@pytest.mark.parametrize(("analyte", "number", "unit"), NO_FLAG)
def test_analytes_without_an_interval_have_no_flag(interpret, analyte, number, unit):
    letter, why = flag(interpret(panel(quantity(analyte, number, unit), word("csf_appearance", "clear"))), analyte)
    assert letter is None
    assert why in {"info_only", "no_interval"}


# S1, S2, S3: ages.
def test_age_is_counted_at_collection_not_today(interpret):
    specimen = {"collected_at": "1990-05-10T08:00:00+02:00"}
    answer = interpret(
        panel(quantity("csf_lactate", 2.8, "mmol/L"), age=None, specimen=specimen, patient={"birth_date": "1971-05-11"})
    )
    assert answer["patient"]["age_at_collection"] == {"value": 18, "unit": "a"}
    assert flag(answer, "csf_lactate") == ("N", None)


@pytest.mark.parametrize(("day", "age", "wanted"), [("2027-02-28", 18, "H"), ("2027-03-01", 19, "N")])
def test_birth_on_29_february_completes_a_year_on_1_march(interpret, day, age, wanted):
    """411 mg/L protein is above the limit of 18 a (410) and below that of 19 a (500)."""
    specimen = {"collected_at": f"{day}T12:00:00Z"}
    sent = quantity("csf_protein", 411, "mg/L")
    answer = interpret(panel(sent, age=None, specimen=specimen, patient={"birth_date": "2008-02-29"}))
    assert answer["patient"]["age_at_collection"] == {"value": age, "unit": "a"}
    assert flag(answer, "csf_protein") == (wanted, None)


def test_received_time_stands_in_and_is_named(interpret):
    sent = panel(quantity("csf_leukocytes", 5, "/uL"))
    del sent["specimen"]["collected_at"]
    sent["specimen"]["received_at"] = COLLECTED
    answer = interpret(sent)
    assert flag(answer, "csf_leukocytes") == ("H", None)
    assert answer["patient"]["age_at_collection"] == {"value": 35, "unit": "a"}
    assert "received" in str(answer["issues"]) + str(answer["quality"]) + str(answer["results"])


def test_neither_time_means_no_age(interpret):
    sent = panel(quantity("csf_leukocytes", 5, "/uL"))
    del sent["specimen"]["collected_at"]
    assert flag(interpret(sent), "csf_leukocytes") == (None, "age_missing")


COARSE = [
    (0, "a", 5, (None, "age_too_coarse")), (0, "a", 30, ("HH", None)), (3, "mo", 6, ("H", None)),
    (1, "a", 5, ("N", None)), (2, "mo", 9, (None, "age_too_coarse")), (0, "mo", 12, (None, "age_too_coarse")),
    (12, "a", 5, ("H", None)), (4, "wk", 12, (None, "age_too_coarse")), (1, "wk", 12, ("N", None)),
    (9, "wk", 9, ("N", None)), (5, "wk", 9, ("N", None)), (11, "a", 5, ("N", None)),
]  # fmt: skip


@pytest.mark.parametrize(("number", "unit", "count", "wanted"), COARSE)
def test_age_sent_as_a_number_covers_its_whole_unit(interpret, number, unit, count, wanted):
    sent = panel(quantity("csf_leukocytes", count, "/uL"), age=None, patient={"age": {"value": number, "unit": unit}})
    assert flag(interpret(sent), "csf_leukocytes") == wanted


# Context-dependent rows.
PRETERM = [
    ({"preterm": True, "intensive_care": True}, "28 d", 2090, "N"),
    ({"preterm": True, "intensive_care": True}, "28 d", 2091, "H"),
    ({"preterm": True, "intensive_care": True}, "29 d", 2090, "H"), ({"preterm": True}, "10 d", 1500, "H"),
    ({"preterm": False, "intensive_care": True}, "10 d", 1500, "H"), ({}, "10 d", 1500, "H"),
]  # fmt: skip


@pytest.mark.parametrize(("context", "age", "protein", "wanted"), PRETERM)
def test_preterm_neonate_in_intensive_care(interpret, context, age, protein, wanted):
    answer = interpret(panel(quantity("csf_protein", protein, "mg/L"), age=age, context=context))
    assert flag(answer, "csf_protein") == (wanted, None)


@pytest.mark.parametrize(("count", "wanted"), [(15, "N"), (16, "H")])
def test_preterm_leukocytes(interpret, count, wanted):
    answer = interpret(panel(quantity("csf_leukocytes", count, "/uL"), age="10 d", context={"preterm": True}))
    assert flag(answer, "csf_leukocytes") == (wanted, None)


# Section 5: critical values.
CRITICAL = [
    ("csf_leukocytes", 30, "/uL", "35 a", "CR-WBC"), ("csf_leukocytes", 29.9, "/uL", "35 a", None),
    ("csf_leukocytes", 30, "/uL", None, "CR-WBC"), ("csf_nucleated_cells", 30, "/uL", "5 d", "CR-WBC"),
    ("csf_glucose", 40, "mg/dL", "61 d", "CR-GLU1"), ("csf_glucose", 40, "mg/dL", "60 d", None),
    ("csf_glucose", 40, "mg/dL", None, "CR-GLU1"), ("csf_glucose", 40.1, "mg/dL", None, None),
    ("csf_glucose", 24.9, "mg/dL", "28 d", "CR-GLU0"), ("csf_glucose", 26.9, "mg/dL", "29 d", "CR-GLU0"),
    ("csf_glucose", 26.9, "mg/dL", "28 d", None), ("csf_glucose", 27, "mg/dL", "29 d", None),
    ("csf_glucose", 300, "mg/dL", "5 d", "CR-GLU2"), ("csf_glucose", 299.9, "mg/dL", "40 a", None),
    ("csf_glucose", 300, "mg/dL", None, "CR-GLU2"),
]  # fmt: skip


@pytest.mark.parametrize(("analyte", "number", "unit", "age", "rule"), CRITICAL)
@pytest.mark.parametrize("site", ["lumbar", "ventricular", "cisternal", "unknown"])
def test_critical_value_at_every_site(interpret, analyte, number, unit, age, rule, site):
    answer = interpret(panel(quantity(analyte, number, unit), age=age, site=site))
    assert critical(answer) == ([(analyte, rule, "critical")] if rule else [])
    assert (flag(answer, analyte)[0] in {"HH", "LL"}) is (rule is not None)


def test_first_positive_cytology_is_an_urgent_call(interpret):
    answer = interpret(panel(word("csf_cytology", "positive")))
    assert flag(answer, "csf_cytology") == ("A", None)
    assert critical(answer) == [("csf_cytology", "CR-CELL", "urgent")]


def test_result_names_its_row(interpret):
    found = result(interpret(panel(quantity("csf_leukocytes", 21, "/uL"))), "csf_leukocytes")
    assert found["reference"]["rule"] == "csf_leukocytes/L5"
    assert found["reference"]["high"] == 4.0
    assert found["reference"]["high_inclusive"] is True
    assert found["reference"]["citations"][0] == "andersson1994"
    assert found["reference"]["status"] == "primary"
    assert found["times_limit"] == 5.25


def test_printed_glucose_range_is_true_in_the_other_unit(interpret):
    """S7: 40-70 mg/dL is printed 2.22-3.89 mmol/L, not 2.2-3.9."""
    text = result(interpret(panel(quantity("csf_glucose", 3, "mmol/L"))), "csf_glucose")["reference"]["text"]
    assert "2.22" in text
    assert "3.89" in text


def test_flag_of_the_laboratory_is_shown_and_never_ours(interpret):
    sent = quantity("csf_ldh", 90, "U/L", laboratory_flag="H", laboratory_range="< 40 U/L")
    found = result(interpret(panel(sent)), "csf_ldh")
    assert (found["flag"], found["laboratory_flag"], found["laboratory_range"]) == (None, "H", "< 40 U/L")


def test_nucleated_cells_beside_leukocytes_do_not_lead(interpret):
    answer = interpret(panel(quantity("csf_leukocytes", 3, "/uL"), quantity("csf_nucleated_cells", 6, "/uL")))
    assert flag(answer, "csf_leukocytes") == ("N", None)
    assert truth(answer, "pleocytosis") == "false"


def test_issue_of_a_positive_without_organism(interpret):
    answer = interpret(panel(word("csf_culture", "positive")))
    assert ("organism_missing", 0) in issues(answer)
    assert flag(answer, "csf_culture") == ("AA", None)
