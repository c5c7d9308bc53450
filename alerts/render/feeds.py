"""A digest as an entry of a feed, and entries as Atom (RFC 4287) and JSON Feed 1.1. Pure.

The content is the page of a mail without what only its recipient may do. Ids never change: an entry is one delivery.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import urlsplit

from alerts.render import html, plain, words
from alerts.values import Digest, Links

MOST = 50
"""Entries of a feed."""
NOBODYS = Links("", "", "", "", "")


@dataclass(frozen=True, slots=True)
class Place:
    """What a feed is about and where it stands; `address` is empty when nobody said under which it is served."""

    title: str
    path: str
    address: str = ""


def entry(digest: Digest, address: str) -> dict[str, Any]:
    """Describe a digest as an entry, with the feeds it belongs to: one per watch and one per story."""
    public = replace(digest, links=NOBODYS if digest.links is not None else None)
    parts = (*digest.stories, *digest.more)
    watches = dict.fromkeys(why.watch for part in parts for why in part.whys)
    first = parts[0] if parts else None
    page = first.page if first is not None and len(parts) == 1 else ""
    return {
        "id": name_of(digest, address),
        "title": words.clean(digest.subject, 300),
        "at": f"{digest.made_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "html": html.article(public),
        "text": plain.text(public),
        "url": page or (words.link(first.lead_url) if first is not None and len(parts) == 1 else None),
        "watches": list(watches) or ["storywatch"],
        "stories": [[part.group, words.clean(part.headline, words.TITLE)] for part in parts],
    }


def name_of(digest: Digest, address: str) -> str:
    """Name a digest for ever: a tag of the place's host, else a name of its own.

    Source: RFC 4151.
    """
    host = urlsplit(address).hostname
    if host:
        return f"tag:{host},{digest.made_at.astimezone(UTC):%Y}:{digest.delivery_id}"
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, digest.delivery_id)}"


def atom(place: Place, entries: Sequence[dict[str, Any]]) -> str:
    """Write a feed as Atom, the newest entry first."""
    updated = entries[0]["at"] if entries else f"{datetime(2025, 1, 1, tzinfo=UTC):%Y-%m-%dT%H:%M:%SZ}"
    own = f"{place.address}/{place.path}"
    link = f'<link rel="self" href="{escape(own)}/feed.atom"/>' if place.address else ""
    name = own if place.address else f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, place.path)}"
    head = (
        f"<id>{escape(name)}</id>{link}<title>{_xml(place.title)}</title><updated>{updated}</updated>"
        "<author><name>storywatch</name></author><generator>storywatch</generator>"
    )
    rows = "".join(_atom_entry(one) for one in entries[:MOST])
    opening = '<feed xmlns="http://www.w3.org/2005/Atom">'
    return f'<?xml version="1.0" encoding="utf-8"?>\n{opening}{head}{rows}</feed>\n'


def _atom_entry(one: dict[str, Any]) -> str:
    link = f'<link rel="alternate" href="{escape(one["url"])}"/>' if one["url"] else ""
    return (
        f"<entry><id>{escape(one['id'])}</id><title>{_xml(one['title'])}</title>{link}"
        f'<updated>{one["at"]}</updated><content type="html">{_xml(one["html"])}</content></entry>'
    )


def _xml(text: str) -> str:
    """Escape a text for XML, which has no form for control characters and halves of pairs."""
    kept = "".join(
        letter for letter in text if letter in "\t\n" or (letter >= " " and not "\ud800" <= letter <= "\udfff")
    )
    return escape(kept.replace("\ufffe", "").replace("\uffff", ""))


def json_feed(place: Place, entries: Sequence[dict[str, Any]]) -> str:
    """Write a feed as JSON Feed, the newest entry first."""
    feed: dict[str, Any] = {"version": "https://jsonfeed.org/version/1.1", "title": place.title}
    if place.address:
        feed["feed_url"] = f"{place.address}/{place.path}/feed.json"
    feed["items"] = list(_json_items(entries[:MOST]))
    return json.dumps(feed, ensure_ascii=False, separators=(",", ":")) + "\n"


def _json_items(entries: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    for one in entries:
        item = {
            "id": one["id"],
            "url": one["url"],
            "title": one["title"],
            "content_html": one["html"],
            "content_text": one["text"],
            "date_published": one["at"],
            "tags": one["watches"],
        }
        yield {name: value for name, value in item.items() if value}
