"""Which story an entry tells and whose text it is, read off a window.

    features -> similar entries -> stories by score -> threshold -> copies -> Assignment

Changes nothing. Called by `index`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from monitor.cluster import scoring
from monitor.cluster.copies import Comparison, Overlap, Shingles, verdict
from monitor.cluster.features import Features
from monitor.cluster.item import Item
from monitor.cluster.scoring import Pair, Ranked
from monitor.cluster.settings import CopySettings, Settings
from monitor.cluster.theme import Asked, Theme, explained, themes
from monitor.cluster.view import Vector
from monitor.cluster.window import Live, Window
from monitor.values import Assignment, Role, StoryKey

_SHOWN_FEATURES = 8


@dataclass(frozen=True, slots=True)
class Read:
    """An item as far as it has been read: features, shingles, and the rule that excludes it."""

    item: Item
    features: Features
    shingles: Shingles
    excluded: str | None


@dataclass(frozen=True, slots=True)
class _Source:
    """An earlier entry and what the new text is to it."""

    role: Role
    of: Live
    found: Overlap


def assign(
    read: Read,
    window: Window,
    settings: Settings,
    opinion: scoring.Opinion | None = None,
    asked: Iterable[Asked] = (),
) -> Assignment:
    """Decide about one entry. `opinion` is asked where a story is nearly joined for a text in another language.

    `asked` are the words of the watches that brought it here.
    """
    threshold = settings.threshold(read.features.family, read.features.chars)
    if read.excluded is not None:
        return Assignment(None, 0.0, threshold, Role.ORIGINAL, reason=f"excluded:{read.excluded}")
    words = window.words(read.features.family).vector(read.features.words)
    names = window.names.vector(read.features.names)
    likeness = _Likeness(read, window, settings, words, names, themes(asked, {**words, **names}))
    pairs = _pairs(read, window, threshold / 2, settings, likeness)
    sources = _sources(read, window, settings.copies, pairs)
    ranked = scoring.rank(pairs, window.stories)
    if opinion is not None and ranked:
        ranked = _heard(ranked, threshold, read, window, opinion)
    decided, pair = _decide(threshold, ranked, sources)
    if pair is not None:
        decided = replace(decided, shared=_in_common(window, pair, words, names))
    return decided if decided.joined is None else _with_role(decided, sources, read.shingles, settings.copies)


def _pairs(read: Read, window: Window, least: float, settings: Settings, likeness: _Likeness) -> list[Pair]:
    """The live entries that speak for a story, in the order in which they came.

    Stories without a pair of `least` are left out: none of them could be joined.
    """
    ageing = _Ageing(read, window, settings)
    found = []
    for story in likeness.stories(least):
        for number in window.stories[story]:
            score = likeness.of(number)
            if score > scoring.LEAST_PAIR:
                live = window.live[number]
                score *= ageing.of(live)
                if score > scoring.LEAST_PAIR:
                    found.append(Pair(number, story, score, live.family == read.features.family))
    return sorted(found, key=lambda pair: pair.number)


class _Likeness:
    """How like the live entries are to the new one, time left out: by words inside its family, by names outside."""

    def __init__(
        self,
        read: Read,
        window: Window,
        settings: Settings,
        words: Vector,
        names: Vector,
        asked_for: tuple[Theme, ...],
    ) -> None:
        self._window = window
        self._asked_for = asked_for
        self._words = words
        self._family, self._naming = read.features.family, read.features.naming
        self._is_short = read.features.chars < settings.title_only_chars
        self._names = names
        self._by_words = window.words(self._family).similar(words, scoring.LEAST_PAIR)
        self._by_names = window.names.similar(names, 0.0 if self._is_short else scoring.LEAST_PAIR)

    def stories(self, least: float) -> set[StoryKey]:
        """The stories with an entry at least so like."""
        live = self._window.live
        near = {number for number, cosine in self._by_names.items() if cosine >= least}
        near.update(number for number, cosine in self._by_words.items() if cosine >= least)
        return {live[number].story for number in near if self.of(number) >= least}

    def of(self, number: int) -> float:
        """How like one live entry is."""
        live = self._window.live[number]
        cosine = self._within(number) if live.family == self._family else self._across(number)
        if cosine and scoring.names_others(self._naming, live.naming):
            cosine *= scoring.OTHER_NAMES
        if cosine and self._is_short and live.family == self._family:
            cosine += scoring.NAMES_SHARE * (self._by_names.get(number, 0.0) - cosine)
        return min(cosine, scoring.BEYOND_THEME * self._beyond(number, live)) if self._asked_for else cosine

    def _beyond(self, number: int, live: Live) -> float:
        """How like they are without the words for which both came here."""
        by_names = self._without(self._names, self._window.names.vector_of(number))
        if live.family != self._family:
            return by_names
        by_words = self._without(self._words, self._window.words(self._family).vector_of(number))
        return by_words + scoring.NAMES_SHARE * (by_names - by_words) if self._is_short else by_words

    def _without(self, mine: Vector, other: Vector) -> float:
        shared = [(name, weight * other[name]) for name, weight in mine.items() if name in other]
        return sum(product for _, product in shared) - explained(shared, self._asked_for)

    def _within(self, number: int) -> float:
        return self._by_words.get(number, 0.0)

    def _across(self, number: int) -> float:
        if self._by_names.get(number, 0.0) <= scoring.LEAST_PAIR:
            return 0.0
        return scoring.across_languages(self._names, self._window.names.vector_of(number))


class _Ageing:
    """What remains of a pair's score for the time between both entries, and between the new one and the story."""

    def __init__(self, read: Read, window: Window, settings: Settings) -> None:
        self._told_s = scoring.told_at(read.item.published_at, read.item.seen_at).timestamp()
        self._window = window
        decay_s = settings.decay.total_seconds()
        self._pair_s, self._story_s = decay_s * scoring.PAIR_DECAY, decay_s * scoring.STORY_DECAY
        self._stories: dict[StoryKey, float] = {}

    def of(self, live: Live) -> float:
        """The share that remains of a pair with this entry."""
        remains = self._stories.get(live.story)
        if remains is None:
            entries, told_s = self._window.live, self._told_s
            gap_s = min(abs(told_s - entries[number].told_s) for number in self._window.stories[live.story])
            remains = self._stories[live.story] = scoring.remains(gap_s, self._story_s)
        return remains * scoring.remains(abs(self._told_s - live.told_s), self._pair_s)


