"""Which documents are feeds, how many entries they have, and with which word the others are refused."""

from __future__ import annotations

import gzip
import json

import pytest

from monitor.errors import ParseError
from tests.monitor.parse.building import atom, item, read, reason, rss

TWO = (
    item(link="https://glasnik.example.rs/1"),
    item(title="Skupština zaseda u sredu", link="https://glasnik.example.rs/2"),
)
RDF = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" {default}>'
    "<channel><title>Glasnik</title></channel>"
    '<item rdf:about="urn:a"><title>Prva vest</title><link>https://glasnik.example.rs/1</link></item>'
    '<item rdf:about="urn:b"><title>Druga vest</title><link>https://glasnik.example.rs/2</link></item></rdf:RDF>'
)
ENTRY = '<entry><id>tag:{n}</id><title>Vest {n}</title><link href="https://glasnik.example.rs/{n}"/></entry>'

FEEDS = {
    "RSS 0.91 without anything but titles and links": '<rss version="0.91"><channel><title>G</title>'
    + "".join(TWO)
    + "</channel></rss>",
    "RSS 2.0": rss(*TWO),
    "RSS with items outside the channel": '<rss version="2.0"><channel><title>G</title></channel>'
    + "".join(TWO)
    + "</rss>",
    "RSS in capital letters": rss(*TWO)
    .replace("item>", "ITEM>")
    .replace("title>", "TITLE>")
    .replace("<rss", "<RSS")
    .replace("</rss", "</RSS"),
    "RSS 1.0": RDF.format(default='xmlns="http://purl.org/rss/1.0/"'),
    "RDF without a default namespace": RDF.format(default=""),
    "Atom 1.0": atom(ENTRY.format(n=1), ENTRY.format(n=2)),
    "Atom 0.3": '<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>G</title>'
    '<entry><id>1</id><title>Vest</title><link rel="alternate" type="text/html" href="https://glasnik.example.rs/1"/></entry>'
    '<entry><id>2</id><title>Vest</title><link rel="alternate" type="text/html" href="https://glasnik.example.rs/2"/></entry></feed>',
    "Atom with a prefix": '<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:title>G</a:title>'
    "<a:entry><a:id>1</a:id><a:title>Vest</a:title></a:entry><a:entry><a:id>2</a:id><a:title>Vest</a:title></a:entry></a:feed>",
    "RSS with an undeclared prefix": rss(item(more="<dc:creator>Ana</dc:creator>"), TWO[1]),
    "a PHP warning before the declaration": "<br />\n<b>Warning</b>: Undefined index in /srv/feed.php on line 3<br />\n"
    + rss(*TWO),
    "blank lines before the declaration": "\n\n  " + rss(*TWO),
    "two byte-order marks": "\ufeff\ufeff" + rss(*TWO),
    "junk after the root": rss(*TWO) + "\n<!-- cached --><script>track()</script>",
    "bare ampersands and HTML entities": rss(item(title="Tom & Jerry &nbsp;&cacute;"), TWO[1]),
    "control characters in a title": rss(item(title="Vest\x0bdana"), TWO[1]),
    "an illegal character reference": rss(item(title="Vest &#11; dana &#0;"), TWO[1]),
    "a lone less-than sign in a title": rss(item(title="Inflacija < 3 odsto"), TWO[1]),
    "broken declaration and unbound prefixes": "<?xml version=1.0 encoding=utf-8?>"
    + rss(item(more="<x:y>1</x:y>"), TWO[1], head=""),
    "mismatched markup in a description": rss(item(more="<description><p>Tekst <b>vesti</p></description>"), TWO[1]),
    "an image whose width is no number": rss(*TWO, channel="<title>G</title><image><width><b>x</b></width></image>"),
    "a forgotten end tag of an item": rss(TWO[0].removesuffix("</item>"), TWO[1]),
    "a plain entity of the DOCTYPE": '<!DOCTYPE rss [<!ENTITY gl "Glasnik">]>'
    + rss(item(title="&gl; javlja"), TWO[1], head=""),
    "items without a root": "".join(TWO),
    "a JSON feed": json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": "G",
            "items": [{"id": 1, "url": "https://a.example/1"}, {}],
        }
    ),
}


@pytest.mark.parametrize("document", FEEDS.values(), ids=FEEDS)
def test_every_kind_gives_all_its_entries(document: str) -> None:
    assert len(read(document).entries) == 2


