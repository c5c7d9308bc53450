"""Tell systemd how it goes: the few lines of its notify protocol, one datagram a message, no library.

Without NOTIFY_SOCKET in the environment nothing is sent. The watchdog is fed by the tick, not by a thread of its own:
a process whose tick stands still is to be ended. Source: sd_notify(3). Called by `daemon`.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Supervisor:
    """Whoever started us and wants to hear; `address` is None where nobody does. `watchdog_s` is its patience."""

    address: str | None = None
    watchdog_s: float | None = None

    @property
    def pulse_s(self) -> float | None:
        """How often it must hear of us: twice within its patience."""
        return self.watchdog_s / 2 if self.watchdog_s is not None else None

    def ready(self, status: str) -> None:
        """The start is over."""
        self._say("READY=1", f"STATUS={status}")

    def reloading(self, clock: Callable[[], float] = time.monotonic) -> None:
        """A new configuration is being looked at. `ready` ends it."""
        self._say("RELOADING=1", f"MONOTONIC_USEC={int(clock() * 1_000_000)}")

    def alive(self) -> None:
        """Feed the watchdog."""
        if self.watchdog_s is not None:
            self._say("WATCHDOG=1")

    def stopping(self) -> None:
        """The end has begun."""
        self._say("STOPPING=1")

    def _say(self, *lines: str) -> None:
        if self.address is None:
            return
        # A name that begins with @ is one of Linux' abstract sockets.
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
            try:
                to.sendto("\n".join(lines).encode(), address)
            except OSError:
                return  # it is gone or busy: no reason to stop the work it watches


def of(environ: Mapping[str, str], pid: int | None = None) -> Supervisor:
    """Who wants to hear of this process, by the environment. A watchdog meant for another process is none of ours."""
    address = environ.get("NOTIFY_SOCKET") or None
    wanted, whose = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    ours = not whose or whose == str(pid if pid is not None else os.getpid())
    watchdog = int(wanted) / 1_000_000 if address and ours and wanted.isdigit() and int(wanted) > 0 else None
    return Supervisor(address, watchdog)
