"""Grades of the disease patterns: how many of a fixed number of items hold; never a share (ER3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from csfinterp.model.cohort import Bools, Bytes, Graded, Ints
from csfinterp.model.edition import Edition, Pattern
from csfinterp.steps.layout import GRADES
from csfinterp.steps.truth import FALSE, TRUE, UNKNOWN

NOT_EVALUABLE, DOES_NOT_FIT, PARTLY_FITS, FITS, ESTABLISHED = (np.int8(number) for number in range(len(GRADES)))
GRADE = {word: np.int8(number) for number, word in enumerate(GRADES)}


@dataclass(frozen=True)
class _Rows:
    """Rows of one pattern's statements in the truth of the first program."""

    decisive: Ints
    core: Ints
    counter_major: Ints
    required: Ints
    raises: Ints
    raise_grades: Bytes
    open_if: Ints
    rule: int | None


class Patterns:
    """Patterns of one edition. `rows`: statement name -> row of the truth that `grade` gets."""

    def __init__(self, edition: Edition, rows: Mapping[str, int]) -> None:
        self._patterns = edition.patterns
        self._rows = [_rows(pattern, rows) for pattern in edition.patterns]

    def grade(self, truth: Bytes) -> Graded:
        """Grades of all patterns; `truth` of the first program, shape (rows, panels)."""
        shape = (len(self._patterns), truth.shape[1])
        grades, reasons = np.zeros(shape, np.int8), np.zeros(shape, np.int8)
        for number, (pattern, rows) in enumerate(zip(self._patterns, self._rows, strict=True)):
            grades[number], reasons[number] = _graded(pattern, rows, truth)
        return Graded(grades, reasons)


def _rows(pattern: Pattern, rows: Mapping[str, int]) -> _Rows:
    def of(kind: str) -> Ints:
        return np.array([rows[item.id] for item in pattern.items if item.kind == kind], np.int64)

    return _Rows(
        of("decisive"),
        of("core"),
        of("counter_major"),
        np.array([rows[name] for name in pattern.required], np.int64),
        np.array([rows[short.id] for short in pattern.raises], np.int64),
        np.array([GRADE[short.grade] for short in pattern.raises], np.int8),
        np.array([rows[f"{pattern.id}.open_if.{number}"] for number in range(len(pattern.open_if))], np.int64),
        None if pattern.rule is None else rows[f"{pattern.id}.when"],
    )


def _graded(pattern: Pattern, rows: _Rows, truth: Bytes) -> tuple[Bytes, Bytes]:
    """Core or rule, then raises, counter_major, required, open_if; a decisive item is final."""
    grade = _by_rule(truth[rows.rule]) if rows.rule is not None else _by_core(pattern, truth[rows.core])
    for row, least in zip(rows.raises, rows.raise_grades, strict=True):
        grade = np.where(truth[row] == TRUE, np.maximum(grade, least), grade)
    countered = _any(truth, rows.counter_major, TRUE)
    lower = np.where(grade == FITS, PARTLY_FITS if pattern.partly else DOES_NOT_FIT, DOES_NOT_FIT)
    grade = np.where(countered & (grade >= PARTLY_FITS), lower, grade)
    if len(rows.required):
        needed = truth[rows.required].min(axis=0)
        grade = np.where(needed == FALSE, DOES_NOT_FIT, np.where(needed == UNKNOWN, NOT_EVALUABLE, grade))
    reason = np.zeros(truth.shape[1], np.int8)
    for number, row in enumerate(rows.open_if, start=1):
        reason = np.where((reason == 0) & (grade == DOES_NOT_FIT) & (truth[row] == TRUE), np.int8(number), reason)
    grade = np.where(reason > 0, NOT_EVALUABLE, grade)
    established = _any(truth, rows.decisive, TRUE)
    final: Bytes = np.where(established, ESTABLISHED, grade).astype(np.int8)
    return final, np.where(established, 0, reason).astype(np.int8)


def _by_rule(rule: Bytes) -> Bytes:
    found: Bytes = np.array([DOES_NOT_FIT, NOT_EVALUABLE, FITS], np.int8)[rule]
    return found


def _by_core(pattern: Pattern, core: Bytes) -> Bytes:
    """All core items: fits; k of them: partly_fits; k no longer reachable: does_not_fit; else not_evaluable."""
    if not len(core):
        return np.zeros(core.shape[1], np.int8)
    k = pattern.k or len(core)
    true, possible = (core == TRUE).sum(axis=0), (core >= UNKNOWN).sum(axis=0)
    least = k if pattern.partly else len(core)
    grade = np.where(possible < least, DOES_NOT_FIT, NOT_EVALUABLE)
    if pattern.partly:
        grade = np.where(true >= k, PARTLY_FITS, grade)
    found: Bytes = np.where(true == len(core), FITS, grade).astype(np.int8)
    return found


def _any(truth: Bytes, rows: Ints, wanted: np.int8) -> Bools:
    found: Bools = (truth[rows] == wanted).any(axis=0)
    return found


def at_least(grade: Bytes, word: str) -> Bytes:
    """Truth of "at least this grade": not_evaluable is UNKNOWN."""
    known = np.where(grade >= GRADE[word], TRUE, FALSE)
    found: Bytes = np.where(grade == NOT_EVALUABLE, UNKNOWN, known).astype(np.int8)
    return found
