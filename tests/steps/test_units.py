"""Units: every accepted pair of analytes.md 3, the tables of units.md 2 to 4, and numbers that must be refused."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

import pytest

from csfinterp.units import check_against_pint, to_canonical
from tests.making import flag, issues, panel, quantity, result, value, word

CONVERSIONS = list(csv.DictReader((Path(__file__).parents[1] / "data" / "conversions.csv").open(encoding="utf-8")))
# A value that is inside the hard bounds of every analyte in every unit, not a round binary number.
SAMPLE = "1.37"
COUNTS = ("csf_leukocytes", "csf_nucleated_cells", "csf_erythrocytes", "csf_neutrophils", "csf_lymphocytes",
          "blood_leukocytes", "blood_neutrophils", "blood_erythrocytes")  # fmt: skip


def sent(analyte, number, unit, **parts):
    """The observation in a panel that names at least one CSF analyte."""
    return panel(quantity(analyte, number, unit), word("csf_appearance", "clear"), **parts)


def expected(row: dict[str, str], number: str) -> float:
    """Value in the canonical unit by the printed factor, in exact fractions, rounded once to 9 decimals."""
    exact = Fraction(number) * Fraction(row["multiply"]) / Fraction(row["divide"])
    return float(round(exact, 9))


def test_the_table_is_whole():
    assert len(CONVERSIONS) == 153
    assert len({(row["analyte"], row["unit"]) for row in CONVERSIONS}) == 153


@pytest.mark.parametrize("row", CONVERSIONS, ids=lambda row: f"{row['analyte']}-{row['unit']}")
def test_conversion(interpret, row):
    answer = interpret(sent(row["analyte"], SAMPLE, row["unit"]))
    found = result(answer, row["analyte"])
    assert found["value"] == pytest.approx(expected(row, SAMPLE), rel=1e-12, abs=1e-9)
    assert found["unit"] == row["canonical"]
    assert found["reported"]["value"] == SAMPLE
    assert found["reported"]["unit"] == row["unit"]


def test_edition_accepts_exactly_the_printed_units(edition):
    accepted = {
        (analyte.id, unit) for analyte in edition.analytes if analyte.kind == "quantity" for unit in analyte.units
    }
    printed = {(row["analyte"], row["unit"]) for row in CONVERSIONS}
    assert printed <= accepted
    # Beside the table: annotations that count as 1, mAU as an alias, kappa_index sent ready-made (same section, below).
    assert {unit for _, unit in accepted - printed} <= {"{ratio}", "{index}", "{AU}", "mAU", "1"}
    assert {analyte for analyte, _ in accepted - printed} <= {
        "kappa_index", "igg_index", "glucose_ratio", "csf_bilirubin_absorbance",
    }  # fmt: skip


def test_canonical_units(edition):
    printed = {row["analyte"]: row["canonical"] for row in CONVERSIONS} | {"kappa_index": "1"}
    assert {analyte.id: analyte.unit for analyte in edition.analytes if analyte.kind == "quantity"} == printed


def test_molar_masses(edition):
    masses = {name: Fraction(mass) for name, mass in edition.units.molar_masses.items()}
    printed = {"180.156", "90.078", "66000", "160000", "950000"}
    assert {Fraction(mass) for mass in printed} <= set(masses.values())
    glucose, lactate = Fraction("180.156"), Fraction("90.078")
    assert glucose == 2 * lactate  # 70 mg/dL glucose and 35 mg/dL lactate are the same 3.8855 mmol/L


def test_pint_agrees_with_every_factor(edition):
    assert check_against_pint(edition) == []


# units.md section 2: limits in both units.
GLUCOSE = {
    "25": 1.387686227, "27": 1.498701126, "40": 2.220297964, "70": 3.885521437, "80": 4.440595928, "100": 5.550744910,
    "150": 8.326117365, "300": 16.652234730,
}  # fmt: skip
LACTATE = {"9.90858": 1.1, "21.61872": 2.4, "25.22184": 2.8, "31.5273": 3.5, "39.63432": 4.4, "60.35226": 6.7,
           "35": 3.885521437, "10": 1.110148982}  # fmt: skip


@pytest.mark.parametrize(("sent_value", "canonical"), GLUCOSE.items())
@pytest.mark.parametrize("analyte", ["csf_glucose", "serum_glucose"])
def test_glucose_limits_in_both_units(interpret, analyte, sent_value, canonical):
    assert value(interpret(sent(analyte, sent_value, "mg/dL")), analyte) == canonical


@pytest.mark.parametrize(("sent_value", "canonical"), LACTATE.items())
def test_lactate_limits_in_both_units(interpret, sent_value, canonical):
    assert value(interpret(sent("csf_lactate", sent_value, "mg/dL")), "csf_lactate") == canonical


# units.md section 4, the table of tests: comparison exact.
EXACT = [
    ("csf_protein", "0.07", "g/L", 70.0), ("csf_protein", "7", "mg/dL", 70.0), ("csf_protein", "70", "mg/L", 70.0),
    ("csf_protein", "4.03", "g/L", 4030.0),
    ("csf_protein", "0.5", "g/L", 500.0), ("csf_protein", "50", "mg/dL", 500.0), ("csf_protein", "500", "mg/L", 500.0),
    ("csf_lactate", "31.5273", "mg/dL", 3.5), ("csf_glucose", "40", "mg/dL", 2.220297964),
    ("albumin_quotient", "0.0065", "1", 6.5), ("albumin_quotient", "6.5", "10*-3", 6.5),
    ("albumin_quotient", "0.65", "%", 6.5),
    ("csf_leukocytes", "12/3", None, 4.0), ("csf_leukocytes", "12/3", "/uL", 4.0),
    ("csf_leukocytes", "0.004", "10*3/uL", 4.0), ("csf_leukocytes", "4", "10*6/L", 4.0),
    ("serum_albumin", "4.1", "g/dL", 41.0), ("serum_albumin", "4100", "mg/dL", 41.0),
    ("serum_albumin", "41", "g/L", 41.0),
    ("csf_albumin", "19.5", "mg/dL", 195.0), ("csf_albumin", "0.195", "g/L", 195.0),
    ("csf_opening_pressure", "180", "mm[H2O]", 18.0),
]  # fmt: skip


@pytest.mark.parametrize(("analyte", "number", "unit", "canonical"), EXACT)
def test_exact_conversion(interpret, analyte, number, unit, canonical):
    assert value(interpret(sent(analyte, number, unit)), analyte) == canonical


@pytest.mark.parametrize(("number", "unit"), [("0.5", "g/L"), ("50", "mg/dL"), ("500", "mg/L")])
def test_protein_at_the_adult_limit_is_high_in_every_unit(interpret, number, unit):
    assert flag(interpret(sent("csf_protein", number, unit)), "csf_protein") == ("H", None)


def test_float_noise_is_rounded_away_over_the_whole_grid(core):
    """units.md section 4: g/L to mg/L from 0.01 to 10.00, not one value off after one rounding."""
    from csfinterp.formats import panel_json

    numbers = [f"{hundredths / 100:.2f}" for hundredths in range(1, 1001)]
    panels = [panel_json.read_document(sent("csf_protein", number, "g/L")) for number in numbers]
    row = core.layout.quantity["csf_protein"]
    found = core.outcomes(panels).cohort.low[row].tolist()
    assert found == [float(10 * hundredths) for hundredths in range(1, 1001)]


GRIDS = [("g/L", 100, 10), ("mg/dL", 10, 1)]  # 0.01 to 1000.00 g/L, 0.1 to 10000.0 mg/dL: 100000 values each


@pytest.mark.parametrize(("unit", "steps", "each"), GRIDS)
def test_float_noise_of_100000_values(edition, unit, steps, each):
    """units.md section 4: not one wrong after one rounding; each step is a whole number of mg/L."""
    protein = edition.analyte["csf_protein"]
    wrong = [
        number
        for number in range(1, 100_001)
        if to_canonical(number / steps, unit, protein.unit, edition.units) != number * each
    ]
    assert wrong == []


PRESSURES = [("0.980665", "kPa", 10.0), ("7.35559", "mm[Hg]", 10.0), ("1", "mm[Hg]", 1.35951)]


@pytest.mark.parametrize(("number", "unit", "canonical"), PRESSURES)
def test_pressure_both_ways(interpret, number, unit, canonical):
    """units.md section 2: 1 cm[H2O] is 0.0980665 kPa and 0.735559 mm[Hg]."""
    found = value(interpret(sent("csf_opening_pressure", number, unit)), "csf_opening_pressure")
    assert found == pytest.approx(canonical, abs=1e-5)


# Text normalization, units.md section 3: (analyte, as seen, number) -> canonical value.
SPELLINGS = [
    *((count, unit, "4", 4.0)
      for count in ("csf_leukocytes", "csf_erythrocytes")
      for unit in ("cells/µL", "cells/μL", "cells/uL", "cells/mm3", "/µl", "/ul", "/mm3", "/cu mm", "/cmm", "CELLS/UL",
                   "/µL", "/μL", "MPt/L", "Mpt/L", "Mpt/l", "10^6/L", "10E6/L", "x10^6/L", "x10E6/L", " /uL ")),
    *(("csf_leukocytes", unit, "0.004", 4.0)
      for unit in ("10^3/uL", "x10^3/uL", "K/uL", "10^9/L", "x10^9/L", "G/L", "giga.l-1")),
    *(("blood_erythrocytes", unit, "4.5", 4_500_000.0) for unit in ("10^6/uL", "10^12/L", "T/L", "tera.l-1")),
    *(("csf_protein", unit, "50", 500.0) for unit in ("mg/dl", "mg/100 ml", "mg/100mL", "mg%")),
    *(("csf_glucose", unit, "40", 2.220297964) for unit in ("mg/dl", "mg/100 ml", "mg%")),
    *(("serum_albumin", unit, "4.1", 41.0) for unit in ("g%", "gm/dL", "g/dl")),
    ("csf_protein", "mcg/mL", "500", 500.0), ("csf_cea", "mcg/L", "5", 5.0), ("csf_ferritin", "mcg/L", "12", 12.0),
    ("csf_lactate", "mmol/l", "2.4", 2.4), ("csf_albumin", "µmol/l", "3", 198.0), ("csf_albumin", "umol/l", "3", 198.0),
    ("csf_chloride", "mEq/L", "120", 120.0), ("csf_chloride", "mval/L", "120", 120.0),
    *(("csf_ldh", unit, "25", 25.0) for unit in ("U/l", "IU/L", "IU/l", "[IU]/L", "[iU]/L")),
    *(("albumin_quotient", unit, "6.5", 6.5)
      for unit in ("10e-3", "x10-3", "x10^-3", "10^-3", "x 0,001", "E-3", "[ppth]")),
    *(("csf_opening_pressure", unit, "18", 18.0) for unit in ("cmH2O", "cm H2O", "cm CSF")),
    *(("csf_opening_pressure", unit, "180", 18.0) for unit in ("mmH2O", "mm H2O")),
    ("csf_opening_pressure", "mmHg", "10", 13.5951),
    ("csf_bilirubin_absorbance", "AU", "0.007", 0.007), ("csf_bilirubin_absorbance", "{AU}", "0.007", 0.007),
    ("csf_bilirubin_absorbance", "mAU", "7", 0.007),
    ("glucose_ratio", "{ratio}", "0.6", 0.6), ("igg_index", "{index}", "0.6", 0.6),
    ("igg_index", "{ratio}", "0.6", 0.6),
]  # fmt: skip


@pytest.mark.parametrize(("analyte", "unit", "number", "canonical"), SPELLINGS)
def test_field_spelling(interpret, analyte, unit, number, canonical):
    answer = interpret(sent(analyte, number, unit))
    assert value(answer, analyte) == canonical
    assert "unit_unknown" not in {code for code, _ in issues(answer)}


THIRDS = [
    ("12/3", "/uL", 4.0), ("13/3", "/uL", 4.333333333), ("2400/3", "/uL", 800.0), ("15/3", "/uL", 5.0),
    ("12", "/3 µl", 4.0), ("12", "Drittelzellen", 4.0), ("2400", "/3 µl", 800.0),
    ("12/3 Zellen", None, 4.0), ("12/3 Zellen", "/uL", 4.0), ("2400/3 µl", None, 800.0),  # analytes.md 6
]  # fmt: skip


@pytest.mark.parametrize(("number", "unit", "canonical"), THIRDS)
@pytest.mark.parametrize("analyte", COUNTS[:3])
def test_chamber_count_in_thirds(interpret, analyte, number, unit, canonical):
    assert value(interpret(sent(analyte, number, unit)), analyte) == canonical


@pytest.mark.parametrize(("number", "unit"), [("12/3", "mg/L"), ("12/3", "10*3/uL")])
def test_thirds_are_only_a_count_per_microliter(interpret, number, unit):
    analyte = "csf_protein" if unit == "mg/L" else "csf_leukocytes"
    assert flag(interpret(sent(analyte, number, unit)), analyte)[0] is None


def test_decimal_comma_without_a_code_map_is_not_read(interpret):
    answer = interpret(sent("csf_protein", "10,0", "mg/dL"))
    assert flag(answer, "csf_protein") == (None, "value_unreadable")
    assert ("value_unreadable", 0) in issues(answer)


UNREADABLE = ["1_000", "١٢", "1,000", "12 000", "1e400", "Infinity", "NaN", "0x10", "--5", "5-10", "1.2.3", "abc", "５"]


@pytest.mark.parametrize("text", UNREADABLE)
def test_text_that_is_not_one_number(interpret, text):
    answer = interpret(sent("csf_leukocytes", text, "/uL"))
    assert flag(answer, "csf_leukocytes") == (None, "value_unreadable")
    assert ("value_unreadable", 0) in issues(answer)


WRONG_UNITS = [
    ("csf_leukocytes", "mg/L"), ("csf_protein", "mmol/L"), ("csf_protein", "G/L"), ("serum_albumin", "G/L"),
    ("csf_glucose", "/uL"), ("csf_ldh", "[IU]"), ("csf_protein", "U/L"), ("csf_cxcl13", "IU/L"),
    ("csf_protein", "x" * 65), ("csf_protein", "T/L"), ("albumin_quotient", "mg/L"), ("igg_index", "10*-3"),
    ("csf_neutrophils_pct", "1"), ("csf_ctc", "/uL"), ("csf_kappa_flc", "g/L"), ("csf_glucose", "L/S"),
]  # fmt: skip


@pytest.mark.parametrize(("analyte", "unit"), WRONG_UNITS)
def test_unit_that_the_analyte_does_not_accept(interpret, analyte, unit):
    answer = interpret(sent(analyte, "1.5", unit))
    assert flag(answer, analyte) == (None, "unit_unknown")
    assert value(answer, analyte) is None
    assert ("unit_unknown", 0) in issues(answer)


# analytes.md section 4, QAlb scale ruling.
@pytest.mark.parametrize("unit", [None, "{ratio}"])
def test_quotient_without_a_scale_is_held(interpret, unit):
    answer = interpret(sent("albumin_quotient", "6.5", unit))
    assert flag(answer, "albumin_quotient") == (None, "quotient_scale_unknown")
    assert ("quotient_scale_unknown", 0) in issues(answer)


@pytest.mark.parametrize("unit", [None, "{ratio}"])
@pytest.mark.parametrize("text", ["0.4756098", "4.756", "0.004756"])
def test_quotient_without_a_scale_beside_its_pair_is_recomputed(interpret, unit, text):
    pair = (quantity("csf_albumin", 195, "mg/L"), quantity("serum_albumin", 41, "g/L"))
    answer = interpret(panel(quantity("albumin_quotient", text, unit), *pair, age="30 a"))
    judged = [entry for entry in answer["results"] if entry["analyte"] == "albumin_quotient" and entry["flag"]]
    assert [(entry["value"], entry["flag"]) for entry in judged] == [(4.756097561, "N")]
    message = next(entry["message"] for entry in answer["issues"] if entry["code"] == "quotient_scale_unknown")
    assert "recomputed" in message or "pair" in message


@pytest.mark.parametrize(("text", "unit"), [("0.4756098", "%"), ("0.004756098", "1"), ("4.756098", "10*-3")])
def test_case_a_quotient_on_every_scale(interpret, text, unit):
    assert value(interpret(sent("albumin_quotient", text, unit)), "albumin_quotient") == pytest.approx(
        4.756098, abs=5e-7
    )


def test_quotient_as_a_plain_ratio_with_a_comparator(interpret):
    """analytes.md 6: "<0.006" is a plain ratio."""
    answer = interpret(sent("albumin_quotient", "<0.006", "1"))
    found = result(answer, "albumin_quotient")
    assert (found["value"], found["comparator"], found["flag"]) == (6.0, "<", "N")


@pytest.mark.parametrize("text", ["6.5 10e-3", "10,0 (x 0,001)"])
def test_a_quotient_with_its_scale_inside_of_the_text_is_not_guessed(interpret, text):
    """analytes.md 6: prints of the field; no number, so nothing is judged and the issue says what to send."""
    answer = interpret(sent("albumin_quotient", text, None))
    assert flag(answer, "albumin_quotient") == (None, "value_unreadable")
    assert "Send ASCII digits" in next(e["message"] for e in answer["issues"] if e["code"] == "value_unreadable")


# Ruling 4: a power of ten that explains a sent quotient is named, within 2 %; the pair of case A gives 4.756097561.
NEAR = ((1, True), (1.019, True), (1.021, False))
SCALES = [
    (f"{4.756097561 / power * near:.9g}", power, said)
    for power in (0.001, 0.01, 0.1, 10, 100, 1000)
    for near, said in NEAR
]


@pytest.mark.parametrize(("unit", "code"), [("10*-3", "derived_disagrees"), (None, "quotient_scale_unknown")])
@pytest.mark.parametrize(("text", "power", "said"), SCALES)
def test_scale_of_a_quotient_that_its_pair_contradicts(interpret, text, power, said, unit, code):
    pair = (quantity("csf_albumin", 195, "mg/L"), quantity("serum_albumin", 41, "g/L"))
    answer = interpret(panel(quantity("albumin_quotient", text, unit), *pair, age="30 a"))
    message = next(entry["message"] for entry in answer["issues"] if entry["code"] == code)
    assert (f"Times {power:g} the value sent equals the computed one" in message) is said
    judged = [entry["value"] for entry in answer["results"] if entry["analyte"] == "albumin_quotient" and entry["flag"]]
    assert judged == [4.756097561]


@pytest.mark.parametrize("quotient", ["330", "0.5"])
def test_unusual_quotient_with_an_explicit_unit_passes(interpret, quotient):
    """The LM series reaches 330: an explicit unit always passes."""
    assert flag(interpret(sent("albumin_quotient", quotient, "10*-3")), "albumin_quotient")[0] in {"N", "H"}


# Section 4: bounds.
IMPOSSIBLE = [
    ("csf_leukocytes", "-1", "/uL"), ("csf_erythrocytes", "-0.1", "/uL"), ("csf_protein", "-5", "mg/L"),
    ("csf_neutrophils_pct", "101", "%"), ("csf_lymphocytes_pct", "-1", "%"), ("csf_opening_pressure", "0", "cm[H2O]"),
    ("serum_albumin", "0", "g/L"), ("serum_igg", "0", "g/L"), ("blood_leukocytes", "0", "/uL"),
    ("albumin_quotient", "0", "10*-3"), ("glucose_ratio", "0", "1"), ("igg_index", "0", "1"), ("csf_ctc", "-1", "/mL"),
    ("csf_bilirubin_absorbance", "-0.001", "1"),
]  # fmt: skip


@pytest.mark.parametrize(("analyte", "number", "unit"), IMPOSSIBLE)
def test_impossible_value(interpret, analyte, number, unit):
    answer = interpret(sent(analyte, number, unit))
    assert flag(answer, analyte) == (None, "implausible")
    assert ("implausible", 0) in issues(answer)


POSSIBLE = [("csf_leukocytes", "0", "/uL"), ("csf_neutrophils_pct", "0", "%"), ("csf_neutrophils_pct", "100", "%")]


@pytest.mark.parametrize(("analyte", "number", "unit"), POSSIBLE)
def test_value_at_a_hard_bound_is_possible(interpret, analyte, number, unit):
    assert "implausible" not in {code for code, _ in issues(interpret(sent(analyte, number, unit)))}


SOFT = [
    ("csf_leukocytes", "50000", False), ("csf_leukocytes", "50001", True), ("csf_protein", "15840", False),
    ("csf_protein", "15841", True), ("glucose_ratio", "1.19", False), ("glucose_ratio", "1.2", True),
]  # fmt: skip


@pytest.mark.parametrize(("analyte", "number", "warns"), SOFT)
def test_soft_bound_warns_and_still_judges(interpret, edition, analyte, number, warns):
    # The strata of the glucose ratio are strata of serum glucose, so a ready-made ratio needs it to be judged.
    serum = [quantity("serum_glucose", 5, "mmol/L")] if analyte == "glucose_ratio" else []
    sample = quantity(analyte, number, edition.analyte[analyte].unit)
    answer = interpret(panel(sample, *serum, word("csf_appearance", "clear")))
    assert (("soft_bound", 0) in issues(answer)) is warns
    assert flag(answer, analyte)[0] is not None
