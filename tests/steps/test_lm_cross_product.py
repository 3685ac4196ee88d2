"""EANO-ESMO: 2,520 combinations of lm_evidence.md through the whole core, counts, spot vectors, hematologic path."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest

from csfinterp.formats import panel_json
from tests.making import answered, critical, panel, quantity, word
from tests.steps.lm_table import COMBINATIONS, LETTER, LEVELS, Combination, compact, completions, expected

CERTAINTIES = {
    "confirmed": (672, 224), "probable": (30, 12), "possible": (126, 72), "lack_of_evidence": (36, 0),
    "not_classifiable": (368, 0), "not_applicable": (1288, 112),
}  # fmt: skip
COMPACT_ROWS = {"K1": 1008, "K2": 672, "K3": 280, "K4": 30, "K5": 126, "K6": 36, None: 368}
EXPANDED_ROWS = {
    "R01": 504, "R02": 504, "R03": 224, "R04a": 224, "R04b": 224, "R05": 280, "R06": 280, "R07": 16, "R08": 18,
    "R09": 12, "R10": 36, "R11": 24, "R12": 30, "R13": 18, "R14": 12, "R15": 12, "R16": 24, "R17": 24, "R18": 30,
    "R19": 6, "R20": 18,
}  # fmt: skip
COMPACT_LEVEL = {"K1": "not_applicable", "K2": "confirmed", "K3": "not_applicable", "K4": "probable", "K5": "possible",
                 "K6": "lack_of_evidence", None: "not_classifiable"}  # fmt: skip


def document(one: Combination, *more: dict) -> dict:
    """The combination as a panel; one plain protein result keeps it a CSF panel when no cytology was sent."""
    cytology = [word("csf_cytology", one.cytology)] if one.cytology else []
    context = {"tumor": one.tumor, "biopsy": one.biopsy, "mri": one.mri, "clinical_signs": one.signs}
    return panel(quantity("csf_protein", 300, "mg/L"), *cytology, *more, context=context)


def answers(core, documents: list[dict]) -> list[dict]:
    return [answer["lm"] for answer in answered(core, documents)]


@pytest.fixture(scope="module")
def verdicts(core) -> dict[Combination, dict]:
    """The core's answer to every combination, in one stacked run."""
    return dict(zip(COMBINATIONS, answers(core, [document(one) for one in COMBINATIONS]), strict=True))


# The table itself, before anything is compared with it.
def test_there_are_2520_combinations():
    assert len(COMBINATIONS) == len(set(COMBINATIONS)) == 2520


def test_the_written_table_has_the_printed_counts():
    found = [expected(one) for one in COMBINATIONS]
    assert Counter(one.row for one in found) == EXPANDED_ROWS
    assert {
        level: (
            sum(one.certainty == level for one in found),
            sum(one.certainty == level and one.provisional for one in found),
        )
        for level in CERTAINTIES
    } == CERTAINTIES


def test_the_compact_form_has_the_printed_counts_and_agrees_with_the_table():
    found = {one: compact(one) for one in COMBINATIONS}
    assert Counter(one.row for one in found.values()) == COMPACT_ROWS
    assert all(
        (COMPACT_LEVEL[verdict.row], verdict.provisional) == (expected(one).certainty, expected(one).provisional)
        for one, verdict in found.items()
    )


def test_both_forms_say_the_same_would_settle():
    """But for R03 with no MRI, where 4.1 also names `mri` "for the letter" and 4.0, which is normative,
    names nothing."""
    found = [one for one in COMBINATIONS if compact(one).would_settle != _settled(one)]
    assert found
    assert {(expected(one).row, one.mri) for one in found} == {("R03", "not_done")}


def _settled(one: Combination) -> frozenset[str]:
    """Column 'would settle' of 4.1; R06 asks for the tumor and whatever the solid case lacks."""
    more = expected(one._replace(tumor="solid")).would_settle if expected(one).row == "R06" else frozenset()
    return expected(one).would_settle | more


# The core against the table.
def differences(verdicts, read, wanted) -> list[tuple]:
    return [(one, read(found), wanted(one)) for one, found in verdicts.items() if read(found) != wanted(one)][:5]


