"""A feed server on 127.0.0.1 that shows each entry of the demo's story from its time on.

It is told the virtual time by the player and behaves like a decent server: ETags, 304, a Date. Called by `play`.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from xml.sax.saxutils import escape


@dataclass(frozen=True, slots=True)
class Scene:
    """One entry of the story and the feed that shows it."""

    id: str
    at: datetime
    feed: str
    host: str
    lang: str
    slug: str
    title: str
    summary: str
    text: str
    note: str


def story() -> tuple[Scene, ...]:
    """Read the bundled story, in time order."""
    text = resources.files("monitor.demo").joinpath("story.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines() if line]
    return tuple(Scene(**{**row, "at": datetime.fromisoformat(row["at"])}) for row in rows)


def document(feed: str, scenes: Sequence[Scene], now: datetime) -> bytes:
    """Write the RSS document a feed shows at a time, newest entry first."""
    shown = [scene for scene in scenes if scene.feed == feed and scene.at <= now]
    items = "".join(_item(scene) for scene in reversed(shown))
    head = f"<title>{escape(feed)}</title><link>https://{feed}.example/</link><description>demo</description>"
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>{head}{items}</channel></rss>\n'.encode()
    )


def _item(scene: Scene) -> str:
    body = escape(f"{scene.summary} {scene.text}")
    return (
        f'<item><guid isPermaLink="false">{scene.id}</guid><title>{escape(scene.title)}</title>'
        f"<link>https://{scene.host}/{scene.slug}</link><pubDate>{format_datetime(scene.at)}</pubDate>"
        f"<description>{body}</description></item>"
    )


class Server:
    """Serves `/<feed>.xml` for every feed of the story; `now` is set by the player."""

    def __init__(self, scenes: Sequence[Scene], now: datetime, port: int = 0) -> None:
        self.now = now
        self._scenes = scenes
        self._feeds = {scene.feed for scene in scenes}
        self._http = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.feeds = sorted(self._feeds)
        self.port = self._http.server_port
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def url(self, feed: str) -> str:
        """The address of a feed."""
        return f"http://127.0.0.1:{self.port}/{feed}.xml"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                feed = self.path.strip("/").removesuffix(".xml")
                if feed not in server._feeds:
                    self._answer(HTTPStatus.NOT_FOUND, b"no such feed", "")
                    return
                body = document(feed, server._scenes, server.now)
                etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
                if self.headers.get("If-None-Match") == etag:
                    self._answer(HTTPStatus.NOT_MODIFIED, b"", etag)
                else:
                    self._answer(HTTPStatus.OK, body, etag)

            def _answer(self, status: HTTPStatus, body: bytes, etag: str) -> None:
                self.send_response_only(status)
                self.send_header("Date", format_datetime(server.now, usegmt=True))
                self.send_header("Content-Type", "application/rss+xml; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                if etag:
                    self.send_header("ETag", etag)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
                """Keep quiet: the player tells what happens."""

        return Handler
