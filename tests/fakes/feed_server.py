"""A scripted HTTP server on 127.0.0.1 that does what real feed servers do, and remembers what it was asked.

    async with FeedServer() as server:
        server.script("/feed", Step(body=FEED, headers={"ETag": '"a"'}), Step(304))
        ... fetch server.url("/feed") ...
        assert server.of("/feed")[1].header("if-none-match") == b'"a"'

The n-th request to a path gets the n-th step, the last step stays. A step may also be a function of the request and
its number. `chunks` may be endless. Nothing here knows the product.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

Value = str | bytes
HeaderList = Mapping[str, Value] | tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came."""

    method: str
    path: str
    headers: tuple[tuple[str, bytes], ...]
    at: float

    def header(self, name: str) -> bytes | None:
        """Return the last value of a header (`name` in lower case)."""
        return dict(self.headers).get(name)


@dataclass(frozen=True, slots=True)
class Step:
    """One answer. `length` is the Content-Length to claim: None the true one, -1 none at all (the end closes).

    `chunks` replace the body and are sent `pause_s` apart, chunked unless a length is claimed; `head_pause_s` sends
    the headers byte by byte; `reset` cuts the connection after the body; `raw` is sent as it stands.
    """

    status: int = 200
    headers: HeaderList = field(default_factory=dict)
    body: bytes = b""
    delay_s: float = 0.0
    length: int | None = None
    chunks: Iterable[bytes] | None = None
    pause_s: float = 0.0
    head_pause_s: float = 0.0
    reset: bool = False
    raw: bytes | None = None

    def head(self) -> bytes:
        """The status line and headers."""
        pairs = self.headers.items() if isinstance(self.headers, Mapping) else self.headers
        lines = [b"HTTP/1.1 %d Scripted" % self.status]
        lines += [name.encode() + b": " + (v if isinstance(v, bytes) else v.encode("latin-1")) for name, v in pairs]
        if self.chunks is not None and self.length is None:
            lines.append(b"Transfer-Encoding: chunked")
        elif self.length != -1 and self.status not in (204, 304):
            lines.append(b"Content-Length: %d" % (len(self.body) if self.length is None else self.length))
        return b"\r\n".join(lines) + b"\r\n\r\n"


Script = Step | Callable[[Seen, int], Step]


def validating(body: bytes, etag: str, headers: Mapping[str, Value] | None = None) -> Callable[[Seen, int], Step]:
    """Answer 304 to whoever sends the ETag, else the body."""

    def answer(request: Seen, _: int) -> Step:
        fields = {"ETag": etag, **(headers or {})}
        return Step(304, fields) if request.header("if-none-match") == etag.encode() else Step(200, fields, body)

    return answer


class FeedServer:
    """See the module. `tls` makes it an https server; `host` is what its URLs are made with.

    `everywhere` it answers at every address 127.x.y.z: as many hosts as a test likes.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", everywhere: bool = False) -> None:
        self.host = host
        self._bind = "0.0.0.0" if everywhere else "127.0.0.1"
        self.port = 0
        self.requests: list[Seen] = []
        self.connections = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self._tls = tls
        self._scripts: dict[str, tuple[Script, ...]] = {}
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, self._bind, 0, ssl=self._tls, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def vanish(self) -> None:
        """Refuse every connection from now on."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def come_back(self) -> None:
        """Answer again, at the same port."""
        self._server = await asyncio.start_server(self._connected, self._bind, self.port, ssl=self._tls, limit=1 << 20)

    def script(self, path: str, *steps: Script) -> None:
        """Say what a path answers, request by request."""
        self._scripts[path] = steps

    def url(self, path: str, host: str | None = None) -> str:
        """The address of a path, under any name that leads here."""
        return f"{'https' if self._tls else 'http'}://{host or self.host}:{self.port}{path}"

    def of(self, path: str) -> list[Seen]:
        """All requests to one path."""
        return [request for request in self.requests if request.path == path]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (
            ConnectionError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
            asyncio.CancelledError,
            OSError,
        ):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False ends the connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        method, target, _ = head[0].split(b" ", 2)
        pairs = [line.split(b":", 1) for line in head[1:] if line]
        request = Seen(
            method.decode(),
            target.decode("latin-1"),
            tuple((name.decode("latin-1").lower(), value[1:] if value[:1] == b" " else value) for name, value in pairs),
            asyncio.get_running_loop().time(),
        )
        self.requests.append(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._answer(self._step(request), writer)
        finally:
            self.in_flight -= 1

    def _step(self, request: Seen) -> Step:
        steps = self._scripts.get(request.path, (Step(404),))
        n = len(self.of(request.path))
        step = steps[min(n, len(steps)) - 1]
        return step if isinstance(step, Step) else step(request, n)

    async def _answer(self, step: Step, writer: asyncio.StreamWriter) -> bool:
        if step.delay_s:
            await asyncio.sleep(step.delay_s)
        if step.raw is not None:
            writer.write(step.raw)
            await _flush(writer)
            return False
        await _dribble(step.head(), writer, step.head_pause_s)
        if step.chunks is None:
            writer.write(step.body)
        else:
            for chunk in step.chunks:
                writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if step.length is None else chunk)
                await writer.drain()
                await asyncio.sleep(step.pause_s)
            if step.length is None and not step.reset:
                writer.write(b"0\r\n\r\n")
        if not step.reset and step.length is None:
            await writer.drain()
            return True
        await _flush(writer)
        return False


async def _dribble(data: bytes, writer: asyncio.StreamWriter, pause_s: float) -> None:
    if not pause_s:
        writer.write(data)
        return
    for i in range(len(data)):
        writer.write(data[i : i + 1])
        await writer.drain()
        await asyncio.sleep(pause_s)


async def _flush(writer: asyncio.StreamWriter) -> None:
    """Send what is buffered, then end the connection in the ordinary way."""
    await writer.drain()
    writer.close()
    await writer.wait_closed()
