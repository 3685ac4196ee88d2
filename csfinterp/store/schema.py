"""The tables: panels, their versions (write-once), what searches read, messages seen and messages held."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

# One naming rule, so that SQLite, PostgreSQL and the migrations call every constraint by the same name.
metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# SQLite numbers rows by itself only in an INTEGER primary key.
_Counter = BigInteger().with_variant(Integer, "sqlite")

OCCUPIED = "state IN ('open', 'accepted') AND control_id <> ''"

# Who a specimen is. A row never changes: another patient id for the same specimen is held, never written here.
# `source_system` is "" where the sender names none. `seq` is the order of arrival (paging, "created earlier").
panels = Table(
    "panels",
    metadata,
    Column("seq", _Counter, primary_key=True, autoincrement=True),
    Column("id", String, nullable=False, unique=True),
    Column("source_system", String, nullable=False),
    Column("specimen_id", String, nullable=False),
    Column("patient_id", String),
    Column("created_at", String, nullable=False),
    UniqueConstraint("source_system", "specimen_id"),
    Index(None, "patient_id"),
    Index(None, "specimen_id"),
)

# One answer each, never updated (SL71). The newest version is the one without a successor; the primary key decides
# who wins when two writers make the same version. Documents are JSON text:
#   panel_document   as the sender sent it        amended_context  the context that replaced the sender's, or null
#   history          what earlier panels gave     interpretation   the interpretation document
#   contributes      what this version gives to later panels of the patient
# `content_digest` is that of the sender's document, so a resend is known after an amendment, too.
# Only `critical_open` ever falls: a call that was made is noted in `acknowledgements` and no longer counted here.
# `provisional`: the LM certainty may still change with inputs that are missing.
panel_versions = Table(
    "panel_versions",
    metadata,
    Column("panel_id", ForeignKey("panels.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("reason", String, nullable=False),
    Column("status", String, nullable=False),
    Column("content_digest", String, nullable=False),
    Column("panel_document", Text, nullable=False),
    Column("amended_context", Text),
    Column("history", Text, nullable=False),
    Column("interpretation", Text, nullable=False),
    Column("contributes", Text, nullable=False),
    Column("edition_id", String, nullable=False),
    Column("edition_digest", String, nullable=False),
    Column("site_rules_digest", String),
    Column("certainty", String, nullable=False),
    Column("type", String),
    Column("headline", Text, nullable=False),
    Column("critical_open", Integer, nullable=False),
    Column("episode", String),
    Column("collected_at", String),
    Column("collected_on", String),
    Column("collected_utc", String),
    Column("created_at", String, nullable=False),
    Column("provisional", Boolean, nullable=False, server_default=false()),
    CheckConstraint("version >= 1", name="counts_from_1"),
    Index(None, "certainty"),
    Index(None, "collected_on"),
    Index(None, "critical_open"),
)

# Who was told of a critical call of a version; written once. A call that the next version repeats word for word is
# acknowledged there, too (a row of its own); `given_for` is the version that the caller had read. `recorded_by`: the
# account that wrote it down.
acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("panel_id", String, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("analyte", String, primary_key=True),
    Column("rule", String, primary_key=True),
    Column("source", String, primary_key=True),
    Column("told", String, nullable=False),
    Column("by", String, nullable=False),
    Column("at", String, nullable=False),
    Column("read_back", Boolean, nullable=False),
    Column("given_for", Integer, nullable=False),
    Column("recorded_at", String, nullable=False),
    Column("recorded_by", String),
    ForeignKeyConstraint(["panel_id", "version"], ["panel_versions.panel_id", "panel_versions.version"]),
)

panel_flags = Table(
    "panel_flags",
    metadata,
    Column("panel_id", String, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("analyte", String, primary_key=True),
    Column("flag", String, primary_key=True),
    ForeignKeyConstraint(["panel_id", "version"], ["panel_versions.panel_id", "panel_versions.version"]),
    Index(None, "flag", "analyte"),
)

panel_findings = Table(
    "panel_findings",
    metadata,
    Column("panel_id", String, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("finding", String, primary_key=True),
    Column("truth", String, nullable=False),
    ForeignKeyConstraint(["panel_id", "version"], ["panel_versions.panel_id", "panel_versions.version"]),
    Index(None, "finding", "truth"),
)

# Which answer a message got: the same message again gets the same answer, with other content it is a conflict.
messages = Table(
    "messages",
    metadata,
    Column("source_system", String, primary_key=True),
    Column("message_id", String, primary_key=True),
    Column("content_digest", String, nullable=False),
    Column("panel_id", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("received_at", String, nullable=False),
    ForeignKeyConstraint(["panel_id", "version"], ["panel_versions.panel_id", "panel_versions.version"]),
    Index(None, "panel_id", "version"),
)

# What clinicians answered to a card of CDS Hooks. `card` is the card's uuid; `details` is the feedback as JSON text.
card_feedback = Table(
    "card_feedback",
    metadata,
    Column("seq", _Counter, primary_key=True, autoincrement=True),
    Column("service", String, nullable=False),
    Column("card", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("details", Text, nullable=False),
    Column("received_at", String, nullable=False),
    Index(None, "card"),
)

# What could not be joined to a case (SL75): kept as received until somebody decides. The same one again is kept once.
#   partial       1: the message names only what is new (HL7 v2)      met_...    the panel and version that it met
#   state         waiting, released (stored after all, as panel_id and version), discarded; never removed
held_messages = Table(
    "held_messages",
    metadata,
    Column("seq", _Counter, primary_key=True, autoincrement=True),
    Column("why", String, nullable=False),
    Column("source_system", String, nullable=False),
    Column("message_id", String, nullable=False),
    Column("content_digest", String, nullable=False),
    Column("document", Text, nullable=False),
    Column("received_at", String, nullable=False),
    Column("partial", Integer, nullable=False, server_default="0"),
    Column("met_panel_id", String),
    Column("met_version", Integer),
    Column("state", String, nullable=False, server_default="waiting"),
    Column("decided_at", String),
    Column("decided_by", String),
    Column("note", Text),
    Column("panel_id", String),
    Column("version", Integer),
    Index(None, "state"),
    UniqueConstraint("why", "source_system", "message_id", "content_digest"),
)

# What a search asked that names a patient or a specimen: links to its pages carry the token instead. Kept for a day.
searches = Table(
    "searches",
    metadata,
    Column("token", String, primary_key=True),
    Column("parameters", Text, nullable=False),
    Column("created_at", String, nullable=False),
    Index(None, "created_at"),
)

# What happened, for other systems: written with the version, never changed. `data` holds no value and no patient.
events = Table(
    "events",
    metadata,
    Column("seq", _Counter, primary_key=True, autoincrement=True),
    Column("id", String, nullable=False, unique=True),
    Column("type", String, nullable=False),
    Column("panel_id", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", String, nullable=False),
    Column("data", Text, nullable=False),
    ForeignKeyConstraint(["panel_id", "version"], ["panel_versions.panel_id", "panel_versions.version"]),
    Index(None, "panel_id", "version"),
)

# One row for each event and each destination that was set up when the event happened; written with the event.
#   state      waiting, sent, dead (given up after the last try; replay makes it wait again)
#   leased_by  the worker that is sending it now, until `leased_until`; a worker that died lets go by time
deliveries = Table(
    "deliveries",
    metadata,
    Column("seq", _Counter, primary_key=True, autoincrement=True),
    Column("event_id", ForeignKey("events.id"), nullable=False),
    Column("destination", String, nullable=False),
    Column("panel_id", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due_at", String, nullable=False),
    Column("leased_by", String),
    Column("leased_until", String),
    Column("last_error", String),
    Column("finished_at", String),
    UniqueConstraint("event_id", "destination"),
    CheckConstraint("state IN ('waiting', 'sent', 'dead')", name="state"),
    Index(None, "state", "destination", "due_at"),
    Index(None, "panel_id", "destination", "state"),
)

# HL7 messages byte by byte as received, with the acknowledgment that was sent. `sender` is MSH-3 and MSH-4. `state`:
#   open      some of its panels are stored, the others follow; no answer yet      accepted  all stored
#   in_part   answered with an error that names the panels that are not stored      held      kept, joined to nothing
# Only open and accepted messages occupy their control id (empty: the sender gave none).
hl7_messages = Table(
    "hl7_messages",
    metadata,
    Column("seq", _Counter, primary_key=True, autoincrement=True),
    Column("sender", String, nullable=False),
    Column("control_id", String, nullable=False),
    Column("content_digest", String, nullable=False),
    Column("state", String, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("received_at", String, nullable=False),
    UniqueConstraint("sender", "control_id", "content_digest"),
    Index("uq_hl7_messages_occupied", "sender", "control_id", unique=True,
          sqlite_where=text(OCCUPIED), postgresql_where=text(OCCUPIED)),
)  # fmt: skip
