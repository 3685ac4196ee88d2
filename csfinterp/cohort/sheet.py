"""A block of rows as columns: the facts and results of its panels, every distinct text read once by the JSON door.

What the JSON door would refuse is told apart here without a panel document; only for a refused panel is one made, so
that the message is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from csfinterp.errors import DocumentError
from csfinterp.formats import ReadLimits
from csfinterp.formats.cohort_csv import Entry, entry, groups
from csfinterp.formats.csv_cells import Record
from csfinterp.formats.csv_header import PARTS, Header
from csfinterp.formats.csv_parts import REFUSED, fact, is_value, panel_of, part
from csfinterp.model.cohort import Bools, Ints
from csfinterp.model.panel import Panel

MAX_REMEMBERED = 200_000


@dataclass(frozen=True)
class Texts:
    """A column of texts: its distinct ones, and for every row which of them it holds."""

    texts: Sequence[str]
    index: Ints

    @staticmethod
    def of(cells: Sequence[str]) -> Texts:
        number = {text: place for place, text in enumerate(dict.fromkeys(cells))}
        return Texts(tuple(number), np.fromiter(map(number.__getitem__, cells), np.int64, len(cells)))

    def stripped(self) -> Texts:
        """The same without blanks around; distinct again."""
        inner = Texts.of([text.strip() for text in self.texts])
        return Texts(inner.texts, inner.index[self.index])

    def take(self, rows: Ints) -> Texts:
        return Texts(self.texts, self.index[rows])

    def ask(self, scalar: Callable[[str], bool]) -> Bools:
        """`scalar` once per distinct text, spread over the rows."""
        found: Bools = np.array([scalar(text) for text in self.texts], np.bool_)[self.index]
        return found


@dataclass(frozen=True)
class Results:
    """The filled cells of results as long columns, shape (n,), panel after panel in the order sent.

    `panel`: number of the panel; `slot`: number of its test in the header (long file: its place in the panel);
    `line`: number of the row of the block; `code`, `value`; `parts`: what stands beside a result, "" = not there.
    """

    panel: Ints
    slot: Ints
    line: Ints
    code: Texts
    value: Texts
    parts: Mapping[str, Texts]

    def take(self, rows: Ints, panel: Ints) -> Results:
        """Some of the results, with new panel numbers."""
        parts = {name: column.take(rows) for name, column in self.parts.items()}
        return Results(panel, self.slot[rows], self.line[rows], self.code.take(rows), self.value.take(rows), parts)


@dataclass(frozen=True)
class Sheet:
    """The panels of a block. `size`: all of them; `good`: number of every panel that can be read, in order.

    `facts`: column -> its texts in the readable panels, "" = not stated. `results`: theirs; `panel` counts `good`.
    `ids`: the texts of panel_id and patient_id of all panels; `refused`: panel -> why it cannot be read.
    `first`: row number of the first row of every panel; `lines`: row number of every row of the block.
    """

    header: Header
    size: int
    good: Ints
    facts: Mapping[str, Texts]
    results: Results
    ids: Mapping[str, Sequence[str]]
    refused: Mapping[int, DocumentError]
    first: Sequence[int]
    lines: Sequence[int]
    reader: Reader

    def without(self, refused: Mapping[int, DocumentError]) -> Sheet:
        """The same with more panels refused (numbers of all panels)."""
        if not refused:
            return self
        keep = ~np.isin(self.good, list(refused))
        number = np.cumsum(keep) - 1
        rows = np.flatnonzero(keep[self.results.panel])
        kept = np.flatnonzero(keep)
        return Sheet(
            self.header, self.size, self.good[kept], {name: one.take(kept) for name, one in self.facts.items()},
            self.results.take(rows, number[self.results.panel[rows]]), self.ids, {**self.refused, **refused},
            self.first, self.lines, self.reader,
        )  # fmt: skip

    def panel(self, number: int) -> Panel:
        """A readable panel as an object, as the JSON door would read it; without its document."""
        start, end = self.results.panel.searchsorted([number, number + 1])
        facts = {name: self.reader.fact(name, one.texts[one.index[number]]) for name, one in self.facts.items()
                 if one.texts[one.index[number]]}  # fmt: skip
        return panel_of(facts, [self.observation(place) for place in range(start, end)])

    def observation(self, place: int) -> dict[str, object]:
        """One result as the schema reads it."""
        results = self.results
        found: dict[str, object] = {
            "code": {"code": results.code.texts[results.code.index[place]]},
            "value": results.value.texts[results.value.index[place]],
        }
        for name, column in results.parts.items():
            text = column.texts[column.index[place]]
            if text is not MISSING:
                found[name] = self.reader.part(name, text)
        return found

    def place_of(self, panel: int, slot: int) -> int:
        """Where the result of this slot of a readable panel stands."""
        start, end = self.results.panel.searchsorted([panel, panel + 1]).tolist()
        return start + int(self.results.slot[start:end].searchsorted(slot))

    def row_of(self, place: int) -> int:
        """The row number of one result."""
        return self.lines[self.results.line[place]]


class _Missing(str):
    """No text at all: an empty header unit `[]` is one."""

    __slots__ = ()


MISSING = _Missing("")


class Reader:
    """Reads the blocks of one file. What distinct texts say is remembered from block to block.

    `source`: the sender of panels that name none.
    """

    def __init__(self, header: Header, limits: ReadLimits, source: str | None = None) -> None:
        self.header, self._limits, self._source = header, limits, source
        self._facts: dict[tuple[str, str], object] = {}
        self._parts: dict[tuple[str, str], object] = {}

    def fact(self, name: str, text: str) -> object:
        """A filled fact as the schema reads it, or REFUSED."""
        return _remembered(self._facts, fact, name, text)

    def part(self, name: str, text: str) -> object:
        """A filled cell beside a result as the schema reads it, or REFUSED."""
        return _remembered(self._parts, part, name, text)

    def _is_fact(self, name: str, text: str) -> bool:
        return not text or self.fact(name, text) is not REFUSED

    def _is_part(self, name: str, text: str) -> bool:
        return text is MISSING or self.part(name, text) is not REFUSED

    def read(self, rows: Sequence[Record]) -> Sheet:
        """The panels of rows that hold whole panels. Raises DocumentError where a long file cannot be read on."""
        ragged = {row.number for row in rows if len(row.cells) != self.header.size}
        whole = [row for row in rows if row.number not in ragged] if ragged else rows
        cells = list(zip(*(row.cells for row in whole), strict=True)) or [()] * self.header.size
        if self.header.code is None:
            own: list[list[Record]] | None = None
            number = np.arange(len(whole), dtype=np.int64)
            size, first = len(whole), [row.number for row in whole]
        else:
            own = list(groups(self.header, iter(rows)))
            number = np.repeat(np.arange(len(own), dtype=np.int64), [len(group) for group in own])
            size, first = len(own), [group[0].number for group in own]
        facts, bad = self._read_facts(cells, number, size, long=own is not None)
        results = self._wide(cells, number) if own is None else self._long(cells, number)
        bad |= self._bad_results(results, size)
        refused = {
            place: _refusal(entry(self.header, own[place] if own else [whole[place]], self._limits))
            for place in np.flatnonzero(bad).tolist()
        }
        ids = {
            name: [column.texts[at] for at in column.index.tolist()] if column else [""] * size
            for name, column in ((name, facts.get(name)) for name in ("panel_id", "patient_id"))
        }
        sheet = Sheet(
            self.header, size, np.arange(size, dtype=np.int64), facts, results, ids, {}, first,
            [row.number for row in whole], self,
        ).without(refused)  # fmt: skip
        return _with_ragged(sheet, rows, ragged, self._limits) if ragged else sheet

    def _read_facts(
        self, cells: Sequence[Sequence[str]], number: Ints, size: int, *, long: bool
    ) -> tuple[dict[str, Texts], Bools]:
        facts, bad = {}, np.zeros(size, np.bool_)
        for name, place in self.header.facts.items():
            column = Texts.of(cells[place]).stripped()
            if long:
                column, differs = _stated(column, number, size)
                bad |= differs
            facts[name] = column
            readable = column.ask(partial(self._is_fact, name))
            bad |= ~readable
        bad |= facts["panel_id"].ask(lambda text: not text)
        if self._source is not None:
            known = facts.get("source_system", Texts(("",), np.zeros(size, np.int64)))
            facts["source_system"] = Texts([text or self._source for text in known.texts], known.index)
        return facts, bad

    def _bad_results(self, results: Results, size: int) -> Bools:
        """Panels with a result that the JSON door refuses, with none, or with too many."""
        bad = ~results.value.ask(is_value) | ~results.code.ask(is_value)
        for name, column in results.parts.items():
            readable = column.ask(partial(self._is_part, name))
            bad |= ~readable
        found = np.bincount(results.panel, minlength=size)
        spoiled: Bools = np.bincount(results.panel[bad], minlength=size) > 0
        return spoiled | (found == 0) | (found > self._limits.max_observations)

    def _wide(self, cells: Sequence[Sequence[str]], number: Ints) -> Results:
        """The filled cells of every test, then put in the order of the panels."""
        tests = self.header.tests
        values = [Texts.of(cells[test.value]) for test in tests]
        rows = [np.flatnonzero(column.ask(lambda text: bool(text.strip()))) for column in values]
        panel = np.concatenate([np.zeros(0, np.int64), *rows])
        order = np.argsort(panel, kind="stable")
        slot = np.repeat(np.arange(len(tests), dtype=np.int64), [len(found) for found in rows])[order]
        value = _joined([column.take(found) for column, found in zip(values, rows, strict=True)], order)
        parts = {}
        for name in PARTS:
            columns = [
                _beside(None if name not in test.parts else cells[test.parts[name]], found,
                        test.unit if name == "unit" else None)
                for test, found in zip(tests, rows, strict=True)
            ]  # fmt: skip
            if any(set(column.texts) != {MISSING} or column.texts[0] is not MISSING for column in columns):
                parts[name] = _joined(columns, order)
        panel = panel[order]
        return Results(number[panel], slot, panel, Texts([str(test.code) for test in tests], slot), value, parts)

    def _long(self, cells: Sequence[Sequence[str]], number: Ints) -> Results:
        """The rows with a value."""
        (test,) = self.header.tests
        value = Texts.of(cells[test.value])
        rows = np.flatnonzero(value.ask(lambda text: bool(text.strip())))
        panel = number[rows]
        slot = np.arange(len(rows), dtype=np.int64) - panel.searchsorted(panel)
        code = Texts.of(cells[self.header.code or 0]).stripped().take(rows)
        parts = {name: _beside(cells[place], rows, None) for name, place in test.parts.items()}
        return Results(panel, slot, rows, code, value.take(rows), parts)


def _remembered(
    known: dict[tuple[str, str], object], ask: Callable[[str, str], object], name: str, text: str
) -> object:
    found = known.get((name, text), known)
    if found is known:
        if len(known) >= MAX_REMEMBERED:
            known.clear()
        found = known[name, text] = ask(name, text)
    return found


def _beside(cells: Sequence[str] | None, rows: Ints, text: str | None) -> Texts:
    """The column beside a test for its filled rows; without one, `text` everywhere. An empty cell is MISSING."""
    if cells is None:
        return Texts((MISSING if text is None else text,), np.zeros(len(rows), np.int64))
    column = Texts.of(cells).stripped().take(rows)
    return Texts([text or MISSING for text in column.texts], column.index)


def _joined(columns: Sequence[Texts], order: Ints) -> Texts:
    """Columns one below the other, in another order; a text of two columns stands there twice."""
    offsets = np.cumsum([0, *(len(column.texts) for column in columns)])
    index = [column.index + offset for column, offset in zip(columns, offsets[:-1].tolist(), strict=True)]
    texts = [text for column in columns for text in column.texts]
    return Texts(texts, np.concatenate([np.zeros(0, np.int64), *index])[order])


def _stated(column: Texts, number: Ints, size: int) -> tuple[Texts, Bools]:
    """One text per panel: the first row that states it; and where another row says otherwise."""
    texts = ["", *column.texts]
    index, filled = np.zeros(size, np.int64), np.flatnonzero(column.ask(bool))
    index[number[filled][::-1]] = column.index[filled][::-1] + 1
    differs = np.zeros(size, np.bool_)
    differs[number[filled[column.index[filled] + 1 != index[number[filled]]]]] = True
    return Texts(texts, index), differs


def _refusal(found: Entry) -> DocumentError:
    if isinstance(found.panel, Panel):
        raise AssertionError(f"row {found.row}: the columns refuse a panel that the JSON door reads")
    return found.panel


def _with_ragged(sheet: Sheet, rows: Sequence[Record], ragged: set[int], limits: ReadLimits) -> Sheet:
    """A wide block with its rows of another length put back, as refused panels, where they stood."""
    place = {row.number: number for number, row in enumerate(rows)}
    moved = np.array([place[number] for number in sheet.first], np.int64)
    wrong = {place[row.number]: _refusal(entry(sheet.header, [row], limits)) for row in rows if row.number in ragged}
    ids: dict[str, Sequence[str]] = {}
    for name, texts in sheet.ids.items():
        every = [""] * len(rows)
        for at, text in zip(moved.tolist(), texts, strict=True):
            every[at] = text
        ids[name] = every
    refused = {int(moved[number]): error for number, error in sheet.refused.items()} | wrong
    return Sheet(
        sheet.header, len(rows), moved[sheet.good], sheet.facts, sheet.results, ids, refused,
        [row.number for row in rows], sheet.lines, sheet.reader,
    )  # fmt: skip
