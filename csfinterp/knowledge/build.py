"""Well-formed entries -> the dataclasses of model/edition: numbers converted once, rules read, places remembered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeVar

from csfinterp.errors import EditionError
from csfinterp.knowledge.document import Map
from csfinterp.knowledge.predicates import parse_predicate
from csfinterp.knowledge.vocabulary import Vocabulary, age_edge, age_order
from csfinterp.model.edition import (
    AgeEdge,
    Analyte,
    Band,
    Bound,
    Bounds,
    Citation,
    CodedValue,
    CriticalRule,
    DecisionLimit,
    Derived,
    InfoRow,
    IntervalLimit,
    LoincCode,
    ReferenceInterval,
    Stratum,
    UnitAlias,
    UnitCode,
    UnitTable,
    WrongCode,
)
from csfinterp.model.predicate import Predicate

Entry = Mapping[str, Any]
T = TypeVar("T")
_UNLIMITED_AGE = (AgeEdge(0, "d"), None)


@dataclass
class Places:
    """Where each built object stands: file and line, asked for by the laws."""

    known: dict[int, tuple[object, Map]] = field(default_factory=dict)

    def note(self, built: T, at: Map) -> T:
        """`built` itself, its place remembered (and `built` kept alive, so that its identity stays its own)."""
        self.known[id(built)] = (built, at)
        return built

    def of(self, built: object, key: str | None = None) -> tuple[str | None, int | None]:
        """File and line of `built`, or of one of its keys; (None, None) if it was not read from a file."""
        _, at = self.known.get(id(built), (None, None))
        if at is None:
            return None, None
        return at.file, at.line if key is None else at.line_of(key)


def unit_table(entry: Entry) -> UnitTable:
    """units.yaml: exact scales; EditionError for a scale that is no fraction or an alias to nowhere."""
    codes = {
        code: UnitCode(code, unit["dimension"], _fraction(unit["scale"], unit["at"], "scale"), unit["pint"] or "")
        for code, unit in entry["codes"].items()
    }
    known = {unit.dimension for unit in codes.values()}
    for alias in entry["aliases"]:
        at: Map = alias["at"]
        if alias["becomes"] not in codes:
            raise EditionError(f"alias becomes unknown unit {alias['becomes']!r}", at.file, at.line_of("becomes"))
        if not set(alias["dimensions"]) <= known:
            raise EditionError("alias for a dimension that no unit has", at.file, at.line_of("dimensions"))
    aliases = tuple(
        UnitAlias(seen, alias["becomes"], tuple(alias["dimensions"]), alias["ignore_case"])
        for alias in entry["aliases"]
        for seen in alias["seen"]
    )
    masses = {name: _fraction(mass["value"], mass["at"], "value") for name, mass in entry["molar_masses"].items()}
    return UnitTable(codes, aliases, masses, dict(entry["molar_dimensions"]), entry["thirds_dimension"])


def _fraction(text: str, at: Map, key: str) -> Fraction:
    try:
        found = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise EditionError(f'{text!r} is no decimal or fraction such as "1/3"', at.file, at.line_of(key)) from None
    if found <= 0:
        raise EditionError(f"{key} must be above zero", at.file, at.line_of(key))
    return found


def citation(entry: Entry) -> Citation:
    """One source."""
    return Citation(**{key: value for key, value in entry.items() if key != "at"})


class RowBuilder:
    """Analytes, rows and limits against one vocabulary; each raises EditionError with file and line of a slip."""

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

    def analyte(self, entry: Entry) -> Analyte:
        """One file of analytes/; `intervals_as` is followed later, when all rows are read."""
        at: Map = entry["at"]
        name, quantity = entry["id"], entry["kind"] == "quantity"
        if quantity and (entry["unit"] is None or not entry["units"]):
            raise EditionError("a quantity needs unit and units", at.file, at.line)
        if not quantity and (
            entry["unit"] or entry["units"] or entry["intervals"] or entry["bands"] or entry["bounds"]
        ):
            raise EditionError("a coded analyte has no unit, units, intervals, bands or bounds", at.file, at.line)
        if quantity == bool(entry["values"]):
            raise EditionError("a coded analyte has values, a quantity has none", at.file, at.line)
        built = Analyte(
            id=name,
            name=entry["name"],
            kind=entry["kind"],
            specimen=entry["specimen"],
            citations=tuple(entry["citations"]),
            status=entry["status"],
            unit=entry["unit"],
            decimals=entry["decimals"],
            units=tuple(entry["units"]),
            molar_mass=entry["molar_mass"],
            molar_mass_assumed=entry["molar_mass_assumed"],
            bounds=self.bounds(entry["bounds"], name),
            loinc=tuple(self._loinc(code) for code in entry["loinc"]),
            wrong_codes=tuple(self._wrong_code(code) for code in entry["wrong_codes"]),
            intervals=self.intervals(entry["intervals"], name),
            bands=tuple(self.band(band, name) for band in entry["bands"]),
            info=tuple(InfoRow(row["text"], tuple(row["citations"]), row["status"]) for row in entry["info"]),
            values=tuple(self._value(value) for value in entry["values"]),
            needs_organism=entry["needs_organism"],
            counterpart=entry["counterpart"],
            repeats=entry["repeats"],
            unit_required_explicit=entry["unit_required_explicit"],
            traps=entry["traps"],
            file=f"analytes/{name}.yaml",
        )
        return self.places.note(built, at)

    def _loinc(self, entry: Entry) -> LoincCode:
        plain = {key: value for key, value in entry.items() if key not in ("at", "only_specimens")}
        code = LoincCode(**plain, only_specimens=tuple(entry["only_specimens"]))
        return self.places.note(code, entry["at"])

    def _wrong_code(self, entry: Entry) -> WrongCode:
        code = WrongCode(entry["code"], entry["meaning"], entry["right"], entry["accept_as"])
        return self.places.note(code, entry["at"])

    def _value(self, entry: Entry) -> CodedValue:
        at: Map = entry["at"]
        if (entry["flag"] is None) == (entry["not_judged"] is None):
            raise EditionError("a coded word has either a flag or a not_judged word", at.file, at.line)
        value = CodedValue(entry["word"], entry["flag"], entry["not_judged"], entry["unknown_"], entry["note"],
                           tuple(entry["synonyms"]))  # fmt: skip
        return self.places.note(value, at)

    def derived(self, entry: Entry) -> Derived:
        """One entry of derived.yaml."""
        fields = {key: entry[key] for key in ("id", "name", "kind", "function", "unit", "decimals", "formula", "status",
                                              "pair", "report_if_missing", "note")}  # fmt: skip
        built = Derived(
            **fields,
            inputs=tuple(entry["inputs"]),
            constants=dict(entry["constants"]),
            citations=tuple(entry["citations"]),
            intervals=self.intervals(entry["intervals"], entry["id"]),
        )
        return self.places.note(built, entry["at"])

    def decision_limit(self, entry: Entry) -> DecisionLimit:
        """One entry of limits.yaml in the canonical unit of its quantity."""
        value, text = self.number(entry["limit"], entry["quantity"], entry["at"], "limit")
        built = DecisionLimit(entry["id"], entry["quantity"], entry["op"], value, text, entry["says"],
                              tuple(entry["citations"]), entry["status"])  # fmt: skip
        return self.places.note(built, entry["at"])

    def critical(self, entry: Entry) -> CriticalRule:
        """One entry of critical.yaml: a number for quantities, or words for coded analytes."""
        at: Map = entry["at"]
        by_number = entry["op"] is not None and entry["limit"] is not None
        if by_number == bool(entry["words"]) or (entry["op"] is None) != (entry["limit"] is None):
            raise EditionError("a critical rule has op and limit, or words", at.file, at.line)
        numbers = (
            {self.number(entry["limit"], name, at, "limit") for name in entry["analytes"]}
            if by_number
            else {(None, None)}
        )
        if len(numbers) != 1:
            raise EditionError(
                "the analytes of one critical rule must share their unit", at.file, at.line_of("analytes")
            )
        for name in () if by_number else entry["analytes"]:
            self._words_of(name, entry["words"], at)
        limit, text = numbers.pop()
        age_from, age_to = _UNLIMITED_AGE if entry["age"] is None else self.ages(entry["age"])
        built = CriticalRule(
            id=entry["id"],
            rule=entry["rule"] or entry["id"],
            analytes=tuple(entry["analytes"]),
            level=entry["level"],
            flag=entry["flag"],
            text=entry["text"],
            citations=tuple(entry["citations"]),
            status=entry["status"],
            op=entry["op"],
            limit=limit,
            limit_text=text,
            words=tuple(entry["words"]),
            age_from=age_from,
            age_to=age_to,
            age_unknown=entry["age"] is None or entry["age"]["unknown_"],
            first_only=entry["first_only"],
            locked=entry["locked"],
        )
        return self.places.note(built, at)

    def _words_of(self, analyte: str, words: Iterable[str], at: Map) -> None:
        known = self.words.coded.get(analyte)
        if known is None:
            raise EditionError(f"{analyte!r} is no coded analyte", at.file, at.line_of("analytes"))
        for word in words:
            if word not in known:
                raise EditionError(f"{analyte} has no word {word!r}", at.file, at.line_of("words"))
