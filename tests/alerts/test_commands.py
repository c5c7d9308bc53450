"""What people do about deliveries, silences and recipients, through the command line on a real file."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from alerts.values import Kind
from monitor import cli
from monitor.store import engine as engines
from tests.alerts.house import House, answer, event
from tests.fakes.scripted import Step
from tests.fakes.smtp import FakeSmtp

CONFIG = """
version: 1
contact: https://newsroom.example/watch
storage: {{url: "{url}"}}
channels:
  files: {{type: folder, path: {folder}/out}}
  mail:
    type: email
    smtp: {{host: 127.0.0.1, port: {port}, tls: none}}
    from: Watch <watch@desk.example>
    recipients: [{{to: ana@desk.example}}, {{to: joe@desk.example}}]
routes: {{to: [files]}}
"""


class Desk:
    """A configured storywatch with a mail server, and its command line."""

    def __init__(self, folder: Path, url: str, smtp: FakeSmtp) -> None:
        self.folder, self.smtp = folder, smtp
        self.engine = engines.open_engine(url)
        self.file = folder / "config.yaml"
        self.file.write_text(CONFIG.format(url=url, folder=folder, port=smtp.port), encoding="utf-8")
        self.now = datetime.now(UTC)
        raw: dict[str, Any] = {"channels": {"files": {"type": "folder", "path": str(folder / "out")}}}
        self.house = House(self.engine, raw, now=self.now)

    def __call__(self, *words: str) -> Result:
        """Run a command."""
        return CliRunner().invoke(cli.app, [*words, "--config", str(self.file)])

    async def told(self) -> None:
        """Tell one story in the folder."""
        began = self.now - timedelta(minutes=10)
        self.house.now = began
        self.house.put(event(Kind.NEW_STORY, began), event(Kind.RESPONSE, began, "radio.example", answer=answer()))
        await self.house.until(self.now)


@pytest.fixture
def desk(tmp_path: Path, sqlite_url: str) -> Iterator[Desk]:
    with FakeSmtp() as smtp:
        made = Desk(tmp_path, sqlite_url, smtp)
        yield made
        made.engine.dispose()


def test_a_test_goes_through_the_outbox_to_every_recipient_and_says_what_was_answered(desk: Desk) -> None:
    done = desk("test-alert", "--to", "mail")
    assert done.exit_code == 0, done.output
    assert sorted(mail.to for mail in desk.smtp.mails) == ["ana@desk.example", "joe@desk.example"]
    read = [email.message_from_bytes(mail.raw, policy=email.policy.SMTP) for mail in desk.smtp.mails]
    assert all(mail["Subject"].strip().startswith("[TEST]") for mail in read), [mail["Subject"] for mail in read]
    assert done.output.count("accepted: status 250, answer 2.0.0 queued as") == 2


async def test_a_test_of_a_stored_story_shows_that_story_and_moves_no_cursor(desk: Desk) -> None:
    await desk.told()
    done = await asyncio.to_thread(desk, "test-alert", "--to", "files", "--story", "st_harbour")
    assert done.exit_code == 0, done.output
    assert "radio.example" in desk.house.body(desk.house.rows()[-1]).decode()
    desk.house.now = datetime.now(UTC)
    desk.house.put(event(Kind.NEW_OUTLET, desk.house.now, "courier.example"))
    await desk.house.until(desk.house.now + timedelta(hours=1))
    assert b"Message 2" in desk.house.body(desk.house.rows()[-1])


def test_a_dry_test_is_written_to_files_and_not_sent(desk: Desk) -> None:
    out = desk.folder / "dry"
    done = desk("test-alert", "--to", "mail", "--dry", "--out", str(out))
    assert sorted(path.name for path in out.iterdir()) == [
        "mail-ana-desk-example.eml",
        "mail-ana-desk-example.html",
        "mail-joe-desk-example.eml",
        "mail-joe-desk-example.html",
    ]
    assert "not sent" in done.output
    assert desk.smtp.mails == []
    mail = email.message_from_bytes((out / "mail-ana-desk-example.eml").read_bytes(), policy=email.policy.SMTP)
    assert mail["To"] == "ana@desk.example"


def test_a_test_that_is_refused_says_why_and_ends_with_one(desk: Desk) -> None:
    desk.smtp.script.add("rcpt", Step(reply="550 5.1.1 no such user", times=2))
    done = desk("test-alert", "--to", "mail")
    assert done.exit_code != 0
    assert "dead: no_such_recipient" in done.output


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "a test to a channel that is not there": (("test-alert", "--to", "desk"), "there are files, mail"),
    "a test of a story that is not there": (("test-alert", "--to", "files", "--story", "st_x"), "no such story"),
    "the end of a silence that is not there": (("silence", "end", "S9"), "S9: no such silence"),
    "a delivery that is not there": (("outbox", "show", "dlv_x"), "no such delivery"),
    "neither a delivery nor a channel": (("outbox", "retry"), "--channel"),
    "a move to nowhere": (("outbox", "move", "--channel", "files", "--to", "x"), "no such channel"),
    "a recipient that is not set aside": (("recipient", "resume", "mail/ana@desk.example"), "not set aside"),
    "a silence of 31 days": (
        ("silence", "add", "--story", "st_1", "--for", "31d", "--comment", "x"),
        "at most 30 days",
    ),
    "a silence without a comment": (("silence", "add", "--story", "st_1", "--for", "1h", "--comment", " "), "comment"),
    "a silence of everything": (("silence", "add", "--for", "1h", "--comment", "x"), "--all"),
}


@pytest.mark.parametrize(("words", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_done_is_said(
    words: tuple[str, ...], says: str, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    done = desk(*words)
    assert done.exit_code != 0
    assert says in done.output + str(done.exception) + capsys.readouterr().err


async def test_a_delivery_is_shown_with_its_attempts_and_its_bytes(desk: Desk) -> None:
    await desk.told()
    row = desk.house.rows()[0]
    shown = desk("outbox", "show", row.delivery_id).output
    assert "state     sent" in shown
    assert "attempt 1" in shown
    assert row.body_sha256 in shown
    told = json.loads(desk("outbox", "show", row.delivery_id, "--json").output)
    assert told["attempts"][0]["end"] == "ok"


async def test_what_waits_for_a_channel_that_is_gone_is_told_over_another(desk: Desk) -> None:
    """D71: the channel was renamed with rows waiting."""
    desk.house.now = desk.now - timedelta(minutes=5)
    desk.house.put(event(Kind.NEW_STORY, desk.house.now))
    desk.house.desk.build_due(desk.now)
    with desk.engine.begin() as connection:
        for table, column in (("outbox", "channel"), ("item", "recipient"), ("outbox", "recipient")):
            connection.execute(sa.text(f"update {table} set {column} = replace({column}, 'files', 'old')"))
    done = desk("outbox", "move", "--channel", "old", "--to", "mail")
    assert "1 delivery told over mail instead" in done.output, done.output
    from alerts import config

    raw = {
        "channels": {
            "mail": {
                "type": "email",
                "smtp": {"host": "127.0.0.1", "port": desk.smtp.port, "tls": "none"},
                "from": "Watch <watch@desk.example>",
                "recipients": [{"to": "ana@desk.example"}],
            }
        }
    }
    assert config.problems(raw) == ()
    house = House(desk.engine, raw, now=desk.now)
    await house.until(desk.now + timedelta(minutes=5))
    assert [mail.to for mail in desk.smtp.mails] == ["ana@desk.example"]


def test_silences_are_made_previewed_listed_and_ended(desk: Desk) -> None:
    made = desk("silence", "add", "--story", "st_1", "--for", "24h", "--comment", "covered")
    assert made.output.startswith("S1 until"), made.output
    assert (
        "would have muted"
        in desk("silence", "add", "--story", "st_1", "--for", "1h", "--comment", "x", "--preview").output
    )
    assert "covered" in desk("silence", "list").output
    assert "S1 ended" in desk("silence", "end", "S1").output
    assert desk("silence", "list").output == "no silences\n"
