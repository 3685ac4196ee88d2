"""Held messages: what could not be joined to a case waits here until an administrator decides. Nothing is dropped.

Released, a message is stored and interpreted as if it came now; discarded, it stays readable with the reason.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from csfinterp.corrections import stated_status
from csfinterp.documents import panel_of, plain_numbers, stored_document
from csfinterp.errors import ConflictError, DocumentError, Fault, NotFoundError
from csfinterp.formats.panel_json import dumps
from csfinterp.model.panel import Panel
from csfinterp.store import PanelKey, RaceError, Store
from csfinterp.store.held import DISCARDED, RELEASED, STATES, WAITING, Decision, HeldMessage

if TYPE_CHECKING:
    from csfinterp.service import Submission

__all__ = ["STATES", "WAITING", "HeldMessages", "Ruling"]

log = logging.getLogger(__name__)
WHY = {
    "message_id_reused": "its message id came before with other content",
    "other_patient": "its specimen is stored with another patient id",
    "preliminary_after_final": "a preliminary result in it came after the final one",
}
LONGEST_NOTE = 2000


@dataclass(frozen=True)
class Ruling:
    """What an administrator says: who, why, and for a release how the message is joined.

    `join`: the specimen is that of the stored panel, whose patient id the message takes. `specimen_id`: the message is
    stored as a specimen of its own, under this id.
    """

    by: str
    note: str
    join: bool = False
    specimen_id: str | None = None


@dataclass(frozen=True)
class HeldMessages:
    """The held messages of one service. `store_again` submits a panel without looking at its message id."""

    store: Store
    store_again: Callable[[Panel, bool], Submission]
    now: Callable[[], str]

    def listed(self, state: str | None, limit: int, after: int | None = None) -> list[dict[str, Any]]:
        """The oldest first, behind the number `after`; `state` None: all. Without patient and values."""
        return [_summary(one) for one in self.store.held.listed(state, limit, after)]

    def show(self, number: int) -> dict[str, Any]:
        """One with the document as received and the panel that it met. Raises NotFoundError."""
        held = self._one(number)
        head = self.store.head_of(held.met_panel_id) if held.met_panel_id else None
        met = None if head is None else {"patient_id": head.patient_id, "panel": plain_numbers(head.panel_document)}
        return {**_summary(held), "document": plain_numbers(held.document), "stored": met}

    def release(self, number: int, ruling: Ruling) -> Submission:
        """Stores the message after all, as the ruling says; what it became is written beside it.

        Broken off in between it may be released again: the same content makes no second version.
        Raises NotFoundError, ConflictError `held_decided`, DocumentError with pointers into the ruling.
        """
        held = self._waiting(number, ruling)
        panel = self._panel(held, ruling)
        done = self.store_again(panel, bool(held.partial))
        self._decide(held, Decision(RELEASED, self.now(), ruling.by, ruling.note, done.panel_id, done.version))
        return done

    def discard(self, number: int, ruling: Ruling) -> None:
        """It is not stored as a panel; the message and the reason stay. Raises as `release`."""
        self._decide(self._waiting(number, ruling), Decision(DISCARDED, self.now(), ruling.by, ruling.note))

    def _one(self, number: int) -> HeldMessage:
        found = self.store.held.one(number)
        if found is None:
            raise NotFoundError("There is no held message of this number; list them first.")
        return found

    def _waiting(self, number: int, ruling: Ruling) -> HeldMessage:
        held = self._one(number)
        if held.state != WAITING:
            raise _decided(held.state)
        if not ruling.note.strip() or len(ruling.note) > LONGEST_NOTE:
            raise _fault("/note", f"Say why, in at most {LONGEST_NOTE} characters.")
        if ruling.join and ruling.specimen_id is not None:
            raise _fault("/specimen_id", "A message is joined or gets a specimen of its own. Send one of both.")
        return held

    def _decide(self, held: HeldMessage, decision: Decision) -> None:
        try:
            self.store.held.decide(held.seq, decision)
        except RaceError:
            raise _decided("meanwhile") from None
        log.info("held message decided", extra={"held": held.seq, "why": held.why, "state": decision.state})

    def _panel(self, held: HeldMessage, ruling: Ruling) -> Panel:
        """The panel as it is released."""
        document = stored_document(held.document)
        if ruling.specimen_id is not None:
            document["specimen"] = {**document["specimen"], "id": ruling.specimen_id}
        if held.why == "preliminary_after_final":
            document = _corrected(document)
        panel = panel_of(dumps(document))
        head = self.store.head(PanelKey(panel.source.system or "", panel.specimen.id, panel.patient.id))
        if head is None or head.patient_id == panel.patient.id:
            return panel
        if not ruling.join:
            text = "This specimen is stored with another patient id. Send join true if both are the same patient's"
            raise _fault("/join", text + ", or specimen_id to store the message as a specimen of its own.")
        patient = {**(document.get("patient") or {}), "id": head.patient_id}
        document["patient"] = {key: value for key, value in patient.items() if value is not None}
        return panel_of(dumps(document))


def _corrected(document: dict[str, Any]) -> dict[str, Any]:
    """A preliminary result that came too late is released as what it then is: a correction of the final one."""
    status = stated_status(document)
    results = [{**one, "status": one.get("status") or status} for one in document["observations"]]
    for one in results:
        if one["status"] == "preliminary":
            one["status"] = "corrected"
    return {**document, "status": "corrected", "observations": results}


def _summary(held: HeldMessage) -> dict[str, Any]:
    document = plain_numbers(held.document)
    values = asdict(held)
    shown = ("why", "state", "received_at", "decided_at", "decided_by", "note", "panel_id", "version")
    specimen = document.get("specimen")
    return {
        "id": held.seq,
        "reason": WHY.get(held.why, held.why),
        "source": held.source_system,
        "message_id": held.message_id or None,
        "specimen_id": specimen.get("id") if isinstance(specimen, dict) else None,
        "met": {"panel_id": held.met_panel_id, "version": held.met_version} if held.met_panel_id else None,
        **{name: values[name] for name in shown},
    }


def _decided(how: str) -> ConflictError:
    return ConflictError(f"This held message is decided already ({how}); it stays as it is.", "held_decided")


def _fault(pointer: str, text: str) -> DocumentError:
    return DocumentError(text, (Fault(pointer, text),))
