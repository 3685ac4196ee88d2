"""What a cohort run could not use: counted by column and kind, with row numbers; never what a cell held."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from csfinterp.cohort.calls import Counted, Problem
from csfinterp.cohort.sheet import Sheet
from csfinterp.errors import DocumentError

EXAMPLES = 5
PANEL = "(whole panel)"
Key = TypeVar("Key", str, tuple[str, str, str])


@dataclass
class Tally:
    """`cells`: how many; `rows`: the first rows that have it."""

    cells: int = 0
    rows: list[int] = field(default_factory=list)

    def add(self, rows: Sequence[int], cells: int | None = None) -> None:
        """More of it, in these rows (the first are enough); `cells`: how many if not one a row."""
        self.cells += len(rows) if cells is None else cells
        for row in rows:
            if len(self.rows) >= EXAMPLES:
                return
            if row not in self.rows:
                self.rows.append(row)

    @property
    def where(self) -> str:
        counted = f"{self.cells} time" if self.cells == 1 else f"{self.cells} times"
        more = ", …" if self.cells > len(self.rows) else ""
        return f"{counted} (row {', '.join(map(str, self.rows))}{more})"


@dataclass
class Report:
    """`issues`: (column, code, severity) and `refused`: (what is wrong) -> how often and where."""

    panels: int = 0
    refusals: int = 0
    critical: int = 0
    issues: dict[tuple[str, str, str], Tally] = field(default_factory=dict)
    refused: dict[str, Tally] = field(default_factory=dict)

    def answered(self, sheet: Sheet, counted: Sequence[Counted], known: Collection[str]) -> None:
        """The readable panels of a sheet. `known`: the analyte ids of the edition; only they are named by a code,
        anything else by its column."""
        self.panels += len(counted)
        self.critical += sum(1 for one in counted if one.critical)
        alike: dict[int, tuple[tuple[Problem, ...], list[int]]] = {}
        for place, one in enumerate(counted):
            if one.issues:
                alike.setdefault(id(one.issues), (one.issues, []))[1].append(place)
        by_problem: dict[Problem, list[int]] = {}
        for problems, places in alike.values():
            for problem in problems:
                by_problem.setdefault(problem, []).extend(places)
        found: dict[tuple[str, str, str], list[int]] = {}
        for problem, places in by_problem.items():
            for column, row in _placed(sheet, problem, places, known):
                found.setdefault((column, problem.code, problem.severity), []).append(row)
        for key, rows in found.items():
            self.issues.setdefault(key, Tally()).add(sorted(rows))

    def refuse(self, row: int, error: DocumentError) -> None:
        self.panels += 1
        self.refusals += 1
        for fault in error.faults:
            message = fault.message.partition(": ")[2] if fault.message.startswith("Row ") else fault.message
            column = fault.pointer.split("/")[3] if fault.pointer.count("/") > 2 else PANEL
            self.refused.setdefault(f"{column}: {message}", Tally()).add([row])

    def add(self, later: Report) -> None:
        """What a later part of the file could not use, put behind."""
        self.panels += later.panels
        self.refusals += later.refusals
        self.critical += later.critical
        _add(self.issues, later.issues)
        _add(self.refused, later.refused)

    def plain(self) -> list[Any]:
        """Everything as JSON types, for the journal."""
        issues = [[*key, tally.cells, tally.rows] for key, tally in self.issues.items()]
        refused = [[key, tally.cells, tally.rows] for key, tally in self.refused.items()]
        return [self.panels, self.refusals, self.critical, issues, refused]

    @staticmethod
    def of(plain: Sequence[Any]) -> Report:
        """What `plain` gave."""
        panels, refusals, critical, issues, refused = plain
        return Report(
            panels, refusals, critical,
            {(column, code, severity): Tally(cells, rows) for column, code, severity, cells, rows in issues},
            {key: Tally(cells, rows) for key, cells, rows in refused},
        )  # fmt: skip

    def lines(self) -> Iterator[str]:
        """For a person, the most frequent first."""
        for what, tally in _most_first(self.refused):
            yield f"refused  {what} {tally.where}"
        for (column, code, severity), tally in _most_first(self.issues):
            yield f"{severity:<8} {column}: {code} {tally.where}"

    def data(self) -> dict[str, object]:
        """For the manifest."""
        return {
            "counts": {
                "panels": self.panels,
                "interpreted": self.panels - self.refusals,
                "refused": self.refusals,
                "issues": sum(tally.cells for tally in self.issues.values()),
                "panels_with_critical": self.critical,
            },
            "refused": [{"what": what, **vars(tally)} for what, tally in _most_first(self.refused)],
            "issues": [
                {"column": column, "code": code, "severity": severity, **vars(tally)}
                for (column, code, severity), tally in _most_first(self.issues)
            ],
        }


def _placed(sheet: Sheet, problem: Problem, places: Sequence[int], known: Collection[str]) -> Iterator[tuple[str, int]]:
    """Column and row of a problem in each of these panels."""
    if problem.slot is None:
        yield from ((PANEL, sheet.first[sheet.good[place]]) for place in places)
    elif sheet.header.code is None:  # equal slots are the same column, and a panel is a row
        test = sheet.header.tests[problem.slot]
        column = test.code if test.code in known else sheet.header.names[test.value]
        yield from ((str(column), sheet.first[sheet.good[place]]) for place in places)
    else:
        for place in places:
            result = sheet.place_of(place, problem.slot)
            code = sheet.results.code.texts[sheet.results.code.index[result]]
            yield code if code in known else "value", sheet.row_of(result)


def _add(mine: dict[Key, Tally], more: Mapping[Key, Tally]) -> None:
    for key, tally in more.items():
        mine.setdefault(key, Tally()).add(tally.rows, tally.cells)


def _most_first(found: Mapping[Key, Tally]) -> list[tuple[Key, Tally]]:
    """The most frequent first, then by name: chunks and workers change nothing."""
    return sorted(found.items(), key=lambda pair: (-pair[1].cells, pair[0]))
