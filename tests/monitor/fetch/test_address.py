"""URLs are read twice: quickly when plain, by httpx when odd; both ways give the same."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.fetch import address
from monitor.fetch.limits import Limits

LIMITS = Limits()

READ = {
    "plain": ("https://news.example/rss.xml", "https://news.example/rss.xml", "news.example", 443),
    "with a port": ("http://news.example:8080/", "http://news.example:8080/", "news.example", 8080),
    "with the port that goes without saying": (
        "http://news.example:80/x",
        "http://news.example:80/x",
        "news.example",
        80,
    ),
    "without a path": ("http://news.example", "http://news.example", "news.example", 80),
    "in capitals": ("HTTP://News.Example/A", "http://news.example/A", "news.example", 80),
    "in Cyrillic": ("http://пример.срб/вести", None, "пример.срб", 80),
    "with user info": ("http://user:pass@news.example/x", "http://news.example/x", "news.example", 80),
    "with a fragment": ("http://news.example/x#top", "http://news.example/x", "news.example", 80),
    "with escapes": ("http://news.example/%2Cx?q=%7E", "http://news.example/%2Cx?q=%7E", "news.example", 80),
    "with a bare percent sign": ("http://news.example/100%", "http://news.example/100%", "news.example", 80),
    "an address": ("http://192.0.2.1:81/x", "http://192.0.2.1:81/x", "192.0.2.1", 81),
    "an address in IPv6": ("http://[2001:db8::1]/x", "http://[2001:db8::1]/x", "2001:db8::1", 80),
}


@pytest.mark.parametrize(("url", "text", "host", "port"), READ.values(), ids=READ)
def test_a_url_is_read(url: str, text: str | None, host: str, port: int) -> None:
    read = address.parse(url, LIMITS)
    assert (read.host, read.port) == (host, port)
    assert text is None or read.text in (text, text.replace(":80/", "/"))
    assert read.text.isascii()


REFUSED = {
    "a host that cannot be": ("http://☃.net/", "bad_redirect"),
    "no host": ("http:///x", "bad_redirect"),
    "no scheme": ("news.example/rss", "bad_scheme"),
    "a scheme of files": ("file:///etc/passwd", "bad_scheme"),
    "a scheme of old": ("ftp://news.example/", "bad_scheme"),
    "a port beyond all ports": ("http://news.example:70000/", "bad_redirect"),
    "port nought": ("http://news.example:0/", "bad_redirect"),
    "a host in broken punycode": ("http://xn--0.example/", "bad_redirect"),
    "a line break": ("http://news.example/\nx", "bad_redirect"),
    "more than 2,048 characters": ("http://news.example/" + "x" * 2048, "bad_redirect"),
    "one number": ("http://2130706433/", "refused_address"),
    "octal": ("http://0177.0.0.1/", "refused_address"),
    "too few numbers": ("http://127.1/", "refused_address"),
    "a number too large": ("http://256.1.1.1/", "refused_address"),
}


@pytest.mark.parametrize(("url", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_url_that_cannot_be_requested_has_its_word(url: str, reason: str) -> None:
    with pytest.raises(address.BadUrl) as refused:
        address.parse(url, LIMITS)
    assert refused.value.reason == reason


LABEL = st.from_regex(r"[a-z0-9-]{1,8}", fullmatch=True)
TEXT = st.text(alphabet="abcXYZ019-._~!$&'()*+,;=:@/%?#[]\"<>\\^`{|} é", max_size=20)


@given(
    st.lists(LABEL, min_size=1, max_size=3).map(".".join) | st.ip_addresses(v=4).map(str),
    st.sampled_from(["", ":1", ":8080", ":59999", ":0"]),
    TEXT,
)
@example("a.example", "", "x/../y")
@example("a.example", "", "./y")
@example("a.example", "", "%zz")
@example("xn--e1afmkfd.xn--90a3ac", "", "")
@example("127.1.3.255", ":8080", "f/1")
@example("010.1.3.4", "", "")
def test_the_quick_way_agrees_with_httpx(host: str, port: str, rest: str) -> None:
    url = f"http://{host}{port}/{rest}"
    if address._PLAIN.fullmatch(url) is None:
        return
    quick = address.parse(url, LIMITS)
    known = httpx.URL(url)
    assert quick.host == known.host
    assert quick.port == (known.port or 80)
    assert httpx.URL(quick.text) == known
