"""Judge one sentence: link each predicate to its speaker, read what is said, and apply the guards.

The answer is a list of verdicts, rejected ones with their reason, so that `explain` and `resolve` see the same.
Countries that the sentence does not tell stay open; `resolve` fills them in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from monitor.detect import actors as actors_of
from monitor.detect import clauses as clauses_of
from monitor.detect import complement, guards, predicates
from monitor.detect.actors import Actor, Case, Kind
from monitor.detect.clauses import Sentence
from monitor.detect.forms import Found
from monitor.detect.lexicon import Pack
from monitor.detect.lexicon_rows import Place, Row, Tag
from monitor.detect.predicates import Predicate
from monitor.values import Certainty

ACCORDING = "according-to"
_TAIL = 9
"""Words after a closing "X said" that are still place, time and audience, not a complement."""
_INVERTED = 9
_COLON = 12
"""Words between an inverted verb and its subject: "izjavio je juče za N1 ministar"."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One predicate judged for one speaker. `reason` is None when it counts."""

    sentence: Sentence
    predicate: Predicate
    actor: Actor | None
    stance: str
    reason: str | None = None
    content: tuple[int, int] = (0, 0)
    background: bool = False
    said_at: date | None = None
    certainty: Certainty = Certainty.SURE
    inherited: bool = False
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """A sentence with everything that was found in it."""

    sentence: Sentence
    pack: Pack
    hits: tuple[Found, ...]
    clauses: tuple[tuple[int, int], ...]
    embedded: tuple[tuple[int, int], ...]
    actors: tuple[Actor, ...]
    predicates: tuple[Predicate, ...]
    day: date | None = None
    before: Parsed | None = None

    def tags(self, name: str, start: int, end: int) -> list[Found]:
        """Hits of one word list in a stretch of words."""
        return [
            hit for hit in self.hits
            if isinstance(hit.payload, Tag) and hit.payload.name == name and start <= hit.start < end
        ]  # fmt: skip

    @property
    def places(self) -> list[str]:
        """Codes of all countries named, in whatever case."""
        return [hit.payload.code for hit in self.hits if isinstance(hit.payload, Place)]

    def clause(self, at: int) -> tuple[int, int]:
        """The clause that holds a word."""
        return next(((start, end) for start, end in self.clauses if start <= at < end), (0, len(self.sentence.words)))

    def embedding(self, at: int) -> tuple[int, int] | None:
        """The relative clause that holds a word."""
        return next((span for span in self.embedded if span[0] <= at < span[1]), None)


def parse(
    sentence: Sentence, pack: Pack, day: date | None, media: Sequence[tuple[int, int]], before: Parsed | None = None
) -> Parsed:
    """Find everything in a sentence; linking comes after."""
    hits = tuple(pack.index.find(sentence.words))
    spans = _clauses(sentence, hits, pack)
    embedded = _embedded(sentence, hits)
    found = actors_of.find(sentence, hits, pack, day, media)
    return Parsed(
        sentence, pack, hits, spans, embedded, found, predicates.find(sentence, hits, spans, pack), day, before
    )


def _clauses(sentence: Sentence, hits: Sequence[Found], pack: Pack) -> tuple[tuple[int, int], ...]:
    cuts = {at for at, word in enumerate(sentence.words) if word == ";"}
    for hit in hits:
        if isinstance(hit.payload, Tag) and hit.payload.name == "split" and hit.start and not _inside(sentence, hit):
            after = sentence.words[hit.end] if hit.end < len(sentence.words) else ""
            if not pack.lists["that"].accepts(after):
                cuts.add(hit.start)
    edges = [0, *sorted(cuts), len(sentence.words)]
    return tuple((start, end) for start, end in zip(edges, edges[1:], strict=False) if end > start)


def _inside(sentence: Sentence, hit: Found) -> bool:
    return sentence.tokens[hit.start].quoted


def _embedded(sentence: Sentence, hits: Sequence[Found]) -> tuple[tuple[int, int], ...]:
    """Relative clauses between commas: ", which declined last year," says nothing of the main verb."""
    spans = []
    words = sentence.words
    for hit in hits:
        if not isinstance(hit.payload, Tag) or hit.payload.name != "relative" or _inside(sentence, hit):
            continue
        if hit.start == 0 or (spans and hit.start < spans[-1][1]):
            continue
        comma = words[hit.start - 1] == ","
        end = next((at for at in range(hit.end, len(words)) if words[at] in (",", ";", "-") or
                    sentence.tokens[at].quoted), len(words))  # fmt: skip
        if not comma and end == len(words):
            continue
        spans.append((hit.start, end))
    return tuple(spans)


