"""Evidence tables are total: every combination of their inputs' words falls into a cell of the printed grid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from csfinterp.errors import EditionError
from csfinterp.knowledge.subject import Subject
from csfinterp.knowledge.vocabulary import BEST_CYTOLOGY
from csfinterp.model.context import CODED_INPUTS, UNKNOWN_WORDS
from csfinterp.model.edition import Edition, EvidenceTable
from csfinterp.model.predicate import All, Any, AtLeast, FirstKnown, Is, Known, Not, Predicate, Truth

Words = Mapping[str, str | None]
Unknown = Mapping[str, frozenset[str | None]]


def tables_total_law(subject: Subject) -> Iterator[EditionError]:
    """The first combination of every table with cells that no cell takes."""
    unknown = _unknown_words(subject.edition)
    for table in subject.edition.evidence:
        if table.cells:
            missed = _first_missed(table, subject.words.coded, unknown)
            if missed is not None:
                stated = ", ".join(f"{name} {word or 'not sent'}" for name, word in missed.items())
                yield subject.slip(table, f"{table.id}: no cell takes {stated}")


def _unknown_words(edition: Edition) -> dict[str, frozenset[str | None]]:
    """Per coded input the words that mean "not known"; None is a result that was not sent."""
    known: dict[str, frozenset[str | None]] = {name: frozenset((None, *words)) for name, words in UNKNOWN_WORDS.items()}
    for analyte in edition.analytes:
        known[analyte.id] = frozenset((None, *(value.word for value in analyte.values if value.unknown)))
    return {**known, BEST_CYTOLOGY: known.get("csf_cytology", frozenset((None,)))}


def _first_missed(table: EvidenceTable, coded: Mapping[str, tuple[str, ...]], unknown: Unknown) -> Words | None:
    names = [name for name in table.inputs if name in coded]
    # A context word always has a value (its first word where it is absent); a result may not have been sent.
    choices = [coded[name] if name in CODED_INPUTS else (*coded[name], None) for name in names]
    for combination in product(*choices):
        words = dict(zip(names, combination, strict=True))
        if not any(truth(cell.when, words, unknown) is Truth.TRUE for cell in table.cells):
            return words
    return None


def truth(rule: Predicate, words: Words, unknown: Unknown) -> Truth:
    """Kleene truth of a rule about coded inputs; what reads a number is UNKNOWN here."""
    match rule:
        case Is(name, values):
            word = words.get(name)
            if word in values:
                return Truth.TRUE
            return Truth.UNKNOWN if word is None or word in unknown.get(name, ()) else Truth.FALSE
        case Known(name):
            word = words.get(name)
            return Truth.FALSE if word is None or word in unknown.get(name, ()) else Truth.TRUE
        case Not(item):
            return Truth(2 - truth(item, words, unknown))
        case All(items):
            return min(truth(item, words, unknown) for item in items)
        case Any(items):
            return max(truth(item, words, unknown) for item in items)
        case AtLeast(k, items):
            found = sorted((truth(item, words, unknown) for item in items), reverse=True)
            return found[k - 1]
        case FirstKnown(items):
            found = [truth(item, words, unknown) for item in items]
            return next((value for value in found if value is not Truth.UNKNOWN), Truth.UNKNOWN)
    return Truth.UNKNOWN
