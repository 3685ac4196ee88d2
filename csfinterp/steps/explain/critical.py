"""Who must be told now: critical values of the service, first tumor cells,
and critical flags of the laboratory itself."""

from __future__ import annotations

from collections.abc import Iterator

from csfinterp.model.interpretation import CriticalResult, Result
from csfinterp.steps.explain.row import Row
from csfinterp.steps.explain.wording import unit_words

LABORATORY_CRITICAL = ("LL", "HH", "AA")


def critical(row: Row, results: tuple[Result, ...]) -> tuple[CriticalResult, ...]:
    """One entry per (analyte, rule), in the order of the results; the service's own first."""
    found: dict[tuple[str, str, str], CriticalResult] = {}
    for entry in (*_own(row, results), *_urgent(row), *_laboratory(results)):
        found.setdefault((entry.analyte, entry.rule, entry.source), entry)
    return tuple(found.values())


def _own(row: Row, results: tuple[Result, ...]) -> Iterator[CriticalResult]:
    rules = row.parts.edition.critical
    for result in results:
        if not result.critical:
            continue
        number = row.criticals[row.layout.statement[result.analyte]]
        rule = rules[number - 1] if number else next(r for r in rules if result.analyte in r.analytes and r.words)
        organism = f" ({result.organism})" if result.organism else ""
        yield CriticalResult(
            result.analyte,
            rule.rule,
            rule.level,
            "service",
            f"{result.name}: {_shown(row, result)}{organism}. {rule.text}",
            None,
        )


def _shown(row: Row, result: Result) -> str:
    if isinstance(result.value, float):
        seen = row.seen(result.analyte).text
        return seen
    return str(result.value)


def _urgent(row: Row) -> Iterator[CriticalResult]:
    """Urgent calls that keep the flag: first tumor cells or blasts (CR-CELL, safety law SL42)."""
    for rule in row.parts.edition.critical:
        if rule.flag is not None:
            continue
        for name in rule.analytes:
            holds = row.word(name) in rule.words if rule.words else _beyond(row, name, rule.op, rule.limit)
            if holds and not (rule.first_only and _seen_before(row, name)):
                entry = row.parts.edition.analyte[name]
                unit = unit_words(entry.unit)
                shown = row.word(name) if rule.words else row.seen(name).text or unit
                yield CriticalResult(
                    name, rule.rule, rule.level, "service", f"{entry.name}: {shown}. {rule.text}", None
                )


def _beyond(row: Row, name: str, op: str | None, limit: float | None) -> bool:
    low = row.low[row.layout.quantity[name]]
    if limit is None or low != low:
        return False
    certain = low > limit or (low == limit and op == ">=")
    return certain if (op or "").startswith(">") else False


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
                f"{result.name}: flagged {result.laboratory_flag.strip()} by the laboratory.",
                None,
            )
