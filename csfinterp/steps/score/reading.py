"""What the formula of one score reads of a chunk of panels, and the answer it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from csfinterp.model.coefficients import Coefficients
from csfinterp.model.cohort import Bools, Bytes, Floats, Ints
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


class Read:
    """What the formula of one score reads, compiled. `rows`: row of each item in the truth of the program."""

    def __init__(
        self, layout: Layout, constants: Constants, items: Sequence[Item], rows: Ints, model: Coefficients | None
    ) -> None:
        self.layout, self.constants, self.model = layout, constants, model
        self.row = {item.id: int(row) for item, row in zip(items, rows, strict=True)}
        groups = {item.group for item in items}
        places = {name: [place for place, item in enumerate(items) if item.group == name] for name in groups}
        self.rows = {name: rows[found] for name, found in places.items()}
        points = {name: np.array([[items[place].points] for place in found]) for name, found in places.items()}
        self.gains = {name: np.maximum(found, 0.0) for name, found in points.items()}
        self.losses = {name: np.minimum(found, 0.0) for name, found in points.items()}


class Reading:
    """Values, words and item truths of one score over the panels of a chunk. `truth`: of every node of the program."""

    def __init__(self, read: Read, facts: Facts, truth: Bytes) -> None:
        self._read, self.facts, self._truth = read, facts, truth
        self.layout, self.constants, self.model = read.layout, read.constants, read.model
        self.size = int(facts.low.shape[1])

    def truth(self, item: str) -> Bytes:
        """Truth of an item, by its id."""
        found: Bytes = self._truth[self._read.row[item]]
        return found

    def group(self, name: str) -> Bytes:
        """Truth of all items of a group, shape (items, panels)."""
        found: Bytes = self._truth[self._read.rows[name]]
        return found

    def any_of(self, group: str) -> Bytes:
        """Truth of "one item of the group holds"."""
        found: Bytes = self.group(group).max(axis=0, initial=FALSE)
        return found

    def all_known(self, group: str) -> Bools:
        """Every item of the group is TRUE or FALSE."""
        found: Bools = (self.group(group) != UNKNOWN).all(axis=0)
        return found

    def any_known(self, group: str) -> Bools:
        """Some item of the group is TRUE or FALSE."""
        found: Bools = (self.group(group) != UNKNOWN).any(axis=0)
        return found

    def points(self, group: str = POINTS) -> tuple[Floats, Floats]:
        """Lowest and highest sum of points that the open items of a group leave, added in the order of the file."""
        items, gains, losses = self.group(group), self._read.gains[group], self._read.losses[group]
        certain, possible = items == TRUE, items >= UNKNOWN
        lowest, highest = certain * gains + possible * losses, possible * gains + certain * losses
        low, high = np.zeros(self.size), np.zeros(self.size)
        for least, most in zip(lowest, highest, strict=True):
            low, high = low + least, high + most
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
        table = np.array([False, *(word in words for word in self.layout.words[name])])
        found: Bools = table[self.facts.code[self.layout.coded[name]] + 1]
        return found

    def number_of_word(self, name: str, numbers: Mapping[str, float]) -> Floats:
        """The number that the score gives to the word of a coded input, NaN for other words."""
        table = np.array([NAN, *(numbers.get(word, NAN) for word in self.layout.words[name])])
        found: Floats = table[self.facts.code[self.layout.coded[name]] + 1]
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
