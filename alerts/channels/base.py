"""What every channel is: a way to render a digest, and one network call that ends in a receipt or a named error.

A channel repeats nothing, holds no state between deliveries and decides nothing about retries.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import httpx

from alerts import retry
from alerts.channels.secrets import Secret
from alerts.errors import Ambiguous, ChannelBroken, ConfigError, DeliveryError
from alerts.values import Delivery, Digest, Draft, Receipt

CONNECT_S = 5.0
ANSWER_BYTES = 64 * 1024
UNPACED = retry.Pace(timedelta(0))


@dataclass(frozen=True, slots=True)
class Manners:
    """How a channel may be used. `total` bounds one call; `at_once` is the number of calls at the same time.

    `can_ask`: the channel can be asked whether it has a delivery. `threads`: a story is one root with replies.
    `resend`: what happens to a delivery that stays in doubt although it was asked for: sent again, or held.
    `root_gone`: the reasons by which the channel says that a story's root was deleted.
    """

    total: timedelta = timedelta(seconds=20)
    at_once: int = 2
    pace: retry.Pace = UNPACED
    can_ask: bool = False
    threads: bool = False
    resend: bool = True
    root_gone: frozenset[str] = frozenset()


class Channel(Protocol):
    """One configured place to send to."""

    @property
    def name(self) -> str:
        """Its name in the configuration."""

    @property
    def manners(self) -> Manners:
        """How it may be used."""

    def render(self, digest: Digest, *, first: bool) -> Draft:
        """Turn a digest into bytes. `first` says that the recipient has no root of this story yet."""

    def refresh(self, digest: Digest) -> Draft | None:
        """Render the root of a story anew; None where a message cannot be changed."""

    async def send(self, delivery: Delivery, at: datetime) -> Receipt:
        """Make the one network call. Errors: DeliveryError and its subclasses."""

    async def find(self, delivery: Delivery, at: datetime) -> Receipt | None:
        """Ask whether a delivery arrived; None if it did not. Only called where `manners.can_ask`."""


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


def reveal(channel: str, secret: Secret) -> str:
    """Read a secret for a delivery.

    Errors: ChannelBroken, because nothing can be sent until somebody puts the secret there.
    """
    try:
        return secret.reveal()
    except ConfigError as exc:
        raise ChannelBroken(channel, "secret_missing", str(exc)) from None


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
