"""Entries of bounds, age bands, reference intervals and graded readings -> model/edition; numbers converted once."""

from __future__ import annotations

from collections.abc import Iterable

from csfinterp.errors import EditionError
from csfinterp.knowledge.document import Map
from csfinterp.knowledge.places import Entry, Places
from csfinterp.knowledge.predicates import parse_predicate
from csfinterp.knowledge.vocabulary import Vocabulary, age_edge, age_order
from csfinterp.model.edition import AgeEdge, Band, Bound, Bounds, IntervalLimit, ReferenceInterval, Stratum
from csfinterp.model.predicate import Predicate


class IntervalBuilder:
    """Numbers, rules, ages and rows against one vocabulary; each raises EditionError with file and line of a slip."""

    def __init__(self, words: Vocabulary, places: Places) -> None:
        self.words = words
        self.places = places

    def rule(self, data: object, entry: Entry, key: str = "when") -> Predicate:
        at: Map = entry["at"]
        return parse_predicate(data, self.words, at.file, at.line_of(key))

    def number(self, value: object, quantity: str, at: Map, key: str) -> tuple[float, str]:
        return self.words.number(value, quantity, at.file, at.line_of(key))

    def plain(self, value: object, quantity: str, at: Map, key: str) -> float:
        """A plain number counts in the canonical unit; a text carries its unit."""
        return float(value) if isinstance(value, int | float) else self.number(value, quantity, at, key)[0]

    def maybe(self, entry: Entry, key: str, quantity: str) -> float | None:
        return None if entry[key] is None else self.plain(entry[key], quantity, entry["at"], key)

    def ages(self, entry: Entry) -> tuple[AgeEdge, AgeEdge | None]:
        """`from` and `to` of a band [from, to)."""
        at: Map = entry["at"]
        start = age_edge(entry["from_"], at.file, at.line_of("from"))
        end = None if entry["to"] is None else age_edge(entry["to"], at.file, at.line_of("to"))
        if age_order(start) >= age_order(end):
            raise EditionError("the age band is empty: `to` must lie behind `from`", at.file, at.line_of("to"))
        return start, end

    def limit_end(self, entry: Entry | None, quantity: str, sign: str) -> IntervalLimit | None:
        """One end of an interval of `quantity`; `sign` is < or >, the limit itself being abnormal."""
        if entry is None:
            return None
        at: Map = entry["at"]
        stated = [key for key in ("value", "quantity", "age_line") if entry[key] is not None]
        if len(stated) != 1:
            raise EditionError("a limit states exactly one of value, quantity, age_line", at.file, at.line)
        sign = {"<": "≤", ">": "≥"}[sign] if entry["inclusive"] else sign
        if stated == ["value"]:
            value = entry["value"]
            if entry["unit"] is not None and not isinstance(value, str):
                value = f"{value} {entry['unit']}"
            number, text = self.number(value, quantity, at, "value")
            return IntervalLimit(entry["inclusive"], f"{sign} {text}", value=number)
        unit = self.words.measure(quantity, at.file, at.line).unit
        if stated == ["quantity"]:
            other = self.words.measure(entry["quantity"], at.file, at.line_of("quantity")).unit
            self._same_unit(other, unit, at, "quantity")
            return IntervalLimit(entry["inclusive"], f"{sign} {entry['quantity']}", quantity=entry["quantity"])
        line = entry["age_line"]
        self._same_unit(entry["unit"], unit, at, "unit")
        if line["divisor"] == 0:
            raise EditionError("the divisor must not be zero", at.file, at.line_of("age_line"))
        text = f"{sign} {line['intercept']:g} + age/{line['divisor']:g}"
        return IntervalLimit(entry["inclusive"], text, intercept=line["intercept"], divisor=line["divisor"])

    def _same_unit(self, stated: str | None, unit: str, at: Map, key: str) -> None:
        if stated != unit:
            raise EditionError(f"this limit must be in {unit!r}, not {stated!r}", at.file, at.line_of(key))

    def interval(self, entry: Entry, owner: str) -> ReferenceInterval:
        """One row of the analyte or derived quantity `owner`."""
        at: Map = entry["at"]
        age_from, age_to = self.ages(entry["age"])
        low, high = self.limit_end(entry["low"], owner, ">"), self.limit_end(entry["high"], owner, "<")
        if low is None and high is None:
            raise EditionError("a row states low, high or both", at.file, at.line)
        if low and high and low.value is not None and high.value is not None and low.value > high.value:
            raise EditionError("low is above high", at.file, at.line_of("low"))
        row = ReferenceInterval(
            rule=f"{owner}/{entry['id']}",
            sites=entry["sites"],
            age_from=age_from,
            age_to=age_to,
            low=low,
            high=high,
            citations=tuple(entry["citations"]),
            status=entry["status"],
            stratum=self._stratum(entry["stratum"]),
            when=None if entry["when"] is None else self.rule(entry["when"], entry),
            gate=None if entry["gate"] is None else self.rule(entry["gate"], entry, "gate"),
            note=entry["note"],
            site_note=entry["site_note"],
        )
        return self.places.note(row, at)

    def intervals(self, entries: Iterable[Entry], owner: str) -> tuple[ReferenceInterval, ...]:
        """The rows of `owner` in order."""
        return tuple(self.interval(entry, owner) for entry in entries)

    def _stratum(self, entry: Entry | None) -> Stratum | None:
        if entry is None:
            return None
        at: Map = entry["at"]
        quantity = entry["quantity"]
        ends = [self.number(entry[key], quantity, at, name)[0] if entry[key] is not None else None
                for key, name in (("from_", "from"), ("to", "to"))]  # fmt: skip
        if ends[0] is not None and ends[1] is not None and ends[0] >= ends[1]:
            raise EditionError("the stratum is empty: `to` must lie above `from`", at.file, at.line)
        self.words.measure(quantity, at.file, at.line_of("quantity"))
        return Stratum(quantity, ends[0], ends[1])

    def band(self, entry: Entry, owner: str) -> Band:
        """One graded reading of `owner`."""
        at: Map = entry["at"]
        if sum(entry[key] is not None for key in ("from_", "above")) > 1:
            raise EditionError("a band starts with from or above, not both", at.file, at.line)
        if sum(entry[key] is not None for key in ("at_most", "below")) > 1:
            raise EditionError("a band ends with at_most or below, not both", at.file, at.line)
        if (entry["flag"] is None) == (entry["not_judged"] is None):
            raise EditionError("a band has either a flag or a not_judged word", at.file, at.line)

        def bound(closed: str, opened: str) -> Bound | None:
            key = closed if entry[closed] is not None else opened
            value = self.maybe(entry, key, owner)
            return None if value is None else Bound(value, key == closed)

        low, high = bound("from_", "above"), bound("at_most", "below")
        built = Band(f"{owner}/{entry['id']}", low, high, entry["flag"], entry["not_judged"], entry["text"],
                     tuple(entry["citations"]), entry["status"])  # fmt: skip
        return self.places.note(built, at)

    def bounds(self, entry: Entry | None, owner: str) -> Bounds:
        """Hard and soft bounds of `owner`, canonical unit."""
        if entry is None:
            return Bounds()
        ends = {
            key: Bound(self.plain(entry[key]["value"], owner, entry[key]["at"], "value"), entry[key]["inclusive"])
            for key in ("hard_low", "hard_high", "soft_low", "soft_high")
            if entry[key] is not None
        }
        return Bounds(**ends, citations=tuple(entry["citations"]), status=entry["status"])
