"""Explaining a match or a miss."""

from __future__ import annotations

import pytest

from monitor.match import explain, matcher, query
from monitor.match.concepts import Concepts
from monitor.match.matcher import Document, WatchQuery

BOTH, OTHER_ORDER = "ferry and bus", "bus and ferry stand in the other order"
OTHER_SENTENCE, TOO_NEAR = f"{BOTH} are in different sentences", f"{BOTH}: 0 words between, at least 4 asked"

# query, title, text, language, label of a line, its reason
REASONS = {
    "the pattern that found a concept": ("~migrant", "Migrants wait", "", "en", "~migrant", "en: migrant*"),
    "several patterns": ("~accept", "Prima ih, primaju", "", "sr", "~accept", "sh: prima, primaju"),
    "a guard": ("~migrant", "A migrant bird", "", "en", "~migrant", "migrant title[2:9]: guard `migrant bird*`"),
    "company missing": (
        "~third-country", "Vendi i tretë.", "", "sq", "~third-country",
        "Vendi i tretë title[0:13]: needs ~deportation or ~migrant in the sentence",
    ),
    "no patterns for a language": ("~agreement", "Umowa", "", "pl", "~agreement", "no patterns for pl"),
    "case of an acronym": ("IOM", "The iom office", "", "en", "IOM", "iom found, IOM is case-sensitive"),
    "a shouted field": ("WHO", "WHO WON IT", "", "en", "WHO", "WHO found, but all is set in capitals"),
    "an exact form": ('="Riga"', "RIGA", "", "en", '="Riga"', 'RIGA found, ="Riga" asks for these very letters'),
    "an ending": ("Mostar", "U Mostaru", "", "bs", "Mostar", "Mostaru found: Mostar*"),
    "an ending a concept knows": ("Balkan", "Sa Balkana", "", "sr", "Balkan", "Balkana found: Balkan* or ~Balkan"),
    "the other field": ("title:ferry", "A bus", "A ferry", "en", "title:ferry", "only in text"),
    "another language": ("ferry AND lang:sr", "A ferry", "", "en", "lang:sr", "the entry's is en"),
    "too far": ("ferry NEAR/1 bus", "ferry a b bus", "", "en", "NEAR/1", "ferry and bus are 2 words apart, limit 1"),
    "the other order": ("bus BEFORE/3 ferry", "ferry bus", "", "en", "BEFORE/3", OTHER_ORDER),
    "two fields": ("ferry NEAR/9 bus", "ferry", "bus", "en", "NEAR/9", "never in one field"),
    "two paragraphs": ("ferry NEAR bus", "x", "ferry\n\nbus", "en", "NEAR/4", f"{BOTH} are in different paragraphs"),
    "two sentences": ("ferry SENTENCE bus", "A ferry. A bus", "", "en", "SENTENCE", OTHER_SENTENCE),
    "too near": ("ferry NOT NEAR/3 bus", "ferry bus", "", "en", "NOT NEAR/3", TOO_NEAR),
    "excluded": ("ferry NOT bus", "ferry", "a bus", "en", "NOT", "bus text[2:5] is excluded"),
}  # fmt: skip

# query, title, first missing part
MISSING = {
    "the first item of AND": ("ferry AND bus AND tram", "a ferry and a tram", "bus"),
    "an OR group as a whole": ("ferry AND (bus OR tram)", "a ferry", "bus OR tram"),
    "a side of a pair": ("ferry NEAR/3 bus", "a bus", "ferry"),
    "a pair that does not meet": ("ferry NEAR/0 bus", "ferry or bus", "ferry NEAR/0 bus"),
    "not what NOT asks about": ("ferry NOT bus", "a tram", "ferry"),
    "the exclusion itself": ("ferry NOT bus", "ferry bus", "ferry NOT bus"),
}


def explained(lexicon: Concepts, text: str, document: Document, *languages: str) -> explain.Explanation:
    watch = WatchQuery("desk", query.parse(text, lexicon), frozenset(languages) or None)
    found = explain.explain(watch, document, lexicon)
    assert found.matches == bool(matcher.compile([watch], lexicon).match(document))
    return found


@pytest.mark.parametrize("case", REASONS)
def test_reasons(case: str, lexicon: Concepts) -> None:
    text, title, body, language, label, reason = REASONS[case]
    found = explained(lexicon, text, Document(title, body, language))
    assert [line.reason for line in found.lines if line.label == label] == [reason]


@pytest.mark.parametrize("case", MISSING)
def test_first_missing_part(case: str, lexicon: Concepts) -> None:
    text, title, part = MISSING[case]
    failure = explained(lexicon, text, Document(title, "", "en")).first_failure
    assert failure is not None
    assert failure.text == part


def test_a_watch_for_other_languages(lexicon: Concepts) -> None:
    found = explained(lexicon, "ferry", Document("A ferry", "", "de"), "en", "sr")
    assert found.first_failure is not None
    assert found.first_failure.reason == "the watch reads en, sr, the entry is de"


def test_rendered_as_text(lexicon: Concepts) -> None:
    watch = WatchQuery("desk", query.parse("~accept AND (Malta OR Cyprus) AND title:~migrant", lexicon))
    document = Document("Malta accepts migrants", "It is the first.", "en")
    look = matcher.Look(anchors=1204, anchors_found=3, watches_looked_at=1)
    text = explain.render(explain.explain(watch, document, lexicon), entry="7c", look=look, microseconds=41.4)
    assert text.splitlines() == [
        "watch desk    ~accept AND (Malta OR Cyprus) AND title:~migrant",
        'entry 7c  en  "Malta accepts migrants"',
        "AND                                      yes",
        "  ~accept         accepts title[6:13]    yes  en: accept",
        "  OR                                     yes",
        "    Malta         Malta title[0:5]       yes",
        "    Cyprus                               no",
        "  title:~migrant  migrants title[14:22]  yes  en: migrant*",
        "match; 3 spans; lexicon 1; automaton 1,204 anchors, 3 found, 1 watches looked at, 41 µs",
    ]
