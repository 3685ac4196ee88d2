"""barrier_and_intrathecal.md through the core: limits, grades, ties, zones, kappa, synthetic patients, pairing,
blood."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from csfinterp.formats import panel_json
from csfinterp.knowledge import apply_site_rules
from csfinterp.model.edition import SiteRules
from csfinterp.steps.formulas import FUNCTIONS
from csfinterp.steps.pipeline import Core
from tests.making import (
    albumin_pair,
    finding,
    flag,
    has_result,
    issues,
    panel,
    quality,
    quantity,
    result,
    rules,
    truth,
    value,
    word,
)

# Section 2: a/b, b^2, c.
CURVES = {
    "igg_limit": (0.93, 6, 1.7), "igg_mean": (0.65, 8, 1.4), "igg_lower": (0.33, 2, 0.3),
    "iga_limit": (0.77, 23, 3.1), "iga_mean": (0.47, 27, 2.1), "iga_lower": (0.17, 74, 1.3),
    "igm_limit": (0.67, 120, 7.1), "igm_mean": (0.33, 306, 5.7), "igm_lower": (0.04, 442, 0.82),
    "kappa_limit": (3.27, 33, 8.2),
}  # fmt: skip
# 8.1: the printed columns, QAlb first.
COLUMNS = ("igg_lower", "igg_limit", "iga_lower", "iga_limit", "igm_lower", "igm_limit", "kappa_limit")
LIMITS = [
    (0, 0.1667, 0.5780, 0.1624, 0.5928, 0.0210, 0.2395, 10.5847),
    (1, 0.2716, 0.7605, 0.1722, 0.6722, 0.0219, 0.2700, 10.8672),
    (2, 0.5083, 1.2409, 0.2014, 0.9010, 0.0247, 0.3608, 11.6906),
    (5, 1.4147, 3.4780, 0.3915, 2.2347, 0.0444, 0.9679, 16.7036),
    (6.5, 1.8952, 4.7600, 0.5329, 3.1199, 0.0602, 1.4343, 20.1662),
    (8, 2.3809, 6.0809, 0.6970, 4.0821, 0.0798, 1.9883, 24.0058),
    (10, 3.0328, 7.8749, 0.9425, 5.4397, 0.1112, 2.8377, 29.5115),
    (20, 6.3165, 17.0390, 2.4012, 12.7366, 0.3407, 8.1784, 59.8443),
    (50, 16.2066, 44.8558, 7.3249, 35.5767, 1.3496, 27.1946, 156.3756),
    (100, 32.7033, 91.3279, 15.7628, 73.9885, 3.2674, 60.3008, 319.3391),
    (150, 49.2022, 137.8186, 24.2419, 112.4590, 5.2386, 93.6676, 482.6596),
]
MEANS = [
    (2, 0.8517, 0.5168, 0.1102, 6.9795), (5, 2.3340, 1.2892, 0.3038, 9.9723), (8, 4.1154, 2.3835, 0.6477, 14.3318),
    (10, 5.3550, 3.1966, 0.9493, 17.6188), (20, 11.7294, 7.6121, 3.0683, 35.7279),
    (50, 31.1520, 21.5266, 11.7807, 93.3585),
]  # fmt: skip
CELLS = [(row[0], name, printed) for row in LIMITS for name, printed in zip(COLUMNS, row[1:], strict=True)]
MEAN_CELLS = [
    (row[0], name, printed)
    for row in MEANS
    for name, printed in zip(("igg_mean", "iga_mean", "igm_mean"), row[1:], strict=False)
]


def curve(name: str, quotient: float) -> float:
    slope, squared, offset = CURVES[name]
    return slope * sqrt(quotient * quotient + squared) - offset


def computed(core: Core, document: dict, name: str) -> float:
    """A derived or helper quantity of this panel (helpers are not among the results)."""
    outcomes = core.outcomes([panel_json.read_document(document)])
    return float(outcomes.cohort.low[core.layout.quantity[name], 0])


def bare(edition, name: str, *inputs: float) -> float:
    """The formula alone, with the constants of the edition."""
    entry = edition.derived_by_id[name]
    constants = {key: np.array([[number]]) for key, number in entry.constants.items()}
    return float(FUNCTIONS[entry.function]([np.array([[one]], float) for one in inputs], constants)[0, 0])


@pytest.mark.parametrize("name", CURVES)
def test_constants_of_every_curve(edition, name):
    constants = edition.derived_by_id[name].constants
    assert (constants["a_over_b"], constants["b_squared"], constants["c"]) == CURVES[name]


@pytest.mark.parametrize(("quotient", "name", "printed"), CELLS)
def test_limit_formula(edition, quotient, name, printed):
    found = bare(edition, name, quotient)
    assert found == pytest.approx(printed, abs=5e-5)
    assert found == pytest.approx(curve(name, quotient), rel=1e-12)


@pytest.mark.parametrize(("quotient", "name", "printed"), [cell for cell in CELLS if cell[0] > 0])
def test_limit_through_the_core(core, quotient, name, printed):
    found = computed(core, panel(*albumin_pair(quotient)), name)
    assert found == pytest.approx(printed, abs=5e-5)
    assert found == round(curve(name, quotient), 9)


@pytest.mark.parametrize(("quotient", "name", "printed"), MEAN_CELLS)
def test_mean_curve_through_the_core(core, quotient, name, printed):
    assert computed(core, panel(*albumin_pair(quotient)), name) == pytest.approx(printed, abs=5e-5)


@pytest.mark.parametrize("row", MEANS, ids=lambda row: str(row[0]))
def test_kappa_mean_is_the_limit_over_1_675(core, row):
    assert computed(core, panel(*albumin_pair(row[0])), "kappa_limit") / 1.675 == pytest.approx(row[4], abs=5e-5)


@pytest.mark.parametrize("name", CURVES)
def test_every_curve_is_positive_from_zero_upward(edition, name):
    assert all(bare(edition, name, quotient) > 0 for quotient in np.linspace(0, 300, 601))


# Section 2, never use: 1987 constants, the generic fit, exponential curves.
SUPERSEDED = {(0.8, 15, 1.8), (0.72, 80, 5.1), (0.65, 150, 7.5)}


def test_superseded_constants_are_not_used(edition):
    used = [entry.constants for entry in edition.derived if entry.function == "hyperbola"]
    found = {(one["a_over_b"], one["b_squared"], one["c"]) for one in used}
    assert found == set(CURVES.values())
    assert not found & SUPERSEDED
    assert not any(0.8736 in one or 0.4087 in one for one in found)
    assert edition.derived_by_id["kappa_limit"].function == "hyperbola"  # never an exponential kappa curve


# Section 3: 4 + age/15, tolerance 5e-7; age/25 + 8 (option qalb_hegen, 18 to 70 a), exact.
AGE_LIMITS = {
    5: 4.333333, 10: 4.666667, 15: 5.000000, 18: 5.200000, 30: 6.000000, 40: 6.666667, 45: 7.000000, 50: 7.333333,
    60: 8.000000, 65: 8.333333, 70: 8.666667, 75: 9.000000, 80: 9.333333, 90: 10.000000,
}  # fmt: skip
HEGEN = {18: 8.72, 30: 9.2, 40: 9.6, 45: 9.8, 50: 10.0, 60: 10.4, 65: 10.6, 70: 10.8}
INFANT_LIMITS = {"0 d": 28, "6 d": 28, "7 d": 15, "29 d": 15, "30 d": 10, "59 d": 10, "60 d": 5, "119 d": 5,
                 "120 d": 3.5, "1 a": 3.5, "4 a": 3.5}  # fmt: skip


@pytest.mark.parametrize(("age", "limit"), AGE_LIMITS.items())
def test_age_limit(interpret, age, limit):
    found = value(interpret(panel(*albumin_pair(5), age=f"{age} a")), "albumin_quotient_limit")
    assert found == pytest.approx(limit, abs=5e-7)
    assert found == round(4 + age / 15, 9)


@pytest.mark.parametrize(("age", "limit"), INFANT_LIMITS.items())
def test_age_limit_below_five_years(interpret, age, limit):
    assert value(interpret(panel(*albumin_pair(5), age=age)), "albumin_quotient_limit") == limit


HEGEN_EXTRAPOLATED = {5: 8.2, 10: 8.4, 15: 8.6, 75: 11.0, 80: 11.2, 90: 11.6}  # printed, outside the option's ages


def test_printed_values_of_the_hegen_option(edition):
    """The line that the edition holds gives both printed columns; only 18 to 70 a are the option's (section 6)."""
    (row,) = next(one for one in edition.options if one.id == "qalb_hegen").intervals
    intercept, divisor = row.high.intercept, row.high.divisor
    printed = {**HEGEN, **HEGEN_EXTRAPOLATED}
    assert {age: round(age / divisor + intercept, 9) for age in printed} == printed
    assert set(printed) == set(AGE_LIMITS)


