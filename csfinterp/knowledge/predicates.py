"""Words of a rule -> a predicate of the closed vocabulary; anything else is refused with its line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from csfinterp.errors import EditionError
from csfinterp.knowledge.document import FollowingSlip, Map, Seq
from csfinterp.knowledge.vocabulary import KIND_NAMES, Vocabulary
from csfinterp.model.context import FLAGS
from csfinterp.model.edition import DecisionLimit
from csfinterp.model.predicate import (
    Above,
    All,
    Any,
    AtLeast,
    Below,
    Between,
    FirstKnown,
    Flagged,
    Holds,
    Is,
    Known,
    Limit,
    Not,
    Predicate,
)

_OPERATORS = {"above": (">", ">="), "below": ("<", "<=")}


def parse_predicate(data: object, words: Vocabulary, file: str, line: int | None) -> Predicate:
    """The predicate that `data` (one word and its argument) states; equal ones are one object.

    EditionError with the line of the slip.
    """
    if not isinstance(data, Map):
        raise EditionError("a rule is written {word: ...}, such as {known: csf_lactate}", file, line)
    if len(data) != 1:
        raise EditionError(
            f"a rule has exactly one word, not {len(data)}; group rules under all or any", file, data.line
        )
    word, argument = next(iter(data.items()))
    reader = _READERS.get(word)
    if reader is None:
        known = ", ".join(sorted(_READERS))
        raise EditionError(f"unknown word {word!r} in a rule; the words are {known}", file, data.line_of(word))
    found = reader(word, argument, words, file, data.line_of(word))
    return words.parsed.setdefault(found, found)


def _fields(argument: object, word: str, needed: tuple[str, ...], may: tuple[str, ...], file: str, line: int) -> Map:
    if not isinstance(argument, Map):
        raise EditionError(f"{word} takes {{{', '.join((*needed, *may))}}}", file, line)
    for key in argument:
        if key not in needed and key not in may:
            raise EditionError(
                f"unknown key {key!r} in {word}; it takes {', '.join((*needed, *may))}", file, argument.line_of(key)
            )
    for key in needed:
        if key not in argument:
            raise EditionError(f"{word} needs {key!r}", file, argument.line)
    return argument


def _text(argument: Map, key: str, file: str) -> str:
    value = argument[key]
    if not isinstance(value, str) or not value:
        raise EditionError(f"{key} must be a word", file, argument.line_of(key))
    return value


def _truth(argument: Map, key: str, default: bool | None, file: str) -> bool | None:
    value = argument.get(key, default)
    if value is not None and not isinstance(value, bool):
        raise EditionError(f"{key} must be true or false", file, argument.line_of(key))
    return value


def _word_list(argument: Map, key: str, allowed: tuple[str, ...], file: str) -> tuple[str, ...]:
    items = argument[key]
    if not isinstance(items, Seq) or not items:
        raise EditionError(f"{key} must be a list of words", file, argument.line_of(key))
    for item, line in zip(items, items.lines, strict=True):
        if item not in allowed:
            raise EditionError(f"unknown word {item!r}; it may be one of {', '.join(allowed)}", file, line)
    return tuple(str(item) for item in items)


def _limit(data: object, quantity: str, words: Vocabulary, file: str, line: int) -> Limit:
    """A number with unit, a decision limit, another quantity, or an end of the patient's own interval row."""
    if isinstance(data, Map):
        other = _text(_fields(data, "limit", ("quantity",), (), file, line), "quantity", file)
        ours, theirs = words.measure(quantity, file, line).unit, words.measure(other, file, line).unit
        if ours != theirs:
            raise EditionError(f"{quantity} is in {ours!r}, {other} in {theirs!r}: they cannot be compared", file, line)
        return Limit(text=other, quantity=other)
    if isinstance(data, str) and data.startswith("reference."):
        end = data.removeprefix("reference.")
        if end not in ("high", "low"):
            raise EditionError(f"{data!r}: the ends are reference.high and reference.low", file, line)
        return Limit(text=f"its {'upper' if end == 'high' else 'lower'} reference limit", reference=end)
    if isinstance(data, str) and data.startswith("DL-"):
        return _decision_limit(data, quantity, words, file, line)
    value, text = words.number(data, quantity, file, line)
    return Limit(text=text, value=value)


