"""One YAML file as values that remember their lines; duplicate keys, anchors and ambiguous scalars are refused."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from csfinterp.errors import EditionError

_INT = re.compile(r"-?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+([eE][-+]?[0-9]+)?\Z")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"


class Map(dict[str, object]):
    """A mapping with the line of its start and the line of each key."""

    def __init__(self, file: str, line: int) -> None:
        super().__init__()
        self.file, self.line = file, line
        self.lines: dict[str, int] = {}

    def line_of(self, key: str) -> int:
        """The line of `key`, else that of the mapping."""
        return self.lines.get(key, self.line)


class Seq(list[object]):
    """A sequence with the line of its start and the line of each item."""

    def __init__(self, file: str, line: int) -> None:
        super().__init__()
        self.file, self.line = file, line
        self.lines: list[int] = []


class FollowingSlip(EditionError):
    """Fails only because of another slip that is told by itself, so it is not told."""


class Slips:
    """Collects the errors of one reading, so that a steward sees all of them at once."""

    def __init__(self) -> None:
        self.found: list[EditionError] = []

    def add(self, message: str, file: str | None = None, line: int | None = None) -> None:
        self.found.append(EditionError(message, file, line))

    @contextmanager
    def catching(self) -> Iterator[None]:
        """An EditionError inside is noted and the work goes on behind the block."""
        try:
            yield
        except FollowingSlip:
            # Its cause is among `found` already.
            return
        except EditionError as slip:
            self.found.append(slip)

    def sorted(self) -> tuple[EditionError, ...]:
        """Each slip once, by file and line."""
        unique = {str(slip): slip for slip in self.found}
        return tuple(sorted(unique.values(), key=lambda slip: (slip.file or "", slip.line or 0, slip.message)))


def read_yaml(path: Path, name: str) -> object:
    """The document of one file; `name` is how errors call it. EditionError with the line for anything unreadable."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise EditionError("the file is missing", name) from None
    except OSError as error:
        raise EditionError(f"the file cannot be read: {error.strerror}", name) from None
    except UnicodeDecodeError as error:
        raise EditionError(f"the file is not UTF-8 (byte {error.start}); save it as UTF-8", name) from None
    return parse_yaml(text, name)


def parse_yaml(text: str, name: str) -> object:
    """The document of one text, as `read_yaml`."""
    loader = _LOADER(text)
    try:
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise EditionError(
            f"not YAML: {error.problem or error.context}", name, mark.line + 1 if mark else None
        ) from None
    except yaml.YAMLError as error:
        raise EditionError(f"not YAML: {str(error).splitlines()[0]}", name) from None
    finally:
        loader.dispose()
    if node is None:
        raise EditionError("the file is empty", name, 1)
    return _value(node, name, set())


def _value(node: yaml.Node, name: str, seen: set[int]) -> object:
    line = node.start_mark.line + 1
    if id(node) in seen:
        raise EditionError("anchors and aliases are not used in editions; write the entry out", name, line)
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, name, line)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, name, line, seen)
    sequence = Seq(name, line)
    for item in node.value:
        sequence.lines.append(item.start_mark.line + 1)
        sequence.append(_value(item, name, seen))
    return sequence


def _mapping(node: yaml.MappingNode, name: str, line: int, seen: set[int]) -> Map:
    mapping = Map(name, line)
    for key_node, value_node in node.value:
        at = key_node.start_mark.line + 1
        # `true:` and `12:` are keys as they stand; only a nested key has no text.
        if not isinstance(key_node, yaml.ScalarNode):
            raise EditionError("a key must be a plain word", name, at)
        key = key_node.value
        if key in mapping.lines:
            raise EditionError(f"duplicate key {key!r}; it stands in line {mapping.lines[key]} already", name, at)
        mapping.lines[key] = at
        mapping[key] = _value(value_node, name, seen)
    return mapping


def _scalar(node: yaml.ScalarNode, name: str, line: int) -> object:
    text: str = node.value
    kind = node.tag.removeprefix(_TAG)
    if kind in ("str", "timestamp"):
        return text
    if kind == "null":
        return None
    if kind == "bool" and text in ("true", "false"):
        return text == "true"
    if kind == "int" and _INT.match(text):
        return int(text)
    if kind == "float" and _FLOAT.match(text) and math.isfinite(float(text)):
        return float(text)
    raise EditionError(
        f"{text!r} can be read in more than one way; put it in quotes or write a plain number", name, line
    )


def place(data: object, path: Sequence[object]) -> int | None:
    """The line of the innermost part of `path` that exists in `data`."""
    line: int | None = getattr(data, "line", None)
    for step in path:
        match data, step:
            case Map(), str() if step in data.lines:
                line, data = data.lines[step], data[step]
            case Seq(), int() if step < len(data):
                line, data = data.lines[step], data[step]
            case _:
                break
    return line
