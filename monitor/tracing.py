"""OpenTelemetry spans, for whoever has the extra `otel` and names an endpoint: poll, then decide and send.

An event is decided in one process and sent in another, hours later; both spans belong to one trace because its number
is made of the event's key, and nothing has to be stored for it. The span of the poll is linked to each. Without the
extra, or without OTEL_EXPORTER_OTLP_ENDPOINT, nothing is imported and nothing happens. Configured once, like the log
and for the same reason: what writes spans is too far below to be handed a tracer. Called by `daemon` and `following`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

log = structlog.get_logger(__name__)
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Tracer:
    """Makes no spans."""

    @contextmanager
    def poll(self, name: str) -> Iterator[None]:
        """Everything in it is one poll. `name` is the poll's, as in the log."""
        yield

    def decided(self, event_key: str, kind: str, seen_at: datetime, at: datetime, entry: int | None = None) -> None:
        """An event was decided."""

    def sent(self, event_key: str, delivery: str, channel: str, made_at: datetime, at: datetime) -> None:
        """An event was told."""

    def close(self) -> None:
        """Send what is left."""


OFF = Tracer()
_in_use: list[Tracer] = [OFF]


def configure(tracer: Tracer) -> None:
    """Use a tracer from now on; `OFF` for none."""
    _in_use[0] = tracer


def tracer() -> Tracer:
    """The tracer in use."""
    return _in_use[0]


def of(environ: Mapping[str, str], version: str) -> Tracer:
    """The tracer that the environment asks for; `OFF` where it asks for none, or where the extra is not installed."""
    if not any(environ.get(name) for name in ENDPOINTS):
        return OFF
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.warning(
            "tracing_off", hint="an endpoint is named, but the extra is missing: pip install 'storywatch[otel]'"
        )
        return OFF
    return make(BatchSpanProcessor(OTLPSpanExporter()), version)


def make(processor: Any, version: str) -> Tracer:
    """A tracer that hands its spans to a processor."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    provider = TracerProvider(resource=Resource.create({"service.name": "storywatch", "service.version": version}))
    provider.add_span_processor(processor)
    return _Spans(provider)


class _Spans(Tracer):
    """Makes spans with OpenTelemetry's own kit."""

    def __init__(self, provider: Any) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("storywatch")

    @contextmanager
    def poll(self, name: str) -> Iterator[None]:
        with self._tracer.start_as_current_span("poll", attributes={"storywatch.poll": name}):
            yield

    def decided(self, event_key: str, kind: str, seen_at: datetime, at: datetime, entry: int | None = None) -> None:
        about: dict[str, Any] = {"storywatch.event": event_key, "storywatch.kind": kind}
        if entry is not None:
            about["storywatch.entry"] = entry
        self._span("decide", event_key, seen_at, at, about)

    def sent(self, event_key: str, delivery: str, channel: str, made_at: datetime, at: datetime) -> None:
        about = {"storywatch.event": event_key, "storywatch.delivery": delivery, "storywatch.channel": channel}
        self._span("send", event_key, made_at, at, about)

    def close(self) -> None:
        self._provider.shutdown()

    def _span(self, name: str, event_key: str, since: datetime, until: datetime, about: dict[str, Any]) -> None:
        from opentelemetry import trace

        here = trace.get_current_span().get_span_context()
        links = [trace.Link(here)] if here.is_valid else []
        span = self._tracer.start_span(
            name, context=_trace_of(event_key), attributes=about, links=links, start_time=_nanoseconds(since)
        )
        span.end(end_time=_nanoseconds(until))


def _trace_of(event_key: str) -> Any:
    """The trace of an event: the same in every process. Its root is the event itself, which nobody measures."""
    from opentelemetry import trace

    digest = hashlib.sha256(event_key.encode()).digest()
    root = trace.SpanContext(
        trace_id=int.from_bytes(digest[:16]),
        span_id=int.from_bytes(digest[16:24]),
        is_remote=True,
        trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(root))


def _nanoseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000
