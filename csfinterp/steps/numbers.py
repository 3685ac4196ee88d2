"""A text as a number: the value, its comparator, and whether it is a chamber count in thirds."""

from __future__ import annotations

import re
from math import isfinite, nan
from typing import NamedTuple

from csfinterp.model.cohort import Cell
from csfinterp.steps.layout import ISSUE

MAX_REMEMBERED = 200_000  # texts that a reader keeps before it starts anew
LESS, LESS_EQUAL, GREATER, GREATER_EQUAL = 1, 2, 3, 4
COMPARATORS = {"<": LESS, "<=": LESS_EQUAL, "≤": LESS_EQUAL, ">": GREATER, ">=": GREATER_EQUAL, "≥": GREATER_EQUAL}
NUMBER = re.compile(
    r"\s*(?P<comparator><=|>=|<|>|≤|≥)?\s*"
    r"(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?)"
    r"(?P<thirds>\s*/\s*3(?:\s*(?:Zellen|cells))?(?:\s*/?\s*[uµμ][lL])?)?\s*"
)


class Number(NamedTuple):
    """A text read as a number; `code` 0 = read, else the number of an issue, -1 = no value was sent."""

    value: float
    comparator: int
    thirds: float
    code: int


NOTHING = Number(nan, 0, 0.0, -1)
UNREADABLE = Number(nan, 0, 0.0, ISSUE["value_unreadable"])


def read_number(cell: Cell, not_sent: frozenset[str]) -> Number:
    """One value as received -> number. ASCII digits with a point; never a comma, an underscore or other digits.

    `"<5"` may stand in the text or apart; both at once must agree. "12/3" is a chamber count in thirds.
    """
    if isinstance(cell.value, float):
        return Number(cell.value, COMPARATORS.get(cell.comparator or "", 0), 0.0, 0)
    if cell.value is None or cell.value.strip().casefold() in not_sent:
        return NOTHING
    match = NUMBER.fullmatch(cell.value)
    apart = COMPARATORS.get(cell.comparator.strip(), -1) if cell.comparator else 0
    if match is None or apart < 0:
        return UNREADABLE
    inside = COMPARATORS.get(match["comparator"] or "", 0)
    value = float(match["number"])
    if not isfinite(value) or (inside and apart and inside != apart):
        return UNREADABLE
    return Number(value, inside or apart, 1.0 if match["thirds"] else 0.0, 0)
