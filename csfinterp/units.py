"""The only file that imports pint: (analyte, unit text) -> one exact cached factor; UCUM codes and field spellings.

Factors are exact fractions of the edition's unit table, checked against pint when an edition is loaded. Mass <-> molar
goes by dividing by the molar mass, never through a pint context: contexts on a shared registry are not thread-safe and
give silently wrong molar values (../shared/clinical/units.md section 5).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

import pint

from csfinterp.model.edition import Analyte, Edition, UnitTable

MAX_UNIT_LENGTH = 64
ROUNDED_BELOW = 9_000_000.0  # above it a double has no ninth decimal left: 2**53 / 1e9
PINT_TOLERANCE = 1e-12


def round9(value: float) -> float:
    """`value` rounded once to 9 decimals (half to even);
    the same arithmetic as the columns use, so that no limit moves."""
    return round(value * 1e9) / 1e9 if abs(value) < ROUNDED_BELOW else value


def factor(unit: str, canonical: str, table: UnitTable, molar_mass: Fraction | None = None) -> Fraction | None:
    """Exact factor from UCUM code `unit` to `canonical`; None if they do not convert.

    `molar_mass` in g/mol joins mass and substance concentration (mg/L over g/mol is mmol/L).
    """
    source, target = table.codes.get(unit), table.codes.get(canonical)
    if source is None or target is None:
        return None
    plain = source.scale / target.scale
    if source.dimension == target.dimension:
        return plain
    if molar_mass is None:
        return None
    if table.molar_dimensions.get(source.dimension) == target.dimension:
        return plain / molar_mass
    if table.molar_dimensions.get(target.dimension) == source.dimension:
        return plain * molar_mass
    return None


def to_canonical(
    value: float, unit: str, canonical: str, table: UnitTable, molar_mass: Fraction | None = None
) -> float:
    """`value` [unit] in the canonical unit, rounded once to 9 decimals.
    Raises ValueError if the units do not convert."""
    found = factor(unit, canonical, table, molar_mass)
    if found is None:
        raise ValueError(f"unit {unit!r} does not convert to {canonical!r}")
    return round9(value * float(found))


def dimensions(analyte: Analyte, table: UnitTable) -> tuple[str, ...]:
    """Dimensions in which the analyte may be sent (its own, and the molar or mass one if it has a molar mass)."""
    return tuple({table.codes[code].dimension: None for code in analyte.units if code in table.codes})


def unify(text: str) -> str:
    """Unit text with both micro signs as `u`, without blanks around it."""
    return text.strip().replace("\u00b5", "u").replace("\u03bc", "u")


class UnitReader:
    """Reads unit texts for the analytes of one edition. Safe to share between threads: it only fills a cache."""

    def __init__(self, table: UnitTable) -> None:
        self._table = table
        self._exact: dict[tuple[str, str], str] = {}
        self._folded: dict[tuple[str, str], str] = {}
        for alias in table.aliases:
            for dimension in alias.dimensions:
                seen = unify(alias.seen)
                if alias.ignore_case:
                    self._folded.setdefault((dimension, seen.casefold()), alias.becomes)
                else:
                    self._exact.setdefault((dimension, seen), alias.becomes)

    def code(self, text: str, analyte: Analyte) -> str | None:
        """UCUM code that the analyte accepts for this unit text; None if there is none (never a guess)."""
        if len(text) > MAX_UNIT_LENGTH:
            return None
        seen = unify(text)
        for dimension in dimensions(analyte, self._table):
            found = self._exact.get((dimension, seen)) or self._folded.get((dimension, seen.casefold()))
            if found in analyte.units or (found is not None and self._is_thirds(found, analyte)):
                return found
        if seen in analyte.units or self._is_thirds(seen, analyte):
            return seen
        return None

    def factor(self, code: str, analyte: Analyte) -> float:
        """The factor from an accepted UCUM code to the analyte's canonical unit."""
        assert analyte.unit is not None
        mass = self._table.molar_masses.get(analyte.molar_mass) if analyte.molar_mass else None
        found = factor(code, analyte.unit, self._table, mass)
        if found is None:
            raise ValueError(f"{analyte.id}: unit {code!r} does not convert to {analyte.unit!r}")
        return float(found)

    def _is_thirds(self, code: str, analyte: Analyte) -> bool:
        """Chamber counts in thirds ("12/3", Drittelzellen) are read for every count, whatever units it lists."""
        entry = self._table.codes.get(code)
        own = self._table.codes.get(analyte.unit or "")
        return (
            entry is not None
            and own is not None
            and code == "{thirds}/uL"
            and own.dimension == self._table.thirds_dimension
            and own.scale == 3 * entry.scale  # per uL: a concentration per mL is no chamber count
        )


@lru_cache(maxsize=1)
def _registry() -> pint.UnitRegistry[float]:
    return pint.UnitRegistry()


def check_against_pint(edition: Edition) -> list[str]:
    """Every (analyte, unit) factor against pint; one line per disagreement beyond 1e-12 relative.
    Empty if all agree."""
    return [
        line for analyte in edition.analytes if analyte.kind == "quantity" for line in _disagreements(analyte, edition)
    ]


def _disagreements(analyte: Analyte, edition: Edition) -> Iterator[str]:
    table = edition.units
    mass = table.molar_masses.get(analyte.molar_mass) if analyte.molar_mass else None
    canonical = table.codes.get(analyte.unit or "")
    for code in analyte.units:
        unit = table.codes.get(code)
        if canonical is None or unit is None:
            yield f"{analyte.id}: unit {code!r} or {analyte.unit!r} is not in units.yaml"
            continue
        exact = factor(code, canonical.code, table, mass)
        if exact is None:
            yield f"{analyte.id}: unit {code!r} does not convert to {analyte.unit!r}"
            continue
        if not unit.pint or not canonical.pint:
            continue
        measured = _by_pint(unit.pint, canonical.pint, mass)
        if abs(measured - float(exact)) > PINT_TOLERANCE * abs(float(exact)):
            yield f"{analyte.id}: factor of {code!r} is {float(exact)!r}, pint says {measured!r}"


@lru_cache(maxsize=1024)
def _by_pint(unit: str, canonical: str, mass: Fraction | None) -> float:
    registry = _registry()
    quantity, target = registry.Quantity(1.0, unit), registry.Quantity(1.0, canonical)
    if quantity.dimensionality != target.dimensionality and mass is not None:
        molar = registry.Quantity(float(mass), "g/mol")
        quantity = quantity / molar if (quantity / molar).dimensionality == target.dimensionality else quantity * molar
    return float(quantity.to(canonical).magnitude)
