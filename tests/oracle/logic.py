"""Three truth values, values known only as a span, and the predicates of the rules."""

from typing import NamedTuple

from csfinterp.model.context import UNKNOWN_WORDS
from tests.oracle.knowledge import limit_value

FALSE, UNKNOWN, TRUE = 0, 1, 2
WORDS = ("false", "unknown", "true")
INFINITY = float("inf")


class Span(NamedTuple):
    """All that a value may be: low to high; `_open` ends are not part of it. An exact value is a span of one point."""

    low: float
    low_open: bool
    high: float
    high_open: bool

    @property
    def exact(self):
        return self.low == self.high

    @property
    def empty(self):
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    def holds(self, x):
        above = x > self.low or (x == self.low and not self.low_open)
        below = x < self.high or (x == self.high and not self.high_open)
        return above and below

    def at_least(self):
        """The same value read as "at least this"."""
        return Span(self.low, self.low_open, INFINITY, True)


def point(x):
    return Span(x, False, x, False)


def overlap(one, other):
    """True if the two spans share a point."""
    low = max((one.low, one.low_open), (other.low, other.low_open))
    high = min((one.high, not one.high_open), (other.high, not other.high_open))
    return not Span(low[0], low[1], high[0], not high[1]).empty


def above(value, limit, inclusive):
    """value > limit (>= if inclusive) for every pair of values: TRUE; for none: FALSE; else UNKNOWN."""
    if value is None or limit is None:
        return UNKNOWN
    if value.low > limit.high:
        return TRUE
    if value.low == limit.high and (inclusive or value.low_open or limit.high_open):
        return TRUE
    if value.high < limit.low:
        return FALSE
    if value.high == limit.low and (not inclusive or value.high_open or limit.low_open):
        return FALSE
    return UNKNOWN


def below(value, limit, inclusive):
    return above(limit, value, inclusive)


class Truths:
    """Answers predicates from `facts`, an object with: edition, quantity(id), limit_of(id, side), possible_flags(id),
    word(input), unknown_words(input), is_known(input) and statement(id)."""

    def __init__(self, facts):
        self.facts = facts

    def of(self, predicate):
        (kind, body), *rest = predicate.items()
        assert not rest, predicate
        return getattr(self, "_" + kind)(body)

    def _all(self, items):
        return min((self.of(item) for item in items), default=TRUE)

    def _any(self, items):
        return max((self.of(item) for item in items), default=FALSE)

    def _not(self, item):
        return 2 - self.of(item)

    def _at_least(self, body):
        truths = [self.of(item) for item in body["items"]]
        if truths.count(TRUE) >= body["k"]:
            return TRUE
        return FALSE if len(truths) - truths.count(FALSE) < body["k"] else UNKNOWN

    def _first_known(self, items):
        return next((truth for truth in map(self.of, items) if truth != UNKNOWN), UNKNOWN)

    def _holds(self, name):
        return self.facts.statement(name)

    def _known(self, name):
        return TRUE if self.facts.is_known(name) else FALSE

    def _is(self, body):
        word = self.facts.word(body["input"])
        if word is None:
            return UNKNOWN
        if word in body["in"]:
            return TRUE
        return UNKNOWN if word in self.facts.unknown_words(body["input"]) else FALSE

    def _flagged(self, body):
        flags = self.facts.possible_flags(body["analyte"])
        if not flags or None in flags:
            return UNKNOWN
        hits = [flag in body["as"] for flag in flags]
        return TRUE if all(hits) else UNKNOWN if any(hits) else FALSE

    def _above(self, body):
        limit, inclusive = self._limit(body)
        return above(self.facts.quantity(body["quantity"]), limit, inclusive)

    def _below(self, body):
        limit, inclusive = self._limit(body)
        return below(self.facts.quantity(body["quantity"]), limit, inclusive)

    def _between(self, body):
        inclusive = body.get("inclusive", True)
        low = {"quantity": body["quantity"], "limit": body["low"], "inclusive": inclusive}
        high = {"quantity": body["quantity"], "limit": body["high"], "inclusive": inclusive}
        return min(self._above(low), self._below(high))

    def _limit(self, body):
        """The limit as a span (None if not known) and whether the comparison includes it."""
        limit, quantity = body["limit"], body["quantity"]
        decision = self.facts.edition["limits"].get(limit) if isinstance(limit, str) else None
        if decision:
            inclusive = body.get("inclusive", "=" in decision["op"])
            return point(limit_value(self.facts.edition, decision["limit"], quantity)), inclusive
        inclusive = body.get("inclusive", False)
        if isinstance(limit, dict):
            return self.facts.quantity(limit["quantity"]), inclusive
        if limit in ("reference.high", "reference.low"):
            return self.facts.limit_of(quantity, limit.split(".")[1]), inclusive
        return point(limit_value(self.facts.edition, limit, quantity)), inclusive


def unknown_words(name, edition):
    """Words of a coded input that mean "not known"."""
    if name in UNKNOWN_WORDS:
        return UNKNOWN_WORDS[name]
    analyte = edition["analytes"].get("csf_cytology" if name == "csf_cytology_best" else name)
    return tuple(value["word"] for value in (analyte or {}).get("values") or [] if value.get("unknown"))
