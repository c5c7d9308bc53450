"""What the operator does to a feed that is there: ask now, take a move back, remove it; and edits of config.yaml.

The file is edited by lines, comments stay. Errors are `FeedRefused`: they say what, where and what to do. Called by
`cli`, `adding` and `lists`.
"""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from monitor import resources, schedule
from monitor.config import api, editing, locating, units
from monitor.config.values import Config, FeedConfig
from monitor.errors import ConfigError, StoreError
from monitor.feed.facts import Facts, FeedRefused, FeedUnknown, find, span, unknown, when
from monitor.store import feeds, listed, moves


def database_of(path: Path, environ: Mapping[str, str]) -> tuple[Config, str]:
    """The configuration, the shipped one where there is none of one's own, and the address of its database.

    Errors: ConfigError.
    """
    config = api.load(locating.config_file(path), environ, with_secrets=False)
    return config, locating.url_of(config, environ)


def configured_feeds(path: Path, environ: Mapping[str, str]) -> Mapping[str, FeedConfig] | None:
    """The feeds of the file by address; None when it cannot be used: a list must not fail for it."""
    try:
        config = api.load(locating.config_file(path), environ, with_secrets=False)
    except ConfigError:
        return None
    return {feed.url: feed for feed in config.feeds}


def insecure_feeds(path: Path, environ: Mapping[str, str]) -> frozenset[str]:
    """The feeds whose certificate is not looked at; none when the file cannot be used."""
    return insecure_of(configured_feeds(path, environ))


def insecure_of(configured: Mapping[str, FeedConfig] | None) -> frozenset[str]:
    """Those of these feeds whose certificate is not looked at."""
    return frozenset(url for url, feed in (configured or {}).items() if feed.tls_insecure)


# ------------------------------------------------------------------------------------------------- config.yaml


@dataclass(frozen=True, slots=True)
class Edited:
    """A configuration as it is and as it is wanted; `config` is the wanted one, read and found usable."""

    path: Path
    before: str
    after: str
    config: Config

    def diff(self) -> str:
        """The change as a unified diff."""
        lines = (self.before.splitlines(keepends=True), self.after.splitlines(keepends=True))
        return "".join(difflib.unified_diff(*lines, fromfile=str(self.path), tofile=f"{self.path} (edited)"))

    def write(self) -> None:
        """Replace the file at once: a daemon that reads it meanwhile sees the old text or the new one."""
        target = self.path.resolve()
        try:
            mode = target.stat().st_mode & 0o777
            handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(self.after)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(mode)
            Path(name).replace(target)
        except OSError as exc:
            raise FeedRefused(f"{self.path}: cannot be written ({exc.strerror}); nothing was changed") from exc


def editable(path: Path, environ: Mapping[str, str]) -> tuple[str, Config]:
    """Read the file that is about to be edited.

    Errors: FeedRefused when there is none of one's own, ConfigError when it has faults: those are mended first.
    """
    if not path.is_file():
        shipped = resources.resource_path("config.yaml")
        raise FeedRefused(f"{path}: there is no such file to edit; begin with a copy: cp {shipped} {path}")
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise FeedRefused(f"{path}: cannot be read: {exc}") from exc
    return text, api.parse_text(text, environ, file=str(path), with_secrets=False)


def edited(path: Path, before: str, after: str, environ: Mapping[str, str]) -> Edited:
    """Check an edit before anything is written.

    Errors: ConfigError with the faults the new text would have.
    """
    return Edited(path, before, after, api.parse_text(after, environ, file=str(path), with_secrets=False))


def configured(config: Config, url: str) -> FeedConfig | None:
    """The feed of the configuration that has this address, perhaps written a little differently."""
    try:
        wanted = units.same_address(url)
    except ValueError:
        return None
    return next((feed for feed in config.feeds if units.same_address(feed.url) == wanted), None)


def with_feeds(path: Path, before: str, lines: list[str], environ: Mapping[str, str]) -> Edited:
    """Add feeds, written by `editing.feed_line`, to the file's text.

    Errors: FeedRefused when its list cannot be added to by lines; ConfigError.
    """
    try:
        after = editing.with_feeds(before, lines)
    except ValueError as exc:
        raise FeedRefused(f"{path}: feeds: {exc}") from exc
    return edited(path, before, after, environ)


