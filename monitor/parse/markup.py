"""Plain text out of titles, summaries and contents, whatever they were wrapped in.

Nothing here builds a tree: every expression is linear in its input, so a hostile description costs no more than its
length. It does not make HTML safe for display, it removes it. Called by the readers of this package.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator

MAX_TITLE_BYTES = 2 * 1024
MAX_TEXT_BYTES = 64 * 1024
_MAX_RAW_CHARS = 512 * 1024
"""Markup beyond this is not looked at: text of 64 KiB is full long before."""
ELLIPSIS = "\u2026"

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Default-ignorable code points of Unicode: they are not seen and make equal words differ."""
_PRINTABLE_BUT_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_DOUBLED = re.compile(
    "[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
)
_HIDDEN_OPEN = re.compile(r"<(script|style|noscript|template|iframe|svg|math|textarea)\b[^<>]*>", re.IGNORECASE)

_HTML_NAMES = (
    "a|abbr|acronym|address|applet|area|article|aside|audio|b|base|bdi|bdo|big|blink|blockquote|body|br|button|canvas|"
    "caption|center|cite|code|col|colgroup|data|dd|del|details|dfn|dialog|dir|div|dl|dt|em|embed|fieldset|figcaption|"
    "figure|font|footer|form|frame|frameset|h[1-6]|head|header|hgroup|hr|html|i|iframe|img|input|ins|kbd|label|legend|"
    "li|link|main|map|mark|marquee|menu|meta|meter|nav|nobr|noframes|noscript|object|ol|optgroup|option|output|p|param|"
    "picture|pre|progress|q|rp|rt|ruby|s|samp|script|section|select|small|source|span|strike|strong|style|sub|summary|"
    "sup|svg|table|tbody|td|template|textarea|tfoot|th|thead|time|title|tr|track|tt|u|ul|var|video|wbr|[a-z]+:[a-z]+"
)
_KNOWN_TAG = re.compile(rf"</?(?:{_HTML_NAMES})(?:[\s/][^<>]*)?>", re.IGNORECASE)
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt", "figcaption", "figure", "footer",
    "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "menu", "nav", "ol", "p", "pre",
    "section", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
})  # fmt: skip
_TAG_NAME = re.compile(r"<[/!?]?([A-Za-z][A-Za-z0-9:-]*)[^<>]*>")
_BREAKS = re.compile(r"(?:<br\s*/?>\s*){2,}", re.IGNORECASE)


def unescape(text: str) -> str:
    """Replace character references and named entities (the HTML 5 list) that end in a semicolon.

    >>> unescape("Vu&ccaron;i&cacute; &amp; AT&T")
    'Vučić & AT&T'
    """
    if "&" not in text:
        return text
    return _ENTITY.sub(lambda found: html.unescape(found.group()), text)


def clean(text: str) -> str:
    """NFC without invisible and control characters; white space is kept as it is. Homoglyphs stay."""
    if text.isprintable():
        if text.isascii():
            return text
        if not _PRINTABLE_BUT_INVISIBLE.search(text):
            return unicodedata.normalize("NFC", text)
    return unicodedata.normalize("NFC", _CONTROL.sub("", _INVISIBLE.sub("", text)))


def undoubled(text: str) -> str:
    """Undo UTF-8 that was read as windows-1252 and encoded again, if the whole text survives the way back.

    >>> undoubled("VuÄ\x8diÄ‡a")
    'Vučića'
    """
    if text.isascii() or not _DOUBLED.search(text):
        return text
    try:
        return b"".join(map(_as_1252, text)).decode("utf-8")
    except UnicodeError:
        return text


def _as_1252(char: str) -> bytes:
    """The byte of a character; the five bytes windows-1252 leaves open stand for themselves."""
    return bytes((ord(char),)) if "\x80" <= char <= "\x9f" else char.encode("cp1252")


def line(markup: str | None) -> str | None:
    """One line of plain text, for titles and names; None if nothing is left.

    Unwrapped until no known tag and no entity remains, at most three times: feeds escape their titles twice.

    >>> line("Q&amp;amp;A: <b>Inflation</b> < 3%")
    'Q&A: Inflation < 3%'
    """
    if not markup:
        return None
    text = markup[: 16 * MAX_TITLE_BYTES]
    for _ in range(3):
        if "<" in text:
            text = _KNOWN_TAG.sub(_gap, _without_hidden(text))
        if "&" not in text:
            break
        text = unescape(text)
    text = " ".join(clean(undoubled(" ".join(text.split()))).split())
    return shortened(text, MAX_TITLE_BYTES) or None


def paragraphs(markup: str | None) -> str | None:
    """Plain text with a blank line between paragraphs, for summaries and contents; None if nothing is left."""
    if not markup:
        return None
    text = markup[:_MAX_RAW_CHARS]
    for turn in range(3):
        if "<" in text:
            text = _KNOWN_TAG.sub(_gap, text) if turn else _strip(text)
        if "&" not in text:
            break
        text = unescape(text)
    blocks = (clean(undoubled(block)).strip() for block in _blocks(text))
    return shortened("\n\n".join(block for block in blocks if block), MAX_TEXT_BYTES) or None


def _blocks(text: str) -> Iterator[str]:
    """What blank lines separate, each as one line."""
    lines: list[str] = []
    for row in text.split("\n"):
        words = row.split()
        if words:
            lines += words
        elif lines:
            yield " ".join(lines)
            lines = []
    if lines:
        yield " ".join(lines)


def shortened(text: str, max_bytes: int) -> str:
    """Cut at a character so that the UTF-8 form fits, and mark the cut with an ellipsis."""
    if len(text) * 4 <= max_bytes:
        return text
    raw = text.encode("utf-8", "ignore")
    if len(raw) <= max_bytes:
        return text
    return raw[: max_bytes - 3].decode("utf-8", "ignore").rstrip() + ELLIPSIS


def _gap(tag: re.Match[str]) -> str:
    name = tag.group()[1:].lstrip("/").rstrip("/> ").split(maxsplit=1)[0].lower()
    return " " if name in _BLOCKS or name == "br" else ""


def _strip(text: str) -> str:
    """Text without tags: blocks become blank lines, a single break a line's end, anything else nothing."""
    text = _without_hidden(text)
    if "<br" in text.lower():
        text = _BREAKS.sub("\n\n", text)
    parts = _TAG_NAME.split(text)
    for at in range(1, len(parts), 2):
        name = parts[at].lower()
        parts[at] = "\n\n" if name in _BLOCKS else "\n" if name == "br" else ""
    return "".join(parts)


def _without_hidden(text: str) -> str:
    """Drop comments and elements whose text is not meant to be read; an unclosed one ends the text."""
    text = _without(text, "<!--", "-->")
    if not _HIDDEN_OPEN.search(text):
        return text
    lower, kept, at = text.lower(), [], 0
    while found := _HIDDEN_OPEN.search(text, at):
        kept.append(text[at : found.start()])
        close = lower.find(f"</{found.group(1).lower()}", found.end())
        if close < 0 or len(lower) != len(text):
            at = len(text) if close < 0 else found.end()
            continue
        end = text.find(">", close)
        at = len(text) if end < 0 else end + 1
    return "".join(kept) + text[at:]


def _without(text: str, opening: str, closing: str) -> str:
    if opening not in text:
        return text
    kept, at = [], 0
    while (start := text.find(opening, at)) >= 0:
        kept.append(text[at:start])
        end = text.find(closing, start + len(opening))
        if end < 0:
            at = len(text)
            break
        at = end + len(closing)
    return "".join(kept) + text[at:]
