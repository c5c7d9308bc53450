"""first schema"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.BigInteger().with_variant(sa.DateTime(timezone=True), "postgresql")

revision = "0001"
down_revision = None


_REWRITTEN = {
    "fillfactor": "80",
    "autovacuum_vacuum_scale_factor": "0.02",
    "autovacuum_analyze_scale_factor": "0.05",
}
"""Every poll rewrites its feed's row once or twice: room for that in the page, and a vacuum that keeps up."""


def upgrade() -> None:
    on_postgres = op.get_bind().dialect.name == "postgresql"
    op.create_table(
        "shard",
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("run", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("n", name="pk_shard"),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )
    op.create_table(
        "config_revision",
        sa.Column("no", ID, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("no", name="pk_config_revision"),
    )
    op.create_index("ix_config_revision_outcome_no", "config_revision", ["outcome", "no"], unique=False)

    op.create_table(
        "feed",
        sa.Column("id", ID, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("moved_to", sa.Text(), nullable=True),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("shard", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.String(length=16), server_default="active", nullable=False),
        sa.Column("etag", sa.LargeBinary(), nullable=True),
        sa.Column("last_modified", sa.LargeBinary(), nullable=True),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("gen", sa.Integer(), server_default="0", nullable=False),
        sa.Column("items", sa.LargeBinary(), nullable=True),
        sa.Column("identity_policy", sa.String(length=4), server_default="guid", nullable=False),
        sa.Column("identity_troubled", sa.Integer(), server_default="0", nullable=False),
        sa.Column("identity_trouble_at", INSTANT, nullable=True),
        sa.Column("standing", sa.String(length=16), server_default="ok", nullable=False),
        sa.Column("standing_since", INSTANT, nullable=True),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.Column("next_reason", sa.String(length=32), nullable=False),
        sa.Column("schedule", sa.JSON(), nullable=False),
        sa.Column("fail_reason", sa.String(length=32), nullable=True),
        sa.Column("fail_message", sa.Text(), nullable=True),
        sa.Column("first_fail_at", INSTANT, nullable=True),
        sa.Column("last_ok_at", INSTANT, nullable=True),
        sa.Column("last_new_at", INSTANT, nullable=True),
        sa.Column("last_attempt_at", INSTANT, nullable=True),
        sa.Column("baseline_at", INSTANT, nullable=True),
        sa.Column("lease_run", sa.Integer(), nullable=True),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.Column("lease_token", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feed"),
        sa.UniqueConstraint("url", name="uq_feed_url"),
        postgresql_with=_REWRITTEN,
    )
    op.create_index("ix_feed_host", "feed", ["host"], unique=False)
    op.create_index(
        "ix_feed_shard_next_at",
        "feed",
        ["shard", "next_at"],
        unique=False,
        sqlite_where=sa.text("state in ('active', 'gone')"),
        postgresql_where=sa.text("state in ('active', 'gone')"),
    )
    op.create_index(
        "ix_feed_next_at",
        "feed",
        ["next_at"],
        unique=False,
        sqlite_where=sa.text("state in ('active', 'gone')"),
        postgresql_where=sa.text("state in ('active', 'gone')"),
    )

    op.create_table(
        "host",
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hold_until", INSTANT, nullable=True),
        sa.Column("hold_reason", sa.String(length=32), nullable=True),
        sa.Column("last_at", INSTANT, nullable=True),
        sa.Column("ever_429", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name="pk_host"),
        postgresql_with=_REWRITTEN,
    )
    op.create_table(
        "label",
        sa.Column("id", ID, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("story_key", sa.String(length=16), nullable=True),
        sa.Column("entry_id", ID, nullable=True),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_label"),
    )
    op.create_index("ix_label_at", "label", ["at"], unique=False)

    op.create_table(
        "meta",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
    )
    op.create_table(
        "story",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("first_at", INSTANT, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("lang", sa.String(length=16), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("merged_into", ID, nullable=True),
        sa.Column("split_from", ID, nullable=True),
        sa.Column("split_at", INSTANT, nullable=True),
        sa.Column("algo", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["merged_into"], ["story.id"], name="fk_story_merged_into"),
        sa.ForeignKeyConstraint(["split_from"], ["story.id"], name="fk_story_split_from"),
        sa.PrimaryKeyConstraint("id", name="pk_story"),
        sa.UniqueConstraint("key", name="uq_story_key"),
    )
    op.create_index("ix_story_last_at", "story", ["last_at"], unique=False)
    op.create_index("ix_story_split_from", "story", ["split_from"], unique=False)

    op.create_table(
        "watch_state",
        sa.Column("watch", sa.String(length=40), nullable=False),
        sa.Column("query_sha256", sa.String(length=64), nullable=False),
        sa.Column("active_since", INSTANT, nullable=False),
        sa.Column("primed_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("watch", name="pk_watch_state"),
    )
    op.create_table(
        "entry",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("feed_id", ID, nullable=False),
        sa.Column("entry_key", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("url_key", sa.Text(), nullable=True),
        sa.Column("outlet", sa.Text(), nullable=True),
        sa.Column("via", sa.Text(), nullable=True),
        sa.Column("alias_of", ID, nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("lang", sa.String(length=16), nullable=True),
        sa.Column("published_raw", sa.Text(), nullable=True),
        sa.Column("published_at", INSTANT, nullable=True),
        sa.Column("first_seen_at", INSTANT, nullable=False),
        sa.Column("gen", sa.Integer(), nullable=False),
        sa.Column("text_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("article", sa.Text(), nullable=True),
        sa.Column("missing_since", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint(*(["id", "first_seen_at"] if on_postgres else ["id"]), name="pk_entry"),
        postgresql_partition_by="RANGE (first_seen_at)",  # a key of a partitioned table holds what it is cut by
    )
    op.create_index("ix_entry_feed_id_entry_key", "entry", ["feed_id", "entry_key"], unique=False)
    op.create_index("ix_entry_feed_id_first_seen_at", "entry", ["feed_id", "first_seen_at"], unique=False)
    op.create_index("ix_entry_first_seen_at", "entry", ["first_seen_at"], unique=False)
    op.create_index("ix_entry_url_key", "entry", ["url_key"], unique=False)

    op.create_table(
        "article",
        sa.Column("entry_id", ID, autoincrement=False, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("url_key", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", INSTANT, nullable=True),
        sa.Column("read_at", INSTANT, nullable=True),
        sa.Column("final_url", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("entry_id", name="pk_article"),
    )
    op.create_index("ix_article_next_at", "article", ["next_at"], unique=False)
    op.create_index("ix_article_url_key", "article", ["url_key"], unique=False)

    op.create_table(
        "feed_url_history",
        sa.Column("feed_id", ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("old", sa.Text(), nullable=False),
        sa.Column("new", sa.Text(), nullable=False),
        sa.Column("why", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name="fk_feed_url_history_feed_id"),
        sa.PrimaryKeyConstraint("feed_id", "at", name="pk_feed_url_history"),
    )
    op.create_table(
        "fetch_log",
        sa.Column("feed_id", ID, nullable=False),
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
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name="fk_fetch_log_feed_id"),
        sa.PrimaryKeyConstraint("feed_id", "at", name="pk_fetch_log"),
    )
    op.create_table(
        "document",
        sa.Column("feed_id", ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name="fk_document_feed_id"),
        sa.PrimaryKeyConstraint("feed_id", "at", name="pk_document"),
    )
    op.create_index("ix_document_at", "document", ["at"], unique=False)

    op.create_table(
        "watch_coverage",
        sa.Column("watch", sa.String(length=40), nullable=False),
        sa.Column("low_since", INSTANT, nullable=True),
        sa.Column("told_since", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("watch", name="pk_watch_coverage"),
    )
    op.create_table(
        "seen",
        sa.Column("feed_id", ID, nullable=False),
        sa.Column("key_hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("kind", sa.String(length=5), nullable=False),
        sa.Column("gen_last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name="fk_seen_feed_id"),
        sa.PrimaryKeyConstraint("feed_id", "key_hash", name="pk_seen"),
    )
    op.create_table(
        "story_alias",
        sa.Column("alias_key", sa.String(length=16), nullable=False),
        sa.Column("story_id", ID, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("why", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name="fk_story_alias_story_id"),
        sa.PrimaryKeyConstraint("alias_key", name="pk_story_alias"),
    )
    op.create_index("ix_story_alias_story_id", "story_alias", ["story_id"], unique=False)

    op.create_table(
        "attribution",
        sa.Column("entry_id", ID, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=True),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("field", sa.String(length=8), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("background", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "n", name="pk_attribution"),
    )
    op.create_index("ix_attribution_domain", "attribution", ["domain"], unique=False)

    op.create_table(
        "entry_revision",
        sa.Column("entry_id", ID, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("text_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "n", name="pk_entry_revision"),
        sa.UniqueConstraint("entry_id", "text_sha256", name="uq_entry_revision_entry_id_text_sha256"),
    )
    op.create_table(
        "match",
        sa.Column("entry_id", ID, nullable=False),
        sa.Column("watch", sa.String(length=40), nullable=False),
        sa.Column("spans", sa.JSON(), nullable=False),
        sa.Column("config_rev", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "watch", name="pk_match"),
    )
    op.create_index("ix_match_watch_at", "match", ["watch", "at"], unique=False)

    op.create_table(
        "mention",
        sa.Column("entry_id", ID, autoincrement=False, nullable=False),
        sa.Column("story_id", ID, nullable=False),
        sa.Column("outlet", sa.Text(), nullable=True),
        sa.Column("publisher", sa.Text(), nullable=True),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("published_at", INSTANT, nullable=True),
        sa.Column("lang", sa.String(length=16), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("lead", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("copy_of", ID, nullable=True),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("threshold", sa.Float(), nullable=False),
        sa.Column("runner_up", sa.String(length=16), nullable=True),
        sa.Column("runner_up_score", sa.Float(), nullable=False),
        sa.Column("containment", sa.Float(), nullable=False),
        sa.Column("shared", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("algo", sa.Integer(), nullable=False),
        sa.Column("change_no", ID, server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name="fk_mention_story_id"),
        sa.PrimaryKeyConstraint("entry_id", name="pk_mention"),
    )
    op.create_index("ix_mention_change_no", "mention", ["change_no"], unique=False)
    op.create_index("ix_mention_outlet_seen_at", "mention", ["outlet", "seen_at"], unique=False)
    op.create_index("ix_mention_seen_at", "mention", ["seen_at"], unique=False)
    op.create_index("ix_mention_story_id_seen_at", "mention", ["story_id", "seen_at"], unique=False)

    op.create_table(
        "response",
        sa.Column("entry_id", ID, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("story_id", ID, nullable=False),
        sa.Column("government", sa.String(length=2), nullable=False),
        sa.Column("voice", sa.String(length=64), nullable=False),
        sa.Column("body", sa.String(length=64), nullable=False),
        sa.Column("office", sa.Text(), nullable=False),
        sa.Column("stance", sa.String(length=20), nullable=False),
        sa.Column("asker_name", sa.Text(), nullable=True),
        sa.Column("asker_domain", sa.Text(), nullable=True),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("field", sa.String(length=8), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("lang", sa.String(length=16), nullable=True),
        sa.Column("via", sa.String(length=8), nullable=False),
        sa.Column("hand", sa.String(length=8), nullable=False),
        sa.Column("certainty", sa.String(length=8), nullable=False),
        sa.Column("partial", sa.Boolean(), nullable=False),
        sa.Column("background", sa.Boolean(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("said_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name="fk_response_story_id"),
        sa.PrimaryKeyConstraint("entry_id", "n", name="pk_response"),
    )
    op.create_index("ix_response_government_said_at", "response", ["government", "said_at"], unique=False)
    op.create_index(
        "ix_response_story_id_government_voice_said_at",
        "response",
        ["story_id", "government", "voice", "said_at"],
        unique=False,
    )

    op.create_table(
        "channel_state",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("paused_until", INSTANT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", INSTANT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("probe_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("channel", name="pk_channel_state"),
    )
    op.create_table(
        "cursor",
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("event_id", ID, nullable=True),
        sa.Column("told_at", INSTANT, nullable=True),
        sa.Column("reached_at", INSTANT, nullable=True),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("root", sa.Text(), nullable=True),
        sa.Column("root_delivery", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("recipient", "group_key", name="pk_cursor"),
    )
    op.create_table(
        "event",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("watch", sa.Text(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("config_rev", sa.Integer(), nullable=False),
        sa.Column("decided_at", INSTANT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
        sa.UniqueConstraint("event_key", name="uq_event_event_key"),
    )
    op.create_index("ix_event_group", "event", ["group_key", "id"], unique=False)
    op.create_index("ix_event_watch", "event", ["watch", "decided_at"], unique=False)

    op.create_table(
        "item",
        sa.Column("event_id", ID, nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("schedule", sa.Text(), nullable=True),
        sa.Column("slot_id", sa.Text(), nullable=True),
        sa.Column("delivery_id", sa.Text(), nullable=True),
        sa.Column("max_age_s", sa.Integer(), nullable=False),
        sa.Column("returned", sa.Integer(), nullable=False),
        sa.Column("fallback_of", sa.Text(), nullable=True),
        sa.Column("silence_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("event_id", "recipient", name="pk_item"),
    )
    op.create_index("ix_item_delivery", "item", ["delivery_id"], unique=False)
    op.create_index(
        "ix_item_due",
        "item",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state in ('pending', 'held')"),
        postgresql_where=sa.text("state in ('pending', 'held')"),
    )
    op.create_index("ix_item_recipient", "item", ["recipient", "state", "group_key"], unique=False)
    op.create_index("ix_item_silence", "item", ["silence_id"], unique=False)
    op.create_index("ix_item_slot", "item", ["slot_id"], unique=False)

    op.create_table(
        "outbox",
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("event_keys", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("story_id", sa.Text(), nullable=False),
        sa.Column("order_key", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("waits_for", sa.Text(), nullable=True),
        sa.Column("config_rev", sa.Integer(), nullable=False),
        sa.Column("template_rev", sa.Integer(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("compact", sa.LargeBinary(), nullable=True),
        sa.Column("compacted", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("lookups", sa.Integer(), nullable=False),
        sa.Column("doubt", sa.Text(), nullable=False),
        sa.Column("doubt_since", INSTANT, nullable=True),
        sa.Column("next_at", INSTANT, nullable=True),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.Column("first_attempt_at", INSTANT, nullable=True),
        sa.Column("error_class", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.Column("superseded_by", sa.Text(), nullable=True),
        sa.Column("fallback_of", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("died_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("delivery_id", name="pk_outbox"),
    )
    op.create_index("ix_outbox_lane", "outbox", ["order_key", "created_at"], unique=False)
    op.create_index(
        "ix_outbox_ready",
        "outbox",
        ["channel", "next_at"],
        unique=False,
        sqlite_where=sa.text("state = 'ready'"),
        postgresql_where=sa.text("state = 'ready'"),
    )
    op.create_index("ix_outbox_recipient", "outbox", ["recipient", "created_at"], unique=False)
    op.create_index(
        "ix_outbox_sending",
        "outbox",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("state = 'sending'"),
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.create_index("ix_outbox_state", "outbox", ["state", "channel"], unique=False)

    op.create_table(
        "recipient_state",
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("aside_since", INSTANT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("refused_on", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("recipient", name="pk_recipient_state"),
    )
    op.create_table(
        "brake",
        sa.Column("watch", sa.Text(), nullable=False),
        sa.Column("pulled_at", INSTANT, nullable=False),
        sa.Column("hot_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("watch", name="pk_brake"),
    )
    op.create_table(
        "feedback",
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("story", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("recipient", "story", name="pk_feedback"),
    )
    op.create_table(
        "receipt",
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("started", INSTANT, nullable=False),
        sa.Column("ended", INSTANT, nullable=True),
        sa.Column("class", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("retry_after_s", sa.Integer(), nullable=True),
        sa.Column("written", sa.Boolean(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("delivery_id", "attempt", name="pk_receipt"),
    )
    op.create_table(
        "silence",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("matchers", sa.Text(), nullable=False),
        sa.Column("starts", INSTANT, nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("responses", sa.Boolean(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_silence"),
    )
    op.create_index("ix_silence_until", "silence", ["until"], unique=False)

    op.create_table(
        "slot",
        sa.Column("slot_id", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ran_at", INSTANT, nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("slot_id", name="pk_slot"),
    )
    op.create_index(
        "ix_slot_due",
        "slot",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("ix_slot_recipient", "slot", ["recipient", "schedule", "due_at"], unique=False)
