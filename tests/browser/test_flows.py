"""What people do on the pages, in a real Chromium: by keyboard alone, without script, on a phone and a wide screen."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import pytest
from playwright.sync_api import Page

from tests.browser.looking import PHONE, WIDE, Opener, focused, overflow, violations
from tests.making import Document, sample_panel
from tests.serving import Server

Post = Callable[[Document], Document]
MOST_TABS = 150
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
FEW_ROWS = """() => document.querySelectorAll('tbody').forEach((body) =>
  [...body.rows].slice(3).forEach((row) => row.remove()))"""
ATTACK = "<b>'\"&\u202e😀" + "W" * 180


def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until the element with this visible text, label or name has the keyboard."""
    seen = []
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(
            """() => { const at = document.activeElement; return [at.innerText, at.name, at.labels?.[0]?.innerText]
                 .filter(Boolean).map((text) => text.replace(/\\s+/g, ' ').trim()).join(' | '); }"""
        ))  # fmt: skip
        if wanted in seen[-1]:
            return
    raise AssertionError(f"{wanted!r} is not reached by keyboard: {seen}")


def go(page: Page) -> None:
    """Press Enter on what has the keyboard, and wait for the page that it leads to."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def read(server: Server, panel_id: str) -> Document:
    return dict(server.ask("GET", f"/api/v1/panels/{panel_id}/interpretation")[2])


@pytest.mark.parametrize("width", [PHONE, WIDE])
def test_a_call_back_by_keyboard_without_script(open_page: Opener, post: Post, server: Server, width: int) -> None:
    stored = post(sample_panel("bacterial"))
    page = open_page("/", width=width, script=False)
    tab_to(page, "open in")
    go(page)
    assert page.locator("h1").inner_text() == "Calls that are open"
    tab_to(page, f"{len(stored['critical'])} to call , {stored['specimen']['id']}")
    go(page)
    assert overflow(page) == []
    tab_to(page, "Who was told")
    page.keyboard.type("Dr. Example, ward 3")
    tab_to(page, "Who called")
    page.keyboard.type("A. Sample")
    tab_to(page, "read_back")
    page.keyboard.press("Space")
    tab_to(page, "Note the call-back")
    go(page)
    assert page.get_by_text("The call-back is noted.").is_visible()
    for call in read(server, stored["panel_id"])["critical"]:
        assert (call["acknowledged"]["told"], call["acknowledged"]["by"]) == ("Dr. Example, ward 3", "A. Sample")
        assert call["acknowledged"]["read_back"] is True
    assert page.get_by_text("call open").count() == 0
    assert page.get_by_text("Told:").count() >= len(stored["critical"])


def test_a_form_that_is_not_complete_is_not_sent(open_page: Opener, post: Post, server: Server) -> None:
    stored = post(sample_panel("bacterial"))
    page = open_page(f"/panels/{stored['panel_id']}/calls")
    page.get_by_role("button", name="Note the call-back").click()
    assert page.url.endswith("/calls")
    assert "in-told" in page.evaluate("() => document.activeElement.id")
    assert all(call["acknowledged"] is None for call in read(server, stored["panel_id"])["critical"])


@pytest.mark.parametrize("width", [PHONE, WIDE])
def test_a_context_by_keyboard_without_script(open_page: Opener, post: Post, server: Server, width: int) -> None:
    stored = post(sample_panel("suspected_lm_negative_cytology"))
    page = open_page(f"/panels/{stored['panel_id']}", width=width, script=False)
    tab_to(page, "Change the clinical context")
    go(page)
    tab_to(page, "Meningeal biopsy")
    page.keyboard.type("positive")
    tab_to(page, "antibiotics_before_lp")
    page.keyboard.press("ArrowRight")
    tab_to(page, "Save as a new version")
    go(page)
    assert page.get_by_text("The context is saved as version 2.").is_visible()
    assert page.get_by_text("iopsy: positive").first.is_visible()
    now = read(server, stored["panel_id"])
    assert (now["version"], now["context"]["biopsy"], now["context"]["antibiotics_before_lp"]) == (2, "positive", True)
    assert now["lm"]["certainty"] == "confirmed"


def test_a_form_that_was_overtaken_keeps_its_entries(open_page: Opener, post: Post, server: Server) -> None:
    stored = post(sample_panel("suspected_lm_negative_cytology"))
    page = open_page(f"/panels/{stored['panel_id']}/context", width=PHONE)
    page.get_by_label("Meningeal biopsy").select_option("positive")
    other = b'{"tumor": {"class": "solid"}, "mri": "linear"}'
    address = f"/api/v1/panels/{stored['panel_id']}/context"
    assert server.ask("PUT", address, other, Content_Type="application/json", If_Match="*")[0] == 200
    page.get_by_role("button", name="Save as a new version").click()
    assert page.get_by_text("Not saved yet: version 2 came meanwhile").is_visible()
    assert page.get_by_label("Meningeal biopsy").input_value() == "positive"
    assert page.get_by_label("MRI of the meninges").input_value() == "linear"
    assert (violations(page), overflow(page)) == ([], [])
    page.get_by_role("button", name="Save as a new version").click()
    assert page.get_by_text("The context is saved as version 3.").is_visible()
    assert read(server, stored["panel_id"])["context"]["mri"] == "linear"


def test_a_patient_is_found_by_keyboard_and_stands_in_no_address(open_page: Opener, serial: list[Document]) -> None:
    page = open_page("/", width=PHONE, script=False)
    tab_to(page, "Patient or specimen id")
    patient_id = serial[0]["patient"]["id"]
    page.keyboard.type(patient_id)
    go(page)
    assert page.locator("h1").inner_text() == f"Patient {patient_id}"
    links = page.evaluate(
        "() => [...document.querySelectorAll('a, form, img')].map((at) => at.href || at.action || at.src)"
    )
    assert [address for address in (page.url, *links) if patient_id in address] == []
    for answer in serial:
        assert page.get_by_role("link", name=answer["specimen"]["id"], exact=True).is_visible()


def test_filters_by_keyboard(open_page: Opener, samples: dict[str, Document]) -> None:
    page = open_page("/", script=False)
    tab_to(page, "Filter")
    page.keyboard.press("Enter")
    tab_to(page, "LM certainty")
    page.keyboard.type("confirmed")
    tab_to(page, "Show")
    go(page)
    assert "certainty=confirmed" in page.url
    shown = page.locator(".case").all_inner_texts()
    assert shown
    assert all("LM confirmed" in text for text in shown)
    assert samples["normal"]["specimen"]["id"] not in " ".join(shown).split()


def test_the_edition_is_found_by_the_search_of_the_browser(open_page: Opener) -> None:
    page = open_page("/editions", width=PHONE, script=False)
    tab_to(page, "Edition 2026.1")
    go(page)
    assert page.locator("details").count() == 0, "what is folded is not found by every browser"
    assert page.locator("#ranges").is_visible()
    assert page.locator("tr", has_text="csf_leukocytes/L5").first.is_visible()


@pytest.fixture(scope="module")
def serial(post: Post) -> list[Document]:
    """Three punctures of one patient."""
    documents = [sample_panel("solid_lm_positive_cytology") for _ in range(3)]
    for number, (document, word) in enumerate(zip(documents, ("suspicious", "positive", "negative"), strict=True)):
        document["patient"] = {**document["patient"], "id": documents[0]["patient"]["id"]}
        document["specimen"] = {**document["specimen"], "collected_at": f"2026-0{number + 1}-10T09:20:00+01:00"}
        document["observations"] = [
            {**row, "value": word} if row["code"] == "csf_cytology" else row for row in document["observations"]
        ]
    return [post(document) for document in documents]


@pytest.fixture(scope="module")
def hostile(post: Post) -> Document:
    """A panel whose free texts try everything."""
    document: dict[str, Any] = sample_panel("bacterial")
    document["patient"] = {**document["patient"], "id": ATTACK}
    document["specimen"] = {**document["specimen"], "id": ATTACK[::-1]}
    document["context"] = {
        **document.get("context", {}),
        "episode": ATTACK,
        "tumor": {"class": "solid", "primary": ATTACK},
    }
    return post(document)


def addresses(answer: Document) -> list[str]:
    panel = f"/panels/{answer['panel_id']}"
    return [f"{panel}/patient", f"{panel}/context", f"{panel}/calls", f"{panel}/versions"]


@pytest.mark.parametrize("width", [PHONE, WIDE])
def test_no_page_breaks_a_rule_of_accessibility_or_its_width(
    open_page: Opener, serial: list[Document], hostile: Document, width: int
) -> None:
    page = open_page("/", width=width)
    wrong: dict[str, list[str]] = {}
    lists = ("/", "/?critical=open", "/?provisional=true&certainty=probable")
    for address in (
        *lists,
        *addresses(serial[1]),
        "/editions",
        "/help",
        "/help/read_a_report",
        "/help/connect_your_lis",
    ):
        page.goto(address)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            if found := violations(page) + overflow(page):
                wrong[f"{address} {scheme}"] = found
    for address in (*addresses(hostile), *lists):
        page.goto(address)
        if found := overflow(page):
            wrong[address] = found
    assert wrong == {}


def test_the_edition_page_breaks_no_rule_either(open_page: Opener) -> None:
    page = open_page("/editions/2026.1", width=PHONE)
    assert overflow(page) == []
    # axe needs half a minute for all rows; three of each table have the same shape as the rest.
    page.evaluate(FEW_ROWS)
    links = re.compile("skip-link|#source-")
    assert [line for line in violations(page) if not links.search(line)] == []


def test_the_first_key_leads_past_the_header(open_page: Opener) -> None:
    page = open_page("/help", script=False)
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to content"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
