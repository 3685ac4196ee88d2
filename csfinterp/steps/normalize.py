"""Observations and subjects -> one cell per analyte or context input and panel, or the reason why it is empty.

Quantities are read by quantities.py, coded results by words.py; context is taken over here.
"""

from __future__ import annotations

from math import nan

import numpy as np

from csfinterp.model.cohort import Cohort, Normalized, Observations, Subjects
from csfinterp.model.context import ISSUE_CODES, UNIT_ISSUES
from csfinterp.steps.identify import Identifier
from csfinterp.steps.layout import BEST_CYTOLOGY, NOT_SENT, Layout
from csfinterp.steps.quantities import QuantityReader
from csfinterp.steps.words import WordReader

IN_DOUBT = np.array([False, *(word in UNIT_ISSUES for word in ISSUE_CODES)])  # by number of the issue


class Normalizer:
    """Reads the observations of one edition."""

    def __init__(self, layout: Layout, identifier: Identifier) -> None:
        self._layout, self._identifier = layout, identifier
        self._quantities = QuantityReader(layout, identifier)
        self._words = WordReader(layout)

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
        self._quantities.read(rows, analyte, observations, issue, cohort)
        coded = np.flatnonzero(analyte >= len(layout.quantities))
        self._words.read(coded, analyte, observations, issue, cohort)
        self._context(subjects, cohort)
        if "unit_in_doubt" in layout.coded:
            cohort.code[layout.coded["unit_in_doubt"], observations.panel[IN_DOUBT[issue]]] = 1
        return Normalized(analyte, issue, cohort.repeat, cohort)

    def value(self, observations: Observations, row: int, quantity: int) -> tuple[float | None, str | None]:
        """One observation that does not fill its cell: canonical value and comparator, as far as it can be read."""
        return self._quantities.value(observations, row, quantity)

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
