"""Delivery ids and the identity of a sender.

A delivery id is ``dlv_`` and a ULID: it sorts by time, and ids made in one millisecond by one process keep their order.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_BITS = 80


class DeliveryIds:
    """Makes delivery ids. `entropy` gives so many random bytes."""

    def __init__(self, entropy: Callable[[int], bytes] = os.urandom) -> None:
        self._entropy = entropy
        self._last = 0

    def make(self, now: datetime) -> str:
        """Make an id that is larger than the last one."""
        drawn = int(now.timestamp() * 1000) << RANDOM_BITS | int.from_bytes(self._entropy(10), "big") >> 1
        self._last = max(drawn, self._last + 1)
        number, letters = self._last, []
        for _ in range(26):
            number, letter = divmod(number, 32)
            letters.append(ALPHABET[letter])
        return "dlv_" + "".join(reversed(letters))


def owner() -> str:
    """Name this process so that another one on the same machine can tell whether it still lives."""
    return "|".join((socket.gethostname(), _boot(), str(os.getpid()), _started(os.getpid()) or "0"))


def is_gone(name: str) -> bool:
    """Tell whether the owner of a lease is certainly dead: an older boot, or a process that is no more."""
    parts = name.split("|")
    if len(parts) != 4 or parts[0] != socket.gethostname() or not parts[2].isdecimal():
        return False
    boot = _boot()
    if not boot or boot != parts[1]:
        return bool(boot)
    return _started(int(parts[2])) != parts[3]


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """Give the start time of a process, which tells it from a later one with the same number; None when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state_and_rest = stat.rpartition(")")[2].split()
    return None if state_and_rest[0] in "ZX" else state_and_rest[19]
