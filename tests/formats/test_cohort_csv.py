"""CSV of researchers: wide and long rows -> the panels that the JSON door reads; what leaves a doubt is refused."""

from __future__ import annotations

import csv
import io
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csfinterp.errors import DocumentError
from csfinterp.formats import FORMATS, ReadLimits, panel_json
from csfinterp.formats.csv_cells import cell, records, write
from csfinterp.formats.csv_header import PANEL_COLUMNS
from csfinterp.model import context as words
from csfinterp.model.panel import Panel

SECRET = "Mustermann"


def read(text: str | bytes) -> list[Panel | DocumentError]:
    found = FORMATS["csv"].read_many
    assert found is not None
    return list(found(text if isinstance(text, bytes) else text.encode(), ReadLimits()))


def panel(*lines: str) -> dict[str, Any]:
    (found,) = read("\n".join(lines))
    assert isinstance(found, Panel), found
    return dict(found.document)


def refusal(*lines: str) -> str:
    (found,) = read("\n".join(lines))
    assert isinstance(found, DocumentError)
    assert SECRET not in " ".join([found.message, *(fault.message + fault.pointer for fault in found.faults)])
    return found.message


def same(document: dict[str, Any], expected: dict[str, Any]) -> None:
    assert panel_json.read_document(document) == panel_json.read_document(expected)


# --- wide ---


def test_a_wide_row_is_the_panel_of_its_columns() -> None:
    found = panel(
        "panel_id,patient_id,age_years,sex,site,collected_at,tumor,tumor_primary,mri,immunosuppressed,stated,"
        "symptom_duration_days,csf_protein [mg/dL],csf_lactate,csf_lactate_unit,csf_cytology",
        "P1,M1,54,female,lumbar,2026-03-01,solid,breast,linear,no,fever;hiv,2.5,81.20,<5,mmol/L,positive",
    )
    expected = {
        "patient": {"id": "M1", "sex": "female", "age": {"value": 54, "unit": "a"}},
        "specimen": {"id": "P1", "site": "lumbar", "collected_at": "2026-03-01"},
        "context": {
            "tumor": {"class": "solid", "primary": "breast"}, "mri": "linear", "immunosuppressed": False,
            "stated": ["fever", "hiv"], "symptom_duration_days": 2.5,
        },
        "observations": [
            {"code": "csf_protein", "value": "81.20", "unit": "mg/dL"},
            {"code": "csf_lactate", "value": "<5", "unit": "mmol/L"},
            {"code": "csf_cytology", "value": "positive"},
        ],
    }  # fmt: skip
    same(found, expected)


def test_a_result_may_have_its_organism_tube_and_comparator_beside_it() -> None:
    found = panel(
        "panel_id,csf_culture,csf_culture_organism,csf_culture_organism_class,csf_leukocytes [/uL],csf_leukocytes_tube,"
        "csf_protein [mg/L],csf_protein_comparator",
        "P1,positive,Listeria monocytogenes,bacterial,21,3,500,<",
    )
    assert found["observations"] == [
        {"code": "csf_culture", "value": "positive", "organism": "Listeria monocytogenes",
         "organism_class": "bacterial"},
        {"code": "csf_leukocytes", "value": "21", "unit": "/uL", "tube": 3},
        {"code": "csf_protein", "value": "500", "unit": "mg/L", "comparator": "<"},
    ]  # fmt: skip


def test_an_empty_cell_is_missing_and_a_unit_is_never_guessed() -> None:
    found = panel("panel_id,sex,csf_protein [mg/L],csf_lactate,csf_glucose,csf_glucose_unit", "P1, , ,3.9,2.1,")
    assert found["observations"] == [{"code": "csf_lactate", "value": "3.9"}, {"code": "csf_glucose", "value": "2.1"}]
    assert "patient" not in found


def test_every_context_id_of_the_contract_is_a_column() -> None:
    named = {*words.CODED_CONTEXT, *words.YES_NO_CONTEXT, *words.NUMBER_CONTEXT, *words.TEXT_CONTEXT, "stated"}
    assert named <= set(PANEL_COLUMNS)


@pytest.mark.parametrize(("text", "expected"), [("yes", True), ("no", False), ("unknown", None), ("true", True)])
def test_yes_no_unknown(text: str, expected: bool | None) -> None:
    assert panel("panel_id,preterm,csf_lactate", f"P1,{text},2")["context"]["preterm"] is expected


@pytest.mark.parametrize(
    ("column", "cell_text", "advice"),
    [
        ("sex", SECRET, "Send one of these words: female, male"),
        ("birth_date", "04.02.1961", "as YYYY-MM-DD"),
        ("collected_at", SECRET, "ISO 8601"),
        ("age_years", SECRET, "Send a finite JSON number, 0 or more"),
        ("preterm", SECRET, "Send yes, no or unknown"),
        ("tumor", SECRET, "Send one of these words: solid, hematologic"),
        ("csf_samples_examined", SECRET, "Send a finite JSON number"),
    ],
)
def test_a_fact_that_cannot_be_read_refuses_its_row_by_row_and_column(column: str, cell_text: str, advice: str) -> None:
    first, second, third = read(f"panel_id,{column},csf_lactate\nP1,,2\nP2,{cell_text},2\nP3,,2\n")
    assert isinstance(first, Panel) and isinstance(third, Panel)
    assert isinstance(second, DocumentError)
    assert second.message.startswith(f"Row 3, {column}: ") and advice in second.message
    assert second.faults[0].pointer == f"/rows/3/{column}"
    assert SECRET not in second.message


