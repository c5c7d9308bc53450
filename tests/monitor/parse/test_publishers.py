"""Publishers: whose an entry is, whatever host served it and whatever feed brought it."""

from __future__ import annotations

import json

import pytest

from monitor.parse import feed, publishers
from monitor.values import Domain
from tests.monitor.parse.building import NOW, atom, item, only, rss

GOOGLE = "https://news.google.com/rss/search?q=x"
TABLE = publishers.HostTable(
    hosts={
        "balkan.vesti.example": Domain("balkan.vesti.example"),
        "vesti.example": Domain("vesti.example"),
        "vlada.rks-gov.net": Domain("vlada.rks-gov.net"),
        "portal.example/oglasi": Domain("portal.example/oglasi"),
    },
    names={"novi glasnik": Domain("novi-glasnik.example")},
    aggregators=frozenset({"zbirka.example"}),
)

HOSTS = {
    "https://www.vesti.example/1": "vesti.example",
    "https://balkan.vesti.example/1": "balkan.vesti.example",
    "https://sport.balkan.vesti.example/1": "balkan.vesti.example",
    "https://vlada.rks-gov.net/1": "vlada.rks-gov.net",
    "https://portal.example/oglasi/7": "portal.example/oglasi",
    "https://portal.example/vesti/7": "portal.example",
    "https://m.nepoznat.co.rs/1": "nepoznat.co.rs",
    "https://blog.github.io/1": "blog.github.io",
    "https://www.bbc.co.uk/news/1": "bbc.com",
    "https://ba.n1info.com/1": "n1info.ba",
    "https://rs.n1info.com/1": "n1info.rs",
    "https://news.liga.example/1": "liga.example",
}


@pytest.mark.parametrize(("url", "outlet"), HOSTS.items(), ids=HOSTS)
def test_a_host_belongs_to_the_longest_known_one(url: str, outlet: str) -> None:
    assert TABLE.outlet(url) == outlet


def _google(title: str, source: str) -> str:
    return rss(item(title=title, link="https://news.google.com/rss/articles/CBMiX1?oc=5", more=source))


NEWS = '<source url="https://www.vesti.example">Vesti</source>'

GOOGLE_TITLES = {
    "the outlet behind the title is removed": ("Vlada ćuti - Vesti", "Vlada ćuti"),
    "an inner dash stays": ("Vlada ćuti - opozicija pita - Vesti", "Vlada ćuti - opozicija pita"),
    "another name stays": ("Vlada ćuti - Drugi", "Vlada ćuti - Drugi"),
}


@pytest.mark.parametrize(("written", "title"), GOOGLE_TITLES.values(), ids=GOOGLE_TITLES)
def test_google_news_names_the_publisher(written: str, title: str) -> None:
    entry = only(_google(written, NEWS), url=GOOGLE)
    assert (entry.outlet, entry.via, entry.title) == ("vesti.example", "news.google.com", title)


def test_a_title_of_the_publishers_own_feed_is_not_cut() -> None:
    assert only(rss(item(title="Vlada ćuti - Vesti", more=NEWS))).title == "Vlada ćuti - Vesti"


def test_an_aggregators_entry_without_a_named_publisher_has_none() -> None:
    entry = only(rss(item(link="https://naslovi.net/rd/3980")), url="https://naslovi.net/rss")
    assert (entry.outlet, entry.via) == (None, "naslovi.net")


NASLOVI = {
    "a publisher in the path": ("https://naslovi.net/2025-06-05/politika/vlada-cuti/3980", "politika.rs"),
    "a name of several publishers": ("https://naslovi.net/2025-06-05/dnevnik/vlada-cuti/3980", None),
}


@pytest.mark.parametrize(("url", "outlet"), NASLOVI.values(), ids=NASLOVI)
def test_naslovi_names_publishers_in_permalinks(url: str, outlet: str | None) -> None:
    assert only(rss(item(link=url)), url="https://naslovi.net/rss").outlet == outlet


def test_an_aggregators_link_to_the_publisher_is_the_publishers() -> None:
    entry = only(rss(item(link="https://www.vesti.example/1")), url="https://vesti.rs/rss")
    assert (entry.outlet, entry.via) == ("vesti.example", "vesti.rs")


def test_a_configured_aggregator_is_none_either() -> None:
    body = rss(item(link="https://zbirka.example/9")).encode()
    (entry,) = feed.parse(body, "https://zbirka.example/rss", {}, NOW, table=TABLE).entries
    assert (entry.outlet, entry.via) == (None, "zbirka.example")


def test_a_listed_name_counts_and_an_unlisted_one_does_not() -> None:
    for name, outlet in (("Novi Glasnik", "novi-glasnik.example"), ("Foto agencija", None)):
        body = rss(item(link="https://naslovi.net/rd/1", more=f"<source>{name}</source>")).encode()
        (entry,) = feed.parse(body, "https://naslovi.net/rss", {}, NOW, table=TABLE).entries
        assert entry.outlet == outlet


def test_an_atom_source_names_the_publisher() -> None:
    source = (
        "<source><id>https://vesti.example/atom</id><title>Vesti</title><link href='https://vesti.example/'/></source>"
    )
    entry = only(atom(f"<entry><id>1</id><title>T</title><link href='https://planeta.example/1'/>{source}</entry>"))
    assert entry.outlet == "vesti.example"


def test_a_planet_has_an_outlet_for_each_entry() -> None:
    parsed = feed.parse(
        rss(item(link="https://a.example.rs/1"), item(link="https://b.drugi.rs/1")).encode(),
        "https://planeta.example/rss",
        {},
        NOW,
    )
    assert [entry.outlet for entry in parsed.entries] == ["example.rs", "drugi.rs"]


def test_a_feed_proxy_is_no_outlet() -> None:
    link = "https://feedproxy.google.com/~r/vesti/~3/x/"
    entry = only(rss(item(link=link)), url="https://feeds.feedburner.com/vesti")
    assert (entry.outlet, entry.via) == (None, "feedproxy.google.com")


def test_gdelt_names_an_aggregator_as_via() -> None:
    article = {"url": "https://naslovi.net/rd/1", "title": "T", "domain": "naslovi.net"}
    entry = only(json.dumps({"articles": [article]}))
    assert (entry.outlet, entry.via) == (None, "naslovi.net")
