"""httpx's transport over our own aiohttp sessions: guarded sockets, no cookies, no headers of their own.

`AiohttpTransport` is called directly, without an httpx client: redirects, cookies and authorisation are decided by
`fetch.client` hop by hop, and httpx's own pool costs time quadratic in its size (encode/httpx#3215).
"""

from __future__ import annotations

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any

import aiohttp
import httpx
import yarl
from aiohttp.client_proto import ResponseHandler
from httpx_aiohttp import AiohttpTransport
from httpx_aiohttp.transport import AiohttpResponseStream
from multidict import CIMultiDict

from monitor.fetch import guard
from monitor.fetch.limits import Limits

_LARGEST_READ = 256 * 1024
"""What an event loop may hand over at once: the last piece of the headers can hold so much of the body."""


class EndlessHeaders(aiohttp.ClientError):
    """The headers of an answer are larger in all than is allowed."""


class _Connection(ResponseHandler):
    """A connection whose headers may not grow for ever: aiohttp bounds each of them and their number, not the sum.

    Without this one server can fill 200 MB before anybody sees a header.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int) -> None:
        super().__init__(loop)
        self._most = most
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


class Wire(AiohttpTransport):
    """The transport for a `Get`: what httpx_aiohttp does for one, without what a GET has no use for.

    That is a third of what a request cost beyond aiohttp (`python -m bench.client`). Errors are aiohttp's own.
    """

    def __init__(self, session: aiohttp.ClientSession, context: ssl.SSLContext, proxy: str | None) -> None:
        super().__init__(verify=context, client=session, proxy=httpx.Proxy(proxy) if proxy else None)
        self._session = session

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and answer as soon as the headers are there.

        The URL goes out as it is: aiohttp would decode %2C in a query and with it break a signed one.
        """
        timeout, proxy = request.extensions["timeout"], self.proxy
        answer = await self._session.request(
            request.method,
            yarl.URL(str(request.url), encoded=True),
            headers=request.headers,
            allow_redirects=False,
            auto_decompress=False,
            timeout=_timeout(timeout["connect"], timeout["read"]),
            proxy=str(proxy.url) if proxy else None,
            proxy_auth=aiohttp.BasicAuth(*proxy.auth) if proxy and proxy.auth else None,
            proxy_headers=proxy.headers if proxy else None,
        )
        return httpx.Response(
            answer.status, headers=answer.raw_headers, stream=AiohttpResponseStream(answer), request=request
        )


@cache
def _timeout(connect_s: float, read_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(sock_connect=connect_s, sock_read=read_s)


class Transports:
    """The sessions of one process: for http, for https, and others only if a feed asks for a proxy or insecure TLS."""

    def __init__(
        self, limits: Limits, allow_hosts: frozenset[str], lookup: guard.Lookup, ssl_context: ssl.SSLContext | None
    ) -> None:
        self._limits = limits
        self._executor = ThreadPoolExecutor(limits.lookups, thread_name_prefix="lookup")
        self.resolver = guard.Resolver(allow_hosts, self._executor, lookup, limits.dns_s)
        self._verifying = ssl_context
        self._sessions: list[aiohttp.ClientSession] = []
        self._transports: dict[tuple[str, str | None, bool], Wire] = {}

    def get(self, scheme: str, proxy: str | None, insecure: bool) -> Wire:
        """Return the transport for a kind of request, made at first use."""
        key = scheme, proxy, insecure
        transport = self._transports.get(key)
        if transport is None:
            transport = self._transports[key] = self._make(scheme, proxy, insecure)
        return transport

    async def close(self) -> None:
        """Close every connection; lookups that still run are left to end by themselves."""
        for session in self._sessions:
            await session.close()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _make(self, scheme: str, proxy: str | None, insecure: bool) -> Wire:
        context = self._context(scheme, proxy, insecure)
        # A proxy is dialled by the operator's will; what it is asked for is checked before (`Resolver.check`).
        connector = aiohttp.TCPConnector(
            limit=0,
            ssl=context,
            resolver=None if proxy else self.resolver,
            socket_factory=None if proxy else guard.open_socket,
            keepalive_timeout=self._limits.keep_alive_s,
        )
        # There is no public way to choose the protocol; a test fails if this one goes away.
        most = self._limits.headers_bytes + _LARGEST_READ
        connector._factory = partial(_Connection, asyncio.get_running_loop(), most)  # type: ignore[assignment]
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            max_line_size=self._limits.header_bytes,
            max_field_size=self._limits.header_bytes,
            max_headers=self._limits.headers_count,
            trust_env=False,
        )
        self._sessions.append(session)
        return Wire(session, context, proxy)

    def _context(self, scheme: str, proxy: str | None, insecure: bool) -> ssl.SSLContext:
        """TLS settings. Reading the trusted authorities takes 30 ms, so plain http does without: it trusts nobody."""
        if insecure:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return context
        if scheme == "http" and not proxy:
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self._verifying is None:
            self._verifying = httpx.create_ssl_context()
        return self._verifying
