"""Short ways to send routine CSF values and to read patterns, cautions and advice from an interpretation document."""

from __future__ import annotations

import json
from typing import Any

from tests.making import Document, panel, quantity, word

SERUM_GLUCOSE = 5.0  # mmol/L, stratum below 100 mg/dL: a ratio below 0.50 is low (reference_intervals.md 2)
UNITS = {
    "leukocytes": ("csf_leukocytes", "/uL"), "neutrophils": ("csf_neutrophils_pct", "%"),
    "lymphocytes": ("csf_lymphocytes_pct", "%"), "monocytes": ("csf_monocytes_pct", "%"),
    "eosinophils": ("csf_eosinophils_pct", "%"), "blasts": ("csf_blasts_pct", "%"),
    "lactate": ("csf_lactate", "mmol/L"),
    "protein": ("csf_protein", "mg/L"), "erythrocytes": ("csf_erythrocytes", "/uL"),
    "kappa_index": ("kappa_index", "1"),
    "cxcl13": ("csf_cxcl13", "pg/mL"), "il10": ("csf_il10", "pg/mL"), "ctc": ("csf_ctc", "/mL"),
    "cea": ("csf_cea", "ng/mL"), "serum_cea": ("serum_cea", "ng/mL"), "bilirubin": ("csf_bilirubin_absorbance", "1"),
    "blood_leukocytes": ("blood_leukocytes", "/uL"), "blood_erythrocytes": ("blood_erythrocytes", "/uL"),
}  # fmt: skip
WORDS = {
    "cytology": "csf_cytology", "flow": "csf_flow_cytometry", "ctdna": "csf_ctdna", "plasma_ctdna": "plasma_ctdna",
    "bands": "csf_oligoclonal_bands", "gram": "csf_gram_stain", "culture": "csf_culture", "pcr": "csf_pathogen_pcr",
    "antigen": "csf_cryptococcal_antigen", "appearance": "csf_appearance",
}  # fmt: skip


def sent(*more: Document, serum_glucose: float = SERUM_GLUCOSE, age: str | None = "35 a", site: str | None = "lumbar",
         context: dict[str, Any] | None = None, organism: dict[str, str] | None = None,
         **values: Any) -> Document:  # fmt: skip
    """A panel by short names; `ratio` is sent as CSF and serum glucose, `quotient` as the albumin pair."""
    observations = list(more)
    for name, value in values.items():
        if name == "ratio":
            observations.append(quantity("csf_glucose", round(value * serum_glucose, 9), "mmol/L"))
            observations.append(quantity("serum_glucose", serum_glucose, "mmol/L"))
        elif name == "quotient":
            observations += [
                quantity("csf_albumin", round(value * 40, 9), "mg/L"),
                quantity("serum_albumin", 40, "g/L"),
            ]
        elif name in WORDS:
            extra = dict(organism or {}) if value == "positive" and name in ("gram", "culture", "pcr") else {}
            observations.append(word(WORDS[name], value, **extra))
        else:
            analyte, unit = UNITS[name]
            observations.append(quantity(analyte, value, unit))
    return panel(*observations, age=age, site=site, context=context or {})


def ig_pairs(igg: float, iga: float, igm: float) -> tuple[Document, ...]:
    """CSF and serum Ig with these quotients (1e-3); serum IgG 10, IgA 2, IgM 1 g/L."""
    serum = {"igg": (igg, 10.0), "iga": (iga, 2.0), "igm": (igm, 1.0)}
    return tuple(
        one
        for name, (quotient, level) in serum.items()
        for one in (
            quantity(f"csf_{name}", round(quotient * level, 9), "mg/L"),
            quantity(f"serum_{name}", level, "g/L"),
        )
    )


def pattern(answer: Document, name: str) -> Document:
    return next(entry for entry in answer["patterns"] if entry["id"] == name)


def grade(answer: Document, name: str) -> str:
    return str(pattern(answer, name)["grade"])


def item(answer: Document, name: str) -> str:
    """Truth of a pattern item by its printed number."""
    return next(str(one["truth"]) for entry in answer["patterns"] for one in entry["items"] if one["id"] == name)


def said(answer: Document, name: str) -> str:
    """The text of a pattern with its obligatory lines."""
    found = pattern(answer, name)
    return " ".join((found["text"], *(line["text"] for line in found["lines"])))


def cautions(answer: Document) -> list[str]:
    """Ids of the printed cautions, pointers and everyday comments, in order."""
    return [str(entry["id"]) for entry in answer["cautions"]]


def advice(answer: Document) -> list[str]:
    """Printed numbers (R-L01 ...) of the recommendations, in order."""
    return [str(entry["rule"]) for entry in answer["recommendations"]]


def spoken(answer: Document) -> str:
    """Everything of the answer but the bibliography, as one text."""
    return json.dumps({key: part for key, part in answer.items() if key != "citations"}, ensure_ascii=False)
