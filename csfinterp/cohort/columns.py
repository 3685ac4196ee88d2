"""The columns of the researcher's table, in their order, each with its meaning: the data dictionary of one edition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields

from csfinterp.model.edition import Analyte, Derived, Edition
from csfinterp.steps.explain.lm import EANO, HEMATOLOGIC, LEUKEMIA
from csfinterp.steps.layout import GRADES

# Of Frictionless Table Schema; a time as sent may be a date or a date-time, so it is a string there.
FRICTIONLESS = {"number": "number", "count": "integer", "boolean": "boolean"}
TEXT, NUMBER, COUNT, BOOLEAN, TIME = "text", "number", "count", "boolean", "date or date-time"


@dataclass(frozen=True)
class Column:
    """`type`: text, number, count (whole, from 0), boolean (true, false), date or date-time (ISO 8601, as sent).

    `unit`: canonical unit (UCUM) of a number, else empty. `source`: the entry of the edition, or of the panel, that the
    column comes from. An empty cell means missing in every column.
    """

    name: str
    type: str
    unit: str
    meaning: str
    source: str


HEAD = tuple(item.name for item in fields(Column))


def columns(edition: Edition) -> tuple[Column, ...]:
    """Every column of the table of one edition."""
    return (*_identifiers(edition), *_results(edition), *_statements(edition), *_counts())


def rows(found: tuple[Column, ...]) -> Iterator[tuple[str, ...]]:
    """The dictionary as rows of a table, its header first."""
    yield HEAD
    yield from (astuple(column) for column in found)


def frictionless(found: tuple[Column, ...]) -> dict[str, object]:
    """The same as a Frictionless Table Schema. Texts that a spreadsheet would run begin with an apostrophe in CSV."""
    fields = [
        {
            "name": column.name,
            "type": FRICTIONLESS.get(column.type, "string"),
            "description": column.meaning,
            "csfinterp:source": column.source,
            **({"csfinterp:unit": column.unit} if column.unit else {}),
        }
        for column in found
    ]
    return {"fields": fields, "missingValues": [""]}


def results(edition: Edition) -> tuple[Analyte | Derived, ...]:
    """What has columns of its own: every analyte, then every derived quantity that is no analyte."""
    derived = (entry for entry in edition.derived if entry.kind == "derived" and entry.id not in edition.analyte)
    return (*edition.analytes, *derived)


def _identifiers(edition: Edition) -> Iterator[Column]:
    yield Column("panel_id", TEXT, "", "The panel, as sent", "panel")
    yield Column("patient_id", TEXT, "", "The patient, as sent", "panel")
    yield Column("collected_at", TIME, "", "Time of collection, as sent", "panel")
    yield Column("edition", TEXT, "", "Edition of the knowledge that answered", f"edition {edition.id}")
    yield Column("edition_digest", TEXT, "", "Digest that seals this edition", f"edition {edition.id}")


def _results(edition: Edition) -> Iterator[Column]:
    for entry in results(edition):
        kind = "analyte" if isinstance(entry, Analyte) else "derived quantity"
        source, unit = f"{kind} {entry.id}", entry.unit or ""
        if isinstance(entry, Analyte) and entry.kind == "coded":
            words = ", ".join(value.word for value in entry.values)
            yield Column(entry.id, TEXT, "", f"{entry.name}: {words}", source)
        else:
            yield Column(entry.id, NUMBER, unit, f"{entry.name}, in the canonical unit", source)
        bound = "< <= > >=: the value is only known as this bound; empty: exact or missing"
        yield Column(f"{entry.id}_comparator", TEXT, "", f"{entry.name}: {bound}", source)
        flag = "N L H LL HH A AA (HL7); without a value: a critical one of several results; empty: not judged"
        yield Column(f"{entry.id}_flag", TEXT, "", f"{entry.name}: {flag}", source)


def _statements(edition: Edition) -> Iterator[Column]:
    for finding in edition.findings:
        text = f"{finding.name}: true, false, unknown"
        yield Column(f"finding_{finding.id}", TEXT, "", text, f"finding {finding.id}")
    for profile in edition.profiles:
        name, source = f"profile_{profile.id}", f"profile {profile.id}"
        yield Column(f"{name}_abnormal", COUNT, "", f"{profile.name}: scored markers abnormal in its direction", source)
        yield Column(f"{name}_evaluable", COUNT, "", f"{profile.name}: scored markers that could be judged", source)
    yield from _evidence(edition)
    for pattern in edition.patterns:
        text = f"{pattern.name}: {', '.join(GRADES)}"
        yield Column(f"pattern_{pattern.id}", TEXT, "", text, f"pattern {pattern.id}")
    for score in edition.scores:
        source = f"score {score.id}"
        yield Column(f"score_{score.id}", TEXT, "", f"{score.name}: what it says; empty: not asked for", source)
        status = "computed, not_computable, refused; empty: not asked for"
        yield Column(f"score_{score.id}_status", TEXT, "", f"{score.name}: {status}", source)


def _evidence(edition: Edition) -> Iterator[Column]:
    answers = {
        table.id: ", ".join(dict.fromkeys((*(row.answer for row in table.rows), table.otherwise)))
        for table in edition.evidence
    }
    lm = f"evidence table {EANO}"
    yield Column("lm_certainty", TEXT, "", f"Certainty of leptomeningeal metastasis: {answers[EANO]}", lm)
    yield Column("lm_type", TEXT, "", "Type IA to IID; I: letter not determined", lm)
    yield Column("lm_provisional", BOOLEAN, "", "An open input could still change the certainty", lm)
    yield Column("lm_row", TEXT, "", "Row of the table that decided (R01 ...)", lm)
    path = f"Path beside the table for hematologic disease: {answers[HEMATOLOGIC]}"
    yield Column("hematologic_cns", TEXT, "", path, f"evidence table {HEMATOLOGIC}")
    marks = f"CNS status of acute lymphoblastic leukemia: {answers[LEUKEMIA]}"
    yield Column("leukemia_cns", TEXT, "", marks, f"evidence table {LEUKEMIA}")


def _counts() -> Iterator[Column]:
    yield Column("critical", COUNT, "", "Critical and urgent results that somebody must be told", "critical rules")
    yield Column("issues", COUNT, "", "Cells that could not be read or judged, and remarks on them", "normalization")
