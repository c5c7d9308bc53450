"""A backtest is the daemon's own decisions over again: equal to what was decided, repeatable, and it names causes."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update
from typer.testing import CliRunner

from alerts import tables as alert_tables
from monitor import cli, replay
from monitor.backtest import compare, labels, report
from monitor.config import api
from monitor.store import engine as engines
from monitor.store import revisions, tables

START = datetime(2026, 5, 1, 6, tzinfo=UTC)
RUNNING = """\
version: 1
contact: https://newsroom.example/storywatch
timezone: Europe/Belgrade
storage: {{url: 'sqlite:///{folder}/replay.db'}}
watches:
  - name: removals
    languages: [en, sr, sl]
    query: |
      (~deportation OR flight*)
      AND (Kosovo OR Serbia OR Slovenia)
channels:
  desk: {{type: stdout, recipients: [{{quiet_hours: nights}}]}}
quiet_hours: {{nights: {{from: "22:00", to: "07:00"}}}}
digests: {{morning: {{at: ["08:00"]}}}}
routes: {{to: [desk], send: [prompt, {{digest: morning}}]}}
"""
SUBJECTS = (
    "{place} takes {n} deportees from the United States",
    "{place} denies a deal on deportation, minister {name} says",
    "Flights to {place} are late again, airport {name} says",
    "{name} wins the cup of {place}",
    "The foreign ministry of {place} confirmed the deportation of {n} people",
    "New flight school opens in {place} near {name}",
)
PLACES = ("Kosovo", "Serbia", "Slovenia", "Malta")
NAMES = ("Novak", "Petrov", "Kurti", "Zorić", "Hoxha", "Marin", "Lukas")


def stream(number: int, seed: int = 1) -> Iterator[dict[str, str]]:
    """A made-up fortnight: stories that several outlets take up, and a good deal of noise."""
    rng, at = random.Random(seed), START
    for n in range(number):
        at += timedelta(minutes=rng.randint(1, 60))
        subject = rng.choice(SUBJECTS).format(place=rng.choice(PLACES), n=rng.randint(2, 9), name=rng.choice(NAMES))
        outlet = f"outlet-{rng.choice('abcdef')}.example"
        yield {
            "id": str(n),
            "at": at.isoformat(),
            "feed": f"https://{outlet}/rss",
            "url": f"https://{outlet}/{n}",
            "title": subject,
            "summary": f"{subject}. Officials spoke on {at:%A} about {rng.choice(NAMES)} and {rng.choice(NAMES)}.",
            "lang": "en",
        }


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text.format(folder=folder), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database in which a fortnight was decided live, and the file it ran on as revision 1."""
    folder = tmp_path_factory.mktemp("past")
    file = write(folder, "config.yaml", RUNNING)
    rows = [replay.row(raw) for raw in stream(160)]
    replay.play(rows, api.load(file, {}), folder, lambda line: None)
    engine = engines.open_engine(f"sqlite:///{folder}/replay.db")
    text = file.read_text(encoding="utf-8")
    with engine.begin() as connection:
        offer = revisions.Offer("x", text, "start", START)
        revisions.record(connection, offer, revisions.Outcome.ACCEPTED)
    engine.dispose()
    return folder


@pytest.fixture
def engine(past: Path) -> Iterator[Engine]:
    opened = engines.open_engine(f"sqlite:///{past}/replay.db")
    yield opened
    opened.dispose()


def file_of(folder: Path, name: str, *changed: tuple[str, str]) -> compare.File:
    text = RUNNING
    for old, new in changed:
        assert old in text
        text = text.replace(old, new)
    path = write(folder, name, text)
    return compare.File(api.load(path, {}), path.read_text(encoding="utf-8"))


def span(engine: Engine, days: float = 30) -> compare.Span:
    with engines.reading(engine) as connection:
        found = compare.span_of(connection, timedelta(days=days))
    assert found is not None
    return found


@pytest.mark.parametrize("days", [30, 3])
def test_the_running_configuration_decides_what_it_decided_live(days: int, past: Path, engine: Engine) -> None:
    same = file_of(past, "same.yaml")
    where = span(engine, days)
    found = compare.compare(engine, same, same, where)
    event = alert_tables.event.c
    with engines.reading(engine) as connection:
        live = set(connection.execute(select(event.event_key).where(event.decided_at >= where.since)).scalars())
    assert found.running.decided == found.candidate.decided == live
    assert len(live) > 10
    assert [found.lost, found.gained, found.lost_alerts, found.gained_alerts] == [()] * 4


