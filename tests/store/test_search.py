"""Searching: each filter alone and together, pages that stay complete, questions that cannot be read."""

from __future__ import annotations

import base64
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from csfinterp.errors import DocumentError
from csfinterp.store import PanelFilter, PanelKey, Store

Writer = Any  # the fixture of conftest.py
BERLIN = timezone(timedelta(hours=1))


@pytest.fixture
def filled(store: Store, writer: Writer) -> Store:
    writer.add(
        "p1", collected=datetime(2026, 3, 1, 0, 30, tzinfo=BERLIN), certainty="confirmed", critical_open=1,
        flags=[("csf_lactate", "H"), ("csf_leukocytes", "HH")],
        findings={"pleocytosis": "true", "glucose_low": "false"},
    )  # fmt: skip
    writer.add("p2", collected=date(2026, 3, 2), flags=[("csf_lactate", "HH")], findings={"pleocytosis": "unknown"})
    writer.add("p3", key=PanelKey("LIS-B", "S-p1", "MRN-2"), collected=date(2026, 3, 3), certainty="confirmed")
    writer.add("p3", 2, flags=[("csf_protein", "H")], certainty="possible", collected=date(2026, 3, 3))
    writer.add("p4", key=PanelKey("", "S-p4", None))
    return store


def found(store: Store, **asked: Any) -> list[str]:
    page = store.search(PanelFilter(**asked), 50)
    assert page.next is None
    return [item.panel_id for item in page.items]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["p4", "p3", "p2", "p1"]),
        ({"patient": "MRN-1"}, ["p2", "p1"]),
        ({"patient": "mrn-1"}, []),
        ({"specimen": "S-p1"}, ["p3", "p1"]),
        ({"specimen": "S-p1", "source": "LIS-B"}, ["p3"]),
        ({"source": ""}, ["p4"]),
        ({"certainty": "confirmed"}, ["p1"]),  # the newest version of p3 is no longer
        ({"certainty": "possible"}, ["p4", "p3", "p2"]),
        ({"flag": "HH"}, ["p2", "p1"]),
        ({"flag": "csf_lactate:H"}, ["p1"]),
        ({"flag": "H"}, ["p3", "p1"]),
        ({"finding": "pleocytosis"}, ["p1"]),
        ({"finding": "pleocytosis:unknown"}, ["p2"]),
        ({"finding": "glucose_low:false"}, ["p1"]),
        ({"critical": "open"}, ["p1"]),
        ({"collected_from": "2026-03-01"}, ["p3", "p2", "p1"]),  # p1's own calendar day, though still February in UTC
        ({"collected_to": date(2026, 3, 2)}, ["p2", "p1"]),
        ({"collected_from": "2026-03-02", "collected_to": "2026-03-02"}, ["p2"]),
        ({"collected_from": "2026-02-28T23:30:00Z", "collected_to": "2026-02-28T23:30:00Z"}, ["p1"]),
        ({"collected_from": "2026-02-28T23:31:00Z"}, ["p3", "p2"]),
        ({"collected_to": "2026-03-02T05:00:00+01:00"}, ["p2", "p1"]),  # p2: only its day is known
        ({"patient": "MRN-1", "flag": "HH", "finding": "pleocytosis", "critical": "open"}, ["p1"]),
        ({"patient": "MRN-2", "flag": "HH"}, []),
    ],
)
def test_filters_find_the_newest_versions_latest_arrival_first(
    filled: Store, asked: dict[str, Any], expected: list[str]
) -> None:
    assert found(filled, **asked) == expected


def test_a_summary_says_what_a_list_needs(filled: Store) -> None:
    summary = filled.search(PanelFilter(patient="MRN-2"), 1).items[0]
    assert (summary.panel_id, summary.version, summary.source, summary.specimen_id) == ("p3", 2, "LIS-B", "S-p1")
    assert (summary.collected_at, summary.edition, summary.headline) == ("2026-03-03", "2026.1", "A headline.")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("flag", "X"),
        ("flag", "csf_protein:"),
        ("flag", ""),
        ("finding", ""),
        ("finding", "pleocytosis:maybe"),
        ("critical", "closed"),
        ("collected_from", "yesterday"),
        ("collected_to", "2026-02-30"),
        ("collected_to", "2026-03-01T25:00:00Z"),
    ],
)
def test_a_filter_that_cannot_be_read_is_named_without_its_value(store: Store, name: str, value: str) -> None:
    with pytest.raises(DocumentError) as caught:
        store.search(PanelFilter(**{name: value}), 10)
    assert [fault.pointer for fault in caught.value.faults] == [f"/{name}"]
    assert len(value) < 2 or value not in str(caught.value)


def test_pages_hold_every_panel_once_while_others_insert_and_correct(store: Store, writer: Writer) -> None:
    before = [f"p{number}" for number in range(23)]
    for panel_id in before:
        writer.add(panel_id)
    seen: list[str] = []
    cursor: str | None = None
    sizes = []
    while cursor is not None or not sizes:
        page = store.search(PanelFilter(), 5, cursor)
        sizes.append(len(page.items))
        seen += [item.panel_id for item in page.items]
        cursor = page.next
        writer.add(f"new{len(sizes)}")
        writer.add(before[len(sizes)], 2)
    assert seen == before[::-1]
    assert sizes == [5, 5, 5, 5, 3]


def test_the_last_page_has_no_next_even_if_it_is_full(store: Store, writer: Writer) -> None:
    for panel_id in ("p1", "p2", "p3", "p4"):
        writer.add(panel_id)
    first = store.search(PanelFilter(), 2)
    assert first.next is not None
    assert store.search(PanelFilter(), 2, first.next).next is None


def test_a_cursor_holds_nothing_of_a_patient(store: Store, writer: Writer) -> None:
    for panel_id in ("p1", "p2"):
        writer.add(panel_id)
    cursor = store.search(PanelFilter(), 1).next
    assert cursor is not None
    assert base64.urlsafe_b64decode(cursor + "==") == b"p2"


@pytest.mark.parametrize(
    "cursor", ["", "x", "cA", "!!!!", "cC0x", "cDEu", "cNmh", "é", "cDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNA"]
)
def test_a_cursor_that_no_page_gave_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(DocumentError) as caught:
        store.search(PanelFilter(), 1, cursor)
    assert [fault.pointer for fault in caught.value.faults] == ["/after"]
