"""The whole medicine on one screen: columns in, outcomes out; one panel is a cohort of one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csfinterp.model.cohort import Observations, Outcomes, Subjects
from csfinterp.model.edition import Edition
from csfinterp.model.interpretation import Interpretation
from csfinterp.model.panel import Panel
from csfinterp.steps.classify import Evidence
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
from csfinterp.steps.profile import Profiles
from csfinterp.steps.quality import Quality
from csfinterp.steps.truth import Facts, Program

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
        self.findings = Program(
            layout,
            {finding.id: finding.when for finding in edition.findings},
            given=self.quality.rows,
            veto=self.quality.vetoes,
        )
        self._finding_rows = np.array([self.findings.rows[finding.id] for finding in edition.findings], np.int64)
        self.profiles = Profiles(layout)
        self.evidence = {table.id: Evidence(layout, table) for table in edition.evidence}
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
                self.quality.bounds,
                self.findings.rows,
                self.profiles.start,
                self.evidence,
            )
        )

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
        flags = self._flagger.flags(cohort, judged, part, low, high, ages)
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
        truth = self.findings.run(facts)
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
            evidence={name: table.number(cohort) for name, table in self.evidence.items()},
        )

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