def edited(rows: list[dict[str, str]]) -> Iterator[dict[str, str]]:
    """Every fifth entry is shown again an hour later with other words, some of which make it match only then."""
    late: list[dict[str, str]] = []
    for n, row in enumerate(rows):
        at = datetime.fromisoformat(row["at"])
        while late and late[0]["at"] <= row["at"]:
            yield late.pop(0)
        yield row
        if n % 5 == 0:
            more = "The foreign ministry of Serbia denied that deportees from the United States would come to Kosovo."
            late.append({**row, "at": (at + timedelta(hours=1)).isoformat(), "summary": f"{row['summary']} {more}"})


def test_edited_entries_are_decided_as_they_read_then(tmp_path: Path) -> None:
    file = write(tmp_path, "config.yaml", RUNNING)
    rows = [replay.row(raw) for raw in edited(list(stream(60, seed=3)))]
    live: list[str] = []
    replay.play(
        rows, api.load(file, {}), tmp_path, lambda line: live.append(line["key"]) if line["type"] == "event" else None
    )
    engine = engines.open_engine(f"sqlite:///{tmp_path}/replay.db")
    same = file_of(tmp_path, "same.yaml")
    found = compare.compare(engine, same, same, span(engine))
    engine.dispose()
    assert any(key.startswith("correction:") for key in live)
    assert found.running.decided == set(live)


def test_a_backtest_changes_nothing_that_is_stored(past: Path, engine: Engine) -> None:
    def stored() -> list[object]:
        with engines.reading(engine) as connection:
            return [connection.execute(select(table)).all() for table in alert_tables.metadata.sorted_tables]

    before = stored()
    compare.compare(engine, file_of(past, "a.yaml"), file_of(past, "b.yaml", (" OR flight*", "")), span(engine))
    assert stored() == before


CAUSES = {
    "a place that is gone from the query": (
        (("Kosovo OR Serbia", "Serbia"),),
        "'Kosovo' is gone from the query",
        "candidate.yaml:10:12",
    ),
    "a term that is gone from the query": (
        ((" OR flight*", ""),),
        "'flight*' is gone from the query",
        "candidate.yaml:9:8",
    ),
    "languages": ((("[en, sr, sl]", "[sr]"),), "languages lost en", "candidate.yaml:7:16"),
    "an outlet that is excluded": (
        (("    query", "    exclude: [outlet-a.example]\n    query"),),
        "outlet-a.example is excluded",
        "candidate.yaml:8:14",
    ),
    "a further condition": (
        (("OR Slovenia)", "OR Slovenia) AND Novak"),),
        "the entry lacks Novak",
        "candidate.yaml:10:46",
    ),
    "a kind that is not alerted on": (
        (("    query", "    alert_on: [response]\n    query"),),
        "new_story is not among what the watch alerts on",
        "candidate.yaml:8:15",
    ),
    "another name of the watch": (
        (("name: removals", "name: others"),),
        "the watch removals is gone",
        "candidate.yaml:6:3",
    ),
}


@pytest.mark.parametrize("case", CAUSES)
def test_a_loss_is_told_with_its_cause_and_the_place_in_the_candidate(case: str, past: Path, engine: Engine) -> None:
    changed, said, place = CAUSES[case]
    found = compare.compare(engine, file_of(past, "old.yaml"), file_of(past, "candidate.yaml", *changed), span(engine))
    told = [(one.cause.said, one.cause.places[-1].rsplit("/", 1)[-1]) for one in found.lost_alerts if one.cause]
    assert len(told) == len(found.lost_alerts) > 0
    assert (said, place) in told


def test_a_gain_is_told_with_what_the_candidate_has_more(past: Path, engine: Engine) -> None:
    new = file_of(past, "candidate.yaml", ("OR Slovenia)", "OR Slovenia OR Malta)"))
    found = compare.compare(engine, file_of(past, "old.yaml"), new, span(engine))
    told = {(one.cause.said, one.cause.places[-1].rsplit("/", 1)[-1]) for one in found.gained_alerts if one.cause}
    assert ("'Malta' is new in the query", "candidate.yaml:10:44") in told


