"""How an attempt ended, written down (TX4): the row, its receipt, and what the recipient now has.

Only who names the attempt may write it; what did not arrive hands its events back.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from alerts import retry, tables
from alerts.values import Delivery, DeliveryKind, DeliveryState, Doubt, Receipt


def settle(connection: sa.Connection, delivery: Delivery, end: retry.Settlement, now: datetime) -> bool:
    """Write the end of an attempt. False when the attempt is no longer ours: then nothing is changed."""
    outbox = tables.outbox.c
    done = connection.execute(
        tables.outbox.update()
        .where(
            outbox.delivery_id == delivery.delivery_id,
            outbox.attempt == delivery.attempt,
            outbox.state == DeliveryState.SENDING,
        )
        .values(lease_owner=None, lease_until=None, **_row_after(delivery, end, now))
    )
    if done.rowcount == 0:
        return False
    _store_receipt(connection, delivery, end, now)
    match end:
        case retry.Done(receipt):
            _reached(connection, delivery, receipt, now)
        case retry.Dead():
            give_back(connection, [delivery.delivery_id])
    return True


def _row_after(delivery: Delivery, end: retry.Settlement, now: datetime) -> dict[str, Any]:
    match end:
        case retry.Done(receipt):
            return {
                "state": DeliveryState.SENT,
                "receipt": json.dumps(_receipt(receipt), ensure_ascii=False),
                "sent_at": now,
                "doubt": Doubt.NONE,
                "error_class": None,
                "error": None,
            }
        case retry.Again():
            in_doubt = end.doubt is Doubt.AMBIGUOUS
            return {
                "state": DeliveryState.READY,
                "next_at": end.at,
                "tries": delivery.tries + end.spent,
                "lookups": end.lookups,
                "doubt": end.doubt,
                "doubt_since": (delivery.doubt_since or now) if in_doubt else None,
                "compacted": delivery.compacted or end.compact,
                "error_class": end.error_class,
                "error": end.reason,
            }
        case retry.Hold():
            return {"state": DeliveryState.HELD, "error_class": end.error_class, "error": end.reason}
        case retry.Dead():
            # A root's refresh that cannot be made is no loss: its news went out as a message of its own.
            gone = DeliveryState.SUPERSEDED if delivery.kind is DeliveryKind.UPDATE else DeliveryState.DEAD
            return {
                "state": gone,
                "died_at": now,
                "tries": delivery.tries + 1,
                "error_class": end.error_class,
                "error": end.reason,
            }


def _receipt(receipt: Receipt) -> dict[str, Any]:
    return {"status": receipt.status, "reconciled": receipt.reconciled, **dict(receipt.facts)}


def _store_receipt(connection: sa.Connection, delivery: Delivery, end: retry.Settlement, now: datetime) -> None:
    values: dict[str, Any] = {"ended": now}
    match end:
        case retry.Done(receipt):
            values |= {
                "class": "reconciled" if receipt.reconciled else "ok",
                "status": receipt.status,
                "answer": json.dumps(dict(receipt.facts), ensure_ascii=False),
                "written": True,
            }
        case _:
            values |= {
                "class": end.error_class,
                "reason": end.reason,
                "written": end.error_class not in ("transient", "broken"),
            }
    row = tables.receipt.c
    connection.execute(
        tables.receipt.update()
        .where(row.delivery_id == delivery.delivery_id, row.attempt == delivery.attempt)
        .values(values)
    )


def _reached(connection: sa.Connection, delivery: Delivery, receipt: Receipt, now: datetime) -> None:
    """Note for every story of a delivery that the recipient has it, and where its root stands."""
    item, cursor = tables.item.c, tables.cursor.c
    recipient = f"{delivery.channel}/{delivery.to}"
    groups = sa.select(item.group_key).where(item.delivery_id == delivery.delivery_id, item.recipient == recipient)
    connection.execute(
        tables.cursor.update().where(cursor.recipient == recipient, cursor.group_key.in_(groups)).values(reached_at=now)
    )
    stamp = dict(receipt.facts).get("ts")
    if stamp and delivery.kind in (DeliveryKind.ROOT, DeliveryKind.REPLY) and delivery.thread is None:
        connection.execute(
            tables.cursor.update()
            .where(cursor.recipient == recipient, cursor.group_key == delivery.group, cursor.root.is_(None))
            .values(root=stamp, root_delivery=delivery.delivery_id)
        )


def lose_root(connection: sa.Connection, delivery: Delivery) -> None:
    """Forget a story's root that is no longer there: the next message opens a new one."""
    cursor = tables.cursor.c
    connection.execute(
        tables.cursor.update()
        .where(
            cursor.recipient == f"{delivery.channel}/{delivery.to}",
            cursor.group_key == delivery.group,
            cursor.root == delivery.thread,
        )
        .values(root=None, root_delivery=None)
    )


def give_back(connection: sa.Connection, deliveries: Sequence[str]) -> None:
    """Let the events of deliveries that did not arrive ride along once in the recipient's next message."""
    item = tables.item.c
    connection.execute(
        tables.item.update()
        .where(item.delivery_id.in_(deliveries), item.state == "enqueued", item.returned == 0)
        .values(state="pending", reason="undelivered", due_at=None, returned=1, slot_id=None)
    )
