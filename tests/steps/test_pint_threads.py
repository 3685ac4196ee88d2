"""Units under threads: contexts on a shared pint registry silently give wrong values (units.md 5), so none is used."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

import csfinterp
from csfinterp.formats import panel_json
from csfinterp.steps.pipeline import Core
from csfinterp.units import check_against_pint
from tests.making import panel, quantity

# Mass to molar and back with different molar masses, expected by the printed factor: mixed up, they are far off.
MIXED = [
    ("csf_glucose", "mg/dL", 40.0, 40 / 18.0156), ("csf_lactate", "mg/dL", 31.5273, 3.5),
    ("serum_albumin", "umol/L", 600.0, 600 * 0.066), ("csf_igg", "umol/L", 0.25, 40.0),
    ("csf_igm", "umol/L", 0.5, 475.0),
    ("serum_glucose", "mg/dL", 90.0, 90 / 18.0156),
]  # fmt: skip
THREADS, ROUNDS = 8, 60


@pytest.fixture
def impatient():
    """Threads change places every 10 microseconds, so that a race shows itself."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def document(seed: int) -> dict:
    order = Random(seed).sample(MIXED, len(MIXED))
    return panel(*(quantity(name, number, unit) for name, unit, number, _ in order))


def wrong(core: Core, seed: int) -> list[str]:
    """Analytes of one panel whose canonical value is not the printed one."""
    outcomes = core.outcomes([panel_json.read_document(document(seed))])
    found = {name: float(outcomes.cohort.low[core.layout.quantity[name], 0]) for name, *_ in MIXED}
    return [name for name, _, _, expected in MIXED if abs(found[name] - expected) > 1e-8]


def test_no_value_is_wrong_when_threads_share_one_core(edition, impatient):
    core = Core(edition)  # fresh, so that the first conversions race for the caches as well
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda seed: wrong(core, seed), range(THREADS * ROUNDS)))
    assert len(answers) == THREADS * ROUNDS
    assert [answer for answer in answers if answer] == []


def test_factors_of_the_edition_agree_with_pint_from_many_threads(edition, impatient):
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda _: check_against_pint(edition), range(THREADS)))
    assert found == [[]] * THREADS


def test_whole_interpretations_are_the_same_from_many_threads(edition, impatient):
    core = Core(edition)
    documents = [document(seed) for seed in range(16)]

    def text(one: dict) -> str:
        answer = core.interpret(panel_json.read_document(one))
        return panel_json.dumps(panel_json.write(answer, panel_json.Envelope(None, 1, "2026-03-01T10:00:00Z")))

    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(text, documents * 4))
    assert together == [text(one) for one in documents] * 4


def test_pint_contexts_are_never_used():
    folder = Path(csfinterp.__file__).parent
    importing = [path for path in folder.rglob("*.py") if "import pint" in path.read_text(encoding="utf-8")]
    assert [path.name for path in importing] == ["units.py"]
    source = importing[0].read_text(encoding="utf-8")
    for forbidden in ("pint.Context", "enable_contexts", "add_context", ".context(", "with_context"):
        assert forbidden not in source
