"""Runs the page inside the daemon's event loop, on sockets that are bound already. Called by `daemon`.

What it shows can be exchanged while it runs: a request that is under way ends with what it began with.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import partial

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from monitor.web import health
from monitor.web.app import build
from monitor.web.sources import Sources


class Page:
    """The page's server, and that of the metrics where they have an address of their own."""

    def __init__(self, bound: socket.socket, sources: Sources, metrics: socket.socket | None = None) -> None:
        self._shown = _Shown(build(sources))
        self._servers = [_Serving(bound, self._shown)]
        if metrics is not None:
            self._servers.append(_Serving(metrics, health.measures()))

    def prepare(self, sources: Sources) -> Callable[[], None]:
        """Build what shows other sources; calling the answer puts it in place. To build takes a tenth of a second."""
        return partial(setattr, self._shown, "app", build(sources))

    def start(self) -> None:
        """Begin to serve."""
        for server in self._servers:
            server.start()

    async def stop(self) -> None:
        """End, within two seconds."""
        await asyncio.gather(*(server.stop() for server in self._servers))


class _Shown:
    """The application of the moment."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand one request to it."""
        await self.app(scope, receive, send)


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
