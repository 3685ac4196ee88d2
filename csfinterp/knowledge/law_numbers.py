"""Laws about numbers: units convert, codes are valid, rows have no gaps, critical rules lie outside normal ranges."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from csfinterp import units
from csfinterp.errors import EditionError
from csfinterp.knowledge.options import apply_option
from csfinterp.knowledge.partitions import Ages, ages_meet, flaws
from csfinterp.knowledge.subject import Subject
from csfinterp.model.edition import Analyte, CriticalRule, Edition, ReferenceInterval

_LOINC = re.compile(r"[0-9]{1,7}-[0-9]\Z")
LOCKED_RULE = "CR-ORG"
ORGANISM_TESTS = (
    "csf_gram_stain", "csf_culture", "csf_pathogen_pcr", "csf_cryptococcal_antigen", "csf_acid_fast_smear",
    "csf_india_ink",
)  # fmt: skip


def row_flaws(edition: Edition, gaps: Mapping[str, tuple[Ages, ...]], only: frozenset[str]) -> Iterator[str]:
    """Sentences about the rows and critical rules of the analytes `only`: what an option could break."""
    for owner, rows in _partitioned(edition):
        if owner in only:
            yield from (f"{flaw.row.rule}: {flaw.message}" for flaw in flaws(rows, gaps.get(owner, ())))
    for rule in edition.critical:
        for name in only & set(rule.analytes):
            yield from _inside_rows(rule, edition.analyte[name].intervals)


def critical_flaws(edition: Edition) -> Iterator[str]:
    """Sentences about critical rules that lie inside a normal range."""
    for rule in edition.critical:
        for name in rule.analytes:
            yield from _inside_rows(rule, edition.analyte[name].intervals)


def units_law(subject: Subject) -> Iterator[EditionError]:
    table = subject.edition.units
    for analyte in subject.edition.analytes:
        if analyte.kind != "quantity" or analyte.unit is None:
            continue
        if analyte.molar_mass is not None and analyte.molar_mass not in table.molar_masses:
            yield subject.slip(analyte, f"unknown molar mass {analyte.molar_mass!r}", "molar_mass")
            continue
        if analyte.unit not in analyte.units:
            yield subject.slip(analyte, f"units must list the canonical unit {analyte.unit!r} too", "units")
        file, line = subject.places.of(analyte, "units")
        for unit in analyte.units:
            try:
                subject.words.converted(1.0, unit, analyte.id, file or "", line)
            except EditionError as slip:
                yield slip
    for item in subject.edition.derived:
        if item.unit not in table.codes:
            yield subject.slip(item, f"unit {item.unit!r} is not in units.yaml")
    if table.thirds_dimension not in {unit.dimension for unit in table.codes.values()}:
        yield EditionError("thirds_dimension is the dimension of no unit", subject.file("units.yaml"))


def pint_law(subject: Subject) -> Iterator[EditionError]:
    try:
        found = units.check_against_pint(subject.edition)
    except (AttributeError, TypeError, ValueError) as error:  # pint's own errors derive from these
        found = [f"pint does not know a unit: {error}"]
    for message in found:
        yield EditionError(message, subject.file("units.yaml"))


def valid_loinc(code: str) -> bool:
    """True if the code has its mod 10 check digit: from the right every other digit doubled, digits summed."""
    if not _LOINC.match(code):
        return False
    number, _, stated = code.partition("-")
    total = sum(
        sum(divmod(int(digit) * (2 if place % 2 == 0 else 1), 10)) for place, digit in enumerate(reversed(number))
    )
    return (10 - total % 10) % 10 == int(stated)


def loinc_law(subject: Subject) -> Iterator[EditionError]:
    edition = subject.edition
    owners: dict[str, list[tuple[Analyte, tuple[str, ...]]]] = {}
    for analyte in edition.analytes:
        for code in analyte.loinc:
            if not valid_loinc(code.code):
                yield subject.slip(code, f"LOINC {code.code!r} has a wrong check digit; look the code up again", "code")
            if code.use == "accept":
                for other, specimens in owners.get(code.code, []):
                    if not (specimens and code.only_specimens) or set(specimens) & set(code.only_specimens):
                        message = f"LOINC {code.code} is accepted by {other.id} too; restrict both by specimen"
                        yield subject.slip(code, message)
                owners.setdefault(code.code, []).append((analyte, code.only_specimens))
    for analyte in edition.analytes:
        yield from _wrong_codes(subject, analyte, {*owners, *edition.codes_info})


def _wrong_codes(subject: Subject, analyte: Analyte, known: set[str]) -> Iterator[EditionError]:
    """Codes in wrong use need no valid check digit (some are wrong for that reason); the right one must be known."""
    for wrong in analyte.wrong_codes:
        if not _LOINC.match(wrong.code):
            yield subject.slip(wrong, f"{wrong.code!r} is not written like a LOINC code")
        if wrong.right is not None and wrong.right not in known:
            yield subject.slip(
                wrong, f"the right code {wrong.right!r} is known to no analyte and not in codes_info.yaml"
            )
        if wrong.accept_as is not None and wrong.accept_as not in subject.edition.analyte:
            yield subject.slip(wrong, f"unknown analyte {wrong.accept_as!r}")
        if any(code.code == wrong.code and code.use == "accept" for code in analyte.loinc):
            yield subject.slip(wrong, f"{wrong.code} is both accepted and wrong here")


def partitions_law(subject: Subject) -> Iterator[EditionError]:
    for owner, rows in _partitioned(subject.edition):
        for flaw in flaws(rows, subject.gaps.get(owner, ())):
            yield subject.slip(flaw.row, f"{flaw.row.rule}: {flaw.message}")


def _partitioned(edition: Edition) -> Iterator[tuple[str, tuple[ReferenceInterval, ...]]]:
    """Every owner of rows once; a copy under another analyte is judged with its source."""
    for analyte in edition.analytes:
        if all(row.rule.startswith(f"{analyte.id}/") for row in analyte.intervals):
            yield analyte.id, analyte.intervals
    yield from ((item.id, item.intervals) for item in edition.derived if item.id not in edition.analyte)


def critical_law(subject: Subject) -> Iterator[EditionError]:
    """A critical row may touch an edge of the interval but never lie inside it (reference_intervals.md S8)."""
    edition = subject.edition
    for rule in edition.critical:
        for name in rule.analytes:
            if name not in edition.analyte:
                yield subject.slip(rule, f"unknown analyte {name!r}")
                continue
            yield from (
                subject.slip(rule, message, "limit") for message in _inside_rows(rule, edition.analyte[name].intervals)
            )
    locked = [rule for rule in edition.critical if rule.rule == LOCKED_RULE]
    if not locked or not all(rule.locked for rule in locked):
        message = f"{LOCKED_RULE} (organism found) must stand in critical.yaml with locked: true"
        if locked:
            yield subject.slip(locked[0], message)
        else:
            yield EditionError(message, subject.file("critical.yaml"), 1)
    told = {name for rule in locked if rule.flag == "AA" and "positive" in rule.words for name in rule.analytes}
    lost = [name for name in ORGANISM_TESTS if name not in told]
    if locked and lost:
        message = f"{LOCKED_RULE} must make positive AA for {', '.join(lost)} too (SL41)"
        yield subject.slip(locked[0], message, "analytes")


def _inside_rows(rule: CriticalRule, rows: Iterable[ReferenceInterval]) -> Iterator[str]:
    for row in rows:
        if rule.flag is not None and _inside(rule, row):
            yield f"{rule.id} {rule.op} {rule.limit_text} lies inside the normal range of {row.rule}"


def _inside(rule: CriticalRule, row: ReferenceInterval) -> bool:
    if rule.op is None or rule.limit is None or not ages_meet((rule.age_from, rule.age_to), (row.age_from, row.age_to)):
        return False
    end = row.high if rule.op.startswith(">") else row.low
    if end is None or end.value is None:
        return False
    return rule.limit < end.value if rule.op.startswith(">") else rule.limit > end.value


def options_law(subject: Subject) -> Iterator[EditionError]:
    edition = subject.edition
    rows = {analyte.id: analyte.intervals for analyte in edition.analytes}
    rules = {rule.rule: rule for rule in edition.critical} | {rule.id: rule for rule in edition.critical}
    for option in edition.options:
        if option.analyte is not None and option.analyte not in {*rows, *edition.derived_by_id}:
            yield subject.slip(option, f"{option.id}: unknown analyte {option.analyte!r}")
            continue
        states = (
            option.intervals
            or option.critical
            or option.decision_limits
            or option.constants
            or option.replaces_critical
        )
        if option.selectable and not states:
            yield subject.slip(option, f"{option.id} is selectable but states nothing")
        for name in option.replaces_critical:
            if name not in rules:
                yield subject.slip(option, f"{option.id} replaces unknown critical rule {name!r}")
            elif rules[name].locked:
                yield subject.slip(option, f"{option.id}: {name} is locked and stays")
        for limit in option.decision_limits:
            if limit.id not in edition.limit:
                yield subject.slip(limit, f"{option.id} replaces unknown limit {limit.id!r}")
        for name, numbers in option.constants.items():
            derived = edition.derived_by_id.get(name)
            if derived is None or not set(numbers) <= set(derived.constants):
                yield subject.slip(option, f"{option.id}: {name!r} has no such constants")
        touched = frozenset({option.analyte or "", *(name for rule in option.critical for name in rule.analytes)})
        only = touched & {*edition.analyte}
        before = set(row_flaws(edition, subject.gaps, only))
        for message in row_flaws(apply_option(edition, option), subject.gaps, only):
            if message not in before:
                yield subject.slip(option, f"{option.id}: {message}")
