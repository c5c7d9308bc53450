"""the last fetches of a feed in its row, and a fetch log without foreign key that Postgres drops by the week

The log as it was becomes `fetch_log_before`, in a moment and untouched: it is read until it is old, then emptied at
once. Workers of the last release go on: they write lines of every fetch into the new table, whose partitions are made
here for the next weeks, since they cannot make any.
"""

from __future__ import annotations

from datetime import UTC, timedelta

import sqlalchemy as sa
from alembic import op

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.BigInteger().with_variant(sa.DateTime(timezone=True), "postgresql")
WEEKS = 6
"""Enough until a process of the new release makes more."""

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    connection = op.get_bind()
    on_postgres = connection.dialect.name == "postgresql"
    op.add_column("feed", sa.Column("recent", sa.LargeBinary(), nullable=True))
    op.rename_table("fetch_log", "fetch_log_before")
    if on_postgres:
        op.execute("alter table fetch_log_before rename constraint pk_fetch_log to pk_fetch_log_before")
        # Where a row gets too long for its page something else leaves it: this column is rewritten by every poll.
        op.execute("alter table feed alter column recent set storage main")
    op.create_table(
        "fetch_log",
        sa.Column("feed_id", ID, autoincrement=False, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("bytes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("took_ms", sa.Integer(), server_default="0", nullable=False),
        sa.Column("new", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent", sa.LargeBinary(length=8), nullable=True),
        sa.Column("given", sa.LargeBinary(length=8), nullable=True),
        sa.Column("odd_headers", sa.Text(), server_default="", nullable=False),
        sa.Column("next_at", INSTANT, nullable=True),
        sa.Column("next_reason", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("feed_id", "at", name="pk_fetch_log"),
        postgresql_partition_by="RANGE (at)",
    )
    if connection.execute(sa.text("select 1 from fetch_log_before limit 1")).first() is None:
        return
    now = connection.execute(sa.select(sa.func.now(type_=sa.DateTime(timezone=True)))).scalar_one()
    now = now.astimezone(UTC) if now.tzinfo else now.replace(tzinfo=UTC)
    connection.execute(
        sa.text("insert into meta (key, value) values ('fetch_log_before', :now)"), {"now": now.isoformat()}
    )
    if on_postgres:
        monday = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=now.weekday())
        for since in (monday + timedelta(weeks=n) for n in range(WEEKS)):
            op.execute(
                f"create table fetch_log_{since:%Y_%m_%d} partition of fetch_log"
                f" for values from ('{since.isoformat()}') to ('{(since + timedelta(weeks=1)).isoformat()}')"
            )
