"""Runs the page inside the daemon's event loop, on a socket that is bound already. Called by `daemon`."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress

import uvicorn

from monitor.web.app import build
from monitor.web.sources import Sources


class Page:
    """The page's server."""

    def __init__(self, bound: socket.socket, sources: Sources) -> None:
        config = uvicorn.Config(build(sources), log_config=None, access_log=False, lifespan="off", server_header=False)
        self._server = _Quiet(config)
        self._socket = bound
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to serve."""
        self._task = asyncio.create_task(self._server.serve([self._socket]))

    async def stop(self) -> None:
        """End, within two seconds."""
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
