"""Who is acting: a door sets it for one request, message or command; the audit reads it where something is stored.

Doors and store both see it. It holds names and ids, never a patient's data.
"""

from __future__ import annotations

import getpass
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

MOST_SEEN = 1000


@dataclass
class Act:
    """One thing that is being done. `who`: a named account or service; `what`: the operation; `origin`: from where.

    `seen` collects the panels that were read; `written` tells that the audit holds a row of this act already.
    """

    who: str
    what: str
    roles: tuple[str, ...] = ()
    origin: str = "local"
    request_id: str | None = None
    seen: dict[str, None] = field(default_factory=dict)
    written: bool = False

    def saw(self, panel_id: str) -> None:
        """A panel was read; ids beyond MOST_SEEN of one act are not kept."""
        if len(self.seen) < MOST_SEEN:
            self.seen[panel_id] = None


_process = Act("process", "unnamed")
_current: ContextVar[Act | None] = ContextVar("csfinterp_act", default=None)


def become(who: str, what: str) -> None:
    """Names what this process does where no request or message says otherwise (mllp, deliver, a command)."""
    global _process
    _process = Act(who, what)
    begin(None)


def operator() -> str:
    """The name under which commands of this user of the machine act."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli:unknown"


def begin(act: Act | None) -> None:
    """Sets the act of this thread or task until the next `begin`."""
    _current.set(act)


def current() -> Act:
    """The act under way; without one a fresh act of the process."""
    return _current.get() or replace(_process, seen={})
