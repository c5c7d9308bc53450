"""The numbers clustering goes by, with the defaults that were measured best.

Read from `stories:` of the configuration by `monitor.config`; here are only values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The least story score that joins, by how much text the entry has."""

    title_only: float = 0.16
    with_text: float = 0.19


ALBANIAN = Thresholds(with_text=0.22)
"""Measured on labelled Albanian news, where a few names of domestic politics are in everything."""


@dataclass(frozen=True, slots=True)
class CopySettings:
    """When a text is another one's: shares of 4-word shingles, and words needed to tell."""

    containment: float = 0.8
    lead: float = 0.5
    shared: float = 0.25
    min_words: int = 25
    lead_words: int = 40
    candidates: int = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """All of `stories:`. `families` overrides the thresholds of single language families."""

    window: timedelta = timedelta(hours=144)
    decay: timedelta = timedelta(hours=96)
    thresholds: Thresholds = Thresholds()
    families: Mapping[str, Thresholds] = field(default_factory=lambda: {"sq": ALBANIAN})
    lead_chars: int = 300
    title_only_chars: int = 60
    copies: CopySettings = CopySettings()
    merge: bool = True
    split: bool = False

    def threshold(self, family: str, text_chars: int) -> float:
        """What an entry of this family with this much text of its own needs to join."""
        row = self.families.get(family, self.thresholds)
        return row.title_only if text_chars < self.title_only_chars else row.with_text
