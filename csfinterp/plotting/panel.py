"""The plots of one stored panel, for the pages and the printed report.

Names: `reibergram_igg`, `reibergram_iga`, `reibergram_igm`, `reibergram_kappa` (this point, earlier punctures as a
path), `trend_<analyte id>` (all punctures of the patient, for example `trend_csf_leukocytes`), `profile_<profile id>`
(`profile_hematologic`, `profile_solid_tumor`). Addresses: `/panels/<panel id>/plots/<name>.svg`, with `?version=`.

A page asks `panel_plots(hall(), stored).offered()` for what is worth showing, and writes for each
`<img src="{{ url_for('plots.svg', panel_id=stored.panel_id, name=plot.name, version=stored.version) }}"
alt="{{ plot.title }}. {{ plot.description }}" loading="lazy">`, of a Reibergram with `plot.frame` as width and height.
The drawing follows the color scheme of the page (`color-scheme` of the image).
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any

from csfinterp import __version__
from csfinterp.errors import CsfinterpError, NotFoundError
from csfinterp.formats.report_words import part, parts, text
from csfinterp.model.edition import Edition
from csfinterp.plot import diagram as reibergram_plot
from csfinterp.plot import profile as profile_plot
from csfinterp.plot import svg
from csfinterp.plot import trend as trend_plot
from csfinterp.plot.diagram import Reibergram
from csfinterp.plot.profile import Profile
from csfinterp.plot.theme import policy
from csfinterp.plot.trend import Trend
from csfinterp.plotting.curves import CLASSES, Ground, ground
from csfinterp.plotting.readings import MOST, Puncture, in_order, said
from csfinterp.plotting.reibergrams import ALBUMIN, PRINTED_LEGEND, is_drawn_by, printed, reibergram
from csfinterp.plotting.trends import profile, trend
from csfinterp.service import CoursePanel, Service, StoredPanel

MOST_KEPT = 256  # drawings, about 30 kB each
POLICY = policy()


@dataclass(frozen=True)
class Plot:
    """A drawing that may not be drawn yet. `description`: what it shows, for those who do not see it."""

    name: str
    title: str
    description: str
    drawing: Reibergram | Trend | Profile

    @cached_property
    def digest(self) -> str:
        """Names the content: the same for the same drawing by the same software."""
        content = repr((__version__, self.title, self.description, self.drawing))
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def frame(self) -> tuple[int, int] | None:
        """Width and height of a Reibergram, known before it is drawn; None of other plots."""
        return self.drawing.frame if isinstance(self.drawing, Reibergram) else None

    @property
    def svg(self) -> str:
        """The drawing as SVG text; kept for those who ask again."""
        return _KEPT.get(self)


class _Kept:
    """The drawings that were asked for last, by their digest. Thread-safe."""

    def __init__(self, most: int) -> None:
        self._most, self._lock, self._found = most, Lock(), OrderedDict[str, str]()

    def get(self, plot: Plot) -> str:
        with self._lock:
            found = self._found.get(plot.digest)
            if found is not None:
                self._found.move_to_end(plot.digest)
                return found
        made = svg.render(lambda: _figure(plot.drawing), plot.title, plot.description)
        with self._lock:
            self._found[plot.digest] = made
            while len(self._found) > self._most:
                self._found.popitem(last=False)
        return made


_KEPT = _Kept(MOST_KEPT)


def _figure(drawing: Reibergram | Trend | Profile) -> Any:
    if isinstance(drawing, Reibergram):
        return reibergram_plot.figure(drawing)
    return trend_plot.figure(drawing) if isinstance(drawing, Trend) else profile_plot.figure(drawing)


class PanelPlots:
    """The plots of one version of a panel. `others`: the newest versions of the patient's other panels."""

    def __init__(self, now: Puncture, others: tuple[Puncture, ...], edition: Edition | None) -> None:
        self._now, self._others, self._edition = now, others, edition

    @cached_property
    def _earlier(self) -> list[Puncture]:
        moment = self._now.moment
        if moment is None:
            return []
        return [one for one in in_order(self._others) if one.moment is not None and one.moment <= moment]

    def offered(self) -> list[Plot]:
        """Plots worth showing: Reibergrams with a point, trends of two days or more, profiles that may apply."""
        return [*self.reibergrams(), *self.trends(), *self.profiles()]

    def reibergrams(self) -> list[Plot]:
        """Those of classes whose quotient this panel has."""
        there = [name for name in CLASSES if self._now.number(f"{name}_quotient") is not None]
        found = [self._reibergram(name) for name in there if self._now.number(ALBUMIN) is not None]
        return [plot for plot in found if plot is not None]

    def printed(self) -> list[tuple[str, str]]:
        """(SVG for paper, caption) of each Reibergram with a point; they rest on this document alone.

        The last caption, without a drawing, holds for all of them."""
        found: list[tuple[str, str]] = []
        remarks: dict[str, None] = {}
        for plot in self.reibergrams():
            name = plot.name.partition("_")[2]
            base = self._ground(name)
            if base is not None:
                drawing, caption = printed(base, name, self._now)
                small = Plot(plot.name, plot.title, caption, drawing)
                found.append((svg.printed(small.svg), caption))
                remarks |= dict.fromkeys(base.remarks)
        limit = said(self._now.result("albumin_quotient_limit")).split(" × ")[0]
        return [*found, ("", " ".join([f"Age limit of QAlb: {limit}.", PRINTED_LEGEND, *remarks]))] if found else []

    def trends(self) -> list[Plot]:
        """Those of results of this panel with values of at least two days."""
        return [plot for name in self._quantities() if (plot := self._trend(name)) is not None and _days(plot) > 1]

    def profiles(self) -> list[Plot]:
        """Those that apply, or of which it is not known whether they do."""
        found = [entry for entry in parts(self._now.document, "profiles")
                 if text(entry, "applicability") != "does_not_apply"]  # fmt: skip
        plots = (self._profile(text(entry, "id")) for entry in found)
        return [plot for plot in plots if plot is not None]

    def plot(self, name: str) -> Plot:
        """The plot of this name, also one that is not offered (a Reibergram without a point says why).

        Raises NotFoundError."""
        kind, _, what = name.partition("_")
        makers = {"reibergram": self._reibergram, "trend": self._trend, "profile": self._profile}
        found = makers[kind](what) if kind in makers else None
        if found is None:
            raise NotFoundError(
                "This panel has no such plot. Names: reibergram_igg, _iga, _igm, _kappa; trend_ and the id of an"
                " analyte with a number and a day of collection; profile_ and the id of a profile."
            )
        return found

    def _quantities(self) -> Iterator[str]:
        named = (text(result, "analyte") for result in parts(self._now.document, "results"))
        yield from (name for name in dict.fromkeys(named) if not name.endswith(("_limit", "_lower", "_mean")))

    def _reibergram(self, name: str) -> Plot | None:
        base = self._ground(name)
        if base is None:
            return None
        same = [one for one in self._earlier if is_drawn_by(base, one)]
        drawing, description = reibergram(base, name, self._now, same)
        return Plot(f"reibergram_{name}", drawing.title, description, drawing)

    def _ground(self, name: str) -> Ground | None:
        found = None if self._edition is None or name not in CLASSES else ground(self._edition, name)
        return found if found is not None and is_drawn_by(found, self._now) else None

    def _trend(self, analyte: str) -> Plot | None:
        found = trend(analyte, self._now, self._others)
        return None if found is None else Plot(f"trend_{analyte}", f"Trend: {found[0].title}", found[1], found[0])

    def _profile(self, identifier: str) -> Plot | None:
        found = profile(self._now, identifier)
        return None if found is None else Plot(f"profile_{identifier}", found[0].title, found[1], found[0])


