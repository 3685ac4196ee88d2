"""The edition page: every range, rule and source of the interface's edition stands in it; two editions are compared."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from csfinterp.knowledge import new_edition
from csfinterp.operations import open_service
from csfinterp.settings import Settings
from csfinterp.web import create_app
from csfinterp.web.edition_tables import tables
from tests.conftest import SHIPPED
from tests.web.forms import text_of


@pytest.fixture(scope="module")
def html(app: Any) -> str:
    return str(app.test_client().get(f"/editions/{SHIPPED.name}").text)


@pytest.fixture(scope="module")
def document(app: Any) -> dict[str, Any]:
    return dict(app.test_client().get(f"/api/v1/editions/{SHIPPED.name}").get_json())


def row(html: str, identifier: str) -> str:
    found = re.findall(
        rf"<tr[^>]*><th scope=\"row\"><code>{re.escape(identifier)}</code></th>.*?</tr>", html, re.DOTALL
    )
    assert found, identifier
    return text_of(" ".join(found))


def test_every_reference_interval_stands_there(html: str, document: dict[str, Any]) -> None:
    count = 0
    for entry in (*document["analytes"], *document["derived"]):
        for interval in entry["intervals"]:
            text = row(html, interval["rule"])
            count += 1
            assert entry["name"] in text
            for limit in (interval["low"], interval["high"]):
                shown = limit and not limit["quantity"]  # the limit that is a quantity stands there by its name
                assert not shown or limit["text"].replace("10*-3", "× 10⁻³").replace("<=", "≤") in text
            assert interval["status"] == "primary" or interval["status"] in text
            assert all(source in text for source in interval["citations"])
    assert count > 70


@pytest.mark.parametrize(
    ("part", "key", "said"),
    [
        ("limits", "id", "says"), ("critical", "id", "text"), ("quality", "rule", "text"), ("findings", "id", "name"),
        ("cautions", "id", "text"), ("statements", "id", "text"), ("recommendations", "rule", "text"),
        ("scores", "rule", "population"), ("options", "id", "text"), ("derived", "id", "name"),
        ("citations", "id", "status"),
    ],
)  # fmt: skip
def test_every_rule_and_source_stands_there(
    html: str, document: dict[str, Any], part: str, key: str, said: str
) -> None:
    assert document[part]
    for entry in document[part]:
        text = row(html, entry[key])
        assert text_of(entry[said].replace("<", "&lt;").replace(">", "&gt;")) in text
        assert all(source in text for source in entry.get("citations", ()))


def test_every_row_of_patterns_profiles_and_evidence_stands_there(html: str, document: dict[str, Any]) -> None:
    for pattern in document["patterns"]:
        assert all(row(html, item["id"]) for item in pattern["items"])
    for profile in document["profiles"]:
        assert all(row(html, marker["id"]) for marker in profile["markers"])
    for table in document["evidence"]:
        assert all(row(html, entry["id"]) for entry in (*table["rows"], *table["cells"]))


def test_every_source_that_is_named_is_linked_to_its_row(html: str) -> None:
    named = set(re.findall(r'href="#(source-[^"]+)"', html))
    assert named
    assert named <= set(re.findall(r'<tr id="(source-[^"]+)"', html))


def test_conditions_are_said_in_words(document: dict[str, Any]) -> None:
    spoken = {"When", "Only if", "Needs", "Refused if", "Withholds", "Tests", "Quantity", "Marker", "From", "Test"}
    cells = [
        (row.id, cell)
        for table in tables(document)
        for row in table.rows
        for column, cell in zip(table.columns, row.cells, strict=True)
        if column in spoken
    ]
    assert len(cells) > 500
    assert [(name, cell) for name, cell in cells if re.search(r"\b[a-z]+_[a-z_]+\b", cell)] == []


def test_the_list_names_what_is_in_force(client: FlaskClient, document: dict[str, Any]) -> None:
    text = text_of(client.get("/editions").text)
    assert f"Edition {SHIPPED.name} in force" in text
    assert document["digest"] in text
    assert client.get("/editions/none").status_code == 404


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> FlaskClient:
    """A site with a second edition, in which one limit is another."""
    folder: Path = tmp_path_factory.mktemp("editions")
    shutil.copytree(SHIPPED, folder / SHIPPED.name)
    draft = new_edition(folder, "2031.1", SHIPPED.name)
    file = draft / "limits.yaml"
    text = file.read_text(encoding="utf-8")
    assert "3.5" in text
    file.write_text(text.replace("3.5", "3.6"), encoding="utf-8")
    chosen = replace(settings, editions_folder=folder, database_url=f"sqlite:///{folder / 'csf.sqlite'}")
    return create_app(chosen, open_service(chosen)).test_client()


def test_the_difference_of_two_editions_is_a_table(two: FlaskClient) -> None:
    assert "Compare two editions" in two.get("/editions").text
    html = two.get("/editions/compare", query_string={"older": SHIPPED.name, "newer": "2031.1"}).text
    text = text_of(html)
    assert "DL-LAC" in text
    assert "Impacted analytes: " in text
    changed = re.findall(r"<del>(.*?)</del>.*?<ins>(.*?)</ins>", html, re.DOTALL)
    assert ("3.5", "3.6") in changed
    assert all(before != after for before, after in changed)
    back = two.get("/editions/compare", query_string={"older": "2031.1", "newer": SHIPPED.name}).text
    assert ("3.6", "3.5") in re.findall(r"<del>(.*?)</del>.*?<ins>(.*?)</ins>", back, re.DOTALL)


def test_an_edition_does_not_differ_from_itself(two: FlaskClient) -> None:
    html = two.get("/editions/compare", query_string={"older": SHIPPED.name, "newer": SHIPPED.name}).text
    assert "Nothing: both state the same." in html
    assert two.get("/editions/compare", query_string={"older": "x", "newer": SHIPPED.name}).status_code == 404
