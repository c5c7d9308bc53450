"""`storywatch explain`: what it says of a stored entry is what was decided; everything else is marked "would"."""

from __future__ import annotations

import io
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor import cli, pipeline, understanding, wiring
from monitor.config import api
from monitor.explain import rendering, running, stages, subject
from monitor.explain.subject import NothingToExplain, Wish
from monitor.parse import delta
from monitor.store import claims, feeds, migrate, results
from monitor.store import engine as engines
from monitor.values import ParsedEntry, ParsedFeed
from tests.fakes.feed_server import FeedServer, Step

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CONFIG = """\
version: 1
contact: https://newsroom.example/storywatch
storage: {{url: 'sqlite:///{folder}/storywatch.db'}}
limits: {{allow_hosts: [127.0.0.1]}}
governments: {{watch: [US, RS]}}
feeds:
  - {{url: 'https://wire.example/rss', tags: [wire]}}
  - {{url: 'https://press.example/rss', tags: [press], paused: true}}
watches:
  - {{name: flights, query: "deport* AND Serbia"}}
  - {{name: storms, query: "storm* AND coast"}}
  - {{name: elsewhere, query: "deport*", feeds: [press]}}
outlets:
  wire.example: {{name: Harbour Wire, country: US, kind: wire}}
  press.example: {{name: Northern Press, country: GB, kind: newspaper}}
channels:
  console: {{type: stdout}}
"""
TEXT = """\
Washington asks Serbia to take deported migrants
The United States has asked Serbia to accept migrants deported from its soil, three officials said on Monday.
Serbia's Foreign Ministry declined to comment to Harbour Wire."""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    return path


async def explained(what: str, config: Path, text: str | None = None, **known: str) -> stages.Explained:
    return await running.explain(Wish(what, **known), text, config, os.environ, NOW)  # type: ignore[arg-type]


async def test_a_pasted_text_is_explained_without_a_database(config: Path) -> None:
    told = await explained("-", config, TEXT, outlet="wire.example")
    shown = rendering.as_text(told, colour=False, spans=False)
    assert [(one.watch, one.matches) for one in told.watches] == [
        ("flights", True),
        ("storms", False),
        ("elsewhere", True),
    ]
    assert "would start a story" in shown
    assert "RS foreign ministry: declined" in shown
    assert "(no response)" in shown
    assert "[Serbia]" in shown
    assert [event.kind for event in told.events] == ["new_story", "non_answer", "new_story", "non_answer"]
    assert not (config.parent / "storywatch.db").exists()


async def test_a_watch_that_does_not_match_says_what_it_lacks(config: Path) -> None:
    told = await explained("-", config, TEXT)
    why = {one.watch: one.why for one in told.watches}
    assert why["storms"].startswith("lacks storm*")


async def test_a_watch_that_looks_into_other_feeds_says_so(config: Path) -> None:
    stored(config, *ENTRIES)
    told = await explained("https://wire.example/1", config)
    why = {one.watch: one.why for one in told.watches}
    assert why["elsewhere"] == "the words match, but the watch looks into feeds tagged press; this one's tags: wire"


async def test_a_text_in_an_unknown_language_is_passed_through(config: Path) -> None:
    told = await explained("-", config, "???")
    assert told.as_dict()["language"] == "und"
    assert "not known, nothing is guessed" in rendering.as_text(told, colour=False, spans=False)


async def test_an_entry_without_a_text_is_said_to_be_only_a_title(config: Path) -> None:
    told = await explained("-", config, TEXT.partition("\n")[0])
    assert told.as_dict()["title_only"]
    assert "all that is known of it is its title" in rendering.as_text(told, colour=False, spans=False)


def stored(config: Path, *entries: ParsedEntry) -> pipeline.Report:
    """Record a document as the daemon would."""
    loaded = api.load(config, os.environ)
    engine = engines.open_engine(f"sqlite:///{config.parent}/storywatch.db")
    migrate.ensure(engine)
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed("https://wire.example/rss", "wire.example")], NOW)
        (row,) = claims.claim(connection, NOW, lease=timedelta(minutes=1))
    assert row.claim is not None
    ctx: understanding.Context = wiring.context(engine, wiring.knowledge(loaded, config_rev=1), loaded, now=NOW)
    decision = pipeline.Decision(results.Settlement(NOW, "adaptive", {}, NOW, ok=True))
    turn = pipeline.Turn(row.claim, None, 1, False, lambda _: decision, tags=frozenset({"wire"}))
    report = pipeline.process(delta.whole(ParsedFeed(entries)), turn, ctx, NOW)
    engine.dispose()
    return report


