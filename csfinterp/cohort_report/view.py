"""Counts -> the report's page: shares with their numbers, never a share alone; published shares with source and n."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from csfinterp import __version__
from csfinterp.cohort_report.counts import NOT_JUDGED, Counts, analytes, count
from csfinterp.formats.report_groups import GROUPS, place_of
from csfinterp.formats.report_words import CERTAINTY, GRADES, words
from csfinterp.model.edition import Citation, Profile, ProfileMarker
from csfinterp.plot import cohort as cohort_plot
from csfinterp.plot import svg
from csfinterp.plotting.curves import CLASSES
from csfinterp.plotting.frame import drawn
from csfinterp.printing import paper
from csfinterp.printing.pages import data_uri, environment

NORMAL, CRITICAL = "N", ("HH", "LL", "AA")
DIRECTIONS = {"high": ("H", "HH"), "low": ("L", "LL")}
SMALL = 5
PRINTED = 2.9  # inches


@dataclass(frozen=True)
class Share:
    """`count` of `of` panels; `percent` None where there is none to count."""

    count: int
    of: int

    @property
    def percent(self) -> int | None:
        return round(100 * self.count / self.of) if self.of else None

    @property
    def text(self) -> str:
        return f"{self.count} of {self.of} ({self.percent} %)" if self.of else "none judged"


@dataclass(frozen=True)
class Compared:
    """One marker: this cohort's share in the class, that of those who meet the entry criterion, and the published."""

    name: str
    here: Share
    entered: Share
    published: str
    disputed: bool


def write(table: Path, target: Path, panels: Path | None = None) -> Counts:
    """Counts `table` and writes its report as `target`, `.html` or `.pdf`, the same bytes for the same table.

    Raises CohortTableError, EditionError, PdfMissingError, OSError."""
    counts = count(table, panels)
    view = View(counts, table.name)
    diagrams = view.diagrams()
    text = environment().get_template("cohort.html").render(view=view, counts=counts, diagrams=diagrams,
                                                            paper=target.suffix == ".pdf")  # fmt: skip
    if target.suffix == ".pdf":
        target.write_bytes(paper.pdf(text, [address for address, _ in diagrams]))
    else:
        target.write_text(text, encoding="utf-8")
    return counts


