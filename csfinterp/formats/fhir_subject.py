"""Patient, Specimen and clinical context of a FHIR body -> the parts of the panel document.

Context travels as Observations of our own code system (urn:csfinterp:context|mri and so on): there is no FHIR element
for it, and no official code is made up here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from csfinterp.formats.fhir_body import Element, Resource, identifier_of, word
from csfinterp.formats.fhir_names import (
    CONDITIONS,
    CONTEXT,
    GENDERS,
    LUMBAR_PUNCTURE,
    SITE_TEXTS,
    SPECIMEN_CONDITION,
    SPECIMEN_TEXTS,
    SPECIMENS,
    WORD,
)
from csfinterp.formats.fhir_observation import coded, extension, unit_of, value_name, words_of
from csfinterp.formats.report_words import part, parts
from csfinterp.model.context import CONDITIONS as CONDITION_WORDS

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*", re.DOTALL)
_NUMBERED = ("tube", "tube_count", "puncture_number")
_PARTS_OF_TUMOR = ("primary", "diagnosis")


def patient_of(resource: Resource) -> Element:
    """id, birth date (only a whole one) and sex of a Patient."""
    content = resource.content
    born, sex = word(content, "birthDate"), word(content, "gender")
    said = {"id": patient_id(resource), "birth_date": exact(born), "sex": sex if sex in GENDERS else None}
    return {key: value for key, value in said.items() if value is not None}


def patient_id(resource: Resource) -> str | None:
    """The record number; without any identifier the id that the sender's server gave."""
    lasting = resource.owner is None and not (resource.address or "").startswith("urn:")
    return identifier_of(resource.content) or (resource.id if lasting else None)


def specimen_id(resource: Resource) -> str | None:
    """The identifier of the specimen, then its accession number, then the id that the sender's server gave."""
    accession = word(resource.content.get("accessionIdentifier"), "value")
    lasting = resource.owner is None and not (resource.address or "").startswith("urn:")
    return identifier_of(resource.content) or accession or (resource.id if lasting else None)


def specimen_type(resource: Resource) -> str | None:
    """csf, serum, plasma or blood; None if none is stated, "?" if one is stated that is not known here."""
    concept = part(resource.content, "type")
    if not concept:
        return None
    codings = [(word(one, "system"), word(one, "code")) for one in parts(concept, "coding")]
    found = {SPECIMENS[one] for one in codings if one in SPECIMENS}
    if not found:
        said = [word(concept, "text"), *(word(one, "display") for one in parts(concept, "coding"))]
        found = {SPECIMEN_TEXTS[text.casefold()] for text in said if text and text.casefold() in SPECIMEN_TEXTS}
    return found.pop() if len(found) == 1 else "?"


def specimen_of(resource: Resource, collected: str | None) -> Element:
    """The specimen of the panel document; `collected`: the time of the report, used where the Specimen has none."""
    content = resource.content
    collection, kind = part(content, "collection"), specimen_type(resource)
    quantity = dict(part(collection, "quantity"))
    volume = {"value": quantity.get("value"), "unit": unit_of(quantity)}
    said: Element = {
        "id": specimen_id(resource),
        "type": None if kind == "?" else kind,
        "site": _site(collection),
        "collected_at": collected_at(content) or collected,
        "received_at": exact(word(content, "receivedTime")),
        "volume": {key: value for key, value in volume.items() if value is not None} or None,
        "position": extension(content, "position", "valueCode"),
        "condition": _conditions(parts(content, "condition")) or None,
        **{name: extension(content, name, "valueInteger") for name in _NUMBERED},
    }
    return {key: value for key, value in said.items() if value is not None}


def collected_at(content: Element) -> str | None:
    """When a Specimen was collected, if to the day at least."""
    collection = part(content, "collection")
    start = word(part(collection, "collectedPeriod"), "start")
    return exact(word(collection, "collectedDateTime") or start)


def effective_at(content: Element) -> str | None:
    """effective[x] of an Observation or DiagnosticReport, if to the day at least; of a period its start."""
    start = word(part(content, "effectivePeriod"), "start")
    return exact(word(content, "effectiveDateTime") or word(content, "effectiveInstant") or start)


def exact(moment: str | None) -> str | None:
    """FHIR may state a year or a month alone; the panel document takes days and times."""
    return moment if moment is not None and _DAY.fullmatch(moment) else None


def _site(collection: Mapping[str, object]) -> str | None:
    """By our own word, by a text of one of the sites, or by the method lumbar puncture."""
    place = part(collection, "bodySite")
    said = [coded(place, WORD), word(place, "text"), *(word(one, "display") for one in parts(place, "coding"))]
    found = {SITE_TEXTS[text.casefold()] for text in said if text and text.casefold() in SITE_TEXTS}
    system, code = LUMBAR_PUNCTURE
    if not place and coded(part(collection, "method"), system) == code:
        return "lumbar"
    return found.pop() if len(found) == 1 else "unknown" if "unknown" in said else None


def _conditions(concepts: Iterable[Mapping[str, object]]) -> list[str]:
    found = []
    for concept in concepts:
        said = coded(concept, WORD) or CONDITIONS.get(coded(concept, SPECIMEN_CONDITION) or "")
        if said in CONDITION_WORDS:
            found.append(said)
    return found


def context_id(resource: Resource) -> str | None:
    """Which context id an Observation states; None if it is a result."""
    return coded(part(resource.content, "code"), CONTEXT)


def context_of(resources: Iterable[Resource]) -> tuple[Element, Element, dict[str, Resource]]:
    """(context, further entries of patient, context id -> where it was said).

    `stated` may come several times, one word each; of everything else the last one counts.
    """
    context: Element = {}
    patient: Element = {}
    origin: dict[str, Resource] = {}
    for resource in resources:
        name, content = context_id(resource), resource.content
        if name is None or content.get("status") in ("cancelled", "entered-in-error"):
            continue
        origin[name] = resource
        value = _value(content)
        if name == "stated":
            context.setdefault("stated", []).append(value)
        elif name == "age":
            quantity = content.get("valueQuantity") or {}
            patient["age"] = {"value": quantity.get("value"), "unit": unit_of(quantity)}
        elif name == "tumor":
            context[name] = {"class": value, **_tumor(content)}
        else:
            context[name] = value
    return context, patient, origin


def _value(content: Element) -> object:
    name = value_name(content)
    if name == "valueCodeableConcept":
        return words_of(content[name])
    if name == "valueQuantity":
        return content[name].get("value")
    return content.get(name) if name in ("valueBoolean", "valueInteger", "valueString", "valueDateTime") else None


def _tumor(content: Element) -> Element:
    said = {coded(part(one, "code"), CONTEXT): _value(dict(one)) for one in parts(content, "component")}
    return {name: said[name] for name in _PARTS_OF_TUMOR if said.get(name) is not None}
