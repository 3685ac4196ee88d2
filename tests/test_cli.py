"""The command line as a user types it: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import csfinterp
from csfinterp.samples import SAMPLES
from csfinterp.settings import packaged_folder

SAMPLE = next(sample for sample in SAMPLES if sample.name == "solid_lm_positive_cytology")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "CSFINTERP_DATA_FOLDER": str(tmp_path / "data")}


def run(environment: dict[str, str], *arguments: str, data: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "csfinterp", *arguments]
    return subprocess.run(command, env=environment, input=data, capture_output=True, text=True, timeout=180)


def jsonl(count: int) -> str:
    lines = []
    for number in range(count):
        document = SAMPLES[number % len(SAMPLES)].document()
        document["specimen"]["id"] = f"S-{number}"
        lines.append(json.dumps(document))
    return "\n".join(lines) + "\n"


# --- interpret ---


def test_one_panel_is_printed_as_one_document(environment: dict[str, str], tmp_path: Path) -> None:
    done = run(environment, "interpret", str(SAMPLE.path))
    document = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert (document["panel_id"], document["version"], document["lm"]["certainty"]) == (None, 1, "confirmed")
    assert not (tmp_path / "data").exists(), "interpret stores nothing"


def test_text_output_is_a_report(environment: dict[str, str]) -> None:
    done = run(environment, "interpret", "--output", "text", str(SAMPLE.path))
    assert done.returncode == 0
    assert "leptomeningeal metastasis (EANO-ESMO): confirmed, type IA" in " ".join(done.stdout.split())
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_standard_input_is_read(environment: dict[str, str]) -> None:
    done = run(environment, "interpret", "-", data=SAMPLE.path.read_text())
    assert json.loads(done.stdout)["specimen"]["id"] == "DEMO-CSF-003"


def test_a_thousand_panels_take_one_process(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "panels.jsonl"
    file.write_text(jsonl(1000))
    done = run(environment, "interpret", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["specimen"]["id"] for answer in answers] == [f"S-{number}" for number in range(1000)]


def test_an_array_and_several_files_are_many(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "array.json"
    file.write_text("[" + ",".join(jsonl(3).splitlines()) + "]")
    done = run(environment, "interpret", str(file), str(SAMPLE.path))
    assert [json.loads(line)["specimen"]["id"] for line in done.stdout.splitlines()] == [
        "S-0", "S-1", "S-2", "DEMO-CSF-003",
    ]  # fmt: skip


def test_one_bad_panel_never_stops_the_rest(environment: dict[str, str]) -> None:
    first, second = jsonl(2).splitlines()
    broken = '{"patient": {"id": "MRN-SECRET"}, "specimen": {"id": "S"}, "observations": "none"}'
    done = run(environment, "interpret", "-", data="\n".join((first, broken, "{", second)))
    assert done.returncode == 1
    assert [json.loads(line)["specimen"]["id"] for line in done.stdout.splitlines()] == ["S-0", "S-1"]
    assert "document 2" in done.stderr
    assert "/observations" in done.stderr
    assert "document 3" in done.stderr
    assert "line 3, column 2" in done.stderr
    assert len(done.stderr.splitlines()) == len(set(done.stderr.splitlines())) == 3
    assert "2 refused" in done.stderr
    assert "MRN-SECRET" not in done.stderr


def test_a_panel_without_a_csf_test_never_stops_the_rest(environment: dict[str, str], tmp_path: Path) -> None:
    sent = (("A", "csf_glucose"), ("B", "serum_glucose"), ("C", "csf_lactate"))
    lines = [
        json.dumps({"specimen": {"id": name}, "observations": [{"code": code, "value": 5, "unit": "mmol/L"}]})
        for name, code in sent
    ]
    file = tmp_path / "three.jsonl"
    file.write_text("\n".join(lines))
    done = run(environment, "interpret", str(file))
    assert done.returncode == 1
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["specimen"]["id"] for answer in answers] == ["A", "C"]
    assert "document 2" in done.stderr


@pytest.mark.parametrize(
    "arguments", [["interpret"], ["interpret", "/no/such/file.json"], ["interpret", "--output", "x"], ["nothing"]]
)
def test_bad_usage_is_exit_code_2(environment: dict[str, str], arguments: list[str]) -> None:
    done = run(environment, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Usage:" in done.stderr


def test_an_empty_file_is_refused(environment: dict[str, str]) -> None:
    assert run(environment, "interpret", "-", data="").returncode == 1


def test_a_reader_that_stops_early_is_no_error_report(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "panels.jsonl"
    file.write_text(jsonl(300))
    pipe = f"{sys.executable} -m csfinterp interpret {file} | head -n 1"
    done = subprocess.run(["bash", "-c", pipe], env=environment, capture_output=True, text=True, timeout=120)
    assert json.loads(done.stdout)["specimen"]["id"] == "S-0"
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_one_sentence(environment: dict[str, str]) -> None:
    done = run({**environment, "CSFINTERP_MAX_OBSERVATIONS": "many"}, "interpret", str(SAMPLE.path))
    assert done.returncode == 1
    assert "CSFINTERP_MAX_OBSERVATIONS" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_version(environment: dict[str, str]) -> None:
    assert run(environment, "--version").stdout.split()[-1] == csfinterp.__version__


# --- interpret --explain ---


@pytest.mark.parametrize(
    ("identifier", "said"),
    [
        ("pleocytosis", ["FINDING pleocytosis", "Truth true", "csf_leukocytes flagged H or HH", "csf_leukocytes/L5",
                         "Leukocytes in CSF): 21 /uL, flag H", "Status ours"]),
        ("lactate_bacterial_range", ["DL-LAC: csf_lactate >= 3.5 mmol/L", "secondary]"]),
        ("PT1", ["QUALITY RULE count_delayed", "collection_to_analysis_min > 60 min"]),
        ("bacterial_meningitis", ["PATTERN bacterial_meningitis", "Grade not_evaluable", "Reason alarm_value",
                                  "Grade by core items B1", "DL-BACT-LAC", "B4 true: csf_lactate >= 3.5"]),
        ("p-bact", ["PATTERN bacterial_meningitis"]),
        ("B4", ["PATTERN ITEM B4", "Truth true", "csf_lactate >= 3.5 mmol/L", "DL-LAC", "Kind core"]),
        ("PC01", ["CAUTION PC01", "Says Three-way differential", "Rule", "Status ours"]),
        ("R-I08", ["RECOMMENDATION three_way_differential", "Number R-I08", "Audience treating_team"]),
        ("bacterial_alarm_value", ["FINDING bacterial_alarm_value", "RECOMMENDATION bacterial_alarm_value"]),
        ("lm", ["EVIDENCE TABLE lm", "Certainty confirmed", "Type IA", "K1", "EANO-ESMO"]),
        ("pan2018", ["SCORE pan2018", "Status refused", "Refused if (tumor class not stated)"]),
        ("csf_lactate", ["RESULT csf_lactate", "csf_lactate/C4", "1.1-2.4 mmol/L", "flag H", "[lab_saarland"]),
        ("igg_limit", ["CALCULATED VALUE igg_limit", "Formula", "Constant"]),
        ("DL-LAC", ["DECISION LIMIT DL-LAC", "Limit csf_lactate >= 3.5 mmol/L"]),
        ("CR-WBC", ["CRITICAL RULE", "nobody has to be called"]),
        ("solid_tumor", ["PROFILE solid_tumor", "Entry criterion"]),
    ],
)  # fmt: skip
def test_explain_prints_rule_values_limits_and_sources(
    environment: dict[str, str], identifier: str, said: list[str]
) -> None:
    done = run(environment, "interpret", str(SAMPLE.path), "--explain", identifier)
    assert (done.returncode, done.stderr) == (0, "")
    text = " ".join(done.stdout.split())
    for words in (*said, "Sources", "Status"):
        assert words in text, words
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_an_unknown_id_is_bad_usage_and_names_ids_like_it(environment: dict[str, str]) -> None:
    done = run(environment, "interpret", str(SAMPLE.path), "--explain", "pleocytosys")
    assert (done.returncode, done.stdout) == (2, "")
    assert "has no statement 'pleocytosys'. Ids like it: pleocytosis" in done.stderr


def test_explain_names_the_specimen_where_there_are_many(environment: dict[str, str]) -> None:
    done = run(environment, "interpret", "-", "--explain", "pleocytosis", data=jsonl(2))
    assert done.stdout.count("FINDING pleocytosis") == 2
    assert done.stdout.startswith("Specimen S-0\n")


# --- demo and serve ---


def panels_in(folder: Path) -> int:
    with sqlite3.connect(folder / "demo" / "demo.sqlite") as connection:
        return int(connection.execute("SELECT count(*) FROM panel_versions").fetchone()[0])


def test_demo_once_prints_an_interpretation_and_never_doubles(environment: dict[str, str], tmp_path: Path) -> None:
    for _ in range(2):
        done = run(environment, "demo", "--once")
        assert done.returncode == 0, done.stderr
        assert "CEREBROSPINAL FLUID: INTERPRETATION" in done.stdout
        assert "http://127.0.0.1:" in done.stdout
        assert panels_in(tmp_path / "data") == len(SAMPLES)


def test_a_demo_of_an_older_edition_is_read_again(environment: dict[str, str], tmp_path: Path) -> None:
    shutil.copytree(packaged_folder("reference_ranges"), tmp_path / "editions")
    other = environment | {"CSFINTERP_EDITIONS_FOLDER": str(tmp_path / "editions"), "CSFINTERP_ALLOW_DRAFT": "true"}
    assert run(other, "edition", "new", "2026.2", "--from", "2026.1").returncode == 0
    assert run(other | {"CSFINTERP_EDITION": "2026.2"}, "demo", "--once").returncode == 0
    assert run(other, "demo", "--once").returncode == 0
    with sqlite3.connect(tmp_path / "data" / "demo" / "demo.sqlite") as connection:
        read = connection.execute("SELECT version, edition_id FROM panel_versions ORDER BY version").fetchall()
    assert read == [(1, "2026.2")] * len(SAMPLES) + [(2, "2026.1")] * len(SAMPLES)


def _interruptible() -> None:
    """A shell that runs the tests in the background lets its children ignore Ctrl-C; a terminal does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def serving(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A demo that serves, on a wanted port that somebody else has."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "csfinterp", "demo", "--json", "--port", str(port)]
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_interruptible,
        )
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        assert not line["url"].endswith(f":{port}")
    yield process, line
    process.kill()
    process.wait()


