"""A digest as plain text: for the terminal, for files, and as the text part of a mail. Pure.

Lines wrap at 78 characters, never inside an address. Colour only when it is asked for.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from alerts.render import own, words
from alerts.values import Digest, DigestForm, Event, Kind, StoryPart

WIDTH = 78
OUTLETS = 40
ANSWERS = 25
CHAINS = 20
BOLD, ALARM, DIM, RESET = "\x1b[1m", "\x1b[1;31m", "\x1b[2m", "\x1b[0m"


class Page:
    """Lines of text while they are written, wrapped and, if asked for, coloured."""

    def __init__(self, colour: bool) -> None:
        self.lines: list[str] = []
        self._colour = colour

    def put(self, text: str, *, indent: str = "", hang: str | None = None, style: str = "") -> None:
        """Write one paragraph; lines after the first begin with `hang`."""
        if text and len(indent) + len(text) <= WIDTH:
            wrapped = [indent + text]  # most lines; wrapping costs more than all the rest
        else:
            wrapped = textwrap.wrap(
                text,
                WIDTH,
                initial_indent=indent,
                subsequent_indent=indent if hang is None else hang,
                break_long_words=False,
                break_on_hyphens=False,
            )
        self.lines += [f"{style}{line}{RESET}" if style and self._colour else line for line in wrapped]

    def space(self) -> None:
        """Leave one line free."""
        if self.lines and self.lines[-1]:
            self.lines.append("")


def text(digest: Digest, *, colour: bool = False, template: own.Template | None = None) -> str:
    """Write a digest as text, its stories by a template where there is one; the last line ends with a newline."""
    page = Page(colour)
    times = words.Clock(digest.recipient.timezone, digest.made_at)
    seen = digest.coverage
    if seen is not None and seen.partly_blind:
        page.put("PARTLY BLIND: " + words.coverage(seen, times), style=ALARM)
        page.space()
    for note in digest.notes:
        page.put(f"* {words.clean(note, 400)}", hang="  ")
    if digest.form is DigestForm.OPERATOR:
        _operator(page, digest, times)
    for part in digest.stories:
        page.space()
        written, shown = own.choose(template, part, digest, times, OUTLETS, str)
        if written is None:
            _story(page, shown, digest, times)
        else:
            page.lines += written.splitlines()
    if digest.more:
        page.space()
        page.put("ALSO", style=BOLD)
        for part in digest.more:
            page.put(_one_line(part), indent="  ", hang="    ")
    if not digest.stories and not digest.more and digest.form is not DigestForm.OPERATOR:
        page.put("Nothing new.")
    page.space()
    _foot(page, digest, times)
    return "\n".join(page.lines) + "\n"


def _story(page: Page, part: StoryPart, digest: Digest, times: words.Clock) -> None:
    page.put(words.clean(part.headline, words.TITLE), style=BOLD)
    page.put(words.counts(part, times) + f". Message {part.number}, story {part.group}.", style=DIM)
    for note in part.notes:
        page.put(f"* {words.clean(note, 400)}", hang="  ")
    if part.lead and not part.told:
        page.space()
        page.put(words.quoted(part.lead, words.LEAD, '""'), indent="  ")
        page.put(f"- {words.clean(part.lead_outlet, 60)}  {words.link(part.lead_url) or ''}", indent="  ")
    _news(page, part, times)
    _answers(page, part, times)
    if part.non_answers:
        page.space()
        page.put("ASKED, NO ANSWER (not a response)", style=BOLD)
        for silent in part.non_answers[:ANSWERS]:
            page.put(f"{words.silent_body(silent)}: {words.silence(silent)}", indent="  ", hang="    ")
        _more(page, len(part.non_answers) - ANSWERS)
    cited = words.citations(part)
    if cited:
        page.space()
        page.put("WHO CITES WHOM", style=BOLD)
        for chain in cited[:CHAINS]:
            page.put(" <- ".join(chain), indent="  ", hang="    ")
        _more(page, len(cited) - CHAINS)
    earlier = words.history(part)
    if earlier:
        page.space()
        page.put("BEFORE", style=BOLD)
        for event in earlier:
            page.put(words.fact(event, times), indent="  ", hang="    ")
    if part.stale:
        page.put(f"Older entries seen now: {part.stale}.")
    page.space()
    page.put(f"WHY YOU: {words.why(part)}.", hang="  ", style=DIM)
    _stop(page, part, digest)


def _news(page: Page, part: StoryPart, times: words.Clock) -> None:
    fresh = words.news_events(part)
    if not fresh and not part.copies_new:
        return
    page.space()
    page.put(words.since(part, times).upper() if not part.told else words.since(part, times), style=BOLD)
    for event in fresh[:OUTLETS]:
        lead = f"{times.short(words.when(event))}  " if event.mention else ""
        page.put(f"{lead}{words.outlet(event)} ({words.news(event, times)})", indent="  ", hang="         ")
        for line in _piece(event, part):
            page.put(line, indent="         ")
    _more(page, len(fresh) - OUTLETS)
    if part.copies_new:
        copies = words.listed([words.clean(name, 60) for name in part.copies_new], 10)
        page.put(f"Copies of known texts: {copies}", indent="  ", hang="    ")


def _piece(event: Event, part: StoryPart) -> Iterator[str]:
    if event.mention is None:
        return
    if event.mention.title and event.mention.title != part.headline:
        yield words.clean(event.mention.title, words.TITLE)
    address = words.link(event.mention.url)
    if address and not (event.kind is Kind.NEW_STORY and address == words.link(part.lead_url) and part.lead):
        yield address


def _answers(page: Page, part: StoryPart, times: words.Clock) -> None:
    page.space()
    if not part.answers:
        page.put("GOVERNMENTS: none has answered.", style=BOLD)
        return
    page.put("GOVERNMENTS", style=BOLD)
    for event in part.answers[:ANSWERS]:
        new = "NEW  " if words.is_new(event, part) else ""
        page.put(
            f"{new}{words.speaker(event)}: {words.stance(event)}", indent="  ", hang="    ", style=ALARM if new else ""
        )
        _quote(page, event, times)
    _more(page, len(part.answers) - ANSWERS)
    for event in words.further_quotes(part)[:5]:
        page.put(f"{words.speaker(event)}, said again:", indent="  ")
        _quote(page, event, times)


def _quote(page: Page, event: Event, times: words.Clock) -> None:
    assert event.answer is not None
    if event.answer.quote:
        page.put(words.quoted(event.answer.quote, words.QUOTE, '""'), indent="    ")
    address = words.link(event.mention.url if event.mention else None)
    page.put(f"{words.outlet(event)}, {times.short(words.when(event))}  {address or ''}".rstrip(), indent="    ")


def _operator(page: Page, digest: Digest, times: words.Clock) -> None:
    for event in digest.events[:OUTLETS]:
        said, facts = words.report(event)
        page.put(f"{times.short(event.decided_at)}  {said}", hang="       ", style=BOLD)
        for name, value in facts:
            page.put(f"{name}: {value}", indent="       ")
    _more(page, len(digest.events) - OUTLETS)


def _one_line(part: StoryPart) -> str:
    answers = f", {words.count(len(part.answers), 'answer')}" if part.answers else ""
    told = " (told already)" if part.told else ""
    return f"{words.clean(part.headline, 120)} - {words.count(part.outlets, 'outlet')}{answers}{told} [{part.group}]"


def _stop(page: Page, part: StoryPart, digest: Digest) -> None:
    for name, address in words.actions(part, digest.links):
        page.put(f"{name}: {address}")
    if digest.links is None or not digest.links.mute:
        page.put("To mute this story:", style=DIM)
        page.lines.append(f"  {words.mute_command(part)}")


def _foot(page: Page, digest: Digest, times: words.Clock) -> None:
    if digest.coverage is not None:
        page.put("WATCHING: " + words.coverage(digest.coverage, times), style=DIM)
    page.put(f"{digest.delivery_id}, configuration {digest.config_rev}", style=DIM)


def _more(page: Page, left: int) -> None:
    if left > 0:
        page.put(f"+{left} more", indent="  ")
