"""The guide for laboratories is true: its message, its code map, its ids and its table of acknowledgments."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import csfinterp
from csfinterp.formats import hl7_v2
from csfinterp.formats.hl7_header import VERSIONS
from csfinterp.formats.hl7_own import ATTRIBUTES, NAMES
from csfinterp.samples import SAMPLES
from tests.conftest import Interpret
from tests.formats.hl7.making import Document, documents

PACKAGE = Path(csfinterp.__file__).parent
# Rows of the table that this panel has no reason for.
ABSENT = ("hematologic_cns", "leukemia_cns", "critical_value", "score_", "issue")
GUIDE = (PACKAGE / "guides" / "connect_your_lis.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    assert found
    return found.group(1)


def judged(answer: Document) -> Document:
    """What the message and the JSON sample of the same panel must say alike."""
    return {
        "lm": answer["lm"],
        "findings": answer["findings"],
        "patterns": answer["patterns"],
        "flags": {entry["analyte"]: (entry["value"], entry["flag"]) for entry in answer["results"]},
    }


def test_the_message_is_the_sample_and_means_what_the_json_sample_means(interpret: Interpret) -> None:
    assert block("hl7") == (PACKAGE / "samples" / "suspected_lm.hl7").read_text(encoding="utf-8")
    (panel,) = documents(block("hl7").encode())
    like = next(sample for sample in SAMPLES if sample.name == "suspected_lm_negative_cytology").document()
    assert judged(interpret(panel)) == judged(interpret(like))


def test_the_code_map_names_the_sender_and_analytes_that_exist(edition: object) -> None:
    found = yaml.safe_load(block("yaml"))
    (panel,) = documents(block("hl7").encode())
    assert found["source"] == panel["source"]["system"]
    known = {analyte.id for analyte in edition.analytes}
    assert set(found["codes"].values()) <= known


def test_the_ids_are_those_that_are_read() -> None:
    rows = GUIDE.split("### What no HL7 field carries")[1].split("###")[0]
    named = {
        name
        for row in rows.splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`([a-z_]+)`", row.split("|")[1])
    }
    variants = {name for name in named if name.startswith("variant_")}
    assert named - variants <= NAMES | set(ATTRIBUTES)
    assert variants == {"variant_gene", "variant_hgvs", "variant_vaf_pct"}


@pytest.mark.parametrize("version", ["2.3", "2.8"])
def test_the_versions_are_those_that_are_read(version: str) -> None:
    assert version in VERSIONS


def test_the_conditions_of_the_table_are_those_that_are_answered() -> None:
    rows = re.findall(r"^\| (A[ER]) \| ([0-9, ]+) \|", GUIDE, re.MULTILINE)
    listed = {(code, condition) for code, conditions in rows for condition in conditions.split(", ")}
    source = "".join(file.read_text(encoding="utf-8") for file in (PACKAGE / "formats").glob("hl7_*.py"))
    assert {condition for _, condition in listed} <= set(re.findall(r'"(\d{3})"', source))
    assert ("AR", "202") in listed and ("AE", "207") in listed


def test_what_is_written_has_the_codes_of_the_table(interpret: Interpret) -> None:
    (panel,) = documents(block("hl7").encode())
    message = hl7_v2.write(interpret(panel))
    table = GUIDE.split("## HL7 v2: file the interpretation")[1].split("##")[0]
    for name in re.findall(r"`([a-z_]+)…?`", "".join(row.split("|")[1] for row in table.splitlines() if "|" in row)):
        if name not in ABSENT:
            assert re.search(rf"\|{name}[a-z_0-9]*\^", message), name