class View:
    """The counts as the template asks for them."""

    def __init__(self, counts: Counts, name: str) -> None:
        self._counts, self.name = counts, name
        self.edition = counts.edition
        self.software = f"csfinterp {__version__}"
        self.answered = counts.panels - counts.refused
        self._cited: dict[str, int] = {}

    def certainties(self) -> list[tuple[str, Share, int]]:
        """(certainty, share of the panels, how many of them are provisional), in the order of the guideline."""
        known = [word for word in _CERTAINTIES if word in self._counts.certainty]
        every = [*known, *sorted(set(self._counts.certainty) - set(known))]
        return [
            (CERTAINTY.get(word, words(word)), Share(self._counts.certainty[word], self.answered),
             self._counts.provisional[word])
            for word in every
        ]  # fmt: skip

    def grades(self) -> list[str]:
        return [GRADES[grade] for grade in GRADES]

    def patterns(self) -> list[tuple[str, list[int]]]:
        """(pattern, panels by grade), in the order of the edition."""
        found = self._counts.patterns
        return [(one.name, [found[one.id, grade] for grade in GRADES]) for one in self.edition.patterns]

    def classes(self) -> list[str]:
        return [name for name, _ in self._counts.classes.most_common()]

    def profiles(self) -> list[tuple[Profile, int, int, list[Compared]]]:
        """(profile, panels of its tumor class, of these with its entry criterion, markers)."""
        counts = self._counts
        return [
            (profile, counts.classes[profile.tumor], counts.entered_classes[profile.tumor],
             [self._compared(profile, marker) for marker in profile.markers])
            for profile in self.edition.profiles
        ]  # fmt: skip

    def _compared(self, profile: Profile, marker: ProfileMarker) -> Compared:
        share = "no published share"
        if marker.share is not None:
            of = f" of {marker.cohort_n}" if marker.cohort_n else ", number not known"
            status = "" if marker.status == "primary" else f" ({marker.status})"
            share = f"{marker.share * 100:.0f} %{of}{status}{self._sources(marker.citations)}"
        name = f"{analytes(self.edition).get(marker.id, marker.id)}, {marker.direction}"
        here, entered = (self._share(marker.id, profile.tumor, DIRECTIONS[marker.direction], entered=only)
                         for only in (False, True))  # fmt: skip
        return Compared(name, here, entered, share, marker.disputed)

    def _share(self, analyte: str, tumor: str | None, flags: tuple[str, ...], *, entered: bool = False) -> Share:
        found = self._counts.judged(analyte, tumor, entered=entered)
        return Share(sum(found[flag] for flag in flags), found.total() - found[NOT_JUDGED])

    def results(self) -> Iterator[tuple[str, list[dict[str, object]]]]:
        """By group: every result that at least one panel has, with its flags and what is missing."""
        rows: dict[str, list[dict[str, object]]] = {group: [] for group in GROUPS}
        order = sorted(analytes(self.edition).items(), key=lambda pair: place_of(pair[0])[1])
        for analyte, name in order:
            found = self._counts.judged(analyte)
            if not found or analyte.endswith("_limit"):
                continue
            judged = found.total() - found[NOT_JUDGED]
            raised = judged - found[NORMAL]
            rows[place_of(analyte)[0]].append({
                "name": name, "there": Share(found.total(), self.answered), "judged": judged,
                "normal": found[NORMAL], "low": found["L"] + found["LL"], "high": found["H"] + found["HH"],
                "abnormal": found["A"] + found["AA"], "critical": sum(found[flag] for flag in CRITICAL),
                "share": Share(raised, judged),
                "by_class": [self._abnormal(analyte, tumor) for tumor in self.classes()],
            })  # fmt: skip
        yield from ((group, found) for group, found in rows.items() if found)

    def _abnormal(self, analyte: str, tumor: str) -> Share:
        found = self._counts.judged(analyte, tumor)
        judged = found.total() - found[NOT_JUDGED]
        return Share(judged - found[NORMAL], judged)

    def never(self) -> list[str]:
        """What no panel of the cohort has."""
        named = analytes(self.edition).items()
        return [name for analyte, name in named if not self._counts.judged(analyte) and not analyte.endswith("_limit")]

    def diagrams(self) -> list[tuple[str, str]]:
        """(image, caption) of each Reibergram with at least one panel."""
        frame = self._counts.quotients
        found = []
        for name in CLASSES:
            if f"{name}_quotient" not in frame or frame[f"{name}_quotient"].isna().all():
                continue
            made = drawn(frame, name, self.edition, size=PRINTED)
            bare = replace(made.cloud, title=CLASSES[name], notes=())
            picture = svg.render(partial(cohort_plot.figure, bare), made.cloud.title, made.description)
            found.append((data_uri(svg.printed(picture)), " ".join(made.cloud.notes)))
        return found

    def small(self) -> bool:
        """True if a count below 5 is shown: a single patient might be told by it."""
        shown = [*self._counts.certainty.values(), *self._counts.patterns.values(), *self._counts.flags.values()]
        return any(0 < number < SMALL for number in shown)

    def sources(self) -> list[tuple[int, str]]:
        """The sources that the page names. Ask for them last."""
        return [(place, _told(self.edition.citation[name])) for name, place in self._cited.items()]

    def _sources(self, names: tuple[str, ...]) -> str:
        numbers = [str(self._cited.setdefault(name, len(self._cited) + 1)) for name in names
                   if name in self.edition.citation]  # fmt: skip
        return f" [{', '.join(numbers)}]" if numbers else ""


def _told(source: Citation) -> str:
    """A source as a reader finds it."""
    where = " ".join(str(one) for one in (source.journal, source.year) if one)
    said = ". ".join(filter(None, (source.authors, source.title, where))) or source.id
    return said + (f". doi:{source.doi}" if source.doi else "")


_CERTAINTIES = ("confirmed", "probable", "possible", "lack_of_evidence", "not_classifiable", "not_applicable")
