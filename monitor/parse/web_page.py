"""HTML where a feed was expected: its title, the feeds it offers, and whether it is a wall against robots.

Called by `monitor.parse.feed` for its error, by `check` through that error, and by `feed add` and `feed discover`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from monitor.errors import ParseError
from monitor.parse import charset, links, markup
from monitor.values import ParseReason

_TITLE = re.compile(r"<title\b[^<>]*>([^<]{0,2000})", re.IGNORECASE)
_LINK = re.compile(r"<link\b([^<>]{0,4000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-zA-Z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_BASE = re.compile(r"""<base\b[^<>]*?href\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
_FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json"})
_KIND = re.compile(r"^application/(?:feed\+)?|\+xml$")
_LOOK_AT = 262_144
_MAX_FOUND = 20

_WALL_TITLES = re.compile(
    r"just a moment|attention required|access denied|are you a robot|are you human|security check|ddos-guard|"
    r"pardon our interruption|verify(?:ing)? you are human|checking your browser|bot verification|403 forbidden|"
    r"request blocked|please wait\.\.\. \| cloudflare",
    re.IGNORECASE,
)
_WALL_MARKS = re.compile(
    r"/cdn-cgi/challenge-platform|cf-browser-verification|cf_chl_|_cf_chl_opt|_incapsula_resource|px-captcha|"
    r"captcha-delivery\.com|ddos-guard\.net|sucuri_cloudproxy|awswafcookiedomainlist|g-recaptcha|h-captcha|cf-turnstile",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A feed that a page links to. `kind` is its declared type, without `application/` and `+xml`: rss, atom, json."""

    url: str
    title: str | None = None
    kind: str | None = None


def refusal(text: str, url: str, headers: Mapping[str, str]) -> ParseError:
    """The error for HTML at a feed's address: `blocked` for a challenge, else `html` with the feeds it offers."""
    head, named = text[:_LOOK_AT], title(text)
    if _is_wall(head, named, headers):
        shown = f' ("{named}")' if named else ""
        message = f"a challenge page{shown}: the server holds back robots; ask its operator"
        return ParseError(ParseReason.BLOCKED, message)
    found = feeds(head, url)
    shown = " ".join((markup.paragraphs(head) or "").split())[:200]
    offer = f"; it offers {', '.join(found[:3])}" if found else "; it offers no feed"
    return ParseError(
        ParseReason.HTML, f'a web page, not a feed: "{named or "without a title"}"{offer}. {shown}', found=found
    )


def title(text: str) -> str | None:
    """The title a page gives itself."""
    found = _TITLE.search(text[:_LOOK_AT])
    return markup.line(found.group(1)) if found else None


def feeds(text: str, url: str) -> tuple[str, ...]:
    """Addresses of the feeds a page links to, as `offers`."""
    return tuple(offer.url for offer in offers(text, url))


def offers(text: str, url: str) -> tuple[Offer, ...]:
    """The feeds a page links to (`rel=alternate` with a feed's type), resolved on its base or on `url`."""
    base = _BASE.search(text)
    here = (links.absolute(base.group(1), url) if base else None) or url
    found: dict[str, Offer] = {}
    for tag in _LINK.finditer(text):
        attributes = {name.lower(): a or b or c for name, a, b, c in _ATTRIBUTE.findall(tag.group(1))}
        rel = attributes.get("rel", "").lower().split()
        declared = attributes.get("type", "").lower().strip()
        if "alternate" in rel and declared in _FEED_TYPES:
            address = links.absolute(markup.unescape(attributes.get("href", "")), here)
            if address and address not in found:
                kind = _KIND.sub("", declared)
                found[address] = Offer(address, markup.line(markup.unescape(attributes.get("title", ""))) or None, kind)
    return tuple(found.values())[:_MAX_FOUND]


def offers_of(body: bytes, url: str, headers: Mapping[str, str]) -> tuple[Offer, ...]:
    """The feeds that a page's bytes offer."""
    return offers(charset.decode(body, headers.get("content-type")).text[:_LOOK_AT], url)


def _is_wall(head: str, title: str | None, headers: Mapping[str, str]) -> bool:
    if headers.get("cf-mitigated", "").lower() == "challenge" or _WALL_TITLES.match(title or ""):
        return True
    return bool(_WALL_MARKS.search(head)) and len(head) < _LOOK_AT and len(markup.paragraphs(head) or "") < 2_000
