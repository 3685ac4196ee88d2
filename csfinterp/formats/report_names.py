"""Names for ids in running text: "csf_leukocytes 86 /uL" is read as "Leukocytes in CSF 86 /uL".

The document's own names win; the table is for tests that were not sent. tests/formats compares it with the edition.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from csfinterp.formats.report_words import QUESTIONS, parts, text, words

# What a document does not name because it was not sent: analytes, calculated and helper quantities.
TESTS = {
    "albumin_quotient": "CSF/serum albumin quotient (QAlb)",
    "blood_erythrocytes": "Erythrocytes in blood",
    "blood_leukocytes": "Leukocytes in blood",
    "blood_neutrophils": "Neutrophils in blood",
    "csf_acid_fast_smear": "Acid-fast smear of CSF",
    "csf_ada": "Adenosine deaminase in CSF",
    "csf_albumin": "Albumin in CSF",
    "csf_appearance": "Appearance of CSF",
    "csf_bilirubin_absorbance": "Net bilirubin absorbance of CSF",
    "csf_blasts_pct": "Blasts, share of leukocytes, CSF",
    "csf_cea": "CEA in CSF",
    "csf_chloride": "Chloride in CSF",
    "csf_cryptococcal_antigen": "Cryptococcal antigen in CSF",
    "csf_ctc": "Circulating tumor cells in CSF",
    "csf_ctdna": "Circulating tumor DNA in CSF",
    "csf_culture": "Bacterial culture of CSF",
    "csf_cxcl13": "CXCL13 in CSF",
    "csf_cytology": "Cytology of CSF",
    "csf_eosinophils_pct": "Eosinophils, share of leukocytes, CSF",
    "csf_erythrocytes": "Erythrocytes in CSF",
    "csf_ferritin": "Ferritin in CSF",
    "csf_flow_cytometry": "Flow cytometry of CSF",
    "csf_glucose": "Glucose in CSF",
    "csf_gram_stain": "Gram stain of CSF",
    "csf_iga": "IgA in CSF",
    "csf_igg": "IgG in CSF",
    "csf_igm": "IgM in CSF",
    "csf_il10": "Interleukin 10 in CSF",
    "csf_il6": "Interleukin 6 in CSF",
    "csf_india_ink": "India ink preparation of CSF",
    "csf_kappa_flc": "Kappa free light chains in CSF",
    "csf_lactate": "Lactate in CSF",
    "csf_ldh": "Lactate dehydrogenase in CSF",
    "csf_leukocytes": "Leukocytes in CSF",
    "csf_lymphocytes": "Lymphocytes, count, CSF",
    "csf_lymphocytes_pct": "Lymphocytes, share of leukocytes, CSF",
    "csf_monocytes_pct": "Monocytes, share of leukocytes, CSF",
    "csf_neutrophils": "Neutrophils, count, CSF",
    "csf_neutrophils_pct": "Neutrophils, share of leukocytes, CSF",
    "csf_nucleated_cells": "Total nucleated cells in CSF",
    "csf_oligoclonal_bands": "Oligoclonal IgG bands",
    "csf_opening_pressure": "CSF opening pressure",
    "csf_pathogen_pcr": "Pathogen PCR of CSF",
    "csf_plasma_cells_pct": "Plasma cells, share of leukocytes, CSF",
    "csf_protein": "Total protein in CSF",
    "glucose_ratio": "CSF/serum glucose ratio",
    "igg_index": "IgG index",
    "kappa_index": "Kappa free light chain index",
    "plasma_ctdna": "Circulating tumor DNA in plasma",
    "serum_albumin": "Albumin in serum or plasma",
    "serum_cea": "CEA in serum or plasma",
    "serum_glucose": "Glucose in serum or plasma",
    "serum_iga": "IgA in serum or plasma",
    "serum_igg": "IgG in serum or plasma",
    "serum_igm": "IgM in serum or plasma",
    "serum_kappa_flc": "Kappa free light chains in serum",
    "age_days": "Age at collection, completed days",
    "age_years": "Age at collection, completed years",
    "collection_to_analysis_min": "Time from collection to cell count",
    "collection_to_glucose_min": "Time from collection to glucose",
    "collection_to_lactate_min": "Time from collection to lactate",
    "collection_to_protein_min": "Time from collection to total protein",
    "collection_to_immunoglobulin_min": "Time from collection to albumin and immunoglobulins",
    "collection_to_kappa_min": "Time from collection to kappa free light chains",
    "collection_to_receipt_min": "Time from collection to receipt",
    "earlier_albumin_quotient": "Albumin quotient of the last panel",
    "pair_gap_hours": "Time between CSF and serum of the pair",
    "specimen_volume_ml": "Volume of the specimen",
    "sampling_month": "Month of collection",
    "sampling_day": "Day of the month of collection",
    "albumin_quotient_limit": "Age limit of the albumin quotient",
    "igg_quotient": "CSF/serum IgG quotient",
    "igg_limit": "Upper limit of the IgG quotient for the albumin quotient (Reiber)",
    "igg_lower": "Lower curve of the IgG quotient for the albumin quotient (Reiber)",
    "igg_mean": "Mean curve of the IgG quotient for the albumin quotient (Reiber)",
    "igg_intrathecal_pct": "IgG, intrathecal fraction",
    "igg_local_mg_l": "IgG, locally made",
    "igg_local_mean_mg_l": "IgG, locally made, on the mean curve",
    "iga_quotient": "CSF/serum IgA quotient",
    "iga_limit": "Upper limit of the IgA quotient for the albumin quotient (Reiber)",
    "iga_lower": "Lower curve of the IgA quotient for the albumin quotient (Reiber)",
    "iga_mean": "Mean curve of the IgA quotient for the albumin quotient (Reiber)",
    "iga_intrathecal_pct": "IgA, intrathecal fraction",
    "iga_local_mg_l": "IgA, locally made",
    "igm_quotient": "CSF/serum IgM quotient",
    "igm_limit": "Upper limit of the IgM quotient for the albumin quotient (Reiber)",
    "igm_lower": "Lower curve of the IgM quotient for the albumin quotient (Reiber)",
    "igm_mean": "Mean curve of the IgM quotient for the albumin quotient (Reiber)",
    "igm_intrathecal_pct": "IgM, intrathecal fraction",
    "igm_local_mg_l": "IgM, locally made",
    "igg_index_limit": "Upper limit of the IgG index in force",
    "kappa_quotient": "CSF/serum kappa free light chain quotient",
    "kappa_limit": "Upper limit of the kappa quotient for the albumin quotient",
    "kappa_intrathecal_pct": "Kappa free light chains, intrathecal fraction",
    "csf_leukocytes_corrected": "Leukocytes in CSF, corrected for blood",
    "csf_protein_corrected": "Total protein in CSF, corrected for blood",
    "csf_protein_age_limit": "Age-adjusted upper limit of total protein (advisory)",
    "differential_sum_pct": "Sum of the differential percentages sent",
    "expected_neutrophils": "Neutrophils expected from count and percentage",
    "neutrophil_difference": "Counted against expected neutrophils, difference",
    "neutrophil_difference_pct": "Counted against expected neutrophils, difference in percent of the expected",
    "csf_eosinophils": "Eosinophils from count and percentage",
    "steinherz_bleyer_ratio": "Leukocytes per erythrocyte, CSF over blood",
    "cea_index": "CEA index",
    "csf_ctc_limit": "Limit of tumor cells of the stated platform",
    "csf_cxcl13_limit": "Limit of the laboratory's own CXCL13 assay",
    "csf_il10_limit": "Limit of the laboratory's own IL-10 assay",
    "count_judged": "Number of results with a flag",
    "count_abnormal": "Number of results with an abnormal flag",
}
# Context ids whose words alone would not be understood.
CONTEXT = {
    "leukemia_cns": "Leukemia CNS status",
    "hematologic_cns": "Hematologic CNS status",
    "eano_esmo": "EANO-ESMO certainty",
    "csf_cytology_best": "Best cytology so far",
    "mri": "MRI",
    "pan_clinical": "Clinical item of the Pan score",
    "pan_mri": "MRI item of the Pan score",
    "pan_biochemistry": "Biochemistry item of the Pan score",
    "diagnosis_all": "Diagnosis acute lymphoblastic leukemia",
    "variant_myd88_l265p": "Variant MYD88 L265P",
    "lm_suspected": "Leptomeningeal metastasis suspected",
    "csf_ctc_volume_ml": "Volume for tumor cell capture (mL)",
    "csf_cytology_volume_ml": "Volume for cytology (mL)",
    "symptoms": "Number of symptoms",
    "dominant_ig": "Dominant immunoglobulin class",
    "recent_ivig_or_plasmapheresis": "Recent immunoglobulin infusion or plasmapheresis",
}
_ABBREVIATIONS = {
    "csf": "CSF", "mri": "MRI", "lm": "LM", "ms": "MS", "igg": "IgG", "iga": "IgA", "igm": "IgM", "ig": "Ig",
    "cns": "CNS", "her2": "HER2", "hiv": "HIV", "mrz": "MRZ", "ctdna": "ctDNA", "ctc": "CTC", "ml": "mL",
    "lancet": "Lancet", "pcr": "PCR", "dna": "DNA", "lp": "lumbar puncture", "ivig": "IVIg", "naat": "NAAT",
    "pct": "%",
}  # fmt: skip
_ID = re.compile(r"(?<![\w/.-])(?:mri|[a-z][a-z0-9]*(?:_[a-z0-9]+)+)(?![\w/])")
_SIGNS = ((">=", "≥"), ("<=", "≤"))
_QUESTION = re.compile(rf"\bquestion ({'|'.join(QUESTIONS)})\b")
_CLASS = re.compile(r"\bdominant_ig (igg|iga|igm)\b")
_GRADED = re.compile(r" (?=at least (?:established|fits|partly_fits|possible|probable|confirmed)\b)")
# Tables without levels answer with one word.
_ANSWERED = re.compile(r"\b(leukemia_cns|hematologic_cns) at least ")
# Where a clause begins a name keeps its capital.
_PROPER = ("Gram", "India", "Lancet")
_STARTS = ("; ", ". ", ": ", "(")


def names_of(document: object) -> dict[str, str]:
    """Id -> name: what this document says, else the tables above."""
    own = {text(item, "id"): text(item, "name") for key in ("quality", "findings", "patterns", "scores")
           for item in parts(document, key)}  # fmt: skip
    tests = {text(item, "analyte"): text(item, "name") for item in parts(document, "results")}
    return TESTS | CONTEXT | {name: said for name, said in (own | tests).items() if name and said}


def name_of(identifier: str, names: Mapping[str, str]) -> str:
    """The name of one id; without a name its words, abbreviations as they are written."""
    if identifier in names:
        return names[identifier]
    if identifier.startswith("stated_"):
        return f"{name_of(identifier.removeprefix('stated_'), names)} stated"
    return " ".join(_ABBREVIATIONS.get(word, word) for word in words(identifier).split(" ")) or "unnamed test"


def spoken(sentence: str, names: Mapping[str, str]) -> str:
    """A sentence with the names in place of ids, and signs as they are printed."""
    sentence = _QUESTION.sub(lambda found: f"question {QUESTIONS[found[1]]}", sentence)
    if "_" in sentence or "mri" in sentence:
        sentence = _CLASS.sub(lambda found: f"dominant_ig {_ABBREVIATIONS[found[1]]}", sentence)
        sentence = _ANSWERED.sub(r"\1: ", _GRADED.sub(": ", sentence))
        sentence = _ID.sub(lambda found: _placed(found, names), sentence)
    for typed, printed in _SIGNS:
        sentence = sentence.replace(typed, printed)
    return sentence


def _placed(found: re.Match[str], names: Mapping[str, str]) -> str:
    name, before = name_of(found[0], names), found.string[: found.start()]
    first = name.split(" ")[0]
    if not before or before.endswith(_STARTS) or first in _PROPER or not first[1:].islower():
        return name
    return name[0].lower() + name[1:]
