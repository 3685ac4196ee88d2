"""How numbers, limits and rule leaves read in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from csfinterp.model.context import FLAGS
from csfinterp.model.edition import AgeEdge, IntervalLimit, ReferenceInterval
from csfinterp.model.predicate import (
    FALSE,
    TRUE,
    UNKNOWN,
    Above,
    All,
    Any,
    AtLeast,
    Below,
    Between,
    FirstKnown,
    Flagged,
    Holds,
    Is,
    Known,
    Limit,
    Not,
    Predicate,
    Truth,
    children,
)

UNIT_WORDS = {"10*-3": "x10-3", "1": "", "cm[H2O]": "cmH2O", "10*6/L": "10^6/L"}
SIGNS = {(True, True): ">=", (True, False): ">", (False, True): "<=", (False, False): "<"}
PAIRS_OF_SIGNS = {">=": "<", ">": "<=", "<=": ">", "<": ">="}
OPPOSITE = {TRUE: FALSE, FALSE: TRUE, UNKNOWN: UNKNOWN}
OUTSIDE_THE_ORDER = ("not_classifiable", "not_applicable")  # answers of a table that are no level
GROUPS = frozenset((All, Any, AtLeast))
FLAG_MEANING = {
    "N": "normal", "L": "low", "H": "high", "LL": "critically low", "HH": "critically high", "A": "abnormal",
    "AA": "critical",
}  # fmt: skip
assert set(FLAG_MEANING) == set(FLAGS)


def unit_words(unit: str | None) -> str:
    """Unit as a reader sees it; empty for plain ratios."""
    return "" if unit is None else UNIT_WORDS.get(unit, unit)


def with_unit(text: str, unit: str | None) -> str:
    words = unit_words(unit)
    return f"{text} {words}" if words else text


def decimal(value: float, decimals: int) -> str:
    """`value` with a fixed number of decimals, never in exponent form; "-0" is written 0."""
    text = f"{value:.{decimals}f}"
    return text[1:] if text.startswith("-") and float(text) == 0 else text


def limit_number(value: float, decimals: int) -> str:
    """A limit, with as many decimals as it needs to be true (at most two more than the analyte's)."""
    for places in range(decimals + 3):
        text = decimal(value, places)
        if abs(float(text) - value) <= 2e-3 * abs(value):
            return text
    return decimal(value, decimals + 2)


def told_apart(value: float, limit: float, decimals: int) -> tuple[str, str]:
    """Two different numbers printed with enough decimals to differ."""
    for places in range(decimals, 10):
        first, second = decimal(value, places), decimal(limit, places)
        if first != second or value == limit:
            return first, second if places > decimals else limit_number(limit, decimals)
    return decimal(value, 9), decimal(limit, 9)


def age_words(edge: AgeEdge) -> str:
    return f"{edge.value:g} {edge.unit}"


def partition_words(row: ReferenceInterval) -> str:
    """For whom the row is made: "age >= 12 a, any site"."""
    start, end = row.age_from, row.age_to
    if start.value == 0 and end is None:
        ages = "any age"
    elif end is None:
        ages = f"age >= {age_words(start)}"
    else:
        ages = f"age {age_words(start)} to < {age_words(end)}"
    sites = "any site" if len(row.sites) == 4 else "site " + " or ".join(row.sites)
    extra = [f"{row.stratum.quantity} stratum"] if row.stratum else []
    extra += [row.when.sentence()] if row.when else []
    return ", ".join([ages, sites, *extra])


def limits_words(row: ReferenceInterval, low: float | None, high: float | None, decimals: int) -> str:
    """The interval in the canonical unit: "≤ 4", "2.22-3.89", "≥ 6 and < 25"."""
    parts = []
    if low is not None and row.low is not None:
        parts.append(("≥ " if row.low.inclusive else "> ") + limit_number(low, decimals))
    if high is not None and row.high is not None:
        parts.append(("≤ " if row.high.inclusive else "< ") + limit_number(high, decimals))
    if len(parts) == 2 and _both_inclusive(row.low, row.high):
        return f"{parts[0][2:]}-{parts[1][2:]}"
    return " and ".join(parts)


def _both_inclusive(low: IntervalLimit | None, high: IntervalLimit | None) -> bool:
    return low is not None and high is not None and low.inclusive and high.inclusive


@dataclass(frozen=True)
class Seen:
    """One quantity or word of one panel, ready for a sentence. `value` None: not known as one number."""

    text: str
    value: float | None
    decimals: int
    unit: str | None


class Reader(Protocol):
    """What the sentences of one panel read; row.Row is the one implementation. `told`: leaves put into words before,
    by identity and by whether they hold."""

    told: dict[tuple[int, bool], str]

    def seen(self, name: str) -> Seen: ...

    def word(self, name: str) -> str | None: ...

    def flag(self, name: str) -> str | None: ...

    def limit(self, quantity: str, limit: Limit) -> float | None: ...

    def reference_text(self, name: str) -> str | None: ...

    def truth(self, predicate: Predicate) -> Truth: ...

    def named(self, name: str) -> Predicate | None: ...

    def behind(self, name: str) -> Reader: ...


def reasons(predicate: Predicate, wanted: Truth, reader: Reader) -> list[str]:
    """The leaves that make `predicate` TRUE (or FALSE) for this panel, each as a short statement with its numbers."""
    told: list[str] = []
    if reader.truth(predicate) is wanted:
        _gather(predicate, wanted, reader, told)
    return told


def _gather(predicate: Predicate, wanted: Truth, reader: Reader, told: list[str]) -> None:
    """Of a predicate whose truth is `wanted`. Every panel asks this of hundreds of rules: by type, without a match."""
    kind = type(predicate)
    if kind in GROUPS:
        truth = reader.truth
        for item in children(predicate):
            if truth(item) is wanted:
                _gather(item, wanted, reader, told)
    elif kind is FirstKnown:
        decisive = next((item for item in children(predicate) if reader.truth(item) is not UNKNOWN), None)
        if decisive is not None and reader.truth(decisive) is wanted:
            _gather(decisive, wanted, reader, told)
    elif kind is Not:
        for item in children(predicate):
            _gather(item, OPPOSITE[wanted], reader, told)
    elif (
        isinstance(predicate, Holds)
        and predicate.at_least is None
        and (named := reader.named(predicate.id)) is not None
    ):
        found = reasons(named, wanted, reader.behind(predicate.id))
        told += found or [leaf_words(predicate, wanted is TRUE, reader)]
    else:
        told.append(leaf_words(predicate, wanted is TRUE, reader))


def leaf_words(leaf: Predicate, holds: bool, reader: Reader) -> str:
    """One leaf as it stands in this panel: "csf_lactate 4.2 mmol/L >= 3.5 mmol/L"."""
    key = id(leaf), holds
    told = reader.told.get(key)
    if told is None:
        told = reader.told[key] = _leaf_words(leaf, holds, reader)
    return told


def _leaf_words(leaf: Predicate, holds: bool, reader: Reader) -> str:
    match leaf:
        case Above(quantity, limit, inclusive):
            return _comparison(quantity, limit, SIGNS[True, inclusive], holds, reader)
        case Below(quantity, limit, inclusive):
            return _comparison(quantity, limit, SIGNS[False, inclusive], holds, reader)
        case Between(quantity, low, high):
            inside = "between" if holds else "not between"
            return f"{_named(quantity, reader)} {inside} {low.text} and {high.text}"
        case Flagged(analyte):
            flag, reference = reader.flag(analyte), reader.reference_text(analyte)
            against = f" (reference {reference})" if reference else ""
            return f"{_named(analyte, reader)} flagged {flag}{against}"
        case Is(name):
            return f"{name} {reader.word(name)}"
        case Known(name):
            return f"{name} {'known' if holds else 'not known'}"
        case Holds(name, None):
            return f"{name} {'holds' if holds else 'does not hold'}"
        case Holds(name, least):
            told = f"at least {least}" if least not in OUTSIDE_THE_ORDER else str(least)
            return f"{name} {'' if holds else 'not '}{told}"
    raise TypeError(f"no leaf: {leaf!r}")


def _named(name: str, reader: Reader) -> str:
    return f"{name} {reader.seen(name).text}".strip()


def _comparison(quantity: str, limit: Limit, sign: str, holds: bool, reader: Reader) -> str:
    sign = sign if holds else PAIRS_OF_SIGNS[sign]
    seen, number = reader.seen(quantity), reader.limit(quantity, limit)
    if limit.quantity is not None and number is not None and seen.value is not None:
        value, other = told_apart(seen.value, number, seen.decimals)
        return f"{quantity} {with_unit(value, seen.unit)} {sign} {limit.quantity} {with_unit(other, seen.unit)}".strip()
    if limit.reference is not None and number is not None:
        return f"{quantity} {seen.text} {sign} {limit.reference} limit {limit_number(number, seen.decimals)}"
    return f"{quantity} {seen.text} {sign} {_limit_words(limit, seen)}"


def _limit_words(limit: Limit, seen: Seen) -> str:
    """The limit as its source prints it; in another unit also in that of the value."""
    number, _, unit = limit.text.lstrip("<>=≤≥ ").partition(" ")
    told = with_unit(number, unit or None)
    if limit.value is None or unit in ("", seen.unit or ""):
        return told
    return f"{told} ({with_unit(limit_number(limit.value, seen.decimals), seen.unit)})"
