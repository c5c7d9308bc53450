"""What people receive, and what hostile texts cannot do to it. slack_sdk and the mail parser are the judges."""

from __future__ import annotations

import email
import email.policy
import json
import os
import random
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from alerts.digest import message, story
from alerts.render import html, mail, plain, slack, webhook, words
from alerts.values import Blind, Coverage, DeliveryKind, Digest, Event, Kind, Recipient, Why
from tests.alerts.house import answer, at, event
from tests.fakes.slack import PING, fault_of

FRAME = mail.Frame("Story watch <watch@desk.example>", "bounce@desk.example", "desk.example")
ANA = Recipient("lawyers", "ana@desk.example", timezone="Europe/Belgrade")
HOSTILE = (
    "<!channel> <@U1ABC> </a><script>alert(1)</script> & | *bold* `code`",
    "line one\r\nBcc: victim@x.example\r\n\r\nbody",
    "\u202eright to left\u202c and \u2066isolated\u2069",
    "</title></h1><img src=x onerror=1>\"'",
    "nul \x00 and bell \x07 and escape \x1b[31mred",
    "Serbien: „Nein“ — каже Влада 🇷🇸",
    "{{ 7*7 }} ${jndi:ldap://x} %s %(x)s",
    "=?utf-8?q?encoded?= <x@y>",
    "x" * 20_000,
    "word " * 10_000,
    "",
    "\ud800 half a pair",
)


def digest(events: Sequence[Event], fresh: Sequence[Event] | None = None, told: int = 0, **changes: Any) -> Digest:
    """The message about a story of these events."""
    since = at("09:00") if told else None
    part = story.part("st_harbour", events, events if fresh is None else fresh, story.Told(since, told))
    seen = Coverage(41, 43, (Blind("slow.example", at("04:10"), "503"),), timedelta(minutes=31))
    envelope = message.Envelope(ANA, "dlv_01KV0011602BKT2YN63F471MZX", at("12:00"), seen, 7, ("harbour",))
    return replace(message.prompt(envelope, part), **changes)


def everyday() -> list[Event]:
    """A story with outlets, a citation, non-answers of one office to two askers, and an answer."""
    return [
        event(Kind.NEW_STORY, at("07:12"), "gazette.example", chain=("Wire One",), origin_name="Wire One"),
        event(Kind.NON_ANSWER, at("07:12"), "gazette.example", answer=answer("no_reply", asker_name="Wire Two")),
        event(Kind.COPY, at("08:00"), "mirror.example", copy_of="gazette.example"),
        event(
            Kind.NEW_OUTLET,
            at("09:40"),
            "courier.example",
            chain=("Agency", "Wire One"),
            origin="known",
            origin_name="Wire One",
        ),
        event(Kind.NON_ANSWER, at("09:40"), "courier.example", answer=answer("declined", asker_name="Wire One")),
        event(
            Kind.RESPONSE,
            at("09:50"),
            "radio.example",
            answer=answer("refused", "SE", quote="Vi säger nej.", language="sv"),
        ),
    ]


def texts(shown: Digest) -> dict[str, str]:
    """The digest in every rendering, decoded."""
    return {
        "plain": plain.text(shown),
        "html": html.page(shown),
        "slack": slack.message(shown, DeliveryKind.ROOT).decode(),
        "webhook": webhook.body(shown).decode(),
    }


@pytest.mark.parametrize("rendering", ["plain", "html", "slack", "webhook"])
def test_every_rendering_tells_the_same_facts(rendering: str) -> None:
    text = texts(digest(everyday()))[rendering]
    for fact in ("gazette.example reports on the harbour strike", "Courier", "Agency", "Wire Two", "Vi säger nej."):
        assert fact in text
    for fact in ("declined", "refused", "slow.example"):
        assert fact in text.lower()


def test_one_office_asked_by_two_outlets_stays_two_facts() -> None:
    text = " ".join(plain.text(digest(everyday())).split())
    assert "no immediate reply (asked by Wire Two, in Gazette)" in text
    assert "Declined to comment (asked by Wire One, in Courier)" in text
    assert text.index("ASKED, NO ANSWER (not a response)") > text.index("GOVERNMENTS")


def test_outlets_that_cite_the_same_source_stand_on_one_line() -> None:
    names = ("gazette", "courier", "herald")
    events = [event(Kind.NEW_OUTLET, at("09:00"), f"{name}.example", chain=("Wire One",)) for name in names]
    relayed = event(Kind.NEW_OUTLET, at("09:30"), "mirror.example", chain=("Gazette", "Wire One"))
    text = plain.text(digest([*events, relayed]))
    assert "  Gazette, Courier, Herald <- Wire One\n  Mirror <- Gazette <- Wire One\n" in text


