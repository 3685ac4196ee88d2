"""The JSON door: panel document -> Panel, Interpretation -> interpretation document (design/interfaces.md 1 and 2).

Cells have issues, documents have errors: an odd value, unit or code is kept verbatim for the core to answer; only a
document that is unreadable or breaks the schema is refused, with one Fault per field.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime
from typing import Any

from marshmallow import ValidationError

from csfinterp.errors import DocumentError, Fault
from csfinterp.formats.panel_fields import plain
from csfinterp.formats.panel_schema import VOLUME_UNITS, PanelSchema
from csfinterp.formats.strict_json import (
    DEFAULT_LIMITS,
    NumberText,
    Path,
    ReadLimits,
    check,
    decode,
    decode_many,
    dumps,
    parse,
    pointer,
    refuse,
)
from csfinterp.model import context as words
from csfinterp.model.interpretation import Interpretation, Result
from csfinterp.model.panel import (
    Age,
    Code,
    Context,
    Observation,
    Panel,
    Patient,
    Source,
    Specimen,
    Variant,
)

__all__ = [
    "Envelope", "NumberText", "ReadLimits", "content_digest", "dumps", "parse", "read", "read_document", "read_many",
    "write",
]  # fmt: skip

_PANEL = PanelSchema()
_YES_NO = {True: "yes", False: "no"}
_TUMOR_DNA = ("csf_ctdna", "plasma_ctdna")


@dataclass(frozen=True)
class Envelope:
    """What the service adds to an interpretation: ids, time, and who was called (by analyte and rule)."""

    panel_id: str | None
    version: int
    generated_at: str | datetime
    acknowledged: Mapping[tuple[str, str], Mapping[str, object]] = field(default_factory=dict)


def read(data: bytes, limits: ReadLimits = DEFAULT_LIMITS) -> Panel:
    """The panel of one JSON document. Raises DocumentError, never anything else."""
    return read_document(decode(data, limits), limits)


def read_many(data: bytes, limits: ReadLimits = DEFAULT_LIMITS) -> Iterator[Panel | DocumentError]:
    """Panels of one document, an array or JSON lines, in order; a bad item is its DocumentError and the rest goes on.

    `limits` hold for each item; how many items there may be is the caller's to count.
    """
    for item in decode_many(data, limits):
        if isinstance(item, DocumentError):
            yield item
            continue
        try:
            yield read_document(item, limits)
        except DocumentError as error:
            yield error


def read_document(document: object, limits: ReadLimits = DEFAULT_LIMITS) -> Panel:
    """The panel of a parsed document; numbers may be NumberText (kept verbatim) or plain. Raises DocumentError."""
    if not isinstance(document, dict):
        raise refuse([Fault("", "A panel is one JSON object with specimen and observations. Send an object.")])
    observations = document.get("observations")
    if isinstance(observations, list) and len(observations) > limits.max_observations:
        text = f"More than {limits.max_observations} observations. Send one specimen per panel, in parts if need be."
        raise refuse([Fault("/observations", text)])
    check(document, limits)
    try:
        loaded = _PANEL.load(document)
    except ValidationError as error:
        raise refuse(list(_faults(error.messages, ()))) from None
    return _panel(loaded, document)


def _faults(messages: Any, path: Path) -> Iterator[Fault]:
    """marshmallow's nested messages as one Fault per message; `_schema` speaks of the object itself."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from _faults(inner, path if key == "_schema" else (*path, key))
    else:
        for message in messages:
            yield Fault(pointer(path), message)


def _panel(loaded: dict[str, Any], document: dict[str, Any]) -> Panel:
    source, patient = loaded.get("source") or {}, dict(loaded.get("patient") or {})
    patient["age"] = Age(**patient["age"]) if patient.get("age") else None
    patient["sex"] = patient.get("sex") or "unknown"
    return Panel(
        specimen=_specimen(dict(loaded["specimen"])),
        observations=tuple(map(_observation, loaded["observations"])),
        patient=Patient(**patient),
        source=Source(**source),
        context=_context(_known(loaded.get("context")), document.get("context") or {}),
        status=loaded.get("status") or "final",
        document=_document(document),
    )


def _known(part: dict[str, Any] | None) -> dict[str, Any]:
    """Without what was sent as null: absent and null mean the same."""
    return {key: value for key, value in (part or {}).items() if value is not None}


def _specimen(part: dict[str, Any]) -> Specimen:
    volume = part.pop("volume", None)
    volume_ml = round(volume["value"] * VOLUME_UNITS[volume["unit"]], 9) if volume else None
    return Specimen(**_known(part), volume_ml=volume_ml)


def _observation(part: dict[str, Any]) -> Observation:
    part = _known(part)
    variants = tuple(Variant(**variant) for variant in part.pop("variants", ()))
    return Observation(code=Code(**part.pop("code")), variants=variants, **part)


def _context(part: dict[str, Any], sent: dict[str, Any]) -> Context:
    tumor, history = part.get("tumor", {}), _known(part.get("history"))
    coded = {"tumor": tumor.get("class"), **{name: part.get(name) for name in words.CODED_CONTEXT if name != "tumor"}}
    yes_no = {name: _YES_NO[part[name]] for name in words.YES_NO_CONTEXT if name in part}
    if history:
        # As sent, except that a bare word of cytology becomes the object of the contract.
        history = {
            key: plain(sent["history"][key]) if key != "csf_cytology" else _known(value)
            for key, value in history.items()
        }
    return Context(
        words=_known(coded) | yes_no,
        numbers={name: part[name] for name in words.NUMBER_CONTEXT if name in part},
        texts={name: part[name] for name in words.TEXT_CONTEXT if name in part},
        tumor_primary=tumor.get("primary"),
        tumor_diagnosis=tumor.get("diagnosis"),
        stated=part.get("stated", ()),
        history=history,
    )


