"""What a sentence tells in somebody's words without a verb of speech: "according to analysts", "selon le ministère".

A government's stance in the words of analysts, the opposition or another government is hearsay, whatever verb it
stands with. Called by `findings`.
"""

from __future__ import annotations

from monitor.detect.actors import Actor, Case, Kind
from monitor.detect.reading import Parsed


def find(parsed: Parsed) -> list[tuple[tuple[int, int], Actor | None]]:
    """The words that belong to such a speaker, and who it is.

    The speaker opens the sentence ("According to analysts, ...") or closes it behind a comma ("..., selon
    l'opposition"): elsewhere the same small words mean a direction ("violence against migrants" in Serbian).
    """
    words = parsed.sentence.words
    told: list[tuple[tuple[int, int], Actor | None]] = []
    for hit in parsed.tags("by", 0, len(words)):
        actor = next((one for one in parsed.actors if one.start >= hit.end), None)
        if actor is None or not _tells(actor) or "," in words[hit.end : actor.start]:
            continue
        if hit.start == 0:
            comma = next((at for at in range(actor.end, len(words)) if words[at] == ","), actor.end)
            told.append(((comma, len(words)), actor))
        elif words[hit.start - 1] == ",":
            told.append(((0, hit.start), actor))
    return told


def _tells(actor: Actor) -> bool:
    """Whether it is a speaker of its own: an outlet only passes on, a country behind "per" may be a place."""
    if actor.kind is Kind.GOVERNMENT:
        return actor.case is Case.BY and not actor.metonym
    return actor.kind in (Kind.THIRD, Kind.ANONYMOUS)
