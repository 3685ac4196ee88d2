"""Names of the FHIR door: code systems, and which FHIR code means which word of the panel document.

Sources: clinical/codes.md sections 4, 7, 8. Our own systems are URNs: nothing official is claimed by them.
"""

from __future__ import annotations

MEDIA_TYPE = "application/fhir+json"

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
SNOMED = "http://snomed.info/sct"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
DATA_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
SPECIMEN_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0487"
SPECIMEN_CONDITION = "http://terminology.hl7.org/CodeSystem/v2-0493"

# Ours. `urn:csfinterp:<list>|<id>`: ids as in the panel and interpretation documents.
_OURS = "urn:csfinterp:"
ANALYTE = _OURS + "analyte"
WORD = _OURS + "word"  # coded results, context words, specimen words
CONTEXT = _OURS + "context"
COMPONENT = _OURS + "component"  # organism, organism_class
REPORT = _OURS + "report"
PANEL = _OURS + "panel"
FINDING = _OURS + "finding"
LM_CERTAINTY = _OURS + "lm-certainty"
LM_TYPE = _OURS + "lm-type"
ISSUE = _OURS + "issue"
EDITION, EDITION_DIGEST = _OURS + "edition", _OURS + "edition-digest"
SITE_RULES, SITE_RULES_DIGEST = _OURS + "site-rules", _OURS + "site-rules-digest"
SOURCE = _OURS + "source"
EXTENSION = _OURS + "extension:"  # tube, tube_count, puncture_number, position, analyzed_at, unit
REPORT_CODE = "csf-interpretation"

OBSERVATION_STATUS = {
    "registered": "preliminary",
    "preliminary": "preliminary",
    "final": "final",
    "amended": "corrected",
    "corrected": "corrected",
    "cancelled": "cancelled",
    "entered-in-error": "entered_in_error",
    "unknown": None,
}
# `unknown` is not final: nobody said so. Added content of `appended` leaves the report final (codes.md 3, code B).
REPORT_STATUS = {
    "registered": "preliminary",
    "partial": "preliminary",
    "preliminary": "preliminary",
    "final": "final",
    "amended": "corrected",
    "corrected": "corrected",
    "appended": "final",
    "cancelled": "cancelled",
    "entered-in-error": "cancelled",
    "unknown": "preliminary",
}
SPECIMEN_STATUS = ("available", "unavailable", "unsatisfactory", "entered-in-error")
GENDERS = ("male", "female", "other", "unknown")
COMPARATORS = ("<", "<=", ">=", ">")
BUNDLE_TYPES = ("transaction", "batch", "collection", "message", "document", "searchset", "history")

# Of several flags of the laboratory this order leads: the critical ones first.
FLAG_ORDER = ("AA", "HH", "LL", "A", "H", "L", "N")
# Detection codes stand for the result where no value was sent (codes.md 4).
DETECTION = {"POS": "positive", "NEG": "negative", "DET": "detected", "ND": "not_detected"}
FLAG_DISPLAY = {
    "N": "Normal",
    "L": "Low",
    "H": "High",
    "LL": "Critical low",
    "HH": "Critical high",
    "A": "Abnormal",
    "AA": "Critical abnormal",
}

SPECIMENS = {
    (SPECIMEN_TYPE, "CSF"): "csf",
    (SPECIMEN_TYPE, "SER"): "serum",
    (SPECIMEN_TYPE, "PLAS"): "plasma",
    (SPECIMEN_TYPE, "BLD"): "blood",
    (SNOMED, "258450006"): "csf",
    (SNOMED, "119364003"): "serum",
    (SNOMED, "119297000"): "blood",
    **{(WORD, word): word for word in ("csf", "serum", "plasma", "blood")},
}
SPECIMEN_TEXTS = {
    "csf": "csf",
    "cerebrospinal fluid": "csf",
    "cerebral spinal fluid": "csf",
    "cerebrospinal fluid sample": "csf",
    "spinal fluid": "csf",
    "liquor": "csf",
    "serum": "serum",
    "plasma": "plasma",
    "blood": "blood",
    "whole blood": "blood",
}
SPECIMEN_CODES = {"csf": ((SPECIMEN_TYPE, "CSF"), (SNOMED, "258450006"))}
CONDITIONS = {"HEM": "hemolyzed", "CLOT": "clotted", "FROZ": "frozen", "COOL": "cooled"}
LUMBAR_PUNCTURE = (SNOMED, "277762005")
SITE_TEXTS = {"lumbar": "lumbar", "lumbar puncture": "lumbar", "ventricular": "ventricular", "cisternal": "cisternal"}

VARIANT = "69548-6"
PRESENT, SOMATIC, GERMLINE = "LA9633-4", "LA6684-0", "LA6683-2"
VARIANT_WORDS = {"present": "present", "absent": "absent", "indeterminate": "indeterminate", "no call": "no call"}
GENE, SOURCE_CLASS, ALLELE_FREQUENCY = "48018-6", "48002-0", "81258-6"
# p. is preferred for display, then c., then g.
HGVS = ("48005-3", "48004-6", "81290-9")
