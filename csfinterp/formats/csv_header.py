"""The header of a cohort file: which column is a fact of the panel, which a test, and where its unit stands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from csfinterp.errors import DocumentError
from csfinterp.formats.csv_cells import unreadable
from csfinterp.formats.strict_json import shown_key
from csfinterp.model import context as words

Path = tuple[str, ...]

# Column -> place in the panel document. Every context id is a column of its own name.
PANEL_COLUMNS: dict[str, Path] = {
    "panel_id": ("specimen", "id"),
    "patient_id": ("patient", "id"),
    "age_years": ("patient", "age"),
    "birth_date": ("patient", "birth_date"),
    "sex": ("patient", "sex"),
    "site": ("specimen", "site"),
    "collected_at": ("specimen", "collected_at"),
    "received_at": ("specimen", "received_at"),
    "specimen_type": ("specimen", "type"),
    "specimen_volume_ml": ("specimen", "volume"),
    "position": ("specimen", "position"),
    "condition": ("specimen", "condition"),
    "tube_count": ("specimen", "tube_count"),
    "puncture_number": ("specimen", "puncture_number"),
    "status": ("status",),
    "source_system": ("source", "system"),
    "tumor": ("context", "tumor", "class"),
    "tumor_primary": ("context", "tumor", "primary"),
    "tumor_diagnosis": ("context", "tumor", "diagnosis"),
    "stated": ("context", "stated"),
    **{
        name: ("context", name)
        for name in (*words.CODED_CONTEXT, *words.YES_NO_CONTEXT, *words.NUMBER_CONTEXT, *words.TEXT_CONTEXT)
        if name != "tumor"
    },
}
COLUMN_AT = {"/" + "/".join(path): name for name, path in PANEL_COLUMNS.items()}
# What may stand in a column of its own beside a result: csf_protein_unit (wide), unit (long).
PARTS = (
    "unit", "comparator", "organism", "organism_class", "tube", "specimen", "collected_at", "analyzed_at", "method",
    "status",
)  # fmt: skip
LONG_COLUMNS = ("panel_id", "code", "value")
_UNIT = re.compile(r"(.*?)\s*\[(.*)\]", re.DOTALL)


@dataclass(frozen=True)
class Test:
    """One result of a row: `code` (None: it stands in the column `code`), the column of its value, its header unit.

    `parts`: key of the observation -> column.
    """

    code: str | None
    value: int
    unit: str | None = None
    parts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Header:
    """`facts`: panel column -> place in the row. `names`: every column as an error may show it. `size`: cells a row.

    `code`: the column of the code in a long file, None in a wide one.
    """

    size: int
    facts: Mapping[str, int]
    tests: tuple[Test, ...]
    names: tuple[str, ...]
    code: int | None = None


def read_header(number: int, cells: Sequence[str]) -> Header:
    """What the columns mean. Raises DocumentError for a header that leaves a doubt."""
    parsed = [_parsed(text) for text in cells]
    names = [name for name, _ in parsed]
    shown = tuple(shown_key(name) or f"column {place}" for place, name in enumerate(names, 1))
    _refuse_doubts(number, names, shown)
    long = "code" in names and "value" in names
    for place, (name, unit) in enumerate(parsed):
        if unit is not None and (long or name in PANEL_COLUMNS or _base(name) in names):
            raise unreadable(number, f"{shown[place]} takes no unit in the header. Leave the brackets out.")
    facts = {name: place for place, name in enumerate(names) if name in PANEL_COLUMNS}
    if long:
        return _long(number, names, facts, shown)
    rest = {name: (place, parsed[place][1]) for place, name in enumerate(names) if name not in facts}
    beside = {name for name in rest if _base(name) in rest}
    tests = []
    for name, (place, unit) in rest.items():
        if name not in beside:
            parts = {part: rest[f"{name}_{part}"][0] for part in PARTS if f"{name}_{part}" in beside}
            if unit is not None and "unit" in parts:
                text = f"{shown[place]} has its unit in the header and in a column. Keep one of them."
                raise unreadable(number, text)
            tests.append(Test(name, place, unit, parts))
    return Header(len(cells), facts, tuple(tests), shown)


def _parsed(text: str) -> tuple[str, str | None]:
    """Name and unit of a header cell: `csf_protein [mg/dL]`."""
    found = _UNIT.fullmatch(text.strip())
    return (found[1], found[2].strip()) if found else (text.strip(), None)


def _base(name: str) -> str | None:
    """csf_protein_unit -> csf_protein; the longest ending counts (organism_class before organism)."""
    endings = [part for part in PARTS if name.endswith(f"_{part}")]
    return name.removesuffix(f"_{max(endings, key=len)}") if endings else None


def _refuse_doubts(number: int, names: Sequence[str], shown: Sequence[str]) -> None:
    if "panel_id" not in names:
        text = "The header has no column panel_id. Columns are separated by commas; the first row names them."
        raise unreadable(number, text)
    if "" in names:
        text = f"Column {names.index('') + 1} has no name. Name it or leave it out (pandas: to_csv(index=False))."
        raise unreadable(number, text)
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise unreadable(number, f"The header names {shown[names.index(name)]} twice. Send every column once.")


def _long(number: int, names: list[str], facts: Mapping[str, int], shown: tuple[str, ...]) -> Header:
    own = tuple(part for part in PARTS if part not in PANEL_COLUMNS)  # collected_at and status are the panel's
    known = (*LONG_COLUMNS, *own)
    unknown = [place for place, name in enumerate(names) if name not in facts and name not in known]
    if unknown:
        text = f"{shown[unknown[0]]} is no column of a long file. Known are {', '.join(known)} and the panel's own."
        raise unreadable(number, text)
    parts = {part: names.index(part) for part in own if part in names}
    return Header(len(names), facts, (Test(None, names.index("value"), None, parts),), shown, code=names.index("code"))


def no_header() -> DocumentError:
    return unreadable(1, "The file is empty. The first row names the columns, panel_id among them.")
