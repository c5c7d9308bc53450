"""What is read from an entry, and what is cut off before."""

from __future__ import annotations

import pytest

from monitor import lexicons
from monitor.cluster.clean import clean_text, clean_title
from monitor.cluster.exclusions import excluded
from monitor.cluster.features import Features, Reader, respelt
from monitor.cluster.item import Item
from monitor.cluster.settings import Settings, Thresholds
from tests.monitor.cluster.stream import item, knowledge

TITLES = {
    "a shouted beginning": ("VIDEO/ Bridge closed by cracks", "Bridge closed by cracks"),
    "two of them": ("LAJM I FUNDIT/ FOTO/ Mbyllet ura", "Mbyllet ura"),
    "a live mark": ("UŽIVO: Most je zatvoren", "Most je zatvoren"),
    "a mark in brackets behind": ("Most je zatvoren zbog pukotina (VIDEO)", "Most je zatvoren zbog pukotina"),
    "a site behind a bar": ("Bridge over the Drina closed | Daily Example", "Bridge over the Drina closed"),
    "a site behind a dash": ("Bridge over the Drina closed - Example", "Bridge over the Drina closed"),
    "a dash inside stays": (
        "Two banks, one bridge - residents ask who is to pay",
        "Two banks, one bridge - residents ask who is to pay",
    ),
    "a speaker stays": ("Rama: Ura do të hapet", "Rama: Ura do të hapet"),
}


@pytest.mark.parametrize("case", TITLES.values(), ids=TITLES.keys())
def test_titles_lose_what_desks_add(case: tuple[str, str]) -> None:
    assert clean_title(case[0], knowledge()) == case[1]


def test_a_limit_cuts_at_the_end_of_a_word() -> None:
    assert clean_text("one two three four", knowledge(), 10) == "one two"


def features(told: Item) -> Features:
    return Reader(knowledge(), Settings()).read(told)


ONE_FEATURE = {
    "a country by its adjective": ("Američki senatori", "sr", "@US"),
    "a country by its capital": ("Beograd ćuti o svemu", "sr", "@RS"),
    "an acronym in Albanian": ("Qeveria e SHBA-së hesht", "sq", "@US"),
    "an acronym in Cyrillic": ("Влада САД не одговара", "sr", "@US"),
    "a country in two words": ("Vlada Crne Gore ćuti", "sr", "@ME"),
    "a concept in German": ("Land will abgeschobene Migranten aufnehmen", "de", "c:deport"),
    "a number as a word": ("Kosova pranon pesëdhjetë persona", "sq", "d:50"),
    "a number with a comma": ("Rritje prej 4,3 për qind", "sq", "d:4.3"),
    "a number in thousands": ("Over 65,000 people marched", "en", "d:65000"),
}


@pytest.mark.parametrize("case", ONE_FEATURE.values(), ids=ONE_FEATURE.keys())
def test_what_is_said_alike_in_every_language(case: tuple[str, str, str]) -> None:
    title, language, feature = case
    assert feature in features(item(0, title, lang=language)).names.names


NAMED_COUNTRIES = {
    "with an article between": ("Mali i Zi dhe Maqedonia e Veriut heshtin", "sq", {"@ME", "@MK"}),
    "with another article": ("Flet qeveria e Malit të Zi", "sq", {"@ME"}),
    "of three words": ("Odgovor Sjedinjenih Američkih Država", "sr", {"@US"}),
    "with a quarter of the sky": ("Ministar Severne Makedonije odgovara", "sr", {"@MK"}),
    "of two countries side by side": ("Razgovaraju Crna Gora i Bosna i Hercegovina", "sr", {"@ME", "@BA"}),
}


@pytest.mark.parametrize("case", NAMED_COUNTRIES.values(), ids=NAMED_COUNTRIES.keys())
def test_the_words_of_a_countrys_name_name_that_country_and_nothing_else(case: tuple[str, str, set[str]]) -> None:
    title, language, countries = case
    found = features(item(0, title, lang=language)).names.names
    assert {name for name in found if name.startswith("@")} == countries
    beginning = title.split()[0][:5].lower()
    assert [name for name in found if name.startswith("n:") and name[2:] not in beginning] == []


def test_sad_means_now_unless_in_capitals() -> None:
    assert "@US" not in features(item(0, "Šta sad da radimo", lang="sr")).names.names


@pytest.mark.parametrize(
    ("one", "other"), [("vuciq", "vucic"), ("zelensky", "zelenskij"), ("xhaka", "dzaka"), ("bloomberg", "blumberg")]
)
def test_names_are_respelt_by_sound(one: str, other: str) -> None:
    assert respelt(one) == respelt(other)


def test_capitals_of_a_title_in_title_case_prove_no_name() -> None:
    title = "Mayor Of Niš Opens New Bridge Over The River"
    found = features(item(0, title, "The mayor of Niš opened a bridge."))
    assert {name for name in found.naming if name.startswith("n:")} == {"n:nis"}


EXCLUDED = {
    "a recipe": ("Recept za pitu sa sirom", "recipe"),
    "a forecast": ("Vremenska prognoza za vikend", "weather_forecast"),
    "a ticker": ("LIVE: Election night", "live_blog"),
    "front pages": ("Faqet e para të gazetave", "press_review"),
    "a list": ("10 best gifts for gardeners", "top_list"),
    "news with a number": ("10 injured in bus crash near Niš", None),
    "a prize for a recipe writer's film": ("Film about cook wins in Sarajevo", None),
}


@pytest.mark.parametrize("case", EXCLUDED.values(), ids=EXCLUDED.keys())
def test_what_belongs_to_no_story(case: tuple[str, str | None]) -> None:
    assert excluded(item(0, case[0], "Some text."), knowledge()) == case[1]


def test_thresholds_follow_family_and_length() -> None:
    settings = Settings(thresholds=Thresholds(0.1, 0.2), families={"sh": Thresholds(0.3, 0.4)})
    assert [settings.threshold(family, chars) for family in ("en", "sh") for chars in (59, 60)] == [0.1, 0.2, 0.3, 0.4]


def test_the_compiled_data_is_what_the_files_say() -> None:
    assert lexicons.compiled("cluster/data").strip() == (lexicons._PACKAGE / "cluster/data.json").read_text().strip()


def test_a_german_noun_is_not_taken_for_a_name() -> None:
    text = "In Belgrad plant die Regierung ein Abkommen mit den Nachbarn."
    assert features(item(0, "", text, lang="de")).naming == {"@RS"}
    assert "n:abkom" in features(item(0, "", text, lang="en")).naming