def judge(parsed: Parsed, before: str | None = None) -> tuple[Verdict, ...]:
    """All verdicts of a sentence, in order of their predicates. `before` is the stance the sentence before carries."""
    verdicts: list[Verdict] = []
    owners = _attributions(parsed)
    covered = [(content, actor) for _, content, actor in owners]
    verdicts.extend(_headline(parsed, covered))
    attributed = {predicate.start: (content, actor) for predicate, content, actor in owners}
    for predicate in parsed.predicates:
        if predicate.start in attributed:
            content, actor = attributed[predicate.start]
            verdicts.extend(_spoken(parsed, predicate, content, actor))
            if actor is None or actor.kind is not Kind.MEDIA:
                covered.append((content, actor))
            continue
        owner = next((one for span, one in covered if span[0] <= predicate.start < span[1]), None)
        inside = any(span[0] <= predicate.start < span[1] for span, _ in covered)
        made = _plain(parsed, predicate, owner=owner, inside=inside)
        verdicts.extend(made)
        span = _that_clause(parsed, predicate)
        if span is not None and not inside:
            covered.append((span, made[0].actor if made else None))
    verdicts.extend(_according(parsed))
    return tuple(_without_frames(verdicts))


def _that_clause(parsed: Parsed, predicate: Predicate) -> tuple[int, int] | None:
    """The that-clause after a verb of stance: what it holds is told by the verb's subject."""
    if predicate.silent:
        return None
    end = parsed.clause(predicate.start)[1]
    for at in range(predicate.end, min(predicate.end + _INVERTED, end)):
        word = parsed.sentence.words[at]
        if parsed.pack.lists["that"].accepts(word) and not parsed.pack.lists["to"].accepts(word):
            return at + 1, end
        if parsed.pack.lists["that"].accepts(word) and at - predicate.end <= 4:
            return at + 1, end
        if word in (",", ";"):
            return None
    return None


def _without_frames(verdicts: list[Verdict]) -> list[Verdict]:
    """ "said it would not comment" is one non-answer: the verb of speech around it says nothing more."""
    silent = [one for one in verdicts if one.predicate.silent and one.reason is None]
    out = []
    for verdict in verdicts:
        start, end = verdict.content
        framed = verdict.predicate.stance == "said" and verdict.reason is None and any(
            start <= one.predicate.start < end and one.actor == verdict.actor
            and (one.predicate.start - start <= _INVERTED or end <= verdict.predicate.start) for one in silent
        )  # fmt: skip
        out.append(replace(verdict, reason="frames a non-answer") if framed else verdict)
    return out


# ------------------------------------------------------------------------------------------------- who says what


def _attributions(parsed: Parsed) -> list[tuple[Predicate, tuple[int, int], Actor | None]]:
    """Every verb of speech with its subject and the words it reports."""
    out: list[tuple[Predicate, tuple[int, int], Actor | None]] = []
    barrier: list[tuple[int, int]] = []
    for predicate in parsed.predicates:
        if predicate.stance not in ("said", "believed"):
            continue
        if any(start <= predicate.start < end for start, end in barrier):
            continue
        if parsed.embedding(predicate.start) is not None:
            continue
        actor, inverted = subject(parsed, predicate)
        content = _content(parsed, predicate, actor, inverted=inverted)
        out.append((predicate, content, actor))
        if content[0] >= predicate.end:
            barrier.append(content)
    return out


def subject(parsed: Parsed, predicate: Predicate) -> tuple[Actor | None, bool]:
    """The speaker of a predicate, and whether it stands after the verb."""
    words = parsed.sentence.words
    at = predicate.start - 1
    while at >= 0 and parsed.pack.lists["perfect"].accepts(words[at]):
        at -= 1
    if _leads(parsed, predicate):
        return _main_subject(parsed, predicate), True
    closed = at < 0 or words[at] in (",", '"', "-")
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
    return None, closed and at >= 0


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


