"""Fixtures of the page's tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from monitor.store import engine as engines
from monitor.web import app, guard
from tests.fakes import browser as browsers
from tests.monitor.web.site import ROWS, filled


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a database that is copied for each test."""
    folder = tmp_path_factory.mktemp("site")
    filled(folder, ROWS).dispose()
    return folder


@pytest.fixture
def site(template: Path, tmp_path: Path) -> Iterator[Engine]:
    """A database that a replay of our rows has filled."""
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    opened = engines.open_engine(f"sqlite:///{tmp_path / 'replay.db'}")
    yield opened
    opened.dispose()


# ------------------------------------------------------------------------------- for modules that name their SITE


@pytest.fixture(scope="module")
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The module's site, served."""
    built = app.build(request.module.SITE.sources(tmp_path_factory.mktemp("site")), guard.Pace(per_s=1e6, burst=1e6))
    with browsers.served(built) as served:
        yield served


@pytest.fixture(scope="module")
def browser(address: str) -> Iterator[Any]:
    """A browser, or a loud skip that fails in CI. It keeps a loop running here: the site must be played before."""
    try:
        opened = browsers.chromium()
        running = opened.__enter__()
    except browsers.NoBrowser as exc:
        browsers.absent(str(exc))
    yield running
    opened.__exit__(None, None, None)


@pytest.fixture(scope="module")
def story(request: pytest.FixtureRequest, browser: Any, address: str) -> str:
    """The path of the site's first story."""
    page = browser.new_page()
    page.goto(address)
    path = page.get_by_role("link", name=request.module.SITE.FIRST).get_attribute("href")
    page.close()
    return str(path)


@pytest.fixture(scope="module")
def axe() -> Any:
    """The judge of accessibility, or a loud skip that fails in CI."""
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        browsers.absent("NO AXE: pip install axe-playwright-python; the pages' accessibility is not judged")
    return Axe()
