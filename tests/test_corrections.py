"""Messages that name only what is new: which result they replace, withdraw or finish (codes.md section 3)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from csfinterp.corrections import merged, panel_status, update_of
from csfinterp.errors import ConflictError
from csfinterp.formats import hl7_v2, panel_json
from csfinterp.model.panel import Panel
from csfinterp.service import Service, Submission
from csfinterp.settings import Settings
from csfinterp.store import Store, open_store
from csfinterp.store.schema import held_messages
from tests.making import Document, quantity, result

CELLS, LACTATE = quantity("csf_leukocytes", 21, "/uL"), quantity("csf_lactate", "3.9", "mmol/L")
PNEUMO, LISTERIA = "Streptococcus pneumoniae", "Listeria monocytogenes"


def document(*observations: Document, status: str | None = "final", **parts: Any) -> Document:
    return {
        "source": {"system": "LIS-A"},
        "patient": {"id": "MRN-1"},
        "specimen": {"id": "ACC-1", "type": "csf"},
        **({"status": status} if status else {}),
        "observations": list(observations),
        **parts,
    }


def states(panel: Document) -> list[tuple[Any, Any, str]]:
    """(code, value, status) of each observation, its own status or the panel's."""
    status = panel.get("status", "final")
    return [(one["code"], one.get("value"), one.get("status", status)) for one in panel["observations"]]


def analytes(answer: Submission, *, derived: bool = True) -> list[str]:
    """The results in the order of the document, the calculated ones too or not."""
    rows: Any = answer.document["results"]
    return [row["analyte"] for row in rows if derived or not row["derived"]]


def as_status(observation: Document, status: str) -> Document:
    return {**observation, "status": status}


# --- one result ---


def test_what_is_not_mentioned_is_kept_and_what_is_mentioned_is_replaced() -> None:
    after = merged(document(CELLS, LACTATE), document(quantity("csf_lactate", "4.2", "mmol/L", status="corrected")))
    assert states(after) == [("csf_leukocytes", 21, "final"), ("csf_lactate", "4.2", "corrected")]
    assert after["status"] == "corrected"


def test_a_new_result_is_added_at_the_end() -> None:
    after = merged(document(CELLS, status="preliminary"), document(LACTATE, status="preliminary"))
    assert states(after) == [("csf_leukocytes", 21, "preliminary"), ("csf_lactate", "3.9", "preliminary")]


@pytest.mark.parametrize("word_of_withdrawal", ["entered_in_error", "cancelled"])
def test_a_withdrawn_result_stands_as_withdrawn(word_of_withdrawal: str) -> None:
    after = merged(document(CELLS, LACTATE), document(quantity("csf_lactate", None, None, status=word_of_withdrawal)))
    assert states(after) == [("csf_leukocytes", 21, "final"), ("csf_lactate", None, word_of_withdrawal)]
    assert after["status"] == "corrected"


def test_all_withdrawn_cancels_the_panel() -> None:
    after = merged(document(CELLS), document(quantity("csf_leukocytes", 21, "/uL", status="entered_in_error")))
    assert after["status"] == "cancelled"


def test_final_without_a_value_finishes_what_was_preliminary() -> None:
    """OBX-11 U: neither a value nor a reason why there is none."""
    after = merged(document(CELLS, LACTATE, status="preliminary"), document({"code": "csf_lactate", "status": "final"}))
    assert states(after) == [("csf_leukocytes", 21, "preliminary"), ("csf_lactate", "3.9", "final")]
    assert after["status"] == "preliminary"
    done = merged(after, document({"code": "csf_leukocytes", "status": "final"}))
    assert (states(done), done["status"]) == (
        [("csf_leukocytes", 21, "final"), ("csf_lactate", "3.9", "final")], "final",
    )  # fmt: skip


def test_final_without_a_value_changes_no_final_and_no_withdrawn_result() -> None:
    for status in ("final", "corrected", "entered_in_error"):
        stored = document(CELLS, as_status(LACTATE, status))
        assert merged(stored, document({"code": "csf_lactate", "status": "final"})) is stored


