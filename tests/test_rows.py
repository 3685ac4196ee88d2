"""Rows never talk to each other: the same panels alone, shuffled and in chunks give bit-identical documents."""

import json
from random import Random

import pytest

from csfinterp.formats import panel_json
from csfinterp.knowledge import load_edition
from csfinterp.steps.pipeline import Core
from tests.random_panels import EDITION, random_panel

PANELS = 4200  # more than one chunk of 4096
ALONE = 400
SOME = 1400


@pytest.fixture(scope="module")
def core():
    return Core(load_edition(EDITION))


@pytest.fixture(scope="module")
def panels():
    return [panel_json.read(json.dumps(random_panel(500_000 + seed)).encode()) for seed in range(PANELS)]


@pytest.fixture(scope="module")
def together(core, panels):
    return texts(core.interpret_many(panels))


def texts(interpretations):
    envelope = panel_json.Envelope(panel_id=None, version=1, generated_at=None)
    return [json.dumps(panel_json.write(interpretation, envelope)) for interpretation in interpretations]


def first_difference(one, other):
    return next((row for row, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]), None)


def test_one_by_one(core, panels, together):
    alone = texts(core.interpret(panel) for panel in panels[:ALONE])
    assert first_difference(alone, together[:ALONE]) is None


@pytest.mark.parametrize(("size", "count"), [(1, ALONE), (7, SOME), (4096, PANELS)])
def test_chunks(core, panels, together, size, count):
    found = []
    for start in range(0, count, size):
        found += texts(core.interpret_many(panels[start : min(start + size, count)]))
    assert first_difference(found, together[:count]) is None


def test_shuffled(core, panels, together):
    order = Random(11).sample(range(PANELS), SOME)
    shuffled = texts(core.interpret_many([panels[row] for row in order]))
    assert first_difference(shuffled, [together[row] for row in order]) is None


def test_the_same_twice(core, panels, together):
    assert first_difference(texts(core.interpret_many(panels[:ALONE])), together[:ALONE]) is None


def test_no_panels(core):
    assert core.interpret_many([]) == []
