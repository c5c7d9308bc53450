"""Word patterns of the lexicon: how a row is written, compiled and found in a list of folded words.

A form is a line of elements: `word` (exact), `stem*` (any ending), `stem~` (at most three more letters),
`stem{a|o}` (the same, and the listed endings are the nominative), `(one|other*)`, `@list` (a word list of the same
language), a trailing `?` (may be missing), `..` and `..5` (up to three, up to five words between, no punctuation but
quotation marks).
Matching is linear: every form hangs on its first word, gaps are bounded and nothing is nested. `lexicon` compiles
forms, `clauses` runs them; nothing here knows what a form means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from monitor.text.fold import fold

ENDING = 3
"""Letters a name or noun may have beyond its stem, unless its language says more (setting `ending:5`)."""
_GAP = 3
PUNCTUATION = frozenset(',;:.!?()"-|')
_PART = re.compile(r"\([^)]*\)\??|\S+")


@dataclass(frozen=True, slots=True)
class Element:
    """One place of a form. `stems` hold (stem, nominative endings or None, letters allowed beyond the stem)."""

    exact: frozenset[str]
    prefixes: tuple[str, ...] = ()
    stems: tuple[tuple[str, frozenset[str] | None], ...] = ()
    optional: bool = False
    gap: int = 0
    longest: int = ENDING

    def accepts(self, word: str) -> int:
        """0 for no, 1 for yes, 2 for yes in an oblique case."""
        if word in self.exact or (self.prefixes and word.startswith(self.prefixes)):
            return 1
        best = 0
        for stem, nominative in self.stems:
            if word.startswith(stem) and len(word) <= len(stem) + self.longest:
                if nominative is None or word[len(stem) :] in nominative:
                    return 1
                best = 2
        return best


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """A compiled form and what it stands for."""

    elements: tuple[Element, ...]
    payload: object
    text: str = ""


class Found(NamedTuple):
    """A form at `words[start:end]`; `nominative` is False when one of its words stands in an oblique case."""

    start: int
    end: int
    payload: object
    nominative: bool


class FormError(ValueError):
    """A form cannot be read."""


def compile_form(text: str, payload: object, lists: Mapping[str, Sequence[str]], longest: int = ENDING) -> Form:
    """Read one form; `lists` holds the word lists that `@name` may use, `longest` is the length of an ending.

    Errors: FormError for an empty form, one that begins with a gap or an optional word, an unknown
    list, a gap of no number.
    """
    elements = tuple(_elements(text, lists, longest))
    if not elements or elements[0].gap or elements[0].optional:
        raise FormError(f"form {text!r} must begin with a word")
    return Form(elements, payload, text)


def variants(text: str) -> list[str]:
    """A form whose brackets hold alternatives of several words, as forms whose brackets hold single words.

    >>> variants("(a|b c) d")
    ['(a) d', 'b c d']
    """
    for found in re.finditer(r"\(([^()]*)\)(\??)", text):
        choices = found[1].split("|")
        long = [choice for choice in choices if " " in choice.strip()]
        if long and "{" not in found[1]:
            short = [choice for choice in choices if choice not in long]
            parts = [*([f"({'|'.join(short)})"] if short else []), *long, *([""] if found[2] else [])]
            joined = [f"{text[: found.start()]}{part}{text[found.end() :]}" for part in parts]
            return [variant for one in joined for variant in variants(" ".join(one.split()))]
    return [text]


def _elements(text: str, lists: Mapping[str, Sequence[str]], longest: int) -> Iterable[Element]:
    for part in _PART.findall(text):
        if part.startswith(".."):
            if part != ".." and not part[2:].isdecimal():
                raise FormError(f"form {text!r}: {part!r} is no gap; .. is one, and ..3 one of three words")
            yield Element(frozenset(), gap=int(part[2:] or _GAP))
            continue
        optional = part.endswith("?") and len(part) > 1
        body = part[:-1] if optional else part
        if body.startswith("@"):
            if body[1:] not in lists:
                raise FormError(f"form {text!r}: no list {body[1:]!r}")
            choices: Sequence[str] = lists[body[1:]]
        elif body.startswith("("):
            choices = body[1:-1].split("|") if "{" not in body else _split(body[1:-1])
        else:
            choices = (body,)
        if any(" " in choice for choice in choices):
            raise FormError(f"form {text!r}: one word per alternative")
        yield element(choices, optional=optional, longest=longest)


def _split(body: str) -> list[str]:
    """Alternatives of a bracket whose stems carry endings of their own: `(vlad{a|e}|kabinet{})`."""
    return re.findall(r"[^|{]+(?:\{[^}]*\})?", body)


def folded(words: Iterable[str]) -> list[str]:
    """The words as texts show them to the matcher."""
    return [fold(word) for word in words]


def element(choices: Sequence[str], *, optional: bool = False, longest: int = ENDING) -> Element:
    """One place that takes any of the given words, stems or stems with endings."""
    return _element(tuple(choices), optional, longest)


@lru_cache(maxsize=50_000)
def _element(choices: tuple[str, ...], optional: bool, longest: int) -> Element:
    """The same words give the same object: languages share names and bodies, and three in five places are alike."""
    exact: list[str] = []
    prefixes: list[str] = []
    stems: list[tuple[str, frozenset[str] | None]] = []
    for choice in choices:
        if choice.endswith("*"):
            prefixes.append(fold(choice[:-1]))
        elif choice.endswith("~"):
            stems.append((fold(choice[:-1]), None))
        elif choice.endswith("}"):
            stem, _, endings = choice[:-1].partition("{")
            stems.append((fold(stem), frozenset(fold(ending) for ending in endings.split("|"))))
        elif choice:
            exact.append(choice if choice in PUNCTUATION else fold(choice))
    return Element(frozenset(exact), tuple(prefixes), tuple(stems), optional, longest=longest)


class Begun(NamedTuple):
    """A form whose first word fits: in which case, and the element that must take the next word, if one must."""

    form: Form
    case: int
    second: Element | None


_HEAD = 3
"""Stems are looked up by so many letters first: most words begin like none of them."""


class Starting(NamedTuple):
    """The forms a word can begin: those it is all of, those that ask for one of a few next words, and the others.

    Of the first only what a hit needs is kept: their payloads, and whether the word is their nominative.
    """

    whole: tuple[tuple[object, bool], ...]
    by_next: Mapping[str, tuple[Begun, ...]]
    others: tuple[Begun, ...]


_NOTHING = Starting((), {}, ())


@dataclass(frozen=True, slots=True)
class Index:
    """All forms of one language, by the beginning of their first word."""

    starting: Callable[[str], Starting] = field(repr=False)

    def find(self, words: Sequence[str]) -> list[Found]:
        """Find every form at every word, in order of position."""
        found: list[Found] = []
        last = len(words)
        for at, word in enumerate(words):
            begun = self.starting(word)
            for payload, nominative in begun.whole:
                found.append(Found(at, at + 1, payload, nominative))
            if not begun.by_next and not begun.others:
                continue
            following = words[at + 1] if at + 1 < last else ""
            for form, first, second in (*begun.by_next.get(following, ()), *begun.others):
                if second is not None and not (following and second.accepts(following)):
                    continue
                end, rest = match(form.elements, 1, words, at + 1)
                if end > 0:
                    found.append(Found(at, end, form.payload, max(first, rest) == 1))
        return found


def index(forms: Iterable[Form]) -> Index:
    """Hang each form on the words or stems it can begin with."""
    exact: dict[str, list[Form]] = {}
    starts: dict[str, list[Form]] = {}
    for form in forms:
        first = form.elements[0]
        for word in sorted(first.exact):
            exact.setdefault(word, []).append(form)
        for stem in sorted({*first.prefixes, *(stem for stem, _ in first.stems)}):
            starts.setdefault(stem, []).append(form)
    exact_rows = {word: tuple(rows) for word, rows in exact.items()}
    start_rows = {stem: tuple(rows) for stem, rows in starts.items()}

    lengths: dict[str, set[int]] = {}
    for stem in start_rows:
        lengths.setdefault(stem[:_HEAD], set()).add(len(stem))

    @lru_cache(maxsize=20_000)
    def starting(word: str) -> Starting:
        rows = dict.fromkeys(exact_rows.get(word, ()))
        fitting = {length for n in range(1, _HEAD + 1) for length in lengths.get(word[:n], ())}
        for length in sorted(fitting, reverse=True):  # the closest stem first: "Nigerije" is Nigeria's, not Niger's
            if length <= len(word):
                rows.update(dict.fromkeys(start_rows.get(word[:length], ())))
        if not rows:
            return _NOTHING
        cases = ((form, form.elements[0].accepts(word)) for form in rows)
        return _divided([Begun(form, case, _next(form)) for form, case in cases if case])

    return Index(starting)


def _divided(rows: Sequence[Begun]) -> Starting:
    by_next: dict[str, list[Begun]] = {}
    others = []
    for row in rows:
        if row.second is not None and not row.second.prefixes and not row.second.stems:
            for word in row.second.exact:
                by_next.setdefault(word, []).append(row._replace(second=None))
        elif len(row.form.elements) > 1:
            others.append(row)
    whole = tuple((row.form.payload, row.case == 1) for row in rows if len(row.form.elements) == 1)
    return Starting(whole, {word: tuple(found) for word, found in by_next.items()}, tuple(others))


def _next(form: Form) -> Element | None:
    second = form.elements[1] if len(form.elements) > 1 else None
    return None if second is None or second.gap or second.optional else second


def match(elements: tuple[Element, ...], first: int, words: Sequence[str], at: int) -> tuple[int, int]:
    """Match `elements[first:]` at `words[at:]`; answers the end (0 for none) and 1 or 2 as `Element.accepts`."""
    case = 1
    while first < len(elements):
        element = elements[first]
        if element.gap:
            return _after_gap(elements, first, words, at, case)
        answer = element.accepts(words[at]) if at < len(words) else 0
        if element.optional:
            if answer:
                end, rest = match(elements, first + 1, words, at + 1)
                if end:
                    return end, max(case, rest)
            first += 1
            continue
        if not answer:
            return 0, 0
        case = max(case, answer)
        first, at = first + 1, at + 1
    return at, case


def _after_gap(elements: tuple[Element, ...], first: int, words: Sequence[str], at: int, case: int) -> tuple[int, int]:
    following = elements[first + 1] if first + 1 < len(elements) else None
    plain = following is not None and not following.gap and not following.optional
    for skip in range(elements[first].gap + 1):
        here = at + skip
        if following is None or not plain or (here < len(words) and following.accepts(words[here])):
            end, rest = match(elements, first + 1, words, here)
            if end:
                return end, max(case, rest)
        if here >= len(words) or (words[here] in PUNCTUATION and words[here] != '"'):
            break
    return 0, 0
