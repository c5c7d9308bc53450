"""Write the countries' names of `monitor/detect/lexicon/governments/world.yaml` from CLDR, through Babel.

Run by hand when Babel brings newer names: `python tools/world_names.py`, then `python -m monitor.lexicons`.
Capitals, adjectives and other names are written by hand in the files beside it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from babel import Locale

TARGET = Path(__file__).parent.parent / "monitor/detect/lexicon/governments/world.yaml"
LOCALES = {
    "en": "en",
    "sr": "sr_Latn",
    "hr": "hr",
    "bs": "bs_Latn",
    "mk": "mk",
    "sq": "sq",
    "es": "es",
    "fr": "fr",
    "pt": "pt",
    "de": "de",
    "it": "it",
    "ro": "ro",
    "bg": "bg",
    "ru": "ru",
    "tr": "tr",
    "uk": "uk",
    "nl": "nl",
    "ar": "ar",
    "sl": "sl",
    "hu": "hu",
    "el": "el",
}
CASES = frozenset(("sr", "hr", "bs", "sl", "ru", "uk", "ro"))
VOWELS = "aeiouаеиоуыэюяіїёăâîё"
MEMBERS = " ".join(
    (
        "AD AE AF AG AL AM AO AR AT AU AZ BA BB BD BE BF BG BH BI BJ BN BO BR BS BT BW BY BZ CA CD CF CG CH CI",
        "CL CM CN CO CR CU CV CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FM FR GA GB GD GE GH GM GN GQ GR",
        "GT GW GY HN HR HT HU ID IE IL IN IQ IR IS IT JM JO JP KE KG KH KI KM KN KP KR KW KZ LA LB LC LI LK LR",
        "LS LT LU LV LY MA MC MD ME MG MH MK ML MM MN MR MT MU MV MW MX MY MZ NA NE NG NI NL NO NP NR NZ OM PA",
        "PE PG PH PK PL PS PT PW PY QA RO RS RU RW SA SB SC SD SE SG SI SK SL SM SN SO SR SS ST SV SY SZ TD TG",
        "TH TJ TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VN VU WS XK YE ZA ZM ZW",
    )
).split(" ")


def main() -> int:
    """Write the file; the answer is the exit status."""
    lines = [
        "# Written by tools/world_names.py from CLDR (Unicode licence v3). Do not edit: other names go into the",
        "# files beside it.",
        "places:",
        "  country:",
    ]
    for language, locale in LOCALES.items():
        territories = Locale.parse(locale).territories
        names = {code: form(territories[code], language) for code in MEMBERS if code in territories}
        lines.append(f"    {language}:")
        lines += [f'      "{code}": "{name}"' for code, name in names.items()]
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


def form(name: str, language: str) -> str:
    """A form of the lexicon from a name in the nominative."""
    name = (
        re.sub(r"\s*\([^)]*\)|\s+[-–].*", "", name).replace("&", "and" if language == "en" else "&").replace("’", "'")
    )
    words = re.findall(r"[^\W_]+|&", name)
    if language == "sq":
        return " ".join([albanian(words[0]), *words[1:]])
    if language in CASES:
        return " ".join(inflected(word, language) for word in words)
    return " ".join(f"{word}{{}}" if language in ("de", "nl") and len(word) > 3 else word for word in words)


def inflected(word: str, language: str) -> str:
    """The word without its last vowel, which is the nominative's ending."""
    if len(word) <= 3 or word[0].islower():
        return word
    if language in ("ru", "uk") and word.endswith(("ая", "яя")):
        return f"{word[:-2]}{{{word[-2:]}}}"
    return f"{word[:-1]}{{{word[-1]}}}" if word[-1].lower() in VOWELS else f"{word}{{}}"


def albanian(word: str) -> str:
    """The indefinite form of a dictionary, as the definite one that sentences use."""
    if len(word) <= 3:
        return word
    if word.endswith("ë"):
        return f"{word[:-1]}{{a|ë}}"
    if word.endswith("a"):
        return f"{word[:-1]}{{a}}"
    if word.endswith("i"):
        return f"{word}{{a|}}"
    return f"{word}{{i|u|ja|}}"


if __name__ == "__main__":
    sys.exit(main())
