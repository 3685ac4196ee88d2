"""Panels as columns: long columns of observations, one column of arrays per panel property,
and the codes that come out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from csfinterp.model.edition import EvidenceCell, EvidenceRow

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bytes = NDArray[np.int8]
Bools = NDArray[np.bool_]


class CodeKey(NamedTuple):
    """What decides the analyte of an observation: who sent it, the code, and the specimens named beside it."""

    source: str | None
    system: str | None
    code: str
    display: str | None
    specimen: str | None
    panel_specimen: str | None


class Cell(NamedTuple):
    """A value as received: text (or a number from a numeric column) and a separate comparator."""

    value: str | float | None
    comparator: str | None


@dataclass(frozen=True)
class TextColumn:
    """Distinct entries and, per row, which of them it holds; `index` None: every row has its own entry."""

    texts: Sequence[Any]
    index: Ints | None = None

    def ask(self, scalar: Callable[[Any], Any], dtype: Any) -> NDArray[Any]:
        """`scalar` once per distinct text, spread over the rows; shape (rows,)."""
        answers = np.array([scalar(text) for text in self.texts], dtype=dtype)
        return answers if self.index is None else answers[self.index]

    def at(self, row: int) -> Any:
        return self.texts[row if self.index is None else self.index[row]]

    def numbers(self) -> Ints:
        """Row -> number of its distinct text; shape (rows,)."""
        return np.arange(len(self.texts)) if self.index is None else self.index


@dataclass(frozen=True)
class Observations:
    """Long columns, one row per observation as received, shape (n,). `panel` is the column of the cohort.

    `tube` NaN if not sent; `target`: organism or assay target where a test may repeat; `withdrawn`: cancelled or
    entered in error. None instead of a column: no row has any.
    """

    panel: Ints
    code: TextColumn
    value: TextColumn
    unit: TextColumn
    tube: Floats | None = None
    target: Sequence[str | None] | None = None
    withdrawn: Bools | None = None


@dataclass(frozen=True)
class Pairs:
    """One serum pair per panel, by the quotient that it makes. `day`: word number of `pair_same_day`, 0 = no pair sent.

    `differs`: word number of `pair_method_differs`. They count only where the quotient could be computed.
    """

    day: Bytes
    differs: Bytes


@dataclass(frozen=True)
class Subjects:
    """One entry per panel, shape (panels,). Age at collection as spans: whole days [low, high), whole years low..high.

    NaN: age not known. `words`: coded inputs (site, sex, context ...), id -> number of the word in its list.
    `numbers`: quantities that come from times, volumes and numeric context (canonical units), NaN = not known.
    """

    size: int
    days_low: Floats
    days_high: Floats
    years_low: Floats
    years_high: Floats
    words: dict[str, Bytes]
    numbers: dict[str, Floats]
    pairs: dict[str, Pairs] = field(default_factory=dict)


@dataclass
class Cohort:
    """Arrays (quantities, panels) in canonical units. A value is the interval low..high; NaN = not there.

    `open_low`, `open_high`: the end itself is not a possible value; None where no value of the cohort is censored.
    `reason`: number in NOT_JUDGED + 1 per (statement row, panel), 0 none, -1 not sent. `code`: word number of coded
    inputs, -1 not known. `leading`: observation row that fills the cell, -1 none.

    `repeat`: observations sent more than once without a rule which one leads. `repeated`: their (quantity, panel, low,
    high), `repeated_words`: (statement, panel, word): judged by nobody, but a critical one is still told.
    `other_tubes`: likewise (quantity, panel, low, high) of tubes that do not fill the cell.
    """

    low: Floats
    high: Floats
    open_low: Bools | None
    open_high: Bools | None
    code: Bytes
    reason: Bytes
    leading: Ints
    repeat: Bools
    repeated: list[tuple[int, int, float, float]] = field(default_factory=list)
    repeated_words: list[tuple[int, int, int]] = field(default_factory=list)
    other_tubes: list[tuple[int, int, float, float]] = field(default_factory=list)

    @property
    def size(self) -> int:
        return int(self.low.shape[1])


@dataclass(frozen=True)
class Normalized:
    """`analyte`: statement row per observation (-1 none); `issue`: number of the issue per observation (0 none).

    `repeat`: sent more than once without a rule which one leads.
    """

    analyte: Ints
    issue: Ints
    repeat: Bools
    cohort: Cohort


@dataclass(frozen=True)
class Partition:
    """`interval`: number of the interval row per (quantity, panel), -1 none; `reason`: why none (NOT_JUDGED + 1)."""

    interval: Ints
    reason: Bytes


@dataclass(frozen=True)
class Judged:
    """What rules may read after suppression, shape (quantities, panels): NaN where a rule withheld the value.

    `nodes`: truth of every part of the quality rules; `truth`: of every rule.
    `withheld`: reason number per (statement, panel), 0 none (None: nothing withheld).
    `at_least`: the value is only a lower bound. `unread`: it keeps its flag, but no rule reads it (None: nowhere).
    """

    nodes: Bytes
    truth: Bytes
    low: Floats
    high: Floats
    withheld: Bytes | None = None
    at_least: Bools | None = None
    unread: Bools | None = None


@dataclass(frozen=True)
class Flags:
    """`flag`: number in FLAG per (statement, panel), 0 = null; `reason`: why null.

    `rule_flag`: flags as rules read them. `critical`: number of the critical rule that holds + 1, 0 none.
    `called_tubes`: (quantity, panel) of critical results in tubes that do not fill the cell.
    """

    flag: Bytes
    rule_flag: Bytes
    reason: Bytes
    critical: Bytes
    called_tubes: list[tuple[int, int]]


@dataclass(frozen=True)
class Graded:
    """`grade`: number in GRADES per (pattern, panel). `reason`: number of the open_if reason + 1 that keeps it open."""

    grade: Bytes
    reason: Bytes


@dataclass(frozen=True)
class Verdict:
    """What one combination of words gives in an evidence table. `missing`: all inputs that are not known.

    `would_settle`: those of them that keep the answer open. `bounds`: lowest and highest level still possible.
    """

    row: EvidenceRow | None
    answer: str
    provisional: bool
    missing: tuple[str, ...]
    would_settle: tuple[str, ...]
    cell: EvidenceCell | None
    type: str | None
    bounds: tuple[str, str] | None
    words: dict[str, str | None]


@dataclass(frozen=True)
class Outcomes:
    """Everything that the steps found, as codes. explain.py reads one column of it.

    Per observation (n,): `analyte` statement row, `issue`, `repeat`. Per (row, panel): `interval` row chosen, limits,
    `computed` derived values, `judged_low`/`judged_high` as rules read them, `flag`, `rule_flag`, `reason`, `critical`,
    `at_least` (lower bounds; None: none), `checks` (truth of every node of the quality rules), `quality`, `truth` of
    every rule node, `findings`, `profile` markers. Per
    panel: `evidence` table -> number of the combination (or of the winning row); `rows`: truth of the rows of tables
    that are decided per panel. `graded`: patterns. `advice`: truth of every node of the second program.
    """

    observations: Observations
    subjects: Subjects
    analyte: Ints
    issue: Ints
    repeat: Bools
    cohort: Cohort
    interval: Ints
    limits_low: Floats
    limits_high: Floats
    computed: Floats
    judged_low: Floats
    judged_high: Floats
    flag: Bytes
    rule_flag: Bytes
    reason: Bytes
    critical: Bytes
    at_least: Bools | None
    checks: Bytes
    quality: Bytes
    truth: Bytes
    findings: Bytes
    profile: Bytes
    evidence: dict[str, Ints]
    rows: dict[str, Bytes]
    graded: Graded
    advice: Bytes
    scores: Any
