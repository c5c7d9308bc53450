"""`check --live`: servers are asked and nobody is told anything; what stored history says of a file."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from monitor import probing
from monitor.backtest import estimate
from monitor.config import api
from monitor.store import engine as engines
from monitor.store import entries, feeds, migrate, tables
from tests.fakes.feed_server import FeedServer, Step
from tests.fakes.slack import FakeSlack
from tests.fakes.slack import Step as Said
from tests.fakes.smtp import FakeSmtp

NOW = datetime(2026, 6, 13, 12, tzinfo=UTC)
HEAD = "version: 1\ncontact: desk@paper.example\nlimits: {allow_hosts: [127.0.0.1]}\n"


async def asked(text: str) -> list[tuple[str, int, str]]:
    found = await probing.problems(api.parse_text(text, os.environ), text, os.environ, lambda: NOW)
    return [(problem.code, problem.line, problem.message) for problem in found]


def slack(fake: FakeSlack) -> str:
    return (
        f"{HEAD}channels:\n  desk: {{type: slack, token: {{env: SLACK_TOKEN}}, api: '{fake.api}', "
        "recipients: [{to: C0DESK}]}\n"
    )


SCOPES = {
    "all that is needed": ("chat:write,channels:history", []),
    "no history": ("chat:write", [("W024", 5)]),
    "not even posting": ("channels:history", [("E090", 5)]),
}


@pytest.mark.parametrize("case", SCOPES)
async def test_slack_is_asked_who_we_are_and_what_we_may(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scopes, wanted = SCOPES[case]
    with FakeSlack() as fake:
        monkeypatch.setenv("SLACK_TOKEN", fake.token)
        fake.script.add("auth.test", Said(headers=(("x-oauth-scopes", scopes),)))
        found = await asked(slack(fake))
        assert [row[:2] for row in found] == wanted
        assert fake.messages == []


async def test_a_token_that_slack_refuses_is_told_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_TOKEN", "xoxb-zugvogel")
    with FakeSlack() as fake:
        ((code, line, said),) = await asked(slack(fake))
    assert (code, line) == ("E090", 5)
    assert "invalid_auth" in said
    assert "zugvogel" not in said


async def test_a_mail_server_is_greeted_and_no_mail_is_handed_in() -> None:
    with FakeSmtp() as fake:
        text = (
            f"{HEAD}channels:\n  mail:\n    type: email\n    smtp: {{host: 127.0.0.1, port: {fake.port}, tls: none}}\n"
            "    from: a@paper.example\n    recipients: [{to: b@paper.example}]\n"
        )
        assert await asked(text) == []
        assert fake.mails == []
    ((code, line, _),) = await asked(text)
    assert (code, line) == ("E090", 5)


async def test_a_feed_that_does_not_answer_is_told_at_its_line() -> None:
    async with FeedServer() as server:
        server.script("/a", Step(body=b"<rss version='2.0'><channel><title>T</title></channel></rss>"))
        server.script("/b", Step(status=404))
        text = f"{HEAD}feeds:\n  - {{url: '{server.url('/a')}'}}\n  - {{url: '{server.url('/b')}'}}\n"
        found = await asked(text)
    assert [row[:2] for row in found] == [("W040", 6)]


async def test_a_webhook_inside_our_own_network_is_refused() -> None:
    text = f"{HEAD}channels:\n  hook: {{type: webhook, url: 'https://10.0.0.7/x', secrets: []}}\n"
    found = await asked(text)
    assert [row[0] for row in found] == ["E090"]
    assert "address_refused" in found[0][2]


# -------------------------------------------------------------------------------------------------- stored history

WATCHES = """\
feeds:
  - {url: 'https://a.example/rss'}
watches:
  - name: one
    query: |
      QUERY
channels:
  console: {type: stdout}
caps: {per_day: 30}
"""


def store(folder: Path, titles: list[str]) -> Any:
    engine = engines.open_engine(f"sqlite:///{folder}/storywatch.db")
    migrate.ensure(engine)
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed("https://a.example/rss", "a.example")], NOW)
        rows = [
            {
                "feed_id": 1,
                "entry_key": str(n),
                "title": title,
                "summary": "",
                "content": "",
                "first_seen_at": NOW - timedelta(minutes=10 * n),
                "gen": 1,
                "text_sha256": entries.text_hash(title, "", ""),
            }
            for n, title in enumerate(titles)
        ]
        connection.execute(insert(tables.entry), rows)
    return engine


QUERIES = {
    "a query that finds a few": ("Kosovo", None),
    "a query that finds nothing": ("Andorra", "the query found none of 100 entries of 16 h"),
    "a query that finds everything": ("news", "the query found nearly everything: 100 of 100 entries of 16 h"),
}


@pytest.mark.parametrize("case", QUERIES)
def test_a_query_is_tried_on_what_is_stored(case: str, tmp_path: Path) -> None:
    words, said = QUERIES[case]
    engine = store(tmp_path, [f"news {n} of {'Kosovo' if n % 10 == 0 else 'Malta'}" for n in range(100)])
    text = HEAD + WATCHES.replace("QUERY", words)
    with engines.reading(engine) as connection:
        found = estimate.problems(api.parse_text(text, {}), text, connection, NOW)
    assert [problem.message for problem in found] == ([said] if said else [])
    assert all((problem.code, problem.line) == ("W008", 8) for problem in found)
    if case.endswith("everything"):
        assert (found[0].hint or "").count('"') == 6


def test_a_dead_feed_is_told_with_its_last_answer_and_its_last_error(tmp_path: Path) -> None:
    engine = store(tmp_path, ["x"])
    with engine.begin() as connection:
        ago = NOW - timedelta(days=3)
        values = {"first_fail_at": ago, "fail_reason": "http_503", "last_ok_at": ago}
        connection.execute(update(tables.feed).values(**values))
    text = HEAD + WATCHES.replace("QUERY", "Kosovo")
    with engines.reading(engine) as connection:
        (found,) = estimate.problems(api.parse_text(text, {}), text, connection, NOW)
    assert (found.code, found.line, found.column) == ("W040", 5, 11)
    assert "10 Jun 2026 12:00 UTC, http_503" in found.message
