"""The alerting half of the configuration: channels, recipients, routes, digests, quiet hours, caps.

`problems` lists every fault with the path of its key; `monitor.config` reads the YAML and turns paths into places. No
secret is read here: a channel resolves its own when it sends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from alerts import route
from alerts.channels import email
from alerts.channels.base import Channel
from alerts.channels.reading import Path, Section, nearest
from alerts.channels.registry import TYPES
from alerts.errors import ConfigError
from alerts.route import Plan, Route, Timers
from alerts.values import (
    MATCHER_FIELDS,
    Caps,
    EventClass,
    Heartbeat,
    Kind,
    Matchers,
    QuietHours,
    Rate,
    Recipient,
    Schedule,
)

SECTIONS = ("channels", "routes", "digests", "quiet_hours", "caps", "timezone")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
RATE = re.compile(r"([1-9]\d{0,3})/(\S+)")
SLACK_ID = re.compile(r"[CDGU][A-Z0-9]{2,20}")
KINDS = tuple(kind.value for kind in Kind)


@dataclass(frozen=True, slots=True)
class ChannelConfig:
    """One channel: its type, the type's own settings, and who is behind it."""

    name: str
    type: str
    settings: Any = field(repr=False)
    recipients: tuple[Recipient, ...] = ()
    fallback: str | None = None

    def build(self) -> Channel:
        """Make the channel; nothing is connected yet."""
        return TYPES[self.type].build(self.name, self.settings)


@dataclass(frozen=True, slots=True)
class AlertsConfig:
    """Everything that is configured about telling. `warnings` do not keep it from being used."""

    channels: tuple[ChannelConfig, ...]
    root: Route
    schedules: tuple[Schedule, ...] = ()
    flood: route.Flood = route.FLOOD
    timezone: str = "UTC"
    warnings: tuple[ConfigError, ...] = ()

    @property
    def recipients(self) -> tuple[Recipient, ...]:
        """All recipients, in the order of the file."""
        return tuple(recipient for channel in self.channels for recipient in channel.recipients)

    def plan(
        self, watches: tuple[str, ...] = (), timers: Mapping[str, Timers] | None = None, config_rev: int = 0
    ) -> Plan:
        """Join it with the watches' own wishes into what `outbox.put` and the desk need."""
        fallback = {channel.name: channel.fallback for channel in self.channels if channel.fallback}
        return Plan(
            self.root,
            self.recipients,
            self.schedules,
            dict(timers or {}),
            fallback,
            watches,
            config_rev=config_rev,
            flood=self.flood,
        )

    def build_channels(self) -> dict[str, Channel]:
        """Build every channel."""
        return {channel.name: channel.build() for channel in self.channels}


def from_raw(raw: Mapping[str, Any]) -> AlertsConfig:
    """Read the sections `SECTIONS`. Errors: ConfigError, the first one; use `problems` for all of them.

    A template that cannot be used keeps nobody from being told: messages are made in the built-in layout.
    """
    config, found = _read(raw)
    errors = [problem for problem in found if problem.severity == "error" and problem.code != "E080"]
    if errors:
        raise errors[0]
    return config


def problems(raw: Mapping[str, Any]) -> tuple[ConfigError, ...]:
    """List every fault and warning."""
    return tuple(_read(raw)[1])


def timers(raw: object, alert_on: object = None, path: Path = ()) -> tuple[Timers, tuple[ConfigError, ...]]:
    """Read a watch's `alert` section and `alert_on` list; `spike` and `remind_after` are monitor's own."""
    found: list[ConfigError] = []
    section = Section(raw, (*path, "alert"), found)
    waits = section.section("group_wait")
    wait = {Kind(kind): value for kind in KINDS if (value := waits.duration(kind, None)) is not None}
    waits.close()
    interval = section.duration("group_interval", None)
    for kind, value in wait.items():
        if interval is not None and value > interval:
            waits.fault((kind.value,), "the wait is longer than the interval between messages", code="W031")
    chosen = Section({"alert_on": alert_on}, path, found).choices("alert_on", KINDS)
    kinds = frozenset(Kind(kind) for kind in chosen if kind) if alert_on is not None else None
    return Timers(wait, interval, kinds), tuple(found)


# ------------------------------------------------------------------------------------------------------- reading


def _read(raw: Mapping[str, Any]) -> tuple[AlertsConfig, list[ConfigError]]:
    found: list[ConfigError] = []
    top = Section(raw, (), found)
    zone = top.zone("timezone", "UTC")
    quiet = {name: hours for name, section in top.named("quiet_hours") if (hours := _quiet(section)) is not None}
    caps, flood = _caps(top.section("caps"), Caps())
    schedules = tuple(_schedule(name, section) for name, section in top.named("digests"))
    readers = _Recipients(zone, quiet, caps)
    channels = tuple(_channel(name, section, readers) for name, section in top.named("channels"))
    root = _root(top, channels, {schedule.name for schedule in schedules})
    config = AlertsConfig(channels, root, schedules, flood, zone)
    _check(config, found)
    warnings = tuple(problem for problem in found if problem.severity == "warning")
    return AlertsConfig(channels, root, schedules, flood, zone, warnings), found


