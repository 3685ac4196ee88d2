"""Formulas of derived.yaml, written from barrier_and_intrathecal.md and preanalytics_and_blood.md.

Nothing is rounded inside a chain of formulas; every quantity is rounded once, to 9 decimals, when it is stored.
"""

import math


def pair_quotient(csf, serum, *, scale=1, **_):
    return scale * csf / serum


def index(quotient, albumin_quotient, **_):
    return quotient / albumin_quotient


def hyperbola(albumin_quotient, *, a_over_b, b_squared, c, **_):
    return a_over_b * math.sqrt(albumin_quotient * albumin_quotient + b_squared) - c


def intrathecal_pct(quotient, limit, **_):
    return (1 - limit / quotient) * 100 if round(quotient, 9) > round(limit, 9) else 0.0


def local_synthesis(quotient, limit, serum, **_):
    return (quotient - limit) * serum if round(quotient, 9) > round(limit, 9) else 0.0


def leukocytes_corrected(white, red, blood_white, blood_red, *, ratio, from_erythrocytes, to_erythrocytes, **_):
    if not from_erythrocytes <= red <= to_erythrocytes:
        return None
    added = red / ratio if blood_white is None or blood_red is None else blood_white * red / blood_red
    return max(0.0, white - added)


def protein_corrected(protein, red, *, per_1000, from_erythrocytes, to_erythrocytes, **_):
    if not from_erythrocytes <= red <= to_erythrocytes:
        return None
    return max(0.0, protein - per_1000 * red / 1000)


def product_pct(count, percent, **_):
    return count * percent / 100


def absolute_difference(first, second, **_):
    return abs(first - second)


def relative_difference_pct(first, second, **_):
    if second == 0:
        return 0.0 if first == 0 else 100.0
    return abs(first - second) / second * 100


def double_ratio(white, red, blood_white, blood_red, **_):
    return (white / red) / (blood_white / blood_red)


def cea_index(csf, serum, albumin_quotient, *, scale=1000, **_):
    return scale * csf / serum / albumin_quotient


def differential_sum(*percents, **_):
    sent = [percent for percent in percents if percent is not None]
    return sum(sent) if sent else None


FUNCTIONS = {
    "pair_quotient": pair_quotient, "kappa_quotient": pair_quotient, "glucose_ratio": pair_quotient, "index": index,
    "hyperbola": hyperbola, "intrathecal_pct": intrathecal_pct, "local_synthesis": local_synthesis,
    "leukocytes_corrected": leukocytes_corrected, "protein_corrected": protein_corrected, "product_pct": product_pct,
    "absolute_difference": absolute_difference, "relative_difference_pct": relative_difference_pct,
    "double_ratio": double_ratio, "cea_index": cea_index, "differential_sum": differential_sum,
}  # fmt: skip
MAY_MISS = {"leukocytes_corrected": (2, 3), "differential_sum": range(100)}  # arguments that may be missing


def calculate(entry, numbers):
    """The value of one derived entry from the unrounded numbers known so far; None if it cannot be calculated."""
    function = FUNCTIONS.get(entry["function"])
    if function is None:
        return None
    arguments = [numbers.get(name) for name in entry["inputs"]]
    needed = [n for position, n in enumerate(arguments) if position not in MAY_MISS.get(entry["function"], ())]
    if None in needed:
        return None
    constants = {name: float(number) for name, number in (entry.get("constants") or {}).items()}
    try:
        value = function(*arguments, **constants)
    except (ZeroDivisionError, OverflowError):
        return None
    return value if value is not None and math.isfinite(value) else None
