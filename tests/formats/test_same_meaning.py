"""The contract: the same panel in every format gives the same interpretation document, with no tolerance.

What a format has no place for is listed in the one table of renderers.py, and printed; both sides are without it.
"""

from __future__ import annotations

import copy

import pytest

from csfinterp.formats import FORMATS, ReadLimits, panel_json
from csfinterp.model.edition import Edition
from csfinterp.model.panel import Panel
from csfinterp.steps.pipeline import Core
from tests.formats.contract_panels import ALL, THIRTY
from tests.formats.renderers import RENDERERS, Document, Renderer, print_table

# Given by the way in, not by the content.
ENVELOPE = ("panel_id", "generated_at", "version")
by_format = pytest.mark.parametrize("renderer", RENDERERS, ids=lambda one: one.name)


def answer(core: Core, panel: Panel) -> Document:
    found: Document = panel_json.write(core.interpret(panel), panel_json.Envelope(None, 1, None))
    return {name: value for name, value in found.items() if name not in ENVELOPE}


def read(renderer: Renderer, sent: Document) -> Panel:
    form = FORMATS[renderer.reader]
    reader = form.read or form.read_many
    assert reader is not None
    (found,) = reader(renderer.render(sent), ReadLimits())
    assert isinstance(found, Panel), found
    return found


def compare(renderer: Renderer, panel: Document, core: Core) -> None:
    sent = renderer.carried(panel)
    assert answer(core, read(renderer, sent)) == answer(core, panel_json.read_document(sent))


@pytest.mark.parametrize("name", THIRTY)
@by_format
def test_thirty_panels_give_the_same_interpretation_in_every_format(renderer: Renderer, name: str, core: Core) -> None:
    compare(renderer, ALL[name], core)


@pytest.mark.parametrize("name", sorted(ALL.keys() - set(THIRTY)))
def test_so_do_all_vignettes(name: str, core: Core) -> None:
    for renderer in RENDERERS:
        compare(renderer, ALL[name], core)


def test_the_table_of_losses_is_true_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is listed that none of the thirty panels holds, and what most of them hold is carried."""
    for renderer in RENDERERS:
        lost = {name: list(renderer.lost(ALL[name])) for name in THIRTY}
        listed = [loss.what for loss in renderer.losses]
        assert sorted({what for found in lost.values() for what in found}) == sorted(listed), renderer.name
    assert len(set(THIRTY)) == 30
    with capsys.disabled():
        print_table()


@pytest.mark.parametrize("name", list(ALL)[::5])
@pytest.mark.parametrize("renderer", [one for one in RENDERERS if one.reader != "csv"], ids=lambda one: one.name)
def test_so_it_does_with_loinc_codes(renderer: Renderer, name: str, core: Core, edition: Edition) -> None:
    panel = copy.deepcopy(ALL[name])
    for observation in panel["observations"]:
        analyte = edition.analyte.get(observation["code"]) if isinstance(observation["code"], str) else None
        if analyte is not None and analyte.preferred_loinc:
            code = {"system": "http://loinc.org", "code": analyte.preferred_loinc, "display": analyte.name}
            observation["code"] = code
    compare(renderer, panel, core)