def test_certainty_type_provisional_and_row_of_every_combination(verdicts):
    def read(found):
        return (found["certainty"], found["type"], found["provisional"], found["row"])

    def wanted(one):
        verdict = expected(one)
        return (verdict.certainty, verdict.type, verdict.provisional, verdict.row)

    assert differences(verdicts, read, wanted) == []


@pytest.mark.parametrize("field", ["type_open", "review", "reason"])
def test_further_fields_of_every_combination(verdicts, field):
    assert differences(verdicts, lambda found: found[field], lambda one: getattr(expected(one), field)) == []


def test_would_settle_of_every_combination(verdicts):
    def read(found):
        return frozenset(found["would_settle"])

    assert differences(verdicts, read, lambda one: compact(one).would_settle) == []


def test_missing_names_every_input_that_is_not_known(verdicts):
    def wanted(one):
        return {
            name
            for name, missing in (
                ("tumor", one.tumor == "unknown"), ("csf_cytology", one.cytology in ("nondiagnostic", None)),
                ("mri", one.mri == "not_done"), ("clinical_signs", one.signs == "not_assessed"),
            )
            if missing
        }  # fmt: skip

    some = {one: found for one, found in verdicts.items() if one.tumor in ("solid", "unknown")}
    assert differences(some, lambda found: set(found["missing"]), wanted) == []


def test_counts_of_levels(verdicts):
    found = list(verdicts.values())
    assert {
        level: (
            sum(one["certainty"] == level for one in found),
            sum(one["certainty"] == level and one["provisional"] for one in found),
        )
        for level in CERTAINTIES
    } == CERTAINTIES


def test_counts_of_expanded_rows(verdicts):
    assert Counter(found["row"] for found in verdicts.values()) == EXPANDED_ROWS


def test_counts_of_compact_rows(core, verdicts):
    table = core.evidence["eano_esmo"]
    outcomes = core.outcomes([panel_json.read_document(document(one)) for one in COMBINATIONS])
    won = [table.verdict(int(number)).row for number in outcomes.evidence["eano_esmo"]]
    # The edition writes K1 as K1a and K1b, one for each reason.
    names = [row.id[:2] if row else None for row in won]
    assert Counter(names) == COMPACT_ROWS
    assert names == [compact(one).row for one in COMBINATIONS]


def test_entity_caution_stands_with_no_known_tumor_only(verdicts):
    def read(found):
        return "entity" in {caution["id"] for caution in found["cautions"]}

    assert differences(verdicts, read, lambda one: expected(one).row == "R04b") == []


def test_if_solid_is_the_answer_for_a_solid_tumor(verdicts):
    def wanted(one):
        if expected(one).row != "R06":
            return None
        solid = expected(one._replace(tumor="solid"))
        return {"certainty": solid.certainty, "type": solid.type, "provisional": solid.provisional, "row": solid.row}

    assert differences(verdicts, lambda found: found["if_solid"], wanted) == []


def test_bounds_are_the_range_over_all_completions(verdicts):
    def wanted(one):
        if one.tumor != "solid":
            return None
        levels = [LEVELS.index(expected(other).certainty) for other in completions(one)]
        return {"lowest": LEVELS[min(levels)], "highest": LEVELS[max(levels)]}

    assert differences(verdicts, lambda found: found["bounds"], wanted) == []


def test_minimum_over_completions(verdicts):
    """Every level of the ordered four for a solid tumor is the lowest that holds whatever the missing inputs are."""
    checked = 0
    for one, found in verdicts.items():
        if one.tumor == "solid" and found["certainty"] in LEVELS:
            lowest = min(LEVELS.index(verdicts[other]["certainty"]) for other in completions(one))
            assert found["certainty"] == LEVELS[lowest], one
            checked += 1
    assert checked == 224 + 30 + 126 + 36


def test_stacked_and_alone_are_the_same(core, verdicts):
    every_ninth = list(verdicts)[::9]
    assert [answers(core, [document(one)])[0] for one in every_ninth] == [verdicts[one] for one in every_ninth]


def test_not_sent_reads_like_the_word_for_not_known(core):
    words = {"biopsy": "not_done", "mri": "not_done", "clinical_signs": "not_assessed", "tumor": "unknown"}
    sent = answers(core, [panel(word("csf_cytology", "negative"), context=words)])
    absent = answers(core, [panel(word("csf_cytology", "negative"))])
    assert sent == absent


