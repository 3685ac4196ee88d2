"""Held messages: nobody's results are joined by guess, nothing is dropped, and a person's decision is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from csfinterp.cli import main
from csfinterp.errors import ConflictError, DocumentError, NotFoundError
from csfinterp.formats import panel_json
from csfinterp.held import Ruling
from csfinterp.model.panel import Panel
from csfinterp.operations import open_service
from csfinterp.receiving import Receiver
from csfinterp.service import Service
from csfinterp.settings import Settings
from tests.making import panel, quantity
from tests.mllp.messages import oru

WHY = Ruling("Dr. Example", "looked at both labels")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load({"CSFINTERP_DATA_FOLDER": str(tmp_path), "CSFINTERP_ALLOW_DRAFT": "true"})


@pytest.fixture
def service(settings: Settings) -> Iterator[Service]:
    yield open_service(settings)


def sent(patient: str = "MRN-1", message: str | None = None, value: str = "3.1", status: str = "final") -> Panel:
    document: dict[str, Any] = panel(quantity("csf_lactate", value, "mmol/L"), status=status)
    document["patient"]["id"], document["source"]["message_id"] = patient, message
    return panel_json.read(json.dumps(document).encode())


def hold(service: Service, held: Panel, *, partial: bool = False) -> int:
    """Sends a panel that must be held; its number."""
    with pytest.raises(ConflictError):
        service.submit(held, partial=partial)
    return int(service.held.listed("waiting", 10)[-1]["id"])


def values(service: Service, panel_id: str) -> list[str]:
    document: Any = service.panel(panel_id).panel_document
    return [one["value"] for one in document["observations"]]


def test_a_specimen_of_another_patient_waits_and_is_shown_beside_what_it_met(service: Service) -> None:
    first = service.submit(sent())
    number = hold(service, sent("MRN-2", value="9.9"))
    [listed] = service.held.listed("waiting", 10)
    assert (listed["why"], listed["specimen_id"]) == ("other_patient", "ACC-TEST-1")
    assert listed["met"] == {"panel_id": first.panel_id, "version": 1}
    assert "MRN" not in json.dumps(listed) and "9.9" not in json.dumps(listed)
    shown = service.held.show(number)
    assert (shown["document"]["patient"]["id"], shown["stored"]["patient_id"]) == ("MRN-2", "MRN-1")


def test_it_is_released_only_with_a_word_on_whose_it_is(service: Service) -> None:
    first = service.submit(sent())
    number = hold(service, sent("MRN-2", value="9.9"))
    with pytest.raises(DocumentError, match="join"):
        service.held.release(number, WHY)
    with pytest.raises(DocumentError):
        service.held.release(number, Ruling("Dr. Example", " ", join=True))
    assert service.held.show(number)["state"] == "waiting"
    done = service.held.release(number, Ruling("Dr. Example", "one patient", join=True))
    assert (done.panel_id, done.version) == (first.panel_id, 2)
    stored: Any = service.panel(first.panel_id).document
    assert (stored["status"], stored["patient"]["id"]) == ("corrected", "MRN-1")
    assert values(service, first.panel_id) == ["9.9"]
    kept = service.held.show(number)
    assert (kept["state"], kept["decided_by"], kept["note"], kept["version"]) == (
        "released",
        "Dr. Example",
        "one patient",
        2,
    )
    assert kept["document"]["patient"]["id"] == "MRN-2"


def test_or_as_a_specimen_of_its_own(service: Service) -> None:
    first = service.submit(sent())
    done = service.held.release(hold(service, sent("MRN-2")), Ruling("A", "labels exchanged", specimen_id="ACC-9b"))
    assert done.panel_id != first.panel_id
    stored: Any = service.panel(done.panel_id).document
    assert (stored["patient"]["id"], stored["specimen"]["id"]) == ("MRN-2", "ACC-9b")
    assert len(service.versions(first.panel_id)) == 1


def test_a_reused_message_id_is_released_as_a_correction_and_the_sender_who_repeats_it_is_told(
    service: Service,
) -> None:
    first = service.submit(sent(message="M1"))
    other = sent(message="M1", value="4.4")
    number = hold(service, other)
    done = service.held.release(number, WHY)
    assert (done.panel_id, done.version) == (first.panel_id, 2)
    again = service.submit(other)
    assert (again.panel_id, again.version, again.created) == (first.panel_id, 2, False)
    assert service.submit(sent(message="M1")).version == 1


def test_a_decision_is_made_once_and_discarded_is_not_removed(service: Service) -> None:
    first = service.submit(sent())
    number = hold(service, sent("MRN-2"))
    service.held.discard(number, WHY)
    for decide in (service.held.release, service.held.discard):
        with pytest.raises(ConflictError, match="decided already"):
            decide(number, Ruling("B", "again", join=True))
    assert hold_again(service, sent("MRN-2")) == []
    kept = service.held.show(number)
    assert (kept["state"], kept["note"], kept["document"]["patient"]["id"]) == ("discarded", WHY.note, "MRN-2")
    assert len(service.versions(first.panel_id)) == 1
    with pytest.raises(NotFoundError):
        service.held.show(number + 1)


def hold_again(service: Service, held: Panel) -> list[Any]:
    with pytest.raises(ConflictError):
        service.submit(held)
    return service.held.listed("waiting", 10)


def test_a_release_that_was_broken_off_makes_no_second_version(service: Service) -> None:
    first = service.submit(sent())
    number = hold(service, sent("MRN-2", value="9.9"))
    ruling = Ruling("A", "one patient", join=True)

    def killed() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace(service.held, now=killed).release(number, ruling)
    assert service.held.show(number)["state"] == "waiting" and len(service.versions(first.panel_id)) == 2
    assert service.held.release(number, ruling).version == 2
    assert len(service.versions(first.panel_id)) == 2


def test_a_late_preliminary_result_is_released_as_a_correction(service: Service) -> None:
    first = service.submit(sent(), partial=True)
    service.submit(sent(value="2.2", status="preliminary"), partial=True)
    assert values(service, first.panel_id) == ["3.1"]
    [listed] = service.held.listed("waiting", 10)
    assert listed["why"] == "preliminary_after_final"
    done = service.held.release(listed["id"], WHY)
    assert (done.version, service.panel(first.panel_id).status) == (2, "corrected")
    assert values(service, first.panel_id) == ["2.2"]


def test_an_hl7_message_with_a_reused_control_id_waits_too_and_is_accepted_once_released(
    service: Service, settings: Settings
) -> None:
    receiver = Receiver(service, settings)
    assert b"MSA|AA" in receiver.receive(oru("C1", patient="MRN-1"))[0]
    other = oru("C1", specimen="ACC-2", patient="MRN-2")
    assert b"MSA|AE" in receiver.receive(other)[0]
    [listed] = service.held.listed("waiting", 10)
    assert (listed["why"], listed["message_id"]) == ("message_id_reused", "C1")
    service.held.release(listed["id"], WHY)
    assert b"MSA|AA" in receiver.receive(other)[0]
    assert service.held.listed("waiting", 10) == []


def run(settings: Settings, *words: str) -> Result:
    environment = {"CSFINTERP_DATA_FOLDER": str(settings.data_folder), "CSFINTERP_ALLOW_DRAFT": "true"}
    return CliRunner().invoke(main, ["held", *words], env=environment)


def test_the_commands(service: Service, settings: Settings) -> None:
    service.submit(sent())
    number = str(hold(service, sent("MRN-2", value="9.9")))
    listed = run(settings, "list").output
    assert "another patient id" in listed and "MRN" not in listed
    assert json.loads(run(settings, "show", number).output)["document"]["patient"]["id"] == "MRN-2"
    assert run(settings, "release", number, "--join").exit_code == 2  # why is missing
    refused = run(settings, "release", number, "--note", "x")
    assert (refused.exit_code, "another patient id" in refused.output) == (1, True)
    assert "version 2" in run(settings, "release", number, "--join", "--note", "one patient").output
    assert run(settings, "list").output == ""
    assert "one patient" in run(settings, "list", "--state", "all").output
