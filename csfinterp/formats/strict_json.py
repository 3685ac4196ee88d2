"""Strict JSON: what the text of a document may be. Numbers stay as sent; odd JSON is refused, not mended.

Read with Python's own decoder; what it would silently repair (a key sent twice, NaN, half characters) is found by one
walk over the decoded value. That walk is iterative, so no nesting can exhaust the stack.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring

from csfinterp.errors import DocumentError, Fault

Path = tuple[str | int, ...]

BLANKS = " \t\r\n"
_BLANK_BYTES = BLANKS.encode()
MAX_FAULTS = 50
MAX_NAMED = 10
MAX_SHOWN_KEY = 40
_SHOWN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$.-]*")
_LONG_DIGITS = re.compile(r"[0-9]{4}")
_BAD_CHARACTER = re.compile("[\x00\ud800-\udfff]")
# Strings are skipped as a whole, so a bracket or comma inside one is not seen.
# Possessive, and an open string ends with the text: linear time on hostile input.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.?+)*+(?:"|\Z)|[\[\]{},]', re.DOTALL)

_PARTNER = {"]": "[", "}": "{"}
_MAX_LEFT_OPEN = 50

NOT_JSON_NUMBER = "NaN and Infinity are not JSON. Send null with absent_reason, or the word of the laboratory as text."

BAD_TEXT = "The text holds a NUL or half a surrogate pair. Send Unicode text without NUL."
TOO_MANY = "The document holds too many values. Send fewer observations in one panel."


@dataclass(frozen=True)
class _Start:
    """Where in the file a text begins, both from 1: messages name the line of the file, not of the item."""

    line: int = 1
    column: int = 1


@dataclass(frozen=True)
class ReadLimits:
    """How large one document may be: bytes, observations, levels of nesting."""

    max_bytes: int = 10_000_000
    max_observations: int = 2_000
    max_depth: int = 32


DEFAULT_LIMITS = ReadLimits()


class NumberText(str):
    """A JSON number exactly as sent: 1.0 stays "1.0" and 1e400 stays "1e400"."""

    __slots__ = ()


class _RepeatedKeys(dict[str, object]):
    """An object that names a key twice; `again` are those keys. Refused by `check`, which knows the place."""

    again: tuple[str, ...] = ()


class _NotANumber:
    """Stands for a NaN or Infinity literal until `check` refuses it."""


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    repeated = _RepeatedKeys(found)
    repeated.again = tuple(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)[:MAX_NAMED]
    return repeated


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=NumberText, parse_int=NumberText, parse_constant=lambda _: _NotANumber()
)


def refuse(faults: list[Fault]) -> DocumentError:
    """The error that carries these faults, in the order of the document."""
    kept = tuple(sorted(faults, key=_document_order)[:MAX_FAULTS])
    if len(faults) == 1:
        return DocumentError(kept[0].message, kept)
    shown = "" if len(faults) == len(kept) else f" The first {len(kept)} are listed."
    return DocumentError(f"The document has {len(faults)} faults.{shown}", kept)


def _document_order(fault: Fault) -> list[tuple[int, int, str]]:
    parts = fault.pointer.split("/")[1:]
    return [(0, int(part), "") if part.isdecimal() and len(part) < 9 else (1, 0, part) for part in parts]


def shown_key(key: str) -> str | None:
    """The key as an error may show it, cut to 40 characters; None if it could be a patient's data.

    Only what looks like an identifier is shown: other texts, and keys with a long run of digits (dates, record
    numbers), may be a value that slipped into the place of a key.
    """
    if not _SHOWN_KEY.fullmatch(key) or _LONG_DIGITS.search(key):
        return None
    return key if len(key) <= MAX_SHOWN_KEY else key[: MAX_SHOWN_KEY - 1] + "…"


def pointer(path: Path) -> str:
    """RFC 6901 pointer of a place; it stops above the first key that must not be shown."""
    parts = []
    for part in path:
        text = str(part) if isinstance(part, int) else part if shown_key(part) == part else None
        if text is None:
            break
        parts.append("/" + text.replace("~", "~0").replace("/", "~1"))
    return "".join(parts)


def parse(data: bytes, limits: ReadLimits = DEFAULT_LIMITS) -> object:
    """The JSON value of one document, numbers as NumberText. Raises DocumentError for all that is not strict JSON."""
    value = decode(data, limits)
    check(value, limits)
    return value


def decode(data: bytes, limits: ReadLimits, start: _Start = _Start()) -> object:
    """As `parse`, but not yet walked by `check`. `start`: where `data` begins in its file."""
    if len(data) > limits.max_bytes:
        raise _too_large(limits)
    return _decode_text(_text(data, start), limits, start)


def _decode_text(text: str, limits: ReadLimits, start: _Start) -> object:
    if text.count("[") + text.count("{") > _most_values(limits):
        raise _unreadable(TOO_MANY)
    if not text.strip(BLANKS):
        raise _unreadable("The document is empty. Send one JSON object.")
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        column = error.colno + (start.column - 1 if error.lineno == 1 else 0)
        place = f"line {start.line + error.lineno - 1}, column {column}"
        raise _unreadable(
            f"The text is not JSON: {error.msg.split(': ')[0]} ({place}). Send one JSON document."
        ) from None
    except RecursionError:
        raise _unreadable("The document is nested too deeply. Send the flat panel document.") from None


def decode_many(data: bytes, limits: ReadLimits) -> Iterator[object | DocumentError]:
    """Item by item, not yet walked by `check`: one document, the items of an array, or JSON lines.

    An item that cannot be decoded is its DocumentError; the rest goes on. The byte limit holds for each item.
    """
    sent = data.removeprefix(b"\xef\xbb\xbf")
    body = sent.lstrip(_BLANK_BYTES)
    start = _Start(1 + sent[: len(sent) - len(body)].count(b"\n"))
    body = body.rstrip(_BLANK_BYTES)
    if body.startswith(b"["):
        yield from _array_items(body, limits, start)
        return
    whole = _decode_or_error(body, limits, start)
    # Lines of their own only if the text is no document as it stands: that may be written line by line, too.
    if not isinstance(whole, DocumentError) or not _has_lines(body):
        yield whole
        return
    for number, line in enumerate(body.split(b"\n"), start.line):
        if line.strip(_BLANK_BYTES):
            yield _decode_or_error(line, limits, _Start(number))


def _has_lines(body: bytes) -> bool:
    """True if some line of several looks like a whole object that begins at the margin; the others may be broken."""
    lines = body.split(b"\n")
    return len(lines) > 1 and any(line.startswith(b"{") and line.rstrip(_BLANK_BYTES).endswith(b"}") for line in lines)


def _decode_or_error(data: bytes, limits: ReadLimits, start: _Start) -> object | DocumentError:
    try:
        return decode(data, limits, start)
    except DocumentError as error:
        return error


def _array_items(body: bytes, limits: ReadLimits, begin: _Start) -> Iterator[object | DocumentError]:
    """Each item is cut out by counting brackets and decoded by itself, so a broken one hides no other."""
    try:
        text = _text(body, begin)
    except DocumentError as error:
        yield error
        return
    if not text[1:].strip(BLANKS + "]"):
        yield _unreadable("The array is empty. Send at least one panel.")
        return
    start, mark, line, margin = 1, ",", begin.line, 0
    while mark == ",":
        end = _end_of_item(text, start)
        yield _item(text[start:end], limits, _Start(line, 1 + start - margin))
        line += text.count("\n", start, end)
        margin = max(margin, text.rfind("\n", start, end) + 1)
        mark, start = text[end : end + 1], end + 1
    if mark != "]" or text[start:].strip(BLANKS):
        yield _unreadable("The array ends wrongly. Close it with ] and send nothing after it.")


def _item(text: str, limits: ReadLimits, start: _Start) -> object | DocumentError:
    if len(text) > limits.max_bytes:
        return _too_large(limits)
    try:
        return _decode_text(text, limits, start)
    except DocumentError as error:
        return error


def _end_of_item(text: str, start: int) -> int:
    """Where the item ends. A closing bracket also closes what was left open inside it: `{"a": [1}` is one item."""
    opened: list[str] = []
    for token in _TOKEN.finditer(text, start):
        mark = token.group()
        if not opened and mark in (",", "]", "}"):
            return token.start()
        if mark in _PARTNER.values():
            opened.append(mark)
        elif mark in _PARTNER and _PARTNER[mark] in opened[-_MAX_LEFT_OPEN:]:
            while opened.pop() != _PARTNER[mark]:
                pass
    return len(text)


def _text(data: bytes, start: _Start) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = start.line + data.count(b"\n", 0, error.start)
        byte = error.start - data.rfind(b"\n", 0, error.start)
        raise _unreadable(f"The text is not UTF-8 (line {line}, byte {byte}). Send UTF-8.") from None


def _unreadable(message: str) -> DocumentError:
    return DocumentError(message, (Fault("", message),))


def _too_large(limits: ReadLimits) -> DocumentError:
    message = f"The document is larger than {limits.max_bytes} bytes. Send fewer observations, or panels one by one."
    return DocumentError(message, (Fault("", message),), too_large=True)


def check(value: object, limits: ReadLimits) -> None:
    """Raises DocumentError if a decoded value holds what no document may hold, at any depth.

    Refused are keys sent twice, NaN and Infinity, NUL and half surrogate characters, too deep nesting, far too many
    values, and anything that is not a JSON type.
    """
    faults: list[Fault] = []
    waiting: list[tuple[Path, object]] = [((), value)]
    most = _most_values(limits)
    while waiting and len(faults) < MAX_FAULTS:
        path, item = waiting.pop()
        most -= 1
        if most < 0:
            raise _unreadable(TOO_MANY)
        message = _fault_of(item) or ("" if len(path) <= limits.max_depth else _too_deep(limits))
        if message:
            faults.append(Fault(pointer(path), message))
        elif isinstance(item, dict):
            waiting += [((*path, key), inner) for key, inner in item.items()]
        elif isinstance(item, list):
            waiting += [((*path, index), inner) for index, inner in enumerate(item)]
    if faults:
        raise refuse(faults)


def _most_values(limits: ReadLimits) -> int:
    """Values in all: far more than a panel has, few enough to be decoded and walked quickly."""
    return 100 * limits.max_observations + 1_000


def _too_deep(limits: ReadLimits) -> str:
    return f"Nested deeper than {limits.max_depth} levels. Send the flat panel document."


def _fault_of(item: object) -> str | None:
    """What is wrong with this value itself (not with what it holds), or None."""
    if isinstance(item, str):
        return BAD_TEXT if _BAD_CHARACTER.search(item) else None
    if isinstance(item, _RepeatedKeys):
        names = ", ".join(filter(None, map(shown_key, item.again)))
        return f"A key is named twice in this object{': ' + names if names else ''}. Send every key once."
    if isinstance(item, dict):
        good = all(isinstance(key, str) and not _BAD_CHARACTER.search(key) for key in item)
        return None if good else "A key of this object has characters that are not text. Send plain keys."
    if isinstance(item, _NotANumber) or (isinstance(item, float) and not math.isfinite(item)):
        return NOT_JSON_NUMBER
    return None if item is None or isinstance(item, bool | int | float | list) else "Send JSON types only."


def dumps(value: object) -> str:
    """Deterministic JSON text: keys in their order, UTF-8 characters as they are, NumberText as the number sent.

    Raises ValueError for NaN and Infinity, TypeError for what is not JSON.
    """
    if isinstance(value, NumberText):
        return str(value)
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)}: {dumps(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(dumps, value)) + "]"
    return json.dumps(value, allow_nan=False)


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError("keys of a JSON object are text")
    return encode_basestring(key)
