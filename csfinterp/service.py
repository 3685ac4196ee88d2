"""The hall: panels are submitted, read, amended, interpreted again. Clock and ids live here, medicine does not."""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, partial

import orjson

from csfinterp.accounts import Accounts
from csfinterp.batch import Answer, Batch
from csfinterp.calls import Calls, calls_of, noted
from csfinterp.catalog import Catalog
from csfinterp.changes import change, short
from csfinterp.course import Course, CoursePanel
from csfinterp.documents import in_force, inside_context, panel_of, plain_numbers
from csfinterp.drafts import Draft, correction, posted, updated, written
from csfinterp.errors import ConflictError, CsfinterpError, DocumentError, Fault, NotFoundError, PreconditionError
from csfinterp.events import held_event
from csfinterp.exports.exporter import Exporter
from csfinterp.exports.privacy import site_secret
from csfinterp.formats import panel_json
from csfinterp.formats.panel_json import Envelope, dumps
from csfinterp.grid import Grid, GridAnswer
from csfinterp.held import HeldMessages
from csfinterp.knowledge import EditionInfo
from csfinterp.library import Known, Library, as_data
from csfinterp.model.interpretation import Interpretation
from csfinterp.model.panel import Panel
from csfinterp.rereading import Rereading
from csfinterp.settings import Settings
from csfinterp.steps.pipeline import Core
from csfinterp.store import (
    Basis,
    CardFeedback,
    Heard,
    Page,
    PanelFilter,
    PanelKey,
    RaceError,
    Received,
    Store,
    Transcript,
    VersionInfo,
    VersionRecord,
    stamp,
)
from csfinterp.store.audit import Deed
from csfinterp.store.engine import busy
from csfinterp.store.records import MessageRecord, PanelHead
from csfinterp.store.searches import Searches

__all__ = [
    "CoursePanel", "Grid", "GridAnswer", "Heard", "HeardBefore", "Page", "PanelFilter", "Service", "StoredPanel",
    "Submission", "Transcript", "VersionInfo",
]  # fmt: skip

# Each round somebody else's write succeeded, so this many writers of one specimen or patient may meet at once.
ATTEMPTS = 50


class HeardBefore(CsfinterpError):
    """An HL7 message with this sender and control id is being stored or was accepted; `found`: what is kept."""

    def __init__(self, found: tuple[Heard, ...]) -> None:
        super().__init__("The control id is occupied.")
        self.found = found


@dataclass(frozen=True)
class Submission:
    """What a sender is told: `created` False means that this very answer was stored before.

    `told`: how many critical calls of it are acknowledged.
    """

    panel_id: str
    version: int
    created: bool
    text: str
    told: int = 0

    @cached_property
    def document(self) -> dict[str, object]:
        """The interpretation document; `text` is the same as JSON, as stored."""
        document: dict[str, object] = orjson.loads(self.text)
        return document

    @property
    def etag(self) -> str:
        """Names this version and its call-backs strongly; without the quotes of the header."""
        return etag(self.panel_id, self.version, self.told)


@dataclass(frozen=True)
class StoredPanel:
    """One stored version; `versions` counts all of the panel.

    `panel_document`: the sender's document with the context in force; `panel_text`: the same as JSON text, with every
    number exactly as sent. `document`: the interpretation document.
    """

    panel_id: str
    version: int
    versions: int
    status: str
    reason: str
    created_at: str
    edition: str
    panel_document: dict[str, object]
    panel_text: str
    document: dict[str, object]
    told: int = 0

    @property
    def tag(self) -> str:
        """Names this version, whatever was noted of its calls."""
        return etag(self.panel_id, self.version)

    @property
    def etag(self) -> str:
        """Names this version and its call-backs strongly; without the quotes of the header."""
        return etag(self.panel_id, self.version, self.told)


@dataclass(frozen=True)
class OperatingState:
    """`deliveries` by (destination, state); `oldest_waiting`: since when the oldest delivery is due, as a stamp."""

    panels_open: int
    calls_open: int
    audit_rows: int
    deliveries: Mapping[tuple[str, str], int]
    oldest_waiting: str | None
    edition_id: str
    edition_digest: str


