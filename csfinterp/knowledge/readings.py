"""Readings of an edition: patterns, cautions, differential, recommendations and scores, each built from its entry."""

from __future__ import annotations

from dataclasses import replace

from csfinterp.errors import EditionError
from csfinterp.knowledge.document import Map
from csfinterp.knowledge.places import Entry
from csfinterp.knowledge.schema_readings import AUDIENCES, PRIORITIES, TEAM
from csfinterp.knowledge.statements import Builder as StatementBuilder
from csfinterp.model.edition import (
    Differential,
    DifferentialGroup,
    OpenReason,
    Pattern,
    PatternItem,
    PatternSummary,
    Raise,
    Recommendation,
    Refusal,
    Score,
    Statement,
)
from csfinterp.model.predicate import Predicate

LIQUID_BIOPSY = "liquid_biopsy"


class Builder(StatementBuilder):
    """Builds every entry of an edition; each method raises EditionError with file and line of a slip."""

    def within(self, kinds: frozenset[str]) -> Builder:
        """The same builder for rules whose `holds` may name statements of these kinds."""
        return Builder(replace(self.words, within=kinds), self.places)

    def optional(self, entry: Entry, key: str) -> Predicate | None:
        return None if entry[key] is None else self.rule(entry[key], entry, key)

    def pattern(self, entry: Entry, later: Builder) -> Pattern:
        """One entry of patterns.yaml; `later` builds what is decided in the second program (shown_if, lines)."""
        at: Map = entry["at"]
        core = sum(item["kind"] == "core" for item in entry["items"])
        if (entry["k"] is None) != (core == 0):
            raise EditionError("k and core items go together", at.file, at.line_of("k"))
        if entry["k"] is not None and not 1 <= entry["k"] <= core:
            raise EditionError(f"k must be a whole number from 1 to {core}, the core items", at.file, at.line_of("k"))
        if not entry["partly"] and entry["k"] not in (None, core):
            raise EditionError(f"without partly_fits k is {core}, all core items", at.file, at.line_of("k"))
        if (entry["when"] is None) != (core > 0):
            raise EditionError("a pattern has core items, or a rule of its own in `when`", at.file, at.line_of("when"))
        built = Pattern(
            id=entry["id"],
            rule_id=entry["rule"],
            name=entry["name"],
            items=tuple(self._item(item) for item in entry["items"]),
            texts=dict(entry["texts"]),
            citations=tuple(entry["citations"]),
            status=entry["status"],
            k=entry["k"],
            partly=entry["partly"],
            rule=self.optional(entry, "when"),
            required=tuple(entry["required"]),
            raises=tuple(self._raise(item) for item in entry["raises"]),
            open_if=tuple(self._open_reason(item) for item in entry["open_if"]),
            shown_if=later.optional(entry, "shown_if"),
            emergency=tuple(entry["emergency"]),
            lines=tuple(later.statement(line, entry["id"]) for line in entry["lines"]),
            headlines=dict(entry["headlines"]),
            question=entry["question"],
            summary=PatternSummary() if entry["summary"] is None else later.pattern_summary(entry["summary"]),
        )
        return self.places.note(built, at)

    def pattern_summary(self, entry: Entry) -> PatternSummary:
        """How the summary speaks of a pattern."""
        built = PatternSummary(
            never=entry["never"],
            when=self.optional(entry, "when"),
            stays_open=entry["stays_open"],
            last=entry["last"],
            by_level=entry["by_level"],
            says={grade: tuple(names) for grade, names in entry["says"].items()},
            score=entry["score"],
            cannot_be_judged=entry["cannot_be_judged"],
        )
        return self.places.note(built, entry["at"])

    def _item(self, entry: Entry) -> PatternItem:
        built = PatternItem(
            entry["id"],
            entry["kind"],
            self.rule(entry["when"], entry),
            entry["text"],
            tuple(entry["citations"]),
            entry["status"],
        )
        return self.places.note(built, entry["at"])

    def _raise(self, entry: Entry) -> Raise:
        return self.places.note(Raise(entry["id"], self.rule(entry["when"], entry), entry["grade"]), entry["at"])

    def _open_reason(self, entry: Entry) -> OpenReason:
        built = OpenReason(entry["reason"], self.rule(entry["when"], entry), entry["text"])
        return self.places.note(built, entry["at"])

    def statement(self, entry: Entry, group: str) -> Statement:
        """A sentence with its rule: a line of a pattern or a liquid biopsy statement."""
        built = Statement(
            id=entry["id"],
            when=self.rule(entry["when"], entry),
            text=entry["text"],
            citations=tuple(entry["citations"]),
            status=entry["status"],
            group=group,
            name=entry.get("name"),
            silent_if=tuple(entry["silent_if"]),
            audience=tuple(entry.get("audience", ("treating_team",))),
            spoken=entry.get("spoken", False),
            headline=entry.get("headline"),
            headline_if=self.optional(entry, "headline_if") if "headline_if" in entry else None,
            never_folded=entry.get("never_folded", False),
        )
        return self.places.note(built, entry["at"])

    def caution(self, entry: Entry) -> Statement:
        """One entry of cautions.yaml."""
        return self.statement(entry, entry["group"])

    def liquid_biopsy(self, entry: Entry) -> Statement:
        """One entry of statements.yaml."""
        return self.statement(entry, LIQUID_BIOPSY)

    def differential(self, entry: Entry) -> Differential:
        """The differential of meningeal enhancement."""
        built = Differential(
            when=self.rule(entry["when"], entry),
            trigger=entry["trigger"],
            groups=tuple(self._group(group) for group in entry["groups"]),
            notes=tuple(entry["notes"]),
            citations=tuple(entry["citations"]),
            status=entry["status"],
        )
        return self.places.note(built, entry["at"])

    def _group(self, entry: Entry) -> DifferentialGroup:
        built = DifferentialGroup(
            id=entry["id"],
            leptomeningeal=tuple(entry["leptomeningeal"]),
            pachymeningeal=tuple(entry["pachymeningeal"]),
            tests=tuple(entry["tests"]),
            citations=tuple(entry["citations"]),
            status=entry["status"],
        )
        return self.places.note(built, entry["at"])

    def recommendation(self, entry: Entry) -> Recommendation:
        """One entry of recommendations.yaml, its words mapped to those of the interface."""
        at: Map = entry["at"]
        audience = entry["audience"]
        if TEAM in audience and len(audience) > 1:
            message = "team stands alone: its advice is printed apart; write a second entry for the others"
            raise EditionError(message, at.file, at.line_of("audience"))
        built = Recommendation(
            id=entry["id"],
            rule=entry["rule"],
            when=self.rule(entry["when"], entry),
            text=entry["text"],
            audiences=tuple(dict.fromkeys(AUDIENCES[word] for word in audience)),
            priority=PRIORITIES[entry["priority"]],
            citations=tuple(entry["citations"]),
            status=entry["status"],
            context_only=TEAM in audience,
            silent_if=tuple(entry["silent_if"]),
            quiet_if=self.optional(entry, "quiet_if"),
        )
        return self.places.note(built, at)

    def score(self, entry: Entry) -> Score:
        """One entry of scores.yaml; its formula is a function of steps/score/formulas.py."""
        built = Score(
            id=entry["id"],
            rule=entry["rule"],
            name=entry["name"],
            function=entry["function"],
            population=entry["population"],
            citations=tuple(entry["citations"]),
            status=entry["status"],
            needed=tuple(entry["needed"]),
            refusals=tuple(self._refusal(item) for item in entry["refusals"]),
            unknown_refusals=tuple(self._refusal(item) for item in entry["unknown_refusals"]),
            constants=dict(entry["constants"]),
            texts=dict(entry["texts"]),
            asked_if=self.optional(entry, "asked_if"),
            default_on=entry["default_on"],
        )
        return self.places.note(built, entry["at"])

    def _refusal(self, entry: Entry) -> Refusal:
        return self.places.note(Refusal(entry["reason"], self.rule(entry["when"], entry)), entry["at"])
