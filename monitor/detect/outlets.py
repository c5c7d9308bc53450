"""The outlet table: who publishes under a host, and whose name stands in a text.

Built once by the shell from the shipped catalogue and what the configuration adds; a frozen value afterwards.
An address nobody listed belongs to its registrable domain. Used by parsing's callers (whose entry is this?),
`attribution` (who is credited?), `events` (is this outlet new?) and the story page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from monitor.detect import names
from monitor.errors import LexiconError
from monitor.parse import links
from monitor.values import Domain, Outlet

FILE = "outlets"
KINDS = frozenset(("wire", "newspaper", "broadcaster", "portal", "magazine", "government", "aggregator", "ngo", "news"))
_HOST_IN_TEXT = re.compile(r"(?<![\w@./-])(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,}(?![\w@-])", re.IGNORECASE)
_HOST = re.compile(r"[\w.-]+|[0-9a-f:.]+", re.IGNORECASE)
_PLAIN = re.compile(
    r"https?://([a-z0-9-]+(?:\.[a-z0-9-]+)+)(?::[0-9]+)?(?:/+([A-Za-z0-9._~-]*)(?=[/?#]|\Z)|(?=[?#]|\Z))"
)
"""Most addresses: their host and the first part of their path are read at once."""
_NOT_CREDITED = frozenset(("government", "aggregator"))
"""Kinds whose names in a text are no credit: a ministry is a speaker, an aggregator passes on what others say."""
_SOLD = frozenset(
    {"ac", "ai", "bz", "cc", "co", "eu", "fm", "gg", "io", "is", "la", "ly", "me", "nu", "sh", "so", "st", "su"}
    | {"tk", "to", "tv", "vc", "ws"}
)
"""Suffixes of two letters that tell no country: the Union's, a dead state's, and what the world buys as a word."""
_OTHER_CODES = {"uk": "GB"}
_FIELDS = frozenset(("name", "country", "kind", "language", "aliases", "group", "common", "names", "main", "strict"))


@dataclass(frozen=True, slots=True)
class NameHit:
    """An outlet's name at `text[start:end]`, `name` as written there.

    `domain` is None when several outlets share the name and nothing decides between them. `strict` says that the
    name is a common word or ambiguous: it counts only with a credit or quotation marks next to it.
    """

    start: int
    end: int
    name: str
    domain: Domain | None
    strict: bool = False


@dataclass(frozen=True, slots=True)
class OutletTable:
    """All known outlets. Look up by host, address or name; nothing here changes after it was built."""

    hosts: Mapping[str, Outlet]
    mains: frozenset[Domain]
    index: names.NameIndex

    def by_host(self, host: str) -> Outlet | None:
        """The outlet with the longest host that `host` ends with, None for an unlisted one."""
        host = host.lower().rstrip(".")
        while host:
            if host in self.hosts:
                return self.hosts[host]
            host = host.partition(".")[2]
        return None

    def by_domain(self, domain: Domain) -> Outlet:
        """The outlet of a domain; one named by the domain itself when it is not listed."""
        return self.by_host(domain) or unlisted(domain) or Outlet(domain, domain)

    def by_url(self, url: str) -> Outlet | None:
        """The outlet an address belongs to: listed, else its registrable domain; None without a host."""
        host, section = _place(url)
        if not host:
            return None
        if section and f"{host.removeprefix('www.')}/{section}" in self.hosts:
            return self.hosts[f"{host.removeprefix('www.')}/{section}"]
        return self.by_host(host) or unlisted(host)

    def by_name(self, name: str, language: str | None = None, country: str | None = None) -> Outlet | None:
        """The outlet a name means, in any of its scripts and cases; None when unknown or undecided.

        `language` and `country` are those of the text it stands in, and decide between outlets of one name.
        """
        listed = self.hosts.get(name.strip().lower())
        if listed is not None:
            return listed
        cut = names.words(name)
        for found in self.index.find(name, cut, language):
            if found.first == 0 and found.last == len(cut):
                domain = self._decide(found.name.owners, language, country)
                return self.hosts[domain] if domain else None
        return None

    def same_publisher(self, one: NameHit, other: NameHit) -> bool:
        """Whether two names in a text mean services of one publisher."""
        if one.domain is None or other.domain is None:
            return False
        return self.by_domain(one.domain).publisher == self.by_domain(other.domain).publisher

    def names_in(self, text: str, language: str | None = None, country: str | None = None) -> tuple[NameHit, ...]:
        """Find outlets' names and hosts in a text, in order, none overlapping."""
        return self.names_among(text, names.words(text), language, country)

    def names_among(
        self, text: str, cut: tuple[names.Word, ...], language: str | None, country: str | None
    ) -> tuple[NameHit, ...]:
        """The same for a text that is already cut into words."""
        hits = list(self._hosts_in(text))
        taken = [(hit.start, hit.end) for hit in hits]
        for found in self.index.find(text, cut, language):
            if any(start < found.end and found.start < end for start, end in taken):
                continue
            domain = self._decide(found.name.owners, language, country)
            strict = found.name.strict or domain is None
            hits.append(NameHit(found.start, found.end, text[found.start : found.end], domain, strict))
        return tuple(sorted(hits, key=lambda hit: hit.start))

    def _hosts_in(self, text: str) -> Iterable[NameHit]:
        """Hosts written out ("klix.ba"); unlisted ones only when their suffix is a real one."""
        for found in _HOST_IN_TEXT.finditer(text):
            host = found.group().lower().removeprefix("www.")
            outlet = self.by_host(host)
            if outlet is None and links.has_public_suffix(host):
                outlet = unlisted(host)
                if outlet is not None:
                    yield NameHit(found.start(), found.end(), found.group(), outlet.domain, strict=True)
            elif outlet is not None and outlet.kind not in _NOT_CREDITED:
                yield NameHit(found.start(), found.end(), found.group(), outlet.domain)

    def _decide(self, owners: tuple[str, ...], language: str | None, country: str | None) -> Domain | None:
        """Choose between outlets of one name: the text's country, then its language, then the group's main outlet."""
        rows = [self.hosts[owner] for owner in owners]
        if len(rows) == 1:
            return rows[0].domain
        base = language.split("-")[0] if language else None
        for keep in (
            [row for row in rows if country and row.country == country and row.language in (base, None)],
            [row for row in rows if country and row.country == country],
            [row for row in rows if base and row.language == base],
            [row for row in rows if row.domain in self.mains],
        ):
            if len(keep) == 1:
                return keep[0].domain
        return None


