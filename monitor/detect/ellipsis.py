"""Verbs whose subject is not beside them: left out, parted from them by a phrase between commas, or told of elsewhere.

"The premier agreed, but ruled out a base", "Rubio, speaking beside his host, announced", "families who fled the
government said". Called by `speakers`, which links a verb to the subject beside it.
"""

from __future__ import annotations

from monitor.detect.actors import Actor, Case, Kind
from monitor.detect.predicates import Predicate
from monitor.detect.reading import Parsed


def trails(parsed: Parsed, predicate: Predicate) -> bool:
    """A participle behind a comma: ", accusing the opposition", ", odbacujući optužbe"."""
    if predicate.start < 2 or parsed.sentence.words[predicate.start - 1] != ",":
        return False
    return parsed.sentence.words[predicate.start].endswith(parsed.pack.endings("participle"))


def shared_verb(parsed: Parsed, predicate: Predicate) -> Predicate | None:
    """The verb whose subject a second one shares: "agreed, but ruled out a base", "said no, accusing the party"."""
    words, start = parsed.sentence.words, parsed.clause(predicate.start)[0]
    contrasted = _contrasted(parsed, predicate, start)
    if not contrasted and not trails(parsed, predicate):
        return None
    edge = start if contrasted else predicate.start
    before = [one for one in parsed.predicates if one.end <= edge and parsed.embedding(one.start) is None]
    if not before or '"' in words[before[-1].end : edge]:
        return None
    return before[-1] if not contrasted or parsed.clause(before[-1].start)[1] == start else None


def shared_subject(parsed: Parsed, predicate: Predicate) -> Actor | None:
    """The same where the main verb is of no interest: "The president returned the law, refusing to sign it"."""
    if not trails(parsed, predicate) or any(one.end <= predicate.start for one in parsed.predicates):
        return None
    return next((one for one in parsed.actors if one.end < predicate.start and one.case is Case.SUBJECT), None)


def asked_body(parsed: Parsed, predicate: Predicate) -> Actor | None:
    """Whom the questions went to: "We sent questions to the ministry, but no answer came"."""
    words, start = parsed.sentence.words, parsed.clause(predicate.start)[0]
    if not predicate.silent or start == 0:
        return None
    first = parsed.clause(start - 1)[0]
    if not any(parsed.pack.lists["request"].accepts(word) for word in words[first:start]):
        return None
    asked = [one for one in parsed.actors if first <= one.start < start and one.kind is Kind.GOVERNMENT]
    return asked[-1] if asked and not asked[-1].metonym else None


def _contrasted(parsed: Parsed, predicate: Predicate, start: int) -> bool:
    """Whether nothing but auxiliaries stands between the "but" that opens a clause and its verb."""
    between = parsed.sentence.words[start + 1 : predicate.start]
    return 0 < start < predicate.start and all(parsed.pack.lists["aux"].accepts(word) for word in between)


def interrupted(parsed: Parsed, comma: int) -> Actor | None:
    """The subject before a participle between commas: "Rubio, speaking beside his host, announced"."""
    words, endings = parsed.sentence.words, parsed.pack.endings("participle")
    if comma < 2 or words[comma] != "," or not endings:
        return None
    for actor in parsed.actors:
        if actor.end + 1 < comma and words[actor.end] == "," and words[actor.end + 1].endswith(endings):
            whole = "," not in words[actor.end + 1 : comma]
            return actor if whole and actor.case is Case.SUBJECT else None
    return None


def is_restricted(parsed: Parsed, at: int) -> bool:
    """Whether the word before a verb is a relative pronoun: "protesters who demanded" are the subject, nobody else.

    Only where relative clauses may stand without commas; those between commas are cut off before.
    """
    return (
        parsed.pack.has("headnouns")
        and at > 0
        and bool(parsed.pack.lists["relative"].accepts(parsed.sentence.words[at]))
    )


def in_restriction(parsed: Parsed, actor: Actor, predicate: Predicate) -> bool:
    """ "families who fled the government said": what a clause without commas is about is not the main subject."""
    words, lists = parsed.sentence.words, parsed.pack.lists
    if not parsed.pack.has("headnouns") or predicate.silent:
        return False
    opened = next((at for at in range(actor.start - 1, 0, -1) if lists["relative"].accepts(words[at])), None)
    if opened is None or "," in words[opened - 1 : predicate.start]:
        return False
    verb = any(not lists["det"].accepts(word) for word in words[opened + 1 : actor.start])
    return verb and not any(opened < other.start < actor.start for other in parsed.predicates)
