"""Patterns, cautions, differential, liquid biopsy, recommendations and scores of one panel,
each with what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from csfinterp.model.context import ISSUE_CODES, UNIT_ISSUES
from csfinterp.model.edition import Analyte, Pattern, PatternItem, Recommendation, Statement
from csfinterp.model.interpretation import (
    CautionResult,
    DifferentialGroupResult,
    DifferentialResult,
    PatternResult,
    RecommendationResult,
    ScoreResult,
    StatementResult,
)
from csfinterp.model.panel import Observation
from csfinterp.model.predicate import FALSE, TRUE, Known, Predicate, Truth, leaves
from csfinterp.steps.explain.phrases import PLACEHOLDER, fill, inside
from csfinterp.steps.explain.row import TRUTHS, Row
from csfinterp.steps.explain.statements import missing
from csfinterp.steps.explain.wording import reasons
from csfinterp.steps.score import describe

SUPPORT, AGAINST = ("decisive", "core", "support"), ("counter", "counter_major")
TRUTH_OF_GRADE = {"established": "true", "fits": "true", "partly_fits": "true", "does_not_fit": "false"}
COMMENTS = "EC"  # everyday comments; cautions proper and pointers are never folded
MOST_VALUES = 4  # three immunoglobulin classes and the bands
MOST_SHOWN = 6  # recommendations.md: at most 6 non-critical entries, the rest behind "more"; cautions: EC likewise


def because(row: Row, predicate: Predicate) -> tuple[str, ...]:
    """The leaves that make a TRUE statement TRUE, each once."""
    return tuple(dict.fromkeys(reasons(predicate, TRUE, row)))


# patterns -----------------------------------------------------------------------------------------------------------


def patterns(row: Row) -> tuple[PatternResult, ...]:
    """All patterns in print order: established, then by urgency as the edition lists them, then by grade (ER6)."""
    found = [_pattern(row, pattern) for pattern in row.parts.edition.patterns]
    return tuple(sorted(found, key=lambda pattern: pattern.grade != "established"))


def _pattern(row: Row, pattern: Pattern) -> PatternResult:
    grade = row.grade(pattern.id)
    planned = row.parts.items[pattern.id]
    truths = [TRUTHS[row.truths[plan.row]] for plan in planned]
    countered = False
    support: list[str] = []
    against: list[str] = []
    alarms: list[str] = []
    open_: dict[str, None] = {}
    sources = dict.fromkeys(pattern.citations)
    for plan, truth in zip(planned, truths, strict=True):
        item = plan.item
        if truth is TRUE:
            sources |= dict.fromkeys(item.citations)
            countered |= item.kind == "counter_major"
            if item.kind in SUPPORT:
                support.append(_evidence(row, item))
            elif item.kind in AGAINST:
                against.append(_evidence(row, item))
            elif item.kind == "alarm":
                alarms += _alarms(row, item)
        elif truth is FALSE:
            if item.kind == "core":
                against.append(f"not: {_evidence(row, item, FALSE)}")
        elif plan.needed:
            open_ |= dict.fromkeys(missing(row, item.when))
    if pattern.rule is not None:
        open_ |= dict.fromkeys(missing(row, pattern.rule))
    reason = _reason(row, pattern)
    lines = tuple(
        _statement(row, line)
        for line in pattern.lines
        if row.advice(line.id) is TRUE and not any(row.statement(name) is TRUE for name in line.silent_if)
    )
    return PatternResult(
        id=pattern.id,
        rule=pattern.rule_id,
        name=pattern.name,
        truth=TRUTH_OF_GRADE.get(grade, "unknown"),
        grade=grade,
        reason=reason,
        shown=pattern.shown_if is None or row.advice(f"{pattern.id}.shown_if") is TRUE,
        emergency=grade in pattern.emergency,
        discordant=grade == "established" and countered,
        alarms=tuple(alarms),
        items=tuple(plan.told[truth] for plan, truth in zip(planned, truths, strict=True)),
        support=tuple(support),
        against=tuple(against),
        missing=tuple(open_),
        text=_text(row, pattern, grade, reason, alarms),
        lines=lines,
        citations=tuple(sources),
        status=pattern.status,
    )


def _alarms(row: Row, item: PatternItem) -> Iterator[str]:
    """Alarm values are printed whatever the grade, and whatever else of the item is missing; each value once."""
    lines = because(row, item.when)
    compared = {_subject(line) for line in lines if " flagged " not in line}
    yield from (line for line in lines if " flagged " not in line or _subject(line) not in compared)


def _subject(line: str) -> str:
    """The quantity that a reason begins with."""
    return line.partition(" ")[0]


def _with_name(row: Row, name: str) -> str:
    entry = row.layout.entry(name)
    return f"{entry.name} {row.seen(name).text}" if entry else name


def _evidence(row: Row, item: PatternItem, wanted: Truth = TRUE) -> str:
    """The item with the values that decided (ER7); an item rests on at most a handful."""
    found = tuple(dict.fromkeys(reasons(item.when, wanted, row)))
    return f"{item.text} ({'; '.join(found[:MOST_VALUES])})" if found else item.text


def _reason(row: Row, pattern: Pattern) -> str | None:
    number = int(row.outcomes.graded.reason[row.parts.grades[pattern.id], row.column])
    return pattern.open_if[number - 1].reason if number else None


def _text(row: Row, pattern: Pattern, grade: str, reason: str | None, alarms: list[str]) -> str:
    text = pattern.texts.get(grade, "")
    if not PLACEHOLDER.search(text):
        return text
    texts = row.parts.edition.texts
    own = next((found.text for found in pattern.open_if if found.reason == reason and found.text), None)
    phrase = own or texts.get(f"open_{reason}" if reason else "open_missing", texts["open_missing"])
    more = {"alarms": ", ".join(dict.fromkeys(inside(_with_name(row, _subject(alarm))) for alarm in alarms))}
    return fill(row, text, {"reason": fill(row, phrase, more)} | _measured(row))


def _measured(row: Row) -> dict[str, str]:
    """What was measured and judged, and what was not, among the CSF tests that every panel may hold."""
    analytes = row.parts.edition.analytes
    routine = [name for name in row.parts.edition.routine_tests if name in row.parts.edition.analyte]
    names = {analyte.id: analyte.name for analyte in analytes}
    first = [*routine, *(name for name in names if name not in routine)]
    judged = [inside(names[name]) for name in first if name in row.sent and row.flag(name) is not None]
    absent = [inside(names[name]) for name in routine if name not in row.sent]
    return {"measured": ", ".join(judged) or "none", "not_measured": ", ".join(absent) or "none"}


# statements ---------------------------------------------------------------------------------------------------------


def spoken(row: Row, entries: Iterable[tuple[Statement, int]]) -> tuple[StatementResult, ...]:
    """The statements that hold and that no other spoken or printed one makes silent, in the order of the edition."""
    holding = {entry.id: entry for entry, place in entries if row.advised[place] == TRUE}
    return tuple(_statement(row, entry) for entry in holding.values() if not holding.keys() & set(entry.silent_if))


def cautions(row: Row) -> tuple[CautionResult, ...]:
    """The cautions that hold; of the everyday comments the first six and those that a reader must not miss."""
    known = {entry.id: entry for entry in row.parts.edition.cautions}
    found = spoken(row, row.parts.cautions)
    comments = [one.id for one in found if known[one.id].group == COMMENTS and not known[one.id].never_folded]
    folded = set(comments[MOST_SHOWN:])
    return tuple(
        CautionResult(**vars(one), folded=one.id in folded, never_folded=known[one.id].never_folded) for one in found
    )


def _statement(row: Row, entry: Statement) -> StatementResult:
    return StatementResult(entry.id, fill(row, entry.text), because(row, entry.when), entry.citations, entry.status)


def differential(row: Row) -> DifferentialResult | None:
    """Causes of leptomeningeal enhancement, where it is asked about and no decisive result answers."""
    entry = row.parts.edition.differential
    if entry is None or row.advice("differential") is not TRUE:
        return None
    groups = tuple(
        DifferentialGroupResult(g.id, g.leptomeningeal, g.pachymeningeal, g.tests, g.citations, g.status)
        for g in entry.groups
    )
    return DifferentialResult(entry.trigger, groups, entry.notes, entry.citations)


# recommendations ----------------------------------------------------------------------------------------------------


def recommendations(row: Row, shapes: Iterable[PatternResult]) -> tuple[RecommendationResult, ...]:
    """What holds, sorted by priority, once per audience; beyond six non-critical entries the rest is folded."""
    alarms = tuple(dict.fromkeys(alarm for pattern in shapes for alarm in pattern.alarms))
    holding = {entry.id: entry for entry, place in row.parts.recommendations if row.advised[place] == TRUE}
    printed: dict[str, Recommendation] = {}
    for entry in holding.values():
        if not _silent(entry, holding):
            printed[entry.id] = entry
    ordered = sorted(printed.values(), key=lambda entry: entry.priority)
    open_ = [entry.id for entry in ordered if entry.priority > 1 and not entry.context_only]
    folded = set(open_[MOST_SHOWN:])
    return tuple(
        RecommendationResult(
            id=entry.id,
            rule=entry.rule,
            text=fill(row, entry.text, _details(row, entry, alarms)),
            audience=audience,
            context_only=entry.context_only,
            priority=entry.priority,
            folded=entry.id in folded or entry.context_only,
            because=because(row, entry.when),
            citations=entry.citations,
            status=entry.status,
        )
        for entry in ordered
        for audience in entry.audiences
    )


def _silent(entry: Recommendation, holding: Mapping[str, Recommendation]) -> bool:
    """An entry is silent where one that is itself printed says it."""
    return any(name in holding and not _silent(holding[name], holding) for name in entry.silent_if)


def _details(row: Row, entry: Recommendation, alarms: tuple[str, ...]) -> dict[str, str]:
    """Words for the placeholders that no quantity has: which test, which organism, which values."""
    if not PLACEHOLDER.search(entry.text):
        return {}
    found = list(_positive(row))
    return {
        "test": ", ".join(dict.fromkeys(analyte.name for analyte, _ in found)) or "a test",
        "organism": ", ".join(dict.fromkeys(sent.organism or "organism not named" for _, sent in found)),
        "value": ", ".join(dict.fromkeys(_with_name(row, _subject(alarm)) for alarm in alarms)),
        "reason": next((row.word(name) for name in _asked_for(entry) if name in row.layout.coded), None) or "not sent",
        "missing": ", ".join(_leukemia_missing(row)),
        "not_requested": _not_requested(row, entry),
        "units": ", ".join(dict.fromkeys(_units_in_doubt(row))),
    }


def _not_requested(row: Row, entry: Recommendation) -> str:
    """Which of the tests that the advice asks for were not sent: "Gram stain of CSF was"."""
    known = row.parts.edition.analyte
    names = [known[name].name for name in _asked_for(entry) if name in known and not row.is_known(name)]
    told = " and ".join([*names[:1], *map(inside, names[1:])])
    return f"{told} {'were' if len(names) > 1 else 'was'}"


def _asked_for(entry: Recommendation) -> list[str]:
    """The inputs whose presence the rule asks about."""
    return [leaf.input for leaf in leaves(entry.when) if isinstance(leaf, Known)]


def _units_in_doubt(row: Row) -> Iterator[str]:
    """Names of the results that no usable unit came with."""
    for number, code in enumerate(row.outcomes.issue[row.first : row.first + len(row.panel.observations)].tolist()):
        if code and ISSUE_CODES[code - 1] in UNIT_ISSUES:
            statement = row.layout.statements[int(row.outcomes.analyte[row.first + number])]
            yield row.parts.edition.analyte[statement].name


def _positive(row: Row) -> Iterator[tuple[Analyte, Observation]]:
    """Positive stains, cultures, PCRs and antigens, as sent."""
    critical = {name for rule in row.parts.edition.critical if rule.words and rule.flag for name in rule.analytes}
    for number, observation in enumerate(row.panel.observations):
        statement = int(row.outcomes.analyte[row.first + number])
        name = row.layout.statements[statement] if statement >= 0 else ""
        if name in critical and (observation.value or "").strip().casefold() == "positive":
            yield row.parts.edition.analyte[name], observation


def _leukemia_missing(row: Row) -> list[str]:
    table = row.parts.column_evidence.get("leukemia_cns")
    names = [name for name in table.table.inputs if not row.is_known(name)] if table else []
    return [row.name_of(name) for name in names]


def scores(row: Row) -> tuple[ScoreResult, ...]:
    """The published scores that were asked for."""
    found = (
        describe(row.outcomes.scores, row.parts.scores, number, row.column)
        for number in range(len(row.parts.scores.compiled))
    )
    return tuple(score for score in found if score is not None)
