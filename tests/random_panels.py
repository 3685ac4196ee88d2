"""Seeded random panels for the oracle tests: every analyte, odd units, comparators, edges, contexts, times, nonsense.

`random_panel(seed)` is deterministic and always a readable document of the contract with at least one CSF analyte; what
is wrong in it are cells. Limits, codes and units to play with are taken from the edition's YAML. No patient is real.
"""

import json
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cache
from pathlib import Path
from random import Random

import yaml

from csfinterp.model import context as words

EDITION = Path(__file__).resolve().parents[1] / "reference_ranges" / "2026.1"
LOINC = "http://loinc.org"
# Organism texts with the class that a sender would give; some panels send another class, or none.
ORGANISM_CLASS = {
    "Listeria monocytogenes": "bacterial", "Staphylococcus epidermidis": "bacterial", "gram-positive": "bacterial",
    "Mycobacterium tuberculosis": "mycobacterial", "Enterovirus": "viral", "HSV-1": "viral", "EBV": "viral",
    "HHV-6": "viral", "Cryptococcus neoformans": "fungal", "Yeast cells": "fungal", "Toxoplasma gondii": "parasitic",
    "not identified": "unknown",
}  # fmt: skip
ORGANISMS = tuple(ORGANISM_CLASS)
PLATFORMS = ("CellSearch", "cellsearch", "EpCAM immunoflow", "epcam_immunoflow", "CNSide", "other", "")
VARIANTS = (("ERBB2", "p.V777L"), ("MYD88", "p.L265P"), ("MYD88", "L265P"), ("MYD88", "p.S219C"), ("EGFR", None))
DIAGNOSES = ("acute_lymphoblastic_leukemia", "acute_lymphoblastic_leukemia", "lymphoma", "myeloma", "leukemia", "")
PRIMARIES = ("breast", "lung", "melanoma", "breast cancer", "")
EDGE_DAYS = (
    0, 1, 2, 3, 6, 7, 10, 11, 14, 15, 27, 28, 29, 30, 42, 43, 56, 57, 59, 60, 61, 90, 91, 119, 120, 182, 183, 364,
)  # fmt: skip
EDGE_YEARS = (1, 4, 5, 9, 10, 11, 12, 15, 18, 19, 35, 40, 41, 50, 60, 64, 70, 80, 90, 95)
ODD_TEXTS = (
    "1_000", "٣٤", "1,5", "1 000", "1e400", "-1e400", "NaN", "inf", "0x10", "abc", "", "--5", "1.2.3", "5 mg/L",
    "12/4", "12/3/3", "≤5", "~5", "5-8", "1e3", "+4", " 4 ", "4.0", "1.50", "0", "-1", "-0", "<0", "<", "1e-400",
    "100000000", "1E2", "12/3", "13/3", "<12/3", "< 5", ">=30", "<=4", ">1000", "1'000", "０", "pending",
    "not performed", "5e", "3.", ".5",
)  # fmt: skip
ODD_UNITS = (
    None, "", "foo", "{ratio}", "{index}", "mg/dl", "MPt/L", "G/L", "cells/mm3", "Cells/uL", "/3 µl", "Drittelzellen",
    "mg%", "g%", "mval/L", "IU/L", "10e-3", "x 0,001", "mmHg", "cm CSF", "AU", "mAU", "T/L", "K/uL", "mg/100 ml",
    "umol/l", "µmol/l", "μmol/L", " mg/L ", "MG/L", "1", "%", "[ppth]", "x" * 70, "kPa", "mg", "L", "/cmm", "gm/dL",
    "mcg/mL", "10E6/L", "giga.l-1",
)  # fmt: skip
ODD_WORDS = (
    "POSITIVE", " negative ", "Positiv", "no growth", "not seen", "pending", "type 2", "unclear", "", "negativ",
    "TYPE_2",
)  # fmt: skip


@cache
def analytes():
    """The edition's analyte files as dicts, sorted by id."""
    return [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((EDITION / "analytes").glob("*.yaml"))]


