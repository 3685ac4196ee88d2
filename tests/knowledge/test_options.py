"""What a site chooses: named options and code maps put into an edition, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from csfinterp import knowledge
from csfinterp.errors import EditionError
from csfinterp.model.edition import Edition, SiteRules

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
