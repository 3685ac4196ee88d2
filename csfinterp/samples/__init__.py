"""Constructed CSF panels, one file each: never a real patient. Used by the demo, the OpenAPI examples and the tests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Sample:
    """A constructed panel, never a real patient: plausible values for one kind of sample."""

    name: str
    title: str

    @property
    def path(self) -> Path:
        return next(Path(__file__).parent.glob(f"[0-9][0-9]_{self.name}.json"))

    def document(self) -> dict[str, Any]:
        """The panel document."""
        document: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        return document


def hl7_sample() -> str:
    """One panel as an HL7 v2 message (ORU^R01 2.5.1), lines ended by LF."""
    return (Path(__file__).parent / "suspected_lm.hl7").read_text(encoding="utf-8")


SAMPLES = (
    Sample("normal", "All values normal"),
    Sample("hematologic_lm", "Lymphoma, cells proven by flow cytometry"),
    Sample("solid_lm_positive_cytology", "Breast cancer, positive cytology"),
    Sample("suspected_lm_negative_cytology", "Lung cancer, typical MRI, negative cytology"),
    Sample("bacterial", "Bacterial picture with positive Gram stain"),
    Sample("viral", "Viral picture with positive PCR"),
    Sample("ms_like", "Intrathecal IgG with oligoclonal bands (Reiber pairs)"),
    Sample("traumatic_tap", "Blood in the sample"),
    Sample("ventricular", "Ventricular sample: lumbar limits do not hold"),
    Sample("with_gaps", "Missing unit, unknown code, pending value"),
)