EXTRAS = [
    *([word("csf_ctdna", state)] for state in ("detected", "not_detected", "failed")),
    *([word("plasma_ctdna", state)] for state in ("detected", "not_detected", "failed")),
    *([word("csf_flow_cytometry", state)] for state in ("positive", "indeterminate", "negative")),
    [quantity("csf_ctc", 0, "/mL")], [quantity("csf_ctc", 500, "/mL")],
    [quantity("csf_cea", 400, "ng/mL"), quantity("serum_cea", 2, "ng/mL")],
    [quantity("csf_glucose", 1.0, "mmol/L"), quantity("csf_lactate", 9, "mmol/L"), quantity("csf_leukocytes", 900,
    "/uL")],
    [quantity("csf_glucose", 9.0, "mmol/L"), quantity("csf_lactate", 1.5, "mmol/L"), quantity("csf_leukocytes", 0,
    "/uL")],
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(EXTRAS)))
def test_liquid_biopsy_flow_markers_and_chemistry_change_nothing(core, verdicts, number):
    """Section 4.3, IN7, SL03: one extra over every 14th combination here (the starts differ),
    all of them together below."""
    some = list(COMBINATIONS)[number :: len(EXTRAS)]
    found = answers(core, [document(one, *EXTRAS[number]) for one in some])
    assert [one for one, answer in zip(some, found, strict=True) if answer != verdicts[one]] == []


def test_all_extras_together_change_nothing_in_2520_combinations(core, verdicts):
    extra = [EXTRAS[0][0], EXTRAS[3][0], EXTRAS[6][0], *EXTRAS[10], *EXTRAS[11], *EXTRAS[12]]
    panels = [panel_json.read_document(document(one, *extra)) for one in COMBINATIONS]
    table, outcomes = core.evidence["eano_esmo"], core.outcomes(panels)
    found = [table.verdict(int(number)) for number in outcomes.evidence["eano_esmo"]]
    assert [(one.answer, one.type, one.provisional) for one in found] == [
        (expected(one).certainty, expected(one).type, expected(one).provisional) for one in COMBINATIONS
    ]
    some = COMBINATIONS[::20]
    assert answers(core, [document(one, *extra) for one in some]) == [verdicts[one] for one in some]


# 4.4: spot vectors.
SPOTS = [
    (("solid", "not_done", "positive", "normal", "none"), {"certainty": "confirmed", "type": "ID",
    "provisional": False}),
    (("solid", "not_done", "positive", "not_done", "typical"), {"certainty": "confirmed", "type": "I",
    "type_open": True}),
    (("solid", "positive", "negative", "nodular", "other"), {"certainty": "confirmed", "type": "IB"}),
    (("solid", "not_done", "suspicious", "linear", "typical"), {"certainty": "probable", "type": "IIA",
    "provisional": False}),
    (("solid", "not_done", "atypical", "normal", "none"), {"certainty": "lack_of_evidence", "type": None,
    "review": True}),
    (("solid", "not_done", "negative", "linear_nodular", "other"), {"certainty": "possible", "type": "IIC"}),
    (("solid", "negative", "negative", "equivocal", "typical"), {"certainty": "possible", "type": "IID"}),
    (("solid", "not_done", "nondiagnostic", "linear", "typical"),
     {"certainty": "probable", "type": "IIA", "provisional": True, "would_settle": ["csf_cytology"]}),
    (("solid", "not_done", "negative", "not_done", "typical"),
     {"certainty": "possible", "type": None, "provisional": True, "would_settle": ["mri"]}),
    (("solid", "not_done", "negative", "normal", "not_assessed"),
     {"certainty": "not_classifiable", "type": None, "would_settle": ["clinical_signs"]}),
    (("unknown", "not_done", "positive", "linear", "typical"),
     {"certainty": "confirmed", "type": "IA", "provisional": True, "would_settle": ["tumor"]}),
    (("unknown", "not_done", "negative", "linear", "typical"),
     {"certainty": "not_classifiable", "type": None,
      "if_solid": {"certainty": "probable", "type": "IIA", "provisional": False, "row": "R08"}}),
    (("none", "not_done", "positive", "linear", "typical"), {"certainty": "confirmed", "type": "IA",
    "provisional": False}),
    (("none", "not_done", "negative", "linear", "typical"),
     {"certainty": "not_applicable", "reason": "no_known_cancer", "provisional": False}),
    (("none", "not_done", None, "linear", "typical"),
     {"certainty": "not_applicable", "provisional": True, "would_settle": ["csf_cytology"]}),
    (("solid", "not_done", None, "not_done", "typical"),
     {"certainty": "not_classifiable", "would_settle": ["csf_cytology", "mri"]}),
    (("hematologic", "not_done", "positive", "linear", "typical"), {"certainty": "not_applicable",
    "reason": "hematologic"}),
]  # fmt: skip


