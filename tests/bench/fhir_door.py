"""The FHIR door against its floor: parse the same Bundle with fhir.resources and insert as many bytes durably.

`lines()` is what a bench of all doors calls; alone: `python -m tests.bench fhir_door`.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from fhir.resources.R4B import get_fhir_model_class

from csfinterp.operations import open_service
from csfinterp.settings import Settings
from csfinterp.web import create_app
from tests.bench.core import document
from tests.bench.measure import Line, side_by_side
from tests.formats.fhir_rendering import to_fhir

BATCH = 20


def lines() -> Iterator[Line]:
    """Posts of new Bundles of 20 observations, each stored and interpreted, per second of the floor."""
    with tempfile.TemporaryDirectory() as folder:
        ours, floor = side_by_side(_door(Path(folder)), _floor(Path(folder)), (1, 1))
        yield Line("FHIR Bundle posted, stored and interpreted / parsed and inserted", floor / ours, 0.5, True)


def _bundles() -> Iterator[bytes]:
    """Bundles that differ in specimen and patient; made before they are timed, BATCH at a time."""
    template = json.dumps(to_fhir(document(1)))
    for number in itertools.count(1):
        yield template.replace("BENCH", f"BENCH{number}x").encode()


def _door(folder: Path) -> Callable[[], None]:
    settings = Settings.load({
        "CSFINTERP_DATABASE_URL": f"sqlite:///{folder / 'door.sqlite'}",
        "CSFINTERP_ALLOW_DRAFT": "true", "CSFINTERP_LOG_LEVEL": "ERROR", "CSFINTERP_ACCESS": "open",
    })  # fmt: skip
    client = create_app(settings, open_service(settings)).test_client()
    bundles = _bundles()

    def post() -> None:
        for body in itertools.islice(bundles, BATCH):
            answer = client.post("/fhir/r4", data=body, content_type="application/fhir+json")
            assert answer.status_code == 200, answer.text

    return post


def _floor(folder: Path) -> Callable[[], None]:
    connection = sqlite3.connect(folder / "floor.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE bundles (number INTEGER PRIMARY KEY, body BLOB)")
    model, bundles = get_fhir_model_class("Bundle"), _bundles()

    def parse_and_insert() -> None:
        for body in itertools.islice(bundles, BATCH):
            model.model_validate_json(body)
            connection.execute("INSERT INTO bundles (body) VALUES (?)", (body,))

    return parse_and_insert
