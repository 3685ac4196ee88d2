"""What drawings read of interpretation documents: results of one analyte, days, units and flags in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from csfinterp.formats.report_words import (
    NOT_JUDGED,
    Part,
    part,
    parts,
    text,
    texts,
    title,
    unit_text,
    value_text,
    words,
)

RAISED = ("H", "HH")
MOST = 40  # punctures of one drawing
UNITS = {"10*-3": "× 10⁻³", "/uL": "/µL", "1": ""}


@dataclass(frozen=True)
class Puncture:
    """One panel of a patient. `panel_id` None: not stored. `day`, `moment`: of the collection, None if not sent."""

    panel_id: str | None
    document: Mapping[str, object]

    @property
    def moment(self) -> datetime | None:
        sent = text(part(self.document, "specimen"), "collected_at")
        try:
            found = datetime.fromisoformat(sent)
        except ValueError:
            return None
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    @property
    def day(self) -> date | None:
        return None if self.moment is None else self.moment.date()

    @property
    def called(self) -> str:
        """The day of the puncture as words."""
        return "day not stated" if self.day is None else self.day.isoformat()

    def result(self, analyte: str) -> Part:
        """The result of an analyte; empty where it has none, or several of which none leads."""
        found = [entry for entry in parts(self.document, "results") if text(entry, "analyte") == analyte]
        return found[0] if len(found) == 1 else {}

    def number(self, analyte: str) -> float | None:
        """Its value where it is an exact number."""
        return number_of(self.result(analyte))


def number_of(result: Part) -> float | None:
    value = result.get("value")
    exact = isinstance(value, int | float) and not isinstance(value, bool) and result.get("comparator") is None
    return float(value) if exact and isinstance(value, int | float) else None


def said(result: Part) -> str:
    """A result as a reader sees it: value, unit, flag or why there is none."""
    if not value_text(result):
        return f"not available: {why_open(result)}" if result else "not sent"
    unit = UNITS.get(unit_text(result), unit_text(result).replace("uL", "µL"))
    flag = text(result, "flag")
    return f"{value_text(result)} {unit}".strip() + (f" ({flag})" if flag else f", not judged: {why_open(result)}")


def why_open(result: Part) -> str:
    """Why a result has no flag."""
    word = text(result, "not_judged")
    return NOT_JUDGED.get(word, words(word)) or "no reason stated"


def withheld_by(document: Mapping[str, object], analyte: str) -> list[str]:
    """The names of the quality rules that withhold the verdict on an analyte."""
    held = [rule for rule in parts(document, "quality") if text(rule, "truth") == "true"]
    return [title(rule) for rule in held if analyte in texts(rule, "suppresses")]


def in_order(punctures: Iterable[Puncture]) -> list[Puncture]:
    """By collection; those without a time are left out."""
    dated = [(one.moment, one) for one in punctures]
    known = [(when, one) for when, one in dated if when is not None]
    return [one for _, one in sorted(known, key=lambda pair: pair[0])]
