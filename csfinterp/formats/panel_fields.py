"""The kinds of field of the panel document: each checks a JSON type or a closed list and says what to send instead.

No message repeats what was sent: it may be a patient's data.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields

from csfinterp.formats.strict_json import MAX_FAULTS, MAX_NAMED, NumberText

MAX_TEXT = 200
LARGEST = 1e100  # of a number that is not a result; infinity is above it
YEARS = range(1800, 2201)  # outside, a shift to UTC can leave the calendar
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_TIME = re.compile(_DATE.pattern + r"T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?")
_NUMBER_AS_TEXT = re.compile(r"\s*[<>]?=?\s*[0-9]+(?:[.,][0-9]+)?\s*")
NEED_OBJECT = "Send a JSON object here."


def _needed(what: str) -> dict[str, str | list[Any] | dict[Any, Any]]:
    """marshmallow's messages for a required field that is absent or null."""
    message = "This field is needed. " + what
    return {"required": message, "null": message}


class Optional(fields.Field[Any]):
    """A field that may be absent or null unless it is required; `what` says what to send."""

    def __init__(self, what: str, *, required: bool = False) -> None:
        self.what = what
        super().__init__(required=required, allow_none=not required, error_messages=_needed(what))

    def refuse(self) -> ValidationError:
        return ValidationError(self.what)


class Text(Optional):
    """A text, kept as sent. `filled`: an empty or blank one is refused, because it would match other empty ones."""

    def __init__(self, *, longest: int = MAX_TEXT, filled: bool = False, required: bool = False) -> None:
        super().__init__("Send it as text in quotes.", required=required)
        self.longest, self.filled = longest, filled

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or isinstance(value, NumberText):
            raise self.refuse()
        return _short(value, self.longest, self.filled)


def _short(text: str, longest: int, filled: bool = False) -> str:
    if len(text) > longest:
        raise ValidationError(f"Longer than {longest} characters. Send a shorter text.")
    if filled and not text.strip():
        raise ValidationError("The text is empty. Send a text, or leave the field out where it is optional.")
    return text


class Value(Optional):
    """The value of an observation: number or text, as text exactly as sent. Never converted here."""

    def __init__(self) -> None:
        super().__init__("Send the value as a JSON number, as text, or null with absent_reason.")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.refuse()
        if isinstance(value, int) and value.bit_length() > MAX_TEXT:
            raise ValidationError("A number of too many digits. Send the number as the laboratory prints it.")
        return _short(value if isinstance(value, str) else repr(value), MAX_TEXT)


class Word(Optional):
    """One word of a closed list."""

    def __init__(self, *accepted: str, required: bool = False) -> None:
        super().__init__(f"Send one of these words: {', '.join(accepted)}.", required=required)
        self.accepted = frozenset(accepted)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or value not in self.accepted:
            raise self.refuse()
        return value


class Words(Optional):
    """A list of words of a closed list; a word sent twice counts once."""

    def __init__(self, *accepted: str) -> None:
        super().__init__(f"Send a list of these words: {', '.join(accepted)}.")
        self.accepted = frozenset(accepted)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise self.refuse()
        wrong = {place: [self.what] for place, word in enumerate(value) if not self._known(word)}
        if wrong:
            raise ValidationError(dict(list(wrong.items())[:MAX_NAMED]))
        return tuple(dict.fromkeys(value))

    def _known(self, word: Any) -> bool:
        return isinstance(word, str) and word in self.accepted


class YesNo(Optional):
    def __init__(self) -> None:
        super().__init__("Send true, false or null (unknown).")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.refuse()
        return value


class Number(Optional):
    """A JSON number that is not a result: finite, from `least` on."""

    def __init__(self, *, least: float | None = None, required: bool = False) -> None:
        what = "Send a finite JSON number" + (f", {least:g} or more." if least is not None else ".")
        super().__init__(what, required=required)
        self.least = -math.inf if least is None else least

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        number = json_number(value)
        if number is None or number < self.least:
            raise self.refuse()
        return float(number)


class Whole(Optional):
    """A whole JSON number such as a tube number."""

    def __init__(self, least: int, most: int) -> None:
        super().__init__(f"Send a whole JSON number from {least} to {most}.")
        self.least, self.most = least, most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        number = json_number(value)
        if number is None or number != int(number) or not self.least <= number <= self.most:
            raise self.refuse()
        return int(number)


