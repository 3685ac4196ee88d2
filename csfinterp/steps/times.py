"""Dates and times of one panel: age at collection, day of sampling, minutes between moments, serum drawn with CSF."""

from __future__ import annotations

from datetime import date, datetime
from math import floor

from csfinterp.model.panel import Observation, Panel

Moment = datetime | date
AgeSpan = tuple[float, float, float, float]

NO_AGE: AgeSpan = (float("nan"),) * 4
DAYS_PER_MONTH = 30.4375
YEARS = {"a": 1.0, "mo": 1 / 12, "wk": 7 / 365.25, "d": 1 / 365.25}


def age_span(panel: Panel, oldest: float) -> AgeSpan:
    """Age at collection as (days low, days high excluded, years low, years high included); NaN where it is not known
    or above `oldest` completed years.

    Completed days and birthdays passed (reference_intervals.md S1); a number covers its whole unit (S3). Someone born
    on 29 February completes a year on 1 March in common years (S2).
    """
    birth, at = panel.patient.birth_date, sampling_day(panel)
    if birth is not None and at is not None:
        days = (at - birth).days
        years = at.year - birth.year - ((at.month, at.day) < (birth.month, birth.day))
        if days < 0 or years > oldest:
            return NO_AGE
        return (float(days), days + 1.0, float(years), float(years))
    age = panel.patient.age
    if age is None:
        return NO_AGE
    value = floor(age.value)
    if value * YEARS[age.unit] > oldest:
        return NO_AGE
    if age.unit == "a":
        return (value * 365.0, (value + 1) * 366.0, float(value), float(value))
    if age.unit == "mo":
        completed = float(value // 12)
        return (value * DAYS_PER_MONTH, (value + 1) * DAYS_PER_MONTH, completed, completed)
    first, end = (value * 7.0, value * 7.0 + 7) if age.unit == "wk" else (float(value), value + 1.0)
    return (first, end, float(floor(first / 366)), float(floor((end - 1) / 365)))


def sampling_day(panel: Panel) -> date | None:
    """Day of collection; without it the day the sample was received (S1); None if neither was sent."""
    moment = panel.specimen.collected_at or panel.specimen.received_at
    return moment.date() if isinstance(moment, datetime) else moment


def minutes_between(start: Moment | None, end: Moment | None) -> float | None:
    """Minutes from `start` to `end`; None where a time of day or one of the two UTC offsets is missing."""
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        return None
    if (start.tzinfo is None) != (end.tzinfo is None):
        start, end = start.replace(tzinfo=None), end.replace(tzinfo=None)
    return (end - start).total_seconds() / 60


def pairing(serum: Observation, panel: Panel, hours: float) -> str:
    """`yes`: same calendar day or at most `hours` apart; `no`: further, or the day of the CSF is not known.

    `assumed`: the serum has no time of its own and counts as drawn with the CSF (barrier_and_intrathecal.md section 4).
    """
    if serum.collected_at is None:
        return "assumed"
    collected = panel.specimen.collected_at
    return "yes" if collected is not None and _paired(collected, serum.collected_at, hours) else "no"


def _paired(first: Moment, second: Moment, hours: float) -> bool:
    """Where a time of day is missing, whole days count: two dates may lie up to a day further apart."""
    minutes = minutes_between(first, second)
    if minutes is not None and abs(minutes) <= hours * 60:
        return True
    if isinstance(first, datetime) and isinstance(second, datetime) and first.tzinfo and second.tzinfo:
        second = second.astimezone(first.tzinfo)
    days = abs((_day(first) - _day(second)).days)
    return days == 0 or (minutes is None and (days + 1) * 24 <= hours)


def _day(moment: Moment) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
