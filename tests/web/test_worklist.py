"""The worklist: what is shown agrees with the HTTP interface, filters combine, no id of a patient is logged."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import PanelMaker
from tests.web.forms import send, text_of


def posted(client: FlaskClient, document: dict[str, Any]) -> str:
    return str(client.post("/api/v1/panels", json=document).get_json()["panel_id"])


def listed(html: str) -> list[str]:
    """The panels of a list, in order."""
    return re.findall(r'class="specimen" href="/panels/([0-9a-f]+)"', html)


def test_every_line_says_what_the_search_says(client: FlaskClient, panel: PanelMaker) -> None:
    for sample in ("bacterial", "suspected_lm_negative_cytology", "with_gaps"):
        posted(client, panel(sample))
    items = client.get("/api/v1/panels").get_json()["items"]
    html = client.get("/").text
    assert listed(html) == [item["panel_id"] for item in items]
    cases = re.findall(r'<li class="case.*?</li>', html, re.DOTALL)
    for case, item in zip(cases[:3], items[:3], strict=True):  # the others were posted by other tests
        text = text_of(case)
        assert item["headline"] in text
        assert item["patient_id"] in text
        assert (f"{item['critical_open']} to call" in text) is (item["critical_open"] > 0)
        assert (">provisional<" in case) is (item["provisional"] and item["certainty"] != "not_applicable")


@pytest.mark.parametrize(
    "query",
    [
        {"critical": "open"}, {"provisional": "true"}, {"certainty": "probable"}, {"finding": "pleocytosis"},
        {"flag": "HH"}, {"collected_from": "2026-03-03", "collected_to": "2026-03-04"},
        {"critical": "open", "finding": "organism_found"},
    ],
)  # fmt: skip
def test_filters_are_those_of_the_search(client: FlaskClient, panel: PanelMaker, query: dict[str, str]) -> None:
    for sample in ("bacterial", "suspected_lm_negative_cytology", "normal"):
        posted(client, panel(sample))
    items = client.get("/api/v1/panels", query_string=query).get_json()["items"]
    assert items
    assert listed(client.get("/", query_string=query).text) == [item["panel_id"] for item in items]


def test_a_flag_can_be_asked_of_one_test(client: FlaskClient, panel: PanelMaker) -> None:
    wanted = posted(client, panel("bacterial"))
    html = client.get("/", query_string={"flag": "LL", "analyte": "csf_glucose"}).text
    assert wanted in listed(html)
    assert wanted not in listed(client.get("/", query_string={"flag": "LL", "analyte": "csf_lactate"}).text)


def test_pages_follow_each_other_and_keep_the_filter(client: FlaskClient, panel: PanelMaker) -> None:
    for _ in range(55):
        posted(client, panel("normal"))
    first = client.get("/", query_string={"certainty": "not_applicable"}).text
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None
    address = following[1].replace("&amp;", "&")
    assert "certainty=not_applicable" in address
    second = client.get(address).text
    assert listed(second)
    assert not set(listed(first)) & set(listed(second))


@pytest.mark.parametrize(
    "query",
    [{"flag": "X"}, {"certainty": "sure"}, {"status": "x"}, {"collected_from": "1.3.2026"}, {"after": "x"},
     {"critical": "all"}, {"provisional": "no"}],
)  # fmt: skip
def test_a_made_up_filter_is_refused(client: FlaskClient, query: dict[str, str]) -> None:
    assert client.get("/", query_string=query).status_code == 422


def test_a_patient_is_found_by_a_form_and_never_by_an_address(
    client: FlaskClient, panel: PanelMaker, capfd: pytest.CaptureFixture[str]
) -> None:
    document = panel()
    panel_id = posted(client, document)
    patient_id = document["patient"]["id"]
    capfd.readouterr()
    found = send(client, "/", {"id": patient_id}, "/find")
    assert (found.status_code, found.headers["Location"]) == (303, f"/panels/{panel_id}/patient")
    assert patient_id in client.get(found.headers["Location"]).text
    every_address = re.findall(
        r'(?:href|action|src)="([^"]*)"', client.get("/").text + client.get(found.headers["Location"]).text
    )
    assert [address for address in every_address if patient_id in address] == []
    assert patient_id not in "".join(capfd.readouterr())


def test_a_specimen_opens_its_panel(client: FlaskClient, panel: PanelMaker) -> None:
    document = panel()
    panel_id = posted(client, document)
    found = send(client, "/", {"id": f" {document['specimen']['id']} "}, "/find")
    assert (found.status_code, found.headers["Location"]) == (303, f"/panels/{panel_id}")


def test_an_id_that_means_several_is_a_choice(client: FlaskClient, panel: PanelMaker) -> None:
    first, second = panel(), panel()
    second["specimen"]["id"] = first["specimen"]["id"]
    second["source"]["system"] = "LIS-OTHER"
    ids = [posted(client, document) for document in (first, second)]
    found = send(client, "/", {"id": first["specimen"]["id"]}, "/find")
    assert (found.status_code, sorted(listed(found.text))) == (200, sorted(ids))


@pytest.mark.parametrize(("wanted", "status"), [("NOBODY", 404), ("", 422), ("x" * 300, 404), ("<b>'\"", 404)])
def test_nothing_found_is_said_and_what_was_written_stays(client: FlaskClient, wanted: str, status: int) -> None:
    found = send(client, "/", {"id": wanted}, "/find")
    assert found.status_code == status
    assert 'role="alert"' in found.text
    assert "<b>'" not in found.text


def test_a_form_without_its_token_does_nothing(client: FlaskClient, panel: PanelMaker) -> None:
    panel_id = posted(client, panel("bacterial"))
    for address in ("/find", f"/panels/{panel_id}/calls", f"/panels/{panel_id}/context"):
        answer = client.post(address, data={"id": "x"}, headers={"Accept": "text/html"})
        assert answer.status_code == 400, address
        assert "Nothing was changed" in answer.text
    assert client.get(f"/api/v1/panels/{panel_id}").get_json()["versions"] == 1


def test_an_open_call_is_named_on_every_page(client: FlaskClient, panel: PanelMaker) -> None:
    panel_id = posted(client, panel("bacterial"))
    items = client.get("/api/v1/panels", query_string={"critical": "open", "limit": 500}).get_json()["items"]
    calls = sum(item["critical_open"] for item in items)
    for address in ("/", f"/panels/{panel_id}", f"/panels/{panel_id}/patient", "/editions", "/help", "/no-such-page",
                    f"/panels/{panel_id}/context", "/help/corrections"):  # fmt: skip
        text = text_of(client.get(address, headers={"Accept": "text/html"}).text)
        assert f"{calls} critical calls open in {len(items)} panels" in text, address
