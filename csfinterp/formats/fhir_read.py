"""FHIR R4 body -> panel documents -> Panels: all formats share the one meaning of the panel document.

A Bundle (transaction, batch, collection, message) may hold several CSF specimens: one panel each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from csfinterp.errors import DocumentError, Fault
from csfinterp.formats import panel_json
from csfinterp.formats.fhir_body import Body, Element, Resource, logical, word
from csfinterp.formats.fhir_check import faults_of
from csfinterp.formats.fhir_groups import Group, Grouping
from csfinterp.formats.fhir_names import REPORT_STATUS
from csfinterp.formats.fhir_observation import Cell, Taken, cells_of
from csfinterp.formats.fhir_subject import (
    collected_at,
    context_of,
    effective_at,
    patient_of,
    specimen_id,
    specimen_of,
    specimen_type,
)
from csfinterp.formats.fhir_variants import TUMOR_DNA, ctdna, is_variant, kind_of, merged
from csfinterp.formats.report_words import part, parts
from csfinterp.formats.strict_json import DEFAULT_LIMITS, Path, ReadLimits, pointer, refuse
from csfinterp.model.panel import Panel


@dataclass(frozen=True)
class Found:
    """One panel of a body, or why it cannot be read. `entries`: the places in Bundle.entry that it is made of."""

    panel: Panel | DocumentError
    entries: tuple[int, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What a body holds. `left`: entry -> why it belongs to no panel."""

    type: str | None
    found: tuple[Found, ...]
    left: dict[int, str] = field(default_factory=dict)


def read(data: bytes, limits: ReadLimits = DEFAULT_LIMITS) -> list[Panel]:
    """The panels of a FHIR body. Raises DocumentError if any of them cannot be read."""
    panels = []
    for found in read_body(panel_json.parse(data, limits), limits).found:
        if isinstance(found.panel, DocumentError):
            raise found.panel
        panels.append(found.panel)
    return panels


def read_body(document: object, limits: ReadLimits = DEFAULT_LIMITS) -> Reading:
    """As `read` for a parsed body, panel by panel. Raises DocumentError if the body itself cannot be read."""
    if not isinstance(document, dict):
        raise refuse([Fault("", "A FHIR resource is one JSON object. Send a Bundle or a DiagnosticReport.")])
    body = Body(document)
    if len(body.of("Observation")) > limits.max_observations:
        text = f"More than {limits.max_observations} Observations in one message. Send them in several."
        raise refuse([Fault("/entry" if body.type else "/contained", text)])
    wrong = {resource: faults for resource in body.resources if (faults := faults_of(resource))}
    if wrong and body.type != "batch":
        raise refuse([fault for faults in wrong.values() for fault in faults])
    grouping = Grouping(body)
    if grouping.faults and body.type != "batch":
        raise refuse(grouping.faults)
    found = [_found(group, grouping, wrong, limits) for group in grouping.groups.values()]
    used = {entry for one in found for entry in one.entries}
    left = {one.entry: why for one, why in grouping.left if one.entry is not None and one.entry not in used}
    found += [_lost(resource, faults) for resource, faults in wrong.items() if resource.entry not in used]
    if not found:
        raise refuse(grouping.faults or [Fault("", _nothing(body))])
    return Reading(body.type, tuple(found), left)


def _nothing(body: Body) -> str:
    if not body.of("Observation"):
        return "There is no Observation. Send the results as Observations, with a Specimen of type CSF."
    return "No result is of a CSF specimen. Send a Specimen with identifier and type CSF (v2-0487), and refer to it."


def _lost(resource: Resource, faults: list[Fault]) -> Found:
    """An entry of a batch that no panel uses and that is wrong in itself."""
    return Found(refuse(faults), () if resource.entry is None else (resource.entry,))


def _found(group: Group, grouping: Grouping, wrong: dict[Resource, list[Fault]], limits: ReadLimits) -> Found:
    patient = _patient(group, grouping)
    used = [*group.used, *([patient] if patient else [])]
    entries = tuple(sorted({one.entry for one in used if one.entry is not None}))
    faults = [fault for one in dict.fromkeys(used) for fault in wrong.get(one, ())] + group.faults
    if faults:
        return Found(refuse(faults), entries)
    if isinstance(group.specimen, Resource) and specimen_id(group.specimen) is None:
        text = "The specimen has no number of its own. Send Specimen.identifier or Specimen.accessionIdentifier."
        return Found(refuse([Fault(pointer(group.specimen.path), text)]), entries)
    draft = _Document(group, grouping, patient)
    try:
        return Found(panel_json.read_document(draft.content, limits), entries)
    except DocumentError as error:
        return Found(draft.in_body(error), entries)


def _patient(group: Group, grouping: Grouping) -> Resource | None:
    """The Patient of the panel, if it is in the body."""
    about = [*group.reports, *group.members, *([group.specimen] if isinstance(group.specimen, Resource) else [])]
    targets = (grouping.body.target(one.content.get("subject"), one) for one in about)
    return next((one for one in targets if one is not None and one.type == "Patient"), None)


