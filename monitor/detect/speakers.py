"""Who speaks: link a predicate to its subject, across inversions, parentheses, participles and lists of names.

Works on word order, commas and case as the language's settings allow; knows no language by name. `findings` judges
what the speaker says.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.detect import ellipsis, guards
from monitor.detect.actors import Actor, Case, Kind
from monitor.detect.predicates import Predicate
from monitor.detect.reading import Parsed

_PASSIVE = ("agreed", "confirmed", "denied", "refused", "condemned")
_INVERTIBLE = ("said", "believed", "confirmed", "announced_action")
"""What may stand before its subject where word order is fixed: "..., said the minister"."""
_LINK = 5
"""Words between two speakers of one verb: ", and from the"."""
_NAMES = 4
"""Words of a name nobody knows."""
TAIL = 9
"""Words after a closing "X said" that are still place, time and audience, not a complement."""
INVERTED = 9
"""Words between an inverted verb and its subject: "izjavio je juče za N1 ministar"."""


def subject(parsed: Parsed, predicate: Predicate) -> tuple[Actor | None, bool]:
    """The speaker of a predicate, and whether it stands after the verb."""
    words = parsed.sentence.words
    at = predicate.start - 1
    while at >= 0 and parsed.pack.lists["perfect"].accepts(words[at]):
        at -= 1
    manner = at >= 0 and bool(parsed.pack.lists["as"].accepts(words[at]))  # ", kako je saopštilo ministarstvo"
    at -= manner
    if leads(parsed, predicate):
        return _main_subject(parsed, predicate), True
    doer = agent(parsed, predicate)
    if doer is not None:
        return doer, True
    if parsed.pack.has("verb_first"):
        beside = _beside(parsed, predicate)
        if beside is not None:
            return beside, beside.start >= predicate.end
    closed = at < 0 or words[at] in (",", '"', "-")
    if ellipsis.is_restricted(parsed, at):
        return next((one for one in parsed.actors if one.end == at), None), False
    held = ellipsis.interrupted(parsed, at)
    return (held, False) if held is not None else _beside_verb(parsed, predicate, at, closed=closed)


def _beside_verb(parsed: Parsed, predicate: Predicate, at: int, *, closed: bool) -> tuple[Actor | None, bool]:
    """The subject by the order of words: before the verb, behind it, or left out. `at` is the word before the verb."""
    words = parsed.sentence.words
    left = _left(parsed, predicate) if predicate.row.actor != "after" else None
    parenthesis = left is not None and closed and at >= 0 and _parenthesis(parsed, left, at)
    if closed and predicate.row.actor == "before" and not parenthesis:
        right = _right(parsed, predicate)
        if right is not None:
            return right, True
    if left is not None and (not closed or at < 0 or parenthesis or words[at] == '"' or _opens(words, left)):
        return left, False
    if parsed.pack.has("inversion") or predicate.row.actor in ("after", "any") or closed:
        right = _right(parsed, predicate)
        if right is not None:
            return right, True
    verb = ellipsis.shared_verb(parsed, predicate)
    shared = subject(parsed, verb)[0] if verb is not None else ellipsis.shared_subject(parsed, predicate)
    shared = shared or ellipsis.asked_body(parsed, predicate)
    if shared is not None:
        return shared, False
    return _antecedent(parsed, predicate) or _messenger(parsed, predicate), closed and at >= 0


def _messenger(parsed: Parsed, predicate: Predicate) -> Actor | None:
    """Who carries the word of somebody nobody knows: "Through a ministry spokeswoman, Roe declined"."""
    words, lists = parsed.sentence.words, parsed.pack.lists
    if parsed.clause(predicate.start)[0] or not lists["messenger"].accepts(words[0]):
        return None
    carrier = next((one for one in parsed.actors if one.start <= 3 and one.kind is Kind.GOVERNMENT), None)
    if carrier is None or carrier.metonym or not 0 < predicate.start - carrier.end <= _NAMES + 1:
        return None
    return carrier if words[carrier.end] == "," else None


def _antecedent(parsed: Parsed, predicate: Predicate) -> Actor | None:
    """Who was silent in a relative clause: "he was sent on to the State Department, which did not answer"."""
    span = parsed.embedding(predicate.start) if predicate.silent else None
    if span is None or not parsed.pack.lists["relative"].accepts(parsed.sentence.words[span[0]]):
        return None
    return next((one for one in parsed.actors if one.end == span[0] - 1 and one.kind is Kind.GOVERNMENT), None)


def agent(parsed: Parsed, predicate: Predicate) -> Actor | None:
    """The doer of a passive: "was confirmed by the ministry". What is signed or ordered needs its active form."""
    if predicate.stance not in _PASSIVE or not guards.passive(parsed.sentence, predicate, parsed.pack):
        return None
    words, lists = parsed.sentence.words, parsed.pack.lists
    for actor in parsed.actors:
        at = actor.start - 1
        while at > predicate.end and lists["det"].accepts(words[at]) and not lists["agent"].accepts(words[at]):
            at -= 1
        if at >= predicate.end and at - predicate.end < TAIL and lists["agent"].accepts(words[at]):
            return actor
    return None


def _beside(parsed: Parsed, predicate: Predicate) -> Actor | None:
    """The subject that touches its verb, where verbs may come first: before it in a headline, else behind it."""
    near = [actor for actor in parsed.actors if actor.case is Case.SUBJECT and not _between(parsed, actor, predicate)]
    before = next((actor for actor in near if actor.end <= predicate.start), None)
    after = next((actor for actor in near if actor.start >= predicate.start), None)
    return before or after


def _between(parsed: Parsed, actor: Actor, predicate: Predicate) -> bool:
    """Whether a word stands between an actor and a predicate, other than a particle of the verb."""
    first, last = (actor.end, predicate.start) if actor.end <= predicate.start else (predicate.end, actor.start)
    words = parsed.sentence.words[first:last]
    return not all(parsed.pack.lists["aux"].accepts(word) for word in words)


def _parenthesis(parsed: Parsed, left: Actor, comma: int) -> bool:
    """Whether the comma before the verb closes what began right after the subject: "The king, meanwhile, said"."""
    words = parsed.sentence.words
    if left.end == comma + 1 or any(end == comma and start - 1 == left.end for start, end in parsed.embedded):
        return True
    if left.end == comma and "," in words[left.start : left.end]:
        return True
    if left.end >= len(words) or words[left.end] != "," or left.end == comma:
        return False
    return not any(left.end < other.start < comma for other in parsed.predicates)


def _opens(words: Sequence[str], left: Actor) -> bool:
    """Whether the subject follows a comma or a quotation: "..., Anne Roe, assistant secretary for peace, said"."""
    return any(word in (",", '"') for word in words[max(0, left.start - 4) : left.start])


def leads(parsed: Parsed, predicate: Predicate) -> bool:
    """A participle that opens the sentence: "Confirming the arrest, the ministry said"."""
    word = parsed.sentence.words[predicate.start]
    endings = parsed.pack.endings("participle")
    return predicate.start <= 1 and bool(endings) and word.endswith(endings) and "," in parsed.sentence.words


def _main_subject(parsed: Parsed, predicate: Predicate) -> Actor | None:
    """The subject of the main clause after an opening participle."""
    words = parsed.sentence.words
    for actor in parsed.actors:
        if actor.start <= predicate.end or actor.case is not Case.SUBJECT or actor.kind is Kind.PRONOUN:
            continue
        if "," in words[max(predicate.end, actor.start - 3) : actor.start]:
            return actor
    return None


def _left(parsed: Parsed, predicate: Predicate) -> Actor | None:
    clause = parsed.clause(predicate.start)
    home = parsed.embedding(predicate.start)
    oblique: Actor | None = None
    for actor in reversed(parsed.actors):
        if actor.start < clause[0] or (actor.end > predicate.start and predicate.row.actor != "any"):
            continue
        if actor.start >= predicate.end:
            continue
        if parsed.sentence.tokens[actor.start].quoted and not parsed.sentence.tokens[predicate.start].quoted:
            continue
        if parsed.embedding(actor.start) != home:
            continue
        if _apposed(parsed, actor) or ellipsis.in_restriction(parsed, actor, predicate):
            continue
        if actor.kind is Kind.MEDIA and predicate.silent:
            continue
        if actor.case == Case.SUBJECT and not _is_object(parsed, actor, predicate):
            if not _ends_verb(parsed, actor, predicate):
                return actor
            oblique = oblique or actor
        if actor.case in (Case.FROM, Case.IN) and oblique is None and not _place(parsed, actor):
            oblique = actor
        if predicate.row.actor == "any" and oblique is None:
            oblique = actor
    return oblique


def _place(parsed: Parsed, actor: Actor) -> bool:
    """A country behind its preposition is where somebody is or comes from; "iz Beograda poručuju" leaves "they" out."""
    return actor.metonym and (actor.case is Case.IN or not parsed.pack.has("pro_drop"))


def _ends_verb(parsed: Parsed, actor: Actor, predicate: Predicate) -> bool:
    """ "met the diplomat and rejected": whoever stands right before "and" and a verb belongs to the verb before."""
    words, lists = parsed.sentence.words, parsed.pack.lists
    at = predicate.start - 1
    while at > actor.end and lists["perfect"].accepts(words[at]):
        at -= 1
    joined = at == actor.end and bool(lists["and"].accepts(words[at])) and not parsed.pack.has("verb_final")
    return joined and any(other.end < actor.start and other.case is Case.SUBJECT for other in parsed.actors)


def _apposed(parsed: Parsed, actor: Actor) -> bool:
    """ "President X, member of the party, said": the description between the commas is no subject."""
    words = parsed.sentence.words
    if actor.kind is not Kind.THIRD:
        return False
    if actor.start < 1 or words[actor.start - 1] != "," or actor.end >= len(words) or words[actor.end] != ",":
        return False
    return any(other.end == actor.start - 1 and other.kind is Kind.GOVERNMENT for other in parsed.actors)


def _is_object(parsed: Parsed, actor: Actor, predicate: Predicate) -> bool:
    """What directly follows an earlier verb of stance is its object: "accused the ministry and said"."""
    words = parsed.sentence.words
    after = words[actor.end : predicate.start]
    beside = len(after) <= 2 and not any(word == "," or parsed.pack.lists["and"].accepts(word) for word in after)
    for other in parsed.predicates:
        if other.start < predicate.start and other.end <= actor.start and other.stance not in ("said", "believed"):
            between = words[other.end : actor.start]
            direct = not any(word in (",", ";", "-", '"') for word in between)
            if direct and not has_that(parsed, other.end, actor.start):
                return not beside
    return False


def has_that(parsed: Parsed, start: int, end: int) -> bool:
    return any(parsed.pack.lists["that"].accepts(word) for word in parsed.sentence.words[start:end])


def _right(parsed: Parsed, predicate: Predicate) -> Actor | None:
    words = parsed.sentence.words
    free = predicate.row.actor in ("after", "any")
    if not free and not parsed.pack.has("inversion") and predicate.stance not in _INVERTIBLE:
        return None
    limit = predicate.end + (INVERTED if not free else 2 * INVERTED)
    for actor in parsed.actors:
        inside = predicate.start < actor.start and actor.end < predicate.end  # "teilte das Ministerium mit"
        if (actor.start < predicate.end and not inside) or actor.start > limit:
            continue
        if inside and actor.kind is Kind.ANONYMOUS:  # "no official reaction from"
            continue
        between = words[predicate.start + 1 if inside else predicate.end : actor.start]
        if not free and not _apposed_office(parsed, predicate.end, actor) and (
            any(word in (",", ";", ":") for word in between) or has_that(parsed, predicate.end, actor.start)
        ):  # fmt: skip
            return None
        if actor.kind is Kind.MEDIA and (actor.case is not Case.SUBJECT or _addressed(parsed, actor, limit)):
            continue
        if not free and not parsed.pack.has("inversion") and not _closes(parsed, actor):
            return None
        if free or actor.case is Case.SUBJECT or (actor.case in (Case.FROM, Case.IN) and not actor.metonym):
            return actor
    return None


def _apposed_office(parsed: Parsed, start: int, actor: Actor) -> bool:
    """Whether only an unknown name stands before the office: "said Kim Roe, a spokesman for the ministry"."""
    words, tokens = parsed.sentence.words[start : actor.start], parsed.sentence.tokens
    if words.count(",") != 1 or actor.kind is not Kind.GOVERNMENT or actor.metonym:
        return False
    comma = start + words.index(",")
    while start < comma and parsed.pack.lists["perfect"].accepts(parsed.sentence.words[start]):
        start += 1
    named = 0 < comma - start <= _NAMES and all(token.capital for token in tokens[start:comma])
    return named and all(parsed.pack.lists["det"].accepts(token.word) for token in tokens[comma + 1 : actor.start])


def _addressed(parsed: Parsed, media: Actor, limit: int) -> bool:
    """Whether the speaker follows the outlet it spoke to: "kazali su Vijestima iz ministarstva"."""
    return any(
        media.end <= actor.start <= limit and actor.start - media.end <= 3 and actor.kind is Kind.GOVERNMENT
        and actor.case in (Case.FROM, Case.SUBJECT) for actor in parsed.actors
    )  # fmt: skip


def _closes(parsed: Parsed, actor: Actor) -> bool:
    """In languages without free order an inverted subject ends its clause: "..., said the minister on Friday"."""
    words = parsed.sentence.words
    if actor.end >= len(words) or words[actor.end] in (",", ".", ";", '"', "-", "!", "?", "("):
        return True
    word = words[actor.end]
    return any(parsed.pack.lists[name].accepts(word) for name in ("prep", "in", "time", "and", "relative"))


def group(parsed: Parsed, actor: Actor) -> list[Actor]:
    """The speaker and those joined to it by "and", "neither ... nor", commas."""
    words = parsed.sentence.words
    index = parsed.actors.index(actor)
    group = [actor]
    for step in (-1, 1):
        at, edge, linked = index, actor, False
        while 0 <= at + step < len(parsed.actors):
            other = parsed.actors[at + step]
            first, last = (other, edge) if step < 0 else (edge, other)
            between = words[first.end : last.start]
            if not _joined(parsed, between) or _differs(edge, other):
                break
            linked = linked or any(parsed.pack.lists["and"].accepts(word) for word in between)
            if not linked:
                break
            if other.kind is Kind.GOVERNMENT:
                group.append(other)
            at, edge = at + step, other
    starts = {one.start for one in group}
    same = [one for one in parsed.actors if one.start in starts and one not in group]
    return sorted([*group, *same], key=lambda one: one.start)


def _joined(parsed: Parsed, between: Sequence[str]) -> bool:
    if not 0 < len(between) <= _LINK:
        return False
    lists = parsed.pack.lists
    joins = [word == "," or bool(lists["and"].accepts(word)) for word in between]
    return any(joins) and all(
        joined or any(lists[name].accepts(word) for name in ("det", "in", "from", "to"))
        for joined, word in zip(joins, between, strict=True)
    )


def _differs(one: Actor, other: Actor) -> bool:
    if other.kind is Kind.PRONOUN or (other.case is Case.OBLIQUE) != (one.case is Case.OBLIQUE):
        return True
    return one.case is Case.SUBJECT and other.case is Case.FROM


def content_of(parsed: Parsed, predicate: Predicate, actor: Actor | None, *, inverted: bool) -> tuple[int, int]:
    """The words a verb of speech reports: after it, or before when it closes the sentence."""
    words = parsed.sentence.words
    clause = parsed.clause(predicate.start)
    if parsed.pack.has("verb_final") and actor is not None and actor.end < predicate.start:
        told = predicate.row.actor == "any"  # "in the statement of the ministry": what it says is still to come
        return (predicate.end, clause[1]) if told else (actor.end, predicate.start)
    if leads(parsed, predicate):
        comma = next((at for at in range(predicate.end, len(words)) if words[at] == ","), len(words))
        if actor is not None:
            comma = max(at for at in range(predicate.end, actor.start + 1) if words[at] == "," or at == predicate.end)
        return predicate.end, comma
    last = max(predicate.end, actor.end if actor and inverted else 0)
    edge = min(predicate.start, actor.start if actor and not inverted else predicate.start)
    before = edge - 1
    lists = parsed.pack.lists
    while before >= 0 and (
        words[before] in (",", '"', "-", ".", "!", "?")
        or any(lists[name].accepts(words[before]) for name in ("det", "number", "perfect", "as"))
    ):
        before -= 1
    spoken = words[before + 1 : edge]
    leading = before - parsed.clauses[0][0] >= 2 and any(word in (",", '"', "-") for word in spoken)
    if leading and not _reports_after(parsed, _past_audience(parsed, last), clause[1], quoted='"' in spoken):
        return 0, before + 1
    return last, clause[1]


def _past_audience(parsed: Parsed, at: int) -> int:
    """The end of the outlet that was told: "..., a spokesman told the Harbour Post"."""
    media = (actor for actor in parsed.actors if actor.kind is Kind.MEDIA and actor.start - at in (0, 1))
    return next((actor.end for actor in media), at)


def _reports_after(parsed: Parsed, start: int, end: int, *, quoted: bool) -> bool:
    """Whether a complement follows: a that-clause, a colon, a quotation, or more words than place and time need.

    `quoted`: a quotation closed before the speaker, so that only a clause of its own goes on with it.
    """
    words = parsed.sentence.words
    head = words[start:end]
    if not head:
        return False
    lists = parsed.pack.lists
    opens = head[_day(parsed, head)] if not quoted else head[0]
    if not quoted and any(lists[name].accepts(opens) for name in ("there", "pronoun", "neg")):
        return True
    if quoted and lists["prep"].accepts(head[0]):
        return False
    for word in head[:TAIL]:
        if lists["that"].accepts(word) or word in (":", '"'):
            return True
        if word in (",", "."):
            return False
    if quoted or lists["prep"].accepts(head[0]) or lists["in"].accepts(head[0]) or lists["time"].accepts(head[0]):
        return False
    return len([word for word in head if word[0].isalpha()]) > 2


def _day(parsed: Parsed, head: Sequence[str]) -> int:
    """Where the complement may begin after a day without a preposition: "said Monday it will end"."""
    lists = parsed.pack.lists
    named = len(head) > 1 and lists["time"].accepts(head[0]) and not lists["prep"].accepts(head[0])
    return 1 if named and not lists["in"].accepts(head[0]) else 0


def begins(parsed: Parsed, actor: Actor) -> bool:
    """A pronoun is a speaker at the head of its clause, not in "the people it expels"."""
    start = parsed.clause(actor.start)[0]
    before = parsed.sentence.words[actor.start - 1] if actor.start else ","
    return actor.start <= start + 1 or before in (",", '"', "-") or bool(parsed.pack.lists["and"].accepts(before))


def unknown_subject(parsed: Parsed, predicate: Predicate) -> bool:
    """Whether a name nobody knows stands where the subject would: then it is not dropped."""
    start, end = parsed.clause(predicate.start)
    tokens = parsed.sentence.tokens
    near = [*range(start + 1, predicate.start), *range(predicate.end, min(predicate.end + 2, end))]
    known = {at for actor in parsed.actors for at in range(actor.start, actor.end)}
    return any(tokens[at].capital and at not in known for at in near)
