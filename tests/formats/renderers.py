"""The one table of wire formats for the contract test: how each says a panel, and what it has no place for.

A new format adds one Renderer to RENDERERS; test_same_meaning.py does the rest. `print_table` shows what is left out.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.formats.csv_rendering import long, wide
from tests.formats.fhir_rendering import to_fhir
from tests.formats.hl7_rendering import hl7

Document = dict[str, Any]


@dataclass(frozen=True)
class Loss:
    """One thing that a format cannot carry. `take_out` removes it from a document; True if there was something."""

    what: str
    why: str
    take_out: Callable[[Document], bool]


@dataclass(frozen=True)
class Renderer:
    """`render`: the panel as bytes of the format `reader` of the registry. `losses`: everything it cannot carry; both
    sides of a comparison are without it, and nothing else may differ."""

    name: str
    reader: str
    render: Callable[[Mapping[str, Any]], bytes]
    losses: tuple[Loss, ...] = ()

    def carried(self, document: Document) -> Document:
        """A copy of the document without what the format cannot carry."""
        kept = copy.deepcopy(document)
        for loss in self.losses:
            loss.take_out(kept)
        return kept

    def lost(self, document: Document) -> Iterator[str]:
        """What of this document the format cannot carry."""
        kept = copy.deepcopy(document)
        yield from (loss.what for loss in self.losses if loss.take_out(kept))


def _key(path: str, why: str, only: Callable[[Any], bool] = lambda value: True, which: str = "") -> Loss:
    """A key of the document: `part.name`, or `observations.name` for that of every result; `only` those values, which
    `which` names."""

    def take_out(document: Document) -> bool:
        part, name = path.split(".")
        found = document.get(part) or {}
        holders = [one for one in (found if isinstance(found, list) else [found]) if name in one and only(one[name])]
        for one in holders:
            del one[name]
        return bool(holders)

    return Loss(path + which, why, take_out)


def _results(what: str, why: str, unsayable: Callable[[Document, list[Document]], bool]) -> Loss:
    """Whole results; `unsayable` is asked for each result with those kept before it."""

    def take_out(document: Document) -> bool:
        kept: list[Document] = []
        for one in document["observations"]:
            if not unsayable(one, kept):
                kept.append(one)
        lost = len(kept) < len(document["observations"])
        document["observations"] = kept
        return lost

    return Loss(what, why, take_out)


def _sign_in_text(document: Document) -> bool:
    """ "<5" in one text: formats with a field for numbers say that a number came as text."""
    found = [one for one in document["observations"] if str(one.get("value"))[:1] in "<>" and "value_type" not in one]
    for one in found:
        one["value_type"] = "text"
    return bool(found)


_TYPED = Loss("a value like <5 in one text without value_type", "the field for text is the type", _sign_in_text)
_HISTORY = _key("context.history", "the service fills it from its store")
_ONE_ROW_A_PANEL = (
    _HISTORY,
    _key("source.message_id", "a file is no message"),
    _key("patient.age", "age_years is the only column", lambda age: age["unit"] != "a", " not in years"),
    _key(
        "specimen.volume", "specimen_volume_ml is the only column", lambda volume: volume["unit"] != "mL", " not in mL"
    ),
    _key("specimen.tube", "no column"),
    *(
        _key(f"observations.{name}", "no column")
        for name in ("laboratory_flag", "laboratory_range", "note", "variants", "value_type")
    ),
    _results("a result without a value", "an empty cell is no result", lambda one, _: one.get("value") is None),
    _results(
        "a result with a code of a code system", "a column is an id", lambda one, _: isinstance(one["code"], dict)
    ),
)
_REPEATS = _results(
    "a second result of the same test", "one column a test",
    lambda one, kept: any(one["code"] == other["code"] for other in kept),
)  # fmt: skip

RENDERERS = (
    Renderer("JSON", "json", lambda document: json.dumps(document).encode()),
    Renderer("HL7 v2", "hl7", hl7, (_HISTORY, _TYPED)),
    Renderer("FHIR", "fhir", lambda document: json.dumps(to_fhir(document)).encode(), (_HISTORY, _TYPED)),
    Renderer("CSV, one row a panel", "csv", wide, (*_ONE_ROW_A_PANEL, _REPEATS)),
    Renderer("CSV, one row a result", "csv", long, (
        *_ONE_ROW_A_PANEL,
        _key("observations.collected_at", "the column is the panel's"),
        _key("observations.status", "the column is the panel's"),
    )),
)  # fmt: skip


def print_table() -> None:
    """What each format has no place for."""
    table = Table("format", "cannot carry", "because", title="Compared without (panels in every wire format)")
    for renderer in RENDERERS:
        for loss in renderer.losses or (Loss("nothing", "it is the contract", lambda document: False),):
            table.add_row(renderer.name, loss.what, loss.why)
    Console(width=120).print(table)
