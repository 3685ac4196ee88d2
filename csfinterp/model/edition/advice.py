"""What is advised and scored: recommendations, and published scores with the populations that they refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from csfinterp.model.predicate import Predicate


@dataclass(frozen=True)
class Recommendation:
    """Advice to consider, never an order; no doses. `rule` is the printed number (R-L01), `id` the readable id.

    `priority`: 1 critical, 2 urgent, 3 high, 4 routine, 5 context. `audiences`: laboratory, treating_team.
    `context_only`: only in the block "for the treating team, context only". `quiet_if`: where TRUE it stands in its
    list, but is not the next step that the summary names.
    """

    id: str
    rule: str
    when: Predicate
    text: str
    audiences: tuple[str, ...]
    priority: int
    citations: tuple[str, ...]
    status: str
    context_only: bool = False
    silent_if: tuple[str, ...] = ()
    quiet_if: Predicate | None = None


@dataclass(frozen=True)
class Refusal:
    """A population rule of a score: where `when` is TRUE the score is refused with this reason."""

    reason: str
    when: Predicate


@dataclass(frozen=True)
class Score:
    """A published score. `function` names a function of steps/score/formulas.py; `constants` are its numbers.

    `asked_if`: evaluated only where TRUE (else not listed). `gate`: each FALSE-making refusal; `needed`: inputs without
    which it is not computable. `default_on` False: off until a site switches it on.
    """

    id: str
    rule: str
    name: str
    function: str
    population: str
    citations: tuple[str, ...]
    status: str
    needed: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    unknown_refusals: tuple[Refusal, ...] = ()
    constants: Mapping[str, object] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    asked_if: Predicate | None = None
    default_on: bool = True
