"""The editions of a site: a broken or doubled folder stops nobody who did not ask for it, and a change is told."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from csfinterp import knowledge
from csfinterp.errors import EditionError, NotFoundError
from csfinterp.library import Library
from csfinterp.operations import stateless_service
from csfinterp.settings import Settings, packaged_folder
from csfinterp.web import create_app

SHIPPED = packaged_folder("reference_ranges") / "2026.1"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of editions with a copy of the shipped one."""
    shutil.copytree(SHIPPED, tmp_path / "2026.1")
    return tmp_path


@pytest.fixture
def settings(root: Path) -> Settings:
    loaded = Settings.load({"CSFINTERP_EDITIONS_FOLDER": str(root), "CSFINTERP_ALLOW_DRAFT": "true"})
    return replace(loaded, edition="2026.1")


def listed(app: Flask) -> dict[str, dict[str, object]]:
    return {item["id"]: item for item in app.test_client().get("/api/v1/editions").get_json()["items"]}


def test_a_second_folder_never_stands_in_for_an_edition(root: Path, settings: Settings) -> None:
    text = (root / "2026.1" / "limits.yaml").read_text(encoding="utf-8")
    for name in ("0000_backup", "zz copy"):
        shutil.copytree(root / "2026.1", root / name)
        (root / name / "limits.yaml").write_text(text + "# changed\n", encoding="utf-8")
    library = Library(settings)
    known = library.known().edition
    assert known.digest == knowledge.load_edition(root / "2026.1").digest
    assert {info.id: info.status for info in library.editions()} == {
        "2026.1": known.status, "0000_backup": "broken", "zz copy": "broken",
    }  # fmt: skip
    with pytest.raises(EditionError, match=r"the folder '0000_backup' holds edition '2026\.1'"):
        library.known("0000_backup")


@pytest.mark.parametrize("text", ["id: [", "", "id: 2026.9\n", "title: no more\n"])
def test_a_broken_draft_stops_only_who_asks_for_it(root: Path, settings: Settings, text: str) -> None:
    knowledge.new_edition(root, "2026.2", "2026.1")
    (root / "2026.2" / "edition.yaml").write_text(text, encoding="utf-8")
    app = create_app(settings, stateless_service(settings))
    items = listed(app)
    assert (items["2026.1"]["problem"], items["2026.2"]["status"]) == (None, "broken")
    assert items["2026.2"]["problem"]
    answer = app.test_client().get("/api/v1/editions/2026.2")
    assert (answer.status_code, answer.get_json()["type"]) == (422, "/problems/edition-refused")
    assert app.test_client().get("/api/v1/editions/2026.1").status_code == 200
    with pytest.raises(EditionError) as raised:
        knowledge.new_edition(root, "2026.3", "2026.2")
    assert raised.value.file == str(root / "2026.2" / "edition.yaml")


def test_an_edition_touched_while_it_is_in_use_is_told(root: Path, settings: Settings) -> None:
    app = create_app(settings, stateless_service(settings))
    before = listed(app)["2026.1"]
    assert before["problem"] is None
    file = root / "2026.1" / "limits.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "# touched\n", encoding="utf-8")
    after = listed(app)["2026.1"]
    assert "changed after it was loaded" in str(after["problem"])
    assert after | {"problem": None} == before
    shutil.rmtree(root / "2026.1")
    assert listed(app)["2026.1"] == after


def test_an_edition_in_force_that_is_not_there_names_what_to_set(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="CSFINTERP_EDITIONS_FOLDER") as raised:
        Library(replace(settings, editions_folder=tmp_path / "nope")).known()
    assert str(tmp_path / "nope") in str(raised.value)
    with pytest.raises(NotFoundError) as raised:
        Library(settings).known("1999.1")
    assert str(tmp_path) not in str(raised.value), "a sender is told no paths"
