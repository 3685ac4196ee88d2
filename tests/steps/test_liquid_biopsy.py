"""What may and may not be said of ctDNA, captured cells and markers: lm_evidence.md 10 and 11, scores.md S8."""

from __future__ import annotations

import re
from typing import Any

import pytest

from csfinterp.knowledge import apply_site_rules
from csfinterp.model.edition import SiteRules
from csfinterp.steps.pipeline import Core
from tests.making import albumin_pair, interpreting, quantity, truth, word
from tests.steps.reading import sent

FORBIDDEN = re.compile(r"\bconfirmed\b|\bprobable\b|\d\s*%|\bLM (is )?excluded|\bno tumor\b(?!-derived)", re.I)
UNCHANGED = re.compile(r"(certainty )?level is unchanged", re.I)
SOLID = {"tumor": "solid", "mri": "normal", "clinical_signs": "other"}


def texts(answer: dict) -> str:
    return " ".join(one["text"] for one in answer["liquid_biopsy"]["statements"])


def say(interpret, context: dict[str, Any] | None = None, **values: Any) -> str:
    found = texts(interpret(sent(**values, context={**SOLID, **(context or {})})))
    assert not FORBIDDEN.search(found), found
    return found


# ctDNA


def test_ctdna_detected(interpret):
    found = say(interpret, ctdna="detected", cytology="negative")
    assert "Tumor-derived DNA was found in CSF" in found
    assert "supports tumor involvement of the CSF space" in found
    assert UNCHANGED.search(found)


def test_ctdna_not_detected(interpret):
    assert re.search("does not exclude LM", say(interpret, ctdna="not_detected"))


def test_ctdna_failed(interpret):
    found = say(interpret, ctdna="failed")
    assert re.search(r"no result; not a negative", found, re.I)
    assert not re.search(r"\bLM\b|leptomeningeal", found)


def test_plasma_ctdna(interpret):
    found = say(interpret, plasma_ctdna="detected", protein=300)
    assert re.search("says nothing about the CSF space", found)
    assert not re.search(r"support", found)


VARIANT = {"gene": "ERBB2", "hgvs": "p.V777L", "vaf_pct": 12.5}


@pytest.mark.parametrize(("plasma", "also"), [(None, None), ([VARIANT], True), ([], False)])
def test_variants_are_listed_as_reported(interpret, plasma, also):
    observations = [word("csf_ctdna", "detected", variants=[VARIANT])]
    if plasma is not None:
        value = "detected" if plasma else "not_detected"
        observations.append(word("plasma_ctdna", value, **({"variants": plasma} if plasma else {})))
    found = interpret(sent(*observations, context=SOLID))["liquid_biopsy"]["variants"]
    assert found[0] == {"analyte": "csf_ctdna", **VARIANT, "also_in_plasma": also}


def test_a_variant_of_csf_only_is_context(interpret):
    observations = (word("csf_ctdna", "detected", variants=[VARIANT]), word("plasma_ctdna", "not_detected"))
    answer = interpret(sent(*observations, context=SOLID))
    spoken = [one for one in answer["recommendations"] if "may guide" in one["text"]]
    assert [one["context_only"] for one in spoken] == [True]
    assert "may guide" not in texts(answer)


# Captured cells: cut-offs are bound to the platform

CUT_OFFS = {"CellSearch": 1.0, "EpCAM immunoflow": 0.9}


@pytest.mark.parametrize("platform", CUT_OFFS)
@pytest.mark.parametrize("step", [-0.1, 0.0, 0.1])
def test_cut_off_of_the_platform(interpret, platform, step):
    """At or above: CellSearch >= 1 /mL, EpCAM immunoflow >= 0.9 /mL."""
    value = round(CUT_OFFS[platform] + step, 3)
    answer = interpret(sent(ctc=value, cytology="negative", context={**SOLID, "csf_ctc_platform": platform}))
    assert truth(answer, "tumor_cells_captured") == ("true" if step >= 0 else "false")
    found = texts(answer)
    assert not FORBIDDEN.search(found)
    if step >= 0:
        assert re.search("supports LM", found)
        assert re.search("repeat cytology", found, re.I)
        assert "R-N05" in {one["rule"] for one in answer["recommendations"]}
    else:
        assert re.search("does not exclude LM", found)
        assert "R-N05" not in {one["rule"] for one in answer["recommendations"]}
    assert answer["lm"]["certainty"] == "lack_of_evidence"


