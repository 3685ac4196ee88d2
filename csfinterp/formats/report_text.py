"""The text report: an interpretation document laid out in 80 columns like a printed laboratory report.

Works on the stored document alone. What was not judged, and why, is said as plainly as what was.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from string import ascii_lowercase

from csfinterp.formats import report_advice as advice
from csfinterp.formats import report_judgments as judgments
from csfinterp.formats import report_patterns as readings
from csfinterp.formats.report_document import Report
from csfinterp.formats.report_layout import WIDTH, Cell, box, fact, facts, heading, paragraph, row, wrap
from csfinterp.formats.report_words import (
    AGE_UNITS,
    NOT_JUDGED,
    QUESTIONS,
    STATUS,
    Part,
    as_sent,
    number,
    part,
    parts,
    plain,
    text,
    texts,
    unit_text,
    value_text,
    words,
)

_TABLE = (26, 13, 9, 5, 23)
_CODED_WORD = re.compile(r"[a-z0-9_]+", re.ASCII)
_CONTEXT_FIRST = ("question", "tumor", "clinical_signs", "mri", "biopsy")


def write(document: Mapping[str, object]) -> str:
    """The report of an interpretation document (interfaces.md section 2); no line is wider than 80 columns."""
    report = Report(document)
    return "\n".join(line.rstrip() for section in _SECTIONS for line in section(report)) + "\n"


def _header(report: Report) -> Iterator[str]:
    document = report.document
    patient, specimen = part(document, "patient"), part(document, "specimen")
    edition, rules = part(document, "edition"), part(document, "site_rules")
    age = part(patient, "age_at_collection")
    digest = text(edition, "digest").removeprefix("sha256:")[:12]
    pairs = [
        ("Specimen", text(specimen, "id")),
        ("Patient", text(patient, "id")),
        ("Material", text(specimen, "type")),
        ("Sex", text(patient, "sex")),
        ("Site", text(specimen, "site")),
        ("Age", f"{text(age, 'value')} {AGE_UNITS.get(text(age, 'unit'), text(age, 'unit'))}".strip()),
        ("Collected", text(specimen, "collected_at")),
        ("Received", text(specimen, "received_at")),
        ("Report", text(document, "status").upper()),
        ("Version", text(document, "version")),
        ("Edition", f"{text(edition, 'id')} ({text(edition, 'status') or 'status not stated'})"),
        ("Digest", digest),
        ("Site rules", text(rules, "id") or "none"),
        ("Options", ", ".join(texts(rules, "options")) or "none"),
        ("Panel", text(document, "panel_id") or "not stored"),
        ("Printed", text(document, "generated_at")),
    ]
    yield "=" * WIDTH
    yield "CEREBROSPINAL FLUID: INTERPRETATION".center(WIDTH)
    yield "=" * WIDTH
    yield from _warnings(text(document, "status"), text(edition, "status"))
    yield from facts((label, stated or "not stated") for label, stated in pairs)
    rest = _stated(specimen, ("id", "type", "site", "collected_at", "received_at"))
    yield from fact("Specimen data", rest, column=17) if rest else ()
    yield from paragraph(f"Clinical context: {_context(report) or 'none stated'}", hang=2)


def _warnings(status: str, edition_status: str) -> Iterator[str]:
    if status != "final":
        yield from wrap(f"*** {status.upper() or 'STATUS NOT STATED'} ***", WIDTH)
    if edition_status != "released":
        yield from wrap("*** EDITION NOT RELEASED: NOT FOR USE ON PATIENTS ***", WIDTH)


def _stated(of: Part, without: tuple[str, ...]) -> str:
    return plain({key: value for key, value in of.items() if key not in without and value not in (None, "unknown")})


def _context(report: Report) -> str:
    context = part(report.document, "context")
    first = {key: context[key] for key in _CONTEXT_FIRST if key in context}
    items = {**first, **{key: value for key, value in context.items() if key not in first}}
    return "; ".join(f"{report.name(str(key))}: {_word(value)}" for key, value in items.items() if plain(value))


def _word(value: object) -> str:
    """A coded word of the context for a reader; free text stays as it was sent."""
    sent = plain(value)
    return QUESTIONS.get(sent, words(sent)) if _CODED_WORD.fullmatch(sent) else sent


def _critical(report: Report) -> Iterator[str]:
    items = parts(report.document, "critical")
    yield ""
    if not items:
        advice = [entry for entry in parts(report.document, "recommendations") if text(entry, "priority") == "1"]
        said = list(dict.fromkeys(report.said(text(entry, "text")) + report.cited(entry) for entry in advice))
        if said and isinstance(report.document.get("critical"), list | tuple):
            yield from box("!!! CRITICAL", [f"* {line}" for line in said])
        else:
            yield report.none("critical", "No result of this panel is on the critical list of this edition.")
        return
    worst = "CRITICAL RESULT" if any(text(item, "level") != "urgent" for item in items) else "URGENT RESULT"
    yield from box(f"!!! {worst} - CALL THE TREATING TEAM", [_call(report, item) for item in items])


def _call(report: Report, item: Part) -> str:
    told, analyte = part(item, "acknowledged"), text(item, "analyte")
    values = [_value(result) for result in parts(report.document, "results") if text(result, "analyte") == analyte]
    answer = f"call recorded: {plain(told)}" if told else "no call recorded yet"
    origin = ", ".join(filter(None, [text(item, "level"), text(item, "source"), text(item, "rule")]))
    reason = text(item, "reason") or "no reason stated"
    if report.name(analyte) not in reason:
        reason = f"{report.name(analyte)} {', '.join(filter(None, values))}".strip() + f": {reason}"
    return f"* {reason} ({origin}); {answer}"


def _value(result: Part) -> str:
    return " ".join(filter(None, [value_text(result), unit_text(result), text(result, "organism")]))


def _summary(report: Report) -> Iterator[str]:
    summary = part(report.document, "summary")
    yield from heading("Summary")
    yield from paragraph(report.said(text(summary, "headline")) or "No summary.")
    for sentence in parts(summary, "sentences"):
        yield from paragraph(report.said(text(sentence, "text")) + report.cited(sentence), lead="- ")


def _results(report: Report) -> Iterator[str]:
    yield from heading("Results")
    measured = [result for result in parts(report.document, "results") if result.get("derived") is not True]
    yield from _table(report, measured)
    yield from paragraph("Flags: N normal, L low, H high, LL and HH critical, A abnormal, AA critically abnormal.")
    yield from paragraph(
        "? not judged, reason below. - information only. ! critical. ~ interval not from a primary source."
    )


def _derived(report: Report) -> Iterator[str]:
    if report.derived:
        yield from heading("Calculated values")
        yield from _table(report, report.derived)


def _table(report: Report, results: list[Part]) -> Iterator[str]:
    names = ("Test", "Result", "Unit", "Flag", "Reference interval")
    yield from row([Cell(name, width, name == "Result") for name, width in zip(names, _TABLE, strict=True)])
    if not results:
        yield report.none("results", "none")
    shared = _shared(results)
    for result in results:
        cells = (
            report.name(text(result, "analyte")),
            value_text(result) or "-",
            unit_text(result),
            _flag(result),
            text(part(result, "reference"), "text"),
        )
        yield from row(
            [Cell(cell, width, place == 1) for place, (cell, width) in enumerate(zip(cells, _TABLE, strict=True))]
        )
        details = "; ".join(_details(result, shared))
        yield from paragraph(details, indent=4) if details else ()
    for said, letter in shared.items():
        yield from paragraph(f"({letter}) {said}", hang=4)


def _shared(results: list[Part]) -> dict[str, str]:
    """Notes that stand under several results, each with its letter: they are printed once, below the table."""
    told = Counter(text(note, "text") for result in results for note in parts(result, "notes"))
    return dict(zip((said for said, times in told.items() if times > 1), ascii_lowercase, strict=False))


def _flag(result: Part) -> str:
    """The flag with its marks; a value that is only information has none, another missing flag is a question mark."""
    flag = text(result, "flag") or ("-" if text(result, "not_judged") == "info_only" else "?")
    status = text(part(result, "reference"), "status")
    marks = ("!" if result.get("critical") is True else "") + ("~" if status not in ("", "primary") else "")
    return f"{flag} {marks}".strip()


def _details(result: Part, shared: dict[str, str]) -> Iterator[str]:
    """What stands below a result: the value as sent, the organism, the laboratory's own reading, notes."""
    if as_sent(result):
        yield as_sent(result)
    organism = ", ".join(filter(None, [text(result, "organism"), words(text(result, "organism_class"))]))
    if organism:
        yield f"{'target' if text(result, 'value') == 'negative' else 'organism'}: {organism}"
    times = result.get("times_limit")
    if isinstance(times, int | float) and text(result, "flag") not in ("", "N") and f"{times:.1f}" != "1.0":
        yield f"{number(times)} times the limit"
    for label in ("laboratory_flag", "laboratory_range"):
        if text(result, label):
            yield f"{words(label)}: {text(result, label)}"
    notes = [text(note, "text") for note in parts(result, "notes")]
    yield from filter(None, [text(result, "advisory"), *(note for note in notes if note not in shared)])
    letters = [f"({shared[note]})" for note in notes if note in shared]
    if letters:
        yield f"see {' '.join(dict.fromkeys(letters))}"


