"""What a search may ask: filters as SQL conditions, and the cursor of the next page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, exists, or_

from csfinterp.errors import DocumentError, Fault
from csfinterp.model.context import FLAGS
from csfinterp.store.records import Collected
from csfinterp.store.schema import panel_findings, panel_flags, panel_versions, panels

TRUTHS = ("true", "false", "unknown")
_CURSOR = "p"


@dataclass(frozen=True)
class PanelFilter:
    """All conditions must hold; None asks nothing. Only the newest version of a panel is looked at.

    `collected_from`, `collected_to` include their ends: a date or a time, also as ISO text. `flag`: `HH`, or
    `csf_lactate:H` for one analyte. `finding`: an id (is true) or `id:false`, `id:unknown`. `critical`: `open`.
    `statuses`: one of them. `stored_from`, `stored_to`: when the newest version was stored, as `stamp` writes it; both
    ends included. `provisional`: `true`, the LM certainty is provisional or the panel preliminary.
    """

    patient: str | None = None
    specimen: str | None = None
    source: str | None = None
    collected_from: str | date | None = None
    collected_to: str | date | None = None
    certainty: str | None = None
    flag: str | None = None
    finding: str | None = None
    critical: str | None = None
    panel_id: str | None = None
    statuses: tuple[str, ...] | None = None
    stored_from: str | None = None
    stored_to: str | None = None
    provisional: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """SQL conditions over panels joined with panel_versions. Raises DocumentError naming the wrong filter."""
        return list(self._conditions())

    def _conditions(self) -> Iterator[ColumnElement[bool]]:
        versions = panel_versions.c
        equal = ((panels.c.patient_id, self.patient), (panels.c.specimen_id, self.specimen),
                 (panels.c.source_system, self.source), (versions.certainty, self.certainty),
                 (panels.c.id, self.panel_id))  # fmt: skip
        yield from (column == value for column, value in equal if value is not None)
        if self.statuses is not None:
            yield versions.status.in_(self.statuses)
        if self.stored_from is not None:
            yield versions.created_at >= self.stored_from
        if self.stored_to is not None:
            yield versions.created_at <= self.stored_to
        if self.collected_from is not None:
            yield _collected("collected_from", self.collected_from)
        if self.collected_to is not None:
            yield _collected("collected_to", self.collected_to)
        if self.flag is not None:
            yield _flag(self.flag)
        if self.finding is not None:
            yield _finding(self.finding)
        if self.critical is not None:
            if self.critical != "open":
                raise _wrong("critical", "Send critical=open, or leave it out.")
            yield versions.critical_open > 0
        if self.provisional is not None:
            if self.provisional != "true":
                raise _wrong("provisional", "Send provisional=true, or leave it out.")
            yield or_(versions.provisional, versions.status == "preliminary")


def cursor_of(seq: int) -> str:
    """The text that asks for what comes after row `seq`; it holds the row's number and nothing of a patient."""
    return base64.urlsafe_b64encode(f"{_CURSOR}{seq}".encode()).decode().rstrip("=")


def seq_of(cursor: str) -> int:
    """The row number in a cursor. Raises DocumentError for anything that `cursor_of` did not write."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    number = text.removeprefix(_CURSOR)
    if not text.startswith(_CURSOR) or not number.isdecimal() or not number.isascii() or len(number) > 18:
        raise _wrong("after", "This is not a page cursor; follow `next` of the page before, or start without it.")
    return int(number)


def _flag(wanted: str) -> ColumnElement[bool]:
    analyte, _, flag = wanted.rpartition(":")
    if flag not in FLAGS:
        raise _wrong("flag", f"Send one of {', '.join(FLAGS)}, or analyte:flag such as csf_lactate:H.")
    return exists().where(
        panel_flags.c.panel_id == panel_versions.c.panel_id,
        panel_flags.c.version == panel_versions.c.version,
        panel_flags.c.flag == flag,
        *([panel_flags.c.analyte == analyte] if analyte else []),
    )


def _finding(wanted: str) -> ColumnElement[bool]:
    finding, _, truth = wanted.partition(":")
    truth = truth or "true"
    if not finding or truth not in TRUTHS:
        raise _wrong("finding", "Send a finding id, or id:true, id:false, id:unknown.")
    return exists().where(
        panel_findings.c.panel_id == panel_versions.c.panel_id,
        panel_findings.c.version == panel_versions.c.version,
        panel_findings.c.finding == finding,
        panel_findings.c.truth == truth,
    )


def _collected(name: str, wanted: str | date) -> ColumnElement[bool]:
    """A day is compared with the day of collection as sent, a time with the instant (the day if no more is known)."""
    bound = Collected.of(_moment(name, wanted))
    on, utc = panel_versions.c.collected_on, panel_versions.c.collected_utc
    later = name == "collected_from"
    by_day = on >= bound.on if later else on <= bound.on
    if bound.utc is None:
        return by_day
    by_time = utc >= bound.utc if later else utc <= bound.utc
    return or_(and_(utc.is_not(None), by_time), and_(utc.is_(None), by_day))


def _moment(name: str, wanted: str | date) -> date:
    if not isinstance(wanted, str):
        return wanted
    try:
        return date.fromisoformat(wanted) if len(wanted) <= len("2026-03-01") else datetime.fromisoformat(wanted)
    except ValueError:
        raise _wrong(name, "Send a date such as 2026-03-01 or a time such as 2026-03-01T09:20:00+01:00.") from None


def _wrong(name: str, message: str) -> DocumentError:
    return DocumentError(f"The search parameter {name} cannot be read. {message}", (Fault(f"/{name}", message),))
