"""which keys of a feed are absent from its document, so that they can be forgotten"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.BigInteger().with_variant(sa.DateTime(timezone=True), "postgresql")

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "absence",
        sa.Column("feed_id", ID, nullable=False),
        sa.Column("gen", sa.Integer(), nullable=False),
        sa.Column("since", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name="fk_absence_feed_id"),
        sa.PrimaryKeyConstraint("feed_id", name="pk_absence"),
    )