def _not_judged(report: Report) -> Iterator[str]:
    yield from heading("Not judged")
    left: dict[str, list[str]] = {}
    for result in parts(report.document, "results"):
        if not text(result, "flag") and (result.get("derived") is not True or result in report.derived):
            word = text(result, "not_judged")
            reason = NOT_JUDGED.get(word, words(word) or "no reason stated")
            left.setdefault(reason, []).append(report.name(text(result, "analyte")))
    for reason, names in left.items():
        yield from paragraph(f"{', '.join(names)}: {reason}.", lead="- ")
    if not left:
        yield report.none("results", "Every result was judged.")


def _quality(report: Report) -> Iterator[str]:
    yield from heading("Quality of sample and data")
    rules = parts(report.document, "quality")
    shown = [rule for rule in rules if text(rule, "truth") == "true"]
    there = {text(result, "analyte") for result in parts(report.document, "results")}
    for rule in shown:
        withheld = report.listed(name for name in texts(rule, "suppresses") if name in there)
        sentence = text(rule, "text") or words(text(rule, "name") or text(rule, "id"))
        sentence = report.said(sentence) + report.because(rule)
        sentence += f" Withheld: {withheld}." if withheld else ""
        label = ", ".join(filter(None, [text(rule, "rule"), text(rule, "severity")]))
        yield from paragraph(f"{sentence} ({label}){report.cited(rule)}", lead="- ")
    if not shown:
        yield report.none("quality", "No quality rule fired.")
    open_rules = [words(text(rule, "name") or text(rule, "id")) for rule in rules if text(rule, "truth") == "unknown"]
    if open_rules:
        yield from paragraph(f"Could not be checked for want of data: {', '.join(open_rules)}.")


