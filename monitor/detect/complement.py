"""Read what is said, not the verb that says it: the complement decides between denied, refused, agreed and the rest.

Input is a stretch of words and the lexicon's hits in it; the answer is a stance. Called by `findings`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.detect.actors import Actor, Kind
from monitor.detect.clauses import Sentence
from monitor.detect.forms import Found
from monitor.detect.lexicon import Pack
from monitor.detect.lexicon_rows import Tag
from monitor.detect.predicates import Predicate

_NEAR = 5
_FAR = 99
_BEFORE = 3
"""Words between a negation and what it negates."""
_VERBS = ("c_accept", "c_agreed", "c_will", "c_plan", "c_act", "modal")
_VERB_FIRST = ("denied", "refused", "agreed", "condemned")


@dataclass(frozen=True, slots=True)
class Content:
    """What a stretch of words holds: positions of each tag, and of negations.

    `unwilling`: a negation is a will ("neće", "will not"), not a fact ("nije", "did not"). `will_not`: such a will
    begins what is said or follows its own subject ("he would not", "Oslo will never"), or a formula of refusal stands
    there. `turns` are words that begin a clause of its own ("did not know when they arrived"). `ends_in_no`: a last
    word that negates is a denial by itself, as it is where negation is a word of its own.
    """

    start: int
    end: int
    tags: dict[str, list[int]]
    negations: list[int]
    breaks: list[int]
    ends_in_no: bool = True
    unwilling: bool = False
    will_not: bool = False
    turns: tuple[int, ...] = ()

    @property
    def measured(self) -> bool:
        """Whether a will has a measure for its verb: "will send", "checks would be extended"."""
        wills, acts = self.tags.get("c_will", ()), self.tags.get("c_act", ())
        return any(0 <= act - will <= _NEAR and self.bound(will, act) for will in wills for act in acts)

    def has(self, *names: str) -> bool:
        """Whether any of the tags occurs."""
        return any(name in self.tags for name in names)

    def negated(self, *names: str) -> bool:
        """Whether a negation stands near one of the tags, before or after it."""
        return self.distance(*names) <= _NEAR

    def distance(self, *names: str) -> int:
        """Words between one of the tags and the nearest negation."""
        places = [at for name in names for at in self.tags.get(name, ())] if self.negations else []
        if not places:
            return _FAR
        return min((abs(at - no) for no in self.negations for at in places if self.bound(no, at)), default=_FAR)

    def did_not(self, *names: str) -> bool:
        """Whether a negation that is no will stands beside a deed or fact: "no shots had been fired"."""
        places = [at for name in names for at in self.tags.get(name, ())]
        near = ((no, at) for no in self.negations for at in places if -1 <= at - no <= _NEAR)
        return not self.unwilling and any(
            self.bound(no, at) and not any(no < turn < at for turn in self.turns) for no, at in near
        )

    def untouched(self, at: int) -> bool:
        """Whether no negation stands near a tag but the one it begins with: "not true"."""
        return not any(no != at and abs(no - at) <= _NEAR and self.bound(no, at) for no in self.negations)

    def bound(self, one: int, other: int) -> bool:
        """Whether two words stand in one phrase: no comma, semicolon or colon between them."""
        return not any(min(one, other) < at < max(one, other) for at in self.breaks)


def read(sentence: Sentence, hits: Sequence[Found], start: int, end: int, pack: Pack) -> Content:
    """Collect what the classifier looks at in `tokens[start:end]`."""
    tags: dict[str, list[int]] = {}
    negations: list[int] = []
    shifted: list[int] = []
    breaks = [at for at in range(start, end) if sentence.words[at] in (",", ";", ":", ".")]
    for hit in hits:
        if start <= hit.start and hit.end <= end:
            payload = hit.payload
            if isinstance(payload, Tag):
                if payload.name == "neg":
                    negations.append(hit.start)
                elif payload.name == "modal" and pack.lists["backshift"].accepts(sentence.words[hit.start]):
                    shifted.append(hit.start)
                elif payload.name.startswith("c_") or payload.name in ("modal", "condition"):
                    tags.setdefault(payload.name, []).append(hit.start)
    if shifted and "condition" in tags:  # without a condition "said it would" is a plain future, told in the past
        tags["modal"] = sorted([*tags.get("modal", ()), *shifted])
    will = pack.lists["unwilling"]
    unwilling = any(will.accepts(word) for at in negations for word in sentence.words[max(0, at - 1) : at + 1])
    will_not = any(_own_will(sentence, start, at, tags, pack) for at in tags.get("c_unwilling", ()))
    turning = [pack.lists[name] for name in ("whether", "relative", "because")]
    turns = tuple(at for at in range(start, end) if any(words.accepts(sentence.words[at]) for words in turning))
    return Content(
        start, end, tags, negations, breaks, not pack.has("negation_inside"), unwilling,
        will_not or "c_refusal" in tags, turns,
    )  # fmt: skip


def _own_will(sentence: Sentence, start: int, at: int, tags: dict[str, list[int]], pack: Pack) -> bool:
    """Whether a negated will is somebody's decision: it has a verb of doing, and its subject can decide.

    The subject is left out, a pronoun, "the country" or a name; of a thing ("the ruling will not") nothing is decided.
    """
    if any(0 < stative - at <= _BEFORE + 1 for stative in tags.get("c_stative", ())):
        return False
    before = at - 1
    while before > start and pack.lists["adverb"].accepts(sentence.words[before]):
        before -= 1
    if before < start:
        return True
    word = sentence.words[before]
    deciding = any(pack.lists[name].accepts(word) for name in ("pronoun", "that", "there", "own", "country", "and"))
    return deciding or word in ('"', ":") or sentence.tokens[before].capital


def classify(
    content: Content,
    sentence: Sentence,
    predicates: Sequence[Predicate],
    actors: Sequence[Actor],
    speaker: str | None,
    verb: str,
) -> str:
    """The stance of a speaker whose verb has the stance `verb` and whose words lie in `content`.

    `speaker` is the speaker's government; what another government does in the complement is only comment.
    """
    own = _own(content, predicates, actors, speaker)
    said = _by_content(content, sentence, own=own)
    if verb == "said":
        return _inner(content, sentence, predicates, actors, own=own) or said or "commented"
    if verb == "confirmed":
        inner = _inner(content, sentence, predicates, actors, own=own)
        return "agreed" if own and (said == "agreed" or inner == "agreed") else "confirmed"
    if verb == "announced_action":
        inner = _inner(content, sentence, predicates, actors, own=own)
        told = next((one for one in (inner, said) if one in ("agreed", "refused")), None)
        told = "denied" if told is None and said == "denied" else told
        return told if own and told else verb
    return verb


def _own(content: Content, predicates: Sequence[Predicate], actors: Sequence[Actor], speaker: str | None) -> bool:
    """Whether the complement is about the speaker's own side: its first subject is, or there is none."""
    for actor in actors:
        if content.start <= actor.start < content.end and actor.case == "subject" and actor.kind is not Kind.MEDIA:
            if actor.kind is Kind.GOVERNMENT and actor.government:
                return speaker is None or actor.government == speaker
            return actor.kind is not Kind.THIRD or _follows_verb(content, predicates, actor)
    return True


