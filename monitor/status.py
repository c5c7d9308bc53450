"""How things stand, read from the database: feeds, stories, one story. For the command line and the page.

Nothing here decides; it reads rows and shapes them for people (`as_text`, tables) and programs (`as_dict`). Works
while the daemon is down.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from alerts import tables as alert_tables
from alerts.outbox import admin
from alerts.outbox.admin import Trouble
from alerts.values import Coverage, EventState
from monitor import canary, schedule, seeing
from monitor.store import (
    checking,
    claims,
    entries,
    leases,
    meta,
    plain,
    revisions,
    sights,
    stories,
    story_facts,
    tables,
)
from monitor.store import feeds as feed_rows
from monitor.values import FeedId, MentionFact, Role, StanceFact, StoryKey

_LISTED = 20
_UNLED_FOR = timedelta(seconds=60)
_NOT_ASKED = frozenset({"secret_missing", "internal_error"})
"""Reasons of a next poll that say why the last one could not even begin."""


_UNLED = "nobody has led since {}: is storywatch run with --role web or all running?"
_LOG_LARGE = "the write-ahead log has {:,} bytes: a reader keeps it from being cleared"


@dataclass(frozen=True, slots=True)
class FeedLine:
    """One feed as people see it. `colour` is green, amber, red or grey (not asked yet, or paused).

    `reasons` are the words that explain amber and red. A single failure is named by `fail_reason` and still green.
    """

    url: str
    state: str
    colour: str
    entries: int
    last_ok: datetime | None
    last_new: datetime | None
    next_at: datetime
    next_reason: str
    fail_reason: str | None
    fail_message: str | None
    reasons: tuple[str, ...] = ()
    stands: str = "config"
    """Where it stands: config, database, both (then config.yaml wins) or nowhere: it was removed."""

    @property
    def is_failing(self) -> bool:
        """Whether somebody should look: it failed when it was asked last, or it is amber or red."""
        return self.fail_reason is not None or self.colour in ("amber", "red")

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {name: _plain(getattr(self, name)) for name in self.__slots__}


_NO_CANARY = canary.Flights()


@dataclass(frozen=True, slots=True)
class Standing:
    """The whole, in numbers."""

    feeds: tuple[FeedLine, ...]
    entries: int
    stories: int
    events: dict[str, int]
    deliveries: dict[str, int]
    troubles: tuple[Trouble, ...]
    due: int
    trouble: str = ""
    """What keeps config.yaml from being used; empty when it is."""
    wal: int | None = None
    """Bytes of SQLite's write-ahead log; None on Postgres."""
    canary: canary.Flights = _NO_CANARY
    unled_since: datetime | None = None
    """Since when no process has led on a Postgres; None when one leads, or none ever did."""

    @property
    def colour(self) -> str:
        """Green, amber or red: the worst of feeds and telling."""
        if any(trouble.is_red for trouble in self.troubles) or _share(self.feeds, "red") > 0.5:
            return "red"
        if (
            self.trouble
            or self.troubles
            or self.canary.is_late
            or self._is_log_large
            or self.unled_since
            or any(feed.colour in ("amber", "red") for feed in self.feeds)
        ):
            return "amber"
        return "green"

    @property
    def _is_log_large(self) -> bool:
        return self.wal is not None and self.wal > checking.WAL_LARGE

    @property
    def stored(self) -> int:
        """How many feeds stand in the database, also those that config.yaml names, too."""
        return sum(feed.stands in ("database", "both") for feed in self.feeds)

    @property
    def _standing(self) -> str:
        return f"; {self.stored} of them stand in the database" if self.stored else ""

    @property
    def exit_code(self) -> int:
        """1 when red, else 0."""
        return 1 if self.colour == "red" else 0

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        counts = {colour: sum(f.colour == colour for f in self.feeds) for colour in ("green", "amber", "red", "grey")}
        return {
            "state": self.colour,
            "feeds": counts,
            "stored_feeds": self.stored,
            "config": self.trouble or None,
            "canary": str(self.canary.standing),
            "due": self.due,
            "unled_since": _plain(self.unled_since),
            "wal_bytes": self.wal,
            "entries": self.entries,
            "stories": self.stories,
            "events": self.events,
            "deliveries": self.deliveries,
            "troubles": [{"what": t.word, "about": t.about, "since": _plain(t.since)} for t in self.troubles],
            "failing": [feed.as_dict() for feed in self.feeds if feed.is_failing],
        }

    def as_text(self) -> str:
        """For a terminal."""
        counts = self.as_dict()["feeds"]
        failing = [f"           {f.url}  {_trouble(f)}" for f in self.feeds if f.is_failing]
        more = len(failing) - _LISTED
        lines = [
            f"state      {self.colour}",
            *([f"config     {self.trouble}"] if self.trouble else []),
            f"feeds      {len(self.feeds)}: {counts['green']} healthy, {counts['amber']} amber, {counts['red']} red, "
            f"{counts['grey']} not asked yet or paused; {self.due} due{self._standing}",
            *failing[:_LISTED],
            *([f"           and {more} more: storywatch feed list --failing"] if more > 0 else []),
            f"entries    {self.entries} stored, {self.stories} stories",
            *([f"leader     {_UNLED.format(_short(self.unled_since))}"] if self.unled_since else []),
            *([f"database   {_LOG_LARGE.format(self.wal)}"] if self._is_log_large else []),
            f"events     {_counts(self.events)}",
            f"outbox     {_counts(self.deliveries)}",
            *[f"           {one.word} {one.about} since {_short(one.since)}" for one in self.troubles],
            *([f"canary     has not come out since {_short(self.canary.at[-1])}"] if self.canary.is_late else []),
        ]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One story in a list."""

    key: str
    title: str
    language: str | None
    first_at: datetime
    last_at: datetime
    size: int

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {name: _plain(getattr(self, name)) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class StoryShown:
    """One story with everything recorded of it."""

    key: str
    title: str
    mentions: tuple[MentionFact, ...]
    stances: tuple[StanceFact, ...]

    @property
    def independent(self) -> tuple[str, ...]:
        """Outlets with a piece of their own, in the order in which they joined."""
        return tuple(dict.fromkeys(m.outlet for m in self.mentions if m.outlet and m.role is not Role.COPY))

    @property
    def answers(self) -> tuple[StanceFact, ...]:
        """The first time each body took each stance."""
        firsts = {(s.government, s.voice, s.stance): s for s in reversed(self.stances) if s.stance.is_answer}
        return tuple(s for s in self.stances if firsts.get((s.government, s.voice, s.stance)) is s)

    @property
    def silences(self) -> tuple[StanceFact, ...]:
        """The first time each body is said not to have answered each asker; an unknown asker joins a known one."""
        named = {(s.government, s.voice) for s in self.stances if s.asker is not None}
        firsts = {
            (s.government, s.voice, s.stance, s.asker): s for s in reversed(self.stances) if not s.stance.is_answer
        }
        return tuple(
            s
            for s in self.stances
            if firsts.get((s.government, s.voice, s.stance, s.asker)) is s
            and (s.asker is not None or (s.government, s.voice) not in named)
        )

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "key": self.key,
            "title": self.title,
            "mentions": [
                {
                    "entry": m.entry,
                    "outlet": m.outlet,
                    "role": str(m.role),
                    "seen_at": _plain(m.seen_at),
                    "title": m.title,
                    "title_only": m.title_only,
                    "url": m.url,
                    "cites": [{"source": c.source, "domain": c.domain, "kind": c.kind} for c in m.citations],
                }
                for m in self.mentions
            ],
            "answers": [_stance(s) for s in self.answers],
            "asked_no_answer": [_stance(s) for s in self.silences],
        }

    def as_text(self) -> str:
        """For a terminal."""
        lines = [f"{self.key}  {self.title}", f"{len(self.independent)} outlets with a piece of their own", ""]
        for m in self.mentions:
            cites = ", ".join(c.source for c in m.citations)
            lines.append(f"  {m.entry:6}  {_short(m.seen_at)}  {m.role!s:11} {m.outlet or 'unknown outlet'}: {m.title}")
            lines[-1] += " (title only)" if m.title_only else ""
            lines += [f"  {'':8}{'':14}{'':11} cites {cites}"] if cites else []
        lines += ["", "governments" if self.answers else "no government has answered"]
        lines += [f"  {s.government} {s.body}: {s.stance}  “{s.quote}”  ({s.outlet})" for s in self.answers]
        if self.silences:
            lines += ["", "asked, no answer (not a response)"]
            lines += [
                f"  {s.government} {s.body}: {s.stance}  asked by {s.asker.name if s.asker else 'unknown'}"
                for s in self.silences
            ]
        return "\n".join(lines) + "\n"


def read(connection: Connection, now: datetime, insecure: Collection[str] = ()) -> Standing:
    """Read how everything stands. `insecure` are the feeds whose certificate is not looked at."""
    row = alert_tables.outbox.c
    return Standing(
        feeds=feeds(connection, now, insecure),
        entries=entries.count(connection),
        stories=connection.execute(select(func.count()).select_from(tables.story)).scalar_one(),
        events=_events(connection),
        deliveries={r[0]: r[1] for r in connection.execute(select(row.state, func.count()).group_by(row.state))},
        troubles=admin.troubles(connection, now),
        due=claims.due_count(connection, now),
        trouble=meta.get(connection, revisions.TROUBLE) or "",
        canary=canary.load(meta.get(connection, canary.KEY)),
        wal=checking.wal_bytes(connection.engine) if connection.dialect.name == "sqlite" else None,
        unled_since=leases.vacant_since(connection, _UNLED_FOR) if connection.dialect.name == "postgresql" else None,
    )


def _events(connection: Connection) -> dict[str, int]:
    """Count events by kind, and apart from that those no route took: nobody is told of them."""
    event = alert_tables.event.c
    found = {r[0]: r[1] for r in connection.execute(select(event.kind, func.count()).group_by(event.kind))}
    lost = connection.execute(select(func.count()).where(event.state == EventState.UNROUTED)).scalar_one()
    return found | ({EventState.UNROUTED.value: lost} if lost else {})


def feeds(connection: Connection, now: datetime | None = None, insecure: Collection[str] = ()) -> tuple[FeedLine, ...]:
    """Every feed with its colour, worst first. `insecure` as in `read`."""
    lines = Look(connection, now, insecure).lines()
    return tuple(sorted((line for _, line in lines), key=lambda line: (_ORDER[line.colour], line.url)))


class Look:
    """A look at all feeds, any number of them. `insecure` as in `read`.

    `named` are the addresses of config.yaml; without them those that were taken up last.
    """

    def __init__(
        self,
        connection: Connection,
        now: datetime | None,
        insecure: Collection[str] = (),
        named: Collection[str] | None = None,
    ) -> None:
        self._connection, self._now, self._insecure, self._named = connection, now, insecure, named
        self._entries = entries.counts_by_feed(connection)
        self._configured = feed_rows.configured(connection) if named is None else frozenset()

    def lines(self) -> Iterator[tuple[FeedId, FeedLine]]:
        """All of them, in the order of their ids."""
        return ((row.id, self._line(row)) for row in feed_rows.seen(self._connection))

    def by_turns(self, *, failing: bool = False) -> Iterator[FeedLine]:
        """All of them or those that fail, the worst first: their order is found, then they are read again in turns."""
        wanted = ((number, line) for number, line in self.lines() if line.is_failing or not failing)
        order = sorted((_ORDER[line.colour], line.url, number) for number, line in wanted)
        for numbers in plain.chunks([number for *_, number in order]):
            rows = feed_rows.some(self._connection, numbers)
            yield from (self._line(rows[number]) for number in numbers if number in rows)

    def _line(self, row: feed_rows.FeedRow) -> FeedLine:
        named = row.id in self._configured if self._named is None else row.url in self._named
        return feed_line(
            row,
            self._entries.get(row.id, 0),
            self._now or row.next_at,
            insecure_tls=row.url in self._insecure,
            stands=standing_in(named, row.settings),
        )


_ORDER = {"red": 0, "amber": 1, "green": 2, "grey": 3}


def standing_in(configured: bool, settings: Mapping[str, Any] | None) -> str:
    """Where a feed stands: config, database, both or nowhere."""
    if settings is not None:
        return "both" if configured else "database"
    return "config" if configured else "nowhere"


def feed_line(
    row: feed_rows.FeedRow, count: int, now: datetime, *, insecure_tls: bool = False, stands: str = "config"
) -> FeedLine:
    """One feed with `count` stored entries as people see it."""
    colour, reasons = _health(row, now, insecure_tls)
    return FeedLine(
        url=row.url,
        state=row.state,
        colour=colour,
        entries=count,
        last_ok=row.last_ok_at,
        last_new=row.last_new_at,
        next_at=row.next_at,
        next_reason=row.next_reason,
        fail_reason=row.fail_reason,
        fail_message=row.fail_message,
        reasons=reasons,
        stands=stands,
    )


def _health(row: feed_rows.FeedRow, now: datetime, insecure_tls: bool) -> tuple[str, tuple[str, ...]]:
    """What the schedule says of a feed that is asked; grey for one that is not, or not yet."""
    if row.state not in feed_rows.POLLED:
        return "grey", (row.state,)
    blocked = (row.next_reason,) if row.next_reason in _NOT_ASKED else ()
    if row.last_attempt_at is None:
        return ("amber", blocked) if blocked else ("grey", ())
    health = schedule.health(schedule.from_json(row.schedule, row.validators), now, insecure_tls=insecure_tls)
    if blocked and health.colour is schedule.Colour.GREEN:
        return "amber", blocked
    return str(health.colour), (*health.reasons, *blocked)


def coverage(connection: Connection, now: datetime) -> Coverage:
    """What is being watched right now: a feed is healthy when its last success is younger than twice its interval.

    That allows at most 3 h, longer only where the server itself asked for a longer wait. A feed that fails is given
    those 3 h: the time of its next attempt says nothing of how often it used to answer.
    """
    return seeing.coverage(sights.read(connection), now)


def stories_of(connection: Connection, limit: int) -> tuple[StoryLine, ...]:
    """The stories with the newest mentions."""
    rows = stories.newest(connection, limit)
    return tuple(StoryLine(r.key, r.title, r.language, r.first_at, r.last_at, r.size) for r in rows)


def story(connection: Connection, key: str) -> StoryShown | None:
    """One story; the key of a merged one leads to its survivor. None when there is none."""
    resolved = stories.resolve(connection, StoryKey(key))
    facts = story_facts.of(connection, resolved)
    if not facts.mentions:
        return None
    return StoryShown(resolved, facts.mentions[0].title, facts.mentions, facts.stances)


def event_keys(connection: Connection, delivery_id: str) -> list[str]:
    """The events one delivery tells."""
    row = alert_tables.outbox.c
    keys = connection.execute(select(row.event_keys).where(row.delivery_id == delivery_id)).scalar_one()
    return list(json.loads(keys) if isinstance(keys, str) else keys)


def feed_table(rows: Iterable[FeedLine]) -> str:
    """Feeds as lines of a terminal."""
    return "".join(feed_texts(rows))


def feed_texts(rows: Iterable[FeedLine]) -> Iterator[str]:
    """As `feed_table`, line by line."""
    count = 0
    for count, row in enumerate(rows, 1):
        yield _HEAD if count == 1 else ""
        yield f"{_feed_text(row)}\n"
    if not count:
        yield "no feeds\n"


_HEAD = "colour entries  last new      next poll and why               address\n"
_WHERE = {"config": "", "database": "  (database)", "both": "  (config.yaml; in the database, too)", "nowhere": ""}


def _feed_text(row: FeedLine) -> str:
    follows = f"{_short(row.next_at)} {row.next_reason}" if row.state in feed_rows.POLLED else f"never, {row.state}"
    line = f"{row.colour:6} {row.entries:7}  {_short(row.last_new):12}  {follows:30}  {row.url}{_WHERE[row.stands]}"
    return line + (f"\n       {_trouble(row)}" if row.is_failing else "")


def story_table(rows: Sequence[StoryLine]) -> str:
    """Stories as lines of a terminal."""
    if not rows:
        return "no stories yet\n"
    return "".join(f"{row.key}  {_short(row.last_at)}  {row.size:4} entries  {row.title}\n" for row in rows)


def _stance(fact: StanceFact) -> dict[str, Any]:
    return {
        "government": fact.government,
        "body": fact.body,
        "stance": str(fact.stance),
        "asker": (fact.asker.domain or fact.asker.name) if fact.asker else None,
        "quote": fact.quote,
        "outlet": fact.outlet,
        "said_at": _plain(fact.said_at),
        "partial": fact.partial,
    }


def _trouble(feed: FeedLine) -> str:
    """Why a feed wants a look, in words."""
    failed = f"{feed.fail_reason}: {feed.fail_message}" if feed.fail_reason else None
    others = [reason for reason in feed.reasons if reason != feed.fail_reason]
    return ", ".join([*([failed] if failed else []), *others])


def _share(rows: Sequence[FeedLine], colour: str) -> float:
    return sum(row.colour == colour for row in rows) / len(rows) if rows else 0.0


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in sorted(counts.items())) or "none"


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def _short(at: datetime | None) -> str:
    return at.strftime("%d %b %H:%M") if at else "never"
