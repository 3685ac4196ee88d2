"""The listener over real sockets: frames, pipelines, limits, slow and silent senders, stop."""

from __future__ import annotations

import itertools
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from csfinterp.service import PanelFilter
from tests.mllp.conftest import Listener, Start, stored_panels
from tests.mllp.messages import END, START, Ack, framed, msh, oru

_numbers = itertools.count(1)


def control_id() -> str:
    return f"L{next(_numbers)}"


def test_a_message_is_stored_and_acknowledged(listener: Listener) -> None:
    name = control_id()
    with listener.sender() as sender:
        answer = sender.ask(oru(name))
    assert (answer.code, answer.control_id) == ("AA", name)
    assert answer.raw.startswith("MSH|^~\\&|CSFINTERP|HOSP|LIS|LAB|")
    assert stored_panels(listener, PanelFilter(specimen=f"ACC-{name}")) == [1]


def test_split_frames_joined_frames_and_bytes_between_them(listener: Listener) -> None:
    names = [control_id() for _ in range(6)]
    stream = b"\r\n".join(framed(oru(name)) for name in names)
    with listener.sender() as sender:
        for start, size in ((0, 1), (1, 700), (701, 3), (704, len(stream))):
            sender.write(stream[start : start + size])
            time.sleep(0.02)
        assert [sender.answer().control_id for _ in names] == names


def test_many_messages_ahead_of_their_answers_are_answered_in_order(listener: Listener) -> None:
    """Garbage in between is answered in its place, too."""
    names = [control_id() for _ in range(40)]
    frames = [framed(oru(name)) if place % 4 else framed(b"garbage") for place, name in enumerate(names)]
    with listener.sender() as sender:
        sender.write(b"".join(frames))
        answers = [sender.answer() for _ in names]
    expected = [("AA", name) if place % 4 else ("AR", "") for place, name in enumerate(names)]
    assert [(answer.code, answer.control_id) for answer in answers] == expected


def test_many_connections_at_once(listener: Listener) -> None:
    def talk(_: int) -> list[Ack]:
        with listener.sender() as sender:
            return [sender.ask(oru(control_id())) for _ in range(3)]

    with ThreadPoolExecutor(20) as pool:
        answers = [answer for talked in pool.map(talk, range(20)) for answer in talked]
    assert [answer.code for answer in answers] == ["AA"] * 60
    assert len({answer.control_id for answer in answers}) == 60


@pytest.mark.parametrize(
    ("message", "code", "words"),
    [
        (b"", "AR", "MSH"),
        (b"MSH", "AR", "MSH"),
        (b"MSH|", "AR", "MSH"),
        (b"\xff\xfe\x00", "AR", ""),
        (b"OBX|1|NM|2342-4^^LN||20|mg/dL\r", "AR", "MSH"),
        (oru("T1", processing="T"), "AR", "MSH-11"),
        (msh("A1", kind="ADT^A01^ADT_A01").encode() + b"\rPID|1\r", "AR", "ORU"),
        (msh("E1").encode() + b"\r", "AE", ""),
        (oru("", "ACC-EMPTY"), "AA", ""),
        (oru("U1").replace(b"Anna", b"\xc4nna"), "AR", "MSH-18"),
    ],
    ids=["nothing", "MSH", "MSH|", "bytes", "no MSH", "training", "ADT", "no results", "no control id", "not UTF-8"],
)  # fmt: skip
def test_every_input_is_answered_with_what_to_send_instead(
    listener: Listener, message: bytes, code: str, words: str
) -> None:
    with listener.sender() as sender:
        answer = sender.ask(message)
        assert answer.code == code
        assert words in answer.text
        assert sender.ask(oru(control_id())).code == "AA", "the connection goes on"


def test_a_message_over_the_limit_is_refused_and_the_connection_goes_on(listener: Listener) -> None:
    name = control_id()
    large = oru(name) + b"NTE|1||" + b"x" * 3_000_000
    with listener.sender() as sender:
        answer = sender.ask(large)
        assert (answer.code, answer.control_id) == ("AR", name)
        assert "200000" in answer.text
        assert sender.ask(oru(name)).code == "AA"


def test_a_stream_without_frames_is_told_and_cut_off(listener: Listener) -> None:
    with listener.sender() as sender:
        sender.write(b"GET / HTTP/1.1\r\n" * 6000)
        answer = sender.answer()
        assert (answer.code, answer.control_id) == ("AR", "")
        assert "0x0B" in answer.text
        assert sender.closed()


