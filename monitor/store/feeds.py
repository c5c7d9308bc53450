"""Feeds: their rows, as the configuration and polls leave them.

Who holds one is `claims`, what a poll writes `results`, where it moved to `moves`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, delete, func, null, select, update

from monitor.parse.identity import Policy, Trust
from monitor.store import plain, tables
from monitor.store.shards import shard_of
from monitor.values import Claim, FeedId, Validators

_T, _C = tables.feed.c, tables.configured.c
_LIGHT = [null().label("items") if one.name == "items" else one for one in tables.FEED_STATE]
_STANDS = _T.settings.is_not(null())
AT_A_TIME = 1000
"""Rows that are in memory at once where all are looked at."""
POLLED = ("active", "gone")
"""States of feeds that are asked; paused and merged ones are not."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A feed as the configuration names it; `url` is the configured address."""

    url: str
    host: str
    paused: bool = False


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A feed's state between polls. `schedule` is what `monitor.schedule` wrote there, as plain JSON."""

    id: FeedId
    url: str
    moved_to: str | None
    host: str
    state: str
    validators: Validators
    body_sha256: bytes | None
    gen: int
    items: bytes | None
    trust: Trust
    standing: str
    standing_since: datetime | None
    next_at: datetime
    next_reason: str
    schedule: Mapping[str, Any]
    fail_reason: str | None
    fail_message: str | None
    first_fail_at: datetime | None
    last_ok_at: datetime | None
    last_new_at: datetime | None
    last_attempt_at: datetime | None
    baseline_at: datetime | None
    settings: Mapping[str, Any] | None = None
    """What a feed says of itself that stands in the database; `monitor.config.stored` reads it."""
    claim: Claim | None = None


def sync(connection: Connection, seeds: Sequence[Seed], now: datetime) -> int:
    """Make the rows of configured feeds those of the configuration; one that left it keeps its entries.

    It is paused, unless it stands in the database, too: then it is polled by what that says. Feeds that only stand
    there are not looked at, however many they are. Returns the number of feeds that are new.
    """
    wanted = {seed.url: "paused" if seed.paused else "active" for seed in seeds}
    moved: dict[int, str] = {}
    with plain.by_index(connection):
        known, left = _named(connection, wanted, moved)
        others = [seed for seed in seeds if seed.url not in known]
        new = _join(connection, others, wanted, moved, now) if others else 0
    for some in plain.chunks(left):
        connection.execute(delete(tables.configured).where(_C.feed_id.in_(some)))
    for feed, state in moved.items():
        connection.execute(update(tables.feed).where(_T.id == feed).values(state=state))
    return new


def _named(
    connection: Connection, wanted: Mapping[str, str], moved: dict[int, str]
) -> tuple[frozenset[str], list[int]]:
    """Look at the feeds that the configuration named so far: those it still names, and those that left it."""
    known: set[str] = set()
    left: list[int] = []
    columns = (_T.id, _T.url, _T.state, _STANDS.label("stands"))
    named = select(*columns).where(_T.id.in_(select(_C.feed_id)))  # a join may look at every feed there is
    for row in connection.execute(named.execution_options(yield_per=AT_A_TIME)):
        if row.url in wanted:
            known.add(row.url)
        else:
            left.append(row.id)
        _note(row, wanted.get(row.url, "active" if row.stands else "paused"), moved)
    return frozenset(known), left


def _note(row: Row[Any], state: str, moved: dict[int, str]) -> None:
    """Note that a feed is to be of another state; what was learnt of one that is asked is kept."""
    if row.state != state and not (row.state in ("gone", "merged") and state == "active"):
        moved[row.id] = state


def _join(
    connection: Connection, seeds: Sequence[Seed], wanted: Mapping[str, str], moved: dict[int, str], now: datetime
) -> int:
    """Let feeds be configured ones that were not: new ones, those that were once, those that stand in the database."""
    make = plain.INSERT[connection.dialect.name]  # another process may write the same rows just now
    there = {row.url for row in _with_urls(connection, [seed.url for seed in seeds])}
    new = [seed for seed in seeds if seed.url not in there]
    if new:
        made = [new_row(seed.url, seed.host, now) | {"state": wanted[seed.url]} for seed in new]
        connection.execute(make(tables.feed).on_conflict_do_nothing(index_elements=["url"]), made)
    rows = _with_urls(connection, [seed.url for seed in seeds])
    for row in rows:
        _note(row, wanted[row.url], moved)
    named = [{"feed_id": row.id} for row in rows]
    connection.execute(make(tables.configured).on_conflict_do_nothing(), named)
    return len(new)


