"""csfinterp demo: the real server on loopback with its own SQLite file, and constructed panels posted through HTTP."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from csfinterp import acting
from csfinterp.accounts import Role
from csfinterp.errors import ConflictError, CsfinterpError
from csfinterp.operations import open_service, trust
from csfinterp.samples import Sample
from csfinterp.serving import gunicorn_command
from csfinterp.settings import PREFIX, Settings

SHOWN = "solid_lm_positive_cytology"
START_SECONDS = 90.0
USER = "demo"
TOKEN_ROLES = (Role.LABORATORY, Role.CLINICIAN, Role.RESEARCHER)


class DemoError(CsfinterpError):
    """The demo's server did not start or did not answer; the message says where its log is."""


@dataclass(frozen=True)
class Keys:
    """What opens the demo: the account for a browser, and a token for each role."""

    user: str
    password: str
    tokens: dict[str, str]


@dataclass(frozen=True)
class Demo:
    """A running demo. `page`: the address of the interpretation that is shown."""

    url: str
    keys: Keys
    process: subprocess.Popen[bytes]
    log: Path

    def post(self, sample: Sample) -> str:
        """Send one panel through the HTTP door; returns its id. Sent before: the same id.

        What an earlier start stored with another edition is read again with the one in force.
        """
        found = self._send("/api/v1/panels", sample.path.read_bytes())
        panel_id = str(found["panel_id"])
        with self._open(urllib.request.Request(f"{self.url}/readyz")) as answer:
            edition = json.load(answer)["edition"]
        if found["edition"]["digest"] != edition["digest"]:
            self._send(f"/api/v1/panels/{panel_id}/reinterpret", json.dumps({"edition": edition["id"]}).encode())
        return panel_id

    def _send(self, path: str, body: bytes) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", **self._bearer(Role.LABORATORY)}
        with self._open(urllib.request.Request(f"{self.url}{path}", body, headers)) as answer:
            return dict(json.load(answer))

    def text(self, panel_id: str) -> str:
        """The interpretation of a panel as text."""
        address = f"{self.url}/api/v1/panels/{panel_id}/interpretation"
        headers = {"Accept": "text/plain", **self._bearer(Role.CLINICIAN)}
        with self._open(urllib.request.Request(address, headers=headers)) as answer:
            return str(answer.read().decode("utf-8"))

    def _bearer(self, role: Role) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys.tokens[role]}"}

    def page(self, panel_id: str) -> str:
        return f"{self.url}/panels/{panel_id}"

    def wait_until_ready(self) -> None:
        """Return when /readyz answers 200. Raises DemoError if the server ends or stays silent."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise DemoError(f"The server ended while starting. Its log: {self.log}")
            try:
                with _direct().open(f"{self.url}/readyz", timeout=10):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise DemoError(f"The server did not become ready in {START_SECONDS:.0f} s. Its log: {self.log}")

    def _open(self, request: urllib.request.Request) -> Any:
        try:
            return _direct().open(request, timeout=60)
        except urllib.error.HTTPError as error:
            problem = error.read().decode("utf-8", "replace")
            raise DemoError(f"The server answered {error.code}: {problem}\nIts log: {self.log}") from None
        except OSError as error:
            raise DemoError(f"The server does not answer: {error}. Its log: {self.log}") from None


@contextmanager
def running(settings: Settings, port: int) -> Iterator[Demo]:
    """The demo's server, ready to answer, on `port` or, where that is taken, on a free one; ended on the way out."""
    folder = settings.demo_folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    log_path = folder / "server.log"
    keys = _new_keys(settings)
    with _listening(port) as listener, log_path.open("wb") as log:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        # The server inherits the open socket, so nobody can take the port between the choice and the start.
        process = subprocess.Popen(
            gunicorn_command(settings, f"fd://{listener.fileno()}", workers=1),
            env=_environment(os.environ, folder),
            pass_fds=(listener.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        demo = Demo(url, keys, process, log_path)
        _wait_until_ready(demo, settings)
        yield demo
    finally:
        _end(process)


def _wait_until_ready(demo: Demo, settings: Settings) -> None:
    try:
        demo.wait_until_ready()
    except DemoError:
        # Opened here once more, what stopped the server (a draft edition, a newer database) is said in one sentence.
        open_service(replace(settings, database_url=_database(settings.demo_folder)))
        raise


def _new_keys(settings: Settings) -> Keys:
    """A new password and new tokens of the demo's account; those of the start before stop working."""
    acting.become(acting.operator(), "demo")
    accounts = trust(replace(settings, database_url=_database(settings.demo_folder))).accounts
    password = secrets.token_urlsafe(12)
    try:
        accounts.add(USER, [role.value for role in Role], password, demo=True)
    except ConflictError:
        accounts.set_password(USER, password)
    accounts.revoke(token.id for token in accounts.tokens() if token.account == USER)
    tokens = {role.value: accounts.add_token(USER, [role], "demo", days=365).secret for role in TOKEN_ROLES}
    return Keys(USER, password, tokens)


def _environment(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    return {**environ, f"{PREFIX}DATABASE_URL": _database(folder), f"{PREFIX}ACCESS": "accounts"}


def _database(folder: Path) -> str:
    return f"sqlite:///{folder / 'demo.sqlite'}"


def _listening(port: int) -> socket.socket:
    """A listening socket on loopback: `port`, else any free one."""
    for wanted in (port, 0):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", wanted))
            listener.listen(128)
            return listener
        except OSError:
            listener.close()
            if wanted == 0:
                raise
    raise AssertionError("unreachable")


def _direct() -> urllib.request.OpenerDirector:
    """Loopback is asked directly, whatever proxy the environment names."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
