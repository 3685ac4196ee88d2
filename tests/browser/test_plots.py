"""Plots as people see them: drawn on the page, also in the dark and on a phone, opened by themselves, named for all."""

from __future__ import annotations

import pytest

from tests.browser.looking import PHONE, WIDE, Opener, violations
from tests.making import Document

LOADED = """() => Promise.all([...document.images].map((image) => { image.loading = 'eager'; return image.decode()
  .then(() => [image.naturalWidth > 300, image.alt.length > 60, image.getBoundingClientRect().width]); }))"""
PAPER = "() => getComputedStyle(document.querySelector('.f-paper')).fill"


@pytest.mark.parametrize(("width", "dark"), [(PHONE, False), (WIDE, True)])
def test_the_reibergrams_are_drawn_on_the_page(
    open_page: Opener, samples: dict[str, Document], width: int, dark: bool
) -> None:
    page = open_page(f"/panels/{samples['ms_like']['panel_id']}", width=width, dark=dark)
    drawn = page.evaluate(LOADED)
    assert len(drawn) == 4
    assert [one for one in drawn if one[:2] != [True, True] or one[2] > width] == []
    assert [one for one in violations(page) if "image" in one or "svg" in one or ".plot" in one] == []


@pytest.mark.parametrize(("dark", "paper"), [(False, "rgb(255, 255, 255)"), (True, "rgb(20, 25, 31)")])
def test_a_plot_by_itself_has_its_colors_under_the_strict_policy(
    open_page: Opener, samples: dict[str, Document], dark: bool, paper: str
) -> None:
    page = open_page(f"/panels/{samples['ms_like']['panel_id']}/plots/reibergram_igg.svg", dark=dark)
    assert page.evaluate(PAPER) == paper
    assert page.get_by_role("img").get_attribute("aria-labelledby") == "title description"
    assert page.get_by_text("age limit", exact=True).count() == 1
