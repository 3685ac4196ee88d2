"""The sections of the text report that say what the values fit: emergencies, patterns, cautions, differential."""

from __future__ import annotations

from collections.abc import Iterator

from csfinterp.formats.report_document import Report
from csfinterp.formats.report_layout import box, fact, heading, paragraph
from csfinterp.formats.report_words import (
    CAUSES,
    GRADES,
    NOT_SHOWN,
    Part,
    part,
    parts,
    text,
    texts,
    title,
    words,
)

_EVIDENCE = ("decisive", "core", "support", "counter", "counter_major")


def emergencies(report: Report) -> Iterator[str]:
    """Patterns that are an emergency, in a frame on the first page."""
    found = [pattern for pattern in shown_patterns(report.document) if pattern.get("emergency") is True]
    if found:
        told = [f"{title(pattern)}, {grade_words(pattern)}: {report.said(text(pattern, 'text'))}" for pattern in found]
        yield ""
        yield from box("!!! EMERGENCY", [f"* {said}" for said in told])


def shown_patterns(document: object) -> list[Part]:
    """The patterns that are to be printed: emergencies first, else in the order of the document."""
    shown = [pattern for pattern in parts(document, "patterns") if pattern.get("shown") is True]
    return sorted(shown, key=lambda pattern: pattern.get("emergency") is not True)


def patterns(report: Report) -> Iterator[str]:
    yield from heading("Patterns")
    found = shown_patterns(report.document)
    if not found:
        yield report.none("patterns", "No pattern is to be shown.")
        return
    yield from paragraph("A pattern compares values with published ones. It is not a diagnosis and not a probability.")
    for pattern in found:
        if not is_absent(pattern) and not is_bare(pattern):
            yield from _pattern(report, pattern)
    yield from _bare(report, [pattern for pattern in found if is_bare(pattern)])
    yield from _absent(report, [pattern for pattern in found if is_absent(pattern)])


def is_absent(pattern: Part) -> bool:
    """The values do not show it: named in one line."""
    return text(pattern, "grade") == "does_not_fit"


def is_bare(pattern: Part) -> bool:
    """It cannot be judged and nothing speaks for it: told shortly."""
    said = any(parts(pattern, "lines") or texts(pattern, key) for key in ("alarms", "support"))
    return text(pattern, "grade") == "not_evaluable" and not text(pattern, "reason") and not said


def _pattern(report: Report, pattern: Part) -> Iterator[str]:
    mark = "!!! EMERGENCY: " if pattern.get("emergency") is True else ""
    yield ""
    head = f"{mark}{title(pattern)}: {grade_words(pattern).upper()} ({text(pattern, 'rule') or 'rule not stated'})"
    yield from paragraph(head + report.cited(pattern), indent=0, hang=2)
    yield from paragraph(report.said(text(pattern, "text"))) if text(pattern, "text") else ()
    if pattern.get("discordant") is True:
        yield from paragraph("DISCORDANT: counter-evidence beside a decisive result. Check the sample's identity.")
    yield from _listed("Alarm values", [report.said(alarm) for alarm in texts(pattern, "alarms")])
    yield from _listed("Support", [_with_source(report, pattern, said) for said in texts(pattern, "support")])
    yield from _listed("Against", [_with_source(report, pattern, said) for said in texts(pattern, "against")])
    missing = "; ".join(report.missing(pattern))
    yield from fact("Missing", missing, column=17) if missing else ()
    for line in parts(pattern, "lines"):
        yield from fact("Note", report.said(text(line, "text")) + report.cited(line), column=17)


def grade_words(pattern: Part) -> str:
    grade = text(pattern, "grade")
    if grade == "not_evaluable" and text(pattern, "reason"):
        return "stays open"  # ER12: the full picture is not present, and a reason forbids "does not fit"
    if grade == "fits" and text(pattern, "id") == "fungal_meningitis":
        return "compatible"  # patterns.md: only "compatible; the antigen test decides" may be said
    return GRADES.get(grade, words(grade)) or "grade not stated"


