"""A small day of many feeds is polite: the bench of a whole one is `python -m bench.day`."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bench import day


def test_an_hour_and_a_half_of_forty_feeds_makes_no_impolite_request() -> None:
    figures = asyncio.run(day.play(40, 12, timedelta(hours=1.5), seed=3))
    assert figures["impolite"] == {}
    assert figures["requests"] >= 80
    assert figures["share_304"] > 0.2
