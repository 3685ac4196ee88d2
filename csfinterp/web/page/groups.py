"""In which group a result stands on the page, and in which order. Names of analytes only; nothing is judged."""

from __future__ import annotations

APPEARANCE, CELLS, CHEMISTRY = "Appearance and pressure", "Cells", "Chemistry"
BARRIER, CYTOLOGY = "Barrier and immunoglobulins", "Cytology and flow cytometry"
LIQUID, MICROBIOLOGY, OTHER = "Liquid biopsy and markers", "Microbiology", "Other"
GROUPS = (APPEARANCE, CELLS, CHEMISTRY, BARRIER, CYTOLOGY, LIQUID, MICROBIOLOGY, OTHER)

_MEMBERS = {
    APPEARANCE: "csf_appearance csf_opening_pressure csf_bilirubin_absorbance",
    CELLS: (
        "csf_leukocytes csf_leukocytes_corrected csf_nucleated_cells csf_erythrocytes csf_neutrophils"
        " csf_neutrophils_pct csf_lymphocytes csf_lymphocytes_pct csf_monocytes_pct csf_eosinophils_pct"
        " csf_plasma_cells_pct csf_blasts_pct"
        " blood_leukocytes blood_erythrocytes blood_neutrophils"
    ),
    CHEMISTRY: (
        "csf_protein csf_protein_corrected csf_glucose serum_glucose glucose_ratio csf_lactate csf_ldh csf_chloride"
        " csf_ferritin csf_ada"
    ),
    BARRIER: (
        "csf_albumin serum_albumin albumin_quotient albumin_quotient_limit csf_igg serum_igg igg_quotient igg_limit"
        " igg_intrathecal_pct igg_local_mg_l igg_index csf_iga serum_iga iga_quotient iga_limit iga_intrathecal_pct"
        " iga_local_mg_l csf_igm serum_igm igm_quotient igm_limit igm_intrathecal_pct igm_local_mg_l csf_kappa_flc"
        " serum_kappa_flc kappa_quotient kappa_limit kappa_intrathecal_pct kappa_index csf_oligoclonal_bands"
    ),
    CYTOLOGY: "csf_cytology csf_flow_cytometry",
    LIQUID: "csf_ctdna plasma_ctdna csf_ctc csf_cea serum_cea csf_il10 csf_il6 csf_cxcl13",
    MICROBIOLOGY: (
        "csf_gram_stain csf_culture csf_pathogen_pcr csf_cryptococcal_antigen csf_india_ink csf_acid_fast_smear"
    ),
}  # fmt: skip
# Analyte id -> (group, place in the group).
PLACES = {
    analyte: (group, place) for group, members in _MEMBERS.items() for place, analyte in enumerate(members.split())
}


def place_of(analyte: str) -> tuple[str, int]:
    """Group and order of an analyte; one that is not in the table stands in the last group."""
    return PLACES.get(analyte, (OTHER, 0))
