"""What the values of one panel say by themselves: quality rules, findings and their grades."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from csfinterp.model.edition.intervals import AgeEdge
from csfinterp.model.predicate import Predicate


@dataclass(frozen=True)
class QualityRule:
    """A preanalytic or plausibility rule. Where `when` is TRUE its `suppresses` targets become UNKNOWN.

    Targets are ids of quantities (flag null with `not_judged`, rules read UNKNOWN) or of findings. Targets named in
    `marks` keep flag and value, with the rule's text beside them. Targets named in `lower_bound` are not withheld but
    read as "at least this value": a high one stands, a normal one is not judged. Quantities named in `unread` keep
    their flag, but rules read UNKNOWN. The summary leaves it to the rules named in `silent_if` to say it. `mark`: the
    words beside a finding or profile marker whose value it marks; `headline`: what the headline says of it. Critical
    flags are never suppressed.
    """

    id: str
    rule: str
    name: str
    when: Predicate
    severity: str
    text: str
    citations: tuple[str, ...]
    status: str
    suppresses: tuple[str, ...] = ()
    not_judged: str = "suppressed"
    lower_bound: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    silent_if: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    mark: str | None = None
    headline: str | None = None


@dataclass(frozen=True)
class Finding:
    """A named statement with three truth values. `rank`: place among the sentences (low first).

    `silent_if`: findings that already say it, so that the summary does not repeat it. `silent_unless`: findings without
    which the summary leaves it out (a share of few cells). `silent_if_called`: the call of its value says it already.
    `when_false`: its FALSE sentence stands among what is normal, `always`, or `unless_normal`: not where the sentence
    on a wholly normal panel says it. `beside`: another finding of the same thing; where the two disagree both are said.
    """

    id: str
    name: str
    when: Predicate
    citations: tuple[str, ...]
    status: str
    texts: Mapping[str, str] = field(default_factory=dict)
    grades: str | None = None
    silent_if: tuple[str, ...] = ()
    silent_unless: tuple[str, ...] = ()
    rank: int = 5
    silent_if_called: bool = False
    when_false: str | None = None
    beside: str | None = None


@dataclass(frozen=True)
class Grade:
    """A word for how far `quantity` lies beyond its limit, tested in order; barrier_and_intrathecal.md section 3."""

    word: str
    below: float | None = None
    at_most: float | None = None


@dataclass(frozen=True)
class GradeScale:
    """Grades of one quantity from the age `age_from` on; the first grade that applies is the word."""

    id: str
    quantity: str
    age_from: AgeEdge
    grades: tuple[Grade, ...]
    citations: tuple[str, ...]
    status: str
