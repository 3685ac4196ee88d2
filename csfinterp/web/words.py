"""How the pages spell flags, times and units; words of ids and numbers are those of the text report."""

from __future__ import annotations

from datetime import datetime

from csfinterp.formats.report_layout import clean
from csfinterp.formats.report_words import AGE_UNITS, APPLIES, CERTAINTY, LM_REASON, NOT_JUDGED, STATUS, as_sent, plain
from csfinterp.formats.report_words import value_text as value
from csfinterp.formats.report_words import words as spaced

__all__ = [
    "AGE_UNITS", "APPLIES", "CERTAINTY", "FLAGS", "LM_REASON", "NOT_JUDGED", "STATUS", "TRUTHS", "as_sent",
    "moment", "plain", "printable", "spaced", "unit", "value",
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


def printable(value: object) -> object:
    """Signs that reorder or hide text become visible; everything else, markup too, as it is."""
    return clean(value) if type(value) is str and not value.isascii() else value
