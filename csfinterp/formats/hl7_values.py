"""One OBX as an observation of the panel document: code, value by OBX-2, unit, status by OBX-11, the laboratory's own.

Only the form is read: what a value means is judged by the core.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from csfinterp.formats.hl7_segments import Element, Segment
from csfinterp.formats.panel_fields import MAX_TEXT, is_number_text
from csfinterp.formats.panel_schema import MAX_NOTE
from csfinterp.formats.strict_json import NumberText

LOINC = "http://loinc.org"
LOINC_NAMES = ("LN", "LOINC", "HTTP://LOINC.ORG", "2.16.840.1.113883.6.1")
OWN_SYSTEM = "99CSFI"
# Systems without a name of their own: the code is an analyte id or a local code of the site's code map.
UNNAMED = ("", "L", OWN_SYSTEM)
CODED = ("CE", "CWE", "CNE", "CF", "IS", "ID", "CD")
ATTACHED = ("ED", "RP", "NA", "MA")
LONG_TEXT = ("TX", "FT")
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_TEN = re.compile(r"[xX*]?10")
# OBX-8 stands for the value where OBX-5 is empty (codes.md section 4).
DETECTION = {"POS": "positive", "DET": "detected", "NEG": "negative", "ND": "not_detected"}


@dataclass(frozen=True)
class State:
    """What OBX-11 says: `panel` status it speaks for (None: none), `own` status of the observation, why no value."""

    panel: str | None
    own: str | None = None
    absent: str | None = None
    withdrawn: bool = False


NO_VALUE = "no value sent"
FINAL, PRELIMINARY, CORRECTED = (State(status, absent=NO_VALUE) for status in ("final", "preliminary", "corrected"))
# Table 0085, codes.md section 3. O is ignored; a blank one is settled by OBR-25. U alone gives no reason for a missing
# value: the one sent before is now final.
STATES = {
    "F": FINAL, "B": FINAL, "V": FINAL, "P": PRELIMINARY, "R": PRELIMINARY, "S": PRELIMINARY, "C": CORRECTED,
    "A": CORRECTED,
    "U": State("final"),
    "I": State("preliminary", absent="pending"),
    "N": State(None, "cancelled", "not asked", withdrawn=True),
    "X": State(None, "cancelled", "cannot be obtained", withdrawn=True),
    "D": State(None, "entered_in_error", withdrawn=True),
    "W": State(None, "entered_in_error", "reported as wrong", withdrawn=True),
}  # fmt: skip
ORDER_DETAIL = "O"


def state_of(obx: Segment, order_status: str) -> tuple[State | None, str | None]:
    """What the result's status says, and a remark if it had to be taken from elsewhere; None: not a result (O)."""
    status = obx.words(11).upper()
    if status == ORDER_DETAIL:
        return None, None
    if status in STATES:
        return STATES[status], None
    if not status and order_status in ("C", "F", "X"):
        return STATES[order_status], None
    remark = "OBX-11 is empty" if not status else "OBX-11 is not of table 0085"
    return PRELIMINARY, f"{remark}: read as preliminary. Send F, P, C or another code of the table."


def code_of(obx: Segment, number: int = 3) -> str | dict[str, str]:
    """The code of OBX-3: LOINC wherever it stands, else the first triplet with its system.

    A system without a name (empty, L, 99CSFI) is left out: an analyte id or a local code.
    """
    field = obx.first(number)
    triplets = [(field.words(at), field.words(at + 1), field.words(at + 2)) for at in (1, 4)]
    filled = [triplet for triplet in triplets if triplet[0]]
    code, name, system = next(
        (triplet for triplet in filled if is_loinc(triplet[2])),
        filled[0] if filled else ("", triplets[0][1], ""),
    )
    found = {"code": code}
    if is_loinc(system):
        found["system"] = LOINC
    elif system.upper() not in UNNAMED:
        found["system"] = system
    if name:
        found["display"] = cut(name)
    return found if len(found) > 1 else code


