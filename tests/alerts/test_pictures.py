"""Pictures of messages for docs/images, made on demand: STORYWATCH_SHOTS=1 pytest tests/alerts/test_pictures.py.

The mail is our HTML as it is. Slack draws its messages itself: here their blocks are drawn plainly, as text with links.
"""

from __future__ import annotations

import html as markup
import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.digest import message, story
from alerts.render import html, plain, slack
from alerts.values import Blind, Coverage, DeliveryKind, Digest, Kind, Links, Recipient, Why
from tests.alerts.house import answer, at, event
from tests.fakes import browser as browsers

IMAGES = Path(__file__).parent.parent.parent / "docs" / "images"
PAGE = "https://watch.newsroom.example"
LEAD = "Officials have asked Serbia and several of its neighbours to take in people whom no other country accepts."
pytestmark = pytest.mark.skipif(os.environ.get("STORYWATCH_SHOTS") != "1", reason="pictures are made on demand")


def shown() -> Digest:
    """An invented story whose government has just answered, two days after it was asked."""
    wire = {"outlet_name": "Meridian Wire", "title": "US presses Serbia to accept deportees", "lead": LEAD}
    asked = {"government": "US", "government_name": "United States", "body": "president", "office": "White House"}
    serbia = {"government": "RS", "government_name": "Serbia", "body": "foreign ministry", "office": "Foreign Ministry"}
    named = {
        "glasnik.example": ("Novi Glasnik", "SAD traže od Srbije da primi deportovane", "sr"),
        "novine.example": ("Дунавске новине", "Вашингтон тражи пријем депортованих", "sr"),
        "zorile.example": ("Zorile", "Washingtonul cere Serbiei să primească migranți", "ro"),
    }
    earlier, today = at("09:00") - timedelta(days=2), at("12:46")
    told = [
        event(Kind.NEW_STORY, earlier, "meridian.example", mention=wire, own_reporting=True),
        event(Kind.NON_ANSWER, earlier, "meridian.example", mention=wire, answer=answer("declined", **asked)),
        event(Kind.NON_ANSWER, earlier, "meridian.example", mention=wire, answer=answer("no_reply", **serbia)),
    ]
    for n, (outlet, (name, title, language)) in enumerate(named.items(), 1):
        where = {"outlet_name": name, "title": title, "language": language}
        told.append(
            event(Kind.NEW_OUTLET, earlier + timedelta(hours=n), outlet, mention=where, chain=("Meridian Wire",))
        )
    told.append(event(Kind.COPY, earlier + timedelta(hours=5), "mirror.example", copy_of="meridian.example"))
    said = answer("refused", quote="„Србија неће примати мигранте из трећих земаља“, рекли су у министарству.")
    radio = {"outlet_name": "Радио Отворени етар", "title": "Министарство: нећемо примати мигранте", "language": "sr"}
    fresh = [
        event(
            Kind.SILENCE_BROKEN,
            today,
            "etar.example",
            mention=radio,
            answer=answer("refused", quote=said.quote, language="sr", asked_by=("Meridian Wire",), **serbia),
            own_reporting=True,
        ),
        event(
            Kind.NEW_OUTLET,
            today - timedelta(minutes=20),
            "adriatico.example",
            mention={"outlet_name": "Adriatico Oggi", "title": "Deportati, il piano per i Balcani", "language": "it"},
            chain=("Novi Glasnik", "Meridian Wire"),
        ),
    ]
    why = Why("balkan-deportees", "Balkan deportees", (("deportees", "title"), ("Serbia", "title")))
    told, fresh = [replace(one, why=why) for one in told], [replace(one, why=why) for one in fresh]
    part = story.part("st_7q2m4x", [*told, *fresh], fresh, story.Told(earlier + timedelta(hours=4), 3))
    ana = Recipient("lawyers", "ana@desk.example", timezone="Europe/Belgrade")
    links = Links(f"{PAGE}/story/st_7q2m4x", f"{PAGE}/m/x", f"{PAGE}/w/x", f"{PAGE}/story/st_7q2m4x#why", f"{PAGE}/s/x")
    seen = Coverage(41, 43, (Blind("dnevnik.example", at("04:10"), "http_503"),), timedelta(minutes=31))
    envelope = message.Envelope(ana, "dlv_01KV0011602BKT2YN63F471MZX", at("12:47"), seen, 7, ("harbour",), links)
    return message.prompt(envelope, replace(part, page=links.story))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsers.chromium() as running:
        yield running


def shot(browser: Any, content: str, name: str, scheme: str = "light", width: int = 680) -> None:
    page = browser.new_page(viewport={"width": width, "height": 100}, color_scheme=scheme)
    page.set_content(content)
    page.screenshot(path=IMAGES / f"{name}.png", full_page=True)
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_mail_is_pictured(browser: Any, scheme: str) -> None:
    shot(browser, html.page(shown()), f"digest-{scheme}", scheme)


def test_the_terminal_is_pictured(browser: Any) -> None:
    colours = {"1": "font-weight:bold", "1;31": "font-weight:bold;color:#ff7b72", "2": "color:#8b949e"}
    text = markup.escape(plain.text(shown(), colour=True), quote=False)
    text = re.sub(r"\x1b\[([\d;]+)m(.*?)\x1b\[0m", lambda m: f'<span style="{colours[m[1]]}">{m[2]}</span>', text)
    style = "margin:0;padding:16px;background:#0d1117;color:#e6edf3;font:14px/1.4 monospace"
    shot(browser, f'<body style="margin:0;background:#0d1117"><pre style="{style}">{text}</pre>', "digest-terminal")


def test_slack_is_pictured(browser: Any) -> None:
    blocks = json.loads(slack.message(shown(), DeliveryKind.REPLY))["blocks"]
    style = "margin:16px;font:15px/1.45 sans-serif;color:#1d1c1d"
    shot(browser, f'<body style="{style}">' + "".join(map(drawn, blocks)), "digest-slack")


def drawn(block: dict[str, Any]) -> str:
    """Draw one block."""
    match block["type"]:
        case "header":
            return f'<h2 style="margin:4px 0;font-size:18px">{markup.escape(block["text"]["text"])}</h2>'
        case "section":
            return f'<p style="margin:8px 0">{mrkdwn(block["text"]["text"])}</p>'
        case "context":
            said = "".join(mrkdwn(one["text"]) for one in block["elements"])
            return f'<p style="margin:6px 0;font-size:12px;color:#616061">{said}</p>'
    style = "border:1px solid #bbb;border-radius:4px;padding:4px 12px;margin-right:8px;font-weight:bold;font-size:13px"
    return "".join(f'<span style="{style}">{one["text"]["text"]}</span>' for one in block["elements"])


def mrkdwn(text: str) -> str:
    """Draw Slack's marks: times, links, bold, italics; its text is escaped already."""
    text = re.sub(r"<!date\^\d+\^[^|]*\|([^>]*)>", r"\1", text)
    text = re.sub(r"<(https?://[^|>]*)\|([^>]*)>", r'<a style="color:#1264a3;text-decoration:none">\2</a>', text)
    text = re.sub(r"\*([^*\n]+)\*", r"<b>\1</b>", text)
    text = re.sub(r"(?<!\w)_([^_\n]+)_(?!\w)", r"<i>\1</i>", text)
    return text.replace(":new:", "NEW").replace("\n", "<br>")
