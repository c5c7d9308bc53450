"""Mends of broken XML, as text to text, each of them linear in its input.

`tidy` is what every document gets (junk before the root, the DOCTYPE, the declaration); `mend` is for a document that
expat refused. Neither parses: whether a mend helped is for the caller to see. Called by `monitor.parse.feed` and
`monitor.parse.xml_feed`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html.entities import html5
from xml.sax.saxutils import escape

ROOTS = "rss|feed|rdf|channel|urlset|sitemapindex|redirect|html"
_ROOT = re.compile(rf"<(?:[A-Za-z_][\w.-]*:)?({ROOTS})(?=[\s>/])", re.IGNORECASE)
_START_TAG = re.compile(r"<([A-Za-z_][^\s<>/]*)")
_XML_START = re.compile(r"<\?xml\b", re.IGNORECASE)
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_ILLEGAL_BYTES = bytes({*range(32)} - {9, 10, 13})
_CHARREF = re.compile(r"&#(?:([0-9]{1,9})|[xX]([0-9a-fA-F]{1,8}));")
_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);|#[0-9]{1,7};|#x[0-9a-fA-F]{1,6};)([A-Za-z][A-Za-z0-9]{1,31};)?")
_LONE_LESS = re.compile(r"<(?![A-Za-z_:/!?\u0080-\uffff])")
_PREFIX = re.compile(r"(?:</?|\s)([A-Za-z_][\w.-]*):[A-Za-z_]")
_DECLARED = re.compile(r"\sxmlns:([A-Za-z_][\w.-]*)\s*=")

_TEXT_START = re.compile(r"<((?:content:encoded|description|summary|content))(?:\s[^<>]*)?>", re.IGNORECASE)

_PLAIN_ENTITY = re.compile(r"""<!ENTITY\s+([\w.-]{1,40})\s+["']([^"'&<>%]{0,200})["']\s*>""")
_MAX_ENTITIES, _MAX_DOCTYPE = 50, 65_536
_INLINE = frozenset({"b", "br", "br/", "font", "i", "p", "pre", "span", "strong", "div", "hr", "em", "small"})

WELL_KNOWN = {
    "a10": "http://www.w3.org/2005/Atom",
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "itunes": "http://www.itunes.com/DTDs/PodCast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "wfw": "http://wellformedweb.org/CommentAPI/",
    "xhtml": "http://www.w3.org/1999/xhtml",
    "xlink": "http://www.w3.org/1999/xlink",
}


@dataclass(frozen=True, slots=True)
class Tidied:
    """A document from its root on. `root` is the lower-case local name, None if there is no element at all.

    `entities` are the plain short texts its DOCTYPE named; anything longer or nested is an attack or not needed.
    """

    text: str
    root: str | None
    repaired: bool
    entities: Mapping[str, str] = field(default_factory=dict)


def tidy(text: str) -> Tidied:
    """Drop what stands before the root element: marks, blank lines, a server's warning, declaration and DOCTYPE."""
    if text[:64].lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        return Tidied(text, None, repaired=False)
    start = _document_start(text)
    junk = bool(text[:start].lstrip("\ufeff")) or text[:start].count("\ufeff") > 1
    body = text[start:]
    body, root, doctype = _without_prolog(body)
    entities = dict(_PLAIN_ENTITY.findall(doctype)[:_MAX_ENTITIES])
    if _has_illegal(body):
        body, junk = _ILLEGAL.sub("", body), True
    return Tidied(body, root, junk or bool(doctype), entities)


def _has_illegal(text: str) -> bool:
    """Whether `_ILLEGAL` finds anything, which takes ten times as long."""
    try:
        raw = text.encode("utf-8")
    except UnicodeEncodeError:  # a half of a pair
        return True
    return "\ufffe" in text or "\uffff" in text or len(raw.translate(None, _ILLEGAL_BYTES)) < len(raw)


