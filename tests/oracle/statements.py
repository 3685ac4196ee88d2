"""Profiles, evidence tables and the barrier grade: what is said about a panel as a whole."""

from itertools import product

from tests.oracle.knowledge import edge, limit_value
from tests.oracle.logic import FALSE, TRUE, UNKNOWN, WORDS, Truths, above, flagged, point

TYPICAL_ANSWER = {"csf_cytology_best": "csf_cytology"}  # how an input is called towards the reader


def profile_result(facts, profile):
    """Applicability, k of m, and per marker truth and agreement (profiles.md section 8)."""
    tumor = facts.word("tumor")
    applicability = "unknown" if tumor == "unknown" else "applies" if tumor == profile["tumor"] else "does_not_apply"
    markers = {}
    abnormal = evaluable = 0
    for marker in profile["markers"]:
        sides = ["L", "LL"] if marker["direction"] == "low" else ["H", "HH"]
        # A disputed claim has no direction that a value could agree with (profiles.md section 5).
        truth = UNKNOWN if marker.get("disputed") else flagged(facts, marker["id"], sides)
        agreement = {TRUE: "agrees", FALSE: "differs", UNKNOWN: "not_evaluable"}[truth]
        markers[marker["id"]] = (WORDS[truth], agreement)
        if marker.get("scored", True):
            evaluable += truth != UNKNOWN
            abnormal += truth == TRUE
    return {"applicability": applicability, "abnormal": abnormal, "evaluable": evaluable, "markers": markers}


def barrier_grade(facts):
    """mild, moderate, severe; None without barrier dysfunction, below the age of the scale, or undecided."""
    scale = next((scale for scale in facts.edition["scales"] if scale["id"] == "barrier"), None)
    if scale is None or facts.finding("barrier_dysfunction") != TRUE:
        return None
    number, unit = edge(scale["age_from"])
    if not facts.age.known or (facts.age.days if unit == "d" else facts.age.years)[0] < number:
        return None
    value = facts.quantity(scale["quantity"])
    return grade(facts, scale, value)


def grade(facts, scale, value):
    for step in scale["grades"]:
        if step.get("below") is None and step.get("at_most") is None:
            return step["word"]
        limit = limit_value(facts.edition, step.get("below", step.get("at_most")), scale["quantity"])
        beyond = above(value, point(limit), step.get("below") is not None)
        if beyond == UNKNOWN:
            return None
        if beyond == FALSE:
            return step["word"]
    return None


# Evidence tables


class Assumed:
    """The facts with some coded inputs set to other words: for bounds and "if solid"."""

    def __init__(self, facts, words):
        self.facts, self.words, self.edition = facts, words, facts.edition
        self.truths = Truths(self)

    def word(self, name):
        return self.words.get(name, self.facts.word(name))

    def is_known(self, name):
        if name not in self.words:
            return self.facts.is_known(name)
        return self.words[name] not in (None, *self.unknown_words(name))

    def __getattr__(self, name):
        return getattr(self.facts, name)


def first_row(facts, rows):
    """(winning row or None, UNKNOWN rows before it)."""
    waiting = []
    for row in rows:
        truth = facts.truths.of(row["when"])
        if truth == TRUE:
            return row, waiting
        if truth == UNKNOWN:
            waiting.append(row)
    return None, waiting


def unknown_inputs(facts, predicate):
    """Inputs of the UNKNOWN leaves that keep a predicate UNKNOWN."""
    ((kind, body),) = predicate.items()
    if facts.truths.of(predicate) != UNKNOWN:
        return set()
    if kind in ("all", "any", "first_known"):
        return set().union(*(unknown_inputs(facts, item) for item in body))
    if kind == "at_least":
        return set().union(*(unknown_inputs(facts, item) for item in body["items"]))
    if kind == "not":
        return unknown_inputs(facts, body)
    return {body["input"]} if kind == "is" else {body.get("quantity") or body.get("analyte")}


def printed(row):
    """The row's number as the tables print it: a suffix ("R08-EQ") marks a half of a cell."""
    return row["id"].split("-")[0] if row else None


def shown(names):
    return sorted(TYPICAL_ANSWER.get(name, name) for name in names)


def lm_level(facts, table):
    """The K rows: level, type, whether the type is open, provisional, the inputs that would settle it, reason.

    They read nothing but the words of the table's inputs, so the answer to the same words is kept.
    """
    words = tuple(facts.word(name) for name in table["inputs"])
    answers = facts.edition["table_answers"]
    if words not in answers:
        answers[words] = read_levels(facts, table)
    return dict(answers[words])


def read_levels(facts, table):
    row, waiting = first_row(facts, table["rows"])
    settle = set().union(*(unknown_inputs(facts, before["when"]) for before in waiting))
    level = row["answer"] if row else table["otherwise"]
    prefix = row.get("type_prefix") if row else None
    letter = (table.get("letters") or {}).get(facts.word("mri")) if facts.is_known("mri") else None
    kind = prefix + letter if prefix and letter else prefix if prefix == "I" else None
    reason = (row or {}).get("reason")
    if level == "not_applicable" and reason is None:
        reason = facts.word("tumor")
    return {
        "certainty": level, "type": kind, "type_open": bool(prefix) and letter is None,
        "provisional": bool(row) and bool(waiting), "would_settle": shown(settle), "reason": reason,
    }  # fmt: skip


def lm_result(facts, table):
    """The whole LM answer: K rows, R cell, bounds, if_solid."""
    answer = lm_level(facts, table)
    cell, _ = first_row(facts, table["cells"])
    missing = {name for name in table["inputs"] if name != "biopsy" and not facts.is_known(name)}
    answer.update(
        row=printed(cell), review=bool(cell and cell.get("review")), missing=shown(missing),
        bounds=lm_bounds(facts, table) if facts.word("tumor") == "solid" else None, if_solid=None,
    )  # fmt: skip
    if cell and cell.get("if_solid"):
        solid = Assumed(facts, {"tumor": "solid"})
        level, (solid_cell, _) = lm_level(solid, table), first_row(solid, table["cells"])
        answer["if_solid"] = {name: level[name] for name in ("certainty", "type", "provisional")}
        answer["if_solid"]["row"] = printed(solid_cell)
    return answer


def lm_bounds(facts, table):
    """Lowest and highest level over everything that the missing inputs could still say."""
    missing = [name for name in table["completions"] if not facts.is_known(name)]
    levels = set()
    for words in product(*(table["completions"][name] for name in missing)):
        levels.add(lm_level(Assumed(facts, dict(zip(missing, words, strict=True))), table)["certainty"])
    ranked = sorted(table["levels"].index(level) for level in levels if level in table["levels"])
    return (table["levels"][ranked[0]], table["levels"][ranked[-1]]) if ranked else None


def hematologic_result(facts, table):
    row, _ = first_row(facts, table["rows"])
    status = row["answer"] if row else table["otherwise"]
    return {"status": status, "row": None if status == "not_applicable" else printed(row)}


def leukemia_result(facts, table):
    """CNS1 to CNS3 (scores.md S7): the first TRUE row; provisional while an earlier row is UNKNOWN."""
    row, waiting = first_row(facts, table["rows"])
    status = row["answer"] if row else table["otherwise"]
    number = printed(row)
    return {
        "status": status, "row": int(number) if row and number != "0" else None, "reason": (row or {}).get("reason"),
        "provisional": status.startswith("CNS") and bool(waiting),
    }  # fmt: skip
