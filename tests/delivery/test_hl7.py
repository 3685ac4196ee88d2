"""The interpretation back to the laboratory: over MLLP and HTTP, each version in order, withdrawn rows deleted."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import hl7
import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message

from csfinterp.delivery.destinations import HL7_HTTP, HL7_MLLP, Destination
from csfinterp.delivery.sending import END, START
from csfinterp.service import Service
from csfinterp.store import Store, stamp
from csfinterp.store.outbox import DEAD, SENT, WAITING, Subscription
from tests.delivery.conftest import LOOPBACK, PNEUMO, Clock, Receiver, make_worker, submit
from tests.making import quantity, word

CELLS = quantity("csf_leukocytes", 21, "/uL")


class Laboratory:
    """A laboratory system that listens over MLLP; it answers with the codes given, then AA."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.codes: list[str] = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            link, _ = self.server.accept()
            with link:
                data = b""
                while END not in data and (more := link.recv(65_536)):
                    data += more
                if data == b"stop":
                    return
                self.got.append(data.removeprefix(START).removesuffix(END).decode())
                control = self.got[-1].split("|")[9]
                code = self.codes.pop(0) if self.codes else "AA"
                link.sendall(START + f"MSH|^~\\&|LIS|LAB|||1||ACK|1|P|2.5.1\rMSA|{code}|{control}\r".encode() + END)

    @property
    def destination(self) -> Destination:
        port = self.server.getsockname()[1]
        return Destination(
            "lis", HL7_MLLP, host="127.0.0.1", port=port, networks=(LOOPBACK,), timeout_s=2.0, application="LIS",
            facility="LAB",
        )  # fmt: skip

    def close(self) -> None:
        with socket.create_connection(self.server.getsockname()) as link:
            link.sendall(b"stop")
        self.thread.join()
        self.server.close()


@pytest.fixture
def laboratory() -> Iterator[Laboratory]:
    opened = Laboratory()
    yield opened
    opened.close()


@pytest.fixture
def send(store: Store, service: Service, laboratory: Laboratory, clock: Clock) -> Callable[[], int]:
    """Sends what is due to the laboratory."""
    wanted = laboratory.destination
    store.outbox.subscriptions = (Subscription(wanted.name, wanted.event_types),)
    worker = make_worker(store, clock, wanted)
    return worker.send_due


def fields(message: str, name: str) -> list[list[str]]:
    return [line.split("|") for line in message.split("\r") if line.startswith(name)]


def filed(messages: list[str]) -> dict[tuple[str, str], str]:
    """What a laboratory system has on file after these messages: (own code, sub-id) -> value."""
    found: dict[tuple[str, str], str] = {}
    for message in messages:
        for row in fields(message, "OBX"):
            key = (row[3].split("^")[3 if row[3].count("^") > 2 else 0], row[4])
            if row[11] == "D":
                found.pop(key, None)
            else:
                found[key] = row[5]
    return found


def test_one_message_for_each_version_and_none_for_a_critical_call_alone(
    service: Service, laboratory: Laboratory, send: Callable[[], int]
) -> None:
    submit(service, CELLS, PNEUMO)
    submit(service, CELLS, PNEUMO, quantity("csf_lactate", 4, "mmol/L"))
    send()
    assert [fields(message, "OBR")[0][25] for message in laboratory.got] == ["F", "C"]
    assert [row[0][4:6] for row in (fields(message, "MSH") for message in laboratory.got)] == [["LIS", "LAB"]] * 2
    assert len({fields(message, "MSH")[0][9] for message in laboratory.got}) == 2


