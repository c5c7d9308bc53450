"""Which language codes are one language for word lists: Serbian, Croatian, Bosnian and Montenegrin share theirs.

Not for detecting a language. Called by match, cluster, detect.
"""

from __future__ import annotations

from collections.abc import Mapping

SOUTH_SLAVIC = "sh"
SOUTH_SLAVIC_MEMBERS = frozenset({"sr", "hr", "bs", "cnr"})
_ALIASES: Mapping[str, str] = {"me": "cnr", "hbs": "sh", "srp": "sr", "hrv": "hr", "bos": "bs", "iw": "he", "mo": "ro"}
"""Codes found in feeds for a language that has another one; `hbs` is how identifiers name the four together."""
_UNKNOWN = frozenset({"", "und", "mul", "zxx", "mis"})


def base(code: str | None) -> str | None:
    """The bare language of a code with script or region; None for an unknown one.

    >>> base("sr-Latn-RS"), base("me"), base("und")
    ('sr', 'cnr', None)
    """
    language = (code or "").strip().replace("_", "-").partition("-")[0].lower()
    language = _ALIASES.get(language, language)
    return None if language in _UNKNOWN else language


def family(code: str | None) -> str | None:
    """The language whose word lists apply; None for an unknown language.

    >>> family("sr-Cyrl"), family("cnr"), family("mk"), family(None)
    ('sh', 'sh', 'mk', None)
    """
    language = base(code)
    return SOUTH_SLAVIC if language in SOUTH_SLAVIC_MEMBERS else language


def speaks(code: str | None, wanted: str) -> bool:
    """Whether an entry's language is `wanted`, where `sh` stands for its four members. Unknown is none."""
    language, other = base(code), base(wanted)
    if language is None:
        return False
    return language == other or (other == SOUTH_SLAVIC and language in SOUTH_SLAVIC_MEMBERS)
