"""What a site chooses: named options and code maps put into an edition, or refused."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from csfinterp import knowledge
from csfinterp.errors import EditionError
from csfinterp.model.edition import Edition, SiteRules
from tests.coefficient_files import coefficient_file
from tests.knowledge.readings import put_readings

SHIPPED = Path(__file__).resolve().parents[2] / "reference_ranges" / "2026.1"

UNSELECTABLE = [
    "protein_hegen",
    "ratio_leen",
    "glucose_leen",
    "ratio_uk",
    "diff_ratio",
    "lactate_s1",
    "lactate_child",
    "wbc_neonate_30",
    "igm_index_info",
]


@pytest.fixture(scope="module")
def edition() -> Edition:
    return knowledge.load_edition(SHIPPED)


# Options of a site


def chosen(tmp_path: Path, *options: str) -> SiteRules:
    path = tmp_path / "site.yaml"
    path.write_text(f"id: test_site\noptions: [{', '.join(options)}]\n", encoding="utf-8")
    return knowledge.load_site_rules(path, None)


def upper_limits(edition: Edition, analyte: str) -> dict[str, str]:
    return {row.rule: row.high.text for row in edition.analyte[analyte].intervals if row.high is not None}


def test_without_site_rules_nothing_changes(edition: Edition) -> None:
    rules = knowledge.load_site_rules(None, None)
    applied = knowledge.apply_site_rules(edition, rules)
    assert (rules.id, applied.analytes, applied.site_rules) == ("default", edition.analytes, rules)


def test_wbc_le5_makes_five_normal_for_adults_and_leaves_children_alone(edition: Edition, tmp_path: Path) -> None:
    applied = knowledge.apply_site_rules(edition, chosen(tmp_path, "wbc_le5"))
    before, after = upper_limits(edition, "csf_leukocytes"), upper_limits(applied, "csf_leukocytes")
    assert "csf_leukocytes/L5" not in after
    assert {rule: text for rule, text in after.items() if rule not in before}.keys() == after.keys() - before.keys()
    assert [text for rule, text in after.items() if rule not in before] == ["≤ 5 /uL"]
    assert {rule: text for rule, text in after.items() if rule in before} == {
        rule: text for rule, text in before.items() if rule != "csf_leukocytes/L5"
    }
    assert applied.analyte["csf_nucleated_cells"].intervals == applied.analyte["csf_leukocytes"].intervals


def test_qalb_hegen_replaces_the_ages_that_it_states_and_cuts_the_others(edition: Edition, tmp_path: Path) -> None:
    applied = knowledge.apply_site_rules(edition, chosen(tmp_path, "qalb_hegen"))
    rows = applied.analyte["albumin_quotient"].intervals
    hegen = [row for row in rows if row.high is not None and row.high.divisor == 25]
    assert [(row.age_from.value, row.age_to.value if row.age_to else None) for row in hegen] == [(18.0, 71.0)]
    old = [(row.age_from.value, row.age_to.value if row.age_to else None) for row in rows if row.rule.endswith("/Q6")]
    assert old == [(5.0, 18.0), (71.0, None)]
    assert applied.derived_by_id["albumin_quotient"].intervals == rows


def test_every_selectable_option_can_be_applied(edition: Edition, tmp_path: Path) -> None:
    for option in edition.options:
        if option.selectable:
            applied = knowledge.apply_site_rules(edition, chosen(tmp_path, option.id))
            assert applied != edition and applied.site_rules is not None


def test_a_stricter_leukocyte_call_replaces_the_critical_rule(edition: Edition, tmp_path: Path) -> None:
    applied = knowledge.apply_site_rules(edition, chosen(tmp_path, "wbc_critical_10"))
    limits = {(rule.age_from.value, rule.limit) for rule in applied.critical if "csf_leukocytes" in rule.analytes}
    assert limits == {(0.0, 30.0), (29.0, 10.0)}
    assert [rule for rule in applied.critical if rule.rule == "CR-ORG"] == [
        rule for rule in edition.critical if rule.rule == "CR-ORG"
    ]


@pytest.mark.parametrize("option", UNSELECTABLE)
def test_an_option_without_rows_cannot_be_chosen(edition: Edition, tmp_path: Path, option: str) -> None:
    with pytest.raises(EditionError, match=f"{option}.*cannot be chosen"):
        knowledge.apply_site_rules(edition, chosen(tmp_path, option))


def test_an_unknown_option_is_refused_and_the_choice_is_named(edition: Edition, tmp_path: Path) -> None:
    with pytest.raises(EditionError, match=r"no option 'wbc_le6'.*wbc_le5"):
        knowledge.apply_site_rules(edition, chosen(tmp_path, "wbc_le6"))


def test_two_options_for_the_same_rows_are_refused(edition: Edition, tmp_path: Path) -> None:
    with pytest.raises(EditionError, match="wbc_le5 and wbc_lt4"):
        knowledge.apply_site_rules(edition, chosen(tmp_path, "wbc_le5", "wbc_lt4"))


def test_site_rules_with_an_unknown_key_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text("id: test_site\noption: [wbc_le5]\n", encoding="utf-8")
    with pytest.raises(EditionError, match="unknown key") as raised:
        knowledge.load_site_rules(path, None)
    assert (raised.value.file, raised.value.line) == (str(path), 2)


def test_the_digest_of_site_rules_names_exactly_the_choice(tmp_path: Path) -> None:
    digests = [chosen(tmp_path, *options).digest for options in ((), ("wbc_le5",), ("wbc_lt4",), ("wbc_le5",))]
    assert len(set(digests)) == 3 and digests[1] == digests[3]


def test_a_code_map_is_read_with_the_site_rules(edition: Edition, tmp_path: Path) -> None:
    maps = tmp_path / "code_maps"
    maps.mkdir()
    (maps / "lis.yaml").write_text(
        "id: lis\nsource: LIS\ncodes: {LEUK: csf_leukocytes}\nwords: {csf_cytology: {maligne: positive}}\n"
        'decimal_comma: true\ndefault_units: {csf_leukocytes: "/uL"}\n',
        encoding="utf-8",
    )
    path = tmp_path / "site.yaml"
    path.write_text("id: test_site\ncode_maps: [lis]\n", encoding="utf-8")
    applied = knowledge.apply_site_rules(edition, knowledge.load_site_rules(path, maps))
    assert applied.site_rules is not None
    assert applied.site_rules.code_maps[0].codes == {"LEUK": "csf_leukocytes"}
    assert applied.site_rules.code_maps[0].decimal_comma is True


def test_two_code_maps_of_one_sender_are_refused(tmp_path: Path) -> None:
    for name, source in (("lis", "LIS"), ("old", "LIS"), ("poct", "POCT")):
        (tmp_path / f"{name}.yaml").write_text(f"id: {name}\nsource: {source}\n", encoding="utf-8")
    path = tmp_path / "site.yaml"
    path.write_text("id: test_site\ncode_maps: [lis, poct]\n", encoding="utf-8")
    assert len(knowledge.load_site_rules(path, tmp_path).code_maps) == 2
    path.write_text("id: test_site\ncode_maps: [lis, poct, old]\n", encoding="utf-8")
    with pytest.raises(EditionError, match="code maps 'lis' and 'old' both have source 'LIS'") as raised:
        knowledge.load_site_rules(path, tmp_path)
    assert (raised.value.file, raised.value.line) == (str(path), 2)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("codes: {LEUK: csf_wbc}", "csf_wbc"),
        ("words: {csf_cytology: {maligne: malignant}}", "malignant"),
        ('default_units: {csf_leukocytes: "mg/dL"}', "mg/dL"),
    ],
)
def test_a_code_map_that_names_what_the_edition_does_not_know_is_refused(
    edition: Edition, tmp_path: Path, line: str, message: str
) -> None:
    (tmp_path / "lis.yaml").write_text(f"id: lis\nsource: LIS\n{line}\n", encoding="utf-8")
    path = tmp_path / "site.yaml"
    path.write_text("id: test_site\ncode_maps: [lis]\n", encoding="utf-8")
    with pytest.raises(EditionError, match=message):
        knowledge.apply_site_rules(edition, knowledge.load_site_rules(path, tmp_path))


# Limits, scores and coefficients of a site


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Edition:
    """An edition with rules that ask for limits of a site, and a score that is off by default."""
    root = tmp_path_factory.mktemp("editions")
    shutil.copytree(SHIPPED, root / "2026.1")
    folder = knowledge.new_edition(root, "2026.2", "2026.1")
    put_readings(folder)
    return knowledge.load_edition(folder)


def site(tmp_path: Path, text: str) -> SiteRules:
    path = tmp_path / "site.yaml"
    path.write_text(f"id: test_site\n{text}", encoding="utf-8")
    return knowledge.load_site_rules(path, None)


def test_limits_of_a_site_are_converted_to_canonical_units(asking: Edition, tmp_path: Path) -> None:
    text = 'assay_limits: {csf_ferritin: "12 ng/mL"}\nctc_platforms: {own_flow: "2 /mL"}\nassay_comparable: true\n'
    rules = knowledge.apply_site_rules(asking, site(tmp_path, text)).site_rules
    assert rules is not None
    assert rules.assay_limits == {"csf_ferritin": 12.0} and rules.limit_texts == {"csf_ferritin": "12 ng/mL"}
    assert rules.ctc_platforms == {"own_flow": 2.0} and rules.assay_comparable is True


def test_a_site_switches_a_score_on(asking: Edition, tmp_path: Path) -> None:
    rules = knowledge.apply_site_rules(asking, site(tmp_path, "scores_on: [test_score]\n")).site_rules
    assert rules is not None and rules.scores_on == ("test_score",)


def test_coefficient_files_stand_beside_the_site_rules_and_are_read(asking: Edition, tmp_path: Path) -> None:
    (tmp_path / "gao").mkdir()
    (tmp_path / "gao" / "a.yaml").write_text(coefficient_file("gao2022_a"), encoding="utf-8")
    rules = site(tmp_path, "coefficients: [gao/a.yaml]\n")
    applied = knowledge.apply_site_rules(asking, rules).site_rules
    assert applied is not None
    assert [(model.model, model.file) for model in applied.models] == [("gao2022_a", "gao/a.yaml")]
    before = rules.digest
    other = coefficient_file("gao2022_a").replace("site-1", "site-2")
    (tmp_path / "gao" / "a.yaml").write_text(other, encoding="utf-8")
    assert site(tmp_path, "coefficients: [gao/a.yaml]\n").digest != before
    with pytest.raises(EditionError, match="signature") as raised:
        knowledge.apply_site_rules(asking, site(tmp_path, "coefficients: [gao/a.yaml]\n"))
    assert raised.value.file == "gao/a.yaml"


def test_a_version_of_coefficients_is_not_used_again_with_other_content(asking: Edition, tmp_path: Path) -> None:
    (tmp_path / "now.yaml").write_text(coefficient_file("gao2022_a"), encoding="utf-8")
    (tmp_path / "old.yaml").write_text(coefficient_file("gao2022_a") + "# other\n", encoding="utf-8")
    rules = site(tmp_path, "coefficients: [now.yaml]\nformer_coefficients: [old.yaml]\n")
    with pytest.raises(EditionError, match=r"other content, in old\.yaml"):
        knowledge.apply_site_rules(asking, rules)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('assay_limits: {\n  csf_lactate: "3 mmol/L"}\n', 3, "asks for an assay limit of 'csf_lactate'.*csf_ferritin"),
        ('assay_limits: {\n  csf_ferritin: "3 mmHg"}\n', 3, "mmHg"),
        ('assay_limits: {\n  csf_ferritin: "0 ug/L"}\n', 3, "above zero"),
        ('ctc_platforms: {\n  cellsearch: "1 mg/L"}\n', 3, "does not convert"),
        ('ctc_platforms: {\n  Cell Search: "1 /mL"}\n', 3, "small letters"),
        ("note: none here\nscores_on: [gao]\n", 3, "no score 'gao'; off by default: test_score"),
        ("note: none here\noptions: [wbc_le6]\n", 3, "no option 'wbc_le6'"),
    ],
)  # fmt: skip
def test_a_choice_that_the_edition_does_not_know_is_refused_with_file_and_line(
    asking: Edition, tmp_path: Path, text: str, line: int, message: str
) -> None:
    with pytest.raises(EditionError, match=message) as raised:
        knowledge.apply_site_rules(asking, site(tmp_path, text))
    assert (raised.value.file, raised.value.line) == (str(tmp_path / "site.yaml"), line)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("coefficients: [gao.yaml]\n", r"no coefficient file 'gao\.yaml'"),
        ("scores_on: [spanos1989, spanos1989]\n", "scores_on: a name stands twice"),
        ("assay_comparable: 1\n", "true or false"),
        ("assay_limits: {csf_il10: 23}\n", "write a text"),
        ("assay_limit: {}\n", "unknown key"),
    ],
)
def test_site_rules_that_cannot_be_read_are_refused_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(EditionError, match=message) as raised:
        site(tmp_path, text)
    assert (raised.value.file, raised.value.line) == (str(tmp_path / "site.yaml"), 2)


def test_a_platform_limit_needs_an_edition_that_asks_for_it(edition: Edition, tmp_path: Path) -> None:
    silent = replace(edition, derived=tuple(item for item in edition.derived if item.function != "platform_limit"))
    with pytest.raises(EditionError, match="asks for a limit by platform"):
        knowledge.apply_site_rules(silent, site(tmp_path, 'ctc_platforms: {cellsearch: "1 /mL"}\n'))
