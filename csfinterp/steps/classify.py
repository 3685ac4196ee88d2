"""Evidence tables (EANO-ESMO, hematologic path): first TRUE row wins, provisional if an earlier row is UNKNOWN.

The inputs are coded, so every combination of words is decided once per edition with the compiled predicates; a cohort
is one look-up. What would settle a case falls out of the rows that are UNKNOWN before the winner.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np

from csfinterp.model.cohort import Bytes, Cohort, Ints, Verdict
from csfinterp.model.edition import EvidenceRow, EvidenceTable
from csfinterp.model.predicate import Predicate, inputs
from csfinterp.steps.layout import Layout
from csfinterp.steps.program import Program
from csfinterp.steps.truth import FALSE, TRUE, UNKNOWN, Facts


class Evidence:
    """One table decided for every combination of its inputs. `number` gives the combination of each panel."""

    def __init__(self, layout: Layout, table: EvidenceTable) -> None:
        self.table = table
        self._layout = layout
        self._rows = np.array([layout.coded[name] for name in table.inputs], np.int64)
        self._sizes = [len(layout.words[name]) + 1 for name in table.inputs]
        self._weights = np.array(
            [int(np.prod(self._sizes[place + 1 :])) for place in range(len(self._sizes))], np.int64
        )
        statements = {row.id: row.when for row in table.rows} | {cell.id: cell.when for cell in table.cells}
        self._program = Program(layout, statements)
        self._decide()

    def _decide(self) -> None:
        combinations = np.array(list(product(*(range(-1, size - 1) for size in self._sizes))), np.int8).T
        code = np.full((len(self._layout.words), combinations.shape[1]), -1, np.int8)
        code[self._rows] = combinations
        nothing = np.full((len(self._layout.quantities), combinations.shape[1]), np.nan)
        truth = self._program.run(Facts(nothing, nothing, None, None, code))
        self._combinations = combinations
        self._winner = self._first([row.id for row in self.table.rows], truth)
        self._truths = _Truths(self.table)
        self._truth = np.stack([truth[self._program.rows[row.id]] for row in self.table.rows])
        self._cell = self._first([cell.id for cell in self.table.cells], truth)
        self._verdicts: dict[int, Verdict] = {}

    def _first(self, names: list[str], truth: Bytes) -> Ints:
        """Number of the first TRUE statement per combination; len(names) = none."""
        if not names:
            return np.zeros(truth.shape[1], np.int64)
        return _first_true(truth[[self._program.rows[name] for name in names]])

    def number(self, cohort: Cohort) -> Ints:
        """Number of the combination per panel, shape (panels,)."""
        words = cohort.code[self._rows].astype(np.int64) + 1
        found: Ints = self._weights @ words
        return found

    def verdict(self, number: int) -> Verdict:
        """The answer for a combination, remembered."""
        if number not in self._verdicts:
            self._verdicts[number] = self._verdict(number)
        return self._verdicts[number]

    def answers(self, numbers: Ints) -> list[str]:
        """Answer words for many combinations."""
        return [self.verdict(number).answer for number in numbers.tolist()]

    def at(self, number: int, **words: str) -> Verdict:
        """The verdict with some words replaced (`tumor="solid"` gives `if_solid`)."""
        return self.verdict(self._with(number, words))

    def _with(self, number: int, words: dict[str, str]) -> int:
        codes = [int(code) for code in self._combinations[:, number]]
        for name, word in words.items():
            codes[self.table.inputs.index(name)] = self._layout.words[name].index(word)
        return int(self._weights @ (np.array(codes, np.int64) + 1))

    def _verdict(self, number: int) -> Verdict:
        table = self.table
        words = self._words(number)
        unknown = [name for name, word in words.items() if self._is_unknown(name, word)]
        winner = int(self._winner[number])
        row = table.rows[winner] if winner < len(table.rows) else None
        open_rows = [table.rows[place] for place in range(winner) if self._truth[place, number] == UNKNOWN]
        settle = [name for name in unknown if any(name in inputs(candidate.when) for candidate in open_rows)]
        cell = table.cells[int(self._cell[number])] if self._cell[number] < len(table.cells) else None
        return Verdict(
            row,
            row.answer if row else table.otherwise,
            bool(row and open_rows),
            tuple(unknown),
            tuple(settle),
            cell,
            self._type(row, words),
            self._bounds(number, words, unknown),
            words,
        )

    def _words(self, number: int) -> dict[str, str | None]:
        return {
            name: None if code < 0 else self._layout.words[name][code]
            for name, code in zip(self.table.inputs, self._combinations[:, number].tolist(), strict=True)
        }

    def _is_unknown(self, name: str, word: str | None) -> bool:
        """`biopsy` has no word for "not known": not done counts as not positive (IN3)."""
        return (word is None and name != "biopsy") or word in self._layout.unknown_words.get(name, ())

    def _type(self, row: EvidenceRow | None, words: dict[str, str | None]) -> str | None:
        if row is None or row.type_prefix is None:
            return None
        letter = self.table.letters.get(words.get("mri") or "")
        if letter is None:
            return "I" if row.type_prefix == "I" else None
        return f"{row.type_prefix}{letter}"

    def _bounds(self, number: int, words: dict[str, str | None], unknown: list[str]) -> tuple[str, str] | None:
        """Lowest and highest level over every word that the missing inputs could still take; only for a solid tumor."""
        levels = self.table.levels
        if words.get("tumor") != "solid" or not levels:
            return None
        choices = [[(name, word) for word in self.table.completions[name]] for name in unknown]
        found = [levels.index(self._level(self._with(number, dict(choice)))) for choice in product(*choices)]
        return levels[min(found)], levels[max(found)]

    def _level(self, number: int) -> str:
        winner = int(self._winner[number])
        return self.table.rows[winner].answer if winner < len(self.table.rows) else self.table.otherwise

    def holds(self, numbers: Ints, word: str) -> Bytes:
        """Truth of "at least this level" per panel; for a table without levels: the answer is this word."""
        return self._truths.of(word)[self._winner[numbers]]


def column_rules(table: EvidenceTable) -> dict[str, Predicate]:
    """The rows of a table whose inputs may be quantities, as statements of a program."""
    return {f"{table.id}:{row.id}": row.when for row in table.rows}


class ColumnEvidence:
    """A table whose inputs may be quantities: its rows are decided per panel, first TRUE row wins.

    `rows`: statement of `column_rules` -> row of the truth that `decide` gets.
    """

    def __init__(self, table: EvidenceTable, rows: Mapping[str, int]) -> None:
        self.table = table
        self._take = np.array([rows[name] for name in column_rules(table)], np.int64)
        self._truths = _Truths(table)

    def decide(self, truth: Bytes) -> tuple[Ints, Bytes]:
        """Number of the winning row per panel (number of rows: none), and the truth of every row."""
        own = truth[self._take]
        return _first_true(own), own

    def holds(self, winner: Ints, word: str) -> Bytes:
        """Truth of "the answer is this word" per panel."""
        return self._truths.of(word)[winner]


def _first_true(truth: Bytes) -> Ints:
    """Number of the first row that is TRUE per column; number of rows = none."""
    holds = truth == TRUE
    found: Ints = np.where(holds.any(axis=0), holds.argmax(axis=0), len(truth))
    return found


class _Truths:
    """Truth of "at least this level" (a table without levels: the answer is this word) for every row of a table."""

    def __init__(self, table: EvidenceTable) -> None:
        self._table = table
        self._answers = [*(row.answer for row in table.rows), table.otherwise]
        self._seen: dict[str, Bytes] = {}

    def of(self, word: str) -> Bytes:
        """By number of the row; the last entry is "no row". Remembered."""
        found = self._seen.get(word)
        if found is None:
            truths = [_holds(self._table, answer, word) for answer in self._answers]
            found = self._seen[word] = np.array(truths, np.int8)
        return found


def _holds(table: EvidenceTable, answer: str, word: str) -> np.int8:
    if word in table.levels and answer in table.levels:
        return TRUE if table.levels.index(answer) >= table.levels.index(word) else FALSE
    if word in table.levels and answer == table.otherwise:
        return UNKNOWN
    return TRUE if answer == word else FALSE
