"""profiles.md: the test vectors of section 9, the printed shares of sections 2 and 3, wording of sections 5 to 8."""

from __future__ import annotations

import json
import re

import pytest

from csfinterp.knowledge import apply_site_rules
from csfinterp.model.edition import SiteRules
from csfinterp.steps.pipeline import Core
from tests.making import albumin_pair, flag, interpreting, marker, panel, profile, quality, quantity, word

NORMAL_COUNTS = "8 to 50 %"
OBLIGATORY = (
    "Published shares come from patients with positive cytology and no control group; the same changes occur in "
    "bacterial, tuberculous and fungal meningitis, sarcoidosis and other disease. Agreement does not raise and "
    "disagreement does not lower the LM certainty."
)
HIGH = {"csf_leukocytes": ("/uL", 12), "csf_protein": ("mg/L", 900), "csf_lactate": ("mmol/L", 3.0)}
NORMAL = {"csf_leukocytes": ("/uL", 2), "csf_protein": ("mg/L", 300), "csf_lactate": ("mmol/L", 1.8)}


def values(quotient: str | None = None, **levels: str) -> list:
    """Observations by level: leukocytes="H", protein="N" ...; `quotient` above or normal makes an albumin pair."""
    sent = []
    for name, level in levels.items():
        unit, number = (HIGH if level == "H" else NORMAL)[f"csf_{name}"]
        sent.append(quantity(f"csf_{name}", number, unit))
    if quotient:
        sent += albumin_pair(20.0 if quotient == "above" else 4.0)
    return sent


def both(answer, tumor):
    return {"solid": ["solid_tumor"], "hematologic": ["hematologic"]}.get(tumor, ["solid_tumor", "hematologic"])


# Section 9, row by row: tumor, observations, site, abnormal, evaluable.
VECTORS = {
    "three_of_four": ("solid", values("above", leukocytes="H", protein="H", lactate="N"), "lumbar", 3, 4),
    "normal_count": ("solid", values("above", leukocytes="N", protein="H", lactate="H"), "lumbar", 3, 4),
    "all_normal": ("solid", values("normal", leukocytes="N", protein="N", lactate="N"), "lumbar", 0, 4),
    "hematologic_two": ("hematologic", values(leukocytes="H", protein="H"), "lumbar", 2, 2),
    "ventricular": ("solid", values("above", leukocytes="H", protein="H", lactate="H"), "ventricular", 2, 2),
    "glucose_high": ("solid", [quantity("csf_glucose", 9.0, "mmol/L"), *values(leukocytes="N")], "lumbar", 0, 1),
    "glucose_low": ("solid", [quantity("csf_glucose", 1.5, "mmol/L"), *values(leukocytes="N", protein="N",
    lactate="N")],
                    "lumbar", 0, 3),
    "primary_cns": ("primary_cns", values("above", leukocytes="H", protein="H", lactate="H"), "lumbar", 4, 4),
    "unknown": ("unknown", values(leukocytes="H"), "lumbar", 1, 1),
    "comparator": ("solid", [quantity("csf_leukocytes", "<5", "/uL")], "lumbar", 0, 0),
}  # fmt: skip


def vector(interpret, name, **context):
    tumor, sent, site, _, _ = VECTORS[name]
    question = {"question": "lm"} if name == "unknown" else {}
    return interpret(panel(*sent, site=site, context={"tumor": tumor, **question, **context}))


@pytest.mark.parametrize("name", VECTORS)
def test_abnormal_and_evaluable(interpret, name):
    tumor, _, _, abnormal, evaluable = VECTORS[name]
    answer = vector(interpret, name)
    for one in both(answer, tumor):
        assert (profile(answer, one)["abnormal"], profile(answer, one)["evaluable"]) == (abnormal, evaluable)


def test_lactate_differs_and_names_its_share(interpret):
    found = marker(vector(interpret, "three_of_four"), "csf_lactate", "solid_tumor")
    assert (found["agreement"], found["truth"], found["flag"], found["cohort_share"]) == ("differs", "false", "N", 0.68)


def test_normal_count_carries_the_sentence(interpret):
    answer = vector(interpret, "normal_count")
    assert NORMAL_COUNTS in json.dumps(answer, ensure_ascii=False)


