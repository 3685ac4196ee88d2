"""Entries as the schemas give them, and where in the files every object stands that was built from one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from csfinterp.knowledge.document import Map

Entry = Mapping[str, Any]
T = TypeVar("T")


@dataclass
class Places:
    """Where each built object stands: file and line, asked for by the laws."""

    known: dict[int, tuple[object, Map]] = field(default_factory=dict)

    def note(self, built: T, at: Map) -> T:
        """`built` itself, its place remembered (and `built` kept alive, so that its identity stays its own)."""
        self.known[id(built)] = (built, at)
        return built

    def of(self, built: object, key: str | None = None) -> tuple[str | None, int | None]:
        """File and line of `built`, or of one of its keys; (None, None) if it was not read from a file."""
        _, at = self.known.get(id(built), (None, None))
        if at is None:
            return None, None
        return at.file, at.line if key is None else at.line_of(key)