@cache
def unit_scales():
    codes = yaml.safe_load((EDITION / "units.yaml").read_text(encoding="utf-8"))["codes"]
    scales = {}
    for code, entry in codes.items():
        top, _, bottom = str(entry["scale"]).partition("/")
        scales[str(code)] = (entry["dimension"], Fraction(top) / Fraction(bottom or "1"))
    return scales


@cache
def marks():
    """Per analyte the limits of its rows, bounds and critical rules as (number text, unit) pairs."""
    found = {analyte["id"]: [] for analyte in analytes()}

    def note(name, text):
        if isinstance(text, str) and name in found:
            number, _, unit = text.partition(" ")
            found[name].append((Fraction(number), unit))

    for analyte in analytes():
        for row in analyte.get("intervals") or []:
            for side in ("low", "high"):
                note(analyte["id"], (row.get(side) or {}).get("value"))
        for bound in (analyte.get("bounds") or {}).values():
            note(analyte["id"], bound.get("value") if isinstance(bound, dict) else None)
    for rule in yaml_list("critical.yaml"):
        for name in rule["analytes"]:
            note(name, rule.get("limit"))
    for limit in yaml_list("limits.yaml"):
        note(limit["quantity"], limit["limit"])
    for number in (0, 1, 500, 501, 1000, 5000, 5001, 10000, 10001):
        found["csf_erythrocytes"].append((Fraction(number), "/uL"))
    for number in ("0.9", "1", "0"):  # cut-offs of two platforms
        found["csf_ctc"].append((Fraction(number), "/mL"))
    found["csf_nucleated_cells"] += found["csf_leukocytes"]
    return found


def yaml_list(name):
    data = yaml.safe_load((EDITION / name).read_text(encoding="utf-8"))
    return next(iter(data.values())) if isinstance(data, dict) else data


# What a value usually is, in the analyte's canonical unit (plausible adult span; nothing clinical rests on it).
USUAL = {
    "csf_leukocytes": (0, 60), "csf_nucleated_cells": (0, 60), "csf_erythrocytes": (0, 12000),
    "csf_protein": (100, 3000),
    "csf_glucose": (0.5, 8), "serum_glucose": (2, 15), "csf_lactate": (0.5, 8), "csf_albumin": (50, 900),
    "serum_albumin": (20, 60), "csf_igg": (2, 200), "serum_igg": (4, 20), "csf_iga": (0.1, 30), "serum_iga": (0.5, 4),
    "csf_igm": (0.02, 20), "serum_igm": (0.3, 3), "csf_kappa_flc": (0.05, 5), "serum_kappa_flc": (5, 30),
    "albumin_quotient": (1, 40),
    "glucose_ratio": (0.1, 1.3), "igg_index": (0.3, 1.5), "kappa_index": (1, 100), "blood_leukocytes": (2000, 20000),
    "blood_erythrocytes": (2500000, 6000000), "blood_neutrophils": (1000, 15000), "csf_opening_pressure": (4, 40),
    "csf_bilirubin_absorbance": (0, 0.02), "csf_ctc": (0, 10),
}  # fmt: skip
QUIET = {
    "csf_leukocytes": (0, 12), "csf_nucleated_cells": (10, 14), "csf_erythrocytes": (0, 20), "csf_protein": (900, 1500),
    "csf_neutrophils_pct": (0, 60), "csf_lymphocytes_pct": (20, 60), "csf_monocytes_pct": (5, 40),
    "csf_eosinophils_pct": (0, 1), "csf_plasma_cells_pct": (0, 1), "csf_blasts_pct": (0, 1),
}  # fmt: skip


def random_panel(seed):
    """The panel document of this seed: anything at all, a quiet sample, or values that belong to one another."""
    rng = Random(seed)
    kind = rng.choices(("any", "quiet", "coherent"), (5, 2, 3))[0]
    specimen = random_specimen(rng, seed) if kind == "any" else plain_specimen(rng, seed)
    collected = specimen.get("collected_at")
    document = {
        "source": {"system": "RANDOM", "message_id": f"RND-{seed}"},
        "patient": random_patient(rng, seed, collected or specimen.get("received_at")),
        "specimen": specimen,
        "status": rng.choice(("final", "final", "preliminary", "corrected")),
        "context": random_context(rng),
    }
    if kind == "any":
        document["observations"] = random_observations(rng, collected)
    else:  # a fresh sample of a known age, everything readable: whole profiles, findings and patterns are reached
        document["observations"] = quiet_observations(rng) if kind == "quiet" else coherent_observations(rng)
        age = {"value": rng.choice(EDGE_YEARS), "unit": "a"}
        if rng.random() < 0.1:
            age = {"value": rng.choice(EDGE_DAYS), "unit": "d"}
        document["patient"] = {"id": f"RND-{seed % 977}", "age": age}
    return json.loads(json.dumps(document))


