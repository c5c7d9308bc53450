"""Which recipients an event goes to, how, and after which wait. Pure.

A tree of routes as people know it from Alertmanager, over facts of events: children are tried before the parent's own
channels, the first match wins unless it says `continue`. It does not mute, group or render. Called by `outbox.put`,
by `check` (unreachable routes) and by `explain` (why a route took an event or did not).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from alerts.values import Event, EventClass, EventState, Kind, Matchers, Recipient, Schedule

WAITS: Mapping[Kind, timedelta] = {
    Kind.NEW_STORY: timedelta(minutes=2),
    Kind.NEW_OUTLET: timedelta(minutes=10),
    Kind.SPIKE: timedelta(minutes=2),
    Kind.CORRECTION: timedelta(minutes=5),
    Kind.WITHDRAWN: timedelta(minutes=5),
    Kind.RESPONSE: timedelta(seconds=60),
    Kind.SILENCE_BROKEN: timedelta(seconds=60),
    Kind.STANCE_CHANGE: timedelta(seconds=60),
    Kind.WATCH_SILENT: timedelta(minutes=15),
    Kind.FEED_STATE: timedelta(minutes=15),
    Kind.COVERAGE: timedelta(minutes=15),
    Kind.DEAD_LETTERS: timedelta(minutes=5),
}
"""How long a group waits for company, by the kind of its event; other kinds are told at once."""

INTERVAL = timedelta(minutes=30)
PROMPT_AGE = timedelta(hours=72)
DIGEST_AGE = timedelta(hours=24)
ELSEWHERE = frozenset({Kind.CHANNEL_STATE, Kind.DEAD_LETTERS})
"""Kinds about a channel, which that channel itself is not trusted to carry."""


ANYTHING = Matchers()


@dataclass(frozen=True, slots=True)
class Timers:
    """A watch's alerting wishes. `alert_on` None means every kind that alerts; what is not in it rides along.

    `remind_after`: tell once more, so long after a body was asked in vain, that it still has not answered.
    """

    wait: Mapping[Kind, timedelta] = field(default_factory=dict)
    interval: timedelta | None = None
    alert_on: frozenset[Kind] | None = None
    remind_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Flood:
    """What pulls a watch's brake: so many matches in so short a time, or in an hour so many times the usual number.

    The usual number is that of the same hour of the days before; under `least` matches it never pulls.
    """

    count: int = 100
    per: timedelta = timedelta(seconds=60)
    times: int = 20
    least: int = 50


FLOOD = Flood()


@dataclass(frozen=True, slots=True)
class Route:
    """One node of the tree. `to` names channels; `digests` names schedules; `max_age` is None for the default."""

    matchers: Matchers = ANYTHING
    to: tuple[str, ...] = ()
    prompt: bool = True
    digests: tuple[str, ...] = ()
    goes_on: bool = False
    max_age: timedelta | None = None
    routes: tuple[Route, ...] = ()
    path: tuple[str | int, ...] = ("routes",)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything `put` and the digest builder need to know of the configuration, as one value."""

    root: Route
    recipients: tuple[Recipient, ...]
    schedules: tuple[Schedule, ...] = ()
    timers: Mapping[str, Timers] = field(default_factory=dict)
    fallback: Mapping[str, str] = field(default_factory=dict)
    watches: tuple[str, ...] = ()
    interval: timedelta = INTERVAL
    config_rev: int = 0
    flood: Flood = FLOOD

    def of_channel(self, channel: str) -> tuple[Recipient, ...]:
        """Give the recipients of a channel, in config order."""
        return tuple(recipient for recipient in self.recipients if recipient.channel == channel)

    def recipient(self, key: str) -> Recipient | None:
        """Find a recipient by the key it has in the database; None once it left the configuration."""
        return next((recipient for recipient in self.recipients if recipient.key == key), None)

    def schedule(self, name: str) -> Schedule | None:
        """Find a schedule by name."""
        return next((schedule for schedule in self.schedules if schedule.name == name), None)


@dataclass(frozen=True, slots=True)
class Target:
    """One recipient an event goes to: promptly, in a schedule's digest, or both."""

    recipient: Recipient
    prompt: bool
    schedule: str | None
    max_age: timedelta


def walk(root: Route, event: Event) -> tuple[Route, ...]:
    """Give the routes that take the event, in the order of the file; empty when none does."""
    taken, _ = _visit(root, event)
    return tuple(taken)