def _decide(threshold: float, ranked: list[Ranked], sources: list[_Source]) -> tuple[Assignment, Pair | None]:
    """The story to join, if any, and the best pair that speaks for it. Who has another's text joins its story."""
    best = ranked[0] if ranked else None
    joined = best.story if best is not None and best.score >= threshold else None
    reason = "joined" if joined else "too little in common" if best else "nothing in common"
    source = next((source for source in sources if _is_same_text(source)), None)
    if source is not None and joined != source.of.story:
        joined, reason = source.of.story, "same text"
    chosen = next((row for row in ranked if row.story == joined), best)
    other = next((row for row in ranked if chosen is None or row.story != chosen.story), None)
    decided = Assignment(
        joined=joined,
        score=chosen.score if chosen else 0.0,
        threshold=threshold,
        role=Role.ORIGINAL if joined is None else Role.REPORT,
        runner_up=other.story if other else None,
        runner_up_score=other.score if other else 0.0,
        reason=reason,
    )
    return decided, chosen.pairs[0] if chosen else None


def _heard(
    ranked: list[Ranked], threshold: float, read: Read, window: Window, opinion: scoring.Opinion
) -> list[Ranked]:
    """The stories, the best of them with a second opinion if it is a close call across languages."""
    best, pair = ranked[0], ranked[0].pairs[0]
    if pair.same_family or not threshold - scoring.DOUBT <= best.score < threshold:
        return ranked
    cosine = opinion(read.item.title, window.live[pair.number].title, read.item.seen_at)
    if cosine is None:
        return ranked
    return [replace(best, score=scoring.with_opinion(best.score, cosine)), *ranked[1:]]


def _is_same_text(source: _Source) -> bool:
    """Whether two entries are one text from its first words on: a form filled in twice is none."""
    if source.role is Role.UPDATE:
        return source.found.lead >= source.found.containment / 2
    return source.role is Role.COPY


def _in_common(window: Window, pair: Pair, words: Vector, names: Vector) -> tuple[tuple[str, float], ...]:
    """The features that speak for a pair, heaviest first."""
    if pair.same_family:
        found = window.words(window.live[pair.number].family).in_common(words, pair.number)
    else:
        found = window.names.in_common(names, pair.number)
    return tuple((name, round(product, 3)) for name, product in found[:_SHOWN_FEATURES])


def _sources(read: Read, window: Window, settings: CopySettings, pairs: list[Pair]) -> list[_Source]:
    """What the text is to the live entries most like it, in the order in which they came."""
    if read.shingles.words < settings.min_words:
        return []
    mine = Comparison(read.shingles, settings)
    sources = []
    for live in _candidates(read, window, settings, pairs):
        if live.shingles.words < settings.min_words:
            continue
        same = read.item.publisher is not None and read.item.publisher == live.publisher
        found = mine.overlap(live.shingles)
        if found.containment >= settings.shared:
            found = mine.overlap(live.shingles, _printed_everywhere(mine.shared(live.shingles), read, live, window))
        sources.append(_Source(verdict(found, same_publisher=same, settings=settings), live, found))
    return sources


def _candidates(read: Read, window: Window, settings: CopySettings, pairs: list[Pair]) -> list[Live]:
    """The entries of the same family that score best, and the first one with the same title."""
    near = sorted((pair for pair in pairs if pair.same_family), key=lambda pair: (-pair.score, pair.number))
    numbers = {pair.number for pair in near[: settings.candidates]}
    titled = window.same_title(read.features.family, read.features.folded_title)
    if titled is not None:
        numbers.add(titled.number)
    return [window.live[number] for number in sorted(numbers)]


def _printed_everywhere(shared: frozenset[int], read: Read, live: Live, window: Window) -> frozenset[int]:
    found: frozenset[int] = frozenset()
    for publisher in (read.item.publisher, live.publisher):
        if publisher is not None:
            found |= window.printed(publisher, shared, live.number)
    return found


def _with_role(decided: Assignment, sources: list[_Source], text: Shingles, settings: CopySettings) -> Assignment:
    """Add what the text is to the earlier texts of its story: an own update first, then a copy, then shared text."""
    if text.words < settings.min_words:
        return replace(decided, reason=f"{decided.reason}; too short to tell a copy")
    inside = [source for source in sources if source.of.story == decided.joined]
    for role in (Role.UPDATE, Role.COPY, Role.SHARED_TEXT):
        source = next((source for source in inside if source.role is role), None)
        if source is not None:
            of = source.of.id if role is Role.COPY else None
            return replace(decided, role=role, copy_of=of, containment=round(source.found.containment, 3))
    most = max((source.found.containment for source in inside), default=0.0)
    return replace(decided, containment=round(most, 3))
