"""Asks what a configuration names, without telling anybody anything: `storywatch check --live`.

Slack is asked who we are, a mail server is greeted and logged in to, a webhook's name is resolved and judged, each feed
is asked once. Nothing is posted, no mail is handed in, nothing is stored. Eight at once, thirty seconds in all.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import aiosmtplib

from alerts import config as alerts_config
from alerts.channels import addresses, base, email, exchange, slack, webhook
from alerts.config import ChannelConfig
from alerts.errors import DeliveryError
from monitor import outward
from monitor.config import faults, secrets
from monitor.config.document import Document, Path
from monitor.config.reading import read_text
from monitor.config.values import Config, FeedConfig
from monitor.errors import Problem
from monitor.fetch import client, limits
from monitor.values import Fetched, FetchFailed

AT_ONCE = 8
TOTAL_S = 30.0
_ONE = timedelta(seconds=10)
_POSTING = "chat:write"
_HISTORY = frozenset({"channels:history", "groups:history"})
Found = list[Problem]


async def problems(
    config: Config, text: str, environ: Mapping[str, str], now: Callable[[], datetime]
) -> tuple[Problem, ...]:
    """Ask everything; what was not answered in time is said too."""
    document = read_text(text, config.file)
    gate = asyncio.Semaphore(AT_ONCE)
    async with outward.client_of(config, _ONE) as http:
        asked = [
            *_channels(document, config),
            *((path, _feed(document, path, feed, http, environ, now)) for path, feed in _feeds(document, config)),
        ]
        tasks = [asyncio.create_task(_held(gate, question)) for _, question in asked]
        done, late = await asyncio.wait(tasks, timeout=TOTAL_S) if tasks else (set(), set())
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    found = [problem for task in tasks if task in done for problem in task.result()]
    said = f"no answer within {TOTAL_S:.0f} s"
    unanswered = [path for (path, _), task in zip(asked, tasks, strict=True) if task in late]
    return (*found, *(faults.problem(document, "W041", path, said) for path in unanswered))


async def _held(gate: asyncio.Semaphore, question: Awaitable[Found]) -> Found:
    async with gate:
        return await question


# ----------------------------------------------------------------------------------------------------- channels


def _channels(document: Document, config: Config) -> Iterator[tuple[Path, Awaitable[Found]]]:
    for channel in alerts_config.from_raw(config.alerts_raw).channels:
        path = ("channels", channel.name)
        match channel.settings:
            case slack.Settings():
                yield path, _told(document, path, channel, _slack(document, path, channel.name, channel.settings))
            case email.Settings():
                yield path, _told(document, path, channel, _mail(channel.settings))
            case webhook.Settings():
                yield path, _told(document, path, channel, _webhook(channel.name, channel.settings))


async def _told(document: Document, path: Path, channel: ChannelConfig, question: Awaitable[Found]) -> Found:
    """What a channel's server says, or why it says nothing."""
    try:
        return await question
    except DeliveryError as exc:
        said = f"{channel.name} cannot be used: {exc.reason}"
    except aiosmtplib.SMTPAuthenticationError as exc:
        said = f"{channel.name} cannot be used: the mail server refuses the login ({exc.code})"
    except (aiosmtplib.SMTPException, OSError, ValueError) as exc:
        said = f"{channel.name} cannot be used: {type(exc).__name__}"
    return [_at(document, "E090", path, said)]


def _at(document: Document, code: str, path: Path, said: str, hint: str | None = None) -> Problem:
    """A problem of a channel stands where the channel is named."""
    return faults.problem(document, code, path, said, hint=hint, place=document.key_place(path))


async def _slack(document: Document, path: Path, name: str, settings: slack.Settings) -> Found:
    token = base.reveal(name, settings.token)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json; charset=utf-8"}
    answer = await exchange.call(name, exchange.Request("POST", f"{settings.api}auth.test", headers, b"{}"), _ONE)
    told = json.loads(answer.body)
    if not told.get("ok"):
        return [_at(document, "E090", path, f"{name} cannot be used: Slack says {told.get('error')}")]
    header = answer.headers.get("x-oauth-scopes")
    if header is None:
        return []
    scopes = frozenset(scope.strip() for scope in header.split(","))
    found = []
    if _POSTING not in scopes:
        found.append(_at(document, "E090", path, f"{name} may not post: the scope {_POSTING} is missing"))
    if not scopes & _HISTORY:
        said = f"{name} cannot ask whether a message arrived: a history scope is missing"
        found.append(_at(document, "W024", path, said, "channels:history, groups:history"))
    return found


async def _mail(settings: email.Settings) -> Found:
    server = settings.server
    password = server.password.reveal() if server.password is not None else None
    connection = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        timeout=_ONE.total_seconds(),
        use_tls=server.tls == "implicit",
        start_tls=server.tls == "starttls",
    )
    async with connection:
        if server.user is not None and password is not None:
            await connection.login(server.user, password)
    return []


async def _webhook(name: str, settings: webhook.Settings) -> Found:
    url = settings.url if isinstance(settings.url, str) else base.reveal(name, settings.url)
    parts = urlsplit(url)
    if parts.hostname in webhook.LOOPBACK:
        return []
    await addresses.checked(name, parts.hostname or "", parts.port or 443, settings.allow)
    return []


# -------------------------------------------------------------------------------------------------------- feeds


def _feeds(document: Document, config: Config) -> Iterator[tuple[Path, FeedConfig]]:
    written = document.data.get("feeds") or []
    places = {row.get("url"): i for i, row in enumerate(written) if isinstance(row, dict)}
    for feed in config.feeds:
        if not feed.paused and feed.url in places:
            yield ("feeds", places[feed.url], "url"), feed


async def _feed(
    document: Document,
    path: Path,
    feed: FeedConfig,
    http: client.Client,
    environ: Mapping[str, str],
    now: Callable[[], datetime],
) -> Found:
    try:
        outcome = await http.fetch(_request(feed, environ), now)
    except secrets.SecretMissing as exc:
        return [faults.problem(document, exc.code, path, str(exc))]
    match outcome:
        case FetchFailed():
            return [faults.problem(document, "W040", path, f"this feed cannot be read now: {outcome.reason}")]
        case Fetched(body=body) if not body.strip():
            return [faults.problem(document, "W040", path, "this feed answers with nothing")]
    return []


def _request(feed: FeedConfig, environ: Mapping[str, str]) -> limits.Request:
    return limits.Request(
        url=feed.url,
        headers=tuple((name, secrets.reveal(value, environ)) for name, value in feed.headers),
        auth=(feed.auth.user, secrets.reveal(feed.auth.password, environ)) if feed.auth else None,
        insecure_tls=feed.tls_insecure,
        proxy=secrets.reveal(feed.proxy, environ) if feed.proxy else None,
    )
