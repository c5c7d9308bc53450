"""The shipped lexicon: its own examples, its schema, and what a configuration adds to it."""

from __future__ import annotations

from typing import Any

import pytest

from monitor import lexicons
from monitor.errors import LexiconError
from monitor.match import matcher, query
from monitor.match.concepts import Concepts, from_raw
from monitor.match.matcher import Document, WatchQuery

RAW = lexicons.read_yaml("match/concepts")
EXAMPLES = [
    pytest.param(content["name"], code, answer, entry[answer], id=f"{content['name']}-{code}-{answer}")
    for file, content in RAW.items()
    if not file.startswith("tables/")
    for code, entry in content["languages"].items()
    for answer in ("yes", "no")
]


def finds(lexicon: Concepts, text: str, title: str, language: str | None) -> bool:
    watch = WatchQuery("w", query.parse(text, lexicon))
    return bool(matcher.compile([watch], lexicon).match(Document(title, "", language)))


@pytest.mark.parametrize(("name", "code", "answer", "sentence"), EXAMPLES)
def test_its_own_examples(name: str, code: str, answer: str, sentence: str, lexicon: Concepts) -> None:
    language = {"*": "en", "sh": "sr"}.get(code, code)
    assert finds(lexicon, f"~{name}", sentence, language) == (answer == "yes")


def test_the_compiled_file_is_fresh() -> None:
    assert lexicons.load("match/concepts") == RAW


def test_every_pattern_of_every_concept_finds_itself(lexicon: Concepts) -> None:
    for concept in lexicon.concepts.values():
        for pattern in concept.patterns:
            words = " ".join(
                part.split("(")[0] + part.partition("(")[2].partition("|")[0] for part in pattern.text.split()
            )
            plain = words.replace("*", "").replace("-", " ")
            if not pattern.only_with:
                assert finds(lexicon, f"~{concept.name}", plain, pattern.language), pattern.text


LANGUAGES = {
    "~deportation": {"en", "es", "fr", "it", "de", "sh", "sl", "mk", "bg", "ru", "sq", "ro", "el", "tr", "hu"},
    "~third-country": {"en", "es", "fr", "it", "de", "sh", "sl", "mk", "bg", "ru", "sq", "ro", "el", "tr", "hu"},
    "~Balkan": {"en", "es", "fr", "it", "de", "sh", "sl", "mk", "bg", "ru", "sq", "ro", "el", "tr", "hu"},
    "~TPS": {None, "en", "es", "fr", "sh", "mk", "sq", "ro"},
    "~migrant": {"en", "es", "fr", "it", "de", "sh", "sl", "mk", "bg", "ru", "sq", "ro", "el", "tr", "hu"},
    "~accept": {"en", "es", "de", "sh", "mk", "bg", "ru", "sq", "ro"},
    "~agreement": {"en", "es", "fr", "it", "de", "sh", "mk", "bg", "ru", "sq", "ro"},
}


@pytest.mark.parametrize("name", LANGUAGES)
def test_covers_its_languages(name: str, lexicon: Concepts) -> None:
    concept = lexicon.named(name[1:])
    assert concept is not None
    assert {pattern.language for pattern in concept.patterns} == LANGUAGES[name]


