"""Which interval row is the patient's own: by completed age at collection, site, context and stratum."""

from __future__ import annotations

from math import inf

import numpy as np

from csfinterp.model.cohort import Bools, Bytes, Cohort, Floats, Partition
from csfinterp.model.context import CODED_SUBJECT
from csfinterp.steps.intervals import AgeBands, IntervalTable
from csfinterp.steps.layout import REASON, Layout
from csfinterp.steps.program import Program
from csfinterp.steps.truth import TRUE, Facts


class Partitioner:
    """Chooses rows of the interval table of one edition."""

    def __init__(self, layout: Layout, table: IntervalTable) -> None:
        self._layout = layout
        self._rows = table.rows
        self._starts = np.flatnonzero(np.diff(table.owner, prepend=-1))
        self._owners = table.owner[self._starts]
        self._bands = AgeBands([(row.age_from, row.age_to) for row in self._rows])
        words = CODED_SUBJECT["site"]
        self._site = np.array([[word in row.sites for word in words] for row in self._rows], np.bool_)
        self._numbers = np.arange(len(self._rows))[:, None]
        strata = [(number, row.stratum) for number, row in enumerate(self._rows) if row.stratum is not None]
        self._strata = np.array([number for number, _ in strata], np.int64)
        self._stratum_of = np.array([layout.quantity[found.quantity] for _, found in strata], np.int64)
        self._stratum_low = np.array([-inf if found.low is None else found.low for _, found in strata])[:, None]
        self._stratum_high = np.array([inf if found.high is None else found.high for _, found in strata])[:, None]
        conditions = {row.rule: row.when for row in self._rows if row.when is not None}
        self._conditions = Program(layout, conditions) if conditions else None
        self._conditional = [number for number, row in enumerate(self._rows) if row.when is not None]
        self._without = self._reasons_without()

    def _reasons_without(self) -> Bytes:
        """Reason of a quantity that has no interval at all: orientation only, or none known."""
        layout = self._layout
        analytes = layout.edition.analyte
        without = [
            REASON["no_interval"] if name in analytes and not analytes[name].info else REASON["info_only"]
            for name in layout.quantities
        ]
        return np.array(without, np.int8)

    def choose(self, cohort: Cohort, ages: Floats) -> Partition:
        """The row of every (quantity, panel)."""
        size = cohort.size
        site = cohort.code[self._layout.coded["site"]]
        here = self._site[:, site]
        stratum, missing, undecided = self._in_stratum(cohort)
        candidate = here & stratum
        candidate = self._in_context(cohort, candidate)
        whole = candidate & self._bands.whole(ages)
        interval = np.full((len(self._layout.quantities), size), -1, np.int64)
        interval[self._owners] = np.maximum.reduceat(np.where(whole, self._numbers, -1), self._starts, axis=0)
        reason = np.repeat(self._without[:, None], size, axis=1)
        reason[self._owners] = self._why(here, candidate, (missing, undecided), ages)
        reason[interval >= 0] = 0
        return Partition(interval, reason)

    def _in_stratum(self, cohort: Cohort) -> tuple[Bools, Bools, Bools]:
        """Rows whose stratum holds, whose quantity is missing, and whose quantity (censored) leaves it undecided."""
        inside = np.ones((len(self._rows), cohort.size), np.bool_)
        missing = np.zeros((len(self._rows), cohort.size), np.bool_)
        undecided = np.zeros((len(self._rows), cohort.size), np.bool_)
        if len(self._strata):
            low, high = cohort.low[self._stratum_of], cohort.high[self._stratum_of]
            below = (high < self._stratum_high) | np.isposinf(self._stratum_high)
            if cohort.open_high is not None:
                below |= (high == self._stratum_high) & cohort.open_high[self._stratum_of]
            inside[self._strata] = (low >= self._stratum_low) & below
            missing[self._strata] = np.isnan(low)
            part = (high >= self._stratum_low) & (low < self._stratum_high)
            undecided[self._strata] = part & ~inside[self._strata]
        return inside, missing, undecided

    def _in_context(self, cohort: Cohort, candidate: Bools) -> Bools:
        if self._conditions is None:
            return candidate
        truth = self._conditions.run(Facts.of(cohort))
        candidate = candidate.copy()
        for number in self._conditional:
            candidate[number] &= truth[self._conditions.rows[self._rows[number].rule]] == TRUE
        return candidate

    def _why(self, here: Bools, candidate: Bools, strata: tuple[Bools, Bools], ages: Floats) -> Bytes:
        """Reasons per owner: site first, then the missing or undecided stratum, then age."""

        def some(rows: Bools) -> Bools:
            return np.logical_or.reduceat(rows, self._starts, axis=0)

        age_known = ~np.isnan(ages[0])
        possible = candidate | (here & strata[1])
        coarse = some(possible & self._bands.part(ages)) & age_known
        reason = np.where(
            ~age_known,
            REASON["age_missing"],
            np.where(coarse, REASON["age_too_coarse"], REASON["no_interval_for_age"]),
        )
        missing, undecided = strata
        open_ = some(here & undecided & self._bands.whole(ages))
        reason = np.where(open_, REASON["comparator_undecided"], reason)
        reason = np.where(some(here & missing), REASON["pair_missing"], reason)
        result: Bytes = np.where(some(here), reason, REASON["no_interval_for_site"]).astype(np.int8)
        return result
