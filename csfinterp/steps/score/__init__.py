"""Published scores over columns: who is asked, who is refused, what is computed; and the words for one panel."""

from __future__ import annotations

from csfinterp.steps.score.gates import ScoreOutcomes, Scores
from csfinterp.steps.score.rules import ScoreRules
from csfinterp.steps.score.words import describe

__all__ = ["ScoreOutcomes", "ScoreRules", "Scores", "describe"]