def test_final_with_a_reason_for_no_value_replaces() -> None:
    late = {"code": "csf_lactate", "status": "final", "absent_reason": "clotted"}
    assert states(merged(document(CELLS, LACTATE, status="preliminary"), document(late)))[1][1] is None


@pytest.mark.parametrize("status", ["final", "corrected"])
def test_a_final_result_never_goes_back_to_preliminary(status: str) -> None:
    stored = document(as_status(LACTATE, status), CELLS)
    other = quantity("csf_lactate", "9.9", "mmol/L", status="preliminary")
    update = update_of(stored, document(other))
    assert update.document is stored
    assert update.set_aside == (other,)
    again = update_of(stored, document(as_status(LACTATE, "preliminary")))
    assert (again.document is stored, again.set_aside) == (True, ())


def test_pending_takes_back_no_value() -> None:
    stored = document(LACTATE, status="preliminary")
    pending = {"code": "csf_lactate", "status": "preliminary", "absent_reason": "pending"}
    assert merged(stored, document(pending, status="preliminary")) is stored


def test_a_pending_result_gets_its_value() -> None:
    pending = {"code": "csf_lactate", "absent_reason": "pending"}
    after = merged(document(CELLS, pending, status="preliminary"), document(LACTATE))
    assert states(after)[1] == ("csf_lactate", "3.9", "final")


def test_an_examination_after_a_withdrawal_counts_again() -> None:
    stored = document(CELLS, as_status(LACTATE, "cancelled"), status="corrected")
    assert states(merged(stored, document(as_status(LACTATE, "preliminary"))))[1][2] == "preliminary"


# --- which result is meant ---


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"tube": 1}, {"tube": 4}),
        ({"specimen": "csf"}, {"specimen": "serum"}),
        ({"code": "LAC"}, {"code": {"system": "http://loinc.org", "code": "2520-5"}}),
        ({"code": {"system": "L", "code": "LAC"}}, {"code": {"system": "M", "code": "LAC"}}),
    ],
)
def test_another_tube_specimen_or_code_is_another_result(first: Document, second: Document) -> None:
    assert len(merged(document({**LACTATE, **first}), document({**LACTATE, **second}))["observations"]) == 2


def test_a_code_as_text_or_object_and_its_name_are_the_same() -> None:
    named = {"code": {"code": "csf_lactate", "display": "Lactate"}, "value": "4.2", "unit": "mmol/L", "specimen": "csf"}
    assert states(merged(document(LACTATE), document(named))) == [(named["code"], "4.2", "final")]


def test_a_message_that_does_not_repeat_the_specimen_type_means_the_stored_one() -> None:
    update = document(quantity("csf_lactate", "4.2", "mmol/L"), specimen={"id": "ACC-1"})
    after = merged(document({**LACTATE, "specimen": "csf"}, CELLS), update)
    assert states(after) == [("csf_lactate", "4.2", "final"), ("csf_leukocytes", 21, "final")]
    assert after["specimen"] == {"id": "ACC-1", "type": "csf"}


def culture(value: str | None, organism: str | None = None, status: str = "final") -> Document:
    named = {"organism": organism} if organism else {}
    return {"code": "csf_culture", "value": value, "status": status, **named}


def organisms(panel: Document) -> list[tuple[Any, Any]]:
    return [(one.get("value"), one.get("organism")) for one in panel["observations"]]


def test_organisms_are_results_of_their_own() -> None:
    after = merged(document(culture("positive", PNEUMO)), document(culture("positive", LISTERIA)))
    assert organisms(after) == [("positive", PNEUMO), ("positive", LISTERIA)]


def test_a_preliminary_result_without_organism_is_replaced_by_the_one_that_names_it() -> None:
    after = merged(document(culture("negative", status="preliminary")), document(culture("positive", PNEUMO)))
    assert organisms(after) == [("positive", PNEUMO)]


def test_a_final_summary_line_stands_beside_its_targets() -> None:
    stored = document(culture("negative", PNEUMO), culture("positive", LISTERIA))
    assert len(merged(stored, document(culture("positive")))["observations"]) == 3


