"""The story storywatch was born from, in our own words: who has it from whom, who stayed silent, who answered.

Played through the real pipeline and the real alerts under a virtual clock. Outlets are invented.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitor import replay
from monitor.config import api

CONFIG = """\
version: 1
contact: https://newsroom.example/storywatch
governments: {watch: [US, RS, XK, ME]}
watches:
  - name: deportees
    query: |
      ~deportation AND (~Balkan OR Serb* OR Srb* OR Kosov* OR "Crna Gora" OR "Crne Gore")
outlets:
  wire.example: {name: Harbour Wire, country: US, kind: wire, aliases: [Харбур вајер]}
  press.example: {name: Northern Press, country: GB, kind: wire}
  glas.example: {name: Jutarnji glas, country: RS}
  agency.example: {name: Bosfor Agency, country: TR, kind: wire}
  review.example: {name: Sarajevo Review, country: BA}
  eter.example: {name: Radio Eter, country: RS, kind: broadcaster, group: eter}
  hapur.example: {name: Radio Hapur, country: XK, kind: broadcaster, group: eter}
  mirror.example: {name: Mirror Portal, country: AE}
channels:
  console: {type: stdout}
"""

REPORT = {
    "id": "report",
    "at": "2025-06-05T08:00:00Z",
    "lang": "en",
    "url": "https://press.example/1",
    "title": "Harbour Wire: Washington wants Balkan states to take deported migrants",
    "text": "Serbia and several of its Balkan neighbours were sounded out about housing migrants whom America deports, "
    "Harbour Wire reported on Thursday, quoting diplomats it did not name. Neither Serbia's Foreign Ministry nor the "
    "State Department nor the White House immediately replied to requests for comment from Northern Press.",
}
CHAIN = {
    "id": "chain",
    "at": "2025-06-05T11:00:00Z",
    "lang": "en",
    "url": "https://review.example/2",
    "title": "US presses Serbia and Bosnia over deported migrants",
    "text": "Washington presses Serbia and other Balkan states to accept deported migrants, say sources close to it, "
    "reports Bosfor Agency. It is part of a wider plan, according to Harbour Wire, as reported by Jutarnji glas. "
    "The White House would not comment, and neither the Serbian Foreign Ministry nor the State Department answered "
    "Harbour Wire's questions.",
}


def entry(name: str, at: str, host: str, lang: str, title: str, text: str) -> dict[str, str]:
    url = f"https://{host}/{name}"
    return {"id": name, "at": f"2025-06-{at}:00Z", "lang": lang, "url": url, "title": title, "text": text}


COPY = {**REPORT, "id": "copy", "at": "2025-06-05T12:00:00Z", "url": "https://mirror.example/9"}
PARTY = entry(
    "party", "06T08:00", "glas.example", "sr", "Stranka traži odgovor o prihvatu deportovanih migranata u Srbiji",
    "Predsednik opozicione stranke pozvao je Ministarstvo spoljnih poslova da kaže da li Srbija prima deportovane "
    "migrante iz SAD. Poslanici stranke tražiće i sednicu odbora.",
)  # fmt: skip
BROKEN = entry(
    "broken", "06T10:00", "eter.example", "sr",
    "Stejt department potvrdio razgovore o deportovanim migrantima sa Srbijom",
    "Stejt department potvrdio je za Radio Eter da Sjedinjene Države razgovaraju sa Srbijom o prihvatu deportovanih "
    "migranata.",
)  # fmt: skip
KOSOVO = entry(
    "kosovo", "11T12:00", "hapur.example", "sq", "Qeveria e Kosovës pranon 50 migrantë të deportuar nga SHBA-ja",
    "Qeveria e Kosovës ka pranuar kërkesën e Shteteve të Bashkuara për të strehuar 50 migrantë të deportuar.",
)  # fmt: skip


def told(tmp_path: Path, *rows: dict[str, str]) -> list[dict[str, Any]]:
    """What a replay of these rows says, line by line."""
    lines: list[dict[str, Any]] = []
    config = api.parse_text(CONFIG, {})
    replay.play([replay.row(json.loads(json.dumps(row))) for row in rows], config, tmp_path, lines.append)
    return lines


def events(lines: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["type"] == "event" and line["kind"] in kinds]


def facts(lines: list[dict[str, Any]], kind: str) -> set[tuple[str, str, str, str | None]]:
    return {(e["government"], e["body"], e["stance"], e.get("asker")) for e in events(lines, kind)}


def test_declined_to_comment_is_not_a_response(tmp_path: Path) -> None:
    lines = told(tmp_path, REPORT, CHAIN)
    assert events(lines, "response", "silence_broken", "stance_change") == []


def test_two_reports_of_one_request_are_one_story_of_two_outlets(tmp_path: Path) -> None:
    lines = told(tmp_path, REPORT, CHAIN)
    assert [(e["kind"], e["outlet"]) for e in events(lines, "new_story", "new_outlet")] == [
        ("new_story", "press.example"),
        ("new_outlet", "review.example"),
    ]
    assert len({e["story"] for e in events(lines, "new_story", "new_outlet")}) == 1


def test_each_askers_silence_is_a_fact_of_its_own(tmp_path: Path) -> None:
    lines = told(tmp_path, REPORT, CHAIN)
    offices = (("US", "head of state"), ("US", "foreign ministry"), ("RS", "foreign ministry"))
    asked_by_press = {(*office, "no_reply", "press.example") for office in offices}
    asked_by_wire = {(*office, "no_reply", "wire.example") for office in offices[1:]}
    assert facts(lines, "non_answer") == {
        *asked_by_press,
        *asked_by_wire,
        ("US", "head of state", "declined", "wire.example"),
    }


def test_a_chain_of_citations_leads_to_its_origin(tmp_path: Path) -> None:
    lines = told(tmp_path, REPORT, CHAIN)
    (chain,) = events(lines, "new_outlet")
    assert set(chain["cites"]) == {"agency.example", "glas.example", "wire.example"}
    assert chain["origin"] == "known"


def test_a_copy_is_no_new_outlet(tmp_path: Path) -> None:
    lines = told(tmp_path, REPORT, COPY)
    assert events(lines, "new_outlet") == []
    assert [(e["outlet"], e["copy_of"]) for e in events(lines, "copy")] == [("mirror.example", "report")]


def test_an_opposition_leader_calling_on_a_ministry_is_no_response(tmp_path: Path) -> None:
    lines = told(tmp_path, REPORT, PARTY)
    assert events(lines, "response", "silence_broken", "stance_change") == []


def test_an_answer_after_silence_breaks_it(tmp_path: Path) -> None:
    lines = told(tmp_path, REPORT, CHAIN, BROKEN)
    (broken,) = events(lines, "silence_broken")
    assert (broken["government"], broken["body"], broken["stance"]) == ("US", "foreign ministry", "confirmed")
    assert broken["quote"] in BROKEN["text"] or broken["quote"] in BROKEN["title"]


def test_kosovos_agreement_six_days_later_is_a_response(tmp_path: Path) -> None:
    lines = told(tmp_path, REPORT, CHAIN, BROKEN, KOSOVO)
    answers = [e for e in events(lines, "response") if e["government"] == "XK"]
    assert [(e["body"], e["stance"], e["entry"]) for e in answers] == [("government", "agreed", "kosovo")]


def test_every_event_is_told_once_in_some_digest(tmp_path: Path) -> None:
    lines = told(tmp_path, REPORT, CHAIN, COPY, PARTY, BROKEN, KOSOVO)
    keys = [e["key"] for e in events(lines, "new_story", "new_outlet", "response", "silence_broken")]
    in_digests = [key for line in lines if line["type"] == "delivery" for key in line["events"]]
    assert sorted(key for key in in_digests if key in set(keys)) == sorted(keys)
    assert lines[-1]["type"] == "summary"


def test_a_replay_is_the_same_every_time(tmp_path: Path) -> None:
    runs = []
    for n in range(2):
        folder = tmp_path / str(n)
        folder.mkdir()
        runs.append(
            [
                {k: v for k, v in line.items() if k != "text"}
                for line in told(folder, REPORT, CHAIN, COPY, BROKEN, KOSOVO)
            ]
        )
    assert runs[0] == runs[1]


@pytest.mark.parametrize(
    ("line", "says"),
    {
        "no JSON": ("{", "line 1"),
        "no object": ("[1]", "is no JSON object"),
        "no title": ('{"at": "2025-06-05"}', "lacks title"),
        "no time that can be read": ('{"at": "soon", "title": "T"}', "'soon' is no time"),
    }.values(),
)
def test_an_unusable_row_is_reported_by_line_and_the_rest_goes_on(tmp_path: Path, line: str, says: str) -> None:
    class Progress:
        said = ""

        def write(self, text: str) -> int:
            self.said += text
            return len(text)

    progress = Progress()
    rows = list(replay.read([line, json.dumps(REPORT)], progress))  # type: ignore[arg-type]  # it only writes
    assert says in progress.said
    assert rows[0] is None
    assert rows[1] is not None
