"""Ids and words of an edition, gathered from the raw documents before anything is built.

So one bad entry does not make every reference to it a slip too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from csfinterp.knowledge.document import Map, Seq
from csfinterp.knowledge.vocabulary import GRADES, Measure, Vocabulary, coded_inputs, context_measures
from csfinterp.model.edition import UnitTable

Documents = Mapping[str, object]
# Where statements stand: file, key of the list in it (None: the file is the list), kind.
_LISTS = (
    ("quality.yaml", None, "quality"),
    ("findings.yaml", "findings", "finding"),
    ("patterns.yaml", "patterns", "grade"),
    ("evidence.yaml", "tables", "answer"),
    ("cautions.yaml", "cautions", "caution"),
    ("statements.yaml", "liquid_biopsy", "statement"),
    ("recommendations.yaml", "recommendations", "recommendation"),
)
# Lists inside a pattern.
_PATTERN_LISTS = (("items", "item"), ("raises", "item"), ("lines", "statement"))


def vocabulary(documents: Documents, table: UnitTable) -> Vocabulary:
    """Quantities with their units, coded inputs and statements of the edition in `documents`."""
    quantities: dict[str, Measure] = context_measures()
    coded: dict[str, tuple[str, ...]] = {}
    for name, data in documents.items():
        if name.startswith("analytes/") and isinstance(data, Map) and isinstance(data.get("id"), str):
            if data.get("kind") == "coded":
                coded[str(data["id"])] = tuple(field_of(data.get("values"), "word"))
            else:
                mass = data.get("molar_mass")
                molar = table.molar_masses.get(mass) if isinstance(mass, str) else None
                quantities[str(data["id"])] = Measure(str(data.get("unit")), molar)
    for item in entries_of(documents["derived.yaml"]):
        quantities.setdefault(str(item.get("id")), Measure(str(item.get("unit"))))
    return Vocabulary(
        table,
        quantities,
        coded_inputs(coded),
        _statements(documents),
        dict(_graded(documents)),
        grade_scales=frozenset(field_of(part(documents, "findings.yaml", "grade_scales"), "id")),
    )


def _statements(documents: Documents) -> dict[str, str]:
    """Id -> kind; an id that a recommendation shares with a finding or quality rule means the latter in `holds`."""
    kinds: dict[str, str] = {}
    for file, key, kind in _LISTS:
        for name in field_of(part(documents, file, key), "id"):
            kinds.setdefault(name, kind)
    for pattern in entries_of(part(documents, "patterns.yaml", "patterns")):
        for key, kind in _PATTERN_LISTS:
            for name in field_of(pattern.get(key), "id"):
                kinds.setdefault(name, kind)
    return kinds


def _graded(documents: Documents) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What `at_least` may name. The lowest grade is left out: where anything is known, it always holds."""
    for name in field_of(part(documents, "patterns.yaml", "patterns"), "id"):
        yield name, GRADES[1:]
    for table in entries_of(part(documents, "evidence.yaml", "tables")):
        levels = table.get("levels")
        words = [word for word in levels if isinstance(word, str)] if isinstance(levels, Seq) else []
        answers = dict.fromkeys((*field_of(table.get("rows"), "answer"), str(table.get("otherwise"))))
        yield str(table.get("id")), tuple(words or answers)


def part(documents: Documents, file: str, key: str | None) -> object:
    """The list under `key` of a file, or the file itself; None where there is none."""
    data = documents.get(file)
    if key is None:
        return data
    return data.get(key) if isinstance(data, Map) else None


def entries_of(data: object) -> list[Map]:
    """The mappings of a list; empty for anything else."""
    return [item for item in data if isinstance(item, Map)] if isinstance(data, Seq) else []


def field_of(data: object, key: str) -> list[str]:
    """The texts under `key` of the mappings of a list."""
    return [str(item[key]) for item in entries_of(data) if isinstance(item.get(key), str)]
