"""Every metric of this process: `storywatch_<noun>_<unit>`, with labels from closed sets, never a URL or a feed.

Counters are the one kind of state a module may hold: the process has one registry, and the page prints it. What is
read from the database at the time of asking is in `observing`. All of them are described in docs/metrics.md.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series beside every counter, for a reader that Prometheus is not

_LAGS = (0.5, 1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 10800)
_DELAYS = (0.1, 0.5, 1, 5, 15, 60, 300, 600, 900, 1800, 3600, 7200, 21600, 86400)
"""From what the machine takes to what an editor would call late: the alerts' targets lie on borders of buckets."""

polls = Counter("storywatch_polls", "Polls by outcome.", ["outcome"])
"""changed, unchanged, failed, left_out."""
poll_failures = Counter("storywatch_poll_failures", "Failed polls by reason word.", ["reason"])
poll_lag = Histogram("storywatch_poll_lag_seconds", "How long after it fell due a poll was begun.", buckets=_LAGS)
open_polls = Gauge("storywatch_open_polls", "Polls under way.")
stale_claims = Counter("storywatch_stale_claims", "Results dropped because another worker had the feed.")

entries = Counter("storywatch_entries", "Entries by what became of them.", ["outcome"])
"""new, revised, matched."""
events = Counter("storywatch_events", "Events stored, by kind and state.", ["kind", "state"])
document_seconds = Histogram("storywatch_document_seconds", "Time to record one document, the transaction included.")
parses = Counter("storywatch_parses", "Parsed documents: delta, or why they were parsed whole.", ["kind"])
parser_restarts = Counter("storywatch_parser_restarts", "Parser processes that were ended, and why.", ["why"])
"""killed (a body ended it or it fell silent), worn (it served its share of bodies)."""
pages = Counter("storywatch_pages", "Pages of matched entries by what became of them.", ["outcome"])
"""read, refused, failed, put_off."""

news_delay = Histogram("storywatch_news_delay_seconds", "What news waits for, step by step.", ["step"], buckets=_DELAYS)
"""published_seen, seen_decided, decided_sent, made_sent, published_sent; routes ask for part of decided_sent."""
deliveries = Counter("storywatch_delivery_attempts", "Attempts to deliver that were made.")
settled = Counter("storywatch_deliveries_settled", "Ends of attempts to deliver.", ["channel", "outcome"])
"""sent, again, held, dead; lost is an attempt that somebody else had settled."""

watch_healthy = Gauge("storywatch_watch_healthy_share", "Share of a watch's feeds that can be read.", ["watch"])
watch_delay = Gauge("storywatch_watch_delay_seconds", "Worst delay at which a watch would see news now.", ["watch"])

jobs = Counter("storywatch_job_runs", "Runs of the process's own jobs by how they ended.", ["job", "outcome"])
"""done, failed."""
clock_jumps = Counter("storywatch_clock_jumps", "Jumps of the wall clock of more than 30 s.")
clock_skew = Gauge("storywatch_clock_skew_seconds", "How far this machine's clock is ahead of the Postgres server's.")
shard_jobs = Gauge("storywatch_shard_jobs", "Shard jobs that run in this process.")
engine_restarts = Counter("storywatch_engine_restarts", "Times the engine's run loop had to be started again.")
leading = Gauge("storywatch_leader", "1 while this process does what only one may do.")
leader_missing = Gauge("storywatch_leader_missing", "1 while no process has done so for a minute.")

canary_seconds = Gauge("storywatch_canary_seconds", "How long the last canary story took from its feed to its channel.")
canary_ok = Gauge("storywatch_canary_ok", "0 while a canary story is late.")
canary_ok.set(1)

config_reloaded = Gauge(
    "storywatch_config_last_reload_successful", "1 while the newest state of config.yaml that was offered is in use."
)
config_revision = Gauge("storywatch_config_revision", "The revision of config.yaml that is in use.")
