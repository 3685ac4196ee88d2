"""The words of the scores, asked once for every kind of panel: all that the sentence of a score is made from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from csfinterp.cohort.cells import Cells, Coded
from csfinterp.cohort.keys import row_keys, table
from csfinterp.model.cohort import Ints, Outcomes
from csfinterp.model.predicate import inputs
from csfinterp.steps.pipeline import Core
from csfinterp.steps.score import ScoreOutcomes, describe
from csfinterp.steps.score.rules import Compiled

MAX_REMEMBERED = 20_000
Said = tuple[str, str]


class ScoreTexts:
    """Texts and states of the scores of one edition; what was said before is remembered."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._read = [_Read(core, number, compiled) for number, compiled in enumerate(core.scores.compiled)]
        self._known: list[dict[bytes, Said]] = [{} for _ in self._read]

    def cells(self, outcomes: Outcomes) -> dict[str, Cells]:
        """`score_<id>` and `score_<id>_status` of every score; missing where it was not asked for."""
        size, found = outcomes.cohort.size, dict[str, Cells]()
        for score in self._core.edition.scores:
            nothing = np.full(size, -1, np.int64)
            found[f"score_{score.id}"], found[f"score_{score.id}_status"] = Coded([], nothing), Coded([], nothing)
        for number, compiled in enumerate(self._core.scores.compiled):
            asked = np.flatnonzero(outcomes.scores.status[number])
            if len(asked):
                said = self._said(number, asked, outcomes.scores)
                name = f"score_{compiled.score.id}"
                found[name] = _column([text for text, _ in said], asked, size)
                found[f"{name}_status"] = _column([status for _, status in said], asked, size)
        return found

    def _said(self, number: int, asked: Ints, scores: ScoreOutcomes) -> list[Said]:
        known = self._known[number]
        if len(known) > MAX_REMEMBERED:
            known.clear()
        keys = row_keys(self._read[number].table(scores, asked))
        for key, column in zip(keys, asked.tolist(), strict=True):
            if key not in known:
                result = describe(scores, self._core.scores, number, column)
                known[key] = ("", "") if result is None else (result.text, result.status)
        return [known[key] for key in keys]


class _Read:
    """What the sentence of one score is made from.

    Its outcome, the truth of its rules and items, which of its inputs are known as one number or word, and the numbers
    that its texts print.
    """

    def __init__(self, core: Core, number: int, compiled: Compiled) -> None:
        score, layout = compiled.score, core.layout
        self._number = number
        self._truths = np.array(
            [row for name, row in core.scores.rows.items() if name.startswith(f"{score.id}:")], np.int64
        )
        names = list(dict.fromkeys(_names(compiled)))
        self._quantities = np.array([layout.quantity[name] for name in names if name in layout.quantity], np.int64)
        self._words = np.array([layout.coded[name] for name in names if name in layout.coded], np.int64)
        texts = " ".join(map(str, score.texts.values()))
        about = {str(item.about) for item in compiled.items if "{judged}" in texts}
        shown = [name for name in names if name in layout.quantity and (f"{{{name}}}" in texts or name in about)]
        self._shown = np.array([layout.quantity[name] for name in shown], np.int64)

    def table(self, scores: ScoreOutcomes, columns: Ints) -> Ints:
        """One row per column: equal rows, equal words."""
        number, facts = self._number, scores.facts
        of_score = (scores.status, scores.first, scores.last, scores.refusal, scores.why)
        found = [one[number, columns].astype(np.int64) for one in of_score]
        found += [_bits(one[number, columns]) for one in (scores.low, scores.high)]
        found += [row.astype(np.int64) for row in scores.truth[self._truths][:, columns]]
        found += [facts.code[row, columns].astype(np.int64) for row in self._words]
        low, high = facts.low, facts.high
        found += [(low[row, columns] == high[row, columns]).astype(np.int64) for row in self._quantities]
        for row in self._shown:
            found += [_bits(low[row, columns]), _bits(high[row, columns])]
        for (own, _), ends in scores.parts.items():
            if own == number:
                found += [_bits(one[columns]) for one in ends]
        return table(found, len(columns))


def _names(compiled: Compiled) -> Iterator[str]:
    """Inputs of which a sentence may say that they are missing, or how much they are."""
    score = compiled.score
    yield from score.needed
    for rule in (*score.refusals, *score.unknown_refusals):
        yield from inputs(rule.when)
    yield from (str(item.about) for item in compiled.items if item.about is not None)
    alternatives = score.constants.get("alternatives", {})
    yield from map(str, alternatives.values() if isinstance(alternatives, dict) else ())


def _bits(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Ints:
    """Every distinct number, also NaN, as a whole number."""
    return np.ascontiguousarray(values, np.float64).view(np.int64)


def _column(texts: list[str], place: Ints, size: int) -> Coded:
    number = {text: at for at, text in enumerate(dict.fromkeys(texts))}
    index = np.full(size, -1, np.int64)
    index[place] = [number[text] for text in texts]
    return Coded(list(number), index)
