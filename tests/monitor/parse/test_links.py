"""Addresses: which are one article, which must never become one."""

from __future__ import annotations

import base64

import pytest

from monitor.parse import links

HERE = "https://vesti.example.rs/svet/a-123"
OLD_ID = (
    base64.urlsafe_b64encode(b"\x08\x13\x22" + bytes((len(HERE),)) + HERE.encode() + b"\xd2\x01\x00")
    .decode()
    .rstrip("=")
)
LONG = HERE + "-" + "x" * 120
LONG_ID = base64.urlsafe_b64encode(
    b"\x08\x13\x22" + bytes((len(LONG) & 0x7F | 0x80, len(LONG) >> 7)) + LONG.encode()
).decode()

SAME = {
    "scheme and case of the host": "HTTP://Vesti.Example.RS/svet/a-123",
    "default port": "https://vesti.example.rs:443/svet/a-123",
    "www": "https://www.vesti.example.rs/svet/a-123",
    "a numbered www": "https://www2.vesti.example.rs/svet/a-123",
    "mobile host": "https://m.vesti.example.rs/svet/a-123",
    "trailing dot of the host": "https://vesti.example.rs./svet/a-123",
    "trailing slash": HERE + "/",
    "AMP at the end": HERE + "/amp/",
    "AMP in the middle": "https://vesti.example.rs/amp/svet/a-123",
    "AMP as a suffix": HERE + ".amp",
    "AMP as a parameter": HERE + "?amp",
    "AMP as a page type": HERE + "?outputType=amp",
    "an AMP cache": "https://vesti-example-rs.cdn.ampproject.org/c/s/vesti.example.rs/svet/a-123",
    "Google's AMP view": "https://www.google.com/amp/s/vesti.example.rs/svet/a-123",
    "campaign parameters": HERE + "?utm_source=rss&utm_medium=feed&fbclid=1&at_campaign=2&wt_mc=3",
    "where the reader came from": HERE + "?ref=home&source=tw&from=share&partner=rss",
    "fragment": HERE + "#comments",
    "a text fragment": HERE + "#:~:text=vlada",
    "the article's own feed": HERE + "/feed/",
    "an index page": HERE + "/index.php",
    "dot segments and double slashes": "https://vesti.example.rs//svet/./x/../a-123",
    "percent-encoded letters": "https://vesti.example.rs/sv%65t/a%2D123",
    "AMP before the ending": "https://vesti.example.rs/svet/a-123/amp/index.html",
    "a session in the path": HERE + ";jsessionid=AB12",
    "an archive with a dotted stamp": "https://archive.is/2025.06.05-120000/https://vesti.example.rs/svet/a-123",
    "campaign parameters escaped twice": HERE + "?utm_source=rss&amp;utm_medium=feed",
    "a redirect of Google": "https://www.google.com/url?sa=t&url=https%3A%2F%2Fvesti.example.rs%2Fsvet%2Fa-123",
    "a redirect of Facebook": "https://l.facebook.com/l.php?u=https%3A%2F%2Fvesti.example.rs%2Fsvet%2Fa-123&h=AT",
    "a translation by Google": "https://translate.google.com/translate?sl=sr&u=https://vesti.example.rs/svet/a-123",
    "the translation proxy": "https://vesti-example-rs.translate.goog/svet/a-123?_x_tr_sl=sr&_x_tr_tl=en",
    "Bing News": "http://www.bing.com/news/apiclick.aspx?ref=FexRss&url=https%3a%2f%2fvesti.example.rs%2fsvet%2fa-123",
    "the web archive": "https://web.archive.org/web/20250605120000/https://vesti.example.rs/svet/a-123",
    "the web archive with one slash": "https://web.archive.org/web/2025id_/https:/vesti.example.rs/svet/a-123",
    "another archive": "https://archive.ph/2025/https://vesti.example.rs/svet/a-123",
    "an old Google News id": f"https://news.google.com/rss/articles/{OLD_ID}?oc=5",
    "wrapped twice": "https://www.google.com/url?q=https%3A%2F%2Fweb.archive.org%2Fweb%2F2025%2F"
    + HERE.replace("/", "%2F"),
}


@pytest.mark.parametrize("other", SAME.values(), ids=SAME)
def test_one_article(other: str) -> None:
    assert links.canonical(other).key == "vesti.example.rs/svet/a-123"


APART = {
    "another id": (HERE, HERE + "4"),
    "another path": (HERE, "https://vesti.example.rs/galerija/a-123"),
    "case of the path": (HERE, "https://vesti.example.rs/Svet/A-123"),
    "WordPress ids": ("https://a.example.rs/?p=1", "https://a.example.rs/?p=2"),
    "ids in scripts": ("https://a.example.rs/view.php?nav_id=5&dd=1", "https://a.example.rs/view.php?nav_id=6&dd=1"),
    "a script whose only parameter has a tracker's name": (
        "https://a.example.rs/view.php?source=10231",
        "https://a.example.rs/view.php?source=10232",
    ),
    "pages of a list": ("https://a.example.rs/list?page=2", "https://a.example.rs/list?page=3"),
    "language editions on subdomains": ("https://www.vest.example/2025/x", "https://fr.vest.example/2025/x"),
    "language editions in the path": ("https://vest.example/a/1", "https://vest.example/en/a/1"),
    "sister outlets": ("https://ba.n1info.com/vijesti/x/", "https://n1info.rs/vijesti/x/"),
    "endings of a name": ("https://dnevnik.rs/x", "https://dnevnik.hr/x"),
    "homoglyph hosts": ("https://рс.example.срб/", "https://rs.example.срб/"),
    "owners under a private suffix": ("https://foo.github.io/a", "https://bar.github.io/a"),
    "a mirror's label that is the domain itself": ("https://m.rs/a", "https://amp.rs/a"),
    "new Google News ids": (
        "https://news.google.com/rss/articles/CBMiA1?oc=5",
        "https://news.google.com/rss/articles/CBMiA2?oc=5",
    ),
    "other ports": ("https://a.example.rs:8080/x", "https://a.example.rs/x"),
    "politika's two articles": ("https://www.politika.rs/sr/clanak/1/x", "https://www.politika.rs/scc/clanak/2/x"),
}


