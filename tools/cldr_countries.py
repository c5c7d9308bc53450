"""Write monitor/cluster/data/cldr_countries.yaml: how 23 locales of the CLDR begin the one-word names of countries.

Run by hand when Babel brings a newer CLDR, then `python -m monitor.lexicons`.
"""

from __future__ import annotations

import re
from pathlib import Path

from babel import Locale

from monitor.text.fold import fold

LOCALES = (
    "en",
    "sq",
    "sr",
    "sr_Latn",
    "bs",
    "hr",
    "mk",
    "bg",
    "sl",
    "el",
    "tr",
    "de",
    "fr",
    "it",
    "es",
    "ro",
    "nl",
    "ru",
    "uk",
    "pt",
    "pl",
    "cs",
    "hu",
)
NOT_COUNTRIES = {"CX", "IM", "EU", "UN", "EZ", "ZZ", "QO", "XA", "XB"}
"""Pseudo territories, and two islands whose names are everyday words."""
OUT = Path(__file__).parent.parent / "monitor/cluster/data/cldr_countries.yaml"
HEAD = """\
# Beginnings of folded one-word country names of 23 locales, from the Unicode CLDR as Babel gives it
# (Unicode License v3).
# Written by tools/cldr_countries.py; do not edit.
"""


def beginning(name: str) -> str | None:
    """What all cases of a folded name begin with; a full stop marks a whole word. None for several or short words.

    >>> beginning("kosovo"), beginning("kuba"), beginning("south sudan")
    ('kosov', 'kuba.', None)
    """
    if not name.isalpha() or len(name) < 4:
        return None
    stem = name.rstrip("aeiouyαειουηω")[:7]
    if len(stem) >= 5:
        return stem
    return name if len(name) > 4 else f"{name}."


def main() -> None:
    """Collect, drop what means two countries, write."""
    found: dict[str, set[str]] = {}
    for locale in LOCALES:
        for code, name in Locale.parse(locale).territories.items():
            stem = beginning(fold(name))
            if stem and re.fullmatch("[A-Z]{2}", code) and code not in NOT_COUNTRIES:
                found.setdefault(stem, set()).add(code)
    rows = [f"{stem}: '{min(codes)}'\n" for stem, codes in sorted(found.items()) if len(codes) == 1]
    OUT.write_text(HEAD + "".join(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
