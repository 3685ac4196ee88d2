"""The tables: panels, their versions (write-once), what searches read, messages seen and messages held."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
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
    CheckConstraint("version >= 1", name="counts_from_1"),
    Index(None, "certainty"),
    Index(None, "collected_on"),
    Index(None, "critical_open"),
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
    UniqueConstraint("why", "source_system", "message_id", "content_digest"),
)
