"""The servers inside the daemon: the page, and the metrics where they have an address of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import Engine

from monitor.web import binding, server
from tests.monitor.web.site import HTML, sources


@pytest.fixture
async def addresses(site: Engine) -> AsyncIterator[tuple[str, str]]:
    page, metrics = binding.bind("127.0.0.1", 0), binding.bind("127.0.0.1", 0, setting="web.metrics")
    serving = server.Page(page, sources(site, metrics_apart=True), metrics)
    serving.start()
    yield binding.address(page), binding.address(metrics)
    await serving.stop()


async def test_metrics_with_a_port_of_their_own_are_there_and_nowhere_else(addresses: tuple[str, str]) -> None:
    page, metrics = addresses
    async with httpx.AsyncClient() as asked:
        assert (await asked.get(f"{page}metrics")).status_code == 404
        assert (await asked.get(f"{page}live")).status_code == 200
        told = await asked.get(f"{metrics}metrics")
        assert (told.status_code, told.headers["content-type"].partition(";")[0]) == (200, "text/plain")
        assert (await asked.get(metrics, headers=HTML)).status_code == 404


def test_a_taken_port_names_its_setting() -> None:
    taken = binding.bind("127.0.0.1", 0)
    with taken, pytest.raises(binding.PortTaken, match=r"^web\.metrics 127\.0\.0\.1:\d+ cannot be used"):
        binding.bind("127.0.0.1", taken.getsockname()[1], setting="web.metrics")
