"""What a sentence tells in the words of somebody who is no government: analysts, the opposition, a source.

A government's stance in such words is hearsay, whatever verb it stands with. Called by `findings`.
"""

from __future__ import annotations

from monitor.detect.actors import Actor, Kind
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
        if actor is None or actor.kind not in (Kind.THIRD, Kind.ANONYMOUS) or "," in words[hit.end : actor.start]:
            continue
        if hit.start == 0:
            comma = next((at for at in range(actor.end, len(words)) if words[at] == ","), actor.end)
            told.append(((comma, len(words)), actor))
        elif words[hit.start - 1] == ",":
            told.append(((0, hit.start), actor))
    return told
