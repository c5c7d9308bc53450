"""One GET over a connection of aiohttp's pool: the head goes out, the answer's head comes in, its body as it is read.

aiohttp opens, keeps and closes connections and reads answers with its parser; its session, which costs more than both
together, is left out: a poll has no cookies, no redirects of its own, no body, no clock but ours. Spelling of the URL
and of headers is kept to the byte. Behind a proxy aiohttp's session does it all (`Proxied`). Called by `transport`.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Iterable
from functools import lru_cache
from typing import Any, NoReturn

import aiohttp
import httpx
import yarl
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError
from httpx_aiohttp import AiohttpTransport
from httpx_aiohttp.transport import AiohttpResponseStream
from multidict import CIMultiDict

from monitor.fetch.limits import Limits

_CHUNK = 16 * 1024
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""What ends a line, or is in none: RFC 9110 section 5.5."""
_SWITCHING = 101
_HINTS = 20
"""Interim answers before one that counts; a server could send them for ever."""
_LARGEST_READ = 256 * 1024
"""What an event loop may hand over at once: the last piece of the headers can hold so much of the body."""
_DOORS = 128
"""A door is made in six microseconds and takes a kilobyte: what is kept is for hosts with many feeds."""
_timeout = lru_cache(maxsize=64)(aiohttp.ClientTimeout)


class EndlessHeaders(aiohttp.ClientError):
    """The headers of an answer are larger in all than is allowed."""


class BoundedHandler(ResponseHandler):
    """A connection whose headers may not grow for ever: aiohttp bounds each of them and their number, not the sum.

    Without this one server can fill 200 MB before anybody sees a header.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, limits: Limits) -> None:
        super().__init__(loop)
        self._most = limits.headers_bytes + _LARGEST_READ
        self._heard = 0

    def set_response_params(self, **params: Any) -> None:
        self._heard = 0
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        if self._payload is None:  # no body has begun
            self._heard += len(data)
            if self._heard > self._most:
                self.set_exception(EndlessHeaders(f"more than {self._most:,} bytes and no end of the headers"))
                self.close()
                return
        super().data_received(data)


class Get(httpx.Request):
    """A GET without a body and with these headers, no others.

    httpx's own constructor parses the URL and costs as much as sending the request does.
    """

    def __init__(self, url: str, headers: CIMultiDict[str], connect_s: float, read_s: float) -> None:
        self.method = "GET"
        self.url = url  # type: ignore[assignment]  # the transport only asks for its text
        self.headers = headers  # type: ignore[assignment]  # and hands these to aiohttp, which wants them so
        self.extensions = {"timeout": {"connect": connect_s, "read": read_s}}
        self.stream = httpx.ByteStream(b"")
        self._content = b""


class Wire(httpx.AsyncBaseTransport):
    """The transport for a `Get`.

    It costs about half of a request by way of a session (`python -m bench.client`). Errors are aiohttp's own, and
    ValueError for what cannot be sent.
    """

    def __init__(self, connector: aiohttp.TCPConnector, limits: Limits) -> None:
        self._connector = connector
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._door = lru_cache(maxsize=_DOORS)(self._make_door)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and answer as soon as the headers are there.

        A server may close a kept connection just when a request is on its way: then it is sent once more (RFC 9112
        section 9.3.1).
        """
        try:
            return await self._exchange(request)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
            return await self._exchange(request)

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        text, timeout = str(request.url), request.extensions["timeout"]
        origin, path = _cut(text)
        door, host = self._door(origin)
        head = _head(path, host, request.headers.items())
        connection = await self._connect(door, timeout["connect"])
        protocol: Any = connection.protocol
        try:
            protocol.set_response_params(
                read_until_eof=True,
                auto_decompress=False,
                read_timeout=timeout["read"],
                max_line_size=self._limits.header_bytes,
                max_field_size=self._limits.header_bytes,
                max_headers=self._limits.headers_count,
            )
            protocol.transport.write(head)
            protocol.start_timeout()
            answer, body = await _read(protocol)
        except HttpProcessingError as exc:
            connection.close()
            _raise_unreadable(exc, door)
        except BaseException:
            connection.close()
            raise
        return httpx.Response(answer.code, headers=answer.raw_headers, stream=_Stream(connection, body))

    async def _connect(self, door: aiohttp.ClientRequest, within_s: float) -> Any:
        try:
            return await self._connector.connect(door, [], _timeout(sock_connect=within_s))
        except TimeoutError as exc:
            raise aiohttp.ConnectionTimeoutError(f"Connection timeout to host {door.url}") from exc

    def _make_door(self, origin: str) -> tuple[aiohttp.ClientRequest, str]:
        """What the pool wants to see of an origin, and how a request names its host."""
        door = aiohttp.ClientRequest("GET", yarl.URL(f"{origin}/", encoded=True), loop=self._loop)
        return door, door.headers["Host"]