# Patient, specimen, context


def random_patient(rng, seed, collected):
    patient = {"id": f"RND-{seed % 977}", "sex": rng.choice(words.SEXES)}
    kind = rng.random()
    if kind < 0.45:
        day = date.fromisoformat((collected or "2026-03-01")[:10])
        patient["birth_date"] = birth_date(rng, day).isoformat()
    elif kind < 0.85:
        unit = rng.choice(("a", "a", "a", "mo", "wk", "d"))
        pools = {"a": (0, *EDGE_YEARS), "mo": range(0, 30), "wk": range(0, 20), "d": EDGE_DAYS}
        patient["age"] = {"value": rng.choice(pools[unit]), "unit": unit}
        if rng.random() < 0.05 and unit in ("a", "d"):
            patient["age"]["value"] += 0.5
    return patient


def birth_date(rng, day):
    kind = rng.random()
    if kind < 0.4:
        return day - timedelta(days=rng.choice(EDGE_DAYS))
    if kind < 0.45:
        return date(rng.choice((1960, 2004, 2012, 2020, 2024)), 2, 29)
    year = day.year - rng.choice(EDGE_YEARS)
    month, number = (3, 1) if (day.month, day.day) == (2, 29) else (day.month, day.day)
    return date(year, month, number) + timedelta(days=rng.choice((-1, 0, 0, 1, 200)))


def clock(rng, when, minutes=0):
    when = when + timedelta(minutes=minutes)
    return rng.choice(
        (f"{when.isoformat()}+01:00",) * 8 + (f"{(when - timedelta(hours=1)).isoformat()}Z", when.date().isoformat())
    )


def random_specimen(rng, seed):
    specimen = {"id": f"RND-CSF-{seed}", "site": rng.choice(("lumbar",) * 6 + words.SITES)}
    when = datetime(
        rng.choice((2024, 2025, 2026)), rng.choice((1, 2, 3, 12)), rng.choice((1, 28)), rng.choice((1, 9, 23)), 20
    )
    if rng.random() < 0.8:
        specimen["collected_at"] = clock(rng, when)
    if rng.random() < 0.6:
        specimen["received_at"] = clock(rng, when, rng.choice((0, 30, 60, 61, 120, 121, 300, 1440, 1441, 3000, -30)))
    if rng.random() < 0.85:
        specimen["type"] = rng.choice(("csf",) * 60 + ("serum", "blood"))
    if rng.random() < 0.3:
        specimen["position"] = rng.choice(words.POSITIONS)
    if rng.random() < 0.2:
        specimen["condition"] = rng.sample(words.CONDITIONS, rng.choice((1, 1, 2)))
    if rng.random() < 0.3:
        specimen["volume"] = {"value": rng.choice((2, 4.9, 5, 8, 10, 10.5, 12)), "unit": "mL"}
    if rng.random() < 0.2:
        specimen["tube"] = rng.choice((1, 3, 4))
    if rng.random() < 0.2:
        specimen["tube_count"] = rng.choice((1, 3, 4))
    if rng.random() < 0.1:
        specimen["puncture_number"] = rng.choice((1, 2))
    return specimen


def plain_specimen(rng, seed):
    return {"id": f"RND-CSF-{seed}", "type": "csf", "site": rng.choice(("lumbar",) * 9 + ("ventricular",))}


