"""Play a recorded stream through the real pipeline and the real alerts, under a virtual clock.

The database is thrown away, and nothing is sent: every channel of the configuration is replaced by one that records.
Watches count as active and feeds as polled before, so the first row can raise an event. A row is one poll of its feed
at its time; what falls due between two rows is decided and "sent" at its own time. Called by `cli`.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from alerts.channels import stdout
from alerts.channels.base import Channel, Manners
from alerts.values import Delivery, Digest, Draft, Event, Receipt
from monitor import pipeline, status, telling, understanding, wiring
from monitor.config import api
from monitor.config.values import Config
from monitor.parse import dates, delta
from monitor.store import claims, feeds, migrate, results
from monitor.store import engine as engines
from monitor.values import Claim, Domain, ParsedEntry, ParsedFeed

Line = dict[str, Any]
Sink = Callable[[Line], None]
_FAR = timedelta(days=36500)
_EARLY = datetime(1990, 1, 1, tzinfo=UTC)
_REQUIRED = ("at", "title")
_TEXTS = ("title", "url", "summary", "text", "lang", "domain", "feed")


@dataclass(frozen=True, slots=True)
class Row:
    """One recorded entry. `id` is what events call it."""

    id: str
    at: datetime
    feed: str
    entry: ParsedEntry


class RowError(ValueError):
    """A row of the stream cannot be used."""


@dataclass(slots=True)
class Tally:
    """Counts for the summary."""

    rows: int = 0
    bad: int = 0
    matched: int = 0
    events: Counter[str] = field(default_factory=Counter)
    deliveries: int = 0


def run(file: Path, config: Path, environ: Mapping[str, str], sink: Sink, *, progress: TextIO) -> int:
    """Play a file; unusable rows are reported by line number and the rest goes on. 1 if there were any."""
    loaded = api.load(config, environ, with_secrets=False)
    with (
        file.open(encoding="utf-8", errors="replace") as stream,
        tempfile.TemporaryDirectory(prefix="storywatch-replay-") as folder,
    ):
        tally = play(read(stream, progress), loaded, Path(folder), sink)
    return 1 if tally.bad else 0


def read(stream: Iterable[str], progress: TextIO) -> Iterator[Row | None]:
    """Read rows in the stream's order; None stands for one that was reported as unusable."""
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        try:
            yield row(json.loads(line), number)
        except (RowError, json.JSONDecodeError, RecursionError) as exc:
            progress.write(f"line {number}: {exc}; left out\n")
            yield None


def row(raw: Any, number: int = 0) -> Row:
    """Make a row of what one line holds.

    Errors: RowError naming the member that is missing, no text or unreadable.
    """
    if not isinstance(raw, dict):
        raise RowError("is no JSON object")
    missing = [name for name in _REQUIRED if not raw.get(name)]
    if missing:
        raise RowError(f"lacks {', '.join(missing)}")
    for name in _TEXTS:
        _check_text(name, raw.get(name))
    at = dates.read(str(raw["at"]), datetime(2200, 1, 1, tzinfo=UTC)).at
    if at is None:
        raise RowError(f"at: {raw['at']!r} is no time")
    known_as = str(raw.get("id") or raw.get("url") or f"line {number}")
    entry = ParsedEntry(
        id=known_as,
        url=raw.get("url"),
        title=raw["title"],
        summary=raw.get("summary") or None,
        content=raw.get("text") or None,
        published=at,
        published_raw=str(raw["at"]),
        outlet=None if raw.get("url") else Domain(str(raw.get("domain") or "")) or None,
        language=raw.get("lang"),
    )
    return Row(known_as, at, str(raw.get("feed") or raw.get("domain") or "stream"), entry)


def _check_text(name: str, value: object) -> None:
    if value is not None and not isinstance(value, str):
        raise RowError(f"{name}: {value!r} is no text")
    if value is not None and any("\ud800" <= c <= "\udfff" for c in value):
        raise RowError(f"{name}: holds half a character")


def play(rows: Iterable[Row | None], config: Config, folder: Path, sink: Sink) -> Tally:
    """Play rows into a database in `folder` and tell `sink` every event, delivery and the summary."""
    engine = engines.open_engine(f"sqlite:///{folder / 'replay.db'}")
    try:
        migrate.ensure(engine)
        context = wiring.context(engine, wiring.knowledge(config, config_rev=1), config, now=_EARLY)
        with closing(_Player(config, context, sink)) as player:
            for item in rows:
                player.take(item)
            player.finish()
    finally:
        engine.dispose()
    return player.tally


