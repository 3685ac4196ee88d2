"""From a matplotlib figure to an SVG of our own kind: the same bytes for the same drawing, text as text, a title and a
description for those who do not see it, colors that follow the reader's light or dark page.

No pyplot and no state that stays: the settings hold while one figure is made and written, one at a time (matplotlib's
settings are those of the process, so a lock keeps threads apart).
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Lock
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from csfinterp.plot.theme import BY_MARKER, style

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
# DejaVu Sans is what the places are measured with (it comes with matplotlib); the others are no wider.
FONTS = "DejaVu Sans, Verdana, Segoe UI, Roboto, Helvetica, Arial, sans-serif"
METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
_FONT = re.compile(r"(?:(?P<style>italic|oblique) )?(?:(?P<weight>[0-9]+|bold) )?(?P<size>[0-9.]+)px .*")
_LONG = re.compile(r"-?[0-9]+\.[0-9]{3,}")
_drawing = Lock()


def render(make: Callable[[], Figure], title: str, description: str) -> str:
    """The figure that `make` returns as SVG text; thread-safe, the same for the same figure.

    `title`, `description`: for screen readers; they must say what the drawing shows.
    """
    with _drawing, _settings():
        stream = io.BytesIO()
        FigureCanvasSVG(make()).print_svg(stream, metadata=METADATA)
    root = ElementTree.fromstring(stream.getvalue())
    _dress(root, title, description)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def printed(svg: str) -> str:
    """The same drawing without its style sheet: light, for paper."""
    return re.sub(r"<style>[^<]*</style>", "", svg)


def _settings() -> AbstractContextManager[None]:
    return mpl.rc_context(
        {
            "svg.hashsalt": "csfinterp",
            "svg.fonttype": "none",
            "text.parse_math": False,
            "text.usetex": False,
            "font.family": ["DejaVu Sans"],
            "path.simplify": False,
        }
    )


def _dress(root: ElementTree.Element, title: str, description: str) -> None:
    for element in root.iter():
        _plain_names(element)
        _plain_attributes(element)
    root.set("xmlns", SVG)
    root.set("xmlns:xlink", XLINK)
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag in ("style", "metadata")]:
            parent.remove(child)
    root.set("role", "img")
    root.set("aria-labelledby", "title description")
    root.set("font-family", FONTS)
    root.set("stroke-linejoin", "round")
    root.set("stroke-linecap", "butt")
    for name in ("width", "height"):
        root.set(name, root.get(name, "").removesuffix("pt"))
    for place, (tag, identifier, text) in enumerate(
        (("title", "title", title), ("desc", "description", description), ("style", "", style()))
    ):
        element = ElementTree.Element(tag, {"id": identifier} if identifier else {})
        element.text = text
        root.insert(place, element)


def _plain_names(element: ElementTree.Element) -> None:
    """Names as they are written; the prefixes that ElementTree would choose depend on what else the process loaded."""
    element.tag = element.tag.removeprefix(f"{{{SVG}}}")
    for name in [name for name in element.attrib if name.startswith(f"{{{XLINK}}}")]:
        element.set(name.replace(f"{{{XLINK}}}", "xlink:"), element.attrib.pop(name))


def _plain_attributes(element: ElementTree.Element) -> None:
    """Each part of `style` as an attribute of its own (a strict content policy refuses style attributes)."""
    parts = dict(part.split(":", 1) for part in element.attrib.pop("style", "").split(";") if ":" in part)
    for name, value in ((name.strip(), value.strip()) for name, value in parts.items()):
        if name == "font":
            found = _FONT.fullmatch(value)
            if found is None:
                raise ValueError(f"a font that is not expected: {value}")
            element.set("font-size", found["size"])
            if found["weight"]:
                element.set("font-weight", found["weight"])
            if found["style"]:
                element.set("font-style", found["style"])
        elif name != "font-family":
            element.set(name, value)
    for name in ("d", "x", "y", "transform", "font-size"):
        if name in element.attrib:
            element.set(
                name, _LONG.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), element.attrib[name])
            )
    classes = []
    for name, letter in (("fill", "f"), ("stroke", "s")):
        shade = BY_MARKER.get(element.get(name, ""))
        if shade is not None:
            element.set(name, shade.light)
            classes.append(f"{letter}-{shade.name}")
    if classes:
        element.set("class", " ".join(classes))


def _short(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
