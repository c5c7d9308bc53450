"""Feeds in a folder: Atom and JSON Feed of every watch and every story, for a web server to serve.

    PATH/watch/NAME/feed.atom, feed.json      PATH/story/KEY/feed.atom, feed.json      dlv_....json beside them

Exactly once: each delivery is a file of its own, and the feeds are written anew from the newest of those files; doing
it twice changes nothing. Where readers must not see each other's feeds, choose a folder that nobody can guess.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from alerts.channels.base import Manners
from alerts.channels.reading import Section
from alerts.errors import ChannelBroken, DeliveryError
from alerts.render import feeds
from alerts.render.mail import token
from alerts.values import Delivery, DeliveryKind, Digest, Draft, Receipt


@dataclass(frozen=True, slots=True)
class Settings:
    """`path` is the folder, `url` the address under which it is served; without one the feeds name no address."""

    path: str
    url: str = ""


def read(section: Section) -> Settings:
    """Read the settings of a channel of feeds."""
    section.need("path")
    url = section.url("url") if section.has("url") else None
    return Settings(section.text("path", "."), (url or "").rstrip("/"))


class FeedChannel:
    """Writes entries and feeds aside and renames them."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.manners = Manners(timedelta(seconds=30), at_once=1)
        self._folder = Path(settings.path).expanduser()
        self._url = settings.url

    def render(self, digest: Digest, *, first: bool) -> Draft:
        """Render the entry; the feeds around it are written when it is sent."""
        entry = feeds.entry(digest, self._url)
        return Draft(DeliveryKind.FLAT, json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace"))

    def refresh(self, digest: Digest) -> Draft | None:
        """An entry stays as it was written."""
        return None

    async def send(self, delivery: Delivery, at: datetime) -> Receipt:
        """Put the entry into the feed of each of its watches and stories."""
        entry = json.loads(delivery.payload)
        places = [feeds.Place(watch, f"watch/{token(watch)}", self._url) for watch in entry["watches"]]
        places += [feeds.Place(title or key, f"story/{token(key)}", self._url) for key, title in entry["stories"]]
        try:
            for place in places:
                self._put(place, f"{delivery.delivery_id}.json", delivery.payload)
        except (PermissionError, NotADirectoryError, FileExistsError) as exc:
            raise ChannelBroken(self.name, "no_access", f"{self._folder}: {exc.strerror}") from exc
        except OSError as exc:
            raise DeliveryError(self.name, "write_failed", f"{self._folder}: {exc.strerror}") from exc
        return Receipt("written", (("path", str(self._folder / places[0].path)),))

    def _put(self, place: feeds.Place, name: str, payload: bytes) -> None:
        folder = self._folder / place.path
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / name).exists():
            _write(folder / name, payload)
        known = sorted(folder.glob("dlv_*.json"), reverse=True)
        entries: list[dict[str, Any]] = [json.loads(path.read_bytes()) for path in known[: feeds.MOST]]
        _write(folder / "feed.atom", feeds.atom(place, entries).encode("utf-8"))
        _write(folder / "feed.json", feeds.json_feed(place, entries).encode("utf-8"))

    async def find(self, delivery: Delivery, at: datetime) -> Receipt | None:
        """Sending again is as good as asking."""
        return None


def _write(path: Path, body: bytes) -> None:
    aside = path.with_name(f".{path.name}.new")
    with aside.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