def _visit(route: Route, event: Event) -> tuple[list[Route], bool]:
    """Return the routes below that take the event and whether the search ends here.

    A child with `continue` never keeps its parent from its own turn.
    """
    if not route.matchers.hold(event):
        return [], False
    taken: list[Route] = []
    for child in route.routes:
        found, final = _visit(child, event)
        taken += found
        if final:
            return taken, not route.goes_on
    if route.to:
        taken.append(route)
    return taken, bool(taken) and not route.goes_on


def targets(event: Event, plan: Plan) -> tuple[Target, ...]:
    """List the recipients of an event, each once, in the order in which the routes name them."""
    found: dict[str, Target] = {}
    for target in _named(event, plan):
        known = found.get(target.recipient.key)
        found[target.recipient.key] = _joined(known, target) if known else target
    if event.kind in ELSEWHERE and not found:
        sick = dict(event.facts).get("channel")
        healthy = [recipient for recipient in plan.recipients if recipient.channel != sick][:1]
        return tuple(Target(recipient, True, None, PROMPT_AGE) for recipient in healthy)
    return tuple(found.values())


def _named(event: Event, plan: Plan) -> Iterator[Target]:
    sick = dict(event.facts).get("channel") if event.kind in ELSEWHERE else None
    for route in walk(plan.root, event):
        age = route.max_age or (PROMPT_AGE if route.prompt else DIGEST_AGE)
        for channel in route.to:
            if channel != sick:
                for recipient in plan.of_channel(channel):
                    yield Target(recipient, route.prompt, next(iter(route.digests), None), age)


def _joined(first: Target, second: Target) -> Target:
    return replace(
        first,
        prompt=first.prompt or second.prompt,
        schedule=first.schedule or second.schedule,
        max_age=max(first.max_age, second.max_age),
    )


def riding(recipient: Recipient, plan: Plan) -> Target:
    """Make a recipient the target of what concerns it whatever the routes say: it was told of it before."""
    planned_for = next(iter(schedules_of(recipient, plan)), None)
    return Target(recipient, True, planned_for.name if planned_for else None, PROMPT_AGE)


def schedules_of(recipient: Recipient, plan: Plan) -> tuple[Schedule, ...]:
    """List the schedules in which a recipient gets digests, by the routes to its channel."""
    names = [name for route in _all(plan.root) if recipient.channel in route.to for name in route.digests[:1]]
    found = (plan.schedule(name) for name in dict.fromkeys(names))
    return tuple(schedule for schedule in found if schedule is not None)


def planned(plan: Plan) -> tuple[tuple[Recipient, str], ...]:
    """List every recipient with each schedule in which it gets digests."""
    return tuple(
        (recipient, schedule.name) for recipient in plan.recipients for schedule in schedules_of(recipient, plan)
    )


def _all(route: Route) -> Iterator[Route]:
    yield route
    for child in route.routes:
        yield from _all(child)


def rides_along(event: Event, plan: Plan) -> bool:
    """Tell whether an event never makes a message of its own."""
    if event.event_class is EventClass.DIGEST or event.state is EventState.FLOOD:
        return True
    if event.kind is Kind.REMINDER:
        return False  # it is asked for by a key of its own
    wanted = plan.timers.get(event.watch, Timers()).alert_on
    return wanted is not None and event.event_class is not EventClass.OPERATOR and event.kind not in wanted


def due_at(event: Event, plan: Plan, last_message: datetime | None) -> datetime:
    """Say when the event's group may be told on its account.

    Routine kinds keep the interval since the recipient's last message on the story, urgent ones do not.
    """
    timers = plan.timers.get(event.watch, Timers())
    if event.kind is Kind.REMINDER:
        return event.decided_at + (timers.remind_after or timedelta(0))
    due = event.decided_at + timers.wait.get(event.kind, WAITS.get(event.kind, timedelta(0)))
    if event.event_class is not EventClass.ROUTINE or last_message is None:
        return due
    return max(due, last_message + (plan.interval if timers.interval is None else timers.interval))


def unreachable(root: Route) -> tuple[Route, ...]:
    """List routes that can never match because an earlier sibling without `continue` takes everything they take."""
    lost: list[Route] = []
    for index, child in enumerate(root.routes):
        if any(_covers(earlier, child) for earlier in root.routes[:index]):
            lost.append(child)
        lost.extend(unreachable(child))
    return tuple(lost)


def _covers(earlier: Route, later: Route) -> bool:
    takes_all = bool(earlier.to) or any(not child.matchers.conditions and child.to for child in earlier.routes)
    return (
        not earlier.goes_on
        and takes_all
        and all(pair in later.matchers.conditions for pair in earlier.matchers.conditions)
    )