@pytest.fixture(scope="module")
def hegen(edition):
    return Core(apply_site_rules(edition, SiteRules("test", "sha256:0", ("qalb_hegen",))))


@pytest.mark.parametrize("age", AGE_LIMITS)
def test_age_limit_of_the_hegen_option(hegen, age):
    """Between 18 and 70 a the option rules; outside, it states nothing and the default row stays (section 6)."""
    found = computed(hegen, panel(*albumin_pair(5), age=f"{age} a"), "albumin_quotient_limit")
    assert found == (HEGEN[age] if age in HEGEN else round(4 + age / 15, 9))


def test_no_age_no_limit(interpret):
    answer = interpret(panel(*albumin_pair(5), age=None))
    assert flag(answer, "albumin_quotient") == (None, "age_missing")
    assert truth(answer, "barrier_dysfunction") == "unknown"


# Age, CSF albumin, serum albumin, and whether raw double arithmetic calls it high.
RAW = [(40, 320, 48, True), (40, 300, 45, True), (5, 88.4, 20.4, True), (60, 360, 45, False), (50, 330, 45, False)]


@pytest.mark.parametrize(("age", "csf", "serum", "high"), RAW)
def test_raw_verdict_of_a_float_tie(age, csf, serum, high):
    """What the rounding is for: without it three of the five printed ties are high."""
    assert (csf / serum > 4 + age / 15) is high


