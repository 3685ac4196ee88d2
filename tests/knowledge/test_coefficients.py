"""Coefficient files of the Gao models: read or refused as a whole, with file and line (scores.md S10, SL51)."""

from __future__ import annotations

import math

import pytest

from csfinterp.errors import EditionError
from csfinterp.knowledge.coefficients import probability, read_coefficient_file, read_coefficients, signature_of
from csfinterp.model.edition import Edition
from tests.coefficient_files import coefficient_file, signed, unsigned

BOTH = ("gao2022_a", "gao2022_b")


def logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def refused(text: str, edition: Edition, *, sign: bool = True) -> str:
    with pytest.raises(EditionError) as slip:
        read_coefficient_file(signed(text) if sign else text, "gao.yaml", edition)
    assert slip.value.file == "gao.yaml"
    assert slip.value.line is not None
    return str(slip.value)


@pytest.mark.parametrize("model", BOTH)
def test_all_zero_gives_one_half(model: str, edition: Edition) -> None:
    found = read_coefficient_file(coefficient_file(model), "gao.yaml", edition)
    assert found.model == model
    assert [one.name for one in found.predictors][:5] == [
        "skull_metastasis", "active_brain_metastasis", "progressed_extracranial", "extracranial_organs", "symptoms"
    ]  # fmt: skip
    inputs = {one.name: 1.0 for one in found.predictors}
    assert probability(found, inputs) == 0.5


def test_terms_are_coded_as_stated(edition: Edition) -> None:
    """Cap of a count, natural logarithm, cutoff at or above."""
    # 1 + 0 + 1 + organs (1, capped at 3) + 2 symptoms + ln 100 + (2.0 >= 2.5)
    p = tuple(logistic(-1 + 0.1 * (2 + organs + 2 + math.log(100) + 0)) for organs in (1, 3))
    text = coefficient_file("gao2022_b", 0.1, -1.0, (p[0], p[1]))
    found = read_coefficient_file(text, "gao.yaml", edition)
    inputs = dict.fromkeys((one.name for one in found.predictors), 0.0) | {"csf_protein": 1.0}
    assert probability(found, inputs | {"csf_glucose": 2.49}) == pytest.approx(logistic(-1))
    assert probability(found, inputs | {"csf_glucose": 2.5}) == pytest.approx(logistic(-0.9))


@pytest.mark.parametrize("model", BOTH)
def test_every_field_is_needed(model: str, edition: Edition) -> None:
    lines = unsigned(model).splitlines(keepends=True)
    keys = [number for number, line in enumerate(lines) if not line.startswith(" ")]
    for number in keys:
        if lines[number].startswith(("predictors:", "self_test:")):
            continue
        key = lines[number].split(":")[0]
        kept = "".join(line for place, line in enumerate(lines) if place != number)
        assert key in refused(kept, edition), key


@pytest.mark.parametrize(
    ("part", "instead", "said"),
    [
        (', unit: "mg/dL"', "", "unit"),
        ('unit: "mg/dL"', 'unit: "mmHg"', "not accepted"),
        ('unit: "mg/dL"', 'unit: "mmol/L"', "not accepted"),
        ("transform: log, ", "", "transform"),
        ("transform: log", "transform: square", "must be one of"),
        ("cutoff: 2.5", "cutoff: null", "cutoff"),
        ("transform: log, cutoff: null", "transform: log, cutoff: 3.0", "cutoff"),
        (', definition: "constructed", cap: 3', ", cap: 3", "definition"),
        (', definition: "constructed", cap: 3', ', definition: "constructed"', "cap"),
        ("cap: 3", "cap: 0", "cap"),
        ("coding: count", "coding: continuous", "coding"),
        ("  symptoms:", "  headaches:", "no such predictor"),
        ("version:", "remark: x\nversion:", "unknown key"),
        ("approved_on: 2026-01-31", "approved_on: 2026-02-31", "calendar"),
        ("approved_on: 2026-01-31", "approved_on: in January", "date"),
        ("source_kind: own_refit", "source_kind: digitized_figure", "digitizing_error"),
        ("digitizing_error: null", "digitizing_error: 0.1", "digitizing_error"),
        ("source_kind: own_refit", "source_kind: remembered", "must be one of"),
        ("lm_suspected: true", "lm_suspected: false", "lm_suspected"),
        ("tumor: solid", "tumor: hematologic", "must be one of"),
        ("model: gao2022_b", "model: gao2023", "must be one of"),
        ("output_rounding: 0.01", "output_rounding: 0.0", "above 0"),
        ("output_rounding: 0.01", "output_rounding: 1 %", "number"),
        ("expected_probability: 0.500000000}\n  -", "expected_probability: 0.500002000}\n  -", "the file gives"),
        ("symptoms: 2,", "symptoms: 2.5,", "whole number"),
        ("skull_metastasis: 1,", "skull_metastasis: 2,", "0 or 1"),
        ("skull_metastasis: 1,", "", "is missing"),
        ("csf_glucose: 2.0}", "csf_glucose: 2.0, age: 3}", "no predictor"),
        ("beta: 0.0", "beta: .nan", "plain number"),
        ("beta: 0.0", "beta: zero", "plain number"),
    ],
)
def test_a_changed_field_refuses_the_file(part: str, instead: str, said: str, edition: Edition) -> None:
    text = unsigned("gao2022_b")
    assert part in text
    assert said in refused(text.replace(part, instead, 1), edition)


