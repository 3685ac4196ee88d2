"""The shipped edition is whole; a released edition never changes; how the next one is made and compared."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from csfinterp import knowledge
from csfinterp.errors import EditionError
from csfinterp.knowledge import law_references, law_scores
from csfinterp.model.edition import Edition
from csfinterp.steps import formulas
from csfinterp.steps.score import formulas as score_formulas

SHIPPED = Path(__file__).resolve().parent.parent / "reference_ranges" / "2026.1"
RELEASE_DAY = date(2026, 3, 1)


def ids(text: str) -> list[str]:
    return text.split()


# The ids that the project fixed; a file each.
CSF_QUANTITIES = ids(
    """
    csf_leukocytes csf_nucleated_cells csf_erythrocytes csf_neutrophils_pct csf_lymphocytes_pct
    csf_monocytes_pct csf_eosinophils_pct csf_plasma_cells_pct csf_blasts_pct csf_neutrophils csf_lymphocytes
    csf_protein csf_glucose csf_lactate csf_albumin csf_igg csf_iga csf_igm csf_kappa_flc csf_ldh csf_chloride
    csf_ferritin csf_cea csf_cxcl13 csf_il10 csf_il6 csf_ada csf_opening_pressure csf_ctc
    csf_bilirubin_absorbance
    """
)
BLOOD_QUANTITIES = ids(
    """
    serum_glucose serum_albumin serum_igg serum_iga serum_igm serum_kappa_flc serum_cea blood_leukocytes
    blood_erythrocytes blood_neutrophils
    """
)
READY_MADE = ids(
    """
    albumin_quotient glucose_ratio igg_index kappa_index
    """
)
CODED = ids(
    """
    csf_cytology csf_flow_cytometry csf_ctdna plasma_ctdna csf_oligoclonal_bands csf_gram_stain csf_culture
    csf_pathogen_pcr csf_cryptococcal_antigen csf_acid_fast_smear csf_india_ink csf_appearance
    """
)
DERIVED = ids(
    """
    albumin_quotient albumin_quotient_limit glucose_ratio igg_quotient iga_quotient igm_quotient igg_index
    igg_limit iga_limit igm_limit igg_intrathecal_pct iga_intrathecal_pct igm_intrathecal_pct kappa_index
    kappa_quotient kappa_limit csf_leukocytes_corrected csf_protein_corrected kappa_intrathecal_pct
    igg_local_mg_l iga_local_mg_l igm_local_mg_l
    """
)
HELPERS = ids(
    """
    age_days age_years igg_lower iga_lower igm_lower igg_mean iga_mean igm_mean csf_protein_age_limit
    differential_sum_pct expected_neutrophils steinherz_bleyer_ratio cea_index collection_to_analysis_min
    pair_gap_hours specimen_volume_ml count_abnormal count_judged
    """
)
FINDINGS = ids(
    """
    pleocytosis neutrophils_predominate lymphocytes_predominate eosinophils_present plasma_cells_present
    blasts_present protein_raised glucose_low glucose_high lactate_raised lactate_bacterial_range
    bacterial_alarm_value barrier_dysfunction intrathecal_igg intrathecal_iga intrathecal_igm intrathecal_kappa
    kappa_index_above_ms_cut oligoclonal_bands_intrathecal oligoclonal_bands_systemic igg_index_raised
    igg_index_limit_conflict tumor_cells_in_csf equivocal_cells aberrant_cells_by_flow tumor_dna_in_csf
    tumor_cells_captured cea_above_lung_cutoff lymphoma_markers_raised organism_found blood_in_csf
    bilirubin_raised xanthochromia opening_pressure_raised few_cells_lactate_barrier
    """
)


# The print order of patterns (patterns.md ER6) with k and the number of core items (section 1); None: a rule decides.
PATTERNS = {
    "bacterial_meningitis": (4, 5),
    "fungal_meningitis": (3, 3),
    "tuberculous_meningitis": (4, 5),
    "viral_meningitis": (4, 5),
    "subarachnoid_blood": (1, 2),
    "leptomeningeal_metastasis_csf": (2, 4),
    "cns_lymphoma_leukemia": (None, 0),
    "neurosarcoidosis": (3, 5),
    "chronic_inflammatory_ms_type": (3, 4),
    "albuminocytologic_dissociation": (3, 4),
    "isolated_barrier_dysfunction": (4, 4),
    "blood_contamination": (None, 0),
    "no_abnormality_measured": (None, 0),
}
SCORES = ids(
    """
    pan2018 bacterial_meningitis_score spanos1989 bonsu2008 lancet_tbm thwaites2002 cns_lymphoma_markers sah_ruleout
    gao2022_a gao2022_b
    """
)
OFF_BY_DEFAULT = ids("spanos1989 bonsu2008 thwaites2002")

# True only with the limit of a site's own platform or assay, which this edition does not hold.
NEED_A_SITE_LIMIT = {"tumor_cells_captured", "lymphoma_markers_raised"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of editions with a copy of the shipped one."""
    shutil.copytree(SHIPPED, tmp_path / "2026.1")
    return tmp_path


