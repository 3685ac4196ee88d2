"""The panels of one patient: in the order of collection, by their newest versions, in one query."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import event

from csfinterp.store import PanelKey, Store

Writer = Any  # the fixture of conftest.py


def ids(rows: tuple[Any, ...]) -> list[tuple[str, int]]:
    return [(row.panel_id, row.version) for row in rows]


def three(writer: Writer) -> None:
    writer.add("march", collected=date(2026, 3, 1))
    writer.add("january", collected=date(2026, 1, 1))
    writer.add("may", collected=date(2026, 5, 1))


def test_earlier_panels_stand_in_the_order_of_collection(store: Store, writer: Writer) -> None:
    three(writer)
    assert ids(store.before("may", 9)) == [("january", 1), ("march", 1)]
    assert ids(store.before("january", 9)) == []
    assert ids(store.before("may", 1)) == [("march", 1)], "of more than asked for the latest"
    assert ids(store.course("MRN-1", 9)) == [("january", 1), ("march", 1), ("may", 1)]
    assert store.course("MRN-1", 2)[0].collected_at == "2026-03-01"


def test_the_newest_version_counts_and_a_cancelled_panel_is_no_earlier_value(store: Store, writer: Writer) -> None:
    three(writer)
    writer.add("january", 2, collected=date(2026, 1, 1), interpretation='{"corrected": true}')
    writer.add("march", 2, collected=date(2026, 3, 1), status="cancelled")
    assert ids(store.before("may", 9)) == [("january", 2)]
    assert store.before("may", 9)[0].interpretation == '{"corrected": true}'
    assert ids(store.course("MRN-1", 9)) == [("january", 2), ("march", 2), ("may", 1)]


def test_a_panel_without_a_time_is_ordered_by_its_arrival(store: Store, writer: Writer) -> None:
    writer.add("first", created_at="2026-02-01T08:00:00.000000Z")
    writer.add("second", created_at="2026-02-01T08:00:00.000000Z")
    writer.add("old", collected=date(2026, 1, 1))
    assert ids(store.before("second", 9)) == [("old", 1), ("first", 1)]


def test_panels_of_other_patients_and_of_nobody_are_never_joined(store: Store, writer: Writer) -> None:
    writer.add("mine", collected=date(2026, 3, 1))
    writer.add("theirs", key=PanelKey("LIS-A", "S-theirs", "MRN-2"), collected=date(2026, 1, 1))
    writer.add("one", key=PanelKey("LIS-A", "S-one", None), collected=date(2026, 1, 1))
    writer.add("two", key=PanelKey("LIS-A", "S-two", None), collected=date(2026, 2, 1))
    assert store.before("mine", 9) == store.before("two", 9) == store.before("not stored", 9) == ()
    assert store.course("MRN-3", 9) == ()


def test_the_course_is_one_query_that_uses_the_index(store: Store, writer: Writer) -> None:
    three(writer)
    said: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        said.append((statement, values))

    event.listen(store.engine, "before_cursor_execute", note)
    store.before("may", 9)
    store.course("MRN-1", 9)
    event.remove(store.engine, "before_cursor_execute", note)
    queries = [one for one in said if one[0].lstrip().upper().startswith("SELECT")]
    assert len(queries) == 2
    with store.engine.connect() as connection:
        for statement, values in queries:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            assert not [row for row in plan if str(row[-1]).startswith("SCAN")], plan
