"""Constructed ORU^R01 messages (never a patient's), MLLP frames and ways to read an acknowledgment."""

from __future__ import annotations

from dataclasses import dataclass

START, END = b"\x0b", b"\x1c\r"


def framed(message: bytes) -> bytes:
    return START + message + END


def msh(control_id: str, sender: str = "LIS|LAB", processing: str = "P", kind: str = "ORU^R01^ORU_R01") -> str:
    """The header: UTF-8, 2.5.1. `sender` is MSH-3 and MSH-4."""
    return (
        rf"MSH|^~\&|{sender}|CSFINTERP|HOSP|20260301100000||{kind}|{control_id}|{processing}|2.5.1||||||UNICODE UTF-8"
    )


def group(
    specimen: str, patient: str = "MRN-1", name: str = "Test^Anna", lactate: str = "2.1", status: str = "F",
    leukocytes: str = "31",
) -> tuple[str, ...]:  # fmt: skip
    """One patient with one CSF specimen and three results."""
    return (
        f"PID|1||{patient}^^^HOSP^MR||{name}||19740423|F",
        f"ORC|RE|PO-{specimen}|FO-{specimen}",
        f"OBR|1|PO-{specimen}|FO-{specimen}|34564-5^Cell count panel - CSF^LN|||20260301092000|||||||20260301095500"
        f"||||||||20260301100000||CH|{status}",
        f"OBX|1|NM|26465-5^Leukocytes [#/volume] in CSF^LN||{leukocytes}|/uL|0-4|H|||{status}",
        f"OBX|2|NM|2342-4^Glucose [Mass/volume] in CSF^LN||61|mg/dL|40-70||||{status}",
        f"OBX|3|NM|2520-3^Lactate [Moles/volume] in CSF^LN||{lactate}|mmol/L|||||{status}",
        f"SPM|1|{specimen}||CSF^Cerebral spinal fluid^HL70487||||LUMB^lumbar^L|||||||||20260301092000|20260301095500",
    )


def oru(
    control_id: str, specimen: str | None = None, *, sender: str = "LIS|LAB", processing: str = "P", **parts: str
) -> bytes:
    """A message with one panel; unless stated, the specimen is named after the control id, the patient after it."""
    specimen = specimen or f"ACC-{control_id}"
    segments = (msh(control_id, sender, processing), *group(specimen, **{"patient": f"MRN-{specimen}", **parts}))
    return "".join(f"{segment}\r" for segment in segments).encode()


@dataclass(frozen=True)
class Ack:
    """The fields of an acknowledgment that senders act on."""

    code: str
    control_id: str
    text: str
    raw: str

    @staticmethod
    def of(message: bytes) -> Ack:
        raw = message.decode(_codec(message), "replace").lstrip("\ufeff")
        segments = [line.split(raw[3:4]) for line in raw.split("\r") if line]
        assert segments[0][0] == "MSH", raw
        msa = next(fields for fields in segments if fields[0] == "MSA") + [""] * 4
        errors = " ".join("|".join(fields) for fields in segments if fields[0] == "ERR")
        return Ack(msa[1], msa[2], f"{msa[3]} {errors}".strip(), raw)


def _codec(message: bytes) -> str:
    """Answers come in the character set of the message."""
    found = {b"M\0": "utf-16-le", b"\0M": "utf-16-be", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    return found.get(message[:2], "utf-8")
