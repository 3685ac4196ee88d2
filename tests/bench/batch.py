"""A line of `python -m tests.bench doors`: panels one by one against the same number in one batch, to one worker."""

from __future__ import annotations

import http.client
import itertools
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from csfinterp import demo
from csfinterp.settings import Settings
from tests.bench.core import document
from tests.bench.measure import Line

PANELS, ROUNDS = 200, 3
HEADERS = {"Content-Type": "application/json"}
_numbers = itertools.count(1)


def batch() -> Line:
    """Both ways take turns on the same server and database; the best round of each counts."""
    with tempfile.TemporaryDirectory() as folder:
        settings = replace(Settings.load({}), demo_folder=Path(folder), allow_draft=True)
        with demo.running(settings, 8765) as running:
            connection = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=600)
            HEADERS["Authorization"] = f"Bearer {running.keys.tokens['laboratory']}"
            _single(connection, panels(20))
            rounds = [(_single(connection, panels()), _batch(connection, panels())) for _ in range(ROUNDS)]
            connection.close()
    one, together = (min(column) for column in zip(*rounds, strict=True))
    return Line("one panel of 20 observations, single post / in a batch of 200", one / together, 5.0, True)


def panels(count: int = PANELS) -> list[bytes]:
    """New routine panels, each of a patient of its own."""
    made = []
    for number in itertools.islice(_numbers, count):
        panel = document(number)
        made.append(json.dumps({**panel, "patient": {"id": f"BENCH-{number}", "birth_date": "1970-05-01"}}).encode())
    return made


def _single(connection: http.client.HTTPConnection, bodies: list[bytes]) -> float:
    """Seconds per panel, on one connection that stays open."""
    start = time.perf_counter()
    for body in bodies:
        connection.request("POST", "/api/v1/panels", body, HEADERS)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 201
    return (time.perf_counter() - start) / len(bodies)


def _batch(connection: http.client.HTTPConnection, bodies: list[bytes]) -> float:
    start = time.perf_counter()
    connection.request("POST", "/api/v1/panels/batch", b"[" + b",".join(bodies) + b"]", HEADERS)
    found = json.loads(connection.getresponse().read())
    assert [one["status"] for one in found] == [201] * len(bodies)
    return (time.perf_counter() - start) / len(bodies)