def test_a_row_without_id_result_or_with_a_cell_too_many_is_refused_alone() -> None:
    found = read("panel_id,csf_lactate\n,2\nP2,\nP3,2,3\nP4,2\n")
    messages = [one.message for one in found if isinstance(one, DocumentError)]
    assert [message.split(":")[0] for message in messages] == ["Row 2, panel_id", "Row 3", "Row 4"]
    assert isinstance(found[3], Panel)


# --- long ---


def test_long_rows_of_one_panel_are_one_panel() -> None:
    first, second = read(
        "panel_id,code,value,unit,sex,organism\n"
        "P1,csf_leukocytes,21,/uL,female,\nP1,csf_culture,positive,,,Listeria monocytogenes\n"
        "P2,csf_lactate,>3,mmol/L,male,\n"
    )
    assert isinstance(first, Panel) and isinstance(second, Panel)
    expected = {
        "patient": {"sex": "female"},
        "specimen": {"id": "P1"},
        "observations": [
            {"code": "csf_leukocytes", "value": "21", "unit": "/uL"},
            {"code": "csf_culture", "value": "positive", "organism": "Listeria monocytogenes"},
        ],
    }
    same(dict(first.document), expected)
    assert second.patient.sex == "male"


def test_a_panel_in_two_parts_refuses_the_file_so_that_no_half_is_answered() -> None:
    lines = ("panel_id,code,value,unit", f"{SECRET},csf_lactate,2,mmol/L", "P2,csf_lactate,2,mmol/L")
    assert refusal(*lines, f"{SECRET},csf_protein,500,mg/L").startswith("Row 4: The panel of this row came before")


def test_rows_that_contradict_each_other_about_the_panel_are_refused() -> None:
    found = read("panel_id,code,value,sex\nP1,csf_cytology,negative,female\nP1,csf_lactate,2,male\n")
    assert [one.message for one in found if isinstance(one, DocumentError)] == [
        "Row 3, sex: Differs from an earlier row of this panel. Send one."
    ]


# --- the whole file ---


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Row 1: The file is empty"),
        ("panel_id;csf_lactate\nP1;2", "Row 1: The header has no column panel_id. Columns are separated by commas"),
        (",panel_id,csf_lactate\n0,P1,2", "Row 1: Column 1 has no name. Name it or leave it out (pandas"),
        ("panel_id,csf_lactate,csf_lactate [mmol/L]\nP1,2,2", "Row 1: The header names csf_lactate twice"),
        ("panel_id,csf_lactate [mmol/L],csf_lactate_unit\nP1,2,g/L", "Row 1: csf_lactate has its unit in the header"),
        ("panel_id,age_years [mo],csf_lactate\nP1,2,2", "Row 1: age_years takes no unit in the header"),
        ("panel_id,code,value [mg/L]\nP1,csf_protein,2", "Row 1: value takes no unit in the header"),
        ("panel_id,code,value,Mrs Mustermann\nP1,csf_lactate,2,1", "Row 1: column 4 is no column of a long file"),
        ("panel_id,code,value\nP1,csf_lactate", "Row 2: The header has 3 columns"),
        ('panel_id,csf_lactate\n"P1"x,2', "Row 2: The quotes do not match"),
        ('panel_id,csf_lactate\nP1,2\n"P2,2', "Row 3: The quotes do not match"),
        ("panel_id,csf_lactate\rP1,2", "Row 1: The quotes do not match"),
    ],
)
def test_a_file_that_leaves_a_doubt_is_refused_whole(text: str, message: str) -> None:
    assert refusal(*text.split("\n")).startswith(message)


def test_other_encodings_are_refused_and_a_byte_order_mark_is_not() -> None:
    (found,) = read("panel_id,csf_lactate\nMüller,2\n".encode("latin-1"))
    assert isinstance(found, DocumentError) and found.message.startswith("Row 2: This is not UTF-8")
    (read_well,) = read("panel_id,csf_lactate\r\nMüller,2\r\n".encode("utf-8-sig"))
    assert isinstance(read_well, Panel) and read_well.specimen.id == "Müller"


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda data: data.decode("latin-1")))
def test_no_file_breaks_the_reader(text: str) -> None:
    for head in ("", "panel_id,csf_lactate\n", "panel_id,code,value\n"):
        for one in read((head + text).encode("utf-8", "surrogatepass")):
            assert isinstance(one, Panel | DocumentError)


# --- cells that are written ---


@given(st.lists(st.lists(st.text(max_size=20), min_size=1, max_size=4), min_size=1, max_size=4))
def test_no_cell_that_is_written_runs_in_a_spreadsheet_and_none_is_lost(rows: list[list[str]]) -> None:
    stream = io.StringIO(newline="")
    write(stream, rows)
    found = list(csv.reader(io.StringIO(stream.getvalue(), newline=""), strict=True))
    assert [len(row) for row in found] == [len(row) for row in rows]
    for text, sent in zip(chain(*found), chain(*rows), strict=True):
        assert not text.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
        assert text in (sent, f"'{sent}")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")'])
def test_a_text_that_would_run_begins_with_an_apostrophe(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value", [-1.5, 0.0, 12, None, "<5", "positive"])
def test_numbers_and_plain_words_stay(value: object) -> None:
    assert cell(value) == value


def test_row_numbers_are_those_that_a_spreadsheet_shows() -> None:
    found = list(records(io.BytesIO(b'panel_id,note\r\nP1,"two\r\nlines"\r\nP2,x\r\n')))
    assert [(one.number, one.cells[0]) for one in found] == [(1, "panel_id"), (2, "P1"), (3, "P2")]
