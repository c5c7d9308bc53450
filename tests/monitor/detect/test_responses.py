"""Who answered and who did not: our own passages, one JSON line each, and the properties of the whole.

`want` holds "government body stance [asker]" for every finding that is not background, and nothing else may be found.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor import lexicons
from monitor.detect import explain, lexicon, outlets, responses
from monitor.values import Certainty, Domain, EntryText, Finding, Outlet, Stance

DATA = Path(__file__).parents[2] / "data" / "responses"
RAW = lexicons.load("detect/lexicon")
LEXICON = lexicon.from_raw(RAW)
OUTLETS = outlets.from_raw(RAW)
ROWS = [json.loads(line) for line in (DATA / "scenarios.jsonl").read_text(encoding="utf-8").splitlines()]


def entry(row: dict[str, Any]) -> EntryText:
    outlet = OUTLETS.by_domain(Domain(row["outlet"])) if "outlet" in row else None
    return EntryText(row.get("title", ""), row["text"], row["lang"], outlet)


def told(doc: EntryText) -> list[str]:
    """What was found, in the words of `want`."""
    lines = []
    for finding in responses.findings_of(doc, LEXICON, OUTLETS):
        if not finding.background:
            asker = f" {finding.asker.domain or finding.asker.name}" if finding.asker else ""
            lines.append(f"{finding.government} {finding.body} {finding.stance}{asker}")
    return sorted(lines)


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_a_passage_gives_what_it_says_and_nothing_else(row: dict[str, Any]) -> None:
    assert told(entry(row)) == sorted(row["want"])


def test_there_are_enough_passages() -> None:
    assert len(ROWS) >= 150
    assert len({row["text"] + row.get("title", "") for row in ROWS}) == len(ROWS)


def found(text: str, language: str | None = "en", **more: Any) -> tuple[Finding, ...]:
    return responses.findings_of(EntryText(more.pop("title", ""), text, language, **more), LEXICON, OUTLETS)


NEGATIONS = {
    "did not respond": (
        "Serbia's government did not respond to questions.",
        "Serbia's government did respond to questions.",
    ),
    "will not accept": (
        "Ghana's president said it will not accept them.",
        "Ghana's president said it will accept them.",
    ),
    "no request": (
        "The Kenyan government said it had received no request.",
        "The Kenyan government said it had received a request.",
    ),
    "nije odgovorila": ("Vlada Srbije nije odgovorila na upit.", "Vlada Srbije je odgovorila na upit."),
    "nema da primi": (
        "Премиерот рече дека земјата нема да прими никого.",
        "Премиерот рече дека земјата ќе прими луѓе.",
    ),
    "nuk iu përgjigj": ("Qeveria e Kosovës nuk iu përgjigj pyetjeve.", "Qeveria e Kosovës iu përgjigj pyetjeve."),
    "no respondió": ("El Gobierno de Perú no respondió a la consulta.", "El Gobierno de Perú respondió a la consulta."),
    "n'a pas répondu": (
        "Le gouvernement rwandais n'a pas répondu aux questions.",
        "Le gouvernement rwandais a répondu aux questions.",
    ),
}


@pytest.mark.parametrize(("text", "changed"), NEGATIONS.values(), ids=NEGATIONS.keys())
def test_dropping_a_negation_changes_the_result(text: str, changed: str) -> None:
    language = {"V": "sr", "П": "mk", "Q": "sq", "E": "es", "L": "fr"}.get(text[0], "en")
    assert [one.stance for one in found(text, language)] != [one.stance for one in found(changed, language)]


def test_latin_and_cyrillic_of_one_text_give_the_same() -> None:
    latin = "Ministarstvo spoljnih poslova Srbije odbilo je da komentariše navode."
    cyrillic = "Министарство спољних послова Србије одбило је да коментарише наводе."
    assert [(one.government, one.body, one.stance) for one in found(latin, "sr")] == [
        (one.government, one.body, one.stance) for one in found(cyrillic, "sr")
    ]


def test_quotes_and_actors_are_cut_from_the_original() -> None:
    text = "Tihi uvod. Влада Србије није одговорила на упит."
    (one,) = found(text, "sr")
    assert text[one.start : one.end] == one.quote == "Влада Србије није одговорила на упит."
    assert one.actor == "Влада Србије"


def test_two_runs_are_equal() -> None:
    docs = [entry(row) for row in ROWS]
    first = [responses.findings_of(doc, LEXICON, OUTLETS) for doc in docs]
    fresh = lexicon.from_raw(RAW)
    assert first == [responses.findings_of(doc, fresh, OUTLETS) for doc in docs]


def test_a_known_stance_of_last_week_is_kept_as_background() -> None:
    (one,) = found("Last week the Serbian government confirmed the talks.", date=datetime(2025, 6, 11, tzinfo=UTC))
    assert one.background
    assert one.hand == "relay"
    assert one.stance is Stance.CONFIRMED


def test_what_is_older_than_a_week_is_nothing() -> None:
    day = datetime(2025, 6, 30, tzinfo=UTC)
    assert not found("The Serbian government confirmed the talks on 2 May.", date=day)
    assert found("The Serbian government confirmed the talks on 28 June.", date=day)


def test_a_holder_speaks_only_while_in_office() -> None:
    text = "Joe Biden rejected the plan."
    assert found(text, date=datetime(2023, 6, 1, tzinfo=UTC))[0].government == "US"
    assert not found(text, date=datetime(2026, 6, 1, tzinfo=UTC))


def test_an_answer_makes_the_silence_of_the_same_body_partial() -> None:
    rows = {one.stance: one for one in found(ROWS[2]["text"])}
    assert rows[Stance.DECLINED].partial
    assert not rows[Stance.CONFIRMED].partial


def test_a_body_without_a_country_is_weak() -> None:
    (one,) = found("The ministry did not answer questions.")
    assert (one.government, one.certainty) == ("ZZ", Certainty.WEAK)


RUMOURS = {
    "a country in an entry of unnamed people": ("Angola agreed to the plan, people close to the talks said.", []),
    "the same beside unnamed people": (
        "Angola agreed to the plan. Two people familiar with the talks gave no date.",
        ["weak"],
    ),
    "a body that speaks beside unnamed people": (
        "Angola's government agreed to the plan. Two people familiar with the talks gave no date.",
        ["sure"],
    ),
    "a country without unnamed people": ("Angola agreed to the plan.", ["sure"]),
}


@pytest.mark.parametrize(("text", "want"), RUMOURS.values(), ids=RUMOURS.keys())
def test_what_unnamed_people_tell_of_a_country_is_a_rumour(text: str, want: list[str]) -> None:
    assert [str(finding.certainty) for finding in found(text)] == want


def test_a_bare_government_is_that_of_the_outlets_home() -> None:
    outlet = Outlet(Domain("gazeta.example"), "Gazeta", "XK", "newspaper")
    (one,) = found("Qeveria nuk iu përgjigj pyetjeve.", "sq", outlet=outlet)
    assert (one.government, one.via) == ("XK", "outlet")


def test_a_language_is_guessed_when_none_is_given() -> None:
    (one,) = found("Le gouvernement rwandais n'a pas encore répondu aux questions de la presse sur les accords.", None)
    assert (one.government, one.stance) == ("RW", Stance.NO_REPLY)


UNKNOWN = {
    "a language nobody listed is not read as a neighbour": ("sv", "Den danska regeringen said no to the request."),
    "Czech is not taken for its relatives": (None, "Česká vláda ve čtvrtek uvedla, že o tom nejedná a nic nepřijme."),
    "Slovene is not taken for Serbian": (None, "Slovenska vlada je sporočila, da ni prejela prošnje in da molči."),
    "an undetermined text of few words": ("und", "Ghana rejects deal."),
}  # fmt: skip


@pytest.mark.parametrize(("language", "text"), UNKNOWN.values(), ids=UNKNOWN.keys())
def test_an_unknown_language_is_passed_through_without_a_guess(language: str | None, text: str) -> None:
    assert responses.read(EntryText("", text, language), LEXICON, OUTLETS) is None


def test_a_guessed_language_gives_no_home() -> None:
    text = "Vlada je saopštila da nije dobila zahtev i da se o tome ne zna ništa, a da će se o svemu odlučivati."
    assert {one.government for one in found(text, None)} == {"ZZ"}


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n\n", '"', "„", "- - -", "1234.", "ş" * 50, "The " * 20_000, "government " * 5_000 + "said.",
     "Serbia, " * 6_000, "„" * 3_000, "a" * 1_000_000, "Ministry of " * 5_000, "no comment " * 5_000],
    ids=lambda text: f"{text[:12]!r} x {len(text)}",
)  # fmt: skip
def test_no_text_is_an_error_or_takes_long(text: str) -> None:
    assert len(found(text)) <= responses.MAX_FINDINGS


def test_explain_names_row_and_reason_of_every_span() -> None:
    doc = EntryText("", "The mayor rejected the plan. Serbia's foreign ministry declined to comment.", "en")
    told_lines = "\n".join(explain.lines(responses.read(doc, LEXICON, OUTLETS)))
    assert 'rejected  [10:18] "rejected" row en-refused-01: third party (mayor)' in told_lines
    assert 'found     [55:74] "declined to comment" row en-declined-01 > declined' in told_lines
    assert "result    RS foreign ministry: declined" in told_lines
    silent = EntryText("", "Serbia's foreign ministry did not answer questions.", "en")
    assert '  negation  [30:33] "not"' in list(explain.lines(responses.read(silent, LEXICON, OUTLETS)))
    assert list(explain.lines(None)) == ["language  und: no language the lexicon knows, nothing is read"]


def test_lab_rows_speak_of_kinds() -> None:
    (one,) = found("Serbia's government declined to comment.")
    assert responses.as_lab(one) == {
        "government": "RS",
        "body": "government",
        "kind": "declined_to_comment",
        "actor": "Serbia's government",
        "quote": "Serbia's government declined to comment.",
        "asker": None,
    }
