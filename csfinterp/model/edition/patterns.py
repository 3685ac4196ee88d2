"""Patterns of values and the sentences printed beside them: statements, cautions, the differential."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from csfinterp.model.predicate import Predicate


@dataclass(frozen=True)
class Statement:
    """A sentence that is printed where `when` is TRUE and nothing of `silent_if` is. `group` sorts it (PC, EC, FP ...).

    `text` may hold {names} of quantities and coded inputs: filled with the patient's value and unit.
    `spoken`: it belongs into the summary as well. `headline`: its words there (of a line: where its pattern answers the
    question and is not shown by the values; of a caution: where `headline_if` is TRUE). `never_folded`: a report prints
    it however many others there are.
    """

    id: str
    when: Predicate
    text: str
    citations: tuple[str, ...]
    status: str
    group: str = ""
    name: str | None = None
    silent_if: tuple[str, ...] = ()
    audience: tuple[str, ...] = ("treating_team",)
    spoken: bool = False
    headline: str | None = None
    headline_if: Predicate | None = None
    never_folded: bool = False


@dataclass(frozen=True)
class PatternItem:
    """One item of a pattern. `kind`: decisive, core, support, alarm, counter, counter_major, neutral.

    `id` is the printed number (B1), unique over all patterns. `text` says what the item asks.
    """

    id: str
    kind: str
    when: Predicate
    text: str
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class OpenReason:
    """Why a grade may not become does_not_fit: it stays not_evaluable, with this reason (ER12). `text`: how this
    pattern words the reason, where the words that all patterns share do not say it."""

    reason: str
    when: Predicate
    text: str | None = None


@dataclass(frozen=True)
class Raise:
    """A short rule: where it holds, the grade is at least `grade`."""

    id: str
    when: Predicate
    grade: str


@dataclass(frozen=True)
class PatternSummary:
    """How the summary speaks of a pattern.

    `never`: findings, quality rules or the sentence on what is normal say it. `when`: short of established, and no
    emergency, it is named only where this is TRUE. `stays_open`: named as well while a reason keeps its grade open.
    `last`: behind every other. `by_level`: established is said by the level or path, where there is one. `says`: per
    grade the findings that its own sentence says. Where the question is its own and the values do not show it:
    `cannot_be_judged` is the answer where it is open, `score` the score whose text stands with it.
    """

    never: bool = False
    when: Predicate | None = None
    stays_open: bool = False
    last: bool = False
    by_level: bool = False
    says: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    score: str | None = None
    cannot_be_judged: str | None = None


@dataclass(frozen=True)
class Pattern:
    """A disease pattern of values, never a diagnosis. Order of the tuple of an edition is the print order of ER6.

    With core items: `k` TRUE ones give partly_fits, all give fits (`partly` False: no partly_fits). Without core,
    `rule` decides: TRUE fits, FALSE does_not_fit, UNKNOWN not_evaluable. `required`: item ids; FALSE gives
    does_not_fit, UNKNOWN not_evaluable. Applied as decisive (final), core, raises, counter_major, required, open_if.
    `emergency`: grades that are an emergency. `texts`: sentence per grade; `headlines`: what the headline says of a
    grade, where it says anything. `question`: the question that it answers. `shown_if`: else computed but not shown.
    """

    id: str
    rule_id: str
    name: str
    items: tuple[PatternItem, ...]
    texts: Mapping[str, str]
    citations: tuple[str, ...]
    status: str
    k: int | None = None
    partly: bool = True
    rule: Predicate | None = None
    required: tuple[str, ...] = ()
    raises: tuple[Raise, ...] = ()
    open_if: tuple[OpenReason, ...] = ()
    shown_if: Predicate | None = None
    emergency: tuple[str, ...] = ()
    lines: tuple[Statement, ...] = ()
    headlines: Mapping[str, str] = field(default_factory=dict)
    question: str = "not_stated"
    summary: PatternSummary = field(default_factory=PatternSummary)


@dataclass(frozen=True)
class DifferentialGroup:
    """One group of causes of leptomeningeal enhancement with the tests that look for them."""

    id: str
    leptomeningeal: tuple[str, ...]
    pachymeningeal: tuple[str, ...]
    tests: tuple[str, ...]
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class Differential:
    """Printed where `when` is TRUE; `trigger` is the sentence that says why."""

    when: Predicate
    trigger: str
    groups: tuple[DifferentialGroup, ...]
    notes: tuple[str, ...]
    citations: tuple[str, ...]
    status: str
