"""The outbox: events, who they are for, and rendered deliveries, in the producer's own database.

events.py       put: events and their items, in the transaction that found them
groups.py       what the digest builder reads and writes: due groups, slots, cursors, silences
deliveries.py   claim, settle, recover: one row, one network call
admin.py        list, show, retry, discard, silences: for people
"""

from alerts.outbox.events import put

__all__ = ["put"]
