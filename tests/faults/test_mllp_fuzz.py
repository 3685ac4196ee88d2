"""20,000 mutated messages: each frame is answered or the connection ends in order; no crash, no growth of memory."""

from __future__ import annotations

import random
import socket
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.mllp.conftest import Listener, Sender, listening
from tests.mllp.messages import framed, group, msh, oru

GROUP, EXAMPLES = 50, 400
# The listener's memory may still settle in the first half of the messages, and by this much in the second.
SETTLED_MB = 12

SEEDS = (
    oru("F1"),
    oru("F2", leukocytes="<5", status="P"),
    "".join(f"{line}\r" for line in (msh("F3"), *group("A1"), *group("A2", "MRN-2"))).encode(),
    b"BHS|^~\\&|LIS\r" + oru("F4") + oru("F5") + b"BTS|2\r",
    (Path(__file__).parents[1] / "data" / "hl7" / "minimal_251.hl7").read_bytes(),
)
# What breaks readers of HL7: delimiters, escapes, null, other line ends, character sets, numbers, half segments.
PIECES = (
    b"|", b"^", b"~", b"\\", b"&", b"\\E\\", b"\\X00\\", b"\\.br\\", b'""', b"\r", b"\n", b"\r\n", b"\0", b"\xff\xfe",
    b"\xef\xbb\xbf", "µ\u2028ß".encode(), b"\x80", b"MSH|^~\\&|", b"OBX|1|NM|", b"SPM|", b"PID|||", b"1e999", b"-0",
    b"NaN", b"9" * 400, b"99999999", b"8859/1", b"<", b"DSC|1\r", b"ZZZ|1\r", b"|" * 300, b"^" * 300, b"",
)  # fmt: skip


def cut(data: bytes, start: int, end: int, _: bytes) -> bytes:
    return data[:start] + data[end:]


def double(data: bytes, start: int, end: int, _: bytes) -> bytes:
    return data[:end] + data[start:end] + data[end:]


def put(data: bytes, start: int, _: int, piece: bytes) -> bytes:
    return data[:start] + piece + data[start:]


def replace(data: bytes, start: int, end: int, piece: bytes) -> bytes:
    return data[:start] + piece + data[end:]


def shuffle(data: bytes, start: int, end: int, _: bytes) -> bytes:
    """Segments in another order, the same one for the same place."""
    lines = data.split(b"\r")
    random.Random(start + end).shuffle(lines)
    return b"\r".join(lines)


CHANGES: tuple[Callable[[bytes, int, int, bytes], bytes], ...] = (cut, double, put, replace, replace, shuffle)


def mutated(number: int) -> bytes:
    """A seed with one to three changes, the same ones for the same number; free of frame bytes, so it is one frame.

    Hypothesis draws the numbers: drawing every change by itself would cost more than the listener does.
    """
    draw = random.Random(number)
    data = draw.choice(SEEDS)
    for _ in range(draw.randint(1, 3)):
        start = draw.randint(0, len(data))
        end = min(start + draw.randint(0, 60), len(data))
        data = draw.choice(CHANGES)(data, start, end, draw.choice(PIECES))
    return data.replace(b"\x0b", b"").replace(b"\x1c", b"")


def megabytes(listener: Listener) -> float:
    """Resident memory of the listener."""
    return int(subprocess.run(["ps", "-o", "rss=", "-p", str(listener.process.pid)], capture_output=True).stdout) / 1024


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    with listening(tmp_path_factory.mktemp("fuzz"), MLLP_TIMEOUT="5", LOG_LEVEL="ERROR") as running:
        yield running


def test_every_mutated_message_is_answered_and_memory_does_not_grow(fuzzed: Listener) -> None:
    sent, memory, codes = 0, [], Counter()
    with fuzzed.sender() as sender:
        for seed in SEEDS:
            sender.write(framed(seed))
        _answers(sender, "END-SEEDS")

        @hypothesis.given(st.lists(st.integers(0, 2**60), min_size=GROUP, max_size=GROUP))
        @hypothesis.settings(
            max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )  # fmt: skip
        def fuzz(numbers: list[int]) -> None:
            nonlocal sent
            for number in numbers:
                sender.write(framed(mutated(number)))
            answers = _answers(sender, f"END-{sent}")
            codes.update(answers)
            assert len(answers) >= GROUP
            assert set(answers) <= {"AA", "AE", "AR", "CA", "CE", "CR"}
            sent += GROUP
            if sent % 5000 == 0:
                memory.append(megabytes(fuzzed))

        fuzz()
    assert sent >= GROUP * EXAMPLES * 0.99, "hypothesis found fewer"
    print(sent, codes, memory)
    assert fuzzed.process.poll() is None
    log = fuzzed.log.read_text()
    assert "failure of the service" not in log, log[-3000:]
    assert memory[-1] - memory[len(memory) // 2 - 1] < SETTLED_MB, memory


@hypothesis.given(st.lists(st.sampled_from((*SEEDS[:2], *PIECES, b"\x0b", b"\x1c\r", b"\x1c")), max_size=12))
@hypothesis.settings(
    max_examples=150, deadline=None, derandomize=True, database=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)  # fmt: skip
def test_any_stream_of_bytes_ends_in_answers_and_a_closed_connection(fuzzed: Listener, pieces: list[bytes]) -> None:
    with fuzzed.sender() as sender:
        sender.write(b"".join(pieces))
        sender.socket.shutdown(socket.SHUT_WR)
        with pytest.raises(EOFError):
            while True:
                assert sender.answer().code in ("AA", "AE", "AR")
    assert fuzzed.process.poll() is None


def _answers(sender: Sender, end: str) -> list[str]:
    """The codes of all answers up to that of a message that is sent last; it is none of ours and quickly refused."""
    sender.write(framed(msh(end, kind="ADT^A01").encode()))
    codes = []
    while (answer := sender.answer()).control_id != end:
        codes.append(answer.code)
    assert answer.code == "AR"
    return codes
