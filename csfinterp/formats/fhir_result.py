"""One result of the interpretation document -> a FHIR Observation (clinical/codes.md section 7).

No flag, no interpretation: why it was not judged stands in the note. A limit that is not inclusive is only text,
because low and high of a referenceRange are inclusive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from csfinterp.formats.fhir_links import Element, Links
from csfinterp.formats.fhir_names import (
    ANALYTE,
    CATEGORY,
    COMPARATORS,
    COMPONENT,
    DATA_ABSENT,
    FLAG_DISPLAY,
    INTERPRETATION,
    LOINC,
    UCUM,
    VARIANT,
    WORD,
)
from csfinterp.formats.report_layout import clean
from csfinterp.formats.report_words import NOT_JUDGED, part, parts, sent_text, text, texts, words
from csfinterp.formats.strict_json import NumberText

Part = Mapping[str, object]
_BLOOD = ("serum_", "plasma_", "blood_")
_COMPARATOR = {"≤": "<=", "≥": ">="}


def observation(document: Part, result: Part, keys: Mapping[str, list[str]], key: str, links: Links) -> Element:
    """`keys`: analyte -> names of its results in this answer; `key`: the name of this one."""
    own = text(result, "analyte").startswith(_BLOOD)
    specimen, patient = part(document, "specimen"), part(document, "patient")
    inputs = [one for name in texts(result, "inputs") for one in keys.get(name, ())]
    found: Element = {
        "resourceType": "Observation",
        "id": links.id(key),
        "meta": meta(document) if links.served else None,
        "status": status_of(document),
        "category": [{"coding": [{"system": CATEGORY, "code": "laboratory"}]}],
        "code": _code(result),
        "subject": links.reference("Patient") if text(patient, "id") else None,
        "effectiveDateTime": None if own else moment(specimen.get("collected_at")),
        **_value(result),
        "interpretation": _interpretation(result),
        "note": [{"text": line} for line in _notes(document, result)],
        "specimen": None if own else links.reference("Specimen"),
        "referenceRange": _range(document, result),
        "derivedFrom": [links.reference("Observation", one) for one in inputs],
        "component": _organism(result),
    }
    return filled(found)


def filled(element: Element) -> Element:
    """Without what is absent: FHIR has no null and no empty list."""
    return {key: value for key, value in element.items() if value not in (None, [], {}, "")}


def status_of(document: Part) -> str:
    """The panel's status as an Observation's or a report's: the words are the same in FHIR."""
    said = text(document, "status")
    return said if said in ("preliminary", "final", "corrected", "cancelled") else "unknown"


def meta(document: Part) -> Element:
    """Version and time of an answer that is stored."""
    return {"versionId": text(document, "version"), "lastUpdated": text(document, "generated_at")}


def moment(value: object) -> str | None:
    """A time as FHIR takes it: with seconds and offset, else its day."""
    said = str(value or "")
    day, _, time = said.partition("T")
    zoned = len(time) >= 9 and time[2] == time[5] == ":" and (time.endswith("Z") or time[-6] in "+-")
    return said if zoned and (time.endswith("Z") or time[-3] == ":") else day or None


def said(value: str) -> str:
    """Text of a sender or of ours as one printable line, as FHIR strings must be."""
    return clean(value).strip()


def number_text(value: float) -> NumberText:
    """The computed number as a JSON number of all its digits, without an exponent."""
    number = Decimal(repr(value))
    return NumberText(f"{number.quantize(Decimal(1)) if number == number.to_integral() else number:f}")


def quantity(digits: NumberText, unit: str, comparator: str = "") -> Element:
    sign = _COMPARATOR.get(comparator, comparator)
    coded = {"unit": unit, "system": UCUM, "code": unit} if unit else {}
    return {"value": digits, **({"comparator": sign} if sign in COMPARATORS else {}), **coded}


def _code(result: Part) -> Element:
    loinc, analyte = text(result, "loinc"), text(result, "analyte")
    # The code of a variant is for variants; their values have a list of their own.
    codings = [{"system": LOINC, "code": loinc}] if loinc and loinc != VARIANT else []
    ours = {"system": ANALYTE, "code": analyte, "display": text(result, "name")}
    return {"coding": [*codings, filled(dict(ours))], "text": said(text(result, "name") or words(analyte))}


