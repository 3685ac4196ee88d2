"""The page of one panel as a person meets it: phone and ward PC, keyboard, no script, light and dark."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from csfinterp.formats.report_words import value_text
from csfinterp.web.page.voice import printed
from csfinterp.web.words import unit
from tests.browser.looking import PHONE, WIDE, Opener, focused, overflow, violations
from tests.making import Document, sample_panel, unsent

Post = Callable[[Document], Document]
WORDS = {"H": "high", "L": "low", "HH": "critically high", "LL": "critically low", "A": "abnormal", "N": "normal",
         "AA": "critically abnormal"}  # fmt: skip


NAME = "(row) => (row.querySelector('th summary') ?? row.querySelector('th')).textContent"
SECTION = "() => document.activeElement?.closest('section[aria-labelledby]')?.getAttribute('aria-labelledby')"


def address(document: Document) -> str:
    return f"/panels/{document['panel_id']}"


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


@pytest.mark.parametrize("width", [PHONE, WIDE])
def test_no_panel_breaks_a_rule_of_accessibility_or_the_window(
    open_page: Opener, samples: dict[str, Document], width: int
) -> None:
    for name in ("bacterial", "suspected_lm_negative_cytology", "with_gaps"):
        for dark in (False, True):
            page = open_page(address(samples[name]), width=width, dark=dark)
            assert overflow(page) == []
            page.evaluate("() => document.querySelectorAll('details').forEach((one) => (one.open = true))")
            assert overflow(page) == []
            assert violations(page) == []
            page.context.close()


@pytest.mark.parametrize("sample", ["bacterial", "ms_like", "suspected_lm_negative_cytology", "with_gaps"])
def test_every_number_and_flag_is_that_of_the_api(open_page: Opener, samples: dict[str, Document], sample: str) -> None:
    document = samples[sample]
    page = open_page(address(document), script=False)
    rows = {flat(row.evaluate(NAME)): row for row in page.locator("table.results tbody tr:not(.group)").all()}
    shown = [row for row in document["results"] if not row["derived"] or row["flag"]]
    assert len(rows) >= len({row["name"] for row in shown if not row["organism"]})
    for result in shown:
        name = result["name"] + (f": {result['organism']}" if result["organism"] else "")
        row = rows[name]
        stated = result["unit"] if result["value"] is not None else (result["reported"] or {}).get("unit")
        assert flat(row.locator(".c-value").inner_text()) == f"{value_text(result) or '–'} {unit(stated)}".strip()
        said = flat(row.locator(".c-flag").inner_text())
        assert said.startswith(f"{result['flag']} {WORDS[result['flag']]}" if result["flag"] else ("not", "shown")), (
            said
        )
        if result["reference"]:
            assert result["reference"]["text"] in row.locator(".c-reference").inner_text()
        if result["times_limit"] is not None:
            assert float(flat(row.locator(".c-times").inner_text()).split(" ")[0]) == result["times_limit"]
        assert row.locator("svg use").count() == (1 if result["flag"] else 0), "a shape beside letter and word"


@pytest.mark.parametrize("sample", ["bacterial", "solid_lm_positive_cytology", "ms_like", "with_gaps"])
def test_every_sentence_stands_there_and_opens_its_reason_and_source(
    open_page: Opener, samples: dict[str, Document], sample: str
) -> None:
    document = samples[sample]
    page = open_page(address(document), script=False)
    headline = flat(page.locator(".headline").inner_text())
    assert headline.lower() == printed(document["summary"]["headline"]).lower()
    told = page.locator("section:has(> #summary) li")
    assert told.count() == len(document["summary"]["sentences"])
    for place, sentence in enumerate(document["summary"]["sentences"]):
        one = told.nth(place)
        assert printed(sentence["text"]) in flat(one.inner_text())
        assert one.locator("dl.why").is_visible() is False
        assert one.locator("dl.why a").count() == len(sentence["citations"])
    first = told.first
    first.locator("summary").click()
    assert first.locator("dl.why").is_visible()
    link = first.locator("dl.why a").first
    target = str(link.get_attribute("href"))
    link.click()
    source = page.locator(f"li{target}")
    assert source.is_visible(), "the list of sources opens for the one that is asked for"
    assert document["citations"][int(target.rpartition("-")[2]) - 1]["text"] in source.inner_text()


def test_the_first_screen_of_a_ward_pc_answers_the_five_questions(
    open_page: Opener, samples: dict[str, Document]
) -> None:
    page = open_page(address(samples["suspected_lm_negative_cytology"]))
    for heading in ("Abnormal", "What it means, how sure", "What is missing", "What to do"):
        box = page.get_by_role("heading", name=heading).bounding_box()
        assert box is not None
        assert box["y"] < 900
    alarm = open_page(address(samples["bacterial"])).locator("#critical").bounding_box()
    assert alarm is not None
    assert alarm["y"] < 450


def test_the_cell_of_the_grid_is_that_of_the_answer(open_page: Opener, samples: dict[str, Document]) -> None:
    for name in ("solid_lm_positive_cytology", "suspected_lm_negative_cytology"):
        lm = samples[name]["lm"]
        page = open_page(address(samples[name]))
        here = page.locator("table.grid td.here")
        assert here.count() == 1
        assert flat(here.inner_text()) == f"{lm['certainty']} {lm['type']} this patient"
        column = page.locator("table.grid thead th").nth(1 + "ABCD".index(lm["type"][-1]))
        assert flat(column.inner_text()).endswith(lm["type"][-1])
    assert "positive confirmed, type IB" in flat(page.locator("table.moves").inner_text())


def test_the_keyboard_alone_reads_and_opens_everything(open_page: Opener, samples: dict[str, Document]) -> None:
    page = open_page(address(samples["bacterial"]), script=False)
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to content"
    page.keyboard.press("Enter")
    seen = set()
    for _ in range(400):
        page.keyboard.press("Tab")
        seen.add(page.evaluate(SECTION))
        if page.evaluate("() => document.activeElement === document.body"):
            break
    assert {"summary", "results", "patterns", "recommendations", "findings", "sources"} <= seen
    page.locator("section:has(> #results) summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("section:has(> #results) dl.why").first.is_visible()


def test_earlier_values_of_the_same_patient_stand_beside(open_page: Opener, post: Post) -> None:
    first = sample_panel("bacterial")
    second = {
        **unsent(first),
        "patient": first["patient"],
        "observations": json.loads(json.dumps(first["observations"])),
    }
    first["specimen"]["collected_at"], second["specimen"]["collected_at"] = (
        "2026-02-01T10:00:00Z",
        "2026-02-09T10:00:00Z",
    )
    second["observations"] = [
        {**one, "value": 12} if one.get("code") == "csf_leukocytes" else one for one in second["observations"]
    ]
    before, now = post(first), post(second)
    page = open_page(address(now))
    row = page.locator("table.results tr", has=page.get_by_text("Leukocytes in CSF", exact=True))
    was = next(one for one in before["results"] if one["analyte"] == "csf_leukocytes")
    assert flat(row.locator(".c-earlier").inner_text()) == f"{value_text(was)} {was['flag']}"
    page.get_by_role("link", name="2026-02-01", exact=True).first.click()
    assert page.url.endswith(before["panel_id"])
    assert page.locator(".c-earlier").count() == 0, "nothing is earlier than the first"


HOSTILE = ("<script>alert(1)</script><b>bold</b>", "\u202eevil\u2066 אבג", "x" * 10_000, "🧠" * 200, "a\tb\x0b\u0000c")


@pytest.mark.parametrize("text", HOSTILE, ids=["html", "rtl", "long", "emoji", "control"])
def test_hostile_text_shows_as_text_and_breaks_no_layout(open_page: Opener, server: Any, text: str) -> None:
    document = sample_panel("bacterial")
    sent: list[dict[str, Any]] = document["observations"]
    for one in sent:
        if "organism" in one:
            one["organism"] = text
        one |= {"note": text, "laboratory_flag": text, "laboratory_range": text, "method": text}
    document["context"] = {
        **document.get("context", {}),
        "tumor": {"class": "solid", "primary": text, "diagnosis": text},
    }
    document["source"]["system"] = text
    status, _, answer = server.post(document)
    if status == 422:  # a text that the door refuses cannot reach a page
        assert answer["errors"]
        return
    assert status == 201
    for width in (PHONE, WIDE):
        page = open_page(address(answer), width=width)
        assert overflow(page) == []
        assert page.locator("script").count() == 0
        assert page.locator("main b", has_text=re.compile("^bold$")).count() == 0
        assert "\u202e" not in page.content()
        box = page.locator("#results").bounding_box()
        assert box is not None
        assert box["y"] < 9000, "nothing is pushed away"
        page.context.close()


def test_the_page_prints_without_its_frame(open_page: Opener, samples: dict[str, Document]) -> None:
    page = open_page(address(samples["ms_like"]))
    page.emulate_media(media="print")
    assert page.locator("header.bar").is_visible() is False
    assert page.locator(".contents").is_visible() is False
    assert page.locator("#results").is_visible()
    assert page.locator("#source-1").is_visible(), "sources are printed, also where their list was closed"
