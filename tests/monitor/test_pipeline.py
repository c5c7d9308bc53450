"""One document in one transaction: what is stored and told, and that a failure leaves everything as it was."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import Engine, event, func, select

from alerts import tables as alert_tables
from monitor import pipeline, understanding, wiring
from monitor.cluster import index
from monitor.config import api
from monitor.errors import LeaseLost
from monitor.parse import delta, identity
from monitor.store import claims, entries, feeds, fetch_log, migrate, results, story_facts, tables
from monitor.store import engine as engines
from monitor.values import Claim, Domain, Entry, EntryId, FeedId, KeyedEntry, ParsedEntry, ParsedFeed, Role

CONFIG = api.parse_text(
    """\
version: 1
contact: https://newsroom.example/storywatch
governments: {watch: [US, RS]}
watches:
  - {name: flights, query: "deport* AND Serbia"}
outlets:
  wire.example: {name: Harbour Wire, country: US, kind: wire}
  press.example: {name: Northern Press, country: GB, kind: wire}
  gathered.example: {name: Gathered, kind: aggregator}
channels:
  console: {type: stdout}
""",
    {},
)
KNOWN = wiring.knowledge(CONFIG, config_rev=1)
NOW = datetime(2025, 6, 5, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FEEDS = ("https://wire.example/rss", "https://press.example/rss", "https://gathered.example/rss")
TOLD = ("entry", "story", "mention", "match", "response", "attribution", "seen", "fetch_log")

REPORT = ParsedEntry(
    id="r1",
    url="https://wire.example/1",
    title="Washington asks Serbia to take deported migrants",
    summary="The United States has asked Serbia to accept migrants deported from its soil, three officials said. "
    "Serbia's Foreign Ministry declined to comment to Harbour Wire.",
    published=NOW,
    language="en",
)
FOLLOW = ParsedEntry(
    id="f1",
    url="https://press.example/1",
    title="Serbia pressed by Washington to take deported migrants",
    summary="Washington wants Serbia to accept migrants deported from the United States, Harbour Wire reported.",
    published=NOW + 30 * MINUTE,
    language="en",
)
WEATHER = ParsedEntry(id="w1", url="https://wire.example/2", title="Rain expected on Friday", published=NOW)


@pytest.fixture
def ctx(engine: Engine) -> understanding.Context:
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed(url, url.split("/")[2]) for url in FEEDS], NOW)
    return fresh(engine)


def fresh(engine: Engine, now: datetime = NOW) -> understanding.Context:
    """A process that has just started on this database."""
    return wiring.context(engine, KNOWN, CONFIG, now=now)


def claim(ctx: understanding.Context, url: str, at: datetime) -> Claim:
    with ctx.engine.begin() as connection:
        feeds.make_due(connection, at)
        row = feeds.by_url(connection, url)
        assert row is not None
        (taken,) = claims.claim(connection, at, lease=MINUTE / 2, only=row.id)
    assert taken.claim is not None
    return taken.claim


def process(
    ctx: understanding.Context,
    *parsed: ParsedEntry,
    feed: str = FEEDS[0],
    at: datetime = NOW,
    baseline: bool = False,
    fails: bool = False,
    held: Claim | None = None,
) -> pipeline.Report:
    """Record a document of `parsed`; `fails` ends its transaction at the last statement."""

    def decide(_: pipeline.Novelty) -> pipeline.Decision:
        if fails:
            raise OSError("the disk is full")
        settlement = results.Settlement(at + MINUTE, "adaptive", {}, at, ok=True, document=results.Recorded(1))
        return pipeline.Decision(settlement, fetch_log.FetchRecord(at=at, outcome="changed"))

    turn = pipeline.Turn(held or claim(ctx, feed, at), None, 1, baseline, decide)
    return pipeline.process(delta.whole(ParsedFeed(parsed)), turn, ctx, at)


def counts(engine: Engine) -> dict[str, int]:
    with engines.reading(engine) as connection:
        found = {
            name: connection.execute(select(func.count()).select_from(tables.metadata.tables[name])) for name in TOLD
        }
        events = connection.execute(select(func.count()).select_from(alert_tables.event))
        return {name: rows.scalar_one() for name, rows in found.items()} | {"event": events.scalar_one()}


def decisions(report: pipeline.Report) -> list[tuple[object, ...]]:
    return [(taken.story, taken.assignment, tuple(e.key for e in taken.events)) for taken in report.taken]


def kinds(report: pipeline.Report) -> list[str]:
    return [str(one.kind) for one in report.events]


def test_a_matching_entry_becomes_a_story_with_its_event_and_others_are_only_stored(ctx: understanding.Context) -> None:
    report = process(ctx, REPORT, WEATHER)
    assert (report.entries, report.new, len(report.taken)) == (2, 2, 1)
    assert kinds(report)[0] == "new_story"
    assert "non_answer" in kinds(report)
    stored = counts(ctx.engine)
    assert (stored["entry"], stored["story"], stored["mention"], stored["fetch_log"]) == (2, 1, 1, 1)
    assert stored["event"] == len(report.events)


def test_the_same_document_again_is_nothing_new(ctx: understanding.Context) -> None:
    process(ctx, REPORT, WEATHER)
    before = counts(ctx.engine)
    report = process(ctx, REPORT, WEATHER, at=NOW + MINUTE)
    assert (report.new, report.taken) == (0, ())
    assert counts(ctx.engine) == before | {"fetch_log": before["fetch_log"] + 1}


def test_an_error_inside_leaves_database_and_window_as_they_were(ctx: understanding.Context) -> None:
    before = counts(ctx.engine)
    with pytest.raises(OSError, match="disk is full"):
        process(ctx, REPORT, WEATHER, fails=True)
    assert counts(ctx.engine) == before
    assert len(ctx.window) == 0
    assert kinds(process(ctx, REPORT, at=NOW + MINUTE))[0] == "new_story"


def test_an_error_takes_only_its_own_entries_out_of_the_window(ctx: understanding.Context) -> None:
    process(ctx, REPORT)
    with pytest.raises(OSError, match="disk is full"):
        process(ctx, FOLLOW, feed=FEEDS[1], at=NOW + 31 * MINUTE, fails=True)
    assert len(ctx.window) == 1
    assert "new_outlet" in kinds(process(ctx, FOLLOW, feed=FEEDS[1], at=NOW + 32 * MINUTE))


def test_a_document_whose_feed_was_taken_over_is_dropped(ctx: understanding.Context) -> None:
    old = claim(ctx, FEEDS[0], NOW)
    claim(ctx, FEEDS[0], NOW + 5 * MINUTE)
    before = counts(ctx.engine)
    with pytest.raises(LeaseLost):
        process(ctx, REPORT, held=old)
    assert counts(ctx.engine) == before
    assert len(ctx.window) == 0


def test_a_baseline_is_stored_and_clustered_and_raises_nothing_that_is_told(ctx: understanding.Context) -> None:
    report = process(ctx, REPORT, baseline=True)
    assert len(report.taken) == 1
    assert [one for one in report.events if one.state == "open"] == []
    assert len(ctx.window) == 1
    later = process(ctx, FOLLOW, feed=FEEDS[1], at=NOW + 31 * MINUTE)
    assert later.taken[0].story == report.taken[0].story


def test_what_an_aggregator_shows_belongs_to_no_outlet(ctx: understanding.Context) -> None:
    seen = replace(REPORT, url="https://gathered.example/x/1")
    report = process(ctx, seen, feed=FEEDS[2])
    (taken,) = report.taken
    assert (taken.outlet, taken.entry.outlet, taken.entry.via) == (None, None, "gathered.example")
    assert "new_outlet" not in kinds(report)


def test_one_address_in_two_feeds_is_one_entry_of_a_story(ctx: understanding.Context) -> None:
    process(ctx, REPORT)
    report = process(ctx, REPORT, feed=FEEDS[1], at=NOW + 5 * MINUTE)
    assert report.taken == ()
    stored = counts(ctx.engine)
    assert (stored["entry"], stored["mention"]) == (2, 1)


def test_a_second_outlet_joins_and_a_word_for_word_copy_is_told_as_one(ctx: understanding.Context) -> None:
    process(ctx, REPORT)
    report = process(ctx, FOLLOW, feed=FEEDS[1], at=NOW + 31 * MINUTE)
    assert "new_outlet" in kinds(report)
    long = REPORT.summary or ""
    copied = ParsedEntry(
        id="c1",
        url="https://third.example/1",
        title=REPORT.title,
        summary=long,
        published=NOW + 60 * MINUTE,
        language="en",
    )
    copy = process(ctx, copied, feed=FEEDS[2], at=NOW + 61 * MINUTE)
    assert copy.taken[0].assignment.role is Role.COPY
    assert "new_outlet" not in kinds(copy)


MANY = tuple(
    ParsedEntry(
        id=f"m{n}",
        url=f"https://{'wire' if n % 3 else 'press'}.example/many/{n}",
        title=f"Washington asks Serbia to take deported migrants, part {n}",
        summary=f"The United States asked Serbia to accept deported migrants. {said}",
        published=NOW if n % 2 else None,
        language="en",
    )
    for n, said in enumerate(
        (
            "Serbia's Foreign Ministry declined to comment to Harbour Wire.",
            "Serbia's Foreign Ministry denied it, Northern Press reported.",
            "Serbia's Foreign Ministry denied it on Tuesday.",
            "The White House confirmed it to Northern Press.",
            "Serbia's government did not respond to a request for comment.",
        )
    )
)


def test_what_a_transaction_remembers_of_a_story_is_what_the_store_would_say(ctx: understanding.Context) -> None:
    held, journal = claim(ctx, FEEDS[0], NOW), understanding.Journal(facts={})
    keyed = identity.keyed(ParsedFeed(MANY))
    with ctx.engine.begin() as tx:
        arrivals = [entries.Arrival(one, "en", _outlet(one)) for one in keyed]
        for entry in entries.add(tx, held.feed, arrivals, gen=1, now=NOW):
            moment, matches = understanding.Moment(NOW), understanding.matches_of(entry, KNOWN, frozenset())
            taken = understanding.arrive(tx, entry, matches, moment, ctx, journal)
            assert journal.known(tx, taken.story) == story_facts.of(tx, taken.story)
    assert journal.facts is not None
    assert [len(told.mentions) for told in journal.facts.values()] == [len(MANY)]


def _outlet(one: KeyedEntry) -> Domain:
    return Domain((one.entry.url or "").split("/")[2])


def test_a_document_of_one_story_reads_that_story_once(ctx: understanding.Context) -> None:
    asked: list[str] = []
    event.listen(ctx.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    report = process(ctx, *MANY)
    assert len({taken.story for taken in report.taken}) == 1
    assert sum("FROM attribution" in statement for statement in asked) <= 1


def test_a_restart_decides_as_if_it_had_never_stopped(
    sqlite_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same stream through a process that goes on, and through one that starts anew before each document."""
    documents = (
        (REPORT, FEEDS[0], NOW),
        (FOLLOW, FEEDS[1], NOW + 31 * MINUTE),
        (
            ParsedEntry(
                id="p1",
                url="https://wire.example/plums",
                title="Deported brewer returns to Serbia for the plum fair",
                summary="A brewer deported last year came back for the harvest.",
                published=NOW + 40 * MINUTE,
                language="en",
            ),
            FEEDS[0],
            NOW + 45 * MINUTE,
        ),
    )
    decided = []
    for restarts in (False, True):
        url = sqlite_url if restarts else _migrated(tmp_path_factory)
        engine = engines.open_engine(url)
        with engine.begin() as connection:
            feeds.sync(connection, [feeds.Seed(feed, feed.split("/")[2]) for feed in FEEDS], NOW)
        ctx = fresh(engine)
        told = []
        for parsed, feed, at in documents:
            ctx = fresh(engine, at) if restarts else ctx
            told.append(decisions(process(ctx, parsed, feed=feed, at=at)))
        decided.append(told)
        engine.dispose()
    assert decided[0] == decided[1]
    assert len(decided[0][0]) == 1


