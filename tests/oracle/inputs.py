"""Words that rules ask and that one observation or one context field does not say alone: organisms, first findings,
the tumor's texts, the platform of tumor cell capture, the leading immunoglobulin class."""

from csfinterp.model.context import ORGANISM_CLASSES
from tests.oracle import patient
from tests.oracle.knowledge import limit_value
from tests.oracle.logic import TRUE, above, point
from tests.oracle.reading import SPECIMEN_PROBLEMS

ORGANISM_TESTS = ("csf_gram_stain", "csf_culture", "csf_pathogen_pcr")
UNIT_PROBLEMS = ("unit_missing", "unit_unknown", "quotient_scale_unknown")
CLASSES = ("igg", "iga", "igm")


def panel_words(edition, document, cells):
    """The words of one panel that stand before any rule."""
    context, specimen = document.get("context") or {}, document.get("specimen") or {}
    tumor = context.get("tumor") if isinstance(context.get("tumor"), dict) else {}
    stated = context.get("stated") or []
    return {
        **organism_words(edition, cells),
        "primary_breast": stated_word(tumor.get("primary") == "breast"),
        "primary_lung": stated_word(tumor.get("primary") == "lung"),
        "diagnosis_all": stated_word(tumor.get("diagnosis") == "acute_lymphoblastic_leukemia"),
        "diagnosis_lymphoma": stated_word(tumor.get("diagnosis") == "lymphoma"),
        "driver_stated": stated_word(filled(context.get("driver_alteration"))),
        "platform_stated": yes(filled(context.get("csf_ctc_platform"))),
        "puncture_repeated": yes((specimen.get("puncture_number") or 1) > 1),
        "spinal_signs": stated_word("radicular_pain" in stated),
        "cranial_signs": stated_word("cranial_nerve_palsy" in stated),
        "variant_myd88_l265p": stated_word(any(map(myd88, detected_variants(cells)))),
        "first_cytology_sample": yes(first_sample(context)),
        "first_tumor_cells": yes(first_tumor_cells(context, cells)),
        "last_tube": last_tube(specimen, cells),
        "leukocytes_sent": how_sent(cells, "csf_leukocytes"),
        "unit_in_doubt": yes(any(cell["problem"] in UNIT_PROBLEMS for cell in cells)),
        "protein_flagged_low": yes(any(map(flagged_low, cells))),
        "assay_comparable": yes(edition["site"].get("assay_comparable")),  # only a site says so
        "pcr_for_herpes": pcr_for_herpes(edition, cells),
        "several_tubes": yes(several_tubes(cells)),
    }


def several_tubes(cells):
    """One test came from tubes of different numbers (PV5)."""
    tubes = {}
    for cell in cells:
        tube = cell["observation"].get("tube")
        value = cell["observation"].get("value")
        was_sent = value is not None and str(value).strip() != ""  # 0 is a count like any other
        if cell["analyte"] and cell["problem"] not in SPECIMEN_PROBLEMS and was_sent and tube is not None:
            tubes.setdefault(cell["analyte"], set()).add(tube)
    return any(len(numbers) > 1 for numbers in tubes.values())


def pcr_for_herpes(edition, cells):
    """What the PCRs say of herpes simplex and varicella zoster; a negative one of other targets says nothing."""
    sent = [
        cell for cell in cells if cell["analyte"] == "csf_pathogen_pcr" and cell["problem"] not in SPECIMEN_PROBLEMS
    ]
    results = [cell for cell in sent if said(cell) in ("positive", "negative")]
    if not results:
        return "not_stated"
    meant = [cell for cell in results if names(cell, edition["top"]["organism_words"]["herpes_target"])]
    if any(said(cell) == "positive" for cell in meant):
        return "found"
    silent = any(not (cell["observation"].get("organism") or "").strip() for cell in results)
    positive = any(said(cell) == "positive" for cell in results)
    return "looked_for" if meant or silent or positive else "other_target"


def said(cell):
    """The word of a coded result as sent, without case and outer spaces."""
    return str(cell["observation"].get("value") or "").strip().casefold()


def flagged_low(cell):
    """The laboratory calls the protein of the CSF low (EC27)."""
    flag = (cell["observation"].get("laboratory_flag") or "").strip().upper()
    return cell["analyte"] == "csf_protein" and cell["problem"] not in SPECIMEN_PROBLEMS and flag in ("L", "LL")


def yes(truth):
    return "yes" if truth else "no"


def stated_word(truth):
    return "yes" if truth else "not_stated"


def filled(text):
    return bool(text and text.strip())


# Organisms