def _quiet(section: Section) -> QuietHours | None:
    start, end = section.clock("from"), section.clock("to")
    days = _days(section)
    section.close()
    if start is None or end is None:
        return None
    if start == end:
        section.fault(("to",), "quiet hours that end when they begin", code="E060")
        return None
    return QuietHours(start, end, days)


def _days(section: Section) -> frozenset[int]:
    chosen = [day for day in section.choices("days", DAYS) if day]
    return frozenset(DAYS.index(day) for day in chosen) or frozenset(range(7))


def _schedule(name: str, section: Section) -> Schedule:
    at = section.clocks("at")
    if not at and not (section.has("at") and section.problems):
        section.fault(("at",) if section.has("at") else (), "a schedule needs at least one time", code="E061")
    days, most = _days(section), section.number("max_stories", 40, 1, 500)
    section.close()
    return Schedule(name, at, days, most)


def _caps(section: Section, default: Caps) -> tuple[Caps, route.Flood]:
    flood = section.section("flood")
    caps = Caps(
        _rate(section, "per_story", default.per_story),
        _rate(section, "urgent_per_story", default.urgent_per_story),
        section.number("per_hour", default.per_hour),
        section.number("per_day", default.per_day),
        section.number("urgent_per_hour", default.urgent_per_hour),
    )
    usual = route.FLOOD
    brake = route.Flood(
        flood.number("matches", usual.count),
        flood.duration("within", usual.per),
        flood.number("times_usual", usual.times, 2),
        flood.number("at_least", usual.least),
    )
    flood.close()
    section.close()
    return caps, brake


def _rate(section: Section, key: str, default: Rate) -> Rate:
    text = section.text(key, None)
    if text is None:
        return default
    match = RATE.fullmatch(text)
    holder = Section({key: match[2]}, section.path, []) if match else None
    per = holder.duration(key, None) if holder else None
    if match is None or not per:
        section.fault((key,), f"'{text}' is not a rate; write it as 1/15m", code="E020")
        return default
    return Rate(int(match[1]), per)


@dataclass(frozen=True, slots=True)
class _Recipients:
    """What recipients take from the rest of the file."""

    zone: str
    quiet: Mapping[str, QuietHours]
    caps: Caps

    def read(self, section: Section, channel: str, kind: str) -> Recipient:
        """Read one recipient."""
        several = TYPES[kind].several
        to = section.text("to", "" if several else channel)
        if several and section.need("to") and to:
            to = _address(section, kind, to)
        recipient = Recipient(
            channel,
            to,
            section.zone("timezone", self.zone),
            self._hours(section),
            frozenset(Kind(word) for word in section.choices("breakthrough", KINDS) if word),
            _caps(section.section("caps"), self.caps)[0],
            section.text("language", None),
            Heartbeat(section.choice("heartbeat", [beat.value for beat in Heartbeat], Heartbeat.OFF)),
            section.flag("weekly_note", False),
        )
        section.close()
        return recipient

    def _hours(self, section: Section) -> QuietHours | None:
        name = section.text("quiet_hours", None)
        if name is not None and name not in self.quiet:
            section.fault(("quiet_hours",), f"quiet hours '{name}' are not defined", nearest(name, self.quiet), "E034")
        return self.quiet.get(name or "")


def _address(section: Section, kind: str, to: str) -> str:
    if kind == "slack" and not SLACK_ID.fullmatch(to):
        section.fault(("to",), f"'{to}' is not the id of a Slack channel; ids look like C0123ABCD", code="E026")
    if kind == "email":
        to = email.normal(to)
        if not email.ADDRESS.fullmatch(to):
            section.fault(("to",), f"'{to}' is not a mail address", code="E026")
    return to


def _channel(name: str, section: Section, readers: _Recipients) -> ChannelConfig:
    kind = section.choice("type", tuple(TYPES), "stdout") if section.need("type") else "stdout"
    settings = TYPES[kind].read(section) if section.has("type") else None
    fallback = section.text("fallback", None)
    rows = section.sections("recipients")
    if TYPES[kind].several and section.need("recipients") and not rows:
        section.fault(("recipients",), "a channel needs at least one recipient", code="E010")
    if not TYPES[kind].several and len(rows) > 1:
        section.fault(("recipients", 1), f"a channel of type {kind} has one recipient")
    recipients = [readers.read(row, name, kind) for row in rows]
    if not rows and not TYPES[kind].several:
        recipients = [readers.read(Section({}, section.path, []), name, kind)]
    unique = {recipient.key: recipient for recipient in recipients}
    if section.has("type"):
        section.close()
    return ChannelConfig(name, kind, settings, tuple(unique.values()), fallback)