def test_the_two_platforms_never_substitute_each_other(interpret):
    """0.95 /mL lies between 0.9 and 1.0."""
    for platform, expected in (("EpCAM immunoflow", "true"), ("CellSearch", "false")):
        answer = interpret(sent(ctc=0.95, context={**SOLID, "csf_ctc_platform": platform}))
        assert truth(answer, "tumor_cells_captured") == expected


@pytest.mark.parametrize("platform", [None, "CNSide", "house method"])
@pytest.mark.parametrize("value", [0, 0.95, 500])
def test_no_platform_or_another_one_no_judgment(interpret, platform, value):
    context = {**SOLID, **({"csf_ctc_platform": platform} if platform else {})}
    answer = interpret(sent(ctc=value, context=context))
    assert truth(answer, "tumor_cells_captured") == "unknown"
    found = texts(answer)
    assert re.search("without judgment", found)
    assert not re.search(r"support|exclude|cut-off of the", found)
    assert "R-N05" not in {one["rule"] for one in answer["recommendations"]}


@pytest.mark.parametrize("tumor", ["hematologic", "primary_cns"])
def test_epcam_is_not_informative_in_epcam_negative_tumors(interpret, tumor):
    answer = interpret(sent(ctc=0, context={"tumor": tumor, "csf_ctc_platform": "CellSearch"}))
    assert re.search(r"not informative.*EpCAM-negative", texts(answer))


@pytest.mark.parametrize("primary", ["melanoma", "sarcoma"])
def test_epcam_is_not_informative_in_melanoma_and_sarcoma(interpret, primary):
    """Table of section 10: "melanoma, sarcoma, glioma, lymphoma: not informative (EpCAM-negative)"; interfaces.md lets
    rules read breast and lung only, so what must not happen is that a low number speaks against LM."""
    answer = interpret(sent(ctc=0, context={"tumor": {"class": "solid", "primary": primary},
                                            "csf_ctc_platform": "CellSearch"}))  # fmt: skip
    assert re.search("does not exclude|not informative", texts(answer))
    assert not FORBIDDEN.search(texts(answer))


def test_epcam_flow_needs_its_panel_stated(interpret):
    """RU7, and "Type I" may not be said."""
    stated = interpret(sent(flow="positive", cytology="negative", context={**SOLID, "csf_flow_panel": "epithelial"}))
    assert re.search("EpCAM flow.*supports LM", texts(stated))
    assert stated["lm"]["certainty"] == "lack_of_evidence"
    assert "EpCAM" not in texts(interpret(sent(flow="positive", cytology="negative", context=SOLID)))


# Tumor markers


@pytest.mark.parametrize(("value", "above"), [(4.9, False), (5, True), (900, True)])
def test_cea_cut_off_of_one_lung_study(interpret, value, above):
    """TM1, TM2."""
    answer = interpret(sent(cea=value, context=SOLID))
    found = texts(answer)
    assert truth(answer, "cea_above_lung_cutoff") == ("true" if above else "false")
    assert re.search("published lung-cancer cut-off", found)
    assert bool(UNCHANGED.search(found)) is above
    assert not FORBIDDEN.search(found)


@pytest.mark.parametrize(("csf", "expected"), [(0.2, 2.0), (0.05, 0.5)])
def test_marker_index_against_serum_and_albumin(interpret, csf, expected):
    """TM3: (CSF CEA / serum CEA) / (CSF albumin / serum albumin); serum CEA 10, albumin quotient 10e-3."""
    answer = interpret(sent(*albumin_pair(10), cea=csf, serum_cea=10, context=SOLID))
    found = texts(answer)
    assert bool(re.search("suggests local release", found)) is (expected > 1)
    assert re.search("no published limit", found, re.I)
    assert re.search(rf"\b{expected:.1f}", found)


def test_no_serum_no_index(interpret):
    """TM4, R-N08."""
    answer = interpret(sent(cea=8, context=SOLID))
    assert re.search("no marker index", texts(answer))
    assert "R-N08" in {one["rule"] for one in answer["recommendations"]}


def test_serum_marker_alone(interpret):
    """TM5."""
    assert re.search("serum marker alone says nothing about CSF", texts(interpret(sent(serum_cea=80, protein=300))))


# Lymphoma markers (scores.md S8)

