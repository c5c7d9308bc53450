"""How well copies are told from own reports: pairs made from real documents, judged by the clusterer as a whole.

    python -m bench.copies FILE [--most 400]

FILE holds entries as JSON Lines (`title`, `text`, `lang`); those of at least forty words are used. Half of them go into
one window, then each of these comes again in the ways texts are re-used: taken over, cut, tagged by an agency, with
another last sentence or title (a copy), or with a text of the other half, quoted in it or not at all (no copy). How a
pair was made is its label, so nobody's judgement is in it. A right copy also names the text it repeats. Prints the
share of right verdicts by the way of making, precision, recall and F.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor import lexicons
from monitor.cluster.index import Index
from monitor.cluster.item import Item, story_key
from monitor.cluster.knowledge import Knowledge
from monitor.cluster.settings import Settings
from monitor.values import Domain, EntryId, Role

START = datetime(2025, 1, 1, tzinfo=UTC)
LEAST_WORDS = 40
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Document:
    """A text as an outlet published it."""

    title: str
    text: str
    language: str


Make = Callable[[Document, Document], Document]
"""From a text, and another one to mix it with, what a further outlet prints."""


def first_words(text: str, share: float) -> str:
    """The beginning of a text, as feeds cut it."""
    words = text.split()
    return " ".join(words[: max(28, int(len(words) * share))])


def with_last_sentence_of(text: str, other: str) -> str:
    """A text whose last sentence is somebody else's; one of a single sentence only ends otherwise."""
    kept = _SENTENCE.split(text)[:-1] or [first_words(text, 0.85)]
    return " ".join([*kept, first_words(_SENTENCE.split(other)[-1], 0.2)])


COPIES: Mapping[str, Make] = {
    "taken over": lambda one, _: one,
    "under another title": lambda one, other: Document(other.title, one.text, one.language),
    "cut": lambda one, _: Document(one.title, first_words(one.text, 0.6) + " […]", one.language),
    "with tag and tail": lambda one, _: Document(
        one.title, f"(Reuters) - {one.text}\nThe post {one.title} appeared first on Daily Example.", one.language
    ),
    "with another last sentence": lambda one, other: Document(
        one.title, with_last_sentence_of(one.text, other.text), one.language
    ),
}
OTHERS: Mapping[str, Make] = {
    "quoted at the end of another text": lambda one, other: Document(
        one.title, f"{other.text} {first_words(one.text, 0.4)}", one.language
    ),
    "another text under the same title": lambda one, other: Document(one.title, other.text, one.language),
}


def read(lines: Iterable[str], most: int) -> list[Document]:
    """The documents that are long enough, each text once."""
    found: dict[str, Document] = {}
    for line in lines:
        row: Mapping[str, Any] = json.loads(line)
        text = str(row.get("text") or "")
        if len(text.split()) >= LEAST_WORDS and len(found) < most:
            found.setdefault(text, Document(str(row["title"]), text, str(row.get("lang") or "und")))
    return list(found.values())


def measure(documents: Sequence[Document]) -> dict[str, tuple[int, int]]:
    """Right verdicts and all, by the way of making."""
    index = Index(Settings(), Knowledge.from_raw(lexicons.load("cluster/data")))
    stored, own = documents[::2], documents[1::2]
    for number, document in enumerate(stored):
        index.add(_item(number, document), story_key(str(number)))
    right: dict[str, tuple[int, int]] = {}
    for number, (document, other) in enumerate(zip(stored, own, strict=False)):
        for name, is_copy, verdict in _verdicts(index, len(stored), document, other):
            known, every = right.get(name, (0, 0))
            is_right = verdict == (EntryId(number) if is_copy else None)
            right[name] = known + is_right, every + 1
    return right


def _verdicts(
    index: Index, number: int, document: Document, other: Document
) -> Iterator[tuple[str, bool, EntryId | None]]:
    for makes, is_copy in ((COPIES, True), (OTHERS, False)):
        for name, make in makes.items():
            decided = index.assign(_item(number, make(document, other)), START + timedelta(hours=1))
            yield name, is_copy, decided.copy_of if decided.role is Role.COPY else None


def _item(number: int, document: Document) -> Item:
    outlet = Domain(f"outlet{number}.example")
    seen = START + timedelta(hours=1)
    return Item(EntryId(number), document.language, seen, seen, outlet, outlet, document.title, document.text)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--most", type=int, default=400)
    options = parser.parse_args()
    with options.file.open(encoding="utf-8") as lines:
        documents = read(lines, options.most)
    right = measure(documents)
    for name, (known, every) in right.items():
        print(f"{known / every:7.1%} of {every:4} right: {'copy' if name in COPIES else 'none'}, {name}")
    found, wanted = sum(right[name][0] for name in COPIES), sum(right[name][1] for name in COPIES)
    false = sum(right[name][1] - right[name][0] for name in OTHERS)
    precision, recall = found / max(found + false, 1), found / wanted
    print(f"{len(documents)} documents: precision {precision:.3f} recall {recall:.3f} ", end="")
    print(f"F {2 * precision * recall / (precision + recall):.3f}")


if __name__ == "__main__":
    main()
