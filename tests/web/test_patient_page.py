"""The patient page: every panel, every number as the HTTP interface gives it, what the newest answer cannot know."""

from __future__ import annotations

import re
from typing import Any

from flask.testing import FlaskClient

from csfinterp.web.words import value
from tests.web.conftest import PanelMaker
from tests.web.forms import send, text_of


def puncture(panel: PanelMaker, patient_id: str, day: str, cytology: str, **results: float) -> dict[str, Any]:
    document = panel()
    document["patient"]["id"] = patient_id
    document["specimen"]["collected_at"] = f"{day}T09:20:00+01:00"
    for row in document["observations"]:
        row["value"] = cytology if row["code"] == "csf_cytology" else results.get(str(row["code"]), row["value"])
    return document


def posted(client: FlaskClient, document: dict[str, Any]) -> dict[str, Any]:
    return dict(client.post("/api/v1/panels", json=document).get_json())


def test_all_punctures_with_the_numbers_of_the_interface(client: FlaskClient, panel: PanelMaker) -> None:
    days = (("2026-02-14", "positive", 21), ("2026-01-10", "suspicious", 30), ("2026-03-01", "negative", 9))
    answers = [
        posted(client, puncture(panel, "MRN-COURSE", day, cytology, csf_leukocytes=count))
        for day, cytology, count in days
    ]
    addresses = [f"/panels/{answer['panel_id']}/patient" for answer in answers]
    first, *others = (client.get(address).text for address in addresses)
    assert [first] == list(dict.fromkeys([first, *others])), "the same page by each of the patient's panels"
    html = first
    order = re.findall(r'class="specimen" href="/panels/([0-9a-f]+)"', html)
    assert order == [answers[2]["panel_id"], answers[0]["panel_id"], answers[1]["panel_id"]]
    table = html[html.index('<table class="course">') :]
    for row in re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", table, re.DOTALL):
        cells = [text_of(cell) for cell in re.findall(r"<td>(.*?)</td>", row, re.DOTALL)]
        name = text_of(row.split("</th>")[0])
        for cell, place in zip(cells, (2, 0, 1), strict=True):
            shown = [result for result in answers[place]["results"]
                     if name.startswith(f"{result['name']} ") or name == result["name"]]  # fmt: skip
            said = [result for result in shown if result["value"] is not None]
            assert any(value(result) in cell for result in said) or (not said and "not sent" in cell), (name, cell)
            for result in said:
                assert not result["flag"] or result["flag"] in cell, (name, cell)


def test_the_newest_answer_counts_the_earlier_cytology(client: FlaskClient, panel: PanelMaker) -> None:
    for day, cytology in (("2026-01-10", "positive"), ("2026-02-10", "negative")):
        last = posted(client, puncture(panel, "MRN-TOGETHER", day, cytology))
    text = text_of(client.get(f"/panels/{last['panel_id']}/patient").text)
    together = text[text.index("Leptomeningeal evidence") : text.index("Panels, latest")]
    assert last["lm"]["certainty"] == "confirmed"
    assert f"confirmed type {last['lm']['type']}" in together
    assert "Best cytology before positive, 2026-01-10" in together
    assert "2 with cytology, this one counted" in together
    assert "This answer does not know" not in together


def test_a_panel_that_came_later_is_named_as_not_counted(client: FlaskClient, panel: PanelMaker) -> None:
    newest = posted(client, puncture(panel, "MRN-LATE", "2026-03-10", "negative"))
    late = puncture(panel, "MRN-LATE", "2026-01-10", "positive")
    posted(client, late)
    address = f"/panels/{newest['panel_id']}/patient"
    assert f"This answer does not know: {late['specimen']['id']}" in text_of(client.get(address).text)
    done = send(client, address, {}, f"/panels/{newest['panel_id']}/context/again")
    assert done.status_code == 303
    assert "Interpreted again as version 2." in text_of(client.get(done.headers["Location"]).text)
    now = client.get(f"/api/v1/panels/{newest['panel_id']}/interpretation").get_json()
    assert (newest["lm"]["certainty"], now["lm"]["certainty"]) == ("probable", "confirmed")
    assert "This answer does not know" not in client.get(address).text


def test_cancelled_panels_are_listed_and_not_counted(client: FlaskClient, panel: PanelMaker) -> None:
    document = puncture(panel, "MRN-CANCELLED", "2026-03-10", "positive")
    posted(client, document)
    document["status"], document["source"]["message_id"] = "cancelled", document["source"]["message_id"] + "-2"
    posted(client, document)
    kept = posted(client, puncture(panel, "MRN-CANCELLED", "2026-01-10", "negative"))
    html = client.get(f"/panels/{kept['panel_id']}/patient").text
    text = text_of(html)
    assert "Cancelled panels are left out." in text
    assert document["specimen"]["id"] in text
    assert text_of(html[html.index('<table class="course">') :]).count("2026-03-10") == 0


def test_episodes_stand_apart(client: FlaskClient, panel: PanelMaker) -> None:
    for day, episode in (("2026-01-10", "E1"), ("2026-02-10", "E2")):
        document = puncture(panel, "MRN-EPISODES", day, "negative")
        document["context"]["episode"] = episode
        last = posted(client, document)
    text = text_of(client.get(f"/panels/{last['panel_id']}/patient").text)
    assert "Episode E2, as of" in text
    assert "Episode E1, as of" in text


def test_a_panel_without_a_patient_stands_alone(client: FlaskClient, panel: PanelMaker) -> None:
    document = panel()
    del document["patient"]["id"]
    answer = posted(client, document)
    text = text_of(client.get(f"/panels/{answer['panel_id']}/patient").text)
    assert "No patient id" in text
    assert "All panels of this patient" not in client.get(f"/panels/{answer['panel_id']}").text


def test_hostile_text_stays_text(client: FlaskClient, panel: PanelMaker) -> None:
    attack = "<script>alert(1)</script>\u202e😀" + "x" * 100
    document = puncture(panel, attack, "2026-01-10", "negative")
    document["context"]["episode"] = attack
    answer = posted(client, document)
    for address in ("patient", "context", "calls"):
        html = client.get(f"/panels/{answer['panel_id']}/{address}").text
        assert "<script" not in html
        assert "\u202e" not in html
