"""The automaton against a plain reading of every watch, and texts moved between scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor import lexicons
from monitor.match import matcher, patterns, query, tree
from monitor.match.concepts import Concept, Concepts, from_raw
from monitor.match.matcher import Document, WatchQuery
from monitor.match.patterns import Kind, Phrase
from monitor.match.scan import is_gap
from monitor.text import languages
from monitor.text.fold import fold
from monitor.text.sentences import paragraphs, sentences
from monitor.text.words import Word, words

Place = tuple[str, int, int]

LEXICON = from_raw(lexicons.load("match/concepts"))


class Plain:
    """Evaluates one query word by word, without automaton, anchors or caches."""

    def __init__(self, document: Document, concepts: Concepts) -> None:
        self.texts = {"title": document.title, "text": document.text}
        self.words = {field: words(text) for field, text in self.texts.items()}
        self.family = languages.family(document.language)
        self.concepts = concepts

    def marks(self, node: tree.Node, fields: tuple[str, ...] = ("title", "text")) -> set[Place] | None:
        match node:
            case tree.Term() | tree.ConceptRef():
                return self.places(node, fields) or None
            case tree.Scoped():
                return self.marks(node.inner, (node.field,))
            case tree.And():
                parts = [self.marks(item, fields) for item in node.items]
                return None if None in parts else set().union(*(part for part in parts if part))
            case tree.Or():
                held = [part for item in node.items if (part := self.marks(item, fields)) is not None]
                return set().union(*held) if held else None
            case tree.Not():
                left = self.marks(node.left, fields)
                return None if any(self.marks(right, fields) is not None for right in node.right) else left
            case tree.Near() | tree.NotNear() | tree.Together():
                return self.pair(node, fields) or None
            case _:
                raise AssertionError(node)

    def pair(self, node: tree.Near | tree.NotNear | tree.Together, fields: tuple[str, ...]) -> set[Place]:
        lefts = set().union(*(self.places(operand, fields) for operand in tree.operands(node.left)))
        rights = set().union(*(self.places(operand, fields) for operand in tree.operands(node.right)))
        met = [(left, right) for left in lefts for right in rights if self.meet(node, left, right)]
        if isinstance(node, tree.NotNear):
            return lefts - {left for left, _ in met}
        return {place for pair in met for place in pair}

    def meet(self, node: tree.Near | tree.NotNear | tree.Together, left: Place, right: Place) -> bool:
        between = self.between(left, right)
        if between is None:
            return False
        cut = sentences if isinstance(node, tree.Together) and node.unit == "sentence" else paragraphs
        together = any(s <= left[1] < e and s <= right[1] < e for s, e in cut(self.texts[left[0]]))
        if isinstance(node, tree.Together) or not together:
            return together
        ordered = isinstance(node, tree.Near) and node.ordered
        return between <= node.words and (not ordered or left[1] < right[1])

    def between(self, left: Place, right: Place) -> int | None:
        if left[0] != right[0]:
            return None
        first, second = sorted((left, right), key=lambda place: place[1])
        if first[2] > second[1]:
            return None
        return sum(first[2] <= word.start and word.end <= second[1] for word in self.words[left[0]])

    def places(self, operand: tree.Operand, fields: tuple[str, ...]) -> set[Place]:
        if isinstance(operand, tree.Term):
            return set(self.phrase(operand.phrase, fields))
        concept = self.concepts.named(operand.name)
        assert concept is not None
        found = {place for place in self.concept(concept) if not self.is_vetoed(concept, place)}
        return {place for place in found if place[0] in fields}

    def concept(self, concept: Concept) -> Iterator[Place]:
        for pattern in concept.patterns:
            if self.family in (None, pattern.language) or pattern.language is None:
                for place in self.phrase(pattern.phrase):
                    if not pattern.only_with or self.has_company(place, pattern.only_with):
                        yield place

    def has_company(self, place: Place, names: tuple[str, ...]) -> bool:
        text = self.texts[place[0]]
        here = next((s, e) for s, e in sentences(text) if s <= place[1] < e)
        others = (other for name in names for other in self.places(tree.ConceptRef(name), (place[0],)))
        return any(here[0] <= other[1] < here[1] for other in others)

    def is_vetoed(self, concept: Concept, place: Place) -> bool:
        for guard in concept.guards:
            for pattern in guard.phrases:
                for other in self.phrase(pattern.phrase, (place[0],)):
                    if guard.words is None and other[1] <= place[1] and place[2] <= other[2]:
                        return True
                    between = self.between(place, other)
                    if guard.words is not None and between is not None and between <= guard.words:
                        return True
        return False

    def phrase(self, phrase: Phrase, fields: tuple[str, ...] = ("title", "text")) -> Iterator[Place]:
        for field in fields:
            text, found = self.texts[field], self.words[field]
            for number in range(len(found) - len(phrase.words) + 1):
                run = found[number : number + len(phrase.words)]
                fits = all(self.fits(pattern, word, text) for pattern, word in zip(phrase.words, run, strict=True))
                if fits and all(is_gap(text[left.end : right.start]) for left, right in pairwise(run)):
                    yield field, run[0].start, run[-1].end

    def fits(self, pattern: patterns.WordPattern, word: Word, text: str) -> bool:
        if pattern.kind is Kind.WILD:
            return not word.dotted and patterns.regex(pattern).fullmatch(word.folded) is not None
        if word.dotted and not patterns.may_be_dotted(pattern):
            return False
        if pattern.kind is Kind.EXACT:
            return patterns.spelled(text[word.start : word.end]) == pattern.written
        if pattern.kind is Kind.ACRONYM:
            return word.folded == pattern.letters and word.is_caps and not self.is_shouted(pattern.letters, text)
        if pattern.plural:
            return patterns.plural_key(word.folded) == patterns.plural_key(pattern.letters)
        return word.folded == pattern.letters

    def is_shouted(self, letters: str, text: str) -> bool:
        if letters not in self.concepts.acronyms_that_are_words or len(words(text)) < 3:
            return False
        return sum(map(str.isupper, text)) >= 0.8 * sum(map(str.isalpha, text))


def outermost(marks: set[Place]) -> set[Place]:
    return {
        (field, start, end)
        for field, start, end in marks
        if not any(f == field and s <= start and end <= e and (s, e) != (start, end) for f, s, e in marks)
    }


VOCABULARY = [
    "ferry", "Ferries", "FERRY", "strike", "port", "work", "permit", "permits", "NATO", "N.A.T.O.", "nato", "US",
    "U.S.", "us", "Љиг", "Ljig", "Ljiga", "zemlja", "земаља", "treću", "zemlju", "third", "country", "the", "to",
    "migrants", "мигранти", "migrant", "birds", "deported", "TPS", "per", "second", "vend", "të", "tretë", "Ana’s",
    "NATO-s", "O’Hara", "work-permit", "x.org/ferry", "ferry@x.org", "har\u00adbour", "c\u030cudo", "12,500",
]  # fmt: skip
TEXTS = st.lists(
    st.tuples(
        st.sampled_from(VOCABULARY), st.sampled_from([" ", " ", " ", " ", ", ", ". ", "-", " – ", "\n", "\n\n", "/"])
    ),
    max_size=14,
).map(lambda pairs: "".join(word + gap for word, gap in pairs))
TERMS = st.sampled_from(
    ["ferry", "ferries", "strike", "port*", "*ort", "f?rry", "NATO", "US", "us", "nato", "Љиг", "Ljig*", "zem(lj|alj)*",
     '"work permit"', '="FERRY"', "O'Hara", "harbour", "čudo", "~third-country", "~migrant", "~TPS", "~deportation"]
)  # fmt: skip
GROUPS = TERMS | st.lists(TERMS, min_size=2, max_size=3).map(lambda terms: f"({' OR '.join(terms)})")
OPERATORS = st.sampled_from(["NEAR/0", "NEAR/2", "NEAR/9", "BEFORE/3", "SENTENCE", "PARAGRAPH", "NOT NEAR/2"])
PAIRS = st.builds("({} {} {})".format, GROUPS, OPERATORS, GROUPS)
JOINED = ["({} AND {})", "({} OR {})", "({} NOT {})", "({} AND title:{})", "({} OR text:{})"]
QUERIES = st.recursive(
    GROUPS | PAIRS,
    lambda inner: st.builds(lambda form, left, right: form.format(left, right), st.sampled_from(JOINED), inner, inner),
    max_leaves=4,
).filter(lambda text: not re.search(r"(title|text):[^A]*(title|text):", text))
DOCUMENTS = st.builds(Document, TEXTS, TEXTS, st.sampled_from(["en", "sr", "sq", None, "pl"]))


@settings(max_examples=100, deadline=None)
@given(st.lists(QUERIES, min_size=1, max_size=6), DOCUMENTS)
def test_the_automaton_finds_what_a_plain_reading_finds(queries: list[str], document: Document) -> None:
    trees = [query.parse(text, LEXICON) for text in queries if not query.problems(text, LEXICON)]
    watches = [WatchQuery(str(number), node) for number, node in enumerate(trees)]
    found = {match.watch: match.spans for match in matcher.compile(watches, LEXICON).match(document)}
    for watch in watches:
        marks = Plain(document, LEXICON).marks(watch.tree)
        spans = {(span.field, span.start, span.end) for span in found.get(watch.name, ())}
        assert spans == outermost(marks or set()), query.show(watch.tree)


@settings(max_examples=100, deadline=None)
@given(st.lists(QUERIES, min_size=1, max_size=3), st.text(), st.text() | TEXTS)
def test_spans_stay_inside_and_on_word_borders(queries: list[str], title: str, body: str) -> None:
    good = [text for text in queries if not query.problems(text, LEXICON)]
    watches = [WatchQuery(text, query.parse(text, LEXICON)) for text in good]
    fields = {"title": title, "text": body}
    for match in matcher.compile(watches, LEXICON).match(Document(title, body)):
        assert match.spans
        assert list(match.spans) == sorted(match.spans, key=lambda span: (span.field == "text", span.start))
        for span in match.spans:
            text = fields[span.field]
            assert 0 <= span.start < span.end <= len(text)
            assert not text[span.start - 1 : span.start].isalnum()
            assert not text[span.end : span.end + 1].isalnum()


# --------------------------------------------------------------------------------------------------------- scripts

LATIN = dict(
    zip(
        "абвгдђежзијклљмнњопрстћуфхцчџш",
        (*"abvgdđežzijkl", "lj", "m", "n", "nj", *"oprstćufhcč", "dž", "š"),
        strict=True,
    )
)
MACEDONIAN = {"ѓ": "gj", "ќ": "kj", "ѕ": "dz"}
CYRILLIC_WORDS = st.lists(st.sampled_from(sorted({**LATIN, **MACEDONIAN})), min_size=2, max_size=7).map("".join)
CYRILLIC_TEXTS = st.lists(
    CYRILLIC_WORDS
    | CYRILLIC_WORDS.map(str.capitalize)
    | st.sampled_from(["треће", "земље", "мигранти", "Његош", "САД"]),
    min_size=1,
    max_size=10,
).map(" ".join)


def to_latin(text: str) -> tuple[str, list[int]]:
    """A text moved letter by letter into Latin, and where each of its letters went."""
    out, places = "", []
    for letter in text:
        places.append(len(out))
        plain = {**LATIN, **MACEDONIAN}.get(letter.lower(), letter)
        out += plain.capitalize() if letter.isupper() else plain
    return out, [*places, len(out)]


@settings(max_examples=100, deadline=None)
@given(CYRILLIC_TEXTS, st.data())
def test_both_scripts_match_alike(text: str, data: st.DataObject) -> None:
    moved, places = to_latin(text)
    assert fold(moved) == fold(text)
    word = data.draw(st.sampled_from(text.split()))
    terms = [
        word,
        f"{word}*" if len(word) > 2 else word,
        "~third-country",
        "~migrant",
        "Njegoš",
        f"{word} NEAR/2 migrant*",
    ]
    watches = [
        WatchQuery(str(number), query.parse(f'"{t}"' if t == word else t, LEXICON)) for number, t in enumerate(terms)
    ]
    engine = matcher.compile(watches, LEXICON)
    cyrillic = engine.match(Document(text, "", "sr"))
    latin = engine.match(Document(moved, "", "sr"))
    assert [match.watch for match in latin] == [match.watch for match in cyrillic]
    for left, right in zip(cyrillic, latin, strict=True):
        assert [(places[span.start], places[span.end]) for span in left.spans] == [
            (s.start, s.end) for s in right.spans
        ]
