"""UCUM codes as they are printed."""

from __future__ import annotations

_UNITS = {"10*-3": "× 10⁻³", "10*3/uL": "× 10³/µL", "10*6/uL": "× 10⁶/µL", "10*9/L": "× 10⁹/L", "1": "", "{AU}": "AU"}
_SPELLINGS = (("uL", "µL"), ("ug", "µg"), ("umol", "µmol"), ("[H2O]", "H₂O"), ("[Hg]", "Hg"))


def printed_unit(code: str | None) -> str:
    """A UCUM code as it is printed."""
    text = _UNITS.get(code or "", code or "")
    for ucum, printed in _SPELLINGS:
        text = text.replace(ucum, printed)
    return text
