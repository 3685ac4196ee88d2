"""The columns of a file say of every panel what the JSON door says of it: cell by cell, problem by problem.

The panels are all vignettes and samples and several hundred random ones, as far as CSV has columns for them, in one
wide and one long file; and constructed ones for what they lack.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator

import pytest

from csfinterp.cohort.chunk import ChunkReader
from csfinterp.cohort.report import Report
from csfinterp.cohort.table import Table
from csfinterp.errors import Fault
from csfinterp.formats import ReadLimits
from csfinterp.formats.cohort_csv import entries
from csfinterp.formats.csv_blocks import open_csv
from csfinterp.formats.csv_cells import records
from csfinterp.library import Known
from csfinterp.model.panel import Panel
from csfinterp.steps.pipeline import Core
from tests.formats.contract_panels import ALL
from tests.formats.renderers import RENDERERS, Document, Renderer
from tests.random_panels import random_panel

LIMITS = ReadLimits()
RANDOM = 400


def documents() -> Iterator[Document]:
    yield from ALL.values()
    yield from map(random_panel, range(20_000, 20_000 + RANDOM))


def rows_of(renderer: Renderer) -> list[list[dict[str, str]]]:
    """The rows of every panel, without what this form cannot carry; ids are made distinct."""
    found = []
    for number, document in enumerate(documents()):
        sent = renderer.carried({**document, "specimen": {**document["specimen"], "id": f"P{number}"}})
        if sent["observations"]:
            data = renderer.render(sent).decode()
            found.append(list(csv.DictReader(io.StringIO(data, newline=""))))
    return found


def file_of(panels: list[list[dict[str, str]]]) -> bytes:
    rows = [row for panel in panels for row in panel]
    names = list(dict.fromkeys(name for row in rows for name in row))
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, names, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode()


Told = dict[tuple[str, ...], tuple[int, list[int]]]


def by_panels(data: bytes, known: Known) -> tuple[list[dict[str, object]], Told]:
    """Row by row through panel documents and the JSON door; and every problem: how often, and its first rows."""
    table = Table(known.core)
    read = list(entries(records(io.BytesIO(data)), LIMITS))
    errors = [known.refusal(one.panel) if isinstance(one.panel, Panel) else one.panel for one in read]
    good = [one.panel for one, error in zip(read, errors, strict=True) if error is None]
    answers = table.panels([one for one in good if isinstance(one, Panel)]) if good else None
    rows, problems = (iter(answers.plain()), iter(answers.counted)) if answers else (iter(()), iter(()))
    refused = dict.fromkeys(column.name for column in table.columns)
    edition = {"edition": known.edition.id, "edition_digest": known.edition.digest}
    found, told = [], list[tuple[tuple[str, ...], int]]()
    for one, error in zip(read, errors, strict=True):
        if error is not None:
            found.append({**refused, **edition, "panel_id": one.panel_id, "patient_id": one.patient_id})
            told += [
                ((place_of(fault), fault.message.partition(": ")[2] or fault.message), one.row)
                for fault in error.faults
            ]
            continue
        found.append(next(rows))
        for problem in next(problems).issues:
            column, row = "(whole panel)", one.row
            if problem.slot is not None and isinstance(one.panel, Panel):
                code = one.panel.observations[problem.slot].code.code
                column, row = (
                    code if code in known.edition.analyte else one.columns[problem.slot],
                    one.rows[problem.slot],
                )
            told.append(((column, problem.code, problem.severity), row))
    return found, counted(told)


def place_of(fault: Fault) -> str:
    return fault.pointer.split("/")[3] if fault.pointer.count("/") > 2 else "(whole panel)"


def counted(told: list[tuple[tuple[str, ...], int]]) -> Told:
    every: dict[tuple[str, ...], list[int]] = {}
    for what, row in told:
        every.setdefault(what, []).append(row)
    return {what: (len(rows), sorted(set(rows))[:5]) for what, rows in every.items()}


def by_columns(data: bytes, known: Known, size: int) -> tuple[list[dict[str, object]], Told]:
    header, blocks = open_csv(io.BytesIO(data), size)
    reader, report = ChunkReader(known, header, LIMITS), Report()
    found: list[dict[str, object]] = []
    for block in blocks:
        chunk = reader.read(block.rows())
        rows = zip(*(one.plain() for one in chunk.cells.values()), strict=True)
        found += [dict(zip(chunk.cells, row, strict=True)) for row in rows]
        report.add(chunk.report)
    refused = {tuple(what.split(": ", 1)): tally for what, tally in report.refused.items()}
    return found, {what: (one.cells, sorted(one.rows)) for what, one in {**report.issues, **refused}.items()}


@pytest.fixture(scope="module")
def known(core: Core) -> Known:
    return Known(core.edition, core)


def same(data: bytes, known: Known, size: int) -> None:
    (expected, told), (found, said) = by_panels(data, known), by_columns(data, known, size)
    assert [row["panel_id"] for row in found] == [row["panel_id"] for row in expected]
    differences = [
        (row["panel_id"], name, value, other[name])
        for row, other in zip(expected, found, strict=True)
        for name, value in row.items()
        if other[name] != value or type(other[name]) is not type(value)
    ]
    assert differences == []
    assert said == told


@pytest.mark.parametrize("renderer", [one for one in RENDERERS if one.reader == "csv"], ids=lambda one: one.name)
@pytest.mark.parametrize("size", [7, 8192])
def test_every_panel_has_the_row_that_the_json_door_gives_it(renderer: Renderer, size: int, known: Known) -> None:
    panels = rows_of(renderer)
    assert len(panels) > 0.9 * (len(ALL) + RANDOM)
    same(file_of(panels), known, size)


# --- files as people make them: wrong words, texts, units, repeats, gaps ---

FACTS = {
    "patient_id": ["", "M1", "=1+1", "x" * 201],
    "age_years": ["", "54", "0", "0.5", "-1", "old", "130", "1e400"],
    "birth_date": ["", "1961-04-02", "2026-02-30", "2027-01-01"],
    "sex": ["", "female", "male", "Frau", " other "],
    "site": ["", "lumbar", "ventricular", "unknown"],
    "collected_at": ["", "2026-03-01", "2026-03-01T09:20:00+01:00", "1.3.2026"],
    "received_at": ["", "2026-03-01T12:20:00+01:00", "2026-02-01"],
    "tumor": ["", "solid", "hematologic", "none", "primary_cns"],
    "tumor_primary": ["", "breast", "lung"],
    "csf_flow_panel": ["", "epithelial"],
    "mri": ["", "linear", "normal", "bright"],
    "biopsy": ["", "positive"],
    "preterm": ["", "yes", "no", "unknown", "maybe"],
    "stated": ["", "fever;hiv", "fever; cranial_nerve_palsy", "fever;plague"],
    "condition": ["", "clotted"],
    "csf_samples_examined": ["", "1", "3"],
    "days_since_onset": ["", "0.5", "12"],
    "csf_ctc_platform": ["", "CellSearch"],
    "puncture_number": ["", "2", "0"],
    "tube_count": ["", "3"],
    "specimen_type": ["", "csf", "serum"],
    "status": ["", "final", "cancelled"],
}
NUMBERS = [
    "",
    "",
    "21",
    "0",
    "3.5",
    "<5",
    ">=30",
    "≤ 2",
    "12/3",
    "1e6",
    "-4",
    "4,5",
    "pending",
    "n/a",
    "\u0000",
    "9" * 201,
]
TESTS = {
    "csf_leukocytes": ["/uL", "", "Mpt/l", "mg/L"], "csf_nucleated_cells": ["/uL"], "csf_glucose": ["mmol/L", "mg/dL"],
    "serum_glucose": ["mmol/L"], "csf_lactate": ["mmol/L", ""], "csf_protein": ["mg/dL", "g/L"],
    "csf_albumin": ["mg/L"], "serum_albumin": ["g/L"], "albumin_quotient": ["1e-3", "", "{ratio}"],
    "csf_igg": ["mg/L"], "serum_igg": ["g/L"], "csf_blasts_pct": ["%"], "csf_erythrocytes": ["/uL"],
    "csf_il10": ["pg/mL"], "csf_cxcl13": ["pg/mL"], "LOCAL": ["mg/L"],
}  # fmt: skip
WORDS = {
    "csf_cytology": ["", "positive", "negative", "Positive ", "atypical", "perhaps", "pending"],
    "csf_gram_stain": ["", "positive", "negative"], "csf_culture": ["", "positive", "negative"],
    "csf_flow_cytometry": ["", "positive", "negative"], "csf_appearance": ["", "bloody", "clear"],
}  # fmt: skip
BESIDE = {
    "unit": [""], "organism": ["", "Listeria monocytogenes", "yeast"], "organism_class": ["", "bacterial", "alien"],
    "tube": ["", "1", "3", "x"], "comparator": ["", "<", "~"], "specimen": ["", "csf", "serum"],
    "method": ["", "A", "B"], "status": ["", "cancelled", "entered_in_error"],
    "collected_at": ["", "2026-03-01", "2026-02-01T10:00"], "analyzed_at": ["", "2026-03-01T15:00:00+01:00"],
}  # fmt: skip


def wide_file(seed: int, rows: int) -> bytes:
    draw = random.Random(seed)
    facts = draw.sample(sorted(FACTS), draw.randint(0, len(FACTS)))
    tests = draw.sample(sorted({**TESTS, **WORDS}), draw.randint(3, 12))
    names, pools = ["panel_id", *facts], [[""], *(calm(draw, FACTS[name]) for name in facts)]
    for test in tests:
        unit = draw.choice(TESTS.get(test, [""]))
        beside = draw.sample(sorted(BESIDE), draw.choice([0, 0, 0, 1, 2]))
        bracket = unit and "unit" not in beside
        names += [f"{test} [{unit}]" if bracket else test, *(f"{test}_{part}" for part in beside)]
        pools.append(calm(draw, WORDS.get(test, NUMBERS)))
        pools += [TESTS.get(test, [""]) if part == "unit" else calm(draw, BESIDE[part]) for part in beside]
    lines = [[draw.choice(pool) for pool in pools] for _ in range(rows)]
    for number, line in enumerate(lines):
        line[0] = draw.choice(["", "x" * 201]) if draw.random() < 0.02 else f"P{number}"
        if draw.random() < 0.02:
            line.append("too much")
    return as_csv([names, *lines])


def calm(draw: random.Random, pool: list[str]) -> list[str]:
    """Mostly what can be read, so that not every row is refused."""
    return [*pool[:-1] * 6, *pool] if draw.random() < 0.7 else pool[:3]


def long_file(seed: int, panels: int) -> bytes:
    draw = random.Random(seed)
    facts = draw.sample(sorted({*FACTS} - {"status", "collected_at"}), draw.randint(0, 8))
    beside = ["unit", *draw.sample(sorted(set(BESIDE) - {"unit", "status", "collected_at"}), draw.randint(0, 4))]
    lines = [["panel_id", "code", "value", *beside, *facts]]
    for number in range(panels):
        stated = [draw.choice(calm(draw, FACTS[name])) for name in facts]
        for _ in range(draw.choice([1, 2, 3, 8])):
            test = draw.choice(sorted({**TESTS, **WORDS}))
            own = [draw.choice(TESTS.get(test, [""]) if part == "unit" else BESIDE[part][:-1]) for part in beside]
            said = [text if draw.random() < 0.5 else "" for text in stated]
            lines.append([f"P{number}", test, draw.choice(WORDS.get(test, NUMBERS)), *own, *said])
    return as_csv(lines)


def as_csv(lines: list[list[str]]) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows(lines)
    return stream.getvalue().encode()


@pytest.mark.parametrize("seed", range(12))
def test_wrong_words_repeats_and_gaps_are_answered_alike(seed: int, known: Known) -> None:
    make = wide_file if seed % 3 else long_file
    same(make(seed, 60), known, 25)
