"""Cells: which analyte a code means, whether the specimen fits, the unit, the number, repeats of a code."""

import re
from fractions import Fraction

from tests.oracle.knowledge import factor, limit_value, scale
from tests.oracle.logic import INFINITY, Span, point

LOINC = "http://loinc.org"
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
COMPARED = re.compile(r"(<=|>=|<|>|≤|≥)?\s*(.*)", re.DOTALL)
SAYS_CSF = re.compile(r"\bcsf\b|spinal|liquor", re.IGNORECASE)
SPECIMEN_PROBLEMS = ("wrong_specimen_code", "specimen_ambiguous", "specimen_not_stated")
THIRDS = "{thirds}/uL"
WITHDRAWN = ("entered_in_error", "cancelled")
BLOODLIKE = ("serum", "plasma", "blood")


def read_panel(edition, document):
    """(cells, issues): one cell (dict) per observation of a known analyte; issues as a set of (code, index)."""
    issues = set()
    cells = []
    for index, observation in enumerate(document["observations"]):
        cell = identify(edition, document, index, observation, issues)
        if cell is not None:
            cells.append(cell)
    check_counterparts(edition, document, cells)
    cells = [cell for cell in cells if cell["observation"].get("status") not in WITHDRAWN]
    issues = {(code, index) for code, index in issues if document["observations"][index].get("status") not in WITHDRAWN}
    for cell in cells:
        nothing = cell["observation"].get("value") is None and not cell["observation"].get("absent_reason")
        if nothing and not cell["problem"]:
            issues.add(("value_unreadable", cell["index"]))  # no value, and no reason why
        read_cell(edition, cell)
        if cell["problem"]:
            issues.add((cell["problem"], cell["index"]))
    cells = [cell for cell in cells if cell["sent"]]
    mark_duplicates(edition, cells, issues)
    for cell in cells:
        cell_issues(edition, cell, issues)
    return cells, issues


# The code and the specimen


def identify(edition, document, index, observation, issues):
    """The cell of an observation, None if its code is not a known analyte (an issue says why)."""
    code = observation["code"]
    system, text, display = None, code, ""
    if isinstance(code, dict):
        system, text, display = code.get("system"), code.get("code"), code.get("display") or ""
    panel_specimen = (document.get("specimen") or {}).get("type")
    own = observation.get("specimen")
    cell = {
        "index": index, "observation": observation, "own": own, "display": display, "by_code": system == LOINC,
        "tube": observation.get("tube") or None, "problem": None, "surrogate": False,
        "loinc": text if system == LOINC else None, "sent": was_sent(edition, observation.get("value")),
    }  # fmt: skip
    if system is None and text in edition["analytes"]:
        cell["analyte"] = text
        cell["problem"] = own_specimen_problem(edition["analytes"][text]["specimen"], own, panel_specimen)
        return cell
    if system != LOINC:
        issues.add(("code_unknown", index))
        return None
    if not valid_loinc(text):
        issues.add(("code_invalid", index))
        return None
    return identify_loinc(edition, cell, own, panel_specimen, issues)


def identify_loinc(edition, cell, own, panel_specimen, issues):
    text = cell["loinc"]
    listed = [
        (analyte, code)
        for analyte in edition["analytes"].values()
        for code in analyte.get("loinc") or []
        if code["code"] == text and code.get("use", "accept") == "accept"
    ]
    wrong = [
        (analyte, code)
        for analyte in edition["analytes"].values()
        for code in analyte.get("wrong_codes") or []
        if code["code"] == text
    ]
    stated = own or panel_specimen
    if listed:
        fitting = [pair for pair in listed if stated in (pair[1].get("only_specimens") or [stated])]
        analyte, code = (fitting or listed)[0]
        cell["analyte"] = analyte["id"]
        cell["tube"] = cell["tube"] or code.get("tube")
        cell["surrogate"] = bool(code.get("surrogate"))
        if not fitting:
            cell["problem"] = "specimen_not_stated" if stated is None else "wrong_specimen_code"
        elif code.get("csf_stated"):
            cell["problem"] = {"csf": None, None: "specimen_not_stated"}.get(stated, "wrong_specimen_code")
        elif not code.get("only_specimens"):
            cell["problem"] = own_specimen_problem(analyte["specimen"], own, panel_specimen)
            if SAYS_CSF.search(cell["display"]) and analyte["specimen"] in BLOODLIKE:
                cell["problem"] = "wrong_specimen_code"
        return cell
    if wrong:
        analyte, code = wrong[0]
        if (own or panel_specimen) == "blood" and code.get("accept_as"):
            cell["analyte"], cell["own"] = code["accept_as"], "blood"
            return cell
        cell["analyte"], cell["problem"] = analyte["id"], "wrong_specimen_code"
        return cell
    info = {code["code"] for analyte in edition["analytes"].values() for code in analyte.get("loinc") or []}
    if text not in info | set(edition["codes_info"]):  # a code that is known but only printed is no issue
        issues.add(("code_unknown", cell["index"]))
    return None


