"""What `feed explain` tells: why the next poll is when it is, what it will send, and what the last ones brought.

Each part is a label, lines for people and a value for programs. Reads what the schedule remembers and asks its own
functions; decides nothing. Called by `cli`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from monitor import schedule
from monitor.feed.facts import Facts, plain, span, when
from monitor.parse import delta
from monitor.schedule import backoff, bounds, rate, redirects, trust
from monitor.store import feeds, fetch_log
from monitor.values import Validators

_LONG = timedelta(days=2)
"""How far ahead the rate is asked when no ceiling is to cut its answer."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WHY = {
    "startup": "it was never asked",
    "adaptive": "its own rhythm: about half a new entry is expected by then",
    "burst": "a story it concerns is live: it is asked as often as its floor allows",
    "cache_control": "the server's Cache-Control or Expires says that its answer stays fresh so long",
    "ttl": "the document asks for it (ttl or sy:updatePeriod)",
    "skip_hours": "the document wants to be spared in the hours before (skipHours, skipDays)",
    "retry_after": "the server said Retry-After",
    "host_hold": "its host, or another of the domain, said 429: all its feeds wait",
    "backoff": "it failed: each failure doubles the wait",
    "circuit": "our own network seems to be down: one host is tried a minute",
    "host_budget": "its host has many feeds, and its requests are kept apart",
    "gone": "the server said 410 twice, a day apart: it is looked at once a month",
    "startup_spread": "it was overdue when the daemon started, or the network came back: such polls are spread",
    "forced": "somebody asked for it",
    "attempt_guard": "no address is asked twice within 10 minutes",
    "secret_missing": "a secret of its configuration cannot be read: storywatch check says which",
    "internal_error": "a fault of storywatch itself: the log has its traceback",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an explanation."""

    label: str
    lines: tuple[str, ...]
    data: Any


@dataclass(frozen=True, slots=True)
class Explanation:
    """All parts, and the last fetches, the newest first."""

    url: str
    parts: tuple[Part, ...]
    fetches: tuple[fetch_log.FetchRecord, ...]

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "url": self.url,
            **{part.label.replace(" ", "_"): part.data for part in self.parts},
            "fetches": [_fetch_row(record) for record in self.fetches],
        }

    def as_text(self) -> str:
        """For a terminal."""
        lines = [self.url]
        for part in self.parts:
            lines += [f"  {label:11} {line}" for label, line in zip([part.label, *[""] * 9], part.lines, strict=False)]
        return "\n".join(lines) + "\n" + fetch_table(self.fetches)


def explain(connection: Connection, facts: Facts) -> Explanation:
    """Gather what decides about a feed."""
    log = fetch_log.newest(connection, facts.row.id)
    parts = [_next(facts), _rhythm(facts), _wishes(facts), _holds(facts), _failures(facts), _validators(facts)]
    parts += [_parsing(facts), _identity(facts), _redirect(facts), _health(facts), _attempt(facts)]
    return Explanation(facts.row.url, tuple(part for part in parts if part.lines), log)


def _next(facts: Facts) -> Part:
    row = facts.row
    data = {"at": plain(row.next_at), "reason": row.next_reason, "state": row.state}
    if row.state not in feeds.POLLED:
        return Part("next poll", (f"never: the feed is {row.state}",), data)
    ahead = row.next_at - facts.now
    reach = f"in {span(ahead)}" if ahead > timedelta() else f"due for {span(-ahead)}"
    why = WHY.get(row.next_reason, row.next_reason)
    return Part("next poll", (f"{when(row.next_at)} UTC, {reach}: {row.next_reason}", why), data)


def _rhythm(facts: Facts) -> Part:
    """The adaptive interval, and which bound cut it."""
    state, policy = facts.state, facts.policy
    low, high = bounds.floor(state, policy), bounds.ceiling(state, policy)
    since = state.last_ok_at or facts.now
    wanted = rate.wait(state.rate, since, state.items, _LONG)
    bound = "floor" if wanted < low else "ceiling" if wanted > high else None
    data = {"wanted": plain(wanted), "floor": plain(low), "ceiling": plain(high), "bound": bound}
    data |= {"interval": plain(state.interval), "per_hour": [round(n, 3) for n in rate.per_hour(state.rate)]}
    if state.last_ok_at is None:
        return Part("rhythm", ("nothing is known of it yet",), data)
    cut = f"the {bound} of {span(low if bound == 'floor' else high)} decides" if bound else "within its bounds"
    hour = rate.per_hour(state.rate)[since.hour]
    return Part(
        "rhythm",
        (
            f"by habit {hour:.2g} new entries an hour at this time of day: every {span(wanted)}; {cut}",
            f"floor {span(low)} ({_why_floor(facts)}), ceiling {span(high)} ({_why_ceiling(facts)})",
        ),
        data,
    )


def _why_floor(facts: Facts) -> str:
    state = facts.state
    if state.cache.untrusted_since:
        return "it is asked without validators"
    if bounds.is_heavy(state):
        return f"no validators and {state.bytes:,} bytes each time"
    if facts.policy.floor is not None:
        return "configured"
    return "the server sends Cache-Control" if state.cache.sends_cache_control else "the usual one"


def _why_ceiling(facts: Facts) -> str:
    usual = bounds.GOVERNMENT_CEILING if facts.policy.government else bounds.CEILING
    if facts.policy.ceiling not in (None, usual):
        return "configured"
    return "tag government" if facts.policy.government else "the usual one"


def _wishes(facts: Facts) -> Part:
    state, wishes = facts.state, facts.state.wishes
    lines: list[str] = []
    if state.cache.fresh:
        lines.append(f"Cache-Control or Expires: fresh for {span(state.cache.fresh)} after its last whole answer")
    if wishes.ttl is not None:
        lines.append(f"ttl {span(wishes.ttl)}" + _capped(wishes.ttl, bounds.LONGEST_TTL))
    if wishes.update_period is not None:
        capped = _capped(wishes.update_period, bounds.LONGEST_PERIOD)
        lines.append(f"sy:updatePeriod {span(wishes.update_period)}" + capped)
    if wishes.skip_hours:
        lines.append(f"skipHours {', '.join(str(hour) for hour in sorted(wishes.skip_hours))} (UTC)")
    if wishes.skip_days:
        lines.append(f"skipDays {', '.join(_DAYS[day] for day in sorted(wishes.skip_days))}")
    if facts.host.interval:
        lines.append(f"its host's feeds together allow one poll of each in {span(facts.host.interval)}")
    data = {
        "fresh": plain(state.cache.fresh),
        "ttl": plain(wishes.ttl),
        "update_period": plain(wishes.update_period),
        "skip_hours": sorted(wishes.skip_hours),
        "skip_days": [_DAYS[day] for day in sorted(wishes.skip_days)],
        "host_interval": plain(facts.host.interval),
    }
    return Part("wishes", tuple(lines or ["the server asks for nothing"]), data)


def _capped(asked: timedelta, most: timedelta) -> str:
    return f", taken as {span(most)}" if asked > most else ""


def _holds(facts: Facts) -> Part:
    state, found = facts.state, []
    if state.hold_until and state.hold_until > facts.now:
        found.append(("feed", facts.row.url, state.hold_until, state.hold_reason))
    found += [(one.kind, one.name, one.hold_until, one.hold_reason) for one in facts.held if one.hold_until]
    lines = tuple(f"{kind} {name} until {when(until)} UTC: {reason}" for kind, name, until, reason in found)
    data = [{"scope": kind, "name": name, "until": plain(until), "reason": why} for kind, name, until, why in found]
    if facts.host.ever_429:
        lines += (f"{facts.row.host} has said 429 before: one request at a time, no bursts",)
    return Part("holds", lines or ("none",), data)


def _failures(facts: Facts) -> Part:
    fail, row = facts.state.fail, facts.row
    data = {"count": fail.count, "weight": fail.weight, "reason": fail.reason, "since": plain(fail.first_at)}
    if not fail.count:
        return Part("failures", ("none since its last answer",), data)
    wait = backoff.wait(fail, bounds.floor(facts.state, facts.policy), facts.policy.watched, 0.0)
    often = "once" if fail.count == 1 else f"{fail.count} times in a row since {when(fail.first_at)} UTC"
    return Part(
        "failures",
        (
            f"{often}; last {row.fail_reason or fail.reason}: {row.fail_message or 'no message'}",
            f"they weigh {fail.weight:g} together: it is left alone for at least {span(wait)} each time",
        ),
        data | {"message": row.fail_message, "wait": plain(wait)},
    )


def _validators(facts: Facts) -> Part:
    state, cache, known = facts.state, facts.state.cache, facts.state.validators
    sent = schedule.to_send(state, facts.now)
    data = {
        "etag": _text(known.etag),
        "last_modified": _text(known.last_modified),
        "sent": sent != Validators(),
        "trusted": not trust.is_distrusted(cache, facts.now),
        "ever_304": cache.ever_304,
        "unchanged_since": plain(cache.unchanged_since),
        "untrusted_since": plain(cache.untrusted_since),
    }
    if known == Validators():
        return Part("validators", ("the server gave none: each poll asks for the whole document",), data)
    shown = [f"ETag {_text(known.etag)}"] if known.etag is not None else []
    shown += [f"Last-Modified {_text(known.last_modified)}"] if known.last_modified is not None else []
    proven = "it has answered 304" if cache.ever_304 else "it never answered 304 so far"
    return Part("validators", (", ".join(shown), f"{_sending(facts, sent)}; {proven}"), data)


def _sending(facts: Facts, sent: Validators) -> str:
    since = facts.state.cache.untrusted_since
    if sent != Validators():
        return "sent with each request, and trusted"
    if since is not None:
        until = when(since + trust.RETRY_TRUST)
        return f"not sent until {until} UTC: a 304 withheld entries on {when(since)}"
    return "left out next time: nothing but 304 for a day, so the server is asked for the whole once"


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def _parsing(facts: Facts) -> Part:
    memory = delta.Memory.unpack(facts.row.items)
    data = {"items": facts.state.items, "remembered": None if memory is None else len(memory.items)}
    if memory is None:
        why = "the next document is read whole: the last one could not be told apart item by item, or there was none"
        return Part("parsing", (why,), data)
    return Part("parsing", (f"only items that differ from the {len(memory.items)} of the last document",), data)


def _identity(facts: Facts) -> Part:
    held = facts.row.trust
    words = {
        "guid": "entries are known by their ids",
        "url": "its ids cannot be trusted: entries are known by their addresses",
        "text": "neither ids nor addresses can be trusted: entries are known by their text",
    }
    trouble = f"; trouble in {held.troubled} documents, last {when(held.last_trouble)} UTC" if held.troubled else ""
    data = {"policy": str(held.policy), "troubled": held.troubled, "last_trouble": plain(held.last_trouble)}
    return Part("identity", (words[str(held.policy)] + trouble,), data)


def _redirect(facts: Facts) -> Part:
    seen, row = facts.state.redirect, facts.row
    lines = [f"asked at {row.moved_to} since a move (feed undo-move takes it back)"] if row.moved_to else []
    if seen is not None:
        proof = "" if seen.same_feed else ", once it is seen to be this feed"
        lines.append(
            f"permanent to {seen.to}, seen {seen.seen} times since {when(seen.since)} UTC; believed after "
            f"{redirects.SIGHTINGS} times over {span(redirects.GRACE)}{proof}"
        )
    data = {"moved_to": row.moved_to, "to": seen.to if seen else None, "seen": seen.seen if seen else 0}
    return Part("redirect", tuple(lines), data)


def _health(facts: Facts) -> Part:
    judged = schedule.health(facts.state, facts.now, insecure_tls=facts.insecure_tls)
    colour = "grey" if facts.row.last_attempt_at is None or facts.row.state not in feeds.POLLED else str(judged.colour)
    told = ", ".join([colour, *judged.reasons])
    if facts.state.last_new_at:
        missed = rate.expected(facts.state.rate, facts.state.last_new_at, facts.now)
        told += f"; last new entry {when(facts.state.last_new_at)} UTC, {missed:.1f} expected since"
    data = {"colour": colour, "reasons": list(judged.reasons), "standing": facts.row.standing}
    return Part("health", (told,), data)


def _attempt(facts: Facts) -> Part:
    refusal = schedule.may_attempt(facts.state, facts.policy, facts.host, facts.now)
    data = {
        "last": plain(facts.row.last_attempt_at),
        "may_from": plain(refusal.until) if refusal else None,
        "refused": str(refusal.reason) if refusal else None,
    }
    last = f"last {when(facts.row.last_attempt_at)} UTC"
    may = f"may ask again from {when(refusal.until)} UTC ({refusal.reason})" if refusal else "may ask now"
    return Part("attempt", (f"{last}; feed refresh {may}",), data)


def fetch_table(log: Sequence[fetch_log.FetchRecord]) -> str:
    """The last fetches as lines of a terminal."""
    if not log:
        return "\nno fetches yet\n"
    head = "when (UTC)      outcome       status      bytes      ms   new  asked    next"
    title = f"last {len(log)} fetches" if len(log) > 1 else "the only fetch"
    return "\n".join(["", title, head, *map(_line, log)]) + "\n"


def _line(one: fetch_log.FetchRecord) -> str:
    asked = "if new" if one.sent else "whole"
    follows = f"{one.next_at:%H:%M} {one.next_reason}" if one.next_at else ""
    line = (
        f"{one.at:%d %b %H:%M:%S} {one.outcome:13} {one.status or '-'!s:>6} {one.size:>10,} "
        f"{one.took.total_seconds() * 1000:>7.0f} {one.new:>5}  {asked:7}  {follows}"
    )
    return line.rstrip() + (f"\n                {one.reason}: {one.message or ''}".rstrip() if one.reason else "")


def _fetch_row(one: fetch_log.FetchRecord) -> dict[str, Any]:
    return {
        "at": plain(one.at),
        "outcome": one.outcome,
        "status": one.status,
        "reason": one.reason,
        "message": one.message,
        "bytes": one.size,
        "ms": round(one.took.total_seconds() * 1000),
        "new": one.new,
        "conditional": one.sent is not None,
        "next_at": plain(one.next_at),
        "next_reason": one.next_reason,
    }
