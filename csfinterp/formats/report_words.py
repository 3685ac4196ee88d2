"""How the text report reads an interpretation document, and the plain words for the contract's ids.

Every reader here takes null, a missing key or a wrong type for "not stated": a stored document is always printed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

Part = Mapping[str, object]
_KINDS = (dict, Mapping)  # dict first: it is what there is, and asking an abstract class is slow

NOT_JUDGED = {
    "unit_missing": "no unit was sent, and none is guessed",
    "unit_unknown": "the unit is not known for this test",
    "value_unreadable": "the value cannot be read",
    "implausible": "the value cannot be true",
    "wrong_specimen_code": "the code belongs to another specimen",
    "specimen_ambiguous": "the specimen of the result is ambiguous",
    "specimen_not_stated": "the specimen of the result is not stated",
    "code_invalid": "the code is not valid",
    "age_missing": "the age at collection is not known",
    "age_too_coarse": "the age is not stated exactly enough",
    "no_interval": "there is no reference interval",
    "no_interval_for_age": "there is no reference interval for this age",
    "no_interval_for_site": "there is no reference interval for this puncture site",
    "info_only": "shown for information, not judged",
    "comparator_undecided": "the stated range lies on both sides of the limit",
    "pair_missing": "the other value of the CSF/serum pair is missing",
    "pair_not_matched": "CSF and serum are not validated as one pair",
    "quotient_scale_unknown": "the scale of the quotient is not stated",
    "blood_contamination": "blood in the sample",
    "blood_trace": "blood present in traces",
    "sample_too_old": "the sample was too old",
    "position_not_lateral": "not measured in lateral position, or position not stated",
    "nondiagnostic": "the sample was not diagnostic: nothing was examined",
    "indeterminate": "the result is indeterminate",
    "failed": "the test failed",
    "duplicate_result": "several results for one test, none of them leading",
    "suppressed": "withheld by a quality rule, see Quality",
}
CERTAINTY = {
    "lack_of_evidence": "lack of evidence (not an exclusion)",
    "not_classifiable": "not classifiable (too little is known)",
    "not_applicable": "not applicable",
}
LM_REASON = {
    "hematologic": "hematologic disease: the guideline's grid does not apply, see the hematologic path",
    "primary_cns": "primary CNS tumor: the guideline's grid does not apply",
    "no_known_cancer": "no known cancer: the guideline's grid does not apply",
}
LEUKEMIA_REASON = {
    "diagnosis_not_stated": "acute lymphoblastic leukemia is not stated",
}
# A pattern compares values: the grade is never a probability, and "does not fit" is never an exclusion.
GRADES = {
    "established": "established by a decisive result",
    "fits": "fits",
    "partly_fits": "partly fits",
    "does_not_fit": "the values do not show it",
    "not_evaluable": "cannot be judged",
}
NOT_SHOWN = "The values do not show this pattern."
SCORE_STATUS = {"computed": "computed", "not_computable": "not computable", "refused": "refused"}
PRIORITIES = {"1": "critical", "2": "urgent", "3": "high", "4": "routine", "5": "context"}
# recommendations.md: the block is headed with exactly these words.
CONTEXT_ONLY = "for the treating team, context only"
CAUSES = {
    "granulomatous_inflammatory": "Granulomatous or inflammatory",
    "ms_retrovirus": "Multiple sclerosis, retrovirus",
    "drug": "Drugs",
    "vascular_other": "Vascular and other",
}
APPLIES = {
    "applies": "applies to this patient",
    "does_not_apply": "does not apply to this patient",
    "unknown": "not known whether it applies: the tumor is not stated",
}
QUESTIONS = {"lm": "leptomeningeal metastasis", "gbs": "Guillain-Barre syndrome", "sah": "subarachnoid hemorrhage"}
AGE_UNITS = {"a": "years", "mo": "months", "wk": "weeks", "d": "days"}
STATUS = {
    "primary": "read in the primary source",
    "secondary": "read in a secondary text that cites the primary source",
    "recalled": "general knowledge, source not read",
    "derived": "own arithmetic or measurement",
    "ours": "a choice of this service",
}
_SENT_NUMBER = re.compile(r"[<>=≤≥\s]*([+-]?[0-9]*\.?[0-9]+)\s*", re.ASCII)


def part(of: object, key: str) -> Part:
    """The object under `key`, or an empty one."""
    value = of.get(key) if isinstance(of, _KINDS) else None
    return value if isinstance(value, _KINDS) else {}


def parts(of: object, key: str) -> list[Part]:
    """The objects of the list under `key`."""
    return [item for item in _items(of, key) if isinstance(item, _KINDS)]


def texts(of: object, key: str) -> list[str]:
    """The texts of the list under `key`."""
    return list(filter(None, map(plain, _items(of, key))))


def _items(of: object, key: str) -> list[object]:
    value = of.get(key) if isinstance(of, _KINDS) else None
    return list(value) if isinstance(value, list | tuple) else []


def text(of: object, key: str) -> str:
    """The text or number under `key`; "" if it is not stated."""
    return plain(of.get(key)) if isinstance(of, _KINDS) else ""


def plain(value: object) -> str:
    """Any JSON value as words: objects as `key value` pairs, lists by commas, null as ""."""
    if type(value) is str:  # by far the most; the checks below are slow
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, Mapping) and set(value) == {"value", "unit"}:
        return f"{plain(value['value'])} {plain(value['unit'])}".strip()
    if isinstance(value, Mapping):
        return ", ".join(f"{words(str(key))} {plain(inner)}" for key, inner in value.items() if plain(inner))
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(plain, value)))
    return str(value)


def words(identifier: str) -> str:
    """An id as words."""
    return identifier.replace("_", " ")


def number(value: float, *limits: object) -> str:
    """A computed number, short: four digits, more if fewer would move it across or onto one of `limits`."""
    if isinstance(value, int) or (abs(value) < 1e15 and value == int(value)):
        return str(int(value))
    known = [limit for limit in limits if isinstance(limit, int | float) and not isinstance(limit, bool)]
    least = max(4, len(str(int(abs(value)))) if abs(value) < 1e15 else 4)
    for digits in range(least, 18):
        short = f"{value:.{digits}g}"
        if all(_side(float(short), limit) == _side(value, limit) for limit in known):
            break
    return f"{Decimal(short):f}" if abs(value) < 1e15 else short


def _side(value: float, limit: float) -> int:
    return (value > limit) - (value < limit)


def value_text(result: Part) -> str:
    """The value with its comparator: as sent where the number sent is the number judged, else the converted one."""
    value, reported = result.get("value"), part(result, "reported")
    if value is None:
        return sent_text(reported)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return words(plain(value))
    reference, decimals = part(result, "reference"), result.get("decimals")
    limits = (reference.get("low"), reference.get("high"))
    digits = _same_number(text(reported, "value"), value)
    if not digits and isinstance(decimals, int) and 0 <= decimals < 10 and abs(value) < 1e12:
        digits = fixed(value, decimals, *limits)
    return text(result, "comparator") + (digits or number(value, *limits))


def fixed(value: float, decimals: int, *limits: object) -> str:
    """A number with the analyte's decimals, more if fewer would move it across or onto one of `limits`."""
    known = [limit for limit in limits if isinstance(limit, int | float) and not isinstance(limit, bool)]
    for places in range(decimals, 10):
        short = f"{value:.{places}f}"
        if all(_side(float(short), limit) == _side(value, limit) for limit in known):
            break
    return short


