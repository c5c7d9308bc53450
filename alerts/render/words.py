"""Phrases, times and cleaned texts shared by all renderings. Pure."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from alerts import clock
from alerts.values import Coverage, Event, EventClass, Kind, Links, NonAnswers, StoryPart

TITLE = 200
QUOTE = 600
LEAD = 400
URL = 1000
TOGETHER = 12
"""So many outlets are named that cite the same source; a list of names is news, a long one is a wall."""
LATE = timedelta(minutes=30)
REMEMBERED = 2048
"""One message shows the same texts, links and times several times, and several forms of it show them again."""
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
OPENING = frozenset('"\u201e\u201c\u201d\u00ab\u00bb\u201f\u300c\u300e')
"""What a quotation begins with, in one country or another."""
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "ps", "yi", "dv", "ckb"})
STANCES = {
    "confirmed": "CONFIRMED",
    "denied": "DENIED",
    "agreed": "AGREED",
    "refused": "REFUSED",
    "condemned": "CONDEMNED",
    "announced_action": "ANNOUNCED ACTION",
    "commented": "COMMENTED",
}
PLAIN_LINK = re.compile(r"https?://[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?:[/?][A-Za-z0-9/%:@!$&*+,;=~._?-]*)?")
"""Addresses that need no mending, which are nearly all."""
LANGUAGES = {
    "ar": "Arabic",
    "bg": "Bulgarian",
    "bs": "Bosnian",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "hr": "Croatian",
    "hu": "Hungarian",
    "it": "Italian",
    "mk": "Macedonian",
    "pl": "Polish",
    "ro": "Romanian",
    "ru": "Russian",
    "sh": "Serbo-Croatian",
    "sl": "Slovenian",
    "sq": "Albanian",
    "sr": "Serbian",
    "tr": "Turkish",
    "uk": "Ukrainian",
}
"""Names of languages a reader is likely to meet; others show their code."""
NON_ANSWERS = {"declined": "declined to comment", "no_reply": "no immediate reply"}


def clean(text: str, length: int) -> str:
    """Make a foreign text safe to show on one line: no control or direction characters, at most `length` long."""
    return _cleaned(text[: length * 4], length)


@functools.lru_cache(maxsize=REMEMBERED)
def _cleaned(text: str, length: int) -> str:
    kept = text if text.isprintable() else "".join(_kept(letter) for letter in text)
    line = " ".join(kept.split())
    if len(line) <= length:
        return line
    short = line[: length - 1]
    space = short.rfind(" ")
    return (short[:space] if space > length // 2 else short).rstrip() + "…"


def _kept(letter: str) -> str:
    if letter.isspace():
        return " "
    return "" if letter in BIDI or unicodedata.category(letter) in ("Cc", "Cs", "Co", "Cn") else letter


def quoted(text: str, length: int, marks: str = "\u201c\u201d") -> str:
    """Put a text between quotation marks, unless it brings its own.

    >>> quoted("It is not so.", 80), quoted("\u201eNe\u201c, said the minister.", 80)
    ('“It is not so.”', '„Ne“, said the minister.')
    """
    said = clean(text, length)
    return said if said[:1] in OPENING else f"{marks[0]}{said}{marks[1]}"


def link(url: str | None) -> str | None:
    """Give an address that is safe to show and follow: http or https, no user name in it, plain ASCII; else None."""
    return None if url is None or len(url) > URL else _linked(url)


@functools.lru_cache(maxsize=REMEMBERED)
def _linked(url: str) -> str | None:
    if PLAIN_LINK.fullmatch(url):
        return url
    if any(ord(letter) < 33 or letter == "\x7f" for letter in url):
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        named = "." in host and not parts.username and not parts.password and (parts.port is None or parts.port > 0)
        host.encode("idna")
    except (ValueError, UnicodeError):
        return None
    if parts.scheme.lower() not in ("http", "https") or not named:
        return None
    try:
        netloc = parts.netloc.encode("ascii").decode()
    except UnicodeEncodeError:
        netloc = host.encode("idna").decode("ascii") + (f":{parts.port}" if parts.port else "")
    return parts._replace(
        netloc=netloc,
        path=quote(parts.path, safe="/%:@!$&*+,;=~-._"),
        query=quote(parts.query, safe="/%:@!$&*+,;=~-._?"),
        fragment=quote(parts.fragment, safe="/%:@!$&*+,;=~-._?"),
    ).geturl()


def host_of(url: str | None) -> str:
    """Name the host of a link, without www."""
    safe = link(url)
    return (urlsplit(safe).hostname or "").removeprefix("www.") if safe else ""


def direction(language: str | None) -> str:
    """Give the direction a language is written in, for markup."""
    return "rtl" if (language or "").split("-")[0] in RIGHT_TO_LEFT else "ltr"


@functools.lru_cache(maxsize=REMEMBERED)
def _day(name: str, now: datetime, at: datetime) -> str:
    zone = ZoneInfo(name)
    shown = clock.local(at, zone)
    same_year = shown.year == clock.local(now, zone).year
    return f"{shown.day} {shown:%b %H:%M}" if same_year else f"{shown.day} {shown:%b %Y %H:%M}"


@functools.lru_cache(maxsize=REMEMBERED)
def _short(name: str, now: datetime, at: datetime) -> str:
    zone = ZoneInfo(name)
    shown = clock.local(at, zone)
    return f"{shown:%H:%M}" if shown.date() == clock.local(now, zone).date() else _day(name, now, at)


@dataclass(frozen=True, slots=True)
class Clock:
    """Times as one recipient reads them: the day is left out when it is the day of the message."""

    zone: str
    now: datetime

    def day(self, at: datetime) -> str:
        """``13 Jun 09:12``"""
        return _day(self.zone, self.now, at)

    def short(self, at: datetime) -> str:
        """``09:12`` today, ``13 Jun 09:12`` on other days"""
        return _short(self.zone, self.now, at)

    @property
    def place(self) -> str:
        """The name of the zone for people: ``Belgrade``."""
        return self.zone.rpartition("/")[2].replace("_", " ")


def count(number: int, one: str, many: str | None = None) -> str:
    """``1 outlet``, ``2 outlets``"""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(words: Sequence[str], most: int) -> str:
    """Join words with commas, at most so many of them, and say how many are left out."""
    shown = ", ".join(words[:most])
    return f"{shown} and {len(words) - most} more" if len(words) > most else shown


def stance(event: Event) -> str:
    """Say what a body did, in capitals: ``REFUSED``, ``DENIED (before: CONFIRMED)``."""
    answer = event.answer
    if answer is None:
        return ""
    said = STANCES.get(answer.stance, answer.stance.replace("_", " ").upper())
    if answer.was:
        said += f" (before: {STANCES.get(answer.was, answer.was).lower()})"
    if answer.asked_by:
        said += f", after silence to {listed([clean(name, 60) for name in answer.asked_by], 3)}"
    return said + (" (in part)" if answer.partial else "")


def speaker(event: Event) -> str:
    """Name who spoke: ``Serbia, foreign ministry``."""
    answer = event.answer
    if answer is None:
        return ""
    government = clean(answer.government_name or answer.government, 60)
    office = clean(answer.office or answer.body, 80)
    return government if not office or office.casefold() == government.casefold() else f"{government}, {office}"


def outlet(event: Event) -> str:
    """Name the outlet of an event."""
    return clean(event.mention.outlet_name or event.mention.outlet or "?", 60) if event.mention else ""


def source(event: Event) -> str:
    """Say whom an outlet has it from: ``own reporting``, ``citing Anadolu, Bloomberg (new origin)``; may be empty."""
    if event.own_reporting or event.origin == "own":
        return "own reporting"
    if not event.chain:
        return ""
    names = ", who cites ".join(clean(name, 60) for name in event.chain[:4])
    return f"citing {names}" + (", a new origin" if event.origin == "new" else "")


def silence(silent: NonAnswers) -> str:
    """Say who was asked by whom and did not answer, every fact on its own."""
    said: dict[str, list[str]] = {}
    for event in silent.events:
        answer = event.answer
        assert answer is not None
        asker = clean(answer.asker_name or answer.asker or "", 60)
        where = outlet(event)
        words = (
            f"asked by {asker}, in {where}" if asker and where and asker != where else f"in {where}" if where else asker
        )
        said.setdefault(NON_ANSWERS.get(answer.stance, answer.stance), []).append(words)
    facts = [f"{name} ({'; '.join(where)})" for name, where in said.items()]
    return ". ".join([*facts[:1], *(fact[:1].upper() + fact[1:] for fact in facts[1:])])


def silent_body(silent: NonAnswers) -> str:
    """Name a body that did not answer: ``White House``, ``Serbia, MFA``."""
    office = clean(silent.office, 80)
    government = clean(silent.government_name or silent.government, 60)
    return office if not government or government.casefold() in office.casefold() else f"{office} ({government})"


def counts(part: StoryPart, times: Clock) -> str:
    """Give the counts that mean something."""
    words = [count(part.outlets, "outlet")]
    if part.origins:
        words.append(count(len(part.origins), "origin") + f" ({listed([clean(o, 60) for o in part.origins], 3)})")
    if part.copies:
        words.append(count(part.copies, "copy", "copies") + " folded")
    if len(part.languages) > 1:
        words.append("in " + listed([LANGUAGES.get(code, code) for code in part.languages], 6))
    if part.first_seen is not None:
        words.append(f"first seen {times.day(part.first_seen)} ({times.place})")
    return ", ".join(words)


def since(part: StoryPart, times: Clock) -> str:
    """Head the list of news: since when it is new to this reader."""
    if part.told:
        return "Told already by a prompt message"
    return f"New since {times.day(part.since)}" if part.since else "First message on this story"


def news(event: Event, times: Clock) -> str:
    """Say what one new event is, beside its outlet and time."""
    mention = event.mention
    parts = []
    match event.kind:
        case Kind.NEW_OUTLET | Kind.NEW_STORY:
            parts.append("first time on this story" if event.kind is Kind.NEW_OUTLET else "first report")
        case Kind.SPIKE:
            outlets = dict(event.facts).get("outlets")
            return f"many outlets at once{f' ({outlets})' if outlets else ''}"
        case Kind.REMINDER:
            return f"still no answer from {speaker(event)}"
        case Kind.CORRECTION:
            return correction(event)
        case Kind.WITHDRAWN:
            return "took the piece down"
        case Kind.MERGED | Kind.SPLIT | Kind.SILENCE_OVER:
            said = dict(event.facts).get("message", event.story_title)
            return clean(said, QUOTE) or event.kind.replace("_", " ")
        case _:
            parts.append(event.kind.replace("_", " "))
    parts += [words for words in (source(event),) if words]
    if dict(event.facts).get("text") == "none":
        parts.append("title only")
    added = dict(event.facts).get("adds")
    if added:
        parts.append(f"adds: {clean(added, TITLE)}")
    if mention and mention.published and mention.first_seen and abs(mention.first_seen - mention.published) > LATE:
        parts.append(f"published {times.short(mention.published)}")
    return "; ".join(parts)


def correction(event: Event) -> str:
    """Say what an outlet changed in its text, each with how it read before."""
    said = [_change(name, value) for name, value in event.facts]
    return "; ".join(words for words in said if words) or "changed its text"


def _change(name: str, value: str) -> str:
    match name:
        case "title_was":
            return f'changed its headline; before: "{clean(value, TITLE)}"'
        case "quote_gone":
            return f'took back: "{clean(value, TITLE)}"'
        case "stance_new":
            who, _, did = clean(value, TITLE).rpartition(" ")
            return f"now says: {who} {STANCES.get(did, NON_ANSWERS.get(did, did))}"
    return ""


TOLD_BY_THE_MESSAGE = frozenset({"message", "channel", "state", "watch"})
"""Facts of an operator event that its sentence says already; programs get all of them."""


def report(event: Event) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Say what an operator event reports: a sentence, and the facts that add to it."""
    facts = dict(event.facts)
    said = facts.get("message") or event.story_title or event.kind.replace("_", " ")
    left = [(name, value) for name, value in event.facts if name not in TOLD_BY_THE_MESSAGE or "message" not in facts]
    return clean(said, QUOTE), tuple((clean(name, 40), clean(value, QUOTE)) for name, value in left)


