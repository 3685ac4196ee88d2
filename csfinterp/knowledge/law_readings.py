"""Laws about patterns, cautions, statements and recommendations, and about the order of all rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from csfinterp.errors import EditionError
from csfinterp.knowledge.law_references import ID
from csfinterp.knowledge.schema_readings import CAUTION_GROUPS, GRADE_WORDS
from csfinterp.knowledge.subject import Subject, twice
from csfinterp.model.context import ORGANISM_CLASSES
from csfinterp.model.edition import (
    Edition,
    Finding,
    Pattern,
    PatternItem,
    QualityRule,
    Raise,
    Recommendation,
    Score,
    Statement,
)
from csfinterp.model.predicate import Holds, Predicate, leaves

# Lists of words that organisms are known by: one per class, viruses that may be latent, targets of a herpes PCR.
ORGANISM_LISTS = (*ORGANISM_CLASSES, "latent_virus", "herpes_target")
Speaking = Finding | Statement | Recommendation
Owner = QualityRule | PatternItem | Raise | Speaking


def statement_ids_law(subject: Subject) -> Iterator[EditionError]:
    """One name, one meaning: rules, traces and links find everything that has a truth, a grade or a text by its id.

    Recommendations have names of their own (recommendations.md), some of which findings and quality rules share.
    """
    edition = subject.edition
    owners = [owner for owner in _owners(edition) if not isinstance(owner, Recommendation)]
    yield from twice(subject, (*edition.evidence, *owners, *edition.patterns, *edition.scores), "statement")
    yield from twice(subject, edition.recommendations, "recommendation")
    taken = {owner.id for owner in owners} | {*subject.words.graded}
    for recommendation in edition.recommendations:
        if recommendation.id in taken - edition.shared_names:
            message = f"{recommendation.id!r} is already the id of something else"
            yield subject.slip(recommendation, message, "id")
    spelled: tuple[Pattern | Recommendation | Score, ...] = (
        *edition.patterns,
        *edition.recommendations,
        *edition.scores,
    )
    for entry in spelled:
        if not ID.match(entry.id):
            yield subject.slip(entry, f"id {entry.id!r}: write small letters, digits and single _", "id")
    for pattern in edition.patterns:
        if pattern.id in subject.words.quantities:
            yield subject.slip(pattern, f"{pattern.id!r} is already a quantity")
    if edition.differential is not None:
        yield from twice(subject, edition.differential.groups, "group of the differential")


def order_law(subject: Subject) -> Iterator[EditionError]:
    """Rules are decided program after program: nothing may lead back to itself."""
    edition = subject.edition
    place = {rule.id: number for number, rule in enumerate(edition.quality)}
    for rule in edition.quality:
        for name in _held(rule.when):
            if place.get(name, -1) > place[rule.id]:
                yield subject.slip(rule, f"{rule.id} names {name}, which stands below it; move it up", "when")
    refers = {name: _held(rule) for name, rule in _rules(edition)}
    silences = {owner.id: _silent_if(owner) for owner in _by_name(edition).values()}
    yield from _circles(subject, refers, "circle of holds", "when")
    yield from _circles(subject, silences, "circle of silence: nothing would be printed", "silent_if")


def _rules(edition: Edition) -> Iterator[tuple[str, Predicate]]:
    yield from ((rule.id, rule.when) for rule in edition.quality)
    yield from edition.first_program.items()
    yield from edition.second_program.items()


def _held(rule: Predicate) -> tuple[str, ...]:
    """Statements of the same kind of truth; a grade or an answer is decided before anything that may name it."""
    return tuple(leaf.id for leaf in leaves(rule) if isinstance(leaf, Holds) and leaf.at_least is None)


def _owners(edition: Edition) -> Iterator[Owner]:
    """Everything that has a truth of its own, in the order of the files."""
    yield from edition.quality
    yield from edition.findings
    for pattern in edition.patterns:
        yield from pattern.items
        yield from pattern.raises
        yield from pattern.lines
    yield from (*edition.cautions, *edition.statements)
    yield from edition.recommendations


def _by_name(edition: Edition) -> dict[str, Owner]:
    """What `holds` and `silent_if` mean by an id: of two that share it, what is decided first."""
    found: dict[str, Owner] = {}
    for owner in _owners(edition):
        found.setdefault(owner.id, owner)
    return found


def _circles(subject: Subject, refers: Mapping[str, Sequence[str]], what: str, key: str) -> Iterator[EditionError]:
    owners = _by_name(subject.edition)
    done: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> Iterator[EditionError]:
        if name in trail:
            circle = " -> ".join((*trail[trail.index(name) :], name))
            yield subject.slip(owners[name], f"{what}: {circle}", key)
        elif name not in done:
            for other in refers.get(name, ()):
                yield from walk(other, (*trail, name))
            done.add(name)

    for name in owners:
        yield from walk(name, ())


def silence_law(subject: Subject) -> Iterator[EditionError]:
    """silent_if names what has a truth of its own; findings name findings only, as they are decided first."""
    known = _by_name(subject.edition)
    for owner in _owners(subject.edition):
        for name in _silent_if(owner):
            if name not in known:
                yield subject.slip(owner, f"{owner.id}: silent_if names unknown statement {name!r}", "silent_if")
            elif isinstance(owner, Finding):
                if not isinstance(known[name], Finding):
                    message = f"{owner.id}: silent_if names {name!r}, which is no finding"
                    yield subject.slip(owner, message, "silent_if")
            elif name in subject.edition.shared_names:
                message = f"{owner.id}: silent_if names {name!r}, a recommendation and something else; name another"
                yield subject.slip(owner, message, "silent_if")


def _silent_if(owner: Owner) -> tuple[str, ...]:
    return owner.silent_if if isinstance(owner, Speaking) else ()


def patterns_law(subject: Subject) -> Iterator[EditionError]:
    for pattern in subject.edition.patterns:
        own = {item.id for item in pattern.items}
        for name in pattern.required:
            if name not in own:
                message = f"{pattern.id}: required names {name!r}, which is none of its items"
                yield subject.slip(pattern, message, "required")
        for grade in GRADE_WORDS:
            possible = grade in _possible(pattern)
            if possible and grade not in pattern.texts:
                yield subject.slip(pattern, f"{pattern.id}: texts lack the sentence for {grade}", "texts")
            named = {"texts": pattern.texts, "emergency": pattern.emergency, "headlines": pattern.headlines}
            for key in () if possible else (key for key, grades in named.items() if grade in grades):
                yield subject.slip(pattern, f"{pattern.id} is never graded {grade}", key)


def summary_law(subject: Subject) -> Iterator[EditionError]:
    """What the summary is told names what is there: findings, scores, analytes and recommendations."""
    edition = subject.edition
    findings, scores = {finding.id for finding in edition.findings}, {score.id for score in edition.scores}
    for pattern in edition.patterns:
        for grade, names in pattern.summary.says.items():
            for name in (*names, *(() if grade in _possible(pattern) else (grade,))):
                if name not in findings:
                    message = f"{pattern.id}: summary says {name!r}, which is no finding or not among its grades"
                    yield subject.slip(pattern.summary, message, "says")
        if pattern.summary.score is not None and pattern.summary.score not in scores:
            message = f"{pattern.id}: summary names unknown score {pattern.summary.score!r}"
            yield subject.slip(pattern.summary, message, "score")
    for finding in edition.findings:
        if finding.beside is not None and finding.beside not in findings:
            yield subject.slip(finding, f"{finding.id}: beside names unknown finding {finding.beside!r}", "beside")
        if finding.when_false is not None and "false" not in finding.texts:
            yield subject.slip(finding, f"{finding.id}: when_false needs the sentence for false", "when_false")
    file, document = subject.file("edition.yaml"), subject.documents.get("edition.yaml")
    lines: Mapping[str, int] = getattr(document, "lines", {})
    for name in edition.routine_tests:
        if name not in edition.analyte:
            yield EditionError(f"routine_tests: unknown analyte {name!r}", file, lines.get("routine_tests"))


def _possible(pattern: Pattern) -> set[str]:
    """Grades that the pattern can get."""
    found = {"fits", "does_not_fit", "not_evaluable", *(item.grade for item in pattern.raises)}
    if any(item.kind == "decisive" for item in pattern.items):
        found.add("established")
    if pattern.k is not None and pattern.partly:
        found.add("partly_fits")
    return found


def cautions_law(subject: Subject) -> Iterator[EditionError]:
    """Cautions stand in print order."""
    for before, after in pairwise(subject.edition.cautions):
        if CAUTION_GROUPS.index(before.group) > CAUTION_GROUPS.index(after.group):
            message = f"{after.id} stands behind {before.id}; the order is {', '.join(CAUTION_GROUPS)}"
            yield subject.slip(after, message, "group")


def organisms_law(subject: Subject) -> Iterator[EditionError]:
    for name in subject.edition.organism_words:
        if name not in ORGANISM_LISTS:
            message = f"organism_words: unknown list {name!r}; known are {', '.join(ORGANISM_LISTS)}"
            document = subject.documents.get("edition.yaml")
            words = document.get("organism_words") if isinstance(document, Mapping) else None
            yield EditionError(message, subject.file("edition.yaml"), getattr(words, "lines", {}).get(name))
