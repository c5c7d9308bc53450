"""A newsroom's own layout of a story, and what happens where it fails."""

from __future__ import annotations

import email
import email.policy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import config
from alerts.render import mail, own, plain, slack
from alerts.values import DeliveryKind, Kind
from monitor.config import api
from tests.alerts.house import House, at, event
from tests.alerts.test_render import FRAME, HOSTILE, check_mail, check_slack, digest, everyday

DOCS = Path(__file__).parent.parent.parent / "docs" / "alerts.md"
TEXT = "STORY {{ headline }}\n{% for one in news %}\n{{ one.outlet }}: {{ one.title }}\n{% endfor %}"
FRAGILE = "{% if news|length > 2 %}{{ news[2].nothing }}{% endif %}STORY {{ headline }}"
"""Right for the stories of `check`, wrong for one with three outlets that are new."""


def folder(path: Path, **forms: str) -> dict[str, Any]:
    """A folder channel with templates."""
    names = {}
    for form, source in forms.items():
        names[form] = str(path / f"story.{form}")
        (path / f"story.{form}").write_text(source, encoding="utf-8")
    return {"channels": {"desk": {"type": "folder", "path": str(path / "out"), "templates": names}}}


def texts(made: House) -> list[str]:
    return [json.loads(made.body(row))[".txt"] for row in made.rows()]


async def test_a_template_writes_the_story_and_nothing_around_it(engine: sa.Engine, tmp_path: Path) -> None:
    made = House(engine, folder(tmp_path, text=TEXT, html="<p id=own>{{ headline }}</p>"), now=at("10:00"))
    made.put(event(Kind.NEW_STORY, at("10:00"), mention={"title": "Fish & <b>ships</b>"}))
    await made.until(at("10:10"))
    (text,) = texts(made)
    assert text.startswith("STORY Fish & <b>ships</b>\nGazette: Fish")
    assert "GOVERNMENTS" not in text
    assert made.rows()[0].delivery_id in text
    page = json.loads(made.body(made.rows()[0]))[".html"]
    assert "<p id=own>Fish &amp; &lt;b&gt;ships&lt;/b&gt;</p>" in page


async def test_a_template_that_fails_for_one_story_leaves_the_others_alone(engine: sa.Engine, tmp_path: Path) -> None:
    made = House(engine, folder(tmp_path, text=FRAGILE), now=at("10:00"))
    made.put(event(Kind.NEW_STORY, at("10:00"), story="st_fine"))
    made.put(event(Kind.NEW_STORY, at("10:01"), story="st_two"))
    for outlet in ("courier.example", "radio.example"):
        made.put(event(Kind.NEW_OUTLET, at("10:01"), outlet, story="st_two"))
    await made.until(at("10:20"))
    fine, two = sorted(texts(made), key=len)
    assert fine.startswith("STORY ")
    assert "the template story.text failed for this story" in " ".join(two.lower().split())
    assert "has no attribute 'nothing'" in " ".join(two.split())
    assert "GOVERNMENTS: none has answered." in two


WRONG = {
    "a name that is not there": ("{{ headlin }}", "line 1: 'headlin' is undefined"),
    "a tag that is not closed": ("a\n{% for x in news %}", "line 2"),
    "a loop over no list": ("\n\n{% for x in number %}{% endfor %}", "line 3: 'int' object is not iterable"),
    "nothing at all": ("{# nothing #}", "it wrote nothing"),
    "a way out of the sandbox": ("{{ headline.__class__.__mro__ }}", "unsafe"),
    "a text without end": ("{{ 'x' * 30000 }}", "it wrote more than 20,000 letters"),
}


@pytest.mark.parametrize(("source", "said"), WRONG.values(), ids=WRONG.keys())
def test_check_names_the_template_and_the_line_that_fails(source: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "story.txt").write_text(source)
    file = f"channels:\n  desk: {{type: stdout, templates: {{text: {tmp_path / 'story.txt'}}}}}\n"
    (found,) = [one for one in api.check_text(file, {}) if one.code == "E080"]
    assert said in found.message
    assert (found.line, found.severity) == (2, "error")
    raw = {"channels": {"desk": {"type": "stdout", "templates": {"text": str(tmp_path / "story.txt")}}}}
    channel = config.from_raw(raw).build_channels()["desk"]
    shown = channel.render(digest(everyday()), first=True).body.decode()
    assert "this is the built-in layout" in " ".join(shown.split())
    assert "GOVERNMENTS" in shown


@pytest.mark.parametrize("name", ["missing.txt", "", "latin.txt"])
def test_a_template_that_cannot_be_read_is_said(name: str, tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes(b"\xff{{ headline }}")
    raw = {"channels": {"desk": {"type": "stdout", "templates": {"text": str(tmp_path / name)}}}}
    assert [one.code for one in config.problems(raw)] == ["E080"]


def test_a_form_that_a_channel_does_not_make_is_refused() -> None:
    raw = {"channels": {"desk": {"type": "stdout", "templates": {"html": "story.html"}}}}
    assert [one.path for one in config.problems(raw)] == [("channels", "desk", "templates", "html")]


def test_the_example_of_the_documentation_works() -> None:
    (source,) = re.findall(r"```jinja\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    shown = plain.text(digest(everyday()), template=own.Template(own.Form.TEXT, "docs", source))
    assert "failed" not in shown
    assert "REFUSED" in shown


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_stay_texts_in_a_template(text: str) -> None:
    page = "<h1>{{ headline }}</h1>{% for one in news %}<a href='{{ one.url }}'>{{ one.title }}</a>{% endfor %}"
    mrkdwn = "*{{ headline }}*\n{% for one in news %}{{ one.outlet }} {{ one.title }}\n{% endfor %}"
    shown = digest(
        [event(Kind.NEW_STORY, at("09:00"), mention={"title": text, "lead": text, "outlet_name": text[:40]})]
    )
    templates = own.Templates(own.Template(own.Form.TEXT, "t", TEXT), own.Template(own.Form.HTML, "h", page))
    check_slack(slack.message(shown, DeliveryKind.ROOT, own.Template(own.Form.SLACK, "s", mrkdwn)))
    check_mail(mail.both(shown, FRAME, templates)[0])
    written = plain.text(shown, template=templates.text)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", written)


def test_a_story_that_is_too_long_for_slack_in_its_template_is_written_in_the_built_in_layout() -> None:
    long = own.Template(own.Form.SLACK, "long", "{% for n in range(400) %}{{ why }}, {% endfor %}")
    body = json.loads(slack.message(digest(everyday()), DeliveryKind.FLAT, long))
    assert len(json.dumps(body["blocks"])) < 13_000


def test_a_mail_has_both_forms_from_its_templates(tmp_path: Path) -> None:
    (tmp_path / "t").write_text(TEXT)
    (tmp_path / "h").write_text("<p>OWN {{ headline }}</p>")
    channel = {
        "type": "email",
        "smtp": {"host": "127.0.0.1", "tls": "none"},
        "from": "w@desk.example",
        "recipients": [{"to": "ana@desk.example"}],
        "templates": {"text": str(tmp_path / "t"), "html": str(tmp_path / "h")},
    }
    built = config.from_raw({"channels": {"mail": channel}}).build_channels()["mail"]
    mail = email.message_from_bytes(built.render(digest(everyday()), first=True).body, policy=email.policy.default)
    text, page = (part.get_content() for part in mail.iter_parts())  # type: ignore[attr-defined]
    assert text.startswith("STORY")
    assert "<p>OWN" in page
