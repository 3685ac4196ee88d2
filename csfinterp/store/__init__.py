"""The store: every panel, every version, every message, in SQLite or PostgreSQL."""

from csfinterp.store.course import CourseRow
from csfinterp.store.engine import StoreError, open_engine, revisions, upgrade
from csfinterp.store.filters import PanelFilter
from csfinterp.store.panels import Store
from csfinterp.store.records import (
    Acknowledgement,
    Basis,
    CardFeedback,
    Collected,
    EarlierPanel,
    EventRecord,
    Heard,
    Page,
    PanelKey,
    PanelSummary,
    RaceError,
    Received,
    SearchTables,
    Transcript,
    VersionInfo,
    VersionRecord,
    Written,
    stamp,
)

__all__ = [
    "Acknowledgement",
    "Basis",
    "CardFeedback",
    "Collected",
    "CourseRow",
    "EarlierPanel",
    "EventRecord",
    "Heard",
    "Page",
    "PanelFilter",
    "PanelKey",
    "PanelSummary",
    "RaceError",
    "Received",
    "SearchTables",
    "Store",
    "StoreError",
    "Transcript",
    "VersionInfo",
    "VersionRecord",
    "Written",
    "open_engine",
    "open_store",
    "revisions",
    "stamp",
    "upgrade",
]


def open_store(database_url: str, *, migrate: bool = True) -> Store:
    """The store at `database_url`, its tables brought to the newest revision unless `migrate` is False.

    Raises StoreError for an address or a file that cannot be used. `hide_parameters` is on: no error quotes a row.
    """
    engine = open_engine(database_url)
    if migrate:
        upgrade(engine)
    return Store(engine)
