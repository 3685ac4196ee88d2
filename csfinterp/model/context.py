"""The words of the contract: context ids with their values, the words that mean "not known", not-judged words, flags.

These are names of the interface, not medicine; what follows from them stands in the edition.
"""

from __future__ import annotations

SITES = ("lumbar", "ventricular", "cisternal", "unknown")
SEXES = ("female", "male", "other", "unknown")
STATUSES = ("preliminary", "final", "corrected", "cancelled")
OBSERVATION_STATUSES = (*STATUSES, "entered_in_error")
SPECIMENS = ("csf", "serum", "plasma", "blood")
POSITIONS = ("lateral", "sitting", "supine", "unknown")
CONDITIONS = ("hemolyzed", "clotted", "frozen", "cooled")
ORGANISM_CLASSES = ("bacterial", "mycobacterial", "viral", "fungal", "parasitic", "unknown")
TUMOR_CLASSES = ("solid", "hematologic", "primary_cns", "none", "unknown")

FLAGS = ("N", "L", "H", "LL", "HH", "A", "AA")
ABNORMAL_FLAGS = ("L", "H", "LL", "HH", "A", "AA")

# Closed list of ../clinical/reference_intervals.md section 8.
NOT_JUDGED = (
    "unit_missing", "unit_unknown", "value_unreadable", "implausible", "wrong_specimen_code", "specimen_ambiguous",
    "specimen_not_stated", "code_invalid", "age_missing", "age_too_coarse", "no_interval", "no_interval_for_age",
    "no_interval_for_site", "info_only", "comparator_undecided", "pair_missing", "pair_not_matched",
    "quotient_scale_unknown", "blood_contamination", "blood_trace", "sample_too_old", "position_not_lateral",
    "nondiagnostic", "indeterminate", "failed", "duplicate_result", "suppressed",
)  # fmt: skip
UNIT_ISSUES = ("unit_missing", "unit_unknown", "quotient_scale_unknown")
ISSUE_CODES = (
    *NOT_JUDGED, "code_unknown", "organism_missing", "derived_disagrees", "soft_bound", "number_sent_as_text",
    "pairing_assumed",
)  # fmt: skip

# Coded context: id -> accepted words. The first word is what an absent value means.
CODED_CONTEXT: dict[str, tuple[str, ...]] = {
    "tumor": ("unknown", "solid", "hematologic", "primary_cns", "none"),
    "clinical_signs": ("not_assessed", "typical", "other", "none"),
    "mri": ("not_done", "linear", "nodular", "linear_nodular", "hydrocephalus", "equivocal", "normal"),
    "biopsy": ("not_done", "positive", "negative"),
    "question": ("not_stated", "lm", "infection", "inflammation", "gbs", "sah", "enhancement", "other"),
    "mri_extent": ("unknown", "brain_and_spine", "brain_only", "spine_only"),
    "csf_flow_panel": ("unknown", "lymphoid", "epithelial", "other"),
    "her2_status": ("unknown", "positive", "negative"),
    "csf_flow_study": ("not_done", "free", "obstructed"),
    "pan_mri": ("not_stated", "normal", "suggestive", "diagnostic"),
    "hemisphere": ("unknown", "northern", "southern", "tropics"),
    "lancet_chest_radiograph": ("not_stated", "no_tuberculosis", "active", "miliary"),
}
YES_NO_CONTEXT = (
    "immunosuppressed", "antibiotics_before_lp", "steroid_before_lp", "recent_ivig_or_plasmapheresis",
    "recent_neurosurgery_or_shunt", "intrathecal_therapy_recent", "blood_blasts_present", "cns_leukemia_signs",
    "preterm", "intensive_care", "checkpoint_inhibitor", "bilirubin_serum_corrected", "oxyhemoglobin_present",
    "seizure_at_presentation", "critical_illness", "purpura", "other_bacterial_infection", "alert", "lm_suspected",
    "lancet_systemic_symptoms", "lancet_contact_or_skin_test", "lancet_focal_deficit", "lancet_cranial_nerve_palsy",
    "lancet_altered_consciousness", "lancet_imaging_done", "lancet_hydrocephalus", "lancet_basal_enhancement",
    "lancet_tuberculoma", "lancet_infarct", "lancet_basal_hyperdensity", "lancet_extraneural_imaging",
    "lancet_acid_fast_elsewhere", "lancet_naat_elsewhere", "skull_metastasis", "active_brain_metastasis",
    "progressed_extracranial",
)  # fmt: skip
NUMBER_CONTEXT = (
    "csf_samples_examined", "csf_cytology_volume_ml", "collection_to_processing_min", "csf_ctc_volume_ml",
    "symptom_duration_days", "days_since_onset", "blood_band_neutrophil_ratio_pct",
    "pan_clinical", "pan_biochemistry", "extracranial_organs", "symptoms",
)  # fmt: skip
TEXT_CONTEXT = ("csf_ctc_platform", "driver_alteration", "episode")
STATED_WORDS = (
    "seizure", "hiv", "zoster", "stroke", "cranial_nerve_palsy", "facial_palsy", "radicular_pain", "rapid_dementia",
    "fever", "siderophages", "spontaneous_clotting", "lymphoid_atypia", "car_t_or_bispecific",
    "recurrent_lymphocytic_episodes", "mrz_positive", "borrelia_negative", "syphilis_negative",
)  # fmt: skip

