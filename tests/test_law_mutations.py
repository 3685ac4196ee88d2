"""Every law bites: with the rule of a law removed or changed, the very test of that law fails.

A mutant is a copy of the shipped edition (an immutable value; the YAML on disk is not touched) with one rule changed,
compiled like any other. The test function of tests/test_laws.py is then run over all its parameters with the mutant's
`interpret`, `core` and `edition`; it must raise AssertionError for at least one of them. That the same tests pass on
the shipped edition is what tests/test_laws.py itself shows.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from csfinterp.errors import EditionError
from csfinterp.knowledge import apply_site_rules
from csfinterp.model.edition import Edition, SiteRules
from csfinterp.model.edition.intervals import BIRTH
from csfinterp.model.predicate import Above, All, FirstKnown, Is, Known, Limit, Not, Predicate
from csfinterp.model.predicate import Any as AnyOf
from csfinterp.samples import SAMPLES
from csfinterp.steps.pipeline import Core
from tests import test_laws as laws
from tests.coefficient_files import coefficient_file
from tests.making import answered, interpreting
from tests.steps.reading import ig_pairs, sent

Change = Callable[[Edition], Edition]


def entry(collection: str, name: str, key: str = "id", **changes: Any) -> Change:
    """The entries of this id (or rule) changed; a callable change gets the old value."""

    def change(edition: Edition) -> Edition:
        old = getattr(edition, collection)
        assert any(getattr(one, key) == name for one in old), f"{collection} has no {name}"
        return replace(
            edition,
            **{collection: tuple(_changed(one, changes) if getattr(one, key) == name else one for one in old)},
        )

    return change


def _changed(one: Any, changes: dict[str, Any]) -> Any:
    return replace(one, **{field: to(getattr(one, field)) if callable(to) else to for field, to in changes.items()})


def without(collection: str, *names: str, key: str = "id") -> Change:
    """The entries of these ids (or rules) removed."""

    def change(edition: Edition) -> Edition:
        left = tuple(one for one in getattr(edition, collection) if getattr(one, key) not in names)
        assert len(left) < len(getattr(edition, collection)), f"{collection} has none of {names}"
        return replace(edition, **{collection: left})

    return change


def inside(collection: str, parent: str, field: str, name: str, **changes: Any) -> Change:
    """An entry inside an entry changed: a row of a table, an item of a pattern, a marker of a profile."""

    def change(old: tuple[Any, ...]) -> tuple[Any, ...]:
        assert any(one.id == name for one in old), f"{parent} has no {name}"
        return tuple(_changed(one, changes) if one.id == name else one for one in old)

    return entry(collection, parent, **{field: change})


def analyte(name: str, **changes: Any) -> Change:
    return entry("analytes", name, **changes)


def is_(name: str, *values: str) -> Is:
    return Is(name, values)


def grid(row: str, when: Predicate | Callable[[Predicate], Predicate]) -> Change:
    """A K row of the EANO-ESMO table asks something else."""
    return inside("evidence", "eano_esmo", "rows", row, when=when)


def both(*changes: Change) -> Change:
    def change(edition: Edition) -> Edition:
        for one in changes:
            edition = one(edition)
        return edition

    return change


def best_is_this_sample(edition: Edition) -> Edition:
    """The level reads the cytology of this panel instead of the best one of the episode."""

    def read(part: Predicate) -> Predicate:
        if isinstance(part, Is | Known) and part.input == "csf_cytology_best":
            return replace(part, input="csf_cytology")
        if isinstance(part, Not):
            return Not(read(part.item))
        return replace(part, items=tuple(map(read, part.items))) if isinstance(part, All | AnyOf) else part

    def swapped(table: Any) -> Any:
        if table.id != "eano_esmo":
            return table
        name = {"csf_cytology_best": "csf_cytology"}
        return replace(
            table,
            inputs=tuple(name.get(one, one) for one in table.inputs),
            rows=tuple(replace(row, when=read(row.when)) for row in table.rows),
            cells=tuple(replace(cell, when=read(cell.when)) for cell in table.cells),
            completions={name.get(key, key): words for key, words in table.completions.items()},
            missing_texts={name.get(key, key): text for key, text in table.missing_texts.items()},
        )

    return replace(edition, evidence=tuple(map(swapped, edition.evidence)))


def loaded_model(edition: Edition) -> Edition:
    """Coefficients that come with the edition instead of from a site."""
    return apply_site_rules(edition, SiteRules("s", "sha256:0", coefficients={"a": coefficient_file("gao2022_a")}))


POSITIVE = is_("csf_cytology_best", "positive")
ABC = is_("mri", "linear", "nodular", "linear_nodular")
BACT = "bacterial_meningitis"
TRAUMATIC = "Blood in the sample: traumatic puncture."


@dataclass(frozen=True)
class Mutant:
    law: str
    test: Callable[..., None]
    change: Change
    what: str


def text(words: str) -> Callable[[Any], str]:
    return lambda _old: words


MUTANTS = [
    Mutant("SL01", laws.test_sl01_cell_count_never_moves_the_level,
           entry("cautions", "PC02", text=text("A normal cell count excludes LM.")), "caution claims an exclusion"),
    Mutant("SL02", laws.test_sl02_equivocal_cytology_is_never_confirmed,
           grid("K2", is_("csf_cytology_best", "positive", "suspicious")), "suspicious cells confirm"),
    Mutant("SL02", laws.test_sl02_equivocal_cytology_is_never_confirmed,
           grid("K2", is_("csf_cytology_best", "positive", "atypical")), "atypical cells confirm"),
    Mutant("SL03", laws.test_sl03_liquid_biopsy_and_markers_never_change_the_level,
           entry("evidence", "eano_esmo", inputs=lambda old: (*old, "csf_ctdna"),
                 completions=lambda old: {**old, "csf_ctdna": ("detected", "not_detected")}, rows=lambda old: tuple(
               replace(row, when=AnyOf((row.when, is_("csf_ctdna", "detected")))) if row.id == "K2" else row
               for row in old)), "ctDNA confirms"),
    Mutant("SL04", laws.test_sl04_confirmed_needs_cells_or_tissue,
           grid("K2", lambda old: AnyOf((old, is_("mri", "linear_nodular")))), "MRI confirms"),
    Mutant("SL05", laws.test_sl05_positive_cells_in_a_solid_tumor_are_confirmed,
           grid("K2", lambda old: All((old, is_("clinical_signs", "typical")))), "cells confirm only with signs"),
    Mutant("SL06", laws.test_sl06_outside_the_grid_is_not_applicable_and_without_a_type,
           inside("evidence", "eano_esmo", "rows", "K1a", type_prefix="I"), "hematologic disease gets a Type"),
    Mutant("SL07", laws.test_sl07_probable_and_possible_need_a_solid_tumor,
           grid("K4", All((ABC, is_("clinical_signs", "typical")))), "probable without a known tumor"),
    Mutant("SL08", laws.test_sl08_lack_of_evidence_needs_all_three_and_says_that_it_is_no_exclusion,
           grid("K6", All((is_("tumor", "solid"), is_("csf_cytology_best", "negative")))), "negative cells are enough"),
    Mutant("SL09", laws.test_sl09_nondiagnostic_is_never_negative,
           grid("K2", lambda old: FirstKnown((old, All((is_("tumor", "none"), is_("tumor", "solid")))))),
           "nondiagnostic counts as not positive"),
    Mutant("SL10", laws.test_sl10_equivocal_mri_is_always_letter_d,
           entry("evidence", "eano_esmo", letters=lambda old: {**old, "equivocal": "A"}), "equivocal MRI is letter A"),
    Mutant("SL11", laws.test_sl11_earlier_positive_sample_is_never_undone, best_is_this_sample, "only this one counts"),
    Mutant("SL12", laws.test_sl12_provisional_names_what_is_missing_and_every_level_its_row_and_edition,
           entry("evidence", "eano_esmo", guideline="EANO-ESMO"), "the edition of the guideline is not said"),
    Mutant("SL13", laws.test_sl13_high_glucose_is_no_evidence,
           inside("profiles", "solid_tumor", "markers", "csf_glucose", scored=True, disputed=False, direction="high"),
           "high glucose is scored"),
    Mutant("SL15", laws.test_sl15_shares_are_never_worded_as_test_performance,
           entry("profiles", "solid_tumor", caution=text("These shares are the sensitivity of the markers.")),
           "shares called sensitivity"),
    Mutant("SL16", laws.test_sl16_normal_mri_never_excludes,
           entry("cautions", "PC07", text=text("A normal MRI rules out LM.")), "caution claims an exclusion"),
    Mutant("SL17", laws.test_sl17_no_rule_reads_the_pattern_of_enhancement,
           inside("patterns", "tuberculous_meningitis", "items", "T8", when=is_("mri", "hydrocephalus", "linear")),
           "enhancement favors an infection"),
    Mutant("SL18", laws.test_sl18_absent_signs_never_exclude,
           grid("K2", lambda old: All((old, Not(is_("clinical_signs", "none"))))), "no signs, not confirmed"),
    Mutant("SL20", laws.test_sl20_missing_is_not_normal,
           entry("findings", "pleocytosis", when=lambda old: All((old, Known("csf_leukocytes")))),
           "a missing count is no pleocytosis"),
    Mutant("SL20", laws.test_sl20_missing_is_not_normal,
           entry("findings", "barrier_dysfunction", when=lambda old: FirstKnown((old, Known("albumin_quotient")))),
           "a missing pair is no dysfunction"),
    Mutant("SL23", laws.test_sl23_lumbar_limits_stay_in_the_lumbar_sac,
           both(analyte("csf_protein", intervals=lambda old: tuple(
               replace(row, sites=("lumbar", "ventricular", "cisternal", "unknown")) for row in old)),
               entry("quality", "nonlumbar_site", suppresses=())), "lumbar protein limits at every site"),
    Mutant("SL23", laws.test_sl23_lumbar_limits_stay_in_the_lumbar_sac, without("quality", "nonlumbar_site"),
           "the site is not mentioned"),
    Mutant("SL24", laws.test_sl24_corrected_values_never_replace_measured_ones,
           entry("findings", "pleocytosis",
                 when=FirstKnown((Above("csf_leukocytes_corrected", Limit("30 /uL", value=30.0)),
                                  Above("csf_leukocytes", Limit("4 /uL", value=4.0))))), "corrected cells decide"),
    Mutant("SL24", laws.test_sl24_corrected_values_never_replace_measured_ones,
           entry("derived", "csf_leukocytes_corrected", constants=lambda old: {**old, "to_erythrocytes": 1e9}),
           "corrected above 10000 erythrocytes"),
    Mutant("SL25", laws.test_sl25_no_correction_without_a_count_of_erythrocytes,
           entry("derived", "csf_protein_corrected", constants=lambda old: {**old, "to_erythrocytes": 1e9}),
           "corrected above 10000 erythrocytes"),
    Mutant("SL26", laws.test_sl26_quotient_of_two_days_is_not_validated, without("quality", "PL03", key="rule"),
           "pairs of two days are judged"),
    Mutant("SL27", laws.test_sl27_plausibility_failure_suppresses_and_says_so,
           entry("quality", "PL01", key="rule", suppresses=()), "the hook effect suppresses nothing"),
    Mutant("SL28", laws.test_sl28_no_age_no_age_limit, without("quality", "PL11", key="rule"), "missing age not said"),
    Mutant("SL28", laws.test_sl28_no_age_no_age_limit, analyte("csf_protein", intervals=lambda old: tuple(
        replace(row, age_from=BIRTH) for row in old if row.rule == "csf_protein/P10")), "adult limits at every age"),
    Mutant("SL30", laws.test_sl30_contradictions_are_reported_and_block,
           entry("quality", "PL12", key="rule", suppresses=()), "a bad differential blocks nothing"),
    Mutant("SL30", laws.test_sl30_counted_neutrophils_against_the_differential,
           entry("quality", "PL13", key="rule", when=Above("csf_neutrophils", Limit("1e9 /uL", value=1e9))),
           "contradictory neutrophils pass"),
    Mutant("SL40", laws.test_sl40_organism_is_critical_whatever_else, without("critical", "CR-ORG", key="rule"),
           "organisms are not critical"),
    Mutant("SL41", laws.test_sl41_organism_is_never_suppressed, without("critical", "CR-ORG", key="rule"),
           "organisms are not critical"),
    Mutant("SL41", laws.test_sl41_critical_numbers_are_never_suppressed,
           without("critical", "CR-WBC", key="rule"), "no count is critical"),
    Mutant("SL42", laws.test_sl42_first_tumor_cells_are_named_for_a_call, without("critical", "CR-CELL", key="rule"),
           "first tumor cells are not called"),
    Mutant("SL43", laws.test_sl43_low_cell_count_never_silences_the_alarm,
           entry("findings", "bacterial_alarm_value",
                 when=lambda old: All((old, Above("csf_leukocytes", Limit("4 /uL", value=4.0))))),
           "the alarm needs cells"),
    Mutant("SL44", laws.test_sl44_infection_and_tumor_proof_stand_side_by_side,
           entry("recommendations", "bacterial_emergency", silent_if=("first_tumor_cells_call",)),
           "tumor cells silence the emergency"),
    Mutant("SL44", laws.test_sl44_an_organism_never_stops_the_lm_work_up,
           entry("recommendations", "repeat_lumbar_puncture", silent_if=("critical_organism",)),
           "an organism silences the second puncture"),
    Mutant("SL45", laws.test_sl45_a_negative_is_never_an_exclusion,
           entry("cautions", "PC06", text=text("One negative cytology excludes LM.")),
           "negative cytology excludes"),
    Mutant("SL45", laws.test_sl45_no_text_claims_an_exclusion,
           entry("cautions", "PC06", text=text("One negative cytology rules out LM.")), "caution claims an exclusion"),
    Mutant("SL46", laws.test_sl46_rule_out_wording_only_in_its_population, entry("scores", "sah_ruleout", refusals=()),
           "the rule-out has no population"),
    Mutant("SL46", laws.test_sl46_a_fall_between_tubes_is_never_used, entry("scores", "sah_ruleout", refusals=()),
           "day 20 is computed"),
    Mutant("SL48", laws.test_sl48_xanthochromia_never_waits_for_the_question,
           entry("recommendations", "sah_not_ruled_out", when=lambda old: All((old, is_("question", "sah")))),
           "the call waits for the question"),
    Mutant("SL48", laws.test_sl48_xanthochromia_never_waits_for_the_question,
           entry("recommendations", "traumatic_puncture", text=text(TRAUMATIC),
                 when=Above("csf_erythrocytes", Limit("1000 /uL", value=1000.0))), "worded as traumatic alone"),
    Mutant("SL48", laws.test_sl48_raised_bilirubin_is_never_a_value_only,
           entry("patterns", "subarachnoid_blood", shown_if=is_("question", "sah"), lines=(),
                 texts=lambda old: {**old, "partly_fits": "value only", "fits": "value only"}), "only a value"),
    Mutant("SL49", laws.test_sl49_a_wholly_normal_panel_makes_no_disease_pattern_true,
           entry("patterns", "viral_meningitis", required=()), "V1 is not required"),
    Mutant("SL49", laws.test_sl49_a_wholly_normal_panel_makes_no_disease_pattern_true,
           entry("patterns", "albuminocytologic_dissociation", required=()), "G1 is not required"),
    Mutant("SL49", laws.test_sl49_a_wholly_normal_panel_makes_no_disease_pattern_true,
           entry("patterns", "fungal_meningitis", required=()), "a wide core alone decides"),
    Mutant("SL50", laws.test_sl50_without_a_coefficient_file_there_is_no_number, loaded_model, "default coefficients"),
    Mutant("SL52", laws.test_sl52_outside_its_population_a_score_is_refused,
           entry("scores", "bacterial_meningitis_score", refusals=()), "the score has no population"),
    Mutant("SL52", laws.test_sl52_outside_its_population_a_score_is_refused, entry("scores", "gao2022_a", refusals=()),
           "the model has no population"),
    Mutant("SL54", laws.test_sl54_no_probability_of_lm_in_any_text,
           entry("cautions", "PC07", text=text("The probability of LM is 20 %.")), "a probability of LM"),
    Mutant("SL55", laws.test_sl55_confirmed_of_pan_2018_stands_apart,
           entry("scores", "pan2018", texts=lambda old: {key: text.replace("Published score", "Score")
                                                          for key, text in old.items()}), "the label is gone"),
    Mutant("SL55", laws.test_sl55_confirmed_of_pan_2018_stands_apart,
           grid("K2", is_("csf_cytology_best", "positive", "suspicious")), "the level follows the score"),
    Mutant("SL56", laws.test_sl56_missing_blasts_are_never_cns1,
           inside("evidence", "leukemia_cns", "rows", "3",
                  when=lambda old: FirstKnown((old, Not(Known("csf_blasts_pct"))))), "no blast count is no blasts"),
    Mutant("SL57", laws.test_sl57_markers_without_the_limit_of_the_assay_are_values,
           entry("statements", "lymphoma_il10_raised", when=Above("csf_il10", Limit("23 pg/mL", value=23.0))),
           "a published cut-off for every assay"),
    Mutant("SL58", laws.test_sl58_cut_offs_are_never_transferred,
           entry("findings", "tumor_cells_captured", when=Above("csf_ctc", Limit("1 /mL", value=1.0), inclusive=True)),
           "one cut-off for all platforms"),
    Mutant("SL60", laws.test_sl60_no_doses_schedules_or_brands,
           entry("recommendations", "context_empirical_antibacterial", text=text("Ceftriaxone 2 g every 12 h.")),
           "a dose"),
    Mutant("SL60", laws.test_sl60_no_doses_schedules_or_brands,
           entry("recommendations", "ventricular_access", text=text("An Ommaya reservoir is preferred.")), "a brand"),
    Mutant("SL61", laws.test_sl61_treatment_stands_only_in_the_team_block,
           entry("recommendations", "focal_radiotherapy", context_only=False, priority=3), "treatment among advice"),
    Mutant("SL61", laws.test_sl61_treatment_stands_only_in_the_team_block,
           entry("cautions", "PC05", text=text("Start systemic therapy.")), "treatment in a caution"),
    Mutant("SL62", laws.test_sl62_her2_only_with_her2_positive_breast_cancer,
           entry("recommendations", "her2_breast", when=All((POSITIVE, is_("primary_breast", "yes")))),
           "HER2 status is not asked"),
    Mutant("SL62", laws.test_sl62_her2_only_with_her2_positive_breast_cancer,
           entry("recommendations", "her2_breast", when=All((POSITIVE, is_("her2_status", "positive")))),
           "the primary site is not asked"),
    Mutant("SL63", laws.test_sl63_every_statement_carries_citation_and_status,
           entry("findings", "tumor_dna_in_csf", citations=()), "a finding without source"),
    Mutant("SL63", laws.test_sl63_every_sentence_of_random_panels_is_sourced, entry("cautions", "EC01", citations=()),
           "a comment without source"),
    Mutant("SL64", laws.test_sl64_a_pattern_is_never_a_diagnosis_and_not_shown_is_never_excluded,
           entry("patterns", BACT, texts=lambda old: {**old, "does_not_fit": "Bacterial meningitis is excluded."}),
           "not shown becomes excluded"),
    Mutant("SL64", laws.test_sl64_a_pattern_is_never_a_diagnosis_and_not_shown_is_never_excluded,
           entry("patterns", BACT, texts=lambda old: {**old, "fits": "Diagnosis: bacterial meningitis."}),
           "a pattern becomes a diagnosis"),
    Mutant("SL65", laws.test_sl65_one_language_and_never_silence,
           entry("patterns", BACT, texts=lambda old: {**old, "does_not_fit": ""}), "a text is missing"),
    Mutant("SL66", laws.test_sl66_no_prognosis_outside_the_team_block,
           entry("cautions", "PC07", text=text("Median survival is 3 months.")), "prognosis in a caution"),
    Mutant("SL67", laws.test_sl67_conflicting_sources_are_shown_as_a_conflict,
           inside("profiles", "solid_tumor", "markers", "csf_leukocytes", note="normal in 29 % of all patients"),
           "the conflict is averaged"),
    Mutant("SL68", laws.test_sl68_disputed_glucose_always_carries_its_mark,
           inside("profiles", "hematologic", "markers", "csf_glucose", disputed=False), "the mark is gone"),
]  # fmt: skip
# SL47: each of the reasons of ER12 left out in turn.
MUTANTS += [
    Mutant("SL47", laws.test_sl47_bacterial_meningitis_is_never_said_not_to_fit,
           entry("patterns", BACT, open_if=lambda old, why=reason: tuple(one for one in old if one.reason != why)),
           f"{reason} does not keep the question open")
    for reason in ("alarm_value", "neutrophils", "age", "antibiotics", "immunosuppressed", "device")
]  # fmt: skip

# Panels on which the texts that the mutants change are printed.
TELLING = [
    sent(*ig_pairs(1.5, 0.8, 0.2), leukocytes=3, neutrophils=5, ratio=0.7, lactate=1.5, protein=300),
    sent(leukocytes=2400, neutrophils=92, ratio=0.2, lactate=8.0, protein=3200, context={"tumor": "solid"}),
    sent(cytology="positive", leukocytes=20, context={"tumor": "solid", "mri": "linear", "clinical_signs": "typical"}),
]


def cases(test: Callable[..., None]) -> Iterator[dict[str, Any]]:
    """The parameters of a test, one dictionary per case, as its parametrize marks say."""
    axes = []
    for mark in getattr(test, "pytestmark", []):
        names, values = mark.args[:2]
        names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
        axes.append([dict(zip(names, one if len(names) > 1 else (one,), strict=True)) for one in values])
    for chosen in product(*axes):
        yield {name: value for one in chosen for name, value in one.items()}


def fixtures(edition: Edition, names: set[str]) -> dict[str, Any]:
    """The fixtures that a law's test asks for, made from this edition."""
    core = Core(edition)
    found: dict[str, Any] = {"core": core, "edition": edition, "interpret": interpreting(core)}
    if "levels" in names:
        found["levels"] = laws.some_levels(core)
    if {"documents", "said_"} & names:
        found["documents"] = answered(core, TELLING)
        found["said_"] = laws.all_said(edition, found["documents"])
    return {name: found[name] for name in names}


