"""Every statement of an edition that can be asked for by `interpret --explain`, by its id and its rule number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from csfinterp.model.edition import CriticalRule, Edition, EvidenceTable, Pattern, Refusal, Score
from csfinterp.model.predicate import Holds, Predicate, leaves

NOT_PRINTED = "not printed: its rule does not hold, cannot be decided, or another statement says it"
TABLE_IDS = {"eano_esmo": ("lm",)}


@dataclass(frozen=True)
class Statement:
    """One statement. `places`: where a document holds it (list or list/inner list, key, wanted text).

    `facts` and `rules` are printed with their labels; `values`: ids that it reads beside those of the rules.
    """

    kind: str
    id: str
    name: str
    citations: tuple[str, ...]
    status: str
    keys: tuple[str, ...] = ()
    places: tuple[tuple[str, str, str], ...] = ()
    silent: str = "nothing in this document"
    facts: tuple[tuple[str, str], ...] = ()
    rules: tuple[tuple[str, Predicate], ...] = ()
    values: tuple[str, ...] = ()

    def uses_named(self) -> bool:
        """A rule names another statement."""
        return any(isinstance(leaf, Holds) for _, rule in self.rules for leaf in leaves(rule))


def statements(edition: Edition) -> dict[str, list[Statement]]:
    """Id or rule number, in small letters -> the statements of that name, in the order of an answer."""
    found: dict[str, list[Statement]] = {}
    for make in _MAKERS:
        for entry in make(edition):
            for key in dict.fromkeys(name.casefold() for name in (entry.id, *entry.keys) if name):
                found.setdefault(key, []).append(entry)
    return found


def _results(edition: Edition) -> Iterator[Statement]:
    derived = edition.derived_by_id
    for analyte in edition.analytes:
        rows = ", ".join([*(row.rule for row in analyte.intervals), *(band.rule for band in analyte.bands)])
        facts = [("Unit", analyte.unit or "")] if analyte.unit else []
        facts += [("All rows", rows)] if rows else []
        facts += [("Word", f"{word.word}: {word.flag or word.not_judged or 'no flag'}") for word in analyte.values]
        calls = [rule for rule in edition.critical if analyte.id in rule.analytes]
        facts += [("Critical", f"{rule.id}: {_called(rule)}") for rule in calls]
        entry = derived.get(analyte.id)
        facts += [("Formula", entry.formula)] if entry else []
        yield Statement(
            "result", analyte.id, analyte.name, analyte.citations, analyte.status,
            facts=tuple(facts), values=(analyte.id, *(entry.inputs if entry else ())),
        )  # fmt: skip
    for entry in edition.derived:
        if entry.id not in edition.analyte:
            numbers = [("Constant", f"{name} = {value:g}") for name, value in entry.constants.items()]
            facts = [("Formula", entry.formula), *numbers, *([("Note", entry.note)] if entry.note else [])]
            yield Statement(
                "calculated value", entry.id, entry.name, entry.citations, entry.status,
                facts=tuple(facts), values=(entry.id, *entry.inputs),
            )  # fmt: skip


def _findings(edition: Edition) -> Iterator[Statement]:
    for entry in edition.findings:
        yield Statement(
            "finding", entry.id, entry.name, entry.citations, entry.status,
            places=(("findings", "id", entry.id),), rules=(("Rule", entry.when),),
        )  # fmt: skip


def _quality(edition: Edition) -> Iterator[Statement]:
    for entry in edition.quality:
        yield Statement(
            "quality rule", entry.id, entry.name, entry.citations, entry.status, keys=(entry.rule,),
            places=(("quality", "id", entry.id),), silent=NOT_PRINTED, rules=(("Rule", entry.when),),
            facts=(("Severity", entry.severity),),
        )  # fmt: skip


def _patterns(edition: Edition) -> Iterator[Statement]:
    for entry in edition.patterns:
        yield Statement(
            "pattern", entry.id, entry.name, entry.citations, entry.status, keys=(entry.rule_id,),
            places=(("patterns", "id", entry.id),), facts=tuple(_pattern_facts(entry)),
            rules=tuple(_pattern_rules(entry)), values=(),
        )  # fmt: skip
        for item in entry.items:
            yield Statement(
                "pattern item", item.id, item.text, item.citations, item.status,
                places=(("patterns/items", "id", item.id),), rules=(("Rule", item.when),),
                facts=(("Pattern", f"{entry.id} ({entry.rule_id})"), ("Kind", item.kind.replace("_", " "))),
            )  # fmt: skip
        for line in entry.lines:
            yield Statement(
                "pattern line", line.id, line.name or "", line.citations, line.status,
                places=(("patterns/lines", "id", line.id),), silent=NOT_PRINTED, rules=(("Rule", line.when),),
            )  # fmt: skip


def _pattern_facts(entry: Pattern) -> Iterator[tuple[str, str]]:
    core = [item.id for item in entry.items if item.kind == "core"]
    if core:
        partly = f"; {entry.k} of them TRUE: partly fits" if entry.partly and entry.k is not None else ""
        yield "Grade by", f"core items {', '.join(core)}; all TRUE: fits{partly}"
    for kind in ("decisive", "counter_major", "counter", "support", "alarm", "neutral"):
        named = [item.id for item in entry.items if item.kind == kind]
        if named:
            yield kind.replace("_", " ").capitalize(), ", ".join(named)
    if entry.required:
        yield "Required", ", ".join(entry.required)


def _pattern_rules(entry: Pattern) -> Iterator[tuple[str, Predicate]]:
    if entry.rule is not None:
        yield "Rule", entry.rule
    yield from ((item.id, item.when) for item in entry.items)
    yield from ((f"At least {short.grade.replace('_', ' ')}", short.when) for short in entry.raises)
    yield from ((f"Open: {part.reason.replace('_', ' ')}", part.when) for part in entry.open_if)
    if entry.shown_if is not None:
        yield "Shown if", entry.shown_if


def _cautions(edition: Edition) -> Iterator[Statement]:
    groups = (("caution", "cautions", edition.cautions),
              ("liquid biopsy statement", "liquid_biopsy/statements", edition.statements))  # fmt: skip
    for kind, place, entries in groups:
        for entry in entries:
            silent = (("Silent if", ", ".join(entry.silent_if)),) if entry.silent_if else ()
            yield Statement(
                kind, entry.id, (entry.name or "").replace("_", " "), entry.citations, entry.status,
                keys=(entry.name or "",), places=((place, "id", entry.id),), silent=NOT_PRINTED, facts=silent,
                rules=(("Rule", entry.when),),
            )  # fmt: skip
    if edition.differential is not None:
        causes = edition.differential
        yield Statement(
            "differential", "differential", causes.trigger, causes.citations, causes.status,
            places=(("differential", "", ""),), silent=NOT_PRINTED, rules=(("Rule", causes.when),),
        )  # fmt: skip


def _recommendations(edition: Edition) -> Iterator[Statement]:
    for entry in edition.recommendations:
        silent = (("Silent if", ", ".join(entry.silent_if)),) if entry.silent_if else ()
        context = (("Block", "for the treating team, context only"),) if entry.context_only else ()
        yield Statement(
            "recommendation", entry.id, entry.id.replace("_", " "), entry.citations, entry.status, keys=(entry.rule,),
            places=(("recommendations", "rule", entry.rule),), silent=NOT_PRINTED,
            facts=(("Number", entry.rule), ("Priority", str(entry.priority)), *context, *silent),
            rules=(("Rule", entry.when),),
        )  # fmt: skip


def _tables(edition: Edition) -> Iterator[Statement]:
    for table in edition.evidence:
        place = "lm" if table.id == "eano_esmo" else table.id
        rules = tuple((f"{row.id}: {row.answer.replace('_', ' ')}", row.when) for row in table.rows)
        yield Statement(
            "evidence table", place, f"{table.name} ({table.guideline})", table.citations, table.status,
            keys=(table.id, *TABLE_IDS.get(table.id, ())), places=((place, "", ""),), rules=rules,
            facts=(("Read as", f"the first row that is TRUE answers; else {table.otherwise.replace('_', ' ')}"),),
            values=table.inputs,
        )  # fmt: skip
        yield from _rows(table, place)


def _rows(table: EvidenceTable, place: str) -> Iterator[Statement]:
    for row in table.rows:
        if row.id[0].isdigit():
            continue  # a bare number names no statement; the table lists its rows
        printed = () if table.cells else ((place, "row", row.id),)
        yield Statement(
            "table row", row.id, row.text or "", row.citations, row.status, places=printed,
            silent="not the row that this panel prints", facts=(("Answer", row.answer.replace("_", " ")),),
            rules=(("Rule", row.when),),
        )  # fmt: skip
    for cell in table.cells:
        yield Statement(
            "table row", cell.id, cell.caution or "", cell.citations, cell.status, places=((place, "row", cell.id),),
            silent="not the row that this panel prints", facts=(("Answer", cell.level.replace("_", " ")),),
            rules=(("Rule", cell.when),),
        )  # fmt: skip


def _scores(edition: Edition) -> Iterator[Statement]:
    for score in edition.scores:
        off = () if score.default_on else (("Switched", "off unless a site switches it on"),)
        yield Statement(
            "score", score.id, score.name, score.citations, score.status, keys=(score.rule,),
            places=(("scores", "id", score.id),), silent="not listed: not asked for, or not switched on",
            facts=(("Made for", score.population), ("Needs", ", ".join(score.needed)), *off),
            rules=tuple(_score_rules(score)), values=score.needed,
        )  # fmt: skip


def _score_rules(score: Score) -> Iterator[tuple[str, Predicate]]:
    if score.asked_if is not None:
        yield "Asked if", score.asked_if
    yield from _refusals("Refused if", score.refusals)
    yield from _refusals("Not computable if", score.unknown_refusals)


def _refusals(label: str, refusals: tuple[Refusal, ...]) -> Iterator[tuple[str, Predicate]]:
    yield from ((f"{label} ({refusal.reason})", refusal.when) for refusal in refusals)


def _numbers(edition: Edition) -> Iterator[Statement]:
    for limit in edition.limits:
        said = f"{limit.quantity} {limit.op} {limit.text}"
        yield Statement(
            "decision limit", limit.id, limit.says, limit.citations, limit.status, facts=(("Limit", said),),
            values=(limit.quantity,),
        )  # fmt: skip
    for rule in edition.critical:
        yield Statement(
            "critical rule", rule.id, rule.text, rule.citations, rule.status, keys=(rule.rule,),
            places=(("critical", "rule", rule.rule),), silent="nobody has to be called by this rule",
            facts=(("Limit", f"{', '.join(rule.analytes)} {_called(rule)}"), ("Level", rule.level)),
            values=rule.analytes,
        )  # fmt: skip
    for profile in edition.profiles:
        yield Statement(
            "profile", profile.id, profile.name, profile.citations, profile.status,
            places=(("profiles", "id", profile.id),),
            facts=(("Cohort", profile.cohort), ("Entry criterion", profile.entry_criterion)),
            values=tuple(marker.id for marker in profile.markers),
        )  # fmt: skip


def _called(rule: CriticalRule) -> str:
    """`>= 30 /uL`, or the words of a coded result."""
    return f"{rule.op} {rule.limit_text}" if rule.op else " or ".join(rule.words)


_MAKERS = (_findings, _quality, _patterns, _cautions, _recommendations, _tables, _scores, _results, _numbers)
