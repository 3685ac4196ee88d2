"""Coded results: the text of each observation -> the number of a word of its analyte, or the reason why not."""

from __future__ import annotations

import numpy as np

from csfinterp.model.cohort import Cohort, Ints, Observations
from csfinterp.steps.layout import ISSUE, REASON, Layout
from csfinterp.steps.numbers import MAX_REMEMBERED


class WordReader:
    """Reads the coded results of one edition; texts that were seen are remembered."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._words: dict[tuple[int, str | None], tuple[int, int]] = {}

    def read(self, rows: Ints, analyte: Ints, observations: Observations, issue: Ints, cohort: Cohort) -> None:
        """Fills the cells of `rows`, those of coded results, and notes issues; `analyte`: statement of every row."""
        if not len(rows):
            return
        texts = observations.value.texts
        which = rows if observations.value.index is None else observations.value.index[rows]
        pairs, place = np.unique(analyte[rows] * len(texts) + which, return_inverse=True)
        answers = [self._word(pair // len(texts), texts[pair % len(texts)].value) for pair in pairs.tolist()]
        word, code = np.array(answers, np.int64)[place].T
        issue[rows] = np.maximum(code, 0)
        sent = code >= 0
        rows, word, code = rows[sent], word[sent], code[sent]
        own, panel = analyte[rows], observations.panel[rows]
        cohort.leading[own, panel] = rows
        repeated = cohort.leading[own, panel] != rows
        cohort.code[own - len(self._layout.quantities), panel] = word
        cohort.reason[own, panel] = np.where(word < 0, REASON["value_unreadable"], 0)
        for statement, column in {(int(own[at]), int(panel[at])) for at in np.flatnonzero(repeated)}:
            group = np.flatnonzero((own == statement) & (panel == column))
            members = [(int(rows[at]), int(word[at])) for at in group]
            self._settle_words(statement, column, members, observations, issue, cohort)

    def _word(self, statement: int, text: str | float | None) -> tuple[int, int]:
        """(number of the word, issue number): word -1 where it is not known; issue -1 where nothing was sent."""
        key = (statement, None if text is None else str(text))
        found = self._words.get(key)
        if found is None:
            if len(self._words) >= MAX_REMEMBERED:
                self._words.clear()
            found = self._words[key] = self._read_word(*key)
        return found

    def _read_word(self, statement: int, text: str | None) -> tuple[int, int]:
        analyte = self._layout.coded_analytes[statement - len(self._layout.quantities)]
        seen = " ".join((text or "").split()).casefold()
        for number, value in enumerate(analyte.values):
            if seen in (value.word, *(synonym.casefold() for synonym in value.synonyms)):
                return (number, 0)
        return (-1, -1) if text is None or seen in self._layout.not_sent else (-1, ISSUE["value_unreadable"])

    def _settle_words(
        self,
        statement: int,
        column: int,
        group: list[tuple[int, int]],
        observations: Observations,
        issue: Ints,
        cohort: Cohort,
    ) -> None:
        """One word per cell: the weightiest of distinct targets; a repeat of one target is judged only if positive."""
        analyte = self._layout.coded_analytes[statement - len(self._layout.quantities)]
        seen: dict[str | None, list[tuple[int, int]]] = {}
        for row, word in group:
            target = observations.target[row] if observations.target and analyte.repeats == "organism" else None
            seen.setdefault((target or "").strip().casefold(), []).append((row, word))
        repeated = [pair for pairs in seen.values() if len(pairs) > 1 for pair in pairs]
        for row, _ in repeated:
            issue[row] = issue[row] or ISSUE["duplicate_result"]
            cohort.repeat[row] = True
        # Judged by nobody; a critical word is still told (safety law SL41).
        cohort.repeated_words += [(statement, column, word) for _, word in repeated if word >= 0]
        if analyte.repeats in ("organism", "any_positive"):  # any positive is positive (interfaces.md section 1, SL41)
            repeated = [pair for pair in repeated if pair[1] != 0]
        group = [pair for pair in group if pair not in repeated]
        cohort.code[self._layout.coded[analyte.id], column] = -1
        usable = [(word, row) for row, word in group if word >= 0]
        if usable:
            word, row = min(usable)
            cohort.code[self._layout.coded[analyte.id], column] = word
            cohort.reason[statement, column] = 0
            cohort.leading[statement, column] = row
        else:
            unread = bool(group)
            cohort.reason[statement, column] = REASON["value_unreadable" if unread else "duplicate_result"]