def mend(text: str, root: str, entities: Mapping[str, str] | None = None) -> str:
    """Mend what expat does not take: entities, bare ampersands, lone `<`, unbound prefixes, junk after the root."""
    known = entities or {}
    text = _without_tail(text, root)
    return _with_prefixes("".join(_outside_sections(text, lambda piece: _mend_text(piece, known))))


def close_truncated(text: str) -> str | None:
    """Cut a document without its end behind the last complete entry and close what is open; None if it has its end.

    An entry without its end tag is dropped, for half of its fields would be wrong; unless title and link were complete
    and the cut lies in its text: then it is kept without the cut element.
    """
    opened = _START_TAG.search(text)
    if opened is None or _has_end(text, opened.group(1)):
        return None
    skeleton = "".join(_blank_sections(text))
    ends = [
        found.end() for found in re.finditer(r"</(?:[A-Za-z_][\w.-]*:)?(?:item|entry)\s*>", skeleton, re.IGNORECASE)
    ]
    cut = ends[-1] if ends else _first_entry(skeleton)
    cut = _cut_in_text(skeleton, cut) or cut
    return text[:cut] + "".join(f"</{name}>" for name in reversed(_open_elements(skeleton[:cut])))


def _document_start(text: str) -> int:
    declaration = _XML_START.search(text, 0, 65_536)
    root = _ROOT.search(text, 0, 65_536)
    if declaration and (root is None or declaration.start() < root.start() or root.group(1).lower() == "html"):
        return declaration.start()
    first = re.compile(r"[\s\ufeff]*").match(text)
    after_space = first.end() if first else 0
    if root and (
        not text.startswith("<", after_space) or _is_a_notice(text[after_space : root.start()], root.group(1))
    ):
        return root.start()
    return after_space


def _is_a_notice(before: str, root: str) -> bool:
    """Whether what stands before a feed's root is a server's message in a few inline tags."""
    names = {name.lower() for name in _START_TAG.findall(before)}
    return root.lower() in ("rss", "feed", "rdf") and bool(names) and names <= _INLINE


def _without_prolog(text: str) -> tuple[str, str | None, str]:
    """The text from its first element on, that element's local name, and the DOCTYPE that was dropped, if any."""
    at, doctype = 0, ""
    while True:
        at = text.find("<", at)
        if at < 0:
            return text, None, doctype
        if text.startswith("<?", at):
            at = _after(text, "?>", at)
        elif text.startswith("<!--", at):
            at = _after(text, "-->", at)
        elif text[at : at + 9].upper() == "<!DOCTYPE":
            end = _after_doctype(text, at)
            at, doctype = end, text[at : min(end, at + _MAX_DOCTYPE)]
        elif found := _START_TAG.match(text, at):
            return text[at:], found.group(1).rpartition(":")[2].lower(), doctype
        else:
            at += 1


def _after(text: str, closing: str, at: int) -> int:
    end = text.find(closing, at)
    return len(text) if end < 0 else end + len(closing)


def _after_doctype(text: str, at: int) -> int:
    """The position behind a document type declaration, its internal subset included."""
    bracket, close = text.find("[", at), text.find(">", at)
    if bracket < 0 or 0 <= close < bracket:
        return len(text) if close < 0 else close + 1
    end = re.compile(r"\]\s*>").search(text, bracket)
    return len(text) if end is None else end.end()


def _without_tail(text: str, root: str) -> str:
    ends = list(re.finditer(rf"</(?:[A-Za-z_][\w.-]*:)?{re.escape(root)}\s*>", text, re.IGNORECASE))
    return text[: ends[-1].end()] if ends else text


def _has_end(text: str, root: str) -> bool:
    return re.search(rf"</{re.escape(root)}\s*>", text[-65_536:], re.IGNORECASE) is not None