RECOVERED = [
    name
    for name in FEEDS
    if name.startswith(("a PHP", "blank", "two byte", "junk", "bare", "control", "an illegal", "broken"))
]


@pytest.mark.parametrize("name", RECOVERED)
def test_a_repair_is_said(name: str) -> None:
    assert read(FEEDS[name]).recovered


def test_a_good_document_is_not_called_recovered() -> None:
    assert not read(rss(*TWO)).recovered


def test_gzip_without_a_header_is_read() -> None:
    assert len(read(gzip.compress(rss(*TWO).encode())).entries) == 2


NEWS_SITEMAP = """<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
 xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"><url><loc>https://glasnik.example.rs/7</loc><news:news>
 <news:publication><news:name>Glasnik</news:name><news:language>sr</news:language></news:publication>
 <news:publication_date>2025-06-05T14:02:00+02:00</news:publication_date>
 <news:title>Vest &amp; dan</news:title></news:news></url></urlset>"""


def test_a_news_sitemap_is_a_feed() -> None:
    parsed = read(NEWS_SITEMAP)
    (entry,) = parsed.entries
    assert parsed.kind == "sitemap"
    assert (entry.title, entry.url, str(entry.published)) == (
        "Vest & dan",
        "https://glasnik.example.rs/7",
        "2025-06-05 12:02:00+00:00",
    )


def test_gdelt_articles_are_entries_of_their_domains() -> None:
    article = {
        "url": "https://www.kurir-istoka.example/a",
        "title": "Vest",
        "seendate": "20250605T121500Z",
        "domain": "kurir-istoka.example",
    }
    (entry,) = read(json.dumps({"articles": [article]}), {"content-type": "application/json"}).entries
    assert entry.outlet == "kurir-istoka.example"
    assert str(entry.published) == "2025-06-05 12:15:00+00:00"


def test_json_feed_prefers_its_own_address_and_first_date() -> None:
    one = {
        "id": 17,
        "url": "https://a.example/1",
        "external_url": "https://b.example/1",
        "title": "T",
        "content_html": "<p>Jedan</p><p>Dva</p>",
        "date_published": "2025-06-05T10:00:00Z",
        "date_modified": "2025-06-06T10:00:00Z",
        "authors": [{"name": "Ana"}],
    }
    (entry,) = read(json.dumps({"version": "https://jsonfeed.org/version/1", "title": "G", "items": [one]})).entries
    assert (entry.id, entry.url, entry.summary, entry.author) == ("17", "https://a.example/1", "Jedan\n\nDva", "Ana")
    assert str(entry.published) == "2025-06-05 10:00:00+00:00"


HTML = """<!DOCTYPE html><html><head><title>Glasnik - naslovna</title>
<link rel="alternate" type="application/rss+xml" href="/rss">
<link rel='alternate' type='application/atom+xml' href='https://glasnik.example.rs/atom'></head>
<body><p>Dobro došli</p></body></html>"""

REFUSED = {
    "nothing at all": (b"", {}, "empty_body"),
    "blanks only": (b" \n\t", {}, "empty_body"),
    "a comment only": (b"<!-- nothing here -->", {}, "not_a_feed"),
    "another XML document": (b"<note><to>Ana</to></note>", {}, "not_a_feed"),
    "plain text": (b"Service unavailable", {}, "not_a_feed"),
    "a JSON error with status 200": (b'{"error": "rate limit"}', {}, "not_a_feed"),
    "broken JSON": (b'{"items": [', {}, "not_a_feed"),
    "a web page": (HTML.encode(), {}, "html"),
    "a fragment of a web page": (b"<div>Greska</div>", {"content-type": "text/html"}, "html"),
    "a challenge by header": (b"<html><title>x</title></html>", {"cf-mitigated": "challenge"}, "blocked"),
    "a challenge by its title": (
        b"<html><head><title>Just a moment...</title></head><body></body></html>",
        {},
        "blocked",
    ),
    "a challenge by its script": (
        b"<html><script src=/cdn-cgi/challenge-platform/h/b.js></script></html>",
        {},
        "blocked",
    ),
    "an RSS shell around an error": (b"<rss version='2.0'><channel></channel></rss>", {}, "empty_shell"),
    "an Atom shell": (b"<feed xmlns='http://www.w3.org/2005/Atom'/>", {}, "empty_shell"),
    "a sitemap of pages": (b"<urlset><url><loc>https://a.example/</loc></url></urlset>", {}, "not_a_feed"),
    "an index of sitemaps": (
        b"<sitemapindex><sitemap><loc>https://a.example/n.xml</loc></sitemap></sitemapindex>",
        {},
        "sitemap_index",
    ),
    "a redirect document": (b"<redirect><newLocation>https://b.example/rss</newLocation></redirect>", {}, "moved"),
    "broken gzip": (b"\x1f\x8b\x08\x00garbage", {}, "undecodable"),
    "a gzip bomb": (gzip.compress(b"<rss>" + b" " * 4_000_000), {}, "bomb"),
    "more than ten mebibytes": (b"<rss>" + b"x" * (10 * 1024 * 1024), {}, "too_large"),
}


