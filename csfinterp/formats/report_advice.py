"""The advising sections of the text report: liquid biopsy, leukemia status, scores, recommendations."""

from __future__ import annotations

from collections.abc import Iterator

from csfinterp.formats.report_document import Report
from csfinterp.formats.report_layout import WIDTH, fact, heading, paragraph
from csfinterp.formats.report_words import (
    CONTEXT_ONLY,
    LEUKEMIA_REASON,
    PRIORITIES,
    SCORE_STATUS,
    Part,
    part,
    parts,
    text,
    texts,
    title,
    words,
)

AUDIENCES = (("laboratory", "For the laboratory"), ("treating_team", "For the treating team"))


def liquid_biopsy(report: Report) -> Iterator[str]:
    """Statements on tumor DNA, tumor cells and markers, and the variants as they were reported."""
    reading = part(report.document, "liquid_biopsy")
    statements, variants = parts(reading, "statements"), parts(reading, "variants")
    if statements or variants:
        yield from heading("Liquid biopsy and tumor markers")
    for statement in statements:
        said = report.said(text(statement, "text")) + report.because(statement)
        yield from paragraph(said + report.cited(statement), lead="- ")
    if variants:
        yield from paragraph("Tumor DNA variants as reported:")
    for variant in variants:
        yield from paragraph(_variant(report, variant), lead="- ")


def _variant(report: Report, variant: Part) -> str:
    fraction = f", allele fraction {text(variant, 'vaf_pct')} %" if text(variant, "vaf_pct") else ""
    plasma = {"yes": ", also in plasma", "no": ", not in plasma"}.get(text(variant, "also_in_plasma"), "")
    change = f"{text(variant, 'gene')} {text(variant, 'hgvs')}".strip() or "not named"
    return f"{report.name(text(variant, 'analyte'))}: {change}{fraction}{plasma}"


def leukemia(report: Report) -> Iterator[str]:
    """Printed as a section of its own only where the classes are made for the patient."""
    entry = part(report.document, "leukemia_cns")
    if not entry or text(entry, "status") == "not_applicable":
        return
    yield from heading("Leukemia CNS status")
    yield from fact("Status", leukemia_status(entry) + report.cited(entry, "source_status"))
    yield from fact("", report.said(text(entry, "text"))) if text(entry, "text") else ()
    if entry.get("provisional") is True:
        yield from fact("Provisional", "yes: an input that is missing can still change this")
    for label, key in (("Because", "because"), ("Missing", "missing"), ("Would settle", "would_settle")):
        for place, item in enumerate(dict.fromkeys(texts(entry, key))):
            said = report.said(item) if key == "because" else report.name(item)
            yield from fact("" if place else label, said)


def leukemia_status(entry: Part) -> str:
    """`CNS2a (row 5)`, with the reason where there is one."""
    reason = text(entry, "reason")
    row = f" (row {text(entry, 'row')})" if text(entry, "row") else ""
    said = f": {LEUKEMIA_REASON.get(reason, words(reason))}" if reason else ""
    return (words(text(entry, "status")) or "not stated") + row + said


def scores(report: Report) -> Iterator[str]:
    found = parts(report.document, "scores")
    if not found and isinstance(report.document.get("scores"), list | tuple):
        return
    yield from heading("Published scores")
    if not found:
        yield report.none("scores", "")
    for score in found:
        status = text(score, "status")
        status = SCORE_STATUS.get(status, words(status)) or "status not stated"
        yield from paragraph(f"{title(score)}: {status}{report.cited(score, 'source_status')}", lead="- ")
        for line in score_lines(score):
            yield from paragraph(report.said(line), indent=4)


def score_lines(score: Part) -> Iterator[str]:
    """The answer, the reason and what is missing unless the answer says them, and for whom the score was made."""
    answer = text(score, "text") or " ".join(filter(None, [text(score, "value"), words(text(score, "class"))]))
    if answer:
        yield answer
    if text(score, "reason") and text(score, "reason") not in answer:
        yield f"Reason: {text(score, 'reason')}."
    missing = [name for name in texts(score, "missing") if name not in answer]
    if missing:
        yield f"Missing: {', '.join(missing)}."
    if text(score, "population"):
        yield f"Made for: {text(score, 'population')}."


def recommendations(report: Report) -> Iterator[str]:
    """Advice to consider, by reader; what is only context for the treating team stands in a block of its own."""
    found = parts(report.document, "recommendations")
    yield from heading("Recommendations")
    if not found:
        yield report.none("recommendations", "No recommendation of this edition applies.")
        return
    advice = [entry for entry in found if entry.get("context_only") is not True]
    for audience, label in AUDIENCES:
        yield from _advice(report, [entry for entry in advice if text(entry, "audience") == audience], label)
    known = [audience for audience, _ in AUDIENCES]
    yield from _advice(report, [entry for entry in advice if text(entry, "audience") not in known], "For all")
    if not advice:
        yield from paragraph("None beside the context below.")


def _advice(report: Report, found: list[Part], label: str) -> Iterator[str]:
    if found:
        yield from paragraph(f"{label}:", indent=0)
    yield from _entries(report, found)


def _entries(report: Report, found: list[Part]) -> Iterator[str]:
    for entry in found:
        if entry.get("folded") is not True:
            word = PRIORITIES.get(text(entry, "priority"), "")
            said = report.said(text(entry, "text")) + report.because(entry)
            label = f"{word.upper()}: " if word not in ("", "context") else ""
            yield from paragraph(f"{label}{said} ({text(entry, 'rule')}){report.cited(entry)}", lead="- ")
    folded = sum(entry.get("folded") is True for entry in found)
    if folded:
        yield from paragraph(f"{folded} more in the full document.")


def context_only(report: Report) -> Iterator[str]:
    """Management context, never mixed with results or advice; off unless the document unfolds it (recommendations.md:
    switched off by default in a plain laboratory report)."""
    found = [entry for entry in parts(report.document, "recommendations") if entry.get("context_only") is True]
    if any(entry.get("folded") is not True for entry in found):
        yield ""
        yield CONTEXT_ONLY
        yield "-" * WIDTH
        yield from _entries(report, found)