def _decision_limit(name: str, quantity: str, words: Vocabulary, file: str, line: int) -> Limit:
    found = words.limits.get(name)
    if found is None and name in words.broken_limits:
        raise FollowingSlip(f"{name} could not be read", file, line)
    if found is None:
        raise EditionError(f"unknown decision limit {name!r}; it must stand in limits.yaml", file, line)
    if found.quantity != quantity:
        raise EditionError(f"{name} limits {found.quantity}, not {quantity}", file, line)
    return Limit(text=found.text, value=found.value, decision_limit=name)


def _compare(word: str, argument: object, words: Vocabulary, file: str, line: int) -> Predicate:
    data = _fields(argument, word, ("quantity", "limit"), ("inclusive",), file, line)
    quantity = _text(data, "quantity", file)
    words.measure(quantity, file, data.line_of("quantity"))
    limit = _limit(data["limit"], quantity, words, file, data.line_of("limit"))
    inclusive = _truth(data, "inclusive", None, file)
    if limit.decision_limit is not None:
        inclusive = _inclusive_of(words.limits[limit.decision_limit], word, inclusive, file, data.line_of("limit"))
    return Above(quantity, limit, bool(inclusive)) if word == "above" else Below(quantity, limit, bool(inclusive))


def _inclusive_of(limit: DecisionLimit, word: str, stated: bool | None, file: str, line: int) -> bool:
    if limit.op not in _OPERATORS[word]:
        raise EditionError(
            f"{limit.id} is {limit.op!r}: {word} does not fit; write not: {{...}} around the other word", file, line
        )
    inclusive = limit.op.endswith("=")
    if stated is not None and stated != inclusive:
        raise EditionError(f"{limit.id} is {limit.op!r}; leave `inclusive` out", file, line)
    return inclusive


def _between(word: str, argument: object, words: Vocabulary, file: str, line: int) -> Predicate:
    data = _fields(argument, word, ("quantity", "low", "high"), ("inclusive",), file, line)
    quantity = _text(data, "quantity", file)
    words.measure(quantity, file, data.line_of("quantity"))
    low = _limit(data["low"], quantity, words, file, data.line_of("low"))
    high = _limit(data["high"], quantity, words, file, data.line_of("high"))
    if low.value is not None and high.value is not None and low.value > high.value:
        raise EditionError("between: low is above high", file, data.line_of("low"))
    return Between(quantity, low, high, _truth(data, "inclusive", True, file) is not False)


def _flagged(word: str, argument: object, words: Vocabulary, file: str, line: int) -> Predicate:
    data = _fields(argument, word, ("analyte", "as"), (), file, line)
    analyte = _text(data, "analyte", file)
    if analyte not in words.quantities and analyte not in words.coded:
        raise EditionError(f"unknown analyte {analyte!r}", file, data.line_of("analyte"))
    return Flagged(analyte, _word_list(data, "as", FLAGS, file))


def _is(word: str, argument: object, words: Vocabulary, file: str, line: int) -> Predicate:
    data = _fields(argument, word, ("input", "in"), (), file, line)
    name = _text(data, "input", file)
    if name not in words.coded:
        hint = " (it is a quantity: use above, below or between)" if name in words.quantities else ""
        raise EditionError(f"unknown coded input {name!r}{hint}", file, data.line_of("input"))
    return Is(name, _word_list(data, "in", words.coded[name], file))


def _known(word: str, argument: object, words: Vocabulary, file: str, line: int) -> Predicate:
    if not isinstance(argument, str) or not (argument in words.quantities or argument in words.coded):
        raise EditionError(f"known: unknown quantity or coded input {argument!r}", file, line)
    return Known(argument)


def _holds(word: str, argument: object, words: Vocabulary, file: str, line: int) -> Predicate:
    if not words.within:
        raise EditionError("holds: nothing is decided before this rule; name quantities and inputs", file, line)
    if isinstance(argument, Map):
        return _holds_at_least(argument, words, file, line)
    if isinstance(argument, str) and argument in words.graded:
        message = f"{argument} has no truth of its own; write holds: {{id: {argument}, at_least: ...}}"
        raise EditionError(message, file, line)
    kind = words.statements.get(argument) if isinstance(argument, str) else None
    if kind is None:
        raise EditionError(f"holds: nothing that is true or false has the id {argument!r}", file, line)
    _refuse_later(str(argument), kind, words, file, line)
    return Holds(str(argument))


