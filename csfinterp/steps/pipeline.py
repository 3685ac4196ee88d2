"""The whole medicine on one screen: columns in, outcomes out; one panel is a cohort of one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csfinterp.model.cohort import Bytes, Graded, Ints, Observations, Outcomes, Subjects
from csfinterp.model.edition import Edition
from csfinterp.model.interpretation import Interpretation
from csfinterp.model.panel import Panel
from csfinterp.steps.classify import ColumnEvidence, Evidence, column_rules
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
from csfinterp.steps.pattern import GRADE, Patterns, at_least
from csfinterp.steps.profile import Profiles
from csfinterp.steps.program import Program
from csfinterp.steps.quality import Quality
from csfinterp.steps.recommend import Advice
from csfinterp.steps.score import ScoreRules, Scores
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
        scores = ScoreRules(layout, edition, self.quality.rows)
        columns = [table for table in edition.evidence if table.columns]
        statements = {**edition.first_program, **scores.statements}
        for table in columns:
            statements |= column_rules(table)
        self.first = Program(layout, statements, self.quality.rows, self.quality.vetoes | scores.vetoes)
        self._finding_rows = np.array([self.first.rows[finding.id] for finding in edition.findings], np.int64)
        self.patterns = Patterns(edition, self.first.rows)
        self.advice = Advice(layout, self.quality.rows, self.first.rows, self.first.size)
        self.scores = Scores(layout, scores, self.first.rows)
        self.profiles = Profiles(layout)
        self.evidence = {table.id: Evidence(layout, table) for table in edition.evidence if not table.columns}
        self.column_evidence = {table.id: ColumnEvidence(table, self.first.rows) for table in columns}
        self._grade_row = {pattern.id: row for row, pattern in enumerate(edition.patterns)}
        asked = [(place, self._grade_row.get(name), name, word) for place, (name, word) in enumerate(self.advice.asked)]
        graded = [(place, row, GRADE[word]) for place, row, _, word in asked if row is not None]
        self._asked_grades = np.array(graded, np.int64).reshape(-1, 3).T
        self._asked_levels = [(place, name, word) for place, row, name, word in asked if row is None]
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
                self.quality.nodes,
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
        decided = {name: table.decide(truth) for name, table in self.column_evidence.items()}
        evidence |= {name: winner for name, (winner, _) in decided.items()}
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
            checks=judged.nodes,
            quality=judged.truth,
            truth=truth,
            findings=truth[self._finding_rows],
            profile=self.profiles.compare(flags.rule_flag),
            evidence=evidence,
            rows={name: rows for name, (_, rows) in decided.items()},
            graded=graded,
            advice=self.advice.decide(facts, judged.truth, truth, self._asked(graded, evidence)),
            scores=self.scores.run(facts, truth),
        )

    def _asked(self, graded: Graded, evidence: dict[str, Ints]) -> Bytes:
        """Truth of each "this pattern has at least this grade", "this table at least this level" of the advice."""
        found = np.empty((len(self.advice.asked), graded.grade.shape[1]), np.int8)
        places, patterns, least = self._asked_grades
        found[places] = at_least(graded.grade[patterns], least[:, None])
        for place, name, word in self._asked_levels:
            table = self.evidence.get(name) or self.column_evidence[name]
            found[place] = table.holds(evidence[name], word)
        return found

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