def test_a_withdrawn_result_is_deleted_from_what_was_filed(
    service: Service, laboratory: Laboratory, send: Callable[[], int]
) -> None:
    submit(service, CELLS, PNEUMO, quantity("csf_lactate", 4, "mmol/L"))
    submit(service, CELLS, word("csf_gram_stain", "negative"))
    submit(service, CELLS)
    send()
    newest = laboratory.got[-1]
    whole = {key: value for key, value in filed(laboratory.got).items()}
    assert whole == filed([newest]), "nothing of an older version is left"
    assert ("organism", "2") in filed(laboratory.got[:1])
    for message in laboratory.got:
        assert parse_message(message, validation_level=VALIDATION_LEVEL.STRICT).validate()
        assert [row[1] for row in fields(message, "OBX")] == [str(n + 1) for n in range(len(fields(message, "OBX")))]
        assert len(hl7.parse(message).segments("OBX")) == len(fields(message, "OBX"))


def test_the_difference_is_told_in_words_with_the_withdrawn_call_first(
    service: Service, laboratory: Laboratory, send: Callable[[], int]
) -> None:
    submit(service, CELLS, PNEUMO)
    submit(service, CELLS, word("csf_gram_stain", "negative"))
    send()
    first = laboratory.got[0].split("OBX|")[0]
    assert "Changed since" not in first
    notes = fields(laboratory.got[1].split("OBX|")[0], "NTE")
    assert notes[1][3] == "Changed since version 1:"
    assert notes[2][3].startswith("CRITICAL RESULT WITHDRAWN - TELL WHOEVER WAS CALLED: Gram stain of CSF: positive")
    assert [note[1] for note in notes] == [str(n + 1) for n in range(len(notes))]


def test_an_old_version_is_never_filed_over_a_newer_one(
    service: Service, store: Store, clock: Clock, laboratory: Laboratory, send: Callable[[], int]
) -> None:
    submit(service, CELLS)
    submit(service, quantity("csf_leukocytes", 22, "/uL"))
    send()
    old = store.outbox.listed("lis", SENT, 9)[-1].event
    assert (old.version, store.outbox.replay(stamp(clock()), "lis", None, [old.id])) == (1, 1)
    send()
    assert len(laboratory.got) == 2
    assert store.outbox.listed("lis", DEAD, 9)[0].last_error == "a newer version was sent before"
    assert store.outbox.replay(stamp(clock()), "lis", None) == 2
    send()
    assert [fields(message, "OBR")[0][25] for message in laboratory.got] == ["F", "C", "F", "C"]


@pytest.mark.parametrize("code", ["AE", "AR", "", "??"])
def test_what_is_not_accepted_is_sent_again_as_the_same_message(
    service: Service, store: Store, clock: Clock, laboratory: Laboratory, send: Callable[[], int], code: str
) -> None:
    submit(service, CELLS)
    laboratory.codes = [code]
    assert send() == 1
    assert store.outbox.counts() == {("lis", WAITING): 1}
    clock.forward(10)
    assert send() == 1
    assert laboratory.got[0] == laboratory.got[1]
    assert store.outbox.counts() == {("lis", SENT): 1}


def test_hl7_over_http_needs_an_ack_in_the_body(
    service: Service, store: Store, clock: Clock, receiver: Receiver
) -> None:
    wanted = Destination("lis", HL7_HTTP, url=receiver.url, networks=(LOOPBACK,), timeout_s=2.0)
    store.outbox.subscriptions = (Subscription(wanted.name, wanted.event_types),)
    submit(service, CELLS)

    def acknowledge(handler: BaseHTTPRequestHandler) -> None:
        body = b"MSH|^~\\&|LIS\rMSA|AA|1\r"
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    receiver.answers = [lambda handler: _empty(handler), acknowledge]
    worker = make_worker(store, clock, wanted)
    worker.send_due()
    assert store.outbox.listed(None, WAITING, 9)[0].last_error == "the answer holds no MSA segment"
    clock.forward(10)
    worker.send_due()
    assert store.outbox.counts() == {("lis", SENT): 1}
    assert receiver.got[0][0]["content-type"] == "application/hl7-v2"


def _empty(handler: Any) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "0")
    handler.end_headers()
