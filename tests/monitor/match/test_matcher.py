"""What queries find, and exactly which words are marked. «Guillemets» in a text stand around the words expected."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from monitor.match import matcher, query
from monitor.match.concepts import Concepts
from monitor.match.matcher import Document, WatchQuery

# query, language, title with marks, text with marks; without marks no match is expected
TERMS = {
    "a word takes any case and its plural": ("harbour", "en", "[Harbours] reopen", "The [HARBOUR] was shut."),
    "a word takes -ies for -y": ("ferry", "en", "Two [ferries] collide", "No one was hurt."),
    "a plural term takes the singular": ("ferries", "en", "A [ferry] sinks", ""),
    "no plural of three letters and of exceptions": ("news", "en", "A new day", ""),
    "a word knows no inflection": ("Mostar", "bs", "U Mostaru pada kiša", "Mostarski most"),
    "not inside a longer word": ("port", "en", "Support for transport", "airports"),
    "an acronym asks for capitals": ("IOM", "en", "[IOM] opens an office", "The word iom or Iom is another."),
    "an acronym with dots": ("IOM", "en", "[I.O.M.] opens an office", ""),
    "a dotted term finds the plain acronym": ("I.O.M.", "en", "The [IOM] office", ""),
    "an acronym keeps its ending outside": ("OSBE", "sq", "[OSBE]-ja hap zyrën", "Zyra e [OSBE]’së"),
    "Cyrillic capitals": ("OEBS", "sr", "[ОЕБС]-у стиже нови шеф", ""),
    "an acronym is no part of a word": ("EU", "en", "EUFOR and NEU", "Euro"),
    "small letters take any case": ("iom", "en", "[IOM] and [Iom]", ""),
    "seven capitals are an ordinary word": ("FRONTEX", "en", "[Frontex] counts", ""),
    "a word acronym in a shouted field": ("WHO", "en", "WHO WON THE CUP", "ask [WHO] about it"),
    "another acronym in a shouted field": ("NATO", "en", "[NATO] MEETS IN RIGA", ""),
    "a word acronym in a short field": ("WHO", "en", "[WHO] REPORT", ""),
    "an exact form": ('="Riga"', "en", "[Riga] talks", "Rigas, RIGA, riga"),
    "an exact form with marks": ('="Čačak"', "sr", "[Čačak] i Cacak", "Чачак"),
    "an exact phrase": ('="Green Card"', "en", "A [Green Card] and a green card", ""),
    "a hyphen is a space in a phrase": ("work-permit", "en", "A [work permit] and [work‑permits]", "[work\npermit]"),
    "quotes may stand in a phrase gap": ('"so called safe"', "en", "the [so “called” safe] list", ""),
    "a comma breaks a phrase": ('"work permit"', "en", "work, permit", "work. Permit work; permit work (permit)"),
    "a spaced dash breaks a phrase": ('"work permit"', "en", "work – permit", "work - permit"),
    "a blank line breaks a phrase": ('"work permit"', "en", "x", "work\n\npermit"),
    "only the last word takes a plural": ('"work permit"', "en", "works permit", "[work permits]"),
    "a wildcard at the end of a phrase": ('"work permit*"', "en", "a [work permitting]", ""),
    "a phrase with a dotted acronym": ('"US Navy"', "en", "A [U.S. Navy] ship", "[US Navy] and us navy"),
    "a phrase reaches across an ending": ('"SHBA kërkon"', "sq", "[SHBA-ja kërkon] përgjigje", ""),
    "a phrase with an apostrophe": ("O'Hara", "en", "Captain [O’Hara] sails", ""),
    "a star takes what follows": ("exil*", "en", "[Exiled], in [exile]", "the [exiles]"),
    "a star in front": ("*gration", "en", "[Migration] and [immigration]", "migrations"),
    "a star on both sides": ("*haven*", "de", "[Bremerhavener] [Hafenhaven]", ""),
    "a question mark is one letter": ("col?r", "en", "[color] and [colır]", "colour colr"),
    "alternatives inside a word": ("ses(tr|tar)*", "sr", "[Sestre] i [sestara]", "[Сестринство], сезона"),
    "an empty alternative": ("colo(u|)r*", "en", "[colour] or [colors]", ""),
    "a wildcard stays inside the word": ("gran*", "en", "[grand-mother]".replace("-mother]", "]-mother"), ""),
    "addresses are no text": ("malta", "en", "malta.example.org", "x@malta.org https://x.org/malta www.malta.com"),
    "a hashtag is": ("malta", "en", "#[Malta] wins", ""),
    "Latin finds Cyrillic": ("Ђурђевдан", "en", "[Đurđevdan] and [Djurdjevdan]", ""),
    "Cyrillic finds Latin with marks": ("Šabac", "sr", "[Шабац] чека", ""),
    "decomposed letters": ("Šabac", "sr", "[S\u030cabac] c\u030ceka", ""),
    "a mark on the last letter belongs to the span": ("Vranić", "sr", "Selo [Vranic\u0301]", ""),
    "a soft hyphen inside": ("harbour", "en", "the [har\u00adbours]", ""),
    "the possessive stays outside": ("Malta", "en", "[Malta]’s port", ""),
    "Greek without accents": ("λιμάνι", "el", "Το [ΛΙΜΑΝΙ] και το [λιμανι]", ""),
}

OPERATORS = {
    "AND across title and text": ("ferry AND strike", "en", "A [strike] looms", "The [ferry] stays."),
    "AND with one side missing": ("ferry AND strike", "en", "A strike looms", "The bus stays."),
    "OR marks every alternative": ("ferry OR strike", "en", "A [strike] looms", "The [ferry] stays."),
    "NOT looks everywhere": ("ferry NOT bus", "en", "The ferry", "and the bus"),
    "AND NOT is NOT": ("ferry AND NOT bus", "en", "The [ferry]", "and the train"),
    "NOT binds its neighbour": ("train OR ferry NOT bus", "en", "The [train]", "and the bus, no ferry"),
    "title only": ("title:ferry", "en", "[Ferry]", "ferry"),
    "text only": ("text:(ferry AND bus)", "en", "Ferry bus", "[ferry] [bus]"),
    "NOT in the title only": ("ferry NOT title:bus", "en", "The [ferry]", "and the bus"),
    "NEAR in either order": ("ferry NEAR/2 strike", "en", "[Ferry] crews on [strike]", "[strike] on the [ferry]"),
    "NEAR too far": ("ferry NEAR/1 strike", "en", "Ferry crews on strike", ""),
    "NEAR is four by default": ("ferry NEAR strike", "en", "[ferry] a b c d [strike]", "ferry a b c d e strike"),
    "NEAR marks only pairs": ("ferry NEAR/0 strike", "en", "[ferry] [strike]", "ferry and strike"),
    "NEAR stays in a paragraph": ("ferry NEAR/5 strike", "en", "x", "ferry\n\nstrike"),
    "NEAR stays in a field": ("ferry NEAR/5 strike", "en", "ferry", "strike"),
    "NEAR needs two places": ("ferry NEAR/5 ferr*", "en", "One ferry", "[Ferry] and [ferries]"),
    "NEAR counts parts of compounds": ("ferry NEAR/1 strike", "en", "ferry north-south strike", ""),
    "NEAR does not count endings": ("ferry NEAR/1 strike", "en", "[ferry] NATO-s [strike]", "[ferry] Ana’s [strike]"),
    "NEAR with groups": ("(ferry OR bus) NEAR/1 (strike OR ban)", "en", "[bus] [ban]", "no [ferry] [strike]"),
    "BEFORE keeps the order": ("ferry BEFORE/2 strike", "en", "[ferry] on [strike]", "strike ferry"),
    "SENTENCE": ("ferry SENTENCE strike", "en", "Ferry. Strike.", "The [ferry], on [strike]. A ferry."),
    "PARAGRAPH": ("ferry PARAGRAPH strike", "en", "x", "The [ferry]. On [strike].\n\nA ferry."),
    "NOT NEAR keeps the lonely": ("bank NOT NEAR/1 river", "en", "The river bank", "A [bank], far from the river"),
    "NOT NEAR with none left": ("bank NOT NEAR/1 river", "en", "The river bank", ""),
    "spans inside others are dropped": ('ferry OR "ferry strike"', "en", "A [ferry strike]", "the [ferry]"),
    "overlapping spans stay": ('"a b" OR "b c"', "en", "x", "[a b] c"),
}

CONCEPTS = {
    "patterns of the entry's language": ("~deportation", "es", "[Deportan] a dos familias", "El Deportivo gana"),
    "not of another": ("~accept", "en", "Prime time", "primit"),
    "of every language when it is unknown": ("~accept", None, "[Prima] ljude", "and [received] them"),
    "of every language when it is undetermined": ("~accept", "und", "[Prima] ljude", ""),
    "of one family": ("~migrant", "cnr", "[Migranata] sve manje", ""),
    "none for this language": ("~migrant", "pl", "Migranci czekają na granicy", "migrant"),
    "patterns of every language": ("~TPS", "pl", "Koniec [TPS]", ""),
    "a guard inside a longer phrase": ("~third-country", "en", "Oman is the third country to sign", ""),
    "a guard leaves others alone": ("~third-country", "en", "Oman is a [third country], the third country to sign", ""),
    "a guard some words away": ("~TPS", "en", "A blockchain with more TPS", "[TPS] holders wait in court"),
    "a pattern that needs company": ("~third-country", "sq", "Dërgim në [vend të tretë] për emigrantët", ""),
    "company in another sentence": ("~third-country", "sq", "Vendi i tretë. Migrantët presin.", ""),
    "concepts near each other": ("~accept NEAR/3 ~migrant", "hr", "Otok [prima] nove [migrante]", ""),
    "a concept named in small letters": ("~tps", "en", "[TPS]", ""),
}

FACTS = {
    "outlet by its name": ("outlet:herald AND ferry", {"outlet": "The Harbour Herald"}, True),
    "outlet by part of a word": ("outlet:hera AND ferry", {"outlet": "The Harbour Herald"}, False),
    "outlet by a name of two words": ('outlet:"harbour herald" AND ferry', {"outlet": "Harbour Herald"}, True),
    "outlet across scripts": ("outlet:Večernje AND ferry", {"outlet": "Вечерње вести"}, True),
    "outlet by its domain": ("outlet:herald.example AND ferry", {"domain": "www.Herald.example"}, True),
    "another domain": ("outlet:herald.example AND ferry", {"domain": "news.herald.example"}, False),
    "country": ("country:mt AND ferry", {"country": "MT"}, True),
    "another country": ("country:MT AND ferry", {"country": "IT"}, False),
    "unknown country": ("country:MT AND ferry", {}, False),
    "language": ("lang:en AND ferry", {"language": "en-GB"}, True),
    "language sh": ("lang:sh AND ferry", {"language": "sr-Cyrl"}, True),
    "a member of sh": ("lang:sr AND ferry", {"language": "hr"}, False),
    "unknown language": ("lang:en AND ferry", {"language": None}, False),
    "not a language": ("ferry NOT lang:en", {"language": None}, True),
}


def bare(text: str) -> tuple[str, list[str]]:
    return re.sub(r"[\[\]]", "", text), re.findall(r"\[([^\]]*)\]", text)


@pytest.mark.parametrize("case", [*TERMS, *OPERATORS, *CONCEPTS])
def test_marks(case: str, marked: Callable[..., list[str] | None]) -> None:
    text, language, title, body = {**TERMS, **OPERATORS, **CONCEPTS}[case]
    (plain_title, in_title), (plain_body, in_body) = bare(title), bare(body)
    expected = [f"title:{word}" for word in in_title] + [f"text:{word}" for word in in_body]
    found = marked(text, plain_title, plain_body, language)
    if case == "overlapping spans stay":
        expected = ["text:a b", "text:b c"]
    assert found == (expected or None)


@pytest.mark.parametrize("case", FACTS)
def test_facts(case: str, marked: Callable[..., list[str] | None]) -> None:
    text, facts, matches = FACTS[case]
    language = facts.pop("language", "en") if "language" in facts else "en"
    assert (marked(text, "A ferry", "", language, **facts) is not None) == matches


def test_watches_come_in_order_and_do_not_disturb_each_other(lexicon: Concepts) -> None:
    queries = ["ferry", "strike AND bus", "fer*", "~migrant", "title:ferry"]
    watches = [WatchQuery(f"w{n}", query.parse(text, lexicon)) for n, text in enumerate(queries)]
    found = matcher.compile(watches, lexicon).match(Document("A ferry", "of migrants", "en"))
    assert [match.watch for match in found] == ["w0", "w2", "w3", "w4"]
    alone = [matcher.compile([watch], lexicon).match(Document("A ferry", "of migrants", "en")) for watch in watches]
    assert [match for matches in alone for match in matches] == list(found)


def test_a_watch_reads_only_its_languages(lexicon: Concepts) -> None:
    watch = WatchQuery("w", query.parse("ferry", lexicon), frozenset({"en", "sh"}))
    engine = matcher.compile([watch], lexicon)
    read = [code for code in ("en", "sr-Latn", "de", None) if engine.match(Document("A ferry", "", code))]
    assert read == ["en", "sr-Latn", None]


def test_no_watches_match_nothing(lexicon: Concepts) -> None:
    assert matcher.compile([], lexicon).match(Document("A ferry", "")) == ()


def test_a_watch_is_looked_at_only_for_its_rarest_requirement(lexicon: Concepts) -> None:
    watch = WatchQuery("w", query.parse("the AND Szombathely", lexicon))
    engine = matcher.compile([watch], lexicon)
    assert engine.look(engine.scan(Document("The ferry of the bay", "the end"))).watches_looked_at == 0
    assert engine.look(engine.scan(Document("Szombathely", "end"))).watches_looked_at == 1


def test_very_long_words_are_cut(lexicon: Concepts) -> None:
    watches = [WatchQuery(text, query.parse(text, lexicon)) for text in ("abc*", "*abc", "abcab?abc*")]
    found = matcher.compile(watches, lexicon).match(Document("abc" * 50_000, ""))
    assert [match.watch for match in found] == ["abc*", "abcab?abc*"]