def test_all_normal_says_that_nothing_is_excluded(interpret):
    text = profile(vector(interpret, "all_normal"), "solid_tumor")["text"]
    assert "A wholly normal routine panel does not exclude LM." in text


@pytest.mark.parametrize("name", ["hematologic_two", "ventricular", "glucose_high", "unknown"])
def test_few_markers(interpret, name):
    tumor = VECTORS[name][0]
    answer = vector(interpret, name)
    assert all("few markers available" in profile(answer, one)["text"].lower() for one in both(answer, tumor))


@pytest.mark.parametrize("name", ["three_of_four", "all_normal", "glucose_low"])
def test_three_markers_are_not_few(interpret, name):
    answer = vector(interpret, name)
    assert "few markers" not in profile(answer, "solid_tumor")["text"].lower()


def test_ventricular_sample_says_its_site(interpret):
    answer = vector(interpret, "ventricular")
    assert "nonlumbar_site" in quality(answer)
    assert flag(answer, "csf_protein") == (None, "no_interval_for_site")
    assert marker(answer, "csf_protein", "solid_tumor")["agreement"] == "not_evaluable"


@pytest.mark.parametrize("name", ["glucose_high", "glucose_low"])
@pytest.mark.parametrize("one", ["solid_tumor", "hematologic"])
def test_glucose_is_shown_disputed_and_not_scored(interpret, name, one):
    found = marker(vector(interpret, name), "csf_glucose", one)
    assert (found["scored"], found["disputed"]) == (False, True)
    assert "77 % of 212 and 17 of 34" in found["note"]


@pytest.mark.parametrize("name", [*VECTORS])
def test_profile_never_moves_the_certainty(interpret, name):
    """Steps 10 and 12: the level is that of the same context with nothing measured but one protein."""
    tumor, _, site, _, _ = VECTORS[name]
    context = {"mri": "linear", "clinical_signs": "typical"}
    bare = interpret(panel(word("csf_appearance", "clear"), site=site, context={"tumor": tumor, **context}))
    assert vector(interpret, name, **context)["lm"] == bare["lm"]


def test_primary_cns_has_no_profile(interpret):
    answer = vector(interpret, "primary_cns")
    assert {one["id"]: one["applicability"] for one in answer["profiles"]} == {
        "hematologic": "does_not_apply", "solid_tumor": "does_not_apply",
    }  # fmt: skip
    assert "profile" not in json.dumps(answer["summary"])


def test_unknown_tumor_makes_no_choice(interpret):
    answer = vector(interpret, "unknown")
    assert {one["applicability"] for one in answer["profiles"]} == {"unknown"}


APPLIES = [("hematologic", "applies", "does_not_apply"), ("solid", "does_not_apply", "applies"),
           ("none", "does_not_apply", "does_not_apply"), ("primary_cns", "does_not_apply", "does_not_apply"),
           ("unknown", "unknown", "unknown")]  # fmt: skip


@pytest.mark.parametrize(("tumor", "hematologic", "solid"), APPLIES)
def test_both_profiles_are_always_returned(interpret, tumor, hematologic, solid):
    answer = interpret(panel(*values(leukocytes="H"), context={"tumor": tumor}))
    assert [one["id"] for one in answer["profiles"]] == ["hematologic", "solid_tumor"]
    assert [one["applicability"] for one in answer["profiles"]] == [hematologic, solid]
    assert all(one["reason"] for one in answer["profiles"] if one["applicability"] == "does_not_apply")


def test_censored_count_is_not_evaluable(interpret):
    assert marker(vector(interpret, "comparator"), "csf_leukocytes", "solid_tumor")["agreement"] == "not_evaluable"
    answer = interpret(panel(quantity("csf_leukocytes", ">10", "/uL"), context={"tumor": "solid"}))
    assert marker(answer, "csf_leukocytes", "solid_tumor")["agreement"] == "agrees"


def test_censored_count_is_evaluable_where_the_site_calls_it_normal(edition):
    """Last row of section 9: "<5" is normal by the site's own range (named option wbc_le5: 0 to 5)."""
    site = Core(apply_site_rules(edition, SiteRules("test", "sha256:0", ("wbc_le5",))))
    found = profile(vector(interpreting(site), "comparator"), "solid_tumor")
    assert (found["abnormal"], found["evaluable"]) == (0, 1)


