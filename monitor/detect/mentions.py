"""Where a text credits an outlet: a name with a credit word beside it, a name before a colon, or one in a dateline.

Whether the outlet is the origin or passes on is `attribution`'s business. Names the outlet table does not know count
only in a strict position: behind a credit and with a word that makes it an outlet's ("Kanal 10", "Rwanda TV").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from monitor.detect import names
from monitor.detect.credits import Credits, Cue, Language, Place
from monitor.detect.outlets import NameHit, OutletTable
from monitor.text import sentences
from monitor.values import Domain

TEXT = "text"
TITLE = "title"
_BEFORE = frozenset(
    (Cue.CITE, Cue.CITING, Cue.TOLD, Cue.FOR, Cue.PUBLISH, Cue.RELAY, Cue.FIRST, Cue.ASK_BEFORE, Cue.REPORT_BEFORE)
) | {Cue.WEAK}
_BEHIND = frozenset((Cue.PUBLISH, Cue.AFTER, Cue.RELAY, Cue.FIRST, Cue.ASK_AFTER, Cue.REPORT_AFTER))
_REACH = {
    Cue.CITE: 4,
    Cue.CITING: 4,
    Cue.TOLD: 3,
    Cue.FOR: 0,
    Cue.PUBLISH: 2,
    Cue.AFTER: 4,
    Cue.RELAY: 2,
    Cue.FIRST: 2,
    Cue.ASK_BEFORE: 4,
    Cue.ASK_AFTER: 3,
    Cue.REPORT_BEFORE: 1,
    Cue.REPORT_AFTER: 2,
    Cue.WEAK: 0,
}
"""How many words, fillers not counted, may stand between a credit and an unmistakable name."""
_STRICT_CUES = (_BEFORE | _BEHIND) - {Cue.WEAK, Cue.REPORT_AFTER}
_QUOTES = "\"'\u201e\u201c\u201d\u00ab\u00bb\u2018\u2019\u201a\u2039\u203a"
_STOPS = frozenset(",;:()[]\u2014\u2013\u2026?!")
_AND = frozenset(("and", "i", "dhe", "si", "y", "et", "und", "en", "in", "ve", "a", "e", "ir", "or", "ili", "oraz"))
_DATELINE_WITHIN = 90
_MAX_NAME_WORDS = 5


@dataclass(frozen=True, slots=True)
class Mention:
    """A credited outlet: `field[start:end]` is its name, `credit` the words that credit it.

    `passes_on` says that the outlet cites another one; `sentence` numbers the sentences of the field.
    """

    field: str
    start: int
    end: int
    name: str
    domain: Domain | None
    sentence: int
    cues: frozenset[Cue]
    credit: str
    dateline: bool = False
    passes_on: bool = False
    background: bool = False


@dataclass(frozen=True, slots=True)
class _Sentence:
    """One sentence with its words, cues and the outlets' names in it (as ranges of words)."""

    field: str
    number: int
    start: int
    end: int
    text: str
    words: tuple[names.Word, ...]
    cues: tuple[Place, ...]
    hits: tuple[tuple[int, int, NameHit], ...]
    language: Language


def find(
    title: str, text: str, language: str | None, country: str | None, table: OutletTable, known: Credits
) -> tuple[Mention, ...]:
    """Find all credited mentions, title first, in the order of the text."""
    found: list[Mention] = []
    for field, whole in ((TITLE, title), (TEXT, text)):
        hits = table.names_in(whole, language, country)
        found.extend(_datelines(field, whole, hits, table))
        taken = {(mention.field, mention.start) for mention in found}
        for sentence in _sentences(field, whole, hits, known.of(language)):
            found.extend(
                mention for mention in _in_sentence(sentence, table) if (mention.field, mention.start) not in taken
            )
    return tuple(sorted(found, key=lambda mention: (mention.field != TITLE, mention.start)))


def _sentences(field: str, whole: str, hits: tuple[NameHit, ...], language: Language) -> Iterator[_Sentence]:
    for number, (start, end) in enumerate(sentences.sentences(whole)):
        inside = [hit for hit in hits if start <= hit.start < end]
        cut = tuple(
            names.Word(word.start + start, word.end + start, word.folded) for word in names.words(whole[start:end])
        )
        if not inside and not any(
            word.folded in language.media or whole[word.start - 1 : word.start] in "\u201e\u00ab\u201c" for word in cut
        ):
            continue
        ranges = tuple((*_range(cut, hit), hit) for hit in inside)
        cues = tuple(cue for cue in language.cues(whole, cut) if not _overlaps(cue, ranges))
        yield _Sentence(field, number, start, end, whole, cut, cues, ranges, language)


