"""One column of the researcher's table for a chunk: words by number, numbers, counts or texts; as CSV or plain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from csfinterp.formats.csv_cells import text_cell
from csfinterp.model.cohort import Floats, Ints


@dataclass(frozen=True)
class Coded:
    """Few distinct words: `index` -1 is missing. `words` may be texts or truth values."""

    words: Sequence[str | bool]
    index: Ints

    def csv(self) -> list[str]:
        shown = [*(_shown(word) for word in self.words), ""]
        found: list[str] = np.array(shown, object)[self.index].tolist()
        return found

    def plain(self) -> list[Any]:
        found: list[Any] = np.array([*self.words, None], object)[self.index].tolist()
        return found

    def spread(self, place: Ints, size: int) -> Coded:
        return Coded(self.words, _spread(self.index, place, size, -1))


@dataclass(frozen=True)
class Numbers:
    """NaN is missing."""

    values: Floats

    def csv(self) -> list[str]:
        known = np.flatnonzero(self.values == self.values)
        found = [""] * len(self.values)
        for place, value in zip(known.tolist(), self.values[known].tolist(), strict=True):
            found[place] = repr(value)
        return found

    def plain(self) -> list[Any]:
        return [None if value != value else value for value in self.values.tolist()]

    def spread(self, place: Ints, size: int) -> Numbers:
        return Numbers(_spread(self.values, place, size, np.nan))


@dataclass(frozen=True)
class Counts:
    """-1 is missing."""

    values: Ints

    def csv(self) -> list[str]:
        return [str(value) if value >= 0 else "" for value in self.values.tolist()]

    def plain(self) -> list[Any]:
        return [value if value >= 0 else None for value in self.values.tolist()]

    def spread(self, place: Ints, size: int) -> Counts:
        return Counts(_spread(self.values, place, size, -1))


@dataclass(frozen=True)
class Words:
    """A text of its own for every row; None is missing."""

    texts: Sequence[str | None]

    def csv(self) -> list[str]:
        return ["" if text is None else text_cell(text) for text in self.texts]

    def plain(self) -> list[Any]:
        return list(self.texts)

    def spread(self, place: Ints, size: int) -> Words:
        found: list[str | None] = [None] * size
        for at, text in zip(place.tolist(), self.texts, strict=True):
            found[at] = text
        return Words(found)


Cells = Coded | Numbers | Counts | Words


def _shown(word: str | bool) -> str:
    return text_cell(word) if isinstance(word, str) else "true" if word else "false"


def _spread(values: np.ndarray[Any, Any], place: Ints, size: int, missing: float) -> Any:
    if len(place) == size:
        return values
    found = np.full(size, missing, values.dtype)
    found[place] = values
    return found


def lines(columns: Sequence[Cells]) -> str:
    """Rows as CSV text (RFC 4180), each with its line end."""
    rows = zip(*(column.csv() for column in columns), strict=True)
    return "".join([",".join(row) + "\r\n" for row in rows])
