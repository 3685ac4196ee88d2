"""What the rules say of a single panel: the truth of every statement and of every part of it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from functools import cached_property
from math import inf, isnan

from csfinterp.model.cohort import Outcomes
from csfinterp.model.edition import QualityRule
from csfinterp.model.panel import Panel
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
)
from csfinterp.steps.explain.parts import Parts
from csfinterp.steps.explain.values import Values
from csfinterp.steps.layout import FLAG_WORDS, GRADES

Interval = tuple[float, float, bool, bool]
TRUTHS: tuple[Truth, ...] = tuple(Truth)


class Row(Values):
    """The values of one panel and what the rules make of them."""

    def __init__(self, parts: Parts, panel: Panel, outcomes: Outcomes, column: int) -> None:
        super().__init__(parts, panel, outcomes, column)
        self._at_least = None if outcomes.at_least is None else outcomes.at_least[:, column].tolist()
        self.judged_low = (
            self.low if outcomes.judged_low is outcomes.cohort.low else outcomes.judged_low[:, column].tolist()
        )
        self.quality: list[int] = outcomes.quality[:, column].tolist()
        self.truths: list[int] = outcomes.truth[:, column].tolist()
        self.advised: list[int] = outcomes.advice[:, column].tolist()
        # By identity: the predicates live as long as the edition. The columns answered for most of them already.
        self._nodes: Mapping[int, int] = parts.nodes
        self._decided: list[int] = self.truths + self.advised
        self._truths: dict[int, Truth] = {}
        self.told: dict[tuple[int, bool], str] = {}

    def statement(self, name: str) -> Truth:
        """Truth of a quality rule, finding or pattern item (after suppression), caution,
        statement or recommendation."""
        if name in self.parts.quality:
            return TRUTHS[self.quality[self.parts.quality[name]]]
        if name in self.parts.first.rows:
            return TRUTHS[self.truths[self.parts.first.rows[name]]]
        return TRUTHS[self.advised[self.parts.advice.rows[name]]]

    def advice(self, name: str) -> Truth:
        """Truth of a statement of the second program."""
        return TRUTHS[self.advised[self.parts.advice.rows[name]]]

    def at_least(self, name: str, word: str) -> Truth:
        """Truth of "this pattern has at least this grade" or "this table gives at least this level"."""
        if name in self.parts.grades:
            grade = self.grade(name)
            return UNKNOWN if grade == GRADES[0] else Truth(2 * (GRADES.index(grade) >= GRADES.index(word)))
        levels, answer = self.answer(name)
        if word in levels and answer in levels:
            return Truth(2 * (levels.index(answer) >= levels.index(word)))
        return UNKNOWN if word in levels and answer == "not_classifiable" else Truth(2 * (answer == word))

    def answer(self, table: str) -> tuple[tuple[str, ...], str]:
        """Levels of an evidence table, and its answer."""
        number = int(self.outcomes.evidence[table][self.column])
        if table in self.parts.evidence:
            evidence = self.parts.evidence[table]
            return evidence.table.levels, evidence.verdict(number).answer
        found = self.parts.column_evidence[table].table
        return found.levels, found.rows[number].answer if number < len(found.rows) else found.otherwise

    def grade(self, pattern: str) -> str:
        """Grade word of a pattern."""
        return GRADES[int(self.outcomes.graded.grade[self.parts.grades[pattern], self.column])]

    def suppressing(self, target: str) -> list[QualityRule]:
        """Quality rules that hold and withhold `target`."""
        rules = self.parts.edition.quality
        return [rules[number] for number in self.parts.vetoes.get(target, ()) if self.quality[number] == TRUE]

    def truth(self, predicate: Predicate) -> Truth:
        """Truth of any part of a rule for this panel, by the same three-valued rules as the columns."""
        key = id(predicate)
        node = self._nodes.get(key)
        if node is not None:
            return TRUTHS[self._decided[node]]
        found = self._truths.get(key)
        if found is None:
            found = self._truths[key] = self._truth(predicate)
        return found

    def _truth(self, predicate: Predicate) -> Truth:
        match predicate:
            case All(items):
                return min(self.truth(item) for item in items)
            case Any(items):
                return max(self.truth(item) for item in items)
            case Not(item):
                return Truth(2 - self.truth(item))
            case AtLeast(k, items):
                found = [self.truth(item) for item in items]
                if sum(truth is TRUE for truth in found) >= k:
                    return TRUE
                return FALSE if sum(truth is not FALSE for truth in found) < k else UNKNOWN
            case FirstKnown(items):
                known = (self.truth(item) for item in items)
                return next((truth for truth in known if truth is not UNKNOWN), UNKNOWN)
            case Between(quantity, low, high, inclusive):
                return min(
                    self._compare(quantity, low, inclusive, upward=True),
                    self._compare(quantity, high, inclusive, upward=False),
                )
            case Above(quantity, limit, inclusive):
                return self._compare(quantity, limit, inclusive, upward=True)
            case Below(quantity, limit, inclusive):
                return self._compare(quantity, limit, inclusive, upward=False)
            case Flagged(analyte, flags):
                flag = FLAG_WORDS[self.rule_flags[self.layout.statement[analyte]]]
                return UNKNOWN if flag is None else Truth(2 * (flag in flags))
            case Is(name, values):
                word = self.word(name)
                if word in values:
                    return TRUE
                unknown = word is None or word in self.layout.unknown_words.get(name, ())
                return UNKNOWN if unknown else FALSE
            case Known(name):
                return TRUE if self.is_known(name) else FALSE
            case Holds(name, least):
                return self.statement(name) if least is None else self.at_least(name, least)
        raise TypeError(f"no predicate: {predicate!r}")

    def behind(self, name: str) -> Row:
        """The panel as the statement `name` saw it: quality rules saw what they then withheld."""
        return self.before if name in self.parts.quality else self

    @cached_property
    def before(self) -> Row:
        """This panel before any quality rule withheld a value."""
        found = copy(self)
        found.judged_low, found._at_least, found._truths, found.told = self.low, None, {}, {}
        found._nodes, found._decided = self.parts.checks, self.outcomes.checks[:, self.column].tolist()
        return found

    def named(self, name: str) -> Predicate | None:
        """The rule behind a name that `holds` may use;
        None if a quality rule suppressed it (then the name itself says why)."""
        if name in self.parts.vetoes and self.suppressing(name):
            return None
        edition = self.parts.edition
        return edition.first_program.get(name) or edition.second_program.get(name) or self.parts.rules.get(name)

    def is_known(self, name: str) -> bool:
        """A usable value or word is there."""
        if name in self.layout.coded:
            word = self.word(name)
            return word is not None and word not in self.layout.unknown_words.get(name, ())
        return not isnan(self.judged_low[self.layout.quantity[name]])

    def _compare(self, quantity: str, limit: Limit, inclusive: bool, *, upward: bool) -> Truth:
        value, other = self._interval(quantity), self._limit_interval(quantity, limit)
        if value is None or other is None:
            return UNKNOWN
        if not upward:
            value, other = other, value
        low, high, open_low, open_high = value
        limit_low, limit_high, limit_open_low, limit_open_high = other
        if low > limit_high or (low == limit_high and (inclusive or open_low or limit_open_high)):
            return TRUE
        edge = not inclusive or open_high or limit_open_low
        return FALSE if high < limit_low or (high == limit_low and edge) else UNKNOWN

    def _interval(self, quantity: str) -> Interval | None:
        """low, high, and whether each end is open, as rules read the value; None where it is not known."""
        place = self.layout.quantity[quantity]
        if isnan(self.judged_low[place]):
            return None
        unbounded = self._at_least is not None and self._at_least[place]
        opened = self.open_low is not None and self.open_low[place]
        closed = self.open_high is not None and self.open_high[place] and not unbounded
        return self.low[place], inf if unbounded else self.high[place], opened, closed

    def _limit_interval(self, quantity: str, limit: Limit) -> Interval | None:
        if limit.quantity is not None:
            return self._interval(limit.quantity)
        number = self.limit(quantity, limit)
        return None if number is None else (number, number, False, False)
