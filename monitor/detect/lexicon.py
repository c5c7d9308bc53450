"""The lexicon as a frozen value: what each language calls governments, bodies, speech, silence and negation.

Built from the compiled data folder by the shell; refuses rows that contradict each other, naming file and row.
Languages are built when a text first needs them: an installation reads few of them, and starts at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypeVar

from monitor.detect import affixes, clauses, forms, lexicon_names
from monitor.detect.affixes import Affixes
from monitor.detect.clauses import Sentence
from monitor.detect.forms import Element, Form, FormError
from monitor.detect.lexicon_rows import ACTORS, SPEAKERS, STANCES, Body, Payload, Row, Speaker, Tag
from monitor.errors import LexiconError
from monitor.text import languages
from monitor.text.nearest import nearest

Raw = Mapping[str, Any]
_SPEECH = "speech/"
_ROW_KEYS = frozenset(("id", "stance", "forms", "needs", "not", "objects", "actor", "asker", "before", "examples"))
_FILE_KEYS = frozenset(("inherits", "names", "home", "settings", "lists", "bodies", "speakers", "rows", "months"))
_MONTHS = 12
_FARTHEST = 3
"""Slips in the id of a row: its number may be forgotten, and that is three characters."""
_FILES = {"cnr": "me", languages.SOUTH_SLAVIC: "sr"}
"""Languages whose file is named otherwise: Montenegrin stands under its country, Serbo-Croatian under its first."""
_FEWEST = 3
_SHARE = 0.3
"""Function words a text must hold before its language is guessed: related languages share a quarter of theirs."""
GRAMMAR = (
    *("neg", "and", "split", "relative", "that", "condition", "whether", "modal", "to", "from", "in", "prep", "of"),
    *("det", "genitive", "pronoun", "time", "there", "realm", "future", "former", "passive", "perfect", "article"),
    *("request", "asked", "own", "statement", "told", "aux", "headnoun", "acronym_nominative", "demonstrative"),
    *("suffix", "proclitic", "backshift", "agent", "as", "post", "unwilling"),
    *("irrealis", "would", "term", "adverb", "counterpart", "reproach", "messenger", "because", "country"),
    "hearsay",
)
"""Word lists the rules ask for; a language that has no such words leaves them out."""
APART = frozenset(("abbreviations", "function", "suffix", "proclitic"))
"""Lists for cutting a text and guessing its language."""
SOUGHT = frozenset(
    (
        *("split", "relative", "neg", "by", "pronoun", "third", "former", "anonymous", "recent", "background"),
        *("pluperfect", "condition", "because", "whether", "unknown", "demand", "expected", "modal", "hearsay"),
    )
)
"""Word lists whose words are sought in a sentence, like those of complements (`c_...`). The others answer for one word
at a time; to find all their prepositions and articles would cost more than finding everybody who speaks."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pack:
    """Everything one language needs. `months` maps the folded beginning of a month's name to its number."""

    language: str
    index: forms.Index
    home: str | None
    lists: Mapping[str, Element]
    months: Mapping[str, int]
    month_stems: tuple[str, ...]
    abbreviations: frozenset[str]
    settings: frozenset[str]
    affixes: Affixes | None = None

    def sentences(self, text: str, field: str) -> Iterator[Sentence]:
        """Cut one field of an entry as this language is written."""
        return clauses.sentences(text, field, self.abbreviations, self.affixes.part if self.affixes else None)

    def lists_word(self, word: str) -> bool:
        """Whether a folded word stands in a word list: an ordinary word, part of no name."""
        return any(words.accepts(word) for name, words in self.lists.items() if name not in APART)

    def has(self, setting: str) -> bool:
        """Whether the language has a trait, such as `pro_drop`; docs/extending-languages.md lists them."""
        return setting in self.settings

    def endings(self, kind: str) -> tuple[str, ...]:
        """The endings of a kind of words, such as `participle`, as the language's settings give them."""
        return tuple(one.partition(":")[2] for one in self.settings if one.startswith(f"{kind}:"))


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All languages. `pack` builds one when it is first asked for."""

    languages: tuple[str, ...]
    function_words: Mapping[str, frozenset[str]]
    families: Mapping[str, str]
    homeless: frozenset[str]
    homes: Mapping[str, str]
    disabled: frozenset[str]
    _build: Any = field(repr=False, compare=False)

    def pack(self, language: str | None) -> Pack | None:
        """The pack of an ISO 639-1 code or BCP 47 tag, None for a language nobody listed."""
        base = languages.base(language) or ""
        base = _FILES.get(base, base)
        built: Pack | None = self._build(base) if base in self.languages else None
        return built

    def guess(self, words: Sequence[str]) -> str | None:
        """The language whose function words make up most of a text; None when none stands out, or two do.

        Languages of one family (one inherits the other) may tie: the first of them is as good as any.
        """
        hits = {name: sum(word in known for word in words) for name, known in self.function_words.items()}
        best = max(sorted(hits), key=lambda name: hits[name], default="")
        if not best or hits[best] < max(_FEWEST, _SHARE * len(words)):
            return None
        rivals = {name for name in hits if hits[name] == hits[best]}
        return best if len({self.families.get(name, name) for name in rivals}) == 1 else None


def from_raw(
    raw: Raw,
    *,
    disable: Iterable[str] = (),
    homes: Mapping[str, str] | None = None,
    speech: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
    extra: Sequence[Raw] = (),
) -> Lexicon:
    """Read the compiled folder `detect/lexicon` and what the configuration adds or takes away.

    `disable` are ids of rows, `homes` maps outlets' domains to countries, `speech` holds further verbs by language and
    stance, `extra` further names ({government, body, names, valid_from, valid_to}).
    Errors: LexiconError with file and row.
    """
    files = {name.removeprefix(_SPEECH): rows for name, rows in raw.items() if name.startswith(_SPEECH)}
    for name, rows in files.items():
        _check_file(name, rows, files)
    names = lexicon_names.read(raw, extra)
    disabled = _known_ids(disable, files, names)

    @cache
    def build(language: str) -> Pack:
        return _Builder(language, files, names, disabled, (speech or {}).get(language, {})).pack()

    shared = raw.get("homes", {})
    return Lexicon(
        languages=tuple(sorted(files)),
        function_words={
            name: frozenset(forms.folded(_lists(files, name).get("function", ()))) for name in sorted(files)
        },
        families={name: rows["inherits"] for name, rows in files.items() if rows.get("inherits")},
        homeless=frozenset(shared.get("homeless", ())),
        homes={**shared.get("homes", {}), **(homes or {})},
        disabled=disabled,
        _build=build,
    )


def validate(lexicon: Lexicon) -> None:
    """Build every language, so that each fault is found now. Errors: LexiconError."""
    for language in lexicon.languages:
        lexicon.pack(language)


def examples(raw: Raw) -> Iterable[tuple[str, str, str, bool, str]]:
    """Every example of every row: language, row id, stance, whether it must fire, sentence."""
    for name in sorted(raw):
        if name.startswith(_SPEECH):
            for row in raw[name].get("rows", ()):
                for expected, key in ((True, "yes"), (False, "no")):
                    for sentence in row.get("examples", {}).get(key, ()):
                        yield name.removeprefix(_SPEECH), row["id"], row["stance"], expected, sentence


def _check_file(name: str, rows: Raw, files: Mapping[str, Raw]) -> None:
    file = f"{_SPEECH}{name}"
    unknown = sorted(set(rows) - _FILE_KEYS)
    if unknown:
        raise LexiconError(file, unknown[0], "unknown key")
    parent = rows.get("inherits")
    if parent is not None and parent not in files:
        raise LexiconError(file, "inherits", f"no language {parent!r}")
    months = rows.get("months", ())
    if months and len(items(months)) != _MONTHS:
        raise LexiconError(file, "months", f"{len(items(months))} months instead of {_MONTHS}")
    seen: set[str] = set()
    for row in rows.get("rows", ()):
        _check_row(file, row, seen)


def _check_row(file: str, row: Raw, seen: set[str]) -> None:
    row_id = str(row.get("id", "?"))
    unknown = sorted(set(row) - _ROW_KEYS)
    if unknown:
        raise LexiconError(file, row_id, f"unknown key {unknown[0]!r}")
    if row_id in seen:
        raise LexiconError(file, row_id, "this id is used twice")
    seen.add(row_id)
    if row.get("stance") not in STANCES:
        raise LexiconError(file, row_id, f"unknown stance {row.get('stance')!r}")
    if row.get("actor", "before") not in ACTORS:
        raise LexiconError(file, row_id, f"unknown actor {row['actor']!r}; one of {', '.join(sorted(ACTORS))}")
    given = row.get("examples") or {}
    if not given.get("yes") or not given.get("no"):
        raise LexiconError(file, row_id, "needs one example that fires and one that does not")
    if not row.get("forms"):
        raise LexiconError(file, row_id, "has no form")


def items(value: str | Sequence[str]) -> list[str]:
    """Forms as written in a file: a list, or one text with ` / ` between them."""
    if isinstance(value, str):
        return [part for part in map(str.strip, value.replace("\n", " ").split(" / ")) if part]
    return [str(part) for part in value]


def _lists(files: Mapping[str, Raw], name: str) -> dict[str, list[str]]:
    """Word lists of a language, its parent's included."""
    rows = files[name]
    merged = _lists(files, rows["inherits"]) if rows.get("inherits") else {}
    for key, words in (rows.get("lists") or {}).items():
        merged[key] = [*merged.get(key, ()), *items(words)]
    return merged


