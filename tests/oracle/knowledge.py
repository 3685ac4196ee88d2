"""The edition as plain dicts and lists, options applied; conversion of a number between units."""

from fractions import Fraction
from functools import cache
from pathlib import Path

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same documents, read faster where libyaml is there
# Quantities that the context sends as bare numbers, with the unit that their name states.
CONTEXT_UNITS = {
    "csf_cytology_volume_ml": "mL",
    "csf_ctc_volume_ml": "mL",
    "collection_to_processing_min": "min",
    "symptom_duration_days": "d",
    "days_since_onset": "d",
    "csf_samples_examined": "1",
    "blood_band_neutrophil_ratio_pct": "%",
}


def read(path):
    return yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)


def entries(path, key):
    """The list of a YAML file, whether it stands bare or under its key."""
    data = read(path)
    return (data[key] if isinstance(data, dict) else data) or []


def load(folder, options=()):
    """All that the oracle reads of an edition folder, the named options applied."""
    folder = Path(folder)
    findings = read(folder / "findings.yaml")
    advice = read(folder / "cautions.yaml")
    edition = {
        "top": read(folder / "edition.yaml"),
        "units": read(folder / "units.yaml"),
        "analytes": {analyte["id"]: analyte for analyte in map(read, sorted((folder / "analytes").glob("*.yaml")))},
        "derived": entries(folder / "derived.yaml", "derived"),
        "limits": {limit["id"]: limit for limit in entries(folder / "limits.yaml", "limits")},
        "critical": entries(folder / "critical.yaml", "critical"),
        "quality": entries(folder / "quality.yaml", "quality"),
        "findings": findings["findings"],
        "scales": findings.get("grade_scales") or [],
        "profiles": [read(path) for path in sorted((folder / "profiles").glob("*.yaml"))],
        "tables": {table["id"]: table for table in entries(folder / "evidence.yaml", "tables")},
        "patterns": entries(folder / "patterns.yaml", "patterns"),
        "cautions": advice["cautions"],
        "differential": advice["differential"],
        "statements": entries(folder / "statements.yaml", "liquid_biopsy"),
        "recommendations": entries(folder / "recommendations.yaml", "recommendations"),
        "codes_info": {str(code["code"]): code for code in entries(folder / "codes_info.yaml", "codes_info")},
    }
    edition["unit_scales"] = unit_scales(edition["units"])
    known = {option["id"]: option for option in entries(folder / "options.yaml", "options")}
    for name in options:
        apply_option(edition, known[name])
    edition["derived_by_id"] = {entry["id"]: entry for entry in edition["derived"]}
    edition["finding_by_id"] = {finding["id"]: finding for finding in edition["findings"]}
    edition["quality_by_id"] = {rule["id"]: rule for rule in edition["quality"]}
    items = [item for pattern in edition["patterns"] for item in pattern.get("items") or []]
    raises = [rule for pattern in edition["patterns"] for rule in pattern.get("raises") or []]
    lines = [line for pattern in edition["patterns"] for line in pattern.get("lines") or []]
    advice = [*edition["cautions"], *edition["statements"], *edition["recommendations"]]
    by_id = {}
    for entry in [*edition["findings"], *items, *raises, *advice]:
        by_id.setdefault(entry["id"], entry)  # two that share an id: the earlier one is meant
    edition["statement_by_id"] = by_id
    edition["entry_by_id"] = {entry["id"]: entry for entry in [*lines, *advice]}
    # Read once per edition: predicates as functions (logic.py), limits as numbers, answers of tables by their words.
    edition.update(compiled={}, limit_numbers={}, factors={}, table_answers={}, unit_words={})
    return edition


def apply_option(edition, option):
    """Put the option's rows in place of the default rows, for exactly the sites and ages that it states."""
    new_rows = option.get("intervals") or []
    if new_rows:
        owner = edition["analytes"].get(option["analyte"]) or derived_entry(edition, option["analyte"])
        kept = owner.get("intervals") or []
        for new in new_rows:
            kept = [piece for row in kept for piece in outside(row, new)]
        owner["intervals"] = kept + new_rows
    replaced = option.get("replaces_critical") or []
    kept = [rule for rule in edition["critical"] if not {rule["id"], rule.get("rule")} & set(replaced)]
    edition["critical"] = kept + (option.get("critical") or [])
    for limit in option.get("decision_limits") or []:
        edition["limits"][limit["id"]] = limit
    for name, constants in (option.get("constants") or {}).items():
        entry = derived_entry(edition, name)
        entry["constants"] = {**(entry.get("constants") or {}), **constants}


