"""Why a predicate counts for nothing: its own mood, time and subject, never a word elsewhere in the sentence.

Each function answers a reason word or None. Called by `findings` for one predicate at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from monitor.detect.clauses import Sentence
from monitor.detect.forms import Found
from monitor.detect.lexicon import Pack
from monitor.detect.lexicon_rows import Tag
from monitor.detect.predicates import Predicate

_MODAL_REACH = 4
_DEMAND_REACH = 7
_UNREAL_REACH = 8
"""Words from a particle to the verb of its clause, and from the comma to the conditional of the main one."""
_OLD = timedelta(days=7)
_DAYS = range(1, 32)
_YEARS = range(1900, 2100)


def mood(
    sentence: Sentence, predicate: Predicate, clause: tuple[int, int], hits: Sequence[Found], pack: Pack
) -> str | None:
    """Conditional, expected, demanded or unknown: none of it happened."""
    words, at = sentence.words, predicate.start
    form = _form(words, predicate, clause[0], pack)
    if form is not None:
        return form
    before = [(hit, hit.payload.name) for hit in hits if isinstance(hit.payload, Tag) and clause[0] <= hit.start < at]
    for hit, name in before:
        if predicate.silent and _asks(words[hit.start], name, pack):
            continue
        if name == "condition" and not _comma_between(words, hit.end, at):
            return "conditional"
        told = predicate.silent or predicate.stance == "said"
        if name == "because" and not told and not _comma_between(words, hit.end, at):
            return "subordinate"
        if name == "whether" and not _comma_between(words, hit.end, at):
            return "unknown"
        if name == "unknown" and not predicate.silent:
            return "unknown"
        if name == "demand" and not predicate.silent and _asked_for(words, hit, at, pack):
            return "demanded"
        if name == "expected" and at - hit.end <= _MODAL_REACH and not predicate.silent:
            return "expected"
        near = at - hit.end < _MODAL_REACH and not _comma_between(words, hit.end, at)
        if name == "modal" and near and not predicate.silent:
            return "conditional"
    return _infinitive(sentence, predicate, pack)


def _form(words: Sequence[str], predicate: Predicate, start: int, pack: Pack) -> str | None:
    """What the form of the verb itself says, before any word around it is asked."""
    at = predicate.start
    if predicate.silent:
        return "reproach" if at and _reproached(words, at, pack) else None
    if pack.lists["to"].accepts(words[at]):
        return "infinitive"
    return "conditional" if _counterfactual(words, start, at, pack) else None


def _reproached(words: Sequence[str], at: int, pack: Pack) -> bool:
    """ "accuse the government of staying silent", "zamerio je vladi što ćuti": somebody's reproach, no report."""
    if pack.lists["reproach"].accepts(words[at - 1]):
        return True
    return _participle(words[at], pack) and bool(pack.lists["of"].accepts(words[at - 1]))


def _counterfactual(words: Sequence[str], start: int, at: int, pack: Pack) -> bool:
    """ "Da je vlada pristala, avion bi sleteo", or the other way round: a clause that the conditional makes unreal.

    The same particle opens a clause of what is said, so only the conditional of the main clause tells them apart.
    """
    unreal, would = pack.lists["irrealis"], pack.lists["would"]
    particle = next(
        (n for n in range(at - 1, max(start, at - _UNREAL_REACH) - 1, -1) if unreal.accepts(words[n])), None
    )
    if particle is None or _comma_between(words, particle, at):
        return False
    first = particle <= start or words[particle - 1] in ('"', "-")
    if not first:
        last = next((n for n in range(particle - 1, -1, -1) if words[n] == ","), -1)
        return any(would.accepts(word) for word in words[last + 1 : particle])
    comma = next((n for n in range(at, len(words)) if words[n] == ","), len(words))
    return any(would.accepts(word) for word in words[comma : comma + _UNREAL_REACH])


def _asks(word: str, name: str, pack: Pack) -> bool:
    """The "whether" of a question: "asked whether talks were held, the minister did not say"."""
    return name in ("condition", "whether") and bool(pack.lists["whether"].accepts(word))


def _participle(word: str, pack: Pack) -> bool:
    """Whether a word has the ending of a participle, as the language's settings give it."""
    return word.endswith(pack.endings("participle"))


def _asked_for(words: Sequence[str], demand: Found, end: int, pack: Pack) -> bool:
    """ "pozvao je ministarstvo da kaže": what stands behind the particle of a demand is wished for, not done.

    Languages without an infinitive say so with a finite verb; its subject may stand between particle and verb.
    Where there is no particle the that-clause has the subjunctive: "exige que le gouvernement publie".
    """
    to = pack.lists["to"] if pack.lists["to"].exact else pack.lists["that"]
    particle = next((at for at in range(end - 1, demand.start - 1, -1) if to.accepts(words[at])), None)
    return particle is not None and end - particle <= _DEMAND_REACH and not _comma_between(words, demand.end, end)


