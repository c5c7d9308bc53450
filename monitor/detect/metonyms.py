"""Whether a country or capital speaks for its government: only by itself and as a subject.

Not in "Belgrade-based", "Kosovo Law Institute", "in northwestern Russia". Called by `actors`.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.detect.clauses import Sentence
from monitor.detect.forms import PUNCTUATION, Found
from monitor.detect.lexicon import Pack
from monitor.detect.lexicon_rows import Row, Tag
from monitor.detect.phrases import Phrase


def stands_alone(sentence: Sentence, phrase: Phrase, hits: Sequence[Found], pack: Pack) -> bool:
    """A country is a speaker only by itself: not in "Belgrade-based", "Kosovo Law Institute", "Serbia coach"."""
    if phrase.end >= len(sentence.tokens):
        return True
    after = sentence.tokens[phrase.end]
    if after.glued or sentence.tokens[phrase.start].glued:
        return False
    if any(hit.start == phrase.end and isinstance(hit.payload, Row) for hit in hits):
        return True
    if after.word in PUNCTUATION or sentence.shouting:
        return True
    if after.capital and not any(hit.start == phrase.end and not isinstance(hit.payload, Tag) for hit in hits):
        return bool(pack.lists["aux"].accepts(after.word))
    if not pack.has("headnouns"):
        return True
    return bool(pack.lists["aux"].accepts(after.word)) or after.word.endswith("ly")


def is_genitive(sentence: Sentence, phrase: Phrase, hits: Sequence[Found], pack: Pack) -> bool:
    """Whether the country is a genitive by its place alone: behind a noun, where no case is written."""
    at = phrase.start - 1
    if at < 0 or not pack.has("construct") or not sentence.words[at].isalpha():
        return False
    verb = any(hit.start <= at < hit.end and isinstance(hit.payload, Row) for hit in hits)
    return not verb and not any(pack.lists[name].accepts(sentence.words[at]) for name in ("and", "aux", "that", "neg"))


def is_described(sentence: Sentence, phrase: Phrase, hits: Sequence[Found], pack: Pack) -> bool:
    """A word between a preposition and the country: "in northwestern Russia"."""
    at = phrase.start - 1
    if at < 1 or sentence.tokens[at].capital or not sentence.words[at].isalpha():
        return False
    if any(hit.start <= at < hit.end and not isinstance(hit.payload, Tag) for hit in hits):
        return False
    before = sentence.words[at - 1]
    known = any(pack.lists[name].accepts(sentence.words[at]) for name in ("that", "aux", "and", "det", "by"))
    return not known and bool(pack.lists["prep"].accepts(before) or pack.lists["in"].accepts(before))
