"""Calculated quantities of a cohort: the formulas of an edition run level by level, then the facts that rest on them.

Only exact values enter: a result with "<" is not the number (safety law SL22). Rounding happens once, to 9 decimals,
after the last formula. The arithmetic stands in formulas.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csfinterp.model.cohort import Bytes, Cohort, Floats, Ints, Subjects
from csfinterp.model.edition import Derived
from csfinterp.steps.formulas import FUNCTIONS, GIVEN, NAN, Constants, Formula
from csfinterp.steps.layout import Layout, round9

# Word numbers of pair_same_day (unknown, yes, no, assumed) and pair_method_differs (unknown, yes, no) by weight.
DAYS = np.array([0, 1, 3, 2], np.int8)
METHODS = np.array([0, 2, 1], np.int8)
# Word numbers of dominant_ig: unknown, none, igg, iga, igm, three_class.
DOMINANCE, THREE_CLASS = ("igg_intrathecal_pct", "iga_intrathecal_pct", "igm_intrathecal_pct"), 5


@dataclass(frozen=True)
class _Group:
    """Derived quantities that one call of one function makes."""

    function: Formula
    rows: Ints
    inputs: tuple[Ints, ...]
    constants: Constants


class Deriver:
    """The formulas of one edition, grouped so that each function runs once per level."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._limits = [
            (layout.quantity[entry.id], layout.quantity[entry.inputs[0]], bool(entry.intervals))
            for entry in layout.edition.derived
            if entry.function in ("reference_high", "advisory_limit")
        ]
        self._sums = [
            (layout.quantity[entry.id], np.array([layout.quantity[name] for name in entry.inputs], np.int64))
            for entry in layout.edition.derived
            if entry.function == "differential_sum"
        ]
        rules = layout.edition.site_rules
        self._site_limits = [
            (layout.quantity[entry.id], rules.assay_limits[entry.inputs[0]])
            for entry in layout.edition.derived
            if entry.function == "site_limit" and rules is not None and entry.inputs[0] in rules.assay_limits
        ]
        self._dominance = [layout.quantity[name] for name in DOMINANCE if name in layout.quantity]
        self._pairs = {
            entry.id: (layout.quantity[entry.id], entry.pair == "glucose")
            for entry in layout.edition.derived
            if entry.function == "pair_quotient"
        }
        self._groups = [self._group(entries) for entries in self._levels()]

    def _levels(self) -> list[list[Derived]]:
        level: dict[str, int] = {}
        groups: dict[tuple[int, str, int], list[Derived]] = {}
        for entry in self._layout.edition.derived:
            if entry.function in GIVEN:
                continue
            level[entry.id] = 1 + max((level.get(name, 0) for name in entry.inputs), default=0)
            groups.setdefault((level[entry.id], entry.function, len(entry.inputs)), []).append(entry)
        return [groups[key] for key in sorted(groups, key=lambda key: key[0])]

    def _group(self, entries: list[Derived]) -> _Group:
        quantity = self._layout.quantity
        names = entries[0].constants
        return _Group(
            FUNCTIONS[entries[0].function],
            np.array([quantity[entry.id] for entry in entries], np.int64),
            tuple(
                np.array([quantity[entry.inputs[place]] for entry in entries], np.int64)
                for place in range(len(entries[0].inputs))
            ),
            {name: np.array([[entry.constants[name]] for entry in entries]) for name in names},
        )

    def add(self, subjects: Subjects, cohort: Cohort, limits_high: Floats) -> Floats:
        """Writes all derived quantities into the cohort (rounded). Returns what was computed, NaN elsewhere, all rows.

        A quotient sent ready-made stays only where its pair is missing.
        """
        self._add_ages(subjects, cohort)
        exact = cohort.low if cohort.high is cohort.low else np.where(cohort.low == cohort.high, cohort.low, NAN)
        raw = exact.copy()
        computed = np.full(raw.shape, NAN)
        for row, source, own_table in self._limits:
            limit = limits_high[source]
            if own_table:  # an advisory table of its own; outside it the limit of the row in force
                limit = np.where(np.isnan(limits_high[row]), limit, limits_high[row])
            raw[row] = computed[row] = limit
        with np.errstate(divide="ignore", invalid="ignore"):
            for group in self._groups:
                value = group.function([raw[rows] for rows in group.inputs], group.constants)
                value = np.where(np.isfinite(value), value, NAN)
                computed[group.rows] = value
                raw[group.rows] = np.where(np.isnan(value), raw[group.rows], value)
        computed = round9(computed)
        self._write(cohort, computed)
        self._add_sums(cohort)
        for row, limit in self._site_limits:
            cohort.low[row] = cohort.high[row] = limit
        self._settle_pairs(subjects, cohort, computed)
        self._settle_facts(cohort)
        return computed

    @staticmethod
    def _write(cohort: Cohort, computed: Floats) -> None:
        found = ~np.isnan(computed)
        np.copyto(cohort.low, computed, where=found)
        if cohort.high is not cohort.low:
            np.copyto(cohort.high, computed, where=found)
        if cohort.open_low is not None and cohort.open_high is not None:
            cohort.open_low &= ~found
            cohort.open_high &= ~found

    def _add_sums(self, cohort: Cohort) -> None:
        """Sums of the classes that were sent; a censored class makes the sum an interval."""
        for row, inputs in self._sums:
            nothing = np.isnan(cohort.low[inputs]).all(axis=0)
            low = np.where(nothing, NAN, round9(np.nansum(cohort.low[inputs], axis=0)))
            if cohort.high is not cohort.low:
                cohort.high[row] = np.where(nothing, NAN, round9(np.nansum(cohort.high[inputs], axis=0)))
            cohort.low[row] = low
            if cohort.open_low is not None and cohort.open_high is not None:
                cohort.open_low[row] = cohort.open_low[inputs].any(axis=0)
                cohort.open_high[row] = cohort.open_high[inputs].any(axis=0)

    def _settle_facts(self, cohort: Cohort) -> None:
        """Stated facts that need a value of this sample too: first tumor cells (a repeat counts, SL41), variants."""
        layout = self._layout
        if "csf_cytology" in layout.coded and "csf_blasts_pct" in layout.quantity:
            place, blasts = layout.coded["csf_cytology"], layout.quantity["csf_blasts_pct"]
            positive = layout.words["csf_cytology"].index("positive")
            found = (cohort.code[place] == positive) | (cohort.low[blasts] > 0)
            if cohort.open_low is not None:
                found |= (cohort.low[blasts] == 0) & cohort.open_low[blasts]
            for row, column, low, _ in cohort.repeated:
                found[column] |= row == blasts and low > 0
            for row, column, word in cohort.repeated_words:
                found[column] |= row == layout.statement["csf_cytology"] and word == positive
            first = layout.coded["first_tumor_cells"]
            cohort.code[first] = np.where(found, cohort.code[first], layout.words["first_tumor_cells"].index("no"))
        if "csf_ctdna" in layout.coded:
            detected = cohort.code[layout.coded["csf_ctdna"]] == layout.words["csf_ctdna"].index("detected")
            variant = layout.coded["variant_myd88_l265p"]
            no = layout.words["variant_myd88_l265p"].index("no") if "no" in layout.words["variant_myd88_l265p"] else -1
            cohort.code[variant] = np.where(detected, cohort.code[variant], no)

    def dominant_class(self, cohort: Cohort, low: Floats) -> None:
        """Which class leads the intrathecal synthesis (B5), by the values that rules may read;
        unknown unless all three classes were measured and none is withheld."""
        if len(self._dominance) < len(DOMINANCE):
            return
        share = low[self._dominance]
        measured = ~np.isnan(share).any(axis=0)
        known = np.where(measured, share, 0.0)
        word = np.where(
            (known > 0).all(axis=0), THREE_CLASS, np.where(known.max(axis=0) > 0, known.argmax(axis=0) + 2, 1)
        )
        row = self._layout.coded["dominant_ig"]
        cohort.code[row] = np.where(measured, word, cohort.code[row]).astype(np.int8)

    def _settle_pairs(self, subjects: Subjects, cohort: Cohort, computed: Floats) -> None:
        """Day and method of the serum pairs, over the quotients that could be computed: the worst word counts."""
        sent = [(self._pairs[name], pair) for name, pair in subjects.pairs.items()]
        for glucose, target in ((True, "serum_glucose_same_day"), (False, "pair_same_day")):
            self._worst(
                [(row, pair.day) for (row, own), pair in sent if own == glucose], target, DAYS, cohort, computed
            )
        methods = [(row, pair.differs) for (row, glucose), pair in sent if not glucose]
        self._worst(methods, "pair_method_differs", METHODS, cohort, computed)

    def _worst(
        self, pairs: list[tuple[int, Bytes]], target: str, weights: Bytes, cohort: Cohort, computed: Floats
    ) -> None:
        """`pairs`: row of the quotient, word numbers. `weights` of the words; it is its own inverse."""
        if pairs:
            row = self._layout.coded[target]
            made = ~np.isnan(computed[[quotient for quotient, _ in pairs]])
            worst = np.where(made, weights[np.array([words for _, words in pairs])], 0).max(axis=0)
            cohort.code[row] = weights[np.maximum(worst, weights[cohort.code[row]])]

    def _add_ages(self, subjects: Subjects, cohort: Cohort) -> None:
        """Ages as closed intervals of completed days and years; an age sent as a number is a span (S3)."""
        days = (np.ceil(subjects.days_low), np.ceil(subjects.days_high) - 1)
        years = (subjects.years_low, subjects.years_high)
        rows = self._layout.quantity
        spans = [(rows[name], span) for name, span in (("age_days", days), ("age_years", years)) if name in rows]
        if cohort.high is cohort.low and any((high > low).any() for _, (low, high) in spans):
            cohort.high = cohort.low.copy()
        for row, (low, high) in spans:
            cohort.low[row] = low
            if cohort.high is not cohort.low:
                cohort.high[row] = high
