"""Is what we write FHIR R4? The models of fhir.resources, the invariants of fhircraft, and the required bindings."""

from __future__ import annotations

import importlib
import json
import re
import warnings
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any

from fhir.resources.R4B import get_fhir_model_class

# Required bindings of the elements that we write (hl7.org/fhir/R4, and codes.md 4 for the flags).
BINDINGS = {
    ("Observation", "status"): "registered preliminary final amended corrected cancelled entered-in-error unknown",
    ("DiagnosticReport", "status"): (
        "registered partial preliminary final amended corrected appended cancelled entered-in-error unknown"
    ),
    ("Patient", "gender"): "male female other unknown",
    ("Bundle", "type"): (
        "document message transaction transaction-response batch batch-response history searchset collection"
    ),
}
FLAGS = ("N", "L", "H", "LL", "HH", "A", "AA")
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
Resource = dict[str, Any]


def loads(text: str | bytes) -> Any:
    return json.loads(text, parse_float=Decimal)


@cache
def crafted(kind: str) -> Any:
    """The model of fhircraft with the invariants of R4."""
    module = re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()
    return getattr(importlib.import_module(f"fhircraft.fhir.resources.datatypes.R4.core.{module}"), kind)


def assert_valid(resource: Resource, *, invariants: bool = True) -> None:
    """Raises if the resource is not structurally valid R4; the entries of a Bundle are checked alone."""
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    for one in each(resource):
        kind = one["resourceType"]
        for (of, name), codes in BINDINGS.items():
            assert of != kind or name not in one or one[name] in codes.split(), (kind, name)
        for concept in (*one.get("interpretation", ()),):
            assert [(coding["system"], coding["code"] in FLAGS) for coding in concept["coding"]] == [
                (INTERPRETATION, True)
            ]
        if invariants and kind != "Bundle":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # dom-6: a narrative is only recommended
                crafted(kind).model_validate(one)


def each(resource: Resource) -> Iterator[Resource]:
    yield resource
    for entry in resource.get("entry", ()):
        if "resource" in entry:
            yield from each(entry["resource"])


def references(resource: Any) -> Iterator[str]:
    """Every reference in it."""
    if isinstance(resource, dict):
        if isinstance(resource.get("reference"), str):
            yield resource["reference"]
        for inner in resource.values():
            yield from references(inner)
    elif isinstance(resource, list):
        for inner in resource:
            yield from references(inner)
