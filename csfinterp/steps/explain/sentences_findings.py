"""The sentences of the summary that findings make: what holds, with the number that decided, and what is normal."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from csfinterp.model.context import ABNORMAL_FLAGS
from csfinterp.model.edition import Finding
from csfinterp.model.interpretation import FindingResult, PatternResult, Result
from csfinterp.model.predicate import TRUE, Above, Any, Below, Flagged, Not, Predicate, children, inputs
from csfinterp.steps.explain.phrases import OWN, Weighted, fill, inside, listed, said
from csfinterp.steps.explain.row import Row
from csfinterp.steps.explain.sentences import said_by_patterns
from csfinterp.steps.explain.wording import FLAG_MEANING, told_apart, with_unit

MEASURED = "{measured}"  # the pattern that lists what was measured is the one of a wholly normal panel
WEAKEST_FIRST = ("recalled", "ours", "secondary", "derived", "primary")
MOST_FINDINGS, MOST_FLAGGED = 6, 4


def holding(row: Row, states: tuple[FindingResult, ...]) -> list[FindingResult]:
    """Findings that hold and are spoken of, the weightiest first."""
    rules = row.parts.findings
    true = {state.id for state in states if state.truth == "true"}
    found = [
        state
        for state in states
        if state.id in true
        and not true.intersection(rules[state.id].silent_if)
        and true.issuperset(rules[state.id].silent_unless)
    ]
    return sorted(found, key=lambda state: rules[state.id].rank)


def findings(
    row: Row,
    states: tuple[FindingResult, ...],
    results: tuple[Result, ...],
    named: list[PatternResult],
    called: Collection[str],
) -> Iterator[Weighted]:
    """Sentences of the findings that hold and that no pattern and no call has said already."""
    rules = row.parts.findings
    silent = said_by_patterns(row, named)
    silent |= {rule.id for rule in rules.values() if rule.silent_if_called and {*inputs(rule.when)} & {*called}}
    told = [state for state in holding(row, states) if state.id not in silent and rules[state.id].texts.get("true")]
    for state in told[:MOST_FINDINGS]:
        finding = rules[state.id]
        text = _finding_text(row, finding, state, results)
        yield said(8 if finding.rank <= 3 else 6, text, (state.id,), state.citations, state.status)
    yield from _beside(row, states)


def _beside(row: Row, states: tuple[FindingResult, ...]) -> Iterator[Weighted]:
    """Of two verdicts on the same thing that disagree, the one that does not hold (barrier_and_intrathecal.md 5)."""
    known = {finding.id: finding for finding in row.parts.edition.findings}
    found = {state.id: state for state in states}
    for finding in known.values():
        pair = [found[finding.id], found[finding.beside]] if finding.beside else []
        if {state.truth for state in pair} == {"true", "false"}:
            other = next(state for state in pair if state.truth == "false")
            if text := known[other.id].texts.get("false"):
                yield said(6, text, (other.id,), other.citations, other.status)


def _finding_text(row: Row, finding: Finding, state: FindingResult, results: tuple[Result, ...]) -> str:
    """The finding's own sentence with its grade, the number that decided, and marks that belong to it."""
    text = fill(row, finding.texts["true"]).rstrip(".")
    if state.severity:
        text += f", grade {state.severity}"
    names = [name for name in inputs(finding.when) if name in row.layout.quantity]
    numbers: dict[str, str] = {}  # one per quantity; of alternatives all that hold
    for leaf in _true_leaves(row, finding.when):
        if (found := _number(row, leaf, named=len(names) > 1)) and (isinstance(finding.when, Any) or not numbers):
            numbers.setdefault(inputs(leaf)[0], found)
    number = ", ".join(numbers.values())
    extra = [result.advisory for result in results if result.analyte in names and result.advisory]
    extra += _marks(row, names)
    number = "; ".join([part for part in (number, *extra) if part])
    if not number:
        return f"{text}."
    if (not any(mark in text for mark in ";:(") and len(text) <= 80) or text.endswith(")"):
        return f"{text}: {number}."
    return f"{text} ({number.replace(' (', ', ').replace(')', '')})."


def _true_leaves(row: Row, rule: Predicate) -> Iterator[Predicate]:
    """The leaves of the branches that hold as a whole; a true part of a branch that does not hold proves nothing."""
    if row.truth(rule) is not TRUE:
        return
    inner = children(rule)
    if not inner:
        yield rule
    for item in inner if not isinstance(rule, Not) else ():
        yield from _true_leaves(row, item)


def _marks(row: Row, names: list[str]) -> list[str]:
    """The words that quality rules set beside one of these values."""
    rules = row.parts.edition.quality
    numbers = [number for name in names for number in row.parts.marks.get(name, ())]
    found = [rules[number].mark for number in numbers if row.quality[number] == TRUE]
    return list(dict.fromkeys(mark for mark in found if mark))


