"""From pairs of entries to stories: how like each other, how long ago, and which story takes the entry.

Pure arithmetic over what `index` found; ties are broken by age and key, never by chance. Called by `index`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp

from monitor.cluster.view import Vector
from monitor.values import StoryKey

LEAST_PAIR = 0.04
BEST_SHARE = 0.3
"""What the single best pair weighs against the mean of the best three. The mean alone would never let a pair grow, the
best alone chains story to story; a centroid drifts towards the theme."""
BEST_PAIRS = 3
OTHER_FAMILY = 0.8
LEAST_SHARED = 2
RELIANCE = 2.5
"""A pair across languages scores at most so many times what it scores without its heaviest feature: one name is no
story."""
BEYOND_THEME = 8.0
"""A pair scores at most so many times what it scores without the words of one watch. In three invented stories with
look-alikes B-Cubed F of what matched rose from .85 to .90 and from .79 to .84, and nothing else changed."""
OTHER_NAMES = 0.3
"""Factor for two texts that both name names, places or figures and share none of them: one template, two happenings.
Also across languages, where countries and figures are written alike: in labelled news 1 % of the pairs of one story and
47 % of all others share none."""


DOUBT = 0.08
"""A second opinion is asked for where a story's score is so little under the threshold, and only there."""
OPINION_SHARE, OPINION_LEAST = 0.6, 0.85
"""What a second opinion weighs, and the cosine of titles that means nothing: unrelated ones have up to .86, one
sentence in two languages .91."""
Opinion = Callable[[str, str, datetime], float | None]
"""How like each other two titles of different languages are: a cosine of their meanings at a time; None for no answer.
"""

LEAST_REMAINS = 0.7
"""Ageing tells two similar happenings of a week apart; it must not tear a story whose follow-up takes some days. Two
reports of one request five days apart score 0.10 without a bound and 0.28 with it, at equal quality inside two days."""
LONGEST_LIFE_S = 14 * 86_400
"""The longest window that can be set; what is dated earlier than that is an old text, whenever it was seen."""
PAIR_DECAY, STORY_DECAY = 1.25, 1.55
"""How much slower than `decay` a pair ages, and a story since its nearest mention: a story that goes on stays near."""
NAMES_SHARE = 0.35
"""What names and concepts weigh inside a family when the entry is little more than a title: other words, same news."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A live entry and how like it the new one is, aged."""

    number: int
    story: StoryKey
    score: float
    same_family: bool


@dataclass(frozen=True, slots=True)
class Ranked:
    """A story with its score and its best pairs, best first."""

    story: StoryKey
    score: float
    pairs: tuple[Pair, ...]


def told_at(published_at: datetime | None, seen_at: datetime) -> datetime:
    """When an entry was told: as published, but never after it was seen."""
    return seen_at if published_at is None else min(published_at, seen_at)


def remains(gap_s: float, decay_s: float) -> float:
    """What remains of a score after some time: e-folding with `decay_s` seconds, within a story's life bounded."""
    fades = exp(-gap_s / decay_s)
    return max(fades, LEAST_REMAINS) if gap_s <= LONGEST_LIFE_S else fades


def cosine(vector: Vector, other: Vector) -> float:
    """How like each other two entries of one family are."""
    return sum(weight * other[name] for name, weight in vector.items() if name in other)


def across_languages(vector: Vector, other: Vector) -> float:
    """How like each other two entries of different families are: 0 for a single shared feature.

    A cosine, bounded by what it is without its heaviest feature.
    """
    products = [weight * other[name] for name, weight in vector.items() if name in other]
    if len(products) < LEAST_SHARED:
        return 0.0
    whole = sum(products)
    return OTHER_FAMILY * min(whole, RELIANCE * (whole - max(products)))


def with_opinion(score: float, cosine: float) -> float:
    """A story's score with a second opinion about its best pair.

    It may only add: titles of one story need not say the same, so that they differ means nothing.
    """
    meant = max(0.0, (cosine - OPINION_LEAST) / (1 - OPINION_LEAST))
    return max(score, round((1 - OPINION_SHARE) * score + OPINION_SHARE * meant, 9))


def names_others(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether both name names, places or figures, and none in common."""
    return len(one) > 1 and len(other) > 1 and one.isdisjoint(other)


def rank(pairs: Iterable[Pair], stories: Mapping[StoryKey, Sequence[int]]) -> list[Ranked]:
    """All stories that have a pair, best first. `stories` holds the numbers of their live entries, oldest first.

    Equal scores go to the story with the older live entry.
    """
    by_story: dict[StoryKey, list[Pair]] = {}
    for pair in pairs:
        by_story.setdefault(pair.story, []).append(pair)
    ranked = [_ranked(story, found, len(stories[story])) for story, found in by_story.items()]
    return sorted(ranked, key=lambda row: (-row.score, stories[row.story][0]))


def _ranked(story: StoryKey, pairs: list[Pair], size: int) -> Ranked:
    pairs.sort(key=lambda pair: (-pair.score, pair.number))
    mean = sum(pair.score for pair in pairs[:BEST_PAIRS]) / min(BEST_PAIRS, size)
    return Ranked(story, round(BEST_SHARE * pairs[0].score + (1 - BEST_SHARE) * mean, 9), tuple(pairs))
