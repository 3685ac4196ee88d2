"""Bytes of HL7 v2 -> text and back: byte order marks, MLLP frames, character sets (table 0211), escape sequences.

hl7_segments.py cuts the text. python-hl7 is not used at run time: its traps (codes.md section 6) need this work before
and after it, and what it does in between is to split at five characters; tests read what we write with it.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
DEFAULT_CODEC = "utf-8"
# Table 0211, and the names that senders write instead. ASCII is read as UTF-8, which holds it.
CODECS = {
    "": DEFAULT_CODEC,
    "ascii": DEFAULT_CODEC,
    "unicode": DEFAULT_CODEC,
    "unicodeutf8": DEFAULT_CODEC,
    "utf8": DEFAULT_CODEC,
    "gb180302000": "gb18030",
    "big5": "big5",
    "ksx1001": "euc_kr",
    "windows1252": "cp1252",
    "cp1252": "cp1252",
} | {
    name: f"iso8859-{part}"
    for part in ("1", "2", "3", "4", "5", "6", "7", "8", "9", "15")
    for name in (f"8859{part}", f"iso8859{part}")
}
_NOT_A_NAME = re.compile(r"[^a-z0-9]")
_LINE_END = re.compile("[\r\n\x0b\x1c]+")
_FRAME = "\x0b\x1c\r\n\ufeff"
_FRAME_BYTES = b"\x0b\x1c\r\n\t "
_UNMARKED = ((b"M\x00S\x00H\x00", "utf-16-le"), (b"\x00M\x00S\x00H", "utf-16-be"))


@dataclass(frozen=True)
class Delimiters:
    """The characters that MSH-1 and MSH-2 name; what MSH-2 leaves out is the usual one."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    @property
    def encoding_characters(self) -> str:
        """MSH-2."""
        return self.component + self.repetition + self.escape + self.subcomponent

    @property
    def usable(self) -> bool:
        """True if the five differ and none could be part of a name, a number or a line end."""
        marks = self.field + self.encoding_characters
        return len(set(marks)) == 5 and not any(mark.isalnum() or mark.isspace() or mark == '"' for mark in marks)

    def unescape(self, text: str, codec: str = DEFAULT_CODEC) -> str:
        """The text that is meant. Sequences that are not known here, and lone escape characters, stay as sent."""
        mark = self.escape
        if mark not in text:
            return text
        return _sequence(mark).sub(lambda match: self._meant(match, codec), text)

    def _meant(self, match: re.Match[str], codec: str) -> str:
        sequence = match[1]
        plain = {"F": self.field, "S": self.component, "R": self.repetition, "E": self.escape, "T": self.subcomponent}
        if sequence in plain:
            return plain[sequence]
        if sequence in "HN":  # highlighting
            return ""
        if sequence.startswith("X"):
            return _hexadecimal(sequence[1:], codec) or match[0]
        command, number = sequence[1:3], sequence[3:].lstrip("+")
        if command in ("br", "ce", "sp"):  # a new line; .sp3 is three
            return "\n" * (int(number) if command == "sp" and number.isdecimal() and int(number) < 10 else 1)
        return ""  # indents, fill and no-fill: layout without text

    def escaped(self, text: str) -> str:
        """The text as a field may hold it: marks and control characters as escape sequences, lines by `.br`."""
        escape = self.escape
        marks = {
            self.escape: "E", self.field: "F", self.component: "S", self.subcomponent: "T", self.repetition: "R",
            "\n": ".br",
        }  # fmt: skip
        parts = []
        for character in text.replace("\r\n", "\n").replace("\r", "\n"):
            if character in marks:
                parts.append(f"{escape}{marks[character]}{escape}")
            elif character < " ":
                parts.append(f"{escape}X{ord(character):02X}{escape}")
            else:
                parts.append(character)
        return "".join(parts)


USUAL = Delimiters()
_SEQUENCES: dict[str, re.Pattern[str]] = {}


def _sequence(mark: str) -> re.Pattern[str]:
    """One known escape sequence between two escape characters."""
    found = _SEQUENCES.get(mark)
    if found is None:
        known = r"([FSTREHN]|X(?:[0-9A-Fa-f]{2})+|\.(?:br|ce|sp|fi|nf|in|ti|sk)[+-]?[0-9]{0,3})"
        found = _SEQUENCES[mark] = re.compile(re.escape(mark) + known + re.escape(mark))
    return found


def _hexadecimal(digits: str, codec: str) -> str | None:
    r"""Characters of a `\X..\` sequence; None where they are no text (then the sequence stays as sent)."""
    try:
        text = bytes.fromhex(digits).decode(codec)
    except UnicodeDecodeError:
        return None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if all(character >= " " or character in "\n\t" for character in text) else None


def codec_of(charset: str) -> str | None:
    """Python's name of a character set of MSH-18; None if it is not known here."""
    return CODECS.get(_NOT_A_NAME.sub("", charset.lower()))


def marked_codec(data: bytes) -> tuple[bytes, str | None]:
    """The bytes without frame and byte order mark, and the codec that they show; None: they do not."""
    body = data.lstrip(_FRAME_BYTES)
    for mark, codec in BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return body[len(mark) :], codec
    return body, next((codec for start, codec in _UNMARKED if body.startswith(start)), None)


def lines(text: str) -> list[str]:
    """The lines between CR, LF or CRLF, without empty ones and without frame characters."""
    return [line for line in (part.strip(_FRAME) for part in _LINE_END.split(text)) if line]
