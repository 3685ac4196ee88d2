"""The results of a block -> Observations of the core, every distinct text once.

A sender whose local codes, words, units or decimal commas the site's code map reads is asked through
`Columns.observations`, once for each distinct result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from csfinterp.cohort.sheet import MISSING, Results, Sheet, Texts
from csfinterp.errors import DocumentError
from csfinterp.formats.csv_parts import panel_of
from csfinterp.model.cohort import Bools, Cell, CodeKey, Floats, Ints, Observations, TextColumn
from csfinterp.model.panel import Panel
from csfinterp.steps.columns import WITHDRAWN
from csfinterp.steps.pipeline import Core

MAX_REMEMBERED = 100_000
Refusal = Callable[[Panel], DocumentError | None]
Mapped = tuple[Cell, str | None]


class ObservationReader:
    """Reads the results of one edition. `refusal`: why a panel that can be read is still refused (no CSF test)."""

    def __init__(self, core: Core, refusal: Refusal) -> None:
        self._core, self._refusal = core, refusal
        rules = core.edition.site_rules
        self._mapped = frozenset(found.source for found in (rules.code_maps if rules else ()))
        self._names_csf: dict[CodeKey, DocumentError | None] = {}
        self._by_map: dict[tuple[str | None, ...], Mapped] = {}

    def without_csf(self, sheet: Sheet, keys: TextColumn) -> dict[int, DocumentError]:
        """The readable panels (numbers of all panels) that name no CSF test, with the error that answers them."""
        errors = [self._why(key) for key in keys.texts]
        index = keys.numbers()
        names = np.array([error is None for error in errors], np.bool_)[index]
        found = np.bincount(sheet.results.panel[names], minlength=len(sheet.good)) > 0
        refused = np.flatnonzero(~found).tolist()
        first = sheet.results.panel.searchsorted(refused)
        told = {int(sheet.good[place]): errors[index[at]] for place, at in zip(refused, first.tolist(), strict=True)}
        return {place: error for place, error in told.items() if error is not None}

    def _why(self, key: CodeKey) -> DocumentError | None:
        if key not in self._names_csf:
            if len(self._names_csf) >= MAX_REMEMBERED:
                self._names_csf.clear()
            found: dict[str, object] = {"code": {"code": key.code}, "value": "", "specimen": key.specimen}
            facts = {"source_system": key.source, "specimen_type": key.panel_specimen}
            self._names_csf[key] = self._refusal(panel_of({a: b for a, b in facts.items() if b is not None}, [found]))
        return self._names_csf[key]

    def keys(self, sheet: Sheet) -> TextColumn:
        """What decides the analyte of every result."""
        results = sheet.results
        columns = [results.code]
        optional = (
            _of_panels(sheet, "source_system"),
            results.parts.get("specimen"),
            _of_panels(sheet, "specimen_type"),
        )
        columns += [column for column in optional if column is not None]
        if len(columns) == 1:
            return TextColumn(
                [CodeKey(None, None, code, None, None, None) for code in columns[0].texts], columns[0].index
            )
        index, used = _combined(columns)
        picked = [[column.texts[at] for at in column.index[used].tolist()] for column in columns]
        each = iter(picked[1:])
        nothing = [""] * len(used)
        source, specimen, panel = (nothing if column is None else next(each) for column in optional)
        texts = [
            CodeKey(one or None, None, code, None, two or None, three or None)
            for code, one, two, three in zip(picked[0], source, specimen, panel, strict=True)
        ]
        return TextColumn(texts, index)

    def read(self, sheet: Sheet, keys: TextColumn) -> Observations:
        """All results of the readable panels; `keys` as `keys` gave them."""
        results = sheet.results
        values, units = self._cells(results.value, results.parts.get("comparator")), _units(results)
        sources = _of_panels(sheet, "source_system")
        if sources is not None and self._mapped & set(sources.texts):
            values, units = self._mapped_cells(keys, values, units, sources.ask(self._mapped.__contains__))
        tubes, targets, status = (results.parts.get(name) for name in ("tube", "organism", "status"))
        withdrawn = None if status is None else status.ask(lambda text: text in WITHDRAWN)
        return Observations(
            results.panel,
            keys,
            values,
            units,
            None if tubes is None else _tubes(sheet, tubes),
            None if targets is None else [_sent(targets.texts[at]) for at in targets.index.tolist()],
            withdrawn if withdrawn is not None and withdrawn.any() else None,
        )

    @staticmethod
    def _cells(value: Texts, comparator: Texts | None) -> TextColumn:
        if comparator is None:
            return TextColumn([Cell(text, None) for text in value.texts], value.index)
        index, used = _combined([value, comparator])
        pairs = zip(value.index[used].tolist(), comparator.index[used].tolist(), strict=True)
        return TextColumn([Cell(value.texts[one], _sent(comparator.texts[two])) for one, two in pairs], index)

    def _mapped_cells(
        self, keys: TextColumn, values: TextColumn, units: TextColumn, mapped: Bools
    ) -> tuple[TextColumn, TextColumn]:
        """The same, but for results of senders with a code map as that map reads them."""
        cells, texts = list(values.texts), list(units.texts)
        value_index, unit_index = values.numbers().copy(), units.numbers().copy()
        place: dict[Mapped, int] = {}
        for row in np.flatnonzero(mapped).tolist():
            read = self._read(keys.at(row), values.at(row), units.at(row))
            if read not in place:
                place[read] = len(place)
                cells.append(read[0])
                texts.append(read[1])
            value_index[row] = len(values.texts) + place[read]
            unit_index[row] = len(units.texts) + place[read]
        return TextColumn(cells, value_index), TextColumn(texts, unit_index)

    def _read(self, key: CodeKey, cell: Cell, unit: str | None) -> Mapped:
        """One result of a sender with a code map."""
        asked = (key.source, key.panel_specimen, key.code, key.specimen, str(cell.value), cell.comparator, unit)
        if asked not in self._by_map:
            if len(self._by_map) >= MAX_REMEMBERED:
                self._by_map.clear()
            parts = {"value": cell.value, "comparator": cell.comparator, "unit": unit, "specimen": key.specimen}
            facts = {"source_system": key.source, "specimen_type": key.panel_specimen}
            stated: Mapping[str, object] = {name: text for name, text in facts.items() if text is not None}
            read = self._core.columns.observations([panel_of(stated, [{"code": {"code": key.code}, **parts}])])
            self._by_map[asked] = (read.value.at(0), read.unit.at(0))
        return self._by_map[asked]


def _of_panels(sheet: Sheet, name: str) -> Texts | None:
    """A fact of the panel for each of its results."""
    column = sheet.facts.get(name)
    return None if column is None else column.take(sheet.results.panel)


def _combined(columns: list[Texts]) -> tuple[Ints, Ints]:
    """Row -> number of its combination of texts, and for each combination one row that has it."""
    total = columns[0].index
    for column in columns[1:]:
        total = total * len(column.texts) + column.index
    _, used, index = np.unique(total, return_index=True, return_inverse=True)
    return index.astype(np.int64), used.astype(np.int64)


def _sent(text: str) -> str | None:
    return None if text is MISSING else text


def _units(results: Results) -> TextColumn:
    unit = results.parts.get("unit")
    if unit is None:
        return TextColumn([None], np.zeros(len(results.panel), np.int64))
    return TextColumn([_sent(text) for text in unit.texts], unit.index)


def _tubes(sheet: Sheet, tubes: Texts) -> Floats:
    read = (None if text is MISSING else sheet.reader.part("tube", text) for text in tubes.texts)
    # What is no tube number stands in refused panels alone.
    found: Floats = np.array([tube if isinstance(tube, int) else np.nan for tube in read], np.float64)[tubes.index]
    return found
