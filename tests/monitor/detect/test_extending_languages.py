"""The guide for adding languages and countries: its examples are read, compiled and tried as they stand."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from monitor import lexicons
from monitor.detect import explain, findings, lexicon, lexicon_rows, outlets, reading, responses
from monitor.values import EntryText

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "extending-languages.md").read_text(encoding="utf-8")
RAW = lexicons.load("detect/lexicon")
BLOCKS = [YAML(typ="safe", pure=True).load(block) for block in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)]
CONFIG, COUNTRY, LANGUAGE = BLOCKS


def extended(**more: Any) -> lexicon.Lexicon:
    return lexicon.from_raw({**RAW, "speech/qq": LANGUAGE, "governments/QQ": COUNTRY}, **more)


def stances(text: str, language: str, known: lexicon.Lexicon) -> list[str]:
    doc = EntryText("", text, language)
    found = responses.findings_of(doc, known, outlets.from_raw(RAW))
    return [f"{one.government} {one.body} {one.stance}" for one in found]


def test_the_configuration_of_the_guide_adds_and_takes_away() -> None:
    mine = CONFIG["governments"]
    known = lexicon.from_raw(
        RAW, extra=mine["extra"], disable=mine["disable"], homes=mine["home"], speech=mine["speech"]
    )
    assert stances("The Refugee Shelter Board gave short shrift to the plan.", "en", known) == ["RW agency refused"]
    assert stances("Belgrade rejected the plan.", "en", lexicon.from_raw(RAW)) == ["RS government refused"]
    assert stances("Belgrade rejected the plan.", "en", known) == []


def test_a_body_of_the_configuration_speaks_only_in_its_time() -> None:
    (row,) = CONFIG["governments"]["extra"]
    known = lexicon.from_raw(RAW, extra=[{**row, "valid_to": "2025-06-01"}])
    text = "The Refugee Shelter Board rejected the plan."
    doc = EntryText("", text, "en", date=datetime(2025, 5, 1, tzinfo=UTC))
    assert [one.government for one in responses.findings_of(doc, known, outlets.from_raw(RAW))] == ["RW"]
    assert not responses.findings_of(replace(doc, date=datetime(2025, 7, 1, tzinfo=UTC)), known, outlets.from_raw(RAW))


def test_the_country_of_the_guide_has_a_palace_and_a_premier() -> None:
    known = extended()
    assert stances("Lagoon House declined to comment.", "en", known) == ["QQ head of state declined"]
    assert stances("Tolva rejected the plan.", "en", known) == ["QQ head of government refused"]


def test_the_language_of_the_guide_is_read_and_keeps_its_examples() -> None:
    known = extended()
    pack = known.pack("qq")
    assert pack is not None
    for row in LANGUAGE["rows"]:
        for expected, key in ((True, "yes"), (False, "no")):
            for text in row["examples"][key]:
                verdicts = [
                    verdict
                    for sentence in pack.sentences(text, "text")
                    for verdict in findings.judge(reading.parse(sentence, pack, None, ()))
                    if verdict.predicate.row.id == row["id"]
                ]
                assert any(verdict.reason is None for verdict in verdicts) is expected, (row["id"], text)


def test_a_row_of_the_guide_is_explained() -> None:
    told = "\n".join(
        explain.lines(
            responses.read(
                EntryText("", "La ministerio de aferoj rifuzis komenti.", "qq"), extended(), outlets.from_raw(RAW)
            )
        )
    )
    assert "row qq-declined-01 > declined" in told


def test_every_list_and_setting_that_is_used_is_in_the_guide() -> None:
    speech = {name: rows for name, rows in RAW.items() if name.startswith("speech/")}
    words = set(re.findall(r"`([a-z_]+)", GUIDE))
    settings = {one.split(":")[0] for rows in speech.values() for one in lexicon.items(rows.get("settings", []))}
    assert settings <= words, settings - words
    asked = {name for name in lexicon.GRAMMAR if any(name in (rows.get("lists") or {}) for rows in speech.values())}
    assert asked <= words, asked - words


def test_every_body_and_stance_is_in_the_guide() -> None:
    for word in lexicon_rows.BODIES | lexicon_rows.STANCES:
        assert re.search(rf"\b{word}\b", GUIDE), word


def test_the_languages_of_the_guide_are_those_shipped() -> None:
    named = GUIDE.split("What is read now:")[1].split("A text in")[0]
    shipped = {name.removeprefix("speech/") for name in RAW if name.startswith("speech/")}
    assert len(re.findall(r"[A-Z][a-z]+", named)) == len(shipped)
