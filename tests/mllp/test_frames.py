"""Frames: whole messages out of bytes in any pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from csfinterp.mllp.frames import HEAD_BYTES, Frame, FrameReader

MAX = 10_000
CONTENT = st.binary(max_size=60).filter(
    lambda data: b"\x1c\r" not in data and b"\x0b" not in data and not data.endswith(b"\x1c")
)


def frames(reader: FrameReader, *pieces: bytes) -> list[bytes]:
    return [frame.data for piece in pieces for frame in reader.feed(piece)]


@given(st.lists(CONTENT, max_size=6), st.data())
def test_messages_come_out_as_they_went_in_however_the_bytes_are_cut(
    messages: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(b"\r\n\x0b" + message + b"\x1c\r" for message in messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    reader = FrameReader(MAX)
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert frames(reader, *pieces) == messages
    assert (reader.inside, reader.noise) == (False, 0)


def test_byte_by_byte_is_the_same() -> None:
    stream = b"\x0bA\x1cB\x1c\r\x0b\x1c\r\x0bC\x1c\r"
    assert frames(FrameReader(MAX), *(bytes([byte]) for byte in stream)) == [b"A\x1cB", b"", b"C"]


def test_a_lone_end_byte_ends_nothing() -> None:
    reader = FrameReader(MAX)
    assert frames(reader, b"\x0bMSH|a\x1c", b"b\r") == []
    assert (reader.inside, reader.begun) == (True, b"MSH|a\x1cb\r")


def test_bytes_outside_of_frames_are_dropped_and_counted_but_for_blanks() -> None:
    reader = FrameReader(MAX)
    assert frames(reader, b"\r\n\0 ", b"GET /") == []
    assert (reader.noise, reader.begun) == (4, b"")
    assert frames(reader, b"xx\x0bA\x1c\r") == [b"A"]
    assert reader.noise == 0


def test_a_message_that_is_broken_off_and_begun_again_counts_once() -> None:
    assert frames(FrameReader(MAX), b"\x0bMSH|1\rOB", b"\x0bMSH|1\rOBX\x1c\r\x0bMSH|2\x1c\r") == [
        b"MSH|1\rOBX",
        b"MSH|2",
    ]


def test_of_a_message_over_the_limit_only_the_head_is_held() -> None:
    reader, size = FrameReader(MAX), 1_000_000
    message = b"MSH|" + bytes(range(97, 123)) * 40_000
    stream = b"\x0b" + message[:size] + b"\x1c\r\x0bnext\x1c\r"
    out: list[Frame] = []
    for start in range(0, len(stream), 1000):
        out += reader.feed(stream[start : start + 1000])
        assert len(reader._buffer) <= MAX + 1000
    assert out == [Frame(message[:HEAD_BYTES], size, True), Frame(b"next", 4, False)]


def test_a_message_exactly_at_the_limit_passes() -> None:
    assert [frame.too_large for frame in FrameReader(MAX).feed(b"\x0b" + b"a" * MAX + b"\x1c\r")] == [False]
    assert [frame.too_large for frame in FrameReader(MAX).feed(b"\x0b" + b"a" * (MAX + 1) + b"\x1c\r")] == [True]
    assert FrameReader(10).feed(b"\x0b" + b"a" * 11 + b"\x1c\r") == [Frame(b"a" * 11, 11, True)]
