"""What both HL7 doors do with a message: stored once, answered always, nothing dropped, nothing doubled."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from csfinterp.receiving import Receiver
from csfinterp.service import PanelFilter, Service
from csfinterp.settings import Settings
from csfinterp.store import Store, Written, open_store
from csfinterp.store.schema import hl7_messages
from tests.mllp.messages import Ack, group, msh, oru

Receive = Callable[[bytes], Ack]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("data")
    return Settings.load({"CSFINTERP_DATA_FOLDER": str(folder), "CSFINTERP_ALLOW_DRAFT": "true"})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'csfinterp.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def service(settings: Settings, store: Store) -> Service:
    return Service(settings, store)


@pytest.fixture
def receiver(service: Service, settings: Settings) -> Receiver:
    return Receiver(service, settings)


@pytest.fixture
def receive(receiver: Receiver) -> Receive:
    def run(message: bytes) -> Ack:
        (answer,) = receiver.receive(message)
        return Ack.of(answer)

    return run


def kept(store: Store) -> list[tuple[str, str, bytes]]:
    """(control id, state, message) of all that is kept as received."""
    table = hl7_messages.c
    with store.engine.connect() as connection:
        rows = connection.execute(select(table.control_id, table.state, table.raw).order_by(table.seq))
        return [(row[0], row[1], row[2]) for row in rows]


def versions(service: Service, **filters: str) -> dict[str, int]:
    """Newest version of every panel by specimen."""
    return {item.specimen_id: item.version for item in service.search(PanelFilter(**filters), 100).items}


def several(control_id: str, *groups: tuple[str, ...]) -> bytes:
    return "".join(f"{line}\r" for line in (msh(control_id), *(line for each in groups for line in each))).encode()


SHOES = ("PID|1||MRN-9", "OBR|1|||X", "OBX|1|NM|SHOE^Size^L||43|||||F", "SPM|1|ACC-SHOE||CSF^^HL70487")


# --- the same again ---


def test_the_same_message_again_gets_the_stored_answer_and_stores_nothing(
    receiver: Receiver, service: Service, store: Store
) -> None:
    first = receiver.receive(oru("M1"))
    later = oru("M1").replace(b"20260301100000||ORU", b"20260301113000||ORU")  # MSH-7 changes on resend
    assert [receiver.receive(message) for message in (oru("M1"), later)] == [first, first]
    assert versions(service) == {"ACC-M1": 1}
    assert kept(store) == [("M1", "accepted", oru("M1"))]


def test_the_same_content_under_another_control_id_makes_no_version(receive: Receive, service: Service) -> None:
    assert [receive(oru(name, "ACC-1")).code for name in ("M1", "M2")] == ["AA", "AA"]
    assert versions(service) == {"ACC-1": 1}


def test_other_content_of_a_specimen_under_another_control_id_is_a_version(receive: Receive, service: Service) -> None:
    assert [receive(oru(f"M{place}", "ACC-1", lactate=str(place))).code for place in (1, 2, 3)] == ["AA"] * 3
    assert versions(service) == {"ACC-1": 3}


@pytest.mark.parametrize("other", [{"lactate": "9.9"}, {"patient": "MRN-2", "specimen": "ACC-2"}])
def test_a_control_id_with_other_content_is_kept_answered_ae_and_told(
    receive: Receive, service: Service, store: Store, caplog: pytest.LogCaptureFixture, other: dict[str, str]
) -> None:
    """A sender that puts its license number into MSH-10 must not lose a patient's result in silence."""
    receive(oru("M1"))
    specimen = other.pop("specimen", None)
    changed = oru("M1", specimen, **other)
    with caplog.at_level(logging.ERROR):
        answers = [receive(changed) for _ in range(2)]
    assert {(answer.code, answer.control_id) for answer in answers} == {("AE", "M1")}
    assert "205" in answers[0].text and "MSH^1^10" in answers[0].text and "new control id" in answers[0].text
    assert versions(service) == {"ACC-M1": 1}
    assert kept(store) == [("M1", "accepted", oru("M1")), ("M1", "held", changed)]
    assert sum("somebody must look" in record.message for record in caplog.records) == 2
    assert receive(oru("M1")).code == "AA", "the first content still has its answer"


def test_without_a_control_id_the_content_alone_counts(receive: Receive, service: Service, store: Store) -> None:
    first = receive(oru("", "ACC-1"))
    assert (first.code, first.control_id) == ("AA", "")
    assert receive(oru("", "ACC-1")).raw == first.raw
    assert [receive(oru("", name)).code for name in ("ACC-2", "ACC-3")] == ["AA", "AA"]
    assert receive(oru("", "ACC-1", lactate="8.8")).code == "AA"
    assert versions(service) == {"ACC-1": 2, "ACC-2": 1, "ACC-3": 1}
    assert [row[1] for row in kept(store)] == ["accepted"] * 4


