"""Panel documents as HL7 v2 messages, written by the tests and not by the software: what a sender would send."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from csfinterp.model import context as words

Document = dict[str, Any]


_MARKS = {mark: f"\\{letter}\\" for mark, letter in zip("\\|^~&", "EFSRT", strict=True)}
_MARKS["\n"] = "\\.br\\"
_STATUS = {"preliminary": "P", "final": "F", "corrected": "C", "cancelled": "X", "entered_in_error": "D"}
_SPM_TYPES = {"csf": "CSF", "serum": "SER", "plasma": "PLAS", "blood": "BLD"}
_CONDITIONS = {"hemolyzed": "HEM", "clotted": "CLOT", "frozen": "FROZ", "cooled": "COOL"}


def hl7(document: Mapping[str, Any]) -> bytes:
    """One ORU^R01 2.5.1: an order for the CSF, one for each further specimen and time; own ids where no field is."""
    source, patient, specimen = (document.get(name) or {} for name in ("source", "patient", "specimen"))
    head = ["MSH", "^~\\&", _escaped(source.get("system", "")), *[""] * 4, "", "ORU^R01^ORU_R01"]
    lines = ["|".join([*head, _escaped(source.get("message_id", "")), "P", "2.5.1", *[""] * 5, "UNICODE UTF-8"])]
    sex = {"female": "F", "male": "M", "other": "O", "unknown": "U"}.get(patient.get("sex", ""), "")
    born = _time(patient.get("birth_date"))
    lines.append(f"PID|1||{_escaped(patient.get('id', ''))}^^^^MR||||{born}|{sex}")
    groups: dict[tuple[str | None, str | None], list[Document]] = {(None, None): []}
    for observation in document["observations"]:
        own = observation.get("specimen")
        key = (own, observation.get("collected_at")) if own not in (None, specimen.get("type")) else (None, None)
        groups.setdefault(key, []).append(observation)
    panel_status = document.get("status") or "final"
    for number, ((own, collected), observations) in enumerate(groups.items(), 1):
        lines.append(f"OBR|{number}||ORDER-{number}|CSF^CSF panel^L")
        rows = [row for at, one in enumerate(observations, 1) for row in _result(one, at, panel_status)]
        rows += [] if own else list(_facts(document))
        lines += [f"OBX|{at}|{row}" if not row.startswith("NTE") else row for at, row in enumerate(rows, 1)]
        lines.append(
            _spm(number, {"id": f"BLOOD-{number}", "type": own, "collected_at": collected} if own else specimen)
        )
    return ("\r".join(lines) + "\r").encode()


def _result(observation: Mapping[str, Any], sub_id: int, panel_status: str) -> Iterator[str]:
    code = observation["code"]
    if isinstance(code, str):
        code = {"code": code, "system": "99CSFI"}
    system = {"http://loinc.org": "LN", None: "L"}.get(code.get("system"), code.get("system"))
    coded = f"{_escaped(code['code'])}^{_escaped(code.get('display', ''))}^{_escaped(system)}"
    kind, value = _value(observation)
    status = _STATUS[observation.get("status") or panel_status]
    if observation.get("value") is None and observation.get("absent_reason") == "pending":
        status = "I"
    time, method, analyzed = "", _escaped(observation.get("method") or ""), _time(observation.get("analyzed_at"))
    if observation.get("specimen") is None:
        time = _time(observation.get("collected_at"))
    fields = [
        kind, coded, str(sub_id), value, _escaped(observation.get("unit") or ""),
        _escaped(observation.get("laboratory_range") or ""), _escaped(observation.get("laboratory_flag") or ""), "", "",
        status, "", "", time, "", "", method, "", analyzed,
    ]  # fmt: skip
    yield "|".join(fields).rstrip("|")
    if observation.get("note"):
        yield f"NTE|1||{_escaped(observation['note'])}"
    for name in ("organism", "organism_class", "tube"):
        if observation.get(name) is not None:
            yield f"ST|{name}^^99CSFI|{sub_id}|{_escaped(str(observation[name]))}||||||F"
    for place, variant in enumerate(observation.get("variants") or (), 1):
        for name, text in variant.items():
            kind = "NM" if name == "vaf_pct" else "ST"
            yield f"{kind}|variant_{name}^^99CSFI|{sub_id}.{place}|{_escaped(str(text))}||||||F"


def _value(observation: Mapping[str, Any]) -> tuple[str, str]:
    value, comparator = observation.get("value"), observation.get("comparator")
    if value is None:
        return "ST", ""
    if comparator:
        return "SN", f"{_escaped(comparator)}^{_escaped(str(value))}"
    is_text = observation.get("value_type") == "text"
    if not isinstance(value, str) or (not is_text and re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", value)):
        return "NM", str(value)
    return ("CWE", f"{value}^^99CSFI") if re.fullmatch("[a-z_0-9]*[a-z]", value) else ("ST", _escaped(value))


def _facts(document: Mapping[str, Any]) -> Iterator[str]:
    """Context, age and what SPM has no field for, as OBX with our own ids."""
    context, specimen = dict(document.get("context") or {}), document["specimen"]
    age = (document.get("patient") or {}).get("age")
    if age:
        yield f"NM|age^^99CSFI||{age['value']}|{age['unit']}|||||F"
    tumor = context.pop("tumor", None)
    tumor = {"class": tumor} if isinstance(tumor, str) else tumor or {}
    for name, value in tumor.items():
        yield f"CWE|{'tumor' if name == 'class' else f'tumor_{name}'}^^99CSFI||{_escaped(value)}^^99CSFI||||||F"
    for name in ("position", "tube", "tube_count", "puncture_number"):
        if specimen.get(name) is not None:
            kind = "ST" if name == "position" else "NM"
            yield f"{kind}|{name}^^99CSFI||{specimen[name]}||||||F"
    for name, value in context.items():
        if name in words.YES_NO_CONTEXT:
            yield f"CWE|{name}^^99CSFI||{ {True: 'yes', False: 'no', None: 'unknown'}[value] }^^99CSFI||||||F"
        elif name in words.NUMBER_CONTEXT:
            yield f"NM|{name}^^99CSFI||{value}||||||F"
        elif name == "stated":
            yield f"CWE|stated^^99CSFI||{'~'.join(f'{word}^^99CSFI' for word in value)}||||||F"
        elif value is not None:
            yield f"ST|{name}^^99CSFI||{_escaped(str(value))}||||||F"


def _spm(number: int, specimen: Mapping[str, Any]) -> str:
    volume = specimen.get("volume")
    conditions = "~".join(f"{_CONDITIONS[word]}^^HL70493" for word in specimen.get("condition") or ())
    kind = _SPM_TYPES.get(specimen.get("type") or "")
    fields = {
        2: _escaped(specimen["id"]), 4: f"{kind}^^HL70487" if kind else "",
        8: f"{specimen['site']}^^L" if specimen.get("site") else "",
        12: f"{volume['value']}^{volume['unit']}" if volume else "",
        17: _time(specimen.get("collected_at")), 18: _time(specimen.get("received_at")), 24: conditions,
    }  # fmt: skip
    return "|".join(["SPM", str(number), *(fields.get(at, "") for at in range(2, 25))]).rstrip("|")


def _time(iso: str | None) -> str:
    """2026-03-01T09:20:00+01:00 as 20260301092000+0100."""
    if not iso:
        return ""
    moment, sign, zone = re.fullmatch(r"([^Z+]{10}[^Z+-]*)([Z+-]?)(.*)", iso).groups()
    digits = re.sub("[-:T]", "", moment)
    return digits + ("+0000" if sign == "Z" else sign + zone.replace(":", ""))


def _escaped(text: str | None) -> str:
    return "".join(_MARKS.get(character, character) for character in text or "")