class _Player:
    """Steps the clock from one row or due time to the next."""

    def __init__(self, config: Config, context: understanding.Context, sink: Sink) -> None:
        self.tally = Tally()
        self._context = context
        self._sink = sink
        self._now = _EARLY
        self._ids: dict[int, str] = {}
        self._loop = asyncio.new_event_loop()
        plan = context.knowledge.plan
        recorders: dict[str, Channel] = {r.channel: Recorder(r.channel, self._record) for r in plan.recipients}
        self._teller = telling.teller(context.engine, plan, recorders, lambda: None)

    def take(self, item: Row | None) -> None:
        """One row: first what fell due before it, then the row."""
        if item is None:
            self.tally.bad += 1
            return
        self._advance(item.at)
        self._now = max(self._now, item.at)
        self.tally.rows += 1
        report = self._process(item)
        self.tally.matched += len(report.taken)
        for taken in (*report.taken, *report.reread):
            self._ids[int(taken.entry.id)] = item.id
            for event in taken.events:
                self.tally.events[str(event.kind)] += 1
                self._sink(event_line(event, taken, self._ids))
        for event in report.others:
            self.tally.events[str(event.kind)] += 1
            self._sink(_plain_line(event))

    def finish(self) -> None:
        """Let everything that is still due be told, then the summary."""
        self._advance(self._now + timedelta(days=30))
        self._sink(
            {
                "type": "summary",
                "rows": self.tally.rows,
                "bad": self.tally.bad,
                "matched": self.tally.matched,
                "events": dict(sorted(self.tally.events.items())),
                "deliveries": self.tally.deliveries,
            }
        )

    def close(self) -> None:
        """Let go of the loop that sends."""
        self._loop.close()

    def _process(self, item: Row) -> pipeline.Report:
        with self._context.engine.begin() as connection:
            if feeds.by_url(connection, item.feed) is None:
                known = [feeds.Seed(row.url, row.host) for row in feeds.all_rows(connection)]
                feeds.sync(connection, [*known, feeds.Seed(item.feed, item.feed)], self._now)
            named = feeds.by_url(connection, item.feed)
            assert named is not None
            (claimed,) = claims.claim(connection, self._now + _FAR, lease=timedelta(minutes=5), only=named.id)
        assert claimed.claim is not None
        document = delta.whole(ParsedFeed((item.entry,)))
        return pipeline.process(document, self._turn(claimed.claim, claimed.gen), self._context, self._now)

    def _turn(self, claim: Claim, gen: int) -> pipeline.Turn:
        decision = pipeline.Decision(results.Settlement(self._now, "replay", {}, self._now, ok=True))
        return pipeline.Turn(claim, outlet=None, gen=gen + 1, baseline=False, decide=lambda _: decision)

    def _advance(self, until: datetime) -> None:
        while (due := self._teller.next_due()) is not None and due <= until:
            self._now = max(self._now, due)
            self._loop.run_until_complete(self._teller.work(self._now))

    def _record(self, delivery: Delivery) -> None:
        self.tally.deliveries += 1
        with engines.reading(self._context.engine) as connection:
            events = status.event_keys(connection, delivery.delivery_id)
        self._sink(
            {
                "type": "delivery",
                "at": _iso(self._now),
                "channel": delivery.channel,
                "recipient": delivery.to,
                "events": events,
                "text": delivery.body.decode("utf-8", "replace"),
            }
        )


class Recorder:
    """A channel that sends nothing: it renders as the console does and hands each delivery to the replay."""

    def __init__(self, name: str, record: Callable[[Delivery], None]) -> None:
        self.name = name
        self.manners = Manners()
        self._record = record
        self._console = stdout.StdoutChannel(name, stdout.Settings())

    def render(self, digest: Digest, *, first: bool) -> Draft:
        """Render as the console does."""
        return self._console.render(digest, first=first)

    def refresh(self, digest: Digest) -> Draft | None:
        """Refresh nothing."""
        return None

    async def send(self, delivery: Delivery, at: datetime) -> Receipt:
        """Record it."""
        self._record(delivery)
        return Receipt("replayed")

    async def find(self, delivery: Delivery, at: datetime) -> Receipt | None:
        """Never asked."""
        return None


def event_line(event: Event, taken: understanding.Taken, ids: Mapping[int, str]) -> Line:
    """An event as replay tells it: what does not apply is absent."""
    answer = event.answer
    line: Line = {
        "type": "event",
        "at": _iso(event.decided_at),
        "kind": str(event.kind),
        "watch": event.watch,
        "story": event.group,
        "entry": ids.get(int(taken.entry.id)),
        "outlet": taken.entry.outlet,
        "origin": event.origin,
        "copy_of": ids.get(int(taken.assignment.copy_of)) if taken.assignment.copy_of is not None else None,
        "cites": [c.domain or c.source for c in taken.evidence.citations] or None,
        "state": None if event.state == "open" else str(event.state),
        "key": event.key,
    }
    if answer is not None:
        line |= {
            "government": answer.government,
            "body": answer.body,
            "stance": answer.stance,
            "asker": answer.asker,
            "quote": answer.quote,
        }
        if answer.was:
            line |= {"from": answer.was, "to": answer.stance}
    return {name: value for name, value in line.items() if value is not None}


def _plain_line(event: Event) -> Line:
    """An event of no single entry."""
    return {
        "type": "event",
        "at": _iso(event.decided_at),
        "kind": str(event.kind),
        "watch": event.watch,
        "story": event.group,
        "key": event.key,
    }


def json_sink(out: TextIO) -> Sink:
    """Print JSON Lines."""

    def write(line: Line) -> None:
        out.write(json.dumps({k: v for k, v in line.items() if k != "text"}, ensure_ascii=False) + "\n")

    return write


def text_sink(out: TextIO) -> Sink:
    """Print for people: a line per event, each digest as it would be read, and the counts."""

    def write(line: Line) -> None:
        out.write(_as_text(line))

    return write


def _as_text(line: Line) -> str:
    if line["type"] == "event":
        who = line.get("government", "") + (f" {line['body']}" if "body" in line else "")
        what = " ".join(
            part for part in (line["kind"], who, line.get("stance", ""), f"<{line.get('outlet', '?')}>") if part
        )
        return f"{line['at']}  {line['story']}  {what}\n"
    if line["type"] == "delivery":
        return f"\n{line['at']}  to {line['recipient']} over {line['channel']}\n{line['text']}\n"
    counts = ", ".join(f"{n} {kind}" for kind, n in line["events"].items())
    return (
        f"\n{line['rows']} entries, {line['matched']} matched; {counts or 'no events'}; {line['deliveries']} digests\n"
    )


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
