"""The published scores, each a function named after its authors. All numbers stand in scores.yaml.

Every function takes the reading of one score and returns its answer, shape (panels,). Only elementwise operations, in
a fixed order: a panel's answer never depends on the others of its chunk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from csfinterp.model.coefficients import Predictor
from csfinterp.model.cohort import Bools, Floats
from csfinterp.steps.layout import round9
from csfinterp.steps.score.items import Constants, canonical
from csfinterp.steps.score.reading import COMPUTED, NAN, NOT_COMPUTABLE, NOTHING, REFUSED, Answer, Reading, step_of
from csfinterp.steps.truth import FALSE, TRUE, UNKNOWN
from csfinterp.units import factor


def pan_2018(read: Reading) -> Answer:
    """Total of history, clinical picture, imaging, cytology and biochemistry [points, 0-13]. [pan2018].

    A missing biochemistry is taken as 0 and 1, atypical cytology at both its ends; without usable cytology the total is
    that before CSF (0-7).
    """
    c = read.constants
    before = read.number_of_word("tumor", c["history"]) + read.exact("pan_clinical")
    before = before + read.number_of_word("pan_mri", c["imaging"])
    cytology = [
        read.number_of_word("csf_cytology_best", {word: ends[end] for word, ends in c["cytology"].items()})
        for end in (0, 1)
    ]
    sent = read.exact("pan_biochemistry")
    biochemistry = [np.where(np.isin(sent, c["biochemistry"]), sent, end) for end in c["biochemistry"]]
    final = ~np.isnan(cytology[0])
    low, high = (np.where(final, before + cytology[end] + biochemistry[end], before) for end in (0, 1))
    early = len(c["class_from"]) + step_of(before, c["before_csf_from"])
    first, last = (np.where(final, step_of(total, c["class_from"]), early) for total in (low, high))
    return read.answer(~np.isnan(before), low, high, first, last)


def nigrovic_2007(read: Reading) -> Answer:
    """Bacterial Meningitis Score: very low risk (class 0) where all five items are FALSE. [nigrovic2007].

    One TRUE item is enough for class 1. The value is the points version [0-6] of [nigrovic2002].
    """
    low, high = read.points()
    item = read.any_of("points")
    return read.answer(item != UNKNOWN, low, high, first=(item == TRUE).astype(np.int8))


def spanos_1989(read: Reading) -> Answer:
    """p of bacterial against viral meningitis, 1 / (1 + exp(-L)), L = AGE + MONTH + GLUCOSE + PMN. [spanos1989].

    Age in years, glucose in mmol/L (the shifted ratio is not glucose_ratio), CSF neutrophils in 10^6/L = /uL.
    """
    c = read.constants
    age = _age_in_years(read, c)
    neutrophils = read.exact("csf_neutrophils", c["alternatives"]["csf_neutrophils"])
    terms = (
        _age_term(age, c),
        c["season"] * _season(read.exact("sampling_month"), read.exact("sampling_day"), c),
        _glucose_term(read, c["glucose"]),
        c["neutrophils"]["slope"] * np.power(neutrophils, c["neutrophils"]["exponent"]),
    )
    logit = terms[0] + terms[1] + terms[2] + terms[3]
    p = round9(_logistic(logit))
    too_coarse = np.isnan(age) & ~np.isnan(read.span("age_years")[0])
    return read.answer(~np.isnan(p), p, why=np.where(too_coarse, 1, 0))


def _age_in_years(read: Reading, c: Constants) -> Floats:
    """Age in years with its fraction: completed years plus the days since the last birthday (at most one year).

    NaN where only whole years are known and they are too coarse.
    """
    days, days_end = read.span("age_days")
    years, years_end = read.span("age_years")
    per_year = c["days_per_year"]
    since = np.minimum(np.maximum(days - per_year * years, 0.0) / per_year, 1.0)
    fine = days_end - days <= c["longest_span_days"]
    whole = (years == years_end) & (years >= c["whole_years_from"])
    found: Floats = np.where(fine | whole, years + since, NAN)
    return found


def _age_term(age: Floats, c: Constants) -> Floats:
    found = np.full(age.shape, NAN)
    for piece in reversed(c["age"]):
        value = piece["slope"] * age + piece["intercept"]
        found = value if "up_to" not in piece else np.where(age <= piece["up_to"], value, found)
    return found


def _season(month: Floats, day: Floats, c: Constants) -> Floats:
    """m of the sampling day: distance from the summer in months."""
    found = np.full(month.shape, NAN)
    for number, piece in enumerate(c["months"], 1):
        value = piece["intercept"] + piece["slope"] * day / piece["days"]
        found = np.where(month == number, value, found)
    return found


def _glucose_term(read: Reading, c: Constants) -> Floats:
    shift = canonical(c["shift"], "csf_glucose", read.layout)
    ratio = (read.exact("csf_glucose") + shift) / (read.exact("serum_glucose") + shift)
    found: Floats = c["slope"] * np.minimum(ratio, c["highest_ratio"])
    return found


def bonsu_2008(read: Reading) -> Answer:
    """Points [0-6] of six items, class = published risk of bacterial meningitis. [bonsu2008].

    With open items only where the known ones already reach the highest class.
    """
    low, high = read.points()
    top = read.constants["highest_class"]
    return read.answer((low == high) | (low >= top), low, high, first=np.minimum(low, top))


def marais_2010(read: Reading) -> Answer:
    """Lancet consensus score: CSF subscore [0-4], and total [0-20] with class where the other domains allow one.

    Table in [bmcid2020], classes [tbmcase_pone]. Reasons without a class: 1 incomplete, 2 malignancy, 3 other cause.
    """
    c = read.constants
    domains = {}
    for name, cap in c["caps"].items():
        low, high = read.points(name)
        domains[name] = (np.minimum(low, cap), np.minimum(high, cap))
    imaged = read.is_word("lancet_imaging_done", "yes")
    domains["imaging"] = tuple(np.where(imaged, end, 0.0) for end in domains["imaging"])  # type: ignore[assignment]
    csf, imaging = domains["csf"], domains["imaging"]
    totals = [domains["clinical"][end] + csf[end] + imaging[end] + domains["elsewhere"][end] for end in (0, 1)]
    classes = [_tbm_class(totals[end], csf[end], imaging[end], imaged, c) for end in (0, 1)]
    proof = read.any_of("proof") == TRUE
    why = np.full(read.size, NOTHING)
    complete = read.all_known("clinical") & read.is_word("lancet_imaging_done", "yes", "no")
    for reason, withheld in (
        (1, ~complete),
        (3, read.any_of("other_cause") == TRUE),
        (2, read.any_of("malignancy") == TRUE),
    ):
        why = np.where(withheld & ~proof, reason, why)
    named = why == NOTHING
    definite = len(c["classes"]) - 1
    first, last = (np.where(proof, definite, np.where(named, kind, NOTHING)) for kind in classes)
    total = named & ~proof
    values = [np.where(total, totals[end], csf[end]) for end in (0, 1)]
    answer = read.answer(read.any_known("csf") | proof, values[0], values[1], first, last, parts={"csf": csf})
    return replace(answer, why=np.where(answer.status == COMPUTED, why, answer.why).astype(np.int8))


def _tbm_class(total: Floats, csf: Floats, imaging: Floats, imaged: Bools, c: Constants) -> Floats:
    """0 none, 1 possible, 2 undecided (enough points, too few of them from CSF or imaging), 3 probable."""
    probable = total >= np.where(imaged, c["probable_from_with_imaging"], c["probable_from"])
    supported = (csf >= c["csf_or_imaging_from"]) | (imaging >= c["csf_or_imaging_from"])
    return np.where(probable, np.where(supported, 3.0, 2.0), np.where(total >= c["possible_from"], 1.0, 0.0))


def thwaites_2002(read: Reading) -> Answer:
    """Index [points, -5 to 13]: up to the limit the tuberculous side, above it the bacterial. [thwaites2002]."""
    low, high = read.points()
    return read.answer(read.all_known("points"), low, high, first=low > read.constants["tuberculous_up_to"])


def rubenstein_2013(read: Reading) -> Answer:
    """CXCL13 and IL-10 [pg/mL] against the published cut-offs (assays declared comparable), else the site's own limits.

    [rubenstein2013]. CXCL13 counts only with Borrelia and syphilis negative; a negative only without a steroid.
    """
    comparable = read.is_word("assay_comparable", "yes")
    usable = read.is_word("stated_borrelia_negative", "yes") & read.is_word("stated_syphilis_negative", "yes")
    cxcl13 = np.where(comparable, read.truth("cxcl13"), read.truth("cxcl13_own"))
    judged = np.where(usable, cxcl13, UNKNOWN)
    il10 = np.where(comparable, read.truth("il10"), read.truth("il10_own"))
    raised = (judged == TRUE).astype(np.int8) + (il10 == TRUE)
    negative = (raised == 0) & ((judged == FALSE) | (il10 == FALSE))
    steroid = read.is_word("steroid_before_lp", "yes")
    shown = np.where(comparable, raised, np.where(raised > 0, 3, 4))
    why = np.where(negative & steroid, 2, np.where((cxcl13 != UNKNOWN) & ~usable, 1, np.where(comparable, 3, 0)))
    return read.answer((raised > 0) | (negative & ~steroid), first=shown, why=why)


def perry_2015(read: Reading) -> Answer:
    """Rule-out of aneurysmal SAH: erythrocytes [/uL] of the last tube and no xanthochromia. [perry2015].

    A raised bilirubin absorbance [AU] leads over a negative rule. Bloody CSF below the limit is not read as clear.
    """
    few, clear = read.truth("few_erythrocytes"), read.truth("not_xanthochromic")
    negative = (few == TRUE) & (clear == TRUE)
    unread = negative & (read.truth("bloody") == TRUE)
    first = np.where(read.truth("bilirubin_raised") == TRUE, 3, 0)
    first = np.where(negative, first, np.where(clear == FALSE, 2, 1))
    known = (few != UNKNOWN) & (clear != UNKNOWN)
    return read.answer(known & ~unread, first=first, why=unread.astype(np.int8))


def gao_2022(read: Reading) -> Answer:
    """p of LM from the coefficients that the site has loaded; without a file never a number. [gao2022].

    Refused without a stated suspicion or with a predictor missing. p is rounded to the step of the file.
    """
    if read.model is None:
        return read.answer(np.zeros(read.size, np.bool_), why=0)
    logit = np.full(read.size, read.model.intercept)
    for predictor in read.model.predictors:
        logit = logit + predictor.beta * _term(read, predictor)
    step = read.model.output_rounding
    if read.model.source_kind == "digitized_figure":
        step = max(step, read.constants["digitized_rounding"])
    p = round9(np.rint(_logistic(logit) / step) * step)
    why = np.where(np.isnan(p), 3, NOTHING)
    why = np.where(read.is_word("lm_suspected", "yes"), why, 2)
    why = np.where(read.is_word("tumor", "solid"), why, 1)
    answer = read.answer(why == NOTHING, p, why=why)
    return replace(answer, status=np.where(answer.status == NOT_COMPUTABLE, REFUSED, answer.status))


def _term(read: Reading, predictor: Predictor) -> Floats:
    """x of one predictor as the file codes it: 0/1, a count up to its cap, or a concentration in the file's unit."""
    if predictor.coding == "binary":
        return read.number_of_word(predictor.name, {"yes": 1.0, "no": 0.0})
    value = read.exact(predictor.name)
    if predictor.coding == "count":
        whole = np.where(value == np.floor(value), value, NAN)
        return whole if predictor.cap is None else np.minimum(whole, predictor.cap)
    value = value * _factor(read, predictor)
    if predictor.transform == "log":
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(value > 0, np.log(value), NAN)
    if predictor.transform == "cutoff" and predictor.cutoff is not None:
        return np.where(np.isnan(value), NAN, (value >= predictor.cutoff).astype(np.float64))
    return value


def _factor(read: Reading, predictor: Predictor) -> float:
    analyte, table = read.layout.edition.analyte[predictor.name], read.layout.edition.units
    mass = table.molar_masses.get(analyte.molar_mass or "")
    found = factor(str(analyte.unit), str(predictor.unit), table, mass)
    if found is None:
        raise ValueError(f"{predictor.name} does not convert to {predictor.unit!r}")
    return float(found)


def _logistic(logit: Floats) -> Floats:
    with np.errstate(over="ignore"):
        found: Floats = 1 / (1 + np.exp(-logit))
    return found


FUNCTIONS: dict[str, Callable[[Reading], Answer]] = {
    function.__name__: function
    for function in (
        pan_2018,
        nigrovic_2007,
        spanos_1989,
        bonsu_2008,
        marais_2010,
        thwaites_2002,
        rubenstein_2013,
        perry_2015,
        gao_2022,
    )
}
