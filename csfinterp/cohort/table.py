"""Outcomes -> the columns of the researcher's table, without the sentences.

All columns are read from the arrays of the core. Only `critical` and `issues` are counted by the step that explains,
because repeated results, other tubes and earlier findings decide there who is called: see calls.py. The words of
scores: see score_texts.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from csfinterp.cohort.calls import Calls, Counted, Kinds
from csfinterp.cohort.cells import Cells, Coded, Counts, Numbers, Words
from csfinterp.cohort.columns import columns, results
from csfinterp.cohort.score_texts import ScoreTexts
from csfinterp.model.cohort import Bytes, Ints, Outcomes, Verdict
from csfinterp.model.edition import Analyte, Derived
from csfinterp.model.panel import Panel
from csfinterp.model.predicate import Truth
from csfinterp.steps.explain.lm import EANO, HEMATOLOGIC, LEUKEMIA
from csfinterp.steps.layout import FLAG_WORDS, GRADES
from csfinterp.steps.pipeline import Core

TRUTHS = [Truth(number).word for number in range(3)]
COMPARATORS = ("<", "<=", ">", ">=")


@dataclass(frozen=True)
class Rows:
    """A chunk of the table: `cells`: column -> its cells, in the order of the columns. `counted`: what was counted."""

    cells: Mapping[str, Cells]
    counted: Sequence[Counted]

    def plain(self) -> list[dict[str, object]]:
        """Row by row, as plain Python values."""
        names = list(self.cells)
        each = (column.plain() for column in self.cells.values())
        return [dict(zip(names, row, strict=True)) for row in zip(*each, strict=True)]


class Table:
    """The table of one compiled edition."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.columns = columns(core.edition)
        self._results = results(core.edition)
        self._calls, self._score_texts = Calls(core), ScoreTexts(core)

    def panels(self, panels: Sequence[Panel]) -> Rows:
        """The rows of panels that were read one by one, in order; each is the row that its panel gives alone."""
        return self.rows(self.core.outcomes(panels), panels.__getitem__, None, _identity(panels))

    def rows(
        self,
        outcomes: Outcomes,
        panel: Callable[[int], Panel],
        kinds: Kinds | None,
        identity: Mapping[str, Cells],
    ) -> Rows:
        """The rows of one run of the core. `panel`: the panel of a column of `outcomes`; `kinds`: see `Calls.count`.

        `identity`: the cells of panel_id, patient_id and collected_at.
        """
        cells: dict[str, Cells] = {**identity, **self.edition_cells(outcomes.cohort.size)}
        for entry in self._results:
            self._result(entry, outcomes, cells)
        self._statements(outcomes, cells)
        self._evidence(outcomes, cells)
        cells |= self._score_texts.cells(outcomes)
        counted = self._calls.count(outcomes, panel, kinds)
        cells["critical"] = Counts(np.array([one.critical for one in counted], np.int64))
        cells["issues"] = Counts(np.array([len(one.issues) for one in counted], np.int64))
        self._bounds(outcomes, panel, cells)
        return Rows({column.name: cells[column.name] for column in self.columns}, counted)

    def spread(self, rows: Rows, place: Ints, size: int, identity: Mapping[str, Cells]) -> dict[str, Cells]:
        """The rows with those of refused panels between them: ids and edition stand there, nothing else."""
        kept = {**self.edition_cells(size), **identity}
        return {name: kept[name] if name in kept else column.spread(place, size) for name, column in rows.cells.items()}

    def edition_cells(self, size: int) -> dict[str, Cells]:
        """The cells of the edition, the same in every row."""
        edition, every = self.core.edition, np.zeros(size, np.int64)
        return {"edition": Coded([edition.id], every), "edition_digest": Coded([edition.digest], every)}

    def _result(self, entry: Analyte | Derived, outcomes: Outcomes, cells: dict[str, Cells]) -> None:
        layout, name = self.core.layout, entry.id
        if isinstance(entry, Analyte) and entry.kind == "coded":
            cells[name] = _words(outcomes.cohort.code[layout.coded[name]], layout.words[name])
        elif isinstance(entry, Analyte):
            place = layout.quantity[name]
            low, high = outcomes.cohort.low[place], outcomes.cohort.high[place]
            cells[name] = Numbers(low if high is low else np.where(low == high, low, np.nan))
        else:
            cells[name] = Numbers(outcomes.computed[layout.quantity[name]])
        cells[f"{name}_comparator"] = Coded(COMPARATORS, np.full(outcomes.cohort.size, -1, np.int64))
        flags = outcomes.flag[layout.statement[name]]
        cells[f"{name}_flag"] = _words(flags - np.int8(1), [word for word in FLAG_WORDS if word])

    def _statements(self, outcomes: Outcomes, cells: dict[str, Cells]) -> None:
        edition = self.core.edition
        for finding, truths in zip(edition.findings, outcomes.findings, strict=True):
            cells[f"finding_{finding.id}"] = _words(truths, TRUTHS)
        for profile in edition.profiles:
            start = self.core.profiles.start[profile.id]
            scored = [start + n for n, marker in enumerate(profile.markers) if marker.scored and not marker.disputed]
            marked = outcomes.profile[scored]
            cells[f"profile_{profile.id}_abnormal"] = Counts((marked == Truth.TRUE).sum(axis=0))
            cells[f"profile_{profile.id}_evaluable"] = Counts((marked != Truth.UNKNOWN).sum(axis=0))
        for pattern, grades in zip(edition.patterns, outcomes.graded.grade, strict=True):
            cells[f"pattern_{pattern.id}"] = _words(grades, GRADES)

    def _evidence(self, outcomes: Outcomes, cells: dict[str, Cells]) -> None:
        lm, index = self._verdicts(EANO, outcomes)
        cells["lm_certainty"] = _taken([verdict.answer for verdict in lm], index)
        cells["lm_type"] = _taken([verdict.type for verdict in lm], index)
        cells["lm_provisional"] = _taken([verdict.provisional for verdict in lm], index)
        # The suffix of a cell marks a half with a status of its own; the row is printed without it.
        cells["lm_row"] = _taken([verdict.cell.id.split("-")[0] if verdict.cell else None for verdict in lm], index)
        path, index = self._verdicts(HEMATOLOGIC, outcomes)
        cells["hematologic_cns"] = _taken([verdict.answer for verdict in path], index)
        table = self.core.column_evidence[LEUKEMIA].table
        answers = [*(row.answer for row in table.rows), table.otherwise]
        cells["leukemia_cns"] = _taken(answers, outcomes.evidence[LEUKEMIA])

    def _verdicts(self, table: str, outcomes: Outcomes) -> tuple[list[Verdict], Ints]:
        """The distinct verdicts of the chunk and, per panel, which of them it got."""
        verdict: Callable[[int], Verdict] = self.core.evidence[table].verdict
        distinct, index = np.unique(outcomes.evidence[table], return_inverse=True)
        return [verdict(number) for number in distinct.tolist()], index

    def _bounds(self, outcomes: Outcomes, panel: Callable[[int], Panel], cells: dict[str, Cells]) -> None:
        """Comparator and number of every value of which only a bound is known."""
        layout = self.core.layout
        low, high = outcomes.cohort.low[: layout.measured], outcomes.cohort.high[: layout.measured]
        if outcomes.cohort.high is outcomes.cohort.low:
            return
        for place in np.flatnonzero((low < high).any(axis=1)).tolist():
            name = layout.quantities[place]
            found = np.flatnonzero(low[place] < high[place])
            sign, number = self._calls.bounds(outcomes, name, found, panel)
            signs, values = np.full(outcomes.cohort.size, -1, np.int64), low[place].copy()
            values[low[place] != high[place]] = np.nan
            signs[found], values[found] = sign, number
            cells[f"{name}_comparator"], cells[name] = Coded(COMPARATORS, signs), Numbers(values)


def _words(numbers: Bytes, words: Sequence[str]) -> Coded:
    """The word of each number; below 0: none."""
    return Coded(words, numbers.astype(np.int64))


def _taken(words: Sequence[str | bool | None], index: Ints) -> Coded:
    """The word of each number of `index`, which may be None."""
    known = [word for word in dict.fromkeys(words) if word is not None]
    number = np.array([-1 if word is None else known.index(word) for word in words], np.int64)
    return Coded(known, number[index])


def _identity(panels: Sequence[Panel]) -> dict[str, Cells]:
    return {
        "panel_id": Words([panel.specimen.id for panel in panels]),
        "patient_id": Words([panel.patient.id for panel in panels]),
        "collected_at": Words([_collected(panel) for panel in panels]),
    }


def _collected(panel: Panel) -> str | None:
    """The time of collection as sent."""
    specimen = panel.document.get("specimen")
    found = specimen.get("collected_at") if isinstance(specimen, Mapping) else None
    return None if found is None else str(found)
