"""Stories in both databases: what was recorded comes back as facts, in order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, insert, select

from monitor.store import entries, feeds, live_mentions, stories, story_facts, tables
from monitor.values import (
    Asker,
    Assignment,
    Citation,
    Domain,
    Entry,
    Evidence,
    Finding,
    KeyedEntry,
    Match,
    Outlet,
    ParsedEntry,
    Role,
    Span,
    Stance,
    StoryKey,
)

NOW = datetime(2025, 6, 5, 8, 0, tzinfo=UTC)
KEY = StoryKey("st_0123456789")


def stored(engine: Engine, n: int, domain: str) -> Entry:
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed("http://a.example/rss", "a.example")], NOW)
        row = feeds.by_url(connection, "http://a.example/rss")
        assert row is not None
        keyed = KeyedEntry(
            ParsedEntry(f"id{n}", f"https://{domain}/{n}", f"Title {n}", "Text"), f"id{n}", f"{domain}/{n}"
        )
        (entry,) = entries.add(connection, row.id, [entries.Arrival(keyed, "en", Domain(domain))], gen=1, now=NOW)
        entries.record_matches(
            connection, entry.id, [Match("w", (Span("title", 0, 5, "Title"),))], config_rev=1, now=NOW
        )
    return entry


def mention(
    engine: Engine, entry: Entry, joined: StoryKey | None, evidence: Evidence, role: Role = Role.REPORT
) -> None:
    assert entry.outlet is not None
    with engine.begin() as connection:
        assignment = Assignment(joined, 0.4, 0.22, role, shared=(("serbia", 0.1),))
        story = stories.record(
            connection, entry, Outlet(entry.outlet, "Name"), assignment, KEY, NOW + timedelta(minutes=entry.id), "Text"
        )
        stories.record_evidence(connection, entry, story, evidence, NOW)


def test_facts_tell_mentions_citations_and_stances_in_order(engine: Engine) -> None:
    first, second = stored(engine, 1, "one.example"), stored(engine, 2, "two.example")
    cited = Citation("One", Domain("one.example"), "original", "text", 0, 3)
    declined = Finding(
        "US",
        "head of state",
        Stance.DECLINED,
        "White House",
        "The White House declined.",
        asker=Asker("One", Domain("one.example")),
    )
    mention(engine, first, None, Evidence())
    mention(engine, second, KEY, Evidence((declined,), (cited,)))
    with engine.connect() as connection:
        facts = story_facts.of(connection, KEY)
    assert [m.outlet for m in facts.mentions] == ["one.example", "two.example"]
    assert facts.mentions[0].watches == {"w"}
    assert facts.mentions[1].citations == (cited,)
    (stance,) = facts.stances
    assert (stance.government, stance.voice, stance.stance, stance.asker) == (
        "US",
        "head of state",
        Stance.DECLINED,
        declined.asker,
    )


def test_a_story_nobody_wrote_has_no_facts(engine: Engine) -> None:
    with engine.connect() as connection:
        assert story_facts.of(connection, StoryKey("st_none000000")).mentions == ()


def test_the_live_window_comes_back_in_the_order_of_decisions(engine: Engine) -> None:
    for n, domain in enumerate(("one.example", "two.example", "three.example"), start=1):
        mention(engine, stored(engine, n, domain), None if n == 1 else KEY, Evidence())
    with engine.connect() as connection:
        rows = list(live_mentions.since(connection, NOW))
    assert [row.outlet for row in rows] == ["one.example", "two.example", "three.example"]
    assert {row.story for row in rows} == {KEY}


def test_a_merged_storys_key_leads_to_its_survivor_in_one_hop(engine: Engine) -> None:
    mention(engine, stored(engine, 1, "one.example"), None, Evidence())
    with engine.begin() as connection:
        story = connection.execute(select(tables.story.c.id)).scalar_one()
        connection.execute(
            insert(tables.story_alias).values(alias_key="st_old0000000", story_id=story, since=NOW, why="merge")
        )
        assert stories.resolve(connection, StoryKey("st_old0000000")) == KEY
        assert stories.resolve(connection, KEY) == KEY
