"""A story told from right to left and in Cyrillic, as a database for pages: invented, replayed, made one by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select

from monitor import stories
from monitor.store import tables
from monitor.values import StoryKey
from monitor.web.sources import Sources
from tests.monitor.web import site

CONFIG = """\
version: 1
contact: https://newsroom.example/storywatch
governments: {watch: [US, RS]}
watches:
  - {name: returns, title: Returns, query: "صربيا OR Србија OR Serbia"}
outlets:
  sahil.example: {name: صحيفة الساحل, country: AE, kind: newspaper}
  obala.example: {name: Обала, country: RS, kind: newspaper}
  shore.example: {name: The Shore, country: GB, kind: newspaper}
channels:
  console: {type: stdout}
"""
ARABIC = "صربيا تنفي تلقي طلب أمريكي لاستقبال مهاجرين مرحّلين (AP 2025)"
FIRST = ARABIC
CYRILLIC = "Србија: нисмо добили захтев за пријем депортованих, пише „The Shore“"
ENGLISH = "Serbia asked to take deported migrants"
ARABIC_QUOTE = "نفت وزارة الخارجية الصربية تلقي أي طلب من الولايات المتحدة."
ROWS: list[dict[str, Any]] = [
    {
        "id": "ar",
        "at": "2025-06-05T08:00:00Z",
        "lang": "ar",
        "url": "https://sahil.example/1",
        "title": ARABIC,
        "text": f"{ARABIC_QUOTE} وقالت إنها قرأت الخبر في الصحف.",
    },
    {
        "id": "sr",
        "at": "2025-06-05T09:00:00Z",
        "lang": "sr",
        "url": "https://obala.example/1",
        "title": CYRILLIC,
        "text": "Министарство спољних послова Србије демантовало је да је добило захтев Сједињених Држава. "
        "Бела кућа није одговорила на питања листа Обала.",
    },
    {
        "id": "en",
        "at": "2025-06-05T10:00:00Z",
        "lang": "en",
        "url": "https://shore.example/1",
        "title": ENGLISH,
        "text": "Serbia was asked to take migrants deported from the United States, صحيفة الساحل reported. "
        "The White House declined to comment.",
    },
]


def sources(folder: Path) -> Sources:
    """Play the three into one story and hand it to the pages."""
    engine = site.filled(folder, ROWS, CONFIG)
    with engine.begin() as connection:
        story = tables.story.c
        keys = list(
            connection.execute(select(story.key).where(story.state == "open").order_by(story.first_at)).scalars()
        )
        if len(keys) > 1:
            stories.merge(connection, [StoryKey(key) for key in keys], "Vera", site.NOW, "the same news")
    return site.sources(engine, config_text=CONFIG)
