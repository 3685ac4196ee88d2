"""Interpretation documents -> Reibergrams. Every verdict is a flag of the answer; nothing is judged here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from csfinterp.formats.report_words import Part, text
from csfinterp.plot.diagram import ALBUMIN_RANGE, Point, Reibergram, outside
from csfinterp.plotting.curves import CLASSES, Ground, values
from csfinterp.plotting.readings import MOST, RAISED, Puncture, number_of, said, why_open, withheld_by

ALBUMIN = "albumin_quotient"
# The zones of [dgln2020] (primary), by the flags of the albumin quotient and of the quotient of the class.
ZONES = {
    (False, False): "zone 1, normal",
    (True, False): "zone 2, isolated barrier dysfunction",
    (False, True): "zone 3, intrathecal synthesis with a normal barrier",
    (True, True): "zone 4, intrathecal synthesis with barrier dysfunction",
}
LEGEND = "Zones: 1 normal; 2 isolated barrier dysfunction; 3 synthesis, normal barrier; 4 synthesis with barrier"
LEGEND += " dysfunction; 5 below the lower curve, not plausible."
PRINTED_LEGEND = f"{LEGEND} Dashed: intrathecal fraction 20, 40, 60, 80 %. Vertical: age limit."
CLOSE = 1e-6
PRINTED = 2.9  # inches


def is_drawn_by(ground: Ground, puncture: Puncture) -> bool:
    """False if the answer was computed with another limit curve than the one that would be drawn."""
    limit, albumin = puncture.number(ground.entries[0].id), puncture.number(ALBUMIN)
    if limit is None or albumin is None:
        return True
    return bool(np.isclose(values(ground.entries[0], np.array([albumin]))[0], limit, rtol=CLOSE, atol=CLOSE))


def reibergram(ground: Ground, name: str, now: Puncture, earlier: Sequence[Puncture]) -> tuple[Reibergram, str]:
    """The drawing of a class and what it shows in words. `earlier`: other punctures, in the order of collection."""
    path = [(one, point) for one in earlier[-MOST:] if (point := _point(one, name, current=False)) is not None]
    this = _point(now, name, current=True)
    drawn = [*path, *([] if this is None else [(now, this)])]
    limit = now.number("albumin_quotient_limit")
    title = f"Reibergram: {'kappa free light chains' if name == 'kappa' else CLASSES[name]}"
    facts = list(_facts(ground, name, now, this, limit))
    order = _order(drawn, now)
    notes = (*facts, *order, *((LEGEND,) if ground.grid.zones else ()), *ground.remarks)
    drawing = Reibergram(ground.grid, title, tuple(point for _, point in drawn), limit, notes)
    earlier_said = [f"Earlier, {one.called}: {_pair(one, name)}." for one, _ in path]
    axes = f"Logarithmic axes: albumin quotient from {ALBUMIN_RANGE[0]:g} to {ALBUMIN_RANGE[1]:g}, "
    axes += f"{ground.grid.quotient} from {ground.grid.y_range[0]:g} to {ground.grid.y_range[1]:g}, in 10⁻³."
    return drawing, " ".join([*facts, *earlier_said, axes, *ground.remarks])


def printed(ground: Ground, name: str, now: Puncture) -> tuple[Reibergram, str]:
    """The small drawing of a printed report, this puncture alone, and its caption: the same for the same document."""
    point = _point(now, name, current=True)
    limit = now.number("albumin_quotient_limit")
    points = () if point is None else (point,)
    beyond = point is not None and outside(ground.grid, point)
    far = " The point lies beyond the drawn range." if beyond else ""
    caption = f"{_pair(now, name)}. {_verdict(now, name, ground)}{far}"
    return Reibergram(ground.grid, CLASSES[name], points, limit, size=PRINTED), caption


def _point(puncture: Puncture, name: str, *, current: bool) -> Point | None:
    albumin, quotient = puncture.number(ALBUMIN), puncture.number(f"{name}_quotient")
    if albumin is None or quotient is None or albumin <= 0 or quotient <= 0:
        return None
    flags = (text(puncture.result(analyte), "flag") for analyte in (ALBUMIN, f"{name}_quotient"))
    return Point(albumin, quotient, all(flags), current)


def _facts(ground: Ground, name: str, now: Puncture, point: Point | None, limit: float | None) -> Iterator[str]:
    yield f"This puncture ({now.called}): {_pair(now, name)}."
    if point is None:
        yield "No point is drawn: it needs both quotients as numbers above 0."
    else:
        yield _verdict(now, name, ground)
        if outside(ground.grid, point):
            yield "The point lies outside of the drawn range; the triangle at the edge points to it."
    if limit is None:
        yield "No age line: the limit of the albumin quotient for this age is not known."
    else:
        yield f"Age limit of the albumin quotient: {said(now.result('albumin_quotient_limit')).split(' ')[0]}."


def _pair(puncture: Puncture, name: str) -> str:
    results = (puncture.result(ALBUMIN), puncture.result(f"{name}_quotient"))
    return ", ".join(f"{label} {_short(result)}" for label, result in
                     zip(("QAlb", f"Q{CLASSES[name]}"), results, strict=True))  # fmt: skip


def _short(result: Part) -> str:
    if result and not text(result, "flag") and number_of(result) is not None:
        return f"{said(result).split(' ')[0]} (?)"
    return said(result).replace(" × 10⁻³", "")


def _verdict(now: Puncture, name: str, ground: Ground) -> str:
    albumin, quotient = now.result(ALBUMIN), now.result(f"{name}_quotient")
    if not text(albumin, "flag") or not text(quotient, "flag"):
        rules = [rule for analyte in (ALBUMIN, f"{name}_quotient") for rule in withheld_by(now.document, analyte)]
        reasons = [why_open(result) for result in (albumin, quotient) if not text(result, "flag")]
        return f"No verdict: {'; '.join(dict.fromkeys(rules or reasons))}."
    fraction = now.result(f"{name}_intrathecal_pct")
    share = number_of(fraction)
    percent = "" if share is None else f", intrathecal fraction {said(fraction).split(' ')[0]} %"
    raised = tuple(text(result, "flag") in RAISED for result in (albumin, quotient))
    if ground.grid.zones:
        return f"{ZONES[raised[0], raised[1]].capitalize()}{percent}."
    return f"{'Above' if raised[1] else 'Not above'} the limit curve{percent}."


def _order(drawn: Sequence[tuple[Puncture, Point]], now: Puncture) -> list[str]:
    if len(drawn) < 2:
        return []
    if len(drawn) > 9:
        return [f"{len(drawn)} punctures from {drawn[0][0].called} to {drawn[-1][0].called}, joined in their order."]
    listed = (f"{place} {one.called}{' (this)' if one is now else ''}" for place, (one, _) in enumerate(drawn, 1))
    return [f"Punctures in their order: {', '.join(listed)}."]
