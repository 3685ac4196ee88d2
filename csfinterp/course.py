"""The course of a patient: the panels before one, or all of them, each with its interpretation document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from csfinterp.store import CourseRow, Store


@dataclass(frozen=True)
class CoursePanel:
    """The newest version of one panel. `collected_at` as sent; `document` is the interpretation document."""

    panel_id: str
    version: int
    status: str
    source: str
    specimen_id: str
    collected_at: str | None
    created_at: str
    document: dict[str, Any]


class Course:
    """Asks the store; each call is one query, whatever the number of panels."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of_patient(self, patient_id: str, most: int) -> tuple[CoursePanel, ...]:
        """All panels of a patient, cancelled ones too, oldest collection first; of more than `most` the latest."""
        return tuple(map(_panel, self._store.course(patient_id, most)))

    def before(self, panel_id: str, most: int) -> tuple[CoursePanel, ...]:
        """The panels of the same patient collected before this one, without cancelled ones, oldest first.

        Of more than `most` the latest. Empty for a panel that is not stored or has no patient id.
        """
        return tuple(map(_panel, self._store.before(panel_id, most)))


def _panel(row: CourseRow) -> CoursePanel:
    about = (row.panel_id, row.version, row.status, row.source, row.specimen_id, row.collected_at, row.created_at)
    return CoursePanel(*about, orjson.loads(row.interpretation))
