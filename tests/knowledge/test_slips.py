"""Every slip in an edition is refused with its file and line: shape, rules, and laws between files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from csfinterp import knowledge
from csfinterp.errors import EditionError
from csfinterp.model.edition import Edition

SHIPPED = Path(__file__).resolve().parents[2] / "reference_ranges" / "2026.1"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of editions with a copy of the shipped one."""
    shutil.copytree(SHIPPED, tmp_path / "2026.1")
    return tmp_path


@pytest.fixture
def draft(root: Path) -> Path:
    """A draft that a steward may break."""
    return knowledge.new_edition(root, "2026.2", "2026.1")


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


# Shape: keys and values


def test_a_duplicate_key_is_refused(draft: Path, edit: Edit) -> None:
    line = edit("analytes/csf_glucose.yaml", "decimals:", "decimals: 1\ndecimals:")
    refused(draft, "analytes/csf_glucose.yaml", line + 1, "duplicate key 'decimals'", f"line {line}")


def test_an_unknown_key_is_refused_and_the_known_ones_are_named(draft: Path, edit: Edit) -> None:
    line = edit("analytes/csf_glucose.yaml", "specimen:", "specimens: csf\nspecimen:")
    refused(draft, "analytes/csf_glucose.yaml", line, "specimens", "unknown key", "counterpart")


def test_a_missing_key_is_refused_at_the_line_of_its_entry(draft: Path, edit: Edit) -> None:
    line = edit("limits.yaml", "- id: DL-LAC\n  quantity: csf_lactate\n", "- id: DL-LAC\n")
    refused(draft, "limits.yaml", line, "quantity", "missing")


@pytest.mark.parametrize("word", ["yes", "012", "0x10", "1_000", ".inf"])
def test_a_value_that_yaml_reads_in_two_ways_is_refused(draft: Path, edit: Edit, word: str) -> None:
    line = edit("analytes/csf_glucose.yaml", "decimals: ", f"decimals: {word} # ")
    refused(draft, "analytes/csf_glucose.yaml", line, "more than one way", "quotes")


def test_anchors_are_refused(draft: Path, edit: Edit) -> None:
    line = edit("analytes/csf_glucose.yaml", "specimen: csf", "specimen: &where csf\ntraps: *where\n#")
    refused(draft, "analytes/csf_glucose.yaml", line, "anchors")


def test_text_that_is_no_yaml_is_refused(draft: Path, edit: Edit) -> None:
    line = edit("analytes/csf_glucose.yaml", "kind: quantity", "kind: [quantity")
    refused(draft, "analytes/csf_glucose.yaml", line + 1, "not YAML")


def test_a_file_that_is_not_utf8_is_refused(draft: Path) -> None:
    (draft / "limits.yaml").write_bytes(b"- id: \xff\n")
    refused(draft, "limits.yaml", None, "UTF-8")


def test_a_missing_file_is_refused(draft: Path) -> None:
    (draft / "critical.yaml").unlink()
    refused(draft, "critical.yaml", None, "missing")


def test_a_stray_file_is_refused(draft: Path) -> None:
    (draft / "notes.txt").write_text("remember", encoding="utf-8")
    refused(draft, "notes.txt", None, "no place in an edition")


def test_a_folder_that_is_no_edition_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EditionError, match=r"edition\.yaml"):
        knowledge.load_edition(tmp_path)


def test_all_slips_of_several_files_are_told_at_once(draft: Path, edit: Edit) -> None:
    first = edit("analytes/csf_glucose.yaml", "decimals: ", "decimals: many # ")
    second = edit("limits.yaml", 'op: ">="', 'op: "=>"')
    third = edit("critical.yaml", "level: critical", "level: high")
    slips = knowledge.check_edition(draft)
    assert [(Path(slip.file or "").name, slip.line) for slip in slips] == [
        ("csf_glucose.yaml", first),
        ("critical.yaml", third),
        ("limits.yaml", second),
    ]


# Rules


FIRST_FINDING = "findings:\n"


