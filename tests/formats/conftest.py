"""One hand-made interpretation for the tests of the formats: every kind of entry once, contents synthetic."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from csfinterp.formats.panel_json import Envelope, write
from csfinterp.model.interpretation import (
    CautionResult,
    CitationEntry,
    CriticalResult,
    DifferentialGroupResult,
    DifferentialResult,
    FindingResult,
    HematologicResult,
    Interpretation,
    Issue,
    ItemResult,
    LeukemiaResult,
    LMBounds,
    LMCaution,
    LMResult,
    MarkerResult,
    Note,
    PatternResult,
    ProfileResult,
    QualityResult,
    RecommendationResult,
    Reference,
    Reported,
    Result,
    ScoreResult,
    Sentence,
    StatementResult,
    Summary,
)
from csfinterp.model.panel import Variant

PANEL = {
    "source": {"system": "LIS-A", "message_id": "MSG-000123"},
    "patient": {"id": "MRN-4711", "birth_date": "1961-04-02", "sex": "female"},
    "specimen": {
        "id": "ACC-2026-0815",
        "type": "csf",
        "site": "lumbar",
        "collected_at": "2026-03-01T09:20:00+01:00",
        "received_at": "2026-03-01T09:55:00+01:00",
        "volume": {"value": 8, "unit": "mL"},
        "tube": 1,
        "puncture_number": 1,
    },
    "status": "final",
    "context": {
        "tumor": {"class": "solid", "primary": "breast"},
        "clinical_signs": "typical",
        "mri": "linear",
        "biopsy": "not_done",
        "question": "lm",
        "immunosuppressed": False,
        "antibiotics_before_lp": False,
    },
    "observations": [
        {"code": "csf_leukocytes", "value": 21, "unit": "/uL"},
        {"code": {"system": "http://loinc.org", "code": "2880-3"}, "value": "812", "unit": "mg/L"},
        {"code": "csf_lactate", "value": 3.9, "unit": "mmol/L"},
        {"code": "csf_erythrocytes", "value": 5, "comparator": "<", "unit": "/uL"},
        {"code": "csf_cytology", "value": "positive"},
        {
            "code": "csf_ctdna",
            "value": "detected",
            "variants": [{"gene": "ERBB2", "hgvs": "p.V777L", "vaf_pct": 12.5}],
        },
    ],
}


@pytest.fixture
def panel() -> dict[str, object]:
    """The panel document that the contract prints."""
    return deepcopy(PANEL)


def _result(analyte: str, name: str, value: float | str | None, **changes: Any) -> Result:
    plain = Result(
        analyte=analyte, name=name, loinc=None, kind="quantity", reported=None, value=value, comparator=None, unit=None,
        derived=False, inputs=(), flag=None, critical=False, not_judged=None, reference=None, times_limit=None,
        advisory=None, notes=(), laboratory_flag=None, laboratory_range=None, organism=None, organism_class=None,
        decimals=0, citations=("csfinterp_rule",), status="ours",
    )  # fmt: skip
    return replace(plain, **changes)


def _results() -> tuple[Result, ...]:
    leukocytes = Reference(
        None, 4.0, None, True, "≤ 4", "/uL", "age >= 12 a, any site", ("bonig2019",), "primary", "csf_leukocytes/L5"
    )
    quotient = Reference(
        None, 8.3, None, True, "≤ 8.3", "10*-3", "64 a, lumbar", ("recalled2000",), "recalled", "albumin_quotient/Q2"
    )
    return (
        _result(
            "csf_leukocytes", "Leukocytes in CSF", 21.0, loinc="26465-5", unit="/uL", flag="H", times_limit=5.25,
            reported=Reported("21", None, "/uL", "csf_leukocytes"), reference=leukocytes,
            notes=(Note("site_not_stated", "A normal count excludes nothing."),),
        ),
        _result(
            "csf_glucose", "Glucose in CSF", 2.220297964, unit="mmol/L", not_judged="no_interval", decimals=2,
            reported=Reported("40", None, "mg/dL", "2342-4"), laboratory_flag="L", laboratory_range="45-80 mg/dL",
        ),
        _result(
            "csf_gram_stain", "Gram stain of CSF", "positive", kind="coded", flag="AA", critical=True,
            reported=Reported("positive", None, None, "csf_gram_stain"), organism="Listeria monocytogenes",
            organism_class="bacterial",
        ),
        _result(
            "csf_ctdna", "Circulating tumor DNA in CSF", "detected", kind="coded", flag="A",
            reported=Reported("detected", None, None, "csf_ctdna"),
            variants=(Variant("ERBB2", "p.V777L", 12.5), Variant("TP53")),
        ),
        _result(
            "albumin_quotient", "CSF/serum albumin quotient", 8.30004, unit="10*-3", derived=True, flag="H",
            inputs=("csf_albumin", "serum_albumin"), times_limit=1.0, reference=quotient,
        ),
    )  # fmt: skip


def _profile() -> ProfileResult:
    cells = MarkerResult(
        "csf_leukocytes", "high", True, False, "true", "agrees", "H", 0.79, 76, "malignant cells in CSF", None,
        ("bonig2019",), "primary",
    )  # fmt: skip
    glucose = replace(
        cells, id="csf_glucose", scored=False, disputed=True, truth="unknown", agreement="not_evaluable", flag=None,
        cohort_share=None,
    )  # fmt: skip
    return ProfileResult(
        "solid_tumor", "Solid tumor", "applies", None, 1, 1, "Abnormal: 1 of 1.", (cells, glucose),
        "Shares come from patients with positive cytology.", ("bonig2019",), "primary",
    )  # fmt: skip


def _findings() -> tuple[FindingResult, ...]:
    because = ("csf_leukocytes 21 > limit 4",)
    return (
        FindingResult("pleocytosis", "Pleocytosis", "true", None, because, (), None, ("bonig2019",), "primary"),
        FindingResult("protein_raised", "Protein raised", "unknown", None, (), ("csf_protein",), None, (), "ours"),
        FindingResult("blood_in_csf", "Blood in CSF", "false", None, (), (), None, (), "ours"),
    )


def _quality() -> QualityResult:
    return QualityResult(
        "pair_not_matched", "PL03", "pair not matched", "true", "suppresses", ("igg_intrathecal_pct",),
        ("serum of another day",), "Not validated as a pair.", ("csfinterp_rule",), "ours",
    )  # fmt: skip


def _lm() -> LMResult:
    return LMResult(
        "possible", "IIA", False, True, "R12", LMBounds("possible", "confirmed"), None, True, ("mri linear",),
        ("clinical_signs",), ("clinical signs: typical would make it probable",),
        (LMCaution("entity", "Type the cells."),), "EANO-ESMO 2023", ("recalled2000",), "recalled", None,
    )  # fmt: skip


def _patterns() -> tuple[PatternResult, ...]:
    items = (
        ItemResult("B0", "decisive", "unknown", "bacteria found", ("bonig2019",), "primary"),
        ItemResult("B1", "core", "true", "leukocytes above 1000 per uL", ("bonig2019",), "primary"),
        ItemResult("B2", "core", "false", "neutrophils predominate", ("csfinterp_rule",), "ours"),
        ItemResult("B8", "counter", "true", "lymphocytes predominate", ("recalled2000",), "recalled"),
    )
    line = StatementResult("P1", "Few cells do not exclude it.", (), ("recalled2000",), "recalled")
    bacterial = PatternResult(
        id="bacterial_meningitis", rule="P-BACT", name="Bacterial meningitis", truth="true", grade="partly_fits",
        reason=None, shown=True, emergency=True, discordant=False, alarms=("csf_lactate 4.2 mmol/L >= 3.5 mmol/L",),
        items=items, support=("leukocytes above 1000 per uL (csf_leukocytes 2100 /uL > 1000 /uL)",),
        against=("not: neutrophils predominate", "lymphocytes predominate"), missing=("glucose_ratio", "csf_lactate"),
        text="The values partly fit bacterial meningitis: emergency.", lines=(line,), citations=("bonig2019",),
        status="ours",
    )  # fmt: skip
    plain = replace(
        bacterial, emergency=False, alarms=(), items=(), support=(), against=(), missing=(), lines=(), status="primary"
    )
    absent = {"truth": "false", "grade": "does_not_fit"}
    metastasis = replace(
        plain, id="leptomeningeal_metastasis_csf", rule="P-NEO", name="Leptomeningeal metastasis, CSF side",
        truth="true", grade="established", discordant=True, text="Tumor cells were found.",
    )  # fmt: skip
    return (
        metastasis,
        bacterial,
        replace(plain, id="viral_meningitis", rule="P-VIRAL", name="Viral meningitis", truth="unknown",
                grade="not_evaluable", reason="age", text="It remains possible because the patient is young."),
        replace(plain, id="neurosarcoidosis", rule="P-SARC", name="Neurosarcoidosis", truth="unknown",
                grade="not_evaluable", text="It cannot be judged.", missing=("csf_albumin",)),
        replace(plain, id="blood_contamination", rule="P-TRAUMA", name="Blood in the sample", **absent,
                text="No relevant amount of blood in the sample."),
        replace(plain, id="isolated_barrier_dysfunction", rule="P-BARRIER", name="Isolated barrier dysfunction",
                **absent, text="The values do not show this pattern."),
        replace(plain, id="subarachnoid_blood", rule="P-SAH", name="Subarachnoid blood", shown=False),
    )  # fmt: skip


def _cautions() -> tuple[CautionResult, ...]:
    because = ("csf_leukocytes 21 /uL > 4 /uL", "question lm", "mri linear", "viral_meningitis at least partly_fits")
    first = CautionResult("PC01", "Three-way differential is obligatory.", because, ("csfinterp_rule",), "ours")
    more = (replace(first, id=f"EC0{n}", text=f"Caution {n}.", because=(), folded=n > 6) for n in range(1, 8))
    return (first, *more)


def _differential() -> DifferentialResult:
    group = DifferentialGroupResult(
        "ms_retrovirus", ("multiple sclerosis", "HTLV"), (), ("oligoclonal bands",), ("recalled2000",), "recalled"
    )
    return DifferentialResult("MRI shows enhancement.", (group,), ("Never used to lower LM.",), ("bonig2019",))


def _scores() -> tuple[ScoreResult, ...]:
    computed = ScoreResult(
        "pan2018", "Pan 2018 score", "computed", 8.0, None, "possible", "Total 8 of 13: possible.", None, (),
        "suspected metastasis", ("bonig2019",), "primary",
    )  # fmt: skip
    refused = replace(
        computed, id="gao2022_b", name="Gao 2022 model B", status="refused", value=None, class_word=None,
        text="Refused: made for solid tumors. Missing: csf_protein.", reason="made for solid tumors",
        missing=("csf_protein",), source_status="secondary",
    )  # fmt: skip
    return computed, refused


def _recommendations() -> tuple[RecommendationResult, ...]:
    call = RecommendationResult(
        id="critical_organism", rule="R-I01", text="Call the clinician now.", audience="laboratory",
        context_only=False, priority=1, folded=False, because=("csf_gram_stain positive",), citations=("bonig2019",),
        status="primary",
    )  # fmt: skip
    team = replace(call, id="mri", rule="R-N01", text="Contrast MRI is recommended.", audience="treating_team",
                   priority=3, because=("mri not known",), citations=("csfinterp_rule",), status="ours")  # fmt: skip
    folded = replace(team, id="more", rule="R-L10", text="Consider cytology.", priority=4, folded=True)
    context = replace(team, id="board", rule="R-T01", text="Discuss in the board.", priority=5, context_only=True)
    return call, team, folded, context, replace(context, id="care", rule="R-T11", text="Support.", folded=True)


def _leukemia() -> LeukemiaResult:
    return LeukemiaResult(
        "CNS2a", 5, True, None, ("csf_blasts_pct 2 % > 0 %",), ("blood_blasts_present",), ("cns_leukemia_signs",),
        ("recalled2000",), "Blasts with few cells: CNS2a.", "recalled",
    )  # fmt: skip


def _interpretation() -> Interpretation:
    sentence = Sentence("The cell count is raised.", ("pleocytosis",), ("bonig2019",), "primary")
    return Interpretation(
        status="final",
        edition={"id": "2026.1", "digest": "sha256:0123456789abcdef", "status": "released"},
        site_rules=None,
        software={"name": "csfinterp", "version": "0.1.0"},
        patient={"id": "MRN-4711", "sex": "female", "age_at_collection": {"value": 64, "unit": "a"}},
        specimen={"id": "ACC-2026-0815", "type": "csf", "site": "lumbar", "collected_at": "2026-03-01T09:20:00+01:00"},
        context={"tumor": {"class": "solid", "primary": "breast"}, "mri": "linear"},
        results=_results(),
        issues=(Issue("unit_missing", "error", 3, "No unit: send the unit in UCUM."),),
        quality=(_quality(),),
        findings=_findings(),
        profiles=(_profile(),),
        lm=_lm(),
        hematologic_cns=HematologicResult("not_applicable", None, "Not a hematologic disease.", (), (), (), ()),
        leukemia_cns=_leukemia(),
        liquid_biopsy=(
            StatementResult("LB1", "Tumor DNA was found.", ("csf_ctdna detected",), ("bonig2019",), "primary"),
        ),
        patterns=_patterns(),
        cautions=_cautions(),
        differential=_differential(),
        scores=_scores(),
        recommendations=_recommendations(),
        summary=Summary("LM possible.", (sentence,)),
        critical=(CriticalResult("csf_gram_stain", "CR-ORG", "critical", "service", "organism seen", None),),
        citations=(
            CitationEntry("bonig2019", "Bönig L, et al. 2019", "10.1/x", None, "primary"),
            CitationEntry("recalled2000", "A textbook 2000", None, "123", "recalled"),
            CitationEntry("csfinterp_rule", "Rule of this service", None, None, "ours"),
        ),
        disclaimer="Decision support, not a diagnosis.",
    )


INTERPRETATION = _interpretation()


@pytest.fixture
def interpretation() -> Interpretation:
    return INTERPRETATION


@pytest.fixture(scope="session")
def make_document() -> Callable[[], dict[str, object]]:
    """A fresh interpretation document on every call (for property tests that change it)."""
    return lambda: write(INTERPRETATION, Envelope("panel-1", 1, "2026-03-01T10:00:00+01:00"))
