"""The guide for cohorts is true: its file, its command and its notebook give what it prints."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from csfinterp.cli import main
from csfinterp.formats.csv_header import PANEL_COLUMNS, PARTS

GUIDE = Path(__file__).resolve().parents[2] / "csfinterp" / "guides" / "pull_a_cohort.md"
TEXT = GUIDE.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "panels.csv").write_text(blocks("csv")[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_prints_and_writes_what_the_guide_shows(folder: Path) -> None:
    words = blocks("sh")[0].split()
    done = CliRunner().invoke(main, words[1:])
    assert done.exit_code == 0
    assert done.stderr == blocks("text")[0]
    with (folder / "table.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    shown = list(csv.DictReader(blocks("csv")[1].splitlines()))
    assert [{name: row[name] for name in shown[0]} for row in rows] == shown


@pytest.mark.usefixtures("folder")
def test_the_notebook_prints_what_the_guide_shows(capsys: pytest.CaptureFixture[str]) -> None:
    exec(blocks("python")[0], {})
    assert capsys.readouterr().out == blocks("text")[1]


def test_every_column_of_a_panel_is_named() -> None:
    own = [name for name, path in PANEL_COLUMNS.items() if path[0] != "context"]
    assert [name for name in own if f"`{name}`" not in TEXT] == []
    assert [part for part in PARTS if f"`_{part}`" not in TEXT] == []
