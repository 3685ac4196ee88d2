"""Call-backs in the tables: once for each call, in parallel too; carried to the version that repeats the call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from csfinterp.store import Acknowledgement, PanelFilter, RaceError, Store

Writer = Any  # the fixture of conftest.py
GRAM = Acknowledgement(
    "p1", 1, "csf_gram_stain", "CR-ORG", "service", "Dr. Example", "A. Sample", "2026-03-01T10:05:00+01:00", True, 1,
    "2026-03-01T09:06:00.000000Z",
)  # fmt: skip
LACTATE = replace(GRAM, analyte="csf_lactate", rule="CR-LAC")


def open_in_search(store: Store) -> list[str]:
    return [item.panel_id for item in store.search(PanelFilter(critical="open"), 50).items]


def test_a_call_is_noted_and_no_longer_open(store: Store, writer: Writer) -> None:
    writer.add("p1", critical_open=2)
    assert store.open_calls() == (1, 2)
    store.acknowledge("p1", 1, [GRAM])
    assert store.acknowledgements("p1", 1) == (GRAM,)
    assert (store.open_calls(), open_in_search(store)) == ((1, 1), ["p1"])
    store.acknowledge("p1", 1, [LACTATE])
    assert (store.open_calls(), open_in_search(store)) == ((0, 0), [])


def test_the_same_call_is_never_noted_twice_and_nothing_of_a_refused_one_stays(store: Store, writer: Writer) -> None:
    writer.add("p1", critical_open=2)
    store.acknowledge("p1", 1, [GRAM])
    with pytest.raises(RaceError):
        store.acknowledge("p1", 1, [LACTATE, replace(GRAM, told="Dr. Other")])
    assert store.acknowledgements("p1", 1) == (GRAM,)
    assert store.open_calls() == (1, 1)


def test_of_writers_in_parallel_one_wins(store: Store, writer: Writer) -> None:
    writer.add("p1", critical_open=1)

    def note(number: int) -> bool:
        try:
            store.acknowledge("p1", 1, [replace(GRAM, told=f"Dr. {number}")])
        except RaceError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(note, range(8)))
    assert won.count(True) == 1
    assert store.acknowledgements("p1", 1)[0].told == f"Dr. {won.index(True)}"
    assert store.open_calls() == (0, 0)


def test_a_version_that_came_meanwhile_is_noticed(store: Store, writer: Writer) -> None:
    writer.add("p1", critical_open=1)
    writer.add("p1", 2, critical_open=1)
    with pytest.raises(RaceError):
        store.acknowledge("p1", 1, [GRAM])
    assert store.open_calls() == (1, 1)


def test_only_a_repeated_call_is_carried_to_the_next_version(store: Store, writer: Writer) -> None:
    writer.add("p1", critical_open=2)
    store.acknowledge("p1", 1, [GRAM, LACTATE])
    writer.add("p1", 2, critical_open=2, repeated=[GRAM.call])
    assert store.acknowledgements("p1", 2) == (replace(GRAM, version=2),)
    assert store.open_calls() == (1, 1)
    assert len(store.acknowledgements("p1", 1)) == 2