def _migrated(folders: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{folders.mktemp('steady') / 'a.db'}"
    engine = engines.open_engine(url)
    migrate.ensure(engine)
    engine.dispose()
    return url


def test_the_window_is_taken_up_from_the_store(ctx: understanding.Context) -> None:
    process(ctx, REPORT)
    again = fresh(ctx.engine, NOW + MINUTE)
    assert len(again.window) == 1
    late = index.Index.reach(wiring.cluster_settings(CONFIG.stories), NOW + timedelta(days=365))
    assert pipeline.load_window(fresh(ctx.engine, NOW + timedelta(days=365)), late) == 0


def test_a_lead_is_cut_at_a_word() -> None:
    cut = understanding.lead(_entry("word " * 200))
    assert cut.endswith("word …")
    assert len(cut) <= 302
    assert understanding.lead(_entry("short \n text")) == "short text"


def _entry(text: str) -> Entry:
    return Entry(
        id=EntryId(1),
        feed=FeedId(1),
        entry_key="k",
        url=None,
        url_key=None,
        title="t",
        summary=text,
        content="",
        language=None,
        outlet=None,
        published=None,
        first_seen=NOW,
    )


# ----------------------------------------------------------------------------------------------- several processes

WIRE_TEXTS = (
    (
        "Washington asks Serbia to take deported migrants",
        "The United States has asked Serbia to accept migrants deported from its soil, three officials with knowledge "
        "of the talks said on condition of anonymity. A charter would leave from Texas within weeks.",
    ),
    (
        "Court rules that Serbia may not deport opposition singer",
        "Judges in Novi Sad ruled on Tuesday that a folk singer may stay while his appeal is heard. Serbia had ordered "
        "him deported over a concert in a football stadium, his lawyer told the newspaper Dnevnik.",
    ),
    (
        "Deportation of students strains rectors in Serbia",
        "Rectors of five universities wrote to parliament that deporting exchange students harms science. Serbia sent "
        "home eleven chemists in March because laboratory visas had lapsed during the long winter break.",
    ),
)


def wire_text(n: int, outlet: str) -> ParsedEntry:
    title, text = WIRE_TEXTS[n]
    at = NOW + n * MINUTE
    return ParsedEntry(f"{outlet}{n}", f"https://{outlet}.example/{n}", title, text, published=at, language="en")


def test_the_same_wire_text_through_two_processes_at_once_is_one_story_and_a_copy(engine: Engine) -> None:
    one = ctx_of_two_feeds(engine)
    two = fresh(engine)
    together = Barrier(2)

    def take(ctx: understanding.Context, outlet: str, feed: str, n: int, held: Claim) -> pipeline.Report:
        together.wait()
        return process(ctx, wire_text(n, outlet), feed=feed, at=NOW + n * MINUTE, held=held)

    for n in range(len(WIRE_TEXTS)):
        claims = [claim(one, feed, NOW + n * MINUTE) for feed in FEEDS[:2]]
        with ThreadPoolExecutor(2) as pool:
            reports = [
                pool.submit(take, one, "wire", FEEDS[0], n, claims[0]),
                pool.submit(take, two, "press", FEEDS[1], n, claims[1]),
            ]
            found = [report.result().taken[0] for report in reports]
        assert found[0].story == found[1].story
        copies = {taken.entry.id: taken.assignment.copy_of for taken in found if taken.assignment.role is Role.COPY}
        assert len(copies) == 1
        assert set(copies) | set(copies.values()) == {taken.entry.id for taken in found}
    with engine.connect() as connection:
        numbers = connection.execute(select(tables.mention.c.change_no)).scalars().all()
    assert sorted(numbers) == list(range(1, 2 * len(WIRE_TEXTS) + 1))


def test_a_process_hears_of_a_story_that_another_one_began(engine: Engine) -> None:
    one = ctx_of_two_feeds(engine)
    two = fresh(engine)
    first = process(one, REPORT).taken[0]
    follow = process(two, FOLLOW, feed=FEEDS[1], at=NOW + 31 * MINUTE).taken[0]
    assert follow.story == first.story
    assert {first.entry.id, follow.entry.id} <= set(two.window._window.numbers)
    assert one.changes < two.changes == 2


def ctx_of_two_feeds(engine: Engine) -> understanding.Context:
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed(url, url.split("/")[2]) for url in FEEDS], NOW)
    return fresh(engine)
