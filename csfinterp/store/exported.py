"""What an export reads: the newest versions that pass the filters, in the order of arrival, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Engine, exists, select

from csfinterp.store.filters import PanelFilter
from csfinterp.store.schema import panel_versions, panels

_successor = panel_versions.alias("successor_of_exported")
_NEWEST = ~exists().where(
    _successor.c.panel_id == panel_versions.c.panel_id, _successor.c.version == panel_versions.c.version + 1
)


class Exported(NamedTuple):
    """The newest version of a panel; documents are JSON text."""

    seq: int
    panel_id: str
    source_system: str
    specimen_id: str
    patient_id: str | None
    panel_document: str
    interpretation: str


def pages(engine: Engine, filters: PanelFilter, size: int) -> Iterator[list[Exported]]:
    """Pages of `size` rows; each is a query of its own behind the last row of the one before, so memory stays flat.

    Raises DocumentError naming the filter that is wrong.
    """
    versions = panel_versions.c
    query = (
        select(panels.c.seq, panels.c.id, panels.c.source_system, panels.c.specimen_id, panels.c.patient_id,
               versions.panel_document, versions.interpretation)
        .select_from(panels.join(panel_versions, panels.c.id == panel_versions.c.panel_id))
        .where(_NEWEST, *filters.conditions()).order_by(panels.c.seq).limit(size)
    )  # fmt: skip
    after = -1
    while True:
        with engine.connect() as connection:
            found = [Exported(*row) for row in connection.execute(query.where(panels.c.seq > after))]
        if found:
            yield found
        if len(found) < size:
            return
        after = found[-1].seq
