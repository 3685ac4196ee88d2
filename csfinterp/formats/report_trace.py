"""Why one statement stands in an interpretation: rule, values, limits with their rows, sources (`interpret --explain`).

Works on the edition and the finished document: it repeats what was decided and decides nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from csfinterp.formats.report_document import Report
from csfinterp.formats.report_layout import WIDTH, fact, paragraph, wrap
from csfinterp.formats.report_trace_parts import Statement, statements
from csfinterp.formats.report_words import Part, part, parts, sent_text, text, texts, unit_text, value_text, words
from csfinterp.model.context import CODED_SUBJECT
from csfinterp.model.edition import Edition
from csfinterp.model.predicate import Above, Below, Between, Holds, Limit, Predicate, inputs, leaves

NEAR, LABEL = 8, 15


def near(edition: Edition, identifier: str) -> list[str]:
    """Ids like an id that the edition does not know, best first; empty if it knows the id."""
    known = statements(edition)
    asked = identifier.casefold()
    if asked in known:
        return []
    ids = list(dict.fromkeys(entry.id for found in known.values() for entry in found))
    inside = [name for name in ids if asked and (asked in name.casefold() or name.casefold() in asked)]
    alike = difflib.get_close_matches(asked, [name.casefold() for name in ids], NEAR, 0.4)
    return list(dict.fromkeys([*inside, *(name for found in alike for name in ids if name.casefold() == found)]))[:NEAR]


def knows(edition: Edition, identifier: str) -> bool:
    """Whether the edition has a statement of this id or rule number."""
    return identifier.casefold() in statements(edition)


def explain(edition: Edition, document: Part, identifier: str) -> str:
    """The trace of every statement with this id (a finding and a recommendation may share one), in 80 columns."""
    report = Report(document)
    lines: list[str] = []
    for entry in statements(edition).get(identifier.casefold(), []):
        lines += [*([""] if lines else []), *_trace(edition, report, entry)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _trace(edition: Edition, report: Report, entry: Statement) -> Iterator[str]:
    yield from wrap(f"{entry.kind.upper()} {entry.id}", WIDTH)
    yield "-" * WIDTH
    if entry.name:
        yield from fact("Name", entry.name)
    yield from _answer(report, entry)
    yield from _labelled([*entry.facts, *_rules(report, entry)])
    rules = _with_named(edition, [predicate for _, predicate in entry.rules])
    names = list(dict.fromkeys([*entry.values, *(name for rule in rules for name in inputs(rule))]))
    yield from _labelled(("Values", _value_line(edition, report, name)) for name in names)
    limits = dict.fromkeys([*_decision_limits(edition, rules), *_rows(report, names)])
    yield from _labelled(("Limits", limit) for limit in limits)
    yield from _sources(edition, entry)


def _labelled(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Facts, a label only where it changes; a label that is too long for its column opens its text."""
    before = ""
    for label, said in pairs:
        if len(label) > LABEL:
            said, label = f"{label}: {said}", "Rule"
        yield from fact("" if label == before else label, said)
        before = label


def _rules(report: Report, entry: Statement) -> Iterator[tuple[str, str]]:
    """The rules as sentences; those of pattern items with the truth that the document prints."""
    items = [
        item for place in entry.places for pattern in _at(report.document, place) for item in parts(pattern, "items")
    ]
    truths = {text(item, "id"): text(item, "truth") for item in items}
    for label, predicate in entry.rules:
        truth = f"{truths[label]}: " if truths.get(label) else ""
        yield label, truth + predicate.sentence()


def _with_named(edition: Edition, rules: list[Predicate]) -> list[Predicate]:
    """The rules, and those of every statement that they name with `holds`."""
    quality = {rule.id: rule.when for rule in edition.quality}
    programs = {**edition.first_program, **edition.second_program, **quality}
    found, seen = list(rules), set[str]()
    for rule in found:  # grows while it is read
        for leaf in leaves(rule):
            if isinstance(leaf, Holds) and leaf.at_least is None and leaf.id in programs and leaf.id not in seen:
                seen.add(leaf.id)
                found.append(programs[leaf.id])
    return found


# what this document answers -----------------------------------------------------------------------------------------


def _answer(report: Report, entry: Statement) -> Iterator[str]:
    """What the places of the document that this statement filled say, in the document's own words."""
    if entry.kind == "result":
        yield from _sent(report, entry.id)
    found = [item for place in entry.places for item in _at(report.document, place)]
    if entry.places and not found:
        yield from fact("This panel", entry.silent)
    told = [(label, said) for item in found for label, key in _TOLD for said in texts(item, key) or [text(item, key)]]
    yield from _labelled(dict.fromkeys((label, said) for label, said in told if said))


def _sent(report: Report, name: str) -> Iterator[str]:
    """Below the value itself: what was sent, the notes, the laboratory's own flag and range."""
    for result in parts(report.document, "results"):
        if text(result, "analyte") == name:
            if part(result, "reported"):
                yield from fact(
                    "Sent", f"{sent_text(part(result, 'reported'))} {text(part(result, 'reported'), 'unit')}"
                )
            for note in (text(result, "advisory"), *(text(note, "text") for note in parts(result, "notes"))):
                yield from fact("Note", note) if note else ()
            for label in ("laboratory_flag", "laboratory_range"):
                yield from fact("Laboratory", text(result, label)) if text(result, label) else ()