def _range(cut: tuple[names.Word, ...], hit: NameHit) -> tuple[int, int]:
    inside = [at for at, word in enumerate(cut) if word.start < hit.end and hit.start < word.end]
    return (inside[0], inside[-1] + 1) if inside else (0, 0)


def _overlaps(cue: Place, ranges: tuple[tuple[int, int, NameHit], ...]) -> bool:
    return any(cue.first < last and first < cue.last for first, last, _ in ranges)


def _in_sentence(sentence: _Sentence, table: OutletTable) -> Iterator[Mention]:
    background = sentence.number > 0 and any(Cue.BACKGROUND in cue.kinds for cue in sentence.cues)
    previous: Mention | None = None
    for at, (first, last, hit) in enumerate(sentence.hits):
        mention = _known(sentence, first, last, hit) or _coordinated(sentence, at, previous)
        if mention is not None and not _is_second_name(sentence, at, table):
            previous = replace(mention, background=background)
            yield previous
    for mention in _unknown(sentence):
        yield replace(mention, background=background)


def _known(sentence: _Sentence, first: int, last: int, hit: NameHit) -> Mention | None:
    if _is_blocked(sentence, first):
        return None
    strict = hit.strict and not _is_quoted(sentence.text, hit.start, hit.end)
    left = _left(sentence, first, hit, strict)
    right = _right(sentence, last, hit, strict)
    colon = _stands_before_colon(sentence, first, hit)
    chosen = left or right
    citing = _cites_another(sentence, last)
    if chosen is None and not colon and not citing:
        return None
    cues = chosen.kinds if chosen else frozenset((Cue.PUBLISH,))
    credit = _words(sentence, chosen) if chosen else "citing" if citing else ":"
    return Mention(
        sentence.field, hit.start, hit.end, hit.name, hit.domain, sentence.number, cues, credit,
        passes_on=citing,
    )  # fmt: skip


def _left(sentence: _Sentence, first: int, hit: NameHit, strict: bool) -> Place | None:
    """The credit before a name; of several the nearest."""
    for cue in reversed(sentence.cues):
        if cue.last > first or not cue.kinds & _BEFORE:
            continue
        between = sentence.words[cue.last : first]
        if _interrupted(sentence, cue.last - 1, hit.start) or any(
            cue.last <= begin and end <= first for begin, end, _ in sentence.hits
        ):
            return None
        kinds = frozenset(
            kind
            for kind in cue.kinds & _BEFORE
            if _reaches(sentence, kind, between, strict) and _for_is_told(sentence, kind, cue, hit, strict)
        )
        if kinds:
            return Place(cue.first, cue.last, kinds)
    return None


def _right(sentence: _Sentence, last: int, hit: NameHit, strict: bool) -> Place | None:
    """The credit behind a name; only a cited or a first report may stand behind a comma."""
    for cue in sentence.cues:
        if cue.first < last or not cue.kinds & _BEHIND:
            continue
        if any(last <= begin and end <= cue.first for begin, end, _ in sentence.hits):
            return None
        stopped = _stops_between(sentence, hit.end, sentence.words[cue.first].start)
        if stopped and not (Cue.FIRST in cue.kinds and stopped == {","}):
            return None
        between = sentence.words[last : cue.first]
        at_start = strict and last == hit_words(sentence, hit) and between
        kinds = frozenset(kind for kind in cue.kinds & _BEHIND if _reaches(sentence, kind, between, strict))
        if kinds and not at_start:
            return Place(cue.first, cue.last, kinds)
    return None


def hit_words(sentence: _Sentence, hit: NameHit) -> int:
    """How many words a name at the very start of its sentence has; -1 elsewhere."""
    first, last = _range(sentence.words, hit)
    return last if first == 0 else -1


def _reaches(sentence: _Sentence, kind: Cue, between: tuple[names.Word, ...], strict: bool) -> bool:
    if strict and kind not in _STRICT_CUES:
        return False
    if kind is not Cue.ASK_BEFORE and any(word.folded in sentence.language.stops for word in between):
        return False
    apart = sum(word.folded not in sentence.language.fillers for word in between)
    return apart <= (0 if strict else _REACH[kind]) and len(between) <= 8


def _for_is_told(sentence: _Sentence, kind: Cue, cue: Place, hit: NameHit, strict: bool) -> bool:
    """ "for X" credits X only beside a verb of speech, or as "Y for X:" in a heading."""
    if kind is not Cue.FOR or _colon_follows(sentence.text, hit.end):
        return True
    spoken = [other for other in sentence.cues if other.kinds & {Cue.SPEAK, Cue.TOLD}]
    if strict:
        return any(abs(cue.first - other.last) <= 2 or abs(other.first - cue.last) <= 3 for other in spoken)
    return bool(spoken)


