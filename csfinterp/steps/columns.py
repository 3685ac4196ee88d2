"""Panels -> columns: observations as received and, per panel, age spans, times, pairs and context words.
Nothing is judged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from math import floor

import numpy as np

from csfinterp.model.cohort import Cell, CodeKey, Observations, Subjects, TextColumn
from csfinterp.model.context import CODED_INPUTS, CONDITIONS, NUMBER_CONTEXT
from csfinterp.model.panel import Observation, Panel
from csfinterp.steps.identify import Identifier
from csfinterp.steps.layout import BEST_CYTOLOGY, Layout

Moment = datetime | date
AgeSpan = tuple[float, float, float, float]

WITHDRAWN = ("cancelled", "entered_in_error")
DECIMAL_COMMA = re.compile(r"\s*(<=|>=|<|>|≤|≥)?\s*[+-]?[0-9]+,[0-9]+\s*")
PROTEIN_SERUM = ("serum_albumin", "serum_igg", "serum_iga", "serum_igm", "serum_kappa_flc")
COUNTS = ("csf_leukocytes", "csf_nucleated_cells", "csf_erythrocytes")
PAIR_HOURS = 8.0  # barrier_and_intrathecal.md section 4, "at most 8 h apart across midnight"
NO_AGE: AgeSpan = (float("nan"),) * 4
WORD_NUMBER = {name: {word: number for number, word in enumerate(words)} for name, words in CODED_INPUTS.items()}
DAYS_PER_MONTH = 30.4375
YEARS = {"a": 1.0, "mo": 1 / 12, "wk": 7 / 365.25, "d": 1 / 365.25}
OLDEST = 130  # completed years; beyond it one of the two dates is wrong


class Columns:
    """Turns panels into columns for one edition (the code decides which serum results form a pair)."""

    def __init__(self, layout: Layout, identifier: Identifier) -> None:
        self._layout, self._identifier = layout, identifier
        rules = layout.edition.site_rules
        self._comma = {found.source for found in (rules.code_maps if rules else ()) if found.decimal_comma}
        self._cytology = {word: number for number, word in enumerate(layout.words[BEST_CYTOLOGY])}

    def observations(self, panels: Sequence[Panel]) -> Observations:
        """Long columns of all observations, in order."""
        place: list[int] = []
        keys: list[CodeKey] = []
        cells: list[Cell] = []
        units: list[str | None] = []
        every: list[Observation] = []
        for number, panel in enumerate(panels):
            comma = panel.source.system in self._comma
            place += [number] * len(panel.observations)
            every += panel.observations
            keys += [_key(found, panel) for found in panel.observations]
            cells += [
                Cell(_point(found.value) if comma else found.value, found.comparator) for found in panel.observations
            ]
            units += [found.unit for found in panel.observations]
        withdrawn = [found.status in WITHDRAWN for found in every]
        tubes = [found.tube for found in every]
        targets = [found.organism for found in every]
        return Observations(
            np.array(place, np.int64),
            distinct(keys),
            distinct(cells),
            distinct(units),
            np.array(tubes, np.float64) if any(tube is not None for tube in tubes) else None,
            targets if any(targets) else None,
            np.array(withdrawn) if any(withdrawn) else None,
        )

    def subjects(self, panels: Sequence[Panel]) -> Subjects:
        """One entry per panel."""
        ages = np.array([age_span(panel) for panel in panels], np.float64).reshape(len(panels), 4)
        words: dict[str, list[int]] = {}
        numbers: dict[str, list[float]] = {}
        for number, panel in enumerate(panels):
            for name, word in self._words(panel).items():
                words.setdefault(name, [0] * len(panels))[number] = WORD_NUMBER[name][word]
            for name, value in self._numbers(panel).items():
                numbers.setdefault(name, [float("nan")] * len(panels))[number] = value
        columns = {name: np.array(column, np.int8) for name, column in words.items()}
        history = [self._history(panel) for panel in panels]
        if any(found >= 0 for found in history):
            columns[BEST_CYTOLOGY] = np.array(history, np.int8)
        days_low, days_high, years_low, years_high = (np.ascontiguousarray(column) for column in ages.T)
        found = {name: np.array(column) for name, column in numbers.items()}
        return Subjects(len(panels), days_low, days_high, years_low, years_high, columns, found)

    def _history(self, panel: Panel) -> int:
        entry = panel.context.history.get("csf_cytology")
        word = entry.get("value") if isinstance(entry, dict) else None
        return self._cytology.get(str(word), -1)

    def _words(self, panel: Panel) -> dict[str, str]:
        found = {name: word for name, word in panel.context.words.items() if name in WORD_NUMBER}
        if "csf_flow_panel" not in found and found.get("tumor") == "hematologic":  # rulings.md RU7
            found["csf_flow_panel"] = "lymphoid"
        found |= {f"stated_{name}": "yes" for name in panel.context.stated}
        found |= {"site": panel.specimen.site, "sex": panel.patient.sex, "position": panel.specimen.position}
        found |= {name: "yes" for name in CONDITIONS if name in panel.specimen.condition}
        serum = self._named(panel, PROTEIN_SERUM)
        if serum:
            found["pair_same_day"] = pairing(serum, panel)
        glucose = self._named(panel, ("serum_glucose",))
        if glucose:
            found["serum_glucose_same_day"] = pairing(glucose, panel)
        found["pair_method_differs"] = _method_differs(
            self._named(panel, ("csf_albumin",)), self._named(panel, ("serum_albumin",))
        )
        return found

    def _numbers(self, panel: Panel) -> dict[str, float]:
        found = {name: value for name, value in panel.context.numbers.items() if name in NUMBER_CONTEXT}
        if panel.specimen.volume_ml is not None:
            found["specimen_volume_ml"] = panel.specimen.volume_ml
        collected = panel.specimen.collected_at
        analyzed = self._analyzed_at(panel) or panel.specimen.received_at
        minutes = minutes_between(collected, analyzed)
        if minutes is not None and minutes >= 0:
            found["collection_to_analysis_min"] = minutes
        gaps = [minutes_between(collected, pair.collected_at) for pair in self._named(panel, PROTEIN_SERUM)]
        known = [abs(gap) / 60 for gap in gaps if gap is not None]
        if known:
            found["pair_gap_hours"] = max(known)
        return found

    def _analyzed_at(self, panel: Panel) -> Moment | None:
        times = [found.analyzed_at for found in self._named(panel, COUNTS) if found.analyzed_at is not None]
        return times[0] if times else None

    def _named(self, panel: Panel, names: tuple[str, ...]) -> list[Observation]:
        """Observations of the panel that are one of `names`, in the order of `names`."""
        rows = {self._layout.statement[name]: rank for rank, name in enumerate(names) if name in self._layout.statement}
        found = [(rows.get(self._identifier.identity(_key(item, panel)).row), item) for item in panel.observations]
        return [item for _, item in sorted(((r, i) for r, i in found if r is not None), key=lambda pair: pair[0])]


def age_span(panel: Panel) -> AgeSpan:
    """Age at collection as (days low, days high excluded, years low, years high included); NaN where it is not known.

    Completed days and birthdays passed (reference_intervals.md S1); a number covers its whole unit (S3). Someone born
    on 29 February completes a year on 1 March in common years (S2).
    """
    birth, at = panel.patient.birth_date, sampling_day(panel)
    if birth is not None and at is not None:
        days = (at - birth).days
        years = at.year - birth.year - ((at.month, at.day) < (birth.month, birth.day))
        if days < 0 or years > OLDEST:
            return NO_AGE
        return (float(days), days + 1.0, float(years), float(years))
    age = panel.patient.age
    if age is None:
        return NO_AGE
    value = age.value
    if value * YEARS[age.unit] > OLDEST:
        return NO_AGE
    if age.unit == "a":
        years = floor(value)
        return (years * 365.0, (years + 1) * 366.0, float(years), float(years))
    if age.unit == "mo":
        years = floor(value / 12)
        return (value * DAYS_PER_MONTH, (value + 1) * DAYS_PER_MONTH, float(years), float(years))
    low, high = (value * 7, value * 7 + 7) if age.unit == "wk" else (float(floor(value)), floor(value) + 1.0)
    return (low, high, float(floor(low / 366)), float(floor((high - 1) / 365)))


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


def pairing(serum: Sequence[Observation], panel: Panel) -> str:
    """`yes`: same calendar day or at most 8 h apart; `no`: another day, or the day of the CSF is not known.

    `assumed`: the serum has no time of its own and counts as drawn with the CSF (barrier_and_intrathecal.md section 4).
    """
    stated = [found.collected_at for found in serum if found.collected_at is not None]
    if not stated:
        return "assumed"
    collected = panel.specimen.collected_at
    if collected is None or not all(_same_day(collected, moment) for moment in stated):
        return "no"
    return "yes" if len(stated) == len(serum) else "assumed"


def _same_day(first: Moment, second: Moment) -> bool:
    minutes = minutes_between(first, second)
    if minutes is not None and abs(minutes) <= PAIR_HOURS * 60:
        return True
    if isinstance(first, datetime) and isinstance(second, datetime) and first.tzinfo and second.tzinfo:
        second = second.astimezone(first.tzinfo)
    return _day(first) == _day(second)


def _day(moment: Moment) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _method_differs(csf: Sequence[Observation], serum: Sequence[Observation]) -> str:
    methods = {found.method.strip().casefold() for found in (*csf[:1], *serum[:1]) if found.method}
    if len(csf) and len(serum) and csf[0].method and serum[0].method:
        return "yes" if len(methods) > 1 else "no"
    return "unknown"


def _key(found: Observation, panel: Panel) -> CodeKey:
    code = found.code
    return CodeKey(panel.source.system, code.system, code.code, code.display, found.specimen, panel.specimen.type)


def _point(text: str | None) -> str | None:
    return text.replace(",", ".") if text is not None and DECIMAL_COMMA.fullmatch(text) else text


def distinct(entries: Sequence[object]) -> TextColumn:
    """Many rows hold few distinct entries; for a handful of rows, counting them is not worth it."""
    if len(entries) <= 64:
        return TextColumn(entries)
    number = {entry: place for place, entry in enumerate(dict.fromkeys(entries))}
    return TextColumn(tuple(number), np.fromiter(map(number.__getitem__, entries), np.int64, len(entries)))