# Further coded inputs that rules may read; they come from the patient or the specimen. First word = absent.
CODED_SUBJECT: dict[str, tuple[str, ...]] = {
    "site": ("unknown", "lumbar", "ventricular", "cisternal"),
    "sex": ("unknown", "female", "male", "other"),
    "position": ("unknown", "lateral", "sitting", "supine"),
    "hemolyzed": ("no", "yes"),
    "clotted": ("no", "yes"),
    "frozen": ("no", "yes"),
    "cooled": ("no", "yes"),
    "pair_same_day": ("unknown", "yes", "no", "assumed"),
    "pair_method_differs": ("unknown", "yes", "no"),
    "serum_glucose_same_day": ("unknown", "yes", "no", "assumed"),
    "organism_class": ("not_stated", *ORGANISM_CLASSES),
    "primary_breast": ("not_stated", "yes"),
    "primary_lung": ("not_stated", "yes"),
    "driver_stated": ("not_stated", "yes"),
    "diagnosis_all": ("not_stated", "yes"),
    "diagnosis_lymphoma": ("not_stated", "yes"),
    "variant_myd88_l265p": ("not_stated", "yes"),
    "platform_stated": ("no", "yes"),
    "puncture_repeated": ("no", "yes"),
    "first_cytology_sample": ("no", "yes"),
    "first_tumor_cells": ("no", "yes"),
    "seen_csf_cytology": ("no", "yes"),
    "protein_flagged_low": ("no", "yes"),
    "unit_in_doubt": ("no", "yes"),
    "earlier_neutrophilic": ("not_stated", "yes"),
    "dominant_ig": ("unknown", "none", "igg", "iga", "igm", "three_class"),
    "spinal_signs": ("not_stated", "yes"),
    "cranial_signs": ("not_stated", "yes"),
    "last_tube": ("unknown", "yes", "no"),
    "leukocytes_sent": ("no", "usable", "unusable"),
    "assay_comparable": ("no", "yes"),
}
# Which class of organism any positive result of the panel has: several may be found at once.
CODED_SUBJECT |= {f"organism_{name}": ("no", "yes") for name in ORGANISM_CLASSES}
CODED_SUBJECT["latent_virus_only"] = ("no", "yes")
# What the PCRs sent say of herpes simplex and varicella zoster: found, looked for, or only other targets, none found.
CODED_SUBJECT["pcr_for_herpes"] = ("not_stated", "found", "looked_for", "other_target")
CODED_SUBJECT["several_tubes"] = ("no", "yes")
# `stated` words are inputs too: `stated_fever` is yes or (absent) not_stated.
CODED_INPUTS: dict[str, tuple[str, ...]] = (
    CODED_CONTEXT
    | CODED_SUBJECT
    | {name: ("unknown", "yes", "no") for name in YES_NO_CONTEXT}
    | {f"stated_{name}": ("not_stated", "yes") for name in STATED_WORDS}
)
# Words that mean "not known": a rule that asks for another word gets UNKNOWN. `biopsy` has none: not done is FALSE for
# "biopsy positive" (lm_evidence.md IN3); `stated` facts absent are not known to be false either.
UNKNOWN_WORDS: dict[str, tuple[str, ...]] = {
    name: (words[0],)
    for name, words in CODED_INPUTS.items()
    if words[0] in ("unknown", "not_assessed", "not_stated") or name == "mri"
}
