"""How the sentences of a summary are put together: weights, lists, names inside a sentence, the words of a level."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from csfinterp.model.interpretation import LMResult, Sentence
from csfinterp.steps.explain.row import Row

OWN = ("csfinterp_rule",)
PLACEHOLDER = re.compile(r"\{([a-z0-9_]+)\}")
LEVEL_WORDS = {
    "confirmed": "confirmed",
    "probable": "probable",
    "possible": "possible",
    "lack_of_evidence": "lack of evidence (not an exclusion)",
    "not_classifiable": "not classifiable",
}


@dataclass(frozen=True)
class Weighted:
    """A sentence and how much it matters that it stays (9 = a reader must see it)."""

    weight: int
    sentence: Sentence


def said(weight: int, text: str, because: Iterable[str], citations: Iterable[str], status: str) -> Weighted:
    return Weighted(weight, Sentence(text, tuple(because), tuple(citations), status))


def listed(names: Iterable[str]) -> str:
    """ "a, b and c"."""
    found = list(names)
    return found[0] if len(found) == 1 else ", ".join(found[:-1]) + " and " + found[-1]


def inside(name: str) -> str:
    """A name inside a sentence: lower case unless its first word is an abbreviation or a person."""
    first = name.split(" ")[0].split("-")[0]
    keep = first in ("Gram", "India", "Froin") or not first[1:].islower()
    return name if keep else name[0].lower() + name[1:]


def level_words(lm: LMResult) -> str:
    """The certainty with its type, as a reader says it."""
    text = LEVEL_WORDS[lm.certainty]
    if lm.type:
        text += f", type {lm.type}" + (" (letter open)" if lm.type_open else "")
    return text + (", provisional" if lm.provisional else "")


def fill(row: Row, text: str, more: Mapping[str, str] | None = None) -> str:
    """Placeholders filled with the patient's value and unit, or with what `more` gives."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if more and name in more:
            return more[name]
        if name in row.layout.quantity:
            return row.seen(name).text
        return (row.word(name) or "not known").replace("_", " ") if name in row.layout.coded else match[0]

    return PLACEHOLDER.sub(value, text)