def _root(top: Section, channels: tuple[ChannelConfig, ...], schedules: set[str]) -> Route:
    names = tuple(channel.name for channel in channels)
    if not top.has("routes"):
        return Route(to=names)
    root = _route(top.section("routes"), names, schedules)
    if not root.to and not any(child.to and not child.matchers.conditions for child in root.routes):
        top.fault(("routes",), "the root needs a channel: what no route takes would be lost", code="E010")
    return root


def _route(section: Section, names: tuple[str, ...], schedules: set[str]) -> Route:
    to = section.texts("to")
    for n, name in enumerate(to):
        if name not in names:
            place = ("to",) if isinstance(section.raw["to"], str) else ("to", n)
            known = f"channels: {', '.join(names) or 'none'}"
            section.fault(place, f"channel '{name}' is not defined ({known})", nearest(name, names), "E031")
    conditions = tuple((name, patterns) for name in MATCHER_FIELDS if (patterns := _patterns(section, name)))
    prompt, digests = _send(section, schedules)
    goes_on, age = section.flag("continue", False), section.duration("max_age", None)
    children = tuple(_route(child, names, schedules) for child in section.sections("routes"))
    section.close()
    known_to = tuple(name for name in to if name in names)
    return Route(Matchers(conditions), known_to, prompt, digests, goes_on, age, children, section.path)


def _patterns(section: Section, name: str) -> tuple[str, ...]:
    if name == "kind":
        return tuple(word for word in section.choices(name, KINDS) if word)
    if name == "class":
        return tuple(word for word in section.choices(name, tuple(EventClass)) if word)
    return section.texts(name)


def _send(section: Section, schedules: set[str]) -> tuple[bool, tuple[str, ...]]:
    if not section.has("send"):
        return True, ()
    value = section.raw["send"]
    prompt, digests = False, []
    for n, row in enumerate(value if isinstance(value, list | tuple) else [value]):
        name = row.get("digest") if isinstance(row, Mapping) and len(row) == 1 else None
        if row == "prompt":
            prompt = True
        elif not isinstance(name, str):
            section.fault(("send", n), "'prompt' or {digest: NAME} is wanted here")
        elif name not in schedules:
            section.fault(("send", n), f"digest '{name}' is not defined", nearest(name, schedules), "E032")
        else:
            digests.append(name)
    return prompt or not digests, tuple(digests)


# ------------------------------------------------------------------------------------------------ the whole of it


def _check(config: AlertsConfig, found: list[ConfigError]) -> None:
    """Look for what only shows when all parts are known."""
    names = {channel.name: channel for channel in config.channels}
    for channel in config.channels:
        if channel.fallback is not None and channel.fallback not in names:
            hint = nearest(channel.fallback, names)
            known = f"channels: {', '.join(names)}"
            where = ("channels", channel.name, "fallback")
            found.append(
                ConfigError(where, f"channel '{channel.fallback}' is not defined ({known})", hint, code="E031")
            )
        elif _rings(channel.name, names):
            where = ("channels", channel.name, "fallback")
            found.append(ConfigError(where, "a fallback that leads back to its own channel", code="E060"))
    found.extend(
        ConfigError(lost.path, "an earlier route takes everything this one could match", code="E063")
        for lost in route.unreachable(config.root)
    )
    used = {name for one in _routes(config.root) for name in one.to} | {one.fallback for one in config.channels}
    found.extend(
        ConfigError(("channels", channel.name), "no route sends to this channel", code="W022")
        for channel in config.channels
        if channel.name not in used
    )
    found.extend(_slots_in_quiet(config))


def _rings(name: str, names: Mapping[str, ChannelConfig]) -> bool:
    seen, at = {name}, names[name].fallback
    while at in names and at is not None:
        if at == name:
            return True
        if at in seen:
            return False
        seen.add(at)
        at = names[at].fallback
    return False


def _routes(root: Route) -> Iterator[Route]:
    yield root
    for child in root.routes:
        yield from _routes(child)


def _slots_in_quiet(config: AlertsConfig) -> Iterator[ConfigError]:
    """Warn of planned digests that fall into a recipient's quiet hours, by the clock alone."""
    plan = config.plan()
    for recipient, name in route.planned(plan):
        schedule, quiet = plan.schedule(name), recipient.quiet
        if schedule is None or quiet is None:
            continue
        for n, at in enumerate(schedule.at):
            over = quiet.end < quiet.start
            inside = at >= quiet.start or at < quiet.end if over else quiet.start <= at < quiet.end
            if inside:
                said = f"{at:%H:%M} lies in the quiet hours of {recipient.to}; it runs at their end"
                yield ConfigError(("digests", name, "at", n), said, code="W030")