def random_context(rng):
    context = {}
    if rng.random() < 0.85:
        tumor = rng.choice(words.CODED_CONTEXT["tumor"])
        context["tumor"] = random_tumor(rng, tumor) if rng.random() < 0.5 else tumor
    for name, options in words.CODED_CONTEXT.items():
        share = 0.7 if name in ("clinical_signs", "mri", "biopsy", "question") else 0.1
        share = 0.3 if name in ("csf_flow_panel", "her2_status") else share
        if name != "tumor" and rng.random() < share:
            context[name] = rng.choice(options)
    for name in words.YES_NO_CONTEXT:
        if rng.random() < 0.12:
            context[name] = rng.choice((True, True, False, None))
    for name in words.NUMBER_CONTEXT:
        if rng.random() < 0.08:
            context[name] = rng.choice((0.5, 1, 4, 4.9, 5, 7, 10, 12, 30, 31, 45))
    if context.get("csf_samples_examined"):
        context["csf_samples_examined"] = rng.choice((1, 1, 2, 3))
    texts = {"csf_ctc_platform": PLATFORMS, "driver_alteration": ("EGFR L858R", "EGFR L858R", ""), "episode": ("E1",)}
    for name in words.TEXT_CONTEXT:
        if rng.random() < (0.4 if name == "csf_ctc_platform" else 0.1):
            context[name] = rng.choice(texts[name])
    if rng.random() < 0.2:
        context["stated"] = rng.sample(words.STATED_WORDS, rng.choice((1, 2, 3, 6)))
    if rng.random() < 0.15:
        context["history"] = random_history(rng)
    return context


def random_tumor(rng, tumor):
    """The class with its texts; some diagnoses and primaries are words that rules read."""
    texts = {"class": tumor}
    if rng.random() < 0.7:
        texts["primary"] = rng.choice(PRIMARIES)
    if rng.random() < 0.4:
        texts["diagnosis"] = rng.choice(DIAGNOSES)
    return texts


def random_history(rng):
    cytology = rng.choice(("positive", "suspicious", "atypical", "negative", "nondiagnostic"))
    source = {"panel_id": "P-1", "collected_at": "2024-01-05"}
    history = {} if rng.random() < 0.2 else {"csf_cytology": {"value": cytology, **source}}
    if rng.random() < 0.4:
        history["csf_samples_examined"] = rng.choice((1, 2, 3))
    if rng.random() < 0.3:
        history["albumin_quotient"] = {"value": 12.5, **source}
    if rng.random() < 0.3:
        found = rng.sample(("csf_cytology", "csf_flow_cytometry", "csf_blasts_pct"), rng.choice((1, 2)))
        history["first_finding"] = {name: source for name in found}
    return history


# Observations


def random_observations(rng, collected):
    density = rng.choice((0.08, 0.2, 0.4, 0.6, 0.9))
    clean = rng.random() < 0.4  # a panel without odd cells, so that whole findings and profiles can be reached
    chosen = [analyte for analyte in analytes() if rng.random() < density]
    first = rng.choice(("csf_leukocytes", "csf_protein", "csf_cytology"))
    csf = next(analyte for analyte in analytes() if analyte["id"] == first)
    observations = []
    for analyte in [csf, *[analyte for analyte in chosen if analyte is not csf]]:
        observations.append(random_observation(rng, analyte, collected, clean))
        if rng.random() < (0.01 if clean else 0.04):
            observations += repeats(rng, analyte, observations[-1], collected)
    if not clean and rng.random() < 0.2:
        observations.append(foreign_observation(rng))
    rng.shuffle(observations)
    return observations


def quiet_observations(rng):
    """One observation per chosen analyte, in its own unit; few cells and little blood as in most samples."""
    density = rng.choice((0.3, 0.7, 1.0))
    chosen = [a for a in analytes() if a["id"] == "csf_leukocytes" or rng.random() < density]
    observations = []
    for analyte in chosen:
        observation = {"code": analyte["id"]}
        if analyte["kind"] == "coded":
            fill_coded(rng, analyte, observation, True)
        else:
            low, high = QUIET.get(analyte["id"]) or USUAL.get(analyte["id"], (0, 100))
            number = Fraction(rng.randint(int(low * 100), int(high * 100)), 100)
            observation.update(value=decimal(number), unit=analyte["unit"])
        observations.append(observation)
    return observations


