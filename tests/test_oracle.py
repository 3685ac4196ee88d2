"""The columns of csfinterp/steps say what the oracle says: 20,000 seeded random panels, every named option, the limits
of a site."""

import json

import pytest

from csfinterp.formats import panel_json
from csfinterp.knowledge import apply_site_rules, load_edition
from csfinterp.model.edition import SiteRules
from csfinterp.steps.pipeline import Core
from tests.oracle import Oracle
from tests.random_panels import EDITION, random_panel, yaml_list

BLOCK, BLOCKS = 1000, 20
PANELS_PER_OPTION = 60
PANELS_WITH_SITE_LIMITS = 1500
# Issues that describe a cell. What is only "not judged" (no row, age, comparator ...) stands with the result.
CELL_ISSUES = {
    "unit_missing", "unit_unknown", "value_unreadable", "implausible", "wrong_specimen_code", "specimen_ambiguous",
    "specimen_not_stated", "code_invalid", "quotient_scale_unknown", "duplicate_result", "code_unknown",
    "organism_missing", "derived_disagrees", "soft_bound", "number_sent_as_text", "pairing_assumed",
}  # fmt: skip
# What no random panel without rules of a site can reach: limits of its own assays, a history that says "neutrophilic",
# a line that repeats a quality rule of the same trigger, a pattern whose rule never is UNKNOWN.
NEVER_REACHED = {
    "lymphoma_markers_raised", "L1", "L2", "lymphoma_markers_both", "lymphoma_cxcl13_raised", "lymphoma_il10_raised",
    "lymphoma_markers_not_raised", "lymphoma_cxcl13_not_raised", "lymphoma_il10_not_raised", "EC43",
    "lymphoma_markers_after_steroid", "lymphoma_cxcl13_infection_open", "lymphoma_markers_not_comparable",
    "cns_lymphoma_leukemia not_evaluable",
}  # fmt: skip
RARELY_REACHED = {
    "borrelia_index",
    "bilirubin_no_evidence",
    "lymphoid_flow_not_indicated",
    "epcam_flow_positive_with_cytology",
    "FP5",
    "L6",
}
LM_FIELDS = ("certainty", "type", "type_open", "provisional", "row", "review", "reason")


@pytest.fixture(scope="module")
def edition():
    return load_edition(EDITION)


@pytest.fixture(scope="module")
def core(edition):
    return Core(edition)


@pytest.fixture(scope="module")
def oracle():
    return Oracle(EDITION)


def answers(core, documents):
    """The interpretation documents of panel documents, through the reader and the writer of the JSON format."""
    panels = [panel_json.read(json.dumps(document).encode()) for document in documents]
    envelope = panel_json.Envelope(panel_id=None, version=1, generated_at=None)
    return [panel_json.write(interpretation, envelope) for interpretation in core.interpret_many(panels)]


@pytest.mark.parametrize("block", range(BLOCKS))
def test_columns_agree_with_the_oracle(core, oracle, block):
    seeds = range(block * BLOCK, (block + 1) * BLOCK)
    documents = [random_panel(seed) for seed in seeds]
    wrong = []
    for seed, document, said in zip(seeds, documents, answers(core, documents), strict=True):
        wrong += [f"seed {seed}: {line}" for line in differences(oracle.interpret(document), said)]
    assert not wrong, f"{len(wrong)} differences (field: oracle | columns)\n" + "\n".join(wrong[:40])


SELECTABLE = [option["id"] for option in yaml_list("options.yaml") if option["selectable"]]


@pytest.mark.parametrize("option", SELECTABLE)
def test_a_named_option_means_the_same_to_both(edition, option):
    core = Core(apply_site_rules(edition, SiteRules(id="test", digest="", options=(option,))))
    oracle = Oracle(EDITION, (option,))
    seeds = range(900_000, 900_000 + PANELS_PER_OPTION)
    documents = [random_panel(seed) for seed in seeds]
    wrong = []
    for seed, document, said in zip(seeds, documents, answers(core, documents), strict=True):
        wrong += [f"seed {seed}: {line}" for line in differences(oracle.interpret(document), said)]
    assert not wrong, f"{option}: (field: oracle | columns)\n" + "\n".join(wrong[:40])


def test_the_limits_of_a_site_mean_the_same_to_both(edition):
    limits, platforms = {"csf_cxcl13": "116 pg/mL", "csf_il10": "23 pg/mL"}, {"cnside": "2 /mL"}
    rules = SiteRules("test", "", limit_texts=limits, platform_texts=platforms, assay_comparable=True)
    core = Core(apply_site_rules(edition, rules))
    oracle = Oracle(EDITION, (), {"assay_limits": limits, "platforms": platforms, "assay_comparable": True})
    seeds = range(950_000, 950_000 + PANELS_WITH_SITE_LIMITS)
    wrong, said = [], set()
    documents = [random_panel(seed) for seed in seeds]
    for seed, document, answer in zip(seeds, documents, answers(core, documents), strict=True):
        mine = oracle.interpret(document)
        said |= {name for name in mine["statements"] if name.startswith("lymphoma_")}
        wrong += [f"seed {seed}: {line}" for line in differences(mine, answer)]
    assert not wrong, "(field: oracle | columns)\n" + "\n".join(wrong[:40])
    assert len(said) >= 7, said


