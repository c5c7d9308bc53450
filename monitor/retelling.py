"""What readers are told when stories became one, or one became two, whoever decided it: the machine or a person.

    changes -> events(tx, changes, plan, now) -> outbox.put: moves what was told, and tells those who were told of it

Only watches of the plan tell. Called by `pipeline` after its own second thoughts, by `cli` and the web pages after a
person's, in the transaction of the change: a story is never merged without its history of telling.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection

from alerts import outbox, route
from alerts.values import Event
from monitor.store import story_facts
from monitor.store.corrections import Changed
from monitor.values import StoryFacts


def tell(tx: Connection, changes: Sequence[Changed], plan: route.Plan, now: datetime) -> tuple[Event, ...]:
    """Put what follows from changed stories into the outbox; returns the events that are new."""
    return outbox.put(tx, tuple(events(tx, changes, plan, now)), plan)


def events(tx: Connection, changes: Sequence[Changed], plan: route.Plan, now: datetime) -> Iterator[Event]:
    """Say for each watch of a changed story what it became."""
    for change in changes:
        facts = story_facts.of(tx, change.story)
        title = _title(facts if change.parted_from is None else story_facts.of(tx, change.parted_from))
        for watch in sorted({name for mention in facts.mentions for name in mention.watches} & set(plan.watches)):
            for gone in change.gone:
                yield outbox.merged_event(watch, change.story, gone, title, now, plan.config_rev)
            if change.parted_from is not None:
                yield outbox.split_event(watch, change.parted_from, change.story, title, now, plan.config_rev)


def _title(facts: StoryFacts) -> str:
    return facts.mentions[0].title if facts.mentions else ""
