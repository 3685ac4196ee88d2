"""Forms as a browser without script sends them: open the page, keep its hidden fields, write, send."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

_INPUT = re.compile(r"<input\b[^>]*>")


def hidden(html: str, action: str | None = None) -> dict[str, str]:
    """The hidden fields of the page's form with this action (None: of the only one)."""
    forms = re.findall(r"<form\b([^>]*)>(.*?)</form>", html, re.DOTALL)
    inside = [body for head, body in forms if action is None or f'action="{action}"' in head]
    return {
        name[1]: unescape(value[1])
        for tag in _INPUT.findall(inside[0])
        if 'type="hidden"' in tag
        if (name := re.search(r'name="([^"]*)"', tag)) and (value := re.search(r'value="([^"]*)"', tag))
    }


def send(client: FlaskClient, page: str, fields: dict[str, Any], action: str | None = None) -> TestResponse:
    """Open `page`, send its form with `fields`, as `action` if that is another address; redirects are not followed."""
    html = client.get(page).text
    return client.post(action or page, data={**hidden(html, action or page), **fields})


def text_of(html: str) -> str:
    """What a reader sees, white space as one blank."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).replace(" ,", ",").replace(" .", "."))
