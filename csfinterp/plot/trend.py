"""One result over the punctures of a patient, true to time: values, flags in letters, the reference band of each day.

The axis is the calendar and nothing else: no treatment, no arrow, no color says better or worse.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullFormatter

from csfinterp.plot.diagram import note_lines
from csfinterp.plot.theme import ACCENT, BAND, INK, LINE, PAPER, PATH, SOFT

WIDTH, HEIGHT = 6.0, 2.5  # inches; 72 units of the SVG each
NOTE_WIDTH = 80
# A range beyond this is drawn on a logarithmic axis.
LOGARITHMIC_FROM = 30.0
MOST_DATES = 6
CLOSEST = 0.13  # of the axis: dates nearer than this would run into each other
SHAPES = {"H": "^", "HH": "^", "L": "v", "LL": "v", "N": "o", "A": "D", "AA": "D"}


@dataclass(frozen=True)
class Reading:
    """A result of one puncture. `bound`: only a bound is known (hollow). `flag` None: not judged (hollow square, "?").

    `text`: the value with its comparator as printed. `low`, `high`: the reference interval of that day, None: open or
    none.
    """

    day: date
    value: float
    text: str
    bound: bool = False
    flag: str | None = None
    low: float | None = None
    high: float | None = None
    current: bool = False


@dataclass(frozen=True)
class Trend:
    """`unit` as printed, may be empty. `readings` in the order of the days."""

    title: str
    unit: str
    readings: tuple[Reading, ...]
    notes: tuple[str, ...] = ()


def figure(drawing: Trend) -> Figure:
    """The trend as a figure."""
    logarithmic = _is_logarithmic(drawing)
    scale = ("Logarithmic axis.",) if logarithmic else ()
    notes = note_lines((*drawing.notes, *scale), NOTE_WIDTH)
    foot = 0.36 + 0.175 * len(notes)
    height = HEIGHT + foot
    made = Figure(figsize=(WIDTH, height), facecolor=PAPER)
    axes = made.add_axes((0.62 / WIDTH, foot / height, (WIDTH - 0.8) / WIDTH, (HEIGHT - 0.42) / height))
    _axes(axes, drawing, logarithmic)
    _band(axes, drawing)
    _readings(axes, drawing)
    unit = f"  ({drawing.unit})" if drawing.unit else ""
    made.text(0.1 / WIDTH, 1 - 0.1 / height, drawing.title + unit, color=INK, fontsize=12, fontweight="bold", va="top")
    for number, line in enumerate(notes):
        made.text(0.1 / WIDTH, (foot - 0.36 - 0.175 * number) / height, line, color=INK, fontsize=9.5, va="top")
    return made


def _is_logarithmic(drawing: Trend) -> bool:
    values = [reading.value for reading in drawing.readings]
    return bool(values) and min(values) > 0 and max(values) / min(values) > LOGARITHMIC_FROM


def _axes(axes: Axes, drawing: Trend, logarithmic: bool) -> None:
    days = [reading.day.toordinal() for reading in drawing.readings] or [date(2000, 1, 1).toordinal()]
    span = max(days[-1] - days[0], 1)
    margin = span * 0.06 if len(set(days)) > 1 else 10.0
    left, right = days[0] - margin, days[-1] + margin
    axes.set_xlim(left, right)
    shown = _spread(sorted(set(days)), right - left)
    axes.xaxis.set_major_locator(FixedLocator(shown))
    axes.xaxis.set_major_formatter(FixedFormatter([date.fromordinal(day).isoformat() for day in shown]))
    edges = [edge for reading in drawing.readings for edge in (reading.value, reading.low, reading.high)
             if edge is not None]  # fmt: skip
    top = max(edges, default=1.0)
    if logarithmic:
        axes.set_yscale("log")
        bottom = min(edge for edge in edges if edge > 0)
        axes.set_ylim(bottom / 1.6, top * 1.9)
        ticks = _decades(bottom / 1.6, top * 1.9)
        axes.yaxis.set_major_locator(FixedLocator(ticks))
        axes.yaxis.set_major_formatter(FixedFormatter([f"{tick:g}" for tick in ticks]))
        axes.yaxis.set_minor_locator(FixedLocator([]))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        bottom = min(0.0, *edges) if edges else 0.0
        axes.set_ylim(bottom * 1.1, (top or 1.0) * 1.25)
    axes.set_facecolor(PAPER)
    for name, side in axes.spines.items():
        side.set_color(SOFT)
        side.set_visible(name in ("left", "bottom"))
    axes.grid(True, axis="y", color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=SOFT, labelcolor=INK, labelsize=9.5, length=3)


def _spread(days: Sequence[int], width: float) -> list[int]:
    """Days to be written at the axis: first and last, and of the others those that have room."""
    chosen = [days[-1]]
    if days[-1] - days[0] > CLOSEST * width * 1.2:
        chosen.append(days[0])
    for day in days[1:-1]:
        if len(chosen) < MOST_DATES and all(abs(day - other) > CLOSEST * width * 1.25 for other in chosen):
            chosen.append(day)
    return sorted(chosen)


def _decades(low: float, high: float) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = [step * 10.0**power for power in powers for step in (1, 2, 5)]
    inside = [tick for tick in every if low <= tick <= high]
    return inside if len(inside) <= 7 else [tick for tick in inside if f"{tick:e}"[0] == "1"]


def _band(axes: Axes, drawing: Trend) -> None:
    """The reference interval of each puncture, over the time that is nearest to it."""
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    readings = drawing.readings
    days = [reading.day.toordinal() for reading in readings]
    edges = [left, *((one + other) / 2 for one, other in pairwise(days)), right]
    for (start, end), reading in zip(pairwise(edges), readings, strict=True):
        if (reading.low is None and reading.high is None) or end <= start:
            continue
        low = bottom if reading.low is None else reading.low
        high = top if reading.high is None else reading.high
        axes.fill_between([start, end], low, high, facecolor=BAND, edgecolor="none", zorder=0.5)
        for limit in (reading.low, reading.high):
            if limit is not None:
                axes.plot([start, end], [limit, limit], color=SOFT, linewidth=1.0, linestyle=(0, (4, 2)), zorder=1.5)


def _readings(axes: Axes, drawing: Trend) -> None:
    readings = drawing.readings
    places = [(float(reading.day.toordinal()), reading.value) for reading in readings]
    if len(places) > 1:
        axes.plot(*zip(*places, strict=True), color=PATH, linewidth=1.2, zorder=2)
    for reading, place in zip(readings, places, strict=True):
        color = ACCENT if reading.current else PATH
        filled = reading.flag is not None and not reading.bound
        shape = SHAPES.get(reading.flag or "", "s")
        axes.plot(*place, marker=shape, markersize=9, markeredgecolor=color, markeredgewidth=1.6,
                  markerfacecolor=color if filled else PAPER, linestyle="none", zorder=4, clip_on=False)  # fmt: skip
        if reading.current:
            axes.plot(*place, marker="o", markersize=16, markeredgecolor=ACCENT, markerfacecolor="none",
                      markeredgewidth=1.2, linestyle="none", zorder=4, clip_on=False)  # fmt: skip
        axes.annotate(f"{reading.text} {reading.flag or '?'}", place, xytext=(0, 11), textcoords="offset points",
                      ha="center", va="bottom", fontsize=9, color=INK, zorder=5, annotation_clip=False,
                      fontweight="bold" if reading.current else "normal")  # fmt: skip