ENTRIES = (
    ParsedEntry("r1", "https://wire.example/1", *TEXT.split("\n", 1), published=NOW, language="en"),
    ParsedEntry(
        "r2",
        "https://press.example/1",
        "Serbia pressed by Washington to take deported migrants",
        "Washington wants Serbia to accept migrants deported from the United States, Harbour Wire reported.",
        published=NOW,
        language="en",
    ),
    ParsedEntry("r3", "https://wire.example/3", "Rain on Friday", "Bring a coat.", published=NOW, language="en"),
)


async def test_a_stored_entry_is_explained_by_what_was_decided(config: Path) -> None:
    report = stored(config, *ENTRIES)
    assert len(report.taken) == 2
    for taken in report.taken:
        told = await explained(str(taken.entry.id), config)
        assert told.subject.stored
        assert told.story is not None
        assert (told.story.key, told.story.assignment.role) == (taken.story, taken.assignment.role)
        assert told.story.assignment.joined in (taken.assignment.joined, taken.story)
        assert {one.watch for one in told.watches if one.matches} == {match.watch for match in taken.matches}
        assert told.evidence == taken.evidence
        assert [event.key for event in told.events] == [event.key for event in taken.events]
        shown = rendering.as_text(told, colour=False, spans=True)
        assert "would" not in shown
        assert "console/console: pending" in shown


async def test_a_stored_entry_is_found_by_its_address_in_any_spelling(config: Path) -> None:
    stored(config, *ENTRIES)
    told = await explained("http://www.press.example/1/?utm_source=x", config)
    assert told.subject.entry.title == ENTRIES[1].title


async def test_an_entry_no_watch_wanted_has_no_story(config: Path) -> None:
    stored(config, *ENTRIES)
    told = await explained("https://wire.example/3", config)
    assert told.story is None
    assert not told.events
    assert "none: no watch wants the entry" in rendering.as_text(told, colour=False, spans=False)


async def test_the_page_of_an_unknown_address_is_read_for_the_purpose(config: Path) -> None:
    title, *lines = TEXT.split("\n")
    page = f"<html><head><title>{title}</title></head><body><article>{''.join(f'<p>{one}</p>' * 2 for one in lines)}"
    async with FeedServer() as server:
        server.script("/a", Step(200, {"Content-Type": "text/html"}, page.encode()))
        told = await explained(server.url("/a"), config)
        assert [request.path for request in server.requests] == ["/robots.txt", "/a"]
    assert told.subject.entry.title == title
    assert not told.subject.stored
    assert told.watches[0].matches


UNUSABLE = {
    "a word that is nothing": ("nothing", None, "no stored entry, no address and no file"),
    "an empty text": ("-", "  \n", "no text to explain"),
    "a number nobody has": ("4711", None, "no stored entry"),
    "an address inside": ("http://10.0.0.8/a", None, "refused_address"),
}


@pytest.mark.parametrize(("what", "text", "says"), UNUSABLE.values(), ids=UNUSABLE)
async def test_what_cannot_be_explained_says_why(config: Path, what: str, text: str | None, says: str) -> None:
    with pytest.raises(NothingToExplain, match=says):
        await explained(what, config, text)


def test_a_file_is_read_in_its_own_characters(tmp_path: Path, config: Path) -> None:
    file = tmp_path / "vest.txt"
    file.write_bytes("Vučić o deportacijama\nTekst o Srbiji i čežnji.".encode("cp1250"))
    table = wiring.knowledge(api.load(config, os.environ), config_rev=0).outlets
    found = subject.from_file(file, Wish(str(file)), table, NOW)
    assert found.entry.title == "Vučić o deportacijama"
    assert "čežnji" in found.entry.text


def test_the_command_prints_json_and_single_watches(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(TEXT))
        cli.app(["explain", "-", "-c", str(config), *words], standalone_mode=False)
        return capsys.readouterr().out

    told = json.loads(run("--json"))
    assert told["watches"][0]["watch"] == "flights"
    assert told["answers"][0]["kind"] == "declined_to_comment"
    assert "watch storms" in run("--watch", "storms")
    assert "actor" in run("--spans")