def _value(result: Part) -> Element:
    """The value judged; the digits sent where they state it. A value that could not be read is shown as sent."""
    value, reported = result.get("value"), part(result, "reported")
    if isinstance(value, int | float) and not isinstance(value, bool):
        sent, unit = text(reported, "value"), text(result, "unit")
        same = text(reported, "unit") == unit and _is_number(sent) and float(sent) == value
        digits = NumberText(sent) if same else number_text(float(value))
        return {"valueQuantity": quantity(digits, unit, text(result, "comparator"))}
    if value is not None:
        word = text(result, "value")
        return {"valueCodeableConcept": {"coding": [{"system": WORD, "code": word}], "text": words(word)}}
    shown = said(f"{sent_text(reported)} {text(reported, 'unit')}") if text(reported, "value") else ""
    if shown:
        return {"valueString": shown}
    return {"dataAbsentReason": {"coding": [{"system": DATA_ABSENT, "code": "unknown"}], "text": _reason(result)}}


def _is_number(sent: str) -> bool:
    """True for what is a JSON number as it stands."""
    whole, _, rest = sent.removeprefix("-").partition(".")
    plain = sent.isascii() and whole.isdecimal() and (rest.isdecimal() or "." not in sent)
    return plain and (whole == "0" or not whole.startswith("0")) and len(sent) < 40


def _reason(result: Part) -> str:
    word = text(result, "not_judged")
    return NOT_JUDGED.get(word, words(word)) or "not stated"


def _interpretation(result: Part) -> list[Element]:
    flag = text(result, "flag")
    if flag not in FLAG_DISPLAY:
        return []
    return [{"coding": [{"system": INTERPRETATION, "code": flag, "display": FLAG_DISPLAY[flag]}]}]


def _notes(document: Part, result: Part) -> Iterator[str]:
    """Why it was not judged, what the rules remark, what the laboratory said; and the status of a weak source."""
    if text(result, "not_judged"):
        yield f"Not judged: {_reason(result)} ({text(result, 'not_judged')})."
    yield from (said(text(note, "text")) for note in parts(result, "notes") if said(text(note, "text")))
    reported = part(result, "reported")
    converted = text(reported, "unit") != text(result, "unit") and result.get("value") is not None
    if reported and converted and text(result, "kind") == "quantity":
        yield said(f"As sent: {sent_text(reported)} {text(reported, 'unit')}")
    for name, label in (("laboratory_flag", "Flag"), ("laboratory_range", "Range")):
        if said(text(result, name)):
            yield f"{label} of the laboratory: {said(text(result, name))}"
    if text(result, "advisory"):
        yield said(text(result, "advisory"))
    if result.get("derived"):
        yield f"Calculated by csfinterp, edition {text(part(document, 'edition'), 'id')}."


def _range(document: Part, result: Part) -> list[Element]:
    reference = part(result, "reference")
    if not text(reference, "text"):
        return []
    unit, edition = text(reference, "unit"), text(part(document, "edition"), "id")
    weak = f", {text(reference, 'status')}" if text(reference, "status") not in ("", "primary") else ""
    about = f"{text(reference, 'partition')}; row {text(reference, 'rule')}, edition {edition}{weak}"
    found: Element = {}
    for name in ("low", "high"):
        limit = reference.get(name)
        if isinstance(limit, int | float) and reference.get(f"{name}_inclusive") is True:
            found[name] = quantity(number_text(float(limit)), unit)
    shown = f"{text(reference, 'text')} {'' if unit == '1' else unit}".strip()
    return [{**found, "text": said(f"{shown} ({about})")}]


def _organism(result: Part) -> list[Element]:
    return [
        {"code": {"coding": [{"system": COMPONENT, "code": name}]}, "valueString": said(text(result, name))}
        for name in ("organism", "organism_class")
        if said(text(result, name))
    ]