def _leads(parsed: Parsed, predicate: Predicate) -> bool:
    """A participle that opens the sentence: "Confirming the arrest, the ministry said"."""
    word = parsed.sentence.words[predicate.start]
    endings = tuple(name.removeprefix("participle:") for name in parsed.pack.settings if name.startswith("participle:"))
    return predicate.start <= 1 and bool(endings) and word.endswith(endings) and "," in parsed.sentence.words


def _main_subject(parsed: Parsed, predicate: Predicate) -> Actor | None:
    """The subject of the main clause after an opening participle."""
    words = parsed.sentence.words
    for actor in parsed.actors:
        if actor.start > predicate.end and actor.case is Case.SUBJECT and actor.kind is not Kind.PRONOUN:
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
        if actor.kind is Kind.THIRD and _apposed(parsed, actor):
            continue
        if actor.kind is Kind.MEDIA and predicate.silent:
            continue
        if actor.case in (Case.SUBJECT,) and not _is_object(parsed, actor, predicate):
            return actor
        if actor.case in (Case.FROM, Case.IN) and oblique is None and not (actor.metonym and actor.case is Case.IN):
            oblique = actor
        if predicate.row.actor == "any" and oblique is None:
            oblique = actor
    return oblique


def _apposed(parsed: Parsed, actor: Actor) -> bool:
    """ "President X, member of the party, said": the description between the commas is no subject."""
    words = parsed.sentence.words
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
            if direct and not _has_that(parsed, other.end, actor.start):
                return not beside
    return False


def _has_that(parsed: Parsed, start: int, end: int) -> bool:
    return any(parsed.pack.lists["that"].accepts(word) for word in parsed.sentence.words[start:end])


def _right(parsed: Parsed, predicate: Predicate) -> Actor | None:
    words = parsed.sentence.words
    free = predicate.row.actor in ("after", "any")
    limit = predicate.end + (_INVERTED if not free else 2 * _INVERTED)
    for actor in parsed.actors:
        if actor.start < predicate.end or actor.start > limit:
            continue
        between = words[predicate.end : actor.start]
        if not free and (
            any(word in (",", ";", ":") for word in between) or _has_that(parsed, predicate.end, actor.start)
        ):
            return None
        if actor.kind is Kind.MEDIA and (actor.case is not Case.SUBJECT or _addressed(parsed, actor, limit)):
            continue
        if not free and not parsed.pack.has("inversion") and not _closes(parsed, actor):
            return None
        if free or actor.case is Case.SUBJECT or (actor.case in (Case.FROM, Case.IN) and not actor.metonym):
            return actor
    return None


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


def _content(parsed: Parsed, predicate: Predicate, actor: Actor | None, *, inverted: bool) -> tuple[int, int]:
    """The words a verb of speech reports: after it, or before when it closes the sentence."""
    words = parsed.sentence.words
    clause = parsed.clause(predicate.start)
    if _leads(parsed, predicate):
        comma = next((at for at in range(predicate.end, len(words)) if words[at] == ","), len(words))
        if actor is not None:
            comma = max(at for at in range(predicate.end, actor.start + 1) if words[at] == "," or at == predicate.end)
        return predicate.end, comma
    last = max(predicate.end, actor.end if actor and inverted else 0)
    edge = min(predicate.start, actor.start if actor and not inverted else predicate.start)
    before = edge - 1
    while before >= 0 and (words[before] in (",", '"', "-", ".", "!", "?") or parsed.pack.lists["det"].accepts(words[before])
                           or parsed.pack.lists["perfect"].accepts(words[before])):  # fmt: skip
        before -= 1
    spoken = any(word in (",", '"', "-") for word in words[before + 1 : edge])
    leading = before - parsed.clauses[0][0] >= 2 and spoken
    if leading and not _reports_after(parsed, last, clause[1]):
        return 0, before + 1
    return last, clause[1]


def _reports_after(parsed: Parsed, start: int, end: int) -> bool:
    """Whether a complement follows: a that-clause, a colon, a quotation, or more words than place and time need."""
    words = parsed.sentence.words
    head = words[start:end]
    if not head:
        return False
    lists = parsed.pack.lists
    if any(lists[name].accepts(head[0]) for name in ("there", "pronoun", "neg")):
        return True
    for word in head[:_TAIL]:
        if lists["that"].accepts(word) or word in (":", '"'):
            return True
        if word in (",", "."):
            return False
    if lists["prep"].accepts(head[0]) or lists["in"].accepts(head[0]) or lists["time"].accepts(head[0]):
        return False
    return len([word for word in head if word[0].isalpha()]) > 2


