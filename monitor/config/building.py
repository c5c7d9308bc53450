"""From checked shapes to the frozen values of `values`. No checks: what comes in is right."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from monitor.config import queries, shape, units, values
from monitor.config.document import Document
from monitor.config.shape import ALERT_SECTIONS, FileShape
from monitor.config.vocabulary import SERBO_CROATIAN
from monitor.match.concepts import Concepts
from monitor.schedule import bounds


def build(
    file: FileShape,
    document: Document,
    data: Mapping[str, Any],
    concepts: Concepts,
    sha256: str,
    skipped: frozenset[int] = frozenset(),
) -> values.Config:
    """Make the configuration of a checked file.

    `data` are the plain values the shapes were made from; `skipped` the feeds of the document they lack.
    """
    governments = _governments(file.governments)
    return values.Config(
        contact=file.contact,
        timezone=file.timezone,
        storage=_storage(file.storage),
        engine=_engine(file.engine),
        parse=values.Parse(file.parse.workers if file.parse.workers is not None else default_parsers()),
        web=_web(file.web),
        limits=_limits(file.limits),
        feeds=tuple(
            _feed(feed, line) for feed, line in zip(file.feeds, _lines(document, "feeds", skipped), strict=True)
        ),
        outlets={domain: _outlet(domain, outlet) for domain, outlet in file.outlets.items()},
        governments=governments,
        watches=tuple(
            _watch(watch, governments, concepts, line)
            for watch, line in zip(file.watches, _lines(document, "watches"), strict=True)
        ),
        concepts=dict(file.concepts),
        stories=_stories(file.stories),
        alerts_raw={key: data[key] for key in ALERT_SECTIONS if key in data} | {"timezone": file.timezone},
        canary=values.Canary(file.canary.every, file.canary.channel, file.canary.ping),
        sha256=sha256,
        file=document.file,
    )


def default_parsers() -> int:
    """Two parser processes, one on a machine with one CPU."""
    return 1 if (os.cpu_count() or 1) == 1 else 2


def _lines(document: Document, section: str, skipped: frozenset[int] = frozenset()) -> list[int]:
    items = document.data.get(section) or []
    return [document.value_place((section, i)).line for i in range(len(items)) if i not in skipped]


def _storage(storage: shape.Storage) -> values.Storage:
    keep = values.Keep(**{name: getattr(storage.keep, name) for name in shape.Keep.model_fields})
    return values.Storage(storage.url, storage.direct_url, storage.pool, storage.migrate, keep)


def _engine(engine: shape.Engine) -> values.Engine:
    return values.Engine(engine.kind, engine.tick, engine.shards, engine.fetches, engine.stop_within)


def _login(login: shape.Login | shape.Auth | None) -> values.Login | None:
    return values.Login(login.user, login.password) if login else None


def _web(web: shape.Web) -> values.Web:
    host, port = units.listen(web.listen)
    metrics = units.listen(web.metrics) if web.metrics else None
    public = web.public_url.rstrip("/") if web.public_url else None
    proxy = values.Proxy(web.proxy.header, web.proxy.key) if web.proxy else None
    return values.Web(host, port, public, tuple(web.link_keys), _login(web.login), metrics, web.feeds, proxy)


def _limits(limits: shape.Limits) -> values.Limits:
    return values.Limits(
        body_bytes=limits.body,
        wire_bytes=limits.wire,
        deadline=limits.deadline,
        per_host=limits.per_host,
        host_gap=limits.host_gap,
        allow_hosts=frozenset(host.lower() for host in limits.allow_hosts),
        max_item_age=limits.max_item_age,
        entries_per_document=limits.entries_per_document,
    )


def usual_ceiling(tags: Collection[str]) -> timedelta:
    """How often a feed with these tags is polled at the least."""
    return bounds.GOVERNMENT_CEILING if "government" in tags else bounds.CEILING


def _feed(feed: shape.Feed, line: int) -> values.FeedConfig:
    ceiling = feed.ceiling or max(usual_ceiling(feed.tags), feed.floor or timedelta())
    return values.FeedConfig(
        url=feed.url,
        outlet=feed.outlet,
        tags=frozenset(feed.tags),
        floor=feed.floor,
        ceiling=ceiling,
        language=feed.language,
        timezone=feed.timezone,
        auth=_login(feed.auth),
        headers=tuple(feed.headers.items()),
        tls_insecure=feed.tls == "insecure",
        proxy=feed.proxy,
        paused=feed.paused,
        note=feed.note,
        line=line,
    )


def _outlet(domain: str, outlet: shape.Outlet) -> values.OutletConfig:
    return values.OutletConfig(
        domain,
        outlet.name,
        outlet.country,
        outlet.kind,
        tuple(outlet.aliases),
        outlet.group,
        outlet.language,
        outlet.full_text,
    )


def _governments(section: shape.Governments) -> values.Governments:
    return values.Governments(
        watch=frozenset(section.watch) if section.watch is not None else None,
        ignore=frozenset(section.ignore),
        extra=tuple(
            values.ExtraBody(
                row.government,
                row.body,
                {language: tuple(names) for language, names in row.names.items()},
                row.valid_from,
                row.valid_to,
            )
            for row in section.extra
        ),
        disable=frozenset(section.disable),
        home=dict(section.home),
        speech={
            language: {stance: tuple(verbs) for stance, verbs in stances.items()}
            for language, stances in section.speech.items()
        },
    )


def _over(general: values.Governments, own: values.Governments) -> values.Governments:
    """Let a watch choose other governments; what the file says about bodies and words holds for all."""
    return values.Governments(
        watch=own.watch if own.watch is not None else general.watch,
        ignore=own.ignore or general.ignore,
        extra=general.extra + own.extra,
        disable=general.disable | own.disable,
        home={**general.home, **own.home},
        speech={**general.speech, **own.speech},
    )


def _watch(watch: shape.Watch, general: values.Governments, concepts: Concepts, line: int) -> values.Watch:
    alert = watch.alert
    spike = values.Spike(alert.spike.outlets, alert.spike.within, alert.spike.times)
    return values.Watch(
        name=watch.name,
        title=watch.title or watch.name,
        query_text=queries.expanded({"query": watch.query, "keywords": watch.keywords}, concepts) or "",
        languages=_languages(watch.languages),
        feed_tags=_all_or_some(watch.feeds),
        outlets=_all_or_some(watch.outlets),
        exclude=frozenset(watch.exclude),
        governments=_over(general, _governments(watch.governments)) if watch.governments else general,
        alert_on=frozenset(watch.alert_on),
        independent=watch.independent,
        alert=values.WatchAlert(dict(alert.group_wait), alert.group_interval, spike, alert.remind_after),
        full_text=watch.full_text,
        paused=watch.paused,
        line=line,
    )


def _languages(codes: list[str] | None) -> frozenset[str] | None:
    """Let `sh` stand for the standards of Serbo-Croatian."""
    found = _all_or_some(codes)
    return found | SERBO_CROATIAN if found and "sh" in found else found


def _all_or_some(words: list[str] | None) -> frozenset[str] | None:
    return frozenset(words) if words else None


def _stories(stories: shape.Stories) -> values.Stories:
    general = stories.threshold.general
    own = stories.threshold.languages
    return values.Stories(
        window=stories.window,
        decay=stories.decay,
        threshold=values.Threshold(general.title_only, general.with_text),
        thresholds={
            language: values.Threshold(row.title_only or general.title_only, row.with_text or general.with_text)
            for language, row in own.items()
        },
        lead_chars=stories.lead_chars,
        copy_containment=stories.copies.containment,
        copy_lead=stories.copies.lead,
        copy_min_words=stories.copies.min_words,
        merge=stories.merge,
        split=stories.split,
        second_opinion=stories.second_opinion,
    )
