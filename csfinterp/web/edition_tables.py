"""One edition as readable tables: what is normal, what is critical, every rule in words, every source.

Plain data in, text cells out; ids become names, conditions are the sentences that the predicates say of themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from csfinterp.formats.report_names import CONTEXT, TESTS, spoken
from csfinterp.formats.report_words import AGE_UNITS, plain
from csfinterp.formats.report_words import words as spaced
from csfinterp.web.words import unit

Part = Mapping[str, Any]
Say = Callable[[str], str]


@dataclass(frozen=True)
class Row:
    """One fact: its id as answers print it, its cells, the sources that it cites and how it stands."""

    id: str
    cells: tuple[str, ...]
    citations: tuple[str, ...] = ()
    status: str | None = None


@dataclass(frozen=True)
class Table:
    """`columns` name the cells; the id stands before them, the sources behind them. `about`: a sentence above."""

    id: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    about: str = ""
    group: str = field(default="")


def tables(edition: Part) -> list[Table]:
    """Every table of an edition (`Catalog.document`), in reading order."""
    names = _names(edition)

    def say(sentence: str) -> str:
        return spoken(sentence, names)

    return [table for table in _tables(edition, names, say) if table.rows]


def _tables(edition: Part, names: Mapping[str, str], say: Say) -> Iterator[Table]:
    tested = [*edition["analytes"], *(item for item in edition["derived"] if item["intervals"])]
    yield Table(
        "ranges",
        "Reference intervals",
        ("Test", "Site", "Age", "Only if", "Reference interval", "Note"),
        tuple(_range(entry, row, say) for entry in tested for row in entry["intervals"]),
        "The first row that fits site, age and condition is used; a test without a fitting row is not judged.",
    )
    yield Table(
        "readings",
        "Readings without an interval",
        ("Test", "Value", "Flag", "Text"),
        tuple(_band(entry, row) for entry in edition["analytes"] for row in entry["bands"]),
    )
    yield Table(
        "words",
        "Results in words",
        ("Test", "Word", "Flag"),
        tuple(
            Row(
                f"{entry['id']}/{value['word']}",
                (entry["name"], spaced(value["word"]), _flag(value)),
                *_cited(value, entry),
            )
            for entry in edition["analytes"]
            for value in entry["values"]
        ),
    )
    yield Table(
        "limits",
        "Decision limits",
        ("Quantity", "Limit", "What it says"),
        tuple(
            Row(
                limit["id"],
                (_name(limit["quantity"], names), f"{_sign(limit['op'])} {limit['text']}", limit["says"]),
                *_cited(limit),
            )
            for limit in edition["limits"]
        ),
        "Numbers of disease studies: they move findings, never a flag.",
    )
    yield Table(
        "critical",
        "Critical and urgent calls",
        ("Tests", "Level", "When", "Age", "Text"),
        tuple(_critical(rule, names) for rule in edition["critical"]),
    )
    yield Table(
        "formulas",
        "Calculated quantities",
        ("Quantity", "Unit", "Formula", "From", "Note"),
        tuple(
            Row(
                item["id"],
                (
                    item["name"],
                    unit(item["unit"]),
                    item["formula"] or "",
                    _list(item["inputs"], names),
                    item["note"] or "",
                ),
                *_cited(item),
            )
            for item in edition["derived"]
        ),
    )
    yield Table(
        "quality",
        "Quality remarks",
        ("Remark", "Severity", "When", "Withholds", "Text"),
        tuple(
            Row(
                rule["rule"],
                (
                    rule["name"],
                    rule["severity"],
                    say(_when(rule)),
                    _list(rule["suppresses"], names),
                    rule["text"],
                ),
                *_cited(rule),
            )
            for rule in edition["quality"]
        ),
    )
    yield Table(
        "findings",
        "Findings",
        ("Finding", "When"),
        tuple(Row(rule["id"], (rule["name"], say(_when(rule))), *_cited(rule)) for rule in edition["findings"]),
    )
    for profile in edition["profiles"]:
        yield _profile(profile, names)
    for table in edition["evidence"]:
        yield _evidence(table, say)
    for pattern in edition["patterns"]:
        yield _pattern(pattern, say)
    yield from _statements(edition, say)
    yield from _scores(edition, names, say)
    yield Table(
        "options",
        "Named options that a site may choose",
        ("What it replaces", "May be chosen"),
        tuple(
            Row(option["id"], (option["text"], "yes" if option["selectable"] else "no"), *_cited(option))
            for option in edition["options"]
        ),
    )


def _statements(edition: Part, say: Say) -> Iterator[Table]:
    for key, title in (("cautions", "Cautions and comments"), ("statements", "Liquid biopsy and tumor markers")):
        yield Table(
            key,
            title,
            ("When", "Text"),
            tuple(Row(rule["id"], (say(_when(rule)), rule["text"]), *_cited(rule)) for rule in edition[key]),
        )
    yield Table(
        "recommendations",
        "Recommendations",
        ("For", "Priority", "When", "Text"),
        tuple(
            Row(
                rule["rule"],
                (
                    ", ".join(map(spaced, rule["audiences"])),
                    plain(rule["priority"]),
                    say(_when(rule)),
                    rule["text"],
                ),
                *_cited(rule),
            )
            for rule in edition["recommendations"]
        ),
    )
    if (found := edition["differential"]) is not None:
        columns = ("Leptomeningeal", "Pachymeningeal", "Tests")
        yield Table(
            "differential",
            "Differential of enhancement",
            columns,
            tuple(
                Row(
                    group["id"],
                    tuple("; ".join(group[key]) for key in ("leptomeningeal", "pachymeningeal", "tests")),
                    *_cited(group),
                )
                for group in found["groups"]
            ),
            f"Shown when: {say(_when(found))}",
        )


def _scores(edition: Part, names: Mapping[str, str], say: Say) -> Iterator[Table]:
    yield Table(
        "scores",
        "Published scores",
        ("Score", "Made for", "Needs", "Refused if"),
        tuple(
            Row(
                score["rule"],
                (
                    score["name"],
                    score["population"],
                    _list(score["needed"], names),
                    "; ".join(say(_when(refusal)) for refusal in score["refusals"]),
                ),
                *_cited(score),
            )
            for score in edition["scores"]
        ),
    )


def _range(entry: Part, row: Part, say: Say) -> Row:
    conditions = [say(part["sentence"]) for part in (row["when"], row["gate"]) if part]
    if stratum := row["stratum"]:
        low, high = stratum["low"], stratum["high"]
        ends = [f"from {plain(low)}" if low is not None else "", f"below {plain(high)}" if high is not None else ""]
        conditions.append(say(f"{stratum['quantity']} {' '.join(filter(None, ends))}"))
    limits = " and ".join(limit["text"] for limit in (row["low"], row["high"]) if limit)
    limits = say(limits).replace("10*-3", "× 10⁻³")
    notes = "; ".join(filter(None, (row["note"], row["site_note"])))
    cells = (entry["name"], ", ".join(row["sites"]), _ages(row), "; ".join(conditions), limits or "none", notes)
    return Row(row["rule"], cells, *_cited(row))


def _band(entry: Part, row: Part) -> Row:
    low, high = (bound and plain(bound["value"]) for bound in (row["low"], row["high"]))
    value = f"{low} to {high}" if low and high else f"from {low}" if low else f"up to {high}" if high else "any"
    return Row(row["rule"], (entry["name"], f"{value} {unit(entry['unit'])}", _flag(row), row["text"]), *_cited(row))


def _critical(rule: Part, names: Mapping[str, str]) -> Row:
    when = (
        f"{_sign(rule['op'] or '')} {rule['limit_text']}"
        if rule["limit_text"]
        else ", ".join(map(spaced, rule["words"]))
    )
    cells = (_list(rule["analytes"], names), rule["level"], when, _ages(rule), rule["text"])
    return Row(rule["id"], cells, *_cited(rule))


def _profile(profile: Part, names: Mapping[str, str]) -> Table:
    rows = (
        Row(
            marker["id"],
            (
                _name(marker["id"], names),
                spaced(marker["direction"]),
                ""
                if marker["share"] is None
                else f"{round(marker['share'] * 100, 1):g} % of {plain(marker['cohort_n'])}",
                "counted" if marker["scored"] else "shown only",
                marker["note"] or "",
            ),
            *_cited(marker),
        )
        for marker in profile["markers"]
    )
    columns = ("Marker", "Direction", "Abnormal in the series", "Use", "Note")
    about = f"{profile['cohort']}; {profile['entry_criterion']}. {profile['caution']}"
    return Table(f"profile-{profile['id']}", profile["name"], columns, tuple(rows), about, "Published series")


def _evidence(table: Part, say: Say) -> Table:
    rows = [
        Row(row["id"], (say(_when(row)), spaced(row["answer"]), row["text"] or ""), *_cited(row))
        for row in table["rows"]
    ]
    rows += [
        Row(cell["id"], (say(_when(cell)), spaced(cell["level"]), cell["caution"] or ""), *_cited(cell))
        for cell in table["cells"]
    ]
    about = f"The first row that is true gives the answer; else: {spaced(table['otherwise'])}."
    return Table(
        f"evidence-{table['id']}", table["name"], ("When", "Answer", "Text"), tuple(rows), about, "Evidence tables"
    )


def _pattern(pattern: Part, say: Say) -> Table:
    rows = [
        Row(item["id"], (spaced(item["kind"]), item["text"], say(_when(item))), *_cited(item))
        for item in pattern["items"]
    ]
    if pattern["rule"]:
        rows.insert(
            0, Row(pattern["rule_id"], ("rule", pattern["name"], say(pattern["rule"]["sentence"])), *_cited(pattern))
        )
    rows += [Row(item["id"], (f"at least {spaced(item['grade'])}", "", say(_when(item)))) for item in pattern["raises"]]
    rows += [Row(item["id"], ("sentence", item["text"], say(_when(item))), *_cited(item)) for item in pattern["lines"]]
    about = " ".join(f"{spaced(grade).capitalize()}: {text}" for grade, text in pattern["texts"].items())
    return Table(f"pattern-{pattern['id']}", pattern["name"], ("Kind", "Text", "When"), tuple(rows), about, "Patterns")


def _names(edition: Part) -> dict[str, str]:
    parts = ("analytes", "derived", "quality", "findings", "patterns")
    return (
        TESTS | CONTEXT | {entry["id"]: entry["name"] for part in parts for entry in edition[part] if entry.get("name")}
    )


def _name(identifier: str, names: Mapping[str, str]) -> str:
    return names.get(identifier) or spaced(identifier)


def _list(ids: Iterable[str], names: Mapping[str, str]) -> str:
    return "; ".join(_name(name, names) for name in ids)


def _when(rule: Part) -> str:
    return str(rule["when"]["sentence"])


def _flag(row: Part) -> str:
    return row["flag"] or spaced(row["not_judged"] or "no flag")


def _cited(row: Part, other: Part | None = None) -> tuple[tuple[str, ...], str | None]:
    source = row if row.get("citations") or other is None else other
    return tuple(source.get("citations") or ()), source.get("status")


def _sign(op: str) -> str:
    return {">=": "≥", "<=": "≤"}.get(op, op)


def _ages(row: Part) -> str:
    start, end = row["age_from"], row["age_to"]
    begins = "" if start["value"] == 0 else f"from {_age(start)}"
    ends = "" if end is None else f"below {_age(end)}"
    return " ".join(filter(None, (begins, ends))) or "any"


def _age(edge: Part) -> str:
    return f"{plain(edge['value'])} {AGE_UNITS.get(edge['unit'], edge['unit'])}"