def is_number_text(text: str) -> bool:
    """True for a bare number or "<5": in a text field it is read as a number, and the sender is told."""
    return len(text) <= MAX_TEXT and bool(_NUMBER_AS_TEXT.fullmatch(text))


def json_number(value: object) -> int | float | None:
    """What a JSON number states (written whole: as int, exactly), or None if it is none or beyond any real quantity."""
    if isinstance(value, bool) or not isinstance(value, NumberText | int | float):
        return None
    if isinstance(value, NumberText):
        if len(value) > MAX_TEXT:
            return None
        value = int(value) if value.removeprefix("-").isdecimal() else float(value)
    return value if abs(value) <= LARGEST else None


class Moment(Optional):
    """ISO 8601 date or date-time, with or without offset."""

    def __init__(self) -> None:
        super().__init__("Send an ISO 8601 date or date-time that exists: 2026-03-01 or 2026-03-01T09:20:00+01:00.")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date | datetime | str:
        moment = _moment(value, _DATE_TIME) or _moment(value, _DATE)
        if moment is None:
            raise self.refuse()
        return moment


class Day(Optional):
    """ISO 8601 calendar date."""

    def __init__(self) -> None:
        super().__init__("Send a date that exists, as YYYY-MM-DD; leave it out if the day is not known.")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        day = _moment(value, _DATE)
        if day is None:
            raise self.refuse()
        return day


def _moment(value: object, form: re.Pattern[str]) -> date | None:
    if not isinstance(value, str) or not form.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.year in YEARS else None


class MomentText(Moment):
    """A moment that is checked and kept as the text sent (history is printed back)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        super()._deserialize(value, attr, data, **kwargs)
        return str(value)


class Part(fields.Nested):
    """An object inside the document. `short`: a bare text stands for an object with this one key."""

    def __init__(self, schema: type[Schema], *, short: str | None = None, required: bool = False) -> None:
        self.short = short
        self.what = "Send a text in quotes or a JSON object here." if short else NEED_OBJECT
        super().__init__(schema, required=required, allow_none=not required, error_messages=_needed(self.what))

    def _deserialize(self, value: Any, attr: str | None, data: Any, partial: Any = None, **kwargs: Any) -> Any:
        if self.short is not None and isinstance(value, str) and not isinstance(value, NumberText):
            return {self.short: self.schema.load_fields[self.short].deserialize(value)}
        if not isinstance(value, dict):
            raise ValidationError(self.what)
        return super()._deserialize(value, attr, data, **kwargs)


class Parts(Optional):
    """A list of objects; `several`: at least one."""

    def __init__(self, schema: type[Schema], *, several: str | None = None) -> None:
        super().__init__(several or "Send a list of JSON objects.", required=several is not None)
        self.inner = Part(schema, required=True)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list) or (self.required and not value):
            raise self.refuse()
        loaded: list[Any] = []
        wrong: dict[int, Any] = {}
        for place, item in enumerate(value):
            try:
                loaded.append(self.inner.deserialize(item))
            except ValidationError as error:
                wrong[place] = error.messages
                if len(wrong) == MAX_FAULTS:
                    break
        if wrong:
            raise ValidationError(wrong)
        return loaded


class Free(Optional):
    """Any JSON object, kept as it is (its numbers must be finite)."""

    def __init__(self) -> None:
        super().__init__("Send a JSON object with finite numbers.")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or not _finite(value):
            raise self.refuse()
        return plain(value)


def _finite(value: object) -> bool:
    """Nesting is bounded: the document was checked before."""
    if isinstance(value, dict | list):
        return all(map(_finite, value.values() if isinstance(value, dict) else value))
    is_number = isinstance(value, NumberText | int | float) and not isinstance(value, bool)
    return not is_number or json_number(value) is not None


def plain(value: Any) -> Any:
    """A deep copy with NumberText turned into numbers; the caller has made sure that they are finite."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return json_number(value) if isinstance(value, NumberText) else value


class NumberOrPart(Part):
    """A bare number or an object with `value`; kept in the form sent."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, partial: Any = None, **kwargs: Any) -> Any:
        number = json_number(value)
        return number if number is not None else super()._deserialize(value, attr, data, **kwargs)
