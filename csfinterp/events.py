"""What other systems are told of a version: one event for the version, more for critical calls. Ids are stable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping

from csfinterp.changes import change, short
from csfinterp.store import EventRecord, Received, VersionRecord

# By the reason of the version; a cancelled panel is told as such whatever brought it.
_BY_REASON = {
    "posted": "panel.interpreted",
    "completed": "panel.completed",
    "corrected": "panel.corrected",
    "context": "panel.context_changed",
    "reinterpreted": "panel.reinterpreted",
}
CRITICAL_FOUND, CRITICAL_CHANGED, CRITICAL_WITHDRAWN = "critical.found", "critical.changed", "critical.withdrawn"
RESULT_WITHDRAWN, MESSAGE_HELD = "result.withdrawn", "message.held"
EVENT_TYPES = (
    *_BY_REASON.values(), "panel.cancelled", RESULT_WITHDRAWN, MESSAGE_HELD, CRITICAL_FOUND, CRITICAL_CHANGED,
    CRITICAL_WITHDRAWN,
)  # fmt: skip
_BY_COUNT = {
    "results_removed": RESULT_WITHDRAWN,
    "critical_new": CRITICAL_FOUND,
    "critical_changed": CRITICAL_CHANGED,
    "critical_withdrawn": CRITICAL_WITHDRAWN,
}


def events_of(
    record: VersionRecord, document: Mapping[str, object], before: Mapping[str, object] | None
) -> tuple[EventRecord, ...]:
    """The events of a new version. `before`: the document of the version before it, None for version 1.

    `data` is what everybody may get: ids, version, status, counts; no value and no patient.
    """
    counts = None if before is None else short(change(before, document))
    data = {
        "panel_id": record.panel_id,
        "version": record.version,
        "status": record.status,
        "reason": record.reason,
        "critical_open": record.critical_open,
        "change": counts,
    }
    text = json.dumps(data)
    return tuple(
        EventRecord(event_id(record.panel_id, record.version, kind), kind, record.panel_id, record.version,
                    record.created_at, text)
        for kind in _kinds(record, counts)
    )  # fmt: skip


def held_event(why: str, received: Received, panel_id: str, version: int) -> EventRecord:
    """A message that was joined to nothing, and the version of the panel that it met: a person must decide."""
    told = event_id(panel_id, version, f"{MESSAGE_HELD}/{why}/{received.message_id or ''}/{received.content_digest}")
    data = json.dumps({"panel_id": panel_id, "version": version, "why": why})
    return EventRecord(told, MESSAGE_HELD, panel_id, version, received.received_at, data)


def event_id(panel_id: str, version: int, kind: str) -> str:
    """The same event always has the same id: a receiver that has seen it may drop it."""
    return "evt_" + hashlib.sha256(f"{panel_id}/{version}/{kind}".encode()).hexdigest()[:32]


def _kinds(record: VersionRecord, counts: Mapping[str, object] | None) -> Iterator[str]:
    yield "panel.cancelled" if record.status == "cancelled" else _BY_REASON[record.reason]
    if counts is None:
        if record.critical_open:
            yield CRITICAL_FOUND
        return
    for name, kind in _BY_COUNT.items():
        if counts[name]:
            yield kind
