"""One hand-made interpretation for the tests of the formats: every kind of entry once, contents synthetic."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import pytest

from csfinterp.formats.panel_json import Envelope, write
from csfinterp.model.interpretation import (
    CitationEntry,
    CriticalResult,
    FindingResult,
    HematologicResult,
    Interpretation,
    Issue,
    LMBounds,
    LMCaution,
    LMResult,
    MarkerResult,
    Note,
    ProfileResult,
    QualityResult,
    Reference,
    Reported,
    Result,
    Sentence,
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


def _result(analyte: str, name: str, value: float | str | None, **changes: object) -> Result:
    plain = Result(
        analyte=analyte, name=name, loinc=None, kind="quantity", reported=None, value=value, comparator=None, unit=None,
        derived=False, inputs=(), flag=None, critical=False, not_judged=None, reference=None, times_limit=None,
        advisory=None, notes=(), laboratory_flag=None, laboratory_range=None, organism=None, organism_class=None,
        decimals=0, citations=("csfinterp_rule",), status="ours",
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


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
