"""The words a query asks for."""

from __future__ import annotations

import pytest

from monitor import lexicons
from monitor.match import asked, concepts, query

CONCEPTS = concepts.from_raw(lexicons.load("match/concepts"))

CASES = {
    "words and beginnings are folded": ("deport* AND Köln", {"deport", "koln"}),
    "a phrase asks for each of its words": ('"third country" AND harbour', {"third", "country", "harbour"}),
    "what is excluded is not asked for": ("harbour NOT (football OR chess)", {"harbour"}),
    "what must not stand near is not asked for": ("harbour NOT NEAR/5 chess", {"harbour"}),
    "both sides of a pair are asked for": ("harbour NEAR/5 strike", {"harbour", "strike"}),
    "filters and short words ask for nothing": ("outlet:example.org AND US AND harbour", {"harbour"}),
    "alternatives inside a word leave its beginning": ("strik(e|ing)", {"strik"}),
}


@pytest.mark.parametrize(("text", "want"), CASES.values(), ids=CASES.keys())
def test_a_query_asks_for(text: str, want: set[str]) -> None:
    assert asked.words(query.parse(text, CONCEPTS), CONCEPTS) == want


def test_a_concept_asks_for_all_its_words() -> None:
    assert "deport" in {word[:6] for word in asked.words(query.parse("~deportation", CONCEPTS), CONCEPTS)}
