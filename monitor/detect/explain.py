"""Say in lines of text what the detector saw in an entry: every span found or rejected, with its row and reason.

Called by `storywatch explain` and the web page; reads what `responses.read` returns and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.detect.actors import Actor, Kind
from monitor.detect.findings import Verdict
from monitor.detect.reading import Parsed
from monitor.detect.responses import Reading
from monitor.values import Finding


def lines(reading: Reading | None) -> Iterator[str]:
    """One line per actor, negation, predicate and result, sentence by sentence."""
    if reading is None:
        yield "language  und: no language the lexicon knows, nothing is read"
        return
    yield f"language  {reading.pack.language}"
    for number, (parsed, verdicts) in enumerate(reading.sentences, 1):
        yield from _sentence(number, parsed, verdicts)
    for finding in reading.findings:
        yield _result(finding)
    if not reading.findings:
        yield "result    no government answers, none is said to be silent"


def _sentence(number: int, parsed: Parsed, verdicts: Sequence[Verdict]) -> Iterator[str]:
    if not parsed.actors and not verdicts:
        return
    sentence = parsed.sentence
    yield f'sentence {number} {sentence.field}[{sentence.start}:{sentence.end}] "{sentence.quote}"'
    for actor in parsed.actors:
        yield f"  actor     {_span(parsed, actor.start, actor.end)}   {_who(actor)}"
    for negation in parsed.tags("neg", 0, len(sentence.words)):
        yield f"  negation  {_span(parsed, negation.start, negation.end)}"
    for verdict in verdicts:
        yield f"  {_verdict(parsed, verdict)}"


def _span(parsed: Parsed, start: int, end: int) -> str:
    tokens = parsed.sentence.tokens
    return f'[{tokens[start].start}:{tokens[end - 1].end}] "{parsed.sentence.cut(start, end)}"'


def _who(actor: Actor) -> str:
    if actor.kind is not Kind.GOVERNMENT:
        return f"{actor.kind}: no government"
    where = actor.government or "country open"
    return f"{where} {actor.body}, row {actor.rule}, {'country or capital' if actor.metonym else actor.case}"


def _verdict(parsed: Parsed, verdict: Verdict) -> str:
    span = _span(parsed, verdict.predicate.start, verdict.predicate.end)
    speaker = verdict.actor and parsed.sentence.cut(verdict.actor.start, verdict.actor.end)
    start, end = verdict.content
    said = f"; complement {_span(parsed, start, end)}" if end > start else ""
    row = f"row {verdict.predicate.row.id}"
    if verdict.reason is not None:
        return f"rejected  {span} {row}: {verdict.reason}" + (f" ({speaker})" if speaker else "")
    return f"found     {span} {row} > {verdict.stance}, by {speaker or 'the last speaker'}{said}"


def _result(finding: Finding) -> str:
    marks = [finding.certainty.value, f"via {finding.via}", f"hand {finding.hand}"]
    marks += ["partial"] if finding.partial else []
    marks += ["background"] if finding.background else []
    if not finding.stance.is_answer:
        marks.append(f"asker {finding.asker.domain or finding.asker.name}" if finding.asker else "asker unknown")
    who = f"{finding.government} {finding.body}"
    return (
        f"result    {who}: {finding.stance} (quote {finding.field}[{finding.start}:{finding.end}]); {', '.join(marks)}"
    )
