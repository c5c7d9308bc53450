"""The configuration as the program uses it: frozen, durations as timedelta, sizes in bytes, secrets as references."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from monitor.config.secrets import SecretRef


@dataclass(frozen=True, slots=True)
class Keep:
    """How long stored things are kept."""

    text: timedelta
    bytes: timedelta
    deliveries: timedelta
    seen: timedelta
    unmatched: timedelta
    fetch_log: timedelta


@dataclass(frozen=True, slots=True)
class Storage:
    """The database. `url` may be a reference: read it with `monitor.config.secrets.reveal`."""

    url: str | SecretRef
    direct_url: str | SecretRef | None
    pool: int
    migrate: str
    keep: Keep


@dataclass(frozen=True, slots=True)
class Engine:
    """What runs the jobs: `kind` is local or pgqueuer."""

    kind: str
    tick: timedelta
    shards: int
    fetches: int
    stop_within: timedelta


@dataclass(frozen=True, slots=True)
class Parse:
    """Parser processes; 0 parses in a thread."""

    workers: int


@dataclass(frozen=True, slots=True)
class Login:
    """A name and where its password is kept."""

    user: str
    password: SecretRef


@dataclass(frozen=True, slots=True)
class Proxy:
    """The header in which a proxy names the reader, and where the key is kept that proves it."""

    header: str
    key: SecretRef


@dataclass(frozen=True, slots=True)
class Web:
    """The pages. `metrics` is an address of its own for /metrics, None for the same one."""

    host: str
    port: int
    public_url: str | None
    link_keys: tuple[SecretRef, ...]
    login: Login | None
    metrics: tuple[str, int] | None
    feeds: bool
    proxy: Proxy | None = None

    @property
    def listen(self) -> str:
        """The address as the file writes it."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Limits:
    """What is never exceeded."""

    body_bytes: int
    wire_bytes: int
    deadline: timedelta
    per_host: int
    host_gap: timedelta
    allow_hosts: frozenset[str]
    max_item_age: timedelta
    entries_per_document: int


@dataclass(frozen=True, slots=True)
class FeedConfig:
    """One feed. `line` is where it stands in the file; `outlet` is None when its entries' own addresses say it."""

    url: str
    outlet: str | None = None
    tags: frozenset[str] = frozenset()
    floor: timedelta | None = None
    ceiling: timedelta = timedelta(minutes=60)
    language: str | None = None
    timezone: str | None = None
    auth: Login | None = None
    headers: tuple[tuple[str, str | SecretRef], ...] = ()
    tls_insecure: bool = False
    proxy: str | SecretRef | None = None
    paused: bool = False
    note: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class OutletConfig:
    """What the file says of one outlet; None where it says nothing. Aliases are names, or further hosts."""

    domain: str
    name: str | None = None
    country: str | None = None
    kind: str | None = None
    aliases: tuple[str, ...] = ()
    group: str | None = None
    language: str | None = None
    full_text: bool = True


@dataclass(frozen=True, slots=True)
class ExtraBody:
    """A body of a government that the shipped lexicon lacks; `names` by language."""

    government: str
    body: str
    names: Mapping[str, tuple[str, ...]]
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Governments:
    """Whose answers count. `watch` is None for all."""

    watch: frozenset[str] | None = None
    ignore: frozenset[str] = frozenset()
    extra: tuple[ExtraBody, ...] = ()
    disable: frozenset[str] = frozenset()
    home: Mapping[str, str] = field(default_factory=dict)
    speech: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    def watches(self, government: str) -> bool:
        """Whether an answer of this government may alert."""
        return government not in self.ignore and (self.watch is None or government in self.watch)


@dataclass(frozen=True, slots=True)
class Spike:
    """At least `outlets` independent outlets `within` a time, and `times` the usual number."""

    outlets: int = 3
    within: timedelta = timedelta(hours=6)
    times: float = 3.0


@dataclass(frozen=True, slots=True)
class WatchAlert:
    """Waits by kind of event where the watch names them."""

    group_wait: Mapping[str, timedelta] = field(default_factory=dict)
    group_interval: timedelta = timedelta(minutes=30)
    spike: Spike = Spike()
    remind_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """A named query. `languages`, `feed_tags` and `outlets` are None for all; `governments` hold for this watch."""

    name: str
    title: str
    query_text: str
    languages: frozenset[str] | None
    feed_tags: frozenset[str] | None
    outlets: frozenset[str] | None
    exclude: frozenset[str]
    governments: Governments
    alert_on: frozenset[str]
    independent: str
    alert: WatchAlert
    full_text: bool
    paused: bool
    line: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """How like a story an entry must be."""

    title_only: float
    with_text: float


@dataclass(frozen=True, slots=True)
class Stories:
    """How entries become stories. `thresholds` holds the languages that have their own."""

    window: timedelta
    decay: timedelta
    threshold: Threshold
    thresholds: Mapping[str, Threshold]
    lead_chars: int
    copy_containment: float
    copy_lead: float
    copy_min_words: int
    merge: bool
    split: bool
    second_opinion: str


@dataclass(frozen=True, slots=True)
class Canary:
    """A made-up story sent every so often; None is never. `ping` is an address that may be a secret."""

    every: timedelta | None = None
    channel: str | None = None
    ping: str | SecretRef | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """One accepted state of the file.

    `alerts_raw` holds what `alerts.config.from_raw` reads, as plain values; `sha256` names the text.
    """

    contact: str
    timezone: str
    storage: Storage
    engine: Engine
    parse: Parse
    web: Web
    limits: Limits
    feeds: tuple[FeedConfig, ...]
    outlets: Mapping[str, OutletConfig]
    governments: Governments
    watches: tuple[Watch, ...]
    concepts: Mapping[str, Any]
    stories: Stories
    alerts_raw: Mapping[str, Any]
    canary: Canary
    sha256: str
    file: str

    def watch(self, name: str) -> Watch | None:
        """Find a watch by its name."""
        return next((watch for watch in self.watches if watch.name == name), None)
