"""robots.txt as RFC 9309 has it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.fetch import robots
from monitor.values import Fetched, FetchFailed, FetchOutcome, Validators
from tests.monitor.fetch.conftest import NOW

SITE = "https://news.example"
TEXT = """
# who may come
User-agent: *
Disallow: /private
Allow: /private/press$
Disallow: /*.pdf$
Disallow: /search?*q=
Disallow: /a%C4%8D/

User-agent: OtherBot
User-agent: storywatch/2.0
Disallow: /

User-agent: *
Disallow: /also
"""
EVERYBODY = TEXT.replace("storywatch/2.0", "storywatcher")

CASES = {
    "a page nobody mentions may be read": (EVERYBODY, "/news/1", True),
    "a path below a disallowed one may not": (EVERYBODY, "/private/x", False),
    "the longer rule wins": (EVERYBODY, "/private/press", True),
    "an end mark binds the end": (EVERYBODY, "/private/press/2", False),
    "a star stands for anything": (EVERYBODY, "/files/a.pdf", False),
    "a star before an end mark binds the end": (EVERYBODY, "/files/a.pdf?x", True),
    "a query counts": (EVERYBODY, "/search?lang=en&q=x", False),
    "escapes are compared in one form": (EVERYBODY, "/ač/1", False),
    "groups for everybody are joined": (EVERYBODY, "/also/1", False),
    "a group that names us goes before everybody's": (TEXT, "/news/1", False),
    "the rules themselves may always be read": (TEXT, "/robots.txt", True),
    "an empty file allows everything": ("", "/x", True),
    "an empty Disallow allows everything": ("User-agent: *\nDisallow:\n", "/x", True),
    "a draw is won by Allow": ("User-agent: *\nDisallow: /x\nAllow: /x\n", "/x", True),
    "rules before any group bind nobody": ("Disallow: /\n", "/x", True),
    "a name that only begins like ours is not ours": ("User-agent: storywatch-pro\nDisallow: /\n", "/x", True),
    "spaces and case do not matter": ("USER-AGENT : StoryWatch\r\n dIsAllow:/x # no\r\n", "/x", False),
    "a pattern of stars is read in no time": ("User-agent: *\nDisallow: /" + "*a" * 500 + "$\n", "/" + "a" * 499, True),
}


@pytest.mark.parametrize(("text", "path", "allowed"), CASES.values(), ids=CASES)
def test_rules_are_read(text: str, path: str, allowed: bool) -> None:
    assert robots.parse(text).allow(SITE + path) is allowed


class Site:
    """What a robots.txt answers, and how often it was asked for."""

    def __init__(self, outcome: FetchOutcome) -> None:
        self.outcome = outcome
        self.asked: list[str] = []

    async def fetch(self, url: str) -> FetchOutcome:
        self.asked.append(url)
        return self.outcome


def failed(reason: str, status: int | None) -> FetchFailed:
    return FetchFailed(SITE, reason, "", True, NOW, timedelta(0), status)


def fetched(text: str) -> Fetched:
    return Fetched(SITE, SITE, 200, (), text.encode(), Validators(), NOW, timedelta(0))


ANSWERS = {
    "a site without rules allows everything": (failed("not_found", 404), True),
    "a site that refuses its rules allows everything": (failed("bad_status", 403), True),
    "a site that fails allows nothing": (failed("server_error", 503), False),
    "a site that cannot be reached allows nothing": (failed("connect", None), False),
    "a site that limits us allows nothing": (failed("rate_limited", 429), False),
    "a site with rules is obeyed": (fetched("User-agent: *\nDisallow: /x"), False),
}


@pytest.mark.parametrize(("outcome", "allowed"), ANSWERS.values(), ids=ANSWERS)
async def test_what_a_site_answers_decides(outcome: FetchOutcome, allowed: bool) -> None:
    assert await robots.Robots(Site(outcome).fetch).allow(f"{SITE}/x", NOW) is allowed


async def test_rules_are_kept_for_a_day_and_for_both_schemes() -> None:
    site = Site(fetched(""))
    rules = robots.Robots(site.fetch)
    for hours in (0, 1, 23):
        await rules.allow(f"{SITE}/x", NOW + timedelta(hours=hours))
    await rules.allow("http://news.example/x", NOW)
    assert site.asked == [f"{SITE}/robots.txt"]
    await rules.allow(f"{SITE}/x", NOW + timedelta(hours=24))
    assert len(site.asked) == 2
