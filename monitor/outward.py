"""How this installation asks servers, by its configuration: under which name, within which bounds, at what distance.

One place, so that the daemon's polls, a person's `feed add` and what `check --live` and `explain` ask have the same
manners.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import monitor
from monitor.config.values import Config
from monitor.fetch import client, hosts, limits
from monitor.parse import links


def client_of(config: Config, deadline: timedelta | None = None) -> client.Client:
    """What fetches; not open yet. A `deadline` is for whoever cannot wait as long as a poll may."""
    bounds = limits.Limits(
        body_bytes=config.limits.body_bytes,
        wire_bytes=config.limits.wire_bytes,
        deadline_s=(deadline or config.limits.deadline).total_seconds(),
    )
    agent = limits.Agent(monitor.__version__, config.contact)
    return client.Client(bounds, agent, allow_hosts=own_hosts(config))


def gate_of(config: Config) -> hosts.HostGate:
    """What lets requests to one host start one after the other; nothing is held yet."""
    return hosts.HostGate(spacing=spacing_of(config), domain_of=domain_of, in_flight=config.limits.per_host)


def spacing_of(config: Config) -> Callable[[str], float]:
    """Seconds between two starts on a host; none on the operator's own."""
    return partial(_spacing, own=own_hosts(config), gap_s=config.limits.host_gap.total_seconds())


def own_hosts(config: Config) -> frozenset[str]:
    """Hosts that are the operator's own, and may be inside."""
    return frozenset(config.limits.allow_hosts)


def domain_of(host: str) -> str:
    """The registrable domain of a host; the host itself where there is none."""
    return links.registrable(host) or host


def _spacing(host: str, *, own: frozenset[str], gap_s: float) -> float:
    return 0.0 if host in own else gap_s
