"""One round of what is due, then out: `storywatch poll --once`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor import logs, reloading
from monitor.config import locating
from monitor.daemon import starting
from monitor.daemon.assembling import assembled
from monitor.daemon.running import utc_now
from monitor.jobs import parts
from monitor.store import feeds, filelock


@dataclass(frozen=True, slots=True)
class PollReport:
    """What `poll --once` did."""

    round: parts.Round
    pages: int
    sent: int

    def as_json(self) -> str:
        """One JSON object."""
        done = self.round
        left_out = [{"url": out.url, "reason": out.reason, "until": out.until.isoformat()} for out in done.left_out]
        told = {
            "polled": done.polled,
            "changed": done.changed,
            "unchanged": done.unchanged,
            "failed": done.failed,
            "left_out": left_out,
            "entries": done.entries,
            "new": done.new,
            "matched": done.matched,
            "events": done.events,
            "pages": self.pages,
            "sent": self.sent,
        }
        return json.dumps(told, ensure_ascii=False) + "\n"

    def as_text(self) -> str:
        """Lines for a terminal: counts, then every feed that failed or was left out."""
        done = self.round
        lines = [
            f"{done.polled} feeds polled: {done.changed} with a new document, {done.unchanged} unchanged, "
            f"{len(done.failed)} failed",
            f"{done.entries} entries read, {done.new} new, {done.matched} matched, {done.events} events, "
            f"{self.pages} pages read, {self.sent} messages",
        ]
        lines += [f"  failed    {url}  {reason}" for url, reason in sorted(done.failed.items())]
        lines += [f"  left out  {out.url}  {out.reason} until {out.until:%d %b %H:%M} UTC" for out in done.left_out]
        return "\n".join(lines) + "\n"


def poll_once(path: Path, environ: Mapping[str, str], *, ignore_schedule: bool, force: bool) -> PollReport:
    """Do one round of what is due, then deliver what is due by then; groups that still wait are told by the next run.

    Errors: ConfigError, StoreError.
    """
    logs.configure(sys.stderr, quiet=True)
    start = starting.start_config(path, environ)
    starting.say_problems(start.problems)
    url = locating.url_of(start.config, environ)
    with filelock.FileLock(url) as lock:
        done = asyncio.run(_poll_once(start, path, environ, url, ignore_schedule, force))
        lock.note_database()
        return done


async def _poll_once(
    start: starting.Start, path: Path, environ: Mapping[str, str], url: str, ignore_schedule: bool, force: bool
) -> PollReport:
    who = start.who if start.who == "shipped" else "poll"
    async with assembled(start.config, environ, url=url, now=utc_now, who=who, text=start.text) as running:
        await reloading.Reloader(running.working, path).primed(running.primes)
        if ignore_schedule:
            with running.engine.begin() as connection:
                feeds.make_due(connection, utc_now())
        done = await running.poller.run_round(force=force)
        pages = await running.pages.work_all()
        sent = await running.teller.work(utc_now())
        running.teller.stop()
        return PollReport(done, pages, sent)
