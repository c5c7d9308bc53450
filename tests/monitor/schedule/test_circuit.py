"""When everything fails at once, it is us: polling stops and no feed is blamed."""

from __future__ import annotations

from datetime import timedelta

from monitor import schedule
from tests.monitor.schedule.play import NOW, Feed, minutes


def seconds(n: float) -> timedelta:
    return timedelta(seconds=n)


def test_a_dead_network_opens_the_circuit_after_ten_hosts() -> None:
    circuit = schedule.Circuit()
    for n in range(9):
        circuit = circuit.observe(f"h{n}", False, NOW + seconds(n))
    assert not circuit.is_open
    circuit = circuit.observe("h9", False, NOW + seconds(9))
    assert circuit.is_open
    assert circuit.suspects() == {f"h{n}" for n in range(10)}


def test_half_of_the_hosts_failing_does_not_open_it() -> None:
    circuit = schedule.Circuit()
    for n in range(40):
        circuit = circuit.observe(f"h{n}", n % 2 == 0, NOW)
    assert not circuit.is_open


def test_failures_spread_over_an_hour_do_not_open_it() -> None:
    circuit = schedule.Circuit()
    for n in range(30):
        circuit = circuit.observe(f"h{n}", False, NOW + minutes(2 * n))
    assert not circuit.is_open


def test_one_bad_host_polled_often_does_not_open_it() -> None:
    circuit = schedule.Circuit()
    for n in range(50):
        circuit = circuit.observe("bad", False, NOW + seconds(n))
    assert not circuit.is_open


def test_while_open_one_host_a_minute_is_tried_in_turn_and_its_answer_closes_it() -> None:
    circuit = schedule.Circuit()
    for n in range(10):
        circuit = circuit.observe(f"h{n}", False, NOW)
    hosts, tried = tuple(f"h{n}" for n in range(10)), []
    for second in range(0, 1800, 10):
        circuit, host = circuit.probe(hosts, NOW + seconds(second))
        if host:
            tried.append(host)
            circuit = circuit.observe(host, False, NOW + seconds(second))
    assert len(tried) == 29  # the first a minute after it opened
    assert set(tried) == set(hosts)
    assert circuit.is_open
    circuit = circuit.observe("h3", True, NOW + minutes(30))
    assert not circuit.is_open


def test_half_an_hour_without_a_name_server_counts_no_failure_for_any_feed() -> None:
    circuit = schedule.Circuit()
    feeds = {f"h{n}": Feed() for n in range(40)}
    for n, (host, feed) in enumerate(feeds.items()):
        feed.now = NOW + seconds(n)
        feed.circuit_open = circuit.is_open
        decision = feed.failed("dns_temporary")
        assert (decision.reason == "circuit") == (n >= 10)
        circuit = circuit.observe(host, False, feed.now)
    for host in circuit.suspects():
        feeds[host].state = schedule.forgive(feeds[host].state)
    assert {feed.state.fail for feed in feeds.values()} == {schedule.FeedState().fail}


def test_only_the_newest_failure_is_forgiven_and_only_if_it_was_the_networks() -> None:
    feed = Feed()
    feed.failed("not_found")
    before = feed.state.fail
    feed.failed("connect")
    after = schedule.forgive(feed.state).fail
    assert (after.weight, after.count, after.first_at) == (before.weight, before.count, before.first_at)
    feed.failed("server_error")
    assert schedule.forgive(feed.state) == feed.state


def test_an_open_circuit_does_not_excuse_a_server_that_answered() -> None:
    feed = Feed()
    feed.circuit_open = True
    feed.failed("server_error")
    assert feed.state.fail.count == 1
