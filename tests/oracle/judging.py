"""Flags: critical rows first, then rules that withhold, then bands or the interval row of site, age and context."""

from itertools import pairwise
from typing import NamedTuple

from tests.oracle.knowledge import band_in_days, derived_entry, edge, in_days, limit_value
from tests.oracle.logic import INFINITY, TRUE, Span, overlap, point


class Verdict(NamedTuple):
    flag: str | None
    not_judged: str | None
    rule: str | None
    possible: tuple  # every flag that the value may have; None stands for "not judged"


# Interval rows


def rows_of(edition, name):
    """(rule prefix, rows) of a quantity; the rows of another analyte where the edition says so."""
    analyte = edition["analytes"].get(name)
    if analyte is not None:
        owner = analyte.get("intervals_as") or name
        return owner, edition["analytes"][owner].get("intervals") or []
    entry = derived_entry(edition, name)
    return name, (entry or {}).get("intervals") or []


def row_in_force(facts, name):
    """(row, None) or (None, reason): the one row of the patient's site, age, context and stratum."""
    _, rows = rows_of(facts.edition, name)
    if not rows:
        info = (facts.edition["analytes"].get(name) or {}).get("info")
        return None, "info_only" if info or derived_entry(facts.edition, name) else "no_interval"
    site = facts.word("site")
    rows = [row for row in rows if row["sites"] == "all" or site in row["sites"]]
    rows = [row for row in rows if not row.get("when") or facts.truths.of(row["when"]) == TRUE]
    if not rows:
        return None, "no_interval_for_site"
    if any(row.get("stratum") and facts.quantity(row["stratum"]["quantity"]) is None for row in rows):
        return None, "pair_missing"
    groups = row_by_age(facts.age, rows)
    if len(groups) != 1:
        return None, "age_too_coarse" if facts.age.known else "age_missing"
    (rows,) = groups
    if not rows:
        return None, "no_interval_for_age"
    return by_stratum(facts, rows)


def row_by_age(age, rows):
    """The distinct sets of rows (as lists) that the ages possible lead to; rows with `when` win over plain ones."""
    if age.known and age.start is None:
        return [winners([row for row in rows if age.inside(row.get("age")) == "yes"])]
    start, end = (age.start, age.end) if age.known else (0, INFINITY)
    edges = {start}
    for row in rows:
        for side in ("from", "to"):
            text = (row.get("age") or {}).get(side)
            if text and start < in_days(edge(text)) < end:
                edges.add(in_days(edge(text)))
    groups = []
    for moment in sorted(edges):
        found = winners([row for row in rows if covers(row, moment)])
        if found not in groups:
            groups.append(found)
    return groups


def covers(row, moment):
    low, high = band_in_days(row.get("age"))
    return low <= moment < high


def winners(rows):
    special = [row for row in rows if row.get("when")]
    return special or rows


def by_stratum(facts, rows):
    strata = [row for row in rows if row.get("stratum")]
    if not strata:
        assert len(rows) == 1, rows
        return rows[0], None
    quantity = strata[0]["stratum"]["quantity"]
    value = facts.quantity(quantity)
    hits = [row for row in strata if overlap(value, stratum_span(facts.edition, row["stratum"]))]
    return (hits[0], None) if len(hits) == 1 else (None, "comparator_undecided")


def stratum_span(edition, stratum):
    low = stratum.get("from")
    high = stratum.get("to")
    return Span(
        limit_value(edition, low, stratum["quantity"]) if low is not None else -INFINITY, False,
        limit_value(edition, high, stratum["quantity"]) if high is not None else INFINITY, True,
    )  # fmt: skip


def row_limit(facts, name, row, side):
    """(limit as a span, inclusive) of one side of a row; (None, ...) if not known; None if the row has no such side."""
    entry = row.get(side)
    if entry is None:
        return None
    inclusive = entry.get("inclusive", True)
    if "quantity" in entry:
        return facts.quantity(entry["quantity"]), inclusive
    if "age_line" in entry:
        years = facts.age.years  # a row with an age line is only in force where the age is known
        line = entry["age_line"]
        return point(round(line["intercept"] + years[0] / line["divisor"], 9)), inclusive
    return point(limit_value(facts.edition, entry["value"], name)), inclusive


# Verdicts


def judge(facts, name, span, suppressed=None):
    """The verdict on a quantity. `suppressed`: the not-judged word of the quality rule that withholds the flag."""
    rules = critical_rules(facts, name)
    row, reason = (None, None) if bands_of(facts, name) else row_in_force(facts, name)
    limits, reason = row_limits(facts, name, row, reason)
    breaks = {limit_value(facts.edition, rule["limit"], name) for rule in rules}
    breaks |= {limit.low for limit, _ in limits.values()} | band_edges(facts, name)

    def verdict_at(x):
        for rule in rules:
            if rule.get("flag") and triggered(facts, name, rule, x):
                return rule["flag"], None
        if suppressed:
            return None, suppressed
        if bands_of(facts, name):
            return band_at(facts, name, x)
        return (None, reason) if reason else (letter(limits, x), None)

    outcomes = {verdict_at(x) for x in samples(span, breaks)}
    rule = row_rule(facts, name, row) if row else None
    if len(outcomes) == 1:
        flag, word = outcomes.pop()
        return Verdict(flag, word, rule, (flag,))
    flags = {flag for flag, _ in outcomes}
    for side in (("H", "HH"), ("L", "LL")):
        if flags == set(side):
            return Verdict(side[0], None, rule, side)
    return Verdict(None, suppressed or reason or "comparator_undecided", rule, tuple(flags | {None}))


