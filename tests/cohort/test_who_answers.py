"""Whoever answers, the same bytes: one process, two, a Dask cluster, a run that was killed and goes on; any form."""

from __future__ import annotations

import gzip
import itertools
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet
import pytest
from click.testing import CliRunner
from distributed import LocalCluster

import csfinterp
from csfinterp.cli import main
from csfinterp.cohort import run
from csfinterp.cohort.columns import BOOLEAN, COUNT, NUMBER, TEXT, columns
from csfinterp.cohort.journal import Journal
from csfinterp.cohort.report import Report
from csfinterp.library import Library
from csfinterp.model.edition import Edition
from csfinterp.settings import Settings

SIZE, CHUNK = 300, 64
ROOT = Path(csfinterp.__file__).parents[1]
# `csfinterp` with small blocks, slow enough to be killed between them.
SLOW = f"""
import sys, time
from csfinterp.cohort import run
from csfinterp.cohort.workers import Worker
run.CHUNK, quick = {CHUNK}, Worker.answer
def answer(self, block):
    time.sleep(0.3)
    return quick(self, block)
Worker.answer = answer
from csfinterp.cli import main
main(sys.argv[1:])
"""


def lines(size: int) -> Iterator[str]:
    draw = random.Random(6)
    yield (
        "panel_id,patient_id,age_years,sex,site,collected_at,tumor,mri,csf_leukocytes [/uL],csf_protein [mg/dL],"
        "csf_glucose,csf_glucose_unit,serum_glucose [mmol/L],csf_albumin [mg/L],serum_albumin [g/L],csf_cytology\n"
    )
    for number in range(size):
        text = '"Müller, ""K"""' if number % 50 == 7 else f"M{number % 40}"
        leukocytes = draw.choice([str(draw.randint(0, 60)), "<5", "", "many"])
        yield (
            f"P{number},{text},{draw.randint(0, 95)},{draw.choice(['female', 'male', 'Frau'])},lumbar,2026-03-01,"
            f"{draw.choice(['solid', 'none', ''])},linear,{leukocytes},{draw.randint(20, 150)},"
            f"{draw.randint(10, 50) / 10},{draw.choice(['mmol/L', ''])},5.5,{draw.randint(100, 600)},40,"
            f"{draw.choice(['positive', 'negative', ''])}\n"
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """in.csv, and out.csv as an undisturbed run of one process writes it."""
    made = tmp_path_factory.mktemp("cohort")
    (made / "in.csv").write_text("".join(lines(SIZE)), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "CHUNK", CHUNK)
        small("in.csv", "out.csv", made)
        yield made


def small(source: str, target: str, folder: Path, **how: Any) -> None:
    report = run.run_cohort(Settings.load(), folder / source, folder / target, run.How(**how))
    assert report.panels == SIZE and report.refusals
    left = [folder / f"{target}.{ending}" for ending in ("partial", "journal", "partial.parquet")]
    assert not any(file.exists() for file in left)


def same(folder: Path, target: str, first: str = "out.csv") -> None:
    assert (folder / target).read_bytes() == (folder / first).read_bytes()
    told, other = (json.loads((folder / f"{name}.manifest.json").read_bytes()) for name in (first, target))
    assert other == told


def test_two_processes_give_the_same_bytes_and_the_same_manifest(folder: Path) -> None:
    small("in.csv", "two.csv", folder, workers=2)
    same(folder, "two.csv")


def test_a_dask_cluster_of_two_processes_gives_the_same_bytes(folder: Path) -> None:
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster:
        small("in.csv", "dask.csv", folder, cluster=cluster.scheduler_address)
    same(folder, "dask.csv")


def test_interpret_and_frame_say_the_same(folder: Path) -> None:
    """One panel by `interpret`, all by `interpret_frame`, and the file: value by value."""
    source = pd.read_csv(folder / "in.csv", dtype=str)
    with pytest.warns(UserWarning, match="panels were refused"):
        frame = csfinterp.interpret_frame(source)
    types = {column.name: "string" for column in columns(_edition()) if column.type not in (NUMBER, COUNT, BOOLEAN)}
    table = pd.read_csv(folder / "out.csv", dtype={**types, "lm_provisional": "boolean"})
    pd.testing.assert_frame_equal(frame.astype(types), table, check_dtype=False)
    document = {
        "specimen": {"id": "P0", "site": "lumbar", "collected_at": "2026-03-01"},
        "patient": {"id": source["patient_id"][0], "sex": source["sex"][0]},
        "observations": [{"code": "csf_protein", "value": source["csf_protein [mg/dL]"][0], "unit": "mg/dL"}],
    }  # fmt: skip
    answer = csfinterp.interpret(document)
    assert table["csf_protein"][0] == next(one["value"] for one in results(answer) if one["analyte"] == "csf_protein")


def results(answer: dict[str, object]) -> list[dict[str, Any]]:
    found = answer["results"]
    assert isinstance(found, list)
    return found


def _edition() -> Edition:
    return Library(Settings.load()).known().edition


def test_a_run_that_is_killed_three_times_goes_on_and_gives_the_same_bytes(folder: Path) -> None:
    target = folder / "killed.csv"
    journal = target.with_name(target.name + ".journal")
    command = [sys.executable, "-c", SLOW, "cohort", str(folder / "in.csv"), str(target)]
    seen = []
    for moment in (1, 2, 4):
        process = subprocess.Popen(command, cwd=ROOT)
        limit = time.monotonic() + 120
        while time.monotonic() < limit and (not journal.exists() or journal.read_bytes().count(b"\n") <= moment):
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        seen.append(journal.read_bytes().count(b"\n"))
        assert not target.exists()
        with target.with_name(target.name + ".partial").open("ab") as partial:
            partial.write(b"half a part")
    assert seen == sorted(seen) and seen[0] > 1
    small("in.csv", target.name, folder)
    same(folder, target.name)


def stopped(source: str, target: str, folder: Path, blocks: int) -> None:
    """A run that a person stops after some blocks."""
    keep, count = Journal.add, itertools.count(1)

    def add(self: Journal, block: str, part: bytes, report: Report) -> None:
        keep(self, block, part, report)
        if next(count) == blocks:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Journal, "add", add)
        small(source, target, folder)
    assert (folder / f"{target}.journal").read_bytes().count(b"\n") == 1 + blocks


