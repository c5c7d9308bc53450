"""What a server sees over hours and days, and what is stored of it: headers, waits, errors, hosts, clocks.

Which row of the plan each test proves stands in `rows.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest

from monitor import parser_pool, schedule
from monitor.fetch.limits import Limits
from tests.fakes.feed_server import Seen, Step, validating
from tests.scenarios.polls import (
    DAY,
    FIRST,
    HOUR,
    MINUTE,
    NEWS,
    NOW,
    OWN_WORDS,
    SECOND,
    WIRE,
    House,
    item,
    old,
    open_house,
    rss,
)

V1, V2 = rss(*old(1, 2, 3)), rss(*old(0, 1, 2, 3))
MODIFIED = "Thu, 05 Jun 2025 07:00:00 GMT"

# ------------------------------------------------------------------------------------------------ validators

TOUCHES: dict[str, tuple[tuple[Step, ...], list[bytes | None]]] = {
    "both validators of a 200 are sent with every poll until another 200": (
        (Step(200, {"ETag": '"a"', "Last-Modified": MODIFIED}, V1), Step(304), Step(304)),
        [None, b'"a"', b'"a"'],
    ),
    "the same body under a new ETag is asked for with the new one": (
        (Step(200, {"ETag": '"a"'}, V1), Step(200, {"ETag": '"b"'}, V1), Step(304)),
        [None, b'"a"', b'"b"'],
    ),
    "a new ETag under an old Last-Modified is kept": (
        (
            Step(200, {"ETag": '"a"', "Last-Modified": MODIFIED}, V1),
            Step(200, {"ETag": '"b"', "Last-Modified": MODIFIED}, V2),
            Step(304),
        ),
        [None, b'"a"', b'"b"'],
    ),
    "a 200 that lost its validators is asked for without": (
        (Step(200, {"ETag": '"a"'}, V1), Step(200, {}, V2), Step(200, {}, V2)),
        [None, b'"a"', None],
    ),
    "a 304 without validators changes none": (
        (Step(200, {"ETag": '"a"'}, V1), Step(304), Step(304)),
        [None, b'"a"', b'"a"'],
    ),
    "a 304 with a new ETag changes it": (
        (Step(200, {"ETag": '"a"'}, V1), Step(304, {"ETag": '"b"'}), Step(304)),
        [None, b'"a"', b'"b"'],
    ),
    "a cut body leaves the validators of the whole one": (
        (Step(200, {"ETag": '"a"'}, V1), Step(200, {"ETag": '"b"'}, V2[:-60]), Step(304)),
        [None, b'"a"', b'"a"'],
    ),
    "a connection that ends too early leaves them, too": (
        (Step(200, {"ETag": '"a"'}, V1), Step(200, {"ETag": '"b"'}, V2[:50], length=500), Step(304)),
        [None, b'"a"', b'"a"'],
    ),
    "a page instead of a feed leaves the validators of the feed": (
        (Step(200, {"ETag": '"a"'}, V1), Step(200, {"ETag": '"b"'}, b"<html><title>x</title>"), Step(304)),
        [None, b'"a"', b'"a"'],
    ),
    "a 304 nobody asked for is followed by an unconditional request": (
        (Step(304, {"ETag": '"a"'}), Step(200, {"ETag": '"a"'}, V1), Step(304)),
        [None, None, b'"a"'],
    ),
    "an odd tag comes back byte for byte": (
        (Step(200, {"ETag": 'W/"x, y"'}, V1), Step(304), Step(304)),
        [None, b'W/"x, y"', b'W/"x, y"'],
    ),
}


@pytest.mark.parametrize(("steps", "asked"), TOUCHES.values(), ids=TOUCHES)
async def test_what_was_answered_decides_what_is_sent(
    database: str, steps: tuple[Step, ...], asked: list[bytes | None]
) -> None:
    async with open_house(database, "/feed") as house:
        house.script("/feed", *steps)
        feed = house.feed("/feed")
        await feed.polls(len(steps), HOUR)
        assert feed.sent("if-none-match") == asked


async def test_a_304_to_a_question_without_conditions_is_an_error_and_loses_nothing(database: str) -> None:
    async with open_house(database, "/feed") as house:
        house.script("/feed", Step(304), Step(200, {}, V1))
        feed = house.feed("/feed")
        await feed.poll()
        assert feed.row.fail_reason == "unexpected_304"
        await feed.poll()
        assert (feed.row.fail_reason, len(feed.titles)) == (None, 3)


async def test_both_conditions_are_sent_as_they_were_given(database: str) -> None:
    async with open_house(database, "/feed") as house:
        house.script("/feed", Step(200, {"ETag": '"a"', "Last-Modified": MODIFIED}, V1), Step(304))
        feed = house.feed("/feed")
        await feed.polls(3)
        assert feed.sent("if-modified-since") == [None, MODIFIED.encode(), MODIFIED.encode()]
        assert [line.outcome for line in feed.log] == ["not_modified", "not_modified", "changed"]


async def test_a_validator_that_is_no_text_is_never_sent_changed(database: str) -> None:
    async with open_house(database, "/feed") as house:
        house.script("/feed", Step(200, {"ETag": b'"\xe9"'}, V1))
        feed = house.feed("/feed")
        await feed.polls(2)
        assert feed.row.validators.etag == b'"\xe9"'
        assert set(feed.sent("if-none-match")) <= {None, b'"\xe9"'}
        assert len(feed.titles) == 3


async def test_a_lying_304_is_found_out_within_a_day_and_its_entries_are_told(database: str) -> None:
    async with open_house(database, "/feed") as house:
        feed = house.feed("/feed")
        before = [item(f"Item number {n}", NOW - n * HOUR) for n in range(1, 20)]

        def answer(request: Seen, _: int) -> Step:
            if request.header("if-none-match"):
                return Step(304)
            late = [item(FIRST, NOW + 2 * HOUR, text=NEWS)] if house.clock.now > NOW + 2 * HOUR else []
            return Step(200, {"ETag": '"frozen"'}, rss(*late, *before))

        house.script("/feed", answer)
        asked_at: list[datetime] = []
        while house.clock.now < NOW + 3 * DAY:
            await feed.poll()
            if feed.asked[-1].header("if-none-match") is None:
                asked_at.append(house.clock.now)
        assert house.told() == ["new_story"]
        assert DAY <= asked_at[1] - asked_at[0] < DAY + 2 * HOUR
        assert feed.state.cache.untrusted_since is not None
        assert "validators_untrusted" in schedule.health(feed.state, house.clock.now).reasons
        later = [after - before for before, after in itertools.pairwise(asked_at[1:])]
        assert min(later) >= 54 * MINUTE  # asked whole from now on: once an hour


async def test_a_200_under_an_old_etag_is_read(database: str) -> None:
    async with open_house(database, "/feed") as house:
        house.script("/feed", Step(200, {"ETag": '"a"'}, V1), Step(200, {"ETag": '"a"'}, V2))
        feed = house.feed("/feed")
        await feed.polls(2)
        assert feed.titles[-1] == "Item number 0"


# ----------------------------------------------------------------------------------------------------- waits


def http(at: datetime) -> str:
    return format_datetime(at, usegmt=True)


FRESH: dict[str, tuple[Mapping[str, str], timedelta, timedelta, str | None]] = {
    "max-age of twelve hours": ({"Cache-Control": "max-age=43200"}, 12 * HOUR, 14 * HOUR, "cache_control"),
    "an aged answer leaves the floor": (
        {"Cache-Control": "max-age=600", "Age": "590"}, 10 * MINUTE, HOUR, "adaptive",
    ),
    "Expires on a server an hour ahead counts from its Date": (
        {"Date": http(NOW + HOUR), "Expires": http(NOW + 4 * HOUR)}, 3 * HOUR, 3.4 * HOUR, "cache_control",
    ),
    "no-cache voids max-age": ({"Cache-Control": "no-cache, max-age=6000"}, 10 * MINUTE, HOUR, "adaptive"),
    "of two max-age the smaller": (
        {"Cache-Control": "max-age=7200, max-age=90000"}, 2 * HOUR, 2.4 * HOUR, "cache_control",
    ),
    "an unreadable max-age is ignored": ({"Cache-Control": "max-age=abc"}, 10 * MINUTE, HOUR, "adaptive"),
    "Expires 0 says nothing": ({"Expires": "0"}, 15 * MINUTE, HOUR, "adaptive"),
    "Expires -1 says nothing": ({"Expires": "-1"}, 15 * MINUTE, HOUR, "adaptive"),
    "a 200 is not told to wait": ({"Retry-After": "99999"}, 15 * MINUTE, HOUR, "adaptive"),
}  # fmt: skip


@pytest.mark.parametrize(("headers", "least", "most", "reason"), FRESH.values(), ids=FRESH)
async def test_a_server_says_how_long_its_answer_is_fresh(
    database: str, headers: Mapping[str, str], least: timedelta, most: timedelta, reason: str
) -> None:
    async with open_house(database, "/feed") as house:
        house.script("/feed", Step(200, {"ETag": '"a"', **headers}, V1), Step(304))
        feed = house.feed("/feed")
        await feed.poll()
        assert least <= feed.waits + SECOND <= most
        assert feed.row.next_reason == reason
        await feed.poll()
        assert feed.sent("if-none-match") == [None, b'"a"']


async def test_a_304_may_promise_freshness_but_no_more_than_the_200_did(database: str) -> None:
    async with open_house(database, "/a", "/b") as house:
        house.script("/a", Step(200, {"ETag": '"a"'}, V1), Step(304, {"Cache-Control": "max-age=43200"}))
        house.script(
            "/b",
            Step(200, {"ETag": '"a"', "Cache-Control": "max-age=3600"}, V1),
            Step(304, {"Cache-Control": "max-age=43200"}),
        )
        free, bound = house.feed("/a"), house.feed("/b")
        await free.polls(2, 2 * HOUR)
        assert free.waits >= 12 * HOUR - SECOND
        await bound.polls(2, 2 * HOUR)
        assert HOUR - SECOND <= bound.waits <= 70 * MINUTE


RETRY: dict[str, tuple[Mapping[str, str], timedelta, timedelta]] = {
    "a date counts from the server's clock": (
        {"Retry-After": http(NOW + 5 * HOUR), "Date": http(NOW + 2 * HOUR)}, 3 * HOUR, 3 * HOUR,
    ),
    "twelve hours are twelve hours": ({"Retry-After": "43200"}, 12 * HOUR, 12 * HOUR),
    "a negative number is ignored": ({"Retry-After": "-5"}, 30 * MINUTE, 90 * MINUTE),
    "a word is ignored": ({"Retry-After": "xyz"}, 30 * MINUTE, 90 * MINUTE),
    "a billion seconds are 31 days": ({"Retry-After": "1e9"}, 31 * DAY, 31 * DAY),
}  # fmt: skip


@pytest.mark.parametrize(("headers", "least", "most"), RETRY.values(), ids=RETRY)
async def test_a_429_is_obeyed(database: str, headers: Mapping[str, str], least: timedelta, most: timedelta) -> None:
    async with open_house(database, "/feed") as house:
        house.script("/feed", Step(429, headers))
        feed = house.feed("/feed")
        await feed.poll()
        assert least <= feed.waits + SECOND <= most


async def test_a_429_of_two_minutes_holds_every_feed_of_the_host_and_no_other(database: str) -> None:
    async with open_house(database, "/a", "/b", "press.example/c", own=False) as house:
        house.script("/a", Step(429, {"Retry-After": "120"}), Step(body=V1))
        house.script("/b", Step(body=V1))
        house.script("/c", Step(body=V1))
        held, other = house.feed("/a"), house.feed("/b")
        with_others_at_rest(house, "/a")
        await house.round()
        assert len(held.asked) == 1
        with_others_at_rest(house, "/b", "/c")
        report = await house.round()
        assert [(out.url, out.reason) for out in report.left_out] == [(other.url, "host_hold")]
        assert (len(other.asked), len(house.server.of("/c"))) == (0, 1)
        assert NOW + 120 * SECOND <= other.row.next_at <= NOW + 125 * SECOND
        await other.poll()
        assert len(other.asked) == 1


def with_others_at_rest(house: House, *but: str) -> None:
    """Let only these feeds be due."""
    from monitor.store import feeds

    with house.engine.begin() as connection:
        for feed in house.feeds:
            at = house.clock.now if feed.url.endswith(but) else house.clock.now + DAY
            feeds.reschedule(connection, {feed.row.id: at}, "adaptive")


async def test_a_hold_survives_a_restart_and_force(database: str) -> None:
    async with open_house(database, "/a", own=False) as house:
        house.script("/a", Step(429, {"Retry-After": "7200"}), Step(body=V1))
        feed = house.feed("/a")
        await feed.poll()
        await house.restart()
        report = await feed.poll(HOUR, force=True)
        assert [out.reason for out in report.left_out] == ["retry_after"]
        assert len(feed.asked) == 1


async def test_a_429_without_a_word_doubles_its_wait(database: str) -> None:
    async with open_house(database, "/a") as house:
        house.script("/a", Step(429))
        feed = house.feed("/a")
        waits = []
        for _ in range(6):
            await feed.poll()
            waits.append(feed.waits + SECOND)
        for wait, least in zip(waits, (30, 60, 120, 240, 360, 360), strict=True):
            assert least * MINUTE <= wait <= min(least * MINUTE + HOUR, 6 * HOUR)


async def test_a_503_holds_its_feed_and_not_its_host(database: str) -> None:
    async with open_house(database, "/a", "/b", own=False) as house:
        house.script("/a", Step(503, {"Retry-After": "36000"}))
        house.script("/b", Step(body=V1))
        await house.round()
        assert house.feed("/a").waits >= 10 * HOUR - SECOND
        assert house.feed("/b").titles != []
        await house.feed("/b").poll(HOUR)
        assert len(house.feed("/b").asked) == 2


async def test_three_hosts_of_a_domain_that_say_429_hold_the_domain(database: str) -> None:
    hosts = [f"{name}.blogs.example" for name in "abcd"]
    async with open_house(database, *(f"{host}/{host[0]}" for host in hosts), own=False) as house:
        for host in hosts:
            house.script(f"/{host[0]}", Step(429, {"Retry-After": "3600"}) if host[0] != "d" else Step(body=V1))
        last = house.feed("/d", hosts[3])
        for host in hosts[:3]:
            with_others_at_rest(house, f"/{host[0]}")
            await house.round()
        report = await last.poll(MINUTE)
        assert [out.reason for out in report.left_out] == ["host_hold"]
        assert last.asked == []
        await last.poll()
        assert len(last.asked) == 1


async def test_twenty_errors_end_no_feed_and_the_entries_of_the_gap_are_told(database: str) -> None:
    async with open_house(database, "/a") as house:

        def back(*_: object) -> Step:
            return Step(body=rss(item(FIRST, house.clock.now - 5 * HOUR, text=NEWS), *old(1, 2, 3)))

        house.script("/a", Step(body=V1), *[Step(500)] * 20, back)
        feed = house.feed("/a")
        await feed.poll()
        waits = []
        for _ in range(20):
            await feed.poll()
            waits.append(feed.waits)
        assert waits == sorted(waits)
        assert max(waits) <= DAY
        await feed.poll()
        assert house.told() == ["new_story"]
        assert (feed.row.fail_reason, feed.state.fail.count) == (None, 0)
        assert feed.waits <= HOUR


async def test_404_for_five_hours_of_each_day_is_polled_and_never_red(database: str) -> None:
    async with open_house(database, "/a") as house:
        house.script("/a", lambda *_: Step(404) if 10 <= house.clock.now.hour < 15 else Step(body=V1))
        feed = house.feed("/a")
        colours = set()
        while house.clock.now < NOW + 2 * DAY:
            await feed.poll()
            colours.add(house.status_of(feed).colour)
        failed = [line for line in feed.log if line.reason == "not_found"]
        assert len(failed) >= 4
        assert "red" not in colours
        assert house.standings() == []


async def test_a_body_over_the_cap_is_not_downloaded_at_every_tick(database: str) -> None:
    async with open_house(database, "/a") as house:
        house.script("/a", Step(200, {}, b"x", length=50 * 1024 * 1024))
        feed = house.feed("/a")
        await house.run(6 * HOUR, tick=5 * MINUTE)
        assert feed.row.fail_reason == "too_large"
        assert len(feed.asked) <= 4


async def test_a_body_that_came_short_is_an_error_and_stores_nothing(database: str) -> None:
    async with open_house(database, "/a") as house:
        house.script("/a", Step(200, {"ETag": '"a"'}, V1, length=len(V1) + 10))
        feed = house.feed("/a")
        await feed.poll()
        assert (feed.row.fail_reason, feed.titles, feed.row.validators.etag) == ("short_body", [], None)


async def test_a_document_that_ends_too_soon_gives_its_whole_entries_and_is_asked_for_again(database: str) -> None:
    async with open_house(database, "/a") as house:
        house.script("/a", Step(200, {"ETag": '"a"'}, V1[:-70]), Step(200, {"ETag": '"a"'}, V1))
        feed = house.feed("/a")
        await feed.poll()
        assert len(feed.titles) == 2
        await feed.poll()
        assert len(feed.titles) == 3
        assert feed.sent("if-none-match") == [None, None]


BOMB = '<!DOCTYPE rss [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(8)
)


async def test_a_hostile_feed_fails_alone_and_soon(database: str) -> None:
    """In real parser processes: mixed-up markup that would take minutes, and a bomb of entities, beside a good feed."""
    endless = rss(item("T", text="<b>" * 600_000))
    async with (
        parser_pool.ParserPool(1, cpu_s=3.0) as pool,
        open_house(database, "/bad", "/bomb", "/good", pool=pool, bounds=Limits()) as house,
    ):
        house.script("/bad", Step(body=endless))
        house.script("/bomb", Step(body=f"{BOMB}]>".encode() + rss(item("&i;"), item("Survivor"))))
        house.script("/good", Step(body=V1))
        await house.round()
        assert house.feed("/bad").row.fail_reason == "parse_timeout"
        assert "Survivor" in house.feed("/bomb").titles
        assert len(house.feed("/good").titles) == 3


async def test_a_request_says_who_asks_and_carries_nothing_it_need_not(database: str) -> None:
    many = tuple((f"X-Header-{n}", "x") for n in range(150))
    async with open_house(database, "/a", "/b") as house:
        house.script("/a", Step(200, (("Set-Cookie", "track=me"), ("Set-Cookie", "b=c"), *many), V1))
        house.script("/b", Step(body=V1))
        for _ in range(2):
            await house.feed("/a").poll(HOUR)
            await house.feed("/b").poll(MINUTE)
        assert len(house.feed("/a").titles) == 3
        for request in house.server.requests:
            names = {name for name, _ in request.headers}
            assert not names & {"cookie", "referer", "cache-control", "pragma", "a-im"}
            agent = (request.header("user-agent") or b"").decode()
            assert agent.startswith("storywatch/1.0 feed:")
            assert "https://newsroom.example/storywatch" in agent
            assert "1 watch" in agent
        assert [line.odd_headers for line in house.feed("/a").log] == [(), ()]


async def test_a_bot_wall_is_named_and_met_with_no_disguise(database: str) -> None:
    wall = Step(403, {"cf-mitigated": "challenge", "Content-Type": "text/html"}, b"<html><title>Just a moment</title>")
    async with open_house(database, "/a") as house:
        house.script("/a", wall)
        feed = house.feed("/a")
        await feed.polls(3)
        assert feed.row.fail_reason == "blocked"
        assert len(set(feed.sent("user-agent"))) == 1
        assert house.standings() == ["blocked"]
        (told,) = house.events("feed_state")
        assert "bot wall" in dict(map(tuple, told["facts"]))["message"]


async def test_a_body_that_does_not_parse_is_an_error_each_time(database: str) -> None:
    async with open_house(database, "/a") as house:
        house.script("/a", Step(200, {"ETag": '"x"'}, b'{"error": "database"}'))
        feed = house.feed("/a")
        await feed.polls(2)
        assert [line.reason for line in feed.log] == ["not_a_feed", "not_a_feed"]
        assert (feed.row.body_sha256, feed.row.validators.etag) == (None, None)
        assert feed.state.fail.count == 2


async def test_a_page_instead_of_a_feed_offers_its_feeds_and_follows_none(database: str) -> None:
    page = (
        b'<html><head><title>News</title><link rel="alternate" type="application/rss+xml" href="/one.xml">'
        b'<link rel="alternate" type="application/atom+xml" href="https://wire.example/two.xml"></head><p>x</html>'
    )
    async with open_house(database, "/a") as house:
        house.script("/a", Step(200, {"Content-Type": "text/html"}, page))
        feed = house.feed("/a")
        await feed.poll()
        assert feed.row.fail_reason == "html"
        message = feed.row.fail_message or ""
        assert "/one.xml" in message
        assert "https://wire.example/two.xml" in message
        assert len(house.server.requests) == 1


async def test_a_large_feed_without_validators_is_fetched_once_an_hour(database: str) -> None:
    long = rss(*(item(f"Item {n}", NOW - n * MINUTE, text="word " * 300) for n in range(300)))
    async with open_house(database, "  - {url: '@/a', tags: [government]}") as house:
        house.script("/a", Step(body=long))
        feed = house.feed("/a")
        await feed.polls(2)
        assert len(long) > 400_000
        assert feed.waits >= 54 * MINUTE


WISHES = {
    "skipHours with all hours": ("<skipHours>" + "".join(f"<hour>{h}</hour>" for h in range(24)) + "</skipHours>", 12),
    "ttl 0": ("<ttl>0</ttl>", 0.25),
    "ttl 999999": ("<ttl>999999</ttl>", 6),
    "updateFrequency 0": (
        '<sy:updatePeriod xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">hourly</sy:updatePeriod>'
        '<sy:updateFrequency xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">0</sy:updateFrequency>',
        0.25,
    ),
    "updatePeriod always": (
        '<sy:updatePeriod xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">always</sy:updatePeriod>',
        0.25,
    ),
}


@pytest.mark.parametrize(("channel", "least"), WISHES.values(), ids=WISHES)
async def test_what_a_document_asks_for_gives_a_sane_interval(database: str, channel: str, least: float) -> None:
    async with open_house(database, "/a") as house:
        house.script("/a", Step(body=rss(*old(1, 2, 3), channel=channel)))
        feed = house.feed("/a")
        await feed.poll()
        assert least * HOUR <= feed.waits + SECOND <= max(least * 1.2, 1.1) * HOUR


# -------------------------------------------------------------------------------------- restarts and the clock


async def test_five_restarts_in_ten_minutes_ask_each_address_once(database: str) -> None:
    async with open_house(database, "/a", "/b") as house:
        house.script("/a", Step(body=V1))
        house.script("/b", Step(500))
        for _ in range(5):
            await house.restart()
            await house.poller.spread_overdue()
            await house.round(2 * MINUTE)
        assert [len(feed.asked) for feed in house.feeds] == [1, 1]


async def test_what_fell_due_while_nobody_polled_is_spread_over_ten_minutes(database: str) -> None:
    paths = [f"/{n}" for n in range(30)]
    async with open_house(database, *paths) as house:
        for path in paths:
            house.script(path, Step(body=V1))
        await house.round()
        house.clock.now += DAY
        await house.restart()
        assert await house.poller.spread_overdue() == 30
        times = sorted(feed.row.next_at - house.clock.now for feed in house.feeds)
        assert {feed.row.next_reason for feed in house.feeds} == {"startup_spread"}
        assert times[0] < 2 * MINUTE
        assert 8 * MINUTE < times[-1] <= 10 * MINUTE


async def test_a_forced_poll_says_when_the_address_may_be_asked_again(database: str) -> None:
    async with open_house(database, "/a") as house:
        house.script("/a", Step(body=V1))
        feed = house.feed("/a")
        await feed.poll()
        report = await feed.poll(3 * MINUTE)
        assert [(out.reason, out.until) for out in report.left_out] == [("attempt_guard", NOW + 10 * MINUTE)]
        assert len(feed.asked) == 1


async def test_a_clock_that_jumps_forth_and_back_brings_no_burst(database: str) -> None:
    async with open_house(database, "/a", "/b") as house:
        for path in ("/a", "/b"):
            house.script(path, Step(body=V1))
        await house.run(2 * HOUR)
        before = len(house.server.requests)
        for jump in (HOUR, -HOUR) * 3:
            house.clock.now += jump
            await house.run(2 * MINUTE)
        assert len(house.server.requests) - before <= 4
        await house.run(3 * HOUR)
        assert all(len(feed.asked) > 4 for feed in house.feeds)


async def test_a_lease_of_a_time_that_has_not_come_ends_with_the_next_start(database: str) -> None:
    """The clock was an hour ahead when a worker died: the next process frees what the dead one held."""
    from monitor.store import claims

    async with open_house(database, "/a") as house:
        house.script("/a", Step(body=V1))
        with house.engine.begin() as connection:
            claims.claim(connection, NOW + HOUR, lease=90 * SECOND)
        await house.round()
        assert house.feed("/a").asked == []
        with house.engine.begin() as connection:
            claims.void_claims(connection)
        await house.round()
        assert len(house.feed("/a").asked) == 1


# ---------------------------------------------------------------------------------------------------- hosts


async def test_many_feeds_of_few_hosts_start_with_spacing_and_none_starves(database: str) -> None:
    hosts = ("one.example", "two.example", "three.example")
    paths = [f"{hosts[n % 3]}/{n}" for n in range(60)]
    async with open_house(database, *paths, own=False, spacing=5.0) as house:
        for n in range(60):
            house.script(f"/{n}", Step(body=V1))
        await house.round()
        assert {host: len(times) for host, times in house.gate.starts.items()} == dict.fromkeys(hosts, 20)
        for times in house.gate.starts.values():
            gaps = [after - before for before, after in itertools.pairwise(times)]
            assert min(gaps) >= 5 * SECOND - timedelta(milliseconds=1)
        assert house.server.most_in_flight <= 6


async def test_a_crowded_host_is_given_a_longer_interval(database: str) -> None:
    paths = [f"/{n}" for n in range(40)]
    async with open_house(database, *paths, own=False, spacing=60.0) as house:
        busy = rss(*(item(f"Item {n}", NOW - n * MINUTE) for n in range(60)))
        for path in paths:
            house.script(path, Step(body=busy))
        await house.feed("/0").poll()
        assert house.feed("/0").row.next_reason == "host_budget"
        assert house.feed("/0").row.next_at - (house.feed("/0").row.last_attempt_at or NOW) >= 40 * MINUTE


async def test_a_feed_that_moved_to_another_host_is_spaced_and_held_with_that_host(database: str) -> None:
    async with open_house(database, "/old", "press.example/b", own=False) as house:
        house.script("/old", Step(301, {"Location": house.server.url("/new", "press.example")}))
        house.script("/new", validating(V1, '"a"'))
        house.script("/b", Step(body=V2))
        feed = house.feed("/old")
        await feed.polls(9, DAY)
        assert feed.row.moved_to == house.server.url("/new", "press.example")
        assert feed.row.host == "press.example"
        house.script("/b", Step(429, {"Retry-After": "7200"}))
        await house.feed("/b", "press.example").poll(HOUR)
        report = await feed.poll(MINUTE)
        assert [out.reason for out in report.left_out] == ["host_hold"]


async def test_a_story_that_is_live_brings_its_outlets_to_their_floor_but_not_where_a_429_was_said(
    database: str,
) -> None:
    paths = ("/a", "press.example/b", "other.example/c", "  - {url: '@ministry.example/m', tags: [government]}")
    async with open_house(database, *paths, own=False, more_hosts=["other.example"]) as house:
        asks = {WIRE: "/a", "press.example": "/b", "other.example": "/c", "ministry.example": "/m"}
        for host, path in asks.items():
            house.script(path, Step(body=rss(*old(1, 2), title=host)))
        house.script("/b", Step(429, {"Retry-After": "60"}), Step(body=rss(*old(1, 2))))
        await house.round()
        for host, words in ((WIRE, NEWS), ("press.example", OWN_WORDS)):
            body = rss(item(FIRST, NOW, text=words, host=host, guid=host), *old(1, 2))
            house.script(asks[host], Step(body=body))
            await house.feed(asks[host], host).poll(HOUR)
        assert len(house.parts.context.window) == 2
        for host, path in asks.items():
            await house.feed(path, host).poll(20 * MINUTE)
        reasons = {host: house.feed(path, host).row.next_reason for host, path in asks.items()}
        assert reasons[WIRE] == "burst"
        assert reasons["ministry.example"] == "burst"
        assert reasons["press.example"] != "burst"
        assert reasons["other.example"] != "burst"
