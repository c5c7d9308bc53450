"""Spans of a poll, a decision and a message: one trace for one event, whichever process told it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.outbox.ends import End, Told
from alerts.values import Delivery, DeliveryKind
from monitor import following, tracing
from monitor.values import Claim, FeedId

sdk = pytest.importorskip("opentelemetry.sdk.trace.export", reason="the extra otel is not installed")
memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
NOW = datetime(2025, 6, 5, 12, tzinfo=UTC)
KEY = "new_story:flights:st_k3v9"


@pytest.fixture
def spans() -> Iterator[Any]:
    kept = memory.InMemorySpanExporter()
    tracing.configure(tracing.make(sdk.SimpleSpanProcessor(kept), "1"))
    yield kept
    tracing.configure(tracing.OFF)


def delivered() -> None:
    delivery = Delivery(
        delivery_id="dlv_1",
        kind=DeliveryKind.POST,
        channel="desk",
        to="vera",
        group="st_k3v9",
        body=b"",
        headers=(),
        attempt=1,
        tries=0,
        created_at=NOW + timedelta(minutes=10),
        expires_at=NOW + timedelta(days=1),
    )
    told = Told(KEY, "812", NOW, None, prompt=True)
    following.delivery_ended(End(delivery, "sent", NOW + timedelta(minutes=11), told=(told,)))


def decided() -> None:
    tracing.tracer().decided(KEY, "new_story", NOW - timedelta(seconds=2), NOW, 812)


def test_decision_and_message_of_an_event_are_one_trace_and_the_poll_is_linked(spans: Any) -> None:
    with following.poll(Claim(FeedId(7), 41, NOW), "https://one.example/rss"):
        decided()
    delivered()
    by_name = {span.name: span for span in spans.get_finished_spans()}
    poll, decide, send = (by_name[name] for name in ("poll", "decide", "send"))
    assert poll.attributes["storywatch.poll"] == "7.41"
    assert decide.context.trace_id == send.context.trace_id != poll.context.trace_id
    assert [link.context.span_id for link in decide.links] == [poll.context.span_id]
    assert decide.attributes["storywatch.entry"] == 812
    assert decide.end_time - decide.start_time == 2 * 10**9
    assert (send.attributes["storywatch.delivery"], send.attributes["storywatch.channel"]) == ("dlv_1", "desk")
    assert send.end_time - send.start_time == 60 * 10**9
    assert not {"vera"} & {str(value) for span in by_name.values() for value in span.attributes.values()}


def test_another_process_finds_the_same_trace_by_the_event_alone(spans: Any) -> None:
    decided()
    tracing.configure(tracing.make(sdk.SimpleSpanProcessor(spans), "1"))
    delivered()
    assert len({span.context.trace_id for span in spans.get_finished_spans()}) == 1


@pytest.mark.parametrize(
    ("environ", "on"),
    [
        pytest.param({}, False, id="nobody asked"),
        pytest.param({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False, id="an empty address"),
        pytest.param({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True, id="an endpoint"),
    ],
)
def test_spans_are_made_only_where_an_endpoint_is_named(environ: dict[str, str], on: bool) -> None:
    made = tracing.of(environ, "1")
    assert (made is not tracing.OFF) is on
    made.close()
