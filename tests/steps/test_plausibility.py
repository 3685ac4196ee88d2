"""Plausibility rules of patterns.md section 2 with rulings RU2 to RU5: what holds, what is withheld,
where the edge lies."""

from __future__ import annotations

import pytest

from tests.making import albumin_pair, flag, has_result, panel, quantity, rules, truth, word

PREDOMINANCE = ("neutrophils_predominate", "lymphocytes_predominate")


def differential(neutrophils=None, lymphocytes=None, monocytes=None, eosinophils=None):
    sent = {"neutrophils": neutrophils, "lymphocytes": lymphocytes, "monocytes": monocytes, "eosinophils": eosinophils}
    return [quantity(f"csf_{name}_pct", share, "%") for name, share in sent.items() if share is not None]


# PL12: sum above 105, or all of neutrophils, lymphocytes and monocytes sent and the sum of all classes below 95.
SUMS = [
    ((60, 30, 10), False), ((60, 35, 10), False), ((60, 36, 10), True), ((60, 25, 10), False), ((60, 24, 10), True),
    ((45, 30, 10), True), ((45, 30, None), False), ((60, None, None), False), ((70, 40, None), True),
    ((60, 20, 10, 5), False), ((60, 20, 10, 4), True),
]  # fmt: skip


@pytest.mark.parametrize(("shares", "holds"), SUMS)
def test_pl12_sum_of_the_differential(interpret, shares, holds):
    answer = interpret(panel(quantity("csf_leukocytes", 20, "/uL"), *differential(*shares)))
    assert ("PL12" in rules(answer)) is holds
    if holds:
        assert [truth(answer, name) for name in PREDOMINANCE] == ["unknown", "unknown"]


@pytest.mark.parametrize(("share", "wanted"), [(50, "false"), (51, "true"), (50.1, "true")])
@pytest.mark.parametrize("kind", ["neutrophils", "lymphocytes"])
def test_predominance_is_more_than_half(interpret, kind, share, wanted):
    answer = interpret(panel(quantity("csf_leukocytes", 20, "/uL"), *differential(**{kind: share})))
    assert truth(answer, f"{kind}_predominate") == wanted


@pytest.mark.parametrize(("nucleated", "holds"), [(19, True), (20, False), (21, False)])
def test_pl14_leukocytes_above_nucleated_cells(interpret, nucleated, holds):
    sent = (quantity("csf_leukocytes", 20, "/uL"), quantity("csf_nucleated_cells", nucleated, "/uL"))
    assert ("PL14" in rules(interpret(panel(*sent)))) is holds


GLUCOSES = [("5.0", "5.0", False), ("5.1", "5.0", True), ("3.0", "5.0", False)]


@pytest.mark.parametrize(("csf", "serum", "holds"), GLUCOSES)
def test_pl16_glucose_above_serum(interpret, csf, serum, holds):
    answer = interpret(panel(quantity("csf_glucose", csf, "mmol/L"), quantity("serum_glucose", serum, "mmol/L")))
    assert ("PL16" in rules(answer)) is holds
    assert (flag(answer, "glucose_ratio") == (None, "pair_not_matched")) is holds


def test_pl16_serum_of_another_day_falls_back_to_csf_glucose(interpret):
    serum = quantity("serum_glucose", 5, "mmol/L", collected_at="2026-02-28T08:00:00+01:00")
    answer = interpret(panel(quantity("csf_glucose", 1.8, "mmol/L"), serum))
    assert "PL16" in rules(answer)
    assert flag(answer, "glucose_ratio") == (None, "pair_not_matched")
    assert truth(answer, "glucose_low") == "true"  # by csf_glucose alone


def test_glucose_low_prefers_the_ratio(interpret):
    """3.9 mmol/L is high for CSF alone, and low for a serum glucose of 14."""
    answer = interpret(panel(quantity("csf_glucose", 3.9, "mmol/L"), quantity("serum_glucose", 14, "mmol/L")))
    assert flag(answer, "csf_glucose") == ("H", None)
    assert flag(answer, "glucose_ratio") == ("L", None)
    assert (truth(answer, "glucose_low"), truth(answer, "glucose_high")) == ("true", "false")


