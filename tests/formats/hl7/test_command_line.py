"""`csfinterp interpret` with HL7 v2, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from csfinterp.cli import main
from csfinterp.formats import hl7_v2
from csfinterp.samples import hl7_sample
from tests.formats.hl7.making import FOLDER


def run(*words: str, stdin: bytes | None = None, code: int = 0) -> str:
    done = CliRunner().invoke(main, ["interpret", *words], input=stdin)
    assert done.exit_code == code, done.output
    return done.stdout


@pytest.mark.parametrize("extension", [".hl7", ".er7", ".HL7"])
def test_the_format_is_known_by_the_extension(extension: str, tmp_path: Path) -> None:
    file = tmp_path / f"message{extension}"
    file.write_text(hl7_sample(), encoding="utf-8")
    assert json.loads(run(str(file)))["lm"]["certainty"] == "probable"


def test_standard_input_needs_the_format_by_name() -> None:
    assert json.loads(run("-", "--format", "hl7", stdin=hl7_sample().encode()))["lm"]["certainty"] == "probable"


def test_the_output_is_a_message_that_is_read_again(tmp_path: Path) -> None:
    written = run(str(FOLDER / "minimal_251.hl7"), "--output", "hl7")
    assert written.startswith("MSH|^~\\&|CSFINTERP|")
    assert hl7_v2.read_header(written.encode()).version == "2.5.1"


def test_a_batch_gives_one_line_each_and_tells_what_was_refused() -> None:
    done = CliRunner().invoke(main, ["interpret", str(FOLDER / "batch.hl7")])
    assert done.exit_code == 1
    assert [json.loads(line)["specimen"]["id"] for line in done.stdout.splitlines()] == ["ACC-1", "ACC-3"]
    assert "document 2" in done.stderr


def test_test_messages_may_be_tried() -> None:
    assert json.loads(run("-", "--format", "hl7", stdin=hl7_sample().replace("|P|2.5.1", "|T|2.5.1").encode()))