@pytest.mark.parametrize("status", ["corrected", "entered_in_error", "cancelled"])
def test_a_correction_or_withdrawal_that_names_no_organism_speaks_of_the_whole_test(status: str) -> None:
    """What the laboratory took back must not stand on as a positive culture."""
    stored = document(culture("positive", PNEUMO), CELLS)
    after = merged(stored, document(culture("negative" if status == "corrected" else None, status=status)))
    assert organisms(after)[0] == ("negative" if status == "corrected" else None, None)
    assert len(after["observations"]) == 2


def test_a_corrected_organism_replaces_the_only_one_that_it_can_mean() -> None:
    fixed = document(culture("positive", LISTERIA, status="corrected"))
    assert organisms(merged(document(culture("positive", PNEUMO)), fixed)) == [("positive", LISTERIA)]
    two = document(culture("positive", PNEUMO), culture("positive", "Escherichia coli"))
    assert len(merged(two, fixed)["observations"]) == 3, "nobody can tell which of both is meant: none is lost"


# --- the panel ---


@pytest.mark.parametrize(
    ("statuses", "panel"),
    [
        (["final", "final"], "final"),
        (["final", "corrected", "preliminary"], "corrected"),
        (["final", "preliminary"], "preliminary"),
        (["final", "cancelled"], "final"),
        (["cancelled", "entered_in_error"], "cancelled"),
        (["preliminary", "entered_in_error"], "preliminary"),
    ],
)
def test_the_panel_has_the_status_of_its_results(statuses: list[str], panel: str) -> None:
    assert panel_status(document(*(as_status(CELLS, status) for status in statuses))) == panel


def test_a_report_called_preliminary_is_not_final_though_its_results_are() -> None:
    assert panel_status(document(as_status(CELLS, "final"), status="preliminary")) == "preliminary"


def test_a_final_panel_never_becomes_preliminary() -> None:
    after = merged(document(CELLS), document(as_status(LACTATE, "preliminary"), status="preliminary"))
    assert after["status"] == "corrected"
    assert states(after) == [("csf_leukocytes", 21, "final"), ("csf_lactate", "3.9", "preliminary")]


def test_a_report_that_only_becomes_final_is_new() -> None:
    stored = document(as_status(CELLS, "final"), status="preliminary")
    assert merged(stored, document(as_status(CELLS, "final")))["status"] == "final"


def test_the_same_update_again_changes_nothing() -> None:
    update = document(as_status(LACTATE, "corrected"), {"code": "csf_protein", "value": "450", "unit": "mg/L"})
    once = merged(document(CELLS, quantity("csf_lactate", 9, "mmol/L")), update)
    assert merged(once, update) is once


def test_what_the_update_does_not_state_of_patient_specimen_and_context_is_kept() -> None:
    stored = document(
        CELLS, patient={"id": "MRN-1", "sex": "female"}, context={"mri": "linear", "tumor": "solid"},
        specimen={"id": "ACC-1", "site": "lumbar", "tube": 2},
    )  # fmt: skip
    update = document(
        LACTATE, patient={"id": "MRN-1", "sex": "unknown", "birth_date": "1961-04-02"}, context={"mri": "normal"},
        specimen={"id": "ACC-1", "site": "unknown", "tube": 3}, source={"system": "LIS-A", "message_id": "M2"},
    )  # fmt: skip
    after = merged(stored, update)
    assert after["patient"] == {"id": "MRN-1", "sex": "female", "birth_date": "1961-04-02"}
    assert after["context"] == {"mri": "normal", "tumor": "solid"}
    assert after["specimen"] == {"id": "ACC-1", "site": "lumbar", "tube": 3}
    assert after["source"] == {"system": "LIS-A", "message_id": "M2"}


# --- through the service, on a real database ---


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'csfinterp.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def service(store: Store, tmp_path: Path) -> Service:
    return Service(Settings.load({"CSFINTERP_DATA_FOLDER": str(tmp_path), "CSFINTERP_ALLOW_DRAFT": "true"}), store)


def message(*observations: Document, message_id: str | None = None, **parts: Any) -> Panel:
    sent = document(*observations, **parts)
    sent["source"]["message_id"] = message_id
    return panel_json.read(json.dumps(sent).encode())


