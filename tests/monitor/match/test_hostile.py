"""Texts made to be slow: time must grow with their length, not with its square."""

from __future__ import annotations

import gc
import time

import pytest

from monitor.match import matcher, query
from monitor.match.concepts import Concepts
from monitor.match.matcher import Document, Matcher, WatchQuery
from monitor.text import sentences, words

LENGTH = 40_000
SECONDS = 2.0
"""Far above what any of these takes (under 0.3), far below what the square of the length would."""

UNITS = [
    ".", "a.", "A.", "a.b", "abc", "abc ", "TPS per second ", "the third country to ", "vend i tretë migrant ", " ",
    "\n", "x@", "http://", "a-", "TPS's ", "TPS-a ", '".', "! ? ", "www.", "a\u0301", "\u00ad", "abc. A", "U.S. ", "-",
]  # fmt: skip
QUERIES = [
    "~TPS", "~third-country", "abc* NEAR/50 *bcd*", "abc* NOT NEAR/3 xyz", "TPS SENTENCE x1", '="abc"', '"abc abc abc"',
    "a?c",
]  # fmt: skip


@pytest.fixture(scope="module")
def engine(lexicon: Concepts) -> Matcher:
    return matcher.compile([WatchQuery(text, query.parse(text, lexicon)) for text in QUERIES], lexicon)


@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_no_text_is_slow(unit: str, engine: Matcher) -> None:
    text = (unit * LENGTH)[:LENGTH]
    gc.disable()  # what other tests left behind is not this text's fault, nor is what their threads do
    try:
        start = time.thread_time()
        engine.match(Document("x", text))
        words.words(text)
        sentences.sentences(text)
        assert time.thread_time() - start < SECONDS
    finally:
        gc.enable()
