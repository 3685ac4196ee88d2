"""Short ways to write a constructed message and to read it as panel documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from csfinterp.formats import hl7_v2
from csfinterp.model.panel import Panel

FOLDER = Path(__file__).parents[2] / "data" / "hl7"
Document = dict[str, Any]
PID = "PID|1||MRN-1^^^HOSP^MR||Test^Anna||19740423|F"
SPM = "SPM|1|ACC-1||CSF^Cerebral spinal fluid^HL70487||||LUMB^lumbar^L|||||||||20260301092000"
PROTEIN = "OBX|1|NM|2880-3^Protein^LN||812|mg/L|||||F"


def msh(control_id: str = "M-1", version: str = "2.5.1", kind: str = "ORU^R01^ORU_R01", processing: str = "P") -> str:
    return f"MSH|^~\\&|LIS|LAB|CSFINTERP|HOSP|20260301100000||{kind}|{control_id}|{processing}|{version}"


def obr(status: str = "F", collected: str = "20260301092000", number: str = "FO1") -> str:
    """An order with its filler number, time of collection (OBR-7) and status (OBR-25)."""
    return f"OBR|1||{number}|CSF^CSF^L|||{collected}" + "|" * 18 + status


def obx(code: str, value: str = "812", *, kind: str = "NM", unit: str = "mg/L", status: str = "F", sub_id: str = "",
        flag: str = "") -> str:  # fmt: skip
    return f"OBX|1|{kind}|{code}|{sub_id}|{value}|{unit}||{flag}|||{status}"


def message(*segments: str, end: str = "\r") -> bytes:
    """The segments as bytes; with MSH in front if none is given."""
    head = () if segments[0].startswith(("MSH", "BHS", "FHS")) else (msh(),)
    return (end.join((*head, *segments)) + end).encode()


def read(data: bytes) -> hl7_v2.Message:
    return hl7_v2.read_message(data)


def documents(data: bytes) -> list[Document]:
    """The panel documents of a message; every panel must be readable."""
    found = []
    for panel in read(data).panels:
        assert isinstance(panel, Panel), panel
        found.append(dict(panel.document))
    return found


def document(*segments: str) -> Document:
    """The one panel of a message of these segments."""
    (found,) = documents(message(*segments))
    return found


def sample(name: str) -> list[Document]:
    """The panel documents of a sample message of tests/data/hl7."""
    return documents((FOLDER / f"{name}.hl7").read_bytes())


def observation(*segments: str) -> Document:
    """The first observation of a message with these OBX (and NTE) below one order."""
    found: Document = document(PID, obr(), *segments, SPM)["observations"][0]
    return found