def test_raw_arithmetic_calls_1112_of_the_ties_high():
    assert sum(csf / serum > 4 + age / 15 for age, csf, serum in exact_ties()) == 1112


TIES = [(40, 320, 48), (40, 300, 45), (5, 88.4, 20.4), (60, 360, 45), (50, 330, 45)]


@pytest.mark.parametrize(("age", "csf", "serum"), TIES)
def test_float_tie_is_normal(interpret, age, csf, serum):
    pair = (quantity("csf_albumin", csf, "mg/L"), quantity("serum_albumin", serum, "g/L"))
    answer = interpret(panel(*pair, age=f"{age} a"))
    assert flag(answer, "albumin_quotient") == ("N", None)
    assert truth(answer, "barrier_dysfunction") == "false"


def exact_ties() -> list[tuple[int, float, float]]:
    """Every (age, CSF albumin mg/L, serum albumin g/L) on the limit: 15 c = (60 + age) s, in tenths, whole numbers."""
    return [
        (age, (60 + age) * tenths // 15 / 10, tenths / 10)
        for age in range(5, 91)
        for tenths in range(200, 601)
        if (60 + age) * tenths % 15 == 0
    ]


def test_all_7092_exact_ties_are_normal(core):
    ties = exact_ties()
    assert len(ties) == 7092
    panels = [
        panel_json.read_document(
            panel(quantity("csf_albumin", csf, "mg/L"), quantity("serum_albumin", serum, "g/L"), age=f"{age} a")
        )
        for age, csf, serum in ties
    ]
    outcomes = core.outcomes(panels)
    row = core.layout.quantity["albumin_quotient"]
    from csfinterp.steps.layout import FLAG

    assert np.count_nonzero(outcomes.flag[row] != FLAG["N"]) == 0


# 8.6: grades.
GRADES = [
    ("60 a", 8.0, None), ("60 a", 8.000001, "mild"), ("60 a", 9.999999, "mild"), ("60 a", 10.0, "moderate"),
    ("60 a", 20.0, "moderate"), ("60 a", 20.000001, "severe"), ("90 a", 10.0, None), ("90 a", 10.000001, "moderate"),
    ("95 a", 10.3, None), ("3 d", 25, None), ("5 a", 4.0, None),
]  # fmt: skip


@pytest.mark.parametrize(("age", "quotient", "grade"), GRADES)
@pytest.mark.parametrize("ready_made", [True, False])
def test_grade(interpret, age, quotient, grade, ready_made):
    sent = [quantity("albumin_quotient", quotient, "10*-3"), word("csf_appearance", "clear")]
    answer = interpret(panel(*(sent if ready_made else albumin_pair(quotient)), age=age))
    found = finding(answer, "barrier_dysfunction")
    assert (found["truth"], found["severity"]) == ("false" if grade is None else "true", grade)
    assert flag(answer, "albumin_quotient") == ("N" if grade is None else "H", None)


@pytest.mark.parametrize(
    ("age", "quotient", "times"), [("3 d", 30, 30 / 28), ("4 a", 4.0, 4 / 3.5), ("4 a", 25, 25 / 3.5)]
)
def test_below_five_years_there_is_no_grade(interpret, age, quotient, times):
    answer = interpret(panel(*albumin_pair(quotient), age=age))
    found = finding(answer, "barrier_dysfunction")
    assert (found["truth"], found["severity"]) == ("true", None)
    assert result(answer, "albumin_quotient")["times_limit"] == pytest.approx(times, abs=5e-3)


# 8.2: synthetic patients. Albumin, IgG, IgA, IgM as CSF mg/L / serum g/L.
PATIENTS = {
    "A": (30, (195, 41), (25, 10), (2, 2), (0.5, 1), 4.756098, 6.000000, None),
    "B": (32, (180, 45), (60, 11), (2, 2), (0.6, 1.2), 4.000000, 6.133333, None),
    "C": (60, (800, 40), (90, 10), (16, 2), (4, 1), 20.000000, 8.000000, "moderate"),
    "D": (50, (900, 40), (250, 11), (40, 2.2), (20, 1.1), 22.500000, 7.333333, "severe"),
    "E": (70, (3000, 35), (600, 9), (110, 2), (40, 0.9), 85.714286, 8.666667, "severe"),
}
# Quotient, lower curve, limit, intrathecal %, local mg/L, index.
CLASSES = {
    ("A", "igg"): (2.500000, 1.337427, 3.275323, 0.0000, 0.0000, 0.525641),
    ("A", "iga"): (1.000000, 0.371027, 2.100805, 0.0000, 0.0000, 0.210256),
    ("A", "igm"): (0.500000, 0.042202, 0.901395, 0.0000, 0.0000, 0.105128),
    ("B", "igg"): (5.454545, 1.100071, 2.662087, 51.1951, 30.7170, 1.363636),
    ("B", "iga"): (1.000000, 0.312762, 1.708648, 0.0000, 0.0000, 0.250000),
    ("B", "igm"): (0.500000, 0.036037, 0.713476, 0.0000, 0.0000, 0.125000),
    ("C", "igg"): (9.000000, 6.316479, 17.038981, 0.0000, 0.0000, 0.450000),
    ("C", "iga"): (8.000000, 2.401162, 12.736562, 0.0000, 0.0000, 0.400000),
    ("C", "igm"): (4.000000, 0.340689, 8.178351, 0.0000, 0.0000, 0.200000),
    ("D", "igg"): (22.727273, 7.139652, 19.348635, 14.8660, 37.1650, 1.010101),
    ("D", "iga"): (18.181818, 2.795024, 14.614184, 19.6220, 7.8488, 0.808081),
    ("D", "igm"): (18.181818, 0.411747, 9.666742, 46.8329, 9.3666, 0.808081),
    ("E", "igg"): (66.666667, 27.989564, 78.046829, 0.0000, 0.0000, 0.777778),
    ("E", "iga"): (55.000000, 13.344628, 63.003228, 0.0000, 0.0000, 0.641667),
    ("E", "igm"): (44.444444, 2.710199, 50.795672, 0.0000, 0.0000, 0.518519),
}


def patient(case: str, **parts):
    age, albumin, igg, iga, igm, *_ = PATIENTS[case]
    pairs = {"albumin": albumin, "igg": igg, "iga": iga, "igm": igm}
    sent = [quantity(f"csf_{name}", csf, "mg/L") for name, (csf, _) in pairs.items()]
    sent += [quantity(f"serum_{name}", serum, "g/L") for name, (_, serum) in pairs.items()]
    return panel(*sent, age=f"{age} a", **parts)


@pytest.mark.parametrize("case", PATIENTS)
def test_synthetic_patient_albumin(interpret, case):
    quotient, limit, grade = PATIENTS[case][5:]
    answer = interpret(patient(case))
    assert value(answer, "albumin_quotient") == pytest.approx(quotient, abs=5e-7)
    assert value(answer, "albumin_quotient_limit") == pytest.approx(limit, abs=5e-7)
    assert finding(answer, "barrier_dysfunction")["severity"] == grade
    assert truth(answer, "barrier_dysfunction") == ("true" if grade else "false")


@pytest.mark.parametrize(("case", "kind"), CLASSES)
def test_synthetic_patient_immunoglobulin(interpret, core, case, kind):
    quotient, lower, limit, percent, local, index = CLASSES[case, kind]
    answer = interpret(patient(case))
    assert value(answer, f"{kind}_quotient") == pytest.approx(quotient, abs=5e-7)
    assert value(answer, f"{kind}_limit") == pytest.approx(limit, abs=5e-7)
    assert computed(core, patient(case), f"{kind}_lower") == pytest.approx(lower, abs=5e-7)
    assert value(answer, f"{kind}_intrathecal_pct") == pytest.approx(percent, abs=5e-5)
    assert value(answer, f"{kind}_local_mg_l") == pytest.approx(local, abs=5e-5)
    found = value(answer, f"{kind}_quotient") / value(answer, "albumin_quotient")
    assert found == pytest.approx(index, abs=5e-7)
    wanted = "H" if percent > 0 else "N"
    assert flag(answer, f"{kind}_quotient") == (wanted, None)
    assert flag(answer, f"{kind}_intrathecal_pct") == (wanted, None)
    assert truth(answer, f"intrathecal_{kind}") == ("true" if percent > 0 else "false")


# The last column of 8.2: zone by (above the albumin limit, above the Ig limit).
ZONE = {("false", "false"): 1, ("true", "false"): 2, ("false", "true"): 3, ("true", "true"): 4}
ZONES_OF_PATIENTS = {"A": (1, 1, 1), "B": (3, 1, 1), "C": (2, 2, 2), "D": (4, 4, 4), "E": (2, 2, 2)}


@pytest.mark.parametrize(("case", "zones"), ZONES_OF_PATIENTS.items())
def test_synthetic_patient_zones(interpret, case, zones):
    answer = interpret(patient(case))
    found = tuple(
        ZONE[truth(answer, "barrier_dysfunction"), truth(answer, f"intrathecal_{kind}")]
        for kind in ("igg", "iga", "igm")
    )
    assert found == zones
    assert "PL01" not in rules(answer)  # zone 5 is none of them


@pytest.mark.parametrize("case", PATIENTS)
def test_synthetic_patient_igg_index(interpret, case):
    answer = interpret(patient(case))
    index = CLASSES[case, "igg"][5]
    assert value(answer, "igg_index") == pytest.approx(index, abs=5e-7)
    assert flag(answer, "igg_index") == ("H" if index > 0.7 else "N", None)


def test_index_trap(interpret):
    """Case E: index 0.778 > 0.7 but no synthesis by the limit; both printed, the conflict named,
    no finding rests on it."""
    answer = interpret(patient("E"))
    assert flag(answer, "igg_index") == ("H", None)
    assert truth(answer, "intrathecal_igg") == "false"
    assert truth(answer, "igg_index_limit_conflict") == "true"
    # B2: above the albumin limit no finding rests on the index.
    assert truth(answer, "igg_index_raised") != "true"


def test_index_without_barrier_dysfunction_carries_its_finding(interpret):
    answer = interpret(patient("B"))
    assert truth(answer, "igg_index_raised") == "true"
    assert truth(answer, "igg_index_limit_conflict") == "false"


@pytest.mark.parametrize(
    "units",
    [("19.5", "mg/dL", "4.1", "g/dL"), ("0.195", "g/L", "4100", "mg/dL"), ("19.5", "mg/dL", "41", "g/L"),
     ("195", "ug/mL", "41000", "mg/L")],
)  # fmt: skip
def test_case_a_in_other_units(interpret, units):
    csf, csf_unit, serum, serum_unit = units
    pair = (quantity("csf_albumin", csf, csf_unit), quantity("serum_albumin", serum, serum_unit))
    assert value(interpret(panel(*pair, age="30 a")), "albumin_quotient") == pytest.approx(4.756098, abs=5e-7)


def test_both_sides_molar_cancel(interpret):
    pair = (quantity("csf_albumin", "3", "umol/L"), quantity("serum_albumin", "600", "umol/L"))
    assert value(interpret(panel(*pair)), "albumin_quotient") == 5.0


# Section 4: zones, with the edges counted to the inner side.
def reiber(interpret, quotient: float, igg: float, age: str = "30 a"):
    """IgG quotient `igg` at albumin quotient `quotient`; serum IgG 10 g/L."""
    sent = (quantity("csf_igg", round(igg * 10, 9), "mg/L"), quantity("serum_igg", 10, "g/L"))
    return interpret(panel(*albumin_pair(quotient), *sent, age=age))


ZONES = [(5, 3.4, "false", "false"), (8, 5, "true", "false"), (5, 3.6, "false", "true"), (8, 7, "true", "true")]


@pytest.mark.parametrize(("quotient", "igg", "barrier", "synthesis"), ZONES)
def test_zone(interpret, quotient, igg, barrier, synthesis):
    answer = reiber(interpret, quotient, igg)
    assert (truth(answer, "barrier_dysfunction"), truth(answer, "intrathecal_igg")) == (barrier, synthesis)


def test_quotient_on_the_limit_is_no_synthesis(interpret):
    limit = round(curve("igg_limit", 5), 9)
    answer = interpret(panel(*albumin_pair(5), quantity("csf_igg", limit, "mg/L"), quantity("serum_igg", 1, "g/L")))
    assert value(answer, "igg_intrathecal_pct") == 0
    assert flag(answer, "igg_quotient") == ("N", None)
    above = round(limit + 1e-6, 9)
    answer = interpret(panel(*albumin_pair(5), quantity("csf_igg", above, "mg/L"), quantity("serum_igg", 1, "g/L")))
    assert flag(answer, "igg_quotient") == ("H", None)
    assert truth(answer, "intrathecal_igg") == "true"


# 8.3: the lower curve, with albumin of case A.
LOWER = [
    ("igg", "8", "10", 0.8, 1.337427, True), ("igg", "13.374", "10", 1.3374, 1.337427, True),
    ("igg", "13.375", "10", 1.3375, 1.337427, False), ("iga", "0.7", "2", 0.35, 0.371027, True),
    ("igm", "0.04", "1", 0.04, 0.042202, True),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "csf", "serum", "quotient", "lower", "below"), LOWER)
