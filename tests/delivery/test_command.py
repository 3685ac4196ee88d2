"""`csfinterp deliver` as a process of its own: killed at any moment it loses nothing; list and replay for operators."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from csfinterp.cli import main
from csfinterp.operations import open_service
from csfinterp.service import Service
from csfinterp.settings import Settings
from csfinterp.store.outbox import SENT, WAITING
from tests.delivery.conftest import ENVIRON, Receiver, status, submit


@pytest.fixture
def site(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a site with one webhook."""
    entry: dict[str, Any] = {
        "name": "ward", "kind": "webhook", "url": receiver.url, "secrets": [{"env": "HOOK_SECRET"}],
        "networks": ["127.0.0.0/8"], "timeout_s": 0.5, "retry_s": [0.2] * 20,
    }  # fmt: skip
    (tmp_path / "destinations.yaml").write_text(yaml.safe_dump({"destinations": [entry]}))
    chosen = {
        "CSFINTERP_DATABASE_URL": f"sqlite:///{tmp_path / 'csf.sqlite'}",
        "CSFINTERP_DESTINATIONS": str(tmp_path / "destinations.yaml"),
        "CSFINTERP_ALLOW_DRAFT": "true",
        **ENVIRON,
    }
    for name, text in chosen.items():
        monkeypatch.setenv(name, text)
    return chosen


@pytest.fixture
def at_site(site: dict[str, str]) -> Service:
    return open_service(Settings.load())


@pytest.fixture
def start(site: dict[str, str], tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def run() -> subprocess.Popen[bytes]:
        with (tmp_path / "log").open("ab") as log:
            command = [sys.executable, "-m", "csfinterp", "deliver"]
            started.append(subprocess.Popen(command, env={**os.environ, **site}, stdout=log, stderr=log))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()


def wait(until: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def ids(receiver: Receiver) -> set[str]:
    return {headers["webhook-id"] for headers, _ in receiver.got}


def command(*words: str) -> Result:
    done = CliRunner().invoke(main, ["deliver", *words])
    assert done.exit_code == 0, done.output
    return done


def test_killed_again_and_again_nothing_is_lost(
    at_site: Service, receiver: Receiver, start: Callable[[], subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    """Panels arrive all the while; each worker is killed (SIGKILL) in the middle of a delivery."""
    numbers, sent = itertools.count(), []

    def slowly(handler: Any) -> None:
        time.sleep(0.1)
        status(204)(handler)

    for _ in range(3):
        sent += [submit(at_site, specimen=f"ACC-{next(numbers)}").panel_id for _ in range(3)]
        receiver.answers = [slowly] * 4
        seen, process = len(receiver.got), start()
        wait(lambda seen=seen: len(receiver.got) > seen)
        process.send_signal(signal.SIGKILL)
        process.wait()
    receiver.answers = []
    last = start()
    wait(lambda: at_site._store.outbox.counts() == {("ward", SENT): len(sent)})
    told = {json.loads(body)["data"]["panel_id"] for _, body in receiver.got}
    assert told == set(sent)
    assert len(ids(receiver)) == len(sent), "what came twice came under the same id"
    last.terminate()
    assert last.wait(20) == 0
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    assert not [word for word in ("MRN", "ACC-") if word in log]


def test_sigterm_ends_after_the_try_and_lets_go_of_the_rest(
    at_site: Service, receiver: Receiver, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    for number in range(4):
        submit(at_site, specimen=f"ACC-{number}")
    receiver.answers = [lambda handler: (time.sleep(0.3), status(204)(handler))[1]]
    process = start()
    wait(lambda: len(receiver.got) == 1)
    process.terminate()
    assert process.wait(20) == 0
    assert at_site._store.outbox.counts() == {("ward", SENT): 1, ("ward", WAITING): 3}
    assert command("--once").stdout == "3 tried.\n"


def test_a_dead_delivery_is_listed_and_replayed(at_site: Service, receiver: Receiver) -> None:
    answer = submit(at_site)
    receiver.answers = [status(410)]
    command("--once")
    listed = command("--list", "--state", "dead").stdout
    assert all(word in listed for word in ("dead", "ward", "panel.interpreted", answer.panel_id, "HTTP 410"))
    assert command("--replay", "ward").stdout == "1 waiting again for ward.\n"
    command("--once")
    assert command("--list", "--state", "dead").stdout == ""
    assert len(receiver.got) == 2 and len(ids(receiver)) == 1


def test_what_was_sent_is_replayed_only_if_asked_for(at_site: Service, receiver: Receiver) -> None:
    submit(at_site)
    submit(at_site, specimen="ACC-2")
    command("--once")
    assert command("--replay", "ward").stdout.startswith("0 ")
    event = receiver.got[0][0]["webhook-id"]
    assert command("--replay", "ward", "--all", "--event", event).stdout.startswith("1 ")
    assert command("--replay", "ward", "--all", "--since", "2999-01-01").stdout.startswith("0 ")
    command("--once")
    assert [headers["webhook-id"] for headers, _ in receiver.got].count(event) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"CSFINTERP_DESTINATIONS": "/nowhere/destinations.yaml"}, "no destination"),
        ({"HOOK_SECRET": ""}, "HOOK_SECRET"),
        ({"HOOK_SECRET": "short"}, "openssl rand"),
    ],
)
def test_a_worker_that_cannot_work_says_why(
    at_site: Service, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], words: str
) -> None:
    for name, text in change.items():
        monkeypatch.setenv(name, text)
    done = CliRunner().invoke(main, ["deliver", "--once"])
    assert (done.exit_code, "Traceback" in done.output) == (1, False)
    assert words in done.output


def test_an_unknown_destination_is_not_replayed(at_site: Service) -> None:
    done = CliRunner().invoke(main, ["deliver", "--replay", "nobody"])
    assert done.exit_code == 1
    assert "nobody" in done.output
