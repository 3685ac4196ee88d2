"""Outcomes -> the columns of the researcher's table, without the sentences.

All columns are read from the arrays of the core. Only `critical` and `issues` are counted by the step that explains,
because repeated results, other tubes and earlier findings decide there who is called; it is asked for these two lists
and the results that they rest on, not for the whole interpretation (an eighth of its time).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from csfinterp.cohort.columns import columns, results
from csfinterp.model.cohort import Bytes, Floats, Outcomes, Verdict
from csfinterp.model.edition import Analyte, Derived
from csfinterp.model.interpretation import Issue
from csfinterp.model.panel import Panel
from csfinterp.model.predicate import Truth
from csfinterp.steps.explain.critical import critical
from csfinterp.steps.explain.issues import issues
from csfinterp.steps.explain.lm import EANO, HEMATOLOGIC, LEUKEMIA
from csfinterp.steps.explain.results import results as listed
from csfinterp.steps.explain.row import Row
from csfinterp.steps.layout import FLAG, FLAG_WORDS, GRADES
from csfinterp.steps.pipeline import Core
from csfinterp.steps.score import describe

Cells = dict[str, list[object]]
CALLING = [FLAG[word] for word in ("LL", "HH", "AA")]
TRUTH = {int(truth): truth.word for truth in Truth}


@dataclass(frozen=True)
class Answer:
    """One row: `cells`: column -> value, None where it is missing; `issues`: what the count of issues counted."""

    panel: Panel
    cells: dict[str, object]
    issues: tuple[Issue, ...]


class Table:
    """The table of one compiled edition."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.columns = columns(core.edition)
        self._results = results(core.edition)
        self._parts = core._explainer._parts  # Core offers no other way to ask for single lists of an explanation

    def read(self, panels: Sequence[Panel]) -> list[Answer]:
        """The rows of these panels, in order; each is the row that its panel gives alone."""
        if not panels:
            return []
        outcomes = self._core.outcomes(panels)
        edition = self._core.edition
        cells: Cells = {
            "panel_id": [panel.specimen.id for panel in panels],
            "patient_id": [panel.patient.id for panel in panels],
            "collected_at": [_collected(panel) for panel in panels],
            "edition": [edition.id] * len(panels),
            "edition_digest": [edition.digest] * len(panels),
        }
        for entry in self._results:
            self._result(entry, outcomes, cells)
        self._statements(outcomes, cells)
        self._evidence(outcomes, cells)
        self._scores(outcomes, cells)
        found = self._explained(panels, outcomes, cells)
        names = [column.name for column in self.columns]
        rows = zip(*(cells[name] for name in names), strict=True)
        return [
            Answer(panel, dict(zip(names, row, strict=True)), problems)
            for panel, row, problems in zip(panels, rows, found, strict=True)
        ]

    def empty(self) -> dict[str, object]:
        """The row of a panel that was refused: the edition stands there, nothing else."""
        edition = self._core.edition
        return {
            **{column.name: None for column in self.columns},
            "edition": edition.id,
            "edition_digest": edition.digest,
        }

    def _result(self, entry: Analyte | Derived, outcomes: Outcomes, cells: Cells) -> None:
        layout, name = self._core.layout, entry.id
        if isinstance(entry, Analyte) and entry.kind == "coded":
            cells[name] = _words(outcomes.cohort.code[layout.coded[name]], layout.words[name])
        elif isinstance(entry, Analyte):
            place = layout.quantity[name]
            low, high = outcomes.cohort.low[place], outcomes.cohort.high[place]
            cells[name] = _numbers(np.where(low == high, low, np.nan))
        else:
            cells[name] = _numbers(outcomes.computed[layout.quantity[name]])
        cells[f"{name}_comparator"] = [None] * outcomes.cohort.size
        cells[f"{name}_flag"] = _words(outcomes.flag[layout.statement[name]], FLAG_WORDS)

    def _statements(self, outcomes: Outcomes, cells: Cells) -> None:
        edition = self._core.edition
        for finding, truths in zip(edition.findings, outcomes.findings, strict=True):
            cells[f"finding_{finding.id}"] = [TRUTH[truth] for truth in truths.tolist()]
        for profile in edition.profiles:
            start = self._core.profiles.start[profile.id]
            scored = [start + n for n, marker in enumerate(profile.markers) if marker.scored and not marker.disputed]
            truths = outcomes.profile[scored]
            cells[f"profile_{profile.id}_abnormal"] = (truths == Truth.TRUE).sum(axis=0).tolist()
            cells[f"profile_{profile.id}_evaluable"] = (truths != Truth.UNKNOWN).sum(axis=0).tolist()
        for pattern, grades in zip(edition.patterns, outcomes.graded.grade, strict=True):
            cells[f"pattern_{pattern.id}"] = _words(grades, GRADES)

    def _evidence(self, outcomes: Outcomes, cells: Cells) -> None:
        lm = self._verdicts(EANO, outcomes)
        cells["lm_certainty"] = [verdict.answer for verdict in lm]
        cells["lm_type"] = [verdict.type for verdict in lm]
        cells["lm_provisional"] = [verdict.provisional for verdict in lm]
        # The suffix of a cell marks a half with a status of its own; the row is printed without it.
        cells["lm_row"] = [verdict.cell.id.split("-")[0] if verdict.cell else None for verdict in lm]
        cells["hematologic_cns"] = [verdict.answer for verdict in self._verdicts(HEMATOLOGIC, outcomes)]
        table = self._core.column_evidence[LEUKEMIA].table
        answers = (*(row.answer for row in table.rows), table.otherwise)
        cells["leukemia_cns"] = [answers[number] for number in outcomes.evidence[LEUKEMIA].tolist()]

    def _verdicts(self, table: str, outcomes: Outcomes) -> list[Verdict]:
        verdict: Callable[[int], Verdict] = self._core.evidence[table].verdict
        return [verdict(number) for number in outcomes.evidence[table].tolist()]

    def _scores(self, outcomes: Outcomes, cells: Cells) -> None:
        for score in self._core.edition.scores:
            cells[f"score_{score.id}"] = [None] * outcomes.cohort.size
            cells[f"score_{score.id}_status"] = [None] * outcomes.cohort.size
        for number, compiled in enumerate(self._core.scores.compiled):
            name = f"score_{compiled.score.id}"
            for column in np.flatnonzero(outcomes.scores.status[number]).tolist():
                found = describe(outcomes.scores, self._core.scores, number, column)
                if found is not None:
                    cells[name][column], cells[f"{name}_status"][column] = found.text, found.status

    def _explained(self, panels: Sequence[Panel], outcomes: Outcomes, cells: Cells) -> list[tuple[Issue, ...]]:
        bounds, plain = self._bounds(outcomes), self._without_calls(panels, outcomes)
        cells["critical"], cells["issues"] = [], []
        every = []
        for column, panel in enumerate(panels):
            row = Row(self._parts, panel, outcomes, column)
            found = issues(row)
            every.append(found)
            cells["critical"].append(len(critical(row, () if plain[column] else listed(row))))
            cells["issues"].append(len(found))
            for name in bounds.get(column, ()):
                bound = row.censored(name)
                if bound is not None:
                    cells[f"{name}_comparator"][column], cells[name][column] = bound
        return every

    def _without_calls(self, panels: Sequence[Panel], outcomes: Outcomes) -> list[bool]:
        """Panels of which no single result is critical: every test was sent once, no flag calls, nor the laboratory.

        Their results need not be listed to be counted; first tumor cells are read from the row itself.
        """
        size, place = outcomes.cohort.size, outcomes.observations.panel
        pairs = np.unique(np.stack((place, outcomes.analyte)), axis=1)
        once = np.bincount(pairs[0], minlength=size) == np.bincount(place, minlength=size)
        quiet = once & ~np.isin(outcomes.flag, CALLING).any(axis=0)
        theirs = [any(found.laboratory_flag for found in panel.observations) for panel in panels]
        return [bool(calm) and not flagged for calm, flagged in zip(quiet, theirs, strict=True)]

    def _bounds(self, outcomes: Outcomes) -> dict[int, list[str]]:
        """Panel -> the analytes of which only a bound is known."""
        layout, found = self._core.layout, dict[int, list[str]]()
        low, high = outcomes.cohort.low[: layout.measured], outcomes.cohort.high[: layout.measured]
        for place, column in np.argwhere(low < high).tolist():
            found.setdefault(column, []).append(layout.quantities[place])
        return found


def _collected(panel: Panel) -> object:
    """The time of collection as sent."""
    specimen = panel.document.get("specimen")
    return specimen.get("collected_at") if isinstance(specimen, Mapping) else None


def _numbers(values: Floats) -> list[object]:
    return [None if value != value else value for value in values.tolist()]


def _words(numbers: Bytes, words: Sequence[str | None]) -> list[object]:
    """The word of each number; below 0: none."""
    return [None if number < 0 else words[number] for number in numbers.tolist()]
