"""A cohort from file to file: one door, one answer; the same bytes again; nothing left behind; memory flat."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result

import csfinterp
from csfinterp.cli import main
from csfinterp.cohort import run
from csfinterp.formats.cohort_csv import entries
from csfinterp.formats.csv_cells import records
from csfinterp.library import Library
from csfinterp.model.panel import Panel
from csfinterp.settings import Settings
from tests.cohort.rows import row_of

SECRET = "Mustermann"
PANELS = f"""panel_id,patient_id,age_years,sex,site,collected_at,tumor,mri,csf_leukocytes [/uL],csf_protein [mg/dL],\
csf_lactate,csf_albumin [mg/L],serum_albumin [g/L],csf_cytology,wrong
P1,M1,54,female,lumbar,2026-03-01,solid,linear,21,81.2,,400,40,positive,
P2,=2+5,61,male,lumbar,2026-03-02,solid,linear,<5,42,3.9,200,40,negative,
P3,M3,{SECRET},male,lumbar,2026-03-03,solid,,4,42,,,,,
P4,M4,7,male,,,none,,4,{SECRET},,,,,{SECRET}
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "in.csv").write_text(PANELS, encoding="utf-8")
    return tmp_path / "in.csv"


def cohort(source: Path, target: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["cohort", str(source), str(target), *words])


def rows(target: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(target.read_bytes().decode(), newline=""), strict=True))


def test_a_cohort_says_what_single_panels_say_in_files_and_frames(source: Path) -> None:
    """One panel by `interpret`, the same rows by `interpret_frame` and by `cohort`: value by value."""
    assert cohort(source, source.with_name("out.csv")).exit_code == 1
    out = rows(source.with_name("out.csv"))
    with pytest.warns(UserWarning, match=r"1 of 4 panels were refused: .* \(row 4\)"):
        frame = csfinterp.interpret_frame(pd.read_csv(source))
    assert list(frame.columns) == list(out[0])
    read = list(entries(records(io.BytesIO(PANELS.encode()))))
    ids = [name.removesuffix("_flag") for name in frame.columns if name.endswith("_flag")]
    for place, entry in enumerate(read):
        values = {name: plain(value) for name, value in frame.iloc[place].items()}
        assert {name: shown(value) for name, value in values.items()} == out[place]
        if place != 2:  # the refused one
            assert isinstance(entry.panel, Panel)
            document = dict(entry.panel.document)
            expected = dict.fromkeys(values) | row_of(csfinterp.interpret(document), document, ids)
            assert values == expected


def plain(value: Any) -> Any:
    """A cell of a frame as plain Python; NA is None."""
    return None if pd.isna(value) else value.item() if hasattr(value, "item") else value


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else f"'{value}" if str(value).startswith("=") else str(value)


def test_a_refused_panel_keeps_its_row_with_its_ids_alone(source: Path) -> None:
    cohort(source, source.with_name("out.csv"))
    refused = rows(source.with_name("out.csv"))[2]
    stated = {name for name, text in refused.items() if text}
    assert stated == {"panel_id", "patient_id", "edition", "edition_digest"}


def test_the_report_counts_by_column_and_row_without_patient_data(source: Path) -> None:
    done = cohort(source, source.with_name("out.csv"))
    assert "refused  age_years: Send a finite JSON number, 0 or more. 1 time (row 4)" in done.stderr
    assert "csf_lactate: unit_missing 1 time (row 3)" in done.stderr
    assert "csf_protein: value_unreadable 1 time (row 5)" in done.stderr
    assert "wrong: code_unknown 1 time (row 5)" in done.stderr
    assert "4 panels, 1 refused" in done.stderr
    told = done.stderr + source.with_name("out.csv.manifest.json").read_text(encoding="utf-8")
    assert SECRET not in told and "M1" not in told


