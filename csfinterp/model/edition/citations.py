"""The sources that every fact of an edition names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Citation:
    """A source. `status` tells how the facts taken from it stand: primary, secondary, recalled, derived, ours."""

    id: str
    kind: str
    status: str
    authors: str | None = None
    year: int | None = None
    journal: str | None = None
    title: str | None = None
    doi: str | None = None
    pmid: str | None = None
    pmcid: str | None = None
    read: str | None = None
    note: str | None = None
