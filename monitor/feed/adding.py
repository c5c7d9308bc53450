"""`feed add` and `feed discover`: look at an address once, and make what was found the first poll of a new feed.

    fetch -> is it a feed? else what does the page offer? -> edit config.yaml -> store the answer as the first poll

One request for a feed; one more where a page was given. Nothing is asked that is held, and the requests to one host
keep its distance. Called by `cli`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from monitor import daemon, logs, outward, parser_pool, schedule
from monitor.config import api, editing, locating, redaction, stored
from monitor.config.values import Config
from monitor.errors import ParseError, StoreError
from monitor.feed import admin, formats, storing
from monitor.feed.facts import FeedRefused, plain, when
from monitor.fetch import client, hosts, limits
from monitor.parse import links, web_page
from monitor.schedule import attempts, redirects
from monitor.store import engine as engines
from monitor.store import feeds, filelock
from monitor.store import hosts as host_rows
from monitor.values import Fetched, FetchFailed, NotModified, ParsedFeed, ParseReason

_PAGES = frozenset({ParseReason.HTML, ParseReason.MOVED, ParseReason.SITEMAP_INDEX})
"""What an address may answer that leads to feeds."""


@dataclass(frozen=True, slots=True)
class Found:
    """What an address leads to: a feed with the answer that showed it, or several feeds to choose from."""

    url: str
    fetched: Fetched | None = None
    feed: ParsedFeed | None = None
    offers: tuple[web_page.Offer, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        offers = [{"url": offer.url, "title": offer.title, "type": offer.kind} for offer in self.offers]
        if self.feed is None:
            return {"url": self.url, "is_feed": False, "offers": offers}
        told = {"title": self.feed.title, "entries": len(self.feed.entries), "newest": plain(_newest(self.feed))}
        return {"url": self.url, "is_feed": True, **told, "offers": []}

    def as_text(self) -> str:
        """For a terminal: the feed in a line, or the offers, numbered as `--pick` takes them."""
        if self.feed is not None:
            return f"{self.url}\n  {described(self.feed)}\n"
        lines = [f"{n:3}  {offer.kind or '':5} {offer.url}{_titled(offer)}" for n, offer in enumerate(self.offers, 1)]
        return "\n".join([f"{self.url} is a page that offers {_counted(len(lines), 'feed')}:", *lines]) + "\n"


def described(feed: ParsedFeed) -> str:
    """A feed in a line: its title, how many entries, the newest."""
    newest = _newest(feed)
    dated = f", the newest of {when(newest)} UTC" if newest else ""
    return f"“{feed.title or 'without a title'}”, {_counted(len(feed.entries), 'entry', 'entries')}{dated}"


def _newest(feed: ParsedFeed) -> datetime | None:
    return max((entry.published for entry in feed.entries if entry.published), default=None)


def _titled(offer: web_page.Offer) -> str:
    return f"  “{offer.title}”" if offer.title else ""


def _counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


# ------------------------------------------------------------------------------------------------- looking


class Looker:
    """Asks addresses under the limits and the name that polls have."""

    def __init__(
        self,
        config: Config,
        http: client.Client,
        gate: hosts.HostGate,
        parsers: parser_pool.ParserPool,
        asked: Mapping[str, datetime],
    ) -> None:
        self._watches = sum(not watch.paused for watch in config.watches)
        self._http = http
        self._gate = gate
        self._parsers = parsers
        self._asked = asked

    async def look(self, url: str) -> Found:
        """Ask one address once.

        Errors: FeedRefused for a failure, a hold, and for what is neither a feed nor leads to one.
        """
        fetched = await self._fetch(url)
        headers = {name: value.decode("latin-1") for name, value in fetched.headers}
        body = parser_pool.Body(fetched.body, fetched.final_url, headers, fetched.at)
        try:
            feed = await self._parsers.parse(body)
        except ParseError as exc:
            if exc.reason not in _PAGES or not exc.found:
                raise FeedRefused(f"{url}: {exc.reason}: {exc.message}") from exc
            return Found(url, offers=_offers(exc, fetched, headers))
        return _settled(Found(url, fetched, feed))

    async def _fetch(self, url: str) -> Fetched:
        last = self._asked.get(url)
        if last is not None and daemon.utc_now() - last < attempts.GUARD:
            again = f"it was asked at {when(last)} UTC, as a feed; try again after {when(last + attempts.GUARD)} UTC"
            raise FeedRefused(f"{url}: not asked: {again} (no address is asked twice within 10 minutes)")
        sys.stderr.write(f"asking {url}\n")
        request = limits.Request(url, watches=self._watches)
        async with self._gate.turn(links.host_of(url) or "", daemon.utc_now) as held:
            if held is not None:
                until = f"{held.scope} {held.name} is left alone until {when(held.until)} UTC"
                raise FeedRefused(f"{url}: not asked: {until} ({held.reason})")
            outcome = await self._http.fetch(request, daemon.utc_now)
        match outcome:
            case Fetched():
                return outcome
            case FetchFailed(reason=reason, message=message):
                raise FeedRefused(f"{url}: {reason}: {message}; nothing was changed")
            case NotModified():
                raise FeedRefused(f"{url}: unexpected_304: the server says “not modified” to a first request")


def _offers(exc: ParseError, fetched: Fetched, headers: Mapping[str, str]) -> tuple[web_page.Offer, ...]:
    if exc.reason == ParseReason.HTML:
        return web_page.offers_of(fetched.body, fetched.final_url, headers)
    return tuple(web_page.Offer(address) for address in exc.found)


def _settled(found: Found) -> Found:
    """Take a permanent redirect at its word: a feed that is new has no past that it could lose."""
    assert found.fetched is not None
    hops = found.fetched.hops
    target = redirects.permanent_target(hops)
    if target is None:
        return found
    taken = next(n for n, hop in enumerate(hops, 1) if hop.location == target)
    return replace(found, url=target, fetched=replace(found.fetched, url=target, hops=hops[taken:]))


@asynccontextmanager
async def looker(config: Config, url: str) -> AsyncIterator[Looker]:
    """Open what is needed to ask addresses; `url` is the database, whose holds are kept."""
    gate = outward.gate_of(config)
    held, asked = _remembered(url)
    for row in held:
        if row.hold_until is not None:
            gate.hold(schedule.Hold(row.kind, row.name, row.hold_until, row.hold_reason or "host_hold"))
    async with outward.client_of(config) as http, parser_pool.ParserPool(1) as parsers:
        yield Looker(config, http, gate, parsers, asked)


def _remembered(url: str) -> tuple[Sequence[host_rows.HostRow], Mapping[str, datetime]]:
    """What the database knows of hosts, and when addresses were asked last; nothing where there is none yet."""
    with storing.as_it_stands(url) as connection:
        if connection is None:
            return (), {}
        return host_rows.read(connection), feeds.asked_since(connection, daemon.utc_now() - attempts.GUARD)


def discover(path: Path, url: str, environ: Mapping[str, str]) -> Found:
    """Say what an address leads to; stores nothing.

    Errors: FeedRefused; ConfigError.
    """
    config = api.load(locating.config_file(path), environ, with_secrets=False)

    async def run() -> Found:
        async with looker(config, locating.storage_url(path, environ)) as asking:
            return await asking.look(web_address(url))

    return asyncio.run(run())


def web_address(url: str) -> str:
    """An address as a person may have typed it: without a scheme it is https; feed: is no scheme of its own."""
    plain_url = url.strip().removeprefix("feed:").removeprefix("//")
    return plain_url if "://" in plain_url else f"https://{plain_url}"


# ------------------------------------------------------------------------------------------------- adding


@dataclass(frozen=True, slots=True)
class Wish:
    """A feed that is to be added, `to_store` to the database; `pick` chooses among the feeds of a page, from 1."""

    url: str
    tags: tuple[str, ...] = ()
    outlet: str | None = None
    pick: int | None = None
    dry: bool = False
    to_store: bool = False


@dataclass(frozen=True, slots=True)
class Added:
    """What `feed add` did. `edit` is None for a feed that was there already, and with `--to-store`.

    `line` is where it stands in config.yaml, None for one of the database; `known`: it was there already.
    `unpolled` says why the answer could not be stored as the first poll, though the file was edited.
    """

    found: Found
    edit: admin.Edited | None = None
    line: int | None = None
    known: bool = False
    written: bool = False
    next_at: datetime | None = None
    unpolled: str | None = None

    @property
    def exit_code(self) -> int:
        """1 when somebody has to choose first."""
        return 1 if self.found.offers else 0

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        polled = self.written and self.unpolled is None
        more = {"added": self.written, "line": self.line, "polled": polled, "next_at": plain(self.next_at)}
        return self.found.as_dict() | more | {"diff": self.edit.diff() if self.edit else None}

    def as_text(self) -> str:
        """For a terminal."""
        found = self.found
        if found.offers:
            return found.as_text() + "nothing was added: choose one with --pick N, or add its address\n"
        if self.known:
            where = f"configured already, in line {self.line}" if self.line else "in the database already"
            return f"{found.url} is {where}; nothing was changed\n"
        if not self.written:
            return self.edit.diff() if self.edit else f"{found.url} would be added to the database\n"
        about = f"  {described(found.feed)}\n" if found.feed else ""
        if self.unpolled:
            stored = f"  {self.unpolled}\n"
        else:
            stored = f"  stored as baseline: what comes from now on is told; next poll {when(self.next_at)} UTC\n"
        where = f"{self.edit.path}, line {self.line}" if self.edit else "the database"
        return f"added {found.url} to {where}\n{about}{stored}"


def add(path: Path, wish: Wish, environ: Mapping[str, str]) -> Added:
    """Look at an address, add its feed to the file, and store the answer as the feed's first poll.

    Errors: FeedRefused; ConfigError.
    """
    logs.configure(sys.stderr, quiet=True)
    wish = replace(wish, url=web_address(wish.url))
    if wish.to_store:
        return _to_store(path, wish, environ)
    before, config = admin.editable(path, environ)
    known = admin.configured(config, wish.url)
    if known is not None:
        return Added(Found(known.url), line=known.line, known=True)
    # What the file would refuse is refused before anybody is asked.
    admin.with_feeds(path, before, [editing.feed_line(wish.url, wish.tags, wish.outlet)], environ)
    database = locating.url_of(config, environ)
    found = asyncio.run(_look_for(config, wish, database))
    if found.offers:
        return Added(found)
    known = admin.configured(config, found.url)
    if known is not None:
        return Added(Found(known.url), line=known.line, known=True)
    edit = admin.with_feeds(path, before, [editing.feed_line(found.url, wish.tags, wish.outlet)], environ)
    done = Added(found, edit, next(feed.line for feed in edit.config.feeds if feed.url == found.url))
    if wish.dry:
        return done
    edit.write()
    text = redaction.storable(edit.after, environ)
    return _stored(replace(done, written=True), database, edit.config, text, environ)


def _to_store(path: Path, wish: Wish, environ: Mapping[str, str]) -> Added:
    """As `add`, for a feed that is to stand in the database."""
    file = locating.config_file(path)
    config, database = admin.database_of(path, environ)
    said = {"url": wish.url, "tags": list(wish.tags)} | ({"outlet": wish.outlet} if wish.outlet else {})
    storing.refuse(stored.checked(said, "feed add", 1)[1])
    if (known := _standing(config, database, wish.url)) is not None:
        return known
    found = asyncio.run(_look_for(config, wish, database))
    if found.offers:
        return Added(found)
    if (known := _standing(config, database, found.url)) is not None:
        return known
    if wish.dry:
        return Added(found)
    engine = storing.opened(database, config, environ)
    try:
        one = formats.Line(1, {**said, "url": found.url})
        storing.Import(config, "feed add", (), daemon.utc_now()).run([one], engine.begin)
    finally:
        engine.dispose()
    text = redaction.storable(file.read_text(encoding="utf-8"), environ)
    return _stored(Added(found, written=True), database, config, text, environ)


def _standing(config: Config, database: str, url: str) -> Added | None:
    """A feed that is there already."""
    feed = admin.configured(config, url)
    if feed is not None:
        return Added(Found(feed.url), line=feed.line, known=True)
    with storing.as_it_stands(database) as connection:
        row = storing.there(connection, url) if connection is not None else None
    return Added(Found(row.url), known=True) if row is not None else None


async def _look_for(config: Config, wish: Wish, database: str) -> Found:
    """Follow a page to its only feed, or to the one that was picked."""
    async with looker(config, database) as asking:
        found = await asking.look(wish.url)
        if not found.offers:
            return found
        chosen = _chosen(found, wish.pick)
        if chosen is None or admin.configured(config, chosen):
            return found if chosen is None else Found(chosen)
        second = await asking.look(chosen)
        if second.offers:
            raise FeedRefused(f"{chosen}: offered as a feed, and is a page itself; nothing was changed")
        return second


def _chosen(found: Found, pick: int | None) -> str | None:
    if pick is None:
        return found.offers[0].url if len(found.offers) == 1 else None
    if not 1 <= pick <= len(found.offers):
        raise FeedRefused(f"--pick {pick}: {found.url} offers {_counted(len(found.offers), 'feed')}")
    return found.offers[pick - 1].url


def _stored(added: Added, database: str, config: Config, text: str, environ: Mapping[str, str]) -> Added:
    """Store the answer as the first poll. The file is written by now: what goes wrong here is said, and no failure."""
    try:
        with filelock.FileLock(database):
            return asyncio.run(_take(added, database, config, text, environ))
    except filelock.AlreadyRunning:
        return replace(added, unpolled="a daemon is running: it takes the feed up by itself")
    except StoreError as exc:
        return replace(added, unpolled=f"the daemon takes the feed at its next start; not polled yet: {exc}")


async def _take(added: Added, database: str, config: Config, text: str, environ: Mapping[str, str]) -> Added:
    assert added.found.fetched is not None
    url = added.found.url
    assemble = partial(daemon.assembled, config, environ, url=database, now=daemon.utc_now, who="feed add", text=text)
    async with assemble() as running:
        await running.poller.take(url, added.found.fetched)
        with engines.reading(running.engine) as connection:
            row = feeds.by_url(connection, url)
    return replace(added, next_at=row.next_at if row else None)
