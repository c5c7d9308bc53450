"""Judge one sentence: what each speaker says, and why a predicate counts for nothing.

The answer is a list of verdicts, rejected ones with their reason, so that `explain` and `resolve` see the same.
Countries that the sentence does not tell stay open; `resolve` fills them in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from monitor.detect import complement, ellipsis, guards, opinions, speakers
from monitor.detect.actors import Actor, Case, Kind
from monitor.detect.clauses import Sentence
from monitor.detect.lexicon_rows import Row
from monitor.detect.predicates import Predicate
from monitor.detect.reading import Parsed
from monitor.detect.speakers import INVERTED, TAIL
from monitor.values import Certainty

ACCORDING = "according-to"
COLON = "headline-colon"
_ATTRIBUTING = ("confirmed", "announced_action")
"""Stances whose verb may close a sentence as "said" does: "Kosovo accepted the request, confirmed the spokesman"."""
_COLON = 12
"""Words before the colon of a headline that may name its speaker."""


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
    about: str | None = None


def judge(parsed: Parsed) -> tuple[Verdict, ...]:
    """All verdicts of a sentence, in order of their predicates."""
    verdicts: list[Verdict] = []
    owners = _attributions(parsed)
    covered = [(content, actor) for predicate, content, actor in owners if not _in_passing(parsed, predicate, actor)]
    covered.extend(opinions.find(parsed))
    verdicts.extend(_headline(parsed, covered))
    attributed = {predicate.start: (content, actor) for predicate, content, actor in owners}
    for predicate in parsed.predicates:
        if predicate.start in attributed:
            content, actor = attributed[predicate.start]
            verdicts.extend(_spoken(parsed, predicate, content, actor))
            if not _in_passing(parsed, predicate, actor) and (actor is None or actor.kind is not Kind.MEDIA):
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
    return tuple(_without_frames(parsed, verdicts))


def _in_passing(parsed: Parsed, predicate: Predicate, actor: Actor | None) -> bool:
    """ "protested against, as he said, interference": a hedge between commas reports nothing but its own phrase."""
    words, lists = parsed.sentence.words, parsed.pack.lists
    at = predicate.start - 1
    while at > 0 and lists["perfect"].accepts(words[at]):
        at -= 1
    hedged = at > 0 and words[at - 1] == "," and bool(lists["as"].accepts(words[at]))
    return actor is None and hedged and "," in words[predicate.end : predicate.end + 2]


def _that_clause(parsed: Parsed, predicate: Predicate) -> tuple[int, int] | None:
    """The that-clause after a verb of stance: what it holds is told by the verb's subject."""
    if predicate.silent:
        return None
    end = parsed.clause(predicate.start)[1]
    for at in range(predicate.end, min(predicate.end + INVERTED, end)):
        word = parsed.sentence.words[at]
        if parsed.pack.lists["that"].accepts(word) and not parsed.pack.lists["to"].accepts(word):
            return at + 1, end
        if parsed.pack.lists["that"].accepts(word) and at - predicate.end <= 4:
            return at + 1, end
        if word in (",", ";") and not _opens_that(parsed, at + 1):
            return None
    return None


def _opens_that(parsed: Parsed, at: int) -> bool:
    """Whether a that-clause begins here: German and the Slavic languages write a comma before it."""
    words = parsed.sentence.words
    return at < len(words) and bool(parsed.pack.lists["that"].accepts(words[at]))


def _only(parsed: Parsed, start: int, end: int) -> bool:
    """Whether nothing else is said before the non-answer: a few words, none of them joining two verbs."""
    words = parsed.sentence.words[start + 1 : end]
    return end - start <= INVERTED and not any(parsed.pack.lists["and"].accepts(word) for word in words)


def _without_frames(parsed: Parsed, verdicts: list[Verdict]) -> list[Verdict]:
    """ "said it would not comment" is one non-answer: the verb of speech around it says nothing more."""
    silent = [one for one in verdicts if one.predicate.silent and one.reason is None]
    out = []
    for verdict in verdicts:
        start, end = verdict.content
        framed = verdict.predicate.stance == "said" and verdict.reason is None and any(
            start <= one.predicate.start < end and one.actor == verdict.actor
            and (_only(parsed, start, one.predicate.start) or end <= verdict.predicate.start) for one in silent
        )  # fmt: skip
        out.append(replace(verdict, reason="frames a non-answer") if framed else verdict)
    return out


