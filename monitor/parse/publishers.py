"""Who published an entry: not the host that served it and not the feed that brought it.

Order: what the entry itself says, the host of its unwrapped address, the feed's configured outlet, the channel's own
page. Aggregators and proxies are never outlets: they become `via`. The table of outlets is a value from above
(`HostTable`); without one, hosts fold to their registrable domains. Called by `monitor.parse.feed`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

from monitor.parse import links
from monitor.values import Domain

AGGREGATORS = frozenset({
    "news.google.com", "bing.com/news", "bing.com", "msn.com", "news.yahoo.com", "yahoo.com", "naslovi.net",
    "vesti.rs", "allafrica.com", "feedproxy.google.com", "feeds.feedburner.com", "feeds2.feedburner.com",
    "feedburner.com", "feeds.feedblitz.com", "feedblitz.com", "feedsportal.com", "rss.feedsportal.com", "morss.it",
    "fulltextrssfeed.com", "fivefilters.org", "ftr.fivefilters.org", "rss.app", "rssbox.herokuapp.com", "rsshub.app",
    "rss-bridge.org", "politepol.com", "fetchrss.com", "openrss.org", "kill-the-newsletter.com", "flipboard.com",
    "newsbreak.com", "smartnews.com", "feedly.com", "inoreader.com", "newsnow.co.uk", "ground.news",
    "gdeltproject.org", "news.google.rs", "dailyhunt.in", "headtopics.com", "pocket.co", "getpocket.com", "t.co",
    "bit.ly", "translate.goog",
})  # fmt: skip
"""Hosts, or hosts and first path segments, that show other people's texts."""

_VIA = re.compile(r"\s*\((?:via|preko|преко)\s[^()]*\)\s*$", re.IGNORECASE)
_NASLOVI = re.compile(r"/\d{4}-\d{2}-\d{2}/([^/]+)/")
_NASLOVI_PUBLISHERS = {
    "b92": "b92.net", "blic": "blic.rs", "n1-info": "n1info.rs", "n1": "n1info.rs", "nova-rs": "nova.rs",
    "nova": "nova.rs", "rts": "rts.rs", "rtv": "rtv.rs", "politika": "politika.rs", "vecernje-novosti": "novosti.rs",
    "novosti": "novosti.rs", "danas": "danas.rs", "kurir": "kurir.rs", "telegraf": "telegraf.rs", "mondo": "mondo.rs",
    "alo": "alo.rs", "espreso": "espreso.co.rs", "informer": "informer.rs", "insajder": "insajder.net",
    "beta": "beta.rs", "tanjug": "tanjug.rs", "vreme": "vreme.com", "nin": "nin.rs", "radar": "radar.rs",
    "euronews": "euronews.rs", "radio-slobodna-evropa": "slobodnaevropa.org", "bbc": "bbc.com",
    "deutsche-welle": "dw.com", "dw": "dw.com", "sputnik": "sputnikportal.rs", "fonet": "fonet.rs",
    "srbija-danas": "sd.rs", "pink": "pink.rs", "republika": "republika.rs", "novi-magazin": "novimagazin.rs",
    "autonomija": "autonomija.info", "juzne-vesti": "juznevesti.com", "021": "021.rs", "kossev": "kossev.info",
    "pescanik": "pescanik.net", "studio-b": "studiob.rs",
}  # fmt: skip
"""naslovi.net names the publisher in the path of a permalink; names of several outlets ("dnevnik") are left out."""


@dataclass(frozen=True, slots=True)
class HostTable:
    """What is known of hosts. All keys are lower case.

    `hosts`: host, or host/segment, to outlet; `names`: an outlet's name or alias, casefolded, to outlet (only names
    that mean one outlet); `aggregators` add to `AGGREGATORS`.
    """

    hosts: Mapping[str, Domain] = field(default_factory=dict)
    names: Mapping[str, Domain] = field(default_factory=dict)
    aggregators: frozenset[str] = frozenset()

    def outlet(self, url: str) -> Domain | None:
        """The outlet of an address: the longest known host (with path), else the registrable domain."""
        host = links.host_of(url)
        if host is None:
            return None
        for place in _places(host, url):
            if place in self.hosts:
                return self.hosts[place]
        domain = links.registrable(links.newsroom(host))
        return Domain(domain) if domain else None

    def named(self, name: str | None) -> Domain | None:
        """The outlet of a name, only if the name is listed; "Glasnik (via Zbirka)" is Glasnik."""
        return self.names.get(" ".join(_VIA.sub("", name or "").casefold().split()))

    def aggregator(self, url: str) -> Domain | None:
        """The aggregator or proxy an address belongs to, None for a publisher's own page."""
        host = links.host_of(url)
        if host is None:
            return None
        return next(
            (Domain(place) for place in _places(host, url) if place in AGGREGATORS or place in self.aggregators), None
        )


DEFAULT = HostTable()


@dataclass(frozen=True, slots=True)
class Published:
    """The publisher's outlet (None if it cannot be known) and the aggregator the entry came through, if any."""

    outlet: Domain | None
    via: Domain | None = None


def publisher(
    table: HostTable,
    *,
    url: str | None,
    source_name: str | None,
    source_url: str | None,
    feed_url: str,
    feed_outlet: Domain | None,
    channel_url: str | None,
) -> Published:
    """Find who published one entry. Addresses are absolute; `feed_outlet` is the configured one."""
    address = links.unwrapped(url) if url else None
    wrapper = table.aggregator(url) if url else None
    around = wrapper if address == url else table.aggregator(address) if address else None
    own = table.aggregator(feed_url)
    is_page = address is not None and around is None
    via = wrapper if is_page and own is None else wrapper or around or own
    said = _said(table, source_name, source_url, feed_url)
    if said is not None:
        return Published(said, via)
    if address and is_page and (found := table.outlet(address)):
        return Published(found, via)
    if address and (slug := _named_in_path(address)):
        return Published(slug, via)
    if via is not None:
        return Published(None, via)
    return Published(feed_outlet or _of_channel(table, channel_url), via)


def _said(table: HostTable, name: str | None, url: str | None, feed_url: str) -> Domain | None:
    """What the entry says of its source: an address that is no aggregator and not this feed, or a listed name."""
    if url and links.absolute(url, feed_url) and table.aggregator(url) is None and url.startswith("http"):
        return table.outlet(url)
    return table.named(name)


def _named_in_path(url: str) -> Domain | None:
    if links.host_of(url) not in ("naslovi.net", "www.naslovi.net"):
        return None
    found = _NASLOVI.match(urlsplit(url).path)
    domain = _NASLOVI_PUBLISHERS.get(found.group(1)) if found else None
    return Domain(domain) if domain else None


def _of_channel(table: HostTable, url: str | None) -> Domain | None:
    return table.outlet(url) if url and table.aggregator(url) is None else None


def _places(host: str, url: str) -> tuple[str, ...]:
    """A host, longest first, each with the first path segment before it without: a.b.c/x, a.b.c, b.c/x, b.c."""
    return _places_of(host, "".join(urlsplit(url).path.split("/")[1:2]).lower())


@lru_cache(maxsize=1024)
def _places_of(host: str, segment: str) -> tuple[str, ...]:
    labels = host.split(".")
    places = []
    for start in range(len(labels) - 1):
        suffix = ".".join(labels[start:])
        if segment:
            places.append(f"{suffix}/{segment}")
        places.append(suffix)
    return tuple(places)