def _infinitive(sentence: Sentence, predicate: Predicate, pack: Pack) -> str | None:
    """ "to refuse", "da prihvati": no finite verb of its own. Headlines use the infinitive as a future."""
    at = predicate.start
    word = sentence.words[at]
    if predicate.end - at == 1 and not predicate.silent and word.endswith(pack.endings("infinitive")):
        return "infinitive"
    subjunctive = pack.lists["to"].exact - pack.lists["that"].exact  # "да ја затвори": never a clause of its own
    while at > 1 and subjunctive and pack.has("pro_drop") and pack.lists["perfect"].accepts(sentence.words[at - 1]):
        at -= 1
    if at and not predicate.silent and pack.lists["to"].accepts(sentence.words[at - 1]):
        return (
            None if predicate.stance == "said" and pack.lists["that"].accepts(sentence.words[at - 1]) else "infinitive"
        )
    return None


def _comma_between(words: Sequence[str], start: int, end: int) -> bool:
    return "," in words[start:end]


def negated(sentence: Sentence, predicate: Predicate, clause: tuple[int, int], pack: Pack) -> bool:
    """ "has not confirmed": the verb of stance or speech itself is negated."""
    if predicate.silent or pack.has("negation_inside"):
        return False
    words, neg = sentence.words, pack.lists["neg"]
    for at in range(predicate.start - 1, max(clause[0], predicate.start - 4) - 1, -1):
        if words[at] in (",", '"', ":", ";", "-"):
            break
        if neg.accepts(words[at]):
            return True
    if pack.has("negation_after"):
        after = words[predicate.end : min(predicate.end + 3, clause[1])]
        return bool(after) and any(neg.accepts(word) for word in after[: after.index(",") if "," in after else None])
    return False


def passive(sentence: Sentence, predicate: Predicate, pack: Pack, named: int = 0) -> bool:
    """ "was rejected": whoever stands before it is not the doer. `named` is where the name before it ends."""
    if predicate.silent:
        return False
    before = sentence.words[max(0, named, predicate.start - 2) : predicate.start]
    return any(pack.lists["passive"].accepts(word) for word in before)


def background(
    sentence: Sentence,
    predicate: Predicate,
    span: tuple[int, int],
    hits: Sequence[Found],
    pack: Pack,
    day: date | None,
) -> tuple[str | None, date | None]:
    """Told as earlier: answers "old" or "recent" (within seven days), and the date if the text names one.

    `span` are the tokens that belong to the predicate itself, its complement left out.
    """
    recent = False
    for hit in hits:
        if isinstance(hit.payload, Tag) and span[0] <= hit.start < span[1]:
            name = hit.payload.name
            if name == "background":
                return "old", None
            recent = recent or name == "recent"
            if (
                name == "pluperfect"
                and 0 <= predicate.start - hit.end <= _MODAL_REACH
                and _finite(sentence, hit, predicate)
            ):
                return "recent" if recent else "old", None
    said = said_at(sentence, span, pack, day)
    if said is None:
        return ("recent" if recent else None), None
    when, vague = said
    if day is None:
        return ("old" if vague else None), None
    if vague:
        return "old", None
    return ("old" if day - when > _OLD else None), when


def _finite(sentence: Sentence, hit: Found, predicate: Predicate) -> bool:
    """The auxiliary belongs to the predicate: nothing but short words between."""
    return "," not in sentence.words[hit.end : predicate.start]


def said_at(sentence: Sentence, span: tuple[int, int], pack: Pack, day: date | None) -> tuple[date, bool] | None:
    """The date named in a stretch of words; True when it is a bare month or year other than the entry's own."""
    words = sentence.words
    for at in range(span[0], span[1]):
        named = pack.has("month_lower") and at > 0 and sentence.tokens[at].capital and not sentence.shouting
        month = None if named else _month(words[at], pack)  # "Marta" is a woman, "marta" a month
        if month is not None and any(pack.lists["term"].accepts(word) for word in words[max(0, at - 3) : at]):
            continue  # "from January", "until 1 March": when a measure begins or ends, not when it was taken
        if month is not None:
            numbers = _numbers(words, at, span)
            number = next((n for n in numbers if n in _DAYS), None)
            year = next((n for n in numbers if n in _YEARS), day.year if day else None)
            if number is not None:
                made = _date(year or 2000, month, number)
                return None if made is None else (made, False)
            if day is None or month != day.month or year != day.year:
                return date(year or 2000, month, 1), True
        elif _other_year(words, at, pack, day):
            return date(int(words[at]), 1, 1), True
    return None


def _other_year(words: Sequence[str], at: int, pack: Pack, day: date | None) -> bool:
    """Whether a word is a bare year other than the entry's own."""
    word = words[at]
    if not (word.isdigit() and len(word) == 4 and int(word) in _YEARS):
        return False
    return not _near_month(words, at, pack) and (day is None or int(word) != day.year)


def _month(word: str, pack: Pack) -> int | None:
    if word in pack.months:
        return pack.months[word]
    if not word.startswith(pack.month_stems):
        return None
    for form, number in pack.months.items():
        if form.endswith("*") and word.startswith(form[:-1]) and len(word) - len(form) <= 3:
            return number
    return None


def _near_month(words: Sequence[str], at: int, pack: Pack) -> bool:
    return any(_month(word, pack) for word in words[max(0, at - 4) : at])


def _numbers(words: Sequence[str], at: int, span: tuple[int, int]) -> list[int]:
    near = [*words[max(span[0], at - 3) : at], *words[at + 1 : min(at + 4, span[1])]]
    return [int(word) for word in near if word.isdigit() and len(word) <= 4]


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
