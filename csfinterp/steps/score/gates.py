"""The scores of one edition over a chunk of panels: population gates of all scores at once, then each formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from csfinterp.errors import EditionError
from csfinterp.model.cohort import Bools, Bytes, Floats
from csfinterp.steps.layout import Layout
from csfinterp.steps.score.formulas import FUNCTIONS
from csfinterp.steps.score.reading import COMPUTED, NAN, NOT_ASKED, NOT_COMPUTABLE, NOTHING, REFUSED, Read, Reading
from csfinterp.steps.score.rules import ScoreRules, item_name
from csfinterp.steps.truth import FALSE, TRUE, Facts


@dataclass(frozen=True)
class ScoreOutcomes:
    """Arrays (scores, panels). `status`: 0 not asked, 1 computed, 2 not computable, 3 refused.

    `low`, `high`: value; `first`, `last`: number of the class at both ends, -1 none. `refusal`: number of the first
    population rule that holds (refused) or is open (not computable), `why`: of the formula's own reason; -1 none.
    `truth`: of every node of the program; `parts`: (score number, name) -> low and high of a part of a score.
    """

    status: Bytes
    low: Floats
    high: Floats
    first: Bytes
    last: Bytes
    refusal: Bytes
    why: Bytes
    truth: Bytes
    facts: Facts
    parts: Mapping[tuple[int, str], tuple[Floats, Floats]] = field(default_factory=dict)


class Scores:
    """The scores of `rules`. `rows`: statement -> row of the truth that `run` gets.

    EditionError for an entry that does not fit its formula.
    """

    def __init__(self, layout: Layout, rules: ScoreRules, rows: Mapping[str, int]) -> None:
        self.layout, self.compiled, self.rows = layout, rules.compiled, rows
        self._reads = [
            Read(
                layout,
                found.score.constants,
                found.items,
                np.array([rows[item_name(found.score, item)] for item in found.items], np.int64),
                found.model,
            )
            for found in self.compiled
        ]
        self._always = np.array([found.asked is None for found in self.compiled], np.bool_).reshape(-1, 1)
        self._asked = np.array([0 if found.asked is None else rows[found.asked] for found in self.compiled], np.int64)
        self._refusals = _Firsts([[rows[name] for name in found.refusals] for found in self.compiled])
        self._unknowns = _Firsts([[rows[name] for name in found.unknowns] for found in self.compiled])
        self._check()

    def _check(self) -> None:
        """Every formula once over no panel: what it misses in the edition shows now and not on a patient."""
        empty = np.zeros((len(self.layout.quantities), 0))
        facts = Facts(empty, empty, None, None, np.zeros((len(self.layout.words), 0), np.int8))
        truth = np.zeros((1 + max(self.rows.values(), default=0), 0), np.int8)
        for compiled, read in zip(self.compiled, self._reads, strict=True):
            try:
                FUNCTIONS[compiled.score.function](Reading(read, facts, truth))
            except (KeyError, TypeError, ValueError, IndexError) as slip:
                raise EditionError(f"score {compiled.score.id} does not fit its formula ({slip})") from slip

    def run(self, facts: Facts, truth: Bytes) -> ScoreOutcomes:
        """All scores of all panels of the chunk.

        The gates first: who is not asked, refused, or not known to belong to the population gets no number.
        """
        shape = (len(self.compiled), facts.low.shape[1])
        asked = self._always | (truth[self._asked] == TRUE)
        refusal = self._refusals.first(truth == TRUE, shape)
        unknown = self._unknowns.first(truth != FALSE, shape)
        refused = refusal != NOTHING
        answered = asked & ~refused
        status, first, last, why = (np.full(shape, NOTHING, np.int8) for _ in range(4))
        low, high = np.full(shape, NAN), np.full(shape, NAN)
        parts: dict[tuple[int, str], tuple[Floats, Floats]] = {}
        for number in np.flatnonzero(answered.any(axis=1)).tolist():
            answer = FUNCTIONS[self.compiled[number].score.function](Reading(self._reads[number], facts, truth))
            status[number], low[number], high[number] = answer.status, answer.low, answer.high
            first[number], last[number], why[number] = answer.first, answer.last, answer.why
            parts |= {(number, name): ends for name, ends in answer.parts.items()}
        status = np.where(refused, REFUSED, np.where(unknown != NOTHING, NOT_COMPUTABLE, status))
        refusal = np.where(asked, np.where(refused, refusal, unknown), NOTHING)
        status = np.where(asked, status, NOT_ASKED)
        kept = status == COMPUTED
        return ScoreOutcomes(
            status=status,
            low=np.where(kept, low, NAN),
            high=np.where(kept, high, NAN),
            first=np.where(kept, first, NOTHING),
            last=np.where(kept, last, NOTHING),
            refusal=refusal,
            why=np.where(asked & (refusal == NOTHING), why, NOTHING),
            truth=truth,
            facts=facts,
            parts=parts,
        )


class _Firsts:
    """Per group of statements the first that holds. `groups`: rows of the truth."""

    def __init__(self, groups: Sequence[Sequence[int]]) -> None:
        self._owners = [number for number, group in enumerate(groups) if group]
        flat = [(row, place) for group in groups for place, row in enumerate(group)]
        self._rows = np.array([row for row, _ in flat], np.int64)
        self._places = np.array([[place] for _, place in flat], np.int8)
        self._starts = np.cumsum([0, *(len(groups[number]) for number in self._owners[:-1])], dtype=np.int64)

    def first(self, holds: Bools, shape: tuple[int, int]) -> Bytes:
        """Place in its group, NOTHING where none holds; shape (groups, panels). `holds`: shape (rows, panels)."""
        found = np.full(shape, NOTHING, np.int8)
        if self._owners:
            none = np.int8(len(self._rows))
            places = np.where(holds[self._rows], self._places, none)
            least = np.minimum.reduceat(places, self._starts, axis=0)
            found[self._owners] = np.where(least == none, NOTHING, least)
        return found
