"""Which characters a body's bytes are. Wrong decoding is silent: the title looks almost right and no query matches it.

Order: byte-order mark; bytes that can only be UTF-8; the charset of the header, then of the declaration; and where
these fail or say nothing, the encoding whose letters fit a language best (`_guess`). Called by `monitor.parse.feed`.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from dataclasses import dataclass

from monitor.parse import letters

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ZERO_PATTERNS = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
    (b"{\0", "utf-16-le"),
    (b"\0{", "utf-16-be"),
)
_DECLARATION = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
_HEADER = re.compile(r"""charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
_TAGS = re.compile(r"<[^<>]*>|https?://\S+|&[#\w]+;")

_SERVER_DEFAULTS = frozenset({"iso8859-1", "ascii"})
"""What servers say when nobody told them: worth nothing in a header."""
_LATIN = frozenset({"cp1252", "iso8859-1", "ascii"})
_MAX_SAMPLE = 24_000
"""Bytes of text that decide on an encoding."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text without its byte-order mark. `recovered`: the encoding was guessed against or without a declaration."""

    text: str
    encoding: str
    recovered: bool = False


def decode(body: bytes, content_type: str | None = None) -> Decoded:
    """Read bytes as text. Never fails: what fits no encoding becomes U+FFFD or its windows-1252 character."""
    for mark, name in _MARKS:
        if body.startswith(mark) and not (name == "utf-16-le" and body.startswith(codecs.BOM_UTF32_LE)):
            return _marked(body[len(mark) :], name)
    for zeros, name in _ZERO_PATTERNS:
        if body.lstrip(b" \t\r\n").startswith(zeros):
            return Decoded(body.decode(name, "replace"), name)
    if body.isascii():
        return _ascii(body, content_type)
    strict = _strictly(body, "utf-8")
    if strict is not None:
        return Decoded(strict.lstrip("\ufeff"), "utf-8", strict.startswith("\ufeff\ufeff"))
    return _declared(body, content_type)


def _marked(body: bytes, name: str) -> Decoded:
    """The text behind a byte-order mark; a second mark is dropped."""
    text = body.decode(name, "replace") if name != "utf-8" else _mostly_utf8(body)
    return Decoded(text.lstrip("\ufeff"), name, text.startswith("\ufeff") or "\ufffd" in text)


def _ascii(body: bytes, content_type: str | None) -> Decoded:
    """Seven-bit bytes are ASCII, unless the declared encoding is one that escapes into other sets (ISO-2022, UTF-7)."""
    declared = _header_charset(content_type) or _declared_charset(body)
    if declared and (declared.startswith("iso2022") or declared == "hz"):
        text = _strictly(body, declared)
        if text is not None:
            return Decoded(text, declared)
    return Decoded(body.decode("ascii"), "ascii")


def _declared(body: bytes, content_type: str | None) -> Decoded:
    header, declaration = _header_charset(content_type), _declared_charset(body)
    names = [name for name in (None if header in _SERVER_DEFAULTS else header, declaration) if name]
    for name in names:
        if name.startswith(("utf-16", "utf-32", "utf-8", "utf-7")):
            continue
        name = "cp1252" if name in _LATIN else name
        text = _strictly(body, name)
        if text is None or _has_c1(text):
            continue
        if name == "cp1252":
            return _guess(body, fallback="cp1252", trusted=True)
        return Decoded(text, name)
    return _guess(body, fallback=next((name for name in names if name in letters.ENCODINGS), "cp1252"), trusted=False)


def _guess(body: bytes, *, fallback: str, trusted: bool) -> Decoded:
    """The encoding whose non-ASCII letters fit a language best; `fallback` wins ties and wherever nothing fits."""
    if _is_mostly_utf8(body):
        return Decoded(_mostly_utf8(body), "utf-8", True)
    sample = _sample(body)
    best, best_score = fallback, _score(sample, fallback) + (0.05 if trusted else 0.01)
    for name in letters.ENCODINGS:
        score = _score(sample, name)
        if score > best_score:
            best, best_score = name, score
    text = _strictly(body, best)
    if text is None:
        text = body.decode(best, "replace") if best != "cp1252" else _lenient_1252(body)
    return Decoded(text, best, recovered=not (trusted and best == fallback))


def _score(sample: bytes, name: str) -> float:
    text = _strictly(sample, name)
    if text is None:
        if name != "cp1252":
            return -100.0
        text = _lenient_1252(sample)
    return letters.fit(Counter(_TAGS.sub(" ", text).split()), name)


def _sample(body: bytes) -> bytes:
    """The lines that hold bytes over 127: the rest says nothing about the encoding."""
    kept, size = [], 0
    for row in body.splitlines():
        if not row.isascii():
            kept.append(row[:4_000])
            size += len(kept[-1])
            if size > _MAX_SAMPLE:
                break
    return b"\n".join(kept)


def _is_mostly_utf8(body: bytes) -> bool:
    """Whether nine of ten bytes over 127 belong to well-formed UTF-8 sequences."""
    sample = _sample(body)
    high = sum(byte > 127 for byte in sample)
    text = sample.decode("utf-8", "ignore")
    return high > 0 and len(text.encode("utf-8")) - sum(char < "\x80" for char in text) >= 0.9 * high


def _mostly_utf8(body: bytes) -> str:
    """UTF-8 with strays of windows-1252 in it, piece by piece."""
    pieces, at = [], 0
    while at < len(body):
        try:
            pieces.append(body[at:].decode("utf-8"))
            break
        except UnicodeDecodeError as error:
            good, bad = at + error.start, at + error.end
            pieces.append(body[at:good].decode("utf-8"))
            pieces.append(_lenient_1252(body[good:bad]))
            at = bad
            if len(pieces) > 2_000:
                pieces.append(body[at:].decode("utf-8", "replace"))
                break
    return "".join(pieces)


def _lenient_1252(body: bytes) -> str:
    return body.decode("cp1252", "replace")


def _strictly(body: bytes, name: str) -> str | None:
    try:
        return body.decode(name)
    except (UnicodeError, LookupError):
        return None


def _has_c1(text: str) -> bool:
    """Control characters between 0x80 and 0x9F: the sign of a windows encoding declared as an ISO one."""
    return re.search("[\x80-\x84\x86-\x9f]", text) is not None


def _header_charset(content_type: str | None) -> str | None:
    found = _HEADER.search(content_type or "")
    return _normal(found.group(1)) if found else None


def _declared_charset(body: bytes) -> str | None:
    found = _DECLARATION.search(body, 0, 4096) or _META.search(body, 0, 4096)
    return _normal(found.group(1).decode("ascii")) if found else None


def _normal(name: str) -> str | None:
    """Python's name of a text encoding, None for an unknown one."""
    try:
        info = codecs.lookup(name.strip().lower().removeprefix("x-"))
    except (LookupError, ValueError):
        return None
    return info.name if info._is_text_encoding else None