def _is_sought(payload: object) -> bool:
    return not isinstance(payload, Tag) or payload.name in SOUGHT or payload.name.startswith("c_")


def _known_ids(disable: Iterable[str], files: Mapping[str, Raw], names: lexicon_names.Names) -> frozenset[str]:
    known = {row["id"] for rows in files.values() for row in rows.get("rows", ())} | names.ids
    wanted = list(disable)
    for at, row_id in enumerate(wanted):
        if row_id not in known:
            near = nearest(row_id, known, _FARTHEST)
            hint = f"; did you mean {near!r}?" if near else ""
            raise LexiconError("config.yaml", f"governments.disable[{at}]", f"no row {row_id!r}{hint}")
    return frozenset(wanted)


class _Builder:
    """Collects one language's forms."""

    def __init__(
        self,
        language: str,
        files: Mapping[str, Raw],
        names: lexicon_names.Names,
        disabled: frozenset[str],
        speech: Mapping[str, Sequence[str]],
    ) -> None:
        self.language, self.files, self.names = language, files, names
        self.disabled, self.speech = disabled, speech
        self.chain = self._chain(language)
        self.settings = frozenset(items(self._inherited("settings", [])))
        self.article = affixes.value(self.settings, "article")
        self.longest = int(affixes.value(self.settings, "ending") or forms.ENDING)
        lists = _lists(files, language)
        self.lists = {name: [affixes.bare(word, self.article) for word in words] for name, words in lists.items()}
        self.forms: list[Form] = []
        self.claimed: dict[str, Row] = {}

    def _chain(self, language: str) -> list[str]:
        parent = self.files[language].get("inherits")
        return [*(self._chain(parent) if parent else ()), language]

    def _inherited(self, key: str, default: T) -> T:
        for name in reversed(self.chain):
            if key in self.files[name]:
                found: T = self.files[name][key]
                return found
        return default

    def pack(self) -> Pack:
        for name, words in self.lists.items():
            if name not in APART:
                self._add(f"lists.{name}", words, Tag(name))
        for file in self.chain:
            self._bodies(file)
            for row in self.files[file].get("rows", ()):
                self._row(file, row)
        for stance, verbs in self.speech.items():
            self._row("config.yaml", {"id": f"extra-{self.language}-{stance}", "stance": stance, "forms": verbs})
        for language in items(self._inherited("names", [self.language])):
            for text, payload in self.names.forms(language, self.disabled):
                self._add("names", (text,), payload)
        none: list[str] = []
        months = items(self._inherited("months", none))
        numbers = {form: at + 1 for at, names in enumerate(months) for form in forms.folded(names.split("|"))}
        home: str | None = self._inherited("home", None)
        return Pack(
            language=self.language,
            index=forms.index(form for form in self.forms if _is_sought(form.payload)),
            home=home,
            lists={name: self._choices(self.lists.get(name, ())) for name in {*self.lists, *GRAMMAR}},
            months=numbers,
            month_stems=tuple(form[:-1] for form in numbers if form.endswith("*")),
            abbreviations=frozenset(forms.folded(self.lists.get("abbreviations", ()))),
            settings=self.settings,
            affixes=affixes.affixes(self.lists, self.article, self.forms),
        )

    def _bodies(self, file: str) -> None:
        for body, words in (self.files[file].get("bodies") or {}).items():
            try:
                payload = lexicon_names.body(body)
            except ValueError as exc:
                raise LexiconError(f"{_SPEECH}{file}", f"bodies.{body}", str(exc)) from exc
            for word in items(words):
                form, shout = lexicon_names.form(f"{_SPEECH}{file}", f"bodies.{body}", word)
                self._add(f"bodies.{body}", (form,), replace(payload, shout=shout))
        for kind, words in (self.files[file].get("speakers") or {}).items():
            if kind not in SPEAKERS:
                raise LexiconError(f"{_SPEECH}{file}", f"speakers.{kind}", "unknown kind of speaker")
            self._add(f"speakers.{kind}", items(words), Speaker(kind))

    def _row(self, file: str, raw: Raw) -> None:
        if raw["id"] in self.disabled:
            return
        objects = tuple((stance, self._choices(items(words))) for stance, words in (raw.get("objects") or {}).items())
        # Objects of the verb's own stance win: "rejects the request to take asylum seekers" is no rejected application.
        objects = tuple(sorted(objects, key=lambda pair: pair[0] != raw["stance"]))
        row = Row(
            id=raw["id"],
            stance=raw["stance"],
            needs=self._choices(items(raw["needs"])) if raw.get("needs") else None,
            excludes=self._choices(items(raw["not"])) if raw.get("not") else None,
            objects=objects,
            actor=raw.get("actor", "before"),
            asker=bool(raw.get("asker")),
            before=self._choices(items(raw["before"])) if raw.get("before") else None,
        )
        texts = items(raw["forms"])
        for text in texts:
            other = self.claimed.setdefault(text, row)
            clash = other.stance != row.stance and other.silent != row.silent
            if clash and not (row.excludes or row.needs or other.excludes or other.needs or row.before or other.before):
                raise LexiconError(f"{_SPEECH}{file}", row.id, f"form {text!r} belongs to {other.id!r} already")
        self._add(row.id, texts, row)

    def _add(self, row: str, texts: Iterable[str], payload: Payload) -> None:
        for text in [variant for written in texts for variant in forms.variants(str(written))]:
            try:
                bare = affixes.bare(text, self.article)
                self.forms.append(forms.compile_form(bare, payload, self.lists, self.longest))
            except FormError as exc:
                raise LexiconError(f"{_SPEECH}{self.language}", row, str(exc)) from exc

    def _choices(self, words: Sequence[str]) -> Element:
        """One element that accepts any of the words; forms of several words are left out."""
        single = [affixes.bare(str(word), self.article) for word in words if " " not in str(word)]
        return forms.element(single, longest=self.longest)


__all__ = ["Body", "Lexicon", "Pack", "examples", "from_raw", "validate"]
