"""Agencies that sign a text in brackets or slashes: "PRISTINA, June 11 (BSS/AFP) -" and a closing "(Beta)"."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.detect.outlets import NameHit, OutletTable

_WITHIN = 90
"""Characters of a paragraph within which a dateline opens it: towns, date and brackets."""
_SIGNATURE = 25
_KINDS = frozenset(("wire", "broadcaster", None))


def find(text: str, hits: tuple[NameHit, ...], table: OutletTable) -> Iterator[tuple[NameHit, str]]:
    """Find the signing agencies of a text, each with the bracket as written."""
    for hit in hits:
        if hit.domain is not None and table.by_domain(hit.domain).kind not in _KINDS:
            continue
        start = max(text.rfind(sign, max(hit.start - 30, 0), hit.start) for sign in "(/[")
        while start > 0 and text[start] == "/" and "(" in text[max(start - 12, 0) : start]:
            start = text.rfind("(", 0, start)
        if start < 0 or "\n" in text[start : hit.start] or not _only_agencies(text, start, hit, hits):
            continue
        if _opens(text, start, hit.end) or _closes(text, hit.end):
            yield hit, text[start : hit.end]


def _only_agencies(text: str, start: int, until: NameHit, hits: tuple[NameHit, ...]) -> bool:
    """Whether a bracket holds nothing but names of outlets, unlisted ones in capitals, and slashes."""
    piece = text[start : until.end]
    for hit in hits:
        if start <= hit.start < until.end:
            piece = piece.replace(hit.name, "", 1)
    return not any(letter.islower() for letter in piece)


def _opens(text: str, start: int, end: int) -> bool:
    start -= text.rfind("\n", 0, start) + 1
    behind = text[end : end + 30].lstrip("/,ABCDEFGHIJKLMNOPQRSTUVWXYZ").lstrip(")]/ \u00a0")
    return start <= _WITHIN and (behind[:1] in ("-", "\u2013", "\u2014", ":") or start <= 2)


def _closes(text: str, end: int) -> bool:
    """Nothing but signs and other agencies up to the paragraph's end."""
    rest = text[end:].split("\n", 1)[0]
    if len(rest) > _SIGNATURE or any(letter.islower() for letter in rest):
        return False
    return rest.lstrip("/ABCDEFGHIJKLMNOPQRSTUVWXYZ").strip()[:1] in (")", "]", "/", "")
