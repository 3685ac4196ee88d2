"""What only the step that explains can count: issues and critical results, asked once for every kind of panel.

The kind of a panel is all that these two lists depend on: of every result its issue, of the panel its age and pairs,
of every result that can be called its flag, rule and word. One panel of each kind is explained; equal ones get the
same. A panel whose lists depend on its very values (results sent twice, a quotient beside its pair) is asked alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from csfinterp.cohort.keys import Interned, group_keys, row_keys, table
from csfinterp.model.cohort import Bools, Cell, CodeKey, Floats, Ints, Outcomes
from csfinterp.model.interpretation import Issue
from csfinterp.model.panel import Panel
from csfinterp.steps.explain.critical import critical
from csfinterp.steps.explain.issues import issues
from csfinterp.steps.explain.results import results as listed
from csfinterp.steps.explain.row import Row
from csfinterp.steps.intervals import age_columns
from csfinterp.steps.layout import FLAG
from csfinterp.steps.pipeline import Core

MAX_REMEMBERED = 50_000
CALLING = [FLAG[word] for word in ("LL", "HH", "AA")]
SIGNS = {"<": 0, "<=": 1, ">": 2, ">=": 3}
PanelAt = Callable[[int], Panel]
WITHDRAWN, NO_RESULT, SPECIAL = 1, 2, 3  # kinds of a result beside those that come from its issue


@dataclass(frozen=True)
class Problem:
    """An issue without its sentence; `slot`: of the result that has it (see `Calls.count`), None: of the panel."""

    code: str
    severity: str
    slot: int | None


@dataclass(frozen=True)
class Kinds:
    """What tells the kinds of panels apart beside the outcomes.

    `slots`: per observation a number that is the same for the same test. `dates`: per panel which of birth date, age,
    time of collection and time of receipt were sent, as a number.
    """

    slots: Ints
    dates: Ints


@dataclass(frozen=True)
class Counted:
    """`critical`: how many results somebody must be told; `issues`: what could not be read or judged."""

    critical: int
    issues: tuple[Problem, ...]


class Calls:
    """Counts for one edition; kinds of panels that were seen are remembered."""

    def __init__(self, core: Core) -> None:
        self._core = core
        edition, layout = core.edition, core.layout
        self._issues: dict[bytes, tuple[Problem, ...]] = {}
        self._critical: dict[bytes, int] = {}
        self._signs: dict[Cell, str | None] = {}
        self._interned = Interned()
        self._pairs = [entry.id for entry in edition.derived if entry.function == "pair_quotient"]
        self._pair_words = [name for name in ("pair_same_day", "serum_glucose_same_day") if name in layout.coded]
        # Quantities that a LIS may send ready-made: whether they agree with the computed one depends on the values.
        self._ready = [layout.quantity[name] for name in edition.derived_by_id if name in edition.analyte]
        self._organism = [layout.statement[found.id] for found in edition.analytes if found.needs_organism]
        self._called = _Called(core)

    def count(self, outcomes: Outcomes, panel: PanelAt, kinds: Kinds | None) -> list[Counted]:
        """One entry per column. `panel`: the panel of a column.

        `kinds` None: every panel is asked alone, and the slot of an issue is the number of its observation.
        """
        size = outcomes.cohort.size
        if kinds is None:
            return [self._alone(outcomes, panel, column) for column in range(size)]
        if max(len(self._issues), len(self._critical), len(self._interned)) > MAX_REMEMBERED:
            self._issues.clear()
            self._critical.clear()
            self._interned.clear()
        slots = kinds.slots
        told, alone = self._kinds(outcomes)
        keys, called = self._issue_keys(outcomes, told, kinds), row_keys(self._called.table(outcomes))
        alone |= self._called.alone(outcomes)
        counted = []
        for column, (key, call) in enumerate(zip(keys, called, strict=True)):
            if alone[column]:
                found = self._alone(outcomes, panel, column, slots)
            else:
                if key not in self._issues or call not in self._critical:
                    new = self._alone(outcomes, panel, column, slots)
                    self._issues.setdefault(key, new.issues)
                    self._critical.setdefault(call, new.critical)
                found = Counted(self._critical[call], self._issues[key])
            counted.append(found)
        return counted

    def _alone(self, outcomes: Outcomes, panel: PanelAt, column: int, slots: Ints | None = None) -> Counted:
        row = Row(self._core.parts, panel(column), outcomes, column)
        problems = tuple(_problem(issue, row.first, slots) for issue in issues(row))
        # Without a flag that calls, a test sent twice, or the laboratory's own flag no single result can be critical.
        calls = self._called.may_call(outcomes, column) or any(one.laboratory_flag for one in row.panel.observations)
        return Counted(len(critical(row, listed(row) if calls else ())), problems)

    def _kinds(self, outcomes: Outcomes) -> tuple[Ints, Bools]:
        """Per observation 0 where nothing is to say, else its kind; per panel whether it must be asked alone."""
        observations, cohort = outcomes.observations, outcomes.cohort
        owner, analyte = observations.panel, outcomes.analyte
        kind = outcomes.issue.astype(np.int64) * 8
        kind += np.where(outcomes.repeat, np.int64(4), np.int64(0))
        alone = np.bincount(owner[outcomes.repeat], minlength=cohort.size) > 0
        not_sent = self._core.layout.not_sent
        nothing = observations.value.ask(lambda cell: str(cell.value).strip().casefold() in not_sent, np.bool_)
        kind = np.where((kind == 0) & nothing, NO_RESULT, kind)
        keys: Sequence[CodeKey] = observations.code.texts
        number = self._interned.all(keys)[observations.code.numbers()]
        kind = np.where(analyte < 0, -1 - number, kind)
        if observations.withdrawn is not None:
            kind = np.where(observations.withdrawn, WITHDRAWN, kind)
        organisms = np.flatnonzero(np.isin(analyte, self._organism) & (kind != WITHDRAWN))
        if len(organisms):
            self._add_organisms(outcomes, organisms, kind)
        kind = np.where((kind == 0) & self._beyond_soft(outcomes)[analyte, owner], SPECIAL, kind)
        computed = ~np.isnan(outcomes.computed[self._ready]) & (cohort.leading[self._ready] >= 0)
        return kind, alone | computed.any(axis=0)

    def _add_organisms(self, outcomes: Outcomes, places: Ints, kind: Ints) -> None:
        """A positive test without its organism has an issue of its own."""
        observations, targets = outcomes.observations, outcomes.observations.target
        for place in places.tolist():
            cell = observations.value.at(place)
            word = " ".join(str(cell.value).split()).casefold()
            named = bool(targets is not None and (targets[place] or "").strip())
            if not named and word != "negative":
                kind[place] = -(1 << 40) - self._interned.of(("organism", word, int(kind[place])))

    def _beyond_soft(self, outcomes: Outcomes) -> Bools:
        """Per (statement, panel): the value lies at or beyond the range seen in published series."""
        layout, cohort = self._core.layout, outcomes.cohort
        found = np.zeros((len(layout.statements) + 1, cohort.size), np.bool_)
        for place, analyte in enumerate(layout.analyte_quantities):
            value, bounds = cohort.low[place], analyte.bounds
            exact = value == cohort.high[place]
            if bounds.soft_low is not None:
                under = value < bounds.soft_low.value
                found[place] |= exact & (under | ((value == bounds.soft_low.value) & (not bounds.soft_low.inclusive)))
            if bounds.soft_high is not None:
                over = value > bounds.soft_high.value
                found[place] |= exact & (over | ((value == bounds.soft_high.value) & (not bounds.soft_high.inclusive)))
        return found

    def _issue_keys(self, outcomes: Outcomes, kind: Ints, kinds: Kinds) -> list[bytes]:
        """Per panel: slot and kind of every result that has something to say, its pairs, what is known of its age."""
        layout, cohort, size = self._core.layout, outcomes.cohort, outcomes.cohort.size
        told = np.flatnonzero(kind)
        # A result beside the leading one has no remark of its own value.
        leads = cohort.leading[outcomes.analyte[told], outcomes.observations.panel[told]] == told
        rows = table([kinds.slots[told], kind[told], leads.astype(np.int64)], len(told))
        own = group_keys(outcomes.observations.panel[told], rows, size)
        about = [cohort.code[layout.coded[name]].astype(np.int64) for name in self._pair_words]
        about += [np.isnan(outcomes.computed[layout.quantity[name]]).astype(np.int64) for name in self._pairs]
        if "age_days" in layout.quantity:
            about.append(np.isnan(cohort.low[layout.quantity["age_days"]]).astype(np.int64))
        about.append(kinds.dates)
        return [one + two for one, two in zip(row_keys(table(about, size)), own, strict=True)]

    def bounds(self, outcomes: Outcomes, name: str, columns: Ints, panel: PanelAt) -> tuple[Ints, Floats]:
        """Number in COMPARATORS (-1 none) and value of a quantity of which only a bound is known, in these columns."""
        place, statement = self._core.layout.quantity[name], self._core.layout.statement[name]
        leading = outcomes.cohort.leading[statement, columns]
        signs = np.full(len(columns), -1, np.int64)
        for at, (column, row) in enumerate(zip(columns.tolist(), leading.tolist(), strict=True)):
            cell = outcomes.observations.value.at(row) if row >= 0 else None
            if cell is not None:
                if cell not in self._signs:
                    if len(self._signs) > MAX_REMEMBERED:
                        self._signs.clear()
                    bound = Row(self._core.parts, panel(column), outcomes, column).censored(name)
                    self._signs[cell] = bound[0] if bound else None
                sign = self._signs[cell]
                signs[at] = -1 if sign is None else SIGNS[sign]
        low, high = outcomes.cohort.low[place, columns], outcomes.cohort.high[place, columns]
        return signs, np.where(signs < 0, np.nan, np.where(signs >= SIGNS[">"], low, high))


class _Called:
    """What the list of critical results depends on, as numbers."""

    def __init__(self, core: Core) -> None:
        self._core = core
        layout, rules = core.layout, core.edition.critical
        names = list(dict.fromkeys(name for rule in rules for name in rule.analytes))
        self._rows = np.array([layout.statement[name] for name in names], np.int64)
        self._coded = [layout.coded[name] for name in names if name in layout.coded]
        # Several rules on one quantity, or one that keeps the flag: which of them hold is decided by their limits.
        self._limits = [
            (layout.quantity[name], float(rule.limit or 0.0))
            for rule in rules
            for name in rule.analytes
            if name in layout.quantity and (rule.flag is None or _several(core, name))
        ]
        self._days = sorted({edge.value for rule in rules for edge in (rule.age_from, rule.age_to)
                             if edge is not None and edge.unit == "d"})  # fmt: skip

    def table(self, outcomes: Outcomes) -> Ints:
        """One row per panel: equal rows have as many critical results (unless `alone`)."""
        cohort = outcomes.cohort
        found = [row.astype(np.int64) for row in outcomes.flag[self._rows]]
        found += [row.astype(np.int64) for row in outcomes.critical[self._rows]]
        found += [cohort.code[row].astype(np.int64) for row in self._coded]
        for place, limit in self._limits:
            value = cohort.low[place]
            opened = 0 if cohort.open_low is None else cohort.open_low[place].astype(np.int64)
            found.append(np.where(np.isnan(value), -9, np.sign(value - limit)).astype(np.int64) * 2 + opened)
        ages = age_columns(outcomes.subjects)
        for column in ages:
            for side in ("left", "right"):
                found.append(np.searchsorted(self._days, column, side=side))
        return table(found, cohort.size)

    def alone(self, outcomes: Outcomes) -> Bools:
        """Panels whose critical results depend on more: tests that were sent twice, bounds instead of values."""
        cohort = outcomes.cohort
        size, place = cohort.size, outcomes.observations.panel
        sent = outcomes.analyte >= 0
        cell = outcomes.analyte[sent] * size + place[sent]
        twice = np.bincount(cell % size, minlength=size) != np.bincount(np.unique(cell) % size, minlength=size)
        measured = self._rows[self._rows < self._core.layout.measured]
        bounded = (cohort.low[measured] < cohort.high[measured]) & np.isin(outcomes.flag[measured], CALLING)
        found: Bools = twice | bounded.any(axis=0)
        return found

    def may_call(self, outcomes: Outcomes, column: int) -> bool:
        """Whether the results must be listed to count the critical ones: a flag calls, or a test was sent twice."""
        if np.isin(outcomes.flag[:, column], CALLING).any():
            return True
        start, end = outcomes.observations.panel.searchsorted([column, column + 1])
        own = outcomes.analyte[start:end]
        return len(np.unique(own)) != len(own)


def _several(core: Core, name: str) -> bool:
    """Several critical rules are about one quantity."""
    return len({rule.rule for rule in core.edition.critical if name in rule.analytes and rule.flag is not None}) > 1


def _problem(issue: Issue, first: int, slots: Ints | None) -> Problem:
    number = issue.observation
    if number is None or slots is None:
        return Problem(issue.code, issue.severity, number)
    return Problem(issue.code, issue.severity, int(slots[first + number]))
