"""The guides as pages: csfinterp/guides/*.md, rendered without any HTML of their own."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from flask import Blueprint, render_template, url_for
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from csfinterp.web.problems import KINDS, Problem

blueprint = Blueprint("help", __name__)
FOLDER = Path(__file__).resolve().parent.parent / "guides"
# For clinicians first, then for those who connect systems; a guide that is not named here comes behind.
ORDER = (
    "read_a_report",
    "connect_your_lis",
    "connect_your_lis_fhir",
    "corrections",
    "batch",
    "pull_a_cohort",
    "webhooks",
)
_READ = MarkdownIt("commonmark", {"html": False}).enable("table")


class Guide(NamedTuple):
    """One guide: the name of its file, its first heading, its first sentence, its source."""

    name: str
    title: str
    about: str
    text: str


@blueprint.get("/help")
def index() -> str:
    """All guides."""
    return render_template("help.html", guides=tuple(guides().values()))


@blueprint.get("/help/<name>")
def guide(name: str) -> str:
    """One guide as a page."""
    found = guides().get(name)
    if found is None:
        raise Problem("not-found", f"{KINDS['not-found'].advice} /help lists the guides.")
    return render_template("guide.html", guide=found, body=_rendered(found.text), guides=tuple(guides().values()))


@cache
def guides() -> dict[str, Guide]:
    """The guides that travel with the software, by name, in reading order."""
    names = sorted((path.stem for path in FOLDER.glob("*.md")), key=lambda name: (_place(name), name))
    return {name: _guide(name) for name in names}


def _place(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)


def _guide(name: str) -> Guide:
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    tokens = [token for token in _READ.parse(text) if token.type == "inline"]
    about = tokens[1].content.replace("`", "").split(". ")[0].rstrip(".") if len(tokens) > 1 else ""
    return Guide(name, tokens[0].content, f"{' '.join(about.split())}.", text)


def _rendered(text: str) -> Markup:
    tokens = _READ.parse(text)
    for token in tokens:
        if token.type in ("fence", "code_block", "table_open"):
            token.attrSet("tabindex", "0")  # what scrolls sideways must be reachable by keyboard
        if token.type == "th_open":
            token.attrSet("scope", "col")
        _lead(token)
    return Markup(_READ.renderer.render(tokens, _READ.options, {}))


def _lead(token: Token) -> None:
    """Links between guides lead to their pages; links to files that are no page lose their address."""
    for inner in token.children or ():
        href = str(inner.attrGet("href") or "") if inner.type == "link_open" else ""
        if not href or "://" in href or href.startswith(("#", "/")):
            continue
        name, _, part = href.partition("#")
        stem = Path(name).stem
        if name == f"{stem}.md" and stem in guides():
            inner.attrSet("href", url_for("help.guide", name=stem) + (f"#{part}" if part else ""))
        else:
            del inner.attrs["href"]
