"""The address guard: nothing but the open internet is dialled, whatever form an address takes."""

from __future__ import annotations

import asyncio
import socket

import pytest

from monitor.fetch import guard
from monitor.fetch.client import Client
from monitor.fetch.limits import Request
from monitor.values import Fetched, FetchFailed
from tests.fakes.feed_server import FeedServer, Step
from tests.monitor.fetch.conftest import AGENT, NOW, PATIENT, Names

REFUSED = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "fc00::1",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
    "not an address",
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", REFUSED)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not guard.is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_outside_is_public(address: str) -> None:
    assert guard.is_public(address)


@pytest.mark.parametrize("address", [a for a in REFUSED if a != "not an address"])
def test_the_door_makes_no_socket_for_an_address_inside(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(guard.RefusedAddress):
        guard.open_socket((family, socket.SOCK_STREAM, 6, "", (address, 80)))


def test_the_door_makes_no_unix_socket() -> None:
    with pytest.raises(guard.RefusedAddress):
        guard.open_socket((socket.AF_UNIX, socket.SOCK_STREAM, 0, "", ("/run/docker.sock",)))


HOSTS = {
    "a name that leads inside": ("10.0.0.8",),
    "a name with one good and one bad address": ("93.184.216.34", "127.0.0.1"),
    "a name that leads to a mapped address": ("::ffff:127.0.0.1",),
}


@pytest.mark.parametrize("addresses", HOSTS.values(), ids=HOSTS)
async def test_a_name_is_refused_before_anything_is_dialled(addresses: tuple[str, ...]) -> None:
    outcome = await fetch("http://feeds.test/", Names(**{"feeds.test": addresses}))
    assert isinstance(outcome, FetchFailed)
    assert (outcome.reason, outcome.transient) == ("refused_address", False)


LITERALS = ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "169.254.169.254", "0.0.0.0", "[::]"]


@pytest.mark.parametrize("host", [*LITERALS, "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "10.8"])
async def test_an_address_in_a_url_is_refused_in_every_form(server: FeedServer, host: str) -> None:
    names = Names()
    outcome = await fetch(f"http://{host}:{server.port}/feed", names)
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason == "refused_address"
    assert not server.connections
    assert not names.asked


async def test_localhost_is_refused_by_its_address(server: FeedServer) -> None:
    outcome = await fetch(server.url("/feed", "localhost"), Names(localhost=("127.0.0.1",)))
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason == "refused_address"
    assert not server.connections


async def test_a_name_that_turns_inside_at_its_second_lookup_is_refused_then(server: FeedServer) -> None:
    names = Names(**{"feeds.test": [("127.0.0.1",), ("127.0.0.2",)]})
    server.script("/feed", Step(body=b"<rss/>"))
    resolver = guard.Resolver(frozenset(), _executor(), names, 1.0)
    for _ in range(2):
        with pytest.raises(guard.RefusedAddress):
            await resolver.resolve("feeds.test", 80)
    rebinding = Names(**{"feeds.test": [("93.184.216.34",), ("127.0.0.1",)]})
    resolver = guard.Resolver(frozenset(), _executor(), rebinding, 1.0)
    assert [found["host"] for found in await resolver.resolve("feeds.test", 80)] == ["93.184.216.34"]
    with pytest.raises(guard.RefusedAddress):
        await resolver.resolve("feeds.test", 80)


async def test_an_allowed_name_does_not_open_the_door_for_another_at_the_same_time(server: FeedServer) -> None:
    names = Names(**{"bridge.test": ("127.0.0.1",), "evil.test": ("127.0.0.1",)})
    server.script("/feed", Step(body=b"<rss/>", delay_s=0.1))
    async with Client(PATIENT, AGENT, allow_hosts=frozenset({"bridge.test"}), lookup=names) as client:
        urls = [server.url("/feed", host) for host in ("bridge.test", "evil.test", "127.0.0.1", "BRIDGE.test")]
        outcomes = await asyncio.gather(*(client.fetch(Request(url), lambda: NOW) for url in urls))
    assert [isinstance(outcome, Fetched) for outcome in outcomes] == [True, False, False, True]


async def test_a_slow_lookup_does_not_hold_up_other_names(server: FeedServer) -> None:
    import threading

    release = threading.Event()

    def lookup(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        if host != "quick.test":
            release.wait(5)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    server.script("/feed", Step(body=b"<rss/>"))
    allowed = frozenset({"quick.test"})
    async with Client(PATIENT, AGENT, allow_hosts=allowed, lookup=lookup) as client:  # type: ignore[arg-type]
        slow = [asyncio.create_task(client.fetch(Request(f"http://slow{i}.test/"), lambda: NOW)) for i in range(20)]
        await asyncio.sleep(0.05)
        outcome = await client.fetch(Request(server.url("/feed", "quick.test")), lambda: NOW)
        release.set()
        await asyncio.gather(*slow)
    assert isinstance(outcome, Fetched)


def _executor():  # type: ignore[no-untyped-def]
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(1)


async def fetch(url: str, lookup: Names):  # type: ignore[no-untyped-def]
    async with Client(PATIENT, AGENT, lookup=lookup) as client:
        return await client.fetch(Request(url), lambda: NOW)
