"""The parts of an event that let it be rendered by itself: entry, answer, and why the watch matched.

Copies of what was known when the event was decided; called by `events` alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from alerts.values import AnswerSnapshot, MentionSnapshot, Why
from monitor.detect import stances
from monitor.detect.outlets import OutletTable
from monitor.values import Asker, Entry, Finding, Match, Outlet

_LEAD_CHARACTERS = 300
_MAX_TERMS = 12


def mention(entry: Entry, outlet: Outlet | None) -> MentionSnapshot:
    """The entry with its outlet; an unknown one goes by the host that brought it, or without a name."""
    return MentionSnapshot(
        entry=str(entry.id),
        outlet=entry.outlet,
        outlet_name=outlet.name if outlet else (entry.outlet or entry.via or ""),
        title=entry.title,
        url=entry.url,
        lead=_lead(entry.text),
        country=outlet.country if outlet else None,
        outlet_kind=outlet.kind if outlet else None,
        language=entry.language,
        published=entry.published,
        first_seen=entry.first_seen,
    )


def answer(finding: Finding, entry: Entry, governments: Mapping[str, str], table: OutletTable) -> AnswerSnapshot:
    """The stance with its quote; `governments` are names by code, `body` is the voice."""
    asker = finding.asker
    return AnswerSnapshot(
        government=finding.government,
        government_name=governments.get(finding.government, finding.government),
        body=finding.voice,
        office=finding.actor,
        stance=str(finding.stance),
        quote=finding.quote,
        language=entry.language,
        asker=(asker.domain or asker.name) if asker else None,
        asker_name=asker_name(asker, table) if asker else None,
        partial=finding.partial,
        said_at=stances.said_at(finding, entry),
    )


def asker_name(asker: Asker, table: OutletTable) -> str:
    """The catalogue's name of who asked, else as written."""
    return table.by_domain(asker.domain).name if asker.domain else asker.name


def why(watch: str, title: str, match: Match, entry: Entry) -> Why:
    """The words that matched, as written in the text, each once."""
    texts = {"title": entry.title, "text": entry.text, "summary": entry.summary, "content": entry.content}
    written = ((texts.get(span.field, "")[span.start : span.end], span.field) for span in match.spans)
    terms = list(dict.fromkeys(pair for pair in written if pair[0]))
    return Why(watch, title or watch, tuple(terms[:_MAX_TERMS]))


def _lead(text: str) -> str:
    """The start of a text, cut at a word."""
    lead = " ".join(text[: 2 * _LEAD_CHARACTERS].split())
    return lead if len(lead) <= _LEAD_CHARACTERS else lead[:_LEAD_CHARACTERS].rsplit(" ", 1)[0] + " …"
