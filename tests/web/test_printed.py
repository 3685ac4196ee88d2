"""PDF over HTTP: the same report at the interpretation's address and at the page's link."""

from __future__ import annotations

import io
import sys

import pypdf
import pytest
from flask.testing import FlaskClient

from csfinterp.printed import _made
from tests.web.conftest import PanelMaker


@pytest.fixture
def panel_id(client: FlaskClient, panel: PanelMaker) -> str:
    return str(client.post("/api/v1/panels", json=panel("normal")).get_json()["panel_id"])


def test_the_report_is_the_same_at_both_addresses_and_the_page_links_to_it(client: FlaskClient, panel_id: str) -> None:
    answer = client.get(f"/api/v1/panels/{panel_id}/interpretation", headers={"Accept": "application/pdf"})
    assert (answer.status_code, answer.content_type) == (200, "application/pdf")
    assert len(pypdf.PdfReader(io.BytesIO(answer.data)).pages) in (1, 2)
    link = f"/panels/{panel_id}/report.pdf"
    printed = client.get(link)
    assert printed.data == answer.data
    assert printed.headers["Content-Disposition"].startswith("inline")
    assert link in client.get(f"/panels/{panel_id}").get_data(as_text=True)
    again = client.get(link, headers={"If-None-Match": printed.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_without_weasyprint_the_answer_says_what_to_install(
    client: FlaskClient, panel_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _made.cache_clear()
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    answer = client.get(f"/api/v1/panels/{panel_id}/interpretation", headers={"Accept": "application/pdf"})
    assert answer.status_code == 501
    problem = answer.get_json()
    assert problem["type"] == "/problems/pdf-not-installed"
    assert "pip install 'csfinterp[pdf]'" in problem["detail"]
    assert "csfinterp[pdf]" in client.get(problem["type"], headers={"Accept": "text/html"}).get_data(as_text=True)
