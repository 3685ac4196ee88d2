"""Bytes of a message: frames, line ends, character sets, delimiters, escapes; the same fields as python-hl7."""

from __future__ import annotations

from typing import Any

import hl7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csfinterp.formats import hl7_v2
from csfinterp.formats.hl7_header import open_message
from csfinterp.formats.hl7_text import USUAL, Delimiters, codec_of
from csfinterp.formats.strict_json import ReadLimits
from tests.formats.hl7.making import FOLDER, PID, PROTEIN, SPM, documents, message, msh, obr, obx, read, sample

PLAIN = message(PID, obr(), PROTEIN, SPM)


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.replace(b"\r", b"\n"),
        PLAIN.replace(b"\r", b"\r\n"),
        PLAIN.replace(b"\r", b"\r\r\n"),
        b"\x0b" + PLAIN + b"\x1c\r",
        b"\x0b" + PLAIN + b"\x1c",
        b"\xef\xbb\xbf" + PLAIN,
        b"\r\n \n" + PLAIN + b"\r\n\r\n",
        PLAIN.decode().encode("utf-16"),
        PLAIN.decode().encode("utf-16-le"),
        PLAIN.decode().encode("utf-16-be"),
        PLAIN.decode().encode("utf-32"),
    ],
    ids=["lf", "crlf", "crcrlf", "frame", "frame_without_cr", "bom", "blank_lines", "utf16", "le", "be", "utf32"],
)
def test_frames_line_ends_and_marks_change_nothing(data: bytes) -> None:
    assert documents(data) == documents(PLAIN)


@pytest.mark.parametrize("name", ["latin1", "utf16", "mllp_framed_bom_crlf"])
def test_samples_of_character_sets_are_read(name: str) -> None:
    (panel,) = sample(name)
    text = str(panel)
    assert "�" not in text
    assert {"latin1": "Färbung", "utf16": "/µL", "mllp_framed_bom_crlf": "mg/L"}[name] in text


@pytest.mark.parametrize(
    ("codec", "charset"),
    [
        ("utf-8", ""), ("utf-8", "UNICODE UTF-8"), ("utf-8", "UTF-8"), ("utf-8", "ASCII"), ("latin-1", "8859/1"),
        ("iso8859-15", "8859/15"), ("iso8859-1", "ISO-8859-1"), ("cp1252", "WINDOWS-1252"),
        ("gb18030", "GB 18030-2000"),
    ],
)  # fmt: skip
def test_the_character_set_of_msh_18_is_honored(codec: str, charset: str) -> None:
    text = f"{msh()}||||||{charset}\r{PID}\r{obr()}\r{obx('T^Größe^L')}\r{SPM}\r"
    assert documents(text.encode(codec))[0]["observations"][0]["code"]["display"] == "Größe"


def test_utf_8_that_is_not_stated_is_read_and_told() -> None:
    found = read(message(PID, obr(), obx("T^Größe^L"), SPM))
    assert [fault.pointer for fault in found.warnings] == ["/MSH/1/18"]
    assert read(PLAIN).warnings == ()


@pytest.mark.parametrize(("charset", "data"), [("", b"\xe4"), ("UNICODE UTF-8", b"\xe4"), ("KLINGON", b"a")])
def test_bytes_of_another_character_set_are_refused_and_named(charset: str, data: bytes) -> None:
    with pytest.raises(hl7_v2.MessageRefused) as refused:
        read(f"{msh()}||||||{charset}\r{PID}\rNTE|1||".encode() + data + b"\r")
    assert refused.value.faults[0].pointer == "/MSH/1/18"
    assert refused.value.header is not None


def test_other_delimiters_are_read_from_the_header() -> None:
    marks = str.maketrans("|^~\\&", "#*!?+")
    assert documents(PLAIN.decode().translate(marks).encode()) == documents(PLAIN)


def test_a_short_list_of_delimiters_is_completed() -> None:
    assert documents(PLAIN.replace(b"^~\\&", b"^~", 1)) == documents(PLAIN)


def test_a_line_feed_inside_a_text_cuts_no_segment() -> None:
    data = message(PID, obr(), PROTEIN, "NTE|1||first\nsecond\nMSH deficiency", SPM)
    assert len(hl7_v2.split_batch(data)) == 1
    assert documents(data)[0]["observations"][0]["note"] == "first\nsecond\nMSH deficiency"


@pytest.mark.parametrize(
    ("meant", "sent"),
    [
        ("a|b^c~d\\e&f", "a\\F\\b\\S\\c\\R\\d\\E\\e\\T\\f"),
        ("\\R\\", "\\E\\R\\"),  # one backslash and two plain characters: nothing is read twice
        ("important", "\\H\\important\\N\\"),
        ("one\ntwo", "one\\.br\\two"),
        ("one\n\ntwo", "one\\.sp2\\two"),
        ("indented", "\\.in+4\\indented"),
        ("A", "\\X41\\"),
        ("ü", "\\XC3BC\\"),
        ("one\ntwo", "one\\X0D\\two"),
        ("\\X00\\", "\\X00\\"),
        ("\\Xff\\", "\\Xff\\"),
        ("C:\\temp&", "C:\\temp\\T\\"),
        ("\\Q\\", "\\Q\\"),
        ("lone \\", "lone \\"),
    ],
)
def test_escape_sequences(meant: str, sent: str) -> None:
    assert USUAL.unescape(sent) == meant


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n|^~\\&"), max_size=60))
def test_what_is_escaped_reads_back(text: str) -> None:
    for marks in (USUAL, Delimiters("#", "*", "!", "?", "+")):
        written = marks.escaped(text)
        assert marks.unescape(written) == text
        assert not set(written) & {marks.field, marks.component, marks.repetition, marks.subcomponent, "\r", "\n"}


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.hl7")), ids=lambda file: file.stem)
def test_fields_are_those_that_python_hl7_reads(file: Any) -> None:
    for item in hl7_v2.split_batch(file.read_bytes()):
        try:
            ours = open_message(item, ReadLimits()).segments
        except hl7_v2.MessageRefused:
            continue
        codec = ours[0].codec
        text = "\r".join(segment.marks.field.join(_sent(segment.fields)) for segment in ours)
        theirs = hl7.parse(text)
        assert codec_of(ours[0].words(18)) or codec
        for mine, other in zip(ours, theirs, strict=True):
            assert [mine.raw(at) for at in range(len(other))][1:] == [str(field) for field in other][1:]


def _sent(fields: Any) -> list[str]:
    return [fields[0], *fields[2:]] if fields[0] == "MSH" else list(fields)


def test_a_message_that_is_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(hl7_v2.MessageRefused) as refused:
        hl7_v2.read_message(PLAIN, ReadLimits(max_bytes=100))
    assert refused.value.too_large
    assert refused.value.header is not None


def test_more_results_than_allowed_are_refused() -> None:
    many = message(PID, obr(), *[PROTEIN] * 11, SPM)
    with pytest.raises(hl7_v2.MessageFaulty) as refused:
        hl7_v2.read_message(many, ReadLimits(max_observations=10))
    assert refused.value.faults[0].pointer == "/OBX/11/1"
