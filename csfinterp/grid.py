"""The EANO-ESMO grid of an edition, asked of the compiled table itself: what any combination of inputs would give."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from csfinterp.steps.classify import Evidence
from csfinterp.steps.pipeline import Core

TABLE = "eano_esmo"
# Document ids of the inputs -> those of the table.
_INPUTS = {"csf_cytology": "csf_cytology_best"}
# What an input that is not named means where that is not "unknown" (contract of the panel document).
_ABSENT = {"biopsy": "not_done"}


@dataclass(frozen=True)
class GridAnswer:
    """What the table gives for one combination: level, type, R row, and how well that cell is supported."""

    certainty: str
    type: str | None
    provisional: bool
    row: str
    status: str
    citations: tuple[str, ...]


class Grid:
    """The table of one edition. `digest`: of the edition, to be compared with that of a document."""

    def __init__(self, core: Core) -> None:
        self.digest = core.edition.digest
        self._evidence: Evidence = core.evidence[TABLE]

    @cached_property
    def words(self) -> dict[str, tuple[str, ...]]:
        """Input -> the words that a missing one could still take, in the order of the table."""
        table = self._evidence.table
        names = {inside: outside for outside, inside in _INPUTS.items()}
        return {names.get(name, name): tuple(words) for name, words in table.completions.items()}

    @cached_property
    def letters(self) -> dict[str, str]:
        """MRI word -> letter of the type."""
        return dict(self._evidence.table.letters)

    def at(self, **inputs: str) -> GridAnswer:
        """The answer for these words of tumor, biopsy, csf_cytology, mri, clinical_signs; one not named is unknown.

        Raises ValueError for a word that the table does not know.
        """
        words = {_INPUTS.get(name, name): word for name, word in (_ABSENT | inputs).items()}
        found = self._evidence.at(0, **words)  # combination 0: nothing known
        cell, table = found.cell, self._evidence.table
        return GridAnswer(
            found.answer,
            found.type,
            found.provisional,
            cell.id.split("-")[0] if cell else "",
            cell.status if cell else table.status,
            cell.citations if cell else table.citations,
        )