def _document(document: dict[str, Any]) -> dict[str, Any]:
    """A copy of the document with plain numbers, except the values of observations: those stay verbatim."""
    copy = plain(document)
    for place, observation in enumerate(document["observations"]):
        if isinstance(observation.get("value"), NumberText):
            copy["observations"][place]["value"] = observation["value"]
    return copy


def content_digest(panel: Panel) -> str:
    """`sha256:...` of the clinical content as the sender gave it, without source.message_id.

    Order of keys, white space, and null against absent make no difference; a value counts as its text. A panel that
    was built without a document is digested from its fields.
    """
    content: dict[str, Any] = dict(panel.document) or _plain(panel)
    content["source"] = {**(content.get("source") or {}), "message_id": None}
    content["observations"] = [
        {**observation, "value": _value_text(observation.get("value"))} for observation in content["observations"]
    ]
    canonical = dumps(_sorted(content))
    return "sha256:" + hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def _value_text(value: object) -> str | None:
    """A number and a text of the same characters are the same content (str: NumberText prints without quotes)."""
    return None if value is None else str(value)


def _sorted(value: Any) -> Any:
    """Keys in order; null and empty parts left out."""
    if isinstance(value, dict):
        inner = {key: _sorted(value[key]) for key in sorted(value)}
        return {key: item for key, item in inner.items() if item not in (None, {}, [])}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def write(interpretation: Interpretation, envelope: Envelope) -> dict[str, object]:
    """The interpretation document, keys in the order of the contract, made of plain JSON types."""
    at = envelope.generated_at
    head = {
        "panel_id": envelope.panel_id,
        "version": envelope.version,
        "status": interpretation.status,
        "generated_at": at.isoformat() if isinstance(at, datetime) else at,
    }
    who = {name: _plain(getattr(interpretation, name)) for name in _WHO}
    results: dict[str, object] = {
        "results": [_without(result, "variants") for result in interpretation.results],
        "issues": _plain(interpretation.issues),
        "quality": _plain(interpretation.quality),
    }
    judged = {name: _plain(getattr(interpretation, name)) for name in ("findings", "profiles", "lm", "hematologic_cns")}
    last = {
        "summary": _plain(interpretation.summary),
        "critical": [_critical(item, envelope) for item in _plain(interpretation.critical)],
        "citations": _plain(interpretation.citations),
        "disclaimer": interpretation.disclaimer,
    }
    return {**head, **who, **results, **judged, **_readings(interpretation), **last}


_WHO = ("edition", "site_rules", "software", "patient", "specimen", "context")


def _readings(interpretation: Interpretation) -> dict[str, object]:
    """Leukemia status, liquid biopsy, patterns, cautions, differential, scores and recommendations."""
    leukemia = _at_end(_plain(interpretation.leukemia_cns), "text")
    leukemia["source_status"] = leukemia.pop("status_of_source")
    scores = []
    for score in interpretation.scores:
        entry = _plain(score)
        scores.append({("class" if name == "class_word" else name): value for name, value in entry.items()})
    return {
        "leukemia_cns": leukemia,
        "liquid_biopsy": {
            "statements": _plain(interpretation.liquid_biopsy),
            "variants": _variants(interpretation.results),
        },
        "patterns": [_at_end(entry, "lines", "status") for entry in _plain(interpretation.patterns)],
        "cautions": _plain(interpretation.cautions),
        "differential": _plain(interpretation.differential),
        "scores": scores,
        "recommendations": _plain(interpretation.recommendations),
    }


def _at_end(entry: dict[str, Any], *ours: str) -> dict[str, Any]:
    """The same entry with the keys that the contract does not print behind those that it does."""
    for name in ours:
        entry[name] = entry.pop(name)
    return entry


def _variants(results: tuple[Result, ...]) -> list[dict[str, object]]:
    """Tumor DNA variants as received; `also_in_plasma` compares gene and HGVS text and nothing else."""
    tumor_dna = [result for result in results if result.analyte in _TUMOR_DNA]
    plasma = [result for result in tumor_dna if result.analyte == "plasma_ctdna"]
    return [
        {"analyte": result.analyte, **_plain(variant), "also_in_plasma": _in_plasma(result, variant, plasma)}
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


def _critical(item: dict[str, object], envelope: Envelope) -> dict[str, object]:
    told = envelope.acknowledged.get((str(item["analyte"]), str(item["rule"])))
    return {**item, "acknowledged": item["acknowledged"] if told is None else _plain(told)}


def _without(result: Result, *names: str) -> dict[str, object]:
    return {name: value for name, value in _plain(result).items() if name not in names}


_ATOMS = frozenset((str, float, int, bool, type(None)))
_names: dict[type, tuple[str, ...]] = {}  # field names of dataclasses: asking each time costs most of a document


def _plain(value: Any) -> Any:
    """Dataclasses and mappings as dicts in their own order, sequences as lists, dates as ISO text.

    A document has some ten thousand atoms, so that no call is made for one inside of something else.
    """
    kind, atoms = type(value), _ATOMS
    if kind in atoms:
        return value
    if kind is tuple or kind is list:
        return [item if type(item) in atoms else _plain(item) for item in value]
    if kind not in _names and is_dataclass(value):
        _names[kind] = tuple(item.name for item in fields(value))
    if kind in _names:
        held = value.__dict__
        return {name: item if type(item := held[name]) in atoms else _plain(item) for name in _names[kind]}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, NumberText) else value