def test_a_message_broken_off_and_begun_again_is_stored_once(listener: Listener) -> None:
    name = control_id()
    with listener.sender() as sender:
        sender.write(START + oru(name)[:400])
        assert sender.ask(oru(name)).code == "AA"
    assert stored_panels(listener, PanelFilter(specimen=f"ACC-{name}")) == [1]


def test_a_sender_that_goes_in_the_middle_of_a_message_stores_nothing(listener: Listener) -> None:
    name = control_id()
    with listener.sender() as sender:
        sender.write(START + oru(name)[:-20])
    with listener.sender() as sender:
        assert sender.ask(oru(control_id())).code == "AA"
    assert stored_panels(listener, PanelFilter(specimen=f"ACC-{name}")) == []


def test_slow_and_silent_senders_are_bounded(start: Start) -> None:
    listener = start(MLLP_IDLE="1", MLLP_TIMEOUT="1")
    slow, silent, unframed = listener.sender(), listener.sender(), listener.sender()
    began = time.monotonic()
    unframed.write(b"MSH|no frame")
    slow.write(START + oru("SLOW")[:150])
    for _ in range(5):  # a byte now and then does not help
        time.sleep(0.18)
        slow.write(b"x")
    answer = slow.answer()
    assert (answer.code, answer.control_id) == ("AE", "SLOW")
    assert "0x1C 0x0D" in answer.text
    assert slow.closed()
    assert silent.closed()
    assert unframed.answer().code == "AR"
    assert unframed.closed()
    assert time.monotonic() - began < 10


def test_a_sender_that_never_reads_its_answers_is_cut_off_and_hinders_nobody(start: Start) -> None:
    listener = start(MLLP_TIMEOUT="1")
    deaf = listener.sender()
    deaf.socket.settimeout(20)
    long_answer = framed(msh("x" * 100_000, kind="ADT^A01").encode())
    with pytest.raises(ConnectionError):
        while True:
            deaf.write(long_answer)
    with listener.sender() as other:
        assert other.ask(oru(control_id())).code == "AA"


def test_connections_over_the_cap_are_turned_away_and_welcome_later(start: Start) -> None:
    listener = start(MLLP_CONNECTIONS="2")
    first, second = listener.sender(), listener.sender()
    assert [sender.ask(oru(control_id())).code for sender in (first, second)] == ["AA", "AA"]
    with listener.sender() as third:
        assert third.closed()
    first.socket.close()
    for _ in range(100):
        with listener.sender() as fourth:
            try:
                assert fourth.ask(oru(control_id())).code == "AA"
                break
            except (EOFError, ConnectionError):
                time.sleep(0.05)
    else:
        raise AssertionError("the place of the first sender was not given free")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_answers_what_was_read_and_closes(start: Start, number: int) -> None:
    listener = start()
    senders = [listener.sender() for _ in range(6)]
    for sender in senders:
        assert sender.ask(oru(control_id())).code == "AA"
    names = [control_id() for _ in senders]
    for sender, name in zip(senders, names, strict=True):
        sender.write(framed(oru(name)))
    time.sleep(0.05)
    listener.process.send_signal(number)
    answered = []
    for sender in senders:
        try:
            answered.append(sender.answer().control_id)
        except (EOFError, ConnectionError):
            continue
        assert sender.closed()
        sender.socket.close()
    assert listener.process.wait(30) == 0
    assert answered, "what was under way is answered"
    for name in answered:
        assert stored_panels(listener, PanelFilter(specimen=f"ACC-{name}")) == [1]


def test_the_log_of_the_listener_holds_no_patient(listener: Listener) -> None:
    name = control_id()
    with listener.sender() as sender:
        sender.ask(oru(name, patient="MRN-RAW-4711", name="Secret^Name"))
        sender.ask(oru(name, patient="MRN-RAW-4711", name="Secret^Name", lactate="7.7"))
        sender.ask(b"MSH|^~\\&|Secret")
    text = listener.log.read_text()
    assert "message held" in text and "HL7 message answered" in text
    for word in ("MRN-RAW", "Secret", "ACC-", name + '"'):
        assert word not in text


def test_bytes_of_the_answer_are_one_frame(listener: Listener) -> None:
    with listener.sender() as sender:
        sender.write(framed(oru(control_id())))
        data = sender.socket.recv(65536)
    assert data.startswith(START) and data.endswith(END) and data.count(START) == 1
