"""The panels of one patient in the order of collection, each by its newest version, with the interpretation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, and_, bindparam, exists, func, or_, select

from csfinterp.acting import current
from csfinterp.store.schema import panel_versions, panels

_own_panel, _own_version = panels.alias("own_panel"), panel_versions.alias("own_version")


@dataclass(frozen=True)
class CourseRow:
    """The newest version of one panel; `collected_at` as sent, `interpretation` the document as JSON text."""

    panel_id: str
    version: int
    status: str
    source: str
    specimen_id: str
    collected_at: str | None
    created_at: str
    interpretation: str


def _when(panel: FromClause, version: FromClause) -> ColumnElement[str]:
    """Sorts like the time of collection, where unknown like that of arrival."""
    return func.coalesce(version.c.collected_utc, version.c.collected_on, panel.c.created_at)


def _is_newest(version: FromClause) -> ColumnElement[bool]:
    """There are no gaps in the numbers, so the newest version is the one without a next."""
    successor = panel_versions.alias()
    return ~exists().where(successor.c.panel_id == version.c.panel_id, successor.c.version == version.c.version + 1)


# Built once: building a statement costs more than running it.
_THIS = _when(panels, panel_versions)
_OWN = _when(_own_panel, _own_version)
_COURSE = (
    select(panels.c.id, panel_versions.c.version, panel_versions.c.status, panels.c.source_system,
           panels.c.specimen_id, panel_versions.c.collected_at, panel_versions.c.created_at,
           panel_versions.c.interpretation)
    .join_from(panels, panel_versions, panels.c.id == panel_versions.c.panel_id)
    .where(_is_newest(panel_versions))
    .order_by(_THIS.desc(), panels.c.seq.desc()).limit(bindparam("most"))
)  # fmt: skip
_OF_PATIENT = _COURSE.where(panels.c.patient_id == bindparam("patient_id"))
_BEFORE = (
    _COURSE.join(_own_panel, _own_panel.c.patient_id == panels.c.patient_id)
    .join(_own_version, _own_version.c.panel_id == _own_panel.c.id)
    .where(
        _own_panel.c.id == bindparam("panel_id"),
        _is_newest(_own_version),
        panels.c.id != _own_panel.c.id,
        panel_versions.c.status != "cancelled",
        or_(_THIS < _OWN, and_(_THIS == _OWN, panels.c.seq < _own_panel.c.seq)),
    )
)


def of_patient(connection: Connection, patient_id: str, most: int) -> tuple[CourseRow, ...]:
    """All panels of a patient, cancelled ones too, oldest collection first; of more than `most` the latest."""
    return _panels(connection, _OF_PATIENT, patient_id=patient_id, most=most)


def before(connection: Connection, panel_id: str, most: int) -> tuple[CourseRow, ...]:
    """The panels of the same patient that were collected before this one, without cancelled ones, oldest first."""
    return _panels(connection, _BEFORE, panel_id=panel_id, most=most)


def _panels(connection: Connection, query: Any, **values: object) -> tuple[CourseRow, ...]:
    rows = connection.execute(query, values).all()
    act = current()
    for row in rows:
        act.saw(row[0])
    return tuple(CourseRow(*tuple(row)) for row in reversed(rows))
