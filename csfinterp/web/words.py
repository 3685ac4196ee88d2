"""How the pages spell flags, times and units; words of ids and numbers are those of the text report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from csfinterp.formats.report_advice import AUDIENCES, score_lines
from csfinterp.formats.report_changes import sentences, withdrawn
from csfinterp.formats.report_layout import clean
from csfinterp.formats.report_names import name_of, names_of, spoken
from csfinterp.formats.report_patterns import causes_title, grade_words, is_absent, is_bare, item_of, shown_patterns
from csfinterp.formats.report_words import (
    AGE_UNITS,
    APPLIES,
    CERTAINTY,
    CONTEXT_ONLY,
    LM_REASON,
    MOST_CAUTIONS,
    NOT_JUDGED,
    NOT_SHOWN,
    PRIORITIES,
    SCORE_STATUS,
    STATUS,
    Part,
    as_sent,
    plain,
)
from csfinterp.formats.report_words import value_text as value
from csfinterp.formats.report_words import words as spaced

__all__ = [
    "AGE_UNITS", "APPLIES", "AUDIENCES", "CERTAINTY", "CONTEXT_ONLY", "FLAGS", "LM_REASON", "MOST_CAUTIONS",
    "NOT_JUDGED", "NOT_SHOWN", "PRIORITIES", "SCORE_STATUS", "STATUS", "TRUTHS", "as_sent", "causes_title",
    "grade_words", "item_of", "moment", "name_of", "names_of", "offset", "patterns", "plain", "printable",
    "score_lines", "sentences", "shown_patterns", "spaced", "spoken", "unit", "value", "withdrawn",
]  # fmt: skip

# HL7 ObservationInterpretation, with a sign for readers who do not see the color.
FLAGS = {
    "N": ("normal", ""),
    "L": ("low", "↓"),
    "H": ("high", "↑"),
    "LL": ("critically low", "↓↓"),
    "HH": ("critically high", "↑↑"),
    "A": ("abnormal", "!"),
    "AA": ("critically abnormal", "!!"),
}
TRUTHS = {"true": "yes", "false": "no", "unknown": "cannot be judged"}
_UNITS = {"10*-3": "× 10⁻³", "10*3/uL": "× 10³/µL", "10*6/uL": "× 10⁶/µL", "10*9/L": "× 10⁹/L", "1": "", "{AU}": "AU"}
_SPELLINGS = (("uL", "µL"), ("ug", "µg"), ("umol", "µmol"), ("[H2O]", "H₂O"), ("[Hg]", "Hg"))


def unit(code: str | None) -> str:
    """A UCUM code as it is printed."""
    text = _UNITS.get(code or "", code or "")
    for ucum, printed in _SPELLINGS:
        text = text.replace(ucum, printed)
    return text


def moment(text: str | None) -> str:
    """A date or time of a document for a reader: 2026-03-01 09:20 (offset as sent); else the text itself."""
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return text or "not stated"
    return time.strftime("%Y-%m-%d %H:%M") if "T" in (text or "") else time.strftime("%Y-%m-%d")


def offset(text: str | None) -> str:
    """The offset of a time from UTC: UTC+01:00; empty where none is stated."""
    try:
        named = datetime.fromisoformat(text or "").strftime("%z")
    except ValueError:
        return ""
    return f"UTC{named[:3]}:{named[3:5]}" if named else ""


def patterns(document: Mapping[str, object]) -> dict[str, list[Part]]:
    """The patterns to be shown: `told` in full, `bare` ones that cannot be judged, `absent` ones."""
    groups: dict[str, list[Part]] = {"told": [], "bare": [], "absent": []}
    for pattern in shown_patterns(document):
        groups["absent" if is_absent(pattern) else "bare" if is_bare(pattern) else "told"].append(pattern)
    return groups


def printable(value: object) -> object:
    """Signs that reorder or hide text become visible; everything else, markup too, as it is."""
    return clean(value) if type(value) is str and not value.isascii() else value
