"""A real browser for tests, where one can be had: Playwright drives a Chromium that is installed already.

STORYWATCH_CHROMIUM names it, else it is looked for on the path. Without one, `NoBrowser` says how to get one.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import pytest
import uvicorn
from starlette.types import ASGIApp

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


class NoBrowser(Exception):
    """No browser can be had here."""


def absent(why: str) -> NoReturn:
    """Skip a test loudly for want of a browser or of axe; where CI is set, fail: there they must not be missing."""
    if os.environ.get("CI"):
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


def executable() -> str:
    """The browser's program.

    Errors: NoBrowser.
    """
    found = os.environ.get("STORYWATCH_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise NoBrowser("NO BROWSER: install chromium (apt-get install chromium), or set STORYWATCH_CHROMIUM")
    return found


@contextmanager
def chromium() -> Iterator[Any]:
    """A running browser.

    Errors: NoBrowser.
    """
    program = executable()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as exc:
        raise NoBrowser("NO BROWSER: pip install playwright; it drives the Chromium that is installed") from exc
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def judged(axe: Any, page: Any) -> list[tuple[str, list[str]]]:
    """What axe finds wrong with a page as it stands now: the rule, and where."""
    found = axe.run(page, options={"resultTypes": ["violations"], "runOnly": list(RULES)})
    return [(row["id"], [node["html"][:120] for node in row["nodes"]][:3]) for row in found.response["violations"]]


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """An application on a free port of this machine; gives its address without a slash at the end."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        bound.close()
