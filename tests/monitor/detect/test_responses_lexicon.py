"""The lexicon of responses: it loads, it refuses what contradicts itself, and every row keeps its two examples."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from monitor import lexicons
from monitor.detect import findings, lexicon, reading
from monitor.errors import LexiconError

RAW = lexicons.load("detect/lexicon")
LEXICON = lexicon.from_raw(RAW)
EXAMPLES = list(lexicon.examples(RAW))


def rules(language: str, text: str) -> list[tuple[str, str | None]]:
    """Row and reason of every verdict in a text."""
    pack = LEXICON.pack(language)
    assert pack is not None
    return [
        (verdict.predicate.row.id, verdict.reason)
        for sentence in pack.sentences(text, "text")
        for verdict in findings.judge(reading.parse(sentence, pack, None, ()))
    ]


@pytest.mark.parametrize(
    ("language", "row", "expected", "text"),
    [(language, row, expected, text) for language, row, _, expected, text in EXAMPLES],
    ids=[f"{row}-{'yes' if expected else 'no'}-{at}" for at, (_, row, _, expected, _) in enumerate(EXAMPLES)],
)
def test_a_row_fires_on_its_example_and_stays_silent_on_the_other(
    language: str, row: str, expected: bool, text: str
) -> None:
    fired = [reason for rule, reason in rules(language, text) if rule == row]
    assert bool(fired) if expected else all(reason is not None for reason in fired), rules(language, text)


def test_every_language_can_be_built() -> None:
    lexicon.validate(LEXICON)


def test_every_government_row_has_a_known_code_and_body() -> None:
    named = {"RS-country", "US-wh", "XK-Albin Kurti"}
    assert lexicon.from_raw(RAW, disable=named).disabled == named


def broken(change: Any) -> dict[str, Any]:
    raw = copy.deepcopy({name: RAW[name] for name in ("speech/en", "governments/RS", "homes")})
    change(raw)
    return raw


BROKEN = {
    "a row without an example that must stay silent": (
        lambda raw: raw["speech/en"]["rows"][0]["examples"].pop("no"),
        "needs one example",
    ),
    "an unknown stance": (lambda raw: raw["speech/en"]["rows"][0].update(stance="maybe"), "unknown stance 'maybe'"),
    "an unknown key in a row": (lambda raw: raw["speech/en"]["rows"][0].update(form="x"), "unknown key 'form'"),
    "an id used twice": (
        lambda raw: raw["speech/en"]["rows"].append(raw["speech/en"]["rows"][0]),
        "used twice",
    ),
    "eleven months": (lambda raw: raw["speech/en"]["months"].pop(), "11 months instead of 12"),
    "an unknown body of a leader": (
        lambda raw: raw["governments/RS"]["leaders"][0].update(body="throne"),
        "unknown body 'throne'",
    ),
    "a government that is no code": (
        lambda raw: raw["governments/RS"].update(government="serbia"),
        "no government's code",
    ),
    "an office that ends before it begins": (
        lambda raw: raw["governments/RS"]["leaders"][0].update({"from": "2020-01-01", "to": "2019-01-01"}),
        "ends before it begins",
    ),
    "two heads of government on one day": (
        lambda raw: raw["governments/RS"]["leaders"].append(
            {"name": "Second", "body": "head of government", "from": "2025-05-01", "names": {"any": ["Second"]}}
        ),
        "at the same time",
    ),
    "a short name that needs no capitals": (
        lambda raw: raw["governments/RS"]["bodies"].append({"id": "RS-x", "body": "agency", "names": {"en": ["xy"]}}),
        "too short",
    ),
}


@pytest.mark.parametrize(("change", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_lexicon_is_refused_with_file_and_row(change: Any, message: str) -> None:
    with pytest.raises(LexiconError, match=message):
        lexicon.validate(lexicon.from_raw(broken(change)))


def test_a_form_of_two_kinds_is_refused() -> None:
    def claim(raw: dict[str, Any]) -> None:
        row = {"id": "en-x", "stance": "no_reply", "forms": ["condemned"], "examples": {"yes": ["x"], "no": ["y"]}}
        raw["speech/en"]["rows"].append(row)

    with pytest.raises(LexiconError, match="belongs to"):
        lexicon.validate(lexicon.from_raw(broken(claim)))


def test_disabling_an_unknown_row_names_the_nearest() -> None:
    with pytest.raises(LexiconError, match="no row 'sr-decline-02'; did you mean 'sr-declined-02'"):
        lexicon.from_raw(RAW, disable=["sr-decline-02"])


def test_a_disabled_row_no_longer_fires() -> None:
    quiet = lexicon.from_raw(RAW, disable=["en-denied-01"]).pack("en")
    assert quiet is not None
    assert not any(getattr(hit.payload, "id", "") == "en-denied-01" for hit in quiet.index.find(["denied"]))


def test_the_operator_adds_a_body_and_a_verb() -> None:
    own = lexicon.from_raw(
        RAW,
        extra=[{"government": "PW", "body": "agency", "names": {"en": ["Reef Board"]}}],
        speech={"en": {"refused": ["pooh-poohed"]}},
    ).pack("en")
    assert own is not None
    found = own.index.find(["the", "reef", "board", "pooh", "poohed"])
    assert any(getattr(hit.payload, "code", "") == "PW" for hit in found)


@pytest.mark.parametrize(("code", "file"), [("cnr", "me"), ("sr-Latn-RS", "sr"), ("hbs", "sr"), ("pt_BR", "pt")])
def test_a_language_is_found_by_any_of_its_codes(code: str, file: str) -> None:
    pack = LEXICON.pack(code)
    assert pack is not None
    assert pack.language == file


def test_an_unknown_language_has_no_pack() -> None:
    assert LEXICON.pack("tlh") is None


def test_a_language_is_guessed_by_its_function_words() -> None:
    words = ["vlada", "je", "saopstila", "da", "nije", "dobila", "zahtev", "i", "da", "se", "o", "tome", "ne", "govori"]
    assert LEXICON.guess(words) in ("sr", "bs", "hr", "me")
    assert (
        LEXICON.guess(["le", "gouvernement", "a", "dit", "que", "la", "demande", "est", "dans", "les", "mains", "de"])
        == "fr"
    )
    assert LEXICON.guess(["xyzzy"]) is None