def _days(plot: Plot) -> int:
    return len({reading.day for reading in plot.drawing.readings}) if isinstance(plot.drawing, Trend) else 0


def panel_plots(service: Service, stored: StoredPanel, known: Sequence[CoursePanel] | None = None) -> PanelPlots:
    """The plots of a stored version; other panels of its patient count in their newest versions, unless cancelled.

    `known`: the other panels, where the caller has read them; None: they are read."""
    found = _others(service, stored) if known is None else (Puncture(one.panel_id, one.document) for one in known)
    others = tuple(found)
    return PanelPlots(Puncture(stored.panel_id, stored.document), others, edition_of(service, stored.document))


def edition_of(service: Service, document: Mapping[str, object]) -> Edition | None:
    """The edition that a document was made with; None if it can no longer be read as it was."""
    named = part(document, "edition")
    try:
        edition = service.core(text(named, "id")).edition
    except CsfinterpError:
        return None
    return edition if edition.digest == text(named, "digest") else None


def _others(service: Service, stored: StoredPanel) -> Iterator[Puncture]:
    patient = text(part(stored.document, "patient"), "id")
    for one in service.course.of_patient(patient, MOST) if patient else ():
        if one.panel_id != stored.panel_id and one.status != "cancelled":
            yield Puncture(one.panel_id, one.document)