def sent_text(reported: Part) -> str:
    """The value as sent, with a comparator that was sent beside it."""
    mark, sent = text(reported, "comparator"), text(reported, "value")
    return sent if sent.lstrip().startswith(mark) else mark + sent


def unit_text(result: Part) -> str:
    unit = text(result, "unit") if result.get("value") is not None else text(part(result, "reported"), "unit")
    return "" if unit == "1" else unit


def as_sent(result: Part) -> str:
    """What was sent, where the table shows something else: another unit, or another word."""
    value, reported = result.get("value"), part(result, "reported")
    sent, unit = text(reported, "value"), text(reported, "unit")
    same = sent == value
    if isinstance(value, int | float) and not isinstance(value, bool):
        same = bool(_same_number(sent, value)) and unit == text(result, "unit")
    return "" if value is None or not sent or same else f"as sent: {sent_text(reported)} {unit}".rstrip()


def _same_number(sent: str, value: float) -> str:
    """The digits as sent ("1.0" stays "1.0") if they state exactly this number."""
    found = _SENT_NUMBER.fullmatch(sent)
    return found.group(1) if found and float(found.group(1)) == value else ""


def title(of: Part) -> str:
    """The name of a finding, rule or profile, else its id as words."""
    return text(of, "name") or words(text(of, "id")) or "unnamed"
