"""What the formula of one score reads of a chunk of panels, and the answer it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from csfinterp.model.coefficients import Coefficients
from csfinterp.model.cohort import Bools, Bytes, Floats
from csfinterp.steps.layout import Layout
from csfinterp.steps.score.items import POINTS, Constants, Item
from csfinterp.steps.truth import FALSE, TRUE, UNKNOWN, Facts

NOT_ASKED, COMPUTED, NOT_COMPUTABLE, REFUSED = (np.int8(number) for number in range(4))
NOTHING = -1
NAN = float("nan")


@dataclass(frozen=True)
class Answer:
    """Shape (panels,) each. `low`..`high` is the value; `first`..`last` the class at both ends, -1 none.

    `why`: number of the reason in `constants.reasons`, -1 none. `parts`: further values that the text prints.
    """

    status: Bytes
    low: Floats
    high: Floats
    first: Bytes
    last: Bytes
    why: Bytes
    parts: Mapping[str, tuple[Floats, Floats]]


class Reading:
    """Values, words and item truths of one score over the panels of a chunk. `truth`: of every node of the program."""

    def __init__(
        self,
        layout: Layout,
        facts: Facts,
        constants: Constants,
        items: Sequence[Item],
        truth: Mapping[str, Bytes],
        model: Coefficients | None = None,
    ) -> None:
        self.layout, self.facts, self.constants, self.items, self.model = layout, facts, constants, items, model
        self._truth = truth
        self.size = int(facts.low.shape[1])

    def truth(self, item: str) -> Bytes:
        """Truth of an item, by its id."""
        return self._truth[item]

    def any_of(self, group: str) -> Bytes:
        """Truth of "one item of the group holds"."""
        found = np.full(self.size, FALSE, np.int8)
        for item in self.group(group):
            found = np.maximum(found, self._truth[item.id])
        return found

    def all_known(self, group: str) -> Bools:
        """Every item of the group is TRUE or FALSE."""
        found = np.ones(self.size, np.bool_)
        for item in self.group(group):
            found &= self._truth[item.id] != UNKNOWN
        return found

    def group(self, name: str) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.group == name)

    def points(self, group: str = POINTS) -> tuple[Floats, Floats]:
        """Lowest and highest sum of points that the open items of a group leave, added in the order of the file."""
        low, high = np.zeros(self.size), np.zeros(self.size)
        for item in self.group(group):
            certain, possible = self._truth[item.id] == TRUE, self._truth[item.id] >= UNKNOWN
            low = low + np.where(certain if item.points > 0 else possible, item.points, 0.0)
            high = high + np.where(possible if item.points > 0 else certain, item.points, 0.0)
        return low, high

    def span(self, name: str) -> tuple[Floats, Floats]:
        """Low and high end of a quantity in its canonical unit, NaN where it is not known."""
        row = self.layout.quantity[name]
        return self.facts.low[row], self.facts.high[row]

    def exact(self, *names: str) -> Floats:
        """The first of the quantities that is known as one number, else NaN. A bound is not the number (C5)."""
        found = np.full(self.size, NAN)
        for name in names:
            low, high = self.span(name)
            found = np.where(np.isnan(found) & (low == high), low, found)
        return found

    def is_word(self, name: str, *words: str) -> Bools:
        """The coded input is one of these words."""
        known = self.layout.words[name]
        return np.isin(self.facts.code[self.layout.coded[name]], [known.index(word) for word in words])

    def number_of_word(self, name: str, numbers: Mapping[str, float]) -> Floats:
        """The number that the score gives to the word of a coded input, NaN for other words."""
        table = np.array([NAN, *(numbers.get(word, NAN) for word in self.layout.words[name])])
        found: Floats = table[self.facts.code[self.layout.coded[name]].astype(np.int64) + 1]
        return found

    def answer(
        self,
        computable: Bools,
        low: Floats | None = None,
        high: Floats | None = None,
        first: object = NOTHING,
        last: object = None,
        why: object = 0,
        parts: Mapping[str, tuple[Floats, Floats]] | None = None,
    ) -> Answer:
        """An answer where `computable`, elsewhere not computable with reason `why`."""
        empty = np.full(self.size, NAN)
        low = empty if low is None else low
        high = low if high is None else high
        last = first if last is None else last
        return Answer(
            np.where(computable, COMPUTED, NOT_COMPUTABLE),
            np.where(computable, low, NAN),
            np.where(computable, high, NAN),
            np.where(computable, first, NOTHING).astype(np.int8),  # type: ignore[call-overload]
            np.where(computable, last, NOTHING).astype(np.int8),  # type: ignore[call-overload]
            np.where(computable, NOTHING, why).astype(np.int8),  # type: ignore[call-overload]
            parts or {},
        )


def step_of(value: Floats, starts: Sequence[float]) -> Floats:
    """Number of the step that a value reaches: the last of `starts` (rising) that is <= value."""
    found = np.zeros(value.shape)
    for start in starts[1:]:
        found = found + (value >= start)
    return found