def _number(row: Row, leaf: Predicate, *, named: bool) -> str:
    """ "812 mg/L (reference < 500 mg/L)" of a leaf that holds and compares a quantity; else nothing."""
    if not isinstance(leaf, (Flagged, Above, Below)) or row.truth(leaf) is not TRUE:
        return ""
    name = leaf.analyte if isinstance(leaf, Flagged) else leaf.quantity
    if name not in row.layout.quantity:
        return ""
    shown, entry = row.seen(name), row.layout.entry(name)
    start = f"{inside(entry.name)} " if named and entry else ""
    if isinstance(leaf, Flagged):
        reference = row.reference_text(name)
        return start + shown.text + (f" (reference {reference})" if reference else "")
    limit = row.limit(name, leaf.limit)
    if leaf.limit.quantity is None or limit is None or shown.value is None:
        return start + shown.text
    value, other = told_apart(shown.value, limit, shown.decimals)
    return f"{start}{with_unit(value, shown.unit)} (limit {with_unit(other, shown.unit)})"


def also_flagged(
    row: Row, states: tuple[FindingResult, ...], results: tuple[Result, ...], called: Collection[str]
) -> Iterator[Weighted]:
    """Abnormal values that no finding and no call speaks of."""
    true = {state.id for state in states if state.truth == "true"}
    spoken = {name for finding in row.parts.edition.findings if finding.id in true for name in inputs(finding.when)}
    derived = row.parts.edition.derived_by_id
    spoken |= {part for name in spoken if name in derived for part in derived[name].inputs}  # what they are computed of
    spoken |= {name for name, entry in derived.items() if entry.inputs and spoken.issuperset(entry.inputs)}
    left = [result for result in results if result.flag in ABNORMAL_FLAGS and result.analyte not in {*spoken, *called}]
    left.sort(key=lambda result: result.kind != "coded")  # turbid says more than a low share of monocytes
    if left:
        told = [
            f"{inside(one.name)} {row.seen(one.analyte).text.replace('_', ' ')} ({FLAG_MEANING[str(one.flag)]})"
            for one in left
        ]
        more = f" and {len(told) - MOST_FLAGGED} more" if len(told) > MOST_FLAGGED else ""
        text = f"Also flagged: {', '.join(told[:MOST_FLAGGED])}{more}."
        citations = dict.fromkeys(name for one in left for name in one.citations)
        status = next(word for word in WEAKEST_FIRST if word in {one.status for one in left})
        yield said(5, text, dict.fromkeys(one.analyte for one in left), citations or OWN, status)


def normal(row: Row, states: tuple[FindingResult, ...], shapes: tuple[PatternResult, ...]) -> Iterator[Weighted]:
    """What is not abnormal, in one sentence; never as an exclusion. A wholly normal panel has its own lines."""
    normal_panels = {pattern.id for pattern in row.parts.edition.patterns if MEASURED in pattern.texts.get("fits", "")}
    whole = next((p for p in shapes if p.id in normal_panels and p.truth == "true"), None)
    if whole is not None:
        yield said(6, whole.text, (whole.rule,), whole.citations, whole.status)
        for line in whole.lines:
            yield said(6, line.text, (whole.rule, line.id), line.citations, line.status)
    rules = row.parts.findings
    asked = ("always",) if whole is not None else ("always", "unless_normal")
    found = [
        state
        for state in states
        if rules[state.id].when_false in asked and _is_plainly_normal(row, rules[state.id], state)
    ]
    if not found:
        return
    parts = [rules[state.id].texts["false"].split(";")[0].strip().rstrip(".") for state in found]
    parts = _classes_joined(parts, row.parts.edition.texts.get("no_synthesis_of_classes", ""))
    text = "; ".join([parts[0], *(inside(part) for part in parts[1:])]) + "; normal values do not exclude disease."
    citations = dict.fromkeys(citation for state in found for citation in state.citations)
    status = next(word for word in WEAKEST_FIRST if word in {state.status for state in found})
    yield said(4, text, (state.id for state in found), citations, status)


def _classes_joined(parts: list[str], phrase: str) -> list[str]:
    """ "No intrathecal synthesis of IgG by ..." for each class as one phrase that names them all."""
    start, _, end = phrase.partition("{classes}")
    if not start:
        return parts
    classes = [part[len(start) : -len(end)] for part in parts if part.startswith(start) and part.endswith(end)]
    others = [part for part in parts if not (part.startswith(start) and part.endswith(end))]
    return [*others, *([start + listed(classes) + end] if classes else [])]


def _is_plainly_normal(row: Row, finding: Finding, state: FindingResult) -> bool:
    """FALSE, with a sentence for it, and no value behind it that is flagged or marked for another reason."""
    names = inputs(finding.when)
    marked = any(row.quality[number] == TRUE for name in names for number in row.parts.marks.get(name, ()))
    flagged = any(name in row.layout.statement and row.flag(name) in ABNORMAL_FLAGS for name in names)
    return state.truth == "false" and bool(finding.texts.get("false")) and not marked and not flagged
