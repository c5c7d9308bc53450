"""Take apart what some languages write together, so that the rules meet words: Turkish 'nın, Arabic و and ال.

Turkish hangs case endings on a name behind an apostrophe: they become the token's `ending`. Arabic writes "and", "to"
and "the" on the next word: the first become words of their own, the article is dropped, in texts and lexicon alike.
Which endings and letters these are is data (`lists.suffix`, `lists.proclitic`, setting `article:`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from monitor.detect.clauses import Token
from monitor.detect.forms import Form
from monitor.text.fold import fold

_APOSTROPHES = "'’ʼ"
_REST = 2
"""Letters a word keeps at least when something is taken off it."""


@dataclass(frozen=True, slots=True)
class Affixes:
    """What one language writes together. `known` are the words and `stems` the beginnings its lexicon asks for."""

    suffixes: frozenset[str]
    proclitics: tuple[str, ...]
    article: str
    known: frozenset[str]
    stems: tuple[str, ...]

    def part(self, text: str, tokens: Iterable[Token]) -> Iterator[Token]:
        """The tokens with endings told from names and small words from the words they lean on."""
        held: Token | None = None
        for token in tokens:
            if held is not None and self._is_suffix(text, held, token):
                held = held._replace(ending=token.word)
                continue
            if held is not None:
                yield from self._split(held)
            held = token
        if held is not None:
            yield from self._split(held)

    def _is_suffix(self, text: str, stem: Token, token: Token) -> bool:
        behind = token.start == stem.end + 1 and text[stem.end] in _APOSTROPHES
        return behind and stem.capital and token.word in self.suffixes

    def _split(self, token: Token) -> Iterator[Token]:
        word = token.word
        if not self.proclitics or not word[0].isalpha() or token.end - token.start != len(word):
            yield token
            return
        taken = self._clitics(word)
        for at in range(taken):
            yield token._replace(word=word[at], start=token.start + at, end=token.start + at + 1)
        rest = word[taken:]
        stem = bare(rest, self.article)
        yield token._replace(word=stem, start=token.start + taken, definite=stem != rest)

    def _clitics(self, word: str) -> int:
        """How many small words of one letter lean on a word: none, while the lexicon knows it as it stands."""
        taken = 0
        while word[taken : taken + 1] in self.proclitics and len(word) - taken > _REST:
            rest = word[taken:]
            if self._knows(bare(rest, self.article)) or rest.startswith(self.article):
                break
            if not (self._knows(bare(rest[1:], self.article)) or self._leans(rest[1:])):
                break
            taken += 1
        return taken

    def _leans(self, rest: str) -> bool:
        """Whether what is left begins with the article, or with a further small word before a known one."""
        if rest.startswith(self.article) and len(rest) > len(self.article) + 1:
            return True
        return rest[:1] in self.proclitics and len(rest) > _REST and self._knows(bare(rest[1:], self.article))

    def _knows(self, word: str) -> bool:
        return word in self.known or word.startswith(self.stems)


def affixes(lists: Mapping[str, Sequence[str]], article: str, forms: Iterable[Form]) -> Affixes | None:
    """What a language writes together, None for one that writes words apart."""
    suffixes = frozenset(map(fold, lists.get("suffix", ())))
    proclitics = tuple(map(fold, lists.get("proclitic", ())))
    if not suffixes and not proclitics:
        return None
    places = [place for form in forms for place in form.elements] if proclitics else []
    known = frozenset(word for place in places for word in place.exact)
    stems = {stem for place in places for stem in (*place.prefixes, *(stem for stem, _ in place.stems))}
    return Affixes(suffixes, proclitics, fold(article), known, tuple(sorted(stem for stem in stems if stem)))


def value(settings: Iterable[str], name: str) -> str:
    """What stands behind a setting's colon: "5" for `ending:5`; empty when the language does not set it."""
    return next((one.partition(":")[2] for one in settings if one.startswith(f"{name}:")), "")


def bare(text: str, article: str) -> str:
    """Words without the article written onto them, one that holds two letters more at least.

    >>> bare("وزارة الخارجية", "ال")
    'وزارة خارجية'
    """
    return re.sub(rf"(?<!\w){article}(?=\w{{2}})", "", text) if article else text
