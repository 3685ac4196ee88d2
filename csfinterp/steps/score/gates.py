"""The scores of one edition compiled: population gates as one program, then the formula of each score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from csfinterp.errors import EditionError
from csfinterp.model.coefficients import Coefficients
from csfinterp.model.cohort import Bools, Bytes, Floats
from csfinterp.model.edition import Edition, Score
from csfinterp.model.predicate import Predicate
from csfinterp.steps.layout import Layout
from csfinterp.steps.program import Program
from csfinterp.steps.score.formulas import FUNCTIONS
from csfinterp.steps.score.items import Item, items
from csfinterp.steps.score.reading import (
    COMPUTED,
    NAN,
    NOT_ASKED,
    NOT_COMPUTABLE,
    NOTHING,
    REFUSED,
    Answer,
    Reading,
)
from csfinterp.steps.truth import FALSE, TRUE, Facts


@dataclass(frozen=True)
class Compiled:
    """One score with its items, its loaded model, and the names of its statements in the program."""

    score: Score
    items: tuple[Item, ...]
    model: Coefficients | None
    asked: str | None
    refusals: tuple[str, ...]
    unknowns: tuple[str, ...]


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
    """The scores of one edition that are on here. `compiled`: in the order of scores.yaml; `rows`: statement -> row of
    the truth array.

    `given`: rows of `Facts.given` for rules that name earlier statements; without it the quality rules in their order.
    EditionError for an entry that does not fit its formula.
    """

    def __init__(self, layout: Layout, edition: Edition, given: Mapping[str, int] | None = None) -> None:
        self.layout = layout
        rules = edition.site_rules
        switched_on = rules.scores_on if rules else ()
        models = {model.model: model for model in rules.models} if rules else {}
        statements: dict[str, Predicate] = {}
        self.compiled = tuple(
            _compile(score, layout, statements, models.get(score.id))
            for score in edition.scores
            if score.default_on or score.id in switched_on
        )
        given = {rule.id: row for row, rule in enumerate(edition.quality)} if given is None else given
        self._program = Program(layout, statements, given, self._vetoes(given))
        self.rows: Mapping[str, int] = self._program.rows
        self._check()

    def _vetoes(self, given: Mapping[str, int]) -> dict[str, list[int]]:
        """Statement of an item -> rows of the quality rules that make it UNKNOWN."""
        found = {}
        for compiled in self.compiled:
            for item in compiled.items:
                for name in item.unless:
                    if name not in given:
                        raise EditionError(f"score {compiled.score.id}: item {item.id}: no quality rule {name!r}")
                if item.unless:
                    found[_item_name(compiled.score, item)] = [given[name] for name in item.unless]
        return found

    def _check(self) -> None:
        """Every formula once over no panel: what it misses in the edition shows now and not on a patient."""
        empty = np.zeros((len(self.layout.quantities), 0))
        facts = Facts(empty, empty, None, None, np.zeros((len(self.layout.words), 0), np.int8))
        truth = np.zeros((1 + max(self.rows.values(), default=0), 0), np.int8)
        for compiled in self.compiled:
            try:
                self._answer(compiled, facts, truth)
            except (KeyError, TypeError, ValueError, IndexError) as slip:
                raise EditionError(f"score {compiled.score.id} does not fit its formula ({slip})") from slip

    def run(self, facts: Facts) -> ScoreOutcomes:
        """All scores of all panels of the chunk."""
        truth, size = self._program.run(facts), facts.low.shape[1]
        shape = (len(self.compiled), size)
        parts: dict[tuple[int, str], tuple[Floats, Floats]] = {}
        outcomes = ScoreOutcomes(
            status=np.zeros(shape, np.int8),
            low=np.full(shape, NAN),
            high=np.full(shape, NAN),
            first=np.full(shape, NOTHING, np.int8),
            last=np.full(shape, NOTHING, np.int8),
            refusal=np.full(shape, NOTHING, np.int8),
            why=np.full(shape, NOTHING, np.int8),
            truth=truth,
            facts=facts,
            parts=parts,
        )
        for number, compiled in enumerate(self.compiled):
            if self._asked(compiled, truth).any():
                answer = self._answer(compiled, facts, truth)
                self._write(number, compiled, answer, outcomes)
                parts |= {(number, name): ends for name, ends in answer.parts.items()}
        return outcomes

    def _asked(self, compiled: Compiled, truth: Bytes) -> Bools:
        if compiled.asked is None:
            return np.ones(truth.shape[1], np.bool_)
        found: Bools = truth[self.rows[compiled.asked]] == TRUE
        return found

    def _answer(self, compiled: Compiled, facts: Facts, truth: Bytes) -> Answer:
        score = compiled.score
        own = {item.id: truth[self.rows[_item_name(score, item)]] for item in compiled.items}
        reading = Reading(self.layout, facts, score.constants, compiled.items, own, compiled.model)
        return FUNCTIONS[score.function](reading)

    def _write(self, number: int, compiled: Compiled, answer: Answer, outcomes: ScoreOutcomes) -> None:
        """The gates first: who is not asked, refused, or not known to belong to the population gets no number."""
        truth = outcomes.truth
        status, refusal = answer.status, np.full(len(answer.status), NOTHING, np.int8)
        for place in reversed(range(len(compiled.unknowns))):
            open_ = truth[self.rows[compiled.unknowns[place]]] != FALSE
            status, refusal = np.where(open_, NOT_COMPUTABLE, status), np.where(open_, np.int8(place), refusal)
        for place in reversed(range(len(compiled.refusals))):
            holds = truth[self.rows[compiled.refusals[place]]] == TRUE
            status, refusal = np.where(holds, REFUSED, status), np.where(holds, np.int8(place), refusal)
        status = np.where(self._asked(compiled, truth), status, NOT_ASKED)
        kept = status == COMPUTED
        outcomes.status[number] = status
        outcomes.low[number], outcomes.high[number] = np.where(kept, answer.low, NAN), np.where(kept, answer.high, NAN)
        outcomes.first[number] = np.where(kept, answer.first, NOTHING)
        outcomes.last[number] = np.where(kept, answer.last, NOTHING)
        outcomes.refusal[number] = np.where(status == NOT_ASKED, NOTHING, refusal)
        outcomes.why[number] = np.where((status != NOT_ASKED) & (refusal == NOTHING), answer.why, NOTHING)


def _compile(score: Score, layout: Layout, statements: dict[str, Predicate], model: Coefficients | None) -> Compiled:
    """Adds the rules of `score` to `statements`."""
    if score.function not in FUNCTIONS:
        raise EditionError(f"score {score.id}: no function {score.function!r}; there are {', '.join(FUNCTIONS)}")
    own = items(score, layout)
    statements |= {_item_name(score, item): item.when for item in own}
    asked = None
    if score.asked_if is not None:
        asked = f"{score.id}:asked"
        statements[asked] = score.asked_if
    refusals = {f"{score.id}:refusal:{place}": rule.when for place, rule in enumerate(score.refusals)}
    unknowns = {f"{score.id}:unknown:{place}": rule.when for place, rule in enumerate(score.unknown_refusals)}
    statements |= refusals | unknowns
    return Compiled(score, own, model, asked, tuple(refusals), tuple(unknowns))


def _item_name(score: Score, item: Item) -> str:
    return f"{score.id}:item:{item.id}"
