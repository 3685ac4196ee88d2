"""The rules of the published scores of one edition, as statements of a program: who is asked, who is refused, items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from csfinterp.errors import EditionError
from csfinterp.model.coefficients import Coefficients
from csfinterp.model.edition import Edition, Score
from csfinterp.model.predicate import Predicate
from csfinterp.steps.layout import Layout
from csfinterp.steps.score.formulas import FUNCTIONS
from csfinterp.steps.score.items import Item, items


@dataclass(frozen=True)
class Compiled:
    """One score with its items, its loaded model, and the names of its statements."""

    score: Score
    items: tuple[Item, ...]
    model: Coefficients | None
    asked: str | None
    refusals: tuple[str, ...]
    unknowns: tuple[str, ...]


class ScoreRules:
    """The scores of one edition that are on here, in the order of scores.yaml, and all their rules as `statements`.

    `vetoes`: statement of an item -> rows of the quality rules (`given`: id -> row) that make it UNKNOWN.
    EditionError for an entry that cannot be read.
    """

    def __init__(self, layout: Layout, edition: Edition, given: Mapping[str, int]) -> None:
        rules = edition.site_rules
        switched_on = rules.scores_on if rules else ()
        models = {model.model: model for model in rules.models} if rules else {}
        self.statements: dict[str, Predicate] = {}
        self.compiled = tuple(
            _compile(score, layout, self.statements, models.get(score.id))
            for score in edition.scores
            if score.default_on or score.id in switched_on
        )
        self.vetoes = self._vetoes(given)

    def _vetoes(self, given: Mapping[str, int]) -> dict[str, list[int]]:
        found = {}
        for compiled in self.compiled:
            for item in compiled.items:
                for name in item.unless:
                    if name not in given:
                        raise EditionError(f"score {compiled.score.id}: item {item.id}: no quality rule {name!r}")
                if item.unless:
                    found[item_name(compiled.score, item)] = [given[name] for name in item.unless]
        return found


def _compile(score: Score, layout: Layout, statements: dict[str, Predicate], model: Coefficients | None) -> Compiled:
    """Adds the rules of `score` to `statements`."""
    if score.function not in FUNCTIONS:
        raise EditionError(f"score {score.id}: no function {score.function!r}; there are {', '.join(FUNCTIONS)}")
    own = items(score, layout)
    statements |= {item_name(score, item): item.when for item in own}
    asked = None
    if score.asked_if is not None:
        asked = f"{score.id}:asked"
        statements[asked] = score.asked_if
    refusals = {f"{score.id}:refusal:{place}": rule.when for place, rule in enumerate(score.refusals)}
    unknowns = {f"{score.id}:unknown:{place}": rule.when for place, rule in enumerate(score.unknown_refusals)}
    statements |= refusals | unknowns
    return Compiled(score, own, model, asked, tuple(refusals), tuple(unknowns))


def item_name(score: Score, item: Item) -> str:
    """Name of the statement of an item."""
    return f"{score.id}:item:{item.id}"
