"""Interpretation -> interpretation document (design/interfaces.md section 2), as JSON text or as plain JSON types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from csfinterp.model.interpretation import CriticalResult, Interpretation, Result
from csfinterp.model.panel import Variant

_TUMOR_DNA = ("csf_ctdna", "plasma_ctdna")


@dataclass(frozen=True)
class Envelope:
    """What the service adds to an interpretation: ids, time, and who was called (by analyte and rule)."""

    panel_id: str | None
    version: int
    generated_at: str | datetime
    acknowledged: Mapping[tuple[str, str], Mapping[str, object]] = field(default_factory=dict)


def write(interpretation: Interpretation, envelope: Envelope) -> dict[str, object]:
    """The interpretation document, keys in the order of the contract, made of plain JSON types."""
    document: dict[str, object] = orjson.loads(text(interpretation, envelope))
    return document


def text(interpretation: Interpretation, envelope: Envelope) -> str:
    """The interpretation document as JSON text, the same bytes for the same interpretation and envelope."""
    return orjson.dumps(_document_of(interpretation, envelope), default=_mapping).decode()


def printed(document: Mapping[str, object]) -> str:
    """JSON text of a document that is made of plain JSON types."""
    return orjson.dumps(document, default=_mapping).decode()


def _document_of(interpretation: Interpretation, envelope: Envelope) -> dict[str, object]:
    """The document in the order of the contract; the model's dataclasses, whose fields are in that order, stand in it
    as they are."""
    head = {
        "panel_id": envelope.panel_id,
        "version": envelope.version,
        "status": interpretation.status,
        "generated_at": envelope.generated_at,
    }
    who = {name: _received(getattr(interpretation, name)) for name in _WHO}
    judged = {name: getattr(interpretation, name) for name in _JUDGED}
    readings = {name: getattr(interpretation, name) for name in _READINGS}
    results = [_fields(result) for result in interpretation.results]
    for result in results:
        del result["variants"]  # they stand in liquid_biopsy
    readings["liquid_biopsy"] = {
        "statements": interpretation.liquid_biopsy,
        "variants": _variants(interpretation.results),
    }
    readings["scores"] = [
        {("class" if name == "class_word" else name): value for name, value in _fields(score).items()}
        for score in interpretation.scores
    ]
    return {
        **head,
        **who,
        "results": results,
        **judged,
        **readings,
        "summary": interpretation.summary,
        "critical": [_critical(entry, envelope) for entry in interpretation.critical],
        "citations": interpretation.citations,
        "disclaimer": interpretation.disclaimer,
    }


_WHO = ("edition", "site_rules", "software", "patient", "specimen", "context")
_JUDGED = ("issues", "quality", "findings", "profiles", "lm", "hematologic_cns")
_READINGS = (
    "leukemia_cns", "liquid_biopsy", "patterns", "cautions", "differential", "scores", "recommendations",
)  # fmt: skip


def _fields(value: object) -> dict[str, Any]:
    """A dataclass as a dict of its fields, in their order, nothing inside converted."""
    return dict(vars(value))


def _mapping(value: object) -> dict[str, object]:
    """What orjson asks about: mappings that are no dict."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"no JSON type: {type(value).__name__}")


def _received(value: Any) -> Any:
    """What the sender gave, printed back: a whole number that no 64 bits hold becomes an ordinary number."""
    if isinstance(value, Mapping):
        return {str(key): _received(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_received(inner) for inner in value]
    return float(value) if type(value) is int and abs(value) >= 2**63 else value


def _variants(results: tuple[Result, ...]) -> list[dict[str, object]]:
    """Tumor DNA variants as received; `also_in_plasma` compares gene and HGVS text and nothing else."""
    tumor_dna = [result for result in results if result.analyte in _TUMOR_DNA]
    plasma = [result for result in tumor_dna if result.analyte == "plasma_ctdna"]
    return [
        {"analyte": result.analyte, **_fields(variant), "also_in_plasma": _in_plasma(result, variant, plasma)}
        for result in tumor_dna
        for variant in result.variants
    ]


def _in_plasma(result: Result, variant: Variant, plasma: list[Result]) -> bool | None:
    """None: the variant is itself from plasma, or plasma was not examined, failed, or named no variants to compare."""
    if result.analyte == "plasma_ctdna" or variant.hgvs is None:
        return None
    named = [other for sample in plasma for other in sample.variants]
    if any((other.gene, other.hgvs) == (variant.gene, variant.hgvs) for other in named):
        return True
    if any(other.gene == variant.gene and other.hgvs is None for other in named):
        return None
    examined = named or any(sample.value == "not_detected" for sample in plasma)
    return False if examined else None


def _critical(entry: CriticalResult, envelope: Envelope) -> dict[str, object]:
    told = envelope.acknowledged.get((entry.analyte, entry.rule))
    return {**_fields(entry), "acknowledged": entry.acknowledged if told is None else told}
