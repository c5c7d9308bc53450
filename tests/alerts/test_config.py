"""The alerting half of the configuration: what is understood, and every fault with the path of its key."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts import config, route
from alerts.channels.secrets import Secret
from alerts.errors import ConfigError
from alerts.values import Kind
from tests.alerts.house import answer, at, event

FOLDER = {"type": "folder", "path": "out"}

FULL: dict[str, Any] = {
    "timezone": "Europe/Belgrade",
    "channels": {
        "desk": {"type": "slack", "token": {"env": "TOKEN"}, "recipients": [{"to": "C0DESK"}], "fallback": "lawyers"},
        "lawyers": {
            "type": "email",
            "smtp": {"host": "mail.ngo.example", "tls": "implicit", "user": "u", "password": {"credential": "smtp"}},
            "from": "Watch <watch@ngo.example>",
            "recipients": [
                {"to": "ana@NGO.example", "quiet_hours": "nights", "heartbeat": "daily"},
                {"to": "joe@ngo.example", "timezone": "America/New_York", "breakthrough": ["response"]},
            ],
        },
        "archive": {"type": "webhook", "url": "https://archive.example/hook", "secrets": [{"file": "/run/key"}]},
        "ops": {"type": "stdout"},
    },
    "digests": {"morning": {"at": ["08:00", "17:00"], "days": ["mon", "fri"]}},
    "quiet_hours": {"nights": {"from": "22:00", "to": "07:00"}},
    "caps": {"per_hour": 9, "per_story": "1/10m"},
    "routes": {
        "to": ["desk"],
        "routes": [
            {"class": "operator", "to": ["ops"]},
            {"to": ["archive"], "continue": True},
            {"kind": ["response"], "government": ["NO", "SE"], "to": ["desk", "lawyers"]},
            {"watch": "mines", "to": ["lawyers"], "send": [{"digest": "morning"}]},
        ],
    },
}


def test_a_full_configuration_is_understood() -> None:
    read = config.from_raw(FULL)
    assert config.problems(FULL) == ()
    ana, joe = read.channels[1].recipients
    assert (ana.key, ana.timezone) == ("lawyers/ana@ngo.example", "Europe/Belgrade")
    assert ana.quiet is not None
    assert ana.quiet.start == time(22, 0)
    assert (joe.timezone, joe.breakthrough, joe.caps.per_hour) == ("America/New_York", {Kind.RESPONSE}, 9)
    assert joe.caps.per_story.per == timedelta(minutes=10)
    assert read.plan().fallback == {"desk": "lawyers"}
    assert set(read.build_channels()) == {"desk", "lawyers", "archive", "ops"}


ROUTED = {
    "an answer of a watched government": (
        event(Kind.RESPONSE, at("10:00"), answer=answer()),
        ["archive", "desk", "lawyers", "lawyers"],
    ),
    "an answer of another one": (
        event(Kind.RESPONSE, at("10:00"), answer=answer(government="FI")),
        ["archive", "desk"],
    ),
    "a new outlet": (event(Kind.NEW_OUTLET, at("10:00")), ["archive", "desk"]),
    "a watch with a digest": (
        event(Kind.NEW_OUTLET, at("10:00"), watch="mines"),
        ["archive", "lawyers", "lawyers"],
    ),
    "a report about the daemon": (event(Kind.COVERAGE, at("10:00")), ["ops"]),
    "a report that the operators' own channel broke": (
        event(Kind.CHANNEL_STATE, at("10:00"), facts=(("channel", "ops"),)),
        ["desk"],
    ),
}


@pytest.mark.parametrize(("told", "wanted"), ROUTED.values(), ids=ROUTED.keys())
def test_routes_are_walked_children_first(told: Any, wanted: list[str]) -> None:
    found = route.targets(told, config.from_raw(FULL).plan())
    assert [target.recipient.channel for target in found] == wanted


def test_without_routes_everything_goes_promptly_to_every_channel() -> None:
    plan = config.from_raw({"channels": {"a": FOLDER, "b": FOLDER}}).plan()
    found = route.targets(event(Kind.NEW_OUTLET, at("10:00")), plan)
    assert [(target.recipient.channel, target.prompt) for target in found] == [("a", True), ("b", True)]


def with_(change: dict[str, Any]) -> dict[str, Any]:
    return {"channels": {"a": FOLDER}, **change}


def slack(**change: Any) -> dict[str, Any]:
    return {
        "channels": {"a": {"type": "slack", "token": {"env": "X"}, "recipients": [{"to": "C0DESK"}]} | change},
    }


FAULTS: dict[str, tuple[dict[str, Any], tuple[str | int, ...], str]] = {
    "an unknown key": (with_({"caps": {"per_huor": 3}}), ("caps", "per_huor"), "E011"),
    "a channel without its path": ({"channels": {"a": {"type": "folder"}}}, ("channels", "a"), "E010"),
    "a channel of no known type": ({"channels": {"a": {"type": "slak"}}}, ("channels", "a", "type"), "E027"),
    "a duration that is none": (with_({"caps": {"flood": {"within": "5x"}}}), ("caps", "flood", "within"), "E020"),
    "a rate that is none": (with_({"caps": {"per_story": "often"}}), ("caps", "per_story"), "E020"),
    "a clock time that is none": (with_({"digests": {"m": {"at": ["25:00"]}}}), ("digests", "m", "at", 0), "E022"),
    "a zone that is none": (with_({"timezone": "Europe/Belgrad"}), ("timezone",), "E023"),
    "an address that is none": (
        {"channels": {"a": {"type": "webhook", "url": "archive.example"}}},
        ("channels", "a", "url"),
        "E025",
    ),
    "a name with capitals": ({"channels": {"Desk": FOLDER}}, ("channels", "Desk"), "E026"),
    "a Slack channel by its name": (
        slack(recipients=[{"to": "#desk"}]),
        ("channels", "a", "recipients", 0, "to"),
        "E026",
    ),
    "a route to nowhere": (with_({"routes": {"to": ["a", "b"]}}), ("routes", "to", 1), "E031"),
    "a fallback to nowhere": ({"channels": {"a": FOLDER | {"fallback": "b"}}}, ("channels", "a", "fallback"), "E031"),
    "a digest that is not planned": (
        with_({"routes": {"to": ["a"], "send": [{"digest": "m"}]}}),
        ("routes", "send", 0),
        "E032",
    ),
    "quiet hours that are not defined": (
        slack(recipients=[{"to": "C0DESK", "quiet_hours": "n"}]),
        ("channels", "a", "recipients", 0, "quiet_hours"),
        "E034",
    ),
    "quiet hours without length": (
        with_({"quiet_hours": {"n": {"from": "07:00", "to": "07:00"}}}),
        ("quiet_hours", "n", "to"),
        "E060",
    ),
    "a schedule without a time": (with_({"digests": {"m": {"days": ["mon"]}}}), ("digests", "m"), "E061"),
    "a fallback to itself": ({"channels": {"a": FOLDER | {"fallback": "a"}}}, ("channels", "a", "fallback"), "E060"),
    "a route behind one that takes everything": (
        with_({"routes": {"to": ["a"], "routes": [{"to": ["a"]}, {"kind": ["spike"], "to": ["a"]}]}}),
        ("routes", "routes", 1),
        "E063",
    ),
    "a token in the file": (slack(token="xoxb-canary"), ("channels", "a", "token"), "E071"),
    "a root without a channel": (
        with_({"routes": {"routes": [{"kind": ["spike"], "to": ["a"]}]}}),
        ("routes",),
        "E010",
    ),
    "mail without TLS to another machine": (
        {
            "channels": {
                "a": {
                    "type": "email",
                    "smtp": {"host": "mail.example", "tls": "none"},
                    "from": "a@b.example",
                    "recipients": [{"to": "c@d.example"}],
                }
            }
        },
        ("channels", "a", "smtp", "tls"),
        "E071",
    ),
    "an unknown kind": (with_({"routes": {"kind": ["respons"], "to": ["a"]}}), ("routes", "kind", 0), "E027"),
}


@pytest.mark.parametrize(("raw", "path", "code"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_named_with_its_place(raw: dict[str, Any], path: tuple[str | int, ...], code: str) -> None:
    assert (path, code) in [(problem.path, problem.code) for problem in config.problems(raw)]
    with pytest.raises(ConfigError):
        config.from_raw(raw)


def test_every_fault_is_listed_at_once() -> None:
    raw = with_({"timezone": "Nowhere", "caps": {"per_day": 0}, "routes": {"to": ["x"]}, "digests": {"m": {"at": "9"}}})
    assert len({problem.path for problem in config.problems(raw)}) >= 4


def test_no_fault_and_no_value_shows_a_secret() -> None:
    raw = slack(token="xoxb-canary", api="https://user:canary@slack.example/")
    assert "canary" not in repr([(str(problem), problem) for problem in config.problems(raw)])
    assert "canary" not in repr(Secret("file", "/canary"))


SHAPES = (None, [], "x", 3, {"a": None}, {"a": []}, {"a": {"type": 3}}, {"a": {"recipients": "x"}}, {3: {4: 5}})


@pytest.mark.parametrize("section", config.SECTIONS)
@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_no_shape_raises_anything_else(section: str, shape: object) -> None:
    for problem in config.problems({"channels": {"a": FOLDER}, section: shape}):
        assert isinstance(problem, ConfigError)


def test_a_secret_file_is_read_anew_each_time(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("one\n")
    secret = Secret("file", str(tmp_path / "key"))
    assert secret.reveal() == "one"
    (tmp_path / "key").write_text("two")
    assert secret.reveal() == "two"


@pytest.mark.parametrize("text", ["", "\n", "a b c\nd", " padded"])
def test_a_secret_that_cannot_be_right_is_refused_without_being_shown(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text)
    with pytest.raises(ConfigError) as caught:
        Secret("file", str(tmp_path / "key")).reveal()
    assert "padded" not in str(caught.value)