def fails(test: Callable[..., None], edition: Edition) -> bool:
    """Some case of the law's test raises AssertionError on this edition."""
    every = list(cases(test))
    asked = set(inspect.signature(test).parameters) - {name for one in every for name in one}
    given = fixtures(edition, asked)
    for case in every:
        try:
            test(**given, **case)
        except AssertionError:
            return True
    return False


@pytest.mark.parametrize("mutant", MUTANTS, ids=[f"{one.law} {one.what}" for one in MUTANTS])
def test_the_law_fails_without_its_rule(edition: Edition, mutant: Mutant) -> None:
    assert mutant.test.__name__.startswith(f"test_{mutant.law.lower()}_")
    assert fails(mutant.test, mutant.change(edition))


# The answers that stand for `documents` and `said_` here are others than in tests/test_laws.py.
READ_ANSWERS = {one.test for one in MUTANTS if {"documents", "said_"} & set(inspect.signature(one.test).parameters)}


@pytest.mark.parametrize("test", sorted(READ_ANSWERS, key=lambda test: test.__name__))
def test_the_law_holds_on_the_same_answers_with_its_rule(edition: Edition, test: Callable[..., None]) -> None:
    """Or a mutant would be caught by answers that fit no test."""
    assert not fails(test, edition)


# Laws of the steps, not of the edition: the step itself is broken.


