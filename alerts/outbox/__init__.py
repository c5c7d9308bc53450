"""The outbox: events, who they are for, and rendered deliveries, in the producer's own database.

events.py       put: events and their items, in the transaction that found them
groups.py       what the digest builder reads and writes: due groups, slots, cursors
deliveries.py   enqueue, claim, settle, recover: one row, one network call
sick.py         while a channel is away, and when it comes back
muted.py        silences
reports.py      events about the channels themselves
admin.py        list, show, retry, discard: for people
codec.py, ids.py   events as JSON; delivery ids and lease owners
"""

from alerts.outbox.events import put
from alerts.outbox.reports import channel_event, dead_event

__all__ = ["channel_event", "dead_event", "put"]
