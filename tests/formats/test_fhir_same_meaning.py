"""Every shape in which a sender may give FHIR is read alike, and the digits of every number survive.

That FHIR means the same as the other formats: test_same_meaning.py.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from csfinterp.formats import fhir_r4, panel_json
from csfinterp.samples import SAMPLES
from tests.formats.fhir_rendering import to_fhir
from tests.making import panel, quantity, word
from tests.random_panels import random_panel

Document = dict[str, Any]
PANELS = {sample.name: sample.document() for sample in SAMPLES}


@pytest.mark.parametrize("kind", ["batch", "collection", "message"])
def test_every_kind_of_bundle_is_read(kind: str) -> None:
    sent = PANELS["solid_lm_positive_cytology"]
    one, other = (fhir_r4.read(json.dumps(to_fhir(sent, name)).encode()) for name in (kind, "transaction"))
    assert one == other


def test_a_report_with_contained_resources_is_read() -> None:
    bundle = to_fhir(PANELS["ms_like"])
    *inside, report = [entry["resource"] for entry in bundle["entry"]]
    text = json.dumps(report)
    for number, entry in enumerate(bundle["entry"][:-1]):
        inside[number]["id"] = f"r{number}"
        text = text.replace(entry["fullUrl"], f"#r{number}")
        for other in inside:
            other.update(json.loads(json.dumps(other).replace(entry["fullUrl"], f"#r{number}")))
    alone = {**json.loads(text), "contained": inside}
    [found], [whole] = fhir_r4.read(json.dumps(alone).encode()), fhir_r4.read(json.dumps(bundle).encode())
    assert (found.observations, found.patient, found.specimen, found.context) == (
        whole.observations, whole.patient, whole.specimen, whole.context)  # fmt: skip


@pytest.mark.parametrize("digits", ["1.0", "1.10", "0.0", "2.0e1", "1200", "0.000001000"])
def test_digits_survive(digits: str) -> None:
    sent = to_fhir(panel(quantity("csf_lactate", 7654321, "mmol/L")))
    [found] = fhir_r4.read(json.dumps(sent).replace("7654321", digits).encode())
    assert found.observations[0].value == digits
    assert f'"value": {digits}' in panel_json.dumps(found.document)


def test_relative_references_of_a_server_are_found() -> None:
    bundle = to_fhir(panel(word("csf_cytology", "negative")), "collection")
    text = json.dumps(bundle)
    for number, entry in enumerate(bundle["entry"]):
        relative = f"{entry['resource']['resourceType']}/n{number}"
        text = text.replace(f'"reference": "{entry["fullUrl"]}"', f'"reference": "{relative}"')
        text = text.replace(f'"fullUrl": "{entry["fullUrl"]}"', f'"fullUrl": "https://lis.example/r4/{relative}"')
    [found] = fhir_r4.read(text.encode())
    assert (found.patient.id, found.specimen.id, len(found.observations)) == ("MRN-TEST-1", "ACC-TEST-1", 1)


def sayable(sent: Any) -> Any:
    """Without what FHIR has no way to say: null and empty text."""
    if isinstance(sent, dict):
        return {key: sayable(value) for key, value in sent.items() if value is not None and value != ""}
    return [sayable(one) for one in sent] if isinstance(sent, list) else sent


@pytest.mark.parametrize("seed", range(0, 1000, 10))
def test_random_panels_are_read_alike(seed: int) -> None:
    sent = sayable(random_panel(seed))
    sent["specimen"]["type"] = "csf"
    sent.get("context", {}).pop("history", None)
    for one in sent["observations"]:
        if one.get("specimen") == "csf":
            one.pop("collected_at", None)  # the CSF has one time of collection, that of its Specimen
        one.pop("variants", None)  # tumor DNA has tests of its own
    [by_fhir] = fhir_r4.read(json.dumps(to_fhir(sent)).encode())
    assert replace(by_fhir, document={}) == replace(panel_json.read_document(sent), document={})
