"""No statement of a document contradicts another: a table of checks over the interpretation documents of 5,000 random
panels. A check reads only the finished document, as a clinician would, and yields what it finds wrong."""

import json
import re
from collections import Counter

import pytest

from csfinterp.formats import panel_json
from csfinterp.knowledge import load_edition
from csfinterp.steps.pipeline import Core
from tests.random_panels import EDITION, random_panel

FIRST_SEED, BLOCK, BLOCKS = 500_000, 500, 10
SENTENCES = 12
FOLDED_AFTER = 6
ABNORMAL, CRITICAL = ("L", "H", "LL", "HH", "A", "AA"), ("LL", "HH", "AA")
HIGH, LOW = ("H", "HH"), ("L", "LL")
LEVELS = ("lack_of_evidence", "possible", "probable", "confirmed")
INFECTIONS = ("bacterial_meningitis", "fungal_meningitis", "tuberculous_meningitis", "viral_meningitis")
BLOODLIKE = ("serum_", "blood_", "plasma_")
CLASSES = ("igg", "iga", "igm", "kappa")
DIFFERENTIAL = ("csf_neutrophils_pct", "csf_lymphocytes_pct", "csf_monocytes_pct", "csf_neutrophils", "csf_lymphocytes")


class View:
    """A document with its lists by id."""

    def __init__(self, document):
        self.document = document
        self.results = document["results"]
        self.finding = {entry["id"]: entry["truth"] for entry in document["findings"]}
        self.pattern = {entry["id"]: entry for entry in document["patterns"]}
        self.cautions = {entry["id"] for entry in document["cautions"]}
        self.advice = {entry["id"]: entry for entry in document["recommendations"]}
        self.statements = {entry["id"] for entry in document["liquid_biopsy"]["statements"]}
        self.quality = {entry["id"] for entry in document["quality"]}
        self.context = document["context"]
        self.lm = document["lm"]
        self.sentences = document["summary"]["sentences"]
        self.headline = document["summary"]["headline"]
        self.prose = " ".join([self.headline, *(sentence["text"] for sentence in self.sentences)])
        self.history = self.context.get("history") or {}

    def flags(self, analyte):
        return [row["flag"] for row in self.results if row["analyte"] == analyte and row["flag"]]

    def has(self, analyte, flags):
        return bool(set(self.flags(analyte)) & set(flags))

    def word(self, analyte):
        """The words of a coded analyte that count."""
        rows = [row for row in self.results if row["analyte"] == analyte and row["kind"] == "coded"]
        return {row["value"] for row in rows if row["value"] and row["not_judged"] != "duplicate_result"}

    def usable(self, analyte):
        """A readable, single result of this analyte was sent or calculated."""
        rows = [row for row in self.results if row["analyte"] == analyte and row["value"] is not None]
        bad = ("duplicate_result", "implausible", "wrong_specimen_code", "specimen_ambiguous", "specimen_not_stated")
        if any(row["not_judged"] == "sample_too_old" for row in rows):
            return False
        return any(row["not_judged"] not in bad and row["comparator"] is None for row in rows)

    def grade(self, pattern):
        return self.pattern[pattern]["grade"]

    @property
    def tumor(self):
        tumor = self.context.get("tumor") or "unknown"
        return (tumor.get("class") if isinstance(tumor, dict) else tumor) or "unknown"

    @property
    def site(self):
        return self.document["specimen"].get("site") or "unknown"

    @property
    def cytology(self):
        """The best word of this panel and of the history, as far as it is read."""
        earlier = (self.history.get("csf_cytology") or {}).get("value")
        words = self.word("csf_cytology") | ({earlier} if earlier else set())
        order = ("positive", "suspicious", "atypical", "negative")
        return next((word for word in order if word in words), None)

    def critical(self, level):
        return {e["analyte"] for e in self.document["critical"] if e["level"] == level and e["source"] == "service"}


