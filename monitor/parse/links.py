"""Addresses: resolving what a feed wrote, and the key under which two addresses are one article.

A key is for comparing, never for fetching. When in doubt two addresses stay apart: a wrong merge makes an article
vanish, a missed one costs a duplicate that clustering mends. Called by `monitor.parse.feed`, `identity`, `publishers`
and by `detect`.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import pkgutil
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from monitor.parse import sites

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

MAX_URL_CHARS = 2_048
_MAX_WRAPPED = 3
_SCHEMES = ("http", "https")
_SPACE = re.compile(r"[\t\r\n\f\v]+")
_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")
_UNESCAPED = re.compile(r"[!-$&-~]*")
_TRANSLATED = ".translate.goog"
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_DECORATION = re.compile(r"(?:/|/index\.(?:html?|php)|/default\.aspx?|/feed|/amp|(?<=[^/])\.amp)$", re.IGNORECASE)
_AMP_INSIDE = re.compile(r"/amp(?=/)|\.amp(?=\.html?$)")
_SESSION = re.compile(r";jsessionid=[^/?#]*", re.IGNORECASE)
_SCRIPT = re.compile(r"(?:\.(?:php\d?|aspx?|jsp|cgi|pl|dll|do)|/)$", re.IGNORECASE)
_PLAIN = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]+)?(?:/[!$-:<->@-Z^-~]*)?(?:\?[!$-:<-Z^-~]+)?")
"""An address that is absolute and stands as every way to write it anew would leave it."""
_PLAIN_HOST = re.compile(r"https?://([a-z0-9.-]+)(?::[0-9]+)?(?:[/?#]|$)")
_PUNYCODE = "xn--"
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")


@dataclass(frozen=True, slots=True)
class Canonical:
    """What an address is known by. `key` is None for what is no web address; `host` is that of the article itself.

    `url` is the address after unwrapping.
    """

    key: str | None
    host: str | None = None
    url: str | None = None


def absolute(url: str | None, base: str) -> str | None:
    """Resolve what a feed wrote into an absolute http(s) address, as written otherwise; None for anything else."""
    text = _SPACE.sub("", url or "").strip().strip("\u00a0")
    if not text or len(text) > MAX_URL_CHARS:
        return None
    if _PLAIN.fullmatch(text):
        return text
    try:
        joined = urljoin(base, text)
        parts = urlsplit(joined)
        usable = parts.scheme.lower() in _SCHEMES and bool(parts.hostname)
    except ValueError:
        return None
    return joined.replace(" ", "%20") if usable and len(joined) <= MAX_URL_CHARS else None


def host_of(url: str | None) -> str | None:
    """The host of an address in lower case and punycode, None if it has none."""
    if found := _PLAIN_HOST.match(url or ""):
        return ascii_host(found.group(1))
    try:
        host = urlsplit(url or "").hostname
    except ValueError:
        return None
    return ascii_host(host) if host else None


@lru_cache(maxsize=4096)
def ascii_host(host: str) -> str:
    """Lower case, without a trailing dot, in punycode; a label that cannot be encoded stays as it is."""
    labels = host.lower().rstrip(".").split(".")
    return ".".join(label if label.isascii() else _punycode(label) for label in labels)


def _punycode(label: str) -> str:
    try:
        return label.encode("idna").decode("ascii")
    except UnicodeError:
        return label


@lru_cache(maxsize=4096)
def registrable(host: str) -> str | None:
    """The registrable domain of a host by the public suffix list, private suffixes included.

    None for an address in numbers and for a suffix itself. Source: https://publicsuffix.org, by publicsuffixlist.

    >>> registrable("foo.github.io"), registrable("www.b92.co.rs")
    ('foo.github.io', 'b92.co.rs')
    """
    plain = ascii_host(host)
    if _is_number(plain):
        return None
    suffix = _public_suffix(plain) or plain.rpartition(".")[2]  # the list's own rule for unlisted suffixes
    return None if plain == suffix else f"{plain.removesuffix(f'.{suffix}').rpartition('.')[2]}.{suffix}"


@lru_cache(maxsize=4096)
def has_public_suffix(host: str) -> bool:
    """Whether a host ends as hosts end: in a suffix of the list."""
    return _public_suffix(ascii_host(host)) is not None


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _public_suffix(plain: str) -> str | None:
    """The longest suffix on the list, private ones included; one that is not on it is none."""
    found: str | None = _suffixes(in_punycode=False).publicsuffix(plain)
    if _PUNYCODE not in plain:
        return found
    return max(found or "", _suffixes(in_punycode=True).publicsuffix(plain) or "", key=len) or None


@cache
def _suffixes(*, in_punycode: bool) -> PublicSuffixList:
    """The rules of the list that are in punycode, as hosts come, or the others.

    To encode those five hundred takes three times as long as to read the other ten thousand, and few hosts ask.
    """
    from publicsuffixlist import PublicSuffixList  # here: its ten thousand lines are read at the first question

    lines = (pkgutil.get_data("publicsuffixlist", "public_suffix_list.dat") or b"").decode().splitlines()
    rules = [line for line in lines if line and not line.startswith("//") and line.isascii() is not in_punycode]
    encoded = [ascii_host(rule.split()[0]) for rule in rules] if in_punycode else rules
    return PublicSuffixList(encoded, accept_unknown=False, accept_encoded_idn=False)


def canonical(url: str, aliases: Mapping[str, str] = sites.HOST_ALIASES) -> Canonical:
    """The comparison key of an address: host, path and what of the query names the article.

    `aliases` joins hosts of one newsroom.

    >>> canonical("https://www.vesti.example/svet/a-1/amp/?utm_source=x#top").key
    'vesti.example/svet/a-1'
    """
    address = unwrapped(url)
    try:
        parts = urlsplit(address.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        return Canonical(None)
    if parts.scheme.lower() not in _SCHEMES or not host:
        return Canonical(None)
    plain = ascii_host(host)
    if plain == sites.GOOGLE_NEWS_HOST and (found := sites.GOOGLE_NEWS_PATH.fullmatch(parts.path)):
        return Canonical(f"gnews:{found.group(1)}", plain, address)
    if port and (parts.scheme.lower(), port) not in (("http", 80), ("https", 443)):
        shown = f"{newsroom(plain, aliases)}:{port}"
    else:
        shown = newsroom(plain, aliases)
    path, query = _path(parts.path), _query(parts.query, shown, parts.path)
    return Canonical(_by_site(shown, path) + query, plain, address)


def unwrapped(url: str) -> str:
    """The address inside redirectors, caches and archives, at most three deep; the address itself if there is none."""
    for _ in range(_MAX_WRAPPED):
        inner = _inside(url)
        if inner is None:
            return url
        url = inner
    return url


def _inside(url: str) -> str | None:
    host = host_of(url.strip())
    if host is None or not _may_wrap(host):
        return None
    parts = urlsplit(url.strip())
    path = parts.path
    for wrapper in sites.WRAPPERS:
        if wrapper.host.fullmatch(host) and wrapper.path.fullmatch(path):
            values = dict(parse_qsl(parts.query, keep_blank_values=False))
            return next((values[name] for name in wrapper.parameters if _is_web(values.get(name))), None)
    return _copied(host, path, parts.query) or _google_news(host, path) or _translated(host, url)


@lru_cache(maxsize=4096)
def _may_wrap(host: str) -> bool:
    """Whether a host is one of those that show other hosts' addresses; nearly none is."""
    known = (
        *(wrapper.host for wrapper in sites.WRAPPERS),
        *(hosts for hosts, _ in (*sites.ARCHIVES, *sites.AMP_CACHES)),
    )
    own = host == sites.GOOGLE_NEWS_HOST or host.endswith(_TRANSLATED)
    return own or any(pattern.fullmatch(host) for pattern in known)


