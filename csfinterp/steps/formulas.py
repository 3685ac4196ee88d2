"""Arithmetic of calculated quantities: quotients, indices, Reiber limits, intrathecal fractions, corrected counts.

Every function takes arrays of shape (k, panels), one row per quantity that it makes, and constants of shape (k, 1) from
derived.yaml; it returns shape (k, panels), NaN where it is not defined; nothing is rounded here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from csfinterp.model.cohort import Floats
from csfinterp.steps.layout import round9

Constants = Mapping[str, Floats]
Formula = Callable[[list[Floats], Constants], Floats]
NAN = float("nan")


def pair_quotient(inputs: list[Floats], constant: Constants) -> Floats:
    """CSF over serum, in the derived quantity's unit: (mg/L)/(g/L) = 1e-3.
    Source: barrier_and_intrathecal.md section 1."""
    csf, serum = inputs
    return csf / serum * constant["scale"]


def index(inputs: list[Floats], constant: Constants) -> Floats:
    """Quotient over albumin quotient, both 1e-3: IgG index, kappa index [1]. [loinc_14117], [schmidauer2025]."""
    quotient, albumin = inputs
    return quotient / albumin


def hyperbola(inputs: list[Floats], constant: Constants) -> Floats:
    """Reiber curve (a/b) sqrt(QAlb^2 + b^2) - c, 1e-3. [reiber_felgenhauer1987] form; constants of derived.yaml."""
    (albumin,) = inputs
    return constant["a_over_b"] * np.sqrt(albumin * albumin + constant["b_squared"]) - constant["c"]


def intrathecal_pct(inputs: list[Floats], constant: Constants) -> Floats:
    """Share made in the CSF space [%]: (1 - limit / quotient) x 100 above the limit, else 0. [code_reiber1]."""
    quotient, limit = inputs
    return _above(quotient, limit, (1 - limit / quotient) * 100)


def local_synthesis(inputs: list[Floats], constant: Constants) -> Floats:
    """Locally made concentration [mg/L]: (quotient - limit) [1e-3] x serum [g/L] above the limit, else 0."""
    quotient, limit, serum = inputs
    return _above(quotient, limit, (quotient - limit) * serum)


def _above(quotient: Floats, limit: Floats, value: Floats) -> Floats:
    """`value` where the quotient exceeds the limit, both compared as they are printed (9 decimals); else 0."""
    found: Floats = np.where(round9(quotient) > round9(limit), value, 0.0)
    return np.where(np.isnan(quotient) | np.isnan(limit), NAN, found)


def leukocytes_corrected(inputs: list[Floats], constant: Constants) -> Floats:
    """CSF leukocytes [/uL] less those that came with the blood; never below 0; measured value and flag stay (SL24).

    With blood counts WBC_csf - WBC_blood x RBC_csf / RBC_blood (TW1), else RBC_csf / ratio (TW2); only between the two
    erythrocyte counts of the edition. Source: preanalytics_and_blood.md 4.2.
    """
    csf, erythrocytes, blood, blood_erythrocytes = inputs
    by_blood = csf - blood * erythrocytes / blood_erythrocytes
    estimate = np.where(np.isnan(by_blood), csf - erythrocytes / constant["ratio"], by_blood)
    return _contaminated(erythrocytes, np.maximum(estimate, 0.0), constant)


def protein_corrected(inputs: list[Floats], constant: Constants) -> Floats:
    """CSF protein [mg/L] less `per_1000` mg/L per 1000 erythrocytes /uL; never below 0.
    [nigrovic2011], [lyons2017p]."""
    protein, erythrocytes = inputs
    return _contaminated(erythrocytes, np.maximum(protein - constant["per_1000"] * erythrocytes / 1000, 0.0), constant)


def _contaminated(erythrocytes: Floats, value: Floats, constant: Constants) -> Floats:
    inside = (erythrocytes >= constant["from_erythrocytes"]) & (erythrocytes <= constant["to_erythrocytes"])
    return np.where(inside, value, NAN)


def product_pct(inputs: list[Floats], constant: Constants) -> Floats:
    """Count times percentage / 100."""
    count, percent = inputs
    return count * percent / 100


def absolute_difference(inputs: list[Floats], constant: Constants) -> Floats:
    """Distance of two quantities of one unit."""
    first, second = inputs
    return np.abs(first - second)


def relative_difference_pct(inputs: list[Floats], constant: Constants) -> Floats:
    """Distance in percent of the second; 100 where only the second is 0."""
    first, second = inputs
    return np.where(second == 0, np.where(first == 0, 0.0, 100.0), np.abs(first - second) / second * 100)


def igg_synthesis_rate(
    igg: tuple[float, float],
    albumin: tuple[float, float],
    *,
    igg_leak: float,
    albumin_leak: float,
    share: float,
    daily: float,
) -> float:
    """IgG synthesis rate [mg/d] from (CSF, serum) in mg/dL; a function with tests, without an id and without output.

    daily x ((IgGc - IgGs/igg_leak) - (Albc - Albs/albumin_leak) x share x IgGs/Albs). [clinlabnav], [medalg].
    """
    excess = albumin[0] - albumin[1] / albumin_leak
    return daily * ((igg[0] - igg[1] / igg_leak) - excess * share * (igg[1] / albumin[1]))


def antibody_index(specific: float, total: float, limit: float) -> float:
    """Specific quotient over the total one, or over the limit where that is smaller; without an id. [serion]."""
    return specific / min(total, limit)


def double_ratio(inputs: list[Floats], constant: Constants) -> Floats:
    """(first / second) / (third / fourth): Steinherz-Bleyer ratio of leukocytes to erythrocytes, CSF over blood."""
    first, second, third, fourth = inputs
    return (first / second) / (third / fourth)


def cea_index(inputs: list[Floats], constant: Constants) -> Floats:
    """CSF/serum CEA quotient over the albumin quotient [1]; TM3 of lm_evidence.md section 11."""
    csf, serum, albumin = inputs
    return constant["scale"] * csf / serum / albumin


FUNCTIONS: dict[str, Formula] = {
    function.__name__: function
    for function in (
        pair_quotient,
        index,
        hyperbola,
        intrathecal_pct,
        local_synthesis,
        leukocytes_corrected,
        protein_corrected,
        product_pct,
        absolute_difference,
        relative_difference_pct,
        double_ratio,
        cea_index,
    )
}
# No formula: times, gaps, platforms come from columns.py; ages, sums, limits from derive.py; counts from flag.py.
GIVEN = (
    "age_days",
    "age_years",
    "from_panel",
    "pair_gap",
    "reference_high",
    "advisory_limit",
    "count_flags",
    "differential_sum",
    "time_to_analysis",
    "platform_limit",
    "site_limit",
)
