"""Write monitor/detect/lexicon/countries.yaml: the English names of countries as the CLDR has them.

Run by hand when Babel brings a newer CLDR, then `python -m monitor.lexicons`. The daemon reads the compiled names:
Babel itself would cost it four megabytes for them.
"""

from __future__ import annotations

import json
from pathlib import Path

from babel import Locale

OUT = Path(__file__).parent.parent / "monitor/detect/lexicon/countries.yaml"
HEAD = """\
# English names of countries by ISO code, from the Unicode CLDR as Babel gives it (Unicode License v3).
# Written by tools/country_names.py; do not edit. Shorter names stand in `monitor/wiring.py`.
"""


def names() -> dict[str, str]:
    """Codes of two letters and what the CLDR calls them."""
    known = Locale("en").territories.items()
    return {code: str(name) for code, name in sorted(known) if len(code) == 2 and code.isalpha()}


def main() -> None:
    """Write the file."""
    rows = (f"'{code}': {json.dumps(name, ensure_ascii=False)}\n" for code, name in names().items())
    OUT.write_text(HEAD + "".join(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
