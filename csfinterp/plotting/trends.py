"""Interpretation documents -> trends of one analyte over punctures, and profiles beside the published shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from csfinterp.formats.report_names import name_of, names_of
from csfinterp.formats.report_words import APPLIES, Part, part, parts, text, value_text
from csfinterp.plot.profile import Profile, Row
from csfinterp.plot.trend import Reading, Trend
from csfinterp.plotting.readings import MOST, UNITS, Puncture, in_order, said


def trend(analyte: str, now: Puncture, others: Sequence[Puncture]) -> tuple[Trend, str] | None:
    """The drawing of an analyte and what it shows in words; None where no puncture has a number and a day.

    All punctures are drawn, those after `now` too. A value in another unit than the newest one is left out and said.
    """
    every = [now, *others]
    dated = [one for one in in_order(every) if _value(one.result(analyte)) is not None][-MOST:]
    if not dated:
        return None
    newest = dated[-1].result(analyte)
    unit = text(newest, "unit")
    same = [one for one in dated if text(one.result(analyte), "unit") == unit]
    readings = tuple(_reading(one, one.result(analyte), current=one is now) for one in same)
    notes = tuple(_notes(analyte, every, same, len(dated) - len(same)))
    title = text(newest, "name") or analyte
    told = [f"{one.called}{' (this puncture)' if one is now else ''}: {said(one.result(analyte))}." for one in same]
    return Trend(title, UNITS.get(unit, unit.replace("uL", "µL")), readings, notes), " ".join([*told, *notes])


def _value(result: Part) -> float | None:
    value = result.get("value")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _reading(puncture: Puncture, result: Part, *, current: bool) -> Reading:
    value, day = _value(result), puncture.day
    if value is None or day is None:
        raise ValueError("only results with a number and a day are drawn")
    low, high = (_value({"value": part(result, "reference").get(end)}) for end in ("low", "high"))
    bound = bool(text(result, "comparator"))
    return Reading(day, value, value_text(result), bound, text(result, "flag") or None, low, high, current)


def _notes(analyte: str, every: Sequence[Puncture], same: Sequence[Puncture], others: int) -> Iterator[str]:
    flags = {text(one.result(analyte), "flag") for one in same}
    if any(part(one.result(analyte), "reference") for one in same):
        statuses = {text(part(one.result(analyte), "reference"), "status") for one in same} - {"", "primary"}
        yield "Band: reference interval of each day" + (f" ({', '.join(sorted(statuses))})." if statuses else ".")
    else:
        yield "There is no reference interval."
    if "" in flags:
        yield "? hollow: not judged."
    if any(text(one.result(analyte), "comparator") for one in same):
        yield "Hollow with < or >: only this bound is known."
    undated = [one for one in every if one.day is None and _value(one.result(analyte)) is not None]
    if undated:
        yield f"Not drawn: {len(undated)} without a day of collection."
    if others:
        yield f"Not drawn: {others} in another unit."


def profile(puncture: Puncture, identifier: str) -> tuple[Profile, str] | None:
    """The drawing of a profile of the document and what it shows in words; None where there is none of this id."""
    found = next((entry for entry in parts(puncture.document, "profiles") if text(entry, "id") == identifier), None)
    if found is None:
        return None
    rows = tuple(_row(puncture, marker) for marker in parts(found, "markers"))
    counted = (
        f"{text(found, 'abnormal')} of {text(found, 'evaluable')} scored markers that could be judged are abnormal"
    )
    applies = text(found, "applicability")
    criterion = next((text(marker, "entry_criterion") for marker in parts(found, "markers")), "")
    notes = (
        f"This patient: {counted}; the profile {APPLIES.get(applies, applies)}.",
        f"Cohort: {criterion}.",
        text(found, "caution"),
    )
    told = [
        f"{row.name}: {_share(row)}; this patient {row.patient}, {row.agreement.replace('_', ' ')}." for row in rows
    ]
    title = f"Published shares: {text(found, 'name')}"
    return Profile(title, rows, notes), " ".join([*told, *notes])


def _row(puncture: Puncture, marker: Mapping[str, object]) -> Row:
    share, size = marker.get("cohort_share"), marker.get("cohort_n")
    result = puncture.result(text(marker, "id"))
    named = name_of(text(marker, "id"), names_of(puncture.document))
    return Row(
        f"{named}, {text(marker, 'direction')}",
        float(share) if isinstance(share, int | float) else None,
        int(size) if isinstance(size, int | float) else None,
        text(marker, "agreement"),
        said(result),
        marker.get("disputed") is True,
        text(marker, "status") or "primary",
    )


def _share(row: Row) -> str:
    if row.share is None:
        return "no published share"
    of = f" of {row.n}" if row.n else " of an unknown number"
    return f"published {row.share * 100:.0f} %{of}{' (disputed)' if row.disputed else ''}, {row.status} source"
