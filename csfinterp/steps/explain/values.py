"""One column of the outcomes as plain Python values: what a single panel says, ready to be put into words."""

from __future__ import annotations

from functools import cached_property
from math import inf, isnan, nextafter

from csfinterp.model.cohort import Outcomes
from csfinterp.model.panel import Observation, Panel
from csfinterp.model.predicate import Limit
from csfinterp.steps.explain.parts import Parts
from csfinterp.steps.explain.wording import Seen, decimal, limits_words, with_unit
from csfinterp.steps.layout import FLAG_WORDS, REASON_WORDS


class Values:
    """Reads column `column` of `outcomes`. `panel` is the panel as received; `first` its first observation row."""

    def __init__(self, parts: Parts, panel: Panel, outcomes: Outcomes, column: int) -> None:
        self.parts, self.panel, self.outcomes, self.column = parts, panel, outcomes, column
        self.layout = parts.layout
        cohort = outcomes.cohort
        self.low = cohort.low[:, column].tolist()
        self.high = self.low if cohort.high is cohort.low else cohort.high[:, column].tolist()
        self.open_low = None if cohort.open_low is None else cohort.open_low[:, column].tolist()
        self.open_high = None if cohort.open_high is None else cohort.open_high[:, column].tolist()
        self.code = cohort.code[:, column].tolist()
        self.flags = outcomes.flag[:, column].tolist()
        self.rule_flags = self.flags if outcomes.rule_flag is outcomes.flag else outcomes.rule_flag[:, column].tolist()
        self.reasons = outcomes.reason[:, column].tolist()
        self.criticals = outcomes.critical[:, column].tolist()
        self.limits_low = outcomes.limits_low[:, column].tolist()
        self.limits_high = outcomes.limits_high[:, column].tolist()
        self.intervals = outcomes.interval[:, column].tolist()
        self.leading = cohort.leading[:, column].tolist()
        self.computed = outcomes.computed[:, column].tolist()
        self.first = int(outcomes.observations.panel.searchsorted(column))
        self._seen: dict[str, Seen] = {}
        self._references: dict[str, str | None] = {}

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
        return decimal(value, entry.decimals) if entry is not None else f"{value:g}"

    def name_of(self, name: str) -> str:
        """A quantity's or coded result's name; of context the words of its id."""
        entry = self.layout.entry(name)
        return entry.name if entry is not None else name.replace("_", " ")

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
        """The interval in force as a reader sees it, with its unit."""
        if name not in self._references:
            self._references[name] = self._reference_text(name)
        return self._references[name]

    def _reference_text(self, name: str) -> str | None:
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
        low, high = self.limits_low[place], self.limits_high[place]
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


def _is_plain(text: str) -> bool:
    return text.replace(".", "", 1).isdigit() and text.isascii()
