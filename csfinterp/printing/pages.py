"""The templates of printed pages: HTML with its style sheet inside, every text escaped, hidden signs made visible."""

from __future__ import annotations

import base64
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from csfinterp.formats.report_layout import clean


@cache
def environment() -> Environment:
    """Jinja with our templates; unknown names are errors."""
    folder = files("csfinterp.printing") / "templates"
    found = Environment(
        loader=FunctionLoader(lambda name: (folder / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    found.globals["inside"] = lambda name: Markup((folder / name).read_text(encoding="utf-8"))
    return found


def _shown(value: object) -> object:
    if value is None:
        return ""
    return clean(value) if type(value) is str and not value.isascii() else value


def data_uri(svg: str) -> str:
    """A drawing of ours as the address of an image that stands in the page itself."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