# ------------------------------------------------------------------------------------------------------ verdicts


def _spoken(parsed: Parsed, predicate: Predicate, content: tuple[int, int], actor: Actor | None) -> list[Verdict]:
    if actor is None:
        return [Verdict(parsed.sentence, predicate, None, "said", "no subject", content)]
    if actor.kind is Kind.MEDIA or predicate.stance == "believed":
        return [Verdict(parsed.sentence, predicate, actor, "said", "no government", content)]
    if actor.kind is Kind.ANONYMOUS or (actor.officials and actor.rule == "spokesperson"):
        return [Verdict(parsed.sentence, predicate, actor, "said", "unnamed", content)]
    if actor.kind is Kind.THIRD:
        return [Verdict(parsed.sentence, predicate, actor, "said", "third party", content)]
    return [_weighed(parsed, predicate, one, content) for one in _group(parsed, actor)]


def _plain(parsed: Parsed, predicate: Predicate, *, owner: Actor | None, inside: bool) -> list[Verdict]:
    """A stance or a non-answer. Inside what somebody else says it counts only as a non-answer of that speaker."""
    actor, _ = subject(parsed, predicate)
    if actor is None and predicate.silent:
        actor = next((one for one in parsed.actors if predicate.start <= one.start < predicate.end), None)
    if predicate.stance in ("said", "believed"):
        return [Verdict(parsed.sentence, predicate, actor, "said", "part of what is said")]
    if inside:
        return _reported(parsed, predicate, owner, actor)
    if not predicate.silent and parsed.embedding(predicate.start) is not None:
        return [Verdict(parsed.sentence, predicate, actor, predicate.stance, "relative clause")]
    if actor is None:
        dropped = predicate.silent and parsed.pack.has("pro_drop") and not _unknown_subject(parsed, predicate)
        if dropped:
            return [Verdict(parsed.sentence, predicate, None, predicate.stance, certainty=Certainty.LIKELY)]
        return [Verdict(parsed.sentence, predicate, None, predicate.stance, "no subject")]
    if actor.kind is Kind.PRONOUN and not predicate.silent and not _begins(parsed, actor):
        return [Verdict(parsed.sentence, predicate, actor, predicate.stance, "relative clause")]
    if actor.kind is Kind.ANONYMOUS:
        return [Verdict(parsed.sentence, predicate, actor, predicate.stance, "unnamed")]
    if actor.kind in (Kind.THIRD, Kind.MEDIA):
        return [Verdict(parsed.sentence, predicate, actor, predicate.stance, "third party")]
    end = parsed.clause(predicate.start)[1]
    return [_weighed(parsed, predicate, one, (predicate.end, end)) for one in _group(parsed, actor)]


def _begins(parsed: Parsed, actor: Actor) -> bool:
    """A pronoun is a speaker at the head of its clause, not in "the people it expels"."""
    start = parsed.clause(actor.start)[0]
    before = parsed.sentence.words[actor.start - 1] if actor.start else ","
    return actor.start <= start + 1 or before in (",", '"', "-") or bool(parsed.pack.lists["and"].accepts(before))


def _unknown_subject(parsed: Parsed, predicate: Predicate) -> bool:
    """Whether a name nobody knows stands where the subject would: then it is not dropped."""
    start, end = parsed.clause(predicate.start)
    tokens = parsed.sentence.tokens
    near = [at for at in (*range(start + 1, predicate.start), *range(predicate.end, min(predicate.end + 2, end)))]
    known = {at for actor in parsed.actors for at in range(actor.start, actor.end)}
    return any(tokens[at].capital and at not in known for at in near)


def _reported(parsed: Parsed, predicate: Predicate, owner: Actor | None, actor: Actor | None) -> list[Verdict]:
    if owner is None or owner.kind is Kind.MEDIA:
        if owner is not None and actor is not None and actor.kind is Kind.GOVERNMENT:
            end = parsed.clause(predicate.start)[1]
            return [_weighed(parsed, predicate, one, (predicate.end, end)) for one in _group(parsed, actor)]
        return [Verdict(parsed.sentence, predicate, owner, predicate.stance, "told by nobody known")]
    if owner.kind not in (Kind.GOVERNMENT, Kind.PRONOUN) or not predicate.silent:
        return [Verdict(parsed.sentence, predicate, owner, predicate.stance, "part of what is said")]
    if actor is not None and actor.kind is Kind.THIRD:
        return [Verdict(parsed.sentence, predicate, actor, predicate.stance, "third party")]
    if actor is not None and actor.government and owner.government and actor.government != owner.government:
        return [Verdict(parsed.sentence, predicate, actor, predicate.stance, "told by another")]
    return [_weighed(parsed, predicate, one, (predicate.end, predicate.end)) for one in _group(parsed, owner)]