def _holds_at_least(argument: Map, words: Vocabulary, file: str, line: int) -> Predicate:
    """{id: pattern, at_least: grade}, or {id: evidence table, at_least: level or answer}."""
    data = _fields(argument, "holds", ("id", "at_least"), (), file, line)
    name, wanted = _text(data, "id", file), _text(data, "at_least", file)
    if name not in words.graded:
        raise EditionError(f"at_least: no pattern or evidence table has the id {name!r}", file, data.line_of("id"))
    _refuse_later(name, words.statements[name], words, file, line)
    if wanted not in words.graded[name]:
        known = ", ".join(words.graded[name])
        raise EditionError(f"{name} is never at least {wanted!r}; it may be {known}", file, data.line_of("at_least"))
    return Holds(name, wanted)


def _refuse_later(name: str, kind: str, words: Vocabulary, file: str, line: int) -> None:
    """Rules are decided program after program; what comes later is not known yet."""
    if kind not in words.within:
        message = f"holds: {name} ({KIND_NAMES[kind]}) is decided later; here it may name a {_allowed(words)}"
        raise EditionError(message, file, line)


def _allowed(words: Vocabulary) -> str:
    return " or ".join(name for kind, name in KIND_NAMES.items() if kind in words.within)


def _items(argument: object, word: str, words: Vocabulary, file: str, line: int) -> tuple[Predicate, ...]:
    if not isinstance(argument, Seq) or not argument:
        raise EditionError(f"{word} takes a list of rules", file, line)
    return tuple(parse_predicate(item, words, file, at) for item, at in zip(argument, argument.lines, strict=True))


def _group(word: str, argument: object, words: Vocabulary, file: str, line: int) -> Predicate:
    items = _items(argument, word, words, file, line)
    if word == "all":
        return All(items)
    return Any(items) if word == "any" else FirstKnown(items)


def _not(word: str, argument: object, words: Vocabulary, file: str, line: int) -> Predicate:
    return Not(parse_predicate(argument, words, file, line))


def _at_least(word: str, argument: object, words: Vocabulary, file: str, line: int) -> Predicate:
    data = _fields(argument, word, ("k", "items"), (), file, line)
    items = _items(data["items"], "at_least items", words, file, data.line_of("items"))
    k = data["k"]
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= len(items):
        raise EditionError(f"k must be a whole number from 1 to {len(items)}", file, data.line_of("k"))
    return AtLeast(k, items)


_READERS: Mapping[str, Callable[[str, object, Vocabulary, str, int], Predicate]] = {
    "above": _compare,
    "below": _compare,
    "between": _between,
    "flagged": _flagged,
    "is": _is,
    "known": _known,
    "all": _group,
    "any": _group,
    "not": _not,
    "at_least": _at_least,
    "first_known": _group,
    "holds": _holds,
}


def with_limits(predicate: Predicate, limits: Mapping[str, DecisionLimit]) -> Predicate:
    """The same rule with the decision limits of `limits` put in place of the edition's (a site's option)."""
    match predicate:
        case All(items) | Any(items) | AtLeast(_, items) | FirstKnown(items):
            return replace(predicate, items=tuple(with_limits(item, limits) for item in items))
        case Not(item):
            return Not(with_limits(item, limits))
        case Above(_, limit) | Below(_, limit):
            chosen = limits.get(limit.decision_limit or "")
            if chosen is None:
                return predicate
            return replace(predicate, limit=_chosen(limit, limits), inclusive=chosen.op.endswith("="))
        case Between(_, low, high):
            return replace(predicate, low=_chosen(low, limits), high=_chosen(high, limits))
    return predicate


def _chosen(limit: Limit, limits: Mapping[str, DecisionLimit]) -> Limit:
    chosen = limits.get(limit.decision_limit or "")
    return limit if chosen is None else replace(limit, value=chosen.value, text=chosen.text)