def test_the_random_panels_reach_every_corner(oracle):
    """A comparison is worth what it covers: every analyte, flag, reason, grade, item, advice and row occurs."""
    seen = {kind: set() for kind in (
        "analyte", "flag", "reason", "finding", "lm", "hematologic", "leukemia", "issue", "grade", "item", "line",
        "caution", "statement", "recommendation", "differential",
    )}  # fmt: skip
    for seed in range(4000):
        answer = oracle.interpret(random_panel(seed))
        for result in answer["results"].values():
            seen["analyte"].add(result["analyte"])
            seen["flag"].add(result["flag"])
            seen["reason"].add(result["not_judged"])
        seen["finding"] |= set(answer["findings"].items())
        seen["lm"].add(answer["lm"]["row"])
        seen["hematologic"].add(answer["hematologic_cns"]["status"])
        seen["leukemia"].add(answer["leukemia_cns"]["row"])
        seen["issue"] |= {code for code, _ in answer["issues"]}
        for name, pattern in answer["patterns"].items():
            seen["grade"] |= {(name, pattern["grade"]), (name, pattern["reason"])}
            seen["item"] |= set(pattern["items"].items())
            seen["line"] |= set(pattern["lines"])
        seen["caution"] |= set(answer["cautions"])
        seen["statement"] |= set(answer["statements"])
        seen["recommendation"] |= set(answer["recommendations"])
        seen["differential"].add(answer["differential"])
    edition = oracle.edition
    assert seen["analyte"] >= set(edition["analytes"])
    assert seen["flag"] == {None, "N", "L", "H", "LL", "HH", "A", "AA"}
    assert {row["id"].split("-")[0] for row in edition["tables"]["eano_esmo"]["cells"]} == seen["lm"]
    assert len(seen["hematologic"]) == 6
    assert seen["leukemia"] >= {None, 1, 2, 3, 4, 5, 6, 7, 10}
    assert seen["issue"] >= CELL_ISSUES - {"number_sent_as_text"}
    assert seen["differential"] == {True, False}
    missing = [f["id"] for f in edition["findings"] if (f["id"], "true") not in seen["finding"]]
    for pattern in edition["patterns"]:
        name, items = pattern["id"], pattern.get("items") or []
        grades = set(pattern["texts"]) | {door["reason"] for door in pattern.get("open_if") or []}
        missing += [f"{name} {grade}" for grade in grades if (name, grade) not in seen["grade"]]
        missing += [item["id"] for item in items if (item["id"], "true") not in seen["item"]]
        missing += [line["id"] for line in pattern.get("lines") or [] if line["id"] not in seen["line"]]
    for kind, entries in (("caution", "cautions"), ("statement", "statements"), ("recommendation", "recommendations")):
        missing += [entry["id"] for entry in edition[entries] if entry["id"] not in seen[kind]]
    assert set(missing) <= NEVER_REACHED | RARELY_REACHED, sorted(set(missing) - NEVER_REACHED - RARELY_REACHED)


# Comparison


def differences(mine, said):
    """Lines "field: oracle | columns" for everything that differs."""
    lines = []

    def compare(field, ours, theirs):
        if ours != theirs:
            lines.append(f"{field}: {ours!r} | {theirs!r}")

    compare_results(lines, mine["results"], said["results"])
    issues = {(issue["code"], issue["observation"]) for issue in said["issues"] if issue["code"] in CELL_ISSUES}
    compare_sets(lines, "issues", mine["issues"], issues)
    held = {name: truth for name, truth in mine["quality"].items() if truth == "true"}  # the document lists what holds
    compare_maps(lines, "quality", held, {entry["id"]: entry["truth"] for entry in said["quality"]})
    compare_maps(lines, "finding", mine["findings"], {entry["id"]: entry["truth"] for entry in said["findings"]})
    barrier = next(entry for entry in said["findings"] if entry["id"] == "barrier_dysfunction")
    compare("barrier_grade", mine["barrier_grade"], barrier["severity"])
    for profile in said["profiles"]:
        ours = mine["profiles"][profile["id"]]
        for field in ("applicability", "abnormal", "evaluable"):
            compare(f"profile {profile['id']}.{field}", ours[field], profile[field])
        markers = {marker["id"]: (marker["truth"], marker["agreement"]) for marker in profile["markers"]}
        compare_maps(lines, f"profile {profile['id']}", ours["markers"], markers)
    compare_lm(compare, mine["lm"], said["lm"])
    hematologic = said["hematologic_cns"]
    compare("hematologic_cns.status", mine["hematologic_cns"]["status"], hematologic["status"])
    compare("hematologic_cns.row", mine["hematologic_cns"]["row"], hematologic["row"])
    critical = {(entry["analyte"], entry["rule"]) for entry in said["critical"] if entry["source"] == "service"}
    compare_sets(lines, "critical", mine["critical"], critical)
    leukemia = said["leukemia_cns"]
    compare_maps(lines, "leukemia_cns", mine["leukemia_cns"], {name: leukemia[name] for name in mine["leukemia_cns"]})
    compare_patterns(lines, mine["patterns"], said["patterns"])
    compare_lists(lines, "cautions", mine["cautions"], [entry["id"] for entry in said["cautions"]])
    compare_lists(lines, "statements", mine["statements"], [e["id"] for e in said["liquid_biopsy"]["statements"]])
    advice = {entry["id"] for entry in said["recommendations"]}
    compare_sets(lines, "recommendations", set(mine["recommendations"]), advice)
    compare("differential", mine["differential"], said["differential"] is not None)
    return lines