def test_sl47_bites_when_open_grades_are_closed(edition: Edition, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step that keeps a grade open (ER12) left out: every trigger's test fails."""
    core = Core(edition)
    graded = core.patterns.grade

    def closed(truth: Any) -> Any:
        found = graded(truth)
        return replace(found, grade=np.where(found.reason > 0, np.int8(1), found.grade).astype(np.int8))

    monkeypatch.setattr(core.patterns, "grade", closed)
    for name in laws.TRIGGERS:
        with pytest.raises(AssertionError):
            laws.test_sl47_bacterial_meningitis_is_never_said_not_to_fit(core, name)


def test_sl70_bites_when_the_answer_depends_on_the_call(edition: Edition, monkeypatch: pytest.MonkeyPatch) -> None:
    core = Core(edition)
    interpret, calls = core.interpret, iter(range(100))

    def moody(panel: Any) -> Any:
        found = interpret(panel)
        return replace(found, disclaimer=f"{found.disclaimer} {next(calls)}")

    monkeypatch.setattr(core, "interpret", moody)
    with pytest.raises(AssertionError):
        laws.test_sl70_same_input_same_bytes(core, "solid")


# Laws about what is sent: the reader of the panel does what the law forbids, and the very test of the law fails.

Reading = Callable[[dict[str, Any]], dict[str, Any]]


def as_numbers(document: dict[str, Any]) -> dict[str, Any]:
    """A result with "<" is read as the number."""
    observations = [{**one, "value": str(one["value"]).lstrip("<>")} for one in document["observations"]]
    return {**document, "observations": observations}


def without_specimens(document: dict[str, Any]) -> dict[str, Any]:
    """Where a result came from is not read."""
    left_out = [{key: part for key, part in one.items() if key != "specimen"} for one in document["observations"]]
    return {**document, "observations": left_out}


def averaged(document: dict[str, Any]) -> dict[str, Any]:
    """Two results of one analyte become their mean."""
    values = [one["value"] for one in document["observations"]]
    return {**document, "observations": [{**document["observations"][0], "value": sum(values) / len(values)}]}


def imputed(document: dict[str, Any]) -> dict[str, Any]:
    """What a score misses is taken as normal."""
    return {**document, "context": {"pan_biochemistry": 0, **document.get("context", {})}}


READ_SO: dict[str, tuple[Callable[..., None], dict[str, Any], Reading]] = {
    "SL22": (laws.test_sl22_censored_value_is_not_the_number, {}, as_numbers),
    "SL29": (laws.test_sl29_blood_and_csf_analytes_are_never_exchanged,
             {"analyte": "csf_leukocytes", "specimen": "blood"}, without_specimens),
    "SL31": (laws.test_sl31_two_results_are_never_averaged, {"first": 5, "second": 29}, averaged),
    "SL53": (laws.test_sl53_nothing_is_imputed, {}, imputed),
}  # fmt: skip


@pytest.mark.parametrize(("test", "case", "reads"), READ_SO.values(), ids=READ_SO)
def test_the_law_fails_where_a_panel_is_read_so(
    edition: Edition, test: Callable[..., None], case: dict[str, Any], reads: Reading
) -> None:
    plain = interpreting(Core(edition))
    test(plain, **case)
    with pytest.raises(AssertionError):
        test(lambda document: plain(reads(document)), **case)


def test_sl73_bites_on_an_identifier_that_is_not_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    first = SAMPLES[0]
    document = {**first.document(), "patient": {"id": "4711"}}
    monkeypatch.setattr(type(first), "document", lambda _self: document)
    with pytest.raises(AssertionError):
        laws.test_sl73_vectors_are_constructed()


def test_sl74_bites_when_a_broken_site_file_is_taken(
    edition: Edition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that does not load is passed over in silence: the rules before it are taken as if they were its own."""
    load, taken = laws.load_site_rules, []

    def lenient(path: Path, code_map: Any) -> SiteRules:
        with suppress(EditionError):
            taken.append(load(path, code_map))
        return taken[0]

    monkeypatch.setattr(laws, "load_site_rules", lenient)
    monkeypatch.setattr(laws, "apply_site_rules", lambda plain, _: apply_site_rules(plain, taken[0]))
    with pytest.raises(pytest.fail.Exception):
        laws.test_sl74_an_invalid_site_file_stops_the_load_and_the_one_in_force_is_printed(tmp_path, edition)
