"""Which interval row is the patient's own: by completed age at collection, site, context and stratum."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan

import numpy as np

from csfinterp.model.cohort import Bools, Bytes, Cohort, Floats, Ints, Subjects
from csfinterp.model.context import CODED_SUBJECT
from csfinterp.model.edition import AgeEdge, ReferenceInterval
from csfinterp.steps.layout import REASON, Layout
from csfinterp.steps.truth import TRUE, Facts, Program


@dataclass(frozen=True)
class Partition:
    """`interval`: row number in `Partitioner.rows` per (quantity, panel), -1 none; `reason`: why none (NOT_JUDGED + 1)."""

    interval: Ints
    reason: Bytes


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


class Partitioner:
    """Interval rows of one edition. `rows[number]` is the row; row numbers rise with precedence within an analyte."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        pairs = [(name, row) for name in layout.quantities for row in layout.intervals(name)]
        self.rows: tuple[ReferenceInterval, ...] = tuple(row for _, row in pairs)
        self.owner = np.array([layout.quantity[name] for name, _ in pairs], np.int64)
        self._starts = np.flatnonzero(np.diff(self.owner, prepend=-1))
        self._owners = self.owner[self._starts]
        self._bands = AgeBands([(row.age_from, row.age_to) for row in self.rows])
        words = CODED_SUBJECT["site"]
        self._site = np.array([[word in row.sites for word in words] for row in self.rows], np.bool_)
        self._numbers = np.arange(len(self.rows))[:, None]
        strata = [(number, row.stratum) for number, row in enumerate(self.rows) if row.stratum is not None]
        self._strata = np.array([number for number, _ in strata], np.int64)
        self._stratum_of = np.array([layout.quantity[found.quantity] for _, found in strata], np.int64)
        self._stratum_low = np.array([-inf if found.low is None else found.low for _, found in strata])[:, None]
        self._stratum_high = np.array([inf if found.high is None else found.high for _, found in strata])[:, None]
        conditions = {row.rule: row.when for row in self.rows if row.when is not None}
        self._conditions = Program(layout, conditions) if conditions else None
        self._conditional = [number for number, row in enumerate(self.rows) if row.when is not None]
        self._without = self._reasons_without()
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
        """Lower and upper limit per (quantity, panel) in canonical units; NaN = none, or another quantity (see `fill`)."""
        low, high = self._low[interval], self._high[interval]
        if self._lines:
            years = np.where(subjects.years_low == subjects.years_high, subjects.years_low, nan)
            for number, intercept, divisor in self._lines:
                owner = self.owner[number]
                line = np.rint((intercept + years / divisor) * 1e9) / 1e9
                high[owner] = np.where(interval[owner] == number, line, high[owner])
        return low, high

    def fill(self, interval: Ints, cohort: Cohort, high: Floats) -> None:
        """Upper limits that are quantities themselves (Reiber curves), once they are calculated."""
        for number, quantity in self._others:
            owner = self.owner[number]
            high[owner] = np.where(interval[owner] == number, cohort.low[quantity], high[owner])

    def _reasons_without(self) -> Bytes:
        """Reason of a quantity that has no interval at all: orientation only, or none known."""
        layout = self._layout
        analytes = layout.edition.analyte
        without = [
            REASON["no_interval"] if name in analytes and not analytes[name].info else REASON["info_only"]
            for name in layout.quantities
        ]
        return np.array(without, np.int8)

    def choose(self, subjects: Subjects, cohort: Cohort, ages: Floats) -> Partition:
        """The row of every (quantity, panel)."""
        size = cohort.size
        site = cohort.code[self._layout.coded["site"]]
        here = self._site[:, site]
        stratum, pair_missing = self._in_stratum(cohort)
        candidate = here & stratum
        candidate = self._in_context(cohort, candidate)
        whole = candidate & self._bands.whole(ages)
        interval = np.full((len(self._layout.quantities), size), -1, np.int64)
        interval[self._owners] = np.maximum.reduceat(np.where(whole, self._numbers, -1), self._starts, axis=0)
        reason = np.repeat(self._without[:, None], size, axis=1)
        reason[self._owners] = self._why(here, candidate, pair_missing, ages)
        reason[interval >= 0] = 0
        return Partition(interval, reason)

    def _in_stratum(self, cohort: Cohort) -> tuple[Bools, Bools]:
        """Rows whose stratum holds, and rows whose stratum cannot be known because its quantity is missing."""
        inside = np.ones((len(self.rows), cohort.size), np.bool_)
        missing = np.zeros((len(self.rows), cohort.size), np.bool_)
        if len(self._strata):
            value = cohort.low[self._stratum_of]
            if cohort.high is not cohort.low:
                value = np.where(value == cohort.high[self._stratum_of], value, nan)
            inside[self._strata] = (value >= self._stratum_low) & (value < self._stratum_high)
            missing[self._strata] = np.isnan(value)
        return inside, missing

    def _in_context(self, cohort: Cohort, candidate: Bools) -> Bools:
        if self._conditions is None:
            return candidate
        truth = self._conditions.run(Facts.of(cohort))
        candidate = candidate.copy()
        for number in self._conditional:
            candidate[number] &= truth[self._conditions.rows[self.rows[number].rule]] == TRUE
        return candidate

    def _why(self, here: Bools, candidate: Bools, pair_missing: Bools, ages: Floats) -> Bytes:
        """Reasons per owner: site first, then the missing pair of a stratum, then age."""

        def some(rows: Bools) -> Bools:
            return np.logical_or.reduceat(rows, self._starts, axis=0)

        age_known = ~np.isnan(ages[0])
        coarse = some(candidate & self._bands.part(ages)) & age_known
        reason = np.where(
            ~age_known,
            REASON["age_missing"],
            np.where(coarse, REASON["age_too_coarse"], REASON["no_interval_for_age"]),
        )
        reason = np.where(some(here & pair_missing), REASON["pair_missing"], reason)
        result: Bytes = np.where(some(here), reason, REASON["no_interval_for_site"]).astype(np.int8)
        return result