def _weighed(parsed: Parsed, predicate: Predicate, actor: Actor, content: tuple[int, int]) -> Verdict:
    """Apply the guards, then let the complement choose the stance."""
    clause = parsed.clause(predicate.start)
    reason = None
    if predicate.row.id != ACCORDING:
        reason = guards.mood(parsed.sentence, predicate, clause, parsed.hits, parsed.pack)
    if reason == "infinitive" and parsed.sentence.headline and _headline_future(parsed, predicate, actor):
        reason = None
    if reason is None and guards.negated(parsed.sentence, predicate, clause, parsed.pack):
        reason = "negated"
    if reason is None and actor.metonym and _future(parsed, predicate):
        reason = "future"
    if reason is None and predicate.stance == "commented" and _retold(parsed, actor):
        reason = "a reporter's claim"
    if reason is None and guards.passive(parsed.sentence, predicate, parsed.pack):
        reason = "passive"
    span = _own_words(parsed, predicate, actor, content, clause)
    when, said = guards.background(parsed.sentence, predicate, span, parsed.hits, parsed.pack, parsed.day)
    if when == "old":
        reason = reason or "background"
    stance = predicate.stance
    if not predicate.silent:
        source, span_said = _said(parsed, predicate, content)
        read = complement.read(source.sentence, source.hits, *span_said, parsed.pack)
        stance = complement.classify(
            read, source.sentence, source.predicates, source.actors, actor.government, predicate.stance
        )
    certainty = Certainty.LIKELY if parsed.sentence.headline or actor.kind is Kind.PRONOUN else Certainty.SURE
    return Verdict(parsed.sentence, predicate, actor, stance, reason, content, when is not None, said, certainty,
                   about=_about(parsed, content))  # fmt: skip


def _future(parsed: Parsed, predicate: Predicate) -> bool:
    """What a country "will" do without anybody saying so is the reporter's word; a headline's word is not."""
    if parsed.sentence.headline or predicate.silent or predicate.stance == "said":
        return False
    words = parsed.sentence.words[max(0, predicate.start - 2) : predicate.end]
    return any(parsed.pack.lists["future"].accepts(word) for word in words)


def _retold(parsed: Parsed, speaker: Actor) -> bool:
    """Whether an outlet's words tell of one government's demand: "urged Serbia to agree, according to Bloomberg"."""
    media = any(actor.kind is Kind.MEDIA for actor in parsed.actors)
    credited = any(actor.kind is Kind.MEDIA and actor.case is Case.BY for actor in parsed.actors)
    others = any(actor.government and actor.government != speaker.government for actor in parsed.actors)
    return credited or (others and (parsed.sentence.headline or (media and speaker.body == "government")))


def _headline_future(parsed: Parsed, predicate: Predicate, actor: Actor) -> bool:
    """Whether an infinitive right after the subject is a headline's future: "Kosovo to take in migrants"."""
    return actor.end == predicate.start and bool(parsed.pack.lists["to"].accepts(parsed.sentence.words[actor.end]))


def _said(parsed: Parsed, predicate: Predicate, content: tuple[int, int]) -> tuple[Parsed, tuple[int, int]]:
    """Where the words that are said stand: "That is what the premier said" points to the sentence before."""
    first = parsed.sentence.words[0]
    if parsed.before is None or predicate.stance != "said" or not parsed.pack.lists["demonstrative"].accepts(first):
        return parsed, content
    return parsed.before, (0, len(parsed.before.sentence.words))


