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
    word(input), unknown_words(input), is_known(input), statement(id) and reaches(id, word)."""

    def __init__(self, facts):
        self.facts = facts

    def of(self, predicate):
        return compiled(self.facts.edition, predicate)(self.facts)


# Predicates. Each is read once per edition and becomes a function of the facts; the edition keeps it (and the predicate
# itself, so that its identity stays unique).


def compiled(edition, predicate):
    known = edition["compiled"].get(id(predicate))
    if known is None:
        ((kind, body),) = predicate.items()
        known = (predicate, FORMS[kind](edition, body))
        edition["compiled"][id(predicate)] = known
    return known[1]


def _all(edition, items):
    parts = [compiled(edition, item) for item in items]

    def truth(facts):
        worst = TRUE
        for part in parts:
            worst = min(worst, part(facts))
            if worst == FALSE:
                return FALSE
        return worst

    return truth


def _any(edition, items):
    parts = [compiled(edition, item) for item in items]

    def truth(facts):
        best = FALSE
        for part in parts:
            best = max(best, part(facts))
            if best == TRUE:
                return TRUE
        return best

    return truth


def _not(edition, item):
    part = compiled(edition, item)
    return lambda facts: 2 - part(facts)


def _at_least(edition, body):
    parts = [compiled(edition, item) for item in body["items"]]
    return lambda facts: at_least([part(facts) for part in parts], body["k"])


def at_least(truths, k):
    """At least k of the truths: TRUE, or FALSE where even every unknown one would not be enough."""
    if truths.count(TRUE) >= k:
        return TRUE
    return FALSE if len(truths) - truths.count(FALSE) < k else UNKNOWN


def _first_known(edition, items):
    parts = [compiled(edition, item) for item in items]
    return lambda facts: next((truth for truth in (part(facts) for part in parts) if truth != UNKNOWN), UNKNOWN)


def _holds(edition, name):
    if isinstance(name, dict):
        return lambda facts: facts.reaches(name["id"], name["at_least"])
    return lambda facts: facts.statement(name)


def _known(edition, name):
    return lambda facts: TRUE if facts.is_known(name) else FALSE


def _is(edition, body):
    name, words = body["input"], body["in"]
    unknown = unknown_words(name, edition)

    def truth(facts):
        word = facts.word(name)
        if word is None:
            return UNKNOWN
        if word in words:
            return TRUE
        return UNKNOWN if word in unknown else FALSE

    return truth


def flagged(facts, analyte, words):
    """The analyte has one of these flags: TRUE or FALSE only where every flag that its value may have agrees."""
    flags = facts.possible_flags(analyte)
    if not flags or None in flags:
        return UNKNOWN
    hits = [flag in words for flag in flags]
    return TRUE if all(hits) else UNKNOWN if any(hits) else FALSE


def _flagged(edition, body):
    return lambda facts: flagged(facts, body["analyte"], body["as"])


def _above(edition, body):
    limit, inclusive = comparison(edition, body)
    name = body["quantity"]
    return lambda facts: above(facts.quantity(name), limit(facts), inclusive)


def _below(edition, body):
    limit, inclusive = comparison(edition, body)
    name = body["quantity"]
    return lambda facts: below(facts.quantity(name), limit(facts), inclusive)


def _between(edition, body):
    name, inclusive = body["quantity"], body.get("inclusive", True)
    low, high = (point(limit_value(edition, body[side], name)) for side in ("low", "high"))

    def truth(facts):
        value = facts.quantity(name)
        return min(above(value, low, inclusive), below(value, high, inclusive))

    return truth


def comparison(edition, body):
    """The limit as a function of the facts (a span, None if not known), and whether the comparison includes it."""
    limit, quantity = body["limit"], body["quantity"]
    decision = edition["limits"].get(limit) if isinstance(limit, str) else None
    inclusive = body.get("inclusive", bool(decision) and "=" in decision["op"])
    if isinstance(limit, dict):
        return (lambda facts: facts.quantity(limit["quantity"])), inclusive
    if limit in ("reference.high", "reference.low"):
        side = limit.split(".")[1]
        return (lambda facts: facts.limit_of(quantity, side)), inclusive
    number = point(limit_value(edition, decision["limit"] if decision else limit, quantity))
    return (lambda facts: number), inclusive


FORMS = {
    "all": _all, "any": _any, "not": _not, "at_least": _at_least, "first_known": _first_known, "holds": _holds,
    "known": _known, "is": _is, "flagged": _flagged, "above": _above, "below": _below, "between": _between,
}  # fmt: skip


def unknown_words(name, edition):
    """Words of a coded input that mean "not known"."""
    if name in UNKNOWN_WORDS:
        return UNKNOWN_WORDS[name]
    analyte = edition["analytes"].get("csf_cytology" if name == "csf_cytology_best" else name)
    return tuple(value["word"] for value in (analyte or {}).get("values") or [] if value.get("unknown"))
