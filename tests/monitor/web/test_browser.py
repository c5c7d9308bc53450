"""The pages in a real browser: the way from list to export, with and without JavaScript; axe; weight; no layout shift.

STORYWATCH_SHOTS=1 writes the pictures of docs/images anew.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from monitor import evidence
from tests.fakes.browser import judged
from tests.monitor.web import demo_site

IMAGES = Path(__file__).parents[3] / "docs" / "images"
SITE = demo_site
PATHS = {
    "list": "/",
    "search": "/?q=deport",
    "empty": "/?q=zeppelin",
    "story": "{story}",
    "outlet": "/outlet/noviglasnik.example",
    "governments": "/governments",
    "government": "/government/RS",
    "feeds": "/feeds",
    "deliveries": "/deliveries",
    "configuration": "/configuration",
    "session": "/session",
    "missing": "/story/none",
    "unreadable": "/?language=english",
}


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_the_way_from_the_list_to_a_label_and_an_export(browser: Any, address: str, script: bool) -> None:
    context = browser.new_context(java_script_enabled=script, accept_downloads=True)
    page = context.new_page()
    page.goto(address)
    page.get_by_label("Words in titles and texts").fill("Меридијан")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name=demo_site.FIRST).click()
    assert page.get_by_role("heading", level=1).inner_text() == demo_site.FIRST
    page.get_by_role("link", name="Sign in", exact=True).click()
    page.get_by_label("Name").fill("Vera")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Which entry does not belong?").select_option(index=2)
    page.get_by_label("Why (for those who tune it)").fill("another matter")
    page.locator("form", has_text="Not this story").get_by_role("button", name="Label").click()
    assert "another matter" in page.locator("section", has_text="Messages and evidence").last.inner_text()
    if evidence.is_possible():
        with page.expect_download() as download:
            page.get_by_role("link", name="Evidence (JSON, signed)").click()
        assert evidence.verify(Path(download.value.path()).read_bytes()).story
    context.close()


@pytest.mark.parametrize("name", PATHS)
def test_axe_finds_nothing(browser: Any, address: str, story: str, axe: Any, name: str) -> None:
    page = browser.new_page()
    page.goto(address + PATHS[name].format(story=story))
    said = {}
    for scheme, width in (("light", 390), ("dark", 1280)):  # no colour of ours depends on the width
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        said[scheme, width] = judged(axe, page)
    page.close()
    assert not any(said.values()), said


def test_axe_would_find_a_fault(browser: Any, address: str, axe: Any) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto(address)
    page.evaluate("document.querySelector('main').style.color = '#333'; document.querySelector('label').remove()")
    rules = {rule for rule, _ in judged(axe, page)}
    page.close()
    assert {"color-contrast", "label"} <= rules


@pytest.mark.parametrize("name", PATHS)
def test_a_page_is_light_quiet_and_stands_still(browser: Any, address: str, story: str, name: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    wrong: list[str] = []
    sizes: list[int] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("request", lambda asked: wrong.append(asked.url) if not asked.url.startswith(address) else None)
    page.on("response", lambda got: sizes.append(0 if "/events" in got.url else len(got.body())))
    page.add_init_script(SHIFT)
    page.goto(address + PATHS[name].format(story=story), wait_until="load")
    page.mouse.wheel(0, 3000)
    page.wait_for_timeout(150)
    assert page.evaluate("window.shifted") < 0.001  # a hundredth of what counts as good; late fonts round a pixel
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
    expected = ("404", "422") if name in ("missing", "unreadable") else ()
    assert not [said for said in wrong if not any(code in said for code in expected)]
    assert sum(sizes) <= 60_000


SHIFT = """
window.shifted = 0;
new PerformanceObserver(list => {
  for (const shift of list.getEntries()) if (!shift.hadRecentInput) window.shifted += shift.value;
}).observe({type: "layout-shift", buffered: true});
"""


def test_questions_that_are_still_open_stand_first(browser: Any, address: str, story: str) -> None:
    page = browser.new_page()
    page.goto(address + story)
    is_open = ["still silent" in now for now in page.locator("#silent ~ * [data-name=Now]").all_inner_texts()]
    page.close()
    assert is_open == sorted(is_open, reverse=True)
    assert set(is_open) == {True, False}


def test_everything_can_be_reached_with_the_keyboard(browser: Any, address: str, story: str) -> None:
    page = browser.new_page()
    page.goto(address + story)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    reached: set[str] = set()
    for _ in range(150):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.outerHTML.slice(0, 90)"))
    assert any("evidence.html" in element or "summary" in element for element in reached)
    outlined = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outlined != "none"
    page.close()


def test_print_leaves_out_what_paper_cannot_do(browser: Any, address: str, story: str) -> None:
    page = browser.new_page()
    page.goto(address + story)
    page.emulate_media(media="print")
    assert not page.locator("nav").first.is_visible()
    assert not page.locator("#act").is_visible()
    assert page.locator("#timeline").is_visible()
    page.close()


SHOTS = {
    "story-1280-light": ("{story}", 1280, "light"),
    "story-390-dark": ("{story}", 390, "dark"),
    "story-1920-dark": ("{story}", 1920, "dark"),
    "stories-1280-light": ("/", 1280, "light"),
    "stories-1920-dark": ("/", 1920, "dark"),
    "stories-390-light": ("/", 390, "light"),
    "government-1280-light": ("/government/RS", 1280, "light"),
}


@pytest.mark.skipif(os.environ.get("STORYWATCH_SHOTS") != "1", reason="pictures are made on demand")
@pytest.mark.parametrize("name", SHOTS)
def test_pictures_are_made(browser: Any, address: str, story: str, name: str) -> None:
    path, width, scheme = SHOTS[name]
    page = browser.new_page(viewport={"width": width, "height": 1400 if "story" in path else 700}, color_scheme=scheme)
    page.goto(address + path.format(story=story))
    page.screenshot(path=IMAGES / f"page-{name}.png")
    page.close()
