"""/api/v1 answers as its description says, whatever it is asked: no 5xx, no status or shape that is not described."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from monitor.store import engine as engines
from monitor.web import app, guard
from tests.monitor.web.site import ROWS, filled, sources

schemathesis = pytest.importorskip("schemathesis", reason="LOUD: schemathesis is not installed, the API is not fuzzed")
checks = pytest.importorskip("schemathesis.specs.openapi.checks")
CASES = 40


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The application over the replayed rows, and its description."""
    folder = tmp_path_factory.mktemp("schema")
    filled(folder, ROWS).dispose()
    engine = engines.open_engine(f"sqlite:///{folder / 'replay.db'}")
    made = app.build(sources(engine), guard.Pace(per_s=1e6, burst=1e6))
    yield schemathesis.openapi.from_asgi("/api/v1/openapi.json", made, headers={"Host": "127.0.0.1"})
    engine.dispose()


def test_every_answer_is_described(served: Any) -> None:
    operations = [found.ok() for found in served.get_all_operations()]
    assert len(operations) == 9
    for operation in operations:
        _fuzz(operation)


def _fuzz(operation: Any) -> None:
    @settings(max_examples=CASES, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy())
    def check(case: Any) -> None:
        # A cursor is a word of ours and days have an order: what fits the description may still be refused.
        case.call_and_validate(headers={"Host": "127.0.0.1"}, excluded_checks=[checks.positive_data_acceptance])

    check()
