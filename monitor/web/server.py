"""Runs the page inside the daemon's event loop, on the configured address. Called by `daemon`."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import structlog
import uvicorn

from monitor.errors import StoreError
from monitor.web.app import Sources, build

log = structlog.get_logger(__name__)
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


class PortTaken(StoreError):
    """The address of the page is in use, or cannot be bound."""


class Page:
    """The page's server: `start` binds at once, so that a taken port is an error and not a line in a log."""

    def __init__(self, host: str, port: int, sources: Sources) -> None:
        self._host, self._port = host, port
        config = uvicorn.Config(build(sources), log_config=None, access_log=False, lifespan="off", server_header=False)
        self._server = _Quiet(config)
        self._socket: socket.socket | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Where people look."""
        return f"http://{self._host}:{self._port}/"

    async def start(self) -> None:
        """Bind and serve.

        Errors: PortTaken with what to do.
        """
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        bound = socket.socket(family)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((self._host, self._port))
        except OSError as exc:
            bound.close()
            raise PortTaken(
                f"web.listen {self._host}:{self._port} cannot be used ({exc.strerror}); try make run PORT=8081"
            ) from exc
        self._port = bound.getsockname()[1]
        self._socket = bound
        self._task = asyncio.create_task(self._server.serve([bound]))

    async def stop(self) -> None:
        """End, within two seconds."""
        self._server.should_exit = True
        if self._task is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._task, 2)
        if self._socket is not None:
            self._socket.close()


class _Quiet(uvicorn.Server):
    """A server that leaves the signals to the daemon."""

    def install_signal_handlers(self) -> None:
        """Install none."""

    def capture_signals(self):  # type: ignore[no-untyped-def, override]  # a context manager that changes nothing
        from contextlib import nullcontext

        return nullcontext()


def local_names(host: str) -> frozenset[str]:
    """The names under which a page bound to `host` may be asked for."""
    return _LOCAL | {host}
