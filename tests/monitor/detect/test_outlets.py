"""Who publishes under a host, and whose name stands in a text."""

from __future__ import annotations

import pytest

from monitor import lexicons
from monitor.detect import outlets
from monitor.errors import LexiconError
from monitor.values import Domain

RAW = lexicons.load("detect/lexicon")
EXTRA = {
    "outlet-a.example": {
        "name": "Outlet A",
        "country": "RS",
        "kind": "portal",
        "aliases": ["Аутлет А", "news-a.example"],
    },
    "reuters.com": {"group": "thomson", "aliases": ["mirror.example"]},
    "bloomberg.com": {"name": "Blumberg"},
}
TABLE = outlets.from_raw(RAW, EXTRA)

ADDRESSES = {
    "a listed host": ("https://www.politika.rs/sr/clanak/1", "politika.rs"),
    "a further host of an outlet": ("https://rs.n1info.com/vesti/x", "n1info.rs"),
    "the longest listed host wins": ("https://news.sky.com/story/x", "news.sky.com"),
    "a host under a suffix that is none": ("https://kryeministri.rks-gov.net/a", "kryeministri.rks-gov.net"),
    "an unlisted ministry there": ("https://mtp.rks-gov.net/a", "rks-gov.net"),
    "a section of a host": ("https://www.bbc.com/serbian/lat/srbija-1", "bbc.com/serbian"),
    "a section that is all of the path": ("https://www.bbc.com/serbian?page=2", "bbc.com/serbian"),
    "a section behind a port, in other letters": ("https://www.bbc.com:443/Serbian/lat", "bbc.com/serbian"),
    "a section behind two strokes": ("https://bbc.com//serbian/lat", "bbc.com/serbian"),
    "a section behind a name": ("https://reader@bbc.com/serbian", "bbc.com/serbian"),
    "another section": ("https://www.bbc.com/news/x", "bbc.com"),
    "an unlisted host is its registrable domain": ("https://www.lokalne-vesti.co.rs/a?b", "lokalne-vesti.co.rs"),
    "a private suffix keeps its owner": ("https://someone.github.io/feed", "someone.github.io"),
    "an unknown suffix": ("https://www.paper.example/a", "paper.example"),
    "a host of the configuration": ("https://www.news-a.example/1", "outlet-a.example"),
    "a host added to a shipped outlet": ("http://mirror.example/a", "reuters.com"),
    "a bare host": ("klix.ba", "klix.ba"),
    "upper case": ("HTTPS://WWW.KLIX.BA/x", "klix.ba"),
    "no address": ("not an address", None),
    "no host": ("mailto:desk@paper.example", None),
    "empty": ("", None),
}


@pytest.mark.parametrize(("url", "want"), ADDRESSES.values(), ids=ADDRESSES.keys())
def test_an_address_belongs_to_an_outlet(url: str, want: str | None) -> None:
    outlet = TABLE.by_url(url)
    assert (outlet.domain if outlet else None) == want


NAMES = {
    "as listed": ("Reuters", "en", None, "reuters.com"),
    "a local spelling": ("Rojters", "sr", None, "reuters.com"),
    "a local spelling, genitive": ("Rojtersa", "sr", None, "reuters.com"),
    "Cyrillic, dative": ("Блумбергу", "sr", None, "bloomberg.com"),
    "Bulgarian letters": ("Блумбърг", "bg", None, "bloomberg.com"),
    "a name the configuration changed": ("Bloomberg", "en", None, "bloomberg.com"),
    "a name in the configuration, other script": ("Outlet A", "sr", None, "outlet-a.example"),
    "a stem that loses its vowel": ("Politike", "sr", None, "politika.rs"),
    "the first word inflected": ("Radija Slobodna Evropa", "sr", None, "slobodnaevropa.org"),
    "both words inflected": ("Slobodne Dalmacije", "hr", None, "slobodnadalmacija.hr"),
    "a shared abbreviation by language": ("RSE", "sr", None, "slobodnaevropa.org"),
    "a shared abbreviation in another language": ("РСЕ", "mk", None, "slobodnaevropa.mk"),
    "sister services by country": ("N1", "bs", "BA", "n1info.ba"),
    "sister services, nothing decides": ("N1", "en", None, "n1info.rs"),
    "one name in two countries": ("RTS", "fr", "CH", "rts.ch"),
    "one name in several countries, undecided": ("La Prensa", None, None, None),
    "one name in several countries, decided": ("La Prensa", "es", "PA", "prensa.com"),
    "a short name only as listed": ("Ap", "en", None, None),
    "no ending in English": ("Reutersa", "en", None, None),
    "a longer word is another word": ("Klixomanija", "bs", None, None),
    "a ministry is no outlet's name": ("White House", "en", None, None),
    "nobody": ("Nobody's Gazette", "en", None, None),
    "empty": ("", "en", None, None),
}


