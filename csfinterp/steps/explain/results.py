"""The results of one panel: every value as sent, as normalized, its flag with the row that judged it,
or why it was not."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan

from csfinterp.model.context import ISSUE_CODES
from csfinterp.model.edition import Analyte, Band, CodedValue, CriticalRule, Derived, ReferenceInterval
from csfinterp.model.interpretation import Note, Reference, Reported, Result
from csfinterp.model.panel import Observation
from csfinterp.model.predicate import TRUE
from csfinterp.steps.explain.row import Row
from csfinterp.steps.explain.wording import limit_number, limits_words, partition_words
from csfinterp.steps.identify import Identity
from csfinterp.steps.intervals import age_columns
from csfinterp.steps.layout import span

WITHDRAWN = ("cancelled", "entered_in_error")
NONLUMBAR = ("ventricular", "cisternal")


def results(row: Row) -> tuple[Result, ...]:
    """Observations in the order sent, then the derived quantities in the order of the edition."""
    return (*_measured(row), *_derived(row))


def _measured(row: Row) -> Iterator[Result]:
    for number, observation in enumerate(row.panel.observations):
        if observation.status in WITHDRAWN:
            continue
        identity = identity_of(row, number)
        statement = int(row.outcomes.analyte[row.first + number])
        name = row.layout.statements[statement] if statement >= 0 else identity.meant
        if name is not None and row.has_result(observation):
            yield _result(row, number, row.parts.edition.analyte[name], identity, statement >= 0)


def identity_of(row: Row, number: int) -> Identity:
    """How the code of an observation was read."""
    return row.parts.identifier.identity(row.outcomes.observations.code.at(row.first + number))


def _result(row: Row, number: int, analyte: Analyte, identity: Identity, usable: bool) -> Result:
    observation = row.panel.observations[number]
    place = row.layout.statement[analyte.id]
    issue = int(row.outcomes.issue[row.first + number])
    leads = usable and row.leading[place] == row.first + number and issue == 0
    superseded = leads and analyte.id in row.layout.quantity and is_superseded(row, analyte.id)
    if not usable:
        flag, why = None, identity.issue
    elif issue:
        why = ISSUE_CODES[issue - 1]
        flag = _critical_repeat(row, number, analyte) if why == "duplicate_result" else None
    elif leads and not superseded:
        flag, why = row.flag(analyte.id), row.not_judged(analyte.id)
    else:
        flag, why = _beside(row, number, analyte), None if analyte.kind == "coded" else "info_only"
    value, comparator = _value(row, number, analyte, issue, usable, leads and not superseded)
    judged = leads and not superseded and analyte.kind == "quantity"
    return Result(
        analyte=analyte.id,
        name=analyte.name,
        loinc=analyte.loinc_beside(
            observation.code.code if identity.loinc == observation.code.code else None, converted=value is not None
        ),
        kind=analyte.kind,
        reported=Reported(observation.value, observation.comparator, observation.unit, observation.code.code),
        value=value,
        comparator=comparator,
        unit=analyte.unit,
        derived=False,
        inputs=(),
        flag=flag,
        critical=flag in ("LL", "HH", "AA"),
        not_judged=None if flag else why,
        reference=_reference(row, analyte) if judged else None,
        times_limit=_times_limit(row, analyte.id) if judged else None,
        advisory=_advisory(row, analyte.id) if judged else None,
        notes=tuple(_notes(row, number, analyte, observation, identity, leads, superseded)),
        laboratory_flag=observation.laboratory_flag,
        laboratory_range=observation.laboratory_range,
        organism=observation.organism,
        organism_class=observation.organism_class,
        variants=observation.variants,
        decimals=analyte.decimals,
        citations=_citations(row, analyte, leads),
        status=analyte.status,
    )


def is_superseded(row: Row, name: str) -> bool:
    """A quotient sent ready-made beside its pair: the computed one leads."""
    return not isnan(row.computed[row.layout.quantity[name]])


def _critical_repeat(row: Row, number: int, analyte: Analyte) -> str | None:
    """A critical value stays critical although it was sent twice and is judged by nobody (safety law SL41)."""
    if analyte.kind == "coded":
        return "AA" if word_flag(row, analyte, number) == "AA" else None
    place = row.layout.quantity[analyte.id]
    value, comparator = row.parts.read_value(row.outcomes.observations, row.first + number, place)
    if value is None:
        return None
    low, high = span(value, comparator)
    ages = age_columns(row.outcomes.subjects)[:, row.column : row.column + 1]
    rules = row.parts.critical_numbers(place, low, high, ages)
    return row.parts.edition.critical[max(rules) - 1].flag if rules else None


def _beside(row: Row, number: int, analyte: Analyte) -> str | None:
    """Flag of a result beside the leading one: another organism or target, or a critical count of another tube."""
    if analyte.kind == "coded":
        return word_flag(row, analyte, number)
    return _critical_repeat(row, number, analyte) if analyte.repeats == "tube" else None


def word_flag(row: Row, analyte: Analyte, number: int) -> str | None:
    """Flag of the coded word of one observation, whatever other result leads."""
    found = coded_value(row, analyte, number)
    if found is None:
        return None
    rules = [rule for rule in row.parts.edition.critical if analyte.id in rule.analytes and found.word in rule.words]
    return next((rule.flag for rule in rules if rule.flag), found.flag)


def coded_value(row: Row, analyte: Analyte, number: int) -> CodedValue | None:
    """The coded word of one observation as the columns read it (site words and synonyms included)."""
    text = row.outcomes.observations.value.at(row.first + number).value
    seen = " ".join((text or "").split()).casefold()
    return next((v for v in analyte.values if seen in (v.word, *(synonym.casefold() for synonym in v.synonyms))), None)


def _value(
    row: Row, number: int, analyte: Analyte, issue: int, usable: bool, leads: bool
) -> tuple[float | str | None, str | None]:
    """Canonical value (a word for coded results) and comparator; None where the text could not be used."""
    if not usable or (issue and ISSUE_CODES[issue - 1] not in ("duplicate_result", "implausible")):
        return None, None
    if analyte.kind == "coded":
        found = coded_value(row, analyte, number)
        return found.word if found else None, None
    if leads and not issue:
        bound = row.censored(analyte.id)
        return (bound[1], bound[0]) if bound else (row.exact(analyte.id), None)
    return row.parts.read_value(row.outcomes.observations, row.first + number, row.layout.quantity[analyte.id])


def _reference(row: Row, analyte: Analyte | Derived) -> Reference | None:
    place = row.layout.quantity[analyte.id]
    number = row.intervals[place]
    if number < 0:
        return None
    known = row.parts.references.get(number)
    if known is not None:
        return known
    interval = row.parts.intervals.rows[number]
    found = _reference_of(row, analyte, interval)
    if all(end is None or end.value is not None for end in (interval.low, interval.high)):
        row.parts.references[number] = found
    return found


def _reference_of(row: Row, analyte: Analyte | Derived, interval: ReferenceInterval) -> Reference:
    low, high = row.limits(analyte.id)
    return Reference(
        low=low,
        high=high,
        low_inclusive=interval.low.inclusive if interval.low and low is not None else None,
        high_inclusive=interval.high.inclusive if interval.high and high is not None else None,
        text=limits_words(interval, low, high, analyte.decimals),
        unit=analyte.unit or "",
        partition=partition_words(interval),
        citations=interval.citations,
        status=interval.status,
        rule=interval.rule,
    )


def _times_limit(row: Row, name: str) -> float | None:
    """How many times the upper limit a high value is (two decimals)."""
    value, (_, high) = row.exact(name), row.limits(name)
    if value is None or not high or row.flag(name) not in ("H", "HH") or value <= high:
        return None
    return round(value / high, 2)


def _advisory(row: Row, name: str) -> str | None:
    """Second, softer limit for total protein of adults, printed beside the flag (reference_intervals.md section 3)."""
    place = row.layout.quantity.get(f"{name}_age_limit")
    if place is None or row.intervals[place] < 0 or row.flag(name) != "H":
        return None
    limit, value, (_, high) = row.exact(f"{name}_age_limit"), row.exact(name), row.limits(name)
    if limit is None or value is None or high is None or not high < limit or value > limit:
        return None
    texts, note = row.parts.edition.texts, row.parts.intervals.rows[row.intervals[place]].note
    advisory = limit_number(limit, 0) + " mg/L" + (f" ({note})" if note == texts["advisory_extrapolated"] else "")
    return texts["advisory_protein"].format(limit=f"{limit_number(high, 0)} mg/L", advisory=advisory)


def _citations(row: Row, analyte: Analyte, leads: bool) -> tuple[str, ...]:
    """Sources of what is said about the value: info rows or bands; the interval's own stand with the reference."""
    found = [citation for info in analyte.info for citation in info.citations]
    band = _band(row, analyte) if leads else None
    found += band.citations if band else ()
    rule = _critical_rule(row, analyte.id) if leads else None
    found += rule.citations if rule else ()
    return tuple(dict.fromkeys(found)) or analyte.citations


