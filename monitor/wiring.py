"""Builds what the pipeline knows from the configuration and the shipped data, and the courier from its channels.

One place, so that the daemon, a replay, the demo, the lab and the benches work with the same parts. Called by all of
them; it opens nothing and decides nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from alerts import config as alerts_config
from alerts import route
from alerts.channels.base import Channel
from alerts.channels.null import NullChannel
from alerts.values import Kind
from monitor import canary, lexicons, pipeline, second_opinion, understanding
from monitor.cluster import index, settings
from monitor.cluster import knowledge as cluster_knowledge
from monitor.config.values import Config, OutletConfig, Stories, Threshold, Watch
from monitor.detect import credits, events, lexicon, outlets
from monitor.match import asked, concepts, matcher, query, scopes
from monitor.parse import publishers
from monitor.values import Domain

_SHORT_NAMES = {
    "US": "United States",
    "GB": "United Kingdom",
    "BA": "Bosnia and Herzegovina",
    "XK": "Kosovo",
    "EU": "European Union",
    "UN": "United Nations",
    "VA": "Holy See",
    "ZZ": "unknown government",
}
"""Where CLDR's name is longer than people's, or there is none."""


def knowledge(config: Config, *, config_rev: int) -> understanding.Knowledge:
    """Read the shipped data and what the configuration adds to it."""
    config = canary.joined(config)
    data = lexicons.load("detect/lexicon")
    known, shipped = lexicon_of(config, data), concepts_of(config)
    queries = _queries(config, shipped)
    return understanding.Knowledge(
        matcher=matcher.compile(queries, shipped),
        outlets=outlet_table(config, data),
        credits=credits.from_raw(data),
        lexicon=known,
        rules={watch.name: _rule(watch) for watch in config.watches if not watch.paused},
        governments=government_names(data),
        plan=plan_of(config, config_rev),
        max_item_age=config.limits.max_item_age,
        config_rev=config_rev,
        scopes={watch.name: scopes.Scope(watch.feed_tags, watch.outlets, watch.exclude) for watch in config.watches},
        asked={one.name: asked.words(one.tree, shipped) for one in queries},
        full_text=frozenset(watch.name for watch in config.watches if watch.full_text),
        unread=frozenset(Domain(domain) for domain, outlet in config.outlets.items() if not outlet.full_text),
    )


def watches_that_look(config: Config) -> int:
    """How many watches are not asleep."""
    return sum(not watch.paused for watch in canary.joined(config).watches)


def context(engine: Engine, known: understanding.Knowledge, config: Config, *, now: datetime) -> understanding.Context:
    """Join a database with what is known, and take up the live window of stories."""
    built = understanding.Context.of(engine, empty_window(config), known)
    pipeline.load_window(built, reach(config, now))
    return built


def empty_window(config: Config) -> index.Index:
    """A window of stories that holds nothing yet."""
    known = cluster_knowledge.Knowledge.from_raw(lexicons.load("cluster/data"))
    opinion = second_opinion.e5() if config.stories.second_opinion == "e5" else None
    return index.Index(cluster_settings(config.stories), known, opinion)


def reach(config: Config, now: datetime) -> datetime:
    """How far back the window of stories goes."""
    return index.Index.reach(cluster_settings(config.stories), now)


def concepts_of(config: Config) -> concepts.Concepts:
    """The shipped concepts and those of the configuration."""
    return concepts.from_raw(lexicons.load("match/concepts"), config.concepts)


def matcher_of(config: Config) -> matcher.Matcher:
    """All watches that are not paused, compiled."""
    known = concepts_of(config)
    return matcher.compile(_queries(config, known), known)


def _queries(config: Config, known: concepts.Concepts) -> list[matcher.WatchQuery]:
    return [
        matcher.WatchQuery(watch.name, query.parse(watch.query_text, known), watch.languages)
        for watch in config.watches
        if not watch.paused
    ]


def outlet_table(config: Config, data: lexicons.Raw) -> outlets.OutletTable:
    """The shipped catalogue and the configuration's outlets."""
    return outlets.from_raw(data, {domain: _row(outlet) for domain, outlet in config.outlets.items()})


