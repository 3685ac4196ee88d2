"""One column of the outcomes as plain Python values: what a single panel says, ready to be put into words."""

from __future__ import annotations

from copy import copy
from functools import cached_property
from math import inf, isnan, nextafter

from csfinterp.model.cohort import Outcomes
from csfinterp.model.edition import QualityRule
from csfinterp.model.panel import Observation, Panel
from csfinterp.model.predicate import (
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
from csfinterp.steps.explain.wording import Seen, decimal, limits_words, with_unit
from csfinterp.steps.layout import FLAG_WORDS, GRADES, REASON_WORDS

Interval = tuple[float, float, bool, bool]


class Row:
    """Reads column `column` of `outcomes`. `panel` is the panel as received; `first` its first observation row."""

    def __init__(self, parts: Parts, panel: Panel, outcomes: Outcomes, column: int) -> None:
        self.parts, self.panel, self.outcomes, self.column = parts, panel, outcomes, column
        self.layout = parts.layout
        cohort = outcomes.cohort
        self.low = cohort.low[:, column].tolist()
        self.high = self.low if cohort.high is cohort.low else cohort.high[:, column].tolist()
        self.open_low = None if cohort.open_low is None else cohort.open_low[:, column].tolist()
        self.open_high = None if cohort.open_high is None else cohort.open_high[:, column].tolist()
        self._at_least = None if outcomes.at_least is None else outcomes.at_least[:, column].tolist()
        self.judged_low = self.low if outcomes.judged_low is cohort.low else outcomes.judged_low[:, column].tolist()
        self.code = cohort.code[:, column].tolist()
        self.flags = outcomes.flag[:, column].tolist()
        self.rule_flags = self.flags if outcomes.rule_flag is outcomes.flag else outcomes.rule_flag[:, column].tolist()
        self.reasons = outcomes.reason[:, column].tolist()
        self.criticals = outcomes.critical[:, column].tolist()
        self.intervals = outcomes.interval[:, column].tolist()
        self.leading = cohort.leading[:, column].tolist()
        self.computed = outcomes.computed[:, column].tolist()
        self.quality = outcomes.quality[:, column].tolist()
        self.first = int(outcomes.observations.panel.searchsorted(column))
        self.truths = outcomes.truth[:, column].tolist()
        self.advised = outcomes.advice[:, column].tolist()
        self._truths: dict[int, Truth] = {}  # by identity: the predicates live as long as the edition
        self._seen: dict[str, Seen] = {}

    # values -----------------------------------------------------------------------------------------------------

    def exact(self, name: str) -> float | None:
        """The value as one number in the canonical unit; None if missing or censored."""
        place = self.layout.quantity[name]
        value = self.low[place]
        return None if isnan(value) or value != self.high[place] else value

    def ends(self, name: str) -> tuple[float, float] | None:
        """Lowest and highest possible value; an open lower end is moved inside by the smallest step."""
        place = self.layout.quantity[name]
        low, high = self.low[place], self.high[place]
        if isnan(low):
            return None
        opened = self.open_low is not None and self.open_low[place]
        closed = self.open_high is not None and self.open_high[place]
        return nextafter(low, inf) if opened else low, nextafter(high, -inf) if closed and high != inf else high

    def observation(self, name: str) -> Observation | None:
        """The observation that fills the cell of an analyte."""
        place = self.leading[self.layout.statement[name]]
        return self.panel.observations[place - self.first] if place >= 0 else None

    def censored(self, name: str) -> tuple[str, float] | None:
        """Comparator and number of a value that is only known as a bound."""
        place = self.layout.quantity.get(name)
        if place is None or isnan(self.low[place]) or self.low[place] == self.high[place]:
            return None
        low, high = self.low[place], self.high[place]
        sent = self.observation(name)
        if sent is None:
            return None
        text = (sent.comparator or "") + (sent.value or "")
        upward = ">" in text or "≥" in text
        closed = "=" in text or "≥" in text or "≤" in text
        return ((">" if upward else "<") + ("=" if closed else ""), low if upward else high)

    def seen(self, name: str) -> Seen:
        """One quantity or word, ready for a sentence."""
        if name not in self._seen:
            self._seen[name] = self._read(name)
        return self._seen[name]

    def _read(self, name: str) -> Seen:
        layout = self.layout
        if name not in layout.quantity:
            return Seen(self.word(name) or "", None, 0, None)
        entry = layout.entry(name)
        decimals, unit = (entry.decimals, entry.unit) if entry is not None else (0, None)
        value, bound = self.exact(name), self.censored(name)
        if bound is not None:
            return Seen(with_unit(f"{bound[0]}{self.shown(name, bound[1])}", unit), None, decimals, unit)
        if value is None:
            return Seen("not known", None, decimals, unit)
        least = "at least " if name in self.parts.timed and name in self.from_receipt else ""
        return Seen(least + with_unit(self.shown(name, value), unit), value, decimals, unit)

    @cached_property
    def from_receipt(self) -> frozenset[str]:
        """Times to analysis that are only lower bounds, because the receipt stands in."""
        return self.parts.from_receipt(self.panel)

    def shown(self, name: str, value: float) -> str:
        """The number for a reader: as sent if it was sent in the canonical unit, else with the analyte's decimals."""
        entry = self.layout.entry(name)
        sent = self.observation(name) if name in self.parts.edition.analyte else None
        if entry is not None and sent is not None and sent.unit == entry.unit and sent.value is not None:
            text = sent.value.strip().lstrip("<>=≤≥ ")
            if _is_plain(text) and float(text) == value:
                return text
        return decimal(value, entry.decimals if entry is not None else 0)

    def word(self, name: str) -> str | None:
        number = self.code[self.layout.coded[name]]
        return None if number < 0 else self.layout.words[name][number]

    def flag(self, name: str) -> str | None:
        return FLAG_WORDS[self.flags[self.layout.statement[name]]]

    def not_judged(self, name: str) -> str | None:
        """Why the flag is null; None if it is not, or if nothing was sent."""
        number = self.reasons[self.layout.statement[name]]
        return REASON_WORDS[number] if number > 0 else None

    def reference_text(self, name: str) -> str | None:
        place = self.layout.quantity.get(name)
        if place is None or self.intervals[place] < 0:
            return None
        row = self.parts.intervals.rows[self.intervals[place]]
        entry = self.layout.entry(name)
        low, high = self.limits(name)
        text = limits_words(row, low, high, entry.decimals if entry else 0)
        return with_unit(text, entry.unit if entry else None) if text else None

    def limits(self, name: str) -> tuple[float | None, float | None]:
        """Limits of the row in force, canonical unit."""
        place = self.layout.quantity[name]
        low, high = (
            float(array[place, self.column]) for array in (self.outcomes.limits_low, self.outcomes.limits_high)
        )
        return None if isnan(low) else low, None if isnan(high) else high

    def limit(self, quantity: str, limit: Limit) -> float | None:
        if limit.value is not None:
            return limit.value
        if limit.quantity is not None:
            return self.exact(limit.quantity)
        low, high = self.limits(quantity)
        return low if limit.reference == "low" else high

    def has_result(self, observation: Observation) -> bool:
        """A value was sent, and not a word for "no result yet" (pending, not performed, empty)."""
        return observation.value is not None and observation.value.strip().casefold() not in self.parts.not_sent

    @cached_property
    def sent(self) -> frozenset[str]:
        """Ids for which something was sent."""
        return frozenset(name for name, place in self.layout.statement.items() if self.leading[place] >= 0)

    # truth ------------------------------------------------------------------------------------------------------

    def statement(self, name: str) -> Truth:
        """Truth of a quality rule, finding or pattern item (after suppression), caution,
        statement or recommendation."""
        if name in self.parts.quality:
            return Truth(self.quality[self.parts.quality[name]])
        if name in self.parts.first:
            return Truth(self.truths[self.parts.first[name]])
        return Truth(self.advised[self.parts.advice[name]])

    def advice(self, name: str) -> Truth:
        """Truth of a statement of the second program."""
        return Truth(self.advised[self.parts.advice[name]])

    def at_least(self, name: str, word: str) -> Truth:
        """Truth of "this pattern has at least this grade" or "this table gives at least this level"."""
        if name in self.parts.grades:
            grade = self.grade(name)
            return Truth.UNKNOWN if grade == GRADES[0] else Truth(2 * (GRADES.index(grade) >= GRADES.index(word)))
        levels, answer = self.answer(name)
        if word in levels and answer in levels:
            return Truth(2 * (levels.index(answer) >= levels.index(word)))
        return Truth.UNKNOWN if word in levels and answer == "not_classifiable" else Truth(2 * (answer == word))

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
        return [rules[number] for number in self.parts.vetoes.get(target, ()) if self.quality[number] == Truth.TRUE]

    def truth(self, predicate: Predicate) -> Truth:
        """Truth of any part of a rule for this panel, by the same three-valued rules as the columns."""
        found = self._truths.get(id(predicate))
        if found is None:
            found = self._truths[id(predicate)] = self._truth(predicate)
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
                if sum(truth is Truth.TRUE for truth in found) >= k:
                    return Truth.TRUE
                return Truth.FALSE if sum(truth is not Truth.FALSE for truth in found) < k else Truth.UNKNOWN
            case FirstKnown(items):
                known = (self.truth(item) for item in items)
                return next((truth for truth in known if truth is not Truth.UNKNOWN), Truth.UNKNOWN)
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
                return Truth.UNKNOWN if flag is None else Truth(2 * (flag in flags))
            case Is(name, values):
                word = self.word(name)
                if word in values:
                    return Truth.TRUE
                unknown = word is None or word in self.layout.unknown_words.get(name, ())
                return Truth.UNKNOWN if unknown else Truth.FALSE
            case Known(name):
                return Truth.TRUE if self.is_known(name) else Truth.FALSE
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
        found.judged_low, found._at_least, found._truths = self.low, None, {}
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
            return Truth.UNKNOWN
        if not upward:
            value, other = other, value
        low, high, open_low, open_high = value
        limit_low, limit_high, limit_open_low, limit_open_high = other
        if low > limit_high or (low == limit_high and (inclusive or open_low or limit_open_high)):
            return Truth.TRUE
        edge = not inclusive or open_high or limit_open_low
        return Truth.FALSE if high < limit_low or (high == limit_low and edge) else Truth.UNKNOWN

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


def _is_plain(text: str) -> bool:
    return text.replace(".", "", 1).isdigit() and text.isascii()