# concept, language, text, found: forms of every stem, and words that look like them
FORMS = {
    "deportee in the plural": ("deportation", "en", "The deportees waited.", True),
    "deportment": ("deportation", "en", "Good deportment matters.", False),
    "deportista": ("deportation", "es", "La deportista ganó.", False),
    "a Serbian verb": ("deportation", "sr", "Biće deportovani sutra.", True),
    "an ijekavian participle": ("deportation", "bs", "Porodica je protjerana.", True),
    "an infinitive with zu": ("deportation", "de", "Niemand ist abzuschieben.", True),
    "a red card": ("deportation", "it", "Cartellino rosso, espulsione giusta", False),
    "the referee seven words on": ("deportation", "fr", "expulsé un deux trois quatre cinq six sept arbitre", True),
    "snow": ("deportation", "sq", "Dëbora ra.", False),
    "a genitive plural": ("third-country", "hr", "Državljani trećih zemalja čekaju.", True),
    "an instrumental": ("third-country", "sr", "С трећом државом.", True),
    "third in a compound": ("third-country", "de", "Drittstaatsangehörige warten.", True),
    "an ordinal after a year": ("third-country", "en", "It was the third country after Malta.", False),
    "an ordinal in Spanish": ("third-country", "es", "Es el tercer país de la lista.", False),
    "definite Macedonian": ("third-country", "mk", "Во третите земји.", True),
    "a third place with migrants": ("third-country", "sq", "Migrantët te vendi i tretë.", True),
    "western Balkans in German": ("Balkan", "de", "Die Westbalkanstaaten", True),
    "a Balkan adjective in Cyrillic": ("Balkan", "sr", "Западнобалканске државе", True),
    "BalkanWeb": ("Balkan", "en", "BalkanWeb reports", False),
    "a club in Cyrillic letters": ("Balkan", "sr", "балканизација", False),
    "protection in Albanian": ("TPS", "sq", "me status të mbrojtur të përkohshëm", True),
    "a hockey club": ("TPS", "fi", "TPS Turku voitti", False),
    "asylum seekers with a hyphen": ("migrant", "en", "asylum‑seekers", True),
    "a Romanian plural": ("migrant", "ro", "Imigranților li s-a spus", True),
    "a hawker": ("migrant", "en", "a migrant hawker dragonfly", False),
    "took in": ("accept", "en", "They took in ten.", True),
    "admission": ("accept", "en", "He admitted it.", True),
    "English prime": ("accept", "en", "The prime minister", False),
    "Serbian prime": ("accept", "sr", "Spremni su da prime ljude.", True),
    "Albanian spring": ("accept", "sq", "Pranvera erdhi.", False),
    "according to": ("agreement", "es", "De acuerdo a la ley", False),
    "acordă": ("agreement", "ro", "El acordă un interviu.", False),
    "a Russian treaty": ("agreement", "ru", "Подписан договор.", True),
}


@pytest.mark.parametrize("case", FORMS)
def test_forms(case: str, lexicon: Concepts) -> None:
    name, language, text, found = FORMS[case]
    assert finds(lexicon, f"~{name}", text, language) == found


# ------------------------------------------------------------------------------------------------- configuration


def test_a_configuration_adds_patterns_languages_and_names() -> None:
    extra: dict[str, Any] = {
        "migrant": {"pl": ["migrant*", "uchodźc*"], "hr": ["prebjeg*"]},
        "ferry": {"en": ["ferry", "ferryboat*"], "guards": [{"not_inside": ["ferry tale"]}]},
    }
    lexicon = from_raw(RAW, extra)
    assert finds(lexicon, "~migrant", "Uchodźcy czekają", "pl")
    assert finds(lexicon, "~migrant", "Prebjezi i prebjeg", "sr")
    assert finds(lexicon, "~migrant", "Migranti čekaju", "sr")
    assert finds(lexicon, "~ferry", "Two ferries", "en")
    assert not finds(lexicon, "~ferry", "A ferry tale", "en")


BROKEN = {
    "no list": ({"ferry": {"en": "ferry"}}, "ferry.en"),
    "no mapping": ({"ferry": ["ferry"]}, "ferry"),
    "a number as a pattern": ({"ferry": {"en": [12]}}, "ferry.en[0]"),
    "a pattern that takes everything": ({"ferry": {"en": ["good", "fe*"]}}, "ferry.en[1]"),
    "an unknown guard": ({"ferry": {"en": ["ferry"], "guards": [{"never": ["x"]}]}}, "ferry.guards[0]"),
    "guards that are no list": ({"ferry": {"en": ["ferry"], "guards": "x"}}, "ferry.guards"),
    "company that does not exist": (
        {"ferry": {"en": [{"patterns": ["ferry"], "only_with": ["ghost"]}]}},
        "ferry",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_configuration_is_refused(case: str) -> None:
    extra, row = BROKEN[case]
    with pytest.raises(LexiconError) as raised:
        from_raw(RAW, extra)
    assert raised.value.row == row
