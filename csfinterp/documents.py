"""Panel documents as they are stored: the context in force put in, read again, shown with ordinary numbers."""

from __future__ import annotations

import json
import math
from typing import Any, cast

from csfinterp.errors import DocumentError, Fault
from csfinterp.formats import ReadLimits, panel_json
from csfinterp.formats.panel_json import dumps
from csfinterp.model.panel import Panel

# Stored documents were within the limits of their day; a limit lowered later must not make them unreadable.
_STORED = ReadLimits(max_bytes=2**40, max_observations=10**9, max_depth=200)


def context_in(text: str) -> object:
    """The context of a document's text; {} if it has none."""
    return json.loads(text).get("context") or {}


def stored_document(text: str) -> dict[str, Any]:
    """A stored document as data; every number stays as sent."""
    return cast(dict[str, Any], panel_json.parse(text.encode(), _STORED))


def in_force(panel_text: str, amended_context: str | None) -> str:
    """The sender's document with the context in force; every number stays as sent."""
    if amended_context is None:
        return panel_text
    return dumps({**stored_document(panel_text), "context": stored_document(amended_context)})


def panel_of(panel_text: str) -> Panel:
    """The panel of a stored document. Raises DocumentError only where a new context was put in."""
    return panel_json.read(panel_text.encode(), _STORED)


def inside_context(error: DocumentError) -> DocumentError:
    """The same error with pointers into the context, which is all that was sent."""
    faults = tuple(Fault(fault.pointer.removeprefix("/context"), fault.message) for fault in error.faults)
    return DocumentError(error.message, faults, too_large=error.too_large)


def plain_numbers(text: str) -> dict[str, object]:
    """The document with ordinary numbers; one that no number type can hold stays text."""
    document: dict[str, object] = json.loads(text, parse_float=_number, parse_int=_number)
    return document


def _number(text: str) -> int | float | str:
    if text.lstrip("-").isdecimal() and len(text) <= 15:
        return int(text)
    value = float(text)
    return value if math.isfinite(value) else text
