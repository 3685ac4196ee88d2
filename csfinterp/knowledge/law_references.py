"""Laws about references: every id, word and citation exists once, nothing refers to itself in a circle."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from csfinterp.errors import EditionError
from csfinterp.knowledge.document import Map, Seq
from csfinterp.knowledge.subject import Subject, twice
from csfinterp.knowledge.vocabulary import BEST_CYTOLOGY
from csfinterp.model.edition import (
    Analyte,
    Derived,
    Edition,
    EvidenceCell,
    EvidenceRow,
    EvidenceTable,
    Finding,
    GradeScale,
    NamedOption,
    Profile,
    ReferenceInterval,
)
from csfinterp.model.predicate import inputs

Named = Analyte | Derived | Finding | Profile | EvidenceTable | NamedOption | GradeScale
ID = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")
# Functions of steps/formulas.py: the constants that each needs (None: any) and how many inputs it takes (None: any).
FUNCTIONS: Mapping[str, tuple[tuple[str, ...] | None, int | None]] = {
    "pair_quotient": (("scale",), 2),
    "index": ((), 2),
    "reference_high": ((), 1),
    "hyperbola": (("a_over_b", "b_squared", "c"), 1),
    "intrathecal_pct": ((), 2),
    "local_synthesis": ((), 3),
    "leukocytes_corrected": (("ratio", "from_erythrocytes", "to_erythrocytes"), 4),
    "protein_corrected": (("per_1000", "from_erythrocytes", "to_erythrocytes"), 2),
    "age_days": ((), 0),
    "age_years": (("oldest",), 0),
    "pair_gap": (("proteins_up_to", "glucose_up_to"), 0),
    "differential_sum": ((), None),
    "product_pct": ((), 2),
    "double_ratio": ((), 4),
    "cea_index": (("scale",), 3),
    "from_panel": ((), None),
    "advisory_limit": (None, None),
    "count_flags": ((), None),
    "time_to_analysis": ((), None),
    # Limits of the platform or of the site's own assay; the input is the analyte that they limit.
    "platform_limit": (None, 1),
    "site_limit": ((), 1),
    "absolute_difference": ((), 2),
    "relative_difference_pct": ((), 2),
}
# Limits of the platform or of the site's own assay; the input is the analyte that they limit.
LIMITS = ("platform_limit", "site_limit")


def citations_law(subject: Subject) -> Iterator[EditionError]:
    known = set(subject.edition.citation)
    for document in subject.documents.values():
        yield from _unknown_citations(document, known)
    yield from twice(subject, subject.edition.citations, "citation")


def _unknown_citations(data: object, known: set[str]) -> Iterator[EditionError]:
    if isinstance(data, Map):
        cited = data.get("citations")
        if isinstance(cited, Seq):
            for name, line in zip(cited, cited.lines, strict=True):
                if isinstance(name, str) and name not in known:
                    yield EditionError(f"unknown citation {name!r}; it must stand in citations.yaml", data.file, line)
        for value in data.values():
            yield from _unknown_citations(value, known)
    elif isinstance(data, Seq):
        for value in data:
            yield from _unknown_citations(value, known)


def ids_law(subject: Subject) -> Iterator[EditionError]:
    edition = subject.edition
    named: list[Named] = [
        *edition.analytes, *edition.derived, *edition.findings, *edition.profiles, *edition.evidence, *edition.options,
        *edition.grade_scales,
    ]  # fmt: skip
    for entry in named:
        if not ID.match(entry.id):
            yield subject.slip(entry, f"id {entry.id!r}: write small letters, digits and single _")
    for analyte in edition.analytes:
        file = subject.places.of(analyte)[0]
        if file is not None and not file.endswith(f"/{analyte.id}.yaml"):
            yield subject.slip(analyte, f"the file of {analyte.id} must be called {analyte.id}.yaml")
    unique: list[tuple[Sequence[object], str, str]] = [
        (edition.analytes, "analyte", "id"),
        (edition.derived, "derived quantity", "id"),
        (edition.limits, "limit", "id"),
        (edition.critical, "critical rule", "id"),
        (edition.grade_scales, "grade scale", "id"),
        (edition.profiles, "profile", "id"),
        (edition.options, "option", "id"),
        (edition.evidence, "evidence table", "id"),
        (_own_rows(edition), "row", "rule"),
    ]
    for entries, kind, key in unique:
        yield from twice(subject, entries, kind, key)
    quantities = {*edition.analyte, *edition.derived_by_id}
    for finding in edition.findings:
        if finding.id in quantities:
            yield subject.slip(finding, f"{finding.id!r} is already a quantity")


def _own_rows(edition: Edition) -> list[ReferenceInterval]:
    """Every interval row of the edition and its options, each once (copies under another analyte left out)."""
    default = [
        row for analyte in edition.analytes for row in analyte.intervals if row.rule.startswith(f"{analyte.id}/")
    ]
    derived = [row for item in edition.derived if item.id not in edition.analyte for row in item.intervals]
    return [*default, *derived, *(row for option in edition.options for row in option.intervals)]


def words_law(subject: Subject) -> Iterator[EditionError]:
    for analyte in subject.edition.analytes:
        seen: set[str] = set()
        for value in analyte.values:
            for word in (value.word, *value.synonyms):
                if word.casefold() in seen:
                    yield subject.slip(value, f"{analyte.id}: the word {word!r} stands twice")
                seen.add(word.casefold())


def links_law(subject: Subject) -> Iterator[EditionError]:
    analytes = subject.edition.analyte
    for analyte in subject.edition.analytes:
        if analyte.counterpart is None:
            continue
        other = analytes.get(analyte.counterpart)
        if other is None or other.counterpart != analyte.id:
            yield subject.slip(
                analyte, f"counterpart {analyte.counterpart!r} must be an analyte that names {analyte.id} back"
            )


def derived_law(subject: Subject) -> Iterator[EditionError]:
    later = {item.id: place for place, item in enumerate(subject.edition.derived)}
    for place, item in enumerate(subject.edition.derived):
        yield from _function(subject, item)
        twin = subject.edition.analyte.get(item.id)
        if twin is not None and (twin.name, twin.unit, twin.decimals) != (item.name, item.unit, item.decimals):
            yield subject.slip(item, f"{item.id}: name, unit and decimals must agree with its analyte file")
        for name in () if item.function == "from_panel" else item.inputs:
            if name not in subject.words.quantities:
                yield subject.slip(item, f"{item.id}: unknown input {name!r}", "inputs")
            elif later.get(name, -1) >= place:
                yield subject.slip(item, f"{item.id}: its input {name!r} must be calculated before it", "inputs")
            elif item.function in LIMITS and subject.words.quantities[name].unit != item.unit:
                yield subject.slip(item, f"{item.id}: the unit must be that of {name}, which it limits", "unit")


def _function(subject: Subject, item: Derived) -> Iterator[EditionError]:
    if item.function not in FUNCTIONS:
        yield subject.slip(
            item, f"unknown function {item.function!r}; known are {', '.join(sorted(FUNCTIONS))}", "function"
        )
        return
    constants, count = FUNCTIONS[item.function]
    if constants is not None and set(item.constants) != set(constants):
        wanted = ", ".join(constants) or "none"
        stated = ", ".join(item.constants) or "none"
        yield subject.slip(item, f"{item.function} takes the constants {wanted}, not {stated}", "constants")
    if count is not None and len(item.inputs) != count:
        yield subject.slip(item, f"{item.function} takes {count} inputs, not {len(item.inputs)}", "inputs")


def limits_law(subject: Subject) -> Iterator[EditionError]:
    for limit in subject.edition.limits:
        if limit.quantity not in subject.words.quantities:
            yield subject.slip(limit, f"unknown quantity {limit.quantity!r}")


def targets_law(subject: Subject) -> Iterator[EditionError]:
    edition, words = subject.edition, subject.words
    findings = {finding.id for finding in edition.findings}
    for rule in edition.quality:
        for name in rule.suppresses:
            if not (name in words.quantities or name in edition.analyte or name in findings):
                yield subject.slip(
                    rule, f"{rule.id} suppresses {name!r}, which the edition does not know", "suppresses"
                )
        for key, names in (("lower_bound", rule.lower_bound), ("unread", rule.unread)):
            for name in names:
                if name not in words.quantities:
                    yield subject.slip(rule, f"{rule.id}: {key} names unknown quantity {name!r}", key)
        for name in set(rule.silent_if) - {other.id for other in edition.quality}:
            yield subject.slip(rule, f"{rule.id}: silent_if names {name!r}, which is no quality rule", "silent_if")
        if bool(rule.suppresses) != (rule.severity == "suppresses"):
            yield subject.slip(rule, f"{rule.id}: severity suppresses and a list of targets go together", "severity")
    for finding in edition.findings:
        if finding.grades is not None and finding.grades not in words.grade_scales:
            yield subject.slip(finding, f"unknown grade scale {finding.grades!r}", "grades")


def profiles_law(subject: Subject) -> Iterator[EditionError]:
    known = {*subject.words.quantities, *subject.edition.analyte, *(finding.id for finding in subject.edition.findings)}
    for profile in subject.edition.profiles:
        if not profile.markers:
            yield subject.slip(profile, f"profile {profile.id} has no markers")
        for marker in profile.markers:
            if marker.id not in known:
                yield subject.slip(marker, f"unknown marker {marker.id!r}")
        yield from twice(subject, profile.markers, "marker")


def tables_law(subject: Subject) -> Iterator[EditionError]:
    words = subject.words
    for table in subject.edition.evidence:
        for name in table.inputs:
            if not (name in words.coded or name in words.quantities):
                yield subject.slip(table, f"{table.id}: unknown input {name!r}", "inputs")
            elif name not in words.coded and not table.columns:
                message = f"{table.id}: {name!r} is a quantity; a table that reads quantities says columns: true"
                yield subject.slip(table, message, "inputs")
        rows: tuple[EvidenceRow | EvidenceCell, ...] = (*table.rows, *table.cells)
        for row in rows:
            for name in inputs(row.when):
                if name not in table.inputs and name != BEST_CYTOLOGY:
                    yield subject.slip(
                        row, f"{table.id}/{row.id} reads {name!r}, which the table does not list under inputs"
                    )
        ids = {row.id for row in table.rows}
        for name in table.open_rows:
            if name not in ids:
                message = f"{table.id}: open_rows names {name!r}, which is none of its rows"
                yield subject.slip(table, message, "open_rows")
        yield from twice(subject, table.rows, f"row of {table.id}")
        yield from twice(subject, table.cells, f"cell of {table.id}")
        for kind, given in (("completions", table.completions), ("missing_texts", table.missing_texts)):
            for name in given:
                if name not in table.inputs:
                    yield subject.slip(table, f"{table.id}: {kind} name {name!r}, which is no input of the table")
        for name, completions in table.completions.items():
            for word in completions:
                if word not in words.coded.get(name, ()):
                    yield subject.slip(table, f"{table.id}: {name} has no word {word!r}")
