"""Constructed coefficient files of the Gao models for tests: invented numbers, never those of the paper."""

from __future__ import annotations

from csfinterp.knowledge.coefficients import signature_of

FIVE = """  skull_metastasis: {coding: binary, beta: BETA, definition: "constructed"}
  active_brain_metastasis: {coding: binary, beta: BETA, definition: "constructed"}
  progressed_extracranial: {coding: binary, beta: BETA, definition: "constructed"}
  extracranial_organs: {coding: count, beta: BETA, definition: "constructed", cap: 3}
  symptoms: {coding: count, beta: BETA, definition: "constructed", cap: null}
"""
CSF = """  csf_protein: {coding: continuous, beta: BETA, unit: "mg/dL", transform: log, cutoff: null}
  csf_glucose: {coding: continuous, beta: BETA, unit: "mmol/L", transform: cutoff, cutoff: 2.5}
"""
HEAD = """model: MODEL
version: "site-1"
source: "constructed for tests"
source_kind: own_refit
digitizing_error: null
approved_by: "A. Tester, head of laboratory"
approved_on: 2026-01-31
signature: "SIGNATURE"
population: {tumor: solid, lm_suspected: true}
intercept: INTERCEPT
predictors:
"""
INPUTS = (
    "skull_metastasis: 1, active_brain_metastasis: 0, progressed_extracranial: 1, "
    "extracranial_organs: ORGANS, symptoms: 2"
)
TAIL = """output_rounding: 0.01
self_test:
  - {inputs: {FIRST}, expected_probability: P1}
  - {inputs: {SECOND}, expected_probability: P2}
"""
LAST = ", csf_protein: 100, csf_glucose: 2.0"


def signed(text: str) -> str:
    """The text with the signature that fits it."""
    return text.replace("SIGNATURE", signature_of(text))


def unsigned(model: str, beta: float = 0.0, intercept: float = 0.0, p: tuple[float, float] = (0.5, 0.5)) -> str:
    """A file whose predictors all have the same beta; self-tests with 1 and with 4 organs (cap 3)."""
    csf = model == "gao2022_b"
    text = HEAD + FIVE + (CSF if csf else "") + TAIL
    first, second = (INPUTS.replace("ORGANS", organs) + (LAST if csf else "") for organs in ("1", "4"))
    for name, value in (
        ("MODEL", model),
        ("INTERCEPT", str(float(intercept))),
        ("BETA", str(float(beta))),
        ("FIRST", first),
        ("SECOND", second),
        ("P1", f"{p[0]:.9f}"),
        ("P2", f"{p[1]:.9f}"),
    ):
        text = text.replace(name, value)
    return text


def coefficient_file(model: str, beta: float = 0.0, intercept: float = 0.0, p: tuple[float, float] = (0.5, 0.5)) -> str:
    """A sound, signed file."""
    return signed(unsigned(model, beta, intercept, p))