RARE = (
    "csf_blasts_pct", "csf_ctc", "csf_cea", "csf_ada", "csf_eosinophils_pct", "csf_plasma_cells_pct", "csf_il10",
    "csf_opening_pressure", "csf_bilirubin_absorbance", "csf_cxcl13", "serum_cea", "csf_neutrophils",
)  # fmt: skip
UNREMARKABLE = ("negative", "not_detected", "type_1", "clear")


def coherent_observations(rng):
    """Values that go together as in one disease or another, so that patterns fit, partly fit and are countered."""
    kind = rng.choice(("any", "any", "any", "calm", "normal", "chronic"))
    values = coherent_values(rng)
    if kind in ("normal", "chronic"):
        values |= normal_values(rng)
    if kind == "chronic":
        values |= {"csf_leukocytes": rng.randint(0, 50), "csf_igg": 90, "csf_kappa_flc": 2}
    observations = []
    for analyte in analytes():
        name = analyte["id"]
        seldom = name in RARE or (analyte["kind"] == "coded" and name != "csf_oligoclonal_bands")
        if name != "csf_leukocytes" and rng.random() < (0.75 if seldom else 0.1):
            continue
        observation = {"code": name}
        if analyte["kind"] == "coded":
            fill_coded(rng, analyte, observation, True)
            words_of = [value["word"] for value in analyte["values"]]
            if kind != "any" and rng.random() < 0.9:
                observation["value"] = next(word for word in words_of if word in UNREMARKABLE)
            if kind == "chronic" and name == "csf_oligoclonal_bands":
                observation["value"] = rng.choice(("type_2", "type_3"))
        elif name in values:
            observation.update(value=values[name], unit=analyte["unit"])
        else:
            continue
        observations.append(observation)
    return observations


def coherent_values(rng):
    """One number per analyte; the parts of a differential and of a pair belong to one another."""
    cells = rng.choice((rng.randint(0, 4), rng.randint(5, 60), rng.randint(50, 600), rng.randint(900, 3000)))
    neutrophils = rng.choice((0, rng.randint(0, 30), rng.randint(20, 60), rng.randint(51, 95)))
    lymphocytes = round((100 - neutrophils) * rng.choice((0.5, 0.8, 0.9, 1.0)))
    serum_glucose = rng.choice((4.5, 5.5, 6.5, 9.0))
    ratio = rng.choice((0.2, 0.35, 0.4, 0.45, 0.55, 0.62, 0.7))
    albumin = rng.choice((35, 40, 45))
    barrier = rng.choice((rng.randint(3, 6), rng.randint(6, 20), rng.randint(20, 60)))
    return {
        "csf_leukocytes": cells, "csf_neutrophils_pct": neutrophils, "csf_lymphocytes_pct": lymphocytes,
        "csf_monocytes_pct": 100 - neutrophils - lymphocytes, "csf_neutrophils": round(cells * neutrophils / 100),
        "csf_erythrocytes": rng.choice((0, 0, 0, 40, 700, 1500, 2500, 6000)),
        "csf_protein": rng.choice((rng.randint(150, 450), rng.randint(450, 1000), rng.randint(1000, 6000), 12000)),
        "serum_glucose": serum_glucose, "csf_glucose": round(serum_glucose * ratio, 3),
        "csf_lactate": rng.choice((1.4, 1.8, 2.2, 2.8, 3.4, 3.5, 4.2, 8.0)),
        "serum_albumin": albumin, "csf_albumin": barrier * albumin,
        "serum_igg": 10, "csf_igg": round(barrier * 10 * rng.choice((0.4, 0.5, 0.9, 2)), 3),
        "serum_iga": 2, "csf_iga": round(barrier * 2 * rng.choice((0.25, 0.3, 0.4, 1)), 3),
        "serum_igm": 1, "csf_igm": round(barrier * rng.choice((0.1, 0.15, 0.2, 1)), 3),
        "serum_kappa_flc": 12, "csf_kappa_flc": rng.choice((0.1, 0.4, 2)),
        "blood_leukocytes": 8000, "blood_erythrocytes": 4_000_000,
        "csf_blasts_pct": rng.choice((0, 0, 3, 40)), "csf_ctc": rng.choice((0, 0.9, 0.95, 1, 3)),
        "csf_cea": rng.choice((1, 4.9, 5, 20)), "serum_cea": 3, "csf_ada": rng.choice((4, 12)),
        "csf_eosinophils_pct": rng.choice((0, 0, 4, 10)), "csf_plasma_cells_pct": rng.choice((0, 0, 2)),
        "csf_opening_pressure": rng.choice((12, 18, 30)), "csf_bilirubin_absorbance": rng.choice((0.001, 0.007, 0.02)),
        "csf_cxcl13": rng.choice((20, 200)), "csf_il10": rng.choice((2, 40)),
    }  # fmt: skip