def test_lower_curve(interpret, core, kind, csf, serum, quotient, lower, below):
    sent = panel(
        quantity("csf_albumin", 195, "mg/L"), quantity("serum_albumin", 41, "g/L"),
        quantity(f"csf_{kind}", csf, "mg/L"), quantity(f"serum_{kind}", serum, "g/L"), age="30 a",
    )  # fmt: skip
    answer = interpret(sent)
    assert value(answer, f"{kind}_quotient") == pytest.approx(quotient, abs=5e-7)
    assert computed(core, sent, f"{kind}_lower") == pytest.approx(lower, abs=5e-7)
    assert ("PL01" in rules(answer)) is below
    assert truth(answer, f"intrathecal_{kind}") == ("unknown" if below else "false")


def test_zone_5_withholds_the_class_and_says_so(interpret):
    answer = reiber(interpret, 5, 0.5)
    entry = next(one for one in answer["quality"] if one["rule"] == "PL01")
    assert (entry["truth"], entry["severity"]) == ("true", "suppresses")
    assert "igg_intrathecal_pct" in entry["suppresses"]
    assert flag(answer, "igg_intrathecal_pct")[0] is None
    assert flag(answer, "albumin_quotient")[0] == "N"


# 8.4: kappa.
KAPPA = [
    ("K1", 0.3, 12, (195, 41), 25.000000, 5.256410, 16.1874, 35.2505, "false", "true"),
    ("K2", 4, 12, (180, 45), 333.333333, 83.333333, 14.6900, 95.5930, "true", "true"),
    ("K3", 0.15, 12, (195, 41), 12.500000, 2.628205, 16.1874, 0.0000, "false", "false"),
    ("K4", 0.5, 12, (195, 41), 41.666667, 8.760684, 16.1874, 61.1503, "true", "true"),
    ("K5", 0.12, 12, (60, 40), 10.000000, 6.666667, 11.2145, 0.0000, "true", "false"),
]


