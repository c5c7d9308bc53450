"""Entries that belong to no story: horoscopes, press reviews, live blogs, and what has neither title nor text.

Such an entry starts a story of its own that nothing joins. Called by `assign`; the patterns are data.
"""

from __future__ import annotations

from monitor.cluster.item import Item
from monitor.cluster.knowledge import Knowledge
from monitor.text.fold import fold


def excluded(item: Item, knowledge: Knowledge) -> str | None:
    """The rule that keeps an entry out of every story, or None."""
    if not item.title.strip() and not item.text.strip():
        return "empty"
    return knowledge.exclusions.find(fold(item.title).strip())