@pytest.fixture
def draft(root: Path) -> Path:
    """A draft that a steward may break."""
    return knowledge.new_edition(root, "2026.2", "2026.1")


@pytest.fixture
def released(draft: Path) -> Path:
    knowledge.release_edition(draft, RELEASE_DAY)
    return draft


@pytest.fixture(scope="module")
def edition() -> Edition:
    return knowledge.load_edition(SHIPPED)


Edit = Callable[[str, str, str], int]


@pytest.fixture
def edit(draft: Path) -> Edit:
    """Replaces the first `old` in a file of the draft; the line where it stood."""

    def change(name: str, old: str, new: str) -> int:
        path = draft / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{name} no longer holds {old!r}: the test must follow the edition"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return text[: text.index(old)].count("\n") + 1

    return change


def refused(folder: Path, name: str, line: int | None, *words: str) -> None:
    """The folder is refused by both doors with a slip at `name`:`line` that holds `words`."""
    slips = knowledge.check_edition(folder)
    here = [slip for slip in slips if slip.file == (folder / name).as_posix() and slip.line == line]
    assert here, f"no slip at {name}:{line}; found {[str(slip) for slip in slips]}"
    assert any(all(word in slip.message for word in words) for slip in here), [slip.message for slip in here]
    with pytest.raises(EditionError) as raised:
        knowledge.load_edition(folder)
    assert str(raised.value) == str(slips[0])


# The shipped edition


def test_the_shipped_edition_has_no_slip() -> None:
    assert knowledge.check_edition(SHIPPED) == ()


def test_every_analyte_id_has_its_own_file(edition: Edition) -> None:
    expected = {*CSF_QUANTITIES, *BLOOD_QUANTITIES, *READY_MADE, *CODED}
    assert {path.stem for path in (SHIPPED / "analytes").glob("*.yaml")} == expected
    assert {analyte.id for analyte in edition.analytes} == expected
    assert {analyte.id for analyte in edition.analytes if analyte.kind == "coded"} == set(CODED)


def test_every_derived_helper_and_finding_id_is_there(edition: Edition) -> None:
    assert {item.id for item in edition.derived if item.kind == "derived"} == set(DERIVED)
    assert {item.id for item in edition.derived if item.kind == "helper"} >= set(HELPERS)
    assert {finding.id for finding in edition.findings} >= set(FINDINGS) - NEED_A_SITE_LIMIT
    assert {profile.id for profile in edition.profiles} == {"hematologic", "solid_tumor"}
    assert [table.id for table in edition.evidence] == ["eano_esmo", "hematologic_cns", "leukemia_cns"]
    assert [table.columns for table in edition.evidence] == [False, False, True]


def test_the_patterns_stand_in_print_order_with_their_core(edition: Edition) -> None:
    core = [sum(item.kind == "core" for item in pattern.items) for pattern in edition.patterns]
    found = {pattern.id: (pattern.k, count) for pattern, count in zip(edition.patterns, core, strict=True)}
    assert list(found.items()) == list(PATTERNS.items())
    assert {pattern.id for pattern in edition.patterns if not pattern.partly} == {
        "fungal_meningitis", "isolated_barrier_dysfunction",
    }  # fmt: skip


def test_every_score_is_there_and_three_are_off(edition: Edition) -> None:
    assert [score.id for score in edition.scores] == SCORES
    assert [score.id for score in edition.scores if not score.default_on] == OFF_BY_DEFAULT


def test_every_function_of_derived_quantities_and_scores_exists() -> None:
    assert {*law_references.FUNCTIONS} == {*formulas.FUNCTIONS, *formulas.GIVEN}
    assert {*law_scores.FUNCTIONS} == {*score_formulas.FUNCTIONS}


