"""Cuts off what is not the news: prefixes and site names of titles, agency tags, "appeared first on", "read more".

Called by `features` and `copies`; the patterns are data.
"""

from __future__ import annotations

import re

from monitor.cluster.knowledge import Knowledge
from monitor.text.fold import fold

_TAGS = re.compile(r"<[^<>]{1,300}>")
_CUT = re.compile(r"(?:\s*(?:\[\s*(?:…|\.{2,}|&#8230;)\s*\]|…|\.{3,}))+\s*$")
_SITE_NAME = re.compile(r"\s+[|–—-]\s+[^|–—-]{2,30}$|\s+\|\s+[^|]{2,30}$")
_PREFIX = re.compile(r"^\s*[\[(]?([^/|:\])(]{2,24}?)[\])]?\s*[/|:]+\s*(?=\S)")
_BRACKETED = re.compile(r"\s*[\[(]([^\])(]{2,24})[\])]\s*$")
_FIRST_ON = re.compile(r"\b(?:the post .{1,200}? )?appeared first on\b.*$", re.IGNORECASE | re.DOTALL)
_DATELINE = re.compile(r"^[^.!?\n]{0,60}?\(([^()]{1,30})\)\s*[-–—:]+\s*|^[^.!?\n(]{2,40}\s[–—]\s")
_MANY_PREFIXES = 3


def clean_title(title: str, knowledge: Knowledge) -> str:
    """A title without what desks put before and behind it: `VIDEO/`, `LIVE:`, ` | BN`, ` - Reuters`."""
    title = _without_cut(_TAGS.sub(" ", title) if "<" in title else title)
    for _ in range(_MANY_PREFIXES):
        found = _PREFIX.match(title)
        if found is None or fold(found[1]).strip(" !") not in knowledge.title_prefixes:
            break
        title = title[found.end() :]
    found = _BRACKETED.search(title)
    if found is not None and fold(found[1]).strip() in knowledge.title_prefixes:
        title = title[: found.start()]
    return _without_site(title)


def _without_site(title: str) -> str:
    """Drop a short last part behind a bar, or behind a dash when it is one or two words with a capital."""
    found = _SITE_NAME.search(title)
    if found is None or found.start() < 20:
        return title
    tail = found[0].strip(" |–—-")
    short = len(tail.split()) <= 3 and tail[:1].isupper()
    return title[: found.start()] if "|" in found[0] or (short and len(tail.split()) <= 2) else title


def clean_text(text: str, knowledge: Knowledge, limit: int | None = None) -> str:
    """A text without tags, trailing cut marks, dateline with an agency, and pointers to other pages.

    At most `limit` folded characters of it, cut at the end of a word: the same words in either script.
    """
    if limit is not None:
        text = text[: limit * 2 + 200]
    if "<" in text:
        text = _TAGS.sub(" ", text)
    if "appeared first on" in text.lower():
        text = _FIRST_ON.sub("", text)
    text = _without_tails(_without_dateline(text.strip(), knowledge), knowledge)
    text = " ".join(_without_cut(text).split())
    return text if limit is None else _cut(text, limit)


def _without_cut(text: str) -> str:
    """Drop the marks of a text that was cut off; what ends otherwise is not searched."""
    text = text.strip()
    return _CUT.sub("", text) if text.endswith(("…", "...", "]")) else text


def _cut(text: str, limit: int) -> str:
    end = limit
    while (excess := len(fold(text[:end])) - limit) > 0:
        end -= max(1, excess // 2)
    if end >= len(text):
        return text
    space = text.rfind(" ", 0, end + 1)
    return text[: space if space > 0 else end]


def _without_dateline(text: str, knowledge: Knowledge) -> str:
    found = _DATELINE.match(text)
    if found is None or found[1] is None:
        return text
    names = fold(found[1]).replace("/", " ").split(",")
    return text[found.end() :] if any(name.strip() in knowledge.agencies for name in names) else text


def _without_tails(text: str, knowledge: Knowledge) -> str:
    """Drop last lines that only point elsewhere."""
    lines = text.split("\n")
    while len(lines) > 1:
        last = fold(lines[-1]).strip(" >»→:[(")
        if last and not last.startswith(knowledge.text_tails):
            break
        lines.pop()
    return "\n".join(lines)
