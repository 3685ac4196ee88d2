"""Items of published scores: the conditions in `constants.items` of scores.yaml -> predicates and points."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from csfinterp.errors import EditionError
from csfinterp.model.edition import Analyte, Score
from csfinterp.model.predicate import Above, All, Below, FirstKnown, Is, Known, Limit, Not, Predicate
from csfinterp.model.predicate import Any as AnyOf
from csfinterp.steps.layout import Layout
from csfinterp.units import to_canonical

Constants = Mapping[str, Any]
NUMBER_WITH_UNIT = re.compile(r"(-?\d+(?:\.\d+)?) (\S+)\Z", re.ASCII)
SIDES = (("above", Above, False), ("at_least", Above, True), ("below", Below, False), ("at_most", Below, True))
POINTS, ALARM, REMARK = "points", "alarm", "remark"


@dataclass(frozen=True)
class Item:
    """One condition of a score. `group`: points, alarm, remark or a domain; `about`: the input that it needs.

    `unless`: quality rules; where one holds, the item rests on a contradiction and is UNKNOWN (rulings.md RU2).
    """

    id: str
    group: str
    points: float
    text: str
    about: str | None
    when: Predicate
    unless: tuple[str, ...] = ()


def items(score: Score, layout: Layout) -> tuple[Item, ...]:
    """The items of `score`, numbers in canonical units. EditionError for an item that cannot be read."""
    found = []
    for number, entry in enumerate(score.constants.get("items", ())):  # type: ignore[arg-type, var-annotated]
        try:
            found.append(_item(entry, layout))
        except (KeyError, TypeError, ValueError, AttributeError) as slip:
            raise EditionError(f"score {score.id}: item {number + 1} cannot be read ({slip})") from slip
    return tuple(found)


def _item(entry: Constants, layout: Layout) -> Item:
    about = entry["of"][0] if "of" in entry else entry.get("is")
    return Item(
        id=entry["id"],
        group=entry.get("group", POINTS),
        points=float(entry.get("points", 0)),
        text=entry.get("text", ""),
        about=about,
        when=_condition(entry, layout),
        unless=tuple(entry.get("unless", ())),
    )


def _condition(entry: Constants, layout: Layout) -> Predicate:
    parts: list[Predicate] = []
    if "is" in entry:
        parts.append(_word(entry["is"], tuple(entry["in"]), layout))
    if "of" in entry:
        parts.append(_measured(entry, layout))
    if "not_known" in entry:
        parts.append(Not(Known(entry["not_known"])))
    if "not_stated" in entry:
        parts.append(AnyOf(tuple(_word(name, ("not_stated",), layout) for name in entry["not_stated"])))
    if not parts:
        raise ValueError("it asks nothing")
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _word(name: str, words: tuple[str, ...], layout: Layout) -> Predicate:
    unknown = [word for word in words if word not in layout.words[name]]
    if unknown:
        raise ValueError(f"{name} has no word {unknown[0]!r}")
    return Is(name, words)


def _measured(entry: Constants, layout: Layout) -> Predicate:
    each = [_compared(name, entry, layout) for name in entry["of"]]
    found = each[0] if len(each) == 1 else FirstKnown(tuple(each))
    if "or" in entry:  # the second quantity may make it true; it makes it false only where the first is known
        found = FirstKnown((AnyOf((found, _measured(entry["or"], layout))), found))
    return found


def _compared(name: str, entry: Constants, layout: Layout) -> Predicate:
    sides = tuple(
        kind(name, limit(entry[key], name, layout), inclusive) for key, kind, inclusive in SIDES if key in entry
    )
    if not sides:
        raise ValueError(f"{name} is compared with nothing")
    return sides[0] if len(sides) == 1 else All(sides)


def limit(stated: object, name: str, layout: Layout) -> Limit:
    """A limit of the quantity `name`: `"97 mg/dL"`, a plain number in its own unit, or another quantity."""
    layout.quantity[name]
    if isinstance(stated, Mapping):
        other = str(stated["quantity"])
        layout.quantity[other]
        return Limit(other, quantity=other)
    return Limit(str(stated), value=canonical(stated, name, layout))


def canonical(stated: object, name: str, layout: Layout) -> float:
    """The number `stated` in the canonical unit of the quantity `name`. ValueError if it does not convert."""
    if isinstance(stated, int | float) and not isinstance(stated, bool):
        return float(stated)
    match = NUMBER_WITH_UNIT.match(str(stated))
    entry, table = layout.entry(name), layout.edition.units
    if match is None or entry is None or entry.unit is None:
        raise ValueError(f"{stated!r} is no number of {name}")
    mass = table.molar_masses.get(entry.molar_mass or "") if isinstance(entry, Analyte) else None
    return to_canonical(float(match[1]), match[2], entry.unit, table, mass)
