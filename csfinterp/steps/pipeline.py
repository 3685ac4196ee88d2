"""The whole medicine on one screen: columns in, outcomes out; one panel is a cohort of one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csfinterp.model.cohort import Bytes, Graded, Ints, Observations, Outcomes, Subjects
from csfinterp.model.edition import Edition
from csfinterp.model.interpretation import Interpretation
from csfinterp.model.panel import Panel
from csfinterp.steps.classify import ColumnEvidence, Evidence
from csfinterp.steps.columns import Columns
from csfinterp.steps.derive import Deriver
from csfinterp.steps.explain import Explainer
from csfinterp.steps.explain.parts import Parts
from csfinterp.steps.flag import Flagger
from csfinterp.steps.identify import Identifier
from csfinterp.steps.intervals import IntervalTable, age_columns
from csfinterp.steps.layout import Layout
from csfinterp.steps.normalize import Normalizer
from csfinterp.steps.partition import Partitioner
from csfinterp.steps.pattern import Patterns, at_least
from csfinterp.steps.profile import Profiles
from csfinterp.steps.program import Program
from csfinterp.steps.quality import Quality
from csfinterp.steps.recommend import Advice
from csfinterp.steps.score import Scores
from csfinterp.steps.truth import Facts

CHUNK = 4096


class Core:
    """One edition (with a site's options) compiled.
    Immutable but for caches of texts; may be shared between threads."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self.layout = layout = Layout(edition)
        self.identifier = Identifier(layout)
        self.columns = Columns(layout, self.identifier)
        self.normalizer = Normalizer(layout, self.identifier)
        self.intervals = IntervalTable(layout)
        self._partitioner = Partitioner(layout, self.intervals)
        self._deriver = Deriver(layout)
        self.quality = Quality(layout)
        self._flagger = Flagger(layout, self.intervals)
        self.first = Program(layout, edition.first_program, given=self.quality.rows, veto=self.quality.vetoes)
        self._finding_rows = np.array([self.first.rows[finding.id] for finding in edition.findings], np.int64)
        self.patterns = Patterns(edition, self.first.rows)
        self.advice = Advice(layout, self.quality.rows, self.first.rows, self.first.size)
        self.scores = Scores(layout, edition, self.quality.rows)
        self.profiles = Profiles(layout)
        self.evidence = {table.id: Evidence(layout, table) for table in edition.evidence if not table.columns}
        self.column_evidence = {
            table.id: ColumnEvidence(layout, table, self.quality.rows) for table in edition.evidence if table.columns
        }
        self._grade_row = {pattern.id: row for row, pattern in enumerate(edition.patterns)}
        self._explainer = Explainer(
            Parts(
                edition,
                layout,
                self.intervals,
                self.identifier,
                self.normalizer.value,
                layout.not_sent,
                self.columns.from_receipt,
                self._flagger.critical_numbers,
                self.quality.rows,
                self.quality.vetoes,
                self.first,
                self.advice,
                self._grade_row,
                self.profiles.start,
                self.evidence,
                self.column_evidence,
                self.scores,
            )
        )

    @property
    def parts(self) -> Parts:
        """What the words of one panel are made from, for whoever asks for single lists of an explanation."""
        return self._explainer.parts

    def run(self, observations: Observations, subjects: Subjects) -> Outcomes:
        """Observations and subjects of a cohort -> every outcome as codes; rows never talk to each other."""
        ages = age_columns(subjects)
        normalized = self.normalizer.read(observations, subjects)
        cohort = normalized.cohort
        part = self._partitioner.choose(cohort, ages)
        low, high = self.intervals.limits(part.interval, subjects)
        computed = self._deriver.add(subjects, cohort, high)
        self.intervals.fill(part.interval, cohort, high)
        judged = self.quality.judge(cohort)
        self._deriver.dominant_class(cohort, judged.low)
        flags = self._flagger.flags(cohort, judged, part, low, high, ages)
        self._flagger.count(flags, cohort, judged)
        facts = Facts(
            judged.low,
            judged.high,
            cohort.open_low,
            cohort.open_high,
            cohort.code,
            flags.rule_flag,
            low,
            high,
            judged.truth,
        )
        truth = self.first.run(facts)
        graded = self.patterns.grade(truth)
        evidence = {name: table.number(cohort) for name, table in self.evidence.items()}
        decided = {name: table.decide(facts) for name, table in self.column_evidence.items()}
        evidence |= {name: winner for name, (winner, _) in decided.items()}
        asked = [self._at_least(name, word, graded, evidence) for name, word in self.advice.asked]
        return Outcomes(
            observations=observations,
            subjects=subjects,
            analyte=normalized.analyte,
            issue=normalized.issue,
            repeat=normalized.repeat,
            cohort=cohort,
            interval=part.interval,
            limits_low=low,
            limits_high=high,
            computed=computed,
            judged_low=judged.low,
            judged_high=judged.high,
            flag=flags.flag,
            rule_flag=flags.rule_flag,
            reason=flags.reason,
            critical=flags.critical,
            at_least=judged.at_least,
            quality=judged.truth,
            truth=truth,
            findings=truth[self._finding_rows],
            profile=self.profiles.compare(flags.rule_flag),
            evidence=evidence,
            rows={name: rows for name, (_, rows) in decided.items()},
            graded=graded,
            advice=self.advice.decide(facts, judged.truth, truth, asked),
            scores=self.scores.run(facts),
        )

    def _at_least(self, name: str, word: str, graded: Graded, evidence: dict[str, Ints]) -> Bytes:
        """Truth of "this pattern has at least this grade" or "this table gives at least this level"."""
        if name in self._grade_row:
            return at_least(graded.grade[self._grade_row[name]], word)
        table = self.evidence.get(name) or self.column_evidence[name]
        return table.holds(evidence[name], word)

    def outcomes(self, panels: Sequence[Panel]) -> Outcomes:
        """Panels as received -> outcomes."""
        return self.run(self.columns.observations(panels), self.columns.subjects(panels))

    def interpret(self, panel: Panel) -> Interpretation:
        """One panel, read whole."""
        return self._explainer.explain(panel, self.outcomes((panel,)), 0)

    def interpret_many(self, panels: Sequence[Panel]) -> list[Interpretation]:
        """Many panels, chunk by chunk; each answer is the one that `interpret` gives for its panel alone."""
        found: list[Interpretation] = []
        for start in range(0, len(panels), CHUNK):
            chunk = panels[start : start + CHUNK]
            outcomes = self.outcomes(chunk)
            found += [self._explainer.explain(panel, outcomes, column) for column, panel in enumerate(chunk)]
        return found
