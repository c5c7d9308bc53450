"""What is known of single sites' addresses: hosts that are one newsroom, paths that hold the article's id, wrappers.

Tables only; `monitor.parse.links` applies them. Each row is a fact about a site that anybody can check in a browser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

HOST_ALIASES = {
    "bbc.co.uk": "bbc.com",
    "news.bbc.co.uk": "bbc.com",
    "guardian.co.uk": "theguardian.com",
    "dw.de": "dw.com",
    "dw-world.de": "dw.com",
    "huffingtonpost.com": "huffpost.com",
    "us.cnn.com": "cnn.com",
    "rs.n1info.com": "n1info.rs",
    "ba.n1info.com": "n1info.ba",
    "hr.n1info.com": "n1info.hr",
    "lat.sputnikportal.rs": "sputnikportal.rs",
    "rs-lat.sputniknews.com": "sputnikportal.rs",
    "rs.sputniknews.com": "sputnikportal.rs",
    "old.reddit.com": "reddit.com",
}
"""Hosts of one newsroom where paths mean the same article on both. Language editions are never here."""

BLOG_SUFFIX = re.compile(r"\.blogspot\.(?:com?\.)?[a-z]{2,3}$")
"""Blogger shows one blog under every country's domain."""

MIRROR_LABELS = re.compile(r"(?:www\d*|m|mobile|amp|lite|img|new|edition|text)\.")
"""A first label that shows the same articles in another dress."""


@dataclass(frozen=True, slots=True)
class Wrapper:
    """An address that carries another one in a parameter. `host` and `path` are matched in full."""

    host: re.Pattern[str]
    path: re.Pattern[str]
    parameters: tuple[str, ...]


def _wrapper(host: str, path: str, *parameters: str) -> Wrapper:
    return Wrapper(re.compile(host), re.compile(path), parameters)


WRAPPERS = (
    _wrapper(r"(?:www\.)?google\.[a-z.]{2,6}", r"/url/?", "url", "q"),
    _wrapper(r"(?:l|lm|www|m)\.facebook\.com", r"/(?:l|flx/warn)(?:\.php|/)?", "u"),
    _wrapper(r"l\.instagram\.com", r"/?", "u"),
    _wrapper(r"translate\.google\.[a-z.]{2,6}", r"/(?:translate|website)?/?", "u"),
    _wrapper(r"(?:www\.)?bing\.com", r"/news/apiclick\.aspx", "url"),
    _wrapper(r"[\w-]+\.safelinks\.protection\.outlook\.com", r"/?", "url"),
    _wrapper(r"out\.reddit\.com", r"/.*", "url"),
)

ARCHIVES = (
    (re.compile(r"web\.archive\.org"), re.compile(r"/web/(?:\d{1,14}(?:[a-z]{2}_)?\*?/)?(?P<address>.+)")),
    (
        re.compile(r"archive\.(?:is|ph|today|li|vn|md|fo)"),
        re.compile(r"/(?:(?:newest|oldest|\d[\d.-]{3,18})/)?(?P<address>https?:/.+)"),
    ),
)
"""Sites that keep copies, and where in the path the copied address stands."""

AMP_CACHES = (
    (re.compile(r"(?:[\w-]+\.)?cdn\.ampproject\.org"), re.compile(r"/[a-z](?P<s>/s)?/(?P<address>[^/]+\..+)")),
    (re.compile(r"(?:www\.)?google\.[a-z.]{2,6}"), re.compile(r"/amp(?P<s>/s)?/(?P<address>[^/]+\..+)")),
    (re.compile(r"(?:[\w-]+\.)?bing-amp\.com"), re.compile(r"/[a-z](?P<s>/s)?/(?P<address>[^/]+\..+)")),
)

GOOGLE_NEWS_HOST = "news.google.com"
GOOGLE_NEWS_PATH = re.compile(r"/(?:__i/)?(?:rss/)?(?:rd/)?(?:articles|read)/([\w-]+={0,2})/?")

