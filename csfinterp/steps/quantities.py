"""Quantities: value, comparator and unit of each observation -> an interval in the canonical unit, or why not.

Of several observations for one cell one leads: by tube, by code, or none at all (`duplicate_result`).
"""

from __future__ import annotations

from itertools import chain
from math import inf, nan

import numpy as np

from csfinterp.model.cohort import Bools, Cell, Cohort, Floats, Ints, Observations
from csfinterp.steps.identify import Identifier
from csfinterp.steps.layout import ISSUE, NOT_SENT, REASON, Layout, round9, span
from csfinterp.steps.numbers import GREATER, LESS, LESS_EQUAL, MAX_REMEMBERED, Number, read_number
from csfinterp.units import UnitReader

THIRDS = "{thirds}/uL"


class QuantityReader:
    """Reads the quantities of one edition; numbers and units that were seen are remembered."""

    def __init__(self, layout: Layout, identifier: Identifier) -> None:
        self._layout, self._identifier = layout, identifier
        self._units = UnitReader(layout.edition.units)
        self._numbers: dict[Cell, Number] = {}
        self._factors: dict[tuple[int, str | None], tuple[float, float, int]] = {}
        self._compile_bounds()

    def _compile_bounds(self) -> None:
        analytes = self._layout.analyte_quantities
        hard = [(found.bounds.hard_low, found.bounds.hard_high) for found in analytes]
        self._low = np.array([low.value if low else -inf for low, _ in hard])
        self._high = np.array([high.value if high else inf for _, high in hard])
        self._low_open = np.array([low is not None and not low.inclusive for low, _ in hard], np.bool_)
        self._high_open = np.array([high is not None and not high.inclusive for _, high in hard], np.bool_)
        self._count = np.array([self._units.code(THIRDS, found) is not None for found in analytes], np.bool_)

    def read(self, rows: Ints, analyte: Ints, observations: Observations, issue: Ints, cohort: Cohort) -> None:
        """Fills the cells of `rows`, those of quantities, and notes issues; `analyte`: statement of every row."""
        if not len(rows):
            return
        own, panel = analyte[rows], observations.panel[rows]
        texts = observations.value.texts
        read = chain.from_iterable(map(self._number, texts))  # numpy takes a flat row of numbers far faster than tuples
        number = np.fromiter(read, np.float64, len(texts) * len(Number._fields)).reshape(-1, len(Number._fields))
        which = rows if observations.value.index is None else observations.value.index[rows]
        value, comparator, thirds, code = number[which].T
        factor, thirds_unit, unit_code = self._unit_factors(own, rows, observations)
        third = (thirds > 0) | (thirds_unit > 0)
        bad_thirds = (thirds > 0) & self._not_count(own, factor, thirds_unit, unit_code)
        unit_code = np.where((thirds > 0) & (unit_code == ISSUE["unit_missing"]), 0, unit_code)
        low = round9(np.where(third, value / 3, value) * np.where(unit_code == 0, np.where(third, 1.0, factor), nan))
        code = np.where((code == 0) & (unit_code > 0), unit_code, code)
        code = np.where((code == 0) & bad_thirds, ISSUE["value_unreadable"], code)
        code = np.where((code == 0) & self._outside(own, low, comparator), ISSUE["implausible"], code)
        found = np.flatnonzero(code != NOT_SENT)
        issue[rows] = np.where(code > 0, code, 0).astype(np.int64)
        good = code == 0
        low = np.where(good, low, nan)
        leading = self._lead(rows[found], own[found], panel[found], observations, issue, cohort)
        self._fill(rows, own, panel, low, comparator, leading, issue, cohort)

    def _fill(
        self,
        rows: Ints,
        own: Ints,
        panel: Ints,
        value: Floats,
        comparator: Floats,
        leading: Bools | None,
        issue: Ints,
        cohort: Cohort,
    ) -> None:
        """Writes the leading observation of each cell: value as an interval, reason, place."""
        take = cohort.leading[own, panel] == rows
        if leading is not None:
            take &= leading[rows]
        own, panel, value, comparator = own[take], panel[take], value[take], comparator[take]
        reasons = issue[rows[take]]
        cohort.reason[own, panel] = reasons.astype(np.int8)
        cohort.low[own, panel] = value
        if comparator.any():
            self._censor(own, panel, value, comparator, cohort)

    def _censor(self, own: Ints, panel: Ints, value: Floats, comparator: Floats, cohort: Cohort) -> None:
        """A value with < or > is the interval of all values it can be, never the number (safety law SL22)."""
        below = (comparator == LESS) | (comparator == LESS_EQUAL)
        above = comparator >= GREATER
        usable = np.isfinite(value)
        cohort.high = cohort.low.copy()
        cohort.open_low = np.zeros(cohort.low.shape, np.bool_)
        cohort.open_high = np.zeros(cohort.low.shape, np.bool_)
        cohort.low[own, panel] = np.where(below & usable, self._low[own], value)
        cohort.high[own, panel] = np.where(above & usable, self._high[own], value)
        cohort.open_low[own, panel] = np.where(below, self._low_open[own], comparator == GREATER)
        cohort.open_high[own, panel] = np.where(above, self._high_open[own], comparator == LESS)

    def _lead(
        self, rows: Ints, own: Ints, panel: Ints, observations: Observations, issue: Ints, cohort: Cohort
    ) -> Bools | None:
        """Chooses the observation that fills each cell; a repeat without a rule is `duplicate_result`, none is judged.

        None where no cell has two, else which rows may fill theirs.
        """
        cohort.leading[own, panel] = rows
        twice = np.flatnonzero(cohort.leading[own, panel] != rows)
        if not len(twice):
            return None
        allowed = np.ones(len(observations.panel), np.bool_)
        for statement, column in {(int(own[place]), int(panel[place])) for place in twice}:
            group = [int(row) for row in rows[(own == statement) & (panel == column)]]
            self._settle(statement, column, group, observations, issue, allowed, cohort)
        return allowed

    def _settle(
        self,
        statement: int,
        column: int,
        group: list[int],
        observations: Observations,
        issue: Ints,
        allowed: Bools,
        cohort: Cohort,
    ) -> None:
        entry = self._layout.entry(self._layout.statements[statement])
        identities = {row: self._identifier.identity(observations.code.at(row)) for row in group}
        if len({found.surrogate for found in identities.values()}) > 1:
            group = [row for row in group if not identities[row].surrogate]
        tubes = {row: tube_of(row, observations, identities[row].tube) for row in group}
        by_tube = getattr(entry, "repeats", "none") == "tube" and None not in tubes.values()
        if len(group) == 1 or (by_tube and len(set(tubes.values())) == len(tubes)):
            readable = [row for row in group if not issue[row]] or group
            lead = max(readable, key=lambda row: tubes[row] or 0)
            cohort.leading[statement, column] = lead
            for row in group:
                value, comparator = self.value(observations, row, statement) if row != lead else (None, None)
                if value is not None:
                    cohort.other_tubes.append((statement, column, *span(value, comparator)))
            return
        for row in group:
            issue[row] = issue[row] or ISSUE["duplicate_result"]
            allowed[row] = False
            cohort.repeat[row] = True
        cohort.leading[statement, column] = group[0]
        cohort.reason[statement, column] = REASON["duplicate_result"]
        for row in group:
            value, comparator = self.value(observations, row, statement)
            if value is not None:
                cohort.repeated.append((statement, column, *span(value, comparator)))

    def _number(self, cell: Cell) -> Number:
        found = self._numbers.get(cell)
        if found is None:
            if len(self._numbers) >= MAX_REMEMBERED:
                self._numbers.clear()
            found = self._numbers[cell] = read_number(cell, self._layout.not_sent)
        return found

    def _unit_factors(self, own: Ints, rows: Ints, observations: Observations) -> tuple[Floats, Floats, Ints]:
        """Per row: factor to the canonical unit, 1 where the unit itself says thirds, issue number (0 = converts)."""
        texts = observations.unit.texts
        which = rows if observations.unit.index is None else observations.unit.index[rows]
        pair = own * len(texts) + which
        distinct = np.zeros(self._layout.measured * len(texts), np.bool_)
        distinct[pair] = True
        used = np.flatnonzero(distinct)
        table = np.zeros((len(distinct), 3))
        table[used] = [self._factor(int(place) // len(texts), texts[int(place) % len(texts)]) for place in used]
        found = table[pair]
        return found[:, 0], found[:, 1], found[:, 2].astype(np.int64)

    def _factor(self, row: int, text: str | None) -> tuple[float, float, int]:
        key = (row, text)
        found = self._factors.get(key)
        if found is None:
            if len(self._factors) >= MAX_REMEMBERED:
                self._factors.clear()
            found = self._factors[key] = self._read_unit(row, text)
        return found

    def value(self, observations: Observations, row: int, quantity: int) -> tuple[float | None, str | None]:
        """One observation that does not fill its cell: canonical value and comparator, as far as it can be read."""
        number, (factor, thirds, code) = (
            self._number(observations.value.at(row)),
            self._factor(quantity, observations.unit.at(row)),
        )
        missing = code == ISSUE["unit_missing"] and bool(number.thirds)
        if number.code != 0 or (code != 0 and not missing) or (number.thirds and not self._count[quantity]):
            return None, None
        sign = ("", "<", "<=", ">", ">=")[number.comparator]
        value = number.value / 3 if thirds or number.thirds else number.value * factor
        return float(round9(np.array([value]))[0]), sign or None

    def _read_unit(self, row: int, text: str | None) -> tuple[float, float, int]:
        analyte = self._layout.analyte_quantities[row]
        explicit = analyte.unit_required_explicit
        if text is None or not text.strip():
            return (nan, 0.0, ISSUE["quotient_scale_unknown" if explicit else "unit_missing"])
        if explicit and text.strip() == "{ratio}":
            return (nan, 0.0, ISSUE["quotient_scale_unknown"])
        code = self._units.code(text, analyte)
        if code is None:
            return (nan, 0.0, ISSUE["unit_unknown"])
        return (self._units.factor(code, analyte), 1.0 if code == THIRDS else 0.0, 0)

    def _not_count(self, own: Ints, factor: Floats, thirds_unit: Floats, unit_code: Ints) -> Bools:
        """Thirds are a chamber count per uL: any other unit or analyte contradicts the form."""
        other_unit = (unit_code == 0) & (thirds_unit == 0) & (factor != 1.0)
        contradicts: Bools = ~self._count[own] | other_unit | (unit_code == ISSUE["unit_unknown"])
        return contradicts

    def _outside(self, own: Ints, value: Floats, comparator: Floats) -> Bools:
        """True where no possible value lies inside the hard bounds."""
        low, high = self._low[own], self._high[own]
        at_low, at_high = value == low, value == high
        under = (value < low) | (at_low & (self._low_open[own] | (comparator == LESS)))
        over = (value > high) | (at_high & (self._high_open[own] | (comparator == GREATER)))
        upward = comparator >= GREATER
        downward = (comparator == LESS) | (comparator == LESS_EQUAL)
        outside: Bools = np.where(upward, over, np.where(downward, under, under | over))
        return outside


def tube_of(row: int, observations: Observations, implied: int | None) -> float | None:
    """Tube number sent with the result, else the one that its code names, else None."""
    sent = observations.tube[row] if observations.tube is not None else nan
    return float(sent) if sent == sent else implied
