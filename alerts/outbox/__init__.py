"""The outbox: events, who they are for, and rendered deliveries, in the producer's own database.

producing.py    put: events and their items, in the transaction that found them
brake.py        a watch that matches too much
regroup.py      stories that became one, or two: what was told moves along
events.py       rows of events and items
groups.py       what the digest builder reads: due groups, cursors, silences
changes.py      what it changes, written at once
slot_rows.py    planned digests
deliveries.py   enqueue, claim, recover: one row, one network call
settling.py     how the call ended
sick.py         while a channel is away, and when it comes back
muted.py        silences
backfill.py     the past of a watch, told on purpose
reports.py      events about the channels themselves
acts.py         what readers do by the links in messages; recipients that are set aside
admin.py        list, show, retry, discard, move: for people
codec.py, ids.py   events as JSON; delivery ids and lease owners
"""

from alerts.outbox.producing import put
from alerts.outbox.reports import (
    channel_event,
    dead_event,
    merged_event,
    primed_event,
    restored_event,
    split_event,
)

__all__ = [
    "channel_event",
    "dead_event",
    "merged_event",
    "primed_event",
    "put",
    "restored_event",
    "split_event",
]