def _attributions(parsed: Parsed) -> list[tuple[Predicate, tuple[int, int], Actor | None]]:
    """Every verb of speech with its subject and the words it reports."""
    out: list[tuple[Predicate, tuple[int, int], Actor | None]] = []
    barrier: list[tuple[int, int]] = []
    for predicate in parsed.predicates:
        if predicate.stance not in ("said", "believed", *_ATTRIBUTING):
            continue
        if any(start <= predicate.start < end for start, end in barrier):
            continue
        if parsed.embedding(predicate.start) is not None:
            continue
        actor, inverted = speakers.subject(parsed, predicate)
        content = speakers.content_of(parsed, predicate, actor, inverted=inverted)
        if predicate.stance in _ATTRIBUTING and not (actor is not None and content[1] <= predicate.start):
            continue
        out.append((predicate, content, actor))
        if content[0] >= predicate.end:
            barrier.append(content)
    return out


def _spoken(parsed: Parsed, predicate: Predicate, content: tuple[int, int], actor: Actor | None) -> list[Verdict]:
    if actor is None:
        return [Verdict(parsed.sentence, predicate, None, "said", "no subject", content)]
    if actor.kind is Kind.MEDIA or predicate.stance == "believed":
        return [Verdict(parsed.sentence, predicate, actor, "said", "no government", content)]
    if actor.kind is Kind.ANONYMOUS or (actor.officials and actor.rule == "spokesperson"):
        return [Verdict(parsed.sentence, predicate, actor, "said", "unnamed", content)]
    if actor.kind is Kind.THIRD:
        return [Verdict(parsed.sentence, predicate, actor, "said", "third party", content)]
    return [_weighed(parsed, predicate, one, content) for one in speakers.group(parsed, actor)]


def _plain(parsed: Parsed, predicate: Predicate, *, owner: Actor | None, inside: bool) -> list[Verdict]:
    """A stance or a non-answer. Inside what somebody else says it counts only as a non-answer of that speaker."""
    actor, _ = speakers.subject(parsed, predicate)
    if actor is None and predicate.silent:
        actor = next((one for one in parsed.actors if predicate.start <= one.start < predicate.end), None)
    if predicate.stance in ("said", "believed"):
        return [Verdict(parsed.sentence, predicate, actor, "said", "part of what is said")]
    if inside:
        return _reported(parsed, predicate, owner, actor)
    if not predicate.silent and _unanswered(parsed, predicate):
        return [Verdict(parsed.sentence, predicate, actor, predicate.stance, "part of a non-answer")]
    if not predicate.silent and parsed.embedding(predicate.start) is not None:
        return [Verdict(parsed.sentence, predicate, actor, predicate.stance, "relative clause")]
    if actor is None:
        dropped = predicate.silent and parsed.pack.has("pro_drop") and not speakers.unknown_subject(parsed, predicate)
        if dropped:
            return [Verdict(parsed.sentence, predicate, None, predicate.stance, certainty=Certainty.LIKELY)]
        return [Verdict(parsed.sentence, predicate, None, predicate.stance, "no subject")]
    if actor.kind is Kind.PRONOUN and not predicate.silent and not speakers.begins(parsed, actor):
        return [Verdict(parsed.sentence, predicate, actor, predicate.stance, "relative clause")]
    if actor.kind is Kind.ANONYMOUS:
        return [Verdict(parsed.sentence, predicate, actor, predicate.stance, "unnamed")]
    if actor.kind in (Kind.THIRD, Kind.MEDIA):
        return [Verdict(parsed.sentence, predicate, actor, predicate.stance, "third party")]
    end = parsed.clause(predicate.start)[1]
    return [_weighed(parsed, predicate, one, (predicate.end, end)) for one in speakers.group(parsed, actor)]


def _unanswered(parsed: Parsed, predicate: Predicate) -> bool:
    """Whether it only names what was not answered: "nije komentarisao navode o obustavi pregovora"."""
    joins = parsed.pack.lists["and"]
    for silent in parsed.predicates:
        between = parsed.sentence.words[silent.end : predicate.start]
        near = silent.silent and silent.end <= predicate.start and silent.start >= parsed.clause(predicate.start)[0]
        if near and not any(word in (",", ";", '"', "-", ":") or joins.accepts(word) for word in between):
            return True
    return False


