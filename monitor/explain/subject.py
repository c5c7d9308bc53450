"""What is to be explained: a stored entry, a page that is fetched for the purpose, a file or pasted text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Connection

from monitor import outward, parser_pool
from monitor.config.values import Config
from monitor.detect.outlets import OutletTable
from monitor.errors import MonitorError, ParseError
from monitor.fetch import article, hosts
from monitor.parse import charset, language, links, web_page
from monitor.store import entries
from monitor.values import Domain, Entry, EntryId, FeedId

_NO_FEED = FeedId(0)
_LONGEST = 1_000_000


class NothingToExplain(MonitorError):
    """There is no such entry, or its page cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person named, and what they know of it beside its text."""

    what: str
    title: str | None = None
    language: str | None = None
    outlet: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """An entry to be explained. `stored` says that its decisions can be read; `origin` where it comes from."""

    entry: Entry
    stored: bool
    origin: str


def stored(connection: Connection, wish: Wish) -> Subject | None:
    """The entry with this number or address, the newest of several; None if there is none."""
    if wish.what.isdecimal():
        entry = entries.by_id(connection, EntryId(int(wish.what)))
        return Subject(entry, True, f"entry {entry.id}") if entry is not None else None
    if not is_address(wish.what):
        return None
    found = entries.by_url(connection, wish.what, links.canonical(wish.what).key)
    return Subject(found[-1], True, f"entry {found[-1].id}") if found else None


def is_address(what: str) -> bool:
    """Whether a word is an http(s) address."""
    return what.lower().startswith(("http://", "https://"))


def pasted(text: str, wish: Wish, table: OutletTable, now: datetime, origin: str) -> Subject:
    """A text as an entry: its first line is the title, unless one is given.

    Errors: NothingToExplain for an empty text.
    """
    lines = text.strip().splitlines()
    if not lines:
        raise NothingToExplain(f"{origin}: there is no text to explain")
    title = wish.title or lines[0].strip()
    rest = text.strip() if wish.title else "\n".join(lines[1:]).strip()
    return Subject(_entry(title, rest, None, wish, table, now), False, origin)


def from_file(path: Path, wish: Wish, table: OutletTable, now: datetime) -> Subject:
    """A text file, in whatever characters.

    Errors: NothingToExplain.
    """
    if not path.is_file():
        raise NothingToExplain(f"{path}: is no stored entry, no address and no file; - reads a text from stdin")
    try:
        raw = path.read_bytes()
    except OSError as exc:
        raise NothingToExplain(f"{path}: cannot be read ({exc.strerror})") from exc
    return pasted(charset.decode(raw[:_LONGEST], None).text, wish, table, now, str(path))


async def fetched(wish: Wish, config: Config, table: OutletTable, now: datetime) -> Subject:
    """An article's page, fetched as the daemon would: robots.txt obeyed, nothing private.

    Errors: NothingToExplain with the word why it was not read.
    """
    gate = hosts.HostGate(spacing=lambda _: 0.0)
    async with outward.client_of(config) as http, parser_pool.ParserPool(1) as pool:
        page = await article.Articles(http, gate, lambda: now).read(wish.what)
        if isinstance(page, article.PageRefused):
            raise NothingToExplain(f"{wish.what} is not stored and was not read: {page.reason}: {page.message}")
        try:
            found = await pool.extract(parser_pool.Page(page.body, page.final_url, page.content_type))
        except ParseError as exc:
            raise NothingToExplain(f"{wish.what}: {exc.message}") from exc
    if found is None:
        raise NothingToExplain(f"{wish.what}: the page holds no text of an article")
    title = wish.title or web_page.title(charset.decode(page.body, page.content_type).text) or wish.what
    entry = _entry(title, found.text, page.final_url, wish, table, now)
    return Subject(entry, False, f"{page.final_url}, fetched now: {len(found.text):,} characters of text")


def _entry(title: str, text: str, url: str | None, wish: Wish, table: OutletTable, now: datetime) -> Entry:
    outlet = _outlet(wish.outlet or url, table)
    known = table.by_domain(outlet) if outlet else None
    spoken = wish.language or language.detect(title, text, None, known.country if known else None)
    return Entry(
        id=EntryId(0),
        feed=_NO_FEED,
        entry_key=url or title,
        url=url,
        url_key=links.canonical(url).key if url else None,
        title=title,
        summary="",
        content=text,
        language=spoken,
        outlet=outlet,
        published=wish.at or now,
        first_seen=now,
    )


def _outlet(named: str | None, table: OutletTable) -> Domain | None:
    """The outlet of an address, a host or a name."""
    if not named:
        return None
    found = table.by_url(named) if urlsplit(named).netloc else table.by_host(named) or table.by_name(named, None)
    if found is not None:
        return found.domain
    return Domain(links.registrable(named) or named.lower())
