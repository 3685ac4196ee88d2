"""The real listener: `csfinterp mllp` as a subprocess on a database file of its own, asked over real sockets."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from csfinterp.service import PanelFilter
from csfinterp.store import open_store
from tests.mllp.messages import END, Ack, framed


class Sender:
    """One connection to a listener."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None, timeout: float = 60) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = plain if tls is None else tls.wrap_socket(plain, server_hostname="localhost")
        self._read = b""

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def write(self, data: bytes) -> None:
        self.socket.sendall(data)

    def ask(self, message: bytes) -> Ack:
        """Send one message and wait for its answer."""
        self.write(framed(message))
        return self.answer()

    def answer(self) -> Ack:
        """The next answer. Raises EOFError if the listener closed the connection instead."""
        while END not in self._read:
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError("the listener closed the connection")
            self._read += piece
        frame, self._read = self._read.split(END, 1)
        assert frame.startswith(b"\x0b"), frame
        return Ack.of(frame[1:])

    def closed(self) -> bool:
        """True once the listener has closed and sent nothing more."""
        try:
            return self.socket.recv(65536) == b""
        except ConnectionError:
            return True


class Listener:
    """A running `csfinterp mllp`. `settings`: CSFINTERP_ variables without the prefix."""

    def __init__(self, folder: Path, port: int = 0, **settings: str) -> None:
        self.folder, self.log = folder, folder / "mllp.log"
        folder.mkdir(parents=True, exist_ok=True)
        self.database_url = f"sqlite:///{folder / 'csf.sqlite'}"
        values = {"DATABASE_URL": self.database_url, "DATA_FOLDER": str(folder), "ALLOW_DRAFT": "true"} | settings
        environment = os.environ | {f"CSFINTERP_{name}": value for name, value in values.items()}
        command = [sys.executable, "-m", "csfinterp", "mllp", "--port", str(port)]
        start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self.port = self._ready(start)

    def _ready(self, start: int) -> int:
        while self.process.poll() is None:
            if found := re.search(rb"listens .*:(\d+)\n", self.log.read_bytes()[start:]):
                return int(found[1])
            try:
                self.process.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
        raise AssertionError(self.log.read_text())

    def sender(self, tls: ssl.SSLContext | None = None, timeout: float = 60) -> Sender:
        return Sender(self.port, tls, timeout)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Sends the signal and waits for the end; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)


def stored_panels(listener: Listener, filters: PanelFilter, limit: int = 100) -> list[int]:
    """The newest version of every panel that the listener stored and that passes the filters."""
    store = open_store(listener.database_url, migrate=False)
    try:
        return [summary.version for summary in store.search(filters, limit).items]
    finally:
        store.close()


Start = Callable[..., "Listener"]


@contextmanager
def listening(folder: Path, **settings: str) -> Iterator[Listener]:
    """A listener that is ended when the block ends."""
    listener = Listener(folder, **settings)
    try:
        yield listener
    finally:
        if listener.process.poll() is None:
            listener.process.kill()
            listener.process.wait(60)


@pytest.fixture(scope="session")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    """One listener for all tests that need no settings of their own: every test sends control ids of its own."""
    with listening(tmp_path_factory.mktemp("mllp"), MAX_BODY_BYTES="200000") as running:
        yield running


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts listeners with settings of their own on one database; all are ended with the test."""
    running: list[Listener] = []

    def run(port: int = 0, **settings: str) -> Listener:
        running.append(Listener(tmp_path / "listener", port, **settings))
        return running[-1]

    yield run
    for one in running:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait(60)
