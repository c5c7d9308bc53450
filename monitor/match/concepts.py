"""The lexicon: what each concept takes in each language, and the tables the query language needs.

Turns the compiled data files (and what config adds) into frozen values; reads no file itself. Called by config, lab,
query and matcher.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from monitor.errors import LexiconError
from monitor.match import patterns
from monitor.match.patterns import PatternError, Phrase
from monitor.text.fold import fold
from monitor.text.languages import family

EVERY_LANGUAGE = "*"
_TABLES = "tables/"


@dataclass(frozen=True, slots=True)
class ConceptPattern:
    """A phrase of one language family (None: of every one). `only_with` names concepts its sentence must hold too."""

    text: str
    phrase: Phrase
    language: str | None
    only_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guard:
    """Takes an occurrence back: inside one of the phrases (`words` is None), or at most `words` words from one."""

    phrases: tuple[ConceptPattern, ...]
    words: int | None = None


@dataclass(frozen=True, slots=True)
class Concept:
    """A named list of patterns with guards."""

    name: str
    patterns: tuple[ConceptPattern, ...]
    guards: tuple[Guard, ...] = ()

    def speaks(self, language: str | None) -> bool:
        """Whether any pattern applies to entries of a language family; None stands for an unknown one."""
        return any(pattern.language in (None, language) for pattern in self.patterns) or language is None


@dataclass(frozen=True, slots=True, repr=False)
class Concepts:
    """The whole lexicon. `frequencies`: folded word to documents in ten thousand that hold it."""

    version: int
    concepts: Mapping[str, Concept]
    languages: Mapping[str, tuple[str, ...]]
    countries: Mapping[str, tuple[str, ...]]
    acronyms_that_are_words: frozenset[str]
    frequencies: Mapping[str, int]
    fleeting: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Concepts(version={self.version}, {len(self.concepts)} concepts)"

    def named(self, name: str) -> Concept | None:
        """The concept of a name, whatever its case, with a space or a hyphen."""
        return self.concepts.get(_key(name))

    @property
    def names(self) -> tuple[str, ...]:
        """The concepts' names as they are written."""
        return tuple(concept.name for concept in self.concepts.values())


def _key(name: str) -> str:
    return fold(name).replace(" ", "-").strip("-")


# --------------------------------------------------------------------------------------------------------- reading


def from_raw(raw: Mapping[str, Any], extra: Mapping[str, Any] | None = None) -> Concepts:
    """Build the lexicon from compiled data and the `concepts:` section of a configuration.

    Errors: LexiconError with the file (or `concepts`, for a configuration) and the row.
    """
    read = (_concept(file, content) for file, content in raw.items() if not file.startswith(_TABLES))
    concepts = {_key(concept.name): concept for concept in read}
    for name, content in (extra or {}).items():
        added = _added(str(name), content)
        known = concepts.get(_key(added.name))
        concepts[_key(added.name)] = _joined(known, added) if known else added
    _check_references(concepts)
    tables = {file.removeprefix(_TABLES): content for file, content in raw.items() if file.startswith(_TABLES)}
    return Concepts(
        version=int(tables.get("lexicon", {}).get("version", 0)),
        concepts=concepts,
        languages=_names(tables.get("languages", {})),
        countries=_names(tables.get("countries", {})),
        acronyms_that_are_words=frozenset(map(fold, tables.get("acronyms", {}).get("also_words", ()))),
        frequencies={fold(str(word)): int(n) for word, n in tables.get("frequencies", {}).items()},
        fleeting={fold(word): str(advice) for word, advice in tables.get("fleeting", {}).items()},
    )


def _names(table: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    return {str(code): tuple(map(str, names or ())) for code, names in table.items()}


def _joined(known: Concept, added: Concept) -> Concept:
    return replace(known, patterns=known.patterns + added.patterns, guards=known.guards + added.guards)


def _concept(file: str, content: Any) -> Concept:
    match content:
        case {"name": str() as name, "languages": dict() as languages}:
            found = tuple(_patterns(file, f"languages.{code}", languages[code], code) for code in languages)
            return Concept(name, tuple(p for ps in found for p in ps), _guards(file, content.get("guards", ())))
        case _:
            raise LexiconError(file, "file", "a concept has a name and languages")


def _added(name: str, content: Any) -> Concept:
    """A concept of the configuration: languages directly under its name, `guards` beside them."""
    file, place = "concepts", f"{name}."
    if not isinstance(content, Mapping):
        raise LexiconError(file, name, "is no mapping of languages to lists of patterns")
    found: list[ConceptPattern] = []
    for code in content:
        if code != "guards":
            found.extend(_patterns(file, f"{place}{code}", content[code], str(code)))
    return Concept(name, tuple(found), _guards(file, content.get("guards", ()), place))


def _patterns(file: str, place: str, content: Any, code: str) -> tuple[ConceptPattern, ...]:
    """The patterns of one language: a list, or a mapping with `patterns`, maybe `only_with` beside examples."""
    groups = content.get("patterns") if isinstance(content, Mapping) else content
    if not isinstance(groups, list):
        raise LexiconError(file, place, "is no list of patterns")
    language = None if code == EVERY_LANGUAGE else family(code)
    found: list[ConceptPattern] = []
    for number, item in enumerate(groups):
        row = f"{place}[{number}]"
        match item:
            case {"patterns": list() as inner, "only_with": list() as needed}:
                found.extend(_pattern(file, row, text, language, tuple(map(str, needed))) for text in inner)
            case _:
                found.append(_pattern(file, row, item, language))
    return tuple(found)


def _pattern(file: str, row: str, text: Any, language: str | None, only_with: tuple[str, ...] = ()) -> ConceptPattern:
    if not isinstance(text, str):
        raise LexiconError(file, row, f"{text!r} is no pattern; quote it")
    try:
        return ConceptPattern(text, patterns.read(text), language, only_with)
    except PatternError as exc:
        raise LexiconError(file, row, f"{text}: {exc.message}" + (f"; {exc.hint}" if exc.hint else "")) from exc


def _guards(file: str, content: Any, place: str = "") -> tuple[Guard, ...]:
    if not isinstance(content, Iterable) or isinstance(content, str):
        raise LexiconError(file, f"{place}guards", "is no list")
    return tuple(_guard(file, f"{place}guards[{number}]", item) for number, item in enumerate(content))


def _guard(file: str, row: str, content: Any) -> Guard:
    match content:
        case {"not_inside": list() as phrases}:
            guard = Guard(tuple(_pattern(file, row, text, None) for text in phrases))
        case {"not_within": int() as words, "of": list() as phrases}:
            guard = Guard(tuple(_pattern(file, row, text, None) for text in phrases), words)
        case _:
            raise LexiconError(file, row, "a guard is not_inside: [...], or not_within: N and of: [...]")
    for pattern in guard.phrases:
        if len(pattern.phrase.words) > patterns.LONGEST_GUARD:
            raise LexiconError(file, row, f"{pattern.text}: a guard has {patterns.LONGEST_GUARD} words at most")
    return guard


def _check_references(concepts: Mapping[str, Concept]) -> None:
    for concept in concepts.values():
        for pattern in concept.patterns:
            for name in pattern.only_with:
                if _key(name) not in concepts:
                    raise LexiconError("concepts", concept.name, f"{pattern.text}: only_with names no concept: {name}")