def _listed(label: str, items: list[str]) -> Iterator[str]:
    for place, item in enumerate(dict.fromkeys(items)):
        yield from fact("" if place else label, item, column=17)


def item_of(pattern: Part, said: str) -> Part:
    """The item that a line of `support` or `against` speaks of, for its sources; empty if it is not found."""
    bare = said.removeprefix("not: ")
    found = [item for item in parts(pattern, "items") if text(item, "kind") in _EVIDENCE and text(item, "text")]
    return next((item for item in found if bare.startswith(text(item, "text"))), {})


def _with_source(report: Report, pattern: Part, said: str) -> str:
    return report.said(said) + report.cited(item_of(pattern, said))


def _bare(report: Report, found: list[Part]) -> Iterator[str]:
    """Patterns that cannot be judged: what is missing, and what speaks against them already."""
    if found:
        yield ""
        yield from paragraph("Cannot be judged:", indent=0)
    for pattern in found:
        against = "; ".join(_with_source(report, pattern, said) for said in texts(pattern, "against"))
        missing = "; ".join(report.missing(pattern))
        said = [f"{title(pattern)} ({text(pattern, 'rule')}): {report.said(text(pattern, 'text'))}"]
        said += [f"Against: {against}."] if against else []
        said += [f"Missing: {missing}."] if missing else []
        yield from paragraph(" ".join(said) + report.cited(pattern), lead="- ")


def _absent(report: Report, found: list[Part]) -> Iterator[str]:
    """Patterns that the values do not show: one line, and what must be said with one of them all the same."""
    if not found:
        return
    yield ""
    plain = [title(pattern) for pattern in found if text(pattern, "text") in ("", NOT_SHOWN)]
    if plain:
        yield from paragraph(f"The values do not show: {'; '.join(plain)}. This excludes none of them.", hang=2)
    for pattern in found:
        said = text(pattern, "text")
        if said not in ("", NOT_SHOWN):
            yield from paragraph(report.said(said), lead="- ")
        more = [f"alarm value {report.said(alarm)}" for alarm in texts(pattern, "alarms")]
        more += [report.said(text(line, "text")) + report.cited(line) for line in parts(pattern, "lines")]
        for line in more:
            yield from paragraph(f"{title(pattern)}: {line}", lead="- ")


def cautions(report: Report) -> Iterator[str]:
    yield from heading("Cautions")
    found = parts(report.document, "cautions")
    if not found:
        yield report.none("cautions", "No caution of this edition applies.")
    folded = [caution for caution in found if caution.get("folded") is True]
    for caution in (caution for caution in found if caution not in folded):
        said = report.said(text(caution, "text")) + report.because(caution, most=3)
        yield from paragraph(f"{said} ({text(caution, 'id')}){report.cited(caution)}", lead="- ")
    if folded:
        yield from paragraph(f"{len(folded)} more in the full document.")


def causes_title(group: Part) -> str:
    """A group of causes of enhancement for the reader."""
    return CAUSES.get(text(group, "id")) or words(text(group, "id")).capitalize() or "Group not named"


def differential(report: Report) -> Iterator[str]:
    entry = part(report.document, "differential")
    if not entry:
        return
    yield from heading("Differential of leptomeningeal enhancement")
    yield from paragraph(text(entry, "trigger") + report.cited(entry)) if text(entry, "trigger") else ()
    for group in parts(entry, "groups"):
        yield from paragraph(causes_title(group) + report.cited(group), indent=0)
        for label, key in (
            ("Leptomeningeal", "leptomeningeal"),
            ("Pachymeningeal", "pachymeningeal"),
            ("Tests", "tests"),
        ):
            listed = texts(group, key)
            yield from fact(label, "; ".join(listed)) if listed else ()
    for note in texts(entry, "notes"):
        yield from paragraph(note, lead="- ")
