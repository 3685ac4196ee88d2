"""Who must be told now: critical values of the service, first tumor cells,
and critical flags of the laboratory itself."""

from __future__ import annotations

from collections.abc import Iterator

from csfinterp.model.edition import CriticalRule
from csfinterp.model.interpretation import CriticalResult, Result
from csfinterp.model.predicate import TRUE
from csfinterp.steps.explain.row import Row
from csfinterp.steps.explain.wording import unit_words, with_unit
from csfinterp.steps.intervals import age_columns
from csfinterp.steps.layout import span

LABORATORY_CRITICAL = ("LL", "HH", "AA")


def critical(row: Row, results: tuple[Result, ...]) -> tuple[CriticalResult, ...]:
    """One entry per (analyte, rule), in the order of the results; the service's own first."""
    found: dict[tuple[str, str, str], CriticalResult] = {}
    for entry in (*_own(row, results), *_urgent(row, results), *_laboratory(results)):
        found.setdefault((entry.analyte, entry.rule, entry.source), entry)
    return tuple(found.values())


def _own(row: Row, results: tuple[Result, ...]) -> Iterator[CriticalResult]:
    for result in results:
        for rule in _rules(row, result) if result.critical else ():
            organism = f" ({result.organism})" if result.organism else ""
            remark = "".join(f" {text}" for text in dict.fromkeys(_remarks(row, result.analyte)))
            reason = f"{result.name}: {_shown(row, result)}{organism}. {rule.text}{remark}"
            yield CriticalResult(result.analyte, rule.rule, rule.level, "service", reason, None)


def _remarks(row: Row, name: str) -> Iterator[str]:
    """First sentence of what qualifies the value: an old sample, blood, a rule that withholds it."""
    rules = row.parts.edition.quality
    numbers = (*row.parts.vetoes.get(name, ()), *row.parts.remarks.get(name, ()))
    for number in numbers:
        if row.quality[number] == TRUE and rules[number].severity != "note":
            yield rules[number].text.split(". ")[0].rstrip(".") + "."


def _rules(row: Row, result: Result) -> list[CriticalRule]:
    """The critical rules that a critical result meets; of results sent twice each its own."""
    rules = row.parts.edition.critical
    if not isinstance(result.value, float):
        return [rule for rule in rules if result.analyte in rule.analytes and result.value in rule.words and rule.flag]
    low, high = span(result.value, result.comparator)
    ages = age_columns(row.outcomes.subjects)[:, row.column : row.column + 1]
    numbers = row.parts.critical_numbers(row.layout.quantity[result.analyte], low, high, ages)
    return [rules[number - 1] for number in numbers]


def _shown(row: Row, result: Result) -> str:
    """The value of this very result; of a count beside another tube with the note that says so."""
    if not isinstance(result.value, float):
        return str(result.value).replace("_", " ")
    number = f"{result.comparator or ''}{row.shown(result.analyte, result.value)}"
    beside = "".join(f" ({note.text})" for note in result.notes if note.code == "other_tube_leads")
    return with_unit(number, result.unit) + beside


def _urgent(row: Row, results: tuple[Result, ...]) -> Iterator[CriticalResult]:
    """Urgent calls that keep the flag: first tumor cells or blasts (CR-CELL, safety law SL42)."""
    for rule in row.parts.edition.critical:
        if rule.flag is not None:
            continue
        for name in rule.analytes:
            holds = row.word(name) in rule.words if rule.words else _beyond(row, name, rule.op, rule.limit)
            holds = holds or any(_repeated(result, rule) for result in results if result.analyte == name)
            if holds and not (rule.first_only and _seen_before(row, name)):
                entry = row.parts.edition.analyte[name]
                unit = unit_words(entry.unit)
                shown = (row.word(name) or rule.words[0]) if rule.words else row.seen(name).text or unit
                yield CriticalResult(
                    name, rule.rule, rule.level, "service", f"{entry.name}: {shown}. {rule.text}", None
                )


def _repeated(result: Result, rule: CriticalRule) -> bool:
    """A result that was sent twice is judged by nobody, but its call is not lost."""
    if result.not_judged != "duplicate_result":
        return False
    if rule.words:
        return result.value in rule.words
    return (
        isinstance(result.value, float)
        and rule.limit is not None
        and span(result.value, result.comparator)[0] > rule.limit
    )


def _beyond(row: Row, name: str, op: str | None, limit: float | None) -> bool:
    place = row.layout.quantity[name]
    low = row.low[place]
    if limit is None or low != low or not (op or "").startswith(">"):
        return False
    opened = row.open_low is not None and row.open_low[place]
    return low > limit or (low == limit and (op == ">=" or opened))


def _seen_before(row: Row, name: str) -> bool:
    """An earlier panel of the patient already had this finding."""
    history = row.panel.context.history
    first = history.get("first_finding")
    earlier = history.get(name)
    return (isinstance(first, dict) and name in first) or (
        isinstance(earlier, dict) and earlier.get("value") == "positive"
    )


def _laboratory(results: tuple[Result, ...]) -> Iterator[CriticalResult]:
    for result in results:
        if result.laboratory_flag and result.laboratory_flag.strip().upper() in LABORATORY_CRITICAL:
            yield CriticalResult(
                result.analyte,
                "laboratory_flag",
                "critical",
                "laboratory",
                f"{result.name}: {_as_sent(result)}flagged {result.laboratory_flag.strip()} by the laboratory"
                f"{_range(result)}.",
                None,
            )


def _as_sent(result: Result) -> str:
    """The value and unit of the sender, which is what the laboratory flagged."""
    sent = result.reported
    if sent is None or sent.value is None:
        return ""
    return f"{with_unit(f'{sent.comparator or str()}{sent.value}', sent.unit)}, "


def _range(result: Result) -> str:
    return f" (its range {result.laboratory_range.strip()})" if result.laboratory_range else ""
