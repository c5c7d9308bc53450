"""What config.yaml may hold: one class per section, one line per key with its default and meaning.

Shapes check each value alone. What needs two places (an undefined channel, the same feed twice) stands in `references`;
the plain values the program works with are in `values`. Used by `checking`, `schema` and `building`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from monitor.config.fields import (
    Contact,
    Country,
    Database,
    Day,
    DomainName,
    Duration,
    DurationOrOff,
    FeedAddress,
    Government,
    Language,
    Listen,
    Name,
    Secret,
    SecretOrText,
    Size,
    Text,
    Truth,
    WebAddress,
    Zone,
    decimal,
    default,
    duration,
    whole,
    word,
)
from monitor.config.section import Section
from monitor.config.vocabulary import EVENT_KINDS, INDEPENDENT, OUTLET_KINDS, STANCES, WATCH_KINDS


class Keep(Section):
    """How long stored things are kept."""

    text: Duration = default("180d")
    """Entries of watches: title and text."""
    bytes: Duration = default("14d")
    """Fetched bytes, for evidence and for parsing again."""
    deliveries: Duration = default("730d")
    """What was sent, with its receipt."""
    seen: Duration = default("90d")
    """Which entries are known, after they left their feed; at most twice as long."""
    unmatched: Duration = default("180d")
    """Entries that no watch wanted."""
    fetch_log: Duration = default("14d")
    """Fetches that brought a document or failed; the last 30 of each feed are always known."""


class Storage(Section):
    """The database."""

    url: Database = default("sqlite:///data/storywatch.db")
    """sqlite:///PATH, postgresql+psycopg://USER@HOST/NAME, or a reference to it."""
    direct_url: Database | None = None
    """A way round a transaction pooler, for what needs a session of its own."""
    pool: Annotated[int, whole(3, 200)] = default(10)
    """Connections at once."""
    migrate: Annotated[str, word(("auto", "check"))] = default("auto")
    """Whether a start brings the schema up to date or only checks it."""
    keep: Keep = Keep()
    """How long things are kept."""


class Engine(Section):
    """What runs the jobs."""

    kind: Annotated[str, word(("local", "pgqueuer"))] = default("local")
    """local: this process; pgqueuer: many processes on one Postgres."""
    tick: Duration = default("15s")
    """How often the clock is asked what is due; at most 60s."""
    shards: Annotated[int, whole(1, 1024)] = default(16)
    """Jobs at once in one process of several; each polls one of 512 parts of the hosts."""
    fetches: Annotated[int, whole(1, 1000)] = default(32)
    """Fetches at once: of this process, or of one job where there are several processes."""
    stop_within: Duration = default("30s")
    """How long a stop waits for what is under way."""


class Parse(Section):
    """The processes that read feeds."""

    workers: Annotated[int, whole(0, 64)] | None = None
    """Parser processes: 2, or 1 on a machine with one CPU; 0 reads in a thread, without limits."""


class Login(Section):
    """Who may open the pages."""

    user: Text
    """Name asked for."""
    password: Secret
    """Where the password is kept."""


class Proxy(Section):
    """A proxy that signs readers in before they come to the pages, and is believed who they are."""

    key: Secret
    """What the proxy sends as X-Storywatch-Key: nobody else can name a reader."""
    header: Text = default("X-Remote-User")
    """The header in which it names the reader."""


class Web(Section):
    """The pages, the feeds and the health addresses."""

    listen: Listen = default("127.0.0.1:8080")
    """host:port."""
    public_url: WebAddress | None = None
    """How readers reach the pages; without it messages carry no buttons."""
    link_keys: list[Secret] = default([])
    """Keys of links in messages and of sessions: the first signs, all are accepted; none: one kept in the database."""
    login: Login | None = None
    """Name and password for the pages; none: everybody who reaches them."""
    proxy: Proxy | None = None
    """A proxy that signs readers in, instead of or beside `login`."""
    metrics: Listen | None = None
    """A port of its own for /metrics; the same port unless given."""
    feeds: Truth = default(False)
    """Whether stories are offered as Atom feeds too."""


class Limits(Section):
    """What is never exceeded, whatever a server does."""

    body: Size = default("10MiB")
    """Bytes of a document after decompression."""
    wire: Size = default("5MiB")
    """Bytes over the wire."""
    deadline: Duration = default("45s")
    """The whole of one fetch."""
    per_host: Annotated[int, whole(1, 16)] = default(2)
    """Fetches at once at one host."""
    host_gap: Duration = default("5s")
    """Pause between two fetches at one host."""
    allow_hosts: list[Text] = default([])
    """Hosts that may be polled although their address is private."""
    max_item_age: Duration = default("48h")
    """Older entries are stored and never told as new."""
    entries_per_document: Annotated[int, whole(10, 100_000)] = default(2000)
    """Entries taken from one document."""


