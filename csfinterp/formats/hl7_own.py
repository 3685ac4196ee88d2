"""Our own ids as OBX codes (system 99CSFI): what the panel document knows and no HL7 field carries.

Clinical context, parts of the specimen, the age, and attributes of a result: organism, class, tube, variants. An
attribute belongs to the result of its order with the same OBX-4, without OBX-4 to the result before it.
"""

from __future__ import annotations

from typing import Any

from csfinterp.errors import Fault
from csfinterp.formats.hl7_segments import Segment
from csfinterp.formats.hl7_specimens import Remarks
from csfinterp.formats.hl7_values import OWN_SYSTEM, coded_word, number_or_text, unit_of, value_of
from csfinterp.model import context as words

TUMOR = {"tumor": "class", "tumor_primary": "primary", "tumor_diagnosis": "diagnosis"}
SPECIMEN_WORDS = ("site", "position")
SPECIMEN_NUMBERS = ("tube", "tube_count", "puncture_number")
ATTRIBUTES = ("organism", "organism_class", "tube")
_YES_NO: dict[str, bool | None] = {
    "yes": True, "y": True, "true": True, "no": False, "n": False, "false": False, "unknown": None,
}  # fmt: skip
NAMES = frozenset(
    (*TUMOR, *words.CODED_CONTEXT, *words.YES_NO_CONTEXT, *words.NUMBER_CONTEXT, *words.TEXT_CONTEXT, *SPECIMEN_WORDS,
     *SPECIMEN_NUMBERS, *ATTRIBUTES, "stated", "condition", "age")
)  # fmt: skip


def own_name(obx: Segment) -> str | None:
    """The id of context, specimen or attribute that this OBX carries; None for a result."""
    field = obx.first(3)
    for at in (1, 4):
        if field.words(at + 2).upper() == OWN_SYSTEM and field.words(at) in NAMES:
            return field.words(at)
    return None


def is_attribute(name: str, obx: Segment) -> bool:
    """True if it belongs to a result; the tube without OBX-4 is that of the specimen."""
    return name in ATTRIBUTES and (name != "tube" or bool(obx.words(4)))


def put(name: str, obx: Segment, document: dict[str, Any], places: dict[str, str], remarks: Remarks) -> None:
    """Writes one fact into the panel document; sent twice with two values it is a fault."""
    found: dict[str, Any] = {}
    pointer = _write(name, obx, found)
    if pointer is None:
        return
    places[pointer] = obx.pointer(5)
    if _clash(document, found):
        text = f"{name} was sent twice with different values. Send it once."
        remarks.faults.append(Fault(obx.pointer(5), text))


def _write(name: str, obx: Segment, found: dict[str, Any]) -> str | None:
    """The fact as a document of its own; its JSON pointer, None if no value was sent."""
    value = value_of(obx).get("value")
    if value is None:
        return None
    if name in SPECIMEN_WORDS or name in SPECIMEN_NUMBERS:
        found["specimen"] = {name: as_number(name, value)}
        return f"/specimen/{name}"
    if name == "age":
        found["patient"] = {"age": {"value": value, "unit": unit_of(obx)}}
        return "/patient/age"
    if name in ("stated", "condition"):
        listed = list(dict.fromkeys(coded_word(element) for element in obx.repetitions(5)))
        part = "specimen" if name == "condition" else "context"
        found[part] = {name: listed}
        return f"/{part}/{name}"
    if name in TUMOR:
        found["context"] = {"tumor": {TUMOR[name]: value}}
        return f"/context/tumor/{TUMOR[name]}"
    found["context"] = {name: _yes_no(value) if name in words.YES_NO_CONTEXT else as_number(name, value)}
    return f"/context/{name}"


def _yes_no(value: object) -> object:
    text = str(value).casefold()
    return _YES_NO.get(text, value)


def _clash(into: dict[str, Any], found: dict[str, Any]) -> bool:
    """Merges `found` into the document, lists as sets; True if a value that stands there differs."""
    clash = False
    for key, value in found.items():
        there = into.get(key)
        if isinstance(value, dict) and isinstance(there, dict) and key != "age":
            clash |= _clash(there, value)
        elif isinstance(value, list) and isinstance(there, list):
            into[key] = list(dict.fromkeys([*there, *value]))
        elif key in into and there != value:
            clash = True
        else:
            into[key] = value
    return clash


def attribute(name: str, obx: Segment) -> dict[str, Any]:
    """The attribute as a part of its observation."""
    value = value_of(obx).get("value")
    return {} if value is None else {name: as_number(name, value)}


def as_number(name: str, value: object) -> object:
    """A number sent as text (OBX-2 ST), where the id is that of a number."""
    wanted = name in SPECIMEN_NUMBERS or name in words.NUMBER_CONTEXT
    return number_or_text(str(value)) if wanted else value
