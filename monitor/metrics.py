"""Every metric, in one place: `storywatch_<noun>_<unit>`, with labels from closed sets only, never a URL or a feed.

Counters are the one kind of state a module may hold: the process has one registry, and the page prints it.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

polls = Counter("storywatch_polls", "Polls by outcome.", ["outcome"])
"""changed, unchanged, failed, left_out."""
poll_failures = Counter("storywatch_poll_failures", "Failed polls by reason word.", ["reason"])
stale_claims = Counter("storywatch_stale_claims", "Results dropped because another worker had the feed.")
entries = Counter("storywatch_entries", "Entries by what became of them.", ["outcome"])
"""new, revised, matched."""
events = Counter("storywatch_events", "Events stored, by kind and state.", ["kind", "state"])
document_seconds = Histogram("storywatch_document_seconds", "Time to record one document, the transaction included.")
parses = Counter("storywatch_parses", "Parsed documents: delta, or why they were parsed whole.", ["kind"])
pages = Counter("storywatch_pages", "Pages of matched entries by what became of them.", ["outcome"])
"""read, refused, failed, put_off."""
watch_healthy = Gauge("storywatch_watch_healthy_share", "Share of a watch's feeds that can be read.", ["watch"])
watch_delay = Gauge("storywatch_watch_delay_seconds", "Worst delay at which a watch would see news now.", ["watch"])
open_polls = Gauge("storywatch_open_polls", "Polls under way.")
deliveries = Counter("storywatch_delivery_attempts", "Attempts to deliver that were made.")
config_reloaded = Gauge(
    "storywatch_config_last_reload_successful", "1 while the newest state of config.yaml that was offered is in use."
)
config_revision = Gauge("storywatch_config_revision", "The revision of config.yaml that is in use.")