def texts(node):
    """Every printed sentence of the document, with its citations where they stand beside it."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("text", "headline", "message", "caution", "trigger", "reason") and isinstance(value, str):
                yield value
            elif key not in ("patient", "specimen", "context", "reported"):
                yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            if isinstance(value, str):
                continue
            yield from texts(value)


def cited(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "citations" and value and isinstance(value[0], str):
                yield from value
            elif key != "citations":
                yield from cited(value)
    elif isinstance(node, list):
        for value in node:
            yield from cited(value)


CHECKS = {}


def check(sentence):
    def keep(function):
        CHECKS[sentence] = function
        return function

    return keep


# Results


@check("a result has a flag or the reason why it has none, never both and never neither")
def flag_or_reason(view):
    for row in view.results:
        sent = row["derived"] or row["value"] is not None or row["not_judged"]
        if sent and (row["flag"] is None) == (row["not_judged"] is None):
            yield f"{row['analyte']}: flag {row['flag']}, not judged {row['not_judged']}"


@check("a critical flag stands in `critical`, and a critical entry has its flag")
def critical_both_ways(view):
    flagged = {row["analyte"] for row in view.results if row["flag"] in CRITICAL}
    if flagged != view.critical("critical"):
        yield f"flags {sorted(flagged)}, entries {sorted(view.critical('critical'))}"
    for row in view.results:
        if row["critical"] != (row["flag"] in CRITICAL):
            yield f"{row['analyte']}: flag {row['flag']}, critical {row['critical']}"


@check("one quantity has one flag: never normal and raised, low and high")
def one_flag(view):
    for analyte in {row["analyte"] for row in view.results if row["kind"] == "quantity"}:
        kinds = {
            flag[0] for flag in view.flags(analyte) if flag not in CRITICAL
        }  # a tube that does not lead keeps those
        if len(kinds) > 1:
            yield f"{analyte}: {view.flags(analyte)}"


@check("a flag agrees with the interval printed beside it")
def flag_and_interval(view):
    for row in view.results:
        reference, value = row["reference"], row["value"]
        if row["flag"] not in ("N", "L", "H") or not reference or row["comparator"] or not isinstance(value, float):
            continue
        low, high = reference["low"], reference["high"]
        under = low is not None and (value < low or (value == low and not reference["low_inclusive"]))
        over = high is not None and (value > high or (value == high and not reference["high_inclusive"]))
        if row["flag"] != ("L" if under else "H" if over else "N"):
            yield f"{row['analyte']} {value}: {row['flag']} beside {reference['text']}"


# Findings against flags and against one another


FLAG_FINDINGS = (  # finding, analyte, flags that it states, flags that deny it
    ("pleocytosis", "csf_leukocytes", HIGH, ("N",)),
    ("protein_raised", "csf_protein", HIGH, ("N", "L")),
    ("lactate_raised", "csf_lactate", HIGH, ("N", "L")),
    ("glucose_low", "glucose_ratio", LOW, ("N", *HIGH)),
    ("glucose_high", "glucose_ratio", HIGH, ("N", *LOW)),
    ("igg_index_raised", "igg_index", HIGH, ("N",)),
    ("opening_pressure_raised", "csf_opening_pressure", HIGH, ("N",)),
    ("blasts_present", "csf_blasts_pct", ("A",), ()),
    ("tumor_cells_in_csf", "csf_cytology", (), ()),
)


@check("a finding agrees with the flag that it rests on")
def finding_and_flag(view):
    for finding, analyte, states, denies in FLAG_FINDINGS:
        rows = [row for row in view.results if row["analyte"] == analyte and row["comparator"] is None]
        flags = {row["flag"] for row in rows if row["flag"]} if len(rows) == 1 else set()
        if view.finding[finding] == "true" and flags & set(denies):
            yield f"{finding} true, {analyte} {flags}"
        if view.finding[finding] == "false" and flags & set(states):
            yield f"{finding} false, {analyte} {flags}"


OPPOSITES = (
    ("glucose_low", "glucose_high"), ("neutrophils_predominate", "lymphocytes_predominate"),
    ("oligoclonal_bands_intrathecal", "oligoclonal_bands_systemic"), ("tumor_cells_in_csf", "equivocal_cells"),
)  # fmt: skip


@check("opposite findings are never both true")
def opposite_findings(view):
    for one, other in OPPOSITES:
        if view.finding[one] == view.finding[other] == "true":
            yield f"{one} and {other}"


IMPLIES = (  # the first true: the second is not false
    ("lactate_bacterial_range", "lactate_raised"), ("lactate_bacterial_range", "bacterial_alarm_value"),
    ("few_cells_lactate_barrier", "lactate_raised"), ("few_cells_lactate_barrier", "barrier_dysfunction"),
)  # fmt: skip


@check("a finding never denies the one that it contains")
def contained_findings(view):
    for one, other in IMPLIES:
        if view.finding[one] == "true" and view.finding[other] == "false":
            yield f"{one} true, {other} false"
    if view.finding["few_cells_lactate_barrier"] == "true" and view.finding["pleocytosis"] == "true":
        yield "few cells with pleocytosis"


@check("a suppressed finding is unknown and names what suppressed it; an unknown one without it names what is missing")
def suppressed_findings(view):
    for entry in view.document["findings"]:
        if entry["suppressed_by"] and entry["truth"] != "unknown":
            yield f"{entry['id']} {entry['truth']} although suppressed"
        if entry["truth"] == "unknown" and not entry["suppressed_by"] and not entry["missing"]:
            yield f"{entry['id']} unknown without a reason"
        if entry["truth"] == "true" and not entry["because"]:
            yield f"{entry['id']} true without because"


@check("a severity stands only with barrier dysfunction, and the quotient lies on the side that the finding says")
def barrier(view):
    entry = next(e for e in view.document["findings"] if e["id"] == "barrier_dysfunction")
    if entry["severity"] and entry["truth"] != "true":
        yield f"{entry['severity']} with {entry['truth']}"
    if (view.has("albumin_quotient", HIGH) and entry["truth"] == "false") or (
        view.has("albumin_quotient", ("N",)) and entry["truth"] == "true"
    ):
        yield f"quotient {view.flags('albumin_quotient')}, finding {entry['truth']}"


@check("intrathecal synthesis agrees with the intrathecal percent")
def synthesis(view):
    for name in CLASSES:
        flags, truth = view.flags(name + "_intrathecal_pct"), view.finding["intrathecal_" + name]
        if (truth == "true" and "N" in flags) or (truth == "false" and "H" in flags):
            yield f"intrathecal_{name} {truth}, percent {flags}"


# LM, hematologic path, leukemia


@check("LM confirmed rests on tumor cells or a biopsy")
def confirmed(view):
    proven = view.cytology == "positive" or view.context.get("biopsy") == "positive"
    if view.lm["certainty"] == "confirmed" and not proven:
        yield "confirmed without proof"
    if proven and view.tumor == "solid" and view.lm["certainty"] != "confirmed":
        yield f"proof, but {view.lm['certainty']}"


@check("LM certainty fits the tumor: not applicable outside its scope, probable and possible only with a solid tumor")
def lm_scope(view):
    level = view.lm["certainty"]
    if view.tumor in ("hematologic", "primary_cns") and level != "not_applicable":
        yield f"{level} with tumor {view.tumor}"
    if level in ("possible", "probable") and view.tumor != "solid":
        yield f"{level} with tumor {view.tumor}"


@check("LM never both confirmed and not applicable: the grid and the hematologic path do not speak at the same time")
def grid_or_path(view):
    path = view.document["hematologic_cns"]["status"]
    if path != "not_applicable" and view.lm["certainty"] != "not_applicable":
        yield f"{view.lm['certainty']} beside {path}"
    if (path != "not_applicable") != (view.tumor == "hematologic"):
        yield f"{path} with tumor {view.tumor}"


@check("a type stands only with a level of the grid; a provisional level names what is missing; bounds hold the level")
def lm_parts(view):
    lm = view.lm
    if lm["type"] and lm["certainty"] not in LEVELS:
        yield f"type {lm['type']} with {lm['certainty']}"
    if lm["provisional"] and not (lm["missing"] or lm["would_settle"]):
        yield "provisional without a missing input"
    if lm["certainty"] == "lack_of_evidence" and lm["missing"]:
        yield f"lack_of_evidence without {lm['missing']}"
    if lm["bounds"] and lm["certainty"] in LEVELS:
        low, high = (LEVELS.index(lm["bounds"][side]) for side in ("lowest", "highest"))
        if not low <= LEVELS.index(lm["certainty"]) <= high:
            yield f"{lm['certainty']} outside {lm['bounds']}"


LM_SENTENCE = re.compile(r"[Ll]eptomeningeal metastasis \(EANO-ESMO\): ([a-z ]+)")


@check("headline and sentences give the LM level of the LM block")
def level_in_prose(view):
    for found in LM_SENTENCE.findall(view.prose):
        if not found.strip().replace(" ", "_").startswith(view.lm["certainty"]):
            yield f"prose says {found!r}, block {view.lm['certainty']}"
    if "cannot be classified" in view.prose and view.lm["certainty"] != "not_classifiable":
        yield f"prose says it cannot be classified, block {view.lm['certainty']}"


@check("the hematologic path agrees with cytology and flow cytometry")
def hematologic(view):
    status = view.document["hematologic_cns"]["status"]
    if (status == "shown_by_cytology") != (view.tumor == "hematologic" and view.cytology == "positive"):
        yield f"{status}, cytology {view.cytology}"
    if status in ("shown_by_flow_only", "not_found") and view.cytology == "positive":
        yield f"{status} with positive cytology"
    if status == "shown_by_flow_only" and "positive" not in view.word("csf_flow_cytometry"):
        yield "shown by flow without a positive flow"
    if status == "not_found" and "positive" in view.word("csf_flow_cytometry"):
        yield "not found beside a positive flow"


@check("the leukemia class agrees with blasts, diagnosis and site")
def leukemia(view):
    answer = view.document["leukemia_cns"]
    status, blasts = answer["status"], view.finding["blasts_present"]
    diagnosis = (view.context.get("tumor") or {}) if isinstance(view.context.get("tumor"), dict) else {}
    stated = diagnosis.get("diagnosis") == "acute_lymphoblastic_leukemia"
    if (status != "not_applicable") != (stated and view.site in ("lumbar", "unknown")):
        yield f"{status} with diagnosis {diagnosis.get('diagnosis')}, site {view.site}"
    if status == "CNS1" and (blasts == "true" or view.word("csf_cytology") == {"positive"}):
        yield "CNS1 with blasts"
    seen = blasts == "true" or "positive" in view.word("csf_cytology")
    if status.startswith(("CNS2", "CNS3")) and status != "CNS3c" and not seen:
        yield f"{status} without blasts"
    if answer["provisional"] and not (answer["missing"] or answer["would_settle"]):
        yield "provisional without a missing input"


# Patterns


EMERGENCIES = ("bacterial_meningitis", "subarachnoid_blood")


@check("the truth of a pattern is that of its grade; an established one has a decisive item; an emergency is one")
def pattern_parts(view):
    truth = {"does_not_fit": "false", "not_evaluable": "unknown"}
    for name, pattern in view.pattern.items():
        if pattern["truth"] != truth.get(pattern["grade"], "true"):
            yield f"{name}: {pattern['truth']} and {pattern['grade']}"
        decisive = any(item["kind"] == "decisive" and item["truth"] == "true" for item in pattern["items"])
        if decisive != (pattern["grade"] == "established"):
            yield f"{name}: decisive {decisive}, {pattern['grade']}"
        if pattern["emergency"] and (name not in EMERGENCIES or pattern["truth"] != "true"):
            yield f"{name}: emergency with {pattern['grade']}"


@check("a pattern that is shown does not say that the values do not show it, and the reverse")
def pattern_text(view):
    for name, pattern in view.pattern.items():
        denies = "do not show this pattern" in pattern["text"] or pattern["text"].startswith("Not supported")
        if denies and pattern["grade"] != "does_not_fit":
            yield f"{name}: {pattern['grade']}, text {pattern['text']!r}"
        if pattern["truth"] == "false" and re.search(r"\b(fit|fits|is shown|compatible with)\b", pattern["text"]):
            yield f"{name}: does not fit, text {pattern['text']!r}"


@check("one item is not support and counter-evidence at once, and neither of them is missing")
def pattern_lists(view):
    for name, pattern in view.pattern.items():
        lists = [{entry.removeprefix("not: ") for entry in pattern[key]} for key in ("support", "against", "missing")]
        for one, other in ((0, 1), (0, 2), (1, 2)):
            if lists[one] & lists[other]:
                yield f"{name}: {sorted(lists[one] & lists[other])}"


@check("a pattern that is not evaluable names a reason or what is missing (ER3)")
def pattern_missing(view):
    for name, pattern in view.pattern.items():
        if pattern["grade"] == "not_evaluable" and not pattern["reason"] and not pattern["missing"]:
            yield f"{name}: nothing named as missing"


@check("a bacterial alarm, treatment, immunosuppression, a device or the first 60 days never go with does_not_fit")
def bacteria_stay_open(view):
    if view.grade("bacterial_meningitis") != "does_not_fit":
        return
    for name in ("antibiotics_before_lp", "immunosuppressed", "recent_neurosurgery_or_shunt"):
        if view.context.get(name) is True:
            yield f"does_not_fit with {name}"
    if view.finding["bacterial_alarm_value"] == "true":
        yield "does_not_fit with an alarm value"
    if view.finding["pleocytosis"] == view.finding["neutrophils_predominate"] == "true":
        yield "does_not_fit with neutrophilic pleocytosis"
    if {"EC18"} & view.cautions:
        yield "does_not_fit below 61 days"


@check("'no abnormality in the items measured' goes with no abnormal flag, critical entry, true finding or disease")
def normal_panel(view):
    if view.grade("no_abnormality_measured") != "fits":
        return
    for row in view.results:
        if row["flag"] in ABNORMAL and not row["analyte"].startswith(BLOODLIKE):
            yield f"{row['analyte']} {row['flag']}"
    if view.document["critical"]:
        yield f"critical {view.document['critical'][0]['rule']}"
    harmless = {"lymphocytes_predominate"}
    yield from (name for name, truth in view.finding.items() if truth == "true" and name not in harmless)
    for name, pattern in view.pattern.items():  # SL49; a decisive result is the biopsy or a variant
        if pattern["grade"] in ("fits", "partly_fits") and name not in (
            "no_abnormality_measured",
            "cns_lymphoma_leukemia",
        ):
            yield f"{name} {pattern['grade']}"


@check("barrier, blood and Guillain-Barre patterns agree with their findings")
def pattern_and_finding(view):
    if view.grade("isolated_barrier_dysfunction") == "fits":
        if view.finding["barrier_dysfunction"] == "false" or view.finding["pleocytosis"] == "true":
            yield "isolated barrier dysfunction without it, or with cells"
        yield from (f"isolated with {n}" for n in CLASSES[:3] if view.finding["intrathecal_" + n] == "true")
        if view.finding["oligoclonal_bands_intrathecal"] == "true":
            yield "isolated with intrathecal bands"
    blood = {"fits": "true", "does_not_fit": "false"}.get(view.grade("blood_contamination"), "unknown")
    if blood != view.finding["blood_in_csf"]:
        yield f"blood {blood}, finding {view.finding['blood_in_csf']}"
    if view.grade("albuminocytologic_dissociation") == "fits" and view.finding["lactate_raised"] == "true":
        yield "Guillain-Barre type with raised lactate"
    if view.grade("chronic_inflammatory_ms_type") == "fits" and view.finding["glucose_low"] == "true":
        yield "MS type with low glucose"


@check("bacterial and viral meningitis never both fit in full; an infection is established only with an organism")
def infections(view):
    if view.grade("bacterial_meningitis") == view.grade("viral_meningitis") == "fits":
        yield "both fit"
    for name in INFECTIONS:
        if view.grade(name) == "established" and view.finding["organism_found"] != "true":
            yield f"{name} established without an organism"


@check("a pattern that is not printed is not spoken of in the summary")
def hidden_patterns(view):
    for name, pattern in view.pattern.items():
        rules = {rule for sentence in view.sentences for rule in sentence["because"]}
        if not pattern["shown"] and pattern["rule"] in rules:
            yield f"{name} is hidden, the summary rests on {pattern['rule']}"


# Recommendations


def sent(view, analyte):
    return bool(view.word(analyte))


def looked_for_herpes(view):
    """Some PCR found something, names herpes or names no target; a negative one of other targets is no herpes PCR."""
    done = ("positive", "negative")  # a PCR of another specimen or without a usable word looked for nothing in CSF
    pcrs = [one for one in view.document["results"] if one["analyte"] == "csf_pathogen_pcr"]
    sent_ = [one for one in pcrs if one["value"] in done]
    names = [(one["organism"] or "").casefold() for one in sent_]
    words = ("herpes simplex", "hsv", "varicella", "vzv", "panel", "multiplex")
    return (
        any(one["value"] == "positive" for one in sent_)
        or any(not name for name in names)
        or any(word in name for name in names for word in words)
    )


WITHOUT = (  # advice that says "not sent", and what must then not have been sent
    ("cytology_missing", lambda v: v.word("csf_cytology") & {"positive", "suspicious", "atypical", "negative"}),
    ("add_cytology_normal_cells", lambda v: sent(v, "csf_cytology")),
    ("add_cytology", lambda v: sent(v, "csf_cytology")),
    ("add_cytology_to_flow", lambda v: sent(v, "csf_cytology")),
    ("flow_and_cytology", lambda v: sent(v, "csf_flow_cytometry")),
    ("herpes_pcr", lambda v: sent(v, "csf_pathogen_pcr") and looked_for_herpes(v)),
    ("cryptococcal_antigen", lambda v: sent(v, "csf_cryptococcal_antigen")),
    ("add_gram_and_culture", lambda v: sent(v, "csf_gram_stain") and sent(v, "csf_culture")),
    ("mri_brain_and_spine", lambda v: v.context.get("mri") not in (None, "not_done")),
    ("spectrophotometry", lambda v: v.usable("csf_bilirubin_absorbance")),
    ("serum_marker_pair", lambda v: v.usable("serum_cea")),
    ("serum_glucose_missing", lambda v: v.usable("serum_glucose") or v.usable("glucose_ratio")),
    ("state_tumor", lambda v: v.tumor != "unknown"),
    ("state_clinical_signs", lambda v: v.context.get("clinical_signs") not in (None, "not_assessed")),
    ("site_unknown", lambda v: v.site != "unknown"),
    ("differential_missing", lambda v: any(v.usable(name) for name in DIFFERENTIAL)),
    ("erythrocytes_missing", lambda v: v.usable("csf_erythrocytes")),
)


@check("advice that names something missing is not given where it was sent")
def missing_but_sent(view):
    for name, was_sent in WITHOUT:
        if name in view.advice and was_sent(view):
            yield name


TOGETHER = (  # advice that must not stand together
    ("sah_not_ruled_out", "traumatic_puncture"), ("bacterial_emergency", "bacterial_alarm_value"),
    ("bacterial_emergency", "mri_brain_and_spine"), ("bacterial_emergency", "organism_not_named"),
    ("repeat_lumbar_puncture", "after_second_negative"), ("cytology_missing", "add_cytology"),
    ("cytology_missing", "add_cytology_normal_cells"), ("add_cytology_normal_cells", "add_cytology"),
    ("cytology_volume_low", "cytology_volume_note"), ("cytology_missing", "repeat_lumbar_puncture"),
    ("repeat_lumbar_puncture", "repeat_after_equivocal_cytology"), ("ctdna_failed", "csf_only_variant"),
    ("first_tumor_cells_call", "response_assessment"), ("first_tumor_cells_call", "new_cns_involvement_call"),
    ("flow_and_cytology", "add_cytology_to_flow"), ("flow_and_cytology", "lymphoid_flow_not_indicated"),
)  # fmt: skip


@check("advice that excludes another is not given beside it")
def advice_together(view):
    yield from (f"{one} and {other}" for one, other in TOGETHER if one in view.advice and other in view.advice)


@check("the bacterial emergency is advised exactly where the pattern is one")
def emergency(view):
    if ("bacterial_emergency" in view.advice) != view.pattern["bacterial_meningitis"]["emergency"]:
        yield f"R-I02 {'bacterial_emergency' in view.advice}, pattern {view.grade('bacterial_meningitis')}"


@check("advice, caution and block that say the same stand or fall together")
def same_trigger(view):
    pairs = (
        ("critical_organism", view.finding["organism_found"] == "true"),
        ("critical_organism", any(entry["rule"] == "CR-ORG" for entry in view.document["critical"])),
        ("three_way_differential", "PC01" in view.cautions),
        ("antibiotics_before_puncture", view.context.get("antibiotics_before_lp") is True),
        ("cns_status_missing_inputs", view.document["leukemia_cns"]["status"] == "not_classifiable"),
        ("borrelia_index" if "borrelia_index" in view.advice else "borrelia_tests", "FP1" in view.cautions),
        ("ctdna_failed", "csf_ctdna_failed" in view.statements),
    )
    yield from (name for name, holds in pairs if (name in view.advice) != holds)


@check("xanthochromia or raised bilirubin is never worded as a traumatic puncture alone")
def hemorrhage(view):
    if view.finding["xanthochromia"] == "true" or view.finding["bilirubin_raised"] == "true":
        if "sah_not_ruled_out" not in view.advice or "traumatic_puncture" in view.advice:
            yield f"advice {sorted({'sah_not_ruled_out', 'traumatic_puncture'} & set(view.advice))}"
        if view.grade("subarachnoid_blood") in ("does_not_fit", "not_evaluable"):
            yield f"pattern {view.grade('subarachnoid_blood')}"
        if any(line["id"] == "traumatic_or_hemorrhage" for line in view.pattern["blood_contamination"]["lines"]):
            yield "line traumatic_or_hemorrhage"


@check("advice for a tumor level stands only at that level, and treatment only in the block for the treating team")
def team_block(view):
    level, path = view.lm["certainty"], view.document["hematologic_cns"]["status"]
    for name, entry in view.advice.items():
        if entry["rule"].startswith("R-T"):
            if not entry["context_only"]:
                yield f"{name} outside the block"
            shown = path in ("shown_by_cytology", "shown_by_flow_only") and entry["rule"] == "R-T01"
            if level not in ("probable", "confirmed") and not shown:
                yield f"{name} at {level}"
        if entry["context_only"] != (entry["priority"] == 5):
            yield f"{name}: context {entry['context_only']}, priority {entry['priority']}"
    if "her2_breast" in view.advice and view.context.get("her2_status") != "positive":
        yield "HER2 advice without HER2"
    if "consider_liquid_biopsy" in view.advice and level not in ("possible", "probable"):
        yield f"liquid biopsy considered at {level}"


@check("recommendations are ordered, critical ones never folded, at most six others in front, none twice")
def advice_order(view):
    entries = view.document["recommendations"]
    priorities = [entry["priority"] for entry in entries]
    if priorities != sorted(priorities):
        yield f"priorities {priorities}"
    yield from (f"{e['id']} is critical and folded" for e in entries if e["folded"] and e["priority"] == 1)
    front = {entry["id"] for entry in entries if not entry["folded"] and entry["priority"] > 1}
    if len(front) > FOLDED_AFTER:
        yield f"{len(front)} in front"
    twice = [key for key, n in Counter((entry["id"], entry["audience"]) for entry in entries).items() if n > 1]
    yield from twice


# Cautions and liquid biopsy


NEEDS = (  # caution, finding, truth that would deny it
    ("EC01", "pleocytosis", "false"), ("EC02", "neutrophils_predominate", "false"), ("PC02", "pleocytosis", "true"),
    ("EC03", "lymphocytes_predominate", "false"), ("EC04", "glucose_low", "false"), ("EC05", "glucose_low", "false"),
    ("EC07", "lactate_raised", "false"), ("EC13", "pleocytosis", "true"), ("EC25", "pleocytosis", "true"),
    ("EC29", "organism_found", "true"), ("EC32", "glucose_low", "false"), ("PC05", "lactate_raised", "false"),
    ("EC33", "oligoclonal_bands_systemic", "true"), ("EC34", "oligoclonal_bands_intrathecal", "true"),
    ("EC11", "plasma_cells_present", "false"), ("PC06", "tumor_cells_in_csf", "true"), ("EC42", "glucose_low", "true"),
    ("EC41", "opening_pressure_raised", "false"), ("PC03", "protein_raised", "true"),
)  # fmt: skip


@check("a caution never denies a finding")
def caution_and_finding(view):
    for caution, finding, denied in NEEDS:
        if caution in view.cautions and view.finding[finding] == denied:
            yield f"{caution} with {finding} {denied}"


@check("cautions that exclude one another do not stand together")
def caution_pairs(view):
    pairs = (("EC02", "EC03"), ("EC09", "EC10"), ("EC33", "EC34"), ("EC34", "EC35"), ("EC33", "EC36"),
             ("PC02", "EC01"), ("PC08", "EC05"), ("PC08", "EC04"), ("PC08", "EC32"))  # fmt: skip
    yield from (f"{one} and {other}" for one, other in pairs if {one, other} <= view.cautions)


@check("statements on liquid biopsy and markers do not contradict one another or the result")
def biopsy_statements(view):
    groups = (
        {"csf_ctdna_detected", "csf_ctdna_not_detected", "csf_ctdna_failed"},
        {"csf_ctc_above_limit", "csf_ctc_below_limit", "csf_ctc_not_informative", "csf_ctc_without_platform",
         "csf_ctc_platform_without_limit", "csf_ctc_above_limit_with_cytology"},
        {"csf_cea_above_lung_cutoff", "csf_cea_below_lung_cutoff"},
        {"csf_marker_index_above_one", "csf_marker_index", "csf_marker_without_serum_pair"},
        {"epcam_flow_positive", "epcam_flow_negative", "epcam_flow_positive_with_cytology"},
        {"lymphoma_il10_raised", "lymphoma_il10_not_raised", "lymphoma_il10_without_limit"},
        {"lymphoma_cxcl13_raised", "lymphoma_cxcl13_not_raised", "lymphoma_cxcl13_without_limit"},
        {"lymphoma_myd88", "csf_ctdna_failed", "csf_ctdna_not_detected"},
    )  # fmt: skip
    for group in groups:
        if len(group & view.statements) > 1:
            yield f"{sorted(group & view.statements)}"
    if "csf_ctdna_detected" in view.statements and view.finding["tumor_dna_in_csf"] != "true":
        yield "tumor DNA stated, finding not true"
    if "csf_ctc_above_limit" in view.statements and view.cytology == "positive":
        yield "'repeat cytology' beside a positive one"


# Profiles, scores


@check("a profile marker agrees with the flag beside it, counts are possible, applicability follows the tumor")
def profiles(view):
    for profile in view.document["profiles"]:
        for marker in profile["markers"]:
            side = HIGH if marker["direction"] == "high" else LOW
            if (marker["agreement"] == "agrees") and marker["flag"] is not None and marker["flag"] not in side:
                yield f"{profile['id']} {marker['id']}: agrees with flag {marker['flag']}"
            if marker["agreement"] == "differs" and marker["flag"] in side:
                yield f"{profile['id']} {marker['id']}: differs with flag {marker['flag']}"
        if not 0 <= profile["abnormal"] <= profile["evaluable"]:
            yield f"{profile['id']}: {profile['abnormal']} of {profile['evaluable']}"
        own = {"hematologic": "hematologic", "solid_tumor": "solid"}[profile["id"]]
        applies = "unknown" if view.tumor == "unknown" else "applies" if view.tumor == own else "does_not_apply"
        if profile["applicability"] != applies:
            yield f"{profile['id']}: {profile['applicability']} with tumor {view.tumor}"


@check("a score that is refused or not computable has a reason and no number; a computed one has a result")
def scores(view):
    for score in view.document["scores"]:
        number = score["value"] is not None or score["range"] is not None
        if score["status"] == "computed" and not (number or score["class"]):
            yield f"{score['id']} computed without a result"
        if score["status"] != "computed" and (number or score["class"] or not score["reason"]):
            yield f"{score['id']} {score['status']}: {score['value']} {score['reason']}"


# Wording


FORBIDDEN = (
    re.compile(r"(?<!not )(?<!to be )(?<!be )(?<!until )(?<!are )\b(excluded|ruled out)\b"),
    re.compile(r"\b(is|are|was|were|has been|have been) (now )?(excluded|ruled out)\b(?! by the clinical team)"),
    re.compile(r"\b[Nn]o disease\b|\b[Nn]ormal CSF[,.:]|\bthe diagnosis is\b|\bproves? that\b"),
)
ALLOWED = ("criteria demand that", "until infection and other causes are excluded", "hemorrhage until excluded")


@check("nothing is worded as excluded, and no disease as proven by a routine value")
def wording(view):
    for text in texts({key: part for key, part in view.document.items() if key not in ("disclaimer", "issues")}):
        if any(pattern.search(text) for pattern in FORBIDDEN) and not any(words in text for words in ALLOWED):
            yield text[:160]


@check("'not found', 'no organism' and the like never stand beside what was found")
def denials(view):
    if view.finding["organism_found"] == "true" and re.search(r"no organism|culture negative|sterile", view.prose):
        yield "no organism beside an organism"
    denied = re.search(r"no (definite )?tumor cells|cytology (is )?negative", view.prose)
    if denied and view.cytology == "positive" and "negative" not in view.word("csf_cytology"):
        yield "no tumor cells beside positive cytology"
    if "positive" in view.word("csf_flow_cytometry") and "no aberrant cell population" in view.prose:
        yield "no aberrant population beside a positive flow"
    if "detected" in view.word("csf_ctdna") and "No tumor-derived DNA" in view.prose:
        yield "no tumor DNA beside tumor DNA"


PROSE = (  # what a sentence says, the finding behind it, the truth it needs
    (r"leukocyte count is raised", "pleocytosis", "true"), (r"leukocyte count is not raised", "pleocytosis", "false"),
    (r"[Tt]otal protein is raised", "protein_raised", "true"), (r"[Tt]otal protein is not raised", "protein_raised",
    "false"), (r"[Ll]actate is raised", "lactate_raised", "true"), (r"[Ll]actate is not raised", "lactate_raised",
    "false"), (r"[Gg]lucose is low", "glucose_low", "true"), (r"[Gg]lucose is not low", "glucose_low", "false"),
    (r"CSF glucose is high", "glucose_high", "true"), (r"Neutrophils predominate:", "neutrophils_predominate", "true"),
    (r"Lymphocytes predominate:", "lymphocytes_predominate", "true"), (r"Blasts are present", "blasts_present", "true"),
    (r"is above its age limit \(blood-CSF", "barrier_dysfunction", "true"),
    (r"albumin quotient is within its age limit", "barrier_dysfunction", "false"),
    (r"There is intrathecal synthesis of IgG", "intrathecal_igg", "true"),
    (r"No intrathecal synthesis of IgG", "intrathecal_igg", "false"),
    (r"Cytology found tumor cells", "tumor_cells_in_csf", "true"),
    (r"The opening pressure is raised", "opening_pressure_raised", "true"),
    (r"The IgG index is raised", "igg_index_raised", "true"),
    (r"Blood is present in the sample", "blood_in_csf", "true"),
)  # fmt: skip


@check("a sentence of the summary says what its finding says")
def prose_and_finding(view):
    for words, finding, truth in PROSE:
        if re.search(words, view.prose) and view.finding[finding] != truth:
            yield f"{words!r}, {finding} {view.finding[finding]}"


@check("the headline agrees with the flags and the critical list")
def headline(view):
    abnormal = [row["analyte"] for row in view.results if row["flag"] in ABNORMAL]
    if view.headline.startswith(("No abnormal", "No result could be judged")) and (
        abnormal or view.document["critical"]
    ):
        yield f"{view.headline!r} beside {abnormal[:3]}"
    if view.headline.startswith("No result could be judged") and any(row["flag"] for row in view.results):
        yield f"{view.headline!r} beside a flag"
    listed = any(entry["level"] == "critical" for entry in view.document["critical"])
    if ("critical result" in view.headline.lower()) != listed:
        yield f"{view.headline!r}, critical {listed}"


@check("a result listed as not judged has no flag")
def not_judged_sentence(view):
    for sentence in view.sentences:
        if sentence["text"].startswith("Not judged"):
            judged = {row["analyte"] for row in view.results if row["flag"]}
            open_ones = {row["analyte"] for row in view.results if not row["flag"]}
            yield from (f"{name} is judged" for name in sentence["because"] if name in judged - open_ones)


@check("every sentence has a because and a citation, none stands twice, there are at most twelve")
def sentences(view):
    for sentence in view.sentences:
        if not sentence["because"] or not sentence["citations"]:
            yield f"{sentence['text'][:80]!r} without because or citation"
    yield from (f"twice: {text[:80]!r}" for text, n in Counter(s["text"] for s in view.sentences).items() if n > 1)
    if len(view.sentences) > SENTENCES:
        yield f"{len(view.sentences)} sentences"


@check("no text holds an unfilled name, None, nan or an internal id of an analyte")
def unfilled(view):
    for text in texts(view.document):
        if re.search(
            r"\{(?!cells\}|ratio\}|index\}|AU\}|thirds\}|[a-zA-Z]*cells\})\w+\}|\bNone\b|\bnan\b|\binf\b", text
        ):
            yield text[:120]
    for text in [view.headline, *(s["text"] for s in view.sentences), *(e["text"] for e in view.advice.values())]:
        if re.search(r"\b(csf|serum|blood|plasma)_[a-z_0-9]+", text):
            yield f"id in {text[:120]!r}"


@check("every citation id is listed in `citations`, once")
def citations(view):
    listed = [entry["id"] for entry in view.document["citations"]]
    missing = set(cited({key: part for key, part in view.document.items() if key != "citations"})) - set(listed)
    yield from sorted(missing)
    if len(listed) != len(set(listed)):
        yield "listed twice"


@check("what a cell's result says stands among the issues too")
def cell_issues(view):
    issues = {entry["code"] for entry in view.document["issues"]}
    for row in view.results:
        word = row["not_judged"]
        named = ("unit_missing", "unit_unknown", "value_unreadable", "wrong_specimen_code", "specimen_ambiguous",
                 "specimen_not_stated", "quotient_scale_unknown", "duplicate_result")  # fmt: skip
        if word in named and word not in issues:
            yield f"{row['analyte']} {word}"


# The run


@pytest.fixture(scope="module")
def core():
    return Core(load_edition(EDITION))


def documents(core, seeds):
    panels = [panel_json.read_document(random_panel(seed)) for seed in seeds]
    envelope = panel_json.Envelope(panel_id=None, version=1, generated_at=None)
    return [panel_json.write(interpretation, envelope) for interpretation in core.interpret_many(panels)]


@pytest.mark.parametrize("block", range(BLOCKS))
def test_no_statement_contradicts_another(core, block):
    first = FIRST_SEED + block * BLOCK
    seeds = range(first, first + BLOCK)
    wrong = []
    for seed, document in zip(seeds, documents(core, seeds), strict=True):
        view = View(document)
        for sentence, faults in CHECKS.items():
            wrong += [f"seed {seed}: {sentence}: {fault}" for fault in faults(view)]
    assert not wrong, f"{len(wrong)} contradictions\n" + "\n".join(wrong[:40])


def test_there_are_checks_enough():
    assert len(CHECKS) >= 25


def raise_leukocytes(document):
    row = next(row for row in document["results"] if row["analyte"] == "csf_leukocytes" and row["flag"] == "N")
    row["flag"] = "H"


BREAKS = {  # what a defect would do to the document of a normal panel, and the check that must see it
    "a flag beside a reason": (
        lambda d: d["results"][0].update(flag="N", not_judged="info_only"), flag_or_reason,
    ),
    "a raised count in a normal panel": (raise_leukocytes, normal_panel),
    "a raised count within its interval": (raise_leukocytes, flag_and_interval),
    "confirmed without proof": (lambda d: d["lm"].update(certainty="confirmed"), confirmed),
    "another level in the headline": (
        lambda d: d["summary"].update(headline="Leptomeningeal metastasis (EANO-ESMO): probable."), level_in_prose,
    ),
    "an exclusion": (lambda d: d["summary"].update(headline="Leptomeningeal metastasis is excluded."), wording),
    "an unknown citation": (lambda d: d["lm"]["citations"].append("nobody1999"), citations),
    "a sentence twice": (
        lambda d: d["summary"]["sentences"].extend(d["summary"]["sentences"][:1] * 2), sentences,
    ),
    "an emergency without a pattern": (
        lambda d: d["patterns"][0].update(emergency=True), emergency,
    ),
    "a critical entry without a flag": (
        lambda d: d["critical"].append({"analyte": "csf_glucose", "rule": "CR-GLU1", "level": "critical",
                                        "source": "service"}), critical_both_ways,
    ),
}  # fmt: skip


@pytest.mark.parametrize("defect", BREAKS)
def test_a_check_sees_what_it_is_for(core, defect):
    observations = [
        {"code": "csf_leukocytes", "value": 2, "unit": "/uL"}, {"code": "csf_protein", "value": 350, "unit": "mg/L"},
        {"code": "csf_glucose", "value": 3.6, "unit": "mmol/L"}, {"code": "csf_cytology", "value": "negative"},
        {"code": "serum_glucose", "value": 5.5, "unit": "mmol/L"},
        {"code": "csf_lactate", "value": 1.6, "unit": "mmol/L"},
    ]  # fmt: skip
    panel = {
        "patient": {"age": {"value": 35, "unit": "a"}}, "specimen": {"id": "S-1", "type": "csf", "site": "lumbar"},
        "context": {"tumor": "solid", "mri": "normal", "clinical_signs": "other"}, "observations": observations,
    }  # fmt: skip
    interpretation = core.interpret(panel_json.read_document(panel))
    document = panel_json.write(interpretation, panel_json.Envelope(panel_id=None, version=1, generated_at=None))
    document = json.loads(json.dumps(document))
    break_it, check_of_it = BREAKS[defect]
    assert not list(check_of_it(View(document)))
    break_it(document)
    assert list(check_of_it(View(document)))