@pytest.mark.parametrize(("words", "wanted"), SPOTS)
def test_spot_vector(verdicts, words, wanted):
    found = verdicts[Combination(*words)]
    assert {name: found[name] for name in wanted} == wanted


def test_spot_vector_atypical_asks_for_another_puncture(interpret):
    answer = interpret(document(Combination("solid", "not_done", "atypical", "normal", "none")))
    assert "repeat_after_equivocal_cytology" in {one["id"] for one in answer["recommendations"]}


# scores.md S1, the first three rows: what the score calls confirmed, and the level that the grid gives beside it.
BESIDE = [
    (("solid", "not_done", "negative", "linear", "typical"), 2, "diagnostic", 7, "probable"),
    (("solid", "not_done", "suspicious", "normal", "typical"), 2, "normal", 6, "possible"),
    (("solid", "not_done", "negative", "linear", "none"), 0, "diagnostic", 5, "possible"),
]


@pytest.mark.parametrize(("words", "clinical", "imaging", "total", "certainty"), BESIDE)
def test_pan_confirmed_stands_beside_a_lower_level(interpret, words, clinical, imaging, total, certainty):
    sent = document(Combination(*words))
    sent["context"] |= {"question": "lm", "pan_clinical": clinical, "pan_mri": imaging, "pan_biochemistry": 0}
    answer = interpret(sent)
    found = next(one for one in answer["scores"] if one["id"] == "pan2018")
    assert (found["value"], found["class"]) == (total, "LM confirmed (Pan 2018)")
    assert answer["lm"]["certainty"] == certainty


def test_spot_vector_hematologic_path_with_its_call(interpret):
    answer = interpret(document(Combination("hematologic", "not_done", "positive", "linear", "typical")))
    assert (answer["hematologic_cns"]["status"], answer["hematologic_cns"]["row"]) == ("shown_by_cytology", "H1")
    assert critical(answer) == [("csf_cytology", "CR-CELL", "urgent")]


# IN4: equivocal and hydrocephalus are the letter D; a published cohort: ID is confirmed, 45 of 189 (section 3).
@pytest.mark.parametrize("mri", LETTER)
def test_letter_of_the_mri(verdicts, mri):
    found = verdicts[Combination("solid", "not_done", "positive", mri, "none")]
    assert found["type"] == f"I{LETTER[mri]}"


def test_result_names_guideline_and_status(verdicts):
    statuses = {"primary", "secondary", "recalled", "derived", "ours"}
    assert all(found["guideline"] == "EANO-ESMO 2023" for found in verdicts.values())
    assert all(found["citations"] and found["status"] in statuses for found in verdicts.values())
    assert {found["row"]: found["status"] for found in verdicts.values()}["R03"] == "primary"
    assert {found["row"]: found["status"] for found in verdicts.values()}["R07"] == "ours"


# Section 15: the hematologic path; first row that holds wins.
FLOWS = ("positive", "indeterminate", "negative", None)
HEMATOLOGIC = {
    **{("positive", flow): "H1" for flow in FLOWS},
    **{(cytology, "positive"): "H2" for cytology in ("suspicious", "atypical", "negative", "nondiagnostic", None)},
    **{(cytology, flow): "H3" for cytology in ("suspicious", "atypical") for flow in ("indeterminate", "negative",
    None)},
    ("negative", "indeterminate"): "H4", ("negative", "negative"): "H5",
    **{(cytology, None): "H6" for cytology in ("negative", "nondiagnostic", None)},
    **{(cytology, flow): "H7" for cytology in ("nondiagnostic", None) for flow in ("negative", "indeterminate")},
}  # fmt: skip
STATES = {"H1": "shown_by_cytology", "H2": "shown_by_flow_only", "H3": "undecided", "H4": "undecided",
    "H5": "not_found",
          "H6": "incomplete", "H7": "incomplete"}  # fmt: skip


