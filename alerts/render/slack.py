"""A digest as Block Kit, inside Slack's limits with room to spare. Pure.

Sections are packed line by line and a line is never cut inside a link or quote. Foreign text is escaped, so that
nothing in it can mention anybody. Source: https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from alerts.render import own, words
from alerts.values import DeliveryKind, Digest, DigestForm, Event, NonAnswers, StoryPart

MOST_BLOCKS = 45
SECTION = 2900
BUDGET = 10_000
HEADER = 150
CONTEXT = 1900
TEXT = 3000
QUOTE = 400
STORY_LINES = 3

Block = dict[str, Any]


def message(digest: Digest, kind: DeliveryKind, template: own.Template | None = None) -> bytes:
    """Write the message, a single story by a template where there is one.

    Long stories are cut line by line until blocks and characters fit; a template that stays too long is left aside.
    """
    for layout in dict.fromkeys((template, None)):
        for most in (60, 30, 20, 14, 10, 7, 5, 3, 2, 1):
            blocks = _blocks(digest, most, layout)
            if len(blocks) <= MOST_BLOCKS and _size(blocks) <= BUDGET:
                return _body(digest, kind, blocks)
    return compact(digest, kind)


def compact(digest: Digest, kind: DeliveryKind) -> bytes:
    """Write the message as text alone."""
    return _body(digest, kind, [])


def _size(blocks: Sequence[Block]) -> int:
    return len(json.dumps(list(blocks), ensure_ascii=False, separators=(",", ":")))


def _body(digest: Digest, kind: DeliveryKind, blocks: list[Block]) -> bytes:
    text = escape(words.clean(digest.subject, 300))
    if not blocks:
        addresses = [address for part in digest.stories[:5] for address in (words.link(part.lead_url),) if address]
        text = "\n".join([text, *(escape(address) for address in addresses)])[:TEXT]
    body: dict[str, Any] = {
        "text": text,
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": {
            "event_type": "storywatch_delivery",
            "event_payload": {
                "delivery_id": digest.delivery_id,
                "story_id": digest.stories[0].group if digest.stories else "",
                "kind": kind,
                "rev": digest.config_rev,
            },
        },
    }
    if blocks:
        body["blocks"] = blocks
    if kind is DeliveryKind.REPLY and digest.urgent:
        body["reply_broadcast"] = True
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def escape(text: str) -> str:
    """Escape the three characters that mean something in Slack's text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def safe(text: str, length: int) -> str:
    """Clean a foreign text and take away what Slack reads as formatting or a mention."""
    cleaned = words.clean(text, length)
    for mark, instead in (("*", "∗"), ("~", "∼"), ("`", "'")):
        cleaned = cleaned.replace(mark, instead)
    return escape(cleaned)


def link(url: str | None, label: str) -> str:
    """Link a label, or show the bare label when the address is not safe."""
    address = words.link(url)
    if address is None:
        return label
    address = escape(address).replace("|", "%7C").replace(" ", "%20")
    return f"<{address}|{label.replace('|', '¦')}>"


