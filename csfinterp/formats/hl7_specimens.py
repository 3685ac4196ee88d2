"""Which results form a panel: the specimens of one patient, aliquots and paired blood joined to the CSF they go with.

A part is what one order says about one specimen. Parts of one specimen id form one sample; blood joins the CSF sample
of its patient, with its own specimen and time of collection on every observation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from csfinterp.errors import Fault
from csfinterp.formats.hl7_groups import Order, PatientResult, Result
from csfinterp.formats.hl7_segments import Element, Segment
from csfinterp.formats.hl7_times import ADVICE, moment
from csfinterp.formats.strict_json import NumberText

SPECIMEN_TABLE = "HL70487"
BLOOD = ("serum", "plasma", "blood")
# Table 0487 and SNOMED CT codes of codes.md sections 1 and 7; 0070 of OBR-15 uses the same four. Then our own words.
TYPES = {
    "csf": "csf", "258450006": "csf", "cerebral spinal fluid": "csf", "cerebrospinal fluid": "csf",
    "cerebrospinal fluid sample": "csf", "liquor": "csf", "liquor cerebrospinalis": "csf",
    "ser": "serum", "serum": "serum", "119364003": "serum", "serum specimen": "serum",
    "plas": "plasma", "plasma": "plasma",
    "bld": "blood", "blood": "blood", "whole blood": "blood", "119297000": "blood", "blood specimen": "blood",
}  # fmt: skip
SITES = (
    ("lumbar", re.compile(r"\blumb(?:ar|al)?\b", re.IGNORECASE)),
    ("ventricular", re.compile(r"\bventric(?:ular|le)\b", re.IGNORECASE)),
    ("cisternal", re.compile(r"\bcistern(?:al|a)\b", re.IGNORECASE)),
    ("unknown", re.compile(r"\s*(?:unknown|unk)\s*", re.IGNORECASE)),
)
# Table 0493 (SPM-24) and the two reject reasons of table 0490 (SPM-21) that say the same.
CONDITIONS = {"HEM": "hemolyzed", "CLOT": "clotted", "FROZ": "frozen", "COOL": "cooled"}
REJECTED = {"RH": "hemolyzed", "RC": "clotted"}
VOLUME_UNITS = {"ml": "mL", "l": "L", "cl": "cL", "ul": "uL", "µl": "uL", "μl": "uL"}


@dataclass
class Remarks:
    """What is wrong in a message: `faults` refuse the panel they stand in, `warnings` only tell the sender."""

    zone: str = ""
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)

    def time(self, segment: Segment | None, number: int) -> str | None:
        """The time in a field as ISO 8601; one that cannot be is a fault, one that names no day a warning."""
        text = segment.words(number) if segment else ""
        if segment is None or not text:
            return None
        try:
            found = moment(text, self.zone)
        except ValueError:
            self.faults.append(Fault(segment.pointer(number), ADVICE))
            return None
        if found is None:
            self.warn(segment.pointer(number), "A time without its day cannot be used. " + ADVICE)
        return found

    def warn(self, pointer: str, text: str) -> None:
        self.warnings.append(Fault(pointer, text))


@dataclass
class Part:
    """What one order says about one specimen. `named`: the id is a specimen's, not the number of the order.

    `other`: table 0487 says that the specimen is none of those that are read here.
    """

    order: Order
    results: list[Result]
    spm: Segment | None
    id: str
    named: bool
    type: str | None
    collected_at: str | None
    remarks: Remarks
    other: bool = False

    @property
    def day(self) -> str | None:
        """The calendar day of collection."""
        return self.collected_at[:10] if self.collected_at else None


@dataclass
class Sample:
    """The parts that make one panel; the first one leads."""

    parts: list[Part]

    @property
    def lead(self) -> Part:
        return self.parts[0]

    @property
    def type(self) -> str | None:
        return next((part.type for part in self.parts if part.type not in (None, *BLOOD)), self.lead.type)


def samples(patient: PatientResult, zone: str) -> list[Sample]:
    """The panels of one patient in the order sent; parts without results are left out.

    `zone`: offset of the message, for times that have none of their own.
    """
    parts = _read_here([part for order in patient.orders for part in _parts(order, zone)])
    fluid = [part for part in parts if part.type not in BLOOD]
    found: list[Sample] = []
    for part in filter(lambda part: part.named, fluid):
        _join(part, [sample for sample in found if sample.lead.id == part.id], found)
    for part in filter(lambda part: not part.named, fluid):
        same = [sample for sample in found if not sample.lead.named and sample.lead.id == part.id]
        _join(part, same or _of_that_day(part, found), found)
    places = {id(part): place for place, part in enumerate(parts)}
    found.sort(key=lambda sample: places[id(sample.lead)])
    alone: list[Sample] = []
    for part in filter(lambda part: part.type in BLOOD, parts):
        _pair(part, found, alone)
    return [*found, *alone]


def _read_here(parts: list[Part]) -> list[Part]:
    """Without specimens of another kind (table 0487: urine ...); if there is nothing else, that is a fault."""
    own = [part for part in parts if not part.other]
    for part in parts:
        if part.other and part.spm is not None:
            text = "Only CSF, and serum, plasma or blood of the same patient, are read here; the results are left out."
            (own[0].remarks.warnings if own else part.remarks.faults).append(Fault(part.spm.pointer(4), text))
    return own or parts


def _join(part: Part, candidates: Sequence[Sample], found: list[Sample]) -> None:
    """Into the one candidate; otherwise a sample of its own."""
    if len(candidates) == 1:
        candidates[0].parts.append(part)
    else:
        found.append(Sample([part]))


def _of_that_day(part: Part, found: Iterable[Sample]) -> list[Sample]:
    """Samples that an order without a specimen id may belong to: collected on the same day, as far as days are known.

    Before version 2.5 no segment names the specimen, and every order of one puncture has its own number.
    """
    return [sample for sample in found if None in (part.day, sample.lead.day) or part.day == sample.lead.day]


def _pair(part: Part, found: list[Sample], alone: list[Sample]) -> None:
    """Blood goes with the CSF of its patient; of several punctures with those of its day (the core judges the gap)."""
    if len(found) <= 1:
        _join(part, found or [sample for sample in alone if sample.lead.id == part.id], alone)
        return
    same_day = [sample for sample in found if part.day is not None and sample.lead.day == part.day]
    for sample in same_day:
        sample.parts.append(part)
    if not same_day:
        segment = part.spm or part.order.obr
        text = "Blood beside several CSF specimens, none of its day: not paired. Send the pair in a message of its own."
        part.remarks.warn(segment.pointer(17 if part.spm else 7) if segment else "", text)
        alone.append(Sample([part]))


def _parts(order: Order, zone: str) -> list[Part]:
    """The order by specimens: results behind an SPM are that specimen's, those before the first are the leading one's.

    Leading is the only SPM, else the only one that is not blood, else the first.
    """
    if len(order.specimens) < 2:
        spm = order.specimens[0] if order.specimens else None
        return [_part(order, order.results, spm, zone)] if order.results else []
    fluid = [at for at, spm in enumerate(order.specimens) if type_of(spm.first(4)) not in BLOOD]
    leading = fluid[0] if len(fluid) == 1 else 0
    found = []
    for at, spm in enumerate(order.specimens):
        own = [result for result in order.results if result.specimen == at]
        if at == leading:
            own = [result for result in order.results if result.specimen in (None, at)]
        if own:
            found.append(_part(order, own, spm, zone))
    return found


def _part(order: Order, results: list[Result], spm: Segment | None, zone: str) -> Part:
    name = _specimen_id(spm) if spm else ""
    stated = spm.first(4) if spm else order.obr.first(15) if order.obr else Element("")
    remarks = Remarks(zone)
    collected = remarks.time(spm, 17) or remarks.time(order.obr, 7)
    kind = type_of(stated)
    other = kind is None and bool(spm) and stated.words(3).upper() == SPECIMEN_TABLE
    return Part(order, results, spm, name or order.number, bool(name), kind, collected, remarks, other)


def _specimen_id(spm: Segment) -> str:
    """SPM-3, the parent, of an aliquot; else SPM-2. The filler's number (component 2) before the placer's."""
    for number in (3, 2):
        field = spm.first(number)
        for component in (2, 1):
            if found := field.words(component):
                return found
    return ""


def type_of(stated: Element) -> str | None:
    """csf, serum, plasma or blood of a coded specimen type; None if it says neither (a local code)."""
    return next(filter(None, (TYPES.get(stated.words(at).casefold()) for at in (1, 2, 4, 5))), None)


def specimen_document(sample: Sample, remarks: Remarks) -> dict[str, object]:
    """`specimen` of the panel document, from every part that is not blood (or the blood itself, if that is all)."""
    own = [part for part in sample.parts if part.type not in BLOOD] or sample.parts
    found: dict[str, object] = {"id": sample.lead.id, "type": sample.type, "site": _site(own, remarks)}
    found["collected_at"] = next(filter(None, (part.collected_at for part in own)), None)
    found["received_at"] = next(filter(None, (_received(part, remarks) for part in own)), None)
    found["volume"] = next(filter(None, (_volume(part, remarks) for part in own)), None)
    found["condition"] = list(dict.fromkeys(word for part in own for word in _conditions(part, remarks)))
    return {name: value for name, value in found.items() if value}


def _received(part: Part, remarks: Remarks) -> str | None:
    return remarks.time(part.spm, 18) or remarks.time(part.order.obr, 14)


def _site(parts: Iterable[Part], remarks: Remarks) -> str | None:
    """A word of SITES, where SPM-8, SPM-10 or the body site of OBR-15 names exactly one of them."""
    for part in parts:
        texts = [part.spm.words(number, at) for number in (8, 10) for at in (1, 2, 4, 5)] if part.spm else []
        texts += [part.order.obr_words(15, 4)]
        sites = {site for site, pattern in SITES for text in texts if pattern.search(text)}
        if len(sites) == 1:
            return sites.pop()
        if part.spm and any(texts):
            text = "The site is not known here: read as not stated. Send lumbar, ventricular or cisternal as its text."
            remarks.warn(part.spm.pointer(8 if part.spm.raw(8) else 10), text)
    return None


def _volume(part: Part, remarks: Remarks) -> dict[str, object] | None:
    """SPM-12, else OBR-9: quantity ^ unit."""
    for segment, number in ((part.spm, 12), (part.order.obr, 9)):
        amount = segment.first(number) if segment else Element("")
        if segment is None or not amount.words(1):
            continue
        unit = VOLUME_UNITS.get(amount.words(2).casefold())
        if unit is None or not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", amount.words(1)):
            remarks.warn(segment.pointer(number), "The volume is left out. Send a number and mL: 8^mL.")
            continue
        return {"value": NumberText(re.sub(r"^0+(?=[0-9])", "", amount.words(1))), "unit": unit}
    return None


def _conditions(part: Part, remarks: Remarks) -> list[str]:
    """Words of SPM-24 and SPM-21; other reasons of rejection are told, because no field of the panel takes them."""
    if part.spm is None:
        return []
    found = [CONDITIONS.get(element.words(1).upper()) for element in part.spm.repetitions(24)]
    for element in part.spm.repetitions(21):
        word = REJECTED.get(element.words(1).upper())
        if word is None:
            text = "This reason of rejection is not read. Results that must not be used need OBX-11 X."
            remarks.warn(part.spm.pointer(21), text)
        found.append(word)
    return [word for word in found if word]
