"""Every drawing as SVG: the same bytes each time, words for those who do not see it, no identity."""

from __future__ import annotations

import threading
from datetime import date
from xml.etree import ElementTree

import matplotlib as mpl
import pytest

from csfinterp.plot import diagram, profile, svg, trend
from csfinterp.plotting import panel
from tests.making import quantity
from tests.plots.conftest import Answer, Plots

SVG = "{http://www.w3.org/2000/svg}"
NAMES = ["reibergram_igg", "reibergram_kappa", "trend_csf_leukocytes", "profile_hematologic"]


@pytest.fixture(scope="module")
def drawn(answer: Answer, plots: Plots) -> dict[str, panel.Plot]:
    more = [quantity("csf_leukocytes", 12, "/uL")]
    found = plots(answer("2026-03-01", igg=9.0, kappa=90.0, more=more), answer("2026-01-01", igg=30.0, more=more))
    return {name: found.plot(name) for name in NAMES}


def made(plot: panel.Plot) -> str:
    """Drawn anew, whatever is kept."""
    return svg.render(lambda: panel._figure(plot.drawing), plot.title, plot.description)


@pytest.mark.parametrize("name", NAMES)
def test_a_drawing_has_title_description_role_and_real_text(drawn: dict[str, panel.Plot], name: str) -> None:
    root = ElementTree.fromstring(made(drawn[name]))
    assert root.get("role") == "img"
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert (root[0].text, root[1].text) == (drawn[name].title, drawn[name].description)
    assert root.get("aria-labelledby") == f"{root[0].get('id')} {root[1].get('id')}"
    texts = " ".join(element.text or "" for element in root.iter(f"{SVG}text"))
    assert drawn[name].title.removeprefix("Trend: ").split(" (")[0] in texts


@pytest.mark.parametrize("name", NAMES)
def test_a_drawing_needs_one_style_sheet_and_nothing_from_elsewhere(drawn: dict[str, panel.Plot], name: str) -> None:
    text = made(drawn[name])
    root = ElementTree.fromstring(text)
    assert [element.tag for element in root.iter() if element.get("style")] == []
    assert len(root.findall(f".//{SVG}style")) == 1
    targets = [value for element in root.iter() for key, value in element.attrib.items() if key.endswith("href")]
    assert [target for target in targets if not target.startswith("#")] == []
    assert "#fe01" not in text, "a color that has no light and dark shade"


def test_the_same_drawing_is_the_same_bytes_from_any_thread(drawn: dict[str, panel.Plot]) -> None:
    expected = {name: made(plot) for name, plot in drawn.items()}
    found: list[tuple[str, str]] = []
    threads = [
        threading.Thread(target=lambda name=name: found.append((name, made(drawn[name]))))
        for name in NAMES * 2
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(threads)
    assert [name for name, text in found if text != expected[name]] == []


def test_other_libraries_do_not_change_the_bytes(drawn: dict[str, panel.Plot], monkeypatch: pytest.MonkeyPatch) -> None:
    expected = made(drawn["reibergram_igg"])
    monkeypatch.setattr(ElementTree, "_namespace_map", {SVG[1:-1]: "other"})
    assert made(drawn["reibergram_igg"]) == expected
    assert expected.startswith("<svg ")


def test_drawing_leaves_no_setting_behind(drawn: dict[str, panel.Plot]) -> None:
    before = dict(mpl.rcParams)
    made(drawn["reibergram_igg"])
    assert dict(mpl.rcParams) == before


def test_kept_drawings_are_bounded_and_the_same(drawn: dict[str, panel.Plot]) -> None:
    kept = panel._Kept(2)
    first = [kept.get(plot) for plot in drawn.values()]
    assert len(kept._found) == 2
    assert [kept.get(plot) for plot in drawn.values()] == first


def test_the_digest_names_the_content(answer: Answer, plots: Plots) -> None:
    one, same, other = (plots(answer(igg=value)).plot("reibergram_igg").digest for value in (9.0, 9.0, 9.5))
    assert one == same != other


def test_no_identity_is_in_a_drawing(drawn: dict[str, panel.Plot]) -> None:
    assert [name for name, plot in drawn.items() if "TEST" in made(plot)] == []


def test_printed_drawings_have_no_dark_shades(drawn: dict[str, panel.Plot]) -> None:
    assert "<style" not in svg.printed(made(drawn["reibergram_igg"]))


def test_text_that_looks_like_mathematics_or_markup_stays_text() -> None:
    hostile = "$\\frac{1}{2}$ <script>&amp; \u202e שלום"
    reading = trend.Reading(date(2026, 3, 1), 3.0, "3", flag="N")
    row = profile.Row(hostile, 0.5, 3, "agrees", hostile)
    figures = (
        lambda: trend.figure(trend.Trend(hostile, "", (reading,), (hostile,))),
        lambda: profile.figure(profile.Profile(hostile, (row,), (hostile,))),
    )
    for make in figures:
        root = ElementTree.fromstring(svg.render(make, hostile, hostile))
        assert any("$\\frac{1}{2}$ <script>" in (element.text or "") for element in root.iter(f"{SVG}text"))
        assert root.findall(f".//{SVG}script") == []


def test_a_grid_without_points_can_be_drawn() -> None:
    x = (1.5, 10.0, 40.0, 80.0, 120.0, 150.0)
    grid = diagram.Grid("QIgG", (0.5, 150.0), x, diagram.Curve(x, "limit"), zones=False)
    text = svg.render(lambda: diagram.figure(diagram.Reibergram(grid, "Empty")), "Empty", "Nothing")
    assert "Empty" in text
