"""The Reibergram: the quotient of an immunoglobulin over that of albumin, on two logarithmic axes in units of 1e-3.

Draws plain arrays; every curve, limit and verdict comes from the caller. The form is the usual one: limit curve bold,
lines of the intrathecal fraction above it, the age limit as a vertical line, zones 1 to 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullFormatter
from numpy.typing import NDArray

from csfinterp.plot.theme import ACCENT, INK, LINE, PAPER, PATH, SOFT, WASH

Floats = NDArray[np.float64]
ALBUMIN_RANGE = (1.5, 150.0)
TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
SIZE = 5.2  # inches; 72 units of the SVG each
NOTE_WIDTH = 64
LABELED_FROM = 4.0  # inches; smaller diagrams have no room for the labels of the fraction lines
MOST_NUMBERED = 9
FRACTION_AT = 6  # the place on the grid where the fraction lines are labeled


@dataclass(frozen=True)
class Curve:
    """A line over the albumin quotients of the `Grid`; `label` is written at its end."""

    y: tuple[float, ...]
    label: str


@dataclass(frozen=True)
class Grid:
    """The ground of a Reibergram, [1e-3]: `x` the albumin quotients of all curves, `quotient` as in "QIgG".

    `fractions`: lines of the intrathecal fraction. `zones`: the zones are numbered (needs `lower`).
    """

    quotient: str
    y_range: tuple[float, float]
    x: tuple[float, ...]
    upper: Curve
    lower: Curve | None = None
    mean: Curve | None = None
    fractions: tuple[Curve, ...] = ()
    zones: bool = True


@dataclass(frozen=True)
class Point:
    """One puncture, [1e-3]. `judged` False: the laboratory's rules give no verdict, drawn hollow with "?"."""

    albumin: float
    quotient: float
    judged: bool = True
    current: bool = False


@dataclass(frozen=True)
class Reibergram:
    """`points` in the order of the punctures; `age_limit` [1e-3] None: not known. `notes`: lines below the diagram.

    `size`: width in inches, 72 units of the SVG each; letters keep their size, so a small one is for small print.
    """

    grid: Grid
    title: str
    points: tuple[Point, ...] = ()
    age_limit: float | None = None
    notes: tuple[str, ...] = ()
    size: float = SIZE

    @property
    def frame(self) -> tuple[int, int]:
        """Width and height in units of the SVG, known before anything is drawn."""
        return round(72 * self.size), round(72 * _height(note_lines(self.notes), self.size))


def figure(drawing: Reibergram) -> Figure:
    """The diagram of one patient."""
    made, axes = canvas(drawing.grid, drawing.title, drawing.notes, drawing.size)
    if drawing.age_limit is not None:
        age_line(axes, drawing.age_limit)
    if drawing.grid.zones:
        _zones(axes, drawing.grid, drawing.age_limit)
    _path(axes, drawing)
    return made


def note_lines(notes: Sequence[str], width: int = NOTE_WIDTH) -> list[str]:
    """The notes as lines that fit below a diagram."""
    return [line for note in notes for line in wrap(note, width, subsequent_indent="   ")]


def _foot(lines: Sequence[str]) -> float:
    return 0.62 + 0.185 * len(lines)


def _height(lines: Sequence[str], size: float) -> float:
    """Inches of a figure with these notes below it."""
    return size * 0.87 + _foot(lines) + 0.42


def canvas(grid: Grid, title: str, notes: Sequence[str], size: float = SIZE) -> tuple[Figure, Axes]:
    """A figure with axes, curves and notes, without any point."""
    lines = note_lines(notes)
    foot, height = _foot(lines), _height(lines, size)
    made = Figure(figsize=(size, height), facecolor=PAPER)
    axes = made.add_axes((0.72 / size, foot / height, (size - 1.2) / size, size * 0.87 / height))
    log_axes(axes, grid)
    _curves(axes, grid, labeled=size >= LABELED_FROM)
    made.text(0.1 / size, 1 - 0.13 / height, title, color=INK, fontsize=13, fontweight="bold", va="top")
    for number, line in enumerate(lines):
        made.text(0.1 / size, (foot - 0.60 - 0.185 * number) / height, line, color=INK, fontsize=10, va="top")
    return made, axes


