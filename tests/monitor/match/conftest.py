"""The shipped lexicon, read once, and a short way to run one query over one entry."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor import lexicons
from monitor.match import matcher, query
from monitor.match.concepts import Concepts, from_raw
from monitor.match.matcher import Document, WatchQuery

Marked = Callable[..., list[str] | None]


@pytest.fixture(scope="session")
def lexicon() -> Concepts:
    return from_raw(lexicons.load("match/concepts"))


@pytest.fixture(scope="session")
def marked(lexicon: Concepts) -> Marked:
    """The words marked in an entry, as `title:word`; None where the query does not match."""

    def run(text: str, title: str, body: str = "", language: str | None = "en", **facts: str) -> list[str] | None:
        watch = WatchQuery("query", query.parse(text, lexicon))
        found = matcher.compile([watch], lexicon).match(Document(title, body, language, **facts))
        if not found:
            return None
        fields = {"title": title, "text": body}
        return [f"{span.field}:{fields[span.field][span.start : span.end]}" for span in found[0].spans]

    return run
