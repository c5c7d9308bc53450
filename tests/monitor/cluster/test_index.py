"""Restarts, rollbacks, merges and seeds: an index depends on what was added, and on nothing else."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.cluster.index import Index
from monitor.cluster.item import Item, story_key
from monitor.cluster.settings import Settings
from monitor.cluster.window import epoch_start
from monitor.values import Assignment, EntryId, StoryKey
from tests.monitor.cluster.stream import START, Stream, item, knowledge

PLACES = ("Niš", "Tuzla", "Bitola", "Rijeka", "Lezha", "Peja", "Bar", "Zenica", "Pula", "Ohrid")
MATTERS = (
    "strike at the shoe factory",
    "fire in the covered market",
    "quarrel over the tram line",
    "flood in the old town",
)
DETAILS = ("police say", "the mayor denies", "residents protest", "a court decides", "experts warn", "prices rise")


def news(count: int, seed: int, every: timedelta) -> list[Item]:
    """Made-up entries in order; texts repeat often enough for stories and copies."""
    dice = random.Random(seed)
    told = []
    for number in range(count):
        place, matter = dice.choice(PLACES), dice.choice(MATTERS)
        title = f"{place}: {matter}, {dice.choice(DETAILS)}"
        text = " ".join(
            f"In {place} the {matter} goes on and {dice.choice(DETAILS)}." for _ in range(dice.randint(0, 6))
        )
        outlet = f"outlet{dice.randint(1, 9)}.example"
        told.append(item(number, title, text, outlet=outlet, after=number * every))
    return told


def decisions(index: Index, items: list[Item]) -> list[Assignment]:
    """Assign and record items."""
    made = []
    for told in items:
        assignment = index.assign(told, told.seen_at)
        index.add(told, assignment.joined or story_key(str(told.id)))
        made.append(assignment)
    return made


def stories(items: list[Item], made: list[Assignment]) -> list[StoryKey]:
    return [assignment.joined or story_key(str(told.id)) for told, assignment in zip(items, made, strict=True)]


@pytest.mark.parametrize("stop", [1, 40, 95, 160])
def test_an_index_built_again_decides_as_one_that_never_stopped(stop: int) -> None:
    items = news(190, seed=3, every=timedelta(minutes=75))
    straight = decisions(Index(Settings(), knowledge()), items)
    again, now = Index(Settings(), knowledge()), items[stop].seen_at
    since = Index.reach(Settings(), now)
    for told, story in list(zip(items, stories(items, straight), strict=True))[:stop]:
        if told.seen_at >= since:
            again.add(told, story)
    assert decisions(again, items[stop:]) == straight[stop:]


@pytest.mark.parametrize("batch", [1, 40])
def test_a_rolled_back_batch_leaves_no_trace(batch: int) -> None:
    items = news(100, seed=5, every=timedelta(minutes=20))
    straight = decisions(Index(Settings(), knowledge()), items)
    index = Index(Settings(), knowledge())
    decisions(index, items[:50])
    decisions(index, items[50 : 50 + batch])
    index.remove(told.id for told in items[50 : 50 + batch])
    assert decisions(index, items[50:]) == straight[50:]


def test_asking_changes_nothing() -> None:
    items = news(80, seed=7, every=timedelta(minutes=20))
    straight = decisions(Index(Settings(), knowledge()), items)
    index = Index(Settings(), knowledge())
    for told, expected in zip(items, straight, strict=True):
        assert index.assign(told, told.seen_at) == index.assign(told, told.seen_at) == expected
        index.add(told, expected.joined or story_key(str(told.id)))


def test_a_merged_story_goes_on_under_the_other_key() -> None:
    stream = Stream()
    stream.say("Cracks close bridge over the Drina at Ljubovija")
    kept = StoryKey("st_0000000000")
    stream.index.move({EntryId(0): kept})
    assert stream.say("Bridge over the Drina at Ljubovija closed by cracks", hours=1).joined == kept


def test_entries_leave_with_the_window() -> None:
    index = Index(Settings(window=timedelta(hours=24)), knowledge())
    decisions(index, news(200, seed=9, every=timedelta(hours=1)))
    assert len(index) == 25
    features = index.features
    decisions(index, [item(999, "Nothing", after=timedelta(days=30))])
    assert (len(index), index.features < features) == (1, True)


def test_time_that_goes_back_is_no_fault() -> None:
    stream = Stream()
    stream.say("Cracks close bridge over the Drina at Ljubovija", hours=5)
    assert stream.say("Bridge over the Drina at Ljubovija closed by cracks", hours=4).joined == stream.stories[0]


@pytest.mark.parametrize("before", [0, 3, 1000])
def test_epochs_never_begin_in_the_future(before: int) -> None:
    starts = [epoch_start(before, today) for today in range(2000)]
    assert starts == sorted(starts)
    assert all(start <= today for today, start in enumerate(starts))


SCRIPT = """
from datetime import timedelta
from monitor.cluster.index import Index
from monitor.cluster.settings import Settings
from tests.monitor.cluster.stream import knowledge
from tests.monitor.cluster.test_index import decisions, news
print(decisions(Index(Settings(), knowledge()), news(60, seed=1, every=timedelta(minutes=30))))
"""


@pytest.mark.slow
def test_the_hash_seed_decides_nothing() -> None:
    def run(seed: str) -> bytes:
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, check=True, env=environment).stdout

    assert run("1") == run("2") != b""


def test_script_makes_no_difference() -> None:
    latin = [
        (
            "Vučić najavio izgradnju mosta preko Drine",
            "Predsednik je u Ljuboviji najavio da će most biti gotov do jeseni.",
        ),
        ("Najavljen novi most u Ljuboviji", "Vučić je rekao da će most preko Drine biti gotov do jeseni."),
        ("Poskupljuje hleb u Nišu", "Pekari u Nišu od ponedeljka dižu cenu hleba za deset dinara."),
        ("Pekari u Nišu dižu cenu", "Hleb u Nišu od ponedeljka je skuplji za deset dinara."),
    ]
    both = {script: Stream() for script in ("Latn", "Cyrl")}
    for number, (title, text) in enumerate(latin):
        for script, stream in both.items():
            written = [part if script == "Latn" else cyrillic(part) for part in (title, text)]
            stream.tell(item(number, *written, lang=f"sr-{script}", after=timedelta(hours=number)))
    assert both["Latn"].assignments == both["Cyrl"].assignments
    assert both["Latn"].groups == [0, 0, 2, 2]


def cyrillic(text: str) -> str:
    """Write Serbian in Cyrillic, letter by letter."""
    for pair, letter in (("lj", "љ"), ("nj", "њ"), ("dž", "џ"), ("Lj", "Љ"), ("Nj", "Њ")):
        text = text.replace(pair, letter)
    return text.translate(
        str.maketrans(
            "abvgdđežzijklmnoprstćufhcčšABVGDĐEŽZIJKLMNOPRSTĆUFHCČŠ",
            "абвгдђежзијклмнопрстћуфхцчшАБВГДЂЕЖЗИЈКЛМНОПРСТЋУФХЦЧШ",
        )
    )


def test_a_story_key_is_ten_letters_of_the_first_entry() -> None:
    assert story_key("tag:example.org,2025:1") == "st_dhmcck8mk7"
    assert story_key("tag:example.org,2025:1") != story_key("tag:example.org,2025:2")
    assert START.tzinfo is not None


BATCH = (
    ("Cracks close bridge over the Drina", "The road bridge at Ljubovija was closed after inspectors found cracks."),
    ("Drina bridge at Ljubovija closed", "Inspectors found cracks in the road bridge over the Drina at Ljubovija."),
    (
        "Ljubovija: inspectors close Drina bridge",
        "Cracks were found in the road bridge over the Drina.",
    ),
    ("Bakers in Niš raise the price of bread", "From Monday bread in Niš is dearer by ten dinars, bakers say."),
    ("Bread in Niš dearer by ten dinars", "Bakers in Niš raise the price of bread from Monday."),
    ("Volcano on Reykjanes erupts again", "Lava reached the road to Grindavík after the volcano erupted at dawn."),
    ("Reykjanes: volcano erupts, lava on road", "The volcano erupted at dawn and lava reached the road to Grindavík."),
)


def clusters(order: Sequence[int]) -> set[frozenset[int]]:
    """What a batch told at one time in this order falls into, by the numbers of its entries."""
    index = Index(Settings(), knowledge())
    items = [item(number, *BATCH[number]) for number in order]
    found: dict[StoryKey, set[int]] = {}
    for told, story in zip(items, stories(items, decisions(index, items)), strict=True):
        found.setdefault(story, set()).add(int(told.id))
    return {frozenset(numbers) for numbers in found.values()}


@given(st.permutations(range(len(BATCH))))
@settings(max_examples=30)
def test_the_order_inside_a_batch_changes_no_cluster(order: list[int]) -> None:
    assert clusters(order) == {frozenset({0, 1, 2}), frozenset({3, 4}), frozenset({5, 6})}


@given(st.integers(1, 119), st.data())
@settings(max_examples=10)
def test_entries_that_come_again_change_nothing(stop: int, data: st.DataObject) -> None:
    items = news(120, seed=11, every=timedelta(minutes=20))
    straight = decisions(Index(Settings(), knowledge()), items)
    index = Index(Settings(), knowledge())
    decisions(index, items[:stop])
    known = stories(items, straight)
    for number in data.draw(st.lists(st.integers(0, stop - 1), max_size=20)):
        index.add(items[number], known[number], straight[number])
    assert decisions(index, items[stop:]) == straight[stop:]