def _reported(parsed: Parsed, predicate: Predicate, owner: Actor | None, actor: Actor | None) -> list[Verdict]:
    if owner is None or owner.kind is Kind.MEDIA:
        if owner is not None and actor is not None and actor.kind is Kind.GOVERNMENT:
            end = parsed.clause(predicate.start)[1]
            return [_weighed(parsed, predicate, one, (predicate.end, end)) for one in speakers.group(parsed, actor)]
        return [Verdict(parsed.sentence, predicate, owner, predicate.stance, "told by nobody known")]
    if owner.kind not in (Kind.GOVERNMENT, Kind.PRONOUN) or not predicate.silent:
        return [Verdict(parsed.sentence, predicate, owner, predicate.stance, "part of what is said")]
    if actor is not None and actor.kind is Kind.THIRD:
        return [Verdict(parsed.sentence, predicate, actor, predicate.stance, "third party")]
    if actor is not None and actor.government and owner.government and actor.government != owner.government:
        return [Verdict(parsed.sentence, predicate, actor, predicate.stance, "told by another")]
    return [_weighed(parsed, predicate, one, (predicate.end, predicate.end)) for one in speakers.group(parsed, owner)]


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
    if reason is None and _anonymous(parsed, predicate, actor):
        reason = "unnamed"
    doer = speakers.agent(parsed, predicate)
    if (
        reason is None
        and doer is None
        and guards.passive(parsed.sentence, predicate, parsed.pack, _before(actor, predicate))
    ):
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
            read, source.sentence, _free(source), source.actors, actor.government, predicate.stance
        )
    certainty = Certainty.LIKELY if parsed.sentence.headline or actor.kind is Kind.PRONOUN else Certainty.SURE
    return Verdict(parsed.sentence, predicate, actor, stance, reason, content, when is not None, said, certainty,
                   about=None if predicate.stance == "condemned" else _about(parsed, content))  # fmt: skip


def _before(actor: Actor, predicate: Predicate) -> int:
    return actor.end if actor.end <= predicate.start else 0


def _anonymous(parsed: Parsed, predicate: Predicate, actor: Actor) -> bool:
    """Whether the speaker hides behind the body it speaks of: "a ministry adviser said on condition of anonymity"."""
    if predicate.silent or actor.metonym:
        return False
    start, end = min(actor.start, predicate.start), predicate.end + TAIL
    return any(parsed.embedding(hit.start) is None for hit in parsed.tags("anonymous", start, end))


def _future(parsed: Parsed, predicate: Predicate) -> bool:
    """What a country "will" do without anybody saying so is the reporter's word; a headline's word is not."""
    if parsed.sentence.headline or predicate.silent or predicate.stance == "said":
        return False
    words = parsed.sentence.words[max(0, predicate.start - 2) : predicate.start + 1]  # not the "to" of "agreed to"
    return any(parsed.pack.lists["future"].accepts(word) for word in words)


def _retold(parsed: Parsed, speaker: Actor) -> bool:
    """Whether an outlet's words tell of one government's demand: "urged Serbia to agree, according to Bloomberg"."""
    media = any(actor.kind is Kind.MEDIA for actor in parsed.actors)
    credited = any(actor.kind is Kind.MEDIA and actor.case is Case.BY for actor in parsed.actors)
    others = any(actor.government and actor.government != speaker.government for actor in parsed.actors)
    told = parsed.sentence.headline or speaker.metonym or (media and speaker.body == "government")
    return credited or (others and told)


def _headline_future(parsed: Parsed, predicate: Predicate, actor: Actor) -> bool:
    """Whether an infinitive right after the subject is a headline's future: "Kosovo to take in migrants"."""
    return actor.end == predicate.start and bool(parsed.pack.lists["to"].accepts(parsed.sentence.words[actor.end]))


def _free(parsed: Parsed) -> tuple[Predicate, ...]:
    """The predicates that stand in no relative clause."""
    return tuple(one for one in parsed.predicates if parsed.embedding(one.start) is None)


def _said(parsed: Parsed, predicate: Predicate, content: tuple[int, int]) -> tuple[Parsed, tuple[int, int]]:
    """Where the words that are said stand: "That is what the premier said" points to the sentence before.

    A first word that is the article of the speaker ("Das Ministerium erklärte, ...") points nowhere.
    """
    points = parsed.pack.lists["demonstrative"].accepts(parsed.sentence.words[0])
    is_article = any(actor.start <= 1 for actor in parsed.actors)
    if parsed.before is None or predicate.stance != "said" or not points or is_article:
        return parsed, (_after_that(parsed, predicate, content), content[1])
    return parsed.before, (0, len(parsed.before.sentence.words))


