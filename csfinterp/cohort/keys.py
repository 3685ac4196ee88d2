"""Rows of whole numbers as keys: what was answered for one row is remembered for every equal row."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Sequence

import numpy as np

from csfinterp.model.cohort import Ints


class Interned:
    """Whole numbers for things, the same number for equal things, for as long as `clear` is not called."""

    def __init__(self) -> None:
        self._number: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return len(self._number)

    def of(self, thing: Hashable) -> int:
        return self._number.setdefault(thing, len(self._number))

    def all(self, things: Sequence[Hashable], index: Ints | None = None) -> Ints:
        """The number of each thing; with `index`, spread over rows."""
        found = np.array([self.of(thing) for thing in things], np.int64)
        return found if index is None else found[index]

    def clear(self) -> None:
        self._number.clear()


def table(columns: Sequence[Ints], size: int) -> Ints:
    """Columns side by side, shape (size, columns)."""
    if not columns:
        return np.zeros((size, 1), np.int64)
    return np.ascontiguousarray(np.stack(columns, axis=1), np.int64)


def row_keys(rows: Ints) -> list[bytes]:
    """Every row of a table as bytes."""
    width = rows.shape[1] * rows.itemsize
    data = rows.tobytes()
    return [data[start : start + width] for start in range(0, len(data), width)]


def group_keys(owner: Ints, rows: Ints, size: int) -> list[bytes]:
    """For every owner 0..size - 1 the bytes of all its rows, in order; `owner` ascends."""
    width = rows.shape[1] * rows.itemsize
    data = rows.tobytes()
    ends = owner.searchsorted(np.arange(size + 1)) * width
    bounds = ends.tolist()
    return [data[start:end] for start, end in itertools.pairwise(bounds)]


def numbered(keys: Sequence[bytes], known: dict[bytes, int], first: Callable[[list[int]], None]) -> Ints:
    """The number of each key; of new ones the first places are given to `first`, which answers for them in order."""
    new: list[int] = []
    for place, key in enumerate(keys):
        if key not in known:
            known[key] = len(known)
            new.append(place)
    if new:
        first(new)
    return np.fromiter(map(known.__getitem__, keys), np.int64, len(keys))
