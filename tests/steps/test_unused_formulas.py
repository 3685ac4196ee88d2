"""IgG synthesis rate and antibody index: functions with tests, without an id and without output (8.8, 8.9)."""

from __future__ import annotations

import pytest

from csfinterp.steps.formulas import antibody_index, igg_synthesis_rate

# 8.8, all mg/dL, result mg/d, tolerance 5e-5: IgG c/s, albumin c/s.
RATES = [
    ("A", 2.5, 1000, 19.5, 4100, -1.9279), ("B", 6, 1100, 18, 4500, 15.9175), ("C", 9, 1000, 80, 4000, -2.2023),
    ("E", 60, 900, 300, 3500, 130.3608),
]  # fmt: skip

# Constants of the formula as barrier_and_intrathecal.md section 1 prints it.
CONSTANTS = {"igg_leak": 369, "albumin_leak": 230, "share": 0.43, "daily": 5}


@pytest.mark.parametrize(("case", "igg_csf", "igg_serum", "albumin_csf", "albumin_serum", "rate"), RATES)
def test_igg_synthesis_rate(case, igg_csf, igg_serum, albumin_csf, albumin_serum, rate):
    found = igg_synthesis_rate((igg_csf, igg_serum), (albumin_csf, albumin_serum), **CONSTANTS)
    assert found == pytest.approx(rate, abs=5e-5)


def test_antibody_index_divides_by_the_total_quotient_below_the_limit():
    assert antibody_index(6.0, 2.5, 3.275323) == pytest.approx(2.4, abs=1e-9)


def test_antibody_index_divides_by_the_limit_above_it():
    assert antibody_index(6.0, 5.454545, 2.662087) == pytest.approx(2.253871, abs=1e-6)


def test_neither_has_an_id(edition):
    names = {entry.id for entry in edition.derived} | {analyte.id for analyte in edition.analytes}
    assert not {name for name in names if "synthesis_rate" in name or "antibody_index" in name}
