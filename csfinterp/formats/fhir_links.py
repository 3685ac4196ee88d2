"""How written resources name each other: by urn:uuid inside a Bundle, by address on the server."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from csfinterp.formats.report_words import part, parts, text

Element = dict[str, object]
# Any constant: the same resource of the same answer then has the same address in every rendering.
_SPACE = uuid.UUID("6f1d9c1e-5a43-4d6b-9e0a-2f8f4b7c6a10")
CONTAINED = ("Patient", "Specimen")


@dataclass(frozen=True)
class Links:
    """`panel_id` None: nothing is stored, resources have no ids. `served`: for single reads from the server."""

    panel_id: str | None
    seed: str
    served: bool = False

    @staticmethod
    def of(document: Mapping[str, object], served: bool = False) -> Links:
        panel_id = text(document, "panel_id") or None
        seed = (panel_id, text(document, "version"), text(part(document, "specimen"), "id"))
        return Links(panel_id, "/".join(map(str, seed)), served)

    def id(self, key: str = "") -> str | None:
        """The logical id; "" is the report itself, which is known by the panel's id."""
        if self.panel_id is None:
            return None
        return f"{self.panel_id}-{key.replace('_', '-')}" if key else self.panel_id

    def address(self, kind: str, key: str = "") -> str:
        """The fullUrl of a resource in a Bundle."""
        return f"urn:uuid:{uuid.uuid5(_SPACE, f'{self.seed}/{kind}/{key}')}"

    def reference(self, kind: str, key: str = "") -> Element:
        """A Reference to a resource of this answer."""
        if not self.served:
            return {"reference": self.address(kind, key)}
        return {"reference": f"#{kind.lower()}" if kind in CONTAINED else f"{kind}/{self.id(key)}"}


def keys_of(document: Mapping[str, object]) -> list[str]:
    """One name per result, in order: the analyte's id, numbered where it repeats."""
    seen: dict[str, int] = {}
    keys = []
    for result in parts(document, "results"):
        analyte = text(result, "analyte")
        seen[analyte] = seen.get(analyte, 0) + 1
        keys.append(analyte if seen[analyte] == 1 else f"{analyte}_{seen[analyte]}")
    return keys