@pytest.mark.parametrize(("name", "language", "country", "want"), NAMES.values(), ids=NAMES.keys())
def test_a_name_means_an_outlet(name: str, language: str | None, country: str | None, want: str | None) -> None:
    outlet = TABLE.by_name(name, language, country)
    assert (outlet.domain if outlet else None) == want


def test_names_in_text_keep_their_places() -> None:
    text = "Kako prenosi Танјуг, a javlja klix.ba, The Wall Street Journal’s story (AP) je tačna."
    hits = TABLE.names_in(text, "sr")
    assert [(text[hit.start : hit.end], hit.domain) for hit in hits] == [
        ("Танјуг", "tanjug.rs"),
        ("klix.ba", "klix.ba"),
        ("The Wall Street Journal", "wsj.com"),
        ("AP", "apnews.com"),
    ]


STRICT = {
    "a common word": ("Danas", "sr", True),
    "a common word with its noun": ("list Danas", "sr", False),
    "an unmistakable name": ("Rojters", "sr", False),
    "undecided between outlets": ("Dnevnik", "en", True),
    "an unlisted host": ("nekisajt.rs", "sr", True),
}


@pytest.mark.parametrize(("name", "language", "strict"), STRICT.values(), ids=STRICT.keys())
def test_a_name_says_whether_it_needs_a_credit(name: str, language: str, strict: bool) -> None:
    (hit,) = TABLE.names_in(f"X {name}", language)
    assert hit.strict is (strict and not name.startswith("list"))


SILENT = {
    "small letters": "politika i vreme, danas",
    "inside a word": "Blicanje",
    "an e-mail address": "pišite na desk@klix.ba",
    "a longer host": "my-klix.ba-like",
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT.keys())
def test_what_is_no_name(text: str) -> None:
    assert TABLE.names_in(text, "sr") == ()


def test_sister_services_are_one_publisher() -> None:
    services = ("rferl.org", "slobodnaevropa.org", "evropaelire.org", "slobodnaevropa.mk")
    found = {TABLE.hosts[service].publisher for service in services}
    assert len(found) == 1


def test_a_group_of_the_configuration_counts() -> None:
    outlet = TABLE.by_host("reuters.com")
    assert outlet is not None
    assert outlet.publisher == "thomson"
    assert outlet.name == "Reuters"


SUFFIXES = {
    "a country's suffix tells the country": ("harbour-post.kz", "KZ"),
    "the kingdom's suffix is not its code": ("harbour-post.co.uk", "GB"),
    "a suffix sold as a word tells nothing": ("harbour-post.tv", None),
    "a common suffix tells nothing": ("harbour-post.com", None),
}


@pytest.mark.parametrize(("domain", "country"), SUFFIXES.values(), ids=SUFFIXES.keys())
def test_an_outlet_nobody_listed_is_at_home_where_its_suffix_says(domain: str, country: str | None) -> None:
    assert TABLE.by_domain(Domain(domain)).country == country


def test_the_catalogue_is_sound() -> None:
    rows = RAW["outlets"]["outlets"]
    assert len(rows) >= 350
    assert all(row.get("kind") in outlets.KINDS for row in rows.values())
    assert all(row.get("country") or row["kind"] in ("portal", "ngo", "government", "wire") for row in rows.values())
    spelled = [alias for row in rows.values() for alias in (row.get("aliases") or [])]
    assert all(alias == alias.strip() and alias for alias in spelled)


BROKEN = {
    "an unknown field": ({"a.example": {"nmae": "A"}}, "unknown field 'nmae'"),
    "an unknown kind": ({"a.example": {"kind": "blog"}}, "unknown kind 'blog'"),
    "a country that is no code": ({"a.example": {"country": "Serbia"}}, "no code"),
    "NO read as false": ({"a.example": {"country": False}}, "no code"),
}


@pytest.mark.parametrize(("extra", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_faulty_row_is_named(extra: dict[str, dict[str, object]], message: str) -> None:
    with pytest.raises(LexiconError, match=message) as caught:
        outlets.from_raw(RAW, extra)
    assert caught.value.row == "a.example"
