"""Whatever comes in as FHIR: it is read or refused with a DocumentError, and nothing of it stands in the message."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from csfinterp.errors import DocumentError
from csfinterp.formats import fhir_r4
from tests.formats.contract_panels import ALL as PANELS
from tests.formats.fhir_rendering import to_fhir

SEEDS = [to_fhir(PANELS[name], kind) for name, kind in (
    ("solid_lm_positive_cytology", "transaction"), ("tumor_dna_without_cells", "batch"), ("with_gaps", "message"),
)]  # fmt: skip
ATOMS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12),
    st.just([]), st.just({}), st.just([{}]),
    st.sampled_from(["#", "#x", "urn:uuid:1", "Observation/1", "Patient?identifier=a|b", "69548-6"]),
)  # fmt: skip
ANY = st.recursive(
    ATOMS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
CALM = settings(max_examples=500, deadline=None, derandomize=True, database=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


PLACES = [places(seed) for seed in SEEDS]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A real Bundle of which one to four places were changed, doubled, renamed or taken away."""
    number = draw(st.integers(0, len(SEEDS) - 1))
    document = copy.deepcopy(SEEDS[number])
    for _ in range(draw(st.integers(1, 4))):
        *above, last = draw(st.sampled_from(PLACES[number][1:]))
        holder = document
        try:
            for key in above:
                holder = holder[key]
            change = draw(st.integers(0, 3))
            if change == 0:
                holder[last] = draw(ANY)
            elif change == 1:
                del holder[last]
            elif change == 2:
                donor = draw(st.sampled_from(PLACES[number][1:]))
                value: Any = SEEDS[number]
                for key in donor:
                    value = value[key]
                holder[last] = copy.deepcopy(value)
            elif isinstance(holder, dict):
                holder[draw(st.text(max_size=10))] = holder[last]
            else:
                holder.append(holder[last])
        except (KeyError, IndexError, TypeError, AttributeError):
            continue
    return json.dumps(document).encode()


def read(data: bytes) -> None:
    try:
        fhir_r4.read(data)
    except DocumentError as error:
        assert error.message
        assert "HIDDEN" not in " ".join([error.message, *(f"{one.pointer} {one.message}" for one in error.faults)])


@CALM
@given(mutated())
def test_a_mutated_bundle_is_read_or_refused(data: bytes) -> None:
    read(data)


@CALM
@given(ANY)
def test_any_json_is_refused(value: object) -> None:
    read(json.dumps(value).encode())
    read(json.dumps({"resourceType": "Bundle", "type": "batch", "entry": value}).encode())
    read(json.dumps({"resourceType": "DiagnosticReport", "contained": value, "result": value}).encode())


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    read(data)


def test_no_message_repeats_a_value() -> None:
    for number, seed in enumerate(SEEDS):
        for place in PLACES[number][1:]:
            document = copy.deepcopy(seed)
            holder: Any = document
            for key in place[:-1]:
                holder = holder[key]
            if isinstance(holder[place[-1]], str):
                holder[place[-1]] = "HIDDEN 4711"
                read(json.dumps(document).encode())


def test_references_in_a_circle_end() -> None:
    sent = to_fhir(PANELS["normal"])
    specimen = next(entry for entry in sent["entry"] if entry["resource"]["resourceType"] == "Specimen")
    specimen["resource"]["parent"] = [{"reference": specimen["fullUrl"]}]
    results = [entry for entry in sent["entry"] if entry["resource"]["resourceType"] == "Observation"]
    for one in results:
        one["resource"]["hasMember"] = [{"reference": other["fullUrl"]} for other in results]
    read(json.dumps(sent).encode())


def test_a_message_of_too_many_results_is_refused_at_once() -> None:
    result = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    sent = {"resourceType": "Bundle", "type": "batch", "entry": [{"resource": result}] * 2001}
    with pytest.raises(DocumentError, match="More than 2000 Observations"):
        fhir_r4.read(json.dumps(sent).encode())


def test_context_without_a_patient_is_not_spread_over_several_panels() -> None:
    panels = [json.loads(json.dumps(SEEDS[0]["entry"]).replace("urn:uuid:", f"urn:uuid:{number}").replace(
        "DEMO-", f"DEMO-{number}")) for number in (1, 2)]  # fmt: skip
    for entry in (one for panel in panels for one in panel):
        if "urn:csfinterp:context" in json.dumps(entry["resource"].get("code", {})):
            del entry["resource"]["subject"]
    found = fhir_r4.read(
        json.dumps({"resourceType": "Bundle", "type": "batch", "entry": [*panels[0], *panels[1]]}).encode()
    )
    assert [panel.context.words for panel in found] == [{}, {}]
