"""Panel documents as CSV, written by the tests and not by the software; what CSV has no column for is said."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]
PATIENT = ("id", "birth_date", "sex")
SPECIMEN = {
    "id": "panel_id", "type": "specimen_type", "site": "site", "collected_at": "collected_at",
    "received_at": "received_at", "position": "position", "tube_count": "tube_count",
    "puncture_number": "puncture_number",
}  # fmt: skip
RESULT = (
    "unit", "comparator", "organism", "organism_class", "tube", "specimen", "collected_at", "analyzed_at", "method",
    "status",
)  # fmt: skip
YES_NO = {True: "yes", False: "no", None: "unknown"}


class NoColumnError(Exception):
    """This part of a panel has no column."""


def facts(document: Document) -> Iterator[tuple[str, object]]:
    """Column and cell of everything that is no result; `source.message_id` is left out: it changes no answer."""
    _none_but(("source", "patient", "specimen", "status", "context", "observations"), document, "")
    yield "status", document.get("status")
    yield "source_system", (document.get("source") or {}).get("system")
    for key, value in (document.get("patient") or {}).items():
        if key == "age" and value["unit"] == "a":
            yield "age_years", value["value"]
        else:
            _none_but(PATIENT, [key], "patient.")
            yield "patient_id" if key == "id" else key, value
    for key, value in document["specimen"].items():
        if key == "volume" and value["unit"] == "mL":
            yield "specimen_volume_ml", value["value"]
        elif key == "condition":
            yield key, ";".join(value)
        else:
            _none_but(SPECIMEN, [key], "specimen.")
            yield SPECIMEN[key], value
    for key, value in (document.get("context") or {}).items():
        yield from _context(key, value)


def _context(key: str, value: Any) -> Iterator[tuple[str, object]]:
    if key == "history":
        raise NoColumnError("context.history")
    if key == "tumor" and isinstance(value, dict):
        yield from ((key if name == "class" else f"tumor_{name}", text) for name, text in value.items())
    elif key == "stated":
        yield key, ";".join(value)
    else:
        yield key, YES_NO[value] if value is None or isinstance(value, bool) else value


def wide(document: Document) -> bytes:
    """One row; every result once."""
    row = dict(facts(document))
    for observation in document["observations"]:
        code = _code(observation)
        if code in row:
            raise NoColumnError("a test that was sent twice")
        _none_but(("code", "value", *RESULT), observation, "observations.")
        row[code] = observation["value"]
        row |= {f"{code}_{key}": observation[key] for key in RESULT if observation.get(key) is not None}
    return _csv([list(row), list(row.values())])


def long(document: Document) -> bytes:
    """One row a result; the facts of the panel stand in the first row alone."""
    about = dict(facts(document))
    panel_id, keys = about.pop("panel_id"), [key for key in RESULT if key not in ("collected_at", "status")]
    lines: list[list[object]] = [["panel_id", "code", "value", *keys, *about]]
    for observation in document["observations"]:
        _none_but(("code", "value", *keys), observation, "observations.")
        own = [observation.get(key) for key in keys]
        first = about.values() if len(lines) == 1 else [None] * len(about)
        lines.append([panel_id, _code(observation), observation["value"], *own, *first])
    return _csv(lines)


def _code(observation: Document) -> str:
    if not isinstance(observation["code"], str):
        raise NoColumnError("a code of a code system")
    if not isinstance(observation.get("value"), str | int | float):
        raise NoColumnError("a test without a value")
    return observation["code"]


def _none_but(known: Collection[str], keys: Iterable[str], where: str) -> None:
    for key in keys:
        if key not in known:
            raise NoColumnError(f"{where}{key}")


def _csv(rows: Sequence[Sequence[object]]) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows(rows)
    return stream.getvalue().encode()
