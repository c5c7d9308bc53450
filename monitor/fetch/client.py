"""One fetch: a request, its redirects, its bounded body, and one of three values in the end.

    prepare -> send -> redirect? check and again -> 304? -> refused? -> read within bounds -> Fetched

Everyday failures are values with a reason word, never exceptions. No cookies, no cache, no retries, no schedule: that
is for others to decide. Called by `jobs` (feeds) and by `fetch.article` and `fetch.robots` (pages).
"""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import aiohttp
import httpx
from multidict import CIMultiDict

from monitor.fetch import address, decode, guard, reasons, redirects, transport, wire
from monitor.fetch.limits import LONGEST_VALIDATOR, Agent, Limits, Request
from monitor.schedule.reasons import FailReason, is_transient
from monitor.values import Fetched, FetchFailed, FetchOutcome, Hop, NotModified, Validators

Headers = tuple[tuple[str, bytes], ...]
Clock = Callable[[], datetime]
MayVisit = Callable[[str], Awaitable[str | None]]
"""Asked before each redirect is followed; a word refuses it."""
_EXCERPT = 64 * 1024
"""How much of a refusal's page is read to see whether it is a bot wall."""
_COMPLETE = frozenset({200, 203, 226})
_EMPTY = frozenset({204, 205})


class Client:
    """Fetches within limits. Use as an async context; safe for many fetches at once."""

    def __init__(
        self,
        limits: Limits,
        agent: Agent,
        *,
        allow_hosts: frozenset[str] = frozenset(),
        lookup: guard.Lookup = socket.getaddrinfo,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._limits = limits
        self._agent = agent
        self._allow_hosts = frozenset(host.lower().strip("[]") for host in allow_hosts)
        self._lookup = lookup
        self._ssl_context = ssl_context
        self._open: transport.Transports | None = None

    async def __aenter__(self) -> Self:
        self._open = transport.Transports(self._limits, self._allow_hosts, self._lookup, self._ssl_context)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open is not None:
            await self._open.close()
            self._open = None

    async def fetch(self, request: Request, now: Clock, may_visit: MayVisit | None = None) -> FetchOutcome:
        """Fetch one URL. Ends within the total deadline, whatever the server does."""
        if self._open is None:
            raise RuntimeError("the client is not open: use it as an async context")
        exchange = _Exchange(self._limits, self._agent, self._allow_hosts, self._open, request, may_visit)
        began, at = exchange.loop.time(), now()
        result = await exchange.run()
        took = timedelta(seconds=exchange.loop.time() - began)
        match result:
            case _Stop():
                return FetchFailed(
                    request.url,
                    result.reason,
                    result.message,
                    result.transient,
                    at,
                    took,
                    result.status,
                    result.headers,
                    exchange.hops,
                    exchange.sent_headers,
                )
            case _Answer(status=304):
                given = validators(result.headers)
                return NotModified(request.url, result.headers, given, at, took, exchange.hops, exchange.sent_headers)
            case _Answer():
                return Fetched(
                    url=request.url,
                    final_url=result.url,
                    status=result.status,
                    headers=result.headers,
                    body=result.body,
                    validators=validators(result.headers),
                    at=at,
                    took=took,
                    hops=exchange.hops,
                    wire_bytes=result.wire_bytes,
                    sent_headers=exchange.sent_headers,
                )


def validators(headers: Headers) -> Validators:
    """Take the validators of an answer, byte for byte; of several the last; one over 8 KiB is not kept."""
    last = dict(headers)
    etag, modified = last.get("etag"), last.get("last-modified")
    return Validators(
        etag if etag is None or len(etag) <= LONGEST_VALIDATOR else None,
        modified if modified is None or len(modified) <= LONGEST_VALIDATOR else None,
    )


class _Stop(Exception):
    """The fetch ended without a usable answer."""

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        status: int | None = None,
        headers: Headers = (),
        transient: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.status = status
        self.headers = headers
        self.transient = is_transient(FailReason(reason)) if transient is None else transient


class _Answer:
    """A 304, or a complete body."""

    __slots__ = ("body", "headers", "status", "url", "wire_bytes")

    def __init__(self, url: str, status: int, headers: Headers, body: bytes = b"", wire_bytes: int = 0) -> None:
        self.url = url
        self.status = status
        self.headers = headers
        self.body = body
        self.wire_bytes = wire_bytes


class _Exchange:
    """One fetch under way: what all its hops share."""

    def __init__(
        self,
        limits: Limits,
        agent: Agent,
        allow_hosts: frozenset[str],
        transports: transport.Transports,
        request: Request,
        may_visit: MayVisit | None,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.hops: tuple[Hop, ...] = request.hops
        self.sent_headers: tuple[str, ...] = ()
        self._limits = limits
        self._agent = agent
        self._allow_hosts = allow_hosts
        self._transports = transports
        self._request = request
        self._conditions = _conditions(request.validators)
        self._may_visit = may_visit
        self._in_body = False
        self._ends_at = self.loop.time() + limits.deadline_s
        self._clock = asyncio.timeout_at(self._ends_at)

    async def run(self) -> _Answer | _Stop:
        try:
            async with self._clock:
                return await self._follow()
        except _Stop as stop:
            return stop
        except address.BadUrl as bad:
            return _Stop(bad.reason, bad.message)
        except decode.BodyRefused as refused:
            return _Stop(refused.reason, refused.message)
        except aiohttp.ServerTimeoutError as exc:  # a TimeoutError as well, and says which one
            return _Stop(*reasons.of_exception(exc, in_body=self._in_body))
        except TimeoutError:
            return self._timed_out()
        except (httpx.HTTPError, aiohttp.ClientError, OSError, ValueError) as exc:
            return _Stop(*reasons.of_exception(exc, in_body=self._in_body))

    def _timed_out(self) -> _Stop:
        if self.loop.time() >= self._ends_at:
            return _Stop(FailReason.DEADLINE, f"not finished after {self._limits.deadline_s:g} s")
        return _Stop(FailReason.READ_TIMEOUT, f"no byte for {self._limits.between_reads_s:g} s")

    async def _follow(self) -> _Answer:
        """Walk the redirects to an answer."""
        url = first = address.parse(self._request.url, self._limits)
        visited = {url.text}
        while True:
            response = await self._send(url, same_origin=url is first or url.origin == first.origin)
            try:
                headers = self._headers(response)
                if response.status_code not in redirects.STATUSES:
                    return await self._answer(url, response, headers)
                url = await self._next(url, response, headers, visited)
            finally:
                await _stream(response).aclose()

    async def _next(
        self, url: address.Address, response: httpx.Response, headers: Headers, visited: set[str]
    ) -> address.Address:
        """Check where a redirect leads. Errors: _Stop, BadUrl."""
        status = response.status_code
        target = redirects.target(url, [value for name, value in headers if name == "location"], self._limits)
        if target.text in visited:
            raise _Stop(
                FailReason.REDIRECT_LOOP, f"redirected in a circle to {target.text}", status=status, headers=headers
            )
        if len(visited) > self._limits.redirects:
            raise _Stop(
                FailReason.TOO_MANY_REDIRECTS,
                f"more than {self._limits.redirects} redirects",
                status=status,
                headers=headers,
            )
        refusal = await self._may_visit(target.text) if self._may_visit else None
        if refusal is not None:
            raise _Stop(refusal, f"not followed to {target.text}", status=status, transient=True)
        visited.add(target.text)
        self.hops = (*self.hops, Hop(status, url.text, target.text))
        return target

    # ------------------------------------------------------------------------------------------------ sending

    async def _send(self, url: address.Address, *, same_origin: bool) -> httpx.Response:
        limits = self._limits
        connect_s = limits.connect_s + (limits.tls_s if url.scheme == "https" else 0)
        headers = self._to_send(same_origin)
        self.sent_headers = self.sent_headers or tuple(name.lower() for name in headers)
        request = wire.Get(url.text, headers, connect_s, limits.first_byte_s)
        allowed = url.host in self._allow_hosts
        if self._request.proxy and not allowed:
            await self._transports.resolver.check(url.host)
        dial = guard.Dial(url.host, allowed)
        way = self._transports.get(url.scheme, self._request.proxy, self._request.insecure_tls)
        token = guard.DIAL.set(dial)
        self._in_body = False
        try:
            return await way.handle_async_request(request)
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as exc:
            if dial.refused:
                raise dial.refused from exc
            raise
        finally:
            guard.DIAL.reset(token)

    def _to_send(self, same_origin: bool) -> CIMultiDict[str]:
        """The headers of one hop. What the operator configured goes to the configured origin only."""
        request = self._request
        headers = CIMultiDict(
            {
                "User-Agent": request.user_agent or self._agent.header(request.feed, request.watches),
                "Accept": request.accept,
                "Accept-Encoding": decode.ACCEPT_ENCODING,
                **self._conditions,
            }
        )
        if same_origin:
            headers.extend(request.headers)
            if request.auth:
                headers["Authorization"] = "Basic " + base64.b64encode(":".join(request.auth).encode()).decode()
            if request.cookie:
                headers["Cookie"] = request.cookie
        return headers

    # ----------------------------------------------------------------------------------------------- receiving

    def _headers(self, response: httpx.Response) -> Headers:
        size = 0
        headers = []
        for name, value in response.headers.raw:
            size += len(name) + len(value)
            headers.append((name.decode("latin-1").lower(), value))
        if size > self._limits.headers_bytes:
            raise _Stop(FailReason.TOO_LARGE, f"{size:,} bytes of headers", status=response.status_code)
        return tuple(headers)

    async def _answer(self, url: address.Address, response: httpx.Response, headers: Headers) -> _Answer:
        status = response.status_code
        if status == 304:
            if not self._conditions:
                raise _Stop(
                    FailReason.UNEXPECTED_304, "304 to a request without validators", status=status, headers=headers
                )
            return _Answer(url.text, status, headers)
        if status in _EMPTY:
            return _Answer(url.text, status, headers)
        if status not in _COMPLETE:
            raise await self._refusal(response, headers)
        try:
            body = await self._read(response, headers)
        except decode.BodyRefused as refused:
            raise _Stop(refused.reason, refused.message, status=status, headers=headers) from refused
        return _Answer(url.text, status, headers, body.read(), body.wire_bytes)

    async def _read(self, response: httpx.Response, headers: Headers) -> decode.Body:
        """Receive a body within its limits. Errors: BodyRefused."""
        fields = dict(headers)
        declared = fields.get("content-length", b"")
        if declared.isdigit() and len(declared) < 20 and int(declared) > self._limits.wire_bytes:
            raise decode.BodyRefused(FailReason.TOO_LARGE, f"{int(declared):,} bytes announced")
        encodings = b",".join(value for name, value in headers if name == "content-encoding").decode("latin-1")
        body = decode.Body(encodings, self._limits, self._request.body_bytes)
        self._in_body = True
        self._patience()
        async for piece in _stream(response):
            body.write(piece)
            self._patience()
        body.finish()
        return body

    def _patience(self) -> None:
        """Wait for the next piece no longer than allowed, and never past the deadline."""
        self._clock.reschedule(min(self._ends_at, self.loop.time() + self._limits.between_reads_s))

    async def _refusal(self, response: httpx.Response, headers: Headers) -> _Stop:
        """Name an unsuccessful status; a page that may be a bot wall is read a little way."""
        status = response.status_code
        fields = dict(headers)
        mitigated, kind = fields.get("cf-mitigated", b""), fields.get("content-type", b"")
        page = await self._excerpt(response, fields) if b"html" in kind.lower() else b""
        if reasons.is_wall(status, mitigated, kind, page):
            return _Stop(FailReason.BLOCKED, f"blocked by a bot wall (HTTP {status})", status=status, headers=headers)
        reason, message = reasons.of_status(status)
        return _Stop(reason, message, status=status, headers=headers)

    async def _excerpt(self, response: httpx.Response, fields: dict[str, bytes]) -> bytes:
        body = decode.Body(fields.get("content-encoding", b"").decode("latin-1"), self._limits, _EXCERPT)
        self._patience()
        try:
            async for piece in _stream(response):
                body.write(piece)
                self._patience()
                if body.wire_bytes >= _EXCERPT:
                    break
        except (decode.BodyRefused, httpx.HTTPError, aiohttp.ClientError):
            pass  # the status says enough; what came so far is looked at
        return body.read()


def _stream(response: httpx.Response) -> httpx.AsyncByteStream:
    stream = response.stream
    if not isinstance(stream, httpx.AsyncByteStream):
        raise TypeError("the transport gave a synchronous stream")
    return stream


def _conditions(given: Validators) -> dict[str, str]:
    """The headers that make a request conditional, byte for byte what the server gave.

    aiohttp writes headers as UTF-8. A validator that is not UTF-8 is left out rather than changed; the body's hash
    then tells whether anything is new.
    """
    headers: dict[str, str] = {}
    for name, value in (("If-None-Match", given.etag), ("If-Modified-Since", given.last_modified)):
        if value is not None:
            try:
                headers[name] = value.decode("utf-8")
            except UnicodeDecodeError:
                continue
    return headers
