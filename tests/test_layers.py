"""The table of layers of the house: who may import whom, and what from outside. Imports run down and form no circle."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "csfinterp"
FILES = sorted(PACKAGE.rglob("*.py"))

# Rooms that are not folders: the hall around service.py, and the doors with what only they use.
HALL = {
    "service", "cohort", "operations", "library", "history", "documents", "corrections", "drafts", "events",
    "batch", "receiving", "held", "calls", "course", "catalog", "grid", "plotting", "printed",
    "cohort_report", "exports", "accounts", "rereading",
}  # fmt: skip
DOORS = {
    "logs", "web", "mllp", "cli", "deliver", "__main__", "demo", "serving", "samples", "cohort_command",
    "export_command", "held_command", "report_command", "reinterpret_command", "account_commands",
}  # fmt: skip
NOUNS = {"errors", "model", "acting", ""}  # "" is csfinterp/__init__.py, which holds the version
# room: (our rooms that it may import, packages from outside beside the standard library)
TABLE: dict[str, tuple[set[str], set[str]]] = {
    "": (set(), set()),
    "errors": (set(), set()),
    "acting": (set(), set()),
    "model": (NOUNS, set()),
    "settings": (NOUNS, {"yaml", "environs", "platformdirs"}),
    "units": (NOUNS, {"pint"}),
    "steps": (NOUNS | {"units", "steps"}, {"numpy", "pandas"}),
    "knowledge": (NOUNS | {"units", "knowledge"}, {"yaml", "marshmallow"}),
    "formats": (NOUNS | {"formats"}, {"marshmallow", "orjson", "hl7", "fhir", "pydantic", "pandas"}),
    "plot": (NOUNS | {"plot"}, {"matplotlib", "numpy"}),
    "printing": (NOUNS | {"formats", "plot", "printing"}, {"jinja2", "markupsafe", "matplotlib", "weasyprint"}),
    "store": (NOUNS | {"store"}, {"sqlalchemy", "alembic", "orjson"}),
    "changes": (NOUNS | {"formats"}, set()),
    "delivery": (NOUNS | {"settings", "formats", "store", "changes", "delivery"}, {"yaml", "marshmallow"}),
    "hall": (
        NOUNS | {"settings", "units", "steps", "knowledge", "formats", "store", "changes", "delivery"}
        | {"plot", "printing", "hall"},
        {"dask", "distributed", "orjson", "argon2"},
    ),
    "doors": (
        NOUNS | {"settings", "formats", "hall", "doors"},
        {"flask", "flask_smorest", "flask_wtf", "flask_login", "flask_limiter", "limits", "prometheus_client",
         "markdown_it", "markupsafe", "werkzeug",
         "marshmallow", "apispec", "swagger_ui_bundle", "structlog", "yaml",
         "orjson", "click", "rich"},
    ),
}  # fmt: skip
COLUMNAR = ("arrow", "calls", "cells", "chunk", "keys", "observations", "people", "score_texts", "sheet", "table")
EXCEPTIONS = {("model/cohort.py", "numpy"), *((f"cohort/{name}.py", "numpy") for name in COLUMNAR),
              ("cohort/frame.py", "pandas"), ("cohort/arrow.py", "pyarrow"),
              ("plotting/curves.py", "numpy"), ("plotting/reibergrams.py", "numpy"), ("plotting/frame.py", "pandas"),
              ("plotting/frame.py", "numpy"), ("cohort_report/counts.py", "pandas"),
              ("cohort_report/counts.py", "pyarrow")}  # fmt: skip
# The typing stubs of the standard library; never imported at run time.
TYPING = {"_typeshed"}
STEPS = {"normalize", "derive", "quality", "flag", "profile", "classify", "pattern", "score", "recommend"}


def room_of(parts: tuple[str, ...]) -> str:
    name = parts[0] if parts else ""
    return "hall" if name in HALL else "doors" if name in DOORS else name


def parts_of(file: Path) -> tuple[str, ...]:
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


MODULES = {parts_of(file) for file in FILES}


def imports(file: Path, *, at_run_time: bool = False) -> Iterator[tuple[str, ...]]:
    """Dotted names that a file imports, as parts; `from package import module` counts as the module."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    if at_run_time:
        tree.body = [node for node in tree.body if not _only_for_types(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative imports hide the room"
            base = tuple((node.module or "").split("."))
            for alias in node.names:
                yield (*base, alias.name) if (*base[1:], alias.name) in MODULES else base


def _only_for_types(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


@pytest.mark.parametrize("file", FILES, ids=lambda file: "/".join(parts_of(file)) or "csfinterp")
def test_a_room_imports_only_what_its_layer_allows(file: Path) -> None:
    room = room_of(parts_of(file))
    assert room in TABLE, f"{file.name} belongs to no room of the house"
    ours, others = TABLE[room]
    for name in imports(file):
        if name[0] == "csfinterp":
            assert room_of(name[1:]) in ours | ({room} if room == "model" else set()), f"{file}: {'.'.join(name)}"
        elif name[0] not in sys.stdlib_module_names | TYPING:
            known = name[0] in others or (file.relative_to(PACKAGE).as_posix(), name[0]) in EXCEPTIONS
            assert known, f"{file}: {name[0]} is not for the layer {room!r}"


def test_only_units_imports_pint() -> None:
    assert [file.name for file in FILES if ("pint",) in {name[:1] for name in imports(file)}] == ["units.py"]


def test_no_step_imports_a_sibling_step() -> None:
    wrong = [
        (file.stem, name[2])
        for file in FILES
        if parts_of(file)[:1] == ("steps",) and file.stem in STEPS
        for name in imports(file)
        if name[:2] == ("csfinterp", "steps") and len(name) > 2 and name[2] in STEPS - {file.stem}
    ]
    assert wrong == []


def test_imports_form_no_circle() -> None:
    graph = {
        parts_of(file): {
            name[1:] for name in imports(file, at_run_time=True) if name[0] == "csfinterp" and name[1:] in MODULES
        }
        for file in FILES
    }
    done: set[tuple[str, ...]] = set()

    def visit(module: tuple[str, ...], path: tuple[tuple[str, ...], ...]) -> None:
        assert module not in path, "circle: " + " -> ".join(".".join(step) for step in (*path, module))
        if module not in done:
            for target in graph[module]:
                visit(target, (*path, module))
            done.add(module)

    for module in graph:
        visit(module, ())
