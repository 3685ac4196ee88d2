"""The printed report of a stored version: its document on paper, with the diagrams that the document alone gives."""

from __future__ import annotations

from functools import lru_cache

from csfinterp.plotting.panel import PanelPlots, edition_of
from csfinterp.plotting.readings import Puncture
from csfinterp.printing import paper, report
from csfinterp.printing.pages import data_uri
from csfinterp.printing.paper import PdfMissingError
from csfinterp.service import Service, StoredPanel

__all__ = ["PdfMissingError", "report_html", "report_pdf"]

MOST_KEPT = 32  # reports, about 100 kB each


def report_html(service: Service, stored: StoredPanel) -> str:
    """The report as an HTML page made for paper; the same text for the same document."""
    return report.html(stored.document, _diagrams(service, stored))


def report_pdf(service: Service, stored: StoredPanel) -> bytes:
    """The report as PDF, the same bytes for the same document.

    Earlier punctures of the patient are not drawn: a signed report does not change when another panel comes or is
    corrected. Raises PdfMissingError."""
    diagrams = _diagrams(service, stored)
    return _made(report.html(stored.document, diagrams), tuple(address for address, _ in diagrams if address))


@lru_cache(maxsize=MOST_KEPT)
def _made(html: str, drawings: tuple[str, ...]) -> bytes:
    return paper.pdf(html, drawings)


def _diagrams(service: Service, stored: StoredPanel) -> list[tuple[str, str]]:
    plots = PanelPlots(Puncture(stored.panel_id, stored.document), (), edition_of(service, stored.document))
    return [(data_uri(svg) if svg else "", caption) for svg, caption in plots.printed()]