def _band(row: Row, analyte: Analyte) -> Band | None:
    value = row.exact(analyte.id) if analyte.kind == "quantity" else None
    if value is None:
        return None
    for band in analyte.bands:
        above = band.low is None or value > band.low.value or (band.low.inclusive and value == band.low.value)
        below = band.high is None or value < band.high.value or (band.high.inclusive and value == band.high.value)
        if above and below:
            return band
    return None


def _critical_rule(row: Row, name: str) -> CriticalRule | None:
    number = row.criticals[row.layout.statement[name]]
    return row.parts.edition.critical[number - 1] if number else None


def _notes(
    row: Row,
    number: int,
    analyte: Analyte,
    observation: Observation,
    identity: Identity,
    leads: bool,
    superseded: bool,
) -> Iterator[Note]:
    texts = row.parts.edition.texts
    if identity.note and row.outcomes.analyte is not None:
        yield Note("code_note", identity.note)
    if superseded:
        yield Note("computed_leads", "the value computed from the CSF and serum results of this panel leads")
    leader = row.leading[row.layout.statement[analyte.id]]
    repeat = row.outcomes.repeat[row.first + number]
    counted = not repeat and not row.outcomes.issue[row.first + number] and identity.issue is None
    if analyte.repeats == "tube" and not leads and counted and row.first <= leader != number + row.first:
        yield Note("other_tube_leads", "another tube of this panel leads; this count is shown as sent")
    if (
        analyte.molar_mass_assumed
        and (observation.unit or "").startswith(("u", "µ", "μ"))
        and "mol" in (observation.unit or "")
    ):
        yield Note("molar_mass_assumed", texts["molar_mass_assumed"])
    if not leads or superseded:
        return
    band = _band(row, analyte)
    if band:
        yield Note("reading", band.text)
    for value in analyte.values:
        if value.word == row.word(analyte.id) and value.note:
            yield Note("reading", value.note)
    for info in analyte.info:
        yield Note("orientation", info.text)
    yield from _site_notes(row, analyte)
    yield from _quality_notes(row, analyte.id)
    if analyte.id == "csf_opening_pressure" and row.word("position") == "unknown":
        yield Note("position_not_stated", texts["position_not_stated"])
    if row.censored(analyte.id) and row.flag(analyte.id) in ("H", "L"):
        bound = "at least" if row.flag(analyte.id) == "H" else "at most"
        yield Note("at_least", f"the exact value is not known ({bound} this flag)")


