"""The file that ships: it works as it is, and what it says can be relied on."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor import lexicons
from monitor.config import api, queries, units
from monitor.config.values import Config, FeedConfig
from monitor.detect import outlets
from monitor.match import matcher, query
from monitor.resources import resource_path

ROOT = Path(__file__).parents[3]
FILE = ROOT / "config.yaml"


@pytest.fixture(scope="module")
def shipped() -> Config:
    return api.load(FILE, {})


@pytest.fixture(scope="module")
def table() -> outlets.OutletTable:
    return outlets.from_raw(lexicons.load("detect/lexicon"))


def test_only_the_placeholder_is_to_be_changed() -> None:
    assert [problem.code for problem in api.check(FILE, {})] == ["W012"]


def test_it_is_the_file_an_installation_finds() -> None:
    assert resource_path("config.yaml").read_text(encoding="utf-8") == FILE.read_text(encoding="utf-8")


def test_no_feed_stands_twice(shipped: Config) -> None:
    assert len({units.same_address(feed.url) for feed in shipped.feeds}) == len(shipped.feeds) >= 80


def test_every_feed_is_polled_over_https(shipped: Config) -> None:
    assert [feed.url for feed in shipped.feeds if not feed.url.startswith("https://")] == []


def _known(feed: FeedConfig, shipped: Config, table: outlets.OutletTable) -> bool:
    host = units.split_url(feed.url).hostname or ""
    named = feed.outlet or host
    ours = any(named == domain or named.endswith("." + domain) for domain in shipped.outlets)
    return ours or table.by_host(named) is not None


def test_every_feed_belongs_to_a_known_outlet(shipped: Config, table: outlets.OutletTable) -> None:
    assert [feed.url for feed in shipped.feeds if not _known(feed, shipped, table)] == []


def test_every_feed_has_a_tag(shipped: Config) -> None:
    assert [feed.url for feed in shipped.feeds if not feed.tags] == []


@pytest.mark.parametrize(
    ("tag", "least"),
    [
        ("government", 10),
        ("serbia", 8),
        ("bosnia", 5),
        ("croatia", 4),
        ("montenegro", 3),
        ("macedonia", 5),
        ("kosovo", 5),
        ("albania", 5),
        ("bulgaria", 3),
        ("romania", 3),
        ("us", 15),
        ("migration", 6),
        ("wire", 4),
    ],
)
def test_each_part_of_the_press_is_there(shipped: Config, tag: str, least: int) -> None:
    assert sum(tag in feed.tags for feed in shipped.feeds) >= least


def test_the_four_words_are_looked_for(shipped: Config) -> None:
    queries = " ".join(watch.query_text for watch in shipped.watches)
    assert all(f"~{concept}" in queries for concept in ("deportation", "third-country", "Balkan", "TPS"))


ENTRIES = {
    "English": ("en", "Washington wants Kosovo to host deported men", "No list was shown.", {"balkan-deportees"}),
    "Serbian in Cyrillic": ("sr", "Амерички депортовани стижу у Србију?", "Влада ћути.", {"balkan-deportees"}),
    "Albanian": ("sq", "SHBA kërkon që Shqipëria të pranojë migrantë", "Qeveria hesht.", {"balkan-deportees"}),
    "Macedonian": (
        "mk",
        "САД бараат од Македонија прием на мигранти",
        "Владата вели: прифаќаме мигранти.",
        {"balkan-deportees"},
    ),
    "Bulgarian": ("bg", "САЩ депортират хора към Западните Балкани", "Няма отговор.", {"balkan-deportees"}),
    "a deal elsewhere": (
        "en",
        "Eight men deported to a third country in Africa",
        "A judge asks why.",
        {"third-country"},
    ),
    "protected status": ("en", "TPS holders fear deportation", "The Supreme Court decides in June.", {"tps"}),
    "a blockchain": ("en", "Ledger settles 90,000 TPS", "Throughput doubled; Serbia is a market.", set()),
    "a third country to do something": (
        "en",
        "Albania is the third country to sign",
        "The United States welcomed it.",
        set(),
    ),
    "sport": ("sq", "KF Ballkani fiton derbin", "Tri gola në Suharekë.", set()),
    "remembrance of another deportation": (
        "en",
        "Belgrade remembers a deportation of 1942",
        "A Holocaust museum in Washington lent the letters.",
        set(),
    ),
    "a deportation between other states": ("en", "Croatia deports a fraud suspect to Austria", "He was tried.", set()),
}


@pytest.fixture(scope="module")
def found_by(shipped: Config) -> matcher.Matcher:
    concepts = queries.lexicon(shipped.concepts)
    watches = [
        matcher.WatchQuery(watch.name, query.parse(watch.query_text, concepts), watch.languages)
        for watch in shipped.watches
    ]
    return matcher.compile(watches, concepts)


@pytest.mark.parametrize("case", ENTRIES)
def test_the_watches_take_what_is_meant(found_by: matcher.Matcher, case: str) -> None:
    code, title, text, expected = ENTRIES[case]
    assert {match.watch for match in found_by.match(matcher.Document(title, text, code))} == expected


def test_it_needs_no_account(shipped: Config) -> None:
    assert {channel["type"] for channel in shipped.alerts_raw["channels"].values()} == {"stdout", "folder"}


def test_what_is_commented_out_for_slack_and_mail_is_right() -> None:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    start = lines.index("  # desk:")
    opened = [
        line.replace("  # ", "  ", 1)
        if i >= start and line.startswith("  # ") and ":" in line and "Email" not in line
        else line
        for i, line in enumerate(lines)
    ]
    text = "\n".join(opened).replace("to: [console, digests]", "to: [console, digests, desk, mail]")
    environ = {"SLACK_TOKEN": "t" * 20, "SMTP_PASSWORD": "p" * 20}
    assert {problem.code for problem in api.check_text(text, environ)} == {"W012"}
    channels = api.parse_text(text, environ).alerts_raw["channels"]
    assert set(channels) == {"console", "digests", "desk", "mail"}
    assert channels["desk"]["token"] == {"env": "SLACK_TOKEN"}