def outside(row, new):
    """What is left of a row outside the sites and ages of a new one. A row for a context replaces only such rows."""
    sites, new_sites = site_list(row), site_list(new)
    shared = [site for site in sites if site in new_sites]
    low, high = band_in_days(row.get("age"))
    new_low, new_high = band_in_days(new.get("age"))
    if not shared or bool(row.get("when")) != bool(new.get("when")) or new_low >= high or low >= new_high:
        return [row]
    pieces = []
    if len(shared) < len(sites):
        pieces.append({**row, "sites": [site for site in sites if site not in shared]})
    age, new_age = row.get("age") or {}, new.get("age") or {}
    if low < new_low:
        pieces.append({**row, "sites": shared, "age": {"from": age.get("from"), "to": new_age["from"]}})
    if new_high < high:
        pieces.append({**row, "sites": shared, "age": {"from": new_age["to"], "to": age.get("to")}})
    return pieces


def site_list(row):
    return ["lumbar", "ventricular", "cisternal", "unknown"] if row["sites"] == "all" else row["sites"]


def derived_entry(edition, name):
    if "derived_by_id" in edition:
        return edition["derived_by_id"].get(name)
    return next((entry for entry in edition["derived"] if entry["id"] == name), None)


def band_in_days(age):
    """The band [from, to) in days; an edge in years counts 365.25 days (only ages sent as numbers are compared so)."""
    age = age or {}
    low = edge(age.get("from"))
    high = edge(age.get("to"))
    return (in_days(low) if low else 0.0), (in_days(high) if high else float("inf"))


@cache
def edge(text):
    """`"29 d"` as (29, "d"); None for an open end."""
    if text is None:
        return None
    number, unit = str(text).split()
    return Fraction(number), unit


@cache
def in_days(age_edge):
    number, unit = age_edge
    return number if unit == "d" else number * Fraction("365.25")


# Units


def unit_scales(units):
    """Dimension and exact scale of every unit code."""
    scales = {}
    for code, entry in units["codes"].items():
        top, _, bottom = str(entry["scale"]).partition("/")
        scales[code] = entry["dimension"], Fraction(top) / Fraction(bottom or "1")
    return scales


def scale(edition, code):
    """Dimension and exact scale of a unit code, None if the edition has no such code."""
    return edition["unit_scales"].get(code)


def factor(edition, code, canonical, molar_mass=None):
    """What to multiply a number in `code` with to get `canonical`; None if the units do not convert."""
    factors = edition["factors"]
    if (code, canonical, molar_mass) not in factors:
        factors[code, canonical, molar_mass] = calculated_factor(edition, code, canonical, molar_mass)
    return factors[code, canonical, molar_mass]


def calculated_factor(edition, code, canonical, molar_mass):
    one, other = scale(edition, code), scale(edition, canonical)
    if one is None or other is None:
        return None
    if one[0] == other[0]:
        return one[1] / other[1]
    molar = edition["units"].get("molar_dimensions") or {}
    if molar_mass is None:
        return None
    entry = edition["units"]["molar_masses"][molar_mass]
    mass = Fraction(str(entry["value"] if isinstance(entry, dict) else entry))
    if molar.get(one[0]) == other[0]:
        return one[1] / mass / other[1]
    if molar.get(other[0]) == one[0]:
        return one[1] * mass / other[1]
    return None


def quantity_unit(edition, name):
    """Canonical unit and molar mass key of any quantity that a rule may compare."""
    if name in edition["analytes"]:
        return edition["analytes"][name].get("unit"), edition["analytes"][name].get("molar_mass")
    entry = derived_entry(edition, name)
    return (entry["unit"], None) if entry else (CONTEXT_UNITS[name], None)


def limit_value(edition, text, quantity):
    """`"3.5 mmol/L"` (or a bare number) as a number in the canonical unit of `quantity`, rounded once to 9 decimals."""
    numbers = edition["limit_numbers"]
    if (text, quantity) not in numbers:
        numbers[text, quantity] = parsed_limit(edition, text, quantity)
    return numbers[text, quantity]


def parsed_limit(edition, text, quantity):
    if isinstance(text, (int, float)):
        return round(float(text), 9)
    number, _, code = str(text).strip().partition(" ")
    canonical, molar_mass = quantity_unit(edition, quantity)
    if not code or code == canonical:
        return round(float(Fraction(number)), 9)
    return round(float(Fraction(number) * factor(edition, code, canonical, molar_mass)), 9)
