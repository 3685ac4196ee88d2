"""What a correction changed, for a reader: withdrawn critical calls first, then every other difference in a line."""

from __future__ import annotations

from collections.abc import Iterator

from csfinterp.formats.report_layout import box, heading, paragraph
from csfinterp.formats.report_names import name_of, names_of, spoken
from csfinterp.formats.report_words import CERTAINTY, GRADES, NOT_JUDGED, Part, part, parts, plain, text, words

_TRUTHS = {"true": "yes", "false": "no", "unknown": "cannot be judged"}
WITHDRAWN = "CRITICAL RESULT WITHDRAWN - TELL WHOEVER WAS CALLED"


def write(change: Part) -> str:
    """The block that stands before the report of a corrected panel; lines of at most 80 columns."""
    lines = [*heading(f"Changed since version {text(change, 'from')}")]
    gone = withdrawn(change)
    if gone:
        lines += box(f"!!! {WITHDRAWN}", [f"* {sentence}" for sentence in gone])
    said = list(sentences(change))
    for sentence in said or ([] if gone else ["Nothing that this list compares."]):
        lines += paragraph(sentence, lead="- ")
    return "\n".join([*(line.rstrip() for line in lines), ""]) + "\n"


def told(change: Part) -> list[str]:
    """Everything that differs, a line each, behind a line that says since when; withdrawn critical calls first."""
    since = f"Changed since version {text(change, 'from')}:"
    return [since, *(f"{WITHDRAWN}: {sentence}" for sentence in withdrawn(change)), *sentences(change)]


def withdrawn(change: Part) -> list[str]:
    """The critical calls that no longer hold, each with what is recorded of the call."""
    return [f"{text(row, 'reason')} {_called(row)}" for row in parts(part(change, "critical"), "withdrawn")]


def _called(row: Part) -> str:
    told = part(row, "acknowledged")
    return f"Call recorded: {plain(told)}." if told else "No call was recorded."


def sentences(change: Part, names: dict[str, str] | None = None) -> Iterator[str]:
    """One line for each difference, ids in words."""
    known = names or names_of({"results": parts(change, "results"), "findings": parts(change, "findings")})
    critical = part(change, "critical")
    for row in parts(critical, "new"):
        yield f"Critical, new: {text(row, 'reason')}"
    for row in parts(critical, "changed"):
        yield f"Critical, changed: {text(part(row, 'after'), 'reason')} Before: {text(part(row, 'before'), 'reason')}"
    yield from _from_to(change, "status", "Status")
    for row in parts(change, "results"):
        yield f"{text(row, 'name') or name_of(text(row, 'analyte'), known)}: {_result(row)}."
    yield from _from_to(change, "headline", "Summary")
    yield from _certainty(change)
    for row in parts(change, "patterns"):
        yield f"{text(row, 'name')}: {_grade(row, 'after')} (before: {_grade(row, 'before')})."
    for row in parts(change, "findings"):
        yield f"{text(row, 'name')}: {_truth(row, 'after')} (before: {_truth(row, 'before')})."
    for row in parts(change, "context"):
        before, after = (spoken(plain(row.get(key)), known) or "not stated" for key in ("before", "after"))
        yield f"{name_of(text(row, 'id'), known)}: {after} (before: {before})."
    yield from _from_to(change, "edition", "Edition")


def _result(row: Part) -> str:
    kind, before, after = text(row, "kind"), part(row, "before"), part(row, "after")
    if kind == "added":
        return f"new, {_value(after)}"
    if kind == "removed":
        return f"no longer reported, it was {_value(before)}"
    return f"{_value(after)} (before: {_value(before)})"


def _value(result: Part) -> str:
    judged = text(result, "flag") or NOT_JUDGED.get(text(result, "not_judged"), words(text(result, "not_judged")))
    return ", ".join(filter(None, [text(result, "text") or "no value", judged]))


def _certainty(change: Part) -> Iterator[str]:
    found = part(change, "lm")
    if found:
        before, after = (_level(part(found, key)) for key in ("before", "after"))
        yield f"Leptomeningeal metastasis (EANO-ESMO): {after} (before: {before})."
    for key, label in (("hematologic_cns", "Hematologic path"), ("leukemia_cns", "Leukemia CNS status")):
        yield from _from_to(change, key, label)


def _level(lm: Part) -> str:
    word = text(lm, "certainty")
    kind = f", type {text(lm, 'type')}" if text(lm, "type") else ""
    return CERTAINTY.get(word, words(word)) + kind + (", provisional" if lm.get("provisional") is True else "")


def _grade(row: Part, key: str) -> str:
    return GRADES.get(text(row, key), "not listed")


def _truth(row: Part, key: str) -> str:
    return _TRUTHS.get(text(row, key), "not listed")


def _from_to(change: Part, key: str, label: str) -> Iterator[str]:
    found = part(change, key)
    if found:
        before, after = (words(text(found, name)) or "not stated" for name in ("before", "after"))
        yield f"{label}: {after.rstrip('.')} (before: {before.rstrip('.')})."
