"""Cohort figures: the guide's example is true, every row is drawn or counted, nothing is taken from another edition."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csfinterp
from csfinterp.errors import DocumentError, EditionError
from csfinterp.plot.cohort import MOST_POINTS

GUIDE = Path(__file__).resolve().parents[2] / "csfinterp" / "guides" / "pull_a_cohort.md"


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Cases A to D of barrier_and_intrathecal.md 8.2 and one without IgG."""
    panels = {
        "panel_id": list("ABCDE"), "age_years": [30, 32, 60, 50, 60], "site": "lumbar",
        "csf_protein [mg/L]": [400, 420, 1500, 1900, 900],
        "csf_albumin [mg/L]": [195, 180, 800, 900, 200], "serum_albumin [g/L]": [41, 45, 40, 40, 40],
        "csf_igg [mg/L]": [25, 60, 90, 250, None], "serum_igg [g/L]": [10, 11, 10, 11, None],
    }  # fmt: skip
    return csfinterp.interpret_frame(pd.DataFrame(panels))


def test_the_guide_prints_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    section = GUIDE.read_text(encoding="utf-8").split("## A Reibergram of a cohort")[1]
    example, shown = (re.search(rf"```{kind}\n(.*?)```", section, re.DOTALL) for kind in ("python", "text"))
    assert example is not None
    assert shown is not None
    monkeypatch.chdir(tmp_path)
    exec(example[1], {})
    assert capsys.readouterr().out == shown[1]
    assert (tmp_path / "reibergram.svg").read_text(encoding="utf-8").startswith("<svg")


def test_every_row_is_drawn_in_its_group_or_counted(table: pd.DataFrame) -> None:
    figure = csfinterp.plot.reibergram(table, "IgG", by="finding_intrathecal_igg")
    points = {
        group.name: [(round(x, 6), round(y, 6)) for x, y in zip(group.albumin, group.quotient, strict=True)]
        for group in figure.cloud.groups
    }
    assert points == {
        "false (n = 2)": [(4.756098, 2.5), (20.0, 9.0)],
        "true (n = 2)": [(4.0, 5.454545), (22.5, 22.727273)],
    }
    assert "4 of 5 panels drawn; 1 without both quotients" in figure.description
    assert "zone 1: 1, zone 2: 1, zone 3: 1, zone 4: 1" in figure.description
    assert figure.cloud.age_limits == (6.0, 8.0)
    assert figure._repr_svg_().startswith("<svg")


def test_a_row_without_a_verdict_is_hollow(table: pd.DataFrame) -> None:
    withheld = table.assign(igg_quotient_flag=None)
    figure = csfinterp.plot.reibergram(withheld)
    assert [group.judged.tolist() for group in figure.cloud.groups] == [[False] * 4]
    assert "Hollow: 4 without a verdict." in figure.description


def test_a_bound_is_not_drawn_as_a_number(table: pd.DataFrame) -> None:
    bound = table.assign(albumin_quotient_comparator=["<", None, None, None, None])
    assert "3 of 5 panels drawn" in csfinterp.plot.reibergram(bound).description


def test_many_rows_are_drawn_as_a_density_and_none_is_lost(table: pd.DataFrame) -> None:
    many = pd.concat([table] * (MOST_POINTS // 4 + 1), ignore_index=True)
    figure = csfinterp.plot.reibergram(many)
    assert "The darker, the more panels." in figure.description
    assert sum(len(group.albumin) for group in figure.cloud.groups) == len(many) * 4 // 5
    assert len(figure.svg) < 300_000


def test_nothing_at_all_can_be_drawn(table: pd.DataFrame) -> None:
    assert "0 of 0 panels drawn" in csfinterp.plot.reibergram(table.iloc[:0]).description
    assert csfinterp.plot.reibergram(table.iloc[4:]).svg


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="igg_quotient"), "no column igg_quotient"),
        (lambda table: table.assign(edition=["2026.1"] * 4 + ["2031.1"]), "mixes editions"),
    ],
)
def test_a_frame_that_cannot_be_drawn_is_refused_with_what_to_send(
    change: Callable[[pd.DataFrame], pd.DataFrame], message: str, table: pd.DataFrame
) -> None:
    with pytest.raises(DocumentError, match=message):
        csfinterp.plot.reibergram(change(table))


def test_other_curves_than_those_of_the_table_are_never_drawn(table: pd.DataFrame) -> None:
    with pytest.raises(EditionError, match="another edition"):
        csfinterp.plot.reibergram(table.assign(edition_digest="sha256:0"))


def test_classes_and_groups_are_checked(table: pd.DataFrame) -> None:
    with pytest.raises(DocumentError, match="igg, iga, igm, kappa"):
        csfinterp.plot.reibergram(table, "ige")
    with pytest.raises(DocumentError, match="more than 6"):
        csfinterp.plot.reibergram(pd.concat([table] * 2).assign(mine=np.arange(10)), by="mine")
    with pytest.raises(ValueError, match=r"\.svg"):
        csfinterp.plot.reibergram(table).save("figure.png")
