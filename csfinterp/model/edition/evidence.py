"""What a panel is held against: profiles of cohorts and the evidence tables of guidelines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from csfinterp.model.predicate import Predicate


@dataclass(frozen=True)
class ProfileMarker:
    """A published share: `share` of the cohort (0-1) was abnormal; `direction` high or low; glucose is `disputed`."""

    id: str
    direction: str
    scored: bool
    disputed: bool
    share: float | None
    cohort_n: int | None
    citations: tuple[str, ...]
    status: str
    note: str | None = None
    extra: str | None = None


@dataclass(frozen=True)
class Profile:
    """Published marker shares of one cohort of patients; the caution texts are printed beside every comparison."""

    id: str
    name: str
    tumor: str
    cohort: str
    entry_criterion: str
    caution: str
    normal_caution: str
    few_markers: str
    markers: tuple[ProfileMarker, ...]
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class EvidenceRow:
    """One K row: the first TRUE row wins; `answer` is its level or status word."""

    id: str
    when: Predicate
    answer: str
    reason: str | None = None
    type_prefix: str | None = None
    text: str | None = None
    citations: tuple[str, ...] = ()
    status: str = "ours"


@dataclass(frozen=True)
class EvidenceCell:
    """One R row of the expanded table: which cell of the printed grid was used, and how well it is supported."""

    id: str
    when: Predicate
    level: str
    status: str
    citations: tuple[str, ...]
    review: bool = False
    type_open: bool = False
    if_solid: bool = False
    caution_id: str | None = None
    caution: str | None = None


@dataclass(frozen=True)
class EvidenceTable:
    """Ordered rows over coded inputs. `completions`: per input, the words that a missing value could still take.

    `columns`: the inputs may be quantities too, so the rows are evaluated per panel instead of looked up.
    `open_rows`: what stands beside `otherwise` while the row of this id is the first one still open.
    """

    id: str
    name: str
    guideline: str
    inputs: tuple[str, ...]
    rows: tuple[EvidenceRow, ...]
    otherwise: str
    citations: tuple[str, ...]
    status: str
    cells: tuple[EvidenceCell, ...] = ()
    levels: tuple[str, ...] = ()
    letters: Mapping[str, str] = field(default_factory=dict)
    completions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    missing_texts: Mapping[str, str] = field(default_factory=dict)
    columns: bool = False
    open_rows: Mapping[str, str] = field(default_factory=dict)