def _issues(report: Report) -> Iterator[str]:
    issues = parts(report.document, "issues")
    yield from heading("Issues with what was sent")
    if not issues:
        yield report.none("issues", "none")
    for issue in issues:
        place = text(issue, "observation")
        where = f", observations[{place}]" if place else ""
        message = text(issue, "message") or words(text(issue, "code")) or "not stated"
        yield from paragraph(f"{text(issue, 'severity') or 'issue'}{where}: {message}", lead="- ")


def _intervals(report: Report) -> Iterator[str]:
    used = [result for result in parts(report.document, "results") if part(result, "reference")]
    if used:
        yield from heading("Reference intervals used")
    for result in used:
        row_used = part(result, "reference")
        unit = text(row_used, "unit")
        limits = f"{text(row_used, 'text')} {'' if unit == '1' else unit}".strip()
        said = "; ".join(filter(None, [limits, report.said(text(row_used, "partition")), text(row_used, "rule")]))
        yield from paragraph(f"{report.name(text(result, 'analyte'))}: {said}{report.cited(row_used)}", lead="- ")


def _sources(report: Report) -> Iterator[str]:
    yield from heading("Sources")
    entries = parts(report.document, "citations")
    for place, entry in enumerate(entries, 1):
        doi, pmid, status = text(entry, "doi"), text(entry, "pmid"), text(entry, "status")
        said = [text(entry, "text") or text(entry, "id"), f"doi:{doi}" if doi else "", f"PMID {pmid}" if pmid else ""]
        mark = f" ({status})" if status not in ("", "primary") else ""
        yield from paragraph(". ".join(filter(None, said)) + mark, lead=f"[{place}] ", indent=1)
    if not entries:
        yield report.none("citations", "none")
    yield from paragraph("; ".join(f"{word} = {meaning}" for word, meaning in STATUS.items()) + ".")


def _end(report: Report) -> Iterator[str]:
    software = part(report.document, "software")
    yield ""
    yield "=" * WIDTH
    yield from wrap(text(report.document, "disclaimer") or "No disclaimer is stated in this document.", WIDTH)
    yield from wrap(f"{text(software, 'name')} {text(software, 'version')}".strip(), WIDTH)
    yield "=" * WIDTH


_SECTIONS = (
    _header, _critical, readings.emergencies, _summary, _results, _derived, _not_judged, _quality, judgments.findings,
    readings.patterns, readings.cautions, readings.differential, judgments.lm, judgments.paths, advice.liquid_biopsy,
    advice.leukemia, advice.scores, advice.recommendations, advice.context_only, judgments.profiles,
    _issues, _intervals, _sources, _end,
)  # fmt: skip