# ------------------------------------------------------------------------------------------------- one feed


def removal(path: Path, url: str, environ: Mapping[str, str]) -> tuple[Edited, str]:
    """Prepare the removal of a feed from the file; answers the edit and the address as configured.

    Errors: FeedUnknown; FeedRefused when it cannot be taken out by lines; ConfigError.
    """
    before, config = editable(path, environ)
    feed = configured(config, url)
    if feed is None:
        raise FeedUnknown(f"{path}: {unknown(url, [one.url for one in config.feeds])}")
    try:
        after = editing.without_feed(before, feed.url)
    except ValueError as exc:
        raise FeedRefused(f"{path}:{feed.line}: {exc}") from exc
    return edited(path, before, after, environ), feed.url


def removal_anywhere(
    path: Path, url: str, environ: Mapping[str, str], reading: Callable[[], AbstractContextManager[Connection]]
) -> tuple[Edited | None, str]:
    """As `removal`; for a feed that stands in the database only there is no edit.

    Errors: as `removal`, where the database does not name the feed either.
    """
    try:
        return removal(path, url, environ)
    except (FeedUnknown, FeedRefused) as not_in_file:
        if path.is_file() and isinstance(not_in_file, FeedRefused):  # it is there and cannot be taken out
            raise
        try:
            with reading() as connection:
                return None, standing(connection, url)
        except (FeedUnknown, StoreError):
            raise not_in_file from None


def pause(connection: Connection, url: str) -> bool:
    """Ask a removed feed no more, wherever it stood; false when it was never stored."""
    row = feeds.by_url(connection, url)
    if row is not None:
        listed.remove(connection, row.id)
        feeds.pause(connection, row.id)
    return row is not None


def standing(connection: Connection, url: str) -> str:
    """The address, as it was named, of a feed that stands in the database.

    Errors: FeedUnknown.
    """
    row = find(connection, url)
    if row.settings is None:
        raise FeedUnknown(f"{row.url}: the feed was removed already; neither config.yaml nor the database names it")
    return row.url


def refresh(connection: Connection, facts: Facts) -> str:
    """Make a feed due now.

    Errors: FeedRefused, naming the hold or the guard that forbids it and its end.
    """
    row, now = facts.row, facts.now
    if row.state not in feeds.POLLED:
        why = (
            "config.yaml does not name it, nor does the database"
            if facts.configured is None
            else "config.yaml says paused: true"
        )
        said = why if row.state == "paused" else f"it leads to {row.moved_to}, which is a feed of its own"
        raise FeedRefused(f"{row.url}: the feed is {row.state} and is not asked: {said}")
    refusal = schedule.may_attempt(facts.state, facts.policy, facts.host, now)
    if refusal is not None:
        raise FeedRefused(_not_yet(facts, refusal))
    feeds.ask_now(connection, row.id, now)
    return f"{row.url}: due now; the running daemon asks within its tick, storywatch poll at once\n"


def _not_yet(facts: Facts, refusal: schedule.Refusal) -> str:
    until = f"may be asked again from {when(refusal.until)} UTC, in {span(refusal.until - facts.now)}"
    match refusal.reason:
        case schedule.NextReason.ATTEMPT_GUARD:
            why = f"was asked at {when(facts.row.last_attempt_at)} UTC, and no address is asked twice within 10 minutes"
        case schedule.NextReason.HOST_HOLD:
            held = max(facts.held, key=lambda one: one.hold_until or facts.now)
            why = f"the {held.kind} {held.name} is left alone ({held.hold_reason})"
        case _:
            why = "its server asked to be left alone (Retry-After)"
    return f"{facts.row.url}: {why}; {until}"


def undo_move(connection: Connection, url: str, now: datetime) -> str:
    """Take the last learnt move back.

    Errors: FeedUnknown; FeedRefused when there was none.
    """
    row = find(connection, url)
    back = moves.undo(connection, row.id, now)
    if back is None:
        raise FeedRefused(f"{row.url}: there is no move to take back; it is asked at {row.moved_to or row.url}")
    return f"{row.url}: asked at {back} again, and no more at {row.moved_to}; due now\n"