def test_model_a_carries_no_csf_predictors(edition: Edition) -> None:
    text = unsigned("gao2022_b").replace("model: gao2022_b", "model: gao2022_a")
    assert "carries no CSF predictors" in refused(text, edition)


def test_model_b_needs_its_csf_predictors(edition: Edition) -> None:
    text = unsigned("gao2022_a").replace("model: gao2022_a", "model: gao2022_b")
    assert "csf_protein is missing" in refused(text, edition)


def test_one_self_test_is_too_few(edition: Edition) -> None:
    lines = unsigned("gao2022_a").splitlines(keepends=True)
    assert "at least 2" in refused("".join(lines[:-1]), edition)


def test_a_self_test_within_the_tolerance_is_taken(edition: Edition) -> None:
    text = unsigned("gao2022_a").replace("0.500000000", "0.500000900")
    assert read_coefficient_file(signed(text), "gao.yaml", edition).version == "site-1"


@pytest.mark.parametrize("instead", ['source: "changed after approval"', 'source: "constructed for tests" '])
def test_what_is_changed_after_approval_breaks_the_signature(instead: str, edition: Edition) -> None:
    text = coefficient_file("gao2022_a").replace('source: "constructed for tests"', instead)
    assert "signature" in refused(text, edition, sign=False)


@pytest.mark.parametrize("signature", ["", "detached signature over this file", "sha256:" + "0" * 64])
def test_a_signature_that_does_not_fit_is_refused(signature: str, edition: Edition) -> None:
    assert "signature" in refused(unsigned("gao2022_a").replace("SIGNATURE", signature), edition, sign=False)


def test_line_ends_do_not_matter(edition: Edition) -> None:
    text = coefficient_file("gao2022_a")
    assert signature_of(text.replace("\n", "\r\n")) == signature_of(text)
    assert read_coefficient_file(text.replace("\n", "\r\n"), "gao.yaml", edition) == read_coefficient_file(
        text, "gao.yaml", edition
    )


def test_a_version_is_not_used_again_with_other_content(edition: Edition) -> None:
    now, other = coefficient_file("gao2022_a"), signed(unsigned("gao2022_a").replace("constructed for", "older"))
    assert len(read_coefficients({"a.yaml": now}, edition, {"a-old.yaml": now})) == 1
    with pytest.raises(EditionError, match=r"site-1.*a-old\.yaml"):
        read_coefficients({"a.yaml": now}, edition, {"a-old.yaml": other})
    newer = signed(unsigned("gao2022_a").replace("site-1", "site-2"))
    assert read_coefficients({"a.yaml": newer}, edition, {"a-old.yaml": other})[0].version == "site-2"


def test_one_file_per_model(edition: Edition) -> None:
    found = read_coefficients({name: coefficient_file(name) for name in BOTH}, edition)
    assert [model.model for model in found] == list(BOTH)
    with pytest.raises(EditionError, match="loaded already"):
        read_coefficients({"a.yaml": coefficient_file("gao2022_a"), "b.yaml": coefficient_file("gao2022_a")}, edition)