def test_feeds_of_the_database_are_chosen_by_the_tags_that_stand_there(past: Path, tmp_path: Path) -> None:
    shutil.copyfile(past / "replay.db", tmp_path / "replay.db")
    engine = engines.open_engine(f"sqlite:///{tmp_path}/replay.db")
    feed = tables.feed.c
    with engine.begin() as connection:
        connection.execute(update(tables.feed).values(settings={}))
        tagged = update(tables.feed).where(feed.url == "https://outlet-a.example/rss")
        connection.execute(tagged.values(settings={"tags": ["wire"]}))
        outlets = dict(tuple(row) for row in connection.execute(select(tables.entry.c.id, tables.entry.c.outlet)))
    old = file_of(tmp_path, "old.yaml")
    new = file_of(tmp_path, "new.yaml", ("- name: removals\n", "- name: removals\n    feeds: [wire]\n"))
    found = compare.compare(engine, old, new, span(engine, 3))
    assert {outlets[alert.entry] for alert in found.candidate.alerts if alert.entry} == {"outlet-a.example"}
    assert "its feed has none of the watch's tags" in {one.cause.said for one in found.lost_alerts if one.cause}
    engine.dispose()


@pytest.mark.long
def test_three_runs_with_other_hash_seeds_read_the_same(past: Path) -> None:
    write(past, "candidate.yaml", RUNNING.replace(" OR flight*", ""))
    words = ["backtest", "--config", "candidate.yaml", "--running", "config.yaml", "--json", "--suggest"]
    outs = [
        subprocess.run(
            [sys.executable, "-m", "monitor", *words],
            cwd=past,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        for seed in ("1", "2", "3")
    ]
    assert len({done.stdout for done in outs}) == 1
    assert len({done.stderr for done in outs}) == 1
    told = json.loads(outs[0].stdout)
    assert told["candidate"]["alerts"] < told["running"]["alerts"]
    assert set(told["running"]["per_day"]) == {"p50", "p95", "max"}


def ask(folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str]:
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(cli.app, ["backtest", *words])
    return done.exit_code, done.output


def test_a_lost_label_ends_with_four_and_names_the_place(past: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row for row in stream(160) if "Kosovo takes" in row["title"]]
    (past / "labels.jsonl").write_text(json.dumps({"url": rows[0]["url"], "verdict": "right"}) + "\n", encoding="utf-8")
    write(past, "candidate.yaml", RUNNING.replace("Kosovo OR ", ""))
    words = ("--config", "candidate.yaml", "--label", "labels.jsonl", "--fail-if-lost")
    code, out = ask(past, monkeypatch, *words)
    assert code == 4, out
    assert "labelled stories missed" in out
    assert "candidate.yaml:10:12" in out
    write(past, "candidate.yaml", RUNNING.replace(" OR flight*", ""))
    assert ask(past, monkeypatch, *words)[0] == 0


def test_a_candidate_that_does_not_validate_is_not_tried(past: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(past, "broken.yaml", RUNNING.replace("OR Slovenia)", "OR Slovenia"))
    monkeypatch.chdir(past)
    done = subprocess.run(
        [sys.executable, "-m", "monitor", "backtest", "--config", "broken.yaml"], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "E051" in done.stderr


def test_what_would_have_been_sent_and_a_page_are_written(
    past: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(past, "candidate.yaml", RUNNING.replace(" OR flight*", ""))
    folder, page = tmp_path / "digests", tmp_path / "out.html"
    words = ("--config", "candidate.yaml", "--as-digest", str(folder), "--html", str(page), "--suggest")
    code, out = ask(past, monkeypatch, *words)
    assert code == 0, out
    assert len(list(folder.iterdir())) > 3
    assert "<table>" in page.read_text(encoding="utf-8")
    assert "suggestion: take flight* out of removals (revision 1:9:" in out


def test_quiet_hours_and_caps_are_counted(past: Path, engine: Engine) -> None:
    tight = file_of(past, "tight.yaml", ("quiet_hours: {{nights", "caps: {{per_day: 1}}\nquiet_hours: {{nights"))
    found = compare.compare(engine, file_of(past, "old.yaml"), tight, span(engine))
    assert found.running.held > 0
    assert found.candidate.capped > found.running.capped
    assert max(found.candidate.per_day) < max(found.running.per_day)


BAD_LABELS = {
    "no JSON": ("{", "no JSON"),
    "no object": ("[]", "is no JSON object"),
    "no verdict": ('{"url": "https://a.example/1"}', "verdict"),
}


@pytest.mark.parametrize("case", BAD_LABELS)
def test_a_label_that_cannot_be_used_is_named_with_its_line(case: str, engine: Engine) -> None:
    line, said = BAD_LABELS[case]
    with engines.reading(engine) as connection, pytest.raises(labels.LabelError, match=rf"labels:1: .*{said}"):
        list(labels.read(connection, [line], "labels"))


def test_a_quantile_is_a_value_that_was_there() -> None:
    assert [report.quantile([5, 1, 3], share) for share in (0.5, 0.95, 1.0)] == [3, 5, 5]
    assert report.quantile([], 0.5) == 0
