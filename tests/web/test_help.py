"""The guides as pages: all of them, nothing in them acts, links lead on; what the guide for readers says is true."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from csfinterp.formats.report_names import names_of, spoken
from csfinterp.formats.report_words import GRADES, STATUS
from csfinterp.web import help as guides
from csfinterp.web.words import FLAGS, spaced
from tests.making import Interpret, sample_panel
from tests.web.conftest import PanelMaker
from tests.web.forms import text_of

GUIDE = guides.FOLDER / "read_a_report.md"
NAMES = sorted(path.stem for path in guides.FOLDER.glob("*.md"))


@pytest.mark.parametrize("name", NAMES)
def test_every_guide_is_a_page_and_every_link_in_it_opens(client: FlaskClient, name: str) -> None:
    html = client.get(f"/help/{name}").text
    assert html.count("<h1") == 1
    assert text_of((guides.FOLDER / f"{name}.md").read_text(encoding="utf-8").split("\n")[0]).lstrip("# ") in text_of(
        html
    )
    for address in re.findall(r'href="(/[^"#]*)', html):
        assert client.get(address).status_code == 200, address
    assert f'href="/help/{name}"' in client.get("/help").text


def test_a_guide_that_is_not_there(client: FlaskClient) -> None:
    assert client.get("/help/no-such-guide").status_code == 404
    assert client.get("/help/..%2f..%2fsettings").status_code == 404


def test_markup_in_a_guide_stays_text() -> None:
    html = guides._rendered('<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror="y">')
    assert "<script" not in html
    assert "<img" not in html
    assert "href" not in html


def test_links_between_guides_become_pages_and_other_files_lose_theirs(client: FlaskClient) -> None:
    with client.application.test_request_context():
        html = guides._rendered("[a](corrections.md#what-changed) [b](../../config/README.md) [c](https://example.org)")
    assert re.findall(r'href="([^"]*)"', html) == ["/help/corrections#what-changed", "https://example.org"]


def rows(title: str) -> dict[str, str]:
    """The table whose first column has this title."""
    text = GUIDE.read_text(encoding="utf-8")
    body = text.split(f"| {title} | meaning |\n|---|---|\n")[1].split("\n\n")[0]
    return {left.strip(): right.strip() for left, right in (line.strip("| ").split("|") for line in body.split("\n"))}


def test_the_words_of_the_guide_are_those_of_the_page() -> None:
    assert rows("flag") == FLAGS
    assert rows("grade") == {spaced(grade): meaning for grade, meaning in GRADES.items()}
    assert {"primary" if word == "(none)" else word: meaning for word, meaning in rows("word").items()} == STATUS


def test_the_example_of_the_guide_is_the_real_answer(interpret: Interpret) -> None:
    printed = re.findall(r"```report\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)[0].splitlines()
    answer = interpret(sample_panel("suspected_lm_negative_cytology"))
    assert answer["summary"]["headline"].startswith(printed[0])
    assert [spoken(reason, names_of(answer)) for reason in answer["lm"]["because"]] == printed[1:]


def test_the_guide_names_what_is_on_the_page(client: FlaskClient, panel: PanelMaker) -> None:
    document = panel("bacterial")
    document["context"] = {"tumor": "unknown"}
    panel_id = client.post("/api/v1/panels", json=document).get_json()["panel_id"]
    pages = text_of(client.get(f"/panels/{panel_id}").text + client.get("/").text)
    for words in ("Change the clinical context", "call open", "All panels of this patient", "Would settle it", "Find"):
        assert words in pages, words
        assert words in GUIDE.read_text(encoding="utf-8"), words
