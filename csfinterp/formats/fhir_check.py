"""Is a resource structurally valid FHIR R4? fhir.resources (R4B models), and what those models let pass.

The models take any status, comparator or gender, a number sent as text, and do not check obs-3, obs-6, obs-7, qty-3
(clinical/codes.md section 9). No message repeats what was sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from csfinterp.errors import Fault
from csfinterp.formats.fhir_body import Element, Resource, word
from csfinterp.formats.fhir_names import (
    COMPARATORS,
    GENDERS,
    OBSERVATION_STATUS,
    REPORT_STATUS,
    SPECIMEN_STATUS,
)
from csfinterp.formats.report_words import part, parts
from csfinterp.formats.strict_json import NumberText, Path, pointer

CHECKED = ("Patient", "Specimen", "Observation", "DiagnosticReport", "MessageHeader")
_WORDS = {
    ("Observation", "status"): tuple(OBSERVATION_STATUS),
    ("DiagnosticReport", "status"): tuple(REPORT_STATUS),
    ("Specimen", "status"): SPECIMEN_STATUS,
    ("Patient", "gender"): GENDERS,
}
_REQUIRED = {"Observation": ("status", "code"), "DiagnosticReport": ("status", "code")}
_NUMBERS = ("valueInteger", "valueDecimal", "valuePositiveInt", "valueUnsignedInt")
_QUANTITIES = ("low", "high", "numerator", "denominator", "quantity", "origin")
_FORM = "This does not have the form that FHIR R4 gives to the element. See its definition."


def faults_of(resource: Resource) -> list[Fault]:
    """What is wrong with one resource, with pointers into the body. Types that are not read are not looked at."""
    found = list(_own(resource))
    if resource.owner is None and resource.type in CHECKED and not found:
        found = list(_modeled(resource))
    return found


def _modeled(resource: Resource) -> Iterator[Fault]:
    try:
        get_fhir_model_class(resource.type).model_validate(_plain(resource.content))
    except ValidationError as error:
        for slip in error.errors(include_url=False, include_input=False, include_context=False):
            path = _existing(resource.content, slip["loc"])
            yield Fault(pointer((*resource.path, *path)), _said(slip))
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
        yield Fault(pointer(resource.path), _FORM)


def _said(slip: Any) -> str:
    message = str(slip["msg"])
    if slip["type"] == "extra_forbidden":
        return "FHIR R4 has no such element here. Leave it out."
    if "required" in message.lower():
        return "FHIR R4 needs an element here that is missing. Send it."
    if "Any of one field value" in message:
        return "Only one of the forms of this element may be sent (one value[x], one effective[x]). Send one."
    return _FORM


def _existing(content: Any, location: tuple[int | str, ...]) -> Path:
    """The location as far as the document has it; the models add names of their own."""
    path: list[str | int] = []
    for step in location:
        inside = isinstance(content, dict) and step in content
        listed = isinstance(content, list) and isinstance(step, int) and step < len(content)
        if not (inside or listed):
            break
        content = content[step]
        path.append(step)
    return tuple(path)


def _plain(value: Any) -> Any:
    """Numbers as Decimal or int, so that a model sees numbers and loses no digit."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, NumberText):
        return int(value) if value.removeprefix("-").isdecimal() and len(value) < 20 else Decimal(value)
    return value


def _own(resource: Resource) -> Iterator[Fault]:
    content, kind = resource.content, resource.type
    for name in _REQUIRED.get(kind, ()):
        if content.get(name) in (None, "", {}):
            yield _fault(resource, (name,), "This element is required. Send it.")
    for (of, name), accepted in _WORDS.items():
        if of == kind and name in content and content[name] not in accepted:
            yield _fault(resource, (name,), f"Send one of these codes: {', '.join(accepted)}.")
    if kind == "Observation":
        yield from _observation(resource)
    if kind in CHECKED:
        yield from _numbers(resource)


def _observation(resource: Resource) -> Iterator[Fault]:
    own = _codes(resource.content)
    for path, content in _cells(resource.content):
        values = [name for name in content if name.startswith("value")]
        if values and content.get("dataAbsentReason") is not None:
            yield _fault(resource, (*path, "dataAbsentReason"), "A value and dataAbsentReason (obs-6): send one.")
        if path and own & _codes(content) and any(name.startswith("value") for name in resource.content):
            yield _fault(resource, path, "The component has the code of the Observation, which has a value (obs-7).")
        for number, limits in enumerate(parts(content, "referenceRange")):
            if not {"low", "high", "text"} & set(limits):
                yield _fault(resource, (*path, "referenceRange", number), "Send low, high or text (obs-3).")


def _cells(content: Element) -> Iterator[tuple[Path, Element]]:
    yield (), content
    for number, component in enumerate(parts(content, "component")):
        yield ("component", number), dict(component)


def _codes(content: Element) -> set[tuple[str | None, str]]:
    codings = parts(part(content, "code"), "coding")
    return {(word(one, "system"), code) for one in codings if (code := word(one, "code"))}


def _numbers(resource: Resource) -> Iterator[Fault]:
    waiting: list[tuple[Path, Any]] = [((), resource.content)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, list):
            waiting += [((*path, number), inner) for number, inner in enumerate(value)]
        if not isinstance(value, dict):
            continue
        for key, inner in value.items():
            if inner is None:
                yield _fault(resource, (*path, key), "FHIR has no null. Leave the element out.")
            if key in _NUMBERS and not isinstance(inner, NumberText):
                yield _fault(resource, (*path, key), "Send a JSON number without quotes.")
            if key == "valueBoolean" and not isinstance(inner, bool):
                yield _fault(resource, (*path, key), "Send true or false without quotes.")
            if isinstance(inner, dict) and (key.endswith("Quantity") or key in _QUANTITIES):
                yield from _quantity(resource, (*path, key), inner)
            if key != "contained":
                waiting.append(((*path, key), inner))


def _quantity(resource: Resource, path: Path, quantity: Element) -> Iterator[Fault]:
    if "value" in quantity and not isinstance(quantity["value"], NumberText):
        yield _fault(resource, (*path, "value"), "Send a JSON number without quotes.")
    if quantity.get("comparator") is not None and quantity["comparator"] not in COMPARATORS:
        yield _fault(resource, (*path, "comparator"), f"Send one of these signs: {', '.join(COMPARATORS)}.")
    if quantity.get("code") is not None and quantity.get("system") is None:
        yield _fault(resource, path, "A unit code needs its system (qty-3). Send system http://unitsofmeasure.org.")


def _fault(resource: Resource, path: Path, message: str) -> Fault:
    return Fault(pointer((*resource.path, *path)), message)
