"""The tables of the telling half, as SQLAlchemy Core metadata. Migrations are made from it; SQL lives in `outbox`.

Portable between SQLite and Postgres. Event and story are opaque keys here: there is no foreign key to monitor's tables.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime: integer microseconds on SQLite, timestamptz on Postgres."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column type of the database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.DateTime(timezone=True))
        return dialect.type_descriptor(sa.BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse naive times; they would be read as another instant."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC) if dialect.name == "postgresql" else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give back an aware UTC datetime."""
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return EPOCH + timedelta(microseconds=int(value))


Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

event = sa.Table(
    "event",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("event_key", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("class", sa.Text, nullable=False),
    sa.Column("watch", sa.Text, nullable=False),
    sa.Column("group_key", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("config_rev", sa.Integer, nullable=False, default=0),
    sa.Column("decided_at", Instant, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Index("ix_event_group", "group_key", "id"),
    sa.Index("ix_event_watch", "watch", "decided_at"),
)

OPEN_ITEM = sa.text("state in ('pending', 'held')")
"""Conditions of partial indexes are written out where they are asked for: SQLite plans before it knows a parameter."""

item = sa.Table(
    "item",
    metadata,
    sa.Column("event_id", Id, primary_key=True),
    sa.Column("recipient", sa.Text, primary_key=True),
    sa.Column("group_key", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("due_at", Instant),
    sa.Column("schedule", sa.Text),
    sa.Column("slot_id", sa.Text),
    sa.Column("delivery_id", sa.Text),
    sa.Column("max_age_s", sa.Integer, nullable=False),
    sa.Column("returned", sa.Integer, nullable=False, default=0),
    sa.Column("fallback_of", sa.Text),
    sa.Column("silence_id", sa.Text),
    sa.Index("ix_item_due", "due_at", sqlite_where=OPEN_ITEM, postgresql_where=OPEN_ITEM),
    sa.Index("ix_item_recipient", "recipient", "state", "group_key"),
    sa.Index("ix_item_delivery", "delivery_id"),
    sa.Index("ix_item_slot", "slot_id"),
    sa.Index("ix_item_silence", "silence_id"),
)

OPEN_SLOT = sa.text("state = 'open'")

slot = sa.Table(
    "slot",
    metadata,
    sa.Column("slot_id", sa.Text, primary_key=True),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("schedule", sa.Text, nullable=False),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("ran_at", Instant),
    sa.Column("note", sa.Text),
    sa.Index("ix_slot_due", "due_at", sqlite_where=OPEN_SLOT, postgresql_where=OPEN_SLOT),
    sa.Index("ix_slot_recipient", "recipient", "schedule", "due_at"),
)

cursor = sa.Table(
    "cursor",
    metadata,
    sa.Column("recipient", sa.Text, primary_key=True),
    sa.Column("group_key", sa.Text, primary_key=True),
    sa.Column("event_id", Id),
    sa.Column("told_at", Instant),
    sa.Column("reached_at", Instant),
    sa.Column("messages", sa.Integer, nullable=False, default=0),
    sa.Column("root", sa.Text),
    sa.Column("root_delivery", sa.Text),
)

READY = sa.text("state = 'ready'")
SENDING = sa.text("state = 'sending'")

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("delivery_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("event_keys", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("story_id", sa.Text, nullable=False),
    sa.Column("order_key", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False, default=""),
    sa.Column("form", sa.Text, nullable=False),
    sa.Column("urgent", sa.Boolean, nullable=False, default=False),
    sa.Column("waits_for", sa.Text),
    sa.Column("config_rev", sa.Integer, nullable=False, default=0),
    sa.Column("template_rev", sa.Integer, nullable=False, default=0),
    sa.Column("headers", sa.Text, nullable=False, default="[]"),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("body_sha256", sa.Text, nullable=False),
    sa.Column("compact", sa.LargeBinary),
    sa.Column("compacted", sa.Boolean, nullable=False, default=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("lookups", sa.Integer, nullable=False, default=0),
    sa.Column("doubt", sa.Text, nullable=False, default=""),
    sa.Column("doubt_since", Instant),
    sa.Column("next_at", Instant),
    sa.Column("lease_owner", sa.Text),
    sa.Column("lease_until", Instant),
    sa.Column("first_attempt_at", Instant),
    sa.Column("error_class", sa.Text),
    sa.Column("error", sa.Text),
    sa.Column("receipt", sa.Text),
    sa.Column("superseded_by", sa.Text),
    sa.Column("fallback_of", sa.Text),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("decided_at", Instant),
    sa.Column("sent_at", Instant),
    sa.Column("died_at", Instant),
    sa.Index("ix_outbox_ready", "channel", "next_at", sqlite_where=READY, postgresql_where=READY),
    sa.Index("ix_outbox_sending", "lease_until", sqlite_where=SENDING, postgresql_where=SENDING),
    sa.Index("ix_outbox_lane", "order_key", "created_at"),
    sa.Index("ix_outbox_recipient", "recipient", "created_at"),
    sa.Index("ix_outbox_state", "state", "channel"),
)

receipt = sa.Table(
    "receipt",
    metadata,
    sa.Column("delivery_id", sa.Text, primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("started", Instant, nullable=False),
    sa.Column("ended", Instant),
    sa.Column("class", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("status", sa.Text),
    sa.Column("retry_after_s", sa.Integer),
    sa.Column("written", sa.Boolean),
    sa.Column("answer", sa.Text),
)

silence = sa.Table(
    "silence",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("matchers", sa.Text, nullable=False),
    sa.Column("starts", Instant, nullable=False),
    sa.Column("until", Instant, nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("responses", sa.Boolean, nullable=False, default=False),
    sa.Column("recipient", sa.Text),
    sa.Column("ended_by", sa.Text),
    sa.Column("ended_at", Instant),
    sa.Index("ix_silence_until", "until"),
)

channel_state = sa.Table(
    "channel_state",
    metadata,
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("paused_until", Instant),
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("since", Instant),
    sa.Column("reason", sa.Text),
    sa.Column("probe_at", Instant),
)

recipient_state = sa.Table(
    "recipient_state",
    metadata,
    sa.Column("recipient", sa.Text, primary_key=True),
    sa.Column("aside_since", Instant),
    sa.Column("reason", sa.Text),
    sa.Column("refusals", sa.Integer, nullable=False, default=0),
    sa.Column("refused_on", sa.Text),
)

brake = sa.Table(
    "brake",
    metadata,
    sa.Column("watch", sa.Text, primary_key=True),
    sa.Column("pulled_at", Instant, nullable=False),
    sa.Column("hot_at", Instant, nullable=False),
)

feedback = sa.Table(
    "feedback",
    metadata,
    sa.Column("recipient", sa.Text, primary_key=True),
    sa.Column("story", sa.Text, primary_key=True),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
)
