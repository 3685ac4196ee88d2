"""The real server for tests: gunicorn as `csfinterp serve` starts it, on a database file of its own."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from csfinterp.serving import gunicorn_command
from csfinterp.settings import Settings

Answer = tuple[int, dict[str, str], Any]


class Server:
    """A running server; `url` without a slash at its end. `headers` go with every request of `ask`."""

    def __init__(self, port: int, log: Path) -> None:
        self.port, self.log = port, log
        self.url = f"http://127.0.0.1:{port}"
        self.headers: dict[str, str] = {}

    def ask(self, method: str, address: str, body: bytes | None = None, **headers: str) -> Answer:
        """Status, headers and the JSON document (None: empty body). `Content_Type="…"` becomes Content-Type."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        try:
            connection.request(method, address, body, {**self.headers, **named})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, dict(answer.headers), json.loads(text) if text else None
        finally:
            connection.close()

    def post(self, document: object) -> Answer:
        return self.ask("POST", "/api/v1/panels", json.dumps(document).encode(), Content_Type="application/json")


@contextmanager
def serving(folder: Path, workers: int, **settings: str) -> Iterator[Server]:
    """A server that answers /readyz, ended with the block. `settings`: CSFINTERP_ variables without the prefix."""
    values = {"DATABASE_URL": f"sqlite:///{folder / 'csf.sqlite'}", "ALLOW_DRAFT": "true", **settings}
    environment = {**os.environ, **{f"CSFINTERP_{name}": value for name, value in values.items()}}
    with socket.create_server(("127.0.0.1", 0)) as listener, (folder / "log").open("wb") as log:
        number = listener.fileno()
        command = gunicorn_command(Settings.load({}), f"fd://{number}", workers=workers)
        process = subprocess.Popen(command, env=environment, pass_fds=(number,), stdout=log, stderr=log)
        server = Server(listener.getsockname()[1], folder / "log")
    try:
        _wait(server, process)
        yield server
    finally:
        process.terminate()
        process.wait(30)


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, server.log.read_text()
        try:
            if server.ask("GET", "/readyz")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(server.log.read_text())
