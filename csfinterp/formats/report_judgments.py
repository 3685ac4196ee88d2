"""The judging sections of the text report: findings, certainty of metastasis, hematologic path, profiles."""

from __future__ import annotations

from collections.abc import Iterator

from csfinterp.formats.report_advice import leukemia_status
from csfinterp.formats.report_document import Report
from csfinterp.formats.report_layout import fact, heading, paragraph
from csfinterp.formats.report_words import (
    APPLIES,
    CERTAINTY,
    LM_REASON,
    Part,
    number,
    part,
    parts,
    text,
    texts,
    title,
    words,
)


def findings(report: Report) -> Iterator[str]:
    yield from heading("Findings")
    rules = parts(report.document, "findings")
    present = [finding for finding in rules if text(finding, "truth") == "true"]
    for finding in present:
        grade = f", {text(finding, 'severity')}" if text(finding, "severity") else ""
        because = "; ".join(map(report.said, texts(finding, "because")))
        sentence = f"{title(finding)}{grade}{': ' + because if because else ''}"
        yield from paragraph(sentence + report.cited(finding), lead="+ ")
    if not present:
        yield report.none("findings", "No finding is present by the rules of this edition.")
    absent = [title(finding) for finding in rules if text(finding, "truth") == "false"]
    if absent:
        yield from paragraph(f"Rule not met (no proof of absence): {', '.join(absent)}.", hang=2)
    undecided = [_open(report, finding) for finding in rules if text(finding, "truth") not in ("true", "false")]
    if undecided:
        yield from paragraph(f"Not judged: {'. '.join(undecided)}.", hang=2)


def _open(report: Report, finding: Part) -> str:
    missing, rule = "; ".join(report.missing(finding)), text(finding, "suppressed_by")
    reasons = [f"missing: {missing}" if missing else "", f"withheld: {report.name(rule)}" if rule else ""]
    reason = ", ".join(filter(None, reasons))
    return f"{title(finding)} ({reason})" if reason else title(finding)


def lm(report: Report) -> Iterator[str]:
    grid = part(report.document, "lm")
    guideline = text(grid, "guideline") or "guideline not stated"
    yield from heading(f"Leptomeningeal metastasis: certainty by {guideline}")
    yield from fact("Certainty", _certainty(grid))
    if grid.get("provisional") is True:
        yield from fact("Provisional", "yes: an input that is missing can still change this")
    yield from _listed("Because", list(map(report.said, texts(grid, "because"))))
    yield from _listed("Missing", report.missing(grid))
    yield from _listed("Would settle", list(map(report.said, texts(grid, "would_settle"))))
    bounds, solid = part(grid, "bounds"), part(grid, "if_solid")
    if bounds and bounds.get("lowest") != bounds.get("highest"):
        yield from fact("Bounds", f"lowest {words(text(bounds, 'lowest'))}, highest {words(text(bounds, 'highest'))}")
    if solid:
        yield from fact("If solid tumor", f"{_certainty(solid)} (row {text(solid, 'row') or 'not stated'})")
    if grid.get("review") is True:
        yield from fact("Review", "the guideline is not clear for this combination: have it reviewed")
    for caution in parts(grid, "cautions"):
        yield from fact("Caution", f"{text(caution, 'text')} ({text(caution, 'id')})")
    yield from fact("Row", (text(grid, "row") or "not stated") + report.cited(grid))
    yield from paragraph("Certainty is a statement about the evidence, not a probability.")


def _certainty(lm: Part) -> str:
    word, kind = text(lm, "certainty"), text(lm, "type")
    level = CERTAINTY.get(word, words(word)) or "not stated"
    kind = f", type {kind}" if kind else ""
    letter = ", letter of the type open" if lm.get("type_open") is True else ""
    provisional = ", PROVISIONAL" if lm.get("provisional") is True else ""
    reason = LM_REASON.get(text(lm, "reason"), words(text(lm, "reason")))
    return level + kind + letter + provisional + (f"; {reason}" if reason else "")


def _listed(label: str, items: list[str]) -> Iterator[str]:
    for place, item in enumerate(items):
        yield from fact(label if place == 0 else "", item)


def paths(report: Report) -> Iterator[str]:
    """Hematologic disease: printed where it applies, and named where it does not."""
    yield from heading("Hematologic disease in the CSF")
    path, leukemia = part(report.document, "hematologic_cns"), part(report.document, "leukemia_cns")
    status = words(text(path, "status")) or "not stated"
    row_text = f" (row {text(path, 'row')})" if text(path, "row") else ""
    yield from fact("Status", status + row_text + report.cited(path, ""))
    yield from fact("", text(path, "text")) if text(path, "text") else ()
    yield from _listed("Because", list(map(report.said, texts(path, "because"))))
    yield from _listed("Missing", report.missing(path))
    yield from _listed("Would settle", list(map(report.said, texts(path, "would_settle"))))
    if not leukemia:
        yield from fact("Leukemia CNS", "not stated: this document has no leukemia status")
    elif text(leukemia, "status") == "not_applicable":
        yield from fact("Leukemia CNS", leukemia_status(leukemia) + report.cited(leukemia, "source_status"))


def profiles(report: Report) -> Iterator[str]:
    yield from heading("Comparison with published profiles")
    for profile in parts(report.document, "profiles"):
        applicability = text(profile, "applicability")
        reason = text(profile, "reason")
        head = f"{title(profile)}: {APPLIES.get(applicability, words(applicability) or 'not stated')}"
        yield from paragraph(head + (f" ({words(reason)})" if reason else "") + report.cited(profile), indent=0)
        counted = f"{text(profile, 'abnormal') or '?'} of {text(profile, 'evaluable') or '?'} evaluable markers"
        yield from paragraph(text(profile, "text") or f"Abnormal in the profile's direction: {counted}.")
        for marker in parts(profile, "markers"):
            yield from _marker(report, marker)
        for criterion in dict.fromkeys(text(marker, "entry_criterion") for marker in parts(profile, "markers")):
            yield from paragraph(f"Entry criterion of the cohort: {criterion}") if criterion else ()
        yield from paragraph(text(profile, "caution")) if text(profile, "caution") else ()


def _marker(report: Report, marker: Part) -> Iterator[str]:
    share, cohort = marker.get("cohort_share"), text(marker, "cohort_n")
    published = f"published share {number(round(share * 100, 6))} %" if isinstance(share, int | float) else "no share"
    published += f" (n = {cohort})" if cohort else ""
    disputed = marker.get("disputed") is True and "disputed" not in text(marker, "note")
    marks = ["disputed"] if disputed else []
    marks += ["not scored"] if marker.get("scored") is False else []
    flag = f"flag {text(marker, 'flag')}" if text(marker, "flag") else "no flag"
    said = [words(text(marker, "agreement")) or "not evaluable", flag, published, *marks, text(marker, "note")]
    name = f"{report.name(text(marker, 'id'))} {text(marker, 'direction')}".strip()
    yield from paragraph(f"{name}: {', '.join(filter(None, said))}{report.cited(marker)}", lead="- ")