class _Document:
    """The panel document of one group, and where in the body each part of it stands."""

    def __init__(self, group: Group, grouping: Grouping, patient: Resource | None) -> None:
        self._group, self._grouping, self._body = group, grouping, grouping.body
        self.origin: dict[Path, Path] = {}
        context, about, said = context_of(group.context)
        self.origin |= {("context", name): resource.path for name, resource in said.items()}
        cells = list(self._cells())
        parts_of_panel = {
            "source": self._source(),
            "patient": self._who(patient) | about,
            "specimen": self._specimen(),
            "status": self._status(),
            "context": context,
            "observations": [cell.content for cell in cells],
        }
        for number, cell in enumerate(cells):
            for key, path in cell.origin.items():
                self.origin[("observations", number, *([key] if key else []))] = path
        self.content: Element = {key: value for key, value in parts_of_panel.items() if value not in (None, {})}

    def in_body(self, error: DocumentError) -> DocumentError:
        """The same error with pointers into the sender's body."""
        known = {pointer(path): pointer(place) for path, place in self.origin.items()}
        faults = tuple(Fault(_nearest(fault.pointer, known), fault.message) for fault in error.faults)
        return DocumentError(error.message, faults, too_large=error.too_large)

    def _who(self, patient: Resource | None) -> Element:
        if patient is not None:
            self.origin[("patient",)] = patient.path
            return patient_of(patient)
        named = (logical(one.content.get("subject")) for one in (*self._group.reports, *self._group.members))
        found = next(filter(None, named), None)
        return {} if found is None else {"id": found}

    def _specimen(self) -> Element:
        specimen = self._group.specimen
        stated = [effective_at(one.content) for one in self._group.reports]
        members = self._group.members
        own = [effective_at(one.content) for one in members if self._taken(one).specimen in (None, "csf")]
        alike = own[0] if own and len(set(own)) == 1 else None
        collected = next(filter(None, stated), None) or alike
        if isinstance(specimen, Resource):
            self.origin[("specimen",)] = specimen.path
            return specimen_of(specimen, collected)
        return {"id": specimen, **({"collected_at": collected} if collected else {})}

    def _status(self) -> str:
        """By the reports, without any by the results: corrected before preliminary before final (codes.md 3)."""
        said = [REPORT_STATUS[str(one.content.get("status"))] for one in self._group.reports]
        if not said:
            results = [str(one.content.get("status")) for one in self._group.members]
            if all(status in ("cancelled", "entered-in-error") for status in results):
                return "cancelled"
            said = [REPORT_STATUS[one] for one in results if one not in ("cancelled", "entered-in-error")]
        if all(status == "cancelled" for status in said):
            return "cancelled"
        return next((status for status in ("corrected", "preliminary") if status in said), "final")

    def _source(self) -> Element:
        """Who sends: MessageHeader.source, else meta.source of Bundle or report. The message: Bundle.identifier."""
        root = self._body.root
        headers = [part(one.content, "source") for one in self._body.of("MessageHeader")]
        metas = [part(root, "meta"), *(part(one.content, "meta") for one in self._group.reports)]
        named = [word(one, key) for one in headers for key in ("name", "endpoint")]
        named += [word(one, "source") for one in metas]
        message = word(part(root, "identifier"), "value") if root.get("resourceType") == "Bundle" else None
        if message is not None and len(self._grouping.groups) > 1:  # one message id is one panel (codes.md 5)
            message = f"{message}/{self._number()}"
        self.origin[("source",)] = ()
        said = {"system": next(filter(None, named), None), "message_id": message}
        return {key: value for key, value in said.items() if value is not None}

    def _number(self) -> int:
        return list(self._grouping.groups.values()).index(self._group) + 1

    def _taken(self, one: Resource) -> Taken:
        """What is said about the sample of a result: nothing where it is simply a result of the panel's specimen."""
        key = self._grouping.sample(one)
        kind = specimen_type(key) if isinstance(key, Resource) else None
        if kind == "csf" or (key is not None and key == self._group.specimen):
            return Taken(kind)
        there = collected_at(key.content) if isinstance(key, Resource) else None
        return Taken(kind, there or effective_at(one.content))

    def _cells(self) -> Iterator[Cell]:
        """The results in order; variant Observations become one result of their specimen, or join the one sent."""
        variants = {one: self._variant_sample(one) for one in self._group.members if is_variant(one)}
        plain = {one: list(cells_of(one, self._taken(one))) for one in self._group.members if one not in variants}
        sent = [kind_of(cell) for cells in plain.values() for cell in cells]
        told: set[str | None] = set()
        for one in self._group.members:
            for cell in plain.get(one, ()):
                found = self._variants_of(one, kind_of(cell), variants, sent)
                yield merged(cell, ctdna(found, variants[found[0]])) if found else cell
            if one in variants:
                kind = variants[one].specimen
                if kind not in TUMOR_DNA:
                    yield from cells_of(one, variants[one])
                elif kind not in told and kind not in sent:
                    told.add(kind)
                    yield ctdna([other for other, taken in variants.items() if taken.specimen == kind], variants[one])

    def _variants_of(
        self, one: Resource, kind: str | None, variants: Mapping[Resource, Taken], sent: list[str | None]
    ) -> list[Resource]:
        """The variants of a whole result: its members; without members, and if it is the only one, all of its kind."""
        if kind is None:
            return []
        members = [self._body.target(reference, one) for reference in parts(one.content, "hasMember")]
        alike = [other for other, taken in variants.items() if taken.specimen == kind]
        own = [other for other in alike if other in members]
        return own or (alike if sent.count(kind) == 1 else [])

    def _variant_sample(self, one: Resource) -> Taken:
        """A variant without a specimen of its own is of the specimen of its report."""
        taken = self._taken(one)
        return Taken("csf") if self._grouping.sample(one) in (None, self._group.specimen) else taken


def _nearest(place: str, known: dict[str, str]) -> str:
    """Where the part of the panel document, or what it belongs to, stands in the body; "" is the whole body."""
    while place and place not in known:
        place = place.rpartition("/")[0]
    return known.get(place, "")
