"""Scanners for the text laws (SL45, SL54, SL60, SL61, SL64, SL66): what no sentence may say, and the phrases of the
clinical files that look alike but demand, deny or name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from csfinterp.model import predicate
from csfinterp.model.edition import Edition

# Exclusion (SL01, SL16, SL18, SL43, SL45, SL64): the words, and what must stand before them in the same sentence.
EXCLUSION = re.compile(
    r"\b(exclud\w*|exclusions?|rul(?:e|es|ed|ing)[ -]out|disprov\w+|no disease|free of disease)\b", re.I
)
DENIED = re.compile(r"\b(not|never|cannot|nor|neither|nothing)\b[^.;:]{0,60}$", re.I)
DEMANDED = re.compile(
    r"(must|should|need|needs|to|stays to) (still )?(be )?$"  # "should be excluded first", "need exclusion"
    r"|\bneed(s)? $|\bstill need $|until (infection and other causes are )?$|diagnosis of $"
    r"|criteria demand that .*$"  # EC30
    r"|TB and tumor must be $"  # R-S02
    r"|reference studies (and biobanks )?$"  # R2: such studies exclude bloody samples
    r"|\bno cell count, protein or glucose $"  # EC18
    r"|other causes $",  # population of the Lancet score
    re.I,
)
NAMED = re.compile(r"\brule-out (score|of aneurysmal)|^exclude (lymphoma by flow|Borrelia and syphilis)", re.I)

# Doses, schedules, brands (SL60). Concentrations (mg/L) and sample volumes (mL) are none.
AMOUNT = r"\b\d+(?:[.,]\d+)?\s*(?:mg|g|mcg|[uµμ]g|ng|IU|MU|mmol|units?)"
DOSE = re.compile(
    rf"{AMOUNT}\s*(?:/\s*|per\s+|every\s+|a\s+|each\s+)(?:kg|m2|m²|day|d\b|dose|hour|h\b|week)"
    rf"|{AMOUNT}\s+(?:once|twice|three times|daily|intrathecal|intravenous|i\.?v\.?\b|p\.?o\.?\b|oral|bid\b|tid\b)"
    r"|\b(?:mg|g|mcg)/kg\b|\bmg/m[2²]|\b\d+(?:\.\d+)?\s*Gy\b|\b\d+\s+fractions?\b"
    r"|\b(?:once|twice|three times|four times)\s+(?:a\s+|per\s+)?(?:day|week|daily|weekly)\b"
    r"|\bevery\s+\d+\s*(?:h|hours?|days?|weeks?)\b|\bq\d+h\b|\bbolus\b|\bloading dose\b|\bfor \d+ (?:days|weeks) of\b",
    re.I,
)
BRANDS = re.compile(
    r"\b(DepoCyt\w*|Herceptin|Enhertu|Kadcyla|Tukysa|Keytruda|Opdivo|Rocephin|Zovirax|Tagrisso|Tarceva|Rituxan|MabThera"
    r"|Avastin|Omaya|Ommaya)\b"
)
# Treatment (SL61): words of the R-T and context entries that belong to the team block.
TREATMENT = re.compile(
    r"radiotherap|irradiation|systemic therapy|targeted therap|antiviral treatment|corticosteroid|palliative"
    r"|CSF diversion|access device|HER2-directed|treatment pathway|trial entry|CNS-active therapy",
    re.I,
)
PROGNOSIS = re.compile(
    r"\bsurviv\w+|\bprognos\w+|\bmortality\b|\blife expectancy\b|\bhazard ratio\b|\bdie[sd]?\b", re.I
)
PROBABILITY_OF_LM = re.compile(
    r"(probability|likelihood|chance|risk|odds) (of|for) (an? )?(LM|leptomeningeal)"
    r"|\d+(\.\d+)? ?% (probability|likelihood|chance|risk)",
    re.I,
)
DIAGNOSIS = re.compile(r"\bdiagnos(is|es|ed|tic|e)\b", re.I)
DIAGNOSIS_DENIED = re.compile(
    r"(not a diagnosis|does not diagnose|never diagnos|not diagnostic|lack of diagnos|is a diagnosis of exclusion)",
    re.I,
)


def texts(part: object, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text of a document with the keys that lead to it (list places left out)."""
    if isinstance(part, str):
        yield keys, part
    elif isinstance(part, Mapping):
        for key, inner in part.items():
            yield from texts(inner, (*keys, str(key)))
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from texts(inner, keys)


def printed(answer: Mapping[str, Any], without: Iterable[str] = ("citations", "specimen", "patient")) -> Iterator[str]:
    """The sentences of an answer: every text but ids, words and what came from the sender, cut at full stops."""
    for name, part in answer.items():
        if name not in set(without):
            for keys, text in texts(part, (name,)):
                if " " in text and keys[-1] != "citations":
                    yield from sentences(text)


def sentences(text: str) -> list[str]:
    return [one.strip() for one in re.split(r"(?<=[.;:])\s+|\n", text) if one.strip()]


def exclusion(sentence: str) -> str | None:
    """The words that claim an exclusion, or None."""
    for found in EXCLUSION.finditer(sentence):
        before = sentence[: found.start()]
        if not (DENIED.search(before) or DEMANDED.search(before) or NAMED.search(sentence)):
            return sentence
    return None


def edition_texts(edition: Edition) -> Iterator[tuple[str, str]]:
    """(where, text) of every sentence that an edition may print: all texts but units, codes and bibliography."""
    for field in fields(edition):
        if field.name not in ("units", "citations", "codes_info", "organism_words", "not_sent_words", "site_rules"):
            yield from _inside(field.name, getattr(edition, field.name))


def _inside(where: str, part: object) -> Iterator[tuple[str, str]]:
    if isinstance(part, str):
        if " " in part:
            yield where, part
    elif isinstance(part, Mapping):
        for key, inner in part.items():
            yield from _inside(f"{where}.{key}", inner)
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from _inside(f"{where}.{getattr(inner, 'id', '')}".rstrip("."), inner)
    elif is_dataclass(part) and type(part).__module__ != predicate.__name__:
        for field in fields(part):
            if field.name not in ("citations", "loinc", "wrong_codes", "traps", "formula", "units"):
                yield from _inside(f"{where}.{field.name}", getattr(part, field.name))