# PL02 (RU4): all classes measured, none above its limit; equal values do not break the order. Quotients at QAlb 5.
ORDERS = [
    ((2.5, 1.0, 0.5), False), ((1.5, 2.0, 0.5), True), ((2.5, 0.5, 0.9), True), ((1.5, 1.5, 0.5), False),
    ((2.5, 0.7, 0.7), False), ((4.0, 2.0, 0.5), False),
]  # fmt: skip


@pytest.mark.parametrize(("quotients", "broken"), ORDERS)
def test_pl02_order_of_quotients(interpret, quotients, broken):
    sent = [*albumin_pair(5)]
    for kind, quotient in zip(("igg", "iga", "igm"), quotients, strict=True):
        sent += [quantity(f"csf_{kind}", round(quotient * 2, 9), "mg/L"), quantity(f"serum_{kind}", 2, "g/L")]
    assert ("PL02" in rules(interpret(panel(*sent)))) is broken


def test_pl02_needs_all_classes(interpret):
    sent = [*albumin_pair(5), quantity("csf_igg", 3, "mg/L"), quantity("serum_igg", 2, "g/L"),
            quantity("csf_iga", 4, "mg/L"), quantity("serum_iga", 2, "g/L")]  # fmt: skip
    assert "PL02" not in rules(interpret(panel(*sent)))


@pytest.mark.parametrize("yes", [True, False, None])
def test_pl04_pl05_infusion_or_plasma_exchange(interpret, yes):
    sent = [*albumin_pair(5), quantity("csf_igg", 80, "mg/L"), quantity("serum_igg", 10, "g/L")]
    answer = interpret(panel(*sent, context={"recent_ivig_or_plasmapheresis": yes}))
    assert bool({"PL04", "PL05"} & rules(answer)) is (yes is True)
    assert truth(answer, "intrathecal_igg") == ("unknown" if yes else "true")


@pytest.mark.parametrize("yes", [True, False, None])
def test_pl19_antibiotics_before_puncture(interpret, yes):
    answer = interpret(panel(word("csf_culture", "negative"), context={"antibiotics_before_lp": yes}))
    assert ("PL19" in rules(answer)) is (yes is True)


def test_pl20_steroid_before_puncture(interpret):
    context = {"steroid_before_lp": True, "tumor": "hematologic"}
    assert "PL20" in rules(interpret(panel(word("csf_cytology", "negative"), context=context)))


def test_pl22_tens_of_grams_are_judged_and_questioned(interpret):
    answer = interpret(panel(quantity("csf_protein", "45", "g/L")))
    assert flag(answer, "csf_protein") == ("H", None)
    assert "PL22" in rules(answer)


def test_pl09_index_and_limit_disagree(interpret):
    """QAlb 3: the limit allows 1.9017 / 3 = 0.634; an index of 0.67 is normal by the index and above the limit."""
    sent = [*albumin_pair(3), quantity("csf_igg", 20.1, "mg/L"), quantity("serum_igg", 10, "g/L")]
    answer = interpret(panel(*sent))
    assert flag(answer, "igg_index") == ("N", None)
    assert flag(answer, "igg_quotient") == ("H", None)
    assert "PL09" in rules(answer)
    assert truth(answer, "igg_index_limit_conflict") == "true"
    assert truth(answer, "intrathecal_igg") == "true"


@pytest.mark.parametrize("rule", ["PL03", "PL08", "PL16"])
def test_no_rule_without_its_cause(interpret, rule):
    pair = (quantity("csf_glucose", 3, "mmol/L"), quantity("serum_glucose", 5, "mmol/L"))
    answer = interpret(panel(quantity("csf_leukocytes", 3, "/uL"), *pair, *albumin_pair(5)))
    assert rule not in rules(answer)
    assert has_result(answer, "albumin_quotient")
