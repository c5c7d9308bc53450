"""How many deliveries wait and for how long: figures for whoever watches the telling half. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from alerts import tables
from alerts.values import DeliveryState

OPEN = (DeliveryState.READY, DeliveryState.SENDING, DeliveryState.HELD, DeliveryState.DEAD)
"""States that somebody may have to look at; what was sent or replaced is history."""
_ON_THE_WAY = (DeliveryState.READY, DeliveryState.SENDING)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Deliveries by channel and state, the oldest on its way by channel, and the item that should be told first."""

    counts: dict[tuple[str, str], int]
    oldest: dict[str, datetime]
    oldest_item: datetime | None
    sick: dict[str, str]


def waiting(connection: sa.Connection, now: datetime) -> Waiting:
    """Read what waits to be told at `now`."""
    outbox, item, channel = tables.outbox.c, tables.item.c, tables.channel_state.c
    rows = connection.execute(
        sa.select(outbox.channel, outbox.state, sa.func.count(), sa.func.min(outbox.created_at))
        .where(outbox.state.in_(OPEN))
        .group_by(outbox.channel, outbox.state)
    ).all()
    oldest: dict[str, datetime] = {}
    for name, state, _, first in rows:
        if state in _ON_THE_WAY:
            oldest[name] = min(first, oldest.get(name, first))
    overdue = sa.select(sa.func.min(item.due_at)).where(item.state == "pending", item.due_at <= now)
    states = connection.execute(sa.select(channel.channel, channel.state))
    return Waiting(
        counts={(name, state): number for name, state, number, _ in rows},
        oldest=oldest,
        oldest_item=connection.execute(overdue).scalar_one(),
        sick={name: state for name, state in states if state != "ok"},
    )