def _first_entry(skeleton: str) -> int:
    found = re.search(r"<(?:[A-Za-z_][\w.-]*:)?(?:item|entry)[\s>]", skeleton, re.IGNORECASE)
    return found.start() if found else max(0, skeleton.rfind("<"))


def _cut_in_text(skeleton: str, after: int) -> int | None:
    """Where the text element begins in which the entry behind `after` was cut; None if it was cut elsewhere."""
    entry = re.compile(r"\s*<(?:[A-Za-z_][\w.-]*:)?(?:item|entry)(?:\s[^<>]*)?>", re.IGNORECASE).match(skeleton, after)
    texts = list(_TEXT_START.finditer(skeleton, entry.end())) if entry else []
    if not entry or not texts or skeleton.find(f"</{texts[-1].group(1)}", texts[-1].end()) >= 0:
        return None
    whole = skeleton[entry.end() : texts[-1].start()].lower()
    return texts[-1].start() if "</title>" in whole and ("</link>" in whole or "<link " in whole) else None


def _open_elements(text: str) -> list[str]:
    """Names of the elements that are open at the end of a text whose sections were blanked; tolerant of strays."""
    stack: list[str] = []
    for found in re.finditer(r"<(/?)([A-Za-z_][^\s<>/]*)([^<>]*)>", text):
        closing, name, rest = found.groups()
        if closing:
            if name in stack:
                del stack[len(stack) - 1 - stack[::-1].index(name) :]
        elif not rest.rstrip().endswith("/"):
            stack.append(name)
    return stack


_SECTIONS = (("<![CDATA[", "]]>"), ("<!--", "-->"), ("<?", "?>"))


def _sections(text: str) -> Iterator[tuple[bool, str]]:
    """The text in pieces: (True, a CDATA section, comment or instruction) and (False, what lies between)."""
    at = 0
    for found in re.finditer(r"<!\[CDATA\[|<!--|<\?", text):
        if found.start() < at:
            continue
        closing = next(end for start, end in _SECTIONS if start == found.group())
        yield False, text[at : found.start()]
        end = text.find(closing, found.end())
        if end < 0:
            yield True, text[found.start() :]
            return
        at = end + len(closing)
        yield True, text[found.start() : at]
    yield False, text[at:]


def _outside_sections(text: str, change: Callable[[str], str]) -> Iterator[str]:
    for kept, piece in _sections(text):
        yield piece if kept else change(piece)


def _blank_sections(text: str) -> Iterator[str]:
    for blanked, piece in _sections(text):
        yield " " * len(piece) if blanked else piece


def _mend_text(text: str, entities: Mapping[str, str]) -> str:
    text = _LONE_LESS.sub("&lt;", text)
    if "&" not in text:
        return text
    return _CHARREF.sub(_legal_reference, _AMPERSAND.sub(lambda found: _named_or_bare(found, entities), text))


def _named_or_bare(found: re.Match[str], entities: Mapping[str, str]) -> str:
    name = found.group(1)
    if name and name[:-1] in entities:
        return escape(entities[name[:-1]])
    if name and name in html5:
        return escape(html5[name])
    return f"&amp;{name or ''}"


def _legal_reference(found: re.Match[str]) -> str:
    decimal, hexadecimal = found.groups()
    code = int(decimal) if decimal else int(hexadecimal, 16)
    legal = code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
    return found.group() if legal else ""


def _with_prefixes(text: str) -> str:
    """Bind every prefix that is used and nowhere declared, at the root."""
    tags = "".join(_blank_sections(text))
    missing = set(_PREFIX.findall(tags)) - set(_DECLARED.findall(tags)) - {"xml", "xmlns"}
    root = _START_TAG.search(text)
    if not missing or root is None:
        return text
    binding = "".join(
        f' xmlns:{name}="{WELL_KNOWN.get(name.lower(), "urn:unbound:" + name)}"' for name in sorted(missing)
    )
    return text[: root.end()] + binding + text[root.end() :]
