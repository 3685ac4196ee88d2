"""The curves of the Reibergrams: constants from the edition, arithmetic from the core's own formulas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csfinterp.model.cohort import Floats
from csfinterp.model.edition import Derived, Edition
from csfinterp.plot.diagram import ALBUMIN_RANGE, Curve, Grid
from csfinterp.steps.formulas import FUNCTIONS

CLASSES = {"igg": "IgG", "iga": "IgA", "igm": "IgM", "kappa": "κ"}
# How far the drawn axes reach, 1e-3; what lies beyond is drawn at the edge and said.
Y_RANGES = {"igg": (0.5, 150.0), "iga": (0.2, 150.0), "igm": (0.05, 150.0), "kappa": (2.0, 2000.0)}
# Lines that Reibergrams are drawn with (barrier_and_intrathecal.md section 8.5).
FRACTIONS = (20.0, 40.0, 60.0, 80.0)
POINTS = 121
HALVINGS = 60
FARTHEST = 1000.0  # times the limit: a fraction of 99.9 %


MOST_KEPT = 64


@dataclass(frozen=True)
class Ground:
    """The grid of one class with where it comes from. `remarks`: what a reader must know about its curves."""

    grid: Grid
    entries: tuple[Derived, ...]
    remarks: tuple[str, ...]


_MADE: dict[tuple[str, str | None, str], Ground | None] = {}


def ground(edition: Edition, name: str) -> Ground | None:
    """The Reibergram of a class ("igg", "iga", "igm", "kappa"); None where the edition has no limit curve for it.

    Made once for each edition with the site's rules."""
    key = (edition.digest, None if edition.site_rules is None else edition.site_rules.digest, name)
    if key not in _MADE:
        if len(_MADE) >= MOST_KEPT:
            _MADE.clear()
        _MADE[key] = _ground(edition, name)
    return _MADE[key]


def _ground(edition: Edition, name: str) -> Ground | None:
    found = edition.derived_by_id
    upper = found.get(f"{name}_limit")
    if upper is None or upper.function != "hyperbola" or upper.inputs != ("albumin_quotient",):
        return None
    lower, mean, fraction = (found.get(f"{name}_{part}") for part in ("lower", "mean", "intrathecal_pct"))
    x = np.geomspace(*ALBUMIN_RANGE, POINTS)
    limit = values(upper, x)
    lines = [] if fraction is None else [_fraction(fraction, limit, percent) for percent in FRACTIONS]
    grid = Grid(
        f"Q{CLASSES[name]}", Y_RANGES[name], tuple(x.tolist()),
        Curve(tuple(limit.tolist()), "limit"),
        None if lower is None else Curve(tuple(values(lower, x).tolist()), "lower"),
        None if mean is None else Curve(tuple(values(mean, x).tolist()), "mean"),
        tuple(lines), lower is not None,
    )  # fmt: skip
    entries = tuple(entry for entry in (upper, lower, mean, fraction) if entry is not None)
    return Ground(grid, entries, tuple(_remarks(upper, lower, mean, fraction)))


def values(entry: Derived, albumin: Floats) -> Floats:
    """A curve of the edition [1e-3] at albumin quotients [1e-3], by the formula that the core computes with."""
    constants = {name: np.array([[value]]) for name, value in entry.constants.items()}
    found: Floats = FUNCTIONS[entry.function]([albumin[None, :]], constants)[0]
    return found


def _fraction(entry: Derived, limit: Floats, percent: float) -> Curve:
    """The quotients at which the core's formula gives this intrathecal fraction, found by halving."""
    low, high = limit.copy(), limit * FARTHEST
    for _ in range(HALVINGS):
        middle = np.sqrt(low * high)
        above = FUNCTIONS[entry.function]([middle[None, :], limit[None, :]], {})[0] > percent
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return Curve(tuple(np.sqrt(low * high).tolist()), f"{percent:.0f} %")


def _remarks(upper: Derived, lower: Derived | None, mean: Derived | None, fraction: Derived | None) -> list[str]:
    """Which curves do not come from a primary source."""
    named = {"limit curve": upper, "lower curve": lower, "mean curve": mean, "fraction lines": fraction}
    words = {"secondary": "from secondary texts", "recalled": "recalled, source not read"}
    remarks = []
    for status, said in words.items():
        curves = [name for name, entry in named.items() if entry is not None and entry.status == status]
        if curves:
            remarks.append(f"{_listed(curves).capitalize()}: {said}.")
    return remarks


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
