"""JSON documents: JSON Feed 1.0 and 1.1, and the article lists of GDELT's DOC 2.0 service. feedparser reads neither.

Called by `monitor.parse.feed`. Sources: https://www.jsonfeed.org/version/1.1/ and
https://blog.gdeltproject.org/gdelt-doc-2-0-api-debuts/
"""

from __future__ import annotations

import json
from typing import Any

from monitor.errors import ParseError
from monitor.parse.documents import RawDocument, RawItem, RawLink
from monitor.values import ParseReason

Object = dict[str, Any]


def read(text: str) -> RawDocument:
    """Read a JSON document.

    Errors: ParseError `not_a_feed` for broken JSON and for JSON of another shape.
    """
    try:
        data = json.loads(text, strict=False)
    except (ValueError, RecursionError) as exc:
        raise ParseError(ParseReason.NOT_A_FEED, f"broken JSON: {str(exc)[:200]}") from exc
    if isinstance(data, dict):
        if isinstance(data.get("articles"), list):
            return RawDocument("gdelt", tuple(_gdelt_item(item) for item in data["articles"] if isinstance(item, dict)))
        if _is_json_feed(data):
            return _feed(data)
    raise ParseError(ParseReason.NOT_A_FEED, f"JSON that is no feed: {_shape(data)}")


def _is_json_feed(data: Object) -> bool:
    return isinstance(data.get("items"), list) and ("jsonfeed.org" in str(data.get("version")) or "title" in data)


def _shape(data: object) -> str:
    if isinstance(data, dict):
        return "an object with " + ", ".join(repr(str(key)[:40]) for key in list(data)[:5])
    return f"a {type(data).__name__}"


def _feed(data: Object) -> RawDocument:
    home, older = _text(data.get("home_page_url")), _text(data.get("next_url"))
    return RawDocument(
        "json",
        tuple(_item(item) for item in data["items"] if isinstance(item, dict)),
        title=_text(data.get("title")),
        links=(*([RawLink(home)] if home else []), *([RawLink(older, "next")] if older else [])),
        language=_text(data.get("language")),
    )


def _item(item: Object) -> RawItem:
    addresses = [address for name in ("url", "external_url") if (address := _text(item.get(name)))]
    html, plain, summary = (_text(item.get(name)) for name in ("content_html", "content_text", "summary"))
    dates = (_text(item.get(name)) for name in ("date_published", "date_modified"))
    return RawItem(
        id=_text(item.get("id")),
        links=tuple(RawLink(address) for address in addresses),
        title=_text(item.get("title")),
        summary=summary or html or plain,
        content=(html or plain) if summary else None,
        author=_author(item),
        dates=tuple(date for date in dates if date),
        language=_text(item.get("language")),
    )


def _author(item: Object) -> str | None:
    authors = item.get("authors") if isinstance(item.get("authors"), list) else [item.get("author")]
    names = [_text(author.get("name")) for author in authors or () if isinstance(author, dict)]
    return ", ".join(name for name in names if name) or None


def _gdelt_item(item: Object) -> RawItem:
    address, seen, domain = (_text(item.get(name)) for name in ("url", "seendate", "domain"))
    return RawItem(
        links=(RawLink(address),) if address else (),
        title=_text(item.get("title")),
        dates=(seen,) if seen else (),
        source_url=f"https://{domain}/" if domain and "/" not in domain else domain,
        language=_text(item.get("language")),
    )


def _text(value: object) -> str | None:
    """Strings and numbers as text: ids are often numbers."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None
