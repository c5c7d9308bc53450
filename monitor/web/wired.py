"""Builds what the pages know from a configuration and a database. Called by `daemon`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from alerts import route
from monitor import evidence, retelling, signing, stories, understanding
from monitor.config import secrets
from monitor.config.values import Config
from monitor.jobs import coverage
from monitor.store import corrections
from monitor.store import engine as engines
from monitor.store.corrections import Verdict
from monitor.values import EntryId, StoryKey
from monitor.web import binding
from monitor.web.sources import Login, Proxy, Sources, WatchShown


def sources(
    config: Config,
    engine: Engine,
    context: understanding.Context,
    *,
    host: str,
    now: Callable[[], datetime],
    ready: Callable[[], str | None],
    environ: Mapping[str, str],
    known: understanding.Knowledge | None = None,
) -> Sources:
    """What the pages of a running daemon read from; built again for each state of the configuration.

    `known` belongs to a state that is about to be taken up; without it the pages show what the context knows.

    Errors: SecretMissing for a key or password that cannot be read; OpenToAll.
    """
    web, knowledge = config.web, known or context.knowledge

    def plan() -> route.Plan:
        return context.knowledge.plan

    awake = [watch for watch in config.watches if not watch.paused]
    choices = coverage.choices_of(awake, config)
    binding.refuse_open(host, has_login=web.login is not None or web.proxy is not None)
    return Sources(
        reading=lambda: engines.reading(engine),
        now=now,
        ready=ready,
        outlets=knowledge.outlets,
        governments=knowledge.governments,
        hosts=binding.local_names(host, web.public_url),
        watches=tuple(WatchShown(watch.name, watch.title, choices[watch.name]) for watch in awake),
        writing=engine.begin,
        corrections=Corrections(plan),
        keys=signing.keys(web, engine, environ),
        login=Login(web.login.user, secrets.reveal(web.login.password, environ)) if web.login else None,
        proxy=Proxy(web.proxy.header, secrets.reveal(web.proxy.key, environ)) if web.proxy else None,
        public_url=web.public_url,
        syndicated=web.feeds,
        metrics_apart=web.metrics is not None,
        insecure=frozenset(feed.url for feed in config.feeds if feed.tls_insecure),
        evidence_key=_evidence_key(engine),
        plan=plan,
    )


@dataclass(frozen=True, slots=True)
class Corrections:
    """What readers may change, by the functions of `monitor.stories`; `plan` says who hears of it."""

    plan: Callable[[], route.Plan]

    def label(self, tx: Connection, subject: str, verdict: str, who: str, now: datetime, note: str = "") -> object:
        """Keep a label; saying the same again changes nothing. Errors: CorrectionRefused."""
        if corrections.is_said(tx, subject, verdict, who, note):
            return None
        return stories.label(tx, subject, Verdict(verdict), who, now, note)

    def merge(self, tx: Connection, keys: Sequence[StoryKey], who: str, now: datetime, note: str = "") -> object:
        """Make one story of several. Errors: CorrectionRefused."""
        changes = stories.merge(tx, keys, who, now, note)
        return retelling.tell(tx, changes, self.plan(), now)

    def split(self, tx: Connection, entries: Collection[EntryId], who: str, now: datetime, note: str = "") -> object:
        """Give entries a story of their own. Errors: CorrectionRefused."""
        change = stories.split(tx, entries, who, now, note)
        return retelling.tell(tx, (change,), self.plan(), now)


def _evidence_key(engine: Engine) -> bytes | None:
    """What exports are signed with; None where the extra is not installed."""
    if not evidence.is_possible():
        return None
    with engine.begin() as connection:
        return evidence.key_of(connection)
