"""A real database file for each test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from csfinterp.store import (
    Basis,
    Collected,
    EventRecord,
    PanelKey,
    Received,
    SearchTables,
    Store,
    VersionRecord,
    Written,
    open_store,
)
from tests.databases import new_database


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return new_database(tmp_path)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = open_store(database_url)
    yield opened
    opened.close()


class Writer:
    """Writes versions as the service would, without any medicine: every field has a plain default."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def record(
        self, panel_id: str = "p1", version: int = 1, collected: date | None = None, **changed: Any
    ) -> VersionRecord:
        values: dict[str, Any] = {
            "reason": "posted", "status": "final", "content_digest": f"digest-{panel_id}-{version}",
            "panel_document": '{"specimen": {"id": "S"}}', "amended_context": None, "history": "{}",
            "interpretation": f'{{"version": {version}}}', "contributes": '{"found": []}', "edition_id": "2026.1",
            "edition_digest": "sha256:e", "site_rules_digest": None, "certainty": "possible", "type": None,
            "headline": "A headline.", "critical_open": 0, "episode": None, "created_at": "2026-03-01T08:00:00.000000Z",
        }  # fmt: skip
        return VersionRecord(
            panel_id=panel_id, version=version, collected=Collected.of(collected), **(values | changed)
        )

    def add(
        self,
        panel_id: str = "p1",
        version: int = 1,
        *,
        key: PanelKey | None = None,
        message_id: str | None = None,
        flags: Iterable[tuple[str, str]] = (),
        findings: Mapping[str, str] | None = None,
        basis: Basis | None = None,
        events: Iterable[EventRecord] = (),
        repeated: Iterable[tuple[str, str, str]] = (),
        **changed: Any,
    ) -> VersionRecord:
        """Stores one version; unless `key` says otherwise, the specimen is named after the panel, the patient MRN-1."""
        record = self.record(panel_id, version, **changed)
        received = Received("LIS-A", message_id, record.content_digest, record.created_at)
        tables = SearchTables(frozenset(flags), findings or {})
        key = key or PanelKey("LIS-A", f"S-{panel_id}", "MRN-1")
        written = Written(key, record, tables, basis, received, tuple(events), tuple(repeated))
        self.store.add_many((written,))
        return record


@pytest.fixture
def writer(store: Store) -> Writer:
    return Writer(store)