def when(event: Event) -> datetime:
    """Give the time an event is shown with: when its entry was first seen."""
    return event.mention.first_seen or event.decided_at if event.mention else event.decided_at


def why(part: StoryPart) -> str:
    """Say why the reader got this: watch, trigger, terms and where they stood."""
    triggers = (event.kind for event in part.fresh if event.event_class is not EventClass.DIGEST)
    kinds = ", ".join(kind.replace("_", " ") for kind in dict.fromkeys(triggers))
    reasons = []
    for reason in part.whys:
        terms = [f'"{clean(term, 40)}" ({where})' if where else f'"{clean(term, 40)}"' for term, where in reason.terms]
        name = clean(reason.watch_title or reason.watch, 80)
        reasons.append(f"watch {name}" + (f", matched {listed(terms, 5)}" if terms else ""))
    return "; ".join(reasons) + (f"; {kinds}" if kinds else "")


def coverage(seen: Coverage, times: Clock) -> str:
    """Say what was watched and what was not."""
    words = f"{seen.healthy} of {seen.feeds} feeds healthy."
    blind = [
        clean(one.feed, 60)
        + (f" since {times.short(one.since)}" if one.since else "")
        + (f" ({clean(one.reason, 40)})" if one.reason else "")
        for one in seen.blind
    ]
    if blind:
        words += f" Blind: {listed(blind, 5)}."
    if seen.slowest is not None:
        words += f" Slowest: {int(seen.slowest.total_seconds() // 60)} min."
    return words


