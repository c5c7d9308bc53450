"""An explanation as text for a terminal: one block per stage, the matching words marked where they stand."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.explain.stages import Explained, StoryLine, WatchLine
from monitor.values import Role

_BOLD, _PLAIN = "\033[1m", "\033[0m"
_AROUND = 60
_SNIPPETS = 2


def as_text(told: Explained, *, colour: bool, spans: bool) -> str:
    """Write it all; `spans` shows what the detector saw sentence by sentence."""
    blocks = [
        _block("entry", _entry(told)),
        _block("match", _matches(told, colour)),
        _block("story", _story(told)),
        _block("sources", _sources(told)),
        _block("answers", _answers(told, spans)),
        _block("events", _events(told)),
    ]
    return "".join(blocks)


def _block(head: str, lines: Iterator[str]) -> str:
    shown = [f"{head if number == 0 else '':<9} {line}".rstrip() for number, line in enumerate(lines)]
    return "\n".join(shown) + "\n" if shown else ""


def _entry(told: Explained) -> Iterator[str]:
    entry = told.subject.entry
    yield entry.title
    if entry.url:
        yield entry.url
    outlet = f"{told.outlet.name} ({told.outlet.domain})" if told.outlet else "unknown outlet"
    country = f", {told.outlet.country}" if told.outlet and told.outlet.country else ""
    yield f"{outlet}{country}; language {entry.language or 'und: not known, nothing is guessed'}"
    yield told.polled or f"{told.subject.origin}; not stored: this is what would happen"
    if not entry.text.strip():
        yield "no text: all that is known of it is its title"


def _matches(told: Explained, colour: bool) -> Iterator[str]:
    wide = max((len(one.watch) for one in told.watches), default=0)
    for one in told.watches:
        yield f"{one.watch:{wide}}  {'yes' if one.matches else 'no '}  {one.why}"
        yield from (f"{'':{wide}}       {snippet}" for snippet in _snippets(told, one, colour))
    if not told.watches:
        yield "there is no watch"


def _snippets(told: Explained, one: WatchLine, colour: bool) -> Iterator[str]:
    """The text around the first spans."""
    fields = {"title": told.subject.entry.title, "text": told.subject.entry.text}
    for field, start, end, _ in one.spans[:_SNIPPETS]:
        text = fields[field]
        before, after = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
        marked = f"{_BOLD}{text[start:end]}{_PLAIN}" if colour else f"[{text[start:end]}]"
        yield f"{field}[{start}:{end}] " + " ".join(f"…{before}{marked}{after}…".split())


def _story(told: Explained) -> Iterator[str]:
    story = told.story
    if story is None:
        yield "none: no watch wants the entry"
        return
    decided = story.assignment
    would = "" if told.subject.stored else "would "
    if story.starts:
        yield f"{story.key}  {would}{'start' if would else 'starts'} a story"
    else:
        yield f"{story.key}  {would}{'join' if would else 'joined'} “{story.title}”, {story.others} entries before it"
    yield f"score {decided.score:.2f} (threshold {decided.threshold:.2f}){_runner_up(story)}"
    if decided.shared:
        yield "shares " + ", ".join(f"{name} {weight:.2f}" for name, weight in decided.shared[:8])
    yield f"{decided.role}: " + _whose(story)
    if decided.reason:
        yield decided.reason


def _runner_up(story: StoryLine) -> str:
    decided = story.assignment
    return f"; next best {decided.runner_up} {decided.runner_up_score:.2f}" if decided.runner_up else "; no other story"


def _whose(story: StoryLine) -> str:
    decided = story.assignment
    if decided.role is Role.COPY:
        return f"a copy of entry {decided.copy_of} (containment {decided.containment:.2f}): no new outlet"
    return f"no copy (containment {decided.containment:.2f}): counts as an outlet's own piece"


def _sources(told: Explained) -> Iterator[str]:
    if told.origin is not None:
        chain = " < ".join(told.origin.chain)
        yield f"{told.origin.label} reporting" + (f", has it from {chain}" if chain else "")
    yield from told.sources or ("credits nobody",)


def _answers(told: Explained, spans: bool) -> Iterator[str]:
    findings = told.evidence.findings
    for one in findings:
        asker = f", asked by {one.asker.name}" if one.asker else ""
        kind = "" if one.stance.is_answer else "  (no response)"
        yield f"{one.government} {one.body}: {one.stance}{asker}{kind}  “{one.quote}”"
        yield f"    {one.certainty}, via {one.via}, {one.hand} hand, rule {one.rule}"
    if not findings:
        yield "no government answers, none is said to be silent"
    if spans:
        yield from told.answers


def _events(told: Explained) -> Iterator[str]:
    for one in told.events:
        yield f"{one.kind}  {one.state}  {one.key}"
        yield from (f"    {step}" for step in one.steps)
        if not one.steps and one.state == "open":
            yield "    no route takes it"
    if not told.events:
        yield "none"