@pytest.mark.parametrize(("one", "other"), APART.values(), ids=APART)
def test_different_articles(one: str, other: str) -> None:
    assert links.canonical(one).key != links.canonical(other).key


SITES = {
    "one newsroom on two domains": ("https://www.bbc.co.uk/news/1-2", "https://www.bbc.com/news/1-2"),
    "a newsroom that moved": ("https://rs.n1info.com/vesti/x/", "https://n1info.rs/vesti/x/"),
    "Blogger in two countries": ("https://pisac.blogspot.rs/2025/1.html", "https://pisac.blogspot.com/2025/1.html"),
    "BBC in two scripts": ("https://www.bbc.com/serbian/lat/svet-1", "https://www.bbc.com/serbian/cyr/svet-1"),
    "BBC in two scripts, newer form": (
        "https://www.bbc.com/serbian/articles/c1x2y3z/lat",
        "https://www.bbc.com/serbian/articles/c1x2y3z/cyr",
    ),
    "Politika in two scripts": ("https://www.politika.rs/sr/clanak/60/x", "https://www.politika.rs/scc/clanak/60/y"),
    "RTS in two scripts": ("https://www.rts.rs/lat/vesti/1/x.html", "https://www.rts.rs/vesti/1/x.html"),
    "RFE/RL by number": ("https://www.rferl.org/a/some-slug/33439944.html", "https://www.rferl.org/amp/33439944.html"),
    "Slobodna Evropa by number": (
        "https://www.slobodnaevropa.org/a/x/33439944.html",
        "https://www.slobodnaevropa.org/a/33439944.html?ltflags=mailer&utm_x=1",
    ),
    "AP by its hash": (
        "https://apnews.com/article/a-slug-3cc842471fb9df42315d658d88c8403b",
        "https://apnews.com/3cc842471fb9df42315d658d88c8403b",
    ),
    "naslovi.net by number": ("https://naslovi.net/rd/3980", "https://naslovi.net/2025-06-05/politika/slug-vesti/3980"),
    "NPR as text": ("https://text.npr.org/nx-s1-5400001", "https://www.npr.org/2025/06/05/nx-s1-5400001/a-title"),
    "Reuters in two sections": (
        "https://www.reuters.com/world/europe/a-long-slug-of-news-2025-06-05/",
        "https://www.reuters.com/world/a-long-slug-of-news-2025-06-05/",
    ),
    "Google News in two views": (
        "https://news.google.com/rss/articles/CBMiOpaque?oc=5&hl=en-US",
        "https://news.google.com/articles/CBMiOpaque",
    ),
}


@pytest.mark.parametrize(("one", "other"), SITES.values(), ids=SITES)
def test_a_site_rule_joins(one: str, other: str) -> None:
    assert links.canonical(one).key == links.canonical(other).key


def test_a_cyrillic_host_and_path_equal_their_encoded_form() -> None:
    encoded = "https://xn--b1agj9af.xn--90a3ac/%d0%b0"
    assert links.canonical("https://вести.срб/а").key == links.canonical(encoded).key


def test_the_length_in_a_google_news_id_may_take_two_bytes() -> None:
    assert links.unwrapped(f"https://news.google.com/articles/{LONG_ID}") == LONG


NO_KEY = (
    "",
    "urn:1",
    "javascript:alert(1)",
    "mailto:a@b.rs",
    "http://",
    "http://[::1",
    "https:///x",
    "ftp://a.rs/x",
    "http://a:99999/",
)


@pytest.mark.parametrize("url", NO_KEY)
def test_what_is_no_web_address_has_no_key(url: str) -> None:
    assert links.canonical(url).key is None


REGISTRABLE = {
    "www.glasnik.co.rs": "glasnik.co.rs",
    "vlada.gov.mk": "vlada.gov.mk",
    "a.b.edu.al": "b.edu.al",
    "foo.github.io": "foo.github.io",
    "вести.срб": "xn--b1agj9af.xn--90a3ac",
    "www.вести.co.rs": "xn--b1agj9af.co.rs",
    "вести.個人.hk": "xn--b1agj9af.xn--gmqw5a.hk",
    "a.вести.city.kobe.jp": "city.kobe.jp",
    "www.вести.unlisted": "xn--b1agj9af.unlisted",
    "個人.hk": None,
    "127.0.0.1": None,
    "localhost": None,
    "co.rs": None,
}


@pytest.mark.parametrize(("host", "domain"), REGISTRABLE.items(), ids=REGISTRABLE)
def test_the_registrable_domain_is(host: str, domain: str | None) -> None:
    assert links.registrable(host) == domain
