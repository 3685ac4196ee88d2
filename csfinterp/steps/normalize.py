"""Texts -> numbers, comparators, words and canonical units: one cell per analyte and panel, or the reason why not."""

from __future__ import annotations

import re
from math import inf, isfinite, nan
from typing import NamedTuple

import numpy as np

from csfinterp.model.cohort import Bools, Cell, Cohort, Floats, Ints, Normalized, Observations, Subjects
from csfinterp.model.context import ISSUE_CODES, UNIT_ISSUES
from csfinterp.steps.identify import Identifier
from csfinterp.steps.layout import BEST_CYTOLOGY, NOT_SENT, REASON, Layout, round9, span
from csfinterp.units import UnitReader

ISSUE = {word: number + 1 for number, word in enumerate(ISSUE_CODES)}
IN_DOUBT = [ISSUE[word] for word in UNIT_ISSUES]
LESS, LESS_EQUAL, GREATER, GREATER_EQUAL = 1, 2, 3, 4
COMPARATORS = {"<": LESS, "<=": LESS_EQUAL, "≤": LESS_EQUAL, ">": GREATER, ">=": GREATER_EQUAL, "≥": GREATER_EQUAL}
NUMBER = re.compile(
    r"\s*(?P<comparator><=|>=|<|>|≤|≥)?\s*"
    r"(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?)"
    r"(?P<thirds>\s*/\s*3(?:\s*(?:Zellen|cells))?(?:\s*/?\s*[uµμ][lL])?)?\s*"
)
THIRDS = "{thirds}/uL"
MAX_REMEMBERED = 200_000


class Number(NamedTuple):
    """A text read as a number; `code` 0 = read, else the number of an issue, -1 = no value was sent."""

    value: float
    comparator: int
    thirds: float
    code: int


NOTHING = Number(nan, 0, 0.0, -1)
UNREADABLE = Number(nan, 0, 0.0, ISSUE["value_unreadable"])


def read_number(cell: Cell, not_sent: frozenset[str]) -> Number:
    """One value as received -> number. ASCII digits with a point; never a comma, an underscore or other digits.

    `"<5"` may stand in the text or apart; both at once must agree. "12/3" is a chamber count in thirds.
    """
    if isinstance(cell.value, float):
        return Number(cell.value, COMPARATORS.get(cell.comparator or "", 0), 0.0, 0)
    if cell.value is None or cell.value.strip().casefold() in not_sent:
        return NOTHING
    match = NUMBER.fullmatch(cell.value)
    apart = COMPARATORS.get(cell.comparator.strip(), -1) if cell.comparator else 0
    if match is None or apart < 0:
        return UNREADABLE
    inside = COMPARATORS.get(match["comparator"] or "", 0)
    value = float(match["number"])
    if not isfinite(value) or (inside and apart and inside != apart):
        return UNREADABLE
    return Number(value, inside or apart, 1.0 if match["thirds"] else 0.0, 0)


