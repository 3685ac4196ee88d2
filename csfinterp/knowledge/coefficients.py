"""Coefficient files of a site (Gao 2022 A and B): read strictly, recomputed at load, refused as a whole (SL50, SL51).

The signature is the digest that the approver states over all other lines of the file (`signature_of`): the service
holds no keys, so it can tell that nothing was changed after approval, not who approved.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from marshmallow import fields, validate

from csfinterp.errors import EditionError
from csfinterp.knowledge.document import Map, Seq, Slips, parse_yaml
from csfinterp.knowledge.shape import Entry, Number, Text, Truth, load_entry, maybe_text, one_of
from csfinterp.model.coefficients import Coefficients, Predictor
from csfinterp.model.edition import Edition

TOLERANCE = 1e-6  # of a self-test (scores.md S10)
LEAST_TESTS = 2
SOURCE_KINDS = ("published", "from_authors", "digitized_figure", "own_refit")
TRANSFORMS = ("identity", "log", "cutoff")
# The predictors of each model and how they are coded (scores.md S10); no number of the models is known to us.
FIVE = {
    "skull_metastasis": "binary",
    "active_brain_metastasis": "binary",
    "progressed_extracranial": "binary",
    "extracranial_organs": "count",
    "symptoms": "count",
}
MODELS = {"gao2022_a": FIVE, "gao2022_b": FIVE | {"csf_protein": "continuous", "csf_glucose": "continuous"}}
_SIGNATURE = re.compile(r"^signature:.*\n?", re.MULTILINE)
_DATE = r"\d{4}-\d{2}-\d{2}\Z"


class PopulationSchema(Entry):
    tumor = one_of(("solid",), required=True)
    lm_suspected = Truth(required=True)


class BinarySchema(Entry):
    coding = one_of(("binary",), required=True)
    beta = Number(required=True)
    definition = Text(required=True)


class CountSchema(Entry):
    coding = one_of(("count",), required=True)
    beta = Number(required=True)
    definition = Text(required=True)
    cap = Number(required=True, allow_none=True)


class ContinuousSchema(Entry):
    coding = one_of(("continuous",), required=True)
    beta = Number(required=True)
    unit = Text(required=True)
    transform = one_of(TRANSFORMS, required=True)
    cutoff = Number(required=True, allow_none=True)
    definition = maybe_text()


class SelfTestSchema(Entry):
    inputs = fields.Dict(keys=Text(), values=fields.Raw(), required=True)
    expected_probability = Number(
        required=True, validate=validate.Range(0, 1, error="a probability lies between 0 and 1")
    )


class CoefficientsSchema(Entry):
    model = one_of(tuple(MODELS), required=True)
    version = Text(required=True)
    source = Text(required=True)
    source_kind = one_of(SOURCE_KINDS, required=True)
    digitizing_error = Number(required=True, allow_none=True)
    approved_by = Text(required=True)
    approved_on = Text(required=True, validate=validate.Regexp(_DATE, error="write a date like 2026-01-31"))
    signature = Text(required=True)
    population = fields.Nested(PopulationSchema, required=True)
    intercept = Number(required=True)
    predictors = fields.Raw(required=True)
    output_rounding = Number(
        required=True, validate=validate.Range(0, 0.5, min_inclusive=False, error="a step above 0, such as 0.01")
    )
    self_test = fields.Nested(SelfTestSchema, many=True, required=True)


SHAPES: Mapping[str, type[Entry]] = {"binary": BinarySchema, "count": CountSchema, "continuous": ContinuousSchema}


def signature_of(text: str) -> str:
    """`sha256:<hex>` over all lines of a coefficient file but its `signature:` line, line ends as LF."""
    other = _SIGNATURE.sub("", text.replace("\r\n", "\n"))
    return f"sha256:{hashlib.sha256(other.encode()).hexdigest()}"


def read_coefficients(
    texts: Mapping[str, str], edition: Edition, earlier: Mapping[str, str] | None = None
) -> tuple[Coefficients, ...]:
    """The models of a site: file name -> text. EditionError (file, line) for the first file that is not sound.

    `earlier`: files of former versions, kept beside those in force: a version is never used again with other content.
    """
    found: dict[str, Coefficients] = {}
    for name, text in texts.items():
        read = read_coefficient_file(text, name, edition)
        if read.model in found:
            raise EditionError(f"{read.model} is loaded already, by {found[read.model].file}; name one file", name)
        found[read.model] = read
    for name, text in (earlier or {}).items():
        _refuse_reuse(name, text, found)
    return tuple(found.values())


def _refuse_reuse(name: str, text: str, found: Mapping[str, Coefficients]) -> None:
    document = parse_yaml(text, name)
    model = found.get(str(document.get("model"))) if isinstance(document, Map) else None
    if model is None or not isinstance(document, Map) or document.get("version") != model.version:
        return
    if _digest(text) != model.digest:
        message = f"version {model.version!r} of {model.model} was used with other content, in {name}; name a new one"
        raise EditionError(message, model.file)


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.replace(chr(13) + chr(10), chr(10)).encode()).hexdigest()}"


def read_coefficient_file(text: str, name: str, edition: Edition) -> Coefficients:
    """One file, checked: fields, signature, predictors, units of the edition, self-tests. EditionError (file, line)."""
    slips = Slips()
    entry = load_entry(CoefficientsSchema, parse_yaml(text, name), name, slips)
    if entry is None:
        raise slips.sorted()[0]
    at: Map = entry["at"]
    _check_approval(entry, text, at)
    predictors = _predictors(entry, name, edition)
    plain = {key: entry[key] for key in ("model", "version", "source", "source_kind", "digitizing_error", "approved_by",
                                         "approved_on", "intercept", "output_rounding")}  # fmt: skip
    model = Coefficients(**plain, predictors=predictors, digest=_digest(text), file=name)
    _run_self_tests(model, entry["self_test"], at)
    return model


def _check_approval(entry: Mapping[str, Any], text: str, at: Map) -> None:
    file = at.file
    if not entry["population"]["lm_suspected"]:
        raise EditionError("the population is solid tumor with suspected LM: lm_suspected is true", file,
                           at.line_of("population"))  # fmt: skip
    if (entry["source_kind"] == "digitized_figure") != (entry["digitizing_error"] is not None):
        raise EditionError("digitizing_error is a number for a digitized_figure, else null", file,
                           at.line_of("digitizing_error"))  # fmt: skip
    try:
        date.fromisoformat(entry["approved_on"])
    except ValueError:
        raise EditionError("approved_on is no day of the calendar", file, at.line_of("approved_on")) from None
    if entry["signature"] != signature_of(text):
        message = (
            "the signature does not fit the file: it is sha256:<hex> over all other lines, made when they were approved"
        )
        raise EditionError(message, file, at.line_of("signature"))


def _predictors(entry: Mapping[str, Any], file: str, edition: Edition) -> tuple[Predictor, ...]:
    """Exactly the predictors of the model, in its order."""
    data, wanted = entry["predictors"], MODELS[entry["model"]]
    if not isinstance(data, Map):
        raise EditionError("predictors: write a mapping (name: {...})", file, entry["at"].line_of("predictors"))
    for name in data:
        if name not in wanted:
            what = "carries no CSF predictors" if name.startswith("csf_") else "has no such predictor"
            raise EditionError(f"{entry['model']} {what}: {name}", file, data.line_of(name))
    for name in wanted:
        if name not in data:
            raise EditionError(f"predictors: {name} is missing", file, data.line)
    return tuple(_predictor(name, coding, data, file, edition) for name, coding in wanted.items())


def _predictor(name: str, coding: str, data: Map, file: str, edition: Edition) -> Predictor:
    slips = Slips()
    entry = load_entry(SHAPES[coding], data[name], file, slips, data.line_of(name))
    if entry is None:
        first = slips.sorted()[0]
        raise EditionError(f"predictors.{name}.{first.message}", first.file, first.line)
    at = entry.pop("at")
    found = Predictor(name, **entry)
    if coding != "continuous":
        if found.cap is not None and found.cap < 1:
            raise EditionError(f"{name}: a cap is 1 or more", file, at.line_of("cap"))
        return found
    if found.unit not in edition.analyte[name].units:
        known = ", ".join(edition.analyte[name].units)
        raise EditionError(f"{name} is not accepted in {found.unit!r}; its units are {known}", file, at.line_of("unit"))
    if (found.transform == "cutoff") != (found.cutoff is not None):
        raise EditionError(f"{name}: cutoff is a number with transform cutoff, else null", file, at.line_of("cutoff"))
    return found


def _run_self_tests(model: Coefficients, tests: list[dict[str, Any]], at: Map) -> None:
    where = at.get("self_test")
    lines = where.lines if isinstance(where, Seq) else []
    if len(tests) < LEAST_TESTS:
        raise EditionError(f"self_test: state at least {LEAST_TESTS}", model.file, at.line_of("self_test"))
    for test, line in zip(tests, lines, strict=True):
        inputs = _inputs(model, test["inputs"], line)
        got = probability(model, inputs)
        if not abs(got - test["expected_probability"]) <= TOLERANCE:
            message = f"self_test: the file gives {got:.8f}, not {test['expected_probability']:.8f}"
            raise EditionError(message, model.file, line)


def _inputs(model: Coefficients, stated: Mapping[str, object], line: int) -> dict[str, float]:
    """The inputs of a self-test as numbers: exactly the predictors, true or false for binary ones."""
    names = [predictor.name for predictor in model.predictors]
    for name in (*stated, *names):
        if name not in names or name not in stated:
            what = "is no predictor" if name not in names else "is missing"
            raise EditionError(f"self_test: {name} {what}", model.file, line)
    return {predictor.name: _number(predictor, stated[predictor.name], model.file, line)
            for predictor in model.predictors}  # fmt: skip


def _number(predictor: Predictor, value: object, file: str, line: int) -> float:
    if not isinstance(value, int | float):
        raise EditionError(f"self_test: {predictor.name} must be a number", file, line)
    if predictor.coding == "binary" and value not in (0, 1):
        raise EditionError(f"self_test: {predictor.name} is 0 or 1", file, line)
    if value < 0 or (predictor.coding == "count" and value != int(value)):
        raise EditionError(f"self_test: {predictor.name} is a whole number, 0 or more", file, line)
    return float(value)


def probability(model: Coefficients, inputs: Mapping[str, float]) -> float:
    """p of the model for inputs in the units of its file, not rounded; NaN where a logarithm does not exist."""
    logit = model.intercept + sum(found.beta * _transformed(found, inputs[found.name]) for found in model.predictors)
    return 1 / (1 + math.exp(-logit)) if logit > -700 else 0.0


def _transformed(predictor: Predictor, value: float) -> float:
    if predictor.coding == "count" and predictor.cap is not None:
        return min(value, predictor.cap)
    if predictor.transform == "log":
        return math.log(value) if value > 0 else math.nan
    if predictor.transform == "cutoff" and predictor.cutoff is not None:
        return float(value >= predictor.cutoff)
    return value


def with_models(edition: Edition, earlier: Mapping[str, str] | None = None) -> Edition:
    """The edition with the coefficient files of its site rules read into `site_rules.models`."""
    rules = edition.site_rules
    if rules is None or not rules.coefficients:
        return edition
    return replace(edition, site_rules=replace(rules, models=read_coefficients(rules.coefficients, edition, earlier)))
