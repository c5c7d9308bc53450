"""Stories from right to left and in Cyrillic, in a real browser: every text in its own direction, nothing torn."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.browser import judged
from tests.monitor.web import scripts_site

SITE = scripts_site
PATHS = ("/", "{story}", "/government/RS", "/outlet/sahil.example", "/deliveries", "/?q=صربيا")
LOOK = """element => {
  const style = getComputedStyle(element), box = element.getBoundingClientRect();
  return [style.direction, element.closest("[lang]").lang, box.left >= 0 && box.right <= innerWidth];
}"""


@pytest.mark.parametrize("width", [390, 1280])
def test_every_text_has_its_direction_and_language(browser: Any, address: str, story: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(address + story)
    texts = {
        "the headline": (page.locator("h1"), ["rtl", "ar", True]),
        "an Arabic quote": (page.locator("blockquote", has_text=scripts_site.ARABIC_QUOTE), ["rtl", "ar", True]),
        "an Arabic title": (page.locator(".title a", has_text="صربيا"), ["rtl", "ar", True]),
        "a Cyrillic title": (page.locator(".title a", has_text="Србија"), ["ltr", "sr", True]),
        "an Arabic name": (page.locator(".part a", has_text="صحيفة"), ["rtl", "en", True]),
        "our own words": (page.locator("#timeline"), ["ltr", "en", True]),
    }
    found = {name: place.first.evaluate(LOOK) for name, (place, _) in texts.items()}
    page.close()
    assert found == {name: wanted for name, (_, wanted) in texts.items()}


def test_a_text_from_right_to_left_begins_at_its_own_right_side(browser: Any, address: str, story: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address + story)
    starts = page.evaluate(
        "['h1', '.lead', '.meta'].map(name => document.querySelector(`.head ${name}`).getBoundingClientRect().left)"
    )
    page.close()
    assert len(set(starts)) == 1


@pytest.mark.parametrize("path", PATHS)
def test_no_page_is_torn_by_another_direction(browser: Any, address: str, story: str, path: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(address + path.format(story=story))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("main").inner_text().strip()
    page.close()


def test_axe_finds_nothing_in_three_scripts(browser: Any, address: str, story: str, axe: Any) -> None:
    page = browser.new_page()
    page.goto(address + story)
    said = judged(axe, page)
    page.close()
    assert not said