def _cites_another(sentence: _Sentence, last: int) -> bool:
    """Whether the name ending at word `last` is the one that cites an outlet named later in the sentence."""
    for cue in sentence.cues:
        if cue.first >= last and Cue.CITING in cue.kinds:
            before = [begin for begin, _, _ in sentence.hits if last <= begin < cue.first]
            cited = [
                begin
                for begin, _, _ in sentence.hits
                if begin >= cue.last and begin - cue.last <= 5 and not _interrupted_words(sentence, cue.last, begin)
            ]
            return bool(cited) and not before
    return False


def _interrupted_words(sentence: _Sentence, first: int, last: int) -> bool:
    return bool(_stops_between(sentence, sentence.words[first - 1].end, sentence.words[last].start))


def _interrupted(sentence: _Sentence, last_of_cue: int, start: int) -> bool:
    return bool(_stops_between(sentence, sentence.words[last_of_cue].end, start))


def _stops_between(sentence: _Sentence, start: int, end: int) -> set[str]:
    return set(sentence.text[start:end]) & _STOPS


def _stands_before_colon(sentence: _Sentence, first: int, hit: NameHit) -> bool:
    """ "Bloomberg: ..." opens a heading or a sentence."""
    return first == 0 and _colon_follows(sentence.text, hit.end)


def _colon_follows(text: str, end: int) -> bool:
    return text[end : end + 3].lstrip(_QUOTES).startswith(":")


def _coordinated(sentence: _Sentence, at: int, previous: Mention | None) -> Mention | None:
    """The second of "told X and Y" is credited like the first."""
    if previous is None or at == 0:
        return None
    _, last_before, before = sentence.hits[at - 1]
    first, _, hit = sentence.hits[at]
    between = sentence.words[last_before:first]
    if before.start != previous.start or any(word.folded not in _AND | sentence.language.fillers for word in between):
        return None
    if hit.strict and not _is_quoted(sentence.text, hit.start, hit.end):
        return None
    if not any(word.folded in _AND for word in between) and "," not in sentence.text[before.end : hit.start]:
        return None
    return replace(previous, start=hit.start, end=hit.end, name=hit.name, domain=hit.domain, passes_on=False)


def _is_second_name(sentence: _Sentence, at: int, table: OutletTable) -> bool:
    """Whether a name in brackets repeats the one before it: "Radio Slobodna Evropa (RSE)"."""
    if at == 0:
        return False
    _, _, hit = sentence.hits[at]
    _, _, before = sentence.hits[at - 1]
    if sentence.text[before.end : hit.start].strip() != "(" or hit.domain is None or before.domain is None:
        return False
    return table.by_domain(hit.domain).publisher == table.by_domain(before.domain).publisher


def _is_quoted(text: str, start: int, end: int) -> bool:
    return text[start - 1 : start] in _QUOTES and text[end : end + 1] in _QUOTES and bool(text[end : end + 1])


def _is_blocked(sentence: _Sentence, first: int) -> bool:
    for cue in sentence.cues:
        if Cue.NOT_AFTER in cue.kinds and cue.last <= first:
            between = sentence.words[cue.last : first]
            if len(between) <= 1 and not _stops_between(
                sentence, sentence.words[cue.last - 1].end, sentence.words[first].start
            ) - {":", "("}:
                return True
    return False


def _words(sentence: _Sentence, cue: Place) -> str:
    return sentence.text[sentence.words[cue.first].start : sentence.words[cue.last - 1].end]


# ---------------------------------------------------------------------------------------------- unknown names


def _unknown(sentence: _Sentence) -> Iterator[Mention]:
    """Names the table does not know, in a strict position and with an outlet's word in them or quoted."""
    for cue in sentence.cues:
        for first, last in _runs_beside(sentence, cue):
            if any(first < end and begin < last for begin, end, _ in sentence.hits):
                continue
            start, end = sentence.words[first].start, sentence.words[last - 1].end
            written = sentence.text[start:end]
            yield Mention(
                sentence.field, start, end, written, None, sentence.number,
                cue.kinds & (_BEFORE | _BEHIND), _words(sentence, cue),
            )  # fmt: skip
            break


_UNKNOWN_BEFORE = frozenset((Cue.CITE, Cue.CITING, Cue.TOLD, Cue.FOR, Cue.RELAY, Cue.PUBLISH, Cue.FIRST))