def kappa_panel(csf, serum, albumin, **parts):
    return panel(
        quantity("csf_kappa_flc", csf, "mg/L"), quantity("serum_kappa_flc", serum, "mg/L"),
        quantity("csf_albumin", albumin[0], "mg/L"), quantity("serum_albumin", albumin[1], "g/L"), **parts,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("case", "csf", "serum", "albumin", "quotient", "index", "limit", "percent", "by_index", "by_curve"), KAPPA
)
def test_kappa(interpret, case, csf, serum, albumin, quotient, index, limit, percent, by_index, by_curve):
    answer = interpret(kappa_panel(csf, serum, albumin))
    assert value(answer, "kappa_quotient") == pytest.approx(quotient, abs=5e-7)
    assert value(answer, "kappa_index") == pytest.approx(index, abs=5e-7)
    assert value(answer, "kappa_limit") == pytest.approx(limit, abs=5e-5)
    assert value(answer, "kappa_intrathecal_pct") == pytest.approx(percent, abs=5e-5)
    assert truth(answer, "kappa_index_above_ms_cut") == by_index
    assert truth(answer, "intrathecal_kappa") == by_curve
    assert flag(answer, "kappa_quotient") == ("H" if by_curve == "true" else "N", None)
    assert flag(answer, "kappa_index") == (None, "info_only")