def citations(part: StoryPart) -> tuple[tuple[str, ...], ...]:
    """Say who cites whom: outlets that name the same sources in the same order stand together, before those sources."""
    by_source: dict[tuple[str, ...], list[str]] = {}
    for chain in part.chains:
        named = tuple(clean(name, 60) for name in chain)
        by_source.setdefault(named[1:], []).append(named[0])
    return tuple((listed(outlets, TOGETHER), *sources) for sources, outlets in by_source.items())


def history(part: StoryPart) -> tuple[Event, ...]:
    """Pick the last facts of a story that this reader was told before."""
    fresh = {event.key for event in part.fresh}
    apart = (Kind.NON_ANSWER, Kind.FURTHER_QUOTE)
    return tuple(event for event in part.timeline if event.key not in fresh and event.kind not in apart)


def fact(event: Event, times: Clock) -> str:
    """Say one earlier fact in a line."""
    said = f"{speaker(event)}: {stance(event)}" if event.answer is not None else event.kind.replace("_", " ")
    where = outlet(event)
    return f"{times.day(when(event))}  {where + ': ' if where else ''}{said}"


def mute_command(part: StoryPart) -> str:
    """Give the command that mutes a story for a day."""
    return f'storywatch silence add --story {part.group} --for 24h --comment "seen"'


