"""What an entry raises: outlets, copies, answers, broken silences, changes of position, and what stays quiet."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.values import EventState, Kind
from monitor.detect import events
from monitor.detect.event_keys import key, quote_hash
from monitor.values import Certainty, Finding
from tests.monitor.detect.telling import KEY, START, WATCH, WEAK, Story, cites, says, shown

DENIES = says("RS", "foreign ministry", "denied", quote="There were no talks.")
CONFIRMS = says("RS", "foreign ministry", "confirmed", quote="There were talks.")
NO_REPLY = says("RS", "foreign ministry", "no_reply", asker="wire")
OWN = cites("daily")


def test_the_first_text_starts_a_story_and_its_silences_are_no_responses() -> None:
    story = Story()
    found = story.tells(
        "wire",
        says("US", "head of state", "declined", asker="wire"),
        says("US", "foreign ministry", "no_reply", asker="wire"),
        NO_REPLY,
    )
    assert shown(found) == [
        "new_story",
        "non_answer RS foreign ministry no_reply",
        "non_answer US foreign ministry no_reply",
        "non_answer US head of state declined",
    ]


def test_a_second_asker_brings_its_own_silences() -> None:
    story = Story()
    story.tells("wire", says("US", "head of state", "declined", asker="wire"))
    found = story.tells("agency", says("US", "head of state", "no_reply", asker="agency"), credits=cites("wire"))
    assert shown(found) == ["new_outlet", "non_answer US head of state no_reply"]
    assert {event.answer.asker for event in found if event.answer} == {"agency.example"}


def test_a_known_silence_is_told_once() -> None:
    story = Story()
    story.tells("wire", NO_REPLY)
    relay = says("RS", "foreign ministry", "no_reply", asker="wire", hand="relay")
    assert shown(story.tells("daily", relay, credits=cites("wire"))) == ["new_outlet"]
    unknown = says("RS", "foreign ministry", "no_reply", hand="relay")
    assert shown(story.tells("evening", unknown, credits=cites("wire"))) == ["new_outlet"]


def test_a_copy_is_a_fact_for_digests_and_its_outlets_own_piece_is_news() -> None:
    story = Story()
    story.tells("wire")
    assert shown(story.tells("daily", copy_of=1)) == ["copy"]
    assert shown(story.tells("daily")) == ["new_outlet"]
    assert shown(story.tells("daily")) == []


def test_a_copy_raises_no_answer_again() -> None:
    story = Story()
    story.tells("wire", DENIES)
    assert shown(story.tells("daily", DENIES, NO_REPLY, copy_of=1)) == ["copy"]


def test_a_sister_service_is_a_mention() -> None:
    story = Story()
    story.tells("radio-sr")
    assert shown(story.tells("radio-en")) == []


def test_an_unknown_outlet_is_never_a_new_one() -> None:
    story = Story()
    story.tells("wire")
    assert shown(story.tells(None)) == []


def test_an_answer_after_silence_breaks_it() -> None:
    story = Story()
    story.tells("wire", NO_REPLY)
    story.tells("agency", says("RS", "foreign ministry", "declined", asker="agency"), credits=cites("wire"))
    found = story.tells("daily", DENIES, credits=OWN)
    assert shown(found) == [
        "new_outlet",
        "response RS foreign ministry denied (inhibited)",
        "silence_broken RS foreign ministry denied",
    ]
    broken = found[0]
    assert broken.answer is not None
    assert broken.answer.asked_by == ("Wire", "Agency")
    assert dict(broken.facts)["silent_since"] == (START + timedelta(hours=1)).isoformat()


def test_the_same_answer_elsewhere_is_known() -> None:
    story = Story()
    story.tells("wire", NO_REPLY)
    story.tells("daily", DENIES, credits=OWN)
    again = says("RS", "foreign ministry", "denied", quote="Разговора није било.", hand="relay")
    assert shown(story.tells("evening", again, credits=cites("daily"))) == [
        "further_quote RS foreign ministry denied",
        "new_outlet",
    ]
    assert shown(story.tells("portal", again, credits=cites("daily"))) == ["new_outlet"]


def test_another_body_is_another_answer() -> None:
    story = Story()
    story.tells("daily", DENIES)
    assert "response RS head of state denied" in shown(story.tells("wire", says("RS", "head of state", "denied")))


def test_the_head_of_government_and_the_government_are_one_voice() -> None:
    story = Story()
    story.tells("radio-sr", says("XK", "government", "agreed"))
    found = story.tells(
        "agency", says("XK", "head of government", "agreed", quote="We accept."), credits=cites("agency")
    )
    assert shown(found) == ["further_quote XK government agreed", "new_outlet"]


def test_a_country_as_speaker_adds_to_what_a_voice_of_it_said() -> None:
    story = Story()
    story.tells("daily", says("ME", "foreign ministry", "denied"))
    found = story.tells("portal", says("ME", "government", "denied", quote="Montenegro denied it.", metonym=True))
    assert shown(found) == ["further_quote ME government denied", "new_outlet"]


def test_a_country_as_the_first_speaker_is_an_answer() -> None:
    story = Story()
    story.tells("daily", says("ME", "foreign ministry", "commented"))
    assert "response ME government denied" in shown(
        story.tells("portal", says("ME", "government", "denied", metonym=True))
    )


def test_a_rumour_becomes_an_answer_only_when_a_body_speaks() -> None:
    story = Story()
    country = says("ME", "government", "agreed", metonym=True, hand="relay")
    first = story.tells("wire", replace(country, certainty=Certainty.WEAK))
    again = story.tells("portal", country)
    assert not any(line.startswith("response") for line in (*shown(first), *shown(again)))
    assert "response ME government agreed" in shown(story.tells("daily", says("ME", "government", "agreed")))


def test_an_embassy_answers_although_the_outlet_is_known_and_its_refusal_is_partial() -> None:
    story = Story()
    story.tells("wire", says("US", "foreign ministry", "no_reply", asker="wire"))
    story.tells("daily", credits=cites("wire"))
    found = story.tells(
        "daily",
        says("US", "embassy", "confirmed", hand="relay"),
        says("US", "embassy", "declined", asker="radio-sr", hand="relay", partial=True),
        credits=cites("radio-sr", "-agency"),
    )
    assert shown(found) == ["non_answer US embassy declined", "response US embassy confirmed"]
    later = story.tells("evening", says("US", "embassy", "commented"))
    assert shown(later) == ["new_outlet", "response US embassy commented"]


def test_one_entry_answers_one_request_and_declines_another() -> None:
    story = Story()
    story.tells("wire", says("US", "head of state", "declined", asker="wire"))
    found = story.tells(
        "portal",
        says("MK", "government", "agreed", hand="relay"),
        says("MK", "government", "declined", asker="radio-sr", hand="relay", partial=True),
        credits=cites("radio-sr"),
    )
    assert shown(found) == ["new_outlet", "non_answer MK government declined", "response MK government agreed"]


def test_after_initially_declining_there_is_only_the_answer() -> None:
    story = Story()
    found = story.tells("wire", DENIES)
    assert shown(found) == ["new_story", "response RS foreign ministry denied"]


def test_a_position_that_turns_is_a_change_and_holds_the_response() -> None:
    story = Story()
    story.tells("wire", DENIES)
    found = story.tells("daily", CONFIRMS, credits=OWN)
    assert shown(found) == [
        "new_outlet",
        "response RS foreign ministry confirmed (inhibited)",
        "stance_change RS foreign ministry confirmed",
    ]
    assert found[0].answer is not None
    assert found[0].answer.was == "denied"
    assert found[0].key.endswith(":0:denied>confirmed")


def test_turning_twice_makes_two_keys() -> None:
    story = Story()
    story.tells("wire", DENIES)
    first = story.tells("daily", CONFIRMS, credits=OWN)
    second = story.tells("daily", DENIES, credits=OWN)
    assert shown(second) == ["stance_change RS foreign ministry denied"]
    assert first[0].key.endswith(":0:denied>confirmed")
    assert second[0].key.endswith(":1:confirmed>denied")


def test_who_takes_both_positions_in_one_entry_has_not_turned() -> None:
    story = Story()
    both = story.tells("wire", DENIES, replace(CONFIRMS, quote="Talks are held, a spokesman confirmed."), credits=OWN)
    assert not any(line.startswith("stance_change") for line in shown(both))
    later = story.tells("daily", CONFIRMS, credits=OWN)
    assert not any(line.startswith("stance_change") for line in shown(later))


def test_a_late_entry_with_the_old_denial_changes_nothing() -> None:
    story = Story()
    story.tells("wire", DENIES)
    story.tells("daily", CONFIRMS, credits=OWN, after=timedelta(days=1))
    old = says("RS", "foreign ministry", "denied", quote="No talks took place.", hand="relay")
    found = story.tells("evening", old, published=START + timedelta(hours=2), credits=cites("wire"))
    assert shown(found) == ["further_quote RS foreign ministry denied", "new_outlet"]
    assert dict(found[0].facts)["earlier"].startswith("2025-06-05")


def test_an_undated_second_hand_retelling_does_not_undo_an_agreement() -> None:
    story = Story()
    refuses, agrees = says("MK", "government", "refused"), says("MK", "government", "agreed")
    story.tells("wire", refuses, credits=cites("wire"))
    story.tells("daily", agrees, credits=OWN, after=timedelta(days=2))
    retold = says("MK", "government", "refused", hand="relay", quote="They refused.")
    found = story.tells("portal", retold, credits=cites("wire"), after=timedelta(days=4))
    assert shown(found) == ["further_quote MK government refused", "new_outlet"]
    again = says("MK", "government", "agreed", quote="They agreed.")
    assert shown(story.tells("evening", again, credits=cites("evening"))) == [
        "further_quote MK government agreed",
        "new_outlet",
    ]


def test_a_new_origin_may_change_a_position_second_hand() -> None:
    story = Story()
    story.tells("wire", says("MK", "government", "refused"), credits=cites("wire"))
    found = story.tells("portal", says("MK", "government", "agreed", hand="relay"), credits=cites("agency"))
    assert "stance_change MK government agreed" in shown(found)


@pytest.mark.parametrize(
    ("first", "second"),
    [("agreed", "confirmed"), ("denied", "commented"), ("condemned", "agreed"), ("announced_action", "refused")],
)
def test_what_is_no_flip_of_position_is_a_response(first: str, second: str) -> None:
    story = Story()
    story.tells("wire", says("RS", "government", first))
    assert shown(story.tells("daily", says("RS", "government", second), credits=OWN)) == [
        "new_outlet",
        f"response RS government {second}",
    ]


SILENT = {
    "a government nobody could find": says("ZZ", "government", "denied"),
    "a weak finding": says("RS", "government", "denied", certainty=WEAK),
    "background of an earlier time": says("RS", "government", "denied", background=True),
    "a government that is not watched": says("FR", "government", "denied"),
    "a government that is ignored": says("HR", "government", "denied"),
}


@pytest.mark.parametrize("finding", SILENT.values(), ids=SILENT.keys())
def test_what_never_alerts(finding: Finding) -> None:
    rule = events.WatchRule(WATCH, governments=frozenset(("RS", "HR")), ignored=frozenset(("HR",)))
    story = Story({WATCH: rule})
    story.tells("wire")
    assert shown(story.tells("daily", finding)) == ["new_outlet"]


def test_neither_background_nor_weak_makes_a_later_answer_known() -> None:
    story = Story()
    story.tells("wire", says("RS", "government", "denied", background=True))
    story.tells("daily", says("RS", "government", "denied", certainty=WEAK))
    assert shown(story.tells("evening", says("RS", "government", "denied"))) == [
        "new_outlet",
        "response RS government denied",
    ]


def test_several_answers_of_one_entry_break_a_silence_once_by_the_strongest() -> None:
    story = Story()
    story.tells("wire", NO_REPLY)
    found = story.tells("daily", says("RS", "foreign ministry", "commented"), DENIES, credits=OWN)
    assert shown(found) == [
        "new_outlet",
        "response RS foreign ministry commented",
        "response RS foreign ministry denied (inhibited)",
        "silence_broken RS foreign ministry denied",
    ]


def test_silence_is_broken_again_only_by_a_new_answer_to_a_new_question() -> None:
    story = Story()
    story.tells("wire", NO_REPLY)
    first = story.tells("daily", DENIES, credits=OWN)
    story.tells("agency", says("RS", "foreign ministry", "declined", asker="agency"))
    relay = says("RS", "foreign ministry", "denied", quote="No talks.", hand="relay")
    assert shown(story.tells("evening", relay, credits=cites("daily"))) == [
        "further_quote RS foreign ministry denied",
        "new_outlet",
    ]
    second = story.tells("portal", says("RS", "foreign ministry", "commented"), credits=cites("portal"))
    broken = [event.key for event in (*first, *second) if event.kind is Kind.SILENCE_BROKEN]
    assert [key.rsplit(":", 1)[1] for key in broken] == ["0", "1"]


def test_a_watch_is_told_only_what_it_asked_for() -> None:
    rule = events.WatchRule(WATCH, alert_on=frozenset((Kind.RESPONSE,)))
    story = Story({WATCH: rule})
    assert shown(story.tells("wire", NO_REPLY)) == ["non_answer RS foreign ministry no_reply"]
    assert shown(story.tells("daily", DENIES)) == ["response RS foreign ministry denied"]


OWN_ONLY = events.WatchRule(WATCH, own_reporting_only=True)


def test_own_reporting_only_leaves_relays_out() -> None:
    story = Story({WATCH: OWN_ONLY})
    story.tells("wire", credits=cites("wire"))
    assert shown(story.tells("daily", credits=cites("wire"))) == []
    assert shown(story.tells("agency", credits=cites("agency"))) == ["new_outlet"]


def test_own_reporting_only_leaves_out_relays_of_outlets_nobody_has_seen_yet() -> None:
    story = Story({WATCH: OWN_ONLY})
    story.tells("wire", credits=cites("wire"))
    assert shown(story.tells("daily", credits=cites("portal"))) == []


def test_an_outlet_that_relayed_first_is_told_with_its_own_reporting_once() -> None:
    story = Story({WATCH: OWN_ONLY})
    story.tells("wire", credits=cites("wire"))
    assert shown(story.tells("agency", credits=cites("wire"))) == []
    own_questions = says("RS", "government", "no_reply", asker="agency")
    assert "new_outlet" in shown(story.tells("agency", own_questions, credits=cites("wire")))
    assert shown(story.tells("agency", credits=cites("agency"))) == []


def test_who_told_first_is_no_new_outlet_later() -> None:
    story = Story({WATCH: OWN_ONLY})
    assert shown(story.tells("wire")) == ["new_story"]
    assert shown(story.tells("wire", credits=cites("wire"))) == []


def test_own_reporting_relay_and_copy_are_three_things_and_events_say_which() -> None:
    story = Story()
    story.tells("wire", credits=cites("wire"))
    (own,) = story.tells("agency", credits=cites("agency"))
    (relay,) = story.tells("daily", credits=cites("wire"))
    (copy,) = story.tells("evening", copy_of=3)
    found = [(event.kind.value, event.own_reporting, event.origin, event.chain) for event in (own, relay, copy)]
    assert found == [
        ("new_outlet", True, "own", ()),
        ("new_outlet", False, "known", ("Wire",)),
        ("copy", False, "known", ("Daily", "Wire")),
    ]


def test_each_watch_is_told_for_itself() -> None:
    rules = {"a": events.WatchRule("a"), "b": events.WatchRule("b")}
    story = Story(rules)
    story.tells("wire", DENIES, watches=("a",))
    found = story.tells("daily", DENIES, watches=("a", "b"))
    assert [(event.watch, event.kind.value) for event in found] == [
        ("a", "new_outlet"),
        ("b", "response"),
        ("b", "new_story"),
    ]


def test_a_watch_without_a_rule_is_told_nothing() -> None:
    assert Story({}).tells("wire", DENIES) == ()


def test_a_baseline_is_recorded_and_never_told() -> None:
    story = Story()
    assert {event.state for event in story.tells("wire", DENIES, baseline=True)} == {EventState.BASELINE}
    assert shown(story.tells("daily", DENIES)) == ["new_outlet"]


def test_an_old_entry_is_stale() -> None:
    story = Story()
    story.tells("wire")
    found = story.tells("daily", published=START - timedelta(days=5))
    assert shown(found) == ["new_outlet (stale)"]


def test_an_event_can_be_rendered_by_itself() -> None:
    story = Story()
    story.tells("wire", credits=cites("wire"))
    (answer, outlet) = story.tells("daily", DENIES, credits=OWN)
    assert answer.answer is not None
    assert (answer.answer.government_name, answer.answer.office, answer.answer.quote) == (
        "Serbia",
        "the foreign ministry",
        "There were no talks.",
    )
    assert outlet.mention is not None
    assert (outlet.mention.outlet_name, outlet.mention.country, outlet.mention.url) == (
        "Daily",
        "RS",
        "https://daily.example/2",
    )
    assert outlet.mention.lead == "The plane left at dawn."
    assert outlet.why is not None
    assert outlet.why.terms == (("plane", "text"),)
    assert (outlet.story_title, outlet.group, outlet.config_rev, outlet.origin) == ("Title 1", KEY, 7, "own")


def test_the_result_does_not_depend_on_the_order_of_findings() -> None:
    findings = (DENIES, says("XK", "embassy", "confirmed"), says("RS", "foreign ministry", "commented"))
    forward, backward = Story(), Story()
    forward.tells("wire", NO_REPLY)
    backward.tells("wire", NO_REPLY)
    assert shown(forward.tells("daily", *findings)) == shown(backward.tells("daily", *reversed(findings)))


SPREADING = {WATCH: events.WatchRule(WATCH, spike=events.Spike())}


def test_three_outlets_in_two_hours_are_one_spike() -> None:
    story = Story(SPREADING, usual={WATCH: 0.5})
    story.tells("wire")
    story.tells("agency")
    third = story.tells("daily", after=timedelta(minutes=10))
    fourth = story.tells("evening", after=timedelta(minutes=10))
    assert shown(third) == ["new_outlet", "spike"]
    spike = next(event for event in third if event.kind is Kind.SPIKE)
    assert spike.key.endswith(":2025-06-05t06")
    assert dict(spike.facts)["outlets"] == "3"
    again = next(event for event in fourth if event.kind is Kind.SPIKE)
    assert again.key == spike.key


QUIET = {
    "two of three are copies": ({}, [("wire", None), ("agency", 1), ("daily", 1)], timedelta(hours=1)),
    "they come slowly": ({}, [("wire", None), ("agency", None), ("daily", None)], timedelta(hours=4)),
    "it is usual for this watch": (
        {WATCH: 2.0},
        [("wire", None), ("agency", None), ("daily", None)],
        timedelta(hours=1),
    ),
    "two are one publisher": ({}, [("wire", None), ("radio-sr", None), ("radio-en", None)], timedelta(hours=1)),
    "one of them is unknown": ({}, [("wire", None), ("agency", None), (None, None)], timedelta(hours=1)),
}


@pytest.mark.parametrize(("usual", "entries", "apart"), QUIET.values(), ids=QUIET.keys())
def test_what_is_no_spike(
    usual: dict[str, float], entries: list[tuple[str | None, int | None]], apart: timedelta
) -> None:
    story = Story(SPREADING, usual=usual)
    found = [event.kind for name, copied in entries for event in story.tells(name, copy_of=copied, after=apart)]
    assert Kind.SPIKE not in found


KEYS = {
    "parts are lower-cased": (("W", "st_a", "RS"), "response:w:st_a:rs"),
    "an absent part is a dash": (("w", None, ""), "response:w:-:-"),
    "a colon cannot part": (("a:b", "c"), "response:a%3Ab:c"),
    "a space and other letters": (("a b", "ж"), "response:a%20b:%D0%B6"),
    "a number": (("w", 0), "response:w:0"),
}


@pytest.mark.parametrize(("parts", "want"), KEYS.values(), ids=KEYS.keys())
def test_keys(parts: tuple[str | int | None, ...], want: str) -> None:
    assert key(Kind.RESPONSE, *parts) == want


def test_a_quote_is_the_same_in_both_scripts() -> None:
    assert quote_hash("„Нисмо позвани“, рекао је.") == quote_hash('"Nismo pozvani", rekao je')