class Service:
    """Everything the doors may ask for. Thread-safe; one per process. Loads the edition in force when it is made.

    `clock` gives the time with zone, `new_id` an unguessable panel id.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._settings, self._store, self._clock, self._new_id = settings, store, clock, new_id
        self._library = Library(settings)
        self._library.known()
        self.course = Course(store)
        self.calls = Calls(store, clock)
        self.catalog = Catalog(self._library)

    # --- trust ---

    @cached_property
    def accounts(self) -> Accounts:
        """Who may act."""
        return Accounts(self._settings, self._store, self._clock)

    def note(self, outcome: str, panel_id: str | None, details: Mapping[str, object]) -> None:
        """Audits what the act under way did beside storing: reads, exports, refusals. Raises StoreError, `busy`."""
        self._store.audit.note([Deed(outcome, panel_id, None, details)])

    # --- submit, interpret ---

    def submit(self, panel: Panel, *, partial: bool = False, transcript: Transcript | None = None) -> Submission:
        """Stores and interprets a panel; answers only when it is durable.

        The same content again: the stored answer, `created` False. The same specimen with new content: the next
        version, its status `corrected` unless the sender cancels it. A `context.history` in the document is kept with
        it but not used: the service fills the history from the store. An amended context stays in force until the
        sender sends another context than before.
        `partial`: the panel is a message that names only what is new (HL7 v2). It updates the stored document of the
        specimen by the rules of `corrections.merged`; results that it does not name stay. A preliminary result that
        comes after the final one changes nothing; the message is held as `preliminary_after_final`.
        `transcript`: the HL7 message that brought the panel, kept in the same transaction.
        Raises DocumentError (no panel of CSF), ConflictError `message_id_reused` or `other_patient` (the message is
        held) or `busy` (send again), HeardBefore if the control id of the transcript is occupied.
        """
        if not panel.document:
            raise ValueError("a panel that is stored must carry its document")
        key, received = self._received(panel, transcript)
        return _until_stored(lambda: self._submit(panel, key, received, partial))

    def submit_many(self, panels: Sequence[Panel]) -> list[Answer | CsfinterpError]:
        """`submit` for each panel, in order; one that is refused is its error, and the rest goes on."""
        return Batch(self._store, self._library.known(), self.submit, self._now, self._new_id).add(panels)

    def _now(self) -> str:
        return stamp(self._clock())

    def interpret(self, panel: Panel) -> dict[str, object]:
        """The interpretation document; nothing is stored. The history is that of the document. Raises DocumentError."""
        return self.interpret_many((panel,))[0]

    def interpret_many(self, panels: Iterable[Panel]) -> list[dict[str, object]]:
        """`interpret` for each panel, in order. Raises the DocumentError of the first one with a `refusal`."""
        items = tuple(panels)
        if (refusal := next(filter(None, map(self.refusal, items)), None)) is not None:
            raise refusal
        now = stamp(self._clock())
        answers = self.core().interpret_many(items)
        return [orjson.loads(_document_text(answer, None, 1, now)) for answer in answers]

    def refusal(self, panel: Panel) -> DocumentError | None:
        """Why a panel that can be read is still refused: it names no known analyte of CSF. None: it is not refused."""
        return self._library.known().refusal(panel)

    def amend_context(self, panel_id: str, context: Mapping[str, object], if_match: str | None) -> Submission:
        """Replaces the clinical context of the newest version (whole object) and interprets again.

        `if_match` is the If-Match header: the newest version's etag, quoted or not, or `*`.
        Raises NotFoundError, PreconditionError (`if_match_missing`, `version_outdated`), DocumentError with pointers
        into the context.
        """
        if if_match is None:
            raise PreconditionError("Read the panel first and send its ETag in If-Match.", "if_match_missing")
        return _until_stored(lambda: self._amend(panel_id, context, if_match))

    def reinterpret(self, panel_id: str, edition_id: str) -> Submission:
        """Interprets the newest version again with an edition, with the history stored then; a new version.

        Raises NotFoundError for a panel or an edition that is not there, EditionError for one that must not be used.
        """
        self._library.known(edition_id)
        return _until_stored(lambda: self._reinterpret(panel_id, edition_id))

    # --- read ---

    def panel(self, panel_id: str, version: int | None = None) -> StoredPanel:
        """One version as stored, the newest for None. Raises NotFoundError."""
        record = self._record(panel_id, version)
        count = record.version if version is None else self._head(panel_id).version
        text = in_force(record.panel_document, record.amended_context)
        document, told = self._noted(record)
        return StoredPanel(
            panel_id, record.version, count, record.status, record.reason, record.created_at, record.edition_id,
            plain_numbers(text), text, document, told,
        )  # fmt: skip

    def versions(self, panel_id: str) -> tuple[VersionInfo, ...]:
        """Every version of a panel, oldest first. Raises NotFoundError."""
        found = self._store.versions(panel_id)
        if not found:
            raise _no_panel()
        return found

    def changes(self, panel_id: str, before: int | None = None, after: int | None = None) -> dict[str, object]:
        """What version `after` (None: the newest) says otherwise than `before` (None: the version before it).

        The form is that of `changes.change`. Raises NotFoundError, DocumentError if there is no version before it.
        """
        newer = self._record(panel_id, after)
        number = newer.version - 1 if before is None else before
        if number < 1:
            raise DocumentError("Version 1 has no version before it.", (Fault("/to", "Send 2 or more, or send from."),))
        older = self._record(panel_id, number)
        return change(self._noted(older)[0], self._noted(newer)[0])

    def version_changes(self, panel_id: str) -> list[dict[str, object] | None]:
        """`changes.short` for each version against the one before it, oldest first; None for version 1."""
        texts = self._store.interpretations(panel_id)
        documents = [orjson.loads(text) for text in texts]
        return [None, *(short(change(*pair)) for pair in itertools.pairwise(documents))]

    def search(self, filters: PanelFilter, limit: int, after: str | None = None) -> Page:
        """The newest versions that pass the filters, latest arrival first; at most `limit` and the site's page size.

        Raises DocumentError naming the parameter that is wrong.
        """
        if limit < 1:
            raise DocumentError("limit must be at least 1.", (Fault("/limit", "Send 1 or more."),))
        return self._store.search(filters, min(limit, self._settings.page_size_max), after)

    def open_calls(self) -> tuple[int, int]:
        """(panels with critical calls that nobody has noted yet, the number of those calls)."""
        return self._store.open_calls()

    def operating_state(self) -> OperatingState:
        """What the store holds now, for those who watch the service."""
        panels_open, calls_open = self._store.open_calls()
        edition = self.core().edition
        return OperatingState(
            panels_open, calls_open, self._store.audit.head()[0], self._store.outbox.counts(),
            self._store.outbox.oldest_waiting(), edition.id, edition.digest,
        )  # fmt: skip

    # --- HL7 messages as received ---

    def now(self) -> datetime:
        """The service's time, with zone."""
        return self._clock()

    def heard(self, sender: str, control_id: str, content_digest: str) -> tuple[Heard, ...]:
        """Of the HL7 messages under this sender and control id: that of this content, and that which occupies it."""
        return self._store.heard(sender, control_id, content_digest)

    def keep(self, transcript: Transcript) -> None:
        """Keeps an HL7 message with its answer, or the new state of one that is kept.

        Raises HeardBefore if another message took the control id meanwhile.
        """
        try:
            self._store.keep(transcript)
        except RaceError:
            found = self.heard(transcript.sender, transcript.control_id, transcript.content_digest)
            raise HeardBefore(found) from None

    def hold_reused(self, panel: Panel) -> Submission | None:
        """Holds a panel of an HL7 message whose control id stands for other content.

        None: it waits for an administrator. One that was held before and released is what it became.
        """
        key, received = self._received(panel)
        if (released := self._released("message_id_reused", received)) is None:
            seen = self._store.message(key.source_system, received.message_id) if received.message_id else None
            self._hold("message_id_reused", panel, received, seen, partial=True)
        return released

    @property
    def held(self) -> HeldMessages:
        """What could not be joined to a case and waits for an administrator, or was decided."""
        return HeldMessages(self._store, self._submit_again, self._now)

    @property
    def searches(self) -> Searches:
        """What searches asked, under tokens that links carry instead of patients."""
        return self._store.searches

    def keep_feedback(self, service: str, feedback: Iterable[Mapping[str, object]]) -> None:
        """Keeps what clinicians answered to cards of a CDS Hooks service; each names its `card` and `outcome`."""
        now = stamp(self._clock())
        self._store.keep_feedback(
            [CardFeedback(service, str(one["card"]), str(one["outcome"]), dumps(one), now) for one in feedback]
        )

    # --- knowledge ---

    def editions(self) -> tuple[EditionInfo, ...]:
        """The editions in the editions folder."""
        return self._library.editions()

    def edition_document(self, edition_id: str) -> dict[str, object]:
        """One edition as plain data, with the site's options applied. Raises NotFoundError, EditionError."""
        return as_data(self._library.known(edition_id).edition)

    def analytes(self, edition_id: str | None = None) -> list[dict[str, object]]:
        """The analytes of an edition as plain data; None: the edition in force. Raises as `edition_document`."""
        return [as_data(analyte) for analyte in self._library.known(edition_id).edition.analytes]

    def exporter(self) -> Exporter:
        """Exports of what is stored, with the columns of the edition in force."""
        secret = partial(site_secret, self._settings.data_folder)
        return Exporter(self._store, self._library.known().edition, secret)

    def rereading(self, edition_id: str) -> Rereading:
        """Reads stored panels again with another edition. Raises as `edition_document`."""
        return Rereading(self, self._store, self._library.known(edition_id))

    def known(self, edition_id: str | None = None) -> Known:
        """An edition with its compiled core; None: the edition in force. Raises as `edition_document`."""
        return self._library.known(edition_id)

    def core(self, edition_id: str | None = None) -> Core:
        """The compiled core of an edition; None: the edition in force. Raises as `edition_document`."""
        return self._library.known(edition_id).core

    def lm_grid(self, edition_id: str | None = None) -> Grid:
        """The EANO-ESMO table of an edition, to ask what other inputs would give. Raises as `edition_document`."""
        return Grid(self.core(edition_id))

    # --- one attempt each: read, decide, interpret, write; a RaceError starts it over ---

    def _submit(self, panel: Panel, key: PanelKey, received: Received, partial: bool) -> Submission:
        received = self._heard(received)
        seen = received.message_id and self._store.message(key.source_system, received.message_id)
        if seen:
            if seen.content_digest != received.content_digest:
                return self._refuse("message_id_reused", panel, received, seen, partial)
            if received.transcript is not None:
                self._store.keep(received.transcript)
            return self._stored(seen.panel_id, seen.version)
        head = self._store.head(key)
        if head is not None and head.patient_id != key.patient_id:
            return self._refuse("other_patient", panel, received, head, partial)
        whole, late = updated(panel, head) if partial else (panel, False)
        if late and head is not None:
            self._hold("preliminary_after_final", panel, received, head, partial)
        digest = panel_json.content_digest(whole) if partial else received.content_digest
        if head is None:
            return self._write(posted(whole, key, digest), received)
        if head.content_digest == digest:
            if received.message_id is not None or received.transcript is not None:
                self._store.remember(received, head.panel_id, head.version)
            return self._stored(head.panel_id, head.version)
        return self._write(correction(whole, key, head, digest, partial=partial), received)

    def _heard(self, received: Received) -> Received:
        """The same, with what is known of its HL7 message. Raises HeardBefore if the control id is occupied."""
        if (transcript := received.transcript) is None:
            return received
        found = self.heard(transcript.sender, transcript.control_id, transcript.content_digest)
        if any(message.occupies for message in found):
            raise HeardBefore(found)
        kept = any(message.content_digest == transcript.content_digest for message in found)
        return replace(received, kept=True) if kept else received

    def _amend(self, panel_id: str, context: Mapping[str, object], if_match: str) -> Submission:
        head = self._head(panel_id)
        if not _matches(if_match, etag(panel_id, head.version)):
            raise PreconditionError("The panel has a newer version; read it and send its ETag.", "version_outdated")
        amended = dumps(context)
        try:
            panel = panel_of(in_force(head.panel_document, amended))
        except DocumentError as error:
            raise inside_context(error) from None
        draft = Draft(panel, _key_of(panel, head), head, "context", head.content_digest, head.panel_document, amended)
        return self._write(draft, None)

    def _reinterpret(self, panel_id: str, edition_id: str) -> Submission:
        head, record = self._head(panel_id), self._record(panel_id, None)
        if record.version != head.version:
            raise RaceError("a version came between two reads")
        panel = panel_of(in_force(record.panel_document, record.amended_context))
        draft = Draft(
            panel, _key_of(panel, head), head, "reinterpreted", record.content_digest, record.panel_document,
            record.amended_context, orjson.loads(record.history), edition_id,
        )  # fmt: skip
        return self._write(draft, None)

    def _write(self, draft: Draft, received: Received | None) -> Submission:
        """Interprets outside of any transaction, then stores; RaceError if the ground moved meanwhile."""
        known = self._library.known(draft.edition_id)
        if (refusal := known.refusal(draft.panel)) is not None:
            raise refusal
        basis = None if draft.history is not None else self._basis(draft)
        history = draft.history_by(basis, known)
        answer = known.core.interpret(draft.asked(history))
        panel_id = self._new_id() if draft.head is None else draft.head.panel_id
        before = None if draft.head is None else orjson.loads(self._record(panel_id, draft.head.version).interpretation)
        rows = written(draft, answer, known, panel_id, stamp(self._clock()), history, basis, received, before)
        self._store.add_many((rows,))
        return self._submission(rows.record, created=True)

    def _basis(self, draft: Draft) -> Basis:
        head = draft.head
        panel_id, seq = (None, None) if head is None else (head.panel_id, head.seq)
        return self._store.earlier(draft.key.patient_id, draft.collected, draft.episode, panel_id, seq)

    def _stored(self, panel_id: str, version: int) -> Submission:
        return self._submission(self._record(panel_id, version), created=False)

    def _submission(self, record: VersionRecord, *, created: bool) -> Submission:
        """The answer with what is noted of its calls; of a new panel nothing is."""
        document, told = ({}, 0) if created and record.version == 1 else self._noted(record)
        text = orjson.dumps(document).decode() if told else record.interpretation
        return Submission(record.panel_id, record.version, created, text, told)

    def _noted(self, record: VersionRecord) -> tuple[dict[str, object], int]:
        """The interpretation document with who was told of its critical calls, and how many of them."""
        document = orjson.loads(record.interpretation)
        told = self._store.acknowledgements(record.panel_id, record.version) if calls_of(document) else ()
        return (noted(document, told), len(told)) if told else (document, 0)

    def _record(self, panel_id: str, version: int | None) -> VersionRecord:
        record = self._store.version(panel_id, version)
        if record is None:
            raise _no_panel()
        return record

    def _head(self, panel_id: str) -> PanelHead:
        head = self._store.head_of(panel_id)
        if head is None:
            raise _no_panel()
        return head

    def _hold(
        self, why: str, panel: Panel, received: Received, met: PanelHead | MessageRecord | None, partial: bool
    ) -> None:
        event = None if met is None else held_event(why, received, met.panel_id, met.version)
        place = None if met is None else (met.panel_id, met.version)
        self._store.hold(why, received, dumps(panel.document), place, event, partial=partial)

    def _refuse(
        self, why: str, panel: Panel, received: Received, met: PanelHead | MessageRecord, partial: bool
    ) -> Submission:
        """Holds the message; one that was held before and released is answered with what it became."""
        if (released := self._released(why, received)) is None:
            self._hold(why, panel, received, met, partial)
            raise ConflictError(_HELD[why], why)
        if received.transcript is not None:
            self._store.keep(received.transcript)
        return released

    def _released(self, why: str, received: Received) -> Submission | None:
        same = self._store.held.same(why, received)
        if same is None or same.panel_id is None or same.version is None:
            return None
        return self._stored(same.panel_id, same.version)

    def _submit_again(self, panel: Panel, partial: bool) -> Submission:
        """`submit` of a message that was held: nobody asks for its message id any more."""
        key, received = self._received(panel)
        received = replace(received, message_id=None)
        return _until_stored(lambda: self._submit(panel, key, received, partial))

    def _received(self, panel: Panel, transcript: Transcript | None = None) -> tuple[PanelKey, Received]:
        key = PanelKey(panel.source.system or "", panel.specimen.id, panel.patient.id)
        digest = panel_json.content_digest(panel)
        return key, Received(key.source_system, panel.source.message_id or None, digest, self._now(), transcript)


