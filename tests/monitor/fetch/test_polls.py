"""Client and schedule together against a scripted server, under a driven clock: what a server sees over days."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from monitor import schedule
from monitor.fetch.client import Client
from monitor.fetch.limits import Request
from monitor.schedule import Next
from monitor.values import Fetched, FetchFailed, FetchOutcome, NotModified, ParsedEntry, ParsedFeed
from tests.fakes.feed_server import FeedServer, Step, validating
from tests.monitor.fetch.conftest import AGENT, NOW, PATIENT

V1, V2 = b"<rss>1</rss>", b"<rss>2</rss>"
DOCUMENT = ParsedFeed(tuple(ParsedEntry(str(n), None, f"title {n}") for n in range(20)))
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Polls:
    """One feed, polled as the daemon polls it; every body but HTML parses to 20 entries of which one is new."""

    def __init__(self, client: Client, url: str) -> None:
        self.client = client
        self.url = url
        self.now = NOW
        self.state = schedule.FeedState()
        self.hash: bytes | None = None
        self.moves: list[schedule.Move] = []
        self.next: Next | None = None

    def clock(self) -> datetime:
        return self.now

    async def poll(self, after: timedelta | None = None) -> FetchOutcome:
        """Poll when it is due, or some time later."""
        if after is not None:
            self.now += after
        elif self.next is not None:
            self.now = self.next.next_at
        validators = schedule.to_send(self.state, self.now)
        outcome = await self.client.fetch(Request(self.url, validators), self.clock)
        self.next = schedule.after(self.state, schedule.Policy(), self._learn(outcome), self.now, 0.5)
        self.state = schedule.from_json(schedule.to_json(self.next.state), self.next.state.validators)
        if self.next.move:
            self.moves.append(self.next.move)
            self.url = self.next.move.to
        return outcome

    def _learn(self, outcome: FetchOutcome) -> schedule.Outcome:
        match outcome:
            case FetchFailed():
                return schedule.failed(outcome)
            case NotModified():
                return schedule.unchanged(outcome)
            case Fetched(body=body) if b"html" in body:
                return schedule.failed(outcome, "html")
            case Fetched(body=body) if hashlib.sha256(body).digest() == self.hash:
                return schedule.unchanged(outcome)
            case Fetched(body=body):
                self.hash = hashlib.sha256(body).digest()
                return schedule.changed(outcome, DOCUMENT, new=1, known=19)

    @property
    def waits(self) -> timedelta:
        assert self.next is not None
        return self.next.next_at - self.now


@pytest.fixture
async def polls(server: FeedServer) -> AsyncIterator[Polls]:
    async with Client(PATIENT, AGENT, allow_hosts=frozenset({"127.0.0.1"})) as client:
        yield Polls(client, server.url("/feed"))


def sent(server: FeedServer, path: str = "/feed") -> list[bytes | None]:
    return [request.header("if-none-match") for request in server.of(path)]


async def test_a_server_that_answers_304_is_asked_with_the_same_validators_each_time(
    server: FeedServer, polls: Polls
) -> None:
    server.script("/feed", validating(V1, '"a"'))
    for _ in range(4):
        await polls.poll()
    assert sent(server) == [None, b'"a"', b'"a"', b'"a"']


async def test_a_day_of_500_is_asked_ever_less_often_and_the_first_200_makes_up_for_it(
    server: FeedServer, polls: Polls
) -> None:
    server.script("/feed", Step(200, {}, V1), *[Step(500)] * 8, Step(200, {}, V2))
    gaps = []
    for _ in range(9):
        await polls.poll()
        gaps.append(polls.waits)
    assert gaps[1:] == sorted(gaps[1:])
    assert gaps[-1] > 4 * HOUR
    assert isinstance(await polls.poll(), Fetched)
    assert polls.waits <= HOUR


async def test_a_redirect_of_a_week_is_learnt_and_the_old_address_is_asked_until_then(
    server: FeedServer, polls: Polls
) -> None:
    server.script("/feed", Step(301, {"Location": "/new"}))
    server.script("/new", validating(V1, '"a"'))
    for _ in range(8):
        await polls.poll(DAY)
    assert polls.moves == [schedule.Move(server.url("/new"), "redirect")]
    assert len(server.of("/feed")) == 8
    await polls.poll(DAY)
    assert len(server.of("/feed")) == 8
    assert len(server.of("/new")) == 9
    assert sent(server, "/new")[-1] is None


async def test_a_redirect_that_ends_on_the_third_day_leaves_no_trace(server: FeedServer, polls: Polls) -> None:
    server.script("/feed", *[Step(301, {"Location": "/new"})] * 3, Step(200, {}, V1))
    server.script("/new", Step(200, {}, V1))
    for _ in range(10):
        await polls.poll(DAY)
    assert not polls.moves
    assert polls.state.redirect is None


async def test_a_temporary_redirect_is_followed_for_ever_and_never_learnt(server: FeedServer, polls: Polls) -> None:
    server.script("/feed", Step(302, {"Location": "/b"}))
    server.script("/b", Step(301, {"Location": "/c"}))
    server.script("/c", validating(V1, '"a"'))
    for _ in range(12):
        await polls.poll(DAY)
    assert not polls.moves
    assert len(server.of("/c")) == 12


async def test_a_redirect_to_a_login_page_is_an_error_and_not_learnt(server: FeedServer, polls: Polls) -> None:
    server.script("/feed", Step(301, {"Location": "/login"}))
    server.script("/login", Step(200, {}, b"<html>please log in"))
    for _ in range(10):
        await polls.poll(DAY)
    assert not polls.moves
    assert polls.state.fail.reason == "html"


async def test_a_body_over_the_cap_is_not_downloaded_at_every_tick(server: FeedServer, polls: Polls) -> None:
    server.script("/feed", Step(200, {}, b"x", length=50 * 1024 * 1024))
    for _ in range(5):
        await polls.poll()
    assert polls.now - NOW >= 7 * HOUR


async def test_a_wish_to_wait_is_obeyed_to_the_second(server: FeedServer, polls: Polls) -> None:
    server.script(
        "/feed", Step(200, {}, V1), Step(503, {"Retry-After": "43200"}), Step(200, {"Retry-After": "99999"}, V2)
    )
    await polls.poll()
    await polls.poll()
    assert polls.waits == 12 * HOUR
    await polls.poll()
    assert polls.waits <= HOUR