def test_kappa_discordance_is_worded_by_the_verdict_that_holds(interpret):
    """K1: intrathecal by the hyperbola, not above the MS cut: the summary says both, and the second as not above."""
    told = {
        one["because"][0]: one["text"] for one in interpret(kappa_panel(0.3, 12, (195, 41)))["summary"]["sentences"]
    }
    assert told["intrathecal_kappa"].startswith("There is intrathecal synthesis of kappa")
    assert "below" in told["kappa_index_above_ms_cut"]


@pytest.mark.parametrize(("quotient", "ratio", "tolerance"), [(1.8991, 6.1, 1e-3), (11.84, 2.942, 5e-4)])
def test_kappa_limit_over_albumin_quotient(core, quotient, ratio, tolerance):
    found = computed(core, panel(*albumin_pair(quotient)), "kappa_limit") / quotient
    assert found == pytest.approx(ratio, abs=tolerance)


@pytest.mark.parametrize(("index", "wanted"), [(6.09, "false"), (6.1, "true"), (6.11, "true")])
def test_kappa_index_cut_is_inclusive(interpret, index, wanted):
    answer = interpret(panel(quantity("kappa_index", index, "1"), word("csf_appearance", "clear")))
    assert truth(answer, "kappa_index_above_ms_cut") == wanted


# 8.5: intrathecal lines, tolerance 1e-9.
LINES = [(1.25, 20), (1.6666666667, 40), (2.5, 60), (5, 80), (1, 0)]


@pytest.mark.parametrize(("times", "percent"), LINES)
@pytest.mark.parametrize(
    "name", ["igg_intrathecal_pct", "iga_intrathecal_pct", "igm_intrathecal_pct", "kappa_intrathecal_pct"]
)
def test_intrathecal_line(edition, name, times, percent):
    limit = 3.2
    assert bare(edition, name, limit * times, limit) == pytest.approx(percent, abs=2e-9)


# 8.7: published check points.
def test_dgln_check_point(interpret):
    assert value(interpret(panel(*albumin_pair(5), age="60 a")), "albumin_quotient_limit") == 8.0


def test_healthy_ratios(core):
    sent = panel(quantity("csf_albumin", 200, "mg/L"), quantity("serum_albumin", 41, "g/L"))  # 1:205
    assert computed(core, sent, "albumin_quotient") == pytest.approx(4.878049, abs=5e-7)
    assert computed(core, sent, "igg_mean") == pytest.approx(2.265179, abs=5e-7)
    assert computed(core, sent, "igg_mean") == pytest.approx(1000 / 440, rel=0.004)
    assert computed(core, sent, "igm_limit") == pytest.approx(0.934, abs=5e-4)


FIXTURES = [("albumin", 0.5, 100, 5.0), ("igg", 2, 200, 10.0), ("iga", 0.1, 50, 2.0), ("igm", 0.1, 1000, 0.1)]


