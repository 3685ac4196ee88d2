"""A value of a table as the text that a CSV file would hold."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

LARGEST_WHOLE = 2**53


def text_of(value: Any) -> str:
    """A missing value is empty; a whole number that a missing neighbor made a float is whole again."""
    if value is None or type(value).__name__ == "NAType" or value != value:  # NaN and NaT are not themselves
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        day = value.tzinfo is None and value.time() == time()
        return value.date().isoformat() if day else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if type(value).__name__ in ("bool", "bool_"):
        return str(value).lower()
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < LARGEST_WHOLE
        return str(int(value)) if whole else str(float(value))
    return str(value)
