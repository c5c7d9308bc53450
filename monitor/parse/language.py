"""The language of an entry's text, by py3langid restricted to the languages storywatch works in.

Bosnian, Croatian, Montenegrin and Serbian are one class in the decision: text does not tell them apart, the outlet
does. Called by `monitor.parse.feed`; the model is loaded with the first entry that needs it.
"""

from __future__ import annotations

import lzma
import mmap
import re
import shutil
import tempfile
import unicodedata
from array import array
from collections.abc import Sequence
from functools import cache
from itertools import islice
from typing import Any

LANGUAGES = (
    "en", "sr", "hr", "bs", "mk", "sq", "sl", "bg", "el", "de", "es", "fr", "it", "ro", "tr", "ru", "pl", "cs", "hu",
    "uk",
)  # fmt: skip
HBS = frozenset({"sr", "hr", "bs", "sh", "cnr", "hbs"})
"""One language in four standards."""
_MIN_LETTERS = 20
"""Below this a declared language is believed: three words are too few for any identifier."""
_MAX_CHARS = 200
"""So much of a text decides: the cost grows by the letter, and of 896 teasers in a dozen languages two were read
otherwise with 600, Bosnian for Croatian."""
_COUNTRY_LABELS = {"RS": "sr", "HR": "hr", "BA": "bs", "ME": "sr"}
_LETTERS = re.compile(r"[^\W\d_]")
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
    languages: Sequence[str] = LANGUAGES,
) -> str | None:
    """Identify the language as an ISO 639-1 code; None if there are too few letters and no hint.

    `hint` is a declared language, believed for fewer than 20 letters only; `country` is the outlet's and labels the
    Serbo-Croatian class.
    """
    sample = _ADDRESS.sub(" ", f"{title or ''}\n{text or ''}"[:_MAX_CHARS]).strip()
    declared = code(hint)
    letters = sum(1 for _ in islice(_LETTERS.finditer(sample), _MIN_LETTERS))
    if letters < _MIN_LETTERS and declared:
        return declared
    if letters < 3:
        return None
    found = str(_identifier(tuple(languages)).classify(sample)[0])
    return _label(sample, found, declared, country) if found in HBS else found


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
    counts = {"LATIN": 0, "CYRILLIC": 0, "GREEK": 0}
    for char in _LETTERS.findall(text[:_MAX_CHARS]):
        name = unicodedata.name(char, "").partition(" ")[0]
        if name in counts:
            counts[name] += 1
    best = max(counts, key=lambda name: counts[name])
    return {"LATIN": "Latn", "CYRILLIC": "Cyrl", "GREEK": "Grek"}[best] if counts[best] else None


def _label(sample: str, found: str, declared: str | None, country: str | None) -> str:
    """Which of the standards to write on a text of the Serbo-Croatian class."""
    by_country = _COUNTRY_LABELS.get((country or "").upper())
    if by_country:
        return by_country
    if declared in HBS:
        return str(declared)
    return "sr" if script(sample) == "Cyrl" else found


@cache
def _identifier(languages: tuple[str, ...]) -> Any:
    """py3langid's identifier for these languages; its model is read once per process.

    Made from the model's tables one by one: the library's own way, all of them at once and for 97 languages, takes
    75 MB, and half of that for good. A test compares both.
    """
    import numpy  # here: numpy and the model take half a second
    from py3langid.langid import MODEL_DIR, MODEL_FILE, LanguageIdentifier

    with tempfile.TemporaryFile(prefix="storywatch-") as plain:
        with lzma.open(MODEL_DIR / MODEL_FILE) as packed:
            shutil.copyfileobj(packed, plain, 1 << 20)
        plain.seek(0)
        with numpy.load(plain, allow_pickle=False) as model:
            kept = [at for at, name in enumerate(model["classes"].tolist()) if name in languages]
            made = LanguageIdentifier(
                numpy.ascontiguousarray(model["ptc"][:, kept]),
                model["pc"][kept],
                model["classes"][kept].tolist(),
                _mapped(model["nextmove"]),
                array("i", model["out_feat"].tolist()),
                tk_row=model["nextmove_row"],
            )
    # Numbers in lists are objects, which a look copies from the pages that all parser processes share.
    made._rowbase = array("I", [row << 8 for row in made.tk_row.tolist()])
    return made


def _mapped(table: Any) -> Any:
    """The same numbers out of a file without a name: of 39 MB only what some text has asked for takes memory."""
    with tempfile.TemporaryFile(prefix="storywatch-") as file:
        table.tofile(file)
        file.flush()
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    pages.madvise(mmap.MADV_RANDOM)  # or the kernel brings fifteen pages with each
    return memoryview(pages).cast(table.dtype.char)
