"""Preanalytic and plausibility rules: which hold, and what they withhold. Runs before flags; critical results stand."""

from __future__ import annotations

import numpy as np

from csfinterp.model.cohort import Cohort, Judged
from csfinterp.steps.layout import REASON, Layout
from csfinterp.steps.program import Program
from csfinterp.steps.truth import TRUE, Facts


class Quality:
    """Quality rules of one edition. `rows[id]` is the row of a rule in `Judged.truth`; `nodes[id(predicate)]` that of
    any part of a rule in `Judged.nodes`."""

    def __init__(self, layout: Layout) -> None:
        rules = layout.edition.quality
        self._layout = layout
        self._program = Program(layout, {rule.id: rule.when for rule in rules})
        self.nodes = self._program.nodes
        self.rows = {rule.id: number for number, rule in enumerate(rules)}
        self._take = np.array([self._program.rows[rule.id] for rule in rules], np.int64)
        self._withhold = [
            (number, layout.statement[target], REASON[rule.not_judged])
            for number, rule in enumerate(rules)
            for target in rule.suppresses
            if target in layout.statement
        ]
        self._bound = [
            (number, layout.quantity[target]) for number, rule in enumerate(rules) for target in rule.lower_bound
        ]
        self._unread = [
            (number, layout.quantity[target]) for number, rule in enumerate(rules) for target in rule.unread
        ]
        self.vetoes: dict[str, list[int]] = {}
        for number, rule in enumerate(rules):
            for target in rule.suppresses:
                self.vetoes.setdefault(target, []).append(number)
        self._suppressing = np.array(
            [bool(rule.suppresses or rule.lower_bound or rule.unread) for rule in rules], np.bool_
        )

    def judge(self, cohort: Cohort) -> Judged:
        """Truth of every rule, and the values as rules may read them."""
        nodes = self._program.run(Facts.of(cohort))
        truth = nodes[self._take]
        holds = truth == TRUE
        anywhere = holds.any(axis=1)
        if not anywhere[self._suppressing].any():
            return Judged(nodes, truth, cohort.low, cohort.high)
        low, high = cohort.low.copy(), cohort.high.copy()
        withheld = np.zeros((len(self._layout.statements), cohort.size), np.int8)
        at_least, unread = np.zeros(low.shape, np.bool_), np.zeros(low.shape, np.bool_)
        for number, statement, reason in self._withhold:
            if not anywhere[number]:
                continue
            withheld[statement] = np.where(holds[number] & (withheld[statement] == 0), reason, withheld[statement])
        for number, quantity in self._bound:
            at_least[quantity] |= holds[number]
        for number, quantity in self._unread:
            unread[quantity] |= holds[number]
        values = (withheld[: len(low)] > 0) | unread
        low[values] = high[values] = np.nan
        high[at_least & ~np.isnan(high)] = np.inf
        return Judged(nodes, truth, low, high, withheld, at_least, unread)
