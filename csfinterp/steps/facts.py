"""Facts that rules read as words: what the sender stated, and which organisms the positive tests name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from csfinterp.model.panel import Observation, Panel

Named = dict[str, list[Observation]]

ORGANISM_TESTS = ("csf_gram_stain", "csf_culture", "csf_pathogen_pcr")
LABORATORY_LOW = ("L", "LL")
NOT_A_WORD = re.compile(r"[^a-z0-9]+")


def platform_name(panel: Panel) -> str:
    """The name of the platform that caught the tumor cells, as the edition and the site write it."""
    return NOT_A_WORD.sub("_", panel.context.texts.get("csf_ctc_platform", "").strip().casefold()).strip("_")


def stated_facts(panel: Panel, named: Named) -> dict[str, str]:
    """Yes/no facts of context, specimen and history, only those that hold (steps/derive.py settles those that need a
    value too: first tumor cells, and a variant only of a ctDNA test that detected it)."""
    context, history = panel.context, panel.context.history
    samples = context.numbers.get("csf_samples_examined", history.get("csf_samples_examined"))
    earlier, first = history.get("csf_cytology"), history.get("first_finding")
    positive = isinstance(earlier, Mapping) and earlier.get("value") == "positive"
    found = set(first) if isinstance(first, Mapping) else set()
    facts = {
        "primary_breast": (context.tumor_primary or "").strip().casefold() == "breast",
        "primary_lung": (context.tumor_primary or "").strip().casefold() == "lung",
        "driver_stated": bool(context.texts.get("driver_alteration")),
        "diagnosis_all": context.tumor_diagnosis == "acute_lymphoblastic_leukemia",
        "diagnosis_lymphoma": context.tumor_diagnosis == "lymphoma",
        "platform_stated": bool(platform_name(panel)),
        "puncture_repeated": (panel.specimen.puncture_number or 0) > 1,
        "first_cytology_sample": samples == 1 if isinstance(samples, int | float) else _nothing_examined(earlier),
        "seen_csf_cytology": positive or "csf_cytology" in found,
        # steps/derive.py adds: and tumor cells now.
        "first_tumor_cells": not positive and not found & {"csf_cytology", "csf_blasts_pct"},
        "protein_flagged_low": any(
            (found.laboratory_flag or "").strip().upper() in LABORATORY_LOW for found in named.get("csf_protein", ())
        ),
        "several_tubes": any(_tubes(observations) > 1 for observations in named.values()),
        "spinal_signs": "radicular_pain" in context.stated,
        "cranial_signs": "cranial_nerve_palsy" in context.stated,
        "variant_myd88_l265p": any(
            variant.gene.upper() == "MYD88" and "L265P" in (variant.hgvs or "").upper().replace("LEU265PRO", "L265P")
            for observation in named.get("csf_ctdna", ())
            for variant in observation.variants
        ),
    }
    return {name: "yes" for name, holds in facts.items() if holds} | _last_tube(panel, named)


def _nothing_examined(earlier: object) -> bool:
    """No earlier cytology, or one that was nondiagnostic (IN1: it counts as not examined)."""
    return not isinstance(earlier, Mapping) or earlier.get("value") in (None, "nondiagnostic")


def _tubes(observations: Sequence[Observation]) -> int:
    """From how many numbered tubes one test was sent."""
    return len({found.tube for found in observations if found.tube is not None})


def _last_tube(panel: Panel, named: Named) -> dict[str, str]:
    """Whether the erythrocytes were counted in the last tube; not known without both numbers."""
    tubes = [found.tube or panel.specimen.tube for found in named.get("csf_erythrocytes", ())]
    known = [tube for tube in tubes if tube is not None]
    if not known or panel.specimen.tube_count is None:
        return {}
    return {"last_tube": "yes" if max(known) == panel.specimen.tube_count else "no"}


def organisms(named: Named, words: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """`organism_<class>` yes for each class that a positive stain, culture or PCR names.

    A positive Gram stain without a class counts as bacterial unless its text names yeast or fungus (B0). With
    `latent_virus_only` every viral hit is a virus that is found without disease, too.
    """
    found: dict[str, str] = {}
    viral: list[str] = []
    for test in ORGANISM_TESTS:
        for observation in named.get(test, ()):
            if (observation.value or "").strip().casefold() != "positive":
                continue
            text = (observation.organism or "").casefold()
            kind = observation.organism_class or "unknown"
            if kind == "unknown" and test == "csf_gram_stain":
                kind = "fungal" if _names(text, words.get("fungal", ())) else "bacterial"
            found[f"organism_{kind}"] = "yes"
            viral += [text] if kind == "viral" else []
    if viral and all(_names(text, words.get("latent_virus", ())) for text in viral):
        found["latent_virus_only"] = "yes"
    return found | _herpes(named, words.get("herpes_target", ()))


def _herpes(named: Named, targets: Sequence[str]) -> dict[str, str]:
    """A PCR that names no target looked for all; one that found another organism is not asked about its others."""
    sent = [(found.value or "").strip().casefold() for found in named.get("csf_pathogen_pcr", ())]
    texts = [(found.organism or "").strip().casefold() for found in named.get("csf_pathogen_pcr", ())]
    results = [(value, text) for value, text in zip(sent, texts, strict=True) if value in ("positive", "negative")]
    if not results:
        return {}
    covered = [value for value, text in results if _names(text, targets)]
    if "positive" in covered:
        return {"pcr_for_herpes": "found"}
    other = not covered and all(value == "negative" and text for value, text in results)
    return {"pcr_for_herpes": "other_target" if other else "looked_for"}


def _names(text: str, words: Sequence[str]) -> bool:
    return any(word.casefold() in text for word in words)
