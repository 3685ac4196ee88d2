"""The interpretation as ORU^R01 2.5.1 in UTF-8, for the laboratory system to file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from textwrap import wrap

from csfinterp.formats.hl7_rows import LONGEST_STRING, Row, rows
from csfinterp.formats.hl7_text import USUAL
from csfinterp.formats.hl7_values import OWN_SYSTEM
from csfinterp.formats.report_document import Report
from csfinterp.formats.report_words import Part, part, text, texts

SENDER = "CSFINTERP"
VERSION = "2.5.1"
# Table 0123 and 0085 of the panel's status.
REPORT_STATUS = {"preliminary": "P", "final": "F", "corrected": "C", "cancelled": "X"}
SEXES = {"female": "F", "male": "M", "other": "O", "unknown": "U"}
SPECIMENS = {
    "csf": ("CSF", "Cerebral spinal fluid"),
    "serum": ("SER", "Serum"),
    "plasma": ("PLAS", "Plasma"),
    "blood": ("BLD", "Whole blood"),
}
CONDITIONS = {"hemolyzed": "HEM", "clotted": "CLOT", "frozen": "FROZ", "cooled": "COOL"}
_NO_NAME = "^^^^^^U"  # PID-5 is required; the service is never told a name (U: unspecified)
_LONGEST_ID = 20


def write(
    document: Mapping[str, object],
    *,
    receiving_application: str = "",
    receiving_facility: str = "",
    control_id: str | None = None,
) -> str:
    """One message, segments ended by CR. `document`: an interpretation document (interfaces.md section 2).

    `control_id` None: a digest of panel, version and content, the same for the same document. MSH-7 is the document's
    `generated_at`.
    """
    report = Report(document)
    now = _time(text(document, "generated_at"))
    control = control_id or _control_id(document)
    sides = [SENDER, "", _escaped(receiving_application), _escaped(receiving_facility)]
    head = ["MSH", USUAL.encoding_characters, *sides, now, "", "ORU^R01^ORU_R01", _escaped(control), "P", VERSION]
    found = ["|".join([*head, *[""] * 5, "UNICODE UTF-8"])]
    found += [*_patient(part(document, "patient")), *_order(report, now)]
    status = REPORT_STATUS.get(text(document, "status"), "F")
    for place, row in enumerate(rows(report), 1):
        found += _obx(row, place, status)
    found += _specimen(part(document, "specimen"))
    return "".join(line.rstrip("|") + "\r" for line in found)


def _control_id(document: Mapping[str, object]) -> str:
    named = (text(document, "panel_id"), text(document, "version"), text(document, "generated_at"))
    known = "/".join(named) if named[0] else repr([document.get(name) for name in ("specimen", "results", "edition")])
    return "CSFI" + hashlib.sha256(known.encode()).hexdigest()[: _LONGEST_ID - 4].upper()


def _patient(patient: Part) -> Iterator[str]:
    """PID only if the panel names the patient: PID-3 is required."""
    if text(patient, "id"):
        sex = SEXES.get(text(patient, "sex"), "")
        yield f"PID|1||{_escaped(text(patient, 'id'))}||{_NO_NAME}|||{sex}"


def _order(report: Report, now: str) -> Iterator[str]:
    document = report.document
    specimen = part(document, "specimen")
    number = f"{_escaped(text(document, 'panel_id') or text(specimen, 'id'))}^{SENDER}"
    collected, received = _time(text(specimen, "collected_at")), _time(text(specimen, "received_at"))
    status = REPORT_STATUS.get(text(document, "status"), "F")
    service = f"csf_interpretation^Interpretation of a CSF panel^{OWN_SYSTEM}"
    yield f"ORC|RE||{number}"
    yield f"OBR|1||{number}|{service}|||{collected}|||||||{received}||||||||{now}||LAB|{status}"
    yield f"NTE|1||{_escaped(text(document, 'disclaimer'))}"


def _obx(row: Row, place: int, status: str) -> Iterator[str]:
    codes = "^".join("^".join(map(_escaped, coded)) for coded in row.codes)
    value = _text(row) if isinstance(row.value, str) else "^".join(map(_escaped, row.value))
    unit = f"{_escaped(row.unit)}^^UCUM" if row.unit and row.ucum else _escaped(row.unit)
    fields = [
        "OBX", str(place), row.kind, codes, row.sub_id, value, unit, _escaped(row.range), row.flag, "", "",
        "X" if row.withdrawn else status,
    ]  # fmt: skip
    yield "|".join(fields)
    for number, note in enumerate(row.notes, 1):
        yield f"NTE|{number}||{_escaped(note)}"


def _text(row: Row) -> str:
    """A text; that of TX as one repetition a line, none longer than other readers take."""
    if row.kind != "TX":
        return _escaped(str(row.value))
    lines = [part for line in str(row.value).splitlines() for part in wrap(line, LONGEST_STRING)]
    return "~".join(map(_escaped, lines))


def _specimen(specimen: Part) -> Iterator[str]:
    code, name = SPECIMENS.get(text(specimen, "type"), SPECIMENS["csf"])
    volume, site = part(specimen, "volume"), text(specimen, "site")
    fields = {
        2: _escaped(text(specimen, "id")), 4: f"{code}^{name}^HL70487",
        8: f"{_escaped(site)}^{_escaped(site)}^{OWN_SYSTEM}" if site else "",
        12: f"{_escaped(text(volume, 'value'))}^{_escaped(text(volume, 'unit'))}" if volume else "",
        17: _time(text(specimen, "collected_at")), 18: _time(text(specimen, "received_at")),
        24: "~".join(f"{CONDITIONS[word]}^^HL70493" for word in texts(specimen, "condition") if word in CONDITIONS),
    }  # fmt: skip
    yield "|".join(["SPM", "1", *(fields.get(at, "") for at in range(2, 25))])


def _time(iso: str) -> str:
    """2026-03-01T09:20:00.123456+01:00 as 20260301092000+0100; "" for no time."""
    match = re.fullmatch(
        r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?", iso, re.ASCII
    )
    if match is None:
        return ""
    zone = (match[7] or "").replace("Z", "+0000").replace(":", "")
    return "".join(part or "" for part in match.groups()[:6]) + zone


def _escaped(words: str) -> str:
    return USUAL.escaped(words)
