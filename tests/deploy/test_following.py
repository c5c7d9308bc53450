"""One entry can be followed through the log of a real run, from the poll that brought it to the message it is in."""

from __future__ import annotations

import json
from typing import Any

from tests.deploy.conftest import Demo


def of(demo: Demo, event: str) -> list[dict[str, Any]]:
    return [line for line in demo.log if line["event"] == event]


def test_an_entry_is_followed_from_its_poll_to_its_message(demo: Demo) -> None:
    digest = json.loads(min((demo.folder / "digests").glob("*.json")).read_text(encoding="utf-8"))
    told = digest["data"]["events"][0]["key"]
    (decided,) = [line for line in of(demo, "decided") if line["event_key"] == told]
    (matched,) = [line for line in of(demo, "matched") if line["entry"] == decided["entry"]]
    (sent,) = [line for line in of(demo, "sent") if line["event_key"] == told]
    (polled,) = [line for line in of(demo, "polled") if line["poll"] == matched["poll"]]
    assert matched["poll"] == decided["poll"]
    assert (sent["entry"], sent["delivery"]) == (decided["entry"], digest["data"]["delivery_id"])
    assert polled["feed"] == matched["feed"]
    assert demo.log.index(matched) < demo.log.index(decided) < demo.log.index(sent)


def test_every_line_of_a_poll_names_it_and_no_two_polls_are_called_alike(demo: Demo) -> None:
    polled = of(demo, "polled")
    assert polled
    assert len({line["poll"] for line in polled}) == len(polled)
    assert all(line["poll"] for name in ("matched", "decided") for line in of(demo, name))


def test_every_message_that_was_told_is_in_the_log(demo: Demo) -> None:
    digests = [json.loads(path.read_text(encoding="utf-8")) for path in (demo.folder / "digests").glob("*.json")]
    assert {line["delivery"] for line in of(demo, "sent")} == {digest["data"]["delivery_id"] for digest in digests}


def test_what_is_said_of_a_poll_does_not_stick_to_what_comes_after_it(demo: Demo) -> None:
    assert all("poll" not in line and "feed" not in line for line in of(demo, "sent"))
