"""The watch over the pages itself: what it must see, it sees."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import BrowserContext

from tests.browser.looking import PHONE, Opener, overflow, violations, watch
from tests.making import Document
from tests.serving import Server

ADD = "(html) => document.querySelector('main').insertAdjacentHTML('beforeend', html)"


def test_the_front_page_is_served_watched_and_fits(open_page: Opener, samples: dict[str, Document]) -> None:
    page = open_page("/", width=PHONE)
    assert violations(page) == []
    assert overflow(page) == []
    assert samples["bacterial"]["specimen"]["id"] in page.inner_text("main")


def test_what_is_not_accessible_or_too_wide_is_seen(open_page: Opener) -> None:
    page = open_page("/", width=PHONE)
    page.evaluate(ADD, "<img src='data:,'><hr width=900>")
    assert any("image-alt" in line for line in violations(page))
    assert any(line.startswith("HR") for line in overflow(page))


def test_what_the_policy_refuses_is_seen(server: Server, new_context: Callable[[], BrowserContext]) -> None:
    context, wrong = new_context(), list[str]()
    watch(context, server.url, wrong)
    page = context.new_page()
    page.goto("/")
    assert wrong == []
    page.evaluate(ADD, "<img alt='' src='http://127.0.0.1:9/away.png'><p style='color: red'>styled</p>")
    page.wait_for_timeout(300)
    assert any("away.png" in line for line in wrong)
    assert any("style" in line for line in wrong)
