"""The report of a cohort counts what its table says: checked against counts made by hand from the same table."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pandas as pd
import pypdf
import pytest
from click.testing import CliRunner

import csfinterp
from csfinterp.cli import main
from csfinterp.cohort_report import counts as counting
from csfinterp.cohort_report.counts import CohortTableError, count
from csfinterp.cohort_report.view import Share, View, write
from csfinterp.errors import EditionError

PANELS = pd.DataFrame({
    "panel_id": [f"P{number}" for number in range(1, 9)],
    "age_years": 50, "site": "lumbar",
    "tumor": ["solid", "solid", "solid", "hematologic", "hematologic", "none", None, "solid"],
    "csf_leukocytes [/uL]": [21, 3, 40, 86, None, 2, 2, 9],
    "csf_protein [mg/L]": [812, 380, 1200, 1250, 600, 300, 310, "x"],
    "csf_albumin [mg/L]": [400, 180, None, 640, 250, 180, 190, 300],
    "serum_albumin [g/L]": [40, 40, 40, 40, 40, 40, 40, 40],
    "csf_igg [mg/L]": [90, 25, None, 60, None, 25, 60, None],
    "serum_igg [g/L]": [10, 10, None, 10, None, 10, 10, None],
    "csf_cytology": ["positive", "negative", "positive", "positive", None, None, None, "negative"],
})  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The input `panels.csv` and its table `table.csv`."""
    found = tmp_path_factory.mktemp("cohort")
    PANELS.to_csv(found / "panels.csv", index=False)
    csfinterp.interpret_frame(PANELS).to_csv(found / "table.csv", index=False)
    return found


@pytest.fixture(scope="module")
def view(folder: Path) -> View:
    return View(count(folder / "table.csv", folder / "panels.csv"), "table.csv")


def test_classes_certainty_and_patterns_are_those_of_the_table(view: View, folder: Path) -> None:
    table = pd.read_csv(folder / "table.csv")
    assert dict(view._counts.classes) == {"solid": 4, "hematologic": 2, "none": 1, "not stated": 1}
    assert dict(view._counts.certainty) == table["lm_certainty"].value_counts().to_dict()
    assert sum(share.count for _, share, _ in view.certainties()) == len(PANELS)
    grades = table["pattern_bacterial_meningitis"].value_counts().to_dict()
    assert {grade: number for (name, grade), number in view._counts.patterns.items()
            if name == "bacterial_meningitis"} == grades  # fmt: skip


def test_shares_stand_beside_the_published_ones_with_their_numbers(view: View) -> None:
    profile, size, entered, markers = next(one for one in view.profiles() if one[0].tumor == "solid")
    assert (profile.id, size, entered) == ("solid_tumor", 4, 2)
    leukocytes = next(one for one in markers if one.name == "Leukocytes in CSF, high")
    assert (leukocytes.here, leukocytes.entered) == (Share(3, 4), Share(2, 2))
    assert leukocytes.published.startswith("79 % of 76 [")
    glucose = next(one for one in markers if one.disputed)
    assert glucose.here.text == "none judged"


def test_missing_and_not_judged_are_never_counted_as_normal(view: View) -> None:
    rows = {row["name"]: row for _, group in view.results() for row in group}
    leukocytes, protein = rows["Leukocytes in CSF"], rows["Total protein in CSF"]
    assert (leukocytes["there"], leukocytes["judged"], leukocytes["normal"]) == (Share(7, 8), 7, 3)
    assert (protein["there"], protein["judged"]) == (Share(7, 8), 7)
    assert rows["CSF/serum IgG quotient"]["there"] == Share(5, 8)
    assert "Lactate in CSF" in view.never()
    assert "Leukocytes in CSF" not in view.never()


def test_chunks_change_nothing(view: View, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "CHUNK", 3)
    again = count(folder / "table.csv", folder / "panels.csv")
    whole = view._counts
    assert (again.flags, again.patterns, again.certainty, again.entered) == (
        whole.flags, whole.patterns, whole.certainty, whole.entered)  # fmt: skip
    assert again.quotients.equals(whole.quotients)


def test_a_column_tumor_of_the_table_is_enough(folder: Path, tmp_path: Path) -> None:
    pd.read_csv(folder / "table.csv").assign(tumor="solid").to_csv(tmp_path / "own.csv.gz", index=False)
    assert dict(count(tmp_path / "own.csv.gz").classes) == {"solid": 8}


def test_the_command_writes_a_page_that_needs_nothing_else(folder: Path) -> None:
    arguments = [
        "report",
        str(folder / "table.csv"),
        str(folder / "report.html"),
        "--panels",
        str(folder / "panels.csv"),
    ]
    done = CliRunner().invoke(main, arguments)
    assert (done.exit_code, done.stderr) == (0, f"8 panels, 0 refused; written: {folder / 'report.html'}\n")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "3 of 4 (75 %)" in page
    assert re.findall(r'(?:src|href)="(?!data:image/svg)', page) == []
    assert "csfinterp-font" not in page
    assert "counts below 5" in page
    write(folder / "table.csv", folder / "again.html", folder / "panels.csv")
    assert (folder / "again.html").read_text(encoding="utf-8") == page


def test_the_report_as_pdf_says_the_same(folder: Path) -> None:
    write(folder / "table.csv", folder / "report.pdf", folder / "panels.csv")
    pages = pypdf.PdfReader(folder / "report.pdf").pages
    text = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))
    assert len(pages) <= 2
    for said in ("3 of 4 (75 %)", "79 % of 76", "Leukocytes in CSF, high", "page 1 of", "2026.1"):
        assert said in text


def test_without_weasyprint_the_command_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    done = CliRunner().invoke(main, ["report", str(folder / "table.csv"), str(folder / "no.pdf")])
    assert done.exit_code == 1
    assert "pip install 'csfinterp[pdf]'" in done.stderr
    assert not (folder / "no.pdf").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("panel_id,edition\nP1,2026.1\n", "has no column edition_digest, lm_certainty"),
        ("", "cannot be read"),
        ("panel_id,edition,edition_digest,lm_certainty\n", "names no edition"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_what_to_send(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "other.csv").write_text(text, encoding="utf-8")
    with pytest.raises(CohortTableError, match=message):
        count(tmp_path / "other.csv")


def test_a_table_of_another_edition_is_refused(folder: Path, tmp_path: Path) -> None:
    table = pd.read_csv(folder / "table.csv")
    table.assign(edition_digest="sha256:0").to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(EditionError, match="another edition"):
        count(tmp_path / "other.csv")
    digests = [table["edition_digest"][0]] * 7 + ["sha256:0"]
    table.assign(edition_digest=digests).to_csv(tmp_path / "mixed.csv", index=False)
    with pytest.raises(CohortTableError, match="mixes editions"):
        count(tmp_path / "mixed.csv")


def test_another_ending_is_a_usage_error(folder: Path) -> None:
    done = CliRunner().invoke(main, ["report", str(folder / "table.csv"), str(folder / "report.docx")])
    assert done.exit_code == 2
    assert "html" in done.stderr
