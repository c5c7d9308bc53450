"""Origins and the graph of a story."""

from __future__ import annotations

import itertools

import pytest

from monitor.detect import provenance
from monitor.values import Citation
from tests.monitor.detect.telling import TABLE, Story, cites, says

Entries = list[tuple[str | None, tuple[Citation, ...]]]

CASES: dict[str, tuple[Entries, str]] = {
    "no credit at all: unknown, never guessed": ([("wire", ())], "unknown"),
    "told to the outlet itself": ([("wire", cites("wire"))], "own Wire"),
    "an outlet the story has": ([("wire", cites("wire")), ("daily", cites("wire"))], "known Wire via Wire"),
    "an origin the story does not have": (
        [("wire", cites("wire")), ("daily", cites("agency"))],
        "new Agency via Agency",
    ),
    "an origin credited before is known": (
        [("portal", cites("wire")), ("daily", cites("wire"))],
        "known Wire via Wire",
    ),
    "relays stand before the origin": (
        [("wire", cites("wire")), ("daily", cites("-portal", "wire"))],
        "known Wire via Portal > Wire",
    ),
    "an origin that has it from another": (
        [("wire", cites("wire")), ("agency", cites("wire")), ("daily", cites("-portal", "agency"))],
        "known Wire via Portal > Agency > Wire",
    ),
    "two that credit each other": (
        [("wire", cites("agency")), ("agency", cites("wire")), ("daily", cites("agency"))],
        "known Wire via Agency > Wire",
    ),
    "an earlier fact is not the origin": (
        [("wire", cites("wire")), ("daily", cites("(agency", "wire"))],
        "known Wire via Wire",
    ),
    "an earlier fact alone is the origin for want of another": (
        [("wire", cites("wire")), ("daily", cites("(agency"))],
        "new Agency via Agency",
    ),
    "sister services are one": (
        [("radio-en", cites("radio-en")), ("radio-sr", cites("radio-en"))],
        "own Radio na srpskom",
    ),
    "a sister as origin of another": (
        [("radio-sr", cites("radio-sr")), ("daily", cites("radio-en"))],
        "known Radio via Radio",
    ),
    "no outlet": ([("wire", cites("wire")), (None, cites("wire"))], "known Wire via Wire"),
}


@pytest.mark.parametrize(("entries", "want"), CASES.values(), ids=CASES.keys())
def test_origin_of_the_last_entry(entries: Entries, want: str) -> None:
    story = Story()
    for name, credits in entries:
        story.tells(name, credits=credits)
    found = provenance.graph(story.facts, TABLE).origins[story.facts.mentions[-1].entry]
    chain = f" via {' > '.join(found.chain)}" if found.chain else ""
    assert f"{found.label}{f' {found.name}' if found.name else ''}{chain}" == want


def test_an_event_carries_chain_and_origin() -> None:
    story = Story()
    story.tells("wire", credits=cites("wire"))
    (event,) = story.tells("daily", credits=cites("-portal", "wire"))
    assert (event.origin, event.origin_name, event.chain) == ("known", "Wire", ("Portal", "Wire"))
    assert not event.own_reporting


def test_a_copy_has_the_origin_of_what_it_copies() -> None:
    story = Story()
    story.tells("wire", credits=cites("wire"))
    story.tells("agency", credits=cites("wire"))
    (event,) = story.tells("daily", copy_of=2)
    assert (event.kind, event.copy_of, event.origin_name) == ("copy", "Agency", "Wire")


def test_own_questions_beside_another_origin_are_own_reporting() -> None:
    story = Story()
    story.tells("wire", credits=cites("wire"))
    found = story.tells("agency", says("RS", "government", "no_reply", asker="agency"), credits=cites("wire"))
    assert {(event.origin, event.own_reporting) for event in found} == {("known", True)}


def test_confirmations_count_publishers_not_outlets() -> None:
    story = Story()
    story.tells("radio-sr", credits=cites("radio-sr"))
    story.tells("radio-en", credits=cites("radio-en"))
    story.tells("daily", credits=cites("radio-en"))
    story.tells("agency", credits=cites("agency"))
    graph = provenance.graph(story.facts, TABLE)
    assert [(c.publisher, c.independent) for c in graph.confirmations] == [
        ("radio", False),
        ("radio", False),
        ("agency.example", True),
    ]
    assert graph.origin_count == 2


def test_the_graph_drops_self_edges_and_copies() -> None:
    story = Story()
    story.tells("wire", credits=cites("wire"))
    story.tells("daily", credits=cites("wire"))
    story.tells("evening", credits=cites("wire"), copy_of=2)
    edges = provenance.graph(story.facts, TABLE).edges
    assert [(edge.outlet, edge.credited) for edge in edges] == [("daily.example", "wire.example")]


def test_a_long_chain_ends() -> None:
    story = Story()
    names = ["wire", "agency", "daily", "evening", "portal", "radio-en"]
    for before, name in itertools.pairwise(names):
        story.tells(name, credits=cites(before))
    found = provenance.graph(story.facts, TABLE).origins[story.facts.mentions[-1].entry]
    assert found.chain == ("Portal", "Evening", "Daily", "Agency", "Wire")