def test_the_manifest_names_edition_digests_and_counts(source: Path) -> None:
    target = source.with_name("out.csv")
    cohort(source, target)
    manifest = json.loads(target.with_name("out.csv.manifest.json").read_bytes())
    for part, file in (("input", source), ("output", target)):
        data = file.read_bytes()
        assert manifest[part]["digest"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
        assert manifest[part]["bytes"] == len(data)
    assert manifest["software"] == {"name": "csfinterp", "version": csfinterp.__version__}
    assert manifest["edition"]["digest"] == rows(target)[0]["edition_digest"]
    assert manifest["counts"]["panels"] == 4 and manifest["counts"]["refused"] == 1
    names = [row["name"] for row in rows(target.with_name("out.csv.dictionary.csv"))]
    assert names == list(rows(target)[0])


def test_the_same_input_gives_the_same_bytes_packed_or_not(source: Path) -> None:
    packed = source.with_name("in.csv.gz")
    packed.write_bytes(gzip.compress(source.read_bytes()))
    for target in ("a.csv", "b.csv", "a.csv.gz", "b.csv.gz"):
        assert cohort(packed if target.startswith("b") else source, source.with_name(target)).exit_code == 1
    plain, other, first, second = (
        source.with_name(one).read_bytes() for one in ("a.csv", "b.csv", "a.csv.gz", "b.csv.gz")
    )
    assert plain == other == gzip.decompress(first)
    assert first == second
    assert b"\r\n" in plain and plain.decode("utf-8")


def test_chunks_do_not_change_the_bytes(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cohort(source, source.with_name("a.csv"))
    monkeypatch.setattr(run, "CHUNK", 1)
    cohort(source, source.with_name("b.csv"))
    assert source.with_name("a.csv").read_bytes() == source.with_name("b.csv").read_bytes()


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"panel_id,csf_lactate\nP1,2\n\xff,2\n", "in.csv", "Row 3: This is not UTF-8"),
        (b"no gzip", "in.csv.gz", "The input is no whole gzip file"),
        (gzip.compress(PANELS.encode())[:-20], "in.csv.gz", "The input is no whole gzip file"),
    ],
)
def test_a_file_that_cannot_be_read_leaves_the_old_output(tmp_path: Path, data: bytes, name: str, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    target = tmp_path / "out.csv"
    target.write_text("older", encoding="utf-8")
    done = cohort(tmp_path / name, target)
    assert done.exit_code == 1 and message in done.stderr
    assert target.read_text(encoding="utf-8") == "older"
    assert sorted(file.name for file in tmp_path.iterdir()) == [name, "out.csv"]


def test_the_input_is_never_overwritten(source: Path) -> None:
    done = cohort(source, source)
    assert done.exit_code == 1 and "would overwrite the input" in done.stderr
    assert source.read_text(encoding="utf-8") == PANELS


def test_an_edition_that_is_not_there_is_said(source: Path) -> None:
    done = cohort(source, source.with_name("out.csv"), "--edition", "1999.1")
    assert done.exit_code == 1 and "There is no" in done.stderr


def test_memory_does_not_grow_with_the_number_of_panels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "CHUNK", 32)
    settings = Settings.load()
    Library(settings).known()
    run_of(tmp_path, settings, 64)  # caches are filled
    small, large = run_of(tmp_path, settings, 128), run_of(tmp_path, settings, 512)
    assert large < 1.25 * small


def run_of(folder: Path, settings: Settings, size: int) -> int:
    """Highest memory (bytes) of a cohort of this size."""
    (folder / "in.csv").write_text("".join(lines(size)), encoding="utf-8")
    tracemalloc.start()
    try:
        run.run_cohort(settings, folder / "in.csv", folder / "out.csv")
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def lines(size: int) -> Iterator[str]:
    yield "panel_id,age_years,csf_leukocytes [/uL],csf_lactate\n"
    yield from (f"P{number},{number % 80},{number % 50},2\n" for number in range(size))


# --- notebooks ---


def test_a_frame_keeps_its_index_and_reads_numbers_dates_and_gaps() -> None:
    frame = pd.DataFrame(
        {
            "panel_id": ["P1", "P2"],
            "birth_date": pd.to_datetime(["1961-04-02", None]),
            "collected_at": pd.to_datetime(["2026-03-01", "2026-03-02"]),
            "preterm": [False, False],
            "csf_leukocytes [/uL]": [21, 3],
            "csf_protein [mg/L]": [812.5, None],
        },
        index=["a", "b"],
    )
    found = csfinterp.interpret_frame(frame)
    assert list(found.index) == ["a", "b"]
    assert found.loc["a", ["csf_leukocytes_flag", "csf_protein_flag", "collected_at"]].to_list() == [
        "H", "H", "2026-03-01",
    ]  # fmt: skip
    assert found["csf_protein"].isna().to_list() == [False, True]
    assert found["issues"].dtype == "Int64" and found["lm_provisional"].dtype == "boolean"


def test_a_long_frame_gives_one_row_a_panel() -> None:
    frame = pd.DataFrame(
        {
            "panel_id": ["P1", "P1"],
            "age_years": [54, None],
            "code": ["csf_leukocytes", "csf_lactate"],
            "value": [21, 2.5],
            "unit": ["/uL", None],
        }
    )
    found = csfinterp.interpret_frame(frame)
    assert found[["panel_id", "csf_leukocytes_flag", "issues"]].to_numpy().tolist() == [["P1", "H", 1]]


def test_importing_the_package_stays_cheap() -> None:
    code = "import sys, csfinterp; print(sorted({'numpy', 'pandas', 'csfinterp.cohort'} & set(sys.modules)))"
    root = Path(csfinterp.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=root)
    assert done.stdout.strip() == "[]"
