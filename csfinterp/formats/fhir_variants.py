"""Variant Observations of the HL7 genomics guide -> csf_ctdna or plasma_ctdna of the panel document (codes.md 8).

A germline variant is no tumor evidence, and only a variant stated as somatic counts as detected.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from csfinterp.formats.fhir_body import Element, Resource, word
from csfinterp.formats.fhir_names import (
    ALLELE_FREQUENCY,
    GENE,
    GERMLINE,
    HGVS,
    LOINC,
    PRESENT,
    SOMATIC,
    SOURCE_CLASS,
    VARIANT,
    VARIANT_WORDS,
)
from csfinterp.formats.fhir_observation import Cell, Taken, coded, unit_of, words_of
from csfinterp.formats.report_words import part, parts
from csfinterp.formats.strict_json import NumberText

TUMOR_DNA = {"csf": "csf_ctdna", "plasma": "plasma_ctdna"}
NOT_STATED = "the source class of the variant is not stated: send component 48002-0, Somatic (LA6684-0) or Germline"
ONLY_GERMLINE = "only germline variants were reported, which are no tumor evidence"
WITHDRAWN = ("cancelled", "entered-in-error")


def is_variant(resource: Resource) -> bool:
    """True for a variant Observation of the genomics guide; a whole result sent under this code is none."""
    content = resource.content
    named = coded(part(content, "code"), LOINC) == VARIANT
    return named and (_presence(content) is not None or bool(_component(content, GENE)))


def kind_of(cell: Cell) -> str | None:
    """csf or plasma if this is a whole result of tumor DNA; None for every other."""
    code = cell.content.get("code")
    if isinstance(code, dict) and (code.get("system"), code.get("code")) == (LOINC, VARIANT):
        return str(cell.content.get("specimen") or "csf")
    return next((kind for kind, name in TUMOR_DNA.items() if code == name), None)


def ctdna(variants: Sequence[Resource], taken: Taken) -> Cell:
    """All variant Observations of one specimen as one observation; `taken.specimen` is csf or plasma."""
    first = variants[0]
    standing = [one.content for one in variants if one.content.get("status") not in WITHDRAWN]
    content: Element = {"code": TUMOR_DNA[str(taken.specimen)], **_result(standing)}
    somatic = [one for one in standing if _presence(one) == "present" and _source(one) == SOMATIC]
    listed = [found for one in somatic if (found := _variant(one)) is not None]
    if listed:
        content["variants"] = listed
    if not standing:
        content["status"] = "entered_in_error"
    if taken.specimen != "csf":
        content |= {"specimen": taken.specimen, **({"collected_at": taken.collected_at} if taken.collected_at else {})}
    method = next(filter(None, (words_of(one.get("method")) for one in standing)), None)
    return Cell(content | ({"method": method} if method else {}), {"": first.path})


def merged(cell: Cell, variants: Cell) -> Cell:
    """A result sent under our own id, with the variants that stand beside it; the result sent leads."""
    listed = variants.content.get("variants")
    return Cell({**cell.content, **({"variants": listed} if listed else {})}, cell.origin)


def _result(standing: Iterable[Element]) -> Element:
    found = [(_presence(one), _source(one)) for one in standing]
    tumor = [(presence, source) for presence, source in found if source != GERMLINE]
    if ("present", SOMATIC) in tumor:
        return {"value": "detected"}
    if not tumor:
        return {"value": None, "absent_reason": ONLY_GERMLINE if found else "withdrawn by the sender"}
    if any(presence == "present" for presence, _ in tumor):
        return {"value": "indeterminate", "note": f"Not judged: {NOT_STATED}."}
    words = {presence or "" for presence, _ in tumor}
    # Absent beside failed calls is no negative of the whole test.
    return {"value": {"absent": "not_detected", "no call": "failed"}.get("+".join(sorted(words)), "indeterminate")}


def _presence(content: Element) -> str | None:
    """present, absent, indeterminate or "no call"; None if it is not said in these words."""
    concept = part(content, "valueCodeableConcept")
    if coded(concept, LOINC) == PRESENT:
        return "present"
    said = [word(concept, "text"), *(word(one, "display") for one in parts(concept, "coding"))]
    return next((VARIANT_WORDS[text.casefold()] for text in said if text and text.casefold() in VARIANT_WORDS), None)


def _source(content: Element) -> str | None:
    return coded(part(_component(content, SOURCE_CLASS), "valueCodeableConcept"), LOINC)


def _component(content: Element, code: str) -> Element:
    found = (one for one in parts(content, "component") if coded(part(one, "code"), LOINC) == code)
    return dict(next(found, {}))


def _variant(content: Element) -> Element | None:
    """gene, HGVS and allele fraction in percent; None if no gene is named."""
    gene = _name(content, GENE)
    if gene is None:
        return None
    hgvs = next(filter(None, (_name(content, code) for code in HGVS)), None)
    share = _percent(dict(part(_component(content, ALLELE_FREQUENCY), "valueQuantity")))
    return {"gene": gene, **({"hgvs": hgvs} if hgvs else {}), **({"vaf_pct": share} if share else {})}


def _name(content: Element, code: str) -> str | None:
    """The name in a component: what is printed before the bare code (HGNC:3430 is no name of a gene)."""
    concept = part(_component(content, code), "valueCodeableConcept")
    shown = [word(one, "display") for one in parts(concept, "coding")]
    return next(filter(None, shown), None) or words_of(concept)


def _percent(quantity: Element) -> NumberText | None:
    value, unit = quantity.get("value"), unit_of(quantity)
    if not isinstance(value, NumberText) or unit not in ("1", "%"):
        return None
    number = Decimal(value) * (100 if unit == "1" else 1)
    return NumberText(f"{number.normalize():f}") if abs(number.adjusted()) < 20 else None
