"""Any bytes: a panel, or an error that says AE or AR; and always an acknowledgment."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import hl7
from hypothesis import example, given, settings
from hypothesis import strategies as st

from csfinterp.errors import DocumentError
from csfinterp.formats import hl7_v2
from csfinterp.model.panel import Panel

SAMPLES = [file.read_bytes() for file in sorted((Path(__file__).parents[2] / "data" / "hl7").glob("*.hl7"))]
NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
PIECES = [
    b"\r", b"\n", b"\x0b", b"\x1c\r", b"|", b"^", b"~", b"\\", b"&", b'""', b"MSH", b"MSH|^~\\&|", b"OBX|", b"SPM|1||",
    b"OBR|1|", b"BHS|^~\\&|\r", b"DSC|X\r", b"\\X0D\\", b"\\.br\\", b"\xff\xfe", b"\xef\xbb\xbf", b"\x00", b"99CSFI",
    b"LN", b"69548-6", b"20261399", b"1e999", b"|||||||8859/1", b"UNICODE UTF-16", "ü".encode(), b"tumor^^99CSFI",
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A sample with pieces cut out, doubled or put in."""
    data = draw(st.sampled_from(SAMPLES))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        middle = draw(
            st.one_of(st.just(b""), st.sampled_from(PIECES), st.just(data[start:end] * 2), st.binary(max_size=4))
        )
        data = data[:start] + middle + data[end:]
    return data


def answered(data: bytes) -> bytes:
    """What a door does with the bytes, without a store."""
    try:
        message = hl7_v2.read_message(data)
    except hl7_v2.MessageError as error:
        assert error.code in ("AE", "AR")
        code, condition, text, faults = hl7_v2.verdict(error)
        return hl7_v2.acknowledge(error.header, code, faults, text, control_id="A1", now=NOW, condition=condition)
    assert message.panels
    for panel in message.panels:
        assert isinstance(panel, Panel | DocumentError)
    return hl7_v2.acknowledge(message.header, "AA", message.warnings, control_id="A1", now=NOW)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.binary(max_size=200), mutated()))
@example(b"")
@example(b"MSH")
@example(b"MSH|")
@example(b"MSH|^~\\&")
@example(b"MSH|^~\\&|A|B|C|D|E|F|ORU^R01|1|P|2.5.1\rOBX")
@example(b"BHS|^~\\&\rBTS|0")
@example("MSH|^~\\&|A".encode("utf-16"))
@example(b"\x00M\x00S\x00H")
def test_any_bytes_are_answered(data: bytes) -> None:
    for item in hl7_v2.split_batch(data):
        header = hl7_v2.read_header(item)
        answer = answered(item)
        if header is None or (header.marks.field == "|" and header.codec == "utf-8"):
            read = hl7.parse(answer.decode())
            assert str(read.segment("MSA")[1]) in ("AA", "AE", "AR")
    for panel in hl7_v2.read_many(data):
        assert isinstance(panel, Panel | DocumentError)
