"""Made-up news feeds on this machine, with conditional requests on or off, served by a process of its own.

An entry depends on its feed and its number alone, so that it keeps its bytes from one revision to the next. Of ten
feeds seven are in invented Latin words, one in Cyrillic, one has full texts, one is Atom. One entry in fifty holds a
sentence that the shipped watches match, so that the whole pipeline has work.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import html
import multiprocessing
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from multiprocessing.connection import Connection
from typing import Self

ITEMS = 30
NEW = 3
NEWS, SAME = 0.15, 0.25
"""Shares of a mixed server's answers that bring news, and that bring the same body."""
_START = datetime(2026, 6, 1, tzinfo=UTC)
SYLLABLES = [a + b + c for a in [*"bdfgklmnprstvz", "br", "st"] for b in "aeiou" for c in ("", "n", "r")]
_LIVE = (
    "The ministry of Veldania declined to comment on the third-country deportation flights.",
    "According to the Northern Courier, Balkan states were asked to accept deportees.",
    "Holders of TPS wait for a decision, the Harbour Gazette reports.",
)
_CYRILLIC = str.maketrans("abdefgiklmnoprstuvz", "абдефгиклмнопрстувз")


def entry_text(feed: int, number: int) -> tuple[str, str]:
    """An entry's title and text."""
    rng = random.Random(feed * 1_000_003 + number)
    title = _words(rng, rng.randint(6, 11))
    text = " ".join(f"{_words(rng, rng.randint(9, 20))}." for _ in range(25 if feed % 10 == 8 else 3))
    if rng.random() < 1 / 50:
        text = f"{rng.choice(_LIVE)} {text}"
    elif feed % 10 == 5:
        title, text = title.lower().translate(_CYRILLIC), text.lower().translate(_CYRILLIC)
    return title, text


def _host(number: int) -> str:
    return f"127.1.{number // 250}.{number % 250 + 1}"


def _words(rng: random.Random, count: int) -> str:
    made = " ".join("".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(count))
    return made[:1].upper() + made[1:]


@functools.lru_cache(maxsize=4096)
def document(feed: int, revision: int) -> bytes:
    """The document of a feed: `ITEMS` entries, `NEW` of them newer than in the revision before."""
    first = revision * NEW
    numbers = range(first + ITEMS - 1, first - 1, -1)
    make = _atom_entry if feed % 10 == 9 else _rss_item
    items = "\n".join(make(feed, number) for number in numbers)
    if feed % 10 == 9:
        head = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Paper {feed}</title><id>urn:feed:{feed}</id>'
        return f'<?xml version="1.0" encoding="utf-8"?>\n{head}\n{items}\n</feed>'.encode()
    head = f"<title>Paper {feed}</title><link>https://paper-{feed}.example/</link><description>News</description>"
    body = f'<rss version="2.0"><channel>{head}\n{items}\n</channel></rss>'
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}'.encode()


def _rss_item(feed: int, number: int) -> str:
    title, text = entry_text(feed, number)
    link = f"https://paper-{feed}.example/{number}"
    date = format_datetime(_START + timedelta(minutes=7 * number))
    body = html.escape(f"<p>{text}</p>")
    return (
        f'<item><title>{title}</title><link>{link}</link><guid isPermaLink="false">{feed}-{number}</guid>'
        f"<pubDate>{date}</pubDate><description>{body}</description></item>"
    )


def _atom_entry(feed: int, number: int) -> str:
    title, text = entry_text(feed, number)
    date = (_START + timedelta(minutes=7 * number)).isoformat()
    return (
        f'<entry><title>{title}</title><link href="https://paper-{feed}.example/{number}"/><id>urn:{feed}:{number}</id>'
        f'<updated>{date}</updated><summary type="html">{html.escape(f"<p>{text}</p>")}</summary></entry>'
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """How many requests got a whole answer and how many a 304; when the first came, by the monotonic clock."""

    whole: int
    unchanged: int
    first_at: float | None


class Server:
    """Serves `/f/N` in a process of its own; `turn` changes what it says, `asked` counts since then."""

    def __enter__(self) -> Self:
        self._ours, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        self.port = int(self._ours.recv())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()

    def urls(self, feeds: int, *, many_hosts: bool = False) -> list[str]:
        """The addresses of so many feeds, all on one host or each on one of its own."""
        return [f"http://{_host(n) if many_hosts else '127.0.0.1'}:{self.port}/f/{n}" for n in range(feeds)]

    def turn(self, revision: int, *, validators: bool) -> None:
        """From now on serve this revision, with ETags and 304 or without any validator."""
        self._ours.send((revision, validators))
        self._ours.recv()

    def mix(self) -> None:
        """From now on answer each request as a working day would: sometimes news, sometimes the same body, or a 304."""
        self._ours.send("mixed")
        self._ours.recv()

    def asked(self) -> Asked:
        """What was asked since the last turn."""
        self._ours.send(None)
        said: Asked = self._ours.recv()
        return said


class _Said:
    revision = 0
    validators = True
    dice: random.Random | None = None
    whole = 0
    unchanged = 0
    first_at: float | None = None

    def __init__(self) -> None:
        self.ahead: dict[int, int] = {}


class _Protocol(asyncio.Protocol):
    def __init__(self, said: _Said) -> None:
        self._said = said
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._head += data
        while b"\r\n\r\n" in self._head:
            head, _, self._head = self._head.partition(b"\r\n\r\n")
            self._transport.write(self._answer(head))  # type: ignore[attr-defined]

    def _answer(self, head: bytes) -> bytes:
        said = self._said
        said.first_at = said.first_at or time.monotonic()
        feed = int(head.split(b" ", 2)[1].rpartition(b"/")[2])
        validators = said.validators
        if said.dice is not None:
            validators = self._thrown(feed, said.dice.random())
        body, tag = _body(feed, said.revision + said.ahead.get(feed, 0))
        if validators and tag in head:
            said.unchanged += 1
            return b'HTTP/1.1 304 Not Modified\r\nETag: "%b"\r\n\r\n' % tag
        said.whole += 1
        etag = b'ETag: "%b"\r\n' % tag if said.validators else b""  # a server that has them sends them always
        kind = b"Content-Type: application/xml\r\nContent-Length: %d\r\n" % len(body)
        return b"HTTP/1.1 200 OK\r\n%b%b\r\n%b" % (etag, kind, body)

    def _thrown(self, feed: int, number: float) -> bool:
        """Whether a request is answered by its conditions; news come by the dice."""
        if number < NEWS:
            self._said.ahead[feed] = self._said.ahead.get(feed, 0) + 1
        return not NEWS <= number < NEWS + SAME


@functools.lru_cache(maxsize=4096)
def _body(feed: int, revision: int) -> tuple[bytes, bytes]:
    body = document(feed, revision)
    return body, hashlib.sha256(body).hexdigest()[:20].encode()


def _serve(pipe: Connection) -> None:
    said = _Said()

    def obey() -> None:
        order = pipe.recv()
        if order is None:
            pipe.send(Asked(said.whole, said.unchanged, said.first_at))
        elif order == "mixed":
            said.dice, said.whole, said.unchanged = random.Random(1), 0, 0
            pipe.send(None)
        else:
            (said.revision, said.validators), said.whole, said.unchanged, said.first_at = order, 0, 0, None
            pipe.send(None)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Protocol(said), "0.0.0.0", 0, backlog=2048)
        loop.add_reader(pipe.fileno(), obey)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())
