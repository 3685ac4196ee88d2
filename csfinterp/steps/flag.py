"""The interpretation code of every result: critical limit first, then the patient's own interval row,
else null with the reason."""

from __future__ import annotations

from math import inf

import numpy as np

from csfinterp.model.cohort import Bools, Bytes, Cohort, Flags, Floats, Ints, Judged, Partition
from csfinterp.model.context import CODED_SUBJECT
from csfinterp.model.edition import Analyte, ReferenceInterval
from csfinterp.steps.critical import HH, LL, CriticalLimits, End
from csfinterp.steps.intervals import IntervalTable
from csfinterp.steps.layout import FLAG, REASON, Layout
from csfinterp.steps.program import Program
from csfinterp.steps.truth import TRUE, Facts

N, L, H = (np.int8(FLAG[word]) for word in ("N", "L", "H"))
# Ranks from low to high; a censored value has a lowest and a highest possible rank.
RANK_FLAGS = np.array([LL, L, N, H, HH], np.int8)
YES = np.int8(CODED_SUBJECT["seen_csf_cytology"].index("yes"))
BLOOD = ("serum", "plasma", "blood")
READINGS, NO_READING = 64, 9999  # a band's flag and reason as one number, to see whether two bands say the same


class Flagger:
    """Flags of one edition."""

    def __init__(self, layout: Layout, table: IntervalTable) -> None:
        self._layout, self._table = layout, table
        self._critical = CriticalLimits(layout)
        self._compile_coded()
        self._compile_bands()
        rows = table.rows
        self._counted = np.array(
            [
                row
                for name, row in layout.statement.items()
                if (entry := layout.entry(name)) is not None
                and (entry.specimen not in BLOOD if isinstance(entry, Analyte) else entry.kind == "derived")
            ],
            np.int64,
        )
        self._open_limit = np.array([*(_reason_without_limit(row) for row in rows), 0], np.int8)
        gates = {row.rule: row.gate for row in rows if row.gate is not None}
        self._gates = Program(layout, gates) if gates else None
        self._gated = [(number, row.rule) for number, row in enumerate(rows) if row.gate is not None]

    def _compile_coded(self) -> None:
        layout = self._layout
        width = 1 + max((len(analyte.values) for analyte in layout.coded_analytes), default=0)
        shape = (len(layout.coded_analytes), width)
        self._coded_flag, self._coded_reason = np.zeros(shape, np.int8), np.zeros(shape, np.int8)
        self._coded_critical = np.zeros(shape, np.int8)
        self._first_only: list[tuple[int, int, int, int, int]] = []
        for row, analyte in enumerate(layout.coded_analytes):
            for number, value in enumerate(analyte.values, start=1):
                self._coded_flag[row, number] = FLAG[value.flag]
                self._coded_reason[row, number] = 0 if value.flag else REASON[value.not_judged or "info_only"]
        for number, rule in enumerate(layout.edition.critical, start=1):
            for name in rule.analytes if rule.words and rule.flag else ():
                row = layout.statement[name] - len(layout.quantities)
                for word in rule.words:
                    place = layout.words[name].index(word) + 1
                    if rule.first_only:
                        plain = (int(self._coded_flag[row, place]), int(self._coded_reason[row, place]))
                        self._first_only.append((row, place, layout.coded[f"seen_{name}"], *plain))
                    self._coded_flag[row, place] = FLAG[rule.flag]
                    self._coded_reason[row, place] = 0
                    self._coded_critical[row, place] = number

    def _compile_bands(self) -> None:
        """Graded readings as arrays, one entry per band, sorted by quantity."""
        pairs = [
            (self._layout.quantity[analyte.id], band)
            for analyte in self._layout.analyte_quantities
            for band in analyte.bands
        ]
        self._band_row = np.array([row for row, _ in pairs], np.int64)
        self._band_starts = np.flatnonzero(np.diff(self._band_row, prepend=-1))
        self._band_owner = self._band_row[self._band_starts]
        lows, highs = [band.low for _, band in pairs], [band.high for _, band in pairs]
        self._band_low = np.array([-inf if end is None else end.value for end in lows])[:, None]
        self._band_high = np.array([inf if end is None else end.value for end in highs])[:, None]
        self._band_low_in = np.array([end is None or end.inclusive for end in lows], np.bool_)[:, None]
        self._band_high_in = np.array([end is None or end.inclusive for end in highs], np.bool_)[:, None]
        flags = [FLAG[band.flag] for _, band in pairs]
        reasons = [REASON[band.not_judged] if band.not_judged else 0 for _, band in pairs]
        self._band_flag = np.array(flags, np.int8)[:, None]
        self._band_reason = np.array(reasons, np.int8)[:, None]

    def flags(self, cohort: Cohort, judged: Judged, part: Partition, low: Floats, high: Floats, ages: Floats) -> Flags:
        """Order of reference_intervals.md S8: usable value, critical row, rules that withhold, interval row, reason."""
        quantities = len(self._layout.quantities)
        flag = np.zeros(cohort.reason.shape, np.int8)
        reason = cohort.reason.copy()
        critical = np.zeros(cohort.reason.shape, np.int8)
        critical_flag = self._critical.ends(cohort, ages, critical)
        letters, why = self._letters(cohort, judged, part, low, high, critical_flag)
        there = ~np.isnan(cohort.low)
        flag[:quantities] = np.where(there, letters, 0)
        reason[:quantities] = np.where(there, why, reason[:quantities])
        self._read_bands(cohort, judged, critical_flag[0], flag, reason)
        self._read_words(cohort, flag, reason, critical)
        self._close_gates(cohort, part, judged, flag, reason)
        critical[(flag != HH) & (flag != LL) & (flag != FLAG["AA"])] = 0
        rule_flag = self._for_rules(flag, judged)
        repeated = self._repeated(cohort, ages, flag, reason, critical)
        if repeated and rule_flag is flag:
            rule_flag = flag.copy()
        for cell, letter in repeated.items():
            flag[cell], reason[cell] = letter, 0
        called = [
            (quantity, column)
            for quantity, column, lowest, highest in cohort.other_tubes
            if self.critical_numbers(quantity, lowest, highest, ages[:, column : column + 1])
        ]
        return Flags(flag, rule_flag, reason, critical, called)

    def count(self, flags: Flags, cohort: Cohort, judged: Judged) -> None:
        """Writes how many CSF results have a flag, and an abnormal one, for the rules that ask (count_judged ...);
        a critical result of a tube that does not lead counts too."""
        flag = flags.flag[self._counted]
        more = np.zeros(cohort.size)
        for quantity, column in flags.called_tubes:
            more[column] += quantity in self._counted
        for name, number in (("count_judged", flag != 0), ("count_abnormal", flag > N)):
            if name in self._layout.quantity:
                row = self._layout.quantity[name]
                for values in (cohort.low, cohort.high, judged.low, judged.high):
                    values[row] = number.sum(axis=0) + more

    def _repeated(
        self, cohort: Cohort, ages: Floats, flag: Bytes, reason: Bytes, critical: Bytes
    ) -> dict[tuple[int, int], int]:
        """Cells whose result was sent twice and is judged by nobody, but critical in one of its values (SL41)."""
        found: dict[tuple[int, int], int] = {}
        for quantity, column, low, high in cohort.repeated:
            number = max(self.critical_numbers(quantity, low, high, ages[:, column : column + 1]), default=0)
            if number:
                found[quantity, column] = FLAG[self._layout.edition.critical[number - 1].flag]
                critical[quantity, column] = number
        start = len(self._layout.quantities)
        for statement, column, word in cohort.repeated_words:
            number = int(self._coded_critical[statement - start, word + 1])
            if number and not self._again(cohort, statement - start, word + 1, column):
                found[statement, column] = int(self._coded_flag[statement - start, word + 1])
                critical[statement, column] = number
        return found

    def _again(self, cohort: Cohort, row: int, place: int, column: int) -> bool:
        """The word was found in an earlier panel, and its critical rule asks for the first time only."""
        return any(
            cohort.code[seen, column] == YES for own, word, seen, *_ in self._first_only if (own, word) == (row, place)
        )

    def critical_numbers(self, quantity: int, low: float, high: float, ages: Floats) -> list[int]:
        """Numbers (from 1) of the critical rules that the closed interval low..high meets as a whole."""
        return self._critical.numbers(quantity, low, high, ages)

    def _letters(
        self, cohort: Cohort, judged: Judged, part: Partition, low: Floats, high: Floats, critical: tuple[Bytes, Bytes]
    ) -> tuple[Bytes, Bytes]:
        rows = len(self._layout.quantities)
        inclusive = (self._table.low_inclusive[part.interval], self._table.high_inclusive[part.interval])
        limits = (low, high, *inclusive)
        lowest = self._rank(End(cohort.low, cohort.open_low, False), limits, critical[0])
        if cohort.high is cohort.low:
            highest = lowest
        else:
            highest = self._rank(End(cohort.high, cohort.open_high, True), limits, critical[1])
        letter = RANK_FLAGS[lowest]
        reason = part.reason.copy()
        if highest is not lowest:
            letter = np.where(lowest != highest, np.where(lowest >= 3, H, np.where(highest <= 1, L, 0)), letter)
            reason = np.where((letter == 0) & (reason == 0), REASON["comparator_undecided"], reason)
        # A limit that is itself not known decides nothing: a curve without its quotient, a line without exact years.
        missing = self._open_limit[part.interval]
        reason = np.where((missing > 0) & np.isnan(high), missing, reason)
        if judged.withheld is not None:
            reason = np.where(judged.withheld[:rows] > 0, judged.withheld[:rows], reason)
        sure = (letter == HH) | (letter == LL)
        letter = np.where((reason == 0) | sure, letter, 0)
        return letter.astype(np.int8), np.where(letter != 0, 0, reason).astype(np.int8)

    @staticmethod
    def _rank(end: End, limits: tuple[Floats, Floats, Bools, Bools], critical: Bytes) -> Ints:
        """0 LL, 1 L, 2 N, 3 H, 4 HH of one end of the interval. An open end stands for values just inside of it."""
        low, high, low_inclusive, high_inclusive = limits
        value = end.value
        if end.open is None:
            below = (value < low) | ((value == low) & ~low_inclusive)
            above = (value > high) | ((value == high) & ~high_inclusive)
        elif end.highest:
            below = (value < low) | ((value == low) & (~low_inclusive | end.open))
            above = (value > high) | ((value == high) & ~high_inclusive & ~end.open)
        else:
            below = (value < low) | ((value == low) & ~low_inclusive & ~end.open)
            above = (value > high) | ((value == high) & (~high_inclusive | end.open))
        rank: Ints = 2 + above.astype(np.int64) - below
        return np.where(critical == HH, 4, np.where(critical == LL, 0, rank))

    def _read_bands(self, cohort: Cohort, judged: Judged, critical: Bytes, flag: Bytes, reason: Bytes) -> None:
        """Graded readings (erythrocytes, blasts): the bands of a censored value must agree, else it is undecided."""
        rows, owner = self._band_row, self._band_owner
        if not len(rows):
            return
        low, high = cohort.low[rows], cohort.high[rows]
        low_edge: Bools | bool = True
        high_edge: Bools | bool = True
        if cohort.open_low is not None and cohort.open_high is not None:
            low_edge, high_edge = ~cohort.open_low[rows], ~cohort.open_high[rows]
        reached = (high > self._band_low) | ((high == self._band_low) & high_edge & self._band_low_in)
        reached &= (low < self._band_high) | ((low == self._band_high) & low_edge & self._band_high_in)
        reading = self._band_flag.astype(np.int16) * READINGS + self._band_reason
        least = np.minimum.reduceat(np.where(reached, reading, NO_READING), self._band_starts, axis=0)
        most = np.maximum.reduceat(np.where(reached, reading, -1), self._band_starts, axis=0)
        decided = least == most
        there = ~np.isnan(cohort.low[owner])
        found_flag = np.where(decided, most // READINGS, 0)
        found_reason = np.where(decided, most % READINGS, REASON["comparator_undecided"])
        if judged.withheld is not None:
            withheld = judged.withheld[owner]
            found_flag = np.where(withheld > 0, 0, found_flag)
            found_reason = np.where(withheld > 0, withheld, found_reason)
        sure = critical[owner] > 0
        flag[owner] = np.where(there, np.where(sure, critical[owner], found_flag), flag[owner])
        reason[owner] = np.where(there, np.where(sure, 0, found_reason), reason[owner])

    def _read_words(self, cohort: Cohort, flag: Bytes, reason: Bytes, critical: Bytes) -> None:
        start = len(self._layout.quantities)
        words = cohort.code[: len(self._layout.coded_analytes)].astype(np.int64) + 1
        flag[start:] = np.take_along_axis(self._coded_flag, words, axis=1)
        critical[start:] = np.take_along_axis(self._coded_critical, words, axis=1)
        sent = words > 0
        reason[start:] = np.where(sent, np.take_along_axis(self._coded_reason, words, axis=1), reason[start:])
        for row, place, seen, plain_flag, plain_reason in self._first_only:  # found before: the rule is over
            again = (words[row] == place) & (cohort.code[seen] == YES)
            flag[start + row][again], reason[start + row][again] = plain_flag, plain_reason
            critical[start + row][again] = 0

    def _close_gates(self, cohort: Cohort, part: Partition, judged: Judged, flag: Bytes, reason: Bytes) -> None:
        if self._gates is None:
            return
        facts = Facts(
            cohort.low, cohort.high, cohort.open_low, cohort.open_high, cohort.code, self._for_rules(flag, judged)
        )
        truth = self._gates.run(facts)
        for number, rule in self._gated:
            owner = self._table.owner[number]
            open_ = (flag[owner] != 0) | (reason[owner] == REASON["comparator_undecided"])
            closed = (part.interval[owner] == number) & (truth[self._gates.rows[rule]] != TRUE) & open_
            flag[owner] = np.where(closed, 0, flag[owner])
            reason[owner] = np.where(closed, REASON["info_only"], reason[owner])

    @staticmethod
    def _for_rules(flag: Bytes, judged: Judged) -> Bytes:
        """Flags as rules read them: a normal or low count that is only a lower bound, or one no rule reads, is not
        known."""
        if judged.at_least is None or judged.unread is None:
            return flag
        seen = flag.copy()
        values = seen[: len(judged.at_least)]
        values[judged.at_least & ((values == N) | (values == L) | (values == LL))] = 0
        values[judged.unread] = 0
        return seen


def _reason_without_limit(row: ReferenceInterval) -> int:
    """Why a row whose upper limit is NaN judges nothing; 0 for rows without an upper limit."""
    if row.high is None or row.high.value is not None:
        return 0
    return REASON["pair_missing" if row.high.quantity is not None else "age_too_coarse"]
