"""The printed report: one or two A4 pages with every flagged value, fonts inside, nothing fetched, the same bytes."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from typing import Any

import pypdf
import pytest

from csfinterp.formats.report_words import value_text
from csfinterp.model.edition import Edition
from csfinterp.plotting.panel import PanelPlots
from csfinterp.plotting.readings import Puncture
from csfinterp.printing import paper, report
from csfinterp.printing.pages import data_uri
from csfinterp.samples import SAMPLES
from tests.making import Interpret, panel, quantity, word

A4 = (595, 842)
Print = Callable[[dict[str, Any]], bytes]


@pytest.fixture(scope="module")
def printed(edition: Edition) -> Print:
    def make(document: dict[str, Any]) -> bytes:
        drawings = PanelPlots(Puncture(None, document), (), edition).printed()
        shown = [(data_uri(svg) if svg else "", caption) for svg, caption in drawings]
        return paper.pdf(report.html(document, shown), [address for address, _ in shown if address])

    return make


def words(data: bytes) -> str:
    """The text of all pages in one line: line ends are where the paper ends, not where a word does."""
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages]
    return re.sub(r"\s+", " ", " ".join(pages))


@pytest.fixture(scope="module")
def sample(interpret: Interpret, printed: Print) -> Callable[[str], tuple[dict[str, Any], bytes]]:
    """The interpretation of a sample and its report, printed once."""
    made: dict[str, tuple[dict[str, Any], bytes]] = {}

    def get(name: str) -> tuple[dict[str, Any], bytes]:
        if name not in made:
            document = interpret(next(one for one in SAMPLES if one.name == name).document())
            made[name] = document, printed(document)
        return made[name]

    return get


@pytest.mark.parametrize("name", ["ms_like", "solid_lm_positive_cytology"])
def test_a_usual_report_is_one_or_two_pages_of_a4_with_every_flagged_value(sample: Any, name: str) -> None:
    document, data = sample(name)
    reader = pypdf.PdfReader(io.BytesIO(data))
    assert len(reader.pages) in (1, 2)
    assert {(round(page.mediabox.width), round(page.mediabox.height)) for page in reader.pages} == {A4}
    text = words(data)
    flagged = [row for row in document["results"] if row["flag"] and not row["analyte"].endswith("_limit")]
    assert len(flagged) > 5
    missing = [row["analyte"] for row in flagged if f"{value_text(row)} " not in text or row["name"] not in text]
    assert missing == []


def test_the_report_says_who_what_how_sure_and_from_where(sample: Any) -> None:
    document, data = sample("solid_lm_positive_cytology")
    text = words(data)
    for said in (
        document["patient"]["id"], document["specimen"]["id"], "64 years", "confirmed, type IA",
        document["edition"]["digest"], document["software"]["version"], "page 1 of 2", "page 2 of 2",
        "To be called now", "No call recorded yet", "Released by", document["disclaimer"].split(".")[0],
    ):  # fmt: skip
        assert str(said) in text, said
    calls = [call["reason"].split(":")[0] for call in document["critical"]]
    assert [call for call in calls if call and call not in text] == []


def test_every_shown_pattern_has_its_grade_and_every_finding_its_name(sample: Any) -> None:
    document, data = sample("ms_like")
    text = words(data)
    names = [one["name"] for one in document["patterns"] if one["shown"]]
    names += [one["name"] for one in document["findings"] if one["truth"] == "true"]
    assert [name for name in names if name not in text] == []


def test_the_barrier_plot_is_on_the_report_with_its_text(sample: Any) -> None:
    text = words(sample("ms_like")[1])
    assert "QAlb" in text
    assert "Zone 3, intrathecal synthesis with a normal barrier, intrathecal fraction 40 %" in text
    assert "Mean curve: recalled, source not read." in text


def test_all_fonts_are_inside(sample: Any) -> None:
    fonts = []
    for page in pypdf.PdfReader(io.BytesIO(sample("ms_like")[1])).pages:
        resources: Any = page["/Resources"]
        for font in resources["/Font"].values():
            (inner,) = font["/DescendantFonts"]
            fonts.append(inner["/FontDescriptor"])
    assert fonts
    assert [font["/FontName"] for font in fonts if not {"/FontFile", "/FontFile2", "/FontFile3"} & set(font)] == []


def test_the_same_document_gives_the_same_bytes(sample: Any, printed: Print) -> None:
    document, data = sample("solid_lm_positive_cytology")
    assert printed(document) == data


def test_hostile_text_is_text_and_nothing_is_fetched(interpret: Interpret, printed: Print) -> None:
    hostile = '<img src="http://127.0.0.1:9/x"><style>*{display:none}</style> \u202e' + "A" * 100 + " 😀 שלום"
    culture = word("csf_culture", "positive", organism=hostile)
    context = {"tumor": {"class": "solid", "primary": hostile, "diagnosis": hostile}}
    document = panel(quantity("csf_leukocytes", 900, "/uL"), culture, specimen={"id": hostile}, context=context)
    document = interpret(document)
    text = words(printed(document))
    assert '<img src="http://127.0.0.1:9/x">' in text
    assert "900" in text
    assert "\u202e" not in text


def test_the_fetcher_refuses_everything_that_is_not_ours() -> None:
    ours = data_uri("<svg xmlns='http://www.w3.org/2000/svg'/>")
    fetcher = paper._fetcher(frozenset({ours}))
    assert fetcher.fetch(ours).read().startswith(b"<svg")
    for address in ("http://127.0.0.1/", "file:///etc/passwd", "data:text/plain,x", "csfinterp-font:../x", "ftp://x/"):
        with pytest.raises(ValueError, match="nothing from elsewhere"):
            fetcher.fetch(address)


def test_an_almost_empty_panel_prints_and_says_what_is_open(interpret: Interpret, printed: Print) -> None:
    text = words(printed(interpret(panel(quantity("csf_glucose", 3.1, None), age=None, site=None))))
    assert "not judged: no unit was sent" in text
    assert "Age at collection not stated" in text


def test_without_weasyprint_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(paper.PdfMissingError, match=r"pip install 'csfinterp\[pdf\]'"):
        paper.pdf("<p>x</p>")
