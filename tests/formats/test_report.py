"""The text report: 80 columns whatever the document holds, and nothing that was not judged looks normal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csfinterp.formats.report_layout import clean, width_of, wrap
from csfinterp.formats.report_names import CONTEXT, TESTS, spoken
from csfinterp.formats.report_text import write
from csfinterp.formats.report_words import NOT_JUDGED, number
from csfinterp.model import context
from csfinterp.model.edition import Edition

Document = dict[str, Any]
MakeDocument = Callable[[], Document]


def _columns(line: str) -> int:
    """Terminal columns, counted here on its own."""
    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in line)
    return len(line) + wide - sum(unicodedata.category(sign) in ("Mn", "Me") for sign in line)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in items for place in ((*path, key), *_places(inner, (*path, key)))]


def _put(document: Document, path: tuple[Any, ...], value: Any) -> None:
    holder: Any = document
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value


def test_the_report_says_the_whole_interpretation(make_document: MakeDocument) -> None:
    report = write(make_document())
    for said in (
        "ACC-2026-0815", "MRN-4711", "64 years", "2026.1 (released)", "0123456789ab",
        "CRITICAL RESULT - CALL THE TREATING TEAM", "Listeria monocytogenes", "no call",
        "LM possible.", "The cell count is raised. [1]",
        "Leukocytes in CSF                     21 /uL       H     ≤ 4",
        "Glucose in CSF                      2.22 mmol/L    ?", "as sent: 40 mg/dL", "laboratory range: 45-80 mg/dL",
        "Glucose in CSF: there is no reference interval.",
        "Not validated as a pair. Because: serum of another day.", "[3] (ours)",
        "+ Pleocytosis: Leukocytes in CSF 21 > limit 4 [1]", "Rule not met (no proof of absence): Blood in CSF.",
        "Not judged: Protein raised (missing: Total protein in CSF).",
        "possible, type IIA, PROVISIONAL", "clinical signs: typical would make it probable", "R12 [2] (recalled)",
        "lowest possible, highest confirmed", "ERBB2 p.V777L, allele fraction 12.5 %",
        "published share 79 % (n = 76) [1]", "disputed,", "Entry criterion of the cohort: malignant cells in CSF",
        "error, observations[3]: No unit: send the unit in UCUM.",
        "[1] Bönig L, et al. 2019. doi:10.1/x\n", "[2] A textbook 2000. PMID 123 (recalled)",
        "Decision support, not a diagnosis.",
    ):  # fmt: skip
        assert said in report, said
    assert all(_columns(line) <= 80 for line in report.splitlines())
    assert report.index("CRITICAL RESULT") < report.index("SUMMARY") < report.index("RESULTS")


def _section(report: str, heading: str) -> str:
    """The text under a heading, on one line."""
    lines = report.split("\n")
    start = next(n for n, line in enumerate(lines) if line == heading and lines[n + 1] == "-" * 80)
    end = next((n for n in range(start + 2, len(lines)) if set(lines[n]) == {"-"}), len(lines))
    return " ".join(" ".join(lines[start + 2 : end - 1]).split())


def test_the_reading_stands_in_its_sections(make_document: MakeDocument) -> None:
    report = write(make_document())
    patterns = _section(report, "PATTERNS")
    for said in (
        "!!! EMERGENCY: Bacterial meningitis: PARTLY FITS (P-BACT) [1] (ours)",
        "Alarm values Lactate in CSF 4.2 mmol/L ≥ 3.5 mmol/L",
        "Support leukocytes above 1000 per uL (Leukocytes in CSF 2100 /uL > 1000 /uL) [1]",
        "Against not: neutrophils predominate [3] (ours) lymphocytes predominate [2] (recalled)",
        "Missing CSF/serum glucose ratio; Lactate in CSF",
        "Note Few cells do not exclude it. [2] (recalled)",
        "Leptomeningeal metastasis, CSF side: ESTABLISHED BY A DECISIVE RESULT (P-NEO) [1]",
        "DISCORDANT",
        "Viral meningitis: STAYS OPEN",
        "Cannot be judged: - Neurosarcoidosis (P-SARC): It cannot be judged. Missing: Albumin in CSF. [1]",
        "The values do not show: Isolated barrier dysfunction. This excludes none of them.",
        "- No relevant amount of blood in the sample.",
    ):
        assert said in patterns, said
    assert patterns.index("EMERGENCY") < patterns.index("Leptomeningeal metastasis")
    assert "Subarachnoid blood" not in report, "computed, but not to be shown"
    assert report.index("!!! EMERGENCY") < report.index("SUMMARY")


def test_the_advising_sections(make_document: MakeDocument) -> None:
    report = write(make_document())
    for heading, *said in (
        ("CAUTIONS", "Three-way differential is obligatory. Because: Leukocytes in CSF 21 /uL > 4 /uL; question"
         " leptomeningeal metastasis; MRI linear; and 1 more. (PC01) [3] (ours)", "Caution 6.", "1 more in the full"),
        ("DIFFERENTIAL OF LEPTOMENINGEAL ENHANCEMENT", "MRI shows enhancement. [1]", "Multiple sclerosis, retrovirus"
         " [2] (recalled) Leptomeningeal multiple sclerosis; HTLV Tests oligoclonal bands", "Never used to lower LM."),
        ("LIQUID BIOPSY AND TUMOR MARKERS", "Tumor DNA was found. Because: Circulating tumor DNA in CSF detected. [1]",
         "ERBB2 p.V777L, allele fraction 12.5 %"),
        ("LEUKEMIA CNS STATUS", "Status CNS2a (row 5) [2] (recalled)", "Provisional yes", "Blasts, share of"
         " leukocytes, CSF 2 % > 0 %", "Missing blood blasts present", "Would settle CNS leukemia signs"),
        ("PUBLISHED SCORES", "Pan 2018 score: computed [1] Total 8 of 13: possible.", "Gao 2022 model B: refused [1]"
         " (secondary) Refused: made for solid tumors. Missing: Total protein in CSF.", "Made for: suspected"),
        ("RECOMMENDATIONS", "For the laboratory: - CRITICAL: Call the clinician now. Because: Gram stain of CSF"
         " positive. (R-I01) [1]", "For the treating team: - HIGH: Contrast MRI is recommended. Because: MRI not known."
         " (R-N01) [3] (ours) 1 more in the full document."),
    ):  # fmt: skip
        section = _section(report, heading)
        for sentence in said:
            assert sentence in section, sentence
    assert "Caution 7." not in report, "of the examples (EC) at most six"


def test_context_for_the_treating_team_stands_in_its_own_block_alone(make_document: MakeDocument) -> None:
    report = write(make_document())
    block = _section(report, "for the treating team, context only")
    assert block == "- Discuss in the board. Because: MRI not known. (R-T01) [3] (ours) 1 more in the full document."
    assert report.count("Discuss in the board.") == 1
    assert "Support." not in report, "a folded entry is only counted"
    document = make_document()
    document["recommendations"] = [entry for entry in document["recommendations"] if not entry["context_only"]]
    assert "context only" not in write(document)


def test_no_id_stands_where_a_reader_expects_words(make_document: MakeDocument) -> None:
    report = write(make_document())
    body = report[: report.index("REFERENCE INTERVALS USED")]
    assert re.findall(r"[a-z]+_[a-z_]+", body) == []


@pytest.mark.parametrize("key", ["patterns", "cautions", "scores", "recommendations"])
def test_a_document_of_an_earlier_version_is_printed(make_document: MakeDocument, key: str) -> None:
    document = make_document()
    del document[key]
    assert f"no list of {key}" in write(document)
    for name in ("leukemia_cns", "liquid_biopsy", "patterns", "cautions", "differential", "scores", "recommendations"):
        document.pop(name, None)
    report = write(document)
    assert "this document has no leukemia status" in report
    assert "DIFFERENTIAL OF" not in report


def test_a_leukemia_status_that_is_not_for_the_patient_is_one_line(make_document: MakeDocument) -> None:
    document = make_document()
    document["leukemia_cns"] |= {"status": "not_applicable", "row": None, "reason": "diagnosis_not_stated"}
    report = write(document)
    assert "LEUKEMIA CNS STATUS" not in report
    assert "Leukemia CNS    not applicable: acute lymphoblastic leukemia is not stated" in report


def test_names_in_running_text() -> None:
    names = {"viral_meningitis": "Viral meningitis", "igg_index": "IgG index"}
    for written, said in (
        ("csf_protein 1 g/L > csf_protein_age_limit 2 g/L", "Total protein in CSF 1 g/L > age-adjusted upper limit of"
         " total protein (advisory) 2 g/L"),
        ("not: viral_meningitis at least partly_fits", "not: Viral meningitis: at least partly fits"),
        ("missing igg_index, stated_hiv", "missing IgG index, HIV stated"),
        ("mri not_done; question gbs", "MRI not done; question Guillain-Barre syndrome"),
        ("leukemia_cns at least not_classifiable", "Leukemia CNS status: not classifiable"),
        ("eano_esmo at least probable", "EANO-ESMO certainty: at least probable"),
        ("a >= b <= c", "a ≥ b ≤ c"),
        ("csf_protein/P10 stays a rule", "csf_protein/P10 stays a rule"),
    ):  # fmt: skip
        assert spoken(written, TESTS | CONTEXT | names) == said


def test_the_table_of_names_is_that_of_the_edition(edition: Edition) -> None:
    assert {analyte.id: analyte.name for analyte in edition.analytes}.items() <= TESTS.items()
    assert {entry.id: entry.name for entry in (*edition.analytes, *edition.derived)} == TESTS


def test_a_value_above_its_limit_is_never_rounded_onto_the_limit(make_document: MakeDocument) -> None:
    assert "8.30004 10*-3     H ~   ≤ 8.3" in write(make_document())
    assert number(8.30004) == "8.3"
    assert number(8.30004, 8.3, None) == "8.30004"
    assert [number(value) for value in (4030.0, 2.220297964, 12345.6, 0.00001234, 15840.0)] == [
        "4030", "2.22", "12346", "0.00001234", "15840",
    ]  # fmt: skip


def test_every_reason_of_the_contract_has_its_words() -> None:
    assert set(NOT_JUDGED) == set(context.NOT_JUDGED)


@pytest.mark.parametrize("key", ["results", "critical", "quality", "findings", "issues", "citations"])
def test_a_list_that_is_missing_is_not_an_empty_list(make_document: MakeDocument, key: str) -> None:
    document = make_document()
    document[key] = []
    assert f"no list of {key}" not in write(document)
    document[key] = None
    assert f"no list of {key}" in write(document)


def test_a_report_that_is_not_final_or_not_released_says_so_at_the_top(make_document: MakeDocument) -> None:
    document = make_document() | {"status": "cancelled"}
    document["edition"]["status"] = "draft"
    top = write(document)[:400]
    assert "*** CANCELLED ***" in top
    assert "NOT FOR USE ON PATIENTS" in top


def test_lack_of_evidence_is_never_printed_without_its_caution(make_document: MakeDocument) -> None:
    document = make_document()
    document["lm"]["certainty"] = "lack_of_evidence"
    assert "lack of evidence (not an exclusion)" in write(document)


def test_the_certainty_block_prints_no_percentage(make_document: MakeDocument) -> None:
    report = write(make_document())
    block = report[report.index("LEPTOMENINGEAL METASTASIS") : report.index("HEMATOLOGIC DISEASE")]
    assert "%" not in block


def test_any_null_is_printed(make_document: MakeDocument) -> None:
    for path in _places(make_document()):
        document = make_document()
        _put(document, path, None)
        assert "CEREBROSPINAL FLUID" in write(document)
    assert "SOURCES" in write({})


ODD = (
    st.none()
    | st.integers(-(10**12), 10**12)
    | st.floats()
    | st.booleans()
    | st.text(alphabet="ab 漢字Ｗ\u0301\n\t\x1b\u202e\U0001f9e0", max_size=300)
    | st.just([])
    | st.just({})
    | st.just("W" * 500)
)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_line_is_wider_than_80_columns(make_document: MakeDocument, data: st.DataObject) -> None:
    document = make_document()
    paths = data.draw(st.lists(st.sampled_from(_places(document)), min_size=1, max_size=6, unique=True))
    for path in sorted(paths, key=len, reverse=True):  # inner places first: an outer change may take them away
        _put(document, path, data.draw(ODD))
    report = write(document)
    assert max(map(_columns, report.split("\n"))) <= 80
    assert "\x1b" not in report
    assert "\u202e" not in report


@given(st.text(max_size=200), st.integers(2, 30))
def test_wrapping_loses_nothing(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(width_of(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(clean(text).split())
