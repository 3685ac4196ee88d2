"""recommendations.md: the trigger table of section 10 and the rules for all entries."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.making import answered, panel, quantity, word
from tests.random_panels import random_panel
from tests.steps.reading import advice, cautions, sent, spoken

GENE_POSITIVE = {"organism": "Listeria monocytogenes", "organism_class": "bacterial"}
BREAST = {"class": "solid", "primary": "breast"}
ROWS = {
    "solid, negative, small volume": (
        sent(cytology="negative", context={"tumor": "solid", "csf_samples_examined": 1, "csf_cytology_volume_ml": 3,
                                           "mri": "not_done", "clinical_signs": "not_assessed"}),
        {"R-L01", "R-L04", "R-N01", "R-M06"}, set()),
    "solid, suspicious, probable": (
        sent(cytology="suspicious", context={"tumor": "solid", "mri": "linear", "clinical_signs": "typical"}),
        {"R-L02", "R-N04"}, set()),
    "hematologic, normal routine": (
        sent(cytology="negative", leukocytes=2, protein=350, context={"tumor": "hematologic"}),
        {"R-H01", "R-H03"}, set()),
    "unknown tumor, Gram positive": (
        sent(gram="positive", organism=GENE_POSITIVE, context={"tumor": "unknown", "question": "lm"}),
        {"R-I01", "R-M05"}, set()),
    "breast without HER2 statement": (
        sent(cytology="positive", context={"tumor": BREAST}),
        {"R-T01", "R-T02", "R-T06", "R-T11"}, {"R-T07"}),
    "breast, HER2-positive": (
        sent(cytology="positive", context={"tumor": BREAST, "her2_status": "positive"}), {"R-T07"}, set()),
    "albumin without serum": (panel(quantity("csf_albumin", 300, "mg/L")), {"R-M01"}, set()),
    "ctDNA without cells": (
        sent(ctdna="detected", cytology="negative", context={"tumor": "solid", "mri": "normal",
                                                             "clinical_signs": "other"}),
        {"R-N05", "R-L01"}, set()),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_row_of_section_10(interpret, name):
    document, there, absent = ROWS[name]
    found = set(advice(interpret(document)))
    assert there <= found
    assert not absent & found


def test_an_organism_is_printed_first(interpret):
    answer = interpret(ROWS["unknown tumor, Gram positive"][0])
    assert advice(answer)[0] == "R-I01"
    assert answer["recommendations"][0]["priority"] == 1


def test_ctdna_leaves_the_level(interpret):
    assert interpret(ROWS["ctDNA without cells"][0])["lm"]["certainty"] == "lack_of_evidence"
    assert interpret(ROWS["solid, suspicious, probable"][0])["lm"]["certainty"] == "probable"


def test_her2_stands_in_the_team_block_only(interpret):
    answer = interpret(ROWS["breast, HER2-positive"][0])
    assert [(one["audience"], one["context_only"]) for one in answer["recommendations"] if one["rule"] == "R-T07"] == [
        ("treating_team", True)
    ]
    rest = [one for one in answer["recommendations"] if not one["context_only"]]
    assert not re.search("HER2", spoken({**answer, "recommendations": rest, "context": {}}))


# Rules for all entries


@pytest.mark.parametrize(
    ("values", "there", "absent"),
    [
        ({"leukocytes": 2}, "R-L09", {"R-L03", "R-L10"}),  # normal cells: R-L09 silences both
        ({"leukocytes": 20}, "R-L03", {"R-L09", "R-L10"}),  # R-L03 silences R-L10
        ({"protein": 300}, "R-L03", {"R-L09", "R-L10"}),
    ],
)
def test_cytology_is_asked_for_once(interpret, values, there, absent):
    found = advice(interpret(sent(**values, context={"tumor": "solid"})))
    assert there in found
    assert not absent & set(found)


def test_pleocytosis_without_a_tumor_asks_for_cytology(interpret):
    found = advice(interpret(sent(leukocytes=20, context={"tumor": "none"})))
    assert "R-L10" in found
    assert not {"R-L03", "R-L09"} & set(found)


def test_mri_first_is_silent_in_an_emergency(interpret):
    """Section 9: R-N01 is silent when R-I02 is active."""
    context = {"tumor": "solid", "mri": "not_done"}
    emergency = {"leukocytes": 2400, "neutrophils": 92, "ratio": 0.2, "lactate": 8.0, "protein": 3200}
    found = advice(interpret(sent(**emergency, context=context)))
    assert "R-I02" in found
    assert "R-N01" not in found
    assert "R-N01" in advice(interpret(sent(leukocytes=2, context=context)))


def test_the_alarm_value_is_silent_beside_the_emergency(interpret):
    """R-I03: "B6 alarm value without R-I02"."""
    emergency = advice(interpret(sent(leukocytes=2400, neutrophils=92, ratio=0.2, lactate=8.0, protein=3200)))
    assert "R-I02" in emergency
    assert "R-I03" not in emergency
    alarm = advice(interpret(sent(lactate=4.2, leukocytes=3)))
    assert "R-I03" in alarm
    assert "R-I02" not in alarm


def test_pachymeningeal_and_traumatic_rules_do_not_meet_hemorrhage(interpret):
    """R-B03 needs H2 not true and a question other than sah."""
    bloody = {"erythrocytes": 5000}
    assert "R-B03" in advice(interpret(sent(**bloody)))
    assert "R-B03" not in advice(interpret(sent(**bloody, context={"question": "sah"})))
    assert "R-B03" not in advice(interpret(sent(**bloody, appearance="xanthochromic")))


PRIORITIES = {
    "R-I01": 1, "R-I02": 1, "R-B01": 1, "R-I03": 2, "R-I04": 2, "R-I05": 2, "R-I06": 2, "R-I08": 2, "R-B02": 2,
    "R-H09": 2, "R-H10": 2, "R-I07": 3, "R-I09": 3, "R-I10": 3, "R-L01": 3, "R-L02": 3, "R-L03": 3, "R-L04": 3,
    "R-L06": 3, "R-L07": 3, "R-L09": 3, "R-L11": 3, "R-L12": 3, "R-N01": 3, "R-N02": 3, "R-N05": 3, "R-N09": 3,
    "R-H01": 3, "R-H02": 3, "R-H03": 3, "R-H04": 3, "R-H05": 3, "R-H08": 3, "R-M01": 3, "R-M03": 3, "R-M04": 3,
    "R-M05": 3, "R-M06": 3, "R-M08": 3, "R-M09": 3, "R-M10": 3, "R-M11": 3, "R-B04": 3,
    "R-S02": 3, "R-S04": 3, "R-S06": 3,
    "R-L05": 4, "R-L08": 4, "R-L10": 4, "R-N03": 4, "R-N04": 4, "R-N06": 4, "R-N08": 4, "R-H06": 4, "R-H07": 4,
    "R-M02": 4, "R-M07": 4, "R-B03": 4, "R-S01": 4, "R-S03": 4, "R-S05": 4, "R-I11": 5, "R-I12": 5,
}  # fmt: skip
BOTH, LAB = ("laboratory", "treating_team"), ("laboratory",)
LABORATORY = {"R-I01", "R-L04", "R-L05", "R-L06", "R-N06", "R-N08", "R-H02", "R-H06", "R-H08", "R-H09", "R-H10",
              "R-M01", "R-M02", "R-M03", "R-M04", "R-M08", "R-M09", "R-M10", "R-M11", "R-B02"}  # fmt: skip
TO_BOTH = {"R-I04", "R-L09", "R-H01"}


def test_priority_and_audience_are_those_of_the_tables(edition):
    for entry in edition.recommendations:
        if entry.rule.startswith("R-T") or entry.rule == "R-LB1":
            assert (entry.priority, entry.context_only, entry.audiences) == (5, True, ("treating_team",)), entry.id
            continue
        assert entry.priority == PRIORITIES[entry.rule], entry.id
        expected = BOTH if entry.rule in TO_BOTH else LAB if entry.rule in LABORATORY else ("treating_team",)
        assert set(entry.audiences) == set(expected), entry.id
        assert entry.context_only is (entry.priority == 5), entry.id


READABLE = """R-I01 critical_organism; R-I02 bacterial_emergency; R-I03 bacterial_alarm_value
R-I04 add_gram_and_culture
R-I05 herpes_pcr; R-I06 tuberculosis_tests; R-I07 cryptococcal_antigen; R-I08 three_way_differential
R-I09 infection_and_lm; R-I10 antibiotics_before_puncture; R-I11 context_empirical_antibacterial
R-I12 context_antiviral; R-L01 repeat_lumbar_puncture; R-L02 repeat_after_equivocal_cytology; R-L03 cytology_missing
R-L04 cytology_volume_low; R-L05 cytology_volume_note; R-L06 processing_delay; R-L07 after_second_negative
R-L08 sampling_site; R-L09 add_cytology_normal_cells; R-L10 add_cytology; R-L11 isolated_hydrocephalus
R-L12 puncture_safety; R-N01 mri_brain_and_spine; R-N02 complete_neuraxis_mri; R-N03 repeat_mri_equivocal
R-N04 consider_liquid_biopsy; R-N05 liquid_biopsy_without_cytology; R-N06 ctdna_failed; R-N08 serum_marker_pair
R-N09 search_primary; R-H01 flow_and_cytology; R-H02 add_cytology_to_flow; R-H03 normal_routine_hematologic
R-H04 repeat_flow_and_cytology; R-H05 steroid_before_puncture; R-H06 lymphoid_flow_not_indicated
R-H07 lymphoma_markers; R-H08 cns_status_missing_inputs; R-H09 new_cns_involvement_call; R-H10 first_tumor_cells_call
R-M01 serum_pair_missing; R-M02 serum_glucose_missing; R-M03 pair_not_matched; R-M04 repeat_diluted; R-M05 state_tumor
R-M06 state_clinical_signs; R-M07 site_unknown; R-M08 differential_missing; R-M09 unit_problem
R-M10 erythrocytes_missing; R-M11 old_sample
R-B01 sah_not_ruled_out; R-B02 spectrophotometry; R-B03 traumatic_puncture; R-B04 blood_in_leukemia
R-S01 ms_type_response; R-S02 sarcoidosis_tests; R-S03 autoimmune_tests; R-S04 drug_related_meningitis
R-S05 early_gbs; R-S06 borrelia_tests; R-T01 multidisciplinary; R-T02 cns_active_systemic
R-T03 intrathecal_conditions; R-T04 nodular_or_flow_block; R-T05 ventricular_access; R-T06 proton_craniospinal
R-T07 her2_breast; R-T08 driver_alteration; R-T09 focal_radiotherapy; R-T10 csf_diversion; R-T11 supportive_care
R-T13 response_assessment; R-T14 trial"""


def test_every_rule_has_its_readable_id(edition):
    """All but R-N07, R-S07 and R-T12, whose trigger no input carries."""
    named = dict(reversed(pair.split()) for pair in re.split(r"[;\n]", READABLE))
    found = {entry.id: entry.rule for entry in edition.recommendations}
    assert {name: found.get(name) for name in named} == named


@pytest.fixture(scope="module")
def many(core):
    """Documents of 80 random panels."""
    return answered(core, [random_panel(seed) for seed in range(3000, 3080)])


def test_sorted_by_priority_and_once_per_audience(many):
    for answer in many:
        priorities = [one["priority"] for one in answer["recommendations"]]
        assert priorities == sorted(priorities)
        counted = Counter((one["id"], one["audience"]) for one in answer["recommendations"])
        assert not counted or max(counted.values()) == 1


def test_at_most_six_non_critical_entries_stand_in_front(many):
    folded_somewhere = 0
    for answer in many:
        shown = [one for one in answer["recommendations"] if not one["context_only"]]
        names = list(dict.fromkeys(one["id"] for one in shown if one["priority"] > 1))
        open_ = {one["id"] for one in shown if one["priority"] > 1 and not one["folded"]}
        assert open_ == set(names[:6])
        assert not any(one["folded"] for one in shown if one["priority"] == 1)
        folded_somewhere += len(names) > 6
    assert folded_somewhere > 10


def test_every_entry_says_why_with_source_and_status(many):
    for answer in many:
        known = {one["id"] for one in answer["citations"]}
        for one in answer["recommendations"]:
            assert one["because"], one["id"]
            assert set(one["citations"]) <= known
            assert one["status"] in ("primary", "secondary", "recalled", "derived", "ours")
            assert not re.search(r"\{[a-z_]+\}", one["text"]), one["text"]


def test_advice_is_not_given_twice_by_another_entry(many):
    for answer in many:
        found = set(advice(answer))
        assert not ("R-L10" in found and found & {"R-L03", "R-L09"})
        assert not {"R-L03", "R-L09"} <= found
        assert not {"R-I02", "R-I03"} <= found
        assert ("PC01" in cautions(answer)) is ("R-I08" in found)


def test_a_missing_input_triggers_nothing(interpret):
    """Only entries that ask for the missing itself may stand beside one plain value."""
    asks = {"R-I04", "R-I05", "R-L03", "R-L09", "R-L10", "R-M02", "R-M05", "R-M06", "R-M07", "R-M08"}
    for values in ({"protein": 300}, {"leukocytes": 2}, {"lactate": 1.5}, {"kappa_index": 2}):
        assert set(advice(interpret(sent(**values)))) <= asks


def test_a_volume_between_5_and_10_ml_is_only_noted(interpret):
    for volume, expected in ((4.9, "R-L04"), (5, "R-L05"), (10, "R-L05"), (10.1, None)):
        found = advice(interpret(sent(cytology="negative", context={"csf_cytology_volume_ml": volume})))
        assert {"R-L04", "R-L05"} & set(found) == ({expected} if expected else set())


def test_first_tumor_cells_are_called(interpret):
    """R-H09, R-H10; SL42."""
    for tumor, expected in (("hematologic", "R-H09"), ("solid", "R-H10"), ("none", "R-H10"), ("unknown", "R-H10")):
        found = advice(interpret(panel(word("csf_cytology", "positive"), context={"tumor": tumor})))
        assert {"R-H09", "R-H10"} & set(found) == {expected}