def own_specimen_problem(specimen, own, panel_specimen):
    """A CSF analyte under a blood specimen, or a blood analyte whose own specimen is CSF: never exchanged (W3a, W4)."""
    if specimen == "csf" and (own or panel_specimen) in BLOODLIKE:
        return "wrong_specimen_code"
    if specimen in BLOODLIKE and own == "csf":
        return "wrong_specimen_code"
    return None


def check_counterparts(edition, document, cells):
    """W3b, W3c: in a CSF panel, a serum or blood LOINC without a specimen of its own needs its CSF counterpart."""
    if (document.get("specimen") or {}).get("type") in BLOODLIKE:
        return
    present = {cell["analyte"] for cell in cells if not cell["problem"]}
    for cell in cells:
        analyte = edition["analytes"][cell["analyte"]]
        if not cell["by_code"] or cell["problem"] or cell["own"] or analyte["specimen"] not in BLOODLIKE:
            continue
        if analyte.get("counterpart") not in present:
            cell["problem"] = "specimen_ambiguous"


def valid_loinc(text):
    """The mod 10 check digit of a LOINC number."""
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{1,7}-[0-9]", text):
        return False
    digits, check = text.split("-")
    backwards = digits[::-1]
    doubled = str(int(backwards[0::2]) * 2) if backwards[0::2] else ""
    total = sum(int(digit) for digit in backwards[1::2] + doubled)
    return (10 - total % 10) % 10 == int(check)


# The value


def was_sent(edition, value):
    """A pending, not performed or empty value was not sent."""
    if value is None:
        return False
    words = [str(word).lower() for word in edition["top"].get("not_sent_words") or []]
    return not (isinstance(value, str) and value.strip().lower() in ["", *words])


def read_cell(edition, cell):
    """Fill `value`, `comparator`, `span`, `word` of a cell, or its `problem`."""
    cell.update(value=None, comparator=None, span=None, word=None)
    if cell["problem"] or not cell["sent"]:
        return
    analyte = edition["analytes"][cell["analyte"]]
    if analyte["kind"] == "coded":
        cell["word"] = coded_word(analyte, cell["observation"]["value"])
        cell["problem"] = None if cell["word"] else "value_unreadable"
        return
    code, cell["problem"] = unit_code(edition, analyte, cell["observation"].get("unit"))
    if cell["problem"]:
        return
    read_number(edition, analyte, cell, code)


def coded_word(analyte, value):
    """The analyte's word for a text, None if there is no such word: never the nearest one."""
    if not isinstance(value, str):
        return None
    text = value.strip().lower()
    for entry in analyte["values"]:
        if text == entry["word"] or text in [str(synonym).lower() for synonym in entry.get("synonyms") or []]:
            return entry["word"]
    return None


def unit_code(edition, analyte, text):
    """(unit code, None) or (None, problem)."""
    text = "" if text is None else str(text).strip()
    if analyte.get("unit_required_explicit") and text in ("", "{ratio}"):
        return None, "quotient_scale_unknown"
    if not text:
        return None, "unit_missing"
    words = edition["unit_words"]
    if (analyte["id"], text) not in words:
        words[analyte["id"], text] = None if len(text) > 64 else known_code(edition, analyte, micro(text))
    code = words[analyte["id"], text]
    return (code, None) if code else (None, "unit_unknown")


def micro(text):
    return text.replace("µ", "u").replace("μ", "u")


def known_code(edition, analyte, text):
    """The accepted unit that a text means for this analyte: aliases first, then the code itself; None if none."""
    accepted = [str(code) for code in analyte["units"]]
    dimensions = {scale(edition, code)[0] for code in accepted}
    aliases = [alias for alias in edition["units"]["aliases"] if dimensions & set(alias["dimensions"])]
    exact = [alias for alias in aliases if text in seen(alias)]
    loose = [
        alias for alias in aliases if alias.get("ignore_case") and text.lower() in [s.lower() for s in seen(alias)]
    ]
    codes = [str(alias["becomes"]) for alias in exact + loose] + [text]
    if "/uL" in accepted:
        accepted.append(THIRDS)
    return next((code for code in codes if code in accepted), None)


def seen(alias):
    texts = alias["seen"] if isinstance(alias["seen"], list) else [alias["seen"]]
    return [micro(str(text)) for text in texts]