def _with_urls(connection: Connection, urls: Sequence[str]) -> Sequence[Row[Any]]:
    rows: list[Row[Any]] = []
    for some in plain.chunks(urls):
        rows += connection.execute(select(_T.id, _T.url, _T.state).where(_T.url.in_(some)))
    return rows


def new_row(url: str, host: str, at: datetime) -> dict[str, Any]:
    """A feed that nobody has asked yet."""
    shard = shard_of(host)
    return {"url": url, "host": host, "shard": shard, "next_at": at, "next_reason": "startup", "schedule": {}}


def make_due(connection: Connection, now: datetime) -> None:
    """Make every active feed due now, as `poll --ignore-schedule` asks."""
    connection.execute(update(tables.feed).where(tables.POLLED).values(next_at=now, next_reason="forced"))


def ask_now(connection: Connection, feed: FeedId, now: datetime) -> None:
    """Make one feed due."""
    connection.execute(update(tables.feed).where(_T.id == feed).values(next_at=now, next_reason="forced"))


def pause(connection: Connection, feed: FeedId) -> None:
    """Ask a feed no more; what it brought stays."""
    connection.execute(update(tables.feed).where(_T.id == feed).values(state="paused"))


def reschedule(connection: Connection, times: Mapping[FeedId, datetime], reason: str) -> None:
    """Move the next polls of feeds that nobody holds; those that somebody holds are about to be decided anew."""
    if not times:
        return
    moved = {"next_at": bindparam("at"), "next_reason": reason}
    change = update(tables.feed).where(_T.id == bindparam("feed"), _T.lease_until.is_(None)).values(moved)
    connection.execute(change, [{"feed": feed, "at": at} for feed, at in times.items()])


def remember(connection: Connection, feed: FeedId, schedule: Mapping[str, Any], *, failing: bool) -> None:
    """Correct what is remembered of a feed that nobody holds; `failing` is false when its failure was taken back."""
    mended = {} if failing else {"fail_reason": None, "fail_message": None, "first_fail_at": None}
    connection.execute(
        update(tables.feed).where(_T.id == feed, _T.lease_until.is_(None)).values(schedule=dict(schedule), **mended)
    )


def addresses(connection: Connection) -> Iterator[tuple[FeedId, str, str | None]]:
    """Number, address and where it moved to of every feed, one after the other."""
    query = select(_T.id, _T.url, _T.moved_to).order_by(_T.id).execution_options(yield_per=AT_A_TIME)
    return ((FeedId(row.id), row.url, row.moved_to) for row in connection.execute(query))


def asked_since(connection: Connection, since: datetime) -> dict[str, datetime]:
    """The addresses that were asked since a time, and when last."""
    query = select(_T.url, _T.moved_to, _T.last_attempt_at).where(_T.last_attempt_at >= since)
    return {row.moved_to or row.url: row.last_attempt_at for row in connection.execute(query)}


def configured(connection: Connection) -> frozenset[FeedId]:
    """The feeds that config.yaml names, as it was taken up last."""
    return frozenset(FeedId(number) for number in connection.execute(select(_C.feed_id)).scalars())


def count(connection: Connection) -> int:
    """How many feeds there are."""
    return connection.execute(select(func.count()).select_from(tables.feed)).scalar_one()


def newest(connection: Connection) -> int:
    """The number of the feed that came last."""
    return int(connection.execute(select(func.coalesce(func.max(_T.id), 0))).scalar_one())


def some(connection: Connection, ids: Sequence[FeedId]) -> dict[FeedId, FeedRow]:
    """These feeds, without what their last documents held."""
    query = select(*_LIGHT).where(_T.id.in_(ids))
    return {FeedId(row.id): of_row(row) for row in connection.execute(query)}


