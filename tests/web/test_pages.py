"""The pages: everything a reader must see is there in words, nothing that was sent can act on the page."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape

from csfinterp.samples import SAMPLES
from csfinterp.web.hall import SERVICE
from csfinterp.web.pages import interpretation_page
from tests.web.conftest import PanelMaker


def page(client: FlaskClient, document: dict[str, object]) -> str:
    location = client.post("/api/v1/panels", json=document).headers["Location"]
    answer = client.get(location.removeprefix("/api/v1"))
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    return answer.text


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html))


def test_the_same_page_stands_at_both_addresses(client: FlaskClient, panel: PanelMaker) -> None:
    location = client.post("/api/v1/panels", json=panel()).headers["Location"]
    negotiated = client.get(location + "/interpretation", headers={"Accept": "text/html"})
    assert client.get(location.removeprefix("/api/v1")).text == negotiated.text


def test_flags_are_letters_and_words(client: FlaskClient, panel: PanelMaker) -> None:
    text = text_of(page(client, panel("bacterial")) + page(client, panel("normal")))
    assert "To be called now" in text
    for words in ("HH critically high", "LL critically low", "AA critically abnormal", "N normal"):
        assert words in text
    assert "Streptococcus pneumoniae" in text


def test_certainty_says_what_it_rests_on(client: FlaskClient, panel: PanelMaker) -> None:
    text = text_of(page(client, panel("suspected_lm_negative_cytology")))
    for words in ("probable, type IIB", "Because", "EANO-ESMO 2023, row R", "never a probability"):
        assert words in text


def test_missing_inputs_are_named_with_what_would_settle(client: FlaskClient, panel: PanelMaker) -> None:
    text = text_of(page(client, panel("with_gaps")))
    for words in (
        "not classifiable",
        "Missing",
        "Would settle it",
        "Missing is never normal",
        "Problems in the message",
    ):
        assert words in text
    assert "no unit was sent, and none is guessed" in text


def test_the_hematologic_path_has_its_own_card(client: FlaskClient, panel: PanelMaker) -> None:
    text = text_of(page(client, panel("hematologic_lm")))
    assert "Hematologic path shown by flow only" in text


def test_an_emergency_stands_at_the_top_beside_the_calls(client: FlaskClient, panel: PanelMaker) -> None:
    html = page(client, panel("bacterial"))
    text = text_of(html)
    assert "Emergency by the pattern of values Bacterial meningitis established by a decisive result" in text
    assert text.index("To be called now") < text.index("Emergency by the pattern") < text.index("Summary Critical")
    assert text.count("Emergency Bacterial meningitis established by a decisive result") == 1, "marked in words"
    assert "Emergency" not in text_of(page(client, panel("normal")))


def test_patterns_say_what_speaks_for_and_against(client: FlaskClient, panel: PanelMaker) -> None:
    html = page(client, panel("suspected_lm_negative_cytology"))
    text = text_of(html)
    for words in (
        "never a probability", "not a diagnosis and not a probability", "Leptomeningeal metastasis, CSF side",
        "Support", "Against", "Missing", "The values do not show:", "This excludes none of them.", "partly fits",
    ):  # fmt: skip
        assert words in text, words
    document = client.post("/api/v1/interpret", json=panel("suspected_lm_negative_cytology")).get_json()
    shown = [pattern for pattern in document["patterns"] if pattern["shown"]]
    assert shown
    for pattern in shown:
        assert pattern["name"] in text or pattern["text"].replace("uL", "µL") in text, pattern["name"]


def test_what_the_edition_folds_stands_behind_more_in_its_order(client: FlaskClient, panel: PanelMaker) -> None:
    document = client.post("/api/v1/interpret", json=panel("hematologic_lm")).get_json()
    html = page(client, panel("hematologic_lm"))
    text = text_of(html)
    folded_cautions = [entry for entry in document["cautions"] if entry["folded"]]
    read_first = [entry for entry in document["cautions"] if not entry["folded"]]
    section = html[html.index('id="cautions"') :].split("</section>")[0]
    first, _, behind = section.partition(f"<summary>{len(folded_cautions)} more caution")
    for entries, place in ((read_first, first), (folded_cautions, behind)):
        assert entries
        starts = [place.index(html_of(entry["text"].split(".")[0])) for entry in entries]
        assert starts == sorted(starts)
    for audience in ("laboratory", "treating_team"):
        own = [entry for entry in document["recommendations"] if entry["audience"] == audience]
        folded = sum(entry["folded"] and not entry["context_only"] for entry in own)
        assert not folded or f"<summary>{folded} more</summary>" in html
    for title in ("For the laboratory", "For the treating team", "Published scores", "urgent"):
        assert title in text


def test_context_is_never_mixed_with_advice(client: FlaskClient, panel: PanelMaker) -> None:
    document = client.post("/api/v1/interpret", json=panel("suspected_lm_negative_cytology")).get_json()
    html = page(client, panel("suspected_lm_negative_cytology"))
    advice, background = html.split('id="context-only">for the treating team, context only</h2>')
    for entry in document["recommendations"]:
        sentence = html_of(entry["text"].split(".")[0])
        if entry["context_only"]:
            assert sentence in background
            assert sentence not in advice[advice.index('id="recommendations"') :]
        else:
            assert sentence in advice


def html_of(text: str) -> str:
    return str(escape(text))


def test_the_differential_of_enhancement_is_a_table(client: FlaskClient, panel: PanelMaker) -> None:
    text = text_of(page(client, panel("suspected_lm_negative_cytology")))
    assert "Differential of leptomeningeal enhancement" in text
    assert "Multiple sclerosis, retrovirus" in text
    assert "Differential of leptomeningeal" not in text_of(page(client, panel("normal")))


def test_tumor_dna_and_leukemia_have_their_places(client: FlaskClient, panel: PanelMaker) -> None:
    text = text_of(page(client, panel("solid_lm_positive_cytology")))
    assert "Liquid biopsy and tumor markers" in text
    assert "Variant as reported" in text
    context = {"tumor": {"class": "hematologic", "diagnosis": "acute_lymphoblastic_leukemia"}}
    blasts = {"code": "csf_blasts_pct", "value": 0, "unit": "%"}
    leukemia = panel("normal", context=context)
    leukemia["observations"].append(blasts)
    assert "Leukemia CNS status CNS1" in text_of(page(client, leukemia))


@pytest.mark.parametrize("sample", [sample.name for sample in SAMPLES])
def test_no_id_stands_where_a_reader_expects_words(client: FlaskClient, panel: PanelMaker, sample: str) -> None:
    html = page(client, panel(sample))
    end = html.index('id="issues"') if 'id="issues"' in html else html.index('id="sources"')  # issues: for the sender
    text = re.sub(r"<code>[^<]*</code>", "", html[html.index("<main") : end])
    assert re.findall(r"\b[a-z]+_[a-z_]+\b", text_of(text)) == []


def test_a_page_of_an_earlier_version_still_opens(app: Flask, client: FlaskClient, panel: PanelMaker) -> None:
    panel_id = client.post("/api/v1/panels", json=panel()).get_json()["panel_id"]
    stored = app.extensions[SERVICE].panel(panel_id)
    for name in ("leukemia_cns", "liquid_biopsy", "patterns", "cautions", "differential", "scores", "recommendations"):
        stored.document.pop(name)
    with app.test_request_context():
        text = text_of(interpretation_page(stored))
    assert "Results" in text
    assert "Patterns" not in text


def test_sources_edition_and_disclaimer_are_printed(client: FlaskClient, panel: PanelMaker) -> None:
    document = panel()
    answer = client.post("/api/v1/panels", json=document).get_json()
    html = client.get(f"/panels/{answer['panel_id']}").text
    assert answer["edition"]["digest"] in html
    assert answer["disclaimer"].split(".")[0] in html
    assert html.count('<li id="source-') == len(answer["citations"])
    for number in set(re.findall(r'href="#source-(\d+)"', html)):
        assert f'id="source-{number}"' in html
    words = {citation["status"] for citation in answer["citations"]} - {"primary"}
    assert all(f">{word}</span>" in html for word in words)


def test_an_old_version_says_that_it_is_old(client: FlaskClient, panel: PanelMaker) -> None:
    document = panel()
    first = client.post("/api/v1/panels", json=document).get_json()
    document["source"]["message_id"] += "-2"
    document["observations"][1]["value"] = 30
    client.post("/api/v1/panels", json=document)
    address = f"/panels/{first['panel_id']}"
    assert "This is version 1 of 2." in client.get(address + "?version=1").text
    newest = client.get(address).text
    assert "This is version" not in newest
    assert "Status: corrected" in newest


@pytest.mark.parametrize("version", ["0", "x", "-1", "9", "99999999999999999999", "١"])
def test_a_version_that_is_not_there(client: FlaskClient, panel: PanelMaker, version: str) -> None:
    location = client.post("/api/v1/panels", json=panel()).headers["Location"]
    assert client.get(location.removeprefix("/api/v1"), query_string={"version": version}).status_code == 404


def test_a_reader_who_has_the_page_gets_304(client: FlaskClient, panel: PanelMaker) -> None:
    address = client.post("/api/v1/panels", json=panel()).headers["Location"].removeprefix("/api/v1")
    etag = client.get(address).headers["ETag"]
    assert client.get(address, headers={"If-None-Match": etag}).status_code == 304


def test_what_was_sent_stays_text(client: FlaskClient, panel: PanelMaker) -> None:
    attack = "<script>alert(1)</script>\"'&\u202egnp"
    document = panel("bacterial")
    document["patient"]["id"] = attack
    document["specimen"]["id"] = attack
    document["observations"][-1]["organism"] = attack
    html = page(client, document) + client.get("/").text
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "\u202e" not in html


def test_no_page_asks_anything_of_another_host(client: FlaskClient, panel: PanelMaker) -> None:
    client.post("/api/v1/panels", json=panel())
    for html in (page(client, panel()), client.get("/").text, client.get("/docs").text):
        assert not re.findall(r'(?:src|action|rel="stylesheet" href)="https?:', html)
        assert "<style" not in html
        assert " style=" not in html


def test_the_index_leads_to_the_newest_panels(client: FlaskClient, panel: PanelMaker) -> None:
    document = panel("bacterial")
    panel_id = client.post("/api/v1/panels", json=document).get_json()["panel_id"]
    html = client.get("/").text
    assert html.index(f"/panels/{panel_id}") == html.index("/panels/")
    assert document["specimen"]["id"] in html
    assert "to call" in html


def test_the_index_refuses_a_made_up_cursor(client: FlaskClient) -> None:
    assert client.get("/?after=made-up").status_code == 422


def test_headings_tables_and_language_are_marked_for_screen_readers(client: FlaskClient, panel: PanelMaker) -> None:
    html = page(client, panel())
    assert '<html lang="en">' in html
    assert html.count("<h1") == 1
    assert 'href="#main"' in html
    assert all('scope="' in tag for tag in re.findall(r"<th[ >][^>]*", html))
    for label in re.findall(r'aria-labelledby="([^"]+)"', html):
        assert f'id="{label}"' in html