def normal_values(rng):
    """The same for an adult without any abnormality, but for one value in some of them."""
    albumin = rng.choice((35, 40, 45))
    return {
        "csf_leukocytes": rng.randint(0, 4), "csf_neutrophils_pct": 0, "csf_lymphocytes_pct": 70,
        "csf_monocytes_pct": 30, "csf_neutrophils": 0, "csf_erythrocytes": 0, "csf_protein": rng.choice((300, 400)),
        "serum_glucose": 5.5, "csf_glucose": 3.6, "csf_lactate": rng.choice((1.4, 1.8, 1.8, 4.2)),
        "serum_albumin": albumin, "csf_albumin": albumin * rng.choice((3, 4, 4, 12)),
        "csf_igg": 16, "csf_iga": 2, "csf_igm": 0.3, "csf_kappa_flc": 0.1, "csf_blasts_pct": 0, "csf_ctc": 0,
        "csf_cea": 1, "csf_ada": 4, "csf_eosinophils_pct": 0, "csf_plasma_cells_pct": 0, "csf_opening_pressure": 12,
        "csf_bilirubin_absorbance": 0.001, "csf_cxcl13": 20, "csf_il10": 2,
    }  # fmt: skip


def repeats(rng, analyte, first, collected):
    """Further results of the same analyte: tubes, organisms, or plain duplicates."""
    again = random_observation(rng, analyte, collected, True)
    kind = analyte.get("repeats")
    if kind == "tube" and rng.random() < 0.8:
        first["tube"], again["tube"] = rng.sample((1, 2, 3, 4), 2)
    if kind == "organism" and rng.random() < 0.8:
        first["organism"], again["organism"] = rng.sample(ORGANISMS, 2)
    return [again]


FOREIGN_LOINC = (
    "26464-8", "26453-1", "600-7", "29257-8", "26465-6", "-56064", "718-7", "26506-6", "2352-3", "55230-7", "69548-6",
)  # fmt: skip


def foreign_observation(rng):
    """A code that is no analyte, a wrong-specimen code, or one that cannot be valid."""
    local = ("LOCAL-1", "csf_unknown", {"system": "urn:lab:x", "code": "WBC"})
    code = rng.choice((*local, *({"system": LOINC, "code": number} for number in FOREIGN_LOINC)))
    observation = {"code": code, "value": rng.choice((5, "12", "positive", 30)), "unit": "/uL"}
    if rng.random() < 0.3:
        observation["specimen"] = rng.choice(words.SPECIMENS)
    return observation


def random_observation(rng, analyte, collected, clean):
    observation = {"code": random_code(rng, analyte)}
    if analyte["kind"] == "coded":
        fill_coded(rng, analyte, observation, clean)
    else:
        fill_quantity(rng, analyte, observation, clean)
    if rng.random() < 0.3:
        own = "csf" if analyte["specimen"] in ("csf", "patient", "csf_and_serum") else analyte["specimen"]
        observation["specimen"] = rng.choice((own,) * 20 + ((own,) if clean else words.SPECIMENS))
    add_details(rng, analyte, observation, collected, clean)
    return observation


def random_code(rng, analyte):
    codes = [code["code"] for code in analyte.get("loinc") or []]
    if not codes or rng.random() < 0.6:
        return analyte["id"]
    code = {"system": LOINC, "code": rng.choice(codes)}
    if rng.random() < 0.15:
        code["display"] = rng.choice((analyte["name"], "Result in Cerebral spinal fluid", "Glucose CSF", "some text"))
    return code


