"""`python -m tests.bench doors`: the MLLP and HTTP doors against floors that read, insert as many bytes and answer."""

from __future__ import annotations

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from csfinterp.serving import gunicorn_command
from csfinterp.settings import Settings
from tests.bench.batch import batch
from tests.bench.core import document
from tests.bench.measure import ROUNDS, Line
from tests.mllp.conftest import listening
from tests.mllp.messages import END, framed, oru

CONNECTIONS, MESSAGES, WORKERS = 4, 40, 2
Request = Callable[[int], bytes]


def lines() -> Iterator[Line]:
    with tempfile.TemporaryDirectory(prefix="csfinterp-bench-") as folder:
        yield mllp(Path(folder) / "mllp")
        yield http(Path(folder) / "http")
    yield batch()


# --- MLLP ---


def mllp(folder: Path) -> Line:
    """Messages per second of one listener process, 4 senders that wait for each answer."""

    def message(number: int) -> bytes:
        return framed(oru(f"B{number}", patient=f"MRN-B{number}"))

    with listening(folder, LOG_LEVEL="ERROR") as ours:
        run(ours.port, message, _to_end_of_frame, -1)
        size = bytes_per_message(ours.database_url)
        command = [sys.executable, "-m", "tests.bench.floors", str(folder / "floor.sqlite"), str(size)]
        with started(command, r"listens on :(\d+)", folder / "floor.log") as floor:
            one, two = in_turns(ours.port, floor, message, _to_end_of_frame)
    return Line(f"MLLP messages a second, listener / floor ({size} bytes a message)", one / two, 0.5, True)


def _to_end_of_frame(connection: socket.socket) -> None:
    data = b""
    while not data.endswith(END):
        piece = connection.recv(65536)
        assert piece, "the listener closed the connection"
        data += piece
    assert b"MSA|AA|" in data, data


# --- HTTP ---


def http(folder: Path) -> Line:
    """Panels per second of the same gunicorn (2 workers), 4 senders on connections that stay open."""
    folder.mkdir()

    def request(number: int) -> bytes:
        panel: dict[str, Any] = dict(document(number))
        panel["source"] = {"system": "BENCH", "message_id": f"B{number}"}
        panel["patient"] = {**panel["patient"], "id": f"MRN-B{number}"}
        body = json.dumps(panel).encode()
        head = ("POST /api/v1/panels HTTP/1.1", "Host: bench", "Content-Type: application/json",
                f"Content-Length: {len(body)}")  # fmt: skip
        return "\r\n".join(head).encode() + b"\r\n\r\n" + body

    database = folder / "csf.sqlite"
    with ExitStack() as stack:
        values = {"CSFINTERP_DATABASE_URL": f"sqlite:///{database}", "CSFINTERP_ALLOW_DRAFT": "true",
                  "CSFINTERP_ACCESS": "open"}  # fmt: skip
        ours = stack.enter_context(served(folder / "ours.log", values, None))
        run(ours, request, _to_end_of_body, -1)
        size = bytes_per_message(f"sqlite:///{database}")
        values = {"BENCH_FILE": str(folder / "floor.sqlite"), "BENCH_BYTES": str(size)}
        floor = stack.enter_context(served(folder / "floor.log", values, "tests.bench.floors:create_app()"))
        one, two = in_turns(ours, floor, request, _to_end_of_body)
    return Line(f"POST /api/v1/panels a second, service / floor ({size} bytes a panel)", one / two, 0.6, True)


def _to_end_of_body(connection: socket.socket) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        assert piece, data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 201"), data[:600]
    found = re.search(rb"(?i)content-length: (\d+)", head)
    assert found, head
    left = int(found[1]) - len(body)
    while left > 0:
        left -= len(connection.recv(left))


@contextmanager
def served(log: Path, values: dict[str, str], app: str | None) -> Iterator[int]:
    """A gunicorn, started as `csfinterp serve` does it, with another application if `app` names one."""
    with socket.create_server(("127.0.0.1", 0)) as listener, log.open("wb") as stream:
        number = listener.fileno()
        command = gunicorn_command(Settings.load({}), f"fd://{number}", WORKERS)
        command = [app if app and word == "csfinterp.web:create_app()" else word for word in command]
        environment = {**os.environ, **values, "CSFINTERP_LOG_LEVEL": "ERROR"}
        process = subprocess.Popen(command, env=environment, pass_fds=(number,), stdout=stream, stderr=stream)
        try:
            time.sleep(5)
            assert process.poll() is None, log.read_text()
            yield listener.getsockname()[1]
        finally:
            process.terminate()
            process.wait(30)


# --- both ---


def run(port: int, request: Request, answered: Callable[[socket.socket], None], turn: int) -> float:
    """Requests per second of one round; no request comes twice."""
    made = [request((turn + 1) * MESSAGES * CONNECTIONS + number) for number in range(MESSAGES * CONNECTIONS)]

    def talk(lane: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for data in made[lane::CONNECTIONS]:
                connection.sendall(data)
                answered(connection)

    start = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(talk, range(CONNECTIONS)))
    return len(made) / (time.perf_counter() - start)


def in_turns(ours: int, floor: int, request: Request, answered: Callable[[socket.socket], None]) -> tuple[float, float]:
    """Requests per second of both; they take turns, so that a noisy moment hits both; the best round counts."""
    run(floor, request, answered, -1)
    rounds = [(run(ours, request, answered, turn), run(floor, request, answered, turn)) for turn in range(ROUNDS)]
    return max(one for one, _ in rounds), max(two for _, two in rounds)


def bytes_per_message(database_url: str) -> int:
    """The bytes of all columns of all tables, per version stored."""
    with sqlite3.connect(database_url.removeprefix("sqlite:///")) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        total = 0
        for table in tables:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            lengths = " + ".join(f"coalesce(length({column}), 0)" for column in columns)
            total += connection.execute(f"SELECT coalesce(sum({lengths}), 0) FROM {table}").fetchone()[0]
        return int(total / connection.execute("SELECT count(*) FROM panel_versions").fetchone()[0])


@contextmanager
def started(command: list[str], ready: str, log: Path) -> Iterator[int]:
    """A process that says its port; ended when the block ends."""
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
    try:
        while not (found := re.search(ready, log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        yield int(found[1])
    finally:
        process.terminate()
        process.wait(30)
