"""Which resources of a FHIR body make one panel: a CSF specimen, its reports, their results and the paired serum.

A result is never joined to the specimen or the patient of another: where that is not certain, the sender is told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from csfinterp.errors import Fault
from csfinterp.formats.fhir_body import Body, Resource, logical
from csfinterp.formats.fhir_names import SPECIMEN_TEXTS
from csfinterp.formats.fhir_subject import context_id, patient_id, specimen_type
from csfinterp.formats.report_words import parts
from csfinterp.formats.strict_json import pointer

BLOOD = ("serum", "plasma", "blood")
_KNOWN = "v2-0487 CSF, SER, PLAS or BLD, or SNOMED CT 258450006 for CSF"
_NO_SPECIMEN = "No specimen is named. Send a Specimen with identifier and type, and refer to it."
Key = Resource | str


@dataclass(eq=False)
class Group:
    """One panel to be. `specimen`: its Specimen, or the identifier by which an absent one is named."""

    specimen: Key
    reports: list[Resource] = field(default_factory=list)
    members: list[Resource] = field(default_factory=list)
    context: list[Resource] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def add(self, *members: Resource) -> None:
        known = set(self.members)
        self.members += [one for one in dict.fromkeys(members) if one not in known]

    def refuse(self, resource: Resource, message: str, *steps: str | int) -> None:
        self.faults.append(Fault(pointer((*resource.path, *steps)), message))

    @property
    def used(self) -> Iterator[Resource]:
        yield from (*self.reports, *self.members, *self.context)
        if isinstance(self.specimen, Resource):
            yield self.specimen


class Grouping:
    """The panels of a body; `left`: resources that belong to none, with the reason."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.groups: dict[Key, Group] = {}
        self.left: list[tuple[Resource, str]] = []
        self.faults: list[Fault] = []
        self._people: dict[Resource, Key | None] = {}
        observations = body.of("Observation")
        self._results = [one for one in observations if context_id(one) is None]
        self._reports = body.of("DiagnosticReport")
        for report in self._reports:
            self._report(report)
        self._loose()
        for group in self.groups.values():
            self._same_patient(group)
        self._context([one for one in observations if context_id(one) is not None])

    def sample(self, resource: Resource) -> Key | None:
        """The Specimen of an Observation, or the identifier of one that is not in the body."""
        return self._key(resource.content.get("specimen"), resource)

    def person(self, resource: Resource) -> Key | None:
        """Whom a resource is about: the record number if there is one; None if nobody is named."""
        if resource not in self._people:
            reference = resource.content.get("subject")
            found = self.body.target(reference, resource)
            self._people[resource] = (patient_id(found) or found) if found is not None else logical(reference)
        return self._people[resource]

    def _key(self, reference: object, source: Resource) -> Key | None:
        found = self.body.target(reference, source)
        return found if found is not None else logical(reference)

    def _report(self, report: Resource) -> None:
        members, faults = self._members(report)
        named = [self._key(one, report) for one in parts(report.content, "specimen")]
        own = list(dict.fromkeys(self._root(key) for key in named if key is not None))
        samples = map(self.sample, members)
        used = list(dict.fromkeys(self._root(key) for key in samples if key is not None))
        chosen = self._choose(own) or self._choose(used) or self._untyped(own) or self._untyped(used)
        if len(chosen) > 1:
            text = "Several CSF specimens in one report. Send one report per puncture, or name their Specimen.parent."
            self.faults.append(Fault(pointer((*report.path, "specimen")), text))
        elif not chosen and (own or used):
            self.left.append((report, "no specimen of this report is CSF"))
        elif not chosen:
            self.faults.append(Fault(pointer((*report.path, "specimen")), _NO_SPECIMEN))
        else:
            group = self.groups.setdefault(chosen[0], Group(chosen[0]))
            group.reports.append(report)
            group.add(*members)
            group.faults += faults
            self._samples_known(group)

    def _members(self, source: Resource, field_name: str = "result") -> tuple[list[Resource], list[Fault]]:
        """The Observations that a report lists, and those that these list in turn; each once, in order."""
        found: dict[Resource, None] = {}
        faults: list[Fault] = []
        waiting = deque([(source, field_name)])
        while waiting:
            owner, name = waiting.popleft()
            for number, reference in enumerate(parts(owner.content, name)):
                target = self.body.target(reference, owner)
                if target is None or target.type != "Observation":
                    message = "The Observation of this reference is not in the message. Send it with the report."
                    faults.append(Fault(pointer((*owner.path, name, number)), message))
                elif target not in found and context_id(target) is None:
                    found[target] = None
                    waiting.append((target, "hasMember"))
        return list(found), faults

    def _root(self, key: Key) -> Key:
        """Tubes and aliquots stand for the CSF specimen that they come from."""
        seen: set[Key] = set()
        while isinstance(key, Resource) and key not in seen:
            seen.add(key)
            above = [self._key(one, key) for one in parts(key.content, "parent")]
            parents = [one for one in above if isinstance(one, Resource) and specimen_type(one) == "csf"]
            if len(parents) != 1:
                break
            key = parents[0]
        return key

    @staticmethod
    def _choose(keys: list[Key]) -> list[Key]:
        return [key for key in keys if isinstance(key, Resource) and specimen_type(key) == "csf"]

    @staticmethod
    def _untyped(keys: list[Key]) -> list[Key]:
        """Specimens without a type, and those of which only the identifier was sent."""
        return [key for key in keys if not isinstance(key, Resource) or specimen_type(key) is None]

    def _samples_known(self, group: Group) -> None:
        for member in group.members:
            key = self.sample(member)
            kind = specimen_type(key) if isinstance(key, Resource) else None
            if kind == "?":
                known = ", ".join(dict.fromkeys(SPECIMEN_TEXTS.values()))
                text = f"This result is of a specimen whose type is not known here ({known}). Code it: {_KNOWN}."
                group.refuse(member, text, "specimen")
            elif kind not in BLOOD and key is not None and self._root(key) != group.specimen:
                text = "This result is of another specimen than its report. Send one report per specimen."
                group.refuse(member, text, "specimen")

    def _loose(self) -> None:
        """Results that no report of CSF lists: by their CSF specimen, else blood of the same patient."""
        listed = {one for group in self.groups.values() for one in group.members}
        loose = [one for one in self._results if one not in listed]
        rest: list[tuple[Resource, Key | None]] = []
        joined: dict[Key, list[Resource]] = {}
        for one in loose:
            key = self.sample(one)
            root = self._root(key) if key is not None else None
            csf = isinstance(root, Resource) and specimen_type(root) == "csf"
            if root is not None and (csf or root in self.groups):
                joined.setdefault(root, []).append(one)
            else:
                rest.append((one, root))
        for root, members in joined.items():
            self.groups.setdefault(root, Group(root)).add(*members)
        of: dict[Key | None, list[Group]] = {None: list(self.groups.values())}
        for group in self.groups.values():
            if (about := self._about(group)) is not None:
                of.setdefault(about, []).append(group)
        new: dict[Group, list[Resource]] = {}
        for one, root in rest:
            near = of.get(self.person(one), [])
            if self._may_join(one, root, near):
                new.setdefault(near[0], []).append(one)
        for group, members in new.items():
            group.add(*members)

    def _may_join(self, one: Resource, root: Key | None, near: list[Group]) -> bool:
        """True for blood of a patient with one CSF panel, and for a result without specimen if no report is there."""
        kind = specimen_type(root) if isinstance(root, Resource) else None
        if root is None and (not near or self._reports):
            self.left.append((one, "no report lists it and it names no specimen"))
        elif root is not None and kind not in BLOOD:
            self.left.append((one, "its specimen is not CSF, serum, plasma or blood by the codes known here"))
        elif not near:
            self.left.append((one, "there is no CSF panel of this patient"))
        elif len(near) > 1:
            text = "This result could belong to several CSF panels. List it in the DiagnosticReport that it belongs to."
            near[0].refuse(one, text)
        return len(near) == 1 and (kind in BLOOD or (root is None and not self._reports))

    def _about(self, group: Group) -> Key | None:
        sample = [group.specimen] if isinstance(group.specimen, Resource) else []
        people = map(self.person, (*group.reports, *group.members, *sample))
        return next((person for person in people if person is not None), None)

    def _same_patient(self, group: Group) -> None:
        specimen = [group.specimen] if isinstance(group.specimen, Resource) else []
        samples = [key for one in group.members if isinstance(key := self.sample(one), Resource)]
        about = self._about(group)
        for one in dict.fromkeys((*group.reports, *specimen, *group.members, *samples)):
            person = self.person(one)
            if person is not None and about is not None and person != about:
                text = "This is about another patient than its report. Send each patient's results in an own report."
                group.refuse(one, text, "subject")

    def _context(self, stated: list[Resource]) -> None:
        """Context is of a patient; without one it is of the only panel."""
        abouts = {group: self._about(group) for group in self.groups.values()}
        of: dict[Key | None, list[Group]] = {None: list(abouts)[:1] if len(abouts) == 1 else []}
        for group, about in abouts.items():
            if about is not None:
                of.setdefault(about, []).append(group)
        for one in stated:
            sample = self.sample(one)
            near = of.get(self.person(one), [])
            near = [group for group in near if sample is None or self._root(sample) == group.specimen]
            for group in near:
                group.context.append(one)
            if not near:
                self.left.append((one, "it names no patient of a CSF panel"))
