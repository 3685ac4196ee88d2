"""How the pages spell flags, times and units; words of ids and numbers are those of the text report."""

from __future__ import annotations

from datetime import datetime
from functools import cache, lru_cache

from markupsafe import Markup, escape

from csfinterp.formats.report_changes import sentences, withdrawn
from csfinterp.formats.report_layout import clean
from csfinterp.formats.report_names import name_of, names_of, spoken
from csfinterp.formats.report_words import AGE_UNITS, CERTAINTY, CONTEXT_ONLY, LM_REASON, NOT_JUDGED, STATUS, plain
from csfinterp.formats.report_words import value_text as value
from csfinterp.formats.report_words import words as spaced

__all__ = [
    "AGE_UNITS", "CERTAINTY", "CONTEXT_ONLY", "FLAGS", "LM_REASON", "NOT_JUDGED", "SHAPES", "STATUS", "TRUTHS", "day",
    "flag", "instant", "mark", "moment", "name_of", "names_of", "offset", "plain", "printable", "sentences", "source",
    "spaced", "spoken", "unit", "value", "withdrawn",
]  # fmt: skip

# HL7 ObservationInterpretation in words; letter, word and shape say the same, color only repeats it.
FLAGS = {
    "N": "normal",
    "L": "low",
    "H": "high",
    "LL": "critically low",
    "HH": "critically high",
    "A": "abnormal",
    "AA": "critically abnormal",
}
_CRITICAL = ("LL", "HH", "AA")
_PATHS = {
    "N": "M2 7.5 5 10.5 11 3", "L": "M6.5 11 1.5 3h10z", "H": "M6.5 2l5 8h-10z", "A": "M6.5 1 12 6.5 6.5 12 1 6.5z",
    "LL": "M6.5 6 2 .5h9zM6.5 12.5 2 7h9z", "HH": "M6.5.5 11 6H2zM6.5 7l4.500 5.500h-9z",
    "AA": "M4 1h5l3 3v5l-3 3H4L1 9V4z", "alarm": "M6.5.5 12.800 12H.200z",
}  # fmt: skip
# Drawn once on a page, used by reference.
SHAPES = Markup('<svg class="shapes" width="0" height="0" aria-hidden="true" focusable="false">{}</svg>').format(
    Markup().join(
        Markup('<symbol id="s-{}" viewBox="0 0 13 13"><path d="{}"/></symbol>').format(name, path)
        for name, path in _PATHS.items()
    )
)
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
    """A date or time of a document for a reader, the clock as sent: 2026-03-01 09:20; else the text itself."""
    time = _time(text)
    clock = time is not None and "T" in (text or "")
    return time.strftime("%Y-%m-%d %H:%M") if time is not None and clock else day(text) or "not stated"


def instant(text: str | None) -> str:
    """The same with its offset: 2026-03-01 09:20 UTC+01:00."""
    return f"{moment(text)} {offset(text)}".rstrip() if "T" in (text or "") else moment(text)


def offset(text: str | None) -> str:
    """The offset of a time from UTC: UTC+01:00; empty where none is stated."""
    time = _time(text)
    named = time.strftime("%z") if time is not None else ""
    return f"UTC{named[:3]}:{named[3:5]}" if named else ""


def day(text: str | None) -> str:
    """The calendar day of a date or time, 2026-03-01; a text that is neither as it is."""
    time = _time(text)
    return text or "" if time is None else time.strftime("%Y-%m-%d")


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text or "")
    except ValueError:
        return None


@cache
def flag(code: str, critical: bool = False, word: bool = True) -> Markup:
    """A flag by shape, letter and word; `word` False: the word only for readers who hear the page."""
    said = FLAGS.get(code, code) + (", critical" if critical and code not in _CRITICAL else "")
    told = Markup(" {}").format(said) if word else Markup('<span class="visually-hidden"> {}</span>').format(said)
    shape = Markup('<svg class="shape" aria-hidden="true"><use href="#s-{}"/></svg>').format(code)
    return Markup('<span class="flag f-{}">{}<b>{}</b>{}</span>').format(code, shape, code, told)


def mark(status: object) -> Markup:
    """How a fact stands, as a word, where it was not read in the primary source."""
    word = str(status or "")
    return _mark(word) if word not in ("", "primary") else Markup()


@cache
def _mark(word: str) -> Markup:
    return Markup('<span class="how" title="{}">{}</span>').format(STATUS.get(word, ""), word)


@lru_cache(4096)
def source(citation: str, doi: str | None, pmid: str | None, status: str) -> Markup:
    """One line of the list of sources: an edition's citations are the same for all of its panels."""
    link = Markup(' <a href="{}" rel="noreferrer">{}</a>')
    found = escape(citation)
    if doi:
        found += link.format(f"https://doi.org/{doi}", f"doi:{doi}")
    if pmid:
        found += link.format(f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/", f"PMID {pmid}")
    return found + Markup(" ") + mark(status)


def printable(value: object) -> object:
    """Signs that reorder or hide text become visible; everything else, markup too, as it is."""
    return clean(value) if type(value) is str and not (value.isascii() or value.isprintable()) else value