def log_axes(axes: Axes, grid: Grid) -> None:
    """Two logarithmic axes with plain numbers in 1e-3."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(*ALBUMIN_RANGE)
    axes.set_ylim(*grid.y_range)
    axes.set_facecolor(PAPER)
    for side in axes.spines.values():
        side.set_color(SOFT)
    for axis, (low, high) in ((axes.xaxis, ALBUMIN_RANGE), (axes.yaxis, grid.y_range)):
        ticks = [tick for tick in TICKS if low <= tick <= high]
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_major_formatter(FixedFormatter([f"{tick:g}" for tick in ticks]))
        axis.set_minor_locator(FixedLocator([]))
        axis.set_minor_formatter(NullFormatter())
    axes.grid(True, color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=SOFT, labelcolor=INK, labelsize=10.5, length=3)
    axes.set_xlabel("QAlb  (× 10⁻³)", color=INK, fontsize=11.5, labelpad=3)
    axes.set_ylabel(f"{grid.quotient}  (× 10⁻³)", color=INK, fontsize=11.5, labelpad=3)


def _curves(axes: Axes, grid: Grid, *, labeled: bool) -> None:
    x = np.array(grid.x)
    upper = np.array(grid.upper.y)
    axes.fill_between(x, upper, grid.y_range[1] * 10, facecolor=WASH, edgecolor="none", zorder=0.5)
    for curve in grid.fractions:
        axes.plot(x, curve.y, color=SOFT, linewidth=0.9, linestyle=(0, (5, 2.5)), zorder=2)
        if labeled:
            axes.text(x[FRACTION_AT], curve.y[FRACTION_AT], curve.label, fontsize=8, color=INK, ha="center",
                      va="center", bbox={"facecolor": WASH, "edgecolor": "none", "pad": 0.6}, zorder=2.1)  # fmt: skip
    axes.plot(x, upper, color=INK, linewidth=2.2, zorder=2.5)
    _label_at_end(axes, grid, grid.upper)
    if grid.mean is not None:
        axes.plot(x, grid.mean.y, color=SOFT, linewidth=1.1, linestyle=(0, (1, 2)), zorder=2)
        _label_at_end(axes, grid, grid.mean)
    if grid.lower is not None:
        axes.plot(x, grid.lower.y, color=INK, linewidth=1.1, zorder=2)
        _label_at_end(axes, grid, grid.lower)


def _label_at_end(axes: Axes, grid: Grid, curve: Curve) -> None:
    """The label right of the frame, where the curve leaves it."""
    axes.annotate(curve.label, (1, curve.y[-1]), xycoords=("axes fraction", "data"), xytext=(4, 0),
                  textcoords="offset points", va="center", fontsize=9, color=INK)  # fmt: skip


def age_line(axes: Axes, limit: float) -> None:
    """The age limit of the albumin quotient, across the whole diagram."""
    axes.axvline(limit, color=ACCENT, linewidth=1.4, linestyle=(0, (7, 2, 1.5, 2)), zorder=2.2)
    axes.annotate("age limit", (limit, 0), xycoords=("data", "axes fraction"), xytext=(3, 4), rotation=90,
                  textcoords="offset points", fontsize=9, color=ACCENT, va="bottom")  # fmt: skip


def _zones(axes: Axes, grid: Grid, limit: float | None) -> None:
    """The numbers of the zones; without an age limit 1 and 2, 3 and 4 are not told apart."""
    low, high = ALBUMIN_RANGE
    if limit is not None and low < limit < high:
        places = {"1": low ** 0.6 * limit ** 0.4, "2": limit ** 0.45 * high ** 0.55,
                  "3": low ** 0.6 * limit ** 0.4, "4": limit ** 0.78 * high ** 0.22}  # fmt: skip
    else:
        middle = (low * high) ** 0.5
        places = {"1/2": middle, "3/4": middle * 0.45}
    x, upper = np.log(grid.x), np.log(grid.upper.y)
    lower = np.log(grid.lower.y) if grid.lower is not None else np.full_like(upper, np.log(grid.y_range[0]))
    bottom, top = np.log(grid.y_range)
    for name, place in places.items():
        at = np.log(place)
        inside = np.interp(at, x, np.maximum(lower, bottom)) * 0.42 + np.interp(at, x, upper) * 0.58
        y = inside if name in ("1", "2", "1/2") else top - 0.07 * (top - bottom)
        _zone(axes, name, place, float(np.exp(y)))
    if grid.lower is not None:
        place = np.log(low) * 0.25 + np.log(high) * 0.75
        _zone(axes, "5", float(np.exp(place)), float(np.exp((np.interp(place, x, lower) + bottom) / 2)))


def _zone(axes: Axes, name: str, x: float, y: float) -> None:
    box = {"boxstyle": "circle,pad=0.28" if len(name) == 1 else "round,pad=0.3", "facecolor": PAPER, "edgecolor": SOFT,
           "linewidth": 0.8}  # fmt: skip
    axes.text(x, y, name, color=SOFT, fontsize=10, ha="center", va="center", bbox=box, zorder=2.6)


def _path(axes: Axes, drawing: Reibergram) -> None:
    """Earlier punctures as numbered circles on a line that leads to this one."""
    inside = [_inside(drawing.grid, point) for point in drawing.points]
    places = [place for place, _ in inside]
    if len(places) > 1:
        axes.plot(*zip(*places, strict=True), color=PATH, linewidth=1.3, zorder=3)
        for start, end in pairwise(places):
            if start != end:
                _arrow(axes, start, end)
    numbered = len(places) <= MOST_NUMBERED
    for number, (point, (place, marker)) in enumerate(zip(drawing.points, inside, strict=True), 1):
        edge, fill = (ACCENT, ACCENT) if point.current else (PATH, PAPER)
        axes.plot(*place, marker=marker or ("o" if point.judged else "s"), markersize=11 if point.current else 9.5,
                  markeredgecolor=edge, markerfacecolor=fill if point.judged else PAPER, markeredgewidth=1.6,
                  linestyle="none", zorder=5 if point.current else 4, clip_on=False)  # fmt: skip
        if point.current:
            axes.plot(*place, marker="o", markersize=18, markeredgecolor=ACCENT, markerfacecolor="none",
                      markeredgewidth=1.2, linestyle="none", zorder=5, clip_on=False)  # fmt: skip
        label = "" if point.judged else "?"
        if not label and numbered and len(places) > 1:
            label = str(number)
        color = PAPER if point.current and point.judged else INK
        axes.annotate(label, place, ha="center", va="center_baseline", fontsize=7.5, color=color, zorder=6,
                      fontweight="bold", annotation_clip=False)  # fmt: skip


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    middle = (float(np.sqrt(start[0] * end[0])), float(np.sqrt(start[1] * end[1])))
    style = {"arrowstyle": "-|>,head_length=0.45,head_width=0.22", "color": PATH, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", middle, start, arrowprops=style, zorder=3)


def _inside(grid: Grid, point: Point) -> tuple[tuple[float, float], str | None]:
    """Where the point is drawn, and the triangle that points to where it lies if that is outside of the axes."""
    (left, right), (bottom, top) = ALBUMIN_RANGE, grid.y_range
    place = (min(max(point.albumin, left), right), min(max(point.quotient, bottom), top))
    if point.albumin > right:
        return place, ">"
    if point.albumin < left:
        return place, "<"
    return place, "^" if point.quotient > top else "v" if point.quotient < bottom else None


def outside(grid: Grid, point: Point) -> bool:
    """True if the point is drawn at the edge of the diagram because it lies beyond."""
    return _inside(grid, point)[1] is not None
