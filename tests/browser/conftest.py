"""A real Chromium on the real server. Every page that a test opens is watched: nothing may load from elsewhere, no
Content-Security-Policy may be broken, no script may fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from csfinterp.samples import SAMPLES
from tests.browser.looking import CHROMIUM, FLAGS, WIDE, Opener, watch
from tests.making import Document, sample_panel
from tests.serving import Server, serving


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    if not Path(CHROMIUM).exists():
        pytest.fail(f"{CHROMIUM} is missing. Install it: apt-get install -y chromium")
    return {"executable_path": CHROMIUM, "args": list(FLAGS)}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service on a database of its own, one for all browser tests; post panels with ids of their own."""
    with serving(tmp_path_factory.mktemp("browser"), workers=1) as running:
        yield running


@pytest.fixture(scope="session")
def base_url(server: Server) -> str:
    return server.url


@pytest.fixture(scope="session")
def post(server: Server) -> Callable[[Document], Document]:
    """Posts a panel document through the HTTP door and gives the interpretation document."""

    def send(document: Document) -> Document:
        status, _, answer = server.post(document)
        assert status in (200, 201), answer
        return dict(answer)

    return send


@pytest.fixture(scope="session")
def samples(post: Callable[[Document], Document]) -> dict[str, Document]:
    """The interpretation documents of the demo's samples by name, each posted once."""
    return {sample.name: post(sample_panel(sample.name)) for sample in SAMPLES}


@pytest.fixture
def open_page(new_context: Callable[..., BrowserContext], server: Server) -> Iterator[Opener]:
    """Opens an address of the service in a browser of its own.

    `width` in CSS pixels, `dark` color scheme, `script` False: without JavaScript, `status`: what the server answers;
    anything else goes to `browser.new_context` (storage_state of a login, forced_colors ...).
    """
    wrong: list[str] = []

    def opened(
        address: str, *, width: int = WIDE, dark: bool = False, script: bool = True, status: int = 200, **more: Any
    ) -> Page:
        context = new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            **more,
        )
        watch(context, server.url, wrong)
        page = context.new_page()
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == status, f"{address}: {answer.status}"
        return page

    yield opened
    assert wrong == []