def add_details(rng, analyte, observation, collected, clean):
    if analyte["specimen"] in ("serum", "plasma", "blood") and rng.random() < 0.6 and collected and "T" in collected:
        when = datetime.fromisoformat(collected.replace("Z", "+00:00")).replace(tzinfo=None)
        gap = rng.choice((0, 0, 10, 30)) if clean else rng.choice((0, 30, 470, 480, 481, 600, 1500, -300))
        observation["collected_at"] = clock(rng, when, gap)
    if analyte.get("repeats") == "tube" and collected and "T" in collected and rng.random() < 0.3:
        when = datetime.fromisoformat(collected.replace("Z", "+00:00")).replace(tzinfo=None)
        observation["analyzed_at"] = clock(rng, when, rng.choice((10, 45, 60, 61, 120, 121, 1440, 1441, -5)))
    if rng.random() < 0.1:
        observation["method"] = rng.choice(("nephelometry", "Nephelometry", "turbidimetry"))
    if rng.random() < 0.03:
        observation["status"] = rng.choice(("entered_in_error", "final", "preliminary", "corrected"))
    if rng.random() < 0.05:
        observation["laboratory_flag"], observation["laboratory_range"] = rng.choice(("H", "HH", "N", "L")), "0-4"


def fill_coded(rng, analyte, observation, clean):
    options = [str(value["word"]) for value in analyte["values"]]
    observation["value"] = rng.choice(options)
    if not clean and rng.random() < 0.1:
        observation["value"] = rng.choice((*ODD_WORDS, None))
    if analyte.get("needs_organism") and rng.random() < 0.7:
        observation["organism"] = rng.choice(ORGANISMS)
        if rng.random() < 0.7:
            usual = ORGANISM_CLASS[observation["organism"]]
            observation["organism_class"] = usual if rng.random() < 0.8 else rng.choice(words.ORGANISM_CLASSES)
    if analyte["id"].endswith("ctdna") and rng.random() < 0.5:
        chosen = rng.sample(VARIANTS, rng.choice((1, 2)))
        observation["variants"] = [{"gene": gene, "hgvs": hgvs, "vaf_pct": 12.5} for gene, hgvs in chosen]


def fill_quantity(rng, analyte, observation, clean):
    unit, number = random_number(rng, analyte)
    text = decimal(number)
    observation["value"] = rng.choice((text, float(text) if "." in text else int(text)))
    observation["unit"] = unit
    odd = rng.random()
    if odd < 0.06:
        comparator = rng.choice(("<", ">", "<=", ">="))
        if rng.random() < 0.5:
            observation["comparator"] = comparator
        else:
            observation["value"] = comparator + text
    elif not clean and odd < 0.11:
        observation["value"] = rng.choice((*ODD_TEXTS, None))
    elif not clean and odd < 0.16:
        observation["unit"] = rng.choice(ODD_UNITS)
    elif not clean and odd < 0.17:
        del observation["unit"]


def random_number(rng, analyte):
    """(unit, exact number in it): near a limit, usual, or anything, in any accepted unit."""
    unit = analyte["unit"] if rng.random() < 0.5 else rng.choice(analyte["units"])
    found = marks()[analyte["id"]]
    if found and rng.random() < 0.55:
        number, source = rng.choice(found)
        source = source or analyte["unit"]
        number += rng.choice((0, 0, 0, 1, -1, Fraction(1, 10), Fraction(-1, 10), Fraction(1, 1000)))
        return (unit, converted(number, source, unit)) if rng.random() < 0.5 else (source, number)
    low, high = USUAL.get(analyte["id"], (0, 100))
    number = Fraction(rng.randint(int(low * 1000), int(high * 1000)), 1000)
    if rng.random() < 0.03:
        number = Fraction(rng.choice((0, -3, 10**7, 10**12)))
    return unit, converted(number, analyte["unit"], unit)


def converted(number, source, target):
    """The number in another unit of the same dimension; across dimensions (molar) the digits are simply kept."""
    scales = unit_scales()
    if source not in scales or target not in scales or scales[source][0] != scales[target][0]:
        return number
    return number * scales[source][1] / scales[target][1]


def decimal(number):
    """A fraction as decimal text with at most 9 places, without exponent."""
    text = f"{float(number):.9f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
