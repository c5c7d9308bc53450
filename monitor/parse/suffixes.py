"""The public suffix list: which endings of a host anybody may register names under, private ones included.

The list is the one that tldextract ships; its rules are those of https://publicsuffix.org/list/. tldextract itself is
not imported: it brings an HTTP library, which costs a fifth of a second and six megabytes in every process. A test
compares both. Called by `monitor.parse.links`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

_RULE = re.compile(r"^[.*!]*\w\S*", re.MULTILINE)
_SNAPSHOT = ".tld_set_snapshot"


@dataclass(frozen=True, slots=True)
class Suffixes:
    """The list's three kinds of rules: a suffix, any one label before `wild`, and what such a rule does not mean."""

    plain: frozenset[str]
    wild: frozenset[str]
    exempt: frozenset[str]

    def length(self, labels: Sequence[str]) -> int:
        """How many of a host's labels are its suffix; 0 where the list does not know the ending.

        >>> Suffixes(frozenset({"uk", "co.uk"}), frozenset({"ck"}), frozenset({"www.ck"})).length(["b", "co", "uk"])
        2
        """
        for at in range(len(labels)):
            name, above = ".".join(labels[at:]), ".".join(labels[at + 1 :])
            if name in self.exempt:
                return len(labels) - at - 1
            if name in self.plain or above in self.wild:
                return len(labels) - at
        return 0


@cache
def shipped() -> Suffixes:
    """The list of the installed tldextract, in punycode; read once per process, in some milliseconds."""
    rules = {rule if rule.isascii() else _punycode(rule) for rule in _rules()}
    return Suffixes(
        plain=frozenset(rule for rule in rules if rule[0] not in "*!"),
        wild=frozenset(rule[2:] for rule in rules if rule.startswith("*.")),
        exempt=frozenset(rule[1:] for rule in rules if rule.startswith("!")),
    )


def _rules() -> Iterable[str]:
    package = find_spec("tldextract")
    folder = next(iter(package.submodule_search_locations or ())) if package is not None else ""
    loader: Any = package.loader if package is not None else None
    try:
        return _RULE.findall(loader.get_data(f"{folder}/{_SNAPSHOT}").decode())
    except (OSError, AttributeError):  # a release that keeps its list elsewhere, or a package inside an archive
        from tldextract import TLDExtract

        return TLDExtract(cache_dir=None, suffix_list_urls=(), include_psl_private_domains=True).tlds


def _punycode(rule: str) -> str:
    return ".".join(label if label.isascii() else label.encode("idna").decode("ascii") for label in rule.split("."))