def _site_notes(row: Row, analyte: Analyte | Derived) -> Iterator[Note]:
    place = row.layout.quantity.get(analyte.id)
    if place is None or row.intervals[place] < 0:
        return
    interval, site = row.parts.intervals.rows[row.intervals[place]], row.word("site")
    if site == "unknown" and len(analyte.intervals):
        yield Note("site_not_stated", row.parts.edition.texts["site_not_stated"])
    if site in NONLUMBAR and interval.site_note:
        yield Note("site_not_lumbar", interval.site_note)


def _quality_notes(row: Row, name: str) -> Iterator[Note]:
    """Quality rules that hold and touch this value: why it is withheld, or only a lower bound."""
    for rule in row.suppressing(name):
        yield Note(rule.id, rule.text)
    for number in row.parts.remarks.get(name, ()):
        if row.quality[number] == TRUE:
            yield Note(row.parts.edition.quality[number].id, row.parts.edition.quality[number].text)


def _derived(row: Row) -> Iterator[Result]:
    edition = row.parts.edition
    for entry in edition.derived:
        if entry.kind != "derived":
            continue
        value = row.computed[row.layout.quantity[entry.id]]
        if value == value:
            yield _derived_result(row, entry, value)
        elif entry.report_if_missing and entry.id not in row.sent and any(name in row.sent for name in entry.inputs):
            yield _derived_result(row, entry, None)


def _derived_result(row: Row, entry: Derived, value: float | None) -> Result:
    flag = row.flag(entry.id) if value is not None else None
    analyte = row.parts.edition.analyte.get(entry.id)
    judged = value is not None
    return Result(
        analyte=entry.id,
        name=entry.name,
        loinc=analyte.loinc_beside(None, converted=True) if analyte else None,
        kind="quantity",
        reported=None,
        value=value,
        comparator=None,
        unit=entry.unit,
        derived=True,
        inputs=tuple(name for name in entry.inputs if row.exact(name) is not None) if judged else entry.inputs,
        flag=flag,
        critical=flag in ("LL", "HH"),
        not_judged=None if flag else row.not_judged(entry.id) if judged else _why_missing(row, entry),
        reference=_reference(row, _with_intervals(entry, analyte)) if judged else None,
        times_limit=_times_limit(row, entry.id) if judged else None,
        advisory=None,
        notes=tuple(_derived_notes(row, entry, analyte)) if judged else (),
        laboratory_flag=None,
        laboratory_range=None,
        organism=None,
        organism_class=None,
        decimals=entry.decimals,
        citations=entry.citations,
        status=entry.status,
    )


def _with_intervals(entry: Derived, analyte: Analyte | None) -> Analyte | Derived:
    return analyte if analyte is not None and analyte.intervals else entry


def _why_missing(row: Row, entry: Derived) -> str:
    censored = [name for name in entry.inputs if row.censored(name)]
    known = [name for name in entry.inputs if row.exact(name) is not None]
    return "comparator_undecided" if censored and len(censored) + len(known) == len(entry.inputs) else "pair_missing"


def _derived_notes(row: Row, entry: Derived, analyte: Analyte | None) -> Iterator[Note]:
    texts = row.parts.edition.texts
    yield from _site_notes(row, _with_intervals(entry, analyte))
    yield from _quality_notes(row, entry.id)
    if entry.id == "csf_leukocytes_corrected" and row.exact("blood_leukocytes") is None:
        yield Note("corrected_estimate", texts["corrected_estimate"])
