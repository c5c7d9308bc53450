"""The ledger of silence: rows, askers, forms, and what closes them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.detect import ledger
from monitor.values import Finding
from tests.monitor.detect.telling import TABLE, WEAK, Story, says

MFA = ("RS", "foreign ministry")


def silent(asker: str | None, stance: str = "no_reply", **more: object) -> Finding:
    return says(*MFA, stance, asker=asker, **more)  # type: ignore[arg-type]


def answers(stance: str = "denied", **more: object) -> Finding:
    return says(*MFA, stance, **more)  # type: ignore[arg-type]


def book(*entries: tuple[str, tuple[Finding, ...]]) -> tuple[ledger.Row, ...]:
    story = Story()
    for name, findings in entries:
        story.tells(name, *findings)
    return ledger.rows(story.facts, TABLE)


def short(rows: tuple[ledger.Row, ...]) -> list[str]:
    return [
        f"{row.asked_by or '-'} {row.form} x{len(row.entries)}"
        + (" partial" if row.partial else "")
        + (f" answered by {row.answered_by}" if row.answered_by else "")
        for row in rows
    ]


CASES: dict[str, tuple[list[tuple[str, tuple[Finding, ...]]], list[str]]] = {
    "one asker, told twice, is one row": (
        [("wire", (silent("wire"),)), ("daily", (silent("wire", hand="relay"),))],
        ["wire.example no_reply x2"],
    ),
    "two askers are two rows": (
        [("wire", (silent("wire", "declined"),)), ("agency", (silent("agency"),))],
        ["wire.example declined x1", "agency.example no_reply x1"],
    ),
    "an unknown asker joins the rows that are there": (
        [("wire", (silent("wire"),)), ("agency", (silent("agency"),)), ("daily", (silent(None, hand="relay"),))],
        ["wire.example no_reply x2", "agency.example no_reply x2"],
    ),
    "an unknown asker opens a row where there is none": ([("daily", (silent(None),))], ["- no_reply x1"]),
    "a known asker does not join an unknown one": (
        [("daily", (silent(None),)), ("wire", (silent("wire"),))],
        ["- no_reply x1", "wire.example no_reply x1"],
    ),
    "sister services ask as one": (
        [("radio-sr", (silent("radio-sr"),)), ("daily", (silent("radio-en", hand="relay"),))],
        ["radio no_reply x2"],
    ),
    "a softer relay does not weaken declined": (
        [("wire", (silent("wire", "declined"),)), ("daily", (silent("wire", hand="relay"),))],
        ["wire.example declined x2"],
    ),
    "the asker's own report decides the form": (
        [("daily", (silent("wire", "declined", hand="relay"),)), ("wire", (silent("wire"),))],
        ["wire.example no_reply x2"],
    ),
    "a relay that says declined outweighs one that says no reply": (
        [("daily", (silent("wire", hand="relay"),)), ("evening", (silent("wire", "declined", hand="relay"),))],
        ["wire.example declined x2"],
    ),
    "an answer closes all rows of its voice": (
        [("wire", (silent("wire"),)), ("agency", (silent("agency"),)), ("daily", (answers(),))],
        ["wire.example no_reply x1 answered by 3", "agency.example no_reply x1 answered by 3"],
    ),
    "only the first answer closes": (
        [("wire", (silent("wire"),)), ("daily", (answers(),)), ("evening", (answers("commented"),))],
        ["wire.example no_reply x1 answered by 2"],
    ),
    "a late relay of a closed row does not open it again": (
        [("wire", (silent("wire"),)), ("daily", (answers(),)), ("evening", (silent("wire", hand="relay"),))],
        ["wire.example no_reply x2 answered by 2"],
    ),
    "a refusal beside an answer is partial and stays": (
        [("wire", (answers("confirmed"), silent("wire", "declined"))), ("daily", (answers(),))],
        ["wire.example declined x1 partial"],
    ),
    "another voice of the same government closes nothing": (
        [("wire", (silent("wire"),)), ("daily", (says("RS", "head of state", "denied"),))],
        ["wire.example no_reply x1"],
    ),
    "head of government and government are one voice": (
        [
            ("wire", (says("RS", "government", "no_reply", asker="wire"),)),
            ("daily", (says("RS", "head of government", "denied"),)),
        ],
        ["wire.example no_reply x1 answered by 2"],
    ),
    "background and weak findings count for nothing": (
        [("wire", (silent("wire", background=True),)), ("daily", (silent("wire", certainty=WEAK),))],
        [],
    ),
    "background does not close": (
        [("wire", (silent("wire"),)), ("daily", (answers(background=True),))],
        ["wire.example no_reply x1"],
    ),
}


@pytest.mark.parametrize(("entries", "want"), CASES.values(), ids=CASES.keys())
def test_rows(entries: list[tuple[str, tuple[Finding, ...]]], want: list[str]) -> None:
    assert short(book(*entries)) == want


def test_a_copy_carries_no_row() -> None:
    story = Story()
    story.tells("wire", silent("wire"))
    story.tells("daily", silent("wire"), copy_of=1)
    assert short(ledger.rows(story.facts, TABLE)) == ["wire.example no_reply x1"]


def test_an_answer_older_than_the_question_does_not_close_it() -> None:
    story = Story()
    story.tells("wire", silent("wire"))
    story.tells("daily", answers(said=story.now - timedelta(days=3)))
    assert short(ledger.rows(story.facts, TABLE)) == ["wire.example no_reply x1"]


def test_rows_grow_old() -> None:
    story = Story()
    story.tells("wire", silent("wire"))
    (row,) = ledger.rows(story.facts, TABLE)
    assert row.is_open
    assert row.is_current(story.now + timedelta(days=13))
    assert not row.is_current(story.now + timedelta(days=15))


def test_a_row_keeps_the_office_as_first_named() -> None:
    (row,) = book(("wire", (silent("wire"),)))
    assert row.office == "the foreign ministry"