class Auth(Section):
    """Basic authentication."""

    user: Text
    """Name."""
    password: Secret
    """Where the password is kept."""


class Feed(Section):
    """One feed that is polled."""

    url: FeedAddress
    """Its http(s) address."""
    outlet: DomainName | None = None
    """The outlet its entries belong to, by domain; else the entry's own address says it."""
    tags: list[Name] = default([])
    """Words that watches choose feeds by; `government` and `wire` have a meaning of their own."""
    floor: Duration | None = None
    """Never polled more often: 15m, 10m for a server that sends Cache-Control; 5m at least."""
    ceiling: Duration | None = None
    """Polled at least so often: 60m, 30m with the tag government."""
    language: Language | None = None
    """What the feed is written in, where its entries do not show it."""
    timezone: Zone | None = None
    """Zone of dates that name none."""
    auth: Auth | None = None
    """Name and password."""
    headers: dict[str, SecretOrText] = default({})
    """Further request headers."""
    tls: Annotated[str, word(("verify", "insecure"))] = default("verify")
    """insecure accepts any certificate and is shown as a lasting warning."""
    proxy: SecretOrText | None = None
    """An http proxy for this feed."""
    paused: Truth = default(False)
    """Not polled."""
    note: Text | None = None
    """For people."""


class Outlet(Section):
    """A publisher; stands under its domain."""

    name: Text | None = None
    """As it is shown."""
    country: Country | None = None
    """Where it is at home."""
    kind: Annotated[str, word(OUTLET_KINDS)] | None = None
    """What it is."""
    aliases: list[Text] = default([])
    """Other names in any script, and further hosts."""
    group: Text | None = None
    """Outlets of one group are one publisher."""
    language: Language | None = None
    """What it is written in."""
    full_text: Truth = default(True)
    """Whether its pages may be read for entries that matched; a watch can switch it off for itself."""


class ExtraBody(Section):
    """A body of a government that the shipped lexicon does not know."""

    government: Government
    """Whose body it is."""
    body: Text
    """What it is, as `foreign ministry`."""
    names: dict[Language, list[Text]]
    """What it is called, by language."""
    valid_from: Day | None = None
    """First day."""
    valid_to: Day | None = None
    """Last day."""


class Governments(Section):
    """Whose answers count."""

    watch: list[Government] | None = None
    """Governments whose answers raise an alert; all unless given."""
    ignore: list[Government] = default([])
    """Governments that are never told."""
    extra: list[ExtraBody] = default([])
    """Bodies the shipped lexicon lacks."""
    disable: list[Text] = default([])
    """Ids of shipped rows that are not wanted."""
    home: dict[DomainName, Government] = default({})
    """Which government an outlet means by `the government`."""
    speech: dict[Language, dict[Annotated[str, word(STANCES)], list[Text]]] = default({})
    """Further verbs of saying, by language and stance."""


class Spike(Section):
    """When many outlets at once are news."""

    outlets: Annotated[int, whole(2, 1000)] = default(3)
    """Independent outlets ..."""
    within: Duration = default("6h")
    """... within this time ..."""
    times: Annotated[float, decimal(1, 100)] = default(3.0)
    """... and so many times the usual number."""


def one_wait_for_all(written: object) -> object:
    """Let one duration stand for every kind."""
    if isinstance(written, dict):
        return written
    return dict.fromkeys(WATCH_KINDS, duration(written))


class WatchAlert(Section):
    """How a watch's events are gathered and repeated."""

    group_wait: Annotated[dict[Annotated[str, word(EVENT_KINDS)], Duration], BeforeValidator(one_wait_for_all)] = (
        default({})
    )
    """How long an event waits for company: one duration, or one per kind."""
    group_interval: Duration = default("30m")
    """Pause between two messages of one story."""
    spike: Spike = Spike()
    """When `spike` fires."""
    remind_after: DurationOrOff = default("off")
    """Tell once more who has not answered."""


class Watch(Section):
    """A named query and what it alerts on."""

    name: Name
    """Its name in commands, messages and routes."""
    title: Text | None = None
    """As it is shown; the name unless given."""
    query: str | None = None
    """What is looked for; write it as a block (|)."""
    keywords: list[Text] | None = None
    """Short form: any of these; a word that names a concept means the concept."""
    languages: list[Language] | None = None
    """Only entries in these; all unless given."""
    feeds: list[Name] | None = None
    """Only feeds with one of these tags; all unless given."""
    outlets: list[DomainName] | None = None
    """Only these outlets; all unless given."""
    exclude: list[DomainName] = default([])
    """Never these outlets."""
    governments: Governments | None = None
    """Other governments than the file's."""
    alert_on: list[Annotated[str, word(WATCH_KINDS)]] = default(list(WATCH_KINDS))
    """Kinds of events that prompt a message."""
    independent: Annotated[str, word(INDEPENDENT)] = default("any")
    """Which outlets are a `new_outlet`: all with a piece of their own, or only those with reporting of their own."""
    alert: WatchAlert = WatchAlert()
    """Waits and repeats."""
    full_text: Truth = default(True)
    """Whether the page of a matched entry is fetched."""
    paused: Truth = default(False)
    """Not matched."""


