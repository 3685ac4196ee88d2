"""HTML text -> PDF bytes. Nothing is fetched but our own fonts; the same text gives the same bytes.

The fonts are those that matplotlib brings, so that a report looks the same on every machine.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection
from importlib import import_module
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

import matplotlib as mpl

from csfinterp.errors import CsfinterpError

SCHEME = "csfinterp-font:"
FONTS = {"regular": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf", "oblique": "DejaVuSans-Oblique.ttf",
         "mono": "DejaVuSansMono.ttf"}  # fmt: skip
INSTALL = (
    "PDF is not installed here. The operator installs it with: pip install 'csfinterp[pdf]' (WeasyPrint), on"
    " Debian also: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0. Until then print the page."
)

_printing = Lock()  # the font libraries below WeasyPrint are the process's own; one report at a time


class PdfMissingError(CsfinterpError):
    """WeasyPrint or one of its system libraries is not there; the message says what to install."""

    def __init__(self) -> None:
        super().__init__(INSTALL)


def pdf(html: str, drawings: Collection[str] = ()) -> bytes:
    """The PDF of a page of ours; `drawings`: its images, as `pages.data_uri` made them. Raises PdfMissingError."""
    weasyprint = _weasyprint()
    fonts = import_module("weasyprint.text.fonts").FontConfiguration()
    page = weasyprint.HTML(string=html, base_url=None, url_fetcher=_fetcher(frozenset(drawings)), media_type="print")
    identifier = hashlib.sha256(html.encode()).digest()[:16]
    with _printing:
        made: bytes = page.write_pdf(font_config=fonts, pdf_identifier=identifier, pdf_tags=True)
    return made


def _weasyprint() -> ModuleType:
    try:
        return import_module("weasyprint")
    except (ImportError, OSError):  # OSError: pango and the like are loaded when it is imported
        raise PdfMissingError from None


def _fetcher(drawings: frozenset[str]) -> Any:
    """Gives our drawings and fonts and refuses everything else, whatever a text contains."""
    urls = import_module("weasyprint.urls")
    base: Any = urls.URLFetcher

    class OnlyOurs(base):
        def fetch(self, url: str, headers: object = None) -> Any:
            if url in drawings:
                data = base64.b64decode(url.partition(",")[2])
                return urls.URLFetcherResponse(url, data, {"Content-Type": "image/svg+xml"})
            name = FONTS.get(url.removeprefix(SCHEME)) if url.startswith(SCHEME) else None
            if name is None:
                raise ValueError("a report takes nothing from elsewhere")
            data = (Path(mpl.get_data_path()) / "fonts" / "ttf" / name).read_bytes()
            return urls.URLFetcherResponse(url, data, {"Content-Type": "font/ttf"})

    return OnlyOurs(allowed_protocols=())
