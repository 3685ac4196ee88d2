"""The curves that are drawn are the edition's, by the formulas of the core: checked against the vectors of
barrier_and_intrathecal.md section 8.1 and 8.5."""

from __future__ import annotations

import numpy as np
import pytest

from csfinterp.model.edition import Edition
from csfinterp.plotting.curves import FRACTIONS, ground, values

# QAlb -> (IgG lower, IgG limit, IgA lower, IgA limit, IgM lower, IgM limit, kappa limit)
LIMITS = {
    2.0: (0.5083, 1.2409, 0.2014, 0.9010, 0.0247, 0.3608, 11.6906),
    5.0: (1.4147, 3.4780, 0.3915, 2.2347, 0.0444, 0.9679, 16.7036),
    20.0: (6.3165, 17.0390, 2.4012, 12.7366, 0.3407, 8.1784, 59.8443),
    150.0: (49.2022, 137.8186, 24.2419, 112.4590, 5.2386, 93.6676, 482.6596),
}
COLUMNS = ("igg_lower", "igg_limit", "iga_lower", "iga_limit", "igm_lower", "igm_limit", "kappa_limit")


@pytest.mark.parametrize("albumin", LIMITS)
def test_curves_are_those_of_the_vectors(edition: Edition, albumin: float) -> None:
    found = [values(edition.derived_by_id[name], np.array([albumin]))[0] for name in COLUMNS]
    assert np.abs(np.array(LIMITS[albumin]) - found).max() < 5e-5


@pytest.mark.parametrize("name", ["igg", "iga", "igm", "kappa"])
def test_fraction_lines_lie_at_their_multiples_of_the_limit(edition: Edition, name: str) -> None:
    base = ground(edition, name)
    assert base is not None
    limit = np.array(base.grid.upper.y)
    factors = [float((np.array(line.y) / limit).mean()) for line in base.grid.fractions]
    assert factors == pytest.approx([1.25, 1 / 0.6, 2.5, 5.0], rel=1e-9)
    assert [line.label for line in base.grid.fractions] == [f"{percent:.0f} %" for percent in FRACTIONS]


def test_recalled_curves_say_so(edition: Edition) -> None:
    said = {name: " ".join(base.remarks) for name in ("igg", "iga", "igm") if (base := ground(edition, name))}
    assert {name: "Mean curve: recalled" in text for name, text in said.items()} == {
        "igg": False,
        "iga": True,
        "igm": True,
    }


def test_a_class_without_a_curve_has_no_ground(edition: Edition) -> None:
    assert ground(edition, "csf_lactate") is None


def test_kappa_has_no_zones_because_it_has_no_lower_curve(edition: Edition) -> None:
    base = ground(edition, "kappa")
    assert base is not None
    assert (base.grid.zones, base.grid.lower, base.grid.mean) == (False, None, None)