_TOLD = (
    ("Truth", "truth"), ("Grade", "grade"), ("Grade", "severity"), ("Status", "score_status"),
    ("Certainty", "certainty"), ("Type", "type"), ("Row", "row"), ("Value", "value"), ("Class", "class"),
    ("Level", "level"), ("Agreement", "agreement"), ("Says", "text"), ("Says", "trigger"), ("Reason", "reason"),
    ("Because", "because"), ("Alarm value", "alarms"), ("Support", "support"), ("Against", "against"),
    ("Missing", "missing"), ("Would settle", "would_settle"), ("Withholds", "suppresses"),
    ("Withheld by", "suppressed_by"), ("Audience", "audience"),
)  # fmt: skip


def _at(document: Part, place: tuple[str, str, str]) -> Iterator[Part]:
    """The objects of the document at `list, key, wanted`; key "" is the object itself. A pattern item is in items."""
    name, key, wanted = place
    outer, _, inner = name.partition("/")
    found = [part(document, outer)] if not parts(document, outer) else parts(document, outer)
    if inner:
        found = [item for holder in found for item in parts(holder, inner)]
    for item in found:
        if item and (not key or text(item, key) == wanted):
            yield {**item, "score_status": words(text(item, "status"))} if outer in _STATUS_IS_ANSWER else item


_STATUS_IS_ANSWER = ("scores", "hematologic_cns", "leukemia_cns")


# values and limits --------------------------------------------------------------------------------------------------


def _value_line(edition: Edition, report: Report, name: str) -> str:
    named = f" ({report.name(name)})" if name in edition.analyte or name in edition.derived_by_id else ""
    return f"{name}{named}: {_value(edition, report, name)}"


def _value(edition: Edition, report: Report, name: str) -> str:
    found = [result for result in parts(report.document, "results") if text(result, "analyte") == name]
    if found:
        return "; ".join(_result(result) for result in found)
    context, specimen = part(report.document, "context"), part(report.document, "specimen")
    sent = text(context, name) or text(specimen, name) or text(part(report.document, "patient"), name)
    if name == "tumor" and part(context, "tumor"):
        sent = text(part(context, "tumor"), "class")
    if sent:
        return sent
    if name.startswith("stated_"):
        return "yes" if name.removeprefix("stated_") in texts(context, "stated") else "not stated"
    derived = edition.derived_by_id.get(name)
    if derived is not None:
        return f"not among the results (calculated for rules: {derived.formula})"
    if name in CODED_SUBJECT or name == "csf_cytology_best":
        return "worked out from the panel and its history, not printed by itself"
    return "no result in this document" if name in edition.analyte else "not stated in this document"


def _result(result: Part) -> str:
    shown = f"{value_text(result)} {unit_text(result)}".strip() or "no value"
    flag = f"flag {text(result, 'flag')}" if text(result, "flag") else f"not judged ({text(result, 'not_judged')})"
    return f"{shown}, {flag}{', critical' if result.get('critical') is True else ''}"


def _decision_limits(edition: Edition, rules: list[Predicate]) -> Iterator[str]:
    for rule in rules:
        for leaf in leaves(rule):
            for limit in _compared(leaf):
                entry = edition.limit.get(limit.decision_limit or "")
                if entry is not None:
                    source = f"{', '.join(entry.citations)}; {entry.status}"
                    yield f"{entry.id}: {entry.quantity} {entry.op} {entry.text} ({entry.says}) [{source}]"


def _compared(leaf: Predicate) -> tuple[Limit, ...]:
    match leaf:
        case Above(_, limit) | Below(_, limit):
            return (limit,)
        case Between(_, low, high):
            return (low, high)
    return ()


def _rows(report: Report, names: list[str]) -> Iterator[str]:
    for result in parts(report.document, "results"):
        used, name = part(result, "reference"), text(result, "analyte")
        if used and name in names:
            source = f"{', '.join(texts(used, 'citations'))}; {text(used, 'status')}"
            unit = "" if text(used, "unit") == "1" else text(used, "unit")
            limits = f"{text(used, 'text')} {unit}".strip()
            yield f"{text(used, 'rule')}: {name} {limits}, {text(used, 'partition')} [{source}]"


# sources ------------------------------------------------------------------------------------------------------------


def _sources(edition: Edition, entry: Statement) -> Iterator[str]:
    yield from fact("Status", entry.status) if entry.status else ()
    yield from _labelled(("Sources", f"{name}: {_citation(edition, name)}") for name in dict.fromkeys(entry.citations))
    if entry.uses_named():
        yield from paragraph("A statement named in a rule is explained by --explain with its own id.")


def _citation(edition: Edition, name: str) -> str:
    found = edition.citation.get(name)
    if found is None:
        return "not in this edition"
    year = " ".join(str(item) for item in (found.journal, found.year) if item)
    told = [str(item).rstrip(".") for item in (found.authors, found.title, year) if item]
    numbers = [f"doi:{found.doi}" if found.doi else "", f"PMID {found.pmid}" if found.pmid else ""]
    return ". ".join([*told, *filter(None, numbers)]) + f" ({found.status})"
