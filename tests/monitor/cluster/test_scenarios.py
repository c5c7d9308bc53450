"""What happens to made-up streams of news, told in sentences."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.values import Role
from tests.monitor.cluster.stream import START, Stream, item

BRIDGE = (
    "The road bridge over the Drina at Ljubovija was closed on Monday after inspectors found cracks in two pillars. "
    "Lorries must take the crossing at Mali Zvornik until repairs are done. The ministry of transport in Belgrade said "
    "the work will take six weeks and cost four million euros. Residents on both banks say they warned of the cracks "
    "last autumn and were told that the bridge was safe."
)
MINISTRY = (
    "The ministry states that every permit was issued in line with the law, that two inspectors have been suspended "
    "pending the outcome of the internal review, and that the public will be informed in full about all the findings "
    "once the competent authorities have finished their work on the case."
)


def test_one_event_in_three_languages_and_scripts_is_one_story() -> None:
    stream = Stream()
    stream.say(
        "Strong earthquake hits northern Albania, at least 12 injured",
        "An earthquake struck near Shkodra in northern Albania on Monday morning and injured at "
        "least 12 people, police said.",
        lang="en",
    )
    stream.say(
        "Земљотрес на северу Албаније, најмање 12 повређених",
        "Јак земљотрес погодио је у понедељак ујутру околину Скадра на северу Албаније. Полиција "
        "каже да је повређено најмање 12 људи.",
        lang="sr",
        hours=2,
    )
    stream.say(
        "Tërmet në veri të Shqipërisë, së paku 12 të lënduar",
        "Një tërmet i fortë goditi të hënën në mëngjes zonën e Shkodrës në veri të Shqipërisë. "
        "Policia tha se u lënduan së paku 12 persona.",
        lang="sq",
        hours=5,
    )
    assert stream.groups == [0, 0, 0]
    assert [told.role for told in stream.assignments] == [Role.ORIGINAL, Role.REPORT, Role.REPORT]


FLOOD = (
    "Flood closes the school in Ohrid, 40 pupils taken to safety",
    "Water closed a primary school in Ohrid in North Macedonia on Monday. The mayor asked the government for help and "
    "40 pupils were taken to safety.",
)
ELSEWHERE = (
    "Poplava zatvorila školu u Rijeci, 70 učenika na sigurnom",
    "Voda je u ponedeljak zatvorila osnovnu školu u Rijeci u Hrvatskoj. Gradonačelnik traži pomoć vlade, a 70 učenika "
    "odvedeno je na sigurno.",
)
THERE = (
    "Poplava zatvorila školu u Ohridu, 40 učenika na sigurnom",
    "Voda je u ponedeljak zatvorila osnovnu školu u Ohridu u Severnoj Makedoniji. Gradonačelnik traži pomoć vlade, a "
    "40 učenika odvedeno je na sigurno.",
)


def test_one_occasion_in_two_places_is_two_stories_also_across_languages() -> None:
    stream = Stream()
    stream.say(*FLOOD, lang="en")
    stream.say(*ELSEWHERE, lang="sr-Latn", hours=1)
    stream.say(*THERE, lang="sr-Latn", hours=2)
    assert stream.groups == [0, 1, 0]


LATIN = (
    "Gradsko veće usvojilo je predlog da se stara pijaca preseli na obalu do kraja leta. Prodavci traže da se odluka "
    "odloži, jer na novom mestu još nema struje ni vode. Gradonačelnik je rekao da će radovi "
    "početi u maju i da će trajati "
    "tri meseca, a da će zakup tezgi ostati isti kao do sada za sve koji već imaju ugovor sa gradom."
)
CYRILLIC = (
    "Градско веће усвојило је предлог да се стара пијаца пресели на обалу до краја лета. Продавци траже да се одлука "
    "одложи, јер на новом месту још нема струје ни воде. Градоначелник је рекао да ће радови "
    "почети у мају и да ће трајати "
    "три месеца, а да ће закуп тезги остати исти као до сада за све који већ имају уговор са градом."
)


def test_the_same_text_in_the_other_script_is_a_copy() -> None:
    stream = Stream()
    stream.say("Stara pijaca se seli na obalu", LATIN, lang="sr-Latn")
    told = stream.say("Стара пијаца се сели на обалу", CYRILLIC, lang="sr-Cyrl", hours=1)
    assert (stream.groups, told.role, told.copy_of) == ([0, 0], Role.COPY, 0)


@pytest.mark.parametrize("cut", [200, 320, len(BRIDGE)])
def test_a_text_cut_shorter_is_a_copy_all_the_same(cut: int) -> None:
    stream = Stream()
    stream.say("Cracks close bridge over the Drina", BRIDGE)
    told = stream.say("Drina bridge closed to traffic", BRIDGE[:cut] + " …", hours=1)
    assert (told.role, told.copy_of) == (Role.COPY, 0)


def test_an_own_report_that_ends_with_a_statement_shares_its_text() -> None:
    stream = Stream()
    stream.say("Ministry suspends two inspectors over bridge permits", MINISTRY)
    own = (
        "Two inspectors who signed off the cracked bridge at Ljubovija no longer come to work, colleagues told us this "
        "morning. One of them answered the telephone and said he had been asked not to talk. The other could not be "
        "reached. Late in the day the ministry sent the following answer to our questions about the bridge permits. "
    )
    told = stream.say("Bridge inspectors suspended, ministry says", own + MINISTRY, hours=3)
    assert stream.groups == [0, 0]
    assert (told.role, told.copy_of) == (Role.SHARED_TEXT, None)


def test_an_outlet_that_prints_its_text_again_updates_it() -> None:
    stream = Stream()
    stream.say("Cracks close bridge over the Drina", BRIDGE, outlet="daily.example")
    told = stream.say("Six weeks without the Drina bridge", BRIDGE, hours=4, outlet="daily.example")
    assert (stream.groups, told.role, told.copy_of) == ([0, 0], Role.UPDATE, None)


def test_two_accidents_in_two_towns_told_alike_are_two_stories() -> None:
    stream = Stream()
    stream.say(
        "Dve osobe povređene u sudaru kod Čačka",
        "Dve osobe povređene su jutros u sudaru dva automobila kod Čačka, na putu za Guču. "
        "Saobraćaj je bio u prekidu sat vremena.",
        lang="sr",
    )
    stream.say(
        "Tri osobe povređene u sudaru kod Subotice",
        "Tri osobe povređene su popodne u sudaru dva automobila kod Subotice, na putu za Palić. "
        "Saobraćaj je bio u prekidu sat vremena.",
        lang="sr",
        hours=5,
    )
    assert stream.groups == [0, 1]


def test_a_short_title_alone_joins_by_the_lower_threshold_or_starts() -> None:
    stream = Stream()
    stream.say("Volcano on Iceland's Reykjanes erupts again")
    like = stream.say("Reykjanes volcano erupts again", hours=1)
    other = stream.say("Parliament debates fishing quotas", hours=2)
    assert like.threshold < stream.say("Reykjanes", BRIDGE, hours=3).threshold
    assert (like.joined is None, other.joined is None) == (False, True)


def test_a_date_in_the_future_counts_as_now() -> None:
    stream = Stream()
    stream.say("Cracks close bridge over the Drina", BRIDGE)
    next_year = START + timedelta(days=365)
    told = stream.say("Drina bridge closed for six weeks", BRIDGE[60:300], hours=1, published=next_year)
    on_time = Stream()
    on_time.say("Cracks close bridge over the Drina", BRIDGE)
    assert told.score == on_time.say("Drina bridge closed for six weeks", BRIDGE[60:300], hours=1).score


def test_a_follow_up_after_the_window_starts_a_story() -> None:
    stream = Stream()
    stream.say("Cracks close bridge over the Drina", BRIDGE)
    assert stream.say("Cracks close bridge over the Drina", BRIDGE, hours=150).joined is None


def test_an_old_date_makes_an_entry_old() -> None:
    stream = Stream()
    stream.say("Cracks close bridge over the Drina", BRIDGE)
    fresh = stream.say("Bridge over the Drina shut for repairs of pillars", hours=1)
    old = stream.say(
        "Bridge over the Drina shut for repairs of pillars", hours=2, published=START - timedelta(days=300)
    )
    assert fresh.score > old.score
    assert old.joined is None


def test_an_entry_without_words_is_alone_and_stays_alone() -> None:
    stream = Stream()
    assert stream.say("", "").reason == "excluded:empty"
    assert stream.say("", "").reason == "excluded:empty"
    assert stream.groups == [0, 1]
    assert len(stream.index) == 0


@pytest.mark.parametrize("title", ["Horoskop za 10. mart", "Naslovne strane dnevnih novina za utorak"])
def test_a_horoscope_or_a_press_review_is_never_joined(title: str) -> None:
    stream = Stream()
    stream.say(title, LATIN, lang="sr")
    stream.say(title, LATIN, lang="sr", hours=1)
    assert stream.groups == [0, 1]
    assert all(told.reason.startswith("excluded:") for told in stream.assignments)


def test_only_the_beginning_of_a_long_text_is_compared() -> None:
    long = BRIDGE + " Sheep farming on Shetland and beekeeping in Slovenia are subsidised." * 1500
    stream = Stream()
    stream.say("Cracks close bridge over the Drina", long)
    features = stream.index.features
    assert stream.say("Sheep farming on Shetland and beekeeping in Slovenia subsidised", hours=1).joined is None
    assert features < 120


def test_a_title_in_capitals_is_compared_by_its_words() -> None:
    stream = Stream()
    stream.say("CRACKS CLOSE BRIDGE OVER THE DRINA")
    assert stream.say("Cracks close Drina bridge", hours=1).joined is not None


def test_one_name_is_no_story_across_languages() -> None:
    stream = Stream()
    stream.say("Weather halts play at Wimbledon as rain floods two courts", lang="en")
    told = stream.say("Wimbledon objavio spisak nosilaca", "Turnir je objavio spisak nosilaca.", lang="sr", hours=2)
    assert told.joined is None


def test_an_entry_told_twice_is_recorded_once() -> None:
    stream = Stream()
    stream.say("Cracks close bridge over the Drina", BRIDGE)
    stream.index.add(item(0, "Cracks close bridge over the Drina", BRIDGE), stream.stories[0])
    assert len(stream.index) == 1


def test_the_features_that_spoke_for_a_join_are_named() -> None:
    stream = Stream()
    stream.say("Cracks close bridge over the Drina", BRIDGE)
    told = stream.say("Drina bridge closed after cracks were found", hours=1)
    assert {"drina", "bridge", "cracks"} <= {name for name, _ in told.shared}
    assert told.reason.startswith("joined")


GROUNDING = (
    (
        "Ferry to Lefkada runs aground with 200 people on board",
        "A ferry with 200 people on board ran aground off Lefkada in western Greece on Monday. The coast guard said "
        "nobody was hurt and divers would look at the hull. The company {name} did not answer questions.",
    ),
    (
        "Coast guard takes 200 people off ferry near Lefkada",
        "The Greek coast guard took 200 people off a ferry that ran aground near Lefkada, station {name} reported. "
        "Divers will look at the hull before the ship is towed away.",
    ),
    (
        "Ferry aground off Lefkada, 200 people safe",
        "All 200 people on board a ferry that ran aground off Lefkada in Greece are safe, the coast guard told "
        "reporter {name}. The hull is to be looked at by divers.",
    ),
)
NAMES = ("Anna", "Bruno", "Clara", "David", "Elena", "Fabio", "Greta", "Hugo", "Irene", "Jakob")


def test_a_story_told_thirty_times_still_takes_its_follow_ups() -> None:
    stream = Stream()
    for hours in range(30):
        title, text = GROUNDING[hours % 3]
        stream.say(title, text.format(name=NAMES[hours % 10]), hours=hours)
    stream.say(
        "Why the company keeps quiet about its ferry",
        "Passengers of the ferry that ran aground off Lefkada still wait for their cars. A lawyer says the owner must "
        "pay for hotels. The coast guard will not say when the captain is to be questioned.",
        hours=96,
    )
    stream.say(
        "Was über die Fähre vor Lefkada bekannt ist",
        "Drei Tage nach dem Unglück in Griechenland warten die Reisenden auf ihre Autos. Ein Anwalt fordert Geld für "
        "Hotels. Die Reederei schweigt, die Küstenwache lässt Taucher den Rumpf ansehen.",
        lang="de",
        hours=97,
    )
    stream.say(
        "Ferry prices to rise in summer",
        "Shipping firms in Greece want ten per cent more for tickets to the islands. The owner of the largest fleet "
        "says fuel is to blame.",
        hours=98,
    )
    assert stream.groups == [0] * 32 + [32]
