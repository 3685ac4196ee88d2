"""Panels -> columns: observations as received and, per panel, age spans, times, pairs and context words.

Nothing is judged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from math import inf

import numpy as np

from csfinterp.model.cohort import Cell, CodeKey, Observations, Pairs, Subjects, TextColumn
from csfinterp.model.context import CODED_INPUTS, CONDITIONS, NUMBER_CONTEXT
from csfinterp.model.edition import CodeMap
from csfinterp.model.panel import Observation, Panel
from csfinterp.steps.facts import Named, organisms, platform_name, stated_facts
from csfinterp.steps.identify import Identifier
from csfinterp.steps.layout import BEST_CYTOLOGY, Layout
from csfinterp.steps.times import Moment, age_span, minutes_between, pairing, sampling_day

WITHDRAWN = ("cancelled", "entered_in_error")
DECIMAL_COMMA = re.compile(r"\s*(<=|>=|<|>|≤|≥)?\s*[+-]?[0-9]+,[0-9]+\s*")
WORD_NUMBER = {name: {word: number for number, word in enumerate(words)} for name, words in CODED_INPUTS.items()}
DAY, DIFFERS = WORD_NUMBER["pair_same_day"], WORD_NUMBER["pair_method_differs"]


class Columns:
    """Turns panels into columns for one edition (the code decides which serum results form a pair)."""

    def __init__(self, layout: Layout, identifier: Identifier) -> None:
        self._layout, self._identifier = layout, identifier
        self._quotients = {
            entry.id: (entry.inputs[0], entry.inputs[1])
            for entry in layout.edition.derived
            if entry.function == "pair_quotient"
        }
        derived = layout.edition.derived_by_id
        gap = derived["pair_gap_hours"].constants if "pair_gap_hours" in derived else {}
        self._hours = {
            name: gap.get("glucose_up_to" if derived[name].pair == "glucose" else "proteins_up_to", 0.0)
            for name in self._quotients
        }
        self._oldest = derived["age_years"].constants["oldest"] if "age_years" in derived else inf
        self._not_sent = layout.not_sent
        self._times = {
            entry.id: entry.inputs for entry in layout.edition.derived if entry.function == "time_to_analysis"
        }
        self._given = frozenset(layout.quantity)
        self._organism_words = layout.edition.organism_words
        platforms = rules.ctc_platforms if (rules := layout.edition.site_rules) else {}
        self._platforms = {
            entry.id: {**entry.constants, **platforms}
            for entry in layout.edition.derived
            if entry.function == "platform_limit"
        }
        self._comparable = bool(rules and rules.assay_comparable)
        self._maps: dict[str, CodeMap] = {found.source: found for found in (rules.code_maps if rules else ())}
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
            mapped = self._maps.get(panel.source.system or "")
            values = [self._mapped_word(found, panel, mapped) for found in panel.observations]
            cells += [
                Cell(_point(value) if comma else value, found.comparator)
                for value, found in zip(values, panel.observations, strict=True)
            ]
            units += [self._mapped_unit(found, panel, mapped) for found in panel.observations]
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

    def _mapped_word(self, found: Observation, panel: Panel, mapped: CodeMap | None) -> str | None:
        """The sender's own word for a coded result, as the site's code map reads it; else the text as sent."""
        if mapped is None or not mapped.words or found.value is None:
            return found.value
        row = self._identifier.identity(_key(found, panel)).row
        words = mapped.words.get(self._layout.statements[row], {}) if row >= 0 else {}
        seen = " ".join(found.value.split()).casefold()
        return next((word for text, word in words.items() if " ".join(text.split()).casefold() == seen), found.value)

    def _mapped_unit(self, found: Observation, panel: Panel, mapped: CodeMap | None) -> str | None:
        """The unit as sent; for a sender that sends none, the unit that the site's code map states for the test."""
        if mapped is None or not mapped.default_units or (found.unit or "").strip():
            return found.unit
        row = self._identifier.identity(_key(found, panel)).row
        return mapped.default_units.get(self._layout.statements[row]) if row >= 0 else found.unit

    def subjects(self, panels: Sequence[Panel]) -> Subjects:
        """One entry per panel."""
        ages = np.array([age_span(panel, self._oldest) for panel in panels], np.float64).reshape(len(panels), 4)
        words: dict[str, list[int]] = {}
        numbers: dict[str, list[float]] = {}
        days: dict[str, list[int]] = {}
        methods: dict[str, list[int]] = {}
        for number, panel in enumerate(panels):
            named = self._named(panel)
            for name, (csf, serum) in self._pairs(named).items():
                days.setdefault(name, [0] * len(panels))[number] = DAY[pairing(serum, panel, self._hours[name])]
                methods.setdefault(name, [0] * len(panels))[number] = DIFFERS[_method_differs(csf, serum)]
            for name, word in self._words(panel, named).items():
                words.setdefault(name, [0] * len(panels))[number] = WORD_NUMBER[name][word]
            for name, value in self._numbers(panel, named).items():
                numbers.setdefault(name, [float("nan")] * len(panels))[number] = value
        columns = {name: np.array(column, np.int8) for name, column in words.items()}
        history = [self._history(panel) for panel in panels]
        if any(found >= 0 for found in history):
            columns[BEST_CYTOLOGY] = np.array(history, np.int8)
        days_low, days_high, years_low, years_high = (np.ascontiguousarray(column) for column in ages.T)
        found = {name: np.array(column) for name, column in numbers.items()}
        pairs = {name: Pairs(np.array(days[name], np.int8), np.array(methods[name], np.int8)) for name in days}
        return Subjects(len(panels), days_low, days_high, years_low, years_high, columns, found, pairs)

    def _history(self, panel: Panel) -> int:
        entry = panel.context.history.get("csf_cytology")
        word = entry.get("value") if isinstance(entry, dict) else None
        return self._cytology.get(str(word), -1)

    def _words(self, panel: Panel, named: Named) -> dict[str, str]:
        found = {name: word for name, word in panel.context.words.items() if name in WORD_NUMBER}
        if "csf_flow_panel" not in found and found.get("tumor") == "hematologic":  # rulings.md RU7
            found["csf_flow_panel"] = "lymphoid"
        found |= {f"stated_{name}": "yes" for name in panel.context.stated}
        found |= {"site": panel.specimen.site, "sex": panel.patient.sex, "position": panel.specimen.position}
        found |= {name: "yes" for name in CONDITIONS if name in panel.specimen.condition}
        if self._comparable:
            found["assay_comparable"] = "yes"
        return found | stated_facts(panel, named) | organisms(named, self._organism_words)

    def _numbers(self, panel: Panel, named: Named) -> dict[str, float]:
        found = {name: value for name, value in panel.context.numbers.items() if name in NUMBER_CONTEXT}
        examined = panel.context.history.get("csf_samples_examined")
        if isinstance(examined, int | float) and "csf_samples_examined" not in found:
            found["csf_samples_examined"] = float(examined)
        quotient = panel.context.history.get("albumin_quotient")
        last = quotient.get("value") if isinstance(quotient, dict) else quotient
        if isinstance(last, int | float) and not isinstance(last, bool) and "earlier_albumin_quotient" in self._given:
            found["earlier_albumin_quotient"] = float(last)
        platform = platform_name(panel)
        for name, limits in self._platforms.items():
            if platform in limits:
                found[name] = limits[platform]
        day = sampling_day(panel)
        if day is not None:
            found |= {"sampling_month": float(day.month), "sampling_day": float(day.day)}
        if panel.specimen.volume_ml is not None:
            found["specimen_volume_ml"] = panel.specimen.volume_ml
        collected = panel.specimen.collected_at
        for name, analytes in self._times.items():
            time = _analyzed_at(named, analytes, collected) or panel.specimen.received_at
            minutes = minutes_between(collected, time)
            if minutes is not None and minutes >= 0:
                found[name] = minutes
        gaps = [minutes_between(collected, serum.collected_at) for _, serum in self._pairs(named).values()]
        known = [abs(gap) / 60 for gap in gaps if gap is not None]
        if known:
            found["pair_gap_hours"] = max(known)
        return found

    def _pairs(self, named: Named) -> dict[str, tuple[Observation, Observation]]:
        """CSF and serum observation of every quotient whose two sides were sent, by the quotient's id."""
        return {
            name: (named[csf][0], named[serum][0])
            for name, (csf, serum) in self._quotients.items()
            if csf in named and serum in named
        }

    def from_receipt(self, panel: Panel) -> frozenset[str]:
        """Times to analysis that count to the receipt, because no time of analysis was sent: "at least"."""
        named = self._named(panel)
        collected = panel.specimen.collected_at
        return frozenset(name for name, found in self._times.items() if _analyzed_at(named, found, collected) is None)

    def _named(self, panel: Panel) -> Named:
        """Usable observations by analyte id, in the order sent."""
        found: Named = {}
        for observation in panel.observations:
            row = self._identifier.identity(_key(observation, panel)).row
            sent = observation.value is not None and observation.value.strip().casefold() not in self._not_sent
            if row >= 0 and sent and observation.status not in WITHDRAWN:
                found.setdefault(self._layout.statements[row], []).append(observation)
        return found


def _analyzed_at(named: Named, names: tuple[str, ...], collected: Moment | None) -> datetime | None:
    """Time of analysis of the first of `names` that states one; the earliest where it was sent several times."""
    for name in names:
        times = [found.analyzed_at for found in named.get(name, ()) if isinstance(found.analyzed_at, datetime)]
        known = [(minutes_between(collected, time), time) for time in times]
        if known:
            return min(known, key=lambda pair: inf if pair[0] is None else pair[0])[1]
    return None


def _method_differs(csf: Observation, serum: Observation) -> str:
    """Whether CSF and serum were measured by different methods, if both name one."""
    if not csf.method or not serum.method:
        return "unknown"
    return "no" if csf.method.strip().casefold() == serum.method.strip().casefold() else "yes"


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
