"""The Apprise extra: refused clearly where the library is missing, one post where it is there."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import config
from alerts.outbox import deliveries
from alerts.values import ChannelHealth, Kind
from tests.alerts.house import House, at, event
from tests.fakes.scripted import Step
from tests.fakes.webhook import FakeReceiver

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
HERE = importlib.util.find_spec("apprise") is not None


def raw(folder: Path, url: str) -> dict[str, Any]:
    (folder / "url").write_text(url)
    return {"channels": {"other": {"type": "apprise", "url": {"file": str(folder / "url")}}}}


@pytest.mark.skipif(HERE, reason="the library is there")
def test_without_the_library_the_check_says_what_to_install(tmp_path: Path) -> None:
    (found,) = config.problems(raw(tmp_path, "json://127.0.0.1/"))
    assert (found.code, found.path) == ("E082", ("channels", "other", "type"))
    assert "storywatch[apprise]" in str(found)


@pytest.mark.skipif(not HERE, reason="the extra is not installed")
async def test_a_lost_answer_repeats_by_the_outbox_and_never_by_the_library(engine: sa.Engine, tmp_path: Path) -> None:
    with FakeReceiver() as fake:
        fake.script.add("hook", Step(drop=True, take=True))
        house = House(engine, raw(tmp_path, f"json://127.0.0.1:{fake.port}/hook"), now=at("10:00"))
        house.put(event(Kind.NEW_STORY, at("10:00")))
        await house.until(at("10:02:03"))
        assert len(fake.posts) == 1
        await house.until(at("10:10"))
        assert len(fake.posts) == 2
        assert [row.state for row in house.rows()] == ["sent"]


@pytest.mark.skipif(not HERE, reason="the extra is not installed")
async def test_an_address_that_retries_by_itself_is_refused(engine: sa.Engine, tmp_path: Path) -> None:
    house = House(engine, raw(tmp_path, "json://127.0.0.1:9/?retry=3"), now=at("10:00"))
    house.put(event(Kind.NEW_STORY, at("10:00")))
    await house.until(at("10:05"))
    with engine.begin() as connection:
        assert deliveries.channel(connection, "other").health is ChannelHealth.BROKEN
