"""One sample of a message as a panel document, read again by panel_json: so every format has one meaning.

Faults of the document are told where they stand in the message: /OBX/3/5 is OBX-5 of the third OBX.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from csfinterp.errors import DocumentError, Fault
from csfinterp.formats import panel_json
from csfinterp.formats.hl7_genomics import Variant, attach, component_of, gather
from csfinterp.formats.hl7_groups import PatientResult, Result
from csfinterp.formats.hl7_header import DATA_TYPE, REQUIRED_FIELD, Header, MessageFaulty
from csfinterp.formats.hl7_own import attribute, is_attribute, own_name, put
from csfinterp.formats.hl7_segments import Segment
from csfinterp.formats.hl7_specimens import BLOOD, Part, Remarks, Sample, specimen_document
from csfinterp.formats.hl7_times import zone_of
from csfinterp.formats.hl7_values import (
    ATTACHED,
    LONG_TEXT,
    State,
    code_of,
    cut,
    is_number_as_text,
    laboratory_flag,
    note_of,
    state_of,
    unit_of,
    value_of,
)
from csfinterp.formats.strict_json import ReadLimits
from csfinterp.model.panel import Panel

SEXES = {"F": "female", "M": "male", "O": "other", "A": "other", "U": "unknown", "N": "unknown"}
MEDICAL_RECORD = "MR"
_SPECIMEN_FIELDS = {"id": 2, "type": 4, "site": 8, "collected_at": 17, "received_at": 18, "volume": 12}
_PATIENT_FIELDS = {"id": 3, "birth_date": 7, "sex": 8}
_OBSERVATION_FIELDS = {
    "code": 3, "value": 5, "comparator": 5, "unit": 6, "laboratory_range": 7, "laboratory_flag": 8, "status": 11,
    "collected_at": 14, "method": 17, "analyzed_at": 19,
}  # fmt: skip
# Y: no order, Z: no patient on file (table 0123): refused, codes.md section 3.
REFUSED_ORDERS = ("Y", "Z")


@dataclass
class _Entry:
    """One observation in the making."""

    obx: Segment
    document: dict[str, Any]
    state: State


def _place(entry: _Entry) -> int:
    return entry.obx.place


class _Draft:
    """Builds the document of one sample. `places`: JSON pointer -> where in the message that came from."""

    def __init__(self, header: Header, patient: PatientResult, sample: Sample, remarks: Remarks) -> None:
        self.header, self.patient, self.sample, self.remarks = header, patient, sample, remarks
        self.document: dict[str, Any] = {}
        self.places: dict[str, str] = {}

    def build(self, message_id: str | None) -> dict[str, Any]:
        source = {"system": self.header.source_system, "message_id": message_id}
        self._put("source", {name: text for name, text in source.items() if text})
        self.places |= {"/source/system": "/MSH/1/3", "/source/message_id": "/MSH/1/10"}
        self._put("patient", self._patient())
        self.document["specimen"] = specimen_document(self.sample, self.remarks)
        for field, number in _SPECIMEN_FIELDS.items():
            self._place(f"/specimen/{field}", number)
        entries = [entry for part in self.sample.parts for entry in self._entries(part)]
        self.document["status"] = _panel_status(entries)
        self.document["observations"] = [self._observation(entry, at) for at, entry in enumerate(entries)]
        return self.document

    def _put(self, name: str, part: dict[str, Any]) -> None:
        if part:
            self.document[name] = part

    def _place(self, pointer: str, number: int) -> None:
        lead = self.sample.lead
        spm, obr = lead.spm, lead.order.obr
        if spm is not None:
            self.places[pointer] = spm.pointer(number)
        elif obr is not None:
            self.places[pointer] = obr.pointer({2: 3, 4: 15, 8: 15, 17: 7, 18: 14, 12: 9}[number])

    def _patient(self) -> dict[str, Any]:
        pid = self.patient.pid
        if pid is None:
            return {}
        for field, number in _PATIENT_FIELDS.items():
            self.places[f"/patient/{field}"] = pid.pointer(number)
        born = self.remarks.time(pid, 7)
        letter = pid.words(8).upper()
        if letter and letter not in SEXES:
            self.remarks.warn(pid.pointer(8), "The sex is not of table 0001: read as unknown. Send F, M, O or U.")
        found = {"id": _patient_id(pid), "birth_date": born and born[:10], "sex": SEXES.get(letter)}
        return {name: text for name, text in found.items() if text}

    def _entries(self, part: Part) -> list[_Entry]:
        """Observations of one part; facts of our own ids go into the document beside them."""
        entries: list[_Entry] = []
        variants: list[Variant] = []
        waiting: list[tuple[str, Segment]] = []
        for lines in _report_lines(part.results):
            obx = lines[0].obx
            name, component = own_name(obx), component_of(obx)
            if component is not None:
                gather(variants, component, obx)
            elif name is not None and is_attribute(name, obx):
                waiting.append((name, obx))
            elif name is not None:
                put(name, obx, self.document, self.places, self.remarks)
            else:
                self._add(lines, part, entries)
        self._attributes(waiting, entries)
        pairs = [(entry.obx, entry.document) for entry in entries]
        attach(pairs, variants, self.remarks)
        kept = {id(document) for _, document in pairs}
        entries = [entry for entry in entries if id(entry.document) in kept]
        if entries and part.order.notes:
            texts = ["(of the order) " + text for text in part.order.notes if text.strip()]
            entries[0].document["note"] = note_of([*texts, entries[0].document.get("note") or ""])
        return entries

    def _add(self, lines: list[Result], part: Part, entries: list[_Entry]) -> None:
        obx = lines[0].obx
        state, remark = state_of(obx, part.order.obr_words(25).upper())
        if remark:
            self.remarks.warn(obx.pointer(11), remark)
        if state is None:
            return
        if obx.words(2).upper() in ATTACHED:
            self.remarks.warn(obx.pointer(5), "An attachment is not read and not kept. Send results as values.")
            return
        if is_number_as_text(obx):
            self.remarks.warn(obx.pointer(2), "A number sent as text is read as a number. Send NM, or SN with < or >.")
        document = {"code": code_of(obx), **value_of(obx, *(line.obx for line in lines[1:]))}
        if is_number_as_text(obx):
            document["value_type"] = "text"
        note = note_of([document.pop("note", ""), *(text for line in lines for text in line.notes)])
        reason = state.absent if "value" not in document or state.withdrawn else None
        entries.append(_Entry(obx, document | self._rest(obx, note, reason) | self._own_specimen(part), state))

    def _rest(self, obx: Segment, note: str | None, reason: str | None) -> dict[str, Any]:
        taken, analyzed = self.remarks.time(obx, 14), self.remarks.time(obx, 19)
        method = obx.first(17).words(2) or obx.first(17).words(1)
        found = {
            "unit": unit_of(obx), "absent_reason": reason, "note": note, "analyzed_at": analyzed,
            "collected_at": taken if taken != self.document.get("specimen", {}).get("collected_at") else None,
            "method": cut(method), "laboratory_flag": laboratory_flag(obx),
            "laboratory_range": cut(obx.first(7).whole().strip()),
        }  # fmt: skip
        return {name: value for name, value in found.items() if value}

    def _own_specimen(self, part: Part) -> dict[str, Any]:
        """Blood beside CSF says so on each of its results, with its own time of collection."""
        specimen = self.document["specimen"]
        blood = part.type in BLOOD and part.type != specimen.get("type")
        own = {"specimen": part.type} if blood else {}
        if part.collected_at and (blood or part.collected_at != specimen.get("collected_at")):
            own["collected_at"] = part.collected_at
        return {name: value for name, value in own.items() if value}

    def _attributes(self, waiting: list[tuple[str, Segment]], entries: list[_Entry]) -> None:
        """Each to the last result before it, of those with its OBX-4 if there are any."""
        by_sub_id: dict[str, list[_Entry]] = {}
        for entry in entries:
            by_sub_id.setdefault(entry.obx.words(4), []).append(entry)
        more: list[_Entry] = []
        for name, obx in waiting:
            sub_id = obx.words(4)
            candidates = (by_sub_id.get(sub_id) if sub_id else None) or entries
            at = bisect_left(candidates, obx.place, key=_place)
            if not at:
                text = f"{name} stands before any result and is left out. Send it behind one."
                self.remarks.warn(obx.pointer(3), text)
            elif "organism" in (found := attribute(name, obx)).keys() & candidates[at - 1].document.keys():
                last = candidates[at - 1]
                again = _Entry(obx, {**last.document, **found}, last.state)  # one result for each organism
                again.document.pop("organism_class", None)
                insort(candidates, again, key=_place)
                more += [again] if candidates is not entries else []
            else:
                candidates[at - 1].document.update(found)
        for entry in more:
            insort(entries, entry, key=_place)

    def _observation(self, entry: _Entry, at: int) -> dict[str, Any]:
        pointer, obx = f"/observations/{at}", entry.obx
        self.places[pointer] = obx.pointer(5)
        for field, number in _OBSERVATION_FIELDS.items():
            self.places[f"{pointer}/{field}"] = obx.pointer(number)
        status = entry.state.own or entry.state.panel
        if status != self.document["status"]:
            entry.document["status"] = status
        return entry.document

    def told(self, fault: Fault) -> Fault:
        """The fault where it stands in the message."""
        pointer = fault.pointer
        while pointer and pointer not in self.places:
            pointer = pointer.rpartition("/")[0]
        return Fault(self.places.get(pointer, ""), fault.message)


def _patient_id(pid: Segment) -> str:
    """PID-3: the medical record number if one says that it is, else the first; PID-2 of old senders."""
    listed = pid.repetitions(3) or pid.repetitions(2)
    marked = [element for element in listed if element.words(5).upper() == MEDICAL_RECORD]
    return next((element.words(1) for element in [*marked, *listed] if element.words(1)), "")


def _report_lines(results: Iterable[Result]) -> list[list[Result]]:
    """Results, with the lines of one report text together: TX or FT of the same code, one OBX right after the other."""
    found: list[list[Result]] = []
    for result in results:
        obx, last = result.obx, found[-1][-1].obx if found else None
        text = last is not None and obx.words(2).upper() in LONG_TEXT and obx.place == last.place + 1
        if last is not None and text and (obx.raw(2), obx.raw(3)) == (last.raw(2), last.raw(3)):
            found[-1].append(result)
        else:
            found.append([result])
    return found


def _panel_status(entries: Iterable[_Entry]) -> str:
    """Status of the panel from its results (codes.md section 3)."""
    said = [entry.state.panel for entry in entries]
    for status in ("corrected", "preliminary", "final"):
        if status in said:
            return status
    return "cancelled" if said else "final"


def read_sample(
    header: Header, patient: PatientResult, sample: Sample, message_id: str | None, limits: ReadLimits
) -> tuple[Panel | DocumentError, list[Fault]]:
    """The panel of one sample, or why it is refused; and what the sender is told either way. Never raises."""
    remarks = Remarks(zone_of(header.sent_at))
    for part in sample.parts:
        remarks.faults += part.remarks.faults
        remarks.warnings += part.remarks.warnings
    draft = _Draft(header, patient, sample, remarks)
    try:
        document = draft.build(message_id)
        faults = [*remarks.faults, *_missing(document, sample)]
        if faults:
            raise refuse_all(faults, header)
        return panel_json.read_document(document, limits), remarks.warnings
    except MessageFaulty as error:
        return error, remarks.warnings
    except DocumentError as error:
        told = tuple(map(draft.told, error.faults))
        text = told[0].message if len(told) == 1 else error.message
        return MessageFaulty(text, told, header=header), remarks.warnings


def refuse_all(faults: list[Fault], header: Header) -> MessageFaulty:
    """AE for these faults: 101 if something required is missing."""
    text = faults[0].message if len(faults) == 1 else f"The message has {len(faults)} faults."
    condition = REQUIRED_FIELD if any(fault.message in _REQUIRED for fault in faults) else DATA_TYPE
    return MessageFaulty(text, tuple(faults), condition=condition, header=header)


_NO_ID = "No specimen id. Send SPM-2, or the filler order number in OBR-3."
_NO_RESULT = "No result (OBX). Send at least one OBX below its OBR."
_REQUIRED = (_NO_ID, _NO_RESULT)


def _missing(document: dict[str, Any], sample: Sample) -> Iterable[Fault]:
    obr = sample.lead.order.obr
    if obr is not None and obr.words(25).upper() in REFUSED_ORDERS:
        yield Fault(obr.pointer(25), "OBR-25 says that there is no order or no patient. Send the result with both.")
    if "id" not in document["specimen"]:
        yield Fault("/SPM/1/2" if sample.lead.spm else "/OBR/1/3", _NO_ID)
    if not document["observations"]:
        yield Fault("/OBX/1", _NO_RESULT)
