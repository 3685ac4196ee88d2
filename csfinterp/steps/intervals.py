"""The interval rows of one edition as arrays: age bands, limits, and how an age span meets a band.
Shared by the steps."""

from __future__ import annotations

from math import inf, nan

import numpy as np

from csfinterp.model.cohort import Bools, Cohort, Floats, Ints, Subjects
from csfinterp.model.edition import AgeEdge, ReferenceInterval
from csfinterp.steps.layout import Layout, round9


def age_columns(subjects: Subjects) -> Floats:
    """Four rows (days low, days end, completed years low, years end), shape (4, panels); ends are excluded."""
    return np.stack((subjects.days_low, subjects.days_high, subjects.years_low, subjects.years_high + 1))


class AgeBands:
    """Age bands compiled: which bands hold for the whole age span of each panel, and which only for part of it."""

    def __init__(self, bands: list[tuple[AgeEdge, AgeEdge | None]]) -> None:
        years_from = np.array([band[0].unit == "a" for band in bands], np.bool_)
        years_to = np.array([band[1] is not None and band[1].unit == "a" for band in bands], np.bool_)
        self._from = np.array([band[0].value for band in bands])[:, None]
        self._to = np.array([inf if band[1] is None else band[1].value for band in bands])[:, None]
        self.all_ages = (self._from == 0) & (self._to == inf)
        self._low_of_from = np.where(years_from, 2, 0)
        self._end_of_from = np.where(years_from, 3, 1)
        self._low_of_to = np.where(years_to, 2, 0)
        self._end_of_to = np.where(years_to, 3, 1)

    def whole(self, ages: Floats) -> Bools:
        """Every age of the span lies in the band; shape (bands, panels). Bands for all ages hold without an age."""
        found: Bools = self.all_ages | ((ages[self._low_of_from] >= self._from) & (ages[self._end_of_to] <= self._to))
        return found

    def part(self, ages: Floats) -> Bools:
        """Some age of the span lies in the band."""
        found: Bools = self.all_ages | ((ages[self._end_of_from] > self._from) & (ages[self._low_of_to] < self._to))
        return found


class IntervalTable:
    """`rows[number]` is an interval row, `owner[number]` its quantity; numbers rise with precedence within a quantity.

    `low_inclusive`, `high_inclusive` by row number: the limit itself is normal; the last entry is "no row" (-1).
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        pairs = [(name, row) for name in layout.quantities for row in layout.intervals(name)]
        self.rows: tuple[ReferenceInterval, ...] = tuple(row for _, row in pairs)
        self.owner = np.array([layout.quantity[name] for name, _ in pairs], np.int64)
        self._compile_limits()

    def _compile_limits(self) -> None:
        """Numbers of the limits by row number; the last entry is "no row"."""
        lows, highs = [row.low for row in self.rows], [row.high for row in self.rows]
        self._low = np.array([*(nan if end is None or end.value is None else end.value for end in lows), nan])
        self._high = np.array([*(nan if end is None or end.value is None else end.value for end in highs), nan])
        self.low_inclusive = np.array([*(end is None or end.inclusive for end in lows), True], np.bool_)
        self.high_inclusive = np.array([*(end is None or end.inclusive for end in highs), True], np.bool_)
        self._lines = [
            (number, end.intercept, end.divisor)
            for number, end in enumerate(highs)
            if end is not None and end.intercept is not None and end.divisor is not None
        ]
        self._others = [
            (number, self._layout.quantity[end.quantity])
            for number, end in enumerate(highs)
            if end is not None and end.quantity is not None
        ]

    def limits(self, interval: Ints, subjects: Subjects) -> tuple[Floats, Floats]:
        """Lower and upper limit per (quantity, panel) in canonical units;
        NaN = none, or another quantity (see `fill`)."""
        low, high = self._low[interval], self._high[interval]
        if self._lines:
            years = np.where(subjects.years_low == subjects.years_high, subjects.years_low, nan)
            for number, intercept, divisor in self._lines:
                owner = self.owner[number]
                line = round9(intercept + years / divisor)
                high[owner] = np.where(interval[owner] == number, line, high[owner])
        return low, high

    def fill(self, interval: Ints, cohort: Cohort, high: Floats) -> None:
        """Upper limits that are quantities themselves (Reiber curves), once they are calculated."""
        for number, quantity in self._others:
            owner = self.owner[number]
            high[owner] = np.where(interval[owner] == number, cohort.low[quantity], high[owner])
