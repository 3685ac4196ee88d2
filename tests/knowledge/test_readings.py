"""Patterns, cautions, statements, recommendations and scores: how they are read, and every slip with file and line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from csfinterp import knowledge
from csfinterp.errors import EditionError
from csfinterp.knowledge.folder import OPTIONAL_FILES
from csfinterp.model.edition import Edition, SiteRules
from csfinterp.model.predicate import Above, Holds, Is, Not
from tests.knowledge.readings import FILES, put_readings

SHIPPED = Path(__file__).resolve().parents[2] / "reference_ranges" / "2026.1"
Edit = Callable[[str, str, str], int]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped edition with the small readings of tests/knowledge/readings.py."""
    root = tmp_path_factory.mktemp("editions")
    shutil.copytree(SHIPPED, root / "2026.1")
    folder = knowledge.new_edition(root, "2026.2", "2026.1")
    put_readings(folder)
    return folder


@pytest.fixture(scope="module")
def edition(sound: Path) -> Edition:
    return knowledge.load_edition(sound)


@pytest.fixture
def draft(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "2026.2"))


@pytest.fixture
def edit(draft: Path) -> Edit:
    """Replaces the first `old` in a file of the draft; the line where it stood."""

    def change(name: str, old: str, new: str) -> int:
        text = (draft / name).read_text(encoding="utf-8")
        assert old in text, f"{name} does not hold {old!r}"
        (draft / name).write_text(text.replace(old, new, 1), encoding="utf-8")
        return text[: text.index(old)].count("\n") + 1

    return change


def refused(folder: Path, name: str, at: str, *words: str) -> None:
    """The folder is refused by both doors; a slip that holds `words` names a line of the file with the text `at`."""
    slips = knowledge.check_edition(folder)
    file = (folder / name).as_posix()
    lines = (folder / name).read_text(encoding="utf-8").splitlines()
    told = [slip for slip in slips if slip.file == file and all(word in slip.message for word in words)]
    assert told, list(map(str, slips))
    assert all(slip.line is not None and at in lines[slip.line - 1] for slip in told), list(map(str, told))
    with pytest.raises(EditionError) as raised:
        knowledge.load_edition(folder)
    assert str(raised.value) == str(slips[0])


# What is read


def test_the_small_readings_are_sound(sound: Path) -> None:
    assert knowledge.check_edition(sound) == ()


def test_an_edition_without_readings_is_sound(draft: Path) -> None:
    for name in OPTIONAL_FILES:
        (draft / name).unlink()
    edition = knowledge.load_edition(draft)
    readings = (edition.patterns, edition.cautions, edition.statements, edition.recommendations, edition.scores)
    assert readings == ((), (), (), (), ()) and edition.differential is None
    assert {*edition.first_program} == {finding.id for finding in edition.findings} and edition.second_program == {}


def test_a_pattern_is_read_whole(edition: Edition) -> None:
    pattern, plain = edition.patterns
    assert (pattern.id, pattern.rule_id, pattern.k, pattern.partly, pattern.rule) == (
        "test_meningitis", "P-TEST", 2, True, None,
    )  # fmt: skip
    assert [(item.id, item.kind) for item in pattern.items] == [
        ("Z0", "decisive"), ("Z1", "core"), ("Z2", "core"), ("Z3", "alarm"),
    ]  # fmt: skip
    lactate = pattern.items[2].when
    assert isinstance(lactate, Above) and (lactate.limit.value, lactate.inclusive) == (3.5, True)
    assert [(short.id, short.grade, short.when) for short in pattern.raises] == [("Z10", "partly_fits", Holds("Z3"))]
    assert [(reason.reason, reason.when) for reason in pattern.open_if] == [("alarm_value", Holds("Z3"))]
    assert pattern.shown_if == Holds("test_meningitis", "partly_fits")
    assert pattern.required == ("Z2",) and pattern.emergency == ("established", "fits")
    assert [(line.id, line.group, line.when) for line in pattern.lines] == [
        ("Z20", "test_meningitis", Holds("eano_esmo", "probable"))
    ]
    assert (plain.k, plain.rule) == (None, Not(Holds("pleocytosis")))


