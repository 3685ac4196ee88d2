"""The audit: every deed one row, written in the transaction of the deed, sealed by the hash of the row before.

Nothing is stored without its row, and no row is changed or removed unseen: `verify` reads the chain from its start to
the head. Whoever may write every table of the database could still write a whole new chain; keep the head that
`csfinterp audit head` prints elsewhere, and give it to `verify`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, bindparam, insert, select, update

from csfinterp.acting import Act, current
from csfinterp.store import engine as database
from csfinterp.store.records import stamp
from csfinterp.store.security_schema import audit, audit_head

_PAGE = 1000
_HEAD = select(audit_head.c.seq, audit_head.c.hash)
_LOCKED_HEAD = _HEAD.with_for_update()
_INSERT = insert(audit)
_MOVE = update(audit_head).values(seq=bindparam("new_seq"), hash=bindparam("new_hash"))
_SEALED = ("seq", "at", "who", "roles", "origin", "what", "outcome", "panel_id", "version", "request_id", "details")


@dataclass(frozen=True)
class Deed:
    """What was done, beside who did it. `details` holds ids only."""

    outcome: str
    panel_id: str | None = None
    version: int | None = None
    details: Mapping[str, object] = field(default_factory=dict)


def append(connection: Connection, deeds: Sequence[Deed], act: Act | None = None) -> None:
    """Writes deeds of the act under way; call it last, as the head stays locked until the transaction ends."""
    doing = act or current()
    at = stamp(datetime.now(UTC))
    seq, before = connection.execute(_LOCKED_HEAD).one()
    rows = []
    for deed in deeds:
        seq += 1
        row: dict[str, Any] = {
            "seq": seq, "at": at, "who": doing.who, "roles": " ".join(doing.roles), "origin": doing.origin,
            "what": doing.what, "outcome": deed.outcome, "panel_id": deed.panel_id, "version": deed.version,
            "request_id": doing.request_id, "details": orjson.dumps(deed.details).decode(),
        }  # fmt: skip
        before = row["hash"] = _seal(before, row)
        rows.append(row)
    connection.execute(_INSERT, rows if len(rows) > 1 else rows[0])
    connection.execute(_MOVE, {"new_seq": seq, "new_hash": before})
    doing.written = True


def _seal(before: str, row: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps([before, *(row[name] for name in _SEALED)])).hexdigest()


class Audit:
    """The audit of one database. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def note(self, deeds: Sequence[Deed], act: Act | None = None) -> None:
        """Writes deeds that stored nothing else (reads, refusals, logins). Raises StoreError, ConflictError `busy`."""
        with database.transaction(self.engine) as connection:
            append(connection, deeds, act)

    def head(self) -> tuple[int, str]:
        """(number of rows, hash of the last)."""
        with self.engine.connect() as connection:
            seq, sealed = connection.execute(_HEAD).one()
        return int(seq), str(sealed)

    def rows(self, after: int = 0) -> Iterator[dict[str, Any]]:
        """Every row behind `after`, oldest first."""
        while True:
            query = select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(_PAGE)
            with self.engine.connect() as connection:
                found = [dict(row) for row in connection.execute(query).mappings()]
            yield from found
            if len(found) < _PAGE:
                return
            after = found[-1]["seq"]

    def verify(self, known: Iterable[tuple[int, str]] = ()) -> list[str]:
        """What is wrong with the chain, in sentences; empty if nothing. `known`: heads that were kept elsewhere."""
        end, last = self.head()
        kept, seen, number, before = dict(known), set(), 0, ""
        slips = []
        for row in self.rows():
            if row["seq"] > end:  # written since the head was read
                break
            if row["seq"] != number + 1:
                slips.append(f"Rows {number + 1} to {row['seq'] - 1} are missing.")
            if _seal(before, row) != row["hash"]:
                slips.append(f"Row {row['seq']} does not fit the one before it: one of them was changed or replaced.")
            if kept.get(row["seq"], row["hash"]) != row["hash"]:
                slips.append(f"Row {row['seq']} is not the one whose hash was kept.")
            number, before = row["seq"], row["hash"]
            seen.add(number)
        if (number, before) != (end, last):
            slips.append(f"The chain ends at row {number}, its head names row {end}: rows were removed or added.")
        slips += [f"Row {seq}, whose hash was kept, is missing." for seq in sorted(set(kept) - seen)]
        return slips
