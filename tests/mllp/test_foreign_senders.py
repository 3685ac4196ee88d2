"""Senders that we did not write: @medplum/hl7 under node, python-hl7's client and its command mllp_send."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hl7.client import MLLPClient
from platformdirs import user_cache_path

from csfinterp.service import PanelFilter
from tests.mllp.conftest import Listener, Start, stored_panels
from tests.mllp.messages import Ack, oru

MEDPLUM = "@medplum/hl7@5.0.10"
MESSAGES, CONNECTIONS = 200, 5


@pytest.fixture(scope="session")
def medplum() -> Path:
    """The folder where npm has installed the client: outside of the repository, kept from run to run."""
    for tool in ("node", "npm"):
        assert shutil.which(tool), (
            f"{tool} is missing: this test runs a foreign HL7 client under node. Install Node.js 20 or newer with npm"
            " (Debian: apt-get install nodejs npm)."
        )
    folder = user_cache_path("csfinterp-tests", appauthor=False) / MEDPLUM.replace("/", "-")
    if not (folder / "node_modules" / "@medplum" / "hl7").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}")
        command = ["npm", "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", MEDPLUM]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"npm could not install {MEDPLUM} (is its registry reachable?): {done.stderr}"
    return folder


def test_medplum_sends_200_messages_on_several_connections_and_gets_200_correlated_answers(
    start: Start, medplum: Path
) -> None:
    listener = start()
    script = Path(__file__).with_name("medplum_sender.cjs")
    command = ["node", str(script), str(medplum), str(listener.port), str(MESSAGES), str(CONNECTIONS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    answers = [line.split() for line in done.stdout.splitlines()]
    assert sorted(answers) == sorted([f"NODE-{number}", "AA", f"NODE-{number}"] for number in range(MESSAGES))
    assert len(stored_panels(listener, PanelFilter(), MESSAGES + 1)) == MESSAGES


def test_the_client_of_python_hl7(listener: Listener) -> None:
    with MLLPClient("127.0.0.1", listener.port, encoding="utf-8") as client:
        for number in range(5):
            message = oru(f"PY-{number}", name="Łukasz^Żółć")
            answer = Ack.of(client.send_message(message.decode()).strip(b"\x0b\x1c\r"))
            assert (answer.code, answer.control_id) == ("AA", f"PY-{number}")


@pytest.mark.parametrize("line_end", [b"\r", b"\r\n"])
def test_the_command_mllp_send(listener: Listener, tmp_path: Path, line_end: bytes) -> None:
    file = tmp_path / "messages.hl7"
    names = [f"CMD-{len(line_end)}-{number}" for number in range(3)]
    file.write_bytes(b"".join(oru(name).replace(b"\r", line_end) for name in names))
    command = [str(Path(sys.executable).with_name("mllp_send")), "--loose", "-p", str(listener.port), "-f", str(file)]
    done = subprocess.run([*command, "127.0.0.1"], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert [f"MSA|AA|{name}" in text for name in names] == [True] * 3
    for name in names:
        assert stored_panels(listener, PanelFilter(specimen=f"ACC-{name}")) == [1]