def organism_words(edition, cells):
    """organism_<class> and latent_virus_only from the positive stains, cultures and PCR results."""
    hits = [
        cell for cell in cells if cell["analyte"] in ORGANISM_TESTS and cell["leads"] and cell["word"] == "positive"
    ]
    classes = [(class_of_hit(edition, cell), cell) for cell in hits]
    words = {"organism_" + name: yes(any(found == name for found, _ in classes)) for name in ORGANISM_CLASSES}
    viruses = [cell for found, cell in classes if found == "viral"]
    latent = edition["top"]["organism_words"]["latent_virus"]
    words["latent_virus_only"] = yes(viruses and all(names(cell, latent) for cell in viruses))
    return words


def class_of_hit(edition, cell):
    """The class sent; a Gram stain without one is bacterial unless its text names a fungus (patterns.md B0)."""
    sent = cell["observation"].get("organism_class") or "unknown"
    if sent != "unknown" or cell["analyte"] != "csf_gram_stain":
        return sent
    return "fungal" if names(cell, edition["top"]["organism_words"]["fungal"]) else "bacterial"


def names(cell, words):
    text = (cell["observation"].get("organism") or "").lower()
    return any(word.lower() in text for word in words)


# Tumor cells


def first_sample(context):
    """The first cytology of this patient as far as known: sample number 1, or no number and no earlier cytology."""
    history = context.get("history") or {}
    number = context.get("csf_samples_examined")
    number = history.get("csf_samples_examined") if number is None else number
    if number is not None:
        return number == 1
    earlier = history.get("csf_cytology")
    earlier = earlier.get("value") if isinstance(earlier, dict) else earlier
    return earlier in (None, "nondiagnostic")  # IN1: a nondiagnostic sample was not examined


def first_tumor_cells(context, cells):
    """Positive cytology or blasts above 0 now (a duplicate too: SL41), and neither in the history."""
    history = context.get("history") or {}
    earlier = history.get("csf_cytology")
    earlier = earlier.get("value") if isinstance(earlier, dict) else earlier
    found = set(history.get("first_finding") or {})
    if earlier == "positive" or found & {"csf_cytology", "csf_blasts_pct"}:
        return False
    cytology = any(cell["analyte"] == "csf_cytology" and cell["word"] == "positive" for cell in cells)
    blasts = [cell["span"] for cell in cells if cell["analyte"] == "csf_blasts_pct"]
    return cytology or any(above(span, point(0.0), False) == TRUE for span in blasts)


def detected_variants(cells):
    for cell in cells:
        if cell["analyte"] == "csf_ctdna" and cell["leads"] and cell["word"] == "detected":
            yield from cell["observation"].get("variants") or []


def myd88(variant):
    return variant["gene"].strip().upper() == "MYD88" and "L265P" in (variant.get("hgvs") or "").upper()


def how_sent(cells, analyte):
    """Whether a result of this analyte was sent, and one that can be used: no other count stands in for it (ER10)."""
    own = [cell for cell in cells if cell["analyte"] == analyte and cell["problem"] not in SPECIMEN_PROBLEMS]
    return ("usable" if any(cell["leads"] for cell in own) else "unusable") if own else "no"


def last_tube(specimen, cells):
    cell = patient.usable(cells, "csf_erythrocytes")
    tube, count = cell and cell["tube"], specimen.get("tube_count")
    return "unknown" if not tube or not count else yes(tube == count)


# Numbers


def platform_limit(edition, document, entry):
    """The cut-off of the platform that counted the tumor cells, the site's own first; None for any other or none."""
    name = platform((document.get("context") or {}).get("csf_ctc_platform") or "")
    own = {platform(key): limit for key, limit in (edition["site"].get("platforms") or {}).items()}
    if name in own:
        return limit_value(edition, own[name], entry["inputs"][0])
    return entry["constants"].get(name)


def platform(name):
    return "_".join(name.lower().replace("-", " ").replace("_", " ").split())


def dominant_ig(facts):
    """The class with the highest intrathecal share; known only if all three shares are."""
    shares = [facts.quantity(name + "_intrathecal_pct") for name in CLASSES]
    if any(share is None or not share.exact for share in shares):
        return "unknown"
    numbers = [share.low for share in shares]
    if max(numbers) <= 0:
        return "none"
    if min(numbers) > 0:
        return "three_class"
    return CLASSES[numbers.index(max(numbers))]


def calendar(document):
    """(month, day) of the local date of collection; None if it was not sent."""
    collected = patient.moment((document.get("specimen") or {}).get("collected_at"))
    return (collected.month, collected.day) if collected else None