class _Stream(httpx.AsyncByteStream):
    """The body of an answer. A connection whose body was read to its end is kept for the next request."""

    def __init__(self, connection: Any, body: aiohttp.StreamReader) -> None:
        self._connection = connection
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._body.iter_chunked(_CHUNK):
            yield piece

    async def aclose(self) -> None:
        self._connection.release()


class Proxied(AiohttpTransport):
    """The transport for a `Get` through a proxy, by aiohttp's session. Errors are aiohttp's own."""

    def __init__(self, session: aiohttp.ClientSession, context: ssl.SSLContext, proxy: str) -> None:
        super().__init__(verify=context, client=session, proxy=httpx.Proxy(proxy))
        self._session = session

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and answer as soon as the headers are there.

        The URL goes out as it is: aiohttp would decode %2C in a query and with it break a signed one.
        """
        timeout, proxy = request.extensions["timeout"], self.proxy
        assert proxy is not None
        answer = await self._session.request(
            request.method,
            yarl.URL(str(request.url), encoded=True),
            headers=request.headers,
            allow_redirects=False,
            auto_decompress=False,
            timeout=_timeout(sock_connect=timeout["connect"], sock_read=timeout["read"]),
            proxy=str(proxy.url),
            proxy_auth=aiohttp.BasicAuth(*proxy.auth) if proxy.auth else None,
            proxy_headers=proxy.headers,
        )
        return httpx.Response(
            answer.status, headers=answer.raw_headers, stream=AiohttpResponseStream(answer), request=request
        )


async def _read(protocol: Any) -> tuple[Any, aiohttp.StreamReader]:
    """The head and the body of an answer, past what only announces it. Errors: EndlessHeaders."""
    for _ in range(_HINTS):
        answer, body = await protocol.read()
        if answer.code >= 200 or answer.code == _SWITCHING:
            return answer, body
    raise EndlessHeaders(f"more than {_HINTS} interim answers")


def _cut(url: str) -> tuple[str, str]:
    """Part an address without user info or fragment into its origin and the target of the request line."""
    at = url.find("/", url.index("//") + 2)
    query = url.find("?")
    if at < 0 or 0 <= query < at:
        at = query if query >= 0 else len(url)
    target = url[at:]
    return url[:at], target if target.startswith("/") else f"/{target}"


def _head(target: str, host: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """The bytes of a request. Errors: ValueError for a control character, which would make other headers of one."""
    lines = [f"GET {target} HTTP/1.1", f"Host: {host}", *[f"{name}: {value}" for name, value in headers]]
    if _CONTROLS.search("".join(lines)):
        odd = next(line for line in lines if _CONTROLS.search(line))
        raise ValueError(f"a control character in what would be sent: {odd[:80]!r}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _raise_unreadable(exc: HttpProcessingError, door: aiohttp.ClientRequest) -> NoReturn:
    raise aiohttp.ClientResponseError(
        door.request_info, (), status=exc.code, message=exc.message, headers=exc.headers
    ) from exc
