"""One version before it is stored: what it is made from, what the core is asked, and every row that it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import orjson

from csfinterp.calls import calls_of, repeated
from csfinterp.corrections import panel_status, update_of
from csfinterp.documents import context_in, in_force, panel_of
from csfinterp.events import events_of
from csfinterp.formats import panel_json
from csfinterp.formats.panel_json import Envelope, dumps
from csfinterp.history import contribution_of, history_of
from csfinterp.library import Known
from csfinterp.model.interpretation import Interpretation
from csfinterp.model.panel import Panel
from csfinterp.store import Basis, Collected, PanelKey, Received, SearchTables, VersionRecord, Written
from csfinterp.store.records import PanelHead


@dataclass(frozen=True)
class Draft:
    """One version about to be written. `head` None: a new panel. `history` None: looked up in the store."""

    panel: Panel
    key: PanelKey
    head: PanelHead | None
    reason: str
    content_digest: str
    panel_text: str
    amended_context: str | None = None
    history: Mapping[str, object] | None = None
    edition_id: str | None = None

    @property
    def collected(self) -> Collected:
        return Collected.of(self.panel.specimen.collected_at)

    @property
    def episode(self) -> str | None:
        return self.panel.context.texts.get("episode")

    @property
    def version(self) -> int:
        return 1 if self.head is None else self.head.version + 1

    @property
    def status(self) -> str:
        """New content corrects, unless the sender cancels; context and edition leave what the laboratory said."""
        if self.head is None or self.panel.status == "cancelled" or self.reason == "completed":
            return self.panel.status
        return "corrected" if self.reason == "corrected" else self.head.status

    def history_by(self, basis: Basis | None, known: Known) -> Mapping[str, object]:
        """What earlier panels give: from `basis`, or as it was given with the draft."""
        return history_of(basis.earlier, known.edition, self.collected) if basis is not None else self.history or {}

    def asked(self, history: Mapping[str, object]) -> Panel:
        """The panel as the core is asked."""
        return replace(self.panel, status=self.status, context=replace(self.panel.context, history=history))


def posted(panel: Panel, key: PanelKey, digest: str) -> Draft:
    """Version 1 of a new panel."""
    return Draft(panel, key, None, "posted", digest, dumps(panel.document))


def correction(panel: Panel, key: PanelKey, head: PanelHead, digest: str, *, partial: bool) -> Draft:
    """The next version by new content.

    An amended context outlives it if the sender's own context is the same as before: a corrected value must not take
    back what the treating team said meanwhile. What was only preliminary before is completed by a message that names
    only what is new, not corrected, unless the laboratory says so.
    """
    text, amended = dumps(panel.document), head.amended_context
    if amended is not None and context_in(text) != context_in(head.panel_document):
        amended = None
    used = panel if amended is None else panel_of(in_force(text, amended))
    completed = partial and head.status == "preliminary" and panel.status in ("preliminary", "final")
    return Draft(used, key, head, "completed" if completed else "corrected", digest, text, amended)


def updated(panel: Panel, head: PanelHead | None) -> tuple[Panel, bool]:
    """The whole panel after a message that names only what is new; and whether results in it came too late."""
    if head is None:
        status = panel_status(panel.document)
        return panel if status == panel.status else panel_of(dumps({**panel.document, "status": status})), False
    stored = panel_of(head.panel_document)
    update = update_of(stored.document, panel.document)
    whole = stored if update.document is stored.document else panel_of(dumps(update.document))
    return whole, bool(update.set_aside)


def written(
    draft: Draft, answer: Interpretation, known: Known, panel_id: str, now: str, history: Mapping[str, object],
    basis: Basis | None, received: Received | None, before: Mapping[str, object] | None,
) -> Written:  # fmt: skip
    """The rows of one version. `before`: the interpretation document of the version before it."""
    edition, status = known.edition, draft.status
    text = panel_json.text(answer, Envelope(panel_id, draft.version, now))
    record = VersionRecord(
        panel_id=panel_id, version=draft.version, reason=draft.reason, status=status,
        content_digest=draft.content_digest, panel_document=draft.panel_text, amended_context=draft.amended_context,
        history=dumps(history),
        interpretation=text,
        contributes=dumps(contribution_of(answer, edition)), edition_id=edition.id, edition_digest=edition.digest,
        site_rules_digest=edition.site_rules.digest if edition.site_rules else None, certainty=answer.lm.certainty,
        type=answer.lm.type, headline=answer.summary.headline,
        critical_open=len(calls_of({"status": status, "critical": answer.critical})), episode=draft.episode,
        collected=draft.collected, created_at=now, provisional=answer.lm.provisional,
    )  # fmt: skip
    document = {} if before is None else orjson.loads(text)  # of a first version nothing is compared
    events = events_of(record, document, before)
    same = () if before is None else repeated(before, document)
    return Written(draft.key, record, _search_tables(answer), basis, received, events, same)


def _search_tables(answer: Interpretation) -> SearchTables:
    flags = frozenset((row.analyte, row.flag) for row in answer.results if row.flag is not None)
    return SearchTables(flags, {finding.id: finding.truth for finding in answer.findings})
