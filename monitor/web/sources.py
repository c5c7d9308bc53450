"""Where the pages read from and what they may do: built by `daemon`, so that tests need none."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from alerts import route
from monitor.config import stored
from monitor.detect.outlets import OutletTable
from monitor.values import Domain, EntryId, StoryKey

Opening = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class WatchShown:
    """A watch by name and title; `feeds` are those it looks into."""

    name: str
    title: str
    feeds: stored.Choice = stored.ALL


@dataclass(frozen=True, slots=True)
class Login:
    """Who may come in."""

    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that signs readers in: it names them in `header` and proves itself by `key`."""

    header: str
    key: str


class Corrections(Protocol):
    """What a person may change about stories. Each call is one transaction of the caller's."""

    def label(self, tx: Connection, subject: str, verdict: str, who: str, now: datetime, note: str = "") -> object:
        """Keep what a person says of a story's key, an entry's number or an address."""
        ...

    def merge(self, tx: Connection, keys: Sequence[StoryKey], who: str, now: datetime, note: str = "") -> object:
        """Make one story of several."""
        ...

    def split(self, tx: Connection, entries: Collection[EntryId], who: str, now: datetime, note: str = "") -> object:
        """Give entries of a story a story of their own."""
        ...


NOBODY = route.Plan(route.Route(), ())
"""Nobody gets messages."""


@dataclass(frozen=True, slots=True)
class Sources:
    """All that the pages know. `ready` answers None or why the daemon is not ready.

    `writing` opens one transaction; without it nothing can be done from the pages. `keys` sign sessions and links: the
    first signs, all are accepted. `hosts` are the names the pages answer to, `plan`
    says who gets messages with links. `metrics_apart`: /metrics has an address of its own. `insecure` are the feeds
    whose certificate is not looked at.
    """

    reading: Opening
    now: Callable[[], datetime]
    ready: Callable[[], str | None]
    outlets: OutletTable
    governments: Mapping[str, str]
    hosts: frozenset[str]
    watches: tuple[WatchShown, ...] = ()
    writing: Opening | None = None
    corrections: Corrections | None = None
    keys: tuple[bytes, ...] = ()
    login: Login | None = None
    proxy: Proxy | None = None
    public_url: str | None = None
    syndicated: bool = False
    metrics_apart: bool = False
    evidence_key: bytes | None = None
    plan: Callable[[], route.Plan] = lambda: NOBODY
    insecure: frozenset[str] = frozenset()

    @property
    def is_closed(self) -> bool:
        """Whether strangers see signs of life only."""
        return self.login is not None or self.proxy is not None

    def outlet_name(self, domain: str) -> str:
        """How people call an outlet."""
        return self.outlets.by_domain(Domain(domain)).name

    def government_name(self, code: str) -> str:
        """How people call a government."""
        return self.governments.get(code, code)

    def outlets_of(self, country: str) -> frozenset[Domain]:
        """The listed outlets of a country."""
        return frozenset(outlet.domain for outlet in self.outlets.hosts.values() if outlet.country == country)