LIMITS = {"csf_cxcl13": "116 pg/mL", "csf_il10": "23 pg/mL"}
NEGATIVE = {"stated": ["borrelia_negative", "syphilis_negative"]}
LYMPHOMA = {"tumor": {"class": "hematologic", "diagnosis": "lymphoma"}, "question": "lm"}


def site(edition, **choices: Any):
    core = Core(apply_site_rules(edition, SiteRules("s", "sha256:0", **choices)))
    return interpreting(core)


@pytest.fixture(scope="module")
def comparable(edition):
    return site(edition, assay_comparable=True, limit_texts=LIMITS)


def markers(answer: dict) -> str:
    """What the statements and the score say of the lymphoma markers."""
    score = [one["text"] for one in answer["scores"] if one["id"] == "cns_lymphoma_markers"]
    return " ".join((texts(answer), *score))


@pytest.mark.parametrize(
    ("cxcl13", "il10", "context", "says", "never"),
    [
        (150, 30, NEGATIVE, "pattern of CNS lymphoma", "does not exclude"),
        (150, 10, NEGATIVE, "supports", "pattern of CNS lymphoma"),
        (116, 23, NEGATIVE, "does not exclude", "supports|pattern of CNS lymphoma"),
        (150, 30, {}, "supports", "pattern of CNS lymphoma"),
    ],
)
def test_printed_vectors(comparable, cxcl13, il10, context, says, never):
    found = markers(comparable(sent(cxcl13=cxcl13, il10=il10, context={**LYMPHOMA, **context})))
    assert re.search(says, found)
    assert not re.search(never, found)


def test_infection_open_suppresses_only_cxcl13(comparable):
    found = markers(comparable(sent(cxcl13=150, il10=30, context=LYMPHOMA)))
    assert re.search(r"Borrelia and syphilis", found)
    assert re.search(r"IL-10.*supports", found)


def test_assays_not_comparable_give_values_only(edition):
    found = markers(site(edition, limit_texts=LIMITS)(sent(cxcl13=150, il10=30, context={**LYMPHOMA, **NEGATIVE})))
    assert re.search("values? only", found)
    assert not re.search(r"supports|pattern of CNS lymphoma|does not exclude", found)


def test_no_site_limit_no_judgment(interpret):
    """SL57: the value and "published cut-offs 3 to 23 pg/mL, assay-bound"."""
    answer = interpret(sent(cxcl13=150, il10=30, context={**LYMPHOMA, **NEGATIVE}))
    found = markers(answer)
    assert re.search("published cut-offs 3 to 23 pg/mL, assay-bound", found)
    assert not re.search(r"supports|pattern of CNS lymphoma|does not exclude", found)
    assert truth(answer, "lymphoma_markers_raised") == "unknown"


@pytest.mark.parametrize("place", ["ventricular", "cisternal"])
def test_other_sites_are_refused(comparable, place):
    found = markers(comparable(sent(cxcl13=150, il10=30, site=place, context={**LYMPHOMA, **NEGATIVE})))
    assert not re.search(r"supports|pattern of CNS lymphoma|does not exclude", found)


def test_steroid_makes_a_negative_unusable(comparable):
    context = {**LYMPHOMA, **NEGATIVE, "steroid_before_lp": True}
    found = markers(comparable(sent(cxcl13=50, il10=5, context=context)))
    assert not re.search("does not exclude", found)
    assert re.search("steroid", found, re.I)


def test_the_site_limit_decides_not_the_published_one(edition):
    strict = site(edition, assay_comparable=True, limit_texts={"csf_il10": "50 pg/mL", "csf_cxcl13": "200 pg/mL"})
    found = texts(strict(sent(cxcl13=150, il10=30, context={**LYMPHOMA, **NEGATIVE})))
    assert not re.search(r"supports|pattern of CNS lymphoma", found)


def test_a_site_may_state_its_own_platform(edition):
    own = site(edition, platform_texts={"cnside": "2 /mL"})
    for value, expected in ((1.9, "false"), (2, "true")):
        answer = own(sent(quantity("csf_ctc", value, "/mL"), context={**SOLID, "csf_ctc_platform": "CNSide"}))
        assert truth(answer, "tumor_cells_captured") == expected


def test_every_statement_has_source_and_status(edition):
    for entry in edition.statements:
        assert entry.citations, entry.id
        assert entry.status in ("primary", "secondary", "recalled", "derived", "ours")