def test_control_ids_of_other_senders_do_not_meet(receive: Receive, service: Service) -> None:
    for sender in ("LIS|LAB", "LIS|OTHER", "LIS2|LAB"):
        assert receive(oru("M1", sender=sender, lactate=str(len(sender)))).code == "AA"
    assert len(service.search(PanelFilter(), 10).items) == 3


def test_a_specimen_of_another_patient_is_kept_and_accepted_once_the_patient_is_right(
    receive: Receive, service: Service, store: Store
) -> None:
    receive(oru("M1", "ACC-1", patient="MRN-1"))
    for _ in range(2):
        answer = receive(oru("M2", "ACC-1", patient="MRN-2"))
        assert (answer.code, "205" in answer.text, "MRN" in answer.text) == ("AE", True, False)
    assert [row[:2] for row in kept(store)] == [("M1", "accepted"), ("M2", "held")]
    assert receive(oru("M2", "ACC-1", patient="MRN-1", lactate="5.0")).code == "AA"
    assert versions(service) == {"ACC-1": 2}


def test_a_refused_message_does_not_occupy_its_control_id(receive: Receive, service: Service, store: Store) -> None:
    answer = receive(several("M1", SHOES))
    assert answer.code == "AE"
    assert "analyte" in answer.text
    assert (versions(service), kept(store)) == ({}, [])
    assert receive(oru("M1")).code == "AA"


def test_a_message_that_names_only_what_is_new_leaves_the_other_results(receive: Receive, service: Service) -> None:
    receive(oru("M1", "ACC-1"))
    changed = [line for line in oru("M2", "ACC-1", lactate="6.5", status="C").split(b"\r") if b"OBX|1|" not in line]
    assert receive(b"\r".join(changed)).code == "AA"
    (item,) = service.search(PanelFilter(specimen="ACC-1"), 10).items
    stored = service.panel(item.panel_id)
    observations: Any = stored.panel_document["observations"]
    assert (stored.version, stored.status) == (2, "corrected")
    assert [str(result["value"]) for result in observations] == ["31", "61", "6.5"]


# --- several panels ---


def test_several_panels_of_one_message_are_all_stored(receive: Receive, service: Service, store: Store) -> None:
    message = several("M1", group("ACC-1", "MRN-1"), group("ACC-2", "MRN-2"))
    first = receive(message)
    assert first.code == "AA"
    assert receive(message).raw == first.raw
    assert versions(service) == {"ACC-1": 1, "ACC-2": 1}
    assert kept(store) == [("M1", "accepted", message)]
    assert receive(several("M1", group("ACC-1", "MRN-1"), group("ACC-2", "MRN-2", lactate="9"))).code == "AE"
    assert versions(service) == {"ACC-1": 1, "ACC-2": 1}


def test_panels_that_cannot_be_stored_are_named_and_the_message_sent_again_completes_it(
    receive: Receive, service: Service, store: Store
) -> None:
    answer = receive(several("M1", group("ACC-1", "MRN-1"), SHOES, group("ACC-3", "MRN-3")))
    assert answer.code == "AE"
    assert "Not stored of 3 panels: 2;" in answer.text
    assert "Panel 2 of 3 is not stored" in answer.text
    assert versions(service) == {"ACC-1": 1, "ACC-3": 1}
    assert [row[1] for row in kept(store)] == ["in_part"]
    mended = several("M1", group("ACC-1", "MRN-1"), group("ACC-2", "MRN-2"), group("ACC-3", "MRN-3"))
    assert receive(mended).code == "AA"
    assert versions(service) == {"ACC-1": 1, "ACC-2": 1, "ACC-3": 1}
    assert [row[1] for row in kept(store)] == ["in_part", "accepted"]


def test_a_message_of_which_no_panel_can_be_read_is_not_kept(receive: Receive, store: Store) -> None:
    answer = receive(several("M" * 300, group("ACC-1"), group("ACC-2", "MRN-2")))
    assert answer.code == "AE"
    assert "None of the 2 panels is stored." in answer.text and "MSH^1^10" in answer.text
    assert kept(store) == []


