"""The language of an entry's text, of those storywatch works in (`monitor.parse.identifier`).

Bosnian, Croatian, Montenegrin and Serbian are one class in the decision: text does not tell them apart, the outlet
does. Called by `monitor.parse.feed`; the model is loaded with the first entry that needs it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from monitor.parse import identifier

LANGUAGES = (
    "en", "sr", "hr", "bs", "mk", "sq", "sl", "bg", "el", "de", "es", "fr", "it", "ro", "tr", "ru", "pl", "cs", "hu",
    "uk",
)  # fmt: skip
HBS = frozenset({"sr", "hr", "bs", "sh", "cnr", "hbs"})
"""One language in four standards."""
_MAX_CHARS, _MAX_TITLE_CHARS = 120, 70
"""So much of a text decides, so much of it the title where there is a text: the cost grows by the letter, and of 37,000
texts three more were read right with 200 characters."""
_COUNTRY_LABELS = {"RS": "sr", "HR": "hr", "BA": "bs", "ME": "sr"}
_LATIN, _CYRILLIC, _GREEK = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f",
    "\u0400-\u052f",
    "\u0370-\u03ff\u1f00-\u1fff",
)
_SCRIPTS = {"Latn": re.compile(f"[{_LATIN}]"), "Cyrl": re.compile(f"[{_CYRILLIC}]"), "Grek": re.compile(f"[{_GREEK}]")}
_LETTER, _OTHER = f"[{_LATIN}{_CYRILLIC}{_GREEK}]", f"[^{_LATIN}{_CYRILLIC}{_GREEK}]"
_ENOUGH_LETTERS = re.compile(f"(?:{_OTHER}*{_LETTER}){{20}}")
"""With fewer a declared language is believed: three words are too few. Letters of other scripts are none."""
_SOME_LETTERS = re.compile(f"(?:{_OTHER}*{_LETTER}){{3}}")
_ADDRESS = re.compile(r"https?://\S+|\S+@\S+")
_NAMES = {
    "english": "en", "serbian": "sr", "croatian": "hr", "bosnian": "bs", "macedonian": "mk", "albanian": "sq",
    "slovenian": "sl", "bulgarian": "bg", "greek": "el", "german": "de", "spanish": "es", "french": "fr",
    "italian": "it", "romanian": "ro", "turkish": "tr", "russian": "ru", "polish": "pl", "czech": "cs",
    "hungarian": "hu", "ukrainian": "uk",
}  # fmt: skip


def detect(
    title: str | None,
    text: str | None,
    hint: str | None,
    country: str | None = None,
) -> str | None:
    """Identify the language as an ISO 639-1 code; None if there are too few letters and no hint.

    `hint` is a declared language, believed for fewer than 20 letters and where the words hardly say another; `country`
    is the outlet's and labels the Serbo-Croatian class.
    """
    sample = _sample(title, text)
    declared = code(hint)
    if not _ENOUGH_LETTERS.match(sample) and (declared or not _SOME_LETTERS.match(sample)):
        return declared
    found = _identifier().identify(sample, declared)
    return _label(sample, found, declared, country) if found in HBS else found


def _sample(title: str | None, text: str | None) -> str:
    """What decides: the beginnings of both, for one may quote another language."""
    sample = f"{(title or '')[: _MAX_TITLE_CHARS if text else _MAX_CHARS]}\n{text or ''}"[:_MAX_CHARS]
    if "@" in sample or "://" in sample:
        sample = _ADDRESS.sub(" ", sample)
    return unicodedata.normalize("NFC", sample.lower() if sample.isupper() else sample).strip()


def code(declared: str | None) -> str | None:
    """The ISO 639-1 code of a declared language: `sr-Latn-RS`, `en_US`, GDELT's `English`; None for anything else.

    >>> code("sr-Latn-RS"), code("English"), code("zz top")
    ('sr', 'en', None)
    """
    word = (declared or "").strip().lower().replace("_", "-")
    if word in _NAMES:
        return _NAMES[word]
    primary = word.split("-")[0]
    if primary in ("sh", "hbs", "cnr"):
        return "sr"
    return primary if re.fullmatch(r"[a-z]{2}", primary) else None


def script(text: str) -> str | None:
    """`Latn`, `Cyrl` or `Grek`, whichever most letters are; None without such letters."""
    counts = {name: len(letters.findall(text[:_MAX_CHARS])) for name, letters in _SCRIPTS.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else None


def _label(sample: str, found: str, declared: str | None, country: str | None) -> str:
    """Which of the standards to write on a text of the Serbo-Croatian class."""
    by_country = _COUNTRY_LABELS.get((country or "").upper())
    if by_country:
        return by_country
    if declared in HBS:
        return str(declared)
    return "sr" if script(sample) == "Cyrl" else found


@cache
def _identifier() -> identifier.Identifier:
    return identifier.load()
