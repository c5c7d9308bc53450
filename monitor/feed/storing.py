"""Feeds put into the database instead of config.yaml: `feed import --to-store` and `feed add --to-store`.

    read a thousand lines -> check each -> what is there already? -> write what is new, in a transaction of its own

So a list may be of any length, an import that was cut off is simply done again, and a running daemon goes on meanwhile.
A line of JSON says all that is to be known of its feed, so it may change one that is there; an address or an outline
only brings a feed that is not there. Called by `cli` and `adding`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from monitor import schedule
from monitor.config import locating, stored, units
from monitor.config.values import Config
from monitor.errors import ConfigError, Problem, StoreError
from monitor.feed import formats
from monitor.parse import links, opml
from monitor.store import engine as engines
from monitor.store import listed, migrate

AT_A_TIME = 1000
"""Lines in one transaction: it is over before a daemon that wants to write has to wait long."""
NAMED = 20
"""Lines left out that are named one by one."""
_KEPT = 1000
_MANY = 10_000
"""New rows after which the database is asked to count anew."""
Opening = Callable[[], AbstractContextManager[Connection]]
Tell = Callable[[int], None]


@dataclass(slots=True)
class Stored:
    """What became of a list. `configured` are those of `added` that config.yaml names too: there it wins.

    Of `unusable` the first thousand are kept, `left_out` counts them all.
    """

    added: int = 0
    changed: int = 0
    doubles: int = 0
    configured: int = 0
    left_out: int = 0
    unusable: list[opml.Unusable] = field(default_factory=list)
    written: bool = True

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "added": self.added,
            "changed": self.changed,
            "doubles": self.doubles,
            "configured": self.configured,
            "left_out": self.left_out,
            "unusable": [{"line": one.line, "title": one.title, "why": one.why} for one in self.unusable],
            "written": self.written,
        }

    def as_text(self) -> str:
        """For a terminal."""
        there = f"{self.doubles:,} there already"
        changed = f", {self.changed:,} changed" if self.changed else ""
        left = f", {self.left_out:,} left out" if self.left_out else ""
        if not self.written:
            return f"{_feeds(self.added)} would be added to the database{changed}, {there}{left}; nothing was written\n"
        ends = "; a running daemon asks them by itself, or storywatch poll does" if self.added else ""
        both = f"{self.configured:,} of them in config.yaml, too, which wins\n" if self.configured else ""
        return f"added {_feeds(self.added)} to the database{changed}, {there}{left}{ends}\n{both}"

    def told(self, file: str) -> str:
        """Which lines could not be used."""
        lines = [f"{file}:{one.line}: left out: {_titled(one)}{one.why}" for one in self.unusable[:NAMED]]
        more = self.left_out - len(lines)
        return "".join(f"{line}\n" for line in lines) + (f"and {more:,} more left out\n" if more > 0 else "")


def _feeds(number: int) -> str:
    return f"{number:,} feed" + ("" if number == 1 else "s")


def _titled(one: opml.Unusable) -> str:
    return f"{one.title}: " if one.title else ""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A feed of a list that was checked: the address its row has or is to have, and all ways to write it."""

    key: str
    url: str
    spellings: tuple[str, ...]
    settings: Mapping[str, Any]
    whole: bool