def test_what_one_entry_raised_stands_once_among_the_earlier_facts() -> None:
    entry = "radio-1"
    answered = [
        event(Kind.SILENCE_BROKEN, at("09:00"), "radio.example", entry=entry, answer=answer()),
        event(Kind.RESPONSE, at("09:00"), "radio.example", entry=entry, answer=answer()),
        event(Kind.NEW_OUTLET, at("09:00"), "radio.example", entry=entry),
        event(Kind.SPIKE, at("09:00"), "radio.example", entry=entry),
        event(Kind.RESPONSE, at("09:00"), "radio.example", entry=entry, answer=answer(government="SE")),
    ]
    later = event(Kind.NEW_OUTLET, at("10:00"), "courier.example")
    text = plain.text(digest([*answered, later], [later], told=1))
    before = text[text.index("BEFORE") : text.index("WHY YOU")]
    assert [line.partition("Radio: ")[2] for line in before.splitlines()[1:] if line] == [
        "Norway, Foreign ministry: DENIED",
        "Sweden, Foreign ministry: DENIED",
    ]


def test_a_story_without_an_answer_says_so() -> None:
    text = plain.text(digest(everyday()[:5]))
    assert "GOVERNMENTS: none has answered." in text


def test_the_heading_names_the_last_message_of_this_reader() -> None:
    events = everyday()
    assert "FIRST MESSAGE ON THIS STORY" in plain.text(digest(events))
    assert "NEW SINCE 15 JUN 11:00" in plain.text(digest(events, events[3:], told=1))


SUBJECTS = {
    "a first report": ((0,), "[harbour] gazette.example reports on the harbour strike - new story"),
    "a new outlet": ((3,), "[harbour] gazette.example reports on the harbour strike - new outlet: Courier"),
    "an answer": ((3, 5), "[harbour] gazette.example reports on the harbour strike - SE refused"),
}


@pytest.mark.parametrize(("fresh", "wanted"), SUBJECTS.values(), ids=SUBJECTS.keys())
def test_the_subject_says_what_is_new(fresh: tuple[int, ...], wanted: str) -> None:
    events = everyday()
    shown = digest(events, [events[n] for n in fresh])
    assert shown.subject.replace("Sweden", "SE") == wanted


# ------------------------------------------------------------------------------------------------------ hostility


def hostile(text: str, url: str = "https://a.example/1") -> Digest:
    """A digest in which every foreign text is the given one."""
    said = answer(quote=text, office=text, asker_name=text)
    events = [
        replace(one, chain=(text,), origin_name=text, why=Why("harbour", text, ((text, "title"),)))
        for one in (
            event(Kind.NEW_STORY, at("07:12"), mention={"title": text, "lead": text, "outlet_name": text, "url": url}),
            event(Kind.RESPONSE, at("08:12"), answer=said, mention={"title": text, "outlet_name": text, "url": url}),
            event(Kind.NON_ANSWER, at("08:20"), answer=replace(said, stance="declined", body="x")),
            event(
                Kind.CORRECTION, at("08:30"), facts=(("title_was", text), ("quote_gone", text), ("stance_new", text))
            ),
        )
    ]
    return digest(events, notes=(text,))


