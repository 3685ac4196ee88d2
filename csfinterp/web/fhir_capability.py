"""/fhir/r4/metadata: what this server does, and the definition of its operation $interpret."""

from __future__ import annotations

import csfinterp
from csfinterp.formats.fhir_names import FINDING, LM_CERTAINTY
from csfinterp.web.fhir_answers import Resource

PUBLISHED = "2026-03-01"
_REPORT = {
    "_id": "token", "identifier": "token", "patient": "reference", "subject": "reference", "specimen": "reference",
    "date": "date", "status": "token", "category": "token", "code": "token", "_lastUpdated": "date",
}  # fmt: skip
_OBSERVATION = {name: kind for name, kind in _REPORT.items() if name != "identifier"}


def statement(base: str) -> Resource:
    """The CapabilityStatement; `base`: the address of the door."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": PUBLISHED,
        "kind": "instance",
        "software": {"name": "csfinterp", "version": csfinterp.__version__},
        "implementation": {"description": "Interpretation of cerebrospinal fluid panels", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "documentation": (
                    "Send a Bundle (transaction with one panel, batch, collection, message) with Patient, Specimen,"
                    " Observation and DiagnosticReport; a DiagnosticReport with the interpretation is stored and read."
                    f" Our own codes stand in systems like {LM_CERTAINTY} and {FINDING}. Patients and specimens are"
                    " searched by identifier value."
                ),
                "resource": [
                    _resource("DiagnosticReport", ("read", "vread", "history-instance", "search-type"), _REPORT),
                    _resource("Observation", ("read", "vread", "search-type"), _OBSERVATION),
                    {"type": "OperationDefinition", "interaction": [{"code": "read"}]},
                ],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
                "operation": [{"name": "interpret", "definition": f"{base}/OperationDefinition/interpret"}],
            }
        ],
    }


def _resource(kind: str, interactions: tuple[str, ...], parameters: dict[str, str]) -> Resource:
    return {
        "type": kind,
        "interaction": [{"code": code} for code in interactions],
        "versioning": "versioned",
        "readHistory": True,
        "searchParam": [{"name": name, "type": of} for name, of in parameters.items()],
    }


def operation() -> Resource:
    """The OperationDefinition of $interpret."""
    said = {"name": "resource", "use": "in", "min": 1, "max": "1", "type": "Resource"}
    answered = {"name": "return", "use": "out", "min": 1, "max": "1", "type": "Bundle"}
    return {
        "resourceType": "OperationDefinition",
        "id": "interpret",
        "name": "Interpret",
        "status": "active",
        "kind": "operation",
        "date": PUBLISHED,
        "description": "Interprets the CSF panels of a Bundle or DiagnosticReport and stores nothing.",
        "affectsState": False,
        "code": "interpret",
        "system": True,
        "type": False,
        "instance": False,
        "parameter": [
            {**said, "documentation": "A Bundle, or a DiagnosticReport with contained resources."},
            {**answered, "documentation": "A Bundle of type collection with the interpretation of each panel."},
        ],
    }
