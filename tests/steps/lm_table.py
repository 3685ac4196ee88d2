"""Sections 4.0 and 4.1 of lm_evidence.md written out by hand: the verdict of all 2,520 combinations.

Imports no product code.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

TUMORS = ("solid", "hematologic", "primary_cns", "none", "unknown")
BIOPSIES = ("positive", "negative", "not_done")
CYTOLOGIES = ("positive", "suspicious", "atypical", "negative", "nondiagnostic", None)
MRIS = ("linear", "nodular", "linear_nodular", "hydrocephalus", "equivocal", "normal", "not_done")
SIGNS = ("typical", "other", "none", "not_assessed")
LETTER = {"linear": "A", "nodular": "B", "linear_nodular": "C", "hydrocephalus": "D", "equivocal": "D", "normal": "D"}
LEVELS = ("lack_of_evidence", "possible", "probable", "confirmed")


class Combination(NamedTuple):
    tumor: str
    biopsy: str
    cytology: str | None
    mri: str
    signs: str


class Verdict(NamedTuple):
    certainty: str
    type: str | None
    provisional: bool
    row: str
    would_settle: frozenset[str]
    type_open: bool
    review: bool
    reason: str | None


COMBINATIONS = tuple(Combination(*words) for words in product(TUMORS, BIOPSIES, CYTOLOGIES, MRIS, SIGNS))


def expected(one: Combination) -> Verdict:
    """Section 4.1, row by row; the first row that fits. `would_settle` is the column 'would settle' of that row."""
    positive = one.biopsy == "positive" or one.cytology == "positive"
    no_cytology = one.cytology in ("nondiagnostic", None)
    equivocal = one.cytology in ("suspicious", "atypical")
    no_mri = one.mri == "not_done"
    letter = LETTER.get(one.mri)
    abc, d = letter in ("A", "B", "C"), letter == "D"
    typical, not_assessed = one.signs == "typical", one.signs == "not_assessed"
    nothing: frozenset[str] = frozenset()
    first = "I" if no_mri else f"I{letter}"
    second = f"II{letter}" if letter else None
    cytology = {"csf_cytology"} if no_cytology else set()

    def verdict(row, certainty, kind=None, settle=nothing, provisional=False, open_=False, review=False, reason=None):
        return Verdict(certainty, kind, provisional, row, frozenset(settle), open_, review, reason)

    if one.tumor == "hematologic":
        return verdict("R01", "not_applicable", reason="hematologic")
    if one.tumor == "primary_cns":
        return verdict("R02", "not_applicable", reason="primary_cns")
    if positive:
        if one.tumor == "solid":
            return verdict("R03", "confirmed", first, {"mri"} if no_mri else nothing, open_=no_mri)
        if one.tumor == "unknown":
            return verdict("R04a", "confirmed", first, {"tumor"}, True, open_=no_mri)
        return verdict("R04b", "confirmed", first, open_=no_mri)
    if one.tumor == "none":
        return verdict("R05", "not_applicable", None, cytology, no_cytology, reason="no_known_cancer")
    if one.tumor == "unknown":
        return verdict("R06", "not_classifiable", settle={"tumor"})
    if no_cytology and no_mri:
        return verdict(
            "R07", "not_classifiable", settle={"csf_cytology", "mri"} | ({"clinical_signs"} if not_assessed else set())
        )
    if abc and typical:
        return verdict("R09" if no_cytology else "R08", "probable", second, cytology, no_cytology)
    if abc and not_assessed:
        return verdict("R12", "possible", second, {"clinical_signs"} | cytology, True)
    if abc:
        return verdict("R11" if no_cytology else "R10", "possible", second, cytology, no_cytology)
    if d and typical:
        return verdict("R14" if no_cytology else "R13", "possible", second, cytology, no_cytology)
    if d and not_assessed:
        return verdict("R18", "not_classifiable", settle={"clinical_signs"} | cytology)
    if d and no_cytology:
        return verdict("R17", "not_classifiable", settle=cytology)
    if d:
        row = "R15" if one.mri == "hydrocephalus" else "R16"
        return verdict(row, "lack_of_evidence", review=one.mri == "hydrocephalus" or equivocal)
    if typical:
        return verdict("R19", "possible", None, {"mri"}, True, open_=True)
    return verdict("R20", "not_classifiable", settle={"mri"} | ({"clinical_signs"} if not_assessed else set()))


def completions(one: Combination) -> list[Combination]:
    """Every combination that the missing inputs of this one could still become."""
    cytologies = (
        ("positive", "suspicious", "atypical", "negative")
        if one.cytology in ("nondiagnostic", None)
        else (one.cytology,)
    )
    mris = tuple(LETTER) if one.mri == "not_done" else (one.mri,)
    signs = ("typical", "other", "none") if one.signs == "not_assessed" else (one.signs,)
    return [Combination(one.tumor, one.biopsy, *rest) for rest in product(cytologies, mris, signs)]


TRUE, UNKNOWN, FALSE = 2, 1, 0


class Compact(NamedTuple):
    row: str | None
    provisional: bool
    would_settle: frozenset[str]


# Inputs that each row of 4.0 asks, for `would_settle` ("the UNKNOWN inputs of the UNKNOWN rows before the winner").
INPUTS = {
    "K1": {"tumor"}, "K2": {"csf_cytology"}, "K3": {"tumor"}, "K4": {"tumor", "mri", "clinical_signs"},
    "K5": {"tumor", "csf_cytology", "mri", "clinical_signs"}, "K6": {"tumor", "csf_cytology", "mri", "clinical_signs"},
}  # fmt: skip


def compact(one: Combination) -> Compact:
    """Section 4.0 in three values: the K row that wins (None: no row), provisional, what would settle it."""

    def known(flag: bool, unknown: bool) -> int:
        return UNKNOWN if unknown else TRUE if flag else FALSE

    no_cytology, no_mri = one.cytology in ("nondiagnostic", None), one.mri == "not_done"
    tumor_open, signs_open = one.tumor == "unknown", one.signs == "not_assessed"
    positive = max(TRUE if one.biopsy == "positive" else FALSE, known(one.cytology == "positive", no_cytology))
    solid = known(one.tumor == "solid", tumor_open)
    abc = known(LETTER.get(one.mri) in ("A", "B", "C"), no_mri)
    typical = known(one.signs == "typical", signs_open)
    either_known = FALSE if no_cytology and no_mri else TRUE
    rows = {
        "K1": known(one.tumor in ("hematologic", "primary_cns"), tumor_open),
        "K2": positive,
        "K3": known(one.tumor == "none", tumor_open),
        "K4": min(solid, abc, typical),
        "K5": min(solid, either_known, max(abc, typical)),
        "K6": min(
            solid,
            known(one.cytology in ("negative", "suspicious", "atypical"), no_cytology),
            known(LETTER.get(one.mri) == "D", no_mri),
            known(one.signs in ("other", "none"), signs_open),
        ),
    }
    unknown = {
        name
        for name, missing in (
            ("tumor", tumor_open), ("csf_cytology", no_cytology), ("mri", no_mri), ("clinical_signs", signs_open),
        )
        if missing
    }  # fmt: skip
    winner = next((name for name, truth in rows.items() if truth == TRUE), None)
    before = list(rows)[: list(rows).index(winner)] if winner else list(rows)
    open_rows = [name for name in before if rows[name] == UNKNOWN]
    settle = frozenset(name for row in open_rows for name in INPUTS[row] & unknown)
    return Compact(winner, bool(winner and open_rows), settle)