def finding(when: str, name: str = "test_only") -> str:
    lines = [f"- id: {name}", "  name: test", f"  when: {when}", "  citations: [csfinterp_rule]", "  status: ours"]
    return "".join(f"  {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("{over: {quantity: csf_lactate, limit: DL-LAC}}", ("unknown word 'over'", "above")),
        ("{above: {quantity: csf_laktat, limit: DL-LAC}}", ("unknown quantity 'csf_laktat'",)),
        ("{above: {quantity: csf_cytology, limit: DL-LAC}}", ("coded",)),
        ("{above: {quantity: csf_lactate, limit: 3.5}}", ("with its unit",)),
        ('{above: {quantity: csf_lactate, limit: "3.5"}}', ("no number with unit",)),
        ('{above: {quantity: csf_lactate, limit: "3.5 mmol/l"}}', ("'mmol/l'", "not in units.yaml")),
        ('{above: {quantity: csf_lactate, limit: "3.5 /uL"}}', ("does not convert",)),
        ("{above: {quantity: csf_lactate, limit: DL-NONE}}", ("unknown decision limit",)),
        ("{above: {quantity: csf_glucose, limit: DL-LAC}}", ("csf_lactate",)),
        ("{below: {quantity: csf_lactate, limit: DL-LAC}}", ("does not fit",)),
        ("{above: {quantity: csf_lactate, limit: reference.upper}}", ("reference.high",)),
        ("{above: {quantity: csf_lactate, limit: {quantity: csf_leukocytes}}}", ("cannot be compared",)),
        ("{above: {quantity: csf_lactate, limit: DL-LAC, strict: true}}", ("unknown key 'strict'",)),
        ("{flagged: {analyte: csf_lactate, as: [HIGH]}}", ("unknown word 'HIGH'",)),
        ("{is: {input: csf_cytology, in: [malignant]}}", ("unknown word 'malignant'", "positive")),
        ("{is: {input: mood, in: [good]}}", ("unknown coded input",)),
        ("{is: {input: csf_lactate, in: [high]}}", ("it is a quantity",)),
        ("{known: csf_laktat}", ("csf_laktat",)),
        ("{holds: nothing_like_it}", ("nothing_like_it",)),
        ("{all: []}", ("list of rules",)),
        ("{at_least: {k: 3, items: [{known: csf_lactate}]}}", ("from 1 to 1",)),
        ("{known: csf_lactate, holds: pleocytosis}", ("exactly one word",)),
        ('{between: {quantity: csf_lactate, low: "4 mmol/L", high: "3 mmol/L"}}', ("low is above high",)),
    ],
)
def test_a_rule_outside_the_vocabulary_is_refused(draft: Path, edit: Edit, when: str, words: tuple[str, ...]) -> None:
    line = edit("findings.yaml", FIRST_FINDING, FIRST_FINDING + finding(when)) + 3
    refused(draft, "findings.yaml", line, *words)


def test_an_unknown_word_deep_inside_a_rule_is_refused_at_its_own_line(draft: Path, edit: Edit) -> None:
    lines = ("", "any:", "- known: csf_lactate", "- all:", "  - known: csf_glucose", "  - is_not: csf_protein")
    when = "\n      ".join(lines)
    line = edit("findings.yaml", FIRST_FINDING, FIRST_FINDING + finding(when)) + 8
    refused(draft, "findings.yaml", line, "unknown word 'is_not'")


def test_a_circle_of_holds_is_refused(draft: Path, edit: Edit) -> None:
    circle = finding("{holds: second}") + finding("{any: [{known: csf_lactate}, {holds: test_only}]}", "second")
    line = edit("findings.yaml", FIRST_FINDING, FIRST_FINDING + circle) + 3
    refused(draft, "findings.yaml", line, "circle", "test_only -> second -> test_only")


# Laws between files


def test_an_unknown_citation_is_refused(draft: Path, edit: Edit) -> None:
    line = edit("analytes/csf_glucose.yaml", "citations: [", "citations: [smith1999, ")
    refused(draft, "analytes/csf_glucose.yaml", line, "unknown citation 'smith1999'", "citations.yaml")


def test_a_fact_without_a_source_is_refused(draft: Path, edit: Edit) -> None:
    line = edit("analytes/csf_leukocytes.yaml", "citations: [thomson2018]", "citations: []")
    refused(draft, "analytes/csf_leukocytes.yaml", line, "at least one citation")


def test_a_gap_between_ages_is_refused(draft: Path, edit: Edit) -> None:
    line = edit("analytes/csf_leukocytes.yaml", 'from: "29 d", to: "61 d"', 'from: "29 d", to: "50 d"')
    refused(draft, "analytes/csf_leukocytes.yaml", line - 2, "csf_leukocytes/L2", "gap", "from 50 d to 61 d")


def test_a_gap_that_the_edition_states_is_no_slip(edition: Edition) -> None:
    bands = {(row.age_from.value, row.age_from.unit) for row in edition.analyte["csf_neutrophils_pct"].intervals}
    assert bands == {(0.0, "d"), (60.0, "d")}  # no source gives a band for 30 to 59 days


def test_an_overlap_of_ages_is_refused(draft: Path, edit: Edit) -> None:
    line = edit("analytes/csf_leukocytes.yaml", 'from: "29 d", to: "61 d"', 'from: "28 d", to: "61 d"')
    refused(draft, "analytes/csf_leukocytes.yaml", line - 2, "overlap", "csf_leukocytes/L1", "from 28 d to 29 d")


def test_a_gap_between_strata_is_refused(draft: Path, edit: Edit) -> None:
    line = edit(
        "analytes/glucose_ratio.yaml", 'from: "100 mg/dL", to: "150 mg/dL"', 'from: "100 mg/dL", to: "140 mg/dL"'
    )
    refused(draft, "analytes/glucose_ratio.yaml", line + 6, "glucose_ratio/R3", "gap", "serum_glucose")


def test_an_age_that_mixes_days_and_years_is_refused(draft: Path, edit: Edit) -> None:
    line = edit("analytes/csf_leukocytes.yaml", 'from: "29 d", to: "61 d"', 'from: "29 d", to: "400 d"')
    refused(draft, "analytes/csf_leukocytes.yaml", line, "400 d", "years")


