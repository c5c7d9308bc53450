"""Plain items of long lists are read without the YAML library: every file means what it meant, at the same places."""

from __future__ import annotations

import random
from typing import Any

import pytest

from monitor.config import reading, skimming
from tests.monitor.config.test_mutations import damaged

HEAD = "version: 1\n"
PLAIN = {
    "one pair a line": "feeds:\n  - url: https://a.example/rss\n    tags: [news, 'a b']\n  - url: b\n",
    "in braces": 'feeds:\n  - {url: https://a.example/rss}\n  - {url: b, note: "a, b: c", tags: [x]}\n',
    "without an indent": "feeds:\n- url: https://a.example/x?a=1\n- url: b\n  paused: true\nweb: {feeds: true}\n",
    "comments between": "feeds: # x\n\n  - url: a\n # x\n  - url: b  # c: d\n\n    # e: f\n    note: g\n# i\n",
    "words that are no text": "feeds:\n  - a: b\n  - {b: true, c: null, d: 2025-06-13, e: 1.10, f: on, g: 0x1f}\n",
    "signs within a word": "feeds:\n  - a: b\n  - a: b:c\n    d: e[f]{g},h\n  - i: 'j # k'\n    l: m n  \n",
    "other letters": "outlets:\n  - name: Обала\n  - name: صحيفة الساحل\n    note: šđ ☃\n",
    "another form between": "feeds:\n  - url: a\n  - url: b\n  - auth: {user: d, password: {env: E}}\n  - url: f\n",
    "a block before": "watches:\n  - name: a\n    query: |+\n      b AND\n\n  - name: c\n  - name: d\n",
    "two lists": "feeds:\n  - url: a\n  - url: b\nwatches:\n    - name: c\n    - name: d\n      keywords: [e, f]\n",
    "an anchor and its alias": "feeds:\n  - &x {url: a}\n  - url: b\n  - *x\n  - url: c\n",
    "an empty list": "feeds:\n  - tags: [a]\n  - tags: []\n    x: [ ]\n",
}
NOT_PLAIN = {
    "a quote that stays open over items": 'feeds:\n  - url: "a\n  - url: b\n    note: c\n  - d"\n',
    "a quote that closes behind the list": 'feeds:\n  - url: "a\n  - url: b\n    note: c\nweb: d"\n',
    "a bracket that stays open over items": "feeds:\n  - {url: a,\n  - url: b\n    note: c}\n",
    "a list within a quote": 'note: "\nfeeds:\n  - url: a\n  - url: b\n"\n',
    "a list within a block": "note: |\n  feeds:\n  - url: a\n  - url: b\n",
    "the same key twice in an item": "feeds:\n  - url: a\n  - url: b\n    url: c\n",
    "the same list twice": "feeds:\n  - url: a\n  - url: b\nfeeds:\n  - url: c\n  - url: d\n",
    "a key that is no text": "feeds:\n  - url: a\n  - true: b\n  - null: c\n",
    "a word that goes on in the next line": "feeds:\n  - url: a\n  - url: b\n      c\n    d: e\n",
    "a comment before such a line": "feeds:\n  - url: a\n  - url: b\n# c\n      d\n  - url: e\n",
    "an indent that fits nowhere": "feeds:\n  - url: a\n  - url: b\n   - url: c\n",
    "a dash behind a dash": "feeds:\n  - url: a\n  - - url: b\n  - url: c\n  -\n    url: d\n",
    "a second document": "feeds:\n  - url: a\n  - url: b\n---\nfeeds:\n  - url: c\n",
    "a tag": "feeds:\n  - url: a\n  - url: b\n  - url: !x c\n",
    "a tag before an item": "feeds:\n  - url: a\n  - !x\n    url: b\n  - url: c\n",
    "an alias of nobody": "feeds:\n  - url: a\n  - url: b\n  - *x\n",
    "an alias that holds itself": "feeds:\n  - &x\n    a: *x\n  - url: b\n",
    "no end of the last line": "feeds:\n  - url: a\n  - url: b",
    "a control character": "feeds:\n  - url: a\n  - url: b\x07\n",
    "an inset that is missing": "feeds:\n  - url: a\n  - url: b\n  c: d\n",
    "a scalar where a list is wanted": "feeds:\n  - a\n  - b: c\n  - d\n",
}
LISTS = "".join((
    "contact: a@b.example\nfeeds:\n",
    "  - {url: https://a.example/rss, tags: [balkan]}\n",
    *(f"  - url: https://p{n}.example/rss\n    outlet: p{n}.example\n    tags: [news, n{n}]\n" for n in range(4)),
    *(f"  - {{url: https://q{n}.example/rss, tags: [wire, us], floor: 15m}} # c\n" for n in range(4)),
    "  - url: https://r.example\n    auth: {user: a, password: {env: B}}\n    note: |\n      c\n       d\n\n",
    *(f"  - url: 'https://s{n}.example/'\n    paused: true\n\n    note: one, two\n" for n in range(3)),
    "watches:\n- name: e\n  keywords: [f]\n- name: g\n  query: h\n",
))  # fmt: skip


def told(text: str, *, skims: bool = True) -> Any:
    """Everything that is read of a file."""
    found = reading.read_text(text, "x.yaml", skims=skims)
    return found.data, found.keys, found.values, found.problems


@pytest.mark.parametrize("case", [*PLAIN, *NOT_PLAIN])
def test_a_list_means_what_the_library_reads(case: str) -> None:
    text = HEAD + (PLAIN | NOT_PLAIN)[case]
    assert told(text) == told(text, skims=False)


@pytest.mark.parametrize("case", PLAIN)
def test_what_is_plain_is_skimmed(case: str) -> None:
    skimmed = skimming.skim(HEAD + PLAIN[case])
    assert skimmed.sections
    assert skimmed.text.count("\n") == (HEAD + PLAIN[case]).count("\n")


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_list_means_what_the_library_reads(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(40):
        text = damaged(LISTS, rng)
        assert told(text) == told(text, skims=False), text


def test_values_too_many_are_refused_at_the_item_that_brings_them() -> None:
    text = "feeds:\n" + f"  - {{a: [{', '.join(['b'] * 997)}]}}\n" * 102
    (problem,) = reading.read_text(text, "x.yaml").problems
    assert (problem.code, problem.line, problem.column) == ("E006", 102, 5)
