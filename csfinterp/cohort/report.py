"""What a cohort run could not use: counted by column and kind, with row numbers; never what a cell held."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from csfinterp.cohort.table import Answer
from csfinterp.errors import DocumentError
from csfinterp.formats.cohort_csv import Entry

EXAMPLES = 5
PANEL = "(whole panel)"
Key = TypeVar("Key")


@dataclass
class Tally:
    """`cells`: how many; `rows`: the first rows that have it."""

    cells: int = 0
    rows: list[int] = field(default_factory=list)

    def add(self, row: int) -> None:
        self.cells += 1
        if len(self.rows) < EXAMPLES and row not in self.rows:
            self.rows.append(row)

    @property
    def where(self) -> str:
        counted = f"{self.cells} time" if self.cells == 1 else f"{self.cells} times"
        more = ", …" if self.cells > len(self.rows) else ""
        return f"{counted} (row {', '.join(map(str, self.rows))}{more})"


@dataclass
class Report:
    """`known`: the analyte ids of the edition; only they are named by a code, anything else by its column.

    `issues`: (column, code, severity) and `refused`: (what is wrong) -> how often and where.
    """

    known: Collection[str]
    panels: int = 0
    refusals: int = 0
    critical: int = 0
    issues: dict[tuple[str, str, str], Tally] = field(default_factory=dict)
    refused: dict[str, Tally] = field(default_factory=dict)

    def answered(self, entry: Entry, answer: Answer) -> None:
        self.panels += 1
        self.critical += answer.cells["critical"] != 0
        for issue in answer.issues:
            number, column, row = issue.observation, PANEL, entry.row
            if number is not None:
                code = answer.panel.observations[number].code.code
                column, row = code if code in self.known else entry.columns[number], entry.rows[number]
            self.issues.setdefault((column, issue.code, issue.severity), Tally()).add(row)

    def refuse(self, entry: Entry, error: DocumentError) -> None:
        self.panels += 1
        self.refusals += 1
        for fault in error.faults:
            message = fault.message.partition(": ")[2] if fault.message.startswith("Row ") else fault.message
            column = fault.pointer.split("/")[3] if fault.pointer.count("/") > 2 else PANEL
            self.refused.setdefault(f"{column}: {message}", Tally()).add(entry.row)

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


def _most_first(found: dict[Key, Tally]) -> list[tuple[Key, Tally]]:
    return sorted(found.items(), key=lambda pair: -pair[1].cells)
