"""The FHIR R4 door: Bundle or DiagnosticReport in, interpretation out as a Bundle of DiagnosticReport and Observations.

Structurally valid R4 by the models of fhir.resources (R4B) and our own checks; not run through the HL7 validator.
"""

from __future__ import annotations

from csfinterp.formats.fhir_names import MEDIA_TYPE
from csfinterp.formats.fhir_read import Found, Reading, read, read_body
from csfinterp.formats.fhir_write import bundle, served_observations, served_report, write

__all__ = [
    "MEDIA_TYPE", "Found", "Reading", "bundle", "read", "read_body", "served_observations", "served_report", "write",
]  # fmt: skip
