"""Hostile panels: a Panel or a clear DocumentError, never another exception, never a patient's value in the message."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from csfinterp.errors import DocumentError
from csfinterp.formats.panel_json import content_digest, dumps, read, read_document, read_many
from csfinterp.formats.strict_json import ReadLimits
from csfinterp.model.panel import Panel
from tests.formats.conftest import PANEL

SECRET = "Zaphodia Müller-4711"
SECONDS = 20  # far above what any of these take; linear against quadratic is minutes apart


def _refusal(data: bytes, limits: ReadLimits = ReadLimits()) -> DocumentError:  # noqa: B008
    started = time.monotonic()
    with pytest.raises(DocumentError) as caught:
        read(data, limits)
    assert time.monotonic() - started < SECONDS
    assert caught.value.faults
    return caught.value


def _panel(observations: bytes) -> bytes:
    return b'{"specimen": {"id": "S1"}, "observations": [' + observations + b"]}"


def test_a_body_over_the_limit_is_too_large() -> None:
    error = _refusal(_panel(b'{"code": "x", "note": "' + b"n" * 10_000_000 + b'"}'))
    assert error.too_large
    assert "10000000 bytes" in error.message


def test_a_body_just_under_the_limit_is_answered() -> None:
    error = _refusal(_panel(b'{"code": "x", "note": "' + b"n" * 9_999_000 + b'"}'))
    assert [fault.pointer for fault in error.faults] == ["/observations/0/note"]
    assert not error.too_large


def test_too_many_observations_are_refused() -> None:
    error = _refusal(_panel(b",".join([b'{"code": "csf_protein", "value": 1}'] * 100_000)))
    assert [(fault.pointer, "2000" in fault.message) for fault in error.faults] == [("/observations", True)]


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        _panel(b'{"code": "x", "note": ' + b"[" * 900 + b"]" * 900 + b"}"),
    ],
)  # fmt: skip
def test_deep_nesting_is_refused(data: bytes) -> None:
    assert "nested" in _refusal(data).message.lower()


def test_nesting_is_measured_by_the_limit() -> None:
    def history(levels: int) -> bytes:
        inner = '{"a": ' * levels + "1" + "}" * levels
        context = f'"context": {{"history": {{"first_finding": {inner}}}}}'
        return f'{{"specimen": {{"id": "S"}}, {context}, "observations": [{{"code": "x"}}]}}'.encode()

    assert read(history(20)).context.history
    assert "32 levels" in _refusal(history(40)).message


@pytest.mark.parametrize("literal", [b"NaN", b"Infinity", b"-Infinity"])
def test_nan_and_infinity_are_not_json(literal: bytes) -> None:
    error = _refusal(_panel(b'{"code": "x", "value": ' + literal + b"}"))
    assert [fault.pointer for fault in error.faults] == ["/observations/0/value"]
    assert "not JSON" in error.message


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        (b'{"specimen": {"id": "A"}, "specimen": {"id": "B"}, "observations": [{"code": "x"}]}', ""),
        (b'{"specimen": {"id": "A", "id": "B"}, "observations": [{"code": "x"}]}', "/specimen"),
        (_panel(b'{"code": {"code": "x", "code": "y"}}'), "/observations/0/code"),
    ],
)
def test_a_key_sent_twice_is_refused_at_any_depth(data: bytes, pointer: str) -> None:
    error = _refusal(data)
    assert [fault.pointer for fault in error.faults] == [pointer]
    assert "twice" in error.message


@pytest.mark.parametrize(
    "data",
    [
        b"", b"   ", b"\xff\xfe", b"\x00", b"{", b"nul", b'{"a" 1}', b"{'a': 1}", b'{"a": 01}', b'{"a": 1,}', b"{} {}",
        b'{"a": +1}', b'{"a": .5}', b'{"a": 1_000}', '{"a": ٣}'.encode(), b'{"a": "\t"}', b'{"a": "\\x"}',
        "{}".encode("utf-16"), b"\xed\xa0\x80", b"5", b'"text"', b"null", b"true", b"[]",
    ],
)  # fmt: skip
def test_what_is_not_one_json_object_in_utf8_is_refused(data: bytes) -> None:
    assert _refusal(data).message


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "\\udfff x"])
@pytest.mark.parametrize("place", ['{"code": "%s"}', '{"code": "x", "%s": 1}', '{"code": "x", "note": "%s"}'])
def test_nul_and_half_surrogates_are_refused(place: str, text: str) -> None:
    assert "Send" in _refusal(_panel((place % text).encode())).message


def test_a_byte_order_mark_is_accepted() -> None:
    assert read(b"\xef\xbb\xbf" + _panel(b'{"code": "x"}')).specimen.id == "S1"


@pytest.mark.parametrize(
    "data",
    [
        b"{" + b",".join(b'"k%d": 1' % number for number in range(200_000)) + b"}",
        b"{" + b",".join([b'"k": 1'] * 500_000) + b"}",
        _panel(b",".join([b"5"] * 2_000)),
        _panel(b'{"code": "x", "variants": [' + b",".join([b"{}"] * 300_000) + b"]}"),
        b'{"' + b"k" * 9_000_000 + b'": 1}',
        _panel(b'{"code": "x", "value": ' + b"9" * 9_000_000 + b"}"),
        b'{"specimen": {"id": "S"}, "x": [' + b"[]," * 3_000_000 + b"[]]}",
        b'{"specimen": {"id": "S", "tube": ' + b"9" * 5_000_000 + b'}, "observations": [{"code": "x"}]}',
    ],
    ids=[
        "unknown keys", "repeated keys", "wrong items", "wrong variants", "long key", "long value", "many lists",
        "long number",
    ],
)  # fmt: skip
def test_large_nonsense_is_refused_in_linear_time(data: bytes) -> None:
    assert len(_refusal(data).faults) <= 50


@pytest.mark.parametrize(
    "data",
    [
        b"[" + b"x," * 300_000 + b"x]",
        b'[{"a: "' + b'\\"' * 1_000_000,
        b"[" + b"[{" * 1_000_000,
        b"[" + b'"\\' * 500_000,
    ],
    ids=["bad items", "escaped quotes", "open brackets", "open strings"],
)
def test_hostile_arrays_are_walked_in_linear_time(data: bytes) -> None:
    started = time.monotonic()
    assert all(isinstance(item, DocumentError) for item in read_many(data))
    assert time.monotonic() - started < SECONDS


def test_the_refusal_carries_no_chain_that_a_log_would_print() -> None:
    for data in (
        b'{"a": "' + SECRET.encode() + b'" x',
        b"\xff" + SECRET.encode(),
        _panel(b'{"code": "x", "value": []}'),
    ):
        error = _refusal(data)
        assert error.__cause__ is None
        assert error.__suppress_context__


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8).map(lambda text: SECRET + text),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=6).map(lambda text: text + SECRET), inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "code", "value", "unit", "class", "history", "tube", "age"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)
FULL: dict[str, Any] = copy.deepcopy(PANEL)
FULL["context"] |= {"stated": ["fever"], "history": {"csf_cytology": {"value": "negative"}}, "symptom_duration_days": 3}
FULL["patient"]["age"] = {"value": 64, "unit": "a"}


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, inner in items for place in _places(inner, (*path, key)))]


def _with(path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    document = copy.deepcopy(FULL)
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return document


def _check_answer(answer: Panel | DocumentError) -> None:
    if isinstance(answer, Panel):
        for stored in (dumps(answer.document), json.dumps(answer.document, sort_keys=True, indent=1)):
            assert content_digest(read(stored.encode())) == content_digest(answer)
        return
    said = repr([answer.message, answer.faults, answer.args])
    assert "Zaphodia" not in said
    assert "4711" not in said
    assert all(fault.message for fault in answer.faults)


def _answer(data: bytes) -> Panel | DocumentError:
    try:
        return read(data)
    except DocumentError as error:
        return error


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(_places(FULL)), JSON)
@example(("observations", 5, "variants", 0, "vaf_pct"), 10**18)
@example(("context", "symptom_duration_days"), 10**300)
@example(("context", "symptom_duration_days"), 1e300)
@example(("specimen", "volume", "value"), -0.0)
def test_any_json_anywhere_is_a_panel_or_a_document_error(path: tuple[Any, ...], value: Any) -> None:
    document = _with(path, value)
    _check_answer(_answer(json.dumps(document).encode()))
    try:
        _check_answer(read_document(document))
    except DocumentError as error:
        _check_answer(error)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(_places(FULL)[1:]), st.text(min_size=1, max_size=12))
def test_any_key_anywhere_is_a_panel_or_a_document_error(path: tuple[Any, ...], key: str) -> None:
    parent = FULL
    for step in path[:-1]:
        parent = parent[step]
    extra = {**parent, key + SECRET: 1} if isinstance(parent, dict) else parent
    _check_answer(_answer(json.dumps(_with(path[:-1], extra)).encode()))


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\ntruefalse0123456789.-eE \n', max_size=60).map(str.encode))
def test_any_bytes_are_panels_or_document_errors(data: bytes) -> None:
    assert isinstance(_answer(data), Panel | DocumentError)
    assert all(isinstance(item, Panel | DocumentError) for item in read_many(data))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(json.dumps(PANEL))), st.binary(max_size=3))
def test_a_damaged_document_is_a_panel_or_a_document_error(cut: int, noise: bytes) -> None:
    data = json.dumps(PANEL).encode()
    assert isinstance(_answer(data[:cut] + noise + data[cut + 1 :]), Panel | DocumentError)