def _row(outlet: OutletConfig) -> Mapping[str, Any]:
    return {
        "name": outlet.name,
        "country": outlet.country,
        "kind": outlet.kind,
        "aliases": list(outlet.aliases),
        "group": outlet.group,
        "language": outlet.language,
    }


def host_table(table: outlets.OutletTable) -> publishers.HostTable:
    """The catalogue as the parser wants it: hosts to outlets, and who only shows other people's texts."""
    aggregators = frozenset(host for host, outlet in table.hosts.items() if outlet.kind == "aggregator")
    hosts = {host: Domain(outlet.domain) for host, outlet in table.hosts.items() if outlet.kind != "aggregator"}
    named = {(outlet.name.casefold(), outlet.domain) for outlet in table.hosts.values() if outlet.kind != "aggregator"}
    shared = Counter(name for name, _ in named)
    names = {name: domain for name, domain in named if shared[name] == 1}
    return publishers.HostTable(hosts=hosts, names=names, aggregators=aggregators)


def lexicon_of(config: Config, data: lexicons.Raw) -> lexicon.Lexicon:
    """The shipped lexicon of governments and speech, and what the configuration adds or switches off."""
    chosen = config.governments
    extra = [
        {
            "government": body.government,
            "body": body.body,
            "names": {language: list(names) for language, names in body.names.items()},
            "valid_from": body.valid_from,
            "valid_to": body.valid_to,
        }
        for body in chosen.extra
    ]
    return lexicon.from_raw(data, disable=chosen.disable, homes=chosen.home, speech=chosen.speech, extra=extra)


def cluster_settings(stories: Stories) -> settings.Settings:
    """The numbers of clustering."""
    own = {family: _thresholds(row) for family, row in stories.thresholds.items()}
    return settings.Settings(
        window=stories.window,
        decay=stories.decay,
        thresholds=_thresholds(stories.threshold),
        families={**settings.Settings().families, **own},
        lead_chars=stories.lead_chars,
        copies=settings.CopySettings(
            containment=stories.copy_containment, lead=stories.copy_lead, min_words=stories.copy_min_words
        ),
        merge=stories.merge,
        split=stories.split,
    )


def _thresholds(row: Threshold) -> settings.Thresholds:
    return settings.Thresholds(row.title_only, row.with_text)


def _rule(watch: Watch) -> events.WatchRule:
    return events.WatchRule(
        name=watch.name,
        title=watch.title,
        alert_on=frozenset(Kind(kind) for kind in watch.alert_on),
        governments=watch.governments.watch,
        ignored=watch.governments.ignore,
        own_reporting_only=watch.independent == "own",
        spike=events.Spike(watch.alert.spike.outlets, watch.alert.spike.within, watch.alert.spike.times),
    )


def government_names(data: lexicons.Raw) -> Mapping[str, str]:
    """English names of countries by ISO code, and of the bodies that have none."""
    return {**data["countries"], **_SHORT_NAMES}


def plan_of(config: Config, config_rev: int) -> route.Plan:
    """Who is told what: the telling half's sections of the configuration, with the watches' own timers."""
    config = canary.joined(config)
    chosen = alerts_config.from_raw(config.alerts_raw)
    timers = {
        watch.name: route.Timers(
            wait={Kind(kind): wait for kind, wait in watch.alert.group_wait.items()},
            interval=watch.alert.group_interval,
            alert_on=frozenset(Kind(kind) for kind in watch.alert_on),
            remind_after=watch.alert.remind_after,
        )
        for watch in config.watches
    }
    plan = chosen.plan(tuple(watch.name for watch in config.watches), timers, config_rev)
    return canary.routed(plan, config)


def channels_of(config: Config) -> dict[str, Channel]:
    """The configured channels; nothing is connected yet."""
    own: dict[str, Channel] = {canary.NAME: NullChannel(canary.NAME)} if canary.has_own_channel(config) else {}
    return alerts_config.from_raw(config.alerts_raw).build_channels() | own


def without(config: Config, watches: Collection[str]) -> Config:
    """Give the configuration with some watches asleep: not matched, and still known by name to the telling half."""
    slept = (replace(watch, paused=True) if watch.name in watches else watch for watch in config.watches)
    return replace(config, watches=tuple(slept))
