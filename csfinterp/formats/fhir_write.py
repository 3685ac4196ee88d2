"""Interpretation document -> FHIR R4: DiagnosticReport, Observations, Specimen, Patient, Provenance.

Numbers keep their digits: the texts are made by `dumps`, never by a model that turns decimals into floats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from csfinterp.formats.fhir_about import issues, patient, provenance, specimen
from csfinterp.formats.fhir_links import Element, Links, keys_of
from csfinterp.formats.fhir_names import (
    ALLELE_FREQUENCY,
    EXTENSION,
    FINDING,
    GENE,
    HGVS,
    LM_CERTAINTY,
    LM_TYPE,
    LOINC,
    PANEL,
    PRESENT,
    REPORT,
    REPORT_CODE,
    VARIANT,
)
from csfinterp.formats.fhir_narrative import narrative
from csfinterp.formats.fhir_result import filled, meta, moment, number_text, observation, quantity, said, status_of
from csfinterp.formats.report_words import part, parts, text, texts, words
from csfinterp.formats.strict_json import dumps

Part = Mapping[str, object]
# What a variant has in common with the result that it belongs to.
_SHARED = frozenset({"meta", "status", "category", "subject", "effectiveDateTime", "specimen"})


def write(document: Part) -> str:
    """The interpretation as a Bundle of type collection, as JSON text."""
    return dumps(bundle(document))


def bundle(*documents: Part) -> Element:
    """Interpretations as one Bundle of type collection; every reference is to an entry of it."""
    entries = []
    for document in documents:
        links = Links.of(document)
        entries += [{"fullUrl": links.address(kind, key), "resource": one} for kind, key, one in _all(document, links)]
    at = text(documents[0], "generated_at") if documents else ""
    return filled({"resourceType": "Bundle", "type": "collection", "timestamp": at, "entry": entries})


def served_report(document: Part) -> Element:
    """The DiagnosticReport of a stored answer as the server gives it, Patient and Specimen contained."""
    links = Links.of(document, served=True)
    return _with_contained(_report(document, links), document, links)


def served_observations(document: Part) -> list[Element]:
    """The Observations of a stored answer as the server gives them, in the order of the report."""
    links = Links.of(document, served=True)
    return [_with_contained(one, document, links) for _, one in _observations(document, links)]


def _with_contained(resource: Element, document: Part, links: Links) -> Element:
    """Patient and Specimen inside, as far as the resource, or the Specimen inside it, refers to them."""
    inside: list[Element] = []
    needed = dumps(resource)
    for one in (specimen(document, links), patient(document)):
        own = str(one["resourceType"]).lower()
        if f'"#{own}"' in needed:
            inside.append({"resourceType": one["resourceType"], "id": own, **one})
            needed += dumps(one)
    head = {name: value for name, value in resource.items() if name in ("resourceType", "id", "meta", "text")}
    rest = {name: value for name, value in resource.items() if name not in head}
    return {**head, **({"contained": inside} if inside else {}), **rest}


def _all(document: Part, links: Links) -> Iterator[tuple[str, str, Element]]:
    yield "DiagnosticReport", "", _report(document, links)
    if text(part(document, "patient"), "id"):
        yield "Patient", "", patient(document)
    yield "Specimen", "", specimen(document, links)
    for key, resource in _observations(document, links):
        yield "Observation", key, resource
    if text(document, "generated_at"):
        yield "Provenance", "", provenance(document, links)
    if parts(document, "issues"):
        yield "OperationOutcome", "", issues(document)


def _report(document: Part, links: Links) -> Element:
    edition = part(document, "edition")
    panel_id = text(document, "panel_id")
    found: Element = {
        "resourceType": "DiagnosticReport",
        "id": links.id(),
        "meta": meta(document) if links.served else None,
        "text": {"status": "generated", "div": narrative(document)},
        "extension": [
            {"url": EXTENSION + "edition", "valueString": text(edition, "id")},
            {"url": EXTENSION + "edition_digest", "valueString": text(edition, "digest")},
        ],
        "identifier": [{"system": PANEL, "value": panel_id}] if panel_id else None,
        "status": status_of(document),
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "LAB"}]}],
        "code": {"coding": [{"system": REPORT, "code": REPORT_CODE}], "text": "Interpretation of a CSF panel"},
        "subject": links.reference("Patient") if text(part(document, "patient"), "id") else None,
        "effectiveDateTime": moment(part(document, "specimen").get("collected_at")),
        "issued": text(document, "generated_at"),
        "specimen": [links.reference("Specimen")],
        "result": [links.reference("Observation", key) for key, _, _ in _told(document)],
        "conclusion": "\n".join(_conclusion(document)),
        "conclusionCode": _conclusion_codes(document),
    }
    return filled(found)


def _conclusion(document: Part) -> Iterator[str]:
    """Headline, critical values, then the sentences with their sources and the status of weak ones."""
    summary = part(document, "summary")
    yield said(text(summary, "headline"))
    told = [text(sentence, "text") for sentence in parts(summary, "sentences")]
    for call in parts(document, "critical"):
        if not any(text(call, "reason") in sentence for sentence in told):
            yield said(f"{text(call, 'level').capitalize()}: {text(call, 'reason')}")
    for sentence in parts(summary, "sentences"):
        weak = f" ({text(sentence, 'status')})" if text(sentence, "status") not in ("", "primary") else ""
        yield said(f"{text(sentence, 'text')} [{', '.join(texts(sentence, 'citations'))}]{weak}")
    yield said(text(document, "disclaimer"))


def _conclusion_codes(document: Part) -> list[Element]:
    """The certainty and type of LM, and the findings that are true. Patterns are texts: a code would say too much."""
    lm = part(document, "lm")
    codes = [(LM_CERTAINTY, text(lm, "certainty"), f"LM (EANO-ESMO): {words(text(lm, 'certainty'))}")]
    if text(lm, "type"):
        codes.append((LM_TYPE, text(lm, "type"), f"LM type {text(lm, 'type')}"))
    true = [one for one in parts(document, "findings") if text(one, "truth") == "true"]
    codes += [(FINDING, text(one, "id"), text(one, "name") or words(text(one, "id"))) for one in true]
    return [{"coding": [{"system": system, "code": code, "display": name}]} for system, code, name in codes if code]


def _told(document: Part) -> Iterator[tuple[str, Part, list[str]]]:
    """Key, result or variant, and the keys of its members: every Observation of the report in order."""
    variants = parts(part(document, "liquid_biopsy"), "variants")
    for result, key in zip(parts(document, "results"), keys_of(document), strict=True):
        own = [one for one in variants if text(one, "analyte") == key] if variants else []
        members = [f"{key}_variant_{number}" for number, _ in enumerate(own, 1)]
        yield key, result, members
        for name, one in zip(members, own, strict=True):
            yield name, one, []


def _observations(document: Part, links: Links) -> list[tuple[str, Element]]:
    """Key and Observation of each result; tumor DNA variants behind the result that they belong to."""
    keys: dict[str, list[str]] = {}
    for result, key in zip(parts(document, "results"), keys_of(document), strict=True):
        keys.setdefault(text(result, "analyte"), []).append(key)
    found: list[tuple[str, Element]] = []
    result_of: Element = {}
    for key, one, members in _told(document):
        if "gene" in one:
            found.append((key, _variant(result_of, one, key, links)))
            continue
        result_of = observation(document, one, keys, key, links)
        if members:
            result_of["hasMember"] = [links.reference("Observation", name) for name in members]
        found.append((key, result_of))
    return found


def _variant(of: Element, variant: Part, key: str, links: Links) -> Element:
    """A variant Observation of the genomics guide. The interpretation document keeps no source class."""
    hgvs, share = said(text(variant, "hgvs")), variant.get("vaf_pct")
    code = HGVS[0] if hgvs.startswith("p.") else HGVS[1] if hgvs.startswith("c.") else HGVS[2]
    components: list[tuple[str, Element]] = [(GENE, {"valueCodeableConcept": {"text": said(text(variant, "gene"))}})]
    if hgvs:
        components.append((code, {"valueCodeableConcept": {"text": hgvs}}))
    if isinstance(share, int | float):
        components.append((ALLELE_FREQUENCY, {"valueQuantity": quantity(number_text(float(share)), "%")}))
    kept: Element = {name: value for name, value in of.items() if name in _SHARED}
    made: Element = {
        "resourceType": "Observation", "id": links.id(key), **kept,
        "code": {"coding": [{"system": LOINC, "code": VARIANT}]},
        "valueCodeableConcept": {"coding": [{"system": LOINC, "code": PRESENT}]},
        "component": [{"code": {"coding": [{"system": LOINC, "code": name}]}, **value} for name, value in components],
    }  # fmt: skip
    return filled(made)
