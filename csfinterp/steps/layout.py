"""Where everything stands: ids of one edition -> row numbers of the arrays. Shared by all steps, changes nothing."""

from __future__ import annotations

from math import inf, nextafter

import numpy as np

from csfinterp.model.cohort import Floats
from csfinterp.model.context import CODED_INPUTS, FLAGS, ISSUE_CODES, NOT_JUDGED, NUMBER_CONTEXT, UNKNOWN_WORDS
from csfinterp.model.edition import Analyte, Derived, Edition, ReferenceInterval
from csfinterp.units import ROUNDED_BELOW

BEST_CYTOLOGY = "csf_cytology_best"
NOT_SENT = -1
ISSUE = {word: number + 1 for number, word in enumerate(ISSUE_CODES)}
REASON = {word: number + 1 for number, word in enumerate(NOT_JUDGED)}
FLAG = {None: 0} | {word: number + 1 for number, word in enumerate(FLAGS)}
FLAG_WORDS = (None, *FLAGS)
GRADES = ("not_evaluable", "does_not_fit", "partly_fits", "fits", "established")
REASON_WORDS = (None, *NOT_JUDGED)


def round9(values: Floats) -> Floats:
    """Rounded once to 9 decimals (half to even), the arithmetic of units.round9; shape kept."""
    with np.errstate(over="ignore"):
        rounded: Floats = np.where(np.abs(values) < ROUNDED_BELOW, np.rint(values * 1e9) / 1e9, values)
    return rounded


def span(value: float, comparator: str | None) -> tuple[float, float]:
    """Lowest and highest value that a number with "<", "<=", ">" or ">=" can be; an open end lies one step inside."""
    if comparator in ("<", "<="):
        return -inf, nextafter(value, -inf) if comparator == "<" else value
    if comparator in (">", ">="):
        return nextafter(value, inf) if comparator == ">" else value, inf
    return value, value


class Layout:
    """Row numbers of one edition.

    `quantity`: id -> row of the value arrays (analytes, then derived and helper quantities, then numeric context).
    `coded`: id -> row of the word array (coded analytes, best cytology, context). `statement`: id -> row of the flag
    and reason arrays (all quantities, then the coded analytes).
    """

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self.analyte_quantities = [analyte for analyte in edition.analytes if analyte.kind == "quantity"]
        self.coded_analytes = [analyte for analyte in edition.analytes if analyte.kind == "coded"]
        names = [analyte.id for analyte in self.analyte_quantities]
        names += [derived.id for derived in edition.derived if derived.id not in edition.analyte]
        names += [name for name in NUMBER_CONTEXT if name not in names]
        self.quantity = {name: row for row, name in enumerate(names)}
        self.quantities = tuple(names)
        self.not_sent = frozenset({"", *(word.casefold() for word in edition.not_sent_words)})
        self.measured = len(self.analyte_quantities)
        self.words = self._coded_words(edition)
        self.coded = {name: row for row, name in enumerate(self.words)}
        self.statement = self.quantity | {
            analyte.id: len(names) + row for row, analyte in enumerate(self.coded_analytes)
        }
        self.statements = (*names, *(analyte.id for analyte in self.coded_analytes))
        self.unknown_words = UNKNOWN_WORDS | {
            analyte.id: tuple(value.word for value in analyte.values if value.unknown)
            for analyte in self.coded_analytes
        }
        if BEST_CYTOLOGY in self.words:
            self.unknown_words[BEST_CYTOLOGY] = self.unknown_words["csf_cytology"]

    def _coded_words(self, edition: Edition) -> dict[str, tuple[str, ...]]:
        words = {analyte.id: tuple(value.word for value in analyte.values) for analyte in self.coded_analytes}
        if "csf_cytology" in words:
            words[BEST_CYTOLOGY] = words["csf_cytology"]
        return words | CODED_INPUTS

    def unit(self, name: str) -> str | None:
        """Canonical unit of a quantity; None for numeric context without an entry."""
        entry = self.entry(name)
        return entry.unit if entry is not None else None

    def entry(self, name: str) -> Analyte | Derived | None:
        """The analyte or derived quantity behind an id."""
        return self.edition.analyte.get(name) or self.edition.derived_by_id.get(name)

    def intervals(self, name: str) -> tuple[ReferenceInterval, ...]:
        """Interval rows of a quantity; rows with a context condition last, so that they win."""
        entry = self.entry(name)
        rows = entry.intervals if entry is not None else ()
        return tuple(sorted(rows, key=lambda row: row.when is not None))
