"""The resources of one FHIR body, and what a reference in it points to.

Every resource keeps its path in the body, so that errors name the sender's own field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from csfinterp.errors import Fault
from csfinterp.formats.fhir_names import BUNDLE_TYPES
from csfinterp.formats.report_words import parts
from csfinterp.formats.strict_json import NumberText, Path, pointer, refuse

Element = dict[str, Any]
_BY_IDENTIFIER = re.compile(r"\w+\?identifier=(?:[^|]*\|)?([^&|]+)")
_RELATIVE = re.compile(r"(?:.*/)?([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?")
ROOTS = ("Bundle", "DiagnosticReport")


@dataclass(frozen=True, eq=False)
class Resource:
    """One resource. `entry`: its place in Bundle.entry; `owner`: the resource that contains it, or None.

    `address`: its fullUrl. Two of them are equal only if they are the same one.
    """

    type: str
    content: Element
    path: Path
    address: str | None = None
    entry: int | None = None
    owner: Resource | None = None

    @property
    def id(self) -> str | None:
        return word(self.content, "id")

    @property
    def outer(self) -> Resource:
        """The resource that stands in the Bundle: this one, or the one that contains it."""
        return self.owner or self


def word(of: object, key: str) -> str | None:
    """The text under `key`; None if it is absent, blank or no text."""
    value = of.get(key) if isinstance(of, (dict, Mapping)) else None
    return value if isinstance(value, str) and not isinstance(value, NumberText) and value.strip() else None


@dataclass
class Body:
    """All resources in their order. Raises DocumentError for what is neither a Bundle nor a DiagnosticReport."""

    root: Element
    resources: list[Resource] = field(default_factory=list)

    def __post_init__(self) -> None:
        faults = list(self._collect())
        if faults:
            raise refuse(faults)
        self._inside = {(one.owner, one.id): one for one in reversed(self.resources) if one.owner is not None}
        self._places: dict[str, Resource] = {}
        for resource in self.resources:
            if resource.owner is None:
                for name in (resource.address, resource.id and f"{resource.type}/{resource.id}"):
                    if name and self._places.setdefault(name, resource) is not resource:
                        raise refuse([Fault(pointer(resource.path), "Two resources have this address. Send it once.")])

    @property
    def type(self) -> str | None:
        """Bundle.type; None for a single DiagnosticReport."""
        return word(self.root, "type")

    def of(self, kind: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.type == kind]

    def target(self, reference: object, source: Resource) -> Resource | None:
        """The resource of this body that a Reference names; None if it is not here."""
        text = word(reference, "reference")
        if text is None:
            return None
        if text.startswith("#"):
            return self._inside.get((source.outer, text[1:]))
        found = self._places.get(text)
        if found is None and (local := _RELATIVE.fullmatch(text)) and not text.startswith("urn:"):
            relative = f"{local[1]}/{local[2]}"
            base = source.outer.address or ""
            named = _RELATIVE.fullmatch(base)
            near = base[: named.start(1)] + relative if named else ""
            found = self._places.get(near) or self._places.get(relative)
        return found

    def _collect(self) -> Iterator[Fault]:
        kind = word(self.root, "resourceType")
        if kind not in ROOTS:
            yield Fault("/resourceType", "Send a FHIR R4 Bundle or a DiagnosticReport with contained Observations.")
        elif kind == "DiagnosticReport":
            self._add(Resource(kind, self.root, ()))
        elif self.type not in BUNDLE_TYPES:
            yield Fault("/type", f"Send a Bundle of one of these types: {', '.join(BUNDLE_TYPES[:4])}.")
        else:
            yield from self._entries()

    def _entries(self) -> Iterator[Fault]:
        entries = self.root.get("entry")
        if not isinstance(entries, list) or not entries:
            yield Fault("/entry", "Send a Bundle with at least one entry.")
            return
        for number, entry in enumerate(entries):
            content = entry.get("resource") if isinstance(entry, dict) else None
            kind = word(content, "resourceType")
            place: Path = ("entry", number, "resource")
            if not isinstance(content, dict) or kind is None:
                yield Fault(pointer(place), "Send a FHIR resource with its resourceType here.")
                continue
            self._add(Resource(kind, content, place, word(entry, "fullUrl"), number))

    def _add(self, resource: Resource) -> None:
        self.resources.append(resource)
        contained = resource.content.get("contained")
        for number, content in enumerate(contained if isinstance(contained, list) else ()):
            kind = word(content, "resourceType")
            if kind is not None:
                path = (*resource.path, "contained", number)
                self.resources.append(Resource(kind, content, path, None, resource.entry, resource))


def logical(reference: object) -> str | None:
    """The identifier that a Reference names itself: its identifier, a conditional reference, or the id in `Type/id`.

    A urn:uuid or a fragment names nothing beyond its own message.
    """
    identifier = reference.get("identifier") if isinstance(reference, dict) else None
    if (value := word(identifier, "value")) is not None:
        return value
    text = word(reference, "reference") or ""
    if found := _BY_IDENTIFIER.fullmatch(text):
        return found[1]
    found = None if text.startswith(("urn:", "#")) else _RELATIVE.fullmatch(text)
    return found[2] if found else None


def identifier_of(content: Element) -> str | None:
    """The business identifier of a resource: of type MR first (patients), never an old one, else the first."""
    usable = [one for one in parts(content, "identifier") if word(one, "value") and one.get("use") != "old"]
    records = [one for one in usable if any(coding.get("code") == "MR" for coding in parts(one.get("type"), "coding"))]
    return word((records or usable)[0], "value") if usable else None
