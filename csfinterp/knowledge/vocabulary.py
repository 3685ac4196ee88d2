"""What the words of an edition may refer to: quantities with their units, coded inputs, limits, statements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from csfinterp.errors import CsfinterpError, EditionError
from csfinterp.model.context import CODED_INPUTS, NUMBER_CONTEXT
from csfinterp.model.edition import AgeEdge, DecisionLimit, UnitTable
from csfinterp.model.predicate import Predicate
from csfinterp.units import round9, to_canonical

_NUMBER_WITH_UNIT = re.compile(r"(-?\d+(?:\.\d+)?) (\S+)\Z", re.ASCII)
_EDGE = re.compile(r"(0|[1-9]\d*) (d|a)\Z", re.ASCII)
_DAYS_IN_SHORTEST_YEAR = 365
# The contract names the unit of a number of the context in its id; the others are plain counts and points.
_UNIT_OF_SUFFIX = {"_ml": "mL", "_min": "min", "_days": "d", "_onset": "d", "_pct": "%"}
BEST_CYTOLOGY = "csf_cytology_best"
# Grades of a pattern in order; not_evaluable is none of them.
GRADES = ("does_not_fit", "partly_fits", "fits", "established")
NOT_EVALUABLE = "not_evaluable"

# Kinds of statements, and which of them a rule may name with `holds`: only what is decided earlier or with it.
KIND_NAMES = {
    "quality": "quality rule",
    "finding": "finding",
    "item": "pattern item",
    "grade": "grade of a pattern",
    "answer": "answer of an evidence table",
    "caution": "caution",
    "statement": "statement",
    "recommendation": "recommendation",
}
NOTHING: frozenset[str] = frozenset()
QUALITY_FIRST = frozenset(("quality",))
FIRST_PROGRAM = frozenset((*QUALITY_FIRST, "finding", "item"))
SECOND_PROGRAM = frozenset(KIND_NAMES)


@dataclass(frozen=True)
class Measure:
    """How a quantity is counted: its canonical UCUM code and, where molar units are accepted, its molar mass."""

    unit: str
    molar_mass: Fraction | None = None


@dataclass(frozen=True)
class Vocabulary:
    """`statements`: id -> kind of everything that has a truth; `within`: the kinds that `holds` may name here.

    `graded`: pattern or evidence table -> words that `at_least` may name. `limits` by DL- id; `broken_limits` are
    written down but could not be read; what refers to them is no slip of its own. `parsed`: the predicates read so
    far, so that equal ones are one object.
    """

    units: UnitTable
    quantities: Mapping[str, Measure]
    coded: Mapping[str, tuple[str, ...]]
    statements: Mapping[str, str] = field(default_factory=dict)
    graded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    within: frozenset[str] = NOTHING
    limits: Mapping[str, DecisionLimit] = field(default_factory=dict)
    broken_limits: frozenset[str] = frozenset()
    grade_scales: frozenset[str] = frozenset()
    parsed: dict[Predicate, Predicate] = field(default_factory=dict)

    def measure(self, quantity: str, file: str, line: int | None) -> Measure:
        """The unit of `quantity`; EditionError if the edition does not know it."""
        found = self.quantities.get(quantity)
        if found is None:
            hint = " (it is coded, not a quantity: use `is`)" if quantity in self.coded else ""
            raise EditionError(f"unknown quantity {quantity!r}{hint}", file, line)
        return found

    def number(self, value: object, quantity: str, file: str, line: int | None) -> tuple[float, str]:
        """`"40 mg/dL"` in the canonical unit of `quantity` (rounded once to 9 decimals) and the text as printed."""
        measure = self.measure(quantity, file, line)
        if isinstance(value, int | float) and not isinstance(value, bool):
            if measure.unit != "1":
                raise EditionError(f'write the number with its unit, such as "{value} {measure.unit}"', file, line)
            return round9(float(value)), f"{value}"
        match = _NUMBER_WITH_UNIT.match(value) if isinstance(value, str) else None
        if match is None:
            raise EditionError(f'{value!r} is no number with unit; write it like "3.5 {measure.unit}"', file, line)
        return self.converted(float(match[1]), match[2], quantity, file, line), _printed(match[1], match[2])

    def converted(self, value: float, unit: str, quantity: str, file: str, line: int | None) -> float:
        """`value` in the canonical unit of `quantity`; EditionError where the unit does not convert."""
        measure = self.measure(quantity, file, line)
        if unit not in self.units.codes:
            raise EditionError(f"unit {unit!r} is not in units.yaml", file, line)
        try:
            return to_canonical(value, unit, measure.unit, self.units, measure.molar_mass)
        except (CsfinterpError, LookupError, ValueError, ArithmeticError):
            message = f"unit {unit!r} does not convert to {measure.unit!r}, the unit of {quantity}"
            raise EditionError(message, file, line) from None


def _printed(number: str, unit: str) -> str:
    return number if unit == "1" else f"{number} {unit}"


def context_measures() -> dict[str, Measure]:
    """The numbers that a panel's context may carry, each with the unit that its id names."""
    return {
        name: Measure(next((unit for suffix, unit in _UNIT_OF_SUFFIX.items() if name.endswith(suffix)), "1"))
        for name in NUMBER_CONTEXT
    }


def coded_inputs(analytes: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Every id that `is` may read with its words: context, subject, coded analytes and the best cytology so far."""
    best = {BEST_CYTOLOGY: analytes["csf_cytology"]} if "csf_cytology" in analytes else {}
    return {**CODED_INPUTS, **analytes, **best}


def age_edge(text: object, file: str, line: int | None) -> AgeEdge:
    """`"29 d"` or `"12 a"`: days below one year, completed years from one year on, so that edges have an order."""
    match = _EDGE.match(text) if isinstance(text, str) else None
    if match is None:
        raise EditionError(f'{text!r} is no age edge; write whole days ("29 d") or years ("12 a")', file, line)
    value, unit = int(match[1]), match[2]
    if (unit == "d") != (value < (_DAYS_IN_SHORTEST_YEAR if unit == "d" else 1)):
        raise EditionError(f'age edge {text!r}: below one year in days, from "1 a" on in years', file, line)
    return AgeEdge(float(value), unit)


def age_order(edge: AgeEdge | None) -> tuple[int, float]:
    """A key that sorts age edges; None is the open end."""
    return (2, 0.0) if edge is None else (int(edge.unit == "a"), edge.value)


def age_text(edge: AgeEdge | None) -> str:
    """`29 d`, `12 a`, or `the open end`."""
    return "the open end" if edge is None else f"{edge.value:g} {edge.unit}"
