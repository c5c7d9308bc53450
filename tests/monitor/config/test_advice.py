"""Doubtful terms of good queries are told, plain ones are not."""

from __future__ import annotations

import pytest

from monitor.config import advice, queries

CONCEPTS = queries.lexicon({})

TERMS = {
    "a stem that a concept knows better": ("deport* AND Serbia", None, [(1, "did you mean ~deportation?")]),
    "the concept is offered once": ("deport* OR deporta*", None, [(1, "did you mean ~deportation?")]),
    "a vowel that comes and goes": ("Serbia AND migrant*", ["sr"], [(12, "write migran(t|at)*")]),
    "the same stem in English only": ("student* AND Serbia", ["en"], []),
    "plain words": ('Serbia AND "third country" AND TPS', None, []),
    "a concept": ("~deportation AND ~migrant", ["sr"], []),
    "a stem nobody knows": ("revoke* OR terminat*", ["en"], []),
}


@pytest.mark.parametrize("case", TERMS)
def test_a_doubtful_term_is_told_at_its_column(case: str) -> None:
    query, languages, expected = TERMS[case]
    found = [(column, hint) for column, _, _, hint in advice.warnings(query, languages, CONCEPTS)]
    assert found == expected
