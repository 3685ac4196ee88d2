"""`python -m tests.bench core`: the columnar core against the plain oracle, and cached factors against pint."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pint
from rich.progress import track

from csfinterp.formats import panel_json
from csfinterp.knowledge import load_edition
from csfinterp.model.cohort import Cell, CodeKey, Observations, Subjects
from csfinterp.model.context import CODED_INPUTS
from csfinterp.steps.columns import distinct
from csfinterp.steps.pipeline import Core
from csfinterp.units import UnitReader
from tests.bench.measure import Line, seconds, side_by_side
from tests.oracle import Oracle

EDITION = Path(__file__).parents[2] / "reference_ranges" / "2026.1"
PANELS, CHUNK = 1_000_000, 8192
# id, unit, decimals, lowest and highest value: 20 observations of a full routine panel with its serum pairs.
ROUTINE = (
    ("csf_leukocytes", "/uL", 0, 0, 400), ("csf_erythrocytes", "/uL", 0, 0, 3000),
    ("csf_neutrophils_pct", "%", 0, 0, 90), ("csf_lymphocytes_pct", "%", 0, 0, 95),
    ("csf_monocytes_pct", "%", 0, 0, 60), ("csf_protein", "mg/dL", 1, 15, 300),
    ("csf_glucose", "mg/dL", 0, 10, 120), ("serum_glucose", "mg/dL", 0, 60, 220), ("csf_lactate", "mmol/L", 1, 0.8, 8),
    ("csf_albumin", "mg/L", 0, 80, 2000), ("serum_albumin", "g/L", 1, 25, 55), ("csf_igg", "mg/L", 1, 5, 300),
    ("serum_igg", "g/L", 1, 5, 18), ("csf_iga", "mg/L", 2, 0.2, 40), ("serum_iga", "g/L", 2, 0.5, 5),
    ("csf_igm", "mg/L", 2, 0.05, 20), ("serum_igm", "g/L", 2, 0.3, 3), ("csf_kappa_flc", "mg/L", 3, 0.05, 8),
    ("serum_kappa_flc", "mg/L", 1, 5, 40),
)  # fmt: skip
CYTOLOGY = ("positive", "suspicious", "atypical", "negative", "nondiagnostic")


def document(seed: int) -> dict[str, object]:
    """A routine panel of 20 observations, synthetic."""
    draw = random.Random(seed)
    observations: list[dict[str, object]] = [
        {"code": name, "value": round(draw.uniform(low, high), decimals), "unit": unit}
        for name, unit, decimals, low, high in ROUTINE
    ]
    observations.append({"code": "csf_cytology", "value": draw.choice(CYTOLOGY)})
    return {
        "patient": {"id": "BENCH", "birth_date": f"{draw.randint(1930, 2020)}-05-01"},
        "specimen": {
            "id": f"BENCH-{seed}",
            "type": "csf",
            "site": "lumbar",
            "collected_at": "2026-03-01T09:00:00+01:00",
        },
        "context": {
            "tumor": draw.choice(("solid", "hematologic", "none")),
            "mri": "linear",
            "clinical_signs": "typical",
        },
        "observations": observations,
    }


def texts(draw: np.random.Generator, size: int) -> tuple[list[int], list[CodeKey], list[Cell], list[str | None]]:
    """`size` panels as long columns of texts, as a reader of files delivers them."""
    place, keys, cells, units = [], [], [], []
    for name, unit, decimals, low, high in ROUTINE:
        values = np.round(draw.uniform(low, high, size), decimals)
        shown = (values.astype(int) if decimals == 0 else values).astype(str).tolist()
        place += range(size)
        keys += [CodeKey(None, None, name, None, None, "csf")] * size
        cells += [Cell(text, None) for text in shown]
        units += [unit] * size
    place += range(size)
    keys += [CodeKey(None, None, "csf_cytology", None, None, "csf")] * size
    cells += [Cell(CYTOLOGY[number], None) for number in draw.integers(0, len(CYTOLOGY), size)]
    units += [None] * size
    return place, keys, cells, units


def subjects(draw: np.random.Generator, size: int) -> Subjects:
    years = draw.integers(0, 95, size).astype(float)
    days = years * 365.0 + 100
    words = {
        name: draw.integers(0, len(CODED_INPUTS[name]), size).astype(np.int8)
        for name in ("tumor", "mri", "clinical_signs", "biopsy", "site")
    }
    return Subjects(size, days, days + 1, years, years, words, {})


def chunks() -> Iterator[tuple[tuple[list[int], list[CodeKey], list[Cell], list[str | None]], Subjects]]:
    for number in range(0, PANELS, CHUNK):
        draw = np.random.default_rng(number)
        size = min(CHUNK, PANELS - number)
        yield texts(draw, size), subjects(draw, size)


def million(core: Core) -> float:
    """Seconds per panel for a million panels: from columns of texts to all outcomes. Making the texts is not timed."""
    spent = 0.0
    for (place, keys, cells, units), people in track(chunks(), "1,000,000 panels", total=-(-PANELS // CHUNK)):
        start = time.perf_counter()
        observations = Observations(np.array(place, np.int64), distinct(keys), distinct(cells), distinct(units))
        core.run(observations, people)
        spent += time.perf_counter() - start
    return spent / PANELS


def lines() -> Iterator[Line]:
    core, oracle = Core(load_edition(EDITION)), Oracle(EDITION)
    documents = [document(seed) for seed in range(20)]
    panels = [panel_json.read(json.dumps(found).encode()) for found in documents]
    one, plain = side_by_side(
        lambda: [core.outcomes((panel,)) for panel in panels],
        lambda: [oracle.interpret(found) for found in documents],
        (5, 2),
    )
    yield Line("one panel of 20 observations, core / oracle", one / plain, 1.0, False)
    envelope = panel_json.Envelope(None, 1, "2026-03-01T10:00:00Z")
    whole, alone = side_by_side(
        lambda: [panel_json.text(core.interpret(panel), envelope) for panel in panels],
        lambda: [core.outcomes((panel,)) for panel in panels],
        (3, 5),
    )
    yield Line("one panel, core + explain + JSON / core", whole / alone, 3.0, False)
    per_oracle = seconds(lambda: [oracle.interpret(found) for found in documents], 3) / len(documents)
    yield Line("1,000,000 panels in chunks, oracle per panel / core per panel", per_oracle / million(core), 100.0, True)
    yield conversion(core)


def conversion(core: Core) -> Line:
    registry: pint.UnitRegistry = pint.UnitRegistry()
    analyte, reader = core.edition.analyte["csf_protein"], UnitReader(core.edition.units)
    cache = {"mg/dL": reader.factor("mg/dL", analyte)}
    quantity = registry.Quantity(35.0, "mg/dL")
    cached, by_pint = side_by_side(
        lambda: [35.0 * cache["mg/dL"] for _ in range(1000)], lambda: [quantity.to("mg/L") for _ in range(100)], (20, 5)
    )
    return Line("one conversion, Quantity.to / cached factor", (by_pint / 100) / (cached / 1000), 100.0, True)