def moment(at: datetime, times: words.Clock) -> str:
    """Write a time that each reader sees in their own zone."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{times.day(at)}>"


def _blocks(digest: Digest, most: int, template: own.Template | None) -> list[Block]:
    times = words.Clock(digest.recipient.timezone, digest.made_at)
    blocks: list[Block] = []
    seen = digest.coverage
    if seen is not None and seen.partly_blind:
        blocks.append(_section([f"*PARTLY BLIND.* {escape(words.coverage(seen, times))}"]))
    if digest.notes:
        blocks.append(_section([f"_{safe(note, 300)}_" for note in digest.notes[:5]]))
    if digest.form is DigestForm.OPERATOR:
        blocks += _operator(digest, most)
    elif digest.form is DigestForm.PROMPT and len(digest.stories) == 1:
        part = digest.stories[0]
        written, shown = own.choose(template, part, digest, times, most, functools.partial(safe, length=words.QUOTE))
        if written is None:
            blocks += _story(shown, digest, times, most)
        else:
            blocks += [*_packed(written.split("\n")), *_actions(part, digest)]
    else:
        blocks += _many(digest, times, most)
    return [*blocks, _foot(digest, times)]


def _story(part: StoryPart, digest: Digest, times: words.Clock, most: int) -> list[Block]:
    title = words.clean(part.headline, HEADER).replace("<", "‹").replace(">", "›") or part.group
    blocks: list[Block] = [{"type": "header", "text": {"type": "plain_text", "text": title[:HEADER], "emoji": False}}]
    blocks.append(_context(f"{escape(words.counts(part, times))} · message {part.number}"))
    if part.notes:
        blocks.append(_section([f"_{safe(note, 300)}_" for note in part.notes[:5]]))
    if part.lead:
        where = link(part.lead_url, safe(part.lead_outlet, 60) or "source")
        blocks.append(_section([f"{safe(words.quoted(part.lead, words.LEAD), words.LEAD + 2)} {where}"]))
    fresh = words.news_events(part)
    if fresh:
        rows = [_news(event, part, times) for event in fresh[:most]]
        blocks.append(_listed(f"*{words.since(part, times)}*", rows, len(fresh) - len(rows)))
    if part.copies_new:
        copies = words.listed([safe(name, 60) for name in part.copies_new], 10)
        blocks.append(_section([f"Copies of known texts: {copies}"]))
    if part.answers:
        rows = [_answer(event, part, times) for event in part.answers[:most]]
        blocks.append(_listed("*Governments*", rows, len(part.answers) - len(rows)))
    else:
        blocks.append(_section(["*Governments:* none has answered."]))
    if part.non_answers:
        rows = [_silent(silent) for silent in part.non_answers[:most]]
        blocks.append(_listed("*Asked, no answer* (not a response)", rows, len(part.non_answers) - len(rows)))
    cited = words.citations(part)
    if cited:
        rows = ["• " + " → ".join(safe(name, 900) for name in chain) for chain in cited[:most]]
        blocks.append(_listed("*Who cites whom*", rows, len(cited) - len(rows)))
    blocks += _actions(part, digest)
    blocks.append(_context(f"Why you: {safe(words.why(part), 600)}"))
    return blocks


def _silent(silent: NonAnswers) -> str:
    return f"• *{safe(words.silent_body(silent), 120)}* - {safe(words.silence(silent), 600)}"


def _news(event: Event, part: StoryPart, times: words.Clock) -> str:
    mention = event.mention
    if mention is None:
        return f"• {safe(words.news(event, times), 300)}"
    title = mention.title if mention.title and mention.title != part.headline else ""
    label = f"{words.outlet(event)}: {title}" if title else words.outlet(event)
    said = safe(words.news(event, times), 300)
    return f"• {moment(words.when(event), times)} {link(mention.url, safe(label, 180))} ({said})"


def _answer(event: Event, part: StoryPart, times: words.Clock) -> str:
    answer = event.answer
    assert answer is not None
    new = ":new: " if words.is_new(event, part) else ""
    quote = f" {safe(words.quoted(answer.quote, QUOTE), QUOTE + 2)}" if answer.quote else ""
    where = link(event.mention.url if event.mention else None, safe(words.outlet(event), 60))
    said = safe(words.stance(event), 200)
    return f"• {new}*{safe(words.speaker(event), 140)}*: {said}{quote} ({where}, {moment(words.when(event), times)})"


def _many(digest: Digest, times: words.Clock, most: int) -> list[Block]:
    """Write a planned digest: three lines a story, packed into few sections."""
    lines = [f"*{safe(digest.subject, 300)}*", *(_brief(part, times) for part in digest.stories[: most * 2])]
    left = len(digest.stories) - most * 2
    tail = [f"• {_line(part)}" for part in digest.more[:most]]
    if digest.more:
        tail.insert(0, "*Also*")
    more = max(left, 0) + max(len(digest.more) - most, 0)
    return _packed([*lines, *tail, *([f"+{more} more"] if more else [])])


def _brief(part: StoryPart, times: words.Clock) -> str:
    told = " _(told already)_" if part.told else ""
    lines = [f"*{link(part.lead_url, safe(part.headline, 150))}*{told}", escape(words.counts(part, times))]
    answers = [event for event in part.answers if words.is_new(event, part)]
    lines += [_answer(event, part, times) for event in answers[:STORY_LINES]]
    lines += [_news(event, part, times) for event in words.news_events(part)[:STORY_LINES]]
    lines += [f"_{safe(note, 300)}_" for note in part.notes[:2]]
    if not part.answers and part.non_answers:
        silent = [safe(words.silent_body(one), 60) for one in part.non_answers]
        lines.append(f"Asked, no answer: {words.listed(silent, 4)}")
    return "\n".join(lines)


def _line(part: StoryPart) -> str:
    return f"{link(part.lead_url, safe(part.headline, 100))} - {words.count(part.outlets, 'outlet')}"


def _operator(digest: Digest, most: int) -> list[Block]:
    lines = [f"*{safe(digest.subject, 300)}*"]
    for event in digest.events[:most]:
        said, facts = words.report(event)
        rest = ", ".join(f"{safe(name, 40)}: {safe(value, 200)}" for name, value in facts)
        lines.append(f"• {safe(said, 400)}" + (f" ({rest})" if rest else ""))
    left = len(digest.events) - most
    return _packed([*lines, *([f"+{left} more"] if left > 0 else [])])


def _listed(head: str, rows: Sequence[str], left: int = 0) -> Block:
    """Pack rows into one section: as many as fit, then how many are left out; `left` are missing already."""
    lines, used = [head], len(head)
    for row in rows:
        if used + len(row) > SECTION - 40:
            break
        lines.append(row)
        used += len(row) + 1
    left += len(rows) - (len(lines) - 1)
    return _section([*lines, *([f"+{left} more on the story page"] if left else [])])


def _packed(chunks: Iterable[str]) -> list[Block]:
    """Pack chunks of lines into sections, none of which is cut inside a chunk that fits."""
    blocks: list[Block] = []
    lines: list[str] = []
    for chunk in chunks:
        if lines and sum(len(line) + 1 for line in lines) + len(chunk) > SECTION:
            blocks.append(_section(lines))
            lines = []
        lines.append(chunk if len(chunk) <= SECTION else _whole_lines(chunk))
    return [*blocks, _section(lines)] if lines else blocks


def _whole_lines(chunk: str) -> str:
    kept, used = [], 0
    for line in chunk.split("\n"):
        if used + len(line) + 1 > SECTION:
            break
        kept.append(line)
        used += len(line) + 1
    return "\n".join(kept)


def _section(lines: Sequence[str]) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": "\n".join(lines), "verbatim": True}}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text[:CONTEXT], "verbatim": True}]}


def _actions(part: StoryPart, digest: Digest) -> list[Block]:
    """Write the buttons; unsubscribing is a matter of mail, in Slack people leave the channel."""
    named = [(name, url) for name, url in words.actions(part, digest.links) if name != "Unsubscribe"]
    if digest.links is not None and digest.links.why:
        named.append(("Why?", digest.links.why))
    buttons = [{"type": "button", "text": {"type": "plain_text", "text": name}, "url": url} for name, url in named]
    return [{"type": "actions", "elements": buttons}] if buttons else []


def _foot(digest: Digest, times: words.Clock) -> Block:
    seen = f"{escape(words.coverage(digest.coverage, times))} · " if digest.coverage is not None else ""
    mute = ""
    has_button = digest.links is not None and digest.links.mute
    if not has_button and digest.form is DigestForm.PROMPT and digest.stories:
        mute = f" · mute: `{escape(words.mute_command(digest.stories[0]))}`"
    return _context(f"{seen}{digest.delivery_id}{mute}")