def test_cautions_and_the_differential_are_read(edition: Edition) -> None:
    first, pointer, second = edition.cautions
    assert (first.id, first.group, first.name, first.audience) == ("PC90", "PC", None, ("treating_team",))
    assert pointer.group == "FP"
    assert (second.name, second.silent_if) == ("after_first", ("pleocytosis",))
    assert edition.differential is not None
    (group,) = edition.differential.groups
    assert edition.differential.trigger == "Linear enhancement." and edition.differential.notes == ("One note.",)
    assert (group.leptomeningeal, group.pachymeningeal, group.tests) == (("tuberculosis",), ("syphilis",), ("culture",))


def test_recommendations_carry_the_words_of_the_interface(edition: Edition) -> None:
    call, alarm, context = edition.recommendations
    assert (call.audiences, call.priority, call.context_only) == (("laboratory", "treating_team"), 1, False)
    assert (alarm.audiences, alarm.priority, alarm.silent_if) == (("treating_team",), 2, ("test_call",))
    assert (context.audiences, context.priority, context.context_only) == (("treating_team",), 5, True)


def test_a_score_keeps_its_numbers(edition: Edition) -> None:
    (score,) = edition.scores
    assert score.constants["ends"] == (0, 3) and score.constants["shift"] == "0.1 mmol/L"
    assert (score.default_on, score.asked_if) == (False, Is("question", ("lm",)))
    assert [refusal.reason for refusal in (*score.refusals, *score.unknown_refusals)] == ["not lumbar", "age"]


def test_programs_stand_in_an_order_in_which_holds_only_names_earlier_ones(edition: Edition) -> None:
    first, second = list(edition.first_program), list(edition.second_program)
    assert first.index("Z3") < first.index("Z1") and first.index("pleocytosis") < first.index("Z1")
    assert {"Z10", "test_meningitis.open_if.0", "test_rule.when"} <= set(first)
    assert {"test_meningitis.shown_if", "Z20", "differential"} <= set(second)
    assert max(second.index(name) for name in ("PC90", "test_dna", "test_call")) < second.index("test_context")
    assert [pattern.id for pattern in edition.patterns] == ["test_meningitis", "test_rule"]


def test_a_recommendation_that_shares_the_name_of_a_finding_has_a_program_name_of_its_own(edition: Edition) -> None:
    assert edition.shared_names == {"bacterial_alarm_value"}
    assert edition.second_program["bacterial_alarm_value.recommendation"] == Holds("bacterial_alarm_value")
    assert "bacterial_alarm_value" not in edition.second_program


def test_an_option_with_a_decision_limit_reaches_items_of_patterns(draft: Path) -> None:
    option = "- id: test_lactate\n  text: higher\n  selectable: true\n  citations: [csfinterp_rule]\n  status: ours\n"
    limit = '{id: DL-LAC, quantity: csf_lactate, op: ">", limit: "4 mmol/L", says: x, citations: [csfinterp_rule], '
    with (draft / "options.yaml").open("a", encoding="utf-8") as file:
        file.write(f"{option}  decision_limits: [{limit}status: ours}}]\n")
    applied = knowledge.apply_site_rules(knowledge.load_edition(draft), SiteRules("site", "", ("test_lactate",)))
    lactate = applied.patterns[0].items[2].when
    assert isinstance(lactate, Above) and (lactate.limit.value, lactate.inclusive) == (4.0, False)


