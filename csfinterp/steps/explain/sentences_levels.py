"""The sentences of the summary that levels make: EANO-ESMO certainty, hematologic path, leukemia status."""

from __future__ import annotations

from collections.abc import Iterator

from csfinterp.model.interpretation import HematologicResult, LeukemiaResult, LMResult
from csfinterp.steps.explain.phrases import Weighted, level_words, listed, said
from csfinterp.steps.explain.row import Row

# Who asks one of these is not told that the levels do not apply.
OTHER_QUESTIONS = ("infection", "inflammation", "gbs", "sah")
INPUT_WORDS = {
    "tumor": "tumor",
    "biopsy": "biopsy",
    "csf_cytology": "cytology",
    "mri": "MRI",
    "clinical_signs": "clinical signs",
}


def lm(row: Row, level: LMResult) -> Iterator[Weighted]:
    """The level with why and what would settle it; without a level only where the question is asked."""
    table, because = row.parts.evidence["eano_esmo"].table, ("lm", level.row)
    if level.certainty not in ("not_classifiable", "not_applicable"):
        words, reasons = level_words(level), ", ".join(map(_plain, level.because))
        why = (f": {reasons}" if words.endswith(")") else f" ({reasons})") if reasons else ""
        text = f"Certainty of leptomeningeal metastasis by {level.guideline}: {words}{why}."
        yield said(9, text, because, level.citations, level.status)
    elif _asked(row) and (level.certainty == "not_classifiable" or row.word("question") not in OTHER_QUESTIONS):
        yield from _without_level(row, level)
    graded = level.certainty not in ("not_classifiable", "not_applicable")
    if level.would_settle and ((graded and level.provisional) or (not graded and _asked(row))):
        printed = {"csf_cytology": "csf_cytology_best"}
        texts = [table.missing_texts.get(printed.get(name, name), name) for name in level.would_settle[:2]]
        yield said(8, "What would settle it: " + " ".join(texts), because, table.citations, "ours")
    for caution in level.cautions:
        if caution.id != "not_an_exclusion":  # the level itself says so
            yield said(9, caution.text, ("lm", caution.id), level.citations, "ours")


def _without_level(row: Row, level: LMResult) -> Iterator[Weighted]:
    table = row.parts.evidence["eano_esmo"].table
    if level.certainty == "not_classifiable":
        missing = f": {listed(map(_plain, level.would_settle))} not known" if level.would_settle else ""
        text = f"The certainty of leptomeningeal metastasis cannot be classified{missing}."
        yield said(8, text, ("lm", level.row), level.citations, level.status)
        return
    found = next((rule for rule in table.rows if rule.reason == level.reason and rule.text), None)
    if found is not None and found.text:
        yield said(7, found.text, ("lm", level.row), found.citations, found.status)


def _plain(reason: str) -> str:
    """ "mri linear_nodular" -> "MRI linear nodular"."""
    name, _, rest = reason.partition(" ")
    return f"{INPUT_WORDS.get(name, name)} {rest.replace('_', ' ')}".strip()


def _asked(row: Row) -> bool:
    """The sender asks about LM, or sent part of its evidence."""
    words, empty = row.panel.context.words, (None, "not_done", "not_assessed")
    known = [name for name in ("mri", "clinical_signs", "biopsy") if words.get(name) not in empty]
    known = known if row.word("tumor") != "none" else []
    return words.get("question") == "lm" or bool(known) or row.word("tumor") in ("solid", "primary_cns")


def hematologic(row: Row, path: HematologicResult) -> Iterator[Weighted]:
    """The path of hematologic disease in its own words."""
    if path.status != "not_applicable" and path.text:
        rows = {found.id.split("-")[0]: found for found in row.parts.evidence["hematologic_cns"].table.rows}
        status = rows[path.row].status if path.row in rows else "ours"
        yield said(9, path.text, ("hematologic_cns", path.row or ""), path.citations, status)


def leukemia(marks: LeukemiaResult) -> Iterator[Weighted]:
    """The CNS status of leukemia, where one is asked for."""
    if marks.status != "not_applicable" and marks.text:
        text = marks.text.rstrip(".") + (" (provisional)." if marks.provisional else ".")
        yield said(8, text, ("leukemia_cns", str(marks.row or "")), marks.citations, marks.source_status)