_CALLED = re.compile(r"-told[0-9]+\Z")
_HELD = {
    "message_id_reused": "This source.message_id came before with other content. The message is held, nothing was"
    " interpreted. Send a correction under a new source.message_id.",
    "other_patient": "This specimen.id is stored with another patient.id (or with none). The message is held and joined"
    " to no patient. Send the specimen under its own id, or correct patient.id.",
}


def etag(panel_id: str, version: int, told: int = 0) -> str:
    """The name of one version with `told` call-backs noted, without quotes."""
    return f"{panel_id}-{version}" + (f"-told{told}" if told else "")


def _until_stored(attempt: Callable[[], Submission]) -> Submission:
    """Repeats `attempt` while others write first; ConflictError `busy` after ATTEMPTS rounds."""
    for number in range(ATTEMPTS):
        try:
            return attempt()
        except RaceError:
            time.sleep(0.001 * min(number, 10))
    raise busy()


def _no_panel() -> NotFoundError:
    return NotFoundError("There is no such panel or version; GET /api/v1/panels finds panels.")


def _key_of(panel: Panel, head: PanelHead) -> PanelKey:
    return PanelKey(panel.source.system or "", panel.specimen.id, head.patient_id)


def _matches(if_match: str, newest: str) -> bool:
    """True if the If-Match header allows the change. Weak tags never do (RFC 9110: strong comparison).

    A call-back that was noted meanwhile changes nothing of the panel: a tag with or without it names the version.
    """
    tags = [tag.strip() for tag in if_match.split(",")]
    return "*" in tags or newest in (_CALLED.sub("", tag.strip('"')) for tag in tags if not tag.startswith("W/"))


def _document_text(answer: Interpretation, panel_id: str | None, version: int, generated_at: str) -> str:
    return panel_json.text(answer, Envelope(panel_id, version, generated_at))
