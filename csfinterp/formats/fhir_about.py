"""What stands beside the results in our FHIR: Patient, Specimen, Provenance, and the issues of what was sent."""

from __future__ import annotations

from collections.abc import Mapping

from csfinterp.formats.fhir_links import Element, Links
from csfinterp.formats.fhir_names import (
    CONDITIONS,
    EDITION,
    EDITION_DIGEST,
    EXTENSION,
    GENDERS,
    ISSUE,
    SITE_RULES_DIGEST,
    SPECIMEN_CODES,
    SPECIMEN_CONDITION,
    WORD,
)
from csfinterp.formats.fhir_result import filled, moment, number_text, quantity, said
from csfinterp.formats.report_words import part, parts, text, texts
from csfinterp.formats.strict_json import NumberText

Part = Mapping[str, object]
_SEVERITY = {"error": "error", "warning": "warning", "info": "information"}
_NUMBERS = ("tube", "tube_count", "puncture_number")


def patient(document: Part) -> Element:
    """The Patient, as far as the interpretation names one."""
    sent = part(document, "patient")
    sex = text(sent, "sex")
    identifier = [{"value": said(text(sent, "id"))}] if text(sent, "id") else None
    gender = sex if sex in GENDERS else None
    return filled({"resourceType": "Patient", "identifier": identifier, "gender": gender})


def specimen(document: Part, links: Links) -> Element:
    """The Specimen as received; a type or site that was not stated is not stated here."""
    sent = part(document, "specimen")
    kind, volume = text(sent, "type"), part(sent, "volume")
    site, size = text(sent, "site"), volume.get("value")
    codings = [{"system": system, "code": code} for system, code in (*SPECIMEN_CODES.get(kind, ()), (WORD, kind))]
    collection: Element = {
        "collectedDateTime": moment(sent.get("collected_at")),
        "quantity": quantity(number_text(float(size)), text(volume, "unit")) if isinstance(size, int | float) else None,
        "bodySite": {"coding": [{"system": WORD, "code": site}], "text": site} if site else None,
    }
    table = {word: code for code, word in CONDITIONS.items()}
    conditions = [table[word] for word in texts(sent, "condition") if word in table]
    found: Element = {
        "resourceType": "Specimen",
        "extension": _extensions(sent),
        "identifier": [{"value": said(text(sent, "id"))}],
        "type": {"coding": codings, "text": kind} if kind else None,
        "subject": links.reference("Patient") if text(part(document, "patient"), "id") else None,
        "receivedTime": moment(sent.get("received_at")),
        "collection": filled(collection),
        "condition": [{"coding": [{"system": SPECIMEN_CONDITION, "code": code}]} for code in conditions],
    }
    return filled(found)


def _extensions(sent: Part) -> list[Element]:
    found: list[Element] = []
    for name in _NUMBERS:
        if text(sent, name):
            found.append({"url": EXTENSION + name, "valueInteger": NumberText(text(sent, name))})
    if text(sent, "position"):
        found.append({"url": EXTENSION + "position", "valueCode": text(sent, "position")})
    return found


def provenance(document: Part, links: Links) -> Element:
    """Which edition, site rules and software made the answer, with their digests."""
    edition, site, software = (part(document, name) for name in ("edition", "site_rules", "software"))
    entities = [
        (EDITION, f"Edition {text(edition, 'id')} ({text(edition, 'status')})", text(edition, "id")),
        (EDITION_DIGEST, f"Digest of edition {text(edition, 'id')}", text(edition, "digest")),
        (SITE_RULES_DIGEST, f"Digest of site rules {text(site, 'id')}", text(site, "digest")),
    ]
    return {
        "resourceType": "Provenance",
        "target": [links.reference("DiagnosticReport")],
        "recorded": text(document, "generated_at"),
        "agent": [{"who": {"display": f"{text(software, 'name')} {text(software, 'version')}"}}],
        "entity": [
            {"role": "source", "what": {"identifier": {"system": system, "value": value}, "display": display}}
            for system, display, value in entities
            if value
        ],
    }


def issues(document: Part) -> Element:
    """The issues of cells; the place is the sender's observation, counted from 0."""
    found = []
    for issue in parts(document, "issues"):
        place = issue.get("observation")
        where = f" (observation {place} of the panel)" if place is not None else ""
        found.append({
            "severity": _SEVERITY.get(text(issue, "severity"), "information"),
            "code": "processing",
            "details": {"coding": [{"system": ISSUE, "code": text(issue, "code")}]},
            "diagnostics": said(text(issue, "message") + where),
        })  # fmt: skip
    return {"resourceType": "OperationOutcome", "issue": found}
