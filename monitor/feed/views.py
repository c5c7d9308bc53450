"""What `feed show` tells of a feed, read from the database. Decides nothing. Called by `cli`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from monitor import schedule, status
from monitor.feed.facts import Facts, FeedRefused, plain, span, when
from monitor.schedule import bounds, rate
from monitor.store import articles, documents, entries, feeds, moves
from monitor.values import Entry

_SHOWN = 10
_STANDS = {
    "database": "in the database, not in config.yaml",
    "both": "in config.yaml and in the database: what config.yaml says holds",
}
_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class FeedShown:
    """One feed with everything that is stored of it."""

    facts: Facts
    line: status.FeedLine
    moves: tuple[moves.Move, ...]
    newest: tuple[Entry, ...]
    pages: dict[str, int]
    documents: tuple[documents.Document, ...]

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        row, state, configured = self.facts.row, self.facts.state, self.facts.configured
        return self.line.as_dict() | {
            "asked_at": row.moved_to or row.url,
            "moves": [{"at": plain(m.at), "old": m.old, "new": m.new, "why": m.why} for m in self.moves],
            "host": row.host,
            "standing": row.standing,
            "standing_since": plain(row.standing_since),
            "identity": str(row.trust.policy),
            "configured": configured is not None,
            "stands": self.facts.stands,
            "outlet": configured.outlet if configured else None,
            "tags": sorted(configured.tags) if configured else [],
            "note": configured.note if configured else None,
            "interval": plain(state.interval),
            "floor": plain(bounds.floor(state, self.facts.policy)),
            "ceiling": plain(bounds.ceiling(state, self.facts.policy)),
            "per_hour": [round(value, 3) for value in rate.per_hour(state.rate)],
            "last_attempt": plain(row.last_attempt_at),
            "baseline": plain(row.baseline_at),
            "newest": [{"at": plain(e.first_seen), "title": e.title, "url": e.url} for e in self.newest],
            "pages": self.pages,
            "documents": [_document(document) for document in self.documents],
        }

    def as_text(self) -> str:
        """For a terminal."""
        lines = [self.facts.row.url, *(f"  {label:10} {said}" for label, said in self._lines())]
        lines += ["  newest entries"] if self.newest else []
        lines += [f"    {when(entry.first_seen)}  {entry.title or '(without a title)'}" for entry in self.newest]
        return "\n".join([*lines, "  times are UTC"]) + "\n"

    def _lines(self) -> list[tuple[str, str]]:
        facts, row, state, configured = self.facts, self.facts.row, self.facts.state, self.facts.configured
        health = ", ".join([self.line.colour, *self.line.reasons])
        standing = f"; standing {row.standing} since {when(row.standing_since)}" if row.standing_since else ""
        told = [("state", f"{row.state}, {health}{standing}")]
        told += [("failing", f"{row.fail_reason}: {row.fail_message}")] if row.fail_reason else []
        told += [("asked at", row.moved_to)] if row.moved_to else []
        told += [("moved", f"{when(m.at)} {m.why}: {m.old} > {m.new}") for m in self.moves]
        if configured is None:
            told.append(("config", "config.yaml does not name this feed, nor does the database: it is not asked"))
        else:
            told += [("stands", _STANDS[facts.stands])] if facts.stands in _STANDS else []
            told += [("outlet", configured.outlet)] if configured.outlet else []
            told += [("tags", ", ".join(sorted(configured.tags)))] if configured.tags else []
            told += [("note", configured.note)] if configured.note else []
        low, high = bounds.floor(state, facts.policy), bounds.ceiling(state, facts.policy)
        now_every = f", now {span(state.interval)}" if state.interval else ""
        told.append(("interval", f"{span(low)} to {span(high)}{now_every}"))
        if row.state in feeds.POLLED:
            told.append(("next poll", f"{when(row.next_at)}, {row.next_reason}"))
        told.append(
            ("last", f"asked {when(row.last_attempt_at)}, answer {when(row.last_ok_at)}, new {when(row.last_new_at)}")
        )
        told.append(("identity", f"by {row.trust.policy}"))
        told.append(("rate", _rate(state)))
        told.append(("stored", f"{self.line.entries} entries; baseline {when(row.baseline_at)}"))
        pages = ", ".join(f"{number} {name}" for name, number in sorted(self.pages.items()))
        told += [("pages", pages)] if pages else []
        told += [("documents", _kept(self.documents))] if self.documents else []
        return told


def show(connection: Connection, facts: Facts) -> FeedShown:
    """Read everything that is stored of a feed."""
    feed = facts.row.id
    stored = entries.counts_by_feed(connection).get(feed, 0)
    return FeedShown(
        facts=facts,
        line=status.feed_line(facts.row, stored, facts.now, insecure_tls=facts.insecure_tls, stands=facts.stands),
        moves=moves.of_feed(connection, feed),
        newest=entries.newest(connection, feed, _SHOWN),
        pages=articles.counts_of_feed(connection, feed),
        documents=documents.of_feed(connection, feed),
    )


def sparkline(values: Sequence[float]) -> str:
    """Draw values as bars, the highest full.

    >>> sparkline([0.0, 1.0, 2.0])
    '▁▅█'
    """
    top = max(values, default=0.0)
    if top <= 0:
        return _BARS[0] * len(values)
    return "".join(_BARS[round(value / top * (len(_BARS) - 1))] for value in values)


def _rate(state: schedule.FeedState) -> str:
    if not any(state.rate.hours):
        return "nothing learnt yet"
    curve = rate.per_hour(state.rate)
    return f"{sparkline(curve)}  hours 0 to 23, about {sum(curve):.3g} new entries a day"


def _kept(kept: Sequence[documents.Document]) -> str:
    bad = sum(document.reason is not None for document in kept)
    told = f"{len(kept)} kept since {when(kept[-1].at)}" + (f", {bad} of them no feed" if bad else "")
    return f"{told} (--documents lists them, --raw -n N writes one)"


def document_table(kept: Sequence[documents.Document]) -> str:
    """The kept bodies as lines of a terminal, numbered as `--raw -n` takes them."""
    if not kept:
        return "no bodies are kept of this feed (two weeks within storage.keep.bytes)\n"
    lines = [
        f"{n:3}  {when(one.at)}  {one.size:>9,} B  {one.reason or 'feed':14}  {one.headers.get('content-type', '-')}"
        for n, one in enumerate(kept, 1)
    ]
    return "\n".join(["  n  when (UTC)          size  what            type", *lines]) + "\n"


def document_rows(kept: Sequence[documents.Document]) -> list[dict[str, Any]]:
    """The kept bodies for programs."""
    return [_document(one) for one in kept]


def _document(one: documents.Document) -> dict[str, Any]:
    return {"at": plain(one.at), "url": one.url, "reason": one.reason, "size": one.size, "headers": dict(one.headers)}


def raw(connection: Connection, facts: Facts, number: int) -> bytes:
    """The bytes of the `number`-th newest kept body, counted from 1.

    Errors: FeedRefused when so many are not kept.
    """
    kept = documents.of_feed(connection, facts.row.id)
    if not 1 <= number <= len(kept):
        known = f"{len(kept)} are kept; --documents lists them" if kept else "none is kept"
        raise FeedRefused(f"--raw -n {number}: {facts.row.url}: {known}")
    return documents.body(connection, facts.row.id, kept[number - 1].at) or b""
