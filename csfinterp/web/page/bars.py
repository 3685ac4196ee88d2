"""The range bar of one result: an SVG of attributes and classes, no style. Geometry only.

Between the limits the bar is to scale; outside it is logarithmic, up to REACH times beyond the limit. Which side of a
limit the value stands on is said by the flag, and the drawing never contradicts it.
"""

from __future__ import annotations

from math import log

from markupsafe import Markup

from csfinterp.formats.report_words import Part, part, text

REACH = 20
WIDTH, LEFT, RIGHT, EDGE = 120.0, 36.0, 84.0, 5.0
_ROOM, _GAP = 31.0, 6.0
_HIGH, _LOW = ("H", "HH"), ("L", "LL")


def bar(row: Part) -> Markup:
    """The bar of a result with a number, a flag and a reference interval; empty for every other result."""
    value, reference, flag = row.get("value"), part(row, "reference"), text(row, "flag")
    low, high = _number(reference.get("low")), _number(reference.get("high"))
    number = _number(value)
    crossed = high if flag in _HIGH else low if flag in _LOW else (high if low is None else low)
    if number is None or crossed is None or flag not in (*_HIGH, *_LOW, "N"):
        return Markup()
    start, end = (EDGE if low is None else LEFT), (WIDTH - EDGE if high is None else RIGHT)
    place, beyond = _place(number, low, high, flag, start, end)
    drawn = _open(text(row, "comparator"), place) + _marker(flag, place, beyond)
    return Markup(  # numbers and a flag of the closed list: nothing that was sent
        f'<svg class="bar-{flag}" viewBox="0 0 120 14" width="120" height="14" aria-hidden="true" focusable="false">'
        f'<path class="track" d="M2 7H118"/><path class="band" d="M{start:.1f} 7H{end:.1f}"/>{drawn}</svg>'
    )


def _place(
    value: float, low: float | None, high: float | None, flag: str, start: float, end: float
) -> tuple[float, bool]:
    """Where the value stands, and whether it lies beyond the end of the scale."""
    if flag in _HIGH and high is not None:
        far = _distance(value, high)
        return end + _GAP + far * (_ROOM - _GAP), far >= 1
    if flag in _LOW and low is not None:
        far = _distance(low, value)
        return start - _GAP - far * (_ROOM - _GAP), far >= 1
    return min(max(_inside(value, low, high, start, end), start + 2), end - 2), False


def _inside(value: float, low: float | None, high: float | None, start: float, end: float) -> float:
    if low is None:
        low = 0.0
    if high is None:
        return start + (end - start) * (1 - low / value if value > 0 else 0)
    return start + (end - start) * ((value - low) / (high - low) if high > low else 0.5)


def _distance(more: float, less: float) -> float:
    """How far `more` lies beyond `less`: 0 at the same place, 1 at REACH times or where no ratio exists."""
    if less <= 0 or more <= 0:
        return 1.0
    return min(max(log(more / less) / log(REACH), 0.0), 1.0)


def _open(comparator: str, place: float) -> str:
    """A censored value is a ray: all that it may be."""
    if not comparator:
        return ""
    return f'<path class="ray" d="M{place:.1f} 7H{"2" if comparator[0] == "<" else "118"}"/>'


def _marker(flag: str, place: float, beyond: bool) -> str:
    if beyond:
        tip = 4.0 if flag in _HIGH else -4.0
        drawn = f"M{place + tip:.1f} 7L{place - tip:.1f} 1V13z"
    elif flag in _HIGH:
        drawn = f"M{place:.1f} 1L{place + 5:.1f} 12H{place - 5:.1f}z"
    elif flag in _LOW:
        drawn = f"M{place:.1f} 13L{place + 5:.1f} 2H{place - 5:.1f}z"
    else:
        drawn = f"M{place - 4:.1f} 7a4 4 0 1 0 8 0a4 4 0 1 0 -8 0"
    return f'<path class="mark" d="{drawn}"/>'


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