@pytest.mark.parametrize(("kind", "csf", "serum", "quotient"), FIXTURES)
def test_public_code_fixture(interpret, kind, csf, serum, quotient):
    pair = (quantity(f"csf_{kind}", csf, "g/L"), quantity(f"serum_{kind}", serum, "g/L"))
    answer = interpret(panel(*pair))
    assert value(answer, f"{kind}_quotient") == quotient


# Section 4: where index and limit cross.
CROSSINGS = [(4, 0.6655), (5, 0.6956), (6.5, 0.7323), (8, 0.7601), (10, 0.7875), (20, 0.8519), (50, 0.8971),
    (100, 0.9133),
             (1.1887, 0.7), (5.1596, 0.7), (2.185, 0.6191)]  # fmt: skip


@pytest.mark.parametrize(("quotient", "ratio"), CROSSINGS)
def test_limit_over_quotient(core, quotient, ratio):
    found = computed(core, panel(*albumin_pair(quotient)), "igg_limit") / quotient
    assert found == pytest.approx(ratio, abs=6e-5)


# Pairing.
SAME_DAY = "2026-03-01T07:00:00+01:00"


def paired(interpret, serum_time: str | None, csf_time: str = "2026-03-01T09:20:00+01:00", **more):
    own = {} if serum_time is None else {"collected_at": serum_time}
    sent = (
        quantity("csf_albumin", 400, "mg/L"), quantity("serum_albumin", 40, "g/L", **own, **more),
        quantity("csf_igg", 120, "mg/L"), quantity("serum_igg", 10, "g/L", **own, **more),
    )  # fmt: skip
    return interpret(panel(*sent, specimen={"collected_at": csf_time}))


MATCHED = [
    ("2026-03-01T09:20:00+01:00", SAME_DAY, True), ("2026-03-01T23:30:00+01:00", "2026-03-01T00:10:00+01:00", True),
    ("2026-03-01T02:00:00+01:00", "2026-02-28T18:00:00+01:00", True),  # 8 h across midnight
    ("2026-03-01T02:01:00+01:00", "2026-02-28T18:00:00+01:00", False),  # 8 h and a minute
    ("2026-03-01T09:20:00+01:00", "2026-03-02T09:20:00+01:00", False),
    ("2026-03-01T09:20:00+01:00", "2026-02-27T09:20:00+01:00", False),
]  # fmt: skip


@pytest.mark.parametrize(("csf", "serum", "matched"), MATCHED)
def test_pairing_by_time(interpret, csf, serum, matched):
    answer = paired(interpret, serum, csf)
    if matched:
        assert flag(answer, "albumin_quotient") == ("H", None)
        assert truth(answer, "intrathecal_igg") == "true"
    else:
        assert value(answer, "albumin_quotient") == 10.0  # the number is printed, not validated
        assert flag(answer, "albumin_quotient") == (None, "pair_not_matched")
        assert flag(answer, "igg_intrathecal_pct") == (None, "pair_not_matched")
        assert (truth(answer, "barrier_dysfunction"), truth(answer, "intrathecal_igg")) == ("unknown", "unknown")
        assert "PL03" in rules(answer)


def test_serum_without_a_time_is_assumed_and_said(interpret):
    answer = paired(interpret, None)
    assert flag(answer, "albumin_quotient") == ("H", None)
    assert "pairing_assumed" in {code for code, _ in issues(answer)}


def test_other_method_is_no_pair(interpret):
    answer = interpret(
        panel(
            quantity("csf_albumin", 400, "mg/L", method="nephelometry"),
            quantity("serum_albumin", 40, "g/L", method="turbidimetry"),
        )
    )
    assert flag(answer, "albumin_quotient") == (None, "pair_not_matched")


def test_quotient_without_its_pair(interpret):
    answer = interpret(panel(quantity("csf_albumin", 200, "mg/L")))
    assert flag(answer, "albumin_quotient") == (None, "pair_missing")
    assert "PV8" in rules(answer)


def test_a_censored_partner_makes_no_quotient(interpret):
    sent = (quantity("csf_albumin", "<200", "mg/L"), quantity("serum_albumin", 40, "g/L"))
    answer = interpret(panel(*sent))
    assert not has_result(answer, "albumin_quotient") or value(answer, "albumin_quotient") is None


# Section 4, consequences of infusions and plasma exchange are context, never guessed.
def test_sent_and_computed_quotient_disagree(interpret):
    sent = (quantity("albumin_quotient", 8, "10*-3"), *albumin_pair(5))
    answer = interpret(panel(*sent))
    assert "derived_disagrees" in {code for code, _ in issues(answer)}
    assert {one["value"] for one in answer["results"] if one["analyte"] == "albumin_quotient"} == {8.0, 5.0}
    judged = [one for one in answer["results"] if one["analyte"] == "albumin_quotient" and one["flag"]]
    assert [one["value"] for one in judged] == [5.0]


@pytest.mark.parametrize(
    ("quotient", "disagrees"), [(5.2, False), (5.24, False), (5.3, True), (4.7, True), (4.8, False)]
)
def test_five_percent_between_sent_and_computed(interpret, quotient, disagrees):
    answer = interpret(panel(quantity("albumin_quotient", quotient, "10*-3"), *albumin_pair(5)))
    assert ("derived_disagrees" in {code for code, _ in issues(answer)}) is disagrees