def number_text(value):
    """The text of a value as sent; None for anything but a number or a text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    return value.strip() if isinstance(value, str) else repr(value)


def read_number(edition, analyte, cell, code):
    text = number_text(cell["observation"]["value"])
    sign, rest = COMPARED.fullmatch(text).groups() if text is not None else (None, "")
    sign = {"≤": "<=", "≥": ">="}.get(sign, sign)
    sent = cell["observation"].get("comparator")
    if code == THIRDS and rest.endswith("/3"):  # "12/3" and "/3 µl" say the same: divided once
        code = "/uL"
    number = parse_number(rest, thirds_allowed(edition, analyte, code))
    if number is None or (sign and sent and sign != sent):
        cell["problem"] = "value_unreadable"
        return
    exact = number * factor(edition, code, analyte["unit"], analyte.get("molar_mass"))
    try:
        value = round(float(exact), 9) + 0.0
    except OverflowError:
        cell["problem"] = "value_unreadable"
        return
    cell["value"], cell["comparator"] = value, sign or sent
    cell["span"] = clipped(edition, analyte, value, sign or sent)
    if cell["span"] is None:
        cell["problem"] = "implausible"
    elif cell["span"].exact:  # "<=0" of a count can only be 0
        cell["comparator"] = None


def thirds_allowed(edition, analyte, code):
    """The text "12/3" is a count per uL; with a unit of another size it would contradict itself."""
    return "/uL" in analyte["units"] and scale(edition, code) == scale(edition, "/uL")


def parse_number(text, thirds):
    """The exact number of a text, None if it is not one or not finite."""
    divisor = 1
    if thirds and text.endswith("/3"):
        text, divisor = text[:-2], 3
    if not NUMBER.fullmatch(text):
        return None
    if float(text) in (INFINITY, -INFINITY):
        return None
    return Fraction(0) if float(text) == 0 else Fraction(text) / divisor


def clipped(edition, analyte, value, comparator):
    """The span that a value and its comparator state, cut to the hard bounds; None if nothing is left (implausible)."""
    spans = {
        None: point(value), "<": Span(-INFINITY, True, value, True), "<=": Span(-INFINITY, True, value, False),
        ">": Span(value, True, INFINITY, True), ">=": Span(value, False, INFINITY, True),
    }  # fmt: skip
    span = spans[comparator]
    low, high = bound(edition, analyte, "hard_low"), bound(edition, analyte, "hard_high")
    if low and (span.low < low[0] or (span.low == low[0] and not low[1])):
        span = Span(low[0], not low[1], span.high, span.high_open)
    if high and (span.high > high[0] or (span.high == high[0] and not high[1])):
        span = Span(span.low, span.low_open, high[0], not high[1])
    return None if span.empty else span


def bound(edition, analyte, name):
    """(value, inclusive) of a bound; None if there is none."""
    entry = (analyte.get("bounds") or {}).get(name)
    if entry is None:
        return None
    return limit_value(edition, entry["value"], analyte["id"]), entry.get("inclusive", True)


# Repeats and remarks


def mark_duplicates(edition, cells, issues):
    """`duplicate`: a repeat that nothing tells apart; `leads`: the cell whose value the rules read."""
    groups = {}
    for cell in cells:
        cell["duplicate"], cell["leads"] = False, False
        if cell["problem"] not in SPECIMEN_PROBLEMS:
            groups.setdefault(cell["analyte"], []).append(cell)
    for analyte, group in groups.items():
        direct = [cell for cell in group if not cell["surrogate"]]
        group = direct or group  # a surrogate code counts only where the analyte's own code is missing
        repeats = edition["analytes"][analyte].get("repeats") or "none"
        for cell in duplicates(group, repeats):
            cell["duplicate"] = True
            issues.add(("duplicate_result", cell["index"]))
        usable = [cell for cell in group if not cell["duplicate"] and not cell["problem"]]
        if repeats in ("organism", "any_positive"):
            for cell in group:
                cell["leads"] = cell in usable or cell["word"] == "positive"
        elif usable:
            max(usable, key=lambda cell: cell["tube"] or 0)["leads"] = True


def duplicates(group, repeats):
    """The cells of one analyte that are no legal repeat."""
    if len(group) == 1:
        return []
    if repeats in ("none", "any_positive"):
        return group
    if repeats == "tube":
        tubes = [cell["tube"] for cell in group]
        return group if None in tubes or len(set(tubes)) < len(tubes) else []
    targets = [organism(cell) for cell in group]
    return [cell for cell in group if targets.count(organism(cell)) > 1]


def organism(cell):
    return (cell["observation"].get("organism") or "").strip().lower()


def cell_issues(edition, cell, issues):
    """Remarks on readable cells: a soft bound, a positive result without an organism."""
    analyte = edition["analytes"][cell["analyte"]]
    if cell["span"] is not None and cell["span"].exact and cell["leads"]:
        low, high = bound(edition, analyte, "soft_low"), bound(edition, analyte, "soft_high")
        under = low and (cell["value"] < low[0] or (cell["value"] == low[0] and not low[1]))
        over = high and (cell["value"] > high[0] or (cell["value"] == high[0] and not high[1]))
        if under or over:
            issues.add(("soft_bound", cell["index"]))
    if analyte.get("needs_organism") and cell["word"] == "positive" and not organism(cell):
        issues.add(("organism_missing", cell["index"]))
