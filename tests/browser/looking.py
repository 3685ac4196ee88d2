"""What a browser test asks of any page: no accessibility violation, no sideways scrolling, keyboard order."""

from __future__ import annotations

from typing import Any, Protocol

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PHONE, WIDE = 360, 1440


class Opener(Protocol):
    """`tests.browser.conftest.open_page`."""

    def __call__(
        self,
        address: str,
        *,
        width: int = WIDE,
        dark: bool = False,
        script: bool = True,
        status: int = 200,
        **more: Any,
    ) -> Page: ...


def watch(context: BrowserContext, home: str, wrong: list[str]) -> None:
    """Write down requests to other places, answers without a strict policy, refusals by the policy, script errors."""

    def request(sent: Request) -> None:
        if not sent.url.startswith((f"{home}/", "data:")):
            wrong.append(f"asked for {sent.url}")

    def response(got: Response) -> None:
        policy = got.headers.get("content-security-policy", "") if got.url.startswith(home) else "default-src 'none'"
        if "default-src 'none'" not in policy or "unsafe" in policy:
            wrong.append(f"policy of {got.url}: {policy or 'none'}")

    def console(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "violates the following" in message.text:
            wrong.append(message.text)

    context.on("request", request)
    context.on("response", response)
    context.on("console", console)
    context.on("weberror", lambda error: wrong.append(str(error.error)))


def violations(page: Page) -> list[str]:
    """What axe finds wrong, one line per element: rule, place, what to do. Empty on a good page. Needs script."""
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']} at {node['target']}: {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]  # fmt: skip


def overflow(page: Page) -> list[str]:
    """Elements that stick out of the window, without those inside of a box that scrolls on its own. Empty: it fits."""
    return list(
        page.evaluate(
            """() => {
              const width = document.documentElement.clientWidth;
              const boxed = (element) => {
                for (let up = element.parentElement; up; up = up.parentElement)
                  if (['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(up).overflowX)) return true;
                return false;
              };
              const out = [...document.body.querySelectorAll('*')].filter((element) => {
                const box = element.getBoundingClientRect();
                const out = box.width > 0 && box.height > 0 && box.left >= 0 && box.right > width + 1;
                return out && element.checkVisibility() && !boxed(element);
              });
              if (document.documentElement.scrollWidth > width) out.push(document.documentElement);
              const told = (element) => `${element.tagName}.${element.className}: ${element.textContent.trim()}`;
              return out.map((element) => told(element).slice(0, 90));
            }"""
        )
    )


def focused(page: Page) -> str:
    """The visible text of the element that has the keyboard."""
    return str(page.evaluate("() => (document.activeElement?.innerText ?? '').trim()"))