def test_the_hematologic_table_is_whole():
    assert len(HEMATOLOGIC) == 6 * 4


@pytest.mark.parametrize(("cytology", "flow"), HEMATOLOGIC, ids=str)
def test_hematologic_path(interpret, cytology, flow):
    sent = [quantity("csf_protein", 300, "mg/L")]
    sent += [word("csf_cytology", cytology)] if cytology else []
    sent += [word("csf_flow_cytometry", flow)] if flow else []
    answer = interpret(panel(*sent, context={"tumor": "hematologic"}))
    found, row = answer["hematologic_cns"], HEMATOLOGIC[cytology, flow]
    assert (found["row"], found["status"]) == (row, STATES[row])
    assert found["text"]
    assert answer["lm"]["certainty"] == "not_applicable"


@pytest.mark.parametrize("tumor", ["solid", "primary_cns", "none", "unknown"])
def test_hematologic_path_is_closed_to_other_tumors(interpret, tumor):
    sent = (word("csf_cytology", "negative"), word("csf_flow_cytometry", "positive"))
    answer = interpret(panel(*sent, context={"tumor": tumor}))
    assert answer["hematologic_cns"]["status"] == "not_applicable"


# IN2, SL11: history.
HISTORY = [
    ("positive", "negative", "confirmed"), ("positive", "nondiagnostic", "confirmed"), ("positive", None, "confirmed"),
    ("negative", "positive", "confirmed"), ("suspicious", "negative", "probable"),
    ("negative", "nondiagnostic", "probable"),
]  # fmt: skip


@pytest.mark.parametrize(("earlier", "now", "certainty"), HISTORY)
def test_best_sample_so_far_counts(interpret, earlier, now, certainty):
    history = {"csf_cytology": {"value": earlier, "panel_id": "P-1", "collected_at": "2026-02-01T10:00:00+01:00"}}
    context = {"tumor": "solid", "mri": "linear", "clinical_signs": "typical", "history": history}
    sent = [quantity("csf_protein", 300, "mg/L"), *([word("csf_cytology", now)] if now else [])]
    lm = interpret(panel(*sent, context=context))["lm"]
    assert (lm["certainty"], lm["provisional"]) == (certainty, False)


def test_report_names_the_sample_that_decided(interpret):
    history = {"csf_cytology": {"value": "positive", "panel_id": "P-1", "collected_at": "2026-02-01T10:00:00+01:00"}}
    answer = interpret(panel(word("csf_cytology", "negative"), context={"tumor": "solid", "history": history}))
    because = " ".join(answer["lm"]["because"])
    assert "2026-02-01" in because


@pytest.mark.parametrize("extent", ["brain_only"])
@pytest.mark.parametrize("mri", ["normal", "equivocal", "hydrocephalus"])
def test_brain_only_mri_is_marked(interpret, extent, mri):
    """IN8: letter D judged on the brain alone is marked 'spine not imaged'."""
    context = {"tumor": "solid", "mri": mri, "clinical_signs": "none", "mri_extent": extent}
    lm = interpret(panel(word("csf_cytology", "negative"), context=context))["lm"]
    assert "spine not imaged" in str(lm)


@pytest.mark.parametrize(("mri", "signs"), list(product(["linear", "normal"], ["typical", "none"])))
def test_flow_is_no_cytology(interpret, mri, signs):
    """Flow, DNA and cells have no slot: a missing cytology stays missing beside a positive flow."""
    context = {"tumor": "solid", "mri": mri, "clinical_signs": signs}
    lm = interpret(panel(word("csf_flow_cytometry", "positive"), word("csf_ctdna", "detected"), context=context))["lm"]
    assert lm["certainty"] != "confirmed"
    assert "csf_cytology" in lm["missing"]
