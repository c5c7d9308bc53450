"""What a sitting changes: items and cursors of one recipient, slots; gathered while it decides, written at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import sqlalchemy as sa

from alerts import tables
from alerts.digest.slots import Slot
from alerts.outbox.events import insert
from alerts.outbox.groups import Item
from alerts.outbox.slot_rows import open_slot

CHANGED = ("state", "reason", "due_at", "slot_id", "delivery_id", "silence_id")


CHANGE_ITEM = (
    tables.item.update()
    .where(tables.item.c.recipient == sa.bindparam("b_recipient"), tables.item.c.event_id == sa.bindparam("b_event"))
    .values({name: sa.bindparam(name) for name in CHANGED})
)


def _alike(rows: Iterable[dict[str, object]]) -> dict[tuple[str, ...], list[dict[str, object]]]:
    """Sort rows by the columns they fill, so that each sort is one statement."""
    found: dict[tuple[str, ...], list[dict[str, object]]] = defaultdict(list)
    for row in rows:
        found[tuple(row)].append(row)
    return found


@dataclass(slots=True)
class Changes:
    """What a decision changes, gathered and written at once."""

    items: list[dict[str, object]] = field(default_factory=list)
    cursors: list[dict[str, object]] = field(default_factory=list)
    slots: dict[str, Slot] = field(default_factory=dict)

    def item(self, recipient: str, item: Item, **change: object) -> None:
        """Change some columns of an item; the others keep what they have."""
        row: dict[str, object] = {
            "b_recipient": recipient,
            "b_event": item.event_id,
            "state": item.state,
            "reason": item.reason,
            "due_at": item.due_at,
            "slot_id": item.slot_id,
            "delivery_id": item.delivery_id,
            "silence_id": None,
        }
        self.items.append(row | change)

    def cursor(self, recipient: str, group: str, **values: object) -> None:
        """Move a cursor."""
        self.cursors.append({"recipient": recipient, "group_key": group, **values})

    def apply(self, connection: sa.Connection) -> None:
        """Write everything."""
        if self.items:
            connection.execute(CHANGE_ITEM, self.items)
        for names, rows in _alike(self.cursors).items():
            statement = insert(connection, tables.cursor)
            moved = {name: statement.excluded[name] for name in names if name not in ("recipient", "group_key")}
            connection.execute(
                statement.on_conflict_do_update(index_elements=["recipient", "group_key"], set_=moved), rows
            )
        for slot in self.slots.values():
            open_slot(connection, slot)