class Import:
    """One import. `dry` writes nothing, so it has to remember what it has seen."""

    def __init__(self, config: Config, file: str, tags: Sequence[str], now: datetime, *, dry: bool = False) -> None:
        """Errors: ConfigError for tags that may not be given."""
        refuse(stored.checked({"url": "https://a.example/", "tags": list(tags)}, "--tags", 1)[1])
        self._configured = {units.same_address(feed.url): feed.url for feed in config.feeds}
        self._file, self._tags, self._now = file, tuple(tags), now
        self._seen: set[int] | None = set() if dry else None
        self.done = Stored(written=not dry)

    def run(self, lines: Iterable[formats.Read], opening: Opening | None, tell: Tell = lambda _: None) -> Stored:
        """Take a list. `opening` opens one transaction after the other; without it there is no database yet.

        Errors: FeedRefused when a list breaks off; what came before is stored by then.
        """
        source, read = iter(lines), 0
        while some := list(islice(source, AT_A_TIME)):
            wanted = list(self._checked(some))
            if opening is None:
                self._sorted(wanted, {})
            else:
                with opening() as connection:
                    self._take(connection, wanted)
            read += len(some)
            tell(read)
        if opening is not None and self.done.written and self.done.added >= _MANY:
            with opening() as connection:
                listed.note_growth(connection)
        return self.done

    def _take(self, connection: Connection, wanted: Sequence[_Wanted]) -> None:
        known = listed.find(connection, [url for one in wanted for url in one.spellings])
        new, restated = self._sorted(wanted, known)
        if self._seen is None:
            listed.add(connection, new)
            listed.restate(connection, restated)

    def _checked(self, lines: Iterable[formats.Read]) -> Iterator[_Wanted]:
        """What of some lines can be used, each feed once."""
        here: set[str] = set()
        for line in lines:
            if isinstance(line, opml.Unusable):
                self._leave_out(line)
                continue
            said = dict(line.said)
            if self._tags and isinstance(said.get("tags", []), list):
                said["tags"] = [*said.get("tags", []), *self._tags]
            feed, problems = stored.checked(said, self._file, line.line)
            if feed is None:
                self._leave_out(opml.Unusable(line.line, str(said.get("url", ""))[:200], _why(problems)))
                continue
            key = units.same_address(feed.url)
            if key in here or not self._is_first(key):
                self.done.doubles += 1
                continue
            here.add(key)
            url = self._configured.get(key, feed.url)
            yield _Wanted(key, url, _spellings(url, key), stored.written(feed), line.whole)

    def _is_first(self, key: str) -> bool:
        if self._seen is None:  # what came before stands in the database
            return True
        count = len(self._seen)
        self._seen.add(hash(key))
        return len(self._seen) > count

    def _leave_out(self, line: opml.Unusable) -> None:
        self.done.left_out += 1
        if len(self.done.unusable) < _KEPT:
            self.done.unusable.append(line)

    def _sorted(
        self, wanted: Sequence[_Wanted], known: Mapping[str, listed.Known]
    ) -> tuple[list[listed.New], list[listed.Restated]]:
        """What is to be written, and what is there."""
        new: list[listed.New] = []
        restated: list[listed.Restated] = []
        for one in wanted:
            row = next((known[url] for url in one.spellings if url in known), None)
            at = schedule.first_poll(self.done.added, self._now)
            if row is None:
                new.append(listed.New(one.url, links.host_of(one.url) or one.url, one.settings, at))
                self._count_added(one)
            elif row.settings is None:
                restated.append(listed.Restated(row.id, one.settings, at))
                self._count_added(one)
            elif one.whole and dict(row.settings) != one.settings:
                restated.append(listed.Restated(row.id, one.settings, at))
                self.done.changed += 1
            else:
                self.done.doubles += 1
        return new, restated

    def _count_added(self, one: _Wanted) -> None:
        self.done.added += 1
        self.done.configured += one.key in self._configured


def opened(url: str, config: Config, environ: Mapping[str, str]) -> Engine:
    """The database with its newest schema, made where there is none.

    Errors: StoreUnreachable, SchemaMismatch.
    """
    pooled = locating.direct_url_of(config, environ) is not None
    engine = engines.open_engine(url, pool=2, role="cli", pooled=pooled)
    engines.check_reachable(engine)
    migrate.ready(engine, config.storage.migrate)
    return engine


@contextmanager
def as_it_stands(url: str) -> Iterator[Connection | None]:
    """A connection that reads, for a command that can do without: None where there is no database of ours yet."""
    with ExitStack() as stack:
        try:
            parsed = engines.parse_url(url)
            if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
                connection = None  # to look would make the file
            else:
                engine = engines.open_engine(url)
                stack.callback(engine.dispose)
                engines.check_reachable(engine)
                is_ours = migrate.current(engine) == migrate.HEAD
                connection = stack.enter_context(engines.reading(engine)) if is_ours else None
        except StoreError:
            connection = None
        yield connection


@contextmanager
def transactions(
    url: str, config: Config, environ: Mapping[str, str], *, dry: bool = False
) -> Iterator[Opening | None]:
    """What opens one transaction after the other; None where a dry run finds no database.

    Errors: StoreUnreachable, SchemaMismatch.
    """
    if dry:
        with as_it_stands(url) as connection:
            yield None if connection is None else lambda: nullcontext(connection)
        return
    engine = opened(url, config, environ)
    try:
        yield engine.begin
    finally:
        engine.dispose()


def refuse(problems: Sequence[Problem]) -> None:
    """Errors: ConfigError where there are any."""
    if problems:
        raise ConfigError(tuple(problems))


def _why(problems: Sequence[Problem]) -> str:
    """All that is wrong with a line, with the codes of config.yaml."""
    said = (f"{one.code} {one.path}: {one.message}" + (f"; {one.hint}" if one.hint else "") for one in problems)
    return ", ".join(said)


def _spellings(url: str, key: str) -> tuple[str, ...]:
    """The ways an address is written that name the same feed; the first is its own.

    >>> _spellings("https://a.example/rss", "a.example/rss")[1:]
    ('https://a.example/rss/', 'http://a.example/rss', 'http://a.example/rss/')
    """
    path, mark, query = key.partition("?")
    every = [f"{scheme}://{path}{slash}{mark}{query}" for scheme in ("https", "http") for slash in ("", "/")]
    return (url, *(one for one in every if one != url))


def there(connection: Connection, url: str) -> listed.Known | None:
    """The row of a feed that stands in the database, however its address is written."""
    spellings = _spellings(url, units.same_address(url))
    known = listed.find(connection, spellings)
    rows = (known[one] for one in spellings if one in known)
    return next((row for row in rows if row.settings is not None), None)