@pytest.mark.parametrize("form", ["csv.gz", "parquet"])
def test_other_forms_go_on_too(folder: Path, form: str) -> None:
    small("in.csv", f"whole.{form}", folder)
    stopped("in.csv", f"stopped.{form}", folder, 2)
    small("in.csv", f"stopped.{form}", folder)
    same(folder, f"stopped.{form}", f"whole.{form}")


def test_a_changed_input_is_answered_anew_from_where_it_changed(folder: Path) -> None:
    text = (folder / "in.csv").read_text(encoding="utf-8")
    (folder / "changed.csv").write_text(text, encoding="utf-8")
    stopped("changed.csv", "changed_out.csv", folder, 3)
    (folder / "changed.csv").write_text(text.replace("P100,", "Q100,"), encoding="utf-8")
    small("changed.csv", "changed_out.csv", folder)
    small("changed.csv", "afresh.csv", folder)
    same(folder, "changed_out.csv", "afresh.csv")
    assert b"\r\nQ100," in (folder / "changed_out.csv").read_bytes()


def test_two_runs_never_write_one_table(folder: Path) -> None:
    with run.journal(folder / "busy.csv", {"task": 1}):
        done = CliRunner().invoke(main, ["cohort", str(folder / "in.csv"), str(folder / "busy.csv")])
    assert done.exit_code == 1 and "Another run is writing busy.csv now" in done.stderr


def test_parquet_in_and_out_hold_what_csv_holds(folder: Path) -> None:
    pd.read_csv(folder / "in.csv", dtype={"csf_leukocytes [/uL]": str}).to_parquet(folder / "in.parquet")
    small("in.parquet", "out.parquet", folder)
    small("in.parquet", "from_parquet.csv", folder)
    assert (folder / "from_parquet.csv").read_bytes() == (folder / "out.csv").read_bytes()
    found = pyarrow.parquet.read_table(folder / "out.parquet")
    kinds = {NUMBER: "double", COUNT: "int64", BOOLEAN: "bool", TEXT: "string"}
    named = {column.name: kinds.get(column.type, "string") for column in columns(_edition())}
    assert {field.name: str(field.type) for field in found.schema} == named
    text = pd.read_csv(folder / "out.csv", dtype=str, keep_default_na=False)
    for name in ("panel_id", "csf_leukocytes_comparator", "lm_certainty", "csf_glucose_flag"):
        assert [value or "" for value in found[name].to_pylist()] == text[name].tolist()
    shown = ["" if value is None else repr(value) for value in found["csf_protein"].to_pylist()]
    assert shown == text["csf_protein"].tolist()


def test_gzip_in_and_out_are_the_same_rows(folder: Path) -> None:
    (folder / "in.csv.gz").write_bytes(gzip.compress((folder / "in.csv").read_bytes()))
    small("in.csv.gz", "out.csv.gz", folder)
    assert gzip.decompress((folder / "out.csv.gz").read_bytes()) == (folder / "out.csv").read_bytes()


def test_a_code_map_reads_the_local_codes_words_and_commas_of_a_sender(tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text(
        "id: trial\nsource: LIS-TRIAL\ncodes: {LEUK: csf_leukocytes, ZYT: csf_cytology, LAK: csf_lactate}\n"
        "words: {csf_cytology: {Tumorzellen: positive}}\ndecimal_comma: true\ndefault_units: {csf_leukocytes: '/uL'}\n",
        encoding="utf-8",
    )
    (tmp_path / "in.csv").write_text(
        'panel_id,tumor,source_system,LEUK,ZYT,LAK [mmol/L]\nP1,solid,,21,Tumorzellen,"3,9"\n'
        "P2,solid,OTHER,21,Tumorzellen,2\n",
        encoding="utf-8",
    )
    words = ["cohort", str(tmp_path / "in.csv"), str(tmp_path / "out.csv"), "--code-map", str(tmp_path / "map.yaml")]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 1, done.stderr  # the second sender's codes are not known
    first, second = pd.read_csv(tmp_path / "out.csv").to_dict("records")
    assert (first["csf_leukocytes"], first["csf_cytology"], first["csf_lactate"]) == (21.0, "positive", 3.9)
    assert first["lm_certainty"] == "confirmed" and pd.isna(second["lm_certainty"])
    manifest = json.loads((tmp_path / "out.csv.manifest.json").read_bytes())
    assert manifest["code_map"]["id"] == "trial" and manifest["code_map"]["digest"].startswith("sha256:")


def test_the_table_schema_names_every_column_with_its_type(folder: Path) -> None:
    schema = json.loads((folder / "out.csv.schema.json").read_bytes())
    kinds = {NUMBER: "number", COUNT: "integer", BOOLEAN: "boolean"}
    expected = [(column.name, kinds.get(column.type, "string")) for column in columns(_edition())]
    assert [(one["name"], one["type"]) for one in schema["fields"]] == expected
    assert schema["missingValues"] == [""]