# Section 6: bands.
BANDS = [("type_1", "false", "false"), ("type_2", "true", "false"), ("type_3", "true", "false"),
    ("type_4", "false", "true"),
         ("type_5", "false", "true")]  # fmt: skip


@pytest.mark.parametrize(("kind", "intrathecal", "systemic"), BANDS)
def test_oligoclonal_bands(interpret, kind, intrathecal, systemic):
    answer = interpret(panel(word("csf_oligoclonal_bands", kind)))
    assert truth(answer, "oligoclonal_bands_intrathecal") == intrathecal
    assert truth(answer, "oligoclonal_bands_systemic") == systemic


# Section 7: what blood adds to every quotient at most (1e-3), blood with 4.5e6 erythrocytes; IgM suffers first.
ADDED = [(500, 0.111), (1000, 0.222), (5000, 1.111), (10000, 2.222), (20000, 4.444)]


@pytest.mark.parametrize(("erythrocytes", "added"), ADDED)
def test_upper_bound_of_what_blood_adds(interpret, erythrocytes, added):
    """A sample whose IgG, IgA, IgM and albumin come from this much blood alone has exactly this quotient."""
    share = erythrocytes / 4.5e6
    sent = [quantity(f"csf_{kind}", share * 1000 * serum, "mg/L") for kind, serum in (("albumin", 40), ("igm", 1))]
    sent += [quantity("serum_albumin", 40, "g/L"), quantity("serum_igm", 1, "g/L")]
    answer = interpret(panel(*sent))
    assert value(answer, "igm_quotient") == pytest.approx(added, abs=5e-4)
    assert value(answer, "albumin_quotient") == pytest.approx(added, abs=5e-4)


def test_igm_limit_at_which_blood_alone_is_too_much(edition):
    """At QAlb 5 the IgM limit is 0.97: 5000 erythrocytes alone pass it, 1000 do not."""
    limit = bare(edition, "igm_limit", 5)
    assert limit == pytest.approx(0.97, abs=5e-3)
    assert dict(ADDED)[1000] < limit < dict(ADDED)[5000]


# Section 7: blood.
BLOOD = [(500, False, False), (501, False, False), (999, False, False), (1000, True, False), (5000, True, False),
         (5001, True, True), (20000, True, True)]  # fmt: skip


@pytest.mark.parametrize(("erythrocytes", "marked", "withheld"), BLOOD)
def test_blood_and_quotients(interpret, erythrocytes, marked, withheld):
    sent = patient("D")
    sent["observations"] += [quantity("csf_erythrocytes", erythrocytes, "/uL"), quantity("csf_protein", 1500, "mg/L")]
    sent["observations"] += [quantity("csf_kappa_flc", 4, "mg/L"), quantity("serum_kappa_flc", 12, "mg/L")]
    answer = interpret(sent)
    judged = ["albumin_quotient", "igg_quotient", "igg_intrathecal_pct", "igm_intrathecal_pct", "kappa_quotient"]
    wanted = (None, "blood_contamination") if withheld else ("H", None)
    assert [flag(answer, name) for name in judged] == [wanted] * len(judged)
    for name in ("barrier_dysfunction", "intrathecal_igg", "intrathecal_igm", "intrathecal_kappa"):
        assert truth(answer, name) == ("unknown" if withheld else "true")
    assert (finding(answer, "barrier_dysfunction")["severity"] is None) is withheld
    assert flag(answer, "csf_protein") == ("H", None)
    assert ("traumatic_puncture_or_hemorrhage" in quality(answer)) is marked


@pytest.mark.parametrize("site", ["ventricular", "cisternal"])
def test_no_verdict_outside_the_lumbar_sac(interpret, site):
    answer = interpret(patient("D", site=site))
    assert flag(answer, "albumin_quotient") == (None, "no_interval_for_site")
    for name in ("barrier_dysfunction", "intrathecal_igg", "intrathecal_iga", "intrathecal_igm"):
        assert truth(answer, name) == "unknown"
    assert "PL08" in rules(answer)


# Section 4, X2 and RU2: contradictory inputs.
@pytest.mark.parametrize("part", ["csf_albumin", "csf_igg"])
def test_fraction_above_protein_is_implausible(interpret, part):
    answer = interpret(panel(quantity("csf_protein", 300, "mg/L"), quantity(part, 301, "mg/L")))
    assert flag(answer, part) == (None, "implausible")
    assert "PL15" in rules(answer)


@pytest.mark.parametrize("part", ["csf_albumin", "csf_igg"])
def test_fraction_equal_to_protein_is_possible(interpret, part):
    answer = interpret(panel(quantity("csf_protein", 300, "mg/L"), quantity(part, 300, "mg/L")))
    assert "PL15" not in rules(answer)
    assert flag(answer, part)[1] != "implausible"
