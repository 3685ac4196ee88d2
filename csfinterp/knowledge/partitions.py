"""Who has which interval row: ages, sites and strata as half-open bands; their gaps, overlaps and replacement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from csfinterp.knowledge.vocabulary import age_order, age_text
from csfinterp.model.context import SITES
from csfinterp.model.edition import AgeEdge, ReferenceInterval

_BIRTH = AgeEdge(0, "d")
Ages = tuple[AgeEdge, AgeEdge | None]


@dataclass(frozen=True)
class Flaw:
    """A gap or overlap; `row` is the row at whose line the steward should look."""

    row: ReferenceInterval
    message: str


def ages_meet(first: Ages, second: Ages) -> bool:
    """True if the bands [from, to) share an age."""
    return age_order(first[0]) < age_order(second[1]) and age_order(second[0]) < age_order(first[1])


def _ages(row: ReferenceInterval) -> Ages:
    return row.age_from, row.age_to


def flaws(rows: Sequence[ReferenceInterval], intended: Iterable[Ages] = ()) -> Iterator[Flaw]:
    """Gaps and overlaps of the plain rows (rows with `when` are exempt), site by site; each kind once per row."""
    plain = [row for row in rows if row.when is None]
    told: set[tuple[int, str]] = set()
    for site in SITES:
        here = [row for row in plain if site in row.sites]
        for flaw in _flaws_at(site, here, tuple(intended)):
            key = (id(flaw.row), flaw.message.split(" at site")[0])
            if key not in told:
                told.add(key)
                yield flaw


def _flaws_at(site: str, rows: list[ReferenceInterval], intended: tuple[Ages, ...]) -> Iterator[Flaw]:
    edges: set[AgeEdge | None] = {_BIRTH, None}
    edges.update(edge for band in (*map(_ages, rows), *intended) for edge in band)
    ordered = sorted(edges, key=age_order)
    for start, end in pairwise(ordered):
        assert start is not None
        band = f"from {age_text(start)} to {age_text(end)} at site {site}"
        active = [row for row in rows if ages_meet(_ages(row), (start, end))]
        if active:
            yield from _strata_flaws(active, band)
        elif rows and not any(ages_meet(gap, (start, end)) for gap in intended):
            nearest = [row for row in rows if age_order(row.age_from) < age_order(end)]
            yield Flaw(
                nearest[-1] if nearest else rows[0], f"gap: no row {band}; add one, or state the gap under `gaps`"
            )


def _strata_flaws(active: list[ReferenceInterval], band: str) -> Iterator[Flaw]:
    if len(active) == 1 and active[0].stratum is None:
        return
    strata = [(row.stratum, row) for row in active]
    if any(stratum is None for stratum, _ in strata) or len({stratum.quantity for stratum, _ in strata if stratum}) > 1:
        yield Flaw(active[-1], f"overlap: {' and '.join(row.rule for row in active)} both hold {band}")
        return
    ordered = sorted(strata, key=lambda pair: float("-inf") if pair[0] is None or pair[0].low is None else pair[0].low)
    reached: float | None = None
    for position, (stratum, row) in enumerate(ordered):
        assert stratum is not None
        # Concentrations start at zero, so a first stratum from 0 is as good as an open one.
        start = None if position == 0 and stratum.low in (None, 0.0) else stratum.low
        if position == 0 and start is not None:
            yield Flaw(row, f"gap: no stratum of {stratum.quantity} below {start:g} {band}")
        elif position > 0 and (reached is None or start is None or start < reached):
            yield Flaw(row, f"overlap: strata of {stratum.quantity} overlap {band}")
        elif position > 0 and start != reached:
            yield Flaw(row, f"gap: no stratum of {stratum.quantity} between {reached:g} and {start:g} {band}")
        reached = stratum.high
    if reached is not None:
        yield Flaw(ordered[-1][1], f"gap: no stratum from {reached:g} on {band}")


def replaced(rows: Sequence[ReferenceInterval], chosen: Sequence[ReferenceInterval]) -> tuple[ReferenceInterval, ...]:
    """`rows` with every part that `chosen` covers (age and site) cut away, and `chosen` put in; cut rows keep their id.

    Rows with `when` are cut only by chosen rows with `when`: they hold for a context that the others do not state.
    """
    kept = list(rows)
    for new in chosen:
        kept = [
            piece for old in kept for piece in (_cut(old, new) if (old.when is None) == (new.when is None) else (old,))
        ]
    return (*kept, *chosen)


def _cut(old: ReferenceInterval, new: ReferenceInterval) -> tuple[ReferenceInterval, ...]:
    shared = tuple(site for site in old.sites if site in new.sites)
    if not shared or not ages_meet(_ages(old), _ages(new)):
        return (old,)
    pieces = []
    if len(shared) < len(old.sites):
        pieces.append(replace(old, sites=tuple(site for site in old.sites if site not in shared)))
    if age_order(old.age_from) < age_order(new.age_from):
        pieces.append(replace(old, sites=shared, age_to=new.age_from))
    if new.age_to is not None and age_order(new.age_to) < age_order(old.age_to):
        pieces.append(replace(old, sites=shared, age_from=new.age_to))
    return tuple(pieces)
