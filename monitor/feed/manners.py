"""What `feed manners` tells: our own politeness score, from the log of our own fetches. Called by `cli`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import Connection

from monitor import schedule
from monitor.config import stored
from monitor.config.values import Config, FeedConfig
from monitor.jobs.requests import policy_of
from monitor.schedule import bounds, politeness
from monitor.store import feeds, fetch_log, moves

_HEADS = {
    "fetches": "fetches",
    "unconditional": "bare",
    "stale": "stale",
    "cookies": "cookies",
    "referrer": "referrer",
    "cache_busting": "busting",
    "odd_headers": "odd",
    "query_cruft": "cruft",
    "too_fast": "fast",
    "by_hand": "by hand",
}
_MEANT = """
bare      asked for the whole although validators were known
stale     validators that were not the last ones given
busting   headers that get round caches; odd: others that nobody configured
cruft     parameters that count visitors or get round caches: mend the address in config.yaml
fast      within 10 minutes by our own schedule; by hand: because somebody said --force, no fault
"""


@dataclass(frozen=True, slots=True)
class Score:
    """The manners towards each feed, and all together."""

    feeds: tuple[tuple[str, politeness.Manners], ...]

    @property
    def total(self) -> politeness.Manners:
        """The sum of all feeds."""
        return reduce(add, (manners for _, manners in self.feeds), politeness.Manners())

    @property
    def exit_code(self) -> int:
        """1 unless perfect."""
        return 1 if self.total.faults else 0

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        rows = [{"url": url, **_columns(manners)} for url, manners in self.feeds]
        return {"perfect": not self.total.faults, **_columns(self.total), "feeds": rows}

    def as_text(self) -> str:
        """For a terminal: the sum, and each feed with a fault."""
        faulty = [(url, manners) for url, manners in self.feeds if manners.faults]
        lines = ["  ".join(_HEADS.values()), f"{_row(self.total)}  all {len(self.feeds)} feeds"]
        lines += [f"{_row(manners)}  {url}" for url, manners in faulty]
        verdict = f"not perfect: {len(faulty)} feeds see faults" if faulty else "perfect: no feed sees a fault"
        return "\n".join([*lines, verdict]) + "\n" + (_MEANT if faulty else "")


def _columns(manners: politeness.Manners) -> dict[str, int]:
    return {name: getattr(manners, name) for name in _HEADS}


def _row(manners: politeness.Manners) -> str:
    return "  ".join(f"{getattr(manners, name):>{len(head)}}" for name, head in _HEADS.items())


def score(connection: Connection, config: Config) -> Score:
    """Judge all that the log has of every feed."""
    configured = {feed.url: feed for feed in config.feeds}
    own = config.limits.allow_hosts
    rows = tuple(feeds.seen(connection))
    return Score(tuple((row.url, _judged(connection, row, configured, own)) for row in rows))


def _judged(
    connection: Connection, row: feeds.FeedRow, configured: Mapping[str, FeedConfig], own_hosts: frozenset[str]
) -> politeness.Manners:
    records, whole_from = fetch_log.history(connection, row.id)
    feed = stored.config_of(configured, row.url, row.settings)
    state = schedule.from_json(row.schedule, row.validators)
    policy = policy_of(feed, row.url, own_host=row.host in own_hosts)
    return politeness.judge(
        politeness.Asked(
            url=row.moved_to or row.url,
            log=[_line(record) for record in records],
            whole_from=whole_from,
            floor=bounds.floor(state, policy),
            moves=[move.at for move in moves.of_feed(connection, row.id)],
            untrusted_since=state.cache.untrusted_since,
            cut=row.body_sha256 is None,
            own_headers={name.lower() for name, _ in feed.headers} if feed else (),
        )
    )


def _line(record: fetch_log.FetchRecord) -> politeness.Line:
    return politeness.Line(
        at=record.at,
        outcome=record.outcome,
        reason=record.reason,
        sent=record.sent,
        given=record.given,
        odd_headers=record.odd_headers,
        next_at=record.next_at,
        next_reason=record.next_reason,
    )
