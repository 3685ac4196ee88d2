"""Statements of an edition: quality rules, findings, grades, profiles, evidence tables and named options."""

from __future__ import annotations

from csfinterp.errors import EditionError
from csfinterp.knowledge.build import RowBuilder
from csfinterp.knowledge.document import Map
from csfinterp.knowledge.places import Entry
from csfinterp.knowledge.vocabulary import age_edge
from csfinterp.model.edition import (
    EvidenceCell,
    EvidenceRow,
    EvidenceTable,
    Finding,
    Grade,
    GradeScale,
    NamedOption,
    Profile,
    ProfileMarker,
    QualityRule,
)


class Builder(RowBuilder):
    """Builds every entry of an edition; each method raises EditionError with file and line of a slip."""

    def quality(self, entry: Entry) -> QualityRule:
        """One entry of quality.yaml."""
        built = QualityRule(
            id=entry["id"],
            rule=entry["rule"] or entry["id"],
            name=entry["name"],
            when=self.rule(entry["when"], entry),
            severity=entry["severity"],
            text=entry["text"],
            citations=tuple(entry["citations"]),
            status=entry["status"],
            suppresses=tuple(entry["suppresses"]),
            not_judged=entry["not_judged"],
            lower_bound=tuple(entry["lower_bound"]),
            unread=tuple(entry["unread"]),
            silent_if=tuple(entry["silent_if"]),
            marks=tuple(entry["marks"]),
            mark=entry["mark"],
            headline=entry["headline"],
        )
        return self.places.note(built, entry["at"])

    def finding(self, entry: Entry) -> Finding:
        """One entry of findings.yaml."""
        built = Finding(
            id=entry["id"],
            name=entry["name"],
            when=self.rule(entry["when"], entry),
            citations=tuple(entry["citations"]),
            status=entry["status"],
            texts=dict(entry["texts"]),
            grades=entry["grades"],
            silent_if=tuple(entry["silent_if"]),
            silent_unless=tuple(entry["silent_unless"]),
            rank=entry["rank"],
            silent_if_called=entry["silent_if_called"],
            when_false=entry["when_false"],
            beside=entry["beside"],
        )
        return self.places.note(built, entry["at"])

    def grade_scale(self, entry: Entry) -> GradeScale:
        """Words for how far a quantity lies beyond its limit."""
        at: Map = entry["at"]
        grades = tuple(
            Grade(
                grade["word"],
                self.maybe(grade, "below", entry["quantity"]),
                self.maybe(grade, "at_most", entry["quantity"]),
            )
            for grade in entry["grades"]
        )
        start = age_edge(entry["age_from"], at.file, at.line_of("age_from"))
        self.words.measure(entry["quantity"], at.file, at.line_of("quantity"))
        built = GradeScale(entry["id"], entry["quantity"], start, grades, tuple(entry["citations"]), entry["status"])
        return self.places.note(built, at)

    def profile(self, entry: Entry) -> Profile:
        """One file of profiles/."""
        markers = tuple(
            self.places.note(
                ProfileMarker(**{key: value for key, value in marker.items() if key not in ("at", "citations")},
                              citations=tuple(marker["citations"])),
                marker["at"],
            )
            for marker in entry["markers"]
        )  # fmt: skip
        plain = {key: value for key, value in entry.items() if key not in ("at", "citations", "markers")}
        return self.places.note(Profile(**plain, markers=markers, citations=tuple(entry["citations"])), entry["at"])

    def evidence(self, entry: Entry) -> EvidenceTable:
        """One table of evidence.yaml."""
        rows = tuple(
            self.places.note(
                EvidenceRow(row["id"], self.rule(row["when"], row), row["answer"], row["reason"], row["type_prefix"],
                            row["text"], tuple(row["citations"]), row["status"]),
                row["at"],
            )
            for row in entry["rows"]
        )  # fmt: skip
        built = EvidenceTable(
            id=entry["id"],
            name=entry["name"],
            guideline=entry["guideline"],
            inputs=tuple(entry["inputs"]),
            rows=rows,
            otherwise=entry["otherwise"],
            citations=tuple(entry["citations"]),
            status=entry["status"],
            cells=tuple(self._cell(cell) for cell in entry["cells"]),
            levels=tuple(entry["levels"]),
            letters=dict(entry["letters"]),
            completions={name: tuple(words) for name, words in entry["completions"].items()},
            missing_texts=dict(entry["missing_texts"]),
            columns=entry["columns"],
            open_rows=dict(entry["open_rows"]),
        )
        return self.places.note(built, entry["at"])

    def _cell(self, entry: Entry) -> EvidenceCell:
        plain = {key: value for key, value in entry.items() if key not in ("at", "when", "citations")}
        built = EvidenceCell(**plain, when=self.rule(entry["when"], entry), citations=tuple(entry["citations"]))
        return self.places.note(built, entry["at"])

    def option(self, entry: Entry) -> NamedOption:
        """One entry of options.yaml with its rows in full."""
        at: Map = entry["at"]
        if entry["intervals"] and entry["analyte"] is None:
            raise EditionError("an option with intervals names its analyte", at.file, at.line)
        built = NamedOption(
            id=entry["id"],
            analyte=entry["analyte"],
            text=entry["text"],
            citations=tuple(entry["citations"]),
            status=entry["status"],
            selectable=entry["selectable"],
            intervals=self.intervals(entry["intervals"], entry["analyte"] or ""),
            replaces_critical=tuple(entry["replaces_critical"]),
            critical=tuple(self.critical(rule) for rule in entry["critical"]),
            decision_limits=tuple(self.decision_limit(limit) for limit in entry["decision_limits"]),
            constants={name: dict(numbers) for name, numbers in entry["constants"].items()},
        )
        return self.places.note(built, at)
