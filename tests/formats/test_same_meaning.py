"""The same panel in every format gives the same interpretation document: all vignettes and samples.

What a format has no place for is listed with its renderer, in renderers.py.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from csfinterp.formats import FORMATS, ReadLimits, panel_json
from csfinterp.model.edition import Edition
from csfinterp.model.panel import Panel
from csfinterp.samples import SAMPLES
from csfinterp.steps.pipeline import Core
from tests.formats.renderers import RENDERERS, Document, Renderer
from tests.test_cases import VIGNETTES, document

PANELS = {case["id"]: document(case) for case in VIGNETTES} | {one.name: one.document() for one in SAMPLES}
LIMITS = ReadLimits()
# Given by the way in, not by the content.
ENVELOPE = ("panel_id", "generated_at", "version")


def without(sent: Document, paths: tuple[str, ...]) -> Document:
    """The panel without what stands at these dotted paths."""
    kept = copy.deepcopy(sent)
    for path in paths:
        *parents, name = path.split(".")
        part: Any = kept
        for parent in parents:
            part = (part or {}).get(parent)
        if isinstance(part, dict):
            part.pop(name, None)
    return kept


def answer(core: Core, panel: Panel) -> Document:
    found: Document = panel_json.write(core.interpret(panel), panel_json.Envelope(None, 1, None))
    return {name: value for name, value in found.items() if name not in ENVELOPE}


def test_there_are_enough_panels() -> None:
    assert len(PANELS) >= 30


def compare(renderer: Renderer, panel: Document, core: Core) -> None:
    sent = without(panel, renderer.cannot)
    read = FORMATS[renderer.name].read
    assert read is not None
    (found,) = read(renderer.render(sent), LIMITS)
    assert answer(core, found) == answer(core, panel_json.read_document(sent))


@pytest.mark.parametrize("name", PANELS)
@pytest.mark.parametrize("renderer", RENDERERS, ids=lambda one: one.name)
def test_the_same_panel_gives_the_same_interpretation(renderer: Renderer, name: str, core: Core) -> None:
    compare(renderer, PANELS[name], core)


@pytest.mark.parametrize("name", list(PANELS)[::5])
@pytest.mark.parametrize("renderer", RENDERERS, ids=lambda one: one.name)
def test_so_it_does_with_loinc_codes(renderer: Renderer, name: str, core: Core, edition: Edition) -> None:
    panel = copy.deepcopy(PANELS[name])
    for observation in panel["observations"]:
        analyte = edition.analyte.get(observation["code"]) if isinstance(observation["code"], str) else None
        if analyte is not None and analyte.preferred_loinc:
            code = {"system": "http://loinc.org", "code": analyte.preferred_loinc, "display": analyte.name}
            observation["code"] = code
    compare(renderer, panel, core)
