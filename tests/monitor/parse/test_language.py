"""The language model, read table by table: it must answer as the library's own reading of it does."""

from __future__ import annotations

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from monitor.parse import language

TEXTS = (
    "Ministarstvo je juče odbilo da odgovori na pitanja o letovima",
    "Министарство је јуче одбило да одговори на питања о летовима",
    "The ministry declined yesterday to answer questions about the flights",
    "Министерството вчера отказа да отговори на въпроси за полетите",
    "Das Ministerium wollte Fragen zu den Flügen gestern nicht beantworten",
    "Ministria nuk pranoi dje t'u përgjigjet pyetjeve për fluturimet",
    "Το υπουργείο αρνήθηκε χθες να απαντήσει σε ερωτήσεις για τις πτήσεις",
    "Bakanlık dün uçuşlarla ilgili soruları yanıtlamayı reddetti",
    "12:30 – 14:45 ... !?",
    "ok",
)


def test_the_tables_read_one_by_one_are_those_of_the_library() -> None:
    library = LanguageIdentifier.from_model_file(MODEL_FILE)
    library.set_languages([name for name in language.LANGUAGES if name in library.labels])
    ours = language._identifier(language.LANGUAGES)
    assert [ours.rank(text) for text in TEXTS] == [library.rank(text) for text in TEXTS]