def test_differences_of_readings_are_told_with_whom_they_touch(sound: Path, draft: Path, edit: Edit) -> None:
    edit("patterns.yaml", '"500 /uL"', '"600 /uL"')
    edit("cautions.yaml", "[tuberculosis]", "[fungi]")
    edit("recommendations.yaml", "priority: critical", "priority: urgent")
    edit("scores.yaml", "ends: [0, 3]", "ends: [0, 4]")
    lines = knowledge.diff_editions(knowledge.load_edition(sound), knowledge.load_edition(draft))
    assert lines[:4] == (
        "pattern/test_meningitis/Z3: when csf_leukocytes > 500 /uL -> when csf_leukocytes > 600 /uL",
        "differential/infectious: leptomeningeal tuberculosis -> leptomeningeal fungi",
        "recommendation/test_call: priority 1 -> priority 2",
        lines[3],
    )
    assert lines[3].startswith("score/test_score: constants ends: 0, 3;")


# What is refused

LATER = "decided later"
FINDING = "findings:\n  - {id: test_only, name: x, when: WHEN, citations: [csfinterp_rule], status: ours}\n"
TRACES = "- id: blood_traces\n"
QUALITY = (
    "- {id: test_only, name: x, when: WHEN, severity: note, text: x, citations: [csfinterp_rule], status: ours}\n"
    + TRACES
)
Z1 = "{any: [{holds: pleocytosis}, {holds: Z3}]}"
Z3 = '{above: {quantity: csf_leukocytes, limit: "500 /uL"}}'
# file, old text, new text, a part of the line that is named, words of the message
SLIPS = [
    # patterns: shape
    ("patterns.yaml", "k: 2", "k: 3", "k: 3", ("from 1 to 2",)),
    ("patterns.yaml", "k: 2", "k: null", "k: null", ("k and core items",)),
    ("patterns.yaml", "k: 2", "k: 1\n    partly: false", "k: 1", ("without partly_fits k is 2",)),
    ("patterns.yaml", "required: [Z2]", "required: [Z9]", "[Z9]", ("required names 'Z9'",)),
    ("patterns.yaml", "kind: alarm", "kind: hint", "kind: hint", ("must be one of", "counter_major")),
    ("patterns.yaml", "id: Z10", "id: Z2", "id: Z2, when", ("'Z2' stands twice",)),
    ("patterns.yaml", "id: Z10", "id: pleocytosis", "id: pleocytosis", ("stands twice",)),
    ("patterns.yaml", "- id: test_rule", "- id: leukemia_cns", "- id: leukemia_cns", ("stands twice",)),
    ("patterns.yaml", "- id: test_rule", "- id: Test", "- id: Test", ("small letters",)),
    ("patterns.yaml", "rule: P-TEST", "rule: TEST", "rule: TEST", ("P-BACT",)),
    ("patterns.yaml", "grade: partly_fits", "grade: likely", "grade: likely", ("must be one of", "established")),
    ("patterns.yaml", "[established, fits]", "[often]", "[often]", ("must be one of",)),
    ("patterns.yaml", "when: {not: {holds: pleocytosis}}", "k: null", "- id: test_rule", ("a rule of its own",)),
    ("patterns.yaml", "core items\n", "core items\n    emergency: [established]\n", "emergency: [established]",
     ("never graded established",)),
    ("patterns.yaml", "      fits: The values fit.\n", "", "    texts:", ("lack the sentence for fits",)),
    ("patterns.yaml", "{fits: Normal.", "{partly_fits: Partly., fits: Normal.", "{partly_fits", ("never graded",)),
    # patterns: order of evaluation
    ("patterns.yaml", "reason: alarm_value, when: {holds: Z3}", "reason: x, when: {holds: PC90}", "reason: x",
     ("PC90 (caution)", LATER, "a quality rule or finding or pattern item")),
    ("patterns.yaml", Z1, "{holds: {id: test_rule, at_least: fits}}", "id: test_rule, at", ("grade of a", LATER)),
    ("patterns.yaml", Z1, "{holds: {id: eano_esmo, at_least: probable}}", "at_least: probable", ("answer", LATER)),
    ("patterns.yaml", "{not: {holds: pleocytosis}}", "{holds: test_call}", "{holds: test_call}", (LATER,)),
    ("patterns.yaml", Z3, "{holds: Z1}", "when: {any: [", ("circle of holds", "Z1 -> Z3 -> Z1")),
    ("patterns.yaml", Z3, "{holds: Z9}", "{holds: Z9}", ("has the id 'Z9'",)),
    ("patterns.yaml", "at_least: partly_fits}", "at_least: does_not_fit}", "does_not_fit}", ("never at least",)),
    ("patterns.yaml", "at_least: probable", "at_least: fits", "at_least: fits", ("lack_of_evidence, possible",)),
    ("patterns.yaml", "{id: eano_esmo, at_least: probable}", "eano_esmo", "holds: eano_esmo", ("at_least: ...",)),
    ("patterns.yaml", "{id: eano_esmo, at", "{id: pleocytosis, at", "id: pleocytosis", ("no pattern or evidence",)),
    # patterns: sentences
    ("patterns.yaml", "because {reason}.", "because {raison}.", "{raison}", ("{raison}", "not_measured")),
    ("patterns.yaml", "The values fit.", "The values {} fit.", "values {} fit", ("brace",)),
    ("patterns.yaml", "The values fit.", "The values {reason!r} fit.", "{reason!r}", ("brace",)),
    ("patterns.yaml", "The values fit.", "The values { fit.", "values { fit", ("brace",)),
    ("patterns.yaml", "The values fit.", "Metastasis is excluded.", "is excluded", ("'excluded'",)),
    ("patterns.yaml", "remains possible", "is ruled out", "is ruled out", ("'ruled out'",)),
    ("patterns.yaml", "many leukocytes", "give 10 mg/kg", "10 mg/kg", ("'10 mg/kg'", "no doses")),
    # cautions and the differential
    ("cautions.yaml", "group: EC", "group: XC", "group: XC", ("must be one of",)),
    ("cautions.yaml", "group: PC", "group: EC", "group: FP", ("FP90 stands behind PC90",)),
    ("cautions.yaml", "name: after_first", "audience: [team]", "audience: [team]", ("must be one of",)),
    ("cautions.yaml", "[pleocytosis]", "[pleocytoses]", "[pleocytoses]", ("unknown statement 'pleocytoses'",)),
    ("cautions.yaml", "[pleocytosis]", "[bacterial_alarm_value]", "[bacterial_alarm_value]", ("something else",)),
    ("cautions.yaml", "[pleocytosis]", "[EC90]", "[EC90]", ("circle of silence", "EC90 -> EC90")),
    ("cautions.yaml", "id: test_meningitis", "id: test_meninges", "test_meninges", ("test_meninges",)),
    ("cautions.yaml", "shown_by_cytology", "positive", "at_least: positive", ("shown_by_cytology",)),
    ("cautions.yaml", "{csf_lactate}", "{csf_laktat}", "{csf_laktat}", ("{csf_laktat}",)),
    ("cautions.yaml", "One note.", "One {note}.", "One {note}.", ("{note}",)),
    ("cautions.yaml", "[culture]", "[cisplatin 75 mg per m2]", "cisplatin", ("no doses",)),
    ("cautions.yaml", "differential:", "differentials:", "differentials:", ("unknown key 'differentials'",)),
    # statements and recommendations
    ("statements.yaml", "Tumor DNA", "20 mg daily", "20 mg daily", ("'20 mg daily'",)),
    ("statements.yaml", "when: {is", "whenever: {is", "whenever: {is", ("unknown key",)),
    ("recommendations.yaml", "[lab, clinician]", "[lab, team]", "[lab, team]", ("team stands alone",)),
    ("recommendations.yaml", "[lab, clinician]", "[nurse]", "[nurse]", ("must be one of lab",)),
    ("recommendations.yaml", "priority: critical", "priority: now", "priority: now", ("must be one of critical",)),
    ("recommendations.yaml", "rule: R-I99", "rule: I99", "rule: I99", ("R-L01",)),
    ("recommendations.yaml", "- id: bacterial_alarm_value", "- id: PC90", "- id: PC90", ("small letters",)),
    ("recommendations.yaml", "- id: bacterial_alarm_value", "- id: test_rule", "- id: test_rule", ("something else",)),
    ("recommendations.yaml", "- id: bacterial_alarm_value", "- id: test_call", "- id: test_call", ("twice",)),
    ("recommendations.yaml", "{organism}", "{germ}", "{germ}", ("{germ}",)),
    ("recommendations.yaml", "{holds: PC90}", "{holds: test_context}", "test_context}", ("circle of holds",)),
    # scores
    ("scores.yaml", "pan_2018", "pan_2019", "pan_2019", ("unknown function 'pan_2019'", "gao_2022")),
    ("scores.yaml", "csf_cytology_best]", "csf_cytologies]", "csf_cytologies", ("unknown input 'csf_cytologies'",)),
    ("scores.yaml", "[ventricular]", "[brain]", "[brain]", ("unknown word 'brain'",)),
    ("scores.yaml", "{value}", "{value", "{value of", ("brace",)),
    ("scores.yaml", "population: adults", "population: 5 mg per day", "5 mg", ("no doses",)),
    ("scores.yaml", "of: [csf_protein]", "of: [csf_proteins]", "csf_proteins", ("unknown quantity 'csf_proteins'",)),
    ("scores.yaml", "in: [positive]", "in: [maligne]", "maligne", ("no word 'maligne'", "suspicious")),
    ("scores.yaml", ", in: [positive]", "", "is: csf_cytology", ("go together",)),
    ("scores.yaml", '"80 mg/dL"', '"80 /uL"', "80 /uL", ("does not convert",)),
    ("scores.yaml", "points: 1,", "point: 1,", "point: 1,", ("unknown key 'point'",)),
    ("scores.yaml", ', at_least: "80 mg/dL"', "", "id: protein", ("at_least, below",)),
    ("scores.yaml", "id: positive", "id: protein", "is: csf_cytology", ("id of its own",)),
    # what stood before
    ("derived.yaml", "[csf_ferritin]\n  unit: ug/L", "[csf_ferritin]\n  unit: g/L", "unit: g/L",
     ("must be that of csf_ferritin",)),
    ("edition.yaml", "\n  fungal: [", "\n  yeasts: [", "yeasts", ("'yeasts'", "fungal")),
    ("findings.yaml", "findings:\n", FINDING.replace("WHEN", "{holds: PC90}"), "test_only", ("PC90 (caution)", LATER)),
    ("quality.yaml", TRACES, QUALITY.replace("WHEN", "{holds: pleocytosis}"), "test_only", (LATER,)),
    ("quality.yaml", TRACES, QUALITY.replace("WHEN", "{holds: blood_traces}"), "test_only", ("move it up",)),
    ("evidence.yaml", "{is: {input: tumor, in: [hematologic]}}", "{holds: pleocytosis}", "{holds: pleocytosis}",
     ("nothing is decided before",)),
    ("evidence.yaml", "inputs: [tumor, ", "inputs: [csf_lactate, tumor, ", "csf_lactate", ("columns: true",)),
    ("evidence.yaml", "otherwise: not_classifiable", "open_rows: {K99: x}\n    otherwise: not_classifiable", "K99",
     ("open_rows names 'K99'",)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "at", "words"), SLIPS)
def test_a_slip_is_refused_with_file_and_line(
    draft: Path, edit: Edit, name: str, old: str, new: str, at: str, words: tuple[str, ...]
) -> None:
    edit(name, old, new)
    refused(draft, name, at, *words)


def test_every_optional_file_is_tested() -> None:
    assert {*FILES} == {*OPTIONAL_FILES}
