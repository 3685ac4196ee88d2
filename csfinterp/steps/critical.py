"""Critical limits of quantities: which values somebody must be told now, whatever their interval row says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csfinterp.model.cohort import Bools, Bytes, Cohort, Floats, Ints
from csfinterp.steps.intervals import AgeBands
from csfinterp.steps.layout import FLAG, Layout

LL, HH = (np.int8(FLAG[word]) for word in ("LL", "HH"))


@dataclass(frozen=True)
class End:
    """One end of the value intervals, the lowest or (`highest`) the highest possible value; `open`: just inside it."""

    value: Floats
    open: Bools | None
    highest: bool


class CriticalLimits:
    """The critical rules of one edition that compare a number, as arrays of shape (rows, 1) sorted by quantity."""

    def __init__(self, layout: Layout) -> None:
        quantity = layout.quantity
        entries = [
            (number, name, rule)
            for number, rule in enumerate(layout.edition.critical)
            if rule.op is not None and rule.flag is not None
            for name in rule.analytes
        ]
        entries.sort(key=lambda entry: quantity[entry[1]])
        self._number = np.array([number + 1 for number, _, _ in entries], np.int8)[:, None]
        self._flag = np.array([FLAG[rule.flag] for _, _, rule in entries], np.int8)[:, None]
        self._row = np.array([quantity[name] for _, name, _ in entries], np.int64)
        self._limit = np.array([rule.limit for _, _, rule in entries], np.float64)[:, None]
        self._inclusive = np.array(["=" in str(rule.op) for _, _, rule in entries], np.bool_)[:, None]
        self._upward = np.array([str(rule.op).startswith(">") for _, _, rule in entries], np.bool_)[:, None]
        self._bands = AgeBands([(rule.age_from, rule.age_to) for _, _, rule in entries])
        self._ageless = np.array([rule.age_unknown for _, _, rule in entries], np.bool_)[:, None]
        self._starts = np.flatnonzero(np.diff(self._row, prepend=-1))
        self._owner = self._row[self._starts]

    def numbers(self, quantity: int, low: float, high: float, ages: Floats) -> list[int]:
        """Numbers (from 1) of the critical rules that the closed interval low..high meets as a whole."""
        mine = self._row == quantity
        limit, upward = self._limit[mine, 0], self._upward[mine, 0]
        edge = self._inclusive[mine, 0]
        holds = np.where(upward, (low > limit) | ((low == limit) & edge), (high < limit) | ((high == limit) & edge))
        holds &= self._applies(ages)[mine, 0]
        return [int(number) for number in self._number[mine, 0][holds]]

    def ends(self, cohort: Cohort, ages: Floats, number: Bytes) -> tuple[Bytes, Bytes]:
        """HH / LL by critical rows for the lowest and for the highest possible value; `number` gets the rule."""
        rows = self._row
        applies = self._applies(ages)
        found = []
        for end in (End(cohort.low, cohort.open_low, False), End(cohort.high, cohort.open_high, True)):
            holds = applies & self._beyond(end, rows)
            letters = np.where(holds, self._flag, 0).astype(np.int8)
            flags = np.zeros(cohort.low.shape, np.int8)
            flags[self._owner] = np.maximum.reduceat(letters, self._starts, axis=0)
            which = np.maximum.reduceat(np.where(holds, self._number, 0), self._starts, axis=0)
            number[self._owner] = which.astype(np.int8)
            found.append(flags)
            if cohort.high is cohort.low:
                return flags, flags
        return found[0], found[1]

    def _applies(self, ages: Floats) -> Bools:
        """A critical row counts if any age that is possible lies in its band (safety law SL41)."""
        applies: Bools = self._bands.part(ages) | (self._ageless & np.isnan(ages[0]))
        return applies

    def _beyond(self, end: End, rows: Ints) -> Bools:
        """The end of the interval lies beyond the critical limit; an open end touches its value only from inside."""
        value, limit = end.value[rows], self._limit
        edge = (value == limit) & self._inclusive
        if end.open is not None:
            upward_edge = edge & ~end.open[rows] if end.highest else edge | ((value == limit) & end.open[rows])
            downward_edge = edge | ((value == limit) & end.open[rows]) if end.highest else edge & ~end.open[rows]
            edge = np.where(self._upward, upward_edge, downward_edge)
        beyond: Bools = np.where(self._upward, value > limit, value < limit) | edge
        return beyond
