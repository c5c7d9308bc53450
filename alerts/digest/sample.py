"""A made-up story told in full, for `test-alert` and for checking templates: invented outlets, real shape. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from alerts.values import AnswerSnapshot, Event, Kind, MentionSnapshot, Why

GROUP = "st_sample"
WATCH = "sample"


def events(now: datetime) -> tuple[Event, ...]:
    """Give the events of the story, the last one a few minutes old."""
    first, second, third = now - timedelta(hours=3), now - timedelta(hours=1), now - timedelta(minutes=4)
    why = Why(WATCH, "A sample watch", (("harbour", "title"), ("strike", "text")))
    gazette = _mention("1", "gazette.example", "The Gazette", "Harbour strike enters its third day", first)
    courier = _mention("2", "courier.example", "Courier", "Ministry says it will not meet the dockers", second)
    glas = _mention("3", "glas.example", "Глас", "Министарство одбило разговор са докерима", third, "sr")
    asked = _answer("no_reply", "The ministry did not immediately reply.", "en", "The Gazette")
    refused = _answer("refused", "„Нећемо преговарати“, рекли су у министарству.", "sr", None)
    return (
        Event("sample:1", Kind.NEW_STORY, WATCH, GROUP, first, gazette, why=why, origin="own", own_reporting=True),
        Event("sample:2", Kind.NON_ANSWER, WATCH, GROUP, first, gazette, asked, why),
        Event(
            "sample:3",
            Kind.NEW_OUTLET,
            WATCH,
            GROUP,
            second,
            courier,
            why=why,
            chain=("The Gazette",),
            origin="known",
            origin_name="The Gazette",
        ),
        Event("sample:4", Kind.SILENCE_BROKEN, WATCH, GROUP, third, glas, refused, why),
    )


def stories(now: datetime) -> dict[str, tuple[Event, ...]]:
    """Give three stories by what they are: one told in full, its first report alone, and one without names or links."""
    told = events(now)
    bare = MentionSnapshot("4", None, "", "", None, first_seen=now)
    return {
        "a story told in full": told,
        "a first report": told[:1],
        "a story without outlet, title and link": (Event("sample:5", Kind.NEW_STORY, WATCH, GROUP, now, bare),),
    }


def _mention(entry: str, outlet: str, name: str, title: str, seen: datetime, language: str = "en") -> MentionSnapshot:
    lead = "Dock workers walked out on Monday; the port authority speaks of forty ships at anchor."
    return MentionSnapshot(
        entry, outlet, name, title, f"https://{outlet}/{entry}", lead, None, None, language, seen, seen
    )


def _answer(stance: str, quote: str, language: str, asker: str | None) -> AnswerSnapshot:
    return AnswerSnapshot(
        government="ZZ",
        government_name="Sampleland",
        body="transport ministry",
        office="Ministry of Transport",
        stance=stance,
        quote=quote,
        language=language,
        asker_name=asker,
        asked_by=("The Gazette",) if stance == "refused" else (),
    )