def test_every_fact_names_a_source_and_its_status(edition: Edition) -> None:
    rows = [row for analyte in edition.analytes for row in analyte.intervals]
    statements = [*edition.limits, *edition.critical, *edition.quality, *edition.findings, *edition.options]
    parts = [part for pattern in edition.patterns for part in (*pattern.items, *pattern.lines)]
    spoken = [*edition.cautions, *edition.statements, *edition.recommendations, *edition.scores, edition.differential]
    facts = [*edition.analytes, *edition.derived, *rows, *statements, *edition.patterns, *parts, *spoken]
    assert all(fact.citations and set(fact.citations) <= set(edition.citation) for fact in facts)
    assert {fact.status for fact in facts} <= {"primary", "secondary", "recalled", "derived", "ours"}


def test_limits_are_converted_once_and_keep_the_text_of_their_source(edition: Edition) -> None:
    adult = next(row for row in edition.analyte["csf_glucose"].intervals if row.rule == "csf_glucose/G4")
    assert adult.low is not None and adult.high is not None
    # 40 and 70 mg/dL over 180.156 g/mol, rounded once to 9 decimals.
    assert (adult.low.value, adult.low.text) == (2.220297964, "≥ 40 mg/dL")
    assert (adult.high.value, adult.high.text) == (3.885521437, "≤ 70 mg/dL")
    assert edition.limit["DL-LAC"].value == 3.5


def test_nucleated_cells_use_the_leukocyte_rows_under_their_own_ids(edition: Edition) -> None:
    assert edition.analyte["csf_nucleated_cells"].intervals == edition.analyte["csf_leukocytes"].intervals
    assert edition.analyte["csf_nucleated_cells"].intervals[0].rule == "csf_leukocytes/L1"


def test_loading_takes_far_less_than_a_second_of_processor_time(draft: Path) -> None:
    started = time.process_time()
    knowledge.load_edition(draft)
    assert time.process_time() - started < 1.5


def test_an_interrupted_copy_is_not_taken_for_an_edition(root: Path) -> None:
    shutil.copytree(root / "2026.1", root / ".2026.2.123.tmp")
    assert [info.id for info in knowledge.list_editions(root)] == ["2026.1"]


def test_the_list_of_editions_says_what_is_there(root: Path, released: Path) -> None:
    first, second = knowledge.list_editions(root)
    assert (first.id, second.id, second.status, second.folder) == ("2026.1", "2026.2", "released", released)
    assert second.digest == knowledge.load_edition(released).digest
    assert second.digest.startswith("sha256:") and len(second.digest) == 71


def test_a_folder_is_named_as_its_edition(root: Path, draft: Path) -> None:
    copy = root / "copy of 2026.2"
    shutil.copytree(draft, copy)
    broken = next(info for info in knowledge.list_editions(root) if info.folder == copy)
    assert (broken.id, broken.status) == ("copy of 2026.2", "broken")
    assert broken.problem is not None and "'copy of 2026.2' holds edition '2026.2'" in broken.problem.message
    assert [info.folder for info in knowledge.list_editions(root) if info.id == "2026.2"] == [draft]
    assert [slip.message for slip in knowledge.check_edition(copy)] == [broken.problem.message]
    with pytest.raises(EditionError, match=r"'copy of 2026\.2' holds edition '2026\.2'"):
        knowledge.release_edition(copy, RELEASE_DAY)
    assert not (copy / "seal.sha256").exists()


# The seal


def test_a_touched_released_edition_is_refused_and_says_what_to_do(released: Path) -> None:
    path = released / "analytes" / "csf_leukocytes.yaml"
    path.write_bytes(path.read_bytes() + b"# a remark\n")
    refused(released, "seal.sha256", 1, "changed after its release", "restore", "csfinterp edition new")


def test_a_file_added_to_or_taken_from_a_released_edition_breaks_the_seal(released: Path) -> None:
    (released / "profiles" / "more.yaml").write_text("id: more\n", encoding="utf-8")
    refused(released, "seal.sha256", 1, "changed after its release")


def test_a_released_edition_without_its_seal_is_refused(released: Path) -> None:
    (released / "seal.sha256").unlink()
    refused(released, "seal.sha256", None, "no seal")


def test_a_seal_that_is_no_digest_is_refused(released: Path) -> None:
    (released / "seal.sha256").write_text("approved\n", encoding="utf-8")
    refused(released, "seal.sha256", 1, "sha256:")


