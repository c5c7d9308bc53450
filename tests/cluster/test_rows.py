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