def row_limits(facts, name, row, reason):
    """Limits by side, and the reason why nothing can be judged by the row (limit not known, gate not TRUE)."""
    limits = {}
    for side in ("low", "high"):
        limit = row_limit(facts, name, row, side) if row else None
        if limit is None:
            continue
        if limit[0] is None:
            return {}, "pair_missing"
        limits[side] = limit
    if row and row.get("gate") and facts.truths.of(row["gate"]) != TRUE:
        reason = "info_only"
    return limits, reason


def letter(limits, x):
    if "low" in limits:
        limit, inclusive = limits["low"]
        if x < limit.low or (x == limit.low and not inclusive):
            return "L"
    if "high" in limits:
        limit, inclusive = limits["high"]
        if x > limit.low or (x == limit.low and not inclusive):
            return "H"
    return "N"


def row_rule(facts, name, row):
    """The row's id as the answer prints it, `csf_leukocytes/L5`."""
    owner, _ = rows_of(facts.edition, name)
    return row["id"] if "/" in str(row["id"]) else f"{owner}/{row['id']}"


def samples(span, breaks):
    """Points of the span that stand for all of it: its ends, the limits inside, and one point between each two."""
    if span.exact:
        return [span.low]
    low = span.low if span.low > -INFINITY else min([span.high, *breaks]) - 2
    high = span.high if span.high < INFINITY else max([span.low, *breaks]) + 2
    marks = sorted({low, high, *(mark for mark in breaks if low < mark < high)})
    between = [(one + other) / 2 for one, other in pairwise(marks)]
    return [x for x in marks + between if span.holds(x)]


# Critical rows


def critical_rules(facts, name):
    """The critical rows for a quantity at the ages possible."""
    rules = []
    for rule in facts.edition["critical"]:
        if name not in rule["analytes"] or rule.get("limit") is None:
            continue
        band = rule.get("age") or {}
        if facts.age.known:
            fits = facts.age.inside(band) != "no"
        else:
            fits = band.get("unknown", rule.get("age_unknown", False)) or not (band.get("from") or band.get("to"))
        if fits:
            rules.append(rule)
    return rules


def triggered(facts, name, rule, x):
    limit = limit_value(facts.edition, rule["limit"], name)
    return {">=": x >= limit, ">": x > limit, "<=": x <= limit, "<": x < limit}[rule["op"]]


def critical_ids(facts, name, span):
    """Ids of the critical rows that every possible value meets."""
    return {rule.get("rule") or rule["id"] for rule in critical_met(facts, name, span)}


def critical_met(facts, name, span):
    met = []
    for rule in critical_rules(facts, name):
        breaks = {limit_value(facts.edition, rule["limit"], name)}
        if all(triggered(facts, name, rule, x) for x in samples(span, breaks)):
            met.append(rule)
    return met


# Bands and words


def bands_of(facts, name):
    return (facts.edition["analytes"].get(name) or {}).get("bands") or []


def band_edges(facts, name):
    edges = set()
    for band in bands_of(facts, name):
        for key in ("from", "above", "at_most", "below"):
            if band.get(key) is not None:
                edges.add(limit_value(facts.edition, band[key], name))
    return edges


def band_at(facts, name, x):
    for band in bands_of(facts, name):
        ends = {key: limit_value(facts.edition, band[key], name) for key in ("from", "above", "at_most", "below")
                if band.get(key) is not None}  # fmt: skip
        if (
            x >= ends.get("from", x) and x <= ends.get("at_most", x)
            and ("above" not in ends or x > ends["above"]) and ("below" not in ends or x < ends["below"])
        ):  # fmt: skip
            return band.get("flag"), band.get("not_judged")
    return None, "no_interval"


def judge_word(facts, name, word, suppressed=None):
    """The verdict on a coded result."""
    for rule in critical_word_rules(facts, name, word):
        if rule.get("flag"):
            return Verdict(rule["flag"], None, None, (rule["flag"],))
    if suppressed:
        return Verdict(None, suppressed, None, (None,))
    entry = next(value for value in facts.edition["analytes"][name]["values"] if value["word"] == word)
    return Verdict(entry.get("flag"), entry.get("not_judged"), None, (entry.get("flag"),))


def critical_word_rules(facts, name, word):
    """The critical rows that a coded result meets; a first finding counts once in the patient's history."""
    history = (facts.document.get("context") or {}).get("history") or {}
    rules = [
        rule for rule in facts.edition["critical"] if name in rule["analytes"] and word in (rule.get("words") or [])
    ]
    return [rule for rule in rules if not (rule.get("first_only") and seen_before(history, name, rule["words"]))]


def seen_before(history, name, words):
    earlier = history.get(name)
    value = earlier.get("value") if isinstance(earlier, dict) else earlier
    return value in words or name in (history.get("first_finding") or {})