def send(service: Service, *observations: Document, **parts: Any) -> Submission:
    return service.submit(message(*observations, **parts), partial=True)


def history(service: Service, panel_id: str) -> list[tuple[str, str]]:
    return [(row.reason, row.status) for row in service.versions(panel_id)]


def test_a_panel_grows_message_by_message(service: Service) -> None:
    first = send(service, CELLS, status="preliminary", message_id="M1")
    second = send(service, LACTATE, message_id="M2")
    third = send(service, {"code": "csf_leukocytes", "status": "final"}, message_id="M3")
    fourth = send(service, quantity("csf_lactate", "1.5", "mmol/L", status="corrected"), message_id="M4")
    fifth = send(service, as_status(CELLS, "entered_in_error"), as_status(LACTATE, "entered_in_error"), message_id="M5")
    assert [one.version for one in (first, second, third, fourth, fifth)] == [1, 2, 3, 4, 5]
    assert history(service, first.panel_id) == [
        ("posted", "preliminary"), ("completed", "preliminary"), ("completed", "final"), ("corrected", "corrected"),
        ("corrected", "cancelled"),
    ]  # fmt: skip
    assert analytes(second, derived=False) == ["csf_leukocytes", "csf_lactate"]
    assert result(fourth.document, "csf_lactate")["value"] == 1.5
    assert fifth.document["results"] == []
    for kept in (first, second, third, fourth):
        assert service.panel(first.panel_id, kept.version).document == kept.document


def test_the_same_message_again_gets_the_same_answer_and_no_version(service: Service) -> None:
    send(service, CELLS, message_id="M1")
    second = send(service, LACTATE, message_id="M2")
    for again in ("M2", "M3", None):
        assert send(service, LACTATE, message_id=again) == replace(second, created=False)
    with pytest.raises(ConflictError) as caught:
        send(service, quantity("csf_lactate", 9, "mmol/L"), message_id="M2")
    assert caught.value.kind == "message_id_reused"
    assert len(service.versions(second.panel_id)) == 2


def test_a_late_preliminary_result_is_held_and_the_rest_of_its_message_counts(service: Service, store: Store) -> None:
    first = send(service, LACTATE, message_id="M1")
    late = quantity("csf_lactate", "9.9", "mmol/L", status="preliminary")
    second = send(service, late, CELLS, message_id="M2")
    assert result(second.document, "csf_lactate")["value"] == 3.9
    assert analytes(second)[:2] == ["csf_lactate", "csf_leukocytes"]
    assert send(service, late, CELLS, message_id="M2") == replace(second, created=False)
    with store.engine.connect() as connection:
        held = connection.execute(select(held_messages.c.why, held_messages.c.document)).all()
    assert [(why, json.loads(text)["observations"][0]) for why, text in held] == [("preliminary_after_final", late)]
    assert first.version == 1


def test_an_update_for_another_patient_is_held(service: Service) -> None:
    first = send(service, CELLS)
    with pytest.raises(ConflictError) as caught:
        send(service, LACTATE, patient={"id": "MRN-2"})
    assert caught.value.kind == "other_patient"
    assert len(service.versions(first.panel_id)) == 1


def test_an_update_may_bring_blood_alone_once_the_panel_is_there(service: Service) -> None:
    """The serum of a pair often comes later, in a message without any CSF result."""
    send(service, quantity("csf_albumin", 200, "mg/L"))
    pair = send(service, quantity("serum_albumin", 40, "g/L", specimen="serum"))
    assert result(pair.document, "albumin_quotient")["value"] == 5.0


def test_an_amended_context_outlives_an_update(service: Service) -> None:
    first = send(service, CELLS)
    service.amend_context(first.panel_id, {"tumor": "solid", "mri": "linear"}, first.etag)
    context: Any = send(service, LACTATE).document["context"]
    assert context["mri"] == "linear"


def test_a_document_of_the_json_door_still_replaces_the_whole_panel(service: Service) -> None:
    first = send(service, CELLS, LACTATE)
    whole = service.submit(message(CELLS))
    assert (whole.panel_id, whole.version) == (first.panel_id, 2)
    assert analytes(whole) == ["csf_leukocytes"]


