"""A stored cohort read again with another edition: what would change, then the new versions, by the command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from csfinterp import knowledge
from csfinterp.cli import main
from csfinterp.formats import panel_json
from csfinterp.operations import open_service
from csfinterp.service import PanelFilter, Service
from csfinterp.settings import Settings
from tests.conftest import SHIPPED
from tests.making import panel, quantity, word

ADULT = 'age: {from: "12 a", to: null}\n    low: null\n    high: {value: "4 /uL", inclusive: true}'


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A database of its own, and a draft 2026.2 whose upper limit of leukocytes in adults is 9 /uL, made for this."""
    editions = tmp_path / "editions"
    editions.mkdir()
    (editions / SHIPPED.name).symlink_to(SHIPPED)
    knowledge.new_edition(editions, "2026.2", SHIPPED.name)
    file = editions / "2026.2" / "analytes" / "csf_leukocytes.yaml"
    text = file.read_text(encoding="utf-8")
    assert text.count(ADULT) == 1
    file.write_text(text.replace(ADULT, ADULT.replace('"4 /uL"', '"9 /uL"')), encoding="utf-8")
    return {
        "CSFINTERP_DATA_FOLDER": str(tmp_path / "data"),
        "CSFINTERP_EDITIONS_FOLDER": str(editions),
        "CSFINTERP_ALLOW_DRAFT": "true",
    }


@pytest.fixture
def service(environment: dict[str, str]) -> Iterator[Service]:
    service = open_service(Settings.load(environment))
    for number, leukocytes in enumerate((2, 8, 900)):
        sent = panel(
            quantity("csf_leukocytes", leukocytes, "/uL"),
            word("csf_cytology", "negative"),
            source={"system": "LIS-TEST", "message_id": f"M{number}"},
            specimen={"id": f"ACC-{number}"},
        )
        service.submit(panel_json.read(json.dumps(sent).encode()))
    yield service


def run(environment: dict[str, str], *words: str) -> dict[str, Any]:
    result = CliRunner().invoke(main, ["reinterpret", "--edition", "2026.2", "--json", *words], env=environment)
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def versions(service: Service) -> list[int]:
    found = service.search(PanelFilter(), 10)
    return [len(service.versions(entry.panel_id)) for entry in found.items]


def test_a_dry_run_says_which_flags_and_patterns_change_and_stores_nothing(
    service: Service, environment: dict[str, str]
) -> None:
    found = run(environment, "--dry-run")
    assert (found["read"], found["same_edition"], found["changed"], found["written"]) == (3, 0, 1, 0)
    assert found["flags"] == [{"id": "csf_leukocytes", "before": "H", "after": "N", "panels": 1}]
    assert {"id": "pleocytosis", "before": "true", "after": "false", "panels": 1} in found["findings"]
    assert [len(found["panels"]), versions(service)] == [1, [1, 1, 1]]


def test_new_versions_once_and_what_is_left_is_read_on(service: Service, environment: dict[str, str]) -> None:
    first = run(environment, "--filter", "specimen=ACC-1")
    assert (first["read"], first["written"], versions(service).count(2)) == (1, 1, 1)
    rest = run(environment)
    assert (rest["read"], rest["same_edition"], rest["written"], versions(service)) == (2, 1, 2, [2, 2, 2])
    again = run(environment)
    assert (again["read"], again["same_edition"], again["written"], versions(service)) == (0, 3, 0, [2, 2, 2])
    stored = service.panel(first["panels"][0])
    edition: Any = stored.document["edition"]
    assert (edition["id"], stored.reason, stored.version) == ("2026.2", "reinterpreted", 2)


def test_the_dry_run_foretells_what_is_stored(service: Service, environment: dict[str, str]) -> None:
    foretold = run(environment, "--dry-run")
    run(environment)
    changed = {
        entry.panel_id
        for entry in service.search(PanelFilter(), 10).items
        if service.changes(entry.panel_id)["results"] or service.changes(entry.panel_id)["patterns"]
    }
    assert changed == set(foretold["panels"])


def test_the_table_names_what_changes_and_no_patient(service: Service, environment: dict[str, str]) -> None:
    result = CliRunner().invoke(main, ["reinterpret", "--edition", "2026.2", "--dry-run"], env=environment)
    assert "3 panels read again, 1 of them say something else" in result.stdout
    assert "csf_leukocytes" in result.stdout and "Nothing was stored." in result.stdout
    assert "MRN" not in result.output and "ACC" not in result.output


def test_an_unknown_edition_or_filter_is_refused(service: Service, environment: dict[str, str]) -> None:
    for words, told in (
        (("--edition", "1999.1"), "no such edition"),
        (("--edition", "2026.2", "--filter", "sex=male"), "sex"),
    ):
        result = CliRunner().invoke(main, ["reinterpret", *words], env=environment)
        assert result.exit_code != 0 and told in result.output