def test_a_message_broken_off_between_two_panels_is_completed_by_sending_it_again(
    receive: Receive, service: Service, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = several("M1", group("ACC-1", "MRN-1"), group("ACC-2", "MRN-2"))
    add_many = Store.add_many

    def fail_at_second(self: Store, rows: Sequence[Written]) -> None:
        if rows[0].key.specimen_id == "ACC-2":
            raise RuntimeError("MRN-2")
        add_many(self, rows)

    with monkeypatch.context() as broken:
        broken.setattr(Store, "add_many", fail_at_second)
        answer = receive(message)
    assert (answer.code, "207" in answer.text) == ("AE", True)
    assert (versions(service), [row[1] for row in kept(store)]) == ({"ACC-1": 1}, ["open"])
    assert receive(message).code == "AA"
    assert versions(service) == {"ACC-1": 1, "ACC-2": 1}
    assert kept(store) == [("M1", "accepted", message)]


@pytest.mark.parametrize("panels", [1, 2])
def test_the_same_message_on_many_connections_at_once_is_stored_once(
    receive: Receive, service: Service, store: Store, panels: int
) -> None:
    message = several("M1", *(group(f"ACC-{place}", f"MRN-{place}") for place in range(panels)))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(receive, [message] * 8))
    assert {answer.code for answer in answers} <= {"AA", "AE"}
    assert all("207" in answer.text for answer in answers if answer.code == "AE"), "only: send it again"
    assert receive(message).code == "AA"
    assert versions(service) == {f"ACC-{place}": 1 for place in range(panels)}
    assert kept(store) == [("M1", "accepted", message)]


def test_other_contents_under_one_control_id_at_once_let_one_win(
    receive: Receive, service: Service, store: Store
) -> None:
    messages = [oru("M1", f"ACC-{place}") for place in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(receive, messages))
    assert sorted(answer.code for answer in answers) == ["AA"] + ["AE"] * 7
    assert len(versions(service)) == 1
    assert sorted(row[1] for row in kept(store)) == ["accepted"] + ["held"] * 7


def test_a_batch_is_answered_message_by_message(receiver: Receiver, service: Service) -> None:
    data = b"BHS|^~\\&|LIS\r" + oru("M1") + b"MSH|^~\\&|x\r" + oru("M2") + b"BTS|3\r"
    answers = [Ack.of(answer) for answer in receiver.receive(data)]
    assert [(answer.code, answer.control_id) for answer in answers] == [("AA", "M1"), ("AR", ""), ("AA", "M2")]
    assert versions(service) == {"ACC-M1": 1, "ACC-M2": 1}


# --- never AA without a durable store ---


def test_our_own_failure_is_ae_207_and_the_log_holds_no_value(
    receive: Receive, service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("MRN-1")

    with monkeypatch.context() as broken, caplog.at_level(logging.DEBUG):
        broken.setattr(Store, "add_many", fail)
        answer = receive(oru("M1"))
    assert (answer.code, answer.control_id) == ("AE", "M1")
    assert "207" in answer.text and "send the same message again" in answer.text
    assert "MRN-1" not in answer.raw + caplog.text + str([vars(record) for record in caplog.records])
    assert versions(service) == {}
    assert receive(oru("M1")).code == "AA"


def test_a_database_that_cannot_be_reached_is_ae_207(receive: Receive, store: Store) -> None:
    receive(oru("M1"))
    with store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE hl7_messages RENAME TO gone"))
    answer = receive(oru("M2"))
    assert (answer.code, answer.control_id, "207" in answer.text) == ("AE", "M2", True)
    with store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE gone RENAME TO hl7_messages"))
    assert receive(oru("M2")).code == "AA"


# --- modes ---


@pytest.mark.parametrize(
    ("accept", "application", "codes"),
    [("", "", ["AA"]), ("AL", "NE", ["CA"]), ("AL", "AL", ["CA", "AA"]), ("NE", "AL", ["AA"]), ("ER", "NE", ["AA"]),
     ("NE", "NE", ["AA"])],
)  # fmt: skip
def test_enhanced_mode_commits_and_answers_as_asked(
    receiver: Receiver, accept: str, application: str, codes: list[str]
) -> None:
    message = oru("M1").replace(b"|2.5.1||||||", f"|2.5.1|||{accept}|{application}||".encode())
    for _ in range(2):
        assert [Ack.of(answer).code for answer in receiver.receive(message)] == codes


def test_processing_ids_are_a_setting(service: Service, settings: Settings, tmp_path: Path) -> None:
    training = Settings.load({"CSFINTERP_HL7_PROCESSING_IDS": "P,T", "CSFINTERP_DATA_FOLDER": str(tmp_path)})
    assert Ack.of(Receiver(service, settings).receive(oru("M1", processing="T"))[0]).code == "AR"
    assert Ack.of(Receiver(service, training).receive(oru("M1", processing="T"))[0]).code == "AA"