def actions(part: StoryPart, links: Links | None) -> tuple[tuple[str, str], ...]:
    """List what a reader can do about a story by following a link: (words, address)."""
    mute, wrong, stop = (links.mute, links.wrong, links.stop) if links else ("", "", "")
    named = (("Open story", part.page), ("Mute 24 h", mute), ("Not this story", wrong), ("Unsubscribe", stop))
    return tuple((name, address) for name, address in named if address)


def news_events(part: StoryPart) -> tuple[Event, ...]:
    """Pick the new events that stand in the list of news; answers and non-answers have lists of their own."""
    apart = (Kind.RESPONSE, Kind.SILENCE_BROKEN, Kind.STANCE_CHANGE, Kind.NON_ANSWER, Kind.COPY, Kind.FURTHER_QUOTE)
    return tuple(event for event in part.fresh if event.kind not in apart)


def further_quotes(part: StoryPart) -> tuple[Event, ...]:
    """Pick the new quotes of stances that were known already."""
    return tuple(event for event in part.fresh if event.kind is Kind.FURTHER_QUOTE and event.answer is not None)


def is_new(event: Event, part: StoryPart) -> bool:
    """Tell whether an answer is new to this reader."""
    return any(event.key == fresh.key for fresh in part.fresh)


def keys(events: Iterable[Event]) -> tuple[str, ...]:
    """List the keys of events."""
    return tuple(event.key for event in events)
