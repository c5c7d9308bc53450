"""Pages of matched entries whose feed gave only a teaser: read once, politely, and understood again with their text.

What a page adds is told as late evidence; `monitor.understanding` sees to it that nothing is told twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import Connection

from monitor import following, metrics, parser_pool, pipeline
from monitor.config.values import FeedConfig
from monitor.errors import ParseError
from monitor.fetch import article
from monitor.jobs import requests
from monitor.jobs.parts import Parts
from monitor.parse import links
from monitor.store import articles, entries
from monitor.understanding import Moment, Taken
from monitor.values import EntryId

log = structlog.get_logger(__name__)
AT_ONCE = 8
"""Pages read at the same time: feeds have priority."""
LEASE = timedelta(minutes=5)
ATTEMPTS = 4
_RETRY = timedelta(minutes=10)
_RETRY_TIMES = 4
"""10, 40 and 160 minutes between the attempts."""


class PageReader:
    """Reads the pages that are due; one run at a time."""

    def __init__(self, parts: Parts, watches: int) -> None:
        self._parts = parts
        self._articles = article.Articles(parts.client, parts.gate, parts.now, watches=watches)

    async def use(self, configured: Mapping[str, FeedConfig]) -> None:
        """Choose the watches of a page by other feed settings from now on. Called by a reload."""
        self._parts = replace(self._parts, feeds=configured)
        self._articles.watches = self._parts.context.watches

    async def work(self) -> int:
        """Read what is due, at most eight pages; returns how many were tried."""
        due = partial(articles.take, now=self._parts.now(), lease=LEASE, limit=AT_ONCE)
        pages = await self._parts.write(due)
        await asyncio.gather(*(self._one(page) for page in pages))
        return len(pages)

    async def work_all(self) -> int:
        """Read until nothing is due; for a round that a person waits for."""
        tried = 0
        while step := await self.work():
            tried += step
        return tried

    async def _one(self, page: articles.Wanted) -> None:
        try:
            await self._read(page)
        except Exception as exc:  # one page's fault must not stop another; its lease ends by itself
            log.exception("page_failed", url=page.url, error=str(exc))

    async def _read(self, page: articles.Wanted) -> None:
        known = await self._parts.write(partial(articles.known_text, url_key=page.url_key))
        if known is not None:
            await self._understand(page, known, keep=True)
            return
        answer = await self._articles.read(page.url)
        if isinstance(answer, article.PageRefused):
            await self._put_off(page, answer)
            return
        body = parser_pool.Page(answer.body, answer.final_url, answer.content_type)
        try:
            found = await self._parts.parsers.extract(body)
        except ParseError as exc:
            await self._settle(page, "failed", exc.reason, exc.message)
            return
        if found is None:
            await self._settle(page, "failed", "no_text", "the page holds no text of an article")
            return
        await self._understand(page, found.text, keep=answer.keep, addresses=(answer.final_url, found.canonical))

    async def _understand(
        self, page: articles.Wanted, text: str, *, keep: bool, addresses: tuple[str | None, ...] = ()
    ) -> None:
        config = requests.config_of(page.feed, self._parts) if page.feed is not None else None
        moment = Moment(self._parts.now(), tags=config.tags if config else frozenset())
        work = partial(pipeline.process_page, page, text, self._parts.context, moment, keep=keep)
        taken = await self._parts.run(work)
        keys = {key for address in addresses if address and (key := links.canonical(address).key)} - {page.url_key}
        if keys:
            await self._parts.write(partial(_know, entry=page.entry, keys=frozenset(keys)))
        metrics.pages.labels("read").inc()
        self._say(page, taken)

    def _say(self, page: articles.Wanted, taken: Taken | None) -> None:
        told = taken.events if taken is not None else ()
        if taken is not None:
            following.decided(taken)
        for event in told:
            metrics.events.labels(str(event.kind), str(event.state)).inc()
        log.info("page_read", url=page.url, events=len(told))

    async def _put_off(self, page: articles.Wanted, refused: article.PageRefused) -> None:
        """Another time, if that may help; a page that nobody asked for yet costs no attempt."""
        if not refused.transient or (refused.until is None and page.attempts + 1 >= ATTEMPTS):
            await self._settle(page, "refused", refused.reason, refused.message)
            return
        metrics.pages.labels("put_off").inc()
        at = refused.until or self._parts.now() + _RETRY * _RETRY_TIMES**page.attempts
        await self._parts.write(
            partial(articles.put_off, entry=page.entry, until=at, reason=refused.reason, asked=refused.until is None)
        )

    async def _settle(self, page: articles.Wanted, state: str, reason: str, message: str) -> None:
        metrics.pages.labels(state).inc()
        log.info("page_not_read", url=page.url, reason=reason)
        now = self._parts.now()
        settled = partial(articles.settle, entry=page.entry, state=state, now=now, reason=reason, message=message[:500])
        await self._parts.write(settled)


def _know(connection: Connection, entry: EntryId, keys: frozenset[str]) -> None:
    """Remember the addresses a page was found under: its feed may show it by one of them."""
    stored = entries.by_id(connection, entry)
    if stored is not None:
        for key in sorted(keys):
            entries.know_address(connection, stored.feed, key, 0)