def is_loinc(system: str) -> bool:
    return system.upper().removeprefix("URN:OID:") in LOINC_NAMES


def value_of(obx: Segment, *further: Segment) -> dict[str, Any]:
    """`value` and `comparator`, or nothing if OBX-5 is empty; a text too long for a value is cut and kept in `note`.

    `further`: the OBX with the next lines of a report text.
    """
    kind = obx.words(2).upper()
    elements = [element for segment in (obx, *further) for element in segment.repetitions(5)]
    if not elements:
        word = next((DETECTION[flag] for flag in flags_of(obx) if flag in DETECTION), None)
        return {"value": word} if word else {}
    if len(elements) == 1 and kind == "SN":
        return structured_number(elements[0])
    texts = [
        coded_word(element) if kind in CODED or (not kind and element.size > 1) else element.whole().strip()
        for element in elements
    ]
    text = "\n".join(texts).strip()
    if not text:
        return {}
    if kind == "NM" and len(text) <= MAX_TEXT:
        return {"value": number_or_text(text)}
    return {"value": text} if len(text) <= MAX_TEXT else {"value": cut(text), "note": text}


def is_number_as_text(obx: Segment) -> bool:
    """True for a number in a text field: it is read as a number, and the sender is told (codes.md section 2)."""
    return obx.words(2).upper() in ("ST", *LONG_TEXT) and is_number_text(obx.raw(5))


def structured_number(element: Element) -> dict[str, Any]:
    """SN: comparator ^ number ^ separator or suffix ^ number. A ratio, a range or "1+" stays one text."""
    comparator, first, separator, second = (element.words(at) for at in (1, 2, 3, 4))
    if separator or second or comparator not in ("", "=", "<", ">", "<=", ">="):
        return {"value": comparator.replace("=", "") + first + separator + second}
    found: dict[str, Any] = {"value": number_or_text(first)} if first else {}
    return found | ({"comparator": comparator} if comparator not in ("", "=") else {})


def number_or_text(text: str) -> str:
    """The text as a JSON number where it is written like one; `+5`, `.5` and the rest stay text for the core."""
    return NumberText(text) if len(text) <= MAX_TEXT and _JSON_NUMBER.fullmatch(text) else text


def coded_word(element: Element) -> str:
    """The word of a coded value: our own code, else its text, else its code, else the original text (component 9)."""
    for at in (1, 4):
        if element.words(at + 2).upper() == OWN_SYSTEM and element.words(at):
            return element.words(at)
    if element.size == 1:
        return element.whole().strip()
    return next(filter(None, (element.words(at) for at in (2, 1, 5, 4, 9))), "")


def unit_of(obx: Segment) -> str | None:
    """The unit of OBX-6: UCUM wherever it stands, else its code, else its text; None without one."""
    field = obx.first(6)
    first, second = field.words(1), field.words(2)
    if _TEN.fullmatch(first) and second[:1].isdigit():  # 10^3/uL, sent without escaping the power
        return f"{first}^{second}"
    if field.words(6).upper() == "UCUM" and field.words(4) and field.words(3).upper() != "UCUM":
        return field.words(4)
    return first or second or None


def flags_of(obx: Segment) -> list[str]:
    """The laboratory's flags, as sent."""
    return [text for text in (element.words(1) or element.words(2) for element in obx.repetitions(8)) if text]


def laboratory_flag(obx: Segment) -> str | None:
    """One text of the laboratory's flags; several only where none of them is a critical one, which must be seen."""
    flags = flags_of(obx)
    critical = [flag for flag in flags if flag.upper() in ("LL", "HH", "AA")]
    return cut(", ".join(critical[:1] or flags)) or None


def cut(text: str, longest: int = MAX_TEXT) -> str:
    """A text of the laboratory that is only shown, no longer than the panel document takes."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def note_of(texts: list[str]) -> str | None:
    """Comments as one text, line by line."""
    return cut("\n".join(texts).strip(), MAX_NOTE) or None
