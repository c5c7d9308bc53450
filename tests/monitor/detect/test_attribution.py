"""Whom a text has it from. The sentences are our own; the key says what is at stake."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from monitor import lexicons
from monitor.detect import attribution, outlets
from monitor.values import Citation, EntryText

RAW = lexicons.load("detect/lexicon")
TABLE = outlets.from_raw(RAW)
CREDITS = attribution.from_raw(RAW)


@dataclass(frozen=True)
class Case:
    """A text and whom it credits: outlets by domain (or name as written) with o for original, r for relay."""

    language: str
    text: str
    want: str
    title: str = ""
    outlet: str | None = None


def case(language: str, text: str, want: str = "", *, title: str = "", outlet: str | None = None) -> Case:
    return Case(language, text, want, title, outlet)


def found(one: Case) -> tuple[Citation, ...]:
    outlet = TABLE.by_url(one.outlet) if one.outlet else None
    text = EntryText(one.title, one.text, one.language, outlet)
    return attribution.citations(text, TABLE, CREDITS)


def written(citations: tuple[Citation, ...]) -> str:
    return " ".join(sorted(f"{(c.domain or c.source).replace(' ', '_')}/{c.kind[0]}" for c in citations))


ENGLISH = {
    "according to one outlet": case(
        "en", "The flights were paid for by Washington, according to the Financial Times.", "ft.com/o"
    ),
    "an outlet reports": case("en", "A first group has left Texas, CBS News reported on Monday.", "cbsnews.com/o"),
    "an inverted verb": case("en", "The talks go on, writes Der Spiegel.", "spiegel.de/o"),
    "somebody told it": case("en", "The minister told Deutsche Welle that no list exists.", "dw.com/o"),
    "told reporters is no outlet": case("en", "The minister told reporters that no list exists."),
    "told parliament is no outlet": case("en", "The minister told Parliament on Monday that no list exists."),
    "an interview": case("en", "In an interview with Euronews, she ruled nothing out.", "euronews.com/o"),
    "whose question stayed open": case(
        "en", "The ministry did not answer questions sent by the Guardian.", "theguardian.com/o"
    ),
    "a possessive and a request": case("en", "Officials ignored NPR's repeated requests for comment.", "npr.org/o"),
    "X as reported by Y": case(
        "en", "A list of twelve names exists, according to Axios, as reported by Klix.", "axios.com/o klix.ba/r"
    ),
    "first reported wins": case(
        "en",
        "According to NBC News, as first reported by ProPublica, the deal is sealed.",
        "nbcnews.com/r propublica.org/o",
    ),
    "Y citing X": case("en", "Tanjug, citing El País, said the talks had failed.", "elpais.com/o tanjug.rs/r"),
    "Y reported citing X": case(
        "en", "A deal is near, Politico reported, citing the Wall Street Journal.", "politico.com/r wsj.com/o"
    ),
    "a citing outlet of sources is the origin": case(
        "en", "A deal is near, Politico reported, citing two people close to the talks.", "politico.com/o"
    ),
    "three hops": case(
        "en",
        "The plan is dead, according to ANSA, quoted by Kathimerini, reports Novinite.",
        "ansa.it/o ekathimerini.com/r novinite.com/r",
    ),
    "told one, carried by another": case(
        "en", "He told Channel 4 News he knew nothing, in remarks carried by Sky News.", "channel4.com/o news.sky.com/r"
    ),
    "picked up from": case("en", "The report was picked up by Euractiv from Le Monde.", "euractiv.com/r lemonde.fr/o"),
    "a dateline alone is the origin": case("en", "SKOPJE, May 3 (AFP) - The cabinet met on Friday.", "afp.com/o"),
    "a dateline beside an origin passes on": case(
        "en",
        "SKOPJE, May 3 (Reuters) - The cabinet will fall, Le Figaro reported on Friday.",
        "lefigaro.fr/o reuters.com/r",
    ),
    "two agencies in one dateline": case(
        "en", "DHAKA, May 3 (BSS/AFP) - The cabinet met on Friday.", "afp.com/o", outlet="bssnews.net"
    ),
    "own dateline beside an origin is nothing": case(
        "en",
        "SKOPJE, May 3 (Reuters) - The cabinet will fall, Le Figaro reported.",
        "lefigaro.fr/o",
        outlet="reuters.com",
    ),
    "told the outlet itself": case(
        "en", "The embassy told Vijesti it had no comment.", "vijesti.me/o", outlet="vijesti.me"
    ),
    "an earlier report keeps its rank": case(
        "en",
        "Ghana took in eleven people, the BBC reported. In March the New York Times had named Ghana as a candidate.",
        "bbc.com/o nytimes.com/o",
    ),
    "a title with a colon": case(
        "en", "The list has nine names.", "theguardian.com/o", title="The Guardian: nine states asked"
    ),
    "an outlet nobody listed": case("en", "She told Gotham Channel 9 that the plane had landed.", "Gotham_Channel_9/o"),
    "two outlets asked": case(
        "en", "The ministry told Reuters and AFP that it was studying the letter.", "afp.com/o reuters.com/o"
    ),
    "a photo credit": case("en", "The prime minister in Tirana. Photo: Reuters"),
    "a man called like an agency": case("en", "Mayor Michael Bloomberg said the city was ready."),
    "a time of day": case("en", "At the time nobody knew what the standard was."),
    "no credit at all": case("en", "Bloomberg has its seat in New York."),
}
SOUTH_SLAVIC = {
    "piše": case("sr", "Dogovor je postignut u maju, piše Njujork tajms.", "nytimes.com/o"),
    "objavio je, u navodnicima": case("sr", "Дванаест земаља је на списку, објавио је „Волстрит журнал“.", "wsj.com/o"),
    "kako prenosi, pozivajući se": case(
        "sr", "Avion je sleteo u zoru, kako prenosi Tanjug, pozivajući se na Si-En-En.", "cnn.com/o tanjug.rs/r"
    ),
    "izvestio je, prenosi": case("sr", "Vlada je popustila, izvestio je AP, prenosi Kurir.", "apnews.com/o kurir.rs/r"),
    "a common word with a verb": case("sr", "Spisak je kod ministra, piše Politika.", "politika.rs/o"),
    "a common word as itself": case("sr", "Danas je vlada objavila spisak. To je politika za koju nema vremena."),
    "a common word in quotes, dative": case(
        "sr", "Takvih razgovora nije bilo, rekli su „Danasu“ u ministarstvu.", "danas.rs/o"
    ),
    "za, beside a verb of speech": case("sr", "Ministar je izjavio za Vreme da spiska nema.", "vreme.com/o"),
    "za, without one": case("sr", "Vreme za izbore je prošlo."),
    "a heading with za": case("sr", "Spiska nema.", "rts.rs/o", title="Ministar za RTS: Spiska nema"),
    "whose question": case("sr", "Iz ministarstva nisu odgovorili na upit Južnih vesti.", "juznevesti.com/o"),
    "pitanja koja je poslao": case("sr", "Nema odgovora na pitanja koja im je juče poslao Insajder.", "insajder.net/o"),
    "a party called like an agency": case("hr", "Čelnik stranke izjavio je kako DPA ostaje u vladi."),
    "javlja Hina": case("hr", "Sabor je prihvatio sporazum, javlja Hina.", "hina.hr/o"),
    "inflected in the middle": case(
        "hr", "Nisu odgovorili na pitanja Slobodne Dalmacije i Jutarnjeg lista.", "jutarnji.hr/o slobodnadalmacija.hr/o"
    ),
    "closing agency": case(
        "sr", "To je za Radio Slobodna Evropa rekao portparol. (Beta)", "beta.rs/r slobodnaevropa.org/o"
    ),
    "a name twice": case("sr", "Kako saznaje Radio Slobodna Evropa (RSE), spiska nema.", "slobodnaevropa.org/o"),
    "a host": case("bs", "Spisak je objavljen sinoć, prenosi portal nekiportal.ba.", "nekiportal.ba/o"),
    "bs, two hops": case("bs", "Kako prenosi Klix, a objavio je Rojters, avion je sletio.", "klix.ba/r reuters.com/o"),
    "local media": case("sr", "Lokalni mediji javljaju da je avion sleteo."),
    "mk, пишува": case("mk", "Договорот е готов, пишува „Гардијан“.", "theguardian.com/o"),
    "mk, пренесува, повикувајќи се": case(
        "mk", "МИА пренесува дека авионот слетал, повикувајќи се на Ројтерс.", "mia.mk/r reuters.com/o"
    ),
    "mk, изјави за": case("mk", "Министерот изјави за Телма дека нема договор.", "telma.com.mk/o"),
    "mk, според": case("mk", "Според Дојче веле, листата е кратка.", "dw.com/o"),
    "bg, съобщава": case("bg", "Самолетът е кацнал, съобщава БТА.", "bta.bg/o"),
    "bg, позовавайки се": case(
        "bg", "Сделката е готова, предаде БГНЕС, позовавайки се на „Политико“.", "bgnes.bg/r politico.com/o"
    ),
    "sl, poroča": case("sl", "Letalo je pristalo, poroča STA.", "sta.si/o"),
}
OTHERS = {
    "ar, told an agency": case("ar", "وقال المتحدث لوكالة رويترز إن بلاده لم تتلق طلبا.", "reuters.com/o"),
    "ar, quoting one": case("ar", "ذكرت رويترز نقلا عن بلومبرغ أن المحادثات جارية.", "bloomberg.com/o reuters.com/r"),
    "ar, according to": case("ar", "وفقا لصحيفة نيويورك تايمز وافقت ليبيا على الاستقبال.", "nytimes.com/o"),
    "ar, local media": case("ar", "قالت وسائل إعلام محلية إن الطائرة وصلت."),
    "uk, citing": case("uk", "За даними Bloomberg, Сербія погодилася прийняти мігрантів.", "bloomberg.com/o"),
    "fr, told the one whose article melts": case("fr", "« Nous ne savons rien », a-t-il dit au Monde.", "lemonde.fr/o"),
    "pt, quoted by": case(
        "pt", "Segundo o New York Times, citado pela Lusa, houve pagamentos.", "lusa.pt/r nytimes.com/o"
    ),
    "es, asked by": case("es", "Consultado por EFE, el ministerio declinó comentar.", "efe.com/o"),
    "sq, shkruan": case("sq", "Lista ka dymbëdhjetë emra, shkruan Reuters.", "reuters.com/o"),
    "sq, tha për": case("sq", "Ministri tha për Euronews Albania se nuk ka listë.", "euronews.al/o"),
    "sq, sipas": case("sq", "Sipas BBC-së, avioni u nis të hënën.", "bbc.com/o"),
    "sq, duke cituar": case(
        "sq", "Koha Ditore raporton, duke cituar Politico, se lista është gati.", "koha.net/r politico.com/o"
    ),
    "sq, dative": case("sq", "Zëdhënësi i tha Zërit të Amerikës se nuk ka listë.", "zeriamerikes.com/o"),
    "sq, dative of a listed name": case(
        "sq", "Zëdhënësi i konfirmoi Radios Evropa e Lirë vendimin.", "evropaelire.org/o"
    ),
    "ro, potrivit": case("ro", "Lista are doisprezece nume, potrivit Reuters.", "reuters.com/o"),
    "ro, a declarat pentru": case("ro", "Ministrul a declarat pentru Digi24 că nu există listă.", "digi24.ro/o"),
    "ro, preluat de": case(
        "ro", "Avionul a aterizat, scrie Le Monde, citat de Agerpres.", "agerpres.ro/r lemonde.fr/o"
    ),
    "ru, сообщает": case("ru", "Самолёт приземлился утром, сообщает Интерфакс.", "interfax.ru/o"),
    "ru, со ссылкой на": case(
        "ru", "Сделка готова, пишет «Коммерсантъ» со ссылкой на Reuters.", "kommersant.ru/r reuters.com/o"
    ),
    "ru, рассказал": case("ru", "Министр рассказал РИА Новости, что списка нет.", "ria.ru/o"),
    "uk, повідомляє": case("uk", "Літак приземлився, повідомляє Укрінформ.", "ukrinform.net/o"),
    "it, secondo": case("it", "Secondo il Corriere della Sera la lista è pronta.", "corriere.it/o"),
    "it, citando": case(
        "it", "L'aereo è atterrato, riferisce l'ANSA citando il Guardian.", "ansa.it/r theguardian.com/o"
    ),
    "it, ha detto a": case("it", "Il ministro ha detto a Sky TG24 che non c'è una lista.", "tg24.sky.it/o"),
    "es, según": case("es", "El avión aterrizó de madrugada, según Reuters.", "reuters.com/o"),
    "es, informó, citando": case(
        "es", "El pacto está listo, informó EFE citando a The New York Times.", "efe.com/r nytimes.com/o"
    ),
    "es, dijo a": case("es", "La ministra dijo a la cadena CNN que no hay lista.", "cnn.com/o"),
    "es, el país is the country": case("es", "El país aceptará a treinta personas, dijo el ministro."),
    "es, according to El País": case("es", "Según El País, la lista tiene doce nombres.", "elpais.com/o"),
    "pt, segundo": case("pt", "O avião aterrou de madrugada, segundo a agência Lusa.", "lusa.pt/o"),
    "pt, disse à": case("pt", "O ministro disse à Reuters que não há lista.", "reuters.com/o"),
    "pt, perguntas da": case("pt", "O ministério não respondeu às perguntas da BBC.", "bbc.com/o"),
    "fr, selon": case("fr", "Selon Le Monde, la liste compte douze noms.", "lemonde.fr/o"),
    "fr, a déclaré à": case("fr", "Le ministre a déclaré à l'AFP qu'il n'y avait pas de liste.", "afp.com/o"),
    "fr, rapporte, citant": case(
        "fr", "L'avion a atterri, rapporte RFI, citant Jeune Afrique.", "jeuneafrique.com/o rfi.fr/r"
    ),
    "fr, le monde is the world": case("fr", "Le monde entier regarde, a dit le ministre."),
    "de, laut": case("de", "Laut Süddeutscher Zeitung ist die Liste fertig.", "sueddeutsche.de/o"),
    "de, berichtet": case("de", "Das Flugzeug ist gelandet, berichtet die Agentur Reuters.", "reuters.com/o"),
    "de, unter Berufung auf": case(
        "de", "Der Deal steht, meldet die dpa unter Berufung auf das Wall Street Journal.", "dpa.com/r wsj.com/o"
    ),
    "de, die Zeit is time": case("de", "Die Zeit drängt, sagte die Ministerin."),
    "de, sagte der": case("de", "Die Ministerin sagte der ARD, es gebe keine Liste.", "tagesschau.de/o"),
    "nl, meldt": case("nl", "Het vliegtuig is geland, meldt persbureau ANP.", "anp.nl/o"),
    "nl, volgens": case("nl", "Volgens NRC staan er twaalf namen op de lijst.", "nrc.nl/o"),
    "tr, göre": case("tr", "Reuters'ın haberine göre uçak indi.", "reuters.com/o"),
    "pl, podaje": case("pl", "Samolot wylądował rano, podaje PAP.", "pap.pl/o"),
    "it, citato da a newspaper without its article": case(
        "it", "Secondo Politico, citato da Repubblica, l'intesa è vicina.", "politico.com/o repubblica.it/r"
    ),
    "it, the president of the republic is no newspaper": case(
        "it", "Il presidente della Repubblica ha firmato la legge."
    ),
    "it, citata da a person": case("it", "La sentenza citata da Rossi non vale più."),
    "tr, a common word with an ending": case("tr", "Sabah'ın haberine göre uçak indi.", "sabah.com.tr/o"),
    "tr, a common word without one": case("tr", "Sabah yeni bir uçak indi."),
    "pt, procurado pelo": case("pt", "Procurado pelo g1, o Itamaraty não se manifestou.", "g1.globo.com/o"),
    "pt, em nota ao": case("pt", "Em nota ao g1, o ministério negou a informação.", "g1.globo.com/o"),
    "fr, the article is the newspaper's": case(
        "fr", "Contacté par Le Monde, le ministère n'a pas répondu.", "lemonde.fr/o"
    ),
    "es, the article is the newspaper's": case(
        "es", "Consultado por El País, el ministerio no respondió.", "elpais.com/o"
    ),
    "an unknown language": case("xx", "(AFP) - Aliquid novi.", "afp.com/o"),
    "no text": case("en", ""),
}
CASES = {**ENGLISH, **SOUTH_SLAVIC, **OTHERS}


@pytest.mark.parametrize("one", CASES.values(), ids=CASES.keys())
def test_credits_are_read(one: Case) -> None:
    assert written(found(one)) == " ".join(sorted(one.want.split()))


def test_spans_are_cut_from_the_original() -> None:
    one = case("sr", "Списак је код „Блумберга“, јавља Танјуг.", "", title="Rojters: Spisak")
    for citation in found(one):
        text = one.title if citation.field == "title" else one.text
        assert text[citation.start : citation.end] == citation.source


def test_an_earlier_fact_is_marked() -> None:
    text = "Ghana took in eleven people, the BBC reported. In March the New York Times had named Ghana."
    marks = {citation.domain: citation.background for citation in found(case("en", text))}
    assert marks == {"bbc.com": False, "nytimes.com": True}


def test_both_scripts_give_the_same_credits() -> None:
    latin = found(case("sr", "Kako prenosi Tanjug, pozivajući se na Blumberg, spisak postoji."))
    cyrillic = found(case("sr", "Како преноси Танјуг, позивајући се на Блумберг, списак постоји."))
    assert [(c.domain, c.kind) for c in latin] == [(c.domain, c.kind) for c in cyrillic] != []


def test_explain_says_why_each_outlet_counts() -> None:
    text = EntryText("", "A list exists, according to Axios, as reported by Klix.", "en")
    lines = attribution.explain(text, TABLE, CREDITS)
    assert len(lines) == 2
    assert "axios.com" in lines[0]
    assert "according to" in lines[0]
    assert "as reported by" in lines[1]


def test_a_long_text_without_sentences_is_no_trap() -> None:
    text = EntryText("", "Reuters reports Bloomberg " * 2000, "en")
    assert {c.domain for c in attribution.citations(text, TABLE, CREDITS)} == {"reuters.com", "bloomberg.com"}
