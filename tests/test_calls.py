"""Call-backs while versions are made: whoever wins, one call-back stands and the newest version knows it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from csfinterp.errors import ConflictError
from csfinterp.formats import acknowledgement, panel_json
from csfinterp.operations import open_service
from csfinterp.service import PanelFilter
from csfinterp.settings import Settings
from tests.making import sample_panel

TOLD = {"version": 1, "by": "A. Sample", "at": "2026-03-01T10:05:00+01:00", "read_back": True}
WRITERS = 8


def test_call_backs_and_new_versions_at_once(tmp_path: Path) -> None:
    values = {"DATABASE_URL": f"sqlite:///{tmp_path / 'csf.sqlite'}", "ALLOW_DRAFT": "true"}
    service = open_service(Settings.load({f"CSFINTERP_{name}": value for name, value in values.items()}))
    for _ in range(5):
        panel_id = service.submit(panel_json.read(json.dumps(sample_panel("bacterial")).encode())).panel_id

        def write(number: int, panel_id: str = panel_id) -> bool | None:
            """A new version by every second writer; else True if this call-back is the one that was noted."""
            if number % 2:
                service.amend_context(panel_id, {"episode": f"E{number}"}, "*")
                return None
            try:
                return service.calls.record(panel_id, acknowledgement.read({**TOLD, "told": f"Dr. {number}"})).created
            except ConflictError as error:
                assert error.kind == "acknowledged_before"
                return False

        with ThreadPoolExecutor(WRITERS) as pool:
            done = list(pool.map(write, range(WRITERS)))
        assert done.count(True) == 1
        newest = service.panel(panel_id)
        critical = newest.document["critical"]
        assert newest.version == 1 + WRITERS // 2
        assert isinstance(critical, list)
        assert {call["acknowledged"]["told"] for call in critical} == {f"Dr. {done.index(True)}"}
        (item,) = service.search(PanelFilter(panel_id=panel_id), 1).items
        assert item.critical_open == 0