@lru_cache(maxsize=4096)
def _place(url: str) -> tuple[str, str]:
    """The host of an address and the first part of its path; twice nothing for what is no address.

    Remembered: the address of a feed is asked about at each of its polls.
    """
    if plain := _PLAIN.match(url):
        return plain[1], (plain[2] or "").lower()
    if "//" not in url and not _HOST.fullmatch(url.partition("/")[0]):
        return "", ""
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
        host = (parts.hostname or "").lower().rstrip(".")
    except ValueError:
        return "", ""
    return (host, parts.path.strip("/").partition("/")[0].lower()) if _HOST.fullmatch(host) else ("", "")


@lru_cache(maxsize=4096)
def unlisted(host: str) -> Outlet | None:
    """An outlet nobody listed: its registrable domain; the last two labels where the suffix is unknown."""
    host = host.lower().strip(".")
    if not host:
        return None
    domain = links.registrable(host) or host
    return Outlet(Domain(domain), domain, _country_of(domain))


def _country_of(domain: str) -> str | None:
    """The country whose suffix a domain has, unless that suffix is sold to everybody for its meaning."""
    suffix = domain.rpartition(".")[2]
    if len(suffix) != 2 or not suffix.isalpha() or suffix in _SOLD:
        return None
    return _OTHER_CODES.get(suffix, suffix.upper())


Row = Mapping[str, Any]


