"""The values that cross module borders in monitor. All frozen, no behaviour beyond what their own fields say.

Glossary: an *entry* is one item of a feed, a *mention* is an entry in a story on behalf of an outlet, a *story* is
entries that tell the same news. Times are aware UTC datetimes. Offsets are code points of the named field.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

FeedId = NewType("FeedId", int)
EntryId = NewType("EntryId", int)
StoryKey = NewType("StoryKey", str)
"""`st_` and ten base32 characters; shown to people, never changed, never reused."""
Domain = NewType("Domain", str)
"""The identity of an outlet: its registrable domain, or a longer host where one domain holds several outlets."""


# ---------------------------------------------------------------------------------------------------- fetching


@dataclass(frozen=True, slots=True)
class Validators:
    """ETag and Last-Modified as the server sent them, byte for byte; None when it sent none."""

    etag: bytes | None = None
    last_modified: bytes | None = None


@dataclass(frozen=True, slots=True)
class Hop:
    """One redirect that was followed: `location` is absolute, what the Location header led to."""

    status: int
    url: str
    location: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """A complete body. `body` is decoded (decompressed) bytes, `headers` have lower-case names.

    `sent_headers` are the names of the headers of the first request, as on the other outcomes.
    """

    url: str
    final_url: str
    status: int
    headers: tuple[tuple[str, bytes], ...]
    body: bytes
    validators: Validators
    at: datetime
    took: timedelta
    hops: tuple[Hop, ...] = ()
    wire_bytes: int = 0
    sent_headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotModified:
    """A 304. `validators` holds only what the answer itself carried."""

    url: str
    headers: tuple[tuple[str, bytes], ...]
    validators: Validators
    at: datetime
    took: timedelta
    hops: tuple[Hop, ...] = ()
    sent_headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FetchFailed:
    """No usable answer. `reason` is a word of the closed set in `monitor.schedule.reasons`."""

    url: str
    reason: str
    message: str
    transient: bool
    at: datetime
    took: timedelta
    status: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    hops: tuple[Hop, ...] = ()
    sent_headers: tuple[str, ...] = ()


FetchOutcome = Fetched | NotModified | FetchFailed


# ----------------------------------------------------------------------------------------------------- parsing


class ParseReason(StrEnum):
    """Why a body is no feed."""

    HTML = "html"
    BLOCKED = "blocked"
    EMPTY_BODY = "empty_body"
    EMPTY_SHELL = "empty_shell"
    NOT_A_FEED = "not_a_feed"
    SITEMAP_INDEX = "sitemap_index"
    MOVED = "moved"
    TOO_LARGE = "too_large"
    BOMB = "bomb"
    UNDECODABLE = "undecodable"
    PARSE_TIMEOUT = "parse_timeout"


@dataclass(frozen=True, slots=True)
class ParsedEntry:
    """One item of a document, in document order, before any deduplication.

    `id` is the guid as written; `url` absolute http(s); `title`, `summary` and `content` plain text, paragraphs
    separated by a blank line; `language` an ISO 639-1 code or None.
    `date_note` says what was odd about the date: future, too_old, ambiguous, month_only. `url_key` is what tells `url`
    from other addresses (`parse.links.canonical`), where the parser has made it already.
    """

    id: str | None
    url: str | None
    title: str | None
    summary: str | None = None
    content: str | None = None
    author: str | None = None
    published: datetime | None = None
    published_raw: str | None = None
    outlet: Domain | None = None
    via: Domain | None = None
    language: str | None = None
    zone_guess: bool = False
    date_note: str | None = None
    url_key: str | None = None

    @property
    def text(self) -> str:
        """All the feed gives beside the title: summary and content, a blank line between."""
        return "\n\n".join(part for part in (self.summary, self.content) if part)


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A document made of entries. `recovered` says that a repair was needed or text was lost, `truncated` that the
    document's end was missing, `left_out` how many entries were beyond the limit, `older` where earlier ones are."""

    entries: tuple[ParsedEntry, ...]
    title: str | None = None
    link: str | None = None
    language: str | None = None
    kind: str = "rss"
    recovered: bool = False
    truncated: bool = False
    ttl: timedelta | None = None
    update_period: timedelta | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()
    moved_to: str | None = None
    older: str | None = None
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class KeyedEntry:
    """A parsed entry with its identity: `entry_key` is unique within the feed, `url_key` may be None.

    `older` are items of the same document that are earlier texts of this entry: revisions, newest first. `tail_key`
    is the id without scheme and host: what stays when a site moves.
    """

    entry: ParsedEntry
    entry_key: str
    url_key: str | None
    older: tuple[ParsedEntry, ...] = ()
    tail_key: str | None = None


# ------------------------------------------------------------------------------------------------ stored entries


Shard = NewType("Shard", int)
"""A part of the hosts, polled by one job at a time."""


