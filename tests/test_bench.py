"""A small day of many feeds is polite: the bench of a whole one is `python -m bench.day`."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bench import copies, day


def test_an_hour_and_a_half_of_forty_feeds_makes_no_impolite_request() -> None:
    figures = asyncio.run(day.play(40, 12, timedelta(hours=1.5), seed=3))
    assert figures["impolite"] == {}
    assert figures["requests"] >= 80
    assert figures["share_304"] > 0.2


def test_copies_of_made_up_documents_are_told_from_other_texts() -> None:
    made = [
        copies.Document(
            f"Title {n} of paper {n}",
            " ".join(f"word{n}x{k}." if k % 9 == 8 else f"word{n}x{k}" for k in range(60)),
            "en",
        )
        for n in range(8)
    ]
    right = copies.measure(made)
    assert set(right) == {*copies.COPIES, *copies.OTHERS}
    assert [name for name, (known, every) in right.items() if known < every] == []
