"""The transports of a process, each made at first use: guarded sockets, TLS settings, bounds.

They are called directly, without an httpx client: redirects, cookies and authorisation are decided by `fetch.client`
hop by hop, and httpx's own pool costs time quadratic in its size (encode/httpx#3215).
"""

from __future__ import annotations

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import aiohttp
import httpx

from monitor.fetch import guard, wire
from monitor.fetch.limits import Limits


class Transports:
    """The ways out of one process: for http, for https, and others only if a feed asks for a proxy or insecure TLS."""

    def __init__(
        self, limits: Limits, allow_hosts: frozenset[str], lookup: guard.Lookup, ssl_context: ssl.SSLContext | None
    ) -> None:
        self._limits = limits
        self._executor = ThreadPoolExecutor(limits.lookups, thread_name_prefix="lookup")
        self.resolver = guard.Resolver(allow_hosts, self._executor, lookup, limits.dns_s)
        self._verifying = ssl_context
        self._open: list[aiohttp.TCPConnector | aiohttp.ClientSession] = []
        self._transports: dict[tuple[str, str | None, bool], httpx.AsyncBaseTransport] = {}

    def get(self, scheme: str, proxy: str | None, insecure: bool) -> httpx.AsyncBaseTransport:
        """Return the transport for a kind of request, made at first use."""
        key = scheme, proxy, insecure
        transport = self._transports.get(key)
        if transport is None:
            transport = self._transports[key] = self._make(scheme, proxy, insecure)
        return transport

    async def close(self) -> None:
        """Close every connection; lookups that still run are left to end by themselves."""
        for one in self._open:
            await one.close()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _make(self, scheme: str, proxy: str | None, insecure: bool) -> httpx.AsyncBaseTransport:
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
        connector._factory = partial(wire.BoundedHandler, asyncio.get_running_loop(), self._limits)  # type: ignore[assignment]
        if proxy is None:
            self._open.append(connector)
            return wire.Wire(connector, self._limits)
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            max_line_size=self._limits.header_bytes,
            max_field_size=self._limits.header_bytes,
            max_headers=self._limits.headers_count,
            trust_env=False,
        )
        self._open.append(session)
        return wire.Proxied(session, context, proxy)

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
