"""The first config.yaml of a new user: a commented text made of a few answers. Pure. Called by `storywatch init`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.config.vocabulary import PLACEHOLDER_CONTACT

CHANNELS = {
    "console": "  console: {type: stdout}\n",
    "folder": "  digests: {type: folder, path: digests}      # each digest as .txt, .html and .json\n",
    "slack": (
        "  desk:\n    type: slack\n    token: {env: SLACK_TOKEN}              # a bot's token; never the token itself\n"
        "    recipients: [{to: C0DESK00000}]         # the id of a Slack channel, from its details page\n"
    ),
    "email": (
        "  mail:\n    type: email\n"
        "    smtp: {host: mail.example.org, port: 465, tls: implicit, user: watch, password: {env: SMTP_PASSWORD}}\n"
        "    from: Story watch <watch@example.org>\n    recipients: [{to: desk@example.org}]\n"
    ),
    "webhook": ("  hook:\n    type: webhook\n    url: {env: WEBHOOK_URL}\n    secrets: [{env: WEBHOOK_KEY}]\n"),
}
"""What each kind of channel looks like; secrets are references, addresses are to be put in."""

_WORD = re.compile(r"[\w*~'-]+")
_NAME = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Answers:
    """What a new user was asked. `topics` are words, phrases or ~concepts: any of them is wanted."""

    topics: tuple[str, ...]
    languages: tuple[str, ...] = ()
    channels: tuple[str, ...] = ("console",)
    contact: str = PLACEHOLDER_CONTACT
    timezone: str = "UTC"


def text(answers: Answers, shipped: str) -> str:
    """Write the file; the feeds are those of the shipped one."""
    languages = f"    languages: [{', '.join(answers.languages)}]\n" if answers.languages else ""
    channels = "".join(CHANNELS[name] for name in answers.channels)
    return (
        "# yaml-language-server: $schema=./storywatch.schema.json\n"
        "# storywatch: what is polled, what is looked for, who is told. `storywatch check` says what is wrong here,\n"
        "# `storywatch backtest` what a change would have done. A running daemon takes the file up by itself.\n"
        "version: 1\n\n"
        "# Every server that is polled sees this: your own https page or mail address.\n"
        f"contact: {answers.contact}\n\n"
        f"timezone: {answers.timezone}\n\n"
        "watches:\n"
        f"  - name: {_name(answers.topics)}\n"
        f"{languages}"
        '    # Words and "phrases" joined by AND, OR, NOT, NEAR/8; deport* is a beginning, ~deportation a concept.\n'
        f"    query: |\n      {query(answers.topics)}\n\n"
        "channels:\n"
        f"{channels}\n"
        f"{_section(shipped, 'feeds')}"
    )


def query(topics: Sequence[str]) -> str:
    """Any of the topics; what is not one word is a phrase.

    >>> query(["~deportation", "third country"])
    '~deportation OR "third country"'
    """
    plain = (topic.replace('"', "").strip() for topic in topics)
    return " OR ".join(topic if _WORD.fullmatch(topic) else f'"{topic}"' for topic in plain if topic)


def _name(topics: Sequence[str]) -> str:
    """A name for the watch, of the letters a name may have."""
    return _NAME.sub("-", topics[0].lower()).strip("-")[:40].strip("-") or "first"


def _section(shipped: str, name: str) -> str:
    """The text of one section of the shipped file, its comments included."""
    found = re.search(rf"^{name}:\n(?:(?:[ #].*)?\n)*", shipped, re.MULTILINE)
    lines = found[0].rstrip().split("\n") if found else [f"{name}: []"]
    while lines and lines[-1].startswith("#"):  # the heading of the next section
        lines.pop()
    return "\n".join(lines).rstrip() + "\n"
