"""A digest as JSON for programs, at most 64 KiB. Pure. Fields are only ever added within schema 1."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from alerts.render import words
from alerts.values import Digest, DigestForm, Event, Kind, StoryPart

LIMIT = 64 * 1024
TYPES = {
    Kind.SILENCE_BROKEN: "story.silence_broken",
    Kind.STANCE_CHANGE: "story.stance_change",
    Kind.RESPONSE: "story.response",
    Kind.WITHDRAWN: "story.withdrawn",
    Kind.CORRECTION: "story.correction",
    Kind.NEW_STORY: "story.new",
    Kind.NEW_OUTLET: "story.new_outlet",
    Kind.SPIKE: "story.spike",
}
"""What a message is called, by the strongest of its new events."""


def body(digest: Digest) -> bytes:
    """Write the JSON; lists are cut, and say by how much, until it fits."""
    most = 400
    while True:
        written = _json(digest, most)
        if len(written) <= LIMIT or most == 0:
            return written
        most = most * 2 // 3 if most > 1 else 0


def compact(digest: Digest) -> bytes:
    """Write the JSON without any of its lists."""
    return _json(digest, 0)


def _json(digest: Digest, most: int) -> bytes:
    data = _data(digest, most)
    document = {"type": kind(digest), "timestamp": _time(digest.made_at), "data": data}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def kind(digest: Digest) -> str:
    """Name the message."""
    if digest.form is DigestForm.SCHEDULED:
        return "digest.scheduled"
    if any(event.kind is Kind.TEST for event in digest.events):
        return "test"
    if any(event.kind is Kind.WEEKLY_NOTE for event in digest.events):
        return "digest.week"
    if digest.form is DigestForm.OPERATOR:
        return "daemon.health"
    kinds = {event.kind for part in digest.stories for event in part.fresh}
    return next((name for kind_, name in TYPES.items() if kind_ in kinds), "story.update")


def _data(digest: Digest, most: int) -> dict[str, Any]:
    data: dict[str, Any] = {
        "schema": 1,
        "delivery_id": digest.delivery_id,
        "recipient": digest.recipient.to,
        "subject": words.clean(digest.subject, 300),
        "config_rev": digest.config_rev,
    }
    if digest.form is DigestForm.PROMPT and digest.stories:
        data |= _story(digest.stories[0], most)
    elif digest.stories or digest.more:
        parts = (*digest.stories, *digest.more)
        data["stories"] = [_story(part, max(most // 10, most and 1)) for part in parts[: max(most // 4, most and 1)]]
        if len(data["stories"]) < len(parts):
            data["truncated"] = len(parts) - len(data["stories"])
    else:
        data["events"] = [_event(event) for event in digest.events[: most or 1]]
    if digest.links is not None and digest.links.story:
        data["url"] = digest.links.story
    if digest.notes:
        data["notes"] = [words.clean(note, 400) for note in digest.notes[:20]]
    if digest.coverage is not None:
        seen = digest.coverage
        blind = [one.feed for one in seen.blind[:100]]
        data["coverage"] = {"healthy": seen.healthy, "feeds": seen.feeds, "blind": blind}
    return data


def _story(part: StoryPart, most: int) -> dict[str, Any]:
    silent = [event for body in part.non_answers for event in body.events]
    chains = [[words.clean(name, 60) for name in chain] for chain in part.chains[:most]]
    lists: dict[str, Sequence[Any]] = {
        "events": [_event(event) for event in part.fresh[:most]],
        "responses": [_answer(event) for event in part.answers[:most]],
        "non_answers": [_answer(event) for event in silent[:most]],
        "attributions": chains,
    }
    whole = {
        "events": len(part.fresh),
        "responses": len(part.answers),
        "non_answers": len(silent),
        "attributions": len(part.chains),
    }
    cut = sum(whole.values()) - sum(len(rows) for rows in lists.values())
    return {
        "watch": part.whys[0].watch if part.whys else None,
        "watches": [why.watch for why in part.whys],
        "story": {
            "id": part.group,
            "headline": words.clean(part.headline, words.TITLE),
            "language": part.language,
            "outlets": part.outlets,
            "origins": [words.clean(name, 60) for name in part.origins[:20]],
            "copies": part.copies,
            "first_seen": _time(part.first_seen),
            "message": part.number,
            "told": part.told,
        },
        **lists,
        "since": _time(part.since),
        "truncated": cut,
    }


def _event(event: Event) -> dict[str, Any]:
    mention = event.mention
    row: dict[str, Any] = {
        "kind": event.kind,
        "key": event.key,
        "watch": event.watch or None,
        "decided": _time(event.decided_at),
        "outlet": _outlet(event),
        "title": words.clean(mention.title, words.TITLE) if mention else None,
        "url": words.link(mention.url) if mention else None,
        "published": _time(mention.published) if mention else None,
        "first_seen": _time(mention.first_seen) if mention else None,
        "origin": event.origin,
        "origin_name": words.clean(event.origin_name, 60) if event.origin_name else None,
        "copy_of": words.clean(event.copy_of, 60) if event.copy_of else None,
    }
    if event.facts:
        row["facts"] = {words.clean(name, 40): words.clean(value, words.QUOTE) for name, value in event.facts[:20]}
    return {name: value for name, value in row.items() if value is not None}


def _answer(event: Event) -> dict[str, Any]:
    answer, mention = event.answer, event.mention
    assert answer is not None
    return {
        "government": answer.government,
        "body": answer.body,
        "office": words.clean(answer.office, 120),
        "stance": answer.stance,
        "was": answer.was,
        "asker": words.clean(answer.asker or answer.asker_name or "", 60) or None,
        "partial": answer.partial,
        "outlet": _outlet(event),
        "url": words.link(mention.url) if mention else None,
        "seen": _time(words.when(event)),
        "language": answer.language,
        "quote": words.clean(answer.quote, words.QUOTE),
    }


def _outlet(event: Event) -> str | None:
    mention = event.mention
    return words.clean(mention.outlet or mention.outlet_name, 120) if mention else None


@functools.lru_cache(maxsize=words.REMEMBERED)
def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at is not None else None
