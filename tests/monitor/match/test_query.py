"""The query language: what it reads, what it prints, and what it says about a faulty query."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor import lexicons
from monitor.errors import QueryError
from monitor.match import query, tree
from monitor.match.concepts import Concepts, from_raw

# query, canonical print
READ = {
    "a word": ("ferry", "ferry"),
    "a hyphen of any kind": ("work‑permit", "work-permit"),
    "curly quotes": ("“work permit”", '"work permit"'),
    "guillemets and an exact form": ("=«Riga»", '="Riga"'),
    "spaces in a phrase": ('"work   permit"', '"work permit"'),
    "needless parentheses": ("((a1) AND (b1))", "a1 AND b1"),
    "groups of the same kind are one": ("a1 AND (b1 AND c1)", "a1 AND b1 AND c1"),
    "groups of another kind stay": ("a1 AND (b1 OR c1)", "a1 AND (b1 OR c1)"),
    "AND NOT is NOT": ("a1 AND NOT b1", "a1 NOT b1"),
    "several NOTs": ("(a1 NOT b1) NOT c1", "a1 NOT b1 NOT c1"),
    "NOT binds its left neighbour": ("a1 OR b1 NOT c1", "a1 OR b1 NOT c1"),
    "NOT of a group": ("(a1 OR b1) NOT (c1 AND d1)", "(a1 OR b1) NOT (c1 AND d1)"),
    "plain NEAR is four": ("a1 NEAR b1", "a1 NEAR/4 b1"),
    "plain BEFORE is four": ("a1 BEFORE b1", "a1 BEFORE/4 b1"),
    "NOT NEAR": ("a1 NOT NEAR/2 (b1 OR c1)", "a1 NOT NEAR/2 (b1 OR c1)"),
    "no space before a parenthesis": ("a1 AND(b1 OR c1)NEAR/3(d1 OR e1)", "a1 AND (b1 OR c1) NEAR/3 (d1 OR e1)"),
    "a field of a group": ("title:(a1 AND b1) AND c1", "title:(a1 AND b1) AND c1"),
    "a concept in its own letters": ("~balkan AND ~tps", "~Balkan AND ~TPS"),
    "codes": ("a1 AND lang:SR-Latn AND country:xk AND lang:hbs", "a1 AND lang:sr AND country:XK AND lang:sh"),
    "an outlet of two words": ('a1 AND outlet:"Radio Delta"', 'a1 AND outlet:"Radio Delta"'),
    "an outlet's domain": ("a1 AND outlet:delta.example", "a1 AND outlet:delta.example"),
    "a quoted operator is a word": ('"AND" OR "near"', '"AND" OR "near"'),
    "line breaks": ("a1\n  AND\tb1\u00a0AND c1", "a1 AND b1 AND c1"),
    "a group of alternatives in a word": ("zem(lj|alj)* OR ses(tr|tar)?", "zem(lj|alj)* OR ses(tr|tar)?"),
}

# query, column, what the message says (beginning), what the hint says
FAULTS = {
    "empty": ("", 1, "empty query", None),
    "only spaces": ("  \n", 1, "empty query", None),
    "a parenthesis left open": ("exil* AND (Malta OR", 11, "parenthesis is never closed", None),
    "a parenthesis never opened": ("Malta) AND x1", 6, "parenthesis was never opened", None),
    "a quote left open": ('"work permit', 1, "quote is never closed", None),
    "words side by side": (
        "Malta Cyprus",
        7,
        'operator missing between "Malta" and "Cyprus"',
        '"Malta Cyprus" in quotes',
    ),
    "a word and a phrase": (
        'Malta "work permit"',
        7,
        'operator missing between "Malta" and "work permit"',
        "AND or OR?",
    ),
    "an operator in small letters": ("Malta and Cyprus", 7, "operators are capitals: AND", "quote the word"),
    "NEAR in small letters": ("Malta near/3 Cyprus", 7, "operators are capitals: NEAR", "NEAR/3"),
    "not at the beginning": ("not Malta", 1, "operators are capitals: NOT", "quote the word"),
    "AND and OR mixed": ("A2 AND B2 OR C2", 11, "AND and OR mixed", "add parentheses"),
    "AND NOT and OR mixed": ("A2 OR B2 AND NOT C2", 10, "AND and OR mixed", "add parentheses"),
    "a misspelled operator with a number": ("Malta NAER/5 exil*", 7, "unknown operator NAER/5", "did you mean NEAR/5?"),
    "a misspelled operator": ("Malta SENTANCE exil*", 7, "unknown operator SENTANCE", "did you mean SENTENCE?"),
    "another service's operator": ("Malta ONEAR/5 exil*", 7, "unknown operator ONEAR/5", "did you mean BEFORE/5?"),
    "W/n": ("Malta w/5 exil*", 7, "unknown operator w/5", "did you mean NEAR/5?"),
    "an acronym side by side is no operator": ("Malta NATO", 7, "operator missing", None),
    "n too large": ("Malta NEAR/51 exil*", 12, "n is 0 to 50", None),
    "n missing": ("Malta NEAR/ exil*", 12, "n is 0 to 50", None),
    "NEAR of an AND": ("(A2 AND B2) NEAR/3 C2", 1, "NEAR takes terms, phrases, concepts and OR groups", None),
    "SENTENCE of a field": ("A2 SENTENCE title:B2", 13, "SENTENCE takes terms", None),
    "NEAR in a row": ("A2 NEAR/3 B2 NEAR/3 C2", 1, "NEAR takes terms", None),
    "an unknown field": ("tittle:Malta", 1, 'unknown field "tittle"', 'did you mean "title"?'),
    "a field without a value": ("title:", 7, "nothing after title:", None),
    "a field with a space": ("A2 AND title: B2", 14, "nothing after title:", None),
    "a field in a field": ("title:(text:A2)", 8, "text: inside title:", None),
    "an unknown concept": ("A2 OR ~migrnt", 7, "unknown concept", "did you mean ~migrant?"),
    "a concept far from any": ("~volcano", 1, "unknown concept", "known: "),
    "an unknown language": ("A2 AND lang:srb", 13, "unknown language", "did you mean sr?"),
    "a language by name": ("A2 AND lang:albanian", 13, "unknown language", "did you mean sq?"),
    "a country by name": ("A2 AND country:Serbia", 16, "two-letter code expected", "did you mean RS?"),
    "a country by a misspelled name": ("A2 AND country:Albnia", 16, "two-letter code expected", "did you mean AL?"),
    "an unknown country": ("A2 AND country:UK", 16, "unknown country", "did you mean GB?"),
    "too few letters beside a star": ("ma*", 1, "3 letters are needed beside *", None),
    "only a star": ("*", 1, "a wildcard alone matches everything", None),
    "only question marks": ("A2 AND ??", 8, "a wildcard alone matches everything", None),
    "a group left open": ("zem(lj|alj", 4, "group inside a word is never closed", None),
    "a space in a group": ("zem(lj| alj)", 4, "group inside a word is never closed", None),
    "alternatives without a group": ("foo|bar", 4, '"|" has no place here', None),
    "only NOT": ("NOT Malta", 1, "nothing positive to find", None),
    "OR NOT": ("A2 OR NOT B2", 7, "nothing positive to find", None),
    "only a field": ("lang:sr", 1, "nothing to find in title or text", "add a term"),
    "an alternative without words": ("A2 OR lang:sr", 1, "nothing to find in title or text", "add a term"),
    "nothing after AND": ("Malta AND", 10, "nothing after AND", None),
    "nothing after AND in parentheses": ("(Malta AND) OR A2", 11, "nothing after AND", None),
    "nothing before OR": ("OR Malta", 1, "nothing before OR", None),
    "empty parentheses": ("()", 2, "nothing between parentheses", None),
    "a comma": ("Malta, Cyprus", 6, '"," cannot be part of a term', None),
    "a minus sign": ("A2 AND -football", 8, '"-" is no operator', "NOT"),
    "an address": ("www.malta.example", 1, "no word to find", "outlet:"),
    "a dash in a phrase": ('"work – permit"', 7, "a phrase never reaches across", None),
    "too long": ("x" * 4001, 1, "4,001 characters; the limit is 4,000", None),
    "too many terms": (" OR ".join(["ab"] * 501), 3001, "501 terms; the limit is 500", None),
    "too deep": ("(" * 21 + "ab" + ")" * 21, 1, "parentheses 21 deep; the limit is 20", None),
}


@pytest.mark.parametrize("case", READ)
def test_reads_and_prints(case: str, lexicon: Concepts) -> None:
    written, canonical = READ[case]
    node = query.parse(written, lexicon)
    assert query.show(node) == canonical
    assert query.parse(canonical, lexicon) == node


@pytest.mark.parametrize("case", FAULTS)
def test_names_the_fault(case: str, lexicon: Concepts) -> None:
    written, column, message, hint = FAULTS[case]
    (fault, *others) = query.problems(written, lexicon)
    assert (fault.column, others) == (column, [])
    assert fault.message.startswith(message)
    assert hint is None or hint in (fault.hint or "")
    assert fault.code in {"E050", "E051", "E052", "E053", "E054", "E055", "E056"}
    with pytest.raises(QueryError) as raised:
        query.parse(written, lexicon)
    assert raised.value.column == column


def test_all_faults_at_once_but_five(lexicon: Concepts) -> None:
    faults = query.problems("tittle:A2 AND ~migrnt AND lang:srb AND ma* AND (B2 AND * AND country:Serbia", lexicon)
    assert [fault.column for fault in faults] == [1, 15, 32, 40, 48]


def test_columns_count_characters_over_lines(lexicon: Concepts) -> None:
    assert query.problems("“Čačak” AND\n~migrnt", lexicon)[0].column == 13


def test_keywords_become_concepts_where_they_name_one(lexicon: Concepts) -> None:
    words = ["deportation", "third country", "balkan", "TPS", "North Macedonia", "OR", "exil*", " "]
    shown = query.show(query.from_keywords(words, lexicon))
    assert shown == '~deportation OR ~third-country OR ~Balkan OR ~TPS OR "North Macedonia" OR "OR" OR exil*'


def test_a_faulty_keyword_is_refused(lexicon: Concepts) -> None:
    with pytest.raises(QueryError, match="3 letters"):
        query.from_keywords(["ab*"], lexicon)


# ------------------------------------------------------------------------------------------------------ properties

LEXICON = from_raw(lexicons.load("match/concepts"))
WORDS = st.sampled_from(
    ["ferry", "Šabac", "Љиг", "NATO", "U.S.", "exil*", "*gration", "zem(lj|alj)*", "col?r", "work-permit", "O'Hara",
     '"work permit"', '="Riga"', '"AND"', "~migrant", "~third-country"]
)  # fmt: skip
GROUPS = WORDS | st.lists(WORDS, min_size=2, max_size=3).map(lambda words: f"({' OR '.join(words)})")
PAIRS = st.builds(
    "{} {} {}".format,
    GROUPS,
    st.sampled_from(["NEAR", "NEAR/0", "BEFORE/7", "SENTENCE", "PARAGRAPH", "NOT NEAR/3"]),
    GROUPS,
)
FILTERS = st.sampled_from(["lang:sr", "country:RS", "outlet:n1.example", 'outlet:"Radio Delta"'])


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    wrapped = inner.map("({})".format)
    return st.one_of(
        st.lists(wrapped, min_size=2, max_size=3).map(" AND ".join),
        st.lists(wrapped, min_size=2, max_size=3).map(" OR ".join),
        st.builds("{} NOT {}".format, wrapped, wrapped),
        st.builds("{} AND {}".format, wrapped, FILTERS),
        st.builds("{} NOT {}".format, wrapped, FILTERS),
    )


QUERIES = st.recursive(WORDS | PAIRS | WORDS.map("title:{}".format), combined, max_leaves=6)


@settings(max_examples=100, deadline=None)
@given(QUERIES)
def test_parse_print_parse_is_the_identity(text: str) -> None:
    node = query.parse(text, LEXICON)
    assert query.parse(query.show(node), LEXICON) == node
    assert query.show(query.parse(query.show(node), LEXICON)) == query.show(node)


PIECES = st.sampled_from(
    ["AND", "OR", "NOT", "NEAR/3", "NEAR/", "BEFORE", "SENTENCE", "near", "(", ")", '"', "“", "=", "~", "~migrant",
     "title:", "lang:", "lang:sr", "outlet:", "*", "?", "a(b|", "|", "-", "—", ",", "x1", "Љиг", "ma*", "\u0301",
     "\u00ad", "\u200b", "'", "a.b", "U.S.", "@", "#", "/5", ":", "İ", "\ud800"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=12).map(" ".join) | st.lists(PIECES, max_size=12).map("".join) | st.text())
def test_no_text_raises_anything_but_a_query_error(text: str) -> None:
    faults = query.problems(text, LEXICON)
    assert all(1 <= fault.column <= len(text) + 1 for fault in faults)
    try:
        node = query.parse(text, LEXICON)
    except QueryError:
        assert faults
    else:
        assert not faults
        assert tree.has_words(node)
        assert query.parse(query.show(node), LEXICON) == node
