"""The panel document: what is read, what is kept verbatim, what makes a document the same content."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from csfinterp.errors import DocumentError
from csfinterp.formats import FORMATS, ReadLimits
from csfinterp.formats.panel_json import NumberText, content_digest, dumps, parse, read, read_document, read_many
from csfinterp.model.panel import Age, Panel

Document = dict[str, Any]
MINIMAL: Document = {"specimen": {"id": "S1"}, "observations": [{"code": "csf_protein", "value": 1, "unit": "g/L"}]}


def _bytes(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _read(**changes: object) -> Panel:
    return read(_bytes(MINIMAL | changes))


def _observed(**cell: object) -> Panel:
    return _read(observations=[{"code": "csf_protein"} | cell])


def _faults(data: bytes) -> dict[str, str]:
    with pytest.raises(DocumentError) as caught:
        read(data)
    return {fault.pointer: fault.message for fault in caught.value.faults}


def test_the_panel_of_the_contract_is_read_whole(panel: Document) -> None:
    found = read(_bytes(panel))
    assert found.specimen.collected_at == datetime.fromisoformat("2026-03-01T09:20:00+01:00")
    assert (found.specimen.volume_ml, found.specimen.tube, found.specimen.site) == (8.0, 1, "lumbar")
    assert (found.patient.birth_date, found.patient.sex) == (date(1961, 4, 2), "female")
    assert found.context.words == {
        "tumor": "solid", "clinical_signs": "typical", "mri": "linear", "biopsy": "not_done", "question": "lm",
        "immunosuppressed": "no", "antibiotics_before_lp": "no",
    }  # fmt: skip
    assert found.context.tumor_primary == "breast"
    assert [item.value for item in found.observations] == ["21", "812", "3.9", "5", "positive", "detected"]
    assert found.observations[1].code.system == "http://loinc.org"
    assert found.observations[5].variants[0].vaf_pct == 12.5


def test_everything_but_specimen_id_and_observations_may_be_missing() -> None:
    found = read(b'{"specimen": {"id": "S1"}, "observations": [{"code": "csf_protein"}]}')
    assert (found.status, found.patient.sex, found.specimen.site) == ("final", "unknown", "unknown")
    assert found.observations[0].value is None


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("1.0", "1.0"), ("-5", "-5"), ("1e400", "1e400"), ("1E5", "1E5"), ("0.10", "0.10"), ("-0", "-0"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ('"1.0"', "1.0"), ('"<5"', "<5"), ('"1_000"', "1_000"), ('"٣"', "٣"), ('"10,0"', "10,0"),
        ('" 12/3 "', " 12/3 "),
        ('""', ""), ('"NaN"', "NaN"), ('"pending"', "pending"), ("null", None),
    ],
)  # fmt: skip
def test_a_value_is_kept_exactly_as_sent(sent: str, kept: str | None) -> None:
    data = f'{{"specimen": {{"id": "S1"}}, "observations": [{{"code": "x", "value": {sent}}}]}}'
    assert read(data.encode()).observations[0].value == kept


def test_an_odd_cell_is_no_error() -> None:
    cell = _observed(code="näh?", unit="furlong", comparator="~", value="viel").observations[0]
    assert (cell.code.code, cell.unit, cell.comparator, cell.value) == ("näh?", "furlong", "~", "viel")


def test_tumor_may_be_a_bare_word() -> None:
    assert _read(context={"tumor": "solid"}).context == _read(context={"tumor": {"class": "solid"}}).context


def test_null_and_absent_are_the_same_panel() -> None:
    empty = {"tumor": None, "mri": None, "immunosuppressed": None, "symptom_duration_days": None, "history": None}
    assert _read(context=empty, patient=None, source=None, status=None) == _read()


def test_history_is_kept_and_a_bare_cytology_word_becomes_its_object() -> None:
    history = {
        "csf_cytology": "positive",
        "csf_samples_examined": 2,
        "albumin_quotient": 7.5,
        "first_finding": {"a": 1},
    }
    found = _read(context={"history": history}).context.history
    assert found == history | {"csf_cytology": {"value": "positive"}}
    full = {"value": "negative", "panel_id": "p1", "collected_at": "2026-01-02"}
    assert _read(context={"history": {"csf_cytology": full}}).context.history == {"csf_cytology": full}


def test_dates_are_read_with_and_without_offset() -> None:
    def collected(sent: str) -> object:
        return _read(specimen={"id": "S1", "collected_at": sent}).specimen.collected_at

    assert collected("2026-03-01") == date(2026, 3, 1)
    assert collected("2026-03-01T09:20") == datetime(2026, 3, 1, 9, 20)
    assert collected("2026-03-01T09:20:00Z") == datetime(2026, 3, 1, 9, 20, tzinfo=UTC)


@pytest.mark.parametrize(("unit", "milliliters"), [("mL", 8.0), ("cL", 80.0), ("L", 8000.0), ("uL", 0.008)])
def test_volume_is_in_milliliters(unit: str, milliliters: float) -> None:
    assert _read(specimen={"id": "S1", "volume": {"value": 8, "unit": unit}}).specimen.volume_ml == milliliters


def test_age_may_stand_beside_the_birth_date() -> None:
    patient = _read(patient={"birth_date": "1961-04-02", "age": {"value": 0.5, "unit": "mo"}}).patient
    assert (patient.age, patient.birth_date) == (Age(0.5, "mo"), date(1961, 4, 2))


TAKEN = {"id": "S1", "collected_at": "2026-03-01"}
REFUSED: list[tuple[Document, str, str]] = [
    ({"specimen": {}}, "/specimen/id", "needed"),
    ({"specimen": None}, "/specimen", "needed"),
    ({"specimen": {"id": "  "}}, "/specimen/id", "empty"),
    ({"specimen": {"id": 4711}}, "/specimen/id", "text in quotes"),
    ({"patient": {"id": 4711}}, "/patient/id", "text in quotes"),
    ({"patient": {"id": ""}}, "/patient/id", "empty"),
    ({"patient": {"sex": "f"}}, "/patient/sex", "female, male, other, unknown"),
    ({"patient": {"birth_date": "1961"}}, "/patient/birth_date", "YYYY-MM-DD"),
    ({"patient": {"birth_date": "1961-02-30"}}, "/patient/birth_date", "exists"),
    ({"patient": {"birth_date": "١٩٦١-٠٤-٠٢"}}, "/patient/birth_date", "YYYY-MM-DD"),
    ({"patient": {"age": {"value": -1, "unit": "a"}}}, "/patient/age/value", "0 or more"),
    ({"patient": {"age": {"value": 54}}}, "/patient/age/unit", "a, mo, wk, d"),
    ({"patient": {"age": {"value": "54", "unit": "a"}}}, "/patient/age/value", "JSON number"),
    ({"patient": 5}, "/patient", "object"),
    ({"specimen": {"id": "S1", "collected_at": "2026-13-01"}}, "/specimen/collected_at", "ISO 8601"),
    ({"specimen": {"id": "S1", "collected_at": "0001-01-01T00:00:00+14:00"}}, "/specimen/collected_at", "ISO 8601"),
    ({"specimen": {"id": "S1", "collected_at": 20260301}}, "/specimen/collected_at", "ISO 8601"),
    ({"specimen": {"id": "S1", "tube": 1.5}}, "/specimen/tube", "whole"),
    ({"specimen": {"id": "S1", "tube": True}}, "/specimen/tube", "whole"),
    ({"specimen": {"id": "S1", "condition": ["warm"]}}, "/specimen/condition/0", "hemolyzed"),
    ({"specimen": {"id": "S1", "condition": "frozen"}}, "/specimen/condition", "list"),
    ({"specimen": {"id": "S1", "volume": {"value": 8, "unit": "drops"}}}, "/specimen/volume/unit", "mL"),
    ({"status": "done"}, "/status", "preliminary, final, corrected, cancelled"),
    ({"observations": []}, "/observations", "at least one"),
    ({"observations": {"code": "x"}}, "/observations", "at least one"),
    ({"observations": [5]}, "/observations/0", "object"),
    ({"observations": [{"value": 1}]}, "/observations/0/code", "needed"),
    ({"observations": [{"code": 28803}]}, "/observations/0/code", "text in quotes or a JSON object"),
    ({"observations": [{"code": {"display": "x"}}]}, "/observations/0/code/code", "needed"),
    ({"observations": [{"code": "x", "value": True}]}, "/observations/0/value", "JSON number, as text"),
    ({"observations": [{"code": "x", "value": [1]}]}, "/observations/0/value", "JSON number, as text"),
    ({"observations": [{"code": "x", "value": "9" * 201}]}, "/observations/0/value", "200 characters"),
    ({"observations": [{"code": "x", "value": 10**201}]}, "/observations/0/value", "200 characters"),
    ({"observations": [{"code": "x", "unit": 5}]}, "/observations/0/unit", "text in quotes"),
    ({"observations": [{"code": "x", "organism_class": "germ"}]}, "/observations/0/organism_class", "bacterial"),
    ({"observations": [{"code": "x", "status": "done"}]}, "/observations/0/status", "entered_in_error"),
    ({"observations": [{"code": "x", "variants": [{}]}]}, "/observations/0/variants/0/gene", "needed"),
    ({"context": {"tumor": "liquid"}}, "/context/tumor", "hematologic"),
    ({"context": {"tumor": {"class": "liquid"}}}, "/context/tumor/class", "hematologic"),
    ({"context": {"immunosuppressed": "yes"}}, "/context/immunosuppressed", "true, false or null"),
    ({"context": {"symptom_duration_days": -1}}, "/context/symptom_duration_days", "0 or more"),
    ({"context": {"stated": ["fever", "cold"]}}, "/context/stated/1", "seizure"),
    ({"context": {"imunosuppressed": True}}, "/context/imunosuppressed", "Did you mean immunosuppressed?"),
    ({"context": {"history": {"csf_cytology": "maybe"}}}, "/context/history/csf_cytology", "nondiagnostic"),
    ({"colour": 1}, "/colour", "colour"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "pointer", "says"), REFUSED)
def test_what_breaks_the_schema_is_refused_with_its_pointer(changes: Document, pointer: str, says: str) -> None:
    faults = _faults(_bytes(MINIMAL | changes))
    assert list(faults) == [pointer]
    assert says in faults[pointer]


def test_every_field_that_is_wrong_is_named_in_the_order_of_pointers() -> None:
    observations = [{"code": "x"}] * 2 + [{"code": 1}] + [{"code": "x"}] * 7 + [{"code": 1}]
    assert list(_faults(_bytes(MINIMAL | {"observations": observations, "status": "?"}))) == [
        "/observations/2/code", "/observations/10/code", "/status",
    ]  # fmt: skip


def test_unknown_keys_are_shown_only_when_they_look_like_identifiers() -> None:
    faults = _faults(_bytes(MINIMAL | {"patient": {"Meier, Anna": 1, "mrn_471112": 2, "x" * 60: 3}}))
    assert "/patient" in faults
    text = "".join([*faults, *faults.values()])
    assert "Meier" not in text
    assert "4711" not in text
    assert "x" * 39 + "…" in text
    assert "x" * 40 not in text


def test_the_same_content_has_the_same_digest(panel: Document) -> None:
    digest = content_digest(read(_bytes(panel)))
    assert digest.startswith("sha256:")
    turned = json.dumps(dict(reversed(panel.items())), indent=4).encode()
    assert content_digest(read(turned)) == digest
    assert content_digest(read(_bytes(panel | {"source": {"system": "LIS-A", "message_id": "OTHER"}}))) == digest
    assert content_digest(read(_bytes(panel | {"context": panel["context"] | {"hemisphere": None}}))) == digest


@pytest.mark.parametrize(
    "change",
    [
        {"status": "corrected"}, {"patient": {"id": "P2"}}, {"context": {"mri": "linear"}}, {"source": {"system": "B"}},
        {"specimen": {"id": "S2"}}, {"context": {"immunosuppressed": False}},
        {"observations": [{"code": "csf_protein", "value": NumberText("1.0"), "unit": "g/L"}]},
    ],
)  # fmt: skip
def test_other_content_has_another_digest(change: Document) -> None:
    assert content_digest(read_document(MINIMAL | change)) != content_digest(read_document(MINIMAL))


@pytest.mark.parametrize("store", [dumps, json.dumps])
def test_a_stored_document_is_read_back_as_the_same_panel(panel: Document, store: Callable[[object], str]) -> None:
    data = _bytes(panel | {"patient": {"age": {"value": 54.5, "unit": "a"}}}).replace(b"21,", b"1e400,")
    first = read(data)
    again = read(store(first.document).encode())
    assert again == first
    assert again.observations[0].value == "1e400"
    assert content_digest(again) == content_digest(first)


def test_a_panel_without_a_document_has_a_digest_of_its_fields() -> None:
    first, second = (Panel(found.specimen, found.observations) for found in (_read(), _read(specimen={"id": "S2"})))
    assert content_digest(first) == content_digest(Panel(first.specimen, first.observations))
    assert content_digest(first) != content_digest(second)


def test_dumps_keeps_numbers_verbatim_and_refuses_what_is_not_json() -> None:
    assert dumps(parse('{"b": 1.0, "a": ["µ", 1e400]}'.encode())) == '{"b": 1.0, "a": ["µ", 1e400]}'
    with pytest.raises(ValueError):
        dumps([float("nan")])


GOOD = _bytes(MINIMAL)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (GOOD, "+"),
        (json.dumps(MINIMAL, indent=2).encode(), "+"),
        (b"[" + GOOD + b",\n" + GOOD + b"]", "++"),
        (GOOD + b"\n" + GOOD + b"\r\n\n" + GOOD + b"\n", "+++"),
        (b"\xef\xbb\xbf" + GOOD + b"\n" + GOOD, "++"),
        (GOOD + b"\n{broken\n\xff\n" + GOOD, "+--+"),
        (b"{broken\n" + GOOD, "-+"),
        (b'{"broken\n  "pretty": {}\n}', "-"),
        (b'[{"a": NaNx}, ' + GOOD + b', {"a": "],["], "b"}, 5, {"a": [1, 2}, ' + GOOD + b"]", "-+---+"),
        (b"[" + GOOD + b", " + b"[" * 5000 + b"]" * 5000 + b", " + GOOD + b"]", "+-+"),
        (b"[" + GOOD + b', {"specimen": {"id": "S", "id": "T"}}, ' + GOOD + b"]", "+-+"),
        (b"[" + GOOD + b", " + GOOD, "++-"),
        (b"[" + GOOD + b"] x", "+-"),
        (b"{broken\n" + GOOD + b"\n" + GOOD + b"\n{broken", "-++-"),
        (json.dumps(MINIMAL, indent=0).encode(), "+"),
        (GOOD.replace(b'[{"code"', b'[\n{"code"').replace(b"]}", b"\n]}"), "+"),
        (json.dumps(MINIMAL, indent=2).encode()[:-1], "-"),
        (b"[]", "-"),
        (b"", "-"),
        (b"[\xff]", "-"),
    ],
)
def test_many_panels_are_read_one_by_one_and_a_bad_one_stops_no_other(data: bytes, expected: str) -> None:
    assert "".join("+" if isinstance(item, Panel) else "-" for item in read_many(data)) == expected


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (GOOD + b"\n\n" + b'{"a" 1}\n' + GOOD, "line 3, column 6"),
        (b"\n\n{broken\n" + GOOD, "line 3, column 2"),
        (b"[" + GOOD + b',\n  {"a" 1}, ' + GOOD + b"]", "line 2, column 8"),
        (b"[" + GOOD + b',\n{},\n{"a": 1,\n "b" 1}]', "line 4, column 6"),
        (b'\n{"a":\n}', "line 3, column 1"),
        (GOOD + b'\n{"a": "\xff"}\n', "line 2, byte 8"),
    ],
)
def test_a_place_is_told_by_the_line_of_the_file(data: bytes, place: str) -> None:
    told = [item.message for item in read_many(data) if isinstance(item, DocumentError)]
    assert any(f"({place})" in message for message in told), told


def test_the_registry_reads_and_writes(make_document: Callable[[], Document]) -> None:
    form = FORMATS["json"]
    assert form.read is not None
    assert form.write is not None
    assert [item.specimen.id for item in form.read(GOOD, ReadLimits())] == ["S1"]
    assert json.loads(form.write(make_document())) == make_document()
    assert FORMATS["text"].read is None
