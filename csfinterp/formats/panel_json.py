"""The JSON door: panel document -> Panel, Interpretation -> interpretation document (design/interfaces.md 1 and 2).

Cells have issues, documents have errors: an odd value, unit or code is kept verbatim for the core to answer; only a
document that is unreadable or breaks the schema is refused, with one Fault per field.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import orjson
from marshmallow import ValidationError

from csfinterp.errors import DocumentError, Fault
from csfinterp.formats.interpretation_json import Envelope, printed, text, write
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
    "PANEL", "Envelope", "NumberText", "ReadLimits", "assembled", "content_digest", "dumps", "faults_of", "parse",
    "printed", "read", "read_document", "read_many", "text", "write",
]  # fmt: skip

PANEL = PanelSchema()
_YES_NO = {True: "yes", False: "no"}


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
        loaded = PANEL.load(document)
    except ValidationError as error:
        raise refuse(list(faults_of(error.messages))) from None
    return assembled(loaded, document)


def faults_of(messages: Any, path: Path = ()) -> Iterator[Fault]:
    """marshmallow's nested messages as one Fault per message; `_schema` speaks of the object itself."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from faults_of(inner, path if key == "_schema" else (*path, key))
    else:
        for message in messages:
            yield Fault(pointer(path), message)


def assembled(loaded: dict[str, Any], document: dict[str, Any] | None = None) -> Panel:
    """The panel of what the schema made of a document; without the document the panel carries none.

    For doors that ask the fields of the schema one by one (`PANEL`): then no document is walked for each panel.
    """
    sent = {} if document is None else document
    source, patient = loaded.get("source") or {}, dict(loaded.get("patient") or {})
    patient["age"] = Age(**patient["age"]) if patient.get("age") else None
    patient["sex"] = patient.get("sex") or "unknown"
    return Panel(
        specimen=_specimen(dict(loaded["specimen"])),
        observations=tuple(map(_observation, loaded["observations"])),
        patient=Patient(**patient),
        source=Source(**source),
        context=_context(_known(loaded.get("context")), sent.get("context") or {}),
        status=loaded.get("status") or "final",
        document={} if document is None else _document(document),
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
    content: dict[str, Any] = dict(panel.document) or _fields_of(panel)
    content["source"] = {**(content.get("source") or {}), "message_id": None}
    content["observations"] = [
        {**observation, "value": _value_text(observation.get("value")), "value_type": None}
        for observation in content["observations"]
    ]
    canonical = dumps(_sorted(content))
    return "sha256:" + hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def _fields_of(panel: Panel) -> dict[str, Any]:
    fields: dict[str, Any] = orjson.loads(orjson.dumps(panel, default=dict))
    return fields


def _value_text(value: object) -> str | None:
    """A number and a text of the same characters are the same content (str: NumberText prints without quotes)."""
    return None if value is None else str(value)


def _sorted(value: Any) -> Any:
    """Keys in order; null and empty parts left out."""
    if isinstance(value, dict):
        inner = {key: _sorted(value[key]) for key in sorted(value)}
        return {key: item for key, item in inner.items() if item not in (None, {}, [])}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
