"""Entries of units, citations, analytes, derived quantities and limits -> model/edition, their places remembered."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from csfinterp.errors import EditionError
from csfinterp.knowledge.document import Map
from csfinterp.knowledge.intervals import IntervalBuilder
from csfinterp.knowledge.places import Entry
from csfinterp.model.edition import (
    AgeEdge,
    Analyte,
    Citation,
    CodedValue,
    CriticalRule,
    DecisionLimit,
    Derived,
    InfoRow,
    LoincCode,
    Tolerance,
    UnitAlias,
    UnitCode,
    UnitTable,
    WrongCode,
)

_UNLIMITED_AGE = (AgeEdge(0, "d"), None)


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


class RowBuilder(IntervalBuilder):
    """Analytes, derived quantities and limits; each method raises EditionError with file and line of a slip."""

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

    def tolerance(self, entry: Entry) -> Tolerance:
        """One entry of `tolerances` in edition.yaml."""
        share = float(entry["share"].removesuffix(" %")) / 100
        built = Tolerance(entry["id"], share, entry["share"], entry["says"], tuple(entry["citations"]), entry["status"])
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
