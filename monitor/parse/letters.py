"""How well text fits a language by its letters: decides between encodings that read the same bytes differently.

The tables hold the letters beyond ASCII of each language, roughly by share, and small words that tell languages of one
script apart. They are coarse on purpose: a body offers hundreds of letters. Called by `monitor.parse.charset` only.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

ENCODINGS: dict[str, tuple[str, ...]] = {
    "cp1252": ("en", "fr", "de", "es", "it", "pt", "nordic", "sq"),
    "cp1250": ("hbs", "sl", "cs", "sk", "pl", "hu", "ro", "sq", "de"),
    "iso8859-2": ("hbs", "sl", "cs", "sk", "pl", "hu", "ro", "sq", "de"),
    "cp1251": ("cyrillic", "serbian", "macedonian"),
    "koi8-r": ("cyrillic",),
    "iso8859-5": ("cyrillic", "serbian", "macedonian"),
    "cp1253": ("el",),
    "iso8859-7": ("el",),
    "cp1254": ("tr",),
}
"""Encodings that are tried, by their Python names, and the languages written in them. Order breaks ties."""


@dataclass(frozen=True, slots=True)
class _Language:
    common: frozenset[str]
    rare: frozenset[str]
    words: frozenset[str]


def _language(common: str, rare: str = "", words: str = "") -> _Language:
    return _Language(frozenset(common), frozenset(rare), frozenset(words.split()))


_LANGUAGES = {
    "hbs": _language("čćžšđ", "ČĆŽŠĐ", "i u je na se da za su od sa iz koji kao nije ili do ne će po vlada"),
    "sl": _language("čžš", "ČŽŠćđ", "in je na se da za so od iz ki kot ni ali do po pri bo tudi"),
    "cs": _language("áéíýčďěňřšťůúžó", "ÁÉÍÝČĎĚŇŘŠŤŮÚŽÓ", "a v je na se to za z do s o ve že pro podle který"),
    "sk": _language("áäčďéíľňóôšťúýžĺŕ", "ÁČĎÉÍĽŇÓŠŤÚÝŽ", "a v je na sa to za z do s o vo pre podľa ktorý"),
    "pl": _language("ąćęłńóśźż", "ĄĆĘŁŃÓŚŹŻ", "i w z na do się to nie o jest po za od dla przez"),
    "hu": _language("áéíóöőúüű", "ÁÉÍÓÖŐÚÜŰ", "a az és hogy nem is egy meg volt van szerint"),
    "ro": _language("ăâîşţ", "ĂÂÎŞŢ", "de la şi în din cu pe a au nu este pentru care"),
    "sq": _language("ëç", "ËÇ", "e në të dhe me për nga që një është i se u do nuk"),
    "en": _language("", "éèêàçñöüæ", "the of and to in a is for on that with by as at from was it"),
    "fr": _language("éèàêç", "ùûîôâëïœÉÀÈÇÊÎÔæÿü", "le la les de des du et en un une que qui est pour dans sur au par"),
    "de": _language("äöüß", "ÄÖÜé", "der die und in den von zu das mit sich des auf für ist im dem nicht ein"),
    "es": _language("áéíóúñ", "ÁÉÍÓÚÑü", "el la de que y en los del se las por un con no una su para es al"),
    "it": _language("àèéìòù", "ÀÈÉÒÙ", "il la di e che in un per non una con del della le dei al gli ha"),
    "pt": _language("ãáâàçéêíóôõú", "ÃÁÇÉÍÓÚü", "o a de que e do da em um para com os no uma na por as dos"),
    "nordic": _language("åäöø", "æÅÄÖÆØéü", "och i att det som en på är av för den til og er på af de med"),
    "tr": _language("ığşçöü", "İĞŞÇÖÜâî", "ve bir bu da de için ile olarak ne daha çok"),
    "el": _language("αεηιοντσρλκπυμςάέίόήώύ", "γδβφχθξζψωΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΌΎΏϊϋΐΰ"),
    "cyrillic": _language("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфёъієїґў", "ОЕАИНТСРВЛКМДПУЯЫЬГЗБЧЙХЖШЮЦЩЭФЁЪІЄЇҐЎ"),
    "serbian": _language("оеаинтсрвлкмдпугзбчхжшцфјљњћђџ", "ОЕАИНТСРВЛКМДПУГЗБЧХЖШЦФЈЉЊЋЂЏ"),
    "macedonian": _language("оеаинтсрвлкмдпугзбчхжшцфјљњќѓџѕ", "ОЕАИНТСРВЛКМДПУГЗБЧХЖШЦФЈЉЊЌЃЏЅѐѝ"),
}
_RARE, _FOREIGN, _BROKEN, _ODD_CASE = 0.75, -0.5, -1.5, -1.0
_HABIT = 0.8
"""What a whole language's small words weigh against the letters."""
_DENSE = "оеаинтсрвαειοτνσ"
_QUOTES = frozenset("„“”‘’‚«»–—…•·§©®°€£™\u00a0\u00ad№")


def fit(words: Counter[str], encoding: str) -> float:
    """Mean fitness of the words' letters beyond ASCII in the best language of that encoding, about -1.5 to 2."""
    seen: Counter[str] = Counter()
    broken = 0.0
    for word, count in words.items():
        if word.isascii():
            continue
        seen.update({char: count for char in word if char > "\x7f"})
        broken += count * _damage(word)
    total = sum(seen.values())
    if not total:
        return 0.0
    best = max(
        _fit_of(seen, _LANGUAGES[name]) / total + _habit(words, _LANGUAGES[name]) for name in ENCODINGS[encoding]
    )
    dense = sum(seen[char] for char in _DENSE) / total
    return best + 0.5 * dense + broken / total


def _fit_of(seen: Counter[str], language: _Language) -> float:
    score = 0.0
    for char, count in seen.items():
        if char in language.common:
            score += count
        elif char in language.rare:
            score += count * _RARE
        elif not char.isalpha():
            score += count * (0.3 if char in _QUOTES else _FOREIGN)
        else:
            score += count * _FOREIGN
    return score


def _habit(words: Counter[str], language: _Language) -> float:
    """How much the small words of the language are used in these words, 0 to `_HABIT`."""
    if not language.words:
        return 0.0
    found = sum(words[word] for word in language.words)
    total = sum(count for word, count in words.items() if word.isascii())
    return _HABIT * min(1.0, 5 * found / total) if total else 0.0


_BEFORE_DIGIT = re.compile(r"[^\W\d_\x00-\x7f][0-9]")
_MIXED = re.compile(r"[A-Za-z][\u0370-\u04ff]|[\u0370-\u04ff][A-Za-z]")
_SYMBOL_INSIDE = re.compile(r"[^\W\d_][^\w\s\x00-\x7f„“”‘’‚«»–—…\u00a0\u00ad][^\W\d_]|[\x80-\x9f\ufffd]")


def _damage(word: str) -> float:
    """Negative weight of symbols inside a word and of a capital that follows a small letter."""
    harm = 0.0
    if _SYMBOL_INSIDE.search(word):
        harm += _BROKEN * len(_SYMBOL_INSIDE.findall(word))
    harm += _BROKEN * (len(_MIXED.findall(word)) + len(_BEFORE_DIGIT.findall(word)))
    low_then_high = sum(a.islower() and b.isupper() for a, b in pairwise(word) if b > "\x7f" or a > "\x7f")
    return harm + _ODD_CASE * low_then_high
