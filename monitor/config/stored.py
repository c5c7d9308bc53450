"""Settings of feeds that stand in the database: those of config.yaml but for secrets, by the same rules and errors.

A row holds what was said of its feed as plain JSON, written as the file would write it. `config_of` is the one place
that says what holds for a feed: what config.yaml says of it, else what its row says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from monitor.config import building, faults, references, units
from monitor.config.document import Document, Place
from monitor.config.shape import Feed
from monitor.config.values import FeedConfig
from monitor.errors import Problem

SETTINGS = ("outlet", "tags", "floor", "ceiling", "language", "timezone", "note")
"""What may stand in the database."""
ONLY_IN_FILE = ("auth", "headers", "proxy", "tls", "paused")
Settings = Mapping[str, Any]


def config_of(configured: Mapping[str, FeedConfig], url: str, settings: Settings | None) -> FeedConfig | None:
    """What holds for a feed; None for one that stands nowhere (any more, or yet)."""
    return configured.get(url) or (None if settings is None else read(url, settings))


def tags_of(configured: Mapping[str, FeedConfig], url: str, settings: Settings | None) -> frozenset[str]:
    """The tags of a feed: as `config_of`, for whoever asks of very many."""
    known = configured.get(url)
    if known is not None:
        return known.tags
    return frozenset(settings.get("tags", ())) if settings else frozenset()


@dataclass(frozen=True, slots=True)
class Choice:
    """Which feeds a watch looks into: those that have one of its tags, None for all."""

    tags: frozenset[str] | None
    configured: Mapping[str, FeedConfig] = field(repr=False)

    def takes(self, url: str, settings: Settings | None) -> bool:
        """Whether a feed is one of them."""
        return self.tags is None or not self.tags.isdisjoint(tags_of(self.configured, url, settings))


ALL = Choice(None, {})
"""Every feed there is."""


def read(url: str, settings: Settings) -> FeedConfig:
    """Make the settings of a feed from what its row says; called for each poll, so nothing is checked again."""
    tags, floor, ceiling = settings.get("tags", ()), settings.get("floor"), settings.get("ceiling")
    least = units.duration(floor) if floor else None
    return FeedConfig(
        url=url,
        outlet=settings.get("outlet"),
        tags=frozenset(tags),
        floor=least,
        ceiling=units.duration(ceiling) if ceiling else max(building.usual_ceiling(tags), least or timedelta()),
        language=settings.get("language"),
        timezone=settings.get("timezone"),
        note=settings.get("note"),
    )


def written(feed: Feed) -> dict[str, Any]:
    """What a row is to say of a checked feed: what was said and nothing more."""
    return _written({name: getattr(feed, name) for name in SETTINGS})


def said(feed: FeedConfig) -> dict[str, Any]:
    """What a row would say of a feed as it is configured; what a row may not hold is left out."""
    usual = max(building.usual_ceiling(feed.tags), feed.floor or timedelta())
    own = None if feed.ceiling == usual else feed.ceiling
    return _written({name: getattr(feed, name) for name in SETTINGS} | {"ceiling": own})


def _written(values: Mapping[str, Any]) -> dict[str, Any]:
    made = {name: value for name, value in values.items() if value}
    for name, value in made.items():
        if isinstance(value, timedelta):
            made[name] = units.written_duration(value)
    if "tags" in made:
        made["tags"] = sorted(set(made["tags"]))
    return made


def checked(raw: Mapping[str, Any], file: str, line: int) -> tuple[Feed | None, tuple[Problem, ...]]:
    """Check one feed of a list by the rules of config.yaml; the feed is None where there is a fault."""
    document = Document(file, (), {"feeds": [raw]}, values={_PATH: Place(line, 1, 2)})
    found = [faults.problem(document, "E011", (*_PATH, name), _ELSEWHERE) for name in ONLY_IN_FILE if name in raw]
    feed = None
    try:
        feed = Feed.model_validate({name: value for name, value in raw.items() if name not in ONLY_IN_FILE})
    except ValidationError as exc:
        found += faults.from_validation(exc, document, _PATH)
    else:
        found += references.bounds_problems(document, _PATH, raw)
    return (None if found else feed), tuple(map(_in_a_list, found))


_PATH = ("feeds", 0)
_ELSEWHERE = "this is kept in config.yaml only: a feed that needs it stands there"


def _in_a_list(found: Problem) -> Problem:
    """A fault without the file's list that this feed would stand in."""
    shown, said = found.path.removeprefix("feeds[0]").lstrip("."), found.message.removesuffix(" in feeds[0]")
    return replace(found, path=shown, message=said)
