"""Where a watch looks: in feeds with certain tags, at certain outlets, never at others. Pure; called for a match."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """`feed_tags` and `outlets` are None for all; `exclude` wins over both."""

    feed_tags: frozenset[str] | None = None
    outlets: frozenset[str] | None = None
    exclude: frozenset[str] = frozenset()

    def takes(self, tags: frozenset[str], outlet: str | None) -> bool:
        """Whether an entry of this outlet in a feed with these tags is looked at.

        >>> Scope(outlets=frozenset({"one.example"})).takes(frozenset(), "two.example")
        False
        """
        if outlet in self.exclude:
            return False
        if self.feed_tags is not None and not self.feed_tags & tags:
            return False
        return self.outlets is None or outlet in self.outlets


EVERYWHERE = Scope()
