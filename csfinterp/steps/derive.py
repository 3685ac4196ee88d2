"""Calculated quantities: quotients, indices, Reiber limits, intrathecal fractions, corrected counts, helpers for rules.

Every function takes arrays of shape (k, panels), one row per quantity that it makes, and constants of shape (k, 1) from
derived.yaml; it returns shape (k, panels), NaN where it is not defined. Only exact values enter: a result with "<" is
not the number (safety law SL22). Rounding happens once, to 9 decimals, after the last formula.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from csfinterp.model.cohort import Cohort, Floats, Ints, Subjects
from csfinterp.model.edition import Derived
from csfinterp.steps.layout import Layout, round9

Constants = Mapping[str, Floats]
# Word numbers of pair_same_day (unknown, yes, no, assumed) and pair_method_differs (unknown, yes, no) by weight.
WORST_DAY = np.array([0, 1, 3, 2], np.int8)
WORST_METHOD = np.array([0, 2, 1], np.int8)
# Word numbers of dominant_ig: unknown, none, igg, iga, igm, three_class.
DOMINANCE, THREE_CLASS = ("igg_intrathecal_pct", "iga_intrathecal_pct", "igm_intrathecal_pct"), 5
NAN = float("nan")


def pair_quotient(inputs: list[Floats], constant: Constants) -> Floats:
    """CSF over serum, in the derived quantity's unit: (mg/L)/(g/L) = 1e-3.
    Source: barrier_and_intrathecal.md section 1."""
    csf, serum = inputs
    return csf / serum * constant["scale"]


def index(inputs: list[Floats], constant: Constants) -> Floats:
    """Quotient over albumin quotient, both 1e-3: IgG index, kappa index [1]. [loinc_14117], [schmidauer2025]."""
    quotient, albumin = inputs
    return quotient / albumin


def hyperbola(inputs: list[Floats], constant: Constants) -> Floats:
    """Reiber curve (a/b) sqrt(QAlb^2 + b^2) - c, 1e-3. [reiber_felgenhauer1987] form; constants of derived.yaml."""
    (albumin,) = inputs
    return constant["a_over_b"] * np.sqrt(albumin * albumin + constant["b_squared"]) - constant["c"]


def intrathecal_pct(inputs: list[Floats], constant: Constants) -> Floats:
    """Share made in the CSF space [%]: (1 - limit / quotient) x 100 above the limit, else 0. [code_reiber1]."""
    quotient, limit = inputs
    return _above(quotient, limit, (1 - limit / quotient) * 100)


def local_synthesis(inputs: list[Floats], constant: Constants) -> Floats:
    """Locally made concentration [mg/L]: (quotient - limit) [1e-3] x serum [g/L] above the limit, else 0."""
    quotient, limit, serum = inputs
    return _above(quotient, limit, (quotient - limit) * serum)


def _above(quotient: Floats, limit: Floats, value: Floats) -> Floats:
    """`value` where the quotient exceeds the limit, both compared as they are printed (9 decimals); else 0."""
    found: Floats = np.where(round9(quotient) > round9(limit), value, 0.0)
    return np.where(np.isnan(quotient) | np.isnan(limit), NAN, found)


def leukocytes_corrected(inputs: list[Floats], constant: Constants) -> Floats:
    """CSF leukocytes [/uL] less those that came with the blood; never below 0; measured value and flag stay (SL24).

    With blood counts WBC_csf - WBC_blood x RBC_csf / RBC_blood (TW1), else RBC_csf / ratio (TW2); only between the two
    erythrocyte counts of the edition. Source: preanalytics_and_blood.md 4.2.
    """
    csf, erythrocytes, blood, blood_erythrocytes = inputs
    by_blood = csf - blood * erythrocytes / blood_erythrocytes
    estimate = np.where(np.isnan(by_blood), csf - erythrocytes / constant["ratio"], by_blood)
    return _contaminated(erythrocytes, np.maximum(estimate, 0.0), constant)


def protein_corrected(inputs: list[Floats], constant: Constants) -> Floats:
    """CSF protein [mg/L] less `per_1000` mg/L per 1000 erythrocytes /uL; never below 0.
    [nigrovic2011], [lyons2017p]."""
    protein, erythrocytes = inputs
    return _contaminated(erythrocytes, np.maximum(protein - constant["per_1000"] * erythrocytes / 1000, 0.0), constant)


def _contaminated(erythrocytes: Floats, value: Floats, constant: Constants) -> Floats:
    inside = (erythrocytes >= constant["from_erythrocytes"]) & (erythrocytes <= constant["to_erythrocytes"])
    return np.where(inside, value, NAN)


def product_pct(inputs: list[Floats], constant: Constants) -> Floats:
    """Count times percentage / 100."""
    count, percent = inputs
    return count * percent / 100


def absolute_difference(inputs: list[Floats], constant: Constants) -> Floats:
    """Distance of two quantities of one unit."""
    first, second = inputs
    return np.abs(first - second)


def relative_difference_pct(inputs: list[Floats], constant: Constants) -> Floats:
    """Distance in percent of the second; 100 where only the second is 0."""
    first, second = inputs
    return np.where(second == 0, np.where(first == 0, 0.0, 100.0), np.abs(first - second) / second * 100)


def igg_synthesis_rate(
    igg: tuple[float, float],
    albumin: tuple[float, float],
    *,
    igg_leak: float,
    albumin_leak: float,
    share: float,
    daily: float,
) -> float:
    """IgG synthesis rate [mg/d] from (CSF, serum) in mg/dL; a function with tests, without an id and without output.

    daily x ((IgGc - IgGs/igg_leak) - (Albc - Albs/albumin_leak) x share x IgGs/Albs). [clinlabnav], [medalg].
    """
    excess = albumin[0] - albumin[1] / albumin_leak
    return daily * ((igg[0] - igg[1] / igg_leak) - excess * share * (igg[1] / albumin[1]))


def antibody_index(specific: float, total: float, limit: float) -> float:
    """Specific quotient over the total one, or over the limit where that is smaller; without an id. [serion]."""
    return specific / min(total, limit)


def double_ratio(inputs: list[Floats], constant: Constants) -> Floats:
    """(first / second) / (third / fourth): Steinherz-Bleyer ratio of leukocytes to erythrocytes, CSF over blood."""
    first, second, third, fourth = inputs
    return (first / second) / (third / fourth)


def cea_index(inputs: list[Floats], constant: Constants) -> Floats:
    """CSF/serum CEA quotient over the albumin quotient [1]; TM3 of lm_evidence.md section 11."""
    csf, serum, albumin = inputs
    return constant["scale"] * csf / serum / albumin


FUNCTIONS: dict[str, Callable[[list[Floats], Constants], Floats]] = {
    function.__name__: function
    for function in (
        pair_quotient,
        index,
        hyperbola,
        intrathecal_pct,
        local_synthesis,
        leukocytes_corrected,
        protein_corrected,
        product_pct,
        absolute_difference,
        relative_difference_pct,
        double_ratio,
        cea_index,
    )
}
# Filled from elsewhere: ages and times by columns.py, limits by partition.py, counts of flags by flag.py.
GIVEN = (
    "age_days",
    "age_years",
    "from_panel",
    "pair_gap",
    "reference_high",
    "advisory_limit",
    "count_flags",
    "differential_sum",
    "time_to_analysis",
    "platform_limit",
    "site_limit",
)


@dataclass(frozen=True)
class _Group:
    """Derived quantities that one call of one function makes."""

    function: Callable[[list[Floats], Constants], Floats]
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
        coded = self._layout.coded
        for name, pair in subjects.pairs.items():
            made = ~np.isnan(computed[self._layout.quantity[name]])
            entry = self._layout.edition.derived_by_id[name]
            row = coded["serum_glucose_same_day" if entry.pair == "glucose" else "pair_same_day"]
            worse = made & (WORST_DAY[pair.day] > WORST_DAY[cohort.code[row]])
            cohort.code[row] = np.where(worse, pair.day, cohort.code[row])
            if entry.pair != "glucose":
                differs = coded["pair_method_differs"]
                worse = made & (WORST_METHOD[pair.differs] > WORST_METHOD[cohort.code[differs]])
                cohort.code[differs] = np.where(worse, pair.differs, cohort.code[differs])

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