def _after_that(parsed: Parsed, predicate: Predicate, content: tuple[int, int]) -> int:
    """Where the that-clause begins: what stands before it is audience, place and day ("told reporters in Accra")."""
    words, lists = parsed.sentence.words, parsed.pack.lists
    if content[1] <= predicate.start:  # said before its verb: the whole of it is, "It is false that ..." too
        return content[0]
    if predicate.row.id == COLON:
        return content[0]
    told = predicate.stance == "said"  # behind a verb of speech the particle of an infinitive means "that"
    named = {at for one in parsed.actors if one.kind is Kind.MEDIA for at in range(one.start - 1, one.end + 1)}
    for at in range(content[0], min(content[0] + INVERTED, content[1])):
        if words[at] in ('"', ":") and at not in named:
            break
        if lists["that"].accepts(words[at]) and (told or not lists["to"].accepts(words[at])):
            return at + 1
    return content[0]


def _own_words(
    parsed: Parsed, predicate: Predicate, actor: Actor, content: tuple[int, int], clause: tuple[int, int]
) -> tuple[int, int]:
    """The tokens whose time words speak of the predicate itself, the complement left out."""
    start, end = clause
    if ellipsis.trails(parsed, predicate):  # the time of the main verb is its own
        start = predicate.start
    if predicate.silent:  # "did not reply to questions sent last week": the questions are old, not the silence
        asked = parsed.pack.lists["asked"]
        end = next((at for at in range(predicate.end, end) if asked.accepts(parsed.sentence.words[at])), end)
    if predicate.stance != "said" and not speakers.has_that(parsed, predicate.end, min(predicate.end + 4, end)):
        return start, min(end, predicate.end + TAIL)
    if content[0] >= predicate.end:
        that = next((at for at in range(content[0], min(content[0] + INVERTED, end))
                     if parsed.pack.lists["that"].accepts(parsed.sentence.words[at])), content[0])  # fmt: skip
        return start, max(that, predicate.end)
    return content[1], len(parsed.sentence.words)


def _about(parsed: Parsed, content: tuple[int, int]) -> str | None:
    """The government that is the subject of what is said: a body without a country speaks for it."""
    said = range(*content)
    about = next(
        (one for one in parsed.actors if one.start in said and one.case is Case.SUBJECT and one.government), None
    )
    if about is None:
        return None
    own = parsed.pack.lists["own"]
    tokens = parsed.sentence.tokens[content[0] : content[1]]
    return None if any(not token.capital and own.accepts(token.word) for token in tokens) else about.government


def _headline(parsed: Parsed, covered: list[tuple[tuple[int, int], Actor | None]]) -> list[Verdict]:
    """ "Foreign Ministry to Vijesti: nobody asked us": who stands before the colon says what follows it."""
    words = parsed.sentence.words
    unclosed = parsed.sentence.headline or words[-1] not in (".", "!", "?", '"')
    if not unclosed or ":" not in words[1:_COLON]:
        return []
    colon = words.index(":", 1)
    if any(predicate.start < colon for predicate in parsed.predicates):
        return []
    named = [actor for actor in parsed.actors if actor.end <= colon and actor.case is Case.SUBJECT]
    if _is_topic(parsed, colon):
        return []
    content = (colon + 1, len(words))
    speaker = named[0] if named and named[0].start <= 1 else None
    covered.append((content, speaker))
    if speaker is None or speaker.kind is not Kind.GOVERNMENT or not _addresses(parsed, speaker, colon):
        return []
    made = Predicate(colon, colon + 1, Row(COLON, "said"), "said")
    verdict = _weighed(parsed, made, speaker, content)
    return [] if verdict.stance == "commented" and speaker.metonym else [verdict]


def _is_topic(parsed: Parsed, colon: int) -> bool:
    """ "Fin du programme : le ministre proteste": nobody is named before the colon, and a government right behind it.

    Where capitals prove nothing, or every word has one, the words before may be the name of a speaker.
    """
    if parsed.sentence.shouting or any(
        actor.end <= colon and actor.kind is not Kind.GOVERNMENT for actor in parsed.actors
    ):
        return False
    if any(actor.end <= colon and actor.case is Case.SUBJECT for actor in parsed.actors):
        return False
    topic = any(not token.capital and token.word.isalpha() for token in parsed.sentence.tokens[1:colon])
    follows = (actor for actor in parsed.actors if actor.kind is Kind.GOVERNMENT and actor.case is Case.SUBJECT)
    return topic and any(0 < actor.start - colon <= 2 for actor in follows)


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
    out: list[Verdict] = []
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
