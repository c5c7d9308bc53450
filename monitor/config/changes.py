"""What differs between two accepted states of the file, and what follows from it. Pure.

A change of what a watch looks for primes it again; a few keys only take effect at a start. Called by the reload, by
`storywatch config diff`, `storywatch check` and by the revision history.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import timedelta
from typing import Any

from monitor.config import queries, units
from monitor.config.secrets import redact
from monitor.config.values import Config, FeedConfig, Watch
from monitor.match import query as language
from monitor.match.tree import operands

RESTART = (
    "contact",
    "storage",
    "engine",
    "parse",
    "web.host",
    "web.port",
    "web.metrics",
    "limits.body_bytes",
    "limits.wire_bytes",
    "limits.deadline",
    "limits.per_host",
    "limits.host_gap",
    "limits.allow_hosts",
)
"""Keys that only count at a start, because an open connection or a process holds them: a reload waits for it."""
PRIMING = ("query_text", "languages", "governments", "outlets", "exclude", "feed_tags")
"""Parts of a watch whose change makes older entries match: they are looked through without telling."""

_SHOWN = 60
_TERMS = 5
_AT_ONCE = ("storage.keep",)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: `sign` is + new, - gone, ~ changed. `primes` names the watch that is to be primed."""

    sign: str
    path: str
    note: str = ""
    primes: str | None = None
    restart: bool = False

    def __str__(self) -> str:
        return f"{self.sign} {self.path}" + (f"  {self.note}" if self.note else "")


def changes(old: Config, new: Config) -> tuple[Change, ...]:
    """List the differences in the order of the file's sections. Secrets do not appear: only references differ."""
    return (
        *_plain(old, new),
        *_feeds(old, new),
        *_mapping("outlets", old.outlets, new.outlets),
        *_watches(old, new),
        *_mapping("concepts", old.concepts, new.concepts),
        *_raw("", old.alerts_raw, new.alerts_raw),
    )


def needs_restart(found: tuple[Change, ...]) -> tuple[str, ...]:
    """Name the changed keys that wait for a start."""
    return tuple(change.path for change in found if change.restart)


def restart_wanted(keys: tuple[str, ...]) -> str:
    """Say which keys wait for a start."""
    return f"needs restart: {', '.join(keys)}"


def told(found: tuple[Change, ...], most: int | None = None) -> Iterator[str]:
    """Write one line per difference, the first of many only."""
    for change in found[:most]:
        yield f"{change}{'  (needs restart)' if change.restart else ''}"
    if most is not None and len(found) > most:
        yield f"and {len(found) - most} more (storywatch config diff)"


def to_prime(found: tuple[Change, ...]) -> frozenset[str]:
    """Name the watches to be primed."""
    return frozenset(change.primes for change in found if change.primes)


def without_restart(old: Config, new: Config) -> Config:
    """Give the new state with every key that needs a start as it was: what a reload can take up at once."""
    kept = replace(new, contact=old.contact, engine=old.engine, parse=old.parse)
    web = replace(new.web, host=old.web.host, port=old.web.port, metrics=old.web.metrics)
    limits = replace(
        old.limits, max_item_age=new.limits.max_item_age, entries_per_document=new.limits.entries_per_document
    )
    return replace(kept, web=web, limits=limits, storage=replace(old.storage, keep=new.storage.keep))


