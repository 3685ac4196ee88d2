"""A panel that CSV can carry gets the answer of the JSON door, from a wide and from a long file: vignettes and samples.

What CSV has no column for is counted here, so that a column that is lost is seen.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from csfinterp.formats import FORMATS, ReadLimits, panel_json
from csfinterp.model.panel import Panel
from csfinterp.steps.pipeline import Core
from tests.formats.csv_rendering import Document, NoColumnError, long, wide
from tests.formats.test_same_meaning import PANELS

# Printed back as sent, and so without what CSV has no column for (or writes otherwise: a unit with its volume).
AS_SENT = ("panel_id", "generated_at", "version")


def answer(core: Core, panel: Panel) -> dict[str, Any]:
    found = panel_json.write(core.interpret(panel), panel_json.Envelope(None, 1, None))
    return {name: value for name, value in found.items() if name not in AS_SENT}


def carried(form: str, document: Document) -> bytes | str:
    """The file, or what of the panel has no column."""
    try:
        return wide(document) if form == "wide" else long(document)
    except NoColumnError as missing:
        return str(missing)


@pytest.mark.parametrize("form", ["wide", "long"])
def test_most_panels_can_be_carried_and_what_cannot_is_known(form: str) -> None:
    found = [carried(form, one) for one in PANELS.values()]
    lost = Counter(one for one in found if isinstance(one, str))
    assert set(lost) <= {
        "a test that was sent twice", "a code of a code system", "a test without a value", "context.history",
        "observations.variants", "observations.collected_at", "observations.status", "patient.age", "specimen.tube",
        "observations.laboratory_flag", "observations.laboratory_range", "observations.note", "specimen.volume",
        "observations.absent_reason",
    }  # fmt: skip
    assert sum(lost.values()) < 0.3 * len(found), lost


@pytest.mark.parametrize("form", ["wide", "long"])
def test_the_same_panel_gives_the_same_interpretation(form: str, core: Core) -> None:
    read = FORMATS["csv"].read_many
    assert read is not None
    for name, document in PANELS.items():
        data = carried(form, document)
        if isinstance(data, bytes):
            (found,) = read(data, ReadLimits())
            assert isinstance(found, Panel), name
            assert answer(core, found) == answer(core, panel_json.read_document(document)), name