CELLS_OBX = "NM|26465-5^Leukocytes^LN||{}|/uL|||||{}"
LACTATE_OBX = "NM|2520-5^Lactate^LN||{}|mmol/L|||||{}"
CULTURE_OBX = "CWE|600-7^Culture^LN||{}||||||{}"


def hl7_message(number: int, report: str, *obx: str) -> Panel:
    """One ORU^R01 of the specimen ACC-9, read; `report` is OBR-25."""
    lines = [
        f"MSH|^~\\&|LIS|LAB|||20260301100000||ORU^R01^ORU_R01|M{number}|P|2.5.1", "PID|1||MRN-9^^^HOSP^MR||Test^Anna",
        f"OBR|1|PO1|FO1|34564-5^CSF^LN|||20260301092000{'|' * 18}{report}",
        *(f"OBX|{place}|{text}" for place, text in enumerate(obx, 1)), "SPM|1|ACC-9||CSF^^HL70487",
    ]  # fmt: skip
    return hl7_v2.read("\r".join(lines).encode())[0]


def test_the_states_of_hl7_do_what_the_guide_says(service: Service) -> None:
    """Each step: OBR-25, the OBX of a message, then the panel's status and (value, status) of each result."""
    steps: list[tuple[str, list[str], str, list[tuple[str | None, str]]]] = [
        ("P", [CELLS_OBX.format(31, "P"), CULTURE_OBX.format("", "I")], "preliminary",
         [("31", "preliminary"), (None, "preliminary")]),
        ("P", [CELLS_OBX.format("", "U")], "preliminary", [("31", "final"), (None, "preliminary")]),
        ("P", [LACTATE_OBX.format("4.2", "R")], "preliminary",
         [("31", "final"), (None, "preliminary"), ("4.2", "preliminary")]),
        ("F", [LACTATE_OBX.format("4.2", "F"), CULTURE_OBX.format("NEG", "F")], "final",
         [("31", "final"), ("NEG", "final"), ("4.2", "final")]),
        ("C", [LACTATE_OBX.format("1.9", "C")], "corrected", [("31", "final"), ("NEG", "final"), ("1.9", "corrected")]),
        ("C", [CELLS_OBX.format('""', "D")], "corrected",
         [(None, "entered_in_error"), ("NEG", "final"), ("1.9", "corrected")]),
        ("C", [CULTURE_OBX.format("", "X")], "corrected",
         [(None, "entered_in_error"), (None, "cancelled"), ("1.9", "corrected")]),
        ("P", [LACTATE_OBX.format("9", "P")], "corrected",
         [(None, "entered_in_error"), (None, "cancelled"), ("1.9", "corrected")]),
        ("C", [LACTATE_OBX.format("", "W")], "cancelled",
         [(None, "entered_in_error"), (None, "cancelled"), (None, "entered_in_error")]),
    ]  # fmt: skip
    for number, (report, obx, panel, results) in enumerate(steps):
        answer = service.submit(hl7_message(number, report, *obx), partial=True)
        again = service.submit(hl7_message(number, report, *obx), partial=True)
        assert again == replace(answer, created=False), number
        stored = service.panel(answer.panel_id)
        found = [(None if value is None else str(value), state) for _, value, state in states(stored.panel_document)]
        assert (stored.status, found) == (panel, results), number
    assert len(service.versions(answer.panel_id)) == len(steps) - 1, "the late preliminary result made no version"


def test_parallel_updates_of_one_specimen_lose_nothing(service: Service) -> None:
    codes = [
        "csf_protein",
        "csf_glucose",
        "csf_albumin",
        "csf_igg",
        "csf_iga",
        "csf_igm",
        "csf_lactate",
        "csf_chloride",
    ]
    sent = [quantity(code, 100 + place, "mg/L") for place, code in enumerate(codes)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda one: send(service, one, message_id=one["code"]), sent))
    assert sorted(answer.version for answer in answers) == list(range(1, 9))
    newest = service.panel(answers[0].panel_id)
    found: Any = newest.panel_document["observations"]
    assert sorted(one["code"] for one in found) == sorted(codes)
    assert {one["code"]: one["value"] for one in found} == {one["code"]: one["value"] for one in sent}
