"""One column of the outcomes -> Interpretation: results, reasons, sentences, citations, issues.
Adds no judgment of its own."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from csfinterp import __version__
from csfinterp.model.cohort import Outcomes
from csfinterp.model.context import CODED_CONTEXT, YES_NO_CONTEXT
from csfinterp.model.interpretation import CitationEntry, Interpretation
from csfinterp.model.panel import Panel
from csfinterp.steps.explain.critical import critical
from csfinterp.steps.explain.issues import issues
from csfinterp.steps.explain.lm import hematologic, leukemia, lm
from csfinterp.steps.explain.parts import Parts
from csfinterp.steps.explain.readings import cautions, differential, patterns, recommendations, scores, spoken
from csfinterp.steps.explain.results import results
from csfinterp.steps.explain.row import Row
from csfinterp.steps.explain.statements import findings, profiles, quality
from csfinterp.steps.explain.summary import Told, summary


class Explainer:
    """Puts the codes of one panel into words. Public: `explain`, and `parts`, from which it does."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        edition = parts.edition
        self._edition = {"id": edition.id, "digest": edition.digest, "status": edition.status}
        rules = edition.site_rules
        self._site_rules = {"id": rules.id, "digest": rules.digest, "options": list(rules.options)} if rules else None
        self._citations = {found.id: _entry(found.id, parts) for found in edition.citations}

    def explain(self, panel: Panel, outcomes: Outcomes, column: int) -> Interpretation:
        """The interpretation of `panel`, which is column `column` of `outcomes`."""
        row = Row(self.parts, panel, outcomes, column)
        found = results(row)
        states, rules, profile = findings(row), quality(row), profiles(row)
        level, path, calls, problems = lm(row), hematologic(row), critical(row, found), issues(row)
        shapes, marks = patterns(row), leukemia(row)
        warnings, tumor_dna = cautions(row), spoken(row, self.parts.statements)
        causes, advice, points = differential(row), recommendations(row, shapes), scores(row)
        told = Told(
            found, states, rules, profile, level, path, marks, shapes, warnings, advice, points, calls, problems
        )
        text = summary(row, told)
        cited: list[Iterable[str]] = [
            *(sentence.citations for sentence in text.sentences),
            *(result.citations for result in found),
            *(result.reference.citations for result in found if result.reference),
            *(state.citations for state in states),
            *(rule.citations for rule in rules),
            level.citations,
            path.citations,
            *(marker.citations for entry in profile for marker in entry.markers),
            *(item.citations for pattern in shapes for item in pattern.items),
            *(pattern.citations for pattern in shapes),
            *(statement.citations for statement in (*warnings, *tumor_dna)),
            *(entry.citations for entry in advice),
            *(score.citations for score in points),
            marks.citations,
            *(line.citations for pattern in shapes for line in pattern.lines),
            *((causes.citations, *(group.citations for group in causes.groups)) if causes else ()),
        ]
        return Interpretation(
            status=panel.status,
            edition=self._edition,
            site_rules=self._site_rules,
            software={"name": "csfinterp", "version": __version__},
            patient=_patient(row),
            specimen=dict(_mapping(panel.document.get("specimen")) or {"id": panel.specimen.id}),
            context=_context(row),
            results=found,
            issues=problems,
            quality=rules,
            findings=states,
            profiles=profile,
            lm=level,
            hematologic_cns=path,
            leukemia_cns=marks,
            liquid_biopsy=tumor_dna,
            patterns=shapes,
            cautions=warnings,
            differential=causes,
            scores=points,
            recommendations=advice,
            summary=text,
            critical=calls,
            citations=tuple(self._citations[name] for name in dict.fromkeys(chain.from_iterable(cited))),
            disclaimer=self.parts.edition.disclaimer,
        )


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _entry(name: str, parts: Parts) -> CitationEntry:
    """A source as a reader needs it; what is not known about it is said (rulings.md RU15)."""
    found = parts.edition.citation[name]
    where = " ".join(str(part) for part in (found.journal, found.year) if part)
    told = [str(part).rstrip(".") for part in (found.authors, found.title, where) if part]
    text = ". ".join(told) or found.id
    if found.kind not in ("own", "laboratory", "web", "manual", "software", "standard") and not (
        found.authors and found.title
    ):
        text += f" ({parts.edition.texts['bibliographic_data_incomplete']})"
    return CitationEntry(found.id, text, found.doi, found.pmid, found.status)


def _patient(row: Row) -> dict[str, object]:
    patient = row.panel.patient
    return {"id": patient.id, "sex": patient.sex, "age_at_collection": _age(row)}


def _age(row: Row) -> dict[str, object] | None:
    """Completed years from 2 years on, else completed days; an age sent as a number is printed as sent."""
    patient = row.panel.patient
    years, days = row.exact("age_years"), row.exact("age_days")
    if patient.birth_date is not None and years is not None and days is not None:
        return {"value": int(years), "unit": "a"} if years >= 2 else {"value": int(days), "unit": "d"}
    if patient.age is not None:
        value = patient.age.value
        return {"value": int(value) if value == int(value) else value, "unit": patient.age.unit}
    return None


def _context(row: Row) -> dict[str, object]:
    """The context as used: coded words with their defaults, yes/no ids that were sent, history as it came."""
    context = row.panel.context
    words: dict[str, object] = {
        name: row.word(name)
        for name in CODED_CONTEXT
        if name in context.words or name in ("tumor", "clinical_signs", "mri", "biopsy")
    }
    words["tumor"] = {
        "class": row.word("tumor"), "primary": context.tumor_primary, "diagnosis": context.tumor_diagnosis
    }  # fmt: skip
    answers = {"yes": True, "no": False, "unknown": None}
    words |= {name: answers[context.words[name]] for name in YES_NO_CONTEXT if name in context.words}
    words |= dict(sorted(context.numbers.items())) | dict(sorted(context.texts.items()))
    if context.stated:
        words["stated"] = sorted(context.stated)
    if context.history:
        words["history"] = dict(context.history)
    return words
