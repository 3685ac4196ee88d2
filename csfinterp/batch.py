"""Many panels at once: the new ones go through the core in columns and into the store together, each one idempotent.

A panel of which something is stored, or that meets another of its batch (same specimen, message or patient), goes the
way of a single one, in the order sent: it must see what the others have stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from csfinterp.drafts import posted, written
from csfinterp.errors import CsfinterpError
from csfinterp.formats import panel_json
from csfinterp.library import Known
from csfinterp.model.panel import Panel
from csfinterp.store import Basis, PanelKey, Received, Store

if TYPE_CHECKING:
    from csfinterp.service import Submission


@dataclass(frozen=True)
class Answer:
    """What became of one panel of a batch; `created` False: this answer was stored before."""

    panel_id: str
    version: int
    created: bool
    status: str
    critical_open: int


class _Item(NamedTuple):
    place: int
    panel: Panel
    key: PanelKey
    received: Received


@dataclass(frozen=True)
class Batch:
    """How one batch is stored. `submit`: the way of a single panel. `now`, `new_id`: clock and ids of the service."""

    store: Store
    known: Known
    submit: Callable[[Panel], Submission]
    now: Callable[[], str]
    new_id: Callable[[], str]

    def add(self, panels: Sequence[Panel]) -> list[Answer | CsfinterpError]:
        """One answer for each panel, in order; an error stands for the panel that it refuses and for no other."""
        answers: dict[int, Answer | CsfinterpError] = {}
        items = [self._item(place, panel) for place, panel in enumerate(panels)]
        together = self._new_and_apart(items)
        for item in tuple(together):
            if (refusal := self.known.refusal(item.panel)) is not None:
                answers[item.place] = refusal
                together.remove(item)
        # If somebody wrote meanwhile, nothing of this is stored and each goes its own way below.
        with suppress(CsfinterpError):
            answers |= self._store_together(together)
        for item in items:
            if item.place not in answers:
                answers[item.place] = self._one(item.panel)
        return [answers[place] for place in range(len(panels))]

    def _item(self, place: int, panel: Panel) -> _Item:
        key = PanelKey(panel.source.system or "", panel.specimen.id, panel.patient.id)
        digest = panel_json.content_digest(panel)
        return _Item(
            place, panel, key, Received(key.source_system, panel.source.message_id or None, digest, self.now())
        )

    def _new_and_apart(self, items: Sequence[_Item]) -> list[_Item]:
        """The panels of which nothing is stored and that nobody before them in the batch has to do with."""
        stored, seen = self.store.known([item.key for item in items], [item.received for item in items])
        taken: set[tuple[object, ...]] = set()
        chosen = []
        for item in items:
            source, specimen, patient = item.key.source_system, item.key.specimen_id, item.key.patient_id
            names: set[tuple[object, ...]] = {("specimen", source, specimen)}
            names |= {("message", source, item.received.message_id)} if item.received.message_id else set()
            names |= {("patient", patient)} if patient is not None else set()
            if item.key not in stored and item.received not in seen and not names & taken:
                chosen.append(item)
            taken |= names
        return chosen

    def _store_together(self, items: Sequence[_Item]) -> dict[int, Answer | CsfinterpError]:
        if not items:
            return {}
        drafts = [posted(item.panel, item.key, item.received.content_digest) for item in items]
        bases = self.store.earlier_many(
            [Basis(draft.key.patient_id, None, None, draft.collected, draft.episode, ()) for draft in drafts]
        )
        histories = [draft.history_by(basis, self.known) for draft, basis in zip(drafts, bases, strict=True)]
        asked = [draft.asked(history) for draft, history in zip(drafts, histories, strict=True)]
        found = self.known.core.interpret_many(asked)
        rows = [
            written(draft, answer, self.known, self.new_id(), self.now(), history, basis, item.received, None)
            for draft, answer, history, basis, item in zip(drafts, found, histories, bases, items, strict=True)
        ]
        self.store.add_many(rows)
        return {
            item.place: Answer(row.record.panel_id, 1, True, row.record.status, row.record.critical_open)
            for item, row in zip(items, rows, strict=True)
        }

    def _one(self, panel: Panel) -> Answer | CsfinterpError:
        try:
            done = self.submit(panel)
        except CsfinterpError as error:
            return error
        critical = done.document["critical"]
        calls = sum(call["acknowledged"] is None for call in critical) if isinstance(critical, list) else 0
        return Answer(done.panel_id, done.version, done.created, str(done.document["status"]), calls)
