"""What goes into the store and comes out of it: frozen rows, times as the tables keep them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from csfinterp.errors import CsfinterpError


class RaceError(CsfinterpError):
    """Somebody else wrote first: read again and decide again. Never leaves the service."""


def stamp(moment: datetime) -> str:
    """`moment` (with zone) as UTC text of fixed width, so that texts sort like times."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


@dataclass(frozen=True)
class Collected:
    """A collection time: `text` as sent, `on` its calendar day, `utc` its instant (None where only a day was sent).

    A time without a zone is read as UTC: it only orders the samples of one day.
    """

    text: str | None = None
    on: str | None = None
    utc: str | None = None

    @staticmethod
    def of(moment: datetime | date | None) -> Collected:
        if moment is None:
            return Collected()
        if not isinstance(moment, datetime):
            return Collected(moment.isoformat(), moment.isoformat())
        try:
            utc = stamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        except OverflowError:  # the first and last day of the calendar have no UTC instant in every zone
            utc = None
        return Collected(moment.isoformat(), moment.date().isoformat(), utc)

    def not_after(self, other: Collected) -> bool | None:
        """True if this lies before or at `other`, by instant or else by day; None where one of them is not known."""
        if self.on is None or other.on is None:
            return None
        if self.utc is not None and other.utc is not None:
            return self.utc <= other.utc
        return self.on <= other.on


@dataclass(frozen=True)
class PanelHead:
    """A panel and its newest version, as far as a new message must know them."""

    panel_id: str
    seq: int
    patient_id: str | None
    version: int
    content_digest: str
    panel_document: str
    amended_context: str | None
    status: str


@dataclass(frozen=True)
class MessageRecord:
    """The answer that a message got."""

    content_digest: str
    panel_id: str
    version: int


@dataclass(frozen=True)
class VersionRecord:
    """One row of panel_versions; the columns are explained in schema.py."""

    panel_id: str
    version: int
    reason: str
    status: str
    content_digest: str
    panel_document: str
    amended_context: str | None
    history: str
    interpretation: str
    contributes: str
    edition_id: str
    edition_digest: str
    site_rules_digest: str | None
    certainty: str
    type: str | None
    headline: str
    critical_open: int
    episode: str | None
    collected: Collected
    created_at: str
    provisional: bool = False


@dataclass(frozen=True)
class Acknowledgement:
    """One critical call that somebody was told of; the columns are explained in schema.py. `at`: as sent."""

    panel_id: str
    version: int
    analyte: str
    rule: str
    source: str
    told: str
    by: str
    at: str
    read_back: bool
    given_for: int
    recorded_at: str
    recorded_by: str | None = None

    @property
    def call(self) -> tuple[str, str, str]:
        """What the call is known by in its version: analyte, rule, source."""
        return (self.analyte, self.rule, self.source)


@dataclass(frozen=True)
class PanelKey:
    """What one panel is known by; `patient_id` must match before anything is joined."""

    source_system: str
    specimen_id: str
    patient_id: str | None


@dataclass(frozen=True)
class EarlierPanel:
    """The newest version of another panel of the same patient; `contributes` is JSON text."""

    panel_id: str
    version: int
    seq: int
    collected: Collected
    created_at: str
    contributes: str

    @property
    def order(self) -> tuple[str, int]:
        """Sorts by collection, where unknown by arrival."""
        return (self.collected.utc or self.collected.on or self.created_at, self.seq)


@dataclass(frozen=True)
class Basis:
    """What an answer was computed from; it is checked again inside the transaction that stores the answer."""

    patient_id: str | None
    panel_id: str | None
    seq: int | None
    collected: Collected
    episode: str | None
    earlier: tuple[EarlierPanel, ...]


@dataclass(frozen=True)
class Transcript:
    """An HL7 message as received and the answer to it; `state` and the key are explained in schema.py."""

    sender: str
    control_id: str
    content_digest: str
    state: str
    raw: bytes
    answer: bytes
    received_at: str


@dataclass(frozen=True)
class Heard:
    """What is known of an HL7 message that came before."""

    content_digest: str
    state: str
    answer: bytes

    @property
    def occupies(self) -> bool:
        """True if no other content may come under this control id."""
        return self.state in ("open", "accepted")


@dataclass(frozen=True)
class Received:
    """The message that brought a version; `message_id` None: the sender names none, nothing is remembered.

    `transcript`: kept in the same transaction as the version; `kept`: it is there already, with another answer.
    """

    source_system: str
    message_id: str | None
    content_digest: str
    received_at: str
    transcript: Transcript | None = None
    kept: bool = False

    def row(self) -> dict[str, str | None]:
        """The columns of a message."""
        names = ("source_system", "message_id", "content_digest", "received_at")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class CardFeedback:
    """One answer of a clinician to a card of CDS Hooks; `details` is the feedback as sent, as JSON text."""

    service: str
    card: str
    outcome: str
    details: str
    received_at: str


@dataclass(frozen=True)
class SearchTables:
    """What searches read of one version: flags (analyte, flag) and findings id -> truth."""

    flags: frozenset[tuple[str, str]]
    findings: Mapping[str, str]


@dataclass(frozen=True)
class EventRecord:
    """One row of events; `data` is JSON text without any value or patient."""

    id: str
    type: str
    panel_id: str
    version: int
    created_at: str
    data: str


@dataclass(frozen=True)
class Written:
    """One version with everything that is stored with it, in one transaction.

    `basis` None: not checked (nothing was looked up). `received` None: no message brought it. `repeated`: the critical
    calls (analyte, rule, source) that the version before made in the same words.
    """

    key: PanelKey
    record: VersionRecord
    tables: SearchTables
    basis: Basis | None
    received: Received | None
    events: tuple[EventRecord, ...] = ()
    repeated: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class VersionInfo:
    """One line of a panel's list of versions."""

    panel_id: str
    version: int
    reason: str
    status: str
    edition: str
    edition_digest: str
    site_rules_digest: str | None
    certainty: str
    type: str | None
    created_at: str


@dataclass(frozen=True)
class PanelSummary:
    """One line of a search: the newest version of a panel."""

    panel_id: str
    version: int
    status: str
    source: str
    specimen_id: str
    patient_id: str | None
    collected_at: str | None
    created_at: str
    edition: str
    certainty: str
    type: str | None
    critical_open: int
    headline: str
    provisional: bool = False


@dataclass(frozen=True)
class Page:
    """One page of a search; `next` is the cursor of the next page, None at the end."""

    items: tuple[PanelSummary, ...]
    next: str | None
