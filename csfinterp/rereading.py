"""A stored cohort read again with another edition: what would change, and the new versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson

from csfinterp.changes import change
from csfinterp.documents import in_force, panel_of
from csfinterp.formats import panel_json
from csfinterp.formats.panel_json import Envelope
from csfinterp.library import Known
from csfinterp.model.panel import Panel
from csfinterp.store import PanelFilter, Store, VersionRecord
from csfinterp.store.exported import pages

if TYPE_CHECKING:
    from csfinterp.service import Service

PAGE = 200
Move = tuple[str, str | None, str | None]  # of what, before, after


@dataclass
class Tally:
    """What another edition says otherwise, counted over panels. `read`: panels asked; `same_edition`: those that their
    newest version has read with this edition and these rules of the site already; `changed`: panels of which anything
    named here differs. Keys of the counters: (analyte, pattern or finding, word before, word after).
    """

    read: int = 0
    same_edition: int = 0
    changed: int = 0
    flags: Counter[Move] = field(default_factory=Counter)
    certainties: Counter[Move] = field(default_factory=Counter)
    patterns: Counter[Move] = field(default_factory=Counter)
    findings: Counter[Move] = field(default_factory=Counter)
    panels: list[str] = field(default_factory=list)

    def add(self, panel_id: str, changed: dict[str, Any]) -> None:
        """Counts one panel; `changed` as `changes.change` gives it."""
        self.read += 1
        level = changed["lm"]
        moves = (
            (self.flags, [(row["analyte"], _flag(row["before"]), _flag(row["after"])) for row in changed["results"]]),
            (self.certainties, [("lm", _level(level["before"]), _level(level["after"]))] if level else []),
            (self.patterns, [(row["id"], row["before"], row["after"]) for row in changed["patterns"]]),
            (self.findings, [(row["id"], row["before"], row["after"]) for row in changed["findings"]]),
        )
        differs = False
        for counter, found in moves:
            really = [move for move in found if move[1] != move[2]]
            counter.update(really)
            differs |= bool(really)
        if differs:
            self.changed += 1
            self.panels.append(panel_id)

    def document(self) -> dict[str, Any]:
        """Plain data, the most frequent change first."""
        return {
            "read": self.read,
            "same_edition": self.same_edition,
            "changed": self.changed,
            **{name: _listed(getattr(self, name)) for name in ("flags", "certainties", "patterns", "findings")},
            "panels": self.panels,
        }


class Rereading:
    """Reads the newest versions of a store again with `known`, a page of panels at a time; memory stays flat."""

    def __init__(self, service: Service, store: Store, known: Known) -> None:
        self._service, self._store, self._known = service, store, known

    def compare(self, filters: PanelFilter, tally: Tally) -> Iterator[str]:
        """Counts into `tally` what would change; yields the id of every panel asked, for a progress bar and `write`.

        Nothing is stored. Every panel keeps the history that its newest version was read with.
        """
        for page in pages(self._store.engine, filters, PAGE):
            records = [self._store.version(row.panel_id) for row in page]
            asked = [record for record in records if record is not None and not self._is_read(record, tally)]
            answers = self._known.core.interpret_many([_panel(record) for record in asked])
            for record, answer in zip(asked, answers, strict=True):
                envelope = Envelope(record.panel_id, record.version + 1, record.created_at)
                document = panel_json.write(answer, envelope)
                tally.add(record.panel_id, change(orjson.loads(record.interpretation), document))
                yield record.panel_id

    def write(self, panel_id: str) -> int:
        """Stores the new version of one panel; returns its number."""
        return self._service.reinterpret(panel_id, self._known.edition.id).version

    def _is_read(self, record: VersionRecord, tally: Tally) -> bool:
        edition = self._known.edition
        rules = edition.site_rules.digest if edition.site_rules else None
        read_with = (record.edition_id, record.edition_digest, record.site_rules_digest)
        same = read_with == (edition.id, edition.digest, rules)
        tally.same_edition += same
        return same


def _panel(record: VersionRecord) -> Panel:
    """The panel of a stored version as the core was asked then."""
    panel = panel_of(in_force(record.panel_document, record.amended_context))
    history = orjson.loads(record.history)
    return replace(panel, status=record.status, context=replace(panel.context, history=history))


def _flag(row: dict[str, Any] | None) -> str | None:
    return None if row is None else row["flag"] or row["not_judged"]


def _level(row: dict[str, Any] | None) -> str | None:
    return None if row is None else " ".join(filter(None, (row["certainty"], row["type"])))


def _listed(found: Counter[Move]) -> list[dict[str, Any]]:
    ordered = sorted(found.items(), key=lambda pair: (-pair[1], tuple(map(str, pair[0]))))
    return [{"id": name, "before": before, "after": after, "panels": count} for (name, before, after), count in ordered]
