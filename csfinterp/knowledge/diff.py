"""From one edition to the next: a new draft, what changed with whom it touches, and the release."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from pathlib import Path

from csfinterp.errors import EditionError
from csfinterp.knowledge import seal
from csfinterp.knowledge.listing import list_editions
from csfinterp.knowledge.load import check_edition
from csfinterp.knowledge.vocabulary import age_text
from csfinterp.model.edition import (
    AgeEdge,
    Analyte,
    Edition,
    EvidenceCell,
    EvidenceRow,
    IntervalLimit,
    PatternItem,
    Raise,
    ReferenceInterval,
    Statement,
)
from csfinterp.model.predicate import Holds, Predicate, inputs, leaves

# Parts that are facts of their own, and names of places.
_PARTS = frozenset((
    "intervals", "bands", "values", "loinc", "wrong_codes", "info", "markers", "rows", "cells", "file", "items",
    "raises", "lines", "groups",
))  # fmt: skip
_ABSENT = "(none)"


def new_edition(root: Path, new_id: str, from_id: str) -> Path:
    """A draft copy of edition `from_id` under `new_id`; its folder. Refused if it exists or the source does not."""
    found = next((info for info in list_editions(root) if info.id == from_id), None)
    if found is None:
        raise EditionError(f"no edition {from_id!r} in {root}")
    if found.problem is not None:
        raise found.problem
    source = found.folder
    if (Path(root) / new_id).exists():
        raise EditionError(f"edition {new_id!r} exists already; choose another id", str(Path(root) / new_id))
    if not seal.EDITION_ID.fullmatch(new_id):
        raise EditionError(f"{new_id!r} is no edition id; write year and number, such as 2026.2")
    text = (source / "edition.yaml").read_bytes().decode("utf-8")
    header = seal.edit_keys(text, {"id": f'"{new_id}"', "status": "draft", "released_on": "null"})
    # Copied beside and moved into place: an interrupted copy is never taken for an edition.
    beside = Path(root) / f".{new_id}.{os.getpid()}.tmp"
    try:
        shutil.copytree(source, beside, ignore=shutil.ignore_patterns(seal.SEAL))
        (beside / "edition.yaml").write_bytes(header.encode())
        beside.rename(Path(root) / new_id)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return Path(root) / new_id


def release_edition(folder: Path, released_on: date) -> str:
    """Seals a sound draft and returns its digest.

    EditionError with the first slip (a folder that is not named as its edition is one), or if it is released already.
    """
    slips = check_edition(folder)
    if slips:
        raise slips[0]
    if (Path(folder) / seal.SEAL).exists():
        raise EditionError("this edition is released already; put changes into a new edition", str(folder))
    return seal.seal_folder(Path(folder), released_on)


@dataclass(frozen=True)
class Fact:
    """One row or entry: its fields as text and the id of what it belongs to."""

    owner: str
    texts: Mapping[str, str]


def diff_editions(a: Edition, b: Edition) -> tuple[str, ...]:
    """`owner/row: old -> new` for every changed row, then impacted analytes and profiles; empty if nothing changed."""
    old, new = facts(a), facts(b)
    names = [*old, *(name for name in new if name not in old)]
    changed = [name for name in names if old.get(name) != new.get(name)]
    lines = [_line(name, old.get(name), new.get(name)) for name in changed]
    if not lines:
        return ()
    touched = {fact.owner for name in changed for fact in (old.get(name), new.get(name)) if fact is not None}
    impacted = _impacted(a, touched) | _impacted(b, touched)
    quantities = {*a.analyte, *b.analyte, *a.derived_by_id, *b.derived_by_id}
    return (
        *lines,
        f"impacted analytes: {', '.join(sorted(impacted & quantities)) or 'none'}",
        f"impacted profiles: {', '.join(sorted(_profiles(a, impacted) | _profiles(b, impacted))) or 'none'}",
    )


def _line(name: str, old: Fact | None, new: Fact | None) -> str:
    before, after = old.texts if old else {}, new.texts if new else {}
    keys = [key for key in dict.fromkeys((*before, *after)) if before.get(key) != after.get(key)]
    return f"{name}: {_side(before, keys)} -> {_side(after, keys)}"


def _side(texts: Mapping[str, str], keys: Iterable[str]) -> str:
    return ", ".join(f"{key} {texts[key]}" for key in keys if key in texts) if texts else _ABSENT


def facts(edition: Edition) -> dict[str, Fact]:
    """Every row and entry of the edition by name, in the order of the edition."""
    return {name: Fact(owner, _texts(entry)) for name, owner, entry in _entries(edition)}


def _entries(edition: Edition) -> Iterator[tuple[str, str, object]]:
    yield (
        "edition",
        "edition",
        _Header(edition.title, edition.disclaimer, edition.texts, edition.not_sent_words, edition.organism_words),
    )
    for analyte in edition.analytes:
        yield from _analyte_entries(analyte)
    for item in edition.derived:
        yield f"derived/{item.id}", item.id, item
        yield from _row_entries(item.id, item.intervals) if item.id not in edition.analyte else ()
    for limit in edition.limits:
        yield limit.id, limit.quantity, limit
    for critical in edition.critical:
        for name in critical.analytes:
            yield f"{name}/{critical.id}", name, critical
    for quality in edition.quality:
        yield f"quality/{quality.id}", quality.id, quality
    for finding in edition.findings:
        yield f"finding/{finding.id}", finding.id, finding
    for scale in edition.grade_scales:
        yield f"scale/{scale.id}", scale.id, scale
    for profile in edition.profiles:
        yield f"profile/{profile.id}", profile.id, profile
        for marker in profile.markers:
            yield f"profile/{profile.id}/{marker.id}", profile.id, marker
    for table in edition.evidence:
        yield f"evidence/{table.id}", table.id, table
        rows: tuple[EvidenceRow | EvidenceCell, ...] = (*table.rows, *table.cells)
        for row in rows:
            yield f"evidence/{table.id}/{row.id}", table.id, row
    yield from _reading_entries(edition)
    for option in edition.options:
        yield f"option/{option.id}", f"option {option.id}", option
        for interval in option.intervals:
            yield f"option/{option.id}/{interval.rule}", f"option {option.id}", interval
    for citation in edition.citations:
        yield f"citation/{citation.id}", "citation", citation
    for code, unit in edition.units.codes.items():
        yield f"unit/{code}", "unit", unit
    for name, mass in edition.units.molar_masses.items():
        users = [analyte.id for analyte in edition.analytes if analyte.molar_mass == name]
        for user in users:
            yield f"{user}/molar_mass", user, _Value(str(mass))
    for alias in edition.units.aliases:
        yield f"alias/{alias.seen}/{','.join(alias.dimensions)}", "unit", alias


def _reading_entries(edition: Edition) -> Iterator[tuple[str, str, object]]:
    """Patterns with their parts, cautions, the differential, statements, recommendations and scores."""
    for pattern in edition.patterns:
        yield f"pattern/{pattern.id}", pattern.id, pattern
        parts: tuple[PatternItem | Raise | Statement, ...] = (*pattern.items, *pattern.raises, *pattern.lines)
        for part in parts:
            yield f"pattern/{pattern.id}/{part.id}", part.id, part
    for caution in edition.cautions:
        yield f"caution/{caution.id}", caution.id, caution
    if edition.differential is not None:
        yield "differential", "differential", edition.differential
        for group in edition.differential.groups:
            yield f"differential/{group.id}", "differential", group
    for statement in edition.statements:
        yield f"liquid_biopsy/{statement.id}", statement.id, statement
    for recommendation in edition.recommendations:
        yield f"recommendation/{recommendation.id}", recommendation.id, recommendation
    for score in edition.scores:
        yield f"score/{score.id}", score.id, score


@dataclass(frozen=True)
class _Header:
    title: str
    disclaimer: str
    texts: Mapping[str, str]
    not_sent_words: tuple[str, ...]
    organism_words: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class _Value:
    value: str


def _analyte_entries(analyte: Analyte) -> Iterator[tuple[str, str, object]]:
    yield analyte.id, analyte.id, analyte
    yield from _row_entries(analyte.id, analyte.intervals)
    for band in analyte.bands:
        yield band.rule, analyte.id, band
    for value in analyte.values:
        yield f"{analyte.id}/{value.word}", analyte.id, value
    for code in analyte.loinc:
        yield f"{analyte.id}/{code.code}", analyte.id, code
    for wrong in analyte.wrong_codes:
        yield f"{analyte.id}/not {wrong.code}", analyte.id, wrong
    for number, row in enumerate(analyte.info, start=1):
        yield f"{analyte.id}/info {number}", analyte.id, row


def _row_entries(owner: str, rows: Iterable[ReferenceInterval]) -> Iterator[tuple[str, str, object]]:
    for row in rows:
        own = row.rule.startswith(f"{owner}/")
        yield row.rule if own else f"{owner}: {row.rule}", owner, row


def _texts(entry: object) -> dict[str, str]:
    assert is_dataclass(entry)
    return {field.name: _text(getattr(entry, field.name)) for field in fields(entry) if field.name not in _PARTS}


def _text(value: object) -> str:
    match value:
        case None:
            return "none"
        case AgeEdge():
            return age_text(value)
        case IntervalLimit():
            return value.text
        case tuple():
            return ", ".join(_text(item) for item in value) or "none"
        case Mapping():
            return "; ".join(f"{key}: {_text(item)}" for key, item in value.items()) or "none"
        case _ if hasattr(value, "sentence"):
            return str(value.sentence())
        case _ if is_dataclass(value):
            return " ".join(f"{field.name} {_text(getattr(value, field.name))}" for field in fields(value))
    return str(value)


def _impacted(edition: Edition, touched: set[str]) -> set[str]:
    """`touched` and everything that reads it: rows, derived quantities, rules, patterns."""
    reads: dict[str, set[str]] = {}
    for name, needed in _readers(edition):
        reads.setdefault(name, set()).update(needed)
    impacted = set(touched) | ({*reads} if "unit" in touched else set())
    while True:
        more = {name for name, needed in reads.items() if name not in impacted and needed & impacted}
        if not more:
            return impacted
        impacted |= more


def _readers(edition: Edition) -> Iterator[tuple[str, set[str]]]:
    for analyte in edition.analytes:
        yield analyte.id, _row_reads(analyte.intervals)
    for item in edition.derived:
        yield item.id, set(item.inputs) | _row_reads(item.intervals)
    for quality in edition.quality:
        yield quality.id, _rule_reads(quality.when)
    for name, rule in (*edition.first_program.items(), *edition.second_program.items()):
        # A rule without an id of its own (`bacterial_meningitis.when`) counts for its pattern.
        yield name.split(".")[0], _rule_reads(rule)
    for pattern in edition.patterns:
        yield pattern.id, {item.id for item in pattern.items} | {short.id for short in pattern.raises}


def _row_reads(rows: Iterable[ReferenceInterval]) -> set[str]:
    found: set[str] = set()
    for row in rows:
        found |= {limit.quantity for limit in (row.low, row.high) if limit is not None and limit.quantity is not None}
        found |= {row.stratum.quantity} if row.stratum else set()
        for rule in (row.when, row.gate):
            found |= _rule_reads(rule) if rule is not None else set()
    return found


def _rule_reads(rule: Predicate) -> set[str]:
    return {*inputs(rule), *(leaf.id for leaf in leaves(rule) if isinstance(leaf, Holds))}


def _profiles(edition: Edition, impacted: set[str]) -> set[str]:
    return {
        profile.id
        for profile in edition.profiles
        if profile.id in impacted or impacted & {marker.id for marker in profile.markers}
    }