@dataclass(frozen=True, slots=True)
class ShardReport:
    """What one job did: feeds it began to poll, and those it gave back without having asked them."""

    shard: Shard
    run: int = 0
    begun: int = 0
    given_back: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """Proof that a feed is ours to write: the token a result must name."""

    feed: FeedId
    token: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as stored. `language` is detected, `outlet` the publisher's domain or None for an unknown one.

    `article` is the text of its page, where the feed gave less and the page could be read.
    """

    id: EntryId
    feed: FeedId
    entry_key: str
    url: str | None
    url_key: str | None
    title: str
    summary: str
    content: str
    language: str | None
    outlet: Domain | None
    published: datetime | None
    first_seen: datetime
    author: str | None = None
    via: Domain | None = None
    article: str | None = None

    @property
    def text(self) -> str:
        """Summary and article, or else content, a blank line between: what is searched beside the title."""
        return "\n\n".join(part for part in (self.summary, self.article or self.content) if part)


@dataclass(frozen=True, slots=True)
class Outlet:
    """A publisher. `group` joins sister services of one publisher; `kind` is wire, newspaper, portal, and so on."""

    domain: Domain
    name: str
    country: str | None = None
    kind: str | None = None
    language: str | None = None
    group: str | None = None

    @property
    def publisher(self) -> str:
        """What counts as one voice when outlets are counted."""
        return self.group or self.domain


# ---------------------------------------------------------------------------------------------------- matching


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """`field[start:end]` of the original text, and the term of the query that found it."""

    field: str
    start: int
    end: int
    term: str


@dataclass(frozen=True, slots=True)
class Match:
    """An entry satisfies a watch; there is always at least one span."""

    watch: str
    spans: tuple[Span, ...]


# ----------------------------------------------------------------------------------------------------- stories


class Role(StrEnum):
    """What a mention is to its story."""

    ORIGINAL = "original"
    REPORT = "report"
    COPY = "copy"
    SHARED_TEXT = "shared_text"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where an entry belongs. `joined` is None when it starts a story; `runner_up` is the best story not taken."""

    joined: StoryKey | None
    score: float
    threshold: float
    role: Role
    copy_of: EntryId | None = None
    containment: float = 0.0
    runner_up: StoryKey | None = None
    runner_up_score: float = 0.0
    shared: tuple[tuple[str, float], ...] = ()
    reason: str = ""


# -------------------------------------------------------------------------------------- responses and citations


@dataclass(frozen=True, slots=True)
class EntryText:
    """An entry as it is read for answers and sources: `text` is summary and content, a blank line between.

    `date` is when it was published, or first seen; it dates leaders and tells what was earlier.
    """

    title: str
    text: str
    language: str | None = None
    outlet: Outlet | None = None
    date: datetime | None = None


class Stance(StrEnum):
    """What a government's body does in an entry; the last two are non-answers."""

    CONFIRMED = "confirmed"
    DENIED = "denied"
    AGREED = "agreed"
    REFUSED = "refused"
    CONDEMNED = "condemned"
    ANNOUNCED_ACTION = "announced_action"
    COMMENTED = "commented"
    DECLINED = "declined"
    NO_REPLY = "no_reply"

    @property
    def is_answer(self) -> bool:
        """Whether it may alert at all."""
        return self not in (Stance.DECLINED, Stance.NO_REPLY)


class Certainty(StrEnum):
    """How sure the rules are; a weak finding is shown and never alerts."""

    SURE = "sure"
    LIKELY = "likely"
    WEAK = "weak"


@dataclass(frozen=True, slots=True)
class Asker:
    """The outlet whose question was not answered. `domain` is None when the name is not in the outlet table."""

    name: str
    domain: Domain | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One (government, body, stance) an entry reports, with the sentence that says it, cut from the original text.

    `government` is ISO alpha-2, XK, EU, UN, VA, or ZZ when no country could be found. `field` names the text that
    `start:end` (the quote) refers to: title or text. `via` says how the government was found: passage, article,
    outlet. `hand` is first or relay.
    """

    government: str
    body: str
    stance: Stance
    actor: str
    quote: str
    field: str = "text"
    start: int = 0
    end: int = 0
    asker: Asker | None = None
    via: str = "passage"
    hand: str = "first"
    said_at: datetime | None = None
    partial: bool = False
    background: bool = False
    rule: str = ""
    certainty: Certainty = Certainty.SURE
    metonym: bool = False
    """The country or its capital is named as the speaker, no body of it."""

    @property
    def voice(self) -> str:
        """Bodies that speak as one: the head of government and the government."""
        return "government" if self.body == "head of government" else self.body


@dataclass(frozen=True, slots=True)
class Citation:
    """An outlet credited in a text. `source` is the name as written, `kind` is original or relay."""

    source: str
    domain: Domain | None
    kind: str
    field: str = "text"
    start: int = 0
    end: int = 0
    background: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one entry's text says about governments and sources."""

    findings: tuple[Finding, ...] = ()
    citations: tuple[Citation, ...] = ()


# ------------------------------------------------------------------------------------------- what a story knows


@dataclass(frozen=True, slots=True)
class MentionFact:
    """One mention already in a story, as much as a decision needs. `title_only`: it came without any text."""

    entry: EntryId
    outlet: Domain | None
    publisher: str | None
    role: Role
    seen_at: datetime
    watches: frozenset[str]
    citations: tuple[Citation, ...] = ()
    url: str | None = None
    title: str = ""
    title_only: bool = False


@dataclass(frozen=True, slots=True)
class StanceFact:
    """One finding already recorded in a story."""

    government: str
    voice: str
    body: str
    stance: Stance
    asker: Asker | None
    said_at: datetime
    entry: EntryId
    outlet: Domain | None
    quote: str
    partial: bool = False
    first_hand: bool = False
    from_copy: bool = False
    background: bool = False
    certainty: Certainty = Certainty.SURE
    office: str = ""


@dataclass(frozen=True, slots=True)
class StoryFacts:
    """A story before the entry at hand: mentions and stances in the order in which they were recorded.

    `parted` is what had been recorded in the other parts when this story was split off: it was told, and stays so.
    """

    key: StoryKey
    mentions: tuple[MentionFact, ...] = ()
    stances: tuple[StanceFact, ...] = ()
    aliases: frozenset[StoryKey] = field(default_factory=frozenset)
    parted: StoryFacts | None = None

    @property
    def told(self) -> StoryFacts:
        """The story with what was told of it before it was split off."""
        if self.parted is None:
            return self
        mentions = (*self.parted.mentions, *self.mentions)
        return StoryFacts(self.key, mentions, (*self.parted.stances, *self.stances), self.aliases)
