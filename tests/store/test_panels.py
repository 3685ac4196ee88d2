"""What the store promises about versions, messages and earlier panels: write-once, no gaps, nothing half written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import func, select

from csfinterp.errors import ConflictError
from csfinterp.store import Collected, EventRecord, PanelKey, RaceError, Received, Store, StoreError
from csfinterp.store import panels as queries
from csfinterp.store.schema import events, held_messages, metadata

Writer = Any  # the fixture of conftest.py
KEY = PanelKey("LIS-A", "S-p1", "MRN-1")


def rows(store: Store) -> dict[str, int]:
    with store.engine.connect() as connection:
        counted = {
            name: connection.execute(select(func.count()).select_from(table)).scalar()
            for name, table in metadata.tables.items()
        }
    return {name: count for name, count in counted.items() if count and not name.startswith("audit")}


# --- versions ---


def test_a_version_is_read_back_as_it_was_written(store: Store, writer: Writer) -> None:
    written = writer.add(
        collected=datetime(2026, 3, 1, 9, 20, tzinfo=timezone(timedelta(hours=1))), certainty="probable", type="IIA",
        amended_context='{"mri": "linear"}', episode="E1", critical_open=2, site_rules_digest="sha256:s",
        panel_document='{"value": 1.0, "text": "µ – Ω"}',
    )  # fmt: skip
    assert store.version("p1") == store.version("p1", 1) == written


def test_the_newest_version_is_the_answer_and_the_old_one_stays_as_it_was(store: Store, writer: Writer) -> None:
    first = writer.add(flags=[("csf_lactate", "H")])
    second = writer.add(version=2, reason="corrected", status="corrected")
    assert store.version("p1") == second
    assert store.version("p1", 1) == first
    assert [(info.version, info.reason, info.status) for info in store.versions("p1")] == [
        (1, "posted", "final"),
        (2, "corrected", "corrected"),
    ]


def test_what_is_not_stored_is_none(store: Store, writer: Writer) -> None:
    writer.add()
    assert store.version("p2") is store.version("p1", 2) is store.head_of("p2") is store.message("LIS-A", "M1") is None
    assert store.versions("p2") == ()


def test_the_head_is_found_by_specimen_and_by_panel(store: Store, writer: Writer) -> None:
    writer.add()
    writer.add(version=2, status="corrected")
    head = store.head(PanelKey("LIS-A", "S-p1", "another patient"))
    assert head == store.head_of("p1")
    assert head is not None
    assert (head.panel_id, head.version, head.patient_id, head.status) == ("p1", 2, "MRN-1", "corrected")
    assert store.head(PanelKey("LIS-B", "S-p1", "MRN-1")) is None


@pytest.mark.parametrize(
    "second",
    [
        {"panel_id": "p1", "version": 1},  # the version exists
        {"panel_id": "p2", "version": 1},  # the specimen has a panel
        {"panel_id": "p1", "version": 2, "message_id": "M1"},  # the message was answered
    ],
)
def test_a_writer_that_comes_second_gets_a_race_and_writes_nothing(
    store: Store, writer: Writer, second: dict[str, Any]
) -> None:
    writer.add(message_id="M1", flags=[("csf_lactate", "H")], findings={"lactate_raised": "true"})
    before = rows(store)
    with pytest.raises(RaceError):
        writer.add(key=KEY, flags=[("csf_lactate", "N")], **second)
    assert rows(store) == before


def test_a_version_without_its_panel_cannot_be_written(store: Store, writer: Writer) -> None:
    with pytest.raises(StoreError, match="SQLITE_CONSTRAINT_FOREIGNKEY") as caught:
        writer.add("p9", 2, key=PanelKey("LIS-A", "SECRET-SPECIMEN", "SECRET-PATIENT"), panel_document="SECRET")
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert rows(store) == {}


def test_a_store_that_stays_locked_says_so(store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("csfinterp.store.engine.BUSY_TIMEOUT_MS", 50)
    store.close()
    with queries.database.writing(store.engine) as other, other.begin(), pytest.raises(ConflictError) as caught:
        writer.add()
    assert caught.value.kind == "busy"
    assert rows(store) == {}


# --- messages ---


def test_a_message_is_remembered_with_the_version_that_answered_it(store: Store, writer: Writer) -> None:
    writer.add(message_id="M1", content_digest="same")
    store.remember(Received("LIS-A", "M2", "same", "now"), "p1", 1)
    seen = store.message("LIS-A", "M2")
    assert seen is not None
    assert (seen.content_digest, seen.panel_id, seen.version) == ("same", "p1", 1)
    assert store.message("LIS-B", "M2") is None
    with pytest.raises(RaceError):
        store.remember(Received("LIS-A", "M2", "other", "now"), "p1", 1)


def test_a_held_message_is_kept_whole_and_once_and_told_once(store: Store, writer: Writer) -> None:
    received = Received("LIS-A", None, "digest", "2026-03-01T08:00:00.000000Z")
    writer.add()

    def hold(why: str, document: str) -> None:
        event = EventRecord(why, "message.held", "p1", 1, received.received_at, "{}")
        store.hold(why, received, document, ("p1", 1), event, partial=False)

    for _ in range(3):
        hold("other_patient", '{"all": "of it"}')
    hold("message_id_reused", "{}")
    with store.engine.connect() as connection:
        held = connection.execute(select(held_messages.c.why, held_messages.c.document)).all()
        assert connection.execute(select(events.c.id).order_by(events.c.seq)).scalars().all() == [
            "other_patient",
            "message_id_reused",
        ]
    assert [tuple(row) for row in held] == [("other_patient", '{"all": "of it"}'), ("message_id_reused", "{}")]


# --- earlier panels ---


def names(store: Store, **asked: Any) -> list[str]:
    values = {"patient_id": "MRN-1", "collected": Collected(), "episode": None, "panel_id": None, "seq": None} | asked
    return [row.panel_id for row in store.earlier(**values).earlier]


def test_earlier_panels_are_those_of_the_same_patient_only(store: Store, writer: Writer) -> None:
    writer.add("p1")
    writer.add("p2", key=PanelKey("LIS-B", "S", "MRN-1"))
    writer.add("p3", key=PanelKey("LIS-A", "S3", "MRN-2"))
    writer.add("p4", key=PanelKey("LIS-A", "S4", None))
    assert names(store) == ["p1", "p2"]
    assert names(store, patient_id=None) == []
    assert names(store, panel_id="p1") == ["p2"]


def test_earlier_is_by_collection_where_both_times_are_known_else_by_arrival(store: Store, writer: Writer) -> None:
    for panel_id, day in (("p1", 5), ("p2", 3), ("p3", None), ("p4", 4)):
        writer.add(panel_id, collected=date(2026, 3, day) if day else None)
    seqs = {panel_id: head.seq for panel_id in ("p1", "p2", "p3", "p4") if (head := store.head_of(panel_id))}
    # A new panel: p1 was collected later; p3 has no time and arrived before. Same day counts.
    assert names(store, collected=Collected.of(date(2026, 3, 4))) == ["p3", "p2", "p4"]
    # A correction of p2: p3 arrived after it.
    assert names(store, collected=Collected.of(date(2026, 3, 3)), panel_id="p2", seq=seqs["p2"]) == []
    assert names(store, collected=Collected(), panel_id="p4", seq=seqs["p4"]) == ["p3", "p2", "p1"]


def test_cancelled_panels_and_other_episodes_do_not_count(store: Store, writer: Writer) -> None:
    writer.add("p1", episode="first")
    writer.add("p2", episode="second")
    writer.add("p3", episode="second")
    writer.add("p3", 2, episode="second", status="cancelled")
    assert names(store) == ["p1", "p2"]
    assert names(store, episode="second") == ["p2"]


def test_only_the_newest_version_of_an_earlier_panel_counts(store: Store, writer: Writer) -> None:
    writer.add("p1", contributes='{"csf_cytology": "positive"}')
    writer.add("p1", 2, contributes='{"csf_cytology": "negative"}')
    basis = store.earlier("MRN-1", Collected(), None, None, None)
    assert [(row.version, row.contributes) for row in basis.earlier] == [(2, '{"csf_cytology": "negative"}')]


@pytest.mark.parametrize("meanwhile", ["another panel", "a correction"])
def test_an_answer_whose_earlier_panels_changed_meanwhile_is_not_stored(
    store: Store, writer: Writer, meanwhile: str
) -> None:
    writer.add("p1")
    basis = store.earlier("MRN-1", Collected(), None, None, None)
    writer.add(*(("p2",) if meanwhile == "another panel" else ("p1", 2)))
    with pytest.raises(RaceError):
        writer.add("p3", basis=basis)
    assert store.head_of("p3") is None
    writer.add("p3", basis=store.earlier("MRN-1", Collected(), None, None, None))
    assert store.head_of("p3") is not None


# --- times ---

BERLIN = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (None, Collected()),
        (date(2026, 3, 1), Collected("2026-03-01", "2026-03-01", None)),
        (
            datetime(2026, 3, 1, 0, 20, tzinfo=BERLIN),
            Collected("2026-03-01T00:20:00+01:00", "2026-03-01", "2026-02-28T23:20:00.000000Z"),
        ),
        (datetime(2026, 3, 1, 9, 20), Collected("2026-03-01T09:20:00", "2026-03-01", "2026-03-01T09:20:00.000000Z")),
        (datetime(1, 1, 1, tzinfo=BERLIN), Collected("0001-01-01T00:00:00+01:00", "0001-01-01", None)),
    ],
)
def test_a_collection_time_keeps_its_text_its_day_and_its_instant(moment: date | None, expected: Collected) -> None:
    assert Collected.of(moment) == expected


def test_collection_times_are_ordered_by_instant_else_by_day() -> None:
    morning, evening = (Collected.of(datetime(2026, 3, 1, hour, tzinfo=UTC)) for hour in (8, 20))
    day, next_day = Collected.of(date(2026, 3, 1)), Collected.of(date(2026, 3, 2))
    assert morning.not_after(evening) is True
    assert evening.not_after(morning) is False
    assert evening.not_after(day) is True
    assert next_day.not_after(evening) is False
    assert day.not_after(Collected()) is None