# Sections 2 and 3: the printed shares.
SHARES = {
    "hematologic": {"csf_leukocytes": (0.92, 37, "primary"), "albumin_quotient": (0.92, 37, "secondary"),
                    "csf_protein": (0.89, 37, "secondary"), "csf_lactate": (0.48, None, "secondary"),
                    "csf_glucose": (0.54, 37, "secondary")},
    "solid_tumor": {"csf_leukocytes": (0.79, 76, "primary"), "albumin_quotient": (0.80, 76, "secondary"),
                    "csf_protein": (0.82, 76, "secondary"), "csf_lactate": (0.68, 76, "secondary"),
                    "csf_glucose": (0.57, 76, "secondary")},
}  # fmt: skip
CASES = [(one, name, *row) for one, rows in SHARES.items() for name, row in rows.items()]


@pytest.mark.parametrize(("one", "name", "share", "n", "status"), CASES)
def test_share_of_every_marker(interpret, one, name, share, n, status):
    found = marker(interpret(panel(*values(leukocytes="H"))), name, one)
    assert (found["cohort_share"], found["cohort_n"], found["status"]) == (share, n, status)
    assert found["scored"] is (name != "csf_glucose")
    assert "cytology" in found["entry_criterion"]
    assert found["citations"]


@pytest.mark.parametrize("one", SHARES)
def test_four_scored_markers_and_one_glucose_line(interpret, one):
    markers = [found for found in profile(interpret(panel(*values(leukocytes="H"))), one)["markers"]]
    assert {found["id"] for found in markers if found["scored"]} == {
        "csf_leukocytes",
        "albumin_quotient",
        "csf_protein",
        "csf_lactate",
    }
    assert [found["id"] for found in markers if found["disputed"]] == ["csf_glucose"]


def test_note_l_of_the_hematologic_lactate(interpret):
    found = marker(
        interpret(panel(*values(lactate="H"), context={"tumor": "hematologic"})), "csf_lactate", "hematologic"
    )
    assert "denominator unknown, below 37 patients" in found["note"]


@pytest.mark.parametrize("tumor", ["solid", "hematologic", "none", "unknown", "primary_cns"])
@pytest.mark.parametrize("level", ["H", "N"])
def test_obligatory_sentence_stands_under_every_profile(interpret, tumor, level):
    answer = interpret(panel(*values(leukocytes=level, protein=level), context={"tumor": tumor}))
    assert all(one["caution"] == OBLIGATORY for one in answer["profiles"])


def test_nothing_evaluable(interpret):
    answer = interpret(panel(word("csf_appearance", "clear"), context={"tumor": "solid"}))
    found = profile(answer, "solid_tumor")
    assert (found["abnormal"], found["evaluable"]) == (0, 0)
    assert "not evaluable" in found["text"].lower()


FORBIDDEN = re.compile(r"sensitiv|likelihood|probab|typical of|suggests LM|excludes|score of|match of", re.IGNORECASE)


@pytest.mark.parametrize("name", VECTORS)
def test_forbidden_words(interpret, name):
    assert not FORBIDDEN.search(json.dumps(vector(interpret, name)["profiles"], ensure_ascii=False))


@pytest.mark.parametrize(("rbc", "marked"), [(999, False), (1000, True), (200_000, True)])
def test_blood_is_marked_and_never_changes_a_mark(interpret, rbc, marked):
    sent = [*values(leukocytes="H", protein="H"), quantity("csf_erythrocytes", rbc, "/uL")]
    found = [marker(interpret(panel(*sent)), name, "solid_tumor") for name in ("csf_leukocytes", "csf_protein")]
    assert [one["agreement"] for one in found] == ["agrees", "agrees"]
    assert [("blood may contribute" in (one["note"] or "")) for one in found] == [marked, marked]


def test_barrier_marker_reads_the_age_limit(interpret):
    def found(age):
        return marker(interpret(panel(*albumin_pair(7.0), age=age)), "albumin_quotient", "solid_tumor")["agreement"]

    assert (found("30 a"), found("60 a"), found(None)) == ("agrees", "differs", "not_evaluable")