_RFERL = (
    "rferl.org", "slobodnaevropa.org", "slobodnaevropa.mk", "evropaelire.org", "svobodnaevropa.bg", "szabadeuropa.hu",
    "europalibera.org", "romania.europalibera.org", "moldova.europalibera.org", "radiosvoboda.org", "svoboda.org",
    "svaboda.org", "krymr.com", "azatutyun.am", "azadliq.org", "radiotavisupleba.ge", "ekhokavkaza.com",
    "azattyq.org", "rus.azattyq.org", "azattyk.org", "rus.azattyk.org", "ozodi.org", "rus.ozodi.org", "ozodlik.org",
    "rus.ozodlik.org", "azathabar.com", "azatliq.org", "idelreal.org", "kavkazr.com", "sibreal.org", "severreal.org",
    "radiofarda.com", "currenttime.tv", "mashaalradio.com", "azadiradio.com",
)  # fmt: skip
_VOA = (
    "voanews.com", "glasamerike.net", "ba.voanews.com", "mk.voanews.com", "zeriamerikes.com", "golosameriki.com",
    "holosameryky.com", "amerikaninsesi.org", "amerikayidzayn.com", "voaturkce.com", "vozdeamerica.com",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SiteRule:
    """On `host`, a path that matches in full is known by `key` (a template over the pattern's groups) alone."""

    host: str
    pattern: re.Pattern[str]
    key: str


def _rule(host: str, pattern: str, key: str) -> SiteRule:
    return SiteRule(host, re.compile(pattern), key)


_RULES = (
    *(_rule(host, r"/(?:a|amp)/(?:.+/)?(\d{5,})(?:\.html)?", r"/a/\1.html") for host in (*_RFERL, *_VOA)),
    _rule("apnews.com", r"/(?:article/)?(?:[\w-]*-)?([0-9a-f]{32})", r"/article/\1"),
    _rule("naslovi.net", r"/rd/(\d+)", r"/rd/\1"),
    _rule("naslovi.net", r"/\d{4}-\d{2}-\d{2}/[^/]+/[^/]+/(\d+)", r"/rd/\1"),
    _rule("npr.org", r"/(?:sections/[^/]+/)?\d{4}/\d{2}/\d{2}/([\w-]*\d[\w-]*)(?:/.*)?", r"/\1"),
    _rule("npr.org", r"/((?:nx-s1-|g-s1-)?[\d-]{5,})", r"/\1"),
    _rule("reuters.com", r"(?:/[^/]+)*/([\w-]{12,}-\d{4}-\d{2}-\d{2})", r"/\1"),
    _rule("reuters.com", r"/article/(?:.*?-)?(id[A-Z]{2}\w{6,})(?:/.*)?", r"/article/\1"),
    _rule("bbc.com", r"/serbian/(?:lat|cyr)/(.+)", r"/serbian/\1"),
    _rule("bbc.com", r"/serbian/articles/([a-z0-9]+)(?:/(?:lat|cyr))?", r"/serbian/articles/\1"),
    _rule("politika.rs", r"/(?:sr|scc|lat|cyr)/clanak/(\d+)(?:/.*)?", r"/clanak/\1"),
    _rule("rts.rs", r"/(?:lat|cir|sr)/(.+)", r"/\1"),
    _rule("rtv.rs", r"/sr_(?:lat|ci)/(.+)", r"/sr/\1"),
    _rule("glassrpske.com", r"/(?:lat|cir)/(.+)", r"/\1"),
    _rule("novosti.rs", r"/(?:c|lat)/(.+)", r"/\1"),
)
SITE_RULES: dict[str, tuple[SiteRule, ...]] = {
    host: tuple(rule for rule in _RULES if rule.host == host) for host in {rule.host for rule in _RULES}
}

TRACKING_PREFIXES = ("utm_", "at_", "ns_", "mc_", "pk_", "hsa_", "wt_")
TRACKING = frozenset({
    "fbclid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "yclid", "msclkid", "twclid", "ttclid", "igshid",
    "igsh", "mibextid", "srsltid", "_ga", "_gl", "ocid", "smid", "cmp", "cmpid", "cmp_id", "xtor", "traffic_source",
    "emc", "amp", "outputtype", "replytocom", "fb_comment_id", "fb_action_ids", "fb_action_types", "fb_source", "spm",
    "guccounter", "guce_referrer", "guce_referrer_sig", "srnd", "sref", "unlocked_article_code", "itlk",
    "filterkeyevents", "oc", "hl", "gl", "ceid",
})  # fmt: skip
"""Parameters that never name an article, in lower case."""
GENERIC = frozenset({"ref", "source", "from", "share", "print", "mod", "nb", "partner"})
"""Parameters that say where a reader came from on nearly every site; `KEPT` has the others."""
KEPT: dict[str, frozenset[str]] = {
    "news.ycombinator.com": frozenset({"from"}),
    "google.com": frozenset({"hl", "gl", "source"}),
}
"""Host or registrable domain -> parameters from the lists above that do name the page there."""
DROPPED: dict[str, frozenset[str]] = {
    "blogspot.com": frozenset({"m"}),
    "slobodnaevropa.org": frozenset({"ltflags", "withmediaplayer"}),
    "rferl.org": frozenset({"ltflags", "withmediaplayer"}),
    "youtube.com": frozenset({"si", "feature", "pp"}),
}
"""Registrable domain or blog service -> parameters that never name an article there."""
SIDE_LIST = re.compile(r"page_\d+_\d+")
"""Paging of a list beside the article."""
