"""A cohort in one Reibergram: a cloud of punctures, by group in shapes of their own; many of them as a density."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from csfinterp.plot.diagram import ALBUMIN_RANGE, SIZE, Floats, Grid, canvas
from csfinterp.plot.theme import ACCENT, INK, PAPER, PATH, SOFT

MOST_POINTS = 3000  # in all; beyond, the density of all of them is drawn
CELLS = 44  # of the density, across
INDENT = 5 * "\N{NO-BREAK SPACE}"  # room for the shape of a group
SHAPES = (("o", ACCENT), ("^", PATH), ("s", INK), ("D", SOFT), ("v", ACCENT), ("P", PATH))


@dataclass(frozen=True)
class Group:
    """Punctures of one kind, [1e-3]; `judged` False: hollow, the answer gives no verdict on it."""

    name: str
    albumin: Floats
    quotient: Floats
    judged: np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True)
class Cloud:
    """`age_limits` [1e-3]: the lowest and the highest limit of the punctures drawn; None: not known."""

    grid: Grid
    title: str
    groups: tuple[Group, ...]
    age_limits: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    size: float = SIZE


def figure(cloud: Cloud) -> Figure:
    """The diagram of a cohort; what lies beyond the axes stands at their edge."""
    count = sum(len(group.albumin) for group in cloud.groups)
    dense = count > MOST_POINTS
    keys = () if dense or len(cloud.groups) < 2 else tuple(f"{INDENT}{group.name}" for group in cloud.groups)
    made, axes = canvas(cloud.grid, cloud.title, (*keys, *cloud.notes), cloud.size)
    if cloud.age_limits is not None:
        _age_limits(axes, *cloud.age_limits)
    if dense:
        _density(axes, cloud)
    else:
        for place, group in enumerate(cloud.groups):
            _points(axes, cloud.grid, group, place, small=cloud.size < SIZE)
    if keys:
        _keys(made, len(keys))
    return made


def _inside(grid: Grid, group: Group) -> tuple[Floats, Floats]:
    return np.clip(group.albumin, *ALBUMIN_RANGE), np.clip(group.quotient, *grid.y_range)


def _age_limits(axes: Axes, low: float, high: float) -> None:
    for limit in {low, high}:
        axes.axvline(limit, color=ACCENT, linewidth=1.2, linestyle=(0, (7, 2, 1.5, 2)), zorder=2.2)
    label = "age limit" if low == high else "age limits"
    axes.annotate(label, (high, 0), xycoords=("data", "axes fraction"), xytext=(3, 4), rotation=90,
                  textcoords="offset points", fontsize=9, color=ACCENT, va="bottom")  # fmt: skip


def _points(axes: Axes, grid: Grid, group: Group, place: int, *, small: bool) -> None:
    x, y = _inside(grid, group)
    shape, color = SHAPES[place % len(SHAPES)]
    for chosen, fill in ((group.judged, color), (~group.judged, PAPER)):
        axes.plot(x[chosen], y[chosen], marker=shape, markersize=2.6 if small else 4.6, markeredgecolor=color,
                  markeredgewidth=0.7, markerfacecolor=fill, linestyle="none", zorder=3, clip_on=False)  # fmt: skip


def _density(axes: Axes, cloud: Cloud) -> None:
    """Squares of the logarithmic ground; the darker, the more punctures (in steps of ten)."""
    grid = cloud.grid
    pairs = [_inside(grid, group) for group in cloud.groups]
    x, y = (np.concatenate([pair[axis] for pair in pairs]) for axis in (0, 1))
    edges = [np.geomspace(low, high, CELLS + 1) for low, high in (ALBUMIN_RANGE, grid.y_range)]
    counts, _, _ = np.histogram2d(x, y, bins=edges)
    most = np.log10(counts.max() + 1)
    for column, row in np.argwhere(counts > 0).tolist():
        weight = float(np.log10(counts[column, row] + 1) / most)
        left, right, low, high = *edges[0][column : column + 2], *edges[1][row : row + 2]
        axes.fill([left, right, right, left], [low, low, high, high], facecolor=ACCENT,
                  alpha=round(0.15 + 0.85 * weight, 2), edgecolor="none", zorder=1.5)  # fmt: skip


def _keys(made: Figure, count: int) -> None:
    """The shapes of the groups, before the first lines of the notes."""
    lines = list(made.texts[1 : 1 + count])
    for place, line in enumerate(lines):
        shape, color = SHAPES[place % len(SHAPES)]
        x, y = line.get_position()
        height = made.get_figheight()
        made.add_artist(Line2D([x + 0.10 / made.get_figwidth()], [y - 0.085 / height], marker=shape, markersize=6,
                               markeredgecolor=color, markerfacecolor=color, linestyle="none",
                               transform=made.transFigure))  # fmt: skip
