"""A patient's markers beside the published shares of a cohort: one row a marker, a bar for the share, words for both.

The bar is a share of patients of one published cohort, never a probability for this patient.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import shorten

from matplotlib.figure import Figure

from csfinterp.plot.diagram import note_lines
from csfinterp.plot.theme import ACCENT, BAND, INK, LINE, PAPER, SOFT

WIDTH, ROW = 6.6, 0.62  # inches; 72 units of the SVG each
NOTE_WIDTH = 88
MARKS = {"agrees": ("^", True), "differs": ("o", False), "not_evaluable": ("s", False)}


@dataclass(frozen=True)
class Row:
    """`share` (0-1) of `n` patients, None: not published. `agreement`: agrees, differs, not_evaluable.

    `patient`: the patient's own value in words. `disputed`: the direction is disputed, so it is not counted.
    """

    name: str
    share: float | None
    n: int | None
    agreement: str
    patient: str
    disputed: bool = False
    status: str = "primary"


@dataclass(frozen=True)
class Profile:
    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def figure(drawing: Profile) -> Figure:
    """The comparison as a figure."""
    notes = note_lines(drawing.notes, NOTE_WIDTH)
    foot = 0.5 + 0.175 * len(notes)
    body = ROW * max(len(drawing.rows), 1)
    height = 0.5 + body + foot
    made = Figure(figsize=(WIDTH, height), facecolor=PAPER)
    axes = made.add_axes((0.12 / WIDTH, foot / height, 3.6 / WIDTH, body / height))
    axes.set_xlim(0, 100)
    axes.set_ylim(len(drawing.rows), 0)
    axes.set_facecolor(PAPER)
    axes.set_yticks([])
    axes.set_xticks([0, 25, 50, 75, 100], ["0", "25", "50", "75", "100 %"])
    for name, side in axes.spines.items():
        side.set_color(SOFT)
        side.set_visible(name == "bottom")
    axes.grid(True, axis="x", color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=SOFT, labelcolor=INK, labelsize=9.5, length=3)
    axes.set_xlabel("published share of patients with the value abnormal", fontsize=9.5, color=INK, labelpad=2,
                    loc="left")  # fmt: skip
    for number, row in enumerate(drawing.rows):
        if row.share is not None:
            axes.barh(number + 0.66, row.share * 100, height=0.36, color=BAND, edgecolor=SOFT, linewidth=0.9,
                      linestyle=(0, (3, 2)) if row.disputed else "solid")  # fmt: skip
        axes.text(0, number + 0.27, row.name, fontsize=10, color=INK, fontweight="bold", va="center")
        axes.text(1.5, number + 0.66, _share(row), fontsize=9.5, color=INK, va="center")
        shape, filled = MARKS[row.agreement]
        axes.plot(105.5, number + 0.48, marker=shape, markersize=8.5, markeredgecolor=ACCENT, markeredgewidth=1.5,
                  markerfacecolor=ACCENT if filled else PAPER, linestyle="none", clip_on=False)  # fmt: skip
        axes.text(109, number + 0.3, row.agreement.replace("_", " "), fontsize=10, color=INK, va="center",
                  fontweight="bold")  # fmt: skip
        axes.text(109, number + 0.66, shorten(row.patient, 34, placeholder=" …"), fontsize=9.5, color=INK, va="center")
    made.text(0.12 / WIDTH, 1 - 0.1 / height, drawing.title, color=INK, fontsize=12, fontweight="bold", va="top")
    for number, line in enumerate(notes):
        made.text(0.12 / WIDTH, (foot - 0.5 - 0.175 * number) / height, line, color=INK, fontsize=9.5, va="top")
    return made


def _share(row: Row) -> str:
    if row.share is None:
        return "no published share"
    of = f" of {row.n}" if row.n else ", number not known"
    marks = [word for word, holds in (("disputed", row.disputed), (row.status, row.status != "primary")) if holds]
    return f"{row.share * 100:.0f} %{of}" + (f" ({', '.join(marks)})" if marks else "")
