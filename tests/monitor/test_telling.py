"""The telling half at rest: a tick with nothing due finds out nothing that only a message would need."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from alerts.values import Coverage
from monitor import telling
from tests.monitor.test_reloading import NOW, house


async def test_the_feeds_are_looked_at_only_when_there_is_something_to_tell(tmp_path: Path) -> None:
    asked: list[int] = []

    def coverage() -> Coverage | None:
        asked.append(1)
        return None

    async with house(tmp_path) as at:
        teller = telling.Teller(at.running.teller._desk, at.running.teller._courier, coverage)
        await teller.work(NOW)
        assert asked == []
        at.arrive("Serbia agrees to deportation flights", at=NOW)
        await teller.work(NOW + timedelta(hours=1))
        assert asked == [1]
