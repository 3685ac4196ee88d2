"""Times of HL7 v2 (TS, DTM) as ISO 8601: YYYY[MM[DD[HHMM[SS[.S]]]]][+ZZZZ], no more exact than they were sent."""

from __future__ import annotations

import re
from datetime import date, datetime

_TIME = re.compile(
    r"(?P<year>\d{4})(?:(?P<month>\d\d)(?:(?P<day>\d\d)(?:(?P<hour>\d\d)(?:(?P<minute>\d\d)"
    r"(?:(?P<second>\d\d)(?P<fraction>\.\d{1,9})?)?)?)?)?)?(?P<zone>[+-]\d{4})?",
    re.ASCII,
)
ADVICE = "Send a time that exists, as YYYYMMDD or YYYYMMDDHHMM[SS][+ZZZZ]."


def zone_of(text: str) -> str:
    """The offset of a time ("+0100"), "" if it has none: that of MSH-7 holds for the whole message."""
    match = _TIME.fullmatch(text)
    return (match["zone"] or "") if match else ""


def moment(text: str, zone: str = "") -> str | None:
    """Date or date-time in ISO 8601; None for a time that names no day. Raises ValueError for one that cannot be.

    `zone` is the offset of the message, for a time of day that has none of its own. An hour without minutes counts as
    the date alone: no minutes are made up.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(ADVICE)
    try:
        if match["day"] is None:
            date(int(match["year"]), int(match["month"] or 1), 1)
            return None
        day = f"{match['year']}-{match['month']}-{match['day']}"
        if match["minute"] is None:
            date.fromisoformat(day)
            if int(match["hour"] or 0) > 23:
                raise ValueError(ADVICE)
            return day
        clock = f"{match['hour']}:{match['minute']}" + (f":{match['second']}" if match["second"] else "")
        offset = match["zone"] or zone
        found = f"{day}T{clock}{match['fraction'] or ''}" + (f"{offset[:3]}:{offset[3:]}" if offset else "")
        datetime.fromisoformat(found)
    except ValueError:
        raise ValueError(ADVICE) from None
    return found
