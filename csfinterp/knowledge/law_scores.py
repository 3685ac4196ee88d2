"""Laws about published scores: known functions and inputs, items that can be read."""

from __future__ import annotations

from collections.abc import Iterator

from csfinterp.errors import EditionError
from csfinterp.knowledge.document import Map, Seq
from csfinterp.knowledge.gather import entries_of, part
from csfinterp.knowledge.subject import Subject

# Functions of steps/score; a test keeps both in step.
FUNCTIONS = (
    "pan_2018",
    "nigrovic_2007",
    "spanos_1989",
    "bonsu_2008",
    "marais_2010",
    "thwaites_2002",
    "rubenstein_2013",
    "perry_2015",
    "gao_2022",
)
_COMPARED = ("above", "at_least", "below", "at_most")
_ITEM_KEYS = ("id", "group", "points", "text", "is", "in", "of", "or", "not_known", "not_stated", "unless", *_COMPARED)


def scores_law(subject: Subject) -> Iterator[EditionError]:
    words = subject.words
    for score in subject.edition.scores:
        if score.function not in FUNCTIONS:
            message = f"unknown function {score.function!r}; known are {', '.join(FUNCTIONS)}"
            yield subject.slip(score, message, "function")
        for name in score.needed:
            if name not in words.quantities and name not in words.coded:
                yield subject.slip(score, f"{score.id}: unknown input {name!r}", "needed")


def items_law(subject: Subject) -> Iterator[EditionError]:
    """Items of scores (`constants.items`) ask about what the edition knows, in units that convert."""
    for score in entries_of(part(subject.documents, "scores.yaml", "scores")):
        constants = score.get("constants")
        seen: set[object] = set()
        for item in entries_of(constants.get("items") if isinstance(constants, Map) else None):
            if item.get("id") in seen or not isinstance(item.get("id"), str):
                yield _slip(item, "an item has an id of its own", "id")
            seen.add(item.get("id"))
            yield from _item(item, subject)


def _item(item: Map, subject: Subject) -> Iterator[EditionError]:
    words = subject.words
    for key in item:
        if key not in _ITEM_KEYS:
            yield _slip(item, f"unknown key {key!r} in an item; known here: {', '.join(_ITEM_KEYS)}", key)
    yield from _asked_words(item, subject)
    for key in ("not_known", "not_stated"):
        asked = item.get(key, ())
        for name in asked if isinstance(asked, Seq) else ((asked,) if isinstance(asked, str) else ()):
            if name not in words.coded and name not in words.quantities:
                yield _slip(item, f"unknown quantity or coded input {name!r}", key)
    yield from _compared(item, subject)
    other = item.get("or")
    if isinstance(other, Map):
        yield from _compared(other, subject)


def _asked_words(item: Map, subject: Subject) -> Iterator[EditionError]:
    if ("is" in item) != ("in" in item):
        yield _slip(item, "`is` and `in` go together", "is" if "is" in item else "in")
    elif "is" in item:
        name, asked = item["is"], item["in"]
        known = subject.words.coded.get(name) if isinstance(name, str) else None
        if known is None:
            yield _slip(item, f"unknown coded input {name!r}", "is")
            return
        for word in asked if isinstance(asked, Seq) else ():
            if word not in known:
                yield _slip(item, f"{name} has no word {word!r}; it may be one of {', '.join(known)}", "in")


def _compared(item: Map, subject: Subject) -> Iterator[EditionError]:
    """`of`: quantities, each compared with the limits of the item."""
    words, names = subject.words, item.get("of")
    stated = [key for key in _COMPARED if key in item]
    if bool(stated) != isinstance(names, Seq):
        yield _slip(item, "`of: [quantities]` goes with above, at_least, below or at_most", "of")
        return
    for name in names if isinstance(names, Seq) else ():
        if name not in words.quantities:
            yield _slip(item, f"unknown quantity {name!r}", "of")
            continue
        for key in stated:
            yield from _limit(item, key, str(name), subject)


def _limit(item: Map, key: str, name: str, subject: Subject) -> Iterator[EditionError]:
    """A number with unit, a plain number in the quantity's own unit, or {quantity: id}."""
    limit = item[key]
    if isinstance(limit, Map):
        if limit.get("quantity") not in subject.words.quantities:
            yield _slip(item, f"unknown quantity {limit.get('quantity')!r}", key)
    elif isinstance(limit, str):
        try:
            subject.words.number(limit, name, item.file, item.line_of(key))
        except EditionError as slip:
            yield slip
    elif isinstance(limit, bool) or not isinstance(limit, int | float):
        yield _slip(item, f"{key} takes a number, a number with unit or {{quantity: id}}", key)


def _slip(item: Map, message: str, key: str) -> EditionError:
    return EditionError(message, item.file, item.line_of(key))
