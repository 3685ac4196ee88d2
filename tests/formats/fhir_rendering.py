"""A panel document as a sender's FHIR Bundle: what a laboratory's FHIR interface would send. For tests only.

Not carried by FHIR as read here: `context.history` (the service fills it), times without seconds.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
OURS = "urn:csfinterp:"
FLAGS = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
SPECIMEN_CODES = {"csf": "CSF", "serum": "SER", "plasma": "PLAS", "blood": "BLD"}
CONDITIONS = {"hemolyzed": "HEM", "clotted": "CLOT", "frozen": "FROZ", "cooled": "COOL"}
STATUS = {"entered_in_error": "entered-in-error"}
Document = dict[str, Any]


def to_fhir(panel: Mapping[str, Any], kind: str = "transaction") -> Document:
    """The panel document as a Bundle: Patient, Specimens, Observations, DiagnosticReport."""
    return _Rendering(panel).bundle(kind)


def concept(code: str, system: str = OURS + "word", **more: str) -> Document:
    return {"coding": [{"system": system, "code": code, **more}]}


class _Rendering:
    def __init__(self, panel: Mapping[str, Any]) -> None:
        self.panel = panel
        self.entries: list[Document] = []
        self.samples: dict[tuple[str, str | None], str] = {}
        self.status = STATUS.get(panel.get("status", "final"), panel.get("status", "final"))

    def add(self, resource: Document) -> str:
        address = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, str(len(self.entries)))}"
        request = {"method": "POST", "url": resource["resourceType"]}
        self.entries.append({"fullUrl": address, "resource": resource, "request": request})
        return address

    def bundle(self, kind: str) -> Document:
        panel = self.panel
        self.patient = self.add(self._patient()) if "patient" in panel else None
        self.specimen = self.add(self._specimen())
        results = [name for one in panel["observations"] for name in self._observation(one)]
        for name, value in (panel.get("context") or {}).items():
            self._context(name, value)
        if age := (panel.get("patient") or {}).get("age"):
            self._said("age", {"valueQuantity": {"value": age["value"], "code": age["unit"], "system": UCUM}})
        self.add({
            "resourceType": "DiagnosticReport", "status": self.status, "code": {"text": "CSF"}, **self._subject(),
            "specimen": [{"reference": self.specimen}], "result": [{"reference": name} for name in results],
        })  # fmt: skip
        source = panel.get("source") or {}
        found: Document = {"resourceType": "Bundle", "type": kind, "entry": self.entries}
        if source.get("system"):
            found["meta"] = {"source": source["system"]}
        if source.get("message_id"):
            found["identifier"] = {"value": source["message_id"]}
        if kind not in ("transaction", "batch"):
            for entry in self.entries:
                del entry["request"]
        return found

    def _patient(self) -> Document:
        sent = self.panel["patient"]
        names = {"birth_date": "birthDate", "sex": "gender"}
        found = {"resourceType": "Patient", **{names[key]: sent[key] for key in names if key in sent}}
        return found | ({"identifier": [{"value": sent["id"]}]} if "id" in sent else {})

    def _subject(self) -> Document:
        return {"subject": {"reference": self.patient}} if self.patient else {}

    def _specimen(self) -> Document:
        sent = self.panel["specimen"]
        collection: Document = {}
        if "collected_at" in sent:
            collection["collectedDateTime"] = sent["collected_at"]
        if "site" in sent:
            collection["bodySite"] = {"text": sent["site"]}
        if "volume" in sent:
            collection["quantity"] = sent["volume"]
        found: Document = {"resourceType": "Specimen", "identifier": [{"value": sent["id"]}], **self._subject()}
        if "type" in sent:
            found["type"] = concept(SPECIMEN_CODES[sent["type"]], "http://terminology.hl7.org/CodeSystem/v2-0487")
        if "received_at" in sent:
            found["receivedTime"] = sent["received_at"]
        if conditions := sent.get("condition"):
            table = "http://terminology.hl7.org/CodeSystem/v2-0493"
            found["condition"] = [concept(CONDITIONS[word], table) for word in conditions]
        numbers = [extension(name, valueInteger=sent[name]) for name in ("tube", "tube_count", "puncture_number")
                   if name in sent]  # fmt: skip
        if "position" in sent:
            numbers.append(extension("position", valueCode=sent["position"]))
        return found | ({"collection": collection} if collection else {}) | ({"extension": numbers} if numbers else {})

    def _sample(self, kind: str, collected_at: str | None) -> str:
        if kind == self.panel["specimen"].get("type"):
            return self.specimen
        if (kind, collected_at) not in self.samples:
            found: Document = {
                "resourceType": "Specimen",
                "type": concept(SPECIMEN_CODES[kind], "http://terminology.hl7.org/CodeSystem/v2-0487"),
                **self._subject(),
            }
            if collected_at:
                found["collection"] = {"collectedDateTime": collected_at}
            self.samples[(kind, collected_at)] = self.add(found)
        return self.samples[(kind, collected_at)]

    def _observation(self, sent: Mapping[str, Any]) -> list[str]:
        code = sent["code"]
        collected_at = sent.get("collected_at")
        found: Document = {
            "resourceType": "Observation",
            "status": STATUS.get(sent.get("status", ""), sent.get("status", "unknown")),
            "code": concept(code, OURS + "analyte") if isinstance(code, str) else {"coding": [code]},
            **self._subject(),
            **_value(sent),
        }
        if "specimen" in sent:
            found["specimen"] = {"reference": self._sample(sent["specimen"], collected_at)}
        elif collected_at:
            found["effectiveDateTime"] = collected_at
        if "laboratory_flag" in sent:
            flag = sent["laboratory_flag"]
            known = flag in ("N", "L", "H", "LL", "HH", "A", "AA")
            found["interpretation"] = [concept(flag, FLAGS) if known else {"text": flag}]
        if "laboratory_range" in sent:
            found["referenceRange"] = [{"text": sent["laboratory_range"]}]
        if "method" in sent:
            found["method"] = {"text": sent["method"]}
        if "note" in sent:
            found["note"] = [{"text": sent["note"]}]
        extensions = [extension("tube", valueInteger=sent["tube"])] if "tube" in sent else []
        if "unit" in sent and "valueQuantity" not in found:
            extensions.append(extension("unit", valueString=sent["unit"]))
        if "analyzed_at" in sent:
            extensions.append(extension("analyzed_at", valueDateTime=sent["analyzed_at"]))
        components = [
            {"code": concept(name, OURS + "component"), "valueString": sent[name]}
            for name in ("organism", "organism_class")
            if name in sent
        ]
        found |= ({"extension": extensions} if extensions else {}) | ({"component": components} if components else {})
        variants = [self._variant(one, sent) for one in sent.get("variants", ())]
        found |= {"hasMember": [{"reference": name} for name in variants]} if variants else {}
        return [self.add(found), *variants]

    def _variant(self, sent: Mapping[str, Any], of: Mapping[str, Any]) -> str:
        kind = of.get("specimen") or ("plasma" if of["code"] == "plasma_ctdna" else "csf")
        components = [
            _component("48018-6", {"valueCodeableConcept": concept("HGNC:0", "urn:x", display=sent["gene"])}),
            _component("48002-0", {"valueCodeableConcept": concept("LA6684-0", LOINC)}),
        ]
        if "hgvs" in sent:
            code = "48005-3" if sent["hgvs"].startswith("p.") else "48004-6"
            components.append(_component(code, {"valueCodeableConcept": concept(sent["hgvs"], "urn:hgvs")}))
        if "vaf_pct" in sent:
            share = float(Decimal(str(sent["vaf_pct"])) / 100)
            components.append(_component("81258-6", {"valueQuantity": {"value": share, "code": "1", "system": UCUM}}))
        return self.add({
            "resourceType": "Observation", "status": "final", "code": concept("69548-6", LOINC), **self._subject(),
            "specimen": {"reference": self._sample(kind, of.get("collected_at"))},
            "valueCodeableConcept": concept("LA9633-4", LOINC), "component": components,
        })  # fmt: skip

    def _context(self, name: str, value: Any) -> None:
        if name == "tumor":
            sent = {"class": value} if isinstance(value, str) else dict(value)
            more = [
                {"code": concept(key, OURS + "context"), "valueString": sent[key]}
                for key in ("primary", "diagnosis")
                if sent.get(key)
            ]
            word = {"valueCodeableConcept": concept(sent["class"])} if sent.get("class") else {}
            self._said(name, word | ({"component": more} if more else {}))
        elif name == "stated":
            for word in value:
                self._said(name, {"valueCodeableConcept": concept(word)})
        elif name != "history":
            self._said(name, _context_value(value))

    def _said(self, name: str, value: Document) -> None:
        self.add({
            "resourceType": "Observation", "status": "final", "code": concept(name, OURS + "context"),
            **self._subject(), **value,
        })  # fmt: skip


def extension(name: str, **value: Any) -> Document:
    return {"url": f"{OURS}extension:{name}", **value}


def _component(code: str, value: Document) -> Document:
    return {"code": concept(code, LOINC), **value}


def _context_value(value: Any) -> Document:
    if value is None:
        return {"dataAbsentReason": {"text": "unknown"}}
    if isinstance(value, bool):
        return {"valueBoolean": value}
    if isinstance(value, int | float):
        return {"valueQuantity": {"value": value}}
    return {"valueString": value}


def _value(sent: Mapping[str, Any]) -> Document:
    """A number as a Quantity (digits as they are), everything else as text or our own word."""
    value = sent.get("value")
    if value is None:
        return {"dataAbsentReason": {"text": sent["absent_reason"]}} if sent.get("absent_reason") else {}
    if sent.get("value_type") == "text":
        return {"valueString": value}
    number = _number(value)
    if number is not None and ("unit" in sent or "comparator" in sent or not isinstance(value, str)):
        quantity = {"value": number, **{key: sent[key] for key in ("comparator", "unit") if key in sent}}
        return {"valueQuantity": quantity}
    return {"valueString": value} if "organism" in sent or " " in value else {"valueCodeableConcept": concept(value)}


def _number(value: object) -> float | int | None:
    """The number whose JSON text is exactly what was sent; None if there is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    for kind in (int, float):
        try:
            if str(kind(str(value))) == value and math.isfinite(float(value)):
                return kind(str(value))
        except ValueError:
            continue
    return None
