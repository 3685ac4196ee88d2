"""Patterns of values (patterns.md section 1): items, grades by ER3, ER4 and ER12, reasons, what is printed."""

from tests.oracle.logic import FALSE, TRUE, UNKNOWN, WORDS, at_least

ORDER = ("does_not_fit", "partly_fits", "fits", "established")
TRUTH = {"established": "true", "fits": "true", "partly_fits": "true", "does_not_fit": "false"}


def pattern_grade(facts, pattern):
    """(grade, reason why a pattern that does not fit stays open)."""
    items = {item["id"]: facts.statement(item["id"]) for item in pattern["items"]} if pattern.get("items") else {}
    of_kind = {}
    for item in pattern.get("items") or []:
        of_kind.setdefault(item["kind"], []).append(items[item["id"]])
    if TRUE in of_kind.get("decisive", []):
        return "established", None
    grade = by_rule(facts, pattern) if pattern.get("when") else by_core(pattern, items, of_kind)
    for rule in pattern.get("raises") or []:
        if facts.statement(rule["id"]) == TRUE and (
            grade == "not_evaluable" or ORDER.index(grade) < ORDER.index(rule["grade"])
        ):
            grade = rule["grade"]
    if grade == "does_not_fit":  # ER12
        for door in pattern.get("open_if") or []:
            if facts.truths.of(door["when"]) == TRUE:
                return "not_evaluable", door["reason"]
    return grade, None


def by_rule(facts, pattern):
    truth = facts.truths.of(pattern["when"])
    return {TRUE: "fits", FALSE: "does_not_fit", UNKNOWN: "not_evaluable"}[truth]


def by_core(pattern, items, of_kind):
    required = [items[name] for name in pattern.get("required") or []]
    if FALSE in required:
        return "does_not_fit"
    if UNKNOWN in required:
        return "not_evaluable"
    core = of_kind["core"]
    partly = pattern.get("partly", True)
    k = pattern["k"] if partly else len(core)
    enough = at_least(core, k)
    grade = {TRUE: "partly_fits", FALSE: "does_not_fit", UNKNOWN: "not_evaluable"}[enough]
    if core.count(TRUE) == len(core):
        grade = "fits"
    if TRUE in of_kind.get("counter_major", []):  # ER4
        lowered = {"fits": "partly_fits" if partly else "does_not_fit", "partly_fits": "does_not_fit"}
        grade = lowered.get(grade, grade)
    return grade


def at_least_grade(grade, word):
    """TRUE from this grade on; a pattern that is not evaluable may still be anything."""
    if grade == "not_evaluable":
        return UNKNOWN
    return TRUE if ORDER.index(grade) >= ORDER.index(word) else FALSE


def pattern_answers(facts):
    """Per pattern, in print order (ER6: established first, then by urgency as the edition lists them): grade, truth,
    reason, whether it is printed, item truths, obligatory lines."""
    answers = {}
    for pattern in sorted(facts.edition["patterns"], key=lambda one: facts.grades[one["id"]][0] != "established"):
        grade, reason = facts.grades[pattern["id"]]
        items = pattern.get("items") or []
        truths = {item["id"]: WORDS[facts.statement(item["id"])] for item in items}
        counters = [truths[item["id"]] for item in items if item["kind"] == "counter_major"]
        answers[pattern["id"]] = {
            "grade": grade, "truth": TRUTH.get(grade, "unknown"), "reason": reason, "items": truths,
            "shown": not pattern.get("shown_if") or facts.truths.of(pattern["shown_if"]) == TRUE,
            "emergency": grade in (pattern.get("emergency") or []),
            "discordant": grade == "established" and "true" in counters,
            "lines": facts.printed(pattern.get("lines") or []),
        }  # fmt: skip
    return answers
