"""Far sides that refuse, stall, lie or lose answers; what becomes of the deliveries. A driven clock, real servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from standardwebhooks import Webhook

from alerts.channels.webhook import Settings, WebhookChannel
from alerts.errors import ChannelBroken
from alerts.outbox import admin, deliveries, settling
from alerts.values import ChannelHealth, Kind
from monitor.store import engine as engines
from tests.alerts.house import House, answer, at, event
from tests.fakes.scripted import Step
from tests.fakes.slack import FakeSlack
from tests.fakes.smtp import FakeSmtp
from tests.fakes.webhook import FakeReceiver

KEY = "whsec_" + "c2VjcmV0LWtleS1vZi10aGUtdGVzdHM="


class World:
    """Fakes behind every channel, and the configuration that reaches them."""

    def __init__(self, slack: FakeSlack, smtp: FakeSmtp, hook: FakeReceiver, folder: Path) -> None:
        self.slack, self.smtp, self.hook, self.folder = slack, smtp, hook, folder
        (folder / "token").write_text(slack.token + "\n")
        (folder / "key").write_text(KEY)
        (folder / "hook").write_text(slack.hook)

    def channels(self, *names: str) -> dict[str, Any]:
        """The settings of some channels."""
        known: dict[str, dict[str, Any]] = {
            "slack": {
                "type": "slack",
                "token": {"file": str(self.folder / "token")},
                "api": self.slack.api,
                "recipients": [{"to": "C0DESK"}],
            },
            "incoming": {"type": "slack_webhook", "url": {"file": str(self.folder / "hook")}},
            "mail": {
                "type": "email",
                "smtp": {"host": "127.0.0.1", "port": self.smtp.port, "tls": "none"},
                "from": "Watch <watch@desk.example>",
                "recipients": [{"to": "ana@desk.example"}],
            },
            "hook": {
                "type": "webhook",
                "url": self.hook.url,
                "allow": ["127.0.0.1"],
                "secrets": [{"file": str(self.folder / "key")}],
            },
            "folder": {"type": "folder", "path": str(self.folder / "out")},
        }
        return {"channels": {name: known[name] for name in names}}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        slack = stack.enter_context(FakeSlack(now=at("10:02").timestamp))
        yield World(slack, stack.enter_context(FakeSmtp()), stack.enter_context(FakeReceiver()), tmp_path)


@pytest.fixture
def db(sqlite_url: str) -> Iterator[sa.Engine]:
    opened = engines.open_engine(sqlite_url)
    yield opened
    opened.dispose()


def house(db: sa.Engine, raw: dict[str, Any]) -> House:
    made = House(db, raw, now=at("10:00"))
    made.put(event(Kind.NEW_STORY, at("10:00")))
    return made


def with_slack(db: sa.Engine, world: World, raw: dict[str, Any]) -> House:
    """The same, where Slack's clock is the test's."""
    made = house(db, raw)
    world.slack.now = lambda: made.now.timestamp()
    return made


def health(made: House, channel: str) -> ChannelHealth:
    with made.engine.begin() as connection:
        return deliveries.channel(connection, channel).health


# ----------------------------------------------------------------------------------------------------------- Slack

LOST = {
    "the answer is lost": Step(drop=True, take=True),
    "the answer is cut in half": Step(half=True, take=True, reset=True),
    "it says 500 and took it": Step(status=500, body=b"", take=True),
    "it names an internal error and took it": Step(error="internal_error", take=True),
}


@pytest.mark.parametrize("step", LOST.values(), ids=LOST.keys())
async def test_slack_is_asked_before_anything_is_sent_again(step: Step, db: sa.Engine, world: World) -> None:
    world.slack.script.add("chat.postMessage", step)
    made = house(db, world.channels("slack"))
    await made.until(at("10:10"))
    assert len(world.slack.messages) == 1
    assert [method for method, _ in world.slack.asked] == ["conversations.history"]
    assert json.loads(made.rows()[0].receipt or "")["reconciled"] is True


async def test_a_message_slack_does_not_have_is_sent_again_after_two_looks(db: sa.Engine, world: World) -> None:
    world.slack.script.add("chat.postMessage", Step(status=500, body=b"", take=False))
    made = house(db, world.channels("slack"))
    await made.until(at("10:10"))
    assert len(world.slack.messages) == 1
    assert len(world.slack.asked) == 2


async def test_a_search_reaches_back_far_enough_for_a_slow_clock_at_slack(db: sa.Engine, world: World) -> None:
    world.slack.now = at("10:01").timestamp
    world.slack.script.add("chat.postMessage", Step(drop=True, take=True))
    await house(db, world.channels("slack")).until(at("10:10"))
    assert len(world.slack.messages) == 1


async def test_a_lost_answer_to_a_reply_is_looked_for_in_its_thread(db: sa.Engine, world: World) -> None:
    made = with_slack(db, world, world.channels("slack"))
    await made.until(at("10:05"))
    world.slack.script.add("chat.postMessage", Step(drop=True, take=True))
    made.put(event(Kind.RESPONSE, at("10:05"), "radio.example", answer=answer()))
    await made.until(at("10:20"))
    root, reply = world.slack.messages
    assert reply.thread_ts == root.ts
    assert [method for method, _ in world.slack.asked] == ["conversations.replies"]
    assert reply.body["reply_broadcast"] is True


async def test_a_root_is_kept_current_and_replies_hang_under_it(db: sa.Engine, world: World) -> None:
    made = house(db, world.channels("slack"))
    await made.until(at("10:05"))
    made.put(event(Kind.RESPONSE, at("10:05"), "radio.example", answer=answer()))
    await made.until(at("10:20"))
    root, reply = world.slack.messages
    assert reply.thread_ts == root.ts
    assert len(root.history) == 1
    assert "DENIED" in json.dumps(root.body["blocks"])


async def test_a_deleted_root_is_replaced_by_the_next_message(db: sa.Engine, world: World) -> None:
    made = house(db, world.channels("slack"))
    await made.until(at("10:05"))
    world.slack.delete(world.slack.messages[0].ts)
    made.put(event(Kind.RESPONSE, at("10:05"), "radio.example", answer=answer()))
    await made.until(at("10:20"))
    made.put(event(Kind.RESPONSE, at("10:20"), "post.example", answer=answer("confirmed")))
    await made.until(at("10:40"))
    root, reply = world.slack.messages
    assert root.thread_ts is None
    assert reply.thread_ts == root.ts


async def test_a_dead_root_lets_its_first_reply_be_the_root(db: sa.Engine, world: World) -> None:
    world.slack.script.add("chat.postMessage", Step(error="invalid_blocks", times=2))
    made = house(db, world.channels("slack", "folder"))
    await made.until(at("10:05"))
    made.put(event(Kind.RESPONSE, at("10:05"), "radio.example", answer=answer()))
    await made.until(at("10:20"))
    assert [message.thread_ts for message in world.slack.messages] == [None]
    assert "dead" in {row.state for row in made.rows()}


async def test_refused_blocks_are_sent_once_more_as_text(db: sa.Engine, world: World) -> None:
    world.slack.script.add("chat.postMessage", Step(error="msg_blocks_too_long"))
    made = house(db, world.channels("slack"))
    await made.until(at("10:10"))
    assert "blocks" not in world.slack.messages[0].body
    assert made.rows()[0].state == "sent"


async def test_a_pause_slack_asks_for_holds_the_channel_and_nobody_else(db: sa.Engine, world: World) -> None:
    world.slack.script.add("chat.postMessage", Step(status=429, headers=(("Retry-After", "30"),), body=b""))
    made = house(db, world.channels("slack", "folder"))
    made.put(event(Kind.NEW_STORY, at("10:00"), story="st_other"))
    await made.until(at("10:02:29"))
    assert world.slack.messages == []
    assert len([row for row in made.sent() if row.channel == "folder"]) == 2
    await made.until(at("10:03"))
    assert len(world.slack.messages) == 2
    assert {row.tries for row in made.rows(channel="slack")} == {0}


async def test_a_broken_channel_holds_its_rows_tells_elsewhere_and_resumes(db: sa.Engine, world: World) -> None:
    world.slack.script.forever("chat.postMessage", Step(error="is_archived"))
    made = house(db, world.channels("slack", "folder"))
    made.put(event(Kind.NEW_STORY, at("10:00"), story="st_other"))
    await made.until(at("10:10"))
    assert health(made, "slack") is ChannelHealth.BROKEN
    assert {row.state for row in made.rows(channel="slack")} == {"held"}
    assert any("slack is broken" in row.subject for row in made.rows(channel="folder"))
    world.slack.script.clear("chat.postMessage")
    await made.until(at("11:00"))
    assert {row.state for row in made.rows(channel="slack")} == {"sent"}
    assert len(world.slack.messages) == 2
    assert any("slack works again" in row.subject for row in made.rows(channel="folder"))


async def test_a_question_slack_does_not_allow_ends_in_a_possible_repeat(db: sa.Engine, world: World) -> None:
    world.slack.script.add("chat.postMessage", Step(drop=True, take=True))
    world.slack.script.forever("conversations.history", Step(error="not_allowed_token_type"))
    made = house(db, world.channels("slack"))
    await made.until(at("11:00"))
    first, second = world.slack.messages
    assert first.delivery_id == second.delivery_id
    assert second.body["text"].endswith("(possible repeat)")


async def test_many_messages_to_one_channel_keep_a_second_apart(db: sa.Engine, world: World) -> None:
    raw = world.channels("slack")
    raw["caps"] = {"per_hour": 100, "per_day": 100}
    made = House(db, raw, now=at("10:00"))
    made.put(*(event(Kind.NEW_STORY, at("10:00"), story=f"st_{n}") for n in range(20)))
    await made.until(at("10:02:05"))
    assert 3 <= len(world.slack.messages) <= 9
    await made.until(at("10:03"))
    assert len(world.slack.messages) == 20


async def test_an_incoming_webhook_may_repeat_and_says_so(db: sa.Engine, world: World) -> None:
    world.slack.script.add("incoming", Step(drop=True, take=True))
    await house(db, world.channels("incoming")).until(at("10:10"))
    first, second = world.slack.incoming
    assert first["metadata"] == second["metadata"]
    assert second["text"].endswith("(possible repeat)")


# ------------------------------------------------------------------------------------------------------------ mail


async def test_the_stored_bytes_are_what_the_server_gets(db: sa.Engine, world: World) -> None:
    made = house(db, world.channels("mail"))
    await made.until(at("10:10"))
    assert world.smtp.mails[0].raw == made.body(made.rows()[0])
    assert "queued as 1" in (made.rows()[0].receipt or "")
    assert world.smtp.mails[0].sender == "watch@desk.example"


MAIL_LOST = {
    "the reply to the dot is lost": Step(drop=True, take=True),
    "it takes the mail and says later": Step(reply="451 4.3.0 later", take=True),
}


@pytest.mark.parametrize("step", MAIL_LOST.values(), ids=MAIL_LOST.keys())
async def test_a_mail_in_doubt_repeats_with_one_id_and_the_same_bytes(step: Step, db: sa.Engine, world: World) -> None:
    world.smtp.script.add("dot", step)
    await house(db, world.channels("mail")).until(at("10:10"))
    first, second = world.smtp.mails
    assert first == second


async def test_greylisting_delays_one_recipient_and_nobody_else(db: sa.Engine, world: World) -> None:
    raw = world.channels("mail")
    raw["channels"]["mail"]["recipients"].append({"to": "joe@desk.example"})
    world.smtp.script.add("rcpt", Step(reply="451 4.7.1 greylisted", times=1))
    made = house(db, raw)
    await made.until(at("10:02:03"))
    assert len(world.smtp.mails) == 1
    await made.until(at("10:10"))
    assert sorted(mail.to for mail in world.smtp.mails) == ["ana@desk.example", "joe@desk.example"]


async def test_one_bad_recipient_is_dead_alone(db: sa.Engine, world: World) -> None:
    raw = world.channels("mail", "folder")
    raw["channels"]["mail"]["recipients"].append({"to": "joe@desk.example"})
    world.smtp.script.add("rcpt", Step(reply="550 5.1.1 no such user"))
    made = house(db, raw)
    await made.until(at("10:30"))
    assert sorted(row.state for row in made.rows(channel="mail")) == ["dead", "sent"]
    assert health(made, "mail") is ChannelHealth.OK
    assert any("given up" in row.subject for row in made.rows(channel="folder"))


async def test_a_password_is_never_sent_without_tls(db: sa.Engine, world: World) -> None:
    raw = world.channels("mail")
    raw["channels"]["mail"]["smtp"] |= {"tls": "starttls", "user": "u", "password": {"file": str(world.folder / "key")}}
    made = house(db, raw)
    await made.until(at("10:10"))
    assert health(made, "mail") is ChannelHealth.BROKEN
    assert not any(command.upper().startswith("AUTH") for command in world.smtp.commands)


# --------------------------------------------------------------------------------------------------------- webhook


async def test_a_post_is_signed_so_that_the_reference_library_takes_it(db: sa.Engine, world: World) -> None:
    # The library compares the timestamp with the real clock, so this house lives by it.
    now = datetime.now(UTC)
    made = House(db, world.channels("hook"), now=now)
    made.put(event(Kind.NEW_STORY, now - timedelta(minutes=3)))
    await made.step()
    post = world.hook.posts[0]
    assert Webhook(KEY).verify(post.body, post.headers)["type"] == "story.new"


async def test_both_keys_sign_while_one_is_rotated(db: sa.Engine, world: World) -> None:
    (world.folder / "new").write_text("whsec_" + "YW5vdGhlci1rZXktb2YtdGhlLXRlc3Rz")
    raw = world.channels("hook")
    raw["channels"]["hook"]["secrets"].insert(0, {"file": str(world.folder / "new")})
    await house(db, raw).until(at("10:10"))
    assert len(world.hook.posts[0].headers["webhook-signature"].split()) == 2


async def test_a_lost_answer_repeats_with_one_id_and_the_same_bytes(db: sa.Engine, world: World) -> None:
    world.hook.script.add("hook", Step(drop=True, take=True))
    await house(db, world.channels("hook")).until(at("10:10"))
    first, second = world.hook.posts
    assert (first.delivery_id, first.body) == (second.delivery_id, second.body)


async def test_a_redirect_is_a_failure_and_is_not_followed(db: sa.Engine, world: World) -> None:
    world.hook.script.add("hook", Step(status=302, headers=(("Location", "/elsewhere"),)))
    await house(db, world.channels("hook")).until(at("10:10"))
    assert [post.path for post in world.hook.posts] == ["/hook"]
    assert world.hook.tried == 2


async def test_a_receiver_that_is_gone_stops_the_channel_at_once(db: sa.Engine, world: World) -> None:
    world.hook.script.forever("hook", Step(status=410))
    made = house(db, world.channels("hook"))
    await made.until(at("10:10"))
    assert world.hook.tried == 1
    assert made.rows()[0].state == "held"


async def test_a_refusal_is_believed_at_the_third_time(db: sa.Engine, world: World) -> None:
    world.hook.script.forever("hook", Step(status=404))
    made = house(db, world.channels("hook"))
    await made.until(at("10:10"))
    assert world.hook.tried == 3
    assert health(made, "hook") is ChannelHealth.BROKEN


INNER = (
    "127.0.0.1",
    "169.254.169.254",
    "10.0.0.1",
    "100.64.0.1",
    "::1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "fe80::1",
)


@pytest.mark.parametrize("address", INNER)
async def test_an_address_inside_is_refused(address: str) -> None:
    async def ask(host: str, port: int) -> tuple[str, ...]:
        return ("93.184.215.14", address)

    channel = WebhookChannel("hook", Settings("https://hook.example/x"), ask)
    with pytest.raises(ChannelBroken, match="open internet"):
        await channel.send(None, at("10:00"))  # type: ignore[arg-type] # it is refused before the delivery is looked at


# ---------------------------------------------------------------------------------------------------- long outages


@pytest.mark.long
async def test_after_six_hours_one_catch_up_follows_instead_of_every_message(db: sa.Engine, world: World) -> None:
    raw = world.channels("hook", "folder")
    raw["caps"] = {"per_hour": 1000, "per_day": 1000}
    world.hook.script.forever("hook", Step(status=503))
    made = House(db, raw, now=at("10:00"))
    for hour in range(10, 15):
        for n in range(8):
            made.put(event(Kind.NEW_STORY, at(f"{hour}:00"), story=f"st_{hour}_{n}"))
        await made.until(at(f"{hour}:59"))
    assert len([row for row in made.sent() if row.channel == "folder"]) == 40
    world.hook.script.clear("hook")
    await made.until(at("18:00"))
    bodies = [json.loads(post.body) for post in world.hook.posts]
    told = [story["story"]["id"] for body in bodies for story in body["data"].get("stories", [body["data"]])]
    assert sorted(told) == sorted({f"st_{hour}_{n}" for hour in range(10, 15) for n in range(8)})
    assert len(bodies) <= 20
    assert any("folded" in note for body in bodies for note in body["data"].get("notes", ()))
    assert {row.state for row in made.rows(channel="hook")} == {"sent", "superseded"}


async def test_an_outage_of_more_than_three_days_is_reported_and_can_be_retried(db: sa.Engine, world: World) -> None:
    world.hook.script.forever("hook", Step(status=503))
    made = house(db, world.channels("hook", "folder"))
    await made.until(at("10:10"))
    made.now += timedelta(days=4)
    await made.until(made.now + timedelta(minutes=10))
    assert [row.state for row in made.rows(channel="hook")] == ["dead"]
    assert sum("given up" in row.subject for row in made.rows(channel="folder")) == 1
    world.hook.script.clear("hook")
    with db.begin() as connection:
        assert admin.retry(connection, made.now, channel="hook") == 1
        assert admin.retry(connection, made.now, channel="hook") == 0
    await made.until(made.now + timedelta(minutes=30))
    assert [row.state for row in made.rows(channel="hook")] == ["sent"]


async def test_urgent_news_of_a_channel_that_is_away_comes_over_its_fallback(db: sa.Engine, world: World) -> None:
    raw = world.channels("slack", "mail")
    raw["channels"]["slack"]["fallback"] = "mail"
    raw["routes"] = {"to": ["slack"]}
    world.slack.script.forever("chat.postMessage", Step(error="token_revoked"))
    made = House(db, raw, now=at("10:00"))
    made.put(event(Kind.RESPONSE, at("10:00"), "radio.example", answer=answer()))
    await made.until(at("11:00"))
    assert [row.state for row in made.rows(channel="slack") if row.urgent] == ["superseded"]
    told = [row for row in made.rows(channel="mail") if row.urgent]
    assert [f"{row.created_at:%H:%M}" for row in told] == ["10:31"]
    assert b"slack has not answered since 15 Jun 10:01" in made.body(told[0]).replace(b"=\r\n", b"")
    world.slack.script.clear("chat.postMessage")
    await made.until(at("12:00"))
    assert world.slack.messages == []


async def test_a_receipt_of_a_worker_that_lost_its_lease_changes_nothing(db: sa.Engine, world: World) -> None:
    made = house(db, world.channels("folder"))
    made.desk.build_due(at("10:02"))
    with db.begin() as connection:
        mine = deliveries.claim(connection, "folder", "one|x|1|1", timedelta(seconds=30), at("10:02"))
    assert mine is not None
    with db.begin() as connection:
        assert deliveries.recover(connection, (), at("10:03")) == 1
    with db.begin() as connection:
        other = deliveries.claim(connection, "folder", "two|x|1|1", timedelta(seconds=30), at("10:03"))
        assert other is not None
        assert other.attempt == mine.attempt + 1
        assert not settling.settle(connection, mine, _done(), at("10:04"))
        assert settling.settle(connection, other, _done(), at("10:04"))
        assert not settling.settle(connection, replace(other), _done(), at("10:05"))


def _done() -> Any:
    from alerts import retry
    from alerts.values import Receipt

    return retry.Done(Receipt("ok"))
