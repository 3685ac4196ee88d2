"""Issues of one panel: what could not be read or judged, why, and what to send instead."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, isnan, nextafter

from csfinterp.model.context import ISSUE_CODES
from csfinterp.model.edition import Analyte
from csfinterp.model.interpretation import Issue
from csfinterp.model.panel import Observation
from csfinterp.steps.explain.results import WITHDRAWN, identity_of, is_superseded, word_flag
from csfinterp.steps.explain.row import Row
from csfinterp.steps.layout import span
from csfinterp.steps.numbers import read_number

SEVERITY = {"info_only": "info"}
_NUMBER_AS_TEXT = (
    "{name}: this number was sent as text; it is read as a number and kept as sent. Send it in a field for numbers"
    " (HL7 v2: NM, or SN with < or >; FHIR: valueQuantity)."
)


def issues(row: Row) -> tuple[Issue, ...]:
    """What could not be read or judged, per observation, then for the whole panel."""
    found: list[Issue] = []
    for number, observation in enumerate(row.panel.observations):
        found += _observation_issues(row, number, observation)
    if row.parts.edition.texts and _assumed(row):
        found.append(Issue("pairing_assumed", "info", None, row.parts.edition.texts["pairing_assumed"] + "."))
    found += _age_issues(row)
    return tuple(found)


def _observation_issues(row: Row, number: int, observation: Observation) -> Iterator[Issue]:
    if observation.status in WITHDRAWN:
        yield Issue("info_only", "info", number, f"Withdrawn by the sender ({observation.status}): not interpreted.")
        return
    identity = identity_of(row, number)
    statement = int(row.outcomes.analyte[row.first + number])
    if statement < 0:
        word = identity.issue or "code_unknown"
        yield Issue(word, SEVERITY.get(word, "error"), number, identity.text)
        return
    name = row.layout.statements[statement]
    code = int(row.outcomes.issue[row.first + number])
    if code:
        issue = ISSUE_CODES[code - 1]
        message = _message(row, name, issue)
        if issue == "quotient_scale_unknown":
            message += _scale_of(row, number, name)
        yield Issue(issue, _severity(row, name, issue), number, message)
        if row.outcomes.repeat[row.first + number] and issue != "duplicate_result":
            yield Issue("duplicate_result", "error", number, _message(row, name, "duplicate_result"))
        yield from _organism_missing(row, number, name, observation)
    elif observation.value is None and not observation.absent_reason:
        yield Issue("value_unreadable", "error", number, f"{name}: no value was sent. Send a value, or absent_reason.")
    elif not row.has_result(observation):
        why = f" ({observation.absent_reason})" if observation.absent_reason else ""
        yield Issue("info_only", "info", number, f"{name}: no result{why}, treated as not sent.")
    else:
        yield from _value_issues(row, number, name, observation)


def _value_issues(row: Row, number: int, name: str, observation: Observation) -> Iterator[Issue]:
    analyte = row.parts.edition.analyte[name]
    yield from _organism_missing(row, number, name, observation)
    if analyte.kind == "quantity" and observation.value_type == "text":
        yield Issue("number_sent_as_text", "info", number, _NUMBER_AS_TEXT.format(name=name))
    if analyte.kind != "quantity" or row.leading[row.layout.statement[name]] != row.first + number:
        return
    if is_superseded(row, name):
        yield from _disagreement(row, number, name)
    elif _beyond_soft(row, analyte):
        yield Issue(
            "soft_bound",
            "warning",
            number,
            f"{name} lies outside the range seen in published series. It is judged; check the value and its unit.",
        )


def _organism_missing(row: Row, number: int, name: str, observation: Observation) -> Iterator[Issue]:
    analyte = row.parts.edition.analyte[name]
    positive = analyte.needs_organism and word_flag(row, analyte, number) == "AA"
    if positive and not (observation.organism or "").strip():
        text = f"{name} is positive without an organism. Send observation.organism."
        yield Issue("organism_missing", "warning", number, text)


def _disagreement(row: Row, number: int, name: str) -> Iterator[Issue]:
    """A ready-made quotient against the computed one: what lies further apart than the edition allows is said."""
    sent, comparator = row.parts.read_value(row.outcomes.observations, row.first + number, row.layout.quantity[name])
    computed = row.computed[row.layout.quantity[name]]
    allowed = row.parts.edition.tolerances.get("derived_disagrees")
    if sent is not None and allowed is not None and _apart(row, name, sent, comparator, computed, allowed.share):
        yield Issue(
            "derived_disagrees",
            "warning",
            number,
            f"{name} as sent and as computed from the pair of this panel differ by more than {allowed.text}; the "
            f"computed value is used.{_scale_hint(row, sent, computed)} "
            "Check the unit of the quotient and of both sides.",
        )


def _apart(row: Row, name: str, sent: float, comparator: str | None, computed: float, share: float) -> bool:
    """More than `share` apart, whatever value inside the bounds and within "<" or ">" is the true one."""
    margin = share * abs(computed)
    low, high = span(sent, comparator)
    bound = row.parts.edition.analyte[name].bounds.hard_low
    if bound is not None and comparator in ("<", "<="):
        low = bound.value if bound.inclusive else nextafter(bound.value, inf)
    return low > computed + margin or high < computed - margin


def _scale_of(row: Row, number: int, name: str) -> str:
    """The hint for a quotient that came without a usable unit: its bare number against the computed one."""
    sent = read_number(row.outcomes.observations.value.at(row.first + number), row.layout.not_sent)
    plain = is_superseded(row, name) and not sent.comparator and not sent.code
    return _scale_hint(row, sent.value, row.computed[row.layout.quantity[name]]) if plain else ""


def _scale_hint(row: Row, sent: float, computed: float) -> str:
    """Says which power of ten would explain the difference (QAlb scale ruling 4)."""
    near = row.parts.edition.tolerances.get("scale_recognized")
    for power in (1e-3, 1e-2, 1e-1, 1e1, 1e2, 1e3):
        if near is not None and abs(sent * power - computed) <= near.share * abs(computed):
            return f" Times {power:g} the value sent equals the computed one: its scale is probably another."
    return ""


def _beyond_soft(row: Row, analyte: Analyte) -> bool:
    value, bounds = row.exact(analyte.id), analyte.bounds
    if value is None:
        return False
    low, high = bounds.soft_low, bounds.soft_high
    under = low is not None and (value < low.value or (value == low.value and not low.inclusive))
    over = high is not None and (value > high.value or (value == high.value and not high.inclusive))
    return under or over


def _severity(row: Row, name: str, word: str) -> str:
    if word == "quotient_scale_unknown" and is_superseded(row, name):
        return "warning"
    return SEVERITY.get(word, "error")


def _message(row: Row, name: str, word: str) -> str:
    """What is wrong with the value of this observation, and what to send instead."""
    analyte = row.parts.edition.analyte[name]
    units = ", ".join(analyte.units)
    match word:
        case "unit_missing":
            return f"{name}: no unit was sent, so the value is not judged. Send one of: {units}."
        case "unit_unknown":
            return f"{name}: this unit does not convert to {analyte.unit}; not judged. Send one of: {units}."
        case "value_unreadable" if analyte.kind == "coded":
            words = ", ".join(value.word for value in analyte.values)
            named = " An organism that was found is sent as value positive with its name in organism."
            return f"{name}: this value is not one of the words {words}. Send one of them." + (
                named if analyte.needs_organism else ""
            )
        case "value_unreadable":
            return f"{name}: this text is not a number. Send ASCII digits with a decimal point, for example 12.5 or <5."
        case "implausible":
            return f"{name}: this value cannot be true (outside its physical bounds); not judged. Check value and unit."
        case "quotient_scale_unknown":
            used = "the value computed from the pair is used" if is_superseded(row, name) else "so it is not judged"
            return f"{name}: the scale of the quotient is not stated; {used}. Send the unit, one of: {units}."
        case "duplicate_result":
            return (
                f"{name} was sent more than once; both are kept and none is judged, "
                "but a critical one is still called. Send one, or the tube of each."
            )
    raise ValueError(f"no message for {word}")


def _assumed(row: Row) -> bool:
    """A pair was computed whose serum has no time of its own."""
    pairs = {"protein": row.word("pair_same_day"), "glucose": row.word("serum_glucose_same_day")}
    return any(
        entry.pair is not None and pairs[entry.pair] == "assumed" and is_superseded(row, entry.id)
        for entry in row.parts.edition.derived
        if entry.function == "pair_quotient"
    )


def _age_issues(row: Row) -> Iterator[Issue]:
    """Why an age-dependent limit may be missing although a birth date was sent."""
    patient, specimen = row.panel.patient, row.panel.specimen
    unknown = "age_days" in row.layout.quantity and isnan(row.low[row.layout.quantity["age_days"]])
    if patient.birth_date is None:
        if patient.age is not None and unknown:
            yield Issue("implausible", "error", None, "This age cannot be true; no age is used. Check value and unit.")
        return
    undated = specimen.collected_at is None and specimen.received_at is None
    if undated and patient.age is None:
        text = "No time of collection: the age at collection is not known. Send specimen.collected_at."
        yield Issue("age_missing", "warning", None, text)
    elif specimen.collected_at is None and not undated:
        yield Issue("age_missing", "info", None, row.parts.edition.texts["age_from_received_time"] + ".")
    if unknown and not undated:
        text = "Birth date and time of collection contradict each other; no age is used. Check both dates."
        yield Issue("implausible", "error", None, text)
