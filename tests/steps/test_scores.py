"""Published scores against every printed vector of scores.md (S1-S6, S8-S10), their refusals and their gaps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from csfinterp.errors import EditionError
from csfinterp.knowledge.coefficients import read_coefficients
from csfinterp.model.context import CODED_INPUTS
from csfinterp.model.edition import Edition, SiteRules
from csfinterp.model.interpretation import ScoreResult
from csfinterp.steps.layout import FLAG, Layout
from csfinterp.steps.program import Program
from csfinterp.steps.score import ScoreOutcomes, ScoreRules, Scores, describe
from csfinterp.steps.score.formulas import FUNCTIONS
from csfinterp.steps.score.items import canonical
from csfinterp.steps.score.words import probability
from csfinterp.steps.truth import Facts
from tests.coefficient_files import coefficient_file, signed, unsigned

SWITCHED = ("spanos1989", "bonsu2008", "thwaites2002")
Inputs = dict[str, Any]
Ask = Callable[..., "ScoreResult | None"]


@dataclass(frozen=True)
class Bench:
    """Scores of one edition, asked with values and words instead of panels."""

    layout: Layout
    program: Program
    scores: Scores

    def run(self, panels: list[Inputs]) -> ScoreOutcomes:
        facts = self.facts(panels)
        return self.scores.run(facts, self.program.run(facts))

    def facts(self, panels: list[Inputs]) -> Facts:
        """Numbers (canonical unit, text with unit, or a span), words. Lumbar unless said.

        `flags`: analyte -> flag; `holds`: quality rules that hold.
        """
        layout = self.layout
        low = np.full((len(layout.quantities), len(panels)), np.nan)
        high = low.copy()
        code = np.full((len(layout.words), len(panels)), -1, np.int8)
        flag = np.zeros((len(layout.statements), len(panels)), np.int8)
        given = np.zeros((len(layout.edition.quality), len(panels)), np.int8)
        rules = [rule.id for rule in layout.edition.quality]
        context = [row for name, row in layout.coded.items() if name in CODED_INPUTS]
        code[context] = 0
        for column, panel in enumerate(panels):
            for name, value in {"site": "lumbar", **panel}.items():
                if name == "flags":
                    for analyte, word in value.items():
                        flag[layout.statement[analyte], column] = FLAG[word]
                elif name == "holds":
                    given[[rules.index(rule) for rule in value], column] = 2
                elif name in layout.coded:
                    code[layout.coded[name], column] = layout.words[name].index(value)
                    if name == "csf_cytology":
                        code[layout.coded["csf_cytology_best"], column] = layout.words[name].index(value)
                else:
                    span = value if isinstance(value, tuple) else (value, value)
                    low[layout.quantity[name], column], high[layout.quantity[name], column] = (
                        canonical(end, name, layout) for end in span
                    )
        return Facts(low, high, None, None, code, flag, given=given)

    def ask(self, name: str, inputs: Inputs) -> ScoreResult | None:
        places = {found.score.id: place for place, found in enumerate(self.scores.compiled)}
        if name not in places:
            return None
        number = places[name]
        return describe(self.run([inputs]), self.scores, number, 0)


def with_site(edition: Edition, **choice: Any) -> Edition:
    return replace(edition, site_rules=SiteRules("test", "sha256:test", **choice))


@pytest.fixture(scope="module")
def bench(edition: Edition) -> Bench:
    """All scores switched on, no coefficients."""
    return bench_of(with_site(edition, scores_on=SWITCHED))


def bench_of(edition: Edition) -> Bench:
    layout = Layout(edition)
    given = {rule.id: row for row, rule in enumerate(edition.quality)}
    rules = ScoreRules(layout, edition, given)
    program = Program(layout, rules.statements, given, rules.vetoes)
    return Bench(layout, program, Scores(layout, rules, program.rows))


@pytest.fixture
def ask(bench: Bench) -> Ask:
    """(score, inputs ...) -> its result, which must be there."""

    def run(score: str, *parts: Mapping[str, Any], **inputs: Any) -> ScoreResult:
        together: Inputs = {}
        for part in (*parts, inputs):
            together |= part
        found = bench.ask(score, {name: value for name, value in together.items() if value is not None})
        assert found is not None, f"{score} was not asked"
        assert found.status in ("computed", "not_computable", "refused")
        assert (found.value is None and found.range is None) or found.status == "computed"
        assert found.text and found.population and found.citations
        assert "{" not in found.text, found.text
        return found

    return run


def age(years: float) -> Inputs:
    """Somebody whose birthday it is (or who is a part of a year old)."""
    return {"age_years": int(years), "age_days": int(years * 365.25)}


# S1 Pan 2018 -----------------------------------------------------------------------------------------------------


def pan(history: int, clinical: int, imaging: int, cytology: str | None, biochemistry: int | None) -> Inputs:
    found: Inputs = {
        "question": "lm",
        "tumor": "solid" if history else "none",
        "pan_clinical": clinical,
        "pan_mri": {0: "normal", 1: "suggestive", 4: "diagnostic"}[imaging],
        "csf_cytology": cytology,
        "pan_biochemistry": biochemistry,
    }
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize(
    ("inputs", "total", "word"),
    [
        (pan(1, 2, 4, "negative", 0), 7, "LM confirmed"),
        (pan(1, 2, 0, "suspicious", 0), 6, "LM confirmed"),
        (pan(1, 0, 4, "negative", 0), 5, "LM confirmed"),
        (pan(0, 2, 0, "suspicious", 0), 5, "LM confirmed"),
        (pan(0, 0, 0, "positive", 0), 5, "LM confirmed"),
        (pan(1, 1, 1, "negative", 1), 4, "LM suspected"),
        (pan(1, 1, 0, "negative", 1), 3, "further examination"),
        (pan(1, 2, 4, "positive", 1), 13, "LM confirmed"),
        (pan(0, 0, 0, "negative", 0), 0, "further examination"),
        (pan(1, 2, 0, None, None), 3, "do CSF"),
        (pan(1, 2, 0, "nondiagnostic", None), 3, "do CSF"),
        (pan(1, 1, 0, None, None), 2, "below the threshold"),
    ],
)
def test_pan_totals(ask: Ask, inputs: Inputs, total: int, word: str) -> None:
    found = ask("pan2018", inputs)
    assert (found.value, found.range) == (total, None)
    assert word in found.class_word and "Pan 2018" in found.class_word
    assert f"{total} of {7 if inputs.get('csf_cytology') in (None, 'nondiagnostic') else 13}" in found.text
    assert "EANO-ESMO certainty differs" in found.text


@pytest.mark.parametrize(
    ("inputs", "ends", "words"),
    [
        (pan(1, 1, 1, "negative", None), (3, 4), ("further examination", "LM suspected")),
        (pan(1, 1, 0, "atypical", 0), (2, 5), ("further examination", "LM confirmed")),
    ],
)
def test_pan_prints_a_range_and_no_class(
    ask: Ask, inputs: Inputs, ends: tuple[float, float], words: tuple[str, str]
) -> None:
    found = ask("pan2018", inputs)
    assert (found.status, found.value, found.range, found.class_word) == ("computed", None, ends, None)
    assert f"{ends[0]}-{ends[1]}" in found.text and "undecided between" in found.text
    assert all(word in found.text for word in words)


def test_pan_range_within_one_class_has_that_class(ask: Ask) -> None:
    found = ask("pan2018", pan(1, 2, 4, "atypical", None))
    assert found.range == (7, 11) and "LM confirmed" in found.class_word
    assert found.missing == ("pan_biochemistry",)


@pytest.mark.parametrize(
    ("change", "reason", "missing"),
    [
        ({"tumor": "hematologic"}, "solid tumors", ()),
        ({"tumor": "primary_cns"}, "solid tumors", ()),
        ({"tumor": "unknown"}, "tumor class not stated", ("tumor",)),
        ({"pan_clinical": None}, "pan_clinical", ("pan_clinical",)),
        ({"pan_clinical": 3}, "pan_clinical", ()),
        ({"pan_clinical": 1.5}, "pan_clinical", ()),
        ({"pan_mri": "not_stated"}, "pan_mri", ("pan_mri",)),
    ],
)
def test_pan_refusals(ask: Ask, change: Inputs, reason: str, missing: tuple[str, ...]) -> None:
    found = ask("pan2018", pan(1, 2, 4, "positive", 0), change)
    assert (found.status, found.missing) == ("refused", missing)
    assert reason in found.reason and reason in found.text


def test_pan_is_never_mapped_from_eano_inputs(ask: Ask) -> None:
    found = ask(
        "pan2018", question="lm", tumor="solid", clinical_signs="typical", mri="linear", csf_cytology="positive"
    )
    assert found.status == "refused" and found.missing == ("pan_clinical", "pan_mri")


def test_pan_takes_only_0_and_1_as_biochemistry(ask: Ask) -> None:
    assert ask("pan2018", pan(1, 1, 1, "negative", 2)).range == (3, 4)


# S2 Bacterial Meningitis Score -----------------------------------------------------------------------------------

ELIGIBLE: Inputs = {
    "question": "infection", "tumor": "none", "csf_leukocytes": 200, "antibiotics_before_lp": "no",
    "critical_illness": "no", "purpura": "no", "recent_neurosurgery_or_shunt": "no", "immunosuppressed": "no",
    "other_bacterial_infection": "no",
}  # fmt: skip


def bms(years: float, gram: str, neutrophils: Any, protein: Any, blood: Any, seizure: str, **more: Any) -> Inputs:
    return {
        **ELIGIBLE, **age(years), "csf_gram_stain": gram, "csf_neutrophils": neutrophils, "csf_protein": protein,
        "blood_neutrophils": blood, "seizure_at_presentation": seizure, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("inputs", "word", "points", "span"),
    [
        (bms(6, "negative", 120, 450, 7000, "no"), "very low risk", 0, None),
        (bms(6, "negative", 1000, 450, 7000, "no"), "not very low risk", 1, None),
        (bms(6, "negative", 999, 800, 7000, "no"), "not very low risk", 1, None),
        (bms(6, "positive", 2500, 2200, 18000, "yes"), "not very low risk", 6, None),
        (bms(6, "negative", 120, 900, None, "no"), "not very low risk", None, (1, 2)),
        (bms(6, "negative", 120, 799, 9999, "no"), "very low risk", 0, None),
        (bms(6, "negative", 120, 450, 10000, "no"), "not very low risk", 1, None),
        (bms(6, "negative", 120, 450, 7000, "yes"), "not very low risk", 1, None),
        (bms(6, "negative", 120, "80 mg/dL", 7000, "no"), "not very low risk", 1, None),
    ],
)
def test_bms(ask: Ask, inputs: Inputs, word: str, points: float | None, span: tuple[float, float] | None) -> None:
    found = ask("bacterial_meningitis_score", inputs)
    assert (found.status, found.class_word, found.value, found.range) == ("computed", word, points, span)


def test_bms_names_its_true_items(ask: Ask) -> None:
    text = ask("bacterial_meningitis_score", bms(6, "negative", 120, 900, None, "no")).text
    assert "Not very low risk (items: CSF protein >= 800 mg/L)" in text


def test_bms_unknown_item_without_a_true_one(ask: Ask) -> None:
    found = ask("bacterial_meningitis_score", bms(6, "negative", 120, 450, None, "no"))
    assert (found.status, found.missing) == ("not_computable", ("blood_neutrophils",))


def test_bms_neutrophils_from_count_and_percentage(ask: Ask) -> None:
    found = ask("bacterial_meningitis_score", bms(6, "negative", None, 450, 7000, "no", expected_neutrophils=120))
    assert found.class_word == "very low risk" and "calculated" in found.text
    assert "calculated" not in ask("bacterial_meningitis_score", bms(6, "negative", 120, 450, 7000, "no")).text


def test_bms_comparators_count_only_on_one_side(ask: Ask) -> None:
    """C5: below 500 is below 1000; below 2000 is not known."""
    name = "bacterial_meningitis_score"
    assert ask(name, bms(6, "negative", (0, 500), 450, 7000, "no")).status == "computed"
    assert ask(name, bms(6, "negative", (0, 2000), 450, 7000, "no")).missing == ("csf_neutrophils",)


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("neutrophil_count_conflict", "csf_neutrophils"),
        ("fraction_above_protein_albumin", "csf_protein"),
        ("fraction_above_protein_igg", "csf_protein"),
    ],
)
def test_bms_contradictory_inputs_are_not_known(ask: Ask, rule: str, name: str) -> None:
    """RU2: no very low risk from a value that contradicts another."""
    found = ask("bacterial_meningitis_score", bms(6, "negative", 120, 450, 7000, "no"), holds=[rule])
    assert (found.status, found.missing) == ("not_computable", (name,))


def test_bms_young_infant(ask: Ask) -> None:
    young = ask("bacterial_meningitis_score", bms(0, "negative", 120, 450, 7000, "no"), age_years=0, age_days=45)
    assert young.class_word == "very low risk" and "both published misses were in this age" in young.text
    older = ask("bacterial_meningitis_score", bms(0, "negative", 120, 450, 7000, "no"), age_years=0, age_days=61)
    assert "misses" not in older.text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"antibiotics_before_lp": "yes"}, "antibiotics"),
        (age(35), "adults"),
        (age(19), "29 days to 19 years"),
        ({"tumor": "hematologic"}, "tumor"),
        ({"tumor": "solid"}, "tumor"),
        ({"tumor": "primary_cns"}, "tumor"),
        ({"age_years": 0, "age_days": 20}, "29 days"),
        ({"csf_leukocytes": 9}, "below 10"),
        ({"critical_illness": "yes"}, "critical illness"),
        ({"purpura": "yes"}, "purpura"),
        ({"recent_neurosurgery_or_shunt": "yes"}, "shunt"),
        ({"immunosuppressed": "yes"}, "immunosuppression"),
        ({"other_bacterial_infection": "yes"}, "another bacterial"),
        ({"site": "ventricular"}, "lumbar"),
        ({"site": "cisternal"}, "lumbar"),
    ],
)
def test_bms_refusals(ask: Ask, change: Inputs, reason: str) -> None:
    found = ask("bacterial_meningitis_score", bms(6, "negative", 120, 450, 7000, "no"), change)
    assert found.status == "refused" and reason in found.reason
    assert found.value is None and found.class_word is None


@pytest.mark.parametrize(
    ("name", "unknown"),
    [
        ("antibiotics_before_lp", "unknown"), ("critical_illness", "unknown"), ("purpura", "unknown"),
        ("tumor", "unknown"), ("recent_neurosurgery_or_shunt", "unknown"), ("immunosuppressed", "unknown"),
        ("csf_leukocytes", None), ("other_bacterial_infection", "unknown"), ("age_days", (0, 365)), ("age_years", None),
    ],
)  # fmt: skip
def test_bms_unknown_population(ask: Ask, name: str, unknown: Any) -> None:
    inputs = bms(0, "negative", 120, 450, 7000, "no", age_years=0, age_days=200)
    found = ask("bacterial_meningitis_score", inputs, {name: unknown})
    assert found.status == "not_computable" and name in found.missing


def test_bms_site_unknown_is_marked(ask: Ask) -> None:
    found = ask("bacterial_meningitis_score", bms(6, "negative", 120, 450, 7000, "no", site="unknown"))
    assert found.status == "computed" and "lumbar assumed" in found.text


# S3 Spanos 1989 --------------------------------------------------------------------------------------------------

ACUTE: Inputs = {
    "question": "infection", "tumor": "none", "hemisphere": "northern", "symptom_duration_days": 1,
    "immunosuppressed": "no", "antibiotics_before_lp": "no", "recent_neurosurgery_or_shunt": "no",
    "serum_glucose_same_day": "yes",
}  # fmt: skip


def spanos(years: float, month: int, day: int, r: float, neutrophils: Any, **more: Any) -> Inputs:
    """Glucose so that the shifted ratio is r: blood 5.9 mmol/L."""
    return {
        **ACUTE, **age(years), "sampling_month": month, "sampling_day": day, "csf_glucose": r * 6.0 - 0.1,
        "serum_glucose": 5.9, "csf_neutrophils": neutrophils, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("inputs", "p"),
    [
        (spanos(54, 1, 15, 0.05, 4939), 0.999969),
        (spanos(25, 8, 15, 0.62, 10), 0.000749),
        (spanos(10, 2, 10, 0.30, 800), 0.96729),
        (spanos(0, 12, 1, 0.25, 2500, age_years=0, age_days=182.625), 0.999414),
        (spanos(40, 7, 31, 0.60, 300), 0.012469),
        (spanos(1, 6, 30, 0.45, 0), 0.468442),
        (spanos(2, 3, 1, 0.59, 50), 0.213332),
        (spanos(22, 4, 1, 0.61, 1), 0.002365),
    ],
)
def test_spanos(ask: Ask, inputs: Inputs, p: float) -> None:
    found = ask("spanos1989", inputs)
    assert found.status == "computed" and found.class_word is None
    assert found.value == pytest.approx(p, abs=2e-6)
    assert "bacterial rather than viral" in found.text and "model of 1989, two classes only" in found.text


@pytest.mark.parametrize(
    ("inputs", "terms", "total"),
    [
        (spanos(54, 1, 15, 0.05, 4939), (2.39, 2.83601, -0.638, 5.79077), 10.37878),
        (spanos(25, 8, 15, 0.62, 10), (-0.51, 0.23601, -7.656, 0.73410), -7.19589),
        (spanos(10, 2, 10, 0.30, 800), (1.10, 2.95629, -3.828, 3.15852), 3.38681),
        (spanos(0, 12, 1, 0.25, 2500, age_years=0, age_days=182.625), (3.935, 2.08117, -3.190, 4.61603), 7.44220),
        (spanos(40, 7, 31, 0.60, 300), (0.99, 0.01560, -7.656, 2.27843), -4.37197),
        (spanos(1, 6, 30, 0.45, 0), (5.08, 0.53560, -5.742, 0), -0.12640),
        (spanos(2, 3, 1, 0.59, 50), (2.37, 2.59883, -7.5284, 1.25462), -1.30496),
        (spanos(22, 4, 1, 0.61, 1), (-0.808, 2.07827, -7.656, 0.341), -6.04473),
    ],
)
def test_spanos_terms(ask: Ask, inputs: Inputs, terms: tuple[float, ...], total: float) -> None:
    """L is printed to five decimals and is the sum of its four printed terms; no neutrophils take the last one away."""
    p = ask("spanos1989", inputs).value
    assert sum(terms) == pytest.approx(total, abs=2e-5)
    assert np.log(p / (1 - p)) == pytest.approx(total, abs=2e-5)
    q = ask("spanos1989", inputs, csf_neutrophils=0).value
    assert np.log(q / (1 - q)) == pytest.approx(sum(terms[:3]), abs=2e-5)


@pytest.mark.parametrize(
    ("p", "printed"), [(0.999969, "above 0.99"), (0.000749, "0.00075"), (0.96729, "0.97"), (0.468442, "0.47")]
)
def test_spanos_prints_two_digits(p: float, printed: str) -> None:
    assert probability(p) == printed


@pytest.mark.parametrize(("csf", "blood", "r"), [(0.2, 6.0, 0.049180), (2.4, 6.0, 0.409836), (3.6, 5.2, 0.698113)])
def test_spanos_ratio_is_shifted(ask: Ask, csf: float, blood: float, r: float) -> None:
    """r from concentrations gives the same p as r itself."""
    by_values = ask("spanos1989", spanos(10, 2, 10, 0.3, 800), csf_glucose=csf, serum_glucose=blood)
    by_ratio = ask("spanos1989", spanos(10, 2, 10, r, 800))
    assert by_values.value == pytest.approx(by_ratio.value, abs=5e-6)


M_OF_LAST_DAY = (5.97, 5.03, 4.03, 3.03, 2.03, 1.03, 0.03, 0.97, 1.97, 2.97, 3.97, 4.97)


@pytest.mark.parametrize(("month", "m"), list(enumerate(M_OF_LAST_DAY, 1)))
def test_spanos_months_end_where_the_next_begins(ask: Ask, month: int, m: float) -> None:
    """m of the last day of each month, from L; the printed table is continuous there."""
    last = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]
    p = ask("spanos1989", spanos(30, month, last, 0.6, 0)).value
    logit = np.log(p / (1 - p))
    assert (logit + 0.01 + 12.76 * 0.6) / 0.52 == pytest.approx(m, abs=1e-4)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"age_years": 0, "age_days": 20}, "1 month"),
        ({"hemisphere": "southern"}, "hemisphere"),
        ({"hemisphere": "tropics"}, "tropics"),
        ({"symptom_duration_days": 2}, "not acute"),
        ({"tumor": "solid"}, "tumor"),
        ({"immunosuppressed": "yes"}, "immunosuppression"),
        ({"antibiotics_before_lp": "yes"}, "antibiotics"),
        ({"recent_neurosurgery_or_shunt": "yes"}, "shunt"),
        ({"csf_gram_stain": "positive"}, "organism"),
        ({"csf_culture": "positive"}, "organism"),
        ({"csf_pathogen_pcr": "positive"}, "organism"),
        ({"question": "lm"}, "question"),
        ({"site": "ventricular"}, "lumbar"),
    ],
)
def test_spanos_refusals(ask: Ask, change: Inputs, reason: str) -> None:
    found = ask("spanos1989", spanos(10, 2, 10, 0.3, 800), change)
    assert found.status == "refused" and reason in found.reason and found.value is None


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"csf_neutrophils": None}, "csf_neutrophils"),
        ({"csf_neutrophils": (0, 10)}, "csf_neutrophils"),
        ({"serum_glucose": None}, "serum_glucose"),
        ({"sampling_month": None}, "sampling_month"),
        ({"hemisphere": "unknown"}, "hemisphere"),
        ({"symptom_duration_days": None}, "symptom_duration_days"),
        ({"tumor": "unknown"}, "tumor"),
        ({"age_years": None, "age_days": None}, "age_days"),
    ],
)
def test_spanos_missing(ask: Ask, change: Inputs, missing: str) -> None:
    found = ask("spanos1989", spanos(10, 2, 10, 0.3, 800), change)
    assert found.status == "not_computable" and missing in found.missing


def test_spanos_needs_a_fine_age_below_2_years(ask: Ask) -> None:
    found = ask("spanos1989", spanos(1, 6, 30, 0.45, 0), age_days=(365, 732))
    assert found.status == "not_computable" and "birth date" in found.reason
    months = ask("spanos1989", spanos(0, 12, 1, 0.25, 2500), age_years=0, age_days=(183, 213))
    assert months.status == "computed"
    years = ask("spanos1989", spanos(54, 1, 15, 0.05, 4939), age_days=(54 * 365, 55 * 366))
    assert years.value == pytest.approx(0.999969, abs=2e-6)


@pytest.mark.parametrize(
    ("years", "days", "term"),
    [
        (0, 183, 2.29 * 183 / 365.25 + 2.79),
        (1, 548, -2.71 * (1 + (548 - 365.25) / 365.25) + 7.79),
        (1, (365, 396), -2.71 * 1 + 7.79),
        (2, (2 * 365, 3 * 366), -2.71 * 2 + 7.79),
        (21, 8000, -0.159 * (21 + (8000 - 21 * 365.25) / 365.25) + 2.69),
        (22, 8200, 0.100 * (22 + (8200 - 22 * 365.25) / 365.25) - 3.01),
    ],
)
def test_spanos_age_with_its_fraction(ask: Ask, years: int, days: Any, term: float) -> None:
    """31 July, r 0.6, no neutrophils: L = AGE + 0.0156 - 7.656."""
    p = ask("spanos1989", spanos(years, 7, 31, 0.6, 0), age_years=years, age_days=days).value
    assert np.log(p / (1 - p)) == pytest.approx(term + 0.0156 - 7.656, abs=1e-4)


def test_spanos_a_span_of_more_than_a_month_is_too_coarse(ask: Ask) -> None:
    assert ask("spanos1989", spanos(1, 7, 31, 0.6, 0), age_days=(365, 397)).status == "not_computable"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"holds": ["neutrophil_count_conflict"]}, "contradicts"),
        ({"csf_glucose": 6.0}, "above blood glucose"),
    ],
)
def test_spanos_contradictory_inputs(ask: Ask, change: Inputs, reason: str) -> None:
    found = ask("spanos1989", spanos(10, 2, 10, 0.3, 800), change)
    assert found.status == "not_computable" and reason in found.reason


def test_spanos_blood_glucose_of_another_day(ask: Ask) -> None:
    found = ask("spanos1989", spanos(10, 2, 10, 0.3, 800), serum_glucose_same_day="no")
    assert found.status == "not_computable" and "day of the puncture" in found.reason


# S4 Bonsu 2008 ---------------------------------------------------------------------------------------------------


def bonsu(cells: Any, pct: Any, glucose: Any, protein: Any, blood: Any, band: Any, **more: Any) -> Inputs:
    return {
        **age(6), "question": "infection", "tumor": "none", "immunosuppressed": "no", "antibiotics_before_lp": "no",
        "csf_leukocytes": cells, "csf_neutrophils_pct": pct, "csf_glucose": f"{glucose} mg/dL",
        "csf_protein": f"{protein} mg/dL", "blood_leukocytes": blood, "blood_band_neutrophil_ratio_pct": band, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("inputs", "value", "span", "risk"),
    [
        (bonsu(597, 74, 38, 97, 17000, 11), 0, None, "0 %"),
        (bonsu(598, 75, 37, 98, 17001, 12), 6, None, "68 %"),
        (bonsu(900, 60, 55, 60, 9000, 3), 1, None, "3 %"),
        (bonsu(900, 75, 55, 60, 9000, 3), 2, None, "11 %"),
        (bonsu(900, 75, 37, 60, 9000, 3), 3, None, "19 %"),
        (bonsu(900, 80, 30, 120, None, None), None, (4, 6), "68 %"),
    ],
)
def test_bonsu(ask: Ask, inputs: Inputs, value: float | None, span: tuple[float, float] | None, risk: str) -> None:
    found = ask("bonsu2008", inputs)
    assert (found.value, found.range, found.class_word) == (value, span, f"published risk {risk}")
    assert "reading of this service" in found.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("csf_leukocytes", 597.1), ("csf_neutrophils_pct", 74.1), ("csf_glucose", "37.9 mg/dL"),
        ("csf_protein", "97.1 mg/dL"), ("blood_leukocytes", 17001), ("blood_band_neutrophil_ratio_pct", 11.1),
    ],
)  # fmt: skip
def test_bonsu_each_item_is_one_point(ask: Ask, name: str, value: Any) -> None:
    assert ask("bonsu2008", bonsu(597, 74, 38, 97, 17000, 11), {name: value}).value == 1


@pytest.mark.parametrize("name", ["tumor", "immunosuppressed", "antibiotics_before_lp"])
def test_bonsu_unknown_population(ask: Ask, name: str) -> None:
    found = ask("bonsu2008", bonsu(597, 74, 38, 97, 17000, 11), {name: "unknown"})
    assert (found.status, found.missing) == ("not_computable", (name,))


def test_bonsu_missing(ask: Ask) -> None:
    found = ask("bonsu2008", bonsu(900, 80, 55, 60, None, 3))
    assert (found.status, found.missing) == ("not_computable", ("blood_leukocytes",))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (age(18), "18 years"),
        ({"age_years": 0, "age_days": 28}, "29 days"),
        ({"csf_gram_stain": "negative"}, "Gram stain"),
        ({"tumor": "hematologic"}, "tumor"),
        ({"immunosuppressed": "yes"}, "immunosuppression"),
        ({"antibiotics_before_lp": "yes"}, "antibiotics"),
        ({"site": "cisternal"}, "lumbar"),
    ],
)
def test_bonsu_refusals(ask: Ask, change: Inputs, reason: str) -> None:
    found = ask("bonsu2008", bonsu(597, 74, 38, 97, 17000, 11), change)
    assert found.status == "refused" and reason in found.reason


# S5 Lancet consensus score ---------------------------------------------------------------------------------------


def tbm(
    appearance: str | None, cells: Any, pct: Any, protein: Any, ratio: Any, glucose: Any = None, **more: Any
) -> Inputs:
    return {
        "question": "infection", "csf_appearance": appearance, "csf_leukocytes": cells, "csf_lymphocytes_pct": pct,
        "csf_protein": protein, "glucose_ratio": ratio, "csf_glucose": glucose, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("inputs", "value", "span", "missing"),
    [
        (tbm("clear", 120, 80, 1500, 0.30), 4, None, ()),
        (tbm("clear", 10, 51, 1001, None, 2.1), 4, None, ()),
        (tbm("turbid", 500, 50, 1000, 0.50), 1, None, ()),
        (tbm("clear", 501, 40, 900, 0.62), 1, None, ()),
        (tbm(None, 120, 80, 1500, 0.30), 4, None, ("csf_appearance",)),
        (tbm(None, 120, 80, 900, None), None, (2, 4), ("csf_appearance", "glucose_ratio")),
        (tbm("clear", 501, 40, 900, 0.62, 2.1), 2, None, ()),
        (tbm("clear", 501, 40, 900, None, 2.2), None, (1, 2), ("glucose_ratio",)),
    ],
)
def test_tbm_subscore_without_a_class(
    ask: Ask, inputs: Inputs, value: float | None, span: tuple[float, float] | None, missing: tuple[str, ...]
) -> None:
    found = ask("lancet_tbm", inputs)
    assert (found.status, found.value, found.range, found.class_word) == ("computed", value, span, None)
    assert found.missing == missing
    assert "of 4" in found.text and "no class" in found.text


IMAGING = ("hydrocephalus", "basal_enhancement", "tuberculoma", "infarct", "basal_hyperdensity")


def domains(clinical: int, csf: int, imaging: int | None, elsewhere: int) -> Inputs:
    """Words that give these points; imaging None: not done."""
    found: Inputs = {"question": "infection", "tumor": "none"}
    chosen = {6: (10, "yes"), 4: (10, "no"), 2: (3, "yes"), 0: (3, "no")}[clinical]
    found |= {"symptom_duration_days": chosen[0], "lancet_systemic_symptoms": chosen[1]}
    others = ("contact_or_skin_test", "focal_deficit", "cranial_nerve_palsy", "altered_consciousness")
    found |= {f"lancet_{name}": "no" for name in others}
    true = [csf > place for place in range(4)]
    found |= {
        "csf_appearance": "clear" if true[0] else "turbid", "csf_leukocytes": 100 if true[1] else 600,
        "csf_lymphocytes_pct": 80 if true[2] else 20, "csf_protein": 1500 if true[3] else 500, "glucose_ratio": 0.7,
    }  # fmt: skip
    found["lancet_imaging_done"] = "no" if imaging is None else "yes"
    found |= {f"lancet_{name}": "no" for name in IMAGING}
    if imaging == 1:
        found["lancet_infarct"] = "yes"
    elif imaging == 2:
        found["lancet_tuberculoma"] = "yes"
    found["lancet_chest_radiograph"] = {0: "no_tuberculosis", 2: "active", 4: "miliary"}[elsewhere]
    return found | dict.fromkeys(
        ("lancet_extraneural_imaging", "lancet_acid_fast_elsewhere", "lancet_naat_elsewhere"), "no"
    )


@pytest.mark.parametrize(
    ("inputs", "total", "word"),
    [
        (domains(6, 4, None, 0), 10, "probable"),
        (domains(6, 4, 1, 0), 11, "possible"),
        (domains(6, 4, 2, 0), 12, "probable"),
        (domains(4, 1, None, 4), 9, "possible"),
        (domains(6, 1, 0, 4), 11, "possible"),
        (domains(6, 0, None, 4), 10, "undecided by the printed definition"),
        (domains(4, 1, None, 0), 5, "no class"),
    ],
)
def test_tbm_classes(ask: Ask, inputs: Inputs, total: int, word: str) -> None:
    found = ask("lancet_tbm", inputs)
    assert (found.value, found.range) == (total, None)
    assert found.class_word.startswith(word) and found.reason is None


@pytest.mark.parametrize(
    ("name", "value", "points"),
    [
        ("csf_appearance", "clear", 1), ("csf_leukocytes", 10, 1), ("csf_leukocytes", 9.9, 0),
        ("csf_leukocytes", 500, 1), ("csf_lymphocytes_pct", 50.1, 1), ("csf_protein", 1000.1, 1),
        ("glucose_ratio", 0.499, 1), ("csf_glucose", 2.19, 1), ("csf_glucose", 2.2, 0), ("symptom_duration_days", 5, 0),
        ("symptom_duration_days", 5.5, 4), ("lancet_systemic_symptoms", "yes", 2),
        ("lancet_contact_or_skin_test", "yes", 2),
        ("lancet_focal_deficit", "yes", 1), ("lancet_cranial_nerve_palsy", "yes", 1),
        ("lancet_altered_consciousness", "yes", 1), ("lancet_hydrocephalus", "yes", 1),
        ("lancet_basal_enhancement", "yes", 2), ("lancet_tuberculoma", "yes", 2), ("lancet_infarct", "yes", 1),
        ("lancet_basal_hyperdensity", "yes", 2), ("lancet_chest_radiograph", "active", 2),
        ("lancet_chest_radiograph", "miliary", 4), ("lancet_extraneural_imaging", "yes", 2),
        ("lancet_acid_fast_elsewhere", "yes", 4), ("lancet_naat_elsewhere", "yes", 4),
    ],
)  # fmt: skip
def test_tbm_points_of_each_item(ask: Ask, name: str, value: Any, points: int) -> None:
    assert ask("lancet_tbm", domains(0, 0, 0, 0), {name: value}).value == points


@pytest.mark.parametrize(("domain", "cap"), [("clinical", 6), ("imaging", 6), ("elsewhere", 4), ("csf", 4)])
def test_tbm_domains_are_capped(bench: Bench, ask: Ask, domain: str, cap: int) -> None:
    items = next(found.items for found in bench.scores.compiled if found.score.id == "lancet_tbm")
    true: Inputs = {
        "symptom_duration_days": 9, "csf_appearance": "clear", "csf_leukocytes": 100, "csf_lymphocytes_pct": 80,
        "csf_protein": 2000, "glucose_ratio": 0.2, "lancet_chest_radiograph": "miliary",
    }  # fmt: skip
    chosen = [item.about for item in items if item.group == domain and item.about is not None]
    assert ask("lancet_tbm", domains(0, 0, 0, 0), {name: true.get(name, "yes") for name in chosen}).value == cap


@pytest.mark.parametrize(
    ("inputs", "word"),
    [
        (domains(6, 0, None, 0), "possible"),
        (domains(4, 1, None, 0), "no class"),
        (domains(6, 2, 0, 4), "probable"),
        (domains(6, 1, 2, 4), "probable"),
        (domains(6, 1, 1, 4), "undecided by the printed definition"),
    ],
)
def test_tbm_class_limits(ask: Ask, inputs: Inputs, word: str) -> None:
    assert ask("lancet_tbm", inputs).class_word.startswith(word)


def test_tbm_open_items_give_a_range(ask: Ask) -> None:
    found = ask("lancet_tbm", domains(6, 4, 1, 0), lancet_chest_radiograph="not_stated")
    assert found.range == (11, 15) and found.class_word is None and "undecided between possible" in found.text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"lancet_imaging_done": "unknown"}, "imaging"),
        ({"lancet_focal_deficit": "unknown"}, "clinical domain"),
        ({"tumor": "solid"}, "malignancy"),
        ({"tumor": "hematologic"}, "malignancy"),
        ({"csf_cytology": "positive"}, "malignancy"),
        ({"csf_cytology": "suspicious"}, "malignancy"),
        ({"csf_cytology": "atypical"}, "malignancy"),
        ({"mri": "linear"}, "PC01"),
        ({"mri": "nodular"}, "malignancy"),
        ({"organism_fungal": "yes"}, "another cause"),
        ({"organism_viral": "yes"}, "another cause"),
    ],
)
def test_tbm_class_withheld(ask: Ask, change: Inputs, reason: str) -> None:
    found = ask("lancet_tbm", domains(6, 4, None, 0), change)
    assert (found.status, found.value, found.class_word) == ("computed", 4, None)
    assert reason in found.reason and reason in found.text


@pytest.mark.parametrize("proof", [{"csf_acid_fast_smear": "positive"}, {"organism_mycobacterial": "yes"}])
def test_tbm_definite_by_proof_in_csf(ask: Ask, proof: Inputs) -> None:
    found = ask("lancet_tbm", tbm("clear", 120, 80, 1500, 0.30, tumor="solid"), proof)
    assert found.class_word.startswith("definite")


def test_tbm_refused_and_not_computable(ask: Ask) -> None:
    assert ask("lancet_tbm", tbm("clear", 120, 80, 1500, 0.30, site="ventricular")).status == "refused"
    assert ask("lancet_tbm", question="infection").status == "not_computable"


# S6 Thwaites index -----------------------------------------------------------------------------------------------


def thwaites(years: int, blood: Any, days: Any, cells: Any, pct: Any, **more: Any) -> Inputs:
    return {
        **age(years), "question": "infection", "tumor": "none", "immunosuppressed": "no", "blood_leukocytes": blood,
        "symptom_duration_days": days, "csf_leukocytes": cells, "csf_neutrophils_pct": pct, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("inputs", "value", "side"),
    [
        (thwaites(30, 9000, 10, 200, 20), -5, "tuberculous side"),
        (thwaites(30, 18000, 2, 2000, 90), 11, "bacterial side"),
        (thwaites(60, 15000, 5, 900, 75), 13, "bacterial side"),
        (thwaites(36, 14999, 6, 899, 74), -3, "tuberculous side"),
        (thwaites(40, 16000, 7, 1200, 60), 4, "tuberculous side"),
        (thwaites(40, 9000, 5, 1200, 60), 5, "bacterial side"),
    ],
)
def test_thwaites(ask: Ask, inputs: Inputs, value: float, side: str) -> None:
    found = ask("thwaites2002", inputs)
    assert (found.value, found.class_word) == (value, side)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tumor": "solid"}, "tumor"),
        ({"tumor": "hematologic"}, "tumor"),
        ({"tumor": "primary_cns"}, "tumor"),
        (age(15), "16 to 64"),
        (age(65), "16 to 64"),
        ({"immunosuppressed": "yes"}, "immunosuppression"),
        ({"question": "lm"}, "differential"),
        ({"csf_cytology": "suspicious"}, "differential"),
        ({"organism_viral": "yes"}, "viral"),
        ({"site": "ventricular"}, "lumbar"),
    ],
)
def test_thwaites_refusals(ask: Ask, change: Inputs, reason: str) -> None:
    found = ask("thwaites2002", thwaites(50, 9000, 20, 10, 5), change)
    assert found.status == "refused" and reason in found.reason and found.value is None


@pytest.mark.parametrize("name", ["tumor", "immunosuppressed"])
def test_thwaites_unknown_population(ask: Ask, name: str) -> None:
    found = ask("thwaites2002", thwaites(50, 9000, 20, 10, 5), {name: "unknown"})
    assert (found.status, found.missing) == ("not_computable", (name,))


@pytest.mark.parametrize("name", ["blood_leukocytes", "symptom_duration_days", "csf_leukocytes", "csf_neutrophils_pct"])
def test_thwaites_missing(ask: Ask, name: str) -> None:
    found = ask("thwaites2002", thwaites(50, 9000, 20, 10, 5), {name: None})
    assert (found.status, found.missing) == ("not_computable", (name,))


# S8 CNS lymphoma markers -----------------------------------------------------------------------------------------

NEGATIVE = {"stated_borrelia_negative": "yes", "stated_syphilis_negative": "yes"}


@pytest.mark.parametrize(
    ("cxcl13", "il10", "more", "word"),
    [
        (150, 30, {"assay_comparable": "yes", **NEGATIVE}, "pattern of CNS lymphoma"),
        (150, 10, {"assay_comparable": "yes", **NEGATIVE}, "supports"),
        (116, 23, {"assay_comparable": "yes", **NEGATIVE}, "does not exclude"),
        (116.1, 23, {"assay_comparable": "yes", **NEGATIVE}, "supports"),
        (116, 23.01, {"assay_comparable": "yes", **NEGATIVE}, "supports"),
        (150, 30, {"assay_comparable": "yes"}, "supports"),
        (150, 30, {"assay_comparable": "yes", "stated_borrelia_negative": "yes"}, "supports"),
        (150, 10, {"csf_il10_limit": 8, **NEGATIVE}, "above the laboratory's own limit"),
        (150, 8, {"csf_il10_limit": 8, **NEGATIVE}, "not above the laboratory's own limit"),
    ],
)
def test_lymphoma_markers(ask: Ask, cxcl13: float, il10: float, more: Inputs, word: str) -> None:
    found = ask("cns_lymphoma_markers", {"csf_cxcl13": cxcl13, "csf_il10": il10, **more})
    assert (found.status, found.class_word) == ("computed", word)


def test_lymphoma_markers_suppressed_cxcl13_is_not_named_as_raised(ask: Ask) -> None:
    text = ask("cns_lymphoma_markers", csf_cxcl13=150, csf_il10=30, assay_comparable="yes").text
    assert text.startswith("IL-10 above the published cut-off") and "CXCL13 is not judged" in text


def test_lymphoma_markers_negative_speaks_only_of_what_is_judged(ask: Ask) -> None:
    found = ask("cns_lymphoma_markers", csf_cxcl13=150, csf_il10=10, assay_comparable="yes")
    assert found.class_word == "does not exclude"
    assert found.text.startswith("IL-10 10.0 pg/mL, not above the published cut-offs") and "150" not in found.text
    own = ask("cns_lymphoma_markers", csf_cxcl13=150, csf_il10=8, csf_il10_limit=8, **NEGATIVE)
    assert own.text.startswith("IL-10 8.0 pg/mL, not above the laboratory's own limit")


def test_lymphoma_markers_without_site_limit_are_values_only(ask: Ask) -> None:
    """SL57."""
    found = ask("cns_lymphoma_markers", csf_cxcl13=150, csf_il10=30, **NEGATIVE)
    assert (found.status, found.class_word) == ("not_computable", None)
    assert "150.0 pg/mL" in found.text and "3 to 23 pg/mL, assay-bound" in found.text


def test_lymphoma_markers_negative_after_steroid(ask: Ask) -> None:
    inputs = {"csf_cxcl13": 10, "csf_il10": 2, "assay_comparable": "yes", "steroid_before_lp": "yes", **NEGATIVE}
    assert "steroid" in ask("cns_lymphoma_markers", inputs).reason
    assert ask("cns_lymphoma_markers", inputs, csf_il10=30).class_word == "supports"


def test_lymphoma_markers_other_site(ask: Ask) -> None:
    assert ask("cns_lymphoma_markers", csf_il10=30, assay_comparable="yes", site="ventricular").status == "refused"


# S9 SAH rule-out -------------------------------------------------------------------------------------------------


def sah(erythrocytes: Any, appearance: str | None, days: Any = 2, alert: str = "yes", **more: Any) -> Inputs:
    return {
        **age(40), "question": "sah", "csf_erythrocytes": erythrocytes, "csf_appearance": appearance,
        "days_since_onset": days, "alert": alert, "last_tube": "yes", **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("inputs", "word"),
    [
        (sah(1999, "clear"), "aneurysmal SAH made very unlikely by this rule"),
        (sah(2000, "clear"), "not ruled out"),
        (sah(50, "xanthochromic"), "not ruled out, urgent"),
        (sah(5000, "bloody"), "not ruled out"),
        (sah(50, "clear", csf_bilirubin_absorbance=0.0071), "not ruled out, urgent (bilirubin raised)"),
        (sah(50, "clear", csf_bilirubin_absorbance=0.007), "aneurysmal SAH made very unlikely by this rule"),
    ],
)
def test_sah(ask: Ask, inputs: Inputs, word: str) -> None:
    found = ask("sah_ruleout", inputs)
    assert (found.status, found.class_word) == ("computed", word)


def test_sah_wording_keeps_the_lower_bound(ask: Ask) -> None:
    text = ask("sah_ruleout", sah(1999, "clear")).text
    assert "74.7-100" in text and "exclude" not in text


@pytest.mark.parametrize(
    ("inputs", "missing"),
    [
        (sah(300, None), ("csf_appearance",)),
        (sah(None, "clear"), ("csf_erythrocytes",)),
        (sah(300, "clear", alert="unknown"), ("alert",)),
        (sah(300, "clear", days=None), ("days_since_onset",)),
        (sah(300, "clear", age_years=None), ("age_years",)),
        (sah((0, 3000), "clear"), ("csf_erythrocytes",)),
    ],
)
def test_sah_missing(ask: Ask, inputs: Inputs, missing: tuple[str, ...]) -> None:
    found = ask("sah_ruleout", inputs)
    assert (found.status, found.missing) == ("not_computable", missing)


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        (sah(300, "clear", days=14), "14 days"),
        (sah(300, "clear", alert="no"), "not alert"),
        (sah(300, "clear", last_tube="unknown"), "last tube"),
        (sah(300, "clear", last_tube="no"), "last tube"),
        (sah(300, "clear", age_years=15), "16 years"),
        (sah(None, "bloody"), "bloody"),
        (sah(300, "clear", site="ventricular"), "lumbar"),
    ],
)
def test_sah_refusals(ask: Ask, inputs: Inputs, reason: str) -> None:
    found = ask("sah_ruleout", inputs)
    assert found.status == "refused" and reason in found.reason


def test_sah_bloody_sample_below_the_limit_is_not_read_as_clear(ask: Ask) -> None:
    found = ask("sah_ruleout", sah(1500, "bloody"))
    assert found.status == "not_computable" and "xanthochromia" in found.reason


@pytest.mark.parametrize("change", [{"alert": "no"}, {"days_since_onset": 20}, {"csf_erythrocytes": None}])
def test_sah_xanthochromia_is_said_whatever_the_rule_answers(ask: Ask, change: Inputs) -> None:
    """SL48."""
    text = ask("sah_ruleout", sah(50, "xanthochromic"), change).text
    assert text.startswith("Xanthochromic CSF: SAH not excluded, urgent.")


# S10 Gao 2022 ----------------------------------------------------------------------------------------------------

PREDICTORS: Inputs = {
    "skull_metastasis": "yes", "active_brain_metastasis": "no", "progressed_extracranial": "yes",
    "extracranial_organs": 2, "symptoms": 3, "csf_protein": 1200, "csf_glucose": 2.0,
}  # fmt: skip
SUSPECTED: Inputs = {"question": "lm", "tumor": "solid", "lm_suspected": "yes", **PREDICTORS}
MODELS = ("gao2022_a", "gao2022_b")


@pytest.mark.parametrize("model", MODELS)
def test_gao_without_a_file_is_never_a_number(ask: Ask, model: str) -> None:
    """SL50."""
    found = ask(model, SUSPECTED)
    assert (found.status, found.value, found.reason) == ("not_computable", None, "site must supply coefficients")
    assert "0." not in found.text
    assert "symptoms" in ask(model, SUSPECTED, symptoms=None).missing


@pytest.mark.parametrize("model", MODELS)
def test_gao_refuses_hematologic_disease_without_a_file_too(ask: Ask, model: str) -> None:
    assert ask(model, SUSPECTED, tumor="hematologic").status == "refused"
    assert ask(model, SUSPECTED, lm_suspected="no").status == "refused"


def loaded(edition: Edition, *texts: str) -> Bench:
    models = read_coefficients({f"{number}.yaml": text for number, text in enumerate(texts)}, edition)
    return bench_of(with_site(edition, models=models))


@pytest.fixture(scope="module")
def zero(edition: Edition) -> Bench:
    return loaded(edition, *(coefficient_file(model) for model in MODELS))


@pytest.mark.parametrize("model", MODELS)
def test_gao_all_zero_gives_one_half(zero: Bench, model: str) -> None:
    found = zero.ask(model, SUSPECTED)
    assert found is not None and (found.status, found.value) == ("computed", 0.5)
    for part in ("one center", "own_refit", "site-1", "A. Tester", "does not change LM certainty", "Solid tumor"):
        assert part in found.text


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tumor": "hematologic"}, "solid tumors"),
        ({"tumor": "primary_cns"}, "solid tumors"),
        ({"tumor": "none"}, "solid tumors"),
        ({"tumor": "unknown"}, "tumor class not stated"),
        ({"lm_suspected": "unknown"}, "suspicion"),
        ({"lm_suspected": "no"}, "suspicion"),
        ({"site": "ventricular"}, "lumbar"),
        ({"skull_metastasis": "unknown"}, "predictor"),
        ({"extracranial_organs": None}, "predictor"),
        ({"symptoms": 2.5}, "predictor"),
    ],
)
def test_gao_refusals(zero: Bench, model: str, change: Inputs, reason: str) -> None:
    inputs = {name: value for name, value in {**SUSPECTED, **change}.items() if value is not None}
    found = zero.ask(model, inputs)
    assert found is not None and (found.status, found.value) == ("refused", None)
    assert reason in found.reason


def test_gao_b_needs_csf_and_a_does_not(zero: Bench) -> None:
    inputs = {name: value for name, value in SUSPECTED.items() if not name.startswith("csf_")}
    a, b = zero.ask("gao2022_a", inputs), zero.ask("gao2022_b", inputs)
    assert a is not None and a.status == "computed"
    assert b is not None and (b.status, b.missing) == ("refused", ("csf_protein", "csf_glucose"))


def test_gao_uses_the_units_and_codings_of_the_file(edition: Edition) -> None:
    """csf_protein as ln(mg/dL), csf_glucose 1 from 2.5 mmol/L on, organs capped at 3; p rounded to 0.01."""
    p = [1 / (1 + np.exp(1.0 - 0.1 * (2 + organs + 2 + np.log(100)))) for organs in (1, 3)]
    bench = loaded(edition, coefficient_file("gao2022_b", 0.1, -1.0, (p[0], p[1])))
    for inputs, x in (
        ({"csf_protein": 1200, "csf_glucose": 2.0}, 2 + 2 + 3 + np.log(120)),
        ({"csf_protein": 1200, "csf_glucose": 2.5}, 2 + 2 + 3 + np.log(120) + 1),
        ({"csf_protein": 1200, "csf_glucose": 2.0, "extracranial_organs": 9}, 2 + 3 + 3 + np.log(120)),
    ):
        found = bench.ask("gao2022_b", {**SUSPECTED, **inputs})
        assert found is not None and found.value == pytest.approx(round(1 / (1 + np.exp(1.0 - 0.1 * x)), 2), abs=1e-12)
    zero_protein = bench.ask("gao2022_b", {**SUSPECTED, "csf_protein": 0})
    assert zero_protein is not None and zero_protein.status == "refused"


@pytest.mark.parametrize("model", MODELS)
def test_gao_digitized_figure_is_rounded_to_5_percent(edition: Edition, model: str) -> None:
    p = 1 / (1 + np.exp(-0.3))
    text = unsigned(model, 0.0, 0.3, (p, p)).replace("own_refit", "digitized_figure")
    bench = loaded(edition, signed(text.replace("digitizing_error: null", "digitizing_error: 0.02")))
    found = bench.ask(model, SUSPECTED)
    assert found is not None and found.value == 0.55 and "digitized_figure" in found.text


# All scores ------------------------------------------------------------------------------------------------------


def test_nothing_is_asked_of_a_plain_panel(bench: Bench) -> None:
    plain = {"tumor": "none", "csf_leukocytes": 2, "csf_protein": 300, "question": "gbs"}
    for compiled in bench.scores.compiled:
        assert bench.ask(compiled.score.id, plain) is None, compiled.score.id


def test_scores_off_by_default_need_the_site(edition: Edition) -> None:
    plain = bench_of(edition)
    assert plain.ask("spanos1989", spanos(10, 2, 10, 0.3, 800)) is None
    assert plain.ask("bonsu2008", bonsu(597, 74, 38, 97, 17000, 11)) is None
    assert plain.ask("thwaites2002", thwaites(30, 9000, 10, 200, 20)) is None
    assert plain.ask("pan2018", pan(1, 2, 4, "negative", 0)) is not None


def test_only_the_gao_files_speak_of_a_probability_of_lm(bench: Bench) -> None:
    """SL54."""
    for compiled in bench.scores.compiled:
        said = " ".join(compiled.score.texts.values())
        assert ("Probability of leptomeningeal" in said) == compiled.score.id.startswith("gao2022")


def test_every_formula_has_an_entry(edition: Edition) -> None:
    assert {score.function for score in edition.scores} == set(FUNCTIONS)


def test_an_entry_that_does_not_fit_its_formula_is_refused(edition: Edition) -> None:
    broken = [replace(score, constants={}) for score in edition.scores if score.id == "pan2018"]
    with pytest.raises(EditionError, match="pan2018"):
        bench_of(replace(edition, scores=tuple(broken)))


def test_panels_are_independent_bit_by_bit(bench: Bench) -> None:
    """The same panel gives the same bits alone, in a pair and in any chunk."""
    random = np.random.default_rng(3)
    panels: list[Inputs] = []
    for number in range(257):
        inputs = (
            spanos(float(random.integers(2, 80)), int(random.integers(1, 13)), int(random.integers(1, 29)),
                   float(random.uniform(0.05, 0.7)), float(random.uniform(0, 5000))),
            pan(1, 1, 1, "atypical", None),
            bms(6, "negative", float(random.integers(0, 3000)), 450, 7000, "no"),
            domains(6, 4, 1, 0),
        )[number % 4]  # fmt: skip
        panels.append(inputs)
    whole = bench.run(panels)
    for start, size in ((0, 1), (8, 1), (3, 2), (17, 5), (64, 63), (100, 157)):
        part = bench.run(panels[start : start + size])
        for name in ("status", "low", "high", "first", "last", "refusal", "why"):
            expected = getattr(whole, name)[:, start : start + size]
            assert getattr(part, name).tobytes() == np.ascontiguousarray(expected).tobytes(), name
