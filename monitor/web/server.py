"""Runs the page inside the daemon's event loop, on sockets that are bound already. Called by `daemon`."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp

from monitor.web import health
from monitor.web.app import build
from monitor.web.sources import Sources


class Page:
    """The page's server, and that of the metrics where they have an address of their own."""

    def __init__(self, bound: socket.socket, sources: Sources, metrics: socket.socket | None = None) -> None:
        self._servers = [_Serving(bound, build(sources))]
        if metrics is not None:
            self._servers.append(_Serving(metrics, health.measures()))

    def start(self) -> None:
        """Begin to serve."""
        for server in self._servers:
            server.start()

    async def stop(self) -> None:
        """End, within two seconds."""
        await asyncio.gather(*(server.stop() for server in self._servers))


class _Serving:
    """One application on one socket."""

    def __init__(self, bound: socket.socket, app: ASGIApp) -> None:
        self._server = _Quiet(
            uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", server_header=False)
        )
        self._socket = bound
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._server.serve([self._socket]))

    async def stop(self) -> None:
        self._server.should_exit = True
        if self._task is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._task, 2)
        self._socket.close()


class _Quiet(uvicorn.Server):
    """A server that leaves the signals to the daemon."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield
