"""The table of situations names tests that exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster import rows

TESTS = Path(__file__).parent.parent


@pytest.mark.parametrize("row", rows.PLAYED)
def test_a_situation_is_played_by_tests_that_exist(row: str) -> None:
    for named in rows.PLAYED[row]:
        file, _, test = named.partition("::")
        assert f"def {test}(" in (TESTS / file).read_text(encoding="utf-8"), named


def test_every_situation_is_played_or_has_its_reason() -> None:
    named = [row.partition(" ")[0] for row in (*rows.PLAYED, *rows.NOT_PLAYED)]
    assert sorted(named, key=lambda name: int(name[1:])) == [f"S{n}" for n in range(1, 41)]