class Normalizer:
    """Reads the observations of one edition. Public: `read`."""

    def __init__(self, layout: Layout, identifier: Identifier) -> None:
        self._layout, self._identifier = layout, identifier
        self._units = UnitReader(layout.edition.units)
        self._numbers: dict[Cell, Number] = {}
        self._factors: dict[tuple[int, str | None], tuple[float, float, int]] = {}
        self._words: dict[tuple[int, str | None], tuple[int, int]] = {}
        self._compile_bounds()

    def _compile_bounds(self) -> None:
        analytes = self._layout.analyte_quantities
        hard = [(found.bounds.hard_low, found.bounds.hard_high) for found in analytes]
        self._low = np.array([low.value if low else -inf for low, _ in hard])
        self._high = np.array([high.value if high else inf for _, high in hard])
        self._low_open = np.array([low is not None and not low.inclusive for low, _ in hard], np.bool_)
        self._high_open = np.array([high is not None and not high.inclusive for _, high in hard], np.bool_)
        self._count = np.array([self._units.code(THIRDS, found) is not None for found in analytes], np.bool_)

    def read(self, observations: Observations, subjects: Subjects) -> Normalized:
        """All observations of a cohort -> one cell per (quantity or coded input, panel)."""
        layout, size = self._layout, subjects.size
        analyte = self._identifier.rows(observations, size)
        issue = np.zeros(len(analyte), np.int64)
        cohort = self._empty(size, len(analyte))
        if observations.withdrawn is not None:
            analyte = np.where(observations.withdrawn, -1, analyte)
        quantity = (analyte >= 0) & (analyte < layout.measured)
        rows = np.flatnonzero(quantity)
        self._read_quantities(rows, analyte, observations, issue, cohort)
        self._read_words(np.flatnonzero(analyte >= len(layout.quantities)), analyte, observations, issue, cohort)
        self._context(subjects, cohort)
        if "unit_in_doubt" in layout.coded:
            cohort.code[layout.coded["unit_in_doubt"], observations.panel[np.isin(issue, IN_DOUBT)]] = 1
        return Normalized(analyte, issue, cohort.repeat, cohort)

    def _empty(self, size: int, observations: int) -> Cohort:
        layout = self._layout
        statements = len(layout.statements)
        low = np.full((len(layout.quantities), size), nan)
        return Cohort(
            low,
            low,
            None,
            None,
            np.full((len(layout.words), size), -1, np.int8),
            np.full((statements, size), NOT_SENT, np.int8),
            np.full((statements, size), -1, np.int64),
            np.zeros(observations, np.bool_),
        )

    # quantities -------------------------------------------------------------------------------------------------

    def _read_quantities(
        self, rows: Ints, analyte: Ints, observations: Observations, issue: Ints, cohort: Cohort
    ) -> None:
        if not len(rows):
            return
        own, panel = analyte[rows], observations.panel[rows]
        number = np.array([self._number(cell) for cell in observations.value.texts], np.float64)
        which = rows if observations.value.index is None else observations.value.index[rows]
        value, comparator, thirds, code = number[which].T
        factor, thirds_unit, unit_code = self._unit_factors(own, rows, observations)
        third = (thirds > 0) | (thirds_unit > 0)
        bad_thirds = (thirds > 0) & self._not_count(own, factor, thirds_unit, unit_code)
        unit_code = np.where((thirds > 0) & (unit_code == ISSUE["unit_missing"]), 0, unit_code)
        low = round9(np.where(third, value / 3, value) * np.where(unit_code == 0, np.where(third, 1.0, factor), nan))
        code = np.where((code == 0) & (unit_code > 0), unit_code, code)
        code = np.where((code == 0) & bad_thirds, ISSUE["value_unreadable"], code)
        code = np.where((code == 0) & self._outside(own, low, comparator), ISSUE["implausible"], code)
        found = np.flatnonzero(code != NOT_SENT)
        issue[rows] = np.where(code > 0, code, 0).astype(np.int64)
        good = code == 0
        low = np.where(good, low, nan)
        leading = self._lead(rows[found], own[found], panel[found], observations, issue, cohort)
        self._fill(rows, own, panel, low, comparator, leading, issue, cohort)

    def _fill(
        self,
        rows: Ints,
        own: Ints,
        panel: Ints,
        value: Floats,
        comparator: Floats,
        leading: Bools | None,
        issue: Ints,
        cohort: Cohort,
    ) -> None:
        """Writes the leading observation of each cell: value as an interval, reason, place."""
        take = cohort.leading[own, panel] == rows
        if leading is not None:
            take &= leading[rows]
        own, panel, value, comparator = own[take], panel[take], value[take], comparator[take]
        reasons = issue[rows[take]]
        cohort.reason[own, panel] = reasons.astype(np.int8)
        cohort.low[own, panel] = value
        if comparator.any():
            self._censor(own, panel, value, comparator, cohort)

    def _censor(self, own: Ints, panel: Ints, value: Floats, comparator: Floats, cohort: Cohort) -> None:
        """A value with < or > is the interval of all values it can be, never the number (safety law SL22)."""
        below = (comparator == LESS) | (comparator == LESS_EQUAL)
        above = comparator >= GREATER
        usable = np.isfinite(value)
        cohort.high = cohort.low.copy()
        cohort.open_low = np.zeros(cohort.low.shape, np.bool_)
        cohort.open_high = np.zeros(cohort.low.shape, np.bool_)
        cohort.low[own, panel] = np.where(below & usable, self._low[own], value)
        cohort.high[own, panel] = np.where(above & usable, self._high[own], value)
        cohort.open_low[own, panel] = np.where(below, self._low_open[own], comparator == GREATER)
        cohort.open_high[own, panel] = np.where(above, self._high_open[own], comparator == LESS)

    def _lead(
        self, rows: Ints, own: Ints, panel: Ints, observations: Observations, issue: Ints, cohort: Cohort
    ) -> Bools | None:
        """Chooses the observation that fills each cell;
        a repeat without a rule is `duplicate_result`, none is judged."""
        cohort.leading[own, panel] = rows
        twice = np.flatnonzero(cohort.leading[own, panel] != rows)
        if not len(twice):
            return None
        allowed = np.ones(len(observations.panel), np.bool_)
        for statement, column in {(int(own[place]), int(panel[place])) for place in twice}:
            group = [int(row) for row in rows[(own == statement) & (panel == column)]]
            self._settle(statement, column, group, observations, issue, allowed, cohort)
        return allowed

    def _settle(
        self,
        statement: int,
        column: int,
        group: list[int],
        observations: Observations,
        issue: Ints,
        allowed: Bools,
        cohort: Cohort,
    ) -> None:
        entry = self._layout.entry(self._layout.statements[statement])
        identities = {row: self._identifier.identity(observations.code.at(row)) for row in group}
        if len({found.surrogate for found in identities.values()}) > 1:
            group = [row for row in group if not identities[row].surrogate]
        tubes = {row: tube_of(row, observations, identities[row].tube) for row in group}
        by_tube = getattr(entry, "repeats", "none") == "tube" and None not in tubes.values()
        if len(group) == 1 or (by_tube and len(set(tubes.values())) == len(tubes)):
            readable = [row for row in group if not issue[row]] or group
            lead = max(readable, key=lambda row: tubes[row] or 0)
            cohort.leading[statement, column] = lead
            for row in group:
                value, comparator = self.value(observations, row, statement) if row != lead else (None, None)
                if value is not None:
                    cohort.other_tubes.append((statement, column, *span(value, comparator)))
            return
        for row in group:
            issue[row] = issue[row] or ISSUE["duplicate_result"]
            allowed[row] = False
            cohort.repeat[row] = True
        cohort.leading[statement, column] = group[0]
        cohort.reason[statement, column] = REASON["duplicate_result"]
        for row in group:
            value, comparator = self.value(observations, row, statement)
            if value is not None:
                cohort.repeated.append((statement, column, *span(value, comparator)))

    def _number(self, cell: Cell) -> Number:
        found = self._numbers.get(cell)
        if found is None:
            if len(self._numbers) >= MAX_REMEMBERED:
                self._numbers.clear()
            found = self._numbers[cell] = read_number(cell, self._layout.not_sent)
        return found

    def _unit_factors(self, own: Ints, rows: Ints, observations: Observations) -> tuple[Floats, Floats, Ints]:
        """Per row: factor to the canonical unit, 1 where the unit itself says thirds,
        and the issue number (0 = converts)."""
        texts = observations.unit.texts
        which = rows if observations.unit.index is None else observations.unit.index[rows]
        pair = own * len(texts) + which
        distinct = np.zeros(self._layout.measured * len(texts), np.bool_)
        distinct[pair] = True
        used = np.flatnonzero(distinct)
        table = np.zeros((len(distinct), 3))
        table[used] = [self._factor(int(place) // len(texts), texts[int(place) % len(texts)]) for place in used]
        found = table[pair]
        return found[:, 0], found[:, 1], found[:, 2].astype(np.int64)

    def _factor(self, row: int, text: str | None) -> tuple[float, float, int]:
        key = (row, text)
        found = self._factors.get(key)
        if found is None:
            if len(self._factors) >= MAX_REMEMBERED:
                self._factors.clear()
            found = self._factors[key] = self._read_unit(row, text)
        return found

    def value(self, observations: Observations, row: int, quantity: int) -> tuple[float | None, str | None]:
        """One observation that does not fill its cell: canonical value and comparator, as far as it can be read."""
        number, (factor, thirds, code) = (
            self._number(observations.value.at(row)),
            self._factor(quantity, observations.unit.at(row)),
        )
        missing = code == ISSUE["unit_missing"] and bool(number.thirds)
        if number.code != 0 or (code != 0 and not missing) or (number.thirds and not self._count[quantity]):
            return None, None
        sign = ("", "<", "<=", ">", ">=")[number.comparator]
        value = number.value / 3 if thirds or number.thirds else number.value * factor
        return float(round9(np.array([value]))[0]), sign or None

    def _read_unit(self, row: int, text: str | None) -> tuple[float, float, int]:
        analyte = self._layout.analyte_quantities[row]
        explicit = analyte.unit_required_explicit
        if text is None or not text.strip():
            return (nan, 0.0, ISSUE["quotient_scale_unknown" if explicit else "unit_missing"])
        if explicit and text.strip() == "{ratio}":
            return (nan, 0.0, ISSUE["quotient_scale_unknown"])
        code = self._units.code(text, analyte)
        if code is None:
            return (nan, 0.0, ISSUE["unit_unknown"])
        return (self._units.factor(code, analyte), 1.0 if code == THIRDS else 0.0, 0)

    def _not_count(self, own: Ints, factor: Floats, thirds_unit: Floats, unit_code: Ints) -> Bools:
        """Thirds are a chamber count per uL: any other unit or analyte contradicts the form."""
        other_unit = (unit_code == 0) & (thirds_unit == 0) & (factor != 1.0)
        contradicts: Bools = ~self._count[own] | other_unit | (unit_code == ISSUE["unit_unknown"])
        return contradicts

    def _outside(self, own: Ints, value: Floats, comparator: Floats) -> Bools:
        """True where no possible value lies inside the hard bounds."""
        low, high = self._low[own], self._high[own]
        at_low, at_high = value == low, value == high
        under = (value < low) | (at_low & (self._low_open[own] | (comparator == LESS)))
        over = (value > high) | (at_high & (self._high_open[own] | (comparator == GREATER)))
        upward = comparator >= GREATER
        downward = (comparator == LESS) | (comparator == LESS_EQUAL)
        outside: Bools = np.where(upward, over, np.where(downward, under, under | over))
        return outside

    # coded results ----------------------------------------------------------------------------------------------

    def _read_words(self, rows: Ints, analyte: Ints, observations: Observations, issue: Ints, cohort: Cohort) -> None:
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
        """One word per cell: the weightiest of distinct targets;
        a repeat of the same target is judged only if positive."""
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

    # context ----------------------------------------------------------------------------------------------------

    def _context(self, subjects: Subjects, cohort: Cohort) -> None:
        layout = self._layout
        first = len(layout.coded_analytes) + (BEST_CYTOLOGY in layout.coded)
        cohort.code[first:] = 0
        for name, column in subjects.words.items():
            cohort.code[layout.coded[name]] = column
        for name, numbers in subjects.numbers.items():
            if name in layout.quantity:
                cohort.low[layout.quantity[name]] = numbers
                if cohort.high is not cohort.low:
                    cohort.high[layout.quantity[name]] = numbers
        self._best_cytology(cohort)
        if "csf_leukocytes" in layout.quantity:  # sent, usable or not: no other count stands in (ER10)
            row = layout.statement["csf_leukocytes"]
            word = np.where(cohort.reason[row] > 0, 2, cohort.leading[row] >= 0)
            cohort.code[layout.coded["leukocytes_sent"]] = word

    def _best_cytology(self, cohort: Cohort) -> None:
        """Best of this panel and the history it carries: a later negative never undoes an earlier positive (SL11)."""
        layout = self._layout
        if BEST_CYTOLOGY not in layout.coded:
            return
        own, earlier = cohort.code[layout.coded["csf_cytology"]], cohort.code[layout.coded[BEST_CYTOLOGY]]
        worst = np.int8(len(layout.words[BEST_CYTOLOGY]))
        best = np.minimum(np.where(own < 0, worst, own), np.where(earlier < 0, worst, earlier))
        cohort.code[layout.coded[BEST_CYTOLOGY]] = np.where(best == worst, np.int8(-1), best)


def tube_of(row: int, observations: Observations, implied: int | None) -> float | None:
    """Tube number sent with the result, else the one that its code names, else None."""
    sent = observations.tube[row] if observations.tube is not None else nan
    return float(sent) if sent == sent else implied