class Tags(HTMLParser):
    """The tags and link targets of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def check_slack(body: bytes) -> None:
    message_ = json.loads(body)
    blocks = message_.get("blocks", [])
    assert len(blocks) <= slack.MOST_BLOCKS
    assert len(json.dumps(blocks, ensure_ascii=False)) <= slack.BUDGET + 2000
    for block in Block.parse_all(blocks):
        block.validate_json()
    assert fault_of(message_ | {"channel": "C0DESK"}) is None
    assert not PING.search(json.dumps([message_["text"], blocks], ensure_ascii=False))


def check_mail(raw: bytes) -> None:
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    parsed = email.message_from_bytes(raw, policy=email.policy.SMTP)
    assert parsed["Bcc"] is None
    assert len(parsed.get_all("Subject", [])) == 1
    assert not parsed.defects
    page = parsed.get_body(("html",))
    assert page is not None
    assert len(page.get_content().encode("utf-8", "surrogateescape")) <= html.LIMIT + 200
    check_html(page.get_content())


def check_html(page: str) -> None:
    tags = Tags()
    tags.feed(page)
    assert not {"script", "img", "iframe", "object", "form"} & set(tags.tags)
    assert not tags.handlers
    assert all(link.startswith(("https://", "http://")) for link in tags.links)


def check(shown: Digest) -> None:
    for kind in (DeliveryKind.ROOT, DeliveryKind.REPLY, DeliveryKind.FLAT):
        check_slack(slack.message(shown, kind))
        check_slack(slack.compact(shown, kind))
    check_mail(mail.message(shown, FRAME))
    written = webhook.body(shown)
    assert len(written) <= webhook.LIMIT
    json.loads(written)
    text = plain.text(shown)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:20]))
def test_hostile_texts_stay_texts(text: str) -> None:
    check(hostile(text))


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=300), st.text(max_size=60))
def test_no_text_breaks_a_rendering(text: str, url: str) -> None:
    check(hostile(text, url))


def invented(seed: int) -> Digest:
    """A story made by dice: any kinds, any outlets, texts of every script and of bad intent, up to 60 events."""
    dice = random.Random(seed)
    kinds = [kind for kind in Kind if kind is not Kind.TEST]
    events = []
    for n in range(dice.randint(1, 60)):
        text = dice.choice((*HOSTILE, "Лучки радници у штрајку", "عمال الميناء", "Dock workers walk out"))[
            : dice.randint(0, 900)
        ]
        kind = dice.choice(kinds)
        said = answer(
            dice.choice(("denied", "refused", "declined", "no_reply")), quote=text, body=f"b{n % 7}", asker_name=text
        )
        spoken = kind in (Kind.RESPONSE, Kind.SILENCE_BROKEN, Kind.STANCE_CHANGE, Kind.NON_ANSWER, Kind.FURTHER_QUOTE)
        made = event(
            kind,
            at("07:00") + timedelta(minutes=n),
            f"paper{n}.example",
            answer=said if spoken else None,
            mention={
                "title": text,
                "lead": text,
                "outlet_name": text[:40],
                "language": dice.choice(("sr", "ar", "en", None)),
            },
        )
        events.append(replace(made, chain=(text,) * dice.randint(0, 5), facts=((text[:20], text),)))
    return digest(events, events[dice.randint(0, len(events) - 1) :], told=dice.randint(0, 1))


@pytest.mark.slow
def test_stories_made_by_dice_stay_inside_every_limit() -> None:
    for seed in range(int(os.environ.get("STORYWATCH_RENDERED", "150"))):
        check(invented(seed))


LINKS = {
    "a plain address": ("https://a.example/x?a=1&b=2#c", "https://a.example/x?a=1&b=2#c"),
    "javascript": ("javascript:alert(1)", None),
    "a user name in it": ("http://u:p@host.example/", None),
    "no real host": ("http://[::1]/", None),
    "no scheme": ("//a.example/", None),
    "a control character": ("https://a.example/\r\nx", None),
    "a quote in the path": ('https://a.example/"><b>', "https://a.example/%22%3E%3Cb%3E"),
    "a pipe": ("https://a.example/a|b", "https://a.example/a%7Cb"),
    "letters beyond ASCII": ("https://пример.example/вест", "https://xn--e1afmkfd.example/%D0%B2%D0%B5%D1%81%D1%82"),
    "data": ("data:text/html,x", None),
    "none at all": (None, None),
}


@pytest.mark.parametrize(("url", "wanted"), LINKS.values(), ids=LINKS.keys())
def test_only_safe_addresses_become_links(url: str | None, wanted: str | None) -> None:
    assert words.link(url) == wanted


def test_a_story_of_four_hundred_outlets_and_fifty_answers_fits() -> None:
    events = [event(Kind.NEW_OUTLET, at("07:00"), f"paper{n}.example", chain=(f"Wire {n}",)) for n in range(400)]
    events += [
        event(Kind.RESPONSE, at("08:00"), f"radio{n}.example", answer=answer("denied", f"G{n}", quote="No. " * 80))
        for n in range(50)
    ]
    shown = digest(events)
    check(shown)
    assert "+360 more" in plain.text(shown)
    body = slack.message(shown, DeliveryKind.ROOT).decode()
    assert "more on the story page" in body
    rows = int(re.findall(r"\+(\d+) more on the story page", body)[0]) + body.count("first time on this story")
    assert rows == 400


def test_a_mail_is_the_same_bytes_each_time_it_is_built() -> None:
    shown = digest(everyday())
    assert mail.message(shown, FRAME) == mail.message(shown, FRAME)


def test_a_mail_threads_by_story_and_says_that_it_is_automatic() -> None:
    parsed = email.message_from_bytes(mail.message(digest(everyday()), FRAME), policy=email.policy.SMTP)
    assert parsed["In-Reply-To"] == parsed["References"]
    assert "story.st_harbour" in parsed["References"]
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["List-Id"] == "<harbour.desk.example>"
    assert parsed["X-Delivery-Id"] == "dlv_01KV0011602BKT2YN63F471MZX"
    assert parsed["To"] == "ana@desk.example"


def test_quotes_carry_their_language_and_direction() -> None:
    events = everyday()
    arabic = event(Kind.RESPONSE, at("10:00"), answer=answer("denied", "EG", quote="لا تعليق", language="ar"))
    page = html.page(digest([*events, arabic]))
    assert 'lang="ar" dir="rtl"' in page
    assert 'lang="sv" dir="ltr"' in page