def test_a_unit_that_does_not_convert_is_refused(draft: Path, edit: Edit) -> None:
    line = edit("analytes/csf_leukocytes.yaml", 'units: ["/uL"', 'units: ["mg/dL", "/uL"')
    refused(draft, "analytes/csf_leukocytes.yaml", line, "'mg/dL'", "does not convert")


def test_a_limit_in_a_unit_that_does_not_convert_is_refused(draft: Path, edit: Edit) -> None:
    line = edit("analytes/csf_leukocytes.yaml", '"15 /uL"', '"15 mg/dL"')
    refused(draft, "analytes/csf_leukocytes.yaml", line, "does not convert")


def test_a_scale_that_pint_contradicts_is_refused(draft: Path, edit: Edit) -> None:
    edit(
        "units.yaml",
        'mass_concentration, scale: "10", pint: "mg/dL"',
        'mass_concentration, scale: "100", pint: "mg/dL"',
    )
    refused(draft, "units.yaml", None, "pint says", "mg/dL")


def test_a_wrong_check_digit_is_refused(draft: Path, edit: Edit) -> None:
    line = edit("analytes/csf_leukocytes.yaml", '"26465-5"', '"26465-6"')
    refused(draft, "analytes/csf_leukocytes.yaml", line, "26465-6", "check digit")


def test_a_code_of_two_analytes_is_refused(draft: Path, edit: Edit) -> None:
    line = edit("analytes/csf_protein.yaml", "loinc:\n", 'loinc:\n  - {code: "26465-5", use: accept}\n') + 1
    refused(draft, "analytes/csf_protein.yaml", line, "26465-5", "csf_leukocytes")


def test_a_coded_word_that_stands_twice_is_refused(draft: Path, edit: Edit) -> None:
    line = edit("analytes/csf_cytology.yaml", "values:\n", "values:\n  - {word: Negative, flag: A}\n") + 5
    refused(draft, "analytes/csf_cytology.yaml", line, "'negative'", "twice")


def test_a_critical_limit_inside_the_normal_range_is_refused(draft: Path, edit: Edit) -> None:
    line = edit("critical.yaml", 'limit: "30 /uL"', 'limit: "3 /uL"')
    refused(draft, "critical.yaml", line, "CR-WBC", "inside", "csf_leukocytes/L5")


def test_a_critical_limit_may_touch_the_edge_of_the_interval(edition: Edition) -> None:
    critical = next(rule for rule in edition.critical if rule.id == "CR-GLU1")
    row = next(row for row in edition.analyte["csf_glucose"].intervals if row.rule == "csf_glucose/G4")
    assert row.low is not None and critical.limit == row.low.value  # both 40 mg/dL, and the edition has no slip


def test_a_broken_limit_is_told_once_and_not_in_every_rule_that_names_it(draft: Path, edit: Edit) -> None:
    line = edit("limits.yaml", '"3.5 mmol/L"', '"3.5 mmol/l"')
    slips = knowledge.check_edition(draft)
    assert [(slip.file, slip.line) for slip in slips] == [((draft / "limits.yaml").as_posix(), line)]


def test_the_organism_rule_stays_locked(draft: Path, edit: Edit) -> None:
    line = edit("critical.yaml", "- id: CR-ORG\n", "- id: CR-ORG\n")
    edit("critical.yaml", "locked: true", "locked: false")
    refused(draft, "critical.yaml", line, "CR-ORG", "locked: true")


def test_a_marker_that_does_not_exist_is_refused(draft: Path, edit: Edit) -> None:
    line = edit("profiles/solid_tumor.yaml", "id: csf_protein", "id: csf_proteins")
    refused(draft, "profiles/solid_tumor.yaml", line, "csf_proteins")


def test_a_quality_rule_that_suppresses_nothing_known_is_refused(draft: Path, edit: Edit) -> None:
    line = edit("quality.yaml", "suppresses: [", "suppresses: [csf_laktat, ")
    refused(draft, "quality.yaml", line, "csf_laktat")


def test_a_formula_without_its_constants_is_refused(draft: Path, edit: Edit) -> None:
    line = edit("derived.yaml", "constants: {a_over_b:", "constants: {b_over_a:")
    refused(draft, "derived.yaml", line, "a_over_b")


def test_a_quantity_calculated_before_its_input_is_refused(draft: Path, edit: Edit) -> None:
    line = edit("derived.yaml", "inputs: [csf_albumin, serum_albumin]", "inputs: [csf_albumin, igg_limit]")
    refused(draft, "derived.yaml", line, "'igg_limit'", "before")


def test_an_evidence_table_that_misses_a_combination_is_refused(draft: Path, edit: Edit) -> None:
    cell = "- id: R02\n        when: {is: {input: tumor, in: [primary_cns]}}"
    edit("evidence.yaml", cell, cell.replace("primary_cns", "hematologic"))
    table = edit("evidence.yaml", "- id: eano_esmo", "- id: eano_esmo")
    refused(draft, "evidence.yaml", table, "no cell takes", "primary_cns")
