"""Evidence: what a file holds, that it verifies, and that one changed byte anywhere does not."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from monitor import evidence, wiring
from monitor.cli import app
from monitor.config import api
from tests.monitor.web.site import CONFIG, HOSTILE, NOW, ROWS, filled, story_of

pytest.importorskip("cryptography", reason="LOUD: the extra `evidence` is not installed, signatures are not tested")
SEED = bytes(range(32))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    opened = filled(tmp_path_factory.mktemp("evidence"), ROWS)
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def files(engine: Engine) -> dict[str, bytes]:
    """Both forms of the hostile story."""
    known = wiring.knowledge(api.parse_text(CONFIG, {}), config_rev=0)
    with engine.connect() as connection:
        content = evidence.gather(connection, story_of(engine, HOSTILE), known.outlets, known.governments, NOW)
    assert content is not None
    return {"json": evidence.as_json(content, SEED), "html": evidence.as_html(content, SEED)}


@pytest.mark.parametrize("form", ["json", "html"])
def test_a_file_verifies_and_names_its_key(files: dict[str, bytes], form: str) -> None:
    verified = evidence.verify(files[form], evidence.fingerprint_of(SEED))
    assert verified.made_at == "2025-06-07T00:00:00Z"


@pytest.mark.parametrize("form", ["json", "html"])
def test_one_flipped_byte_anywhere_fails(files: dict[str, bytes], form: str) -> None:
    good = files[form]
    places = set(random.Random(5).sample(range(len(good)), 300)) | set(range(len(good) - 300, len(good)))
    for place in places:
        for bit in (1, 0x20):
            bad = bytearray(good)
            bad[place] ^= bit
            with pytest.raises(evidence.EvidenceRefused):
                evidence.verify(bytes(bad))


@pytest.mark.parametrize("form", ["json", "html"])
@pytest.mark.parametrize("change", [lambda raw: raw[:-1], lambda raw: raw + b"\n", lambda raw: b" " + raw])
def test_a_shorter_or_longer_file_fails(files: dict[str, bytes], form: str, change: object) -> None:
    assert callable(change)
    with pytest.raises(evidence.EvidenceRefused):
        evidence.verify(change(files[form]))


NONSENSE = {
    "nothing": b"",
    "another document": b"<!doctype html><p>hello",
    "another JSON": b'{"content": 1}',
    "an array where an object belongs": b'{"content":[],"signature":{"key":"","value":""}}',
    "bytes that are no text": b"{\xff\xfe",
    "brackets without end": b"{" * 100_000,
}


@pytest.mark.parametrize("raw", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_refused_in_words(raw: bytes) -> None:
    with pytest.raises(evidence.EvidenceRefused):
        evidence.verify(raw)


def test_a_file_of_another_key_is_refused_when_one_is_named(files: dict[str, bytes]) -> None:
    with pytest.raises(evidence.EvidenceRefused, match="another key"):
        evidence.verify(files["json"], evidence.fingerprint_of(bytes(32)))


def test_it_holds_quotes_addresses_times_and_hashes(files: dict[str, bytes]) -> None:
    content = json.loads(files["json"])["content"]
    assert content["asked_no_answer"][0]["government_name"] == "Serbia"
    entry = content["entries"][0]
    assert entry["url"] == "https://wire.example/1?a=1&b=%22"
    assert entry["first_seen_at"] == "2025-06-05T08:00:00Z"
    assert len(entry["text_sha256"]) == 64


def test_hostile_titles_stay_text_and_nothing_is_loaded(files: dict[str, bytes]) -> None:
    shown = files["html"].decode()
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert "src=" not in shown


def test_the_command_line_makes_and_checks_files(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORYWATCH_STORAGE_URL", str(engine.url))
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    run = CliRunner()
    key = story_of(engine, HOSTILE)
    made = run.invoke(app, ["evidence", key, "--out", str(tmp_path / "out"), "-c", str(config)])
    assert made.exit_code == 0, made.output
    for form in ("html", "json"):
        path = tmp_path / "out" / f"{key}.{form}"
        assert "unchanged" in run.invoke(app, ["verify", str(path)]).output
        path.write_bytes(path.read_bytes().replace(b"Harbour", b"Harbor "))
        assert isinstance(run.invoke(app, ["verify", str(path)]).exception, evidence.EvidenceRefused)


def test_the_installation_keeps_its_key(engine: Engine) -> None:
    with engine.begin() as connection:
        assert evidence.key_of(connection) == evidence.key_of(connection)
