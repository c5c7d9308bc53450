"""Who answered, who did not: the stances of governments in one entry.

    fold and cut > sentences > actors and predicates > guards and complement > article > findings

Pure: the lexicon and the table of outlets are arguments. Called by the pipeline for each matched entry, by `lab
detect` and by `explain`. Attribution between outlets is `attribution`, what a story knows is `ledger`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Protocol

from monitor.detect import askers, clauses, reading, resolve
from monitor.detect import findings as judging
from monitor.detect.findings import Verdict
from monitor.detect.lexicon import Lexicon, Pack
from monitor.detect.lexicon_rows import Tag
from monitor.detect.reading import Parsed
from monitor.detect.resolve import Resolved
from monitor.text import languages
from monitor.values import Certainty, Domain, EntryText, Finding, Outlet, Stance

MAX_CHARACTERS = 50_000
MAX_FINDINGS = 200


class Outlets(Protocol):
    """What the detector asks of the table of outlets."""

    def names_in(self, text: str, language: str | None = None, country: str | None = None) -> Sequence[askers.Hit]: ...
    def by_domain(self, domain: Domain) -> Outlet: ...


@dataclass(frozen=True, slots=True)
class Reading:
    """An entry with everything that was found and rejected; `explain` prints it."""

    pack: Pack
    sentences: tuple[tuple[Parsed, tuple[Verdict, ...]], ...]
    resolved: tuple[Resolved, ...]
    findings: tuple[Finding, ...]


def findings_of(doc: EntryText, lexicon: Lexicon, outlets: Outlets) -> tuple[Finding, ...]:
    """All stances of governments in an entry, background ones included and marked, in order of the text."""
    reading = read(doc, lexicon, outlets)
    return reading.findings if reading else ()


def read(doc: EntryText, lexicon: Lexicon, outlets: Outlets) -> Reading | None:
    """Everything the rules see in an entry; None for a text of no known language, which is not read as another."""
    title, text = doc.title[:MAX_CHARACTERS], doc.text[:MAX_CHARACTERS]
    named = languages.base(doc.language) is not None
    pack = lexicon.pack(doc.language) if named else _guessed(title, text, lexicon)
    if pack is None:
        return None
    day = doc.date.date() if doc.date else None
    country = doc.outlet.country if doc.outlet else None
    parsed: list[tuple[Parsed, tuple[Verdict, ...]]] = []
    names: dict[str, Sequence[askers.Hit]] = {}
    for field, value in (("title", title), ("text", text)):
        names[field] = outlets.names_in(value, pack.language, country) if value else ()
        for sentence in pack.sentences(value, field):
            media = askers.token_spans(sentence, names[field])
            before = parsed[-1][0] if parsed and parsed[-1][0].sentence.field == field else None
            made = reading.parse(sentence, pack, day, media, before)
            parsed.append((made, judging.judge(made)))
    rows = resolve.resolve(parsed, _home(doc, pack, lexicon), native=pack.home is not None)
    asked = askers.Askers(doc, parsed, names, rows, lambda domain: outlets.by_domain(domain).publisher)
    rumour = any(_is_hearsay(one) for one, _ in parsed)
    found = tuple(_finding(row, rows, asked, rumour=rumour) for row in rows[:MAX_FINDINGS])
    return Reading(pack, tuple(parsed), tuple(rows), askers.merged(found))


def _guessed(title: str, text: str, lexicon: Lexicon) -> Pack | None:
    words = [sentence.words for part in (title, text[:5000]) for sentence in clauses.sentences(part, "", frozenset())]
    return lexicon.pack(lexicon.guess([word for row in words for word in row]))


def _home(doc: EntryText, pack: Pack, lexicon: Lexicon) -> str | None:
    """The country of bare bodies: the outlet's, where it writes in a language of its home."""
    if doc.outlet is None:
        return pack.home if languages.base(doc.language) is not None else None
    if doc.outlet.domain in lexicon.homes:
        return lexicon.homes[doc.outlet.domain]
    if doc.outlet.domain in lexicon.homeless or pack.has("world") or doc.outlet.kind in ("wire", "aggregator"):
        return None
    return doc.outlet.country


def _is_hearsay(parsed: Parsed) -> bool:
    """Whether a sentence has what it tells from people nobody names: "two people familiar with the talks said"."""
    return any(isinstance(hit.payload, Tag) and hit.payload.name == "hearsay" for hit in parsed.hits)


def _certainty(row: Resolved, *, rumour: bool) -> Certainty:
    """A country said to have acted, in an entry that has it from unnamed people, is a rumour until a body speaks."""
    actor = row.verdict.actor
    hidden = rumour and actor is not None and actor.metonym and not row.verdict.predicate.silent
    return Certainty.WEAK if hidden or row.government == resolve.UNKNOWN else row.certainty


def _finding(row: Resolved, rows: Sequence[Resolved], asked: askers.Askers, *, rumour: bool = False) -> Finding:
    verdict = row.verdict
    sentence = verdict.sentence
    actor = verdict.actor
    stance = Stance(verdict.stance)
    partial = not stance.is_answer and any(
        (other.government, other.body) == (row.government, row.body) and Stance(other.verdict.stance).is_answer
        and not other.verdict.background for other in rows
    )  # fmt: skip
    return Finding(
        government=row.government,
        body=row.body,
        stance=stance,
        actor=sentence.cut(actor.start, actor.end).rstrip(" ,") if actor else "",
        quote=sentence.quote,
        field=sentence.field,
        start=sentence.start,
        end=sentence.end,
        asker=None if stance.is_answer else asked.of(row),
        via=row.via,
        hand=asked.hand(row),
        said_at=datetime.combine(verdict.said_at, time(), UTC) if verdict.said_at else None,
        partial=partial,
        background=verdict.background,
        rule=verdict.predicate.row.id,
        certainty=_certainty(row, rumour=rumour),
        metonym=actor.metonym if actor else False,
    )


def as_lab(finding: Finding) -> dict[str, str | None]:
    """A finding in the words of `lab detect`: kind for stance, `declined_to_comment` for declined."""
    kind = "declined_to_comment" if finding.stance is Stance.DECLINED else finding.stance.value
    row: dict[str, str | None] = {
        "government": finding.government,
        "body": finding.body,
        "kind": kind,
        "actor": finding.actor,
        "quote": finding.quote,
    }
    if not finding.stance.is_answer:
        asker = finding.asker
        row["asker"] = (asker.domain or asker.name) if asker else None
    return row
