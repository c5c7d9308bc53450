"""The tables of monitor. Times are UTC, hashes bytes; an index says in its comment which question it answers.

Entries go when they are old, and on Postgres with their whole partition: nothing has a foreign key to them, and their
key there is (id, first_seen_at). Whether an entry is known is answered by `seen`, what was told by `mention`.

The tables of deliveries are in `alerts.tables`; both metadata meet in `migrations/env.py`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from alerts.tables import Id, Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

shard = Table(
    "shard",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("run", Integer, nullable=False, server_default="0"),  # its newest run: claims of earlier ones are void
)

lease = Table(
    "lease",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("owner", Text, nullable=False),
    Column("token", Integer, nullable=False),
    Column("until", Instant, nullable=False),
    Column("locked", Boolean, nullable=False),  # whether its owner holds the lock of that name, too
)

config_revision = Table(
    "config_revision",
    metadata,
    Column("no", Id, primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("text", Text, nullable=False),  # as written: secrets stand in it as references only
    Column("who", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("outcome", String(16), nullable=False),  # accepted, refused
    Column("problems", JSON, nullable=False),
    Index("ix_config_revision_outcome_no", "outcome", "no"),  # which is the last good one?
)

watch_state = Table(
    "watch_state",
    metadata,
    Column("watch", String(40), primary_key=True),
    Column("query_sha256", String(64), nullable=False),
    Column("active_since", Instant, nullable=False),
    Column("primed_at", Instant),
)

POLLED = text("state in ('active', 'gone')")
"""The feeds that are asked. Written out, not as parameters: SQLite plans before it knows them, and chooses no index."""

feed = Table(
    "feed",
    metadata,
    Column("id", Id, primary_key=True),
    Column("url", Text, nullable=False, unique=True),  # as configured
    Column("moved_to", Text),  # where it is polled since a permanent redirect was learnt
    Column("host", Text, nullable=False),
    Column("shard", Integer, nullable=False, server_default="0"),  # the part of the hosts it belongs to
    Column("state", String(16), nullable=False, server_default="active"),  # active, gone, paused, merged
    Column("etag", LargeBinary),
    Column("last_modified", LargeBinary),
    Column("body_sha256", LargeBinary),
    Column("gen", Integer, nullable=False, server_default="0"),
    Column("items", LargeBinary),  # the last document item by item: `monitor.parse.delta.Memory`
    Column("identity_policy", String(4), nullable=False, server_default="guid"),  # guid, url, text
    Column("identity_troubled", Integer, nullable=False, server_default="0"),
    Column("identity_trouble_at", Instant),
    Column("standing", String(16), nullable=False, server_default="ok"),  # what the operator was told last
    Column("standing_since", Instant),
    Column("next_at", Instant, nullable=False),
    Column("next_reason", String(32), nullable=False),
    Column("schedule", JSON, nullable=False),  # what `monitor.schedule` remembers of this feed
    Column("fail_reason", String(32)),
    Column("fail_message", Text),
    Column("first_fail_at", Instant),
    Column("last_ok_at", Instant),
    Column("last_new_at", Instant),
    Column("last_attempt_at", Instant),
    Column("baseline_at", Instant),
    Column("lease_run", Integer),  # of its shard, None when it was claimed by itself
    Column("lease_until", Instant),
    Column("lease_token", Integer, nullable=False, server_default="0"),
    # what a feed that stands here says of itself, as the configuration would; null for one that does not stand here
    Column("settings", JSON(none_as_null=True)),
    Column("recent", LargeBinary),  # its last fetches: `monitor.store.fetch_ring`
    # what is due in this shard?
    Index("ix_feed_shard_next_at", "shard", "next_at", sqlite_where=POLLED, postgresql_where=POLLED),
    Index("ix_feed_next_at", "next_at", sqlite_where=POLLED, postgresql_where=POLLED),  # what is due?
    Index("ix_feed_host", "host"),  # which feeds does a hold stop?
)

FEED_STATE = tuple(column for column in feed.c if column is not feed.c.recent)
"""What a poll begins with: the ring, as large as all the rest, is read where somebody asks for it."""

configured = Table(
    "configured",  # the feeds that config.yaml names: a start looks at these and not at all that stand here
    metadata,
    Column("feed_id", ForeignKey("feed.id"), primary_key=True),
)

host = Table(
    "host",
    metadata,
    Column("kind", String(8), primary_key=True),  # host, domain
    Column("name", Text, primary_key=True),
    Column("hold_until", Instant),
    Column("hold_reason", String(32)),
    Column("last_at", Instant),
    Column("ever_429", Boolean, nullable=False, server_default=text("false")),
)

feed_url_history = Table(
    "feed_url_history",
    metadata,
    Column("feed_id", ForeignKey("feed.id"), primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("old", Text, nullable=False),
    Column("new", Text, nullable=False),
    Column("why", String(32), nullable=False),
)


def _of_a_fetch() -> tuple[Column[Any], ...]:
    return (
        Column("at", Instant, primary_key=True),
        Column("outcome", String(16), nullable=False),  # changed, same_body, not_modified, failed
        Column("status", Integer),
        Column("reason", String(32)),
        Column("message", Text),
        Column("bytes", Integer, nullable=False, server_default="0"),
        Column("took_ms", Integer, nullable=False, server_default="0"),
        Column("new", Integer, nullable=False, server_default="0"),
        Column("sent", LargeBinary(8)),  # a hash of the validators that were sent, None when none were
        Column("given", LargeBinary(8)),  # and of those the answer gave
        Column("odd_headers", Text, nullable=False, server_default=""),  # names beyond what every request carries
        Column("next_at", Instant),
        Column("next_reason", String(32)),
    )


fetch_log = Table(
    "fetch_log",
    metadata,
    # No foreign key: a new partition would lock all feeds.
    Column("feed_id", Id, primary_key=True, autoincrement=False),
    *_of_a_fetch(),
)

fetch_log_before = Table(  # what the log was until feeds had rings; nothing is added
    "fetch_log_before",
    metadata,
    Column("feed_id", ForeignKey("feed.id", name="fk_fetch_log_feed_id"), primary_key=True),
    *_of_a_fetch(),
)

document = Table(
    "document",
    metadata,
    Column("feed_id", ForeignKey("feed.id"), primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("url", Text, nullable=False),
    Column("reason", String(32)),  # why it is no feed, None when it is one
    Column("headers", JSON, nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("body", LargeBinary, nullable=False),  # as it came, compressed with zstd
    Index("ix_document_at", "at"),  # what is old enough to go?
)

watch_coverage = Table(
    "watch_coverage",
    metadata,
    Column("watch", String(40), primary_key=True),
    Column("low_since", Instant),
    Column("told_since", Instant),  # the low that was told and has not ended
)

seen = Table(
    "seen",
    metadata,
    Column("feed_id", ForeignKey("feed.id"), primary_key=True),
    Column("key_hash", LargeBinary(16), primary_key=True),
    Column("kind", String(5), nullable=False),  # entry, url
    Column("gen_last", Integer, nullable=False),
)

absence = Table(
    "absence",
    metadata,
    Column("feed_id", ForeignKey("feed.id"), primary_key=True),
    Column("gen", Integer, nullable=False),  # keys of this generation and older ones are looked for
    Column("since", Instant),  # from when on those are known to be absent; None: the document is to be read whole first
)

entry = Table(
    "entry",
    metadata,
    Column("id", Id, primary_key=True),
    Column("feed_id", Id, nullable=False),  # no foreign key: a new partition would lock all feeds
    Column("entry_key", Text, nullable=False),
    Column("url", Text),
    Column("url_key", Text),
    Column("outlet", Text),
    Column("via", Text),
    Column("alias_of", Id),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("author", Text),
    Column("lang", String(16)),
    Column("published_raw", Text),
    Column("published_at", Instant),
    Column("first_seen_at", Instant, nullable=False),
    Column("gen", Integer, nullable=False),
    Column("text_sha256", LargeBinary(32), nullable=False),  # of what the feed says, not of the article
    Column("article", Text),  # the text of its page, where the feed gave less
    Column("missing_since", Instant),  # it left the feed's document while older entries stayed
    Index("ix_entry_feed_id_entry_key", "feed_id", "entry_key"),  # which entry was revised?
    Index("ix_entry_feed_id_first_seen_at", "feed_id", "first_seen_at"),  # what did this feed bring lately?
    Index("ix_entry_url_key", "url_key"),  # was this address seen in another feed?
    Index("ix_entry_first_seen_at", "first_seen_at"),  # backtest, priming, retention
)

article = Table(
    "article",
    metadata,
    Column("entry_id", Id, primary_key=True, autoincrement=False),
    Column("url", Text, nullable=False),
    Column("url_key", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("state", String(8), nullable=False),  # wanted, read, refused, failed
    Column("reason", String(32)),
    Column("message", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", Instant),
    Column("read_at", Instant),
    Column("final_url", Text),
    Index("ix_article_next_at", "next_at"),  # which pages are due?
    Index("ix_article_url_key", "url_key"),  # was this page read for another entry?
)

entry_revision = Table(
    "entry_revision",
    metadata,
    Column("entry_id", Id, primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("text_sha256", LargeBinary(32), nullable=False),
    UniqueConstraint("entry_id", "text_sha256"),
)

match = Table(
    "match",
    metadata,
    Column("entry_id", Id, primary_key=True),
    Column("watch", String(40), primary_key=True),
    Column("spans", JSON, nullable=False),
    Column("config_rev", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_match_watch_at", "watch", "at"),  # rates, flood, backtest
)

story = Table(
    "story",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", String(16), nullable=False, unique=True),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("title", Text, nullable=False),
    Column("lang", String(16)),
    Column("size", Integer, nullable=False),
    Column("state", String(8), nullable=False),  # open, merged
    Column("merged_into", ForeignKey("story.id")),
    Column("split_from", ForeignKey("story.id")),
    Column("split_at", Instant),
    Column("algo", Integer, nullable=False),
    Index("ix_story_split_from", "split_from"),  # may these two be merged?
    Index("ix_story_last_at", "last_at"),  # the newest stories
)

story_alias = Table(
    "story_alias",
    metadata,
    Column("alias_key", String(16), primary_key=True),
    Column("story_id", ForeignKey("story.id"), nullable=False),
    Column("since", Instant, nullable=False),
    Column("why", String(32), nullable=False),
    Index("ix_story_alias_story_id", "story_id"),
)

mention = Table(
    "mention",
    metadata,
    Column("entry_id", Id, primary_key=True, autoincrement=False),
    Column("story_id", ForeignKey("story.id"), nullable=False),
    Column("outlet", Text),
    Column("publisher", Text),
    Column("seen_at", Instant, nullable=False),
    Column("published_at", Instant),
    Column("lang", String(16)),
    Column("url", Text),
    Column("title", Text, nullable=False),
    Column("lead", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("copy_of", Id),
    Column("score", Float, nullable=False),
    Column("threshold", Float, nullable=False),
    Column("runner_up", String(16)),
    Column("runner_up_score", Float, nullable=False),
    Column("containment", Float, nullable=False),
    Column("shared", JSON, nullable=False),
    Column("reason", Text, nullable=False),
    Column("algo", Integer, nullable=False),
    Column("change_no", Id, nullable=False, server_default="0"),  # drawn under the story lock
    Index("ix_mention_change_no", "change_no"),  # what has changed since this process looked?
    Index("ix_mention_story_id_seen_at", "story_id", "seen_at"),  # the story's timeline
    Index("ix_mention_outlet_seen_at", "outlet", "seen_at"),  # what did this outlet carry?
    Index("ix_mention_seen_at", "seen_at"),  # the live window, read at start
)

attribution = Table(
    "attribution",
    metadata,
    Column("entry_id", Id, primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("source", Text, nullable=False),
    Column("domain", Text),
    Column("kind", String(8), nullable=False),  # original, relay
    Column("field", String(8), nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("background", Boolean, nullable=False),
    Index("ix_attribution_domain", "domain"),  # who cites this outlet?
)

response = Table(
    "response",
    metadata,
    Column("entry_id", Id, primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("story_id", ForeignKey("story.id"), nullable=False),
    Column("government", String(2), nullable=False),
    Column("voice", String(64), nullable=False),
    Column("body", String(64), nullable=False),
    Column("office", Text, nullable=False),
    Column("stance", String(20), nullable=False),
    Column("asker_name", Text),
    Column("asker_domain", Text),
    Column("quote", Text, nullable=False),
    Column("field", String(8), nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("lang", String(16)),
    Column("via", String(8), nullable=False),
    Column("hand", String(8), nullable=False),
    Column("certainty", String(8), nullable=False),
    Column("partial", Boolean, nullable=False),
    Column("background", Boolean, nullable=False),
    Column("rule", Text, nullable=False),
    Column("said_at", Instant, nullable=False),
    Index(
        "ix_response_story_id_government_voice_said_at", "story_id", "government", "voice", "said_at"
    ),  # the last stance
    Index("ix_response_government_said_at", "government", "said_at"),  # what did this government say?
)

label = Table(
    "label",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subject", Text, nullable=False),  # as it was given: a story key, an entry id or an address
    Column("story_key", String(16)),
    Column("entry_id", Id),  # no foreign key: a label outlives its entry
    Column("verdict", String(16), nullable=False),  # right, wrong, missed; merged, split
    Column("who", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_label_at", "at"),
)
