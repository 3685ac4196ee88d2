"""Grades of the disease patterns: how many of a fixed number of items hold; never a share (ER3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from csfinterp.model.cohort import Bools, Bytes, Graded, Ints
from csfinterp.model.edition import Edition
from csfinterp.steps.layout import GRADES
from csfinterp.steps.truth import FALSE, TRUE, UNKNOWN

NOT_EVALUABLE, DOES_NOT_FIT, PARTLY_FITS, FITS, ESTABLISHED = (np.int8(number) for number in range(len(GRADES)))
GRADE = {word: np.int8(number) for number, word in enumerate(GRADES)}
BY_RULE = np.array([DOES_NOT_FIT, NOT_EVALUABLE, FITS], np.int8)
LAST = np.int8(127)  # behind every reason


class _Groups:
    """Runs of statements, one per pattern that has any. `rows`: of the truth; `owners`: their patterns;
    `sizes`: statements per owner, shape (owners, 1)."""

    def __init__(self, groups: Sequence[Sequence[int]]) -> None:
        self.owners = np.array([number for number, group in enumerate(groups) if group], np.int64)
        self.rows = np.array([row for group in groups for row in group], np.int64)
        self.places = np.array([[place] for group in groups for place in range(1, len(group) + 1)], np.int8).reshape(
            -1, 1
        )
        self.sizes = np.array([[len(groups[number])] for number in self.owners], np.int64).reshape(-1, 1)
        self._starts = np.cumsum(self.sizes[:, 0]) - self.sizes[:, 0]

    def reduce(self, function: np.ufunc, values: Bytes | Bools, dtype: type | None = None) -> NDArray[Any]:
        """One row per owner from one row per statement."""
        if not len(self.owners):
            return values
        found: NDArray[Any] = function.reduceat(values, self._starts, axis=0, dtype=dtype)
        return found


class Patterns:
    """Patterns of one edition, all graded at once. `rows`: statement name -> row of the truth that `grade` gets."""

    def __init__(self, edition: Edition, rows: Mapping[str, int]) -> None:
        patterns = edition.patterns
        self._size = len(patterns)

        def items(kind: str) -> _Groups:
            return _Groups([[rows[item.id] for item in found.items if item.kind == kind] for found in patterns])

        self._decisive, self._core, self._major = items("decisive"), items("core"), items("counter_major")
        self._required = _Groups([[rows[name] for name in found.required] for found in patterns])
        self._raises = _Groups([[rows[short.id] for short in found.raises] for found in patterns])
        self._raised = np.array(
            [[GRADE[short.grade]] for found in patterns for short in found.raises], np.int8
        ).reshape(-1, 1)
        self._open = _Groups(
            [[rows[f"{found.id}.open_if.{number}"] for number in range(len(found.open_if))] for found in patterns]
        )
        ruled = [number for number, found in enumerate(patterns) if found.rule is not None]
        self._ruled = np.array(ruled, np.int64)
        self._rules = np.array([rows[f"{patterns[number].id}.when"] for number in ruled], np.int64)
        own = [patterns[number] for number in self._core.owners]
        whole = [int(size) for size in self._core.sizes[:, 0]]
        partly = [found.k or size if found.partly else size for found, size in zip(own, whole, strict=True)]
        self._least = np.array(partly, np.int64).reshape(-1, 1)
        self._partly = np.array([found.partly for found in own], np.bool_).reshape(-1, 1)
        lower = [PARTLY_FITS if found.partly else DOES_NOT_FIT for found in patterns]
        self._lower = np.array(lower, np.int8).reshape(-1, 1)  # one row a pattern, also where there is none

    def grade(self, truth: Bytes) -> Graded:
        """Grades of all patterns; `truth` of the first program, shape (rows, panels).

        Core or rule, then raises, counter_major, required, open_if; a decisive item is final.
        """
        grade = np.zeros((self._size, truth.shape[1]), np.int8)
        grade[self._core.owners] = self._by_core(truth)
        grade[self._ruled] = BY_RULE[truth[self._rules]]
        self._raise(grade, truth)
        self._counter(grade, truth)
        self._require(grade, truth)
        reason = self._keep_open(grade, truth)
        established = self._decisive.reduce(np.logical_or, truth[self._decisive.rows] == TRUE)
        owners = self._decisive.owners
        grade[owners] = np.where(established, ESTABLISHED, grade[owners])
        reason[owners] = np.where(established, 0, reason[owners])
        return Graded(grade, reason)

    def _by_core(self, truth: Bytes) -> Bytes:
        """All core items: fits; k of them: partly_fits; k no longer reachable: does_not_fit; else not_evaluable."""
        items = truth[self._core.rows]
        true = self._core.reduce(np.add, items == TRUE, np.int64)
        possible = self._core.reduce(np.add, items >= UNKNOWN, np.int64)
        grade = np.where(possible < self._least, DOES_NOT_FIT, NOT_EVALUABLE)
        grade = np.where(self._partly & (true >= self._least), PARTLY_FITS, grade)
        return np.where(true == self._core.sizes, FITS, grade)

    def _raise(self, grade: Bytes, truth: Bytes) -> None:
        owners = self._raises.owners
        least = self._raises.reduce(np.maximum, np.where(truth[self._raises.rows] == TRUE, self._raised, 0))
        grade[owners] = np.maximum(grade[owners], least)

    def _counter(self, grade: Bytes, truth: Bytes) -> None:
        """Major counter-evidence takes `fits` to `partly_fits` where the pattern has that grade, all else to none."""
        owners = self._major.owners
        countered = self._major.reduce(np.logical_or, truth[self._major.rows] == TRUE)
        own = grade[owners]
        lower = np.where(own == FITS, self._lower[owners], DOES_NOT_FIT)
        grade[owners] = np.where(countered & (own >= PARTLY_FITS), lower, own)

    def _require(self, grade: Bytes, truth: Bytes) -> None:
        owners = self._required.owners
        needed = self._required.reduce(np.minimum, truth[self._required.rows])
        grade[owners] = np.where(
            needed == FALSE, DOES_NOT_FIT, np.where(needed == UNKNOWN, NOT_EVALUABLE, grade[owners])
        )

    def _keep_open(self, grade: Bytes, truth: Bytes) -> Bytes:
        """What does not fit stays not evaluable where a reason holds; returns the number of the first one, 0 none."""
        reason, owners = np.zeros(grade.shape, np.int8), self._open.owners
        holds = np.where(truth[self._open.rows] == TRUE, self._open.places, LAST)
        first = self._open.reduce(np.minimum, holds)
        kept = (first < LAST) & (grade[owners] == DOES_NOT_FIT)
        reason[owners] = np.where(kept, first, 0)
        grade[owners] = np.where(kept, NOT_EVALUABLE, grade[owners])
        return reason


def at_least(grade: Bytes, least: Ints) -> Bytes:
    """Truth of "at least this grade": not_evaluable is UNKNOWN. `least`: number of the grade, shape (rows, 1)."""
    found: Bytes = np.where(grade == NOT_EVALUABLE, UNKNOWN, np.where(grade >= least, TRUE, FALSE))
    return found
