"""The 29 vectors of patterns.md section 6 and the EC vectors of section 8, through the whole core."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from csfinterp.knowledge import apply_site_rules
from csfinterp.model.edition import SiteRules
from csfinterp.steps.pipeline import Core
from tests.making import critical, has_result, interpreting, quantity, result, rules, truth, word
from tests.steps.reading import advice, cautions, grade, ig_pairs, item, pattern, said, sent, spoken

BACT, VIRAL, TBM, FUNG = "bacterial_meningitis", "viral_meningitis", "tuberculous_meningitis", "fungal_meningitis"
NEO, LYM, MS = "leptomeningeal_metastasis_csf", "cns_lymphoma_leukemia", "chronic_inflammatory_ms_type"
GBS, SARC, SAH = "albuminocytologic_dissociation", "neurosarcoidosis", "subarachnoid_blood"
BARRIER, NORMAL = "isolated_barrier_dysfunction", "no_abnormality_measured"
NOT_SHOWN = re.compile(r"do not show this pattern", re.I)
LM = r"(LM|leptomeningeal metastasis)"
NORMAL_VALUES = {"leukocytes": 2, "protein": 350, "ratio": 0.65, "lactate": 1.6}


def test_vector_01_full_bacterial_picture(interpret):
    answer = interpret(sent(leukocytes=2400, neutrophils=92, ratio=0.20, lactate=8.0, protein=3200))
    found = pattern(answer, BACT)
    assert (found["grade"], found["truth"], found["emergency"]) == ("fits", "true", True)
    assert "R-I02" in advice(answer)


def test_vector_02_viral_picture(interpret):
    answer = interpret(sent(leukocytes=120, lymphocytes=85, ratio=0.62, lactate=2.0, protein=700))
    assert (grade(answer, VIRAL), grade(answer, BACT)) == ("fits", "does_not_fit")
    assert NOT_SHOWN.search(said(answer, BACT))
    assert not re.search("exclu", said(answer, BACT), re.I)


@pytest.mark.parametrize("organism", [{"organism": "Neisseria meningitidis", "organism_class": "bacterial"}, {}])
def test_vector_03_gram_stain_beside_few_cells(interpret, organism):
    answer = interpret(sent(leukocytes=3, gram="positive", organism=organism))
    found = pattern(answer, BACT)
    assert (found["grade"], found["emergency"]) == ("established", True)
    assert critical(answer) == [("csf_gram_stain", "CR-ORG", "critical")]
    assert re.search(r"normal routine panel does not disprove infection", spoken(answer), re.I)


def test_vector_04_tuberculous_and_neoplastic_picture(interpret):
    # serum glucose 10 mmol/L (180 mg/dL, row R3: 0.25 is low) keeps CSF glucose above the limit of S5
    values = {"leukocytes": 90, "lymphocytes": 70, "neutrophils": 25, "ratio": 0.25, "lactate": 5.5, "protein": 2500}
    answer = interpret(sent(**values, serum_glucose=10.0, context={"tumor": "solid"}))
    assert {name: grade(answer, name) for name in (TBM, NEO, SARC, BACT)} == {
        TBM: "fits", NEO: "fits", SARC: "partly_fits", BACT: "not_evaluable"
    }  # fmt: skip
    assert {name: item(answer, name) for name in ("S1", "S2", "S4", "S5")} == {
        "S1": "true", "S2": "true", "S4": "true", "S5": "false"
    }  # fmt: skip
    assert [item(answer, name) for name in ("B1", "B2", "B3", "B4", "B5")] == ["false", "false", "true", "true", "true"]
    assert pattern(answer, BACT)["reason"] == "alarm_value"
    assert pattern(answer, BACT)["alarms"]
    assert {"PC01", "PC05"} <= set(cautions(answer))


def test_vector_05_few_cells_lactate_and_barrier(interpret):
    # age 60: the limit of the albumin quotient is 8
    values = {"leukocytes": 2, "quotient": 18, "lactate": 3.8, "ratio": 0.35, "protein": 900, "cytology": "negative"}
    answer = interpret(sent(**values, age="60 a", context={"tumor": "solid"}))
    assert result(answer, "glucose_ratio")["flag"] == "L"
    assert [item(answer, name) for name in ("N1", "N2", "N3", "N4")] == ["true", "true", "true", "false"]
    assert grade(answer, NEO) == "partly_fits"
    assert (grade(answer, BACT), pattern(answer, BACT)["reason"]) == ("not_evaluable", "alarm_value")
    assert pattern(answer, BACT)["alarms"]
    assert grade(answer, TBM) == "does_not_fit"
    assert (item(answer, "T1"), item(answer, "T3")) == ("false", "false")
    assert truth(answer, "few_cells_lactate_barrier") == "true"
    named = next(one["text"] for one in answer["summary"]["sentences"] if "few_cells_lactate_barrier" in one["because"])
    assert all(re.search(name, named, re.I) for name in (LM, "tubercul", "fung", "cytology.*large"))
    assert {"PC02", "PC05", "PC06"} <= set(cautions(answer))


def test_vector_06_all_normal_with_the_lm_question(interpret):
    answer = interpret(sent(**NORMAL_VALUES, context={"tumor": "solid", "question": "lm"}))
    assert grade(answer, NORMAL) == "fits"
    assert re.search(rf"does not exclude {LM}", said(answer, NORMAL))


@pytest.mark.parametrize("tumor", ["none", "solid"])
def test_vector_07_isolated_barrier_dysfunction(interpret, tumor):
    values = {"protein": 1100, "quotient": 16, "leukocytes": 2, "ratio": 0.65, "lactate": 1.6, "bands": "type_1"}
    answer = interpret(sent(*ig_pairs(8, 5, 2), **values, age="60 a", context={"tumor": tumor}))
    assert result(answer, "igg_intrathecal_pct")["value"] == 0
    assert (grade(answer, BARRIER), grade(answer, GBS)) == ("fits", "fits")
    line = re.search(rf"{LM}( is)? not excluded|does not exclude {LM}", said(answer, BARRIER), re.I)
    assert (line is not None) is (tumor == "solid")


def test_vector_08_ventricular_protein_is_not_evaluable(interpret):
    answer = interpret(sent(protein=250, leukocytes=12, site="ventricular"))
    assert {name: item(answer, name) for name in ("B5", "V5", "T3", "F3", "S2", "G1")} == dict.fromkeys(
        ("B5", "V5", "T3", "F3", "S2", "G1"), "unknown"
    )
    assert item(answer, "B1") == "false"


SITE = SiteRules(
    "s", "sha256:0", assay_comparable=True, limit_texts={"csf_cxcl13": "116 pg/mL", "csf_il10": "23 pg/mL"}
)


@pytest.fixture(scope="module")
def with_limits(edition):
    """`interpret` of a site that stated its assay limits and that they are comparable (scores.md S8)."""
    core = Core(apply_site_rules(edition, SITE))
    return interpreting(core)


def test_vector_09_cxcl13_is_suppressed_until_borrelia_is_negative(with_limits):
    values = {"cxcl13": 150, "il10": 30, "leukocytes": 10}
    open_ = with_limits(sent(**values, context={"stated": ["syphilis_negative"]}))
    assert item(open_, "L1") == "unknown"
    assert re.search(r"borrelia", spoken(open_), re.I)
    answered = with_limits(sent(**values, context={"stated": ["syphilis_negative", "borrelia_negative"]}))
    assert item(answered, "L1") == "true"
    assert grade(answered, LYM) == "fits"


def test_vector_10_lactate_alone(interpret):
    answer = interpret(sent(lactate=4.2))
    found = pattern(answer, BACT)
    assert (found["grade"], found["truth"]) == ("not_evaluable", "unknown")
    assert {"csf_leukocytes", "csf_neutrophils_pct", "csf_protein"} <= set(found["missing"])
    assert {"csf_glucose", "glucose_ratio"} & set(found["missing"])
    assert item(answer, "B6") == "true"
    assert found["alarms"]


def test_vector_11_bands_beside_a_neutrophilic_pleocytosis(interpret):
    answer = interpret(sent(leukocytes=60, neutrophils=80, ratio=0.65, lactate=2.2, bands="type_2", kappa_index=12))
    assert [item(answer, name) for name in ("M1", "M2", "M3", "M4", "M8")] == ["true", "false", "true", "true", "true"]
    assert grade(answer, MS) == "does_not_fit"
    assert truth(answer, "oligoclonal_bands_intrathecal") == "true"
    assert truth(answer, "kappa_index_above_ms_cut") == "true"
    assert has_result(answer, "csf_oligoclonal_bands")
    assert has_result(answer, "kappa_index")


def test_vector_12_differential_that_does_not_add_up(interpret):
    answer = interpret(sent(leukocytes=20, neutrophils=45, lymphocytes=30, monocytes=10))
    assert "PL12" in rules(answer)
    assert {name: item(answer, name) for name in ("B2", "V2", "T2", "F2")} == dict.fromkeys(
        ("B2", "V2", "T2", "F2"), "unknown"
    )


def test_vector_13_missing_differential_never_lowers_the_urgency(interpret):
    answer = interpret(sent(leukocytes=900, ratio=0.20, lactate=6.0, protein=3000))
    found = pattern(answer, BACT)
    assert (found["grade"], found["emergency"], item(answer, "B2")) == ("partly_fits", True, "unknown")
    assert re.search("differential", said(answer, BACT), re.I)


def test_vector_14_four_of_five(interpret):
    answer = interpret(sent(leukocytes=300, neutrophils=85, ratio=0.25, lactate=5.0, protein=1800))
    assert (grade(answer, BACT), pattern(answer, BACT)["emergency"]) == ("partly_fits", True)
    assert "PC04" in cautions(answer)


def test_vector_15_short_rule(interpret):
    answer = interpret(sent(leukocytes=300, neutrophils=85, ratio=0.45, lactate=4.0, protein=700))
    assert [item(answer, name) for name in ("B1", "B2", "B3", "B4", "B5")] == [
        "false",
        "true",
        "false",
        "true",
        "false",
    ]
    assert (grade(answer, BACT), pattern(answer, BACT)["emergency"]) == ("partly_fits", True)
    assert "PC04" in cautions(answer)


def test_vector_16_antibiotics_leave_the_question_open(interpret):
    context = {"antibiotics_before_lp": True}
    answer = interpret(sent(leukocytes=200, neutrophils=30, ratio=0.45, lactate=3.0, protein=900, context=context))
    assert (grade(answer, BACT), pattern(answer, BACT)["reason"]) == ("not_evaluable", "antibiotics")
    assert not NOT_SHOWN.search(said(answer, BACT))
    assert re.search("remains possible because", said(answer, BACT))


def test_vector_17_neutrophils_leave_the_question_open(interpret):
    answer = interpret(sent(leukocytes=300, neutrophils=80, ratio=0.60, lactate=2.5, protein=600))
    assert item(answer, "B6") == "false"
    assert (grade(answer, BACT), pattern(answer, BACT)["reason"]) == ("not_evaluable", "neutrophils")
    assert "EC02" in cautions(answer)


def test_vector_18_newborn_inside_the_row(interpret):
    answer = interpret(sent(leukocytes=8, lymphocytes=60, ratio=0.60, lactate=2.5, protein=900, age="5 d"))
    assert item(answer, "V1") == "false"
    assert {name: (grade(answer, name), pattern(answer, name)["reason"]) for name in (VIRAL, BACT)} == {
        VIRAL: ("not_evaluable", "age"), BACT: ("not_evaluable", "age")
    }  # fmt: skip
    assert "EC18" in cautions(answer)


def test_vector_19_lactate_of_the_first_day(interpret):
    """Printed as "B4 and B6 FALSE". ER2, the general rule, leaves B6 open while cells and ratio are missing; with both
    sent and harmless it is FALSE, because 5.0 lies inside the row (ER11)."""
    answer = interpret(sent(lactate=5.0, age="1 d"))
    assert item(answer, "B4") == "false"
    assert item(answer, "B6") != "true"
    assert pattern(answer, BACT)["alarms"] == []
    assert grade(answer, BACT) == "not_evaluable"
    assert "EC18" in cautions(answer)
    assert item(interpret(sent(lactate=5.0, leukocytes=3, ratio=0.65, age="1 d")), "B6") == "false"


def test_vector_20_tumor_cells_of_a_solid_tumor_are_no_lymphoma(interpret):
    answer = interpret(sent(cytology="positive", context={"tumor": "solid"}))
    assert (item(answer, "N0"), grade(answer, NEO)) == ("true", "established")
    assert item(answer, "L0") != "true"
    assert grade(answer, LYM) in ("does_not_fit", "not_evaluable")  # "not supported"; L1 to L3 were not sent
    assert pattern(answer, LYM)["truth"] != "true"


def test_vector_21_mycobacteria_are_no_bacterial_meningitis(interpret):
    organism = {"organism": "Mycobacterium tuberculosis", "organism_class": "mycobacterial"}
    answer = interpret(sent(culture="positive", organism=organism))
    assert (item(answer, "T0"), item(answer, "B0")) == ("true", "false")
    assert (grade(answer, TBM), grade(answer, BACT) == "established") == ("established", False)
    assert critical(answer) == [("csf_culture", "CR-ORG", "critical")]


def test_vector_22_antigen_beside_a_normal_panel(interpret):
    answer = interpret(sent(**NORMAL_VALUES, antigen="positive"))
    assert grade(answer, FUNG) == "established"
    assert critical(answer) == [("csf_cryptococcal_antigen", "CR-ORG", "critical")]
    assert not re.search("contaminat", spoken(answer).replace('"id": "blood_contamination"', ""), re.I)


def test_vector_23_xanthochromia_without_a_question(interpret):
    answer = interpret(sent(erythrocytes=5000, appearance="xanthochromic"))
    assert item(answer, "SH2") == "true"
    assert re.search(r"not excluded.*urgent", said(answer, SAH), re.I)
    assert pattern(answer, SAH)["shown"] is True
    assert "R-B01" in advice(answer)
    assert "R-B03" not in advice(answer)


def test_vector_24_three_of_five_of_tuberculosis(interpret):
    answer = interpret(sent(leukocytes=80, lymphocytes=70, ratio=0.35, lactate=3.0, protein=900))
    assert [item(answer, name) for name in ("T1", "T2", "T3", "T4", "T5")] == ["true", "true", "false", "true", "false"]
    assert (grade(answer, TBM), pattern(answer, TBM)["reason"] is None) == ("not_evaluable", False)
    assert "EC04" in cautions(answer)
    assert "R-I06" in advice(answer)
    assert item(answer, "B6") == "true"
    assert any("glucose_ratio" in alarm for alarm in pattern(answer, BACT)["alarms"])


def test_vector_25_immunosuppressed_with_a_normal_panel(interpret):
    answer = interpret(sent(leukocytes=2, protein=400, ratio=0.60, context={"immunosuppressed": True}))
    assert grade(answer, NORMAL) == "fits"
    assert re.search(r"cryptococcosis.*tuberculosis", said(answer, NORMAL))
    assert "R-I07" in advice(answer)


VECTOR_26 = {"lymphocytes": 70, "bands": "type_1", "quotient": 4.0, **NORMAL_VALUES}


def test_vector_26_required_items(interpret):
    answer = interpret(sent(*ig_pairs(2, 1, 0.3), **VECTOR_26))
    assert {name: grade(answer, name) for name in (NORMAL, VIRAL, GBS)} == {
        NORMAL: "fits", VIRAL: "does_not_fit", GBS: "does_not_fit"
    }  # fmt: skip
    assert [item(answer, name) for name in ("V1", "V2", "V3", "V4", "V5")] == ["false", "true", "true", "true", "true"]
    assert [item(answer, name) for name in ("G1", "G2", "G3", "G4")] == ["false", "true", "true", "true"]


def test_vector_27_the_same_with_a_solid_tumor(interpret):
    answer = interpret(sent(*ig_pairs(2, 1, 0.3), **VECTOR_26, context={"tumor": "solid"}))
    assert grade(answer, NORMAL) == "fits"
    assert re.search(rf"does not exclude {LM}", said(answer, NORMAL))
    assert grade(answer, FUNG) == "not_evaluable"
    assert "PC01" not in cautions(answer)


def test_vector_28_raised_lactate_lowers_the_ms_type(interpret):
    answer = interpret(sent(bands="type_2", kappa_index=12, lactate=4.2, leukocytes=3, neutrophils=10))
    assert [item(answer, name) for name in ("M1", "M2", "M3", "M4", "M8")] == ["true", "true", "false", "true", "true"]
    assert grade(answer, MS) == "does_not_fit"
    assert pattern(answer, BACT)["alarms"]
    assert truth(answer, "oligoclonal_bands_intrathecal") == "true"
    assert truth(answer, "kappa_index_above_ms_cut") == "true"


def test_vector_29_a_missing_age_never_hides_an_alarm(interpret):
    answer = interpret(sent(lactate=4.2, age=None))
    assert (item(answer, "B4"), item(answer, "B6")) == ("true", "true")
    assert pattern(answer, BACT)["alarms"]


# Section 8: everyday comments


@pytest.mark.parametrize(
    ("count", "percent", "comment"), [(20, 10, "EC09"), (120, 9, "EC09"), (50, 9, "EC10"), (4, 0, None)]
)
def test_eosinophils(interpret, count, percent, comment):
    found = cautions(interpret(sent(leukocytes=count, eosinophils=percent)))
    assert {"EC09", "EC10"} & set(found) == ({comment} if comment else set())


def test_neutrophils_at_a_normal_count(interpret):
    found = cautions(interpret(sent(leukocytes=4, neutrophils=20)))
    assert "EC13" in found
    assert "EC02" not in found


def test_lymphocytes_with_low_glucose(interpret):
    found = cautions(interpret(sent(leukocytes=60, lymphocytes=80, ratio=0.35)))
    assert {"EC03", "EC04", "EC24"} <= set(found)
    assert "EC05" not in found


def test_newborn_with_normal_values(interpret):
    answer = interpret(sent(leukocytes=6, protein=700, lactate=2.0, ratio=0.7, age="20 d"))
    assert "EC18" in cautions(answer)


def test_low_glucose_without_cells_in_cancer(interpret):
    found = cautions(interpret(sent(leukocytes=2, ratio=0.35, context={"tumor": "solid"})))
    assert {"EC05", "EC32"} <= set(found)


def test_a_missing_history_triggers_nothing(interpret):
    assert "EC23" not in cautions(interpret(sent(leukocytes=2, ratio=0.6)))
    assert "EC23" in cautions(interpret(sent(leukocytes=2, ratio=0.6, context={"immunosuppressed": True})))
    assert "EC23" not in cautions(interpret(sent(leukocytes=2, ratio=0.6, context={"immunosuppressed": False})))


LYMPHOCYTIC = {"leukocytes": 60, "lymphocytes": 80}
GROWN = {"organism": "HSV-1", "organism_class": "viral"}
# Comments of sections 3 and 8 that no printed vector fixes: what prints them, and the same without its cause.
COMMENTS = [
    ("EC06", {"ratio": 0.6}, {"leukocytes": 2}),
    ("EC15", {"leukocytes": 10, "context": {"stated": ["seizure"]}}, {"leukocytes": 10}),
    ("EC15", {"leukocytes": 10, "context": {"stated": ["seizure"]}},
     {"leukocytes": 2, "context": {"stated": ["seizure"]}}),
    ("EC20", {**LYMPHOCYTIC, "context": {"question": "infection"}}, {**LYMPHOCYTIC, "context": {"question": "lm"}}),
    ("EC20", {"leukocytes": 2, "context": {"stated": ["zoster"]}}, {"leukocytes": 2}),
    ("EC21", LYMPHOCYTIC, {"leukocytes": 60, "lymphocytes": 40}),
    ("EC21", {"protein": 700}, {"protein": 700, "erythrocytes": 501}),
    ("EC22", LYMPHOCYTIC, {**LYMPHOCYTIC, "pcr": "positive", "organism": GROWN}),
    ("EC22", {"leukocytes": 2, "context": {"stated": ["hiv"]}}, {"leukocytes": 2}),
    ("EC37", {"leukocytes": 2, "context": {"stated": ["mrz_positive"]}}, {"leukocytes": 2}),
    ("EC40", {"leukocytes": 2, "context": {"recent_ivig_or_plasmapheresis": True}},
     {"leukocytes": 2, "context": {"recent_ivig_or_plasmapheresis": False}}),
    ("EC44", {"leukocytes": 2, "context": {"stated": ["recurrent_lymphocytic_episodes"]}}, {"leukocytes": 2}),
    ("FP3", {"leukocytes": 2, "context": {"question": "inflammation"}}, {"leukocytes": 2}),
    ("FP4", {"leukocytes": 2, "context": {"question": "inflammation"}}, {"leukocytes": 2}),
]  # fmt: skip


@pytest.mark.parametrize(("comment", "cause", "other"), COMMENTS)
def test_comment_stands_with_its_cause_only(interpret, comment, cause, other):
    assert comment in cautions(interpret(sent(**cause)))
    assert comment not in cautions(interpret(sent(**other)))


@pytest.mark.parametrize(
    ("eosinophils", "quotients", "named"),
    [(5, (30, 20, 15), True), (5, (30, 20, 0.5), True), (0, (30, 20, 15), False), (5, (30, 1, 0.5), False)],
)
def test_eosinophils_with_synthesis(interpret, eosinophils, quotients, named):
    """FP2: three-class, or IgA and IgG."""
    answer = interpret(sent(*ig_pairs(*quotients), quotient=5, leukocytes=20, eosinophils=eosinophils))
    assert ("FP2" in cautions(answer)) is named


# Section 5: the block of causes of leptomeningeal enhancement, and its trigger; last: the spot of lm_evidence.md 4.4.
ENHANCEMENT = [
    *(({"mri": mri}, {}, True) for mri in ("linear", "nodular", "linear_nodular", "equivocal")),
    *(({"mri": mri}, {}, False) for mri in ("normal", "hydrocephalus", "not_done")),
    ({"question": "enhancement"}, {}, True),
    ({"mri": "linear"}, {"cytology": "positive"}, False), ({"mri": "linear"}, {"gram": "positive"}, False),
    ({"mri": "linear"}, {"cytology": "negative", "gram": "negative"}, True),
    ({"tumor": "none", "mri": "linear", "clinical_signs": "typical"}, {"cytology": "negative"}, True),
]  # fmt: skip
CAUSES = ["infectious", "neoplastic", "granulomatous_inflammatory", "ms_retrovirus", "drug", "vascular_other"]


@pytest.mark.parametrize(("context", "values", "printed"), ENHANCEMENT)
def test_causes_of_enhancement(interpret, context, values, printed):
    block = interpret(sent(leukocytes=3, **values, context=context))["differential"]
    assert (block is not None) is printed
    assert block is None or [group["id"] for group in block["groups"]] == CAUSES


# Section 1: engine rules that no single vector fixes


def test_all_patterns_are_there_in_print_order(interpret):
    """ER6 and the interface: all 13, established first, then by urgency."""
    order = [BACT, FUNG, TBM, VIRAL, SAH, NEO, LYM, SARC, MS, GBS, BARRIER, "blood_contamination", NORMAL]
    answer = interpret(sent(**NORMAL_VALUES))
    assert [entry["id"] for entry in answer["patterns"]] == order
    answer = interpret(sent(cytology="positive", context={"tumor": "solid"}))
    assert [entry["id"] for entry in answer["patterns"]] == [NEO, *(name for name in order if name != NEO)]


RATIOS = [0.2, 0.35, 0.45, 0.62]


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("count", [3, 120, 2400])
def test_a_ratio_sent_ready_made_reads_the_same_numbers(interpret, ratio, count):
    """ER10: the items with a printed number on the ratio do not depend on how it came."""
    values = {"leukocytes": count, "neutrophils": 80, "lactate": 4.0, "protein": 1200}
    pair = interpret(sent(**values, ratio=ratio))
    ready = interpret(sent(quantity("glucose_ratio", ratio, "1"), **values))
    assert [item(pair, name) for name in ("B3", "V3", "T4", "B6")] == [
        item(ready, name) for name in ("B3", "V3", "T4", "B6")
    ]


def test_a_blood_correction_never_turns_a_true_item_false(interpret):
    """ER9: measured values decide."""
    blood = {"erythrocytes": 9000, "blood_leukocytes": 12000, "blood_erythrocytes": 4_000_000}
    answer = interpret(sent(leukocytes=30, **blood, lactate=2.0))
    assert result(answer, "csf_leukocytes_corrected")["value"] == 3
    assert (item(answer, "V1"), item(answer, "N4")) == ("true", "true")


@pytest.mark.parametrize("missing", ["leukocytes", "neutrophils", "ratio", "lactate", "protein"])
def test_a_missing_value_never_makes_the_bacterial_grade_better_or_false(interpret, missing):
    """ER2, ER3: vector 1 without one item reaches at most partly_fits; nothing becomes does_not_fit."""
    whole = {"leukocytes": 2400, "neutrophils": 92, "ratio": 0.20, "lactate": 8.0, "protein": 3200}
    answer = interpret(sent(**{name: value for name, value in whole.items() if name != missing}))
    assert grade(answer, BACT) == "partly_fits"


def test_nucleated_cells_stand_in_for_leukocytes_and_are_marked(interpret):
    """ER10."""
    answer = interpret(sent(quantity("csf_nucleated_cells", 2400, "/uL"), neutrophils=92, ratio=0.2, lactate=8.0,
                            protein=3200))  # fmt: skip
    assert grade(answer, BACT) == "fits"
    assert any("csf_nucleated_cells" in text for text in pattern(answer, BACT)["support"])


@pytest.mark.parametrize("virus", ["EBV", "HHV-6", "HHV-7", "HSV-1"])
def test_latent_viruses_alone_are_not_decisive(interpret, virus):
    """V0."""
    organism = {"organism": virus, "organism_class": "viral"}
    answer = interpret(sent(pcr="positive", organism=organism, leukocytes=3))
    assert (item(answer, "V0") == "true") is (virus == "HSV-1")
    assert (grade(answer, VIRAL) == "established") is (virus == "HSV-1")


def test_a_gram_stain_that_names_yeast_is_fungal(interpret):
    """B0, F0."""
    answer = interpret(sent(word("csf_gram_stain", "positive", organism="yeast cells"), leukocytes=3))
    assert (item(answer, "B0"), grade(answer, FUNG)) == ("false", "established")


def test_culture_of_unknown_class_establishes_nothing_and_stays_critical(interpret):
    """B0: "organism not named yet: act as for bacteria until it is"."""
    answer = interpret(sent(culture="positive", leukocytes=3))
    assert not any(entry["grade"] == "established" for entry in answer["patterns"])
    assert critical(answer) == [("csf_culture", "CR-ORG", "critical")]
    assert "R-I02" in advice(answer)
    assert re.search("act as for bacteria", spoken(answer))


def test_emergency_is_never_lowered_by_the_site_of_an_established_result(interpret):
    """ER4: established is never lowered; a major counter item then prints as discordant."""
    context = {"antibiotics_before_lp": False}
    values = {"leukocytes": 3, "neutrophils": 10, "ratio": 0.65, "lactate": 1.6, "gram": "positive"}
    answer = interpret(sent(**values, context=context))
    assert item(answer, "B9") == "true"
    assert (grade(answer, BACT), pattern(answer, BACT)["discordant"]) == ("established", True)


def test_the_vectors_are_all_here():
    here = {int(name.split("_")[2]) for name in globals() if name.startswith("test_vector_")}
    assert here == set(range(1, 30))


def test_the_site_rules_of_vector_9_are_needed(interpret):
    """SL57: without the site's limits CXCL13 is not evaluable, whatever the infection tests say."""
    context = {"stated": ["syphilis_negative", "borrelia_negative"]}
    assert item(interpret(sent(cxcl13=150, il10=30, context=context)), "L1") == "unknown"
    assert replace(SITE, assay_comparable=False) != SITE
