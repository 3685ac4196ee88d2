"""One cell of a cohort file as the JSON door reads it: the field of the panel schema behind every column.

For whoever asks once for each distinct text of a column; the fields and so the answers are those of the JSON door.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields

from csfinterp.formats.csv_header import PANEL_COLUMNS, PARTS, Path
from csfinterp.formats.panel_fields import MAX_TEXT, Part, Parts
from csfinterp.formats.panel_json import PANEL, assembled
from csfinterp.formats.strict_json import NumberText
from csfinterp.model import context as words
from csfinterp.model.panel import Panel

YES_NO: dict[str, bool | None] = {"yes": True, "true": True, "no": False, "false": False, "unknown": None}
NUMBERS = {*words.NUMBER_CONTEXT, "age_years", "specimen_volume_ml", "tube_count", "puncture_number"}
UNITS = {"age_years": "a", "specimen_volume_ml": "mL"}
LISTS = ("stated", "condition")
# The JSON door refuses these anywhere; half surrogates can come from a DataFrame.
BAD_CHARACTER = re.compile("[\x00\ud800-\udfff]")
_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
Field = fields.Field[Any]


class Unreadable:
    """Stands for a text that the JSON door refuses in this place."""


REFUSED = Unreadable()


def sent(name: str, text: str) -> object:
    """A fact of the panel as its document would hold it; REFUSED for a yes/no that is none of the words."""
    if name in words.YES_NO_CONTEXT:
        return YES_NO.get(text, REFUSED)
    if name in LISTS:
        return [word.strip() for word in text.split(";") if word.strip()]
    value = number(text) if name in NUMBERS else text
    return {"value": value, "unit": UNITS[name]} if name in UNITS else value


def number(text: str) -> str:
    """As a JSON number if it is one; other text is refused by the schema."""
    return NumberText(text) if _JSON_NUMBER.fullmatch(text) else text


def fact(name: str, text: str) -> object:
    """A filled cell of a panel column as the schema reads it, or REFUSED."""
    return _read(_FACTS[name], sent(name, text), text)


def part(name: str, text: str) -> object:
    """A filled cell beside a result (its organism, tube ...) as the schema reads it, or REFUSED."""
    return _read(_PARTS[name], number(text) if name == "tube" else text, text)


def is_value(text: str) -> bool:
    """Whether the JSON door takes this text as a value or code; what it says is for the core to judge."""
    return len(text) <= MAX_TEXT and BAD_CHARACTER.search(text) is None


def panel_of(facts: Mapping[str, object], observations: list[dict[str, object]]) -> Panel:
    """The panel of facts that `fact` read and observations whose parts `part` read; it carries no document."""
    loaded: dict[str, Any] = {"specimen": {"id": ""}, "observations": observations}
    for name, value in facts.items():
        *parents, key = PANEL_COLUMNS[name]
        place = loaded
        for parent in parents:
            place = place.setdefault(parent, {})
        place[key] = value
    return assembled(loaded)


def _read(field: Field, value: object, text: str) -> object:
    if value is REFUSED or BAD_CHARACTER.search(text):
        return REFUSED
    try:
        return field.deserialize(value)
    except ValidationError:
        return REFUSED


def _field(path: Path) -> Field:
    schema: Schema = PANEL
    for parent in path[:-1]:
        schema = _nested(schema.load_fields[parent])
    return next(field for name, field in schema.load_fields.items() if (field.data_key or name) == path[-1])


def _nested(field: Field) -> Schema:
    if isinstance(field, Parts):  # a list of objects
        field = field.inner
    if not isinstance(field, Part):
        raise TypeError("only an object or a list of objects has fields inside")
    found: Schema = field.schema
    return found


_FACTS = {name: _field(path) for name, path in PANEL_COLUMNS.items()}
_PARTS = {name: _field(("observations", name)) for name in PARTS}
