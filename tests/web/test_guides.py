"""The guides are true: their commands run against the real server, their code verifies what it really sends."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import yaml

from csfinterp.delivery import load_destinations
from csfinterp.delivery.destinations import RETRY_S
from csfinterp.delivery.webhooks import headers_of
from csfinterp.events import EVENT_TYPES
from tests.web.conftest import PanelMaker
from tests.web.test_server import Server, server

__all__ = ["server"]  # the fixture of the real server

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ROOT / "csfinterp" / "guides"


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def run(line: str, folder: Path, **environment: str) -> str:
    assert shutil.which("curl"), "install curl: apt-get install curl"
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True,
        check=True, timeout=60,
    )  # fmt: skip
    return done.stdout


def test_the_commands_of_corrections_show_what_changed(server: Server, panel: PanelMaker, tmp_path: Path) -> None:
    document = panel()
    _, headers, _ = server.post(document)
    document["source"]["message_id"] += "-2"
    document["observations"][0]["value"] = "99"
    server.post(document)
    lines = "".join(blocks(GUIDES / "corrections.md", "sh")).splitlines()
    assert len(lines) == 3
    known = {"CSF": f"http://127.0.0.1:{server.port}", "PANEL": headers["Location"].rpartition("/")[2]}
    versions, newest, both = (json.loads(run(line, tmp_path, **known)) for line in lines)
    assert [one["version"] for one in versions["items"]] == [1, 2]
    assert newest == both
    assert newest["results"]


def test_the_command_of_batch_answers_as_printed(server: Server, panel: PanelMaker, tmp_path: Path) -> None:
    page = GUIDES / "batch.md"
    good, bad = panel(), {"specimen": {"id": "ACC-BAD"}}
    (tmp_path / "panels.ndjson").write_text(f"{json.dumps(good)}\n{json.dumps(bad)}\n")
    (line,) = blocks(page, "sh")
    answers = [json.loads(one) for one in run(line, tmp_path, CSF=f"http://127.0.0.1:{server.port}").splitlines()]
    printed = [json.loads(one) for one in blocks(page, "json")[0].splitlines()]
    assert [list(one) for one in printed] == [list(one) for one in answers]
    assert [(one["index"], one["status"]) for one in printed] == [(one["index"], one["status"]) for one in answers]


def test_the_printed_verification_accepts_what_is_signed_and_nothing_else() -> None:
    (code,) = blocks(GUIDES / "webhooks.md", "python")
    names: dict[str, Any] = {}
    exec(code, names)
    verified, secret, key = names["verified"], "whsec_" + "QUFB" * 11, b"A" * 33
    now = int(time.time())
    for keys, at, body, expected in (
        ([key], now, b"{}", True),
        ([b"B" * 33, key], now, b"{}", True),
        ([b"B" * 33], now, b"{}", False),
        ([key], now - 301, b"{}", False),
    ):
        assert verified(secret, headers_of("evt_1", at, body, keys), body) is expected
    assert not verified(secret, headers_of("evt_1", now, b"{}", [key]), b"{ }")


def test_the_guide_of_webhooks_names_every_event_and_every_try() -> None:
    text = (GUIDES / "webhooks.md").read_text(encoding="utf-8")
    table = text.partition("| event | when |")[2].partition("```")[0]
    assert set(re.findall(r"`([a-z]+\.[a-z_]+)`", table)) == set(EVENT_TYPES)
    seconds = {"s": 1, "min": 60, "h": 3600}
    printed = re.search(r"tried again after (.*?), later", " ".join(text.split()))
    assert printed is not None
    tries = [int(number) * seconds[unit] for number, unit in re.findall(r"(\d+) (s|min|h)", printed[1])]
    assert tries == list(RETRY_S)


def test_the_printed_event_has_the_keys_of_a_real_one() -> None:
    (printed,) = (json.loads(one) for one in blocks(GUIDES / "webhooks.md", "json"))
    assert list(printed) == ["type", "timestamp", "data"]
    assert set(printed["data"]) == {"panel_id", "version", "status", "reason", "critical_open", "change", "url"}


def test_the_printed_destinations_can_be_loaded(tmp_path: Path) -> None:
    (text,) = blocks(ROOT / "config" / "README.md", "yaml")
    (tmp_path / "destinations.yaml").write_text(text)
    found = load_destinations(tmp_path / "destinations.yaml")
    assert [(one.name, one.kind) for one in found] == [("ward-system", "webhook"), ("laboratory", "hl7_mllp")]
    assert yaml.safe_load(text)["destinations"][0]["content"] == "ids"
