"""The note on a recipient's week: what made most of its messages, and what less of it would have saved."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alerts.digest import week
from alerts.values import Event, Kind, Why
from tests.alerts.house import MONDAY, House, answer, at, event


def told(outlet: str, kind: Kind = Kind.NEW_OUTLET, term: str = "strike") -> Event:
    said = answer() if kind is Kind.RESPONSE else None
    return event(kind, at("10:00"), outlet, answer=said, why=Why("harbour", "Harbour", ((term, "title"),)))


A, B, C = (told(f"{name}.example") for name in ("gazette", "courier", "radio"))
WEEKS: dict[str, tuple[Sequence[Sequence[Event]], dict[str, str | None]]] = {
    "an outlet that made most messages alone": (
        [[A], [A], [A, B], [C]],
        {"most by outlet": "Gazette: in 3 of 4; without it 2 fewer (leave it out with exclude, or silence it)"},
    ),
    "an outlet that came only with others saves nothing": ([[A, B], [A, C]], {"most by outlet": "Gazette: in 2 of 2"}),
    "a part in few messages is not named": (
        [[told(f"p{n}.example", term=f"t{n}")] for n in range(4)],
        {"most by outlet": None, "most by term": None},
    ),
    "what only rides along is not counted": (
        [[A, told("b.example", Kind.NON_ANSWER)]],
        {"message": "Your week: 1 message on 1 story"},
    ),
}


@pytest.mark.parametrize(("messages", "wanted"), WEEKS.values(), ids=WEEKS.keys())
def test_a_week_is_summed_up(messages: Sequence[Sequence[Event]], wanted: dict[str, str | None]) -> None:
    made = week.note("w", messages, at("10:00"), 7)
    assert made is not None
    facts = dict(made.facts)
    assert {name: facts.get(name) for name in wanted} == wanted


def test_a_week_without_a_message_is_not_spoken_of() -> None:
    assert week.note("w", [], at("10:00"), 7) is None


async def test_the_note_comes_on_monday_at_nine_by_the_readers_clock_and_once(
    engine: sa.Engine, tmp_path: Path
) -> None:
    desk: dict[str, Any] = {"type": "folder", "path": str(tmp_path / "out")}
    desk["recipients"] = [{"weekly_note": True, "timezone": "Europe/Belgrade"}]
    made = House(engine, {"channels": {"desk": desk}}, now=at("10:00"))
    made.put(event(Kind.NEW_STORY, at("10:00")))
    await made.until(MONDAY + timedelta(days=7, hours=6, minutes=59))
    assert len(made.rows()) == 1
    await made.until(MONDAY + timedelta(days=15))
    note = made.rows()[-1]
    assert len(made.rows()) == 2  # nothing was told in the second week
    assert f"{note.created_at:%a %H:%M}" == "Mon 07:00"
    assert note.subject == "[storywatch] Your week: 1 message on 1 story"
    text = json.loads(made.body(note))
    assert "most by outlet: Gazette: in 1 of 1" in text[".txt"]
    assert json.loads(text[".json"])["type"] == "digest.week"


async def test_nobody_gets_a_note_who_did_not_ask_for_it(engine: sa.Engine, tmp_path: Path) -> None:
    made = House(engine, {"channels": {"desk": {"type": "folder", "path": str(tmp_path)}}}, now=at("10:00"))
    made.put(event(Kind.NEW_STORY, at("10:00")))
    await made.until(MONDAY + timedelta(days=8))
    assert len(made.rows()) == 1
