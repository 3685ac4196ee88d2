"""What the plots of a panel say: the point, the verdict and the reasons are those of the answer, nothing is added."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from csfinterp.errors import NotFoundError
from csfinterp.plot.diagram import Reibergram
from csfinterp.plot.trend import Trend
from csfinterp.plotting.panel import Plot
from tests.making import Interpret, panel, quantity
from tests.plots.conftest import Answer, Plots


def diagram(plot: Plot) -> Reibergram:
    assert isinstance(plot.drawing, Reibergram)
    return plot.drawing


def test_a_point_lies_at_its_quotients_and_its_zone_is_said(answer: Answer, plots: Plots) -> None:
    plot = plots(answer(albumin=20.0, igg=9.0)).plot("reibergram_igg")
    (point,) = diagram(plot).points
    assert (point.albumin, point.quotient, point.judged, point.current) == (20.0, 9.0, True, True)
    assert "Zone 2, isolated barrier dysfunction, intrathecal fraction 0 %." in plot.description


@pytest.mark.parametrize(
    ("albumin", "igg", "zone"),
    [(5.0, 2.0, "Zone 1, normal"), (20.0, 9.0, "Zone 2, isolated barrier dysfunction"),
     (5.0, 9.0, "Zone 3, intrathecal synthesis with a normal barrier"),
     (20.0, 40.0, "Zone 4, intrathecal synthesis with barrier dysfunction")],
)  # fmt: skip
def test_zones_follow_the_flags(answer: Answer, plots: Plots, albumin: float, igg: float, zone: str) -> None:
    assert zone in plots(answer(albumin=albumin, igg=igg)).plot("reibergram_igg").description


def test_below_the_lower_curve_there_is_no_verdict_and_the_rule_is_named(answer: Answer, plots: Plots) -> None:
    plot = plots(answer(albumin=5.0, igg=0.8)).plot("reibergram_igg")
    assert not diagram(plot).points[0].judged
    assert "No verdict:" in plot.description
    assert "Zone 1" not in plot.description


def test_the_frame_that_is_told_beforehand_is_that_of_the_drawing(answer: Answer, plots: Plots) -> None:
    plot = plots(answer(albumin=5.0, igg=0.8)).plot("reibergram_igg")
    drawn = ElementTree.fromstring(plot.svg)
    assert plot.frame == (round(float(drawn.attrib["width"])), round(float(drawn.attrib["height"])))


@pytest.mark.parametrize("quotients", [{"albumin": 20.0}, {"albumin": None, "igg": 9.0}, {"albumin": None}])
def test_a_missing_quotient_gives_no_point_and_says_so(
    answer: Answer, plots: Plots, quotients: dict[str, float]
) -> None:
    found = plots(answer(**quotients))
    plot = found.plot("reibergram_igg")
    assert diagram(plot).points == ()
    assert "No point is drawn" in plot.description
    assert "reibergram_igg" not in [offered.name for offered in found.offered()]


def test_earlier_punctures_are_a_path_in_their_order_and_later_ones_are_not(answer: Answer, plots: Plots) -> None:
    now = answer("2026-03-01", 10.0, igg=5.0)
    found = plots(
        now, answer("2026-05-01", 40.0, igg=20.0), answer("2026-02-01", 20.0, igg=9.0), answer("2025-01-01", igg=30.0)
    )
    points = diagram(found.plot("reibergram_igg")).points
    assert [(point.quotient, point.current) for point in points] == [(30.0, False), (9.0, False), (5.0, True)]


def test_a_point_beyond_the_axes_is_said(answer: Answer, plots: Plots) -> None:
    assert "outside of the drawn range" in plots(answer(albumin=200.0, igg=9.0)).plot("reibergram_igg").description


def test_answers_by_another_limit_curve_are_not_drawn_on_this_one(answer: Answer, plots: Plots) -> None:
    other = answer(albumin=20.0, igg=9.0)
    next(row for row in other["results"] if row["analyte"] == "igg_limit")["value"] = 11.1
    with pytest.raises(NotFoundError):
        plots(other).plot("reibergram_igg")


def test_a_trend_shows_every_dated_value_with_flag_and_reference_band(answer: Answer, plots: Plots) -> None:
    now = answer("2026-03-01", more=[quantity("csf_leukocytes", 12, "/uL")])
    earlier = answer("2026-01-01", more=[quantity("csf_leukocytes", 3, "/uL")])
    bound = answer("2026-02-01", more=[quantity("csf_leukocytes", "<5", "/uL")])
    undated = answer(None, more=[quantity("csf_leukocytes", 90, "/uL")])
    plot = plots(now, earlier, bound, undated).plot("trend_csf_leukocytes")
    assert isinstance(plot.drawing, Trend)
    shown = [(one.day.isoformat(), one.text, one.flag, one.bound, one.high) for one in plot.drawing.readings]
    assert shown == [
        ("2026-01-01", "3", "N", False, 4.0),
        ("2026-02-01", "<5", None, True, 4.0),
        ("2026-03-01", "12", "H", False, 4.0),
    ]
    assert "Not drawn: 1 without a day of collection." in plot.description


def test_profiles_stand_beside_the_published_shares(answer: Answer, plots: Plots) -> None:
    found = plots(answer(more=[quantity("csf_leukocytes", 12, "/uL")]))
    plot = found.plot("profile_solid_tumor")
    assert "Leukocytes in CSF, high: published 79 % of 76, primary source; this patient 12 /µL (H), agrees." in (
        plot.description
    )
    assert "disputed" in plot.description


@pytest.mark.parametrize("name", ["reibergram_igz", "trend_csf_cytology", "trend_nothing", "profile_x", "x", ""])
def test_a_name_that_is_none_is_told(answer: Answer, plots: Plots, name: str) -> None:
    with pytest.raises(NotFoundError, match="no such plot"):
        plots(answer(igg=9.0)).plot(name)


def test_nothing_is_offered_for_a_panel_that_has_nothing_to_draw(interpret: Interpret, plots: Plots) -> None:
    document = interpret(panel(quantity("csf_glucose", 3.1, "mmol/L"), context={"tumor": "none"}))
    assert [plot.name for plot in plots(document).offered()] == []