def all_rows(connection: Connection) -> tuple[FeedRow, ...]:
    """Every feed, in the order of their ids."""
    return tuple(of_row(row) for row in connection.execute(select(*tables.FEED_STATE).order_by(_T.id)))


def seen(connection: Connection) -> Iterator[FeedRow]:
    """Every feed without what its last document held; one after the other, in the order of their ids."""
    query = select(*_LIGHT).order_by(_T.id).execution_options(yield_per=AT_A_TIME)
    return map(of_row, connection.execute(query))


def worst(connection: Connection, most: int, part: str | None = None) -> tuple[FeedRow, ...]:
    """At most so many feeds, those in trouble first, then by address; `part` is in the addresses of all of them.

    As `seen`. Trouble is what the last poll knew of: who judges a feed now may see more.
    """
    is_asked = tables.POLLED & _T.last_attempt_at.is_not(None)
    trouble = case((_T.state == "gone", 0), (_T.fail_reason.is_not(None), 1), (_T.standing != "ok", 2), (is_asked, 3))
    query = select(*_LIGHT).order_by(func.coalesce(trouble, 4), _T.url).limit(most)
    if part is not None:
        query = query.where(_T.url.icontains(part, autoescape=True) | _T.moved_to.icontains(part, autoescape=True))
    return tuple(of_row(row) for row in connection.execute(query))


def overdue(connection: Connection, now: datetime) -> Iterator[FeedRow]:
    """Feeds that fell due and were asked before; one after the other, since a farm's do not fit into memory at once."""
    wanted = (tables.POLLED, _T.last_attempt_at.is_not(None), _T.next_at <= now)
    query = select(*tables.FEED_STATE).where(*wanted).order_by(_T.id).execution_options(yield_per=AT_A_TIME)
    return map(of_row, connection.execute(query))


def failing(
    connection: Connection, hosts: Collection[str], reasons: Collection[str], since: datetime
) -> tuple[FeedRow, ...]:
    """Feeds of these hosts that failed for one of these reasons since a time, in the order of their ids."""
    wanted = (_T.host.in_(hosts), _T.fail_reason.in_(reasons), _T.last_attempt_at >= since)
    return tuple(of_row(row) for row in connection.execute(select(*tables.FEED_STATE).where(*wanted).order_by(_T.id)))


def by_id(connection: Connection, feed: FeedId) -> FeedRow | None:
    """One feed, or None."""
    row = connection.execute(select(*tables.FEED_STATE).where(_T.id == feed)).one_or_none()
    return None if row is None else of_row(row)


def by_url(connection: Connection, url: str) -> FeedRow | None:
    """The feed with this configured address."""
    row = connection.execute(select(*tables.FEED_STATE).where(_T.url == url)).one_or_none()
    return None if row is None else of_row(row)


def of_row(cells: Sequence[Any], held: Claim | None = None) -> FeedRow:
    """A feed from `tables.FEED_STATE` of its row, perhaps as somebody `held` it.

    By place, not by name: claims make very many of them.
    """
    number, url, moved_to, host, _, state, etag, last_modified, body_sha256, gen, items, *rest = cells
    policy, troubled, trouble_at, standing, standing_since, next_at, next_reason, schedule, *rest = rest
    fail_reason, fail_message, first_fail_at, last_ok_at, last_new_at, last_attempt_at, baseline_at, *rest = rest
    *_, settings = rest  # between them is who holds it
    return FeedRow(
        id=FeedId(number),
        url=url,
        moved_to=moved_to,
        host=host,
        state=state,
        validators=Validators(etag, last_modified),
        body_sha256=body_sha256,
        gen=gen,
        items=items,
        trust=Trust(Policy(policy), troubled, trouble_at),
        standing=standing,
        standing_since=standing_since,
        next_at=next_at,
        next_reason=next_reason,
        schedule=schedule,
        fail_reason=fail_reason,
        fail_message=fail_message,
        first_fail_at=first_fail_at,
        last_ok_at=last_ok_at,
        last_new_at=last_new_at,
        last_attempt_at=last_attempt_at,
        baseline_at=baseline_at,
        settings=settings,
        claim=held,
    )