def _follows_verb(content: Content, predicates: Sequence[Predicate], actor: Actor) -> bool:
    """Whether somebody stands behind a verb of the complement, as its object: "would not accept the migrants"."""
    verbs = [at for name in _VERBS for at in content.tags.get(name, ())]
    verbs += [predicate.start for predicate in predicates if content.start <= predicate.start < content.end]
    return any(at < actor.start for at in verbs)


def _by_content(content: Content, sentence: Sentence, *, own: bool) -> str | None:
    """First hit wins: denial, refusal, openness, acceptance, fact, measure, blame."""
    if any(at in content.negations for at in content.tags.get("c_blame", ())):
        return "condemned"  # "is not honouring the agreement": the negation is the blame
    if _denies(content, sentence):
        return "denied"
    if own and (content.negated("c_accept", "c_plan") or (content.unwilling and content.negated("c_receipt"))):
        return "refused"
    if own and content.will_not:
        return "refused"
    if content.did_not("c_fact", "c_deed"):
        return "denied"
    if own and content.has("c_plan") and not content.has("modal"):
        return "announced_action"
    if content.has("c_blame") and not own:
        return "condemned"
    if content.has("c_open"):
        return "commented"
    if own and content.has("c_agreed") and not content.has("modal"):
        return "agreed"
    measure = own and content.measured
    fact = content.has("c_fact") and not content.negated("c_fact")
    if fact and not (measure and min(content.tags["c_will"]) < min(content.tags["c_fact"])):
        return "confirmed"
    if content.has("c_blame"):
        return "condemned"
    return "announced_action" if measure else None


def _denies(content: Content, sentence: Sentence) -> bool:
    if any(content.untouched(at) for at in content.tags.get("c_false", ())):
        return True
    if content.negated("c_receipt") and not _wills(content):
        return True
    last = content.end - 1
    while last > content.start and sentence.words[last] in (".", '"', ",", "!"):
        last -= 1
    # "said they had not", "said there were none"
    return content.ends_in_no and last in content.negations and content.end - content.start < _NEAR + 4


def _wills(content: Content) -> bool:
    """A negated will near the noun: "will not accept the request" refuses, it does not deny."""
    near = content.distance("c_receipt")
    if content.unwilling:
        return True
    return content.distance("c_accept") < near or (content.distance("c_will") <= near and content.has("c_accept"))


def _acts(content: Content, predicate: Predicate, actors: Sequence[Actor]) -> bool:
    """Whether a government is named as the doer before the verb."""
    return any(
        actor.government and actor.case == "subject" and content.start <= actor.start < predicate.start <= actor.end + 2
        for actor in actors
    )


def _inner(
    content: Content, sentence: Sentence, predicates: Sequence[Predicate], actors: Sequence[Actor], *, own: bool
) -> str | None:
    """The stance of the first verb inside the complement, when it is the speaker's own side that acts."""
    if not own:
        return None
    for predicate in predicates:
        if content.start <= predicate.start < content.end and predicate.stance != "said":
            conditional = any(
                at < predicate.start and content.bound(at, predicate.start) for at in content.tags.get("condition", ())
            )
            if conditional or sentence.words[predicate.start] == "to":
                continue
            near = any(0 <= predicate.start - no <= _BEFORE for no in content.negations)
            asked = any(0 <= predicate.start - at <= _BEFORE for at in content.tags.get("modal", ()))
            inside = any(predicate.start <= no < predicate.end for no in content.negations)
            unrejected = predicate.stance == "commented" and inside  # "did not reject", "no descarta"
            if unrejected:
                return "commented"
            if predicate.stance in _VERB_FIRST and not near and not asked:
                return predicate.stance
            if predicate.stance == "announced_action" and not near and not asked and _acts(content, predicate, actors):
                return predicate.stance
    return None