def test_status_cannot_be_switched_to_released_by_hand(draft: Path, edit: Edit) -> None:
    edit("edition.yaml", "status: draft", "status: released")
    refused(draft, "seal.sha256", None, "no seal")


def test_a_windows_checkout_has_the_same_digest(released: Path) -> None:
    before = knowledge.load_edition(released).digest
    for path in released.rglob("*.yaml"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert knowledge.load_edition(released).digest == before


def test_release_keeps_comments_and_writes_date_status_and_seal(draft: Path, edit: Edit) -> None:
    edit("edition.yaml", "status: draft", "# signed by the laboratory\nstatus: draft  # until signed")
    digest = knowledge.release_edition(draft, RELEASE_DAY)
    text = (draft / "edition.yaml").read_text(encoding="utf-8")
    assert "# signed by the laboratory\nstatus: released  # until signed\n" in text
    assert 'released_on: "2026-03-01"\n' in text
    assert (draft / "seal.sha256").read_text(encoding="utf-8") == f"{digest}\n"
    edition = knowledge.load_edition(draft)
    assert (edition.status, edition.released_on, edition.digest) == ("released", "2026-03-01", digest)


def test_an_edition_with_a_slip_cannot_be_released(draft: Path, edit: Edit) -> None:
    line = edit("limits.yaml", "op:", "operator:")
    with pytest.raises(EditionError) as raised:
        knowledge.release_edition(draft, RELEASE_DAY)
    assert (raised.value.file, raised.value.line) == ((draft / "limits.yaml").as_posix(), line - 2)
    assert not (draft / "seal.sha256").exists()


def test_a_released_edition_is_not_released_again(released: Path) -> None:
    with pytest.raises(EditionError, match="released already"):
        knowledge.release_edition(released, RELEASE_DAY)


# From one edition to the next


def test_a_new_edition_is_a_draft_of_its_own(root: Path, draft: Path) -> None:
    edition = knowledge.load_edition(draft)
    assert (draft, edition.id, edition.status, edition.released_on) == (root / "2026.2", "2026.2", "draft", None)
    assert not (draft / "seal.sha256").exists()


def test_a_new_edition_never_overwrites_one(root: Path, draft: Path) -> None:
    with pytest.raises(EditionError, match="exists already"):
        knowledge.new_edition(root, "2026.2", "2026.1")
    with pytest.raises(EditionError, match=r"no edition '2025\.1'"):
        knowledge.new_edition(root, "2026.3", "2025.1")
    with pytest.raises(EditionError, match="no edition id"):
        knowledge.new_edition(root, "../elsewhere", "2026.1")


def test_the_same_content_shows_no_difference(root: Path, draft: Path) -> None:
    assert knowledge.diff_editions(knowledge.load_edition(root / "2026.1"), knowledge.load_edition(draft)) == ()


def test_a_difference_names_row_old_new_and_whom_it_touches(root: Path, draft: Path, edit: Edit) -> None:
    edit("analytes/csf_leukocytes.yaml", '"4 /uL"', '"5 /uL"')
    lines = knowledge.diff_editions(knowledge.load_edition(root / "2026.1"), knowledge.load_edition(draft))
    assert lines[0] == "csf_leukocytes/L5: high ≤ 4 /uL -> high ≤ 5 /uL"
    analytes, profiles = lines[-2:]
    assert (
        analytes.startswith("impacted analytes: ")
        and "csf_leukocytes" in analytes
        and "csf_nucleated_cells" in analytes
    )
    assert profiles == "impacted profiles: hematologic, solid_tumor"


def test_a_removed_row_is_named_too(root: Path, draft: Path, edit: Edit) -> None:
    text = (draft / "limits.yaml").read_text(encoding="utf-8")
    block = text[text.index("- id: DL-CEA") :].split("\n- id:")[0]
    edit("limits.yaml", block + "\n", "")
    for path in draft.glob("*.yaml"):
        used = path.read_text(encoding="utf-8")
        path.write_text(used.replace("limit: DL-CEA", 'limit: "5 ng/mL", inclusive: true'), encoding="utf-8")
    lines = knowledge.diff_editions(knowledge.load_edition(root / "2026.1"), knowledge.load_edition(draft))
    assert any(line.startswith("DL-CEA: ") and line.endswith("-> (none)") for line in lines)
    assert any("csf_cea" in line for line in lines if line.startswith("impacted analytes"))
