"""Laws about sentences: placeholders that can be filled, no doses anywhere, no pattern that claims an exclusion."""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import Formatter

from csfinterp.errors import EditionError
from csfinterp.knowledge.document import Map, Seq
from csfinterp.knowledge.subject import Subject

# Filled by the explaining step beside quantities and coded inputs.
PLACEHOLDERS = ("reason", "missing", "organism", "test", "units", "not_requested", "measured", "not_measured", "value")
FILLED = ("quality.yaml", "patterns.yaml", "cautions.yaml", "statements.yaml", "recommendations.yaml")
_AMOUNT = r"\b\d+(?:[.,]\d+)?\s*(?:mg|g|mcg|ug|µg|μg|ng|IU|MU|units?)"
_DOSE = re.compile(
    _AMOUNT + r"(?:\s*/\s*|\s+(?:per|every|a|each)\s+)(?:kg|m2|m²|d\b|days?\b|dose|h\b|hours?|week|\d+ ?h\b)"
    r"|" + _AMOUNT + r"\s+(?:daily|once|twice|three times|intrathecal|intravenous|iv\b|i\.v\.|po\b|oral|bid\b|tid\b)",
    re.IGNORECASE,
)
_EXCLUDED = re.compile(r"\b(?:excluded|excludes|ruled out|rules out)\b", re.IGNORECASE)
_NEGATED = re.compile(r"\b(?:not|never|no|nor|cannot|nothing)\b(?:\W+\w+){0,3}\W*\Z", re.IGNORECASE)
Sentence = tuple[str, int]


def placeholders_law(subject: Subject) -> Iterator[EditionError]:
    """A name in braces must be something that the service can fill in; scores name their own results."""
    words = subject.words
    known = {*words.quantities, *words.coded, *PLACEHOLDERS}
    for name in (*FILLED, "scores.yaml"):
        for text, line in sentences(subject.documents.get(name)):
            for field in _fields(text):
                if field is None:
                    message = "a brace that names nothing; write {name}, or no brace at all"
                    yield EditionError(message, subject.file(name), line)
                elif field not in known and name in FILLED:
                    message = f"{{{field}}} is no quantity, coded input or one of {', '.join(PLACEHOLDERS)}"
                    yield EditionError(message, subject.file(name), line)


def _fields(text: str) -> Iterator[str | None]:
    """Names in braces; None for a brace that is not closed or holds more than a name."""
    try:
        for _, field, spec, conversion in Formatter().parse(text):
            if field is not None:
                yield field if field.isidentifier() and not spec and not conversion else None
    except ValueError:
        yield None


def doses_law(subject: Subject) -> Iterator[EditionError]:
    """The service names no doses (recommendations.md); titles of papers may."""
    for name, document in subject.documents.items():
        if name == "citations.yaml":
            continue
        for text, line in sentences(document):
            found = _DOSE.search(text)
            if found is not None:
                yield EditionError(f"{found.group()!r} reads like a dose; name no doses", subject.file(name), line)


def exclusions_law(subject: Subject) -> Iterator[EditionError]:
    """Values that do not show a pattern exclude nothing (patterns.md ER5); "not excluded" may be said."""
    for text, line in sentences(subject.documents.get("patterns.yaml")):
        for found in _EXCLUDED.finditer(text):
            if not _NEGATED.search(text[: found.start()]):
                message = f"a pattern says {found.group()!r}; values that do not show a pattern exclude nothing"
                yield EditionError(message, subject.file("patterns.yaml"), line)


def sentences(data: object) -> Iterator[Sentence]:
    """Every text of a document with its line."""
    if isinstance(data, Map):
        for key, value in data.items():
            yield from _inside(value, data.line_of(key))
    elif isinstance(data, Seq):
        for value, line in zip(data, data.lines, strict=True):
            yield from _inside(value, line)


def _inside(value: object, line: int) -> Iterator[Sentence]:
    if isinstance(value, str):
        yield value, line
    else:
        yield from sentences(value)