class Copies(Section):
    """When a text is another outlet's."""

    containment: Annotated[float, decimal(0.3, 1)] = default(0.8)
    """Share of the smaller text's word runs that are in the other."""
    lead: Annotated[float, decimal(0.1, 1)] = default(0.5)
    """The same for the opening."""
    min_words: Annotated[int, whole(5, 500)] = default(25)
    """Shorter texts are compared whole."""


class Threshold(Section):
    """How like a story an entry must be."""

    title_only: Annotated[float, decimal(0.05, 0.6)] = default(0.16)
    """Entries without text."""
    with_text: Annotated[float, decimal(0.05, 0.6)] = default(0.19)
    """Entries with text."""


class OwnThreshold(Section):
    """The same for one language; what is left out is the general one."""

    title_only: Annotated[float, decimal(0.05, 0.6)] | None = None
    """Entries without text."""
    with_text: Annotated[float, decimal(0.05, 0.6)] | None = None
    """Entries with text."""


class Thresholds(Section):
    """The general threshold and those of languages, told apart by `by_language`."""

    general: Threshold = Threshold()
    """For every language."""
    languages: dict[Language, OwnThreshold] = default({})
    """For one language."""


def by_language(written: object) -> object:
    """Part the general numbers from the languages, which stand side by side in the file."""
    if not isinstance(written, dict):
        return written if isinstance(written, Thresholds) else {"general": written}
    general = {key: value for key, value in written.items() if key in Threshold.model_fields}
    return {"general": general, "languages": {key: value for key, value in written.items() if key not in general}}


class Stories(Section):
    """How entries are gathered into stories."""

    window: Duration = default("144h")
    """How long a story takes in entries: 1h to 14d."""
    decay: Duration = default("96h")
    """How fast a story's pull fades."""
    threshold: Annotated[Thresholds, BeforeValidator(by_language)] = Thresholds()
    """How like a story an entry must be, 0.05 to 0.6; by language too."""
    lead_chars: Annotated[int, whole(80, 4000)] = default(300)
    """How much of the text is compared."""
    copies: Copies = Copies()
    """When a text is a copy."""
    merge: Truth = default(True)
    """Whether stories that grew together become one."""
    split: Truth = default(False)
    """Whether a story that fell apart becomes two."""
    second_opinion: Annotated[str, word(("off", "e5"))] = default("off")
    """A language model asked about close calls; needs an extra."""


class Canary(Section):
    """A made-up story that shows the whole way works."""

    every: DurationOrOff = default("off")
    """How often."""
    channel: Name | None = None
    """Where it must arrive."""
    ping: SecretOrText | None = None
    """An address asked every minute while everything turns over."""


class FileShape(Section):
    """Configuration of storywatch."""

    version: Annotated[int, whole(1, 1)]
    """Always 1."""
    contact: Contact
    """https page or mail address, shown to every server that is polled."""
    timezone: Zone = default("UTC")
    """Zone of everything that names none."""
    storage: Storage = Storage()
    """The database."""
    engine: Engine = Engine()
    """What runs the jobs."""
    parse: Parse = Parse()
    """The processes that read feeds."""
    web: Web = Web()
    """Pages, feeds, health."""
    limits: Limits = Limits()
    """What is never exceeded."""
    feeds: list[Feed] = default([])
    """What is polled."""
    outlets: dict[DomainName, Outlet] = default({})
    """Publishers, by domain."""
    governments: Governments = Governments()
    """Whose answers count."""
    watches: list[Watch] = default([])
    """What is looked for."""
    concepts: dict[Name, Any] = default({})
    """Own word patterns, or more of them for a shipped concept."""
    stories: Stories = Stories()
    """How entries become stories."""
    channels: Any = None
    """Where messages go. This and the next four are read by `alerts`."""
    digests: Any = None
    """Planned digests."""
    quiet_hours: Any = None
    """Daily windows in which messages are held."""
    caps: Any = None
    """How many messages at most."""
    routes: Any = None
    """Which events go where; may be left out with exactly one channel."""
    canary: Canary = Canary()
    """A made-up story that shows the whole way works."""


ALERT_SECTIONS = ("channels", "digests", "quiet_hours", "caps", "routes")
"""Sections that are handed to `alerts` as they are."""
