"""Plain-text layout in 80 columns: display width, wrapping, tables, boxes. Knows nothing of what the text says."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH = 80
_BLANK = "\t\n\v\f\r\x85\u2028\u2029"
# Signs that reorder or hide text on a screen or act on a terminal; a patient's report shows that one was there.
_SHOWN_AS = "\ufffd"
_HARMFUL = ("Cc", "Cs", "Cf", "Co", "Cn")


@dataclass(frozen=True)
class Cell:
    """A text in a column of `width`; `right`: flush right."""

    text: str
    width: int
    right: bool = False


def clean(text: str) -> str:
    """One line of printable text: line ends become blanks, control and direction signs become U+FFFD."""
    if text.isprintable():  # no sign of the categories below and no blank but the space
        return text
    return "".join(map(_clean_sign, text))


def _clean_sign(sign: str) -> str:
    if sign in _BLANK:
        return " "
    return _SHOWN_AS if unicodedata.category(sign) in _HARMFUL else sign


def width_of(text: str) -> int:
    """Columns that the text takes: wide East Asian signs two, combining marks none."""
    return len(text) if text.isascii() else sum(map(_width_of_sign, text))


def _width_of_sign(sign: str) -> int:
    if unicodedata.category(sign) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in ("W", "F") else 1


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns; a word that is longer than a line is broken. Always at least one line."""
    lines, line = [], ""
    for word in clean(text).split():
        if line and width_of(line) + 1 + width_of(word) <= width:
            line += " " + word
            continue
        if line:
            lines.append(line)
        *full, line = _pieces(word, width)
        lines += full
    return [*lines, line]


def _pieces(word: str, width: int) -> list[str]:
    if width_of(word) <= width:
        return [word]
    pieces, piece, taken = [], "", 0
    for sign in word:
        size = _width_of_sign(sign)
        if taken + size > width:
            pieces.append(piece)
            piece, taken = "", 0
        piece, taken = piece + sign, taken + size
    return [*pieces, piece]


def paragraph(text: str, *, indent: int = 2, hang: int = 0, lead: str = "") -> list[str]:
    """Wrapped text behind `indent` blanks; `lead` stands before the first line, `hang` indents the others further."""
    start = " " * indent + lead
    rest = " " * (indent + max(hang, width_of(lead)))
    lines = wrap(text, WIDTH - width_of(rest))
    return [(rest if number else start) + line for number, line in enumerate(lines)]


def fact(label: str, text: str, *, indent: int = 2, column: int = 18) -> list[str]:
    """`label   text`, the text wrapped in its own column."""
    lead = label.ljust(column - indent - 1) + " "
    return paragraph(text, indent=indent, lead=lead)


def facts(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Short facts two to a line, long ones on a line of their own; the order is kept."""
    lines: list[str] = []
    waiting: list[str] | None = None
    for label, text in pairs:
        block = fact(label, text, indent=2, column=15)
        fits = len(block) == 1 and width_of(block[0]) <= 40
        if fits and waiting is not None:
            lines.append(waiting[0] + " " * (42 - width_of(waiting[0])) + block[0].strip())
            waiting = None
            continue
        lines += waiting or []
        waiting = block if fits else None
        lines += [] if fits else block
    return lines + (waiting or [])


def row(cells: Sequence[Cell], indent: int = 0) -> list[str]:
    """One row of a table; a cell that is too long for its column goes on below itself."""
    columns = [wrap(cell.text, cell.width) for cell in cells]
    height = max(map(len, columns))
    lines = []
    for number in range(height):
        parts = [
            _fill(column[number] if number < len(column) else "", cell)
            for column, cell in zip(columns, cells, strict=True)
        ]
        lines.append((" " * indent + " ".join(parts)).rstrip())
    return lines


def _fill(text: str, cell: Cell) -> str:
    blanks = " " * (cell.width - width_of(text))
    return blanks + text if cell.right else text + blanks


def box(title: str, texts: Iterable[str]) -> list[str]:
    """A frame that is not overlooked."""
    inside = [line for text in (title, *texts) for line in wrap(text, WIDTH - 4)]
    edge = "#" * WIDTH
    return [edge, *(f"# {line}{' ' * (WIDTH - 4 - width_of(line))} #" for line in inside), edge]


def heading(text: str) -> list[str]:
    return ["", *wrap(text.upper(), WIDTH), "-" * WIDTH]