def from_raw(raw: Mapping[str, Any], extra: Mapping[str, Row] | None = None) -> OutletTable:
    """Build the table from the compiled lexicon folder and the configuration's `outlets`.

    `extra` is by domain and may change or add rows; its `aliases` are names, or further hosts when they hold a dot
    and no space. Errors: LexiconError naming the row for an unknown field, kind or country code.
    """
    data = raw[FILE]
    rows: dict[str, dict[str, Any]] = {domain: dict(row) for domain, row in data["outlets"].items()}
    for domain, row in (extra or {}).items():
        rows[domain.lower()] = _merged(rows.get(domain.lower(), {}), row)
    hosts: dict[str, Outlet] = {}
    owners: dict[tuple[str, ...], _Owned] = {}
    for domain, row in rows.items():
        outlet = _outlet(domain, row)
        hosts[domain] = outlet
        for name, strict in _names(outlet, row):
            if _is_host(name):
                hosts.setdefault(name.lower().removeprefix("www."), outlet)
            elif outlet.kind not in _NOT_CREDITED:
                _own(owners, name, outlet, strict)
    for domain, row in (extra or {}).items():
        for alias in row.get("aliases") or ():
            if _is_host(alias):
                hosts[alias.lower().removeprefix("www.")] = hosts[domain.lower()]
    mains = frozenset(Domain(domain) for domain, row in rows.items() if row.get("main"))
    listed = (owned.name(parts) for parts, owned in owners.items())
    return OutletTable(hosts, mains, names.index(listed, data.get("endings", {})))


@dataclass(slots=True)
class _Owned:
    """A name while the table is being built."""

    owners: list[str]
    spelled: set[str]
    strict: bool
    languages: set[str]

    def name(self, parts: tuple[str, ...]) -> names.Name:
        return names.Name(parts, tuple(self.owners), frozenset(self.spelled), self.strict, frozenset(self.languages))


def _own(owners: dict[tuple[str, ...], _Owned], name: str, outlet: Outlet, strict: bool) -> None:
    parts = names.split_name(name)
    if not parts:
        return
    owned = owners.setdefault(parts, _Owned([], set(), strict, set()))
    owned.spelled.add(name)
    owned.languages.update((outlet.language,) if outlet.language else ())
    owned.strict = owned.strict or strict
    if outlet.domain not in owned.owners:
        owned.owners.append(outlet.domain)


def _names(outlet: Outlet, row: Row) -> Iterable[tuple[str, bool]]:
    """All ways to write an outlet, and whether that way is a common word: "Danas" is, "list Danas" is not."""
    common = row.get("common") is True
    strict = {names.split_name(name) for name in row.get("strict") or ()}
    for name in (outlet.name, *(row.get("aliases") or ())):
        is_word = common and (name == outlet.name or " " not in name)
        yield name, is_word or names.split_name(name) in strict
        if name.startswith("The ") and name.count(" ") > 1:
            yield name.removeprefix("The "), is_word or names.split_name(name) in strict
    for name in row.get("strict") or ():
        yield name, True


def _is_host(alias: str) -> bool:
    return "." in alias.strip(".") and " " not in alias


def _merged(row: dict[str, Any], extra: Row) -> dict[str, Any]:
    given = {key: value for key, value in extra.items() if value is not None}
    aliases = [*(row.get("aliases") or ()), *(given.get("aliases") or ())]
    if "name" in row and "name" in given and row["name"] != given["name"]:
        aliases.append(row["name"])
    return {**row, **given, "aliases": aliases}


def _outlet(domain: str, row: Row) -> Outlet:
    unknown = sorted(set(row) - _FIELDS)
    if unknown:
        raise LexiconError(FILE, domain, f"unknown field {unknown[0]!r}")
    kind, country = row.get("kind"), row.get("country")
    if kind is not None and kind not in KINDS:
        raise LexiconError(FILE, domain, f"unknown kind {kind!r}; one of {', '.join(sorted(KINDS))}")
    if country is not None and not (isinstance(country, str) and len(country) == 2 and country.isupper()):
        raise LexiconError(FILE, domain, f"country {country!r} is no code of two capitals")
    outlet = Outlet(Domain(domain), str(row.get("name") or domain), country, kind, row.get("language"))
    return replace(outlet, group=row["group"]) if row.get("group") else outlet
