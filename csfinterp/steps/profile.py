"""Comparison with the published profiles of cytology-positive LM, marker by marker;
never a probability, never a level."""

from __future__ import annotations

import numpy as np

from csfinterp.model.cohort import Bytes
from csfinterp.steps.layout import FLAG, Layout
from csfinterp.steps.truth import FALSE, TRUE, UNKNOWN

DIRECTIONS = {"high": ("H", "HH"), "low": ("L", "LL")}


class Profiles:
    """Profiles of one edition. `start[id]` is the first row of a profile's markers in the array of `compare`."""

    def __init__(self, layout: Layout) -> None:
        self._rows: list[int] = []
        tables: list[Bytes] = []
        self.start: dict[str, int] = {}
        for profile in layout.edition.profiles:
            self.start[profile.id] = len(self._rows)
            for marker in profile.markers:
                self._rows.append(layout.statement[marker.id])
                table = np.full(len(FLAG), FALSE, np.int8)
                table[0] = UNKNOWN
                table[[FLAG[word] for word in DIRECTIONS[marker.direction]]] = TRUE
                tables.append(table)
        self._tables = np.array(tables, np.int8).reshape(len(tables), len(FLAG))
        self._index = np.array(self._rows, np.int64)

    def compare(self, rule_flag: Bytes) -> Bytes:
        """Truth of "abnormal in the profile's direction" per marker, UNKNOWN without a flag;
        shape (markers, panels)."""
        found: Bytes = np.take_along_axis(self._tables, rule_flag[self._index].astype(np.int64), axis=1)
        return found
