"""What follows from findings, grades and levels: cautions, statements,
differential and recommendations (second program)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from csfinterp.model.cohort import Bytes
from csfinterp.model.predicate import Holds, leaves
from csfinterp.steps.layout import Layout
from csfinterp.steps.program import Program
from csfinterp.steps.truth import Facts


class Advice:
    """The second program of one edition. `rows`: name -> row of its truth; `asked`: grades and levels that it names."""

    def __init__(self, layout: Layout, quality: Mapping[str, int], first: Mapping[str, int], first_size: int) -> None:
        statements = layout.edition.second_program
        self.asked = tuple(
            dict.fromkeys(
                (leaf.id, leaf.at_least)
                for predicate in statements.values()
                for leaf in leaves(predicate)
                if isinstance(leaf, Holds) and leaf.at_least is not None
            )
        )
        start = len(quality)
        given = dict(quality) | {name: start + row for name, row in first.items()}
        given |= {f"{name}>={word}": start + first_size + place for place, (name, word) in enumerate(self.asked)}
        self._program = Program(layout, statements, given)
        self.rows, self.nodes = self._program.rows, self._program.nodes

    def decide(self, facts: Facts, quality: Bytes, first: Bytes, asked: Bytes) -> Bytes:
        """Truth of every node; `asked`: truth of each entry of `self.asked`, shape (entries, panels)."""
        given = np.concatenate((quality, first, asked))
        return self._program.run(replace(facts, given=given))