@pytest.mark.parametrize(("body", "headers", "word"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_feed_is_refused_with_its_word(body: bytes, headers: dict[str, str], word: str) -> None:
    assert reason(body, headers) == word


FOUND = {
    "a web page offers its feeds, resolved": (
        HTML,
        ("https://glasnik.example.rs/rss", "https://glasnik.example.rs/atom"),
    ),
    "a redirect document offers the new address": (
        "<redirect><newLocation><![CDATA[https://b.example/rss]]></newLocation></redirect>",
        ("https://b.example/rss",),
    ),
    "a sitemap index offers its children": (
        "<sitemapindex><sitemap><loc>https://a.example/n.xml</loc></sitemap></sitemapindex>",
        ("https://a.example/n.xml",),
    ),
}


@pytest.mark.parametrize(("document", "offered"), FOUND.values(), ids=FOUND)
def test_a_refusal_says_where_to_go_on(document: str, offered: tuple[str, ...]) -> None:
    with pytest.raises(ParseError) as caught:
        read(document)
    assert caught.value.found == offered


def test_a_channel_with_a_title_and_no_item_is_an_empty_feed() -> None:
    parsed = read(rss())
    assert (parsed.entries, parsed.title) == ((), "Glasnik")


def test_only_the_first_two_thousand_entries_are_taken_and_the_rest_is_counted() -> None:
    parsed = read(rss(*(item(link=f"https://glasnik.example.rs/{n}") for n in range(2_003))))
    assert (len(parsed.entries), parsed.left_out) == (2_000, 3)


CUT = rss(*TWO, item(title="Treća vest", link="https://glasnik.example.rs/3", more="<description>Opis</description>"))

CUTS = {
    "in the last link": (CUT[: CUT.rindex("</link>") - 4], 2),
    "in the last title": (CUT[: CUT.rindex("Treća") + 3], 2),
    "in a CDATA title": (rss(*TWO)[: -len("</channel></rss>")] + "<item><title><![CDATA[Treća ve", 2),
    "behind the last item": (CUT[: -len("</channel></rss>")], 3),
    "in the text of an entry whose title and link are whole": (CUT[: CUT.rindex("pis<")], 3),
    "in the first item": (rss(*TWO)[:100], 0),
}


@pytest.mark.parametrize(("document", "count"), CUTS.values(), ids=CUTS)
def test_a_cut_document_keeps_its_complete_entries(document: str, count: int) -> None:
    parsed = read(document)
    assert (len(parsed.entries), parsed.truncated, parsed.recovered) == (count, True, True)


def test_what_the_channel_says_of_polling_is_kept() -> None:
    channel = (
        "<title>G</title><ttl>30</ttl><skipHours><hour>1</hour><hour>24</hour></skipHours><skipDays><day>Sunday</day></skipDays>"
        '<sy:updatePeriod xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">hourly</sy:updatePeriod>'
        '<sy:updateFrequency xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">2</sy:updateFrequency>'
    )
    parsed = read(rss(item(), channel=channel))
    assert parsed.ttl is not None
    assert parsed.update_period is not None
    assert (parsed.ttl.total_seconds(), parsed.update_period.total_seconds()) == (1800, 1800)
    assert (parsed.skip_hours, parsed.skip_days) == ({0, 1}, {6})


def test_the_same_body_gives_the_same_result() -> None:
    assert read(rss(*TWO)) == read(rss(*TWO))
    assert read(rss(*TWO)).link is None
