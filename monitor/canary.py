"""The canary: a made-up story that shows whether the whole way works. Its watch, its route, and its words. Pure.

It is an entry like any other from its first byte to its receipt, but for three things: no other watch takes it, no
other channel gets it, and its story is put aside when it is out, so that readers do not meet it. When it runs is
decided here and done in `jobs.canary`. Called by `wiring`, `jobs` and `status`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum

from alerts import route
from alerts.values import Kind, Matchers, Recipient
from monitor.config.values import Config, Governments, Watch, WatchAlert

KEY = "canary"
"""Where its flights are remembered, among the facts of the installation."""
NAME = "storywatch-canary"
"""Of its watch, and of its channel where none is configured."""
OUTLET = "storywatch-canary.example"
URL = f"http://{OUTLET}/feed"
"""By this its feed is known; it is fetched from this machine."""
LATE_AFTER = timedelta(minutes=15)
_AGAIN = timedelta(minutes=30)
"""After a late one the next is not waited for so long: it says whether it was mended."""
_WORD = "storywatchcanary"
_SHOWN = 10
_SYLLABLES = ("ba", "do", "fi", "gu", "ke", "la", "mo", "ni", "pu", "ra", "se", "ti", "vo", "wu", "xa", "zy")


class Standing(StrEnum):
    """How the newest canary stands."""

    NONE = "none"
    FLYING = "flying"
    OUT = "out"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Flights:
    """What is remembered between runs: when the last canaries were let go, the newest last, and how that one stands."""

    at: tuple[datetime, ...] = ()
    count: int = 0
    standing: Standing = Standing.NONE
    took: timedelta | None = None

    def let_go(self, now: datetime) -> Flights:
        """One more; its document shows the last ones too, as a feed does."""
        return Flights((*self.at, now)[-_SHOWN:], self.count + 1, Standing.FLYING, self.took)

    def is_due(self, every: timedelta, now: datetime) -> bool:
        """Whether it is time for the next one; never while one is on its way."""
        if not self.at:
            return True
        if self.standing is Standing.FLYING:
            return False
        wait = min(every, _AGAIN) if self.standing is Standing.LATE else every
        return now - self.at[-1] >= wait

    def judged(self, sent_at: datetime | None, now: datetime) -> Flights:
        """How the newest one stands, if its message was sent then."""
        if not self.at or self.standing is Standing.NONE:
            return self
        if sent_at is not None:
            return replace(self, standing=Standing.OUT, took=sent_at - self.at[-1])
        if self.standing is Standing.FLYING and now - self.at[-1] >= LATE_AFTER:
            return replace(self, standing=Standing.LATE)
        return self

    @property
    def is_late(self) -> bool:
        """Whether it should be out and is not."""
        return self.standing is Standing.LATE

    def dump(self) -> str:
        """As it is stored."""
        took = self.took.total_seconds() if self.took is not None else None
        times = [at.isoformat() for at in self.at]
        return json.dumps({"at": times, "count": self.count, "standing": self.standing, "took": took})


def load(text: str | None) -> Flights:
    """Read what `dump` wrote; nothing yet for None."""
    if text is None:
        return Flights()
    raw = json.loads(text)
    took = timedelta(seconds=raw["took"]) if raw["took"] is not None else None
    times = tuple(datetime.fromisoformat(at) for at in raw["at"])
    return Flights(times, raw["count"], Standing(raw["standing"]), took)


def document(flights: Flights) -> bytes:
    """The feed that shows the last canaries, the newest first. No two of them are alike but for one word."""
    first = flights.count - len(flights.at)
    items = [_item(first + n, at) for n, at in enumerate(flights.at)]
    head = f"<title>canary</title><link>http://{OUTLET}/</link><description>made up by storywatch</description>"
    body = f'<rss version="2.0"><channel>{head}{"".join(reversed(items))}</channel></rss>'
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'.encode()


def _item(number: int, at: datetime) -> str:
    return (
        f'<item><guid isPermaLink="false">{NAME}-{number}</guid><title>{_WORD} {_words(number, "title", 5)}</title>'
        f"<link>http://{OUTLET}/{number}</link><pubDate>{format_datetime(at)}</pubDate>"
        f"<description>{_words(number, 'text', 40)}</description></item>"
    )


def _words(number: int, part: str, count: int) -> str:
    """Words that no language has and no other canary says."""
    digits = "".join(hashlib.sha256(f"{number} {part} {n}".encode()).hexdigest()[:8] for n in range(count))
    syllables = [_SYLLABLES[int(digit, 16)] for digit in digits]
    return " ".join("".join(syllables[n * 8 : n * 8 + 8]) for n in range(count))


# ---------------------------------------------------------------------------------------- what the pipeline must know


def channel(config: Config) -> str:
    """Where it must arrive."""
    return config.canary.channel or NAME


def has_own_channel(config: Config) -> bool:
    """Whether it ends where nothing is kept."""
    return config.canary.every is not None and config.canary.channel is None


def joined(config: Config) -> Config:
    """The configuration with the canary's watch, which the others do not share its outlet with; as it is when off."""
    if config.canary.every is None or config.watch(NAME) is not None:
        return config
    others = tuple(replace(watch, exclude=watch.exclude | {OUTLET}) for watch in config.watches)
    return replace(config, watches=(*others, _watch()))


def _watch() -> Watch:
    return Watch(
        name=NAME,
        title="Canary",
        query_text=_WORD,
        languages=None,
        feed_tags=None,
        outlets=frozenset({OUTLET}),
        exclude=frozenset(),
        governments=Governments(),
        alert_on=frozenset({str(Kind.NEW_STORY)}),
        independent="any",
        alert=WatchAlert(group_wait={Kind.NEW_STORY: timedelta()}),
        full_text=False,
        paused=False,
        line=0,
    )


def routed(plan: route.Plan, config: Config) -> route.Plan:
    """The plan with a route of the canary's own before all others."""
    if config.canary.every is None:
        return plan
    own = route.Route(matchers=Matchers((("watch", (NAME,)),)), to=(channel(config),))
    extra = (Recipient(NAME, "nobody"),) if has_own_channel(config) else ()
    return replace(plan, root=route.Route(routes=(own, plan.root)), recipients=(*plan.recipients, *extra))