def _own_words(
    parsed: Parsed, predicate: Predicate, actor: Actor, content: tuple[int, int], clause: tuple[int, int]
) -> tuple[int, int]:
    """The tokens whose time words speak of the predicate itself, the complement left out."""
    start, end = clause
    if predicate.stance != "said" and not _has_that(parsed, predicate.end, min(predicate.end + 4, end)):
        return start, min(end, predicate.end + _TAIL)
    if content[0] >= predicate.end:
        that = next((at for at in range(content[0], min(content[0] + _INVERTED, end))
                     if parsed.pack.lists["that"].accepts(parsed.sentence.words[at])), content[0])  # fmt: skip
        return start, max(that, predicate.end)
    return content[1], len(parsed.sentence.words)


def _about(parsed: Parsed, content: tuple[int, int]) -> str | None:
    """The government that is the subject of what is said: a body without a country speaks for it."""
    for at in range(content[0], content[1]):
        token = parsed.sentence.tokens[at]
        if not token.capital and parsed.pack.lists["own"].accepts(token.word):
            return None
    for actor in parsed.actors:
        if content[0] <= actor.start < content[1] and actor.case is Case.SUBJECT and actor.government:
            return actor.government
    return None


def _group(parsed: Parsed, actor: Actor) -> list[Actor]:
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
    same = [one for one in parsed.actors if one.start == actor.start and one is not actor and one not in group]
    return sorted([*group, *same], key=lambda one: one.start)


def _joined(parsed: Parsed, between: Sequence[str]) -> bool:
    joins = [word for word in between if word == "," or parsed.pack.lists["and"].accepts(word)]
    rest = [
        word for word in between
        if word != "," and not parsed.pack.lists["and"].accepts(word) and not parsed.pack.lists["det"].accepts(word)
        and not parsed.pack.lists["in"].accepts(word) and not parsed.pack.lists["from"].accepts(word)
    ]  # fmt: skip
    return bool(joins) and not rest and len(between) <= 5


def _differs(one: Actor, other: Actor) -> bool:
    if other.kind is Kind.PRONOUN or (other.case is Case.OBLIQUE) != (one.case is Case.OBLIQUE):
        return True
    return one.case is Case.SUBJECT and other.case is Case.FROM


def _headline(parsed: Parsed, covered: list[tuple[tuple[int, int], Actor | None]]) -> list[Verdict]:
    """ "Foreign Ministry to Vijesti: nobody asked us": who stands before the colon says what follows it."""
    words = parsed.sentence.words
    if not parsed.sentence.headline or ":" not in words[1:_COLON]:
        return []
    colon = words.index(":", 1)
    if any(predicate.start < colon for predicate in parsed.predicates):
        return []
    speakers = [actor for actor in parsed.actors if actor.end <= colon and actor.case is Case.SUBJECT]
    content = (colon + 1, len(words))
    speaker = speakers[0] if speakers and speakers[0].start <= 1 else None
    covered.append((content, speaker))
    if speaker is None or speaker.kind is not Kind.GOVERNMENT or not _addresses(parsed, speaker, colon):
        return []
    made = Predicate(colon, colon + 1, Row("headline-colon", "said"), "said")
    verdict = _weighed(parsed, made, speaker, content)
    return [] if verdict.stance == "commented" and speaker.metonym else [verdict]


def _addresses(parsed: Parsed, speaker: Actor, colon: int) -> bool:
    """Whether only the outlet it spoke to stands between the speaker and the colon."""
    media = {at for actor in parsed.actors if actor.kind is Kind.MEDIA for at in range(actor.start, actor.end)}
    lists = parsed.pack.lists
    return all(
        at in media or word == '"' or lists["prep"].accepts(word) or lists["told"].accepts(word)
        for at, word in enumerate(parsed.sentence.words[speaker.end : colon], speaker.end)
    )


def _according(parsed: Parsed) -> list[Verdict]:
    """ "according to an ICE spokeswoman": the rest of the sentence is what that body says."""
    out = []
    words = parsed.sentence.words
    for actor in parsed.actors:
        if actor.case is not Case.BY or actor.kind is not Kind.GOVERNMENT or actor.metonym or actor.officials:
            continue
        if parsed.sentence.tokens[actor.start].quoted or parsed.embedding(actor.start):
            continue
        leading = actor.start < len(words) // 3
        content = (actor.end, len(words)) if leading else (0, max(0, actor.start - 2))
        made = Predicate(actor.start - 1, actor.start, Row(ACCORDING, "said"), "said")
        out.extend(_weighed(parsed, made, one, content) for one in [actor])
    return out


__all__ = ["Parsed", "Verdict", "clauses_of", "field", "judge", "parse", "subject"]
