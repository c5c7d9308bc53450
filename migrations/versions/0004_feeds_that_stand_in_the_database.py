"""feeds that stand in the database: what they say of themselves, and which ones config.yaml names"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # A column that may be null is added without rewriting a row, on SQLite too: not by copying the table.
    op.add_column("feed", sa.Column("settings", sa.JSON(), nullable=True))
    op.create_table(
        "configured",
        sa.Column("feed_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name="fk_configured_feed_id"),
        sa.PrimaryKeyConstraint("feed_id", name="pk_configured"),
    )
    # Until now every feed was one of config.yaml's; the next start forgets those that it does not name any more.
    op.execute("insert into configured (feed_id) select id from feed")