def test_demo_serves_until_it_is_interrupted(
    serving: tuple[subprocess.Popen[str], dict[str, Any]], environment: dict[str, str], tmp_path: Path
) -> None:
    process, line = serving
    assert set(line) == {"url", "page", "login", "tokens"}
    assert set(line["login"]) == {"user", "password"}
    assert set(line["tokens"]) == {"laboratory", "clinician", "researcher"}
    bearer = {"Authorization": f"Bearer {line['tokens']['clinician']}"}
    with urllib.request.urlopen(urllib.request.Request(line["page"], headers=bearer)) as answer:
        assert "Specimen DEMO-CSF-003" in answer.read().decode()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(line["page"], timeout=5)
    assert run(environment, "demo", "--once").returncode == 0
    assert panels_in(tmp_path / "data") == len(SAMPLES)


def wait_for(file: Path, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    """Return when the file is there; fail when the process ends or the time is over."""
    deadline = time.monotonic() + seconds
    while not file.exists():
        assert process.poll() is None, f"ended with {process.returncode}"
        assert time.monotonic() < deadline, f"no {file.name} after {seconds} s"
        time.sleep(0.02)


def test_an_interrupted_start_leaves_nothing_broken(environment: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "csfinterp", "demo"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        # Its server runs, has begun with its tables and has not answered yet.
        wait_for(tmp_path / "data" / "demo" / "demo.sqlite", process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()
    assert run(environment, "demo", "--once").returncode == 0
    assert panels_in(tmp_path / "data") == len(SAMPLES)


def test_serve_refuses_to_start_with_a_sentence(environment: dict[str, str], tmp_path: Path) -> None:
    nobody = "postgresql://user:hunter2@127.0.0.1:1/csf"
    wrong = {"EDITION": "1999.9", "BIND": "everywhere", "DATABASE_URL": "mysql://x/y", "EDITIONS_FOLDER": "/nope"}
    for name, value in (*wrong.items(), ("DATABASE_URL", nobody)):
        done = run({**environment, f"CSFINTERP_{name}": value}, "serve")
        assert done.returncode == 1, name
        assert "Traceback" not in done.stderr
        assert done.stderr.startswith("Error: ")
        assert len(done.stderr.splitlines()) == 1
        assert "hunter2" not in done.stderr
        assert name in done.stderr


def test_a_database_that_cannot_be_reached_is_a_sentence(environment: dict[str, str]) -> None:
    environment["CSFINTERP_DATABASE_URL"] = "postgresql://user:hunter2@127.0.0.1:1/csf"
    for arguments in (["db", "current"], ["db", "upgrade"]):
        done = run(environment, *arguments)
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
        assert "CSFINTERP_DATABASE_URL" in done.stderr and "hunter2" not in done.stderr


def test_a_missing_folder_of_editions_is_named(environment: dict[str, str]) -> None:
    environment["CSFINTERP_EDITIONS_FOLDER"] = "/nope"
    for arguments in (["interpret", str(SAMPLE.path)], ["edition", "check"], ["edition", "new", "2", "--from", "1"]):
        done = run(environment, *arguments)
        assert (done.returncode, "/nope" in done.stderr, len(done.stderr.splitlines())) == (1, True, 1)


def test_serve_answers_on_its_address(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "csfinterp", "serve", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                    assert json.load(answer)["status"] == "ready"
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the server never became ready")
    finally:
        process.terminate()
        process.wait(30)


# --- edition and db ---


@pytest.fixture
def editions(tmp_path: Path, environment: dict[str, str]) -> Path:
    """A folder of editions of one's own, with a copy of 2026.1."""
    folder = tmp_path / "editions"
    shutil.copytree(packaged_folder("reference_ranges") / "2026.1", folder / "2026.1")
    environment["CSFINTERP_EDITIONS_FOLDER"] = str(folder)
    return folder


def test_an_edition_is_copied_changed_compared_and_released(environment: dict[str, str], editions: Path) -> None:
    assert run(environment, "edition", "check").returncode == 0
    assert run(environment, "edition", "new", "2026.2", "--from", "2026.1").returncode == 0
    file = editions / "2026.2" / "analytes" / "csf_lactate.yaml"
    before = file.read_text()
    file.write_text(before.replace("2.4 mmol/L", "2.5 mmol/L"))
    assert file.read_text() != before
    diff = run(environment, "edition", "diff", "2026.1", "2026.2")
    assert (diff.returncode, "csf_lactate" in diff.stdout) == (0, True)
    released = run(environment, "edition", "release", "2026.2", "--on", "2026-11-30")
    assert (released.returncode, "sha256:" in released.stdout) == (0, True)
    chosen = run({**environment, "CSFINTERP_EDITION": "2026.2"}, "interpret", str(SAMPLE.path))
    assert json.loads(chosen.stdout)["edition"]["id"] == "2026.2"
    file.write_text(file.read_text() + "\n# touched\n")
    touched = run({**environment, "CSFINTERP_EDITION": "2026.2"}, "interpret", str(SAMPLE.path))
    assert (touched.returncode, touched.stdout) == (1, "")


def test_a_slip_is_named_with_file_and_line(environment: dict[str, str], editions: Path) -> None:
    run(environment, "edition", "new", "2026.2", "--from", "2026.1")
    file = editions / "2026.2" / "analytes" / "csf_lactate.yaml"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines, "surprise: 1"]) + "\n")
    done = run(environment, "edition", "check", "2026.2")
    assert done.returncode == 1
    assert f"csf_lactate.yaml:{len(lines) + 1}" in done.stdout
    assert "1 slip in edition 2026.2" in done.stderr
    (editions / "2026.2" / "limits.yaml").write_text("- id: [\n")
    unreadable = run(environment, "edition", "check", "2026.2").stdout.splitlines()
    assert len(unreadable) == 1 and "limits.yaml:" in unreadable[0], "what cannot be parsed comes first"


def test_an_unknown_edition_is_a_sentence(environment: dict[str, str]) -> None:
    for arguments in (["check", "1999.9"], ["diff", "2026.1", "1999.9"], ["release", "1999.9"]):
        done = run(environment, "edition", *arguments)
        assert (done.returncode, "1999.9" in done.stderr, "Traceback" in done.stderr) == (1, True, False)


def test_the_database_is_upgraded_and_named(environment: dict[str, str]) -> None:
    assert run(environment, "db", "current").stdout.startswith("no tables yet")
    upgraded = run(environment, "db", "upgrade")
    assert upgraded.returncode == 0
    revision = upgraded.stdout.split()[-1].rstrip(".")
    assert run(environment, "db", "current").stdout == f"{revision} (newest: {revision})\n"