def compare_patterns(lines, mine, said):
    """Every pattern in print order: grade, truth, reason, printed or not, items, obligatory lines."""
    compare_lists(lines, "patterns", list(mine), [pattern["id"] for pattern in said])
    for theirs in said:
        ours = mine[theirs["id"]]
        shown = {name: theirs[name] for name in ours if name not in ("items", "lines")}
        compare_maps(lines, f"pattern {theirs['id']}", {name: ours[name] for name in shown}, shown)
        items = {item["id"]: item["truth"] for item in theirs["items"]}
        compare_maps(lines, f"item of {theirs['id']}", ours["items"], items)
        compare_lists(lines, f"lines of {theirs['id']}", ours["lines"], [line["id"] for line in theirs["lines"]])


def compare_lists(lines, field, mine, said):
    """The same ids in the same order."""
    if mine != said:
        lines.append(
            f"{field}: {sorted(set(mine) - set(said))} only oracle, {sorted(set(said) - set(mine))} only columns"
        )


def compare_lm(compare, mine, said):
    for field in LM_FIELDS:
        compare(f"lm.{field}", mine[field], said[field])
    bounds = said["bounds"] and (said["bounds"]["lowest"], said["bounds"]["highest"])
    compare("lm.bounds", mine["bounds"], bounds)
    compare("lm.if_solid", mine["if_solid"], said["if_solid"])
    for field in ("missing", "would_settle"):
        compare(f"lm.{field}", mine[field], sorted(text.split(":")[0].split(" ")[0] for text in said[field]))


def compare_results(lines, mine, said):
    """Observations of an analyte are compared in their order in the panel; derived quantities by id."""
    theirs = {}
    for result in said:
        if not result["derived"] and was_not_sent(result["reported"]["value"]):
            compare_not_sent(lines, result)
            continue
        theirs.setdefault((result["analyte"], result["derived"]), []).append(result)
    ours = {}
    for key, result in sorted(mine.items(), key=lambda pair: (isinstance(pair[0], str), pair[0])):
        ours.setdefault((result["analyte"], isinstance(key, str)), []).append(result)
    for key in sorted(set(ours) | set(theirs)):
        one, other = ours.get(key, []), theirs.get(key, [])
        if len(one) != len(other):
            lines.append(f"results {key}: {len(one)} listed | {len(other)} listed ({[short(r) for r in one + other]})")
            continue
        for mine_one, said_one in zip(one, other, strict=True):
            if not same_result(mine_one, said_one):
                lines.append(f"result {key[0]}{' derived' if key[1] else ''}: {short(mine_one)} | {short(said_one)}")


def was_not_sent(text):
    return text is None or text.strip().lower() in ("", "pending", "not performed")


def compare_not_sent(lines, result):
    """A value that was not sent may be listed, as long as nothing is said about it."""
    if result["flag"] is not None or result["value"] is not None:
        lines.append(f"result {result['analyte']}: not sent | {short(result)}")


def same_result(mine, said):
    fields = ("flag", "not_judged", "critical")
    same_comparator = mine["comparator"] in (said["comparator"], None)  # "<=0" of a count may be printed as 0
    same_rule = mine["rule"] is None or said["reference"] is None or mine["rule"] == said["reference"]["rule"]
    same_unit = mine["value"] is None or mine["unit"] == said["unit"]
    return (
        all(mine[f] == said[f] for f in fields)
        and same_value(mine["value"], said["value"])
        and same_rule
        and same_unit
        and same_comparator
    )


def same_value(one, other):
    """Numbers agree to the 9 decimals they are rounded to, or to 12 digits where they are large."""
    if isinstance(one, float) and isinstance(other, (int, float)):
        return abs(one - other) <= 2e-9 + 1e-12 * abs(one)
    return one == other


def short(result):
    reference = result.get("reference") or {}
    rule = result.get("rule", reference.get("rule"))
    return (result["value"], result["comparator"], result["unit"], result["flag"], result["not_judged"], rule)


def compare_sets(lines, field, mine, said):
    if mine - said:
        lines.append(f"{field}: only oracle {sorted(mine - said, key=str)}")
    if said - mine:
        lines.append(f"{field}: only columns {sorted(said - mine, key=str)}")


def compare_maps(lines, field, mine, said):
    for name in sorted(set(mine) | set(said)):
        if mine.get(name) != said.get(name):
            lines.append(f"{field} {name}: {mine.get(name)!r} | {said.get(name)!r}")