def fingerprint(watch: Watch) -> str:
    """Name what a watch looks for: two watches with one fingerprint take the same entries."""
    parts = [_plainly(getattr(watch, name)) for name in PRIMING]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _plainly(value: Any) -> Any:
    """Write a value so that equal ones read the same in every process."""
    if isinstance(value, frozenset):
        return sorted(_plainly(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [_plainly(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plainly(item) for key, item in value.items()}
    if is_dataclass(value):
        return {field.name: _plainly(getattr(value, field.name)) for field in fields(value)}
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


def _plain(old: Config, new: Config) -> Iterator[Change]:
    for name in ("contact", "timezone"):
        if getattr(old, name) != getattr(new, name):
            arrow = _arrow(getattr(old, name), getattr(new, name))
            yield Change("~", name, arrow, restart=name in RESTART)
    for section in ("storage", "engine", "parse", "web", "limits", "governments", "stories", "canary"):
        yield from _fields(section, getattr(old, section), getattr(new, section))


def _fields(path: str, old: Any, new: Any) -> Iterator[Change]:
    """Compare two values of one dataclass, field by field."""
    for field in fields(old):
        before, after = getattr(old, field.name), getattr(new, field.name)
        at = f"{path}.{field.name}"
        if before != after:
            restart = any(at == key or at.startswith(key + ".") for key in RESTART)
            yield Change("~", at, _arrow(before, after), restart=restart and at not in _AT_ONCE)


def _feeds(old: Config, new: Config) -> Iterator[Change]:
    before = {units.same_address(feed.url): feed for feed in old.feeds}
    after = {units.same_address(feed.url): feed for feed in new.feeds}
    for key, feed in after.items():
        if key not in before:
            yield Change("+", f"feeds[{feed.url}]", "its first poll tells nothing")
        elif _without_line(before[key]) != _without_line(feed):
            yield Change("~", f"feeds[{feed.url}]")
    for key, feed in before.items():
        if key not in after:
            yield Change("-", f"feeds[{feed.url}]")


def _without_line(feed: FeedConfig) -> tuple[Any, ...]:
    return tuple(getattr(feed, field.name) for field in fields(feed) if field.name != "line")


def _watches(old: Config, new: Config) -> Iterator[Change]:
    before = {watch.name: watch for watch in old.watches}
    for watch in new.watches:
        if watch.name not in before:
            yield Change("+", f"watches[{watch.name}]", "new: will be primed", primes=watch.name)
        else:
            yield from _watch(before[watch.name], watch, (old, new))
    for name in before:
        if new.watch(name) is None:
            yield Change("-", f"watches[{name}]", "its stories stay")


def _watch(old: Watch, new: Watch, files: tuple[Config, Config]) -> Iterator[Change]:
    for field in fields(old):
        if field.name == "line" or getattr(old, field.name) == getattr(new, field.name):
            continue
        primes = field.name in PRIMING
        path = f"watches[{new.name}].{field.name}"
        if field.name == "query_text":
            note = "".join(f"{part}; " for part in _terms(old, new, files))
            yield Change("~", f"watches[{new.name}].query", f"{note}primed again", primes=new.name)
        else:
            note = "primed again" if primes else _arrow(getattr(old, field.name), getattr(new, field.name))
            yield Change("~", path, note, primes=new.name if primes else None)


def _terms(old: Watch, new: Watch, files: tuple[Config, Config]) -> Iterator[str]:
    """Say which terms a query gained and lost; nothing when only their joints changed."""
    before, after = (terms_of(watch, file) for watch, file in zip((old, new), files, strict=True))
    for word, found in (("added", after - before), ("removed", before - after)):
        if found:
            shown = ", ".join(sorted(found)[:_TERMS]) + (" ..." if len(found) > _TERMS else "")
            yield f"{word} {shown}"


def terms_of(watch: Watch, file: Config) -> frozenset[str]:
    """Name the terms of a watch's query as they are written in it."""
    tree = language.parse(watch.query_text, queries.lexicon(file.concepts))
    return frozenset(language.show(term) for term in operands(tree))


def _mapping(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for key in (*new, *(key for key in old if key not in new)):
        if old.get(key) != new.get(key):
            sign = "+" if key not in old else "-" if key not in new else "~"
            yield Change(sign, f"{path}[{key}]")


def _raw(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Compare plain values of the telling half, mapping by mapping."""
    for key in (*new, *(key for key in old if key not in new)):
        before, after = old.get(key), new.get(key)
        at = f"{path}.{key}" if path else key
        if before == after or at == "timezone":
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _raw(at, before, after)
        else:
            sign = "+" if key not in old else "-" if key not in new else "~"
            yield Change(sign, at, _arrow(before, after) if sign == "~" else "")


def _arrow(old: Any, new: Any) -> str:
    return redact(f"{_written(old)} > {_written(new)}")


def _written(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, timedelta):
        return units.written_duration(value)
    if isinstance(value, (frozenset, tuple, list)):
        value = ", ".join(sorted(str(item) for item in value))
    text = str(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
