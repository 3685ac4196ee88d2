"""Limits that are no reference interval: decision limits of studies, critical rules, and options that replace rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from csfinterp.model.edition.intervals import BIRTH, AgeEdge, ReferenceInterval


@dataclass(frozen=True)
class Tolerance:
    """How far two numbers may lie apart and still agree: `share` of the one that is used (0.05 for 5 %)."""

    id: str
    share: float
    text: str
    says: str
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class DecisionLimit:
    """A number of a disease study: moves findings, never a flag. `op` is one of >, >=, <, <=."""

    id: str
    quantity: str
    op: str
    value: float
    text: str
    says: str
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class CriticalRule:
    """Somebody must be told now. For quantities: `op` and `limit`, ages as bands, `age_unknown`: also without an age.

    For coded analytes: `words`. `flag`: HH, LL, AA or None (an urgent call item that keeps the flag). `level`: critical
    or urgent. `locked`: cannot be removed by a site.
    """

    id: str
    rule: str
    analytes: tuple[str, ...]
    level: str
    flag: str | None
    text: str
    citations: tuple[str, ...]
    status: str
    op: str | None = None
    limit: float | None = None
    limit_text: str | None = None
    words: tuple[str, ...] = ()
    age_from: AgeEdge = BIRTH
    age_to: AgeEdge | None = None
    age_unknown: bool = False
    first_only: bool = False
    locked: bool = False


@dataclass(frozen=True)
class NamedOption:
    """An alternative of the edition that a site may choose; it replaces the rows it states in full."""

    id: str
    analyte: str | None
    text: str
    citations: tuple[str, ...]
    status: str
    selectable: bool
    intervals: tuple[ReferenceInterval, ...] = ()
    replaces_critical: tuple[str, ...] = ()
    critical: tuple[CriticalRule, ...] = ()
    decision_limits: tuple[DecisionLimit, ...] = ()
    constants: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
