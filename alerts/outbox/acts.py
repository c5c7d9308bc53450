"""What a reader does by a link in a message: mute a story, call it wrong, stop all messages. Repeating changes nothing.

Called by `monitor.web` for a POST with a valid token; `describe` is what the page of a GET says.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from alerts import route, tables
from alerts.links import Act, Grant
from alerts.outbox import muted
from alerts.outbox.events import insert
from alerts.outbox.groups import active_silences
from alerts.outbox.producing import put
from alerts.outbox.reports import aside_event
from alerts.values import Matchers, Silence

MUTED_FOR = timedelta(hours=24)
REFUSED_DAYS = 3
"""An address that its server refuses on so many days is set aside."""


def describe(grant: Grant) -> str:
    """Say what confirming would do."""
    match grant.act:
        case Act.MUTE:
            return "Mute this story for 24 hours. Answers of governments are still told, the rest is told at the end."
        case Act.WRONG:
            return "Say that this story does not belong to what you watch. It helps to tune the watch."
        case Act.STOP:
            return "Get no more messages at this address."


def perform(connection: sa.Connection, grant: Grant, plan: route.Plan, now: datetime) -> str:
    """Do it, and say what was done."""
    match grant.act:
        case Act.MUTE:
            _mute(connection, grant, now)
            return "Muted for 24 hours."
        case Act.WRONG:
            label(connection, grant.recipient, grant.story, "wrong", now)
            return "Noted. Thank you."
        case Act.STOP:
            set_aside(connection, grant.recipient, "unsubscribed", plan, now)
            return "You get no more messages at this address."


def _mute(connection: sa.Connection, grant: Grant, now: datetime) -> None:
    matchers = Matchers((("story", (grant.story,)),))
    known = active_silences(connection, now)
    if any(one.recipient == grant.recipient and one.matchers == matchers for one in known):
        return
    until, comment = now + MUTED_FOR, "by the link in a message"
    muted.add(connection, Silence("", matchers, now, until, comment, grant.recipient, recipient=grant.recipient))


def label(connection: sa.Connection, recipient: str, story: str, word: str, now: datetime) -> None:
    """Keep what a reader thinks of a story, for tuning; it changes nothing that is watched."""
    connection.execute(
        insert(connection, tables.feedback)
        .values({"recipient": recipient, "story": story, "label": word, "at": now})
        .on_conflict_do_update(index_elements=["recipient", "story"], set_={"label": word, "at": now})
    )


def aside(connection: sa.Connection) -> dict[str, tuple[datetime, str]]:
    """List the recipients that get nothing, since when and why."""
    state = tables.recipient_state.c
    rows = connection.execute(sa.select(tables.recipient_state).where(state.aside_since.is_not(None)))
    return {row.recipient: (row.aside_since, row.reason) for row in rows}


def set_aside(connection: sa.Connection, recipient: str, reason: str, plan: route.Plan, now: datetime) -> bool:
    """Tell a recipient nothing more, and report that elsewhere. False when it was set aside before."""
    if recipient in aside(connection):
        return False
    values = {"aside_since": now, "reason": reason}
    connection.execute(
        insert(connection, tables.recipient_state)
        .values({"recipient": recipient, "refusals": 0, **values})
        .on_conflict_do_update(index_elements=["recipient"], set_=values)
    )
    put(connection, [aside_event(recipient, reason, now, plan.config_rev)], plan)
    return True


def resume(connection: sa.Connection, recipient: str) -> bool:
    """Tell a recipient again what is new from now on. False when nobody had set it aside."""
    state = tables.recipient_state.c
    done = connection.execute(
        tables.recipient_state.delete().where(state.recipient == recipient, state.aside_since.is_not(None))
    )
    return done.rowcount == 1


def refused(connection: sa.Connection, recipient: str, plan: route.Plan, now: datetime) -> None:
    """Count the days on which an address was refused by its server; set it aside at the third."""
    state, day = tables.recipient_state.c, f"{now:%Y-%m-%d}"
    row = connection.execute(sa.select(tables.recipient_state).where(state.recipient == recipient)).first()
    if row is not None and row.refused_on == day:
        return
    number = int(row.refusals) + 1 if row is not None else 1
    values = {"refusals": number, "refused_on": day}
    connection.execute(
        insert(connection, tables.recipient_state)
        .values({"recipient": recipient, **values})
        .on_conflict_do_update(index_elements=["recipient"], set_=values)
    )
    if number >= REFUSED_DAYS:
        set_aside(connection, recipient, "refused", plan, now)


def reached(connection: sa.Connection, recipient: str) -> None:
    """Forget the refusals of an address that took a message."""
    state = tables.recipient_state.c
    connection.execute(tables.recipient_state.delete().where(state.recipient == recipient, state.aside_since.is_(None)))