def _runs_beside(sentence: _Sentence, cue: Place) -> Iterator[tuple[int, int]]:
    if cue.kinds & _UNKNOWN_BEFORE:
        run = _run_after(sentence, cue.last)
        if run and not _interrupted(sentence, cue.last - 1, sentence.words[run[0]].start):
            if cue.kinds == {Cue.FOR} and not any(other.kinds & {Cue.SPEAK, Cue.TOLD} for other in sentence.cues):
                return
            if _has_outlet_word(sentence, *run) or (_quoted_run(sentence, *run) and not cue.kinds & {Cue.FOR}):
                yield run
    if cue.kinds & {Cue.PUBLISH, Cue.RELAY}:
        run = _run_before(sentence, cue.first)
        if run and _has_outlet_word(sentence, *run):
            yield run


def _run_after(sentence: _Sentence, at: int) -> tuple[int, int] | None:
    """The capitalised words behind a credit, fillers in between skipped."""
    first = at
    while first < len(sentence.words) and _is_small(sentence, first):
        if sentence.words[first].folded not in sentence.language.fillers or first - at > 3:
            return None
        first += 1
    last = first
    while last < len(sentence.words) and last - first < _MAX_NAME_WORDS and not _is_small(sentence, last):
        if last > first and sentence.text[sentence.words[last - 1].end : sentence.words[last].start] not in (" ", "-"):
            break
        last += 1
    return (first, last) if last > first else None


def _run_before(sentence: _Sentence, at: int) -> tuple[int, int] | None:
    """The capitalised words right before a credit verb."""
    first = at
    while first > 0 and at - first < _MAX_NAME_WORDS and not _is_small(sentence, first - 1):
        if sentence.text[sentence.words[first - 1].end : sentence.words[first].start] not in (" ", "-"):
            break
        first -= 1
    return (first, at) if first < at else None


def _is_small(sentence: _Sentence, at: int) -> bool:
    letter = sentence.text[sentence.words[at].start]
    return not letter.isupper() and not letter.isdigit()


def _has_outlet_word(sentence: _Sentence, first: int, last: int) -> bool:
    """Two words or more, the first or last of them a word for an outlet; a channel's number may follow."""
    if last - first < 2:
        return False
    end = last - 2 if sentence.words[last - 1].folded.isdigit() else last - 1
    ends = (sentence.words[first].folded, sentence.words[end].folded)
    return any(word in sentence.language.media for word in ends)


def _quoted_run(sentence: _Sentence, first: int, last: int) -> bool:
    start, end = sentence.words[first].start, sentence.words[last - 1].end
    return last - first <= 3 and _is_quoted(sentence.text, start, end)


# -------------------------------------------------------------------------------------------------- datelines


def _datelines(field: str, text: str, hits: tuple[NameHit, ...], table: OutletTable) -> Iterator[Mention]:
    """Agencies in brackets or slashes that open or close a text: "(BSS/AFP) -", "... (Beta)"."""
    if field == TITLE:
        return
    for hit in hits:
        if hit.domain is not None and table.by_domain(hit.domain).kind not in ("wire", "broadcaster", None):
            continue
        opened = text.rfind("(", 0, hit.start), text.rfind("/", 0, hit.start), text.rfind("[", 0, hit.start)
        start = max(opened)
        if start < 0 or hit.start - start > 30 or "\n" in text[start : hit.start]:
            continue
        if not _only_agencies(text[start : hit.end], hits, start):
            continue
        if _opens(text, start, hit.end) or _closes(text, hit.end):
            yield Mention(
                field, hit.start, hit.end, hit.name, hit.domain, 0, frozenset(), text[start : hit.end], dateline=True
            )


def _only_agencies(piece: str, hits: tuple[NameHit, ...], offset: int) -> bool:
    """Whether a bracket holds nothing but names of outlets and slashes."""
    for hit in hits:
        if offset <= hit.start < offset + len(piece):
            piece = piece.replace(hit.name, "", 1)
    return not any(letter.isalpha() for letter in piece)


def _opens(text: str, start: int, end: int) -> bool:
    """ "PRISTINA, June 11 (AFP) - ..." near the start."""
    behind = text[end : end + 30].lstrip("/,ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    behind = behind.lstrip(")]/ \u00a0")
    start -= text.rfind("\n", 0, start) + 1
    return start <= _DATELINE_WITHIN and (behind[:1] in ("-", "\u2013", "\u2014", ":") or start <= 2)


def _closes(text: str, end: int) -> bool:
    """Nothing but signs and other agencies up to the paragraph's end."""
    rest = text[end:].split("\n", 1)[0]
    return (
        len(rest) <= 25
        and not any(letter.islower() for letter in rest)
        and rest.lstrip("/ABCDEFGH").strip()[:1] in (")", "]", "/", "")
    )
