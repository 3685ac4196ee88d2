"""All panels of one patient: what they say together, how results moved, what leptomeningeal evidence each gave.

The address names one of the patient's panels by its random id; no id of a patient stands in an address or a log.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template

from csfinterp.plotting.panel import Plot, panel_plots
from csfinterp.service import CoursePanel, PanelFilter
from csfinterp.web.hall import hall

blueprint = Blueprint("patient", __name__)
MOST = 60
_EVIDENCE = ("csf_cytology", "csf_flow_cytometry", "csf_ctdna", "csf_ctc")
_CANCELLED = "cancelled"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Test:
    """One test over the punctures: `cells` holds for each of them the results that it has of it."""

    analyte: str
    name: str
    unit: str | None
    cells: tuple[tuple[Row, ...], ...]

    @property
    def first(self) -> bool:
        """True if the course is read by it: more than one puncture has it, and it is no mere input of a calculation."""
        measured = any(row["flag"] or not row["derived"] for cell in self.cells for row in cell)
        return measured and sum(bool(cell) for cell in self.cells) > 1

    @property
    def abnormal(self) -> bool:
        return any(row["flag"] not in (None, "N") for cell in self.cells for row in cell)


@dataclass(frozen=True)
class Combined:
    """The newest answer of an episode, which counts the earlier punctures; `later`: panels that it cannot know."""

    panel: CoursePanel
    episode: str | None
    later: tuple[CoursePanel, ...]


@blueprint.get("/panels/<panel_id>/patient")
def page(panel_id: str) -> str:
    """The patient of this panel; without a patient id the panel stands alone."""
    this = hall().panel(panel_id)
    patient = this.document.get("patient")
    patient_id = patient.get("id") if isinstance(patient, Mapping) else None
    if patient_id is None:
        return render_template("patient.html", patient_id=None, this=this, panels=())
    panels = hall().course.of_patient(str(patient_id), MOST)
    standing = [panel for panel in reversed(panels) if panel.status != _CANCELLED]
    tests = _tests(standing)
    summaries = hall().search(PanelFilter(patient=str(patient_id)), MOST + 1).items
    return render_template(
        "patient.html", patient_id=patient_id, this=this, panels=tuple(reversed(panels)), standing=standing,
        summaries={item.panel_id: item for item in summaries}, more=len(summaries) > MOST, most=MOST,
        tests=tests, combined=_combined(standing), asked=any(map(_asked, standing)), evidence=_EVIDENCE,
        trends=_trends(standing, {f"trend_{test.analyte}" for test in tests if test.abnormal}),
    )  # fmt: skip


def _asked(panel: CoursePanel) -> bool:
    """True if LM is a question of this panel."""
    parts = (panel.document.get(name) or {} for name in ("hematologic_cns", "leukemia_cns"))
    answers = [panel.document["lm"]["certainty"], *(part.get("status") for part in parts)]
    return any(answer not in (None, "not_applicable") for answer in answers)


def _trends(panels: Sequence[CoursePanel], names: Collection[str]) -> list[Plot]:
    """The drawings of these tests over two days or more, as of the newest panel."""
    if len(panels) < 2:
        return []
    return [plot for plot in panel_plots(hall(), hall().panel(panels[0].panel_id)).trends() if plot.name in names]


def _tests(panels: Sequence[CoursePanel]) -> list[Test]:
    """Every test that has a value in some panel, in the order of the newest panel that has it."""
    names: dict[tuple[str, str | None], str] = {}
    found: dict[tuple[str, str | None], list[list[Row]]] = {}
    for place, panel in enumerate(panels):
        for row in panel.document.get("results") or ():
            if row["value"] is None:
                continue
            key = (str(row["analyte"]), row["unit"])  # values in different units are never put in one row
            names.setdefault(key, str(row["name"]))
            found.setdefault(key, [[] for _ in panels])[place].append(row)
    return [Test(key[0], names[key], key[1], tuple(map(tuple, cells))) for key, cells in found.items()]


def _combined(panels: Sequence[CoursePanel]) -> list[Combined]:
    """The newest panel of each episode, newest first; panels without an episode are one of their own."""
    newest: dict[str | None, CoursePanel] = {}
    for panel in panels:
        newest.setdefault(_episode(panel), panel)
    return [Combined(panel, episode, tuple(_unknown_to(panel, panels))) for episode, panel in newest.items()]


def _unknown_to(answer: CoursePanel, panels: Iterable[CoursePanel]) -> Iterable[CoursePanel]:
    """Earlier punctures that came or changed after this answer was made, so it does not count them as they are now."""
    episode, behind = _episode(answer), False
    for panel in panels:
        if behind and panel.created_at > answer.created_at and episode in (None, _episode(panel)):
            yield panel
        behind = behind or panel is answer


def _episode(panel: CoursePanel) -> str | None:
    context = panel.document.get("context") or {}
    episode = context.get("episode")
    return None if episode is None else str(episode)
