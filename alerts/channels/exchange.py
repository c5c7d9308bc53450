"""One HTTP exchange of a channel. Apart from `base`, because whoever only reads a configuration needs no client."""

from __future__ import annotations

import asyncio
import functools
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

from alerts import retry
from alerts.errors import Ambiguous, ChannelBroken, DeliveryError

CONNECT_S = 5.0
ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, cut to 64 KiB."""

    status: int
    headers: httpx.Headers
    body: bytes

    def wait(self, at: datetime) -> timedelta | None:
        """Read its Retry-After."""
        return retry.retry_after(self.headers.get("retry-after"), self.headers.get("date"), at)


@dataclass(frozen=True, slots=True)
class Request:
    """One POST or GET. `address` is the checked address to connect to when it is not left to the resolver."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes = b""
    params: dict[str, str] | None = None
    address: str | None = None


@functools.cache
def _trust() -> ssl.SSLContext:
    """Load the trusted authorities once: it takes longer than a request."""
    return httpx.create_ssl_context(trust_env=False)


async def call(channel: str, request: Request, total: timedelta) -> Answer:
    """Make one HTTP exchange with a client of its own: no retry, no redirect, no proxy, a bound on the whole of it.

    Errors: DeliveryError when nothing can have been written, Ambiguous once something may have been.
    """
    seconds = total.total_seconds()
    timeout = httpx.Timeout(seconds, connect=min(CONNECT_S, seconds))
    try:
        async with (
            asyncio.timeout(seconds),
            httpx.AsyncClient(verify=_trust(), timeout=timeout, trust_env=False) as client,
        ):
            return await _exchange(client, request)
    except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
        raise DeliveryError(channel, "unreachable", type(exc).__name__) from exc
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError) as exc:
        raise ChannelBroken(channel, "bad_address", type(exc).__name__) from None
    except (TimeoutError, httpx.TimeoutException) as exc:
        raise Ambiguous(channel, "timeout", type(exc).__name__) from exc
    except httpx.HTTPError as exc:
        raise Ambiguous(channel, "cut_off", type(exc).__name__) from exc


async def _exchange(client: httpx.AsyncClient, request: Request) -> Answer:
    url, headers, extensions = httpx.URL(request.url), dict(request.headers), {}
    if request.address is not None:
        headers["host"] = url.netloc.decode("ascii")
        extensions = {"sni_hostname": url.host}
        url = url.copy_with(host=request.address)
    built = client.build_request(
        request.method, url, headers=headers, content=request.body or None, params=request.params, extensions=extensions
    )
    answer = await client.send(built, stream=True)
    try:
        body = b""
        async for part in answer.aiter_bytes():
            body += part
            if len(body) >= ANSWER_BYTES:
                break
        return Answer(answer.status_code, answer.headers, body[:ANSWER_BYTES])
    finally:
        await answer.aclose()
