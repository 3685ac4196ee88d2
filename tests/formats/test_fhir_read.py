"""How each element of FHIR R4 is read, and what is refused (clinical/codes.md sections 7 to 9)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from csfinterp.errors import DocumentError
from csfinterp.formats import fhir_r4
from csfinterp.model.panel import Observation, Panel

LOINC, UCUM, SNOMED = "http://loinc.org", "http://unitsofmeasure.org", "http://snomed.info/sct"
V3 = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
V2 = "http://terminology.hl7.org/CodeSystem/v2-0487"
Document = dict[str, Any]


def coded(code: str, system: str = LOINC, **more: str) -> Document:
    return {"coding": [{"system": system, "code": code, **more}]}


def glucose(**changes: Any) -> Document:
    """CSF glucose, the Observation of codes.md section 9; None takes an element away."""
    quantity = {"value": 2.2, "unit": "mmol/L", "system": UCUM, "code": "mmol/L"}
    found = {"resourceType": "Observation", "status": "final", "code": coded("2342-4"), "valueQuantity": quantity,
             "specimen": {"reference": "Specimen/csf"}, "subject": {"reference": "Patient/p"}, **changes}  # fmt: skip
    return {key: value for key, value in found.items() if value is not None}


def specimen(name: str = "csf", kind: str = "CSF", **more: Any) -> Document:
    return {"resourceType": "Specimen", "id": name, "identifier": [{"value": f"ACC-{name}"}], "type": coded(kind, V2),
            "subject": {"reference": "Patient/p"}, **more}  # fmt: skip


PATIENT = {"resourceType": "Patient", "id": "p", "identifier": [{"value": "MRN-1"}], "birthDate": "1961-04-02"}


def report(*results: str, **more: Any) -> Document:
    return {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "CSF"},
            "subject": {"reference": "Patient/p"}, "specimen": [{"reference": "Specimen/csf"}],
            "result": [{"reference": f"Observation/{name}"} for name in results], **more}  # fmt: skip


def bundle(*resources: Document, kind: str = "collection") -> Document:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": one} for one in resources]}


def read(document: Document) -> list[Panel]:
    return fhir_r4.read(json.dumps(document).encode())


def alone(**changes: Any) -> Observation:
    """The one observation of a Bundle with this Observation."""
    [panel] = read(bundle(PATIENT, specimen(), glucose(**changes)))
    [found] = panel.observations
    return found


def refused(document: Document) -> list[tuple[str, str]]:
    with pytest.raises(DocumentError) as caught:
        read(document)
    return [(fault.pointer, fault.message) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("2.2", None, "mmol/L")),
        ({"valueQuantity": {"value": 5, "comparator": "<", "unit": "/µl", "system": UCUM, "code": "/uL"}},
         ("5", "<", "/uL")),
        ({"valueQuantity": {"value": 5, "unit": "Zellen/µl"}}, ("5", None, "Zellen/µl")),
        ({"valueQuantity": None, "valueString": "<5"}, ("<5", None, None)),
        ({"valueQuantity": None, "valueInteger": 12}, ("12", None, None)),
        ({"valueQuantity": None, "valueBoolean": True}, ("true", None, None)),
        ({"valueQuantity": None, "valueCodeableConcept": {"text": "negative"}}, ("negative", None, None)),
        ({"valueQuantity": None, "valueCodeableConcept": coded("1", "urn:x", display="Negative")},
         ("Negative", None, None)),
        ({"valueQuantity": None, "valueCodeableConcept": coded("NEG", "urn:x")}, ("NEG", None, None)),
        ({"valueQuantity": None, "valueRange": {"low": {"value": 10}, "high": {"value": 20}}}, ("10-20", None, None)),
        ({"valueQuantity": None, "valueRange": {"low": {"value": 10, "unit": "/uL"}}}, ("10-not stated", None, "/uL")),
        ({"valueQuantity": None, "valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 8}}},
         ("1:8", None, None)),
    ],
)  # fmt: skip
def test_values(changes: Document, expected: tuple[str, str | None, str | None]) -> None:
    found = alone(**changes)
    assert (found.value, found.comparator, found.unit) == expected


@pytest.mark.parametrize(
    ("changes", "value", "reason"),
    [
        ({"dataAbsentReason": coded("not-performed", "urn:x")}, None, "not-performed"),
        ({"dataAbsentReason": {"text": "clotted"}}, None, "clotted"),
        ({"status": "registered"}, None, "pending"),
        ({}, None, None),
        ({"interpretation": [coded("POS", V3)]}, "positive", None),
        ({"interpretation": [coded("NEG", V3)]}, "negative", None),
        ({"interpretation": [coded("ND", V3)]}, "not_detected", None),
        ({"interpretation": [coded("POS", V3)], "dataAbsentReason": {"text": "error"}}, None, "error"),
    ],
)
def test_what_has_no_value(changes: Document, value: str | None, reason: str | None) -> None:
    found = alone(valueQuantity=None, **changes)
    assert (found.value, found.absent_reason) == (value, reason)


@pytest.mark.parametrize(
    ("status", "expected"),
    [("preliminary", "preliminary"), ("final", "final"), ("amended", "corrected"), ("corrected", "corrected"),
     ("cancelled", "cancelled"), ("entered-in-error", "entered_in_error"), ("unknown", None)],
)  # fmt: skip
def test_status_of_a_result(status: str, expected: str | None) -> None:
    assert alone(status=status).status == expected


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [(("final",), "final"), (("final", "preliminary"), "preliminary"), (("final", "corrected"), "corrected"),
     (("cancelled", "entered-in-error"), "cancelled"), (("final", "cancelled"), "final"),
     (("unknown",), "preliminary")],
)  # fmt: skip
def test_status_of_a_panel_without_a_report(statuses: tuple[str, ...], expected: str) -> None:
    results = [glucose(status=status, code=coded(f"{number}", "urn:x")) for number, status in enumerate(statuses)]
    [panel] = read(bundle(PATIENT, specimen(), *results))
    assert panel.status == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [("registered", "preliminary"), ("partial", "preliminary"), ("final", "final"), ("amended", "corrected"),
     ("appended", "final"), ("cancelled", "cancelled"), ("entered-in-error", "cancelled"), ("unknown", "preliminary")],
)  # fmt: skip
def test_status_of_a_report(status: str, expected: str) -> None:
    [panel] = read(bundle(PATIENT, specimen(), {**glucose(), "id": "o"}, report("o", status=status)))
    assert panel.status == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ({"coding": [{"system": "urn:lis", "code": "LGLU"}, {"system": LOINC, "code": "2342-4"}]}, (LOINC, "2342-4")),
        ({"coding": [{"system": "urn:csfinterp:analyte", "code": "csf_glucose"}, {"system": LOINC, "code": "2342-4"}]},
         (None, "csf_glucose")),
        ({"coding": [{"system": "urn:lis", "code": "LGLU"}], "text": "Liquorglucose"}, ("urn:lis", "LGLU")),
        ({"text": "LGLU"}, (None, "LGLU")),
    ],
)  # fmt: skip
def test_codes(code: Document, expected: tuple[str | None, str]) -> None:
    found = alone(code=code).code
    assert (found.system, found.code) == expected


def test_what_the_laboratory_says_is_kept_as_its_own() -> None:
    found = alone(
        interpretation=[coded("U", V3), coded("LL", V3)],
        referenceRange=[{"low": {"value": 2.2}, "high": {"value": 3.9, "unit": "mmol/L"}}, {"text": "adults"}],
        note=[{"text": "repeated"}, {"text": "phoned"}], method={"text": "hexokinase"},
    )  # fmt: skip
    assert (found.laboratory_flag, found.laboratory_range) == ("LL", "2.2-3.9 mmol/L; adults")
    assert found.note == "repeated\nphoned\nInterpretation of the laboratory: U"
    assert found.method == "hexokinase"
    assert alone(interpretation=[{"text": "H*"}]).laboratory_flag == "H*"


def test_each_result_has_its_own_specimen() -> None:
    serum = specimen("serum", "SER", collection={"collectedDateTime": "2026-03-01T09:30:00+01:00"})
    other = {**glucose(code=coded("2345-7"), specimen={"reference": "Specimen/serum"}), "id": "s"}
    csf = specimen(collection={
        "collectedDateTime": "2026-03-01T09:20:00+01:00", "bodySite": {"text": "Lumbar"},
        "quantity": {"value": 8.0, "unit": "mL"}}, receivedTime="2026-03-01T09:55:00+01:00")  # fmt: skip
    [panel] = read(bundle(PATIENT, csf, serum, other, {**glucose(), "id": "o"}, report("o")))
    first, second = panel.observations
    assert (first.specimen, second.specimen) == ("csf", "serum")
    assert str(second.collected_at) == "2026-03-01 09:30:00+01:00"
    assert (panel.specimen.id, panel.specimen.type, panel.specimen.site) == ("ACC-csf", "csf", "lumbar")
    assert (panel.specimen.volume_ml, panel.patient.id) == (8.0, "MRN-1")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(coded("258450006", SNOMED), "csf"), ({"text": "Cerebrospinal fluid"}, "csf"), (coded("CSF", V2), "csf")],
)
def test_types_of_specimen(kind: Document, expected: str) -> None:
    [panel] = read(bundle(PATIENT, specimen(type=kind), glucose()))
    assert panel.specimen.type == expected


def test_a_lumbar_puncture_is_a_lumbar_site() -> None:
    [panel] = read(bundle(PATIENT, specimen(collection={"method": coded("277762005", SNOMED)}), glucose()))
    assert panel.specimen.site == "lumbar"


def test_components_and_members_are_results() -> None:
    group = {**glucose(valueQuantity=None, code={"text": "Cell count"}, component=[
        {"code": coded("26465-5"), "valueQuantity": {"value": 31, "unit": "/uL"}},
        {"code": coded("26511-6"), "dataAbsentReason": {"text": "few cells"}}]), "id": "g",
        "hasMember": [{"reference": "Observation/m"}]}  # fmt: skip
    [panel] = read(bundle(PATIENT, specimen(), {**glucose(), "id": "m"}, group, report("g")))
    assert [(one.code.code, one.value) for one in panel.observations] == [
        ("26465-5", "31"), ("26511-6", None), ("2342-4", "2.2")]  # fmt: skip


def test_an_organism_is_part_of_its_result() -> None:
    organism = {"code": coded("organism", "urn:csfinterp:component"),
                "valueCodeableConcept": {"text": "Listeria monocytogenes"}}  # fmt: skip
    found = alone(
        code=coded("606-4"), valueQuantity=None, valueCodeableConcept={"text": "positive"}, component=[organism]
    )
    assert (found.value, found.organism) == ("positive", "Listeria monocytogenes")


def variant(presence: Document, source: str | None, gene: str = "EGFR", **more: Any) -> Document:
    components = [{"code": coded("48018-6"), "valueCodeableConcept": {"text": gene}},
                  {"code": coded("81258-6"), "valueQuantity": {"value": 0.125, "code": "1", "system": UCUM}},
                  {"code": coded("48005-3"), "valueCodeableConcept": {"text": "p.L858R"}}]  # fmt: skip
    if source:
        components.append({"code": coded("48002-0"), "valueCodeableConcept": coded(source)})
    return glucose(
        code=coded("69548-6"), valueQuantity=None, valueCodeableConcept=presence, component=components, **more
    )


PRESENT, ABSENT = coded("LA9633-4"), {"text": "Absent"}


@pytest.mark.parametrize(
    ("variants", "value", "genes"),
    [
        ([(PRESENT, "LA6684-0")], "detected", ["EGFR"]),
        ([(PRESENT, "LA6684-0"), (ABSENT, None)], "detected", ["EGFR"]),
        ([(ABSENT, None), (ABSENT, None)], "not_detected", []),
        ([({"text": "No call"}, None)], "failed", []),
        ([({"text": "No call"}, None), (ABSENT, None)], "indeterminate", []),
        ([({"text": "Indeterminate"}, "LA6684-0")], "indeterminate", []),
        ([(PRESENT, "LA6683-2")], None, []),
        ([(PRESENT, "LA6683-2"), (ABSENT, None)], "not_detected", []),
        ([(PRESENT, None)], "indeterminate", []),
    ],
    ids=["somatic", "one of two", "absent", "no call", "partly failed", "indeterminate", "germline",
         "germline and absent", "source not stated"],
)  # fmt: skip
def test_tumor_dna(variants: list[tuple[Document, str | None]], value: str | None, genes: list[str]) -> None:
    [panel] = read(bundle(PATIENT, specimen(), *(variant(*one) for one in variants)))
    [found] = panel.observations
    assert (found.code.code, found.value, [one.gene for one in found.variants]) == ("csf_ctdna", value, genes)
    if genes:
        assert (found.variants[0].hgvs, found.variants[0].vaf_pct) == ("p.L858R", 12.5)


def test_tumor_dna_of_plasma_is_its_own_result() -> None:
    plasma = specimen("plasma", "PLAS")
    other = variant(PRESENT, "LA6684-0", specimen={"reference": "Specimen/plasma"})
    [panel] = read(bundle(PATIENT, specimen(), plasma, variant(ABSENT, None), other))
    assert [(one.code.code, one.value, one.specimen) for one in panel.observations] == [
        ("csf_ctdna", "not_detected", None), ("plasma_ctdna", "detected", "plasma")]  # fmt: skip


MUTATIONS: dict[str, tuple[Document, str]] = {
    "status not in the set": ({"status": "wat"}, "/status"),
    "code missing": ({"code": None}, "/code"),
    "unknown property": ({"flavor": "sweet"}, "/flavor"),
    "obs-6": ({"dataAbsentReason": {"text": "x"}}, "/dataAbsentReason"),
    "qty-3": ({"valueQuantity": {"value": 2.2, "code": "mmol/L"}}, "/valueQuantity"),
    "obs-3": ({"referenceRange": [{"age": {"low": {"value": 1}}}]}, "/referenceRange/0"),
    "date not of FHIR": ({"effectiveDateTime": "01/02/2026"}, "/effectiveDateTime"),
    "two values": ({"valueString": "x"}, ""),
    "number as string": ({"valueQuantity": {"value": "2.2"}}, "/valueQuantity/value"),
    "comparator": ({"valueQuantity": {"value": 2.2, "comparator": "<<"}}, "/valueQuantity/comparator"),
    "obs-7": ({"component": [{"code": coded("2342-4"), "valueString": "x"}]}, "/component/0"),
    "id with blank and slash": ({"id": "a /b"}, "/id"),
    "boolean as string": ({"valueQuantity": None, "valueBoolean": "yes"}, "/valueBoolean"),
    "null": ({"note": None, "method": {"text": None}}, "/method/text"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_what_is_not_fhir_is_refused_with_its_place(name: str) -> None:
    changes, place = MUTATIONS[name]
    faults = refused(bundle(PATIENT, specimen(), glucose(**changes)))
    assert [pointer for pointer, _ in faults] == [f"/entry/2/resource{place}"]


CONFUSED: dict[str, tuple[Callable[[], Document], str]] = {
    "another patient": (
        lambda: bundle(PATIENT, {**PATIENT, "id": "q", "identifier": [{"value": "MRN-2"}]}, specimen(),
                       {**glucose(subject={"reference": "Patient/q"}), "id": "o"}, report("o")),
        "/entry/3/resource/subject"),
    "a result that is not there": (lambda: bundle(PATIENT, specimen(), report("gone")), "/entry/2/resource/result/0"),
    "no specimen at all": (
        lambda: bundle(PATIENT, {**glucose(specimen=None), "id": "o"}, report("o", specimen=[])),
        "/entry/2/resource/specimen"),
    "a specimen of unknown type": (
        lambda: bundle(PATIENT, specimen(), specimen("urine", "UR"),
                       {**glucose(specimen={"reference": "Specimen/urine"}), "id": "o"}, report("o")),
        "/entry/3/resource/specimen"),
    "two punctures in one report": (
        lambda: bundle(PATIENT, specimen(), specimen("other"), {**glucose(), "id": "o"},
                       report("o", specimen=[{"reference": "Specimen/csf"}, {"reference": "Specimen/other"}])),
        "/entry/4/resource/specimen"),
    "two resources of one address": (
        lambda: bundle(PATIENT, specimen(), {**glucose(), "id": "o"}, {**glucose(), "id": "o"}), "/entry/3/resource"),
    "a specimen without identifier": (
        lambda: {**bundle(PATIENT, {"resourceType": "Specimen", "type": coded("CSF", V2)}, glucose(
            specimen={"reference": "urn:uuid:5f0f5a1e-0000-4000-8000-000000000001"})),
            "entry": [{"fullUrl": "urn:uuid:5f0f5a1e-0000-4000-8000-000000000001",
                       "resource": {"resourceType": "Specimen", "type": coded("CSF", V2)}},
                      {"resource": glucose(specimen={"reference": "urn:uuid:5f0f5a1e-0000-4000-8000-000000000001"})}]},
        "/entry/0/resource"),
    "a volume in spoons": (
        lambda: bundle(PATIENT, specimen(collection={"quantity": {"value": 2, "unit": "spoon"}}), glucose()),
        "/entry/1/resource"),
    "a context word that is not known": (
        lambda: bundle(PATIENT, specimen(), glucose(), {
            "resourceType": "Observation", "status": "final", "code": coded("mri", "urn:csfinterp:context"),
            "subject": {"reference": "Patient/p"}, "valueString": "blurred"}),
        "/entry/3/resource"),
    "nothing of CSF": (lambda: bundle(PATIENT, specimen("s", "SER"), glucose(
        specimen={"reference": "Specimen/s"})), ""),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFUSED)
def test_what_is_not_certain_is_refused_with_its_place(name: str) -> None:
    make, place = CONFUSED[name]
    faults = refused(make())
    assert [pointer for pointer, _ in faults] == [place]
    assert all(message.strip().endswith(".") for _, message in faults)


def test_tubes_of_one_puncture_are_one_panel() -> None:
    tubes = [specimen(f"t{number}", parent=[{"reference": "Specimen/csf"}]) for number in (1, 2)]
    results = [{**glucose(specimen={"reference": f"Specimen/t{number}"}, code=coded(f"{number}", "urn:x")),
                "id": f"o{number}"} for number in (1, 2)]  # fmt: skip
    [panel] = read(bundle(PATIENT, specimen(), *tubes, *results, report("o1", "o2")))
    assert (panel.specimen.id, len(panel.observations)) == ("ACC-csf", 2)


def test_two_reports_of_one_specimen_are_one_panel_and_two_specimens_are_two() -> None:
    second = {**glucose(code=coded("26465-5")), "id": "b"}
    first = {**glucose(), "id": "a"}
    [panel] = read(bundle(PATIENT, specimen(), first, second, report("a"), report("b", status="preliminary")))
    assert (panel.status, len(panel.observations)) == ("preliminary", 2)
    other = {**glucose(specimen={"reference": "Specimen/x"}), "id": "b"}
    sent = bundle(PATIENT, specimen(), specimen("x"), first, other, report("a"),
                  report("b", specimen=[{"reference": "Specimen/x"}]))  # fmt: skip
    sent["identifier"] = {"value": "MSG-1"}
    panels = read(sent)
    assert [one.specimen.id for one in panels] == ["ACC-csf", "ACC-x"]
    assert len({one.source.message_id for one in panels}) == 2, "one message id is one panel in the store"


def test_resources_of_other_tests_do_not_disturb() -> None:
    urine = {**glucose(specimen={"reference": "Specimen/u"}), "id": "u"}
    other = report("u", specimen=[{"reference": "Specimen/u"}])
    device = {"resourceType": "Device", "id": "d"}
    own = {**glucose(), "id": "o"}
    sent = bundle(PATIENT, specimen(), specimen("u", "UR"), own, urine, report("o"), other, device)
    [panel] = read(sent)
    assert len(panel.observations) == 1


def test_the_sender_is_named_by_the_message_header_or_the_source() -> None:
    header = {"resourceType": "MessageHeader", "eventUri": "urn:x",
              "source": {"name": "LIS-A", "endpoint": "urn:lis-a"}}  # fmt: skip
    sent = bundle(header, PATIENT, specimen(), glucose(), kind="message")
    assert read(sent)[0].source.system == "LIS-A"
    sent = {**bundle(PATIENT, specimen(), glucose()), "meta": {"source": "urn:lis-b"}}
    assert read(sent)[0].source.system == "urn:lis-b"


def test_a_partial_birth_date_is_no_birth_date() -> None:
    [panel] = read(bundle({**PATIENT, "birthDate": "1961"}, specimen(), glucose()))
    assert (panel.patient.id, panel.patient.birth_date) == ("MRN-1", None)


def test_the_record_number_comes_before_other_identifiers() -> None:
    many = [{"value": "INS-9"}, {"use": "old", "type": coded("MR", "urn:x"), "value": "MRN-0"},
            {"type": coded("MR", "urn:x"), "value": "MRN-1"}]  # fmt: skip
    [panel] = read(bundle({**PATIENT, "identifier": many}, specimen(), glucose()))
    assert panel.patient.id == "MRN-1"
