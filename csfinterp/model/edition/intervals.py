"""What is possible and what is normal: bounds, age bands, reference intervals with their limits, graded readings."""

from __future__ import annotations

from dataclasses import dataclass

from csfinterp.model.predicate import Predicate


@dataclass(frozen=True)
class Bound:
    """A number in the canonical unit; `inclusive`: the bound itself still lies inside."""

    value: float
    inclusive: bool = True


@dataclass(frozen=True)
class Bounds:
    """`hard`: outside cannot be true (not judged). `soft`: outside is judged, with a warning."""

    hard_low: Bound | None = None
    hard_high: Bound | None = None
    soft_low: Bound | None = None
    soft_high: Bound | None = None
    citations: tuple[str, ...] = ()
    status: str = "ours"


@dataclass(frozen=True)
class AgeEdge:
    """An edge of an age band in completed days (`unit` d) or completed years (`unit` a)."""

    value: float
    unit: str


@dataclass(frozen=True)
class IntervalLimit:
    """One end of a reference interval. Exactly one of `value` (canonical unit), `quantity`, or the age line is set.

    The age line is `intercept + completed years / divisor` (canonical unit). `inclusive`: the limit itself is normal.
    `text` is the limit as its source prints it (`source_value`, `source_unit` with the operator).
    """

    inclusive: bool
    text: str
    value: float | None = None
    quantity: str | None = None
    intercept: float | None = None
    divisor: float | None = None


@dataclass(frozen=True)
class Stratum:
    """The row holds for `low <= quantity < high`, canonical unit of that quantity; None = open end."""

    quantity: str
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ReferenceInterval:
    """One row of an analyte: for whom (site, age, context, stratum) and what is normal.

    `when`: the row needs this context predicate and then wins over plain rows. `gate`: without it TRUE the flag stays
    null (`info_only`). `rule` is the row id as the answer prints it, `csf_leukocytes/L5`.
    """

    rule: str
    sites: tuple[str, ...]
    age_from: AgeEdge
    age_to: AgeEdge | None
    low: IntervalLimit | None
    high: IntervalLimit | None
    citations: tuple[str, ...]
    status: str
    stratum: Stratum | None = None
    when: Predicate | None = None
    gate: Predicate | None = None
    note: str | None = None
    site_note: str | None = None


@dataclass(frozen=True)
class Band:
    """A graded reading without an interval: between `low` and `high` the flag, or the not-judged word."""

    rule: str
    low: Bound | None
    high: Bound | None
    flag: str | None
    not_judged: str | None
    text: str
    citations: tuple[str, ...]
    status: str


UNBOUNDED = Bounds()
BIRTH = AgeEdge(0, "d")
