"""Who belongs to whom in an ORU^R01: patients, their orders, the results and specimens of each order.

Read by walking the segments in the order sent, so a message that breaks the printed structure still keeps every OBX.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from csfinterp.formats.hl7_segments import Segment


@dataclass
class Result:
    """One OBX with the NTE behind it. `specimen`: place among the order's SPM before it, None if none was."""

    obx: Segment
    specimen: int | None = None
    notes: list[str] = field(default_factory=list)


@dataclass
class Order:
    """ORDER_OBSERVATION: ORC and OBR (either may be missing), results, SPM segments, comments of the order."""

    orc: Segment | None = None
    obr: Segment | None = None
    results: list[Result] = field(default_factory=list)
    specimens: list[Segment] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def obr_words(self, number: int, component: int = 1) -> str:
        """A component of OBR, "" without OBR."""
        return self.obr.words(number, component) if self.obr else ""

    def orc_words(self, number: int) -> str:
        """A component of ORC, "" without ORC."""
        return self.orc.words(number) if self.orc else ""

    @property
    def number(self) -> str:
        """The number of the order: filler before placer, OBR before ORC."""
        texts = (self.obr_words(3), self.orc_words(3), self.obr_words(2), self.orc_words(2))
        return next(filter(None, texts), "")


@dataclass
class PatientResult:
    """PATIENT_RESULT: one PID (None if the message names no patient) and its orders."""

    pid: Segment | None = None
    orders: list[Order] = field(default_factory=list)


def patient_results(segments: Sequence[Segment]) -> list[PatientResult]:
    """The patients of a message with their orders; segments that carry no result (PV1, Z..) are passed over."""
    patients = [PatientResult()]
    orc: Segment | None = None
    notes: list[str] | None = None
    for segment in segments:
        if segment.name == "NTE":
            if notes is not None:
                notes += [element.whole() for element in segment.repetitions(3)]
            continue
        patient, notes = patients[-1], None
        match segment.name:
            case "PID":
                _turn_to(segment, patients)
            case "ORC":
                orc = segment
            case "OBR":
                patient.orders.append(Order(orc, segment))
                orc, notes = None, patient.orders[-1].notes
            case "SPM":
                order = _last(patient, orc)
                order.specimens.append(segment)
            case "OBX":
                order = _last(patient, orc)
                order.results.append(Result(segment, len(order.specimens) - 1 if order.specimens else None))
                notes = order.results[-1].notes
    return [patient for patient in patients if patient.pid is not None or patient.orders]


def _turn_to(pid: Segment, patients: list[PatientResult]) -> None:
    """The patient of this PID becomes the last one; a PID that is sent again (before every order) adds to the first."""
    who = (pid.raw(3) or pid.raw(2), pid.raw(7))
    for place, patient in enumerate(patients):
        if who[0] and patient.pid is not None and (patient.pid.raw(3) or patient.pid.raw(2), patient.pid.raw(7)) == who:
            patients.append(patients.pop(place))
            return
    patients.append(PatientResult(pid))


def _last(patient: PatientResult, orc: Segment | None) -> Order:
    """The order that a result belongs to; one without OBR if none has begun."""
    if not patient.orders:
        patient.orders.append(Order(orc))
    return patient.orders[-1]
