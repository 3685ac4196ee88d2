"""analytes.md: LOINC codes of sections 1 and 2, wrong specimen rules W1 to W7 of section 5, coded words, code maps."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from csfinterp.knowledge import apply_site_rules
from csfinterp.model.edition import CodeMap, SiteRules
from csfinterp.steps.pipeline import Core
from tests.making import critical, flag, has_result, interpreting, issues, loinc, panel, quantity, result, value, word

ACCEPTED = list(csv.DictReader((Path(__file__).parents[1] / "data" / "loinc_accepted.csv").open(encoding="utf-8")))


def messages(answer) -> str:
    return " ".join(one["message"] for one in answer["issues"])


@pytest.mark.parametrize("row", ACCEPTED, ids=lambda row: row["loinc"])
def test_every_accepted_code_names_its_analyte(interpret, edition, row):
    """Section 1 and 2, column 'LOINC accepted'; blood codes beside a CSF analyte carry their own specimen here."""
    analyte = edition.analyte[row["analyte"]]
    sample = (
        {"value": "1.37", "unit": analyte.unit} if analyte.kind == "quantity" else {"value": analyte.values[0].word}
    )
    # A code of two specimens (csf_leukocytes and blood_leukocytes share none) is told apart by its own specimen.
    specimen = {} if analyte.specimen in ("csf", "csf+serum", "patient") else {"specimen": "blood"}
    if row["analyte"].startswith("serum_") or row["analyte"].startswith("plasma_"):
        specimen = {"specimen": "plasma" if row["analyte"].startswith("plasma_") else "serum"}
    if row["csf_stated"]:
        specimen = {"specimen": "csf"}
    answer = interpret(panel(loinc(row["loinc"], **sample, **specimen), word("csf_appearance", "clear")))
    found = [one for one in answer["results"] if one["reported"] and one["reported"]["code"] == row["loinc"]]
    assert [one["analyte"] for one in found] == [row["analyte"]]
    assert "code_unknown" not in {code for code, _ in issues(answer)}


def test_no_code_stands_at_two_analytes():
    codes = [row["loinc"] for row in ACCEPTED]
    assert len(codes) == len(set(codes)) + 1  # 69548-6 is tumor DNA of CSF or of plasma, by its specimen


@pytest.mark.parametrize("analyte", ["csf_leukocytes", "csf_protein", "csf_glucose", "csf_cytology", "serum_albumin"])
def test_an_id_needs_no_system(interpret, edition, analyte):
    sample = {"value": "1.5", "unit": edition.analyte[analyte].unit}
    sample = sample if edition.analyte[analyte].kind == "quantity" else {"value": "negative"}
    answer = interpret(panel({"code": analyte, **sample}, word("csf_appearance", "clear")))
    assert has_result(answer, analyte)


# Section 5, table: what a blood code says when it is sent for CSF, and the code to send instead.
WRONG = [
    ("26464-8", "26465-5", {"value": 12, "unit": "/uL"}), ("26453-1", "26454-9", {"value": 12, "unit": "/uL"}),
    ("600-7", "606-4", {"value": "negative"}),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "right", "sample"), WRONG)
@pytest.mark.parametrize("stated", [None, "csf"])
def test_w1_wrong_specimen_code(interpret, sent, right, sample, stated):
    specimen = {} if stated is None else {"specimen": stated}
    answer = interpret(panel(loinc(sent, **sample, **specimen), quantity("csf_protein", 300, "mg/L")))
    assert ("wrong_specimen_code", 0) in issues(answer)
    assert right in messages(answer)
    assert flag(answer, "csf_protein") == ("N", None)
    assert not any(one["flag"] for one in answer["results"] if one["reported"] and one["reported"]["code"] == sent)


@pytest.mark.parametrize(("sent", "analyte"), [("26464-8", "blood_leukocytes"), ("26453-1", "blood_erythrocytes")])
def test_w2_stated_as_blood_is_accepted(interpret, sent, analyte):
    answer = interpret(
        panel(loinc(sent, value=7.2, unit="10*3/uL", specimen="blood"), quantity("csf_protein", 300, "mg/L"))
    )
    assert value(answer, analyte) == 7200.0
    assert "wrong_specimen_code" not in {code for code, _ in issues(answer)}


SERUM_CODES = [
    ("2345-7", "csf_glucose", {"value": 90, "unit": "mg/dL"}, "2342-4"),
    ("14749-6", "csf_glucose", {"value": 5, "unit": "mmol/L"}, "14744-7"),
    ("1751-7", "csf_albumin", {"value": 200, "unit": "mg/L"}, "1746-7"),
    ("2465-3", "csf_igg", {"value": 25, "unit": "mg/L"}, "2464-6"),
    ("2458-8", "csf_iga", {"value": 2, "unit": "mg/L"}, "2457-0"),
    ("2472-9", "csf_igm", {"value": 0.5, "unit": "mg/L"}, "2471-1"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "counterpart", "sample", "right"), SERUM_CODES)
def test_w3a_display_says_csf(interpret, sent, counterpart, sample, right):
    for display in ("Glucose [CSF]", "Test in cerebrospinal fluid"):
        answer = interpret(panel(loinc(sent, display=display, **sample), quantity("csf_protein", 300, "mg/L")))
        assert ("wrong_specimen_code", 0) in issues(answer)
        assert right in messages(answer)


@pytest.mark.parametrize(("sent", "counterpart", "sample", "right"), SERUM_CODES)
def test_w3a_own_specimen_is_csf(interpret, sent, counterpart, sample, right):
    answer = interpret(panel(loinc(sent, specimen="csf", **sample), quantity("csf_protein", 300, "mg/L")))
    assert ("wrong_specimen_code", 0) in issues(answer)


@pytest.mark.parametrize(("sent", "counterpart", "sample", "right"), SERUM_CODES)
def test_w3b_beside_its_csf_counterpart_it_is_the_serum_value(interpret, sent, counterpart, sample, right):
    csf = {"csf_glucose": quantity("csf_glucose", 3.2, "mmol/L"), "csf_albumin": quantity("csf_albumin", 200, "mg/L")}
    own = csf.get(counterpart) or quantity(counterpart, 2, "mg/L")
    answer = interpret(panel(own, loinc(sent, **sample)))
    found = [one for one in answer["results"] if one["reported"] and one["reported"]["code"] == sent]
    assert len(found) == 1
    assert found[0]["value"] is not None
    assert "specimen taken from the code" in str(found[0]["notes"])


@pytest.mark.parametrize(("sent", "counterpart", "sample", "right"), SERUM_CODES)
def test_w3c_without_its_counterpart_it_may_be_the_csf_result(interpret, sent, counterpart, sample, right):
    answer = interpret(panel(loinc(sent, **sample), quantity("csf_protein", 300, "mg/L")))
    assert ("specimen_ambiguous", 0) in issues(answer)
    assert not any(one["flag"] for one in answer["results"] if one["reported"] and one["reported"]["code"] == sent)


CSF_CODES = [
    ("26465-5", "csf_leukocytes"),
    ("2342-4", "csf_glucose"),
    ("2880-3", "csf_protein"),
    ("1746-7", "csf_albumin"),
]


@pytest.mark.parametrize(("sent", "analyte"), CSF_CODES)
@pytest.mark.parametrize("specimen", ["serum", "plasma", "blood"])
def test_w4_csf_code_under_a_blood_specimen(interpret, sent, analyte, specimen):
    sample = loinc(sent, value=5, unit="mmol/L" if analyte == "csf_glucose" else "mg/L", specimen=specimen)
    answer = interpret(panel(sample, quantity("csf_lactate", 2, "mmol/L")))
    assert ("wrong_specimen_code", 0) in issues(answer)
    assert critical(answer) == []


GENERIC = [("6743-9", "csf_leukocytes"), ("23860-0", "csf_erythrocytes"), ("26513-2", "csf_neutrophils_pct"),
           ("11031-2", "csf_lymphocytes_pct"), ("26487-9", "csf_monocytes_pct")]  # fmt: skip


@pytest.mark.parametrize(("sent", "analyte"), GENERIC)
@pytest.mark.parametrize("stated", [True, False])
def test_w5_generic_code_needs_a_stated_specimen(interpret, sent, analyte, stated):
    unit = "%" if analyte.endswith("_pct") else "/uL"
    sample = loinc(sent, value=3, unit=unit, **({"specimen": "csf"} if stated else {}))
    answer = interpret(panel(sample, quantity("csf_lactate", 2, "mmol/L"), specimen={"type": None}))
    if stated:
        assert value(answer, analyte) == 3.0
    else:
        assert ("specimen_not_stated", 0) in issues(answer)
        assert not any(one["flag"] for one in answer["results"] if one["analyte"] == analyte)


BROKEN = ["29257-8", "26465-6", "2880-4", "99999-9", "-56064", "abc", "12345"]


@pytest.mark.parametrize("code", BROKEN)
def test_w6_check_digit(interpret, code):
    answer = interpret(panel(loinc(code, value=5, unit="mg/L"), quantity("csf_protein", 300, "mg/L")))
    assert {"code_invalid", "code_unknown"} & {one for one, index in issues(answer) if index == 0}
    assert flag(answer, "csf_protein") == ("N", None)


@pytest.fixture(scope="module")
def mapped(edition) -> Core:
    codes = {"CSFWBC": "csf_leukocytes", "26464-8": "csf_leukocytes"}
    chosen = SiteRules("map", "sha256:0", (), (CodeMap("map", "LIS-MAP", codes, {}, decimal_comma=True),))
    return Core(apply_site_rules(edition, chosen))


@pytest.mark.parametrize("code", ["CSFWBC", "26464-8"])
def test_w7_the_map_of_the_sender_wins(mapped, code):
    sent = panel({"code": code, "value": 12, "unit": "/uL"}, quantity("csf_protein", 300, "mg/L"))
    sent["source"]["system"] = "LIS-MAP"
    answer = interpreting(mapped)(sent)
    found = result(answer, "csf_leukocytes")
    assert (found["value"], found["flag"]) == (12.0, "H")
    assert "code mapped by site" in str(found["notes"])


def test_the_map_is_read_for_its_sender_only(mapped):
    sent = panel({"code": "CSFWBC", "value": 12, "unit": "/uL"}, quantity("csf_protein", 300, "mg/L"))
    answer = interpreting(mapped)(sent)
    assert ("code_unknown", 0) in issues(answer)


def test_decimal_comma_where_the_map_declares_it(mapped):
    sent = panel(quantity("csf_protein", "51,5", "mg/dL"))
    sent["source"]["system"] = "LIS-MAP"
    answer = interpreting(mapped)(sent)
    assert value(answer, "csf_protein") == 515.0


@pytest.mark.parametrize("text", ["1.234,5", "1,234,5", "1.234.567"])
def test_a_comma_never_separates_thousands(mapped, text):
    sent = panel(quantity("csf_protein", text, "mg/dL"))
    sent["source"]["system"] = "LIS-MAP"
    answer = interpreting(mapped)(sent)
    assert flag(answer, "csf_protein") == (None, "value_unreadable")


def test_unknown_code_keeps_the_rest(interpret):
    answer = interpret(panel({"code": "XX-1", "value": 5, "unit": "mg/L"}, quantity("csf_protein", 300, "mg/L")))
    assert ("code_unknown", 0) in issues(answer)
    assert flag(answer, "csf_protein") == ("N", None)


@pytest.mark.parametrize("meant", ["csf_leukocytes", "csf_protein", "csf_glucose"])
def test_blood_analytes_under_a_csf_specimen_are_refused(interpret, meant):
    """SL29: an id never changes its meaning; blood and CSF analytes are never exchanged."""
    blood = {
        "csf_leukocytes": ("blood_leukocytes", "/uL"),
        "csf_protein": ("serum_albumin", "g/L"),
        "csf_glucose": ("serum_glucose", "mmol/L"),
    }
    analyte, unit = blood[meant]
    answer = interpret(panel(quantity(analyte, 5, unit, specimen="csf"), quantity("csf_lactate", 2, "mmol/L")))
    assert ("wrong_specimen_code", 0) in issues(answer)
    assert not any(one["flag"] for one in answer["results"] if one["analyte"] == analyte)


@pytest.mark.parametrize("specimen", ["serum", "blood", "plasma"])
def test_csf_ids_under_a_blood_specimen_are_refused(interpret, specimen):
    answer = interpret(
        panel(quantity("csf_leukocytes", 900, "/uL", specimen=specimen), quantity("csf_lactate", 2, "mmol/L"))
    )
    assert ("wrong_specimen_code", 0) in issues(answer)
    assert critical(answer) == []


WORDS = [("csf_gram_stain", "no growth", "negative"), ("csf_culture", "no growth", "negative"),
         ("csf_gram_stain", "not seen", "negative"), ("csf_culture", "negative", "negative")]  # fmt: skip


@pytest.mark.parametrize(("analyte", "text", "meant"), WORDS)
def test_coded_words(interpret, analyte, text, meant):
    assert value(interpret(panel(word(analyte, text))), analyte) == meant


@pytest.mark.parametrize("text", ["pending", "not performed", ""])
@pytest.mark.parametrize("analyte", ["csf_gram_stain", "csf_culture", "csf_cytology"])
def test_not_performed_is_not_sent(interpret, analyte, text):
    answer = interpret(panel(word(analyte, text), quantity("csf_protein", 300, "mg/L")))
    letter, why = (None, None) if not has_result(answer, analyte) else flag(answer, analyte)
    assert letter is None
    assert why != "value_unreadable"
    assert "value_unreadable" not in {code for code, _ in issues(answer)}


@pytest.mark.parametrize("text", ["maybe", "positiv?", "2+", "type_6"])
def test_an_unknown_word_is_never_the_nearest(interpret, text):
    answer = interpret(panel(word("csf_cytology", text), quantity("csf_protein", 300, "mg/L")))
    assert ("value_unreadable", 0) in issues(answer)
    assert not any(one["flag"] for one in answer["results"] if one["analyte"] == "csf_cytology")


def test_several_targets_of_one_pcr(interpret):
    """RU13: identity is code and organism; any positive is positive."""
    sent = (
        word("csf_pathogen_pcr", "negative", organism="Enterovirus"),
        word("csf_pathogen_pcr", "positive", organism="Herpes simplex virus 1"),
        word("csf_pathogen_pcr", "negative", organism="Neisseria meningitidis"),
    )
    answer = interpret(panel(*sent))
    assert "duplicate_result" not in {code for code, _ in issues(answer)}
    assert critical(answer) == [("csf_pathogen_pcr", "CR-ORG", "critical")]
    assert len([one for one in answer["results"] if one["analyte"] == "csf_pathogen_pcr"]) == 3


def test_a_panel_of_wrong_specimen_codes_only_is_answered(interpret):
    """RU12: it names CSF analytes, so it is answered with issues and nothing is judged."""
    answer = interpret(panel(loinc("26464-8", value=300, unit="/uL")))
    assert ("wrong_specimen_code", 0) in issues(answer)
    assert not any(one["flag"] for one in answer["results"])
