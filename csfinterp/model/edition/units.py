"""Units of an edition: UCUM codes, field spellings and molar masses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class UnitCode:
    """A UCUM code: `scale` in the base unit of its dimension (exact), `pint` the same unit as pint spells it."""

    code: str
    dimension: str
    scale: Fraction
    pint: str


@dataclass(frozen=True)
class UnitAlias:
    """A field spelling; `dimensions`: where it is read so. `ignore_case`: spelled in any case."""

    seen: str
    becomes: str
    dimensions: tuple[str, ...]
    ignore_case: bool = False


@dataclass(frozen=True)
class UnitTable:
    """Units by UCUM code, field spellings, and molar masses by name [g/mol, exact].

    `molar_dimensions`: dimension of a mass -> the one that it becomes when divided by a molar mass.
    `thirds_dimension`: that of a chamber count in thirds.
    """

    codes: Mapping[str, UnitCode]
    aliases: tuple[UnitAlias, ...]
    molar_masses: Mapping[str, Fraction]
    molar_dimensions: Mapping[str, str]
    thirds_dimension: str
