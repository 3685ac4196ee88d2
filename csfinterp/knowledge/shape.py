"""How entries are read with marshmallow: strict fields, places kept, each message a sentence for the steward."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

from marshmallow import Schema, ValidationError, fields, post_load, validate

from csfinterp.knowledge.document import Map, Seq, Slips, place
from csfinterp.model.context import SITES

LoadedEntry: TypeAlias = dict[str, Any]
STATUS = ("primary", "secondary", "recalled", "derived", "ours")
HUMAN = {
    "Missing data for required field.": "this key is missing",
    "Field may not be null.": "this key must not be empty",
    "Unknown field.": "unknown key",
}


class Number(fields.Field[float]):
    """A plain finite number; never a text, never true or false."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError("write a plain number")
        return float(value)


class Whole(fields.Field[int]):
    """A whole number, not below zero."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ValidationError("write a whole number, 0 or more")
        return value


class Truth(fields.Field[bool]):
    """true or false, nothing that merely looks like it."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("write true or false")
        return value


class Text(fields.Field[str]):
    """A text that is not blank; numbers and dates must stand in quotes."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("write a text; numbers and words like yes, no, none stand in quotes")
        if not value.strip():
            raise ValidationError("this text is blank")
        return value.strip()


class Limit(fields.Field[object]):
    """A number, or a text with number and unit; read when the quantity it limits is known."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> object:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValidationError('write a number with its unit, such as "3.5 mmol/L"')
        return value


class Rule(fields.Field[object]):
    """A predicate, kept as it stands with its lines; see predicates.py."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> object:
        if not isinstance(value, Map):
            raise ValidationError("a rule is written {word: ...}, such as {known: csf_lactate}")
        return value


def one_of(words: tuple[str, ...], **options: Any) -> Text:
    return Text(validate=validate.OneOf(words, error=f"must be one of {', '.join(words)}"), **options)


def texts_list(*, required: bool = False, filled: bool = False) -> fields.List[str]:
    checks = validate.Length(min=1, error="the list is empty") if filled else None
    return fields.List(Text(), validate=checks, **({"required": True} if required else {"load_default": list}))


def many_of(schema: type[Schema]) -> fields.Nested:
    return fields.Nested(schema, many=True, load_default=list)


def maybe_one(schema: type[Schema]) -> fields.Nested:
    return fields.Nested(schema, allow_none=True, load_default=None)


def maybe_text(**options: Any) -> Text:
    return Text(allow_none=True, load_default=None, **options)


class Sites(fields.Field[tuple[str, ...]]):
    """`all`, or a list of sites."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> tuple[str, ...]:
        if value == "all":
            return SITES
        if not isinstance(value, list) or not value or any(site not in SITES for site in value):
            raise ValidationError(f"write all, or a list of {', '.join(SITES)}")
        if len(set(value)) < len(value):
            raise ValidationError("a site stands twice")
        return tuple(value)


class Entry(Schema):
    """Base: what is loaded keeps its place in the file under `at`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        keys = ", ".join(field.data_key or name for name, field in self.fields.items())
        self.error_messages = {**self.error_messages, "unknown": f"unknown key; known here: {keys}"}
        self.error_messages["type"] = "write a mapping (key: value)"

    @post_load(pass_original=True)
    def _keep_place(self, data: dict[str, Any], original: object, **_: Any) -> dict[str, Any]:
        data["at"] = original
        return data


class Sourced(Entry):
    citations = fields.List(Text(), required=True, validate=validate.Length(min=1, error="name at least one citation"))
    status = one_of(STATUS, required=True)


@cache
def _instance(schema: type[Entry]) -> Entry:
    return schema()


def load_entry(
    schema: type[Entry], data: object, file: str, slips: Slips, line: int | None = None
) -> LoadedEntry | None:
    """The entry as plain values with its place under `at`; None and the slips (file, line) if its shape is wrong."""
    if not isinstance(data, Map):
        slips.add("write a mapping (key: value)", file, place(data, ()) or line)
        return None
    try:
        loaded: dict[str, Any] = _instance(schema).load(data)
        return loaded
    except ValidationError as error:
        for path, message in flattened(error.messages, data):
            name = ".".join(str(step) for step in path)
            slips.add(f"{name}: {HUMAN.get(message, message)}", file, place(data, path))
        return None


def load_list(schema: type[Entry], data: object, file: str, slips: Slips) -> list[LoadedEntry]:
    """The well-formed entries of a list; each bad one becomes slips."""
    if not isinstance(data, Seq):
        slips.add("write a list of entries (- id: ...)", file, place(data, ()) or 1)
        return []
    loaded = [load_entry(schema, item, file, slips, line) for item, line in zip(data, data.lines, strict=True)]
    return [entry for entry in loaded if entry is not None]


def flattened(
    messages: object, data: object, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """marshmallow's nested messages as (path, sentence) pairs; `data` is what was loaded."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            known = isinstance(data, Map) and key in data
            # A Dict field puts "key" or "value" before the messages of its entries, a schema "_schema" before its own.
            if key == "_schema" or (key in ("key", "value") and not known and not isinstance(inner, str)):
                yield from flattened(inner, data, path)
            else:
                yield from flattened(inner, _inside(data, key), (*path, key))
    elif isinstance(messages, list):
        for message in messages:
            yield from flattened(message, data, path)
    else:
        yield path, str(messages)


def _inside(data: object, key: str | int) -> object:
    if isinstance(data, Map) and isinstance(key, str):
        return data.get(key)
    return data[key] if isinstance(data, Seq) and isinstance(key, int) and key < len(data) else None
