"""The facts of a block's panels -> Subjects of the core, every combination that matters asked once.

`Columns.subjects` reads whole panels. It is asked for one panel of each combination of those columns that it reads
together (times; words of context and specimen; the results that form pairs or name organisms; each number), with the
other columns left out, and what it says otherwise than of an empty panel is put together. A fact that would depend on
two groups at once must share one group: tests/cohort compares every panel with the JSON door.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from csfinterp.cohort.keys import Interned, group_keys, numbered, row_keys, table
from csfinterp.cohort.sheet import MISSING, Sheet, Texts
from csfinterp.formats.csv_parts import panel_of
from csfinterp.model.cohort import Ints, Pairs, Subjects
from csfinterp.model.context import NUMBER_CONTEXT
from csfinterp.model.panel import Panel
from csfinterp.steps.facts import ORGANISM_TESTS
from csfinterp.steps.pipeline import Core

MAX_REMEMBERED = 100_000
TIMES = ("birth_date", "age_years", "collected_at", "received_at")
WITH_RESULTS = ("source_system", "specimen_type", "tube_count")  # read together with single results
UNREAD = ("panel_id", "patient_id", "status", "episode")
NUMBERS = tuple(name for name in NUMBER_CONTEXT if name != "csf_samples_examined")  # that one decides a word, too
TIMED_PARTS = ("collected_at", "analyzed_at")
AGES = ("days_low", "days_high", "years_low", "years_high")
Column = NDArray[np.float64]
Number = TypeVar("Number", np.int8, np.float64)


class People:
    """Reads the subjects of one edition; combinations that were seen are remembered."""

    def __init__(self, core: Core) -> None:
        self._core = core
        pairs = {name for entry in core.edition.derived if entry.function == "pair_quotient" for name in entry.inputs}
        self._joined = pairs | set(ORGANISM_TESTS)
        self._empty = core.columns.subjects([panel_of({}, [])])
        self._texts = Interned()
        self._groups: dict[str, _Group] = {}

    def read(self, sheet: Sheet) -> Subjects:
        """One entry for every readable panel."""
        if len(self._texts) > MAX_REMEMBERED or any(group.size > MAX_REMEMBERED for group in self._groups.values()):
            self._texts.clear()
            self._groups.clear()
        size = len(sheet.good)
        timed = any(name in sheet.results.parts for name in TIMED_PARTS)
        facts = [name for name in sheet.facts if name not in UNREAD]
        times = [name for name in facts if name in TIMES]
        rest = [name for name in facts if name not in (*TIMES, *WITH_RESULTS, *NUMBERS)]
        found = [
            *(self._of_facts(sheet, name, (name,)) for name in facts if name in NUMBERS),
            self._of_facts(sheet, "words", rest),
            *(() if timed else (self._of_facts(sheet, "times", times),)),
            self._of_results(sheet, [name for name in facts if name in WITH_RESULTS or (timed and name in TIMES)]),
        ]
        return _merged(self._empty, found, size)

    def _of_facts(self, sheet: Sheet, group: str, names: Sequence[str]) -> tuple[_Group, Ints]:
        columns = [self._number(sheet.facts[name]) for name in names]
        keys = row_keys(table(columns, len(sheet.good)))
        known = self._groups.setdefault("/".join((group, *names)), _Group(self._empty))

        def ask(rows: list[int]) -> None:
            known.add(self._core.columns.subjects([panel_of(_facts(sheet, names, row), []) for row in rows]))

        return known, numbered(keys, known.number, ask)

    def _of_results(self, sheet: Sheet, names: Sequence[str]) -> tuple[_Group, Ints]:
        """By the results that the core reads as facts: sent or not, with what stands beside them."""
        places = np.flatnonzero(self._read_as_facts(sheet))
        results, parts = sheet.results, sorted(sheet.results.parts)
        columns = [
            self._number(results.code),
            self._sent(sheet),
            *(self._number(results.parts[part]) for part in parts),
        ]
        own = group_keys(results.panel[places], table(columns, len(results.panel))[places], len(sheet.good))
        about = row_keys(table([self._number(sheet.facts[name]) for name in names], len(sheet.good)))
        known = self._groups.setdefault("/".join(("results", *names, "", *parts)), _Group(self._empty))

        def ask(rows: list[int]) -> None:
            panels = [self._with_results(sheet, names, row, places[results.panel[places] == row]) for row in rows]
            known.add(self._core.columns.subjects(panels))

        return known, numbered([one + other for one, other in zip(about, own, strict=True)], known.number, ask)

    def _with_results(self, sheet: Sheet, names: Sequence[str], row: int, places: Ints) -> Panel:
        return panel_of(_facts(sheet, names, row), [sheet.observation(place) for place in places.tolist()])

    def _read_as_facts(self, sheet: Sheet) -> NDArray[np.bool_]:
        analytes = self._core.edition.analyte
        found = sheet.results.code.ask(lambda code: code in self._joined or code not in analytes)
        for part in ("tube", "organism", "organism_class", "method", *TIMED_PARTS):
            if part in sheet.results.parts:
                found |= sheet.results.parts[part].ask(lambda text: text is not MISSING)
        return found

    def _sent(self, sheet: Sheet) -> Ints:
        """Organism tests by their word, others by whether there is a result at all."""
        not_sent, column = self._core.layout.not_sent, sheet.results.value
        words = np.array([self._texts.of(text.strip().casefold()) for text in column.texts], np.int64)
        sent = np.array([-1 if text.strip().casefold() in not_sent else -2 for text in column.texts], np.int64)
        analytes = self._core.edition.analyte
        by_word = sheet.results.code.ask(lambda code: code in ORGANISM_TESTS or code not in analytes)
        return np.where(by_word, words[column.index], sent[column.index])

    def _number(self, column: Texts) -> Ints:
        return self._texts.all([None if text is MISSING else text for text in column.texts], column.index)


class _Group:
    """What was answered for the combinations of some columns: one entry each, in columns that grow."""

    def __init__(self, empty: Subjects) -> None:
        self.number: dict[bytes, int] = {}
        self.size = 0
        self.ages = {name: np.zeros(0) for name in AGES}
        self.words: dict[str, NDArray[np.int8]] = {}
        self.numbers: dict[str, Column] = {}
        self.days: dict[str, NDArray[np.int8]] = {}
        self.differs: dict[str, NDArray[np.int8]] = {}
        self._empty = empty

    def add(self, more: Subjects) -> None:
        for name in AGES:
            self.ages[name] = np.concatenate([self.ages[name], getattr(more, name)])
        _grow(self.words, more.words, self.size, more.size, np.int8(0))
        _grow(self.numbers, more.numbers, self.size, more.size, np.float64("nan"))
        _grow(self.days, {name: pair.day for name, pair in more.pairs.items()}, self.size, more.size, np.int8(0))
        _grow(self.differs, {name: pair.differs for name, pair in more.pairs.items()}, self.size, more.size, np.int8(0))
        self.size += more.size


def _grow(known: dict[str, NDArray[Number]], more: dict[str, NDArray[Number]], size: int, added: int,
          missing: Number) -> None:  # fmt: skip
    for name in {*known, *more}:
        before = known.get(name, np.full(size, missing))
        known[name] = np.concatenate([before, more.get(name, np.full(added, missing))])


def _merged(empty: Subjects, found: Sequence[tuple[_Group, Ints]], size: int) -> Subjects:
    """Of every group what it says otherwise than of an empty panel."""
    ages = {name: np.full(size, np.nan) for name in AGES}
    words = {name: np.full(size, column[0], np.int8) for name, column in empty.words.items()}
    numbers: dict[str, Column] = {}
    pairs: dict[str, Pairs] = {}
    for group, place in found:
        for name in AGES:
            if not np.isnan(group.ages[name]).all():
                ages[name] = group.ages[name][place]
        nothing = np.zeros(group.size, np.int8)
        for name in {*group.words, *empty.words}:
            column = group.words.get(name, nothing)
            base = empty.words[name][0] if name in empty.words else np.int8(0)
            if (column != base).any():
                own, before = column[place], words.get(name, np.zeros(size, np.int8))
                words[name] = np.where(own != base, own, before)
        for name, values in group.numbers.items():
            own_numbers = values[place]
            numbers[name] = np.where(np.isnan(own_numbers), numbers.get(name, own_numbers), own_numbers)
        for name in group.days:
            pairs[name] = Pairs(group.days[name][place], group.differs[name][place])
    days_low, days_high, years_low, years_high = (ages[name] for name in AGES)
    return Subjects(size, days_low, days_high, years_low, years_high, words, numbers, pairs)


def _facts(sheet: Sheet, names: Sequence[str], row: int) -> dict[str, object]:
    texts = {name: sheet.facts[name].texts[sheet.facts[name].index[row]] for name in names}
    return {name: sheet.reader.fact(name, text) for name, text in texts.items() if text}
