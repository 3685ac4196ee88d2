"""The forms of a panel: a context is never saved over one that nobody saw, a call-back says all that is asked."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from csfinterp.model.context import CODED_CONTEXT, NUMBER_CONTEXT, STATED_WORDS, TEXT_CONTEXT, YES_NO_CONTEXT
from csfinterp.web.context_fields import filled, groups
from tests.web.conftest import PanelMaker
from tests.web.forms import hidden, send, text_of

TOLD = {"told": "Dr. Example", "by": "A. Sample", "when": "at", "at": "2026-03-01 10:05", "read_back": "yes"}


def posted(client: FlaskClient, document: dict[str, Any]) -> str:
    return str(client.post("/api/v1/panels", json=document).get_json()["panel_id"])


def as_form(context: dict[str, Any]) -> dict[str, Any]:
    """What a browser sends of the untouched form."""
    return {field.name: list(field.value) if field.kind == "words" else field.value
            for _, fields in groups(context) for field in fields}  # fmt: skip


FULL = {
    "tumor": {"class": "solid", "primary": "breast", "diagnosis": "lymphoma"}, "question": "lm", "mri": "linear",
    "immunosuppressed": False, "antibiotics_before_lp": True, "days_since_onset": 0.5, "csf_samples_examined": 2,
    "stated": ["fever", "hiv"], "episode": "E1", "history": {"csf_samples_examined": 3},
}  # fmt: skip


def test_every_word_of_the_contract_has_a_field() -> None:
    names = {field.name for _, fields in groups({}) for field in fields}
    tumor = {"tumor_class", "tumor_primary", "tumor_diagnosis"}
    assert names == {*CODED_CONTEXT, *YES_NO_CONTEXT, *NUMBER_CONTEXT, *TEXT_CONTEXT, "stated", *tumor} - {"tumor"}


@pytest.mark.parametrize(
    "context", [{}, FULL, {"tumor": "solid"}, {"tumor": None, "mri": None, "stated": []}, {"mri": "not_done"}]
)
def test_a_form_sent_as_it_came_changes_nothing(context: dict[str, Any]) -> None:
    form = as_form(context)
    assert filled(context, form, list(form["stated"])) == (context, {})


def test_every_field_reaches_the_context() -> None:
    form = as_form({}) | {
        "tumor_class": "solid", "tumor_primary": "breast", "tumor_diagnosis": "lymphoma", "question": "lm",
        "mri": "linear", "immunosuppressed": "no", "antibiotics_before_lp": "yes", "days_since_onset": "0.5",
        "csf_samples_examined": "2", "episode": " E1 ",
    }  # fmt: skip
    context, problems = filled({}, form, ["hiv", "fever", "made up"])
    wanted = {key: value for key, value in FULL.items() if key != "history"} | {
        "stated": [word for word in STATED_WORDS if word in ("hiv", "fever")]
    }
    assert (context, problems) == (wanted, {})


def test_a_field_that_is_emptied_is_no_longer_stated() -> None:
    form = as_form({})
    context, problems = filled(FULL, form, [])
    assert problems == {}
    assert context == {
        "tumor": {"class": "unknown"}, "question": "not_stated", "mri": "not_done", "history": FULL["history"],
    }  # fmt: skip


@pytest.mark.parametrize("text", ["0,5", "-1", "1e3", "five", "1.2.3", "٣"])
def test_a_number_that_cannot_be_read_is_named(text: str) -> None:
    _, problems = filled({}, as_form({}) | {"days_since_onset": text}, [])
    assert list(problems) == ["days_since_onset"]


def test_a_context_is_saved_as_a_version_and_the_page_shows_what_changed(
    client: FlaskClient, panel: PanelMaker
) -> None:
    document = panel("suspected_lm_negative_cytology")
    panel_id = posted(client, document)
    address = f"/panels/{panel_id}/context"
    before = client.get(f"/api/v1/panels/{panel_id}").get_json()["panel"]["context"]
    done = send(client, address, as_form(before) | {"biopsy": "positive"})
    assert done.status_code == 303
    page = text_of(client.get(done.headers["Location"]).text)
    assert "The context is saved as version 2." in page
    assert "iopsy: positive (before: " in page
    assert "(before: probable, type IIB" in page
    stored = client.get(f"/api/v1/panels/{panel_id}").get_json()
    assert (stored["version"], stored["panel"]["context"]) == (2, before | {"biopsy": "positive"})


def test_an_unchanged_form_makes_no_version(client: FlaskClient, panel: PanelMaker) -> None:
    panel_id = posted(client, panel())
    context = client.get(f"/api/v1/panels/{panel_id}").get_json()["panel"]["context"]
    done = send(client, f"/panels/{panel_id}/context", as_form(context))
    assert "Nothing was changed" in client.get(done.headers["Location"]).text
    assert client.get(f"/api/v1/panels/{panel_id}").get_json()["versions"] == 1


def test_a_version_that_came_meanwhile_is_shown_and_nothing_is_lost(client: FlaskClient, panel: PanelMaker) -> None:
    panel_id = posted(client, panel("suspected_lm_negative_cytology"))
    address = f"/panels/{panel_id}/context"
    opened = client.get(address).text
    context = client.get(f"/api/v1/panels/{panel_id}").get_json()["panel"]["context"]
    others = context | {"mri": "normal", "episode": "theirs"}
    client.put(f"/api/v1/panels/{panel_id}/context", json=others, headers={"If-Match": "*"})
    mine = as_form(context) | {"biopsy": "positive", "mri": "linear"}
    refused = client.post(address, data=hidden(opened) | mine)
    text = text_of(refused.text)
    assert refused.status_code == 412
    assert "Not saved yet: version 2 came meanwhile" in text
    assert "You and the newer version changed the same: MRI (there: normal)" in text
    assert client.get(f"/api/v1/panels/{panel_id}").get_json()["versions"] == 2
    again = client.post(address, data=hidden(refused.text) | mine | {"episode": "theirs"})
    assert again.status_code == 303
    saved = client.get(f"/api/v1/panels/{panel_id}").get_json()["panel"]["context"]
    assert saved == context | {"biopsy": "positive", "mri": "linear", "episode": "theirs"}


def test_what_cannot_be_read_stands_beside_its_field(client: FlaskClient, panel: PanelMaker) -> None:
    panel_id = posted(client, panel())
    context = client.get(f"/api/v1/panels/{panel_id}").get_json()["panel"]["context"]
    refused = send(client, f"/panels/{panel_id}/context", as_form(context) | {"days_since_onset": "0,5"})
    assert refused.status_code == 422
    assert "Write a number with a point, such as 0.5." in refused.text
    assert 'value="0,5"' in refused.text
    hostile = send(client, f"/panels/{panel_id}/context", as_form(context) | {"mri": "<script>", "episode": "x" * 300})
    assert hostile.status_code == 422
    assert "<script" not in hostile.text


def calls(client: FlaskClient, panel_id: str) -> list[dict[str, Any]]:
    return list(client.get(f"/api/v1/panels/{panel_id}/interpretation").get_json()["critical"])


def keys(client: FlaskClient, panel_id: str) -> list[str]:
    return ["|".join((call["analyte"], call["rule"], call["source"])) for call in calls(client, panel_id)]


def test_a_call_back_is_noted_and_shown(client: FlaskClient, panel: PanelMaker) -> None:
    panel_id = posted(client, panel("bacterial"))
    address = f"/panels/{panel_id}/calls"
    done = send(client, address, TOLD | {"call": keys(client, panel_id)})
    assert (done.status_code, done.headers["Location"]) == (303, f"/panels/{panel_id}?saved=call")
    for call in calls(client, panel_id):
        noted = call["acknowledged"]
        assert (noted["told"], noted["by"], noted["read_back"]) == ("Dr. Example", "A. Sample", True)
        assert noted["at"].startswith("2026-03-01T10:05:00")
    page = text_of(client.get(done.headers["Location"]).text)
    assert "The call-back is noted." in page
    assert "Told: Dr. Example, by A. Sample, 2026-03-01 10:05 (UTC" in page
    assert "read back" in page
    assert "To be called now" not in page
    assert "Every critical result of this panel is noted as told." in client.get(address).text


def test_one_of_several_leaves_the_rest_open(client: FlaskClient, panel: PanelMaker) -> None:
    panel_id = posted(client, panel("bacterial"))
    first, *rest = keys(client, panel_id)
    send(client, f"/panels/{panel_id}/calls", TOLD | {"call": [first], "when": "now", "read_back": "no"})
    page = client.get(f"/panels/{panel_id}").text
    assert page.count("call open") == len(rest)
    assert "To be called now" in page
    assert "not read back" in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"told": " "}, "Name the person who was told."),
        ({"by": ""}, "Name the person who called."),
        ({"read_back": ""}, "Choose whether the person repeated the result."),
        ({"at": "soon"}, "year-month-day hour:minute"),
        ({"at": "2126-03-01 10:00"}, "The call lies in the future."),
        ({"call": []}, "Choose at least one result that was told."),
        ({"call": ["x|y|z"]}, "makes no such call"),
        ({"told": "x" * 300}, "Longer than 200 characters"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_noted(
    client: FlaskClient, panel: PanelMaker, changes: dict[str, Any], said: str
) -> None:
    panel_id = posted(client, panel("bacterial"))
    answer = send(client, f"/panels/{panel_id}/calls", TOLD | {"call": keys(client, panel_id)} | changes)
    assert answer.status_code == 422
    text = text_of(answer.text)
    assert "Nothing was noted yet" in text
    assert said in text
    assert all(call["acknowledged"] is None for call in calls(client, panel_id))


def test_who_comes_second_sees_what_was_noted(client: FlaskClient, panel: PanelMaker) -> None:
    panel_id = posted(client, panel("bacterial"))
    address, form = f"/panels/{panel_id}/calls", TOLD | {"call": keys(client, panel_id)}
    opened = client.get(address).text
    send(client, address, form)
    second = client.post(address, data=hidden(opened) | form | {"told": "<i>Dr. Other</i>"})
    assert second.status_code == 409
    assert "Another call-back is noted" in second.text
    assert "Told:</b> Dr. Example" in second.text
    assert "<i>" not in second.text


def test_a_panel_without_calls_says_so(client: FlaskClient, panel: PanelMaker) -> None:
    panel_id = posted(client, panel("normal"))
    assert "makes no critical call" in client.get(f"/panels/{panel_id}/calls").text
    assert client.get(f"/panels/{'0' * 32}/calls").status_code == 404


def test_all_versions_say_what_they_changed(client: FlaskClient, panel: PanelMaker) -> None:
    document = panel("bacterial")
    panel_id = posted(client, document)
    send(client, f"/panels/{panel_id}/calls", TOLD | {"call": keys(client, panel_id)})
    send(client, f"/panels/{panel_id}/context", as_form({}) | {"immunosuppressed": "yes"})
    document["source"]["message_id"] += "-2"
    document["observations"] = [row for row in document["observations"] if row["code"] != "csf_gram_stain"]
    posted(client, document)
    html = client.get(f"/panels/{panel_id}/versions").text
    text = text_of(html)
    assert "All 3 versions" in text_of(client.get(f"/panels/{panel_id}").text)
    third, second, first = (text.index(f"Version {number} ") for number in (3, 2, 1))
    assert third < second < first
    assert "corrected by the laboratory" in text[third:second]
    assert "Critical result withdrawn: tell whoever was called" in text[third:second]
    assert "told Dr. Example" in text[third:second]
    assert "clinical context changed" in text[second:first]
    assert "mmunosuppressed: yes" in text[second:first]
    assert "first report" in text[first:]
    for number in (1, 2, 3):
        assert f"/panels/{panel_id}?version={number}" in html
