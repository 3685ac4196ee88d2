"""preanalytics_and_blood.md: corrections of 4.2 and 4.3, erythrocyte levels, times of section 2, tubes, appearance."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.making import (
    COLLECTED,
    critical,
    flag,
    has_result,
    panel,
    quality,
    quantity,
    result,
    rules,
    truth,
    value,
    word,
)


def counts(wbc, rbc, blood_wbc=None, blood_rbc=None):
    sent = [quantity("csf_leukocytes", wbc, "/uL"), quantity("csf_erythrocytes", rbc, "/uL")]
    if blood_wbc is not None:
        sent += [quantity("blood_leukocytes", blood_wbc, "/uL"), quantity("blood_erythrocytes", blood_rbc, "/uL")]
    return sent


def corrected(answer, name):
    return value(answer, name) if has_result(answer, name) else None


# 4.2: WBC csf, RBC csf, WBC blood, RBC blood, TW1, ratio 1000 (tolerance 5e-5); None: withheld.
LEUKOCYTES = [
    (120, 20000, 9000, 4.5e6, None, None), (12, 6000, 9000, 4.5e6, 0, 6), (30, 9000, 12000, 4.0e6, 3, 21),
    (4, 3000, 8000, 5.0e6, 0, 1), (25, 2000, 7000, 5.0e6, 22.2, 23), (10, 10000, 7500, 5.0e6, 0, 0),
]  # fmt: skip


@pytest.mark.parametrize(("wbc", "rbc", "blood_wbc", "blood_rbc", "by_blood", "by_ratio"), LEUKOCYTES)
def test_leukocyte_correction(interpret, wbc, rbc, blood_wbc, blood_rbc, by_blood, by_ratio):
    for sent, expected in ((counts(wbc, rbc, blood_wbc, blood_rbc), by_blood), (counts(wbc, rbc), by_ratio)):
        answer = interpret(panel(*sent))
        found = corrected(answer, "csf_leukocytes_corrected")
        assert found == (None if expected is None else pytest.approx(expected, abs=5e-5))


@pytest.mark.parametrize(("wbc", "rbc", "blood_wbc", "blood_rbc", "by_blood", "by_ratio"), LEUKOCYTES)
def test_corrected_value_has_no_flag_and_changes_none(interpret, wbc, rbc, blood_wbc, blood_rbc, by_blood, by_ratio):
    bare = interpret(panel(quantity("csf_leukocytes", wbc, "/uL")))
    answer = interpret(panel(*counts(wbc, rbc, blood_wbc, blood_rbc)))
    assert flag(answer, "csf_leukocytes") == flag(bare, "csf_leukocytes")
    assert critical(answer) == critical(bare)
    if by_blood is not None:
        assert flag(answer, "csf_leukocytes_corrected") == (None, "info_only")


def test_formula_arithmetic_of_the_withheld_vector(edition):
    """120 - 9000 x 20000 / 4.5e6 = 80; the service withholds it above 10000 erythrocytes (R5)."""
    assert 120 - 9000 * 20000 / 4.5e6 == 80
    ratio = edition.derived_by_id["csf_leukocytes_corrected"].constants["ratio"]
    assert ratio == 1000
    assert 120 - 20000 / ratio == 100
    printed = {500: 80, 700: 91.4286, 877: 97.1950, 400: 70}
    assert {number: round(120 - 20000 / number, 4) for number in printed} == printed


WRONG_RATIOS = (400, 500, 700, 877, 7000)


@pytest.mark.parametrize("ratio", WRONG_RATIOS)
def test_other_ratios_are_not_used(interpret, ratio):
    found = value(interpret(panel(*counts(25, 2000))), "csf_leukocytes_corrected")
    assert found != pytest.approx(max(0, 25 - 2000 / ratio))


# 4.3: protein mg/L, RBC, TP1 (tolerance 1e-9); the TP2 option is 19 mg/L per 1000.
PROTEINS = [
    (950, 20000, 730, 570, True),
    (600, 5000, 545, 505, False),
    (460, 1000, 449, 441, False),
    (520, 2000, 498, 482, False),
]


@pytest.mark.parametrize(("protein", "rbc", "expected", "option", "withheld"), PROTEINS)
def test_protein_correction(interpret, protein, rbc, expected, option, withheld):
    answer = interpret(panel(quantity("csf_protein", protein, "mg/L"), quantity("csf_erythrocytes", rbc, "/uL")))
    found = corrected(answer, "csf_protein_corrected")
    assert found == (None if withheld else pytest.approx(expected, abs=1e-9))
    assert found != option
    assert protein - 11 * rbc / 1000 == expected
    assert protein - 19 * rbc / 1000 == option


def test_measured_high_protein_stays_high(interpret):
    answer = interpret(panel(quantity("csf_protein", 520, "mg/L"), quantity("csf_erythrocytes", 2000, "/uL")))
    assert flag(answer, "csf_protein") == ("H", None)
    assert value(answer, "csf_protein_corrected") == 498
    assert truth(answer, "protein_raised") == "true"


def test_protein_correction_never_below_zero(interpret):
    answer = interpret(panel(quantity("csf_protein", 50, "mg/L"), quantity("csf_erythrocytes", 9000, "/uL")))
    assert value(answer, "csf_protein_corrected") == 0


# 4.4: wrong rules in circulation.
@pytest.mark.parametrize("per_1000", [10.0, 19.0, 1000.0, 10000.0])
def test_wrong_protein_slopes_are_not_used(edition, per_1000):
    assert edition.derived_by_id["csf_protein_corrected"].constants["per_1000"] == 11
    assert edition.derived_by_id["csf_protein_corrected"].constants["per_1000"] != per_1000


# 4.1: levels.
LEVELS = [(0, set()), (1, {"R1"}), (500, {"R1"}), (501, {"R2"}), (999, {"R2"}), (1000, {"R3"}), (5000, {"R3"}),
          (5001, {"R3", "R4"}), (10000, {"R3", "R4"}), (10001, {"R3", "R4", "R5"})]  # fmt: skip


@pytest.mark.parametrize(("count", "levels"), LEVELS)
def test_erythrocyte_level(interpret, count, levels):
    found = rules(interpret(panel(quantity("csf_erythrocytes", count, "/uL"))))
    assert {rule for rule in found if rule.startswith("R")} == levels


@pytest.mark.parametrize(("rbc", "there"), [(999, False), (1000, True), (10000, True), (10001, False)])
def test_corrected_values_stand_between_r3_and_r5(interpret, rbc, there):
    answer = interpret(panel(*counts(25, rbc), quantity("csf_protein", 900, "mg/L")))
    assert has_result(answer, "csf_leukocytes_corrected") is there
    assert has_result(answer, "csf_protein_corrected") is there


def test_bloody_and_not_counted_refuses_the_correction(interpret):
    sent = (
        word("csf_appearance", "bloody"),
        quantity("csf_leukocytes", 25, "/uL"),
        quantity("csf_protein", 900, "mg/L"),
    )
    answer = interpret(panel(*sent))
    assert not has_result(answer, "csf_leukocytes_corrected")
    assert not has_result(answer, "csf_protein_corrected")
    assert "AP1" in rules(answer)


def test_clear_with_ten_thousand_erythrocytes_is_a_contradiction(interpret):
    answer = interpret(panel(word("csf_appearance", "clear"), quantity("csf_erythrocytes", 10001, "/uL")))
    assert "AP2" in rules(answer)
    answer = interpret(panel(word("csf_appearance", "clear"), quantity("csf_erythrocytes", 10000, "/uL")))
    assert "AP2" not in rules(answer)


# Section 2, time vectors: adult.
def at_minutes(interpret, minutes: int, count: float = 3, **specimen):
    analyzed = datetime.fromisoformat(COLLECTED) + timedelta(minutes=minutes)
    sent = quantity("csf_leukocytes", count, "/uL", analyzed_at=analyzed.isoformat())
    return interpret(panel(sent, specimen=specimen))


TIMES = [
    (45, 3, ("N", None), set()), (60, 3, ("N", None), set()), (61, 3, ("N", None), {"PT1"}),
    (120, 3, ("N", None), {"PT1"}), (121, 3, ("N", None), {"PT1", "PT2"}),
    (1440, 3, ("N", None), {"PT1", "PT2"}), (1441, 3, (None, "sample_too_old"), {"PT1", "PT2", "PT3"}),
    (121, 40, ("HH", None), {"PT1", "PT2"}), (1441, 40, ("HH", None), {"PT1", "PT2", "PT3"}),
    (121, 10, ("H", None), {"PT1", "PT2"}), (1441, 10, (None, "sample_too_old"), {"PT1", "PT2", "PT3"}),
]  # fmt: skip


@pytest.mark.parametrize(("minutes", "count", "wanted", "notes"), TIMES)
def test_time_vector(interpret, minutes, count, wanted, notes):
    answer = at_minutes(interpret, minutes, count)
    assert flag(answer, "csf_leukocytes") == wanted
    assert {"PT1", "PT2", "PT3"} & rules(answer) == notes


@pytest.mark.parametrize("minutes", [121, 1440])
def test_a_late_normal_count_is_not_reliable(interpret, minutes):
    answer = at_minutes(interpret, minutes)
    text = " ".join(note["text"] for note in result(answer, "csf_leukocytes")["notes"])
    assert "not reliable" in text
    assert truth(answer, "pleocytosis") == "unknown"


def test_a_late_high_count_stands(interpret):
    answer = at_minutes(interpret, 121, 10)
    assert truth(answer, "pleocytosis") == "true"
    assert critical(at_minutes(interpret, 1441, 40)) == [("csf_leukocytes", "CR-WBC", "critical")]


def test_delay_names_the_minutes(interpret):
    answer = at_minutes(interpret, 75)
    entry = next(one for one in answer["quality"] if one["rule"] == "PT1")
    assert "75" in entry["text"] + " ".join(entry["because"])


@pytest.mark.parametrize(("count", "wanted"), [(3, (None, "sample_too_old")), (40, ("HH", None))])
def test_frozen_sample(interpret, count, wanted):
    answer = at_minutes(interpret, 30, count, condition=["frozen"])
    assert flag(answer, "csf_leukocytes") == wanted
    assert "PT3" in rules(answer)


def test_frozen_differential_is_rejected_chemistry_stays(interpret):
    sent = (
        quantity("csf_neutrophils_pct", 2, "%"),
        quantity("csf_protein", 300, "mg/L"),
        quantity("csf_erythrocytes", 0, "/uL"),
    )
    answer = interpret(panel(*sent, specimen={"condition": ["frozen"]}))
    assert flag(answer, "csf_neutrophils_pct") == (None, "sample_too_old")
    assert flag(answer, "csf_protein") == ("N", None)


@pytest.mark.parametrize(("condition", "softened"), [(["cooled"], True), ([], False)])
def test_cooled_sample_softens_the_note(interpret, condition, softened):
    answer = at_minutes(interpret, 200, condition=condition)
    assert ("PT4" in rules(answer)) is softened


def test_received_time_counts_as_at_least(interpret):
    sent = panel(quantity("csf_leukocytes", 3, "/uL"), specimen={"received_at": "2026-03-01T11:30:00+01:00"})
    answer = interpret(sent)
    assert {"PT1", "PT2"} <= rules(answer)
    entry = next(one for one in answer["quality"] if one["rule"] == "PT1")
    assert "at least" in entry["text"] + " ".join(entry["because"])


def _late(interpret, analyte, number, unit, minutes, condition, by="analyzed_at"):
    """The analyte, measured (or, without a time of its own, received) so many minutes after collection."""
    moment = (datetime.fromisoformat(COLLECTED) + timedelta(minutes=minutes)).isoformat()
    if by == "analyzed_at":
        return interpret(panel(quantity(analyte, number, unit, analyzed_at=moment), specimen={"condition": condition}))
    return interpret(panel(quantity(analyte, number, unit), specimen={"condition": condition, "received_at": moment}))


BY = pytest.mark.parametrize("by", ["analyzed_at", "received_at"])
LACTATE_TIMES = [(180, [], False), (181, [], True), (181, ["cooled"], False), (1441, ["cooled"], True)]


@BY
@pytest.mark.parametrize(("minutes", "condition", "noted"), LACTATE_TIMES)
def test_lactate_delay(interpret, minutes, condition, noted, by):
    answer = _late(interpret, "csf_lactate", 2.0, "mmol/L", minutes, condition, by)
    assert ("PT7" in rules(answer)) is noted
    assert flag(answer, "csf_lactate") == ("N", None)


@BY
@pytest.mark.parametrize(("minutes", "noted"), [(120, False), (121, True)])
def test_glucose_delay(interpret, minutes, noted, by):
    assert ("PT8" in rules(_late(interpret, "csf_glucose", 3.2, "mmol/L", minutes, [], by))) is noted


KAPPA_TIMES = [(1440, [], False), (1441, [], True), (1441, ["cooled"], False), (72 * 60, ["cooled"], False),
               (72 * 60 + 1, ["cooled"], True), (28 * 1440, ["frozen"], False),
               (28 * 1440 + 1, ["frozen"], True)]  # fmt: skip


@BY
@pytest.mark.parametrize(("minutes", "condition", "rejected"), KAPPA_TIMES)
def test_kappa_delay(interpret, minutes, condition, rejected, by):
    answer = _late(interpret, "csf_kappa_flc", 0.5, "mg/L", minutes, condition, by)
    assert (flag(answer, "csf_kappa_flc") == (None, "sample_too_old")) is rejected
    assert ("PT11" in rules(answer)) is rejected


PROTEIN_TIMES = [(1440, [], False), (1441, [], True), (1441, ["cooled"], False), (6 * 1440 + 1, ["cooled"], True)]


@BY
@pytest.mark.parametrize(("minutes", "condition", "noted"), PROTEIN_TIMES)
def test_protein_delay(interpret, minutes, condition, noted, by):
    answer = _late(interpret, "csf_protein", 300, "mg/L", minutes, condition, by)
    assert ("PT9" in rules(answer)) is noted
    assert flag(answer, "csf_protein") == ("N", None)


@BY
@pytest.mark.parametrize(("days", "noted"), [(14, False), (15, True)])
def test_immunoglobulin_delay(interpret, days, noted, by):
    answer = _late(interpret, "csf_igg", 25, "mg/L", days * 1440, [], by)
    assert ("PT10" in rules(answer)) is noted


def received_after(interpret, minutes: int, *observations, site: str = "lumbar", condition: tuple[str, ...] = ()):
    moment = datetime.fromisoformat(COLLECTED) + timedelta(minutes=minutes)
    specimen = {"received_at": moment.isoformat(), "condition": list(condition)}
    return interpret(panel(*observations, site=site, specimen=specimen))


DRAINS = [("ventricular", 60, False), ("ventricular", 61, True), ("lumbar", 61, False)]


@pytest.mark.parametrize(("site", "minutes", "noted"), DRAINS)
def test_drain_delay(interpret, site, minutes, noted):
    """PT5."""
    answer = received_after(interpret, minutes, quantity("csf_leukocytes", 3, "/uL"), site=site)
    assert ("PT5" in rules(answer)) is noted


CULTURES = [
    (120, (), set()), (121, (), {"culture_delayed"}), (60, ("cooled",), {"culture_delayed"}),
    (1440, (), {"culture_delayed"}), (1441, (), {"culture_too_old"}), (1441, ("cooled",), {"culture_too_old"}),
]  # fmt: skip


@pytest.mark.parametrize(("minutes", "condition", "noted"), CULTURES)
def test_culture_delay(interpret, minutes, condition, noted):
    """PT12: the yield is said to be reduced or limited; a positive culture stays critical."""
    answer = received_after(interpret, minutes, word("csf_culture", "positive"), condition=condition)
    assert {"culture_delayed", "culture_too_old"} & quality(answer) == noted
    assert ("PT12" in rules(answer)) is bool(noted)
    assert critical(answer) == [("csf_culture", "CR-ORG", "critical")]


@pytest.mark.parametrize(("minutes", "noted"), [(60, False), (61, True)])
def test_bilirubin_delay(interpret, minutes, noted):
    """PT13: the value stays."""
    answer = received_after(interpret, minutes, quantity("csf_bilirubin_absorbance", 0.02, "1"))
    assert ("PT13" in rules(answer)) is noted
    assert value(answer, "csf_bilirubin_absorbance") == 0.02


def test_every_result_has_its_own_analysis_time(interpret):
    """The count was made at once, the kappa chains two days later: only kappa is too old, and the other way round."""
    soon, late = "2026-03-01T09:50:00+01:00", "2026-03-03T09:50:00+01:00"

    def answer(count_at, kappa_at):
        count = quantity("csf_leukocytes", 3, "/uL", analyzed_at=count_at)
        return interpret(panel(count, quantity("csf_kappa_flc", 0.5, "mg/L", analyzed_at=kappa_at)))

    kappa_late, count_late = answer(soon, late), answer(late, soon)
    assert flag(kappa_late, "csf_leukocytes") == ("N", None)
    assert flag(kappa_late, "csf_kappa_flc") == (None, "sample_too_old")
    assert flag(count_late, "csf_leukocytes") == (None, "sample_too_old")
    assert flag(count_late, "csf_kappa_flc")[1] != "sample_too_old"


# AP4, PV rules.
def test_hemolyzed_sample_rejects_kappa(interpret):
    answer = interpret(panel(quantity("csf_kappa_flc", 0.5, "mg/L"), specimen={"condition": ["hemolyzed"]}))
    assert flag(answer, "csf_kappa_flc")[0] is None
    assert "AP4" in rules(answer)


@pytest.mark.parametrize(
    ("count", "wanted"), [(3, (None, "implausible")), (29, (None, "implausible")), (30, ("HH", None))]
)
def test_clotted_sample(interpret, count, wanted):
    answer = interpret(panel(quantity("csf_leukocytes", count, "/uL"), specimen={"condition": ["clotted"]}))
    assert flag(answer, "csf_leukocytes") == wanted
    assert "AP4" in rules(answer)


@pytest.mark.parametrize(("volume", "noted"), [(9.9, True), (10, False), (12, False)])
def test_volume_below_10_ml(interpret, volume, noted):
    answer = interpret(
        panel(quantity("csf_protein", 300, "mg/L"), specimen={"volume": {"value": volume, "unit": "mL"}})
    )
    assert ("PV1" in rules(answer)) is noted


VOLUMES = [(4.9, {"PV2"}), (5, {"PV3"}), (10, {"PV3"}), (10.1, set())]


@pytest.mark.parametrize(("volume", "noted"), VOLUMES)
def test_cytology_volume_with_an_lm_question(interpret, volume, noted):
    context = {"question": "lm", "csf_cytology_volume_ml": volume, "tumor": "solid"}
    answer = interpret(panel(word("csf_cytology", "negative"), context=context))
    assert {"PV2", "PV3"} & rules(answer) == noted


def test_cytology_volume_without_an_lm_question(interpret):
    context = {"question": "infection", "csf_cytology_volume_ml": 3}
    assert not {"PV2", "PV3"} & rules(interpret(panel(word("csf_cytology", "negative"), context=context)))


@pytest.mark.parametrize(("minutes", "noted"), [(30, False), (31, True)])
def test_cytology_processing_time(interpret, minutes, noted):
    context = {"question": "lm", "collection_to_processing_min": minutes, "tumor": "solid"}
    assert ("PT6" in rules(interpret(panel(word("csf_cytology", "negative"), context=context)))) is noted


def test_highest_tube_leads_and_all_are_shown(interpret):
    sent = [quantity("csf_erythrocytes", 12400, "/uL", tube=1), quantity("csf_erythrocytes", 4200, "/uL", tube=3),
            quantity("csf_leukocytes", 40, "/uL", tube=1), quantity("csf_leukocytes", 14, "/uL", tube=3)]  # fmt: skip
    answer = interpret(panel(*sent))
    found = {(one["analyte"], one["value"]): one["flag"] for one in answer["results"] if one["reported"]}
    assert found[("csf_leukocytes", 14.0)] == "H"
    assert found[("csf_leukocytes", 40.0)] == "HH"  # another tube is not judged, but a critical count is still called
    assert [one["analyte"] for one in answer["critical"]] == ["csf_leukocytes"]
    assert found[("csf_erythrocytes", 4200.0)] == "A"
    assert len(found) == 4


def test_several_tubes_are_mentioned(interpret):
    sent = [quantity("csf_erythrocytes", 12400, "/uL", tube=1), quantity("csf_erythrocytes", 4200, "/uL", tube=3)]
    answer = interpret(panel(*sent))
    notes = [note for one in answer["results"] for note in one["notes"]]
    assert "several_tubes" in quality(answer) or any("tube" in note["text"] for note in notes)


@pytest.mark.parametrize("share", [1.0, 205.0])
def test_a_protein_not_lower_in_csf_than_in_serum_gives_no_verdict(interpret, share):
    """SL27: swapped tubes or units; the pair is shown, withheld and said."""
    sent = [quantity("csf_albumin", 40000 * share, "mg/L"), quantity("serum_albumin", 40, "g/L")]
    answer = interpret(panel(*sent))
    assert "SL27" in rules(answer)
    found = {one["analyte"]: (one["flag"], one["not_judged"]) for one in answer["results"]}
    assert found["albumin_quotient"] == (None, "suppressed")
    assert {one["id"]: one["truth"] for one in answer["findings"]}["barrier_dysfunction"] == "unknown"


def test_a_protein_lower_in_csf_than_in_serum_is_no_swap(interpret):
    sent = [quantity("csf_albumin", 39000, "mg/L"), quantity("serum_albumin", 40, "g/L")]
    assert "SL27" not in rules(interpret(panel(*sent)))
