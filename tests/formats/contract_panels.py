"""The panels of the contract test: thirty by name, of every kind of sample, and among them every key of the document.

Constructed, never a patient's. Most are samples and vignettes; those below hold what no vignette needs.
"""

from __future__ import annotations

from typing import Any

from csfinterp.samples import SAMPLES
from tests.formats.conftest import PANEL
from tests.making import panel, quantity, word
from tests.test_cases import VIGNETTES, document

Document = dict[str, Any]

# What the laboratory prints beside its results, and everything about the sample.
REMARKS = panel(
    quantity(
        "csf_leukocytes", "31", "/uL", laboratory_flag="H", laboratory_range="0-4", tube=1, method="chamber",
        analyzed_at="2026-03-01T10:00:00+01:00",
    ),
    quantity("csf_leukocytes", "12", "/uL", tube=3),
    quantity("csf_lactate", "2.10", "mmol/L", value_type="text"),
    quantity("csf_albumin", "<240", "mg/L"),
    quantity("csf_glucose", "20", "mg/dL", comparator="<", laboratory_flag="LL", note="Repeat \\ tested & confirmed"),
    quantity("csf_protein", "0.812", "g/L", laboratory_flag="H*"),
    word("csf_appearance", "turbid", note="two lines\nof text"),
    word("csf_gram_stain", "positive", organism="Gram-positive diplococci", organism_class="bacterial"),
    word("csf_pathogen_pcr", "negative", organism="Enterovirus"),
    specimen={
        "received_at": "2026-03-01T09:55:00+01:00", "volume": {"value": 3500, "unit": "uL"}, "tube": 2, "tube_count": 4,
        "puncture_number": 2, "position": "lateral", "condition": ["cooled"],
    },
    context={
        "tumor": {"class": "solid", "primary": "lung", "diagnosis": "adenocarcinoma"}, "clinical_signs": "typical",
        "immunosuppressed": None, "antibiotics_before_lp": True, "symptom_duration_days": 3.5, "stated": ["fever"],
        "episode": "2026-1",
    },
)  # fmt: skip
# A corrected panel whose results have states of their own; the age is sent instead of the birth date.
STATES = panel(
    quantity("csf_leukocytes", "5", "/uL", status="final"),
    quantity("csf_protein", "290", "mg/L"),
    quantity("csf_lactate", "9.9", "mmol/L", status="entered_in_error"),
    {"code": "csf_culture", "value": None, "absent_reason": "pending", "status": "preliminary"},
    age=None,
    status="corrected",
)
STATES["patient"]["age"] = {"value": 5, "unit": "wk"}
# What earlier panels gave is the service's: only the JSON document can hold it.
EARLIER = panel(
    word("csf_cytology", "negative"), quantity("csf_leukocytes", "9", "/uL"),
    context={"tumor": "solid", "mri": "linear", "history": {"csf_cytology": {"value": "positive"}}},
)  # fmt: skip

ALL: dict[str, Document] = (
    {case["id"]: document(case) for case in VIGNETTES}
    | {one.name: one.document() for one in SAMPLES}
    | {"contract_example": PANEL, "remarks": REMARKS, "states": STATES, "earlier": EARLIER}
)
THIRTY = (
    "contract_example", "remarks", "states", "earlier",
    "normal", "hematologic_lm", "solid_lm_positive_cytology", "suspected_lm_negative_cytology", "bacterial", "viral",
    "ms_like", "traumatic_tap", "ventricular", "with_gaps",
    "reiber_case_d_three_classes", "serum_of_the_next_day", "heavy_blood_withholds_quotients", "gaps_in_the_message",
    "wrong_specimen_code", "cells_in_thirds", "newborn_with_low_glucose", "cryptococcal_antigen_frozen_sample",
    "cisternal_sample", "cns2b", "tumor_dna_without_cells", "cytology_pending", "sah_question_after_twenty_days",
    "preterm_on_the_ward", "lymphoma_by_mutation_only", "lancet_csf_subscore",
)  # fmt: skip
