"""The language of a text: the small model answers as py3langid, from whose model it is made, and knows when to ask."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from monitor.parse import identifier, language

TEXTS = (
    "Ministarstvo je juče odbilo da odgovori na pitanja o letovima",
    "Министарство је јуче одбило да одговори на питања о летовима",
    "The ministry declined yesterday to answer questions about the flights",
    "Министерството вчера отказа да отговори на въпроси за полетите",
    "Das Ministerium wollte Fragen zu den Flügen gestern nicht beantworten",
    "Ministria nuk pranoi dje t'u përgjigjet pyetjeve për fluturimet",
    "Το υπουργείο αρνήθηκε χθες να απαντήσει σε ερωτήσεις για τις πτήσεις",
    "Bakanlık dün uçuşlarla ilgili soruları yanıtlamayı reddetti",
    "El ministerio se negó ayer a responder a las preguntas sobre los vuelos",
    "Le ministère a refusé hier de répondre aux questions sur les vols",
    "Il ministero ieri ha rifiutato di rispondere alle domande sui voli",
    "Ministerul a refuzat ieri să răspundă la întrebări despre zboruri",
    "Министерство вчера отказалось отвечать на вопросы о рейсах",
    "Міністерство вчора відмовилося відповідати на запитання про рейси",
    "Министерството вчера одби да одговори на прашањата за летовите",
    "Ministerstwo odmówiło wczoraj odpowiedzi na pytania dotyczące lotów",
    "Ministerstvo včera odmítlo odpovědět na otázky o letech",
    "A minisztérium tegnap nem válaszolt a járatokkal kapcsolatos kérdésekre",
    "Ministrstvo včeraj ni želelo odgovoriti na vprašanja o letih",
)


@pytest.fixture(scope="module")
def library() -> LanguageIdentifier:
    made = LanguageIdentifier.from_model_file(MODEL_FILE)
    made.set_languages([name for name in language.LANGUAGES if name in made.labels])
    return made


@pytest.mark.parametrize("text", TEXTS)
def test_the_small_model_answers_as_the_library_does(text: str, library: LanguageIdentifier) -> None:
    assert identifier.load().identify(text) == library.classify(text)[0]


@pytest.mark.parametrize("run", ["tion", "anje", "ë n", "ије", "sch"])
def test_the_weights_are_those_of_the_library_in_steps_of_a_tenth(run: str, library: LanguageIdentifier) -> None:
    """A text of one run alone: what one language weighs more than another, in both."""
    state = 0
    for byte in run.encode():
        state = library.tk_nextmove[library._rowbase[state] + byte]
    theirs = library.nb_ptc[library.tk_output[state]].astype(float)
    ours = _weights(identifier.load(), run)
    assert ours == pytest.approx([(weight + 15) / 0.1 for weight in theirs], abs=0.51)


def _weights(made: identifier.Identifier, run: str) -> list[int]:
    sums = sum(value for end, value in made._runs.iter(_letters(run)) if end == len(run.encode()) - 1)
    return list(made._sums.unpack(sums.to_bytes(made._sums.size, "little")))


def _letters(run: str) -> str:
    return run.encode().decode("latin-1")


@dataclass(frozen=True, slots=True)
class Case:
    title: str | None
    text: str | None
    hint: str | None
    want: str | None
    country: str | None = None


CASES = {
    "an English entry in a Serbian feed is English": Case(TEXTS[2], None, "sr", "en"),
    "a Serbian entry in an English feed is Serbian": Case(TEXTS[0], None, "en", "sr", "RS"),
    "Serbian in Cyrillic is Serbian, whatever the feed says": Case(TEXTS[1], None, "en", "sr"),
    "an Albanian title of four words in a feed declared Macedonian": Case(
        "Qeveria nuk pranoi përgjigje", None, "mk", "sq"
    ),
    "a title in capitals": Case(TEXTS[5].upper(), None, None, "sq"),
    "an English title over a Serbian text": Case("Balkans First", f"{TEXTS[0]}. {TEXTS[0]}", None, "sr", "RS"),
    "three words say too little against a declaration": Case("Vlada o letovima", None, "sl", "sl"),
    "names alone, where the words hardly say another language": Case(
        "Tirana, Beograd, Zagreb, Skopje", None, "bs", "bs"
    ),
    "addresses are no words": Case(
        "https://the-news-and-the-weather.example/of/the/day Vlada odbila", None, "hr", "hr"
    ),
    "numbers and signs": Case("12:30 – 14:45 ... !?", None, None, None),
    "two letters": Case("ok", None, None, None),
    "a script of no known language, and nothing declared": Case(
        "政府昨日拒絕回答有關航班的問題政府昨日拒絕回答", None, None, None
    ),
    "a script of no known language, declared": Case("政府昨日拒絕回答有關航班的問題政府昨日拒絕回答", None, "zh", "zh"),
    "Croatian by the outlet's country": Case(TEXTS[0], None, None, "hr", "HR"),
    "Bosnian as declared": Case(TEXTS[0], None, "bs", "bs"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_detect(case: Case) -> None:
    assert language.detect(case.title, case.text, case.hint, case.country) == case.want


SCRIPTS = {"Ministarstvo je": "Latn", "Министарство је NATO": "Cyrl", "Το υπουργείο": "Grek", "12:30": None}


@pytest.mark.parametrize("text", SCRIPTS)
def test_script(text: str) -> None:
    assert language.script(text) == SCRIPTS[text]
