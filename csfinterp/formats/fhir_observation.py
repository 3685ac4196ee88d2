"""One FHIR Observation -> observations of the panel document: its own value and those of its components.

What is sent is carried, not judged: numbers keep their digits, texts stay texts, the core answers with issues.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from csfinterp.formats.fhir_body import Element, Resource, word
from csfinterp.formats.fhir_names import (
    ANALYTE,
    COMPONENT,
    CONTEXT,
    DETECTION,
    EXTENSION,
    FLAG_ORDER,
    INTERPRETATION,
    LOINC,
    OBSERVATION_STATUS,
    UCUM,
    WORD,
)
from csfinterp.formats.panel_fields import is_number_text
from csfinterp.formats.report_words import part, parts
from csfinterp.formats.strict_json import NumberText, Path

# What is inside an Observation itself, not a result of its own.
_ATTRIBUTES = ("organism", "organism_class")


@dataclass(frozen=True)
class Cell:
    """One observation of the panel document; `origin`: key of it -> where that stands in the body ("" is the whole)."""

    content: Element
    origin: Mapping[str, Path]


@dataclass(frozen=True)
class Taken:
    """What the panel says about the sample of an Observation: type of specimen (None: not stated), time of collection.

    `collected_at` is stated only for samples other than the panel's own.
    """

    specimen: str | None = None
    collected_at: str | None = None


@dataclass
class _Draft:
    path: Path
    content: Element = field(default_factory=dict)
    origin: dict[str, Path] = field(default_factory=dict)

    def put(self, key: str, value: object, *steps: str | int) -> None:
        if value is not None:
            self.content[key] = value
            self.origin[key] = (*self.path, *steps)


def cells_of(resource: Resource, taken: Taken) -> Iterator[Cell]:
    """The results in an Observation. One that only groups members or components is no result."""
    content = resource.content
    inner = [(number, one) for number, one in _components(content) if attribute_of(one) is None]
    groups = bool(inner or content.get("hasMember"))
    if value_name(content) or not groups:
        yield _cell(content, resource.path, content, taken)
    for number, component in inner:
        yield _cell(component, (*resource.path, "component", number), content, taken)


def _components(content: Element) -> list[tuple[int, Element]]:
    sent = content.get("component")
    listed = sent if isinstance(sent, list) else []
    return [(number, one) for number, one in enumerate(listed) if isinstance(one, dict)]


def _cell(content: Element, path: Path, outer: Element, taken: Taken) -> Cell:
    draft = _Draft(path, origin={"": path})
    draft.put("code", code_of(part(content, "code")), "code")
    _value(draft, content)
    if "unit" not in draft.content:  # of a text or of a value that is missing: FHIR itself has no place for it
        draft.put("unit", extension(content, "unit", "valueString"))
    draft.put("specimen", taken.specimen, "specimen")
    draft.put("collected_at", taken.collected_at)
    draft.put("method", words_of(outer.get("method")), "method")
    draft.put("status", OBSERVATION_STATUS.get(str(outer.get("status"))), "status")
    for key, name in (("analyzed_at", "valueDateTime"), ("tube", "valueInteger")):
        draft.put(key, extension(outer, key, name))
    for number, component in _components(content):
        if (attribute := attribute_of(component)) is not None:
            draft.put(attribute, _text_of(component)[0], "component", number)
    _laboratory(draft, content, outer)
    return Cell(draft.content, draft.origin)


def attribute_of(component: Element) -> str | None:
    """`organism` or `organism_class` if the component says that of the result; None: it is a result itself."""
    code = coded(part(component, "code"), COMPONENT)
    return code if code in _ATTRIBUTES else None


def code_of(concept: Mapping[str, object]) -> str | Element:
    """Our analyte id if there is one, else the LOINC coding wherever it stands, else the first coding, else the text.

    "" if nothing is coded or said; the schema of the panel document refuses what it cannot use.
    """
    if (ours := coded(concept, ANALYTE) or coded(concept, CONTEXT)) is not None:
        return ours
    codings = [dict(one) for one in parts(concept, "coding") if word(one, "code")]
    text = word(concept, "text")
    if not codings:
        return text or ""
    chosen = next((one for one in codings if one.get("system") == LOINC), codings[0])
    display = word(chosen, "display") or text
    named = {"system": word(chosen, "system"), "code": chosen["code"], "display": display}
    return {key: value for key, value in named.items() if value is not None}


def coded(concept: Mapping[str, object], system: str) -> str | None:
    """The code of a concept in one code system."""
    return next((word(one, "code") for one in parts(concept, "coding") if one.get("system") == system), None)


def words_of(concept: object) -> str | None:
    """A concept as text: our own word, else its text, else a display, else a code."""
    if not isinstance(concept, Mapping):
        return None
    codings = [dict(one) for one in parts(concept, "coding")]
    named = [word(one, key) for key in ("display", "code") for one in codings]
    found: list[str | None] = [coded(concept, WORD), word(concept, "text"), *named]
    return next(filter(None, found), None)


def extension(content: Element, key: str, value: str) -> object:
    """The value of one of our extensions, or None."""
    url = EXTENSION + key
    return next((one.get(value) for one in parts(content, "extension") if one.get("url") == url), None)


def value_name(content: Element) -> str | None:
    """Which value[x] is there."""
    return next((name for name in content if name.startswith("value")), None)


def _value(draft: _Draft, content: Element) -> None:
    name = value_name(content)
    if name == "valueQuantity":
        quantity = content[name]
        draft.put("value", quantity.get("value"), name, "value")
        draft.put("comparator", quantity.get("comparator"), name, "comparator")
        draft.put("unit", unit_of(quantity), name)
    elif name is not None:
        text, unit = _text_of(content)
        draft.put("value", text, name)
        draft.put("unit", unit, name)
        if name == "valueString" and text is not None and is_number_text(text):
            draft.put("value_type", "text", name)
    if draft.content.get("value") is None:
        _absent(draft, content, name)


def _absent(draft: _Draft, content: Element, name: str | None) -> None:
    detected = next((DETECTION[flag] for flag in _flags(content) if flag in DETECTION), None)
    reason = words_of(content.get("dataAbsentReason"))
    if reason is None and detected is not None:
        draft.put("value", detected, "interpretation")
        return
    unread = f"{name} is not read here" if name and name != "valueQuantity" else None
    waiting = "pending" if content.get("status") == "registered" else None
    draft.content["value"] = None
    draft.put("absent_reason", reason or unread or waiting)


def unit_of(quantity: Element) -> str | None:
    """The UCUM code; without one the printed unit."""
    ucum = word(quantity, "code") if quantity.get("system") == UCUM else None
    return ucum or word(quantity, "unit") or word(quantity, "code")


def _text_of(content: Element) -> tuple[str | None, str | None]:
    """A value that is no Quantity as text, and its unit. Numbers keep their digits, a boolean is the word sent."""
    name = value_name(content) or ""
    value = content.get(name)
    if name in ("valueString", "valueDateTime", "valueTime"):
        return word(content, name), None
    if name == "valueInteger" and isinstance(value, NumberText):
        return value, None
    if isinstance(value, bool):
        return ("true" if value else "false"), None
    if not isinstance(value, dict):
        return None, None
    if name == "valueCodeableConcept":
        return words_of(value), None
    if name == "valueRange":
        return _joined(value, "low", "high", "-")
    if name == "valueRatio":
        return _joined(value, "numerator", "denominator", ":")
    if name == "valuePeriod":
        return f"{value.get('start', '')}/{value.get('end', '')}", None
    return None, None


def _joined(value: Element, first: str, second: str, sign: str) -> tuple[str | None, str | None]:
    """`10-20` or `1:8`. An open end of a Range is not known in FHIR, so it is said and never read as a limit."""
    ends = [dict(part(value, name)) for name in (first, second)]
    shown = [f"{end.get('comparator', '')}{end['value']}" if "value" in end else "not stated" for end in ends]
    return sign.join(shown), next(filter(None, map(unit_of, ends)), None)


def _laboratory(draft: _Draft, content: Element, outer: Element) -> None:
    """The flag, the range and the remarks of the laboratory, as sent; of several flags the critical one leads."""
    flags = _flags(content)
    leading = next((flag for flag in FLAG_ORDER if flag in flags), flags[0] if flags else None)
    draft.put("laboratory_flag", leading, "interpretation")
    ranges = [_range(one) for one in parts(content, "referenceRange")]
    draft.put("laboratory_range", "; ".join(filter(None, ranges)) or None, "referenceRange")
    notes = [word(one, "text") for one in (*parts(content, "note"), *_outer_notes(content, outer))]
    further = [flag for flag in flags if flag != leading]
    said = [*filter(None, notes), *(f"Interpretation of the laboratory: {flag}" for flag in further)]
    draft.put("note", "\n".join(said) or None, "note")


def _outer_notes(content: Element, outer: Element) -> list[Mapping[str, object]]:
    return [] if content is outer else parts(outer, "note")


def _flags(content: Element) -> list[str]:
    found = []
    for concept in parts(content, "interpretation"):
        flag = coded(concept, INTERPRETATION) or words_of(concept)
        if flag is not None:
            found.append(flag)
    return list(dict.fromkeys(found))


def _range(sent: Mapping[str, object]) -> str:
    if (text := word(sent, "text")) is not None:
        return text
    low, high = (part(sent, name) for name in ("low", "high"))
    unit = unit_of(dict(low)) or unit_of(dict(high)) or ""
    if low and high:
        return f"{low.get('value', '')}-{high.get('value', '')} {unit}".strip()
    return f"{'>=' if low else '<='} {(low or high).get('value', '')} {unit}".strip()