def _copied(host: str, path: str, query: str) -> str | None:
    tail = f"?{query}" if query else ""
    for hosts, place in sites.ARCHIVES:
        if hosts.fullmatch(host) and (found := place.fullmatch(path)):
            return _with_scheme(re.sub(r"^(https?):/+", r"\1://", unquote(found["address"])), "https") + tail
    for hosts, place in sites.AMP_CACHES:
        if hosts.fullmatch(host) and (found := place.fullmatch(path)):
            return _with_scheme(found["address"], "https" if found["s"] else "http") + tail
    return None


def _with_scheme(address: str, scheme: str) -> str:
    return address if _is_web(address) else f"{scheme}://{address}"


def _translated(host: str, url: str) -> str | None:
    """Google's proxy writes www-some--site-rs.translate.goog for www.some-site.rs."""
    if not host.endswith(_TRANSLATED):
        return None
    original = host.removesuffix(_TRANSLATED).replace("--", "\0").replace("-", ".").replace("\0", "-")
    stripped = re.sub(r"([?&])_x_tr_\w+=[^&#]*", r"\1", url)
    return re.sub(r"//[^/?#]+", f"//{original}", stripped, count=1)


def _google_news(host: str, path: str) -> str | None:
    """The address inside an old Google News id: bytes 08 13 22, its length as a varint, the address.

    Newer ids are opaque.
    """
    found = sites.GOOGLE_NEWS_PATH.fullmatch(path) if host == sites.GOOGLE_NEWS_HOST else None
    if found is None:
        return None
    text = found.group(1).rstrip("=")
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    if not raw.startswith(b"\x08\x13\x22"):
        return None
    length, at, shift = 0, 3, 0
    while at < len(raw) and shift <= 14:
        length |= (raw[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not raw[at - 1] & 0x80:
            break
    address = raw[at : at + length].decode("utf-8", "replace")
    return address if len(raw) >= at + length and _is_web(address) else None


def _is_web(text: str | None) -> bool:
    return bool(text) and str(text).lower().startswith(("http://", "https://"))


@lru_cache(maxsize=4096)
def _without_mirror(host: str) -> str:
    found = sites.MIRROR_LABELS.match(host)
    if found is None:
        return host
    rest = host[found.end() :]
    return rest if "." in rest and registrable(rest) else host


def newsroom(host: str, aliases: Mapping[str, str] = sites.HOST_ALIASES) -> str:
    """The host under which a newsroom is known: without a mirror's label, second domains joined."""
    if _IPV4.fullmatch(host):
        return host
    host = _without_mirror(aliases.get(host, host))
    host = sites.BLOG_SUFFIX.sub(".blogspot.com", host)
    return aliases.get(host, host)


def _by_site(host: str, path: str) -> str:
    for rule in sites.SITE_RULES.get(host, ()):
        if found := rule.pattern.fullmatch(path):
            return host + found.expand(rule.key)
    return host + _undecorated(path)


def _path(path: str) -> str:
    """Escapes normalised, slashes single, dot segments resolved; no slash at the end."""
    segments: list[str] = []
    for segment in _SESSION.sub("", _escapes(path)).split("/"):
        if segment == "..":
            segments = segments[:-1]
        elif segment not in ("", "."):
            segments.append(segment)
    return "".join(f"/{segment}" for segment in segments)


def _undecorated(path: str) -> str:
    path = _AMP_INSIDE.sub("", path)
    while (shorter := _DECORATION.sub("", path)) != path:
        path = shorter
    return path


def _escapes(text: str) -> str:
    """Percent-encoding in one spelling: unreserved characters plain, all others upper-case escapes of UTF-8."""
    if _UNESCAPED.fullmatch(text):
        return text
    decoded = _ESCAPE.sub(_plain_if_unreserved, text)
    return "".join(char if "\x20" < char < "\x7f" else _encoded(char) for char in decoded)


def _plain_if_unreserved(found: re.Match[str]) -> str:
    byte = int(found.group(1), 16)
    return chr(byte) if byte in _UNRESERVED else found.group().upper()


def _encoded(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "replace"))


def _query(query: str, host: str, path: str) -> str:
    if not query:
        return ""
    kept_here = sites.KEPT.get(host, frozenset())
    dropped_here = sites.DROPPED.get(".".join(host.split(".")[-2:]), frozenset())
    pairs = [pair.removeprefix("amp;").partition("=") for pair in query.split("&") if pair]
    named = [(name.lower(), name, equals, value) for name, equals, value in pairs]
    named = [row for row in named if row[0] not in dropped_here]
    rest = [row for row in named if row[0] in kept_here or not _is_tracking(row[0], row[3])]
    article = [row for row in rest if row[0] in kept_here or row[0] not in sites.GENERIC]
    if not article and _SCRIPT.search(path) and any(row[3].isdecimal() and len(row[3]) > 2 for row in rest):
        article = rest  # a script with a number as its only parameter: the number may be the article
    shown = sorted(_escapes(f"{name}{equals}{value}") for _, name, equals, value in article)
    return "?" + "&".join(shown) if shown else ""


def _is_tracking(name: str, value: str) -> bool:
    if name in sites.TRACKING or name.startswith(sites.TRACKING_PREFIXES):
        return True
    return bool(sites.SIDE_LIST.fullmatch(name)) or (name == "page" and value.startswith("with:"))
