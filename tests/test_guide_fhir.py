"""The FHIR guide is true: its Bundle is read, its commands print answers, its program runs against a real server."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server

from csfinterp.cli import main
from csfinterp.operations import open_service
from csfinterp.settings import Settings
from csfinterp.web import create_app

GUIDE = Path(__file__).resolve().parent.parent / "csfinterp" / "guides" / "connect_your_lis_fhir.md"


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "panel.fhir").write_text(block("json"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def base(folder: Path) -> Iterator[str]:
    """A server on a free port."""
    settings = Settings.load({"CSFINTERP_DATABASE_URL": f"sqlite:///{folder / 'csf.sqlite'}",
                              "CSFINTERP_ALLOW_DRAFT": "true"})  # fmt: skip
    server = make_server("127.0.0.1", 0, create_app(settings, open_service(settings)), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def commands(name: str) -> list[str]:
    return [line for line in block("sh").splitlines() if line.startswith(name)]


def test_the_command_prints_the_answer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CSFINTERP_ALLOW_DRAFT", "true")
    [line] = commands("csfinterp")
    done = CliRunner().invoke(main, shlex.split(line)[1:])
    assert done.exit_code == 0, done.output
    assert "Leukocytes in CSF" in done.stdout


def test_the_program_stores_the_panel_and_the_addresses_answer(base: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block("python"), str(GUIDE), "exec"), {"BASE": base})
    printed = capsys.readouterr().out.splitlines()
    assert len(printed[0]) > 20
    assert "Leukocytes in CSF ['H']" in printed
    assert "Cytology of CSF ['N']" in printed
    assert shutil.which("curl"), "curl is missing: apt-get install curl"
    for line in commands("curl"):
        done = subprocess.run(["bash", "-c", line.replace("http://127.0.0.1:8000", base) + " -sS --fail-with-body"],
                              capture_output=True, text=True, timeout=60)  # fmt: skip
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        answer = json.loads(done.stdout)
        assert answer["resourceType"] == "Bundle"
        assert answer["type"] != "searchset" or len(answer["entry"]) == 1, line
