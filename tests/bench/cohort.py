"""`python -m tests.bench cohort`: a file of panels in and out against pandas; an export against a bare cursor."""

from __future__ import annotations

import csv
import random
import sqlite3
import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from csfinterp.cohort.chunk import ChunkReader
from csfinterp.cohort.run import CHUNK, run_cohort
from csfinterp.exports.exporter import Wanted
from csfinterp.formats import ReadLimits, panel_json
from csfinterp.formats.csv_blocks import open_csv
from csfinterp.library import Library
from csfinterp.operations import open_service
from csfinterp.settings import Settings
from tests.bench.core import ROUTINE, document
from tests.bench.measure import Line, seconds, side_by_side

PANELS, STORED = 3 * CHUNK, 400
FACTS = ("panel_id", "patient_id", "age_years", "sex", "site", "collected_at")


def panels(file: Path, size: int) -> None:
    """A routine file: 6 facts, 19 quantities with gaps and bounds, 25 columns in all."""
    draw = random.Random(6)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*FACTS, *(f"{name} [{unit}]" for name, unit, *_ in ROUTINE)])
        for number in range(size):
            day = f"20{draw.randint(10, 25)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"
            facts = [
                f"P{number}",
                f"M{number % 997}",
                draw.randint(1, 90),
                draw.choice(["female", "male"]),
                "lumbar",
                day,
            ]
            values = [round(draw.uniform(low, high), decimals) for _, _, decimals, low, high in ROUTINE]
            writer.writerow([*facts, *("" if draw.random() < 0.1 else value for value in values)])


def lines() -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings.load(
            {"CSFINTERP_DATA_FOLDER": name, "CSFINTERP_DATABASE_URL": f"sqlite:///{name}/csf.sqlite"}
        )
        yield from files(folder, settings)
        yield from export(folder, settings)


def files(folder: Path, settings: Settings) -> Iterator[Line]:
    source, target = folder / "in.csv", folder / "out.csv"
    panels(source, PANELS)
    run_cohort(settings, source, target)
    table = pd.read_csv(target, low_memory=False)
    ours, theirs = side_by_side(
        lambda: run_cohort(settings, source, target),
        lambda: (pd.read_csv(source), table.to_csv(folder / "pandas.csv", index=False)),
        (1, 1),
    )
    yield Line(f"{PANELS} panels of 25 columns, cohort / pandas read_csv + to_csv", ours / theirs, 1.5, False)
    known = Library(settings).known()
    spent, core = 0.0, cast(Any, known.core)
    core_run = core.run

    def timed(*columns: object) -> object:
        nonlocal spent
        found: list[object] = []
        spent += seconds(lambda: found.append(core_run(*columns)), 1)
        return found[0]

    core.run = timed
    with source.open("rb") as stream:
        header, blocks = open_csv(stream, CHUNK)
        reader = ChunkReader(known, header, ReadLimits())
        whole = seconds(lambda: [reader.read(block.rows()) for block in blocks], 1)
    yield Line("share of the core in reading and interpreting a file (for information)", spent / whole, 1.0, False)
    small, large = (memory(folder, settings, size) for size in (CHUNK, 3 * CHUNK))
    yield Line("highest memory of 3 chunks / of 1 chunk", large / small, 1.3, False)


def memory(folder: Path, settings: Settings, size: int) -> float:
    panels(folder / "some.csv", size)
    tracemalloc.start()
    try:
        run_cohort(settings, folder / "some.csv", folder / "some_out.csv")
        return float(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


def export(folder: Path, settings: Settings) -> Iterator[Line]:
    """The bare cursor reads the same stored documents and writes as many cells as the table has."""
    service = open_service(settings)
    service.submit_many(
        [panel_json.read_document({**document(seed), "patient": {"id": f"B{seed}"}}) for seed in range(STORED)]
    )
    exporter = service.exporter()
    width = len(exporter.columns(Wanted()))

    def ours() -> None:
        with (folder / "export.csv").open("wb") as stream:
            stream.writelines(exporter.csv(Wanted()))

    cells = [f"{value:.1f}" for value in np.arange(width)]

    def bare() -> None:
        with (
            sqlite3.connect(folder / "csf.sqlite") as connection,
            (folder / "bare.csv").open("w", newline="") as stream,
        ):
            rows = connection.execute("SELECT panel_id, panel_document, interpretation FROM panel_versions")
            csv.writer(stream).writerows([row[0], *cells[1:]] for row in rows)

    mine, theirs = side_by_side(ours, bare, (1, 1))
    yield Line("rows per second of an export / of a bare cursor + csv.writer", theirs / mine, 0.7, True)
